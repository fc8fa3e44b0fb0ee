//! Turns loops that test at their top into ones that test at their bottom, behind one test before the loop.
//!
//! Each round then takes one branch instead of two, and, which matters more, the loop is entered only where its first round
//! is sure to run, so that what each round computes can move before it (see `hoist`).
//!
//! The header `H: … branch (exit, body)` is copied before the loop; the body's first block becomes the header. What the
//! header defines now has two definitions, and parameters bring them together where they meet.

use super::Context;
use super::loops::{self, Loop};
use super::merge::merge;
use crate::ir::cfg::Cfg;
use crate::ir::{Block, Function, Op, Terminator, Value};
use hashbrown::{HashMap, HashSet};

/// Instructions of a header that is copied.
const HEADER_MAX: usize = 16;

/// The pass.
pub(super) fn run(function: &mut Function, _context: &Context<'_>) {
    loops::each(function, |function, cfg, found| match body(function, cfg, found) {
        Some(body) => {
            rotate(function, cfg, found, body);
            true
        }
        None => false,
    });
}

/// The first block of the body, if the loop tests at its top and only there.
fn body(function: &Function, cfg: &Cfg, found: &Loop) -> Option<Block> {
    let header = &function.blocks[found.header.index()];
    let Terminator::Branch { then, otherwise, .. } = &header.terminator else { return None };
    let body = match (found.blocks.contains(&then.0), found.blocks.contains(&otherwise.0)) {
        (true, false) => then.0,
        (false, true) => otherwise.0,
        _ => return None,
    };
    let leaves = |block: Block| {
        let mut leaves = false;
        function.blocks[block.index()].terminator.edges(|to, _| leaves |= !found.blocks.contains(&to));
        leaves
    };
    let copied = header.insts.len() <= HEADER_MAX && !header.insts.iter().any(|inst| is_long(&inst.op));
    let tries = |block: Block| matches!(function.blocks[block.index()].terminator, Terminator::Try { .. });
    let fits = body != found.header
        && cfg.preds(body).len() == 1
        && copied
        && !found.latches(cfg).any(leaves)
        && !cfg.preds(found.header).iter().any(|&pred| tries(pred));
    fits.then_some(body)
}

/// Whether a second copy of an operation is worth more than its place.
fn is_long(op: &Op) -> bool {
    matches!(op, Op::New(..) | Op::ArrayNew(..) | Op::ArrayLiteral(..) | Op::Poll)
}

fn rotate(function: &mut Function, cfg: &Cfg, found: &Loop, body: Block) {
    debug_assert!(found.blocks.contains(&body));
    let header = found.header;
    let copy = Block(function.blocks.len() as u32);
    let mut block = function.blocks[header.index()].clone();
    let mut renamed: HashMap<Value, Value> = HashMap::new();
    let mut rename = |value: &mut Value| {
        function.values.push(function.values[value.index()]);
        let fresh = Value(function.values.len() as u32 - 1);
        renamed.insert(*value, fresh);
        *value = fresh;
    };
    block.params.iter_mut().for_each(&mut rename);
    block.insts.iter_mut().filter_map(|inst| inst.result.as_mut()).for_each(rename);
    let translate = |value: &mut Value| *value = renamed.get(value).copied().unwrap_or(*value);
    block.insts.iter_mut().for_each(|inst| inst.op.visit_mut(translate));
    block.terminator.visit_mut(translate);
    function.blocks.push(block);
    let entries: HashSet<Block> = found.entries(cfg).collect();
    for entry in entries {
        function.blocks[entry.index()].terminator.edges_mut(|to, _| {
            if *to == header {
                *to = copy;
            }
        });
    }
    let cfg = Cfg::new(function);
    // in the order of their definition, so that the same code comes out each time
    let data = &function.blocks[header.index()];
    let defined: Vec<Value> =
        data.params.iter().copied().chain(data.insts.iter().filter_map(|inst| inst.result)).collect();
    for value in defined {
        merge(function, &cfg, &[(header, value), (copy, renamed[&value])]);
    }
}
