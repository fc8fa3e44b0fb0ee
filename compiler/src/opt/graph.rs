//! What passes that change the graph share: taking out blocks that nothing leads to and parameters that nothing needs,
//! making one block of those that only follow each other.

use crate::ir::cfg::Cfg;
use crate::ir::{Block, Function, Terminator, Value, Values};
use smallvec::SmallVec;

/// Keeps the parameters of each block for which `keep` says so, and the arguments for them.
pub(super) fn retain_params(function: &mut Function, keep: &[SmallVec<[bool; 4]>]) {
    let retain = |values: &mut Values, keep: &[bool]| {
        let mut keep = keep.iter();
        values.retain(|_| *keep.next().expect("an argument for each parameter"));
    };
    for (block, kept) in function.blocks.iter_mut().zip(keep) {
        retain(&mut block.params, kept);
        block.terminator.edges_mut(|to, args| {
            // edges of a `Try` carry none
            if !args.is_empty() {
                retain(args, &keep[to.index()]);
            }
        });
    }
}

/// Appends each block that only follows another one to that one. All blocks are reachable, before and after.
pub(super) fn merge_lines(function: &mut Function) {
    let cfg = Cfg::new(function);
    let mut copies: Vec<(Value, Value)> = Vec::new();
    let mut gone = false;
    for &block in cfg.reverse_postorder() {
        // a block that has been appended is empty and ends in `Unreachable`
        while let &Terminator::Jump(next, _) = &function.blocks[block.index()].terminator {
            let alone = cfg.preds(next).len() == 1 && next != block;
            if !alone || function.blocks[next.index()].handler != function.blocks[block.index()].handler {
                break;
            }
            let after = &mut function.blocks[next.index()];
            let (params, insts) = (std::mem::take(&mut after.params), std::mem::take(&mut after.insts));
            let (span, scope) = (after.span, after.scope);
            let end = std::mem::replace(&mut after.terminator, Terminator::Unreachable);
            let before = &mut function.blocks[block.index()];
            let Terminator::Jump(_, args) = std::mem::replace(&mut before.terminator, end) else {
                unreachable!("bug: it was a jump")
            };
            before.insts.extend(insts);
            (before.span, before.scope) = (span, scope);
            copies.extend(params.into_iter().zip(args));
            gone = true;
        }
    }
    if !gone {
        return;
    }
    let mut replaced: Vec<Value> = (0..function.values.len() as u32).map(Value).collect();
    for (param, arg) in copies {
        // blocks come before those they lead to, so what an argument stands for is known
        replaced[param.index()] = replaced[arg.index()];
    }
    for block in &mut function.blocks {
        for inst in &mut block.insts {
            inst.op.visit_mut(|value| *value = replaced[value.index()]);
        }
        block.terminator.visit_mut(|value| *value = replaced[value.index()]);
    }
    remove_unreachable(function);
}

/// Removes blocks that the entry does not lead to.
pub(super) fn remove_unreachable(function: &mut Function) {
    let cfg = Cfg::new(function);
    if cfg.reverse_postorder().len() == function.blocks.len() {
        return;
    }
    let mut next = 0;
    let numbers: Vec<Block> = (0..function.blocks.len() as u32)
        .map(|i| {
            let number = Block(next);
            next += u32::from(cfg.is_reachable(Block(i)));
            number
        })
        .collect();
    let mut index = 0;
    function.blocks.retain(|_| {
        index += 1;
        cfg.is_reachable(Block(index - 1))
    });
    for block in &mut function.blocks {
        block.terminator.edges_mut(|to, _| *to = numbers[to.index()]);
        block.handler = block.handler.map(|handler| numbers[handler.index()]);
    }
}
