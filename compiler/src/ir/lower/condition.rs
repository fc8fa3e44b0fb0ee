//! Conditions in branch position: they become control flow, never bools that are made only to be tested.

use super::body::Body;
use crate::hir::{ExprId, ExprKind};
use crate::ir::{Block, Op, Terminator, Type, Value, Values};
use crate::prim::Prim;
use crate::syntax::span::Span;
use smallvec::{SmallVec, smallvec};

/// Where a condition leads, and which of both, if any, leaves a loop and is written first (I8).
#[derive(Clone, Copy)]
struct Ways {
    yes: Block,
    no: Block,
    exit: Option<Block>,
}

impl Body<'_, '_> {
    /// Ends the current block by a condition.
    pub(super) fn branch(&mut self, condition: ExprId, yes: Block, no: Block) {
        self.branch_ways(condition, Ways { yes, no, exit: None });
    }

    /// The same for a loop's condition: `no` leaves the loop.
    pub(super) fn branch_exit_first(&mut self, condition: ExprId, yes: Block, no: Block) {
        self.branch_ways(condition, Ways { yes, no, exit: Some(no) });
    }

    fn branch_ways(&mut self, condition: ExprId, ways: Ways) {
        let expr = self.expr(condition);
        match &expr.kind {
            ExprKind::Bool(value) => self.builder.jump(if *value { ways.yes } else { ways.no }, expr.span),
            ExprKind::Prim(Prim::BoolNot, operands) => {
                self.branch_ways(operands[0], Ways { yes: ways.no, no: ways.yes, ..ways })
            }
            ExprKind::And(..) => self.chain(condition, ways, true),
            ExprKind::Or(..) => self.chain(condition, ways, false),
            ExprKind::Block(statements, Some(value)) => {
                for &statement in statements {
                    if self.walk(statement).is_none() {
                        return;
                    }
                }
                self.branch_ways(*value, ways);
            }
            ExprKind::Cond { arms, otherwise: Some(otherwise) } => self.branch_cond(arms, *otherwise, ways),
            ExprKind::Prim(prim, operands) if ways.exit == Some(ways.no) && inverse(*prim).is_some() => {
                let values: Option<Values> = operands.iter().map(|&operand| self.value(operand)).collect();
                let (Some(values), Some(prim)) = (values, inverse(*prim)) else { return };
                let value = self.builder.emit(Op::Prim(prim, values), Type::Byte, expr.span);
                self.branch_value(value, ways.no, ways.yes, expr.span);
            }
            _ => {
                let Some(value) = self.value(condition) else { return };
                if ways.exit == Some(ways.no) {
                    let not = Op::Prim(Prim::BoolNot, smallvec![value]);
                    let value = self.builder.emit(not, Type::Byte, expr.span);
                    self.branch_value(value, ways.no, ways.yes, expr.span);
                } else {
                    self.branch_value(value, ways.yes, ways.no, expr.span);
                }
            }
        }
    }

    fn branch_value(&mut self, condition: Value, then: Block, otherwise: Block, span: Span) {
        let terminator =
            Terminator::Branch { condition, then: (then, Values::new()), otherwise: (otherwise, Values::new()) };
        self.builder.terminate(terminator, span);
    }

    /// A left-nested chain of `and` (or of `or`), of any length.
    fn chain(&mut self, condition: ExprId, ways: Ways, and: bool) {
        let mut parts: SmallVec<[ExprId; 4]> = SmallVec::new();
        let mut left = condition;
        loop {
            left = match self.expr(left).kind {
                ExprKind::And(l, r) if and => {
                    parts.push(r);
                    l
                }
                ExprKind::Or(l, r) if !and => {
                    parts.push(r);
                    l
                }
                _ => break,
            };
        }
        parts.push(left);
        while let Some(part) = parts.pop() {
            if parts.is_empty() {
                return self.branch_ways(part, ways);
            }
            let next = self.builder.block();
            let ways = if and { Ways { yes: next, ..ways } } else { Ways { no: next, ..ways } };
            self.branch_ways(part, ways);
            if self.builder.enter_sealed(next).is_none() {
                return;
            }
        }
    }

    /// A `Cond` of bools, such as a `match` in a condition.
    fn branch_cond(&mut self, arms: &[(ExprId, ExprId)], otherwise: ExprId, ways: Ways) {
        for &(condition, value) in arms {
            let (then, next) = (self.builder.block(), self.builder.block());
            self.branch(condition, then, next);
            if self.builder.enter_sealed(then).is_some() {
                self.branch_ways(value, ways);
            }
            if self.builder.enter_sealed(next).is_none() {
                return;
            }
        }
        self.branch_ways(otherwise, ways);
    }
}

/// The comparison that is true exactly when this one is false. Comparisons of floats have none, because of NaN.
fn inverse(prim: Prim) -> Option<Prim> {
    Some(match prim {
        Prim::IntEq => Prim::IntNe,
        Prim::IntNe => Prim::IntEq,
        Prim::IntLt => Prim::IntGe,
        Prim::IntLe => Prim::IntGt,
        Prim::IntGt => Prim::IntLe,
        Prim::IntGe => Prim::IntLt,
        Prim::FloatEq => Prim::FloatNe,
        Prim::FloatNe => Prim::FloatEq,
        Prim::ByteEq => Prim::ByteNe,
        Prim::ByteNe => Prim::ByteEq,
        Prim::ByteLt => Prim::ByteGe,
        Prim::ByteLe => Prim::ByteGt,
        Prim::ByteGt => Prim::ByteLe,
        Prim::ByteGe => Prim::ByteLt,
        Prim::BoolEq => Prim::BoolNe,
        Prim::BoolNe => Prim::BoolEq,
        _ => return None,
    })
}
