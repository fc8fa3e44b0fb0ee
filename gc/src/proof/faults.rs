//! The fault matrix: everything that can fail, failing in each phase of a cycle. Whatever fails, the program sees the same
//! heap as its double, or an out-of-memory error; and when the fault is gone, all works as before.
//!
//! It must never count a cell as tried if the heap was in another phase, or the fault did not strike.

use super::support::{Double, FakeClock, Operation, Random};
use crate::cycle::Phase;
use crate::pause::{Cause, Plan};
use crate::policy::{Adversarial, Overrides, Policy, Static};
use crate::room::Room;
use crate::{Collect, HeapConfig};

const MIB: u64 = 1 << 20;
const LIMIT_BYTES: u64 = 48 * MIB;
const OPERATIONS: usize = 50;

/// Where a cycle is when something fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum When {
    /// No cycle.
    Idle,
    /// Marking traces, and has not ended.
    Trace,
    Rebuild,
    Clear,
    /// The next pause is a mixed one.
    Mixed,
}

const PHASES: [When; 5] = [When::Idle, When::Trace, When::Rebuild, When::Clear, When::Mixed];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fault {
    EveryCopy,
    ThirdCopy,
    Commit,
    MarkStack,
    Tables,
    Pins,
    Knobs,
    Limit,
    Host,
    FullCollection,
    Drop,
}

const FAULTS: [Fault; 11] = [
    Fault::EveryCopy,
    Fault::ThirdCopy,
    Fault::Commit,
    Fault::MarkStack,
    Fault::Tables,
    Fault::Pins,
    Fault::Knobs,
    Fault::Limit,
    Fault::Host,
    Fault::FullCollection,
    Fault::Drop,
];

fn policy() -> Box<dyn Policy> {
    Box::new(Static::new(Overrides {
        young_bytes: Some(256 << 10),
        old_region_bytes: Some(64 << 10),
        eden_region_bytes: Some(64 << 10),
        tenuring_age: Some(1),
        // Marking starts where the test says.
        concurrent_start_share: Some(0.95),
        mixed_live_share: Some(1.0),
        mixed_pause_count: Some(8),
        heap_target_bytes: Some(4 * MIB),
        ..Overrides::default()
    }))
}

/// A heap with old regions that are half garbage, in this phase.
fn in_phase(when: When, overflow: bool) -> Double {
    let config = HeapConfig {
        // Slices come when the test asks for them, so a phase lasts as long as it likes.
        zeal: "slice:1000M,verify".parse().expect("zeal"),
        clock: Box::new(FakeClock::default()),
        ..HeapConfig::new(LIMIT_BYTES)
    };
    let mut double = Double::new(config, policy());
    double.heap.zeal.mark_stack = overflow;
    for slot in 0..120 {
        double.run(&Operation::List { root: 0, length: 250 });
        double.run(&Operation::Keep { from: Some(0), slot });
    }
    double.collect(Collect::Young);
    (0..120).step_by(2).for_each(|slot| double.run(&Operation::Keep { from: None, slot }));
    (0..3).for_each(|_| double.collect(Collect::Young));
    if when == When::Idle {
        return double;
    }
    double.heap.pause(Plan::Evacuate { mark: true, everything: false }, Cause::Asked, &mut double.roots);
    let slice = |double: &mut Double| double.heap.advance_marking(0, true, &mut double.roots);
    slice(&mut double);
    if when != When::Trace {
        while double.heap.is_in(Phase::Trace) {
            slice(&mut double);
        }
    }
    if when == When::Clear || when == When::Mixed {
        while double.heap.is_in(Phase::Rebuild) {
            slice(&mut double);
        }
    }
    if when == When::Mixed {
        double.collect(Collect::Young);
    }
    double
}

fn assert_phase(double: &Double, when: When) {
    let expected = match when {
        When::Idle => None,
        When::Trace => Some(Phase::Trace),
        When::Rebuild => Some(Phase::Rebuild),
        When::Clear | When::Mixed => Some(Phase::Clear),
    };
    let phase = double.heap.concurrent.as_ref().map(|cycle| cycle.phase);
    assert_eq!(phase, expected, "{when:?}");
    let waiting = !double.heap.candidates.is_empty();
    assert_eq!(waiting, matches!(when, When::Rebuild | When::Clear | When::Mixed), "candidates in {when:?}");
}

fn program(double: &mut Double, seed: u64) {
    let mut random = Random::new(seed);
    for step in 0..OPERATIONS {
        double.run(&Operation::random(&mut random));
        if step % 16 == 0 {
            double.collect(Collect::Young);
        }
    }
    double.check();
}

/// Makes it fail, runs a program, and says whether something failed.
fn strike(double: &mut Double, fault: Fault, seed: u64) -> bool {
    let failures = double.out_of_memory.get();
    match fault {
        Fault::EveryCopy => double.heap.zeal.copy_fail = 1,
        Fault::ThirdCopy => double.heap.zeal.copy_fail = 3,
        Fault::Commit => double.heap.space.commit_failures = (1, 1),
        Fault::Tables => double.heap.room = Room::new(16),
        Fault::Pins => (0..6).for_each(|root| {
            double.run(&Operation::List { root, length: 10 });
            double.pin(root);
        }),
        Fault::Knobs => double.heap.set_policy(Box::new(Adversarial::new(seed))),
        Fault::Limit => double.heap.set_limit_bytes(MIB),
        Fault::Host => double.set_host_bytes(double.heap.space.room_bytes() - MIB / 8),
        Fault::FullCollection => double.collect(Collect::Full),
        Fault::MarkStack | Fault::Drop => {}
    }
    if matches!(fault, Fault::Limit | Fault::Host) {
        double.run(&Operation::Bytes { root: 0, len: 2 << 20, byte: 1 });
    }
    let copies_before = double.heap.stats().failed_copies;
    program(double, seed);
    let failed_copies = double.heap.stats().failed_copies > copies_before;
    double.heap.zeal.copy_fail = 0;
    double.heap.space.commit_failures = (0, 0);
    double.heap.room = Room::default();
    double.heap.set_policy(policy());
    double.heap.set_limit_bytes(LIMIT_BYTES);
    double.set_host_bytes(0);
    match fault {
        Fault::EveryCopy | Fault::ThirdCopy | Fault::Pins => failed_copies,
        Fault::Limit | Fault::Host => {
            double.out_of_memory.get() > failures || double.heap.stats().full_collections() > 0
        }
        _ => true,
    }
}

#[test]
fn every_fault_in_every_phase_is_survived() {
    for (at, fault) in FAULTS.into_iter().enumerate() {
        for when in PHASES {
            let seed = 100 + at as u64;
            let mut double = in_phase(when, fault == Fault::MarkStack);
            assert_phase(&double, when);
            if fault == Fault::Drop {
                continue;
            }
            assert!(strike(&mut double, fault, seed), "{fault:?} did not strike in {when:?}");
            program(&mut double, seed + 50);
            let failures = double.out_of_memory.get();
            // What was held by the program may go, and what is left has room again.
            (0..double.roots.len()).for_each(|root| double.clear(root));
            double.collect(Collect::Full);
            program(&mut double, seed + 70);
            assert_eq!(double.out_of_memory.get(), failures, "{fault:?} in {when:?} has an effect that stays");
        }
    }
}
