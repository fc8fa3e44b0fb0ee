//! `tenure bench --suite=advisor`: is the advisor worth it? Its policies run side by side over the workloads, and each bar gets its
//! figure, its interval and its verdict.
//!
//! | file | does |
//! |---|---|
//! | `cells`, `contender`, `settings` | what is run: programs, heaps, goals, policies, static settings |
//! | `run`, `store` | one run in a process of its own; results kept as they come |
//! | `measure` | in which order, and what follows from what |
//! | `search`, `halving` | the best static settings |
//! | `simulated` | the same in the simulator |
//! | `models`, `overhead` | leave-one-family-out models; what deciding takes |
//! | `cost`, `stats`, `judge` | figures, intervals, verdicts: pure |
//! | `knobs` | sweeps and ablations |
//! | `table`, `plots` | how it is shown |
//!
//! Stopped at any time, it goes on where it was: a run whose result is kept is not made again.

mod cells;
mod contender;
mod cost;
mod halving;
mod judge;
mod knobs;
mod measure;
mod models;
mod overhead;
mod plots;
mod run;
mod search;
mod settings;
mod simulated;
mod stats;
mod store;
mod table;

use super::args::SuiteArgs;
use super::output;
use super::report::{self, Status};
use cells::Effort;
use measure::Suite;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Does it.
pub fn main(args: &SuiteArgs, json: bool) -> Status {
    match text(args, json) {
        Ok(text) => output::print(&text).map_or_else(|e| report::failure(&e.to_string()), |()| Status::Success),
        Err(line) => report::failure(&line),
    }
}

fn effort(args: &SuiteArgs) -> Effort {
    match (args.quick, args.full) {
        (true, _) => Effort::Quick,
        (_, true) => Effort::Full,
        _ => Effort::Usual,
    }
}

fn text(args: &SuiteArgs, json: bool) -> Result<String, String> {
    let suite = Suite::open(args, effort(args))?;
    if args.knobs {
        let sweeps = knobs::sweep(&suite)?;
        if let Some(dir) = &args.plot {
            plots::sweeps(&sweeps, dir)?;
        }
        return Ok(if json { knobs::as_json(&sweeps) } else { knobs::as_table(&sweeps) });
    }
    let results = suite.measure()?;
    if let Some(dir) = &args.plot {
        plots::draw(&results, dir)?;
    }
    Ok(if json { table::as_json(&results) } else { table::as_text(&results) })
}

/// Does the same to all items, on so many threads; the results are in the items' order. `work` is told the thread's number.
///
/// # Errors
/// The first, in the items' order; no item is begun after one.
fn parallel<T: Sync, R: Send>(
    threads: usize,
    items: &[T],
    work: impl Fn(usize, &T) -> Result<R, String> + Sync,
) -> Result<Vec<R>, String> {
    let next = AtomicUsize::new(0);
    let found: Mutex<Vec<(usize, Result<R, String>)>> = Mutex::new(Vec::new());
    let failed = || found.lock().expect("no worker panics").iter().any(|(_, result)| result.is_err());
    std::thread::scope(|scope| {
        for thread in 0..threads.clamp(1, items.len().max(1)) {
            let (next, found, work, failed) = (&next, &found, &work, &failed);
            scope.spawn(move || {
                while let Some((at, item)) =
                    Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, items.get(at)?)))
                    && !failed()
                {
                    let result = work(thread, item);
                    found.lock().expect("no worker panics").push((at, result));
                }
            });
        }
    });
    let mut found = found.into_inner().expect("no worker panics");
    found.sort_by_key(|(at, _)| *at);
    found.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_shared_and_results_keep_their_order() {
        let items: Vec<usize> = (0..100).collect();
        let squares = parallel(4, &items, |_, n| Ok(n * n)).unwrap();
        assert_eq!(squares[99], 99 * 99);
        let failed = parallel(3, &items, |_, n| if *n == 50 { Err(format!("item {n}")) } else { Ok(()) });
        assert_eq!(failed, Err("item 50".to_owned()));
    }
}
