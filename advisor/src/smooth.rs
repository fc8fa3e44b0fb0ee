//! Smoothing for the planner, and the sense of when smoothing must end.
//!
//! Occupancy is a sawtooth: it rises with promotion and falls with each round of mixed pauses. A plan made for one tooth
//! would be unmade on the next, so the planner sees occupancies averaged over about sixteen cycles. When the program
//! itself changes — its allocation rate, survival or promotion step — the averages start anew.

use crate::history::Measured;
use crate::pace::Signs;

/// Weight of the newest occupancies, and of the newest rates, which are medians already.
const OCCUPANCY_GAIN: f64 = 1.0 / 16.0;
const RATE_GAIN: f64 = 0.25;
/// A step: the allocation rate by this factor, or survival or promotion by this much.
const RATE_STEP: f64 = 2.0;
const SHARE_STEP: f64 = 0.08;

/// Averages of [`Measured`].
#[derive(Clone, Debug, Default)]
pub struct Smoother {
    average: Option<Measured>,
}

impl Smoother {
    /// Takes in the newest measurements. Returns the averages, and whether the workload has just changed.
    pub fn update(&mut self, now: &Measured) -> (Measured, bool) {
        let (next, changed) = match &self.average {
            None => (*now, false),
            Some(average) if has_stepped(average, &now.signs()) => (*now, true),
            Some(average) => (blend(average, now), false),
        };
        self.average = Some(next);
        (next, changed)
    }
}

/// Whether the workload is another than the one that these are the averages of.
pub fn has_stepped(average: &Measured, now: &Signs) -> bool {
    let factor = (now.allocation_bytes_per_ns + 1e-9) / (average.allocation_bytes_per_ns + 1e-9);
    !(1.0 / RATE_STEP..=RATE_STEP).contains(&factor)
        || (now.survival - average.survival).abs() > SHARE_STEP
        || (now.promotion - average.promotion).abs() > SHARE_STEP
        || now.limit_bytes != average.limit_bytes
}

fn blend(average: &Measured, now: &Measured) -> Measured {
    let rate = |field: fn(&Measured) -> f64| field(average) + RATE_GAIN * (field(now) - field(average));
    let slow = |field: fn(&Measured) -> f64| field(average) + OCCUPANCY_GAIN * (field(now) - field(average));
    Measured {
        allocation_bytes_per_ns: rate(|m| m.allocation_bytes_per_ns),
        allocation_spread: rate(|m| m.allocation_spread),
        survival: rate(|m| m.survival),
        survival_spread: rate(|m| m.survival_spread),
        promotion: slow(|m| m.promotion),
        large: slow(|m| m.large),
        copy_ns_per_byte: rate(|m| m.copy_ns_per_byte),
        mark_ns_per_byte: rate(|m| m.mark_ns_per_byte),
        remembered_per_kib: rate(|m| m.remembered_per_kib),
        barrier_per_kib: rate(|m| m.barrier_per_kib),
        compacted_per_freed: slow(|m| m.compacted_per_freed),
        tail_share: rate(|m| m.tail_share),
        gc_share: rate(|m| m.gc_share),
        full_rate: slow(|m| m.full_rate),
        failed_rate: slow(|m| m.failed_rate),
        limit_bytes: now.limit_bytes,
        heap_bytes: now.heap_bytes,
        committed_bytes: slow(|m| m.committed_bytes),
        old_bytes: slow(|m| m.old_bytes),
        live_bytes: slow(|m| m.live_bytes),
        survivor_bytes: slow(|m| m.survivor_bytes),
        reclaimable_bytes: slow(|m| m.reclaimable_bytes),
        largest_free_bytes: slow(|m| m.largest_free_bytes),
        cycles_since_mark: slow(|m| m.cycles_since_mark),
        pause_ns_p50: rate(|m| m.pause_ns_p50),
        pause_ns_p95: rate(|m| m.pause_ns_p95),
        pause_goal_ln: now.pause_goal_ln,
        old_region_bytes: now.old_region_bytes,
        eden_region_bytes: now.eden_region_bytes,
        concurrent_start_share: now.concurrent_start_share,
        young_bytes: now.young_bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sawtooth_is_flattened_and_a_step_is_taken_at_once() {
        let mut smoother = Smoother::default();
        let mut now = Measured { allocation_bytes_per_ns: 1.0, limit_bytes: 100.0, ..Measured::default() };
        let mut seen = Vec::new();
        for cycle in 0..160 {
            now.old_bytes = 40.0 + (cycle % 8) as f64;
            let (average, changed) = smoother.update(&now);
            assert!(!changed);
            if cycle > 80 {
                seen.push(average.old_bytes);
            }
        }
        let spread = seen.iter().fold(f64::MIN, |a, &b| a.max(b)) - seen.iter().fold(f64::MAX, |a, &b| a.min(b));
        assert!(spread < 2.0, "{spread}");
        now.allocation_bytes_per_ns = 3.0;
        now.old_bytes = 90.0;
        let (average, changed) = smoother.update(&now);
        assert!(changed);
        assert_eq!(average.old_bytes, 90.0);
    }
}
