//! Partial inlining: where a function that calls itself begins with a test that leads straight out of it, as recursion
//! does at its end, calls of it make the test themselves and only call when there is more to do. About half of the calls of a
//! recursion over a tree are its leaves; they need no frame then. GCC does the same by splitting functions
//! (`-fpartial-inlining`).
//!
//! ```text
//! r = call f x
//! ```
//! becomes, of `f(n) = if n < 2 { n } else { … }`,
//! ```text
//! branch x < 2 (jump C(x), r' = call f x; jump C(r'))
//! ```
//!
//! Invariant W1: what is copied neither traps nor has an effect, and the call would do it first. So nobody can tell, except
//! that the stack is used up later; programs that count fuel, of which each call uses some, are left alone.

use super::Context;
use crate::ir::{Block, BlockData, FuncId, Function, Inlining, Inst, Op, Scope, Terminator, Value, Values};
use crate::syntax::span::Span;
use hashbrown::HashMap;

/// Instructions of the test, and of the way out, constants not counted.
const COPIED_MAX: usize = 6;

/// The pass.
pub(super) fn run(function: &mut Function, context: &Context<'_>) {
    if context.program.counts_fuel {
        return;
    }
    let mut guards: HashMap<FuncId, Option<Guard>> = HashMap::new();
    for block in 0..function.blocks.len() {
        // the last first, so that what stands before it in its block keeps its place
        for at in (0..function.blocks[block].insts.len()).rev() {
            let Op::Call(callee, _) = function.blocks[block].insts[at].op else { continue };
            let guard = guards.entry(callee).or_insert_with(|| {
                let body = &context.program.functions[callee.index()];
                let stays = body.inlining == Inlining::Never || context.optimiser.replaceable.contains(&callee);
                (!stays && calls(body, callee)).then(|| Guard::of(body)).flatten()
            });
            if let Some(guard) = guard {
                guard.put_before(function, block, at);
            }
        }
    }
}

fn calls(function: &Function, callee: FuncId) -> bool {
    let is_such = |inst: &Inst| matches!(inst.op, Op::Call(called, _) if called == callee);
    function.blocks.iter().flat_map(|block| &block.insts).any(is_such)
}

/// How a function begins: a test, and what leads out of it.
struct Guard {
    params: Values,
    test: Vec<Copied>,
    condition: Value,
    /// Whether the way out is taken where the condition holds.
    when: bool,
    out: Vec<Copied>,
    result: Value,
}

/// An instruction, and the type of what it gives.
type Copied = (Op, Value, crate::ir::Type);

impl Guard {
    fn of(function: &Function) -> Option<Guard> {
        let entry = &function.blocks[0];
        let test = copied(function, entry)?;
        let Terminator::Branch { condition, then, otherwise } = &entry.terminator else { return None };
        let ways = [(true, then), (false, otherwise)];
        let (when, (out, result)) =
            ways.into_iter().find_map(|(when, (to, passed))| Some((when, way_out(function, *to, passed)?)))?;
        Some(Guard { params: entry.params.clone(), test, condition: *condition, when, out, result })
    }

    /// Puts the test before a call.
    fn put_before(&self, function: &mut Function, block: usize, at: usize) {
        let data = &mut function.blocks[block];
        let after = data.insts.split_off(at + 1);
        let mut call = data.insts.pop().expect("the call stands there");
        let Op::Call(_, arguments) = &call.op else { unreachable!("bug: it is a call") };
        let mut names: HashMap<Value, Value> = self.params.iter().copied().zip(arguments.iter().copied()).collect();
        let (span, scope, handler) = (data.span, data.scope, data.handler);
        let place = (call.span, call.scope);
        let count = function.blocks.len() as u32;
        let (out, rest, done) = (Block(count), Block(count + 1), Block(count + 2));
        let test = copies(function, &self.test, &mut names, place);
        let leaves = copies(function, &self.out, &mut names, place);
        let name = |value: Value| names.get(&value).copied().unwrap_or(value);
        let called = call.result.map(|result| (result, function.new_value(function.values[result.index()])));
        call.result = called.map(|(_, fresh)| fresh);
        let jump = |value: Option<Value>| Terminator::Jump(done, value.into_iter().collect());
        let ways = [(out, Values::new()), (rest, Values::new())];
        let [then, otherwise] = if self.when { ways } else { [ways[1].clone(), ways[0].clone()] };
        let choice = Terminator::Branch { condition: name(self.condition), then, otherwise };
        let data = &mut function.blocks[block];
        data.insts.extend(test);
        let terminator = std::mem::replace(&mut data.terminator, choice);
        (data.span, data.scope) = place;
        let block = |params: Values, insts, terminator, (span, scope)| BlockData {
            params,
            insts,
            terminator,
            span,
            scope,
            handler,
        };
        let left = called.map(|_| name(self.result));
        let rest = block(Values::new(), vec![call], jump(called.map(|(_, fresh)| fresh)), place);
        let params = called.map(|(result, _)| result).into_iter().collect();
        function.blocks.extend([
            block(Values::new(), leaves, jump(left), place),
            rest,
            block(params, after, terminator, (span, scope)),
        ]);
    }
}

/// Copies instructions into a function, under new names.
fn copies(
    function: &mut Function,
    insts: &[Copied],
    names: &mut HashMap<Value, Value>,
    (span, scope): (Span, Scope),
) -> Vec<Inst> {
    let mut copy = |(op, result, ty): &Copied| {
        let mut op = op.clone();
        op.visit_mut(|operand| *operand = names.get(operand).copied().unwrap_or(*operand));
        let fresh = function.new_value(*ty);
        names.insert(*result, fresh);
        Inst { op, result: Some(fresh), span, scope }
    };
    insts.iter().map(&mut copy).collect()
}

/// The instructions of a block, if they may be copied before a call (W1).
fn copied(function: &Function, block: &BlockData) -> Option<Vec<Copied>> {
    let mut all = Vec::new();
    for inst in &block.insts {
        let result = inst.result?;
        if inst.op.has_effect() || inst.op.traps() || inst.op.is_safepoint() {
            return None;
        }
        all.push((inst.op.clone(), result, function.values[result.index()]));
    }
    let is_constant = |op: &Op| matches!(op, Op::Int(_) | Op::Float(_) | Op::Byte(_) | Op::Nil);
    (all.iter().filter(|(op, ..)| !is_constant(op)).count() <= COPIED_MAX).then_some(all)
}

/// What is done from a block on until the function returns, and what it returns, if that is all on one short way.
fn way_out(function: &Function, mut at: Block, passed: &Values) -> Option<(Vec<Copied>, Value)> {
    let mut names: HashMap<Value, Value> = HashMap::new();
    let mut insts = Vec::new();
    let mut passed = passed.clone();
    for _ in 0..BLOCKS_MAX {
        let block = &function.blocks[at.index()];
        names.extend(block.params.iter().copied().zip(passed));
        let name = |value: Value| names.get(&value).copied().unwrap_or(value);
        for (mut op, result, ty) in copied(function, block)? {
            op.visit_mut(|operand| *operand = name(*operand));
            insts.push((op, result, ty));
        }
        match &block.terminator {
            &Terminator::Return(value) => return (insts.len() <= COPIED_MAX).then(|| (insts, name(value))),
            Terminator::Jump(to, arguments) => (at, passed) = (*to, arguments.iter().map(|&a| name(a)).collect()),
            _ => return None,
        }
    }
    None
}

/// Blocks on a way out.
const BLOCKS_MAX: usize = 4;
