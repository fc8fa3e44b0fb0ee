//! What a program needs below the heap's base: the call table, the globals, references to its permanent objects. The
//! same for every VM of a program; the tables themselves are each VM's own. A program has one part, a session one for
//! each input, which share the tables.
//!
//! Invariants
//! - L1. Every displacement is from the base, negative, and fits 32 bits; the tables end at the collector's chunk table.
//! - L2. Slots of globals of reference type are roots; permanent objects never move, so their slots are not.
//! - L3. What a part has put into the tables stays there; a number means the same to all parts behind it. Only calls of
//!   dispatchers go to those of the newest part that has them, which know the types of all parts.
//! - L4. Strings are allocated zeroed, and nothing is written behind their last byte: their last word ends in zeros.

use std::collections::{HashMap, HashSet};

pub use tenure_gc::{CHUNK_SHIFT, CHUNK_TABLE_OFFSET, FLAGS_BYTE_OFFSET, LOG_BIT, ShapeTable};
pub use tenure_gc::{Shape, ShapeId};

/// Bits of the shape id at the start of a header.
pub const SHAPE_BITS: u32 = 22;

/// Shapes every program has, with the ids that compiled code expects. Records of the program come after
/// [`FIRST_RECORD_SHAPE`].
pub const SHAPE_REFS: ShapeId = ShapeId::from_index(1);
/// An array of ints or floats.
pub const SHAPE_WORDS: ShapeId = ShapeId::from_index(2);
/// An array of bytes, or a string.
pub const SHAPE_BYTES: ShapeId = ShapeId::from_index(3);
/// A function value without captures: a word for two references it doesn't have, then the index of its code.
pub const SHAPE_FUNCTION: ShapeId = ShapeId::from_index(4);

/// Shape id of the first record.
pub const FIRST_RECORD_SHAPE: u32 = 8;

/// The shapes every program has, with their names, in the order of their ids from 1.
pub fn built_in_shapes() -> [(Shape, &'static str); 7] {
    let function = Shape::Record { words: 3, refs: 0 };
    let reserved = Shape::Record { words: 1, refs: 0 };
    [
        (Shape::RefArray, "array of references"),
        (Shape::WordArray, "array of numbers"),
        (Shape::ByteArray, "string or array of bytes"),
        (function, "function"),
        (reserved, "reserved"),
        (reserved, "reserved"),
        (reserved, "reserved"),
    ]
}

/// How many entries the tables have room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// In the call table.
    pub functions: u32,
    /// Globals.
    pub globals: u32,
    /// Permanent objects.
    pub permanents: u32,
}

/// An object that exists as long as the VM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Permanent {
    /// A string constant.
    Text(String),
    /// A record without fields: its shape and its words.
    Record(ShapeId, u32),
    /// The value of a function without captures.
    Function(u32),
}

/// What one part of a program finds in the tables, and what it puts there.
#[derive(Debug, Clone)]
pub struct Layout {
    /// Of the whole program.
    pub room: Room,
    /// The number of the part's first function; the others follow.
    pub first_function: u32,
    /// How many functions it has.
    pub functions: u32,
    /// Numbers of its globals.
    pub globals: Vec<u32>,
    /// Shapes of its records.
    pub shapes: Vec<ShapeId>,
    /// Its string constants, among the permanent objects.
    pub literals: Vec<u32>,
    /// Records that have a permanent instance, by their number in the part.
    pub singletons: HashMap<u32, u32>,
    /// Functions that have a permanent value, by their number in the part.
    pub function_objects: HashMap<u32, u32>,
    /// Globals that no part before it has, and whether they hold references.
    pub new_globals: Vec<(u32, bool)>,
    /// Permanent objects that no part before it has.
    pub new_permanents: Vec<(u32, Permanent)>,
    /// Functions of the part that a later part may replace: they are only called through the call table.
    pub dispatchers: HashSet<u32>,
    /// Functions of earlier parts, by their number in the call table, and those of this one that take their place.
    pub replaced: Vec<(u32, u32)>,
    /// The shape of `Error`: references message, kind, cause, trace.
    pub error: Option<ShapeId>,
}

fn displacement(below_end: usize) -> i32 {
    i32::try_from(CHUNK_TABLE_OFFSET as i64 - below_end as i64).expect("the tables of a program stay below 2 GiB")
}

/// Displacement of the code address of a function.
pub fn call_slot(function: u32) -> i32 {
    displacement((function as usize + 1) * 8)
}

/// Where the code address of function 0 lies; that of function `i` is 8 × `i` bytes below.
pub fn call_table() -> i32 {
    call_slot(0)
}

impl Room {
    fn calls_bytes(self) -> usize {
        self.functions as usize * 8
    }

    /// Displacement of a global's value.
    pub fn global_slot(self, global: u32) -> i32 {
        displacement(self.calls_bytes() + (global as usize + 1) * 8)
    }

    fn globals_end(self) -> usize {
        self.calls_bytes() + self.globals as usize * 8
    }

    /// Displacement of the byte that says whether a global was set.
    pub fn global_flag(self, global: u32) -> i32 {
        displacement(self.globals_end() + global as usize + 1)
    }

    fn permanents_start(self) -> usize {
        (self.globals_end() + self.globals as usize).next_multiple_of(8)
    }

    /// Displacement of the reference to a permanent object.
    pub fn permanent_slot(self, index: u32) -> i32 {
        displacement(self.permanents_start() + (index as usize + 1) * 8)
    }

    /// Bytes of all tables.
    pub fn prefix_bytes(self) -> usize {
        self.permanents_start() + self.permanents as usize * 8
    }
}

impl Layout {
    /// The number that a function of the part has in the call table.
    pub fn function(&self, function: u32) -> u32 {
        self.first_function + function
    }

    /// The shape of a record.
    pub fn record_shape(&self, record: u32) -> ShapeId {
        self.shapes[record as usize]
    }

    /// Displacement of a global's value.
    pub fn global_slot(&self, global: u32) -> i32 {
        self.room.global_slot(self.globals[global as usize])
    }

    /// Displacement of the byte that says whether a global was set.
    pub fn global_flag(&self, global: u32) -> i32 {
        self.room.global_flag(self.globals[global as usize])
    }

    /// Displacement of the reference to a string constant.
    pub fn literal_slot(&self, literal: u32) -> i32 {
        self.room.permanent_slot(self.literals[literal as usize])
    }

    /// Displacement of the reference to the permanent instance of a record, which must be among `singletons`.
    pub fn singleton_slot(&self, record: u32) -> i32 {
        self.room.permanent_slot(self.singletons[&record])
    }

    /// Displacement of the reference to the permanent value of a function, which must be among `function_objects`.
    pub fn function_slot(&self, function: u32) -> i32 {
        self.room.permanent_slot(self.function_objects[&function])
    }
}
