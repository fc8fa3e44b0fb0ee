//! Each rule of the collector, broken by its switch, is noticed by random programs: by the verifier and its snapshot
//! oracle, and, without them, by the reference heap or by a fault in quarantined memory.
//!
//! The model in `tests/model.rs` notices each of them too, in an exhaustive search.

use std::thread;
use std::time::Duration;

use super::support::{Double, FakeClock, Operation, Random};
use super::{end_of, in_a_process};
use crate::HeapConfig;
use crate::clock::process_cpu_ns;
use crate::policy::{Overrides, Policy, Static};
use crate::rules::{Rule, break_rule};

const VARIABLE: &str = "TENURE_BREAK";
const SEEDS: u64 = 12;
const OPERATIONS: usize = 2000;
/// Several times what all the programs take; of the process, so that a busy machine doesn't end them.
const CPU_MAX: Duration = Duration::from_secs(120);

/// Small regions, early promotion and eager marking.
fn busy(tenuring_age: u8) -> Box<dyn Policy> {
    Box::new(Static::new(Overrides {
        young_bytes: Some(2 << 20),
        old_region_bytes: Some(64 << 10),
        eden_region_bytes: Some(128 << 10),
        tenuring_age: Some(tenuring_age),
        concurrent_start_share: Some(0.05),
        mixed_live_share: Some(1.0),
        mixed_pause_count: Some(4),
        heap_target_bytes: Some(4 << 20),
        ..Overrides::default()
    }))
}

#[test]
#[ignore = "run by the other tests, in a process of its own"]
fn programs_under_a_broken_rule() {
    let what = std::env::var(VARIABLE).expect("the rule to break");
    let (rule, checks) = what.split_once('/').expect("a rule and the checks");
    let rule = Rule::ALL.into_iter().find(|r| format!("{r:?}") == rule);
    // A program that a broken heap leads in circles ends too, and is not called noticed.
    thread::spawn(|| {
        while process_cpu_ns() < CPU_MAX.as_nanos() as u64 {
            thread::sleep(Duration::from_secs(1));
        }
        std::process::exit(0);
    });
    break_rule(rule);
    for seed in 1..=SEEDS {
        // Markings that last for many pauses, that end before the next, and that end at once.
        let (zeal, age) = match seed % 3 {
            0 => ("slice:1K,mark:64K,young:16K", 1),
            1 => ("mark:96K,young:16K", 4),
            _ => ("move:48K", 4),
        };
        let config = HeapConfig {
            zeal: format!("{zeal},workers:1,{checks}").parse().expect("zeal"),
            clock: Box::new(FakeClock::default()),
            ..HeapConfig::new(64 << 20)
        };
        let mut random = Random::new(seed);
        let mut double = Double::new(config, busy(age));
        for step in 0..OPERATIONS {
            double.run(&Operation::random(&mut random));
            if step % 64 == 0 {
                double.check();
            }
        }
        double.check();
    }
}

/// How the programs end under a broken rule; None if nothing is noticed.
fn noticed(rule: Option<Rule>, checks: &str) -> Option<String> {
    let rule = rule.map_or("none".to_owned(), |rule| format!("{rule:?}"));
    let output = in_a_process("proof::broken::programs_under_a_broken_rule", VARIABLE, &format!("{rule}/{checks}"));
    end_of(&output)
}

#[test]
fn the_verifier_notices_each_broken_rule() {
    for rule in Rule::ALL {
        let words = noticed(Some(rule), "verify");
        println!("({}) {rule:?}: {words:?}", rule.letter());
        assert!(words.is_some(), "({}) {rule:?} is broken, and {SEEDS} random programs don't show it", rule.letter());
    }
}

/// What loses an object from a snapshot shows without the oracle only when its memory is used again, which may take long:
/// those rules are left to the oracle.
#[test]
fn the_reference_heap_notices_what_breaks_a_pause() {
    let slow = [Rule::MarkTargets, Rule::LogNilStores, Rule::KeepSnapshot, Rule::MarkWeakReads, Rule::KeepLarge];
    for rule in Rule::ALL.into_iter().filter(|rule| !slow.contains(rule)) {
        let words = noticed(Some(rule), "quarantine");
        println!("({}) {rule:?}: {words:?}", rule.letter());
        assert!(words.is_some(), "({}) {rule:?} is broken, and {SEEDS} random programs don't show it", rule.letter());
    }
}

#[test]
fn nothing_is_noticed_where_no_rule_is_broken() {
    for checks in ["verify", "quarantine"] {
        assert_eq!(noticed(None, checks), None, "with {checks}");
    }
}
