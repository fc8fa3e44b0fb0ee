//! Making expressions: the arena, types of what is in it, locals for values that are needed twice.
//!
//! Invariant: B1 of `body`.

use super::Checker;
use super::body::{Body, Pending, PendingKind, Stable};
use crate::diagnostic::Diagnostic;
use crate::hir::{Expr, ExprId, ExprKind, LocalId, LoopId, Ty, TyKind};
use crate::syntax::ast;
use crate::syntax::span::Span;
use crate::syntax::symbol::Symbol;

/// The most messages of one body that are kept: nobody reads them all, and a large file can have millions.
const BODY_DIAGNOSTICS_MAX: usize = 20_000;

impl Body<'_, '_> {
    /// Adds an expression to the innermost frame.
    pub fn emit(&mut self, kind: ExprKind, ty: Ty, span: Span) -> ExprId {
        if self.cx.types.take_refused() {
            self.report(super::resolve::too_large(span));
        }
        let frame = self.frame();
        frame.exprs.push(Expr { kind, ty, span });
        ExprId(frame.exprs.len() as u32 - 1)
    }

    /// The type of an expression of the innermost frame, outermost variable resolved.
    pub fn ty(&mut self, id: ExprId) -> Ty {
        let ty = self.frame().exprs[id.0 as usize].ty;
        self.shallow(ty)
    }

    /// Where an expression stands.
    pub fn span(&mut self, id: ExprId) -> Span {
        self.frame().exprs[id.0 as usize].span
    }

    pub fn shallow(&mut self, ty: Ty) -> Ty {
        self.infer.shallow(&self.cx.types, ty)
    }

    pub fn deep(&mut self, ty: Ty) -> Ty {
        self.infer.deep(&mut self.cx.types, ty)
    }

    pub fn fresh(&mut self, span: Span) -> Ty {
        self.infer.fresh(&mut self.cx.types, span)
    }

    pub fn unify(&mut self, a: Ty, b: Ty) -> bool {
        self.infer.unify(&mut self.cx.types, a, b)
    }

    /// What a type is, outermost variable resolved.
    pub fn kind(&mut self, ty: Ty) -> TyKind {
        let ty = self.shallow(ty);
        self.cx.types.kind(ty).clone()
    }

    /// A type for a message.
    pub fn show(&mut self, ty: Ty) -> String {
        let ty = self.deep(ty);
        self.cx.types.display(ty)
    }

    pub fn is_optional(&mut self, ty: Ty) -> bool {
        matches!(self.kind(ty), TyKind::Optional(_))
    }

    pub fn is_result(&mut self, ty: Ty) -> bool {
        let ty = self.shallow(ty);
        self.cx.args_of(ty, self.cx.lang.result).is_some()
    }

    /// Reports a message of this body.
    pub fn report(&mut self, diagnostic: Diagnostic) {
        if self.diagnostics.len() < BODY_DIAGNOSTICS_MAX {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Reports an error and gives an expression that agrees with everything.
    pub fn fail(&mut self, diagnostic: Diagnostic) -> ExprId {
        let span = diagnostic.primary.span;
        self.report(diagnostic);
        self.bad(span)
    }

    /// The expression behind an error that has been reported.
    pub fn bad(&mut self, span: Span) -> ExprId {
        self.emit(ExprKind::Unit, Ty::ERROR, span)
    }

    /// Makes an expression wait for its types.
    pub fn wait(&mut self, expr: ExprId, what: PendingKind) {
        let frame = self.frame().id;
        self.pending.push(Pending { frame, expr, what });
    }

    pub fn unit(&mut self, span: Span) -> ExprId {
        self.emit(ExprKind::Unit, Ty::UNIT, span)
    }

    pub fn int(&mut self, value: i64, span: Span) -> ExprId {
        self.emit(ExprKind::Int(value), Ty::INT, span)
    }

    pub fn bool(&mut self, value: bool, span: Span) -> ExprId {
        self.emit(ExprKind::Bool(value), Ty::BOOL, span)
    }

    pub fn string(&mut self, text: &str, span: Span) -> ExprId {
        self.emit(ExprKind::Str(Symbol::new(text)), Ty::STR, span)
    }

    /// The value of a local of the innermost frame.
    pub fn read(&mut self, local: LocalId, span: Span) -> ExprId {
        let ty = self.frame().locals[local.0 as usize].ty;
        self.emit(ExprKind::Local(local), ty, span)
    }

    /// A local of its own for a value; the declaration goes to `lets`.
    pub fn temp(&mut self, name: &str, value: ExprId, lets: &mut Vec<ExprId>) -> LocalId {
        let (ty, span) = (self.ty(value), self.span(value));
        let local = self.local(Checker::hidden(name), ty, false, span);
        lets.push(self.emit(ExprKind::Let(local, value), Ty::UNIT, span));
        local
    }

    /// Something that can be evaluated again: a constant or a local that can't change, else a new local.
    pub fn stable(&mut self, name: &str, value: ExprId, lets: &mut Vec<ExprId>) -> Stable {
        let expr = self.frame().exprs[value.0 as usize].clone();
        if self.is_stable(&expr.kind) {
            return Stable(expr);
        }
        let local = self.temp(name, value, lets);
        let ty = self.frame().locals[local.0 as usize].ty;
        Stable(Expr { kind: ExprKind::Local(local), ty, span: expr.span })
    }

    pub fn is_stable(&mut self, kind: &ExprKind) -> bool {
        match kind {
            ExprKind::Int(_) | ExprKind::Float(_) | ExprKind::Bool(_) | ExprKind::Byte(_) | ExprKind::Str(_) => true,
            ExprKind::Unit => true,
            ExprKind::Local(local) => !self.frame().infos[local.0 as usize].mutable,
            _ => false,
        }
    }

    /// Whether evaluating it earlier or later makes no difference.
    pub fn commutes(&mut self, id: ExprId) -> bool {
        let kind = self.frame().exprs[id.0 as usize].kind.clone();
        self.is_stable(&kind) || matches!(kind, ExprKind::Nil | ExprKind::FnValue(_))
    }

    pub fn again(&mut self, stable: &Stable) -> ExprId {
        let Expr { kind, ty, span } = stable.0.clone();
        self.emit(kind, ty, span)
    }

    /// Statements before a value; the value alone without any.
    pub fn sequence(&mut self, stmts: Vec<ExprId>, value: ExprId, span: Span) -> ExprId {
        if stmts.is_empty() {
            return value;
        }
        let ty = self.ty(value);
        self.emit(ExprKind::Block(stmts, Some(value)), ty, span)
    }

    /// An expression of type unit that evaluates `value` and drops it.
    pub fn discard(&mut self, value: ExprId, span: Span) -> ExprId {
        match self.ty(value) {
            Ty::UNIT | Ty::NEVER | Ty::ERROR => value,
            _ => self.emit(ExprKind::Block(vec![value], None), Ty::UNIT, span),
        }
    }

    /// Allocates the number of a loop.
    pub fn new_loop(&mut self) -> LoopId {
        let frame = self.frame();
        frame.loop_count += 1;
        LoopId(frame.loop_count - 1)
    }

    /// A type as written in this body.
    pub fn resolve(&mut self, ty: &ast::TypeExpr) -> Ty {
        let env = self.env.clone();
        self.cx.resolve(ty, self.module, &env, &mut self.diagnostics)
    }
}
