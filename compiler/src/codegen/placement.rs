//! Where in its pages a function's code lies.
//!
//! Processors fetch decoded instructions by lines of 64 bytes, one in a cycle. A loop of a few instructions that lies in
//! two lines where one would do takes a cycle more for each round, which may double its time; so code begins where as many
//! short loops as possible lie in one line, the more deeply nested first. Cranelift aligns no blocks, so a function is moved
//! as a whole.
//!
//! A function has its pages for itself, since a page is either written or run. If each began at the start of a page, the
//! entries of all would compete for the same sets of the first-level cache and of the branch predictor; so one begins at the
//! offset in a page at which the last one ended, if it needs no further page then.
//!
//! Where a loop lies is told by the source locations of its instructions. Cranelift's edges between blocks don't: they name
//! the wrong blocks in functions that have cold ones.

use super::place::Places;
use crate::ir::cfg::Cfg;
use crate::ir::{Block, Function, Op};
use crate::opt::loops::loops;
use std::ops::Range;

/// Bytes of a line of the caches.
const LINE_BYTES: u32 = 64;
/// Bytes of a page.
pub(super) const PAGE_BYTES: u32 = 4096;
/// What functions are aligned to, and with them the constants behind their code.
pub(super) const ALIGN: u32 = 16;

/// A loop that has no other in it, before it is compiled.
#[derive(Debug)]
pub(super) struct InnerLoop {
    /// Places in it that Cranelift does not move out of it.
    inside: Vec<u32>,
    /// Places of the ways back to its start.
    latches: Vec<u32>,
    /// How many loops it lies in, itself among them.
    depth: u32,
}

/// The inner loops of a function.
pub(super) fn inner_loops(function: &Function, places: &Places) -> Vec<InnerLoop> {
    let cfg = Cfg::new(function);
    let loops = loops(&cfg);
    let place_of = |block: Block, inst: usize| places.of_block(block.index()) + inst as u32;
    let terminator = |block: Block| place_of(block, function.blocks[block.index()].insts.len());
    // loops that lie in others come first
    let is_inner = |&at: &usize| loops[..at].iter().all(|other| !loops[at].blocks.contains(&other.header));
    let inner_loop = |at: usize| {
        let mut inside = Vec::new();
        for &block in &loops[at].blocks {
            let insts = function.blocks[block.index()].insts.iter().enumerate();
            inside.extend(insts.filter(|(_, inst)| stays(&inst.op)).map(|(i, _)| place_of(block, i)));
            inside.push(terminator(block));
        }
        let latches = loops[at].latches(&cfg).map(terminator).collect();
        let depth = loops[at..].iter().filter(|around| around.blocks.contains(&loops[at].header)).count() as u32;
        InnerLoop { inside, latches, depth }
    };
    // an instruction takes more than a byte
    let may_fit = |inner: &InnerLoop| inner.inside.len() < LINE_BYTES as usize;
    (0..loops.len()).filter(is_inner).map(inner_loop).filter(may_fit).collect()
}

/// Whether Cranelift leaves an operation in its loop.
fn stays(op: &Op) -> bool {
    op.has_effect() || matches!(op, Op::Load(..) | Op::ArrayGet(..))
}

/// What a function was compiled to, in offsets from its start.
pub(super) struct Code<'a> {
    /// Bytes.
    pub(super) len: u32,
    /// Where blocks begin, in order.
    pub(super) blocks: &'a [u32],
    /// Which places instructions are of, in the order in which they lie there; those of cold blocks come last.
    pub(super) places: &'a [(Range<u32>, u32)],
}

/// Bytes from the start of a page to a function, if the last one ended `end` bytes behind the start of its own.
pub(super) fn offset(code: &Code<'_>, loops: &[InnerLoop], end: u32) -> u32 {
    let short: Vec<_> = loops.iter().filter_map(|inner| Some((span(code, inner)?, inner.depth))).collect();
    let room = code.len.next_multiple_of(PAGE_BYTES) - code.len;
    let fitting = |first: u32| (first..=room).step_by(ALIGN as usize).take((LINE_BYTES / ALIGN) as usize);
    // how many short loops lie in two lines, by depth
    let split = |&offset: &u32| {
        let mut split = [0; DEPTH_MAX];
        for (_, depth) in short.iter().filter(|(span, _)| is_split(span, offset)) {
            split[DEPTH_MAX - (*depth as usize).min(DEPTH_MAX)] += 1;
        }
        split
    };
    fitting(end.next_multiple_of(LINE_BYTES)).chain(fitting(0)).min_by_key(split).unwrap_or(0)
}

/// Loops within more loops than that are not told apart.
const DEPTH_MAX: usize = 8;

/// Where a loop lies that fits in a line.
fn span(code: &Code<'_>, inner: &InnerLoop) -> Option<Range<u32>> {
    // the first instruction of a place is not in a cold block, unless all are
    let first = code.places.iter().find(|(_, place)| inner.inside.contains(place))?.0.start;
    let last = inner.latches.iter().filter_map(|latch| code.places.iter().find(|(_, place)| place == latch));
    let end = last.map(|(range, _)| range.end).max()?;
    let start = code.blocks[code.blocks.partition_point(|&block| block <= first).checked_sub(1)?];
    (start < end && end - start <= LINE_BYTES).then_some(start..end)
}

/// Whether code that moves by `offset` lies in two lines.
fn is_split(span: &Range<u32>, offset: u32) -> bool {
    (span.start + offset) / LINE_BYTES != (span.end - 1 + offset) / LINE_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A loop of 30 bytes at 50, behind an instruction that was moved out of it, with a cold block at 80.
    const CODE: Code<'_> =
        Code { len: 100, blocks: &[0, 50, 80], places: &[(46..50, 1), (54..58, 2), (70..80, 3), (80..90, 2)] };

    fn at(depth: u32) -> InnerLoop {
        InnerLoop { inside: vec![2, 3], latches: vec![3], depth }
    }

    #[test]
    fn a_loop_lies_from_its_first_block_to_its_way_back() {
        assert_eq!(span(&CODE, &at(1)), Some(50..80));
    }

    #[test]
    fn a_loop_is_moved_into_one_line() {
        assert_eq!(offset(&CODE, &[at(1)], 0), 16, "66 to 96 instead of 50 to 80");
        assert_eq!(offset(&CODE, &[], 0), 0);
    }

    #[test]
    fn the_more_deeply_nested_loop_decides() {
        let places = [(50..80, 1), (100..128, 2), (140..168, 3)];
        let code = Code { len: 200, blocks: &[0, 50, 80, 100, 128, 140, 168], places: &places };
        let at = |place, depth| InnerLoop { inside: vec![place], latches: vec![place], depth };
        assert_eq!(offset(&code, &[at(1, 1), at(2, 1)], 0), 32, "82 to 112 and 132 to 160");
        assert_eq!(offset(&code, &[at(1, 1), at(2, 1), at(3, 2)], 0), 0, "172 to 200 would be split");
    }

    #[test]
    fn loops_longer_than_a_line_move_nothing() {
        let code = Code { len: 100, blocks: &[0, 10, 90], places: &[(10..20, 2), (80..90, 3)] };
        assert_eq!(offset(&code, &[at(1)], 0), 0);
    }

    #[test]
    fn functions_follow_each_other_within_a_page() {
        assert_eq!(offset(&CODE, &[], 200), 256);
        assert_eq!(offset(&Code { len: 4000, ..CODE }, &[], 200), 0, "it would need a second page");
        assert_eq!(offset(&Code { len: 4090, ..CODE }, &[at(1)], 200), 0, "as would moving the loop");
    }
}
