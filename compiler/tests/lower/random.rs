//! Random structured programs: what the lowered IR computes must be what a direct walk over the program computes. This is
//! the test of SSA construction: variables that change in branches, loops, after `break` and `continue`, and in `try`.

use crate::build::{Fun, declare_error};
use crate::sources;
use std::sync::Arc;
use tenure_compiler::codegen::{Code, CodeSettings};
use tenure_compiler::eval::{Evaluator, Options};
use tenure_compiler::hir::{ExprId, ExprKind, LocalId, LoopId, Program, Ty};
use tenure_compiler::ir::{self, FuncId};
use tenure_compiler::prim::Prim;
use tenure_runtime::code::CodeSource;
use tenure_runtime::native::Registry;
use tenure_runtime::trap::TrapKind;
use tenure_runtime::vm::{Vm, VmConfig};

/// Variables: the first are plain locals, the others live in cells, because `try` bodies assign them (H4).
const PLAIN: usize = 3;
const VARIABLES: usize = 5;

#[derive(Debug, Clone)]
enum Value {
    Const(i64),
    Variable(usize),
    Binary(Prim, Box<[Value; 2]>),
    If(Box<Condition>, Box<[Value; 2]>),
}

#[derive(Debug, Clone)]
enum Condition {
    Const(bool),
    Compare(Prim, [Value; 2]),
    Not(Box<Condition>),
    And(Box<[Condition; 2]>),
    Or(Box<[Condition; 2]>),
}

#[derive(Debug, Clone)]
enum Statement {
    Assign(usize, Value),
    If(Vec<(Condition, Vec<Statement>)>, Vec<Statement>),
    /// Runs at most so often; counts in a local of its own.
    While {
        limit: i64,
        condition: Option<Condition>,
        body: Vec<Statement>,
        step: Option<(usize, Value)>,
    },
    Break,
    Continue,
    Return(Value),
    Try(Vec<Statement>, Vec<Statement>),
}

/// A small generator of pseudo-random numbers (xorshift*, Vigna 2016).
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % n
    }

    fn value(&mut self, depth: usize) -> Value {
        match self.below(if depth == 0 { 2 } else { 6 }) {
            0 => Value::Const(self.below(7) as i64 - 3),
            1 => Value::Variable(self.below(VARIABLES)),
            2 => {
                Value::If(Box::new(self.condition(depth - 1)), Box::new([self.value(depth - 1), self.value(depth - 1)]))
            }
            _ => {
                let prims = [Prim::IntAddWrap, Prim::IntSubWrap, Prim::IntMulWrap, Prim::IntDiv, Prim::IntXor];
                let prim = prims[self.below(prims.len())];
                Value::Binary(prim, Box::new([self.value(depth - 1), self.value(depth - 1)]))
            }
        }
    }

    fn condition(&mut self, depth: usize) -> Condition {
        match self.below(if depth == 0 { 4 } else { 8 }) {
            0 => Condition::Const(self.below(2) == 0),
            1..4 => {
                let prims = [Prim::IntLt, Prim::IntEq, Prim::IntGe, Prim::IntNe];
                let prim = prims[self.below(prims.len())];
                Condition::Compare(prim, [self.value(depth / 2), self.value(depth / 2)])
            }
            4 => Condition::Not(Box::new(self.condition(depth - 1))),
            5 | 6 => Condition::And(Box::new([self.condition(depth - 1), self.condition(depth - 1)])),
            _ => Condition::Or(Box::new([self.condition(depth - 1), self.condition(depth - 1)])),
        }
    }

    fn block(&mut self, depth: usize, in_loop: bool, in_try: bool) -> Vec<Statement> {
        (0..self.below(4)).map(|_| self.statement(depth, in_loop, in_try)).collect()
    }

    fn statement(&mut self, depth: usize, in_loop: bool, in_try: bool) -> Statement {
        let kind = self.below(if depth == 0 { 7 } else { 16 });
        match kind {
            5 if in_loop => Statement::Break,
            6 if in_loop => Statement::Continue,
            7..10 => {
                let arms = (0..1 + self.below(3))
                    .map(|_| (self.condition(2), self.block(depth - 1, in_loop, in_try)))
                    .collect();
                Statement::If(arms, self.block(depth - 1, in_loop, in_try))
            }
            10..13 => Statement::While {
                limit: self.below(5) as i64,
                condition: (self.below(3) > 0).then(|| self.condition(2)),
                body: self.block(depth - 1, true, in_try),
                step: (self.below(2) == 0).then(|| (self.target(in_try), self.value(1))),
            },
            13 | 14 => Statement::Try(self.block(depth - 1, in_loop, true), self.block(depth - 1, in_loop, in_try)),
            15 if self.below(3) == 0 => Statement::Return(self.value(2)),
            _ => Statement::Assign(self.target(in_try), self.value(2)),
        }
    }

    fn target(&mut self, in_try: bool) -> usize {
        if in_try { PLAIN + self.below(VARIABLES - PLAIN) } else { self.below(VARIABLES) }
    }
}

/// How a statement ends, in the direct walk.
enum Flow {
    Next,
    Break,
    Continue,
    Return(i64),
    Trap(TrapKind),
}

type Variables = [i64; VARIABLES];

fn value(v: &Value, vars: &Variables) -> Result<i64, TrapKind> {
    Ok(match v {
        Value::Const(i) => *i,
        Value::Variable(i) => vars[*i],
        Value::If(c, values) => value(&values[usize::from(!condition(c, vars)?)], vars)?,
        Value::Binary(prim, operands) => {
            let (a, b) = (value(&operands[0], vars)?, value(&operands[1], vars)?);
            match prim {
                Prim::IntAddWrap => a.wrapping_add(b),
                Prim::IntSubWrap => a.wrapping_sub(b),
                Prim::IntMulWrap => a.wrapping_mul(b),
                Prim::IntXor => a ^ b,
                _ if b == 0 => return Err(TrapKind::DivideByZero),
                _ => a.checked_div(b).ok_or(TrapKind::Overflow)?,
            }
        }
    })
}

fn condition(c: &Condition, vars: &Variables) -> Result<bool, TrapKind> {
    Ok(match c {
        Condition::Const(b) => *b,
        Condition::Not(c) => !condition(c, vars)?,
        Condition::And(both) => condition(&both[0], vars)? && condition(&both[1], vars)?,
        Condition::Or(both) => condition(&both[0], vars)? || condition(&both[1], vars)?,
        Condition::Compare(prim, [a, b]) => {
            let (a, b) = (value(a, vars)?, value(b, vars)?);
            match prim {
                Prim::IntLt => a < b,
                Prim::IntEq => a == b,
                Prim::IntGe => a >= b,
                _ => a != b,
            }
        }
    })
}

fn block(statements: &[Statement], vars: &mut Variables) -> Flow {
    for s in statements {
        match statement(s, vars).unwrap_or_else(Flow::Trap) {
            Flow::Next => {}
            other => return other,
        }
    }
    Flow::Next
}

fn statement(s: &Statement, vars: &mut Variables) -> Result<Flow, TrapKind> {
    match s {
        Statement::Assign(target, v) => vars[*target] = value(v, vars)?,
        Statement::If(arms, otherwise) => {
            for (c, body) in arms {
                if condition(c, vars)? {
                    return Ok(block(body, vars));
                }
            }
            return Ok(block(otherwise, vars));
        }
        Statement::While { limit, condition: c, body, step } => {
            for _ in 0..*limit {
                if let Some(c) = c
                    && !condition(c, vars)?
                {
                    break;
                }
                match block(body, vars) {
                    Flow::Next | Flow::Continue => {}
                    Flow::Break => break,
                    other => return Ok(other),
                }
                if let Some((target, v)) = step {
                    vars[*target] = value(v, vars)?;
                }
            }
        }
        Statement::Break => return Ok(Flow::Break),
        Statement::Continue => return Ok(Flow::Continue),
        Statement::Return(v) => return Ok(Flow::Return(value(v, vars)?)),
        Statement::Try(body, handler) => match block(body, vars) {
            Flow::Trap(_) => return Ok(block(handler, vars)),
            other => return Ok(other),
        },
    }
    Ok(Flow::Next)
}

/// The same program as a typed tree.
struct Typed {
    f: Fun,
    vars: Vec<LocalId>,
    error: Ty,
    loops: Vec<LoopId>,
}

impl Typed {
    fn value(&mut self, v: &Value) -> ExprId {
        match v {
            Value::Const(i) => self.f.int(*i),
            Value::Variable(i) => self.f.get(self.vars[*i]),
            Value::Binary(prim, operands) => {
                let operands = [self.value(&operands[0]), self.value(&operands[1])];
                self.f.prim(*prim, &operands)
            }
            Value::If(c, values) => {
                let (c, yes, no) = (self.condition(c), self.value(&values[0]), self.value(&values[1]));
                self.f.cond(&[(c, yes)], Some(no), Ty::INT)
            }
        }
    }

    fn condition(&mut self, c: &Condition) -> ExprId {
        match c {
            Condition::Const(b) => self.f.bool(*b),
            Condition::Not(c) => {
                let c = self.condition(c);
                self.f.prim(Prim::BoolNot, &[c])
            }
            Condition::And(both) => {
                let (a, b) = (self.condition(&both[0]), self.condition(&both[1]));
                self.f.expr(ExprKind::And(a, b), Ty::BOOL)
            }
            Condition::Or(both) => {
                let (a, b) = (self.condition(&both[0]), self.condition(&both[1]));
                self.f.expr(ExprKind::Or(a, b), Ty::BOOL)
            }
            Condition::Compare(prim, [a, b]) => {
                let operands = [self.value(a), self.value(b)];
                self.f.prim(*prim, &operands)
            }
        }
    }

    fn block(&mut self, statements: &[Statement]) -> ExprId {
        let statements: Vec<ExprId> = statements.iter().map(|s| self.statement(s)).collect();
        self.f.block(&statements, None)
    }

    fn statement(&mut self, s: &Statement) -> ExprId {
        match s {
            Statement::Assign(target, v) => {
                let v = self.value(v);
                self.f.set(self.vars[*target], v)
            }
            Statement::If(arms, otherwise) => {
                let arms: Vec<_> = arms.iter().map(|(c, body)| (self.condition(c), self.block(body))).collect();
                let otherwise = (!otherwise.is_empty()).then(|| self.block(otherwise));
                self.f.cond(&arms, otherwise, Ty::UNIT)
            }
            Statement::While { limit, condition, body, step } => self.bounded(*limit, condition, body, step),
            Statement::Break => {
                let id = *self.loops.last().expect("in a loop");
                self.f.expr(ExprKind::Break(id), Ty::NEVER)
            }
            Statement::Continue => {
                let id = *self.loops.last().expect("in a loop");
                self.f.expr(ExprKind::Continue(id), Ty::NEVER)
            }
            Statement::Return(v) => {
                let v = self.value(v);
                self.f.expr(ExprKind::Return(v), Ty::NEVER)
            }
            Statement::Try(body, handler) => {
                let e = self.f.local("e", self.error);
                let (body, handler) = (self.block(body), self.block(handler));
                self.f.expr(ExprKind::Try { body, error: e, handler }, Ty::UNIT)
            }
        }
    }

    /// `var n = 0; while n < limit and condition { n += 1; body } step`
    fn bounded(
        &mut self,
        limit: i64,
        condition: &Option<Condition>,
        body: &[Statement],
        step: &Option<(usize, Value)>,
    ) -> ExprId {
        // in a cell: the loop may stand in a `try` body, and then it is assigned there
        let n = self.f.cell("n", Ty::INT);
        let zero = self.f.int(0);
        let bind = self.f.bind(n, zero);
        let id = self.f.loop_id();
        let (a, limit) = (self.f.get(n), self.f.int(limit));
        let mut test = self.f.prim(Prim::IntLt, &[a, limit]);
        if let Some(c) = condition {
            let c = self.condition(c);
            test = self.f.expr(ExprKind::And(test, c), Ty::BOOL);
        }
        let one = self.f.int(1);
        let count = self.f.increment(n, one);
        self.loops.push(id);
        let body = self.block(body);
        self.loops.pop();
        let body = self.f.block(&[count, body], None);
        let step = step.as_ref().map(|(target, v)| {
            let v = self.value(v);
            self.f.set(self.vars[*target], v)
        });
        let whole = self.f.expr(ExprKind::Loop { id, condition: Some(test), body, step }, Ty::UNIT);
        self.f.block(&[bind, whole], None)
    }
}

/// All variables folded into one number, at the end of the program.
fn digest(vars: &Variables) -> i64 {
    vars.iter().fold(0_i64, |sum, &v| sum.wrapping_mul(31).wrapping_add(v))
}

fn typed(statements: &[Statement]) -> Program {
    let mut program = Program::default();
    let error = declare_error(&mut program);
    let mut f = Fun::new("f");
    let vars: Vec<LocalId> =
        (0..VARIABLES).map(|i| if i < PLAIN { f.local("plain", Ty::INT) } else { f.cell("cell", Ty::INT) }).collect();
    let mut typed = Typed { f, vars, error, loops: Vec::new() };
    let mut all = Vec::new();
    for i in 0..VARIABLES {
        let start = typed.f.int(i as i64);
        all.push(typed.f.bind(typed.vars[i], start));
    }
    all.push(typed.block(statements));
    let mut sum = typed.f.int(0);
    for i in 0..VARIABLES {
        let factor = typed.f.int(31);
        let scaled = typed.f.prim(Prim::IntMulWrap, &[sum, factor]);
        let v = typed.f.get(typed.vars[i]);
        sum = typed.f.prim(Prim::IntAddWrap, &[scaled, v]);
    }
    let body = typed.f.block(&all, Some(sum));
    program.functions.push(typed.f.finish(Ty::INT, body));
    program
}

/// What a program gives, by the direct walk.
fn expected(statements: &[Statement]) -> Result<i64, TrapKind> {
    let mut vars: Variables = std::array::from_fn(|i| i as i64);
    match block(statements, &mut vars) {
        Flow::Trap(kind) => Err(kind),
        Flow::Return(v) => Ok(v),
        _ => Ok(digest(&vars)),
    }
}

fn program(random: &mut Random) -> Vec<Statement> {
    (0..6).map(|_| random.statement(3, false, false)).collect()
}

#[test]
fn lowered_programs_compute_what_they_say() {
    let mut random = Random(0x1234_5678_9abc_def1);
    let (sources, registry) = (sources(), Registry::default());
    let (mut traps, mut returns) = (0, 0);
    for _ in 0..500 {
        let statements = program(&mut random);
        let expected = expected(&statements);
        match expected {
            Ok(_) => returns += 1,
            Err(_) => traps += 1,
        }
        let lowered = ir::lower(&typed(&statements));
        ir::verify::verify(&lowered).expect("is valid");
        assert_eq!(ir::parse(&lowered.to_string()).expect("reads back").to_string(), lowered.to_string());
        let options = Options { steps_max: 1_000_000, ..Options::default() };
        let actual = Evaluator::new(&lowered, &registry, &sources, options).call(FuncId(0), &[]);
        let actual = actual.map(|v| v as i64).map_err(|trap| trap.kind);
        assert_eq!(actual, expected, "{statements:#?}\n{lowered}");
    }
    assert!(traps > 50 && returns > 200, "the programs are varied: {traps} traps, {returns} results");
}

/// The same programs as machine code, their cells moved by a collection at each allocation.
#[test]
fn compiled_programs_compute_what_they_say() {
    let mut random = Random(0xfeed_5678_9abc_def1);
    for _ in 0..150 {
        let statements = program(&mut random);
        let lowered = Arc::new(ir::lower(&typed(&statements)));
        let code = Code::new(Arc::clone(&lowered), Arc::new(sources()), Registry::default(), CodeSettings::default())
            .expect("room for code");
        for zeal in ["", "young:1,verify"] {
            let mut config = VmConfig::with_limit(16 << 20);
            config.heap.zeal = zeal.parse().expect("a zeal mode");
            let mut vm = Vm::new(Arc::clone(&code) as Arc<dyn CodeSource>, config).expect("a heap");
            let actual = vm.call_words(0, &[]).map(|v| v as i64).map_err(|trap| trap.kind);
            assert_eq!(actual, expected(&statements), "zeal {zeal:?}\n{statements:#?}\n{lowered}");
        }
    }
}
