//! Where a type meets the one that is expected: wrapping, joining branches, and the messages when they don't fit.

use super::body::Body;
use super::infer::mentions_error;
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::hir::{ExprId, ExprKind, Ty, TyKind};
use crate::syntax::span::Span;

/// Why a type is expected, for the message.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Why {
    Result,
    Annotation,
    Argument,
    Assignment,
    Condition,
    Element,
    Branch,
    Index,
}

impl Why {
    fn text(self) -> &'static str {
        match self {
            Why::Result => "the function's result",
            Why::Annotation => "the annotated type",
            Why::Argument => "this argument",
            Why::Assignment => "what is assigned",
            Why::Condition => "a condition",
            Why::Element => "this element",
            Why::Branch => "this branch",
            Why::Index => "an index",
        }
    }
}

impl Body<'_, '_> {
    /// The expression as one of type `to`, wrapped where that is allowed; otherwise an error.
    pub fn coerce(&mut self, id: ExprId, to: Ty, span: Span, why: Why) -> ExprId {
        match self.try_coerce(id, to) {
            Some(id) => id,
            None => {
                let from = self.ty(id);
                self.mismatch(from, to, span, why)
            }
        }
    }

    /// As `coerce`, but silent.
    pub fn try_coerce(&mut self, id: ExprId, to: Ty) -> Option<ExprId> {
        let (from, to) = (self.ty(id), self.shallow(to));
        if from == to || from == Ty::NEVER {
            return Some(id);
        }
        if from == Ty::ERROR || to == Ty::ERROR {
            return self.unify(from, to).then_some(id);
        }
        match self.kind(to) {
            TyKind::Optional(inner) => {
                // a type not known yet is taken for the expected one itself
                if matches!(self.kind(from), TyKind::Optional(_) | TyKind::Infer(_)) && self.unify(from, to) {
                    return Some(id);
                }
                if let (TyKind::Optional(from), TyKind::Trait(..)) = (self.kind(from), self.kind(inner)) {
                    return self.upcast_inside(id, from, to, inner);
                }
                let value = self.try_coerce(id, inner)?;
                let span = self.span(id);
                Some(self.emit(ExprKind::Wrap(value), to, span))
            }
            TyKind::Trait(..) => {
                if matches!(self.kind(from), TyKind::Trait(..) | TyKind::Infer(_)) && self.unify(from, to) {
                    return Some(id);
                }
                self.upcast(id, to)
            }
            TyKind::Enum(decl, args) if Some(decl) == self.cx.lang.result => {
                if (self.is_result(from) || matches!(self.kind(from), TyKind::Infer(_))) && self.unify(from, to) {
                    return Some(id);
                }
                if self.is_result(from) {
                    return None;
                }
                let value = self.try_coerce(id, args[0])?;
                let span = self.span(id);
                Some(self.emit(ExprKind::Variant(0, vec![value]), to, span))
            }
            _ => self.unify(from, to).then_some(id),
        }
    }

    /// `T?` as an optional reference of a trait that `T` has.
    fn upcast_inside(&mut self, id: ExprId, from: Ty, to: Ty, inner: Ty) -> Option<ExprId> {
        let span = self.span(id);
        let mut lets = Vec::new();
        let subject = self.stable("#optional", id, &mut lets);
        let read = self.again(&subject);
        let nil = self.emit(ExprKind::IsNil(read), Ty::BOOL, span);
        let read = self.again(&subject);
        let value = self.emit(ExprKind::Unwrap(read), from, span);
        let value = self.upcast(value, inner)?;
        let value = self.emit(ExprKind::Wrap(value), to, span);
        let absent = self.emit(ExprKind::Nil, to, span);
        let id = self.emit(ExprKind::Cond { arms: vec![(nil, absent)], otherwise: Some(value) }, to, span);
        Some(self.sequence(lets, id, span))
    }

    fn mismatch(&mut self, from: Ty, to: Ty, span: Span, why: Why) -> ExprId {
        let (found, wanted) = (self.show(from), self.show(to));
        let (from, to) = (self.deep(from), self.deep(to));
        if mentions_error(&self.cx.types, from) || mentions_error(&self.cx.types, to) {
            return self.bad(span);
        }
        if let TyKind::Optional(inner) = self.kind(from)
            && matches!(self.kind(inner), TyKind::Infer(_))
        {
            self.unify(inner, Ty::ERROR);
            let message = format!("nil does not fit the type {wanted}");
            return self.fail(
                Diagnostic::error(codes::MISMATCH, span, message)
                    .help(format!("a type that allows nil is written `{wanted}?`")),
            );
        }
        let message = match why {
            Why::Condition => format!("a condition has type bool, this has type {found}"),
            _ => format!("{} should have type {wanted}, but has type {found}", why.text()),
        };
        let mut diagnostic =
            Diagnostic::error(codes::MISMATCH, span, message).label(format!("expected {wanted}, found {found}"));
        if let Some(help) = self.mismatch_help(from, to, why) {
            diagnostic = diagnostic.help(help);
        }
        self.fail(diagnostic)
    }

    fn mismatch_help(&mut self, from: Ty, to: Ty, why: Why) -> Option<String> {
        let (from_kind, to_kind) = (self.kind(from), self.kind(to));
        Some(match (from_kind, to_kind) {
            (TyKind::Struct(..) | TyKind::Enum(..), TyKind::Trait(..)) => {
                let (from, to) = (self.show(from), self.show(to));
                format!("{from} does not have that trait: write `impl {to} for {from}`")
            }
            (TyKind::Int, TyKind::Float) => "convert it with `float(…)`".into(),
            (TyKind::Float, TyKind::Int) => "convert it with `int(…)`, which drops the fraction".into(),
            (TyKind::Int, TyKind::Byte) => "convert it with `byte(…)`".into(),
            (TyKind::Byte, TyKind::Int) => "convert it with `int(…)`".into(),
            (TyKind::Optional(_), TyKind::Bool) if why == Why::Condition => "compare it: `… != nil`".into(),
            (TyKind::Int | TyKind::Byte, TyKind::Bool) if why == Why::Condition => "compare it: `… != 0`".into(),
            (TyKind::Optional(inner), _) if self.unify(inner, to) => {
                "it may be nil: give a default with `?? …`, take it apart with `if let`, or insist with `!`".into()
            }
            (TyKind::Enum(decl, args), _) if Some(decl) == self.cx.lang.result && self.unify(args[0], to) => {
                "it may be an error: pass that on with `?`, give a default with `?? …`, or insist with `!`".into()
            }
            (TyKind::Unit, _) if why == Why::Result => {
                "the last expression of the body is its value; a `pub fn` without `->` gives `()`".into()
            }
            (_, TyKind::Str) if why != Why::Condition => "write it into a string: `\"{…}\"`".into(),
            _ => return None,
        })
    }

    /// The type that branches have in common: `T` with nil gives `T?`, all else must be equal.
    pub fn join(&mut self, values: &[ExprId], span: Span) -> Ty {
        let mut joined: Option<(Ty, ExprId)> = None;
        let mut broken = false;
        for &value in values {
            let ty = self.ty(value);
            if ty == Ty::ERROR {
                broken = true;
            }
            if ty == Ty::NEVER || ty == Ty::ERROR {
                continue;
            }
            let Some((common, first)) = joined else {
                joined = Some((ty, value));
                continue;
            };
            let common = self.shallow(common);
            let next = match (self.kind(common), self.kind(ty)) {
                (TyKind::Optional(_), TyKind::Optional(_)) => self.unify(common, ty).then_some(common),
                (TyKind::Optional(inner), _) => self.unify(inner, ty).then_some(common),
                (_, TyKind::Optional(inner)) => self.unify(common, inner).then_some(ty),
                _ => self.unify(common, ty).then_some(common),
            };
            match next {
                Some(next) => joined = Some((next, first)),
                None => {
                    self.report_branches(common, ty, first, value, span);
                    return Ty::ERROR;
                }
            }
        }
        match joined {
            Some((ty, _)) => ty,
            None if broken => Ty::ERROR,
            None => Ty::NEVER,
        }
    }

    fn report_branches(&mut self, a: Ty, b: Ty, first: ExprId, second: ExprId, span: Span) {
        let (deep_a, deep_b) = (self.deep(a), self.deep(b));
        if mentions_error(&self.cx.types, deep_a) || mentions_error(&self.cx.types, deep_b) {
            return;
        }
        let (a, b) = (self.show(a), self.show(b));
        let (at_first, at_second) = (self.tail_span(first), self.tail_span(second));
        let mut diagnostic = Diagnostic::error(
            codes::BRANCHES_DIFFER,
            at_second,
            format!("the values here have different types, {a} and {b}"),
        )
        .label(format!("this is {b}"));
        if at_first.file == at_second.file {
            diagnostic = diagnostic.and(at_first, format!("this is {a}"));
        }
        if span.file != at_second.file {
            diagnostic = diagnostic.and(span, "joined here");
        }
        self.report(diagnostic);
    }

    /// The place of the value inside a block.
    fn tail_span(&mut self, mut id: ExprId) -> Span {
        while let ExprKind::Block(_, Some(value)) = &self.frame().exprs[id.0 as usize].kind {
            id = *value;
        }
        self.span(id)
    }

    /// Whether a type would hold itself or an error: nothing more can be said about it.
    pub fn is_broken(&mut self, ty: Ty) -> bool {
        let ty = self.deep(ty);
        mentions_error(&self.cx.types, ty)
    }
}
