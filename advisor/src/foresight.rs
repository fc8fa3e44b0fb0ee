//! What an advisor tells of its run besides knobs: the program's class, and what the next minute is expected to bring.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tenure_gc::policy::Snapshot;

use crate::class::{ClassPrior, Classifier, Label, WorkloadClass};
use crate::forecast::{Forecaster, QUANTITY_COUNT, Quantity};
use crate::model::Model;

/// Follows one run.
pub(crate) struct Foresight {
    forecaster: Forecaster,
    classifier: Classifier,
}

impl Foresight {
    /// Nothing seen yet.
    pub(crate) fn new(model: &Model) -> Foresight {
        let forecaster = Forecaster::new(Arc::clone(model.forecasts()));
        Foresight { forecaster, classifier: Classifier::new(Arc::clone(model.classes())) }
    }

    /// Takes in the snapshot of a pause.
    pub(crate) fn observe(&mut self, snapshot: &Snapshot) {
        self.forecaster.observe(snapshot);
        self.classifier.observe(snapshot);
    }

    /// The knobs that did well in runs of the program's class; none of an unknown class.
    pub(crate) fn prior(&self) -> Option<&ClassPrior> {
        self.classifier.prior()
    }

    /// Keeps `told` up to date.
    pub(crate) fn tell(&self, told: &Told) {
        let minute = |quantity| self.forecaster.outlook(quantity).map_or(f64::NAN, |outlook| outlook.minute.mid);
        told.set(self.classifier.label(), Quantity::ALL.map(minute));
    }
}

/// What was told last; shared, so that it stays readable when a heap owns the advisor.
#[derive(Debug)]
pub struct Told {
    class: AtomicU64,
    probability: AtomicU64,
    minute: [AtomicU64; QUANTITY_COUNT],
}

impl Default for Told {
    fn default() -> Told {
        let told = Told { class: 0.into(), probability: 0.into(), minute: Default::default() };
        told.set(Label::default(), [f64::NAN; QUANTITY_COUNT]);
        told
    }
}

impl Told {
    fn set(&self, label: Label, minute: [f64; QUANTITY_COUNT]) {
        self.class.store(label.class as u64, Ordering::Relaxed);
        self.probability.store(label.probability.to_bits(), Ordering::Relaxed);
        for (place, value) in self.minute.iter().zip(minute) {
            place.store(value.to_bits(), Ordering::Relaxed);
        }
    }

    /// The program's class; unknown without a model, and at first.
    pub fn label(&self) -> Label {
        let number = self.class.load(Ordering::Relaxed);
        let class = WorkloadClass::ALL.into_iter().find(|class| *class as u64 == number).unwrap_or_default();
        Label { class, probability: f64::from_bits(self.probability.load(Ordering::Relaxed)) }
    }

    /// What is expected of a quantity in the next minute, in its own unit; none before the first cycle ended.
    pub fn minute(&self, quantity: Quantity) -> Option<f64> {
        Some(f64::from_bits(self.minute[quantity as usize].load(Ordering::Relaxed))).filter(|value| value.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_read_back() {
        let told = Told::default();
        assert_eq!((told.label(), told.minute(Quantity::Live)), (Label::default(), None));
        let label = Label { class: WorkloadClass::Growing, probability: 0.75 };
        told.set(label, [1.0, 2.0, 3.0]);
        assert_eq!((told.label(), told.minute(Quantity::Live)), (label, Some(3.0)));
    }
}
