//! Where the script's thread was when a sample was asked for: a signal, whose handler notes the program counter and the frame
//! pointer, asks for the sample, and does nothing else. What was noted says of the stack is worked out at the next safepoint,
//! where the stack can be walked; so a profile has the function that ran, not the one that polled next (as JEP 518: JFR
//! cooperative sampling, 2025).
//!
//! Invariants
//! - K1. The handler writes atomic words and takes no lock that it would have to wait for; so it may come anywhere. Those of
//!   its thread are there before the first signal is sent to it.
//! - K2. A host that has a handler for the signal keeps it. Samples then are where the polls are.
//! - K3. What a thread's ticks ask is set only while a call into that VM is under way, which keeps it.

use crate::interrupt::Requests;
use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

const SIGNAL: c_int = libc::SIGPROF;

/// What was in the registers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Tick {
    pub(crate) pc: usize,
    pub(crate) fp: usize,
}

thread_local! {
    /// Whom this thread's ticks ask for a sample (K3).
    static ASKED: AtomicPtr<Requests> = const { AtomicPtr::new(ptr::null_mut()) };
    /// Of the last signal, which nobody has asked for yet; a counter of 0 for none.
    static PC: AtomicUsize = const { AtomicUsize::new(0) };
    static FP: AtomicUsize = const { AtomicUsize::new(0) };
}

extern "C" fn note(_: c_int, _: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: K3.
    let Some(asked) = (unsafe { ASKED.with(|asked| asked.load(Ordering::Relaxed)).as_ref() }) else { return };
    // SAFETY: the system passes a handler with `SA_SIGINFO` the registers of the thread it stopped.
    let registers = unsafe { &(*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs };
    FP.with(|fp| fp.store(registers[libc::REG_RBP as usize] as usize, Ordering::Relaxed));
    PC.with(|pc| pc.store(registers[libc::REG_RIP as usize] as usize, Ordering::Relaxed));
    asked.ask_for_sample_from_handler();
}

/// From here on this thread may be sent ticks, until [`stop`]: its number. 0 if they already ask somebody else, or the host has
/// the signal for itself (K2).
pub(crate) fn listen(asked: &Requests) -> i32 {
    if !ASKED.with(|present| present.load(Ordering::Relaxed)).is_null() {
        return 0;
    }
    // K1: this makes the other words.
    take();
    let handler = note as extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) as usize;
    let mut present = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: the pointers are to live values of the type asked for, and zeros are one; the handler may come anywhere (K1).
    unsafe {
        if libc::sigaction(SIGNAL, ptr::null(), present.as_mut_ptr()) != 0 {
            return 0;
        }
        let mut action = present.assume_init();
        if action.sa_sigaction == libc::SIG_DFL {
            action.sa_sigaction = handler;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART | libc::SA_ONSTACK;
            if libc::sigaction(SIGNAL, &action, ptr::null_mut()) != 0 {
                return 0;
            }
        }
        if action.sa_sigaction != handler {
            return 0;
        }
    }
    ASKED.with(|present| present.store(ptr::from_ref(asked).cast_mut(), Ordering::Relaxed));
    // SAFETY: it has no conditions.
    unsafe { libc::gettid() }
}

/// Ticks of this thread ask nobody any more.
pub(crate) fn stop() {
    ASKED.with(|asked| asked.store(ptr::null_mut(), Ordering::Relaxed));
}

/// Sends a tick to a thread that listens; it may have ended.
pub(crate) fn send(thread: i32) {
    // SAFETY: plain numbers. If another thread of this process has that number by now, it listens itself or asks nobody (K3).
    unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), thread, SIGNAL) };
}

/// The last tick of this thread, if it is new.
pub(crate) fn take() -> Option<Tick> {
    let pc = PC.with(|pc| pc.swap(0, Ordering::Relaxed));
    let fp = FP.with(|fp| fp.load(Ordering::Relaxed));
    (pc != 0).then_some(Tick { pc, fp })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_asks_and_is_noted_once() {
        let requests = Requests::default();
        let thread = listen(&requests);
        assert!(thread > 0);
        assert_eq!(listen(&requests), 0, "somebody listens already");
        assert_eq!(take(), None);
        // to its own thread, a signal comes before the call returns
        send(thread);
        let tick = take().expect("it was noted");
        assert!(tick.pc != 0 && tick.fp != 0);
        assert!(requests.is_sample_asked_for());
        assert_eq!(take(), None);
        stop();
        send(thread);
        assert_eq!(take(), None, "nobody listens");
    }
}
