//! `tenure bench --suite=advisor` on two tiny programs: it comes to verdicts, keeps what it ran, and runs nothing twice.

mod support;

use std::fs;
use std::path::Path;
use support::tenure;

/// A folder with two workloads, of sizes that take no time.
fn workloads(dir: &Path) {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/workloads");
    for name in ["list_sort", "tree_builder"] {
        fs::copy(own.join(name).with_extension("ten"), dir.join(name).with_extension("ten")).expect("copied");
    }
    let table = "program,family,arguments,minimum_bytes\n\
                 list_sort,functional,4 2000 3 1,1200000\n\
                 tree_builder,trees,1500 10 20 1,1048576\n";
    fs::write(dir.join("suite_heaps.csv"), table).expect("written");
}

#[test]
fn the_suite_judges_and_goes_on_where_it_was() {
    let dir = tempfile::tempdir().expect("a folder");
    workloads(dir.path());
    let path = |name: &str| dir.path().join(name).display().to_string();
    let [own, results, plots] =
        [("workloads", "."), ("results", "results"), ("plot", "plots")].map(|(o, n)| format!("--{o}={}", path(n)));
    let suite = ["bench", "--suite=advisor", "--quick", &own, &results, &plots, "--data=no/such.data"];
    let kept = || fs::read_to_string(dir.path().join("results/runs.jsonl")).expect("results").lines().count();

    // half of it first, as if it had been stopped
    let half = tenure(&[&suite[..], &["--only=list_sort"]].concat()).ok();
    assert!(half.contains("| list_sort") && !half.contains("| tree_builder"), "{half}");
    let before = kept();
    let whole = tenure(&suite).ok();
    let after = kept();
    assert!(after > before, "{before} runs, then {after}");
    for word in ["gap between adaptive and oracle closed", "missed", "tree_builder", "WHICH KNOWS THE FAMILIES"] {
        assert!(whole.contains(word), "{word} in {whole}");
    }
    for picture in ["costs", "memory", "violations"] {
        let svg = fs::read_to_string(dir.path().join("plots").join(picture).with_extension("svg")).expect("drawn");
        assert!(svg.contains("</svg>"), "{picture}");
    }
    // what is kept is not run again, and says the same
    let again = tenure(&[&suite[..], &["--json"]].concat()).ok();
    assert_eq!(kept(), after);
    let json: serde_json::Value = serde_json::from_str(&again).expect("JSON");
    let bars = json["parts"]["Real runs"].as_array().expect("bars");
    let shown = |bar: &serde_json::Value| format!("{:.1} %", bar["value"].as_f64().expect("a value") * 100.0);
    let gap = whole.lines().find(|line| line.contains("gap between")).expect("a line");
    assert!(gap.contains(&shown(&bars[0])), "{} in {gap}", bars[0]);
    assert_eq!(json["programs"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_suite_says_what_is_wrong_with_its_options() {
    let said = tenure(&["bench", "--suite=advisor", "--workloads=no/such/folder"]).fails(1);
    assert!(said.contains("no/such/folder"), "{said}");
    assert!(tenure(&["bench", "--quick", "examples/hello.ten"]).fails(2).contains("--quick"));
    assert!(tenure(&["bench", "--suite=advisor", "examples/hello.ten"]).fails(2).contains("--suite"));
}
