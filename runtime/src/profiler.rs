//! A sampling profiler: now and then it looks at the stack of the running script, and charges to it the time since it last
//! looked.
//!
//! A sample is asked for as a safepoint is (see [`crate::interrupt`]), and taken when compiled code next polls or a function
//! of the runtime next ends, where the stack can be walked. Compiled code is the same with and without a profiler. That alone
//! would charge what ran to where it polled: Mytkowicz, Diwan, Hauswirth and Sweeney (Evaluating the accuracy of Java
//! profilers, 2010) show what comes of that. So a [tick](crate::tick) tells where the thread was when it was asked.
//!
//! Invariants
//! - P1. Every unit of time is charged once, to a stack of the end of the stretch that it belongs to. The profiler's own
//!   time is charged to nothing.
//! - P2. A sample is taken only where an exit record names the innermost compiled frame (C2).

use crate::call_tree::{CallTree, Step};
use crate::code::{CodeTableGuard, ENTRY};
use crate::interrupt::LIMIT_REQUEST;
use crate::profile::Profile;
use crate::tick::{self, Tick};
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

/// Where the thread was, by its tick.
#[derive(Debug)]
struct Ticked {
    /// Of that frame; where the register was the caller's, an address just below the caller's.
    fp: usize,
    /// Its frames of the script, innermost first.
    steps: Vec<Step>,
}

impl Ticked {
    /// None if it was not in compiled code.
    fn new(code: &CodeTableGuard<'_>, Tick { pc, fp }: Tick) -> Option<Ticked> {
        let function = code.find_instruction(pc)?;
        let fp = if function.is_in_callers_frame(pc) { fp - size_of::<usize>() } else { fp };
        let innermost = Some(function.place_of_instruction(pc));
        let places = std::iter::successors(innermost, |&place| function.outer(place));
        let steps = places.map(|place| Step::Code(function.function, place)).collect();
        Some(Ticked { fp, steps })
    }

    /// Whether a frame that is there now was there at the tick, and called the one that ran. That one itself, what took its
    /// room and what was called since did not; nor did a function that polls as it is entered.
    fn was_called_by(&self, fp: usize, place: u32) -> bool {
        fp > self.fp && place != ENTRY
    }
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

    /// Since a sample was taken.
    fn passed(&self) -> u64 {
        self.now().saturating_sub(self.charged)
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
        let Some(profiler) = &mut self.profiler else { return };
        if let Sampling::Time(_) = profiler.sampling {
            self.interrupts.listen_for_ticks();
        }
        profiler.skip(collector);
    }

    /// The host goes on.
    pub(crate) fn end_profile(&mut self) {
        if self.profiler.is_some() {
            self.interrupts.stop_ticks();
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
        match profiler.sampling {
            Sampling::Polls(every) if profiler.passed() < every => {}
            Sampling::Polls(_) => self.sample(within),
            Sampling::Time(_) => {
                // First of all: the next one may come any time.
                let tick = tick::take().filter(|_| within.is_none());
                let passed = profiler.passed();
                if passed >= profiler.cost * COST_SHARE {
                    self.sample_from(tick, within);
                }
                // Not before: what was asked for meanwhile is answered too.
                tick::take();
                self.interrupts.sample_taken();
                self.restore_stack_limit();
            }
        }
    }

    /// Takes a sample of the stack as it is, asked for or not (P2).
    pub(crate) fn sample(&mut self, within: Option<Step>) {
        self.sample_from(None, within);
    }

    /// Takes a sample of the stack as it was at the tick, as far as that can be told: frames that have ended since are missing,
    /// but for the innermost one.
    fn sample_from(&mut self, tick: Option<Tick>, within: Option<Step>) {
        let collector = self.collector_time();
        let Some(profiler) = &mut self.profiler else { return };
        let now = profiler.now();
        let code = self.code.table().read();
        let mut ticked = tick.and_then(|tick| Ticked::new(&code, tick));
        let stack = &mut profiler.stack;
        stack.clear();
        stack.extend(ticked.iter_mut().flat_map(|ticked| ticked.steps.drain(..)));
        let mut push = |fp, (function, place)| {
            if ticked.as_ref().is_none_or(|ticked| ticked.was_called_by(fp, place)) {
                stack.push(Step::Code(function, place));
            }
        };
        // SAFETY: U1, by P2.
        unsafe { unwind::visit_places(&code, self.roots.exits(), &mut push) };
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
    use crate::code::{CodeTable, CompiledFunction};

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

    /// A function that calls, then returns.
    const CODE: [u8; 12] = [0x55, 0x48, 0x89, 0xe5, 0xe8, 0, 0, 0, 0, 0x90, 0x5d, 0xc3];

    fn table() -> CodeTable {
        let table = CodeTable::default();
        table.insert(CompiledFunction {
            function: 7,
            start: CODE.as_ptr() as usize,
            len: CODE.len() as u32,
            stack_maps: Vec::new(),
            slots: Vec::new(),
            handlers: Vec::new(),
            places: vec![(0, ENTRY), (4, 3), (9, 4)],
            outer: vec![(3, 2)],
        });
        table
    }

    #[test]
    fn a_tick_tells_its_frame_even_where_the_register_is_the_callers() {
        let table = table();
        let at = |offset: usize| {
            let tick = Tick { pc: CODE.as_ptr() as usize + offset, fp: 0x1000 };
            Ticked::new(&table.read(), tick).map(|ticked| (ticked.fp, ticked.steps))
        };
        assert_eq!(at(0), Some((0xff8, vec![Step::Code(7, ENTRY)])), "push rbp");
        assert_eq!(at(1), Some((0xff8, vec![Step::Code(7, ENTRY)])), "mov rbp, rsp");
        assert_eq!(at(4), Some((0x1000, vec![Step::Code(7, 3), Step::Code(7, 2)])), "call, in an inlined body");
        assert_eq!(at(9), Some((0x1000, vec![Step::Code(7, 4)])));
        assert_eq!(at(11), Some((0xff8, vec![Step::Code(7, 4)])), "ret");
        assert_eq!(at(12), None, "behind it");
    }

    #[test]
    fn callers_of_what_ran_are_those_above_it_that_were_not_just_entered() {
        let ticked = Ticked { fp: 0x1000, steps: Vec::new() };
        assert!(ticked.was_called_by(0x1040, 3));
        assert!(!ticked.was_called_by(0x1000, 3), "itself, or what took its room");
        assert!(!ticked.was_called_by(0xfc0, 3), "called since");
        assert!(!ticked.was_called_by(0x1040, ENTRY), "entered since");
    }

    #[test]
    fn the_collector_gets_no_more_than_there_is() {
        let mut profiler = Profiler::new(Sampling::Time(Duration::from_millis(1)));
        profiler.charge(100, 5000, None);
        assert_eq!(below(&profiler.tree, CallTree::ROOT), [(Step::Collector, 100)]);
        assert_eq!(profiler.tree.weight(CallTree::ROOT), 0);
    }
}
