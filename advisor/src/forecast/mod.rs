//! Forecasts: the allocation rate, the promotion rate and the live size of the cycles to come, with bounds.
//!
//! Each quantity is followed as a logarithm. For each [`Horizon`] several experts say what it will be — the last value,
//! decaying averages over time, a linear model of lags that linfa fitted — and what they say is blended by how well each did lately
//! in this run. A model that is wrong here loses its say within some cycles; what is left are the averages.
//!
//! It must never know knobs, costs, or what is done with a forecast.
//!
//! Data: [`series::Series`] (one quantity's recent past) → features → [`model::ForecastModel`] → [`blend::Blend`] (one for each
//! quantity and horizon: recent errors of each expert, and the forecasts that wait for what they foretold).
//!
//! Invariants
//! - F1. Fixed size; `observe` and `forecast` do not allocate.
//! - F2. Every number given out is finite and positive, whatever snapshots and model hold.
//! - F3. Without a model, or with one whose weights are zero, the model's expert says the last value.
//! - F4. A forecast depends on snapshots alone: the same journal gives the same forecasts, bit for bit.
//!
//! Bounds are conformal (Vovk, Gammerman and Shafer, 2005; normalised as in Papadopoulos, Gammerman and Vovk, 2008): quantiles of
//! errors on workloads that were left out of the fit, in units of the blend's own recent error.

pub(crate) mod blend;
pub(crate) mod model;
pub(crate) mod series;

use std::sync::Arc;

use tenure_gc::policy::Snapshot;

use crate::math::{exp, ln};
use crate::pause::Pause;

pub use model::{ForecastFile, ForecastModel, HorizonFit};

use blend::{Blend, EXPERTS, Said, experts};
use series::Series;

/// Cycles foretold at once: the horizons that models are fitted for.
pub const HORIZONS: [usize; 4] = [1, 4, 16, 64];
/// How many there are.
pub const HORIZON_COUNT: usize = HORIZONS.len();
/// All are powers of two, so that a place in their rings takes no division.
const _: () = {
    let mut horizon = 0;
    while horizon < HORIZON_COUNT {
        assert!(HORIZONS[horizon].is_power_of_two());
        horizon += 1;
    }
};
/// The longest, in cycles.
pub(crate) const HORIZON_MAX: usize = HORIZONS[HORIZON_COUNT - 1];
/// Where the forecasts of a horizon wait, as many as it has cycles; and how many wait in all.
const WAITING_AT: [usize; HORIZON_COUNT] = [0, 1, 5, 21];
const WAITING: usize = WAITING_AT[HORIZON_COUNT - 1] + HORIZON_MAX;
/// Added to rates before their logarithm, bytes/ns: 10 kB/s is nothing to anyone.
const RATE_FLOOR: f64 = 1e-5;
/// Added to sizes before their logarithm, bytes.
const SIZE_FLOOR: f64 = 65_536.0;
const MINUTE_NS: f64 = 60e9;
/// Weight of the newest cycle in the mean length of cycles.
const LENGTH_GAIN: f64 = 1.0 / 16.0;

/// What is foretold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Quantity {
    /// Bytes allocated, large objects included, per ns of the program's CPU time.
    Allocation = 0,
    /// Bytes that become old, promoted or large, per ns of the program's CPU time.
    Promotion = 1,
    /// Live bytes: of old space at the last marking, as far as they can still be there, and survivors.
    Live = 2,
}

/// How many quantities there are.
pub const QUANTITY_COUNT: usize = 3;
/// Their names in files, in order.
pub const QUANTITIES: [&str; QUANTITY_COUNT] = ["allocation_bytes_per_ns", "promotion_bytes_per_ns", "live_bytes"];

impl Quantity {
    /// All of them, in order.
    pub const ALL: [Quantity; QUANTITY_COUNT] = [Quantity::Allocation, Quantity::Promotion, Quantity::Live];

    pub(crate) fn floor(self) -> f64 {
        if self == Quantity::Live { SIZE_FLOOR } else { RATE_FLOOR }
    }
}

/// A forecast in the quantity's own unit: bytes/ns, or bytes at the end of the horizon. Rates are means over the horizon.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Forecast {
    /// One in twenty comes out below.
    pub low: f64,
    /// As many come out below as above.
    pub mid: f64,
    /// One in twenty comes out above.
    pub high: f64,
}

/// The forecasts of one quantity.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Outlook {
    /// By horizon, in the order of [`HORIZONS`].
    pub cycles: [Forecast; HORIZON_COUNT],
    /// Of the next minute, at the recent length of cycles; if that is more cycles than the longest horizon, the longest's.
    pub minute: Forecast,
}

/// One cycle's part in the quantities: sums of which rates are quotients, and the live size.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sample {
    pub(crate) allocated_bytes: f64,
    pub(crate) promoted_bytes: f64,
    pub(crate) mutator_ns: f64,
    pub(crate) live_bytes: f64,
    pub(crate) young_bytes: f64,
    pub(crate) copied_bytes: f64,
}

impl Sample {
    pub(crate) fn of(snapshot: &Snapshot) -> Sample {
        Sample::from_pause(&Pause::of(snapshot))
    }

    fn from_pause(pause: &Pause) -> Sample {
        Sample {
            allocated_bytes: pause.allocated_bytes,
            promoted_bytes: pause.promoted_bytes,
            mutator_ns: pause.mutator_cpu_ns.max(1) as f64,
            live_bytes: pause.live_bytes,
            young_bytes: pause.young_bytes as f64,
            copied_bytes: pause.copied_bytes,
        }
    }

    /// Numerator and denominator of a quantity: bytes and ns of a rate.
    fn parts(&self, quantity: Quantity) -> [f64; 2] {
        match quantity {
            Quantity::Allocation => [self.allocated_bytes, self.mutator_ns],
            Quantity::Promotion => [self.promoted_bytes, self.mutator_ns],
            Quantity::Live => [self.live_bytes, 1.0],
        }
    }

    /// ln of the quantity.
    fn ln(&self, quantity: Quantity) -> f64 {
        let [bytes, per] = self.parts(quantity);
        ln(bytes / per + quantity.floor())
    }

    /// ln of what a quantity was over `cycles`, the newest last; none of no cycles.
    pub(crate) fn ln_over(quantity: Quantity, cycles: impl Iterator<Item = Sample>) -> Option<f64> {
        let over = cycles.reduce(|sum, cycle| Sample {
            allocated_bytes: sum.allocated_bytes + cycle.allocated_bytes,
            promoted_bytes: sum.promoted_bytes + cycle.promoted_bytes,
            mutator_ns: sum.mutator_ns + cycle.mutator_ns,
            ..cycle
        })?;
        Some(over.ln(quantity))
    }
}

/// What cycles came to since the first, in whole numbers that begin again at zero where they end: a difference over a horizon is
/// exact, however long a run.
#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    allocated_bytes: u64,
    promoted_bytes: u64,
    mutator_ns: u64,
}

impl Totals {
    /// With one more cycle.
    fn and(&self, cycle: &Sample) -> Totals {
        Totals {
            allocated_bytes: self.allocated_bytes.wrapping_add(cycle.allocated_bytes as u64),
            promoted_bytes: self.promoted_bytes.wrapping_add(cycle.promoted_bytes as u64),
            mutator_ns: self.mutator_ns.wrapping_add(cycle.mutator_ns as u64),
        }
    }

    /// What the cycles since `earlier` came to, as if it were one.
    fn since(&self, earlier: &Totals) -> Sample {
        Sample {
            allocated_bytes: self.allocated_bytes.wrapping_sub(earlier.allocated_bytes) as f64,
            promoted_bytes: self.promoted_bytes.wrapping_sub(earlier.promoted_bytes) as f64,
            mutator_ns: self.mutator_ns.wrapping_sub(earlier.mutator_ns).max(1) as f64,
            ..Sample::default()
        }
    }
}

/// What a quantity came to over the cycles that these pauses ended, in its own unit; none of no cycles. It is what a forecast
/// over as many cycles, made before the first, is held against.
pub fn realised<'s>(quantity: Quantity, pauses: impl Iterator<Item = &'s Snapshot>) -> Option<f64> {
    let value = Sample::ln_over(quantity, pauses.map(Sample::of))?;
    Some(natural(quantity, value))
}

/// What one run has shown, and what it leads to expect.
#[derive(Clone, Debug)]
pub struct Forecaster {
    model: Arc<ForecastModel>,
    series: [Series; QUANTITY_COUNT],
    blends: [[Blend; HORIZON_COUNT]; QUANTITY_COUNT],
    /// Forecasts that wait for what they foretold.
    waiting: [[Said; WAITING]; QUANTITY_COUNT],
    /// What the cycles up to each of the last came to, and up to the newest.
    totals: [Totals; HORIZON_MAX + 1],
    seen: usize,
    uptime_ns: u64,
    length_ns: f64,
}

impl Forecaster {
    /// Nothing seen yet.
    pub fn new(model: Arc<ForecastModel>) -> Forecaster {
        Forecaster {
            series: Quantity::ALL.map(Series::new),
            blends: std::array::from_fn(|q| std::array::from_fn(|h| Blend::new(model.errors(q, h)))),
            waiting: [[Said::default(); WAITING]; QUANTITY_COUNT],
            totals: [Totals::default(); HORIZON_MAX + 1],
            seen: 0,
            uptime_ns: 0,
            length_ns: 0.0,
            model,
        }
    }

    /// Takes in the snapshot of a pause. A heap's birth, where nothing was measured yet, is no pause and left out.
    pub fn observe(&mut self, snapshot: &Snapshot) {
        self.take_in(&Pause::of(snapshot));
    }

    /// The same of a pause that was kept.
    pub(crate) fn take_in(&mut self, pause: &Pause) {
        let elapsed_ns = pause.uptime_ns.saturating_sub(self.uptime_ns) as f64;
        self.uptime_ns = pause.uptime_ns;
        if pause.cycle == 0 {
            return;
        }
        let sample = Sample::from_pause(pause);
        let before = self.totals[self.seen % self.totals.len()];
        self.seen += 1;
        self.totals[self.seen % self.totals.len()] = before.and(&sample);
        self.length_ns += LENGTH_GAIN.max(1.0 / self.seen as f64) * (elapsed_ns - self.length_ns);
        for quantity in Quantity::ALL {
            self.series[quantity as usize].push(&sample);
            self.settle(quantity);
            self.foretell(quantity);
        }
    }

    /// Answers the forecasts whose horizon ended with the newest cycle.
    fn settle(&mut self, quantity: Quantity) {
        let q = quantity as usize;
        let now = self.totals[self.seen % self.totals.len()];
        for (h, cycles) in HORIZONS.into_iter().enumerate() {
            if self.seen <= cycles {
                break;
            }
            let came = match quantity {
                Quantity::Live => self.series[q].last(),
                _ => now.since(&self.totals[(self.seen - cycles) % self.totals.len()]).ln(quantity),
            };
            let said = &self.waiting[q][self.slot(h)];
            self.blends[q][h].settle(said, came);
        }
    }

    fn foretell(&mut self, quantity: Quantity) {
        let q = quantity as usize;
        let series = &self.series[q];
        let changes = self.model.changes(q, &series.features());
        for (h, change) in changes.into_iter().enumerate() {
            let said = self.blends[q][h].foretell(&experts(series, change));
            self.waiting[q][self.slot(h)] = said;
        }
    }

    /// Where the forecast made now waits; the one made a horizon ago waits there until then.
    fn slot(&self, horizon: usize) -> usize {
        WAITING_AT[horizon] + (self.seen & (HORIZONS[horizon] - 1))
    }

    /// Cycles seen.
    pub fn seen(&self) -> usize {
        self.seen
    }

    /// The mean length of recent cycles, pauses included, ns.
    pub fn cycle_ns(&self) -> f64 {
        self.length_ns
    }

    /// What is expected of a quantity from here on; nothing before the first cycle.
    pub fn outlook(&self, quantity: Quantity) -> Option<Outlook> {
        if self.seen == 0 {
            return None;
        }
        let q = quantity as usize;
        let bounds: [[f64; 3]; HORIZON_COUNT] = std::array::from_fn(|h| {
            let said = self.waiting[q][self.slot(h)].blend;
            self.blends[q][h].bounds(said, self.model.band(q, h))
        });
        let natural = |bounds: [f64; 3]| {
            let [low, mid, high] = bounds.map(|ln| natural(quantity, ln));
            Forecast { low, mid, high }
        };
        Some(Outlook { cycles: bounds.map(natural), minute: natural(between(&bounds, self.minute_cycles())) })
    }

    /// The next minute in cycles of the recent length, as far as horizons reach.
    fn minute_cycles(&self) -> f64 {
        (MINUTE_NS / self.length_ns.max(1.0)).clamp(1.0, HORIZON_MAX as f64)
    }
}

/// A quantity of which the logarithm is foretold.
fn natural(quantity: Quantity, value_ln: f64) -> f64 {
    (exp(value_ln) - quantity.floor()).max(0.0)
}

/// What is foretold for a number of cycles between the horizons: straight lines in its logarithm.
fn between<const N: usize>(bounds: &[[f64; N]; HORIZON_COUNT], cycles: f64) -> [f64; N] {
    let upper = (1..HORIZON_COUNT - 1).find(|&h| cycles <= HORIZONS[h] as f64).unwrap_or(HORIZON_COUNT - 1);
    let (low, high) = (HORIZONS[upper - 1] as f64, HORIZONS[upper] as f64);
    let part = (ln(cycles / low) / ln(high / low)).clamp(0.0, 1.0);
    std::array::from_fn(|i| bounds[upper - 1][i] + part * (bounds[upper][i] - bounds[upper - 1][i]))
}

#[cfg(test)]
mod tests;
