//! Compares policies on the real heap, with programs made of numbers:
//! `cargo run --release -p tenure-advisor --features train --example heap_compare`.

#[path = "../tests/support/mod.rs"]
mod support;

use support::{Phase, run};
use tenure_advisor::Advisor;
use tenure_advisor::sim::Random;
use tenure_gc::SystemClock;
use tenure_gc::policy::{Adaptive, Policy, Static};

/// A program of a family, its parameters drawn at random; about `bytes` are allocated.
fn program(family: &str, bytes: u64, random: &mut Random) -> Vec<Phase> {
    let mut phase = |slots: (f64, f64), keep: (f64, f64), words: (f64, f64)| {
        let mut draw = |(low, high): (f64, f64)| random.between(low.ln(), high.ln()).exp() as u64;
        Phase {
            bytes,
            slots: draw(slots),
            keep_one_in: draw(keep).max(1),
            in_turn: false,
            words: draw(words).max(4) as u32,
            large_one_in: 0,
            rewrites: 0,
            work: draw((1.0, 20.0)) as u32,
        }
    };
    match family {
        "garbage" => vec![phase((100.0, 10_000.0), (500.0, 5000.0), (4.0, 16.0))],
        "churn" => vec![phase((20_000.0, 600_000.0), (4.0, 32.0), (4.0, 12.0))],
        "window" => vec![Phase { in_turn: true, ..phase((20_000.0, 600_000.0), (1.0, 4.0), (4.0, 12.0)) }],
        "rewire" => vec![Phase { rewrites: 2, ..phase((50_000.0, 500_000.0), (2.0, 16.0), (4.0, 12.0)) }],
        "large" => vec![Phase { large_one_in: 2000, ..phase((50.0, 2000.0), (100.0, 2000.0), (4.0, 32.0)) }],
        "survivors" => vec![phase((100_000.0, 1_000_000.0), (1.0, 3.0), (4.0, 8.0))],
        "shifting" => {
            let parts = [
                phase((100.0, 5000.0), (1000.0, 5000.0), (4.0, 16.0)),
                phase((100_000.0, 600_000.0), (1.0, 4.0), (4.0, 8.0)),
                Phase { rewrites: 3, ..phase((100_000.0, 500_000.0), (8.0, 32.0), (4.0, 12.0)) },
            ];
            parts.map(|part| Phase { bytes: bytes / 3, ..part }).to_vec()
        }
        _ => unreachable!("families are listed below"),
    }
}

const FAMILIES: [&str; 7] = ["garbage", "churn", "window", "rewire", "large", "survivors", "shifting"];

/// Bytes that the phases keep alive, roughly.
fn live_bytes(phases: &[Phase]) -> u64 {
    let live = |p: &Phase| {
        let held = p.slots * (u64::from(p.words) * 8 + 4) * 2;
        let large = p
            .slots
            .saturating_mul(p.keep_one_in)
            .checked_div(p.large_one_in)
            .map_or(0, |n| (n + 1).min(200) * (512 << 10));
        held + large
    };
    phases.iter().map(live).max().unwrap_or(0)
}

fn limit(phases: &[Phase], random: &mut Random) -> u64 {
    let factor = random.between(1.5_f64.ln(), 8.0_f64.ln()).exp();
    ((live_bytes(phases) as f64 * factor) as u64).clamp(24 << 20, 3 << 30)
}

fn main() {
    println!("family limit_MiB policy cycles gc_ns/B gc_share p50_us p95_us peak_MiB full regions");
    for seed in 0..2 {
        for family in FAMILIES {
            let mut random = Random::new(900 + seed);
            let phases = program(family, 3 << 29, &mut random);
            let limit_bytes = limit(&phases, &mut random);
            let policies: [Box<dyn Policy>; 3] =
                [Box::new(Static::default()), Box::new(Adaptive::new()), Box::new(Advisor::shipped())];
            for policy in policies {
                let name = policy.name();
                let (cycles, stats) = run(&phases, limit_bytes, 10_000_000, policy, seed, Box::new(SystemClock));
                let gc: u64 = cycles.iter().map(|c| c.outcome.gc_cpu_ns).sum();
                let mutator: u64 = cycles.iter().map(|c| c.outcome.mutator_ns).sum();
                let allocated: u64 = cycles.iter().map(|c| c.outcome.allocated_bytes).sum();
                let mut sizes: Vec<u64> = cycles.iter().map(|c| c.decision.knobs.old_region_bytes >> 10).collect();
                sizes.sort_unstable();
                sizes.dedup();
                println!(
                    "{family} {} {name} {} {:.3} {:.3} {} {} {} {} {sizes:?}",
                    limit_bytes >> 20,
                    cycles.len(),
                    gc as f64 / allocated as f64,
                    gc as f64 / (gc + mutator) as f64,
                    stats.pause_ns_quantile(0.5) / 1000,
                    stats.pause_ns_quantile(0.95) / 1000,
                    cycles.iter().map(|c| c.outcome.committed_bytes_max).max().unwrap_or(0) >> 20,
                    stats.full_collections(),
                );
            }
        }
    }
}
