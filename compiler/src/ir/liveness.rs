//! Which references are still needed where: what the code generator must show the collector at a safepoint.
//!
//! Only references count, and among them only those the collector may move: results of `Nil`, `Str`, `FnObject` and
//! `Singleton` are left out. A reference that a handler needs is live in the whole `try` body (I3).
//!
//! Usual backward dataflow over bit sets; the loop visits blocks in postorder until nothing changes, which for the
//! reducible graphs that `lower` makes is nesting depth + 2 rounds.

use super::cfg::Cfg;
use super::{Block, Function, Type, Value};

/// Live references of a function.
#[derive(Debug)]
pub struct Liveness {
    /// The values that are tracked; sets hold indexes into this.
    tracked: Vec<Value>,
    /// Inverse of `tracked`, `UNTRACKED` for the rest.
    index: Vec<u32>,
    live_in: Vec<RefSet>,
    live_out: Vec<RefSet>,
}

const UNTRACKED: u32 = u32::MAX;

/// A set of tracked references.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct RefSet(Vec<u64>);

impl RefSet {
    fn insert(&mut self, i: u32) {
        self.0[i as usize / 64] |= 1 << (i % 64);
    }

    fn remove(&mut self, i: u32) {
        self.0[i as usize / 64] &= !(1 << (i % 64));
    }

    fn contains(&self, i: u32) -> bool {
        self.0[i as usize / 64] & 1 << (i % 64) != 0
    }

    fn union(&mut self, other: &RefSet) {
        for (a, b) in self.0.iter_mut().zip(&other.0) {
            *a |= b;
        }
    }

    fn iter(&self) -> impl Iterator<Item = u32> {
        self.0.iter().enumerate().flat_map(|(i, &word)| {
            let bits = std::iter::successors(Some(word), |w| Some(w & w.wrapping_sub(1)));
            bits.take_while(|&w| w != 0).map(move |w| i as u32 * 64 + w.trailing_zeros())
        })
    }
}

impl Liveness {
    /// Of a function in SSA form.
    pub fn new(function: &Function) -> Liveness {
        Liveness::with_cfg(function, &Cfg::new(function))
    }

    /// The same when the graph is there already.
    pub fn with_cfg(function: &Function, cfg: &Cfg) -> Liveness {
        let mut index = vec![UNTRACKED; function.values.len()];
        let mut tracked = Vec::new();
        for (i, _) in function.values.iter().enumerate().filter(|&(_, &ty)| ty == Type::Ref) {
            index[i] = tracked.len() as u32;
            tracked.push(Value(i as u32));
        }
        for inst in function.blocks.iter().flat_map(|b| &b.insts).filter(|inst| inst.op.is_permanent()) {
            if let Some(result) = inst.result {
                index[result.index()] = UNTRACKED;
            }
        }
        let empty = RefSet(vec![0; tracked.len().div_ceil(64)]);
        let count = function.blocks.len();
        let mut live =
            Liveness { tracked, index, live_in: vec![empty.clone(); count], live_out: vec![empty.clone(); count] };
        let mut changed = true;
        while changed {
            changed = false;
            for &block in cfg.reverse_postorder().iter().rev() {
                changed |= live.update(function, block, empty.clone());
            }
        }
        live
    }

    fn update(&mut self, function: &Function, block: Block, mut set: RefSet) -> bool {
        let data = &function.blocks[block.index()];
        data.terminator.edges(|to, _| set.union(&self.live_in[to.index()]));
        if let Some(handler) = data.handler {
            set.union(&self.live_in[handler.index()]);
        }
        self.live_out[block.index()] = set.clone();
        let index = &self.index;
        let track = |set: &mut RefSet, value: Value| {
            if index[value.index()] != UNTRACKED {
                set.insert(index[value.index()]);
            }
        };
        data.terminator.visit(|value| track(&mut set, value));
        for inst in data.insts.iter().rev() {
            if let Some(result) = inst.result.filter(|r| index[r.index()] != UNTRACKED) {
                set.remove(index[result.index()]);
            }
            inst.op.visit(|value| track(&mut set, value));
        }
        for param in data.params.iter().filter(|p| index[p.index()] != UNTRACKED) {
            set.remove(index[param.index()]);
        }
        let changed = self.live_in[block.index()] != set;
        self.live_in[block.index()] = set;
        changed
    }

    /// References live on entry to a block, its own parameters not among them.
    pub fn live_in(&self, block: Block) -> impl Iterator<Item = Value> {
        self.live_in[block.index()].iter().map(|i| self.tracked[i as usize])
    }

    /// References live after a block's terminator: those its successors, or its handler, need.
    pub fn live_out(&self, block: Block) -> impl Iterator<Item = Value> {
        self.live_out[block.index()].iter().map(|i| self.tracked[i as usize])
    }

    /// Whether a reference is live on entry to a block.
    pub fn is_live_in(&self, block: Block, value: Value) -> bool {
        let i = self.index[value.index()];
        i != UNTRACKED && self.live_in[block.index()].contains(i)
    }

    /// Whether the collector may have to move what this value refers to.
    pub fn is_tracked(&self, value: Value) -> bool {
        self.index[value.index()] != UNTRACKED
    }

    /// Calls `visit` on the instructions of a block at which the collector may run or which may trap, from the last to
    /// the first, each with the references that are live *across* it: needed after it or in the handler, and not its
    /// result. What it consumes and nobody needs later is not among them.
    pub fn across(&self, function: &Function, block: Block, mut visit: impl FnMut(usize, &[Value])) {
        let data = &function.blocks[block.index()];
        let mut set = self.live_out[block.index()].clone();
        let track = |set: &mut RefSet, value: Value| {
            if self.is_tracked(value) {
                set.insert(self.index[value.index()]);
            }
        };
        data.terminator.visit(|value| track(&mut set, value));
        let mut live = Vec::new();
        for (i, inst) in data.insts.iter().enumerate().rev() {
            if let Some(result) = inst.result.filter(|&r| self.is_tracked(r)) {
                set.remove(self.index[result.index()]);
            }
            if inst.op.is_safepoint() || inst.op.traps() {
                live.clear();
                live.extend(set.iter().map(|i| self.tracked[i as usize]));
                visit(i, &live);
            }
            inst.op.visit(|value| track(&mut set, value));
        }
    }
}
