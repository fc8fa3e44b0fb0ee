//! What the author of a script is told: data for hosts and editors, and its rendering in rustc's manner.
//!
//! The compiler gives plain [`compiler diagnostics`](tenure_compiler::diagnostic); this is the only place that turns
//! them into text.

use annotate_snippets::{Annotation, AnnotationKind, Level, Renderer, Snippet};
use std::fmt;
use std::fmt::Write as _;
use std::sync::Arc;
use tenure_compiler::diagnostic as raw;
use tenure_compiler::source::Sources;
use tenure_compiler::syntax::span::{FileId, Span};

/// Errors rendered of one run; the rest is counted.
const RENDERED_MAX: usize = 100;

/// Everything the compiler has to say about a program, in source order, errors and warnings.
#[derive(Clone)]
pub struct Diagnostics {
    sources: Arc<Sources>,
    items: Vec<Diagnostic>,
}

/// How bad a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The program does not run.
    Error,
    /// It does.
    Warning,
}

/// One message about a program.
#[derive(Debug, Clone, PartialEq)]
pub struct Diagnostic {
    /// Its kind, `E0107`; empty when the source could not be read at all.
    pub code: String,
    /// How bad it is.
    pub severity: Severity,
    /// One sentence.
    pub message: String,
    /// Where; `None` when the source could not be read at all.
    pub place: Option<Place>,
    /// Places that explain it.
    pub secondary: Vec<Place>,
    /// What the author can do, a sentence each.
    pub help: Vec<String>,
}

/// A marked piece of source.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// Name of the source file.
    pub file: String,
    /// First line, from 1.
    pub line: u32,
    /// First column, from 1, in characters.
    pub column: u32,
    /// Line just past the end.
    pub end_line: u32,
    /// Column just past the end.
    pub end_column: u32,
    /// A few words to it; may be empty.
    pub label: String,
    span: Span,
}

impl Diagnostics {
    pub(crate) fn new(sources: Arc<Sources>, mut raw: Vec<raw::Diagnostic>) -> Diagnostics {
        raw.sort_by_key(|d| (d.primary.span.file, d.primary.span.lo));
        let items = raw.into_iter().map(|d| resolve(&sources, d)).collect();
        Diagnostics { sources, items }
    }

    /// One message without a place: the source itself could not be had.
    pub(crate) fn unreadable(message: String) -> Diagnostics {
        let mut diagnostics = Diagnostics { sources: Arc::default(), items: Vec::new() };
        diagnostics.add_unreadable(vec![message]);
        diagnostics
    }

    /// Puts messages without a place in front.
    pub(crate) fn add_unreadable(&mut self, messages: Vec<String>) {
        let item = |message| Diagnostic {
            code: String::new(),
            severity: Severity::Error,
            message,
            place: None,
            secondary: Vec::new(),
            help: Vec::new(),
        };
        self.items.splice(0..0, messages.into_iter().map(item));
    }

    /// All of them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Diagnostic> {
        self.items.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Whether one of them keeps the program from running.
    pub fn has_errors(&self) -> bool {
        self.items.iter().any(|d| d.severity == Severity::Error)
    }

    /// As text for a terminal, the first hundred and a count of the rest; with colours if asked.
    pub fn render(&self, color: bool) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        let mut out = String::new();
        for item in self.items.iter().take(RENDERED_MAX) {
            out += &self.render_one(item, &renderer);
            out += "\n\n";
        }
        if self.items.len() > RENDERED_MAX {
            let _ = writeln!(out, "… and {} more", self.items.len() - RENDERED_MAX);
        }
        out
    }

    fn render_one(&self, item: &Diagnostic, renderer: &Renderer) -> String {
        let level = match item.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut title = level.primary_title(item.message.as_str());
        if !item.code.is_empty() {
            title = title.id(item.code.as_str());
        }
        let mut group = title.elements(self.snippets(item));
        for help in &item.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        renderer.render(&[group])
    }

    /// One snippet a file, the primary place's file first. Only the lines around the marks are handed over, so that a
    /// large source costs nothing.
    fn snippets<'a>(&'a self, item: &'a Diagnostic) -> Vec<Snippet<'a, Annotation<'a>>> {
        let mut files: Vec<FileId> = Vec::new();
        let places = || item.place.iter().chain(&item.secondary);
        for place in places() {
            if !files.contains(&place.span.file) {
                files.push(place.span.file);
            }
        }
        let snippet = |file: FileId| {
            let source = self.sources.file(file);
            let here = || places().filter(move |p| p.span.file == file);
            let first = here().map(|p| p.span.lo as usize).min().unwrap_or(0);
            let last = here().map(|p| p.span.hi as usize).max().unwrap_or(0);
            let start = source.text[..first].rfind('\n').map_or(0, |i| i + 1);
            let end = source.text[last..].find('\n').map_or(source.text.len(), |i| last + i);
            let (line, _) = source.line_column(start as u32);
            let annotations = here().map(|place| {
                let primary = item.place.as_ref().is_some_and(|p| std::ptr::eq(p, place));
                let kind = if primary { AnnotationKind::Primary } else { AnnotationKind::Context };
                let annotation = kind.span(place.span.lo as usize - start..place.span.hi as usize - start);
                if place.label.is_empty() { annotation } else { annotation.label(place.label.as_str()) }
            });
            Snippet::source(&source.text[start..end])
                .line_start(line as usize)
                .path(source.name.as_str())
                .annotations(annotations)
        };
        files.into_iter().map(snippet).collect()
    }
}

fn resolve(sources: &Sources, raw: raw::Diagnostic) -> Diagnostic {
    let place = |label: raw::Label| {
        let file = sources.file(label.span.file);
        let (line, column) = file.line_column(label.span.lo);
        let (end_line, end_column) = file.line_column(label.span.hi);
        Place { file: file.name.clone(), line, column, end_line, end_column, label: label.text, span: label.span }
    };
    Diagnostic {
        code: raw.code.to_string(),
        severity: match raw.severity {
            raw::Severity::Error => Severity::Error,
            raw::Severity::Warning => Severity::Warning,
        },
        message: raw.message,
        place: Some(place(raw.primary)),
        secondary: raw.secondary.into_iter().map(place).collect(),
        help: raw.help,
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.render(false).trim_end())
    }
}

impl fmt::Debug for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.items).finish()
    }
}

impl std::error::Error for Diagnostics {}

#[cfg(test)]
mod tests {
    use super::*;
    use tenure_compiler::codes;

    fn diagnostics(text: &str, raw: impl Fn(FileId) -> Vec<raw::Diagnostic>) -> Diagnostics {
        let mut sources = Sources::default();
        let file = sources.add("a.ten", text.to_owned());
        Diagnostics::new(Arc::new(sources), raw(file))
    }

    #[test]
    fn a_message_shows_span_label_and_help() {
        let d = diagnostics("let a = 1\nlet b = a + c\nprint(b)\n", |file| {
            vec![
                raw::Diagnostic::error(codes::UNKNOWN_NAME, Span::new(file, 22, 23), "no `c` in scope")
                    .label("not found")
                    .and(Span::new(file, 4, 5), "`a` is near")
                    .help("did you mean `a`?"),
            ]
        });
        let expected = "\
error[E0214]: no `c` in scope
 --> a.ten:2:13
  |
1 | let a = 1
  |     - `a` is near
2 | let b = a + c
  |             ^ not found
  |
  = help: did you mean `a`?";
        assert_eq!(d.to_string(), expected);
        let place = d.iter().next().and_then(|d| d.place.clone()).expect("it has a place");
        assert_eq!((place.line, place.column, place.end_line, place.end_column), (2, 13, 2, 14));
        assert!(d.has_errors());
    }

    #[test]
    fn messages_come_in_source_order_and_the_hundred_and_first_is_counted() {
        let d = diagnostics(&"x\n".repeat(150), |file| {
            (0..150)
                .rev()
                .map(|i| {
                    raw::Diagnostic::error(codes::NOT_TEXT, Span::new(file, 2 * i, 2 * i + 1), format!("number {i}"))
                })
                .collect()
        });
        let text = d.to_string();
        assert!(text.starts_with("error[E0001]: number 0\n"), "{text}");
        assert!(text.contains("number 99") && !text.contains("number 100"));
        assert!(text.ends_with("… and 50 more"), "{text}");
    }

    #[test]
    fn an_error_at_the_end_of_an_empty_file_renders() {
        let d = diagnostics("", |file| {
            vec![raw::Diagnostic::error(codes::UNEXPECTED, Span::new(file, 0, 0), "nothing here")]
        });
        assert!(d.to_string().contains("a.ten:1:1"), "{d}");
    }
}
