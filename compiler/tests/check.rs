//! File tests of the checker. `tests/check/accept/*.ten` have no diagnostics; the typed tree of functions whose name
//! is given by a first line `// show: name` is compared with the `.types` file beside them. `tests/check/reject/*.ten`
//! are compared with the `.txt` beside them, every message in it. `TENURE_BLESS=1` rewrites the expected files.

use std::fs;
use std::path::Path;
use tenure_compiler::check::Mode;
use tenure_compiler::diagnostic::{Diagnostic, Severity};
use tenure_compiler::hir::{FnId, Program};
use tenure_compiler::source::Sources;

mod support;

use support::{Folder, checked, repository, sorted};

fn run(file: &Path) -> (Option<Program>, Vec<Diagnostic>, Sources) {
    let text = fs::read_to_string(file).expect("readable");
    let name = file.file_name().expect("a file").to_string_lossy().into_owned();
    checked(&name, &text, &Folder(file.parent().expect("a folder").to_owned()), Mode::Run)
}

/// `file:line:column: error E0301: message`, then labels and help.
fn render(diagnostics: &[Diagnostic], sources: &Sources) -> String {
    let mut out = String::new();
    let place = |span: tenure_compiler::syntax::span::Span| {
        let file = sources.file(span.file);
        let (line, column) = file.line_column(span.lo);
        format!("{}:{line}:{column}", file.name)
    };
    for d in diagnostics {
        let severity = if d.severity == Severity::Error { "error" } else { "warning" };
        out += &format!("{}: {severity} {}: {}\n", place(d.primary.span), d.code, d.message);
        if !d.primary.text.is_empty() {
            out += &format!("    here: {}\n", d.primary.text);
        }
        for label in &d.secondary {
            out += &format!("    {}: {}\n", place(label.span), label.text);
        }
        for help in &d.help {
            out += &format!("    help: {help}\n");
        }
    }
    out
}

fn expect(file: &Path, found: &str, failures: &mut Vec<String>) {
    if std::env::var_os("TENURE_BLESS").is_some() {
        fs::write(file, found).expect("writable");
        return;
    }
    let wanted = fs::read_to_string(file).unwrap_or_default();
    if wanted != found {
        failures.push(format!("{}\n--- expected\n{wanted}--- found\n{found}", file.display()));
    }
}

#[test]
fn accepted_programs_have_a_typed_tree() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check/accept");
    let mut failures = Vec::new();
    for file in sorted(&folder, "ten") {
        let (program, diagnostics, sources) = run(&file);
        let Some(program) = program else {
            failures.push(format!("{}\n{}", file.display(), render(&diagnostics, &sources)));
            continue;
        };
        assert_closed(&program);
        let text = fs::read_to_string(&file).expect("readable");
        let shown = text.lines().next().and_then(|l| l.strip_prefix("// show: ")).unwrap_or("");
        let mut found = render(&diagnostics, &sources);
        for name in shown.split_whitespace() {
            for (index, function) in program.functions.iter().enumerate() {
                if function.name == name {
                    found += &program.function_text(FnId(index as u32));
                }
            }
        }
        expect(&file.with_extension("types"), &found, &mut failures);
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// H1: no type of the program is open or broken.
fn assert_closed(program: &Program) {
    for function in &program.functions {
        let types = function.locals.iter().map(|l| l.ty).chain(function.exprs.iter().map(|e| e.ty));
        for ty in types {
            assert!(!program.types.is_open(ty), "an open type in {}", function.name);
        }
    }
}

#[test]
fn rejected_programs_tell_why() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check/reject");
    let mut failures = Vec::new();
    for file in sorted(&folder, "ten") {
        let (program, diagnostics, sources) = run(&file);
        let warned = diagnostics.iter().all(|d| d.severity == Severity::Warning) && !diagnostics.is_empty();
        if program.is_some() && !warned {
            failures.push(format!("{} was accepted", file.display()));
        }
        expect(&file.with_extension("txt"), &render(&diagnostics, &sources), &mut failures);
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// All programs of the repository are accepted.
#[test]
fn programs_of_the_repository_are_accepted() {
    let mut failures = Vec::new();
    for folder in ["examples", "stdlib/tests", "tests/bench/programs"] {
        for file in sorted(&repository().join(folder), "ten") {
            let (program, diagnostics, sources) = run(&file);
            if program.is_none() {
                failures.push(format!("{}\n{}", file.display(), render(&diagnostics, &sources)));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
