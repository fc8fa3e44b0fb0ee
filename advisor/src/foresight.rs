//! What an advisor tells of its run besides knobs: the program's class, and what the next minute is expected to bring.
//!
//! Forecasts decide nothing, and to follow them in each cycle would take longer than all else that a cycle without a plan takes. So
//! an advisor keeps what the last pauses showed, and whoever asks has it foretold from those. The class, which a plan asks for, is told
//! of groups of pauses: its state would be out of the caches at each one.
//!
//! Invariants
//! - T1. Fixed size; nothing here allocates, until somebody asks for a forecast.
//! - T2. The class does not depend on how pauses were grouped, bit for bit; a plan's is that of all pauses so far.
//! - T3. A forecast depends on the last [`KEPT`] pauses alone, the newest among them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tenure_gc::policy::Snapshot;

use crate::class::{ClassPrior, Classifier, Label, WorkloadClass};
use crate::forecast::{ForecastModel, Forecaster, HORIZON_MAX};
use crate::model::Model;
use crate::pause::Pause;

/// The most pauses that wait for the classifier.
const GROUP: usize = 16;
/// Pauses that forecasts are made of: so many that of older ones an average over the longest horizon would hold next to nothing.
const KEPT: usize = 4 * HORIZON_MAX;

/// Follows one run.
pub(crate) struct Foresight {
    /// Pauses that the classifier has not taken in, the oldest first.
    waiting: [Pause; GROUP],
    waiting_count: usize,
    classifier: Classifier,
}

impl Foresight {
    /// Nothing seen yet.
    pub(crate) fn new(model: &Model) -> Foresight {
        Foresight {
            waiting: [Pause::default(); GROUP],
            waiting_count: 0,
            classifier: Classifier::new(Arc::clone(model.classes())),
        }
    }

    /// Keeps the snapshot of a pause, here for the class and in `told` for forecasts.
    pub(crate) fn observe(&mut self, snapshot: &Snapshot, told: &Told) {
        let pause = Pause::of(snapshot);
        told.keep(&pause);
        self.waiting[self.waiting_count] = pause;
        self.waiting_count += 1;
        if self.waiting_count == GROUP {
            self.classify(told);
        }
    }

    /// Brings the class up to date, here and in `told`.
    pub(crate) fn classify(&mut self, told: &Told) {
        self.waiting[..self.waiting_count].iter().for_each(|pause| self.classifier.take_in(pause));
        self.waiting_count = 0;
        told.set_label(self.classifier.label());
    }

    /// The knobs that did well in runs of the program's class; none of an unknown class.
    pub(crate) fn prior(&self) -> Option<&ClassPrior> {
        self.classifier.prior()
    }
}

/// The last pauses, in a ring.
#[derive(Debug)]
struct Recent {
    pauses: [Pause; KEPT],
    seen: usize,
}

/// What is told of a run; shared, so that it stays readable when a heap owns the advisor.
#[derive(Debug)]
pub struct Told {
    class: AtomicU64,
    probability: AtomicU64,
    recent: Mutex<Recent>,
    forecasts: Arc<ForecastModel>,
}

impl Told {
    /// Nothing yet; forecasts will be of this model.
    pub(crate) fn new(forecasts: Arc<ForecastModel>) -> Told {
        let recent = Mutex::new(Recent { pauses: [Pause::default(); KEPT], seen: 0 });
        let told = Told { class: 0.into(), probability: 0.into(), recent, forecasts };
        told.set_label(Label::default());
        told
    }

    fn set_label(&self, label: Label) {
        self.class.store(label.class as u64, Ordering::Relaxed);
        self.probability.store(label.probability.to_bits(), Ordering::Relaxed);
    }

    fn keep(&self, pause: &Pause) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let at = recent.seen % KEPT;
        recent.pauses[at] = *pause;
        recent.seen += 1;
    }

    /// The program's class at the last plan, or in one of the last sixteen cycles if none was made since; unknown without a model, and
    /// at first.
    pub fn label(&self) -> Label {
        let number = self.class.load(Ordering::Relaxed);
        let class = WorkloadClass::ALL.into_iter().find(|class| *class as u64 == number).unwrap_or_default();
        Label { class, probability: f64::from_bits(self.probability.load(Ordering::Relaxed)) }
    }

    /// A forecaster that has seen the last pauses, 256 at the most. It is made anew, which takes half a millisecond.
    pub fn forecaster(&self) -> Forecaster {
        let mut forecaster = Forecaster::new(Arc::clone(&self.forecasts));
        // The pauses are copied, so that no cycle waits for the forecaster.
        let (mut pauses, seen) = {
            let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
            (recent.pauses, recent.seen)
        };
        pauses.rotate_left(if seen > KEPT { seen % KEPT } else { 0 });
        if seen > KEPT {
            // Of the cycle that the oldest ended, the beginning is not known: it is as good as a birth.
            pauses[0].cycle = 0;
        }
        pauses[..seen.min(KEPT)].iter().for_each(|pause| forecaster.take_in(pause));
        forecaster
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forecast::Quantity;

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

    fn shipped() -> Model {
        Model::parse(crate::load::SHIPPED).expect("the shipped model is usable")
    }

    /// Plans come in all distances; each sees the class that one pause at a time leads to.
    #[test]
    fn however_pauses_are_grouped_the_class_is_the_same() {
        let model = shipped();
        for plan_every in [1, 2, 7, 16, 50, usize::MAX] {
            let (mut foresight, told) = (Foresight::new(&model), Told::new(Arc::clone(model.forecasts())));
            let mut classifier = Classifier::new(Arc::clone(model.classes()));
            let mut classes = Vec::new();
            for (at, snapshot) in snapshots().enumerate() {
                foresight.observe(&snapshot, &told);
                classifier.observe(&snapshot);
                if at % plan_every == plan_every - 1 {
                    foresight.classify(&told);
                    assert_eq!(foresight.prior(), classifier.prior(), "pause {at}");
                    classes.push(told.label().class);
                }
                if foresight.waiting_count == 0 {
                    assert_eq!(told.label(), classifier.label(), "pause {at}");
                }
            }
            classes.dedup();
            assert!(plan_every > 50 || classes.len() > 2, "the run is of one class: {classes:?}");
        }
    }

    #[test]
    fn forecasts_are_those_of_the_whole_run_while_it_is_kept_and_hardly_others_later() {
        let model = shipped();
        let (mut foresight, told) = (Foresight::new(&model), Told::new(Arc::clone(model.forecasts())));
        let mut whole = Forecaster::new(Arc::clone(model.forecasts()));
        assert_eq!(told.forecaster().outlook(Quantity::Live), None);
        for (at, snapshot) in snapshots().enumerate() {
            foresight.observe(&snapshot, &told);
            whole.observe(&snapshot);
            if at % 37 != 0 {
                continue;
            }
            for quantity in Quantity::ALL {
                let (recent, whole) = (told.forecaster().outlook(quantity), whole.outlook(quantity));
                if at < KEPT {
                    assert_eq!(recent, whole, "pause {at}");
                } else {
                    let [recent, whole] = [recent, whole].map(|outlook| outlook.expect("a cycle ended").minute.mid);
                    assert!((recent / whole - 1.0).abs() < 0.05, "pause {at}: {recent} for {whole}");
                }
            }
        }
    }
}
