//! Random programs on a heap and its double: whatever the mode and the policy, both must hold the same.

mod support;

use proptest::prelude::*;
use support::{Double, FakeClock, Operation, ROOTS, Random};
use tenure_gc::policy::{Adaptive, Adversarial, Explore, Overrides, Policy, Static};
use tenure_gc::{HeapConfig, Stats};

const MIB: u64 = 1 << 20;

fn config(limit_bytes: u64, zeal: &str) -> HeapConfig {
    HeapConfig {
        verify: true,
        zeal: support::zeal(zeal),
        clock: Box::new(FakeClock::default()),
        ..HeapConfig::new(limit_bytes)
    }
}

/// Small regions, early promotion and eager marking: much happens in a small heap.
fn busy() -> Box<dyn Policy> {
    Box::new(Static::new(Overrides {
        young_bytes: Some(512 << 10),
        old_region_bytes: Some(64 << 10),
        eden_region_bytes: Some(128 << 10),
        tenuring_age: Some(2),
        concurrent_start_share: Some(0.1),
        mixed_live_share: Some(1.0),
        mixed_pause_count: Some(4),
        heap_target_bytes: Some(8 * MIB),
        ..Overrides::default()
    }))
}

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
    let modes = [
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
        "tables:64,mark:128K",
        "tables:500,young:64K",
        "tables:20,slice:2K",
        "tables:200,move:256K",
    ];
    for (seed, mode) in modes.into_iter().enumerate() {
        let (stats, _) = run(seed as u64 + 10, 2000, config(64 * MIB, mode), busy());
        assert!(stats.pauses() > 5, "{mode}: {stats:?}");
        // A commit that fails may be one for copies.
        let may_fail = mode.contains("commitfail");
        assert!(may_fail || (stats.failed_copies > 0) == mode.contains("copyfail"), "{mode}");
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
            (0..=ROOTS + 1).for_each(|root| double.clear(root));
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

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    proptest::collection::vec(any::<u64>().prop_map(|seed| Operation::random(&mut Random::new(seed))), 1..300)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// As above, but a failure is shrunk to few operations.
    #[test]
    fn shrinkable(operations in operations(), mode in prop::sample::select(vec!["young:32K", "mark:64K", "move:64K", "full:64K", "copyfail:5,young:32K", "slice:1K,mark:32K,young:32K"])) {
        let mut double = Double::new(config(32 * MIB, mode), busy());
        for operation in &operations {
            double.run(operation);
        }
        double.check();
    }
}
