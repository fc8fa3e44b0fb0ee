//! Statements: bindings, assignments, local functions; and top-level bindings, which are globals when functions use
//! them and locals of the entry otherwise.

use super::Checker;
use super::body::{Binding, Body, Expect, Fact};
use super::coerce::Why;
use super::decls::{Def, TopId};
use super::instance::{State, What};
use super::operators::arithmetic;
use super::postfix::Place;
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::hir::{ExprId, ExprKind, Global, GlobalId, Ty, TyKind};
use crate::syntax::ast;
use crate::syntax::span::Span;
use crate::syntax::symbol::Symbol;

impl<'a> Body<'_, 'a> {
    /// Checks a statement; None when nothing of it is left to run.
    pub fn stmt(&mut self, stmt: &'a ast::Stmt) -> Option<ExprId> {
        match &stmt.kind {
            ast::StmtKind::Let { mutable, pattern, ty, value } => {
                Some(self.let_stmt(*mutable, pattern, ty.as_deref(), value, stmt.span))
            }
            ast::StmtKind::Fn(_) => unreachable!("functions that follow each other are taken together"),
            ast::StmtKind::Defer(_) => {
                unreachable!("whoever walks the statements of a block takes what follows with it")
            }
            ast::StmtKind::Expr(expr) => {
                let id = self.expr(expr, Expect::Nothing);
                Some(self.discard(id, stmt.span))
            }
        }
    }

    fn let_stmt(
        &mut self,
        mutable: bool,
        pattern: &'a ast::Pattern,
        ty: Option<&'a ast::TypeExpr>,
        value: &'a ast::Expr,
        span: Span,
    ) -> ExprId {
        let (value_id, ty) = match ty {
            Some(ty) => {
                let ty = self.resolve(ty);
                (self.expr_to(value, ty, Why::Annotation), ty)
            }
            None => {
                let id = self.expr(value, Expect::Any);
                let ty = self.ty(id);
                (id, if ty == Ty::NEVER { Ty::UNIT } else { ty })
            }
        };
        if let ast::PatternKind::Bind(name) = pattern.kind {
            if let Some(top) = self.top_of(pattern.span) {
                let id = self.set_top(top, ty, value_id, span);
                self.bind(name, Binding::Top(top));
                return id;
            }
            let local = self.local(name, ty, mutable, pattern.span);
            self.bind(name, Binding::Local(local));
            return self.emit_let(local, value_id, span);
        }
        let tops: Vec<(Symbol, TopId)> = self.tops_in(pattern);
        let mut steps = self.irrefutable(pattern, value_id, ty, mutable);
        for (name, top) in tops {
            if let Some(Binding::Local(local)) = self.lookup_local(name) {
                let ty = self.frame().locals[local.0 as usize].ty;
                let read = self.read(local, span);
                steps.push(self.set_top(top, ty, read, span));
                // functions and later statements share the global
                self.bind(name, Binding::Top(top));
            }
        }
        self.emit(ExprKind::Block(steps, None), Ty::UNIT, span)
    }

    /// `Let`, of type never when its value does not come back.
    pub fn emit_let(&mut self, local: crate::hir::LocalId, value: ExprId, span: Span) -> ExprId {
        if self.ty(value) == Ty::NEVER {
            return value;
        }
        self.emit(ExprKind::Let(local, value), Ty::UNIT, span)
    }

    // ---- top-level bindings

    /// The top-level binding declared at a place, if it has to be a global.
    fn top_of(&mut self, span: Span) -> Option<TopId> {
        if self.frames.len() > 1 || !matches!(self.cx.instance(self.id).what, What::Init(_) | What::Entry) {
            return None;
        }
        let top = *self.cx.top_by_place.get(&(self.module, span))?;
        self.cx.top_used.contains(&top).then_some(top)
    }

    fn tops_in(&mut self, pattern: &ast::Pattern) -> Vec<(Symbol, TopId)> {
        let mut names = Vec::new();
        super::decls::bound_names(pattern, &mut names);
        names.into_iter().filter_map(|n| Some((n.name, self.top_of(n.span)?))).collect()
    }

    fn set_top(&mut self, top: TopId, ty: Ty, value: ExprId, span: Span) -> ExprId {
        let ty = self.deep(ty);
        if self.cx.types.is_open(ty) {
            self.open_tops.push((top, ty));
        } else {
            self.publish_top(top, ty);
        }
        let global = self.cx.global_of(top);
        self.emit(ExprKind::SetGlobal(global, value), Ty::UNIT, span)
    }

    /// Makes the type of a top-level binding known to all.
    pub fn publish_top(&mut self, top: TopId, ty: Ty) {
        if self.cx.types.is_open(ty) {
            let declared = self.cx.tops[top.0 as usize];
            let message = format!("the type of `{}` can't be inferred", declared.name);
            self.report(
                Diagnostic::error(codes::TYPE_UNKNOWN, declared.span, message)
                    .label("nothing in this file's statements says what it holds")
                    .help("annotate it"),
            );
            self.cx.globals_type(top, Ty::ERROR);
            return;
        }
        self.cx.globals_type(top, ty);
    }

    /// The type of a top-level binding; its statement is looked at ahead of its turn if need be.
    pub fn top_type(&mut self, top: TopId, span: Span) -> Option<Ty> {
        if let Some(&(_, ty)) = self.open_tops.iter().find(|(t, _)| *t == top) {
            return Some(ty);
        }
        if let Some(ty) = self.cx.known_top(top) {
            return Some(ty);
        }
        let declared = self.cx.tops[top.0 as usize];
        let ast::StmtKind::Let { ty, value, pattern, .. } = &declared.stmt.kind else { return None };
        if let (Some(ty), ast::PatternKind::Bind(_)) = (ty, &pattern.kind) {
            let found = self.elsewhere(declared.module, Default::default(), Vec::new(), |body| body.resolve(ty));
            self.cx.globals_type(top, found);
            return Some(found);
        }
        // a look at the value alone; all that comes of it but the type is dropped
        let simple = matches!(pattern.kind, ast::PatternKind::Bind(_));
        if simple && self.cx.top_guard.insert(top) {
            let mark = (self.diagnostics.len(), self.pending.len(), self.requests.len(), self.frame().exprs.len());
            let locals = self.frame().locals.len();
            let id =
                self.elsewhere(declared.module, Default::default(), Vec::new(), |body| body.expr(value, Expect::Any));
            let ty = self.ty(id);
            let ty = self.deep(ty);
            self.diagnostics.truncate(mark.0);
            self.pending.truncate(mark.1);
            self.requests.truncate(mark.2);
            self.frame().exprs.truncate(mark.3);
            self.frame().locals.truncate(locals);
            self.frame().infos.truncate(locals);
            self.cx.top_guard.remove(&top);
            if ty != Ty::ERROR && !self.cx.types.is_open(ty) {
                return Some(ty);
            }
        }
        self.report(
            Diagnostic::error(
                codes::TYPE_NOT_YET_KNOWN,
                span,
                format!("the type of `{}` isn't known yet at this point", declared.name),
            )
            .label("used here")
            .and(declared.span, "declared here")
            .help("annotate its declaration"),
        );
        None
    }

    // ---- assignment

    pub fn assign(
        &mut self,
        target: &'a ast::Expr,
        op: Option<ast::BinaryOp>,
        value: &'a ast::Expr,
        span: Span,
    ) -> ExprId {
        if let ast::ExprKind::Name(name) = target.kind {
            return self.assign_name(name, target.span, op, value, span);
        }
        let mut lets = Vec::new();
        let place = match self.place(target, &mut lets) {
            Some(place) => place,
            None => {
                self.expr(value, Expect::Any);
                return self.bad(span);
            }
        };
        let id = match place {
            Place::Field { base, ty, index, field } => {
                let value = match op {
                    None => self.expr_to(value, field, Why::Assignment),
                    Some(op) => {
                        let base = self.again(&base);
                        let old = self.emit(ExprKind::Field(base, index), field, span);
                        self.compound(op, old, field, value, span)
                    }
                };
                let _ = ty;
                let base = self.again(&base);
                self.emit(ExprKind::SetField(base, index, value), Ty::UNIT, span)
            }
            Place::Element { base, index, element } => {
                let value = match op {
                    None => self.expr_to(value, element, Why::Assignment),
                    Some(op) => {
                        let old = self.element(&base, &index, element, target.span);
                        self.compound(op, old, element, value, span)
                    }
                };
                let mut stmts = Vec::new();
                let value = self.stable("#value", value, &mut stmts);
                lets.append(&mut stmts);
                self.set_element(&base, &index, &value, target.span)
            }
            Place::Entry { base, key, value: ty } => {
                let value = match op {
                    None => self.expr_to(value, ty, Why::Assignment),
                    Some(op) => {
                        let (map, at) = (self.again(&base), self.again(&key));
                        let old = self.method_ids(map, "get", vec![at], target.span);
                        let old = match op {
                            ast::BinaryOp::Coalesce => old,
                            _ => self.entry_value(old, target.span),
                        };
                        self.compound(op, old, ty, value, span)
                    }
                };
                let (map, at) = (self.again(&base), self.again(&key));
                self.method_ids(map, "set", vec![at, value], span)
            }
        };
        if self.ty(id) == Ty::ERROR {
            return id;
        }
        if lets.is_empty() {
            return id;
        }
        lets.push(id);
        self.emit(ExprKind::Block(lets, None), Ty::UNIT, span)
    }

    /// The value that `m[k] += e` starts from; a missing key panics as `!` does, and says what to write instead.
    fn entry_value(&mut self, old: ExprId, span: Span) -> ExprId {
        let ty = self.ty(old);
        let (TyKind::Optional(inner), Some(panic_of)) = (self.kind(ty), self.core_fn("panic_of")) else {
            return self.unwrap(old, span);
        };
        let mut lets = Vec::new();
        let subject = self.stable("#entry", old, &mut lets);
        let read = self.again(&subject);
        let test = self.emit(ExprKind::IsNil(read), Ty::BOOL, span);
        let kind = self.string("unwrap", span);
        let words = "the map has no such key; `m[k] = (m[k] ?? start) + e` begins with a value for it";
        let message = self.string(words, span);
        let missing = self.call_ids(panic_of, Vec::new(), vec![kind, message], span);
        let read = self.again(&subject);
        let inside = self.emit(ExprKind::Unwrap(read), inner, span);
        let kind = ExprKind::Cond { arms: vec![(test, missing)], otherwise: Some(inside) };
        let id = self.emit(kind, inner, span);
        self.sequence(lets, id, span)
    }

    fn compound(&mut self, op: ast::BinaryOp, old: ExprId, ty: Ty, value: &'a ast::Expr, span: Span) -> ExprId {
        if op == ast::BinaryOp::Coalesce {
            let new = self.coalesce(old, value, span, Expect::Type(ty));
            return self.coerce(new, ty, value.span, Why::Assignment);
        }
        let mut lets = Vec::new();
        // the old value is read before the right side runs
        let old = self.temp("#old", old, &mut lets);
        let old = self.read(old, span);
        let hint = if arithmetic(op) { Expect::Type(ty) } else { Expect::Any };
        let value_id = self.expr(value, hint);
        let new = self.arith(op, old, value_id, span);
        let new = self.coerce(new, ty, value.span, Why::Assignment);
        self.sequence(lets, new, span)
    }

    fn assign_name(
        &mut self,
        name: Symbol,
        at: Span,
        op: Option<ast::BinaryOp>,
        value: &'a ast::Expr,
        span: Span,
    ) -> ExprId {
        match self.lookup_local(name) {
            Some(Binding::Local(local)) => {
                let ty = self.frame().locals[local.0 as usize].ty;
                let info = self.frame().infos[local.0 as usize];
                if !info.mutable {
                    let mut diagnostic = Diagnostic::error(codes::FIXED, at, format!("`{name}` can't be assigned"))
                        .label("assigned here");
                    diagnostic = if info.is_param {
                        diagnostic
                            .help(format!("parameters can't be assigned; copy it first: `var own_{name} = {name}`"))
                    } else {
                        diagnostic.and(info.span, "bound here").help("bind it with `var` to be able to change it")
                    };
                    self.report(diagnostic);
                }
                let value = match op {
                    None => {
                        let id = self.expr(value, Expect::Type(ty));
                        let own = self.ty(id);
                        let optional = self.is_optional(own);
                        let id = self.coerce(id, ty, value.span, Why::Assignment);
                        self.learn(local, ty, !optional && own != Ty::ERROR);
                        id
                    }
                    Some(op) => {
                        let old = self.read_local(local, at, op != ast::BinaryOp::Coalesce);
                        let old_ty = if op == ast::BinaryOp::Coalesce { ty } else { self.ty(old) };
                        let id = self.compound(op, old, old_ty, value, span);
                        let id = self.coerce(id, ty, value.span, Why::Assignment);
                        self.learn(local, ty, false);
                        id
                    }
                };
                let frame = self.frame();
                let at = local.0 as usize;
                if frame.try_depth > frame.infos[at].try_depth {
                    frame.locals[at].cell = true;
                }
                self.emit(ExprKind::SetLocal(local, value), Ty::UNIT, span)
            }
            Some(Binding::Fn(_)) => self.fail(Diagnostic::error(codes::FIXED, at, format!("`{name}` is a function"))),
            bound => match self.name_of(bound, name, at) {
                Some(Def::Top(top)) => {
                    let declared = self.cx.tops[top.0 as usize];
                    let own = self.cx.modules.kin(declared.module, self.module);
                    if !declared.mutable || !own {
                        let diagnostic = Diagnostic::error(codes::FIXED, at, format!("`{name}` can't be assigned"))
                            .and(declared.span, "bound here");
                        self.report(if own {
                            diagnostic.help("bind it with `var` to be able to change it")
                        } else {
                            diagnostic.help("only its own module can assign it")
                        });
                    }
                    let Some(ty) = self.top_type(top, at) else { return self.bad(span) };
                    let value = match op {
                        None => self.expr_to(value, ty, Why::Assignment),
                        Some(op) => {
                            let old = self.top(top, at);
                            self.compound(op, old, ty, value, span)
                        }
                    };
                    let global = self.cx.global_of(top);
                    self.emit(ExprKind::SetGlobal(global, value), Ty::UNIT, span)
                }
                Some(_) => self.fail(Diagnostic::error(codes::FIXED, at, format!("`{name}` can't be assigned"))),
                None => {
                    self.expr(value, Expect::Any);
                    let id = self.unknown_name(name, at);
                    if let Some(last) = self.diagnostics.last_mut()
                        && last.help.is_empty()
                    {
                        last.help.push(format!("to make a new variable, write `var {name} = …`"));
                    }
                    id
                }
            },
        }
    }

    /// What a name that is not a local means.
    fn name_of(&self, bound: Option<Binding>, name: Symbol, at: Span) -> Option<Def> {
        match bound {
            Some(Binding::Top(top)) => Some(Def::Top(top)),
            _ => match self.cx.lookup(self.module, name) {
                Some(Def::Top(top)) => Some(Def::Top(self.cx.top_at(top, at))),
                def => def,
            },
        }
    }

    /// What an assignment tells about a local of type `T?`.
    fn learn(&mut self, local: crate::hir::LocalId, ty: Ty, not_nil: bool) {
        self.frame().facts.retain(|f| f.local != local);
        let shared = self.frame().infos[local.0 as usize].shared;
        if not_nil && !shared && self.is_optional(ty) {
            self.frame().facts.push(Fact { local, variant: None, ty: None });
        }
    }

    /// Type of a list's, array's or string's element and the operations on it live with indexing; this tells lists.
    pub fn list_element(&mut self, ty: Ty) -> Option<Ty> {
        match self.kind(ty) {
            TyKind::Struct(decl, args) if Some(decl) == self.cx.lang.list => Some(args[0]),
            _ => None,
        }
    }
}

impl Checker<'_> {
    /// The global of a top-level binding.
    pub(super) fn global_of(&mut self, top: TopId) -> GlobalId {
        if let Some(&id) = self.top_globals.get(&top) {
            return id;
        }
        let declared = self.tops[top.0 as usize];
        let id = GlobalId(self.globals.len() as u32);
        self.globals.push(Global { name: declared.name, ty: Ty::ERROR, span: declared.span });
        self.top_globals.insert(top, id);
        id
    }

    fn globals_type(&mut self, top: TopId, ty: Ty) {
        let id = self.global_of(top);
        self.globals[id.0 as usize].ty = ty;
        self.top_known.insert(top);
    }

    fn known_top(&self, top: TopId) -> Option<Ty> {
        if !self.top_known.contains(&top) {
            return None;
        }
        self.top_globals.get(&top).map(|id| self.globals[id.0 as usize].ty)
    }

    /// The function that runs a module's top-level statements, if it has any.
    pub(super) fn init_of(&mut self, module: super::modules::ModuleId) -> Option<crate::hir::FnId> {
        let modules = self.modules;
        let files = &modules.list[module.0 as usize].files;
        if !files.iter().flat_map(|f| &f.items).any(|i| matches!(i.kind, ast::ItemKind::Stmt(_))) {
            return None;
        }
        let key = (What::Init(module), Vec::new(), Vec::new());
        if let Some(&id) = self.memo.get(&key) {
            return Some(id);
        }
        let name = format!("{} (top level)", modules.list[module.0 as usize].path);
        let instance = super::instance::Instance::new(key.0, name, Default::default(), Vec::new(), Some(Ty::UNIT));
        debug_assert_eq!(instance.state, State::Unchecked);
        let id = self.add_instance(instance);
        self.memo.insert(key, id);
        Some(id)
    }
}
