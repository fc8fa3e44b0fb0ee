//! When to start marking: G1's adaptive threshold (`G1AdaptiveIHOPControl` in OpenJDK 17).
//!
//! Marking should end before the heap is full. So it starts when occupancy leaves room for what will be promoted while
//! it runs, and for the young generation on top:
//! threshold = effective target − (predicted marking time × predicted old allocation rate + young size).

use super::predictor::Sequence;

/// G1ReservePercent + G1HeapWastePercent: this share of the most the heap may be is not counted on.
const RESERVE_SHARE: f64 = 0.10 + 0.05;
/// G1HeapWastePercent: this share of the heap as it is, is not counted on.
const WASTE_SHARE: f64 = 0.05;
/// Samples of both quantities before the threshold adapts (G1AdaptiveIHOPNumInitialSamples).
const SAMPLES_MIN: u32 = 3;
/// Weight of the past in both averages: they move slower than G1's others, so that one outlier moves the threshold little.
const PAST_WEIGHT: f64 = 0.95;

/// The threshold's state.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdaptiveThreshold {
    marking_s: Sequence,
    old_bytes_per_s: Sequence,
}

impl Default for AdaptiveThreshold {
    fn default() -> AdaptiveThreshold {
        let sequence = Sequence::with_past_weight(PAST_WEIGHT);
        AdaptiveThreshold { marking_s: sequence, old_bytes_per_s: sequence }
    }
}

impl AdaptiveThreshold {
    /// A marking took this long.
    pub fn add_marking(&mut self, seconds: f64) {
        self.marking_s.add(seconds);
    }

    /// In this much time of the program, old and large objects grew by these bytes. Not to be called for mixed pauses.
    pub fn add_old_allocation(&mut self, seconds: f64, bytes: f64) {
        if seconds > 0.0 {
            self.old_bytes_per_s.add(bytes / seconds);
        }
    }

    /// Whether the threshold adapts already.
    pub fn is_adaptive(&self) -> bool {
        self.marking_s.samples() >= SAMPLES_MIN && self.old_bytes_per_s.samples() >= SAMPLES_MIN
    }

    /// Occupied bytes at which marking should start, in a heap of `heap_bytes` that may grow to `limit_bytes`, with
    /// `young_bytes` of young regions beside; `initial_share` of the heap until there are samples.
    pub fn start_bytes(&self, heap_bytes: f64, limit_bytes: f64, young_bytes: f64, initial_share: f64) -> f64 {
        if !self.is_adaptive() {
            return initial_share * heap_bytes;
        }
        let target_bytes = (limit_bytes * (1.0 - RESERVE_SHARE)).min(heap_bytes * (1.0 - WASTE_SHARE));
        let needed_bytes = self.marking_s.predict() * self.old_bytes_per_s.predict() + young_bytes;
        (target_bytes - needed_bytes).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steady(marking_s: f64, old_bytes_per_s: f64) -> AdaptiveThreshold {
        let mut threshold = AdaptiveThreshold::default();
        for _ in 0..10 {
            threshold.add_marking(marking_s);
            threshold.add_old_allocation(0.5, old_bytes_per_s * 0.5);
        }
        threshold
    }

    #[test]
    fn initial_share_until_three_samples_of_both() {
        let mut threshold = AdaptiveThreshold::default();
        for _ in 0..2 {
            threshold.add_marking(0.1);
            threshold.add_old_allocation(1.0, 1e6);
        }
        assert_eq!(threshold.start_bytes(100e6, 100e6, 20e6, 0.45), 45e6);
        threshold.add_marking(0.1);
        assert!(!threshold.is_adaptive());
        threshold.add_old_allocation(1.0, 1e6);
        assert!(threshold.is_adaptive());
    }

    #[test]
    fn leaves_room_for_promotion_and_young() {
        // 85 % of 100 MB, less 2 s × 10 MB/s, less 20 MB.
        let start = steady(2.0, 10e6).start_bytes(100e6, 100e6, 20e6, 0.45);
        assert!((start - 45e6).abs() < 1.0, "{start}");
        // In a heap that may grow, 95 % of what it has now counts.
        let start = steady(2.0, 10e6).start_bytes(100e6, 1e9, 20e6, 0.45);
        assert!((start - 55e6).abs() < 1.0, "{start}");
        assert_eq!(steady(20.0, 10e6).start_bytes(100e6, 100e6, 20e6, 0.45), 0.0);
    }
}
