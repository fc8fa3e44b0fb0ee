//! Removes what computes values that nobody uses: operations without effect, and block parameters.
//!
//! A value is needed if an effect, a terminator or a needed value uses it; an argument of a jump, if the parameter it
//! is for is needed. So values that only keep each other alive, around a loop, go too; but not objects: memory runs out
//! in a loop that makes a longer and longer list, even if nobody ever looks at it.

use super::Context;
use super::graph::retain_params;
use crate::ir::cfg::Cfg;
use crate::ir::{Block, Function, Value};
use smallvec::SmallVec;

/// The pass.
pub(super) fn run(function: &mut Function, _context: &Context<'_>) {
    let needed = needed(function);
    // the entry's parameters are the function's
    let keep: Vec<SmallVec<[bool; 4]>> = (function.blocks.iter().enumerate())
        .map(|(i, block)| block.params.iter().map(|p| i == 0 || needed[p.index()]).collect())
        .collect();
    retain_params(function, &keep);
    for block in &mut function.blocks {
        block.insts.retain(|inst| inst.op.has_effect() || inst.result.is_some_and(|r| needed[r.index()]));
    }
}

/// Where a value is defined: by which instruction, or as which parameter, of which block.
#[derive(Clone, Copy)]
enum Definition {
    Nowhere,
    Inst(usize, usize),
    Param(usize, usize),
}

/// Which values are needed.
fn needed(function: &Function) -> Vec<bool> {
    let cfg = Cfg::new(function);
    let mut definitions = vec![Definition::Nowhere; function.values.len()];
    let mut work: Vec<Value> = Vec::new();
    for (b, block) in function.blocks.iter().enumerate() {
        for (k, param) in block.params.iter().enumerate() {
            definitions[param.index()] = Definition::Param(b, k);
        }
        for (i, inst) in block.insts.iter().enumerate() {
            if let Some(result) = inst.result {
                definitions[result.index()] = Definition::Inst(b, i);
            }
            if inst.op.has_effect() {
                inst.op.visit(|operand| work.push(operand));
            }
        }
        block.terminator.visit_own(|operand| work.push(operand));
    }
    for block in &function.blocks {
        block.terminator.edges(|_, args| {
            work.extend(args.iter().filter(|arg| match definitions[arg.index()] {
                Definition::Inst(b, i) => function.blocks[b].insts[i].op.is_safepoint(),
                _ => false,
            }));
        });
    }
    let mut needed = vec![false; function.values.len()];
    while let Some(value) = work.pop() {
        if std::mem::replace(&mut needed[value.index()], true) {
            continue;
        }
        match definitions[value.index()] {
            Definition::Inst(b, i) => function.blocks[b].insts[i].op.visit(|operand| work.push(operand)),
            Definition::Param(b, k) => {
                for pred in cfg.preds(Block(b as u32)) {
                    function.blocks[pred.index()].terminator.edges(|to, args| {
                        if to.index() == b {
                            work.push(args[k]);
                        }
                    });
                }
            }
            Definition::Nowhere => {}
        }
    }
    needed
}
