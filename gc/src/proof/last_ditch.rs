//! G1's row "full collection": the last ditch moves large objects (JDK 21). The heaps here have hardly more addresses than
//! their limit, so that room is there in pieces.

use super::support::{Double, FakeClock, Operation, Random};
use crate::memory::GRANULE_BYTES;
use crate::policy::{Overrides, Static};
use crate::{Collect, HeapConfig};

const LIMIT_BYTES: u64 = 64 << 20;
/// Granules that the test's large objects may lie in.
const GRANULES: u32 = 330;

fn double(zeal: &str) -> Double {
    let overrides =
        Overrides { large_object_bytes: Some(256 << 10), young_bytes: Some(1 << 20), ..Overrides::default() };
    let config = HeapConfig {
        zeal: format!("verify,{zeal}").parse().expect("zeal"),
        clock: Box::new(FakeClock::default()),
        ..HeapConfig::new(LIMIT_BYTES)
    };
    Double::new(config, Box::new(Static::new(overrides)))
}

/// A byte array that takes so many granules.
fn large(double: &mut Double, root: usize, granules: usize) -> bool {
    double.new_bytes(root, granules * GRANULE_BYTES - 64, root as u8)
}

/// Six arrays of 30 granules with gaps of 20 between them, and hardly another place for what is large.
const ARRAYS: usize = 6;

fn fragmented(zeal: &str) -> Double {
    let mut double = double(zeal);
    double.heap.space.withhold(GRANULES);
    for root in 0..ARRAYS {
        assert!(large(&mut double, root, 30) && large(&mut double, 11, 20));
        double.hold(11);
    }
    (0..ARRAYS).for_each(|_| double.let_go(0, 11));
    double.clear(11);
    double.collect(Collect::Full);
    double
}

#[test]
fn a_run_is_made_by_moving_large_objects() {
    for zeal in ["", "workers:3", "quarantine"] {
        let mut double = fragmented(zeal);
        let (before, full) = (double.roots.clone(), double.heap.stats().full_collections());
        assert!(large(&mut double, 9, 75), "{zeal}: four gaps hold it");
        assert!(double.heap.stats().full_collections() > full, "{zeal}");
        let moved = before.iter().zip(&double.roots).take(ARRAYS).filter(|(before, now)| before != now).count();
        assert!((1..ARRAYS).contains(&moved), "{zeal}: as few as make the run, not {moved}");
        double.check();
        double.collect(Collect::Full);
        double.check();
    }
}

#[test]
fn what_is_pinned_stays_and_what_does_not_fit_is_an_error() {
    let mut double = fragmented("");
    (0..ARRAYS).for_each(|root| double.pin(root));
    assert!(!large(&mut double, 9, 75), "nothing may move");
    double.check();
    (0..ARRAYS).for_each(|_| double.unpin(0));
    assert!(large(&mut double, 9, 75));
    double.check();
    let errors = double.out_of_memory.get();
    assert!(!large(&mut double, 10, 320));
    assert_eq!(double.out_of_memory.get(), errors + 1);
    double.check();
}

#[test]
fn programs_see_the_same_in_a_heap_of_few_addresses() {
    for seed in 0..3 {
        let mut double = double("");
        double.heap.space.withhold(300 + 100 * seed);
        let mut random = Random::new(u64::from(seed));
        for step in 0..250 {
            double.run(&Operation::random(&mut random));
            let root = step % 8;
            large(&mut double, root, 5 + random.below(60) as usize);
            // An array of references to the others, large as well.
            if step % 5 == 0 && double.new_refs(8, 100_000) {
                (0..8).for_each(|root| double.store(8, root * 11_111, Some(root)));
            }
            if step % 40 == 0 {
                double.check();
            }
        }
        double.check();
    }
}
