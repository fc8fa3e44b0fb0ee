//! Jump threading: where a block only decides by a value that it is passed, and some way to it passes a constant, that
//! way goes straight where the decision leads. So a condition that was inlined, or made of `and` and `or`, becomes the
//! branches it is made of, and the nil that ends an iteration leaves the loop.
//!
//! What the deciding block defines may be used behind it. A way around it is safe if those uses all lie behind the other
//! outcome, which nothing else leads to; or if there are none.

use super::Context;
use super::graph::remove_unreachable;
use crate::ir::cfg::{Cfg, Dominators};
use crate::ir::{Block, Function, Op, Terminator, Value, Values};
use crate::prim::Prim;

/// How many blocks are looked at: each costs a walk over the function.
const DECISIONS_MAX: usize = 100;

/// The pass.
pub(super) fn run(function: &mut Function, _context: &Context<'_>) {
    if super::forward::run(function) {
        remove_unreachable(function);
    }
    let mut decisions: Vec<(Block, Decision)> = (0..function.blocks.len() as u32)
        .filter_map(|block| decision(function, Block(block)).map(|decision| (Block(block), decision)))
        .collect();
    if decisions.is_empty() {
        return;
    }
    let constants = constants_of(function);
    let is_passed_constant = |block: Block, param: usize| {
        let mut passed = false;
        for data in &function.blocks {
            data.terminator
                .edges(|to, args| passed |= to == block && constants[args[param].index()] != Constant::Unknown);
        }
        passed
    };
    decisions.truncate(DECISIONS_MAX);
    decisions.retain(|(block, decision)| is_passed_constant(*block, decision.param));
    let mut redirected = false;
    for (block, decision) in decisions {
        // the graph changes with each deciding block that ways go around
        let cfg = Cfg::new(function);
        let Some(ways) = ways(function, &cfg, block, &decision, &constants) else { continue };
        for way in ways {
            redirect(function, block, &way);
            redirected = true;
        }
    }
    if redirected {
        remove_unreachable(function);
    }
}

/// How a block decides.
struct Decision {
    /// Index of the parameter that matters.
    param: usize,
    test: Test,
}

#[derive(Clone, Copy)]
enum Test {
    True,
    False,
    Nil,
    NotNil,
}

/// A value that is known.
#[derive(Clone, Copy, PartialEq)]
enum Constant {
    Unknown,
    Byte(u8),
    Nil,
    Object,
}

/// An edge that goes around the deciding block: from where, and whether it is the one taken when that one's condition
/// holds (or its jump); and what it leads to.
struct Way {
    from: Block,
    first: bool,
    then: bool,
}

/// A block whose instructions do nothing but test a parameter to branch on it.
fn decision(function: &Function, block: Block) -> Option<Decision> {
    let data = &function.blocks[block.index()];
    let Terminator::Branch { condition, then, otherwise } = &data.terminator else { return None };
    let is_own = |value: &Value| data.insts.iter().any(|inst| inst.result == Some(*value));
    if then.1.iter().chain(&otherwise.1).any(is_own) {
        return None;
    }
    let (mut value, mut test) = (*condition, Test::True);
    for inst in data.insts.iter().rev() {
        if inst.result != Some(value) {
            return None;
        }
        (value, test) = match (&inst.op, test) {
            (Op::Prim(Prim::BoolNot, operands), Test::True) => (operands[0], Test::False),
            (Op::Prim(Prim::BoolNot, operands), Test::False) => (operands[0], Test::True),
            (&Op::IsNil(a), Test::True) => (a, Test::Nil),
            (&Op::IsNil(a), Test::False) => (a, Test::NotNil),
            _ => return None,
        };
    }
    let param = data.params.iter().position(|&param| param == value)?;
    Some(Decision { param, test })
}

fn constants_of(function: &Function) -> Vec<Constant> {
    let mut constants = vec![Constant::Unknown; function.values.len()];
    for inst in function.blocks.iter().flat_map(|block| &block.insts) {
        if let Some(result) = inst.result {
            constants[result.index()] = match inst.op {
                Op::Byte(value) => Constant::Byte(value),
                Op::Nil => Constant::Nil,
                Op::New(..) | Op::Singleton(_) | Op::Str(_) | Op::FnObject(_) => Constant::Object,
                Op::ArrayNew(..) | Op::ArrayLiteral(..) => Constant::Object,
                _ => Constant::Unknown,
            };
        }
    }
    constants
}

fn decide(test: Test, constant: Constant) -> Option<bool> {
    match (test, constant) {
        (Test::True, Constant::Byte(value)) => Some(value != 0),
        (Test::False, Constant::Byte(value)) => Some(value == 0),
        (Test::Nil, Constant::Nil) | (Test::NotNil, Constant::Object) => Some(true),
        (Test::Nil, Constant::Object) | (Test::NotNil, Constant::Nil) => Some(false),
        _ => None,
    }
}

/// The edges that can go around the block.
fn ways(function: &Function, cfg: &Cfg, block: Block, decision: &Decision, constants: &[Constant]) -> Option<Vec<Way>> {
    let mut found: Vec<Way> = Vec::new();
    for &from in cfg.preds(block) {
        // a loop stays entered at its head
        if !cfg.is_reachable(from) || cfg.position(from) >= cfg.position(block) {
            return None;
        }
        if found.iter().any(|way| way.from == from) {
            continue;
        }
        let mut first = true;
        function.blocks[from.index()].terminator.edges(|to, args| {
            if to == block
                && let Some(then) =
                    args.get(decision.param).and_then(|arg| decide(decision.test, constants[arg.index()]))
            {
                found.push(Way { from, first, then });
            }
            first = false;
        });
    }
    if found.is_empty() {
        return None;
    }
    let Terminator::Branch { then, otherwise, .. } = &function.blocks[block.index()].terminator else { return None };
    let safe = |way_leads_to_then: bool, uses: &[Block], dominators: &Dominators| {
        let (target, other) = if way_leads_to_then { (then.0, otherwise.0) } else { (otherwise.0, then.0) };
        target != other
            && cfg.preds(other).len() == 1
            && uses.iter().all(|&user| !cfg.is_reachable(user) || dominators.dominates(cfg, other, user))
    };
    let uses = uses_behind(function, block);
    if !uses.is_empty() {
        let dominators = Dominators::new(cfg);
        let (to_then, to_otherwise) = (safe(true, &uses, &dominators), safe(false, &uses, &dominators));
        found.retain(|way| if way.then { to_then } else { to_otherwise });
    }
    Some(found).filter(|ways| !ways.is_empty())
}

/// Other blocks that use what a block defines.
fn uses_behind(function: &Function, block: Block) -> Vec<Block> {
    let data = &function.blocks[block.index()];
    let defined: Vec<Value> =
        data.params.iter().copied().chain(data.insts.iter().filter_map(|inst| inst.result)).collect();
    let mut users = Vec::new();
    for (i, other) in function.blocks.iter().enumerate().filter(|&(i, _)| i != block.index()) {
        let mut uses = false;
        let mut look = |value: Value| uses |= defined.contains(&value);
        other.insts.iter().for_each(|inst| inst.op.visit(&mut look));
        other.terminator.visit(&mut look);
        if uses {
            users.push(Block(i as u32));
        }
    }
    users
}

/// Lets an edge go where the block would send it.
fn redirect(function: &mut Function, block: Block, way: &Way) {
    let data = &function.blocks[block.index()];
    let Terminator::Branch { then, otherwise, .. } = &data.terminator else {
        unreachable!("bug: a deciding block branches")
    };
    let (target, passed) = if way.then { then.clone() } else { otherwise.clone() };
    let params = data.params.clone();
    let mut first = true;
    let value_of = |args: &Values| -> Values {
        let translate = |value: &Value| params.iter().position(|p| p == value).map_or(*value, |at| args[at]);
        passed.iter().map(translate).collect()
    };
    function.blocks[way.from.index()].terminator.edges_mut(|to, args| {
        if *to == block && first == way.first {
            *args = value_of(args);
            *to = target;
        }
        first = false;
    });
}
