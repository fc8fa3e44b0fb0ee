//! The guard: whether the model may decide at all.
//!
//! Three questions. Is the state one that the training data knew? Is the baseline — what the adaptive policy's own
//! choice costs in this run — known and fresh, or must it be probed? Did following the model cost more than the
//! baseline? The last is asked of *realised* costs; in trials, a trigger on prediction errors never fired.
//!
//! It must never know what the knobs are.
//!
//! Invariants
//! - G1. After a fallback the model returns only when its time is over; each fallback in a row lasts twice as long.
//! - G2. At most one cycle in twelve is a probe. There is none while the baseline is fresh: a steady program under
//!   settled knobs is left alone.

/// Cycles before the model may speak.
pub const WARMUP: u64 = 8;
/// A state is foreign when its distance exceeds this multiple of the largest in training…
const DISTANCE_SLACK: f64 = 2.0;
/// …or this share of its features lies outside their ranges.
const OUTSIDE_MAX: f64 = 0.4;
/// Foreign cycles in a row that end the model's turn, and the familiar ones that begin it again.
const FOREIGN_ENTER: u32 = 3;
/// Extra cost of following the model that is forgiven, besides two standard errors.
const FORGIVEN: f64 = 0.05;
const STANDARD_ERRORS: f64 = 2.0;
/// Observations needed on either side before costs are compared.
const ADVISED_MIN: f64 = 8.0;
const BASELINE_MIN: f64 = 4.0;
/// Cycles of the first fallback, and of the longest.
const FALLBACK_FIRST: u64 = 32;
const FALLBACK_MAX: u64 = 1024;
/// Cycles without complaint after which the next fallback is a first one again.
const FORGET_AFTER: u64 = 256;
/// Length of a probe, and cycles from one to the next: each waits twice as long, until the workload changes.
const PROBE: u64 = 2;
const PROBE_PERIOD_FIRST: u64 = 24;
const PROBE_PERIOD_MAX: u64 = 768;
/// Drift of the state, in standard scores, that makes a baseline stale.
const STALE_DRIFT: f64 = 0.8;

/// Who decides the coming cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The model.
    Model,
    /// The adaptive policy: too little is known.
    Warmup,
    /// The adaptive policy: the state is foreign.
    Foreign,
    /// The adaptive policy, to see what it costs.
    Probe,
    /// The adaptive policy: it has been cheaper.
    Fallback,
}

/// A decaying mean and variance of costs.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    count: f64,
    mean: f64,
    variance: f64,
}

/// Observations a tally remembers.
const MEMORY: f64 = 16.0;
/// Costs further than this from the mean are clipped: a marking or a full collection in one cycle is an event, not a rate.
const CLIP: f64 = 1.0;

impl Tally {
    fn add(&mut self, cost: f64) {
        let cost = if self.count >= BASELINE_MIN { cost.clamp(self.mean - CLIP, self.mean + CLIP) } else { cost };
        self.count = (self.count + 1.0).min(MEMORY);
        let gain = 1.0 / self.count;
        let difference = cost - self.mean;
        self.mean += gain * difference;
        self.variance = (1.0 - gain) * (self.variance + gain * difference * difference);
    }

    fn squared_error(&self) -> f64 {
        self.variance / self.count.max(1.0)
    }
}

/// Decides whose turn it is.
#[derive(Clone, Debug)]
pub struct Guard {
    advised: Tally,
    baseline: Tally,
    /// Whether the state has drifted since the baseline was measured.
    stale: bool,
    foreign: u32,
    is_foreign: bool,
    fallback_left: u64,
    fallback_next: u64,
    probe_left: u64,
    since_probe: u64,
    probe_period: u64,
    since_fallback: u64,
}

impl Default for Guard {
    fn default() -> Guard {
        Guard::new()
    }
}

impl Guard {
    /// Nothing known yet.
    pub fn new() -> Guard {
        Guard {
            advised: Tally::default(),
            baseline: Tally::default(),
            stale: false,
            foreign: 0,
            is_foreign: false,
            fallback_left: 0,
            fallback_next: FALLBACK_FIRST,
            probe_left: 0,
            since_probe: 0,
            probe_period: PROBE_PERIOD_FIRST,
            since_fallback: 0,
        }
    }

    /// Takes in the realised cost of a cycle and whether the model's knobs were in force. What is no number is a
    /// cycle without a cost.
    pub fn record(&mut self, advised: bool, cost: f64) {
        if cost.is_finite() {
            if advised { self.advised.add(cost) } else { self.baseline.add(cost) }
        }
    }

    /// The workload has changed: what its baseline costs must be found out soon.
    pub fn workload_changed(&mut self) {
        self.probe_period = PROBE_PERIOD_FIRST;
    }

    /// The model gave no believable answer: falls back at once.
    pub fn distrust(&mut self) {
        self.fall_back();
    }

    /// Whose turn the coming cycle is. `seen` cycles have been measured; `distance` and `outside` tell how foreign the
    /// state is, `distance_max` how foreign it was in training at the most; `drift` how far the state is from that of
    /// [`Guard::baseline_taken`]; `moved` whether the model's knobs differ from the adaptive policy's.
    pub fn turn(&mut self, seen: u64, outlook: &Outlook) -> Turn {
        if seen < WARMUP {
            return Turn::Warmup;
        }
        let foreign = !(outlook.distance <= DISTANCE_SLACK * outlook.distance_max && outlook.outside <= OUTSIDE_MAX);
        self.foreign = if foreign { (self.foreign + 1).min(FOREIGN_ENTER) } else { self.foreign.saturating_sub(1) };
        if self.foreign == FOREIGN_ENTER {
            self.is_foreign = true;
        } else if self.foreign == 0 {
            self.is_foreign = false;
        }
        self.since_probe += 1;
        self.since_fallback += 1;
        if self.fallback_left > 0 {
            self.fallback_left -= 1;
            return Turn::Fallback;
        }
        if self.is_foreign {
            return Turn::Foreign;
        }
        if self.since_fallback > FORGET_AFTER {
            self.fallback_next = FALLBACK_FIRST;
        }
        // Costs of another phase say nothing about this one.
        self.stale |= outlook.drift > STALE_DRIFT;
        if !self.stale && self.advised.count >= ADVISED_MIN && self.baseline.count >= BASELINE_MIN {
            let error = (self.advised.squared_error() + self.baseline.squared_error()).sqrt();
            if self.advised.mean - self.baseline.mean > FORGIVEN + STANDARD_ERRORS * error {
                self.fall_back();
                return Turn::Fallback;
            }
        }
        if self.probe_left > 0 {
            self.probe_left -= 1;
            return Turn::Probe;
        }
        let unknown = self.stale || self.baseline.count < BASELINE_MIN;
        if outlook.moved && unknown && self.since_probe >= self.probe_period {
            if self.stale {
                self.baseline = Tally::default();
                self.advised = Tally::default();
                self.stale = false;
            }
            self.since_probe = 0;
            self.probe_period = (self.probe_period * 2).min(PROBE_PERIOD_MAX);
            self.probe_left = PROBE - 1;
            return Turn::Probe;
        }
        Turn::Model
    }

    /// Whether the baseline is being measured afresh, so that the present state is the one it stands for.
    pub fn is_measuring_baseline(&self) -> bool {
        !self.stale && self.baseline.count < BASELINE_MIN
    }

    fn fall_back(&mut self) {
        self.fallback_left = self.fallback_next;
        self.fallback_next = (self.fallback_next * 2).min(FALLBACK_MAX);
        self.since_fallback = 0;
        self.probe_left = 0;
        self.advised = Tally::default();
        self.baseline = Tally::default();
    }
}

/// What the guard judges a state by.
#[derive(Clone, Copy, Debug)]
pub struct Outlook {
    /// Mean squared standard score of the state.
    pub distance: f64,
    /// The largest of that in training.
    pub distance_max: f64,
    /// Share of features outside their range in training.
    pub outside: f64,
    /// How far the state is from the one that the baseline was measured in.
    pub drift: f64,
    /// Whether the knobs in force differ from the adaptive policy's.
    pub moved: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAMILIAR: Outlook = Outlook { distance: 1.0, distance_max: 3.0, outside: 0.0, drift: 0.0, moved: true };

    fn warm() -> Guard {
        let mut guard = Guard::new();
        for seen in 0..WARMUP {
            assert_eq!(guard.turn(seen, &FAMILIAR), Turn::Warmup);
            guard.record(false, 1.0);
        }
        guard
    }

    #[test]
    fn a_costlier_model_loses_its_turn_and_gets_it_back() {
        let mut guard = warm();
        let mut fallbacks = Vec::new();
        let mut length = 0;
        for seen in WARMUP..400 {
            match guard.turn(seen, &FAMILIAR) {
                Turn::Fallback => {
                    length += 1;
                    guard.record(false, 1.0);
                }
                _ => {
                    if length > 0 {
                        fallbacks.push(length);
                        length = 0;
                    }
                    guard.record(true, 1.5);
                }
            }
        }
        assert!(fallbacks.len() >= 2, "{fallbacks:?}");
        assert_eq!(fallbacks[1], 2 * fallbacks[0] - 1, "{fallbacks:?}");
    }

    #[test]
    fn a_cheaper_model_keeps_it_and_nothing_is_probed_while_nothing_drifts() {
        let mut guard = warm();
        for seen in WARMUP..1000 {
            assert_eq!(guard.turn(seen, &FAMILIAR), Turn::Model);
            guard.record(true, 0.8 + 0.1 * (seen % 3) as f64);
        }
    }

    #[test]
    fn drift_brings_probes_but_few_and_ever_fewer_until_the_workload_changes() {
        let mut guard = warm();
        let drifting = Outlook { drift: 2.0, ..FAMILIAR };
        let mut probes = |cycles| (0..cycles).filter(|_| guard.turn(WARMUP, &drifting) == Turn::Probe).count();
        assert_eq!((probes(100), probes(700), probes(700)), (4, 6, 0));
        guard.workload_changed();
        let probes = (0..100).filter(|_| guard.turn(WARMUP, &drifting) == Turn::Probe).count();
        assert_eq!(probes, 4);
    }

    #[test]
    fn foreign_states_are_the_adaptive_policys() {
        let mut guard = warm();
        let nan = Outlook { distance: f64::NAN, ..FAMILIAR };
        for foreign in [Outlook { distance: 100.0, ..FAMILIAR }, Outlook { outside: 0.9, ..FAMILIAR }, nan] {
            let turns: Vec<Turn> = (10..20).map(|seen| guard.turn(seen, &foreign)).collect();
            assert_eq!(turns[9], Turn::Foreign);
            for seen in 20..30 {
                guard.turn(seen, &FAMILIAR);
            }
            assert_eq!(guard.turn(30, &FAMILIAR), Turn::Model);
        }
    }

    #[test]
    fn costs_that_are_no_numbers_do_not_count() {
        let mut guard = warm();
        for seen in WARMUP..100 {
            assert_eq!(guard.turn(seen, &FAMILIAR), Turn::Model);
            guard.record(true, f64::NAN);
        }
    }
}
