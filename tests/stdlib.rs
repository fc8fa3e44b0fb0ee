//! Runs the standard library's own tests, which are written in the language, under every policy and under zeal.

mod support;

use std::path::Path;
use support::tenure;

fn run_all(options: &[&str]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("stdlib/tests");
    let mut files: Vec<String> = std::fs::read_dir(&folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("readable").path().display().to_string())
        .filter(|path| path.ends_with(".ten"))
        .collect();
    files.sort();
    assert!(files.len() >= 4, "the tests were found");
    let mut args = vec!["test"];
    args.extend(options);
    args.extend(files.iter().map(String::as_str));
    let run = tenure(&args);
    assert_eq!(run.code, 0, "{options:?}\n{}\n{}", run.stdout, run.stderr);
    let summary = run.stdout.lines().last().unwrap_or_default();
    let passed: usize = summary.split(' ').next().and_then(|n| n.parse().ok()).expect("a count of passed tests");
    assert!(passed > 30, "{summary}");
}

#[test]
fn under_every_policy() {
    for policy in ["static", "adaptive", "advisor", "adversarial"] {
        run_all(&[&format!("--gc={policy}")]);
    }
}

#[test]
fn under_zeal() {
    for zeal in ["young:64K", "full:256K", "mark:128K", "move:128K", "young:64K,copyfail:7"] {
        run_all(&[&format!("--gc-zeal={zeal}"), "--gc-verify"]);
    }
}
