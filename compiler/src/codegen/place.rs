//! Numbers for places of a function, small enough for Cranelift's source locations: 0 is the function itself, then its
//! instructions and terminators in the order of its blocks.

use crate::ir::Function;
use crate::syntax::span::Span;

/// The place of the function as a whole.
pub(super) const FUNCTION: u32 = 0;

/// For each block the place of its first instruction.
pub(super) fn of_blocks(function: &Function) -> Vec<u32> {
    let mut next = FUNCTION + 1;
    let mut starts = Vec::with_capacity(function.blocks.len());
    for block in &function.blocks {
        starts.push(next);
        next += block.insts.len() as u32 + 1;
    }
    starts
}

/// Where in the source a place is.
pub(super) fn span(function: &Function, place: u32) -> Span {
    let starts = of_blocks(function);
    let Some(block) = starts.partition_point(|&start| start <= place).checked_sub(1) else {
        return function.span;
    };
    let data = &function.blocks[block];
    data.insts.get((place - starts[block]) as usize).map_or(data.span, |inst| inst.span)
}
