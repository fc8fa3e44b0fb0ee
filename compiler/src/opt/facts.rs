//! What is known of ints, and where: comparisons that the way to a place has decided, checks that it has passed, and the
//! interval of each value.
//!
//! A fact says that one value exceeds another by no more than a constant, or that two differ. Facts hold behind the edge
//! or the check that they come from, so they form a tree along the dominators; [`At`] is a place in it.
//!
//! A value has an interval that holds wherever it is visible, found in two walks over the function in reverse postorder.
//! A loop's counter has that of what enters the loop on the side that it moves away from; on the other the loop's test
//! bounds it, which stands on the edges into the header once the loop tests at its bottom (see `rotate`).
//!
//! Invariants
//! - F1. A fact of values is one of their present instances: what a later round defines anew, it proves anew.
//! - F2. Facts speak of exact integers. A wrapping operation counts as a sum only where its interval fits an int.
//! - F3. A claim about a parameter of a loop rests on its entries and on what the round before ended with; so it holds in
//!   every round though it is used to prove itself.

use super::interval::Interval;
use crate::ir::cfg::{Cfg, Dominators};
use crate::ir::{Block, Function, Op, Program, Terminator, Type, Value};
use crate::prim::Prim;
use smallvec::SmallVec;

/// A value, or zero.
pub(super) type Term = Option<Value>;

/// `a` exceeds `b` by `c` at the most.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Difference {
    pub a: Term,
    pub b: Term,
    pub c: i128,
}

#[derive(Clone, Copy, Debug)]
enum Fact {
    AtMost(Difference),
    /// The value is not the term plus the constant.
    Differ(Value, Term, i128),
}

/// A place in the tree of facts: those from its root to here hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct At(u32);

/// Where a value comes from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Definition {
    /// A block's parameter, and which.
    Param(Block, usize),
    /// An instruction, and which of its block.
    Inst(Block, usize),
}

impl Definition {
    pub fn block(self) -> Block {
        match self {
            Definition::Param(block, _) | Definition::Inst(block, _) => block,
        }
    }
}

/// Stands at the root.
const NOTHING: Difference = Difference { a: None, b: None, c: 0 };

/// How far operands and facts are followed for an interval.
const DEPTH: usize = 3;
/// Parameters between a loop's own and what comes round, in the search for where a counter moves.
const OPEN_MAX: usize = 8;

/// A fact with the place above it.
struct Node {
    fact: Fact,
    above: At,
    /// Preorder number in the tree, and that of the first node behind its subtree.
    span: (u32, u32),
}

pub(super) struct Facts<'a> {
    pub function: &'a Function,
    pub cfg: &'a Cfg,
    pub dominators: Dominators,
    program: &'a Program,
    definitions: Vec<Option<Definition>>,
    nodes: Vec<Node>,
    /// Facts that name a value.
    naming: Vec<SmallVec<[u32; 2]>>,
    /// At the start of each block.
    starts: Vec<At>,
    /// Behind each check of each block.
    passed: Vec<SmallVec<[At; 2]>>,
    /// On the edges that leave each block, in the order of its terminator.
    edges: Vec<[At; 2]>,
    intervals: Vec<Option<Interval>>,
    /// Of counters that move by one until they meet their end: that they never pass it.
    ends: Vec<Option<Difference>>,
}

impl<'a> Facts<'a> {
    pub fn new(program: &'a Program, function: &'a Function, cfg: &'a Cfg) -> Facts<'a> {
        Facts::assuming(program, function, cfg, Block(0), &[])
    }

    /// As if these differences had been tested on the way into a block.
    pub fn assuming(
        program: &'a Program,
        function: &'a Function,
        cfg: &'a Cfg,
        block: Block,
        given: &[Difference],
    ) -> Facts<'a> {
        let mut facts = Facts {
            function,
            cfg,
            dominators: Dominators::new(cfg),
            program,
            definitions: vec![None; function.values.len()],
            nodes: vec![Node { fact: Fact::AtMost(NOTHING), above: At(0), span: (0, 0) }],
            naming: vec![SmallVec::new(); function.values.len()],
            starts: vec![At(0); function.blocks.len()],
            passed: vec![SmallVec::new(); function.blocks.len()],
            edges: vec![[At(0); 2]; function.blocks.len()],
            intervals: vec![None; function.values.len()],
            ends: vec![None; function.values.len()],
        };
        facts.define();
        facts.gather(block, given);
        facts.number();
        let loops = cfg.reverse_postorder().iter().any(|&block| facts.is_header(block));
        for _ in 0..if loops { 2 } else { 1 } {
            facts.find_intervals();
        }
        facts
    }

    fn define(&mut self) {
        let function = self.function;
        for &block in self.cfg.reverse_postorder() {
            let data = &function.blocks[block.index()];
            for (k, param) in data.params.iter().enumerate() {
                self.definitions[param.index()] = Some(Definition::Param(block, k));
            }
            for (i, inst) in data.insts.iter().enumerate() {
                if let Some(result) = inst.result {
                    self.definitions[result.index()] = Some(Definition::Inst(block, i));
                }
            }
        }
    }

    /// Finds the facts of branches and checks, and puts what is given on the way into a block, and behind.
    fn gather(&mut self, assuming: Block, given: &[Difference]) {
        let (function, cfg) = (self.function, self.cfg);
        let mut ends = vec![At(0); function.blocks.len()];
        for &block in cfg.reverse_postorder() {
            // what comes round to a loop has entered it before
            let entering = |pred: &&Block| cfg.position(**pred) < cfg.position(block);
            let mut entries = cfg.preds(block).iter().filter(entering);
            let mut above = match (entries.next(), entries.next(), self.dominators.immediate(cfg, block)) {
                (Some(&pred), None, _) => self.edge(pred, block),
                (_, _, Some(dominator)) => ends[dominator.index()],
                (_, _, None) => At(0),
            };
            if block == assuming {
                above = self.assume(given, above);
            }
            self.starts[block.index()] = above;
            let data = &function.blocks[block.index()];
            let mut at = above;
            for inst in &data.insts {
                if let Op::BoundsCheck(index, len) = inst.op {
                    at = self.at_most(Some(index), Some(len), -1, at);
                    at = self.at_most(None, Some(index), 0, at);
                    self.passed[block.index()].push(at);
                }
            }
            ends[block.index()] = at;
            self.edges[block.index()] = match data.terminator {
                Terminator::Branch { condition, .. } => {
                    [self.decided(condition, true, at), self.decided(condition, false, at)]
                }
                _ => [at; 2],
            };
            if !given.is_empty() && cfg.position(block) < cfg.position(assuming) {
                let mut k = 0;
                data.terminator.edges(|to, _| {
                    if to == assuming {
                        let place = self.edges[block.index()][k];
                        self.edges[block.index()][k] = self.assume(given, place);
                    }
                    k += 1;
                });
            }
        }
    }

    fn assume(&mut self, given: &[Difference], above: At) -> At {
        given.iter().fold(above, |above, &given| self.push(Fact::AtMost(given), above))
    }

    /// The place on the one edge between two blocks.
    fn edge(&self, from: Block, to: Block) -> At {
        let mut found = self.edges[from.index()][0];
        self.each_edge(from, to, |_, at| found = at);
        found
    }

    /// Calls `visit` with the arguments of each edge between two blocks, and its place.
    fn each_edge(&self, from: Block, to: Block, mut visit: impl FnMut(&[Value], At)) {
        let mut places = self.edges[from.index()].into_iter();
        self.function.blocks[from.index()].terminator.edges(|target, arguments| {
            let at = places.next().expect("a block has two successors at the most");
            if target == to {
                visit(arguments, at);
            }
        });
    }

    fn push(&mut self, fact: Fact, above: At) -> At {
        let node = self.nodes.len() as u32;
        let (a, b) = match fact {
            Fact::AtMost(Difference { a, b, .. }) => (a, b),
            Fact::Differ(a, b, _) => (Some(a), b),
        };
        for value in [a, b].into_iter().flatten() {
            self.naming[value.index()].push(node);
        }
        self.nodes.push(Node { fact, above, span: (0, 0) });
        At(node)
    }

    fn at_most(&mut self, a: Term, b: Term, c: i128, above: At) -> At {
        self.push(Fact::AtMost(Difference { a, b, c }), above)
    }

    /// What a condition tells that holds, or does not.
    fn decided(&mut self, condition: Value, holds: bool, at: At) -> At {
        let Some(&Op::Prim(prim, ref operands)) = self.operation(condition) else { return at };
        if prim == Prim::BoolNot {
            return self.decided(operands[0], !holds, at);
        }
        let (a, b) = (operands[0], operands.get(1).copied().unwrap_or(operands[0]));
        match (prim, holds) {
            (Prim::IntLt, true) | (Prim::IntGe, false) => self.at_most(Some(a), Some(b), -1, at),
            (Prim::IntGt, true) | (Prim::IntLe, false) => self.at_most(Some(b), Some(a), -1, at),
            (Prim::IntLe, true) | (Prim::IntGt, false) => self.at_most(Some(a), Some(b), 0, at),
            (Prim::IntGe, true) | (Prim::IntLt, false) => self.at_most(Some(b), Some(a), 0, at),
            (Prim::IntEq, true) | (Prim::IntNe, false) => {
                let at = self.at_most(Some(a), Some(b), 0, at);
                self.at_most(Some(b), Some(a), 0, at)
            }
            (Prim::IntNe, true) | (Prim::IntEq, false) => {
                // a step before they would meet
                let fact = match (self.stepped(a), self.stepped(b), self.constant(b)) {
                    (Some((a, step)), Some((b, same)), _) if step == same => Fact::Differ(a, Some(b), 0),
                    (Some((a, step)), _, Some(b)) => Fact::Differ(a, None, i128::from(b) - i128::from(step)),
                    _ => Fact::Differ(a, Some(b), 0),
                };
                self.push(fact, at)
            }
            _ => at,
        }
    }

    /// Numbers the nodes so that a subtree is a span; nodes come behind those above them.
    fn number(&mut self) {
        let count = self.nodes.len();
        let mut size = vec![1u32; count];
        for i in (1..count).rev() {
            size[self.nodes[i].above.0 as usize] += size[i];
        }
        let mut next_child = vec![1u32; count];
        for i in 1..count {
            let above = self.nodes[i].above.0 as usize;
            let first = next_child[above];
            next_child[above] += size[i];
            next_child[i] = first + 1;
            self.nodes[i].span = (first, first + size[i]);
        }
        self.nodes[0].span = (0, count as u32);
    }

    /// Calls `visit` with each instruction of a block and the place before it.
    pub fn walk(&self, block: Block, mut visit: impl FnMut(usize, At)) {
        let mut at = self.starts[block.index()];
        let mut passed = self.passed[block.index()].iter();
        for (i, inst) in self.function.blocks[block.index()].insts.iter().enumerate() {
            visit(i, at);
            if let Op::BoundsCheck(..) = inst.op {
                at = *passed.next().expect("each check has its place");
            }
        }
    }

    /// The place at the start of a block.
    pub fn start(&self, block: Block) -> At {
        self.starts[block.index()]
    }

    fn is_header(&self, block: Block) -> bool {
        let at = self.cfg.position(block);
        self.cfg.preds(block).iter().any(|&pred| self.cfg.position(pred) >= at)
    }

    pub fn definition(&self, value: Value) -> Option<Definition> {
        self.definitions[value.index()]
    }

    /// The operation that defines a value, if one does.
    pub fn operation(&self, value: Value) -> Option<&'a Op> {
        match self.definitions[value.index()]? {
            Definition::Inst(block, i) => Some(&self.function.blocks[block.index()].insts[i].op),
            Definition::Param(..) => None,
        }
    }

    /// The constant that a value is, if it is one.
    pub fn constant(&self, value: Value) -> Option<i64> {
        match self.operation(value) {
            Some(&Op::Int(constant)) => Some(constant),
            _ => None,
        }
    }

    /// `value` as another one plus or minus one, wrapping.
    fn stepped(&self, value: Value) -> Option<(Value, i64)> {
        let Some(&Op::Prim(prim, ref operands)) = self.operation(value) else { return None };
        let one = operands.get(1).is_some_and(|&by| self.constant(by) == Some(1));
        match prim {
            Prim::IntAddWrap | Prim::IntAdd if one => Some((operands[0], 1)),
            Prim::IntSubWrap | Prim::IntSub if one => Some((operands[0], -1)),
            _ => None,
        }
    }

    /// Differences known at a place that name a value.
    pub fn known(&self, value: Value, at: At) -> impl Iterator<Item = Difference> + '_ {
        let place = self.nodes[at.0 as usize].span.0;
        let told = self.naming[value.index()].iter().rev().filter_map(move |&node| {
            let Node { fact, span, .. } = self.nodes[node as usize];
            if !(span.0..span.1).contains(&place) {
                return None;
            }
            match fact {
                Fact::AtMost(difference) => Some(difference),
                // what never passes its end, and has not met it, has a step to go
                Fact::Differ(a, b, c) => {
                    let end = self.ends[a.index()]?;
                    let up = Difference { a: Some(a), b, c };
                    let down = Difference { a: b, b: Some(a), c: -c };
                    (end == up || end == down).then_some(Difference { c: end.c - 1, ..end })
                }
            }
        });
        told.chain(self.ends[value.index()])
    }

    /// The interval of a value where something is known.
    pub fn interval(&self, value: Value, at: At) -> Interval {
        self.interval_within(value, at, DEPTH)
    }

    fn interval_within(&self, value: Value, at: At, depth: usize) -> Interval {
        let mut interval = self.intervals[value.index()].unwrap_or(Interval::INT);
        let Some(depth) = depth.checked_sub(1) else { return interval };
        if let Some(op) = self.operation(value) {
            interval = interval.and(self.result(op, at, depth));
        }
        let of = |term: Term| term.map_or(Interval::point(0), |term| self.interval_within(term, at, depth));
        for Difference { a, b, c } in self.known(value, at) {
            let bound = match a == Some(value) {
                true => Interval { hi: of(b).hi + c, ..interval },
                false => Interval { lo: of(a).lo - c, ..interval },
            };
            interval = interval.and(bound);
        }
        interval
    }

    /// The exact interval of a sum, difference or product, before any overflow.
    pub fn exact(&self, prim: Prim, operands: &[Value], at: At) -> Option<Interval> {
        self.exact_within(prim, operands, at, DEPTH)
    }

    fn exact_within(&self, prim: Prim, operands: &[Value], at: At, depth: usize) -> Option<Interval> {
        let operation = match prim {
            Prim::IntAdd | Prim::IntAddWrap => Interval::plus,
            Prim::IntSub | Prim::IntSubWrap => Interval::minus,
            Prim::IntMul | Prim::IntMulWrap => Interval::times,
            _ => return None,
        };
        let of = |operand: Value| self.interval_within(operand, at, depth);
        Some(operation(of(operands[0]), of(operands[1])))
    }

    /// The interval of what an operation gives.
    fn result(&self, op: &Op, at: At, depth: usize) -> Interval {
        let of = |operand: Value| self.interval_within(operand, at, depth);
        match op {
            &Op::Int(value) => Interval::point(value),
            Op::ArrayLen(_) => Interval::LENGTH,
            Op::Load(record, field, _) if self.program.records[record.index()].fields[*field as usize].length => {
                Interval::LENGTH
            }
            Op::Prim(Prim::ByteToInt, _) => Interval { lo: 0, hi: 255 },
            Op::Prim(Prim::IntAnd, operands) => of(operands[0]).masked(of(operands[1])),
            Op::Prim(Prim::IntRem, operands) => of(operands[0]).remainder(of(operands[1])),
            Op::Prim(Prim::IntDiv, operands) => {
                let divisor = of(operands[1]);
                if divisor.lo > 0 { of(operands[0]).divided(divisor) } else { Interval::INT }
            }
            Op::Prim(Prim::IntShr, operands) => of(operands[0]).shifted_right(of(operands[1])),
            Op::Prim(prim, operands) => match (self.exact_within(*prim, operands, at, depth), prim) {
                (Some(exact), Prim::IntAdd | Prim::IntSub | Prim::IntMul) => Interval::INT.and(exact),
                (Some(exact), _) if exact.fits() => exact,
                _ => Interval::INT,
            },
            _ => Interval::INT,
        }
    }

    fn find_intervals(&mut self) {
        let (function, cfg) = (self.function, self.cfg);
        for (position, &block) in cfg.reverse_postorder().iter().enumerate() {
            let data = &function.blocks[block.index()];
            for (k, &param) in data.params.iter().enumerate() {
                if block != Block(0) && function.values[param.index()] == Type::Int {
                    self.find_end(position, block, k, param);
                    self.find_parameter(position, block, k, param);
                }
            }
            let mut found: SmallVec<[(Value, Interval); 16]> = SmallVec::new();
            self.walk(block, |i, at| {
                let inst = &data.insts[i];
                if let Some(result) = inst.result
                    && function.values[result.index()] == Type::Int
                {
                    found.push((result, self.result(&inst.op, at, DEPTH)));
                }
            });
            for (value, interval) in found {
                self.intervals[value.index()] = Some(interval);
            }
        }
    }

    /// What is passed for a parameter: the argument, its place, and whether it comes round from a block behind `position`.
    fn arguments(&self, position: usize, block: Block, k: usize) -> SmallVec<[(Value, At, bool); 4]> {
        let mut arguments = SmallVec::new();
        let mut preds: SmallVec<[Block; 4]> = self.cfg.preds(block).into();
        preds.sort_unstable();
        preds.dedup();
        for pred in preds {
            let back = self.cfg.position(pred) >= position;
            self.each_edge(pred, block, |passed, at| arguments.push((passed[k], at, back)));
        }
        arguments
    }

    /// The interval of a parameter of a block.
    fn find_parameter(&mut self, position: usize, block: Block, k: usize, param: Value) {
        let edges = self.arguments(position, block, k);
        let (mut entering, mut around) = (None::<Interval>, None::<Interval>);
        for &(argument, at, back) in &edges {
            let interval = self.interval(argument, at);
            let sum = if back { &mut around } else { &mut entering };
            *sum = Some(sum.map_or(interval, |sum| sum.or(interval)));
        }
        let Some(entering) = entering else { return };
        let Some(around) = around else {
            self.intervals[param.index()] = Some(entering);
            return;
        };
        let mut interval = entering.or(around);
        self.intervals[param.index()] = Some(interval);
        if interval != entering {
            let mut open = SmallVec::from_slice(&[param]);
            let moves: Option<SmallVec<[Interval; 4]>> = edges
                .iter()
                .filter(|edge| edge.2)
                .map(|&(argument, at, _)| self.moves(&mut open, argument, at))
                .collect();
            if let Some(moves) = moves {
                if moves.iter().all(|by| by.lo >= 0) {
                    interval.lo = entering.lo;
                }
                if moves.iter().all(|by| by.hi <= 0) {
                    interval.hi = entering.hi;
                }
                self.intervals[param.index()] = Some(interval);
            }
        }
    }

    /// Which way `argument` lies from the first of `open`, as an interval of signs: it is made by adding to it, perhaps
    /// by way of other parameters, which are opened in turn.
    fn moves(&self, open: &mut SmallVec<[Value; OPEN_MAX]>, argument: Value, at: At) -> Option<Interval> {
        if open.contains(&argument) {
            return Some(Interval::point(0));
        }
        match self.definition(argument)? {
            Definition::Inst(..) => {
                let &Op::Prim(prim, ref operands) = self.operation(argument)? else { return None };
                let wraps = matches!(prim, Prim::IntAddWrap | Prim::IntSubWrap);
                if !wraps && !matches!(prim, Prim::IntAdd | Prim::IntSub) {
                    return None;
                }
                let minus = matches!(prim, Prim::IntSub | Prim::IntSubWrap);
                let opened = open.len();
                let (from, by, before) = match self.moves(open, operands[0], at) {
                    Some(before) => (operands[0], operands[1], before),
                    None if minus => return None,
                    None => {
                        open.truncate(opened);
                        (operands[1], operands[0], self.moves(open, operands[1], at)?)
                    }
                };
                let mut by = self.interval(by, at);
                if minus {
                    by = Interval::point(0).minus(by);
                }
                if wraps {
                    // only on the side it moves to can it wrap round
                    let moved = self.interval(from, at).plus(by);
                    let safe = (by.lo >= 0 && moved.hi <= Interval::INT.hi)
                        || (by.hi <= 0 && moved.lo >= Interval::INT.lo)
                        || moved.fits();
                    if !safe {
                        return None;
                    }
                }
                Some(before.or(Interval { lo: by.lo.clamp(-1, 1), hi: by.hi.clamp(-1, 1) }))
            }
            Definition::Param(block, k) => {
                if block == Block(0) || open.len() == OPEN_MAX {
                    return None;
                }
                open.push(argument);
                let edges = self.arguments(self.cfg.position(block), block, k);
                let mut all = Interval::point(0);
                for (argument, at, _) in edges {
                    all = all.or(self.moves(open, argument, at)?);
                }
                Some(all)
            }
        }
    }

    /// Notes the end of a counter that moves by one until it is one past it.
    fn find_end(&mut self, position: usize, block: Block, k: usize, param: Value) {
        let edges = self.arguments(position, block, k);
        let mut end: Option<(Term, i128, i64)> = None;
        for &(argument, at, _) in edges.iter().filter(|edge| edge.2) {
            let Some((from, step)) = self.stepped(argument) else { return };
            if from != param {
                return;
            }
            let place = self.nodes[at.0 as usize].span.0;
            let met = self.naming[param.index()].iter().find_map(|&node| match self.nodes[node as usize] {
                Node { fact: Fact::Differ(a, b, c), span, .. } if a == param && (span.0..span.1).contains(&place) => {
                    Some((b, c, step))
                }
                _ => None,
            });
            if met.is_none() || end.is_some_and(|end| Some(end) != met) {
                return;
            }
            end = met;
        }
        let Some((end, c, step)) = end else { return };
        if !end.is_none_or(|end| self.is_fixed_in(end, block)) {
            return;
        }
        let never_past = |value: Value| match step {
            1.. => Difference { a: Some(value), b: end, c },
            _ => Difference { a: end, b: Some(value), c: -c },
        };
        let mut entries = edges.iter().filter(|edge| !edge.2);
        if entries.all(|&(argument, at, _)| super::proof::holds(self, never_past(argument), at)) {
            self.ends[param.index()] = Some(never_past(param));
        }
    }

    /// Whether a value was defined before a block is entered, and so is the same whenever that is entered again from
    /// behind itself.
    pub fn is_fixed_in(&self, value: Value, block: Block) -> bool {
        self.definition(value).is_some_and(|definition| {
            let home = definition.block();
            home != block && self.dominators.dominates(self.cfg, home, block)
        })
    }

    /// Edges into a block for one of its parameters: arguments and places.
    pub fn passed(&self, block: Block, k: usize) -> impl Iterator<Item = (Value, At)> + use<> {
        self.arguments(usize::MAX, block, k).into_iter().map(|(argument, at, _)| (argument, at))
    }
}
