//! Runs the benchmark programs at small sizes and holds them to the results in `tests/bench/programs/results.md`,
//! under every policy and, for those that allocate, under zeal.

use std::path::{Path, PathBuf};
use std::process::Command;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bench/programs")
}

/// Command line and last line printed, from the table.
fn known_results() -> Vec<(Vec<String>, String)> {
    let table = std::fs::read_to_string(folder().join("results.md")).expect("the table is there");
    let rows: Vec<_> = table
        .lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("| `")?.split("` | `");
            let command = cells.next()?.split(' ').map(String::from).collect();
            Some((command, cells.next()?.strip_suffix("` |")?.to_string()))
        })
        .collect();
    assert!(rows.len() > 10, "the table was read");
    rows
}

fn run_all(options: &[&str]) {
    for (command, result) in known_results() {
        let output = Command::new(env!("CARGO_BIN_EXE_tenure"))
            .args(options)
            .arg(folder().join(&command[0]))
            .args(&command[1..])
            .output()
            .expect("the tenure binary starts");
        let stdout = String::from_utf8_lossy(&output.stdout);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command:?} {options:?}: {}\n{stderr}", output.status);
        assert_eq!(stdout.lines().last(), Some(result.as_str()), "{command:?} {options:?}");
    }
}

#[test]
fn under_the_static_policy() {
    run_all(&["--gc=static"]);
}

#[test]
fn under_the_adaptive_policy() {
    run_all(&["--gc=adaptive"]);
}

#[test]
fn under_the_advisor() {
    run_all(&["--gc=advisor"]);
}

#[test]
fn under_zeal() {
    run_all(&["--gc=adaptive", "--gc-zeal=young:256K,mark:1M", "--gc-verify"]);
}
