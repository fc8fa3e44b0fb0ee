//! The classes' tests: labels, names, hysteresis, and what is no number.

use super::behaviour::{FEATURE_COUNT, FEATURES};
use super::*;
use tenure_gc::policy::{Envelope, Knobs, Snapshot};

/// Two classes that differ in survival.
fn model() -> ClassFile {
    let survival_at = FEATURES.iter().position(|name| *name == "survival_root").expect("a feature");
    let class = |name: WorkloadClass, survival: f64| {
        let mut mean = vec![0.0; FEATURE_COUNT];
        mean[survival_at] = survival;
        ClassFit {
            name: name.name().into(),
            share: 0.5,
            mean,
            variance: vec![0.25; FEATURE_COUNT],
            prior: ClassPrior::default(),
        }
    };
    let mut ranges = vec![[0.0, 1e9, -1e9, 1e9]; FEATURE_COUNT];
    ranges[survival_at] = [0.5, 0.25, 0.0, 1.0];
    ClassFile {
        features: FEATURES.map(str::to_owned).to_vec(),
        ranges,
        classes: vec![class(WorkloadClass::ShortLived, -1.5), class(WorkloadClass::Surviving, 1.5)],
    }
}

fn snapshot(cycle: u64, survived: u64) -> Snapshot {
    Snapshot {
        cycle,
        allocated_bytes: 100,
        mutator_cpu_ns: 100,
        young_bytes: 100,
        survived_bytes: survived,
        ..Snapshot::default()
    }
}

#[test]
fn a_class_is_told_and_changes_only_when_another_leads() {
    let mut classifier = Classifier::new(Arc::new(ClassModel::new(&model()).expect("usable")));
    let mut changes = Vec::new();
    for cycle in 0..120 {
        // a single odd cycle in each half, and a change of habits in the middle
        let survived = if (cycle / 60 == 0) != (cycle % 60 == 30) { 5 } else { 95 };
        classifier.observe(&snapshot(cycle, survived));
        let label = classifier.label();
        assert!((0.0..=1.0).contains(&label.probability));
        if changes.last().is_none_or(|(_, class)| *class != label.class) {
            changes.push((cycle, label.class));
        }
    }
    let classes: Vec<WorkloadClass> = changes.iter().map(|(_, class)| *class).collect();
    assert_eq!(classes, [WorkloadClass::Unknown, WorkloadClass::ShortLived, WorkloadClass::Surviving], "{changes:?}");
}

#[test]
fn without_a_model_the_class_is_unknown() {
    let mut classifier = Classifier::new(Arc::default());
    (0..20).for_each(|cycle| classifier.observe(&snapshot(cycle, 5)));
    assert_eq!(classifier.label(), Label::default());
    assert!(classifier.prior().is_none());
}

#[test]
fn whatever_snapshots_hold_probabilities_are_numbers() {
    let mut classifier = Classifier::new(Arc::new(ClassModel::new(&model()).expect("usable")));
    for cycle in 0..100 {
        let extreme = |odd: u64| if cycle % odd == 0 { u64::MAX } else { 0 };
        classifier.observe(&Snapshot {
            cycle,
            allocated_bytes: extreme(2),
            large_allocated_bytes: extreme(3),
            promoted_bytes: extreme(5),
            mutator_cpu_ns: extreme(4),
            young_bytes: extreme(3),
            old_freed_bytes: extreme(2),
            old_bytes: extreme(7),
            ..Snapshot::default()
        });
        assert!((0.0..=1.0).contains(&classifier.label().probability), "{:?}", classifier.label());
    }
}

#[test]
fn foreign_and_hostile_files_are_refused() {
    type Change = fn(&mut ClassFile);
    let refused = |change: Change| {
        let mut file = model();
        change(&mut file);
        ClassModel::new(&file).expect_err("refused")
    };
    assert!(refused(|f| f.features[0] = "weather".into()).is_mismatch());
    assert!(refused(|f| f.classes[0].name = "weather".into()).is_corrupt());
    assert!(refused(|f| f.classes[1].variance[0] = 0.0).is_corrupt());
    assert!(refused(|f| f.classes[1].mean[2] = f64::NAN).is_corrupt());
    assert!(refused(|f| f.ranges[0][1] = 0.0).is_corrupt());
    assert!(refused(|f| f.classes[0].prior.young_log2 = Some(f64::INFINITY)).is_corrupt());
    assert!(refused(|f| f.classes.resize(9, f.classes[0].clone())).is_corrupt());
}

#[test]
fn a_prior_says_only_what_did_well() {
    let envelope = Envelope::of_limit(256 << 20);
    let knobs = envelope.initial(&Snapshot { limit_bytes: 256 << 20, ..Snapshot::default() });
    assert_eq!(ClassPrior::default().over(&knobs, &envelope), knobs);
    let prior = ClassPrior { young_log2: Some(-3.0), tenuring_age: Some(3.6), ..ClassPrior::default() };
    assert_eq!(prior.over(&knobs, &envelope), Knobs { young_bytes: 32 << 20, tenuring_age: 4, ..knobs });
}
