//! Workload classes: what kind of program this is, seen from the collector.
//!
//! Classes were found in journals by k-means over vectors of [`behaviour`]; each got the name of what its centre stands out by.
//! At run time Gaussian naive Bayes, fitted by linfa to those labels, gives each class a probability from the same vector.
//! Probabilities are averaged over some cycles, and the label changes only when another class leads by a margin.
//!
//! It must never know knobs in force, costs, or what is done with a class.
//!
//! Invariants
//! - C1. Fixed size; nothing here allocates.
//! - C2. Probabilities are between 0 and 1, whatever snapshots and model hold; without a model the class is unknown.
//! - C3. A class depends on snapshots alone: the same journal gives the same classes, bit for bit.

pub(crate) mod behaviour;
mod kind;
mod model;

use std::sync::Arc;

use tenure_gc::policy::Snapshot;

use crate::pause::Pause;
use behaviour::Behaviour;
pub use kind::WorkloadClass;
#[cfg(feature = "train")]
pub(crate) use model::standardise;
pub use model::{ClassFile, ClassFit, ClassModel, ClassPrior};

/// The most classes there are.
pub const CLASSES_MAX: usize = WorkloadClass::ALL.len() - 1;
/// Cycles before the first label.
pub(crate) const HISTORY_MIN: u64 = 4;
/// Weight of the newest cycle in a class's probability.
const GAIN: f64 = 0.25;
/// What another class must lead by to become the label.
const MARGIN: f64 = 0.2;

/// A class with its probability.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Label {
    /// The class.
    pub class: WorkloadClass,
    /// Its probability, a mean over recent cycles; 0 of an unknown class.
    pub probability: f64,
}

/// Tells one run's class.
#[derive(Clone, Debug)]
pub struct Classifier {
    model: Arc<ClassModel>,
    behaviour: Behaviour,
    probabilities: [f64; CLASSES_MAX],
    /// Place of the label in the model.
    label: Option<usize>,
}

impl Classifier {
    /// Nothing seen yet.
    pub fn new(model: Arc<ClassModel>) -> Classifier {
        Classifier { model, behaviour: Behaviour::default(), probabilities: [0.0; CLASSES_MAX], label: None }
    }

    /// Takes in the snapshot of a pause; a heap's birth is none.
    pub fn observe(&mut self, snapshot: &Snapshot) {
        self.take_in(&Pause::of(snapshot));
    }

    /// The same of a pause that was kept.
    pub(crate) fn take_in(&mut self, pause: &Pause) {
        if pause.cycle == 0 {
            return;
        }
        self.behaviour.take_in(pause);
        let count = self.model.count();
        if count == 0 || self.behaviour.seen() < HISTORY_MIN {
            return;
        }
        let newest = self.model.probabilities(&self.behaviour.features());
        let gain = if self.label.is_none() { 1.0 } else { GAIN };
        for (mean, newest) in self.probabilities.iter_mut().zip(newest) {
            *mean += gain * (newest - *mean);
        }
        let leader =
            (0..count).fold(0, |best, at| if self.probabilities[at] > self.probabilities[best] { at } else { best });
        let leads = |label: usize| self.probabilities[leader] > self.probabilities[label] + MARGIN;
        if self.label.is_none_or(leads) {
            self.label = Some(leader);
        }
    }

    /// The class as it is seen now.
    pub fn label(&self) -> Label {
        let of = |at: usize| Label { class: self.model.class(at), probability: self.probabilities[at] };
        self.label.map(of).unwrap_or_default()
    }

    /// The label's place in the model.
    #[cfg(feature = "train")]
    pub(crate) fn place(&self) -> Option<usize> {
        self.label
    }

    /// The knobs that did well in runs of this class; none of an unknown class.
    pub fn prior(&self) -> Option<&ClassPrior> {
        self.label.map(|at| self.model.prior(at))
    }
}

#[cfg(test)]
mod tests;
