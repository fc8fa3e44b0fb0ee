//! The census: how many objects of each shape live, and what they take.
//!
//! It goes by its own traversal from the roots, over what the program can reach, so dead objects are never looked at. It
//! must never change anything.

use hashbrown::HashMap;

use crate::handle::AllRoots;
use crate::header;
use crate::heap::{Heap, Roots};
use crate::memory::{GRANULE_SHIFT, GRANULE_WORDS};
use crate::shape::ShapeId;

/// The live objects of one shape.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CensusLine {
    /// The shape's name.
    pub name: String,
    /// How many.
    pub objects: u64,
    /// Their size, headers included.
    pub bytes: u64,
}

/// What was visited, a bit a word, by granule.
#[derive(Default)]
struct Visited(HashMap<u32, Box<[u64; GRANULE_WORDS as usize / 64]>>);

impl Visited {
    /// True the first time.
    fn insert(&mut self, object: u32) -> bool {
        let bits = self.0.entry(object >> GRANULE_SHIFT).or_insert_with(|| Box::new([0; GRANULE_WORDS as usize / 64]));
        let at = object % GRANULE_WORDS;
        let word = &mut bits[at as usize / 64];
        let new = *word >> (at % 64) & 1 == 0;
        *word |= 1 << (at % 64);
        new
    }

    fn contains(&self, object: u32) -> bool {
        let at = object % GRANULE_WORDS;
        self.0.get(&(object >> GRANULE_SHIFT)).is_some_and(|bits| bits[at as usize / 64] >> (at % 64) & 1 != 0)
    }
}

impl Heap {
    /// Counts the objects that the program can reach, permanent ones included; the most bytes first. A safepoint that
    /// collects nothing.
    pub fn census(&mut self, roots: &mut dyn Roots) -> Vec<CensusLine> {
        self.close_window();
        let mut visited = Visited::default();
        let mut stack: Vec<u32> = Vec::new();
        let mut roots = AllRoots { program: roots, handles: std::mem::take(&mut self.handles) };
        roots.visit(&mut |slot| {
            let object = *slot as u32;
            if object != 0 && visited.insert(object) {
                stack.push(object);
            }
        });
        self.handles = roots.handles;
        let memory = self.memory();
        let mut counts: HashMap<u32, (u64, u64)> = HashMap::new();
        while !stack.is_empty() {
            while let Some(object) = stack.pop() {
                let word = memory.word(object);
                let descriptor = self.shapes.descriptor(word);
                let count = counts.entry(header::shape(word)).or_default();
                count.0 += 1;
                count.1 += u64::from(descriptor.words(word)) * 8;
                for slot in 0..descriptor.refs(word) {
                    let target = memory.slot(object, slot);
                    if target != 0 && visited.insert(target) {
                        stack.push(target);
                    }
                }
            }
            for [holder, key, value] in self.weak.all_pairs() {
                if visited.contains(holder) && visited.contains(key) && visited.insert(value) {
                    stack.push(value);
                }
            }
        }
        let name = |shape| self.shapes.name(ShapeId(shape)).unwrap_or_default();
        // Shapes may share a name: instances of one generic type, or variants of one enum.
        let mut by_name: HashMap<String, (u64, u64)> = HashMap::new();
        for (shape, (objects, bytes)) in counts {
            let count = by_name.entry(name(shape)).or_default();
            count.0 += objects;
            count.1 += bytes;
        }
        let mut lines: Vec<CensusLine> =
            by_name.into_iter().map(|(name, (objects, bytes))| CensusLine { name, objects, bytes }).collect();
        lines.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.name.cmp(&b.name)));
        lines
    }

    /// The census taken when memory ran out, if that was asked for.
    pub fn take_census(&mut self) -> Option<Vec<CensusLine>> {
        self.out_of_memory_census.take()
    }
}
