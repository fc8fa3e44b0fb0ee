//! The exploring policy: random knobs around the adaptive policy's, to learn from. Never for production.
//!
//! Each draw is held for 2 to 8 cycles, because a knob's effect shows late. The decision carries the probability of the
//! draw, so that a learner can weigh it.

use super::random::Random;
use super::{Adaptive, Decision, Envelope, Knobs, Outcome, Policy, Reason, Snapshot};

const SHARES: [f64; 8] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.85];
const YOUNG_FACTORS: [f64; 6] = [0.25, 0.5, 1.0, 1.5, 2.0, 4.0];
const HEAP_FACTORS: [f64; 4] = [0.7, 1.0, 1.4, 2.0];
const AGES: [u8; 6] = [0, 1, 2, 4, 8, 15];
const MIXED_COUNTS: [u32; 4] = [2, 4, 8, 16];
const LIVE_SHARES: [f64; 4] = [0.65, 0.75, 0.85, 0.95];

/// The exploring policy.
#[derive(Clone, Debug)]
pub struct Explore {
    adaptive: Adaptive,
    random: Random,
    cycles_left: u32,
    draw: Draw,
}

/// What was drawn: sizes in absolute terms, or as factors of what the adaptive policy says.
#[derive(Clone, Copy, Debug, Default)]
struct Draw {
    old_region_order: u32,
    eden_region_order: u32,
    share: f64,
    young_factor: f64,
    heap_factor: f64,
    age: u8,
    mixed_count: u32,
    live_share: f64,
    propensity: f64,
}

impl Explore {
    /// A policy that draws the same knobs for the same seed and heap.
    pub fn new(seed: u64) -> Explore {
        Explore { adaptive: Adaptive::new(), random: Random::new(seed), cycles_left: 0, draw: Draw::default() }
    }

    fn draw(&mut self, envelope: &Envelope) {
        let orders = (envelope.region_bytes_max / envelope.region_bytes_min).ilog2() + 1;
        let random = &mut self.random;
        self.cycles_left = 2 + random.below(7) as u32;
        let ways = 7.0
            * f64::from(orders * orders)
            * [
                SHARES.len(),
                YOUNG_FACTORS.len(),
                HEAP_FACTORS.len(),
                AGES.len(),
                MIXED_COUNTS.len(),
                LIVE_SHARES.len(),
            ]
            .map(|n| n as f64)
            .iter()
            .product::<f64>();
        self.draw = Draw {
            old_region_order: random.below(u64::from(orders)) as u32,
            eden_region_order: random.below(u64::from(orders)) as u32,
            share: random.pick(&SHARES),
            young_factor: random.pick(&YOUNG_FACTORS),
            heap_factor: random.pick(&HEAP_FACTORS),
            age: random.pick(&AGES),
            mixed_count: random.pick(&MIXED_COUNTS),
            live_share: random.pick(&LIVE_SHARES),
            propensity: 1.0 / ways,
        };
    }
}

impl Policy for Explore {
    fn name(&self) -> &'static str {
        "explore"
    }

    fn decide(&mut self, snapshot: &Snapshot, current: &Knobs, envelope: &Envelope) -> Decision {
        let adaptive = self.adaptive.decide(snapshot, current, envelope).knobs;
        if self.cycles_left == 0 {
            self.draw(envelope);
        }
        self.cycles_left -= 1;
        let draw = &self.draw;
        let eden_region_bytes = envelope.region_bytes_min << draw.eden_region_order;
        let knobs = Knobs {
            old_region_bytes: envelope.region_bytes_min << draw.old_region_order,
            eden_region_bytes,
            concurrent_start_share: draw.share,
            young_bytes: (adaptive.young_bytes as f64 * draw.young_factor) as u64,
            large_object_bytes: eden_region_bytes / 2,
            tenuring_age: draw.age,
            mixed_pause_count: draw.mixed_count,
            mixed_live_share: draw.live_share,
            heap_target_bytes: (adaptive.heap_target_bytes as f64 * draw.heap_factor) as u64,
            ..adaptive
        };
        Decision { propensity: draw.propensity, ..Decision::plain(envelope.clamp(&knobs, current), Reason::Explore) }
    }

    fn observe(&mut self, outcome: &Outcome) {
        self.adaptive.observe(outcome);
    }
}
