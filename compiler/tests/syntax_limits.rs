//! Sizes at which a careless front end falls over: deep nesting is refused with one message, long chains are not
//! nesting and pass. Everything runs on a test thread's small stack, dropping the trees included.

use tenure_compiler::diagnostic::Diagnostic;
use tenure_compiler::source::Sources;
use tenure_compiler::syntax::ast::{File, MAX_DEPTH};
use tenure_compiler::syntax::parse;

fn parsed(text: &str) -> (File, Vec<Diagnostic>) {
    let mut sources = Sources::default();
    let file = sources.add("limits.ten", text.to_owned());
    parse(&sources, file)
}

fn accepted(what: &str, text: &str) {
    let (_, errors) = parsed(text);
    assert!(errors.is_empty(), "{what}: {:?}", errors[0]);
}

fn too_deep(what: &str, text: &str) {
    let (_, errors) = parsed(text);
    let depth = errors.iter().filter(|e| e.message.contains("levels of nesting")).count();
    assert_eq!((errors.len(), depth), (1, 1), "{what}: {:?}", errors.first());
}

#[test]
fn deep_nesting_is_refused_once() {
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("{", "}"),
        ("f(", ")"),
        ("f(x, ", ")"),
        ("x[", "]"),
        ("if a { ", "}"),
        ("match a { _ => ", "}"),
        ("fn f() { ", "}"),
        ("- ", ""),
        ("~", ""),
        ("not ", ""),
        ("|x| ", ""),
        ("|x, y| ", ""),
        ("|| ", ""),
        ("a ?? |x| ", ""),
        ("a ** -", ""),
        ("a + if ", ""),
        ("return ", ""),
        ("a ?? return ", ""),
        ("if ", ""),
        ("match ", ""),
        ("while ", ""),
        ("\"{", "}\""),
    ] {
        let n = if open == "(" { 1_000_000 } else { 20_000 };
        too_deep(open, &format!("{}x{}", open.repeat(n), close.repeat(n)));
    }
    too_deep("types", &format!("let x: {}int = 1", "fn() -> ".repeat(20_000)));
    too_deep("list types", &format!("let x: {}int{} = 1", "[".repeat(20_000), "]".repeat(20_000)));
    too_deep("patterns", &format!("let {}x{} = 1", "(".repeat(20_000), ")".repeat(20_000)));
}

#[test]
fn nesting_up_to_the_limit_is_accepted() {
    let n = MAX_DEPTH;
    for (open, close) in [("(", ")"), ("[", "]"), ("{", "}"), ("f(1 + ", ")"), ("-", ""), ("|x| ", "")] {
        accepted(open, &format!("{}x{}", open.repeat(n), close.repeat(n)));
        too_deep(open, &format!("{}x{}", open.repeat(n + 1), close.repeat(n + 1)));
    }
    // every precedence level between two brackets
    let level = "a ?? b or c and not d == e..f | g ^ h & i << j + k * -l ** -(";
    accepted("all levels", &format!("{}x{}", level.repeat(n / 4), ")".repeat(n / 4)));
}

#[test]
fn chains_are_not_nesting() {
    for (first, link) in [
        ("a", " + a"),
        ("a", " - a"),
        ("a", " * a"),
        ("a", " ** a"),
        ("a", " ?? a"),
        ("a", " or a"),
        ("a", " and not a"),
        ("a", " | a"),
        ("a", " + -a"),
        ("a", ".f(|x| x)"),
        ("a", "?.f"),
        ("a", "[0]"),
        ("a", "!"),
        ("a", "\n  .b"),
        ("if a { }", " else if a { }"),
        ("let a = 1", "\nlet a = |x| x"),
        ("let a = 1", "; if a { }"),
        ("f(1", ", -1"),
        ("[|x| x", ", |x| x"),
        ("fn f() { return 1", "; return 1"),
        ("match a { _ => return 1", ", _ => return 1"),
        ("match a { b if c => 1", ", b if c => 1"),
        ("[a", ", [x for x in xs if x]"),
    ] {
        let close = match first.find(['(', '[', '{']) {
            Some(at) if !first.ends_with('}') => match &first[at..at + 1] {
                "(" if first.contains('{') => "}",
                "(" => ")",
                "[" => "]",
                _ => "}",
            },
            _ => "",
        };
        let n = if link == " + a" { 100_000 } else { 10_000 };
        accepted(link, &format!("{first}{}{close}", link.repeat(n)));
    }
}

#[test]
fn large_files() {
    accepted("empty", "");
    accepted("blank", "\n\n  \n");
    accepted("comment", "// nothing");
    accepted("shebang", "#!/usr/bin/env tenure");
    accepted("crlf", "let a = 1\r\nlet b = a\r\n  .f()\r\n");
    accepted("byte order mark", "\u{feff}let a = 1");
    accepted("long string", &format!("let a = \"{}\"", "x\\n".repeat(100_000)));
    accepted("long comment", &format!("//{}\nlet a = 1", "x".repeat(1_000_000)));
    accepted("many holes", &format!("let a = \"{}\"", "{x}".repeat(20_000)));
    accepted("many lines", &"let a = f(x) + 1\n".repeat(20_000));
}

#[test]
fn binary_files_are_one_clear_error() {
    let (_, errors) = parsed("\u{7f}ELF\0\0\0");
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].message, "this is not a text file");
}

#[test]
fn errors_are_counted_up_to_a_limit() {
    // statements of a file are independent of each other; those of one declaration are read again after each error
    for (text, least, most) in [
        ("x y\n".repeat(10_000), 10_000, 10_000),
        ("x y\n".repeat(30_000), 20_000, 20_010),
        ("$ ".repeat(10_000), 10_000, 10_000),
        (format!("fn f() {{ {} }}", "x y\n".repeat(10_000)), 50, 110),
    ] {
        let (_, errors) = parsed(&text);
        assert!((least..=most).contains(&errors.len()), "{}", errors.len());
    }
}
