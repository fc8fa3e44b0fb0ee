//! The IR to machine code, by Cranelift.
//!
//! | file | what |
//! |---|---|
//! | `function` | blocks and terminators |
//! | `instruction`, `prim` | instructions |
//! | `memory` | objects, allocation, the write barrier |
//! | `safepoint` | calls, and what the collector and handlers find in memory meanwhile |
//! | `machine` | the JIT module, stubs, tables for the runtime |
//! | `place` | source locations in numbers |
//!
//! It must never know syntax, nor how the collector works beyond the contract in the runtime's `layout` and `context`.
//!
//! Invariants
//! - G1. Compiled code gets the VM context as its first argument and holds no other address of a VM, so all VMs of a program
//!   share it.
//! - G2. One thread compiles at a time; running code needs no lock.

mod function;
mod instruction;
mod machine;
mod memory;
mod place;
mod prim;
mod safepoint;

use crate::ir::{FuncId, Op, Program};
use crate::source::Sources;
pub use machine::Listing;
use machine::{Machine, Source};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use tenure_runtime::code::{CodeSource, CodeTable, Signature};
use tenure_runtime::layout::{Layout, RecordShape, ShapeTable};
use tenure_runtime::native::Registry;
use tenure_runtime::trap::{Frame, Trap};

/// A program's code: compiled function by function as its VMs first call them.
pub struct Code {
    program: Arc<Program>,
    sources: Arc<Sources>,
    natives: Registry,
    layout: Layout,
    shapes: Arc<ShapeTable>,
    table: CodeTable,
    machine: Mutex<Machine>,
    first_stub: usize,
}

impl Code {
    /// Prepares a program for running; nothing is compiled yet.
    pub fn new(program: Arc<Program>, sources: Arc<Sources>, natives: Registry) -> Result<Arc<Code>, Trap> {
        let layout = layout_of(&program);
        let shapes = ShapeTable::new();
        shapes.push_group(&layout.shapes());
        let mut machine = Machine::new(program.functions.len())?;
        let first_stub = machine.place_stubs()?;
        Ok(Arc::new(Code {
            program,
            sources,
            natives,
            layout,
            shapes: Arc::new(shapes),
            table: CodeTable::default(),
            machine: Mutex::new(machine),
            first_stub,
        }))
    }

    /// The program.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// A function's code as text, compiled afresh.
    pub fn listing(&self, function: FuncId, listing: Listing) -> String {
        self.lock().listing(self.source(), function, listing)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Machine> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn source(&self) -> Source<'_> {
        Source { program: &self.program, layout: &self.layout }
    }
}

/// The tables and permanent objects a program needs.
fn layout_of(program: &Program) -> Layout {
    let mut singletons = Vec::new();
    let mut function_objects = Vec::new();
    for inst in program.functions.iter().flat_map(|f| &f.blocks).flat_map(|block| &block.insts) {
        match inst.op {
            Op::Singleton(record) => singletons.push(record.0),
            Op::FnObject(function) => function_objects.push(function.0),
            _ => {}
        }
    }
    for list in [&mut singletons, &mut function_objects] {
        list.sort_unstable();
        list.dedup();
    }
    let record =
        |record: &crate::ir::Record| RecordShape { name: record.name.clone(), words: record.words, refs: record.refs };
    Layout {
        functions: program.functions.len() as u32,
        globals: program.globals.iter().map(|&(_, ty)| ty == crate::ir::Type::Ref).collect(),
        literals: program.literals.iter().map(|literal| literal.as_str().to_owned()).collect(),
        records: program.records.iter().map(record).collect(),
        singletons,
        function_objects,
        error: program.error.map(|record| record.0),
    }
}

impl CodeSource for Code {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn stub(&self, function: u32) -> usize {
        Machine::stub(self.first_stub, function)
    }

    fn compile(&self, function: u32) -> Result<usize, Trap> {
        self.lock().compile(self.source(), FuncId(function), &self.table)
    }

    fn table(&self) -> &CodeTable {
        &self.table
    }

    fn frame(&self, function: u32, place: u32) -> Frame {
        let function = &self.program.functions[function as usize];
        let span = place::span(function, place);
        let file = self.sources.file(span.file);
        let (line, column) = file.line_column(span.lo);
        Frame { function: function.name.clone(), file: file.name.clone(), line, column }
    }

    fn signature(&self, function: u32) -> Signature {
        let function = &self.program.functions[function as usize];
        Signature {
            params: function.params.iter().map(|&ty| machine::class(ty)).collect(),
            result: machine::class(function.result),
        }
    }

    fn entry(&self) -> Option<u32> {
        self.program.entry.map(|function| function.0)
    }

    fn natives(&self) -> &Registry {
        &self.natives
    }

    fn shapes(&self) -> &Arc<ShapeTable> {
        &self.shapes
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Code").field("functions", &self.program.functions.len()).finish_non_exhaustive()
    }
}
