//! Marker threads: a process-wide pool that works for all heaps beside their programs, and what a heap shares with it.
//!
//! It must never know what a pause is, nor touch a heap but through the job it was handed.
//!
//! Invariants
//! - T1. A job is worked on by whoever holds its lock, so by one thread at a time. A heap that takes its job back (see
//!   [`Shared::take`]) waits until the marker has let go; from then on no marker touches that heap.
//! - T2. A marker that is asked to stop lets go within a few hundred slots.
//! - T3. Threads are started when there is work and end when there was none for a while; where none can be started, the
//!   work is done in slices by the program's own thread.

use std::collections::VecDeque;
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use crate::clock::{Clock, SystemClock};
use crate::mark::{Budget, Tracer};
use crate::rebuild::{Clear, Rebuild};
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
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Poisoned: a marker panicked, which is a bug; the heap must not go on with half a marking.
    mutex.lock().expect("a marker thread panicked")
}

impl Shared {
    pub(crate) fn new(alarm: Option<Arc<dyn Alarm>>) -> Shared {
        Shared {
            stop: AtomicBool::new(false),
            finished: AtomicBool::new(false),
            cpu_ns: AtomicU64::new(0),
            job: Mutex::default(),
            handed: Mutex::default(),
            alarm,
        }
    }

    /// Hands overwritten references over. True if the job had run to its end before, so that it must be submitted again.
    pub(crate) fn hand_over(&self, references: &mut Vec<u32>) -> bool {
        if references.is_empty() {
            return false;
        }
        let mut handed = lock(&self.handed);
        handed.append(references);
        self.finished.swap(false, Ordering::AcqRel)
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
    pub(crate) fn work(&self, budget: &mut Budget<'_>) {
        // Held: another marker is at it already.
        let Ok(mut job) = self.job.try_lock() else { return };
        loop {
            let done = match &mut *job {
                Job::None => return,
                Job::Trace(tracer) => tracer.drain(budget),
                Job::Rebuild(rebuild) => rebuild.run(budget),
                Job::Clear(clear) => clear.run(budget),
            };
            if !done {
                return;
            }
            let mut handed = lock(&self.handed);
            match &mut *job {
                Job::Trace(tracer) if !handed.is_empty() => tracer.hand_over(&mut handed),
                _ => {
                    self.finished.store(true, Ordering::Release);
                    return;
                }
            }
        }
    }

    fn work_beside(&self) {
        let start_ns = SystemClock.thread_cpu_ns();
        self.work(&mut Budget::until(&self.stop));
        self.cpu_ns.fetch_add(SystemClock.thread_cpu_ns() - start_ns, Ordering::Relaxed);
        if self.is_finished()
            && let Some(alarm) = &self.alarm
        {
            alarm.ring();
        }
    }
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Arc<Shared>>,
    threads: usize,
    idle: usize,
}

static QUEUE: Mutex<Queue> = Mutex::new(Queue { jobs: VecDeque::new(), threads: 0, idle: 0 });
static WAKE: Condvar = Condvar::new();
/// A thread that had nothing to do for so long ends.
const IDLE: Duration = Duration::from_secs(5);
const THREADS_MAX: usize = 4;

/// Whether markers beside the program make sense: there is a core for them.
pub(crate) fn are_worthwhile() -> bool {
    threads_max() > 0
}

fn threads_max() -> usize {
    thread::available_parallelism().map_or(0, |cores| (cores.get() - 1).min(THREADS_MAX))
}

/// Has a marker work on a job; false if there is no thread for it.
pub(crate) fn submit(shared: &Arc<Shared>) -> bool {
    let mut queue = lock(&QUEUE);
    queue.jobs.push_back(Arc::clone(shared));
    if queue.idle < queue.jobs.len() && queue.threads < threads_max().max(1) {
        let started = thread::Builder::new().name("tenure-marker".into()).stack_size(256 << 10).spawn(serve);
        match started {
            Ok(_) => queue.threads += 1,
            Err(_) if queue.threads == 0 => {
                queue.jobs.pop_back();
                return false;
            }
            Err(_) => {}
        }
    }
    WAKE.notify_one();
    true
}

/// A marker thread's life.
fn serve() {
    let mut queue = lock(&QUEUE);
    loop {
        if let Some(shared) = queue.jobs.pop_front() {
            drop(queue);
            // A panic is the job's bug, and its heap's: the lock it held is poisoned, other heaps are not concerned.
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| shared.work_beside()));
            drop(shared);
            queue = lock(&QUEUE);
            continue;
        }
        queue.idle += 1;
        let (woken, timeout) = WAKE.wait_timeout(queue, IDLE).expect("a marker thread panicked");
        queue = woken;
        queue.idle -= 1;
        if timeout.timed_out() && queue.jobs.is_empty() {
            queue.threads -= 1;
            return;
        }
    }
}
