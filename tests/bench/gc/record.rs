//! The record: a section for each row, replaced when the row is measured again.

use crate::{Settings, machine};
use std::fs;
use std::path::PathBuf;

const HEADER: &str = "# The collector's figures\nMade by `cargo bench --bench gc`, which says how to make a row anew. Each section tells when and where it was measured.\n";

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/bench/record/collector.md")
}

/// How a row's section was made: command, date, commit, machine.
pub fn command(row: &str, settings: &Settings) -> String {
    let mut command = format!("cargo bench --bench gc -- {row}");
    if settings.quick {
        command += " --quick";
    }
    if let Some(runs) = settings.runs {
        command += &format!(" --runs {runs}");
    }
    if let Some(policy) = &settings.policy {
        command += &format!(" --gc {policy}");
    }
    let java = machine::says("java", &["-version"]).unwrap_or_else(|| "none".into());
    format!("`{command}`; {}; Java: {java}", machine::description())
}

/// Puts the section in the place of the one of the same row, or at the end.
pub fn replace(row: &str, section: &str) {
    let text = fs::read_to_string(path()).unwrap_or_else(|_| HEADER.to_string());
    let title = format!("## {row}\n");
    let mut parts: Vec<String> = Vec::new();
    for line in text.split_inclusive('\n') {
        if line.starts_with("## ") || parts.is_empty() {
            parts.push(String::new());
        }
        parts.last_mut().expect("one was pushed").push_str(line);
    }
    let section = format!("{section}\n");
    match parts.iter_mut().find(|part| part.starts_with(&title)) {
        Some(part) => *part = section,
        None => parts.push(section),
    }
    fs::write(path(), parts.concat().trim_end().to_string() + "\n").expect("the record can be written");
}
