//! How a running script is stopped from outside: by another thread, or because its time is up; and how its heap, or a
//! profiler, brings it to a safepoint, from which it goes on.
//!
//! The stack limit that compiled code compares its stack pointer with, at function entries and in every round of a loop,
//! doubles as the request: [`LIMIT_REQUEST`] is above every stack pointer, so the next comparison leads to the runtime,
//! which asks here what is wanted. Go's `stackguard` is where the idea comes from; running code pays for one comparison.
//!
//! Invariants
//! - T1. A request is noted in `requests` before the limit is overwritten, and whoever sets the limit looks at `requests`
//!   afterwards; so no request is lost.
//! - T2. `limit` points into a live VM context whenever it is set: the VM takes it back before the context goes.

use crate::tick;
use crate::trap::TrapKind;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicI32, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError, Weak};
use std::time::{Duration, Instant};
use tenure_gc::{Alarm, Clock, SystemClock};

/// A stack limit that no stack pointer is above.
pub(crate) const LIMIT_REQUEST: u64 = u64::MAX;

const INTERRUPT: u8 = 1;
const TIMEOUT: u8 = 2;
const SAFEPOINT: u8 = 4;
/// Not for [`Requests::since_ns`]: the profiler is in no hurry, and how soon a script comes is a figure of the collector's.
const SAMPLE: u8 = 8;

/// Stops what a VM, or an evaluator, runs; from any thread, any time. Clones speak of the same one.
#[derive(Clone, Default)]
pub struct InterruptHandle {
    shared: Arc<Requests>,
}

/// What is asked of a VM, or an evaluator.
#[derive(Default)]
pub(crate) struct Requests {
    requests: AtomicU8,
    limit: Mutex<Option<LimitWord>>,
    deadline: Mutex<Option<Instant>>,
    /// CPU time of the script's thread when the first request came that no safepoint has answered yet; 0 for none.
    since_ns: AtomicU64,
    /// Clock of that time; 0 before anything has run.
    thread_clock: AtomicI32,
    /// The script's thread while it runs and listens for ticks; 0 otherwise.
    ticked: AtomicI32,
}

/// The stack limit of a VM context.
struct LimitWord(NonNull<AtomicU64>);

// SAFETY: T2; the word is atomic.
unsafe impl Send for LimitWord {}

impl InterruptHandle {
    /// The script ends soon with an error of kind `interrupt`, which it can't catch; when nothing runs, the next call does.
    pub fn interrupt(&self) {
        self.shared.request(INTERRUPT);
    }

    /// From that moment on whatever runs, or is called, ends with an error of kind `timeout`. None: no deadline.
    pub fn set_deadline(&self, deadline: Option<Instant>) {
        *lock(&self.shared.deadline) = deadline;
        self.shared.take_back(TIMEOUT);
        if let Some(at) = deadline {
            Timer::of_process().add(at, &self.shared, None);
        }
    }

    /// What is asked for now. An interrupt is answered once, a deadline that has passed each time.
    pub fn take(&self) -> Option<TrapKind> {
        let requests = self.shared.requests.load(Ordering::SeqCst);
        if requests & INTERRUPT != 0 {
            self.shared.take_back(INTERRUPT);
            return Some(TrapKind::Interrupt);
        }
        (requests & TIMEOUT != 0).then_some(TrapKind::Timeout)
    }

    /// Whether something is asked for.
    pub fn is_requested(&self) -> bool {
        self.shared.requests.load(Ordering::SeqCst) != 0
    }

    /// Whether the script has to stop soon. Nothing is answered by asking.
    pub(crate) fn is_stop_requested(&self) -> bool {
        self.shared.requests.load(Ordering::SeqCst) & (INTERRUPT | TIMEOUT) != 0
    }

    /// What the heap rings when it wants the script at a safepoint.
    pub(crate) fn alarm(&self) -> Arc<dyn Alarm> {
        Arc::clone(&self.shared) as Arc<dyn Alarm>
    }

    /// The script goes on, on this thread, after it was within reach all the time, in native code or in the host.
    pub(crate) fn goes_on(&self) {
        self.shared.thread_clock.store(cpu_clock_of_this_thread(), Ordering::Relaxed);
        if self.shared.since_ns.load(Ordering::Relaxed) != 0 {
            self.shared.since_ns.store(SystemClock.thread_cpu_ns().max(1), Ordering::Relaxed);
        }
    }

    /// From here on a sample is asked for each time that so much has passed, as long as the VM lives.
    pub(crate) fn ask_for_samples(&self, every: Duration) {
        Timer::of_process().add(Instant::now() + every, &self.shared, Some(every));
    }

    /// From here on samples are asked for by ticks of this thread, if it can have them.
    pub(crate) fn listen_for_ticks(&self) {
        self.shared.ticked.store(tick::listen(&self.shared), Ordering::SeqCst);
    }

    /// The script's call has ended.
    pub(crate) fn stop_ticks(&self) {
        if self.shared.ticked.swap(0, Ordering::SeqCst) != 0 {
            tick::stop();
        }
    }

    /// A sample is asked for.
    pub(crate) fn ask_for_sample(&self) {
        self.shared.ask(SAMPLE);
    }

    /// Whether a sample is asked for.
    pub(crate) fn is_sample_asked_for(&self) -> bool {
        self.shared.is_sample_asked_for()
    }

    /// The sample was taken.
    pub(crate) fn sample_taken(&self) {
        self.shared.requests.fetch_and(!SAMPLE, Ordering::SeqCst);
    }

    /// From here on requests overwrite this limit, which must stay in place until [`detach`](Self::detach).
    pub(crate) fn attach(&self, limit: NonNull<AtomicU64>) {
        *lock(&self.shared.limit) = Some(LimitWord(limit));
    }

    pub(crate) fn detach(&self) {
        *lock(&self.shared.limit) = None;
    }
}

impl fmt::Debug for InterruptHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InterruptHandle").finish_non_exhaustive()
    }
}

impl Requests {
    fn request(&self, bit: u8) {
        // The first one counts.
        let cpu_ns = cpu_ns_of(self.thread_clock.load(Ordering::Relaxed)).max(1);
        let _ = self.since_ns.compare_exchange(0, cpu_ns, Ordering::Relaxed, Ordering::Relaxed);
        self.ask(bit);
    }

    /// For the handler of a signal, on the script's thread: does nothing while somebody, perhaps that thread, sets the limit.
    pub(crate) fn ask_for_sample_from_handler(&self) {
        let limit = match self.limit.try_lock() {
            Ok(limit) => limit,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        self.ask_holding(SAMPLE, &limit);
    }

    pub(crate) fn is_sample_asked_for(&self) -> bool {
        self.requests.load(Ordering::SeqCst) & SAMPLE != 0
    }

    fn ask(&self, bit: u8) {
        self.ask_holding(bit, &lock(&self.limit));
    }

    fn ask_holding(&self, bit: u8, limit: &Option<LimitWord>) {
        self.requests.fetch_or(bit, Ordering::SeqCst);
        if let Some(LimitWord(limit)) = limit {
            // SAFETY: T2, and the lock that the caller holds keeps it so.
            unsafe { limit.as_ref() }.store(LIMIT_REQUEST, Ordering::SeqCst);
        }
    }

    fn take_back(&self, bit: u8) {
        if self.requests.fetch_and(!bit, Ordering::SeqCst) & !(bit | SAMPLE) == 0 {
            self.since_ns.store(0, Ordering::Relaxed);
        }
    }

    /// The timer has reached a deadline of this one, perhaps an older.
    fn deadline_reached(&self, now: Instant) {
        let deadline = *lock(&self.deadline);
        if deadline.is_some_and(|at| at <= now) {
            self.request(TIMEOUT);
        }
    }
}

impl Alarm for Requests {
    fn ring(&self) {
        self.request(SAFEPOINT);
    }

    fn take(&self) -> Option<u64> {
        if self.requests.load(Ordering::SeqCst) & SAFEPOINT != 0 {
            self.requests.fetch_and(!SAFEPOINT, Ordering::SeqCst);
        }
        let since_ns = self.since_ns.load(Ordering::Relaxed);
        (since_ns != 0).then(|| {
            self.since_ns.store(0, Ordering::Relaxed);
            SystemClock.thread_cpu_ns().saturating_sub(since_ns)
        })
    }
}

fn cpu_clock_of_this_thread() -> i32 {
    let mut clock = 0;
    // SAFETY: the pointer is to a live integer, and this thread lives.
    let failed = unsafe { libc::pthread_getcpuclockid(libc::pthread_self(), &mut clock) };
    if failed == 0 { clock } else { 0 }
}

/// The time of such a clock; 0 when its thread has ended.
fn cpu_ns_of(clock: i32) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a live timespec. A clock is a number; one of no thread is refused.
    if clock == 0 || unsafe { libc::clock_gettime(clock, &mut time) } != 0 {
        return 0;
    }
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Nothing here panics while it holds a lock, so what a poisoned one holds is sound.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One thread for the deadlines and sampling intervals of the whole process, started with the first.
struct Timer {
    pending: Mutex<BinaryHeap<Reverse<Entry>>>,
    changed: Condvar,
}

struct Entry {
    at: Instant,
    shared: Weak<Requests>,
    /// The interval at which samples are asked for; none for a deadline.
    every: Option<Duration>,
}

impl Timer {
    fn of_process() -> &'static Timer {
        static TIMER: OnceLock<&'static Timer> = OnceLock::new();
        TIMER.get_or_init(|| {
            let timer: &'static Timer =
                Box::leak(Box::new(Timer { pending: Mutex::new(BinaryHeap::new()), changed: Condvar::new() }));
            let thread = std::thread::Builder::new().name("tenure-timer".into());
            thread.spawn(|| timer.run()).expect("the system gives a thread for them");
            timer
        })
    }

    fn add(&self, at: Instant, shared: &Arc<Requests>, every: Option<Duration>) {
        lock(&self.pending).push(Reverse(Entry { at, shared: Arc::downgrade(shared), every }));
        self.changed.notify_one();
    }

    fn run(&self) {
        let mut pending = lock(&self.pending);
        loop {
            let now = Instant::now();
            while pending.peek().is_some_and(|Reverse(entry)| entry.at <= now) {
                let Some(Reverse(entry)) = pending.pop() else { break };
                let Some(shared) = entry.shared.upgrade() else { continue };
                match entry.every {
                    None => shared.deadline_reached(now),
                    Some(every) => {
                        match shared.ticked.load(Ordering::SeqCst) {
                            0 => shared.ask(SAMPLE),
                            thread => tick::send(thread),
                        }
                        pending.push(Reverse(Entry { at: now + every, ..entry }));
                    }
                }
            }
            let wait = pending.peek().map_or(Duration::MAX, |Reverse(entry)| entry.at - now);
            let woken = self.changed.wait_timeout(pending, wait.min(Duration::from_secs(3600)));
            pending = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Entry) -> bool {
        self.at == other.at
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Entry) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Entry) -> std::cmp::Ordering {
        self.at.cmp(&other.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupt_is_answered_once_and_a_deadline_until_it_is_moved() {
        let handle = InterruptHandle::default();
        assert_eq!(handle.take(), None);
        handle.clone().interrupt();
        assert_eq!((handle.take(), handle.take()), (Some(TrapKind::Interrupt), None));
        handle.set_deadline(Some(Instant::now() + Duration::from_millis(5)));
        let patience = Instant::now() + Duration::from_secs(20);
        while !handle.is_requested() {
            assert!(Instant::now() < patience, "the deadline never comes");
            std::thread::yield_now();
        }
        assert_eq!((handle.take(), handle.take()), (Some(TrapKind::Timeout), Some(TrapKind::Timeout)));
        handle.set_deadline(None);
        assert_eq!(handle.take(), None);
    }
}
