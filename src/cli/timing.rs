//! `--time-passes`: what each phase of compilation took, as a table or as JSON.

use super::args::TimingArgs;
use super::report;
use super::size::show_ns;
use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Value, json};
use tenure::{Clock, PhaseTime, SystemClock, Timing};

/// With the thread's CPU clock, if times are wanted.
pub fn start(args: &TimingArgs) -> Timing {
    let wanted = args.time_passes || args.time_passes_json.is_some();
    if wanted { Timing::new(|| SystemClock.thread_cpu_ns()) } else { Timing::default() }
}

/// Reports what was gathered.
///
/// # Errors
/// One line: the file can't be written.
pub fn finish(args: &TimingArgs, timing: &Timing) -> Result<(), String> {
    let phases = timing.phases();
    if args.time_passes {
        report::say(&table(&phases));
    }
    let Some(path) = &args.time_passes_json else { return Ok(()) };
    std::fs::write(path, as_json(&phases).to_string() + "\n")
        .map_err(|error| format!("can't write `{}`: {error}", path.display()))
}

fn table(phases: &[PhaseTime]) -> String {
    let all_ns: u64 = phases.iter().map(|phase| phase.cpu_ns).sum();
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(["phase", "CPU", "share", "runs"]);
    for phase in phases {
        let share = phase.cpu_ns as f64 * 100.0 / all_ns.max(1) as f64;
        table.add_row([phase.name.to_owned(), show_ns(phase.cpu_ns), format!("{share:.1} %"), phase.runs.to_string()]);
    }
    table.add_row(["in all".to_owned(), show_ns(all_ns), String::new(), String::new()]);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    format!("{table}\n")
}

fn as_json(phases: &[PhaseTime]) -> Value {
    let phase = |phase: &PhaseTime| json!({"phase": phase.name, "cpu_ns": phase.cpu_ns, "runs": phase.runs});
    phases.iter().map(phase).collect()
}
