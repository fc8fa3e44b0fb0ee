//! Compiled code as the runtime sees it: which function an address lies in, what its frames hold, where its handlers are.
//! Filled by the code generator, read by [`crate::unwind`].
//!
//! Invariants
//! - T1. Functions are never removed while a program lives, and their address ranges don't overlap.
//! - T2. Tables of a function are sorted by code offset; an offset is that of the instruction after the call.

use crate::layout::{Layout, Room};
use crate::native::Registry;
use crate::trap::{Frame, Trap};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

/// The place of a function as a whole, where it polls as it is entered.
pub const ENTRY: u32 = 0;
/// Length of what a function begins with: `push rbp`, `mov rbp, rsp`.
const FRAME_SETUP_BYTES: usize = 4;
/// What it ends with, when the caller's frame pointer is back in its register.
const RETURN: u8 = 0xc3;

/// Gives a VM its code. The code generator implements it; a program's VMs share one.
pub trait CodeSource: Send + Sync {
    /// How large a VM makes its tables.
    fn room(&self) -> Room;

    /// What a part of the program needs. Parts are only added.
    fn part(&self, index: usize) -> Option<Arc<Layout>>;

    /// Where the stub lies that compiles this function when it is first called.
    fn stub(&self, function: u32) -> usize;

    /// Compiles a function, unless that was done already, and returns its address.
    fn compile(&self, function: u32) -> Result<usize, Trap>;

    /// Everything compiled so far.
    fn table(&self) -> &CodeTable;

    /// Describes a place of a compiled function for a trace: the body it lies in, not those around that.
    fn frame(&self, function: u32, place: u32) -> Frame;

    /// The function whose body such a place lies in, and where it begins.
    fn definition(&self, function: u32, place: u32) -> Frame;

    /// Parameter kinds of a function.
    fn signature(&self, function: u32) -> Signature;

    /// The function to run: the top level of the newest part.
    fn entry(&self) -> Option<u32>;

    /// Native functions.
    fn natives(&self) -> &Registry;

    /// The shapes, shared by all heaps of the program.
    fn shapes(&self) -> &Arc<tenure_gc::ShapeTable>;
}

/// Hears of each function as it has been compiled. All programs of an engine may share one.
pub trait CodeListener: std::fmt::Debug + Send + Sync {
    /// Its code lies in its place and nothing has run it yet.
    fn compiled(&self, code: &PublishedCode<'_>);
}

/// A function's code, as it is told to a [`CodeListener`].
#[derive(Debug, Clone, Copy)]
pub struct PublishedCode<'a> {
    /// The function.
    pub function: &'a Frame,
    /// Address of its first instruction.
    pub start: usize,
    /// Its instructions.
    pub bytes: &'a [u8],
    /// `(offset, place)`: the place holds from this offset to the next entry's. In inlined bodies, the places in those.
    pub lines: &'a [(u32, Frame)],
}

/// In which registers a function takes its parameters and gives its result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Of each parameter.
    pub params: Vec<Class>,
    /// Of the result.
    pub result: Class,
}

/// What a register holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// 64 bits of int or reference.
    Word,
    /// 8 bits; the rest of the register means nothing.
    Byte,
    /// A float, in a register of its kind.
    Float,
}

/// One compiled function.
#[derive(Debug)]
pub struct CompiledFunction {
    /// Its number in the program.
    pub function: u32,
    /// Address of its first instruction.
    pub start: usize,
    /// Length of its code.
    pub len: u32,
    /// References in its frames, by call.
    pub stack_maps: Vec<StackMap>,
    /// `(frame-pointer-relative, …)`: the slots that `stack_maps` index.
    pub slots: Vec<i32>,
    /// Calls with a handler.
    pub handlers: Vec<Handler>,
    /// `(offset, place)`: the place holds from this offset to the next entry's.
    pub places: Vec<(u32, u32)>,
    /// `(place, the place around it)`, sorted: places in bodies that were inlined, with the call of the body.
    pub outer: Vec<(u32, u32)>,
}

/// The references in a frame that waits for a call.
#[derive(Debug, Clone, Copy)]
pub struct StackMap {
    /// Return address.
    pub offset: u32,
    /// First of its slots.
    pub first: u32,
    /// Number of its slots.
    pub count: u32,
}

/// Where a trap out of a call goes.
#[derive(Debug, Clone, Copy)]
pub struct Handler {
    /// Return address.
    pub offset: u32,
    /// Of the handler's code.
    pub target: u32,
    /// How far the stack pointer is below the frame pointer there.
    pub frame: u32,
}

impl CompiledFunction {
    /// Slots that hold references during the call that returns to `pc`, relative to the frame pointer.
    pub fn reference_slots(&self, pc: usize) -> &[i32] {
        let offset = (pc - self.start) as u32;
        match self.stack_maps.binary_search_by_key(&offset, |map| map.offset) {
            Ok(i) => {
                let map = self.stack_maps[i];
                &self.slots[map.first as usize..(map.first + map.count) as usize]
            }
            Err(_) => &[],
        }
    }

    /// The handler of the call that returns to `pc`.
    pub fn handler(&self, pc: usize) -> Option<Handler> {
        let offset = (pc - self.start) as u32;
        self.handlers.binary_search_by_key(&offset, |handler| handler.offset).ok().map(|i| self.handlers[i])
    }

    /// The place of the call that returns to `pc`.
    pub fn place(&self, pc: usize) -> u32 {
        let offset = (pc - self.start) as u32;
        // The call ends at `offset`, so the place is the last that starts before it.
        let i = self.places.partition_point(|&(start, _)| start < offset);
        i.checked_sub(1).map_or(ENTRY, |i| self.places[i].1)
    }

    /// The place of the instruction at `pc`.
    pub(crate) fn place_of_instruction(&self, pc: usize) -> u32 {
        self.place(pc + 1)
    }

    /// Whether the frame pointer is still, or already, the caller's when this instruction of the function comes next.
    pub(crate) fn is_in_callers_frame(&self, pc: usize) -> bool {
        // SAFETY: the instruction lies in this function's code, which stays where it is (T1).
        pc < self.start + FRAME_SETUP_BYTES || unsafe { *(pc as *const u8) } == RETURN
    }

    /// Where the body that a place lies in was called, if it was inlined.
    pub fn outer(&self, place: u32) -> Option<u32> {
        let at = self.outer.binary_search_by_key(&place, |&(inner, _)| inner).ok()?;
        Some(self.outer[at].1)
    }
}

/// All compiled functions of a program, by address.
#[derive(Debug, Default)]
pub struct CodeTable {
    functions: RwLock<Vec<Arc<CompiledFunction>>>,
}

/// The table, held so that nothing is added.
#[derive(Debug)]
pub struct CodeTableGuard<'a>(RwLockReadGuard<'a, Vec<Arc<CompiledFunction>>>);

impl CodeTable {
    /// Adds a function.
    pub fn insert(&self, function: CompiledFunction) {
        let mut functions = self.functions.write().unwrap_or_else(PoisonError::into_inner);
        let at = functions.partition_point(|f| f.start < function.start);
        functions.insert(at, Arc::new(function));
    }

    /// For many lookups.
    pub fn read(&self) -> CodeTableGuard<'_> {
        CodeTableGuard(self.functions.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl CodeTableGuard<'_> {
    /// The function whose instruction lies at this address.
    pub(crate) fn find_instruction(&self, pc: usize) -> Option<&CompiledFunction> {
        self.find(pc).filter(|function| pc < function.start + function.len as usize)
    }

    /// The function whose code holds this address.
    pub fn find(&self, pc: usize) -> Option<&CompiledFunction> {
        let i = self.0.partition_point(|f| f.start <= pc).checked_sub(1)?;
        let function = &*self.0[i];
        // A call may be the last instruction, so its return address may be the end.
        (pc - function.start <= function.len as usize).then_some(function)
    }
}
