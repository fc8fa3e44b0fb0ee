//! The operations of random programs: what they may do, how often, and how each is made smaller when a run fails.
//!
//! It must never depend on what a heap does: the same seed gives the same operations.

use proptest::prelude::*;
use tenure_gc::Collect;
use tenure_gc::policy::{Adaptive, Adversarial};

use super::Random;
use super::double::{Double, HEAD, ROOTS, SCRATCH, TABLE, TABLE_LEN};

/// One operation of a random program. Roots, slots and the rest are taken modulo what there is.
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
    /// A list that an array alone holds, in all of its slots; the array is kept in the root or dropped at once.
    Wrap {
        root: usize,
        len: usize,
        keep: bool,
    },
    /// What an array in a root holds takes its place: the array is dropped, and nothing else may refer to its element.
    Unwrap {
        root: usize,
        slot: usize,
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
    Garbage {
        count: usize,
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
    /// Keeps what a root holds in slot `slot` of a long-lived table, or drops what is there.
    Keep {
        from: Option<usize>,
        slot: usize,
    },
    /// References copied between arrays, by native code.
    Copy {
        to: usize,
        at: usize,
        from: usize,
        start: usize,
        count: usize,
    },
    /// Slots of an array filled, by native code.
    Fill {
        into: usize,
        at: usize,
        count: usize,
        from: Option<usize>,
    },
    Hold {
        root: usize,
    },
    LetGo {
        which: usize,
        into: usize,
    },
    OpenScope,
    Local {
        root: usize,
    },
    CloseScope,
    Pin {
        root: usize,
    },
    Unpin {
        which: usize,
    },
    Weak {
        holder: usize,
        target: usize,
    },
    ReadWeak {
        holder: usize,
        which: usize,
        into: usize,
    },
    SetPair {
        holder: usize,
        key: usize,
        value: usize,
    },
    ReadPair {
        holder: usize,
        key: usize,
        into: usize,
    },
    RemovePair {
        holder: usize,
        key: usize,
    },
    Resource {
        holder: usize,
        bytes: u64,
    },
    HostBytes {
        bytes: u64,
    },
    Collect(Collect),
    Idle,
    Census,
    /// Another policy from here on; an even seed is the adaptive one.
    Policy {
        seed: u64,
    },
}

impl Operation {
    /// A random operation.
    pub fn random(random: &mut Random) -> Operation {
        let into = random.below(ROOTS as u64) as usize;
        let root = |random: &mut Random| random.below(ROOTS as u64) as usize;
        // What lives long is as good a holder as what does not.
        let holder = |random: &mut Random| if random.chance(50) { TABLE } else { random.below(ROOTS as u64) as usize };
        let number = |random: &mut Random| random.next() as usize >> 8;
        let maybe = |random: &mut Random| if random.chance(10) { None } else { Some(root(random)) };
        match random.below(123) {
            0..15 => Operation::Record { root: into, wide: random.chance(30), word: random.next() },
            15..20 => Operation::List { root: into, length: random.below(400) as usize },
            20..22 => Operation::Keep { from: None, slot: number(random) },
            22..27 => Operation::Refs { root: into, len: random.below(40) as usize },
            27..29 => Operation::Refs { root: into, len: 400 + random.below(3000) as usize },
            29 => Operation::Refs { root: into, len: random.below(120_000) as usize },
            30..32 => Operation::Words { root: into, len: random.below(3000) as usize },
            32..35 => Operation::Bytes { root: into, len: random.below(3000) as usize, byte: random.next() as u8 },
            35 => Operation::Bytes { root: into, len: random.below(600_000) as usize, byte: random.next() as u8 },
            36..46 => Operation::Keep { from: Some(root(random)), slot: number(random) },
            46..60 => Operation::Store { into, slot: number(random), from: maybe(random) },
            60..80 => Operation::Load { into, from: root(random), slot: number(random) },
            80..84 => Operation::Clear { root: into },
            84..98 => Operation::Garbage { count: random.below(1000) as usize },
            98 => Operation::Collect(Collect::Young),
            99 => match random.below(40) {
                0 => Operation::Collect(Collect::Full),
                1..5 => Operation::Collect(Collect::Mark),
                5 => Operation::Idle,
                6 => Operation::Census,
                7 => Operation::HostBytes { bytes: random.below(2 << 20) },
                _ => Operation::List { root: into, length: random.below(4000) as usize },
            },
            100..102 => Operation::Copy {
                to: holder(random),
                at: number(random),
                from: holder(random),
                start: number(random),
                count: random.below(600) as usize,
            },
            102 => Operation::Fill {
                into: holder(random),
                at: number(random),
                count: random.below(100) as usize,
                from: maybe(random),
            },
            103 => Operation::Hold { root: into },
            104 => Operation::LetGo { which: number(random), into },
            105 => match random.below(3) {
                0 => Operation::OpenScope,
                1 => Operation::Local { root: into },
                _ => Operation::CloseScope,
            },
            106 => match random.below(4) {
                0 => Operation::Pin { root: into },
                _ => Operation::Unpin { which: number(random) },
            },
            107..109 => Operation::Weak { holder: holder(random), target: into },
            109..113 => Operation::ReadWeak { holder: holder(random), which: number(random), into },
            113..115 => Operation::SetPair { holder: holder(random), key: root(random), value: root(random) },
            115..118 => Operation::ReadPair { holder: holder(random), key: root(random), into },
            118 => Operation::RemovePair { holder: holder(random), key: root(random) },
            119 => Operation::Wrap { root: into, len: 200 + random.below(120_000) as usize, keep: random.chance(60) },
            120..122 => Operation::Unwrap { root: into, slot: number(random) },
            _ => Operation::Resource { holder: into, bytes: random.below(1 << 16) },
        }
    }

    /// The same with sizes cut to a percentage.
    fn cut(mut self, percent: usize) -> Operation {
        use Operation::*;
        match &mut self {
            List { length: n, .. }
            | Refs { len: n, .. }
            | Wrap { len: n, .. }
            | Words { len: n, .. }
            | Bytes { len: n, .. } => {
                *n = *n * percent / 100;
            }
            Garbage { count: n } | Copy { count: n, .. } | Fill { count: n, .. } => *n = *n * percent / 100,
            _ => {}
        }
        self
    }

    /// As [`Operation::random`], but what fails becomes smaller; now and then the policy changes.
    pub fn any() -> impl Strategy<Value = Operation> {
        let usual = (any::<u64>().no_shrink(), 1..=100_usize)
            .prop_map(|(seed, percent)| Operation::random(&mut Random::new(seed)).cut(percent));
        prop_oneof![100 => usual, 1 => any::<u64>().prop_map(|seed| Operation::Policy { seed })]
    }
}

impl Double {
    pub fn run(&mut self, operation: &Operation) {
        match *operation {
            Operation::Record { root, wide, word } => drop(self.new_record(root, wide, word)),
            Operation::List { root, length } => self.new_list(root, length),
            Operation::Refs { root, len } => drop(self.new_refs(root, len)),
            Operation::Wrap { root, len, keep } => self.wrap(root, len, keep),
            Operation::Unwrap { root, slot } => self.unwrap(root, slot),
            Operation::Words { root, len } => drop(self.new_words(root, len, len as u64)),
            Operation::Bytes { root, len, byte } => drop(self.new_bytes(root, len, byte)),
            Operation::Garbage { count } => {
                for _ in 0..count {
                    let _ = self.record(self.shapes.wide, 7);
                }
            }
            Operation::Store { into, slot, from } => self.store(into, slot, from),
            Operation::Load { into, from, slot } => self.load(into, from, slot),
            Operation::Clear { root } => self.clear(root),
            Operation::Keep { from, slot } => {
                if self.model_roots[TABLE].is_none() {
                    self.new_refs(TABLE, TABLE_LEN);
                }
                self.store(TABLE, slot, from);
            }
            Operation::Copy { to, at, from, start, count } => self.copy(to, at, from, start, count),
            Operation::Fill { into, at, count, from } => self.fill(into, at, count, from),
            Operation::Hold { root } => self.hold(root),
            Operation::LetGo { which, into } => self.let_go(which, into),
            Operation::OpenScope => self.open_scope(),
            Operation::Local { root } => self.local(root),
            Operation::CloseScope => self.close_scope(),
            Operation::Pin { root } => self.pin(root),
            Operation::Unpin { which } => self.unpin(which),
            Operation::Weak { holder, target } => self.new_weak(holder, target),
            Operation::ReadWeak { holder, which, into } => self.read_weak(holder, which, into),
            Operation::SetPair { holder, key, value } => self.set_pair(holder, key, value),
            Operation::ReadPair { holder, key, into } => self.read_pair(holder, key, into),
            Operation::RemovePair { holder, key } => self.remove_pair(holder, key),
            Operation::Resource { holder, bytes } => self.add_resource(holder, bytes),
            Operation::HostBytes { bytes } => self.set_host_bytes(bytes),
            Operation::Collect(kind) => self.collect(kind),
            Operation::Idle => self.idle(),
            Operation::Census => self.census(),
            Operation::Policy { seed } => self.heap.set_policy(match seed % 2 {
                0 => Box::new(Adaptive::new()),
                _ => Box::new(Adversarial::new(seed)),
            }),
        }
    }

    fn new_list(&mut self, root: usize, length: usize) {
        // The list's head, while it grows.
        self.clear(HEAD);
        for word in 0..length as u64 {
            if !self.new_record(root, word % 7 == 0, word) {
                break;
            }
            if self.model_roots[HEAD].is_some() {
                self.store(root, 0, Some(HEAD));
            }
            self.roots[HEAD] = self.roots[root];
            self.model_roots[HEAD] = self.model_roots[root];
        }
        self.clear(HEAD);
    }

    fn wrap(&mut self, root: usize, len: usize, keep: bool) {
        if self.new_refs(SCRATCH, len) {
            self.new_list(root, 20);
            self.fill(SCRATCH, 0, len, Some(root));
            if keep {
                self.roots[root] = self.roots[SCRATCH];
                self.model_roots[root] = self.model_roots[SCRATCH];
            }
        }
        self.clear(SCRATCH);
    }
}
