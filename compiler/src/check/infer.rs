//! Inference variables: types that a body has yet to reveal, solved by unification (Robinson 1965) over union-find.
//!
//! Invariants
//! - N1. A table belongs to one body, closures included; its variables never leave it.
//! - N2. No variable is bound to a type that holds it.

use crate::hir::{Ty, TyKind, Types};
use crate::syntax::span::Span;
use ena::unify::{InPlaceUnificationTable, NoError, UnifyKey, UnifyValue};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Var(u32);

#[derive(Clone, Copy, Debug)]
struct Bound(Option<Ty>);

impl UnifyKey for Var {
    type Value = Bound;
    fn index(&self) -> u32 {
        self.0
    }
    fn from_index(index: u32) -> Var {
        Var(index)
    }
    fn tag() -> &'static str {
        "Var"
    }
}

impl UnifyValue for Bound {
    type Error = NoError;
    fn unify_values(a: &Bound, b: &Bound) -> Result<Bound, NoError> {
        Ok(Bound(a.0.or(b.0)))
    }
}

/// The variables of a body.
#[derive(Default)]
pub(super) struct Infer {
    table: InPlaceUnificationTable<Var>,
    origins: Vec<Span>,
}

impl Infer {
    /// A new variable; `origin` is what an error about it marks.
    pub fn fresh(&mut self, types: &mut Types, origin: Span) -> Ty {
        let var = self.table.new_key(Bound(None));
        self.origins.push(origin);
        types.intern(TyKind::Infer(var.0))
    }

    /// The place that introduced a variable.
    pub fn origin(&self, var: u32) -> Span {
        self.origins[var as usize]
    }

    /// The type with its outermost variable replaced.
    pub fn shallow(&mut self, types: &Types, mut ty: Ty) -> Ty {
        while let &TyKind::Infer(var) = types.kind(ty) {
            match self.table.probe_value(Var(var)).0 {
                Some(bound) => ty = bound,
                None => {
                    let root = self.table.find(Var(var));
                    if root.0 == var {
                        return ty;
                    }
                    // roots were interned when they were made
                    return types.find(&TyKind::Infer(root.0)).unwrap_or(ty);
                }
            }
        }
        ty
    }

    /// The type with all solved variables replaced.
    pub fn deep(&mut self, types: &mut Types, ty: Ty) -> Ty {
        if !types.is_open(ty) {
            return ty;
        }
        let ty = self.shallow(types, ty);
        let kind = match types.kind(ty).clone() {
            TyKind::Tuple(parts) => TyKind::Tuple(self.deep_all(types, parts)),
            TyKind::Struct(decl, args) => TyKind::Struct(decl, self.deep_all(types, args)),
            TyKind::Enum(decl, args) => TyKind::Enum(decl, self.deep_all(types, args)),
            TyKind::Trait(decl, args) => TyKind::Trait(decl, self.deep_all(types, args)),
            TyKind::Array(inner) => TyKind::Array(self.deep(types, inner)),
            TyKind::Optional(inner) => TyKind::Optional(self.deep(types, inner)),
            TyKind::Fn(params, result) => TyKind::Fn(self.deep_all(types, params), self.deep(types, result)),
            _ => return ty,
        };
        types.intern(kind)
    }

    fn deep_all(&mut self, types: &mut Types, parts: Vec<Ty>) -> Vec<Ty> {
        parts.into_iter().map(|part| self.deep(types, part)).collect()
    }

    /// The first unsolved variable in a type.
    pub fn unsolved(&mut self, types: &mut Types, ty: Ty) -> Option<u32> {
        let ty = self.deep(types, ty);
        first_var(types, ty)
    }

    /// Makes two types equal by binding variables; false when they can't be.
    pub fn unify(&mut self, types: &mut Types, a: Ty, b: Ty) -> bool {
        let (a, b) = (self.shallow(types, a), self.shallow(types, b));
        if a == b {
            return true;
        }
        if a == Ty::ERROR || b == Ty::ERROR {
            // what depends on a mistake is not asked about again
            self.spoil(types, a);
            self.spoil(types, b);
            return true;
        }
        if !types.is_open(a) && !types.is_open(b) && !mentions_error(types, a) && !mentions_error(types, b) {
            return false;
        }
        match (types.kind(a).clone(), types.kind(b).clone()) {
            (TyKind::Infer(x), TyKind::Infer(y)) => {
                self.table.union(Var(x), Var(y));
                true
            }
            (TyKind::Infer(x), _) => self.bind(types, x, b),
            (_, TyKind::Infer(y)) => self.bind(types, y, a),
            (TyKind::Tuple(xs), TyKind::Tuple(ys)) => self.unify_all(types, &xs, &ys),
            (TyKind::Struct(d, xs), TyKind::Struct(e, ys))
            | (TyKind::Enum(d, xs), TyKind::Enum(e, ys))
            | (TyKind::Trait(d, xs), TyKind::Trait(e, ys)) => d == e && self.unify_all(types, &xs, &ys),
            (TyKind::Array(x), TyKind::Array(y)) | (TyKind::Optional(x), TyKind::Optional(y)) => {
                self.unify(types, x, y)
            }
            (TyKind::Fn(xs, x), TyKind::Fn(ys, y)) => self.unify_all(types, &xs, &ys) && self.unify(types, x, y),
            _ => false,
        }
    }

    fn unify_all(&mut self, types: &mut Types, xs: &[Ty], ys: &[Ty]) -> bool {
        xs.len() == ys.len() && xs.iter().zip(ys).all(|(&x, &y)| self.unify(types, x, y))
    }

    /// Solves all variables in a type with the type of what went wrong.
    fn spoil(&mut self, types: &mut Types, ty: Ty) {
        while let Some(var) = self.unsolved(types, ty) {
            self.bind(types, var, Ty::ERROR);
        }
    }

    fn bind(&mut self, types: &mut Types, var: u32, ty: Ty) -> bool {
        let ty = self.deep(types, ty);
        let root = self.table.find(Var(var));
        if holds(types, ty, root.0) {
            return false;
        }
        self.table.union_value(root, Bound(Some(ty)));
        true
    }
}

/// The types that a type is made of.
pub(super) fn parts(types: &Types, ty: Ty) -> impl Iterator<Item = Ty> {
    let (many, one): (&[Ty], Option<Ty>) = match types.kind(ty) {
        TyKind::Tuple(parts) | TyKind::Struct(_, parts) | TyKind::Enum(_, parts) | TyKind::Trait(_, parts) => {
            (parts, None)
        }
        &TyKind::Array(inner) | &TyKind::Optional(inner) => (&[], Some(inner)),
        TyKind::Fn(params, result) => (params, Some(*result)),
        _ => (&[], None),
    };
    many.iter().copied().chain(one)
}

fn first_var(types: &Types, ty: Ty) -> Option<u32> {
    if !types.is_open(ty) {
        return None;
    }
    match types.kind(ty) {
        &TyKind::Infer(var) => Some(var),
        _ => parts(types, ty).find_map(|part| first_var(types, part)),
    }
}

fn holds(types: &Types, ty: Ty, var: u32) -> bool {
    types.is_open(ty) && (*types.kind(ty) == TyKind::Infer(var) || parts(types, ty).any(|part| holds(types, part, var)))
}

/// Whether something wrong, and reported, is part of a type.
pub(super) fn mentions_error(types: &Types, ty: Ty) -> bool {
    ty == Ty::ERROR || parts(types, ty).any(|part| mentions_error(types, part))
}
