//! Source text to syntax tree: tokens (logos), the layout layer, the grammar (lalrpop).

pub mod ast;
pub mod span;
pub mod symbol;
