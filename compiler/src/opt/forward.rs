//! Blocks that only pass on where they were told to go: ways to such a block lead straight to the next one. What is left are
//! blocks that do something or bring ways together, and an edge says what it passes to the block that uses it.
//!
//! Headers of loops stay as they are entered, and so do blocks that a `try` leads to.

use crate::ir::cfg::Cfg;
use crate::ir::{Block, Function, Terminator, Value, Values};

/// How many times the function is walked: a line of such blocks goes from its end.
const ROUNDS_MAX: usize = 4;

/// Leads ways around such blocks, which then nothing leads to; gives whether there were any.
pub(super) fn run(function: &mut Function) -> bool {
    let mut any = false;
    for _ in 0..ROUNDS_MAX {
        let cfg = Cfg::new(function);
        let blocks: Vec<Block> =
            cfg.reverse_postorder().iter().copied().filter(|&block| only_passes_on(function, &cfg, block)).collect();
        let used_elsewhere = params_used_elsewhere(function, &blocks);
        let mut changed = false;
        for (&block, _) in blocks.iter().zip(used_elsewhere).filter(|(_, used)| !used) {
            let data = &function.blocks[block.index()];
            let Terminator::Jump(next, passed) = data.terminator.clone() else { unreachable!("bug: it passes on") };
            let params = data.params.clone();
            for &pred in cfg.preds(block) {
                function.blocks[pred.index()].terminator.edges_mut(|to, args| {
                    if *to == block {
                        let translate =
                            |value: &Value| params.iter().position(|p| p == value).map_or(*value, |at| args[at]);
                        let translated: Values = passed.iter().map(translate).collect();
                        (*to, *args) = (next, translated);
                        changed = true;
                    }
                });
            }
        }
        any |= changed;
        if !changed {
            break;
        }
    }
    any
}

fn only_passes_on(function: &Function, cfg: &Cfg, block: Block) -> bool {
    let data = &function.blocks[block.index()];
    let Terminator::Jump(next, _) = data.terminator else { return false };
    let is_header = |block: Block| cfg.preds(block).iter().any(|&pred| cfg.position(pred) >= cfg.position(block));
    let from_try = |&pred: &Block| matches!(function.blocks[pred.index()].terminator, Terminator::Try { .. });
    block != Block(0)
        && data.insts.is_empty()
        && !is_header(block)
        && !is_header(next)
        && !cfg.preds(block).iter().any(from_try)
}

/// For each of the blocks whether others use its parameters.
fn params_used_elsewhere(function: &Function, blocks: &[Block]) -> Vec<bool> {
    let mut owner = vec![usize::MAX; function.values.len()];
    for (i, block) in blocks.iter().enumerate() {
        for param in &function.blocks[block.index()].params {
            owner[param.index()] = i;
        }
    }
    let mut used = vec![false; blocks.len()];
    for (i, data) in function.blocks.iter().enumerate() {
        let mut look = |value: Value| {
            let owner = owner[value.index()];
            if owner != usize::MAX && blocks[owner].index() != i {
                used[owner] = true;
            }
        };
        data.insts.iter().for_each(|inst| inst.op.visit(&mut look));
        data.terminator.visit(look);
    }
    used
}
