//! Counters of the cycle under way, and the recent past that a snapshot condenses.
//!
//! It must never decide anything.

use crate::clock::{Clock, Work};
use crate::mmu::{MMU_WINDOWS_NS, Mmu};
use crate::policy::Sequence;

const HISTORY: usize = 32;
/// Copies of fewer bytes say nothing of the cost of a byte; that cost before anything was measured; and the cost of
/// scanning an entry, and one that stands for a chunk of an array: 128 slots, side by side.
const COPIED_BYTES_MIN: u64 = 64 << 10;
const COPY_NS_PER_BYTE: f64 = 1.0;
const SCAN_NS_PER_ENTRY: f64 = 40.0;
const SCAN_NS_PER_CHUNK: f64 = 200.0;
/// What old regions take by what these rates say, before anything was measured, at the least and at the most: their objects have
/// left the caches. A smaller part of a pause says nothing.
const OLD_COST_UNKNOWN: f64 = 2.0;
const OLD_COST_MIN: f64 = 0.5;
const OLD_COST_MAX: f64 = 16.0;
const OLD_NS_MIN: f64 = 100_000.0;

/// Predicted cost of scanning entries, so many of them chunks.
pub(crate) fn scan_ns(entries: usize, chunks: usize) -> f64 {
    (entries - chunks) as f64 * SCAN_NS_PER_ENTRY + chunks as f64 * SCAN_NS_PER_CHUNK
}

/// The last values of a measured quantity.
#[derive(Clone, Copy, Default)]
struct History {
    values: [u64; HISTORY],
    count: usize,
}

impl History {
    fn add(&mut self, value: u64) {
        self.values[self.count % HISTORY] = value;
        self.count += 1;
    }

    fn values(&self) -> &[u64] {
        &self.values[..self.count.min(HISTORY)]
    }

    fn quantile(&self, quantile: f64) -> u64 {
        let mut sorted = self.values;
        let sorted = &mut sorted[..self.values().len()];
        sorted.sort_unstable();
        let at = (sorted.len() as f64 * quantile).ceil() as usize;
        sorted.get(at.saturating_sub(1)).copied().unwrap_or(0)
    }
}

/// Times at the start of a pause.
#[derive(Clone, Copy)]
pub(crate) struct PauseStart {
    pub(crate) at_ns: u64,
    pub(crate) cpu_ns: u64,
    pub(crate) system_ns: u64,
    pub(crate) mutator_ns: u64,
    pub(crate) mutator_cpu_ns: u64,
}

/// What is counted between two pauses, and remembered over many.
pub(crate) struct Measure {
    clock: Box<dyn Clock>,
    born_ns: u64,
    pause_end_ns: u64,
    pause_end_cpu_ns: u64,
    pub(crate) allocated_bytes: u64,
    pub(crate) large_allocated_bytes: u64,
    pub(crate) barrier_slow_paths: u64,
    pub(crate) eden_refills: u64,
    /// CPU time of the collector outside evacuation pauses: markers, their slices, and the pauses of the concurrent cycle.
    pub(crate) concurrent_cpu_ns: u64,
    /// Of it, slices on the program's thread.
    pub(crate) slice_cpu_ns: u64,
    /// CPU time that pauses and slices took of the threads they ran on, which waited for them; all of them so far.
    pub(crate) stopped_cpu_ns: u64,
    /// What the program had run before pauses that ended no cycle.
    mutator_ns: u64,
    mutator_cpu_ns: u64,
    /// Tails of eden regions closed in this cycle.
    pub(crate) tail_waste_bytes: u64,
    pub(crate) pauses: u64,
    pub(crate) full_collections: u64,
    pub(crate) cycles_since_mark: u64,
    pub(crate) live_bytes: u64,
    mmu: Mmu,
    pauses_ns: History,
    gc_cpu_ns: History,
    cpu_ns: History,
    base_ns: Sequence,
    copy_ns_per_byte: Sequence,
    /// What old regions took by what was predicted from the rates of young ones.
    old_cost: Sequence,
    /// Decaying mean and deviation of the share of young bytes that is copied.
    survival: (f64, f64),
}

impl Measure {
    pub(crate) fn new(clock: Box<dyn Clock>) -> Measure {
        let (born_ns, cpu_ns) = (clock.now_ns(), clock.thread_cpu_ns());
        Measure {
            clock,
            born_ns,
            pause_end_ns: born_ns,
            pause_end_cpu_ns: cpu_ns,
            allocated_bytes: 0,
            large_allocated_bytes: 0,
            barrier_slow_paths: 0,
            eden_refills: 0,
            concurrent_cpu_ns: 0,
            slice_cpu_ns: 0,
            stopped_cpu_ns: 0,
            mutator_ns: 0,
            mutator_cpu_ns: 0,
            tail_waste_bytes: 0,
            pauses: 0,
            full_collections: 0,
            cycles_since_mark: u64::MAX,
            live_bytes: 0,
            mmu: Mmu::default(),
            pauses_ns: History::default(),
            gc_cpu_ns: History::default(),
            cpu_ns: History::default(),
            base_ns: Sequence::default(),
            copy_ns_per_byte: Sequence::default(),
            old_cost: Sequence::calm(),
            survival: (0.25, 0.25),
        }
    }

    pub(crate) fn charge(&self, work: Work) {
        self.clock.charge(work);
    }

    /// Whether times differ from run to run, so that it makes sense to take them.
    pub(crate) fn is_timed(&self) -> bool {
        !self.clock.is_repeatable()
    }

    pub(crate) fn now_ns(&self) -> u64 {
        self.clock.now_ns().saturating_sub(self.born_ns)
    }

    pub(crate) fn cpu_ns(&self) -> u64 {
        self.clock.thread_cpu_ns()
    }

    /// A thread that is not the owner's makes a pause: from now on its CPU time counts. Returns what the owner's time is
    /// counted from.
    pub(crate) fn visit_from_this_thread(&mut self) -> u64 {
        std::mem::replace(&mut self.pause_end_cpu_ns, self.clock.thread_cpu_ns())
    }

    /// The owner's CPU time counts again.
    pub(crate) fn return_to_thread(&mut self, owners: u64) {
        self.pause_end_cpu_ns = owners;
    }

    pub(crate) fn since_pause_ns(&self) -> u64 {
        self.clock.now_ns().saturating_sub(self.pause_end_ns)
    }

    /// A pause starts. The kernel's share of time is read only if someone will print it.
    pub(crate) fn begin_pause(&self, with_system: bool) -> PauseStart {
        let (now_ns, cpu_ns) = (self.clock.now_ns(), self.clock.thread_cpu_ns());
        PauseStart {
            at_ns: now_ns.saturating_sub(self.born_ns),
            cpu_ns,
            system_ns: if with_system { self.clock.thread_system_ns() } else { 0 },
            mutator_ns: self.mutator_ns + now_ns.saturating_sub(self.pause_end_ns),
            // A heap may move between threads, whose CPU clocks have nothing in common.
            mutator_cpu_ns: self.mutator_cpu_ns
                + cpu_ns.saturating_sub(self.pause_end_cpu_ns).saturating_sub(self.slice_cpu_ns),
        }
    }

    /// The work of a pause is done: its length, its CPU time with that of its helpers, and its own thread's kernel time. The
    /// policy's cycle ends with it.
    pub(crate) fn end_pause(&mut self, start: &PauseStart, with_system: bool, helpers_cpu_ns: u64) -> (u64, u64, u64) {
        let (pause_ns, own_cpu_ns, system_ns) = self.time_pause(start, with_system);
        let pause_cpu_ns = own_cpu_ns + helpers_cpu_ns;
        (self.mutator_ns, self.mutator_cpu_ns, self.slice_cpu_ns) = (0, 0, 0);
        self.pauses_ns.add(pause_ns);
        let gc_cpu_ns = pause_cpu_ns + self.concurrent_cpu_ns;
        self.gc_cpu_ns.add(gc_cpu_ns);
        self.cpu_ns.add(gc_cpu_ns + start.mutator_cpu_ns);
        (pause_ns, pause_cpu_ns, system_ns)
    }

    /// As `end_pause`, but the policy's cycle goes on: the pause counts as concurrent work.
    pub(crate) fn end_mark_pause(&mut self, start: &PauseStart, with_system: bool) -> (u64, u64, u64) {
        let times = self.time_pause(start, with_system);
        (self.mutator_ns, self.mutator_cpu_ns, self.slice_cpu_ns) = (start.mutator_ns, start.mutator_cpu_ns, 0);
        self.concurrent_cpu_ns += times.1;
        times
    }

    fn time_pause(&mut self, start: &PauseStart, with_system: bool) -> (u64, u64, u64) {
        let (now_ns, cpu_ns) = (self.clock.now_ns(), self.clock.thread_cpu_ns());
        let pause_ns = now_ns.saturating_sub(self.born_ns + start.at_ns);
        let pause_cpu_ns = cpu_ns.saturating_sub(start.cpu_ns);
        self.stopped_cpu_ns += pause_cpu_ns;
        let system_ns = if with_system {
            self.clock.thread_system_ns().saturating_sub(start.system_ns).min(pause_cpu_ns)
        } else {
            0
        };
        self.mmu.add(self.born_ns + start.at_ns, now_ns.max(self.born_ns + start.at_ns));
        self.pause_end_ns = now_ns;
        self.pause_end_cpu_ns = cpu_ns;
        (pause_ns, pause_cpu_ns, system_ns)
    }

    /// The program's own thread has marked for so long.
    pub(crate) fn add_slice(&mut self, cpu_ns: u64) {
        self.concurrent_cpu_ns += cpu_ns;
        self.slice_cpu_ns += cpu_ns;
        self.stopped_cpu_ns += cpu_ns;
    }

    /// The least share of each of [`MMU_WINDOWS_NS`] that was left to the program.
    pub(crate) fn mmu(&self) -> [f64; MMU_WINDOWS_NS.len()] {
        self.mmu.utilisation()
    }

    pub(crate) fn reset_counters(&mut self) {
        self.allocated_bytes = 0;
        self.large_allocated_bytes = 0;
        self.barrier_slow_paths = 0;
        self.concurrent_cpu_ns = 0;
        self.eden_refills = 0;
        self.tail_waste_bytes = 0;
        self.pauses += 1;
    }

    /// Learns what it cost to evacuate young regions: pauses that copy little tell the base, the others the cost of a byte. It is
    /// CPU time of all workers: what one alone would have taken, whatever else ran on the machine.
    pub(crate) fn add_evacuation(&mut self, cpu_ns: u64, copied_bytes: u64, entries: u64) {
        let scan_ns = entries as f64 * SCAN_NS_PER_ENTRY;
        let work_ns = (cpu_ns as f64 - scan_ns).max(0.0);
        if copied_bytes < COPIED_BYTES_MIN {
            self.base_ns.add(work_ns);
        } else {
            self.copy_ns_per_byte.add((work_ns - self.base_ns.mean().min(work_ns / 2.0)) / copied_bytes as f64);
        }
    }

    /// Learns what old regions took that were predicted to take `predicted_ns` by the rates of young ones.
    pub(crate) fn add_old_cost(&mut self, cpu_ns: f64, predicted_ns: f64) {
        if predicted_ns >= OLD_NS_MIN {
            self.old_cost.add((cpu_ns.max(0.0) / predicted_ns).min(OLD_COST_MAX));
        }
    }

    /// What old regions are predicted to take, by what the rates of young ones say.
    pub(crate) fn old_cost(&self) -> f64 {
        let cost = if self.old_cost.samples() == 0 { OLD_COST_UNKNOWN } else { self.old_cost.predict() };
        cost.clamp(OLD_COST_MIN, OLD_COST_MAX)
    }

    /// Predicted cost of copying a byte.
    pub(crate) fn copy_ns_per_byte(&self) -> f64 {
        if self.copy_ns_per_byte.samples() == 0 { COPY_NS_PER_BYTE } else { self.copy_ns_per_byte.predict() }
    }

    /// Predicted time that one worker takes to evacuate young regions.
    pub(crate) fn pause_ns_expected(&self, copied_bytes: u64, entries: u64) -> f64 {
        let copy_ns = copied_bytes as f64 * self.copy_ns_per_byte();
        self.base_ns.predict() + copy_ns + entries as f64 * SCAN_NS_PER_ENTRY
    }

    /// Learns what share of the young bytes was copied.
    pub(crate) fn add_survival(&mut self, young_bytes: u64, copied_bytes: u64) {
        if young_bytes > 0 {
            let share = copied_bytes as f64 / young_bytes as f64;
            let (mean, deviation) = &mut self.survival;
            *deviation = 0.7 * *deviation + 0.3 * (share - *mean).abs();
            *mean = 0.7 * *mean + 0.3 * share;
        }
    }

    /// Share of young bytes that the next pause is expected to copy, with a margin.
    pub(crate) fn survival_expected(&self) -> f64 {
        self.survival.0 + 2.0 * self.survival.1
    }

    pub(crate) fn pause_ns_quantile(&self, quantile: f64) -> u64 {
        self.pauses_ns.quantile(quantile)
    }

    pub(crate) fn pause_misses(&self, goal_ns: u64) -> f64 {
        let values = self.pauses_ns.values();
        values.iter().filter(|pause_ns| **pause_ns > goal_ns).count() as f64 / values.len().max(1) as f64
    }

    pub(crate) fn gc_cpu_share(&self) -> f64 {
        let sum = |history: &History| history.values().iter().sum::<u64>() as f64;
        sum(&self.gc_cpu_ns) / sum(&self.cpu_ns).max(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_cover_the_last_values_only() {
        let mut history = History::default();
        assert_eq!(history.quantile(0.5), 0);
        (1..=1000).for_each(|value| history.add(value));
        assert_eq!(history.quantile(0.5), 984);
        assert_eq!(history.quantile(1.0), 1000);
        assert_eq!(history.values().len(), HISTORY);
    }
}
