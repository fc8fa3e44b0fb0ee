//! Bodies: parameters and captures on entry, statements, loops, `try`. Walking an expression gives `None` when what
//! follows can't be reached; nothing is emitted from there on.

use super::cleanup::{Cleanup, Exit};
use super::layout::{local_type, scalar};
use super::ssa::{Builder, Variable};
use super::{LoopTargets, Lowering};
use crate::hir::{Expr, ExprId, ExprKind, FnId, Function, LocalId, LoopId, Ty};
use crate::ir::{self, Op, RuntimeFn, Terminator, Type, Value, Values};
use crate::syntax::span::Span;
use hashbrown::HashMap;
use smallvec::smallvec;

/// One body on its way.
pub(super) struct Body<'l, 'a> {
    pub(super) lowering: &'l mut Lowering<'a>,
    pub(super) source: &'a Function,
    pub(super) builder: Builder,
    loops: HashMap<LoopId, LoopTargets>,
    /// Cleanups that leaving the function from here has to run, outermost first.
    pub(super) cleanups: Vec<Cleanup>,
}

/// What an expression gives. Units need no value until somebody looks.
#[derive(Clone, Copy)]
pub(super) enum Out {
    Unit,
    Value(Value),
}

impl<'l, 'a> Body<'l, 'a> {
    /// Lowers one function.
    pub(super) fn lower(lowering: &'l mut Lowering<'a>, id: FnId) -> ir::Function {
        let program = lowering.source;
        let source = &program.functions[id.0 as usize];
        let types = &program.types;
        let mut params: Vec<Type> = Vec::with_capacity(source.params.len() + 1);
        params.extend(source.captures.is_some().then_some(Type::Ref));
        params.extend(source.params.iter().map(|p| scalar(types, source.locals[p.0 as usize].ty)));
        let (mut builder, values) = Builder::new(&params);
        for i in 0..source.locals.len() {
            // local i is variable i
            builder.variable(local_type(types, source, LocalId(i as u32)));
        }
        let mut body = Body { lowering, source, builder, loops: HashMap::new(), cleanups: Vec::new() };
        let mut values = values.into_iter();
        if let Some(captures) = &source.captures {
            let closure = values.next().expect("a closure body takes its closure");
            body.unpack_captures(id, captures, closure);
        }
        for (&param, value) in source.params.iter().zip(values) {
            body.declare(param, value, source.span);
        }
        if let Some(out) = body.walk(source.body) {
            let end = body.expr(source.body).span.end();
            let value = body.materialise(out, end);
            body.builder.terminate(Terminator::Return(value), end);
        }
        let result = scalar(types, source.result);
        let inlining = source.inlining;
        ir::Function { inlining, ..body.builder.finish(source.name.clone(), source.span, params, result) }
    }

    fn unpack_captures(&mut self, id: FnId, captures: &[LocalId], closure: Value) {
        if captures.is_empty() {
            return;
        }
        let layout = self.lowering.layouts.closure(&self.lowering.source.types, id, self.source);
        let span = self.source.span;
        let (record, from, first) = match layout.environment {
            None => (layout.record, closure, 1),
            Some(environment) => {
                let load = Op::Load(layout.record, 1, closure);
                (environment, self.builder.emit(load, Type::Ref, span), 0)
            }
        };
        for (i, &local) in captures.iter().enumerate() {
            let ty = local_type(&self.lowering.source.types, self.source, local);
            let value = self.builder.emit(Op::Load(record, first + i as u32, from), ty, span);
            self.builder.write(variable(local), value);
        }
    }

    pub(super) fn expr(&self, id: ExprId) -> &'a Expr {
        &self.source.exprs[id.0 as usize]
    }

    pub(super) fn scalar(&self, ty: Ty) -> Type {
        scalar(&self.lowering.source.types, ty)
    }

    /// The value of an expression.
    pub(super) fn value(&mut self, id: ExprId) -> Option<Value> {
        let out = self.walk(id)?;
        Some(self.materialise(out, self.expr(id).span))
    }

    pub(super) fn materialise(&mut self, out: Out, span: Span) -> Value {
        match out {
            Out::Unit => self.builder.emit(Op::Byte(0), Type::Byte, span),
            Out::Value(value) => value,
        }
    }

    /// Declares a local afresh.
    pub(super) fn declare(&mut self, id: LocalId, value: Value, span: Span) {
        let local = &self.source.locals[id.0 as usize];
        let value = if local.cell {
            let record = self.lowering.layouts.cell(self.scalar(local.ty));
            self.builder.emit(Op::New(record, smallvec![value]), Type::Ref, span)
        } else {
            value
        };
        self.builder.write(variable(id), value);
    }

    pub(super) fn read_local(&mut self, id: LocalId, span: Span) -> Value {
        let value = self.builder.read(variable(id));
        let local = &self.source.locals[id.0 as usize];
        if !local.cell {
            return value;
        }
        let ty = self.scalar(local.ty);
        let record = self.lowering.layouts.cell(ty);
        self.builder.emit(Op::Load(record, 0, value), ty, span)
    }

    pub(super) fn assign(&mut self, id: LocalId, value: Value, span: Span) {
        let local = &self.source.locals[id.0 as usize];
        if local.cell {
            let record = self.lowering.layouts.cell(self.scalar(local.ty));
            let cell = self.builder.read(variable(id));
            self.builder.effect(Op::Store(record, 0, cell, value), span);
        } else {
            self.builder.write(variable(id), value);
        }
    }

    pub(super) fn block_expr(&mut self, statements: &[ExprId], value: Option<ExprId>) -> Option<Out> {
        for &statement in statements {
            self.walk(statement)?;
        }
        match value {
            Some(value) => self.walk(value),
            None => Some(Out::Unit),
        }
    }

    /// A temporary in which the ways of a branching expression leave its value; none for units.
    pub(super) fn temporary(&mut self, ty: Ty) -> Option<Variable> {
        (ty != Ty::UNIT && ty != Ty::NEVER).then(|| {
            let ty = self.scalar(ty);
            self.builder.variable(ty)
        })
    }

    /// Ends one of those ways.
    pub(super) fn leave(&mut self, out: Option<Out>, temporary: Option<Variable>, join: ir::Block, span: Span) {
        let Some(out) = out else { return };
        if let Some(temporary) = temporary {
            let value = self.materialise(out, span);
            self.builder.write(temporary, value);
        }
        self.builder.jump(join, span);
    }

    /// Goes on where those ways meet.
    pub(super) fn meet(&mut self, join: ir::Block, temporary: Option<Variable>) -> Option<Out> {
        self.builder.enter_sealed(join)?;
        Some(temporary.map_or(Out::Unit, |temporary| Out::Value(self.builder.read(temporary))))
    }

    pub(super) fn cond(&mut self, expr: &Expr, arms: &[(ExprId, ExprId)], otherwise: Option<ExprId>) -> Option<Out> {
        let temporary = self.temporary(expr.ty);
        let join = self.builder.block();
        let falls_through = otherwise.is_none() && expr.ty == Ty::UNIT;
        for (i, &(condition, value)) in arms.iter().enumerate() {
            let then = self.builder.block();
            let next = if falls_through && i + 1 == arms.len() { join } else { self.builder.block() };
            self.branch(condition, then, next);
            if self.builder.enter_sealed(then).is_some() {
                let out = self.walk(value);
                self.leave(out, temporary, join, self.expr(value).span);
            }
            if next == join || self.builder.enter_sealed(next).is_none() {
                return self.meet(join, temporary);
            }
        }
        match otherwise {
            Some(otherwise) => {
                let out = self.walk(otherwise);
                self.leave(out, temporary, join, self.expr(otherwise).span);
            }
            None => self.builder.terminate(Terminator::Unreachable, expr.span),
        }
        self.meet(join, temporary)
    }

    pub(super) fn loop_expr(&mut self, expr: &Expr) -> Option<Out> {
        let ExprKind::Loop { id, condition, body, step } = expr.kind else { unreachable!("the caller matched it") };
        let header = self.builder.block();
        let exit = self.builder.block();
        let next = if step.is_some() { self.builder.block() } else { header };
        self.loops.insert(id, LoopTargets { next, exit, cleanups: self.cleanups.len() });
        self.builder.jump(header, expr.span);
        self.builder.enter(header);
        if let Some(condition) = condition {
            let first = self.builder.block();
            self.branch_exit_first(condition, first, exit);
            if self.builder.enter_sealed(first).is_none() {
                // the condition always leaves
                self.builder.seal(header);
                return self.meet(exit, None);
            }
        }
        self.builder.effect(ir::Op::Poll, expr.span.start());
        if self.walk(body).is_some() {
            self.builder.jump(next, self.expr(body).span.end());
        }
        if let Some(step) = step
            && self.builder.enter_sealed(next).is_some()
            && self.walk(step).is_some()
        {
            self.builder.jump(header, self.expr(step).span);
        }
        self.builder.seal(header);
        self.meet(exit, None)
    }

    pub(super) fn break_loop(&mut self, id: LoopId, span: Span) {
        let target = self.loops[&id];
        if self.cleanups.len() > target.cleanups {
            return self.leave_by(Exit::Break(id), span);
        }
        self.builder.jump(target.exit, span);
    }

    pub(super) fn continue_loop(&mut self, id: LoopId, span: Span) {
        let target = self.loops[&id];
        if self.cleanups.len() > target.cleanups {
            return self.leave_by(Exit::Continue(id), span);
        }
        self.builder.jump(target.next, span);
    }

    pub(super) fn try_expr(&mut self, expr: &Expr, body: ExprId, error: LocalId, handler: ExprId) -> Option<Out> {
        let temporary = self.temporary(expr.ty);
        let join = self.builder.block();
        let caught = self.builder.block();
        let outer = self.builder.set_handler(Some(caught));
        let first = self.builder.block();
        self.builder.terminate(Terminator::Try { body: first, handler: caught }, expr.span);
        self.builder.enter_sealed(first);
        let out = self.walk(body);
        self.builder.set_handler(outer);
        self.leave(out, temporary, join, self.expr(body).span);

        self.builder.enter_sealed(caught);
        let span = self.expr(handler).span.start();
        let catch = Op::CallRuntime(RuntimeFn::Catch, Values::new());
        let value = self.builder.emit(catch, Type::Ref, span);
        self.declare(error, value, span);
        let out = self.walk(handler);
        self.leave(out, temporary, join, self.expr(handler).span);
        self.meet(join, temporary)
    }
}

/// Local i is variable i; temporaries follow.
pub(super) fn variable(local: LocalId) -> Variable {
    Variable(local.0)
}
