//! G1's row "GC-overhead limit": a program that does next to nothing but collect is told that memory is short, though each
//! collection still finds a little room; whoever handles that gets another chance.

use std::cell::Cell;
use std::sync::Arc;

use tenure_gc::policy::{Overrides, Static};
use tenure_gc::{Clock, Heap, HeapConfig, Shape, ShapeTable, Work};

const MIB: u64 = 1 << 20;
const LIMIT_BYTES: u64 = 64 * MIB;

/// The program takes so much time for a byte that it allocates, and a pause takes 10 ms.
struct Busy {
    ns_per_byte: u64,
    now_ns: Cell<u64>,
}

impl Clock for Busy {
    fn is_repeatable(&self) -> bool {
        true
    }

    fn now_ns(&self) -> u64 {
        self.now_ns.get()
    }

    fn thread_cpu_ns(&self) -> u64 {
        self.now_ns.get()
    }

    fn thread_system_ns(&self) -> u64 {
        0
    }

    fn charge(&self, work: Work) {
        let ns = match work {
            Work::Allocated(bytes) => bytes * self.ns_per_byte,
            Work::Pause => 10_000_000,
            _ => 0,
        };
        self.now_ns.set(self.now_ns.get() + ns);
    }
}

/// Keeps so many MiB alive and allocates what dies at once; pauses until memory was said to be short, at most 150.
fn pauses_until_told(live_mib: u64, ns_per_byte: u64, times: usize) -> Vec<Option<u64>> {
    let shapes = Arc::new(ShapeTable::new());
    let bytes = shapes.push(Shape::ByteArray, "bytes");
    let clock = Box::new(Busy { ns_per_byte, now_ns: Cell::new(0) });
    let config = HeapConfig { clock, ..HeapConfig::new(LIMIT_BYTES) };
    let mut heap = Heap::new(config, shapes, Box::new(Static::new(Overrides::default()))).expect("a heap");
    let mut roots: Vec<u64> = Vec::new();
    for _ in 0..live_mib {
        let object = heap.allocate_array(bytes, MIB - 8, &mut roots).expect("room");
        roots.push(u64::from(object.index()));
    }
    let mut told = |before: u64| {
        while heap.stats().pauses() < before + 150 {
            if heap.allocate_array(bytes, 8000, &mut roots).is_err() {
                return Some(heap.stats().pauses() - before);
            }
        }
        None
    };
    let mut before = 0;
    (0..times)
        .map(|_| {
            let pauses = told(before);
            before += pauses.unwrap_or(150);
            pauses
        })
        .collect()
}

#[test]
fn a_program_that_only_collects_is_told_and_may_go_on() {
    let told = pauses_until_told(61, 0, 3);
    for pauses in &told {
        assert!(pauses.is_some_and(|pauses| (60..140).contains(&pauses)), "{told:?}");
    }
}

#[test]
fn one_that_gets_somewhere_or_has_room_is_not() {
    assert_eq!(pauses_until_told(61, 100, 1), [None], "it has time of its own");
    assert_eq!(pauses_until_told(59, 0, 1), [None], "there is room");
}
