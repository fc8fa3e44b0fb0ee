//! Polls less often in short loops that count: strip mining, as HotSpot's compilers do it (Nilsson and Rahman, JDK-8186027,
//! 2017).
//!
//! An innermost loop without calls that counts up or down to a fixed end becomes two: the outer one polls and sets the
//! next stop, at most [`STRIP`] rounds ahead; the inner one runs to that. A loop that is known to take no more rounds than
//! that doesn't poll at all, because what is around it does. So the time between two polls is bounded by that many short
//! rounds, and within a strip no reference moves: addresses made of references leave the inner loop.
//!
//! ```text
//! H(i): poll; body; x = i + s; branch x >= n (exit, H(x))
//! ```
//! becomes
//! ```text
//! O(i): poll; t = i + STRIP * s; branch t < n (M(t), M(n))
//! M(stop): jump H(i)
//! H(i): body; x = i + s; branch x >= stop (L, H(x))
//! L: branch x >= n (exit, O(x))
//! ```
//!
//! Invariant L1: a stop never lies behind the end. So the inner loop goes on only where the loop would have; a stop that
//! wrapped round only comes too early.
//!
//! Programs that count fuel are left alone: each round uses some.

use super::Context;
use super::loops::{self, Loop};
use crate::ir::cfg::Cfg;
use crate::ir::{Block, BlockData, Function, Inst, Op, Terminator, Type, Value, Values};
use crate::prim::Prim;

/// Rounds between two polls.
const STRIP: i64 = 1000;
/// Instructions of a loop whose polls are worth it, and whose strips are short.
const BODY_MAX: usize = 64;

/// The pass.
pub(super) fn run(function: &mut Function, context: &Context<'_>) {
    if context.program.counts_fuel {
        return;
    }
    loops::each(function, |function, cfg, found| {
        let Some(poll) = lone_poll(function, cfg, found) else { return false };
        let Some(counter) = Counter::of(function, cfg, found) else { return false };
        function.blocks[found.header.index()].insts.remove(poll);
        if counter.rounds(function, cfg, found).is_some_and(|rounds| rounds <= STRIP) {
            return false;
        }
        strip(function, found, &counter);
        true
    });
}

/// The poll in the header of an innermost short loop that has no other safepoint.
fn lone_poll(function: &Function, cfg: &Cfg, found: &Loop) -> Option<usize> {
    let inner = |block: Block| {
        let at = cfg.position(block);
        block != found.header && cfg.preds(block).iter().any(|&pred| cfg.position(pred) >= at)
    };
    let mut size = 0;
    let mut polls = 0;
    for &block in &found.blocks {
        let data = &function.blocks[block.index()];
        size += data.insts.iter().map(|inst| weight(&inst.op)).sum::<usize>();
        polls += data.insts.iter().filter(|inst| inst.op.is_safepoint()).count();
        if inner(block) || matches!(data.terminator, Terminator::Try { .. }) {
            return None;
        }
    }
    let poll = function.blocks[found.header.index()].insts.iter().position(|inst| matches!(inst.op, Op::Poll))?;
    (polls == 1 && size <= BODY_MAX).then_some(poll)
}

/// How long an operation takes, as instructions.
fn weight(op: &Op) -> usize {
    match op {
        Op::Prim(Prim::IntDiv | Prim::IntRem, _) => 4,
        Op::Prim(Prim::IntPow | Prim::FloatPow | Prim::FloatRem, _) => 16,
        _ => 1,
    }
}

/// How a loop counts.
struct Counter {
    latch: Block,
    /// Index of the counter among the header's parameters.
    param: usize,
    /// How the next value is made of the last and the step.
    advance: Prim,
    step: Value,
    next: Value,
    end: Value,
    /// How the latch compares `next` with `end`.
    test: Prim,
    up: bool,
}

impl Counter {
    fn of(function: &Function, cfg: &Cfg, found: &Loop) -> Option<Counter> {
        let mut latches = found.latches(cfg);
        let (latch, None) = (latches.next()?, latches.next()) else { return None };
        let data = &function.blocks[latch.index()];
        let Terminator::Branch { condition, then, otherwise } = &data.terminator else { return None };
        let (around, leaves) = match (then.0 == found.header, otherwise.0 == found.header) {
            (true, false) if !found.blocks.contains(&otherwise.0) => (then, false),
            (false, true) if !found.blocks.contains(&then.0) => (otherwise, true),
            _ => return None,
        };
        let defining = |value: Value| {
            let blocks = found.blocks.iter().flat_map(|block| &function.blocks[block.index()].insts);
            blocks.into_iter().find(|inst| inst.result == Some(value)).map(|inst| &inst.op)
        };
        let Op::Prim(test, compared) = defining(*condition)? else { return None };
        let (test, next, end) = match around.1.contains(&compared[0]) {
            true => (*test, compared[0], compared[1]),
            false => (mirrored(*test)?, *compared.get(1)?, compared[0]),
        };
        let up = match test {
            Prim::IntLt | Prim::IntLe => !leaves,
            Prim::IntGe | Prim::IntGt => leaves,
            _ => return None,
        };
        let header = &function.blocks[found.header.index()];
        let param = around.1.iter().position(|&passed| passed == next)?;
        let Op::Prim(advance, operands) = defining(next)? else { return None };
        let (advance, step) = match (advance, &operands[..]) {
            (Prim::IntAdd | Prim::IntAddWrap, &[a, b]) if a == header.params[param] => (Prim::IntAddWrap, b),
            (Prim::IntAdd | Prim::IntAddWrap, &[a, b]) if b == header.params[param] => (Prim::IntAddWrap, a),
            (Prim::IntSub | Prim::IntSubWrap, &[a, b]) if a == header.params[param] => (Prim::IntSubWrap, b),
            _ => return None,
        };
        let is_param = |value: Value| found.blocks.iter().any(|b| function.blocks[b.index()].params.contains(&value));
        let fixed = |value: Value| match defining(value) {
            Some(op) => matches!(op, Op::Int(_)),
            None => !is_param(value),
        };
        (fixed(step) && fixed(end)).then_some(Counter { latch, param, advance, step, next, end, test, up })
    }

    /// How many rounds there are, if constants tell.
    fn rounds(&self, function: &Function, cfg: &Cfg, found: &Loop) -> Option<i64> {
        let (end, step) = (constant(function, self.end)?, constant(function, self.step)?);
        let mut most = 0;
        for entry in found.entries(cfg) {
            let mut starts = Values::new();
            function.blocks[entry.index()].terminator.edges(|to, passed| {
                if to == found.header {
                    starts.push(passed[self.param]);
                }
            });
            for start in starts {
                let start = constant(function, start)?;
                let distance = if self.up { end.checked_sub(start)? } else { start.checked_sub(end)? };
                let by = if (self.advance == Prim::IntAddWrap) == self.up { step } else { step.checked_neg()? };
                if by <= 0 {
                    return None;
                }
                most = most.max(distance / by + 1);
            }
        }
        Some(most)
    }
}

/// A comparison with its operands changed round.
fn mirrored(test: Prim) -> Option<Prim> {
    Some(match test {
        Prim::IntLt => Prim::IntGt,
        Prim::IntLe => Prim::IntGe,
        Prim::IntGt => Prim::IntLt,
        Prim::IntGe => Prim::IntLe,
        _ => return None,
    })
}

fn constant(function: &Function, value: Value) -> Option<i64> {
    let mut insts = function.blocks.iter().flat_map(|block| &block.insts);
    insts.find_map(|inst| match inst.op {
        Op::Int(constant) if inst.result == Some(value) => Some(constant),
        _ => None,
    })
}

/// Makes two loops of one; the poll has been taken out.
fn strip(function: &mut Function, found: &Loop, counter: &Counter) {
    let header = found.header;
    let first = function.blocks.len() as u32;
    let (outer, middle, last) = (Block(first), Block(first + 1), Block(first + 2));
    let enter = |to: &mut Block, _: &mut Values| {
        if *to == header {
            *to = outer;
        }
    };
    for block in (0..first).map(Block).filter(|block| !found.blocks.contains(block)) {
        function.blocks[block.index()].terminator.edges_mut(enter);
    }
    let BlockData { params, span, scope, handler, .. } = function.blocks[header.index()].clone();
    let copies: Values = params.iter().map(|param| function.new_value(function.values[param.index()])).collect();
    let inst = |op: Op, result: Option<Value>| Inst { op, result, span, scope };
    let block = |params: Values, insts: Vec<Inst>, terminator: Terminator| BlockData {
        params,
        insts,
        terminator,
        span,
        scope,
        handler,
    };

    // constants may stand in the loop, and are made anew
    let mut insts = vec![inst(Op::Poll, None)];
    let mut anew = |function: &mut Function, op: Op| {
        let result = function.new_value(Type::Int);
        insts.push(inst(op, Some(result)));
        result
    };
    let end = match constant(function, counter.end) {
        Some(end) => anew(function, Op::Int(end)),
        None => counter.end,
    };
    let distance = match constant(function, counter.step) {
        Some(step) => anew(function, Op::Int(step.wrapping_mul(STRIP))),
        None => {
            let strip = anew(function, Op::Int(STRIP));
            anew(function, Op::Prim(Prim::IntMulWrap, Values::from_slice(&[counter.step, strip])))
        }
    };
    let far = Values::from_slice(&[copies[counter.param], distance]);
    let far = anew(function, Op::Prim(counter.advance, far));
    let nearer = function.new_value(Type::Byte);
    let test = if counter.up { Prim::IntLt } else { Prim::IntGt };
    insts.push(inst(Op::Prim(test, Values::from_slice(&[far, end])), Some(nearer)));
    let ends = |stop: Value| (middle, Values::from_slice(&[stop]));
    let choice = Terminator::Branch { condition: nearer, then: ends(far), otherwise: ends(end) };
    function.blocks.push(block(copies.clone(), insts, choice));

    let stop = function.new_value(Type::Int);
    function.blocks.push(block(Values::from_slice(&[stop]), Vec::new(), Terminator::Jump(header, copies)));

    // the latch stops at the strip's end; the loop's own end is tested behind that
    let (stopped, ended) = (function.new_value(Type::Byte), function.new_value(Type::Byte));
    let latch = &mut function.blocks[counter.latch.index()];
    let stops = Op::Prim(counter.test, Values::from_slice(&[counter.next, stop]));
    latch.insts.push(Inst { op: stops, result: Some(stopped), span: latch.span, scope: latch.scope });
    let mut ending = latch.terminator.clone();
    let Terminator::Branch { condition, then, otherwise } = &mut latch.terminator else {
        unreachable!("bug: it was a branch")
    };
    *condition = stopped;
    let leave = if then.0 == header { otherwise } else { then };
    *leave = (last, Values::new());
    let (span, scope) = (latch.span, latch.scope);
    ending.edges_mut(enter);
    if let Terminator::Branch { condition, .. } = &mut ending {
        *condition = ended;
    }
    let ends = Op::Prim(counter.test, Values::from_slice(&[counter.next, counter.end]));
    let insts = vec![Inst { op: ends, result: Some(ended), span, scope }];
    function.blocks.push(BlockData { params: Values::new(), insts, terminator: ending, span, scope, handler });
}
