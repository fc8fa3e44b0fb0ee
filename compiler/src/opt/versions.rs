//! Loop versioning: one test before a loop instead of a check in every round.
//!
//! Where checks of a loop would go if only something held of values that are fixed before it, such as that the end of a
//! counter lies within a list, the loop gets a second copy. What would have to hold is tested before the two: the
//! first runs where it does, and `ranges` takes the checks out there; the second, with every check, where it does not.
//! So it is always the same check that fails, in the same round.
//!
//! Two kinds of conditions are tried: differences that a proof of bounds lacks (see `proof`), and that the ints the loop
//! computes with are neither negative nor so large that a product of two sums of theirs overflows.
//!
//! Invariant V1: both copies do the same to what a script can see; conditions have no effect and never trap.

use super::Context;
use super::facts::{Difference, Facts};
use super::interval::Interval;
use super::loops::{self, Loop};
use super::merge::merge;
use super::{proof, ranges};
use crate::ir::cfg::Cfg;
use crate::ir::{Block, BlockData, Function, Inst, Op, Terminator, Type, Value, Values};
use crate::prim::Prim;
use hashbrown::{HashMap, HashSet};

/// Instructions of a loop that is copied.
const LOOP_MAX: usize = 80;
/// Loops of a function that are copied.
const COPIES_MAX: usize = 8;
/// Differences that are tested before a loop.
const GUARDS_MAX: usize = 3;
/// Ints that are tested for being small.
const SMALL_MAX: usize = 3;
/// `(2n) * (2n + 1)` and as much again is an int for each `n` up to this one.
const SMALL: i64 = 1 << 30;

/// The pass.
pub(super) fn run(function: &mut Function, context: &Context<'_>) {
    let mut seen: HashSet<Block> = HashSet::new();
    let mut copied = 0;
    while copied < COPIES_MAX {
        let cfg = Cfg::new(function);
        let mut chosen = None;
        // loops that lie in others come before them
        for found in loops::loops(&cfg).into_iter().rev() {
            if seen.insert(found.header)
                && let Some(checks) = checks(function, &found)
                && let Some(conditions) = conditions(function, context, &cfg, &found, &checks)
            {
                chosen = Some((found, conditions));
                break;
            }
        }
        let Some((found, conditions)) = chosen else { break };
        seen.extend(&found.blocks);
        let first = function.blocks.len() as u32;
        copy(function, &found, &conditions);
        seen.extend((first..function.blocks.len() as u32).map(Block));
        copied += 1;
    }
    if copied > 0 {
        ranges::run(function, context);
    }
}

/// The checks of a loop that may be copied, if there are any.
fn checks(function: &Function, found: &Loop) -> Option<Vec<(Block, usize)>> {
    let handler = function.blocks[found.header.index()].handler;
    let (mut checks, mut size) = (Vec::new(), 0);
    let mut blocks: Vec<Block> = found.blocks.iter().copied().collect();
    blocks.sort_unstable();
    for block in blocks {
        let data = &function.blocks[block.index()];
        if data.handler != handler || matches!(data.terminator, Terminator::Try { .. }) {
            return None;
        }
        for (i, inst) in data.insts.iter().enumerate() {
            match inst.op {
                Op::Call(..) | Op::CallValue(..) | Op::CallNative(..) => return None,
                Op::BoundsCheck(..) | Op::Prim(Prim::IntAdd | Prim::IntSub | Prim::IntMul, _) => {
                    checks.push((block, i));
                }
                Op::Int(_) | Op::Float(_) | Op::Byte(_) | Op::Nil => continue,
                _ => {}
            }
            size += 1;
        }
    }
    (size <= LOOP_MAX && !checks.is_empty()).then_some(checks)
}

/// What to test before a loop, if that spares it as many checks.
fn conditions(
    function: &Function,
    context: &Context<'_>,
    cfg: &Cfg,
    found: &Loop,
    checks: &[(Block, usize)],
) -> Option<Vec<Test>> {
    let trial = |given: &[Difference]| {
        let facts = Facts::assuming(context.program, function, cfg, found.header, given);
        let differences = missing(&facts, found, checks, given);
        let given = [given, &differences].concat();
        let facts = Facts::assuming(context.program, function, cfg, found.header, &given);
        (given, spared(&facts, checks))
    };
    let facts = Facts::new(context.program, function, cfg);
    let before = spared(&facts, checks);
    let (mut best, mut most) = trial(&[]);
    if most < checks.len() {
        let small = small(&facts, found);
        if !small.is_empty() {
            let (given, count) = trial(&small);
            if count > most {
                (best, most) = (given, count);
            }
        }
    }
    if best.is_empty() || most - before < best.len().div_ceil(2) {
        return None;
    }
    best.iter().map(|condition| test(&facts, found, condition)).collect()
}

/// How many of the checks can't fail.
fn spared(facts: &Facts<'_>, checks: &[(Block, usize)]) -> usize {
    let mut spared = 0;
    each_check(facts, checks, |op, at| {
        spared += usize::from(match op {
            &Op::BoundsCheck(index, len) => ranges::is_within(facts, index, len, at),
            Op::Prim(prim, operands) => ranges::is_exact(facts, *prim, operands, at),
            _ => false,
        });
    });
    spared
}

fn each_check(facts: &Facts<'_>, checks: &[(Block, usize)], mut visit: impl FnMut(&Op, super::facts::At)) {
    let blocks: HashSet<Block> = checks.iter().map(|check| check.0).collect();
    for block in blocks {
        facts.walk(block, |i, at| {
            if checks.contains(&(block, i)) {
                visit(&facts.function.blocks[block.index()].insts[i].op, at);
            }
        });
    }
}

/// Differences that proofs of the bounds lack.
fn missing(facts: &Facts<'_>, found: &Loop, checks: &[(Block, usize)], given: &[Difference]) -> Vec<Difference> {
    let mut all: Vec<Difference> = Vec::new();
    each_check(facts, checks, |op, at| {
        let &Op::BoundsCheck(index, len) = op else { return };
        let below = Difference { a: Some(index), b: Some(len), c: -1 };
        if facts.interval(index, at).lo < 0 {
            return;
        }
        let Some(differences) = proof::missing(facts, below, at, found.header) else { return };
        let mut together = all.clone();
        for difference in differences {
            match together.iter_mut().find(|known| (known.a, known.b) == (difference.a, difference.b)) {
                Some(known) => known.c = known.c.min(difference.c),
                None => together.push(difference),
            }
        }
        if together.len() <= GUARDS_MAX {
            all = together;
        }
    });
    all.sort_unstable_by_key(|difference| (difference.a, difference.b, difference.c));
    debug_assert!(!all.iter().any(|difference| given.contains(difference)), "what is given is not missing");
    all
}

/// That the ints fixed before a loop that it computes with are small, as far as that is not known.
fn small(facts: &Facts<'_>, found: &Loop) -> Vec<Difference> {
    let mut ints: Vec<Value> = Vec::new();
    for inst in found.blocks.iter().flat_map(|block| &facts.function.blocks[block.index()].insts) {
        if let Op::Prim(..) = inst.op {
            inst.op.visit(|operand| {
                let fixed = facts.function.values[operand.index()] == Type::Int
                    && facts.constant(operand).is_none()
                    && facts.is_fixed_in(operand, found.header);
                if fixed && !ints.contains(&operand) {
                    ints.push(operand);
                }
            });
        }
    }
    ints.sort_unstable();
    let mut conditions = Vec::new();
    let mut tested = 0;
    for int in ints {
        let known = facts.interval(int, facts.start(found.header));
        if known.hi > SMALL.into() {
            conditions.push(Difference { a: Some(int), b: None, c: SMALL.into() });
        }
        if known.lo < 0 {
            conditions.push(Difference { a: None, b: Some(int), c: 0 });
        }
        tested += usize::from(known.hi > SMALL.into() || known.lo < 0);
    }
    if tested <= SMALL_MAX { conditions } else { Vec::new() }
}

/// A condition as a comparison of a value with a sum.
struct Test {
    prim: Prim,
    value: Value,
    with: Option<Value>,
    plus: i64,
}

/// How a condition is tested, if that can be done without overflow.
fn test(facts: &Facts<'_>, found: &Loop, &Difference { a, b, c }: &Difference) -> Option<Test> {
    let plus = i64::try_from(c).ok()?;
    let (value, with, prim) = match (a, b) {
        (None, Some(b)) => return Some(Test { prim: Prim::IntGe, value: b, with: None, plus: plus.checked_neg()? }),
        (Some(a), Some(b)) if plus == -1 => return Some(Test { prim: Prim::IntLt, value: a, with: Some(b), plus: 0 }),
        (a, b) => (a?, b, Prim::IntLe),
    };
    let end = with.map_or(Interval::point(0), |with| facts.interval(with, facts.start(found.header)));
    end.plus(Interval::point(plus)).fits().then_some(Test { prim, value, with, plus })
}

/// Copies a loop, and enters it or its copy by the outcome of the tests.
fn copy(function: &mut Function, found: &Loop, tests: &[Test]) {
    let header = found.header;
    let mut blocks: Vec<Block> = found.blocks.iter().copied().collect();
    blocks.sort_unstable();
    let first = function.blocks.len() as u32;
    let copies: HashMap<Block, Block> = blocks.iter().zip(first..).map(|(&block, copy)| (block, Block(copy))).collect();
    let defined: Vec<(Block, Value)> = blocks
        .iter()
        .flat_map(|&block| {
            let data = &function.blocks[block.index()];
            let results = data.insts.iter().filter_map(|inst| inst.result);
            data.params.iter().copied().chain(results).map(move |value| (block, value)).collect::<Vec<_>>()
        })
        .collect();
    let renamed: HashMap<Value, Value> =
        defined.iter().map(|&(_, value)| (value, function.new_value(function.values[value.index()]))).collect();
    for &block in &blocks {
        let mut data = function.blocks[block.index()].clone();
        let rename = |value: &mut Value| *value = renamed.get(value).copied().unwrap_or(*value);
        data.params.iter_mut().for_each(rename);
        for inst in &mut data.insts {
            inst.op.visit_mut(rename);
            inst.result.iter_mut().for_each(rename);
        }
        data.terminator.visit_mut(rename);
        data.terminator.edges_mut(|to, _| *to = copies.get(to).copied().unwrap_or(*to));
        function.blocks.push(data);
    }
    choose(function, found, tests, copies[&header]);
    let cfg = Cfg::new(function);
    for (block, value) in defined {
        merge(function, &cfg, &[(block, value), (copies[&block], renamed[&value])]);
    }
}

/// Puts the tests before a loop, and its copy behind those that fail.
fn choose(function: &mut Function, found: &Loop, tests: &[Test], copy: Block) {
    let header = found.header;
    let count = function.blocks.len() as u32;
    // one block a test, then the way into the copy
    let otherwise = Block(count + tests.len() as u32);
    for block in (0..count).map(Block).filter(|block| !found.blocks.contains(block)) {
        function.blocks[block.index()].terminator.edges_mut(|to, _| {
            if *to == header {
                *to = Block(count);
            }
        });
    }
    let BlockData { params, span, scope, handler, .. } = function.blocks[header.index()].clone();
    let passed: Values = params.iter().map(|param| function.new_value(function.values[param.index()])).collect();
    let block = |params, insts, terminator| BlockData { params, insts, terminator, span, scope, handler };
    for (i, test) in tests.iter().enumerate() {
        let mut insts = Vec::new();
        let mut add = |function: &mut Function, op: Op, ty: Type| {
            let result = function.new_value(ty);
            insts.push(Inst { op, result: Some(result), span, scope });
            result
        };
        let with = match test.with {
            Some(with) if test.plus == 0 => with,
            with => {
                let plus = add(function, Op::Int(test.plus), Type::Int);
                let sum = |with| Op::Prim(Prim::IntAddWrap, Values::from_slice(&[with, plus]));
                with.map_or(plus, |with| add(function, sum(with), Type::Int))
            }
        };
        let condition = add(function, Op::Prim(test.prim, Values::from_slice(&[test.value, with])), Type::Byte);
        let then = match i + 1 == tests.len() {
            true => (header, passed.clone()),
            false => (Block(count + i as u32 + 1), Values::new()),
        };
        let params = if i == 0 { passed.clone() } else { Values::new() };
        let choice = Terminator::Branch { condition, then, otherwise: (otherwise, Values::new()) };
        function.blocks.push(block(params, insts, choice));
    }
    function.blocks.push(block(Values::new(), Vec::new(), Terminator::Jump(copy, passed)));
}
