//! Removes what has been computed, checked or loaded before: global value numbering over the dominator tree, with loads.
//!
//! An operation is redundant if the same one on the same operands dominates it; so is a check, and so is a trapping
//! operation, which would have trapped the first time. A load also needs that nothing on any way between the two may
//! have written there. Who writes where is told by types: a store into a field changes that field of records of that
//! layout, a store into an array changes arrays of that kind of elements; neither changes lengths or variants, which
//! nothing does. Where ways meet that leave different values in a place, a parameter brings them together
//! (`joins`). A call may change everything, unless the function only reads: then it is itself like a load. A handler knows
//! nothing of what its `try` body wrote.
//!
//! Behind a branch its condition is known, so a second branch on the same condition goes.

use super::Context;
use super::graph::remove_unreachable;
use super::joins::Joins;
use crate::ir::cfg::{Cfg, Dominators};
use crate::ir::{
    Block, Elem, FuncId, Function, GlobalId, Inst, LiteralId, Op, RecordId, RuntimeFn, Terminator, Value, Values,
};
use crate::prim::Prim;
use hashbrown::HashMap;
use smallvec::SmallVec;

/// What loads remember at a time.
const LOADS_MAX: usize = 48;
/// Places of one operation that are remembered.
const PLACES_MAX: usize = 16;
/// Blocks between a meeting point and its dominator that are looked at; beyond, they may have written anything.
const BETWEEN_MAX: usize = 200;

/// The pass.
pub(super) fn run(function: &mut Function, context: &Context<'_>) {
    let cfg = Cfg::new(function);
    let dominators = Dominators::new(&cfg);
    let count = function.blocks.len();
    let handlers = handlers(function);
    let mut writes: Vec<Writes> = function.blocks.iter().map(|block| Writes::of_block(block, context)).collect();
    for (writes, _) in writes.iter_mut().zip(&handlers).filter(|(_, is_handler)| **is_handler) {
        // whatever its `try` body wrote before the trap
        writes.everything = true;
    }
    let mut numbering = Numbering {
        copies: (0..function.values.len() as u32).map(Value).collect(),
        known: HashMap::new(),
        conditions: HashMap::new(),
        negated: HashMap::new(),
        ends: vec![Vec::new(); count],
        writes,
        visited: vec![Block(u32::MAX); count],
        joins: Joins::new(function),
        cfg: &cfg,
        dominators: &dominators,
        context,
    };
    for &block in cfg.reverse_postorder() {
        let loads = if handlers[block.index()] { Vec::new() } else { numbering.loads_at(function, block) };
        numbering.block(function, block, loads);
    }
    let Numbering { mut copies, joins, .. } = numbering;
    joins.make(function, &mut copies);
    for block in &mut function.blocks {
        for inst in &mut block.insts {
            inst.op.visit_mut(|value| *value = copies[value.index()]);
        }
        block.terminator.visit_mut(|value| *value = copies[value.index()]);
    }
    remove_unreachable(function);
}

fn handlers(function: &Function) -> Vec<bool> {
    let mut handlers = vec![false; function.blocks.len()];
    for block in &function.blocks {
        if let Terminator::Try { handler, .. } = block.terminator {
            handlers[handler.index()] = true;
        }
    }
    handlers
}

/// An operation whose result depends on its operands alone. Constants are among them, so that equal ones are the same
/// operand.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Pure {
    Int(i64),
    Float(u64),
    Byte(u8),
    Nil,
    Str(LiteralId),
    Code(FuncId),
    FnObject(FuncId),
    Singleton(RecordId),
    Prim(Prim, Value, Option<Value>),
    Bounds(Value, Value),
    IsNil(Value),
    Tag(RecordId, Value),
    Len(Value),
    Text(RuntimeFn, Value, Option<Value>),
}

fn pure(op: &Op) -> Option<Pure> {
    Some(match op {
        &Op::Int(value) => Pure::Int(value),
        &Op::Float(value) => Pure::Float(value.to_bits()),
        &Op::Byte(value) => Pure::Byte(value),
        Op::Nil => Pure::Nil,
        &Op::Str(literal) => Pure::Str(literal),
        &Op::Code(function) => Pure::Code(function),
        &Op::FnObject(function) => Pure::FnObject(function),
        &Op::Singleton(record) => Pure::Singleton(record),
        Op::Prim(prim, operands) => {
            let (a, b) = (operands[0], operands.get(1).copied());
            match b {
                Some(b) if b < a && commutes(*prim) => Pure::Prim(*prim, b, Some(a)),
                _ => Pure::Prim(*prim, a, b),
            }
        }
        &Op::BoundsCheck(index, len) => Pure::Bounds(index, len),
        &Op::IsNil(a) => Pure::IsNil(a),
        &Op::Tag(record, a) => Pure::Tag(record, a),
        &Op::ArrayLen(a) => Pure::Len(a),
        Op::CallRuntime(
            function @ (RuntimeFn::StrEq | RuntimeFn::StrCompare | RuntimeFn::StrHash | RuntimeFn::IntHash),
            operands,
        ) => Pure::Text(*function, operands[0], operands.get(1).copied()),
        _ => return None,
    })
}

fn commutes(prim: Prim) -> bool {
    use Prim::*;
    matches!(
        prim,
        IntAdd
            | IntMul
            | IntAddWrap
            | IntMulWrap
            | IntAnd
            | IntOr
            | IntXor
            | IntEq
            | IntNe
            | ByteEq
            | ByteNe
            | BoolEq
            | BoolNe
            | RefEq
    )
}

/// A place in memory, or what a function that only reads makes of several.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Place {
    Field(RecordId, u32, Value),
    Element(Elem, Value, Value),
    Global(GlobalId),
    Call(FuncId, Values),
}

/// What some code may write.
#[derive(Clone, Default, Debug)]
struct Writes {
    everything: bool,
    fields: Vec<(RecordId, u32)>,
    elements: Vec<Elem>,
    globals: Vec<GlobalId>,
}

impl Writes {
    fn of_block(block: &crate::ir::BlockData, context: &Context<'_>) -> Writes {
        let mut writes = Writes::default();
        for inst in &block.insts {
            writes.add(&inst.op, context);
        }
        writes
    }

    fn add(&mut self, op: &Op, context: &Context<'_>) {
        match op {
            &Op::Call(callee, _) if context.reads(callee, 0).is_some() => {}
            &Op::Store(record, field, ..) => self.fields.push((record, field)),
            &Op::ArraySet(elem, ..) => self.elements.push(elem),
            &Op::GlobalSet(global, _) => self.globals.push(global),
            Op::CallRuntime(RuntimeFn::ArrayCopy(elem) | RuntimeFn::ArrayFill(elem), _) => self.elements.push(*elem),
            Op::CallRuntime(
                RuntimeFn::ArrayPart(_)
                | RuntimeFn::ArrayGrow(_)
                | RuntimeFn::StrSlice
                | RuntimeFn::StrEq
                | RuntimeFn::StrCompare
                | RuntimeFn::StrConcat
                | RuntimeFn::StrHash
                | RuntimeFn::StrFromBytes
                | RuntimeFn::StrJoin
                | RuntimeFn::IntHash,
                _,
            ) => {}
            Op::Call(..) | Op::CallValue(_) | Op::CallNative(..) | Op::CallRuntime(..) => self.everything = true,
            _ => {}
        }
    }

    fn may_change(&self, place: &Place, context: &Context<'_>) -> bool {
        self.everything
            || match place {
                Place::Field(record, field, _) => self.fields.contains(&(*record, *field)),
                Place::Element(elem, ..) => self.elements.contains(elem),
                Place::Global(global) => self.globals.contains(global),
                Place::Call(callee, _) => context.reads(*callee, 0).is_none_or(|reads| {
                    reads.fields.iter().any(|field| self.fields.contains(field))
                        || reads.elements.iter().any(|elem| self.elements.contains(elem))
                        || reads.globals.iter().any(|global| self.globals.contains(global))
                }),
            }
    }
}

/// What memory holds.
type Loads = Vec<(Place, Value)>;

struct Numbering<'a> {
    /// For each value the one to use instead, itself if none.
    copies: Vec<Value>,
    /// Where an operation was done before, and what it gave; checks give an unused value.
    known: HashMap<Pure, Vec<(Block, Value)>>,
    /// Blocks in which a condition is known.
    conditions: HashMap<Value, Vec<(Block, bool)>>,
    /// Of a bool that is the opposite of another, that one.
    negated: HashMap<Value, Value>,
    /// What memory holds at the end of a block.
    ends: Vec<Loads>,
    writes: Vec<Writes>,
    /// For which block another was last visited, by `loads_at`.
    visited: Vec<Block>,
    joins: Joins,
    cfg: &'a Cfg,
    dominators: &'a Dominators,
    context: &'a Context<'a>,
}

impl Numbering<'_> {
    /// What memory holds on entry to a block.
    fn loads_at(&mut self, function: &Function, block: Block) -> Loads {
        let mut loads = self.unchanged(block);
        self.join(function, block, &mut loads);
        loads
    }

    /// What memory holds as far as a block's dominator knew it and nothing in between wrote there.
    fn unchanged(&mut self, block: Block) -> Loads {
        let Some(dominator) = self.dominators.immediate(self.cfg, block) else { return Loads::new() };
        let mut loads = self.ends[dominator.index()].clone();
        let mut work: Vec<Block> = self.cfg.preds(block).to_vec();
        let mut visits = 0;
        while let Some(between) = work.pop() {
            if between == dominator || loads.is_empty() || self.visited[between.index()] == block {
                continue;
            }
            self.visited[between.index()] = block;
            visits += 1;
            if visits > BETWEEN_MAX {
                return Loads::new();
            }
            let writes = &self.writes[between.index()];
            loads.retain(|(place, _)| !writes.may_change(place, self.context));
            work.extend(self.cfg.preds(between));
        }
        loads
    }

    /// What every way that leads to a block knows besides, if none comes around a loop.
    fn join(&mut self, function: &Function, block: Block, loads: &mut Loads) {
        let behind = |&from: &Block| self.cfg.position(from) >= self.cfg.position(block);
        let Some(ways) = Joins::ways(function, self.cfg.preds(block)) else { return };
        if ways.iter().any(behind) {
            return;
        }
        for (place, first) in &self.ends[ways[0].index()] {
            if loads.len() == LOADS_MAX {
                return;
            }
            let at_end = |from: &Block| {
                let known = self.ends[from.index()].iter().find(|(at, _)| at == place);
                known.map(|&(_, value)| (*from, value))
            };
            if loads.iter().any(|(at, _)| at == place) {
                continue;
            }
            let Some(values) = ways.iter().map(at_end).collect::<Option<SmallVec<[(Block, Value); 2]>>>() else {
                continue;
            };
            let value = if values.iter().all(|(_, value)| value == first) {
                *first
            } else {
                let join = self.joins.add(function, block, values);
                self.copies.push(join);
                join
            };
            loads.push((place.clone(), value));
        }
    }

    fn block(&mut self, function: &mut Function, block: Block, mut loads: Loads) {
        self.learn_condition(function, block);
        let data = &mut function.blocks[block.index()];
        data.insts.retain_mut(|inst| self.inst(inst, block, &mut loads));
        self.ends[block.index()] = loads;
        let terminator = &mut data.terminator;
        terminator.visit_mut(|value| *value = self.copies[value.index()]);
        if let Terminator::Branch { condition, then, otherwise } = terminator
            && let Some(holds) = self.condition(*condition, block)
        {
            let (to, args) = if holds { then } else { otherwise };
            *terminator = Terminator::Jump(*to, std::mem::take(args));
        }
    }

    /// What the branch that leads to a block says, if nothing else leads there.
    fn learn_condition(&mut self, function: &Function, block: Block) {
        let &[from] = self.cfg.preds(block) else { return };
        if let Terminator::Branch { condition, then, .. } = &function.blocks[from.index()].terminator {
            let holds = then.0 == block;
            self.conditions.entry(*condition).or_default().push((block, holds));
            if let Some(&opposite) = self.negated.get(condition) {
                self.conditions.entry(opposite).or_default().push((block, !holds));
            }
        }
    }

    fn condition(&self, value: Value, block: Block) -> Option<bool> {
        let behind = |&&(at, _): &&(Block, bool)| self.dominators.dominates(self.cfg, at, block);
        let known = |value: Value| Some(self.conditions.get(&value)?.iter().rev().find(behind)?.1);
        known(value).or_else(|| known(*self.negated.get(&value)?).map(|holds| !holds))
    }

    /// Gives whether an instruction stays.
    fn inst(&mut self, inst: &mut Inst, block: Block, loads: &mut Loads) -> bool {
        inst.op.visit_mut(|value| *value = self.copies[value.index()]);
        if let Some(operation) = pure(&inst.op) {
            return self.pure(operation, inst.result, block);
        }
        let place = match &inst.op {
            &Op::Load(record, field, object) => Place::Field(record, field, object),
            &Op::ArrayGet(elem, array, index) => Place::Element(elem, array, index),
            &Op::GlobalGet(global) => Place::Global(global),
            Op::Call(callee, arguments) if self.context.reads(*callee, 0).is_some() => {
                Place::Call(*callee, arguments.clone())
            }
            _ => {
                self.effect(inst, block, loads);
                return true;
            }
        };
        let result = inst.result.expect("a load gives a value");
        if let Some(&(_, known)) = loads.iter().find(|(at, _)| *at == place) {
            self.copies[result.index()] = known;
            return false;
        }
        remember(loads, place, result);
        true
    }

    fn pure(&mut self, operation: Pure, result: Option<Value>, block: Block) -> bool {
        let (cfg, dominators) = (self.cfg, self.dominators);
        if let (&Pure::Prim(Prim::BoolNot, opposite, _), Some(result)) = (&operation, result) {
            self.negated.insert(result, opposite);
        }
        let before = self.known.entry(operation).or_default();
        let known = before.iter().rev().find(|&&(at, _)| at == block || dominators.dominates(cfg, at, block));
        match (known, result) {
            (Some(&(_, value)), Some(result)) => self.copies[result.index()] = value,
            (Some(_), None) => {}
            (None, result) => {
                if before.len() == PLACES_MAX {
                    before.remove(0);
                }
                before.push((block, result.unwrap_or(Value(u32::MAX))));
                return true;
            }
        }
        false
    }

    /// What an instruction that is no load changes, and tells, of memory.
    fn effect(&mut self, inst: &Inst, block: Block, loads: &mut Loads) {
        let mut writes = Writes::default();
        writes.add(&inst.op, self.context);
        loads.retain(|(place, _)| !writes.may_change(place, self.context));
        match (&inst.op, inst.result) {
            (&Op::Store(record, field, object, value), _) => {
                remember(loads, Place::Field(record, field, object), value)
            }
            (&Op::ArraySet(elem, array, index, value), _) => remember(loads, Place::Element(elem, array, index), value),
            (&Op::GlobalSet(global, value), _) => remember(loads, Place::Global(global), value),
            (Op::New(record, fields), Some(object)) => {
                for (field, &value) in fields.iter().enumerate() {
                    remember(loads, Place::Field(*record, field as u32, object), value);
                }
            }
            (&Op::ArrayNew(_, len, _), Some(array)) => {
                self.known.entry(Pure::Len(array)).or_default().push((block, len));
            }
            _ => {}
        }
    }
}

/// The oldest goes when there are too many.
fn remember(loads: &mut Loads, place: Place, value: Value) {
    if loads.len() == LOADS_MAX {
        loads.remove(0);
    }
    loads.push((place, value));
}
