//! Random programs on a heap and its double: whatever the mode and the policy, both must hold the same.

mod support;

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use support::{Double, FakeClock, Operation, Random, busy};
use tenure_gc::policy::{Adaptive, Adversarial, Explore, Policy, Static};
use tenure_gc::{Clock, HeapConfig, Stats, SystemClock};

const MIB: u64 = 1 << 20;

fn config(limit_bytes: u64, zeal: &str) -> HeapConfig {
    HeapConfig {
        verify: true,
        zeal: support::zeal(zeal),
        clock: Box::new(FakeClock::default()),
        ..HeapConfig::new(limit_bytes)
    }
}

/// What is made to happen more often than it would.
const MODES: [&str; 25] = [
    "young:64K",
    "full:256K",
    "mark:128K",
    "move:256K",
    "copyfail:3",
    "copyfail:50,young:64K",
    "copyfail:20,move:512K",
    "commitfail:5",
    "young:3,mark:5",
    "slice:4K,young:64K",
    "slice:1K,mark:64K,young:16K",
    "slice:2K,full:1M",
    "slice:8K,copyfail:20,young:64K",
    "markstack,mark:128K",
    "markstack,slice:2K",
    "pin:3,young:64K",
    "pin:7,mark:128K,full:1M",
    "pin:2,move:256K",
    "tables:64,mark:128K",
    "tables:500,young:64K",
    "tables:20,slice:2K",
    "tables:200,move:256K",
    "workers:3,young:64K,mark:256K",
    "workers:3,copyfail:20,move:256K",
    "workers:3,full:512K,slice:4K",
];

fn run(seed: u64, operations: usize, config: HeapConfig, policy: Box<dyn Policy>) -> (Stats, Double) {
    let mut random = Random::new(seed);
    let mut double = Double::new(config, policy);
    for step in 0..operations {
        double.run(&Operation::random(&mut random));
        if step % 64 == 0 {
            double.check();
        }
    }
    double.check();
    (double.heap.stats(), double)
}

#[test]
fn plain() {
    let mut kinds = [0; 5];
    for seed in 1..5 {
        let (stats, _) = run(seed, 4000, config(64 * MIB, ""), busy());
        kinds = std::array::from_fn(|kind| kinds[kind] + stats.pauses_by_kind[kind]);
    }
    let [young, start, _, mixed, full] = kinds;
    assert!(young > 50 && start > 10 && mixed > 3 && full > 0, "pauses of every kind are met: {kinds:?}");
}

#[test]
fn zeal() {
    for (seed, mode) in MODES.into_iter().enumerate() {
        let (stats, _) = run(seed as u64 + 10, 2000, config(64 * MIB, mode), busy());
        assert!(stats.pauses() > 5, "{mode}: {stats:?}");
        assert!(!mode.contains("copyfail") || stats.failed_copies > 0, "{mode}");
    }
}

#[test]
fn hostile_policies() {
    for seed in 20..24 {
        let (stats, double) = run(seed, 2500, config(64 * MIB, "young:128K"), Box::new(Adversarial::new(seed)));
        assert!(stats.pauses() > 20);
        assert!(double.heap.knobs().concurrent_start_share.is_finite());
    }
    let (stats, _) = run(30, 2500, config(64 * MIB, "young:128K,copyfail:100"), Box::new(Adversarial::new(7)));
    assert!(stats.pauses() > 20);
}

#[test]
fn sober_policies() {
    for (seed, policy) in
        [Box::new(Adaptive::new()) as Box<dyn Policy>, Box::new(Explore::new(3)), Box::<Static>::default()]
            .into_iter()
            .enumerate()
    {
        let (stats, _) = run(seed as u64 + 40, 2500, config(64 * MIB, "young:256K"), policy);
        assert!(stats.pauses() > 20);
    }
}

/// A heap that is too small: allocations fail as errors, what lives stays whole, and what is dropped gives room again.
#[test]
fn exhausted() {
    for (limit_bytes, large) in [(MIB, false), (3 * MIB, false), (8 * MIB, true), (64 * MIB, true)] {
        let mut double = Double::new(config(limit_bytes, ""), Box::new(Adaptive::new()));
        for round in 1..3 {
            let mut slot = 0;
            while double.out_of_memory.get() < round {
                if large && slot % 2 == 0 {
                    double.run(&Operation::Bytes { root: 1, len: 300_000, byte: slot as u8 });
                } else {
                    double.run(&Operation::List { root: 1, length: 1000 });
                }
                double.run(&Operation::Keep { from: Some(1), slot });
                slot += 1;
            }
            assert!(slot > 5, "{limit_bytes} bytes held {slot} things");
            double.check();
            (0..double.roots.len()).for_each(|root| double.clear(root));
            for _ in 0..20 {
                double.run(&Operation::List { root: 1, length: 1000 });
                assert_eq!(double.out_of_memory.get(), round);
            }
        }
        assert!(double.heap.stats().full_collections() > 0);
        assert!(double.heap.stats().committed_bytes_max <= limit_bytes);
    }
}

#[test]
fn policies_switch_at_any_time() {
    let mut random = Random::new(60);
    let mut double = Double::new(config(64 * MIB, "young:128K"), busy());
    for step in 0..2500 {
        match step % 300 {
            0 => double.heap.set_policy(Box::new(Adversarial::new(step))),
            100 => double.heap.set_policy(Box::new(Adaptive::new())),
            200 => double.heap.set_policy(busy()),
            _ => {}
        }
        double.run(&Operation::random(&mut random));
    }
    double.check();
}

/// A heap for a random program.
#[derive(Clone, Debug)]
struct Setup {
    zeal: String,
    limit_bytes: u64,
    /// Markers are threads; else marking is done in slices.
    threads: bool,
    policy: u64,
}

impl Setup {
    fn any() -> impl Strategy<Value = Setup> {
        let zeal = (prop::sample::select(vec!["", "verify,", "quarantine,"]), prop::sample::select(MODES.to_vec()));
        let limits = prop::sample::select(vec![64 * MIB, 16 * MIB, 5 * MIB]);
        (zeal, limits, any::<bool>(), 0..6_u64).prop_map(|((check, mode), limit_bytes, threads, policy)| Setup {
            zeal: format!("{check}{mode}"),
            limit_bytes,
            threads,
            policy,
        })
    }

    fn double(&self) -> Double {
        let clock: Box<dyn Clock> = if self.threads { Box::new(SystemClock) } else { Box::new(FakeClock::default()) };
        let config = HeapConfig {
            zeal: support::zeal(&self.zeal),
            mark_in_slices: !self.threads,
            clock,
            ..HeapConfig::new(self.limit_bytes)
        };
        let policy: Box<dyn Policy> = match self.policy {
            0 => Box::<Static>::default(),
            1 => Box::new(Adaptive::new()),
            2 => Box::new(Explore::new(3)),
            3 => Box::new(Adversarial::new(4)),
            _ => busy(),
        };
        Double::new(config, policy)
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

/// Any program on any heap holds what it must; a failure is made as small as can be. `TENURE_FUZZ_SEED` chooses other
/// programs, `TENURE_FUZZ_CASES` how many.
#[test]
fn any_program_on_any_heap() {
    let (seed, cases) = (number("TENURE_FUZZ_SEED", 1), number("TENURE_FUZZ_CASES", 64));
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config =
        ProptestConfig { cases: cases as u32, failure_persistence: None, max_shrink_iters: 2000, ..Default::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let programs = (Setup::any(), prop::collection::vec(Operation::any(), 1..500));
    let result = runner.run(&programs, |(setup, operations)| {
        let mut double = setup.double();
        for (step, operation) in operations.iter().enumerate() {
            double.run(operation);
            if step % 64 == 0 {
                double.check();
            }
        }
        double.check();
        Ok(())
    });
    result.unwrap_or_else(|failure| panic!("with TENURE_FUZZ_SEED={seed}: {failure}"));
}
