//! Numbers for places of a function, small enough for Cranelift's source locations: 0 is the function itself, then the
//! calls that were inlined into it, then its instructions and terminators in the order of its blocks.
//!
//! A place inside an inlined body has an outer place, that of the call; so a frame of machine code is as many frames of
//! the script as it has bodies at that place.

use crate::ir::{FuncId, Function, Scope};
use crate::syntax::span::Span;

/// The place of the function as a whole.
pub(super) const FUNCTION: u32 = tenure_runtime::code::ENTRY;

/// The places of one function.
#[derive(Debug)]
pub(super) struct Places {
    list: Vec<Place>,
    /// Number of each block's first instruction.
    blocks: Vec<u32>,
}

/// What a number stands for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Whose body it lies in.
    pub(super) function: FuncId,
    /// Where in the source.
    pub(super) span: Span,
    /// The call of that body, unless it is the function's own.
    pub(super) outer: Option<u32>,
}

impl Places {
    /// Of `function`, whose number in its program is `id`.
    pub(super) fn new(id: FuncId, function: &Function) -> Places {
        let mut list = vec![Place { function: id, span: function.span, outer: None }];
        let body = |scope: Scope| match scope.index().checked_sub(1) {
            None => (id, None),
            Some(call) => (function.inlined[call].function, Some(FUNCTION + 1 + call as u32)),
        };
        let place = |scope, span| {
            let (function, outer) = body(scope);
            Place { function, span, outer }
        };
        list.extend(function.inlined.iter().map(|inlined| place(inlined.caller, inlined.call)));
        let mut blocks = Vec::with_capacity(function.blocks.len());
        for block in &function.blocks {
            blocks.push(list.len() as u32);
            list.extend(block.insts.iter().map(|inst| place(inst.scope, inst.span)));
            list.push(place(block.scope, block.span));
        }
        Places { list, blocks }
    }

    /// Number of a block's first instruction.
    pub(super) fn of_block(&self, block: usize) -> u32 {
        self.blocks[block]
    }

    /// Of these places and the outer ones of those, the ones inside inlined bodies with the calls of these, sorted.
    pub(super) fn outer(&self, places: impl Iterator<Item = u32>) -> Vec<(u32, u32)> {
        let mut pairs: Vec<(u32, u32)> = Vec::new();
        for mut place in places {
            while let Some(outer) = self.list[place as usize].outer {
                pairs.push((place, outer));
                place = outer;
            }
        }
        pairs.sort_unstable();
        pairs.dedup();
        pairs
    }

    /// What a number stands for.
    pub(super) fn get(&self, place: u32) -> Place {
        self.list[place as usize]
    }
}
