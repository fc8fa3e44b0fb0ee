//! The guard: whether the model may decide at all.
//!
//! Three questions. Is the state one that the training data knew? Did following the model cost more than the adaptive
//! policy's own choice would have? The [`Bandit`] tells, from *realised* costs; in trials, a trigger on prediction errors never
//! fired. And where it can't tell: is it time for a probe?
//!
//! What a baseline cost ages even where the state hardly drifts: a program may become cheaper for both, and a model that was better than the
//! adaptive policy once seem so for ever, because the other arm of such a *restless* bandit is not seen. So the adaptive policy plays
//! a *review*, a block of cycles long enough to get rid of what the model's knobs left, at times that are ever further apart (Liu, Liu
//! and Zhao, 2013, whose sequences of exploration and exploitation grow so). A review costs what the adaptive policy costs.
//!
//! It must never know what the knobs are.
//!
//! Invariants
//! - G1. After a fallback the model returns only when its time is over; each fallback in a row lasts twice as long.
//! - G2. At most one cycle in twelve is a probe. There is none while the baseline was seen in the present state, while the
//!   model is certainly the better choice, or while its knobs are the adaptive policy's: a steady program is left alone.
//! - G3. From one review to the next the baseline ages at least twice as far as before, but for a turn lost and a change of the workload;
//!   with the state where it was it does not age.

use crate::bandit::{Bandit, Standing};

/// Cycles before the model may speak.
pub const WARMUP: u64 = 8;
/// A state is foreign when its distance exceeds this multiple of the largest in training…
const DISTANCE_SLACK: f64 = 2.0;
/// …or this share of its features lies outside their ranges.
const OUTSIDE_MAX: f64 = 0.4;
/// Foreign cycles in a row that end the model's turn, and the familiar ones that begin it again.
const FOREIGN_ENTER: u32 = 3;
/// Cycles of the first fallback, and of the longest.
const FALLBACK_FIRST: u64 = 32;
const FALLBACK_MAX: u64 = 1024;
/// Cycles without complaint after which the next fallback is a first one again.
const FORGET_AFTER: u64 = 256;
/// Length of a probe, and cycles from one to the next: each waits twice as long, until the workload changes.
const PROBE: u64 = 2;
const PROBE_PERIOD_FIRST: u64 = 24;
const PROBE_PERIOD_MAX: u64 = 768;
/// Drift of the state, in standard scores, that makes a plain baseline stale.
const STALE_DRIFT: f64 = 0.8;
/// Length of a review, and those of its first cycles that don't count: in them is paid for what the model's knobs left.
const REVIEW: u64 = 24;
const REVIEW_SKIPPED: u64 = 8;
/// Age of the baseline that brings a review: cycles of the model's, each weighed by the drift since, of which [`STALE_DRIFT`] weighs one.
/// Each waits twice as long, until the model loses its turn or the workload changes.
const REVIEW_AGE_FIRST: f64 = 64.0;
const REVIEW_AGE_MAX: f64 = 4096.0;

/// Who decides the coming cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The model.
    Model,
    /// The adaptive policy: too little is known.
    Warmup,
    /// The adaptive policy: the state is foreign.
    Foreign,
    /// The adaptive policy, to see what it costs.
    Probe,
    /// The same for so long that all knobs show what they are worth.
    Review,
    /// The adaptive policy: it has been cheaper.
    Fallback,
}

/// Decides whose turn it is.
#[derive(Clone, Debug)]
pub struct Guard {
    /// Over costs as they are: sound whatever the model is worth, but of use only while the state is the one in which the
    /// baseline was seen.
    plain: Bandit,
    /// Over costs relative to what the model predicts for the baseline: of use in any state.
    relative: Bandit,
    /// Whether the state has drifted since the baseline was seen.
    stale: bool,
    foreign: u32,
    is_foreign: bool,
    fallback_left: u64,
    fallback_next: u64,
    probe_left: u64,
    since_probe: u64,
    probe_period: u64,
    since_fallback: u64,
    /// Whether a probe would tell more.
    doubts: bool,
    /// The drift of the state when it was last looked at, and what it has come to since the baseline was seen.
    drift: f64,
    age: f64,
    review_age: f64,
    /// Cycles of the review that are to come, and those that have come.
    review_left: u64,
    reviewed: u64,
}

impl Default for Guard {
    fn default() -> Guard {
        Guard::new()
    }
}

impl Guard {
    /// Nothing known yet.
    pub fn new() -> Guard {
        Guard {
            plain: Bandit::new(),
            relative: Bandit::new(),
            stale: false,
            foreign: 0,
            is_foreign: false,
            fallback_left: 0,
            fallback_next: FALLBACK_FIRST,
            probe_left: 0,
            since_probe: 0,
            probe_period: PROBE_PERIOD_FIRST,
            since_fallback: 0,
            doubts: false,
            drift: 0.0,
            age: 0.0,
            review_age: REVIEW_AGE_FIRST,
            review_left: 0,
            reviewed: 0,
        }
    }

    /// Takes in the realised cost of a cycle, the cost predicted for the adaptive policy's knobs in it, and whether the
    /// model's knobs were in force.
    pub fn record(&mut self, advised: bool, cost: f64, predicted_baseline: f64) {
        if advised {
            self.age += (self.drift / STALE_DRIFT).min(1.0);
            self.reviewed = 0;
        } else if self.reviewed > 0 && self.reviewed <= REVIEW_SKIPPED {
            return;
        } else {
            self.age = 0.0;
        }
        if self.reviewed == REVIEW_SKIPPED + 1 {
            self.plain.forget_baseline();
            self.relative.forget_baseline();
        }
        self.relative.record(advised, cost - predicted_baseline);
        if !self.stale {
            self.plain.record(advised, cost);
        } else if !advised {
            // Costs of another phase say nothing about this one.
            self.plain.begin_anew();
            self.plain.record(advised, cost);
            self.stale = false;
        }
    }

    /// The workload has changed: what its baseline costs must be found out soon.
    pub fn workload_changed(&mut self) {
        self.probe_period = PROBE_PERIOD_FIRST;
        self.review_age = REVIEW_AGE_FIRST;
    }

    /// The model gave no believable answer: falls back at once.
    pub fn distrust(&mut self) {
        self.fall_back();
    }

    /// Whose turn the coming cycle is. `seen` cycles have been measured; `distance` and `outside` tell how foreign the
    /// state is, `distance_max` how foreign it was in training at the most; `drift` how far the state is from that in
    /// which the adaptive policy last decided; `moved` whether the model's knobs differ from the adaptive policy's.
    pub fn turn(&mut self, seen: u64, outlook: &Outlook) -> Turn {
        if seen < WARMUP {
            return Turn::Warmup;
        }
        let foreign = !(outlook.distance <= DISTANCE_SLACK * outlook.distance_max && outlook.outside <= OUTSIDE_MAX);
        self.foreign = if foreign { (self.foreign + 1).min(FOREIGN_ENTER) } else { self.foreign.saturating_sub(1) };
        if self.foreign == FOREIGN_ENTER {
            self.is_foreign = true;
        } else if self.foreign == 0 {
            self.is_foreign = false;
        }
        self.since_probe += 1;
        self.since_fallback += 1;
        if self.fallback_left > 0 {
            self.fallback_left -= 1;
            return Turn::Fallback;
        }
        if self.is_foreign {
            (self.review_left, self.reviewed) = (0, 0);
            return Turn::Foreign;
        }
        if self.since_fallback > FORGET_AFTER {
            self.fallback_next = FALLBACK_FIRST;
        }
        self.relative.drifted(outlook.drift);
        self.drift = outlook.drift;
        self.stale |= outlook.drift > STALE_DRIFT;
        let standing = self.standing();
        if standing == Standing::Overdrawn {
            self.fall_back();
            return Turn::Fallback;
        }
        if self.review_left > 0 {
            return self.review();
        }
        if self.probe_left > 0 {
            self.probe_left -= 1;
            return Turn::Probe;
        }
        if outlook.planned && self.age >= self.review_age {
            self.review_age = (self.review_age * 2.0).min(REVIEW_AGE_MAX);
            self.review_left = REVIEW;
            return self.review();
        }
        self.doubts = outlook.moved && self.stale && standing != Standing::Better;
        if self.doubts && self.since_probe >= self.probe_period {
            self.since_probe = 0;
            self.probe_period = (self.probe_period * 2).min(PROBE_PERIOD_MAX);
            self.probe_left = PROBE - 1;
            return Turn::Probe;
        }
        Turn::Model
    }

    /// Whether the coming cycle belongs to the adaptive policy as the last one did, however it came to; if so, it counts.
    pub fn goes_on(&mut self) -> bool {
        let goes_on = self.fallback_left > 0 || self.is_foreign || self.review_left > 0;
        if goes_on {
            self.since_probe += 1;
            self.since_fallback += 1;
            if self.fallback_left > 0 {
                self.fallback_left -= 1;
            } else if self.review_left > 0 {
                self.review();
            }
        }
        goes_on
    }

    /// One more cycle of a review.
    fn review(&mut self) -> Turn {
        self.review_left -= 1;
        self.reviewed += 1;
        Turn::Review
    }

    /// Whether a turn of the model's needs to be looked at again soon: its allowance is used up, or a probe is to come.
    pub fn is_uneasy(&self) -> bool {
        self.doubts || self.standing() == Standing::Overdrawn
    }

    fn standing(&self) -> Standing {
        if self.stale { self.relative.standing() } else { self.plain.standing() }
    }

    fn fall_back(&mut self) {
        self.fallback_left = self.fallback_next;
        self.fallback_next = (self.fallback_next * 2).min(FALLBACK_MAX);
        self.since_fallback = 0;
        self.probe_left = 0;
        (self.review_left, self.reviewed) = (0, 0);
        self.review_age = REVIEW_AGE_FIRST;
        self.plain.forget_advised();
        self.relative.forget_advised();
    }
}

/// What the guard judges a state by.
#[derive(Clone, Copy, Debug)]
pub struct Outlook {
    /// Mean squared standard score of the state.
    pub distance: f64,
    /// The largest of that in training.
    pub distance_max: f64,
    /// Share of features outside their range in training.
    pub outside: f64,
    /// How far the state is from the one in which the adaptive policy last decided.
    pub drift: f64,
    /// Whether those knobs in force that show within a probe differ from the adaptive policy's.
    pub moved: bool,
    /// Whether a plan has moved any knob.
    pub planned: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAMILIAR: Outlook =
        Outlook { distance: 1.0, distance_max: 3.0, outside: 0.0, drift: 0.0, moved: true, planned: true };

    fn warm() -> Guard {
        let mut guard = Guard::new();
        for seen in 0..WARMUP {
            assert_eq!(guard.turn(seen, &FAMILIAR), Turn::Warmup);
            guard.record(false, 1.0, 0.0);
        }
        guard
    }

    #[test]
    fn a_costlier_model_loses_its_turn_and_gets_it_back() {
        let mut guard = warm();
        let mut fallbacks = Vec::new();
        let mut length = 0;
        for seen in WARMUP..400 {
            match guard.turn(seen, &FAMILIAR) {
                Turn::Fallback => {
                    length += 1;
                    guard.record(false, 1.0, 0.0);
                }
                _ => {
                    if length > 0 {
                        fallbacks.push(length);
                        length = 0;
                    }
                    guard.record(true, 1.5, 0.0);
                }
            }
        }
        assert!(fallbacks.len() >= 2, "{fallbacks:?}");
        assert_eq!(fallbacks[1], 2 * fallbacks[0] - 1, "{fallbacks:?}");
    }

    #[test]
    fn a_fallback_is_as_long_whether_its_turns_are_asked_for_or_go_on() {
        let length = |asked_every: u64| {
            let mut guard = warm();
            guard.distrust();
            let is_fallback = |cycle: &u64| {
                let asked = cycle.is_multiple_of(asked_every) || !guard.goes_on();
                !asked || guard.turn(WARMUP + cycle, &FAMILIAR) == Turn::Fallback
            };
            (0..).take_while(is_fallback).count()
        };
        assert_eq!([1, 2, 7, 100].map(length), [FALLBACK_FIRST as usize; 4]);
    }

    #[test]
    fn a_cheaper_model_keeps_it_and_nothing_is_probed_while_that_is_certain() {
        let mut guard = warm();
        for seen in WARMUP..1000 {
            assert_eq!(guard.turn(seen, &FAMILIAR), Turn::Model);
            guard.record(true, 0.7 + 0.1 * (seen % 3) as f64, 0.0);
        }
    }

    #[test]
    fn doubt_brings_probes_but_few_and_ever_fewer_until_the_workload_changes() {
        let mut guard = warm();
        let drifting = Outlook { drift: 2.0, ..FAMILIAR };
        // As dear as the baseline, give or take: it can't be told apart.
        let probes = |guard: &mut Guard, cycles: u32| {
            let mut count = 0;
            for cycle in 0..cycles {
                let turn = guard.turn(WARMUP, &drifting);
                count += u32::from(turn == Turn::Probe);
                guard.record(turn == Turn::Model, 1.0 + 0.2 * f64::from(cycle % 2) - 0.1, 0.0);
            }
            count
        };
        assert_eq!([100, 700, 700].map(|cycles| probes(&mut guard, cycles)), [4, 6, 0]);
        guard.workload_changed();
        assert_eq!(probes(&mut guard, 100), 4);
    }

    /// The program gets into a phase three times as dear, whoever decides.
    #[test]
    fn a_phase_that_is_dear_for_both_is_not_held_against_the_model() {
        let mut guard = warm();
        let drifted = Outlook { drift: 2.0, ..FAMILIAR };
        for seen in WARMUP..400 {
            let turn = guard.turn(seen, &drifted);
            assert_ne!(turn, Turn::Fallback, "at {seen}");
            guard.record(turn == Turn::Model, 2.9 + 0.1 * (seen % 2) as f64, 2.0);
        }
    }

    #[test]
    fn a_dearer_model_is_noticed_in_a_phase_in_which_the_baseline_was_never_seen() {
        let mut guard = warm();
        let drifted = Outlook { drift: 2.0, ..FAMILIAR };
        let fallback = (WARMUP..100).find(|&seen| {
            guard.record(true, 3.5, 2.0);
            guard.turn(seen, &drifted) == Turn::Fallback
        });
        assert!(fallback.is_some_and(|seen| seen < 24), "{fallback:?}");
    }

    /// What each cycle's turn was, and its cost, over a program in which each of the two costs this.
    fn played(guard: &mut Guard, cycles: u64, drift: f64, cost: impl Fn(bool) -> f64) -> Vec<(Turn, f64)> {
        let outlook = Outlook { drift, ..FAMILIAR };
        let mut played = Vec::new();
        for _ in 0..cycles {
            let turn = guard.turn(WARMUP, &outlook);
            let advised = turn == Turn::Model;
            guard.record(advised, cost(advised), 0.0);
            played.push((turn, cost(advised)));
        }
        played
    }

    /// The model was better once. Then the program becomes cheaper for both, and more so for the adaptive policy; the state hardly drifts.
    #[test]
    fn a_baseline_that_became_cheaper_unseen_is_found_out() {
        let mut guard = warm();
        assert!(
            played(&mut guard, 50, 0.0, |advised| if advised { 0.7 } else { 1.0 }).iter().all(|p| p.0 == Turn::Model)
        );
        let later = played(&mut guard, 1000, 0.4, |advised| if advised { 0.5 } else { 0.0 });
        let found = later.iter().position(|played| played.0 == Turn::Fallback).expect("it is found out");
        assert!(found < 2 * REVIEW_AGE_FIRST as usize + REVIEW as usize + 8, "{found}");
        // Each time that it has its turn again, it spends its allowance; the fallbacks double.
        let extra = later[found..].iter().map(|played| played.1).sum::<f64>() / (1000 - found) as f64;
        assert!(extra < 0.03, "{extra}");
    }

    #[test]
    fn reviews_of_a_better_model_are_ever_further_apart() {
        let mut guard = warm();
        let better = |advised: bool| if advised { 0.7 } else { 1.0 };
        let played = played(&mut guard, 4000, 0.4, better);
        assert!(played.iter().all(|p| matches!(p.0, Turn::Model | Turn::Review)));
        let starts: Vec<usize> =
            (1..4000).filter(|&at| played[at].0 == Turn::Review && played[at - 1].0 == Turn::Model).collect();
        assert_eq!(starts, [128, 408, 944, 1992]);
        let reviewed = played.iter().filter(|p| p.0 == Turn::Review).count();
        assert_eq!(reviewed, 4 * REVIEW as usize);
    }

    /// The first cycles after the model's collect what its knobs left behind, and cost as much as under them.
    #[test]
    fn what_a_model_leaves_is_not_held_against_the_adaptive_policy() {
        let mut guard = warm();
        let outlook = Outlook { drift: STALE_DRIFT, ..FAMILIAR };
        let mut reviewed = 0;
        for _ in 0..200 {
            let turn = guard.turn(WARMUP, &outlook);
            if turn == Turn::Fallback {
                assert_eq!(reviewed, REVIEW, "the whole review was played before");
                return;
            }
            reviewed += u64::from(turn == Turn::Review);
            let advised = turn == Turn::Model;
            let left = !advised && reviewed <= REVIEW_SKIPPED;
            let cost = match (advised, left) {
                (true, _) => 0.5,
                (false, true) => 3.0,
                (false, false) => 0.0,
            };
            guard.record(advised, cost, 0.0);
        }
        panic!("the model keeps its turn");
    }

    #[test]
    fn foreign_states_are_the_adaptive_policys() {
        let mut guard = warm();
        let nan = Outlook { distance: f64::NAN, ..FAMILIAR };
        for foreign in [Outlook { distance: 100.0, ..FAMILIAR }, Outlook { outside: 0.9, ..FAMILIAR }, nan] {
            let turns: Vec<Turn> = (10..20).map(|seen| guard.turn(seen, &foreign)).collect();
            assert_eq!(turns[9], Turn::Foreign);
            for seen in 20..30 {
                guard.turn(seen, &FAMILIAR);
            }
            assert_eq!(guard.turn(30, &FAMILIAR), Turn::Model);
        }
    }

    #[test]
    fn costs_that_are_no_numbers_do_not_count() {
        let mut guard = warm();
        for seen in WARMUP..100 {
            assert_eq!(guard.turn(seen, &FAMILIAR), Turn::Model);
            guard.record(true, f64::NAN, 0.0);
        }
    }
}
