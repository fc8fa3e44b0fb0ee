//! What can be wrong with a model file, and the warning an advisor without a model comes with.

use std::fmt;
use std::path::{Path, PathBuf};

/// A model that cannot be used.
#[derive(Debug)]
pub struct ModelError {
    kind: Kind,
    path: Option<PathBuf>,
    message: String,
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Missing,
    Corrupt,
    Mismatch,
}

impl ModelError {
    pub(crate) fn missing(message: impl Into<String>) -> ModelError {
        ModelError { kind: Kind::Missing, path: None, message: message.into() }
    }

    pub(crate) fn corrupt(message: impl Into<String>) -> ModelError {
        ModelError { kind: Kind::Corrupt, path: None, message: message.into() }
    }

    pub(crate) fn mismatch(message: impl Into<String>) -> ModelError {
        ModelError { kind: Kind::Mismatch, path: None, message: message.into() }
    }

    pub(crate) fn at(self, path: &Path) -> ModelError {
        ModelError { path: Some(path.to_path_buf()), ..self }
    }

    /// Whether the file could not be read.
    pub fn is_missing(&self) -> bool {
        self.kind == Kind::Missing
    }

    /// Whether the file is no model: truncated, of another kind, or with unusable numbers.
    pub fn is_corrupt(&self) -> bool {
        self.kind == Kind::Corrupt
    }

    /// Whether the file is a model for other features, outputs or another format.
    pub fn is_mismatch(&self) -> bool {
        self.kind == Kind::Mismatch
    }

    /// The file, if the model came from one.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }
}

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) => write!(f, "advisor model {}", path.display())?,
            None => write!(f, "the advisor's model")?,
        }
        match self.kind {
            Kind::Missing => write!(f, " cannot be read: {}", self.message),
            Kind::Corrupt => write!(f, " is corrupt: {}", self.message),
            Kind::Mismatch => write!(f, " does not fit this version: {}", self.message),
        }
    }
}

impl std::error::Error for ModelError {}

/// Something the user should hear about; execution goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    message: String,
}

impl Warning {
    pub(crate) fn adaptive_instead(error: &ModelError) -> Warning {
        Warning { message: format!("{error}; the adaptive policy takes over") }
    }

    /// The text, one line.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
