//! A switch over the types behind a trait's reference: a binary search over shape ids, which types have in runs (one
//! for a struct or a box, one for each variant of an enum). So a call through a trait is log₂ n compares and a call
//! that is known, which a later pass may inline.

use super::body::{Body, Out};
use crate::hir::{Expr, ExprId, LocalId, Ty};
use crate::ir::{Block, Op, RecordId, Terminator, Type, Value, Values};
use crate::prim::Prim;
use crate::syntax::span::Span;
use smallvec::smallvec;

/// Shape ids from `first` up to the next run's lead to a block.
#[derive(Clone, Copy)]
struct Run {
    first: i64,
    target: Block,
}

impl Body<'_, '_> {
    pub(super) fn type_switch(
        &mut self,
        expr: &Expr,
        subject: LocalId,
        arms: &[(Ty, ExprId)],
        otherwise: Option<ExprId>,
    ) -> Option<Out> {
        let temporary = self.temporary(expr.ty);
        let join = self.builder.block();
        let types = &self.lowering.source.types;
        let mut ways = Vec::new();
        for &(ty, value) in arms {
            let (first, count) = self.lowering.layouts.behind_trait(types, ty);
            ways.push((i64::from(first.0), i64::from(count), self.builder.block(), value));
        }
        ways.sort_by_key(|way| way.0);
        let default = otherwise.map(|value| (self.builder.block(), value));
        let base = ways.first().map_or(0, |way| way.0);
        let mut runs: Vec<Run> = Vec::new();
        for &(first, count, target, _) in &ways {
            let first = first - base;
            // without `otherwise` a gap belongs to the run before it: nothing has a shape in it
            if let Some((default, _)) = default {
                match runs.last_mut() {
                    // the run that was put behind the one before is empty
                    Some(gap) if gap.first == first => gap.target = target,
                    None => runs.extend([Run { first: i64::MIN, target: default }, Run { first, target }]),
                    _ => runs.push(Run { first, target }),
                }
                runs.push(Run { first: first + count, target: default });
            } else {
                runs.push(Run { first, target });
            }
        }
        match (runs.as_slice(), default) {
            ([], None) => self.builder.terminate(Terminator::Unreachable, expr.span),
            ([], Some((default, _))) => self.builder.jump(default, expr.span),
            _ => {
                let object = self.read_local(subject, expr.span);
                let shape = self.builder.emit(Op::Tag(RecordId(base as u32), object), Type::Int, expr.span);
                self.search(shape, &runs, expr.span);
            }
        }
        for (block, value) in ways.into_iter().map(|way| (way.2, way.3)).chain(default) {
            if self.builder.enter_sealed(block).is_some() {
                let out = self.walk(value);
                self.leave(out, temporary, join, self.expr(value).span);
            }
        }
        self.meet(join, temporary)
    }

    fn search(&mut self, shape: Value, runs: &[Run], span: Span) {
        let (prim, limit, lower, upper) = match runs {
            [only] => return self.builder.jump(only.target, span),
            // one shape among all others
            [before, one, after] if before.target == after.target && after.first == one.first + 1 => {
                (Prim::IntEq, one.first, std::slice::from_ref(one), std::slice::from_ref(before))
            }
            _ => {
                let (lower, upper) = runs.split_at(runs.len() / 2);
                (Prim::IntLt, upper[0].first, lower, upper)
            }
        };
        let limit = self.builder.emit(Op::Int(limit), Type::Int, span);
        let condition = self.builder.emit(Op::Prim(prim, smallvec![shape, limit]), Type::Byte, span);
        // a run's block may be reached from several places, so the search has blocks of its own
        let (then, other) = (self.builder.block(), self.builder.block());
        let (then_way, other_way) = ((then, Values::new()), (other, Values::new()));
        self.builder.terminate(Terminator::Branch { condition, then: then_way, otherwise: other_way }, span);
        for (block, runs) in [(then, lower), (other, upper)] {
            if self.builder.enter_sealed(block).is_some() {
                self.search(shape, runs, span);
            }
        }
    }
}
