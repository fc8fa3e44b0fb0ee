//! The collector's threads: one pool for the process, which works for all heaps, beside their programs and within their
//! pauses.
//!
//! It must never know what a piece of work is, nor wait for one.
//!
//! Invariants
//! - L1. Threads are started when there is work and end when there was none for a while. Where none can be started, or the system
//!   has no memory for that, [`submit`] says so.
//! - L2. What a pause waits for comes before what goes on beside a program.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock};
use std::thread;
use std::time::Duration;

use crate::room::Room;

/// Something that a thread of the pool can do.
pub(crate) trait Work: Send + Sync {
    /// Does it. A panic is the work's own bug, which its owner must notice; the pool goes on.
    fn work(&self);
}

/// Who waits for a piece of work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Urgency {
    /// Nobody: it goes on beside a program.
    Beside,
    /// A pause, which wants so many threads at once, whatever the number of cores.
    Pause { threads: usize },
}

#[derive(Default)]
struct Queue {
    work: VecDeque<Arc<dyn Work>>,
    threads: usize,
    idle: usize,
}

static QUEUE: Mutex<Queue> = Mutex::new(Queue { work: VecDeque::new(), threads: 0, idle: 0 });
static WAKE: Condvar = Condvar::new();
/// A thread that had nothing to do for so long ends.
const IDLE: Duration = Duration::from_secs(5);
const THREADS_MAX: usize = 4;

fn queue() -> MutexGuard<'static, Queue> {
    // Nothing panics while it is held.
    QUEUE.lock().expect("the collector's pool is sound")
}

/// How many threads make sense beside a program: a core for each. Asked of the system once, for that reads files.
pub(crate) fn threads_max() -> usize {
    static CORES: OnceLock<usize> = OnceLock::new();
    let cores = *CORES.get_or_init(|| thread::available_parallelism().map_or(1, usize::from));
    (cores - 1).min(THREADS_MAX)
}

/// Has a thread do some work; false if there is no thread for it (L1).
pub(crate) fn submit(work: Arc<dyn Work>, urgency: Urgency) -> bool {
    let mut queue = queue();
    if queue.work.try_reserve(1).is_err() || !Room::default().has_pieces() {
        return false;
    }
    let threads_max = match urgency {
        Urgency::Beside => {
            queue.work.push_back(work);
            threads_max().max(1)
        }
        Urgency::Pause { threads } => {
            queue.work.push_front(work);
            threads
        }
    };
    if queue.idle < queue.work.len() && queue.threads < threads_max {
        let started = thread::Builder::new().name("tenure-gc".into()).stack_size(256 << 10).spawn(serve);
        match started {
            Ok(_) => queue.threads += 1,
            Err(_) if queue.threads == 0 => {
                queue.work.clear();
                return false;
            }
            Err(_) => {}
        }
    }
    WAKE.notify_one();
    true
}

/// A thread's life.
fn serve() {
    let mut queue = queue();
    loop {
        if let Some(work) = queue.work.pop_front() {
            drop(queue);
            let _ = catch_unwind(AssertUnwindSafe(|| work.work()));
            drop(work);
            queue = self::queue();
            continue;
        }
        queue.idle += 1;
        let (woken, timeout) = WAKE.wait_timeout(queue, IDLE).expect("the collector's pool is sound");
        queue = woken;
        queue.idle -= 1;
        if timeout.timed_out() && queue.work.is_empty() {
            queue.threads -= 1;
            return;
        }
    }
}
