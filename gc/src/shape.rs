//! What the collector knows of a type: its size and where its references are.
//!
//! It must never know anything else of the language. The table is shared by a program's heaps and only grows.
//!
//! Invariants
//! - S1. A published descriptor never changes; shape 0 does not exist.
//! - S2. References come first in a record, directly after the header.

use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::header;

/// The layout of an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// A header, then `refs` references of 4 bytes, then other fields.
    Record {
        /// Size in 8-byte words, header included.
        words: u32,
        /// Number of references.
        refs: u32,
    },
    /// A header, then references of 4 bytes.
    RefArray,
    /// A header, then elements of 8 bytes without references.
    WordArray,
    /// A header, then elements of one byte.
    ByteArray,
}

/// The number of a shape in its table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ShapeId(pub(crate) u32);

impl ShapeId {
    /// The shape with this number.
    pub const fn from_index(index: u32) -> ShapeId {
        ShapeId(index)
    }

    /// Its number: what headers hold.
    pub const fn index(self) -> u32 {
        self.0
    }
}

/// The shape in one word: kind in bits 0..2, references in 2..32, words in 32..64.
#[derive(Clone, Copy)]
pub(crate) struct Descriptor(u64);

const RECORD: u64 = 0;
const REF_ARRAY: u64 = 1;
const WORD_ARRAY: u64 = 2;
const BYTE_ARRAY: u64 = 3;

impl Descriptor {
    fn new(shape: Shape) -> Descriptor {
        Descriptor(match shape {
            Shape::Record { words, refs } => {
                assert!(
                    refs < 1 << 30 && u64::from(words) * 8 >= 8 + u64::from(refs) * 4,
                    "references outlie a record"
                );
                RECORD | u64::from(refs) << 2 | u64::from(words) << 32
            }
            // One word, so that no descriptor in use is zero.
            Shape::RefArray => REF_ARRAY | 1 << 32,
            Shape::WordArray => WORD_ARRAY | 1 << 32,
            Shape::ByteArray => BYTE_ARRAY | 1 << 32,
        })
    }

    fn shape(self) -> Shape {
        match self.0 & 3 {
            RECORD => Shape::Record { words: (self.0 >> 32) as u32, refs: (self.0 as u32) >> 2 },
            REF_ARRAY => Shape::RefArray,
            WORD_ARRAY => Shape::WordArray,
            _ => Shape::ByteArray,
        }
    }

    /// Size of the object with this header, in words.
    #[inline(always)]
    pub(crate) fn words(self, header: u64) -> u32 {
        if self.0 & 3 == RECORD { (self.0 >> 32) as u32 } else { self.array_words(header::upper(header)) as u32 }
    }

    /// Size of an array of `len` elements, in words.
    pub(crate) fn array_words(self, len: u32) -> u64 {
        let len = u64::from(len);
        1 + match self.0 & 3 {
            REF_ARRAY => len.div_ceil(2),
            WORD_ARRAY => len,
            _ => len.div_ceil(8),
        }
    }

    /// Number of references in the object with this header; they start after it.
    #[inline(always)]
    pub(crate) fn refs(self, header: u64) -> u32 {
        match self.0 & 3 {
            RECORD => (self.0 as u32) >> 2,
            REF_ARRAY => header::upper(header),
            _ => 0,
        }
    }

    #[inline(always)]
    pub(crate) fn is_ref_array(self) -> bool {
        self.0 & 3 == REF_ARRAY
    }

    pub(crate) fn is_byte_array(self) -> bool {
        self.0 & 3 == BYTE_ARRAY
    }

    pub(crate) fn is_record(self) -> bool {
        self.0 & 3 == RECORD
    }
}

/// The shapes of a program, with the names that a census prints. Shared by its heaps; it only grows.
pub struct ShapeTable {
    descriptors: Box<[AtomicU64]>,
    names: Mutex<Vec<Box<str>>>,
}

impl ShapeTable {
    /// A table without shapes.
    pub fn new() -> ShapeTable {
        // SAFETY: all-zero bytes are a valid AtomicU64. The pages stay untouched, so unused ids cost addresses only.
        let descriptors = unsafe { Box::<[AtomicU64]>::new_zeroed_slice(1 << header::SHAPE_BITS).assume_init() };
        ShapeTable { descriptors, names: Mutex::new(vec!["".into()]) }
    }

    /// Adds a shape.
    ///
    /// # Panics
    /// When 2²² shapes exist, or a record's references don't fit its size.
    pub fn push(&self, shape: Shape, name: &str) -> ShapeId {
        self.push_group(&[(shape, name)])
    }

    /// Adds shapes with consecutive ids and returns the first.
    ///
    /// # Panics
    /// As [`ShapeTable::push`].
    pub fn push_group(&self, shapes: &[(Shape, &str)]) -> ShapeId {
        let mut names = self.names.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let first = names.len();
        assert!(first + shapes.len() <= self.descriptors.len(), "more than 2^22 shapes");
        for (shape, name) in shapes {
            self.descriptors[names.len()].store(Descriptor::new(*shape).0, Ordering::Release);
            names.push((*name).into());
        }
        ShapeId(first as u32)
    }

    /// The shape with this id, if it exists.
    #[inline]
    pub fn get(&self, id: ShapeId) -> Option<Shape> {
        let descriptor = Descriptor(self.descriptors.get(id.0 as usize)?.load(Ordering::Acquire));
        (descriptor.0 != 0).then(|| descriptor.shape())
    }

    /// The name of the shape with this id, if it exists.
    pub fn name(&self, id: ShapeId) -> Option<String> {
        let names = self.names.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        names.get(id.0 as usize).filter(|_| id.0 != 0).map(|name| name.to_string())
    }

    /// The descriptor of the object with this header. Headers come from compiled code that was handed the id, which
    /// orders this load after the store.
    #[inline(always)]
    pub(crate) fn descriptor(&self, header: u64) -> Descriptor {
        // The mask bounds the index by the table's length, which the compiler cannot see.
        let index = header::shape(header) as usize;
        debug_assert!(index < self.descriptors.len());
        // SAFETY: S1 and the mask in `header::shape`: the index is below 2^22, the table's length.
        Descriptor(unsafe { self.descriptors.get_unchecked(index) }.load(Ordering::Relaxed))
    }
}

impl Default for ShapeTable {
    fn default() -> ShapeTable {
        ShapeTable::new()
    }
}

impl fmt::Debug for ShapeTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.names.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        write!(f, "ShapeTable({} shapes)", names.len() - 1)
    }
}
