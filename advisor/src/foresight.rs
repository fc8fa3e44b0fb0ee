//! What an advisor tells of its run besides knobs: the program's class, and what the next minute is expected to bring.
//!
//! Forecasts decide nothing, and the class only what a plan tries. Both look at every pause, but through so much state that in each a
//! program would have thrown it out of the caches. So pauses are kept, and taken in by groups: by the classifier when a plan asks,
//! by both when enough are kept.
//!
//! Invariants
//! - T1. Fixed size; nothing here allocates.
//! - T2. What is foretold, and the class, do not depend on how pauses were grouped, bit for bit.
//! - T3. A plan's class is that of all pauses so far. A forecast told leaves out the newest pauses: fewer than [`GROUP`], and no more than
//!   it was made from.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tenure_gc::policy::Snapshot;

use crate::class::{ClassPrior, Classifier, Label, WorkloadClass};
use crate::forecast::{Forecaster, QUANTITY_COUNT, Quantity};
use crate::model::Model;
use crate::pause::Pause;

/// The most pauses that are kept.
const GROUP: usize = 16;

/// Follows one run.
pub(crate) struct Foresight {
    /// Pauses that the forecaster has not taken in, the oldest first.
    kept: [Pause; GROUP],
    kept_count: usize,
    /// Of those, the ones that the classifier has.
    classified: usize,
    forecaster: Forecaster,
    classifier: Classifier,
}

impl Foresight {
    /// Nothing seen yet.
    pub(crate) fn new(model: &Model) -> Foresight {
        Foresight {
            kept: [Pause::default(); GROUP],
            kept_count: 0,
            classified: 0,
            forecaster: Forecaster::new(Arc::clone(model.forecasts())),
            classifier: Classifier::new(Arc::clone(model.classes())),
        }
    }

    /// Keeps the snapshot of a pause; if that are enough, they are taken in, and `told` is brought up to date.
    pub(crate) fn observe(&mut self, snapshot: &Snapshot, told: &Told) {
        self.kept[self.kept_count] = Pause::of(snapshot);
        self.kept_count += 1;
        if self.kept_count >= self.forecaster.seen().clamp(1, GROUP) {
            self.classify(told);
            self.kept[..self.kept_count].iter().for_each(|pause| self.forecaster.take_in(pause));
            (self.kept_count, self.classified) = (0, 0);
            told.set_minute(Quantity::ALL.map(|quantity| self.forecaster.minute(quantity)));
        }
    }

    /// Brings the class up to date, here and in `told`.
    pub(crate) fn classify(&mut self, told: &Told) {
        self.kept[self.classified..self.kept_count].iter().for_each(|pause| self.classifier.take_in(pause));
        self.classified = self.kept_count;
        told.set_label(self.classifier.label());
    }

    /// The knobs that did well in runs of the program's class; none of an unknown class.
    pub(crate) fn prior(&self) -> Option<&ClassPrior> {
        self.classifier.prior()
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
        told.set_label(Label::default());
        told.set_minute([None; QUANTITY_COUNT]);
        told
    }
}

impl Told {
    fn set_label(&self, label: Label) {
        self.class.store(label.class as u64, Ordering::Relaxed);
        self.probability.store(label.probability.to_bits(), Ordering::Relaxed);
    }

    fn set_minute(&self, minute: [Option<f64>; QUANTITY_COUNT]) {
        for (place, value) in self.minute.iter().zip(minute) {
            place.store(value.unwrap_or(f64::NAN).to_bits(), Ordering::Relaxed);
        }
    }

    /// The program's class at the last plan, or in one of the last sixteen cycles if none was made since; unknown without a model, and
    /// at first.
    pub fn label(&self) -> Label {
        let number = self.class.load(Ordering::Relaxed);
        let class = WorkloadClass::ALL.into_iter().find(|class| *class as u64 == number).unwrap_or_default();
        Label { class, probability: f64::from_bits(self.probability.load(Ordering::Relaxed)) }
    }

    /// What is expected of a quantity in the next minute, in its own unit, as it was foretold in one of the last sixteen cycles; none
    /// before the first ended.
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
        told.set_label(label);
        told.set_minute([Some(1.0), None, Some(3.0)]);
        assert_eq!((told.label(), told.minute(Quantity::Live)), (label, Some(3.0)));
        assert_eq!(told.minute(Quantity::Promotion), None);
    }

    /// A run that changes its habits: most dies young, then most survives, then most is large. Its birth is the first.
    fn snapshots() -> impl Iterator<Item = Snapshot> {
        (0..400_u64).map(|cycle| {
            let (bytes, phase) = ((1 << 20) * (4 + cycle * 7 % 5), cycle / 100 % 3);
            let promoted_bytes = if phase == 1 { bytes / 2 } else { (cycle % 11) << 10 };
            Snapshot {
                cycle,
                uptime_ns: cycle * 1_000_000 + cycle % 3 * 1000,
                mutator_cpu_ns: 900_000,
                allocated_bytes: bytes,
                large_allocated_bytes: if phase == 2 { 4 * bytes } else { 0 },
                young_bytes: bytes,
                survived_bytes: bytes / if phase == 1 { 3 } else { 100 },
                promoted_bytes,
                old_bytes: (8 << 20) + ((cycle % 40) << 16),
                ..Snapshot::default()
            }
        })
    }

    /// Plans come in all distances; each sees the class, and every group the forecasts, that one pause at a time leads to.
    #[test]
    fn however_pauses_are_grouped_what_is_told_is_the_same() {
        let model = Model::parse(crate::load::SHIPPED).expect("the shipped model is usable");
        for plan_every in [1, 2, 7, 16, 50, usize::MAX] {
            let (mut foresight, told) = (Foresight::new(&model), Told::default());
            let mut forecaster = Forecaster::new(Arc::clone(model.forecasts()));
            let mut classifier = Classifier::new(Arc::clone(model.classes()));
            let (mut groups, mut classes) = (Vec::new(), Vec::new());
            for (at, snapshot) in snapshots().enumerate() {
                foresight.observe(&snapshot, &told);
                forecaster.observe(&snapshot);
                classifier.observe(&snapshot);
                if at % plan_every == plan_every - 1 {
                    foresight.classify(&told);
                    assert_eq!(told.label(), classifier.label(), "pause {at}");
                    assert_eq!(foresight.prior(), classifier.prior(), "pause {at}");
                    classes.push(told.label().class);
                }
                if foresight.kept_count == 0 {
                    groups.push(at);
                    assert_eq!(told.label(), classifier.label(), "pause {at}");
                    for quantity in Quantity::ALL {
                        let outlook = forecaster.outlook(quantity);
                        assert_eq!(foresight.forecaster.outlook(quantity), outlook, "pause {at}");
                        assert_eq!(told.minute(quantity), outlook.map(|outlook| outlook.minute.mid), "pause {at}");
                    }
                }
            }
            assert_eq!(
                groups[..8],
                [0, 1, 2, 4, 8, 16, 32, 48],
                "birth, then groups as long as the run, at most sixteen"
            );
            assert_eq!(groups.len(), 6 + (399 - 16) / GROUP);
            classes.dedup();
            assert!(plan_every > 50 || classes.len() > 2, "the run is of one class: {classes:?}");
        }
    }
}
