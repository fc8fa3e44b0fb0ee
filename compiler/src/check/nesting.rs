//! What a type is made of, as far as derived operations go: whether they exist for it, what is in the way if not, and
//! whether its values can hold values of the same type again.
//!
//! A type that declares the operation itself is a leaf here: what it does inside is its own business.

use super::Checker;
use super::decls::TypeDeclKind;
use super::derive::Derive;
use super::implement::Found;
use crate::hir::{Ty, TyKind};
use crate::syntax::ast;
use crate::syntax::symbol::Symbol;
use hashbrown::HashSet;

/// How many parts of a type inside each other are looked at; the others are when the operation is made.
const PARTS_MAX: usize = 64;

/// What the values of a type can hold.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Nesting {
    /// Values nested without end, perhaps around a cycle.
    pub endless: bool,
    pub floats: bool,
}

/// Why a type has no derived operation.
pub(super) struct Obstacle {
    /// The fields that lead to it, outermost first; empty if it is the type itself.
    pub path: Vec<String>,
    pub what: Hindrance,
}

pub(super) enum Hindrance {
    /// A field declared with `var`, the last of the path.
    Mutable(ast::Ident),
    /// A type that has not got the operation.
    Type(Ty),
}

/// A type inside another, and the name of its field.
struct Inner {
    name: Option<String>,
    ty: Ty,
}

impl Checker<'_> {
    /// The method of a type that takes the place of a derived operation.
    pub(super) fn written_operation(&mut self, derive: Derive, ty: Ty) -> Option<Found> {
        let found = self.methods_named(ty, Symbol::new(derive.method())).into_iter().next()?;
        let ast = self.function(found.decl).ast;
        // a method that happens to have the name is another one
        (ast.receiver.is_some() && ast.params.len() == usize::from(derive.is_binary())).then_some(found)
    }

    /// Whether a type has an operation, written or derived.
    pub(super) fn structural(&mut self, ty: Ty, derive: Derive) -> bool {
        self.obstacle(ty, derive).is_none()
    }

    /// What keeps a type from having an operation.
    pub(super) fn obstacle(&mut self, ty: Ty, derive: Derive) -> Option<Obstacle> {
        self.obstacle_within(ty, derive.plain(), &mut Vec::new())
    }

    fn obstacle_within(&mut self, ty: Ty, derive: Derive, seen: &mut Vec<Ty>) -> Option<Obstacle> {
        if seen.contains(&ty) || seen.len() > PARTS_MAX {
            return None;
        }
        seen.push(ty);
        let itself = |stands: bool| (!stands).then(|| Obstacle { path: Vec::new(), what: Hindrance::Type(ty) });
        let ordered = matches!(derive, Derive::Compare | Derive::Hash);
        match self.types.kind(ty).clone() {
            TyKind::Fn(..) => return itself(matches!(derive, Derive::Show | Derive::Inspect)),
            TyKind::Array(_) if ordered => return itself(false),
            TyKind::Param(_) => {
                let wanted = ["Eq", "Ord", "Hash", "Show"]
                    .into_iter()
                    .filter_map(|t| self.core_trait(t))
                    .find(|&t| self.structural_trait(t) == Some(derive));
                let all = self.traits_of(ty);
                return itself(!ordered || all.iter().any(|h| wanted == Some(h.wanted)));
            }
            TyKind::Trait(..) => return itself(derive != Derive::Compare),
            TyKind::Struct(decl, _) | TyKind::Enum(decl, _) => {
                let collection = self.is_collection(ty);
                if collection && (derive == Derive::Hash || ordered && Some(decl) != self.lang.list) {
                    return itself(false);
                }
                if !collection && self.written_operation(derive, ty).is_some() {
                    return None;
                }
                if let TypeDeclKind::Struct(ast) = self.decl(decl).kind
                    && derive == Derive::Hash
                    && let Some(field) = ast.fields.iter().find(|f| f.mutable)
                {
                    let path = vec![field.name.name.to_string()];
                    return Some(Obstacle { path, what: Hindrance::Mutable(field.name) });
                }
            }
            _ => {}
        }
        self.inner_types(ty).into_iter().find_map(|inner| {
            let mut found = self.obstacle_within(inner.ty, derive, seen)?;
            if let Some(name) = inner.name {
                found.path.insert(0, name);
            }
            Some(found)
        })
    }

    /// What values of a type can hold, as far as an operation derived for them looks.
    pub(super) fn nesting(&mut self, derive: Derive, ty: Ty) -> Nesting {
        let key = (derive.plain(), ty);
        if let Some(&known) = self.nestings.get(&key) {
            return known;
        }
        let mut nesting = Nesting::default();
        self.look_into(key.0, ty, &mut Vec::new(), &mut HashSet::new(), &mut nesting);
        self.nestings.insert(key, nesting);
        nesting
    }

    fn look_into(&mut self, derive: Derive, ty: Ty, around: &mut Vec<Ty>, seen: &mut HashSet<Ty>, out: &mut Nesting) {
        if around.contains(&ty) || around.len() > PARTS_MAX {
            out.endless = true;
            return;
        }
        if !seen.insert(ty) {
            return;
        }
        match self.types.kind(ty).clone() {
            TyKind::Float => out.floats = true,
            // anything can be behind it
            TyKind::Trait(..) => *out = Nesting { endless: true, floats: true },
            TyKind::Struct(..) | TyKind::Enum(..)
                if !self.is_collection(ty) && self.written_operation(derive, ty).is_some() => {}
            _ => {
                around.push(ty);
                for inner in self.inner_types(ty) {
                    self.look_into(derive, inner.ty, around, seen, out);
                }
                around.pop();
            }
        }
    }

    /// Whether a type is one of those whose operations the core library has.
    pub(super) fn is_collection(&self, ty: Ty) -> bool {
        match self.types.kind(ty) {
            TyKind::Array(_) => true,
            TyKind::Struct(decl, _) => [self.lang.list, self.lang.map, self.lang.set].contains(&Some(*decl)),
            _ => false,
        }
    }

    /// The types of a type's fields and elements.
    fn inner_types(&mut self, ty: Ty) -> Vec<Inner> {
        let plain = |ty| Inner { name: None, ty };
        match self.types.kind(ty).clone() {
            TyKind::Array(inner) | TyKind::Optional(inner) => vec![plain(inner)],
            TyKind::Tuple(parts) => {
                parts.into_iter().enumerate().map(|(i, ty)| Inner { name: Some(i.to_string()), ty }).collect()
            }
            TyKind::Struct(decl, args) | TyKind::Enum(decl, args) => {
                if self.is_collection(ty) {
                    return args.into_iter().map(plain).collect();
                }
                let fields: Vec<(String, usize, usize)> = match self.decl(decl).kind {
                    TypeDeclKind::Struct(ast) => {
                        let fields = ast.fields.iter().enumerate();
                        fields.map(|(i, f)| (f.name.name.to_string(), 0, i)).collect()
                    }
                    TypeDeclKind::Enum(ast) => {
                        let variants = ast.variants.iter().enumerate();
                        variants
                            .flat_map(|(v, variant)| {
                                let fields = variant.fields.iter().enumerate();
                                fields.map(move |(i, f)| (format!("{}.{}", variant.name.name, f.name.name), v, i))
                            })
                            .collect()
                    }
                    TypeDeclKind::Trait(_) => Vec::new(),
                };
                let fields = fields.into_iter();
                fields
                    .map(|(name, variant, field)| Inner {
                        name: Some(name),
                        ty: self.field_type(ty, variant, field, &mut Vec::new()),
                    })
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    /// The type of what a derived operation hands on besides the values.
    pub(super) fn walk_type(&mut self, derive: Derive) -> Option<Ty> {
        let name = match derive {
            Derive::EqIn | Derive::CompareIn => "Comparing",
            Derive::ShowIn => "Showing",
            Derive::HashIn => return Some(Ty::INT),
            _ => return None,
        };
        Some(self.core_struct(name))
    }
}
