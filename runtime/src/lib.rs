//! What compiled Tenure code needs while it runs
