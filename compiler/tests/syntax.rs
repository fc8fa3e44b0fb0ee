//! Cases in `tests/syntax/*.txt`: source, then the tree and the messages it must give. `TENURE_BLESS=1` writes what
//! it gives now.

use std::fmt::Write;
use tenure_compiler::diagnostic::Severity;
use tenure_compiler::source::Sources;
use tenure_compiler::syntax::dump::dump;
use tenure_compiler::syntax::parse;

#[path = "support/cases.rs"]
mod cases;

fn show(text: &str) -> String {
    let mut sources = Sources::default();
    let id = sources.add("case.ten", text.to_owned());
    let (tree, errors) = parse(&sources, id);
    let mut out = dump(&tree);
    for e in errors {
        if !out.is_empty() {
            out.push('\n');
        }
        let (line, column) = sources.file(id).line_column(e.primary.span.lo);
        let kind = if e.severity == Severity::Warning { "warning" } else { "error" };
        write!(out, "{kind} {} at {line}:{column} `{}`: {}", e.code, sources.text(e.primary.span), e.message).unwrap();
        if !e.primary.text.is_empty() {
            write!(out, "\n  label: {}", e.primary.text).unwrap();
        }
        for label in &e.secondary {
            let (line, column) = sources.file(id).line_column(label.span.lo);
            write!(out, "\n  and {line}:{column} `{}`: {}", sources.text(label.span), label.text).unwrap();
        }
        for help in &e.help {
            write!(out, "\n  help: {help}").unwrap();
        }
    }
    out
}

fn check(name: &str) {
    cases::compare(&format!("syntax/{name}"), |_, source| show(source));
}

#[test]
fn declarations() {
    check("declarations.txt");
}

#[test]
fn statements() {
    check("statements.txt");
}

#[test]
fn expressions() {
    check("expressions.txt");
}

#[test]
fn literals() {
    check("literals.txt");
}

#[test]
fn patterns() {
    check("patterns.txt");
}

#[test]
fn layout() {
    check("layout.txt");
}

#[test]
fn errors() {
    check("errors.txt");
}

#[test]
fn habits() {
    check("habits.txt");
}

#[test]
fn recovery() {
    check("recovery.txt");
}
