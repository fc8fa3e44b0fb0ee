//! Our collector beside Java's, at equal limits and with equal results.

use crate::Settings;
use crate::figures::{Estimate, median};
use crate::process::{self, Run};
use std::fmt::Write as _;

struct Workload {
    script: &'static str,
    class: &'static str,
    limit: &'static str,
    args: &'static [&'static str],
    quick: &'static [&'static str],
}

const WORKLOADS: [Workload; 4] = [
    Workload { script: "binary_trees", class: "BinaryTrees", limit: "512m", args: &["21", "4"], quick: &["19"] },
    Workload {
        script: "lru_churn",
        class: "LruChurn",
        limit: "384m",
        args: &["40000000", "4000000", "500000"],
        quick: &["6000000", "4000000", "500000"],
    },
    Workload {
        script: "graph_mutation",
        class: "GraphMutation",
        limit: "384m",
        args: &["400000", "6", "60000000"],
        quick: &["400000", "6", "6000000"],
    },
    Workload { script: "large_mix", class: "LargeMix", limit: "512m", args: &["64", "60000"], quick: &["64", "6000"] },
];

const PEERS: [(&str, &str); 2] = [("Java G1", "-XX:+UseG1GC"), ("Java Serial", "-XX:+UseSerialGC")];

/// Measures it.
pub fn measure(settings: &Settings) -> String {
    let runs = settings.runs(5);
    let slow_path_ns = process::barrier_slow_path_ns();
    let mut text = format!(
        "{runs} interleaved runs; a slow path of the barrier counted as {slow_path_ns:.0} ns; ratios ours ÷ theirs.\n\n\
         | program (limit) | | collector's CPU s | total CPU s | peak MiB | collector's ratio | total ratio | memory ratio |\n\
         |---|---|---|---|---|---|---|---|\n"
    );
    // by peer: a sample of ratios for each program
    let mut gc_ratios: Vec<Vec<Vec<f64>>> = vec![Vec::new(); PEERS.len()];
    let mut peak_ratios = gc_ratios.clone();
    for workload in &WORKLOADS {
        let Some(all) = run(settings, workload, runs, slow_path_ns) else {
            return "Java is not installed here.\n".into();
        };
        let [ours, peers @ ..] = &all[..] else { unreachable!("ours comes first") };
        line(&mut text, &format!("`{}` ({})", workload.script, workload.limit), "Tenure", ours, None);
        for (i, theirs) in peers.iter().enumerate() {
            line(&mut text, "", PEERS[i].0, theirs, Some(ours));
            let ratios = |figure: fn(&Run) -> f64| pairs(ours, theirs, figure);
            gc_ratios[i].push(ratios(|run| run.gc_cpu_s));
            peak_ratios[i].push(ratios(|run| run.peak_bytes));
        }
    }
    for (i, (name, _)) in PEERS.iter().enumerate() {
        writeln!(
            text,
            "\nGeometric mean against {name}: collector's CPU {}, peak memory {}.",
            Estimate::geometric_mean(&gc_ratios[i]),
            Estimate::geometric_mean(&peak_ratios[i]),
        )
        .expect("writing to a string");
    }
    text
}

/// Ours first, then the peers; none without Java.
fn run(settings: &Settings, workload: &Workload, runs: usize, slow_path_ns: f64) -> Option<Vec<Vec<Run>>> {
    let args: Vec<String> = settings.pick(workload.args, workload.quick).iter().map(|a| a.to_string()).collect();
    let mut options = settings.policy_options();
    options.push(format!("--max-heap={}", workload.limit));
    let script = process::script(workload.script);
    let mut all: Vec<Vec<Run>> = vec![Vec::new(); 1 + PEERS.len()];
    for _ in 0..runs {
        let mut ours = process::tenure(&options, &script, &args);
        let slow_paths = ours.stats["barrier_slow_paths"].as_f64().expect("a count");
        ours.gc_cpu_s += slow_paths * slow_path_ns / 1e9;
        for (i, (_, collector)) in PEERS.iter().enumerate() {
            let options = [collector.to_string(), format!("-Xmx{}", workload.limit)];
            let theirs = process::java(&options, workload.class, &args)?;
            assert_eq!(theirs.printed, ours.printed, "{} computes something else in Java", workload.script);
            all[i + 1].push(theirs);
        }
        all[0].push(ours);
    }
    Some(all)
}

fn pairs(ours: &[Run], theirs: &[Run], figure: fn(&Run) -> f64) -> Vec<f64> {
    ours.iter().zip(theirs).map(|(a, b)| figure(a) / figure(b)).collect()
}

fn line(text: &mut String, program: &str, name: &str, runs: &[Run], ours: Option<&[Run]>) {
    let of = |figure: fn(&Run) -> f64| Estimate::median(&runs.iter().map(figure).collect::<Vec<f64>>());
    let ratio = |figure: fn(&Run) -> f64| {
        ours.map_or(String::new(), |ours| format!("{:.2}", median(&pairs(ours, runs, figure))))
    };
    writeln!(
        text,
        "| {program} | {name} | {} | {} | {:.0} | {} | {} | {} |",
        of(|run| run.gc_cpu_s),
        of(|run| run.cpu_s),
        of(|run| run.peak_bytes / f64::from(1 << 20)).value,
        ratio(|run| run.gc_cpu_s),
        ratio(|run| run.cpu_s),
        ratio(|run| run.peak_bytes),
    )
    .expect("writing to a string");
}
