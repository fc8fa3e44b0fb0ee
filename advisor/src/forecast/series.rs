//! The recent past of one quantity, as logarithms: lags, decaying averages, how restless it is; and the features that the
//! linear model weighs.
//!
//! Every feature is a difference to the last value, or such a difference times a measure of restlessness, or zero where
//! nothing changes. So a quantity that stands still has zero features, and a model without an intercept then says what
//! F3 wants: the last value.
//!
//! Invariants
//! - S1. Order and names of [`FEATURES`] are part of the model's schema.
//! - S2. Finite values give finite features.

use super::{Quantity, Sample};
use crate::math::ln;
use crate::order::sorted;

/// Lags kept.
const LAGS: usize = 8;
/// Weights of the newest cycle in the decaying averages.
pub(crate) const GAINS: [f64; 6] = [0.75, 0.5, 0.25, 0.125, 0.0625, 0.03125];
/// The averages that are features.
const QUICK: usize = 2;
const SLOW: usize = 4;
/// Weight of the newest change in measures of restlessness.
const RESTLESS_GAIN: f64 = 0.1;
/// Differences beyond e^4 are outliers, whatever they say.
const DIFFERENCE_MAX: f64 = 4.0;

/// The features, in order.
pub(crate) const FEATURES: [&str; FEATURE_COUNT] = [
    "lag_1",
    "lag_2",
    "lag_3",
    "lag_4",
    "average_3_4",
    "average_1_2",
    "average_1_4",
    "average_1_8",
    "average_1_16",
    "average_1_32",
    "median_3",
    "median_8",
    "trend_8",
    "echo_average_1_4",
    "echo_average_1_16",
    "restless_average_1_4",
    "restless_average_1_16",
    "allocated_log",
    "survival",
];
/// How many there are.
pub(crate) const FEATURE_COUNT: usize = 19;

/// One quantity's past.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    quantity: Quantity,
    seen: usize,
    /// The last values, the newest first; where there is none yet, the oldest once more.
    lags: [f64; LAGS],
    /// Decaying sums of numerators, and of denominators: of rates, bytes and ns, so that an average is one over time and a short
    /// cycle says little.
    sums: [[f64; GAINS.len()]; 2],
    averages: [f64; GAINS.len()],
    change: f64,
    /// Decaying means of |change|, of change², and of the product of neighbouring changes.
    restless: f64,
    energy: f64,
    echo: f64,
    /// Of the cycle: allocated bytes in logarithms and survival, the last ones and decaying averages.
    allocated: Follow,
    survival: Follow,
}

/// A value and its decaying average.
#[derive(Clone, Copy, Debug, Default)]
struct Follow {
    last: f64,
    average: f64,
}

impl Follow {
    fn push(&mut self, value: f64, gain: f64) {
        self.last = value;
        self.average += gain * (value - self.average);
    }

    fn difference(self) -> f64 {
        (self.last - self.average).clamp(-DIFFERENCE_MAX, DIFFERENCE_MAX)
    }
}

impl Series {
    /// Nothing seen yet.
    pub(crate) fn new(quantity: Quantity) -> Series {
        Series {
            quantity,
            seen: 0,
            lags: [0.0; LAGS],
            sums: [[0.0; GAINS.len()]; 2],
            averages: [0.0; GAINS.len()],
            change: 0.0,
            restless: 0.0,
            energy: 0.0,
            echo: 0.0,
            allocated: Follow::default(),
            survival: Follow::default(),
        }
    }

    /// Takes in a cycle.
    pub(crate) fn push(&mut self, cycle: &Sample) {
        let parts = cycle.parts(self.quantity);
        let value = ln(parts[0] / parts[1] + self.quantity.floor());
        let change = if self.seen == 0 { 0.0 } else { value - self.last() };
        let change = change.clamp(-DIFFERENCE_MAX, DIFFERENCE_MAX);
        self.lags.copy_within(..LAGS - 1, 1);
        self.lags[0] = value;
        if self.seen == 0 {
            self.lags = [value; LAGS];
        }
        self.seen += 1;
        let first = 1.0 / self.seen as f64;
        for (sums, part) in self.sums.iter_mut().zip(parts) {
            sums.iter_mut().zip(GAINS).for_each(|(sum, gain)| *sum = (1.0 - gain) * *sum + part);
        }
        let floor = self.quantity.floor();
        self.averages = std::array::from_fn(|i| self.sums[0][i] / self.sums[1][i] + floor);
        self.averages.iter_mut().for_each(|average| *average = ln(*average));
        self.restless += RESTLESS_GAIN.max(first) * (change.abs() - self.restless);
        self.energy += RESTLESS_GAIN.max(first) * (change * change - self.energy);
        self.echo += RESTLESS_GAIN.max(first) * (change * self.change - self.echo);
        self.change = change;
        let gain = GAINS[QUICK].max(first);
        self.allocated.push(ln(cycle.allocated_bytes + 1.0), gain);
        self.survival.push((cycle.copied_bytes / cycle.young_bytes.max(1.0)).min(1.0), gain);
    }

    /// The newest value.
    pub(crate) fn last(&self) -> f64 {
        self.lags[0]
    }

    /// The decaying averages, in the order of [`GAINS`].
    pub(crate) fn averages(&self) -> &[f64; GAINS.len()] {
        &self.averages
    }

    /// The median of the last `OF` values.
    fn median<const OF: usize>(&self) -> f64 {
        let sorted = sorted(std::array::from_fn::<_, OF, _>(|back| self.lags[back]));
        0.5 * (sorted[(OF - 1) / 2] + sorted[OF / 2])
    }

    /// The slope of the least-squares line through the lags, per cycle.
    fn trend(&self) -> f64 {
        let middle = (LAGS - 1) as f64 / 2.0;
        let (mut product, mut square) = (0.0, 0.0);
        for (back, lag) in self.lags.into_iter().enumerate() {
            let x = middle - back as f64;
            product += x * (lag - self.last());
            square += x * x;
        }
        product / square
    }

    /// The features, in the order of [`FEATURES`].
    pub(crate) fn features(&self) -> [f64; FEATURE_COUNT] {
        let to_last = |value: f64| (value - self.last()).clamp(-DIFFERENCE_MAX, DIFFERENCE_MAX);
        let average = |i: usize| to_last(self.averages[i]);
        // −½ for values that scatter around a level, 0 for a walk, positive for a drift
        let echo = self.echo / (self.energy + 1e-6);
        let restless = self.restless.min(1.0);
        [
            to_last(self.lags[1]),
            to_last(self.lags[2]),
            to_last(self.lags[3]),
            to_last(self.lags[4]),
            average(0),
            average(1),
            average(2),
            average(3),
            average(4),
            average(5),
            to_last(self.median::<3>()),
            to_last(self.median::<LAGS>()),
            self.trend().clamp(-DIFFERENCE_MAX, DIFFERENCE_MAX),
            echo * average(QUICK),
            echo * average(SLOW),
            restless * average(QUICK),
            restless * average(SLOW),
            self.allocated.difference(),
            self.survival.difference(),
        ]
    }
}
