//! Where a piece of source text stands.

/// A source file of one compilation, an index into its [`Sources`](crate::source::Sources).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct FileId(pub u32);

/// A half-open range of bytes, `lo..hi`, in one source file.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Span {
    /// The file the range lies in.
    pub file: FileId,
    /// Offset of the first byte.
    pub lo: u32,
    /// Offset just past the last byte.
    pub hi: u32,
}

impl Span {
    /// The range `lo..hi` of `file`.
    pub fn new(file: FileId, lo: usize, hi: usize) -> Span {
        Span { file, lo: lo as u32, hi: hi as u32 }
    }

    /// The smallest range that covers both; they must lie in the same file.
    pub fn to(self, end: Span) -> Span {
        debug_assert_eq!(self.file, end.file);
        Span { file: self.file, lo: self.lo.min(end.lo), hi: self.hi.max(end.hi) }
    }

    /// The empty range at the start of this one.
    pub fn start(self) -> Span {
        Span { hi: self.lo, ..self }
    }

    /// The empty range just behind this one.
    pub fn end(self) -> Span {
        Span { lo: self.hi, ..self }
    }
}
