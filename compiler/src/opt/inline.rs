//! Puts copies of small functions in the place of calls of them.
//!
//! Bottom-up: what a body calls was inlined into it before it is measured and copied. A function that calls itself is
//! copied into itself once, as it was lowered. Calls on the way to a trap stay, and so do the ones outside loops in code
//! that runs once, unless they make an object or get one that was made in it: such objects may come apart, and a chain of
//! iterators is made of them.
//!
//! What is copied keeps where it came from ([`Scope`]), so a trap in it names the same functions and lines as before.
//! A `try` around the call becomes one around what is copied.

use super::Context;
use super::graph::remove_unreachable;
use crate::ir::cfg::Cfg;
use crate::ir::{
    Block, BlockData, FuncId, Function, Inlined, Inlining, Inst, Op, Program, Scope, Terminator, Value, Values,
};

/// Instructions of a body that is copied anywhere, constants not counted.
const SMALL: usize = 24;
/// Of a body that is copied into loops, or with `@inline` anywhere.
const MEDIUM: usize = 60;
/// Of a body that gets an object or a closure made by the caller.
const SEEN_THROUGH: usize = 90;
/// Of a function that calls itself.
const RECURSIVE: usize = 30;
/// What a function may grow to by it.
const CALLER_MAX: usize = 1_500;

/// What a body's length is measured against first, before it has been optimised itself.
const LOWERED_MAX: usize = 160;

/// The pass.
pub(super) fn run(function: &mut Function, context: &Context<'_>) {
    let sites = sites(function, context);
    if sites.is_empty() {
        return;
    }
    let mut size = size(function);
    // the last first, so that what stands before it in its block keeps its place
    for site in sites.into_iter().rev() {
        let callee = site.callee(function);
        let Some(body) = body(context, callee, &site) else { continue };
        let added = self::size(body);
        if size + added <= CALLER_MAX {
            size += added;
            splice(function, context.program, &site, callee, body);
        }
    }
    remove_unreachable(function);
}

/// Whether there are calls to replace after so many rounds. After the second one only those count that a closure of the
/// function's own has become known for, as in a chain of iterators: other calls would go on for long.
pub(super) fn has_work(function: &Function, context: &Context<'_>, rounds: usize) -> bool {
    let room = CALLER_MAX.saturating_sub(size(function));
    let fits = |site: &Site| body(context, site.callee(function), site).is_some_and(|body| size(body) <= room);
    sites(function, context).iter().any(|site| (rounds < 2 || site.of_closure) && fits(site))
}

/// Whether a function is short enough, as it was lowered, that a look at what is left of it when optimised is worth it.
pub(super) fn is_candidate(function: &Function) -> bool {
    function.inlining != Inlining::Never && size(function) <= LOWERED_MAX
}

/// A call that may be replaced.
struct Site {
    block: usize,
    inst: usize,
    in_loop: bool,
    /// Whether it calls a closure that was made here.
    of_closure: bool,
    /// Whether an object or closure that was made here is among the arguments.
    gets_made: bool,
}

impl Site {
    fn callee(&self, function: &Function) -> FuncId {
        match function.blocks[self.block].insts[self.inst].op {
            Op::Call(callee, _) => callee,
            _ => unreachable!("bug: sites are calls"),
        }
    }
}

fn sites(function: &Function, context: &Context<'_>) -> Vec<Site> {
    let calls = |inst: &Inst| matches!(inst.op, Op::Call(..));
    if !function.blocks.iter().flat_map(|block| &block.insts).any(calls) {
        return Vec::new();
    }
    let cfg = Cfg::new(function);
    let in_loop = cfg.in_loops();
    let doomed = doomed(function, &cfg);
    let made = made(function);
    let mut sites = Vec::new();
    for (block, data) in function.blocks.iter().enumerate() {
        let in_loop = in_loop[block];
        if doomed[block] {
            continue;
        }
        for (at, inst) in data.insts.iter().enumerate() {
            let Op::Call(callee, arguments) = &inst.op else { continue };
            let is_made = |argument: &Value| made[argument.index()] != Made::Elsewhere;
            let gets_made = arguments.iter().any(is_made);
            let alone = context.runs_once && !in_loop && !gets_made;
            if alone && !makes_object(&context.program.functions[callee.index()]) {
                continue;
            }
            if !is_in_copy_of(function, context.function, *callee, inst.scope) {
                let of_closure = arguments.first().is_some_and(|first| made[first.index()] == Made::Closure);
                sites.push(Site { block, inst: at, in_loop, of_closure, gets_made });
            }
        }
    }
    sites
}

/// What a value is, as far as its definition tells.
#[derive(Clone, Copy, PartialEq)]
enum Made {
    Elsewhere,
    Object,
    Closure,
}

/// What the values of a function are.
fn made(function: &Function) -> Vec<Made> {
    let mut made = vec![Made::Elsewhere; function.values.len()];
    let mut is_code = vec![false; function.values.len()];
    for inst in function.blocks.iter().flat_map(|block| &block.insts) {
        let Some(result) = inst.result else { continue };
        is_code[result.index()] = matches!(inst.op, Op::Code(_));
        made[result.index()] = match &inst.op {
            Op::FnObject(_) => Made::Closure,
            Op::New(_, fields) if fields.first().is_some_and(|first| is_code[first.index()]) => Made::Closure,
            Op::New(..) => Made::Object,
            _ => Made::Elsewhere,
        };
    }
    made
}

/// Whether all that a function does, as it was lowered, is to make an object.
fn makes_object(function: &Function) -> bool {
    let [block] = &function.blocks[..] else { return false };
    let Terminator::Return(result) = block.terminator else { return false };
    block.insts.iter().any(|inst| inst.result == Some(result) && matches!(inst.op, Op::New(..)))
}

/// Whether an instruction in `scope` is in a copy of that function; a second copy within that would be no end of it.
fn is_in_copy_of(function: &Function, own: FuncId, callee: FuncId, mut scope: Scope) -> bool {
    let mut copied = false;
    while let Some(at) = scope.index().checked_sub(1) {
        let inlined = function.inlined[at];
        if inlined.function == callee {
            return true;
        }
        copied = true;
        scope = inlined.caller;
    }
    copied && callee == own
}

/// The body to copy, if that is worth it.
fn body<'a>(context: &'a Context<'_>, callee: FuncId, site: &Site) -> Option<&'a Function> {
    if callee == context.function {
        let body = &context.program.functions[callee.index()];
        let once = context.callers.is_empty();
        return (once && body.inlining != Inlining::Never && size(body) <= RECURSIVE).then_some(body);
    }
    let body = context.body(callee)?;
    let limit = match site {
        Site { gets_made: true, .. } => SEEN_THROUGH,
        Site { in_loop: true, .. } => MEDIUM,
        _ if body.inlining == Inlining::Always => MEDIUM,
        _ => SMALL,
    };
    (size(body) <= limit).then_some(body)
}

/// How much code a function is, roughly: its instructions without constants, and what ends its blocks.
fn size(function: &Function) -> usize {
    let insts = function.blocks.iter().flat_map(|block| &block.insts);
    let counted = insts.filter(|inst| !matches!(inst.op, Op::Int(_) | Op::Float(_) | Op::Byte(_) | Op::Nil));
    counted.count() + function.blocks.len()
}

/// For each block whether every way out of it traps.
fn doomed(function: &Function, cfg: &Cfg) -> Vec<bool> {
    let mut doomed = vec![false; function.blocks.len()];
    // successors come first, except around loops, of which nothing is claimed
    for &block in cfg.reverse_postorder().iter().rev() {
        let terminator = &function.blocks[block.index()].terminator;
        let mut all = matches!(terminator, Terminator::Trap(_) | Terminator::Unreachable | Terminator::Jump(..));
        all |= matches!(terminator, Terminator::Branch { .. });
        terminator.edges(|to, _| all &= doomed[to.index()]);
        doomed[block.index()] = all;
    }
    doomed
}

/// Replaces a call by the body of what it calls.
fn splice(function: &mut Function, program: &Program, site: &Site, callee: FuncId, body: &Function) {
    let block = &mut function.blocks[site.block];
    let after = block.insts.split_off(site.inst + 1);
    let Some(Inst { op: Op::Call(_, arguments), result, span, scope }) = block.insts.pop() else {
        unreachable!("bug: the site is a call")
    };
    let handler = block.handler;
    let naming = Naming {
        first_value: function.values.len() as u32,
        // the entry goes on in the calling block
        first_block: function.blocks.len() as u32 - 1,
        first_scope: function.inlined.len() as u32 + 1,
        block: Block(site.block as u32),
        arguments: &arguments,
        parameters: &body.blocks[0].params,
        continuation: Block((function.blocks.len() + body.blocks.len() - 1) as u32),
        handler,
    };
    function.inlined.push(Inlined { function: callee, call: span, caller: scope });
    function.inlined.extend(body.inlined.iter().map(|inner| Inlined { caller: naming.scope(inner.caller), ..*inner }));
    function.values.extend(&body.values);

    let block = &mut function.blocks[site.block];
    if program.counts_fuel {
        block.insts.push(Inst { op: Op::Poll, result: None, span: body.span, scope: naming.scope(Scope::OWN) });
    }
    let entry = naming.block(&body.blocks[0]);
    block.insts.extend(entry.insts);
    let terminator = std::mem::replace(&mut block.terminator, entry.terminator);
    let (end, end_scope) = (block.span, block.scope);
    (block.span, block.scope) = (entry.span, entry.scope);
    function.blocks.extend(body.blocks[1..].iter().map(|data| naming.block(data)));
    function.blocks.push(BlockData {
        params: result.into_iter().collect(),
        insts: after,
        terminator,
        span: end,
        scope: end_scope,
        handler,
    });
}

/// How names in a body translate to those in the function it is copied into.
struct Naming<'a> {
    first_value: u32,
    first_block: u32,
    first_scope: u32,
    block: Block,
    arguments: &'a Values,
    parameters: &'a Values,
    /// Where it goes on after the call; its parameter, if it has one, is the result.
    continuation: Block,
    handler: Option<Block>,
}

impl Naming<'_> {
    fn scope(&self, scope: Scope) -> Scope {
        Scope(self.first_scope + scope.0)
    }

    fn value(&self, value: Value) -> Value {
        match self.parameters.iter().position(|&parameter| parameter == value) {
            Some(at) => self.arguments[at],
            None => Value(self.first_value + value.0),
        }
    }

    fn target(&self, block: Block) -> Block {
        if block.0 == 0 { self.block } else { Block(self.first_block + block.0) }
    }

    fn block(&self, data: &BlockData) -> BlockData {
        let insts = data.insts.iter().map(|inst| {
            let mut op = inst.op.clone();
            op.visit_mut(|value| *value = self.value(*value));
            Inst { op, result: inst.result.map(|r| self.value(r)), span: inst.span, scope: self.scope(inst.scope) }
        });
        let mut terminator = data.terminator.clone();
        terminator.visit_mut(|value| *value = self.value(*value));
        match &mut terminator {
            &mut Terminator::Return(value) => {
                terminator = Terminator::Jump(self.continuation, Values::from_slice(&[value]))
            }
            other => other.edges_mut(|to, _| *to = self.target(*to)),
        }
        BlockData {
            params: data.params.iter().map(|&p| self.value(p)).collect(),
            insts: insts.collect(),
            terminator,
            span: data.span,
            scope: self.scope(data.scope),
            handler: data.handler.map(|handler| self.target(handler)).or(self.handler),
        }
    }
}
