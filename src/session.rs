//! A session: inputs that arrive one after the other and run in one heap, as at a prompt.
//!
//! Each input is a module that sees what those before it declare; a later declaration of a name hides the earlier one
//! from later inputs, while what is already there keeps what it was made with. So nothing that has been checked can
//! become wrong, and values live on. An input that has mistakes leaves no trace; one that panics has done what it did
//! until then, and bindings it did not reach are unset.
//!
//! Invariants
//! - S1. Inputs are only added, so declarations, places and globals of earlier ones keep their numbers from check to
//!   check, which is how the code generator finds them again.
//! - S2. A statement runs once: a check reads earlier inputs for their types, only the newest is carried out.

use crate::diagnostics::Diagnostics;
use crate::engine::{Engine, on_large_stack};
use crate::error::{EngineError, EngineErrorKind, ScriptError};
use crate::host::Host;
use crate::instance::InstanceBuilder;
use crate::library::Modules;
use crate::program::Program;
use crate::vm::Vm;
use std::fmt;
use std::sync::Arc;
use tenure_compiler::check::{CheckedInput, check_session};
use tenure_compiler::codegen::Code;
use tenure_compiler::ir;
use tenure_compiler::source::{MAX_SOURCE_BYTES, Sources};
use tenure_runtime::native::Registry;

/// Inputs that run one after the other in one heap.
pub struct Session {
    engine: Engine,
    hosts: Vec<Host>,
    files: bool,
    registry: Registry,
    code: Arc<Code>,
    vm: Vm,
    /// Names and texts (S1).
    inputs: Vec<(String, String)>,
    /// Modules that the inputs so far and their imports make.
    modules: usize,
}

/// The value that an input ends with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// As `inspect` writes it; empty for what has no value.
    pub value: String,
    /// Its type, as the language writes it.
    pub ty: String,
}

/// Why an input gave nothing.
#[derive(Debug)]
pub enum SessionError {
    /// It has mistakes, and was not run.
    Source(Diagnostics),
    /// It was run and panicked.
    Script(ScriptError),
    /// The session has no room for it.
    Full(EngineError),
}

impl Session {
    /// A new session. `files` lets inputs import modules that are files in the current folder. `configure` sets up its
    /// instance.
    ///
    /// # Errors
    /// As [`InstanceBuilder::build`].
    pub fn new(
        engine: &Engine,
        hosts: Vec<Host>,
        files: bool,
        configure: impl FnOnce(InstanceBuilder) -> InstanceBuilder,
    ) -> Result<Session, EngineError> {
        let registry = engine.registry(&hosts);
        let code = Code::session(engine.registry(&hosts), engine.settings().code()).map_err(full)?;
        let program = Program::of_session(engine.settings(), Arc::clone(&code));
        let vm = configure(program.instance()).build()?;
        let engine = engine.clone();
        Ok(Session { engine, hosts, files, registry, code, vm, inputs: Vec::new(), modules: 0 })
    }

    /// Checks and runs an input. Gives the value of its last statement, if that has one.
    ///
    /// # Errors
    /// What is wrong with it, or an uncaught trap; the session goes on either way.
    pub fn eval(&mut self, text: &str) -> Result<Option<Shown>, SessionError> {
        let name = format!("<{}>", self.inputs.len() + 1);
        let (checked, sources) = self.check(name.clone(), text).map_err(SessionError::Source)?;
        let CheckedInput { tree, modules, value_type, .. } = checked;
        let Some(tree) = tree else { return Ok(None) };
        let timing = &self.engine.settings().timing;
        let (program, identities) = timing.time("lower", || ir::lower_input(&tree));
        let program = ir::Program { counts_fuel: self.engine.settings().consume_fuel, ..program };
        self.code.add(Arc::new(program), sources, &identities).map_err(|e| SessionError::Full(full(e)))?;
        self.inputs.push((name, text.to_owned()));
        self.modules = modules;
        self.vm.extend().map_err(SessionError::Full)?;
        let value = self.vm.run_input().map_err(SessionError::Script)?;
        Ok(value_type.map(|ty| Shown { value, ty }))
    }

    /// The type of the value that an input would end with, without running it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn type_of(&self, text: &str) -> Result<Option<String>, Diagnostics> {
        let (checked, _) = self.check("<type>".into(), text)?;
        Ok(checked.value_type)
    }

    /// The instance that the inputs run in.
    pub fn vm(&mut self) -> &mut Vm {
        &mut self.vm
    }

    /// The inputs so far.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.inputs.iter().map(|(_, text)| text.as_str())
    }

    fn check(&self, name: String, text: &str) -> Result<(CheckedInput, Arc<Sources>), Diagnostics> {
        if text.len() > MAX_SOURCE_BYTES {
            let message = format!("the input is too large: it may have at most {} MiB", MAX_SOURCE_BYTES >> 20);
            return Err(Diagnostics::unreadable(message));
        }
        let mut inputs = self.inputs.clone();
        inputs.push((name, text.to_owned()));
        let Session { hosts, registry, files, modules, .. } = self;
        let timing = &self.engine.settings().timing;
        let (mut checked, sources, unreadable) = on_large_stack(|| {
            let mut sources = Sources::default();
            let library = Modules::new(hosts, *files);
            let checked = check_session(&mut sources, &inputs, *modules, &library, registry, timing);
            (checked, sources, library.into_unreadable())
        });
        let sources = Arc::new(sources);
        let mut found = Diagnostics::new(Arc::clone(&sources), std::mem::take(&mut checked.diagnostics));
        found.add_unreadable(unreadable);
        if checked.tree.is_none() || found.has_errors() { Err(found) } else { Ok((checked, sources)) }
    }
}

/// Whether more lines could make a text that can't be read one that can.
pub fn is_incomplete(text: &str) -> bool {
    text.len() <= MAX_SOURCE_BYTES && on_large_stack(|| tenure_compiler::syntax::is_incomplete(text))
}

fn full(trap: impl fmt::Display) -> EngineError {
    EngineError::new(EngineErrorKind::Memory, trap.to_string())
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("inputs", &self.inputs.len()).finish_non_exhaustive()
    }
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SessionError::Source(found) => write!(f, "{}", found.render(false)),
            SessionError::Script(error) => error.fmt(f),
            SessionError::Full(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SessionError {}
