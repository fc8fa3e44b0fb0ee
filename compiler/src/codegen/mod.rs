//! The IR to machine code, by Cranelift.
//!
//! | file | what |
//! |---|---|
//! | `function` | blocks and terminators |
//! | `instruction`, `prim` | instructions |
//! | `memory` | objects, the write barrier |
//! | `allocation` | objects of known size, inline |
//! | `safepoint` | calls, and what the collector and handlers find in memory meanwhile |
//! | `machine` | the JIT module, stubs, tables for the runtime |
//! | `cache` | code that an earlier run compiled |
//! | `placement` | where a function's code lies in its pages |
//! | `parts` | which numbers a part of a program has in the tables that all share |
//! | `place` | source locations in numbers |
//!
//! It must never know syntax, nor how the collector works beyond the contract in the runtime's `layout` and `context`.
//!
//! Invariants
//! - G1. Compiled code has the VM context in the pinned register, which it never writes, and holds no other address of a
//!   VM, so all VMs of a program share it.
//! - G2. One thread compiles at a time; running code needs no lock.

mod allocation;
mod cache;
mod function;
mod instruction;
mod machine;
mod memory;
mod parts;
mod place;
mod placement;
mod prim;
mod safepoint;
mod text;

use crate::ir::{FuncId, Identities, Program};
use crate::opt::{Optimiser, Passes};
use crate::source::Sources;
use crate::syntax::span::Span;
use crate::timing::Timing;
pub use cache::CodeStore;
pub use machine::Listing;
use machine::{Machine, Source};
use parts::Numbering;
use place::{Place, Places};
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use tenure_runtime::code::{CodeListener, CodeSource, CodeTable, PublishedCode, Signature};
use tenure_runtime::layout::{Layout, Room, ShapeTable};
use tenure_runtime::native::Registry;
use tenure_runtime::trap::{Frame, Trap};

/// How a program's code is made.
#[derive(Debug, Clone, Default)]
pub struct CodeSettings {
    /// Of the optimiser.
    pub passes: Passes,
    /// Is told of the phases.
    pub timing: Timing,
    /// Who hears of compiled functions.
    pub listener: Option<Arc<dyn CodeListener>>,
    /// Keeps code for other runs.
    pub store: Option<Arc<dyn CodeStore>>,
}

/// A program's code: compiled function by function as its VMs first call them.
pub struct Code {
    natives: Registry,
    room: Room,
    shapes: Arc<ShapeTable>,
    table: CodeTable,
    settings: CodeSettings,
    /// One, or one for each input of a session.
    parts: RwLock<Vec<Arc<Part>>>,
    machine: Mutex<Generator>,
}

/// A program, or what one input of a session adds to it.
struct Part {
    program: Arc<Program>,
    sources: Arc<Sources>,
    layout: Arc<Layout>,
    first_stub: usize,
    optimiser: Optimiser,
    /// Of the functions that have been compiled.
    places: Vec<OnceLock<Places>>,
}

struct Generator {
    machine: Machine,
    numbering: Numbering,
}

impl Code {
    /// Prepares a program for running; nothing is compiled yet.
    pub fn new(
        program: Arc<Program>,
        sources: Arc<Sources>,
        natives: Registry,
        settings: CodeSettings,
    ) -> Result<Arc<Code>, Trap> {
        let code = Code::with_room(Numbering::room_for(&program), natives, settings)?;
        code.add(program, sources, &Identities::default())?;
        Ok(Arc::new(code))
    }

    /// Code of a session: nothing yet.
    pub fn session(natives: Registry, settings: CodeSettings) -> Result<Arc<Code>, Trap> {
        Ok(Arc::new(Code::with_room(Numbering::SESSION_ROOM, natives, settings)?))
    }

    fn with_room(room: Room, natives: Registry, settings: CodeSettings) -> Result<Code, Trap> {
        let shapes = ShapeTable::new();
        shapes.push_group(&tenure_runtime::layout::built_in_shapes());
        let machine = Machine::new(settings.timing.clone(), settings.store.clone())?;
        let generator = Generator { machine, numbering: Numbering::new(room) };
        Ok(Code {
            natives,
            room,
            shapes: Arc::new(shapes),
            table: CodeTable::default(),
            settings,
            parts: RwLock::default(),
            machine: Mutex::new(generator),
        })
    }

    /// Adds a part, which becomes the one that runs. What has the same identity as in a part before it is the same.
    ///
    /// # Errors
    /// No room is left, in the tables or for machine code.
    pub fn add(&self, program: Arc<Program>, sources: Arc<Sources>, identities: &Identities) -> Result<(), Trap> {
        let mut generator = self.lock();
        let Generator { machine, numbering } = &mut *generator;
        let layout = numbering.add(&program, identities, &self.shapes)?;
        let first_stub = machine.add(program.functions.len())?;
        let replaceable = layout.dispatchers.iter().map(|&function| FuncId(function));
        let optimiser = Optimiser::new(&program, self.settings.passes, self.settings.timing.clone(), replaceable);
        let places = program.functions.iter().map(|_| OnceLock::new()).collect();
        let part = Arc::new(Part { program, sources, layout: Arc::new(layout), first_stub, optimiser, places });
        self.parts.write().unwrap_or_else(PoisonError::into_inner).push(part);
        Ok(())
    }

    /// The newest part.
    pub fn program(&self) -> Arc<Program> {
        let parts = self.parts.read().unwrap_or_else(PoisonError::into_inner);
        parts.last().map_or_else(Arc::default, |part| Arc::clone(&part.program))
    }

    /// A function's code as text, compiled afresh; of the first part.
    pub fn listing(&self, function: FuncId, listing: Listing) -> String {
        let part = self.part_of(function.0);
        self.lock().machine.listing(part.source(), function, listing)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Generator> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells a listener of the function that was compiled to this address.
    fn publish(&self, address: usize, listener: &dyn CodeListener) {
        let table = self.table.read();
        let compiled = table.find(address).expect("a compiled function is in the table (J1)");
        let frame = |place| self.frame(compiled.function, place);
        // SAFETY: the code lies there, written and readable, and `self` keeps its memory (J2).
        let bytes = unsafe { std::slice::from_raw_parts(address as *const u8, compiled.len as usize) };
        let lines: Vec<_> = compiled.places.iter().map(|&(offset, place)| (offset, frame(place))).collect();
        listener.compiled(&PublishedCode { function: &frame(place::FUNCTION), start: address, bytes, lines: &lines });
    }

    /// The part that a function belongs to.
    fn part_of(&self, function: u32) -> Arc<Part> {
        let parts = self.parts.read().unwrap_or_else(PoisonError::into_inner);
        let behind = parts.partition_point(|part| part.layout.first_function <= function);
        Arc::clone(&parts[behind - 1])
    }
}

impl Part {
    fn source(&self) -> Source<'_> {
        Source { program: &self.program, layout: &self.layout, optimiser: &self.optimiser }
    }

    /// A function by its number in the call table.
    fn function(&self, number: u32) -> &crate::ir::Function {
        &self.program.functions[(number - self.layout.first_function) as usize]
    }

    /// A place of a function that has been compiled.
    fn place(&self, number: u32, place: u32) -> Place {
        let places = self.places[(number - self.layout.first_function) as usize].get();
        places.expect("a function on the stack has been compiled").get(place)
    }

    fn describe(&self, function: FuncId, span: Span) -> Frame {
        let file = self.sources.file(span.file);
        let (line, column) = file.line_column(span.lo);
        let function = self.program.functions[function.index()].name.clone();
        Frame { function, file: file.name.clone(), line, column }
    }
}

impl CodeSource for Code {
    fn room(&self) -> Room {
        self.room
    }

    fn part(&self, index: usize) -> Option<Arc<Layout>> {
        let parts = self.parts.read().unwrap_or_else(PoisonError::into_inner);
        parts.get(index).map(|part| Arc::clone(&part.layout))
    }

    fn stub(&self, function: u32) -> usize {
        let part = self.part_of(function);
        Machine::stub(part.first_stub, function - part.layout.first_function)
    }

    fn compile(&self, function: u32) -> Result<usize, Trap> {
        let part = self.part_of(function);
        let local = FuncId(function - part.layout.first_function);
        let mut fresh = false;
        // held until the listener knows: another thread may wait for the address
        let mut generator = self.lock();
        let address = generator.machine.compile(part.source(), local, &self.table, |places| {
            fresh = part.places[local.index()].set(places).is_ok();
            debug_assert!(fresh, "{local} is compiled once");
        })?;
        if let Some(listener) = self.settings.listener.as_deref().filter(|_| fresh) {
            self.publish(address, listener);
        }
        Ok(address)
    }

    fn table(&self) -> &CodeTable {
        &self.table
    }

    fn frame(&self, function: u32, place: u32) -> Frame {
        let part = self.part_of(function);
        let place = part.place(function, place);
        part.describe(place.function, place.span)
    }

    fn definition(&self, function: u32, place: u32) -> Frame {
        let part = self.part_of(function);
        let function = part.place(function, place).function;
        part.describe(function, part.program.functions[function.index()].span)
    }

    fn signature(&self, function: u32) -> Signature {
        let part = self.part_of(function);
        let function = part.function(function);
        Signature {
            params: function.params.iter().map(|&ty| machine::class(ty)).collect(),
            result: machine::class(function.result),
        }
    }

    fn entry(&self) -> Option<u32> {
        let parts = self.parts.read().unwrap_or_else(PoisonError::into_inner);
        let part = parts.last()?;
        part.program.entry.map(|function| part.layout.function(function.0))
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
        f.debug_struct("Code").field("functions", &self.program().functions.len()).finish_non_exhaustive()
    }
}
