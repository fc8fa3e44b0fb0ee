//! Computes what is constant: operations on constants, tests of what is known to be nil or of a certain variant, branches
//! on them, calls of known closures. Copies and block parameters that always get the same value go; blocks that only follow each other become one.
//!
//! A trapping operation is folded only if it does not trap.

use super::Context;
use super::graph::{merge_lines, remove_unreachable};
use crate::ir::cfg::Cfg;
use crate::ir::{Block, FuncId, Function, Inst, Op, RecordId, Terminator, Value, Values};
use crate::prim::Prim;
use smallvec::SmallVec;

/// The pass.
pub(super) fn run(function: &mut Function, _context: &Context<'_>) {
    let count = |function: &Function| function.blocks.iter().map(|block| block.params.len()).sum::<usize>();
    // parameters around loops within loops give way one after the other
    for _ in 0..ROUNDS_MAX {
        let params = count(function);
        fold(function);
        if count(function) == params {
            return;
        }
    }
}

/// How often the function is walked.
const ROUNDS_MAX: usize = 3;

fn fold(function: &mut Function) {
    let mut folding = Folding {
        facts: vec![Fact::Unknown; function.values.len()],
        copies: (0..function.values.len() as u32).map(Value).collect(),
    };
    let cfg = Cfg::new(function);
    for &block in cfg.reverse_postorder() {
        folding.params(function, &cfg, block);
        folding.block(function, block);
    }
    // arguments of jumps backwards are known only now
    for block in &mut function.blocks {
        for inst in &mut block.insts {
            inst.op.visit_mut(|value| *value = folding.resolve(*value));
        }
        block.terminator.visit_mut(|value| *value = folding.resolve(*value));
    }
    remove_unused_params(function, &folding);
    remove_unreachable(function);
    merge_lines(function);
}

/// What is known of a value.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Fact {
    Unknown,
    Int(i64),
    Float(f64),
    Byte(u8),
    Nil,
    /// A reference that is not nil, perhaps to a record of this layout.
    Object(Option<RecordId>),
    /// The index of a function's code.
    Code(FuncId),
    /// A closure of that function.
    Closure(FuncId),
    /// The opposite of a bool.
    Not(Value),
}

struct Folding {
    facts: Vec<Fact>,
    copies: Vec<Value>,
}

/// What an operation turned out to be.
enum Outcome {
    Same,
    Copy(Value),
    /// A constant, or the same done in a simpler way.
    Simpler(Op),
    /// A check that always succeeds.
    Nothing,
}

impl Folding {
    fn resolve(&self, mut value: Value) -> Value {
        while self.copies[value.index()] != value {
            value = self.copies[value.index()];
        }
        value
    }

    fn fact(&self, value: Value) -> Fact {
        self.facts[value.index()]
    }

    /// Parameters to which every edge passes the same value.
    fn params(&mut self, function: &Function, cfg: &Cfg, block: Block) {
        let params = &function.blocks[block.index()].params;
        if block == Block(0) || params.is_empty() {
            return;
        }
        let mut same: SmallVec<[Option<Value>; 4]> = SmallVec::from_elem(None, params.len());
        let mut differ: SmallVec<[bool; 4]> = SmallVec::from_elem(false, params.len());
        let mut seen: SmallVec<[Block; 4]> = SmallVec::new();
        for &pred in cfg.preds(block) {
            if seen.contains(&pred) {
                continue;
            }
            seen.push(pred);
            function.blocks[pred.index()].terminator.edges(|to, args| {
                if to != block {
                    return;
                }
                for (k, &arg) in args.iter().enumerate() {
                    let arg = self.resolve(arg);
                    if arg != params[k] && *same[k].get_or_insert(arg) != arg {
                        differ[k] = true;
                    }
                }
            });
        }
        for (k, &param) in params.iter().enumerate() {
            if let Some(value) = same[k].filter(|_| !differ[k]) {
                self.copies[param.index()] = value;
            }
        }
    }

    fn block(&mut self, function: &mut Function, block: Block) {
        let data = &mut function.blocks[block.index()];
        data.insts.retain_mut(|inst| self.inst(inst));
        let terminator = &mut data.terminator;
        terminator.visit_mut(|value| *value = self.resolve(*value));
        if let Terminator::Branch { condition, then, otherwise } = terminator {
            let taken = match self.fact(*condition) {
                Fact::Byte(0) => Some(otherwise),
                Fact::Byte(_) => Some(then),
                _ => (then == otherwise).then_some(then),
            };
            if let Some((to, args)) = taken {
                *terminator = Terminator::Jump(*to, std::mem::take(args));
            }
        }
    }

    /// Folds an instruction; gives whether it stays.
    fn inst(&mut self, inst: &mut Inst) -> bool {
        inst.op.visit_mut(|value| *value = self.resolve(*value));
        let outcome = self.operation(&inst.op);
        match (outcome, inst.result) {
            (Outcome::Nothing, _) => return false,
            (Outcome::Copy(value), Some(result)) => {
                self.copies[result.index()] = value;
                return false;
            }
            (Outcome::Simpler(op), _) => inst.op = op,
            _ => {}
        }
        if let Some(result) = inst.result {
            self.facts[result.index()] = self.fact_of(&inst.op);
        }
        true
    }

    /// What the operation itself tells of its result.
    fn fact_of(&self, op: &Op) -> Fact {
        match op {
            &Op::Int(value) => Fact::Int(value),
            &Op::Float(value) => Fact::Float(value),
            &Op::Byte(value) => Fact::Byte(value),
            Op::Nil => Fact::Nil,
            &Op::Code(function) => Fact::Code(function),
            &Op::FnObject(function) => Fact::Closure(function),
            Op::New(record, fields) => match fields.first().map(|&first| self.fact(first)) {
                Some(Fact::Code(function)) => Fact::Closure(function),
                _ => Fact::Object(Some(*record)),
            },
            &Op::Singleton(record) => Fact::Object(Some(record)),
            Op::Str(_) | Op::ArrayNew(..) | Op::ArrayLiteral(..) => Fact::Object(None),
            Op::Prim(Prim::BoolNot, operands) => Fact::Not(operands[0]),
            _ => Fact::Unknown,
        }
    }

    fn operation(&self, op: &Op) -> Outcome {
        match op {
            Op::Prim(prim, operands) => self.prim(*prim, operands),
            &Op::IsNil(a) => match self.fact(a) {
                Fact::Nil => Outcome::Simpler(Op::Byte(1)),
                Fact::Object(_) | Fact::Closure(_) => Outcome::Simpler(Op::Byte(0)),
                _ => Outcome::Same,
            },
            &Op::Tag(base, a) => match self.fact(a) {
                Fact::Object(Some(record)) => Outcome::Simpler(Op::Int(i64::from(record.0) - i64::from(base.0))),
                _ => Outcome::Same,
            },
            Op::CallValue(operands) => match self.fact(operands[0]) {
                Fact::Closure(function) => Outcome::Simpler(Op::Call(function, operands.clone())),
                _ => Outcome::Same,
            },
            &Op::BoundsCheck(index, len) => match (self.fact(index), self.fact(len)) {
                (Fact::Int(index), Fact::Int(len)) if (0..len).contains(&index) => Outcome::Nothing,
                _ => Outcome::Same,
            },
            _ => Outcome::Same,
        }
    }

    fn prim(&self, prim: Prim, operands: &Values) -> Outcome {
        let facts = (self.fact(operands[0]), operands.get(1).map_or(Fact::Unknown, |&b| self.fact(b)));
        let (first, same) = (operands[0], operands.get(1) == Some(&operands[0]));
        match (prim, facts) {
            (Prim::BoolNot, (Fact::Byte(b), _)) => Outcome::Simpler(Op::Byte(b ^ 1)),
            (Prim::BoolNot, (Fact::Not(a), _)) => Outcome::Copy(a),
            (Prim::IntToFloat, (Fact::Int(a), _)) => Outcome::Simpler(Op::Float(a as f64)),
            (Prim::ByteToInt, (Fact::Byte(a), _)) => Outcome::Simpler(Op::Int(i64::from(a))),
            (Prim::IntToByte, (Fact::Int(a), _)) => match u8::try_from(a) {
                Ok(byte) => Outcome::Simpler(Op::Byte(byte)),
                Err(_) => Outcome::Same,
            },
            // the same float, rounded the same, and no constant to be had
            (Prim::FloatMul, (Fact::Float(2.0), _)) => twice(operands[1]),
            (Prim::FloatMul, (_, Fact::Float(2.0))) => twice(operands[0]),
            (Prim::IntNeg, (Fact::Int(a), _)) => {
                a.checked_neg().map_or(Outcome::Same, |a| Outcome::Simpler(Op::Int(a)))
            }
            (_, (Fact::Int(a), Fact::Int(b))) => match ints(prim, a, b) {
                Some(op) => Outcome::Simpler(op),
                None => Outcome::Same,
            },
            (Prim::BoolEq | Prim::ByteEq, (Fact::Byte(a), Fact::Byte(b))) => bool_constant(a == b),
            (Prim::BoolNe | Prim::ByteNe, (Fact::Byte(a), Fact::Byte(b))) => bool_constant(a != b),
            (Prim::BoolEq, (_, Fact::Byte(1))) | (Prim::BoolNe, (_, Fact::Byte(0))) => Outcome::Copy(first),
            (Prim::RefEq, (Fact::Nil, Fact::Nil)) => bool_constant(true),
            (Prim::RefEq, (Fact::Nil, Fact::Object(_)) | (Fact::Object(_), Fact::Nil)) => bool_constant(false),
            (Prim::IntAdd | Prim::IntAddWrap, (Fact::Int(0), _)) => Outcome::Copy(operands[1]),
            (Prim::IntMul | Prim::IntMulWrap, (Fact::Int(1), _)) => Outcome::Copy(operands[1]),
            (
                Prim::IntAdd
                | Prim::IntAddWrap
                | Prim::IntSub
                | Prim::IntSubWrap
                | Prim::IntShl
                | Prim::IntShr
                | Prim::IntShrLogical
                | Prim::IntOr
                | Prim::IntXor,
                (_, Fact::Int(0)),
            )
            | (Prim::IntMul | Prim::IntMulWrap | Prim::IntDiv, (_, Fact::Int(1))) => Outcome::Copy(first),
            (Prim::IntEq | Prim::IntLe | Prim::IntGe | Prim::RefEq, _) if same => bool_constant(true),
            (Prim::IntNe | Prim::IntLt | Prim::IntGt, _) if same => bool_constant(false),
            _ => Outcome::Same,
        }
    }
}

fn twice(value: Value) -> Outcome {
    Outcome::Simpler(Op::Prim(Prim::FloatAdd, Values::from_slice(&[value, value])))
}

fn bool_constant(value: bool) -> Outcome {
    Outcome::Simpler(Op::Byte(u8::from(value)))
}

/// An operation on two constants, unless it traps.
fn ints(prim: Prim, a: i64, b: i64) -> Option<Op> {
    use Prim::*;
    let count = u32::try_from(b).ok().filter(|&count| count < 64);
    let bool = |value: bool| Some(Op::Byte(u8::from(value)));
    Some(Op::Int(match prim {
        IntAdd => a.checked_add(b)?,
        IntSub => a.checked_sub(b)?,
        IntMul => a.checked_mul(b)?,
        IntDiv => a.checked_div(b)?,
        IntRem => a.checked_rem(b)?,
        IntAddWrap => a.wrapping_add(b),
        IntSubWrap => a.wrapping_sub(b),
        IntMulWrap => a.wrapping_mul(b),
        IntAnd => a & b,
        IntOr => a | b,
        IntXor => a ^ b,
        IntShl => a << count?,
        IntShr => a >> count?,
        IntShrLogical => (a as u64 >> count?) as i64,
        IntEq => return bool(a == b),
        IntNe => return bool(a != b),
        IntLt => return bool(a < b),
        IntLe => return bool(a <= b),
        IntGt => return bool(a > b),
        IntGe => return bool(a >= b),
        _ => return None,
    }))
}

/// Takes out the parameters that are copies, and the arguments for them.
fn remove_unused_params(function: &mut Function, folding: &Folding) {
    let is_copy = |value: Value| folding.copies[value.index()] != value;
    let lists: Vec<SmallVec<[bool; 4]>> =
        function.blocks.iter().map(|block| block.params.iter().map(|&p| !is_copy(p)).collect()).collect();
    super::graph::retain_params(function, &lists);
}
