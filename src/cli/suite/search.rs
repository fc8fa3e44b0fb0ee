//! The best static settings: of one program by search, and of all by the search's first rung.

use super::halving;
use super::settings;

/// What a setting with which a program comes to no end counts as: ten times the best.
const NO_END: f64 = std::f64::consts::LN_10;

/// The setting with the least mean cost over cells, each cell's costs taken relative to its best setting's. The first of all, the
/// default, if there is no cell.
///
/// `costs` has a list of all settings' costs for each cell, infinite where a setting can't be run.
pub fn best_single(costs: &[Vec<f64>]) -> usize {
    let total = |setting: usize| {
        let relative = |cell: &Vec<f64>| {
            let least = cell.iter().copied().fold(f64::INFINITY, f64::min);
            let cost = cell[setting] - least;
            // where nothing can be run, no setting is better than another
            if least.is_infinite() { 0.0 } else { cost.min(NO_END) }
        };
        costs.iter().map(relative).sum::<f64>()
    };
    let all = (0..settings::COUNT).filter(|setting| costs.iter().all(|cell| *setting < cell.len()));
    all.map(|setting| (total(setting), setting)).min_by(|a, b| a.0.total_cmp(&b.0)).map_or(0, |(_, setting)| setting)
}

/// What the search for a program's oracle found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The best setting; nothing if none can be run.
    pub oracle: Option<usize>,
    /// The cost of each setting after one run; infinite where it can't be run.
    pub grid: Vec<f64>,
}

/// Looks for the best setting among `candidates` by rungs. `cost` is told a setting and a number of runs.
pub fn oracle(
    candidates: &[usize],
    rungs: &[halving::Rung],
    mut cost: impl FnMut(usize, u32) -> Result<f64, String>,
) -> Result<Found, String> {
    let mut grid = vec![f64::INFINITY; settings::COUNT];
    let best = halving::best(candidates.len(), rungs, |candidate, runs| {
        let found = cost(candidates[candidate], runs)?;
        if runs == 1 {
            grid[candidates[candidate]] = found;
        }
        Ok::<f64, String>(found)
    })?;
    Ok(Found { oracle: best.map(|candidate| candidates[candidate]), grid })
}

#[cfg(test)]
mod tests {
    use super::super::halving::Rung;
    use super::*;

    #[test]
    fn the_best_single_setting_is_good_everywhere_and_runs_everywhere() {
        let mut costs = vec![vec![5.0; settings::COUNT]; 3];
        // one setting wins two cells and fails in the third, another is second everywhere
        (costs[0][7], costs[1][7], costs[2][7]) = (3.0, 3.0, f64::INFINITY);
        (costs[0][9], costs[1][9], costs[2][9]) = (3.5, 3.5, 4.0);
        assert_eq!(best_single(&costs), 9);
        assert_eq!(best_single(&[vec![f64::INFINITY; settings::COUNT]]), 0);
        assert_eq!(best_single(&[]), 0);
    }

    #[test]
    fn the_oracles_search_keeps_the_first_costs() {
        let rungs = [Rung { candidates: 3, runs: 1 }, Rung { candidates: 2, runs: 3 }];
        let found = oracle(&[4, 8, 12], &rungs, |setting, runs| Ok(setting as f64 / f64::from(runs))).unwrap();
        assert_eq!(found.oracle, Some(4));
        assert_eq!((found.grid[4], found.grid[12], found.grid[5]), (4.0, 12.0, f64::INFINITY));
    }
}
