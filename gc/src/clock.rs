//! Time, as it enters the heap: from a clock handed in, so that a test can place every instant.

use std::cell::Cell;

/// Where a heap reads the time.
pub trait Clock: Send {
    /// Monotonic time.
    fn now_ns(&self) -> u64;

    /// CPU time used by the calling thread.
    fn thread_cpu_ns(&self) -> u64;

    /// The part of it spent in the kernel.
    fn thread_system_ns(&self) -> u64;

    /// Whether it gives the same times in each run; then nothing may run beside the program.
    fn is_repeatable(&self) -> bool {
        false
    }

    /// Told of work as it is done; the machine's clocks run by themselves.
    fn charge(&self, _work: Work) {}
}

/// Work that takes time, in bytes, entries or pieces.
#[derive(Clone, Copy, Debug)]
pub enum Work {
    /// The program allocated this many bytes, and did what programs do meanwhile.
    Allocated(u64),
    /// A pause copied this many bytes.
    Copied(u64),
    /// A pause scanned this many entries of store buffer and remembered sets.
    Scanned(u64),
    /// Marking went over this many bytes.
    Marked(u64),
    /// A pause began and ended.
    Pause,
}

/// Time as the sum of the work done: the same program takes the same time in every run, whatever else the machine
/// does, so a test may look at what a policy made of it. The rates are round figures near those of a fast machine.
#[derive(Debug, Default)]
pub struct WorkClock(Cell<u64>);

impl Clock for WorkClock {
    fn is_repeatable(&self) -> bool {
        true
    }

    fn now_ns(&self) -> u64 {
        self.0.get()
    }

    fn thread_cpu_ns(&self) -> u64 {
        self.0.get()
    }

    fn thread_system_ns(&self) -> u64 {
        0
    }

    fn charge(&self, work: Work) {
        let ns = match work {
            Work::Allocated(bytes) | Work::Copied(bytes) => bytes,
            Work::Scanned(entries) => entries * 20,
            Work::Marked(bytes) => bytes / 2,
            Work::Pause => 20_000,
        };
        self.0.set(self.0.get() + ns);
    }
}

/// The machine's clocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

fn read_ns(clock: libc::clockid_t) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a live timespec. The call cannot fail for the clocks used here.
    unsafe { libc::clock_gettime(clock, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// CPU time of all threads of the process, in ns.
#[cfg(test)]
pub(crate) fn process_cpu_ns() -> u64 {
    read_ns(libc::CLOCK_PROCESS_CPUTIME_ID)
}

impl Clock for SystemClock {
    fn now_ns(&self) -> u64 {
        read_ns(libc::CLOCK_MONOTONIC)
    }

    fn thread_cpu_ns(&self) -> u64 {
        read_ns(libc::CLOCK_THREAD_CPUTIME_ID)
    }

    fn thread_system_ns(&self) -> u64 {
        // SAFETY: all-zero bytes are a valid rusage.
        let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
        // SAFETY: the pointer is to a live rusage.
        unsafe { libc::getrusage(libc::RUSAGE_THREAD, &mut usage) };
        usage.ru_stime.tv_sec as u64 * 1_000_000_000 + usage.ru_stime.tv_usec as u64 * 1_000
    }
}
