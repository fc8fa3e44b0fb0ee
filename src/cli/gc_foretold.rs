//! What the advisor's model tells of a run besides knobs: at each pause the program's class, and forecasts of the cycles to come.
//!
//! Both depend on snapshots alone, so they are told again from any journal, whatever policy decided, bit for bit as the
//! advisor itself sees them; a journal needs no room for them.

use std::path::Path;
use tenure::Cycle;
use tenure_advisor::{Advisor, HORIZONS, Label, Outlook, QUANTITIES, Quantity, realised};

/// What is told at one pause.
pub struct Told {
    /// The class.
    pub label: Label,
    /// By quantity; none at a heap's birth.
    pub outlooks: [Option<Outlook>; QUANTITIES.len()],
    /// What came, by quantity and horizon; none beyond the journal's end.
    pub came: [[Option<f64>; HORIZONS.len()]; QUANTITIES.len()],
}

/// Tells it for every cycle, by the shipped model or the one in a file.
pub fn tell(cycles: &[Cycle], model: Option<&Path>) -> Result<Vec<Told>, String> {
    let advisor = match model {
        Some(path) => Advisor::from_file(path).map_err(|error| error.to_string())?,
        None => Advisor::shipped(),
    };
    let (mut forecaster, mut classifier) = (advisor.forecaster(), advisor.classifier());
    let told = |(at, cycle): (usize, &Cycle)| {
        forecaster.observe(&cycle.snapshot);
        classifier.observe(&cycle.snapshot);
        let came = |quantity, horizon| {
            let coming = cycles.get(at + 1..at + 1 + horizon)?;
            realised(quantity, coming.iter().map(|cycle| &cycle.snapshot))
        };
        Told {
            label: classifier.label(),
            outlooks: Quantity::ALL.map(|quantity| forecaster.outlook(quantity)),
            came: Quantity::ALL.map(|quantity| HORIZONS.map(|horizon| came(quantity, horizon))),
        }
    };
    Ok(cycles.iter().enumerate().map(told).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tenure::{Decision, Knobs, Outcome, Reason, Snapshot};
    use tenure_gc::policy::Envelope;

    #[test]
    fn forecasts_stand_beside_what_came() {
        let knobs: Knobs = Envelope::of_limit(64 << 20).initial(&Snapshot::default());
        let cycle = |number: u64| Cycle {
            snapshot: Snapshot {
                cycle: number,
                uptime_ns: number * 1_000_000,
                allocated_bytes: if number == 0 { 0 } else { 2_000_000 },
                mutator_cpu_ns: 1_000_000,
                ..Snapshot::default()
            },
            decision: Decision::plain(knobs, Reason::Adaptive),
            outcome: Outcome::default(),
        };
        let cycles: Vec<Cycle> = (0..100).map(cycle).collect();
        let told = tell(&cycles, None).expect("the shipped model is usable");
        assert!(told[0].outlooks[0].is_none());
        let allocation = told[50].outlooks[0].expect("a forecast").cycles[1];
        let came = told[50].came[0][1].expect("four cycles came");
        assert!((came - 2.0).abs() < 1e-9 && (allocation.mid / came - 1.0).abs() < 0.05, "{allocation:?} {came}");
        assert!(told[98].came[0][0].is_some() && told[98].came[0][1].is_none());
    }
}
