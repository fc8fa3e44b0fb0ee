//! Expressions: literals, names, blocks, branches. Operators, calls, postfix chains, patterns and loops have files
//! of their own.

use super::body::{Binding, Body, Expect, Fact, FnSource};
use super::coerce::Why;
use super::decls::{Def, TopId};
use super::derive::Derive;
use super::postfix::State;
use super::report::{did_you_mean, nearest};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::hir::{ExprId, ExprKind, Intrinsic, LocalId, Ty, TyKind};
use crate::prim::Prim;
use crate::syntax::ast;
use crate::syntax::span::Span;
use crate::syntax::symbol::Symbol;

/// How far constants may lead to other constants.
const EXPANSION_MAX: u32 = 64;

impl<'a> Body<'_, 'a> {
    /// Checks an expression. What is expected is a hint: the caller coerces.
    pub fn expr(&mut self, e: &'a ast::Expr, expect: Expect) -> ExprId {
        let tail = std::mem::take(&mut self.frame().tail);
        let span = e.span;
        let id = match &e.kind {
            ast::ExprKind::Block(block) => {
                self.frame().tail = tail;
                return self.block(block, expect);
            }
            ast::ExprKind::If { arms, otherwise } => {
                return self.if_else(arms, otherwise.as_deref(), span, expect, tail);
            }
            ast::ExprKind::Match { subject, arms } => return self.match_expr(subject, arms, span, expect, tail),
            ast::ExprKind::Try { body, error, handler } => {
                return self.try_catch(body, *error, handler, span, expect, tail);
            }
            ast::ExprKind::Int(value) => self.int_literal(*value, false, span, expect),
            ast::ExprKind::Float(value) => self.emit(ExprKind::Float(*value), Ty::FLOAT, span),
            ast::ExprKind::Bool(value) => self.bool(*value, span),
            ast::ExprKind::Byte(value) => self.emit(ExprKind::Byte(*value), Ty::BYTE, span),
            ast::ExprKind::Nil => self.nil(span, expect),
            ast::ExprKind::Str(parts) => self.string_literal(parts, span),
            ast::ExprKind::Tuple(parts) => self.tuple(parts, span, expect),
            ast::ExprKind::List(items) => self.list_literal(items, span, expect),
            ast::ExprKind::Map(entries) => self.map_literal(entries, span, expect),
            ast::ExprKind::Comprehension(comprehension) => self.comprehension(comprehension, span, expect),
            ast::ExprKind::Name(name) => self.name(*name, span, true),
            ast::ExprKind::TypeName(_) => self.postfix(e, &[], span, expect),
            ast::ExprKind::FnType(ty) => {
                let ty = self.resolve(ty);
                self.value_of(State::Type(ty), span, expect)
            }
            ast::ExprKind::While { label, conditions, body } => self.while_loop(*label, conditions, body, span),
            ast::ExprKind::Loop { label, body } => self.endless_loop(*label, body, span),
            ast::ExprKind::For { label, index, pattern, iterable, body } => {
                self.for_loop(*label, *index, pattern, iterable, body, span)
            }
            ast::ExprKind::Break(label) => self.jump(*label, true, span),
            ast::ExprKind::Continue(label) => self.jump(*label, false, span),
            ast::ExprKind::Return(value) => self.return_expr(value.as_deref(), span),
            ast::ExprKind::Closure { .. } => self.closure(e, expect),
            ast::ExprKind::Assign { target, op, value } => self.assign(target, *op, value, span),
            ast::ExprKind::Binary { first, rest } => self.binary(first, rest, span, expect),
            ast::ExprKind::Is { value, ty } => self.is_test(value, ty, span).0,
            ast::ExprKind::Range { lo, hi, inclusive } => self.range(lo.as_deref(), hi.as_deref(), *inclusive, span),
            ast::ExprKind::Unary(op, operand) => self.unary(*op, operand, span, expect),
            ast::ExprKind::Postfix { base, ops } => self.postfix(base, ops, span, expect),
            ast::ExprKind::Error => self.bad(span),
        };
        if tail {
            self.note_exit(id);
        }
        if expect == Expect::Nothing {
            self.check_unused(e, id);
        }
        id
    }

    /// Checks an expression and coerces it.
    pub fn expr_to(&mut self, e: &'a ast::Expr, ty: Ty, why: Why) -> ExprId {
        let id = self.expr(e, Expect::Type(ty));
        self.coerce(id, ty, e.span, why)
    }

    fn check_unused(&mut self, e: &ast::Expr, id: ExprId) {
        let operator = match &e.kind {
            ast::ExprKind::Binary { rest, .. } => {
                // `a or return` is a statement
                !matches!(rest[0].0, ast::BinaryOp::And | ast::BinaryOp::Or | ast::BinaryOp::Coalesce)
            }
            ast::ExprKind::Unary(..) | ast::ExprKind::Is { .. } => true,
            _ => false,
        };
        if operator && self.ty(id) != Ty::ERROR {
            let mut diagnostic =
                Diagnostic::error(codes::UNUSED_OPERATOR, e.span, "the value of this operator is not used")
                    .label("computed, then dropped");
            if let ast::ExprKind::Binary { rest, .. } = &e.kind
                && rest[0].0 == ast::BinaryOp::Eq
            {
                diagnostic = diagnostic.help("to assign, write `=`");
            }
            self.report(diagnostic);
        }
    }

    /// The type a literal takes from its context, through `?` and `!`.
    pub fn literal_hint(&mut self, expect: Expect) -> Option<Ty> {
        let mut ty = self.shallow(expect.ty()?);
        loop {
            match self.kind(ty) {
                TyKind::Optional(inner) => ty = self.shallow(inner),
                TyKind::Enum(decl, args) if Some(decl) == self.cx.lang.result => ty = self.shallow(args[0]),
                _ => return Some(ty),
            }
        }
    }

    /// An int literal, which becomes a float or byte where one is expected.
    pub fn int_literal(&mut self, magnitude: u64, negative: bool, span: Span, expect: Expect) -> ExprId {
        match self.literal_hint(expect) {
            Some(Ty::FLOAT) => {
                let value = magnitude as f64;
                self.emit(ExprKind::Float(if negative { -value } else { value }), Ty::FLOAT, span)
            }
            Some(Ty::BYTE) => match u8::try_from(magnitude) {
                Ok(value) if !negative || value == 0 => self.emit(ExprKind::Byte(value), Ty::BYTE, span),
                _ => self.fail(
                    Diagnostic::error(codes::LITERAL_RANGE, span, "this number does not fit a byte")
                        .label("a byte is 0 to 255"),
                ),
            },
            _ => {
                let limit = i64::MAX as u64 + u64::from(negative);
                if magnitude > limit {
                    return self.fail(
                        Diagnostic::error(codes::LITERAL_RANGE, span, "this number does not fit an int")
                            .label("an int has 64 bits: -9223372036854775808 to 9223372036854775807"),
                    );
                }
                let value = if negative { (magnitude as i64).wrapping_neg() } else { magnitude as i64 };
                self.int(value, span)
            }
        }
    }

    fn nil(&mut self, span: Span, expect: Expect) -> ExprId {
        let mut expected = expect.ty().map(|ty| self.shallow(ty));
        if let Some(ty) = expected
            && let TyKind::Enum(decl, args) = self.kind(ty)
            && Some(decl) == self.cx.lang.result
        {
            expected = Some(args[0]);
        }
        let ty = match expected {
            Some(ty) if self.is_optional(ty) => ty,
            _ => {
                let inner = self.fresh(span);
                self.cx.optional(inner)
            }
        };
        self.emit(ExprKind::Nil, ty, span)
    }

    fn tuple(&mut self, parts: &'a [ast::Expr], span: Span, expect: Expect) -> ExprId {
        if parts.is_empty() {
            return self.unit(span);
        }
        let hint = self.literal_hint(expect);
        let hints = match hint.map(|ty| self.kind(ty)) {
            Some(TyKind::Tuple(types)) if types.len() == parts.len() => types.into_iter().map(Expect::Type).collect(),
            _ => vec![Expect::Any; parts.len()],
        };
        let mut ids = Vec::new();
        let mut types = Vec::new();
        for (part, hint) in parts.iter().zip(hints) {
            let mut id = self.expr(part, hint);
            if let Expect::Type(ty) = hint
                && let Some(coerced) = self.try_coerce(id, ty)
            {
                id = coerced;
            }
            types.push(self.ty(id));
            ids.push(id);
        }
        let ty = self.cx.tuple(types);
        self.emit(ExprKind::Tuple(ids), ty, span)
    }

    // ---- names

    /// The value of a name; `narrow` takes what flow knows about it into account.
    pub fn name(&mut self, name: Symbol, span: Span, narrow: bool) -> ExprId {
        match self.lookup_local(name) {
            Some(Binding::Local(local)) => return self.read_local(local, span, narrow),
            Some(Binding::Fn(decl)) => return self.fn_value(decl, &[], Vec::new(), span, Expect::Any),
            Some(Binding::Top(top)) => return self.top(top, span),
            None => {}
        }
        match self.cx.lookup(self.module, name) {
            Some(Def::Fn(decl)) => self.fn_value(decl, &[], Vec::new(), span, Expect::Any),
            Some(Def::Top(top)) => {
                let top = self.cx.top_at(top, span);
                self.top(top, span)
            }
            Some(Def::Module(_)) => self.fail(
                Diagnostic::error(codes::MODULE_AS_VALUE, span, format!("`{name}` is a module, not a value"))
                    .help(format!("name something in it: `{name}.…`")),
            ),
            _ if name.as_str() == "args" => self.script_args(span),
            _ => self.unknown_name(name, span),
        }
    }

    fn script_args(&mut self, span: Span) -> ExprId {
        match self.core_fn("script_args") {
            Some(decl) => self.call_ids(decl, Vec::new(), Vec::new(), span),
            None => self.unknown_name(Symbol::new("args"), span),
        }
    }

    pub fn unknown_name(&mut self, name: Symbol, span: Span) -> ExprId {
        let near = {
            let known = self.cx.visible(self.module).map(|(name, _)| name);
            nearest(name, known.chain(self.local_names()))
        };
        let mut diagnostic =
            Diagnostic::error(codes::UNKNOWN_NAME, span, format!("there is no `{name}` here")).label("not found");
        diagnostic = match name.as_str() {
            "self" => diagnostic.help("a method that uses `self` has it as its first parameter"),
            "null" | "none" | "undefined" => diagnostic.help("absence is `nil`"),
            "println" | "printf" | "puts" | "echo" => diagnostic.help("write `print`, which ends the line"),
            "this" => diagnostic.help("a method has its object as `self`"),
            _ => did_you_mean(diagnostic, near),
        };
        self.fail(diagnostic)
    }

    /// The value of a local, narrowed by flow.
    pub fn read_local(&mut self, local: LocalId, span: Span, narrow: bool) -> ExprId {
        let id = self.read(local, span);
        let known = self.frame().facts.contains(&Fact { local, variant: None, ty: None });
        let behind = self.frame().facts.iter().rev().find_map(|f| if f.local == local { f.ty } else { None });
        if let (true, Some(ty)) = (narrow, behind) {
            self.frame().infos[local.0 as usize].narrowed = true;
            return self.narrowed(id, ty, span);
        }
        if narrow && known {
            let ty = self.ty(id);
            if let TyKind::Optional(inner) = self.kind(ty) {
                self.frame().infos[local.0 as usize].narrowed = true;
                return self.emit(ExprKind::Unwrap(id), inner, span);
            }
        }
        id
    }

    /// The value of a top-level binding.
    pub fn top(&mut self, top: TopId, span: Span) -> ExprId {
        let Some(ty) = self.top_type(top, span) else { return self.bad(span) };
        let global = self.cx.global_of(top);
        self.emit(ExprKind::Global(global), ty, span)
    }

    /// The value of a constant: its expression, as if written here.
    pub fn constant(&mut self, id: super::decls::ConstId, span: Span) -> ExprId {
        let constant = self.cx.consts[id.0 as usize];
        if self.expansion >= EXPANSION_MAX {
            let name = constant.ast.name;
            return self.fail(Diagnostic::error(
                codes::CONST_OF_ITSELF,
                name.span,
                format!("constant `{}` needs its own value", name.name),
            ));
        }
        self.expansion += 1;
        let id = self.elsewhere(constant.module, Default::default(), Vec::new(), |body| {
            let ty = constant.ast.ty.as_ref().map(|ty| body.resolve(ty));
            match ty {
                Some(ty) => body.expr_to(&constant.ast.value, ty, Why::Annotation),
                None => body.expr(&constant.ast.value, Expect::Any),
            }
        });
        self.expansion -= 1;
        // a trap in it belongs to the place that uses it
        self.frame().exprs[id.0 as usize].span = span;
        id
    }

    // ---- blocks and branches

    /// Checks a block in a scope of its own.
    pub fn block(&mut self, block: &'a ast::Block, expect: Expect) -> ExprId {
        let mark = self.open();
        let id = self.statements(&block.stmts, block.span, expect);
        self.close(mark);
        id
    }

    fn statements(&mut self, stmts: &'a [ast::Stmt], span: Span, expect: Expect) -> ExprId {
        let tail = std::mem::take(&mut self.frame().tail);
        let mut ids = Vec::new();
        let mut value = None;
        let mut ended = false;
        let mut taken = 0;
        for (i, stmt) in stmts.iter().enumerate() {
            if i < taken {
                continue;
            }
            let functions: Vec<_> = stmts[i..].iter().map_while(Self::declared_fn).collect();
            if !functions.is_empty() {
                taken = i + functions.len();
                let made = self.local_fns(&functions);
                if !ended {
                    ids.extend(made);
                }
                continue;
            }
            let last = i + 1 == stmts.len();
            if let ast::StmtKind::Defer(cleanup) = &stmt.kind {
                let tail = tail && !ended;
                let id = self.defer(cleanup, stmt.span, &mut |body| {
                    body.frame().tail = tail;
                    body.statements(&stmts[i + 1..], span, expect)
                });
                match ended {
                    true => {}
                    false if expect == Expect::Nothing => {
                        ended = self.ty(id) == Ty::NEVER;
                        ids.push(id);
                    }
                    false => value = Some(id),
                }
                break;
            }
            let id = match &stmt.kind {
                ast::StmtKind::Expr(expr) if last && expect != Expect::Nothing => {
                    self.frame().tail = tail && !ended;
                    let id = self.expr(expr, expect);
                    if !ended {
                        value = Some(id);
                    }
                    continue;
                }
                _ => self.stmt(stmt),
            };
            if !ended && let Some(id) = id {
                ended = self.ty(id) == Ty::NEVER;
                ids.push(id);
            }
        }
        if let Some(value) = value {
            return self.sequence(ids, value, span);
        }
        let ty = if ended { Ty::NEVER } else { Ty::UNIT };
        let id = match ids.as_slice() {
            [] => self.unit(span),
            [only] if self.ty(*only) == ty => *only,
            _ => self.emit(ExprKind::Block(ids, None), ty, span),
        };
        if tail && !ended {
            self.note_exit(id);
        }
        id
    }

    fn if_else(
        &mut self,
        arms: &'a [(Vec<ast::Condition>, ast::Block)],
        otherwise: Option<&'a ast::Block>,
        span: Span,
        expect: Expect,
        tail: bool,
    ) -> ExprId {
        // without an else there is no value
        let expect = if otherwise.is_none() { Expect::Nothing } else { expect };
        let mut conditions = Vec::new();
        let mut values = Vec::new();
        let mut exits: Vec<Vec<Fact>> = Vec::new();
        for (tests, block) in arms {
            let mark = self.open();
            let before = self.frame().facts.clone();
            let (condition, no) = self.conditions(tests);
            self.frame().tail = tail && otherwise.is_some();
            let value = self.block(block, expect);
            self.close(mark);
            let after = std::mem::replace(&mut self.frame().facts, before);
            if self.ty(value) != Ty::NEVER {
                exits.push(after);
            }
            self.frame().facts.extend(no);
            conditions.push(condition);
            values.push(value);
        }
        if let Some(block) = otherwise {
            self.frame().tail = tail;
            let value = self.block(block, expect);
            values.push(value);
            let ty = self.ty(value);
            if ty != Ty::NEVER {
                let after = self.frame().facts.clone();
                exits.push(after);
            }
        } else {
            let after = self.frame().facts.clone();
            exits.push(after);
        }
        self.frame().facts = meet(exits);
        let expect = self.procedure(expect, &values, tail);
        let id = self.branches(conditions, values, otherwise.is_some(), span, expect);
        if tail && otherwise.is_none() {
            self.note_exit(id);
        }
        id
    }

    /// A body that ends in branches some of which give nothing, with a result nobody wrote, gives nothing.
    pub fn procedure(&mut self, expect: Expect, values: &[ExprId], tail: bool) -> Expect {
        let inferred = matches!(self.frame().result, super::body::ResultMode::Inferred { .. });
        let mixed = tail
            && inferred
            && values.iter().any(|&v| self.ty(v) == Ty::UNIT)
            && values.iter().any(|&v| !matches!(self.ty(v), Ty::UNIT | Ty::NEVER | Ty::ERROR));
        if mixed { Expect::Nothing } else { expect }
    }

    /// A `Cond` whose arms have been checked; the last value is the `else` when there is one.
    pub fn branches(
        &mut self,
        conditions: Vec<ExprId>,
        mut values: Vec<ExprId>,
        has_else: bool,
        span: Span,
        expect: Expect,
    ) -> ExprId {
        let ty = if expect == Expect::Nothing {
            let mut never = has_else;
            for value in &mut values {
                let at = self.span(*value);
                *value = self.discard(*value, at);
                never &= self.ty(*value) == Ty::NEVER;
            }
            if never { Ty::NEVER } else { Ty::UNIT }
        } else {
            let ty = match expect {
                // each branch may need its own wrapping
                Expect::Type(ty) if self.wraps(ty) => ty,
                _ => self.join(&values, span),
            };
            let mut never = true;
            for value in &mut values {
                let at = self.span(*value);
                *value = self.coerce(*value, ty, at, Why::Branch);
                never &= self.ty(*value) == Ty::NEVER;
            }
            if never { Ty::NEVER } else { ty }
        };
        let otherwise = if has_else { values.pop() } else { None };
        let arms = conditions.into_iter().zip(values).collect();
        self.emit(ExprKind::Cond { arms, otherwise }, ty, span)
    }

    /// Whether values of other types can become this one.
    fn wraps(&mut self, ty: Ty) -> bool {
        self.is_optional(ty) || self.is_result(ty) || matches!(self.kind(ty), TyKind::Trait(..))
    }

    fn try_catch(
        &mut self,
        body: &'a ast::Block,
        error: ast::Ident,
        handler: &'a ast::Block,
        span: Span,
        expect: Expect,
        tail: bool,
    ) -> ExprId {
        let Some(error_decl) = self.cx.lang.error else { return self.bad(span) };
        let error_ty = self.cx.decl_type(error_decl, Vec::new());
        let before = self.frame().facts.clone();
        self.frame().try_depth += 1;
        self.frame().tail = tail;
        let body = self.block(body, expect);
        self.frame().try_depth -= 1;
        let after_body = std::mem::replace(&mut self.frame().facts, before);
        self.forget_mutable();
        let mark = self.open();
        let local = self.local(error.name, error_ty, false, error.span);
        self.bind(error.name, Binding::Local(local));
        self.frame().tail = tail;
        let handler = self.block(handler, expect);
        self.close(mark);
        let after_handler = self.frame().facts.clone();
        let mut exits = Vec::new();
        if self.ty(body) != Ty::NEVER {
            exits.push(after_body);
        }
        if self.ty(handler) != Ty::NEVER {
            exits.push(after_handler);
        }
        self.frame().facts = meet(exits);
        let (mut body, mut handler) = (body, handler);
        let ty = if expect == Expect::Nothing {
            body = self.discard(body, span);
            handler = self.discard(handler, span);
            let never = self.ty(body) == Ty::NEVER && self.ty(handler) == Ty::NEVER;
            if never { Ty::NEVER } else { Ty::UNIT }
        } else {
            let ty = match expect {
                Expect::Type(ty) if self.wraps(ty) => ty,
                _ => self.join(&[body, handler], span),
            };
            body = self.coerce(body, ty, span, Why::Branch);
            handler = self.coerce(handler, ty, span, Why::Branch);
            ty
        };
        self.emit(ExprKind::Try { body, error: local, handler }, ty, span)
    }

    /// Drops what flow knows about variables that can change.
    pub fn forget_mutable(&mut self) {
        let frame = self.frame();
        let infos = &frame.infos;
        frame.facts.retain(|f| !infos[f.local.0 as usize].mutable);
    }

    fn return_expr(&mut self, value: Option<&'a ast::Expr>, span: Span) -> ExprId {
        use super::body::ResultMode;
        if !self.stays_in_defer("return", span) {
            return self.bad(span);
        }
        let mode = self.frame().result.clone();
        let fixed = if let ResultMode::Fixed(ty) = mode { Some(ty) } else { None };
        let value = match (value, fixed) {
            (None, Some(ty)) => {
                let unit = self.unit(span);
                self.coerce(unit, ty, span, Why::Result)
            }
            (None, None) => self.unit(span),
            (Some(value), Some(ty)) => self.expr_to(value, ty, Why::Result),
            (Some(value), None) => self.expr(value, Expect::Any),
        };
        let id = self.emit(ExprKind::Return(value), Ty::NEVER, span);
        self.note_exit(value);
        if let ResultMode::Inferred { returns, .. } = &mut self.frame().result {
            returns.push(id);
        }
        id
    }

    // ---- strings

    fn string_literal(&mut self, parts: &'a [ast::StrPart], span: Span) -> ExprId {
        let mut ids: Vec<ExprId> = Vec::new();
        for part in parts {
            let id = match part {
                ast::StrPart::Text(text) => self.emit(ExprKind::Str(*text), Ty::STR, span),
                ast::StrPart::Hole(value, spec) => self.hole(value, *spec),
            };
            ids.push(id);
        }
        match ids.as_slice() {
            [] => self.string("", span),
            [one] => *one,
            _ => self.emit(ExprKind::Intrinsic(Intrinsic::StrConcat, ids), Ty::STR, span),
        }
    }

    fn hole(&mut self, value: &'a ast::Expr, spec: Option<ast::FormatSpec>) -> ExprId {
        let id = self.expr(value, Expect::Any);
        let ty = self.ty(id);
        if ty == Ty::UNIT {
            return self.fail(
                Diagnostic::error(codes::HOLE_WITHOUT_VALUE, value.span, "this has no value to write into the string")
                    .label("of type ()"),
            );
        }
        let Some(spec) = spec else { return self.value_op(Derive::Show, vec![id], value.span) };
        let text = self.cx.sources.text(spec.span).trim_start_matches(':').to_owned();
        let spec_id = self.string(&text, spec.span);
        let (function, argument) = match ty {
            Ty::INT => ("format_int", id),
            Ty::BYTE => ("format_int", self.emit(ExprKind::Prim(Prim::ByteToInt, vec![id]), Ty::INT, value.span)),
            Ty::FLOAT => ("format_float", id),
            _ => ("format_str", self.value_op(Derive::Show, vec![id], value.span)),
        };
        match self.core_fn(function) {
            Some(decl) => self.call_ids(decl, Vec::new(), vec![argument, spec_id], value.span),
            None => self.missing_core(function, value.span),
        }
    }

    // ---- top-level code

    /// Top-level statements of a module.
    pub fn init_body(&mut self, module: super::modules::ModuleId) {
        let modules = self.cx.modules;
        let stmts = module_statements(modules, module);
        if modules.is_input(module) {
            let mut ids = Vec::new();
            let value = self.input(&stmts, &mut ids);
            let span = self.frame().span;
            ids.extend(value.map(|value| self.discard(value, span)));
            self.frame().body = self.block_of(ids, span);
            return;
        }
        self.frame().body = self.top_level(&stmts, &mut |_| None);
    }

    /// Top-level statements, then `last` unless they never end. A `defer` among them belongs to all that follows.
    fn top_level(&mut self, stmts: &[&'a ast::Stmt], last: &mut dyn FnMut(&mut Self) -> Option<ExprId>) -> ExprId {
        let span = self.frame().span;
        let mut ids = Vec::new();
        for (i, stmt) in stmts.iter().enumerate() {
            if let ast::StmtKind::Defer(cleanup) = &stmt.kind {
                ids.push(self.defer(cleanup, stmt.span, &mut |body| body.top_level(&stmts[i + 1..], last)));
                return self.block_of(ids, span);
            }
            ids.extend(self.stmt(stmt));
        }
        if ids.last().is_none_or(|&id| self.ty(id) != Ty::NEVER) {
            ids.extend(last(self));
        }
        self.block_of(ids, span)
    }

    /// The main module's statements after those of the modules it imports, then `main`.
    pub fn entry_body(&mut self) {
        let mut ids = Vec::new();
        let order = self.cx.modules.order.clone();
        let span = self.frame().span;
        if let Some((&main, imported)) = order.split_last() {
            for &module in imported.iter().filter(|&&m| m >= self.cx.modules.first_new) {
                if let Some(init) = self.cx.init_of(module) {
                    self.requests.push(init);
                    ids.push(self.emit(ExprKind::Call(init, Vec::new()), Ty::UNIT, span));
                }
            }
            let stmts = module_statements(self.cx.modules, main);
            if self.cx.mode == super::Mode::Session {
                let value = match self.input(&stmts, &mut ids) {
                    None => self.string("", span),
                    Some(value) => {
                        let ty = self.ty(value);
                        let ty = self.deep(ty);
                        self.cx.value_type = Some(self.cx.types.display(ty));
                        self.value_op(super::derive::Derive::Inspect, vec![value], span)
                    }
                };
                self.frame().body = self.emit(ExprKind::Block(ids, Some(value)), Ty::STR, span);
                return;
            }
            ids.push(self.top_level(&stmts, &mut |body| body.call_main(main)));
        }
        self.frame().body = self.block_of(ids, span);
    }

    /// The statements of a session's input, into `ids`; gives the value of the last one if it has one.
    fn input(&mut self, stmts: &[&'a ast::Stmt], ids: &mut Vec<ExprId>) -> Option<ExprId> {
        let deferring = stmts.iter().any(|s| matches!(s.kind, ast::StmtKind::Defer(_)));
        match stmts.split_last() {
            Some((ast::Stmt { kind: ast::StmtKind::Expr(last), .. }, before)) if !deferring => {
                for stmt in before {
                    ids.extend(self.stmt(stmt));
                }
                let value = self.expr(last, Expect::Any);
                let ty = self.ty(value);
                let ty = self.deep(ty);
                if matches!(ty, Ty::UNIT | Ty::NEVER | Ty::ERROR) {
                    ids.push(value);
                    return None;
                }
                Some(value)
            }
            _ => {
                ids.push(self.top_level(stmts, &mut |_| None));
                None
            }
        }
    }

    fn call_main(&mut self, module: super::modules::ModuleId) -> Option<ExprId> {
        let name = Symbol::new("main");
        let &(Def::Fn(decl), at) = self.cx.scopes[module.0 as usize].names.get(&name)? else { return None };
        if !self.cx.function(decl).ast.params.is_empty() {
            self.report(
                Diagnostic::error(codes::MAIN_PARAMETERS, at, "`main` takes no parameters")
                    .help("the script's arguments are in `args`"),
            );
            return None;
        }
        if self.cx.mode != super::Mode::Run {
            return None;
        }
        let call = self.call_ids(decl, Vec::new(), Vec::new(), at);
        Some(self.finish_main(call, at))
    }

    /// A `main` that gives a result panics with its error.
    fn finish_main(&mut self, call: ExprId, span: Span) -> ExprId {
        let ty = self.ty(call);
        if self.is_result(ty) {
            let value = self.unwrap(call, span);
            return self.discard(value, span);
        }
        self.discard(call, span)
    }

    fn block_of(&mut self, ids: Vec<ExprId>, span: Span) -> ExprId {
        let ended = ids.last().is_some_and(|&id| self.frame().exprs[id.0 as usize].ty == Ty::NEVER);
        let ty = if ended { Ty::NEVER } else { Ty::UNIT };
        self.emit(ExprKind::Block(ids, None), ty, span)
    }

    /// A `test` or `bench` block of the main module.
    pub fn test_body(&mut self, item: usize) {
        let modules = self.cx.modules;
        let items = modules.list[self.module.0 as usize].files.iter().flat_map(|f| &f.items);
        if let Some(ast::ItemKind::Test(test) | ast::ItemKind::Bench(test)) = items.skip(item).map(|i| &i.kind).next() {
            self.frame_body(FnSource::Block(&test.body));
        }
    }
}

/// The top-level statements of a module, in order.
fn module_statements(modules: &super::modules::Modules, module: super::modules::ModuleId) -> Vec<&ast::Stmt> {
    let items = modules.list[module.0 as usize].files.iter().flat_map(|f| &f.items);
    items.filter_map(|item| if let ast::ItemKind::Stmt(stmt) = &item.kind { Some(stmt) } else { None }).collect()
}

/// What holds on all of several ways.
fn meet(ways: Vec<Vec<Fact>>) -> Vec<Fact> {
    let mut ways = ways.into_iter();
    let Some(mut facts) = ways.next() else { return Vec::new() };
    for way in ways {
        facts.retain(|f| way.contains(f));
    }
    facts
}
