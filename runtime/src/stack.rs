//! How deep a script may recurse.

use std::cell::Cell;
use std::mem::MaybeUninit;

/// Stack below a script's limit: for the runtime and for natives, which the limit doesn't check.
const HEADROOM_BYTES: usize = 256 << 10;

thread_local! {
    /// Lowest address of this thread's stack; 0 until asked.
    static LOWEST: Cell<usize> = const { Cell::new(0) };
}

/// The lowest address of this thread's stack, guard excluded.
fn lowest() -> usize {
    LOWEST.with(|lowest| {
        if lowest.get() == 0 {
            lowest.set(ask_lowest());
        }
        lowest.get()
    })
}

fn ask_lowest() -> usize {
    let mut attributes = MaybeUninit::uninit();
    let (mut start, mut size) = (std::ptr::null_mut(), 0);
    // SAFETY: plain queries about this thread; `attributes` is initialised by the first when it succeeds, and destroyed.
    unsafe {
        if libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr()) != 0 {
            return 1;
        }
        let known = libc::pthread_attr_getstack(attributes.as_ptr(), &mut start, &mut size) == 0;
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
        if known { start as usize } else { 1 }
    }
}

/// The lowest stack pointer at which a compiled function may call, when `bytes` may be used from here.
pub(crate) fn limit(bytes: usize) -> usize {
    let here = &raw const bytes as usize;
    here.saturating_sub(bytes).max(lowest() + HEADROOM_BYTES)
}
