//! An engine: settings that programs share, and the way from source text to a program.

use crate::code_cache::CodeCache;
use crate::diagnostics::Diagnostics;
use crate::error::{EngineError, EngineErrorKind};
use crate::gc_choice::Gc;
use crate::host::Host;
use crate::library::Modules;
use crate::memory_limit::System;
use crate::program::Program;
use crate::source_file;
use crate::stack;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tenure_compiler::check::{Mode, check};
use tenure_compiler::codegen::CodeSettings;
use tenure_compiler::diagnostic as raw;
use tenure_compiler::hir;
use tenure_compiler::ir;
use tenure_compiler::opt::{Optimiser, Passes};
use tenure_compiler::source::{MAX_SOURCE_BYTES, Sources};
use tenure_compiler::syntax::parse;
use tenure_compiler::syntax::span::FileId;
use tenure_compiler::timing::Timing;
use tenure_runtime::code::CodeListener;
use tenure_runtime::native::Registry;

/// The checker descends as deep as brackets may nest, on a stack of its own so that the caller's may be small.
const COMPILER_STACK_BYTES: usize = 64 << 20;
/// Most threads have 2 MiB, so this leaves room for the host's own frames and for natives.
const STACK_BUDGET_DEFAULT_BYTES: usize = 1 << 20;
const PAUSE_GOAL_DEFAULT: Duration = Duration::from_millis(10);

/// Compiles scripts. Cheap to clone, and shared by threads.
#[derive(Debug, Clone)]
pub struct Engine {
    settings: Arc<Settings>,
}

/// What instances start from; each can be changed for one instance.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) gc: Gc,
    pub(crate) pause_goal: Duration,
    /// By default a share of what the system has.
    pub(crate) max_heap_bytes: Option<u64>,
    pub(crate) system: System,
    pub(crate) stack_budget_bytes: usize,
    pub(crate) consume_fuel: bool,
    pub(crate) never_collect: Option<Barriers>,
    pub(crate) passes: Passes,
    pub(crate) code_listener: Option<Arc<dyn CodeListener>>,
    pub(crate) code_cache: Option<Arc<CodeCache>>,
    pub(crate) timing: Timing,
}

/// Settings of an engine to be.
#[derive(Debug, Clone)]
pub struct EngineBuilder {
    settings: Settings,
}

/// What a compilation is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To run: top-level statements, then `main`.
    Run,
    /// To run its `test` blocks, after the top-level statements; `main` is not called.
    Test,
    /// The same for its `bench` blocks, which [`Program::tests`] lists then.
    Bench,
}

/// A stage of the compiler whose result can be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The syntax tree.
    Ast,
    /// The typed tree.
    Types,
    /// The SSA form.
    Ir,
    /// The SSA form after the optimiser, function by function.
    Optimised,
    /// Cranelift's input, of every function.
    Clif,
    /// Machine code as Cranelift writes it, of every function: with labels instead of addresses.
    Asm,
}

impl Engine {
    /// An engine with default settings: the advisor, a pause goal of 10 ms, a quarter of the machine's memory.
    pub fn new() -> Engine {
        Engine { settings: Arc::new(EngineBuilder::default().settings) }
    }

    /// An engine with settings of one's own.
    pub fn builder() -> EngineBuilder {
        EngineBuilder::default()
    }

    /// Compiles a script's text. `name` is what messages call it; modules it imports are the host's, or the standard
    /// library's, never files.
    ///
    /// # Errors
    /// Everything that is wrong with the script, at once.
    pub fn compile(&self, name: &str, text: &str, host: &Host) -> Result<Program, Diagnostics> {
        self.compile_for(Purpose::Run, name, text, std::slice::from_ref(host), false)
    }

    /// Compiles a script file; `use geometry` in it finds `geometry.ten` beside it.
    ///
    /// # Errors
    /// Everything that is wrong with the script, at once; or one line that says why it can't be read.
    pub fn compile_file(&self, path: impl AsRef<Path>, host: &Host) -> Result<Program, Diagnostics> {
        let path = path.as_ref();
        let text = source_file::read(path).map_err(Diagnostics::unreadable)?;
        self.compile_for(Purpose::Run, &path.display().to_string(), &text, std::slice::from_ref(host), true)
    }

    /// As [`compile`](Engine::compile), for any number of hosts; `files` lets modules be files beside `name`.
    ///
    /// # Errors
    /// Everything that is wrong with the script, at once.
    pub fn compile_for(
        &self,
        purpose: Purpose,
        name: &str,
        text: &str,
        hosts: &[Host],
        files: bool,
    ) -> Result<Program, Diagnostics> {
        let front = self.front(purpose, name, text, hosts, files)?;
        let program = self.lower(&front);
        self.program(name, front, program)
    }

    /// Everything that is wrong with a script, and nothing more: what stages behind the checker would make of it takes
    /// time and memory. Gives warnings.
    ///
    /// # Errors
    /// Errors and warnings, where there are errors.
    pub fn check(
        &self,
        purpose: Purpose,
        name: &str,
        text: &str,
        hosts: &[Host],
        files: bool,
    ) -> Result<Diagnostics, Diagnostics> {
        Ok(self.front(purpose, name, text, hosts, files)?.warnings)
    }

    /// The natives of the standard library and of hosts.
    pub(crate) fn registry(&self, hosts: &[Host]) -> Registry {
        let mut registry = Registry::default();
        tenure_stdlib::register(&mut registry);
        hosts.iter().for_each(|host| host.register(&mut registry));
        registry
    }

    pub(crate) fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    fn lower(&self, front: &Front) -> ir::Program {
        ir::Program {
            counts_fuel: self.settings.consume_fuel,
            omits_barriers: self.settings.never_collect == Some(Barriers::LeftOut),
            ..self.settings.timing.time("lower", || ir::lower(&front.tree))
        }
    }

    /// What a stage of the compiler made of a script.
    ///
    /// # Errors
    /// Everything that is wrong with the script, at once.
    pub fn emit(&self, stage: Stage, name: &str, text: &str, hosts: &[Host]) -> Result<String, Diagnostics> {
        if stage == Stage::Ast {
            return self.syntax_tree(name, text);
        }
        let front = self.front(Purpose::Run, name, text, hosts, true)?;
        if stage == Stage::Types {
            return Ok(front.tree.to_string());
        }
        let program = self.lower(&front);
        if stage == Stage::Ir {
            return Ok(program.to_string());
        }
        if stage == Stage::Optimised {
            let optimiser = Optimiser::new(&program, self.settings.passes, self.settings.timing.clone(), []);
            let functions = (0..program.functions.len() as u32).map(ir::FuncId);
            return Ok(functions.map(|id| format!("{id} {}\n", optimiser.optimise(&program, id))).collect());
        }
        Ok(self.program(name, front, program)?.listing(stage == Stage::Asm))
    }

    fn syntax_tree(&self, name: &str, text: &str) -> Result<String, Diagnostics> {
        let (sources, main) = add_source(name, text)?;
        let (dump, found) = on_large_stack(|| {
            let (tree, found) = self.settings.timing.time("lex and parse", || parse(&sources, main));
            (format!("{tree:#?}\n"), found)
        });
        if found.iter().any(|d| d.severity == raw::Severity::Error) {
            return Err(Diagnostics::new(Arc::new(sources), found));
        }
        Ok(dump)
    }

    fn program(&self, name: &str, front: Front, program: ir::Program) -> Result<Program, Diagnostics> {
        let Front { sources, registry, warnings, .. } = front;
        Program::new(Arc::clone(&self.settings), name, sources, registry, program, warnings)
            .map_err(|trap| Diagnostics::unreadable(format!("`{name}` can't be made to run: {trap}")))
    }

    fn front(
        &self,
        purpose: Purpose,
        name: &str,
        text: &str,
        hosts: &[Host],
        files: bool,
    ) -> Result<Front, Diagnostics> {
        let registry = self.registry(hosts);
        let mode = match purpose {
            Purpose::Run => Mode::Run,
            Purpose::Test => Mode::Test,
            Purpose::Bench => Mode::Bench,
        };
        let (sources, checked, found, unreadable) = on_large_stack(|| {
            let (mut sources, main) = add_source(name, text)?;
            let modules = Modules::new(hosts, files);
            let (checked, found) = check(&mut sources, main, &modules, &registry, mode, &self.settings.timing);
            Ok((sources, checked, found, modules.into_unreadable()))
        })?;
        let sources = Arc::new(sources);
        let mut found = Diagnostics::new(Arc::clone(&sources), found);
        found.add_unreadable(unreadable);
        match checked {
            Some(tree) if !found.has_errors() => Ok(Front { sources, registry, tree, warnings: found }),
            _ => Err(found),
        }
    }
}

/// A script that has passed the checker.
struct Front {
    sources: Arc<Sources>,
    registry: Registry,
    tree: hir::Program,
    warnings: Diagnostics,
}

pub(crate) fn add_source(name: &str, text: &str) -> Result<(Sources, FileId), Diagnostics> {
    if text.len() > MAX_SOURCE_BYTES {
        let message = format!("`{name}` is too large: a source has at most {} MiB", MAX_SOURCE_BYTES >> 20);
        return Err(Diagnostics::unreadable(message));
    }
    let mut sources = Sources::default();
    let main = sources.add(name, text.to_owned());
    Ok((sources, main))
}

pub(crate) fn on_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    if stack::is_at_least(COMPILER_STACK_BYTES) {
        return work();
    }
    stack::on_stack("tenure-compiler", COMPILER_STACK_BYTES, work).expect("the system gives a thread to compile on")
}

/// Whether code has write barriers, where it could do without.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Barriers {
    /// It has them.
    Emitted,
    /// It has none.
    LeftOut,
}

impl Default for Engine {
    fn default() -> Engine {
        Engine::new()
    }
}

impl Default for EngineBuilder {
    fn default() -> EngineBuilder {
        let settings = Settings {
            gc: Gc::default(),
            pause_goal: PAUSE_GOAL_DEFAULT,
            max_heap_bytes: None,
            system: System::below("/"),
            stack_budget_bytes: STACK_BUDGET_DEFAULT_BYTES,
            consume_fuel: false,
            never_collect: None,
            passes: Passes::ALL,
            code_listener: None,
            code_cache: None,
            timing: Timing::default(),
        };
        EngineBuilder { settings }
    }
}

impl EngineBuilder {
    /// The policy that sets the collector's knobs.
    pub fn gc(mut self, gc: Gc) -> EngineBuilder {
        self.settings.gc = gc;
        self
    }

    /// What pauses should stay below.
    pub fn pause_goal(mut self, goal: Duration) -> EngineBuilder {
        self.settings.pause_goal = goal;
        self
    }

    /// The most memory the heap of one instance may commit, in bytes; from 1 MiB to 24 GiB.
    pub fn max_heap(mut self, bytes: u64) -> EngineBuilder {
        self.settings.max_heap_bytes = Some(bytes);
        self
    }

    /// Where `proc` and `sys` are found, from which the memory that heaps may take is read, now and while they run; `/`
    /// unless said otherwise.
    pub fn system_root(mut self, root: impl Into<std::path::PathBuf>) -> EngineBuilder {
        self.settings.system = System::below(root);
        self
    }

    /// How much of the calling thread's stack a script may use, in bytes; 1 MiB unless said otherwise. The thread must
    /// have half a MiB more.
    pub fn stack_budget(mut self, bytes: usize) -> EngineBuilder {
        self.settings.stack_budget_bytes = bytes;
        self
    }

    /// Whether scripts use up fuel, see [`Vm::set_fuel`](crate::Vm::set_fuel); code that counts is a little slower. Off
    /// unless said otherwise.
    pub fn consume_fuel(mut self, consume: bool) -> EngineBuilder {
        self.settings.consume_fuel = consume;
        self
    }

    /// Instances whose heaps never collect, with the write barrier or without it: for measuring what the two cost. What
    /// does not fit is out of memory.
    #[doc(hidden)]
    pub fn never_collect(mut self, barriers: Barriers) -> EngineBuilder {
        self.settings.never_collect = Some(barriers);
        self
    }

    /// Who hears of each function as it is compiled, as a [`PerfFile`](crate::PerfFile) does; nobody unless said otherwise.
    pub fn code_listener(mut self, listener: Arc<dyn CodeListener>) -> EngineBuilder {
        self.settings.code_listener = Some(listener);
        self
    }

    /// Where machine code is kept for other processes; nowhere unless said otherwise.
    pub fn code_cache(mut self, cache: Arc<CodeCache>) -> EngineBuilder {
        self.settings.code_cache = Some(cache);
        self
    }

    /// Is told how long each phase of compilation takes; see [`Timing`].
    pub fn timing(mut self, timing: Timing) -> EngineBuilder {
        self.settings.timing = timing;
        self
    }

    /// The optimiser's passes: `all`, `none` or names separated by commas. For tests.
    ///
    /// # Errors
    /// There is no such pass.
    #[doc(hidden)]
    pub fn passes(mut self, names: &str) -> Result<EngineBuilder, String> {
        self.settings.passes = names.parse()?;
        Ok(self)
    }

    /// The engine.
    ///
    /// # Errors
    /// [`EngineError::is_configuration`] for a setting that is out of its range.
    pub fn build(self) -> Result<Engine, EngineError> {
        self.settings.check()?;
        Ok(Engine { settings: Arc::new(self.settings) })
    }
}

impl Settings {
    /// How programs' code is made.
    pub(crate) fn code(&self) -> CodeSettings {
        CodeSettings {
            passes: self.passes,
            timing: self.timing.clone(),
            listener: self.code_listener.clone(),
            store: self.code_cache.clone().map(|cache| cache as _),
        }
    }

    /// The limit that was set, or the default one.
    pub(crate) fn heap_limit_bytes(&self) -> u64 {
        self.max_heap_bytes.unwrap_or_else(|| self.system.default_heap_limit())
    }

    pub(crate) fn check(&self) -> Result<(), EngineError> {
        let wrong = |message: &str| Err(EngineError::new(EngineErrorKind::Configuration, message));
        if self.pause_goal.is_zero() {
            return wrong("the pause goal can't be 0");
        }
        // the default lies in them, and to find it costs more than all else here
        let limits = tenure_gc::LIMIT_BYTES_MIN..=tenure_gc::LIMIT_BYTES_MAX;
        if self.max_heap_bytes.is_some_and(|limit| !limits.contains(&limit)) {
            return wrong("the heap limit lies between 1 MiB and 24 GiB");
        }
        if self.stack_budget_bytes < 64 << 10 {
            return wrong("a script needs at least 64 KiB of stack");
        }
        Ok(())
    }
}
