//! A slow, safe evaluator of the IR: the oracle that compiled code is checked against. It runs one instruction after the
//! other on plain vectors, without `unsafe`, without a collector, and shares nothing with `codegen` but the IR itself and
//! the pure functions of `tenure_runtime`.
//!
//! Invariants
//! - V1. A value is a word: ints and floats as their bits, bytes zero-extended, references as indexes into the
//!   evaluator's heap, 0 for nil.
//! - V2. Script calls don't recurse in Rust: frames lie in a vector, so no script can overflow the evaluator's stack.
//! - V3. Objects are never freed; [`Options::heap_bytes_max`] bounds them.

#![forbid(unsafe_code)]

mod heap;
mod interpret;
mod natives;
mod prim;
mod runtime_fns;
mod weak;

use crate::ir::{Block, FuncId, LiteralId, Program, RecordId, Value};
use crate::source::Sources;
use crate::syntax::span::Span;
use hashbrown::HashMap;
use heap::{Heap, Object};
use std::io::Write;
use tenure_runtime::interrupt::InterruptHandle;
use tenure_runtime::native::Registry;
use tenure_runtime::trap::{CAUSES_MAX, Frame as TraceFrame, TRACE_FRAMES_MAX, Trap, TrapKind};
use weak::Weak;

/// What a script may use, and where its output goes.
pub struct Options<'a> {
    /// Its standard output.
    pub stdout: Box<dyn Write + 'a>,
    /// Its standard error.
    pub stderr: Box<dyn Write + 'a>,
    /// Its arguments.
    pub args: Vec<String>,
    /// Nested calls before a stack overflow.
    pub depth_max: usize,
    /// Bytes of objects, as compiled code would lay them out, before memory is exhausted.
    pub heap_bytes_max: u64,
    /// Instructions before an uncatchable trap of kind `fuel`.
    pub steps_max: u64,
    /// Function entries and rounds of loops before one: the same that compiled code counts.
    pub fuel: u64,
    /// Stops what runs, from any thread.
    pub interrupts: InterruptHandle,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Options {
            stdout: Box::new(std::io::stdout()),
            stderr: Box::new(std::io::stderr()),
            args: Vec::new(),
            depth_max: 100_000,
            heap_bytes_max: 1 << 30,
            steps_max: u64::MAX,
            fuel: u64::MAX,
            interrupts: InterruptHandle::default(),
        }
    }
}

/// A program being evaluated: its globals and heap live from call to call.
pub struct Evaluator<'a> {
    program: &'a Program,
    registry: &'a Registry,
    sources: &'a Sources,
    options: Options<'a>,
    heap: Heap,
    globals: Vec<Option<u64>>,
    literals: Vec<u64>,
    functions: HashMap<FuncId, u64>,
    singletons: HashMap<RecordId, u64>,
    frames: Vec<Frame>,
    /// The values of all frames, one after the other.
    stack: Vec<u64>,
    /// Where the innermost frame's values start.
    base: usize,
    steps: u64,
    /// The trap on its way to a handler's `Catch`.
    caught: Option<Raised>,
    /// Traps set aside while cleanups run, innermost last.
    suspended: Vec<Raised>,
    weak: Weak,
}

/// An active call.
struct Frame {
    function: FuncId,
    /// Where its values start on the stack.
    base: usize,
    block: Block,
    /// The next instruction.
    next: usize,
    /// Where the caller, which is the frame below, wants the result.
    result: Option<Value>,
}

/// Why the evaluation of an instruction ended.
enum Raised {
    /// A trap.
    Trap(Trap),
    /// An error object thrown by the script.
    Thrown(u64, Box<Trap>),
}

impl Raised {
    fn is_catchable(&self) -> bool {
        !matches!(self, Raised::Trap(trap) if !trap.kind.is_catchable())
    }
}

impl From<Trap> for Raised {
    fn from(trap: Trap) -> Raised {
        Raised::Trap(trap)
    }
}

impl From<TrapKind> for Raised {
    fn from(kind: TrapKind) -> Raised {
        Raised::Trap(kind.into())
    }
}

impl<'a> Evaluator<'a> {
    /// Ready to run; nothing has run yet.
    pub fn new(program: &'a Program, registry: &'a Registry, sources: &'a Sources, options: Options<'a>) -> Self {
        let mut heap = Heap::new(options.heap_bytes_max);
        let mut permanent = |object| heap.permanent(object);
        let literals = program.literals.iter().map(|text| permanent(Object::Text(text.as_str().into()))).collect();
        Evaluator {
            program,
            registry,
            sources,
            options,
            globals: vec![None; program.globals.len()],
            literals,
            functions: HashMap::new(),
            singletons: HashMap::new(),
            frames: Vec::new(),
            stack: Vec::new(),
            base: 0,
            steps: 0,
            caught: None,
            suspended: Vec::new(),
            weak: Weak::default(),
            heap,
        }
    }

    /// Runs the program's entry, if it has one.
    pub fn run_entry(&mut self) -> Result<(), Trap> {
        match self.program.entry {
            Some(entry) => self.call(entry, &[]).map(|_| ()),
            None => Ok(()),
        }
    }

    /// Runs the test block of that index.
    pub fn run_test(&mut self, index: usize) -> Result<(), Trap> {
        let (_, _, function) = self.program.tests[index];
        self.call(function, &[]).map(|_| ())
    }

    /// Calls a function with arguments as words (V1); their number must fit.
    pub fn call(&mut self, function: FuncId, args: &[u64]) -> Result<u64, Trap> {
        assert_eq!(args.len(), self.program.functions[function.index()].params.len(), "arguments of {function}");
        self.frames.clear();
        self.stack.clear();
        let outcome = self.evaluate(function, args);
        self.caught = None;
        self.suspended.clear();
        outcome.map_err(|raised| match raised {
            Raised::Trap(trap) => trap,
            Raised::Thrown(error, trap) => self.describe_thrown(error, *trap),
        })
    }

    /// Writes out what the script printed; its own writes have told it when that is impossible.
    pub fn flush(&mut self) {
        let _ = self.options.stdout.flush();
        let _ = self.options.stderr.flush();
    }

    /// What is left of the fuel.
    pub fn fuel(&self) -> u64 {
        self.options.fuel
    }

    /// Sets the fuel.
    pub fn set_fuel(&mut self, fuel: u64) {
        self.options.fuel = fuel;
    }

    /// A string for [`Evaluator::call`].
    pub fn new_str(&mut self, text: &str) -> Result<u64, Trap> {
        self.heap.allocate(Object::Text(text.into()))
    }

    /// The text of a string that a call gave.
    pub fn str(&self, string: u64) -> &str {
        self.heap.str(string)
    }

    fn literal(&self, literal: LiteralId) -> u64 {
        self.literals[literal.index()]
    }

    fn function_object(&mut self, function: FuncId) -> u64 {
        let heap = &mut self.heap;
        *self.functions.entry(function).or_insert_with(|| heap.permanent(Object::Function(function)))
    }

    fn singleton(&mut self, record: RecordId) -> u64 {
        let heap = &mut self.heap;
        *self.singletons.entry(record).or_insert_with(|| heap.permanent(Object::Record(record, Box::default())))
    }

    /// An uncaught error object as a trap.
    fn describe_thrown(&self, error: u64, mut trap: Trap) -> Trap {
        (trap.kind_name, trap.message) = self.kind_and_message(error);
        trap.kind = TrapKind::from_name(&trap.kind_name);
        let mut cause = self.heap.fields(error)[2];
        while cause != 0 && trap.causes.len() < CAUSES_MAX {
            trap.causes.push(self.kind_and_message(cause));
            cause = self.heap.fields(cause)[2];
        }
        trap
    }

    fn kind_and_message(&self, error: u64) -> (String, String) {
        let fields = self.heap.fields(error);
        (self.heap.str(fields[1]).into(), self.heap.str(fields[0]).into())
    }

    /// Fills in where a trap comes from, unless it says so already.
    fn locate(&self, trap: &mut Trap) {
        if !trap.trace.is_empty() {
            return;
        }
        let count = self.frames.len();
        let kept = count.min(TRACE_FRAMES_MAX);
        trap.frames_omitted = count - kept;
        let outer_half = if trap.frames_omitted > 0 { TRACE_FRAMES_MAX / 2 } else { 0 };
        let (outer, inner) = (&self.frames[..outer_half], &self.frames[count - (kept - outer_half)..]);
        trap.trace = inner.iter().rev().chain(outer.iter().rev()).map(|frame| self.place(frame)).collect();
    }

    fn place(&self, frame: &Frame) -> TraceFrame {
        let function = &self.program.functions[frame.function.index()];
        let block = &function.blocks[frame.block.index()];
        let span: Span = match (frame.block, frame.next.checked_sub(1)) {
            // not begun yet
            (Block(0), None) => function.span,
            // `next` has moved past the instruction at work
            (_, at) => at.and_then(|at| block.insts.get(at)).map_or(block.span, |inst| inst.span),
        };
        let file = self.sources.file(span.file);
        let (line, column) = file.line_column(span.lo);
        TraceFrame { function: function.name.clone(), file: file.name.clone(), line, column }
    }
}
