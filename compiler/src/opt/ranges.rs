//! Drops checks that can't fail: overflow of additions, subtractions and multiplications of ints whose ranges are known,
//! and bounds of indexes known to lie between 0 and the length.
//!
//! Each int has a range that holds wherever it is visible: of constants, lengths and what is computed of them, and of
//! loop counters. Behind a branch its condition narrows what is compared, for as long as nothing else leads there.
//!
//! A counter is a parameter of a loop's header that comes round as itself plus or minus something. It has the range of what
//! enters the loop on the side that it moves away from; on the other the loop's test bounds it, which stands on the edges
//! into the header once the loop tests at its bottom (see `rotate`).
//!
//! Invariants
//! - R1. A range is claimed of a counter that may wrap round only where the test before the addition excludes that.
//! - R2. Comparisons are of 64-bit signed ints; the arithmetic here is done in 128 bits, where nothing overflows.

use super::Context;
use crate::ir::cfg::Cfg;
use crate::ir::{Block, Function, Op, Terminator, Type, Value};
use crate::prim::Prim;
use smallvec::SmallVec;

/// The pass.
pub(super) fn run(function: &mut Function, _context: &Context<'_>) {
    let wanted = |op: &Op| matches!(op, Op::BoundsCheck(..) | Op::Prim(Prim::IntAdd | Prim::IntSub | Prim::IntMul, _));
    if !function.blocks.iter().flat_map(|block| &block.insts).any(|inst| wanted(&inst.op)) {
        return;
    }
    let cfg = Cfg::new(function);
    let ranges = Ranges::of(function, &cfg);
    for &block in cfg.reverse_postorder() {
        let known = &ranges.known[block.index()];
        let data = &mut function.blocks[block.index()];
        for inst in &mut data.insts {
            if let Op::Prim(prim, operands) = &mut inst.op
                && let Some((unchecked, exact)) = ranges.arithmetic(*prim, operands, known)
                && exact.fits()
            {
                *prim = unchecked;
            }
        }
        data.insts.retain(|inst| match inst.op {
            Op::BoundsCheck(index, len) => !ranges.is_within(index, len, known),
            _ => true,
        });
    }
}

/// From `lo` to `hi`, both included.
#[derive(Clone, Copy, PartialEq)]
struct Range {
    lo: i128,
    hi: i128,
}

impl Range {
    const ALL: Range = Range { lo: i64::MIN as i128, hi: i64::MAX as i128 };

    fn fits(self) -> bool {
        Range::ALL.lo <= self.lo && self.hi <= Range::ALL.hi
    }

    /// Of what passes an overflow check.
    fn checked(self) -> Range {
        let within = Range { lo: self.lo.max(Range::ALL.lo), hi: self.hi.min(Range::ALL.hi) };
        if within.lo <= within.hi { within } else { Range::ALL }
    }
}

/// `a` is less than `b`.
type Less = (Value, Value);
/// What is known in a block.
type Known = SmallVec<[Less; 4]>;

/// Conditions that are kept for one block.
const KNOWN_MAX: usize = 12;

struct Ranges {
    of: Vec<Range>,
    /// For each block what the branches to it, with nothing else leading there, have decided.
    known: Vec<Known>,
    /// Of loop counters: values that they are less than.
    below: Vec<SmallVec<[Value; 1]>>,
}

impl Ranges {
    fn of(function: &Function, cfg: &Cfg) -> Ranges {
        let defined = definitions(function);
        let mut ranges = Ranges {
            of: vec![Range::ALL; function.values.len()],
            known: vec![Known::new(); function.blocks.len()],
            below: vec![SmallVec::new(); function.values.len()],
        };
        for &block in cfg.reverse_postorder() {
            if let [pred] = *cfg.preds(block) {
                ranges.known[block.index()] = on_edge(function, &defined, &ranges.known, pred, block);
            }
        }
        for (at, &block) in cfg.reverse_postorder().iter().enumerate() {
            let data = &function.blocks[block.index()];
            if block != Block(0) {
                for (k, &param) in data.params.iter().enumerate() {
                    if function.values[param.index()] == Type::Int {
                        ranges.parameter(function, cfg, &defined, (at, block), k, param);
                    }
                }
            }
            for inst in &data.insts {
                if let Some(result) = inst.result {
                    let known = &ranges.known[block.index()];
                    ranges.of[result.index()] = ranges.result(&inst.op, known);
                }
            }
        }
        ranges
    }

    /// The range of a value where something is known.
    fn range(&self, value: Value, known: &[Less]) -> Range {
        let mut range = self.of[value.index()];
        for &(a, b) in known {
            if a == value {
                range.hi = range.hi.min(self.of[b.index()].hi - 1);
            }
            if b == value {
                range.lo = range.lo.max(self.of[a.index()].lo + 1);
            }
        }
        // what can't be reached is no business of this pass
        if range.lo <= range.hi { range } else { self.of[value.index()] }
    }

    /// The same operation without check, and the range of the exact result.
    fn arithmetic(&self, prim: Prim, operands: &[Value], known: &[Less]) -> Option<(Prim, Range)> {
        let unchecked = match prim {
            Prim::IntAdd | Prim::IntAddWrap => Prim::IntAddWrap,
            Prim::IntSub | Prim::IntSubWrap => Prim::IntSubWrap,
            Prim::IntMul | Prim::IntMulWrap => Prim::IntMulWrap,
            _ => return None,
        };
        let (a, b) = (self.range(operands[0], known), self.range(operands[1], known));
        let exact = match unchecked {
            Prim::IntAddWrap => Range { lo: a.lo + b.lo, hi: a.hi + b.hi },
            Prim::IntSubWrap => Range { lo: a.lo - b.hi, hi: a.hi - b.lo },
            _ => {
                let corners = [a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi];
                let (mut lo, mut hi) = (corners[0], corners[0]);
                corners.iter().for_each(|&corner| (lo, hi) = (lo.min(corner), hi.max(corner)));
                Range { lo, hi }
            }
        };
        Some((unchecked, exact))
    }

    fn result(&self, op: &Op, known: &[Less]) -> Range {
        match op {
            Op::Int(value) => Range { lo: i128::from(*value), hi: i128::from(*value) },
            Op::ArrayLen(_) => Range { lo: 0, hi: i128::from(u32::MAX) },
            Op::Prim(Prim::ByteToInt, _) => Range { lo: 0, hi: 255 },
            Op::Prim(Prim::IntAnd, operands) => {
                let masks = operands.iter().map(|&operand| self.range(operand, known)).filter(|range| range.lo >= 0);
                masks
                    .map(|range| Range { lo: 0, hi: range.hi })
                    .reduce(|a, b| if a.hi < b.hi { a } else { b })
                    .unwrap_or(Range::ALL)
            }
            Op::Prim(Prim::IntRem, operands) => {
                let (a, b) = (self.range(operands[0], known), self.range(operands[1], known));
                let most = b.lo.abs().max(b.hi.abs()) - 1;
                let lo = if a.lo >= 0 { 0 } else { (-most).max(a.lo) };
                let hi = if a.hi <= 0 { 0 } else { most.min(a.hi) };
                Range { lo, hi }.checked()
            }
            Op::Prim(Prim::IntDiv, operands) => {
                let (a, b) = (self.range(operands[0], known), self.range(operands[1], known));
                if b.lo < 1 {
                    return Range::ALL;
                }
                Range { lo: (a.lo / b.lo).min(a.lo / b.hi), hi: (a.hi / b.lo).max(a.hi / b.hi) }
            }
            Op::Prim(prim, operands) => match self.arithmetic(*prim, operands, known) {
                Some((unchecked, exact)) if unchecked != *prim => exact.checked(),
                Some((_, exact)) if exact.fits() => exact,
                _ => Range::ALL,
            },
            _ => Range::ALL,
        }
    }

    /// Finds the range of a parameter of a block.
    fn parameter(
        &mut self,
        function: &Function,
        cfg: &Cfg,
        defined: &[Option<&Op>],
        (at, block): (usize, Block),
        k: usize,
        param: Value,
    ) {
        let mut edges: SmallVec<[(Value, Known, bool); 4]> = SmallVec::new();
        let mut preds: SmallVec<[Block; 4]> = cfg.preds(block).into();
        preds.sort_unstable();
        preds.dedup();
        for pred in preds {
            let both = cfg.preds(block).iter().filter(|&&other| other == pred).count() > 1;
            let known = if both { Known::new() } else { on_edge(function, defined, &self.known, pred, block) };
            function.blocks[pred.index()].terminator.edges(|to, arguments| {
                if to == block {
                    edges.push((arguments[k], known.clone(), cfg.position(pred) >= at));
                }
            });
        }
        // what the tests on the edges say, of arguments whose own ranges may not be known yet
        let tested = |this: &Ranges, argument: Value, known: &[Less]| this.range(argument, known);
        let (mut entering, mut around) = (None::<Range>, None::<Range>);
        for (argument, known, back) in &edges {
            let range = tested(self, *argument, known);
            let sum = if *back { &mut around } else { &mut entering };
            *sum = Some(sum.map_or(range, |sum| Range { lo: sum.lo.min(range.lo), hi: sum.hi.max(range.hi) }));
        }
        let Some(entering) = entering else { return };
        let Some(around) = around else {
            self.of[param.index()] = entering;
            return;
        };
        let mut range = Range { lo: entering.lo.min(around.lo), hi: entering.hi.max(around.hi) };
        // how far each way round moves it, if it does nothing else
        let steps: Option<SmallVec<[Range; 4]>> =
            edges.iter().filter(|edge| edge.2).map(|edge| self.step(defined, param, range, edge.0)).collect();
        if let Some(steps) = steps {
            if steps.iter().all(|step| step.lo >= 0) {
                range.lo = entering.lo;
            }
            if steps.iter().all(|step| step.hi <= 0) {
                range.hi = entering.hi;
            }
        }
        self.of[param.index()] = range;
        let (first, others) = edges.split_first().expect("a block is entered");
        let bounds = |edge: &(Value, Known, bool)| -> SmallVec<[Value; 1]> {
            edge.1.iter().filter(|less| less.0 == edge.0).map(|less| less.1).collect()
        };
        let mut below = bounds(first);
        for edge in others {
            let also = bounds(edge);
            below.retain(|value| also.contains(value));
        }
        self.below[param.index()] = below;
    }

    /// By how much `argument` differs from `param`, of which `tested` holds, if it is made by adding to it.
    fn step(&self, defined: &[Option<&Op>], param: Value, tested: Range, argument: Value) -> Option<Range> {
        if argument == param {
            return Some(Range { lo: 0, hi: 0 });
        }
        let Some(Op::Prim(prim, operands)) = defined[argument.index()] else { return None };
        let constant = |value: Value| match defined[value.index()] {
            Some(&Op::Int(constant)) => Some(i128::from(constant)),
            _ => None,
        };
        let by = match (prim, &operands[..]) {
            (Prim::IntAdd | Prim::IntAddWrap, &[a, b]) if a == param => constant(b)?,
            (Prim::IntAdd | Prim::IntAddWrap, &[a, b]) if b == param => constant(a)?,
            (Prim::IntSub | Prim::IntSubWrap, &[a, b]) if a == param => -constant(b)?,
            _ => return None,
        };
        let moved = Range { lo: tested.lo + by, hi: tested.hi + by };
        // only on the side it moves to can it wrap
        let safe = if by >= 0 { moved.hi <= Range::ALL.hi } else { moved.lo >= Range::ALL.lo };
        let checked = matches!(prim, Prim::IntAdd | Prim::IntSub);
        (checked || safe).then_some(Range { lo: by, hi: by })
    }

    fn is_within(&self, index: Value, len: Value, known: &[Less]) -> bool {
        let (at, of) = (self.range(index, known), self.range(len, known));
        let less = at.hi < of.lo || self.below[index.index()].contains(&len) || known.contains(&(index, len));
        at.lo >= 0 && less
    }
}

/// The operation that defines each value.
fn definitions(function: &Function) -> Vec<Option<&Op>> {
    let mut defined = vec![None; function.values.len()];
    for inst in function.blocks.iter().flat_map(|block| &block.insts) {
        if let Some(result) = inst.result {
            defined[result.index()] = Some(&inst.op);
        }
    }
    defined
}

/// What is known on the edge from `pred` to `block`.
fn on_edge(function: &Function, defined: &[Option<&Op>], known: &[Known], pred: Block, block: Block) -> Known {
    let mut known = known[pred.index()].clone();
    let Terminator::Branch { condition, then, otherwise } = &function.blocks[pred.index()].terminator else {
        return known;
    };
    if then.0 == otherwise.0 {
        return known;
    }
    let holds = then.0 == block;
    let Some(Op::Prim(prim, operands)) = defined[condition.index()] else { return known };
    let less = match (prim, holds, &operands[..]) {
        (Prim::IntLt, true, &[a, b]) | (Prim::IntGe, false, &[a, b]) => (a, b),
        (Prim::IntGt, true, &[a, b]) | (Prim::IntLe, false, &[a, b]) => (b, a),
        _ => return known,
    };
    if known.len() == KNOWN_MAX {
        known.remove(0);
    }
    known.push(less);
    known
}
