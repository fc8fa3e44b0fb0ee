//! What instructions and terminators use and where they go: the one walk over operands that every pass shares.

use super::{Block, Elem, Inst, Op, Program, RuntimeFn, Terminator, Type, Value, Values};

impl Op {
    /// Calls `visit` on each operand, in order.
    pub fn visit(&self, mut visit: impl FnMut(Value)) {
        match self {
            Op::Int(_)
            | Op::Float(_)
            | Op::Byte(_)
            | Op::Nil
            | Op::Str(_)
            | Op::Code(_)
            | Op::FnObject(_)
            | Op::Singleton(_)
            | Op::Poll
            | Op::GlobalGet(_) => {}
            Op::IsNil(a) | Op::Load(_, _, a) | Op::Tag(_, a) | Op::ArrayLen(a) | Op::GlobalSet(_, a) => visit(*a),
            Op::BoundsCheck(a, b) | Op::Store(_, _, a, b) | Op::ArrayNew(_, a, b) | Op::ArrayGet(_, a, b) => {
                visit(*a);
                visit(*b);
            }
            Op::ArraySet(_, a, b, c) => {
                visit(*a);
                visit(*b);
                visit(*c);
            }
            Op::Prim(_, values)
            | Op::New(_, values)
            | Op::ArrayLiteral(_, values)
            | Op::Call(_, values)
            | Op::CallValue(values)
            | Op::CallNative(_, values)
            | Op::CallRuntime(_, values) => values.iter().copied().for_each(visit),
        }
    }

    /// Calls `visit` on each operand, in order, to change it.
    pub fn visit_mut(&mut self, mut visit: impl FnMut(&mut Value)) {
        match self {
            Op::Int(_)
            | Op::Float(_)
            | Op::Byte(_)
            | Op::Nil
            | Op::Str(_)
            | Op::Code(_)
            | Op::FnObject(_)
            | Op::Singleton(_)
            | Op::Poll
            | Op::GlobalGet(_) => {}
            Op::IsNil(a) | Op::Load(_, _, a) | Op::Tag(_, a) | Op::ArrayLen(a) | Op::GlobalSet(_, a) => visit(a),
            Op::BoundsCheck(a, b) | Op::Store(_, _, a, b) | Op::ArrayNew(_, a, b) | Op::ArrayGet(_, a, b) => {
                visit(a);
                visit(b);
            }
            Op::ArraySet(_, a, b, c) => {
                visit(a);
                visit(b);
                visit(c);
            }
            Op::Prim(_, values)
            | Op::New(_, values)
            | Op::ArrayLiteral(_, values)
            | Op::Call(_, values)
            | Op::CallValue(values)
            | Op::CallNative(_, values)
            | Op::CallRuntime(_, values) => values.iter_mut().for_each(visit),
        }
    }

    /// Whether the collector may run in it: references that stay alive must be where the collector finds them.
    pub fn is_safepoint(&self) -> bool {
        matches!(
            self,
            Op::New(..)
                | Op::ArrayNew(..)
                | Op::ArrayLiteral(..)
                | Op::Call(..)
                | Op::CallValue(..)
                | Op::CallNative(..)
                | Op::Poll
                | Op::CallRuntime(..)
        )
    }

    /// Whether it may trap.
    pub fn traps(&self) -> bool {
        match self {
            Op::Prim(prim, _) => prim.traps(),
            Op::BoundsCheck(..) | Op::GlobalGet(_) => true,
            Op::CallRuntime(RuntimeFn::Catch | RuntimeFn::Suspend | RuntimeFn::StrEq | RuntimeFn::StrCompare, _) => {
                false
            }
            Op::CallRuntime(RuntimeFn::StrHash | RuntimeFn::IntHash, _) => false,
            _ => self.is_safepoint(),
        }
    }

    /// Whether leaving it out could be seen even if nobody uses what it gives: it may trap, writes, calls or polls. An
    /// allocation of known size has none: that memory may run out in it is no promise.
    pub fn has_effect(&self) -> bool {
        match self {
            Op::New(..) | Op::ArrayLiteral(..) => false,
            Op::Store(..) | Op::ArraySet(..) | Op::GlobalSet(..) => true,
            Op::CallRuntime(RuntimeFn::StrEq | RuntimeFn::StrCompare, _) => false,
            Op::CallRuntime(RuntimeFn::StrHash | RuntimeFn::IntHash, _) => false,
            op => op.is_safepoint() || op.traps(),
        }
    }

    /// Whether it is done so seldom that its block belongs off the hot path.
    pub fn is_seldom(&self) -> bool {
        matches!(self, Op::CallRuntime(RuntimeFn::ArrayGrow(_), _))
    }

    /// Whether it always gives the same permanent object (or nil), which the collector neither moves nor needs to see.
    pub fn is_permanent(&self) -> bool {
        matches!(self, Op::Nil | Op::Str(_) | Op::FnObject(_) | Op::Singleton(_))
    }
}

impl RuntimeFn {
    /// The type it gives, if it gives something.
    pub fn result(self) -> Option<Type> {
        match self {
            RuntimeFn::ArrayCopy(_) | RuntimeFn::ArrayFill(_) | RuntimeFn::Throw => None,
            RuntimeFn::WeakSetPair | RuntimeFn::Suspend | RuntimeFn::Resume | RuntimeFn::Reraise => None,
            RuntimeFn::StrSlice | RuntimeFn::StrConcat | RuntimeFn::StrFromBytes | RuntimeFn::StrJoin => {
                Some(Type::Ref)
            }
            RuntimeFn::ArrayPart(_) | RuntimeFn::ArrayGrow(_) => Some(Type::Ref),
            RuntimeFn::Catch | RuntimeFn::WeakGet | RuntimeFn::WeakPair => Some(Type::Ref),
            RuntimeFn::StrEq | RuntimeFn::WeakRemovePair | RuntimeFn::ResourceOwn => Some(Type::Byte),
            RuntimeFn::StrCompare | RuntimeFn::StrHash | RuntimeFn::IntHash => Some(Type::Int),
            RuntimeFn::WeakNew => Some(Type::Int),
        }
    }

    /// The types it takes; [`RuntimeFn::StrConcat`] takes any number of its one.
    pub fn params(self) -> &'static [Type] {
        use Type::{Byte, Float, Int, Ref};
        match self {
            RuntimeFn::ArrayCopy(_) => &[Ref, Int, Ref, Int, Int],
            RuntimeFn::ArrayPart(_) => &[Ref, Int, Int, Int],
            RuntimeFn::ArrayGrow(_) => &[Ref, Int, Int],
            RuntimeFn::ArrayFill(Elem::Ref) => &[Ref, Int, Int, Ref],
            RuntimeFn::ArrayFill(Elem::Int) => &[Ref, Int, Int, Int],
            RuntimeFn::ArrayFill(Elem::Float) => &[Ref, Int, Int, Float],
            RuntimeFn::ArrayFill(Elem::Byte) => &[Ref, Int, Int, Byte],
            RuntimeFn::StrSlice | RuntimeFn::StrFromBytes => &[Ref, Int, Int],
            RuntimeFn::StrEq | RuntimeFn::StrCompare => &[Ref, Ref],
            RuntimeFn::StrConcat | RuntimeFn::StrHash | RuntimeFn::Throw => &[Ref],
            RuntimeFn::StrJoin => &[Ref, Int, Ref],
            RuntimeFn::IntHash => &[Int],
            RuntimeFn::Catch | RuntimeFn::Suspend | RuntimeFn::Resume => &[],
            RuntimeFn::Reraise => &[Byte],
            RuntimeFn::WeakNew | RuntimeFn::WeakPair | RuntimeFn::WeakRemovePair => &[Ref, Ref],
            RuntimeFn::WeakSetPair => &[Ref, Ref, Ref],
            RuntimeFn::WeakGet | RuntimeFn::ResourceOwn => &[Ref, Int],
        }
    }
}

impl Inst {
    /// The type of what its operation gives, as far as the operation alone tells: not for natives and closures.
    pub fn natural_result(&self, program: &Program) -> Natural {
        let ty = match &self.op {
            Op::Int(_) | Op::Code(_) | Op::Tag(..) | Op::ArrayLen(_) => Type::Int,
            Op::Float(_) => Type::Float,
            Op::Byte(_) | Op::IsNil(_) => Type::Byte,
            Op::Nil | Op::Str(_) | Op::FnObject(_) | Op::New(..) | Op::Singleton(_) => Type::Ref,
            Op::ArrayNew(..) | Op::ArrayLiteral(..) => Type::Ref,
            Op::Prim(prim, _) => prim.signature().1,
            Op::Load(record, field, _) => program.records[record.index()].fields[*field as usize].ty,
            Op::ArrayGet(elem, ..) => elem.ty(),
            Op::GlobalGet(global) => program.globals[global.index()].1,
            Op::Call(function, _) => program.functions[function.index()].result,
            Op::CallRuntime(function, _) => match function.result() {
                Some(ty) => ty,
                None => return Natural::Nothing,
            },
            Op::CallValue(_) | Op::CallNative(..) => return Natural::AsTyped,
            Op::BoundsCheck(..) | Op::Store(..) | Op::ArraySet(..) | Op::GlobalSet(..) | Op::Poll => {
                return Natural::Nothing;
            }
        };
        Natural::Type(ty)
    }
}

/// What an operation gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Natural {
    /// No value.
    Nothing,
    /// A value of that type.
    Type(Type),
    /// A value of the type that its result has been given.
    AsTyped,
}

impl Terminator {
    /// Calls `visit` on the operands that are no arguments of a jump.
    pub fn visit_own(&self, visit: impl FnOnce(Value)) {
        match self {
            Terminator::Branch { condition: value, .. } | Terminator::Return(value) => visit(*value),
            Terminator::Jump(..) | Terminator::Try { .. } | Terminator::Trap(_) | Terminator::Unreachable => {}
        }
    }

    /// Calls `visit` on each operand, arguments of jumps among them.
    pub fn visit(&self, mut visit: impl FnMut(Value)) {
        match self {
            Terminator::Jump(_, args) => args.iter().copied().for_each(visit),
            Terminator::Branch { condition, then, otherwise } => {
                visit(*condition);
                then.1.iter().chain(&otherwise.1).copied().for_each(visit);
            }
            Terminator::Return(value) => visit(*value),
            Terminator::Try { .. } | Terminator::Trap(_) | Terminator::Unreachable => {}
        }
    }

    /// Calls `visit` on each operand to change it.
    pub fn visit_mut(&mut self, mut visit: impl FnMut(&mut Value)) {
        match self {
            Terminator::Jump(_, args) => args.iter_mut().for_each(visit),
            Terminator::Branch { condition, then, otherwise } => {
                visit(condition);
                then.1.iter_mut().chain(&mut otherwise.1).for_each(visit);
            }
            Terminator::Return(value) => visit(value),
            Terminator::Try { .. } | Terminator::Trap(_) | Terminator::Unreachable => {}
        }
    }

    /// Calls `visit` on each edge: the block it goes to and the arguments for its parameters.
    pub fn edges(&self, mut visit: impl FnMut(Block, &[Value])) {
        match self {
            Terminator::Jump(block, args) => visit(*block, args),
            Terminator::Branch { then, otherwise, .. } => {
                visit(then.0, &then.1);
                visit(otherwise.0, &otherwise.1);
            }
            Terminator::Try { body, handler } => {
                visit(*body, &[]);
                visit(*handler, &[]);
            }
            Terminator::Return(_) | Terminator::Trap(_) | Terminator::Unreachable => {}
        }
    }

    /// Calls `visit` on each edge's block and arguments to change them.
    pub fn edges_mut(&mut self, mut visit: impl FnMut(&mut Block, &mut Values)) {
        match self {
            Terminator::Jump(block, args) => visit(block, args),
            Terminator::Branch { then, otherwise, .. } => {
                visit(&mut then.0, &mut then.1);
                visit(&mut otherwise.0, &mut otherwise.1);
            }
            Terminator::Try { body, handler } => {
                visit(body, &mut Values::new());
                visit(handler, &mut Values::new());
            }
            Terminator::Return(_) | Terminator::Trap(_) | Terminator::Unreachable => {}
        }
    }
}
