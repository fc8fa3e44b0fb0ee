//! Successive halving (Jamieson and Talwalkar, AISTATS'16): many candidates are tried a little, the better ones more.
//!
//! It knows nothing of runs: a candidate's cost after so many of them is asked for.

/// One step: how many candidates are tried, and how many runs each has had after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rung {
    /// Candidates at the most.
    pub candidates: usize,
    /// Runs of each, those of the rungs before among them.
    pub runs: u32,
}

/// The candidate that is best at the end, of those whose number is below `count`.
///
/// `cost` is told a candidate and a number of runs. A candidate that can't be run costs infinity; if all do, there is no best.
///
/// # Errors
/// The first that `cost` gives.
pub fn best<E>(
    count: usize,
    rungs: &[Rung],
    mut cost: impl FnMut(usize, u32) -> Result<f64, E>,
) -> Result<Option<usize>, E> {
    let mut left: Vec<usize> = (0..count).collect();
    for rung in rungs {
        left.truncate(rung.candidates);
        let mut scored: Vec<(f64, usize)> = Vec::new();
        for &candidate in &left {
            scored.push((cost(candidate, rung.runs)?, candidate));
        }
        scored.retain(|(cost, _)| cost.is_finite());
        scored.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        left = scored.into_iter().map(|(_, candidate)| candidate).collect();
    }
    Ok(left.first().copied())
}

/// Runs that the rungs ask for in all, if nothing fails.
pub fn runs(rungs: &[Rung]) -> u32 {
    let mut before = 0;
    let mut sum = 0;
    for rung in rungs {
        sum += rung.candidates as u32 * (rung.runs - before);
        before = rung.runs;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    const RUNGS: [Rung; 3] =
        [Rung { candidates: 40, runs: 1 }, Rung { candidates: 13, runs: 2 }, Rung { candidates: 4, runs: 4 }];

    #[test]
    fn the_best_is_found_although_few_runs_tell_little() {
        let mut asked = 0;
        let found = best(40, &RUNGS, |candidate, runs| {
            asked += 1;
            let noise = ((candidate * 37 % 11) as f64 - 5.0) / f64::from(runs);
            Ok::<f64, Infallible>((candidate as f64 - 17.0).abs() + noise)
        });
        assert_eq!((found, asked), (Ok(Some(17)), 57));
        assert_eq!(runs(&RUNGS), 40 + 13 + 8);
    }

    #[test]
    fn what_can_not_be_run_is_never_the_best() {
        let broken = |candidate: usize, _| Ok::<f64, Infallible>(if candidate == 2 { 9.0 } else { f64::INFINITY });
        assert_eq!(best(5, &RUNGS, broken), Ok(Some(2)));
        assert_eq!(best(2, &RUNGS, broken), Ok(None));
        assert_eq!(best(2, &RUNGS, |_, _| Err("stopped")), Err("stopped"));
    }
}
