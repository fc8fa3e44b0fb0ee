//! What gives values. The left spine of an expression (its first operand, that one's first operand, and so on) is
//! walked with a loop, because chains of operators and method calls may be of any length (H2).

use super::body::{Body, Out, variable};
use crate::hir::{Expr, ExprId, ExprKind, FnId, Intrinsic, LocalId, Ty, TyKind};
use crate::ir::{Elem, FuncId, GlobalId, Op, RecordId, RuntimeFn, Terminator, Type, Value, Values};
use crate::prim::Prim;
use crate::syntax::span::Span;
use smallvec::{SmallVec, smallvec};

/// The operand that is evaluated first, of expressions that merely combine their operands.
fn first_operand(kind: &ExprKind) -> Option<ExprId> {
    match kind {
        ExprKind::Prim(_, args)
        | ExprKind::Call(_, args)
        | ExprKind::CallNative(_, args)
        | ExprKind::Intrinsic(_, args)
        | ExprKind::Struct(args)
        | ExprKind::Variant(_, args)
        | ExprKind::Tuple(args)
        | ExprKind::ArrayLiteral(args) => args.first().copied(),
        ExprKind::CallValue(first, _)
        | ExprKind::Field(first, _)
        | ExprKind::SetField(first, ..)
        | ExprKind::Tag(first)
        | ExprKind::VariantField(first, ..)
        | ExprKind::TupleField(first, _)
        | ExprKind::Wrap(first)
        | ExprKind::Upcast(first)
        | ExprKind::Downcast(first)
        | ExprKind::IsNil(first)
        | ExprKind::Unwrap(first)
        | ExprKind::Let(_, first)
        | ExprKind::SetLocal(_, first)
        | ExprKind::SetGlobal(_, first)
        | ExprKind::Return(first) => Some(*first),
        _ => None,
    }
}

impl Body<'_, '_> {
    /// Evaluates an expression.
    pub(super) fn walk(&mut self, id: ExprId) -> Option<Out> {
        let mut spine: SmallVec<[ExprId; 8]> = smallvec![id];
        let mut at = id;
        while let Some(first) = first_operand(&self.expr(at).kind) {
            spine.push(first);
            at = first;
        }
        let leaf = spine.pop().expect("starts with one");
        let mut out = self.leaf(self.expr(leaf))?;
        let mut span = self.expr(leaf).span;
        while let Some(id) = spine.pop() {
            let first = self.materialise(out, span);
            let expr = self.expr(id);
            out = self.combine(expr, first)?;
            span = expr.span;
        }
        Some(out)
    }

    /// An expression that has no first operand.
    fn leaf(&mut self, expr: &Expr) -> Option<Out> {
        let span = expr.span;
        let op = match &expr.kind {
            ExprKind::Unit => return Some(Out::Unit),
            ExprKind::Int(i) => Op::Int(*i),
            ExprKind::Float(x) => Op::Float(*x),
            ExprKind::Bool(b) => Op::Byte(u8::from(*b)),
            ExprKind::Byte(b) => Op::Byte(*b),
            ExprKind::Str(text) => Op::Str(self.lowering.literal(*text)),
            ExprKind::Nil => Op::Nil,
            ExprKind::Local(local) => return Some(Out::Value(self.read_local(*local, span))),
            ExprKind::Global(global) => Op::GlobalGet(GlobalId(global.0)),
            ExprKind::Block(statements, value) => return self.block_expr(statements, *value),
            ExprKind::Cond { arms, otherwise } => return self.cond(expr, arms, *otherwise),
            ExprKind::And(..) | ExprKind::Or(..) => return self.short_circuit(expr),
            ExprKind::TypeSwitch { subject, arms, otherwise } => {
                return self.type_switch(expr, *subject, arms, *otherwise);
            }
            ExprKind::Loop { .. } => return self.loop_expr(expr),
            ExprKind::Break(id) => {
                self.break_loop(*id, span);
                return None;
            }
            ExprKind::Continue(id) => {
                self.continue_loop(*id, span);
                return None;
            }
            ExprKind::Trap(kind) => {
                self.builder.terminate(Terminator::Trap(*kind), span);
                return None;
            }
            ExprKind::Closure(id, captured) => return Some(Out::Value(self.closure(*id, captured, span))),
            ExprKind::FnValue(id) => Op::FnObject(self.lowering.as_closure_body(*id)),
            &ExprKind::Try { body, error, handler } => return self.try_expr(expr, body, error, handler),
            &ExprKind::Defer { body, cleanup } => return self.defer_expr(expr, body, cleanup),
            // without operands
            ExprKind::Call(id, _) => return self.call(Op::Call(FuncId(id.0), Values::new()), expr),
            ExprKind::CallNative(id, _) => return self.call(Op::CallNative(*id, Values::new()), expr),
            ExprKind::Struct(_) | ExprKind::Tuple(_) => Op::New(self.record(expr.ty), Values::new()),
            ExprKind::Variant(variant, _) => Op::Singleton(self.variant(expr.ty, *variant)),
            ExprKind::ArrayLiteral(_) => Op::ArrayLiteral(self.elem(expr.ty), Values::new()),
            other => unreachable!("bug: {other:?} has operands"),
        };
        let ty = self.scalar(expr.ty);
        Some(Out::Value(self.builder.emit(op, ty, span)))
    }

    /// An expression whose first operand is there.
    fn combine(&mut self, expr: &Expr, first: Value) -> Option<Out> {
        let span = expr.span;
        let op = match &expr.kind {
            ExprKind::Prim(prim, args) => Op::Prim(*prim, self.operands(first, &args[1..])?),
            ExprKind::Call(id, args) => {
                let values = self.operands(first, &args[1..])?;
                return self.call(Op::Call(FuncId(id.0), values), expr);
            }
            ExprKind::CallNative(id, args) => {
                let values = self.operands(first, &args[1..])?;
                return self.call(Op::CallNative(*id, values), expr);
            }
            ExprKind::CallValue(_, args) => {
                let values = self.operands(first, args)?;
                return self.call(Op::CallValue(values), expr);
            }
            ExprKind::Intrinsic(intrinsic, args) => {
                let values = self.operands(first, &args[1..])?;
                return self.intrinsic(*intrinsic, args, &values, expr);
            }
            ExprKind::Struct(args) | ExprKind::Tuple(args) => {
                let values = self.operands(first, &args[1..])?;
                Op::New(self.record(expr.ty), values)
            }
            ExprKind::Variant(variant, args) => {
                let values = self.operands(first, &args[1..])?;
                Op::New(self.variant(expr.ty, *variant), values)
            }
            ExprKind::ArrayLiteral(args) => Op::ArrayLiteral(self.elem(expr.ty), self.operands(first, &args[1..])?),
            ExprKind::Field(object, field) | ExprKind::TupleField(object, field) => {
                Op::Load(self.record(self.expr(*object).ty), *field, first)
            }
            ExprKind::SetField(object, field, value) => {
                let value = self.value(*value)?;
                let record = self.record(self.expr(*object).ty);
                self.builder.effect(Op::Store(record, *field, first, value), span);
                return Some(Out::Unit);
            }
            ExprKind::Tag(value) => Op::Tag(self.variant(self.expr(*value).ty, 0), first),
            ExprKind::VariantField(value, variant, field) => {
                Op::Load(self.variant(self.expr(*value).ty, *variant), *field, first)
            }
            ExprKind::Wrap(_) => match self.optional_box(expr.ty) {
                Some(record) => Op::New(record, smallvec![first]),
                None => return Some(Out::Value(first)),
            },
            ExprKind::Unwrap(optional) => match self.optional_box(self.expr(*optional).ty) {
                Some(record) => Op::Load(record, 0, first),
                None => return Some(Out::Value(first)),
            },
            ExprKind::Upcast(value) => match self.trait_box(self.expr(*value).ty) {
                Some(record) => Op::New(record, smallvec![first]),
                None => return Some(Out::Value(first)),
            },
            ExprKind::Downcast(_) => match self.trait_box(expr.ty) {
                Some(record) => Op::Load(record, 0, first),
                None => return Some(Out::Value(first)),
            },
            ExprKind::IsNil(_) => Op::IsNil(first),
            ExprKind::Let(local, _) => {
                self.declare(*local, first, span);
                return Some(Out::Unit);
            }
            ExprKind::SetLocal(local, _) => {
                self.assign(*local, first, span);
                return Some(Out::Unit);
            }
            ExprKind::SetGlobal(global, _) => {
                self.builder.effect(Op::GlobalSet(GlobalId(global.0), first), span);
                return Some(Out::Unit);
            }
            ExprKind::Return(_) => {
                self.return_value(first, span);
                return None;
            }
            other => unreachable!("bug: {other:?} has no first operand"),
        };
        let ty = self.scalar(expr.ty);
        Some(Out::Value(self.builder.emit(op, ty, span)))
    }

    /// The first operand, which is there, and the others, left to right.
    fn operands(&mut self, first: Value, others: &[ExprId]) -> Option<Values> {
        let mut values: Values = smallvec![first];
        for &other in others {
            values.push(self.value(other)?);
        }
        Some(values)
    }

    fn call(&mut self, op: Op, expr: &Expr) -> Option<Out> {
        let ty = self.scalar(expr.ty);
        let value = self.builder.emit(op, ty, expr.span);
        match expr.ty {
            Ty::NEVER => {
                self.builder.terminate(Terminator::Unreachable, expr.span);
                None
            }
            Ty::UNIT => Some(Out::Unit),
            _ => Some(Out::Value(value)),
        }
    }

    /// `and` and `or` as values.
    fn short_circuit(&mut self, expr: &Expr) -> Option<Out> {
        let (ExprKind::And(left, right) | ExprKind::Or(left, right)) = expr.kind else {
            unreachable!("the caller matched it")
        };
        let result = self.builder.variable(Type::Byte);
        let (more, done, join) = (self.builder.block(), self.builder.block(), self.builder.block());
        let and = matches!(expr.kind, ExprKind::And(..));
        if and {
            self.branch(left, more, done);
        } else {
            self.branch(left, done, more);
        }
        if self.builder.enter_sealed(more).is_some() {
            let out = self.walk(right);
            self.leave(out, Some(result), join, expr.span);
        }
        if self.builder.enter_sealed(done).is_some() {
            let known = self.builder.emit(Op::Byte(u8::from(!and)), Type::Byte, expr.span);
            self.leave(Some(Out::Value(known)), Some(result), join, expr.span);
        }
        self.meet(join, Some(result))
    }

    fn closure(&mut self, id: FnId, captured: &[LocalId], span: Span) -> Value {
        let code = FuncId(id.0);
        if captured.is_empty() {
            let code = self.lowering.as_closure_body(id);
            return self.builder.emit(Op::FnObject(code), Type::Ref, span);
        }
        let program = self.lowering.source;
        let layout = self.lowering.layouts.closure(&program.types, id, &program.functions[id.0 as usize]);
        let mut values: Values = captured.iter().map(|&local| self.builder.read(variable(local))).collect();
        if let Some(environment) = layout.environment {
            values = smallvec![self.builder.emit(Op::New(environment, values), Type::Ref, span)];
        }
        values.insert(0, self.builder.emit(Op::Code(code), Type::Int, span));
        self.builder.emit(Op::New(layout.record, values), Type::Ref, span)
    }

    fn intrinsic(&mut self, intrinsic: Intrinsic, args: &[ExprId], values: &Values, expr: &Expr) -> Option<Out> {
        let span = expr.span;
        let elem = || self.elem(self.expr(args[0]).ty);
        let op = match intrinsic {
            Intrinsic::ArrayNew => Op::ArrayNew(self.elem(expr.ty), values[0], values[1]),
            Intrinsic::ArrayZeroed => {
                let elem = self.elem(expr.ty);
                let zero = match elem {
                    Elem::Ref => Op::Nil,
                    Elem::Int => Op::Int(0),
                    Elem::Float => Op::Float(0.0),
                    Elem::Byte => Op::Byte(0),
                };
                let zero = self.builder.emit(zero, elem.ty(), span);
                Op::ArrayNew(elem, values[0], zero)
            }
            Intrinsic::ArrayLen | Intrinsic::StrLen => Op::ArrayLen(values[0]),
            Intrinsic::ArrayGetUnchecked => Op::ArrayGet(elem(), values[0], values[1]),
            Intrinsic::ArrayGet => {
                let elem = elem();
                self.check_index(values[0], values[1], span);
                Op::ArrayGet(elem, values[0], values[1])
            }
            Intrinsic::StrByte => {
                self.check_index(values[0], values[1], span);
                Op::ArrayGet(Elem::Byte, values[0], values[1])
            }
            Intrinsic::ArraySet | Intrinsic::ArraySetUnchecked => {
                let set = Op::ArraySet(elem(), values[0], values[1], values[2]);
                if intrinsic == Intrinsic::ArraySet {
                    self.check_index(values[0], values[1], span);
                }
                self.builder.effect(set, span);
                return Some(Out::Unit);
            }
            Intrinsic::BoundsCheck => {
                self.builder.effect(Op::BoundsCheck(values[0], values[1]), span);
                return Some(Out::Unit);
            }
            Intrinsic::ArrayCopy => return self.runtime(RuntimeFn::ArrayCopy(elem()), values, span),
            Intrinsic::ArrayPart => return self.runtime(RuntimeFn::ArrayPart(elem()), values, span),
            Intrinsic::ArrayGrow => return self.runtime(RuntimeFn::ArrayGrow(elem()), values, span),
            Intrinsic::ArrayForget => {
                // slots of other kinds keep nothing alive
                if elem() == Elem::Ref {
                    let nil = self.builder.emit(Op::Nil, Type::Ref, span);
                    let operands = smallvec![values[0], values[1], values[2], nil];
                    self.builder.effect(Op::CallRuntime(RuntimeFn::ArrayFill(Elem::Ref), operands), span);
                }
                return Some(Out::Unit);
            }
            Intrinsic::ArrayFill => return self.runtime(RuntimeFn::ArrayFill(elem()), values, span),
            Intrinsic::StrSlice => return self.runtime(RuntimeFn::StrSlice, values, span),
            Intrinsic::StrEq => return self.runtime(RuntimeFn::StrEq, values, span),
            Intrinsic::StrCompare => return self.runtime(RuntimeFn::StrCompare, values, span),
            Intrinsic::StrConcat => return self.runtime(RuntimeFn::StrConcat, values, span),
            Intrinsic::StrHash => return self.runtime(RuntimeFn::StrHash, values, span),
            Intrinsic::StrFromBytes => return self.runtime(RuntimeFn::StrFromBytes, values, span),
            Intrinsic::StrJoin => return self.runtime(RuntimeFn::StrJoin, values, span),
            Intrinsic::IntHash => return self.runtime(RuntimeFn::IntHash, values, span),
            Intrinsic::WeakNew => return self.runtime(RuntimeFn::WeakNew, values, span),
            Intrinsic::WeakGet => return self.runtime(RuntimeFn::WeakGet, values, span),
            Intrinsic::WeakSetPair => return self.runtime(RuntimeFn::WeakSetPair, values, span),
            Intrinsic::WeakPair => return self.runtime(RuntimeFn::WeakPair, values, span),
            Intrinsic::WeakRemovePair => return self.runtime(RuntimeFn::WeakRemovePair, values, span),
            Intrinsic::ResourceOwn => return self.runtime(RuntimeFn::ResourceOwn, values, span),
            Intrinsic::Throw => {
                self.runtime(RuntimeFn::Throw, values, span);
                self.builder.terminate(Terminator::Unreachable, span);
                return None;
            }
            Intrinsic::Same => Op::Prim(
                match self.scalar(self.expr(args[0]).ty) {
                    Type::Ref => Prim::RefEq,
                    Type::Int => Prim::IntEq,
                    Type::Float => Prim::FloatEq,
                    Type::Byte => Prim::ByteEq,
                },
                values.clone(),
            ),
        };
        let ty = self.scalar(expr.ty);
        Some(Out::Value(self.builder.emit(op, ty, span)))
    }

    fn runtime(&mut self, function: RuntimeFn, values: &Values, span: Span) -> Option<Out> {
        let op = Op::CallRuntime(function, values.clone());
        Some(match function.result() {
            Some(ty) => Out::Value(self.builder.emit(op, ty, span)),
            None => {
                self.builder.effect(op, span);
                Out::Unit
            }
        })
    }

    fn check_index(&mut self, array: Value, index: Value, span: Span) {
        let len = self.builder.emit(Op::ArrayLen(array), Type::Int, span);
        self.builder.effect(Op::BoundsCheck(index, len), span);
    }

    fn record(&mut self, ty: Ty) -> RecordId {
        self.lowering.layouts.record(&self.lowering.source.types, ty)
    }

    fn variant(&mut self, ty: Ty, variant: u32) -> RecordId {
        RecordId(self.lowering.layouts.variants(&self.lowering.source.types, ty).0 + variant)
    }

    /// The box of an optional type, if it needs one.
    fn optional_box(&mut self, optional: Ty) -> Option<RecordId> {
        let types = &self.lowering.source.types;
        let &TyKind::Optional(inner) = types.kind(optional) else { unreachable!("bug: not an optional") };
        types.optional_is_boxed(inner).then(|| self.lowering.layouts.optional_box(types, optional, inner))
    }

    /// The box of a type behind a trait's reference, if it needs one.
    fn trait_box(&mut self, ty: Ty) -> Option<RecordId> {
        let types = &self.lowering.source.types;
        let own = matches!(types.kind(ty), TyKind::Struct(..) | TyKind::Enum(..) | TyKind::Trait(..));
        (!own).then(|| self.lowering.layouts.trait_box(types, ty))
    }

    /// What the elements of an `Array[T]` are.
    fn elem(&self, array: Ty) -> Elem {
        match *self.lowering.source.types.kind(array) {
            TyKind::Array(item) => Elem::of(self.scalar(item)),
            _ => unreachable!("bug: not an array"),
        }
    }
}
