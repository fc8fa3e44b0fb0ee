//! What compiled Tenure code needs while it runs.

pub mod native;
pub mod trap;
