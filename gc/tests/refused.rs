//! When the system refuses memory, nothing ends the process: pauses of each kind, marking and allocation go on with what
//! they have, and what the program sees stays right. The test's own allocator refuses whatever it is asked for on a thread
//! that says so.

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Once;
use std::thread;
use std::time::Duration;

use support::{Double, FakeClock, Operation, Random, busy};
use tenure_gc::policy::CycleKind;
use tenure_gc::{Collect, HeapConfig, OutOfMemory, Ref};

thread_local! {
    static REFUSED: Cell<Option<u64>> = const { Cell::new(None) };
}

/// The system's allocator, unless this thread is to be refused.
struct Refusing;

impl Refusing {
    fn refuses() -> bool {
        REFUSED.with(|refused| {
            let count = refused.get();
            refused.set(count.map(|count| count + 1));
            count.is_some()
        })
    }
}

// SAFETY: it hands everything to the system's allocator, or says that there is no memory, which the contract allows.
unsafe impl GlobalAlloc for Refusing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if Refusing::refuses() {
            return std::ptr::null_mut();
        }
        // SAFETY: as the caller's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as the caller's: all of it came from there.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        if Refusing::refuses() {
            return std::ptr::null_mut();
        }
        // SAFETY: as the caller's.
        unsafe { System.realloc(at, layout, bytes) }
    }
}

#[global_allocator]
static ALLOCATOR: Refusing = Refusing;

/// Does something while the system refuses all memory; also how often it did.
fn refused<R>(work: impl FnOnce() -> R) -> (R, u64) {
    // Who asks without taking no for an answer waits for the words of that error, which need memory too.
    static WATCH: Once = Once::new();
    WATCH.call_once(|| {
        thread::spawn(|| {
            thread::sleep(Duration::from_secs(300));
            eprintln!("something was allocated that must not be, or the machine is very slow");
            std::process::abort();
        });
    });
    REFUSED.set(Some(0));
    let done = work();
    (done, REFUSED.take().expect("set above"))
}

const MIB: u64 = 1 << 20;

fn double(zeal: &str) -> Double {
    let config = HeapConfig {
        zeal: zeal.parse().expect("zeal"),
        clock: Box::new(FakeClock::default()),
        ..HeapConfig::new(64 * MIB)
    };
    Double::new(config, busy())
}

/// Random programs; before each look at the heap a collection, or allocations with the pauses that they bring, have no
/// memory but the heap's.
#[test]
fn collections_need_no_memory_from_the_system() {
    let mut refusals = 0;
    let mut kinds = [0; 5];
    for (seed, zeal) in
        ["", "copyfail:7", "copyfail:1", "slice:8K", "slice:1K,mark:64K,young:16K", "move:256K", "workers:3", "pin:3"]
            .into_iter()
            .enumerate()
    {
        let mut random = Random::new(seed as u64 + 40);
        let mut double = double(zeal);
        for step in 0..1500 {
            double.run(&Operation::random(&mut random));
            if step % 12 != 0 {
                continue;
            }
            let (shape, roots) = (double.shapes.pair, &mut double.roots);
            let count;
            (_, count) = match step / 12 % 4 {
                0 => refused(|| double.heap.collect(Collect::Young, roots)),
                1 => refused(|| double.heap.collect(Collect::Full, roots)),
                2 => refused(|| double.heap.collect(Collect::Mark, roots)),
                _ => refused(|| {
                    // Several cycles' worth of what dies at once.
                    (0..60_000).for_each(|_| _ = double.heap.allocate_record(shape, roots));
                }),
            };
            refusals += count;
            if step % 48 == 0 {
                double.check();
            }
        }
        double.check();
        let stats = double.heap.stats();
        kinds.iter_mut().zip(stats.pauses_by_kind).for_each(|(sum, count)| *sum += count);
    }
    assert!(refusals > 1000, "{refusals} refusals");
    for kind in [CycleKind::Young, CycleKind::Full, CycleKind::Mixed, CycleKind::ConcurrentStart] {
        assert!(kinds[kind as usize] > 10, "{kind:?}: {kinds:?}");
    }
}

/// A long list and a wide tree: more waits to be scanned than any stack that was there before.
#[test]
fn copies_without_a_stack_are_all_scanned() {
    for zeal in ["", "copyfail:2", "copyfail:1"] {
        for kind in [Collect::Young, Collect::Full] {
            let mut double = double(zeal);
            for root in 0..6 {
                double.run(&Operation::List { root, length: 5000 });
                double.new_refs(root + 6, 3000);
                (0..3000).for_each(|slot| {
                    double.load(0, root, 0);
                    double.store(root + 6, slot, Some(root));
                });
            }
            double.check();
            let roots = &mut double.roots;
            let (_, count) = refused(|| double.heap.collect(kind, roots));
            assert!(count > 0, "{zeal} {kind:?}: nothing was asked for");
            double.check();
        }
    }
}

#[test]
fn allocation_ends_in_an_error_and_goes_on_after_it() {
    let mut double = double("");
    let (refs, bytes) = (double.shapes.refs, double.shapes.bytes);
    let mut kept: Vec<u64> = Vec::with_capacity(1 << 20);
    let (error, _) = refused(|| -> OutOfMemory {
        loop {
            for (shape, len) in [(refs, 1000), (bytes, 600_000)] {
                match double.heap.allocate_array(shape, len, &mut kept) {
                    Ok(object) if shape == bytes || kept.len() % 50 == 0 => kept.push(u64::from(object.index())),
                    Ok(_) => {}
                    Err(error) => return error,
                }
            }
        }
    });
    assert!(error.to_string().contains("limited"), "{error}");
    assert!(kept.len() > 40, "{} objects before", kept.len());
    kept.truncate(4);
    let object = double.heap.allocate_array(bytes, 600_000, &mut kept).expect("room again");
    assert!(!object.is_nil());
    kept.iter().for_each(|object| assert!(double.heap.array_len(Ref::from_index(*object as u32)) > 0));
}
