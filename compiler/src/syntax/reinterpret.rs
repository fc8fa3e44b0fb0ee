//! Reading an expression as the type it spells.
//!
//! `Map[str, int]()` parses as an index and a call, since only name resolution knows that `Map` is a type. This turns
//! such an expression into the type; it looks at capitals, never at declarations.

use super::ast::*;
use super::span::Span;
use super::symbol::Symbol;

/// Whether a name is spelt like a type: with a capital, or a built-in type's.
pub fn spells_type(name: Symbol) -> bool {
    let text = name.as_str();
    text.starts_with(|c: char| c.is_ascii_uppercase()) || matches!(text, "int" | "float" | "bool" | "byte" | "str")
}

/// The type that `e` spells, if it spells one: `Tree[K, V]`, `geometry.Point`, `[int]`, `[str: int]`, `(A, B)`, `T?`.
pub fn as_type(e: &Expr) -> Option<TypeExpr> {
    let kind = match &e.kind {
        ExprKind::TypeName(name) => named(vec![Ident { name: *name, span: e.span }]),
        ExprKind::FnType(ty) => return Some((**ty).clone()),
        ExprKind::Tuple(items) => TypeKind::Tuple(items.iter().map(as_type).collect::<Option<_>>()?),
        ExprKind::List(items) => match items.as_slice() {
            [item] => TypeKind::List(Box::new(as_type(item)?)),
            _ => return None,
        },
        ExprKind::Map(pairs) => match pairs.as_slice() {
            [(key, value)] => TypeKind::Map(Box::new(as_type(key)?), Box::new(as_type(value)?)),
            _ => return None,
        },
        ExprKind::Postfix { base, ops } => return chain(base, ops),
        _ => return None,
    };
    Some(TypeExpr { kind, span: e.span })
}

/// The type that an index argument spells, if it spells one.
pub fn arg_as_type(arg: &IndexArg) -> Option<TypeExpr> {
    match arg {
        IndexArg::Expr(e) => as_type(e),
        IndexArg::Type(ty) => Some(ty.clone()),
    }
}

fn named(path: Vec<Ident>) -> TypeKind {
    TypeKind::Named { path, args: Vec::new() }
}

fn chain(base: &Expr, ops: &[Postfix]) -> Option<TypeExpr> {
    let mut span: Span = base.span;
    let mut kind = match base.kind {
        ExprKind::Name(name) => named(vec![Ident { name, span }]),
        _ => as_type(base)?.kind,
    };
    for op in ops {
        let whole = span.to(op.span);
        kind = match (&op.kind, kind) {
            (PostfixKind::Field(name), TypeKind::Named { mut path, args }) if args.is_empty() => {
                path.push(*name);
                TypeKind::Named { path, args }
            }
            (PostfixKind::Index(items), TypeKind::Named { path, args }) if args.is_empty() => {
                TypeKind::Named { path, args: items.iter().map(arg_as_type).collect::<Option<_>>()? }
            }
            (PostfixKind::Try, kind) => TypeKind::Optional(Box::new(TypeExpr { kind, span })),
            (PostfixKind::Unwrap, kind) => TypeKind::Result(Box::new(TypeExpr { kind, span })),
            _ => return None,
        };
        span = whole;
    }
    complete(&kind).then_some(TypeExpr { kind, span })
}

/// Whether every path in it ends in a type's name.
fn complete(kind: &TypeKind) -> bool {
    match kind {
        TypeKind::Named { path, .. } => path.last().is_some_and(|last| spells_type(last.name)),
        TypeKind::Optional(inner) | TypeKind::Result(inner) => complete(&inner.kind),
        _ => true,
    }
}
