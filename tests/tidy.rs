//! Rules about the repository itself that neither the compiler nor clippy holds: which crate may know which, how long a
//! file may get, that links lead somewhere, what the library must not carry.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The complete list of arrows between the crates of this workspace.
const ARROWS: [(&str, &[&str]); 6] = [
    ("tenure", &["tenure-advisor", "tenure-compiler", "tenure-gc", "tenure-runtime", "tenure-stdlib"]),
    ("tenure-advisor", &["tenure-gc"]),
    ("tenure-compiler", &["tenure-runtime"]),
    ("tenure-gc", &[]),
    ("tenure-runtime", &["tenure-gc"]),
    ("tenure-stdlib", &["tenure-runtime"]),
];

/// Crates that belong to the binary alone.
const NOT_IN_THE_LIBRARY: [&str; 9] =
    ["clap", "comfy-table", "iced-x86", "indicatif", "nix", "tokio", "axum", "linfa", "plotters"];

const SOURCE_LINES_MAX: usize = 800;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files with one of these extensions, generated and foreign ones left out.
fn files(extensions: &[&str]) -> Vec<PathBuf> {
    fn walk(dir: &Path, extensions: &[&str], found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).expect("a readable directory").map(|e| e.expect("a readable entry")) {
            let path = entry.path();
            let name = entry.file_name();
            if path.is_dir() {
                let skipped = name.to_string_lossy().starts_with('.') && name != ".ci" || name == "target";
                if !skipped {
                    walk(&path, extensions, found);
                }
            } else if path.extension().is_some_and(|e| extensions.iter().any(|x| e == *x)) {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(root(), extensions, &mut found);
    found.sort();
    found
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// `section → names of its entries` of a manifest. Enough of TOML for ours: a table header, or a `name = …` or
/// `name.workspace = …` line.
fn manifest_sections(path: &Path) -> BTreeMap<String, Vec<String>> {
    let mut sections: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut section = String::new();
    for line in fs::read_to_string(path).expect("a readable manifest").lines() {
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[') {
            section = header.trim_end_matches(']').trim_matches('[').to_owned();
        } else if let Some((name, _)) = line.split_once('=')
            && !line.starts_with('#')
        {
            let name = name.trim().split('.').next().unwrap_or_default().to_owned();
            sections.entry(section.clone()).or_default().push(name);
        }
    }
    sections
}

fn package_name(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("a readable manifest");
    let (_, package) = text.split_once("[package]").expect("a package");
    let line = package.lines().find(|l| l.starts_with("name = ")).expect("a name");
    line.trim_start_matches("name = ").trim_matches('"').to_owned()
}

#[test]
fn crates_depend_on_each_other_only_as_the_architecture_says() {
    let mut seen = Vec::new();
    for dir in ["", "advisor", "compiler", "gc", "runtime", "stdlib"] {
        let manifest = root().join(dir).join("Cargo.toml");
        let name = package_name(&manifest);
        let (_, allowed) = ARROWS.iter().find(|(from, _)| *from == name).expect("a crate of the architecture");
        let sections = manifest_sections(&manifest);
        for section in ["dependencies", "build-dependencies"] {
            for dependency in sections.get(section).into_iter().flatten().filter(|d| d.starts_with("tenure")) {
                assert!(allowed.contains(&dependency.as_str()), "{name} must not depend on {dependency}");
            }
        }
        seen.push(name);
    }
    assert_eq!(seen.len(), ARROWS.len());
}

#[test]
fn the_library_carries_nothing_of_the_command_line() {
    // `cargo tree` resolves features exactly as an embedding program's build does
    let output = std::process::Command::new(env!("CARGO"))
        .args(["tree", "--package", "tenure", "--no-default-features", "--edges", "normal", "--prefix", "none"])
        .args(["--offline", "--format", "{p}"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).expect("names are text");
    let names: Vec<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(names.contains(&"tenure-gc"), "{tree}");
    for forbidden in NOT_IN_THE_LIBRARY {
        assert!(!names.contains(&forbidden), "the library must not depend on {forbidden}");
    }
}

#[test]
fn files_are_short_enough_to_be_read() {
    for path in files(&["rs", "lalrpop"]) {
        let lines = fs::read_to_string(&path).expect("text").lines().count();
        assert!(lines <= SOURCE_LINES_MAX, "{} has {lines} lines: look for the wall that is missing", shown(&path));
    }
}

#[test]
fn rust_files_say_what_they_are() {
    for path in files(&["rs"]) {
        let text = fs::read_to_string(&path).expect("text");
        assert!(text.starts_with("//!"), "{} does not open with `//!`", shown(&path));
    }
}

#[test]
fn unsafe_code_lives_where_it_may() {
    for path in files(&["rs"]) {
        let name = shown(&path);
        let allowed = ["gc/", "runtime/", "compiler/src/codegen/", "compiler/tests/codegen", "advisor/tests/"];
        if allowed.iter().any(|dir| name.starts_with(dir)) || name == "tests/tidy.rs" {
            continue;
        }
        let text = fs::read_to_string(&path).expect("text");
        for (i, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            assert!(!code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|w| w == "unsafe"), "{name}:{}", i + 1);
        }
    }
}

/// Targets of `[text](target)` outside code, with their lines.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut in_code = false;
    for (i, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        // a link's text may be code, but its end is not
        let prose: String = line.split('`').step_by(2).collect::<Vec<_>>().join("`");
        let mut rest = prose.as_str();
        while let Some(at) = rest.find("](") {
            rest = &rest[at + 2..];
            let Some(end) = rest.find(')') else { break };
            found.push((i + 1, rest[..end].to_owned()));
            rest = &rest[end..];
        }
    }
    found
}

/// The fragment mdBook and GitHub give a heading.
fn fragment(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    text.chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

#[test]
fn links_in_documents_lead_somewhere() {
    for path in files(&["md"]) {
        let text = fs::read_to_string(&path).expect("text");
        for (line, target) in links(&text) {
            if target.starts_with("https://") || target.starts_with("http://") {
                continue;
            }
            let (file, anchor) = target.split_once('#').map_or((target.as_str(), None), |(f, a)| (f, Some(a)));
            let file = if file.is_empty() { path.clone() } else { path.parent().expect("a folder").join(file) };
            assert!(file.exists(), "{}:{line} leads to {target}, which is not there", shown(&path));
            if let Some(anchor) = anchor {
                let text = fs::read_to_string(&file).expect("text");
                let found = text.lines().filter(|l| l.starts_with('#')).any(|l| fragment(l) == anchor);
                assert!(found, "{}:{line} leads to {target}, which has no such heading", shown(&path));
            }
        }
    }
}

#[test]
fn every_chapter_is_in_the_books_summary() {
    let source = root().join("book/src");
    let summary = fs::read_to_string(source.join("SUMMARY.md")).expect("a summary");
    let listed: Vec<String> = links(&summary).into_iter().map(|(_, target)| target).collect();
    for path in files(&["md"]).into_iter().filter(|p| p.starts_with(&source)) {
        let name = path.strip_prefix(&source).expect("inside").display().to_string();
        assert!(name == "SUMMARY.md" || listed.contains(&name), "book/src/{name} is not in SUMMARY.md");
    }
}

#[test]
fn the_rules_notice() {
    assert_eq!(links("see [a](b.md#c) and `x`\n```\n[not](me)\n```\n"), [(1, "b.md#c".to_owned())]);
    assert_eq!(fragment("## 3. What it *costs*"), "3-what-it-costs");
}
