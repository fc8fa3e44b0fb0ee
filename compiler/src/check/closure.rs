//! Closures: their types from the context, from annotations or from their first use; what they capture.

use super::body::{Body, Code, Deferred, Expect, FnSource, Frame, ResultMode};
use super::coerce::Why;
use super::instance::{Instance, State, What};
use crate::hir::{ExprId, ExprKind, Ty, TyKind};
use crate::syntax::ast;
use crate::syntax::span::Span;
use crate::syntax::symbol::Symbol;

impl<'a> Body<'_, 'a> {
    /// `|x| e`
    pub fn closure(&mut self, e: &'a ast::Expr, expect: Expect) -> ExprId {
        let ast::ExprKind::Closure { params, .. } = &e.kind else { return self.bad(e.span) };
        let hint = self.literal_hint(expect).map(|ty| self.kind(ty));
        let (types, result) = match hint {
            Some(TyKind::Fn(types, result)) if types.len() == params.len() => (types, Some(result)),
            _ => ((0..params.len()).map(|_| self.fresh(e.span)).collect(), None),
        };
        for (param, &ty) in params.iter().zip(&types) {
            if let Some(written) = &param.ty {
                let written_ty = self.resolve(written);
                if !self.unify(ty, written_ty) {
                    let value = self.emit(ExprKind::Unit, written_ty, written.span);
                    self.coerce(value, ty, written.span, Why::Argument);
                }
            }
        }
        let result = result.unwrap_or_else(|| self.fresh(e.span));
        let ty = self.cx.types.intern(TyKind::Fn(types.clone(), result));
        let unknown = types.iter().any(|&t| matches!(self.kind(t), TyKind::Infer(_)));
        if unknown {
            // its first use will tell; until then only its place is taken
            let expr = self.emit(ExprKind::Unit, ty, e.span);
            let frame = self.frame();
            let deferred = Deferred {
                code: Code::Closure(e),
                frame: frame.id,
                expr,
                ty,
                names: frame.names.clone(),
                facts: frame.facts.clone(),
            };
            self.deferred.push(deferred);
            return expr;
        }
        let kind = self.closure_body(e, &types, result);
        self.emit(kind, ty, e.span)
    }

    /// Checks the closures that waited for a first use, as far as the innermost frame made them.
    pub fn force_deferred(&mut self) {
        let own = self.frame().id;
        while let Some(at) = self.deferred.iter().position(|d| d.frame == own) {
            let deferred = self.deferred.remove(at);
            // the closure sees what was visible where it stands
            let frame = self.frame();
            let names = std::mem::replace(&mut frame.names, deferred.names);
            let facts = std::mem::replace(&mut frame.facts, deferred.facts);
            let kind = match (deferred.code, self.kind(deferred.ty)) {
                (Code::Closure(closure), TyKind::Fn(types, result)) => self.closure_body(closure, &types, result),
                (Code::Fn(function), _) => self.local_fn_body(function, deferred.ty),
                (Code::Closure(_), _) => ExprKind::Unit,
            };
            let frame = self.frame();
            frame.names = names;
            frame.facts = facts;
            frame.exprs[deferred.expr.0 as usize].kind = kind;
        }
    }

    fn closure_body(&mut self, e: &'a ast::Expr, types: &[Ty], result: Ty) -> ExprKind {
        let ast::ExprKind::Closure { params, body } = &e.kind else { return ExprKind::Unit };
        let source = match &body.kind {
            ast::ExprKind::Block(block) => FnSource::Block(block),
            _ => FnSource::Expr(body),
        };
        let name = format!("closure in {}", self.frames[0].name);
        self.push_frame(name, e.span, result);
        let mut steps = Vec::new();
        for (param, &ty) in params.iter().zip(types) {
            match param.pattern.kind {
                ast::PatternKind::Bind(name) => {
                    self.param(name, ty, param.pattern.span);
                }
                _ => {
                    let local = self.param(Symbol::new("#param"), ty, param.pattern.span);
                    let value = self.read(local, param.pattern.span);
                    steps.extend(self.irrefutable(&param.pattern, value, ty, false));
                }
            }
        }
        self.frame_body(source);
        if !steps.is_empty() {
            let body = self.frame().body;
            let body = self.sequence(steps, body, e.span);
            self.frame().body = body;
        }
        self.pop_frame(result)
    }

    pub fn push_frame(&mut self, name: String, span: Span, result: Ty) {
        let mut instance = Instance::new(What::Closure, name.clone(), self.env.clone(), Vec::new(), None);
        instance.state = State::Checking;
        let id = self.cx.add_instance(instance);
        let result = self.shallow(result);
        let mode = match self.kind(result) {
            TyKind::Infer(_) => ResultMode::Inferred { returns: Vec::new(), first: None, wrap: None },
            _ => ResultMode::Fixed(result),
        };
        let mut frame = Frame::new(id, name, span, mode);
        frame.is_closure = true;
        self.frames.push(frame);
    }

    /// Ends the innermost frame; gives the closure as a value of the frame around it.
    pub fn pop_frame(&mut self, result: Ty) -> ExprKind {
        self.force_deferred();
        let mut frame = self.frames.pop().expect("pushed by push_frame");
        if let ResultMode::Fixed(found) = frame.result {
            let wanted = self.shallow(result);
            if matches!(self.kind(wanted), TyKind::Infer(_)) {
                // a body that never comes back gives nothing
                let found = if found == Ty::NEVER { Ty::UNIT } else { found };
                self.unify(wanted, found);
                frame.result = ResultMode::Fixed(found);
            }
        }
        let captures: Vec<_> = frame.captures.iter().map(|c| c.0).collect();
        let id = frame.id;
        self.finished.push(frame);
        // a function without captures still is a closure of none: its code takes the closure object
        ExprKind::Closure(id, captures)
    }
}
