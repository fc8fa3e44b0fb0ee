//! Region size is a knob that does something: with all else fixed, it moves remembered entries, bytes copied for each byte
//! freed, and the waste in open tails.

mod support;

use std::sync::{Arc, Mutex};

use support::{FakeClock, Random, Shapes};
use tenure_gc::policy::{CycleKind, Decision, Envelope, Knobs, Outcome, Overrides, Policy, Reason, Snapshot, Static};
use tenure_gc::{Heap, HeapConfig, Observer, PauseReport, Ref};

const MIB: u64 = 1 << 20;
const KIB: u64 = 1 << 10;

/// Totals over the pauses of a run.
#[derive(Clone, Copy, Default, Debug)]
struct Totals {
    remembered_entries: u64,
    compacted_bytes: u64,
    old_freed_bytes: u64,
    tail_waste_bytes: u64,
    tail_waste_bytes_max: u64,
    mixed_pauses: u64,
    sizes_alive_max: u32,
}

#[derive(Clone, Default)]
struct Counter(Arc<Mutex<Totals>>);

impl Observer for Counter {
    fn pause(&mut self, report: &PauseReport) {
        let mut totals = self.0.lock().unwrap();
        let snapshot = &report.snapshot;
        if snapshot.kind == CycleKind::Mixed {
            totals.mixed_pauses += 1;
            totals.remembered_entries += snapshot.remembered_entries;
            totals.old_freed_bytes += snapshot.old_freed_bytes;
        }
        totals.compacted_bytes += snapshot.compacted_bytes;
        totals.tail_waste_bytes += snapshot.tail_waste_bytes;
        totals.tail_waste_bytes_max = totals.tail_waste_bytes_max.max(snapshot.tail_waste_bytes);
        totals.sizes_alive_max = totals.sizes_alive_max.max(snapshot.region_sizes_alive);
    }
}

const SLOTS: u64 = 60_000;
/// Slots replaced together: what was allocated together mostly dies together.
const RUN: u64 = 2_000;

/// A table of records, each with 64 bytes of its own and a reference to a random other one. Runs of slots are replaced.
fn churn(policy: Box<dyn Policy>, rounds: u64) -> (Totals, Heap) {
    let shapes = Shapes::new();
    // A goal that leaves no time for optional candidates, so that they are spread as the knob says.
    let clock = Box::new(FakeClock::default());
    let config = HeapConfig { clock, pause_goal_ns: 400_000, ..HeapConfig::new(256 * MIB) };
    let mut heap = Heap::new(config, shapes.table.clone(), policy).unwrap();
    let counter = Counter::default();
    heap.add_observer(Box::new(counter.clone()));
    let mut random = Random::new(5);
    let mut roots = vec![0u64; 2];
    let table = heap.allocate_array(shapes.refs, SLOTS, &mut roots).unwrap();
    roots[0] = u64::from(table.index());
    for round in 0..rounds {
        let first = if round * RUN < SLOTS { round * RUN } else { random.below(SLOTS / RUN) * RUN };
        for slot in first..first + RUN {
            // Some of a run live on, so that regions are neither all dead nor all alive.
            if round * RUN >= SLOTS && random.chance(15) {
                continue;
            }
            let record = heap.allocate_record(shapes.pair, &mut roots).unwrap();
            roots[1] = u64::from(record.index());
            let payload = heap.allocate_array(shapes.words, 8, &mut roots).unwrap();
            let (table, record) = (Ref::from_index(roots[0] as u32), Ref::from_index(roots[1] as u32));
            heap.set_ref(record, 0, payload);
            // Mostly a neighbour, at times one from far away.
            let near = first + random.below(RUN);
            let other = if random.chance(20) { random.below(SLOTS) } else { near };
            let other = heap.ref_at(table, other);
            if !other.is_nil() {
                // The payload of the other, so that no chain of dead records is kept alive.
                let other = heap.ref_at(other, 0);
                heap.set_ref(record, 1, other);
            }
            heap.set_ref(table, slot, record);
        }
    }
    let totals = *counter.0.lock().unwrap();
    (totals, heap)
}

fn sized(old_region_bytes: u64, eden_region_bytes: u64) -> Box<dyn Policy> {
    Box::new(Static::new(Overrides {
        old_region_bytes: Some(old_region_bytes),
        eden_region_bytes: Some(eden_region_bytes),
        young_bytes: Some(MIB),
        tenuring_age: Some(1),
        concurrent_start_share: Some(0.15),
        mixed_live_share: Some(0.85),
        mixed_pause_count: Some(4),
        large_object_bytes: Some(256 * KIB),
        heap_target_bytes: Some(64 * MIB),
        uncommit_delay_ns: Some(u64::MAX),
        ..Overrides::default()
    }))
}

#[test]
fn old_region_size_moves_three_counters() {
    let runs = [64 * KIB, MIB, 4 * MIB].map(|bytes| {
        let (totals, _) = churn(sized(bytes, 256 * KIB), 1500);
        let copied_per_freed = totals.compacted_bytes as f64 / totals.old_freed_bytes as f64;
        println!("{:>5} KiB: {copied_per_freed:.3} bytes copied per byte freed, {totals:?}", bytes / KIB);
        assert!(totals.mixed_pauses > 10);
        (
            totals.remembered_entries as f64 / totals.mixed_pauses as f64,
            copied_per_freed,
            totals.tail_waste_bytes as f64,
        )
    });
    let [small, middle, large] = runs;
    let moved = |a: f64, b: f64| (a / b).max(b / a);
    for (name, values) in [
        ("remembered entries", [small.0, middle.0, large.0]),
        ("bytes copied per byte freed", [small.1, middle.1, large.1]),
        ("tail waste", [small.2, middle.2, large.2]),
    ] {
        let spread = moved(values[0], values[1]).max(moved(values[1], values[2])).max(moved(values[0], values[2]));
        assert!(spread > 1.1, "{name} moved by {spread} only: {values:?}");
    }
    assert!(small.1 < large.1, "smaller regions are chosen more precisely: {} against {}", small.1, large.1);
    assert!(small.2 < large.2, "smaller regions leave smaller tails: {} against {}", small.2, large.2);
}

#[test]
fn eden_region_size_moves_refills_and_tails() {
    let mut tails = Vec::new();
    for bytes in [64 * KIB, MIB, 4 * MIB] {
        let (totals, heap) = churn(sized(256 * KIB, bytes), 300);
        tails.push(totals.tail_waste_bytes);
        // A megabyte of eden takes as many regions as fit in it, and at most two more for what their tails waste.
        let refills = heap.snapshot().eden_refills;
        let least = (MIB / bytes).max(1);
        assert!((least..=least + 2).contains(&refills), "{bytes}: {refills} refills");
    }
    assert!(tails[0] < tails[1], "{tails:?}");
}

/// Another size each cycle.
struct Restless(u64);

impl Policy for Restless {
    fn name(&self) -> &'static str {
        "restless"
    }

    fn decide(&mut self, snapshot: &Snapshot, _: &Knobs, envelope: &Envelope) -> Decision {
        self.0 += 1;
        let region_bytes = envelope.region_bytes_min << (self.0 % 7);
        let knobs = Knobs {
            old_region_bytes: region_bytes,
            eden_region_bytes: (region_bytes << 1).min(envelope.region_bytes_max),
            concurrent_start_share: 0.1 + (self.0 % 5) as f64 / 20.0,
            young_bytes: 4 * MIB,
            tenuring_age: 1,
            heap_target_bytes: 64 * MIB,
            ..envelope.initial(snapshot)
        };
        Decision::plain(knobs, Reason::Explore)
    }

    fn observe(&mut self, _: &Outcome) {}
}

#[test]
fn sizes_live_side_by_side() {
    let (totals, _) = churn(Box::new(Restless(0)), 400);
    assert!(totals.sizes_alive_max >= 4, "{totals:?}");
}
