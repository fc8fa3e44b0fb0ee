//! Lowering and the evaluator on typed trees made by hand: what the IR looks like where that matters, and what it computes.

mod build;
mod random;
mod text;

use build::{Fun, declare, declare_error, set_variants};
use tenure_compiler::eval::{Evaluator, Options};
use tenure_compiler::hir::{ExprKind, FnId, Function, Intrinsic, Program, Ty, TyKind};
use tenure_compiler::ir::liveness::Liveness;
use tenure_compiler::ir::{self, FuncId, Op, Terminator};
use tenure_compiler::prim::Prim;
use tenure_compiler::source::Sources;
use tenure_runtime::native::{Native, NativeType, NativeValue, Registry};
use tenure_runtime::trap::{Trap, TrapKind};

fn sources() -> Sources {
    let mut sources = Sources::default();
    sources.add("test.ten", "x".repeat(200_000));
    sources
}

/// Lowers, verifies, and calls function `index`.
fn run_with(program: &Program, registry: &Registry, index: u32, args: &[u64]) -> Result<u64, Trap> {
    let lowered = ir::lower(program);
    let sources = sources();
    let mut evaluator = Evaluator::new(&lowered, registry, &sources, Options::default());
    evaluator.call(FuncId(index), args)
}

fn run(program: &Program, index: u32, args: &[u64]) -> Result<u64, Trap> {
    run_with(program, &Registry::default(), index, args)
}

fn single(function: Function) -> Program {
    Program { functions: vec![function], ..Program::default() }
}

fn check_ir(program: &Program, index: usize, expected: &str) {
    let text = ir::lower(program).functions[index].to_string();
    let strip = |s: &str| s.lines().map(str::trim).filter(|l| !l.is_empty()).collect::<Vec<_>>().join("\n");
    assert_eq!(strip(&text), strip(expected), "in full:\n{text}");
}

/// `fn fib(n) = if n < 2 { n } else { fib(n - 1) + fib(n - 2) }`
fn fib() -> Function {
    let mut f = Fun::new("fib");
    let n = f.param("n", Ty::INT);
    let (n1, two) = (f.get(n), f.int(2));
    let small = f.prim(Prim::IntLt, &[n1, two]);
    let then = f.get(n);
    let mut part = |by| {
        let (n, by) = (f.get(n), f.int(by));
        let less = f.prim(Prim::IntSub, &[n, by]);
        f.call(FnId(0), &[less], Ty::INT)
    };
    let (left, right) = (part(1), part(2));
    let sum = f.prim(Prim::IntAdd, &[left, right]);
    let body = f.cond(&[(small, then)], Some(sum), Ty::INT);
    f.finish(Ty::INT, body)
}

#[test]
fn recursion() {
    let program = single(fib());
    assert_eq!(run(&program, 0, &[20]), Ok(6765));
    check_ir(
        &program,
        0,
        r#""fib" (int) -> int {
        b0(v0: int):
          v1: int = int 2
          v2: byte = int_lt v0, v1
          branch v2, b1, b2
        b1:
          jump b3(v0)
        b2:
          v3: int = int 1
          v4: int = int_sub v0, v3
          v5: int = call fn0 v4
          v6: int = int 2
          v7: int = int_sub v0, v6
          v8: int = call fn0 v7
          v9: int = int_add v5, v8
          jump b3(v9)
        b3(v10: int):
          return v10
        }"#,
    );
}

/// Sums `0..n` except where `skip` says continue; `k` is read in the loop and never changes.
#[test]
fn loops_carry_only_what_changes() {
    let mut f = Fun::new("sum");
    let (n, k) = (f.param("n", Ty::INT), f.param("k", Ty::INT));
    let (i, sum) = (f.local("i", Ty::INT), f.local("sum", Ty::INT));
    let (zero, zero2) = (f.int(0), f.int(0));
    let (let_i, let_sum) = (f.bind(i, zero), f.bind(sum, zero2));
    let whole = f.while_loop(|f, id| {
        let (a, b) = (f.get(i), f.get(n));
        let condition = f.prim(Prim::IntLt, &[a, b]);
        let (a, three) = (f.get(i), f.int(3));
        let is_three = f.prim(Prim::IntEq, &[a, three]);
        let next = f.expr(ExprKind::Continue(id), Ty::NEVER);
        let skip = f.cond(&[(is_three, next)], None, Ty::UNIT);
        let (a, b) = (f.get(i), f.get(k));
        let product = f.prim(Prim::IntMul, &[a, b]);
        let add = f.increment(sum, product);
        let one = f.int(1);
        let step = f.increment(i, one);
        (Some(condition), f.block(&[skip, add], None), Some(step))
    });
    let result = f.get(sum);
    let body = f.block(&[let_i, let_sum, whole], Some(result));
    let program = single(f.finish(Ty::INT, body));
    assert_eq!(run(&program, 0, &[6, 10]), Ok(120));
    check_ir(
        &program,
        0,
        r#""sum" (int, int) -> int {
        b0(v0: int, v1: int):
          v2: int = int 0
          v3: int = int 0
          jump b1(v2, v3)
        b1(v4: int, v5: int):
          v6: byte = int_ge v4, v0
          branch v6, b6, b2
        b2:
          poll
          v7: int = int 3
          v8: byte = int_eq v4, v7
          branch v8, b3, b4
        b3:
          jump b5(v5)
        b4:
          v9: int = int_mul v4, v1
          v10: int = int_add v5, v9
          jump b5(v10)
        b5(v11: int):
          v12: int = int 1
          v13: int = int_add v4, v12
          jump b1(v13, v11)
        b6:
          return v5
        }"#,
    );
}

/// `(a or b) and not c`, as a value and as a condition, on all inputs.
#[test]
fn conditions() {
    for as_value in [true, false] {
        let mut f = Fun::new("f");
        let params = ["a", "b", "c"].map(|name| f.param(name, Ty::BOOL));
        let [a, b, c] = params.map(|p| f.get(p));
        let either = f.expr(ExprKind::Or(a, b), Ty::BOOL);
        let not = f.prim(Prim::BoolNot, &[c]);
        let both = f.expr(ExprKind::And(either, not), Ty::BOOL);
        let body = if as_value {
            both
        } else {
            let (yes, no) = (f.bool(true), f.bool(false));
            f.cond(&[(both, yes)], Some(no), Ty::BOOL)
        };
        let program = single(f.finish(Ty::BOOL, body));
        for bits in 0..8 {
            let [a, b, c] = [bits & 1, bits >> 1 & 1, bits >> 2];
            assert_eq!(run(&program, 0, &[a, b, c]), Ok((a | b) & (1 - c)), "{a} {b} {c}");
        }
        if !as_value {
            let lowered = ir::lower(&program);
            let insts = lowered.functions[0].blocks.iter().flat_map(|b| &b.insts);
            assert!(insts.into_iter().all(|inst| !matches!(inst.op, Op::Prim(..))), "{}", lowered.functions[0]);
        }
    }
}

#[test]
fn chains_of_any_length() {
    let mut f = Fun::new("f");
    let mut sum = f.int(0);
    for _ in 0..50_000 {
        let one = f.int(1);
        sum = f.prim(Prim::IntAdd, &[sum, one]);
    }
    let program = single(f.finish(Ty::INT, sum));
    assert_eq!(run(&program, 0, &[]), Ok(50_000));

    let mut f = Fun::new("f");
    let p = f.param("p", Ty::BOOL);
    let mut all = f.get(p);
    for _ in 0..50_000 {
        let more = f.get(p);
        all = f.expr(ExprKind::And(all, more), Ty::BOOL);
    }
    let (yes, no) = (f.int(1), f.int(2));
    let body = f.cond(&[(all, yes)], Some(no), Ty::INT);
    let program = single(f.finish(Ty::INT, body));
    assert_eq!(run(&program, 0, &[1]), Ok(1));
    assert_eq!(run(&program, 0, &[0]), Ok(2));
}

#[test]
fn long_functions_with_many_joins() {
    let mut f = Fun::new("f");
    let (p, q) = (f.param("p", Ty::BOOL), f.param("q", Ty::INT));
    let x = f.local("x", Ty::INT);
    let zero = f.int(0);
    let mut statements = vec![f.bind(x, zero)];
    for _ in 0..5_000 {
        let (condition, one) = (f.get(p), f.int(1));
        let add = f.increment(x, one);
        statements.push(f.cond(&[(condition, add)], None, Ty::UNIT));
    }
    let (x, q) = (f.get(x), f.get(q));
    let sum = f.prim(Prim::IntAdd, &[x, q]);
    let body = f.block(&statements, Some(sum));
    let program = single(f.finish(Ty::INT, body));
    assert_eq!(run(&program, 0, &[1, 7]), Ok(5_007));
    assert_eq!(run(&program, 0, &[0, 7]), Ok(7));
    let lowered = ir::lower(&program);
    let params: usize = lowered.functions[0].blocks[1..].iter().map(|b| b.params.len()).sum();
    assert_eq!(params, 5_000, "x alone has phis, one a join");
}

#[test]
fn what_never_comes_back_ends_the_block() {
    let mut f = Fun::new("f");
    let p = f.param("p", Ty::BOOL);
    let condition = f.get(p);
    let trap = f.trap(TrapKind::Assert);
    let (one, two) = (f.int(1), f.int(2));
    let sum = f.prim(Prim::IntAdd, &[trap, one]);
    let body = f.cond(&[(condition, sum)], Some(two), Ty::INT);
    let program = single(f.finish(Ty::INT, body));
    assert_eq!(run(&program, 0, &[0]), Ok(2));
    assert_eq!(run(&program, 0, &[1]).unwrap_err().kind, TrapKind::Assert);

    // loop { return 3 } 4
    let mut f = Fun::new("f");
    let three = f.int(3);
    let leave = f.expr(ExprKind::Return(three), Ty::NEVER);
    let whole = f.while_loop(|_, _| (None, leave, None));
    let four = f.int(4);
    let body = f.block(&[whole], Some(four));
    let program = single(f.finish(Ty::INT, body));
    assert_eq!(run(&program, 0, &[]), Ok(3));
    assert_eq!(ir::lower(&program).functions[0].blocks.len(), 2);
}

#[test]
fn break_continue_and_constant_conditions() {
    // var i = 0; while true { i += 1; if i == 5 { break } } i
    let mut f = Fun::new("f");
    let i = f.local("i", Ty::INT);
    let zero = f.int(0);
    let let_i = f.bind(i, zero);
    let whole = f.while_loop(|f, id| {
        let condition = f.bool(true);
        let one = f.int(1);
        let add = f.increment(i, one);
        let (a, five) = (f.get(i), f.int(5));
        let enough = f.prim(Prim::IntEq, &[a, five]);
        let leave = f.expr(ExprKind::Break(id), Ty::NEVER);
        let check = f.cond(&[(enough, leave)], None, Ty::UNIT);
        (Some(condition), f.block(&[add, check], None), None)
    });
    let result = f.get(i);
    let body = f.block(&[let_i, whole], Some(result));
    assert_eq!(run(&single(f.finish(Ty::INT, body)), 0, &[]), Ok(5));

    // while false { trap } 1
    let mut f = Fun::new("f");
    let whole = f.while_loop(|f, _| {
        let (never, trap) = (f.bool(false), f.trap(TrapKind::Panic));
        (Some(never), trap, None)
    });
    let one = f.int(1);
    let body = f.block(&[whole], Some(one));
    assert_eq!(run(&single(f.finish(Ty::INT, body)), 0, &[]), Ok(1));
}

#[test]
fn records_are_laid_out_references_first() {
    let mut program = Program::default();
    let fields = [("a", Ty::BYTE), ("b", Ty::STR), ("c", Ty::FLOAT), ("d", Ty::STR), ("e", Ty::BOOL), ("f", Ty::INT)];
    let ty = declare(&mut program, "Mixed", &[("Mixed", &fields)], false);
    let mut f = Fun::new("f");
    let object = f.local("object", ty);
    let values = [
        f.expr(ExprKind::Byte(200), Ty::BYTE),
        f.str("b"),
        f.expr(ExprKind::Float(1.5), Ty::FLOAT),
        f.str("dd"),
        f.bool(true),
        f.int(-7),
    ];
    let new = f.expr(ExprKind::Struct(values.to_vec()), ty);
    let let_object = f.bind(object, new);
    let (target, changed) = (f.get(object), f.int(35));
    let set = f.expr(ExprKind::SetField(target, 5, changed), Ty::UNIT);
    let mut field = |index, ty| {
        let object = f.get(object);
        f.expr(ExprKind::Field(object, index), ty)
    };
    let (d, last, a) = (field(3, Ty::STR), field(5, Ty::INT), field(0, Ty::BYTE));
    let len = f.intrinsic(Intrinsic::StrLen, &[d], Ty::INT);
    let sum = f.prim(Prim::IntAdd, &[len, last]);
    let wide = f.expr(ExprKind::Prim(Prim::ByteToInt, vec![a]), Ty::INT);
    let sum = f.prim(Prim::IntAdd, &[sum, wide]);
    let body = f.block(&[let_object, set], Some(sum));
    program.functions.push(f.finish(Ty::INT, body));
    assert_eq!(run(&program, 0, &[]), Ok(237));
    let lowered = ir::lower(&program).to_string();
    let record = "record r0 \"Mixed\" words 5 (byte@16, ref@8, float@24, ref@12, byte@17, int@32)";
    assert!(lowered.starts_with(record), "{lowered}");
}

#[test]
fn variants_have_consecutive_records() {
    let mut program = Program::default();
    let variants: [(&str, &[(&str, Ty)]); 3] =
        [("Circle", &[("r", Ty::INT)]), ("Empty", &[]), ("Rect", &[("w", Ty::INT), ("h", Ty::INT)])];
    let shape = declare(&mut program, "Shape", &variants, true);
    // fn area(s) = match s { Circle(r) => r; Rect(w, h) => w * h; Empty => tag }
    let mut f = Fun::new("area");
    let s = f.param("s", shape);
    let mut is = |variant| {
        let s = f.get(s);
        let tag = f.expr(ExprKind::Tag(s), Ty::INT);
        let variant = f.int(variant);
        f.prim(Prim::IntEq, &[tag, variant])
    };
    let (is_circle, is_rect, is_empty) = (is(0), is(2), is(1));
    let mut field = |variant, index| {
        let s = f.get(s);
        f.expr(ExprKind::VariantField(s, variant, index), Ty::INT)
    };
    let (r, w, h) = (field(0, 0), field(2, 0), field(2, 1));
    let product = f.prim(Prim::IntMul, &[w, h]);
    let s = f.get(s);
    let tag = f.expr(ExprKind::Tag(s), Ty::INT);
    // without an else: exhaustive by construction
    let body = f.cond(&[(is_circle, r), (is_rect, product), (is_empty, tag)], None, Ty::INT);
    program.functions.push(f.finish(Ty::INT, body));
    for (variant, fields, expected) in [(0, vec![9], 9), (1, vec![], 1), (2, vec![3, 4], 12)] {
        let mut f = Fun::new("make");
        let fields = fields.into_iter().map(|i| f.int(i)).collect();
        let value = f.expr(ExprKind::Variant(variant, fields), shape);
        let body = f.call(FnId(0), &[value], Ty::INT);
        program.functions.push(f.finish(Ty::INT, body));
        assert_eq!(run(&program, program.functions.len() as u32 - 1, &[]), Ok(expected));
    }
}

#[test]
fn optionals_box_what_has_no_room_for_nil() {
    let mut program = Program::default();
    let int = program.types.optional(Ty::INT);
    let nested = program.types.optional(int);
    let string = program.types.optional(Ty::STR);
    // nil, wrapped nil and wrapped wrapped 5 are three different values of (int?)?
    let mut f = Fun::new("depth");
    let x = f.param("x", nested);
    let y = f.local("y", int);
    let outer = f.get(x);
    let outer_nil = f.expr(ExprKind::IsNil(outer), Ty::BOOL);
    let minus_two = f.int(-2);
    let outer = f.get(x);
    let unwrapped = f.expr(ExprKind::Unwrap(outer), int);
    let bind = f.bind(y, unwrapped);
    let inner = f.get(y);
    let inner_nil = f.expr(ExprKind::IsNil(inner), Ty::BOOL);
    let second = f.block(&[bind], Some(inner_nil));
    let minus_one = f.int(-1);
    let inner = f.get(y);
    let value = f.expr(ExprKind::Unwrap(inner), Ty::INT);
    let body = f.cond(&[(outer_nil, minus_two), (second, minus_one)], Some(value), Ty::INT);
    program.functions.push(f.finish(Ty::INT, body));
    for (layers, expected) in [(0, -2), (1, -1), (2, 5)] {
        let mut f = Fun::new("make");
        let value = match layers {
            0 => f.expr(ExprKind::Nil, nested),
            1 => {
                let nil = f.expr(ExprKind::Nil, int);
                f.expr(ExprKind::Wrap(nil), nested)
            }
            _ => {
                let five = f.int(5);
                let once = f.expr(ExprKind::Wrap(five), int);
                f.expr(ExprKind::Wrap(once), nested)
            }
        };
        let body = f.call(FnId(0), &[value], Ty::INT);
        program.functions.push(f.finish(Ty::INT, body));
        let index = program.functions.len() as u32 - 1;
        assert_eq!(run(&program, index, &[]).map(|i| i as i64), Ok(expected));
    }
    // str? needs no box: wrapping and unwrapping cost nothing
    let mut f = Fun::new("plain");
    let text = f.str("abc");
    let wrapped = f.expr(ExprKind::Wrap(text), string);
    let unwrapped = f.expr(ExprKind::Unwrap(wrapped), Ty::STR);
    let body = f.intrinsic(Intrinsic::StrLen, &[unwrapped], Ty::INT);
    let program = Program { types: program.types, functions: vec![f.finish(Ty::INT, body)], ..Program::default() };
    check_ir(&program, 0, "\"plain\" () -> int {\nb0:\nv0: ref = str s0\nv1: int = array_len v0\nreturn v1\n}");
}

/// A closure over a cell, three strings (more than fit beside its code) and an int; both bodies see the cell's changes.
#[test]
fn closures_share_cells() {
    for strings in [1, 3] {
        let mut program = Program::default();
        let function = program.types.intern(TyKind::Fn(vec![Ty::INT], Ty::INT));
        // |x| { count += x; count + base + len(s0) + … }
        let mut g = Fun::new("closure in f");
        let x = g.param("x", Ty::INT);
        let count = g.cell("count", Ty::INT);
        let base = g.local("base", Ty::INT);
        let texts: Vec<_> = (0..strings).map(|i| g.local(&format!("s{i}"), Ty::STR)).collect();
        let mut captures = vec![count, base];
        captures.extend(&texts);
        g.function.captures = Some(captures);
        let value = g.get(x);
        let add = g.increment(count, value);
        let (a, b) = (g.get(count), g.get(base));
        let mut sum = g.prim(Prim::IntAdd, &[a, b]);
        for &text in &texts {
            let text = g.get(text);
            let len = g.intrinsic(Intrinsic::StrLen, &[text], Ty::INT);
            sum = g.prim(Prim::IntAdd, &[sum, len]);
        }
        let body = g.block(&[add], Some(sum));
        program.functions.push(g.finish(Ty::INT, body));
        // var count = 1; let c = closure; c(10) + c(100) * 1000 + count * 1_000_000
        let mut f = Fun::new("f");
        let count = f.cell("count", Ty::INT);
        let base = f.local("base", Ty::INT);
        let c = f.local("c", function);
        let (one, five) = (f.int(1), f.int(5));
        let mut statements = vec![f.bind(count, one), f.bind(base, five)];
        let mut captured = vec![count, base];
        for i in 0..strings {
            let s = f.local("s", Ty::STR);
            let text = f.str(&"x".repeat(i as usize + 1));
            statements.push(f.bind(s, text));
            captured.push(s);
        }
        let closure = f.expr(ExprKind::Closure(FnId(0), captured), function);
        statements.push(f.bind(c, closure));
        let mut call = |arg, scale| {
            let (c, arg) = (f.get(c), f.int(arg));
            let result = f.expr(ExprKind::CallValue(c, vec![arg]), Ty::INT);
            let scale = f.int(scale);
            f.prim(Prim::IntMul, &[result, scale])
        };
        let (first, second) = (call(10, 1), call(100, 1000));
        let (n, million) = (f.get(count), f.int(1_000_000));
        let third = f.prim(Prim::IntMul, &[n, million]);
        let sum = f.prim(Prim::IntAdd, &[first, second]);
        let sum = f.prim(Prim::IntAdd, &[sum, third]);
        let body = f.block(&statements, Some(sum));
        program.functions.push(f.finish(Ty::INT, body));
        let extra = 5 + if strings == 3 { 1 + 2 + 3 } else { 1 };
        assert_eq!(run(&program, 1, &[]), Ok(11 + extra + (111 + extra) * 1000 + 111_000_000));
        for record in ir::lower(&program).records.iter().filter(|r| r.name == "closure in f") {
            assert_eq!(record.fields[0].offset, ir::CLOSURE_CODE_OFFSET, "{record:?}");
            assert!(record.refs <= 2, "{record:?}");
        }
    }
}

#[test]
fn functions_as_values_get_an_adapter() {
    let mut program = Program::default();
    let ty = program.types.intern(TyKind::Fn(vec![Ty::INT], Ty::INT));
    program.functions.push(fib());
    let mut f = Fun::new("f");
    let (value, ten) = (f.expr(ExprKind::FnValue(FnId(0)), ty), f.int(10));
    let body = f.expr(ExprKind::CallValue(value, vec![ten]), Ty::INT);
    program.functions.push(f.finish(Ty::INT, body));
    assert_eq!(run(&program, 1, &[]), Ok(55));
    let lowered = ir::lower(&program);
    assert_eq!(lowered.functions.len(), 3);
    assert_eq!(lowered.functions[2].params, [ir::Type::Ref, ir::Type::Int]);
}

/// `try { work(p) + 1 } catch e { len(e.kind) }`, in a loop that its body may break.
fn try_program(body: impl FnOnce(&mut Fun) -> tenure_compiler::hir::ExprId) -> Program {
    let mut program = Program::default();
    let error = declare_error(&mut program);
    let mut f = Fun::new("f");
    let p = f.param("p", Ty::INT);
    let e = f.local("e", error);
    assert_eq!((p.0, e.0), (0, 1));
    let body = body(&mut f);
    let caught = f.get(e);
    let kind = f.expr(ExprKind::Field(caught, 1), Ty::STR);
    let handler = f.intrinsic(Intrinsic::StrLen, &[kind], Ty::INT);
    let guarded = f.expr(ExprKind::Try { body, error: e, handler }, Ty::INT);
    let thousand = f.int(1000);
    let sum = f.prim(Prim::IntAdd, &[thousand, guarded]);
    program.functions.push(f.finish(Ty::INT, sum));
    program
}

#[test]
fn traps_go_to_the_handler() {
    let program = try_program(|f| {
        let p = f.get(tenure_compiler::hir::LocalId(0));
        let hundred = f.int(100);
        f.prim(Prim::IntDiv, &[hundred, p])
    });
    assert_eq!(run(&program, 0, &[5]), Ok(1020));
    assert_eq!(run(&program, 0, &[0]), Ok(1000 + "divide_by_zero".len() as u64));
    let lowered = ir::lower(&program);
    assert!(lowered.functions[0].blocks.iter().any(|b| matches!(b.terminator, Terminator::Try { .. })));
}

#[test]
fn traps_in_callees_go_to_the_handler_and_others_leave() {
    let mut program = try_program(|f| {
        let p = f.get(tenure_compiler::hir::LocalId(0));
        f.call(FnId(1), &[p], Ty::INT)
    });
    // fn deep(n) = if n < 0 { trap } else if n == 0 { 7 } else { deep(n - 1) }
    let mut g = Fun::new("deep");
    let n = g.param("n", Ty::INT);
    let (a, zero) = (g.get(n), g.int(0));
    let negative = g.prim(Prim::IntLt, &[a, zero]);
    let trap = g.trap(TrapKind::Unwrap);
    let (b, zero) = (g.get(n), g.int(0));
    let done = g.prim(Prim::IntEq, &[b, zero]);
    let seven = g.int(7);
    let (c, one) = (g.get(n), g.int(1));
    let less = g.prim(Prim::IntSub, &[c, one]);
    let again = g.call(FnId(1), &[less], Ty::INT);
    let body = g.cond(&[(negative, trap), (done, seven)], Some(again), Ty::INT);
    program.functions.push(g.finish(Ty::INT, body));
    assert_eq!(run(&program, 0, &[3]), Ok(1007));
    assert_eq!(run(&program, 0, &[-1_i64 as u64]), Ok(1000 + "unwrap".len() as u64));
    assert_eq!(run(&program, 0, &[1 << 40]), Ok(1000 + "stack_overflow".len() as u64));
    let trap = run(&program, 1, &[1 << 40]).unwrap_err();
    assert_eq!(trap.kind, TrapKind::StackOverflow);
    // the call that did not fit is on the trace too, as it is in compiled code
    assert_eq!(trap.trace.len() + trap.frames_omitted, 100_001);
    assert!(trap.trace.iter().all(|frame| frame.function == "deep" && frame.file == "test.ten"));
}

#[test]
fn thrown_errors_are_caught_as_they_are() {
    let mut program = Program::default();
    let error = declare_error(&mut program);
    let optional = program.types.optional(error);
    let throw = |f: &mut Fun| {
        let (message, kind, trace) = (f.str("boom"), f.str("mine"), f.str(""));
        let nil = f.expr(ExprKind::Nil, optional);
        let object = f.expr(ExprKind::Struct(vec![message, kind, nil, trace]), error);
        f.intrinsic(Intrinsic::Throw, &[object], Ty::NEVER)
    };
    let mut f = Fun::new("f");
    let body = throw(&mut f);
    program.functions.push(f.finish(Ty::INT, body));
    let mut g = Fun::new("g");
    let e = g.local("e", error);
    let body = throw(&mut g);
    let caught = g.get(e);
    let message = g.expr(ExprKind::Field(caught, 0), Ty::STR);
    let handler = g.intrinsic(Intrinsic::StrLen, &[message], Ty::INT);
    let body = g.expr(ExprKind::Try { body, error: e, handler }, Ty::INT);
    program.functions.push(g.finish(Ty::INT, body));
    let trap = run(&program, 0, &[]).unwrap_err();
    assert_eq!((trap.kind, trap.kind_name.as_str(), trap.message.as_str()), (TrapKind::Error, "mine", "boom"));
    assert_eq!(trap.trace.len(), 1);
    assert_eq!(run(&program, 1, &[]), Ok(4));
}

/// Leaving a try body by break, continue and return; and a try in a try whose handler traps.
#[test]
fn jumps_leave_try_bodies() {
    let mut program = Program::default();
    let error = declare_error(&mut program);
    let mut f = Fun::new("f");
    let p = f.param("p", Ty::INT);
    let (e, n) = (f.local("e", error), f.cell("n", Ty::INT));
    let zero = f.int(0);
    let bind = f.bind(n, zero);
    let whole = f.while_loop(|f, id| {
        let one = f.int(1);
        let add = f.increment(n, one);
        let mut when = |limit, what: ExprKind| {
            let (a, b) = (f.get(n), f.int(limit));
            let same = f.prim(Prim::IntEq, &[a, b]);
            let jump = f.expr(what, Ty::NEVER);
            f.cond(&[(same, jump)], None, Ty::UNIT)
        };
        let go_on = when(1, ExprKind::Continue(id));
        let leave = when(4, ExprKind::Break(id));
        let (a, b) = (f.get(n), f.get(p));
        let same = f.prim(Prim::IntEq, &[a, b]);
        let minus = f.int(-5);
        let back = f.expr(ExprKind::Return(minus), Ty::NEVER);
        let back = f.cond(&[(same, back)], None, Ty::UNIT);
        let trap = f.trap(TrapKind::Shift);
        let body = f.block(&[go_on, leave, back], Some(trap));
        let handler = f.unit();
        let guarded = f.expr(ExprKind::Try { body, error: e, handler }, Ty::UNIT);
        (None, f.block(&[add, guarded], None), None)
    });
    let result = f.get(n);
    let body = f.block(&[bind, whole], Some(result));
    program.functions.push(f.finish(Ty::INT, body));
    assert_eq!(run(&program, 0, &[9]), Ok(4));
    assert_eq!(run(&program, 0, &[3]).map(|i| i as i64), Ok(-5));

    let mut f = Fun::new("g");
    let (e, d) = (f.local("e", error), f.local("d", error));
    let body = f.trap(TrapKind::Shift);
    let handler = f.trap(TrapKind::Io);
    let inner = f.expr(ExprKind::Try { body, error: e, handler }, Ty::INT);
    let caught = f.get(d);
    let kind = f.expr(ExprKind::Field(caught, 1), Ty::STR);
    let handler = f.intrinsic(Intrinsic::StrLen, &[kind], Ty::INT);
    let outer = f.expr(ExprKind::Try { body: inner, error: d, handler }, Ty::INT);
    program.functions.push(f.finish(Ty::INT, outer));
    assert_eq!(run(&program, 1, &[]), Ok("io".len() as u64));
}

#[test]
fn globals_trap_until_set() {
    let mut program = Program::default();
    program.globals.push(tenure_compiler::hir::Global {
        name: tenure_compiler::syntax::symbol::Symbol::new("limit"),
        ty: Ty::INT,
        span: build::span(0),
    });
    let mut get = Fun::new("get");
    let body = get.expr(ExprKind::Global(tenure_compiler::hir::GlobalId(0)), Ty::INT);
    program.functions.push(get.finish(Ty::INT, body));
    let mut set = Fun::new("set");
    let value = set.int(42);
    let body = set.expr(ExprKind::SetGlobal(tenure_compiler::hir::GlobalId(0), value), Ty::UNIT);
    program.functions.push(set.finish(Ty::UNIT, body));
    let lowered = ir::lower(&program);
    let (sources, registry) = (sources(), Registry::default());
    let mut evaluator = Evaluator::new(&lowered, &registry, &sources, Options::default());
    assert_eq!(evaluator.call(FuncId(0), &[]).unwrap_err().kind, TrapKind::Unset);
    assert_eq!(evaluator.call(FuncId(1), &[]), Ok(0));
    assert_eq!(evaluator.call(FuncId(0), &[]), Ok(42));
}

#[test]
fn arrays_and_strings() {
    let mut program = Program::default();
    let array = program.types.intern(TyKind::Array(Ty::STR));
    // let a = array_new(n, "ab"); a[1] = "c"; join(a, 3, "-")
    let mut f = Fun::new("f");
    let n = f.param("n", Ty::INT);
    let a = f.local("a", array);
    let (len, fill) = (f.get(n), f.str("ab"));
    let new = f.intrinsic(Intrinsic::ArrayNew, &[len, fill], array);
    let bind = f.bind(a, new);
    let (target, index, text) = (f.get(a), f.int(1), f.str("c"));
    let set = f.intrinsic(Intrinsic::ArraySet, &[target, index, text], Ty::UNIT);
    let (items, count, separator) = (f.get(a), f.int(3), f.str("-"));
    let joined = f.intrinsic(Intrinsic::StrJoin, &[items, count, separator], Ty::STR);
    let body = f.block(&[bind, set], Some(joined));
    program.functions.push(f.finish(Ty::STR, body));
    let lowered = ir::lower(&program);
    let (sources, registry) = (sources(), Registry::default());
    let mut evaluator = Evaluator::new(&lowered, &registry, &sources, Options::default());
    let joined = evaluator.call(FuncId(0), &[3]).expect("runs");
    assert_eq!(evaluator.str(joined), "ab-c-ab");
    let trap = evaluator.call(FuncId(0), &[1]).unwrap_err();
    assert_eq!((trap.kind, trap.message.as_str()), (TrapKind::Index, "index 1 out of bounds for length 1"));
    assert_eq!(evaluator.call(FuncId(0), &[2]).unwrap_err().kind, TrapKind::Index, "there are no three to join");
    assert_eq!(evaluator.call(FuncId(0), &[-3_i64 as u64]).unwrap_err().kind, TrapKind::Index);
    assert_eq!(evaluator.call(FuncId(0), &[1 << 40]).unwrap_err().kind, TrapKind::OutOfMemory);
}

#[test]
fn natives_run_and_their_panics_are_traps() {
    let mut registry = Registry::default();
    let native = |name: &str, function: fn(i64) -> i64| Native {
        name: name.into(),
        params: vec![NativeType::Int],
        result: NativeType::Int,
        function: std::sync::Arc::new(move |context| Ok(NativeValue::Int(function(context.int(0))))),
    };
    let double = registry.add(native("double", |i| i * 2));
    let panics = registry.add(native("panics", |_| panic!("a bug of a host's")));
    for (id, expected) in [(double, Ok(42)), (panics, Err("native function `panics` panicked"))] {
        let mut f = Fun::new("f");
        let value = f.int(21);
        let body = f.expr(ExprKind::CallNative(id, vec![value]), Ty::INT);
        let result = run_with(&single(f.finish(Ty::INT, body)), &registry, 0, &[]);
        assert_eq!(result.map_err(|trap| trap.message), expected.map_err(String::from));
    }
}

#[test]
fn endless_loops_run_out_of_steps() {
    let mut program = Program::default();
    let error = declare_error(&mut program);
    let mut f = Fun::new("f");
    let e = f.local("e", error);
    let whole = f.while_loop(|f, _| (None, f.unit(), None));
    let handler = f.unit();
    let body = f.expr(ExprKind::Try { body: whole, error: e, handler }, Ty::UNIT);
    program.functions.push(f.finish(Ty::UNIT, body));
    let lowered = ir::lower(&program);
    let (sources, registry) = (sources(), Registry::default());
    let options = Options { steps_max: 1000, ..Options::default() };
    let trap = Evaluator::new(&lowered, &registry, &sources, options).call(FuncId(0), &[]).unwrap_err();
    assert_eq!(trap.kind_name, "fuel", "which no handler catches");
}

/// What is live across calls, in loops and in try bodies.
#[test]
fn liveness_tells_what_calls_must_keep() {
    let mut program = Program::default();
    let error = declare_error(&mut program);
    let node = declare(&mut program, "Node", &[("Node", &[])], false);
    set_variants(&mut program, node, "Node", &[("Node", &[("next", node)])]);
    // fn f(a, b) { try { g(a); g(a); 1 } catch e { g(b); 2 } }
    let mut f = Fun::new("f");
    let (a, b, e) = (f.param("a", node), f.param("b", node), f.local("e", error));
    let first = f.get(a);
    let first = f.call(FnId(1), &[first], Ty::UNIT);
    let second = f.get(a);
    let second = f.call(FnId(1), &[second], Ty::UNIT);
    let one = f.int(1);
    let body = f.block(&[first, second], Some(one));
    let third = f.get(b);
    let third = f.call(FnId(1), &[third], Ty::UNIT);
    let two = f.int(2);
    let handler = f.block(&[third], Some(two));
    let body = f.expr(ExprKind::Try { body, error: e, handler }, Ty::INT);
    program.functions.push(f.finish(Ty::INT, body));
    let mut g = Fun::new("g");
    g.param("n", node);
    let body = g.unit();
    program.functions.push(g.finish(Ty::UNIT, body));
    let lowered = ir::lower(&program);
    let function = &lowered.functions[0];
    let live = Liveness::new(function);
    let mut calls = Vec::new();
    for i in 0..function.blocks.len() {
        let block = ir::Block(i as u32);
        live.across(function, block, |at, across| {
            if matches!(function.blocks[i].insts[at].op, Op::Call(..)) {
                calls.push(across.iter().map(|v| v.0).collect::<Vec<_>>());
            }
        });
    }
    // v0 is a, v1 is b; blocks in order, instructions from the last: second call, first call, the handler's
    assert_eq!(calls, [vec![1], vec![0, 1], vec![]], "{function}");
}
