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

/// `book/src/stdlib` is made from the library's `///` comments; `TENURE_BLESS=1` makes it anew.
#[test]
fn the_books_pages_are_those_of_the_sources() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("book/src/stdlib");
    let bless = std::env::var_os("TENURE_BLESS").is_some();
    for (name, page) in tenure::library_pages() {
        let path = folder.join(&name).with_extension("md");
        if bless {
            std::fs::write(&path, &page).expect("the folder is writable");
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(found, page, "{} is stale: run with TENURE_BLESS=1", path.display());
    }
}
