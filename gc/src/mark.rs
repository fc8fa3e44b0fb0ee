//! Marking: finds what is reachable and counts it by region, into a bitmap beside the heap.
//!
//! It must never write a header or a field, nor know what is done with the result. It runs inside a pause here; bitmap,
//! top-at-mark-start and stack are those that marking beside the program needs.
//!
//! Invariants
//! - K1. After marking, every object reachable from the roots is marked, or lies in a permanent region.
//! - K2. `live_words` of a region is the sum of its marked objects' sizes; its `tams` is its top.

use crate::header;
use crate::heap::Roots;
use crate::memory::{BLOCK_SHIFT, BLOCK_WORDS, Memory};
use crate::shape::ShapeTable;
use crate::space::{Space, role};

/// How far ahead on the mark stack headers are asked for.
const PREFETCH_OBJECTS: usize = 6;

/// Marks everything reachable; returns the bytes that are.
pub(crate) fn mark(space: &mut Space, shapes: &ShapeTable, roots: &mut dyn Roots) -> u64 {
    let lists = [&space.eden, &space.survivors, &space.old, &space.large];
    let heads: Vec<u32> = lists.into_iter().flatten().copied().collect();
    for head in heads {
        let region = space.region_mut(head);
        region.tams = region.top;
        region.live_words = 0;
        let granules = region.granules;
        space.memory.clear_marks(head, granules);
    }
    let memory = space.memory;
    let mut stack = Vec::with_capacity(1024);
    roots.visit(&mut |slot| visit(memory, &mut stack, *slot as u32));
    drain(space, shapes, stack)
}

/// Marks what can be reached from `objects` and is not marked yet; returns its bytes.
pub(crate) fn mark_from(space: &mut Space, shapes: &ShapeTable, objects: &[u32]) -> u64 {
    let mut stack = Vec::new();
    objects.iter().for_each(|object| visit(space.memory, &mut stack, *object));
    drain(space, shapes, stack)
}

fn drain(space: &mut Space, shapes: &ShapeTable, mut stack: Vec<u32>) -> u64 {
    let memory = space.memory;
    let mut marked_words = 0;
    while let Some(object) = stack.pop() {
        // The children of a large array wait for long: what comes soon is asked for again.
        if let Some(soon) = stack.len().checked_sub(PREFETCH_OBJECTS) {
            memory.prefetch(stack[soon]);
        }
        let word = memory.word(object);
        let descriptor = shapes.descriptor(word);
        let words = descriptor.words(word);
        marked_words += u64::from(words);
        let head = space.head_of(object);
        space.region_mut(head).live_words += words;
        for index in 0..descriptor.refs(word) {
            visit(memory, &mut stack, memory.slot(object, index));
        }
    }
    marked_words * 8
}

#[inline(always)]
fn visit(memory: Memory, stack: &mut Vec<u32>, object: u32) {
    if object != 0 && role::of(memory.role_at(object)) != role::PERMANENT && memory.mark(object) {
        memory.prefetch(object);
        stack.push(object);
    }
}

/// The marked objects that start in one block, lowest first.
pub(crate) struct MarkedInBlock {
    bits: u64,
    base: u32,
}

impl Iterator for MarkedInBlock {
    type Item = u32;

    #[inline(always)]
    fn next(&mut self) -> Option<u32> {
        if self.bits == 0 {
            return None;
        }
        let at = self.bits.trailing_zeros();
        self.bits &= self.bits - 1;
        Some(self.base + at)
    }
}

pub(crate) fn marked_in_block(memory: Memory, block: u32) -> MarkedInBlock {
    MarkedInBlock { bits: memory.marks(block), base: block << BLOCK_SHIFT }
}

/// The blocks of a region up to its top at mark start.
pub(crate) fn blocks(space: &Space, head: u32) -> std::ops::Range<u32> {
    let tams = space.region(head).tams;
    Space::bottom(head) >> BLOCK_SHIFT..tams.div_ceil(BLOCK_WORDS)
}

/// Whether the last marking found an object live, or it is younger than that.
pub(crate) fn is_live(space: &Space, object: u32) -> bool {
    object >= space.region(space.head_of(object)).tams || space.memory.is_marked(object)
}

/// Size in words of the object at `object`.
#[inline(always)]
pub(crate) fn words_at(memory: Memory, shapes: &ShapeTable, object: u32) -> u32 {
    let word = memory.word(object);
    debug_assert!(header::is_untouched(word));
    shapes.descriptor(word).words(word)
}
