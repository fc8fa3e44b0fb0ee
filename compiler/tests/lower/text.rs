//! The IR's text form, there and back; and programs that the verifier must refuse.

use tenure_compiler::ir;
use tenure_compiler::ir::verify::verify;

/// Has every operation and terminator once; not a sensible program.
const EVERYTHING: &str = r#"record r0 "Node[int]" words 3 (int@16, ref@8)
record r1 "Error" words 3 (ref@8, ref@12, ref@16, ref@20)
record r2 "Shape.Empty" words 1 ()
global g0 "limit" int
literal s0 "a \"quoted\" line\nand \u{1}"
error r1
entry fn1
test "it works" fn1
export "score" fn0 (int, str) -> "[int]"
fn0 "score" (int, ref) -> ref {
b0(v0: int, v1: ref):
  v2: float = float 1.5
  v3: byte = byte 7
  v4: ref = nil
  v5: ref = str s0
  v6: ref = fn_object fn1
  v7: int = code fn1
  v8: int = int_add v0, v7
  v9: int = array_len v1
  bounds_check v0, v9
  v10: byte = is_nil v1
  v11: ref = new r0 v8, v4
  v12: ref = singleton r2
  v13: int = load r0.0 v11
  store r0.1 v11, v4
  v14: int = tag r2 v12
  v15: ref = array_new float v0, v2
  v16: ref = array_literal ref v1, v5
  v17: byte = array_get byte v5, v0
  array_set ref v16, v0, v5
  v18: int = global_get g0
  global_set g0 v18
  v19: ref = call fn0 v0, v1
  v20: int = call_value v6, v0
  v21: ref = call_native n3 v0
  call_runtime array_copy.ref v16, v0, v16, v0, v0
  v22: ref = call_runtime str_concat v5, v5, v5
  branch v10, b1, b2(v22)
b1:
  jump b2(v5)
b2(v23: ref):
  try b3, b4
b3 handler b4:
  trap overflow
b4:
  v24: ref = call_runtime catch
  call_runtime throw v24
  unreachable
}
fn1 "main" () -> byte {
b0:
  v0: byte = byte 0
  return v0
}
"#;

#[test]
fn text_reads_back_the_same() {
    let program = ir::parse(EVERYTHING).expect("parses");
    assert_eq!(program.to_string(), EVERYTHING);
    verify(&program).expect("is valid");
}

#[test]
fn what_is_not_ir_is_refused_with_its_line() {
    for (text, line) in [
        ("entry fn\n", 1),
        ("literal s0 \"x\n", 1),
        ("fn0 \"f\" () -> int {\nb0:\n  v0: int = fly 3\n}", 3),
        ("fn0 \"f\" () -> int {\nb0:\n  return 3\n}", 3),
        ("fn0 \"f\" () -> int {\nb1:\n}", 2),
    ] {
        let error = ir::parse(text).expect_err("is wrong");
        assert!(error.starts_with(&format!("line {line}: ")), "{error}");
    }
    assert!(ir::parse("fn0 \"f\" () -> int {\nb0:\n  unreachable\n").is_err(), "has no end");
}

/// Each breaks one invariant; the words are part of the verifier's message.
#[test]
fn broken_functions_are_refused() {
    let cases = [
        ("b0(v0: int):\n return v1", "v1 does not exist"),
        ("b0(v0: int):\n v1: int = int_add v0, v2\n v2: int = int 3\n return v1", "does not dominate"),
        ("b0(v0: int):\n v1: byte = byte 0\n v2: int = int_add v0, v1\n return v2", "takes [Int, Int]"),
        ("b0(v0: int):\n v1: float = int_add v0, v0\n return v0", "gives Some(Int)"),
        ("b0(v0: int):\n int_add v0, v0\n return v0", "gives Some(Int)"),
        ("b0(v0: int):\n v1: int = bounds_check v0, v0\n return v0", "gives nothing"),
        ("b0(v0: int):\n v1: byte = byte 0\n return v1", "takes [Int], has [Byte]"),
        ("b0(v0: int):\n v0: int = int 1\n return v0", "defined twice"),
        ("b0(v0: int):\n jump b1(v0)\nb1:\n return v0", "takes []"),
        ("b0(v0: int):\n jump b7", "missing block"),
        ("b0(v0: int):\n return v0\nb1:\n return v0", "unreachable"),
        ("b0(v0: int):\n jump b0(v0)", "goes to the entry"),
        ("b0(v0: byte):\n unreachable", "parameters are not the function's"),
        ("b0(v0: int):\n branch v0, b1, b2\nb1:\n return v0\nb2:\n return v0", "takes [Byte]"),
        // one way defines it, the other doesn't
        (
            "b0(v0: int):\n v1: byte = byte 1\n branch v1, b1, b2\nb1:\n v2: int = int 1\n jump b2\nb2:\n return v2",
            "does not dominate",
        ),
        // I3
        ("b0(v0: int):\n v1: ref = call_runtime catch\n return v0", "outside the start of a handler"),
        ("b0(v0: int):\n try b1, b2\nb1:\n return v0\nb2:\n return v0", "does not lie in the body"),
        ("b0(v0: int):\n try b1, b2\nb1 handler b2:\n jump b2\nb2:\n return v0", "entered from elsewhere"),
        (
            "b0(v0: int):\n try b1, b2\nb1 handler b2:\n v1: int = int 1\n jump b3\nb2:\n jump b3\nb3 handler b2:\n return v0",
            "jumps into the try body",
        ),
        // what the body defines is not there in the handler
        (
            "b0(v0: int):\n try b1, b2\nb1 handler b2:\n v1: int = int 1\n return v1\nb2:\n return v1",
            "does not dominate",
        ),
    ];
    for (blocks, expected) in cases {
        let text = format!("fn0 \"f\" (int) -> int {{\n{blocks}\n}}");
        let program = ir::parse(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
        let error = verify(&program).expect_err(&text);
        assert!(error.contains(expected), "expected {expected:?} in:\n{error}");
    }
    for (record, expected) in [
        ("words 3 (int@8, ref@16)", "references don't come first"),
        ("words 3 (int@8, int@8)", "overlap"),
        ("words 2 (int@16)", "stick out"),
        ("words 3 (int@12)", "misplaced"),
    ] {
        let program = ir::parse(&format!("record r0 \"R\" {record}")).expect("parses");
        let error = verify(&program).expect_err(record);
        assert!(error.contains(expected), "expected {expected:?} in: {error}");
    }
}
