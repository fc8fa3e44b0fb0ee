//! The pauses of concurrent marking, while the program rewrites what is being marked.

use crate::Settings;
use crate::figures::{median, quantile};
use crate::observed::{self, Order, Pause, Seen};
use crate::process;
use std::fmt::Write as _;

const MIB: u64 = 1 << 20;

/// Measures it.
pub fn measure(settings: &Settings) -> String {
    // live MiB, limit MiB, millions of references, objects made for a thousand of them
    let (live_mib, limit_mib, millions) = settings.pick((1024, 1536, 1500), (256, 384, 120));
    let seen = observed::observe(&Order {
        limit_bytes: limit_mib * MIB,
        policy: settings.policy.clone(),
        script: process::script("rewrite").display().to_string(),
        args: [live_mib, 5, millions, 250].map(|n: u64| n.to_string()).to_vec(),
        ..Order::default()
    });
    let mut text = format!(
        "{live_mib} MiB live under a limit of {limit_mib} MiB; {} rewritten; {} full collections.\n\n\
         | pause | count | p50 ms CPU | p99 | max | p99 ms wall | max |\n|---|---|---|---|---|---|---|\n",
        seen.said.trim(),
        seen.total("full_collections"),
    );
    for kind in ["Remark", "Cleanup"] {
        let of_kind: Vec<&Pause> = seen.pauses.iter().filter(|p| p.kind == kind).collect();
        let cpu_ms: Vec<f64> = of_kind.iter().map(|p| p.cpu_ns / 1e6).collect();
        let wall_ms: Vec<f64> = of_kind.iter().map(|p| p.wall_ns / 1e6).collect();
        line(&mut text, kind, &cpu_ms, &wall_ms);
    }
    let (cpu_ms, wall_ms) = (start_parts(&seen, |p| p.cpu_ns), start_parts(&seen, |p| p.wall_ns));
    line(&mut text, "start, marking part", &cpu_ms, &wall_ms);
    text + "\nThe marking part of a start is what it took beyond what plain young pauses took for as many copied bytes.\n"
}

fn line(text: &mut String, name: &str, cpu_ms: &[f64], wall_ms: &[f64]) {
    writeln!(
        text,
        "| {name} | {} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} |",
        cpu_ms.len(),
        quantile(cpu_ms, 0.5),
        quantile(cpu_ms, 0.99),
        quantile(cpu_ms, 1.0),
        quantile(wall_ms, 0.99),
        quantile(wall_ms, 1.0),
    )
    .expect("writing to a string");
}

/// What each start took beyond a plain young pause, in milliseconds.
fn start_parts(seen: &Seen, time: fn(&Pause) -> f64) -> Vec<f64> {
    let copied = |p: &Pause| p.survived_bytes + p.promoted_bytes;
    let young = seen.pauses.iter().filter(|p| p.kind == "Young" && copied(p) > 0.0);
    let ns_per_byte = median(&young.map(|p| time(p) / copied(p)).collect::<Vec<f64>>());
    let starts = seen.pauses.iter().filter(|p| p.kind == "ConcurrentStart");
    starts.map(|p| (time(p) - copied(p) * ns_per_byte).max(0.0) / 1e6).collect()
}
