//! Online correction: how far the model is off on this machine, in this run.
//!
//! A model fitted elsewhere errs by a factor that is roughly the same for all candidates: the machine's speed, the
//! object mix. Each outcome shows the factor once more. The correction keeps, per output, a decaying mean of the error
//! and of its absolute deviation; errors are clipped, so that one outlier weighs no more than a large error.
//!
//! What is *not* the same for all candidates shows when knobs move: the error after a move, less the error before it, is how
//! far the model was off about the move. A move is therefore a trial. Its error is shared out among the knobs that moved, by
//! their steps, and remembered by knob and direction: the way back is known, and the way on is suspected of the same.

use crate::coordinate::{NO_STEPS, PLANNED_COUNT, Steps};
use crate::model::{OUTPUT_COUNT, Prediction, Predictions};

/// Weight of the newest error.
const GAIN: f64 = 0.1;
/// Errors beyond this many deviations are clipped to it.
const CLIP_DEVIATIONS: f64 = 4.0;
/// No deviation is believed to be below this.
const DEVIATION_MIN: f64 = 0.02;
/// No bias is believed beyond this: e^3 is a machine twenty times slower.
const BIAS_MAX: f64 = 3.0;
/// Cycles of a trial, and the first of them, in which the knobs have not come into their own.
const TRIAL: u32 = 6;
const TRIAL_SKIPPED: u32 = 1;
/// In a trial a large error is what is looked for: clipped to no less than this.
const TRIAL_REACH: f64 = 1.0;
/// Share of a move's error that the way back is believed to have, and that the way on is.
const BELIEF_BACK: f64 = 1.0;
const BELIEF_ON: f64 = 0.5;
/// Each trial lets what older ones told fade to this.
const FADING: f64 = 0.9;

/// Bias and deviation of predictions, by output; errors of directions.
#[derive(Clone, Debug)]
pub struct Correction {
    bias: Prediction,
    deviation: Prediction,
    /// By knob, down and up: the error of a step, by output.
    directions: [[Prediction; 2]; PLANNED_COUNT],
    trial: Option<Trial>,
}

/// A move whose effect is being observed.
#[derive(Clone, Copy, Debug)]
struct Trial {
    steps: Steps,
    bias_before: Prediction,
    cycles: u32,
    errors: Prediction,
    counts: Prediction,
}

impl Correction {
    /// No bias yet; `errors` are the deviations to begin with.
    pub fn new(errors: &[f64; OUTPUT_COUNT]) -> Correction {
        Correction {
            bias: [0.0; OUTPUT_COUNT],
            deviation: errors.map(|e| e.abs().max(DEVIATION_MIN)),
            directions: [[[0.0; OUTPUT_COUNT]; 2]; PLANNED_COUNT],
            trial: None,
        }
    }

    /// Learns from a prediction (uncorrected) and what came of it. Observations that are no numbers are left out.
    pub fn observe(&mut self, predicted: &Prediction, observed: &Prediction) {
        for output in 0..OUTPUT_COUNT {
            let error = observed[output] - predicted[output];
            if !error.is_finite() {
                continue;
            }
            let reach = CLIP_DEVIATIONS * self.deviation[output];
            let surprise = (error - self.bias[output]).clamp(-reach, reach);
            if let Some(trial) = &mut self.trial
                && trial.cycles >= TRIAL_SKIPPED
            {
                let reach = reach.max(TRIAL_REACH);
                trial.errors[output] += self.bias[output] + (error - self.bias[output]).clamp(-reach, reach);
                trial.counts[output] += 1.0;
            }
            self.bias[output] = (self.bias[output] + GAIN * surprise).clamp(-BIAS_MAX, BIAS_MAX);
            self.deviation[output] = ((1.0 - GAIN) * self.deviation[output] + GAIN * surprise.abs()).max(DEVIATION_MIN);
        }
        if let Some(trial) = &mut self.trial {
            trial.cycles += 1;
            if trial.cycles == TRIAL + TRIAL_SKIPPED {
                self.conclude();
            }
        }
    }

    /// The knobs have moved by these steps: a trial begins.
    pub fn moved(&mut self, steps: &Steps) {
        let trial = Trial {
            steps: *steps,
            bias_before: self.bias,
            cycles: 0,
            errors: [0.0; OUTPUT_COUNT],
            counts: [0.0; OUTPUT_COUNT],
        };
        self.trial = (*steps != NO_STEPS).then_some(trial);
    }

    /// The knobs are no longer those of a trial, if there was one.
    pub fn interrupted(&mut self) {
        self.trial = None;
    }

    /// Whether a move is being observed.
    pub fn is_trying(&self) -> bool {
        self.trial.is_some()
    }

    /// The workload has changed: what directions are worth is open again.
    pub fn forget_directions(&mut self) {
        self.directions = [[[0.0; OUTPUT_COUNT]; 2]; PLANNED_COUNT];
        self.trial = None;
    }

    /// The trial is over: its error becomes the bias here, and what is known of its directions.
    fn conclude(&mut self) {
        let Some(trial) = self.trial.take() else { return };
        let squares: f64 = trial.steps.iter().map(|steps| f64::from(*steps).powi(2)).sum();
        for direction in self.directions.as_flattened_mut() {
            direction.iter_mut().for_each(|error| *error *= FADING);
        }
        for output in 0..OUTPUT_COUNT {
            if trial.counts[output] == 0.0 {
                continue;
            }
            let bias = trial.errors[output] / trial.counts[output];
            let error = bias - trial.bias_before[output];
            self.bias[output] = bias.clamp(-BIAS_MAX, BIAS_MAX);
            for (knob, steps) in trial.steps.iter().enumerate().filter(|(_, steps)| **steps != 0) {
                let of_a_step = error * f64::from(steps.abs()) / squares;
                let (on, back) = (usize::from(*steps > 0), usize::from(*steps < 0));
                let [towards, away] = [on, back].map(|way| self.directions[knob][way][output]);
                self.directions[knob][on][output] = towards + BELIEF_ON * (of_a_step - towards);
                self.directions[knob][back][output] = away + BELIEF_BACK * (-of_a_step - away);
            }
        }
    }

    /// The prediction with this run's bias added, and what is known of the directions that lead to the candidate.
    pub fn apply(&self, predicted: &Prediction, steps: &Steps) -> Prediction {
        self.apply_all(&predicted.map(|value| [value]), &[*steps]).map(|[value]| value)
    }

    /// The same of `N` candidates, whose predictions stand side by side.
    #[inline(always)]
    pub(crate) fn apply_all<const N: usize>(&self, predicted: &Predictions<N>, steps: &[Steps; N]) -> Predictions<N> {
        let mut corrected = *predicted;
        for (sums, bias) in corrected.iter_mut().zip(self.bias) {
            sums.iter_mut().for_each(|sum| *sum += bias);
        }
        for (knob, [down, up]) in self.directions.iter().enumerate() {
            let by = steps.map(|steps| steps[knob]);
            if by == [0; N] {
                continue;
            }
            let distance = by.map(|by| f64::from(by.unsigned_abs()));
            for ((sums, down), up) in corrected.iter_mut().zip(down).zip(up) {
                for lane in 0..N {
                    sums[lane] += distance[lane] * if by[lane] > 0 { up } else { down };
                }
            }
        }
        corrected
    }

    /// Mean absolute deviation around the bias, by output.
    pub fn deviation(&self) -> &[f64; OUTPUT_COUNT] {
        &self.deviation
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_error_is_learnt() {
        let mut correction = Correction::new(&[0.3; OUTPUT_COUNT]);
        for _ in 0..100 {
            correction.observe(&[1.0; OUTPUT_COUNT], &[1.7; OUTPUT_COUNT]);
        }
        assert!((correction.apply(&[1.0; OUTPUT_COUNT], &NO_STEPS)[0] - 1.7).abs() < 0.01);
        assert!(correction.deviation()[0] < 0.05);
    }

    #[test]
    fn one_outlier_moves_it_little() {
        let mut correction = Correction::new(&[0.1; OUTPUT_COUNT]);
        correction.observe(&[0.0; OUTPUT_COUNT], &[50.0; OUTPUT_COUNT]);
        assert!(correction.apply(&[0.0; OUTPUT_COUNT], &NO_STEPS)[0] < 0.05);
    }

    #[test]
    fn nan_is_left_out() {
        let mut correction = Correction::new(&[0.1; OUTPUT_COUNT]);
        correction.observe(&[f64::NAN; OUTPUT_COUNT], &[1.0; OUTPUT_COUNT]);
        correction.observe(&[1.0; OUTPUT_COUNT], &[f64::INFINITY; OUTPUT_COUNT]);
        assert_eq!(correction.apply(&[1.0; OUTPUT_COUNT], &NO_STEPS), [1.0; OUTPUT_COUNT]);
    }

    /// The model says a move up saves 1; it costs 1.
    #[test]
    fn a_move_that_did_not_pay_makes_the_way_back_cheap_and_the_way_on_dear() {
        let mut correction = Correction::new(&[1.0; OUTPUT_COUNT]);
        let mut steps = NO_STEPS;
        steps[3] = 2;
        correction.moved(&steps);
        while correction.is_trying() {
            correction.observe(&[-1.0; OUTPUT_COUNT], &[1.0; OUTPUT_COUNT]);
        }
        let here = correction.apply(&[-1.0; OUTPUT_COUNT], &NO_STEPS)[0];
        assert!((here - 1.0).abs() < 0.01, "{here}");
        let back = correction.apply(&[0.0; OUTPUT_COUNT], &steps.map(|step| -step))[0];
        assert!(back.abs() < 0.01, "it was 0 there: {back}");
        let on = correction.apply(&[-2.0; OUTPUT_COUNT], &steps)[0];
        assert!(on > 0.5, "{on}");
        correction.forget_directions();
        assert_eq!(correction.apply(&[-2.0; OUTPUT_COUNT], &steps)[0], here - 1.0);
    }
}
