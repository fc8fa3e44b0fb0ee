//! The embedding API of Tenure.
