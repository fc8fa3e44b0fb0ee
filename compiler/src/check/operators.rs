//! Operators: arithmetic, comparison, conditions with what flow learns from them, `??`, `in`, `is`, ranges.

use super::body::{Body, Expect, Fact};
use super::coerce::Why;
use super::derive::Derive;
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::hir::{ExprId, ExprKind, Intrinsic, Ty, TyKind};
use crate::prim::Prim;
use crate::syntax::ast::{self, BinaryOp, UnaryOp};
use crate::syntax::span::Span;
use crate::syntax::symbol::Symbol;

/// What holds after a condition: when it is true, and when it is false.
#[derive(Default)]
pub(super) struct Facts {
    pub yes: Vec<Fact>,
    pub no: Vec<Fact>,
}

/// Whether both operands have one type, which a literal may take from the other.
pub(super) fn arithmetic(op: BinaryOp) -> bool {
    !matches!(op, BinaryOp::Shl | BinaryOp::Shr | BinaryOp::ShrLogical | BinaryOp::In | BinaryOp::NotIn)
}

fn comparison(op: BinaryOp) -> bool {
    matches!(op, BinaryOp::Eq | BinaryOp::Ne | BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge)
}

/// An int literal, perhaps with a minus.
fn is_int_literal(e: &ast::Expr) -> bool {
    match &e.kind {
        ast::ExprKind::Int(_) => true,
        ast::ExprKind::Unary(UnaryOp::Neg, inner) => matches!(inner.kind, ast::ExprKind::Int(_)),
        _ => false,
    }
}

fn prim(op: BinaryOp, ty: Ty) -> Option<Prim> {
    use BinaryOp::*;
    Some(match (ty, op) {
        (Ty::INT, Add) => Prim::IntAdd,
        (Ty::INT, Sub) => Prim::IntSub,
        (Ty::INT, Mul) => Prim::IntMul,
        (Ty::INT, Div) => Prim::IntDiv,
        (Ty::INT, Rem) => Prim::IntRem,
        (Ty::INT, Pow) => Prim::IntPow,
        (Ty::INT, AddWrap) => Prim::IntAddWrap,
        (Ty::INT, SubWrap) => Prim::IntSubWrap,
        (Ty::INT, MulWrap) => Prim::IntMulWrap,
        (Ty::INT, BitAnd) => Prim::IntAnd,
        (Ty::INT, BitOr) => Prim::IntOr,
        (Ty::INT, BitXor) => Prim::IntXor,
        (Ty::INT, Shl) => Prim::IntShl,
        (Ty::INT, Shr) => Prim::IntShr,
        (Ty::INT, ShrLogical) => Prim::IntShrLogical,
        (Ty::FLOAT, Add) => Prim::FloatAdd,
        (Ty::FLOAT, Sub) => Prim::FloatSub,
        (Ty::FLOAT, Mul) => Prim::FloatMul,
        (Ty::FLOAT, Div) => Prim::FloatDiv,
        (Ty::FLOAT, Rem) => Prim::FloatRem,
        (Ty::FLOAT, Pow) => Prim::FloatPow,
        (Ty::BYTE, Add) => Prim::ByteAdd,
        (Ty::BYTE, Sub) => Prim::ByteSub,
        (Ty::BYTE, Mul) => Prim::ByteMul,
        (Ty::BYTE, Div) => Prim::ByteDiv,
        (Ty::BYTE, Rem) => Prim::ByteRem,
        (Ty::BYTE, BitAnd) => Prim::ByteAnd,
        (Ty::BYTE, BitOr) => Prim::ByteOr,
        (Ty::BYTE, BitXor) => Prim::ByteXor,
        _ => return None,
    })
}

fn ordering(op: BinaryOp, ty: Ty) -> Option<Prim> {
    use BinaryOp::*;
    Some(match (ty, op) {
        (Ty::INT, Lt) => Prim::IntLt,
        (Ty::INT, Le) => Prim::IntLe,
        (Ty::INT, Gt) => Prim::IntGt,
        (Ty::INT, Ge) => Prim::IntGe,
        (Ty::FLOAT, Lt) => Prim::FloatLt,
        (Ty::FLOAT, Le) => Prim::FloatLe,
        (Ty::FLOAT, Gt) => Prim::FloatGt,
        (Ty::FLOAT, Ge) => Prim::FloatGe,
        (Ty::BYTE, Lt) => Prim::ByteLt,
        (Ty::BYTE, Le) => Prim::ByteLe,
        (Ty::BYTE, Gt) => Prim::ByteGt,
        (Ty::BYTE, Ge) => Prim::ByteGe,
        _ => return None,
    })
}

/// The trait and its method that give a type an operator.
fn operator_trait(op: BinaryOp) -> Option<(&'static str, &'static str)> {
    Some(match op {
        BinaryOp::Add => ("Add", "add"),
        BinaryOp::Sub => ("Sub", "sub"),
        BinaryOp::Mul => ("Mul", "mul"),
        BinaryOp::Div => ("Div", "div"),
        BinaryOp::Rem => ("Rem", "rem"),
        _ => return None,
    })
}

impl<'a> Body<'_, 'a> {
    pub fn binary(
        &mut self,
        first: &'a ast::Expr,
        rest: &'a [(BinaryOp, Span, ast::Expr)],
        span: Span,
        expect: Expect,
    ) -> ExprId {
        match rest[0].0 {
            BinaryOp::And | BinaryOp::Or => self.logic(first, rest, span).0,
            BinaryOp::Coalesce => {
                let hint = match expect {
                    Expect::Type(ty) if self.is_optional(ty) => expect,
                    Expect::Type(ty) => Expect::Type(self.cx.optional(ty)),
                    other => other,
                };
                let mut id = self.raw(first, if expect == Expect::Nothing { Expect::Any } else { hint });
                for (_, _, right) in rest {
                    id = self.coalesce(id, right, span, expect);
                }
                id
            }
            op if comparison(op) => self.compare(op, first, &rest[0].2, span).0,
            BinaryOp::In | BinaryOp::NotIn => self.contains(rest[0].0, first, &rest[0].2, span),
            BinaryOp::Pow if rest.len() > 1 => self.powers(first, rest, span, expect),
            _ => {
                // a literal takes the type expected of the whole, or of the other operand
                let hint = match self.literal_hint(expect) {
                    Some(ty @ (Ty::FLOAT | Ty::BYTE)) => Expect::Type(ty),
                    _ => Expect::Any,
                };
                let second = &rest[0].2;
                let mut ready = None;
                let mut id = if is_int_literal(first) && !is_int_literal(second) && arithmetic(rest[0].0) {
                    let right = self.expr(second, hint);
                    let ty = self.ty(right);
                    ready = Some(right);
                    self.expr(first, Expect::Type(ty))
                } else {
                    self.expr(first, hint)
                };
                for (op, at, right) in rest {
                    let right_id = match ready.take() {
                        Some(id) => id,
                        None => {
                            let ty = self.ty(id);
                            let hint = if is_int_literal(right) && !arithmetic(*op) {
                                Expect::Any
                            } else {
                                self.operand_hint(*op, ty)
                            };
                            self.expr(right, hint)
                        }
                    };
                    let whole = if first.span.file == right.span.file { first.span.to(right.span) } else { *at };
                    id = self.arith(*op, id, right_id, whole);
                }
                id
            }
        }
    }

    /// `a ** b ** c`, which groups from the right; operands still run from the left.
    fn powers(
        &mut self,
        first: &'a ast::Expr,
        rest: &'a [(BinaryOp, Span, ast::Expr)],
        span: Span,
        expect: Expect,
    ) -> ExprId {
        let mut lets = Vec::new();
        let mut operands = Vec::new();
        let hint = match self.literal_hint(expect) {
            Some(ty @ (Ty::FLOAT | Ty::BYTE)) => Expect::Type(ty),
            _ => Expect::Any,
        };
        for operand in std::iter::once(first).chain(rest.iter().map(|r| &r.2)) {
            let id = self.expr(operand, hint);
            operands.push(self.stable("#operand", id, &mut lets));
        }
        let Some(last) = operands.pop() else { return self.bad(span) };
        let mut result = self.again(&last);
        for operand in operands.iter().rev() {
            let left = self.again(operand);
            result = self.arith(BinaryOp::Pow, left, result, span);
        }
        self.sequence(lets, result, span)
    }

    /// Applies an arithmetic or bit operator.
    pub fn arith(&mut self, op: BinaryOp, left: ExprId, right: ExprId, span: Span) -> ExprId {
        let (mut left_ty, mut right_ty) = (self.ty(left), self.ty(right));
        if left_ty == Ty::ERROR || right_ty == Ty::ERROR {
            return self.bad(span);
        }
        if left_ty == Ty::NEVER || right_ty == Ty::NEVER {
            let stmts = vec![left, right];
            return self.emit(ExprKind::Block(stmts, None), Ty::NEVER, span);
        }
        // of two operands, one known gives the other
        let open = |kind: TyKind| matches!(kind, TyKind::Infer(_));
        if (open(self.kind(left_ty)) || open(self.kind(right_ty))) && self.unify(left_ty, right_ty) {
            (left_ty, right_ty) = (self.shallow(left_ty), self.shallow(right_ty));
        }
        if open(self.kind(left_ty)) {
            let at = self.span(left);
            return self.unknown_type(left_ty, at);
        }
        if left_ty == right_ty {
            if let Some(prim) = prim(op, left_ty) {
                return self.emit(ExprKind::Prim(prim, vec![left, right]), left_ty, span);
            }
            if left_ty == Ty::STR && op == BinaryOp::Add {
                return self.emit(ExprKind::Intrinsic(Intrinsic::StrConcat, vec![left, right]), Ty::STR, span);
            }
        }
        if let Some((of, method)) = operator_trait(op)
            && let Some(id) = self.operator_call(of, method, left, Some(right), span)
        {
            return id;
        }
        if self.list_element(left_ty).is_some() && op == BinaryOp::Add && self.unify(left_ty, right_ty) {
            return self.method_ids(left, "concat", vec![right], span);
        }
        if let (TyKind::Param(_), Some((of, _))) = (self.kind(left_ty), operator_trait(op)) {
            return self.no_promised_operator(op.text(), of, left_ty, right_ty, span);
        }
        let (left_text, right_text) = (self.show(left_ty), self.show(right_ty));
        let message = format!("`{}` does not work on {left_text} and {right_text}", op.text());
        let (at_left, at_right) = (self.span(left), self.span(right));
        let mut diagnostic = Diagnostic::error(codes::OPERATOR_TYPES, span, message);
        if at_left.file == span.file && at_right.file == span.file {
            diagnostic = diagnostic.and(at_left, left_text).and(at_right, right_text);
        }
        let help = match (left_ty, right_ty) {
            (Ty::INT, Ty::FLOAT) | (Ty::FLOAT, Ty::INT) => Some("convert the int with `float(…)`"),
            (Ty::INT, Ty::BYTE) | (Ty::BYTE, Ty::INT) => Some("convert the byte with `int(…)`"),
            (Ty::STR, _) | (_, Ty::STR) if op == BinaryOp::Add => Some("write the value into a string: `\"{…}\"`"),
            _ if self.is_optional(left_ty) || self.is_optional(right_ty) => {
                Some("it may be nil: give a default with `?? …` or insist with `!`")
            }
            _ => None,
        };
        let help = help.map(str::to_owned).or_else(|| self.operator_help(op, left_ty, right_ty));
        self.fail(match help {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        })
    }

    /// An operator that the left operand's type has by a trait; of several, the one for the right operand's type.
    pub fn operator_call(
        &mut self,
        of: &str,
        method: &str,
        left: ExprId,
        right: Option<ExprId>,
        span: Span,
    ) -> Option<ExprId> {
        let wanted = self.cx.core_trait(of)?;
        let ty = self.ty(left);
        let ty = self.deep(ty);
        let all = self.cx.traits_of(ty);
        let candidates = all.iter().filter(|h| h.wanted == wanted);
        let mut right = right;
        let chosen = match right {
            None => candidates.into_iter().next()?.clone(),
            Some(id) => {
                let exact = self.ty(id);
                let mut candidates: Vec<_> = candidates.cloned().collect();
                match candidates.iter().position(|h| h.args.first() == Some(&exact)) {
                    Some(index) => candidates.swap_remove(index),
                    None => {
                        // what is wrapped or widened on the way
                        let fits = candidates.into_iter().find_map(|h| Some((self.try_coerce(id, h.args[0])?, h)));
                        let (id, has) = fits?;
                        right = Some(id);
                        has
                    }
                }
            }
        };
        let found = self.cx.trait_method(ty, &chosen, Symbol::new(method))?;
        let ids = std::iter::once(left).chain(right).collect();
        Some(self.call_ids(found.decl, found.owner, ids, span))
    }

    /// The type that a literal on the right of an operator had better have.
    fn operand_hint(&mut self, op: BinaryOp, left: Ty) -> Expect {
        let left = self.deep(left);
        let wanted = operator_trait(op).and_then(|(of, _)| self.cx.core_trait(of));
        if let (Some(wanted), Some(_)) = (wanted, self.cx.as_decl(left)) {
            let all = self.cx.trait_args_of(left, wanted);
            return match all.as_slice() {
                [args] => Expect::Type(args[0]),
                // an int literal is a float only where nothing takes an int
                several if several.iter().all(|a| a[0] != Ty::INT) && several.iter().any(|a| a[0] == Ty::FLOAT) => {
                    Expect::Type(Ty::FLOAT)
                }
                _ => Expect::Any,
            };
        }
        Expect::Type(left)
    }

    fn operator_help(&mut self, op: BinaryOp, left: Ty, right: Ty) -> Option<String> {
        let (of, method) = operator_trait(op)?;
        let left = self.deep(left);
        self.cx.as_decl(left)?;
        let (shown, other) = (self.show(left), self.show(right));
        if self.cx.own_method(left, Symbol::new(method)).is_some() {
            return Some(format!(
                "the operator goes by the trait, not the method's name: `struct {shown}: {of}[{other}, …]`"
            ));
        }
        Some(format!("`impl {of}[{other}, …] for {shown} {{ fn {method}(self, other) … }}` would make it work"))
    }

    /// Reports that a type has to be known at this point.
    pub fn unknown_type(&mut self, ty: Ty, span: Span) -> ExprId {
        let shown = self.show(ty);
        // asked once is enough
        if let Some(var) = self.infer.unsolved(&mut self.cx.types, ty) {
            let open = self.cx.types.intern(TyKind::Infer(var));
            self.unify(open, Ty::ERROR);
        }
        let mut diagnostic = Diagnostic::error(codes::TYPE_UNKNOWN, span, "the type of this isn't known here");
        if shown != "_" {
            diagnostic = diagnostic.label(format!("known so far: {shown}"));
        }
        self.fail(diagnostic.help("annotate the parameter or variable"))
    }

    pub fn unary(&mut self, op: UnaryOp, operand: &'a ast::Expr, span: Span, expect: Expect) -> ExprId {
        match op {
            UnaryOp::Not => self.negation(operand, span).0,
            UnaryOp::Neg => {
                if let ast::ExprKind::Int(magnitude) = operand.kind {
                    return self.int_literal(magnitude, true, span, expect);
                }
                if let ast::ExprKind::Float(value) = operand.kind {
                    return self.emit(ExprKind::Float(-value), Ty::FLOAT, span);
                }
                // What comes of it may be wrapped into an optional or a result; the operand is not.
                let hint = self.literal_hint(expect).map_or(Expect::Any, Expect::Type);
                let id = self.expr(operand, hint);
                match self.ty(id) {
                    Ty::INT => self.emit(ExprKind::Prim(Prim::IntNeg, vec![id]), Ty::INT, span),
                    Ty::FLOAT => self.emit(ExprKind::Prim(Prim::FloatNeg, vec![id]), Ty::FLOAT, span),
                    _ => match self.operator_call("Neg", "neg", id, None, span) {
                        Some(id) => id,
                        None => self.no_unary("-", id, span),
                    },
                }
            }
            UnaryOp::BitNot => {
                let id = self.expr(operand, Expect::Any);
                match self.ty(id) {
                    Ty::INT => self.emit(ExprKind::Prim(Prim::IntNot, vec![id]), Ty::INT, span),
                    _ => self.no_unary("~", id, span),
                }
            }
        }
    }

    fn no_unary(&mut self, op: &str, id: ExprId, span: Span) -> ExprId {
        let ty = self.ty(id);
        if ty == Ty::ERROR || ty == Ty::NEVER {
            return id;
        }
        if matches!(self.kind(ty), TyKind::Infer(_)) {
            return self.unknown_type(ty, span);
        }
        let shown = self.show(ty);
        self.fail(Diagnostic::error(codes::OPERATOR_TYPES, span, format!("`{op}` does not work on {shown}")))
    }

    // ---- conditions

    /// Checks conditions joined by commas, in the scope that is open; what they bind is visible after.
    /// Gives the condition and what holds when it fails; what holds when it succeeds is added to the facts.
    pub fn conditions(&mut self, tests: &'a [ast::Condition]) -> (ExprId, Vec<Fact>) {
        let mut steps = Vec::new();
        let mut no = Vec::new();
        let mut span = None;
        for test in tests {
            match test {
                ast::Condition::Expr(e) => {
                    let (id, facts) = self.condition(e);
                    self.frame().facts.extend(facts.yes);
                    if tests.len() == 1 {
                        no = facts.no;
                    }
                    span.get_or_insert(e.span);
                    steps.push(super::pattern::Step::Test(id));
                }
                ast::Condition::Let(pattern, value) => {
                    span.get_or_insert(value.span);
                    self.let_condition(pattern, value, &mut steps);
                }
            }
        }
        let span = span.unwrap_or_else(|| self.frame().span);
        (self.assemble(steps, span), no)
    }

    /// Checks a condition: a bool, and what flow learns from it.
    pub fn condition(&mut self, e: &'a ast::Expr) -> (ExprId, Facts) {
        match &e.kind {
            ast::ExprKind::Binary { first, rest } => match rest[0].0 {
                BinaryOp::And | BinaryOp::Or => self.logic(first, rest, e.span),
                op if comparison(op) => self.compare(op, first, &rest[0].2, e.span),
                _ => self.plain_condition(e),
            },
            ast::ExprKind::Unary(UnaryOp::Not, operand) => self.negation(operand, e.span),
            ast::ExprKind::Is { value, ty } => self.is_test(value, ty, e.span),
            _ => self.plain_condition(e),
        }
    }

    fn plain_condition(&mut self, e: &'a ast::Expr) -> (ExprId, Facts) {
        (self.expr_to(e, Ty::BOOL, Why::Condition), Facts::default())
    }

    fn negation(&mut self, operand: &'a ast::Expr, span: Span) -> (ExprId, Facts) {
        let (id, facts) = self.condition(operand);
        let id = self.emit(ExprKind::Prim(Prim::BoolNot, vec![id]), Ty::BOOL, span);
        (id, Facts { yes: facts.no, no: facts.yes })
    }

    fn logic(&mut self, first: &'a ast::Expr, rest: &'a [(BinaryOp, Span, ast::Expr)], span: Span) -> (ExprId, Facts) {
        let before = self.frame().facts.clone();
        let (mut id, mut facts) = self.condition(first);
        for (op, _, right) in rest {
            let and = *op == BinaryOp::And;
            // the right side runs only when the left one did not decide
            let known = if and { facts.yes.clone() } else { facts.no.clone() };
            self.frame().facts.extend(known);
            let (right, more) = self.condition(right);
            if and {
                facts.yes.extend(more.yes);
                facts.no.retain(|f| more.no.contains(f));
                id = self.emit(ExprKind::And(id, right), Ty::BOOL, span);
            } else {
                facts.no.extend(more.no);
                facts.yes.retain(|f| more.yes.contains(f));
                id = self.emit(ExprKind::Or(id, right), Ty::BOOL, span);
            }
        }
        self.frame().facts = before;
        (id, facts)
    }

    /// An expression whose name, if it is one, is read without narrowing.
    pub fn raw(&mut self, e: &'a ast::Expr, expect: Expect) -> ExprId {
        match e.kind {
            ast::ExprKind::Name(name) => self.name(name, e.span, false),
            _ => self.expr(e, expect),
        }
    }

    /// The fact about a name that a test of it gives.
    fn fact_about(&mut self, e: &ast::Expr, variant: Option<u32>) -> Vec<Fact> {
        let ast::ExprKind::Name(name) = e.kind else { return Vec::new() };
        match self.lookup_local(name) {
            Some(super::body::Binding::Local(local)) if !self.frame().infos[local.0 as usize].shared => {
                vec![Fact { local, variant, ty: None }]
            }
            _ => Vec::new(),
        }
    }

    fn compare(&mut self, op: BinaryOp, left: &'a ast::Expr, right: &'a ast::Expr, span: Span) -> (ExprId, Facts) {
        let is_nil = |e: &ast::Expr| matches!(e.kind, ast::ExprKind::Nil);
        if matches!(op, BinaryOp::Eq | BinaryOp::Ne) && (is_nil(left) || is_nil(right)) {
            let tested = if is_nil(right) { left } else { right };
            return self.nil_test(op, tested, span);
        }
        let (left_id, right_id) = if is_int_literal(left) && !is_int_literal(right) {
            let right_id = self.expr(right, Expect::Any);
            let ty = self.ty(right_id);
            (self.expr(left, Expect::Type(ty)), right_id)
        } else {
            let left_id = self.expr(left, Expect::Any);
            let ty = self.ty(left_id);
            (left_id, self.expr(right, Expect::Type(ty)))
        };
        (self.compare_ids(op, left_id, right_id, span), Facts::default())
    }

    /// Applies a comparison.
    pub fn compare_ids(&mut self, op: BinaryOp, left: ExprId, right: ExprId, span: Span) -> ExprId {
        let (left_ty, right_ty) = (self.ty(left), self.ty(right));
        if left_ty == Ty::ERROR || right_ty == Ty::ERROR {
            return self.emit(ExprKind::Bool(false), Ty::BOOL, span);
        }
        if left_ty == Ty::NEVER || right_ty == Ty::NEVER {
            return self.emit(ExprKind::Block(vec![left, right], None), Ty::NEVER, span);
        }
        let equality = matches!(op, BinaryOp::Eq | BinaryOp::Ne);
        let (mut left_id, mut right_id) = (left, right);
        let agree = if equality && self.is_optional(left_ty) && !self.is_optional(right_ty) {
            self.try_coerce(right, left_ty).map(|id| right_id = id).is_some()
        } else if equality && self.is_optional(right_ty) && !self.is_optional(left_ty) {
            self.try_coerce(left, right_ty).map(|id| left_id = id).is_some()
        } else {
            self.unify(left_ty, right_ty)
        };
        if !agree {
            let (a, b) = (self.show(left_ty), self.show(right_ty));
            if self.is_broken(left_ty) || self.is_broken(right_ty) {
                return self.emit(ExprKind::Bool(false), Ty::BOOL, span);
            }
            let message = format!("`{}` can't compare {a} with {b}", op.text());
            let (at_left, at_right) = (self.span(left), self.span(right));
            let mut diagnostic = Diagnostic::error(codes::OPERATOR_TYPES, span, message);
            if at_left.file == span.file && at_right.file == span.file {
                diagnostic = diagnostic.and(at_left, a).and(at_right, b);
            }
            self.report(diagnostic);
            return self.emit(ExprKind::Bool(false), Ty::BOOL, span);
        }
        let ty = self.ty(left_id);
        if equality {
            let id = self.value_op(Derive::Eq, vec![left_id, right_id], span);
            return match op {
                BinaryOp::Ne => self.not_equal(id, span),
                _ => id,
            };
        }
        if let Some(prim) = ordering(op, ty) {
            return self.emit(ExprKind::Prim(prim, vec![left_id, right_id]), Ty::BOOL, span);
        }
        let order = self.value_op(Derive::Compare, vec![left_id, right_id], span);
        let zero = self.int(0, span);
        let prim = ordering(op, Ty::INT).unwrap_or(Prim::IntLt);
        self.emit(ExprKind::Prim(prim, vec![order, zero]), Ty::BOOL, span)
    }

    /// The opposite of an equality test, as one operation where there is one.
    fn not_equal(&mut self, id: ExprId, span: Span) -> ExprId {
        let inverse = match &self.frame().exprs[id.0 as usize].kind {
            ExprKind::Prim(prim, args) => {
                let prim = match prim {
                    Prim::IntEq => Some(Prim::IntNe),
                    Prim::FloatEq => Some(Prim::FloatNe),
                    Prim::ByteEq => Some(Prim::ByteNe),
                    Prim::BoolEq => Some(Prim::BoolNe),
                    _ => None,
                };
                prim.map(|prim| ExprKind::Prim(prim, args.clone()))
            }
            _ => None,
        };
        match inverse {
            Some(kind) => self.emit(kind, Ty::BOOL, span),
            None => self.emit(ExprKind::Prim(Prim::BoolNot, vec![id]), Ty::BOOL, span),
        }
    }

    fn nil_test(&mut self, op: BinaryOp, tested: &'a ast::Expr, span: Span) -> (ExprId, Facts) {
        let id = self.raw(tested, Expect::Any);
        let ty = self.ty(id);
        if matches!(self.kind(ty), TyKind::Infer(_)) {
            let inner = self.fresh(span);
            let optional = self.cx.optional(inner);
            self.unify(ty, optional);
        }
        let ty = self.ty(id);
        if ty == Ty::ERROR {
            return (self.emit(ExprKind::Bool(false), Ty::BOOL, span), Facts::default());
        }
        if !self.is_optional(ty) {
            let shown = self.show(ty);
            let message = format!("this is never nil: its type is {shown}");
            let id = self.fail(Diagnostic::error(codes::NEVER_NIL, span, message).and(tested.span, shown));
            return (id, Facts::default());
        }
        let id = self.emit(ExprKind::IsNil(id), Ty::BOOL, span);
        let fact = self.fact_about(tested, None);
        match op {
            BinaryOp::Eq => (id, Facts { yes: Vec::new(), no: fact }),
            _ => {
                let id = self.emit(ExprKind::Prim(Prim::BoolNot, vec![id]), Ty::BOOL, span);
                (id, Facts { yes: fact, no: Vec::new() })
            }
        }
    }

    pub fn is_test(&mut self, value: &'a ast::Expr, ty: &'a ast::TypeExpr, span: Span) -> (ExprId, Facts) {
        let id = self.expr(value, Expect::Any);
        let subject = self.ty(id);
        if subject == Ty::ERROR {
            return (id, Facts::default());
        }
        if let TyKind::Trait(..) = self.kind(subject) {
            let tested = self.resolve(ty);
            if !self.tested_type(subject, tested, ty.span) {
                return (self.bad(span), Facts::default());
            }
            let mut lets = Vec::new();
            let test = self.type_test(id, tested, span, &mut lets);
            let yes = self.fact_about(value, None).into_iter().map(|f| Fact { ty: Some(tested), ..f }).collect();
            return (self.sequence(lets, test, span), Facts { yes, no: Vec::new() });
        }
        if let ast::TypeKind::Named { path, args } = &ty.kind
            && args.is_empty()
            && let Some((decl, _)) = self.cx.as_decl(subject)
            && let Some(number) = self.variant_in(decl, path)
        {
            let tag = self.emit(ExprKind::Tag(id), Ty::INT, span);
            let wanted = self.int(i64::from(number), span);
            let test = self.emit(ExprKind::Prim(Prim::IntEq, vec![tag, wanted]), Ty::BOOL, span);
            let yes = self.fact_about(value, Some(number));
            return (test, Facts { yes, no: Vec::new() });
        }
        let shown = self.show(subject);
        let diagnostic = Diagnostic::error(codes::IS_TEST, ty.span, format!("this is not a variant of {shown}"))
            .label("`is` tests an enum's variant, or the type behind a trait")
            .and(value.span, shown);
        (self.fail(diagnostic), Facts::default())
    }

    // ---- `??`, `in`, ranges

    /// `left ?? right`: the value inside `left`, else `right`.
    pub fn coalesce(&mut self, left: ExprId, right: &'a ast::Expr, span: Span, expect: Expect) -> ExprId {
        let left_ty = self.ty(left);
        let hint = if expect == Expect::Nothing { Expect::Any } else { expect };
        if left_ty == Ty::ERROR || left_ty == Ty::NEVER {
            self.expr(right, hint);
            return left;
        }
        let mut lets = Vec::new();
        let (test, value, inner) = match self.kind(left_ty) {
            TyKind::Optional(inner) => {
                let subject = self.stable("#optional", left, &mut lets);
                let read = self.again(&subject);
                let test = self.emit(ExprKind::IsNil(read), Ty::BOOL, span);
                let read = self.again(&subject);
                (test, self.emit(ExprKind::Unwrap(read), inner, span), inner)
            }
            TyKind::Enum(decl, args) if Some(decl) == self.cx.lang.result => {
                let subject = self.stable("#result", left, &mut lets);
                let read = self.again(&subject);
                let tag = self.emit(ExprKind::Tag(read), Ty::INT, span);
                let err = self.int(1, span);
                let test = self.emit(ExprKind::Prim(Prim::IntEq, vec![tag, err]), Ty::BOOL, span);
                let read = self.again(&subject);
                (test, self.emit(ExprKind::VariantField(read, 0, 0), args[0], span), args[0])
            }
            _ => {
                let shown = self.show(left_ty);
                let at = self.span(left);
                self.expr(right, hint);
                return self.fail(
                    Diagnostic::error(
                        codes::NEVER_NIL,
                        span,
                        format!("`??` has nothing to do: this is never nil, its type is {shown}"),
                    )
                    .and(at, shown),
                );
            }
        };
        let right_id = self.expr(right, Expect::Type(inner));
        let right_ty = self.ty(right_id);
        // `a ?? b` with an optional `b` stays optional
        let ty = if self.is_optional(right_ty) && !self.is_optional(inner) { right_ty } else { inner };
        let right_id = self.coerce(right_id, ty, right.span, Why::Branch);
        let at = self.span(left);
        let value = self.coerce(value, ty, at, Why::Branch);
        let kind = ExprKind::Cond { arms: vec![(test, right_id)], otherwise: Some(value) };
        let id = self.emit(kind, ty, span);
        self.sequence(lets, id, span)
    }

    fn contains(&mut self, op: BinaryOp, left: &'a ast::Expr, right: &'a ast::Expr, span: Span) -> ExprId {
        // a literal takes the type of the elements, so the right side is looked at first; it still runs second
        let (left_id, right_id) = if is_int_literal(left) {
            let right_id = self.expr(right, Expect::Any);
            let ty = self.ty(right_id);
            let element = self.list_element(ty).map_or(Expect::Any, Expect::Type);
            (self.expr(left, element), right_id)
        } else {
            let left_id = self.expr(left, Expect::Any);
            (left_id, self.expr(right, Expect::Any))
        };
        let mut lets = Vec::new();
        let left = self.stable("#left", left_id, &mut lets);
        let left = self.again(&left);
        let mut id = self.method_ids(right_id, "contains", vec![left], span);
        if op == BinaryOp::NotIn && self.ty(id) != Ty::ERROR {
            id = self.emit(ExprKind::Prim(Prim::BoolNot, vec![id]), Ty::BOOL, span);
        }
        self.sequence(lets, id, span)
    }

    /// A range as a value.
    pub fn range(
        &mut self,
        lo: Option<&'a ast::Expr>,
        hi: Option<&'a ast::Expr>,
        inclusive: bool,
        span: Span,
    ) -> ExprId {
        let (Some(lo), Some(hi), Some(decl)) = (lo, hi, self.cx.lang.range) else {
            return self.fail(
                Diagnostic::error(codes::OPEN_RANGE, span, "a range needs both ends here")
                    .help("open ends have a meaning only between index brackets"),
            );
        };
        let lo = self.expr_to(lo, Ty::INT, Why::Index);
        let hi_id = self.expr_to(hi, Ty::INT, Why::Index);
        let hi = if inclusive {
            let one = self.int(1, hi.span);
            self.emit(ExprKind::Prim(Prim::IntAdd, vec![hi_id, one]), Ty::INT, hi.span)
        } else {
            hi_id
        };
        let ty = self.cx.decl_type(decl, Vec::new());
        self.emit(ExprKind::Struct(vec![lo, hi]), ty, span)
    }
}
