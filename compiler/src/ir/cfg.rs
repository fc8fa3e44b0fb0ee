//! The control-flow graph around the blocks: predecessors, reverse postorder, dominators.
//!
//! The edge from a `try` body to its handler (I3) counts as leaving the block that ends in `Try`: all that the handler
//! may see was defined there.
//!
//! Dominators after Cooper, Harvey, Kennedy, "A Simple, Fast Dominance Algorithm", 2001.

use super::{Block, Function};
use smallvec::SmallVec;

/// Predecessors and reverse postorder of a function.
#[derive(Debug)]
pub struct Cfg {
    preds: Vec<SmallVec<[Block; 2]>>,
    order: Vec<Block>,
    position: Vec<u32>,
}

const UNREACHED: u32 = u32::MAX;

impl Cfg {
    /// Of a function. Takes time linear in its edges.
    pub fn new(function: &Function) -> Cfg {
        let count = function.blocks.len();
        let mut preds = vec![SmallVec::new(); count];
        let mut position = vec![UNREACHED; count];
        let mut order = Vec::with_capacity(count);
        // depth first without recursion; a block is entered twice on the stack, the second time to leave it
        let mut stack = vec![(Block(0), false)];
        let mut seen = vec![false; count];
        while let Some((block, leaving)) = stack.pop() {
            if leaving {
                order.push(block);
                continue;
            }
            if std::mem::replace(&mut seen[block.index()], true) {
                continue;
            }
            stack.push((block, true));
            function.blocks[block.index()].terminator.edges(|to, _| {
                preds[to.index()].push(block);
                stack.push((to, false));
            });
        }
        order.reverse();
        for (i, block) in order.iter().enumerate() {
            position[block.index()] = i as u32;
        }
        Cfg { preds, order, position }
    }

    /// Reachable blocks, each before its successors except along back edges.
    pub fn reverse_postorder(&self) -> &[Block] {
        &self.order
    }

    /// Where edges to `block` come from; one entry for each edge.
    pub fn preds(&self, block: Block) -> &[Block] {
        &self.preds[block.index()]
    }

    /// Whether the entry leads to `block`.
    pub fn is_reachable(&self, block: Block) -> bool {
        self.position[block.index()] != UNREACHED
    }

    /// For each block whether it lies in a loop.
    pub fn in_loops(&self) -> Vec<bool> {
        let mut in_loops = vec![false; self.preds.len()];
        // the loop that a block was last seen in, by its header
        let mut seen = vec![UNREACHED; self.preds.len()];
        let mut work: Vec<Block> = Vec::new();
        for (at, &header) in self.order.iter().enumerate() {
            let back_edges =
                self.preds(header).iter().filter(|&&pred| self.is_reachable(pred) && self.position(pred) >= at);
            work.extend(back_edges);
            if work.is_empty() {
                continue;
            }
            seen[header.index()] = header.0;
            in_loops[header.index()] = true;
            while let Some(block) = work.pop() {
                if seen[block.index()] != header.0 {
                    seen[block.index()] = header.0;
                    in_loops[block.index()] = true;
                    // a graph that can be entered in the middle of a loop is not made
                    work.extend(self.preds(block).iter().filter(|&&pred| self.position(pred) >= at));
                }
            }
        }
        in_loops
    }

    /// Index of a reachable block in the reverse postorder.
    pub fn position(&self, block: Block) -> usize {
        self.position[block.index()] as usize
    }
}

/// The dominator tree.
#[derive(Debug)]
pub struct Dominators {
    /// Positions in the reverse postorder of the immediate dominators.
    immediate: Vec<u32>,
    /// Preorder numbers in the tree, by position in the reverse postorder.
    number: Vec<u32>,
    /// Sizes of the subtrees: a block dominates those numbered `number..number + size`.
    size: Vec<u32>,
}

impl Dominators {
    /// Of a function's graph.
    pub fn new(cfg: &Cfg) -> Dominators {
        let mut idom = vec![UNREACHED; cfg.order.len()];
        idom[0] = 0;
        let mut changed = true;
        while changed {
            changed = false;
            for (i, &block) in cfg.order.iter().enumerate().skip(1) {
                let mut common = UNREACHED;
                // from the deepest up, or meeting points of many ways would be searched from the top each time
                for &pred in cfg.preds(block).iter().rev() {
                    let pred = cfg.position[pred.index()];
                    if idom[pred as usize] == UNREACHED {
                        continue;
                    }
                    common = if common == UNREACHED { pred } else { intersect(&idom, common, pred) };
                }
                if idom[i] != common {
                    idom[i] = common;
                    changed = true;
                }
            }
        }
        // an immediate dominator stands before its block in reverse postorder
        let mut size = vec![1; idom.len()];
        for i in (1..idom.len()).rev() {
            size[idom[i] as usize] += size[i];
        }
        let mut number = vec![0; idom.len()];
        let mut next_child = vec![1; idom.len()];
        for i in 1..idom.len() {
            let parent = idom[i] as usize;
            number[i] = next_child[parent];
            next_child[parent] += size[i];
            next_child[i] = number[i] + 1;
        }
        Dominators { immediate: idom, number, size }
    }

    /// The last block before a reachable one that every way to it leads through; none for the entry.
    pub fn immediate(&self, cfg: &Cfg, block: Block) -> Option<Block> {
        let at = cfg.position(block);
        (at > 0).then(|| cfg.order[self.immediate[at] as usize])
    }

    /// Whether every way from the entry to `b` leads through `a`; a block dominates itself. Both are reachable.
    pub fn dominates(&self, cfg: &Cfg, a: Block, b: Block) -> bool {
        let (a, b) = (cfg.position(a), cfg.position(b));
        (self.number[a]..self.number[a] + self.size[a]).contains(&self.number[b])
    }
}

fn intersect(idom: &[u32], mut a: u32, mut b: u32) -> u32 {
    while a != b {
        while a > b {
            a = idom[a as usize];
        }
        while b > a {
            b = idom[b as usize];
        }
    }
    a
}
