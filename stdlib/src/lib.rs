//! The standard library of Tenure
