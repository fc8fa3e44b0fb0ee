//! Patterns → tests and bindings (H5): a pattern becomes a list of steps, and `match` a `Cond`.
//!
//! Each pattern also gives its [`Pat`], the form in which `exhaustive` compares patterns.

use super::body::{Binding, Body, Expect, Stable};
use super::coerce::Why;
use super::decls::{Def, TypeDeclKind};
use super::derive::Derive;
use super::exhaustive::{Ctor, Pat};
use super::matching::too_intricate;
use super::report::{count, did_you_mean, nearest};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::hir::{DeclId, ExprId, ExprKind, Intrinsic, LocalId, Ty, TyKind};
use crate::prim::Prim;
use crate::syntax::ast::{self, PatternFields, PatternKind};
use crate::syntax::span::Span;
use crate::syntax::symbol::Symbol;

/// A step of trying a pattern.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// Has to be true.
    Test(ExprId),
    /// A statement, mostly a `Let`.
    Bind(ExprId),
}

impl Step {
    pub fn id(self) -> ExprId {
        match self {
            Step::Test(id) | Step::Bind(id) => id,
        }
    }
}

/// What a pattern has bound so far.
#[derive(Default)]
pub(super) struct Bound {
    pub names: Vec<(Symbol, LocalId, Span)>,
    pub mutable: bool,
    /// In a further alternative of `a | b`: names come from the first.
    pub again: bool,
}

impl<'a> Body<'_, 'a> {
    /// Joins steps into one condition.
    pub fn assemble(&mut self, steps: Vec<Step>, span: Span) -> ExprId {
        let mut result: Option<ExprId> = None;
        let mut lets: Vec<ExprId> = Vec::new();
        for step in steps.into_iter().rev() {
            match step {
                Step::Bind(id) => lets.push(id),
                Step::Test(id) => {
                    result = self.flush(&mut lets, result, span);
                    result = Some(match result {
                        None => id,
                        Some(rest) => self.emit(ExprKind::And(id, rest), Ty::BOOL, span),
                    });
                }
            }
        }
        match self.flush(&mut lets, result, span) {
            Some(id) => id,
            None => self.bool(true, span),
        }
    }

    pub fn flush(&mut self, lets: &mut Vec<ExprId>, rest: Option<ExprId>, span: Span) -> Option<ExprId> {
        if lets.is_empty() {
            return rest;
        }
        let mut stmts = std::mem::take(lets);
        stmts.reverse();
        let value = match rest {
            Some(rest) => rest,
            None => self.bool(true, span),
        };
        Some(self.emit(ExprKind::Block(stmts, Some(value)), Ty::BOOL, span))
    }

    /// `let p = e` in a condition; `let x = e` on a `T?` means `x?`.
    pub fn let_condition(&mut self, pattern: &'a ast::Pattern, value: &'a ast::Expr, steps: &mut Vec<Step>) {
        let id = self.raw(value, Expect::Any);
        let ty = self.ty(id);
        let mut lets = Vec::new();
        let subject = self.stable("#subject", id, &mut lets);
        steps.extend(lets.into_iter().map(Step::Bind));
        let mut bound = Bound::default();
        let optional = match self.kind(ty) {
            TyKind::Optional(inner)
                if !matches!(pattern.kind, PatternKind::Nil | PatternKind::Some(_) | PatternKind::Or(_)) =>
            {
                Some(inner)
            }
            _ => None,
        };
        let pat = match optional {
            Some(inner) => self.present(pattern, &subject, inner, value.span, steps, &mut bound),
            None => self.pattern(pattern, &subject, ty, steps, &mut bound),
        };
        if optional.is_none() && ty != Ty::ERROR && pat == Pat::Wild {
            let shown = self.show(ty);
            self.report(
                Diagnostic::error(
                    codes::ALWAYS_MATCHES,
                    value.span,
                    format!("this always matches: the value is never nil, its type is {shown}"),
                )
                .help("use a plain `let`"),
            );
        }
        self.bind_all(bound);
    }

    pub fn bind_all(&mut self, bound: Bound) {
        for (name, local, _) in bound.names {
            self.bind(name, Binding::Local(local));
        }
    }

    /// Takes a value apart with a pattern that always matches; gives the statements.
    pub fn irrefutable(&mut self, pattern: &'a ast::Pattern, value: ExprId, ty: Ty, mutable: bool) -> Vec<ExprId> {
        let mut lets = Vec::new();
        let subject = self.stable("#subject", value, &mut lets);
        let mut steps: Vec<Step> = lets.into_iter().map(Step::Bind).collect();
        let mut bound = Bound { mutable, ..Bound::default() };
        let pat = self.pattern(pattern, &subject, ty, &mut steps, &mut bound);
        self.bind_all(bound);
        let Ok(missing) = self.missing(&[vec![pat]], &[ty]) else {
            self.report(too_intricate(pattern.span));
            return Vec::new();
        };
        if let Some(missing) = missing {
            self.report(
                Diagnostic::error(
                    codes::NOT_EXHAUSTIVE,
                    pattern.span,
                    format!("this pattern doesn't match all values: `{}` is missing", missing[0]),
                )
                .help("take it apart with `if let` or `match`"),
            );
        }
        // a test that can't fail (the only variant) is left out
        let bind = |step: Step| match step {
            Step::Bind(id) => Some(id),
            Step::Test(_) => None,
        };
        steps.into_iter().filter_map(bind).collect()
    }

    pub fn bind_name(
        &mut self,
        name: Symbol,
        value: ExprId,
        ty: Ty,
        span: Span,
        steps: &mut Vec<Step>,
        bound: &mut Bound,
    ) {
        let known = bound.names.iter().find(|b| b.0 == name).map(|b| (b.1, b.2));
        let local = match known {
            Some((local, _)) if bound.again => {
                let first = self.frame().locals[local.0 as usize].ty;
                if !self.unify(first, ty) {
                    let (a, b) = (self.show(first), self.show(ty));
                    let message = format!("`{name}` is {a} in one alternative and {b} in another");
                    self.report(Diagnostic::error(codes::PATTERN_BINDINGS, span, message));
                }
                local
            }
            Some((local, first)) => {
                let message = format!("`{name}` is bound twice in this pattern");
                self.report(Diagnostic::error(codes::PATTERN_BINDINGS, span, message).and(first, "first here"));
                local
            }
            None => {
                if bound.again {
                    let message = format!("`{name}` is not bound in all alternatives");
                    self.report(Diagnostic::error(codes::PATTERN_BINDINGS, span, message));
                }
                let mutable = bound.mutable;
                let local = self.local(name, ty, mutable, span);
                bound.names.push((name, local, span));
                local
            }
        };
        steps.push(Step::Bind(self.emit(ExprKind::Let(local, value), Ty::UNIT, span)));
    }

    /// The pattern of what is inside a `T?` that is there.
    pub fn present(
        &mut self,
        pattern: &'a ast::Pattern,
        subject: &Stable,
        inner: Ty,
        span: Span,
        steps: &mut Vec<Step>,
        bound: &mut Bound,
    ) -> Pat {
        let read = self.again(subject);
        let nil = self.emit(ExprKind::IsNil(read), Ty::BOOL, span);
        steps.push(Step::Test(self.emit(ExprKind::Prim(Prim::BoolNot, vec![nil]), Ty::BOOL, span)));
        let read = self.again(subject);
        let value = self.emit(ExprKind::Unwrap(read), inner, span);
        Pat::Ctor(Ctor::Some, vec![self.part(pattern, value, inner, steps, bound)])
    }

    /// A pattern on a part of a value.
    pub fn part(
        &mut self,
        pattern: &'a ast::Pattern,
        value: ExprId,
        ty: Ty,
        steps: &mut Vec<Step>,
        bound: &mut Bound,
    ) -> Pat {
        match pattern.kind {
            PatternKind::Wildcard => Pat::Wild,
            PatternKind::Bind(name) => {
                self.bind_name(name, value, ty, pattern.span, steps, bound);
                Pat::Wild
            }
            _ => {
                let mut lets = Vec::new();
                let subject = self.stable("#part", value, &mut lets);
                steps.extend(lets.into_iter().map(Step::Bind));
                self.pattern(pattern, &subject, ty, steps, bound)
            }
        }
    }

    pub fn pattern(
        &mut self,
        pattern: &'a ast::Pattern,
        subject: &Stable,
        ty: Ty,
        steps: &mut Vec<Step>,
        bound: &mut Bound,
    ) -> Pat {
        let span = pattern.span;
        let ty = self.shallow(ty);
        let tag = self.tag.take();
        match &pattern.kind {
            PatternKind::Error | PatternKind::Wildcard => Pat::Wild,
            PatternKind::Bind(name) => {
                let value = self.again(subject);
                self.bind_name(*name, value, ty, span, steps, bound);
                Pat::Wild
            }
            PatternKind::Nil => {
                let inner = self.fresh(span);
                let optional = self.cx.optional(inner);
                if !self.unify(ty, optional) {
                    self.wrong_pattern("nil", ty, span);
                    return Pat::Wild;
                }
                let read = self.again(subject);
                steps.push(Step::Test(self.emit(ExprKind::IsNil(read), Ty::BOOL, span)));
                Pat::Ctor(Ctor::Nil, Vec::new())
            }
            PatternKind::Some(part) => {
                let inner = self.fresh(span);
                let optional = self.cx.optional(inner);
                if !self.unify(ty, optional) {
                    self.wrong_pattern("a value that may be nil", ty, span);
                    let mut names = Vec::new();
                    super::decls::bound_names(part, &mut names);
                    self.bind_broken(names, bound);
                    return Pat::Wild;
                }
                let inner = self.shallow(inner);
                self.present(part, subject, inner, span, steps, bound)
            }
            PatternKind::Literal(literal) => self.literal_pattern(literal, subject, ty, steps),
            PatternKind::Range { lo, hi, inclusive } => {
                self.range_pattern((lo.as_deref(), hi.as_deref(), *inclusive), subject, ty, span, steps)
            }
            PatternKind::Tuple(parts) => self.tuple_pattern(parts, subject, ty, span, steps, bound),
            PatternKind::List { prefix, rest, suffix } => {
                self.list_pattern(prefix, *rest, suffix, subject, ty, span, steps, bound)
            }
            PatternKind::Or(parts) => self.or_pattern(parts, subject, ty, tag, span, steps, bound),
            PatternKind::Variant { path, fields } => {
                self.variant_pattern(path, fields.as_ref(), subject, ty, tag, span, steps, bound)
            }
        }
    }

    pub fn bind_broken(&mut self, names: Vec<ast::Ident>, bound: &mut Bound) {
        for name in names {
            if bound.names.iter().all(|b| b.0 != name.name) {
                let local = self.local(name.name, Ty::ERROR, false, name.span);
                bound.names.push((name.name, local, name.span));
            }
        }
    }

    pub fn wrong_pattern(&mut self, what: &str, ty: Ty, span: Span) {
        if self.is_broken(ty) {
            return;
        }
        let shown = self.show(ty);
        let mut diagnostic = Diagnostic::error(
            codes::PATTERN_TYPE,
            span,
            format!("this pattern is for {what}, the value has type {shown}"),
        );
        if self.is_optional(ty) {
            diagnostic = diagnostic.help("a value that may be nil is matched by `nil` and `p?`");
        }
        self.report(diagnostic);
    }

    pub fn literal_pattern(&mut self, literal: &'a ast::Expr, subject: &Stable, ty: Ty, steps: &mut Vec<Step>) -> Pat {
        let id = self.expr(literal, Expect::Type(ty));
        let literal_ty = self.ty(id);
        if !self.unify(ty, literal_ty) {
            let shown = self.show(literal_ty);
            self.wrong_pattern(&shown, ty, literal.span);
            return Pat::Wild;
        }
        let ctor = self.ctor_of(id, literal.span);
        let read = self.again(subject);
        steps.push(Step::Test(self.value_op(Derive::Eq, vec![read, id], literal.span)));
        Pat::Ctor(ctor, Vec::new())
    }

    /// What a pattern that compares with this value matches, as far as it can be told from other patterns.
    fn ctor_of(&mut self, value: ExprId, span: Span) -> Ctor {
        match self.frame().exprs[value.0 as usize].kind {
            ExprKind::Int(value) => Ctor::Range(i128::from(value), i128::from(value)),
            ExprKind::Byte(value) => Ctor::Range(i128::from(value), i128::from(value)),
            ExprKind::Bool(value) => Ctor::Bool(value),
            ExprKind::Str(text) => Ctor::Str(text),
            ExprKind::Float(value) => Ctor::Float(value.to_bits()),
            _ => Ctor::Opaque(span.lo),
        }
    }

    pub fn range_pattern(
        &mut self,
        (lo, hi, inclusive): (Option<&'a ast::Expr>, Option<&'a ast::Expr>, bool),
        subject: &Stable,
        ty: Ty,
        span: Span,
        steps: &mut Vec<Step>,
    ) -> Pat {
        use ast::BinaryOp::{Ge, Le, Lt};
        let mut ends: [Option<i128>; 2] = [None; 2];
        for (at, end) in [lo, hi].into_iter().enumerate() {
            let Some(end) = end else { continue };
            let id = self.expr(end, Expect::Type(ty));
            let end_ty = self.ty(id);
            if !self.unify(ty, end_ty) {
                let shown = self.show(end_ty);
                self.wrong_pattern(&format!("a range of {shown}"), ty, span);
                return Pat::Wild;
            }
            ends[at] = match self.frame().exprs[id.0 as usize].kind {
                ExprKind::Int(value) => Some(i128::from(value)),
                ExprKind::Byte(value) => Some(i128::from(value)),
                _ => None,
            };
            let op = match (at, inclusive) {
                (0, _) => Ge,
                (_, true) => Le,
                (_, false) => Lt,
            };
            let read = self.again(subject);
            steps.push(Step::Test(self.compare_ids(op, read, id, span)));
        }
        let (min, max) = match self.shallow(ty) {
            Ty::INT => (i128::from(i64::MIN), i128::from(i64::MAX)),
            Ty::BYTE => (0, 255),
            // of floats and strings no range is ever needed to cover all
            _ => return Pat::Ctor(Ctor::Opaque(span.lo), Vec::new()),
        };
        // an end that is computed from other constants: which values it covers is not known here
        if (lo.is_some() && ends[0].is_none()) || (hi.is_some() && ends[1].is_none()) {
            return Pat::Ctor(Ctor::Opaque(span.lo), Vec::new());
        }
        let low = ends[0].unwrap_or(min);
        let high = ends[1].map_or(max, |high| high - i128::from(!inclusive));
        if low > high {
            self.report(Diagnostic::error(codes::EMPTY_RANGE, span, "this range is empty"));
            return Pat::Wild;
        }
        Pat::Ctor(Ctor::Range(low, high), Vec::new())
    }

    pub fn tuple_pattern(
        &mut self,
        parts: &'a [ast::Pattern],
        subject: &Stable,
        ty: Ty,
        span: Span,
        steps: &mut Vec<Step>,
        bound: &mut Bound,
    ) -> Pat {
        let fresh: Vec<Ty> = parts.iter().map(|p| self.fresh(p.span)).collect();
        let tuple = self.cx.tuple(fresh.clone());
        if !self.unify(ty, tuple) {
            self.wrong_pattern(&format!("a tuple of {}", parts.len()), ty, span);
            let mut names = Vec::new();
            parts.iter().for_each(|p| super::decls::bound_names(p, &mut names));
            self.bind_broken(names, bound);
            return Pat::Wild;
        }
        let mut pats = Vec::new();
        for (index, (part, ty)) in parts.iter().zip(fresh).enumerate() {
            if matches!(part.kind, PatternKind::Wildcard) {
                pats.push(Pat::Wild);
                continue;
            }
            let ty = self.shallow(ty);
            let read = self.again(subject);
            let value = self.emit(ExprKind::TupleField(read, index as u32), ty, part.span);
            pats.push(self.part(part, value, ty, steps, bound));
        }
        Pat::Ctor(Ctor::Tuple, pats)
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of a list pattern")]
    pub fn list_pattern(
        &mut self,
        prefix: &'a [ast::Pattern],
        rest: Option<Option<ast::Ident>>,
        suffix: &'a [ast::Pattern],
        subject: &Stable,
        ty: Ty,
        span: Span,
        steps: &mut Vec<Step>,
        bound: &mut Bound,
    ) -> Pat {
        let element = self.fresh(span);
        let list = self.cx.list_of(element);
        if !self.unify(ty, list) {
            self.wrong_pattern("a list", ty, span);
            let mut names = Vec::new();
            prefix.iter().chain(suffix).for_each(|p| super::decls::bound_names(p, &mut names));
            self.bind_broken(names, bound);
            return Pat::Wild;
        }
        let element = self.shallow(element);
        let (items, len) = self.list_fields();
        let least = (prefix.len() + suffix.len()) as i64;
        let read = self.again(subject);
        let len = self.emit(ExprKind::Field(read, len), Ty::INT, span);
        let mut lets = Vec::new();
        let len = self.stable("#len", len, &mut lets);
        steps.extend(lets.drain(..).map(Step::Bind));
        let (a, b) = (self.again(&len), self.int(least, span));
        let prim = if rest.is_some() { Prim::IntGe } else { Prim::IntEq };
        steps.push(Step::Test(self.emit(ExprKind::Prim(prim, vec![a, b]), Ty::BOOL, span)));
        let array_ty = self.cx.array_of(element);
        let mut pats = Vec::new();
        let before = prefix.iter().enumerate().map(|(i, p)| (i as i64, false, p));
        let behind = suffix.iter().enumerate().map(|(i, p)| ((suffix.len() - i) as i64, true, p));
        for (offset, from_end, part) in before.chain(behind) {
            if matches!(part.kind, PatternKind::Wildcard) {
                pats.push(Pat::Wild);
                continue;
            }
            let read = self.again(subject);
            let array = self.emit(ExprKind::Field(read, items), array_ty, part.span);
            let mut at = self.int(offset, part.span);
            if from_end {
                let len = self.again(&len);
                at = self.emit(ExprKind::Prim(Prim::IntSubWrap, vec![len, at]), Ty::INT, part.span);
            }
            let kind = ExprKind::Intrinsic(Intrinsic::ArrayGetUnchecked, vec![array, at]);
            let value = self.emit(kind, element, part.span);
            pats.push(self.part(part, value, element, steps, bound));
        }
        if let Some(Some(name)) = rest {
            let read = self.again(subject);
            let from = self.int(prefix.len() as i64, name.span);
            let (len, behind) = (self.again(&len), self.int(suffix.len() as i64, name.span));
            let to = self.emit(ExprKind::Prim(Prim::IntSubWrap, vec![len, behind]), Ty::INT, name.span);
            let slice = self.method_ids(read, "slice", vec![from, to], name.span);
            let slice_ty = self.ty(slice);
            self.bind_name(name.name, slice, slice_ty, name.span, steps, bound);
        }
        Pat::List { parts: pats, prefix: prefix.len(), open: rest.is_some() }
    }

    #[allow(clippy::too_many_arguments, reason = "one step of a recursion over the same state")]
    pub fn or_pattern(
        &mut self,
        parts: &'a [ast::Pattern],
        subject: &Stable,
        ty: Ty,
        tag: Option<Stable>,
        span: Span,
        steps: &mut Vec<Step>,
        bound: &mut Bound,
    ) -> Pat {
        let mut test: Option<ExprId> = None;
        let mut pats = Vec::new();
        let outer_again = bound.again;
        let start = bound.names.len();
        for (index, part) in parts.iter().enumerate() {
            let mut own = Vec::new();
            let mut seen = Bound { names: Vec::new(), mutable: bound.mutable, again: false };
            if index > 0 || outer_again {
                // names of the first alternative, but not those bound beside the whole pattern
                seen.names = if outer_again { bound.names.clone() } else { bound.names[start..].to_vec() };
                seen.again = true;
            }
            self.tag = tag.clone();
            pats.push(self.pattern(part, subject, ty, &mut own, &mut seen));
            self.tag = None;
            if index == 0 && !outer_again {
                bound.names.extend(seen.names);
            } else {
                let mut names = Vec::new();
                super::decls::bound_names(part, &mut names);
                for (name, _, first) in &bound.names[start..] {
                    if names.iter().all(|n| n.name != *name) && !outer_again {
                        let message = format!("`{name}` is not bound in all alternatives");
                        self.report(
                            Diagnostic::error(codes::PATTERN_BINDINGS, part.span, message).and(*first, "bound here"),
                        );
                    }
                }
            }
            let condition = self.assemble(own, part.span);
            test = Some(match test {
                None => condition,
                Some(before) => self.emit(ExprKind::Or(before, condition), Ty::BOOL, span),
            });
        }
        if let Some(test) = test {
            steps.push(Step::Test(test));
        }
        Pat::Or(pats)
    }

    /// The number of a variant named by a path, if it is one of this enum.
    pub fn variant_in(&self, decl: DeclId, path: &[ast::Ident]) -> Option<u32> {
        let (last, before) = path.split_last()?;
        if let Some(owner) = before.last() {
            let named = self.cx.lookup_type_name(self.module, before) == Some(Def::Type(decl));
            if !named && self.cx.decl(decl).name.name != owner.name {
                return None;
            }
        }
        self.cx.variant_number(decl, last.name)
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of a variant pattern")]
    pub fn variant_pattern(
        &mut self,
        path: &'a [ast::Ident],
        fields: Option<&'a PatternFields>,
        subject: &Stable,
        ty: Ty,
        tag: Option<Stable>,
        span: Span,
        steps: &mut Vec<Step>,
        bound: &mut Bound,
    ) -> Pat {
        let name = path[path.len() - 1];
        let mut ty = ty;
        if matches!(self.kind(ty), TyKind::Infer(_)) {
            // the pattern tells the type
            if let [(decl, _)] = self.cx.bare_variants(self.module, name.name).as_slice() {
                let args = self.owner_args(*decl, None, span);
                let found = self.cx.decl_type(*decl, args);
                self.unify(ty, found);
                ty = self.shallow(ty);
            }
        }
        let broken = |this: &mut Self, bound: &mut Bound| {
            let mut names = Vec::new();
            super::decls::names_in_fields(fields, &mut names);
            this.bind_broken(names, bound);
            Pat::Wild
        };
        if ty == Ty::ERROR {
            return broken(self, bound);
        }
        if let TyKind::Trait(..) = self.kind(ty) {
            return self.type_pattern(path, fields, subject, ty, span, steps, bound);
        }
        let Some((decl, _)) = self.cx.as_decl(ty) else {
            if fields.is_none()
                && let Some(pat) = self.constant_pattern(path, subject, ty, span, steps)
            {
                return pat;
            }
            self.wrong_pattern(&format!("`{}`", name.name), ty, span);
            return broken(self, bound);
        };
        let (number, declared) = match self.cx.decl(decl).kind {
            TypeDeclKind::Enum(ast) => match self.variant_in(decl, path) {
                Some(number) => (number, &ast.variants[number as usize].fields),
                None => {
                    if fields.is_none()
                        && let Some(pat) = self.constant_pattern(path, subject, ty, span, steps)
                    {
                        return pat;
                    }
                    let shown = self.show(ty);
                    let near = nearest(name.name, ast.variants.iter().map(|v| v.name.name));
                    let message = format!("{shown} has no variant `{}`", name.name);
                    self.report(did_you_mean(Diagnostic::error(codes::PATTERN_TYPE, name.span, message), near));
                    return broken(self, bound);
                }
            },
            TypeDeclKind::Struct(ast) if ast.name.name == name.name => {
                return self.struct_pattern(ast, fields, subject, ty, span, steps, bound);
            }
            _ => {
                self.wrong_pattern(&format!("`{}`", name.name), ty, span);
                return broken(self, bound);
            }
        };
        let tag = match tag {
            Some(tag) => self.again(&tag),
            None => {
                let read = self.again(subject);
                self.emit(ExprKind::Tag(read), Ty::INT, span)
            }
        };
        let wanted = self.int(i64::from(number), span);
        steps.push(Step::Test(self.emit(ExprKind::Prim(Prim::IntEq, vec![tag, wanted]), Ty::BOOL, span)));
        let names: Vec<Symbol> = declared.iter().map(|f| f.name.name).collect();
        let parts = self.field_patterns(name, &names, fields, span);
        let mut pats = vec![Pat::Wild; names.len()];
        for (index, part) in parts {
            if matches!(part.kind, PatternKind::Wildcard) {
                continue;
            }
            let field = self.cx.field_type(ty, number as usize, index, &mut self.diagnostics);
            let read = self.again(subject);
            let value = self.emit(ExprKind::VariantField(read, number, index as u32), field, part.span);
            pats[index] = self.part(part, value, field, steps, bound);
        }
        Pat::Ctor(Ctor::Variant(number), pats)
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of a struct pattern")]
    pub fn struct_pattern(
        &mut self,
        ast: &'a ast::Struct,
        fields: Option<&'a PatternFields>,
        subject: &Stable,
        ty: Ty,
        span: Span,
        steps: &mut Vec<Step>,
        bound: &mut Bound,
    ) -> Pat {
        let names: Vec<Symbol> = ast.fields.iter().map(|f| f.name.name).collect();
        let parts = self.field_patterns(ast.name, &names, fields, span);
        let elsewhere = self.cx.as_decl(ty).is_some_and(|(decl, _)| self.cx.decl(decl).module != self.module);
        let mut pats = vec![Pat::Wild; names.len()];
        for (index, part) in parts {
            if matches!(part.kind, PatternKind::Wildcard) {
                continue;
            }
            if elsewhere && ast.fields[index].public.is_none() {
                let message = format!("field `{}` of `{}` is private to its module", names[index], ast.name.name);
                self.report(Diagnostic::error(codes::PRIVATE_MEMBER, part.span, message));
            }
            let field = self.cx.field_type(ty, 0, index, &mut self.diagnostics);
            let read = self.again(subject);
            let value = self.emit(ExprKind::Field(read, index as u32), field, part.span);
            pats[index] = self.part(part, value, field, steps, bound);
        }
        Pat::Ctor(Ctor::Tuple, pats)
    }

    /// The pattern of each field that has one.
    pub fn field_patterns(
        &mut self,
        name: ast::Ident,
        declared: &[Symbol],
        fields: Option<&'a PatternFields>,
        span: Span,
    ) -> Vec<(usize, &'a ast::Pattern)> {
        match fields {
            None => {
                if !declared.is_empty() {
                    let dots = vec!["_"; declared.len()].join(", ");
                    self.report(
                        Diagnostic::error(
                            codes::PATTERN_TYPE,
                            span,
                            format!("`{}` has {}", name.name, count(declared.len(), "field")),
                        )
                        .help(format!("write `{}({dots})`", name.name)),
                    );
                }
                Vec::new()
            }
            Some(PatternFields::Positional(parts)) => {
                if parts.len() != declared.len() {
                    self.report(
                        Diagnostic::error(
                            codes::PATTERN_TYPE,
                            span,
                            format!(
                                "`{}` has {}, this pattern has {}",
                                name.name,
                                count(declared.len(), "field"),
                                parts.len()
                            ),
                        )
                        .help("name fields to leave others out: `(name: pattern)`"),
                    );
                }
                parts.iter().enumerate().take(declared.len()).collect()
            }
            Some(PatternFields::Named(parts)) => {
                let mut found = Vec::new();
                for (field, part) in parts {
                    match declared.iter().position(|d| *d == field.name) {
                        Some(index) => found.push((index, part)),
                        None => {
                            let near = nearest(field.name, declared.iter().copied());
                            let message = format!("`{}` has no field `{}`", name.name, field.name);
                            self.report(did_you_mean(
                                Diagnostic::error(codes::PATTERN_TYPE, field.span, message),
                                near,
                            ));
                        }
                    }
                }
                found
            }
        }
    }

    /// A constant's name in a pattern compares with it.
    pub fn constant_pattern(
        &mut self,
        path: &'a [ast::Ident],
        subject: &Stable,
        ty: Ty,
        span: Span,
        steps: &mut Vec<Step>,
    ) -> Option<Pat> {
        let Some(Def::Const(id)) = self.cx.lookup_type_name(self.module, path) else { return None };
        let value = self.constant(id, span);
        let value = self.coerce(value, ty, span, Why::Argument);
        let ctor = self.ctor_of(value, span);
        let read = self.again(subject);
        steps.push(Step::Test(self.value_op(Derive::Eq, vec![read, value], span)));
        Some(Pat::Ctor(ctor, Vec::new()))
    }
}
