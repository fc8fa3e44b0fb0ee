//! Every example prints the same under all policies at full size, and under zeal and in the evaluator on small input; every
//! workload that the advisor is trained on does on small input.
//!
//! An example states its arguments in its head, `// small: …` and `// full: …`; what it prints stands beside it in
//! `expected/NAME.small.txt` and `NAME.full.txt`. `TENURE_BLESS=1` writes those files from the evaluator (small)
//! and the static policy (full) instead of comparing.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use support::tenure;

struct Example {
    name: String,
    /// From the repository's root.
    folder: &'static str,
    path: String,
    small: Vec<String>,
    full: Vec<String>,
}

const EXAMPLES: &str = "examples";
const WORKLOADS: &str = "examples/workloads";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn programs(folder: &'static str) -> Vec<Example> {
    let entries = fs::read_dir(root().join(folder)).expect("the examples").map(|e| e.expect("an entry").path());
    let mut paths: Vec<PathBuf> = entries.filter(|p| p.extension().is_some_and(|e| e == "ten")).collect();
    paths.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("text");
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let arguments = |size: &str| {
            let mark = format!("// {size}:");
            let line = text.lines().find_map(|l| l.strip_prefix(&mark));
            let line = line.unwrap_or_else(|| panic!("{name} has no line `{mark} …`"));
            line.split_whitespace().map(str::to_owned).collect()
        };
        Example {
            path: format!("{folder}/{name}.ten"),
            folder,
            small: arguments("small"),
            full: arguments("full"),
            name,
        }
    };
    paths.into_iter().map(read).collect()
}

/// What a run printed; it must have ended well.
fn run(options: &[&str], example: &Example, arguments: &[String]) -> String {
    let mut args = options.to_vec();
    args.push(&example.path);
    args.extend(arguments.iter().map(String::as_str));
    tenure(&args).ok()
}

/// Compares with the expected text, or makes it.
fn check(example: &Example, size: &str, how: &str, printed: &str) {
    let path = root().join(format!("{}/expected/{}.{size}.txt", example.folder, example.name));
    if std::env::var_os("TENURE_BLESS").is_some() && !path.exists() {
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(&path, printed).expect("written");
    }
    let expected =
        fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}; TENURE_BLESS=1 makes it", path.display()));
    assert!(
        printed == expected,
        "{} printed something else under {how}, {size} input:\n{printed}\nexpected:\n{expected}",
        example.name
    );
}

#[test]
fn at_full_size_every_policy_gives_the_same() {
    for example in programs(EXAMPLES) {
        for policy in ["static", "adaptive", "advisor"] {
            let printed = run(&[&format!("--gc={policy}")], &example, &example.full);
            check(&example, "full", policy, &printed);
        }
    }
}

#[test]
fn on_small_input_the_evaluator_and_every_zeal_mode_give_the_same() {
    for example in programs(EXAMPLES) {
        let printed = run(&["--evaluate"], &example, &example.small);
        check(&example, "small", "the evaluator", &printed);
        for options in [
            &["--gc=advisor"][..],
            &["--gc-zeal=young:64K", "--gc-verify"],
            &["--gc-zeal=young:16K"],
            &["--gc-zeal=full:256K"],
            &["--gc-zeal=mark:128K", "--gc-verify"],
            &["--gc-zeal=move:128K"],
            &["--gc-zeal=copyfail:7,young:64K"],
            &["--gc=adversarial", "--gc-zeal=young:64K"],
        ] {
            let printed = run(options, &example, &example.small);
            check(&example, "small", &options.join(" "), &printed);
        }
    }
}

#[test]
fn workloads_on_small_input_give_the_same_in_the_evaluator_under_policies_and_zeal() {
    for workload in programs(WORKLOADS) {
        for options in [
            &["--evaluate"][..],
            &["--gc=advisor"],
            &["--gc-zeal=young:64K", "--gc-verify"],
            &["--gc-zeal=mark:128K,full:1M"],
            &["--gc=adversarial", "--gc-zeal=young:64K,copyfail:7"],
        ] {
            let printed = run(options, &workload, &workload.small);
            check(&workload, "small", &options.join(" "), &printed);
        }
    }
}

/// Families must be many for models to be judged on ones they have not seen; each program must be able to run in several
/// ways, and say what it takes.
#[test]
fn the_workloads_are_many_and_of_many_families() {
    let mut families = std::collections::BTreeMap::new();
    for workload in programs(WORKLOADS) {
        let text = fs::read_to_string(root().join(&workload.path)).expect("text");
        let line = |mark: &str| text.lines().find_map(|line| line.strip_prefix(mark));
        let family = line("// Family: ").unwrap_or_else(|| panic!("{} has no family", workload.name));
        *families.entry(family.to_owned()).or_insert(0) += 1;
        let named = line("// Arguments: ").unwrap_or_default().split(',').count();
        let train: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("// train: ")).collect();
        assert!(train.len() >= 2, "{} can be trained on in one way only", workload.name);
        for arguments in train.iter().map(|l| l.split(' ').count()).chain([workload.small.len(), workload.full.len()]) {
            assert_eq!(arguments, named, "{}: as many arguments as are named", workload.name);
        }
    }
    assert!(families.values().sum::<i32>() >= 24 && families.len() >= 8, "{families:?}");
}
