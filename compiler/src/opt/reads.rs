//! Functions that only read: they neither write nor allocate, catch nothing, and call only their like. What such a function
//! gives depends on its arguments and on what it reads, so a second call of it is as redundant as a second load; and memory
//! is the same behind it. It may loop and it may trap: where a call is left out, the same one has come back before.

use super::Context;
use crate::ir::{Elem, Function, GlobalId, Op, RecordId, RuntimeFn, Terminator};

/// Calls within calls that are looked into.
const DEPTH_MAX: usize = 8;

/// What a function that only reads may read.
#[derive(Clone, Default, Debug)]
pub(super) struct Reads {
    pub fields: Vec<(RecordId, u32)>,
    pub elements: Vec<Elem>,
    pub globals: Vec<GlobalId>,
}

/// What a function reads, if it does nothing else. Running it must use up no fuel.
pub(super) fn of(function: &Function, context: &Context<'_>, depth: usize) -> Option<Reads> {
    if context.program.counts_fuel || depth >= DEPTH_MAX {
        return None;
    }
    let mut reads = Reads::default();
    for block in &function.blocks {
        if matches!(block.terminator, Terminator::Try { .. }) {
            return None;
        }
        for inst in &block.insts {
            match &inst.op {
                &Op::Load(record, field, _) => reads.fields.push((record, field)),
                &Op::ArrayGet(elem, ..) => reads.elements.push(elem),
                &Op::GlobalGet(global) => reads.globals.push(global),
                &Op::Call(callee, _) => reads.extend(context.reads(callee, depth + 1)?),
                op if is_pure(op) => {}
                _ => return None,
            }
        }
    }
    Some(reads)
}

impl Reads {
    fn extend(&mut self, other: &Reads) {
        self.fields.extend(&other.fields);
        self.elements.extend(&other.elements);
        self.globals.extend(&other.globals);
    }
}

/// Whether an operation looks at nothing but its operands, and what never changes.
fn is_pure(op: &Op) -> bool {
    match op {
        Op::CallRuntime(function, _) => {
            use RuntimeFn::{IntHash, StrCompare, StrEq, StrHash};
            matches!(function, StrEq | StrCompare | StrHash | IntHash)
        }
        Op::Prim(..) | Op::BoundsCheck(..) | Op::Poll => true,
        op => !op.has_effect() && !op.is_safepoint(),
    }
}
