//! What surrounds collections: limits that change, memory given back, the census, sampling, and heaps by the thousand.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use support::Shapes;
use tenure_gc::policy::Adaptive;
use tenure_gc::{Heap, HeapConfig, MemorySource, Ref, SystemMemory};

fn heap(shapes: &Shapes, config: HeapConfig) -> Heap {
    Heap::new(config, shapes.table.clone(), Box::new(Adaptive::new())).expect("a heap")
}

fn fill(heap: &mut Heap, shapes: &Shapes, roots: &mut Vec<u64>, objects: usize) {
    for _ in 0..objects {
        let object = heap.allocate_array(shapes.bytes, 1000, roots).expect("room");
        roots.push(u64::from(object.index()));
    }
}

#[derive(Clone, Default)]
struct Told(Arc<(AtomicU64, AtomicBool)>);

impl MemorySource for Told {
    fn now(&mut self) -> SystemMemory {
        let limit_bytes = Some(self.0.0.load(Ordering::Relaxed));
        SystemMemory { limit_bytes, pressure: self.0.1.load(Ordering::Relaxed) }
    }
}

#[test]
fn the_limit_follows_the_system() {
    let shapes = Shapes::new();
    let told = Told::default();
    told.0.0.store(1 << 40, Ordering::Relaxed);
    let clock = support::FakeClock::default();
    let config = HeapConfig {
        memory: Some(Box::new(told.clone())),
        clock: Box::new(clock.clone()),
        verify: true,
        ..HeapConfig::new(64 << 20)
    };
    let mut heap = heap(&shapes, config);
    let mut roots = Vec::new();
    fill(&mut heap, &shapes, &mut roots, 20_000);
    assert_eq!(heap.envelope().limit_bytes, 64 << 20, "never above the configured one");
    told.0.0.store(8 << 20, Ordering::Relaxed);
    // 20 MB live in 8 MiB: what is there stays, and there is no room for more once the heap has asked
    let pass_time = |ticks| {
        (0..ticks).for_each(|_| {
            let _ = tenure_gc::Clock::now_ns(&clock);
        })
    };
    let mut refused = false;
    for _ in 0..200_000 {
        refused = heap.allocate_array(shapes.bytes, 1000, &mut roots).is_err();
        if refused {
            break;
        }
        pass_time(100);
    }
    assert!(refused && heap.envelope().limit_bytes == 8 << 20);
    assert!(roots.iter().all(|root| heap.array_len(Ref::from_index(*root as u32)) == 1000));
    roots.truncate(2000);
    told.0.0.store(64 << 20, Ordering::Relaxed);
    pass_time(20_000);
    heap.idle(&mut roots);
    fill(&mut heap, &shapes, &mut roots, 10_000);
}

#[test]
fn pressure_gives_free_memory_back_at_once() {
    let shapes = Shapes::new();
    let told = Told::default();
    told.0.0.store(1 << 40, Ordering::Relaxed);
    told.0.1.store(true, Ordering::Relaxed);
    let config = HeapConfig { memory: Some(Box::new(told)), ..HeapConfig::new(256 << 20) };
    let mut heap = heap(&shapes, config);
    let mut roots = Vec::new();
    fill(&mut heap, &shapes, &mut roots, 100_000);
    roots.clear();
    heap.collect(tenure_gc::Collect::Full, &mut roots);
    assert!(heap.stats().pressure_events > 0);
}

#[test]
fn an_idle_heap_keeps_little_more_than_what_lives() {
    let shapes = Shapes::new();
    let mut heap = heap(&shapes, HeapConfig::new(512 << 20));
    let mut roots = Vec::new();
    fill(&mut heap, &shapes, &mut roots, 200_000);
    // garbage in between
    roots = roots.into_iter().step_by(10).collect();
    let live_bytes = roots.len() as u64 * 1008;
    assert!(heap.stats().committed_bytes > 4 * live_bytes);
    heap.idle(&mut roots);
    let committed_bytes = heap.stats().committed_bytes;
    assert!(committed_bytes * 10 <= live_bytes * 13, "{committed_bytes} committed for {live_bytes} live");
}

#[test]
fn a_census_counts_what_the_program_can_reach() {
    let shapes = Shapes::new();
    let mut heap = heap(&shapes, HeapConfig { census_on_out_of_memory: true, ..HeapConfig::new(4 << 20) });
    let mut roots = Vec::new();
    fill(&mut heap, &shapes, &mut roots, 100);
    let pair = heap.allocate_record(shapes.pair, &mut roots).unwrap();
    let inner = Ref::from_index(roots[0] as u32);
    heap.set_ref(pair, 0, inner);
    heap.set_ref(pair, 1, pair);
    roots[0] = u64::from(pair.index());
    for _ in 0..1000 {
        heap.allocate_record(shapes.wide, &mut roots).unwrap();
    }
    let lines = heap.census(&mut roots);
    let found: Vec<_> = lines.iter().map(|line| (line.name.as_str(), line.objects, line.bytes)).collect();
    assert_eq!(found, [("Bytes", 100, 100 * 1008), ("Pair", 1, 24)]);
    assert!(heap.take_census().is_none());
    while let Ok(object) = heap.allocate_array(shapes.bytes, 1000, &mut roots) {
        roots.push(u64::from(object.index()));
    }
    let lines = heap.take_census().expect("memory ran out");
    assert_eq!(lines[0].name, "Bytes");
    assert_eq!(lines[0].objects as usize, roots.len());
}

#[test]
fn samples_stand_for_what_was_allocated() {
    const EVERY_BYTES: u64 = 16 << 10;
    let shapes = Shapes::new();
    let mut heap = heap(&shapes, HeapConfig::new(64 << 20));
    heap.set_sampling(EVERY_BYTES);
    let mut roots: Vec<u64> = Vec::new();
    let mut sampled_bytes = 0;
    for _ in 0..100_000 {
        heap.allocate_record(shapes.wide, &mut roots).unwrap();
        sampled_bytes += heap.take_sample().unwrap_or(0);
    }
    let share = sampled_bytes as f64 / (100_000.0 * 56.0);
    assert!((0.9..1.1).contains(&share), "samples stand for {share} of what was allocated");
    heap.set_sampling(0);
    assert_eq!(heap.take_sample(), None);
}

/// Address space, resident memory, threads and open files of this process.
fn process() -> [u64; 4] {
    let status = std::fs::read_to_string("/proc/self/status").expect("the system tells");
    let number = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("the line is there");
        line.split_whitespace().next().and_then(|word| word.parse::<u64>().ok()).expect("a number")
    };
    let files = std::fs::read_dir("/proc/self/fd").expect("the system tells").count() as u64;
    [number("VmSize:"), number("VmRSS:"), number("Threads:"), files]
}

/// Held by tests that fill or measure the whole process.
static PROCESS: std::sync::Mutex<()> = std::sync::Mutex::new(());

#[test]
fn a_thousand_heaps_come_and_go_without_a_trace() {
    let _alone = PROCESS.lock();
    let shapes = Shapes::new();
    let one = |shapes: &Shapes| {
        let mut heap = heap(shapes, HeapConfig::new(64 << 20));
        let mut roots = Vec::new();
        fill(&mut heap, shapes, &mut roots, 100);
        heap.collect(tenure_gc::Collect::Mark, &mut roots);
    };
    (0..20).for_each(|_| one(&shapes));
    let before = process();
    (0..1000).for_each(|_| one(&shapes));
    let after = process();
    // other tests of this file run beside this one, in the same process
    assert!(after[0] < before[0] + (4 << 20), "address space from {} to {} KiB", before[0], after[0]);
    assert!(after[1] < before[1] + (400 << 10), "resident from {} to {} KiB", before[1], after[1]);
    assert!(after[2] <= before[2] + 8 && after[3] <= before[3] + 8, "{before:?} to {after:?}");
}

#[test]
fn a_thousand_heaps_live_at_once_and_a_new_one_is_small() {
    let _alone = PROCESS.lock();
    let shapes = Shapes::new();
    let heaps: Vec<(Heap, Vec<u64>)> = (0..1000)
        .map(|_| {
            let mut heap = heap(&shapes, HeapConfig::new(64 << 20));
            let mut roots = Vec::new();
            fill(&mut heap, &shapes, &mut roots, 10);
            assert!(heap.stats().committed_bytes <= 256 << 10, "{} committed", heap.stats().committed_bytes);
            (heap, roots)
        })
        .collect();
    // each moves to another thread and goes on there
    std::thread::scope(|scope| {
        for mut part in heaps.into_iter().fold(vec![Vec::new(), Vec::new()], |mut parts, heap| {
            parts.sort_by_key(Vec::len);
            parts[0].push(heap);
            parts
        }) {
            let shapes = shapes.clone();
            scope.spawn(move || {
                for (heap, roots) in &mut part {
                    fill(heap, &shapes, roots, 10);
                    heap.collect(tenure_gc::Collect::Full, roots);
                    assert_eq!(heap.census(roots)[0].objects, 20);
                }
            });
        }
    });
}

/// The bar of a new heap: `cargo test --release -p tenure-gc --test surroundings -- --ignored --nocapture`.
#[test]
#[ignore = "measures"]
fn the_new_heap_row() {
    let _alone = PROCESS.lock();
    let shapes = Shapes::new();
    for limit_bytes in [64 << 20, 1 << 30, 6 << 30, 24 << 30] {
        let mut us: Vec<f64> = (0..400)
            .map(|_| {
                let start = tenure_gc::Clock::thread_cpu_ns(&tenure_gc::SystemClock);
                let heap = heap(&shapes, HeapConfig::new(limit_bytes));
                let end = tenure_gc::Clock::thread_cpu_ns(&tenure_gc::SystemClock);
                drop(heap);
                (end - start) as f64 / 1e3
            })
            .collect();
        us.sort_by(f64::total_cmp);
        let one = heap(&shapes, HeapConfig::new(limit_bytes));
        let committed = one.stats().committed_bytes >> 10;
        println!("limit {} MiB: {:.0} µs (p95 {:.0}), {committed} KiB committed", limit_bytes >> 20, us[200], us[380]);
        assert!(us[200] < 100.0);
    }
}
