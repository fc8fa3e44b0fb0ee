//! Training: the same data give the same bits, bad data are left out or refused, and what is fitted predicts.
#![cfg(feature = "train")]

use tenure_advisor::sim::{Random, Simulation, families};
use tenure_advisor::train::{Cycle, Options, Run, Trained, fit};
use tenure_advisor::{Advisor, Model};
use tenure_gc::policy::{Explore, Outcome};

fn options() -> Options {
    Options { seed: 1, date: "2026-11-22".into(), trained_on: "Simulated runs.".into() }
}

fn runs(rounds: u64, cycles: u64) -> Vec<Run> {
    let mut random = Random::new(5);
    let mut runs = Vec::new();
    for round in 0..rounds {
        for (family, program) in families(&mut random) {
            let mut recorded = Vec::new();
            let mut explorer = Explore::new(random.bits());
            Simulation::new(program, round).run(&mut explorer, cycles, |snapshot, decision, outcome| {
                recorded.push(Cycle { snapshot: *snapshot, decision: *decision, outcome: *outcome });
            });
            runs.push(Run { family: family.into(), cycles: recorded });
        }
    }
    runs
}

fn text(trained: &Trained) -> String {
    serde_json::to_string(&trained.model).expect("a model is plain data")
}

#[test]
fn the_same_data_give_the_same_bits() {
    let runs = runs(2, 600);
    let (a, b) = (fit(&runs, &options()).unwrap(), fit(&runs, &options()).unwrap());
    assert_eq!(text(&a), text(&b));
    assert_eq!(a.card_markdown, b.card_markdown);
}

#[test]
fn what_is_fitted_explains_families_it_never_saw() {
    let trained = fit(&runs(4, 800), &options()).unwrap();
    for kind in &trained.metrics.kinds {
        for output in &kind.outputs[..3] {
            assert!(output.r2_within_runs > 0.2, "{kind:?}");
        }
        assert!(kind.regret < 0.7 * trained.metrics.regret_blind, "{kind:?}");
    }
    // 127 steps are enough
    let [_, twin, network] = trained.metrics.kinds.as_slice() else { panic!("three kinds") };
    assert!(network.regret < 1.05 * twin.regret, "{} {}", network.regret, twin.regret);
    assert!(Advisor::from_model(&trained.model).is_ok());
    assert!(Model::parse(&text(&trained)).is_ok());
    assert!(text(&trained).len() <= 64 << 10);
    assert!(trained.card_markdown.contains("| shifting |"));
}

#[test]
fn too_little_data_is_an_error_that_says_so() {
    let message = fit(&[], &options()).unwrap_err().to_string();
    assert!(message.contains("too few"), "{message}");
    let mut one_family = runs(2, 1200);
    one_family.retain(|run| run.family == "steady");
    one_family.extend(one_family.clone());
    let message = fit(&one_family, &options()).unwrap_err().to_string();
    assert!(message.contains("one family"), "{message}");
}

#[test]
fn rows_with_unusable_numbers_are_left_out_and_counted() {
    let mut runs = runs(2, 800);
    let good = fit(&runs, &options()).unwrap();
    for run in &mut runs {
        for cycle in run.cycles.iter_mut().step_by(5) {
            cycle.outcome.allocated_bytes = 0;
            cycle.outcome.committed_bytes_max = 0;
        }
        for cycle in run.cycles.iter_mut().step_by(7) {
            cycle.decision.knobs.concurrent_start_share = f64::NAN;
        }
        if let Some(last) = run.cycles.last_mut() {
            last.outcome = Outcome { unfinished: true, ..Outcome::default() };
        }
    }
    let poor = fit(&runs, &options()).unwrap();
    assert_eq!(good.metrics.rows_left_out, 0);
    assert!(poor.metrics.rows_left_out > 0);
    assert!(!text(&poor).contains("null"), "serde writes numbers that are none as null");
    assert!(Advisor::from_model(&poor.model).is_ok());
}
