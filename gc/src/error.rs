//! How the heap fails: at birth ([`HeapError`]), and for lack of room ([`OutOfMemory`]). Neither is ever a panic.

use std::fmt;
use std::io;

/// A heap could not be made.
#[derive(Debug)]
pub struct HeapError {
    pub(crate) kind: HeapErrorKind,
}

#[derive(Debug)]
pub(crate) enum HeapErrorKind {
    Limit { limit_bytes: u64, least_bytes: u64, most_bytes: u64 },
    Reservation { bytes: u64, cause: io::Error },
}

impl HeapError {
    /// Whether the limit asked for is outside the legal bounds.
    pub fn is_limit(&self) -> bool {
        matches!(self.kind, HeapErrorKind::Limit { .. })
    }

    /// Whether the system gave no address space.
    pub fn is_reservation(&self) -> bool {
        matches!(self.kind, HeapErrorKind::Reservation { .. })
    }
}

impl fmt::Display for HeapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            HeapErrorKind::Limit { limit_bytes, least_bytes, most_bytes } => {
                write!(f, "a heap limit of {limit_bytes} bytes is outside {least_bytes} to {most_bytes}")
            }
            HeapErrorKind::Reservation { bytes, cause } => {
                write!(f, "the system reserves no {bytes} bytes of addresses for the heap: {cause}")
            }
        }
    }
}

impl std::error::Error for HeapError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            HeapErrorKind::Reservation { cause, .. } => Some(cause),
            HeapErrorKind::Limit { .. } => None,
        }
    }
}

/// There is no room for an object, even after a full collection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OutOfMemory {
    /// Size of the object.
    pub requested_bytes: u64,
    /// The heap's limit.
    pub limit_bytes: u64,
}

impl fmt::Display for OutOfMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let OutOfMemory { requested_bytes, limit_bytes } = self;
        write!(f, "no room for an object of {requested_bytes} bytes in a heap limited to {limit_bytes}")
    }
}

impl std::error::Error for OutOfMemory {}
