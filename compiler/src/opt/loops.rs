//! The loops of a function, for passes that change them one at a time and for code generation.
//!
//! Only loops that are entered at their header alone exist: the language has no jump into one.

use crate::ir::cfg::Cfg;
use crate::ir::{Block, Function};
use hashbrown::HashSet;

/// A natural loop: the blocks from which a back edge to its header can be reached without passing the header.
pub(crate) struct Loop {
    /// Where it is entered.
    pub header: Block,
    /// Its blocks, the header among them.
    pub blocks: HashSet<Block>,
}

impl Loop {
    /// Predecessors of the header outside, one for each edge.
    pub fn entries<'a>(&'a self, cfg: &'a Cfg) -> impl Iterator<Item = Block> + 'a {
        cfg.preds(self.header).iter().copied().filter(|pred| !self.blocks.contains(pred))
    }

    /// Predecessors of the header inside.
    pub fn latches<'a>(&'a self, cfg: &'a Cfg) -> impl Iterator<Item = Block> + 'a {
        cfg.preds(self.header).iter().copied().filter(|pred| self.blocks.contains(pred))
    }
}

/// All loops, inner ones before those around them.
pub(crate) fn loops(cfg: &Cfg) -> Vec<Loop> {
    let mut loops = Vec::new();
    // a header comes before everything in its loop, inner headers among it
    for (at, &header) in cfg.reverse_postorder().iter().enumerate().rev() {
        let mut work: Vec<Block> = cfg.preds(header).iter().copied().filter(|&pred| cfg.position(pred) >= at).collect();
        if work.is_empty() {
            continue;
        }
        let mut blocks = HashSet::from([header]);
        while let Some(block) = work.pop() {
            if blocks.insert(block) {
                work.extend(cfg.preds(block));
            }
        }
        loops.push(Loop { header, blocks });
    }
    loops
}

/// Calls `change` with each loop once, inner ones first; it says whether it has changed the graph, and may add blocks but
/// neither remove nor renumber any.
pub(super) fn each(function: &mut Function, mut change: impl FnMut(&mut Function, &Cfg, &Loop) -> bool) {
    let mut seen = HashSet::new();
    loop {
        let cfg = Cfg::new(function);
        let mut changed = false;
        for found in loops(&cfg) {
            if seen.insert(found.header) && change(function, &cfg, &found) {
                changed = true;
                break;
            }
        }
        if !changed || seen.len() >= LOOPS_MAX {
            return;
        }
    }
}

/// Loops of a function that are looked at: the graph is analysed anew after each change.
const LOOPS_MAX: usize = 200;
