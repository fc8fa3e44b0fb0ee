//! A checked script, ready to run any number of times.

use crate::diagnostics::Diagnostics;
use crate::engine::Settings;
use crate::error::{EngineError, EngineErrorKind, ScriptError};
use crate::evaluation::Evaluation;
use crate::instance::InstanceBuilder;
use std::fmt;
use std::io::Write;
use std::sync::Arc;
use tenure_compiler::codegen::{Code, Listing};
use tenure_compiler::eval::Options;
use tenure_compiler::ir::{self, ExportType, FuncId};
use tenure_compiler::source::Sources;
use tenure_runtime::abi::RuntimeFunction;
use tenure_runtime::code::CodeSource;
use tenure_runtime::native::{NativeType, Registry};
use tenure_runtime::trap::Trap;

/// A script that has been checked. Its functions are compiled as they are first called; the machine code is shared by
/// all instances. Cheap to clone, and shared by threads.
#[derive(Clone)]
pub struct Program {
    inner: Arc<Inner>,
}

struct Inner {
    name: String,
    settings: Arc<Settings>,
    code: Arc<Code>,
    ir: Arc<ir::Program>,
    sources: Arc<Sources>,
    exports: Vec<Signature>,
    tests: Vec<(String, u32)>,
    warnings: Diagnostics,
}

/// A function of a script that a host can call, with its types as the language writes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Its name.
    pub name: String,
    /// Its parameters' types.
    pub params: Vec<String>,
    /// Its result's type.
    pub result: String,
    pub(crate) function: u32,
    pub(crate) crossing: (Vec<Crossing>, Crossing),
}

/// How values of a type cross to the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Crossing {
    /// As values of Rust's.
    Native(NativeType),
    /// As roots of objects; with the checker's number of the type.
    Object(u32),
}

impl Program {
    pub(crate) fn new(
        settings: Arc<Settings>,
        name: &str,
        sources: Arc<Sources>,
        registry: Registry,
        program: ir::Program,
        warnings: Diagnostics,
    ) -> Result<Program, Trap> {
        let exports = program.exports.iter().map(signature).collect();
        let tests = program.tests.iter().map(|(title, _, function)| (title.to_string(), function.0)).collect();
        let ir = Arc::new(program);
        let code = Code::new(Arc::clone(&ir), Arc::clone(&sources), registry, settings.code())?;
        let inner = Inner { name: name.to_owned(), settings, code, ir, sources, exports, tests, warnings };
        Ok(Program { inner: Arc::new(inner) })
    }

    /// What the instance of a session is made of; its code grows.
    pub(crate) fn of_session(settings: &Arc<Settings>, code: Arc<Code>) -> Program {
        let inner = Inner {
            name: "session".into(),
            settings: Arc::clone(settings),
            code,
            ir: Arc::default(),
            sources: Arc::default(),
            exports: Vec::new(),
            tests: Vec::new(),
            warnings: Diagnostics::new(Arc::default(), Vec::new()),
        };
        Program { inner: Arc::new(inner) }
    }

    /// An instance to be, with the engine's settings.
    pub fn instance(&self) -> InstanceBuilder {
        InstanceBuilder::new(self.clone(), Settings::clone(&self.inner.settings))
    }

    /// The name it was compiled under.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// What the compiler warned of.
    pub fn warnings(&self) -> &Diagnostics {
        &self.inner.warnings
    }

    /// The functions that hosts can call: those of the script itself whose parameters are all annotated.
    pub fn functions(&self) -> impl ExactSizeIterator<Item = &Signature> {
        self.inner.exports.iter()
    }

    /// Titles of the `test` blocks, if it was compiled for them; see [`Vm::run_test`](crate::Vm::run_test).
    pub fn tests(&self) -> impl ExactSizeIterator<Item = &str> {
        self.inner.tests.iter().map(|(title, _)| title.as_str())
    }

    /// The program in the evaluator, nothing of it run yet.
    pub fn evaluation(
        &self,
        args: &[String],
        stdout: Box<dyn Write + Send>,
        stderr: Box<dyn Write + Send>,
    ) -> Evaluation<'_> {
        let Inner { code, ir, sources, .. } = &*self.inner;
        let options = Options { stdout, stderr, args: args.to_vec(), ..Options::default() };
        Evaluation::new(ir, code.natives(), sources, options)
    }

    /// Runs the program in the evaluator: no machine code, no collector; slow, and the yardstick for both.
    ///
    /// # Errors
    /// An uncaught trap.
    pub fn evaluate(
        &self,
        args: &[String],
        stdout: Box<dyn Write + Send>,
        stderr: Box<dyn Write + Send>,
    ) -> Result<(), ScriptError> {
        self.evaluation(args, stdout, stderr).run()
    }

    /// Compiles every function, which otherwise happens when it is first called; a
    /// [`CodeListener`](crate::CodeListener) hears of each.
    ///
    /// # Errors
    /// No room is left for machine code, or a function is too large.
    pub fn compile_all(&self) -> Result<(), ScriptError> {
        let functions = 0..self.inner.ir.functions.len() as u32;
        functions
            .into_iter()
            .try_for_each(|function| self.inner.code.compile(function).map(drop))
            .map_err(ScriptError::new)
    }

    pub(crate) fn check_fuel(&self) -> Result<(), EngineError> {
        if self.inner.settings.consume_fuel {
            return Ok(());
        }
        let message = "the program's code counts no fuel: build its engine with `consume_fuel(true)`";
        Err(EngineError::new(EngineErrorKind::Configuration, message))
    }

    pub(crate) fn code(&self) -> &Arc<Code> {
        &self.inner.code
    }

    pub(crate) fn signature(&self, name: &str) -> Option<&Signature> {
        self.inner.exports.iter().find(|s| s.name == name)
    }

    pub(crate) fn test(&self, i: usize) -> Option<u32> {
        self.inner.tests.get(i).map(|&(_, function)| function)
    }

    /// Cranelift's input, or machine code, of every function.
    pub(crate) fn listing(&self, machine_code: bool) -> String {
        let Inner { code, ir, .. } = &*self.inner;
        let listing = if machine_code { Listing::Assembly } else { Listing::Clif };
        (0..ir.functions.len()).map(|i| code.listing(FuncId(i as u32), listing) + "\n").collect()
    }
}

/// Where the functions of the runtime lie that machine code calls, with their names.
pub fn runtime_symbols() -> impl Iterator<Item = (usize, &'static str)> {
    RuntimeFunction::ALL.iter().map(|function| (function.address(), function.symbol()))
}

fn signature(export: &ir::Export) -> Signature {
    let cross = |ty: &ExportType| match ty {
        ExportType::Int => Crossing::Native(NativeType::Int),
        ExportType::Float => Crossing::Native(NativeType::Float),
        ExportType::Bool => Crossing::Native(NativeType::Bool),
        ExportType::Byte => Crossing::Native(NativeType::Byte),
        ExportType::Str => Crossing::Native(NativeType::Str),
        ExportType::Unit => Crossing::Native(NativeType::Unit),
        ExportType::Other(_, ty) => Crossing::Object(*ty),
    };
    Signature {
        name: export.name.to_string(),
        params: export.params.iter().map(type_name).collect(),
        result: type_name(&export.result),
        function: export.function.0,
        crossing: (export.params.iter().map(cross).collect(), cross(&export.result)),
    }
}

fn type_name(ty: &ExportType) -> String {
    let name = match ty {
        ExportType::Int => "int",
        ExportType::Float => "float",
        ExportType::Bool => "bool",
        ExportType::Byte => "byte",
        ExportType::Str => "str",
        ExportType::Unit => "()",
        ExportType::Other(name, _) => name,
    };
    name.to_owned()
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({}) -> {}", self.name, self.params.join(", "), self.result)
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program").field("functions", &self.inner.exports).finish_non_exhaustive()
    }
}
