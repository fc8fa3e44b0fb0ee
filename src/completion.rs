//! What may stand at a place of an input, and what is said of a name: for prompts and editors.

use crate::library::imported;
use crate::outline::{Declared, outline};
use crate::session::Session;
use std::ops::Range;

const KEYWORDS: [&str; 34] = [
    "and", "as", "break", "catch", "const", "continue", "defer", "else", "enum", "false", "fn", "for", "if", "impl",
    "in", "is", "let", "loop", "match", "nil", "not", "or", "pub", "return", "self", "struct", "test", "trait", "true",
    "try", "type", "use", "var", "while",
];

impl Session {
    /// What could stand for the word that ends at byte `at` of a text: its place, and the candidates in alphabetical
    /// order. Behind a `.` these are what the type in front of it has, or the module.
    pub fn complete(&self, text: &str, at: usize) -> (Range<usize>, Vec<String>) {
        let before = text.get(..at).unwrap_or(text);
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let start = before.trim_end_matches(word).len();
        let (stem, front) = (&before[start..], &before[..start]);
        let mut found: Vec<String> = match front.strip_suffix('.') {
            Some(front) => self.members(operand(front.trim_end_matches('?'))),
            None if front.trim_end().ends_with("use") => tenure_stdlib::module_names().map(str::to_owned).collect(),
            None => {
                let declared = self.declared();
                let names = declared.iter().filter(|d| d.owner.is_none()).map(|d| d.name.clone());
                names.chain(KEYWORDS.map(str::to_owned)).collect()
            }
        };
        found.retain(|name| name.starts_with(stem));
        found.sort_unstable();
        found.dedup();
        (start..before.len(), found)
    }

    /// What is declared and said of a name: `print`, `List.push`, `math.sqrt`, or one of this session's.
    pub fn doc(&self, name: &str) -> Option<String> {
        let (owner, last) = match name.rsplit_once('.') {
            Some((owner, last)) => (Some(owner), last),
            None => (None, name),
        };
        let page = |d: &Declared| {
            let docs = if d.docs.is_empty() { String::new() } else { format!("\n{}", d.docs) };
            format!("{}{docs}", d.signature)
        };
        let declared = self.declared();
        let own = declared.iter().rev().find(|d| d.name == last && d.owner.as_deref() == owner).map(page);
        own.or_else(|| {
            let declared = outline(&self.module_text(owner?)?, false);
            declared.iter().find(|d| d.name == last && d.owner.is_none()).map(page)
        })
    }

    /// The core library's declarations, then the session's.
    fn declared(&self) -> Vec<Declared> {
        let core = tenure_stdlib::core_sources().iter().flat_map(|&(_, text)| outline(text, true));
        // without words it is nobody's business
        let core = core.filter(|d| !d.docs.is_empty());
        core.chain(self.texts().flat_map(|text| outline(text, false))).collect()
    }

    /// Names behind `front` and a dot.
    fn members(&self, front: &str) -> Vec<String> {
        if let Some(text) = self.module_text(front) {
            let public = |d: &Declared| d.owner.is_none() && d.signature.starts_with("pub ");
            return outline(&text, false).into_iter().filter(public).map(|d| d.name).collect();
        }
        let ty = match self.type_of(front) {
            Ok(Some(ty)) => ty,
            // a type's static functions and variants
            _ => front.to_owned(),
        };
        let ty = ty.trim_end_matches(['?', '!']);
        let head = match ty.chars().next() {
            Some('[') if ty.contains(": ") => "Map",
            Some('[') => "List",
            _ => ty.split('[').next().unwrap_or(ty),
        };
        let modules = self.texts().flat_map(imported).filter_map(|module| self.module_text(&module));
        let theirs: Vec<Declared> = modules.flat_map(|text| outline(&text, false)).collect();
        let all = self.declared().into_iter().chain(theirs);
        all.filter(|d| d.owner.as_deref() == Some(head)).map(|d| d.name).collect()
    }

    fn module_text(&self, name: &str) -> Option<String> {
        tenure_stdlib::module(name).map(|(_, text)| text.to_owned())
    }
}

/// The operand that ends a text: a name with what follows it, or a bracketed or quoted piece.
fn operand(text: &str) -> &str {
    let bytes = text.as_bytes();
    let mut depth = 0usize;
    let mut start = text.len();
    for (i, &byte) in bytes.iter().enumerate().rev() {
        match byte {
            b')' | b']' => depth += 1,
            b'(' | b'[' if depth == 0 => break,
            b'(' | b'[' => depth -= 1,
            b'"' if depth == 0 => {
                // a string literal: back to its other quote
                if start == text.len() {
                    let open = text[..i].rfind('"').unwrap_or(i);
                    return &text[open..];
                }
                break;
            }
            _ if depth > 0 => {}
            b'.' | b'?' | b'!' | b'_' => {}
            _ if byte.is_ascii_alphanumeric() => {}
            _ => break,
        }
        start = i;
    }
    &text[start..]
}

#[cfg(test)]
mod tests {
    use super::operand;

    #[test]
    fn operands() {
        for (text, wanted) in [
            ("let y = xs", "xs"),
            ("f(a, b.c(1)[2]", "b.c(1)[2]"),
            ("1 + \"text\"", "\"text\""),
            ("x ?? [1, 2]", "[1, 2]"),
            ("", ""),
        ] {
            assert_eq!(operand(text), wanted);
        }
    }
}
