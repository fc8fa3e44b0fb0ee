//! Everything through which a running program holds references: frames, globals, handles, and what the runtime itself is
//! holding while it allocates.
//!
//! Invariants
//! - R1. Each slot is visited exactly once: a stack slot belongs to one frame, a global to one slot, and no reference is
//!   kept twice in one list.

use crate::code::CodeSource;
use crate::context::VmContext;
use crate::unwind::{self, Exit};
use std::sync::Arc;
use tenure_gc::{Ref, Roots};

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
    /// References the runtime holds across an allocation.
    pub(crate) held: Vec<u64>,
    /// The error object that is being thrown, or nil.
    pub(crate) thrown: u64,
    /// The same of the traps set aside while cleanups run, innermost last.
    pub(crate) suspended: Vec<u64>,
}

impl RootSet {
    /// Exits of all activations, innermost first.
    pub(crate) fn exits(&self) -> impl Iterator<Item = Exit> {
        // SAFETY: the context lives as long as the VM that owns these roots.
        let context = unsafe { &*self.context };
        let innermost = Exit { fp: context.exit_fp as usize, pc: context.exit_pc as usize };
        self.active.then_some(innermost).into_iter().chain(self.outer.iter().rev().copied())
    }

    /// Keeps a reference alive and up to date until [`RootSet::release`].
    pub(crate) fn hold(&mut self, reference: Ref) -> usize {
        self.held.push(u64::from(reference.index()));
        self.held.len() - 1
    }

    /// The current value of a held reference.
    pub(crate) fn held(&self, place: usize) -> Ref {
        Ref::from_index(self.held[place] as u32)
    }

    /// Lets go of what was held since `place`.
    pub(crate) fn release(&mut self, place: usize) {
        self.held.truncate(place);
    }
}

impl Roots for RootSet {
    fn visit(&mut self, visit: &mut dyn FnMut(&mut u64)) {
        for &global in &self.globals {
            // SAFETY: slots in the heap's prefix, which lives as long as the VM; nothing else refers to them now.
            visit(unsafe { &mut *global });
        }
        self.held.iter_mut().for_each(&mut *visit);
        visit(&mut self.thrown);
        self.suspended.iter_mut().for_each(&mut *visit);
        let code = Arc::clone(&self.code);
        let table = code.table().read();
        // SAFETY: U1: these are the live activations.
        unsafe { unwind::visit_roots(&table, self.exits(), visit) };
    }
}
