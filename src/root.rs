//! Objects of a script that its host holds: lists, structs, closures, whatever crosses no border by itself.
//!
//! A script gives one as a result and takes it as an argument; in between the host can keep it, not look into it. It lives
//! as long as its root, wherever the collector moves it.
//!
//! Invariants
//! - H1. A root is used with the instance that gave it and as the type it was given as; anything else is an error.
//! - H2. Roots are dropped by any thread; the instance lets go of their objects before it runs the next time.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use tenure_gc::Handle;
use tenure_runtime::trap::{Trap, TrapKind};
use tenure_runtime::vm as raw;

/// An object of a script, held by its host: the result of a script function whose type is none of Rust's, and an argument
/// of that type. Clones hold the same object. `Send` and `Sync`, but of use only with the [`Vm`](crate::Vm) it is of.
#[derive(Clone)]
pub struct Root {
    held: Arc<Held>,
}

struct Held {
    handle: Handle,
    /// The checker's number of the type.
    ty: u32,
    dropped: Arc<Dropped>,
}

/// What an instance shares with its roots: those that are gone.
#[derive(Default)]
pub(crate) struct Dropped(Mutex<Vec<Handle>>);

impl Drop for Held {
    fn drop(&mut self) {
        self.dropped.0.lock().unwrap_or_else(PoisonError::into_inner).push(self.handle);
    }
}

impl Dropped {
    /// Lets go of the objects whose roots are gone (H2).
    pub(crate) fn release(&self, vm: &mut raw::Vm) {
        let mut handles = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        handles.drain(..).for_each(|handle| vm.heap_mut().let_go(handle));
    }
}

impl Root {
    pub(crate) fn new(handle: Handle, ty: u32, dropped: &Arc<Dropped>) -> Root {
        Root { held: Arc::new(Held { handle, ty, dropped: Arc::clone(dropped) }) }
    }

    pub(crate) fn handle(&self) -> Handle {
        self.held.handle
    }

    /// Whether it may be passed as a type to the instance that shares `dropped` with its roots (H1).
    pub(crate) fn may_be(&self, ty: u32, dropped: &Arc<Dropped>) -> Result<(), Trap> {
        if !Arc::ptr_eq(&self.held.dropped, dropped) {
            return Err(Trap::new(TrapKind::Conversion, "the root is another instance's"));
        }
        if self.held.ty != ty {
            return Err(Trap::new(
                TrapKind::Conversion,
                "the root holds an object of another type than the parameter's",
            ));
        }
        Ok(())
    }
}

impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Root").finish_non_exhaustive()
    }
}
