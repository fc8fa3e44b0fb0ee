//! The write barrier: its fast path, in a heap that never collects, emitted against left out; its slow path, counted.

use crate::Settings;
use crate::figures::{Estimate, median};
use crate::process;
use std::fmt::Write as _;

/// Programs that write references, and arguments with which all that they allocate fits into memory.
const PROGRAMS: [(&str, &[&str]); 7] = [
    ("richards", &["30"]),
    ("deltablue", &["2000"]),
    ("list", &["300"]),
    ("havlak", &["2"]),
    ("permute", &["300"]),
    ("graph_mutation", &["20000", "6", "4000000"]),
    ("lru_churn", &["1500000", "40000", "4000"]),
];

/// Measures it.
pub fn measure(settings: &Settings) -> String {
    let runs = settings.runs(30);
    let mut text =
        format!("Fast path: {runs} pairs.\n\n| program | CPU s with | without | ratio |\n|---|---|---|---|\n");
    let mut ratios = Vec::new();
    for (name, args) in PROGRAMS {
        let script = process::script(name);
        let args: Vec<String> = args.iter().map(|a| a.to_string()).collect();
        let cpu_s = |options: &[&str]| {
            let options = [options, &["--never-collect", "--max-heap=3G"]].concat();
            let options: Vec<String> = options.iter().map(|o| o.to_string()).collect();
            process::tenure(&options, &script, &args).cpu_s
        };
        cpu_s(&[]);
        let pairs: Vec<(f64, f64)> = (0..runs).map(|_| (cpu_s(&[]), cpu_s(&["--leave-out-barriers"]))).collect();
        let (with, without): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
        let ratio: Vec<f64> = pairs.iter().map(|(with, without)| with / without).collect();
        let (with, without, estimate) = (median(&with), median(&without), Estimate::median(&ratio));
        writeln!(text, "| `{name}` | {with:.3} | {without:.3} | {estimate:.3} |").expect("writing to a string");
        ratios.push(ratio);
    }
    writeln!(text, "| geometric mean | | | {:.3} |", Estimate::geometric_mean(&ratios)).expect("writing to a string");

    let slow_path_ns = process::barrier_slow_path_ns();
    write!(text, "\nSlow path: {slow_path_ns:.0} ns each.\n\n| program | slow paths | share of CPU |\n|---|---|---|\n")
        .expect("writing to a string");
    let programs: [(&str, &[&str]); 4] = [
        ("graph_mutation", &["400000", "6", "6000000"]),
        ("lru_churn", &["6000000", "4000000", "500000"]),
        ("binary_trees", &["18"]),
        ("rewrite", &["256", "0", "60", "250"]),
    ];
    for (name, args) in programs {
        let args: Vec<String> = args.iter().map(|a| a.to_string()).collect();
        let mut options = settings.policy_options();
        options.push("--max-heap=512M".into());
        let run = process::tenure(&options, &process::script(name), &args);
        let slow_paths = run.stats["barrier_slow_paths"].as_f64().expect("a count");
        let share = slow_paths * slow_path_ns / 1e9 / run.cpu_s;
        writeln!(text, "| `{name}` | {slow_paths} | {:.2} % |", share * 100.0).expect("writing to a string");
    }
    text
}
