//! Everything through which a running program holds references: frames and globals. What native code holds, the heap
//! knows itself.
//!
//! Invariants
//! - R1. Each slot is visited exactly once: a stack slot belongs to one frame, a global to one slot, and no reference is
//!   kept twice in one list.

use crate::code::CodeSource;
use crate::context::VmContext;
use crate::unwind::{self, Exit};
use std::sync::Arc;
use tenure_gc::Roots;

/// The roots of a VM.
pub(crate) struct RootSet {
    pub(crate) context: *mut VmContext,
    pub(crate) code: Arc<dyn CodeSource>,
    /// Slots of the globals that hold references.
    pub(crate) globals: Vec<*mut u64>,
    /// Exits of the activations below the innermost one.
    pub(crate) outer: Vec<Exit>,
    /// Whether compiled code is running below us, so that the context's exit is one (U1).
    pub(crate) active: bool,
    /// The error object that is being thrown, or nil.
    pub(crate) thrown: u64,
    /// The same of the traps set aside while cleanups run, innermost last.
    pub(crate) suspended: Vec<u64>,
}

// SAFETY: what it points to belongs to the VM that owns it, which may move between threads (V2), or be looked after by another
// thread while its own waits.
unsafe impl Send for RootSet {}

impl RootSet {
    /// Exits of all activations, innermost first.
    pub(crate) fn exits(&self) -> impl Iterator<Item = Exit> {
        // SAFETY: the context lives as long as the VM that owns these roots.
        let context = unsafe { &*self.context };
        let innermost = Exit { fp: context.exit_fp as usize, pc: context.exit_pc as usize };
        self.active.then_some(innermost).into_iter().chain(self.outer.iter().rev().copied())
    }
}

impl Roots for RootSet {
    fn visit(&mut self, visit: &mut dyn FnMut(&mut u64)) {
        for &global in &self.globals {
            // SAFETY: slots in the heap's prefix, which lives as long as the VM; nothing else refers to them now.
            visit(unsafe { &mut *global });
        }
        visit(&mut self.thrown);
        self.suspended.iter_mut().for_each(&mut *visit);
        let code = Arc::clone(&self.code);
        let table = code.table().read();
        // SAFETY: U1: these are the live activations.
        unsafe { unwind::visit_roots(&table, self.exits(), visit) };
    }
}
