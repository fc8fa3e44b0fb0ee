//! Names alone: which names a function takes from outside it. Tells which top-level bindings have to be globals, which
//! local functions capture something, and finds misspelt names in templates that nobody calls.
//!
//! It knows scopes and nothing of types.

use super::Checker;
use super::decls::{Def, TopId, bound_names};
use super::modules::ModuleId;
use super::report::{did_you_mean, nearest};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::syntax::ast::{self, ExprKind, PostfixKind, StmtKind};
use crate::syntax::span::Span;
use crate::syntax::symbol::Symbol;
use hashbrown::HashMap;

/// A walk through code that reports the names it does not bind itself.
struct Walk<'f> {
    bound: HashMap<Symbol, u32>,
    undo: Vec<Symbol>,
    found: &'f mut dyn FnMut(Symbol, Span),
}

/// The names a function takes from around it, once each.
pub(super) fn free_names(function: &ast::Fn) -> Vec<Symbol> {
    let mut names = Vec::new();
    let mut found = |name, _| {
        if !names.contains(&name) {
            names.push(name);
        }
    };
    Walk { bound: HashMap::new(), undo: Vec::new(), found: &mut found }.function(function);
    names
}

/// Whether an expression takes one of certain names from around it.
pub(super) fn mentions(e: &ast::Expr, wanted: impl Fn(Symbol) -> bool) -> bool {
    let mut found_one = false;
    let mut found = |name, _| found_one |= wanted(name);
    Walk { bound: HashMap::new(), undo: Vec::new(), found: &mut found }.expr(e);
    found_one
}

impl Checker<'_> {
    /// Looks at the names in every function of the program's own modules.
    pub(super) fn check_names(&mut self) {
        for id in 0..self.tops.len() {
            if self.tops[id].public || self.modules.is_input(self.tops[id].module) {
                self.top_used.insert(TopId(id as u32));
            }
        }
        for id in 0..self.modules.list.len() {
            let module = ModuleId(id as u32);
            if self.modules.list[id].standard && !self.tops.iter().any(|t| t.module == module) {
                continue;
            }
            let modules = self.modules;
            for item in modules.list[id].files.iter().flat_map(|f| &f.items) {
                let mut free: Vec<(Symbol, Span)> = Vec::new();
                let mut found = |name, span| free.push((name, span));
                let mut walk = Walk { bound: HashMap::new(), undo: Vec::new(), found: &mut found };
                match &item.kind {
                    ast::ItemKind::Fn(function) => walk.function(function),
                    ast::ItemKind::Struct(decl) => {
                        decl.fields.iter().filter_map(|f| f.default.as_ref()).for_each(|d| walk.expr(d));
                        decl.methods.iter().for_each(|m| walk.function(&m.function));
                    }
                    ast::ItemKind::Enum(decl) => decl.methods.iter().for_each(|m| walk.function(&m.function)),
                    ast::ItemKind::Trait(decl) => decl.methods.iter().for_each(|m| walk.function(&m.function)),
                    ast::ItemKind::Impl(block) => block.methods.iter().for_each(|m| walk.function(&m.function)),
                    ast::ItemKind::Test(test) => walk.block(&test.body),
                    ast::ItemKind::Bench(bench) => walk.block(&bench.body),
                    ast::ItemKind::Const(constant) => walk.expr(&constant.value),
                    _ => {}
                }
                for (name, span) in free {
                    self.use_name(module, name, span);
                }
            }
        }
    }

    fn use_name(&mut self, module: ModuleId, name: Symbol, span: Span) {
        match self.lookup(module, name) {
            Some(Def::Top(top)) => {
                let top = self.top_at(top, span);
                self.top_used.insert(top);
            }
            Some(_) => {}
            None if name.as_str() == "args" => {}
            None => {
                let near = nearest(name, self.visible(module).map(|(name, _)| name));
                let diagnostic = Diagnostic::error(codes::UNKNOWN_NAME, span, format!("there is no `{name}` here"))
                    .label("not found");
                let diagnostic = if name.as_str() == "self" {
                    diagnostic.help("a method that uses `self` has it as its first parameter")
                } else {
                    did_you_mean(diagnostic, near)
                };
                self.later.push(diagnostic);
            }
        }
    }
}

impl Walk<'_> {
    fn open(&self) -> usize {
        self.undo.len()
    }

    fn close(&mut self, mark: usize) {
        while self.undo.len() > mark {
            if let Some(name) = self.undo.pop()
                && let Some(count) = self.bound.get_mut(&name)
            {
                *count -= 1;
            }
        }
    }

    fn bind(&mut self, name: Symbol) {
        *self.bound.entry(name).or_default() += 1;
        self.undo.push(name);
    }

    fn pattern(&mut self, pattern: &ast::Pattern) {
        let mut names = Vec::new();
        bound_names(pattern, &mut names);
        names.into_iter().for_each(|n| self.bind(n.name));
    }

    fn function(&mut self, function: &ast::Fn) {
        let mark = self.open();
        if function.receiver.is_some() {
            self.bind(Symbol::new("self"));
        }
        for param in &function.params {
            if let Some(default) = &param.default {
                self.expr(default);
            }
            self.bind(param.name.name);
        }
        match &function.body {
            Some(ast::FnBody::Block(block)) => self.block(block),
            Some(ast::FnBody::Expr(expr)) => self.expr(expr),
            None => {}
        }
        self.close(mark);
    }

    fn block(&mut self, block: &ast::Block) {
        let mark = self.open();
        let is_fn = |stmt: &ast::Stmt| matches!(stmt.kind, StmtKind::Fn(_));
        for (i, stmt) in block.stmts.iter().enumerate() {
            if is_fn(stmt) && (i == 0 || !is_fn(&block.stmts[i - 1])) {
                // functions that follow each other see each other
                for stmt in &block.stmts[i..] {
                    let StmtKind::Fn(function) = &stmt.kind else { break };
                    self.bind(function.name.name);
                }
            }
            match &stmt.kind {
                StmtKind::Let { pattern, value, .. } => {
                    self.expr(value);
                    self.pattern(pattern);
                }
                StmtKind::Fn(function) => self.function(function),
                StmtKind::Defer(block) => self.block(block),
                StmtKind::Expr(expr) => self.expr(expr),
            }
        }
        self.close(mark);
    }

    fn conditions(&mut self, conditions: &[ast::Condition]) {
        for condition in conditions {
            match condition {
                ast::Condition::Expr(expr) => self.expr(expr),
                ast::Condition::Let(pattern, value) => {
                    self.expr(value);
                    self.pattern(pattern);
                }
            }
        }
    }

    fn comprehension(&mut self, comprehension: &ast::Comprehension) {
        let mark = self.open();
        for clause in &comprehension.clauses {
            self.expr(&clause.iterable);
            if let Some(index) = clause.index {
                self.bind(index.name);
            }
            self.pattern(&clause.pattern);
            clause.conditions.iter().for_each(|c| self.expr(c));
        }
        match &comprehension.kind {
            ast::ComprehensionKind::List(value) | ast::ComprehensionKind::Set(value) => self.expr(value),
            ast::ComprehensionKind::Map(key, value) => {
                self.expr(key);
                self.expr(value);
            }
        }
        self.close(mark);
    }

    fn expr(&mut self, e: &ast::Expr) {
        match &e.kind {
            ExprKind::Name(name) => {
                if self.bound.get(name).is_none_or(|&count| count == 0) {
                    (self.found)(*name, e.span);
                }
            }
            ExprKind::Str(parts) => {
                for part in parts {
                    if let ast::StrPart::Hole(value, _) = part {
                        self.expr(value);
                    }
                }
            }
            ExprKind::Tuple(parts) | ExprKind::List(parts) => parts.iter().for_each(|p| self.expr(p)),
            ExprKind::Map(entries) => entries.iter().for_each(|(key, value)| {
                self.expr(key);
                self.expr(value);
            }),
            ExprKind::Comprehension(comprehension) => self.comprehension(comprehension),
            ExprKind::Block(block) => self.block(block),
            ExprKind::If { arms, otherwise } => {
                for (conditions, block) in arms {
                    let mark = self.open();
                    self.conditions(conditions);
                    self.block(block);
                    self.close(mark);
                }
                otherwise.iter().for_each(|b| self.block(b));
            }
            ExprKind::Match { subject, arms } => {
                self.expr(subject);
                for arm in arms {
                    let mark = self.open();
                    self.pattern(&arm.pattern);
                    arm.guard.iter().for_each(|g| self.expr(g));
                    self.expr(&arm.body);
                    self.close(mark);
                }
            }
            ExprKind::While { conditions, body, .. } => {
                let mark = self.open();
                self.conditions(conditions);
                self.block(body);
                self.close(mark);
            }
            ExprKind::Loop { body, .. } => self.block(body),
            ExprKind::For { index, pattern, iterable, body, .. } => {
                self.expr(iterable);
                let mark = self.open();
                if let Some(index) = index {
                    self.bind(index.name);
                }
                self.pattern(pattern);
                self.block(body);
                self.close(mark);
            }
            ExprKind::Return(value) => value.iter().for_each(|v| self.expr(v)),
            ExprKind::Try { body, error, handler } => {
                self.block(body);
                let mark = self.open();
                self.bind(error.name);
                self.block(handler);
                self.close(mark);
            }
            ExprKind::Closure { params, body } => {
                let mark = self.open();
                params.iter().for_each(|p| self.pattern(&p.pattern));
                self.expr(body);
                self.close(mark);
            }
            ExprKind::Assign { target, value, .. } => {
                self.expr(target);
                self.expr(value);
            }
            ExprKind::Binary { first, rest } => {
                self.expr(first);
                rest.iter().for_each(|(_, _, right)| self.expr(right));
            }
            ExprKind::Is { value, .. } => self.expr(value),
            ExprKind::Range { lo, hi, .. } => {
                lo.iter().chain(hi).for_each(|end| self.expr(end));
            }
            ExprKind::Unary(_, operand) => self.expr(operand),
            ExprKind::Postfix { base, ops } => {
                self.expr(base);
                for op in ops {
                    match &op.kind {
                        PostfixKind::Call(args) => args.iter().for_each(|a| self.expr(&a.value)),
                        PostfixKind::Index(args) => {
                            for arg in args {
                                if let ast::IndexArg::Expr(value) = arg {
                                    self.expr(value);
                                }
                            }
                        }
                        _ => {}
                    }
                }
            }
            ExprKind::Int(_)
            | ExprKind::Float(_)
            | ExprKind::Bool(_)
            | ExprKind::Byte(_)
            | ExprKind::Nil
            | ExprKind::TypeName(_)
            | ExprKind::FnType(_)
            | ExprKind::Break(_)
            | ExprKind::Continue(_)
            | ExprKind::Error => {}
        }
    }
}
