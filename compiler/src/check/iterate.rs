//! Loops and comprehensions. `for` is spelled out here for lists, arrays, maps, sets and strings, in `counted` for ranges;
//! everything else goes through `iter(self)` and `next(self) -> T?`.

use super::body::{Binding, Body, Expect, LoopScope, Stable};
use super::coerce::Why;
use super::pattern::Step;
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::hir::{ExprId, ExprKind, Intrinsic, LocalId, LoopId, Ty, TyKind};
use crate::prim::Prim;
use crate::syntax::ast;
use crate::syntax::span::Span;
use crate::syntax::symbol::Symbol;

/// The parts of a `for` before its body is put in.
pub(super) struct Rounds {
    /// Runs once, before the loop.
    pub before: Vec<ExprId>,
    /// A test around the whole loop.
    pub guard: Option<ExprId>,
    pub condition: Option<ExprId>,
    /// Where the element is, when it is one value.
    pub element: Element,
    /// What the counter of `for i, x` is set from; none when it has to be counted apart.
    pub position: Option<LocalId>,
    pub step: Option<ExprId>,
    pub length: Length,
}

/// How many rounds there will be.
pub(super) enum Length {
    Unknown,
    /// As many as a range has values.
    Range {
        lo: Stable,
        hi: Stable,
        inclusive: bool,
    },
    /// As many as the value's `len()` says before the first, at the most; when not `fixed`, unless that changes on the way.
    Of {
        value: Stable,
        fixed: bool,
    },
}

pub(super) enum Element {
    One(ExprId, Ty),
    /// Key and value of a map, not yet put in a tuple.
    Pair((ExprId, Ty), (ExprId, Ty)),
}

type Inner<'b, 'c, 'a> = &'b mut dyn FnMut(&mut Body<'c, 'a>) -> ExprId;

impl<'c, 'a> Body<'c, 'a> {
    fn enter_loop(&mut self, label: Option<ast::Ident>) -> LoopId {
        let id = self.new_loop();
        self.forget_mutable();
        self.frame().loops.push(LoopScope { id, label: label.map(|l| l.name), broken: false });
        id
    }

    fn leave_loop(&mut self) -> bool {
        self.frame().loops.pop().is_some_and(|l| l.broken)
    }

    pub fn while_loop(
        &mut self,
        label: Option<ast::Ident>,
        conditions: &'a [ast::Condition],
        body: &'a ast::Block,
        span: Span,
    ) -> ExprId {
        let id = self.enter_loop(label);
        let head = self.frame().facts.clone();
        let mark = self.open();
        let (condition, _) = self.conditions(conditions);
        let body = self.block(body, Expect::Nothing);
        self.close(mark);
        self.leave_loop();
        self.frame().facts = head;
        let kind = ExprKind::Loop { id, condition: Some(condition), body, step: None };
        self.emit(kind, Ty::UNIT, span)
    }

    pub fn endless_loop(&mut self, label: Option<ast::Ident>, body: &'a ast::Block, span: Span) -> ExprId {
        let id = self.enter_loop(label);
        let head = self.frame().facts.clone();
        let body = self.block(body, Expect::Nothing);
        let broken = self.leave_loop();
        self.frame().facts = head;
        let ty = if broken { Ty::UNIT } else { Ty::NEVER };
        self.emit(ExprKind::Loop { id, condition: None, body, step: None }, ty, span)
    }

    pub fn jump(&mut self, label: Option<ast::Ident>, leave: bool, span: Span) -> ExprId {
        let loops = &self.frame().loops;
        let found = match label {
            None => loops.len().checked_sub(1),
            Some(label) => loops.iter().rposition(|l| l.label == Some(label.name)),
        };
        if let Some(found) = found {
            if self.frame().defer_loops.is_some_and(|outside| found < outside) {
                self.stays_in_defer(if leave { "break" } else { "continue" }, span);
                return self.bad(span);
            }
            let target = &mut self.frame().loops[found];
            target.broken |= leave;
            let id = target.id;
            let kind = if leave { ExprKind::Break(id) } else { ExprKind::Continue(id) };
            return self.emit(kind, Ty::NEVER, span);
        }
        let word = if leave { "break" } else { "continue" };
        let diagnostic = match label {
            Some(label) => Diagnostic::error(
                codes::NO_LOOP,
                label.span,
                format!("there is no loop named `{}` around this", label.name),
            ),
            None if self.frames.len() > 1 => {
                Diagnostic::error(codes::NO_LOOP, span, format!("`{word}` can't leave the closure it is in"))
                    .help("`return` ends the closure")
            }
            None => Diagnostic::error(codes::NO_LOOP, span, format!("`{word}` stands outside any loop")),
        };
        self.fail(diagnostic)
    }

    pub fn for_loop(
        &mut self,
        label: Option<ast::Ident>,
        index: Option<ast::Ident>,
        pattern: &'a ast::Pattern,
        iterable: &'a ast::Expr,
        body: &'a ast::Block,
        span: Span,
    ) -> ExprId {
        self.for_each(label, index, pattern, iterable, span, &mut |this| this.block(body, Expect::Nothing))
    }

    fn for_each(
        &mut self,
        label: Option<ast::Ident>,
        index: Option<ast::Ident>,
        pattern: &'a ast::Pattern,
        iterable: &'a ast::Expr,
        span: Span,
        inner: Inner<'_, 'c, 'a>,
    ) -> ExprId {
        match self.rounds(iterable) {
            Some(rounds) => self.run_rounds(rounds, label, index, pattern, span, inner),
            // names still have to be known for the body
            None => self.broken_loop(index, pattern, span, inner),
        }
    }

    fn run_rounds(
        &mut self,
        mut rounds: Rounds,
        label: Option<ast::Ident>,
        index: Option<ast::Ident>,
        pattern: &'a ast::Pattern,
        span: Span,
        inner: Inner<'_, 'c, 'a>,
    ) -> ExprId {
        let id = self.enter_loop(label);
        let head = self.frame().facts.clone();
        let mark = self.open();
        let mut steps = Vec::new();
        let mut count_step = None;
        let position = match (index, rounds.position) {
            (Some(index), None) => {
                let zero = self.int(0, index.span);
                let counter = self.local(Symbol::new("#count"), Ty::INT, true, index.span);
                rounds.before.push(self.emit(ExprKind::Let(counter, zero), Ty::UNIT, index.span));
                count_step = Some(self.increment(counter, index.span));
                Some(counter)
            }
            (_, position) => position,
        };
        if let (Some(index), Some(position)) = (index, position) {
            let local = self.local(index.name, Ty::INT, false, index.span);
            let value = self.read(position, index.span);
            steps.push(Step::Bind(self.emit(ExprKind::Let(local, value), Ty::UNIT, index.span)));
            self.bind(index.name, Binding::Local(local));
        }
        match rounds.element {
            Element::One(value, ty) => self.bind_element(pattern, value, ty, &mut steps),
            Element::Pair(key, value) => match &pattern.kind {
                ast::PatternKind::Tuple(parts) if parts.len() == 2 => {
                    self.bind_element(&parts[0], key.0, key.1, &mut steps);
                    self.bind_element(&parts[1], value.0, value.1, &mut steps);
                }
                _ => {
                    let ty = self.cx.tuple(vec![key.1, value.1]);
                    let pair = self.emit(ExprKind::Tuple(vec![key.0, value.0]), ty, pattern.span);
                    self.bind_element(pattern, pair, ty, &mut steps);
                }
            },
        }
        let value = inner(self);
        let value = self.discard(value, span);
        self.close(mark);
        self.leave_loop();
        self.frame().facts = head;
        let mut stmts: Vec<ExprId> = steps.into_iter().map(Step::id).collect();
        stmts.push(value);
        let ty = if self.ty(value) == Ty::NEVER { Ty::NEVER } else { Ty::UNIT };
        let body = self.emit(ExprKind::Block(stmts, None), ty, span);
        let step = match (rounds.step, count_step) {
            (Some(a), Some(b)) => Some(self.emit(ExprKind::Block(vec![a, b], None), Ty::UNIT, span)),
            (a, b) => a.or(b),
        };
        let kind = ExprKind::Loop { id, condition: rounds.condition, body, step };
        let mut whole = self.emit(kind, Ty::UNIT, span);
        if let Some(guard) = rounds.guard {
            whole = self.emit(ExprKind::Cond { arms: vec![(guard, whole)], otherwise: None }, Ty::UNIT, span);
        }
        if rounds.before.is_empty() {
            return whole;
        }
        rounds.before.push(whole);
        self.emit(ExprKind::Block(rounds.before, None), Ty::UNIT, span)
    }

    /// A loop over something that can't be iterated; the error has been reported.
    fn broken_loop(
        &mut self,
        index: Option<ast::Ident>,
        pattern: &'a ast::Pattern,
        span: Span,
        inner: Inner<'_, 'c, 'a>,
    ) -> ExprId {
        self.enter_loop(None);
        let mark = self.open();
        let mut names = Vec::new();
        super::decls::bound_names(pattern, &mut names);
        names.extend(index);
        for name in names {
            let local = self.local(name.name, Ty::ERROR, false, name.span);
            self.bind(name.name, Binding::Local(local));
        }
        inner(self);
        self.close(mark);
        self.leave_loop();
        self.bad(span)
    }

    fn bind_element(&mut self, pattern: &'a ast::Pattern, value: ExprId, ty: Ty, steps: &mut Vec<Step>) {
        if let ast::PatternKind::Bind(name) = pattern.kind {
            let local = self.local(name, ty, false, pattern.span);
            steps.push(Step::Bind(self.emit(ExprKind::Let(local, value), Ty::UNIT, pattern.span)));
            self.bind(name, Binding::Local(local));
            return;
        }
        let more = self.irrefutable(pattern, value, ty, false);
        steps.extend(more.into_iter().map(Step::Bind));
    }

    /// `local +%= 1`
    pub(super) fn increment(&mut self, local: LocalId, span: Span) -> ExprId {
        self.bump(local, 1, span)
    }

    pub(super) fn bump(&mut self, local: LocalId, by: i64, span: Span) -> ExprId {
        let old = self.read(local, span);
        let by = self.int(by, span);
        let new = self.emit(ExprKind::Prim(Prim::IntAddWrap, vec![old, by]), Ty::INT, span);
        self.emit(ExprKind::SetLocal(local, new), Ty::UNIT, span)
    }

    /// A loop variable of its own, set before the loop.
    pub(super) fn counter(&mut self, name: &str, start: ExprId, before: &mut Vec<ExprId>, span: Span) -> LocalId {
        let local = self.local(Symbol::new(name), Ty::INT, true, span);
        before.push(self.emit(ExprKind::Let(local, start), Ty::UNIT, span));
        local
    }

    pub(super) fn test(&mut self, prim: Prim, a: ExprId, b: ExprId, span: Span) -> ExprId {
        self.emit(ExprKind::Prim(prim, vec![a, b]), Ty::BOOL, span)
    }

    /// How to go through a value; None after an error.
    fn rounds(&mut self, iterable: &'a ast::Expr) -> Option<Rounds> {
        let span = iterable.span;
        if let Some(rounds) = self.counted(iterable) {
            return Some(rounds);
        }
        let value = self.expr(iterable, Expect::Any);
        self.rounds_of(value, span)
    }

    fn rounds_of(&mut self, value: ExprId, span: Span) -> Option<Rounds> {
        let ty = self.ty(value);
        match self.kind(ty) {
            TyKind::Error => None,
            TyKind::Never => {
                let condition = self.bool(false, span);
                Some(Rounds {
                    before: vec![value],
                    guard: None,
                    condition: Some(condition),
                    element: Element::One(value, Ty::ERROR),
                    position: None,
                    step: None,
                    length: Length::Unknown,
                })
            }
            TyKind::Str => {
                let decl = self.core_fn("str_chars")?;
                let list = self.call_ids(decl, Vec::new(), vec![value], span);
                self.rounds_of(list, span)
            }
            TyKind::Array(element) => Some(self.over_array(value, element, span)),
            TyKind::Struct(decl, args) if Some(decl) == self.cx.lang.list => Some(self.over_list(value, args[0], span)),
            TyKind::Struct(decl, args) if Some(decl) == self.cx.lang.map => self.over_map(value, args, true, span),
            TyKind::Struct(decl, _) if Some(decl) == self.cx.lang.set => {
                let (index, map_ty) = self.field_named(ty, "map")?;
                let map = self.emit(ExprKind::Field(value, index), map_ty, span);
                let args = self.cx.as_decl(map_ty)?.1;
                self.over_map(map, args, false, span)
            }
            TyKind::Struct(decl, _) if Some(decl) == self.cx.lang.range => {
                let mut before = Vec::new();
                let range = self.stable("#range", value, &mut before);
                let (start, end) = (self.field_named(ty, "start")?.0, self.field_named(ty, "end")?.0);
                let base = self.again(&range);
                let lo = self.emit(ExprKind::Field(base, start), Ty::INT, span);
                let base = self.again(&range);
                let hi = self.emit(ExprKind::Field(base, end), Ty::INT, span);
                let (lo, hi) = (self.stable("#lo", lo, &mut before), self.stable("#hi", hi, &mut before));
                Some(self.count_up(lo, hi, false, before, span))
            }
            TyKind::Struct(decl, _) if Some(decl) == self.cx.lang.steps => self.over_steps(value, ty, span),
            TyKind::Infer(_) => {
                self.unknown_type(ty, span);
                None
            }
            _ => self.over_iterator(value, span),
        }
    }

    fn over_list(&mut self, value: ExprId, element: Ty, span: Span) -> Rounds {
        let ty = self.ty(value);
        let mut before = Vec::new();
        let list = self.stable("#list", value, &mut before);
        let zero = self.int(0, span);
        let counter = self.counter("#i", zero, &mut before, span);
        let (items, len) = self.list_fields();
        let (i, base) = (self.read(counter, span), self.again(&list));
        let len = self.emit(ExprKind::Field(base, len), Ty::INT, span);
        let condition = self.test(Prim::IntLt, i, len, span);
        let array_ty = self.cx.array_of(element);
        let base = self.again(&list);
        let array = self.emit(ExprKind::Field(base, items), array_ty, span);
        let i = self.read(counter, span);
        let item = self.emit(ExprKind::Intrinsic(Intrinsic::ArrayGetUnchecked, vec![array, i]), element, span);
        debug_assert!(ty != Ty::ERROR);
        let step = self.increment(counter, span);
        let length = Length::Of { value: list, fixed: false };
        Rounds {
            before,
            guard: None,
            condition: Some(condition),
            element: Element::One(item, element),
            position: Some(counter),
            step: Some(step),
            length,
        }
    }

    fn over_array(&mut self, value: ExprId, element: Ty, span: Span) -> Rounds {
        let mut before = Vec::new();
        let array = self.stable("#array", value, &mut before);
        let zero = self.int(0, span);
        let counter = self.counter("#i", zero, &mut before, span);
        let (i, base) = (self.read(counter, span), self.again(&array));
        let len = self.emit(ExprKind::Intrinsic(Intrinsic::ArrayLen, vec![base]), Ty::INT, span);
        let condition = self.test(Prim::IntLt, i, len, span);
        let (base, i) = (self.again(&array), self.read(counter, span));
        let item = self.emit(ExprKind::Intrinsic(Intrinsic::ArrayGetUnchecked, vec![base, i]), element, span);
        let step = self.increment(counter, span);
        let length = Length::Of { value: array, fixed: true };
        Rounds {
            before,
            guard: None,
            condition: Some(condition),
            element: Element::One(item, element),
            position: Some(counter),
            step: Some(step),
            length,
        }
    }

    /// Entries of a map in order, with the core library's `entry_from`, `key_at`, `value_at` and `check`.
    fn over_map(&mut self, value: ExprId, args: Vec<Ty>, pairs: bool, span: Span) -> Option<Rounds> {
        let map_ty = self.ty(value);
        let mut before = Vec::new();
        let map = self.stable("#map", value, &mut before);
        let (version_index, version_ty) = self.field_named(map_ty, "version")?;
        let base = self.again(&map);
        let version = self.emit(ExprKind::Field(base, version_index), version_ty, span);
        let version = self.stable("#version", version, &mut before);
        let (base, zero) = (self.again(&map), self.int(0, span));
        let first = self.method_ids(base, "entry_from", vec![zero], span);
        let counter = self.counter("#entry", first, &mut before, span);
        let (e, zero) = (self.read(counter, span), self.int(0, span));
        let condition = self.test(Prim::IntGe, e, zero, span);
        let (base, e) = (self.again(&map), self.read(counter, span));
        let key = self.method_ids(base, "key_at", vec![e], span);
        let element = if pairs {
            let (base, e) = (self.again(&map), self.read(counter, span));
            let item = self.method_ids(base, "value_at", vec![e], span);
            Element::Pair((key, args[0]), (item, args[1]))
        } else {
            Element::One(key, args[0])
        };
        let (e, one) = (self.read(counter, span), self.int(1, span));
        let after = self.emit(ExprKind::Prim(Prim::IntAddWrap, vec![e, one]), Ty::INT, span);
        // checked before the next entry is looked for: a round that removes the last keys is told as well
        let (base, version) = (self.again(&map), self.again(&version));
        let check = self.method_ids(base, "check", vec![version], span);
        let base = self.again(&map);
        let next = self.method_ids(base, "entry_from", vec![after], span);
        let advance = self.emit(ExprKind::SetLocal(counter, next), Ty::UNIT, span);
        let step = self.emit(ExprKind::Block(vec![check, advance], None), Ty::UNIT, span);
        // a round that adds a key is the last
        let length = Length::Of { value: map, fixed: true };
        Some(Rounds {
            before,
            guard: None,
            condition: Some(condition),
            element,
            position: None,
            step: Some(step),
            length,
        })
    }

    /// Anything with `next(self) -> T?`, or with `iter(self)` that gives such a thing.
    fn over_iterator(&mut self, mut value: ExprId, span: Span) -> Option<Rounds> {
        let ty = self.ty(value);
        if !self.has_method(ty, "next") {
            if !self.has_method(ty, "iter") {
                let shown = self.show(ty);
                let mut diagnostic =
                    Diagnostic::error(codes::NOT_ITERABLE, span, format!("a value of type {shown} can't be iterated"))
                        .label("neither `iter` nor `next` is among its methods");
                if ty == Ty::INT {
                    diagnostic = diagnostic.help("to count, write `0..n`");
                } else if self.is_optional(ty) || self.is_result(ty) {
                    diagnostic = diagnostic.help("take the value out first, with `!` or `?? …`");
                }
                self.fail(diagnostic);
                return None;
            }
            value = self.method_ids(value, "iter", Vec::new(), span);
            if self.ty(value) == Ty::ERROR {
                return None;
            }
        }
        let mut before = Vec::new();
        let iterator = self.stable("#iter", value, &mut before);
        let base = self.again(&iterator);
        let next = self.method_ids(base, "next", Vec::new(), span);
        let next_ty = self.ty(next);
        let TyKind::Optional(element) = self.kind(next_ty) else {
            if next_ty != Ty::ERROR {
                let shown = self.show(next_ty);
                self.fail(Diagnostic::error(
                    codes::NOT_ITERABLE,
                    span,
                    format!("its `next` gives {shown}, not an optional"),
                ));
            }
            return None;
        };
        let mut tests = Vec::new();
        let next = self.temp("#next", next, &mut tests);
        let read = self.read(next, span);
        let nil = self.emit(ExprKind::IsNil(read), Ty::BOOL, span);
        let some = self.emit(ExprKind::Prim(Prim::BoolNot, vec![nil]), Ty::BOOL, span);
        let condition = self.sequence(tests, some, span);
        let read = self.read(next, span);
        let item = self.emit(ExprKind::Unwrap(read), element, span);
        Some(Rounds {
            before,
            guard: None,
            condition: Some(condition),
            element: Element::One(item, element),
            position: None,
            step: None,
            length: Length::Unknown,
        })
    }

    // ---- comprehensions

    pub fn comprehension(&mut self, comprehension: &'a ast::Comprehension, span: Span, expect: Expect) -> ExprId {
        let hint = self.literal_hint(expect);
        let ty = match &comprehension.kind {
            ast::ComprehensionKind::List(_) => {
                let element = hint.and_then(|ty| self.list_element(ty)).unwrap_or_else(|| self.fresh(span));
                self.cx.list_of(element)
            }
            ast::ComprehensionKind::Map(..) => {
                let args = hint.and_then(|ty| self.cx.args_of(ty, self.cx.lang.map).map(<[Ty]>::to_vec));
                let args = args.unwrap_or_else(|| vec![self.fresh(span), self.fresh(span)]);
                self.cx.map_of(args[0], args[1])
            }
            ast::ComprehensionKind::Set(_) => {
                let args = hint.and_then(|ty| self.cx.args_of(ty, self.cx.lang.set).map(<[Ty]>::to_vec));
                let args = args.unwrap_or_else(|| vec![self.fresh(span)]);
                let Some(set) = self.cx.lang.set else { return self.missing_core("Set", span) };
                self.cx.decl_type(set, args)
            }
        };
        if let (ast::ComprehensionKind::List(value), [clause]) = (&comprehension.kind, &comprehension.clauses[..])
            && clause.conditions.is_empty()
        {
            return self.list_of_each(clause, value, ty, span);
        }
        let mut stmts = Vec::new();
        let empty = self.empty_collection(ty, span);
        let result = self.temp("#result", empty, &mut stmts);
        stmts.push(self.clause(comprehension, 0, result, span));
        let value = self.read(result, span);
        self.sequence(stmts, value, span)
    }

    /// `[value for … in …]`: a list with as many elements as there are rounds, whose storage is made at that size at once
    /// where their number is known.
    fn list_of_each(&mut self, clause: &'a ast::ComprehensionFor, value: &'a ast::Expr, ty: Ty, span: Span) -> ExprId {
        let Some(element) = self.list_element(ty) else { return self.bad(span) };
        let ast::ComprehensionFor { index, pattern, iterable, .. } = clause;
        let Some(mut rounds) = self.rounds(iterable) else {
            return self.broken_loop(*index, pattern, span, &mut |this| this.expr_to(value, element, Why::Element));
        };
        let mut stmts = std::mem::take(&mut rounds.before);
        let (length, fixed) = match std::mem::replace(&mut rounds.length, Length::Unknown) {
            Length::Unknown => (None, false),
            Length::Range { lo, hi, inclusive } => (self.range_count(&lo, &hi, inclusive, span), true),
            Length::Of { value, fixed } => {
                let value = self.again(&value);
                (Some(self.method_ids(value, "len", Vec::new(), span)), fixed)
            }
        };
        let items = length.map(|length| {
            let array = self.cx.array_of(element);
            self.emit(ExprKind::Intrinsic(Intrinsic::ArrayZeroed, vec![length]), array, span)
        });
        let (Some(items), true) = (items, fixed) else {
            let start = match items {
                Some(items) => {
                    let len = self.int(0, span);
                    self.list_over(items, len, ty, span)
                }
                None => self.empty_collection(ty, span),
            };
            let result = self.temp("#result", start, &mut stmts);
            stmts.push(self.run_rounds(rounds, None, *index, pattern, span, &mut |this| {
                // the place it is stored, not the list, comes second
                let item = this.expr_to(value, element, Why::Element);
                let base = this.read(result, span);
                let push = this.method_ids(base, "push", vec![item], span);
                this.discard(push, span)
            }));
            let value = self.read(result, span);
            return self.sequence(stmts, value, span);
        };
        // nobody else sees the array before it is filled, so that nothing has to be checked
        let items = self.temp("#items", items, &mut stmts);
        let zero = self.int(0, span);
        let at = self.counter("#at", zero, &mut stmts, span);
        stmts.push(self.run_rounds(rounds, None, *index, pattern, span, &mut |this| {
            let item = this.expr_to(value, element, Why::Element);
            let mut parts = Vec::new();
            let item = this.stable("#item", item, &mut parts);
            let (base, i, item) = (this.read(items, span), this.read(at, span), this.again(&item));
            let set = ExprKind::Intrinsic(Intrinsic::ArraySetUnchecked, vec![base, i, item]);
            parts.push(this.emit(set, Ty::UNIT, span));
            parts.push(this.increment(at, span));
            this.emit(ExprKind::Block(parts, None), Ty::UNIT, span)
        }));
        let (items, at) = (self.read(items, span), self.read(at, span));
        let list = self.list_over(items, at, ty, span);
        self.sequence(stmts, list, span)
    }

    /// A list that takes an array over.
    fn list_over(&mut self, items: ExprId, len: ExprId, ty: Ty, span: Span) -> ExprId {
        let fields = if self.list_fields() == (0, 1) { vec![items, len] } else { vec![len, items] };
        self.emit(ExprKind::Struct(fields), ty, span)
    }

    fn clause(&mut self, comprehension: &'a ast::Comprehension, at: usize, result: LocalId, span: Span) -> ExprId {
        let Some(clause) = comprehension.clauses.get(at) else { return self.add_element(comprehension, result, span) };
        self.for_each(None, clause.index, &clause.pattern, &clause.iterable, span, &mut |this| {
            let before = this.frame().facts.clone();
            let mut conditions = Vec::new();
            for condition in &clause.conditions {
                let (id, facts) = this.condition(condition);
                this.frame().facts.extend(facts.yes);
                conditions.push(id);
            }
            let mut inner = this.clause(comprehension, at + 1, result, span);
            for condition in conditions.into_iter().rev() {
                let kind = ExprKind::Cond { arms: vec![(condition, inner)], otherwise: None };
                inner = this.emit(kind, Ty::UNIT, span);
            }
            this.frame().facts = before;
            inner
        })
    }

    fn add_element(&mut self, comprehension: &'a ast::Comprehension, result: LocalId, span: Span) -> ExprId {
        let ty = self.frame().locals[result.0 as usize].ty;
        let args = self.cx.as_decl(ty).map(|d| d.1).unwrap_or_default();
        let (method, values) = match &comprehension.kind {
            ast::ComprehensionKind::List(value) => {
                // the place it is stored, not the list, comes second
                ("push", vec![self.expr_to(value, args[0], Why::Element)])
            }
            ast::ComprehensionKind::Set(value) => ("add", vec![self.expr_to(value, args[0], Why::Element)]),
            ast::ComprehensionKind::Map(key, value) => {
                let key = self.expr_to(key, args[0], Why::Element);
                ("set", vec![key, self.expr_to(value, args[1], Why::Element)])
            }
        };
        let base = self.read(result, span);
        let id = self.method_ids(base, method, values, span);
        self.discard(id, span)
    }
}
