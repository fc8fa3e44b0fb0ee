//! Conversions such as `float(i)`, and `assert`, which shows both sides of a comparison.

use super::body::{Body, Expect};
use super::derive::Derive;
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::hir::{ExprId, ExprKind, Intrinsic, Ty, TyKind};
use crate::prim::Prim;
use crate::syntax::ast;
use crate::syntax::span::Span;

impl<'a> Body<'_, 'a> {
    /// `float(i)`, `int(f)`, `byte(i)`, `str(x)`
    pub fn convert(&mut self, to: Ty, args: &'a [ast::Arg], here: Span) -> ExprId {
        let shown = self.show(to);
        let [arg] = args else {
            self.check_anyway(args);
            let message = format!("`{shown}` converts one value, not {}", args.len());
            return self.fail(Diagnostic::error(codes::ARGUMENTS, here, message));
        };
        let hint = if to == Ty::FLOAT || to == Ty::BYTE { Expect::Any } else { Expect::Type(to) };
        let id = self.expr(&arg.value, hint);
        let from = self.ty(id);
        let prim = match (from, to) {
            (Ty::ERROR | Ty::NEVER, _) => return id,
            _ if from == to => return id,
            (_, Ty::STR) => return self.value_op(Derive::Show, vec![id], here),
            (Ty::INT, Ty::FLOAT) => Prim::IntToFloat,
            (Ty::FLOAT, Ty::INT) => Prim::FloatToInt,
            (Ty::INT, Ty::BYTE) => Prim::IntToByte,
            (Ty::BYTE, Ty::INT) => Prim::ByteToInt,
            (Ty::BYTE, Ty::FLOAT) => {
                let int = self.emit(ExprKind::Prim(Prim::ByteToInt, vec![id]), Ty::INT, here);
                return self.emit(ExprKind::Prim(Prim::IntToFloat, vec![int]), Ty::FLOAT, here);
            }
            _ => {
                if matches!(self.kind(from), TyKind::Infer(_)) {
                    return self.unknown_type(from, arg.value.span);
                }
                let text = self.show(from);
                let mut diagnostic = Diagnostic::error(
                    codes::NO_CONVERSION,
                    here,
                    format!("a value of type {text} can't be converted to {shown}"),
                )
                .and(arg.value.span, text);
                if from == Ty::STR && (to == Ty::INT || to == Ty::FLOAT) {
                    diagnostic = diagnostic.help(format!("read it with `{shown}.parse(…)`, which gives a result"));
                } else if from == Ty::BOOL && to == Ty::INT {
                    diagnostic = diagnostic.help("write `if … { 1 } else { 0 }`");
                }
                return self.fail(diagnostic);
            }
        };
        self.emit(ExprKind::Prim(prim, vec![id]), to, here)
    }

    /// `assert(condition)`, `assert(condition, message)`: shows both sides of a comparison.
    pub fn assert_call(&mut self, args: &'a [ast::Arg], here: Span) -> ExprId {
        let (condition, message) = match args {
            [condition] => (&condition.value, None),
            [condition, message] => (&condition.value, Some(&message.value)),
            _ => {
                self.check_anyway(args);
                return self.fail(Diagnostic::error(
                    codes::ARGUMENTS,
                    here,
                    "`assert` takes a condition, and perhaps a message",
                ));
            }
        };
        let source = self.cx.sources.text(condition.span).split_whitespace().collect::<Vec<_>>().join(" ");
        let mut lets = Vec::new();
        let mut parts: Vec<ExprId> = Vec::new();
        let test = match &condition.kind {
            ast::ExprKind::Binary { first, rest } if shows_sides(rest[0].0, first, &rest[0].2) => {
                let left = self.expr(first, Expect::Any);
                let ty = self.ty(left);
                let right = self.expr(&rest[0].2, Expect::Type(ty));
                let left = self.stable("#left", left, &mut lets);
                let right = self.stable("#right", right, &mut lets);
                let (a, b) = (self.again(&left), self.again(&right));
                let test = self.compare_ids(rest[0].0, a, b, condition.span);
                for (word, side) in [("\n   left: ", left), ("\n  right: ", right)] {
                    parts.push(self.string(word, here));
                    let side = self.again(&side);
                    parts.push(self.value_op(Derive::Inspect, vec![side], here));
                }
                test
            }
            _ => self.condition(condition).0,
        };
        let text = match message {
            Some(message) => {
                let id = self.expr(message, Expect::Any);
                let text = self.value_op(Derive::Show, vec![id], message.span);
                let prefix = self.string("assertion failed: ", here);
                parts.insert(0, text);
                prefix
            }
            None => self.string(&format!("assertion failed: {source}"), here),
        };
        parts.insert(0, text);
        let text = match parts.as_slice() {
            [one] => *one,
            _ => self.emit(ExprKind::Intrinsic(Intrinsic::StrConcat, parts), Ty::STR, here),
        };
        let throw = self.throw("assert", text, here);
        let holds = self.unit(here);
        let kind = ExprKind::Cond { arms: vec![(test, holds)], otherwise: Some(throw) };
        let id = self.emit(kind, Ty::UNIT, here);
        self.sequence(lets, id, here)
    }

    /// Panics with a message.
    pub fn throw(&mut self, kind: &str, message: ExprId, span: Span) -> ExprId {
        let ty = self.cx.error_type();
        let kind = self.string(kind, span);
        let cause = self.cx.optional(ty);
        let cause = self.emit(ExprKind::Nil, cause, span);
        let trace = self.string("", span);
        let error = self.emit(ExprKind::Struct(vec![message, kind, cause, trace]), ty, span);
        self.emit(ExprKind::Intrinsic(Intrinsic::Throw, vec![error]), Ty::NEVER, span)
    }

    /// Something of the core library that is not there.
    pub fn missing_core(&mut self, name: &str, span: Span) -> ExprId {
        self.fail(Diagnostic::error(
            codes::CORE_LACKS,
            span,
            format!("the core library has no `{name}`, which this needs"),
        ))
    }
}

/// A comparison both sides of which are worth showing.
fn shows_sides(op: ast::BinaryOp, left: &ast::Expr, right: &ast::Expr) -> bool {
    use ast::BinaryOp::*;
    let nil = |e: &ast::Expr| matches!(e.kind, ast::ExprKind::Nil);
    matches!(op, Eq | Ne | Lt | Le | Gt | Ge) && !nil(left) && !nil(right)
}
