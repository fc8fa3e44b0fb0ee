//! Idle heaps: while a program waits, for input or for its host's next call, a thread of the process looks after its heap.
//! It collects what is dead and gives the memory back, so that what stays committed is near what lives. (G1 collects
//! periodically for that, JEP 346.)
//!
//! A heap is *lent* for the time of a wait, and taken back at its end. Lending costs a lock that nobody else wants; who
//! comes back while the heap is being looked after waits for that pause to end, as for any other.
//!
//! Invariants
//! - S1. The service touches a heap only while it is lent, under the lock of its post; its owner does so only when it is not.
//! - S2. A heap is looked after once in a wait, after it was lent for as long as its knobs say, and only if it has allocated
//!   since the last time.
//! - S3. The thread is started by the first heap that is lent and ends when there was none on loan for a while; where it
//!   can't be started, nothing is given back by itself.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::heap::{Heap, Roots};
use crate::pause::{Cause, Plan};

const TICK: Duration = Duration::from_secs(1);
/// A heap that was not on loan for so many ticks is forgotten, until it is lent again.
const TICKS_FORGOTTEN: u32 = 8;
/// What is committed below this is not worth a collection.
const COMMITTED_BYTES_MIN: u64 = 4 << 20;

/// A heap on loan, with its roots.
struct Lent {
    heap: *mut Heap,
    roots: *mut (dyn Roots + Send),
}

// SAFETY: a heap may move between threads, and so may its roots; the pointers are used under S1.
unsafe impl Send for Lent {}

#[derive(Default)]
struct State {
    loan: Option<Lent>,
    /// The ticks that this loan, or the time without one, has lasted.
    ticks: u32,
    /// What the heap had allocated when it was last looked after.
    tended_bytes: u64,
}

/// Where a heap is lent: shared with the service.
#[derive(Default)]
pub(crate) struct Post {
    state: Mutex<State>,
    /// Whether the service knows it.
    known: AtomicBool,
}

impl Post {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A pause that panicked is a bug of the heap, which its owner will meet too.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One tick of the service; false if this post is to be forgotten.
    fn tick(&self) -> bool {
        let mut state = self.lock();
        state.ticks += 1;
        let Some(loan) = &state.loan else {
            let keep = state.ticks < TICKS_FORGOTTEN;
            self.known.store(keep, Ordering::Release);
            return keep;
        };
        // SAFETY: S1: the heap and its roots are on loan, and the lock is held until both are left alone again.
        let (heap, roots) = unsafe { (&mut *loan.heap, &mut *loan.roots) };
        if u128::from(state.ticks) == u128::from(heap.knobs.idle_delay_ns).div_ceil(TICK.as_nanos()) {
            let allocated_bytes = heap.stats().allocated_bytes;
            if allocated_bytes != state.tended_bytes {
                // The time before belongs to the owner's thread, whose clock this thread cannot read.
                let owners = heap.measure.visit_from_this_thread();
                heap.idle(roots);
                heap.measure.return_to_thread(owners);
            }
            state.tended_bytes = allocated_bytes;
        }
        true
    }
}

/// The posts that the service knows; none when there is no thread.
static SERVICE: Mutex<Option<Vec<Arc<Post>>>> = Mutex::new(None);

/// The thread's life.
fn serve() {
    loop {
        thread::sleep(TICK);
        let posts = SERVICE.lock().unwrap_or_else(PoisonError::into_inner).clone().unwrap_or_default();
        // Not under the lock: a heap may be large, and others begin to wait meanwhile.
        let kept: Vec<Arc<Post>> = posts.iter().filter(|post| post.tick()).cloned().collect();
        let mut service = SERVICE.lock().unwrap_or_else(PoisonError::into_inner);
        let known = service.get_or_insert_default();
        known.retain(|post| !posts.iter().any(|old| Arc::ptr_eq(old, post)));
        // What only the service holds belongs to a heap that is gone.
        known.extend(kept.into_iter().filter(|post| Arc::strong_count(post) > 2));
        if known.is_empty() {
            *service = None;
            return;
        }
    }
}

/// Makes a post known to the service.
fn know(post: &Arc<Post>) {
    let mut service = SERVICE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(posts) = &mut *service {
        if !posts.iter().any(|known| Arc::ptr_eq(known, post)) {
            posts.push(Arc::clone(post));
        }
        return;
    }
    let started = thread::Builder::new().name("tenure-idle".into()).stack_size(512 << 10).spawn(serve);
    if started.is_ok() {
        *service = Some(vec![Arc::clone(post)]);
    } else {
        post.known.store(false, Ordering::Release);
    }
}

/// A heap on loan; dropping it takes the heap back. Waits for a pause of the service's to end.
#[must_use = "a loan ends when it is dropped"]
pub struct Loan(Arc<Post>);

impl Loan {
    /// Looks at something of the heap while the service doesn't. The wait goes on.
    pub fn hold<R>(&self, look: impl FnOnce() -> R) -> R {
        let _state = self.0.lock();
        look()
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        (state.loan, state.ticks) = (None, 0);
    }
}

impl Heap {
    /// Does something that may take long and needs no heap, such as waiting for input, and lets the heap be looked after
    /// meanwhile: on another thread it may be collected, its roots rewritten. A safepoint.
    pub fn while_waiting<R>(&mut self, roots: &mut (dyn Roots + Send + 'static), wait: impl FnOnce() -> R) -> R {
        // SAFETY: both are borrowed until the loan ends here, and `wait` can use neither.
        let loan = unsafe { self.lend(roots) };
        let done = wait();
        drop(loan);
        done
    }

    /// Nothing is looked after where runs are to be the same each time, or where there is hardly anything.
    fn post_is_of_use(&self) -> bool {
        self.measure.is_timed() && !self.never_collect && self.space.committed_bytes() > COMMITTED_BYTES_MIN
    }

    /// Lends the heap for as long as its owner will use neither it nor its roots. None if nobody would look after it.
    ///
    /// # Safety
    /// Until the loan is dropped, both must stay where they are, and nobody may use either.
    pub unsafe fn lend(&mut self, roots: *mut (dyn Roots + Send)) -> Option<Loan> {
        if !self.post_is_of_use() {
            return None;
        }
        let post = Arc::clone(&self.post);
        let heap: *mut Heap = self;
        {
            let mut state = post.lock();
            (state.loan, state.ticks) = (Some(Lent { heap, roots }), 0);
        }
        if !post.known.swap(true, Ordering::AcqRel) {
            know(&post);
        }
        Some(Loan(post))
    }

    /// To be called when the program waits for long: collects all that is dead and gives the memory back, so that what
    /// stays committed is near what lives.
    pub fn idle(&mut self, roots: &mut dyn Roots) {
        // One worker: each leaves an open region behind, and nobody waits for this pause.
        let workers_max = std::mem::replace(&mut self.workers_max, 1);
        self.pause(Plan::Full, Cause::Asked, roots);
        self.workers_max = workers_max;
        // Nobody waits for it.
        let beside = std::mem::replace(&mut self.space.gives_back_beside, false);
        self.space.uncommit(0, 0, 0);
        self.space.gives_back_beside = beside;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::HeapConfig;
    use crate::policy::{Adaptive, Overrides, Static};
    use crate::shape::{Shape, ShapeTable};

    /// The adaptive policy's delay, in ticks.
    const TICKS_MIN: u32 = 4;

    /// The service's clock by hand: a post ticks when the test says so.
    #[test]
    fn a_heap_is_looked_after_once_in_a_long_wait() {
        let shapes = Arc::new(ShapeTable::new());
        let bytes = shapes.push(Shape::ByteArray, "Bytes");
        let mut heap = Heap::new(HeapConfig::new(256 << 20), shapes, Box::new(Adaptive::new())).expect("a heap");
        let mut roots: Vec<u64> = Vec::new();
        let fill = |heap: &mut Heap, roots: &mut Vec<u64>| {
            for i in 0..60_000 {
                let object = heap.allocate_array(bytes, 1000, roots).expect("room");
                if i % 10 == 0 {
                    roots.push(u64::from(object.index()));
                }
            }
        };
        fill(&mut heap, &mut roots);
        let post = Arc::clone(&heap.post);
        // The real service must not tick this one.
        post.known.store(true, Ordering::Release);
        let (full, live_bytes) = (heap.stats().full_collections(), roots.len() as u64 * 1008);
        heap.while_waiting(&mut roots, || (1..TICKS_MIN).for_each(|_| assert!(post.tick())));
        assert_eq!(heap.stats().full_collections(), full, "a short wait");
        heap.while_waiting(&mut roots, || (0..3 * TICKS_MIN).for_each(|_| assert!(post.tick())));
        assert_eq!(heap.stats().full_collections(), full + 1);
        let committed_bytes = heap.stats().committed_bytes;
        assert!(committed_bytes * 10 <= live_bytes * 13, "{committed_bytes} committed for {live_bytes} live");
        heap.while_waiting(&mut roots, || (0..3 * TICKS_MIN).for_each(|_| assert!(post.tick())));
        assert_eq!(heap.stats().full_collections(), full + 1, "nothing was allocated since");
        fill(&mut heap, &mut roots);
        heap.while_waiting(&mut roots, || (0..TICKS_MIN).for_each(|_| assert!(post.tick())));
        assert!(heap.stats().full_collections() > full + 1);
        assert!((0..TICKS_FORGOTTEN).any(|_| !post.tick()), "not on loan any more");
    }

    #[test]
    fn the_knob_says_how_long_a_wait_is() {
        for (idle_delay_ns, ticks) in [(1_000_000_000, 1), (6_500_000_000, 7)] {
            let shapes = Arc::new(ShapeTable::new());
            let bytes = shapes.push(Shape::ByteArray, "Bytes");
            let knobs = Overrides { idle_delay_ns: Some(idle_delay_ns), ..Overrides::default() };
            let mut heap = Heap::new(HeapConfig::new(256 << 20), shapes, Box::new(Static::new(knobs))).expect("a heap");
            let mut roots: Vec<u64> = Vec::new();
            for _ in 0..20_000 {
                heap.allocate_array(bytes, 1000, &mut roots).expect("room");
            }
            let (post, full) = (Arc::clone(&heap.post), heap.stats().full_collections());
            post.known.store(true, Ordering::Release);
            heap.while_waiting(&mut roots, || (1..ticks).for_each(|_| assert!(post.tick())));
            assert_eq!(heap.stats().full_collections(), full, "{idle_delay_ns} ns are not over");
            heap.while_waiting(&mut roots, || (0..ticks).for_each(|_| assert!(post.tick())));
            assert_eq!(heap.stats().full_collections(), full + 1, "{idle_delay_ns} ns are over");
        }
    }

    /// On the service's own clock and thread: what lives stays where the program finds it.
    #[test]
    fn the_service_gives_memory_back_by_itself() {
        let shapes = Arc::new(ShapeTable::new());
        let bytes = shapes.push(Shape::ByteArray, "Bytes");
        let config = HeapConfig { verify: true, ..HeapConfig::new(256 << 20) };
        let mut heap = Heap::new(config, shapes, Box::new(Adaptive::new())).expect("a heap");
        let mut roots: Vec<u64> = Vec::new();
        for i in 0..60_000_u64 {
            let object = heap.allocate_array(bytes, 1000, &mut roots).expect("room");
            heap.bytes_mut(object).fill(i as u8);
            if i % 10 == 0 {
                roots.push(u64::from(object.index()));
            }
        }
        let live_bytes = roots.len() as u64 * 1008;
        assert!(heap.stats().committed_bytes * 10 > live_bytes * 13);
        heap.while_waiting(&mut roots, || thread::sleep(TICK * (TICKS_MIN + 3)));
        let committed_bytes = heap.stats().committed_bytes;
        assert!(committed_bytes * 10 <= live_bytes * 13, "{committed_bytes} committed for {live_bytes} live");
        for (at, root) in roots.iter().enumerate() {
            let bytes = heap.bytes(crate::Ref::from_index(*root as u32));
            assert!(bytes.iter().all(|byte| *byte == (at * 10) as u8));
        }
    }
}
