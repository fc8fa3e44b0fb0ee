//! The learned policy of the Tenure collector
