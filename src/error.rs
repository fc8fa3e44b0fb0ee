//! What an embedding program is told when a script or the engine fails. Opaque types, asked by `is_*`.
//!
//! A *diagnostic* is about source text (see [`Diagnostics`](crate::Diagnostics)), a [`ScriptError`] is a trap that a
//! running script did not catch, an [`EngineError`] is about the host's own request.

use std::fmt;
use std::fmt::Write as _;
use tenure_runtime::trap::{Trap, TrapKind};

/// A trap that left the script: message, kind, stack trace. The virtual machine that raised it can go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptError {
    trap: Box<Trap>,
}

/// A place in a script, in a stack trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The function, `Node.len` or `closure in main`.
    pub function: &'a str,
    /// Name of the source file.
    pub file: &'a str,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1, in characters.
    pub column: u32,
}

impl ScriptError {
    pub(crate) fn new(trap: Trap) -> ScriptError {
        ScriptError { trap: Box::new(trap) }
    }

    /// What happened, in one sentence.
    pub fn message(&self) -> &str {
        &self.trap.message
    }

    /// The kind, as the script's `Error.kind` names it: `index`, `overflow`, `out_of_memory`, …
    pub fn kind(&self) -> &str {
        &self.trap.kind_name
    }

    /// Whether the heap limit was reached.
    pub fn is_out_of_memory(&self) -> bool {
        self.trap.kind == TrapKind::OutOfMemory
    }

    /// Whether the script recursed too deep.
    pub fn is_stack_overflow(&self) -> bool {
        self.trap.kind == TrapKind::StackOverflow
    }

    /// Whether the fuel was used up, or the deadline passed.
    pub fn is_limit(&self) -> bool {
        matches!(self.trap.kind, TrapKind::Fuel | TrapKind::Timeout)
    }

    /// Whether the script was told to stop.
    pub fn is_interrupt(&self) -> bool {
        self.trap.kind == TrapKind::Interrupt
    }

    /// Whether an `assert` failed.
    pub fn is_assertion(&self) -> bool {
        self.trap.kind == TrapKind::Assert
    }

    /// The calls that were active, innermost first; the middle of a very deep trace is left out, see
    /// [`frames_omitted`](ScriptError::frames_omitted).
    pub fn trace(&self) -> impl ExactSizeIterator<Item = Frame<'_>> {
        self.trap.trace.iter().map(|f| Frame { function: &f.function, file: &f.file, line: f.line, column: f.column })
    }

    /// How many frames the middle of [`trace`](ScriptError::trace) leaves out.
    pub fn frames_omitted(&self) -> usize {
        self.trap.frames_omitted
    }

    /// What the error came of, nearest first: kind and message of each `cause`.
    pub fn causes(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.trap.causes.iter().map(|(kind, message)| (kind.as_str(), message.as_str()))
    }

    /// The exit code the script asked for with `os.exit`, if it ended itself so.
    pub fn exit_code(&self) -> Option<i32> {
        (self.trap.kind == TrapKind::Exit).then_some(self.trap.exit_code)
    }

    /// Kind, message, causes and trace, as the command line prints them.
    pub fn report(&self) -> String {
        let mut out = format!("error[{}]: {}\n", self.kind(), self.message());
        for (kind, message) in self.causes() {
            let _ = writeln!(out, "  caused by [{kind}]: {message}");
        }
        for line in self.trap.trace_text().lines() {
            let _ = writeln!(out, "  {line}");
        }
        out
    }
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for ScriptError {}

/// A request of the host that can't be met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineError {
    kind: EngineErrorKind,
    message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EngineErrorKind {
    Configuration,
    Memory,
    Model,
    NoFunction,
    Signature,
    Io,
}

impl EngineError {
    pub(crate) fn new(kind: EngineErrorKind, message: impl Into<String>) -> EngineError {
        EngineError { kind, message: message.into() }
    }

    /// Whether a setting is out of its range.
    pub fn is_configuration(&self) -> bool {
        self.kind == EngineErrorKind::Configuration
    }

    /// Whether the operating system refused memory for a heap or for code.
    pub fn is_memory(&self) -> bool {
        self.kind == EngineErrorKind::Memory
    }

    /// Whether an advisor's model could not be read.
    pub fn is_model(&self) -> bool {
        self.kind == EngineErrorKind::Model
    }

    /// Whether the script has no such function with annotated parameters.
    pub fn is_no_function(&self) -> bool {
        self.kind == EngineErrorKind::NoFunction
    }

    /// Whether the script's function has other types than the host asked for.
    pub fn is_signature(&self) -> bool {
        self.kind == EngineErrorKind::Signature
    }

    /// Whether a file could not be written.
    pub fn is_io(&self) -> bool {
        self.kind == EngineErrorKind::Io
    }
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for EngineError {}
