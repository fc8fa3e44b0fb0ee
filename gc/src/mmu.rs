//! Minimum mutator utilisation: the least share of any window of time that was left to the program (Cheng and Blelloch,
//! 2001). Kept as pauses come, exactly, for a few window lengths.
//!
//! Pause time within a sliding window is greatest where the window ends with a pause or begins with one, so only those
//! windows are looked at: the one that ends with each pause as it ends, and those that begin with an earlier pause and
//! end within it.
//!
//! Invariants
//! - U1. `recent` holds every pause that a window ending now could reach, oldest first, with the pause time before it.

use std::collections::VecDeque;

/// The windows that are watched.
pub const MMU_WINDOWS_NS: [u64; 6] = [1_000_000, 5_000_000, 10_000_000, 50_000_000, 100_000_000, 200_000_000];

#[derive(Clone, Copy, Debug)]
struct Pause {
    start_ns: u64,
    end_ns: u64,
    /// Of all pauses before it.
    before_ns: u64,
}

/// The most pause time that any window had so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mmu {
    recent: VecDeque<Pause>,
    total_ns: u64,
    worst_ns: [u64; MMU_WINDOWS_NS.len()],
}

impl Mmu {
    /// A pause ended. Pauses come in order and don't overlap.
    pub(crate) fn add(&mut self, start_ns: u64, end_ns: u64) {
        if self.recent.try_reserve(1).is_err() {
            // The longest windows are measured without the oldest pause; without any, this one is not measured.
            self.recent.pop_front();
            if self.recent.capacity() == 0 {
                return;
            }
        }
        self.recent.push_back(Pause { start_ns, end_ns, before_ns: self.total_ns });
        self.total_ns += end_ns - start_ns;
        for (window_ns, worst_ns) in MMU_WINDOWS_NS.into_iter().zip(&mut self.worst_ns) {
            // the window that ends with this pause
            let from_ns = end_ns.saturating_sub(window_ns);
            let first = self.recent.partition_point(|pause| pause.end_ns <= from_ns);
            let Some(earliest) = self.recent.get(first) else { continue };
            let cut_ns = from_ns.saturating_sub(earliest.start_ns);
            let mut paused_ns = self.total_ns - earliest.before_ns - cut_ns;
            // those that begin with an earlier pause and end within this one
            let first = self.recent.partition_point(|pause| pause.start_ns + window_ns <= start_ns);
            for earlier in self.recent.iter().skip(first).take_while(|pause| pause.start_ns + window_ns < end_ns) {
                let left_ns = end_ns - (earlier.start_ns + window_ns);
                paused_ns = paused_ns.max((self.total_ns - earlier.before_ns).saturating_sub(left_ns));
            }
            *worst_ns = (*worst_ns).max(paused_ns.min(window_ns));
        }
        let longest_ns = MMU_WINDOWS_NS[MMU_WINDOWS_NS.len() - 1];
        while self.recent.front().is_some_and(|pause| pause.end_ns + longest_ns < end_ns) {
            self.recent.pop_front();
        }
    }

    /// The least utilisation of each window, from 0 to 1.
    pub(crate) fn utilisation(&self) -> [f64; MMU_WINDOWS_NS.len()] {
        let mut least = [1.0; MMU_WINDOWS_NS.len()];
        for ((share, window_ns), worst_ns) in least.iter_mut().zip(MMU_WINDOWS_NS).zip(self.worst_ns) {
            *share = 1.0 - worst_ns as f64 / window_ns as f64;
        }
        least
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By brute force: every window start in steps of the grid that the pauses lie on.
    fn by_hand(pauses: &[(u64, u64)], window_ns: u64, step_ns: u64) -> f64 {
        let end_ns = pauses.last().map_or(0, |pause| pause.1);
        let mut worst_ns = 0;
        for at in (0..=end_ns).step_by(step_ns as usize) {
            let overlap = |&(s, e): &(u64, u64)| e.min(at + window_ns).saturating_sub(s.max(at));
            worst_ns = worst_ns.max(pauses.iter().map(overlap).sum());
        }
        1.0 - worst_ns as f64 / window_ns as f64
    }

    #[test]
    fn utilisation_is_that_of_all_windows() {
        const STEP_NS: u64 = 100_000;
        let mut state = 7_u64;
        let mut random = |n: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % n
        };
        for _ in 0..20 {
            let (mut mmu, mut pauses, mut now_ns) = (Mmu::default(), Vec::new(), 300 * STEP_NS);
            for _ in 0..60 {
                now_ns += (1 + random(80)) * STEP_NS;
                let start_ns = now_ns;
                now_ns += (1 + random(12)) * STEP_NS;
                pauses.push((start_ns, now_ns));
                mmu.add(start_ns, now_ns);
            }
            for (window_ns, share) in MMU_WINDOWS_NS.into_iter().zip(mmu.utilisation()) {
                let expected = by_hand(&pauses, window_ns, STEP_NS);
                assert!((share - expected).abs() < 1e-9, "{window_ns}: {share}, by hand {expected}");
            }
        }
    }

    #[test]
    fn a_pause_longer_than_the_window_leaves_nothing() {
        let mut mmu = Mmu::default();
        assert_eq!(mmu.utilisation(), [1.0; 6]);
        mmu.add(50_000_000, 57_000_000);
        let shares = mmu.utilisation();
        assert_eq!(&shares[..2], &[0.0, 0.0]);
        assert!((shares[2] - 0.3).abs() < 1e-9 && (shares[5] - 0.965).abs() < 1e-9);
    }
}
