//! The policy seam on real scripts: the advisor moves its knobs when a program changes its habits and leaves them alone
//! when it doesn't; under every policy each decision is answered by one outcome.

mod support;

use std::collections::BTreeSet;
use support::tenure;
use tenure_gc::Cycle;
use tenure_gc::journal::Journal;
use tenure_gc::policy::Reason;

/// The journal of a run.
fn journal(options: &[&str], script: &[&str]) -> Vec<Cycle> {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("run.tgj");
    let journal = format!("--gc-journal={}", path.display());
    // time is the work done, so that every run makes the same decisions, on whatever machine
    let own = [journal.as_str(), "--gc-work-clock"];
    let args: Vec<&str> = own.iter().chain(options).chain(script).copied().collect();
    tenure(&args).ok();
    Journal::read_file(&path).expect("a complete journal").cycles
}

/// Thresholds in whole percent.
fn percent(cycle: &Cycle) -> u64 {
    (cycle.decision.knobs.concurrent_start_share * 100.0).round() as u64
}

#[test]
fn every_decision_has_one_outcome_under_every_policy() {
    for policy in ["static", "adaptive", "advisor", "sqrt", "ratio", "explore", "adversarial"] {
        let cycles = journal(
            &[&format!("--gc={policy}"), "--max-heap=32M"],
            &["examples/lru_cache.ten", "300000", "30000", "3000"],
        );
        assert!(cycles.len() > 2, "{policy}: {} cycles", cycles.len());
        for (i, cycle) in cycles.iter().enumerate() {
            let last = i + 1 == cycles.len();
            assert_eq!(cycle.outcome.unfinished, last, "{policy}, cycle {i}");
            assert_eq!(cycle.outcome.cycle, cycles[0].outcome.cycle + i as u64, "{policy}, cycle {i}");
        }
    }
}

#[test]
fn a_journals_decisions_are_made_again_bit_for_bit() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("run.tgj").display().to_string();
    let journal = format!("--gc-journal={path}");
    for policy in ["static", "adaptive", "advisor", "sqrt:0.2", "ratio:50", "explore", "adversarial"] {
        let policy = format!("--gc={policy}");
        tenure(&[&policy, &journal, "--max-heap=32M", "examples/lru_cache.ten", "300000", "30000", "3000"]).ok();
        let said = tenure(&["gc", "replay", &policy, &path]).ok();
        assert!(said.contains("all the same, bit for bit"), "{policy}: {said}");
    }
    // the policy is known by its reasons; another one decides otherwise, and that is said
    tenure(&["--gc=advisor", &journal, "--max-heap=32M", "examples/lru_cache.ten", "300000", "30000", "3000"]).ok();
    assert!(tenure(&["gc", "replay", &path]).ok().starts_with("advisor: "));
    let other = tenure(&["gc", "replay", "--gc=ratio", &path]);
    assert!(other.code == 1 && other.stdout.contains("young_bytes") && other.stdout.contains("differ"), "{other:?}");
}

#[test]
fn static_knobs_stay_as_they_were_set() {
    let options = ["--gc=static", "--region-size=256K", "--ihop=30", "--young-size=2M", "--max-heap=64M"];
    for cycle in journal(&options, &["examples/lru_cache.ten", "300000", "30000", "3000"]) {
        let knobs = &cycle.decision.knobs;
        assert_eq!(
            (knobs.old_region_bytes, knobs.eden_region_bytes, knobs.young_bytes),
            (256 << 10, 256 << 10, 2 << 20)
        );
        assert_eq!(percent(&cycle), 30);
        assert_eq!(cycle.decision.reason, Reason::Static);
    }
}

/// The largest heap target of a run without pauses to fear.
fn most_room(policy: &str) -> u64 {
    let script = ["examples/lru_cache.ten", "1000000", "30000", "3000"];
    let cycles = journal(&[&format!("--gc={policy}"), "--max-heap=256M", "--pause-goal=1s"], &script);
    assert!(cycles.iter().all(|c| c.decision.reason == Reason::Rule), "{policy}");
    cycles.iter().map(|c| c.decision.knobs.heap_target_bytes).max().expect("cycles")
}

#[test]
fn the_rules_of_heap_size_take_more_room_where_memory_costs_less() {
    assert!(most_room("sqrt:0.002") > 2 * most_room("sqrt:2"));
    assert!(most_room("ratio:400") > 2 * most_room("ratio:100"));
}

#[test]
fn static_knobs_come_from_a_file_where_no_option_says_otherwise() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("best.knobs");
    std::fs::write(&path, "young_bytes = 2M\ntenuring_age = 3\nconcurrent_start_share = 0.3\n").expect("written");
    let policy = format!("--gc=static:{}", path.display());
    for cycle in
        journal(&[&policy, "--ihop=60", "--max-heap=64M"], &["examples/lru_cache.ten", "100000", "30000", "3000"])
    {
        let knobs = &cycle.decision.knobs;
        assert_eq!((knobs.young_bytes, knobs.tenuring_age, percent(&cycle)), (2 << 20, 3, 60));
    }
    std::fs::write(&path, "young = 2M\n").expect("written");
    let said = tenure(&[&policy, "examples/hello.ten"]).fails(2);
    assert!(said.contains("line 1") && said.contains("young = 2M"), "{said}");
}

#[test]
fn the_advisor_moves_region_size_and_threshold_when_the_program_changes_its_habits() {
    let cycles = journal(&["--gc=advisor", "--max-heap=64M"], &["examples/phase_shift.ten"]);
    let sizes: BTreeSet<u64> =
        cycles.iter().flat_map(|c| [c.decision.knobs.old_region_bytes, c.decision.knobs.eden_region_bytes]).collect();
    let thresholds: BTreeSet<u64> = cycles.iter().map(percent).collect();
    let alive = cycles.iter().map(|c| c.snapshot.region_sizes_alive).max().expect("cycles");
    assert!(sizes.len() >= 3, "region sizes: {sizes:?} in {} cycles", cycles.len());
    assert!(thresholds.len() >= 3, "thresholds: {thresholds:?}");
    assert!(alive >= 2, "two region sizes live side by side");
    assert!(cycles.iter().any(|c| c.decision.reason == Reason::Model), "the model moved the knobs at least once");
}

#[test]
fn the_advisor_leaves_a_steady_program_alone_after_warm_up() {
    let cycles = journal(&["--gc=advisor", "--max-heap=64M"], &["examples/steady.ten", "52000000", "100000"]);
    // the first half is for finding out, a turn of the guard included
    let settled = &cycles[cycles.len() / 2..];
    let knobs = |c: &Cycle| (c.decision.knobs.old_region_bytes, c.decision.knobs.eden_region_bytes, percent(c));
    // probes of the adaptive policy's choice are part of the advisor's work, not a change of its mind
    let own: BTreeSet<_> = settled.iter().filter(|c| c.decision.reason != Reason::Probe).map(knobs).collect();
    assert!(settled.len() >= 30, "{} cycles", settled.len());
    assert_eq!(own.len(), 1, "{own:?} in {} cycles", settled.len());
}
