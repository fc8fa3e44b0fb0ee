//! Types of the language, interned: two types are equal exactly when their [`Ty`]s are.

use crate::syntax::symbol::Symbol;
use hashbrown::HashMap;

/// A type, an index into [`Types`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct Ty(pub u32);

/// A declared struct, enum or trait, an index into the checker's declarations. Several instances share one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct DeclId(pub u32);

/// What a type is.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs, reason = "named as in the language")]
pub enum TyKind {
    Int,
    Float,
    Bool,
    Byte,
    Str,
    Unit,
    /// Of an expression that does not come back.
    Never,
    /// Two or more.
    Tuple(Vec<Ty>),
    /// The core library's fixed-length array, on which lists and maps are built.
    Array(Ty),
    Struct(DeclId, Vec<Ty>),
    Enum(DeclId, Vec<Ty>),
    Optional(Ty),
    Fn(Vec<Ty>, Ty),
    /// Not known yet; only while a body is being checked.
    Infer(u32),
    /// Something wrong that has been reported; agrees with every type.
    Error,
}

/// The types of one program.
#[derive(Debug)]
pub struct Types {
    kinds: Vec<TyKind>,
    ids: HashMap<TyKind, Ty>,
    aggregates: HashMap<Ty, Aggregate>,
}

/// The shape of a struct or enum instance.
#[derive(Clone, Debug)]
pub struct Aggregate {
    /// As the author would write it: `Node[int]`.
    pub name: String,
    /// One for a struct, one for each variant of an enum, in source order.
    pub variants: Vec<Variant>,
}

/// The fields of a struct, or of a variant.
#[derive(Clone, Debug)]
pub struct Variant {
    /// Of the struct or the variant.
    pub name: Symbol,
    /// In source order.
    pub fields: Vec<Field>,
}

/// A field.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name.
    pub name: Symbol,
    /// Its type.
    pub ty: Ty,
    /// Whether it can be assigned after construction.
    pub mutable: bool,
}

impl Ty {
    pub const INT: Ty = Ty(0);
    pub const FLOAT: Ty = Ty(1);
    pub const BOOL: Ty = Ty(2);
    pub const BYTE: Ty = Ty(3);
    pub const STR: Ty = Ty(4);
    pub const UNIT: Ty = Ty(5);
    pub const NEVER: Ty = Ty(6);
    pub const ERROR: Ty = Ty(7);
}

impl Default for Types {
    fn default() -> Types {
        use TyKind::*;
        let mut types = Types { kinds: Vec::new(), ids: HashMap::new(), aggregates: HashMap::new() };
        // in the order of the constants of `Ty`
        for kind in [Int, Float, Bool, Byte, Str, Unit, Never, Error] {
            types.intern(kind);
        }
        types
    }
}

impl Types {
    /// The type of that kind.
    pub fn intern(&mut self, kind: TyKind) -> Ty {
        if let Some(&ty) = self.ids.get(&kind) {
            return ty;
        }
        let ty = Ty(self.kinds.len() as u32);
        self.kinds.push(kind.clone());
        self.ids.insert(kind, ty);
        ty
    }

    /// What `ty` is.
    pub fn kind(&self, ty: Ty) -> &TyKind {
        &self.kinds[ty.0 as usize]
    }

    /// `ty?`
    pub fn optional(&mut self, ty: Ty) -> Ty {
        self.intern(TyKind::Optional(ty))
    }

    /// Records the fields of a struct or enum instance.
    pub fn set_aggregate(&mut self, ty: Ty, aggregate: Aggregate) {
        self.aggregates.insert(ty, aggregate);
    }

    /// The fields of a struct or enum instance, once recorded.
    pub fn aggregate(&self, ty: Ty) -> Option<&Aggregate> {
        self.aggregates.get(&ty)
    }

    /// Whether values of `ty` are references to heap objects. A `T?` is always one: nil, or `T` itself if that is
    /// a reference other than an optional, or a box with a `T` in it.
    pub fn is_reference(&self, ty: Ty) -> bool {
        use TyKind::*;
        !matches!(self.kind(ty), Int | Float | Bool | Byte | Unit | Never)
    }

    /// Whether a `T?` of this `T` needs a box, because `T` itself has no room for nil.
    pub fn optional_is_boxed(&self, inner: Ty) -> bool {
        !self.is_reference(inner) || matches!(self.kind(inner), TyKind::Optional(_))
    }
}
