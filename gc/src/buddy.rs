//! Free granules: power-of-two self-aligned blocks for regions, exact runs for large objects.
//!
//! It must never know what granules are used for, nor whether they are committed.
//!
//! Invariants
//! - B1. A granule is free if and only if exactly one free block, of one order, covers it.
//! - B2. Two free buddies of an order below the greatest are merged.

use std::ops::Range;

/// Regions have 2^0 to 2^9 granules: 64 KiB to 32 MiB.
pub(crate) const ORDER_MAX: u32 = 9;

/// A set of numbers as bits, with the lowest word that may have one.
struct Bits {
    words: Vec<u64>,
    lowest: usize,
}

impl Bits {
    fn new(len: u32) -> Bits {
        let words = vec![0; (len as usize).div_ceil(64)];
        Bits { lowest: words.len(), words }
    }

    fn has(&self, index: u32) -> bool {
        self.words.get(index as usize / 64).is_some_and(|word| word >> (index % 64) & 1 != 0)
    }

    fn insert(&mut self, index: u32) {
        self.words[index as usize / 64] |= 1 << (index % 64);
        self.lowest = self.lowest.min(index as usize / 64);
    }

    fn remove(&mut self, index: u32) {
        self.words[index as usize / 64] &= !(1 << (index % 64));
    }

    /// Inserts or removes a range, a word at a time.
    fn set_range(&mut self, range: Range<u32>, on: bool) {
        if on {
            self.lowest = self.lowest.min(range.start as usize / 64);
        }
        let mut at = range.start;
        while at < range.end {
            let bits = (64 - at % 64).min(range.end - at);
            let mask = (u64::MAX >> (64 - bits)) << (at % 64);
            let word = &mut self.words[at as usize / 64];
            *word = if on { *word | mask } else { *word & !mask };
            at += bits;
        }
    }

    fn first(&mut self) -> Option<u32> {
        while let Some(word) = self.words.get(self.lowest) {
            if *word != 0 {
                return Some(self.lowest as u32 * 64 + word.trailing_zeros());
            }
            self.lowest += 1;
        }
        None
    }
}

/// The free granules of one heap.
pub(crate) struct Buddy {
    /// Free blocks of each order, by block number (first granule ÷ size).
    blocks: [Bits; ORDER_MAX as usize + 1],
    /// Free granules.
    free: Bits,
    granules: u32,
}

impl Buddy {
    /// All granules taken.
    pub(crate) fn new(granules: u32) -> Buddy {
        let blocks = std::array::from_fn(|order| Bits::new((granules >> order) + 1));
        Buddy { blocks, free: Bits::new(granules), granules }
    }

    pub(crate) fn is_free(&self, granule: u32) -> bool {
        self.free.has(granule)
    }

    /// Takes a block of 2^order granules, aligned to its size: the lowest of the smallest sufficient order, so that
    /// memory is reused before new memory is touched.
    pub(crate) fn take(&mut self, order: u32) -> Option<u32> {
        let (found, block) = (order..=ORDER_MAX).find_map(|o| Some((o, self.blocks[o as usize].first()?)))?;
        self.blocks[found as usize].remove(block);
        let start = block << found;
        for o in order..found {
            self.blocks[o as usize].insert((start >> o) + 1);
        }
        self.set_free(start..start + (1 << order), false);
        Some(start)
    }

    /// Takes a run of `count` granules, from the high end, away from the regions.
    pub(crate) fn take_run(&mut self, count: u32) -> Option<u32> {
        let mut run = 0;
        let mut granule = self.granules;
        while granule > 0 {
            granule -= 1;
            if self.free.words[granule as usize / 64] == 0 {
                run = 0;
                granule -= granule % 64;
            } else if !self.free.has(granule) {
                run = 0;
            } else {
                run += 1;
                if run == count {
                    self.carve(granule..granule + count);
                    return Some(granule);
                }
            }
        }
        None
    }

    /// Whether there is a run of so many free granules.
    pub(crate) fn has_run(&mut self, count: u32) -> bool {
        let run = self.take_run(count);
        run.inspect(|start| self.give(*start..start + count)).is_some()
    }

    /// Removes a free range from the blocks that cover it and puts the rest of them back.
    pub(crate) fn carve(&mut self, range: Range<u32>) {
        let mut granule = range.start;
        while granule < range.end {
            let order = (0..=ORDER_MAX)
                .find(|o| self.blocks[*o as usize].has(granule >> o))
                .expect("B1: free granule in no block");
            let block = (granule >> order << order)..((granule >> order) + 1) << order;
            self.blocks[order as usize].remove(granule >> order);
            self.set_free(block.clone(), false);
            self.give(block.start..range.start.max(block.start));
            self.give(range.end.min(block.end)..block.end);
            granule = block.end;
        }
    }

    /// Makes a range free.
    pub(crate) fn give(&mut self, mut range: Range<u32>) {
        while range.start < range.end {
            let aligned = range.start.trailing_zeros().min(ORDER_MAX);
            let order = aligned.min((range.end - range.start).ilog2());
            self.give_block(range.start, order);
            range.start += 1 << order;
        }
    }

    fn give_block(&mut self, start: u32, mut order: u32) {
        debug_assert!(!self.is_free(start), "granule {start} freed twice");
        self.set_free(start..start + (1 << order), true);
        let mut block = start >> order;
        while order < ORDER_MAX && self.blocks[order as usize].has(block ^ 1) {
            self.blocks[order as usize].remove(block ^ 1);
            block >>= 1;
            order += 1;
        }
        self.blocks[order as usize].insert(block);
    }

    fn set_free(&mut self, range: Range<u32>, free: bool) {
        self.free.set_range(range, free);
    }

    /// Granules of the largest free block.
    pub(crate) fn largest(&mut self) -> u32 {
        (0..=ORDER_MAX).rev().find(|o| self.blocks[*o as usize].first().is_some()).map_or(0, |o| 1 << o)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(buddy: &Buddy) {
        for granule in 0..buddy.granules {
            let covers = (0..=ORDER_MAX).filter(|o| buddy.blocks[*o as usize].has(granule >> o)).count();
            assert_eq!(covers, usize::from(buddy.is_free(granule)), "B1 at granule {granule}");
        }
        for order in 0..ORDER_MAX {
            for block in 0..buddy.granules >> order {
                let both = buddy.blocks[order as usize].has(block) && buddy.blocks[order as usize].has(block ^ 1);
                assert!(!both, "B2 at order {order}, block {block}");
            }
        }
    }

    #[test]
    fn blocks_split_merge_and_align() {
        let mut buddy = Buddy::new(1000);
        buddy.give(1..1000);
        check(&buddy);
        let a = buddy.take(3).unwrap();
        let b = buddy.take(0).unwrap();
        let c = buddy.take(5).unwrap();
        assert_eq!((a % 8, c % 32), (0, 0));
        check(&buddy);
        let run = buddy.take_run(37).unwrap();
        assert_eq!(run, 1000 - 37);
        check(&buddy);
        buddy.give(a..a + 8);
        buddy.give(run..run + 37);
        buddy.give(b..b + 1);
        buddy.give(c..c + 32);
        check(&buddy);
        assert_eq!((1..1000).filter(|g| buddy.is_free(*g)).count(), 999);
        assert_eq!(buddy.largest(), 256);
    }

    #[test]
    fn runs_reach_over_blocks_and_fail_when_none_is_long_enough() {
        let mut buddy = Buddy::new(2048);
        buddy.give(0..2048);
        let run = buddy.take_run(1500).unwrap();
        assert_eq!(run, 548);
        check(&buddy);
        assert_eq!(buddy.take_run(549), None);
        assert_eq!(buddy.take_run(548), Some(0));
        assert_eq!(buddy.take(0), None);
    }
}
