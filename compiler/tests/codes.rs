//! The catalogue of codes keeps what it promises: every page is complete, its wrong example gives exactly its code, the
//! mended one gives nothing. The book's page of error codes is made from it; `TENURE_BLESS=1` writes it.

mod support;

use std::fs;
use support::{Modules, checked, repository};
use tenure_compiler::check::Mode;
use tenure_compiler::codes::{self, CATALOGUE, Code, Page};
use tenure_compiler::diagnostic::{Diagnostic, Severity};

/// Programs too large or too odd to print on a page.
fn made(code: Code) -> Option<String> {
    match code {
        codes::NOT_TEXT => Some("print(1)\0".into()),
        codes::TOO_DEEP => Some(format!("print({}1{})", "(".repeat(2000), ")".repeat(2000))),
        codes::TOO_MANY_WAIT => {
            let links = (0..1000).map(|i| format!("fn f{i}() = f{}()\n", i + 1)).collect::<String>();
            Some(format!("{links}fn f1000() = 1\nprint(f0())\n"))
        }
        codes::MODULE_TOO_LARGE => {
            Some(format!("// file: main.ten\nuse big\n// file: big.ten\n//{}", "x".repeat(16 << 20)))
        }
        codes::DEFER_DEPTH => Some(format!("fn f() {{\n{}}}\nf()\n", "defer { print(1) }\n".repeat(1001))),
        codes::INTRICATE_PATTERNS => {
            let row = |i: usize| format!("({}true, false{}) => {i}; ", "_, ".repeat(i), ", _".repeat(28 - i));
            let rows = (0..29).map(row).collect::<String>();
            Some(format!("fn f(x: ({}bool)) -> int = match x {{ {rows} }}", "bool, ".repeat(29)))
        }
        codes::TOO_MANY_INSTANCES => {
            let links =
                (0..60).map(|i| format!("fn f{i}(x) {{ f{n}([x]); f{n}(|| x) }}\n", n = i + 1)).collect::<String>();
            Some(format!("{links}fn f60(x) {{}}\nf0(1)\n"))
        }
        codes::NATIVE_SIGNATURE => {
            Some("// file: main.ten\nuse gc\n// file: std/gc.ten\n@native pub fn collect() -> str\n".into())
        }
        _ => None,
    }
}

fn found(text: &str) -> Vec<Diagnostic> {
    let modules = Modules::new(text);
    let (name, main) = modules.main();
    checked(name, main, &modules, Mode::Run).1
}

/// What keeps a page from being what it should be.
fn faults(page: &Page) -> Vec<String> {
    let mut faults = Vec::new();
    if !page.text.starts_with(&format!("# {}: ", page.code)) {
        faults.push("begins with another line than `# CODE: title`".to_owned());
    }
    if page.title().is_empty() || page.title().ends_with('.') {
        faults.push("needs a title without a full stop".to_owned());
    }
    if page.explanation().is_empty() {
        faults.push("explains nothing".to_owned());
    }
    let made = made(page.code);
    let Some(wrong) = made.as_deref().or(page.wrong()) else {
        // it tells of a library without what the language leans on, and of what comes behind fifty others
        if ![codes::CORE_LACKS, codes::TOO_MANY].contains(&page.code) {
            faults.push("has no example".to_owned());
        }
        return faults;
    };
    let told = found(wrong);
    if told.is_empty() || told.iter().any(|d| d.code != page.code) {
        let shown: Vec<String> = told.iter().map(|d| format!("{}: {}", d.code, d.message)).collect();
        faults.push(format!("its example gives {shown:?}"));
    }
    if let Some(told) = told.first()
        && page.text.contains("```tenure,warning") != (told.severity == Severity::Warning)
    {
        faults.push("its example is fenced as an error where it is a warning, or the reverse".to_owned());
    }
    match page.right() {
        Some(right) => {
            let told = found(right);
            if !told.is_empty() {
                let shown: Vec<String> = told.iter().map(|d| format!("{}: {}", d.code, d.message)).collect();
                faults.push(format!("its mended example gives {shown:?}"));
            }
        }
        None if made.is_none() => faults.push("does not show its example mended".to_owned()),
        None => {}
    }
    faults
}

#[test]
fn every_page_explains_shows_and_mends() {
    let mut failures = Vec::new();
    for page in CATALOGUE {
        failures.extend(faults(page).into_iter().map(|fault| format!("{} {fault}", page.code)));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn codes_are_in_order_and_found_as_people_write_them() {
    assert!(CATALOGUE.is_sorted_by(|a, b| a.code < b.code));
    for written in ["E0301", "e0301", "301", "0301"] {
        assert_eq!(codes::page(written).map(|p| p.code), Some(codes::MISMATCH), "{written}");
    }
    for written in ["", "E", "E9999", "banana", "-301", "E99999999999"] {
        assert!(codes::page(written).is_none(), "{written}");
    }
}

#[test]
fn the_rest_of_a_file_full_of_errors_is_left() {
    let told = found(&format!("fn f() {{\n{}}}\n", "let = 1\n".repeat(60)));
    assert_eq!(told.last().map(|d| d.code), Some(codes::TOO_MANY));
}

/// The book's page: all the others, which mdBook includes.
fn chapter() -> String {
    let mut out = String::from(
        "# Error codes\n\nWhat the compiler can say, by code. `tenure explain E0301` shows the same on a terminal.\n\n",
    );
    for page in CATALOGUE {
        out += &format!("{{{{#include ../../compiler/src/codes/{}.md}}}}\n\n", page.code);
    }
    out
}

#[test]
fn the_books_page_is_up_to_date() {
    let path = repository().join("book/src/error-codes.md");
    if std::env::var_os("TENURE_BLESS").is_some() {
        fs::write(&path, chapter()).expect("writable");
    }
    let there = fs::read_to_string(&path).unwrap_or_default();
    assert!(there == chapter(), "{} is stale: run this test with TENURE_BLESS=1", path.display());
}
