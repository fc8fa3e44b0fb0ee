//! One layout for every program.
//!
//! It knows text and syntax only; files, terminals and differences are the shell's business.
//!
//! What is decided
//! - Two blanks a level, lines of at most [`WIDTH`] characters where the language lets them break.
//! - The author decides which brackets are open: braces over several lines, or `(` and `[` with a line end right
//!   behind them, stay open, with one element a line. Others are written in one line, or opened if they do not fit.
//!   The last argument of a call may stay open at the end of the call's line.
//! - Long operator chains and `.calls()` break at every operator or call, at the start of the line; `-` and `|`, which
//!   would start a statement there, and all operators of their chain, stand at line ends.
//! - A comment stays with its token; one empty line between elements is kept, more are not.
//! - Numbers, strings and parentheses stay as they are written; holes of strings are set in one line.
//!
//! Invariants
//! - F1. The result has the same tokens and comments in the same order, commas apart, and the same tree; this is
//!   checked each time before it is handed out.
//! - F2. Formatting twice gives what formatting once gives: all choices hang on tokens, comments and on which brackets
//!   are open, and brackets that had to be opened are treated as if the author had opened them, by formatting again
//!   from the start.

mod document;
mod expressions;
mod items;
mod printer;
mod render;
mod tokens;

use crate::diagnostic::Severity;
use crate::source::Sources;
use crate::syntax::ast::File;
use crate::syntax::dump::dump;
use crate::syntax::parse;
use crate::syntax::span::FileId;
use hashbrown::HashSet;
use printer::Printer;
pub use render::WIDTH;
use tokens::Tokens;

/// The result would not mean the same as the source: a bug of the formatter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// What differs.
    pub what: String,
}

/// Lays out a file anew. `tree` is what [`parse`] gave for it, without errors.
///
/// # Errors
/// [`Mismatch`] if that would change the program; a bug.
pub fn format(sources: &Sources, file: FileId, tree: &File) -> Result<String, Mismatch> {
    let tokens = Tokens::read(sources, file);
    let mut opened = HashSet::new();
    let body = loop {
        let mut printer = Printer::new(&tokens, &opened);
        printer.file(tree);
        let (body, more) = render::render(&printer.document, tokens.text);
        let known = opened.len();
        opened.extend(more);
        if opened.len() == known {
            break body;
        }
    };
    let mut out = String::with_capacity(body.len() + 1);
    if let Some(line) = tokens.shebang {
        out.push_str(line.trim_end());
        out.push('\n');
        if tokens.list[0].comments.first().map_or(tokens.list[0].newlines, |c| c.newlines) > 1 {
            out.push('\n');
        }
    }
    out.push_str(&body);
    if !body.is_empty() {
        out.push('\n');
    }
    check(&tokens, tree, &out)?;
    Ok(out)
}

/// Compares the result with the source (F1).
fn check(tokens: &Tokens, tree: &File, result: &str) -> Result<(), Mismatch> {
    let mut sources = Sources::default();
    let file = sources.add("formatted", result.to_owned());
    let (again, messages) = parse(&sources, file);
    let differ = |what: String| Err(Mismatch { what });
    if let Some(message) = messages.iter().find(|m| m.severity == Severity::Error) {
        return differ(format!("the result does not parse: {}", message.message));
    }
    let result = Tokens::read(&sources, file);
    let (mut before, mut after) = (tokens.essence(), result.essence());
    loop {
        match (before.next(), after.next()) {
            (None, None) => break,
            (a, b) if a == b => {}
            (a, b) => return differ(format!("{a:?} became {b:?}")),
        }
    }
    if dump(tree) != dump(&again) {
        return differ("the syntax trees differ".into());
    }
    Ok(())
}
