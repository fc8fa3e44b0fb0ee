//! How often the advisor decided in which way; shared, so that it stays readable when a heap owns the advisor.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tenure_gc::policy::Reason;

use crate::forecast::ForecastModel;
use crate::foresight::Told;

/// One more than the largest reason.
const REASONS: usize = Reason::Undo as usize + 1;

/// Decisions by reason, and what is told of the run.
#[derive(Debug)]
pub struct Counters {
    by_reason: [AtomicU64; REASONS],
    told: Told,
}

impl Counters {
    pub(crate) fn new(forecasts: Arc<ForecastModel>) -> Counters {
        Counters { by_reason: Default::default(), told: Told::new(forecasts) }
    }

    pub(crate) fn count(&self, reason: Reason) {
        self.by_reason[reason as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Decisions made for `reason`.
    pub fn of(&self, reason: Reason) -> u64 {
        self.by_reason[reason as usize].load(Ordering::Relaxed)
    }

    /// The program's class, and what is expected of the next minute.
    pub fn told(&self) -> &Told {
        &self.told
    }

    /// All decisions.
    pub fn decisions(&self) -> u64 {
        self.by_reason.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }

    /// Decisions in which the adaptive policy stood in for the model: no model, a foreign state, or the guard. Warm-up
    /// and probes are part of the advisor's work and do not count.
    pub fn fallbacks(&self) -> u64 {
        self.of(Reason::NoModel) + self.of(Reason::OutOfDistribution) + self.of(Reason::Guard)
    }
}
