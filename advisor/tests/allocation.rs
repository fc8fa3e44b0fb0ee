//! The decision path allocates nothing: a decision is made inside a pause, when the heap may be out of memory.
//!
//! A test of its own process, because the counter is the global allocator.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use tenure_advisor::Advisor;
use tenure_gc::policy::{Envelope, Outcome, Policy, Snapshot};

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call is passed on to the system allocator unchanged; counting touches no memory it manages.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps `alloc`'s contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps `dealloc`'s contract, and the pointer came from `System`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

#[test]
fn deciding_and_observing_allocate_nothing() {
    let envelope = Envelope {
        region_bytes_min: 64 << 10,
        region_bytes_max: 4 << 20,
        young_bytes_min: 1 << 20,
        young_bytes_max: 128 << 20,
        limit_bytes: 256 << 20,
    };
    let mut advisor = Advisor::shipped();
    let mut knobs = envelope.initial(&Snapshot { limit_bytes: 256 << 20, ..Snapshot::default() });
    let before = ALLOCATIONS.with(Cell::get);
    for cycle in 0..2000_u64 {
        // Two phases, so that the planner moves and the guard probes.
        let heavy = (cycle / 200) % 2;
        let snapshot = Snapshot {
            cycle,
            uptime_ns: cycle * 10_000_000,
            pause_goal_ns: 10_000_000,
            limit_bytes: 256 << 20,
            committed_bytes: 64 << 20,
            old_bytes: (20 << 20) + heavy * (60 << 20),
            live_bytes: 10 << 20,
            mutator_ns: 9_000_000,
            mutator_cpu_ns: 9_000_000,
            allocated_bytes: 8 << 20,
            young_bytes: 8 << 20,
            survived_bytes: (64 << 10) + heavy * (1 << 20),
            promoted_bytes: 32 << 10,
            pause_ns: 500_000,
            pause_cpu_ns: 500_000,
            pause_ns_p50: 500_000,
            pause_ns_p95: 900_000,
            remembered_entries: 1000,
            ..Snapshot::default()
        };
        knobs = envelope.clamp(&advisor.decide(&snapshot, &knobs, &envelope).knobs, &knobs);
        advisor.observe(&Outcome {
            cycle: cycle + 1,
            pause_ns: 500_000,
            gc_cpu_ns: 500_000 + heavy * 900_000,
            mutator_ns: 9_000_000,
            allocated_bytes: 8 << 20,
            committed_bytes_max: 64 << 20,
            ..Outcome::default()
        });
    }
    assert_eq!(ALLOCATIONS.with(Cell::get) - before, 0);
}
