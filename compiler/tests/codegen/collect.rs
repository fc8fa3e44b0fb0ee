//! References across everything that may collect.

use super::{Arc, agree_with, gives, program, vm};
use tenure_runtime::native::{Native, NativeType, NativeValue, Registry};
use tenure_runtime::trap::TrapKind;

/// Builds a tree of the given depth, then sums it: both children live across calls, one across the other's making.
const TREES: &str = r#"
record r0 "Node" words 3 (ref@8, ref@12, int@16)
fn0 "main" (int) -> int {
b0(v0: int):
  v1: ref = call fn1 v0
  v2: int = int 1
  v3: int = int_sub v0, v2
  v4: ref = call fn1 v3
  v5: int = call fn2 v1
  v6: int = call fn2 v4
  v7: int = int_sub v5, v6
  return v7
}
fn1 "make" (int) -> ref {
b0(v0: int):
  v1: int = int 0
  v2: byte = int_eq v0, v1
  branch v2, b1, b2
b1:
  v3: ref = nil
  v4: ref = new r0 v3, v3, v0
  return v4
b2:
  v5: int = int 1
  v6: int = int_sub v0, v5
  v7: ref = call fn1 v6
  v8: ref = call fn1 v6
  v9: ref = new r0 v7, v8, v0
  return v9
}
fn2 "sum" (ref) -> int {
b0(v0: ref):
  v1: byte = is_nil v0
  branch v1, b1, b2
b1:
  v2: int = int 0
  return v2
b2:
  v3: ref = load r0.0 v0
  v4: int = call fn2 v3
  v5: ref = load r0.1 v0
  v6: int = call fn2 v5
  v7: int = load r0.2 v0
  v8: int = int_add v4, v6
  v9: int = int_add v8, v7
  return v9
}
"#;

#[test]
fn trees_survive() {
    // 2^(d+1) - d - 2 for depth d
    gives(TREES, &[7], (256 - 9) - (128 - 8));
}

#[test]
fn large_trees_under_the_default_mode() {
    let program = program(TREES);
    let mut vm = vm(&program, &Registry::default(), "");
    for _ in 0..20 {
        assert_eq!(vm.call_words(0, &[15]), Ok((1 << 16) - 17 - ((1 << 15) - 16)));
    }
    assert!(vm.heap().stats().pauses() > 0, "{:?}", vm.heap().stats());
}

#[test]
fn old_objects_get_young_ones() {
    // One old list head, pushed onto in a loop: each store needs the barrier.
    let text = r#"
record r0 "Cell" words 2 (ref@8)
record r1 "Link" words 3 (ref@8, int@16)
fn0 "main" (int) -> int {
b0(v0: int):
  v1: ref = nil
  v2: ref = new r0 v1
  v3: int = int 0
  v4: int = int 1
  jump b1(v3)
b1(v5: int):
  v6: byte = int_ge v5, v0
  branch v6, b3, b2
b2:
  v7: ref = load r0.0 v2
  v8: ref = new r1 v7, v5
  store r0.0 v2, v8
  v9: int = int_add v5, v4
  jump b1(v9)
b3:
  v10: ref = load r0.0 v2
  jump b4(v10, v3)
b4(v11: ref, v12: int):
  v13: byte = is_nil v11
  branch v13, b6, b5
b5:
  v14: int = load r1.1 v11
  v15: int = int_add v12, v14
  v16: ref = load r1.0 v11
  jump b4(v16, v15)
b6:
  return v12
}
"#;
    gives(text, &[300], 300 * 299 / 2);
}

/// An array of references, filled with new boxes back to front and summed; large ones are logged by chunks.
const ARRAY: &str = r#"
record r0 "Box" words 2 (int@8)
fn0 "main" (int, int) -> int {
b0(v0: int, v1: int):
  v2: ref = nil
  v3: ref = array_new ref v0, v2
  v4: int = int 1
  v5: int = int 0
  jump b1(v5)
b1(v6: int):
  v7: byte = int_ge v6, v1
  branch v7, b3, b2
b2:
  v8: int = array_len v3
  v9: int = int_mul v6, v6
  v10: int = int_rem v9, v8
  bounds_check v10, v8
  v11: ref = new r0 v6
  array_set ref v3, v10, v11
  v12: int = int_add v6, v4
  jump b1(v12)
b3:
  jump b4(v5, v5)
b4(v13: int, v14: int):
  v15: byte = int_ge v13, v0
  branch v15, b8, b5
b5:
  v16: ref = array_get ref v3, v13
  v17: int = int_add v13, v4
  v18: byte = is_nil v16
  branch v18, b6, b7
b6:
  jump b4(v17, v14)
b7:
  v19: int = load r0.0 v16
  v20: int = int_add v14, v19
  jump b4(v17, v20)
b8:
  return v14
}
"#;

#[test]
fn arrays_of_references() {
    let seen = super::agree(ARRAY, &[&[10, 50], &[1000, 300], &[0, 0]]);
    assert!(seen.iter().all(|seen| seen.is_ok()));
}

#[test]
fn large_arrays_keep_what_was_stored_last() {
    let program = program(ARRAY);
    for zeal in ["", "young:1", "young:64K,verify"] {
        let mut vm = vm(&program, &Registry::default(), zeal);
        let len = 100_003_u64;
        let count = if zeal == "young:1" { 300 } else { 60_000 };
        let mut last = vec![0; len as usize];
        (0..count).for_each(|i: u64| last[(i * i % len) as usize] = i);
        assert_eq!(vm.call_words(0, &[len, count]), Ok(last.iter().sum::<u64>()), "zeal {zeal:?}");
    }
}

#[test]
fn literals_of_all_kinds() {
    let text = r#"
record r0 "Box" words 2 (int@8)
fn0 "main" (int) -> int {
b0(v0: int):
  v1: ref = new r0 v0
  v2: ref = new r0 v0
  v3: ref = array_literal ref v1, v2, v1
  v4: ref = array_literal int v0, v0
  v5: byte = byte 9
  v6: ref = array_literal byte v5, v5, v5
  v7: float = int_to_float v0
  v8: ref = array_literal float v7
  v9: ref = array_literal ref
  v10: int = int 2
  v11: ref = array_get ref v3, v10
  v12: byte = ref_eq v11, v1
  v13: byte = array_get byte v6, v10
  v14: byte = byte_add v12, v13
  v15: int = byte_to_int v14
  v16: int = array_len v9
  v17: int = int_add v15, v16
  v18: float = array_get float v8, v16
  v19: int = float_to_int v18
  v20: int = int_add v17, v19
  v21: int = load r0.0 v11
  v22: int = int_add v20, v21
  v23: int = array_len v4
  v24: int = int_add v22, v23
  return v24
}
"#;
    gives(text, &[5], 1 + 9 + 5 + 5 + 2);
}

#[test]
fn strings() {
    let text = r#"
literal s0 "grüße, "
literal s1 "world"
fn0 "main" (int) -> int {
b0(v0: int):
  v1: ref = str s0
  v2: ref = str s1
  v3: ref = call_runtime str_concat v1, v2, v1
  v4: int = array_len v1
  v5: int = array_len v3
  v6: ref = call_runtime str_slice v3, v4, v5
  v7: ref = call_runtime str_slice v3, v0, v5
  v8: ref = array_literal ref v6, v7, v2
  v9: int = array_len v8
  v10: ref = call_runtime str_join v8, v9, v2
  v11: int = array_len v10
  v12: int = array_len v2
  v13: ref = call_runtime str_slice v6, v4, v4
  v14: ref = call_runtime str_concat v13, v2
  v15: byte = call_runtime str_eq v14, v2
  v16: int = byte_to_int v15
  v17: int = call_runtime str_compare v6, v7
  v18: int = int_add v11, v16
  v19: int = int_add v18, v17
  v20: int = call_runtime str_hash v14
  v21: int = call_runtime str_hash v2
  v22: byte = int_eq v20, v21
  v23: int = byte_to_int v22
  v24: int = int_add v19, v23
  v25: ref = call_runtime str_from_bytes v10, v0, v12
  v26: int = array_len v25
  v27: int = int_add v24, v26
  return v27
}
"#;
    let seen = super::agree(text, &[&[0], &[3], &[1000]]);
    assert!(seen[0].is_ok(), "{seen:?}");
    assert_eq!(seen[1].as_ref().expect_err("inside a character").0, TrapKind::Index);
    assert_eq!(seen[2].as_ref().expect_err("out of bounds").0, TrapKind::Index);
}

#[test]
fn copies_and_fills() {
    let text = r#"
record r0 "Box" words 2 (int@8)
fn0 "main" (int, int, int) -> int {
b0(v0: int, v1: int, v2: int):
  v3: int = int 8
  v4: ref = new r0 v0
  v5: ref = new r0 v3
  v6: ref = array_new ref v3, v4
  call_runtime array_fill.ref v6, v0, v1, v5
  call_runtime array_copy.ref v6, v2, v6, v0, v1
  v7: int = int 0
  v8: int = int 1
  jump b1(v7, v7)
b1(v9: int, v10: int):
  v11: byte = int_ge v9, v3
  branch v11, b3, b2
b2:
  v12: ref = array_get ref v6, v9
  v13: int = load r0.0 v12
  v14: int = int 10
  v15: int = int_mul v10, v14
  v16: int = int_add v15, v13
  v17: int = int_add v9, v8
  jump b1(v17, v16)
b3:
  v18: byte = byte 3
  v19: ref = array_new byte v3, v18
  call_runtime array_fill.byte v19, v0, v1, v18
  v20: float = float 1.5
  v21: ref = array_new float v3, v20
  call_runtime array_fill.float v21, v0, v1, v20
  v22: float = array_get float v21, v8
  v23: int = float_to_int v22
  v24: int = int_add v10, v23
  return v24
}
"#;
    let seen = super::agree(text, &[&[1, 3, 2], &[3, 1, 2], &[1, 9, 2], &[1, 4, 6], &[-1_i64 as u64, 3, 2]]);
    assert!(seen[0].is_ok(), "{seen:?}");
    assert!(seen[1..].iter().all(|seen| seen.is_err()), "{seen:?}");
}

#[test]
fn closures_and_function_values() {
    let text = r#"
record r0 "Box" words 2 (int@8)
record r1 "closure" words 4 (int@16, ref@8, int@24)
record r2 "Empty" words 1 ()
fn0 "main" (int) -> int {
b0(v0: int):
  v1: ref = new r0 v0
  v2: int = code fn1
  v3: ref = new r1 v2, v1, v0
  v4: ref = fn_object fn2
  v5: int = call_value v3, v0
  v6: int = call_value v4, v5
  v7: ref = singleton r2
  v8: int = tag r1 v7
  v9: int = int_mul v6, v8
  v10: int = tag r0 v3
  v11: int = int_add v9, v10
  return v11
}
fn1 "captures" (ref, int) -> int {
b0(v0: ref, v1: int):
  v2: ref = new r0 v1
  v3: ref = load r1.1 v0
  v4: int = load r0.0 v3
  v5: int = load r1.2 v0
  v6: int = load r0.0 v2
  v7: int = int_mul v4, v5
  v8: int = int_add v7, v6
  return v8
}
fn2 "none" (ref, int) -> int {
b0(v0: ref, v1: int):
  v2: ref = new r0 v1
  v3: int = load r0.0 v2
  v4: int = int_add v3, v3
  return v4
}
"#;
    gives(text, &[7], (49 + 7) * 2 + 1);
}

#[test]
fn natives_see_moved_strings() {
    let mut natives = Registry::default();
    natives.add(Native {
        name: "repeat".into(),
        params: vec![NativeType::Str, NativeType::Int, NativeType::Float, NativeType::Bool, NativeType::Byte],
        result: NativeType::Str,
        function: Arc::new(|context| {
            let mut handle = context.new_str("")?;
            for _ in 0..context.int(1) {
                let text = context.str(0).to_owned();
                handle = context.new_str(&text.repeat(2))?;
            }
            assert!(context.float(2) == 1.5 && context.bool(3) && context.byte(4) == 200);
            Ok(NativeValue::Str(handle))
        }),
    });
    natives.add(Native {
        name: "half".into(),
        params: vec![NativeType::Float],
        result: NativeType::Float,
        function: Arc::new(|context| Ok(NativeValue::Float(context.float(0) / 2.0))),
    });
    let text = r#"
literal s0 "ab"
fn0 "main" (int) -> int {
b0(v0: int):
  v1: ref = str s0
  v2: ref = call_runtime str_concat v1, v1
  v3: float = float 1.5
  v4: byte = byte 1
  v5: byte = byte 200
  v6: ref = call_native n0 v2, v0, v3, v4, v5
  v7: int = array_len v6
  v8: int = array_len v2
  v9: int = int_add v7, v8
  v10: float = float 9.0
  v11: float = call_native n1 v10
  v12: int = float_to_int v11
  v13: int = int_add v9, v12
  return v13
}
"#;
    assert_eq!(agree_with(text, &natives, &[&[3]]), [Ok(8 + 4 + 4)]);
}

#[test]
fn a_panic_of_a_native_is_a_trap() {
    let mut natives = Registry::default();
    natives.add(Native {
        name: "bad".into(),
        params: vec![],
        result: NativeType::Unit,
        function: Arc::new(|_| panic!("on purpose")),
    });
    let program = program("fn0 \"main\" () -> byte {\nb0:\n  v0: byte = call_native n0\n  return v0\n}\n");
    let mut vm = vm(&program, &natives, "");
    let trap = vm.call_words(0, &[]).expect_err("the native panicked");
    assert_eq!((trap.kind, trap.message.as_str()), (TrapKind::Panic, "native function `bad` panicked"));
}

#[test]
fn exhaustion_is_a_trap_and_the_machine_lives_on() {
    let text = r#"
record r0 "Link" words 3 (ref@8, int@16)
fn0 "main" (int) -> int {
b0(v0: int):
  v1: int = int 0
  v2: ref = nil
  v3: int = int 1
  jump b1(v1, v2)
b1(v4: int, v5: ref):
  v6: byte = int_ge v4, v0
  branch v6, b3, b2
b2:
  v7: ref = new r0 v5, v4
  v8: int = int_add v4, v3
  jump b1(v8, v7)
b3:
  v9: int = load r0.1 v5
  return v9
}
"#;
    let program = program(text);
    let mut vm = vm(&program, &Registry::default(), "");
    for _ in 0..3 {
        assert_eq!(vm.call_words(0, &[10_000_000]).expect_err("too much").kind, TrapKind::OutOfMemory);
        assert_eq!(vm.call_words(0, &[1000]), Ok(999));
    }
}

#[test]
fn globals_are_roots() {
    let text = r#"
record r0 "Box" words 2 (int@8)
global g0 "x" ref
fn0 "main" (int) -> int {
b0(v0: int):
  v1: ref = new r0 v0
  global_set g0 v1
  v2: int = int 1
  v3: int = int_add v0, v2
  v4: ref = new r0 v3
  v5: ref = new r0 v3
  v6: ref = global_get g0
  v7: int = load r0.0 v6
  v8: int = load r0.0 v5
  v9: int = int_mul v7, v8
  return v9
}
"#;
    gives(text, &[6], 42);
}

/// So many references live across so many allocations that they stay in memory; in a loop and straight.
#[test]
fn very_many_references_at_once() {
    let count = 150;
    let mut body = String::new();
    let mut next = 4;
    let mut define = |text: &str, ty: &str| {
        body += &format!("  v{next}: {ty} = {text}\n");
        next += 1;
        next - 1
    };
    let boxes: Vec<usize> = (0..count).map(|_| define("new r0 v3", "ref")).collect();
    let loads: Vec<usize> = boxes.iter().map(|b| define(&format!("load r0.0 v{b}"), "int")).collect();
    let sum = loads.iter().copied().reduce(|a, b| define(&format!("int_add v{a}, v{b}"), "int")).expect("some");
    let one = define("int 1", "int");
    let quotient = define(&format!("int_div v{sum}, v3"), "int");
    let down = define(&format!("int_sub v3, v{one}"), "int");
    let total = define(&format!("int_add v2, v{quotient}"), "int");
    let text = format!(
        r#"
record r0 "Box" words 2 (int@8)
record r1 "Error" words 3 (ref@8, ref@12, ref@16, ref@20)
error r1
fn0 "main" (int) -> int {{
b0(v0: int):
  v1: int = int 0
  jump b1(v1, v0)
b1(v2: int, v3: int):
{body}  jump b1(v{total}, v{down})
}}
"#
    );
    // Ends with the division by zero.
    let seen = super::agree(&text, &[&[3]]);
    assert_eq!(seen[0].as_ref().expect_err("the end").0, TrapKind::DivideByZero);

    let once = text.replace(&format!("  jump b1(v{total}, v{down})\n"), &format!("  return v{total}\n"));
    assert_eq!(super::agree(&once, &[&[7]]), [Ok(count)]);
}
