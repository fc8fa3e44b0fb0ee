//! Threads with stacks as large as nested sources and recursive scripts need. What runs on one knows, and starts no other for
//! less: a thread costs its stack, an arena of the allocator and a tenth of a millisecond.

use std::cell::Cell;
use std::io;

thread_local! {
    /// Bytes of this thread's stack, if it was started here.
    static STACK_BYTES: Cell<usize> = const { Cell::new(0) };
}

/// Runs work on a thread of its own, with this name and a stack of so many bytes; a panic there is one here.
///
/// # Errors
/// The system gives no such thread.
#[doc(hidden)]
pub fn on_stack<T: Send>(name: &str, bytes: usize, work: impl FnOnce() -> T + Send) -> io::Result<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name(name.into()).stack_size(bytes);
        let handle = thread.spawn_scoped(scope, move || {
            STACK_BYTES.set(bytes);
            work()
        })?;
        Ok(handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

/// Whether this thread was started with a stack of so many bytes or more.
pub(crate) fn is_at_least(bytes: usize) -> bool {
    STACK_BYTES.get() >= bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_knows_its_stack() {
        assert!(!is_at_least(1), "a test's thread was not started here");
        let known = on_stack("test", 1 << 20, || (is_at_least(1 << 20), is_at_least((1 << 20) + 1)));
        assert_eq!(known.expect("a thread"), (true, false));
    }
}
