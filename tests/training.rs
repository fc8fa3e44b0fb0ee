//! Training: the same data give the same model, bit for bit, on whatever machine and at whatever time; and a training that was
//! stopped goes on where it stopped.
//!
//! `tests/data/training` holds the data of a small training (twelve workloads, 96 runs, time counted as work) and the model that
//! was fitted to it. `BLESS=1` writes the model anew, after a change of the fit.

mod support;

use std::fs;
use std::path::Path;
use support::tenure;

#[test]
fn a_model_is_made_again_from_its_data_bit_for_bit() {
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/training");
    let dir = tempfile::tempdir().expect("a folder");
    let data = recorded.join("model.data");
    let said =
        tenure(&["train", &format!("--from={}", data.display()), &format!("--out={}", dir.path().display())]).ok();
    assert!(said.contains("on families left out"), "{said}");
    for name in ["model.json", "model.md"] {
        let made = fs::read_to_string(dir.path().join(name)).expect("made");
        if std::env::var_os("BLESS").is_some() {
            fs::write(recorded.join(name), &made).expect("written");
        }
        assert!(
            made == fs::read_to_string(recorded.join(name)).expect("recorded"),
            "{name} differs from the recorded one"
        );
    }
    // and it is a model that the advisor takes
    let model = format!("--model={}", dir.path().join("model.json").display());
    let run = tenure(&[&model, "--max-heap=32M", "examples/lru_cache.ten", "100000", "30000", "3000"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
}

#[test]
fn what_was_recorded_is_not_run_again() {
    let dir = tempfile::tempdir().expect("a folder");
    let corpus = dir.path().join("corpus");
    fs::create_dir(&corpus).expect("made");
    let script = corpus.join("a.ten");
    fs::write(
        &script,
        "// Family: lists\n// train: 3000\nvar n = 0\nfor i in 0..int.parse(args[0])! { n += [i].len() }\n",
    )
    .expect("written");
    let out = dir.path().join("out");
    let train = |corpus: &Path| {
        let (corpus, out) = (format!("--corpus={}", corpus.display()), format!("--out={}", out.display()));
        tenure(&["train", "--work-clock", "--runs=2", &corpus, &out]).fails(1)
    };
    // two short runs teach nothing, and that is said; their journals stay
    assert!(train(&corpus).contains("usable rows"));
    assert_eq!(fs::read_dir(out.join("journals")).expect("journals").count(), 2);
    fs::write(&script, "panic(\"run again\")\n").expect("written");
    assert!(train(&corpus).contains("usable rows"));
    fs::remove_file(out.join("journals/a-1.tgj")).expect("removed");
    assert!(train(&corpus).contains("run again"));
}

#[test]
fn data_that_cannot_be_used_are_named() {
    let dir = tempfile::tempdir().expect("a folder");
    let out = format!("--out={}", dir.path().display());
    let said = tenure(&["train", "--from=examples/hello.ten", &out]).fails(1);
    assert!(said.contains("hello.ten") && said.contains("no training data"), "{said}");
}
