//! Statements and expressions.

use super::document::{Kind, Op};
use super::printer::Printer;
use super::render::INDENT;
use crate::syntax::ast::*;
use crate::syntax::lex::Token;
use crate::syntax::span::Span;

/// A base no wider than this keeps the first of several calls in its line.
const SHORT_BASE: u32 = 4;
/// A list of literals no wider than this has many in a line.
const SHORT_LITERAL: u32 = 16;

impl Printer<'_> {
    // Statements

    /// A statement.
    pub fn stmt(&mut self, stmt: &Stmt) {
        match &stmt.kind {
            StmtKind::Let { pattern, ty, value, .. } => {
                self.word();
                self.pattern(pattern);
                self.annotation(ty.is_some());
                self.assigned(value);
            }
            StmtKind::Fn(function) => self.function(function),
            StmtKind::Defer(block) => {
                self.word();
                self.block(block);
            }
            StmtKind::Expr(e) => self.expr(e),
        }
    }

    /// `{ … }` in a group of its own.
    pub fn block(&mut self, block: &Block) {
        let opener = self.at;
        self.begin_brackets(opener);
        let open = self.open_if(opener, self.over_lines(block.span.lo));
        self.braces(open, &block.stmts, Printer::stmt);
        self.end();
    }

    /// What is around several blocks that open together, the first of which starts at `blocks[0]`: the group, and
    /// whether they are open.
    fn begin_blocks(&mut self, blocks: &[u32]) -> bool {
        let opener = self.tokens.starting_at(blocks[0]);
        self.begin_brackets(opener);
        let over_lines = blocks.iter().any(|&lo| self.over_lines(lo));
        self.open_if(opener, over_lines)
    }

    /// `= value`, `=> value`.
    pub fn assigned(&mut self, value: &Expr) {
        // what has brackets of its own opens them rather than to move to the next line
        let after_sign = self.tokens.list[self.at + 1].token;
        let brackets = matches!(
            value.kind,
            ExprKind::Block(_)
                | ExprKind::List(_)
                | ExprKind::Map(_)
                | ExprKind::Closure { .. }
                | ExprKind::Comprehension(_)
        ) && after_sign != Token::LParen;
        if brackets {
            self.space();
            self.word();
            return self.expr(value);
        }
        let operators = matches!(value.kind, ExprKind::Binary { .. }) && !self.in_parentheses(value);
        self.begin_tail(Kind::Assign { operators });
        self.space();
        self.token();
        self.place(true);
        self.alone = true;
        self.expr(value);
        self.end();
    }

    /// Whether parentheses stand around `e`, which is not next yet.
    fn in_parentheses(&self, e: &Expr) -> bool {
        let first = self.tokens.starting_at(e.span.lo);
        let list = &self.tokens.list;
        list[first].token == Token::LParen && list[list[first].closer as usize].hi == e.span.hi
    }

    // Expressions

    /// An expression.
    pub fn expr(&mut self, e: &Expr) {
        let alone = std::mem::take(&mut self.alone);
        let layers = self.parentheses(e.span, matches!(e.kind, ExprKind::Tuple(_)));
        self.grouped(layers, |p| p.bare(e, alone || layers > 0));
    }

    fn bare(&mut self, e: &Expr, alone: bool) {
        match &e.kind {
            ExprKind::Int(_)
            | ExprKind::Float(_)
            | ExprKind::Bool(_)
            | ExprKind::Byte(_)
            | ExprKind::Nil
            | ExprKind::Name(_)
            | ExprKind::TypeName(_)
            | ExprKind::Error => self.token(),
            ExprKind::FnType(_) => self.ty(),
            ExprKind::Str(parts) => self.string(parts),
            ExprKind::Tuple(items) => self.bracketed(items, None, false, Printer::expr),
            ExprKind::List(items) => {
                let fill = items.iter().all(short_literal);
                self.bracketed(items, None, fill, Printer::expr);
            }
            ExprKind::Map(pairs) => self.bracketed(pairs, None, false, |p, (key, value)| {
                p.expr(key);
                p.word();
                p.expr(value);
            }),
            ExprKind::Comprehension(comprehension) => self.comprehension(comprehension),
            ExprKind::Block(block) => self.block(block),
            ExprKind::If { arms, otherwise } => self.if_else(arms, otherwise.as_deref()),
            ExprKind::Match { subject, arms } => self.match_arms(subject, arms),
            ExprKind::While { label, conditions, body } => {
                self.label(*label);
                let open = self.begin_blocks(&[body.span.lo]);
                self.word();
                self.conditions(conditions);
                self.braces(open, &body.stmts, Printer::stmt);
                self.end();
            }
            ExprKind::Loop { label, body } => {
                self.label(*label);
                self.word();
                self.block(body);
            }
            ExprKind::For { label, index, pattern, iterable, body } => {
                self.label(*label);
                let open = self.begin_blocks(&[body.span.lo]);
                self.in_head = true;
                self.for_head(*index, pattern, iterable);
                self.in_head = false;
                self.space();
                self.braces(open, &body.stmts, Printer::stmt);
                self.end();
            }
            ExprKind::Break(label) | ExprKind::Continue(label) => {
                self.token();
                if label.is_some() {
                    self.space();
                    self.token();
                }
            }
            ExprKind::Return(value) => {
                self.token();
                if let Some(value) = value {
                    self.space();
                    self.expr(value);
                }
            }
            ExprKind::Try { body, handler, .. } => {
                let open = self.begin_blocks(&[body.span.lo, handler.span.lo]);
                self.word();
                self.braces(open, &body.stmts, Printer::stmt);
                self.space();
                self.word();
                self.word();
                self.braces(open, &handler.stmts, Printer::stmt);
                self.end();
            }
            ExprKind::Closure { params, body } => {
                self.closure_params(params);
                self.space();
                self.expr(body);
            }
            ExprKind::Assign { target, value, .. } => {
                self.expr(target);
                self.assigned(value);
            }
            ExprKind::Binary { first, rest } => self.binary(first, rest, alone),
            ExprKind::Is { value, ty: _ } => self.is(value),
            ExprKind::Range { lo, hi, .. } => {
                lo.iter().for_each(|lo| self.expr(lo));
                self.token();
                hi.iter().for_each(|hi| self.expr(hi));
            }
            ExprKind::Unary(UnaryOp::Not, operand) if self.next() != Token::Not => match &operand.kind {
                ExprKind::Is { value, .. } => self.is(value),
                _ => unreachable!("`not` stands first except in `is not`"),
            },
            ExprKind::Unary(op, operand) => {
                self.token();
                if *op == UnaryOp::Not {
                    self.space();
                }
                self.expr(operand);
            }
            ExprKind::Postfix { base, ops } => self.postfix(base, ops),
        }
    }

    /// `value is T`, `value is not T`
    fn is(&mut self, value: &Expr) {
        self.expr(value);
        self.space();
        self.word();
        if self.next() == Token::Not {
            self.word();
        }
        self.ty();
    }

    fn binary(&mut self, first: &Expr, rest: &[(BinaryOp, Span, Expr)], alone: bool) {
        self.expr(first);
        // a line that started with one of these would start a statement
        let at_line_ends = rest.iter().any(|(op, ..)| matches!(op, BinaryOp::Sub | BinaryOp::BitOr));
        self.begin_tail(Kind::Operators);
        if alone {
            self.indent(0);
        }
        for (_, _, operand) in rest {
            if at_line_ends {
                self.space();
                self.token();
                self.place(true);
            } else {
                self.place(true);
                self.word();
            }
            self.expr(operand);
        }
        self.end();
    }

    fn string(&mut self, parts: &[StrPart]) {
        if !matches!(self.next(), Token::StrBegin(_)) {
            return self.token();
        }
        let closer = self.tokens.list[self.at].closer as usize;
        if self.tokens.broken_between(self.at, closer) {
            // holes over several lines stay as they are
            self.comments();
            let (lo, hi) = (self.tokens.list[self.at].lo, self.tokens.list[closer].hi);
            return self.verbatim(lo, hi, closer);
        }
        self.in_hole += 1;
        for part in parts {
            if let StrPart::Hole(e, spec) = part {
                self.token();
                self.expr(e);
                if spec.is_some() {
                    self.token();
                }
            }
        }
        self.in_hole -= 1;
        self.token();
    }

    fn comprehension(&mut self, comprehension: &Comprehension) {
        if let ComprehensionKind::Set(_) = comprehension.kind {
            self.token();
        }
        let opener = self.at;
        self.begin_brackets(opener);
        self.token();
        self.open_if(opener, self.tokens.broken_between(opener, opener + 1));
        let in_head = std::mem::take(&mut self.in_head);
        self.indent(INDENT);
        self.place(false);
        match &comprehension.kind {
            ComprehensionKind::List(e) | ComprehensionKind::Set(e) => self.expr(e),
            ComprehensionKind::Map(key, value) => {
                self.expr(key);
                self.word();
                self.expr(value);
            }
        }
        for clause in &comprehension.clauses {
            self.place(true);
            self.for_head(clause.index, &clause.pattern, &clause.iterable);
            for condition in &clause.conditions {
                self.place(true);
                self.word();
                self.expr(condition);
            }
        }
        self.in_head = in_head;
        self.place_closing(false);
        self.token();
        self.end();
    }

    // Control

    fn label(&mut self, label: Option<Ident>) {
        if label.is_some() {
            self.token();
            self.word();
        }
    }

    /// `for i, p in e`
    fn for_head(&mut self, index: Option<Ident>, pattern: &Pattern, iterable: &Expr) {
        self.word();
        if index.is_some() {
            self.token();
            self.word();
        }
        self.pattern(pattern);
        self.space();
        self.word();
        self.expr(iterable);
    }

    /// Conditions and a blank.
    fn conditions(&mut self, conditions: &[Condition]) {
        self.in_head = true;
        for (i, condition) in conditions.iter().enumerate() {
            if i == 1 {
                self.begin_tail(Kind::Plain);
            }
            if i > 0 {
                self.comma(Op::Word(","));
                self.place(true);
            }
            match condition {
                Condition::Expr(e) => self.expr(e),
                Condition::Let(pattern, value) => {
                    self.word();
                    self.pattern(pattern);
                    self.space();
                    self.word();
                    self.expr(value);
                }
            }
        }
        if conditions.len() > 1 {
            self.end();
        }
        self.in_head = false;
        self.space();
    }

    fn if_else(&mut self, arms: &[(Vec<Condition>, Block)], otherwise: Option<&Block>) {
        let blocks: Vec<u32> = arms.iter().map(|(_, block)| block).chain(otherwise).map(|b| b.span.lo).collect();
        let open = self.begin_blocks(&blocks);
        for (i, (conditions, block)) in arms.iter().enumerate() {
            if i > 0 {
                self.space();
                self.word();
            }
            self.word();
            self.conditions(conditions);
            self.braces(open, &block.stmts, Printer::stmt);
        }
        if let Some(block) = otherwise {
            self.space();
            self.word();
            self.braces(open, &block.stmts, Printer::stmt);
        }
        self.end();
    }

    fn match_arms(&mut self, subject: &Expr, arms: &[MatchArm]) {
        let opener = self.tokens.ending_at(subject.span.hi) + 1;
        let open = self.begin_blocks(&[self.tokens.list[opener].lo]);
        self.word();
        self.in_head = true;
        self.expr(subject);
        self.in_head = false;
        self.space();
        self.braces(open, arms, |p, arm| {
            p.pattern(&arm.pattern);
            if let Some(guard) = &arm.guard {
                p.space();
                p.word();
                p.expr(guard);
            }
            p.assigned(&arm.body);
        });
        self.end();
    }

    fn closure_params(&mut self, params: &[ClosureParam]) {
        if self.next() == Token::PipePipe {
            return self.token();
        }
        self.token();
        for (i, param) in params.iter().enumerate() {
            self.pattern(&param.pattern);
            self.annotation(param.ty.is_some());
            if i + 1 < params.len() {
                self.comma(Op::Word(","));
                self.space();
            } else {
                self.drop_comma();
            }
        }
        self.token();
    }

    // Chains

    fn postfix(&mut self, base: &Expr, ops: &[Postfix]) {
        let is_call = |i: usize| matches!(ops.get(i).map(|op| &op.kind), Some(PostfixKind::Call(_)));
        let is_dot = |i: usize| {
            matches!(ops.get(i).map(|op| &op.kind), Some(PostfixKind::Field(_) | PostfixKind::OptionalField(_)))
        };
        let method_calls: Vec<usize> = (0..ops.len()).filter(|&i| is_dot(i) && is_call(i + 1)).collect();
        let last_call = (0..ops.len()).rev().find(|&i| is_call(i));
        let base_width = base.span.hi - base.span.lo;
        let keeps_first = base_width <= SHORT_BASE || matches!(base.kind, ExprKind::TypeName(_));
        let mut breaks = &method_calls[..];
        if method_calls.len() < 2 {
            breaks = &[];
        } else if keeps_first && method_calls[0] == 0 {
            breaks = &method_calls[1..];
        }
        let mut upcoming = breaks.iter().peekable();
        self.expr(base);
        for (i, op) in ops.iter().enumerate() {
            if breaks.first() == Some(&i) {
                self.begin_tail(Kind::Plain);
                if let Some(call) = last_call
                    && let PostfixKind::Call(args) = &ops[call].kind
                    && method_calls.last() == Some(&(call - 1))
                    && self.hug_target(args).is_some()
                {
                    self.hug(self.tokens.starting_at(ops[call].span.lo));
                }
            }
            if upcoming.next_if_eq(&&i).is_some() {
                self.place(self.merges());
            }
            match &op.kind {
                PostfixKind::Field(_) | PostfixKind::TupleField(_) | PostfixKind::OptionalField(_) => self.run(2),
                PostfixKind::Try | PostfixKind::Unwrap => self.token(),
                // what can't be broken gains little from a line of its own
                PostfixKind::Call(args) if matches!(args.as_slice(), [Arg { name: None, value }] if self.is_string(value)) =>
                {
                    self.token();
                    self.expr(&args[0].value);
                    self.drop_comma();
                    self.token();
                }
                PostfixKind::Call(args) => {
                    let hug = self.hug_target(args);
                    self.bracketed(args, hug, false, |p, arg| {
                        if arg.name.is_some() {
                            p.token();
                            p.word();
                        }
                        p.expr(&arg.value);
                    });
                }
                PostfixKind::Index(args) => self.bracketed(args, None, false, |p, arg| match arg {
                    IndexArg::Expr(e) => p.expr(e),
                    IndexArg::Type(_) => p.ty(),
                }),
            }
        }
        if !breaks.is_empty() {
            self.end();
        }
    }

    fn is_string(&self, e: &Expr) -> bool {
        matches!(e.kind, ExprKind::Str(_)) && !self.in_parentheses(e)
    }

    /// The token where the group starts that the last argument may leave open at the end of the line.
    fn hug_target(&self, args: &[Arg]) -> Option<usize> {
        let value = &args.last()?.value;
        let sole = args.len() == 1;
        self.opening_group(value, sole)
    }

    fn opening_group(&self, e: &Expr, sole: bool) -> Option<usize> {
        if self.in_parentheses(e) {
            return None;
        }
        match &e.kind {
            ExprKind::Closure { body, .. } => match &body.kind {
                ExprKind::Block(_) | ExprKind::Match { .. } | ExprKind::If { .. } | ExprKind::Postfix { .. } => {
                    self.opening_group(body, true)
                }
                _ => None,
            },
            ExprKind::Block(_) | ExprKind::Match { .. } | ExprKind::If { .. } => {
                Some(self.tokens.starting_at(e.span.lo))
            }
            ExprKind::List(items) if !items.is_empty() => Some(self.tokens.starting_at(e.span.lo)),
            ExprKind::Map(items) if !items.is_empty() => Some(self.tokens.starting_at(e.span.lo)),
            ExprKind::Comprehension(c) if !matches!(c.kind, ComprehensionKind::Set(_)) => {
                Some(self.tokens.starting_at(e.span.lo))
            }
            ExprKind::Postfix { base, ops } if sole => {
                let plain = matches!(base.kind, ExprKind::Name(_) | ExprKind::TypeName(_));
                let (last, path) = ops.split_last()?;
                let path = path.iter().all(|op| matches!(op.kind, PostfixKind::Field(_)));
                match &last.kind {
                    PostfixKind::Call(args)
                        if plain
                            && path
                            && !args.is_empty()
                            && !(args.len() == 1 && self.is_string(&args[0].value)) =>
                    {
                        Some(self.tokens.starting_at(last.span.lo))
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

fn short_literal(e: &Expr) -> bool {
    let e = match &e.kind {
        ExprKind::Unary(UnaryOp::Neg, operand) => operand,
        _ => e,
    };
    let literal = match &e.kind {
        ExprKind::Int(_) | ExprKind::Float(_) | ExprKind::Bool(_) | ExprKind::Byte(_) | ExprKind::Nil => true,
        ExprKind::Str(parts) => !parts.iter().any(|p| matches!(p, StrPart::Hole(..))),
        _ => false,
    };
    literal && e.span.hi - e.span.lo <= SHORT_LITERAL
}
