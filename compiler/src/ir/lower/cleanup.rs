//! `defer`: code that runs however a block is left.
//!
//! The cleanup is lowered once. All ways out of the body lead to it, each after noting its number; behind it the number
//! decides where to go on. (A copy for each way would double with each `defer` nested in a cleanup.)
//!
//! ```text
//! try ──▶ body ──▶ through, return, break, continue ──▶┐
//!   └──(trap)──▶ suspend ─────────────────────────────▶ cleanup ──▶ resume | by number
//!                                                          └──(trap)──▶ reraise
//! ```

use super::body::{Body, Out};
use super::ssa::Variable;
use crate::hir::{Expr, ExprId, LoopId};
use crate::ir::{Block, Op, RuntimeFn, Terminator, Type, Value, Values};
use crate::prim::Prim;
use crate::syntax::span::Span;
use smallvec::smallvec;

/// A cleanup that is yet to be lowered, while its body is.
pub(super) struct Cleanup {
    entry: Block,
    /// Which of `exits` is under way, counted from 1; 0 when the body's end was reached.
    number: Variable,
    /// What a `return` in the body gives.
    result: Variable,
    exits: Vec<Exit>,
}

/// A way to leave code around which there are cleanups.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    Return,
    Break(LoopId),
    Continue(LoopId),
}

impl Body<'_, '_> {
    pub(super) fn defer_expr(&mut self, expr: &Expr, body: ExprId, cleanup: ExprId) -> Option<Out> {
        let span = expr.span;
        let result_ty = self.scalar(self.source.result);
        // all that lives across the cleanup has a value on each way to it
        let temporary = self.temporary(expr.ty);
        if let Some(temporary) = temporary {
            self.clear(temporary, self.scalar(expr.ty), span);
        }
        let result = self.cleared(result_ty, span);
        let number = self.cleared(Type::Int, span);
        let unwinding = self.cleared(Type::Byte, span);
        let (entry, trapped) = (self.builder.block(), self.builder.block());

        let outer = self.enter_try(trapped, span);
        self.cleanups.push(Cleanup { entry, number, result, exits: Vec::new() });
        let out = self.walk(body);
        let exits = self.cleanups.pop().expect("pushed above").exits;
        self.builder.set_handler(outer);
        let goes_through = out.is_some();
        self.leave(out, temporary, entry, self.expr(body).span.end());

        let at = self.expr(cleanup).span;
        self.builder.enter_sealed(trapped);
        self.builder.effect(Op::CallRuntime(RuntimeFn::Suspend, Values::new()), at);
        let yes = self.builder.emit(Op::Byte(1), Type::Byte, at);
        self.builder.write(unwinding, yes);
        self.builder.jump(entry, at);

        self.builder.enter_sealed(entry);
        let failed = self.builder.block();
        self.enter_try(failed, at);
        let cleaned = self.walk(cleanup);
        self.builder.set_handler(outer);
        let after = self.builder.block();
        if cleaned.is_some() {
            self.builder.jump(after, at.end());
        }
        self.builder.enter_sealed(failed);
        let nested = self.builder.read(unwinding);
        self.raise(RuntimeFn::Reraise, smallvec![nested], at);

        self.builder.enter_sealed(after)?;
        let (resumed, normal) = (self.builder.block(), self.builder.block());
        let condition = self.builder.read(unwinding);
        self.split(condition, resumed, normal, at);
        self.builder.enter_sealed(resumed);
        self.raise(RuntimeFn::Resume, Values::new(), at);

        self.builder.enter_sealed(normal);
        for (i, exit) in exits.iter().enumerate() {
            if goes_through || i + 1 < exits.len() {
                let (taken, next) = (self.builder.block(), self.builder.block());
                let known = self.builder.emit(Op::Int(i as i64 + 1), Type::Int, at);
                let number = self.builder.read(number);
                let equal = Op::Prim(Prim::IntEq, smallvec![number, known]);
                let condition = self.builder.emit(equal, Type::Byte, at);
                self.split(condition, taken, next, at);
                self.builder.enter_sealed(taken);
                self.take(*exit, result, at);
                self.builder.enter_sealed(next);
            } else {
                self.take(*exit, result, at);
            }
        }
        if !goes_through {
            if exits.is_empty() {
                self.builder.terminate(Terminator::Unreachable, at);
            }
            return None;
        }
        Some(temporary.map_or(Out::Unit, |temporary| Out::Value(self.builder.read(temporary))))
    }

    /// Leaves by way of the innermost cleanup, after which [`take`](Body::take) goes on.
    pub(super) fn leave_by(&mut self, exit: Exit, span: Span) {
        let cleanup = self.cleanups.last_mut().expect("the caller has seen one");
        let known = cleanup.exits.iter().position(|&e| e == exit);
        let index = known.unwrap_or_else(|| {
            cleanup.exits.push(exit);
            cleanup.exits.len() - 1
        });
        let (number, entry) = (cleanup.number, cleanup.entry);
        let value = self.builder.emit(Op::Int(index as i64 + 1), Type::Int, span);
        self.builder.write(number, value);
        self.builder.jump(entry, span);
    }

    /// `return`, through the cleanups around it.
    pub(super) fn return_value(&mut self, value: Value, span: Span) {
        match self.cleanups.last() {
            Some(cleanup) => {
                self.builder.write(cleanup.result, value);
                self.leave_by(Exit::Return, span);
            }
            None => self.builder.terminate(Terminator::Return(value), span),
        }
    }

    fn take(&mut self, exit: Exit, result: Variable, span: Span) {
        match exit {
            Exit::Return => {
                let value = self.builder.read(result);
                self.return_value(value, span);
            }
            Exit::Break(id) => self.break_loop(id, span),
            Exit::Continue(id) => self.continue_loop(id, span),
        }
    }

    /// Goes on in a `try` body; gives the handler to restore after it.
    fn enter_try(&mut self, handler: Block, span: Span) -> Option<Block> {
        let outer = self.builder.set_handler(Some(handler));
        let body = self.builder.block();
        self.builder.terminate(Terminator::Try { body, handler }, span);
        self.builder.enter_sealed(body);
        outer
    }

    fn raise(&mut self, function: RuntimeFn, operands: Values, span: Span) {
        self.builder.effect(Op::CallRuntime(function, operands), span);
        self.builder.terminate(Terminator::Unreachable, span);
    }

    fn split(&mut self, condition: Value, then: Block, otherwise: Block, span: Span) {
        let (then, otherwise) = ((then, Values::new()), (otherwise, Values::new()));
        self.builder.terminate(Terminator::Branch { condition, then, otherwise }, span);
    }

    fn cleared(&mut self, ty: Type, span: Span) -> Variable {
        let variable = self.builder.variable(ty);
        self.clear(variable, ty, span);
        variable
    }

    fn clear(&mut self, variable: Variable, ty: Type, span: Span) {
        let zero = match ty {
            Type::Int => Op::Int(0),
            Type::Float => Op::Float(0.0),
            Type::Byte => Op::Byte(0),
            Type::Ref => Op::Nil,
        };
        let value = self.builder.emit(zero, ty, span);
        self.builder.write(variable, value);
    }
}
