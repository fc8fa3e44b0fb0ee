//! What deciding takes: the decisions of real runs are made again from their journals, under a stopwatch.
//!
//! In a run, decisions are milliseconds apart and find the caches full of the program's data; so before each one here the
//! caches are filled with something else. Shares are of CPU time, so that it does not matter what else the machine does; the call that
//! reads it counts against the advisor.

use super::cells::{Cell, Program};
use super::contender::Contender;
use super::measure::{GOAL, Suite};
use super::simulated;
use super::stats::{mean, median};
use std::hint::black_box;
use std::time::{Duration, Instant};
use tenure::{Cycle, Observer};
use tenure_advisor::Advisor;
use tenure_gc::journal::{Journal, JournalWriter};
use tenure_gc::policy::{Envelope, Policy, Reason, Snapshot};
use tenure_gc::{Clock, SystemClock};

/// More than a core's own caches hold.
const CACHE_BYTES: usize = 4 << 20;
const LINE_BYTES: usize = 64;
/// A plan stands for a while; with so much between decisions each one plans.
const UPTIME_STEP_NS: u64 = Advisor::STANDING_NS_MAX;

/// What deciding takes.
#[derive(Clone, Debug)]
pub struct Overhead {
    /// Median over decisions that made a plan.
    pub plan_us: f64,
    /// How many there were.
    pub plans: usize,
    /// Decisions' share of the process's CPU time: mean over programs, and the most.
    pub share: (f64, f64),
    /// The same with the journal's writing.
    pub share_with_journal: (f64, f64),
    /// Bytes of the largest model file; 0 for the shipped one.
    pub model_bytes: u64,
}

/// Fills the caches with something else.
fn sweep(other: &mut [u8]) {
    other.iter_mut().step_by(LINE_BYTES).for_each(|byte| *byte = byte.wrapping_add(1));
    black_box(other);
}

/// Nanoseconds of each decision and its outcome's observation, and of writing each cycle to a journal; nothing is written.
fn replay(advisor: &mut Advisor, cycles: &[Cycle], other: &mut [u8]) -> (u64, u64) {
    let mut writer = JournalWriter::new(Box::new(std::io::sink()), "", Box::new(|_| {}));
    let (mut deciding_ns, mut writing_ns) = (0, 0);
    for cycle in cycles {
        let envelope = Envelope::of_limit(cycle.snapshot.limit_bytes);
        sweep(other);
        let begun_ns = SystemClock.thread_cpu_ns();
        black_box(advisor.decide(&cycle.snapshot, &cycle.decision.knobs, &envelope));
        advisor.observe(&cycle.outcome);
        deciding_ns += SystemClock.thread_cpu_ns() - begun_ns;
        sweep(other);
        let begun_ns = SystemClock.thread_cpu_ns();
        writer.cycle(cycle);
        writing_ns += SystemClock.thread_cpu_ns() - begun_ns;
    }
    (deciding_ns, writing_ns)
}

/// Nanoseconds of each decision that plans, if all may.
fn plans(advisor: &mut Advisor, cycles: &[Cycle], other: &mut [u8]) -> Vec<u64> {
    let mut found = Vec::new();
    for (number, cycle) in cycles.iter().enumerate() {
        let envelope = Envelope::of_limit(cycle.snapshot.limit_bytes);
        let uptime_ns = cycle.snapshot.uptime_ns + number as u64 * UPTIME_STEP_NS;
        let snapshot = Snapshot { uptime_ns, ..cycle.snapshot };
        sweep(other);
        let begun = Instant::now();
        let decision = black_box(advisor.decide(&snapshot, &cycle.decision.knobs, &envelope));
        let ns = begun.elapsed().as_nanos() as u64;
        advisor.observe(&cycle.outcome);
        if matches!(decision.reason, Reason::Model | Reason::Hold) {
            found.push(ns);
        }
    }
    found
}

/// Makes the decisions of a run of each program again.
pub fn measure(suite: &Suite, patience: &[Duration]) -> Result<Option<Overhead>, String> {
    let mut other = vec![0; CACHE_BYTES];
    let (mut times, mut shares, mut with_journal) = (Vec::new(), Vec::new(), Vec::new());
    for (number, program) in suite.programs.iter().enumerate() {
        let Some((cycles, cpu_ns)) = journal(suite, number, program, patience[number])? else { continue };
        let advisor = || simulated::advisor(&suite.models, &program.family, GOAL);
        let (deciding_ns, writing_ns) = replay(&mut advisor()?, &cycles, &mut other);
        shares.push(deciding_ns as f64 / cpu_ns);
        with_journal.push((deciding_ns + writing_ns) as f64 / cpu_ns);
        times.extend(plans(&mut advisor()?, &cycles, &mut other).into_iter().map(|ns| ns as f64 / 1e3));
    }
    let most = |shares: &[f64]| shares.iter().copied().fold(0.0, f64::max);
    let of = |program: &Program| {
        suite.models.path(&program.family).and_then(|path| std::fs::metadata(path).ok()).map_or(0, |file| file.len())
    };
    Ok((!shares.is_empty()).then(|| Overhead {
        plans: times.len(),
        plan_us: median(times),
        share: (mean(shares.iter().copied()), most(&shares)),
        share_with_journal: (mean(with_journal.iter().copied()), most(&with_journal)),
        model_bytes: suite.programs.iter().map(of).max().unwrap_or(0),
    }))
}

/// The cycles of a run under the advisor and the process's CPU time, from a run that is made if its journal is not kept; nothing if
/// it comes to no end.
fn journal(
    suite: &Suite,
    number: usize,
    program: &Program,
    patience: Duration,
) -> Result<Option<(Vec<Cycle>, f64)>, String> {
    let job = suite.job(Cell::main(number), Contender::Advisor, 0, (None, 0), false, patience)?;
    let name = format!("{}-{}-{}.tgj", suite.binary, suite.models.identity(&program.family), program.name);
    let path = suite.store.keep_folder("journals")?.join(name);
    let figures = if path.exists() { suite.result(0, &job)?.figures } else { suite.fresh(0, &job, &path)?.figures };
    let Some(figures) = figures else { return Ok(None) };
    let journal = Journal::read_file(&path).map_err(|e| e.to_string())?;
    Ok(Some((journal.cycles, figures.process_cpu_ns)))
}
