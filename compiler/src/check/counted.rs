//! Loops that count: `for` over `a..b`, and over what `rev` and `step` make of it, without an object for any of them.
//!
//! Invariant: no counter overflows, because each is compared with the last value that a round may add to before it does.

use super::body::{Body, Stable};
use super::coerce::Why;
use super::iterate::{Element, Length, Rounds};
use crate::hir::{ExprId, ExprKind, Ty};
use crate::prim::Prim;
use crate::syntax::ast::{self, PostfixKind};
use crate::syntax::span::Span;

/// `lo..hi`, turned round or not, every value or every so many.
struct Counted<'a> {
    lo: &'a ast::Expr,
    hi: &'a ast::Expr,
    inclusive: bool,
    down: bool,
    by: Option<&'a ast::Expr>,
}

impl<'a> Counted<'a> {
    /// `a..b`, `(a..b).rev()`, `(a..b).step(n)`, `(a..b).rev().step(n)`
    fn of(iterable: &'a ast::Expr) -> Option<Counted<'a>> {
        let (range, ops) = match &iterable.kind {
            ast::ExprKind::Postfix { base, ops } => (&base.kind, &ops[..]),
            kind => (kind, &[][..]),
        };
        let ast::ExprKind::Range { lo: Some(lo), hi: Some(hi), inclusive } = range else { return None };
        let mut counted = Counted { lo, hi, inclusive: *inclusive, down: false, by: None };
        for call in ops.chunks(2) {
            let [name, arguments] = call else { return None };
            let (PostfixKind::Field(name), PostfixKind::Call(arguments)) = (&name.kind, &arguments.kind) else {
                return None;
            };
            match (name.name.as_str(), &arguments[..]) {
                ("rev", []) if !counted.down && counted.by.is_none() => counted.down = true,
                ("step", [by]) if by.name.is_none() && counted.by.is_none() => counted.by = Some(&by.value),
                _ => return None,
            }
        }
        Some(counted)
    }
}

impl<'a> Body<'_, 'a> {
    /// How to go through a range that is written there.
    pub(super) fn counted(&mut self, iterable: &'a ast::Expr) -> Option<Rounds> {
        let span = iterable.span;
        let Counted { lo, hi, mut inclusive, down, by } = Counted::of(iterable)?;
        let mut before = Vec::new();
        let lo = self.expr_to(lo, Ty::INT, Why::Index);
        let lo = self.stable("#lo", lo, &mut before);
        let mut hi = self.expr_to(hi, Ty::INT, Why::Index);
        if inclusive
            && let ExprKind::Int(last) = self.frame().exprs[hi.0 as usize].kind
            && let Some(end) = last.checked_add(1)
        {
            (hi, inclusive) = (self.int(end, span), false);
        }
        if by.is_some() && inclusive {
            let one = self.int(1, span);
            (hi, inclusive) = (self.emit(ExprKind::Prim(Prim::IntAdd, vec![hi, one]), Ty::INT, span), false);
        }
        let hi = self.stable("#hi", hi, &mut before);
        let Some(by) = by else {
            return Some(if down {
                self.count_down(lo, hi, inclusive, before, span)
            } else {
                self.count_up(lo, hi, inclusive, before, span)
            });
        };
        let mut by = self.expr_to(by, Ty::INT, Why::Index);
        if !matches!(self.frame().exprs[by.0 as usize].kind, ExprKind::Int(1..)) {
            let check = self.core_fn("range_step")?;
            by = self.call_ids(check, Vec::new(), vec![by], span);
        }
        let by = self.stable("#by", by, &mut before);
        Some(self.count_by(lo, hi, &by, down, before, span))
    }

    /// From `lo` up to `hi`.
    pub(super) fn count_up(
        &mut self,
        lo: Stable,
        hi: Stable,
        inclusive: bool,
        mut before: Vec<ExprId>,
        span: Span,
    ) -> Rounds {
        let start = self.again(&lo);
        let counter = self.counter("#i", start, &mut before, span);
        let (i, end) = (self.read(counter, span), self.again(&hi));
        let (guard, condition) = if inclusive {
            let guard = self.test(Prim::IntLe, i, end, span);
            let end = self.again(&hi);
            let past = self.beside(end, Prim::IntAddWrap, span);
            let past = self.stable("#past", past, &mut before);
            let (i, past) = (self.read(counter, span), self.again(&past));
            (Some(guard), self.test(Prim::IntNe, i, past, span))
        } else {
            (None, self.test(Prim::IntLt, i, end, span))
        };
        let element = Element::One(self.read(counter, span), Ty::INT);
        let step = Some(self.increment(counter, span));
        let length = Length::Range { lo, hi, inclusive };
        Rounds { before, guard, condition: Some(condition), element, position: None, step, length }
    }

    /// From `hi` down to `lo`.
    fn count_down(&mut self, lo: Stable, hi: Stable, inclusive: bool, mut before: Vec<ExprId>, span: Span) -> Rounds {
        let start = self.again(&hi);
        let counter = self.counter("#i", start, &mut before, span);
        let (i, end) = (self.read(counter, span), self.again(&lo));
        let element = self.read(counter, span);
        let (guard, condition, element) = if inclusive {
            let guard = self.test(Prim::IntGe, i, end, span);
            let end = self.again(&lo);
            let past = self.beside(end, Prim::IntSubWrap, span);
            let past = self.stable("#past", past, &mut before);
            let (i, past) = (self.read(counter, span), self.again(&past));
            (Some(guard), self.test(Prim::IntNe, i, past, span), element)
        } else {
            // the counter is one ahead, so that it never gets below `lo`
            (None, self.test(Prim::IntGt, i, end, span), self.beside(element, Prim::IntSubWrap, span))
        };
        let step = Some(self.bump(counter, -1, span));
        let length = Length::Range { lo, hi, inclusive };
        let element = Element::One(element, Ty::INT);
        Rounds { before, guard, condition: Some(condition), element, position: None, step, length }
    }

    /// Every `by`-th value of `lo..hi`, from its start, or from its end when `down`. `by` is positive.
    fn count_by(
        &mut self,
        lo: Stable,
        hi: Stable,
        by: &Stable,
        down: bool,
        mut before: Vec<ExprId>,
        span: Span,
    ) -> Rounds {
        let (from, to) = if down { (&hi, &lo) } else { (&lo, &hi) };
        let (ahead, back, within, beyond, limit) = if down {
            (Prim::IntSubWrap, Prim::IntAddWrap, Prim::IntGt, Prim::IntLt, i64::MAX)
        } else {
            (Prim::IntAddWrap, Prim::IntSubWrap, Prim::IntLt, Prim::IntGt, i64::MIN)
        };
        let start = self.again(from);
        let counter = self.counter("#i", start, &mut before, span);
        // whether there is a next value is asked before it is computed
        let (end, distance) = (self.again(to), self.again(by));
        let edge = self.emit(ExprKind::Prim(back, vec![end, distance]), Ty::INT, span);
        let edge = self.stable("#edge", edge, &mut before);
        let (wrapped, end) = (self.again(&edge), self.again(to));
        let wrapped = self.test(beyond, wrapped, end, span);
        let (limit, otherwise) = (self.int(limit, span), Some(self.again(&edge)));
        let edge = self.emit(ExprKind::Cond { arms: vec![(wrapped, limit)], otherwise }, Ty::INT, span);
        let edge = self.stable("#edge", edge, &mut before);

        let (i, end) = (self.read(counter, span), self.again(to));
        let condition = self.test(within, i, end, span);
        let mut element = self.read(counter, span);
        if down {
            element = self.beside(element, Prim::IntSubWrap, span);
        }
        let (i, edge) = (self.read(counter, span), self.again(&edge));
        let more = self.test(within, i, edge, span);
        let (i, distance) = (self.read(counter, span), self.again(by));
        let next = self.emit(ExprKind::Prim(ahead, vec![i, distance]), Ty::INT, span);
        let otherwise = Some(self.again(to));
        let next = self.emit(ExprKind::Cond { arms: vec![(more, next)], otherwise }, Ty::INT, span);
        let step = Some(self.emit(ExprKind::SetLocal(counter, next), Ty::UNIT, span));
        let element = Element::One(element, Ty::INT);
        let length = Length::Unknown;
        Rounds { before, guard: None, condition: Some(condition), element, position: None, step, length }
    }

    /// The core library's `Steps`: `left` values from `start`, `by` apart.
    pub(super) fn over_steps(&mut self, value: ExprId, ty: Ty, span: Span) -> Option<Rounds> {
        let mut before = Vec::new();
        let steps = self.stable("#steps", value, &mut before);
        let field = |this: &mut Self, name: &str| {
            let (index, field_ty) = this.field_named(ty, name)?;
            let base = this.again(&steps);
            Some(this.emit(ExprKind::Field(base, index), field_ty, span))
        };
        let (start, by, left) = (field(self, "start")?, field(self, "by")?, field(self, "left")?);
        let current = self.counter("#i", start, &mut before, span);
        let by = self.stable("#by", by, &mut before);
        let left = self.counter("#left", left, &mut before, span);
        let (n, zero) = (self.read(left, span), self.int(0, span));
        let condition = Some(self.test(Prim::IntGt, n, zero, span));
        let element = Element::One(self.read(current, span), Ty::INT);
        let down = self.bump(left, -1, span);
        let (old, by) = (self.read(current, span), self.again(&by));
        let next = self.emit(ExprKind::Prim(Prim::IntAddWrap, vec![old, by]), Ty::INT, span);
        let advance = self.emit(ExprKind::SetLocal(current, next), Ty::UNIT, span);
        let step = Some(self.emit(ExprKind::Block(vec![down, advance], None), Ty::UNIT, span));
        let length = Length::Of { value: steps, fixed: true };
        Some(Rounds { before, guard: None, condition, element, position: None, step, length })
    }

    /// `value` plus or minus one.
    fn beside(&mut self, value: ExprId, prim: Prim, span: Span) -> ExprId {
        let one = self.int(1, span);
        self.emit(ExprKind::Prim(prim, vec![value, one]), Ty::INT, span)
    }

    /// How many values a range has.
    pub(super) fn range_count(&mut self, lo: &Stable, hi: &Stable, inclusive: bool, span: Span) -> Option<ExprId> {
        let count = self.core_fn("range_count")?;
        let arguments = vec![self.again(lo), self.again(hi), self.bool(inclusive, span)];
        Some(self.call_ids(count, Vec::new(), arguments, span))
    }
}
