//! Measures what the decisions of a recorded run take, made again from its journal:
//! `cargo run --release -p tenure-advisor --example decision_cost -- RUN.tgj…`.
//!
//! Each journal is gone through four times: as it was, and with so much time between cycles that each decision plans; with caches warm, and
//! with more than they hold walked over before each decision, as a program would have. Under an instruction counter (`--once`), the run
//! as it was is gone through once, without a stopwatch.

use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

use tenure_advisor::Advisor;
use tenure_gc::Cycle;
use tenure_gc::journal::Journal;
use tenure_gc::policy::{Envelope, Policy, Reason, Snapshot};

/// More than a core's own caches hold.
const CACHE_BYTES: usize = 4 << 20;
const LINE_BYTES: usize = 64;
/// Enough for a plan in each cycle.
const STEP_NS: u64 = Advisor::STANDING_NS_MAX;

fn walk(other: &mut [u8]) {
    other.iter_mut().step_by(LINE_BYTES).for_each(|byte| *byte = byte.wrapping_add(1));
    black_box(other);
}

/// Nanoseconds of each cycle's decision and of what is learnt from its outcome; `step_ns` is added between cycles, and `other` walked over.
/// Of the cycles in which the model had its turn, if only those are asked for.
fn replay(cycles: &[Cycle], step_ns: u64, only_model: bool, other: &mut [u8]) -> Vec<u64> {
    let (mut advisor, mut nanoseconds) = (Advisor::shipped(), Vec::new());
    for (number, cycle) in cycles.iter().enumerate() {
        let uptime_ns = cycle.snapshot.uptime_ns + number as u64 * step_ns;
        let snapshot = Snapshot { uptime_ns, ..cycle.snapshot };
        let envelope = Envelope::of_limit(snapshot.limit_bytes);
        walk(other);
        let begun = Instant::now();
        let decision = black_box(advisor.decide(&snapshot, &cycle.decision.knobs, &envelope));
        advisor.observe(&cycle.outcome);
        let ns = begun.elapsed().as_nanos() as u64;
        if !only_model || matches!(decision.reason, Reason::Model | Reason::Undo | Reason::Hold) {
            nanoseconds.push(ns);
        }
    }
    nanoseconds
}

fn show(what: &str, mut nanoseconds: Vec<u64>) {
    nanoseconds.sort_unstable();
    let count = nanoseconds.len();
    let quantile = |q: f64| nanoseconds.get((count as f64 * q) as usize).map_or(0.0, |&ns| ns as f64 / 1e3);
    // The slowest hundredth was interrupted. One cycle in sixteen takes in what the others kept: the mean must hold it.
    let undisturbed = &nanoseconds[..count - count / 100];
    let mean = undisturbed.iter().sum::<u64>() as f64 / 1e3 / undisturbed.len().max(1) as f64;
    let (median, p95) = (quantile(0.5), quantile(0.95));
    println!("  {what:30} {count:6} times: median {median:6.2} µs, p95 {p95:6.2} µs, mean of 99 % {mean:6.2} µs");
}

fn main() -> ExitCode {
    let (once, paths): (Vec<String>, Vec<String>) = std::env::args().skip(1).partition(|argument| argument == "--once");
    let mut other = vec![0; CACHE_BYTES];
    for path in &paths {
        let journal = match Journal::read_file(path.as_ref()) {
            Ok(journal) => journal,
            Err(error) => {
                eprintln!("{path}: {error}");
                return ExitCode::FAILURE;
            }
        };
        if !once.is_empty() {
            replay(&journal.cycles, 0, false, &mut []);
            continue;
        }
        println!("{path}: {} cycles", journal.cycles.len());
        for (what, other) in [("warm", &mut [][..]), ("cold", &mut other[..])] {
            show(&format!("{what}: if each plans"), replay(&journal.cycles, STEP_NS, true, other));
            show(&format!("{what}: as it was"), replay(&journal.cycles, 0, false, other));
        }
    }
    ExitCode::SUCCESS
}
