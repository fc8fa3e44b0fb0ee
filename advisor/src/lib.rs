//! The learned policy of the Tenure collector.
//!
//! Once a cycle the heap shows a snapshot to its policy and gets knobs back. This policy, the [`Advisor`], predicts
//! what candidate knobs would cost — the next pause, the collector's CPU time per allocated byte, the memory committed,
//! the risk of a full collection — and takes the cheapest by the user's [`Goal`], inside a trust region around the
//! adaptive policy's own choice. Its cost models — a weighted sum of hand-made features or a small network in 8 bits —
//! are fitted with linfa from journals of real runs (the `train` feature); deciding is plain arithmetic on fixed-size arrays.
//!
//! Data flow, one way: snapshot → `history` → `smooth` → `features` → `model` → `correct` → `goal` →
//! `planner`, with `guard` deciding whose turn it is; outcome → `observed` → correction and guard.
//!
//! It must never know the heap: it sees plain numbers, and what it says goes through the heap's envelope. Advice can
//! make a program slower, never wrong.

#![forbid(unsafe_code)]

mod bandit;
#[cfg(test)]
mod behaviour;
mod candidates;
mod class;
mod coordinate;
mod correct;
mod counters;
mod error;
mod features;
mod forecast;
mod foresight;
mod goal;
mod guard;
mod history;
mod load;
mod math;
mod model;
mod network;
mod observed;
mod order;
mod pace;
mod pause;
mod planner;
mod policy;
#[cfg(any(test, feature = "train"))]
pub mod sim;
#[cfg(any(test, feature = "train"))]
pub mod simulator;
mod smooth;
mod tally;
#[cfg(feature = "train")]
pub mod train;
mod trust;

pub use class::{ClassFile, ClassFit, ClassModel, ClassPrior, Classifier, Label, WorkloadClass};
pub use counters::Counters;
pub use error::{ModelError, Warning};
pub use features::{CANDIDATE_FEATURES, Feature, STATE_FEATURES};
pub use forecast::{
    Forecast, ForecastFile, ForecastModel, Forecaster, HORIZONS, HorizonFit, Outlook, QUANTITIES, Quantity, realised,
};
pub use foresight::Told;
pub use goal::Goal;
pub use model::{FeatureFit, Model, ModelFile, OUTPUTS, OutputFit};
pub use network::{NetworkFit, NetworkOutput};
pub use policy::Advisor;
