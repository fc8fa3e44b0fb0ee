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
    /// A reference to a value of any type that has the trait.
    Trait(DeclId, Vec<Ty>),
    /// A type parameter, in a generic body that is checked by itself; an index into the names of parameters.
    Param(u32),
    Optional(Ty),
    Fn(Vec<Ty>, Ty),
    /// Not known yet; only while a body is being checked.
    Infer(u32),
    /// Something wrong that has been reported; agrees with every type.
    Error,
}

/// The most types that a type is written with: `(int, [int])` is four. Types that hold one another twice double with
/// each step, and nobody reads a message with a type of this size anyway.
pub const SIZE_MAX: u32 = 2000;

/// The types of one program.
#[derive(Debug)]
pub struct Types {
    kinds: Vec<TyKind>,
    /// Whether a type holds an `Infer`, beside `kinds`.
    open: Vec<bool>,
    /// Whether a type holds a `Param`, beside `kinds`.
    generic: Vec<bool>,
    /// How deep types are nested in each other, beside `kinds`.
    depths: Vec<u32>,
    /// How many types a type is written with, beside `kinds`.
    sizes: Vec<u32>,
    /// A type larger than [`SIZE_MAX`] was asked for.
    refused: bool,
    ids: HashMap<TyKind, Ty>,
    aggregates: HashMap<Ty, Aggregate>,
    decls: Vec<DeclName>,
    params: Vec<Symbol>,
}

/// How a declared type is written.
#[derive(Clone, Debug)]
pub struct DeclName {
    /// Its name.
    pub name: Symbol,
    /// Whether it has a notation of its own.
    pub notation: Notation,
}

/// How the arguments of a declared type are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Notation {
    /// `Name[A, B]`
    Named,
    /// `[A]`
    List,
    /// `[A: B]`
    Map,
    /// `A!`
    Result,
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
    /// `int`.
    pub const INT: Ty = Ty(0);
    /// `float`.
    pub const FLOAT: Ty = Ty(1);
    /// `bool`.
    pub const BOOL: Ty = Ty(2);
    /// `byte`.
    pub const BYTE: Ty = Ty(3);
    /// `str`.
    pub const STR: Ty = Ty(4);
    /// `()`.
    pub const UNIT: Ty = Ty(5);
    /// Of what does not come back.
    pub const NEVER: Ty = Ty(6);
    /// Of what has been reported.
    pub const ERROR: Ty = Ty(7);
}

impl Default for Types {
    fn default() -> Types {
        use TyKind::*;
        let mut types = Types {
            kinds: Vec::new(),
            open: Vec::new(),
            generic: Vec::new(),
            depths: Vec::new(),
            sizes: Vec::new(),
            refused: false,
            ids: HashMap::new(),
            aggregates: HashMap::new(),
            decls: Vec::new(),
            params: Vec::new(),
        };
        // in the order of the constants of `Ty`
        for kind in [Int, Float, Bool, Byte, Str, Unit, Never, Error] {
            types.intern(kind);
        }
        types
    }
}

impl Types {
    /// The type of that kind; [`Ty::ERROR`] if it is too large, which [`take_refused`](Types::take_refused) tells.
    pub fn intern(&mut self, kind: TyKind) -> Ty {
        if let Some(&ty) = self.ids.get(&kind) {
            return ty;
        }
        let ty = Ty(self.kinds.len() as u32);
        let (mut open, mut depth, mut size) = (matches!(kind, TyKind::Infer(_)), 0, 1u32);
        let mut generic = matches!(kind, TyKind::Param(_));
        let mut part = |part: Ty| {
            open |= self.is_open(part);
            generic |= self.is_generic(part);
            depth = depth.max(self.depth(part) + 1);
            size = size.saturating_add(self.sizes[part.0 as usize]);
        };
        match &kind {
            TyKind::Tuple(parts) | TyKind::Struct(_, parts) | TyKind::Enum(_, parts) | TyKind::Trait(_, parts) => {
                parts.iter().for_each(|&p| part(p));
            }
            &TyKind::Array(inner) | &TyKind::Optional(inner) => part(inner),
            TyKind::Fn(params, result) => params.iter().chain([result]).for_each(|&p| part(p)),
            _ => {}
        }
        if size > SIZE_MAX {
            self.refused = true;
            return Ty::ERROR;
        }
        self.sizes.push(size);
        self.depths.push(depth);
        self.open.push(open);
        self.generic.push(generic);
        self.kinds.push(kind.clone());
        self.ids.insert(kind, ty);
        ty
    }

    /// Whether a type was too large since this was last asked.
    pub fn take_refused(&mut self) -> bool {
        std::mem::take(&mut self.refused)
    }

    /// The type of that kind, if it has been made.
    pub fn find(&self, kind: &TyKind) -> Option<Ty> {
        self.ids.get(kind).copied()
    }

    /// The type with that number, in the order they were made.
    pub fn nth(&self, index: usize) -> Option<Ty> {
        (index < self.kinds.len()).then_some(Ty(index as u32))
    }

    /// What `ty` is.
    pub fn kind(&self, ty: Ty) -> &TyKind {
        &self.kinds[ty.0 as usize]
    }

    /// `ty?`
    pub fn optional(&mut self, ty: Ty) -> Ty {
        self.intern(TyKind::Optional(ty))
    }

    /// Whether a type has parts that inference has still to find.
    pub fn is_open(&self, ty: Ty) -> bool {
        self.open[ty.0 as usize]
    }

    /// Whether a type has parts that stand for any type: those of a generic body that is checked by itself.
    pub fn is_generic(&self, ty: Ty) -> bool {
        self.generic[ty.0 as usize]
    }

    /// How deep types are nested in this one.
    pub fn depth(&self, ty: Ty) -> u32 {
        self.depths[ty.0 as usize]
    }

    /// How many types a type is written with, itself included.
    pub fn size(&self, ty: Ty) -> u32 {
        self.sizes[ty.0 as usize]
    }

    /// Says how the next declared type is written; its id is their count so far.
    pub fn name_decl(&mut self, name: DeclName) -> DeclId {
        self.decls.push(name);
        DeclId(self.decls.len() as u32 - 1)
    }

    /// A new type parameter, unlike all others.
    pub fn param(&mut self, name: Symbol) -> Ty {
        self.params.push(name);
        self.intern(TyKind::Param(self.params.len() as u32 - 1))
    }

    /// Changes how a declared type is written.
    pub fn set_notation(&mut self, decl: DeclId, notation: Notation) {
        self.decls[decl.0 as usize].notation = notation;
    }

    /// Whether a type is a list, `[A]`.
    pub fn is_list(&self, ty: Ty) -> bool {
        matches!(self.kind(ty), TyKind::Struct(decl, _) if self.decls[decl.0 as usize].notation == Notation::List)
    }

    /// A type as its author would write it: `[int]`, `[str: int]`, `Node[int]?`; `_` for a part not known.
    pub fn display(&self, ty: Ty) -> String {
        let mut out = String::new();
        self.write(ty, &mut out);
        out
    }

    /// What tells a type from all others of a session, whose declarations keep their numbers.
    pub fn identity(&self, ty: Ty) -> String {
        let list = |parts: &[Ty]| parts.iter().map(|&p| self.identity(p)).collect::<Vec<_>>().join(",");
        match self.kind(ty) {
            TyKind::Struct(decl, args) | TyKind::Enum(decl, args) | TyKind::Trait(decl, args) => {
                format!("#{}[{}]", decl.0, list(args))
            }
            TyKind::Tuple(parts) => format!("({})", list(parts)),
            TyKind::Array(inner) => format!("Array[{}]", self.identity(*inner)),
            TyKind::Optional(inner) => format!("({})?", self.identity(*inner)),
            TyKind::Fn(params, result) => format!("fn({})->{}", list(params), self.identity(*result)),
            _ => self.display(ty),
        }
    }

    fn write(&self, ty: Ty, out: &mut String) {
        match self.kind(ty) {
            TyKind::Int => out.push_str("int"),
            TyKind::Float => out.push_str("float"),
            TyKind::Bool => out.push_str("bool"),
            TyKind::Byte => out.push_str("byte"),
            TyKind::Str => out.push_str("str"),
            TyKind::Unit => out.push_str("()"),
            TyKind::Never => out.push_str("never"),
            TyKind::Infer(_) | TyKind::Error => out.push('_'),
            TyKind::Tuple(parts) => self.write_list("(", parts, ")", out),
            TyKind::Array(inner) => self.write_list("Array[", &[*inner], "]", out),
            TyKind::Param(index) => out.push_str(self.params[*index as usize].as_str()),
            TyKind::Struct(decl, args) | TyKind::Enum(decl, args) | TyKind::Trait(decl, args) => {
                let DeclName { name, notation } = &self.decls[decl.0 as usize];
                match (notation, args.as_slice()) {
                    (Notation::List, args @ [_]) => self.write_list("[", args, "]", out),
                    (Notation::Map, &[key, value]) => {
                        out.push('[');
                        self.write(key, out);
                        out.push_str(": ");
                        self.write(value, out);
                        out.push(']');
                    }
                    (Notation::Result, &[inner]) => self.write_postfix(inner, '!', out),
                    _ => {
                        out.push_str(name.as_str());
                        if !args.is_empty() {
                            self.write_list("[", args, "]", out);
                        }
                    }
                }
            }
            TyKind::Optional(inner) => self.write_postfix(*inner, '?', out),
            TyKind::Fn(params, result) => {
                self.write_list("fn(", params, ")", out);
                if *result != Ty::UNIT {
                    out.push_str(" -> ");
                    self.write(*result, out);
                }
            }
        }
    }

    fn write_postfix(&self, inner: Ty, mark: char, out: &mut String) {
        let result = |d: &DeclId| self.decls[d.0 as usize].notation == Notation::Result;
        let bracket = match self.kind(inner) {
            TyKind::Fn(..) | TyKind::Optional(_) => true,
            TyKind::Enum(decl, _) => result(decl),
            _ => false,
        };
        if bracket {
            out.push('(');
        }
        self.write(inner, out);
        if bracket {
            out.push(')');
        }
        out.push(mark);
    }

    fn write_list(&self, open: &str, parts: &[Ty], close: &str, out: &mut String) {
        out.push_str(open);
        for (i, &part) in parts.iter().enumerate() {
            if i > 0 {
                out.push_str(", ");
            }
            self.write(part, out);
        }
        out.push_str(close);
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
