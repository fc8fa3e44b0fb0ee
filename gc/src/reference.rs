//! References: 32-bit indices of 8-byte words from the heap's base.
//!
//! It must never know what is at the other end.

use std::fmt;

/// A reference to an object, or nil. It is an index of 8-byte words from the heap's base, so one range of 32 GiB is
/// within reach. Registers and stack slots hold it zero-extended to 64 bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct Ref(pub(crate) u32);

impl Ref {
    /// The reference to nothing.
    pub const NIL: Ref = Ref(0);

    /// The reference with this word index.
    pub const fn from_index(index: u32) -> Ref {
        Ref(index)
    }

    /// The word index; 0 for nil.
    pub const fn index(self) -> u32 {
        self.0
    }

    /// Whether it refers to nothing.
    pub const fn is_nil(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Debug for Ref {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "@{:x}", self.0)
    }
}
