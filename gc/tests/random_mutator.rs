//! Random programs on a heap and its double: whatever the mode, both must hold the same.

mod support;

use support::{Double, FakeClock, Operation, Random};
use tenure_gc::policy::{Overrides, Policy, Static};
use tenure_gc::{HeapConfig, Stats};

fn config(limit_bytes: u64, zeal: &str) -> HeapConfig {
    HeapConfig {
        verify: true,
        zeal: zeal.parse().expect("zeal"),
        clock: Box::new(FakeClock::default()),
        ..HeapConfig::new(limit_bytes)
    }
}

fn run(seed: u64, operations: usize, config: HeapConfig, policy: Box<dyn Policy>) -> Stats {
    let mut random = Random::new(seed);
    let mut double = Double::new(config, policy);
    for step in 0..operations {
        double.run(&Operation::random(&mut random));
        if step % 64 == 0 {
            double.check();
        }
    }
    double.check();
    let s = double.heap.stats();
    if std::env::var_os("SHOW").is_some() {
        eprintln!(
            "{:?} rem {} fail {} oom {} copied {}M alloc {}M",
            s.pauses_by_kind,
            s.remembered_entries,
            s.failed_copies,
            double.out_of_memory.get(),
            s.copied_bytes >> 20,
            s.allocated_bytes >> 20
        );
    }
    s
}

fn small_regions() -> Box<dyn Policy> {
    Box::new(Static::new(Overrides {
        young_bytes: Some(512 << 10),
        old_region_bytes: Some(64 << 10),
        eden_region_bytes: Some(128 << 10),
        tenuring_age: Some(2),
        concurrent_start_share: Some(0.1),
        mixed_live_share: Some(1.0),
        mixed_pause_count: Some(4),
        heap_target_bytes: Some(8 << 20),
        ..Overrides::default()
    }))
}

#[test]
fn plain() {
    for seed in 1..6 {
        let stats = run(seed, 5000, config(32 << 20, ""), small_regions());
        assert!(stats.pauses() > 5, "{stats:?}");
    }
}

#[test]
fn zeal() {
    for (seed, zeal) in [
        "young:64K",
        "full:256K",
        "mark:128K",
        "move:256K",
        "copyfail:3",
        "copyfail:50,young:64K",
        "commitfail:5",
        "young:3,mark:5",
    ]
    .into_iter()
    .enumerate()
    {
        let stats = run(seed as u64 + 10, 3000, config(64 << 20, zeal), small_regions());
        assert!(stats.pauses() > 5, "{zeal}: {stats:?}");
    }
}
