//! Handles: how native code holds objects while they move.
//!
//! A *local* lives until the scope it was made in is closed; scopes nest, as calls do. A *handle* lives until it is let
//! go, whatever returns meanwhile. Both are roots.
//!
//! It must never know what an object is.
//!
//! Invariants
//! - N1. Each reference held lies in exactly one slot, which the collector visits once.
//! - N2. Scopes are closed in the reverse order of their opening; that is the caller's to keep, and at worst keeps
//!   objects alive for longer.

use crate::heap::Roots;
use crate::reference::Ref;
use crate::room::Room;

/// An object held until it is let go.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Handle(u32);

/// An object held until the end of a scope.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Local(u32);

/// An open scope.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Scope(u32);

/// The handles of a heap.
#[derive(Default)]
pub(crate) struct Handles {
    locals: Vec<u64>,
    handles: Vec<u64>,
    /// Has room for all handles: letting go never needs memory.
    free: Vec<u32>,
    room: Room,
}

impl Handles {
    pub(crate) fn new(room: Room) -> Handles {
        Handles { room, ..Handles::default() }
    }

    pub(crate) fn open_scope(&self) -> Scope {
        Scope(self.locals.len() as u32)
    }

    pub(crate) fn close_scope(&mut self, scope: Scope) {
        self.locals.truncate(scope.0 as usize);
    }

    /// None if there is no room.
    pub(crate) fn local(&mut self, object: Ref) -> Option<Local> {
        let index = u32::try_from(self.locals.len()).ok()?;
        self.room.push(&mut self.locals, u64::from(object.0)).then_some(Local(index))
    }

    pub(crate) fn of_local(&self, local: Local) -> Ref {
        Ref(self.locals[local.0 as usize] as u32)
    }

    /// None if there is no room.
    pub(crate) fn handle(&mut self, object: Ref) -> Option<Handle> {
        let word = u64::from(object.0);
        if let Some(index) = self.free.pop() {
            self.handles[index as usize] = word;
            return Some(Handle(index));
        }
        let index = u32::try_from(self.handles.len()).ok()?;
        let fits = self.room.has(&mut self.free, self.handles.len() + 1) && self.room.push(&mut self.handles, word);
        fits.then_some(Handle(index))
    }

    pub(crate) fn of_handle(&self, handle: Handle) -> Ref {
        Ref(self.handles[handle.0 as usize] as u32)
    }

    pub(crate) fn let_go(&mut self, handle: Handle) {
        self.handles[handle.0 as usize] = 0;
        self.free.push(handle.0);
    }

    pub(crate) fn table_bytes(&self) -> u64 {
        ((self.locals.capacity() + self.handles.capacity()) * 8 + self.free.capacity() * 4) as u64
    }
}

/// The program's roots and the handles together.
pub(crate) struct AllRoots<'r> {
    pub(crate) program: &'r mut dyn Roots,
    pub(crate) handles: Handles,
}

impl Roots for AllRoots<'_> {
    fn visit(&mut self, visit: &mut dyn FnMut(&mut u64)) {
        self.program.visit(visit);
        self.handles.locals.iter_mut().for_each(&mut *visit);
        self.handles.handles.iter_mut().for_each(visit);
    }
}
