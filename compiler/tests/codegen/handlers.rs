//! Traps on their way to handlers.

use super::{agree, program, vm};
use tenure_runtime::native::Registry;
use tenure_runtime::trap::TrapKind;

/// Traps in many ways inside a `try` with references, ints and floats live into the handler.
const MANY: &str = r#"
record r0 "Box" words 2 (int@8)
record r1 "Error" words 3 (ref@8, ref@12, ref@16, ref@20)
literal s0 "made here"
literal s1 "mine"
literal s2 ""
error r1
fn0 "main" (int, int) -> int {
b0(v0: int, v1: int):
  v2: ref = new r0 v0
  v3: float = float 2.5
  v4: int = int 1000
  try b1, b8
b1 handler b8:
  v5: ref = new r0 v1
  v6: int = int_div v4, v1
  v7: int = call fn1 v0, v1
  v8: ref = new r0 v7
  v9: int = load r0.0 v5
  v10: int = load r0.0 v8
  v11: int = int_add v9, v10
  bounds_check v6, v4
  v12: int = int 5
  v13: byte = int_eq v0, v12
  branch v13, b2, b3
b2 handler b8:
  trap unwrap
b3 handler b8:
  v14: int = int 6
  v15: byte = int_eq v0, v14
  branch v15, b4, b5
b4 handler b8:
  v16: ref = str s0
  v17: ref = str s1
  v18: ref = str s2
  v19: ref = nil
  v20: ref = new r1 v16, v17, v19, v18
  call_runtime throw v20
  unreachable
b5 handler b8:
  v21: int = load r0.0 v2
  v22: int = int_add v11, v21
  jump b6(v22)
b6(v23: int):
  v24: int = load r0.0 v2
  v25: int = int_add v23, v24
  jump b7(v25)
b7(v26: int):
  return v26
b8:
  v27: ref = call_runtime catch
  v28: ref = new r0 v1
  v29: ref = load r1.1 v27
  v30: ref = load r1.0 v27
  v31: int = array_len v29
  v32: int = array_len v30
  v33: int = int_mul v31, v4
  v34: int = int_add v33, v32
  v35: int = load r0.0 v2
  v36: int = int_add v34, v35
  v37: int = float_to_int v3
  v38: int = int_add v36, v37
  jump b7(v38)
}
fn1 "deep" (int, int) -> int {
b0(v0: int, v1: int):
  v2: int = int 0
  v3: byte = int_eq v0, v2
  branch v3, b1, b2
b1:
  v4: ref = new r0 v1
  v5: int = int 7
  v6: int = int_sub v1, v5
  v7: int = int_div v1, v6
  v8: int = load r0.0 v4
  v9: int = int_add v7, v8
  return v9
b2:
  v10: int = int 1
  v11: int = int_sub v0, v10
  v12: ref = new r0 v11
  v13: int = call fn1 v11, v1
  v14: int = load r0.0 v12
  v15: int = int_add v13, v14
  return v15
}
"#;

#[test]
fn handlers_see_what_was_live() {
    // no trap; division here; division in a callee; index; unwrap; thrown object
    let seen = agree(MANY, &[&[3, 8], &[3, 0], &[3, 7], &[3, 1], &[5, 8], &[6, 8]]);
    assert!(seen.iter().all(|seen| seen.is_ok()), "{seen:?}");
    assert_eq!(seen[5], Ok(4 * 1000 + 9 + 6 + 2));
}

#[test]
fn handlers_nest_and_rethrow() {
    let text = r#"
record r0 "Box" words 2 (int@8)
record r1 "Error" words 3 (ref@8, ref@12, ref@16, ref@20)
error r1
fn0 "main" (int) -> int {
b0(v0: int):
  v1: ref = new r0 v0
  try b1, b6
b1 handler b6:
  v2: ref = new r0 v0
  try b2, b4
b2 handler b4:
  v3: ref = new r0 v0
  v4: int = int 0
  v5: int = int_div v0, v4
  jump b3
b3 handler b6:
  return v0
b4 handler b6:
  v6: ref = call_runtime catch
  v7: ref = new r0 v0
  v8: int = load r0.0 v2
  v9: int = int 10
  v10: byte = int_lt v8, v9
  branch v10, b5, b3
b5 handler b6:
  call_runtime throw v6
  unreachable
b6:
  v11: ref = call_runtime catch
  v12: ref = load r1.1 v11
  v13: int = array_len v12
  v14: int = load r0.0 v1
  v15: int = int_add v13, v14
  return v15
}
"#;
    let seen = agree(text, &[&[3], &[30]]);
    assert_eq!(seen, [Ok(14 + 3), Ok(30)]);
}

/// Recursion to the end of the stack or heap inside a `try`, many times.
#[test]
fn exhaustion_is_caught() {
    let text = r#"
record r0 "Link" words 3 (ref@8, int@16)
record r1 "Error" words 3 (ref@8, ref@12, ref@16, ref@20)
error r1
fn0 "main" (int, int) -> int {
b0(v0: int, v1: int):
  v2: int = int 0
  v3: int = int 1
  jump b1(v2, v2)
b1(v4: int, v5: int):
  v6: byte = int_ge v4, v0
  branch v6, b7, b2
b2:
  v7: ref = nil
  v8: ref = new r0 v7, v4
  try b3, b5
b3 handler b5:
  v9: byte = int_eq v1, v2
  branch v9, b4, b6
b4 handler b5:
  v10: int = call fn1 v8
  jump b8(v10)
b5:
  v11: ref = call_runtime catch
  v12: ref = load r1.1 v11
  v13: int = array_len v12
  v14: int = load r0.1 v8
  v15: int = int_add v13, v14
  jump b8(v15)
b6 handler b5:
  v16: int = call fn2 v8
  jump b8(v16)
b7:
  return v5
b8(v17: int):
  v18: int = int_add v5, v17
  v19: int = int_add v4, v3
  jump b1(v19, v18)
}
fn1 "recurse" (ref) -> int {
b0(v0: ref):
  v1: int = int 1
  v2: ref = new r0 v0, v1
  v3: int = call fn1 v0
  v4: int = load r0.1 v2
  v5: int = int_add_wrap v3, v4
  return v5
}
fn2 "fill" (ref) -> int {
b0(v0: ref):
  v1: int = int 1
  jump b1(v0)
b1(v2: ref):
  v3: ref = new r0 v2, v1
  jump b1(v3)
}
"#;
    let program = program(text);
    let mut vm = vm(&program, &Registry::default(), "");
    let digits = (0..5).sum::<u64>();
    assert_eq!(vm.call_words(0, &[5, 0]), Ok(5 * "stack_overflow".len() as u64 + digits));
    assert_eq!(vm.call_words(0, &[5, 1]), Ok(5 * "out_of_memory".len() as u64 + digits));
}

#[test]
fn an_uncaught_error_object_keeps_its_kind() {
    let text = r#"
record r0 "Error" words 3 (ref@8, ref@12, ref@16, ref@20)
literal s0 "no such thing"
literal s1 "lookup"
literal s2 ""
error r0
fn0 "main" () -> int {
b0:
  v0: ref = str s0
  v1: ref = str s1
  v2: ref = str s2
  v3: ref = nil
  v4: ref = new r0 v0, v1, v3, v2
  call_runtime throw v4
  unreachable
}
"#;
    let program = program(text);
    let mut vm = vm(&program, &Registry::default(), "young:1,verify");
    let trap = vm.call_words(0, &[]).expect_err("thrown");
    assert_eq!(
        (trap.kind, trap.kind_name.as_str(), trap.message.as_str()),
        (TrapKind::Error, "lookup", "no such thing")
    );
    assert_eq!(trap.trace.len(), 1);
}
