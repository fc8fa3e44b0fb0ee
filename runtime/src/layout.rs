//! What a program needs below the heap's base: the call table, the globals, references to its permanent objects. The
//! same for every VM of a program; the tables themselves are each VM's own.
//!
//! Invariants
//! - L1. Every displacement is from the base, negative, and fits 32 bits; the tables end at the collector's chunk table.
//! - L2. Slots of globals of reference type are roots; permanent objects never move, so their slots are not.

use tenure_gc::{Shape, ShapeId};

pub use tenure_gc::{CHUNK_SHIFT, CHUNK_TABLE_OFFSET, CHUNKED_BIT, FLAGS_BYTE_OFFSET, LOG_BIT, ShapeTable};

/// Bits of the shape id at the start of a header.
pub const SHAPE_BITS: u32 = 22;

/// Shapes every program has, with the ids that compiled code expects. Records of the program come after
/// [`Layout::FIRST_RECORD_SHAPE`].
pub const SHAPE_REFS: ShapeId = ShapeId::from_index(1);
/// An array of ints or floats.
pub const SHAPE_WORDS: ShapeId = ShapeId::from_index(2);
/// An array of bytes, or a string.
pub const SHAPE_BYTES: ShapeId = ShapeId::from_index(3);
/// A function value without captures: a word for two references it doesn't have, then the index of its code.
pub const SHAPE_FUNCTION: ShapeId = ShapeId::from_index(4);

/// A record of the program.
#[derive(Debug, Clone)]
pub struct RecordShape {
    /// For the census.
    pub name: String,
    /// Size with header.
    pub words: u32,
    /// References, which come first.
    pub refs: u32,
}

/// What a VM of this program sets up.
#[derive(Debug, Clone, Default)]
pub struct Layout {
    /// Number of functions.
    pub functions: u32,
    /// For each global whether it holds a reference.
    pub globals: Vec<bool>,
    /// String constants.
    pub literals: Vec<String>,
    /// Records, in the order of their ids.
    pub records: Vec<RecordShape>,
    /// Ids of records that have a permanent instance.
    pub singletons: Vec<u32>,
    /// Functions that have a permanent function value.
    pub function_objects: Vec<u32>,
    /// The record of `Error`: references message, kind, cause, trace.
    pub error: Option<u32>,
}

impl Layout {
    /// Shape id of the program's first record.
    pub const FIRST_RECORD_SHAPE: u32 = 8;

    /// Where the tables end.
    const END: i64 = CHUNK_TABLE_OFFSET as i64;

    /// The built-in shapes and the program's records, in the order of their ids from 1.
    pub fn shapes(&self) -> Vec<(Shape, &str)> {
        let function = Shape::Record { words: 3, refs: 0 };
        let reserved = Shape::Record { words: 1, refs: 0 };
        let mut shapes = vec![
            (Shape::RefArray, "array of references"),
            (Shape::WordArray, "array of numbers"),
            (Shape::ByteArray, "string or array of bytes"),
            (function, "function"),
            (reserved, "reserved"),
            (reserved, "reserved"),
            (reserved, "reserved"),
        ];
        shapes.extend(self.records.iter().map(|r| (Shape::Record { words: r.words, refs: r.refs }, r.name.as_str())));
        shapes
    }

    /// The shape of a record.
    pub fn record_shape(record: u32) -> ShapeId {
        ShapeId::from_index(Layout::FIRST_RECORD_SHAPE + record)
    }

    fn displacement(below_end: usize) -> i32 {
        i32::try_from(Layout::END - below_end as i64).expect("the tables of a program stay below 2 GiB")
    }

    /// Of the code address of a function.
    pub fn call_slot(function: u32) -> i32 {
        Layout::displacement((function as usize + 1) * 8)
    }

    /// Where the code address of function 0 lies; function `i` is at 8 × `i` bytes below.
    pub fn call_table() -> i32 {
        Layout::call_slot(0)
    }

    fn calls_bytes(&self) -> usize {
        self.functions as usize * 8
    }

    /// Of a global's value.
    pub fn global_slot(&self, global: u32) -> i32 {
        Layout::displacement(self.calls_bytes() + (global as usize + 1) * 8)
    }

    fn globals_end(&self) -> usize {
        self.calls_bytes() + self.globals.len() * 8
    }

    /// Of the byte that says whether a global was set.
    pub fn global_flag(&self, global: u32) -> i32 {
        Layout::displacement(self.globals_end() + global as usize + 1)
    }

    fn permanents_start(&self) -> usize {
        (self.globals_end() + self.globals.len()).next_multiple_of(8)
    }

    fn permanent_slot(&self, index: usize) -> i32 {
        Layout::displacement(self.permanents_start() + (index + 1) * 8)
    }

    /// Of the reference to a string constant.
    pub fn literal_slot(&self, literal: u32) -> i32 {
        self.permanent_slot(literal as usize)
    }

    /// Of the reference to the permanent instance of a record.
    ///
    /// # Panics
    /// If the record is not among `singletons`.
    pub fn singleton_slot(&self, record: u32) -> i32 {
        let index = self.singletons.binary_search(&record).expect("the program was scanned for singletons");
        self.permanent_slot(self.literals.len() + index)
    }

    /// Of the reference to the permanent value of a function.
    ///
    /// # Panics
    /// If the function is not among `function_objects`.
    pub fn function_slot(&self, function: u32) -> i32 {
        let index =
            self.function_objects.binary_search(&function).expect("the program was scanned for function values");
        self.permanent_slot(self.literals.len() + self.singletons.len() + index)
    }

    /// Bytes of all tables.
    pub fn prefix_bytes(&self) -> usize {
        let permanents = self.literals.len() + self.singletons.len() + self.function_objects.len();
        self.permanents_start() + permanents * 8
    }
}
