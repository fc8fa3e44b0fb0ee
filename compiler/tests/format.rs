//! The formatter: cases in `tests/format/*.txt`, and what must hold for every program.
//!
//! `TENURE_BLESS=1` writes what the cases give now.

use proptest::prelude::*;
use std::path::{Path, PathBuf};
use tenure_compiler::diagnostic::Severity;
use tenure_compiler::format::{WIDTH, format};
use tenure_compiler::source::Sources;
use tenure_compiler::syntax::parse;

#[path = "support/cases.rs"]
mod cases;

/// The text laid out anew, or nothing if it does not parse.
fn formatted(name: &str, text: &str) -> Option<String> {
    let mut sources = Sources::default();
    let id = sources.add(name, text.to_owned());
    let (tree, messages) = parse(&sources, id);
    if messages.iter().any(|m| m.severity == Severity::Error) {
        return None;
    }
    Some(format(&sources, id, &tree).unwrap_or_else(|m| panic!("{name}: {}\n{text}", m.what)))
}

/// Formats, and formats the result, which must not change. That the tree is the same the formatter checks itself.
fn stable(name: &str, text: &str) -> Option<String> {
    let once = formatted(name, text)?;
    let twice = formatted(name, &once).expect("the result parses");
    assert_eq!(once, twice, "{name} is not stable; source:\n{text}");
    Some(once)
}

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace")
}

fn programs(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder of the workspace") {
        let path = entry.expect("a readable folder").path();
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            programs(&path, found);
        } else if path.extension().is_some_and(|e| e == "ten") {
            found.push(path);
        }
    }
}

#[test]
fn every_program_of_the_repository_keeps_its_meaning() {
    let mut found = Vec::new();
    programs(workspace(), &mut found);
    let mut done = 0;
    for path in &found {
        let text = std::fs::read_to_string(path).expect("text");
        done += usize::from(stable(&path.display().to_string(), &text).is_some());
    }
    assert!(done > 100, "only {done} programs were formatted");
}

fn check(name: &str) {
    cases::compare(&format!("format/{name}"), |title, source| {
        let found = stable(title, source).unwrap_or_else(|| panic!("{name}: {title} does not parse"));
        for line in found.lines() {
            // a comment or a string can't be broken
            assert!(line.chars().count() <= WIDTH || line.contains("//") || line.contains('"'), "{title}: {line}");
            assert_eq!(line.trim_end(), line, "{title}");
        }
        found
    });
}

#[test]
fn brackets() {
    check("brackets.txt");
}

#[test]
fn operators_and_chains() {
    check("chains.txt");
}

#[test]
fn comments_and_empty_lines() {
    check("comments.txt");
}

#[test]
fn items() {
    check("items.txt");
}

/// The language's sample, and programs that exercise the odd corners of the layout.
const SAMPLES: [&str; 3] =
    [include_str!("syntax/sample.ten"), include_str!("../../stdlib/modules/json.ten"), include_str!("format/odd.ten")];

/// Pieces that may stand between any two tokens, or break the program.
const PIECES: &[&str] = &[
    "\n",
    "\n\n\n",
    "  ",
    "// note\n",
    "\n// own line\n",
    "\n/// doc  \n",
    ";",
    ",",
    "(",
    ")",
    "?",
    "!",
    ".x()",
    " - 1",
    " | 2",
    "[1, 2]",
    "{ }",
    "{ x }",
    "|a| a",
    "\"{x + 1:>4}\"",
    "'''\nraw\n'''",
    " and y",
    " as z",
    "..",
    "\r\n",
    " not in xs",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_programs(
        which in 0..SAMPLES.len(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(PIECES)), 1..4),
    ) {
        let mut text = SAMPLES[which].to_owned();
        for (at, piece) in edits {
            let mut at = at.index(text.len());
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            text.insert_str(at, piece);
        }
        stable("changed", &text);
    }

    /// Lines joined where that changes nothing.
    #[test]
    fn rearranged_programs(which in 0..SAMPLES.len(), joins in prop::collection::vec(any::<bool>(), 64)) {
        let mut text = String::new();
        for (i, line) in SAMPLES[which].lines().enumerate() {
            text.push_str(line);
            let join = joins[i % joins.len()] && line.ends_with([',', '(', '[', '{']) && !line.contains("//");
            text.push_str(if join { " " } else { "\n" });
        }
        prop_assert!(stable("rearranged", &text).is_some());
    }
}

#[test]
fn long_chains_and_the_deepest_nesting() {
    let chain = format!("let x = a{}\n", ".f(1)".repeat(20_000));
    assert!(stable("chain", &chain).is_some());
    let sum = format!("let x = {}1\n", "1 + ".repeat(20_000));
    assert!(stable("sum", &sum).is_some());
    let deep = || {
        let brackets = format!("let x = {}1{}\n", "[".repeat(900), "]".repeat(900));
        assert!(stable("brackets", &brackets).is_some());
        let blocks = format!("fn f() {}{}{}\n", "{ if a ".repeat(400), "{ }", " }".repeat(400));
        assert!(stable("blocks", &blocks).is_some());
    };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(256 << 20).spawn_scoped(scope, deep);
        thread.expect("a thread").join().expect("no panic");
    });
}
