//! A running instance of a program, its functions by type, and its collector.

use crate::error::{EngineError, EngineErrorKind, ScriptError};
use crate::gc_choice::Gc;
use crate::program::Crossing;
use crate::program::Program;
use crate::root::{Dropped, Root};
use crate::value::{Args, FromScript, Seen, Taken};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;
use tenure_advisor::{Counters, Quantity, WorkloadClass};
use tenure_gc::policy::{Knobs, Reason};
use tenure_gc::{CensusLine, Collect, Stats};
use tenure_runtime::code::CodeSource;
use tenure_runtime::interrupt::InterruptHandle;
use tenure_runtime::native::NativeType;
use tenure_runtime::profile::Profile;
use tenure_runtime::trap::Trap;
use tenure_runtime::vm as raw;
use tenure_runtime::vm::AllocationSite;

/// One instance of a program: a heap, globals, a stack. Used by one thread at a time, and movable between threads.
pub struct Vm {
    raw: raw::Vm,
    program: Program,
    counters: Option<Arc<Counters>>,
    /// Fallbacks of policies that are no longer in force.
    past_fallbacks: u64,
    warnings: Vec<String>,
    dropped: Arc<Dropped>,
}

/// A script function with its Rust types, found by [`Vm::func`]; good for every instance of the same program.
pub struct Function<A, R> {
    number: u32,
    crossing: (Vec<Crossing>, Crossing),
    program: Program,
    types: PhantomData<fn(A) -> R>,
}

impl Vm {
    pub(crate) fn new(raw: raw::Vm, program: Program, counters: Option<Arc<Counters>>, warnings: Vec<String>) -> Vm {
        Vm { raw, program, counters, past_fallbacks: 0, warnings, dropped: Arc::default() }
    }

    /// Runs the script's top-level statements, then `main` if there is one. Output is flushed at the end.
    ///
    /// # Errors
    /// An uncaught trap. The instance can still be used.
    pub fn run(&mut self) -> Result<(), ScriptError> {
        let ended = self.raw.run_entry();
        self.finish(ended)
    }

    /// Takes up what its session's code has got since.
    pub(crate) fn extend(&mut self) -> Result<(), EngineError> {
        self.raw.extend().map_err(|e| EngineError::new(EngineErrorKind::Memory, e.to_string()))
    }

    /// Runs the newest input of its session; gives the text of its value.
    pub(crate) fn run_input(&mut self) -> Result<String, ScriptError> {
        let Some(entry) = self.program.code().entry() else { return Ok(String::new()) };
        let ended = self.raw.call(entry, &[], Some(NativeType::Str));
        let value = self.finish(ended)?;
        Ok(if let raw::Value::Str(text) = value { text } else { String::new() })
    }

    /// How much the script may still do: one unit is used up by each function entered and each round of a loop, the same
    /// in every run. The count is deterministic: an evaluation of the same program uses up the same.
    ///
    /// # Errors
    /// [`EngineError::is_configuration`] unless the engine was told to
    /// [`consume_fuel`](crate::EngineBuilder::consume_fuel).
    pub fn fuel(&self) -> Result<u64, EngineError> {
        self.program.check_fuel()?;
        Ok(self.raw.fuel())
    }

    /// Sets it; an instance starts with none. What runs out of fuel ends with an error of kind `fuel`, which no script can
    /// catch; with more fuel the instance can go on.
    ///
    /// # Errors
    /// As for [`fuel`](Vm::fuel).
    pub fn set_fuel(&mut self, fuel: u64) -> Result<(), EngineError> {
        self.program.check_fuel()?;
        self.raw.set_fuel(fuel);
        Ok(())
    }

    /// Stops what runs here, from any thread; also sets a deadline. What is stopped ends with an error of kind `interrupt`
    /// or `timeout`, which no script can catch; the instance can be used again.
    pub fn interrupt_handle(&self) -> InterruptHandle {
        self.raw.interrupt_handle()
    }

    /// A function of the script, by name and types: `vm.func::<(i64, &str), f64>("score")`, where [`Root`] stands
    /// for each type that Rust has none for. Its parameters must be
    /// annotated. Top-level bindings that it uses are set by [`run`](Vm::run).
    ///
    /// # Errors
    /// [`EngineError::is_no_function`], or [`EngineError::is_signature`] if its types are others.
    pub fn func<A: Args, R: FromScript>(&self, name: &str) -> Result<Function<A, R>, EngineError> {
        let Some(found) = self.program.signature(name) else {
            let known: Vec<&str> = self.program.functions().map(|s| s.name.as_str()).collect();
            let known = if known.is_empty() { "it has none".into() } else { format!("it has {}", known.join(", ")) };
            let message = format!("the script has no function `{name}` with annotated parameters; {known}");
            return Err(EngineError::new(EngineErrorKind::NoFunction, message));
        };
        let (seen, (params, result)) = (A::types(), &found.crossing);
        let same = seen.len() == params.len() && seen.iter().zip(params).all(|(seen, &param)| seen.is(param));
        if !same || !R::TYPE.is(*result) {
            let asked: Vec<&str> = seen.into_iter().map(Seen::name).collect();
            let message =
                format!("the script's function is {found}, not {name}({}) -> {}", asked.join(", "), R::TYPE.name());
            return Err(EngineError::new(EngineErrorKind::Signature, message));
        }
        let crossing = found.crossing.clone();
        Ok(Function { number: found.function, crossing, program: self.program.clone(), types: PhantomData })
    }

    /// Runs a `test` block, by its place in [`Program::tests`].
    ///
    /// # Errors
    /// The failed assertion, or another uncaught trap.
    ///
    /// # Panics
    /// If there is no such test.
    pub fn run_test(&mut self, i: usize) -> Result<(), ScriptError> {
        let function = self.program.test(i).expect("the place of a test of this program");
        let ended = self.raw.call(function, &[], Some(NativeType::Unit)).map(drop);
        self.finish(ended)
    }

    /// What the user should hear about: a model that can't be used, a heap limit beyond what there is.
    pub fn warnings(&self) -> impl ExactSizeIterator<Item = &str> {
        self.warnings.iter().map(String::as_str)
    }

    /// Where the time of this instance has gone so far, if its builder was told to [`profile`](crate::InstanceBuilder::profile)
    /// it.
    pub fn profile(&self) -> Option<Profile> {
        self.raw.profile()
    }

    /// The collector of this instance.
    pub fn gc(&mut self) -> Collector<'_> {
        Collector { vm: self }
    }

    fn finish<T>(&mut self, ended: Result<T, Trap>) -> Result<T, ScriptError> {
        let flushed = self.raw.flush();
        let value = ended.map_err(ScriptError::new)?;
        match flushed {
            Ok(()) => Ok(value),
            Err(error) => {
                let kind = tenure_runtime::trap::TrapKind::Io;
                Err(ScriptError::new(Trap::new(kind, format!("can't write the script's output: {error}"))))
            }
        }
    }
}

impl<A: Args, R: FromScript> Function<A, R> {
    /// Calls it.
    ///
    /// # Errors
    /// An uncaught trap. The instance can still be used. Of kind `conversion`, and nothing has run, if a [`Root`] holds
    /// an object of another type than the parameter's, or of another instance.
    ///
    /// # Panics
    /// If `vm` is an instance of another program than the one the function was found in.
    pub fn call(&self, vm: &mut Vm, args: A) -> Result<R, ScriptError> {
        assert!(Arc::ptr_eq(self.program.code(), vm.program.code()), "the function is another program's");
        vm.dropped.release(&mut vm.raw);
        let (params, result) = &self.crossing;
        args.check(Taken { params, dropped: &vm.dropped }).map_err(ScriptError::new)?;
        let ended = args.with(|args| vm.raw.call(self.number, args, R::TYPE.native()));
        let hold = |handle| match *result {
            Crossing::Object(ty) => Root::new(handle, ty, &vm.dropped),
            Crossing::Native(_) => unreachable!("the signature was checked"),
        };
        let ended = ended.map(|value| R::from_value(value, &hold));
        vm.finish(ended)
    }
}

/// The collector of a [`Vm`], see [`Vm::gc`].
pub struct Collector<'v> {
    vm: &'v mut Vm,
}

impl Collector<'_> {
    /// Totals of the heap's life.
    pub fn stats(&self) -> Stats {
        let mut stats = self.vm.raw.look(|heap| heap.stats());
        let current = self.vm.counters.as_ref().map_or(0, |c| c.fallbacks());
        stats.policy_fallbacks += self.vm.past_fallbacks + current;
        stats
    }

    /// How many decisions the advisor has made for each reason it has; empty under other policies.
    pub fn advisor_decisions(&self) -> Vec<(Reason, u64)> {
        let reasons = [
            Reason::Warmup,
            Reason::Model,
            Reason::Hold,
            Reason::NoModel,
            Reason::OutOfDistribution,
            Reason::Guard,
            Reason::Probe,
        ];
        let counters = self.vm.counters.iter();
        counters.flat_map(|c| reasons.map(|r| (r, c.of(r)))).filter(|&(_, n)| n > 0).collect()
    }

    /// What kind of workload the advisor takes the program for, with a probability; none under other policies, without a model,
    /// and before there were some cycles.
    pub fn advisor_class(&self) -> Option<(&'static str, f64)> {
        let label = self.vm.counters.as_ref()?.told().label();
        (label.class != WorkloadClass::Unknown).then(|| (label.class.name(), label.probability))
    }

    /// What the advisor expects of the next minute: bytes allocated in a second of the program's CPU time, and bytes that live at
    /// its end; none under other policies and before the first cycle ended. It is foretold when asked for, within a millisecond.
    pub fn advisor_forecast(&self) -> Option<(u64, u64)> {
        let forecaster = self.vm.counters.as_ref()?.told().forecaster();
        let minute = |quantity| Some(forecaster.outlook(quantity)?.minute.mid);
        Some(((minute(Quantity::Allocation)? * 1e9) as u64, minute(Quantity::Live)? as u64))
    }

    /// The policy in force.
    pub fn policy_name(&self) -> &'static str {
        self.vm.raw.look(|heap| heap.policy_name())
    }

    /// The settings of the current cycle.
    pub fn knobs(&self) -> Knobs {
        self.vm.raw.look(|heap| *heap.knobs())
    }

    /// Another policy, from the next decision on.
    pub fn set_policy(&mut self, gc: Gc) {
        let chosen = gc.choose();
        let vm = &mut *self.vm;
        vm.raw.heap_mut().set_policy(chosen.policy);
        vm.past_fallbacks += vm.counters.as_ref().map_or(0, |c| c.fallbacks());
        vm.counters = chosen.counters;
        vm.warnings.extend(chosen.warning);
    }

    /// Another pause goal, from the next decision on.
    pub fn set_pause_goal(&mut self, goal: Duration) {
        self.vm.raw.heap_mut().set_pause_goal_ns(u64::try_from(goal.as_nanos()).unwrap_or(u64::MAX).max(1));
    }

    /// Collects the whole heap.
    pub fn collect(&mut self) {
        self.vm.raw.collect(Collect::Full);
    }

    /// To be called when the instance will not be used for a while: collects, and gives the memory back to the system.
    pub fn idle(&mut self) {
        self.vm.raw.idle();
    }

    /// The heap limit in force, in bytes.
    pub fn max_heap(&self) -> u64 {
        self.vm.raw.heap().envelope().limit_bytes
    }

    /// Another heap limit, from now on, as far as the addresses reserved at the start reach. Takes nothing away from
    /// what lives.
    pub fn set_max_heap(&mut self, bytes: u64) {
        self.vm.raw.heap_mut().set_limit_bytes(bytes);
    }

    /// How many objects of each type the script can reach from its globals and the host's handles, and what they take;
    /// the most bytes first.
    pub fn census(&mut self) -> Vec<CensusLine> {
        self.vm.raw.census()
    }

    /// The census taken when memory ran out, if
    /// [`census_on_out_of_memory`](crate::InstanceBuilder::census_on_out_of_memory) asked for it.
    pub fn take_census(&mut self) -> Option<Vec<CensusLine>> {
        self.vm.raw.heap_mut().take_census()
    }

    /// Where the sampled allocations came from, the most bytes first; see
    /// [`sample_allocations`](crate::InstanceBuilder::sample_allocations).
    pub fn allocation_sites(&self) -> Vec<AllocationSite> {
        self.vm.raw.allocation_sites()
    }
}

impl fmt::Debug for Vm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vm").field("program", &self.program).finish_non_exhaustive()
    }
}

impl<A, R> fmt::Debug for Function<A, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Function").field("number", &self.number).finish_non_exhaustive()
    }
}

impl fmt::Debug for Collector<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collector").field("vm", &self.vm).finish()
    }
}
