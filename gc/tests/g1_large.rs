//! G1's row "humongous": dead large objects are reclaimed at any young pause, of every type, without a marking; and its row
//! "marking", as far as a cycle is undone when that made it needless.

mod support;

use std::sync::{Arc, Mutex};

use support::{Double, FakeClock};
use tenure_gc::policy::{Overrides, Policy, Static};
use tenure_gc::{Collect, HeapConfig, MarkEvent, MarkReport, Observer, Ref};

const MIB: u64 = 1 << 20;
/// More than the threshold of these heaps.
const LARGE_REFS: usize = 100_000;
const LARGE_BYTES: usize = 400_000;

fn policy(concurrent_start_share: f64) -> Box<dyn Policy> {
    Box::new(Static::new(Overrides {
        young_bytes: Some(512 << 10),
        eden_region_bytes: Some(128 << 10),
        large_object_bytes: Some(256 << 10),
        tenuring_age: Some(1),
        concurrent_start_share: Some(concurrent_start_share),
        ..Overrides::default()
    }))
}

fn double(concurrent_start_share: f64, zeal: &str) -> Double {
    let config = HeapConfig {
        verify: true,
        clock: Box::new(FakeClock::default()),
        zeal: zeal.parse().expect("zeal"),
        ..HeapConfig::new(64 * MIB)
    };
    Double::new(config, policy(concurrent_start_share))
}

fn large_bytes(double: &Double) -> u64 {
    double.heap.snapshot().large_bytes
}

/// Roots of these tests, and one for what is new.
const TABLE: usize = 0;
const NEW: usize = 1;

/// An old array in a root, with so many slots.
fn old_table(double: &mut Double, slots: usize) {
    double.new_refs(TABLE, slots);
    (0..3).for_each(|_| double.collect(Collect::Young));
    assert!(double.is_armed(Ref::from_index(double.roots[TABLE] as u32)), "the table is old");
}

#[test]
fn churn_of_large_objects_needs_no_marking() {
    let mut double = double(0.95, "");
    old_table(&mut double, 16);
    for round in 0..2000 {
        // Bytes, references, and references that refer to bytes: each replaces what its slot held.
        match round % 3 {
            0 => double.new_bytes(NEW, LARGE_BYTES, round as u8),
            1 => double.new_refs(NEW, LARGE_REFS),
            _ => {
                double.new_refs(NEW, LARGE_REFS);
                double.new_bytes(NEW + 1, LARGE_BYTES, round as u8);
                double.store(NEW, round, Some(NEW + 1));
                double.clear(NEW + 1);
                true
            }
        };
        double.store(TABLE, round * 7, Some(NEW));
        double.clear(NEW);
        if round % 100 == 0 {
            double.check();
        }
    }
    double.check();
    let stats = double.heap.stats();
    assert!(stats.allocated_bytes > 800 * MIB, "{stats:?}");
    assert_eq!((stats.mark_pauses, stats.full_collections()), (0, 0), "{stats:?}");
}

#[test]
fn what_old_objects_refer_to_stays_until_the_last_lets_go() {
    let mut double = double(0.95, "");
    old_table(&mut double, 4);
    double.new_bytes(NEW, LARGE_BYTES, 7);
    (0..3).for_each(|slot| double.store(TABLE, slot, Some(NEW)));
    double.clear(NEW);
    for slot in 0..3 {
        (0..3).for_each(|_| double.collect(Collect::Young));
        double.check();
        assert!(large_bytes(&double) > 0, "slot {slot} and those after it still refer to it");
        double.store(TABLE, slot, None);
    }
    double.collect(Collect::Young);
    assert_eq!(large_bytes(&double), 0);
}

#[test]
fn too_many_sources_wait_for_the_next_marking_which_watches_again() {
    let mut double = double(0.95, "");
    // Twenty old records that all refer to one large object.
    old_table(&mut double, 20);
    double.new_bytes(NEW, LARGE_BYTES, 9);
    for slot in 0..20 {
        double.new_record(NEW + 1, false, slot);
        double.store(NEW + 1, 0, Some(NEW));
        double.store(TABLE, slot as usize, Some(NEW + 1));
    }
    double.clear(NEW + 1);
    (0..3).for_each(|_| double.collect(Collect::Young));
    // All but three let go, but nobody has counted.
    for slot in 3..20 {
        double.load(NEW + 1, TABLE, slot);
        double.store(NEW + 1, 0, None);
    }
    double.clear(NEW);
    double.collect(Collect::Young);
    double.collect(Collect::Mark);
    double.check();
    assert!(large_bytes(&double) > 0);
    // The walk after the marking found the three.
    for slot in 0..3 {
        double.load(NEW + 1, TABLE, slot);
        double.store(NEW + 1, 0, None);
    }
    double.collect(Collect::Young);
    double.check();
    assert_eq!(large_bytes(&double), 0);

    // And without that walk it is not reclaimed.
    double.new_bytes(NEW, LARGE_BYTES, 9);
    for slot in 0..20 {
        double.load(NEW + 1, TABLE, slot);
        double.store(NEW + 1, 0, Some(NEW));
    }
    double.clear(NEW);
    double.collect(Collect::Young);
    for slot in 0..20 {
        double.load(NEW + 1, TABLE, slot);
        double.store(NEW + 1, 0, None);
    }
    (0..3).for_each(|_| double.collect(Collect::Young));
    assert!(large_bytes(&double) > 0);
    double.collect(Collect::Mark);
    assert_eq!(double.heap.stats().full_collections(), 0);
    double.collect(Collect::Young);
    assert_eq!(large_bytes(&double), 0);
}

#[test]
fn cycles_of_large_objects_are_left_to_marking_and_chains_are_not() {
    let mut double = double(0.95, "");
    double.new_refs(NEW, LARGE_REFS);
    double.new_refs(NEW + 1, LARGE_REFS);
    double.store(NEW, 5, Some(NEW + 1));
    (0..3).for_each(|_| double.collect(Collect::Young));
    double.clear(NEW + 1);
    double.check();
    double.clear(NEW);
    double.collect(Collect::Young);
    assert_eq!(large_bytes(&double), 0, "both at once");

    double.new_refs(NEW, LARGE_REFS);
    double.new_refs(NEW + 1, LARGE_REFS);
    double.store(NEW, 5, Some(NEW + 1));
    double.store(NEW + 1, 5, Some(NEW));
    double.collect(Collect::Young);
    double.clear(NEW);
    double.clear(NEW + 1);
    double.collect(Collect::Young);
    assert!(large_bytes(&double) > 0);
    double.collect(Collect::Mark);
    double.collect(Collect::Young);
    assert_eq!(large_bytes(&double), 0);
}

#[test]
fn what_is_held_weakly_alone_waits_for_marking() {
    let mut double = double(0.95, "");
    double.new_record(TABLE, false, 1);
    double.new_bytes(NEW, LARGE_BYTES, 3);
    let [holder, target] = [TABLE, NEW].map(|root| Ref::from_index(double.roots[root] as u32));
    let weak = double.heap.new_weak(holder, target).unwrap();
    double.clear(NEW);
    (0..3).for_each(|_| double.collect(Collect::Young));
    let holder = Ref::from_index(double.roots[TABLE] as u32);
    assert_ne!(double.heap.weak_target(holder, weak), Ref::NIL);
    double.collect(Collect::Mark);
    assert_eq!(double.heap.weak_target(holder, weak), Ref::NIL);
    double.collect(Collect::Young);
    assert_eq!(large_bytes(&double), 0);
}

/// A heap that marks in slices, so that there are young pauses within a marking; in `NEW` a large array, and in its slot 9 an old
/// record that nothing else refers to.
fn old_record_in_a_large_array() -> Double {
    let mut double = double(0.1, "slice:4M");
    old_table(&mut double, 4);
    double.new_refs(NEW, LARGE_REFS);
    double.new_record(NEW + 1, false, 42);
    double.store(NEW, 9, Some(NEW + 1));
    double.clear(NEW + 1);
    (0..4).for_each(|_| double.collect(Collect::Young));
    double
}

/// Arrays of references that were there when a marking began stay while it runs.
#[test]
fn references_of_the_snapshot_are_not_reclaimed_while_marking() {
    let mut double = old_record_in_a_large_array();
    double.new_bytes(NEW + 2, 8 * LARGE_BYTES, 1);
    double.new_bytes(NEW + 3, 8 * LARGE_BYTES, 1);
    double.collect(Collect::Young);
    let before = double.heap.stats().mark_pauses;
    // Taken out of the array, which then goes: the oracle of the snapshot and the tracer see whether that was too early.
    double.load(NEW + 1, NEW, 9);
    double.clear(NEW);
    let large = large_bytes(&double);
    double.clear(NEW + 2);
    double.collect(Collect::Young);
    let left = large_bytes(&double);
    assert!(left < large, "bytes may go at any time");
    assert!(left >= LARGE_REFS as u64 * 4 + 8 * LARGE_BYTES as u64, "references stay while the marking runs");
    double.check();
    double.collect(Collect::Mark);
    assert!(double.heap.stats().mark_pauses > before, "the marking had not ended");
    double.check();
}

/// The same where room is short: the array goes at once, and what it referred to when the marking began is marked.
#[test]
fn references_of_the_snapshot_are_visited_before_they_go_where_room_is_short() {
    let mut double = old_record_in_a_large_array();
    double.new_bytes(NEW + 2, 50 << 20, 1);
    double.collect(Collect::Young);
    let (before, large) = (double.heap.stats().mark_pauses, large_bytes(&double));
    // The record is in a root alone now, which marking visited before it was there.
    double.load(NEW + 1, NEW, 9);
    double.clear(NEW);
    double.collect(Collect::Young);
    assert!(large_bytes(&double) <= large - LARGE_REFS as u64 * 4, "the array is gone");
    assert_eq!(double.heap.stats().mark_pauses, before, "the marking runs still");
    double.check();
    // The oracle of the snapshot looks at the record.
    double.collect(Collect::Mark);
    assert!(double.heap.stats().mark_pauses > before, "the marking had not ended");
    double.check();
}

#[derive(Clone, Default)]
struct Events(Arc<Mutex<Vec<MarkEvent>>>);

impl Observer for Events {
    fn marking(&mut self, report: &MarkReport) {
        self.0.lock().unwrap().push(report.event);
    }
}

#[test]
fn a_cycle_that_reclaiming_made_needless_is_undone() {
    let mut double = double(0.4, "");
    let events = Events::default();
    double.heap.add_observer(Box::new(events.clone()));
    for round in 0..500 {
        // Garbage at once: it fills the heap past the threshold again and again.
        double.new_bytes(NEW, LARGE_BYTES, round as u8);
        double.clear(NEW);
    }
    let undone = events.0.lock().unwrap().clone();
    assert!(undone.len() > 3 && undone.iter().all(|event| *event == MarkEvent::Undo), "{undone:?}");
    // A marking after an undone one is a whole one.
    double.new_bytes(NEW, LARGE_BYTES, 1);
    double.collect(Collect::Mark);
    double.check();
    assert!(events.0.lock().unwrap().contains(&MarkEvent::Remark));
}
