//! Where the time of a compilation goes: CPU time of each phase, without that of the phases inside it.
//!
//! It must never know what a phase does, nor where the time comes from: the clock is handed in.
//!
//! Invariants
//! - C1. Phases of a thread nest: one ends before the one around it, on the thread it began on. So the clock may be that of
//!   the thread, and the times of all phases add up to those of the outermost ones.

use hashbrown::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;

/// Gathers times, if it was given a clock; without one it costs next to nothing. Clones gather together.
#[derive(Clone, Default)]
pub struct Timing(Option<Arc<Gathered>>);

struct Gathered {
    cpu_ns: fn() -> u64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What the phases inside each running phase have taken, by thread, innermost last.
    running: HashMap<ThreadId, Vec<u64>>,
    phases: Vec<PhaseTime>,
}

/// A phase of compilation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhaseTime {
    /// Its name; a pass of the optimiser has its own.
    pub name: &'static str,
    /// CPU time in nanoseconds, without that of the phases inside it.
    pub cpu_ns: u64,
    /// How often it ran.
    pub runs: u64,
}

impl Timing {
    /// `cpu_ns` gives the CPU time of the calling thread, in nanoseconds.
    pub fn new(cpu_ns: fn() -> u64) -> Timing {
        Timing(Some(Arc::new(Gathered { cpu_ns, state: Mutex::default() })))
    }

    /// Does a phase's work.
    pub fn time<T>(&self, name: &'static str, work: impl FnOnce() -> T) -> T {
        self.time_as(|| (name, work()))
    }

    /// Does work that says itself which phase it was.
    pub fn time_as<T>(&self, work: impl FnOnce() -> (&'static str, T)) -> T {
        let Some(gathered) = &self.0 else { return work().1 };
        let thread = std::thread::current().id();
        gathered.lock().running.entry(thread).or_default().push(0);
        let begin_ns = (gathered.cpu_ns)();
        let (name, result) = work();
        let all_ns = (gathered.cpu_ns)().saturating_sub(begin_ns);
        let mut state = gathered.lock();
        let running = state.running.get_mut(&thread).expect("this phase is running (C1)");
        let inside_ns = running.pop().expect("this phase is running (C1)");
        if let Some(around) = running.last_mut() {
            *around += all_ns;
        }
        let phase = state.phase(name);
        phase.cpu_ns += all_ns.saturating_sub(inside_ns);
        phase.runs += 1;
        result
    }

    /// The phases so far, in the order in which they first ended.
    pub fn phases(&self) -> Vec<PhaseTime> {
        self.0.as_ref().map_or_else(Vec::new, |gathered| gathered.lock().phases.clone())
    }
}

impl Gathered {
    /// Nothing panics while it holds the lock, so what a poisoned one holds is sound.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn phase(&mut self, name: &'static str) -> &mut PhaseTime {
        let known = self.phases.iter().position(|phase| phase.name == name);
        let at = known.unwrap_or_else(|| {
            self.phases.push(PhaseTime { name, cpu_ns: 0, runs: 0 });
            self.phases.len() - 1
        });
        &mut self.phases[at]
    }
}

impl fmt::Debug for Timing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Timing").field(&self.phases()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    thread_local! {
        static NOW_NS: Cell<u64> = const { Cell::new(0) };
    }

    fn pass(ns: u64) {
        NOW_NS.set(NOW_NS.get() + ns);
    }

    #[test]
    fn a_phase_is_charged_without_those_inside_it() {
        let timing = Timing::new(|| NOW_NS.get());
        let four = timing.time("outer", || {
            pass(1);
            timing.time("inner", || {
                pass(10);
                timing.time("innermost", || pass(100));
            });
            timing.time("inner", || pass(20));
            pass(2);
            4
        });
        // a thread has phases and a clock of its own
        let elsewhere = timing.clone();
        timing
            .time("outer", || std::thread::spawn(move || elsewhere.time("inner", || pass(1000))).join())
            .expect("joined");
        let phase = |name, cpu_ns, runs| PhaseTime { name, cpu_ns, runs };
        assert_eq!(four, 4);
        assert_eq!(timing.phases(), [phase("innermost", 100, 1), phase("inner", 1030, 3), phase("outer", 3, 2)]);
    }

    #[test]
    fn without_a_clock_nothing_is_gathered() {
        let timing = Timing::default();
        assert_eq!(timing.time("outer", || 3), 3);
        assert_eq!(timing.phases(), []);
    }
}
