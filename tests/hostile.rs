//! No input makes the compiler crash, hang or take more than 1 GiB: programs at which a careless one falls over. Each
//! runs in a process of its own with an address space of that size; what is too much is refused with its code.

mod support;

use std::fmt::Write as _;
use std::process::Stdio;
use support::command;

const MEMORY_KIB: usize = 1 << 20;
/// Generous, for a debug build on a busy machine; what hangs takes longer than any patience.
const CPU_S: usize = 120;

/// What `tenure check` says about a program, under limits: its status and its text for people.
fn checked(name: &str, text: &str) -> (i32, String) {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join(format!("{name}.ten"));
    std::fs::write(&path, text).expect("written");
    let mut shell = std::process::Command::new("sh");
    let limits = format!("ulimit -v {MEMORY_KIB}; ulimit -t {CPU_S}; exec \"$0\" check \"$1\"");
    let output = shell.args(["-c", &limits]).arg(command().get_program()).arg(&path).stdin(Stdio::null()).output();
    let output = output.expect("a shell starts");
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn accepted(name: &str, text: &str) {
    let (code, stderr) = checked(name, text);
    assert_eq!((code, stderr.as_str()), (0, ""), "{name}");
}

/// It is refused with this code first.
fn refused(name: &str, code: &str, text: &str) -> String {
    let (status, stderr) = checked(name, text);
    let start: String = stderr.chars().take(500).collect();
    assert_eq!(status, 1, "{name}: {start}");
    assert!(stderr.starts_with(&format!("error[{code}]")), "{name}: {start}");
    assert!(!stderr.contains("panicked"), "{name}: {start}");
    stderr
}

fn lines(n: usize, line: impl Fn(usize) -> String) -> String {
    (0..n).fold(String::new(), |mut text, i| {
        writeln!(text, "{}", line(i)).expect("writing to a string");
        text
    })
}

#[test]
fn long_programs_that_are_not_deep_are_accepted() {
    accepted("additions", &format!("let x = 1{}\nprint(x)\n", " + 1".repeat(100_000)));
    accepted("joins", &format!("let x = \"a\"{}\nprint(x.len())\n", " + \"b\"".repeat(20_000)));
    let arms = lines(20_000, |i| format!("  else if x == {i} {{ {i} }}"));
    accepted(
        "else_if",
        &format!("fn f(x: int) -> int {{\n  if x == 0 {{ 1 }}\n{arms}  else {{ 2 }}\n}}\nprint(f(3))\n"),
    );
    accepted("methods", &format!("let x = \"a\"{}\nprint(x)\n", ".trim()".repeat(100_000)));
    accepted("holes", &format!("let x = 1\nprint(\"{}\")\n", "{x}".repeat(20_000)));
    let arms = lines(20_000, |i| format!("  {i} => {i} + 1"));
    accepted("match", &format!("fn f(x: int) -> int = match x {{\n{arms}  _ => 0\n}}\nprint(f(3))\n"));
    let arms = lines(5_000, |i| format!("  \"s{i}\" => {i}"));
    accepted("match_str", &format!("fn f(x: str) -> int = match x {{\n{arms}  _ => 0\n}}\nprint(f(\"s\"))\n"));
    let numbers = lines(100_000, |i| format!("  {i},"));
    accepted("list", &format!("let x = [\n{numbers}]\nprint(x.len())\n"));
    accepted(
        "constants",
        &format!("const C0: int = 1\n{}print(C60)\n", lines(60, |i| format!("const C{}: int = C{i} + 1", i + 1))),
    );
}

#[test]
fn what_nests_too_deeply_is_refused() {
    refused("parens", "E0009", &format!("print({}1{})\n", "(".repeat(1_000_000), ")".repeat(1_000_000)));
    refused("string_holes", "E0009", &format!("let x = 1\nlet a = {}x{}\n", "\"{".repeat(5_000), "}\"".repeat(5_000)));
    refused("types", "E0009", &format!("let x: {}int{} = []\n", "[".repeat(5_000), "]".repeat(5_000)));
    accepted("not_too_deeply", &format!("let x = 1\nprint({}x{})\n", "(".repeat(900), ")".repeat(900)));
}

#[test]
fn what_grows_without_end_is_refused() {
    refused("template", "E0503", "fn f(x) { f([x]) }\nf(1)\n");
    refused("template_twofold", "E0505", "fn f(a, n: int) { if n > 0 { f((a, a), n - 1) } }\nf(1, 3)\n");
    let aliases = lines(60, |i| format!("type T{} = (T{i}, T{i})", i + 1)).replace("(T0, T0)", "(int, int)");
    refused("aliases", "E0505", &format!("{aliases}let x: T60? = nil\nprint(x == nil)\n"));
    let pairs = lines(60, |i| format!("let a{} = (a{i}, a{i})", i + 1));
    refused("values", "E0505", &format!("let a0 = (1, 2)\n{pairs}print(a60 == a60)\n"));
    refused("generic_type", "E0504", "struct A[T] { next: A[[T]]? }\nlet a: A[int]? = nil\nprint(a == nil)\n");
    refused("alias_of_itself", "E0208", "type A = [B]\ntype B = [A]\nlet a: A = []\n");
}

#[test]
fn types_that_hold_each_other_are_fine() {
    accepted("recursive", "struct A { b: B? }\nstruct B { a: A? }\nlet x = A(b: B(a: nil))\nprint(x)\n");
}

#[test]
fn patterns_that_take_exponential_time_are_refused() {
    let row = |i: usize| format!("  ({}true, false{}) => {i}", "_, ".repeat(i), ", _".repeat(28 - i));
    let ty = format!("({}bool)", "bool, ".repeat(29));
    refused("tuples", "E0412", &format!("fn f(x: {ty}) -> int = match x {{\n{}}}\n", lines(29, row)));
    accepted("with_a_last_arm", &format!("fn f(x: {ty}) -> int = match x {{\n{}  _ => 0\n}}\n", lines(29, row)));
    let choice = ["1 | 2 | 3 | 4 | 5"; 8].join(", ");
    let arms = lines(8, |i| format!("  ({choice}) if x == {i} => {i}"));
    let subject = ["x"; 8].join(", ");
    accepted("alternatives", &format!("fn f(x: int) -> int = match ({subject}) {{\n{arms}  _ => 0\n}}\nprint(f(1))\n"));
}

#[test]
fn ten_thousand_errors_are_a_hundred_and_a_count() {
    for (name, code, text) in [
        ("names", "E0214", lines(10_000, |i| format!("print(a{i})"))),
        ("syntax", "E0100", lines(10_000, |_| "let = 1".into())),
        ("one_line", "E0214", lines(1, |_| (0..10_000).map(|i| format!("print(a{i}); ")).collect())),
    ] {
        let stderr = refused(name, code, &text);
        let shown = stderr.lines().filter(|line| line.starts_with("error[")).count();
        assert_eq!(shown, 100, "{name}");
        assert!(stderr.contains("… and 9900 more"), "{name}");
        assert!(stderr.len() < 200_000, "{name}: {} bytes", stderr.len());
    }
}

#[test]
fn the_largest_files_are_read() {
    let most = 16 << 20;
    refused("syntax", "E0100", &"x y\n".repeat(most / 4));
    refused("open", "E0009", &"[".repeat(most));
    refused("quotes", "E0004", &"\"".repeat(most - 1));
    accepted("newlines", &"\n".repeat(most));
    refused("names", "E0214", &"a\n".repeat(most / 64));
}
