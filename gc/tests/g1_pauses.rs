//! G1's row "young pause": eden sized by the pause model, so that pauses meet their goal; mixed pauses take what is left of
//! it. The load is that of the pause row of the bars: much is live, a tenth of what is new survives, a fiftieth stays.

mod support;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use support::Random;
use tenure_gc::policy::{Adaptive, CycleKind};
use tenure_gc::{
    Clock, Collect, Heap, HeapConfig, Observer, PauseReport, Ref, Shape, ShapeId, ShapeTable, SystemClock, WorkClock,
};

const MIB: u64 = 1 << 20;
const OBJECT_BYTES: u64 = 256;
const RING: u64 = 1 << 20;

/// A table of live objects, and a ring of those that survive for a while.
struct Load {
    heap: Heap,
    roots: Vec<u64>,
    bytes: ShapeId,
    live: u64,
    ring: u64,
    pauses: u64,
    made: u64,
    random: Random,
}

impl Load {
    fn new(limit_bytes: u64, live_bytes: u64, clock: Box<dyn Clock>) -> Load {
        let shapes = Arc::new(ShapeTable::new());
        let refs = shapes.push(Shape::RefArray, "Refs");
        let bytes = shapes.push(Shape::ByteArray, "Bytes");
        let config = HeapConfig { clock, ..HeapConfig::new(limit_bytes) };
        let mut heap = Heap::new(config, shapes, Box::new(Adaptive::new())).expect("a heap");
        let mut roots = vec![0, 0];
        let live = live_bytes / OBJECT_BYTES;
        roots[0] = u64::from(heap.allocate_array(refs, live, &mut roots).expect("room").index());
        roots[1] = u64::from(heap.allocate_array(refs, RING, &mut roots).expect("room").index());
        let mut load = Load { heap, roots, bytes, live, ring: 0, pauses: 0, made: 0, random: Random::new(1) };
        for slot in 0..live {
            let object = load.object();
            load.heap.set_ref(Ref::from_index(load.roots[0] as u32), slot, object);
        }
        load
    }

    fn object(&mut self) -> Ref {
        self.heap.allocate_array(self.bytes, OBJECT_BYTES - 8, &mut self.roots).expect("room")
    }

    /// Allocates one object; a tenth of them survive the next pause, a fiftieth takes the place of an old one.
    fn step(&mut self) {
        let object = self.object();
        self.made += 1;
        if self.made.is_multiple_of(50) {
            let slot = self.random.below(self.live);
            self.heap.set_ref(Ref::from_index(self.roots[0] as u32), slot, object);
        } else if self.made.is_multiple_of(10) {
            let ring = Ref::from_index(self.roots[1] as u32);
            let pauses = self.heap.snapshot().cycle;
            if pauses != self.pauses || self.ring == RING {
                self.heap.fill_refs(ring, 0..self.ring, Ref::NIL);
                (self.pauses, self.ring) = (pauses, 0);
            }
            self.heap.set_ref(ring, self.ring, object);
            self.ring += 1;
        }
    }
}

#[test]
fn pauses_meet_their_goal_in_work_done() {
    let mut load = Load::new(192 * MIB, 48 * MIB, Box::<WorkClock>::default());
    let goal_ns = 2_000_000;
    load.heap.set_pause_goal_ns(goal_ns);
    (0..400_000).for_each(|_| load.step());
    let (mut pauses, mut misses, mut mixed, mut longest_ns) = (0, 0, 0, 0);
    let mut last = load.heap.snapshot().cycle;
    while pauses < 300 {
        load.step();
        let snapshot = load.heap.snapshot();
        if snapshot.cycle != last {
            last = snapshot.cycle;
            pauses += 1;
            misses += u32::from(snapshot.pause_ns > goal_ns);
            mixed += u32::from(snapshot.kind == CycleKind::Mixed);
            longest_ns = longest_ns.max(snapshot.pause_ns);
        }
    }
    assert!(misses <= 3, "{misses} of {pauses} pauses missed the goal; the longest took {longest_ns} ns");
    assert!(mixed > 0, "mixed pauses are among them");
    load.heap.collect(Collect::Full, &mut load.roots);
}

/// Of each pause, what its longest worker and one thread alone took, and its length.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<(u64, u64)>>>);

impl Observer for Told {
    fn pause(&mut self, report: &PauseReport) {
        self.0.lock().expect("no panic").push((report.critical_cpu_ns, report.pause_ns));
    }
}

/// The bar itself, on the machine's clock: `cargo test --release -p tenure-gc --test g1_pauses -- --ignored --nocapture`.
#[test]
#[ignore = "takes a minute of an idle machine, in release"]
fn the_pause_row() {
    let wanted: u64 = std::env::var("PAUSES").ok().and_then(|text| text.parse().ok()).unwrap_or(10_000);
    let mut load = Load::new(768 * MIB, 256 * MIB, Box::new(SystemClock));
    let told = Told::default();
    load.heap.add_observer(Box::new(told.clone()));
    let (first, start) = (load.heap.stats(), Instant::now());
    let mut steps = 0_u64;
    while (told.0.lock().expect("no panic").len() as u64) < wanted {
        (0..400).for_each(|_| load.step());
        steps += 400;
        // 400 MB a second.
        let due = Duration::from_nanos(steps * OBJECT_BYTES * 10 / 4);
        while start.elapsed() < due {
            std::hint::spin_loop();
        }
    }
    let (mut cpu_ns, mut wall_ns): (Vec<u64>, Vec<u64>) = told.0.lock().expect("no panic").iter().copied().unzip();
    let stats = load.heap.stats();
    let at = |values: &mut Vec<u64>, share: f64| {
        values.sort_unstable();
        values[((values.len() - 1) as f64 * share) as usize] as f64 / 1e6
    };
    let gc_ns = stats.gc_cpu_ns - first.gc_cpu_ns;
    let total_ns = gc_ns + stats.mutator_cpu_ns - first.mutator_cpu_ns;
    for (name, values) in [("CPU", &mut cpu_ns), ("wall", &mut wall_ns)] {
        let [p50, p99, p999, most] = [0.5, 0.99, 0.999, 1.0].map(|share| at(values, share));
        println!("{name}: p50 {p50:.2} p99 {p99:.2} p99.9 {p999:.2} longest {most:.2} ms of {} pauses", values.len());
    }
    println!(
        "GC CPU {:.1} %, mixed {}, full {}, {} remarks and cleanups, MMU at 20 ms of {:?}: {:?}",
        100.0 * gc_ns as f64 / total_ns as f64,
        stats.pauses_by_kind[CycleKind::Mixed as usize],
        stats.full_collections(),
        stats.mark_pauses,
        tenure_gc::MMU_WINDOWS_NS,
        stats.mmu
    );
    assert!(at(&mut cpu_ns, 0.99) <= 10.0 && at(&mut cpu_ns, 0.999) <= 20.0);
}
