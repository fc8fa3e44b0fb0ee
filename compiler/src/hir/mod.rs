//! The typed tree: one body per function *instance*, every name resolved, every type concrete, all sugar gone.
//! Made by `check`, consumed by `ir::lower`.
//!
//! Invariants
//! - H1. No type in it is `Infer` or `Error`; a program with error diagnostics has no typed tree.
//! - H2. Expressions of a body live in one arena and form trees: each is used once, except that locals connect them.
//!   Left-nested chains may be of any length, so consumers walk the left spine with a loop.
//! - H3. Coercions are explicit: `Wrap` makes `T?` of `T`; `Never` coerces to all types silently.
//! - H4. A local marked `cell` lives in a heap cell: it is assigned after a closure captured it, or assigned inside a
//!   `try` body (or the body of a `Defer`) and declared outside it. So no local without `cell` changes between the start
//!   of a `try` and its handler.
//! - H5. Patterns are gone: a `match` is a `Cond` whose conditions bind locals by `Let` on the way.
//! - H6. Arguments and fields stand in the order they are *evaluated* where they have effects: the checker introduces
//!   locals where source order and field order differ.

mod display;
mod types;

pub use crate::ir::Inlining;
use crate::prim::Prim;
use crate::syntax::span::Span;
use crate::syntax::symbol::Symbol;
use tenure_runtime::native::NativeId;
use tenure_runtime::trap::TrapKind;
pub use types::{Aggregate, DeclId, DeclName, Field, Notation, SIZE_MAX as TYPE_SIZE_MAX, Ty, TyKind, Types, Variant};

/// A whole checked program: every instance reachable from its entry, its tests and its exports.
#[derive(Debug, Default)]
pub struct Program {
    /// Its types.
    pub types: Types,
    /// Function instances.
    pub functions: Vec<Function>,
    /// Top-level bindings that functions use.
    pub globals: Vec<Global>,
    /// Runs modules' and the script's top-level statements in order, then `main` if there is one. `() -> ()`.
    pub entry: Option<FnId>,
    /// `test` blocks of the main file: title and body, `() -> ()`.
    pub tests: Vec<(Symbol, Span, FnId)>,
    /// Functions of the main file that hosts can call by name: those whose parameters are all annotated.
    pub exports: Vec<(Symbol, FnId)>,
    /// In a session: the functions that go by the type behind a trait's reference, each with what tells it from others.
    /// Later programs of the session have them again, for more types.
    pub dispatchers: Vec<(String, FnId)>,
    /// The core library's `Error` struct: fields `message: str`, `kind: str`, `cause: Error?`, `trace: str` in that order.
    pub error: Option<Ty>,
}

/// A function instance, an index into [`Program::functions`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct FnId(pub u32);

/// A top-level binding, an index into [`Program::globals`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct GlobalId(pub u32);

/// A local of a function, an index into [`Function::locals`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct LocalId(pub u32);

/// An expression of a function, an index into [`Function::exprs`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ExprId(pub u32);

/// A loop of a function, named by `Break` and `Continue`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct LoopId(pub u32);

/// A top-level binding.
#[derive(Debug, Clone)]
pub struct Global {
    /// Its name.
    pub name: Symbol,
    /// Its type.
    pub ty: Ty,
    /// Where it is declared.
    pub span: Span,
}

/// A function instance.
#[derive(Debug)]
pub struct Function {
    /// For stack traces: `Node.len`, `twice`, `closure in twice`.
    pub name: String,
    /// Its declaration.
    pub span: Span,
    /// In order; a method's `self` first.
    pub params: Vec<LocalId>,
    /// For a closure: locals of this body that hold the captured ones, in the order of the closure object.
    pub captures: Option<Vec<LocalId>>,
    /// What it returns.
    pub result: Ty,
    /// Its locals, parameters among them.
    pub locals: Vec<Local>,
    /// The arena.
    pub exprs: Vec<Expr>,
    /// The body; its value is the result.
    pub body: ExprId,
    /// What its attributes say.
    pub inlining: Inlining,
}

/// A local variable.
#[derive(Debug, Clone)]
pub struct Local {
    /// Its name; temporaries have one that no source can hold.
    pub name: Symbol,
    /// Its type.
    pub ty: Ty,
    /// Whether it lives in a heap cell (H4).
    pub cell: bool,
}

/// An expression.
#[derive(Debug, Clone)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Its type.
    pub ty: Ty,
    /// Where it came from; traps report it.
    pub span: Span,
}

/// The forms of an expression.
#[derive(Debug, Clone)]
pub enum ExprKind {
    /// An int.
    Int(i64),
    /// A float.
    Float(f64),
    /// A bool.
    Bool(bool),
    /// A byte.
    Byte(u8),
    /// A string constant.
    Str(Symbol),
    /// `()`
    Unit,
    /// `nil`, of an optional type.
    Nil,
    /// The value of a local.
    Local(LocalId),
    /// Declares a local afresh (a new cell if it is one) with a value. Of type unit.
    Let(LocalId, ExprId),
    /// Assigns a local. Of type unit.
    SetLocal(LocalId, ExprId),
    /// The value of a global; traps when it is read before it is set.
    Global(GlobalId),
    /// Sets a global. Of type unit.
    SetGlobal(GlobalId, ExprId),
    /// Statements, then the value; unit without one.
    Block(Vec<ExprId>, Option<ExprId>),
    /// The first arm whose condition holds, else `otherwise` (unit or unreachable when none). Conditions may hold
    /// `Let`s that the rest of the condition and the arm's value read.
    Cond {
        /// Conditions and values.
        arms: Vec<(ExprId, ExprId)>,
        /// The last else; without it a `Cond` that is not of type unit is exhaustive by construction.
        otherwise: Option<ExprId>,
    },
    /// Short-circuit and; its right side may read locals that its left side binds.
    And(ExprId, ExprId),
    /// Short-circuit or.
    Or(ExprId, ExprId),
    /// Loops until broken. `Continue` goes to `step`. Of type unit, or never without a `Break`.
    Loop {
        /// Its name.
        id: LoopId,
        /// Ends the loop when false.
        condition: Option<ExprId>,
        /// The body.
        body: ExprId,
        /// Runs between two rounds.
        step: Option<ExprId>,
    },
    /// Leaves a loop.
    Break(LoopId),
    /// Goes on with the next round.
    Continue(LoopId),
    /// Leaves the function.
    Return(ExprId),
    /// A primitive operation.
    Prim(Prim, Vec<ExprId>),
    /// Calls an instance.
    Call(FnId, Vec<ExprId>),
    /// Calls a function value.
    CallValue(ExprId, Vec<ExprId>),
    /// Calls a native (Rust) function.
    CallNative(NativeId, Vec<ExprId>),
    /// An operation of the heap or of strings.
    Intrinsic(Intrinsic, Vec<ExprId>),
    /// A new struct, all fields in declaration order.
    Struct(Vec<ExprId>),
    /// A field of a struct, by declaration order.
    Field(ExprId, u32),
    /// Assigns a field. Of type unit.
    SetField(ExprId, u32, ExprId),
    /// A new enum value: variant and its fields.
    Variant(u32, Vec<ExprId>),
    /// The variant of an enum value, as an int.
    Tag(ExprId),
    /// A field of a variant; the value is known to be of that variant.
    VariantField(ExprId, u32, u32),
    /// A new tuple.
    Tuple(Vec<ExprId>),
    /// An element of a tuple.
    TupleField(ExprId, u32),
    /// A new array with these elements, of type `Array[T]`.
    ArrayLiteral(Vec<ExprId>),
    /// `T?` of `T`.
    Wrap(ExprId),
    /// A reference of a trait's type, of a value whose type has the trait (or of a reference of a narrower trait).
    Upcast(ExprId),
    /// The value behind a trait's reference known to be of this type.
    Downcast(ExprId),
    /// By the type of what a local of a trait's type refers to: a value for each type, else `otherwise`; without it
    /// the types are all there are.
    TypeSwitch {
        /// Holds the reference.
        subject: LocalId,
        /// Types, all different, and values.
        arms: Vec<(Ty, ExprId)>,
        /// For all other types.
        otherwise: Option<ExprId>,
    },
    /// Whether a `T?` is nil.
    IsNil(ExprId),
    /// `T` of a `T?` known not to be nil.
    Unwrap(ExprId),
    /// A function value of a closure body and the locals of *this* body that it captures, in order.
    Closure(FnId, Vec<LocalId>),
    /// A function value of a function without captures.
    FnValue(FnId),
    /// Runs `body`; a panic in it stores the error in `error` and gives the handler's value instead.
    Try {
        /// What may panic.
        body: ExprId,
        /// Of the core library's `Error` type.
        error: LocalId,
        /// What runs then.
        handler: ExprId,
    },
    /// Runs `body`, then `cleanup` however the body is left: with its value, by a jump or `Return` out of it, by a panic.
    /// Nothing in `cleanup` jumps out of it; when it panics while the body's panic is under way, that becomes its cause.
    Defer {
        /// What follows a `defer` statement in its block.
        body: ExprId,
        /// The statement's block; its value is dropped.
        cleanup: ExprId,
    },
    /// Traps.
    Trap(TrapKind),
}

/// Operations of arrays and strings, beyond `Prim`. Core library functions marked `@intrinsic` name them in snake case
/// (`array_new`). `A` stands for `Array[T]`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Intrinsic {
    /// `(len: int, fill: T) -> A`; traps on a negative length.
    ArrayNew,
    /// `(len: int) -> A`; traps on a negative length. Each element must be set before it is read.
    ArrayZeroed,
    /// `(A) -> int`
    ArrayLen,
    /// `(A, index: int) -> T`; traps when out of bounds.
    ArrayGet,
    /// `(A, index: int, T)`; traps when out of bounds.
    ArraySet,
    /// `(A, index: int) -> T`; the index is known to be in bounds.
    ArrayGetUnchecked,
    /// `(A, index: int, T)`; the index is known to be in bounds.
    ArraySetUnchecked,
    /// `(to: A, at: int, from: A, start: int, count: int)`; may overlap; traps when out of bounds.
    ArrayCopy,
    /// `(A, from: int, count: int, room: int) -> A`: a new array of `room` elements, of which the first are a part of the
    /// other's and no more are set; traps when out of bounds.
    ArrayPart,
    /// `(A, count: int, least: int) -> A`: a new array that begins with the first `count` elements, with room for `least` at
    /// least and for twice as many; traps when out of bounds.
    ArrayGrow,
    /// `(A, from: int, to: int)`: these elements are not read before they are set again, so what they refer to may go.
    ArrayForget,
    /// `(A, from: int, to: int, T)`; traps when out of bounds.
    ArrayFill,
    /// `(index: int, len: int)`; traps unless 0 <= index < len. Of type unit.
    BoundsCheck,
    /// `(str) -> int`, in bytes.
    StrLen,
    /// `(str, index: int) -> byte`; traps when out of bounds.
    StrByte,
    /// `(str, from: int, to: int) -> str`; traps when out of bounds or off a character boundary.
    StrSlice,
    /// `(str, str) -> bool`
    StrEq,
    /// `(str, str) -> int`: negative, zero, positive.
    StrCompare,
    /// `(str, …) -> str`, two or more.
    StrConcat,
    /// `(str) -> int`; keyed per process.
    StrHash,
    /// `(Array[byte], from: int, to: int) -> str`; traps when out of bounds or not UTF-8.
    StrFromBytes,
    /// `(Array[str], count: int, separator: str) -> str`: the first `count` strings joined.
    StrJoin,
    /// `(int) -> int`; keyed per process, spreads well.
    IntHash,
    /// `(T, T) -> bool`: identity of references.
    Same,
    /// `(Error) -> !`: panics with that very error.
    Throw,
    /// `(holder: H, target: T) -> int`: a weak reference, which lives as long as the holder.
    WeakNew,
    /// `(holder: H, int) -> T?`
    WeakGet,
    /// `(holder: H, key: K, V)`: keeps the value while holder and key live.
    WeakSetPair,
    /// `(holder: H, key: K) -> V?`
    WeakPair,
    /// `(holder: H, key: K) -> bool`: false if there was none.
    WeakRemovePair,
    /// `(holder: H, int) -> bool`: the host's resource of that number dies after the holder; false if it has one.
    ResourceOwn,
}

impl Intrinsic {
    /// Which argument must be an object with an identity.
    pub fn object_argument(self) -> Option<usize> {
        use Intrinsic::{WeakNew, WeakPair, WeakRemovePair, WeakSetPair};
        matches!(self, WeakNew | WeakSetPair | WeakPair | WeakRemovePair).then_some(1)
    }
}
