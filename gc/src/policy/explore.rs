//! The exploring policy: random knobs, to learn from. Never for production.
//!
//! Knobs are held for 2 to 8 cycles, because what they do shows late. Then one of them is drawn anew, or a few, or all: pairs of
//! holds that differ in one knob tell most about it, and draws of all keep the data spread out. Sizes are drawn log-uniformly
//! from all that the envelope allows, not around any policy's choice, so that what is learnt reaches as far as a static
//! setting can. The decision carries the probability of the draw, so that a learner can weigh it. The kind of the next
//! collection and the idle delay are not drawn: nothing learns from them.

use super::knobs::LARGE_OBJECT_BYTES_MIN;
use super::random::Random;
use super::{Decision, Envelope, Knobs, Outcome, Policy, Reason, Snapshot};

const SHARES: [f64; 8] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.85];
/// Heap targets, as shares of the limit.
const HEAP_SHARES: [f64; 7] = [0.25, 0.35, 0.5, 0.6, 0.7, 0.85, 1.0];
const AGES: [u8; 6] = [0, 1, 2, 4, 8, 15];
const MIXED_COUNTS: [u32; 4] = [2, 4, 8, 16];
const LIVE_SHARES: [f64; 4] = [0.65, 0.75, 0.85, 0.95];
const UNCOMMIT_DELAYS_NS: [u64; 5] = [1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 10_000_000_000];
/// Steps of the young size in each doubling.
const YOUNG_STEPS: f64 = 2.0;

/// What can be drawn by itself.
const DRAWS: usize = 10;

/// The exploring policy.
#[derive(Clone, Debug)]
pub struct Explore {
    random: Random,
    cycles_left: u32,
    /// The knobs in force; none before the first draw.
    held: Option<Knobs>,
    propensity: f64,
}

impl Explore {
    /// A policy that draws the same knobs for the same seed and heap.
    pub fn new(seed: u64) -> Explore {
        Explore { random: Random::new(seed), cycles_left: 0, held: None, propensity: 1.0 }
    }

    /// Draws one knob anew, or three, or all, each as likely.
    fn draw(&mut self, snapshot: &Snapshot, envelope: &Envelope) -> Knobs {
        let mut chosen = [false; DRAWS];
        let held = self.held;
        let mut knobs = held.unwrap_or_else(|| envelope.initial(snapshot));
        let count = if held.is_none() { DRAWS } else { self.random.pick(&[1, 3, DRAWS]) };
        let mut left = count;
        while left > 0 {
            let at = self.random.below(DRAWS as u64) as usize;
            left -= usize::from(!chosen[at]);
            chosen[at] = true;
        }
        let sets = if held.is_none() { 1.0 } else { 3.0 * ways_to_choose(count) };
        self.propensity = 1.0 / sets;
        for (at, _) in chosen.iter().enumerate().filter(|(_, chosen)| **chosen) {
            self.propensity /= self.draw_one(at, &mut knobs, envelope) as f64;
        }
        knobs
    }

    /// Draws a knob; returns how many values it had to choose from.
    fn draw_one(&mut self, which: usize, knobs: &mut Knobs, envelope: &Envelope) -> usize {
        let random = &mut self.random;
        let orders = (envelope.region_bytes_max / envelope.region_bytes_min).ilog2() as usize + 1;
        let mut pick = |values: usize| random.below(values as u64) as usize;
        match which {
            0 => {
                knobs.old_region_bytes = envelope.region_bytes_min << pick(orders);
                orders
            }
            1 => {
                knobs.eden_region_bytes = envelope.region_bytes_min << pick(orders);
                orders
            }
            2 => {
                let most = envelope.young_bytes_max.max(envelope.young_bytes_min);
                let doublings = (most as f64 / envelope.young_bytes_min.max(1) as f64).log2();
                let steps = (doublings * YOUNG_STEPS) as usize + 1;
                knobs.young_bytes = (most as f64 * (-(pick(steps) as f64) / YOUNG_STEPS).exp2()) as u64;
                steps
            }
            3 => {
                knobs.heap_target_bytes = (envelope.limit_bytes as f64 * HEAP_SHARES[pick(HEAP_SHARES.len())]) as u64;
                HEAP_SHARES.len()
            }
            4 => {
                knobs.concurrent_start_share = SHARES[pick(SHARES.len())];
                SHARES.len()
            }
            5 => {
                knobs.tenuring_age = AGES[pick(AGES.len())];
                AGES.len()
            }
            6 => {
                knobs.mixed_pause_count = MIXED_COUNTS[pick(MIXED_COUNTS.len())];
                MIXED_COUNTS.len()
            }
            7 => {
                knobs.mixed_live_share = LIVE_SHARES[pick(LIVE_SHARES.len())];
                LIVE_SHARES.len()
            }
            8 => {
                // Drawn after the eden region, whose half is the most that is legal.
                let most = (knobs.eden_region_bytes / 2).max(LARGE_OBJECT_BYTES_MIN);
                let orders = (most / LARGE_OBJECT_BYTES_MIN).ilog2() as usize + 1;
                knobs.large_object_bytes = LARGE_OBJECT_BYTES_MIN << pick(orders);
                orders
            }
            _ => {
                knobs.uncommit_delay_ns = UNCOMMIT_DELAYS_NS[pick(UNCOMMIT_DELAYS_NS.len())];
                UNCOMMIT_DELAYS_NS.len()
            }
        }
    }
}

/// Sets of `count` draws.
fn ways_to_choose(count: usize) -> f64 {
    (0..count).map(|i| (DRAWS - i) as f64 / (i + 1) as f64).product()
}

impl Policy for Explore {
    fn name(&self) -> &'static str {
        "explore"
    }

    fn decide(&mut self, snapshot: &Snapshot, current: &Knobs, envelope: &Envelope) -> Decision {
        if self.cycles_left == 0 {
            let drawn = self.draw(snapshot, envelope);
            self.held = Some(envelope.clamp(&drawn, current));
            self.cycles_left = 2 + self.random.below(7) as u32;
            self.propensity /= 7.0;
        }
        self.cycles_left -= 1;
        let knobs = self.held.unwrap_or(*current);
        Decision { propensity: self.propensity, ..Decision::plain(knobs, Reason::Explore) }
    }

    fn observe(&mut self, _: &Outcome) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::KNOB_FIELDS;
    use std::collections::HashSet;

    #[test]
    fn knobs_are_held_and_spread_over_the_envelope() {
        let envelope = Envelope::of_limit(256 << 20);
        let snapshot = Snapshot { limit_bytes: 256 << 20, ..Snapshot::default() };
        let mut explore = Explore::new(3);
        let mut knobs = envelope.initial(&snapshot);
        let (mut holds, mut lengths, mut youngs, mut single) = (0, Vec::new(), Vec::new(), 0);
        let mut drawn = vec![HashSet::new(); KNOB_FIELDS.len()];
        for _ in 0..4000 {
            let decision = explore.decide(&snapshot, &knobs, &envelope);
            assert!(decision.propensity > 0.0 && decision.propensity < 1.0);
            assert_eq!(envelope.clamp(&decision.knobs, &knobs), decision.knobs);
            for (seen, field) in drawn.iter_mut().zip(KNOB_FIELDS) {
                seen.insert(field.bits(&decision.knobs));
            }
            if decision.knobs == knobs {
                *lengths.last_mut().unwrap() += 1;
            } else {
                holds += 1;
                lengths.push(1);
                youngs.push(decision.knobs.young_bytes);
                let same_but_young = Knobs { young_bytes: knobs.young_bytes, ..decision.knobs } == knobs;
                single += usize::from(same_but_young);
            }
            knobs = decision.knobs;
        }
        assert!((600..1100).contains(&holds), "{holds}");
        // The end cuts the last one off.
        lengths.pop();
        assert!(lengths.iter().all(|length| *length >= 2));
        assert!(single > 10, "{single}");
        for (seen, field) in drawn.iter().zip(KNOB_FIELDS) {
            let is_drawn = !["next_kind", "idle_delay_ns"].contains(&field.name);
            assert_eq!(seen.len() > 1, is_drawn, "{}: {} values", field.name, seen.len());
        }
        youngs.sort_unstable();
        assert!(youngs[0] < 2 * envelope.young_bytes_min && youngs[youngs.len() - 1] == envelope.young_bytes_max);
    }
}
