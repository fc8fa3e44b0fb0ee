//! Marking beside the program: the jobs that threads of the pool do for a heap, and what the heap shares with them.
//!
//! It must never know what a pause is, nor touch a heap but through the job it was handed.
//!
//! Invariants
//! - T1. A job is worked on by whoever holds its lock, so by one thread at a time. A heap that takes its job back (see
//!   [`Shared::take`]) waits until the marker has let go; from then on no marker touches that heap.
//! - T2. A marker that is asked to stop lets go within a few hundred slots.
//! - T3. Where no thread can be started, the work is done in slices by the program's own thread.

use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::clock::{Clock, SystemClock};
use crate::mark::{Budget, Tracer};
use crate::pool::{self, Urgency, Work};
use crate::rebuild::{Clear, Rebuild};
use crate::room::Room;
use crate::safepoint::Alarm;

/// What a marker does for a heap.
#[derive(Default)]
pub(crate) enum Job {
    /// Nothing: the heap has the job.
    #[default]
    None,
    Trace(Tracer),
    Rebuild(Rebuild),
    Clear(Clear),
}

impl Job {
    /// Memory that it takes beside the heap.
    pub(crate) fn table_bytes(&self) -> u64 {
        match self {
            Job::None | Job::Clear(_) => 0,
            Job::Trace(tracer) => tracer.table_bytes(),
            Job::Rebuild(rebuild) => rebuild.table_bytes(),
        }
    }
}

/// What became of references that were handed over.
#[derive(Clone, Copy, Default)]
pub(crate) struct Handed {
    /// The job had run to its end before, so it must be submitted again.
    pub(crate) again: bool,
    /// They pile up: the program is to help.
    pub(crate) many: bool,
}

/// More overwritten references than this don't wait for a marker.
const HANDED_MAX: usize = 1 << 14;
/// A marker looks for what was handed over after so many slots.
const TRACED_AT_ONCE: u64 = 1 << 14;

/// What a heap shares with the markers.
pub(crate) struct Shared {
    stop: AtomicBool,
    finished: AtomicBool,
    cpu_ns: AtomicU64,
    job: Mutex<Job>,
    /// References that the barrier hands over.
    handed: Mutex<Vec<u32>>,
    /// Rung when a marker has come to the end of the job: a pause is due.
    alarm: Option<Arc<dyn Alarm>>,
    room: Room,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Poisoned: a marker panicked, which is a bug; the heap must not go on with half a marking.
    mutex.lock().expect("a marker thread panicked")
}

impl Shared {
    pub(crate) fn new(alarm: Option<Arc<dyn Alarm>>, room: Room) -> Shared {
        Shared {
            stop: AtomicBool::new(false),
            finished: AtomicBool::new(false),
            cpu_ns: AtomicU64::new(0),
            job: Mutex::default(),
            handed: Mutex::default(),
            alarm,
            room,
        }
    }

    /// Hands overwritten references over, as far as there is room.
    pub(crate) fn hand_over(&self, references: &mut Vec<u32>) -> Handed {
        if references.is_empty() {
            return Handed::default();
        }
        let mut handed = lock(&self.handed);
        if !self.room.has(&mut handed, references.len()) {
            return Handed { many: true, ..Handed::default() };
        }
        handed.append(references);
        Handed { again: self.finished.swap(false, Ordering::AcqRel), many: handed.len() > HANDED_MAX }
    }

    /// The program takes part in the job. The marker stops for that (T1).
    pub(crate) fn assist(&self, budget: &mut Budget<'_>) {
        self.stop.store(true, Ordering::Relaxed);
        let mut job = lock(&self.job);
        self.stop.store(false, Ordering::Relaxed);
        self.run(&mut job, budget);
    }

    /// Whether the job ran to its end.
    pub(crate) fn is_finished(&self) -> bool {
        self.finished.load(Ordering::Acquire)
    }

    /// CPU time that markers used since the last call.
    pub(crate) fn take_cpu_ns(&self) -> u64 {
        self.cpu_ns.swap(0, Ordering::Relaxed)
    }

    /// Takes the job back, once its marker has stopped (T1), with everything that was handed over.
    pub(crate) fn take(&self) -> Job {
        self.stop.store(true, Ordering::Relaxed);
        // A marker that panicked leaves no job; dropping the heap must still be possible.
        let mut job = self.job.lock().map(|mut job| mem::take(&mut *job)).unwrap_or_default();
        self.stop.store(false, Ordering::Relaxed);
        if let Job::Trace(tracer) = &mut job {
            tracer.hand_over(&mut lock(&self.handed));
        }
        job
    }

    /// Gives a job to be done.
    pub(crate) fn give(&self, job: Job) {
        *lock(&self.job) = job;
        self.finished.store(false, Ordering::Release);
    }

    /// Works on the job until it is done or the budget is spent.
    pub(crate) fn advance(&self, budget: &mut Budget<'_>) {
        // Held: another marker is at it already.
        let Ok(mut job) = self.job.try_lock() else { return };
        self.run(&mut job, budget);
    }

    fn run(&self, job: &mut Job, budget: &mut Budget<'_>) {
        loop {
            let done = match job {
                Job::None => return,
                Job::Trace(tracer) => {
                    // What the program hands over is taken every now and then, so that it does not pile up.
                    tracer.hand_over(&mut lock(&self.handed));
                    let mut part = budget.part(TRACED_AT_ONCE);
                    let done = tracer.drain(&mut part);
                    if !budget.spend(part.spent()) && !done {
                        continue;
                    }
                    done
                }
                Job::Rebuild(rebuild) => rebuild.run(budget),
                Job::Clear(clear) => clear.run(budget),
            };
            if !done {
                return;
            }
            let handed = lock(&self.handed);
            if handed.is_empty() || !matches!(job, Job::Trace(_)) {
                self.finished.store(true, Ordering::Release);
                return;
            }
        }
    }

    fn work_beside(&self) {
        let start_ns = SystemClock.thread_cpu_ns();
        self.advance(&mut Budget::until(&self.stop));
        self.cpu_ns.fetch_add(SystemClock.thread_cpu_ns() - start_ns, Ordering::Relaxed);
        if self.is_finished()
            && let Some(alarm) = &self.alarm
        {
            alarm.ring();
        }
    }
}

impl Work for Shared {
    /// A panic is the job's bug, and its heap's: the lock it held is poisoned, other heaps are not concerned.
    fn work(&self) {
        self.work_beside();
    }
}

/// Whether markers beside the program make sense: there is a core for them.
pub(crate) fn are_worthwhile() -> bool {
    pool::threads_max() > 0
}

/// Has a thread work on a job; false if there is none for it.
pub(crate) fn submit(shared: &Arc<Shared>) -> bool {
    pool::submit(Arc::clone(shared) as Arc<dyn Work>, Urgency::Beside)
}
