//! What the collector takes beside the heap.

use crate::Settings;
use crate::figures::quantile;
use crate::observed::{self, Order};
use crate::process;
use std::fmt::Write as _;

const COMMITTED_BYTES_MIN: f64 = (256 << 20) as f64;

const LOADS: [(&str, &[&str], u64); 5] = [
    ("pause", &["256", "0", "20000"], 768),
    ("rewrite", &["512", "0", "100", "250"], 1024),
    ("graph_mutation", &["1500000", "6", "10000000"], 1024),
    ("lru_churn", &["10000000", "4000000", "1000000"], 768),
    ("large_mix", &["128", "4000"], 768),
];

/// Measures it at the ends of pauses, of all that had so much committed.
pub fn measure(settings: &Settings) -> String {
    let mut text =
        String::from("| program | limit | pauses counted | median | most | most bytes |\n|---|---|---|---|---|---|\n");
    for (name, args, limit_mib) in LOADS {
        let seen = observed::observe(&Order {
            limit_bytes: limit_mib << 20,
            policy: settings.policy.clone(),
            script: process::script(name).display().to_string(),
            args: args.iter().map(|a| a.to_string()).collect(),
            ..Order::default()
        });
        let counted =
            || seen.pauses.iter().filter(|p| p.committed_bytes >= COMMITTED_BYTES_MIN && p.metadata_bytes > 0.0);
        let shares: Vec<f64> = counted().map(|p| p.metadata_bytes / p.committed_bytes * 100.0).collect();
        let most = counted().map(|p| p.metadata_bytes).fold(0.0, f64::max);
        // A load that never commits so much says nothing.
        let share = |q| if shares.is_empty() { "–".into() } else { format!("{:.2} %", quantile(&shares, q)) };
        let (median, largest): (String, String) = (share(0.5), share(1.0));
        writeln!(
            text,
            "| `{name}` | {limit_mib} MiB | {} | {median} | {largest} | {:.1} MiB |",
            shares.len(),
            most / f64::from(1 << 20),
        )
        .expect("writing to a string");
    }
    text
}
