//! A mutator with a reference heap beside it: every operation is done twice, and what is reachable must be the same.

#![allow(dead_code)]

use std::cell::Cell;
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tenure_gc::policy::Policy;
use tenure_gc::{
    Clock, Collect, FLAGS_BYTE_OFFSET, Heap, HeapConfig, LOG_BIT, Mutator, Ref, Shape, ShapeId, ShapeTable, Zeal,
};

/// A clock that ticks a little each time it is read.
#[derive(Clone, Default)]
pub struct FakeClock(Arc<AtomicU64>);

impl Clock for FakeClock {
    fn now_ns(&self) -> u64 {
        self.0.fetch_add(100_000, Ordering::Relaxed)
    }

    fn is_repeatable(&self) -> bool {
        true
    }

    fn thread_cpu_ns(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn thread_system_ns(&self) -> u64 {
        0
    }
}

/// Zeal from a text, with what `TENURE_GC_ZEAL` adds: `TENURE_GC_ZEAL=workers:3` runs every test with three workers.
pub fn zeal(text: &str) -> Zeal {
    let added = std::env::var("TENURE_GC_ZEAL").unwrap_or_default();
    format!("{text},{added}").parse().expect("zeal of the tests")
}

/// A small generator, so that a run is repeated by its seed.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        (self.next() >> 11) % n
    }

    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// The shapes of the tests.
#[derive(Clone)]
pub struct Shapes {
    pub table: Arc<ShapeTable>,
    /// Two references and a word.
    pub pair: ShapeId,
    /// Five references and three words.
    pub wide: ShapeId,
    pub refs: ShapeId,
    pub words: ShapeId,
    pub bytes: ShapeId,
}

impl Shapes {
    pub fn new() -> Shapes {
        let table = Arc::new(ShapeTable::new());
        Shapes {
            pair: table.push(Shape::Record { words: 3, refs: 2 }, "Pair"),
            wide: table.push(Shape::Record { words: 7, refs: 5 }, "Wide"),
            refs: table.push(Shape::RefArray, "Refs"),
            words: table.push(Shape::WordArray, "Words"),
            bytes: table.push(Shape::ByteArray, "Bytes"),
            table,
        }
    }
}

pub type NodeId = usize;

/// An object of the reference heap.
enum Node {
    Record { shape: ShapeId, refs: Vec<Option<NodeId>>, word: u64 },
    Refs(Vec<Option<NodeId>>),
    Words(u64, usize),
    Bytes(u8, usize),
}

/// A heap and its double.
pub struct Double {
    pub heap: Heap,
    pub shapes: Shapes,
    pub roots: Vec<u64>,
    pub model_roots: Vec<Option<NodeId>>,
    nodes: HashMap<NodeId, Node>,
    next: NodeId,
    pub out_of_memory: Rc<Cell<u64>>,
}

impl Double {
    pub fn new(config: HeapConfig, policy: Box<dyn Policy>) -> Double {
        let roots = TABLE + 1;
        let shapes = Shapes::new();
        let heap = Heap::new(config, shapes.table.clone(), policy).expect("a heap");
        Double {
            heap,
            shapes,
            roots: vec![0; roots],
            model_roots: vec![None; roots],
            nodes: HashMap::new(),
            next: 0,
            out_of_memory: Rc::default(),
        }
    }

    /// Allocates as compiled code does: in line if the window has room.
    fn inline(&mut self, shape: ShapeId, words: u64) -> Option<Ref> {
        let window = self.heap.base().cast::<Mutator>();
        // SAFETY: the Mutator is at the heap's base, and between pauses it belongs to the program.
        unsafe {
            let Mutator { top, limit } = window.read();
            if top + words > limit {
                return None;
            }
            window.write(Mutator { top: top + words, limit });
            let object = self.heap.base().cast::<u64>().add(top as usize);
            object.write(u64::from(shape.index()));
            for i in 1..words as usize {
                object.add(i).write(0);
            }
            Some(Ref::from_index(top as u32))
        }
    }

    fn record(&mut self, shape: ShapeId, words: u64) -> Option<Ref> {
        if let Some(object) = self.inline(shape, words) {
            return Some(object);
        }
        let object = self.heap.allocate_record(shape, &mut self.roots);
        self.count_failure(object)
    }

    fn count_failure(&self, object: Result<Ref, tenure_gc::OutOfMemory>) -> Option<Ref> {
        if object.is_err() {
            self.out_of_memory.set(self.out_of_memory.get() + 1);
        }
        object.ok()
    }

    fn install(&mut self, root: usize, object: Option<Ref>, node: Node) -> bool {
        let Some(object) = object else { return false };
        self.nodes.insert(self.next, node);
        self.roots[root] = u64::from(object.index());
        self.model_roots[root] = Some(self.next);
        self.next += 1;
        true
    }

    /// A new record in a root; its references are nil. False when out of memory.
    pub fn new_record(&mut self, root: usize, wide: bool, word: u64) -> bool {
        let (shape, refs, words) = if wide { (self.shapes.wide, 5, 7) } else { (self.shapes.pair, 2, 3) };
        let object = self.record(shape, words);
        if let Some(object) = object {
            self.heap.set_word(object, words - 2, word);
        }
        self.install(root, object, Node::Record { shape, refs: vec![None; refs], word })
    }

    pub fn new_refs(&mut self, root: usize, len: usize) -> bool {
        let object = self.heap.allocate_array(self.shapes.refs, len as u64, &mut self.roots);
        let object = self.count_failure(object);
        self.install(root, object, Node::Refs(vec![None; len]))
    }

    pub fn new_bytes(&mut self, root: usize, len: usize, byte: u8) -> bool {
        let object = self.heap.allocate_array(self.shapes.bytes, len as u64, &mut self.roots);
        let object = self.count_failure(object);
        if let Some(object) = object {
            assert!(self.heap.bytes(object).iter().all(|b| *b == 0), "new arrays are zeroed");
            self.heap.bytes_mut(object).fill(byte);
        }
        self.install(root, object, Node::Bytes(byte, len))
    }

    pub fn new_words(&mut self, root: usize, len: usize, word: u64) -> bool {
        let object = self.heap.allocate_array(self.shapes.words, len as u64, &mut self.roots);
        let object = self.count_failure(object);
        if let Some(object) = object {
            (0..len as u64).for_each(|i| self.heap.set_word(object, i, word ^ i));
        }
        self.install(root, object, Node::Words(word, len))
    }

    fn slots(&mut self, id: NodeId) -> &mut [Option<NodeId>] {
        match self.nodes.get_mut(&id) {
            Some(Node::Record { refs, .. } | Node::Refs(refs)) => refs,
            _ => &mut [],
        }
    }

    /// Stores root `from` into slot `slot` (modulo their number) of the object in root `into`.
    pub fn store(&mut self, into: usize, slot: usize, from: Option<usize>) {
        let Some(id) = self.model_roots[into] else { return };
        let value = from.and_then(|from| self.model_roots[from]);
        let slots = self.slots(id);
        if slots.is_empty() {
            return;
        }
        let slot = slot % slots.len();
        slots[slot] = value;
        let object = Ref::from_index(self.roots[into] as u32);
        let value = from.map_or(0, |from| self.roots[from] as u32);
        self.heap.set_ref(object, slot as u64, Ref::from_index(value));
    }

    /// Loads slot `slot` of the object in root `from` into root `into`.
    pub fn load(&mut self, into: usize, from: usize, slot: usize) {
        let Some(id) = self.model_roots[from] else { return };
        let slots = self.slots(id);
        if slots.is_empty() {
            return;
        }
        let slot = slot % slots.len();
        self.model_roots[into] = slots[slot];
        let object = Ref::from_index(self.roots[from] as u32);
        self.roots[into] = u64::from(self.heap.ref_at(object, slot as u64).index());
    }

    pub fn clear(&mut self, root: usize) {
        self.roots[root] = 0;
        self.model_roots[root] = None;
    }

    pub fn collect(&mut self, kind: Collect) {
        self.heap.collect(kind, &mut self.roots);
    }

    pub fn is_armed(&self, object: Ref) -> bool {
        // SAFETY: the object is live; its flag byte is where the contract says.
        let flags = unsafe { self.heap.base().add(object.index() as usize * 8 + FLAGS_BYTE_OFFSET).read() };
        flags & LOG_BIT != 0
    }

    /// Compares everything reachable, and forgets what is not.
    pub fn check(&mut self) {
        let mut places: HashMap<NodeId, u64> = HashMap::new();
        let mut queue = VecDeque::new();
        let meet =
            |places: &mut HashMap<NodeId, u64>, queue: &mut VecDeque<NodeId>, id: Option<NodeId>, at: u64| match id {
                None => assert_eq!(at, 0, "nil became {at:#x}"),
                Some(id) => match places.get(&id) {
                    Some(place) => assert_eq!(*place, at, "node {id} is in two places"),
                    None => {
                        assert_ne!(at, 0, "node {id} became nil");
                        places.insert(id, at);
                        queue.push_back(id);
                    }
                },
            };
        for (id, at) in self.model_roots.iter().zip(&self.roots) {
            meet(&mut places, &mut queue, *id, *at);
        }
        while let Some(id) = queue.pop_front() {
            let object = Ref::from_index(places[&id] as u32);
            match &self.nodes[&id] {
                Node::Record { shape, refs, word } => {
                    assert_eq!(self.heap.shape_of(object), *shape);
                    let index = if refs.len() == 2 { 1 } else { 5 };
                    assert_eq!(self.heap.word_at(object, index), *word);
                    for (slot, target) in refs.iter().enumerate() {
                        let at = self.heap.ref_at(object, slot as u64).index();
                        meet(&mut places, &mut queue, *target, u64::from(at));
                    }
                }
                Node::Refs(refs) => {
                    assert_eq!(self.heap.array_len(object), refs.len() as u64);
                    for (slot, target) in refs.iter().enumerate() {
                        let at = self.heap.ref_at(object, slot as u64).index();
                        meet(&mut places, &mut queue, *target, u64::from(at));
                    }
                }
                Node::Words(word, len) => {
                    assert_eq!(self.heap.array_len(object), *len as u64);
                    assert!((0..*len as u64).all(|i| self.heap.word_at(object, i) == word ^ i));
                }
                Node::Bytes(byte, len) => {
                    let bytes = self.heap.bytes(object);
                    assert_eq!(bytes.len(), *len);
                    assert!(bytes.iter().all(|b| b == byte), "bytes of node {id} changed");
                }
            }
        }
        let distinct: std::collections::HashSet<_> = places.values().collect();
        assert_eq!(distinct.len(), places.len(), "two nodes in one place");
        self.nodes.retain(|id, _| places.contains_key(id));
    }
}

/// One operation of a random program.
#[derive(Clone, Debug)]
pub enum Operation {
    Record {
        root: usize,
        wide: bool,
        word: u64,
    },
    /// A list of records hung into a root: survives together.
    List {
        root: usize,
        length: usize,
    },
    Refs {
        root: usize,
        len: usize,
    },
    Words {
        root: usize,
        len: usize,
    },
    Bytes {
        root: usize,
        len: usize,
        byte: u8,
    },
    Store {
        into: usize,
        slot: usize,
        from: Option<usize>,
    },
    Load {
        into: usize,
        from: usize,
        slot: usize,
    },
    Clear {
        root: usize,
    },
    Garbage {
        count: usize,
    },
    /// Keeps what a root holds in slot `slot` of a long-lived table, or drops what is there.
    Keep {
        from: Option<usize>,
        slot: usize,
    },
    Collect(Collect),
}

pub const ROOTS: usize = 12;
/// The root that holds the long-lived table, behind those that operations choose from and the scratch root.
const TABLE: usize = ROOTS + 1;
const TABLE_LEN: usize = 1500;

impl Operation {
    /// A random operation.
    pub fn random(random: &mut Random) -> Operation {
        let root = |random: &mut Random| random.below(ROOTS as u64) as usize;
        let into = root(random);
        match random.below(100) {
            0..15 => Operation::Record { root: into, wide: random.chance(30), word: random.next() },
            15..20 => Operation::List { root: into, length: random.below(400) as usize },
            20..22 => Operation::Keep { from: None, slot: random.next() as usize >> 8 },
            22..27 => Operation::Refs { root: into, len: random.below(40) as usize },
            27..29 => Operation::Refs { root: into, len: 400 + random.below(3000) as usize },
            29 => Operation::Refs { root: into, len: random.below(120_000) as usize },
            30..32 => Operation::Words { root: into, len: random.below(3000) as usize },
            32..35 => Operation::Bytes { root: into, len: random.below(3000) as usize, byte: random.next() as u8 },
            35 => Operation::Bytes { root: into, len: random.below(600_000) as usize, byte: random.next() as u8 },
            36..46 => Operation::Keep { from: Some(root(random)), slot: random.next() as usize >> 8 },
            46..60 => {
                let from = if random.chance(10) { None } else { Some(root(random)) };
                Operation::Store { into, slot: random.next() as usize >> 8, from }
            }
            60..80 => Operation::Load { into, from: root(random), slot: random.next() as usize >> 8 },
            80..84 => Operation::Clear { root: into },
            84..98 => Operation::Garbage { count: random.below(1000) as usize },
            98 => Operation::Collect(Collect::Young),
            _ => match random.below(40) {
                0 => Operation::Collect(Collect::Full),
                1..5 => Operation::Collect(Collect::Mark),
                _ => Operation::List { root: into, length: random.below(4000) as usize },
            },
        }
    }
}

impl Double {
    pub fn run(&mut self, operation: &Operation) {
        match *operation {
            Operation::Record { root, wide, word } => drop(self.new_record(root, wide, word)),
            Operation::List { root, length } => {
                // The list's head, while it grows.
                let scratch = ROOTS;
                self.clear(scratch);
                for word in 0..length as u64 {
                    if !self.new_record(root, word % 7 == 0, word) {
                        break;
                    }
                    if self.model_roots[scratch].is_some() {
                        self.store(root, 0, Some(scratch));
                    }
                    self.roots[scratch] = self.roots[root];
                    self.model_roots[scratch] = self.model_roots[root];
                }
                self.clear(scratch);
            }
            Operation::Refs { root, len } => drop(self.new_refs(root, len)),
            Operation::Words { root, len } => drop(self.new_words(root, len, len as u64)),
            Operation::Bytes { root, len, byte } => drop(self.new_bytes(root, len, byte)),
            Operation::Store { into, slot, from } => self.store(into, slot, from),
            Operation::Load { into, from, slot } => self.load(into, from, slot),
            Operation::Clear { root } => self.clear(root),
            Operation::Garbage { count } => {
                for _ in 0..count {
                    let _ = self.record(self.shapes.wide, 7);
                }
            }
            Operation::Keep { from, slot } => {
                if self.model_roots[TABLE].is_none() {
                    self.new_refs(TABLE, TABLE_LEN);
                }
                self.store(TABLE, slot, from);
            }
            Operation::Collect(kind) => self.collect(kind),
        }
    }
}
