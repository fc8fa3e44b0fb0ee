//! A stale reference is caught: by the poison that freed memory is filled with, and in quarantine by a fault.
//!
//! It must never pass because memory happened to be given back: the knobs here give none back.

use super::support::{Double, FakeClock};
use super::{end_of, in_a_process};
use crate::policy::{Overrides, Static};
use crate::space::POISON;
use crate::{Collect, HeapConfig};

const VARIABLE: &str = "TENURE_STALE";

/// Where an object was before a pause moved it, in a heap that keeps what it has committed.
fn stale(zeal: &str, kind: Collect) -> (Double, u32) {
    let overrides = Overrides { uncommit_delay_ns: Some(u64::MAX), ..Overrides::default() };
    let config = HeapConfig {
        zeal: zeal.parse().expect("zeal"),
        clock: Box::new(FakeClock::default()),
        ..HeapConfig::new(64 << 20)
    };
    let mut double = Double::new(config, Box::new(Static::new(overrides)));
    // Garbage in front of it, so that a compaction moves it too.
    double.new_bytes(1, 200_000, 1);
    double.clear(1);
    double.new_record(0, false, 7);
    let before = double.roots[0] as u32;
    double.collect(kind);
    assert_ne!(double.roots[0] as u32, before, "the object moved");
    double.check();
    (double, before)
}

#[test]
fn what_is_freed_is_poisoned_under_verification() {
    for kind in [Collect::Young, Collect::Full] {
        let (double, before) = stale("verify", kind);
        let poison = u64::from_ne_bytes([POISON; 8]);
        assert_eq!(double.heap.memory().word(before), poison, "{kind:?}");
        assert_eq!(double.heap.memory().word(before + 1), poison, "{kind:?}");
    }
}

#[test]
#[ignore = "run by the test below, in a process of its own"]
fn reads_what_is_stale() {
    let zeal = std::env::var(VARIABLE).expect("the zeal");
    let (double, before) = stale(&zeal, Collect::Young);
    // As compiled code reads a field: no check of the reference.
    std::hint::black_box(double.heap.memory().word(before));
}

#[test]
fn what_is_in_quarantine_faults_at_once() {
    let end = |zeal| end_of(&in_a_process("proof::quarantine::reads_what_is_stale", VARIABLE, zeal));
    assert_eq!(end("verify"), None, "without quarantine the read goes by");
    assert_eq!(end("quarantine").as_deref(), Some("signal 11"));
}

#[test]
fn quarantine_ends_where_addresses_do() {
    let (mut double, _) = stale("quarantine,young:256K", Collect::Young);
    // More than the addresses of the heap.
    for round in 0..2300 {
        double.new_bytes(round % 8, 500_000, round as u8);
    }
    double.check();
    assert!(double.heap.stats().allocated_bytes > double.heap.memory().granules() as u64 * 65536);
}
