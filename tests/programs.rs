//! Runs the benchmark programs at small sizes and holds them to the results in `tests/bench/programs/results.md`: under
//! every policy, under zeal, and, where the table says so, on the evaluator.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bench/programs")
}

/// A row of the table.
struct Known {
    /// Program and arguments.
    command: Vec<String>,
    /// What standard input reads.
    input: Option<String>,
    result: Expected,
    evaluated: bool,
}

enum Expected {
    LastLine(String),
    /// Standard output as a whole, byte for byte.
    File(String),
}

fn known_results() -> Vec<Known> {
    let table = std::fs::read_to_string(folder().join("results.md")).expect("the table is there");
    let rows: Vec<Known> = table.lines().filter(|line| line.starts_with("| `")).map(row).collect();
    assert!(rows.len() > 20, "the table was read");
    rows
}

fn row(line: &str) -> Known {
    let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
    let [command, result, evaluated] = cells[..] else { panic!("three cells in {line}") };
    let code = |cell: &str| cell.trim_matches('`').to_string();
    let command = code(command);
    let (command, input) = match command.split_once(" < ") {
        Some((command, input)) => (command, Some(input.to_string())),
        None => (command.as_str(), None),
    };
    Known {
        command: command.split(' ').map(String::from).collect(),
        input,
        result: match result.strip_prefix("all of ") {
            Some(file) => Expected::File(code(file)),
            None => Expected::LastLine(code(result)),
        },
        evaluated: match evaluated {
            "yes" => true,
            "no" => false,
            _ => panic!("yes or no in {line}"),
        },
    }
}

/// Runs `command` with the arguments and the input of a row and compares what it prints.
fn hold(command: &mut Command, known: &Known) {
    let input = match &known.input {
        Some(file) => File::open(folder().join(file)).expect("the input is there").into(),
        None => Stdio::null(),
    };
    let output = command.args(&known.command[1..]).stdin(input).output().expect("the program starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{stderr}", output.status);
    match &known.result {
        Expected::LastLine(line) => {
            let stdout = String::from_utf8_lossy(&output.stdout);
            assert_eq!(stdout.lines().last(), Some(line.as_str()), "{command:?}");
        }
        Expected::File(file) => {
            let whole = std::fs::read(folder().join(file)).expect("the known output is there");
            let same = output.stdout == whole;
            assert!(same, "{command:?} differs from {file}:\n{}", String::from_utf8_lossy(&output.stdout));
        }
    }
}

fn run(options: &[&str], known: &Known) {
    let mut tenure = Command::new(env!("CARGO_BIN_EXE_tenure"));
    hold(tenure.args(options).arg(folder().join(&known.command[0])), known);
}

fn run_all(options: &[&str]) {
    for known in known_results() {
        run(options, &known);
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
fn under_the_adversarial_policy() {
    run_all(&["--gc=adversarial", "--gc-seed=7"]);
}

#[test]
fn under_zeal() {
    run_all(&["--gc=adaptive", "--gc-zeal=young:256K,mark:1M", "--gc-verify"]);
}

#[test]
fn on_the_evaluator() {
    for known in known_results().iter().filter(|known| known.evaluated) {
        run(&["--evaluate"], known);
    }
}

/// Where the same programs lie in other languages.
fn race(language: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bench/race").join(language)
}

fn is_installed(program: &str) -> bool {
    let there = Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
    if !there {
        eprintln!("{program} is not installed: its programs were skipped");
    }
    there
}

#[test]
fn peers_in_javascript_print_the_same() {
    if !is_installed("node") {
        return;
    }
    let mut held = 0;
    for known in known_results() {
        let file = race("js").join(&known.command[0]).with_extension("js");
        if file.exists() {
            hold(Command::new("node").arg(file), &known);
            held += 1;
        }
    }
    assert!(held > 20, "{held} programs were found");
}

#[test]
fn peers_in_java_print_the_same() {
    if !is_installed("javac") || !is_installed("java") {
        return;
    }
    let classes = Path::new(env!("CARGO_TARGET_TMPDIR")).join("race");
    let sources = std::fs::read_dir(race("java")).expect("the folder is there");
    let sources = sources.map(|entry| entry.expect("its entries are readable").path());
    let compiled = Command::new("javac").arg("-d").arg(&classes).args(sources).status().expect("javac starts");
    assert!(compiled.success(), "the sources compile");
    let mut held = 0;
    for known in known_results() {
        let class = class_name(&known.command[0]);
        if classes.join(&class).with_extension("class").exists() {
            hold(Command::new("java").arg("-cp").arg(&classes).arg(class), &known);
            held += 1;
        }
    }
    assert!(held > 20, "{held} programs were found");
}

/// `BinaryTrees` of `binary_trees.ten`; `NBody` keeps the capitals of its usual name.
fn class_name(file: &str) -> String {
    let stem = file.strip_suffix(".ten").expect("a program of ours");
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    if stem == "nbody" { "NBody".into() } else { stem.split('_').map(capital).collect() }
}
