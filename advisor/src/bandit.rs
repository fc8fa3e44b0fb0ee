//! A conservative bandit with two arms: the adaptive policy's knobs (the baseline), and the model's.
//!
//! The model plays only while the worst that it may have cost so far, beyond what the baseline would have, stays within an
//! allowance that grows with every cycle (Wu, Shariff, Lattimore and Szepesvári, ICML'16). So at any time a run has cost at
//! most a little more than it would have under the baseline, as far as that can be told.
//!
//! What the baseline would have cost in a cycle of the model's is not seen. While the program goes on as it did when the
//! baseline played, that is the baseline's own mean. Where it has changed its ways, costs are taken relative to what the model
//! predicts for the baseline's knobs in each cycle's state, on both arms: the change moves both alike, and a baseline that was
//! measured in another phase is still of use.
//!
//! It must never know what the knobs are, nor who is asked for a turn next.
//!
//! Invariants
//! - B1. What is no number is no observation.
//! - B2. The allowance is never above [`ALLOWANCE_MAX`]: long good service buys no licence for long bad service.

/// Observations that an arm remembers.
const MEMORY: f64 = 24.0;
/// Costs further than this from the mean are clipped: a marking or a full collection in one cycle is an event, not
/// a rate.
const CLIP: f64 = 1.0;
/// Observations needed of an arm before it is judged.
const BASELINE_MIN: f64 = 4.0;
const ADVISED_MIN: f64 = 6.0;
/// Standard errors that make the model's worst case, and those that a loss must exceed to be no chance.
const STANDARD_ERRORS: f64 = 1.5;
const STANDARD_ERRORS_OF_LOSS: f64 = 1.0;
/// No two costs in a row are believed to be more alike than this.
const LIKENESS_MAX: f64 = 0.9;
/// Cost beyond the baseline's that is allowed at first, that each cycle adds, and at the most: in cycles of e-fold cost.
const ALLOWANCE_FIRST: f64 = 1.0;
const ALLOWANCE_PER_CYCLE: f64 = 0.01;
const ALLOWANCE_MAX: f64 = 2.0;
/// An overdraft below this is none by chance, however much costs vary.
const OVERDRAFT_MIN: f64 = -1.0;
/// A baseline that was not seen for so many cycles is half as certain.
const CERTAIN_CYCLES: f64 = 192.0;
/// Drift of the state, in standard scores, after which the same holds.
const CERTAIN_DRIFT: f64 = 1.6;

/// What is known of an arm's cost: a decaying mean, variance and covariance of one cycle with the next. Costs come in spells (a
/// marking and its mixed pauses are dear, what follows is cheap), so that many cycles may be few independent observations.
#[derive(Clone, Copy, Debug, Default)]
struct Arm {
    count: f64,
    mean: f64,
    variance: f64,
    covariance: f64,
    last: f64,
}

impl Arm {
    fn add(&mut self, cost: f64) {
        let cost = if self.count >= BASELINE_MIN { cost.clamp(self.mean - CLIP, self.mean + CLIP) } else { cost };
        self.count = (self.count + 1.0).min(MEMORY);
        let gain = 1.0 / self.count;
        let difference = cost - self.mean;
        self.mean += gain * difference;
        self.variance = (1.0 - gain) * (self.variance + gain * difference * difference);
        let rest = cost - self.mean;
        self.covariance += gain * (rest * self.last - self.covariance);
        self.last = rest;
    }

    /// Squared standard error of the mean; a sequence of which each is like the one before counts for as many observations
    /// as would be independent (Bayley and Hammersley, 1946).
    fn squared_error(&self) -> f64 {
        let likeness =
            if self.variance > 0.0 { (self.covariance / self.variance).clamp(0.0, LIKENESS_MAX) } else { 0.0 };
        self.variance / self.count.max(1.0) * (1.0 + likeness) / (1.0 - likeness)
    }
}

/// The two arms and the allowance.
#[derive(Clone, Debug)]
pub struct Bandit {
    baseline: Arm,
    advised: Arm,
    allowance: f64,
    since_baseline: f64,
    drift: f64,
}

/// How the model has done against the baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Too little is known of one of them.
    Open,
    /// The model costs less, or no more than is certain.
    Better,
    /// It can't be told apart.
    Unclear,
    /// What the model may have cost beyond the baseline is used up, and not by chance.
    Overdrawn,
}

impl Default for Bandit {
    fn default() -> Bandit {
        Bandit::new()
    }
}

impl Bandit {
    /// Nothing played yet.
    pub fn new() -> Bandit {
        Bandit {
            baseline: Arm::default(),
            advised: Arm::default(),
            allowance: ALLOWANCE_FIRST,
            since_baseline: 0.0,
            drift: 0.0,
        }
    }

    /// Takes in the cost of a cycle, relative or not.
    pub fn record(&mut self, advised: bool, cost: f64) {
        if !cost.is_finite() {
            return;
        }
        self.allowance = (self.allowance + ALLOWANCE_PER_CYCLE).min(ALLOWANCE_MAX);
        if advised {
            self.advised.add(cost);
            self.since_baseline += 1.0;
            if self.baseline.count >= BASELINE_MIN {
                let extra = (cost - self.baseline.mean).clamp(-CLIP, CLIP);
                self.allowance = (self.allowance - extra).min(ALLOWANCE_MAX);
            }
        } else {
            self.baseline.add(cost);
            (self.since_baseline, self.drift) = (0.0, 0.0);
        }
    }

    /// The state is so far from the one in which the baseline was last seen, in standard scores.
    pub fn drifted(&mut self, drift: f64) {
        self.drift = self.drift.max(drift);
    }

    /// Nothing that was seen holds any more; what may be spent stays.
    pub fn begin_anew(&mut self) {
        *self = Bandit { allowance: self.allowance, ..Bandit::new() };
    }

    /// What the baseline cost is to be seen anew.
    pub fn forget_baseline(&mut self) {
        self.baseline = Arm::default();
    }

    /// The model's arm begins anew: other knobs will be played, or after a while.
    pub fn forget_advised(&mut self) {
        self.advised = Arm::default();
        self.allowance = self.allowance.max(ALLOWANCE_FIRST / 2.0);
    }

    /// How the model stands.
    pub fn standing(&self) -> Standing {
        if self.baseline.count < BASELINE_MIN || self.advised.count < ADVISED_MIN {
            return Standing::Open;
        }
        let extra = self.advised.mean - self.baseline.mean;
        let doubt = 1.0 + self.since_baseline / CERTAIN_CYCLES + self.drift / CERTAIN_DRIFT;
        let error = (self.advised.squared_error() + self.baseline.squared_error() * doubt).sqrt();
        let is_no_chance = extra > STANDARD_ERRORS_OF_LOSS * error || self.allowance < OVERDRAFT_MIN;
        if self.allowance < 0.0 && extra > 0.0 && is_no_chance {
            Standing::Overdrawn
        } else if extra + STANDARD_ERRORS * error < 0.0 {
            Standing::Better
        } else {
            Standing::Unclear
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn played(baseline: &[f64], advised: &[f64]) -> Bandit {
        let mut bandit = Bandit::new();
        baseline.iter().for_each(|cost| bandit.record(false, *cost));
        advised.iter().for_each(|cost| bandit.record(true, *cost));
        bandit
    }

    #[test]
    fn a_dearer_model_overdraws_within_a_few_cycles_and_not_before() {
        assert_eq!(played(&[0.0; 8], &[0.3; 3]).standing(), Standing::Open);
        assert_eq!(played(&[0.0; 8], &[0.3; 8]).standing(), Standing::Overdrawn);
        // Three in a hundred: what a run may lose.
        let mut bandit = played(&[0.0; 8], &[]);
        let cycles = (0..1000).take_while(|_| {
            bandit.record(true, 0.03);
            bandit.standing() != Standing::Overdrawn
        });
        assert!((40..80).contains(&cycles.count()));
    }

    #[test]
    fn a_cheaper_model_is_better_until_the_baseline_is_long_past() {
        let noisy = |level: f64| (0..64).map(|n| level + 0.1 * f64::from(n % 3 - 1)).collect::<Vec<_>>();
        let mut bandit = played(&noisy(0.0), &noisy(-0.05));
        assert_eq!(bandit.standing(), Standing::Better);
        bandit.drifted(10.0);
        assert_eq!(bandit.standing(), Standing::Unclear);
        noisy(0.0)[..9].iter().for_each(|cost| bandit.record(false, *cost));
        assert_eq!(bandit.standing(), Standing::Better);
    }

    #[test]
    fn long_good_service_buys_no_licence() {
        let mut bandit = played(&[0.0; 8], &[-0.5; 500]);
        let cycles = (0..100).take_while(|_| {
            bandit.record(true, 0.5);
            bandit.standing() != Standing::Overdrawn
        });
        assert!(cycles.count() < 24);
    }

    #[test]
    fn what_is_no_number_is_no_observation() {
        let mut bandit = played(&[0.0; 8], &[-0.1; 8]);
        [f64::NAN, f64::INFINITY].iter().for_each(|cost| bandit.record(true, *cost));
        assert_eq!(bandit.standing(), Standing::Better);
    }
}
