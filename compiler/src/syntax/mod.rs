//! Source text to syntax tree: tokens (logos), the layout layer, the grammar (lalrpop).

mod actions;
pub mod ast;
pub mod classify;
pub mod dump;
mod explain;
pub mod later;
pub(crate) mod layout;
pub(crate) mod lex;
mod literals;
mod parse;
pub mod reinterpret;
mod skim;
pub mod span;
pub mod symbol;

#[allow(clippy::all, missing_docs, unused, reason = "generated")]
mod grammar {
    include!(concat!(env!("OUT_DIR"), "/syntax/grammar.rs"));
}

pub use parse::{MAX_ERRORS, is_incomplete, parse, parse_known};
