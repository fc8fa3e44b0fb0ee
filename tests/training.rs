//! Training: the same data give the same model, bit for bit, on whatever machine and at whatever time; and a training that was
//! stopped goes on where it stopped.
//!
//! `tests/data/training` holds the data of a small training (twelve workloads, 96 runs, time counted as work) and the model that
//! was fitted to it. `BLESS=1` writes the model anew, after a change of the fit. The shipped model is made again likewise, from the
//! data that its card says it was recorded with.

mod support;

use std::fs;
use std::path::Path;
use support::tenure;

/// What the card of a model says whose data stand beside it.
const DATA_ARE_KEPT: &str = "made again from the data beside it, bit for bit";
/// The data of the shipped model, compressed.
const DATA_BYTES_MAX: u64 = 5 << 20;

/// Makes the model of `folder/name.data` again and compares it with the one beside it.
#[track_caller]
fn makes_again(folder: &str, name: &str) {
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let dir = tempfile::tempdir().expect("a folder");
    let data = recorded.join(format!("{name}.data"));
    let said =
        tenure(&["train", &format!("--from={}", data.display()), &format!("--out={}", dir.path().display())]).ok();
    assert!(said.contains("on families left out"), "{said}");
    for ending in ["json", "md"] {
        let made = fs::read_to_string(dir.path().join(format!("model.{ending}"))).expect("made");
        let beside = recorded.join(format!("{name}.{ending}"));
        if std::env::var_os("BLESS").is_some() {
            fs::write(&beside, &made).expect("written");
        }
        assert!(
            made == fs::read_to_string(&beside).expect("recorded"),
            "{} differs from the recorded one",
            beside.display()
        );
    }
    // and it is a model that the advisor takes
    let model = format!("--model={}", dir.path().join("model.json").display());
    let run = tenure(&[&model, "--max-heap=32M", "examples/lru_cache.ten", "100000", "30000", "3000"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
}

#[test]
fn a_model_is_made_again_from_its_data_bit_for_bit() {
    makes_again("tests/data/training", "model");
}

#[test]
fn the_shipped_model_is_made_again_from_its_data_bit_for_bit() {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("advisor/models");
    let card = fs::read_to_string(models.join("default.md")).expect("the shipped model's card");
    // every card of a fit says that its data are kept; only the first model, converted by hand, has none
    if card.contains(DATA_ARE_KEPT) {
        assert!(fs::metadata(models.join("default.data")).expect("the data of the card").len() <= DATA_BYTES_MAX);
        makes_again("advisor/models", "default");
    } else {
        assert!(card.contains("(converted: same numbers)") && !models.join("default.data").exists(), "{card}");
    }
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
