//! G1's row "young pause": parallel copying with work stealing. Whatever the number of workers, the heap holds the same; and
//! each path on which two of them can meet is taken: claims, failed copies, pins, large arrays, the pause that starts marking.

mod support;

use std::io::Write;
use std::sync::{Arc, Mutex};

use support::{Double, FakeClock, Operation, Random, busy};
use tenure_gc::log::LogWriter;
use tenure_gc::policy::{Adaptive, CycleKind, Overrides, Static};
use tenure_gc::{Collect, Heap, HeapConfig, Observer, PausePhase, PauseReport, Phases, Ref, Shape, ShapeTable};

const MIB: u64 = 1 << 20;

#[test]
fn any_number_of_workers_keeps_the_same_graph() {
    let modes = [
        "",
        "young:64K",
        "mark:128K",
        "move:256K",
        "copyfail:7",
        "copyfail:20,move:512K",
        "slice:1K,mark:64K,young:16K",
        "commitfail:5",
        "full:512K",
    ];
    let mut mixed = 0;
    for (seed, mode) in modes.into_iter().enumerate() {
        for workers in 2..=4 {
            let mut random = Random::new(seed as u64 + 100 * workers);
            let config = HeapConfig {
                verify: true,
                zeal: format!("{mode},workers:{workers}").parse().expect("zeal"),
                clock: Box::new(FakeClock::default()),
                ..HeapConfig::new(64 * MIB)
            };
            let mut double = Double::new(config, busy());
            for step in 0..1200 {
                double.run(&Operation::random(&mut random));
                if step % 64 == 0 {
                    double.check();
                }
            }
            double.check();
            let stats = double.heap.stats();
            mixed += stats.pauses_by_kind[CycleKind::Mixed as usize];
            // What is pinned is not copied either.
            assert!(stats.failed_copies > 0 || !mode.contains("copyfail"), "{mode}");
        }
    }
    assert!(mixed > 10, "{mixed} mixed pauses");
}

struct Told(Arc<Mutex<Vec<Phases>>>);

impl Observer for Told {
    fn pause(&mut self, report: &PauseReport) {
        assert!(report.critical_cpu_ns <= report.user_ns + report.system_ns);
        self.0.lock().expect("no panic").push(report.phases);
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A wide tree, a large array of young objects and one of old ones: several workers take part, and each phase is told.
#[test]
fn workers_share_trees_and_large_arrays() {
    let shapes = Arc::new(ShapeTable::new());
    let node = shapes.push(Shape::Record { words: 3, refs: 2 }, "Node");
    let refs = shapes.push(Shape::RefArray, "Refs");
    let zeal = "workers:3".parse().expect("zeal");
    let config = HeapConfig { zeal, ..HeapConfig::new(256 * MIB) };
    let policy =
        Static::new(Overrides { young_bytes: Some(64 * MIB), large_object_bytes: Some(MIB), ..Overrides::default() });
    let mut heap = Heap::new(config, shapes, Box::new(policy)).expect("a heap");
    let told = Arc::new(Mutex::new(Vec::new()));
    heap.add_observer(Box::new(Told(Arc::clone(&told))));
    let log = Log::default();
    heap.add_observer(Box::new(LogWriter::new(Box::new(log.clone()), Box::new(|error| panic!("{error}")))));
    // Elements 0 and 1 of the first root are arrays, one of them a large object; their elements are trees of three nodes.
    let mut roots = vec![0_u64; 4];
    let at = |roots: &[u64], root: usize| Ref::from_index(roots[root] as u32);
    const LENGTHS: [u64; 2] = [60_000, 300_000];
    for (root, length) in LENGTHS.into_iter().enumerate() {
        roots[root] = u64::from(heap.allocate_array(refs, length, &mut roots).expect("room").index());
        for slot in 0..length {
            for part in 2..4 {
                roots[part] = u64::from(heap.allocate_record(node, &mut roots).expect("room").index());
                heap.set_word(at(&roots, part), 1, slot);
            }
            let top = heap.allocate_record(node, &mut roots).expect("room");
            heap.set_ref(top, 0, at(&roots, 2));
            heap.set_ref(top, 1, at(&roots, 3));
            heap.set_ref(at(&roots, root), slot, top);
        }
    }
    for round in 0..6 {
        heap.collect(if round == 3 { Collect::Full } else { Collect::Young }, &mut roots);
        for (root, length) in LENGTHS.into_iter().enumerate() {
            for slot in 0..length {
                let top = heap.ref_at(at(&roots, root), slot);
                for part in 0..2 {
                    assert_eq!(heap.word_at(heap.ref_at(top, part), 1), slot, "round {round}");
                }
            }
        }
    }
    let log = String::from_utf8(log.0.lock().expect("no panic").clone()).expect("text");
    for words in
        ["Ext Root Scanning (ms): Max: ", "Object Copy (ms): Max: ", "  Free Collection Set: ", "Adjust pointers"]
    {
        let is_phase = |line: &str| line.contains("[info][gc,phases   ] GC(") && line.contains(words);
        assert!(log.lines().any(is_phase), "no phase {words} in {log}");
    }
    let told = told.lock().expect("no panic");
    assert!(told.iter().any(|phases| phases.workers > 1), "nobody helped in {} pauses", told.len());
    for phase in [PausePhase::Roots, PausePhase::StoreBuffer, PausePhase::Copy, PausePhase::Free] {
        assert!(told.iter().any(|phases| phases.sum_ns(phase) > 0), "{phase:?} is never told");
    }
    assert!(told.iter().all(|phases| PausePhase::ALL.iter().all(|p| phases.longest_ns(*p) <= phases.sum_ns(*p))));
}

/// With a clock that gives the same times in each run there is one worker, so a run is repeated bit by bit.
#[test]
fn repeatable_runs_have_one_worker() {
    let run = || {
        let config = HeapConfig { clock: Box::new(FakeClock::default()), ..HeapConfig::new(64 * MIB) };
        let mut double = Double::new(config, Box::new(Adaptive::new()));
        let mut random = Random::new(5);
        (0..3000).for_each(|_| double.run(&Operation::random(&mut random)));
        let stats = double.heap.stats();
        assert!(stats.phases.workers <= 1);
        (double.roots.clone(), stats.copied_bytes, stats.pause_ns_total)
    };
    assert_eq!(run(), run());
}
