//! How long the phases of a pause took, and the watch that says so.
//!
//! It must never change what a pause does: nobody decides by these figures.

use crate::clock::{Clock, SystemClock};

/// What a pause spends its time on, in the order in which it is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum PausePhase {
    /// Choosing the collection set, and what starting a marking needs.
    Prepare,
    /// Stacks and handles.
    Roots,
    /// Old objects written to since the last pause.
    StoreBuffer,
    /// Old objects known to refer to survivors.
    Retained,
    /// Old objects known to refer to the old regions that are collected.
    Remembered,
    /// Copying, and scanning the copies.
    Copy,
    /// A worker waiting for the others.
    Termination,
    /// Weak references, weak maps and host resources.
    Weak,
    /// Freeing what was collected, and putting the workers' results together.
    Free,
    /// Full collection: marking what is live.
    Mark,
    /// Full collection: where everything goes.
    Plan,
    /// Full collection: redirecting references.
    Redirect,
    /// Full collection: moving.
    Slide,
    /// What freed memory goes back, and the system's limit. The policy's decision comes after the pause.
    Finish,
}

impl PausePhase {
    /// How many there are.
    pub const COUNT: usize = 14;

    /// All of them.
    pub const ALL: [PausePhase; PausePhase::COUNT] = [
        PausePhase::Prepare,
        PausePhase::Roots,
        PausePhase::StoreBuffer,
        PausePhase::Retained,
        PausePhase::Remembered,
        PausePhase::Copy,
        PausePhase::Termination,
        PausePhase::Weak,
        PausePhase::Free,
        PausePhase::Mark,
        PausePhase::Plan,
        PausePhase::Redirect,
        PausePhase::Slide,
        PausePhase::Finish,
    ];

    /// Whether several workers may take part in it.
    pub fn is_shared(self) -> bool {
        !matches!(self, PausePhase::Prepare | PausePhase::Weak | PausePhase::Free | PausePhase::Finish)
    }

    /// Its words in the log: G1's where it has such a phase.
    pub fn name(self) -> &'static str {
        match self {
            PausePhase::Prepare => "Choose Collection Set",
            PausePhase::Roots => "Ext Root Scanning",
            PausePhase::StoreBuffer => "Scan Store Buffer",
            PausePhase::Retained => "Scan Retained",
            PausePhase::Remembered => "Scan Remembered Sets",
            PausePhase::Copy => "Object Copy",
            PausePhase::Termination => "Termination",
            PausePhase::Weak => "Reference Processing",
            PausePhase::Free => "Free Collection Set",
            PausePhase::Mark => "Phase 1: Mark live objects",
            PausePhase::Plan => "Phase 2: Prepare for compaction",
            PausePhase::Redirect => "Phase 3: Adjust pointers",
            PausePhase::Slide => "Phase 4: Compact heap",
            PausePhase::Finish => "Other",
        }
    }
}

/// The phases of a pause, in nanoseconds of wall time; all 0 under a clock that gives the same times in each run.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub struct Phases {
    /// Workers that took part.
    pub workers: u32,
    longest_ns: [u64; PausePhase::COUNT],
    sum_ns: [u64; PausePhase::COUNT],
}

impl Phases {
    /// What the worker took for whom a phase was longest.
    pub fn longest_ns(&self, phase: PausePhase) -> u64 {
        self.longest_ns[phase as usize]
    }

    /// What all workers took together.
    pub fn sum_ns(&self, phase: PausePhase) -> u64 {
        self.sum_ns[phase as usize]
    }

    /// Adds to a phase of one worker.
    pub(crate) fn add(&mut self, phase: PausePhase, ns: u64) {
        self.longest_ns[phase as usize] += ns;
        self.sum_ns[phase as usize] += ns;
    }

    /// Puts another worker's phases beside these.
    pub(crate) fn beside(&mut self, other: &Phases) {
        for phase in PausePhase::ALL.map(|phase| phase as usize) {
            self.longest_ns[phase] = self.longest_ns[phase].max(other.longest_ns[phase]);
            self.sum_ns[phase] += other.sum_ns[phase];
        }
        self.workers += other.workers;
    }

    /// Adds another pause's phases, or those of another part of this pause.
    pub(crate) fn after(&mut self, other: &Phases) {
        for phase in PausePhase::ALL.map(|phase| phase as usize) {
            self.longest_ns[phase] += other.longest_ns[phase];
            self.sum_ns[phase] += other.sum_ns[phase];
        }
        self.workers = self.workers.max(other.workers);
    }
}

/// Takes the time between two looks.
#[derive(Clone, Copy)]
pub(crate) struct Watch {
    /// The last look; None if there is nothing to be measured.
    last_ns: Option<u64>,
    pub(crate) phases: Phases,
}

impl Watch {
    /// Starts for one worker; `runs` is false under a clock that gives the same times in each run.
    pub(crate) fn start(runs: bool) -> Watch {
        let last_ns = runs.then(|| SystemClock.now_ns());
        Watch { last_ns, phases: Phases { workers: 1, ..Phases::default() } }
    }

    /// Counts the time since the last look toward a phase.
    pub(crate) fn lap(&mut self, phase: PausePhase) {
        if let Some(last_ns) = &mut self.last_ns {
            let now_ns = SystemClock.now_ns();
            self.phases.add(phase, now_ns.saturating_sub(*last_ns));
            *last_ns = now_ns;
        }
    }

    /// Counts the time since the last look toward nothing: it is in the phases of what was done meanwhile.
    pub(crate) fn skip(&mut self) {
        if let Some(last_ns) = &mut self.last_ns {
            *last_ns = SystemClock.now_ns();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_phase_is_at_its_number() {
        assert!(PausePhase::ALL.into_iter().enumerate().all(|(at, phase)| phase as usize == at));
    }

    #[test]
    fn workers_are_beside_each_other_and_pauses_after() {
        let mut worker = Phases { workers: 1, ..Phases::default() };
        worker.add(PausePhase::Copy, 10);
        let mut other = Phases { workers: 1, ..Phases::default() };
        other.add(PausePhase::Copy, 30);
        worker.beside(&other);
        let figures =
            |phases: &Phases| (phases.workers, phases.longest_ns(PausePhase::Copy), phases.sum_ns(PausePhase::Copy));
        assert_eq!(figures(&worker), (2, 30, 40));
        let mut total = Phases::default();
        total.after(&worker);
        total.after(&worker);
        assert_eq!(figures(&total), (2, 60, 80));
    }
}
