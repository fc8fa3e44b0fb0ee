//! Arithmetic, calls, control flow, their traps.

use super::{agree, gives, program, vm};
use tenure_compiler::prim::Prim;
use tenure_runtime::native::Registry;
use tenure_runtime::trap::TrapKind;

const FIB: &str = r#"
fn0 "fib" (int) -> int {
b0(v0: int):
  v1: int = int 2
  v2: byte = int_lt v0, v1
  branch v2, b1, b2
b1:
  return v0
b2:
  v3: int = int 1
  v4: int = int_sub v0, v3
  v5: int = call fn0 v4
  v6: int = int 2
  v7: int = int_sub v0, v6
  v8: int = call fn0 v7
  v9: int = int_add v5, v8
  return v9
}
"#;

#[test]
fn calls_itself() {
    gives(FIB, &[20], 6765);
}

/// Every primitive operation on awkward operands.
#[test]
fn primitives() {
    let ints = [0, 1, -1, 2, 3, 63, 64, 255, 256, -5, i64::MAX, i64::MIN, 1 << 40].map(|i: i64| i as u64);
    let floats = [0.0, -0.0, 1.0, -1.5, 2.5, 0.5, 1e300, -1e300, 9.3e18, -9.3e18, f64::INFINITY, f64::NAN, 255.5]
        .map(f64::to_bits);
    let bytes = [0, 1, 2, 7, 16, 127, 128, 200, 255_u64];
    for &prim in Prim::ALL {
        let (params, result) = prim.signature();
        let name = format!("{prim:?}");
        let mut snake = String::new();
        for (i, c) in name.chars().enumerate() {
            if c.is_uppercase() && i > 0 {
                snake.push('_');
            }
            snake.extend(c.to_lowercase());
        }
        let list: Vec<String> = params.iter().map(|ty| ty.to_string()).collect();
        let typed: Vec<String> = params.iter().enumerate().map(|(i, ty)| format!("v{i}: {ty}")).collect();
        let used: Vec<String> = (0..params.len()).map(|i| format!("v{i}")).collect();
        // Bools are bytes of 0 and 1.
        let bools = name.starts_with("Bool");
        let text = format!(
            "fn0 \"f\" ({}) -> {result} {{\nb0({}):\n  v9: {result} = {snake} {}\n  return v9\n}}\n",
            list.join(", "),
            typed.join(", "),
            used.join(", ")
        )
        .replace("v9", &format!("v{}", params.len()));
        let domain = |ty: &str| -> Vec<u64> {
            match ty {
                "int" => ints.to_vec(),
                "float" => floats.to_vec(),
                "byte" if bools => vec![0, 1],
                "byte" => bytes.to_vec(),
                _ => vec![0],
            }
        };
        let first = domain(&list[0]);
        let pairs: Vec<Vec<u64>> = match list.get(1) {
            Some(second) => first.iter().flat_map(|&a| domain(second).into_iter().map(move |b| vec![a, b])).collect(),
            None => first.iter().map(|&a| vec![a]).collect(),
        };
        let program = program(&text);
        let (sources, natives) = (super::sources(), Registry::default());
        let mut vm = vm(&program, &natives, "");
        for pair in pairs {
            let mut evaluator = super::Evaluator::new(&program, &natives, &sources, super::Options::default());
            let mut expected = super::seen(evaluator.call(super::FuncId(0), &pair));
            let mut actual = super::seen(vm.call_words(0, &pair));
            if result.to_string() == "float" {
                // The bits of a NaN are nobody's promise.
                let canonical = |word: u64| if f64::from_bits(word).is_nan() { f64::NAN.to_bits() } else { word };
                (actual, expected) = (actual.map(canonical), expected.map(canonical));
            }
            assert_eq!(actual, expected, "{prim:?} of {pair:x?}");
        }
    }
}

#[test]
fn many_arguments_go_by_the_stack() {
    let text = r#"
fn0 "f" (int, float, int, int, float, int, int, int, int) -> int {
b0(v0: int, v1: float, v2: int, v3: int, v4: float, v5: int, v6: int, v7: int, v8: int):
  v9: int = call fn1 v8, v7, v6, v5, v4, v3, v2, v1, v0
  v10: int = int 10
  v11: int = int_mul v9, v10
  v12: int = int_add v11, v8
  return v12
}
fn1 "g" (int, int, int, int, float, int, int, float, int) -> int {
b0(v0: int, v1: int, v2: int, v3: int, v4: float, v5: int, v6: int, v7: float, v8: int):
  v9: int = float_to_int v4
  v10: int = float_to_int v7
  v11: int = int 7
  v12: int = int_mul v9, v11
  v13: int = int_add v12, v10
  v14: int = int_mul v13, v11
  v15: int = int_add v14, v0
  v16: int = int_mul v15, v11
  v17: int = int_add v16, v8
  v18: int = int_mul v17, v11
  v19: int = int_add v18, v6
  return v19
}
"#;
    let arguments = [1, 2.0_f64.to_bits(), 3, 4, 5.0_f64.to_bits(), 6, 7, 8, 9];
    assert!(agree(text, &[&arguments])[0].is_ok());
}

#[test]
fn endless_recursion_traps_with_a_trace() {
    let text = r#"
fn0 "main" (int) -> int {
b0(v0: int):
  v1: int = call fn1 v0
  return v1
}
fn1 "even" (int) -> int {
b0(v0: int):
  v1: int = int 1
  v2: int = int_add_wrap v0, v1
  v3: int = call fn2 v2
  v4: int = int_add_wrap v3, v1
  return v4
}
fn2 "odd" (int) -> int {
b0(v0: int):
  v1: int = int 1
  v2: int = int_add_wrap v0, v1
  v3: int = call fn1 v2
  v4: int = int_sub_wrap v3, v1
  return v4
}
"#;
    let program = program(text);
    let mut vm = vm(&program, &Registry::default(), "");
    for _ in 0..3 {
        let trap = vm.call_words(0, &[0]).expect_err("endless recursion ends");
        assert_eq!(trap.kind, TrapKind::StackOverflow);
        assert!(trap.frames_omitted > 1000, "{} frames", trap.frames_omitted);
        // Both halves are in order: callers alternate, and the last is the first that was called.
        let names: Vec<&str> = trap.trace.iter().map(|frame| frame.function.as_str()).collect();
        assert_eq!((names.len(), names[63], names[62]), (64, "main", "even"));
        for half in [&names[..32], &names[32..63]] {
            assert!(half.windows(2).all(|pair| pair[0] != pair[1]), "{half:?}");
        }
    }
}

#[test]
fn index_traps_tell_index_and_length() {
    let text = r#"
fn0 "f" (int, int) -> int {
b0(v0: int, v1: int):
  bounds_check v0, v1
  return v0
}
"#;
    let seen = agree(text, &[&[2, 3], &[3, 3], &[-1_i64 as u64, 3]]);
    assert_eq!(seen[1].as_ref().expect_err("out of bounds").1, "index 3 out of bounds for length 3");
}

#[test]
fn loops_and_branches() {
    // gcd, then the sum of a countdown from it
    let text = r#"
fn0 "f" (int, int) -> int {
b0(v0: int, v1: int):
  v2: int = int 0
  v3: int = int 1
  jump b1(v0, v1)
b1(v4: int, v5: int):
  v6: byte = int_eq v5, v2
  branch v6, b3, b2
b2:
  v7: int = int_rem v4, v5
  jump b1(v5, v7)
b3:
  jump b4(v4, v2)
b4(v8: int, v9: int):
  v10: byte = int_gt v8, v2
  v11: byte = bool_not v10
  branch v11, b6, b5
b5:
  v12: int = int_add v9, v8
  v13: int = int_sub v8, v3
  jump b4(v13, v12)
b6:
  return v9
}
"#;
    gives(text, &[48, 18], 21);
}

#[test]
fn globals_trap_until_set() {
    let text = r#"
global g0 "x" float
global g1 "y" byte
fn0 "f" (int) -> float {
b0(v0: int):
  v1: int = int 0
  v2: byte = int_eq v0, v1
  branch v2, b1, b2
b1:
  v3: float = global_get g0
  return v3
b2:
  v4: float = float 2.5
  global_set g0 v4
  v5: byte = byte 7
  global_set g1 v5
  v6: float = global_get g0
  return v6
}
"#;
    let program = program(text);
    let mut vm = vm(&program, &Registry::default(), "");
    assert_eq!(vm.call_words(0, &[0]).expect_err("not set").kind, TrapKind::Unset);
    assert_eq!(vm.call_words(0, &[1]), Ok(2.5_f64.to_bits()));
    assert_eq!(vm.call_words(0, &[0]), Ok(2.5_f64.to_bits()));
}

#[test]
fn two_machines_share_code_and_nothing_else() {
    let text = r#"
global g0 "x" int
fn0 "f" (int) -> int {
b0(v0: int):
  v1: int = int 0
  v2: byte = int_eq v0, v1
  branch v2, b1, b2
b1:
  v3: int = global_get g0
  return v3
b2:
  global_set g0 v0
  return v0
}
"#;
    let program = program(text);
    let code = super::Code::new(program, super::sources(), Registry::default(), super::CodeSettings::default())
        .expect("addresses");
    let mut vms = [1, 2].map(|_| super::Vm::new(code.clone(), super::VmConfig::with_limit(4 << 20)).expect("a heap"));
    assert_eq!(vms[0].call_words(0, &[5]), Ok(5));
    assert_eq!(vms[1].call_words(0, &[0]).expect_err("not set").kind, TrapKind::Unset);
    let [mut first, second] = vms;
    drop(second);
    let moved = std::thread::spawn(move || first.call_words(0, &[0])).join().expect("no panic");
    assert_eq!(moved, Ok(5));
}
