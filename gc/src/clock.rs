//! Time, as it enters the heap: from a clock handed in, so that a test can place every instant.

/// Where a heap reads the time.
pub trait Clock: Send {
    /// Monotonic time.
    fn now_ns(&self) -> u64;

    /// CPU time used by the calling thread.
    fn thread_cpu_ns(&self) -> u64;

    /// The part of it spent in the kernel.
    fn thread_system_ns(&self) -> u64;
}

/// The machine's clocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

fn read_ns(clock: libc::clockid_t) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a live timespec. The call cannot fail for the two clocks used here.
    unsafe { libc::clock_gettime(clock, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
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
