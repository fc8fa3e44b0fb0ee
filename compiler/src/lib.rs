//! From Tenure source text to machine code. A folder a stage, in this order:
//! `syntax` (tokens, syntax tree) → `check` (names and types; gives `hir`) → `ir` (typed SSA) → `opt` (rewrites it) →
//! `codegen` (CLIF, machine code); `eval` runs the IR slowly and safely, as the oracle of `opt` and `codegen`.

pub mod check;
pub mod codegen;
pub mod codes;
pub mod diagnostic;
pub mod eval;
pub mod format;
pub mod hir;
pub mod ir;
pub mod opt;
pub mod prim;
pub mod source;
pub mod syntax;
pub mod timing;
