//! One layout for every script: the formatter, for the command line and for hosts with an editor.

use crate::diagnostics::Diagnostics;
use crate::engine::{add_source, on_large_stack};
use std::sync::Arc;
use tenure_compiler::diagnostic::Severity;
use tenure_compiler::format::format;
use tenure_compiler::syntax::parse;

/// A script's text laid out anew: two blanks a level, lines of at most 100 characters, comments kept, meaning
/// untouched. Formatting the result changes nothing. `name` is what messages call the script.
///
/// # Errors
/// Everything that keeps the text from being read as a script. Names and types are not looked at.
pub fn format_source(name: &str, text: &str) -> Result<String, Diagnostics> {
    on_large_stack(|| {
        let (sources, file) = add_source(name, text)?;
        let (tree, found) = parse(&sources, file);
        if found.iter().any(|d| d.severity == Severity::Error) {
            return Err(Diagnostics::new(Arc::new(sources), found));
        }
        format(&sources, file, &tree).map_err(|mismatch| {
            let what = mismatch.what;
            Diagnostics::unreadable(format!("formatting `{name}` would change it, a bug of the formatter: {what}"))
        })
    })
}
