//! Code that an earlier run compiled, by Cranelift's incremental cache.
//!
//! What is kept is found by a hash (SHA-256) of all that a function's machine code is made from: its CLIF, Cranelift's version and
//! settings, and what the processor can do. CLIF is what comes out of the optimiser, so other sources, another Tenure or
//! other passes either lead to the same CLIF or to another key: nothing here can be stale. What differs between runs with
//! the same CLIF, which functions it calls and where its source lies, is no part of what is kept.
//!
//! It must never know where code is kept.

use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::incremental_cache::CacheKvStore;
use cranelift_codegen::isa::TargetIsa;
use cranelift_codegen::{CompileError, Context};
use std::borrow::Cow;
use std::fmt;

/// Keeps code for other runs. What it gives is run: it must be, byte for byte, what it was given under that key.
pub trait CodeStore: Send + Sync + fmt::Debug {
    /// What was kept under a key, 32 bytes.
    fn get(&self, key: &[u8]) -> Option<Cow<'_, [u8]>>;

    /// Keeps code. It may be forgotten at any time.
    fn insert(&self, key: &[u8], code: Vec<u8>);
}

/// A store as Cranelift wants it.
struct Shared<'a>(&'a dyn CodeStore);

impl CacheKvStore for Shared<'_> {
    fn get(&self, key: &[u8]) -> Option<Cow<'_, [u8]>> {
        self.0.get(key)
    }

    fn insert(&mut self, key: &[u8], code: Vec<u8>) {
        self.0.insert(key, code);
    }
}

/// Makes the code of the function in the context. Gives whether it was there already.
pub(super) fn compile<'a>(
    context: &'a mut Context,
    isa: &dyn TargetIsa,
    store: Option<&dyn CodeStore>,
) -> Result<bool, CompileError<'a>> {
    let mut control = ControlPlane::default();
    match store {
        Some(store) => context.compile_with_cache(isa, &mut Shared(store), &mut control).map(|(_, found)| found),
        None => context.compile(isa, &mut control).map(|_| false),
    }
}
