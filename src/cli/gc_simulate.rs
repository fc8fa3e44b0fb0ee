//! `tenure gc simulate`: what a program whose survey is at hand would do under another policy, heap limit or goal.
//!
//! The survey is a journal of a run with `--gc=survey`. With the journal of a real run beside it, that run is simulated and
//! the two are compared: this is how the simulator is checked.

use super::args::SimulateArgs;
use super::gc_replay;
use super::gc_report;
use super::heap::gc;
use super::output;
use super::policy::PolicyChoice;
use super::report::{self, Status};
use super::size::{show_bytes, show_ns};
use comfy_table::{CellAlignment, Table, presets};
use std::path::Path;
use tenure::{Cycle, CycleKind};
use tenure_advisor::simulator::{Run, Setting, fit, simulate};
use tenure_gc::journal::Journal;

const LIMIT_BYTES: u64 = 256 << 20;
const PAUSE_GOAL_NS: u64 = 10_000_000;

/// Does it.
pub fn main(args: &SimulateArgs) -> Status {
    match text(args) {
        Ok(text) => output::print(&text).map_or_else(|e| report::failure(&e.to_string()), |()| Status::Success),
        Err(line) => report::failure(&line),
    }
}

fn text(args: &SimulateArgs) -> Result<String, String> {
    let survey = read(&args.survey)?;
    let signature = fit(&survey.cycles).map_err(|e| format!("can't use `{}`: {e}", args.survey.display()))?;
    let real = args.against.as_deref().map(read).transpose()?;
    let first = real.as_ref().and_then(|journal| journal.cycles.first());
    let setting = Setting {
        limit_bytes: args.max_heap.or(first.map(|c| c.snapshot.limit_bytes)).unwrap_or(LIMIT_BYTES),
        pause_goal_ns: args
            .pause_goal
            .map(|goal| goal.as_nanos() as u64)
            .or(first.map(|c| c.snapshot.pause_goal_ns))
            .unwrap_or(PAUSE_GOAL_NS),
    };
    let chosen = match (&args.gc, first) {
        (None, Some(first)) => gc_replay::policy(None, None, args.gc_seed, first),
        (choice, _) => gc(choice.as_ref().unwrap_or(&PolicyChoice::Advisor), args.model.as_deref(), args.gc_seed),
    };
    let mut policy = args.advisor.applied(chosen).policy();
    let run = simulate(&signature, &setting, policy.as_mut());
    let Some(real) = real else {
        let end = if run.out_of_memory { "memory ran out\n" } else { "" };
        let journal = Journal { label: format!("{}, simulated", survey.label), cycles: run.cycles };
        return Ok(gc_report::tables(&journal) + end);
    };
    Ok(comparison(&run, &real.cycles))
}

fn read(path: &Path) -> Result<Journal, String> {
    Journal::read_file(path).map_err(|e| e.to_string())
}

/// Totals of a run, in the order of the table.
fn totals(cycles: &[Cycle]) -> [f64; 8] {
    let finished: Vec<&Cycle> = cycles.iter().filter(|c| !c.outcome.unfinished).collect();
    let sum = |of: fn(&Cycle) -> u64| finished.iter().map(|c| of(c) as f64).sum::<f64>();
    let mut pauses: Vec<u64> = finished.iter().map(|c| c.outcome.pause_ns).collect();
    pauses.sort_unstable();
    let pause =
        |share: f64| pauses.get((pauses.len().max(1) - 1) * (share * 100.0) as usize / 100).copied().unwrap_or(0);
    [
        finished.len() as f64,
        finished.iter().filter(|c| c.outcome.kind == CycleKind::Full).count() as f64,
        pause(0.5) as f64,
        pause(0.95) as f64,
        sum(|c| c.outcome.gc_cpu_ns),
        sum(|c| c.outcome.copied_bytes),
        cycles.iter().map(|c| c.snapshot.marked_bytes as f64).sum(),
        sum(|c| c.outcome.committed_bytes_max) / finished.len().max(1) as f64,
    ]
}

fn comparison(simulated: &Run, real: &[Cycle]) -> String {
    let (copy, real) = (totals(&simulated.cycles), totals(real));
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(["measure", "simulated", "observed", "factor"]);
    let count: fn(f64) -> String = |value| format!("{value}");
    let time: fn(f64) -> String = |value| show_ns(value as u64);
    let bytes: fn(f64) -> String = |value| show_bytes(value as u64);
    let measures = [
        ("pauses", count),
        ("full collections", count),
        ("pause p50", time),
        ("pause p95", time),
        ("GC CPU", time),
        ("copied", bytes),
        ("marked", bytes),
        ("committed, mean", bytes),
    ];
    for (at, (name, show)) in measures.into_iter().enumerate() {
        let factor = if real[at] > 0.0 { format!("{:.2}", copy[at] / real[at]) } else { "–".into() };
        table.add_row([name.to_owned(), show(copy[at]), show(real[at]), factor]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let end = if simulated.out_of_memory { "\nin the simulation, memory ran out" } else { "" };
    format!("{table}{end}\n")
}
