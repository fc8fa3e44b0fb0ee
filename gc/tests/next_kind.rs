//! The kind of the next collection is a knob: a policy can start a marking before the threshold, or let candidates wait.

mod support;

use std::sync::{Arc, Mutex};

use support::{FakeClock, Shapes};
use tenure_gc::policy::{CycleKind, NextKind, Overrides, Static};
use tenure_gc::{Heap, HeapConfig, Observer, PauseReport, Ref};

const MIB: u64 = 1 << 20;
const SLOTS: u64 = 40_000;

/// The kinds of the pauses, in order.
#[derive(Clone, Default)]
struct Kinds(Arc<Mutex<Vec<CycleKind>>>);

impl Observer for Kinds {
    fn pause(&mut self, report: &PauseReport) {
        self.0.lock().unwrap().push(report.snapshot.kind);
    }
}

impl Kinds {
    fn count(&self, kind: CycleKind) -> usize {
        self.0.lock().unwrap().iter().filter(|seen| **seen == kind).count()
    }
}

/// A number without visible relation to the one before (SplitMix64's mixing).
fn scattered(i: u64) -> u64 {
    let z = i.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z ^ (z >> 27)
}

/// A table whose records are replaced in no order: what is promoted dies here and there in all old regions.
fn churn(limit_bytes: u64, next_kind: NextKind, threshold: f64) -> (Kinds, Heap) {
    let policy = Static::new(Overrides {
        next_kind: Some(next_kind),
        concurrent_start_share: Some(threshold),
        young_bytes: Some(MIB),
        tenuring_age: Some(1),
        ..Overrides::default()
    });
    let shapes = Shapes::new();
    let config = HeapConfig { clock: Box::new(FakeClock::default()), ..HeapConfig::new(limit_bytes) };
    let mut heap = Heap::new(config, shapes.table.clone(), Box::new(policy)).unwrap();
    let kinds = Kinds::default();
    heap.add_observer(Box::new(kinds.clone()));
    let mut roots = vec![0u64];
    let table = heap.allocate_array(shapes.refs, SLOTS, &mut roots).unwrap();
    roots[0] = u64::from(table.index());
    for i in 0..20 * SLOTS {
        let record = heap.allocate_array(shapes.words, 8, &mut roots).unwrap();
        heap.set_ref(Ref::from_index(roots[0] as u32), scattered(i) % SLOTS, record);
    }
    (kinds, heap)
}

#[test]
fn a_marking_starts_below_the_threshold_when_it_is_called_for() {
    let (kinds, _) = churn(256 * MIB, NextKind::ByThreshold, 0.9);
    assert_eq!(kinds.count(CycleKind::ConcurrentStart), 0);
    let (kinds, heap) = churn(256 * MIB, NextKind::StartMarking, 0.9);
    assert!(kinds.count(CycleKind::ConcurrentStart) > 3);
    assert!(heap.snapshot().live_bytes > 0, "markings come to their end");
}

#[test]
fn candidates_wait_when_they_are_to_and_there_is_room() {
    let (kinds, _) = churn(128 * MIB, NextKind::ByThreshold, 0.15);
    assert!(kinds.count(CycleKind::Mixed) > 0);
    let (kinds, _) = churn(128 * MIB, NextKind::SkipMixed, 0.15);
    assert_eq!(kinds.count(CycleKind::Mixed), 0);
    assert_eq!(kinds.count(CycleKind::Full), 0);
}

#[test]
fn candidates_don_t_wait_where_room_is_short() {
    let (kinds, _) = churn(14 * MIB, NextKind::SkipMixed, 0.3);
    assert!(kinds.count(CycleKind::Mixed) > 0);
}
