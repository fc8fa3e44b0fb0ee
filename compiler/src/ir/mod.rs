//! The typed IR: a control-flow graph of basic blocks in SSA form with block parameters, one function per instance.
//! Made by `lower`, read by `eval` and `codegen`; later passes rewrite it.
//!
//! Invariants
//! - I1. Each value is one scalar of a [`Type`]. Booleans and units are `Byte` (unit is 0). A `Ref` is a reference or nil.
//! - I2. Each value is defined once, and its definition dominates its uses. Block parameters are the phis.
//! - I3. A block whose `handler` is set lies in a `try` body: a trap in it, or out of a call in it, goes to that handler
//!   block, which has no parameters. The handler and the body's first block are entered through a `Try` terminator; so
//!   values defined inside the body are not visible in the handler.
//! - I4. `ArrayGet`, `ArraySet`, `Load` and `Store` are unchecked; bounds and nil were checked before.
//! - I5. A reference must not be used across a call, allocation or trap other than as a value of this IR: the code
//!   generator sees to it that the collector finds and updates it.
//! - I6. Record layouts: reference fields first (4 bytes each from offset 8), then bytes, then, from the next
//!   multiple of 8, ints and floats.
//! - I7. A closure is a record whose field 0 is the index of its code, an int that lies at [`CLOSURE_CODE_OFFSET`]
//!   whatever else it holds (an exception from I6: a closure of more than two captured references keeps them in a record
//!   of their own). The permanent objects of `FnObject` have theirs at the same place. So `CallValue` needs no shape.
//! - I8. Where a branch leaves a loop, `lower` puts the exit first (`then`); a condition that must be inverted for it and has
//!   no inverse is a `BoolNot`, which the code generator folds into the branch.

pub mod cfg;
mod display;
pub mod liveness;
mod lower;
pub mod operands;
mod parse;
pub mod verify;

pub use lower::{lower, lower_input};
pub use parse::parse;

use crate::prim::Prim;
use crate::syntax::span::Span;
use crate::syntax::symbol::Symbol;
use smallvec::SmallVec;
use tenure_runtime::native::NativeId;
use tenure_runtime::trap::TrapKind;

/// Types of values.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Type {
    /// 64-bit integer.
    Int,
    /// 64-bit float.
    Float,
    /// 8 bits: a byte, a bool, or unit.
    Byte,
    /// A reference to a heap object, or nil.
    Ref,
}

macro_rules! index_types {
    ($($(#[$doc:meta])* $name:ident $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u32);

        impl $name {
            /// As an index.
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{self}")
            }
        }
    )*};
}

index_types! {
    /// A function of a program.
    FuncId "fn";
    /// A global of a program.
    GlobalId "g";
    /// A string constant of a program.
    LiteralId "s";
    /// A record layout of a program.
    RecordId "r";
    /// A block of a function.
    Block "b";
    /// A value of a function.
    Value "v";
    /// A body within a function: 0 its own, `n` that of the call `Function::inlined[n - 1]`.
    Scope "body";
}

impl Scope {
    /// The function's own body.
    pub const OWN: Scope = Scope(0);
}

/// A program: what `eval` and `codegen` need, and nothing of the language above.
#[derive(Debug, Default)]
pub struct Program {
    /// Functions; `FuncId`s equal the typed tree's `FnId`s.
    pub functions: Vec<Function>,
    /// Types of the globals.
    pub globals: Vec<(Symbol, Type)>,
    /// String constants.
    pub literals: Vec<Symbol>,
    /// Record layouts; the shape id of record `i` is `FIRST_RECORD_SHAPE + i`.
    pub records: Vec<Record>,
    /// See the typed tree.
    pub entry: Option<FuncId>,
    /// Test blocks.
    pub tests: Vec<(Symbol, Span, FuncId)>,
    /// Functions that hosts call by name, with their types as written in the language.
    pub exports: Vec<Export>,
    /// The record of the core library's `Error`: references message, kind, cause, trace, in this order.
    pub error: Option<RecordId>,
    /// Whether running it uses up fuel: one for each function entered and each [`Op::Poll`].
    pub counts_fuel: bool,
    /// Whether compiled code stores references without the write barrier: only for heaps that never collect.
    pub omits_barriers: bool,
}

/// What parts of a program stand for, so that a later program of the same session can tell them again.
#[derive(Debug, Default)]
pub struct Identities {
    /// Of each record; none of a closure's, which is no other's.
    pub records: Vec<Option<String>>,
    /// Of each global: where it is declared.
    pub globals: Vec<Span>,
    /// Functions that a later program has again and that then take the place of these.
    pub dispatchers: Vec<(String, FuncId)>,
}

/// A function that hosts can call.
#[derive(Debug, Clone)]
pub struct Export {
    /// Its name.
    pub name: Symbol,
    /// The function.
    pub function: FuncId,
    /// Parameter types.
    pub params: Vec<ExportType>,
    /// Result type.
    pub result: ExportType,
}

/// Types that cross between host and script.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "named as in the language")]
pub enum ExportType {
    Int,
    Float,
    Bool,
    Byte,
    Str,
    Unit,
    /// Any other type, as written in the language, and the checker's number of it, which is not part of the text form.
    Other(String, u32),
}

/// Shape ids below this one are the built-in arrays, see [`Elem::shape`].
pub const FIRST_RECORD_SHAPE: u32 = 8;

/// Byte offset of the code index in closures (I7).
pub const CLOSURE_CODE_OFFSET: u32 = 16;

/// The layout of a record (I6).
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// For the census: `Node[int]`, `Shape.Circle`, `closure in main`.
    pub name: String,
    /// In declaration order.
    pub fields: Vec<FieldLayout>,
    /// References, which come first in memory.
    pub refs: u32,
    /// Size in 8-byte words with the header.
    pub words: u32,
}

/// Where a field lies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FieldLayout {
    /// What it holds.
    pub ty: Type,
    /// Byte offset from the object's start.
    pub offset: u32,
    /// Whether it is an int that counts elements of an array, and so lies between 0 and the longest array's length: the
    /// core library's lists keep to that, and what they leave unchecked rests on it.
    pub length: bool,
}

/// What an array's elements are.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Elem {
    /// References, 4 bytes.
    Ref,
    /// Ints, 8 bytes.
    Int,
    /// Floats, 8 bytes.
    Float,
    /// Bytes, bools, units, string bytes.
    Byte,
}

impl Elem {
    /// The elements of an array of values of this type.
    pub fn of(ty: Type) -> Elem {
        match ty {
            Type::Int => Elem::Int,
            Type::Float => Elem::Float,
            Type::Byte => Elem::Byte,
            Type::Ref => Elem::Ref,
        }
    }

    /// The type of an element as a value.
    pub fn ty(self) -> Type {
        match self {
            Elem::Int => Type::Int,
            Elem::Float => Type::Float,
            Elem::Byte => Type::Byte,
            Elem::Ref => Type::Ref,
        }
    }

    /// Bytes an element takes.
    pub fn bytes(self) -> u32 {
        match self {
            Elem::Ref => 4,
            Elem::Int | Elem::Float => 8,
            Elem::Byte => 1,
        }
    }

    /// The shape id of such an array.
    pub fn shape(self) -> u32 {
        match self {
            Elem::Ref => 1,
            Elem::Int | Elem::Float => 2,
            Elem::Byte => 3,
        }
    }
}

/// A function.
#[derive(Debug, Clone)]
pub struct Function {
    /// For stack traces.
    pub name: String,
    /// Its declaration.
    pub span: Span,
    /// Types of the parameters, which are those of the entry block. A closure body's first parameter is its closure.
    pub params: Vec<Type>,
    /// Type of the result.
    pub result: Type,
    /// The first is the entry.
    pub blocks: Vec<BlockData>,
    /// Types of the values.
    pub values: Vec<Type>,
    /// Calls that were replaced by what they call; traces still show them.
    pub inlined: Vec<Inlined>,
    /// What its author wants of inlining.
    pub inlining: Inlining,
}

impl Function {
    /// A value of its own that nothing defines yet.
    pub fn new_value(&mut self, ty: Type) -> Value {
        self.values.push(ty);
        Value(self.values.len() as u32 - 1)
    }
}

/// A call that was replaced by a copy of the callee's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inlined {
    /// Whose body it is.
    pub function: FuncId,
    /// Where the call was.
    pub call: Span,
    /// The body that the call was in, an earlier one.
    pub caller: Scope,
}

/// What a function's author wants of inlining.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Inlining {
    /// What pays.
    #[default]
    Auto,
    /// `@inline`: wherever possible.
    Always,
    /// `@noinline`
    Never,
}

/// A basic block.
#[derive(Debug, Clone)]
pub struct BlockData {
    /// Its parameters.
    pub params: SmallVec<[Value; 4]>,
    /// Its instructions, in order.
    pub insts: Vec<Inst>,
    /// How it ends.
    pub terminator: Terminator,
    /// Place of the terminator.
    pub span: Span,
    /// The body that the terminator is from.
    pub scope: Scope,
    /// Where traps in it go (I3).
    pub handler: Option<Block>,
}

/// Operands.
pub type Values = SmallVec<[Value; 4]>;

/// An instruction.
#[derive(Debug, Clone)]
pub struct Inst {
    /// What it does.
    pub op: Op,
    /// What it defines; only the operations documented as giving nothing have none.
    pub result: Option<Value>,
    /// Where it came from; a trap reports it.
    pub span: Span,
    /// The body it is from.
    pub scope: Scope,
}

/// Operations.
#[derive(Debug, Clone, PartialEq)]
pub enum Op {
    /// An int constant.
    Int(i64),
    /// A float constant.
    Float(f64),
    /// A byte, bool or unit constant.
    Byte(u8),
    /// The nil reference.
    Nil,
    /// A string constant: a permanent object.
    Str(LiteralId),
    /// The index of a function in the call table, an int; kept in closures.
    Code(FuncId),
    /// A permanent object that stands for a function without captures.
    FnObject(FuncId),
    /// A primitive operation.
    Prim(Prim, Values),
    /// Traps unless 0 <= index < len. Gives nothing.
    BoundsCheck(Value, Value),
    /// Whether a reference is nil.
    IsNil(Value),
    /// Allocates a record; fields in declaration order.
    New(RecordId, Values),
    /// A permanent record without fields (a variant).
    Singleton(RecordId),
    /// Reads a field of a record.
    Load(RecordId, u32, Value),
    /// Writes a field of a record. Gives nothing.
    Store(RecordId, u32, Value, Value),
    /// Shape id of a record minus that of the given one: the variant of an enum value, an int.
    Tag(RecordId, Value),
    /// Allocates an array: length (an int; traps when negative) and fill.
    ArrayNew(Elem, Value, Value),
    /// Allocates an array with these elements.
    ArrayLiteral(Elem, Values),
    /// The length of an array or string in elements, an int.
    ArrayLen(Value),
    /// Reads an element; the index is in bounds.
    ArrayGet(Elem, Value, Value),
    /// Writes an element: array, index, value; the index is in bounds. Gives nothing.
    ArraySet(Elem, Value, Value, Value),
    /// Reads a global; traps when it has not been set.
    GlobalGet(GlobalId),
    /// Sets a global. Gives nothing.
    GlobalSet(GlobalId, Value),
    /// Calls a function.
    Call(FuncId, Values),
    /// Calls a closure (first operand, also passed as first argument) with the rest as arguments, result as typed.
    CallValue(Values),
    /// Calls a native function of the registry.
    CallNative(NativeId, Values),
    /// In every round of a loop: the script may have to stop here, or to let the collector run. Gives nothing.
    Poll,
    /// Calls a function of the runtime. Gives a value except where `RuntimeFn` says nothing.
    CallRuntime(RuntimeFn, Values),
}

/// Functions of the runtime that compiled code calls; the evaluator has its own of each.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RuntimeFn {
    /// `(to, at, from, start, count)`: checked copy between arrays of one element kind. Gives nothing.
    ArrayCopy(Elem),
    /// `(array, from, to, value)`: checked fill. Gives nothing.
    ArrayFill(Elem),
    /// `(array, from, count, room) -> array`: a new one of `room` elements, of which the first are a part of the other's.
    ArrayPart(Elem),
    /// `(array, count, least) -> array`: a new one that begins with the first `count` elements of the other, with room for
    /// `least` at least and for twice as many. Seldom called.
    ArrayGrow(Elem),
    /// `(str, from, to) -> str`
    StrSlice,
    /// `(str, str) -> bool`
    StrEq,
    /// `(str, str) -> int`
    StrCompare,
    /// `(str, …) -> str`, any number.
    StrConcat,
    /// `(str) -> int`
    StrHash,
    /// `(bytes, from, to) -> str`
    StrFromBytes,
    /// `(array of str, count, separator) -> str`
    StrJoin,
    /// `(int) -> int`
    IntHash,
    /// `(error)`: panics with it. Gives nothing and does not return; an `Unreachable` terminator follows.
    Throw,
    /// `(holder, target) -> int`
    WeakNew,
    /// `(holder, int) -> ref`, nil when the target is gone.
    WeakGet,
    /// `(holder, key, value)`. Gives nothing.
    WeakSetPair,
    /// `(holder, key) -> ref`, nil when there is none.
    WeakPair,
    /// `(holder, key) -> bool`
    WeakRemovePair,
    /// `(holder, int) -> bool`
    ResourceOwn,
    /// `() -> error`: first instruction of a handler: the error object of the trap that led here.
    Catch,
    /// `()`: first instruction of a handler: sets the trap that led here aside. Gives nothing.
    Suspend,
    /// `()`: raises the trap set aside last. Gives nothing and does not return; an `Unreachable` terminator follows.
    Resume,
    /// `(nested: bool)`: first instruction of a handler: raises the trap that led here again, when nested with the one set
    /// aside last as its cause. Gives nothing and does not return; an `Unreachable` terminator follows.
    Reraise,
}

/// How a block ends.
#[derive(Debug, Clone, PartialEq)]
pub enum Terminator {
    /// Goes to a block.
    Jump(Block, Values),
    /// Goes one of two ways.
    Branch {
        /// A bool.
        condition: Value,
        /// When true.
        then: (Block, Values),
        /// When false.
        otherwise: (Block, Values),
    },
    /// Leaves the function.
    Return(Value),
    /// Enters a `try` body (I3); both blocks without parameters.
    Try {
        /// Its first block.
        body: Block,
        /// Where traps go.
        handler: Block,
    },
    /// Traps.
    Trap(TrapKind),
    /// Never reached.
    Unreachable,
}
