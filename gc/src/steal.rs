//! Work stealing: how the workers of a pause share what is left to scan.
//!
//! Each worker goes depth first through a stack of its own, which costs nothing to share until somebody asks: what it can
//! spare, the oldest part of the stack, it offers in a deque from which others take (Chase and Lev 2005, by
//! crossbeam-deque). So the common path has no atomic operation.
//!
//! It must never know what a task stands for.
//!
//! Invariants
//! - Q1. Only who holds a hand puts tasks into its deque, and only while it counts as busy. So when nobody is busy, nothing
//!   is left, and that stays so.
//! - Q2. A worker counts as busy from before it looks into another's deque until it has found its own and all others empty.
//! - Q3. When a worker panics, the others end.
//! - Q4. A deque never grows: it is given no more than [`OFFERED_MAX`] tasks.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use crossbeam_deque::{Steal, Stealer, Worker};

/// Turns of a worker that finds nothing: so many it spins, so many it lets others run, then it sleeps between looks.
const SPINS: u32 = 64;
const YIELDS: u32 = 128;
const SLEEP: Duration = Duration::from_micros(20);

/// Most tasks that a worker offers: what a deque has room for from the start, batches that it takes included.
const OFFERED_MAX: usize = 32;

/// What the workers of a pause share.
pub(crate) struct Tasks {
    stealers: Box<[Stealer<u64>]>,
    deques: Mutex<Vec<Worker<u64>>>,
    busy: AtomicUsize,
    broken: AtomicBool,
}

impl Tasks {
    /// For so many workers.
    pub(crate) fn new(workers: usize) -> Tasks {
        let deques: Vec<_> = (0..workers).map(|_| Worker::new_lifo()).collect();
        let stealers = deques.iter().map(Worker::stealer).collect();
        Tasks { stealers, deques: Mutex::new(deques), busy: AtomicUsize::new(0), broken: AtomicBool::new(false) }
    }

    /// The next worker's hand. It counts as busy until [`Hand::steal`] finds nothing.
    pub(crate) fn hand(&self) -> Hand<'_> {
        self.busy.fetch_add(1, Ordering::SeqCst);
        let deque = self.deques.lock().expect("nothing panics while the deques are held").pop();
        Hand { tasks: self, deque: deque.expect("a deque for each worker"), busy: true }
    }
}

/// A worker's side of the tasks.
pub(crate) struct Hand<'t> {
    tasks: &'t Tasks,
    deque: Worker<u64>,
    busy: bool,
}

impl Hand<'_> {
    /// Whether others took all that was offered.
    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.deque.is_empty()
    }

    /// How many more tasks may be offered (Q4).
    #[inline(always)]
    pub(crate) fn room(&self) -> usize {
        OFFERED_MAX.saturating_sub(self.deque.len())
    }

    /// Lets others have a task; there must be room for it.
    #[inline(always)]
    pub(crate) fn offer(&self, task: u64) {
        self.deque.push(task);
    }

    /// Takes back the task offered last.
    #[inline(always)]
    pub(crate) fn take_back(&self) -> Option<u64> {
        self.deque.pop()
    }

    /// A task of another worker; None once nobody has any. The own deque must be empty.
    pub(crate) fn steal(&mut self) -> Option<u64> {
        debug_assert!(self.busy && self.deque.is_empty(), "Q2");
        if let Some(task) = self.look() {
            return Some(task);
        }
        self.tasks.busy.fetch_sub(1, Ordering::SeqCst);
        self.busy = false;
        let mut turn = 0;
        while self.tasks.busy.load(Ordering::SeqCst) > 0 && !self.tasks.broken.load(Ordering::Relaxed) {
            if self.tasks.stealers.iter().any(|other| !other.is_empty()) {
                self.tasks.busy.fetch_add(1, Ordering::SeqCst);
                self.busy = true;
                if let Some(task) = self.look() {
                    return Some(task);
                }
                self.tasks.busy.fetch_sub(1, Ordering::SeqCst);
                self.busy = false;
            }
            turn += 1;
            match turn {
                0..SPINS => std::hint::spin_loop(),
                SPINS..YIELDS => std::thread::yield_now(),
                _ => std::thread::sleep(SLEEP),
            }
        }
        None
    }

    fn look(&self) -> Option<u64> {
        loop {
            let mut retry = false;
            for other in &self.tasks.stealers {
                match other.steal_batch_and_pop(&self.deque) {
                    Steal::Success(task) => return Some(task),
                    Steal::Retry => retry = true,
                    Steal::Empty => {}
                }
            }
            if !retry {
                return None;
            }
        }
    }
}

impl Drop for Hand<'_> {
    fn drop(&mut self) {
        if self.busy {
            // Q3: a panic; what it held is lost.
            self.tasks.broken.fetch_or(std::thread::panicking(), Ordering::Relaxed);
            self.tasks.busy.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;

    /// Each task below a number gives two tasks half as large; every leaf is counted once, whoever takes it.
    #[test]
    fn every_task_is_done_once() {
        for workers in 1..=4 {
            let (tasks, leaves) = (Tasks::new(workers), AtomicU64::new(0));
            let work = |first: Option<u64>| {
                let mut hand = tasks.hand();
                let mut next = first;
                loop {
                    while let Some(task) = next.take().or_else(|| hand.take_back()) {
                        if task == 1 {
                            leaves.fetch_add(1, Ordering::Relaxed);
                        } else {
                            hand.offer(task / 2);
                            hand.offer(task - task / 2);
                        }
                    }
                    next = hand.steal();
                    if next.is_none() {
                        return;
                    }
                }
            };
            std::thread::scope(|scope| {
                (1..workers).for_each(|_| drop(scope.spawn(|| work(None))));
                work(Some(20_000));
            });
            // Who came before the first task was there may have found nothing; the others did it all.
            assert_eq!(leaves.load(Ordering::Relaxed), 20_000);
        }
    }
}
