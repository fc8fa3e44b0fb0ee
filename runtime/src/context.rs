//! The VM context: the words at the heap's base that compiled code and the runtime share.
//!
//! Compiled code has the base address in a register of its own and reaches everything by constant displacements from it:
//! the context above, the tables of [`crate::layout`] below.
//!
//! Invariants
//! - C1. The mutator's window comes first, where the heap keeps it.
//! - C2. `exit_fp` and `exit_pc` are written by every stub that leaves compiled code for a function that may collect or
//!   trap, so that [`crate::unwind`] finds the innermost compiled frame: `exit_fp` is that frame's pointer, `exit_pc`
//!   the return address into its code.

use std::ffi::c_void;
use std::mem::offset_of;
use std::sync::atomic::AtomicU64;
use tenure_gc::Mutator;

/// What lies at the base.
#[derive(Debug)]
#[repr(C)]
pub struct VmContext {
    /// Where the program allocates next; the heap's.
    pub mutator: Mutator,
    /// A stack pointer below this leads to [`poll`](crate::abi) at the entry of functions that call; all ones, which asks for a
    /// poll, in every round of a loop too. Other threads write it as well, see [`crate::interrupt`].
    pub stack_limit: AtomicU64,
    /// Entries and rounds that the program may still make; counted only by code that is compiled to.
    pub fuel: i64,
    /// Frame pointer of the compiled frame that was left last (C2).
    pub exit_fp: u64,
    /// Where it goes on (C2).
    pub exit_pc: u64,
    /// The arguments of a stub that preserves all registers.
    pub arguments: [u64; 3],
    /// The result of a stub that preserves all registers, or of a whole activation.
    pub result: u64,
    /// The same, of a function that returns a float.
    pub result_float: u64,
    /// Where a throw resumes: frame pointer, stack pointer, code.
    pub resume_fp: u64,
    /// See `resume_fp`.
    pub resume_sp: u64,
    /// See `resume_fp`.
    pub resume_pc: u64,
    /// The Rust side, a [`crate::vm::Vm`]'s own state.
    pub(crate) vm: *mut c_void,
}

/// Displacements from the base, for compiled code and stubs.
pub mod offset {
    use super::{VmContext, offset_of};
    use tenure_gc::Mutator;

    /// Of [`Mutator::top`].
    pub const TOP: i32 = (offset_of!(VmContext, mutator) + offset_of!(Mutator, top)) as i32;
    /// Of [`Mutator::limit`].
    pub const LIMIT: i32 = (offset_of!(VmContext, mutator) + offset_of!(Mutator, limit)) as i32;
    /// Of [`VmContext::stack_limit`].
    pub const STACK_LIMIT: i32 = offset_of!(VmContext, stack_limit) as i32;
    /// Of [`VmContext::fuel`].
    pub const FUEL: i32 = offset_of!(VmContext, fuel) as i32;
    /// Of [`VmContext::exit_fp`].
    pub const EXIT_FP: i32 = offset_of!(VmContext, exit_fp) as i32;
    /// Of [`VmContext::exit_pc`].
    pub const EXIT_PC: i32 = offset_of!(VmContext, exit_pc) as i32;
    /// Of [`VmContext::arguments`].
    pub const ARGUMENTS: i32 = offset_of!(VmContext, arguments) as i32;
    /// Of [`VmContext::result`].
    pub const RESULT: i32 = offset_of!(VmContext, result) as i32;
    /// Of [`VmContext::result_float`].
    pub const RESULT_FLOAT: i32 = offset_of!(VmContext, result_float) as i32;
    /// Of [`VmContext::resume_fp`].
    pub const RESUME_FP: i32 = offset_of!(VmContext, resume_fp) as i32;
    /// Of [`VmContext::resume_sp`].
    pub const RESUME_SP: i32 = offset_of!(VmContext, resume_sp) as i32;
    /// Of [`VmContext::resume_pc`].
    pub const RESUME_PC: i32 = offset_of!(VmContext, resume_pc) as i32;
}

const _: () = assert!(offset::TOP == 0 && size_of::<VmContext>() <= tenure_gc::CONTEXT_BYTES);
