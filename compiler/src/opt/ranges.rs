//! Drops checks that can't fail: overflow of additions, subtractions and multiplications whose exact result is known to
//! fit, and bounds of indexes known to lie between 0 and the length. Divisions by powers of two of what is not negative
//! become shifts and masks, and the test whether a counter has met its end asks for their order.
//!
//! What is known is in `facts`; that an index stays below a length is for `proof`.
//!
//! Invariant R1: a check goes only for what is known before it, earlier rounds of its loop among that. So the first that
//! would fail stays.

use super::Context;
use super::facts::{At, Difference, Facts};
use super::interval::Interval;
use super::proof;
use crate::ir::cfg::Cfg;
use crate::ir::{Block, Function, Inst, Op, Type, Value};
use crate::prim::Prim;

/// The pass.
pub(super) fn run(function: &mut Function, context: &Context<'_>) {
    if !function.blocks.iter().flat_map(|block| &block.insts).any(|inst| is_candidate(&inst.op)) {
        return;
    }
    let cfg = Cfg::new(function);
    let mut changes: Vec<(Block, usize, Option<Change>)> = Vec::new();
    let facts = Facts::new(context.program, function, &cfg);
    for &block in cfg.reverse_postorder() {
        facts.walk(block, |i, at| {
            let op = &function.blocks[block.index()].insts[i].op;
            match op {
                &Op::BoundsCheck(index, len) if is_within(&facts, index, len, at) => changes.push((block, i, None)),
                Op::Prim(prim, operands) => {
                    if let Some(change) = better(&facts, *prim, operands, at) {
                        changes.push((block, i, Some(change)));
                    }
                }
                _ => {}
            }
        });
    }
    apply(function, changes);
}

fn is_candidate(op: &Op) -> bool {
    use Prim::*;
    match op {
        Op::BoundsCheck(..) => true,
        Op::Prim(prim, _) => matches!(prim, IntAdd | IntSub | IntMul | IntDiv | IntRem | IntEq | IntNe),
        _ => false,
    }
}

/// What an operation becomes.
#[derive(Clone, Copy)]
enum Change {
    To(Prim),
    /// With this constant as its second operand.
    By(Prim, i64),
}

/// Whether an index lies within a length.
pub(super) fn is_within(facts: &Facts<'_>, index: Value, len: Value, at: At) -> bool {
    let below = Difference { a: Some(index), b: Some(len), c: -1 };
    facts.interval(index, at).lo >= 0 && proof::holds(facts, below, at)
}

/// Whether an operation can't overflow.
pub(super) fn is_exact(facts: &Facts<'_>, prim: Prim, operands: &[Value], at: At) -> bool {
    facts.exact(prim, operands, at).is_some_and(Interval::fits)
}

fn better(facts: &Facts<'_>, prim: Prim, operands: &[Value], at: At) -> Option<Change> {
    let exact = || is_exact(facts, prim, operands, at);
    let power = || {
        let divisor = facts.constant(operands[1]).filter(|divisor| *divisor > 0 && divisor.count_ones() == 1);
        divisor.filter(|_| facts.interval(operands[0], at).lo >= 0)
    };
    match prim {
        Prim::IntAdd => exact().then_some(Change::To(Prim::IntAddWrap)),
        Prim::IntSub => exact().then_some(Change::To(Prim::IntSubWrap)),
        Prim::IntMul => exact().then_some(Change::To(Prim::IntMulWrap)),
        Prim::IntDiv => power().map(|divisor| Change::By(Prim::IntShr, divisor.trailing_zeros().into())),
        Prim::IntRem => power().map(|divisor| Change::By(Prim::IntAnd, divisor - 1)),
        Prim::IntEq | Prim::IntNe => ordered(facts, prim, operands, at).map(Change::To),
        _ => None,
    }
}

/// The order that tells of a counter and its end, neither beyond the other, whether they are equal.
fn ordered(facts: &Facts<'_>, prim: Prim, operands: &[Value], at: At) -> Option<Prim> {
    let counts = |value: Value| {
        matches!(
            facts.operation(value),
            Some(Op::Prim(Prim::IntAddWrap | Prim::IntSubWrap | Prim::IntAdd | Prim::IntSub, _))
        )
    };
    if !counts(operands[0]) {
        return None;
    }
    let (a, b) = (Some(operands[0]), Some(operands[1]));
    if proof::holds(facts, Difference { a, b, c: 0 }, at) {
        return Some(if prim == Prim::IntEq { Prim::IntGe } else { Prim::IntLt });
    }
    if proof::holds(facts, Difference { a: b, b: a, c: 0 }, at) {
        return Some(if prim == Prim::IntEq { Prim::IntLe } else { Prim::IntGt });
    }
    None
}

fn apply(function: &mut Function, changes: Vec<(Block, usize, Option<Change>)>) {
    // the last first, so that those before it keep their places
    for (block, i, change) in changes.into_iter().rev() {
        let by = match change {
            Some(Change::By(..)) => Some(function.new_value(Type::Int)),
            _ => None,
        };
        let insts = &mut function.blocks[block.index()].insts;
        let Op::Prim(prim, operands) = &mut insts[i].op else {
            insts.remove(i);
            continue;
        };
        match change {
            Some(Change::By(better, constant)) => {
                *prim = better;
                operands[1] = by.expect("it was made above");
                let inst = Inst { op: Op::Int(constant), result: by, ..insts[i].clone() };
                insts.insert(i, inst);
            }
            Some(Change::To(better)) => *prim = better,
            None => unreachable!("bug: an operation stays"),
        }
    }
}
