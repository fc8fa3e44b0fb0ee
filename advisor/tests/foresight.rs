//! Forecasts and workload classes on runs whose habits are known: what can be foretold is, what can't costs next to nothing,
//! and kinds of programs are told apart in families that the fit did not see.
#![cfg(feature = "train")]

use tenure_advisor::train::forecast::ForecastScore;
use tenure_advisor::train::{Cycle, Run, class, forecast};
use tenure_advisor::{ClassModel, Classifier, WorkloadClass};
use tenure_gc::policy::{Decision, Envelope, Outcome, Reason, Snapshot};

/// Numbers between 0 and 1: Steele, Lea and Flood's SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// A run of snapshots: `cycle` says rate in bytes/ns, survival, promotion and large share of each.
fn run(family: &str, seed: u64, cycle: impl Fn(u64, &mut Random) -> [f64; 4]) -> Run {
    const NS: f64 = 1e6;
    let mut random = Random(seed);
    let knobs = Envelope::of_limit(64 << 20).initial(&Snapshot::default());
    let mut old = 1e6;
    let record = |number: u64| {
        let [rate, survival, promotion, large] = cycle(number, &mut random);
        let bytes = rate * NS;
        old += bytes * (promotion + large);
        let snapshot = Snapshot {
            cycle: number,
            uptime_ns: number * 1_000_000,
            mutator_cpu_ns: NS as u64,
            allocated_bytes: (bytes * (1.0 - large)) as u64,
            large_allocated_bytes: (bytes * large) as u64,
            young_bytes: (bytes * (1.0 - large)) as u64,
            survived_bytes: (bytes * survival) as u64,
            promoted_bytes: (bytes * promotion) as u64,
            old_bytes: old as u64,
            ..Snapshot::default()
        };
        Cycle { snapshot, decision: Decision::plain(knobs, Reason::Explore), outcome: Outcome::default() }
    };
    Run { family: family.into(), cycles: (1..400).map(record).collect() }
}

fn of<'s>(scores: &'s [ForecastScore], family: &str, cycles: usize) -> &'s ForecastScore {
    let found =
        |s: &&ForecastScore| s.quantity == "allocation_bytes_per_ns" && s.family == family && s.cycles == cycles;
    scores.iter().find(found).expect("a score")
}

#[test]
fn what_can_be_foretold_is_and_what_cannot_costs_next_to_nothing() {
    let mut runs = Vec::new();
    for seed in 0..4 {
        let noise = |random: &mut Random| 0.9 + 0.2 * random.next();
        // rates that take turns, in families that know nothing of each other
        for family in ["turns-a", "turns-b", "turns-c"] {
            runs.push(run(family, seed, move |n, random| {
                [if n % 2 == 0 { 1.0 } else { 3.0 } * noise(random), 0.1, 0.01, 0.0]
            }));
        }
        runs.push(run("scatter", seed, |_, random| [0.5 + 2.0 * random.next(), 0.1, 0.01, 0.0]));
        runs.push(run("drift", seed, move |n, random| [(0.01 * n as f64).exp() * noise(random), 0.1, 0.01, 0.0]));
    }
    let (_, scores) = forecast::fit(&runs);
    for family in ["turns-a", "turns-b", "turns-c"] {
        let score = of(&scores, family, 1);
        assert!(score.ratio() < 0.5, "{score:?}");
    }
    for family in ["scatter", "drift"] {
        for cycles in [1, 4] {
            let score = of(&scores, family, cycles);
            assert!(score.ratio() < 1.1, "{score:?}");
        }
    }
    let covered: Vec<f64> = scores.iter().filter(|s| s.cycles == 1).map(|s| s.covered).collect();
    let mean = covered.iter().sum::<f64>() / covered.len() as f64;
    assert!((0.85..0.95).contains(&mean), "{mean}");
}

#[test]
fn kinds_of_programs_are_told_apart() {
    let mut runs = Vec::new();
    for seed in 0..3 {
        // each kind scatters in its own measure
        let near = |random: &mut Random, value: f64, scatter: f64| value * (1.0 + scatter * (random.next() - 0.5));
        for family in ["a", "b", "c"] {
            let short = move |_, r: &mut Random| [near(r, 1.0, 0.02), near(r, 0.02, 0.02), near(r, 0.002, 0.02), 0.0];
            let surviving = move |_, r: &mut Random| [near(r, 0.5, 0.4), near(r, 0.6, 0.2), near(r, 0.02, 0.02), 0.0];
            let large = move |_, r: &mut Random| {
                [near(r, 2.0, 0.8), near(r, 0.05, 0.02), near(r, 0.01, 0.02), near(r, 0.7, 0.1)]
            };
            runs.extend([run(family, seed, short), run(family, seed, surviving), run(family, seed, large)]);
        }
    }
    let (file, report) = class::fit(&runs).expect("classes are found");
    let mut names: Vec<&str> = file.classes.iter().map(|class| class.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["large-objects", "short-lived", "surviving"], "{report:?}");
    assert!(report.told > 0.95, "{report:?}");
    let model = std::sync::Arc::new(ClassModel::new(&file).expect("usable"));
    let last = |run: &Run| {
        let mut classifier = Classifier::new(model.clone());
        run.cycles.iter().for_each(|cycle| classifier.observe(&cycle.snapshot));
        classifier.label().class
    };
    let seen: Vec<WorkloadClass> = runs[..3].iter().map(last).collect();
    assert_eq!(seen, [WorkloadClass::ShortLived, WorkloadClass::Surviving, WorkloadClass::LargeObjects]);
}
