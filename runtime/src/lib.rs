//! What compiled Tenure code needs while it runs: the contract with the code generator, the VM, traps and natives.

pub mod abi;
mod call_tree;
mod calls;
pub mod code;
pub mod context;
pub mod hash;
pub mod interrupt;
pub mod layout;
pub mod native;
pub mod perf;
pub mod profile;
mod profiler;
mod roots;
mod short;
mod sites;
mod slow;
mod stack;
pub mod text;
mod tick;
pub mod trap;
mod unwind;
pub mod vm;
