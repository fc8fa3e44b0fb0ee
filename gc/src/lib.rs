//! The heap of Tenure: a generational region collector and its policy seam.
pub mod policy;
