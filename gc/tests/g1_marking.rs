//! G1's row "marking": concurrent, from a snapshot at the beginning, with remark and cleanup; on threads beside the program
//! and in slices at its safepoints; the same objects stay whichever it is.

mod support;

use std::sync::{Arc, Mutex};

use support::{Double, FakeClock, Operation, Random};
use tenure_gc::policy::{Overrides, Policy, Static};
use tenure_gc::{Collect, HeapConfig, MarkEvent, MarkReport, Observer, PauseReport};

const MIB: u64 = 1 << 20;

fn eager() -> Box<dyn Policy> {
    Box::new(Static::new(Overrides {
        young_bytes: Some(512 << 10),
        old_region_bytes: Some(64 << 10),
        eden_region_bytes: Some(128 << 10),
        tenuring_age: Some(1),
        concurrent_start_share: Some(0.1),
        mixed_live_share: Some(1.0),
        heap_target_bytes: Some(8 * MIB),
        ..Overrides::default()
    }))
}

#[derive(Clone, Default)]
struct Events(Arc<Mutex<Vec<Result<&'static str, MarkEvent>>>>);

impl Observer for Events {
    fn pause(&mut self, report: &PauseReport) {
        self.0.lock().unwrap().push(Ok(tenure_gc::log::pause_name(report.kind)));
    }

    fn marking(&mut self, report: &MarkReport) {
        self.0.lock().unwrap().push(Err(report.event));
    }
}

impl Events {
    fn count(&self, event: MarkEvent) -> usize {
        self.0.lock().unwrap().iter().filter(|e| **e == Err(event)).count()
    }
}

fn run(double: &mut Double, seed: u64, operations: usize) {
    let mut random = Random::new(seed);
    for step in 0..operations {
        double.run(&Operation::random(&mut random));
        if step % 256 == 0 {
            double.check();
        }
    }
    double.check();
}

#[test]
fn threads_beside_the_program_mark_what_it_rewrites() {
    let events = Events::default();
    for seed in 0..6 {
        // The machine's clock: markers are threads.
        let config = HeapConfig { verify: true, mark_in_slices: false, ..HeapConfig::new(64 * MIB) };
        let mut double = Double::new(config, eager());
        double.heap.add_observer(Box::new(events.clone()));
        run(&mut double, seed, 2000);
    }
    let (starts, remarks) = (events.count(MarkEvent::Start), events.count(MarkEvent::Remark));
    assert!(starts > 5 && remarks > 2, "{starts} cycles, {remarks} remarks");
}

#[test]
fn a_cycle_is_start_remark_cleanup_end_then_prepare_and_mixed() {
    let config = HeapConfig {
        verify: true,
        zeal: support::zeal(""),
        clock: Box::new(FakeClock::default()),
        ..HeapConfig::new(64 * MIB)
    };
    let mut double = Double::new(config, eager());
    let events = Events::default();
    double.heap.add_observer(Box::new(events.clone()));
    // Lists that are kept, then every second one dropped: old regions with garbage between what lives.
    for round in 0..8000 {
        double.run(&Operation::List { root: 1, length: 60 });
        double.run(&Operation::Keep { from: Some(1), slot: round * 7919 % 1500 });
    }
    double.check();
    let events = events.0.lock().unwrap();
    let marking: Vec<MarkEvent> = events.iter().filter_map(|event| event.err()).collect();
    use MarkEvent::{Cleanup, End, Remark, Start};
    let whole = [Start, Remark, Cleanup, End];
    assert!(marking.windows(4).filter(|part| *part == whole).count() > 0, "{marking:?}");
    let pauses: Vec<&str> = events.iter().filter_map(|event| event.ok()).collect();
    let prepare = pauses.iter().position(|name| name.contains("Prepare Mixed")).expect("a pause that prepares");
    assert!(pauses[prepare + 1].contains("(Mixed)"), "{:?}", &pauses[prepare..]);
    assert!(double.heap.stats().mark_pauses > 0);
}

#[test]
fn marking_goes_on_over_many_young_pauses() {
    let config = HeapConfig {
        verify: true,
        zeal: support::zeal("slice:32K,young:16K"),
        clock: Box::new(FakeClock::default()),
        ..HeapConfig::new(64 * MIB)
    };
    let mut double = Double::new(config, eager());
    let events = Events::default();
    double.heap.add_observer(Box::new(events.clone()));
    run(&mut double, 5, 3000);
    let events = events.0.lock().unwrap();
    let (mut between, mut most, mut remarks) = (0, 0, 0);
    for event in events.iter() {
        match event {
            Ok(_) => between += 1,
            Err(MarkEvent::Remark) => (most, remarks) = (most.max(between), remarks + 1),
            Err(_) => between = 0,
        }
    }
    assert!(remarks > 0 && most > 3, "{most} pauses while marking at the most, {remarks} remarks");
}

#[test]
fn a_full_collection_ends_a_cycle() {
    let config = HeapConfig {
        verify: true,
        zeal: support::zeal("slice:1M"),
        clock: Box::new(FakeClock::default()),
        ..HeapConfig::new(64 * MIB)
    };
    let mut double = Double::new(config, eager());
    let events = Events::default();
    double.heap.add_observer(Box::new(events.clone()));
    for seed in 0..4 {
        run(&mut double, seed, 400);
        double.collect(Collect::Full);
        double.check();
    }
    assert!(events.count(MarkEvent::Abort) > 0);
}

#[test]
fn heaps_are_dropped_while_they_are_marked() {
    for seed in 0..40 {
        let config = HeapConfig { mark_in_slices: false, ..HeapConfig::new(64 * MIB) };
        let mut double = Double::new(config, eager());
        (0..40).for_each(|slot| {
            double.run(&Operation::List { root: 1, length: 1000 });
            double.run(&Operation::Keep { from: Some(1), slot });
        });
        run(&mut double, seed, 20);
    }
}

#[test]
fn what_is_cut_off_while_marking_stays_for_who_holds_it() {
    // Rule (e), the case that a nil store hides: an old object is loaded, then its only slot is overwritten.
    let config = HeapConfig {
        verify: true,
        zeal: support::zeal("slice:8K,mark:64K"),
        clock: Box::new(FakeClock::default()),
        ..HeapConfig::new(64 * MIB)
    };
    let mut double = Double::new(config, eager());
    for round in 0..60 {
        double.run(&Operation::List { root: 0, length: 3000 });
        (0..3).for_each(|_| double.collect(Collect::Young));
        double.run(&Operation::Garbage { count: 1000 });
        for _ in 0..200 {
            // Walk down the list, cutting it behind.
            double.run(&Operation::Load { into: 1, from: 0, slot: 0 });
            double.run(&Operation::Store { into: 0, slot: 0, from: None });
            double.run(&Operation::Load { into: 0, from: 1, slot: 0 });
            double.run(&Operation::Store { into: 1, slot: 0, from: None });
            if double.model_roots[0].is_none() {
                break;
            }
            double.run(&Operation::Garbage { count: 20 });
        }
        if round % 10 == 0 {
            double.check();
        }
    }
    assert!(double.heap.stats().mark_pauses > 2, "{:?}", double.heap.stats());
}
