//! The policy seam: what a policy sees, what it may say, and what came of it.
//!
//! Once a *cycle* — from the end of one pause to the end of the next — the heap measures a [`Snapshot`], asks its
//! [`Policy`] for a [`Decision`], clamps the decision by the [`Envelope`], runs with those [`Knobs`] and answers the
//! decision with exactly one [`Outcome`].
//!
//! Invariants
//! - P1. A policy sees plain numbers and never the heap; the heap works with whatever legal knobs it is given.
//!   Advice can make a program slower, never wrong.
//! - P2. Knobs that reach the heap went through [`Envelope::clamp`]; NaN, infinities and illegal sizes end there.
//! - P3. Every decision gets exactly one outcome, the last one when the heap is dropped.
//! - P4. `decide` and `observe` neither allocate nor fail.

mod adaptive;
mod adversarial;
mod explore;
pub(crate) mod fields;
mod fixed;
mod heap_rule;
mod ihop;
mod knobs;
mod predictor;
mod random;
mod ratio;
mod snapshot;
mod square_root;
mod survey;
mod throughput;

pub use adaptive::Adaptive;
pub use adversarial::Adversarial;
pub use explore::Explore;
pub use fields::{DECISION_FIELDS, Field, KNOB_FIELDS, OUTCOME_FIELDS, SNAPSHOT_FIELDS};
pub use fixed::{KnobError, Overrides, Static};
pub use ihop::AdaptiveThreshold;
pub use knobs::{Decision, Envelope, Knobs, NextKind, Reason};
pub use predictor::Sequence;
pub use ratio::Ratio;
pub use snapshot::{CycleKind, Outcome, Snapshot};
pub use square_root::SquareRoot;
pub use survey::Survey;

/// Decides the collector's knobs, once a cycle.
pub trait Policy: Send {
    /// The name that flags, logs and journals use: `static`, `adaptive`, `advisor`, …
    fn name(&self) -> &'static str;

    /// The knobs of the coming cycle. `current` are those of the cycle just ended.
    fn decide(&mut self, snapshot: &Snapshot, current: &Knobs, envelope: &Envelope) -> Decision;

    /// What came of the last decision. Called once for each, before the next `decide`.
    fn observe(&mut self, outcome: &Outcome);
}
