//! G1's predictor: a decaying average of a measured quantity plus half its decaying standard deviation, padded while
//! there are fewer than five samples (`AbsSeq` and `G1Predictions` in OpenJDK 17).

/// Weight of the past in the decaying average, unless said otherwise (TruncatedSeq's default).
const PAST_WEIGHT: f64 = 0.7;
/// Standard deviations added to the average (G1ConfidencePercent = 50).
const SIGMA: f64 = 0.5;
/// Below this many samples the deviation is padded.
const SAMPLES_MIN: u32 = 5;

/// A measured quantity over time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sequence {
    past_weight: f64,
    /// Standard deviations that a prediction adds to the average.
    margin: f64,
    samples: u32,
    mean: f64,
    variance: f64,
}

impl Default for Sequence {
    fn default() -> Sequence {
        Sequence::with_past_weight(PAST_WEIGHT)
    }
}

impl Sequence {
    /// No samples yet. `past_weight`, from 0 to 1, is the weight of what was before in the average; the rest is the new sample's.
    pub fn with_past_weight(past_weight: f64) -> Sequence {
        Sequence { past_weight, margin: SIGMA, samples: 0, mean: 0.0, variance: 0.0 }
    }

    /// No samples yet. Its margin counts deviations from the average after a sample, not before it, so that one outlier
    /// moves a prediction less than it does in G1.
    pub fn calm() -> Sequence {
        Sequence { margin: SIGMA * PAST_WEIGHT.sqrt(), ..Sequence::default() }
    }

    /// Adds a sample. What is not a finite number is not a measurement and is left out.
    pub fn add(&mut self, value: f64) {
        if !value.is_finite() {
            return;
        }
        if self.samples == 0 {
            self.mean = value;
        } else {
            // Both at once, after Finch, "Incremental calculation of weighted mean and variance", as G1 does.
            let difference = value - self.mean;
            let increment = (1.0 - self.past_weight) * difference;
            self.mean += increment;
            self.variance = self.past_weight * (self.variance + difference * increment);
        }
        self.samples = self.samples.saturating_add(1);
    }

    /// Number of samples.
    pub fn samples(&self) -> u32 {
        self.samples
    }

    /// The decaying average; 0 without samples.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// The next value, with a margin; never below 0.
    pub fn predict(&self) -> f64 {
        let deviation = self.variance.sqrt();
        if self.samples < SAMPLES_MIN {
            let padding = self.mean * f64::from(SAMPLES_MIN - self.samples) / 2.0;
            return (self.mean + (self.margin * deviation).max(SIGMA * padding)).max(0.0);
        }
        (self.mean + self.margin * deviation).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_samples_are_padded_and_many_are_not() {
        let mut sequence = Sequence::default();
        sequence.add(100.0);
        // Padding: mean · (5 − 1) ÷ 2 as the deviation, half of it added.
        assert_eq!(sequence.predict(), 200.0);
        (0..20).for_each(|_| sequence.add(100.0));
        assert_eq!(sequence.predict(), 100.0);
    }

    #[test]
    fn an_outlier_moves_it_by_its_weight_and_decays() {
        let mut sequence = Sequence::default();
        (0..20).for_each(|_| sequence.add(10.0));
        sequence.add(110.0);
        assert!((sequence.mean() - 40.0).abs() < 1e-9);
        (0..20).for_each(|_| sequence.add(10.0));
        assert!((sequence.predict() - 10.0).abs() < 1.0);
        sequence.add(f64::NAN);
        sequence.add(f64::INFINITY);
        assert!(sequence.predict().is_finite());
    }
}
