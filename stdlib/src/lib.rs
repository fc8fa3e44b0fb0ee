//! The standard library of Tenure: texts of the parts written in the language itself, and the native functions under
//! them.
//!
//! `core/*.ten` is one module that every script sees without importing it; `modules/*.ten` are imported by name. A
//! function marked `@native` in one of them is the Rust function registered here as `<module>.<function>`.
//! This crate knows the runtime's registry, not the compiler and not the heap.
//!
//! Invariants
//! - L1. Natives take and give scalars, strings, arrays of bytes and of ints; what builds lists or structs is written in Tenure.
//! - L2. A native that fails returns a trap; it never panics on any argument.
//! - L3. Each `@native` declaration has exactly one registered function of the same signature, and the other way round.

#![forbid(unsafe_code)]

mod chance;
mod clock;
mod files;
mod format;
mod heap;
mod number;
mod pattern;
mod process;
mod signature;
mod sources;
mod text;
mod unicode;

pub use sources::{core_sources, module, module_names};

use tenure_runtime::native::Registry;

/// Registers all native functions of the library.
pub fn register(registry: &mut Registry) {
    text::register(registry);
    number::register(registry);
    process::register(registry);
    files::register(registry);
    clock::register(registry);
    chance::register(registry);
    heap::register(registry);
    unicode::register(registry);
    pattern::register(registry);
}
