//! The object header: eight bytes in front of every object. Pure functions on the word.
//!
//! | bits | meaning |
//! |---|---|
//! | 0..22 | shape id; 0 is no shape, so a zeroed word is no header |
//! | 22..24 | forwarding: 0 none, 1 forwarded, 2 self-forwarded |
//! | 24 | log: set = armed, the write barrier takes its slow path; clear in young and in logged objects |
//! | 25 | chunked: the array is logged by chunks, through the chunk table |
//! | 26 | has an identity hash |
//! | 28..32 | age: pauses survived |
//! | 32..64 | array length in elements; in a forwarded object the new place |
//!
//! Invariants
//! - H1. Forwarding touches bits 22..24 and 32..64 alone; self-forwarding bits 22..24 alone.
//! - H2. A new young object's bits 22..32 are zero.

pub(crate) const SHAPE_BITS: u32 = 22;
const SHAPE_MASK: u64 = (1 << SHAPE_BITS) - 1;
const STATE_MASK: u64 = 3 << SHAPE_BITS;
const FORWARDED: u64 = 1 << SHAPE_BITS;
const SELF_FORWARDED: u64 = 2 << SHAPE_BITS;
pub(crate) const LOG: u64 = 1 << 24;
pub(crate) const CHUNKED: u64 = 1 << 25;
const AGE_SHIFT: u32 = 28;
const AGE_MASK: u64 = 15 << AGE_SHIFT;

/// The header of a new young object.
pub(crate) const fn new(shape: u32, len: u32) -> u64 {
    shape as u64 | (len as u64) << 32
}

#[inline(always)]
pub(crate) const fn shape(header: u64) -> u32 {
    (header & SHAPE_MASK) as u32
}

/// Elements of an array; the new place of a forwarded object.
#[inline(always)]
pub(crate) const fn upper(header: u64) -> u32 {
    (header >> 32) as u32
}

#[inline(always)]
pub(crate) const fn age(header: u64) -> u8 {
    ((header & AGE_MASK) >> AGE_SHIFT) as u8
}

#[inline(always)]
pub(crate) const fn is_untouched(header: u64) -> bool {
    header & STATE_MASK == 0
}

#[inline(always)]
pub(crate) const fn is_forwarded(header: u64) -> bool {
    header & STATE_MASK == FORWARDED
}

/// The header left behind by an object now at `to`.
#[inline(always)]
pub(crate) const fn forwarded(header: u64, to: u32) -> u64 {
    (header & 0xffff_ffff & !STATE_MASK) | FORWARDED | (to as u64) << 32
}

/// The header of an object that could not be copied and stays.
pub(crate) const fn self_forwarded(header: u64) -> u64 {
    (header & !STATE_MASK) | SELF_FORWARDED
}

/// The header of a copy in a survivor region.
#[inline(always)]
pub(crate) const fn survivor(header: u64, age: u8) -> u64 {
    (header & !(STATE_MASK | AGE_MASK | LOG | CHUNKED)) | (age as u64) << AGE_SHIFT
}

/// The header of an armed old object.
#[inline(always)]
pub(crate) const fn old(header: u64, chunked: bool) -> u64 {
    (header & !(STATE_MASK | CHUNKED)) | LOG | if chunked { CHUNKED } else { 0 }
}

pub(crate) const fn is_armed(header: u64) -> bool {
    header & LOG != 0
}

pub(crate) const fn is_chunked(header: u64) -> bool {
    header & CHUNKED != 0
}
