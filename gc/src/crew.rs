//! A crew: the thread of a pause and those of the pool that help it.
//!
//! It must never know what the work is. A pause never waits for a thread that has not begun: who comes when the work is
//! done finds it closed.
//!
//! Invariants
//! - U1. A helper runs the work only between joining and leaving, both under the lock; none joins once it is closed.
//! - U2. [`together`] returns, or unwinds, only when it is closed and all who joined have left: until then what the work
//!   borrows is alive.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use crate::clock::{Clock, SystemClock};
use crate::pool::{self, Urgency, Work};

/// Most workers of a pause.
pub(crate) const WORKERS_MAX: usize = 4;

/// How many workers a pause can have on this machine.
pub(crate) fn workers_max() -> usize {
    (pool::threads_max() + 1).min(WORKERS_MAX)
}

/// What those who helped came to.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Helped {
    /// How many there were, most at a time.
    pub(crate) helpers: usize,
    /// CPU time of all of them.
    pub(crate) cpu_ns: u64,
    /// By how much the longest helper's CPU time exceeds that of the pause's own thread meanwhile.
    pub(crate) longer_cpu_ns: u64,
}

impl Helped {
    /// Adds what they came to in a later part of the same pause.
    pub(crate) fn after(&mut self, later: &Helped) {
        self.helpers = self.helpers.max(later.helpers);
        self.cpu_ns += later.cpu_ns;
        self.longer_cpu_ns += later.longer_cpu_ns;
    }
}

/// Whether help pays just now. Where other processes have the cores, a pause waits for helpers that don't run.
#[derive(Default)]
pub(crate) struct Help {
    /// Pauses still to be made alone.
    alone: u32,
    /// How many it was last time.
    alone_last: u32,
}

/// Most pauses in a row that are made alone before help is tried again.
const ALONE_MAX: u32 = 64;

impl Help {
    /// Whether the pause that begins should have helpers.
    pub(crate) fn is_wanted(&mut self) -> bool {
        self.alone = self.alone.saturating_sub(1);
        self.alone == 0
    }

    /// Learns from a pause that wanted helpers: they did not pay if it waited longer for them than they worked.
    pub(crate) fn learn(&mut self, helped: &Helped, waited_ns: u64) {
        if waited_ns > helped.cpu_ns {
            self.alone_last = (self.alone_last * 2).clamp(2, ALONE_MAX);
            self.alone = self.alone_last;
        } else {
            self.alone_last /= 2;
        }
    }
}

#[derive(Default)]
struct State {
    active: usize,
    closed: bool,
    panicked: bool,
    helpers: usize,
    cpu_ns: u64,
    cpu_ns_max: u64,
}

/// What a helper does, its lifetime forgotten.
struct Body(*const (dyn Fn(usize) + Sync));

// SAFETY: what it points to is Sync, and is alive while anyone may call it (U2).
unsafe impl Send for Body {}
// SAFETY: as above.
unsafe impl Sync for Body {}

struct Party {
    state: Mutex<State>,
    left: Condvar,
    body: Body,
}

impl Party {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while a crew's state is held")
    }

    /// Lets nobody else in and waits for those who are (U2).
    fn close(&self, mine_cpu_ns: u64) -> Helped {
        let mut state = self.state();
        state.closed = true;
        while state.active > 0 {
            state = self.left.wait(state).expect("nothing panics while a crew's state is held");
        }
        if state.panicked && !std::thread::panicking() {
            drop(state);
            panic!("a thread that helped in a pause panicked");
        }
        let longer_cpu_ns = state.cpu_ns_max.saturating_sub(mine_cpu_ns);
        Helped { helpers: state.helpers, cpu_ns: state.cpu_ns, longer_cpu_ns }
    }
}

impl Work for Party {
    fn work(&self) {
        let start_ns = SystemClock.thread_cpu_ns();
        let number = {
            let mut state = self.state();
            if state.closed {
                return;
            }
            state.active += 1;
            state.helpers += 1;
            state.helpers
        };
        // SAFETY: U1, U2: this thread has joined, so what the work borrows is alive until it leaves.
        let body = unsafe { &*self.body.0 };
        let result = catch_unwind(AssertUnwindSafe(|| body(number)));
        let cpu_ns = SystemClock.thread_cpu_ns() - start_ns;
        let mut state = self.state();
        state.active -= 1;
        state.panicked |= result.is_err();
        state.cpu_ns += cpu_ns;
        state.cpu_ns_max = state.cpu_ns_max.max(cpu_ns);
        self.left.notify_one();
    }
}

/// Closes the party even if its own thread panics.
struct Closing<'p>(&'p Party);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.close(0);
        }
    }
}

/// Does `mine` on this thread while up to `helpers` others do `theirs`, each with its number from 1.
///
/// # Panics
/// If one of them does.
pub(crate) fn together<R>(helpers: usize, theirs: &(dyn Fn(usize) + Sync), mine: impl FnOnce() -> R) -> (R, Helped) {
    if helpers == 0 {
        return (mine(), Helped::default());
    }
    // SAFETY: only the lifetime changes, and U2 holds without it.
    let theirs = unsafe {
        std::mem::transmute::<*const (dyn Fn(usize) + Sync + '_), *const (dyn Fn(usize) + Sync + 'static)>(theirs)
    };
    let party = Arc::new(Party { state: Mutex::default(), left: Condvar::new(), body: Body(theirs) });
    let closing = Closing(&party);
    for _ in 0..helpers {
        pool::submit(Arc::clone(&party) as Arc<dyn Work>, Urgency::Pause { threads: helpers });
    }
    let start_ns = SystemClock.thread_cpu_ns();
    let result = mine();
    let mine_cpu_ns = SystemClock.thread_cpu_ns() - start_ns;
    let helped = party.close(mine_cpu_ns);
    drop(closing);
    (result, helped)
}

/// Does `part` for each number below `count`, with up to `workers`.
pub(crate) fn share(workers: usize, count: usize, part: &(dyn Fn(usize) + Sync)) -> Helped {
    let next = AtomicUsize::new(0);
    let parts = |_| loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= count {
            return;
        }
        part(number);
    };
    together(workers.min(count).saturating_sub(1), &parts, || parts(0)).1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everyone_has_left_when_it_returns() {
        for round in 0..200 {
            let (inside, ran) = (AtomicUsize::new(0), AtomicUsize::new(0));
            let theirs = |number: usize| {
                assert!((1..=3).contains(&number));
                inside.fetch_add(1, Ordering::SeqCst);
                std::thread::yield_now();
                ran.fetch_add(1, Ordering::SeqCst);
                inside.fetch_sub(1, Ordering::SeqCst);
            };
            let (mine, helped) = together(3, &theirs, || {
                // Sometimes nobody comes in time, sometimes all.
                (0..round * 50).for_each(|_| std::hint::spin_loop());
                round
            });
            assert_eq!((mine, inside.load(Ordering::SeqCst)), (round, 0));
            assert_eq!(ran.load(Ordering::SeqCst), helped.helpers);
        }
    }

    #[test]
    fn each_part_is_done_once() {
        let done: Vec<_> = (0..100).map(|_| AtomicUsize::new(0)).collect();
        for workers in 1..=4 {
            share(workers, done.len(), &|part| {
                done[part].fetch_add(1, Ordering::Relaxed);
            });
            assert!(done.iter().all(|count| count.load(Ordering::Relaxed) == workers));
        }
        share(4, 0, &|_| unreachable!("there are no parts"));
    }

    #[test]
    fn pauses_that_wait_for_their_helpers_go_alone_for_a_while() {
        let mut help = Help::default();
        let helped = |cpu_ns| Helped { helpers: 1, cpu_ns, ..Helped::default() };
        help.learn(&helped(1_000), 100);
        assert!(help.is_wanted());
        let mut pauses = Vec::new();
        for _ in 0..8 {
            help.learn(&helped(100), 1_000);
            pauses.push((0..).take_while(|_| !help.is_wanted()).count());
        }
        assert_eq!(pauses, [1, 3, 7, 15, 31, 63, 63, 63]);
        help.learn(&helped(1_000), 100);
        assert!(help.is_wanted());
    }

    #[test]
    fn a_panic_of_a_helper_is_the_pause_s() {
        let begun = AtomicUsize::new(0);
        let theirs = |_| {
            begun.fetch_add(1, Ordering::SeqCst);
            panic!("as the test wants");
        };
        let result = catch_unwind(AssertUnwindSafe(|| {
            together(1, &theirs, || {
                while begun.load(Ordering::SeqCst) == 0 {
                    std::thread::yield_now();
                }
            })
        }));
        assert!(result.is_err());
        // The pool goes on.
        let theirs = |_| {
            begun.fetch_add(1, Ordering::SeqCst);
        };
        let (_, helped) = together(1, &theirs, || {
            while begun.load(Ordering::SeqCst) < 2 {
                std::thread::yield_now();
            }
        });
        assert_eq!(helped.helpers, 1);
    }
}
