//! What goes wrong in a running script: a kind, a message, a trace. Catchable by the script, reported to the host.

use std::fmt;

/// Kinds of traps. The names are those of `Error.kind` in the language.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum TrapKind {
    /// `panic("…")`, or a native function's own failure.
    Panic = 0,
    /// A failed `assert`.
    Assert = 1,
    /// An index out of bounds, or a slice off a character boundary.
    Index = 2,
    /// Integer or byte arithmetic out of range.
    Overflow = 3,
    /// Division by zero.
    DivideByZero = 4,
    /// A shift count outside 0..64.
    Shift = 5,
    /// A conversion of a value that the target type can't hold.
    Conversion = 6,
    /// `!` on nil.
    Unwrap = 7,
    /// A top-level binding read before it was set.
    Unset = 8,
    /// Changing a collection while it is iterated.
    Iteration = 9,
    /// Recursion too deep.
    StackOverflow = 10,
    /// The heap limit was reached.
    OutOfMemory = 11,
    /// Bytes that are not UTF-8.
    Encoding = 12,
    /// Reading or writing failed.
    Io = 13,
    /// An error made by the script, with a kind of its own.
    Error = 14,
    /// The fuel is used up. Not catchable.
    Fuel = 15,
    /// The deadline has passed. Not catchable.
    Timeout = 16,
    /// Somebody asked the script to stop. Not catchable.
    Interrupt = 17,
    /// The script ended itself. Not catchable.
    Exit = 18,
}

impl TrapKind {
    /// The name scripts see.
    pub fn name(self) -> &'static str {
        match self {
            TrapKind::Panic => "panic",
            TrapKind::Assert => "assert",
            TrapKind::Index => "index",
            TrapKind::Overflow => "overflow",
            TrapKind::DivideByZero => "divide_by_zero",
            TrapKind::Shift => "shift",
            TrapKind::Conversion => "conversion",
            TrapKind::Unwrap => "unwrap",
            TrapKind::Unset => "unset",
            TrapKind::Iteration => "iteration",
            TrapKind::StackOverflow => "stack_overflow",
            TrapKind::OutOfMemory => "out_of_memory",
            TrapKind::Encoding => "encoding",
            TrapKind::Io => "io",
            TrapKind::Error => "error",
            TrapKind::Fuel => "fuel",
            TrapKind::Timeout => "timeout",
            TrapKind::Interrupt => "interrupt",
            TrapKind::Exit => "exit",
        }
    }

    /// Whether a script can catch it. What is not catchable unwinds to the host and skips `defer`.
    pub fn is_catchable(self) -> bool {
        !matches!(self, TrapKind::Fuel | TrapKind::Timeout | TrapKind::Interrupt | TrapKind::Exit)
    }

    /// The message of a trap that has none of its own.
    pub fn message(self) -> &'static str {
        match self {
            TrapKind::Panic => "panic",
            TrapKind::Assert => "assertion failed",
            TrapKind::Index => "index out of bounds",
            TrapKind::Overflow => "arithmetic overflow",
            TrapKind::DivideByZero => "division by zero",
            TrapKind::Shift => "shift count outside 0..64",
            TrapKind::Conversion => "value out of range for this conversion",
            TrapKind::Unwrap => "unwrapped nil",
            TrapKind::Unset => "top-level binding read before it was set",
            TrapKind::Iteration => "collection changed while it was iterated",
            TrapKind::StackOverflow => "stack overflow: the recursion is too deep",
            TrapKind::OutOfMemory => "out of memory: the heap limit is reached",
            TrapKind::Encoding => "not valid UTF-8",
            TrapKind::Io => "input or output failed",
            TrapKind::Error => "error",
            TrapKind::Fuel => "the fuel is used up",
            TrapKind::Timeout => "the time is up",
            TrapKind::Interrupt => "interrupted",
            TrapKind::Exit => "the script ended itself",
        }
    }
}

/// A place in a script, innermost first in a trace.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frame {
    /// The function.
    pub function: String,
    /// Name of the source file.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
}

/// A trap on its way out of a script.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trap {
    /// What kind.
    pub kind: TrapKind,
    /// The kind's name, or the script's own for [`TrapKind::Error`].
    pub kind_name: String,
    /// What happened.
    pub message: String,
    /// Innermost first; at most [`TRACE_FRAMES_MAX`], the middle of deeper ones left out.
    pub trace: Vec<Frame>,
    /// How many frames `trace` leaves out, between its halves.
    pub frames_omitted: usize,
    /// What this one came of: kinds and messages along the error's `cause`s, nearest first; at most [`CAUSES_MAX`].
    pub causes: Vec<(String, String)>,
    /// The process's exit code that [`TrapKind::Exit`] asks for.
    pub exit_code: i32,
}

/// Causes kept of an error.
pub const CAUSES_MAX: usize = 16;

/// Frames kept of a deep trace: half from the top, half from the bottom.
pub const TRACE_FRAMES_MAX: usize = 64;

impl Trap {
    /// A trap without trace yet; the engine that raises it fills that in.
    pub fn new(kind: TrapKind, message: impl Into<String>) -> Trap {
        Trap {
            kind,
            kind_name: kind.name().into(),
            message: message.into(),
            trace: Vec::new(),
            frames_omitted: 0,
            causes: Vec::new(),
            exit_code: 0,
        }
    }

    /// The script ends itself with this exit code.
    pub fn exit(code: i32) -> Trap {
        Trap { exit_code: code, ..Trap::new(TrapKind::Exit, format!("the script ended itself with exit code {code}")) }
    }
}

impl TrapKind {
    /// All kinds, indexed by their number.
    pub const ALL: [TrapKind; 19] = [
        TrapKind::Panic,
        TrapKind::Assert,
        TrapKind::Index,
        TrapKind::Overflow,
        TrapKind::DivideByZero,
        TrapKind::Shift,
        TrapKind::Conversion,
        TrapKind::Unwrap,
        TrapKind::Unset,
        TrapKind::Iteration,
        TrapKind::StackOverflow,
        TrapKind::OutOfMemory,
        TrapKind::Encoding,
        TrapKind::Io,
        TrapKind::Error,
        TrapKind::Fuel,
        TrapKind::Timeout,
        TrapKind::Interrupt,
        TrapKind::Exit,
    ];

    /// The kind with this name; [`TrapKind::Error`] for names that scripts made up (nothing that they throw is one of
    /// those they can't catch).
    pub fn from_name(name: &str) -> TrapKind {
        TrapKind::ALL.into_iter().find(|kind| kind.name() == name && kind.is_catchable()).unwrap_or(TrapKind::Error)
    }
}

impl Trap {
    /// The trace as scripts see it in `Error.trace`: a line a frame, innermost first.
    pub fn trace_text(&self) -> String {
        let mut text = String::new();
        for (i, frame) in self.trace.iter().enumerate() {
            if self.frames_omitted > 0 && i == TRACE_FRAMES_MAX / 2 {
                text.push_str(&format!("... {} more frames\n", self.frames_omitted));
            }
            text.push_str(&format!("at {} ({}:{}:{})\n", frame.function, frame.file, frame.line, frame.column));
        }
        text
    }

    /// A trap for an index that is out of bounds.
    pub fn index(index: i64, len: u64) -> Trap {
        Trap::new(TrapKind::Index, format!("index {index} out of bounds for length {len}"))
    }
}

impl From<TrapKind> for Trap {
    fn from(kind: TrapKind) -> Trap {
        Trap::new(kind, kind.message())
    }
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Trap {}
