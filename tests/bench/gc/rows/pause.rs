//! The pause goal under a steady load, and what is left to the program.

use crate::Settings;
use crate::figures::quantile;
use crate::observed::{self, Order, Pause};
use crate::process;
use std::collections::BTreeMap;
use std::fmt::Write as _;

const MIB: u64 = 1 << 20;
const LIVE_MIB: u64 = 256;
const LIMIT_MIB: u64 = 768;
const GOAL_MS: f64 = 10.0;

/// Measures it twice: at the pace asked for, and without pace, where pauses come so fast that there are enough of them. What
/// lives is built first, as fast as can be: that is no part of the load, and has lines of its own.
pub fn measure(settings: &Settings) -> String {
    let mut text = String::from(
        "| load | pauses | p50 ms CPU | p99 | p99.9 | max | p99 ms wall | p99.9 | max | over 10 ms CPU | GC CPU | MMU 20 ms, pauses as long as their CPU | as their wall time |\n\
         |---|---|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    let mut notes = String::new();
    // MB/s, MB in all
    let loads = settings.pick([(400, 240_000), (0, 400_000)], [(400, 8_000), (0, 20_000)]);
    for (pace, total_mb) in loads {
        let seen = observed::observe(&Order {
            limit_bytes: LIMIT_MIB * MIB,
            policy: settings.policy.clone(),
            script: process::script("pause").display().to_string(),
            args: [LIVE_MIB, pace, total_mb].map(|n| n.to_string()).to_vec(),
            ..Order::default()
        });
        let name = if pace > 0 { format!("{pace} MB/s") } else { "as fast as can be".into() };
        let (built, reached) = seen.said.trim().split_once('\n').expect("the script says two lines");
        let (building, load) = seen.pauses.split_at(after_pauses(&seen.pauses, built.parse().expect("a count")));
        for (part, pauses) in [("building what lives", building), (&name, load)] {
            row(&mut text, part, pauses);
            note(&mut notes, part, pauses);
        }
        writeln!(notes, "- {name}: {reached} reached; {} full collections.", seen.total("full_collections"))
            .expect("writing to a string");
    }
    text + "\n" + &notes
}

/// The place behind so many evacuations and compactions, other pauses not counted.
fn after_pauses(pauses: &[Pause], count: usize) -> usize {
    let ends_cycle = |pause: &Pause| pause.kind != "Remark" && pause.kind != "Cleanup";
    let counted = pauses.iter().enumerate().filter(|(_, pause)| ends_cycle(pause)).take(count);
    counted.last().map_or(0, |(at, _)| at + 1)
}

/// The least share that any 20 ms left to the program. The least window begins or ends with a pause.
fn utilisation(pauses: &[Pause], length: fn(&Pause) -> f64) -> f64 {
    const WINDOW_NS: f64 = 20e6;
    let spans: Vec<(f64, f64)> = pauses.iter().map(|p| (p.start_ns, p.start_ns + length(p))).collect();
    let mut least = 1.0_f64;
    for (i, &(start, end)) in spans.iter().enumerate() {
        for window in [(start, start + WINDOW_NS), (end - WINDOW_NS, end)] {
            // pauses don't overlap, so only the neighbours reach into the window
            let near = spans[..i]
                .iter()
                .rev()
                .take_while(|s| s.1 > window.0)
                .chain(spans[i..].iter().take_while(|s| s.0 < window.1));
            let taken: f64 = near.map(|s| (s.1.min(window.1) - s.0.max(window.0)).max(0.0)).sum();
            least = least.min(1.0 - taken / WINDOW_NS);
        }
    }
    least.max(0.0)
}

fn row(text: &mut String, name: &str, pauses: &[Pause]) {
    let of = |figure: fn(&Pause) -> f64| -> Vec<f64> { pauses.iter().map(|p| figure(p) / 1e6).collect() };
    let (cpu_ms, wall_ms) = (of(|p| p.cpu_ns), of(|p| p.wall_ns));
    let over = cpu_ms.iter().filter(|ms| **ms > GOAL_MS).count() as f64 / cpu_ms.len() as f64;
    let (gc_ns, mutator_ns) = (sum(pauses, |p| p.gc_cpu_ns), sum(pauses, |p| p.mutator_cpu_ns));
    let q = |figures: &[f64], share: f64| quantile(figures, share);
    writeln!(
        text,
        "| {name} | {} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} % | {:.1} % | {:.0} % | {:.0} % |",
        cpu_ms.len(),
        q(&cpu_ms, 0.5),
        q(&cpu_ms, 0.99),
        q(&cpu_ms, 0.999),
        q(&cpu_ms, 1.0),
        q(&wall_ms, 0.99),
        q(&wall_ms, 0.999),
        q(&wall_ms, 1.0),
        over * 100.0,
        gc_ns / (gc_ns + mutator_ns) * 100.0,
        utilisation(pauses, |p| p.cpu_ns) * 100.0,
        utilisation(pauses, |p| p.wall_ns) * 100.0,
    )
    .expect("writing to a string");
}

fn sum(pauses: &[Pause], figure: fn(&Pause) -> f64) -> f64 {
    pauses.iter().map(figure).sum()
}

fn note(notes: &mut String, name: &str, pauses: &[Pause]) {
    let young_bytes = sum(pauses, |p| p.young_bytes);
    let mut kinds: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for pause in pauses {
        kinds.entry(&pause.kind).or_default().push(pause.cpu_ns / 1e6);
    }
    let kinds: Vec<String> = kinds
        .iter()
        .map(|(kind, ms)| {
            format!("{} {kind} (p99 {:.1} ms, max {:.1})", ms.len(), quantile(ms, 0.99), quantile(ms, 1.0))
        })
        .collect();
    writeln!(
        notes,
        "- {name}: {:.1} % of young survived, {:.1} % was promoted; {}.",
        sum(pauses, |p| p.survived_bytes) / young_bytes * 100.0,
        sum(pauses, |p| p.promoted_bytes) / young_bytes * 100.0,
        kinds.join(", ")
    )
    .expect("writing to a string");
}
