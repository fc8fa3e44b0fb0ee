//! The pause goal under a steady load, and what is left to the program.

use crate::Settings;
use crate::figures::quantile;
use crate::observed::{self, Order, Pause, Seen};
use crate::process;
use std::fmt::Write as _;

const MIB: u64 = 1 << 20;
const LIVE_MIB: u64 = 256;
const LIMIT_MIB: u64 = 768;
const GOAL_MS: f64 = 10.0;

/// Measures it twice: at the pace asked for, and without pace, where pauses come so fast that there are enough of them.
pub fn measure(settings: &Settings) -> String {
    let mut text = String::from(
        "| load | pauses | p50 ms CPU | p99 | p99.9 | max | p99 ms wall | p99.9 | max | over 10 ms CPU | GC CPU | MMU 20 ms, pauses as long as their CPU | as their wall time | full |\n\
         |---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n",
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
        row(&mut text, &mut notes, &name, &seen);
    }
    text + "\n" + &notes
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

fn row(text: &mut String, notes: &mut String, name: &str, seen: &Seen) {
    let of = |figure: fn(&Pause) -> f64| -> Vec<f64> { seen.pauses.iter().map(|p| figure(p) / 1e6).collect() };
    let (cpu_ms, wall_ms) = (of(|p| p.cpu_ns), of(|p| p.wall_ns));
    let over = cpu_ms.iter().filter(|ms| **ms > GOAL_MS).count() as f64 / cpu_ms.len() as f64;
    let (gc_ns, mutator_ns) = (seen.total("gc_cpu_ns"), seen.total("mutator_cpu_ns"));
    let q = |figures: &[f64], share: f64| quantile(figures, share);
    writeln!(
        text,
        "| {name} | {} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} % | {:.1} % | {:.0} % | {:.0} % | {} |",
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
        utilisation(&seen.pauses, |p| p.cpu_ns) * 100.0,
        utilisation(&seen.pauses, |p| p.wall_ns) * 100.0,
        seen.total("full_collections"),
    )
    .expect("writing to a string");
    let sum = |figure: fn(&Pause) -> f64| seen.pauses.iter().map(figure).sum::<f64>();
    let young_bytes = sum(|p| p.young_bytes);
    let kinds: std::collections::BTreeMap<&str, Vec<f64>> =
        seen.pauses.iter().fold(Default::default(), |mut kinds, p| {
            let of_kind: &mut Vec<f64> = std::collections::BTreeMap::entry(&mut kinds, p.kind.as_str()).or_default();
            of_kind.push(p.cpu_ns / 1e6);
            kinds
        });
    let kinds: Vec<String> = kinds
        .iter()
        .map(|(kind, ms)| format!("{} {kind} (p99 {:.1} ms, max {:.1})", ms.len(), q(ms, 0.99), q(ms, 1.0)))
        .collect();
    writeln!(
        notes,
        "- {name}: {} reached; {:.1} % of young survived, {:.1} % was promoted; {}.",
        seen.said.trim(),
        sum(|p| p.survived_bytes) / young_bytes * 100.0,
        sum(|p| p.promoted_bytes) / young_bytes * 100.0,
        kinds.join(", ")
    )
    .expect("writing to a string");
}
