//! What may be missing: `?.`, `?` and `!` on optionals and results.

use super::body::{Body, Expect, ResultMode, Wrap};
use super::coerce::Why;
use super::instance::What;
use super::postfix::State;
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::hir::{ExprId, ExprKind, Intrinsic, Ty, TyKind};
use crate::prim::Prim;
use crate::syntax::ast::{self, PostfixKind};
use crate::syntax::span::Span;

impl<'a> Body<'_, 'a> {
    pub fn optional_chain(
        &mut self,
        value: ExprId,
        name: ast::Ident,
        rest: &'a [ast::Postfix],
        here: Span,
        span: Span,
        expect: Expect,
    ) -> ExprId {
        let ty = self.ty(value);
        let TyKind::Optional(inner) = self.kind(ty) else {
            if ty == Ty::ERROR || ty == Ty::NEVER {
                return value;
            }
            let shown = self.show(ty);
            return self.fail(
                Diagnostic::error(
                    codes::NEVER_NIL,
                    name.span,
                    format!("`?.` has nothing to do: this is never nil, its type is {shown}"),
                )
                .help("write `.`"),
            );
        };
        let mut lets = Vec::new();
        let subject = self.stable("#optional", value, &mut lets);
        let read = self.again(&subject);
        let test = self.emit(ExprKind::IsNil(read), Ty::BOOL, span);
        let read = self.again(&subject);
        let inside = self.emit(ExprKind::Unwrap(read), inner, here);
        // what is known inside the chain is not known after it
        let before = self.frame().facts.clone();
        let result = self.after_optional(State::Value(inside), name, rest, here, span, Expect::Any);
        self.frame().facts = before;
        let result_ty = self.ty(result);
        if result_ty == Ty::ERROR {
            return result;
        }
        if result_ty == Ty::UNIT || result_ty == Ty::NEVER || expect == Expect::Nothing {
            let result = self.discard(result, span);
            let unit = self.unit(span);
            let kind = ExprKind::Cond { arms: vec![(test, unit)], otherwise: Some(result) };
            let id = self.emit(kind, Ty::UNIT, span);
            return self.sequence(lets, id, span);
        }
        let (ty, result) = if self.is_optional(result_ty) {
            (result_ty, result)
        } else {
            let ty = self.cx.optional(result_ty);
            (ty, self.emit(ExprKind::Wrap(result), ty, span))
        };
        let nil = self.emit(ExprKind::Nil, ty, span);
        let id = self.emit(ExprKind::Cond { arms: vec![(test, nil)], otherwise: Some(result) }, ty, span);
        self.sequence(lets, id, span)
    }

    /// The rest of a chain behind `?.name`.
    pub fn after_optional(
        &mut self,
        state: State,
        name: ast::Ident,
        rest: &'a [ast::Postfix],
        here: Span,
        span: Span,
        expect: Expect,
    ) -> ExprId {
        if let (State::Value(value), Some(ast::Postfix { kind: PostfixKind::Call(args), span: call })) =
            (&state, rest.first())
        {
            let value = *value;
            let whole = if here.file == call.file { here.to(*call) } else { *call };
            let wanted = if rest.len() == 1 { expect } else { Expect::Any };
            let value = self.method_call(value, name, args, whole, wanted);
            return self.chain(State::Value(value), whole, &rest[1..], span, expect);
        }
        let state = self.member(state, name, here);
        self.chain(state, here, rest, span, expect)
    }

    /// Whether there is no function to leave: top-level statements and tests.
    pub fn at_top(&self) -> bool {
        self.frames.len() == 1 && matches!(self.cx.instance(self.id).what, What::Init(_) | What::Entry | What::Test(_))
    }

    /// `value?`
    pub fn propagate(&mut self, value: ExprId, span: Span) -> ExprId {
        let ty = self.ty(value);
        if ty == Ty::ERROR || ty == Ty::NEVER {
            return value;
        }
        if self.at_top() {
            return self.unwrap(value, span);
        }
        let mut lets = Vec::new();
        match self.kind(ty) {
            TyKind::Optional(inner) => {
                let Some(leave) = self.leave_with(Wrap::Optional, None, span) else { return self.bad(span) };
                let subject = self.stable("#optional", value, &mut lets);
                let read = self.again(&subject);
                let test = self.emit(ExprKind::IsNil(read), Ty::BOOL, span);
                let read = self.again(&subject);
                let inside = self.emit(ExprKind::Unwrap(read), inner, span);
                let kind = ExprKind::Cond { arms: vec![(test, leave)], otherwise: Some(inside) };
                let id = self.emit(kind, inner, span);
                self.sequence(lets, id, span)
            }
            TyKind::Enum(decl, args) if Some(decl) == self.cx.lang.result => {
                let subject = self.stable("#result", value, &mut lets);
                let error_ty = self.cx.error_type();
                let read = self.again(&subject);
                let error = self.emit(ExprKind::VariantField(read, 1, 0), error_ty, span);
                let Some(leave) = self.leave_with(Wrap::Result, Some(error), span) else { return self.bad(span) };
                let read = self.again(&subject);
                let test = self.is_error(read, span);
                let read = self.again(&subject);
                let inside = self.emit(ExprKind::VariantField(read, 0, 0), args[0], span);
                let kind = ExprKind::Cond { arms: vec![(test, leave)], otherwise: Some(inside) };
                let id = self.emit(kind, args[0], span);
                self.sequence(lets, id, span)
            }
            TyKind::Infer(_) => self.unknown_type(ty, span),
            _ => {
                let shown = self.show(ty);
                self.fail(
                    Diagnostic::error(
                        codes::NEVER_NIL,
                        span,
                        format!("`?` has nothing to do: a value of type {shown} is neither nil nor an error"),
                    )
                    .help("leave the `?` out"),
                )
            }
        }
    }

    /// The early return of `?`; None after an error.
    pub fn leave_with(&mut self, wrap: Wrap, error: Option<ExprId>, span: Span) -> Option<ExprId> {
        if !self.stays_in_defer("?", span) {
            return None;
        }
        let what = if wrap == Wrap::Result { "an error" } else { "nil" };
        let result = match self.frame().result.clone() {
            ResultMode::Fixed(ty) => {
                let fits = match wrap {
                    Wrap::Result => self.is_result(ty),
                    Wrap::Optional => self.is_optional(ty) || self.optional_in_result(ty),
                };
                if !fits {
                    let shown = self.show(ty);
                    self.report(
                        Diagnostic::error(
                            codes::QUESTION_RESULT,
                            span,
                            format!("`?` can't leave with {what}: the result here is {shown}"),
                        )
                        .help(match wrap {
                            Wrap::Result => "insist with `!`, or give the function a result type `T!`",
                            Wrap::Optional => "insist with `!`, or give the function a result type `T?`",
                        }),
                    );
                    return None;
                }
                ty
            }
            ResultMode::Inferred { wrap: before, .. } => {
                if before.is_some_and(|b| b != wrap) {
                    self.report(
                        Diagnostic::error(
                            codes::QUESTION_RESULT,
                            span,
                            "this function leaves with nil here and with an error elsewhere",
                        )
                        .help("annotate its result type"),
                    );
                    return None;
                }
                if let ResultMode::Inferred { wrap: slot, .. } = &mut self.frame().result {
                    *slot = Some(wrap);
                }
                let inner = self.fresh(span);
                match wrap {
                    Wrap::Result => self.cx.result_of(inner),
                    Wrap::Optional => self.cx.optional(inner),
                }
            }
        };
        let value = match error {
            Some(error) => self.emit(ExprKind::Variant(1, vec![error]), result, span),
            None => {
                let nil_ty = self.nil_type(result);
                let nil = self.emit(ExprKind::Nil, nil_ty, span);
                self.coerce(nil, result, span, Why::Result)
            }
        };
        let id = self.emit(ExprKind::Return(value), Ty::NEVER, span);
        if let ResultMode::Inferred { returns, .. } = &mut self.frame().result {
            returns.push(id);
        }
        Some(id)
    }

    pub fn optional_in_result(&mut self, ty: Ty) -> bool {
        let ty = self.nil_type(ty);
        self.is_optional(ty)
    }

    /// `T?` in `T?` or `T?!`.
    pub fn nil_type(&mut self, ty: Ty) -> Ty {
        match self.kind(ty) {
            TyKind::Enum(decl, args) if Some(decl) == self.cx.lang.result => args[0],
            _ => ty,
        }
    }

    /// Whether a result holds an error.
    fn is_error(&mut self, result: ExprId, span: Span) -> ExprId {
        let tag = self.emit(ExprKind::Tag(result), Ty::INT, span);
        let error = self.int(1, span);
        self.emit(ExprKind::Prim(Prim::IntEq, vec![tag, error]), Ty::BOOL, span)
    }

    /// `value!`
    pub fn unwrap(&mut self, value: ExprId, span: Span) -> ExprId {
        let ty = self.ty(value);
        let mut lets = Vec::new();
        match self.kind(ty) {
            TyKind::Error | TyKind::Never => value,
            TyKind::Optional(inner) => {
                let subject = self.stable("#optional", value, &mut lets);
                let read = self.again(&subject);
                let test = self.emit(ExprKind::IsNil(read), Ty::BOOL, span);
                let trap = self.emit(ExprKind::Trap(tenure_runtime::trap::TrapKind::Unwrap), Ty::NEVER, span);
                let read = self.again(&subject);
                let inside = self.emit(ExprKind::Unwrap(read), inner, span);
                let kind = ExprKind::Cond { arms: vec![(test, trap)], otherwise: Some(inside) };
                let id = self.emit(kind, inner, span);
                self.sequence(lets, id, span)
            }
            TyKind::Enum(decl, args) if Some(decl) == self.cx.lang.result => {
                let subject = self.stable("#result", value, &mut lets);
                let error_ty = self.cx.error_type();
                let read = self.again(&subject);
                let test = self.is_error(read, span);
                let read = self.again(&subject);
                let error = self.emit(ExprKind::VariantField(read, 1, 0), error_ty, span);
                let throw = self.emit(ExprKind::Intrinsic(Intrinsic::Throw, vec![error]), Ty::NEVER, span);
                let read = self.again(&subject);
                let inside = self.emit(ExprKind::VariantField(read, 0, 0), args[0], span);
                let kind = ExprKind::Cond { arms: vec![(test, throw)], otherwise: Some(inside) };
                let id = self.emit(kind, args[0], span);
                self.sequence(lets, id, span)
            }
            TyKind::Infer(_) => self.unknown_type(ty, span),
            _ => {
                let shown = self.show(ty);
                self.fail(
                    Diagnostic::error(
                        codes::NEVER_NIL,
                        span,
                        format!("`!` has nothing to do: a value of type {shown} is never nil"),
                    )
                    .help("leave the `!` out"),
                )
            }
        }
    }
}
