//! What collecting costs in all, over a floor: after Cai and others, "Distilling the Real Cost of Production Garbage
//! Collectors" (ISPASS 2022). The floor of a program is the least, over heap sizes, of its total CPU time less the CPU
//! time that its collector is known to have taken; the cost at a heap size is its total CPU time over that floor.

use crate::Settings;
use crate::figures::{Estimate, median};
use crate::process::{self, Run};
use std::fmt::Write as _;
use std::path::Path;

/// A limit is found to this share of itself.
const STEP: u64 = 16;
const FACTORS: [u64; 5] = [2, 3, 4, 6, 10];

const PROGRAMS: [(&str, &[&str], &[&str]); 6] = [
    ("binary_trees", &["18"], &["16"]),
    ("lru_churn", &["3000000", "400000", "50000"], &["300000", "40000", "5000"]),
    ("graph_mutation", &["60000", "6", "4000000"], &["10000", "6", "500000"]),
    ("large_mix", &["16", "2000"], &["8", "300"]),
    ("server", &[], &["4000"]),
    ("json_stats", &["examples/data/metadata.json", "10"], &["examples/data/metadata.json"]),
];

/// Measures it.
pub fn measure(settings: &Settings) -> String {
    let runs = settings.runs(5);
    let slow_path_ns = process::barrier_slow_path_ns();
    let mut text = format!(
        "{runs} interleaved runs at each size; cost over the floor.\n\n| program | minimum heap | floor, CPU s |"
    );
    FACTORS.iter().for_each(|factor| text += &format!(" {factor} × |"));
    text += "\n|---|---|---|";
    FACTORS.iter().for_each(|_| text += "---|");
    text.push('\n');
    // by factor: for each program its CPU times over its floor
    let mut costs: Vec<Vec<Vec<f64>>> = vec![Vec::new(); FACTORS.len()];
    for (name, args, quick) in PROGRAMS {
        let script = process::script(name);
        let args: Vec<String> = settings.pick(args, quick).iter().map(|a| a.to_string()).collect();
        let least_mib = least_heap_mib(&script, &args);
        let mut all: Vec<Vec<Run>> = vec![Vec::new(); FACTORS.len()];
        for _ in 0..runs {
            for (factor, runs) in FACTORS.iter().zip(&mut all) {
                let mut options = settings.policy_options();
                options.push(format!("--max-heap={}M", factor * least_mib));
                runs.push(process::tenure(&options, &script, &args));
            }
        }
        let known = |run: &Run| {
            let slow_paths = run.stats["barrier_slow_paths"].as_f64().expect("a count");
            run.gc_cpu_s + slow_paths * slow_path_ns / 1e9
        };
        let rest = all.iter().map(|runs| median(&runs.iter().map(|run| run.cpu_s - known(run)).collect::<Vec<f64>>()));
        let floor_s = rest.fold(f64::INFINITY, f64::min);
        write!(text, "| `{name}` | {least_mib} MiB | {floor_s:.3} |").expect("writing to a string");
        for (runs, costs) in all.iter().zip(&mut costs) {
            let over: Vec<f64> = runs.iter().map(|run| run.cpu_s / floor_s).collect();
            write!(text, " {:+.0} % |", (median(&over) - 1.0) * 100.0).expect("writing to a string");
            costs.push(over);
        }
        text.push('\n');
    }
    text += "| geometric mean | | |";
    for costs in &costs {
        let Estimate { value, low, high } = Estimate::geometric_mean(costs);
        let percent = |x: f64| (x - 1.0) * 100.0;
        write!(text, " {:+.0} % ({:+.0} to {:+.0}) |", percent(value), percent(low), percent(high))
            .expect("writing to a string");
    }
    text + "\n"
}

/// The smallest limit, in MiB, under which a program ends well three times out of three with the adaptive policy.
pub fn least_heap_mib(script: &Path, args: &[String]) -> u64 {
    let ends = |mib: u64| {
        let options = ["--gc=adaptive".to_string(), format!("--max-heap={mib}M"), "--timeout=300s".into()];
        (0..3).all(|_| process::try_tenure(&options, script, args).is_ok())
    };
    let mut enough = 4;
    while !ends(enough) {
        enough *= 2;
    }
    let mut short = enough / 2;
    while enough - short > (enough / STEP).max(1) {
        let middle = (enough + short) / 2;
        if ends(middle) { enough = middle } else { short = middle }
    }
    enough
}
