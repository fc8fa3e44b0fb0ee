//! Programs on the real heap, made of numbers: a table of objects that are replaced, linked and rewritten at given rates.

use std::sync::{Arc, Mutex};

use tenure_gc::policy::Policy;
use tenure_gc::{Clock, Cycle, Heap, HeapConfig, Observer, Ref, Shape, ShapeTable, Stats};

/// How the program behaves for a while.
#[derive(Clone, Copy, Debug)]
pub struct Phase {
    /// Bytes allocated in it.
    pub bytes: u64,
    /// Slots of the table in use; the rest are cleared when the phase begins.
    pub slots: u64,
    /// One object in so many is put into the table.
    pub keep_one_in: u64,
    /// Whether slots are replaced in turn rather than at random.
    pub in_turn: bool,
    /// Words of an object, header included.
    pub words: u32,
    /// One object in so many comes with a large array of 512 KiB; 0 for none.
    pub large_one_in: u64,
    /// Old objects that are redirected for each object kept.
    pub rewrites: u64,
    /// Rounds of arithmetic for each object: what the program does besides allocating.
    pub work: u32,
}

struct Recorder(Arc<Mutex<Vec<Cycle>>>);

impl Observer for Recorder {
    fn cycle(&mut self, cycle: &Cycle) {
        self.0.lock().expect("no panics while recording").push(*cycle);
    }
}

struct Program {
    heap: Heap,
    /// The table and the object in hand.
    roots: Vec<u64>,
    random: u64,
}

fn reference(root: u64) -> Ref {
    Ref::from_index(root as u32)
}

impl Program {
    fn below(&mut self, bound: u64) -> u64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % bound
    }

    fn slot(&self, index: u64) -> Ref {
        self.heap.ref_at(reference(self.roots[0]), index)
    }

    fn run(&mut self, phase: &Phase, record: tenure_gc::ShapeId, words: tenure_gc::ShapeId) {
        let table = reference(self.roots[0]);
        for index in phase.slots..self.heap.array_len(table) {
            if !self.slot(index).is_nil() {
                self.heap.set_ref(table, index, Ref::NIL);
            }
        }
        let (mut allocated, mut count) = (0, 0);
        let mut sum = 0_u64;
        while allocated < phase.bytes {
            count += 1;
            allocated += u64::from(phase.words) * 8;
            let object = self.heap.allocate_record(record, &mut self.roots).expect("the heap is large enough");
            for round in 0..phase.work {
                sum = std::hint::black_box(sum.wrapping_mul(31).wrapping_add(u64::from(round)));
            }
            if count % phase.keep_one_in == 0 {
                let index =
                    if phase.in_turn { count / phase.keep_one_in % phase.slots } else { self.below(phase.slots) };
                let neighbour = self.below(phase.slots);
                let neighbour = self.slot(neighbour);
                self.heap.set_ref(object, 0, neighbour);
                if !neighbour.is_nil() {
                    // No chains: what the neighbour pointed at is let go.
                    self.heap.set_ref(neighbour, 0, Ref::NIL);
                }
                self.heap.set_ref(reference(self.roots[0]), index, object);
                for _ in 0..phase.rewrites {
                    let (from, to) = (self.below(phase.slots), self.below(phase.slots));
                    let (from, to) = (self.slot(from), self.slot(to));
                    if !from.is_nil() && !to.is_nil() {
                        self.heap.set_ref(from, 1, object);
                    }
                }
            }
            if phase.large_one_in > 0 && count % phase.large_one_in == 0 {
                allocated += 512 << 10;
                self.roots[1] = u64::from(object.index());
                let array =
                    self.heap.allocate_array(words, 64 << 10, &mut self.roots).expect("the heap is large enough");
                let object = reference(self.roots[1]);
                self.heap.set_ref(object, 2, array);
                self.roots[1] = 0;
            }
        }
    }
}

/// Runs the phases one after another on a heap, and gives its cycles and totals.
pub fn run(
    phases: &[Phase],
    limit_bytes: u64,
    pause_goal_ns: u64,
    policy: Box<dyn Policy>,
    seed: u64,
    clock: Box<dyn Clock>,
) -> (Vec<Cycle>, Stats) {
    let shapes = Arc::new(ShapeTable::new());
    let array = shapes.push(Shape::RefArray, "table");
    let words = shapes.push(Shape::WordArray, "words");
    let cycles = Arc::new(Mutex::new(Vec::new()));
    let config = HeapConfig { pause_goal_ns, clock, ..HeapConfig::new(limit_bytes) };
    let mut heap = Heap::new(config, Arc::clone(&shapes), policy).expect("a heap can be made");
    heap.add_observer(Box::new(Recorder(Arc::clone(&cycles))));
    let mut roots = vec![0, 0];
    let slots = phases.iter().map(|phase| phase.slots).max().unwrap_or(1);
    let table = heap.allocate_array(array, slots, &mut roots).expect("the heap is large enough");
    roots[0] = u64::from(table.index());
    let mut program = Program { heap, roots, random: seed };
    for phase in phases {
        let record = shapes.push(Shape::Record { words: phase.words, refs: 3 }, "record");
        program.run(phase, record, words);
    }
    let stats = program.heap.stats();
    drop(program);
    let cycles = cycles.lock().expect("no panics while recording").clone();
    (cycles, stats)
}
