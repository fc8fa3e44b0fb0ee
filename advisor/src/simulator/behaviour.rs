//! The adaptive policy and the advisor on simulated signals: what they do must show in counters that are the same in every
//! run.

use tenure_gc::Cycle;
use tenure_gc::policy::{Adaptive, CycleKind, Policy};

use super::{Setting, Signature, signals, simulate};
use crate::Advisor;

const SETTING: Setting = Setting { limit_bytes: 256 << 20, pause_goal_ns: 10_000_000 };

fn run(signature: &Signature, policy: &mut dyn Policy) -> Vec<Cycle> {
    let run = simulate(signature, &SETTING, policy);
    assert!(!run.out_of_memory, "{}", policy.name());
    assert!(run.cycles.last().is_some_and(|cycle| cycle.outcome.unfinished));
    run.cycles
}

fn gc_ms(cycles: &[Cycle]) -> f64 {
    cycles.iter().map(|c| c.outcome.gc_cpu_ns).sum::<u64>() as f64 * 1e-6
}

fn count(cycles: &[Cycle], kind: CycleKind) -> usize {
    cycles.iter().filter(|c| c.outcome.kind == kind && !c.outcome.unfinished).count()
}

/// Share of the pauses over the goal.
fn misses(cycles: &[Cycle]) -> f64 {
    let over = cycles.iter().filter(|c| c.outcome.pause_ns > SETTING.pause_goal_ns).count();
    over as f64 / cycles.len() as f64
}

/// How often the sizes and the threshold moved by more than a tenth.
fn moves(cycles: &[Cycle]) -> usize {
    let knobs = |cycle: &Cycle| {
        let knobs = &cycle.decision.knobs;
        [knobs.young_bytes as f64, knobs.old_region_bytes as f64, knobs.concurrent_start_share]
    };
    let moved = |pair: &&[Cycle]| {
        knobs(&pair[0]).into_iter().zip(knobs(&pair[1])).any(|(a, b)| !(0.9..=1.1).contains(&(b / a)))
    };
    cycles.windows(2).filter(moved).count()
}

fn second_half(cycles: &[Cycle]) -> &[Cycle] {
    &cycles[cycles.len() / 2..]
}

#[test]
fn a_run_is_the_same_each_time() {
    let bits = || format!("{:?}", run(&signals::phases(), &mut Advisor::shipped()));
    assert_eq!(bits(), bits());
}

#[test]
fn the_adaptive_policy_meets_its_goal_on_every_signal_without_a_full_collection() {
    for (name, signature) in signals::all() {
        let cycles = run(&signature, &mut Adaptive::new());
        assert_eq!(count(&cycles, CycleKind::Full), 0, "{name}");
        assert!(misses(&cycles) < 0.15, "{name}: {}", misses(&cycles));
    }
}

#[test]
fn a_steady_program_lets_both_come_to_rest() {
    for policy in [&mut Adaptive::new() as &mut dyn Policy, &mut Advisor::shipped()] {
        let cycles = run(&signals::steady(), policy);
        let late = moves(second_half(&cycles));
        assert!(late * 10 <= cycles.len() / 2, "{}: {late} moves in {} cycles", policy.name(), cycles.len() / 2);
    }
}

#[test]
fn an_outlier_starts_no_series_of_markings() {
    let policies: [fn() -> Box<dyn Policy>; 2] = [|| Box::new(Adaptive::new()), || Box::new(Advisor::shipped())];
    for policy in policies {
        let starts = |signature| count(&run(&signature, policy().as_mut()), CycleKind::ConcurrentStart);
        let (steady, outlier) = (starts(signals::steady()), starts(signals::outlier()));
        assert!(outlier <= steady + 1, "{}: {outlier} markings, {steady} without", policy().name());
    }
}

#[test]
fn the_advisor_costs_hardly_more_than_the_adaptive_policy_on_any_signal() {
    for (name, signature) in signals::all() {
        let advised = run(&signature, &mut Advisor::shipped());
        let adaptive = run(&signature, &mut Adaptive::new());
        let ratio = gc_ms(&advised) / gc_ms(&adaptive);
        assert!(ratio <= 1.05, "{name}: {ratio}");
        assert_eq!(count(&advised, CycleKind::Full), 0, "{name}");
    }
}

#[test]
fn memory_runs_out_when_more_lives_than_there_is_room_for() {
    let mut signature = signals::steady();
    signature.segments[0].lifetimes = super::Lifetimes::around(1e15);
    let run = simulate(&signature, &SETTING, &mut Adaptive::new());
    assert!(run.out_of_memory);
    let committed = run.cycles.iter().map(|c| c.outcome.committed_bytes_max).max().expect("cycles");
    assert!(committed > SETTING.limit_bytes / 10 * 9 && committed <= SETTING.limit_bytes, "{committed}");
}
