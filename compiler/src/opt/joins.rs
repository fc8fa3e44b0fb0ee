//! What a place in memory holds where ways meet that know it, each another value: a parameter would bring them together.
//! Most such parameters would be for nothing, so they are only numbers until a load turns out to be one of them.
//!
//! Braun and others, *Simple and Efficient Construction of Static Single Assignment Form*, 2013, asks for values of variables
//! in this way; here the variables are places.
//!
//! Invariant: a number stands for a parameter of its block, so it may be used wherever that block dominates. Until [`Joins::make`]
//! the function holds numbers; the parameters made then may be called the same, so all operands are replaced once, behind it.

use crate::ir::{Block, Function, Terminator, Type, Value};
use smallvec::SmallVec;

/// Ways that may meet.
const WAYS_MAX: usize = 8;

/// A parameter to be, if it is used.
struct Join {
    block: Block,
    ty: Type,
    /// From each block that leads there, the value.
    values: SmallVec<[(Block, Value); 2]>,
}

/// Numbers behind those of a function's values.
pub(super) struct Joins {
    first: usize,
    joins: Vec<Join>,
}

impl Joins {
    pub(super) fn new(function: &Function) -> Joins {
        Joins { first: function.values.len(), joins: Vec::new() }
    }

    /// The blocks that lead to another, each once, if values can be brought together there.
    pub(super) fn ways(function: &Function, preds: &[Block]) -> Option<SmallVec<[Block; 4]>> {
        let mut ways: SmallVec<[Block; 4]> = preds.into();
        ways.sort_unstable();
        ways.dedup();
        let passes_nothing = |&from: &Block| matches!(function.blocks[from.index()].terminator, Terminator::Try { .. });
        ((2..=WAYS_MAX).contains(&ways.len()) && !ways.iter().any(passes_nothing)).then_some(ways)
    }

    /// The number of what these values become in a block.
    pub(super) fn add(&mut self, function: &Function, block: Block, values: SmallVec<[(Block, Value); 2]>) -> Value {
        let ty = self.ty(function, values[0].1);
        self.joins.push(Join { block, ty, values });
        Value((self.first + self.joins.len() - 1) as u32)
    }

    fn ty(&self, function: &Function, value: Value) -> Type {
        match self.number(value) {
            Some(join) => self.joins[join].ty,
            None => function.values[value.index()],
        }
    }

    fn number(&self, value: Value) -> Option<usize> {
        value.index().checked_sub(self.first)
    }

    /// Makes parameters of the numbers that a function uses. `copies` says for each value the one to use instead, and knows the
    /// parameters afterwards.
    pub(super) fn make(self, function: &mut Function, copies: &mut [Value]) {
        let mut used = vec![false; self.joins.len()];
        let mut work: Vec<usize> = Vec::new();
        let mut need = |value: Value, work: &mut Vec<usize>| {
            if let Some(join) = self.number(copies[value.index()])
                && !std::mem::replace(&mut used[join], true)
            {
                work.push(join);
            }
        };
        for block in &function.blocks {
            block.insts.iter().for_each(|inst| inst.op.visit(|value| need(value, &mut work)));
            block.terminator.visit(|value| need(value, &mut work));
        }
        while let Some(join) = work.pop() {
            self.joins[join].values.iter().for_each(|&(_, value)| need(value, &mut work));
        }
        // their own arguments may be such numbers, which are replaced with all others
        for (i, join) in self.joins.into_iter().enumerate().filter(|&(i, _)| used[i]) {
            function.values.push(join.ty);
            let param = Value(function.values.len() as u32 - 1);
            copies[self.first + i] = param;
            function.blocks[join.block.index()].params.push(param);
            for (from, value) in join.values {
                function.blocks[from.index()].terminator.edges_mut(|to, arguments| {
                    if *to == join.block {
                        arguments.push(value);
                    }
                });
            }
        }
    }
}
