//! The soak: random programs under policies that are random too, every pause verified, for as long as one likes. Nothing
//! may be violated, and memory may not creep: a few programs are repeated between new ones, all in one heap, and what they
//! take in the last quarter is at most 1.05 × what they took in the second.
//!
//! `TENURE_SOAK_SECONDS` says how long (60), `TENURE_SOAK_SEED` which programs (1). What is measured: the heap's committed
//! bytes with its tables, while a program runs; and the process's resident memory when it has ended, without what the C library
//! keeps of freed memory. While it runs most of that is the double's, whose nodes come and go by the ten thousand: how far they
//! scatter over the library's pages depends on the largest program so far.

mod support;

use std::time::{Duration, Instant};

use support::{Double, Operation, Random};
use tenure_gc::HeapConfig;
use tenure_gc::policy::Adversarial;

const GROWTH_MAX: f64 = 1.05;
/// Of one program, and between two looks at the memory.
const OPERATIONS: usize = 600;
const OPERATIONS_BETWEEN: usize = 20;
/// Programs that are repeated, so that memory can be compared; between repetitions a new one runs.
const MEASURED: u64 = 3;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

/// The process's resident memory; none where the system doesn't tell.
fn resident_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split(' ').nth(1)?.parse().ok()?;
    Some(pages * 4096)
}

/// The C library gives the system back what it keeps: the ends of its arenas as they are freed, the holes in them now.
fn trim() {
    #[cfg(target_env = "gnu")]
    // SAFETY: the calls take no pointer, and the library locks its arenas.
    unsafe {
        libc::mallopt(libc::M_TRIM_THRESHOLD, 64 << 10);
        libc::malloc_trim(0);
    }
}

/// Memory over time: a mean for each repetition of the measured programs.
#[derive(Default)]
struct Means(Vec<f64>);

impl Means {
    /// The means of the four quarters, in MiB.
    fn quarters(&self) -> [f64; 4] {
        let length = self.0.len() / 4;
        std::array::from_fn(|quarter| {
            let part = &self.0[self.0.len() - (4 - quarter) * length..][..length];
            part.iter().sum::<f64>() / length as f64 / (1 << 20) as f64
        })
    }

    fn check(&self, what: &str) {
        let quarters = self.quarters();
        println!("{what}, MiB by quarter: {quarters:.2?}");
        assert!(quarters[3] <= GROWTH_MAX * quarters[1], "{what} grew: {quarters:.2?} MiB by quarter");
    }
}

/// Runs a random program under a random policy to its end; the heap's mean memory and what the process is left with, in bytes.
fn round(double: &mut Double, seed: u64) -> [f64; 2] {
    double.heap.set_policy(Box::new(Adversarial::new(seed)));
    let mut random = Random::new(seed);
    let mut heap_bytes = 0;
    for _ in 0..OPERATIONS / OPERATIONS_BETWEEN {
        (0..OPERATIONS_BETWEEN).for_each(|_| double.run(&Operation::random(&mut random)));
        let stats = double.heap.stats();
        heap_bytes += stats.committed_bytes + stats.metadata_bytes;
    }
    double.check();
    double.let_everything_go();
    double.idle();
    trim();
    [heap_bytes as f64 / (OPERATIONS / OPERATIONS_BETWEEN) as f64, resident_bytes().unwrap_or(0) as f64]
}

#[test]
fn random_policies_for_as_long_as_one_likes() {
    let (length, seed) = (Duration::from_secs(number("TENURE_SOAK_SECONDS", 60)), number("TENURE_SOAK_SEED", 1));
    // The machine's own clock and threads: markers and workers are what they are outside tests.
    let config = HeapConfig { verify: true, zeal: support::zeal("young:1M"), ..HeapConfig::new(64 << 20) };
    let mut double = Double::new(config, Box::new(Adversarial::new(seed)));
    let mut fresh = Random::new(seed);
    let (mut heap, mut process) = (Means::default(), Means::default());
    let (start, mut rounds) = (Instant::now(), 0_u64);
    while start.elapsed() < length {
        let mut sums = [0.0; 2];
        for measured in 0..MEASURED {
            let means = round(&mut double, seed + measured);
            sums = std::array::from_fn(|at| sums[at] + means[at] / MEASURED as f64);
        }
        heap.0.push(sums[0]);
        process.0.push(sums[1]);
        round(&mut double, fresh.next());
        rounds += MEASURED + 1;
    }
    let stats = double.heap.stats();
    println!(
        "{:.0} s, seed {seed}: {rounds} programs, {} pauses, {} of them full, {} of marking, {} out of memory",
        start.elapsed().as_secs_f64(),
        stats.pauses(),
        stats.full_collections(),
        stats.mark_pauses,
        double.out_of_memory.get(),
    );
    assert!(stats.mark_pauses > 0 && heap.0.len() >= 4, "too little happened: {stats:?}");
    heap.check("committed memory and tables");
    process.check("resident memory");
}
