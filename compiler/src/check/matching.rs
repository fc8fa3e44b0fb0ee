//! `match`: arms tried in order, exhaustive, each seeing what its pattern tells of the subject.

use super::body::{Body, Expect, Fact};
use super::exhaustive::{Ctor, Pat};
use super::pattern::{Bound, Step};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::hir::{ExprId, ExprKind, Ty, TyKind};
use crate::syntax::ast::{self};
use crate::syntax::span::Span;
use hashbrown::HashSet;

impl<'a> Body<'_, 'a> {
    pub fn match_expr(
        &mut self,
        subject: &'a ast::Expr,
        arms: &'a [ast::MatchArm],
        span: Span,
        expect: Expect,
        tail: bool,
    ) -> ExprId {
        let id = self.raw(subject, Expect::Any);
        let ty = self.ty(id);
        if ty == Ty::NEVER {
            return id;
        }
        let mut lets = Vec::new();
        let stable = self.stable("#subject", id, &mut lets);
        // one look at the variant serves all arms
        let tag = match self.kind(ty) {
            TyKind::Enum(..) if arms.len() > 2 => {
                let read = self.again(&stable);
                let tag = self.emit(ExprKind::Tag(read), Ty::INT, subject.span);
                Some(self.stable("#tag", tag, &mut lets))
            }
            _ => None,
        };
        let local = match &stable.0.kind {
            ExprKind::Local(local) => Some(*local),
            _ => None,
        };
        let before = self.frame().facts.clone();
        let mut conditions = Vec::new();
        let mut values = Vec::new();
        let mut rows: Vec<Vec<Pat>> = Vec::new();
        let mut exits = Vec::new();
        // what a wrong pattern would have matched is not known
        let mut sound = ty != Ty::ERROR;
        let (mut leaves, mut only_leaves) = (HashSet::new(), true);
        for arm in arms {
            self.frame().facts = before.clone();
            let mark = self.open();
            let mut steps = Vec::new();
            let mut bound = Bound::default();
            self.tag = tag.clone();
            let known = self.diagnostics.len();
            let pat = self.pattern(&arm.pattern, &stable, ty, &mut steps, &mut bound);
            sound &= self.diagnostics.len() == known;
            self.tag = None;
            self.bind_all(bound);
            if let (Some(local), Pat::Ctor(Ctor::Variant(number), _)) = (local, &pat) {
                self.frame().facts.push(Fact { local, variant: Some(*number), ty: None });
            }
            if let (Some(local), Pat::Ctor(Ctor::Type(behind), _)) = (local, &pat) {
                self.frame().facts.push(Fact { local, variant: None, ty: Some(*behind) });
            }
            // a literal is useful after other literals, so a long table of them is not searched for each
            let leaf = match &pat {
                Pat::Ctor(ctor @ (Ctor::Range(..) | Ctor::Str(_)), _) if only_leaves => Some(*ctor),
                _ => None,
            };
            only_leaves &= leaf
                .is_some_and(|ctor| matches!(ctor, Ctor::Str(_)) || matches!(ctor, Ctor::Range(lo, hi) if lo == hi));
            let useful = match leaf {
                Some(ctor) if only_leaves && arm.guard.is_none() => leaves.insert(ctor),
                Some(ctor) if only_leaves => !leaves.contains(&ctor),
                _ => self.useful(&rows, &pat, ty),
            };
            if sound && !useful {
                self.report(
                    Diagnostic::warning(codes::UNREACHED_ARM, arm.pattern.span, "this arm is never reached")
                        .label("the arms before it match all of this"),
                );
            }
            if let Some(guard) = &arm.guard {
                let (test, facts) = self.condition(guard);
                self.frame().facts.extend(facts.yes);
                steps.push(Step::Test(test));
            } else {
                rows.push(vec![pat]);
            }
            conditions.push(self.assemble(steps, arm.pattern.span));
            self.frame().tail = tail;
            let value = self.expr(&arm.body, expect);
            self.frame().tail = false;
            let value = if expect == Expect::Nothing { self.discard(value, arm.span) } else { value };
            values.push(value);
            self.close(mark);
            if self.ty(value) != Ty::NEVER {
                let facts = self.frame().facts.clone();
                exits.push(facts);
            }
        }
        self.frame().facts = before;
        self.frame().facts.retain(|f| exits.iter().all(|e| e.contains(f)));
        if sound {
            let Ok(missing) = self.missing(&rows, &[ty]) else {
                return self.fail(too_intricate(span));
            };
            if let Some(missing) = missing {
                let shown = self.show(ty);
                let what = super::report::list(&missing);
                let plural = if missing.len() == 1 { "is" } else { "are" };
                self.report(
                    Diagnostic::error(
                        codes::NOT_EXHAUSTIVE,
                        span,
                        format!("this `match` is not exhaustive: {what} {plural} missing"),
                    )
                    .and(subject.span, format!("of type {shown}"))
                    .help("add an arm for it, or `_ => …` for all the rest"),
                );
                return self.bad(span);
            }
        }
        if arms.is_empty() {
            return self.bad(span);
        }
        let expect = self.procedure(expect, &values, tail);
        let id = self.match_branches(conditions, values, span, expect);
        self.sequence(lets, id, span)
    }

    /// The last arm of an exhaustive match needs no test when it has no guard: what reaches it matches it. Its steps
    /// still bind, so it stays a condition.
    pub fn match_branches(
        &mut self,
        conditions: Vec<ExprId>,
        values: Vec<ExprId>,
        span: Span,
        expect: Expect,
    ) -> ExprId {
        let all_never = values.iter().all(|&v| self.frame().exprs[v.0 as usize].ty == Ty::NEVER);
        let id = self.branches(conditions, values, false, span, expect);
        if all_never {
            self.frame().exprs[id.0 as usize].ty = Ty::NEVER;
        }
        id
    }
}

/// What is said where the question whether patterns cover all values has no answer in reasonable time.
pub(super) fn too_intricate(span: Span) -> Diagnostic {
    Diagnostic::error(
        codes::INTRICATE_PATTERNS,
        span,
        "whether these patterns cover all values is too much work to find out",
    )
    .help("end them with an arm `_ => …`, or match one part at a time")
}
