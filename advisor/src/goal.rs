//! What the user wants: the weights that turn predictions into one cost.
//!
//! Costs are sums of logarithms, so a weight is an exchange rate between percentages: with footprint at 0.2, five per
//! cent of memory are worth one per cent of the collector's time. At MemBalancer's optimum (Kirisame et al., OOPSLA'22)
//! the two trade at a fixed rate as well.

use std::str::FromStr;

use crate::features::US_LN;
use crate::model::{Output, Prediction};

/// What to be cheap in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Goal {
    /// Little CPU time for the collector.
    #[default]
    Throughput,
    /// Short pauses.
    Latency,
    /// Little committed memory.
    Memory,
}

impl FromStr for Goal {
    type Err = String;

    fn from_str(text: &str) -> Result<Goal, String> {
        match text {
            "throughput" => Ok(Goal::Throughput),
            "latency" => Ok(Goal::Latency),
            "memory" => Ok(Goal::Memory),
            _ => Err(format!("`{text}` is no goal; there are throughput, latency and memory")),
        }
    }
}

/// Weights of a cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weights {
    gc: f64,
    pause: f64,
    footprint: f64,
    risk: f64,
    /// Of each unit of ln by which the pause, with its deviation, exceeds the goal: the constraint, kept soft so that
    /// the least bad knobs win when none satisfies it.
    violation: f64,
}

/// Deviations added to a predicted pause before it is held against the goal.
const PAUSE_DEVIATIONS: f64 = 1.5;

impl Goal {
    /// The weights of this goal.
    pub fn weights(self) -> Weights {
        match self {
            Goal::Throughput => Weights { gc: 1.0, pause: 0.05, footprint: 0.2, risk: 2.0, violation: 2.0 },
            Goal::Latency => Weights { gc: 0.4, pause: 1.0, footprint: 0.1, risk: 3.0, violation: 4.0 },
            Goal::Memory => Weights { gc: 0.4, pause: 0.05, footprint: 1.0, risk: 2.0, violation: 2.0 },
        }
    }
}

impl Weights {
    /// The cost of a prediction or an observation. `pause_deviation` is 0 for observations;
    /// `pause_goal_ln` is ln ns.
    #[inline(always)]
    pub fn cost(&self, outputs: &Prediction, pause_deviation: f64, pause_goal_ln: f64) -> f64 {
        let pause = outputs[Output::Pause as usize];
        let excess = pause + PAUSE_DEVIATIONS * pause_deviation - (pause_goal_ln - US_LN);
        self.gc * outputs[Output::GcPerByte as usize]
            + self.pause * pause
            + self.footprint * outputs[Output::Footprint as usize]
            + self.risk * outputs[Output::Risk as usize].clamp(0.0, 1.0)
            + self.violation * excess.max(0.0)
    }

    /// The deviation of a cost whose outputs deviate by so much, taken to be independent; the risk aside, which is no
    /// matter of degree.
    pub fn deviation(&self, outputs: &Prediction) -> f64 {
        let parts = [(self.gc, Output::GcPerByte), (self.pause, Output::Pause), (self.footprint, Output::Footprint)];
        parts.iter().map(|(weight, output)| (weight * outputs[*output as usize]).powi(2)).sum::<f64>().sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_the_pause_goal_outweighs_a_saving() {
        let weights = Goal::Throughput.weights();
        let slow = weights.cost(&[(20_000.0_f64).ln(), 0.0, 3.0, 0.0, 0.0], 0.0, 1e7_f64.ln());
        let quick = weights.cost(&[(9_000.0_f64).ln(), 0.5, 3.0, 0.0, 0.0], 0.0, 1e7_f64.ln());
        assert!(quick < slow);
    }

    #[test]
    fn goals_have_names() {
        assert_eq!("memory".parse(), Ok(Goal::Memory));
        assert!("speed".parse::<Goal>().unwrap_err().contains("speed"));
    }
}
