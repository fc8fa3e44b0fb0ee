//! What passes that change the graph share: taking out blocks that nothing leads to.

use crate::ir::cfg::Cfg;
use crate::ir::{Block, Function};

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
