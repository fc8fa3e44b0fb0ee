//! Items through the grammar, with recovery.
//!
//! When the grammar refuses a token, the innermost statement (member, arm) that holds it becomes one error token and
//! the item is read again; so one mistake costs one statement, and brackets decide how far it reaches. If that does
//! not help, the next statement outwards goes.
//!
//! Invariants
//! - R1. Each round replaces at least one token that is not yet an error, or widens to an enclosing statement; so
//!   rounds end.
//! - R2. Only the last round's diagnostics of actions count: earlier rounds saw a text that no longer stands. Where
//!   brackets had to be mended they do not count either: they would speak of what the author never wrote.

use super::actions::Context;
use super::ast::File;
use super::explain;
use super::grammar::ItemParser;
use super::later::KnownText;
use super::layout::{ItemTokens, Layout, Placed};
use super::lex::Token;
use super::skim::{put_into, skim};
use super::span::{FileId, Span};
use super::symbol::Symbol;
use crate::codes;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Sources;
use crate::timing::Timing;
use lalrpop_util::ParseError;
use std::rc::Rc;

/// After so many errors the rest of a file is not read.
pub const MAX_ERRORS: usize = 20_000;
/// After so many errors the rest of one item is not read: each costs reading it once more.
const MAX_ITEM_ERRORS: usize = 50;

/// Reads a file. The tree stands for what could be read; whether to go on is for the caller to decide by the
/// diagnostics, which come in source order.
pub fn parse(sources: &Sources, file: FileId) -> (File, Vec<Diagnostic>) {
    read(file, &sources.file(file).text)
}

/// Reads a file whose text is known to be right, as the core library's: without docs, and functions wait until they are
/// wanted; `timing` is told then.
///
/// # Panics
/// If the text is wrong.
pub fn parse_known(sources: &Sources, file: FileId, timing: &Timing) -> File {
    let text = &sources.file(file).text;
    let (rest, functions) = skim(file, text);
    let (mut tree, errors) = read(file, &rest);
    assert!(errors.is_empty(), "bug: {} can't be read: {errors:?}", sources.file(file).name);
    let text = KnownText { file, text: text.clone(), timing: timing.clone() };
    put_into(&mut tree, functions, &Rc::new(text));
    tree
}

fn read(file: FileId, text: &str) -> (File, Vec<Diagnostic>) {
    if let Some(at) = text.find('\0') {
        let error = Diagnostic::error(codes::NOT_TEXT, Span::new(file, at, at + 1), "this is not a text file")
            .label("a zero byte")
            .help("a script is UTF-8 text");
        return (File::default(), vec![error]);
    }
    let mut tree = File::default();
    let mut errors = Vec::new();
    let mut layout = Layout::new(file, text);
    let parser = ItemParser::new();
    let self_name = Symbol::new("self");
    while layout.next_item() {
        let reader = ItemReader { file, text, self_name, parser: &parser };
        tree.items.extend(reader.read(&mut layout.item, &mut errors));
        if errors.len() + layout.diagnostics.len() >= MAX_ERRORS {
            let at = layout.item.end as usize;
            errors.push(
                Diagnostic::error(codes::TOO_MANY, Span::new(file, at, at), "too many errors")
                    .label("the rest of the file was not read"),
            );
            break;
        }
    }
    explain::raw_holes(text, &mut layout);
    errors.append(&mut layout.diagnostics);
    errors.sort_by_key(|e| (e.primary.span.lo, e.severity == Severity::Warning));
    (tree, errors)
}

/// Whether a text that can't be read might be with more behind it: something is open at its end, or it stops where
/// something must follow.
pub fn is_incomplete(text: &str) -> bool {
    let mut sources = Sources::default();
    let file = sources.add("input", text.to_owned());
    let (_, found) = parse(&sources, file);
    let end = text.trim_end().len();
    let mut errors = found.iter().filter(|d| d.severity == Severity::Error).peekable();
    let closes = |span: Span| matches!(sources.text(span), ")" | "]" | "}");
    errors.peek().is_some()
        && errors.all(|error| match error.code {
            // a quote that may be closed further down, unlike `'`
            codes::UNTERMINATED => sources.text(error.primary.span) != "'",
            codes::BRACKETS => !closes(error.primary.span) && !error.secondary.iter().any(|label| closes(label.span)),
            codes::ENDED => error.primary.span.hi as usize >= end,
            _ => false,
        })
}

struct ItemReader<'a> {
    file: FileId,
    text: &'a str,
    self_name: Symbol,
    parser: &'a ItemParser,
}

impl ItemReader<'_> {
    fn read(&self, item: &mut ItemTokens, errors: &mut Vec<Diagnostic>) -> Option<super::ast::Item> {
        let mut refused = 0;
        loop {
            let mut cx =
                Context { file: self.file, text: self.text, item, self_name: self.self_name, diagnostics: Vec::new() };
            let tokens = item.tokens.iter().map(|t| (t.lo, t.token, t.hi));
            let error = match self.parser.parse(&mut cx, tokens) {
                Ok(parsed) => {
                    if !item.unbalanced {
                        errors.append(&mut cx.diagnostics);
                    }
                    return Some(*parsed);
                }
                Err(error) => error,
            };
            let (at, expected) = match error {
                ParseError::UnrecognizedToken { token: (lo, token, _), expected } => {
                    // several tokens may start at one place when closers were put in
                    let from = item.tokens.partition_point(|t| t.lo < lo);
                    let same = item.tokens[from..].iter().position(|t| t.lo == lo && t.token == token);
                    (from + same.unwrap_or(0), expected)
                }
                ParseError::UnrecognizedEof { expected, .. } => (item.tokens.len(), expected),
                ParseError::ExtraToken { .. } | ParseError::InvalidToken { .. } | ParseError::User { .. } => {
                    (item.tokens.len(), Vec::new())
                }
            };
            let (from, to) = statement_around(&item.tokens, at);
            let bytes = (item.tokens[from].lo, item.tokens[to - 1].hi.max(item.tokens[to - 1].lo));
            let known = item.tokens.get(at).is_some_and(|t| t.token == Token::Error)
                || item.damage.iter().any(|&(lo, hi)| lo <= bytes.1 && hi >= bytes.0);
            if !known {
                errors.push(explain::refused(self.file, self.text, item, at, &expected));
            }
            refused += 1;
            if refused > MAX_ITEM_ERRORS {
                let (lo, hi) = (item.tokens.first().map_or(item.end, |t| t.lo), item.end);
                errors.push(
                    Diagnostic::error(codes::TOO_MANY, Span { file: self.file, lo: hi, hi }, "too many errors")
                        .label("the rest of this declaration was not read")
                        .and(Span { file: self.file, lo, hi: lo }, "it begins here"),
                );
                return None;
            }
            let whole = Placed { token: Token::Error, lo: bytes.0, hi: bytes.1 };
            item.tokens.splice(from..to, [whole]);
        }
    }
}

/// The tokens of the innermost statement around token `at` that is not already one error token. Never empty.
fn statement_around(tokens: &[Placed], at: usize) -> (usize, usize) {
    // one entry for each open bracket: whether it is a brace, and where its current statement starts
    let mut open: Vec<(bool, usize)> = vec![(true, 0)];
    for (i, placed) in tokens[..at].iter().enumerate() {
        match placed.token {
            Token::LBrace => open.push((true, i + 1)),
            Token::LParen | Token::LBracket | Token::StrBegin(_) => open.push((false, i + 1)),
            Token::RBrace | Token::RParen | Token::RBracket | Token::StrEnd(_) if open.len() > 1 => {
                open.pop();
            }
            Token::Sep => {
                if let Some((true, start)) = open.last_mut() {
                    *start = i + 1;
                }
            }
            _ => {}
        }
    }
    while let Some((brace, from)) = open.pop() {
        if !brace {
            continue;
        }
        let to = statement_end(tokens, from, at);
        let whole_file = open.is_empty();
        let done = to - from == 1 && tokens[from].token == Token::Error;
        if from < to && !done || whole_file {
            return (from, to);
        }
    }
    (0, tokens.len())
}

/// Where the statement that starts at `from` and holds `at` ends.
fn statement_end(tokens: &[Placed], from: usize, at: usize) -> usize {
    let mut depth = 0usize;
    for (i, placed) in tokens.iter().enumerate().skip(from) {
        match placed.token {
            Token::LBrace | Token::LParen | Token::LBracket | Token::StrBegin(_) => depth += 1,
            Token::RBrace | Token::RParen | Token::RBracket | Token::StrEnd(_) if depth == 0 => return i,
            Token::RBrace | Token::RParen | Token::RBracket | Token::StrEnd(_) => depth -= 1,
            Token::Sep if depth == 0 && i >= at => return i,
            _ => {}
        }
    }
    tokens.len()
}
