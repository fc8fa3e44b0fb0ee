//! `tenure bench`: a script under several policies, side by side.
//!
//! Each run is a process of its own, and runs alternate between the policies, so that a machine that changes its speed
//! changes it for all. What is compared are medians; the spread beside them says how far to trust a difference.

use super::args::BenchArgs;
use super::bench_blocks;
use super::child::{self, Scratch};
use super::output;
use super::policy::PolicyChoice;
use super::report::{self, Status};
use super::run::{engine, split_script};
use super::sample::Quartiles;
use super::size::{show_bytes, show_ns};
use super::suite;
use comfy_table::{CellAlignment, Table, presets};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;
use tenure::{Diagnostics, Host, Program, Purpose, read_source};

/// What is measured: name, and whether it is a time in nanoseconds, bytes or a count.
const MEASURES: [(&str, Unit); 8] = [
    ("process_cpu_ns", Unit::Time),
    ("gc_cpu_ns", Unit::Time),
    ("pauses", Unit::Count),
    ("pause_ns_p50", Unit::Time),
    ("pause_ns_p99", Unit::Time),
    ("pause_ns_max", Unit::Time),
    ("peak_memory_bytes", Unit::Bytes),
    ("policy_fallbacks", Unit::Count),
];

/// The columns of the table, for people.
const HEADER: [&str; 9] = [
    "policy",
    "CPU (± half the quartiles' distance)",
    "GC CPU",
    "pauses",
    "p50",
    "p99",
    "max",
    "peak memory",
    "fallbacks",
];

#[derive(Clone, Copy)]
enum Unit {
    Time,
    Bytes,
    Count,
}

impl Unit {
    fn show(self, value: f64) -> String {
        let whole = value.round() as u64;
        match self {
            Unit::Time => show_ns(whole),
            Unit::Bytes => show_bytes(whole),
            Unit::Count => whole.to_string(),
        }
    }
}

/// The counted runs of one policy.
struct Contender {
    policy: PolicyChoice,
    runs: Vec<Value>,
}

/// Does it.
pub fn main(args: &BenchArgs) -> Status {
    if args.suite.is_some() {
        return suite::main(&args.of_suite, args.json);
    }
    match with_bench_blocks(&args.script[0]) {
        Ok(Some(program)) => return bench_blocks::main(args, &program),
        Ok(None) => {}
        Err(found) => return report::diagnostics(&found, false),
    }
    match measure(args) {
        Ok(contenders) => {
            let text = if args.json {
                as_json(args, &contenders)
            } else if args.csv {
                as_csv(&contenders)
            } else {
                as_table(args, &contenders)
            };
            output::print(&text).map_or_else(|e| report::failure(&e.to_string()), |()| Status::Success)
        }
        Err(line) => report::failure(&line),
    }
}

/// The script, compiled for its `bench` blocks, if it has some. What can't be read is left to the runs to report.
fn with_bench_blocks(name: &str) -> Result<Option<Program>, Diagnostics> {
    let Ok(text) = read_source(Path::new(name)) else { return Ok(None) };
    let program = engine().compile_for(Purpose::Bench, name, &text, &[Host::none()], true)?;
    let has_blocks = program.tests().next().is_some();
    Ok(has_blocks.then_some(program))
}

fn measure(args: &BenchArgs) -> Result<Vec<Contender>, String> {
    let (file, _) = split_script(&args.script);
    tenure::read_source(file.as_ref())?;
    let scratch = Scratch::new("bench")?;
    let mut contenders: Vec<Contender> =
        args.gc.iter().map(|policy| Contender { policy: policy.clone(), runs: Vec::new() }).collect();
    // drawn on a terminal only
    let bar = ProgressBar::new(u64::from(args.runs + 1) * contenders.len() as u64);
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let mut printed: Option<Vec<u8>> = None;
    for round in 0..=args.runs {
        for contender in &mut contenders {
            bar.set_message(contender.policy.to_string());
            let ended = child::run(&options(args, &contender.policy), &args.script, &scratch, None)?;
            let Some(stats) = ended.stats.as_ref().filter(|_| ended.code == Some(0)) else {
                bar.finish_and_clear();
                return Err(format!("under --gc={}, {}", contender.policy, child::reason(&ended)));
            };
            if printed.get_or_insert_with(|| ended.stdout.clone()) != &ended.stdout {
                bar.suspend(|| report::warning("the script printed something else than in the run before", false));
                printed = Some(ended.stdout.clone());
            }
            // the first round warms up
            if round > 0 {
                contender.runs.push(stats.clone());
            }
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    Ok(contenders)
}

fn options(args: &BenchArgs, policy: &PolicyChoice) -> Vec<String> {
    let mut options = vec![format!("--gc={policy}")];
    if let Some(goal) = args.pause_goal {
        options.push(format!("--pause-goal={}us", goal.as_micros()));
    }
    if let Some(bytes) = args.max_heap {
        options.push(format!("--max-heap={bytes}"));
    }
    if let Some(model) = args.model.as_ref().filter(|_| *policy == PolicyChoice::Advisor) {
        options.push(format!("--model={}", model.display()));
    }
    options
}

impl Contender {
    fn quartiles(&self, measure: &str) -> Quartiles {
        Quartiles::of(self.runs.iter().map(|run| run[measure].as_f64().unwrap_or(f64::NAN)))
    }
}

fn as_table(args: &BenchArgs, contenders: &[Contender]) -> String {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(HEADER);
    for contender in contenders {
        let mut row = vec![contender.policy.to_string()];
        for (i, (measure, unit)) in MEASURES.iter().enumerate() {
            let quartiles = contender.quartiles(measure);
            let spread = if i == 0 { format!(" ± {:.0} %", quartiles.spread_percent()) } else { String::new() };
            row.push(unit.show(quartiles.median) + &spread);
        }
        table.add_row(row);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    format!("{}: medians of {} runs\n{table}\n", args.script.join(" "), args.runs)
}

fn as_json(args: &BenchArgs, contenders: &[Contender]) -> String {
    let policies: Vec<Value> = contenders
        .iter()
        .map(|contender| {
            let summary: serde_json::Map<String, Value> = MEASURES
                .iter()
                .map(|(measure, _)| {
                    let q = contender.quartiles(measure);
                    (measure.to_string(), json!({"median": q.median, "low": q.low, "high": q.high}))
                })
                .collect();
            json!({"policy": contender.policy.to_string(), "summary": summary, "runs": contender.runs})
        })
        .collect();
    json!({"script": args.script, "runs": args.runs, "policies": policies}).to_string() + "\n"
}

fn as_csv(contenders: &[Contender]) -> String {
    let names: Vec<&str> = MEASURES.iter().map(|(name, _)| *name).collect();
    let mut out = format!("policy,run,{}\n", names.join(","));
    for contender in contenders {
        for (i, run) in contender.runs.iter().enumerate() {
            let values: Vec<String> = names.iter().map(|name| run[*name].to_string()).collect();
            let _ = writeln!(out, "{},{},{}", contender.policy, i + 1, values.join(","));
        }
    }
    out
}
