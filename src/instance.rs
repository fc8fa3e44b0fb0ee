//! An instance to be: a program's own copy of the engine's settings, its streams and what watches its heap.

use crate::engine::Settings;
use crate::error::{EngineError, EngineErrorKind};
use crate::gc_choice::Gc;
use crate::memory_limit::{System, Watch};
use crate::program::Program;
use crate::vm::Vm;
use std::fmt;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;
use tenure_gc::journal::JournalWriter;
use tenure_gc::log::LogWriter;
use tenure_gc::{Clock, HeapConfig, MemorySource, Observer, OnError, SystemClock, Zeal};
use tenure_runtime::profile::Sampling;
use tenure_runtime::vm::VmConfig;

/// Makes a [`Vm`].
pub struct InstanceBuilder {
    program: Program,
    settings: Settings,
    args: Vec<String>,
    stdout: Box<dyn Write + Send>,
    stderr: Box<dyn Write + Send>,
    observers: Vec<Box<dyn Observer>>,
    verify: bool,
    zeal: Zeal,
    clock: Box<dyn Clock>,
    /// Not under a clock of its own, whose owner wants each run to be the same.
    watch_system: bool,
    census_on_out_of_memory: bool,
    sample_bytes: u64,
    profile: Option<Sampling>,
}

impl InstanceBuilder {
    pub(crate) fn new(program: Program, settings: Settings) -> InstanceBuilder {
        InstanceBuilder {
            program,
            settings,
            args: Vec::new(),
            stdout: Box::new(std::io::stdout()),
            stderr: Box::new(std::io::stderr()),
            observers: Vec::new(),
            verify: false,
            zeal: Zeal::default(),
            clock: Box::new(SystemClock),
            watch_system: true,
            census_on_out_of_memory: false,
            sample_bytes: 0,
            profile: None,
        }
    }

    /// The policy that sets the collector's knobs.
    pub fn gc(mut self, gc: Gc) -> InstanceBuilder {
        self.settings.gc = gc;
        self
    }

    /// What pauses should stay below.
    pub fn pause_goal(mut self, goal: Duration) -> InstanceBuilder {
        self.settings.pause_goal = goal;
        self
    }

    /// The most memory the heap may commit, in bytes; from 1 MiB to 24 GiB.
    pub fn max_heap(mut self, bytes: u64) -> InstanceBuilder {
        self.settings.max_heap_bytes = Some(bytes);
        self
    }

    /// How much of the calling thread's stack the script may use, in bytes.
    pub fn stack_budget(mut self, bytes: usize) -> InstanceBuilder {
        self.settings.stack_budget_bytes = bytes;
        self
    }

    /// The script's arguments, its `args`.
    pub fn args(mut self, args: impl IntoIterator<Item = impl Into<String>>) -> InstanceBuilder {
        self.args = args.into_iter().map(Into::into).collect();
        self
    }

    /// Where the script's output goes; flushed at the end of each call.
    pub fn stdout(mut self, stdout: Box<dyn Write + Send>) -> InstanceBuilder {
        self.stdout = stdout;
        self
    }

    /// Where what the script says on standard error goes.
    pub fn stderr(mut self, stderr: Box<dyn Write + Send>) -> InstanceBuilder {
        self.stderr = stderr;
        self
    }

    /// Is told of each pause and of each decision's outcome.
    pub fn observer(mut self, observer: Box<dyn Observer>) -> InstanceBuilder {
        self.observers.push(observer);
        self
    }

    /// Writes log lines that GCViewer and GCToolKit read. `on_error` is told, once, if writing fails.
    pub fn gc_log(self, to: Box<dyn Write + Send>, on_error: OnError) -> InstanceBuilder {
        self.observer(Box::new(LogWriter::new(to, on_error)))
    }

    /// Writes each cycle's snapshot, decision and outcome, bit for bit. `on_error` is told, once, if writing fails.
    pub fn gc_journal(self, to: Box<dyn Write + Send>, on_error: OnError) -> InstanceBuilder {
        let writer = JournalWriter::new(to, self.program.name(), on_error);
        self.observer(Box::new(writer))
    }

    /// Checks the whole heap after every pause, and poisons what is freed. Slow.
    pub fn verify(mut self, verify: bool) -> InstanceBuilder {
        self.verify = verify;
        self
    }

    /// Collects far more often than needed. Slow; no output may depend on it.
    pub fn zeal(mut self, zeal: Zeal) -> InstanceBuilder {
        self.zeal = zeal;
        self
    }

    /// Where the heap reads the time; the machine's clocks by default. [`WorkClock`](tenure_gc::WorkClock) makes every
    /// decision of a policy repeatable.
    pub fn clock(mut self, clock: Box<dyn Clock>) -> InstanceBuilder {
        self.clock = clock;
        self.watch_system = false;
        self
    }

    /// Take a census when memory runs out; see [`Collector::take_census`](crate::Collector::take_census).
    pub fn census_on_out_of_memory(mut self, census: bool) -> InstanceBuilder {
        self.census_on_out_of_memory = census;
        self
    }

    /// Notes where one allocation in about so many bytes comes from; see
    /// [`Collector::allocation_sites`](crate::Collector::allocation_sites). 0, as by default, notes nothing.
    pub fn sample_allocations(mut self, every_bytes: u64) -> InstanceBuilder {
        self.sample_bytes = every_bytes;
        self
    }

    /// Notes now and then what runs, for [`Vm::profile`]. Nobody does, unless said otherwise; then it costs nothing.
    pub fn profile(mut self, sampling: Sampling) -> InstanceBuilder {
        self.profile = Some(sampling);
        self
    }

    /// The instance, with a heap of its own. Nothing has run yet.
    ///
    /// # Errors
    /// [`EngineError::is_configuration`] for a setting out of its range, [`EngineError::is_memory`] if the system gives
    /// no address space.
    pub fn build(self) -> Result<Vm, EngineError> {
        self.settings.check()?;
        let Settings {
            gc,
            pause_goal,
            max_heap_bytes,
            system,
            stack_budget_bytes,
            consume_fuel: _,
            never_collect,
            passes: _,
            code_listener: _,
            code_cache: _,
            timing: _,
        } = &self.settings;
        let chosen = gc.choose();
        let watch = self.watch_system.then(|| Watch::new(system.clone(), max_heap_bytes.is_some()));
        let memory = watch.map(|watch| Box::new(watch) as Box<dyn MemorySource>);
        let heap = HeapConfig {
            pause_goal_ns: u64::try_from(pause_goal.as_nanos()).unwrap_or(u64::MAX),
            verify: self.verify,
            zeal: self.zeal,
            clock: self.clock,
            memory,
            never_collect: never_collect.is_some(),
            census_on_out_of_memory: self.census_on_out_of_memory,
            ..HeapConfig::new(self.settings.heap_limit_bytes())
        };
        let config = VmConfig {
            stdout: self.stdout,
            stderr: self.stderr,
            args: self.args,
            stack_bytes: *stack_budget_bytes,
            profile: self.profile,
            ..VmConfig::new(heap, chosen.policy)
        };
        let code = Arc::clone(self.program.code());
        let mut vm = tenure_runtime::vm::Vm::new(code, config)
            .map_err(|e| EngineError::new(EngineErrorKind::Memory, e.to_string()))?;
        for observer in self.observers {
            vm.heap_mut().add_observer(observer);
        }
        vm.heap_mut().set_sampling(self.sample_bytes);
        let warnings =
            chosen.warning.into_iter().chain(max_heap_bytes.and_then(|limit| too_much(limit, system))).collect();
        Ok(Vm::new(vm, self.program, chosen.counters, warnings))
    }
}

/// Says that a limit is more than there is. The heap may well stay below it, so that is no error.
fn too_much(limit: u64, system: &System) -> Option<String> {
    let memory = system.memory_bytes()?;
    let mib = |bytes: u64| bytes >> 20;
    (limit > memory).then(|| {
        format!("the heap may take {} MiB, but this process can have {} MiB at the most", mib(limit), mib(memory))
    })
}

impl fmt::Debug for InstanceBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InstanceBuilder").field("settings", &self.settings).finish_non_exhaustive()
    }
}
