//! G1's row "mixed pauses": candidates by efficiency, spread over some pauses, with an optional part that stops at the predicted
//! budget. Time is the work done, so each run is the same, and what was predicted can be held against what was done.

mod support;

use std::sync::{Arc, Mutex};

use support::{Random, Shapes};
use tenure_gc::policy::{CycleKind, Overrides, Static};
use tenure_gc::{Heap, HeapConfig, Observer, PauseReport, Ref, WorkClock};

const MIB: u64 = 1 << 20;
/// A table, in one large array, of objects that are replaced in no order.
const SLOTS: u64 = 40_000;
const CHUNK_SLOTS: u64 = 128;
const OBJECT_WORDS: u64 = 16;
const MIXED_PAUSES: u32 = 8;
/// What a first step may exceed its prediction by: young survival is not known before.
const PREDICTED_WITHIN: f64 = 1.5;

/// The pauses, in order.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<PauseReport>>>);

impl Observer for Told {
    fn pause(&mut self, report: &PauseReport) {
        self.0.lock().expect("no panic").push(*report);
    }
}

impl Told {
    fn mixed(&self) -> Vec<PauseReport> {
        let told = self.0.lock().expect("no panic");
        told.iter().filter(|report| report.kind == CycleKind::Mixed).copied().collect()
    }

    /// Most mixed pauses that followed one marking.
    fn most_in_a_row(&self) -> usize {
        let told = self.0.lock().expect("no panic");
        let cycles = told.split(|report| report.kind == CycleKind::PrepareMixed);
        cycles.map(|cycle| cycle.iter().filter(|report| report.kind == CycleKind::Mixed).count()).max().unwrap_or(0)
    }
}

/// Makes the table and replaces so many of its objects; then each must still be the one that was put there.
fn churn(goal_ns: u64, replaced: u64, zeal: &str) -> Told {
    let policy = Static::new(Overrides {
        young_bytes: Some(MIB),
        old_region_bytes: Some(64 << 10),
        tenuring_age: Some(1),
        concurrent_start_share: Some(0.2),
        mixed_pause_count: Some(MIXED_PAUSES),
        heap_target_bytes: Some(64 * MIB),
        ..Overrides::default()
    });
    let shapes = Shapes::new();
    let zeal = zeal.parse().expect("zeal");
    let config = HeapConfig { verify: true, zeal, clock: Box::<WorkClock>::default(), ..HeapConfig::new(64 * MIB) };
    let mut heap = Heap::new(config, shapes.table.clone(), Box::new(policy)).expect("a heap");
    heap.set_pause_goal_ns(goal_ns);
    let told = Told::default();
    heap.add_observer(Box::new(told.clone()));
    let mut roots = vec![0_u64];
    roots[0] = u64::from(heap.allocate_array(shapes.refs, SLOTS, &mut roots).expect("room").index());
    let table = |roots: &[u64]| Ref::from_index(roots[0] as u32);
    let mut random = Random::new(3);
    let mut numbers = vec![0; SLOTS as usize];
    for number in 0..SLOTS + replaced {
        let object = heap.allocate_array(shapes.words, OBJECT_WORDS - 1, &mut roots).expect("room");
        heap.set_word(object, 0, number);
        let slot = if number < SLOTS { number } else { random.below(SLOTS) };
        heap.set_ref(table(&roots), slot, object);
        numbers[slot as usize] = number;
    }
    for (slot, number) in numbers.into_iter().enumerate() {
        assert_eq!(heap.word_at(heap.ref_at(table(&roots), slot as u64), 0), number, "slot {slot}");
    }
    told
}

#[test]
fn optional_steps_stop_at_the_goal() {
    // The share of one pause is far below the goal, all candidates are far above it.
    let goal_ns = 2_500_000;
    let mixed = churn(goal_ns, 600_000, "").mixed();
    let with_steps = mixed.iter().filter(|report| report.optional_steps > 0).count();
    assert!(with_steps > 3, "{with_steps} of {} mixed pauses had an optional part", mixed.len());
    for report in &mixed {
        assert!(report.pause_ns <= goal_ns, "{} ns, {} steps", report.pause_ns, report.optional_steps);
    }
    // They stop because the goal is near, and use what there is of it.
    let stopped: Vec<_> = mixed.iter().filter(|report| report.snapshot.candidate_regions > 0).collect();
    assert!(!stopped.is_empty(), "all candidates were taken at once");
    for report in stopped {
        assert!(2 * report.pause_ns > goal_ns, "stopped after {} ns with candidates left", report.pause_ns);
    }
}

#[test]
fn without_time_each_pause_takes_its_share_and_with_time_one_takes_all() {
    let short = churn(200_000, 600_000, "");
    let long = churn(100_000_000, 600_000, "");
    assert!(short.mixed().iter().all(|report| report.optional_steps == 0), "there was no time for optional steps");
    assert!(short.most_in_a_row() > 2, "{} mixed pauses after one marking", short.most_in_a_row());
    assert_eq!(long.most_in_a_row(), 1);
}

#[test]
fn a_mixed_pause_takes_what_was_predicted() {
    let mixed = churn(2_500_000, 600_000, "").mixed();
    // The first ones are for learning.
    for report in &mixed[4..] {
        let (predicted_ns, took_ns) = (report.predicted_ns as f64, report.pause_ns as f64);
        assert!(
            predicted_ns < took_ns * PREDICTED_WITHIN && took_ns < predicted_ns * PREDICTED_WITHIN,
            "{predicted_ns} ns were predicted, {took_ns} ns it took, {} steps",
            report.optional_steps
        );
    }
    assert!(mixed.len() > 10, "{} mixed pauses", mixed.len());
}

#[test]
fn each_step_scans_a_remembered_chunk_once() {
    let told = churn(100_000_000, 300_000, "");
    let mixed = told.mixed();
    assert!(!mixed.is_empty());
    // Of the table's chunks, each refers to nearly every candidate. All of them may be on the store buffer as well.
    let chunks = SLOTS.div_ceil(CHUNK_SLOTS) + 1;
    for report in &mixed {
        let entries = report.snapshot.remembered_entries;
        assert!(entries <= chunks * u64::from(2 + report.optional_steps), "{entries} entries");
        assert!(report.snapshot.compacted_bytes > 0, "candidates were copied out");
    }
}

#[test]
fn optional_steps_keep_what_lives_in_every_mode() {
    for mode in ["", "workers:3", "pin:3", "commitfail:9", "tables:9000", "markstack", "quarantine"] {
        let mixed = churn(2_500_000, 300_000, mode).mixed();
        let steps: u32 = mixed.iter().map(|report| report.optional_steps).sum();
        // A pinned region is one whose copies fail, in whichever step.
        assert!(steps > 0, "{mode}: no optional step in {} mixed pauses", mixed.len());
    }
}
