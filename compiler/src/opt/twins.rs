//! Counters of a loop that always have the same value become one: both begin with the same, and each round adds the same to
//! both. A list made of a range counts its elements beside the range's own counter; once they are one, what is known of the
//! range's end is known of the list's length, and indexes need no check.
//!
//! After Click, "Global Code Motion, Global Value Numbering" (PLDI 1995), whose value numbering is optimistic for
//! parameters, too; here for pairs of them, and for sums alone.

use super::Context;
use crate::ir::cfg::Cfg;
use crate::ir::{Block, Function, Op, Type, Value};
use crate::prim::Prim;
use smallvec::SmallVec;

/// The pass.
pub(super) fn run(function: &mut Function, _context: &Context<'_>) {
    let cfg = Cfg::new(function);
    let mut found: Vec<(Value, Value)> = Vec::new();
    let definitions = definitions(function);
    for &block in cfg.reverse_postorder() {
        let is_header = cfg.preds(block).iter().any(|&pred| cfg.position(pred) >= cfg.position(block));
        if !is_header || block == Block(0) {
            continue;
        }
        let params = &function.blocks[block.index()].params;
        let mut gone: SmallVec<[usize; 4]> = SmallVec::new();
        for a in 0..params.len() {
            for b in a + 1..params.len() {
                let ints = function.values[params[a].index()] == Type::Int;
                if ints && !gone.contains(&b) && are_twins(function, &cfg, &definitions, block, (a, b)) {
                    gone.push(b);
                    found.push((params[b], params[a]));
                }
            }
        }
    }
    if found.is_empty() {
        return;
    }
    let replace = |value: &mut Value| {
        while let Some(&(_, twin)) = found.iter().find(|(gone, _)| gone == value) {
            *value = twin;
        }
    };
    for block in &mut function.blocks {
        block.insts.iter_mut().for_each(|inst| inst.op.visit_mut(replace));
        block.terminator.visit_mut(replace);
    }
}

/// The operation that defines each value.
fn definitions(function: &Function) -> Vec<Option<&Op>> {
    let mut definitions = vec![None; function.values.len()];
    for inst in function.blocks.iter().flat_map(|block| &block.insts) {
        if let Some(result) = inst.result {
            definitions[result.index()] = Some(&inst.op);
        }
    }
    definitions
}

/// Whether two parameters of a loop's header are always equal: they are on every way in, and stay so in each round.
fn are_twins(
    function: &Function,
    cfg: &Cfg,
    definitions: &[Option<&Op>],
    header: Block,
    (a, b): (usize, usize),
) -> bool {
    let params = &function.blocks[header.index()].params;
    let equal = |x: Value, y: Value| {
        x == y
            || matches!((definitions[x.index()], definitions[y.index()]), (Some(Op::Int(x)), Some(Op::Int(y))) if x == y)
    };
    let stay = |x: Value, y: Value| match (definitions[x.index()], definitions[y.index()]) {
        (Some(Op::Prim(first, of_a)), Some(Op::Prim(second, of_b))) => {
            let kind = step(*first);
            kind.is_some()
                && kind == step(*second)
                && (of_a[0], of_b[0]) == (params[a], params[b])
                && equal(of_a[1], of_b[1])
        }
        _ => (x, y) == (params[a], params[b]),
    };
    let mut twins = true;
    let mut preds: SmallVec<[Block; 4]> = cfg.preds(header).into();
    preds.dedup();
    for pred in preds {
        let back = cfg.position(pred) >= cfg.position(header);
        function.blocks[pred.index()].terminator.edges(|to, passed| {
            if to == header {
                let (x, y) = (passed[a], passed[b]);
                twins &= equal(x, y) || (back && stay(x, y));
            }
        });
    }
    twins
}

/// Which way a counter's step goes; where both fit, the checked operation gives what the wrapping one does.
fn step(prim: Prim) -> Option<bool> {
    match prim {
        Prim::IntAdd | Prim::IntAddWrap => Some(true),
        Prim::IntSub | Prim::IntSubWrap => Some(false),
        _ => None,
    }
}
