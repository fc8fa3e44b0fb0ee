//! The standard library's own tests, written in the language: under the default policy, under eager collection with
//! verification, and with knobs that make no sense.

mod support;

use std::fs;
use std::path::Path;
use support::tenure;

fn files() -> Vec<String> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("stdlib/tests");
    let entries = fs::read_dir(dir).expect("the library's tests").map(|e| e.expect("an entry").path());
    let mut files: Vec<String> =
        entries.filter(|p| p.extension().is_some_and(|e| e == "ten")).map(|p| p.display().to_string()).collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

#[track_caller]
fn all_pass(options: &[&str]) {
    let files = files();
    let mut args = vec!["test"];
    args.extend(options);
    args.extend(files.iter().map(String::as_str));
    let run = tenure(&args);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    assert!(!run.stdout.contains("0 passed"), "{}", run.stdout);
}

#[test]
fn the_library_passes_its_tests() {
    all_pass(&[]);
}

#[test]
fn the_library_passes_its_tests_under_eager_collection() {
    all_pass(&["--gc-zeal=young:64K,full:1M", "--gc-verify"]);
}

#[test]
fn the_library_passes_its_tests_under_a_hostile_policy() {
    all_pass(&["--gc=adversarial", "--gc-zeal=young:32K"]);
}
