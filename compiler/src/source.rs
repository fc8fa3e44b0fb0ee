//! The texts of one compilation.

use crate::syntax::span::{FileId, Span};
use std::borrow::Cow;
use std::sync::OnceLock;

/// The largest source file, in bytes.
pub const MAX_SOURCE_BYTES: usize = 16 << 20;

/// One source file.
#[derive(Debug)]
pub struct SourceFile {
    /// How diagnostics name it.
    pub name: String,
    /// Its text, UTF-8.
    pub text: Cow<'static, str>,
    /// Most files are never asked for a line.
    line_starts: OnceLock<Vec<u32>>,
}

/// All source files of a compilation.
#[derive(Debug, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
}

impl Sources {
    /// Adds a file. Its text must be at most [`MAX_SOURCE_BYTES`] long.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<Cow<'static, str>>) -> FileId {
        let (name, text) = (name.into(), text.into());
        assert!(text.len() <= MAX_SOURCE_BYTES, "the caller refuses larger files");
        self.files.push(SourceFile { name, text, line_starts: OnceLock::new() });
        FileId(self.files.len() as u32 - 1)
    }

    /// The file behind an id of this compilation.
    pub fn file(&self, id: FileId) -> &SourceFile {
        &self.files[id.0 as usize]
    }

    /// All files, in the order they were added.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        self.files.iter().enumerate().map(|(i, f)| (FileId(i as u32), f))
    }

    /// The text a span covers.
    pub fn text(&self, span: Span) -> &str {
        &self.file(span.file).text[span.lo as usize..span.hi as usize]
    }
}

impl SourceFile {
    /// Line and column, both from 1, of a byte offset; columns count characters.
    pub fn line_column(&self, offset: u32) -> (u32, u32) {
        let line_starts = self.line_starts.get_or_init(|| {
            let behind = self.text.match_indices('\n').map(|(i, _)| i as u32 + 1);
            std::iter::once(0).chain(behind).collect()
        });
        let line = line_starts.partition_point(|&start| start <= offset) - 1;
        let start = line_starts[line] as usize;
        let column = self.text.get(start..offset as usize).map_or(0, |t| t.chars().count());
        (line as u32 + 1, column as u32 + 1)
    }
}
