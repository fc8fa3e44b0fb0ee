//! Runs every file below `tests/conformance`: one behaviour a file, what it must do written beside the line.
//!
//! - `// expect: TEXT` — the next line of standard output; the program ends well unless it also has a `trap` or `exit`.
//! - `// trap: KIND` — the program ends with an uncaught error of this kind, exit status 1 (137 for the heap limit).
//! - `// exit: STATUS` — the program ends with this status.
//! - `// error: E0301` — checking reports this code on this very line, and nothing that no line expects; nothing runs.
//! - `// warning: E0402` — the same for a warning, with which the file still passes.
//! - `// options: --fuel=1000` — options of the command line; `// arguments: a b` — the script's arguments.
//! - `// command: test` — runs `tenure test`, each of whose `// expect-part: TEXT` some line of output contains, in order.
//! - `// engines: compiled` — the evaluator has no heap limit, so it can't run this file.
//!
//! Each file that runs, runs on the evaluator and on compiled code, under every policy, and under zeal. `README.md`
//! beside the files says which rule each file holds.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What a file says about itself.
#[derive(Default)]
struct Expected {
    output: Vec<String>,
    /// Instead of `output` where the command writes lines of its own.
    parts: Vec<String>,
    trap: Option<String>,
    exit: Option<i32>,
    /// Line, from 1, and code; of warnings too.
    reports: Vec<(usize, String)>,
    has_error: bool,
    command: Option<String>,
    options: Vec<String>,
    arguments: Vec<String>,
    compiled_only: bool,
}

impl Expected {
    fn read(path: &Path) -> Expected {
        let text = std::fs::read_to_string(path).expect("conformance files are readable text");
        let mut expected = Expected::default();
        for (index, line) in text.lines().enumerate() {
            let words = |text: &str| text.split_whitespace().map(str::to_string).collect();
            if let Some((_, output)) = line.split_once("// expect: ") {
                expected.output.push(output.to_string());
            } else if let Some(part) = line.strip_prefix("// expect-part: ") {
                expected.parts.push(part.to_string());
            } else if let Some(status) = line.strip_prefix("// exit: ") {
                expected.exit = Some(status.trim().parse().expect("an exit status is a number"));
            } else if let Some(command) = line.strip_prefix("// command: ") {
                expected.command = Some(command.trim().to_string());
            } else if let Some(options) = line.strip_prefix("// options: ") {
                expected.options = words(options);
            } else if let Some(arguments) = line.strip_prefix("// arguments: ") {
                expected.arguments = words(arguments);
            } else if line == "// engines: compiled" {
                expected.compiled_only = true;
            } else if let Some((_, kind)) = line.split_once("// trap: ") {
                expected.trap = Some(kind.trim().to_string());
            } else if let Some((_, code)) = line.split_once("// error: ") {
                expected.has_error = true;
                expected.reports.push((index + 1, code.trim().to_string()));
            } else if let Some((_, code)) = line.split_once("// warning: ") {
                expected.reports.push((index + 1, code.trim().to_string()));
            }
        }
        let nothing = expected.output.is_empty() && expected.parts.is_empty() && expected.reports.is_empty();
        let ends_well = expected.trap.is_none() && expected.exit.is_none();
        assert!(!(nothing && ends_well), "{} expects nothing", path.display());
        expected
    }

    /// What is wrong with this run, if anything.
    fn judge(&self, output: &Output) -> Result<(), String> {
        let stdout = String::from_utf8_lossy(&output.stdout);
        let stderr = String::from_utf8_lossy(&output.stderr);
        let lines: Vec<&str> = stdout.lines().collect();
        if self.command.is_some() {
            let mut rest = lines.iter();
            if let Some(part) = self.parts.iter().find(|part| !rest.any(|line| line.contains(part.as_str()))) {
                return Err(format!("no `{part}`, or not in this order, in\n{stdout}\n{stderr}"));
            }
        } else if lines != self.output {
            return Err(format!("printed\n{stdout}\ninstead of\n{}\n{stderr}", self.output.join("\n")));
        }
        let code = output.status.code();
        match &self.trap {
            None if code == Some(self.exit.unwrap_or(0)) => Ok(()),
            None => Err(format!("ended with {}\n{stderr}", output.status)),
            Some(kind) => {
                let wanted = if kind == "out_of_memory" { 137 } else { 1 };
                if code != Some(wanted) {
                    Err(format!("ended with {}, not {wanted}\n{stderr}", output.status))
                } else if !stderr.contains(&format!("[{kind}]")) {
                    Err(format!("no error of kind [{kind}] in\n{stderr}"))
                } else {
                    Ok(())
                }
            }
        }
    }
}

fn files(below: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance").join(below);
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("its entries are readable").path())
        .filter(|path| path.extension().is_some_and(|e| e == "ten"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no files below {}", folder.display());
    files
}

/// Runs `check` on every file, on as many threads as there are processors, and reports all failures together.
fn for_each(files: &[PathBuf], check: impl Fn(&Path) -> Result<(), String> + Sync) {
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(path) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(reason) = check(path) {
                        failures.lock().expect("no check panics").push(format!("{}: {reason}", path.display()));
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().expect("no check panics");
    assert!(failures.is_empty(), "{} of {} files failed\n\n{}", failures.len(), files.len(), failures.join("\n\n"));
}

fn tenure(options: &[&str], file: &Path, arguments: &[String]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tenure"))
        .args(options)
        .arg(file)
        .args(arguments)
        .env("NO_COLOR", "1")
        .output()
        .expect("the tenure binary starts")
}

fn run_all(folders: &[&str], options: &[&str]) {
    let files: Vec<PathBuf> = folders.iter().flat_map(|folder| files(folder)).collect();
    for_each(&files, |path| {
        let expected = Expected::read(path);
        if expected.compiled_only && options.contains(&"--evaluate") {
            return Ok(());
        }
        let own = expected.options.iter().map(String::as_str);
        let all: Vec<&str> =
            expected.command.as_deref().into_iter().chain(options.iter().copied()).chain(own).collect();
        expected.judge(&tenure(&all, path, &expected.arguments))
    });
}

const ALL: &[&str] = &["language", "core", "limit"];
/// `limit` is left out where the heap is under stress: its programs are about the edge of what fits.
const UNDER_STRESS: &[&str] = &["language", "core", "collect"];
/// `collect` is about what the collector does, and the evaluator has none.
const COMPILED: &[&str] = &["language", "core", "limit", "collect"];
/// Young collections every few kilobytes, full ones and marking cycles in between, everything verified.
const ZEAL: &[&str] = &["--gc-zeal=young:4K,full:64K,mark:16K", "--gc-verify"];

/// The evaluator has a heap of its own, which never collects: policy and zeal don't reach it.
#[test]
fn evaluator() {
    run_all(ALL, &["--evaluate"]);
}

/// One test a cell of {policy} × {normal, zeal} for compiled code.
macro_rules! compiled {
    ($($policy:literal: $normal:ident, $zeal:ident;)*) => {$(
        #[test]
        fn $normal() {
            run_all(if $policy == "adversarial" { UNDER_STRESS } else { COMPILED }, &[concat!("--gc=", $policy)]);
        }

        #[test]
        fn $zeal() {
            run_all(UNDER_STRESS, &[&[concat!("--gc=", $policy)], ZEAL].concat());
        }
    )*};
}

compiled! {
    "static": compiled_static, compiled_static_zeal;
    "adaptive": compiled_adaptive, compiled_adaptive_zeal;
    "advisor": compiled_advisor, compiled_advisor_zeal;
    "adversarial": compiled_adversarial, compiled_adversarial_zeal;
}

/// Marking in slices of a few slots, so that programs run and young collections come between any two of them.
#[test]
fn compiled_slices_zeal() {
    run_all(UNDER_STRESS, &["--gc=adversarial", "--gc-zeal=young:4K,mark:8K,slice:1K", "--gc-verify"]);
}

/// Collections at polls, where code that neither allocates nor calls holds its references; and objects that must not move.
#[test]
fn compiled_polls_zeal() {
    run_all(UNDER_STRESS, &["--gc=static", "--gc-zeal=poll:20000,pin:3,young:8K,mark:32K,full:256K", "--gc-verify"]);
}

/// Tables beside the heap that can't grow: full collections, markings given up, regions left alone, the same output.
#[test]
fn compiled_tables_zeal() {
    run_all(UNDER_STRESS, &["--gc=static", "--gc-zeal=tables:1000,young:8K,mark:32K", "--gc-verify"]);
}

#[test]
fn errors() {
    for_each(&files("error"), |path| {
        let expected = Expected::read(path);
        let output = tenure(&["check", "--format=json"], path, &[]);
        if output.status.code() != Some(i32::from(expected.has_error)) {
            return Err(format!("check ended with {}", output.status));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let found = reported(&text)?;
        for (line, code) in &expected.reports {
            if !found.iter().any(|(l, c)| l == line && c == code) {
                return Err(format!("no {code} on line {line} in\n{text}"));
            }
        }
        for (line, code) in &found {
            if !expected.reports.iter().any(|(l, c)| l == line && code == c) {
                return Err(format!("{code} on line {line} is not expected"));
            }
        }
        Ok(())
    });
}

/// Each file is named in `README.md`, beside the rule that it holds, and each file named there exists.
#[test]
fn every_rule_has_its_files() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance");
    let text = std::fs::read_to_string(root.join("README.md")).expect("the list of rules is there");
    let mut named: Vec<String> = Vec::new();
    for rule in text.lines().filter(|line| line.starts_with("- ")) {
        let held = named.len();
        // the names stand behind the last ` — `, each in backticks
        let (_, names) = rule.rsplit_once(" — ").unwrap_or_else(|| panic!("no files for: {rule}"));
        named.extend(names.split('`').skip(1).step_by(2).map(str::to_string));
        assert!(named.len() > held, "no files for: {rule}");
    }
    let present: Vec<String> = ["language", "core", "collect", "limit", "error"]
        .iter()
        .flat_map(|folder| files(folder).into_iter().map(move |path| (folder, path)))
        .map(|(folder, path)| format!("{folder}/{}", path.file_stem().expect("a file has a name").to_string_lossy()))
        .collect();
    let unnamed: Vec<&String> = present.iter().filter(|file| !named.contains(file)).collect();
    let missing: Vec<&String> = named.iter().filter(|file| !present.contains(file)).collect();
    assert!(unnamed.is_empty(), "README.md names no rule for {unnamed:?}");
    assert!(missing.is_empty(), "README.md names what is not there: {missing:?}");
}

/// Line and code of each diagnostic in the JSON output: one object a line.
fn reported(text: &str) -> Result<Vec<(usize, String)>, String> {
    text.lines()
        .map(|line| {
            let value: serde_json::Value = serde_json::from_str(line).map_err(|e| format!("{e} in {line}"))?;
            let number = value["place"]["line"].as_u64().ok_or_else(|| format!("no line in {line}"))?;
            let code = value["code"].as_str().ok_or_else(|| format!("no code in {line}"))?;
            Ok((number as usize, code.to_string()))
        })
        .collect()
}
