//! What the author of a script is told: plain data, rendered only in the shell around the compiler.

use crate::codes::Code;
use crate::syntax::span::Span;

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Severity {
    /// The program does not run.
    Error,
    /// It does.
    Warning,
}

/// A marked piece of source with a few words to it.
#[derive(Clone, PartialEq, Debug)]
pub struct Label {
    /// What is marked.
    pub span: Span,
    /// May be empty.
    pub text: String,
}

/// One message about a program.
#[derive(Clone, PartialEq, Debug)]
pub struct Diagnostic {
    /// Its kind.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// One sentence without a full stop, small first letter.
    pub message: String,
    /// The place it is about.
    pub primary: Label,
    /// Places that explain it.
    pub secondary: Vec<Label>,
    /// What the author can do, a sentence each.
    pub help: Vec<String>,
}

impl Diagnostic {
    /// An error at `span`.
    pub fn error(code: Code, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code,
            severity: Severity::Error,
            message: message.into(),
            primary: Label { span, text: String::new() },
            secondary: Vec::new(),
            help: Vec::new(),
        }
    }

    /// A warning at `span`.
    pub fn warning(code: Code, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(code, span, message) }
    }

    /// With words at the primary place.
    pub fn label(mut self, text: impl Into<String>) -> Diagnostic {
        self.primary.text = text.into();
        self
    }

    /// With another marked place.
    pub fn and(mut self, span: Span, text: impl Into<String>) -> Diagnostic {
        self.secondary.push(Label { span, text: text.into() });
        self
    }

    /// With a help text.
    pub fn help(mut self, text: impl Into<String>) -> Diagnostic {
        self.help.push(text.into());
        self
    }
}
