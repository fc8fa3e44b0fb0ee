//! The formatter: cases in `tests/format/*.txt`, and what must hold for every program.
//!
//! A case is `==== title`, the source, `----`, the expected text. `BLESS=1` writes what it gives now.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use tenure_compiler::diagnostic::Severity;
use tenure_compiler::format::{WIDTH, format};
use tenure_compiler::source::Sources;
use tenure_compiler::syntax::parse;

/// The text laid out anew, or nothing if it does not parse.
fn formatted(name: &str, text: &str) -> Option<String> {
    let mut sources = Sources::default();
    let id = sources.add(name, text);
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
