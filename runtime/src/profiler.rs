//! A sampling profiler: now and then it looks at the stack of the running script, and charges to it the time since it last
//! looked.
//!
//! A sample is asked for as a safepoint is (see [`crate::interrupt`]), and taken when compiled code next polls or a function
//! of the runtime next ends. So compiled code is the same with and without a profiler, and a stack is always one that can be
//! walked; but what runs between two of these points is charged to the second. Mytkowicz, Diwan, Hauswirth and Sweeney
//! (Evaluating the accuracy of Java profilers, 2010) show what that does to a profile.
//!
//! Invariants
//! - P1. Every unit of time is charged once, to the stack at the end of the stretch that it belongs to. The profiler's own
//!   time is charged to nothing.
//! - P2. A sample is taken only where an exit record names the innermost compiled frame (C2).

use crate::call_tree::{CallTree, Step};
use crate::interrupt::LIMIT_REQUEST;
use crate::profile::Profile;
use crate::unwind;
use crate::vm::Inner;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tenure_gc::{Clock, SystemClock};

/// When samples are taken, and what they are weighed by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sampling {
    /// About each time that so much has passed, a tenth of a millisecond at least, weighed by the CPU time of the script's thread.
    Time(Duration),
    /// After so many polls and calls of natives, weighed by their number: the same in every run.
    Polls(u64),
}

/// The least time between two samples: the thread that asks for them is the process's only one for deadlines, too.
const INTERVAL_MIN: Duration = Duration::from_micros(100);

/// Taking a sample may cost a tenth of what the script does: after one that took long, the next has to wait.
const COST_SHARE: u64 = 10;

/// What has been sampled.
pub(crate) struct Profiler {
    sampling: Sampling,
    tree: CallTree,
    /// Frames of the sample being taken, innermost first.
    stack: Vec<Step>,
    polls: u64,
    /// Up to where the time has been charged, by the profiler's clock and by that of the collector's work.
    charged: u64,
    charged_collector: u64,
    /// What the last sample cost.
    cost: u64,
    samples: u64,
}

impl Profiler {
    pub(crate) fn new(sampling: Sampling) -> Profiler {
        let (tree, stack) = (CallTree::new(), Vec::new());
        Profiler { sampling, tree, stack, polls: 0, charged: 0, charged_collector: 0, cost: 0, samples: 0 }
    }

    /// Nanoseconds, or polls.
    fn now(&self) -> u64 {
        match self.sampling {
            Sampling::Time(_) => SystemClock.thread_cpu_ns(),
            Sampling::Polls(_) => self.polls,
        }
    }

    fn is_due(&self) -> bool {
        let passed = self.now().saturating_sub(self.charged);
        match self.sampling {
            Sampling::Time(_) => passed >= self.cost * COST_SHARE,
            Sampling::Polls(every) => passed >= every,
        }
    }

    /// The time up to now is not the script's.
    fn skip(&mut self, collector: u64) {
        (self.charged, self.charged_collector) = (self.now(), collector);
    }

    /// Charges the time up to `now` to the stack that was gathered, and to what is `within` its innermost frame; what the
    /// collector has taken of it, to a step of its own below that.
    fn charge(&mut self, now: u64, collector: u64, within: Option<Step>) {
        let passed = now.saturating_sub(self.charged);
        // Where the heap's clock is another one, or a pause was made for a thread that waited, it may be more.
        let collected = collector.saturating_sub(self.charged_collector).min(passed);
        let steps = self.stack.iter().rev().copied().chain(within);
        let node = steps.fold(CallTree::ROOT, |above, step| self.tree.enter(above, step));
        self.tree.add(node, passed - collected);
        if collected > 0 {
            let collector = self.tree.enter(node, Step::Collector);
            self.tree.add(collector, collected);
        }
        self.samples += 1;
    }
}

impl Inner {
    /// From now on samples are taken.
    pub(crate) fn start_profile(&mut self, sampling: Sampling) {
        self.profiler = Some(Box::new(Profiler::new(sampling)));
        match sampling {
            Sampling::Time(every) => self.interrupts.ask_for_samples(every.max(INTERVAL_MIN)),
            // never answered, so every poll is seen
            Sampling::Polls(_) => self.interrupts.ask_for_sample(),
        }
    }

    /// The host has called: what was before is not the script's.
    pub(crate) fn begin_profile(&mut self) {
        let collector = self.collector_time();
        if let Some(profiler) = &mut self.profiler {
            profiler.skip(collector);
        }
    }

    /// Time for [`Sampling::Polls`] goes on.
    pub(crate) fn count_poll(&mut self) {
        if let Some(profiler) = &mut self.profiler {
            profiler.polls += 1;
        }
    }

    /// Takes a sample if one is due; `within` is what runs for the innermost frame (P2).
    #[inline]
    pub(crate) fn sample_if_asked(&mut self, within: Option<Step>) {
        // SAFETY: the context lives with the heap.
        let limit = unsafe { (*self.roots.context).stack_limit.load(Ordering::Relaxed) };
        if limit == LIMIT_REQUEST {
            self.sample_if_due(within);
        }
    }

    #[cold]
    fn sample_if_due(&mut self, within: Option<Step>) {
        let Some(profiler) = &self.profiler else { return };
        if !self.interrupts.is_sample_asked_for() {
            return;
        }
        let by_time = matches!(profiler.sampling, Sampling::Time(_));
        if profiler.is_due() {
            self.sample(within);
        }
        if by_time {
            // Not before: what was asked for meanwhile is answered too.
            self.interrupts.sample_taken();
            self.restore_stack_limit();
        }
    }

    /// Takes a sample, asked for or not (P2).
    pub(crate) fn sample(&mut self, within: Option<Step>) {
        let collector = self.collector_time();
        let Some(profiler) = &mut self.profiler else { return };
        let now = profiler.now();
        profiler.stack.clear();
        let stack = &mut profiler.stack;
        let mut push = |(function, place)| stack.push(Step::Code(function, place));
        // SAFETY: U1, by P2.
        unsafe { unwind::visit_places(&self.code.table().read(), self.roots.exits(), &mut push) };
        profiler.charge(now, collector, within);
        profiler.skip(collector);
        profiler.cost = profiler.charged - now;
    }

    fn collector_time(&self) -> u64 {
        match self.profiler.as_deref().map(|profiler| profiler.sampling) {
            Some(Sampling::Time(_)) => self.heap.stopped_cpu_ns(),
            _ => 0,
        }
    }

    /// What has been sampled, if anything is.
    pub(crate) fn profile(&self) -> Option<Profile> {
        let profiler = self.profiler.as_deref()?;
        Some(Profile::new(&profiler.tree, profiler.samples, profiler.sampling, &*self.code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The children of a node with their weights, in the order in which they were first seen.
    fn below(tree: &CallTree, node: crate::call_tree::Node) -> Vec<(Step, u64)> {
        let mut children: Vec<_> = tree.children(node).map(|child| (tree.step(child), tree.weight(child))).collect();
        children.reverse();
        children
    }

    #[test]
    fn time_goes_to_the_stack_at_its_end_and_the_collectors_below_that() {
        let mut profiler = Profiler::new(Sampling::Time(Duration::from_millis(1)));
        (profiler.charged, profiler.charged_collector) = (1000, 500);
        profiler.stack = vec![Step::Code(2, 1), Step::Code(1, 1)];
        profiler.charge(1100, 530, None);
        (profiler.charged, profiler.charged_collector) = (1100, 530);
        profiler.charge(1150, 530, Some(Step::Native(4)));
        let main = profiler.tree.enter(CallTree::ROOT, Step::Code(1, 1));
        let leaf = profiler.tree.enter(main, Step::Code(2, 1));
        assert_eq!(below(&profiler.tree, CallTree::ROOT), [(Step::Code(1, 1), 0)]);
        assert_eq!(below(&profiler.tree, main), [(Step::Code(2, 1), 70)]);
        assert_eq!(below(&profiler.tree, leaf), [(Step::Collector, 30), (Step::Native(4), 50)]);
    }

    #[test]
    fn the_collector_gets_no_more_than_there_is() {
        let mut profiler = Profiler::new(Sampling::Time(Duration::from_millis(1)));
        profiler.charge(100, 5000, None);
        assert_eq!(below(&profiler.tree, CallTree::ROOT), [(Step::Collector, 100)]);
        assert_eq!(profiler.tree.weight(CallTree::ROOT), 0);
    }
}
