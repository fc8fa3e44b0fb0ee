//! Full compaction: slides the live objects of all regions to the low end of the heap's regions, in place.
//!
//! It must never need room to do so, and never touch large or permanent objects but for their references.
//!
//! After marking, three passes in address order, as in the Compressor (Kermany and Petrank 2006), but with the region
//! walls kept: *plan* gives each block of 64 words the place its first object goes to; *redirect* rewrites every
//! reference from the plan and the bitmap; *slide* moves the objects. No header is overwritten before its object moves,
//! so lengths survive.
//!
//! Invariants
//! - F1. Objects that start in one block stay together: the n-th goes where the block goes plus the sizes before it.
//! - F2. The place of an object is never above the object, in the order of the list of regions; so nothing is overwritten
//!   before it has moved. (A block enters a region at its bottom or behind earlier blocks, and it fits its own region.)
//! - F3. After it all objects are old and armed, and no young region is left.

use crate::barrier;
use crate::header;
use crate::heap::Roots;
use crate::mark::{blocks, marked_in_block, words_at};
use crate::memory::{BLOCK_SHIFT, BLOCK_WORDS, Memory};
use crate::shape::ShapeTable;
use crate::space::{Buffer, Space, role};

/// Compacts a heap that was just marked, with an empty store buffer and no candidates. Returns the open end of the last
/// region in use, and the bytes that moved.
pub(crate) fn compact(space: &mut Space, shapes: &ShapeTable, roots: &mut dyn Roots) -> (Buffer, u64) {
    let mut heads: Vec<u32> = [&space.eden, &space.survivors, &space.old].into_iter().flatten().copied().collect();
    heads.sort_unstable();
    let pinned: Vec<u32> = heads.extract_if(.., |head| space.region(*head).pins > 0).collect();
    for head in &pinned {
        stay(space, shapes, *head);
    }
    space.eden.clear();
    space.survivors.clear();
    for head in &heads {
        space.set_role(*head, role::OLD);
    }
    let tops = plan(space, shapes, &heads);
    redirect(space, shapes, &heads, &pinned, roots);
    let moved_words = slide(space, shapes, &heads);
    space.memory.release_forwards();

    let mut old = Vec::with_capacity(heads.len());
    let mut open = Buffer::default();
    for (head, top) in heads.into_iter().zip(tops) {
        let bottom = Space::bottom(head);
        if top == bottom {
            space.free_region(head);
            continue;
        }
        let limit = space.end(head);
        let region = space.region_mut(head);
        region.top = top;
        region.tams = bottom;
        region.live_words = top - bottom;
        region.failed = false;
        open = Buffer { top, limit, head };
        old.push(head);
    }
    for &head in &pinned {
        let bottom = Space::bottom(head);
        let region = space.region_mut(head);
        region.tams = bottom;
        region.failed = false;
    }
    old.extend(pinned);
    space.old = old;
    (open, moved_words * 8)
}

/// Makes a pinned region old where it is; nothing walks its dead objects.
fn stay(space: &mut Space, shapes: &ShapeTable, head: u32) {
    space.set_role(head, role::OLD);
    let memory = space.memory;
    for object in blocks(space, head).flat_map(|block| marked_in_block(memory, block)) {
        let word = memory.word(object);
        let descriptor = shapes.descriptor(word);
        let chunked = descriptor.is_ref_array() && barrier::is_chunked_at(object, descriptor.refs(word));
        memory.set_word(object, header::old(word, chunked));
    }
}

/// Where everything goes: fills the forwarding table and returns the new tops, by list position.
fn plan(space: &Space, shapes: &ShapeTable, heads: &[u32]) -> Vec<u32> {
    let memory = space.memory;
    let mut tops: Vec<u32> = heads.iter().map(|head| Space::bottom(*head)).collect();
    let mut to = 0;
    for &head in heads {
        for block in blocks(space, head) {
            let mut words = 0;
            let mut aligned = false;
            for object in marked_in_block(memory, block) {
                words += words_at(memory, shapes, object);
                aligned |= header::is_chunked(memory.word(object));
            }
            if words == 0 {
                continue;
            }
            let at = loop {
                let top = if aligned { tops[to].next_multiple_of(BLOCK_WORDS) } else { tops[to] };
                if space.end(heads[to]).checked_sub(top).is_some_and(|room| room >= words) {
                    break top;
                }
                to += 1;
            };
            debug_assert!(heads[to] < head || at <= block << BLOCK_SHIFT | 63, "F2");
            memory.set_forward(block, at);
            tops[to] = at + words;
        }
    }
    tops
}

/// The new place of a live object outside large and permanent regions.
#[inline(always)]
fn place(memory: Memory, shapes: &ShapeTable, object: u32) -> u32 {
    let block = object >> BLOCK_SHIFT;
    let before = memory.marks(block) & ((1 << (object % BLOCK_WORDS)) - 1);
    let mut at = memory.forward(block);
    let mut bits = before;
    while bits != 0 {
        at += words_at(memory, shapes, (block << BLOCK_SHIFT) + bits.trailing_zeros());
        bits &= bits - 1;
    }
    at
}

fn redirect(space: &Space, shapes: &ShapeTable, heads: &[u32], pinned: &[u32], roots: &mut dyn Roots) {
    let memory = space.memory;
    roots.visit(&mut |slot| {
        let object = *slot as u32;
        // Regions that don't move have more in their role byte.
        if object != 0 && memory.role_at(object) == role::OLD {
            *slot = u64::from(place(memory, shapes, object));
        }
    });
    for &head in heads.iter().chain(pinned).chain(&space.large) {
        for block in blocks(space, head) {
            for object in marked_in_block(memory, block) {
                let word = memory.word(object);
                for index in 0..shapes.descriptor(word).refs(word) {
                    let target = memory.slot(object, index);
                    if target != 0 && memory.role_at(target) == role::OLD {
                        memory.set_slot(object, index, place(memory, shapes, target));
                    }
                }
            }
        }
    }
}

fn slide(space: &Space, shapes: &ShapeTable, heads: &[u32]) -> u64 {
    let memory = space.memory;
    let mut moved_words = 0;
    for &head in heads {
        for block in blocks(space, head) {
            let mut to = memory.forward(block);
            for object in marked_in_block(memory, block) {
                let word = memory.word(object);
                let descriptor = shapes.descriptor(word);
                let words = descriptor.words(word);
                if to != object {
                    memory.move_words(object, to, words);
                    moved_words += u64::from(words);
                }
                let chunked = descriptor.is_ref_array() && barrier::is_chunked_at(to, descriptor.refs(word));
                memory.set_word(to, header::old(word, chunked));
                to += words;
            }
        }
    }
    moved_words
}
