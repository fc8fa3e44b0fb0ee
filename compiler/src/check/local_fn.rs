//! Functions declared in a block. One that captures nothing is a function like any other; one that captures is a closure
//! with a name.
//!
//! Those that follow each other without another statement between them see each other, so they may recurse mutually. A
//! closure that an earlier one (or itself) mentions lives in a cell, which is filled before the next statement runs.

use super::body::{Binding, Body, Deferred, FnSource};
use super::decls::{FnDeclId, FnKind, Owner};
use super::names::free_names;
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::hir::{ExprId, ExprKind, LocalId, Ty, TyKind};
use crate::syntax::ast;
use crate::syntax::symbol::Symbol;

/// A local function with what it takes from around it.
struct Member<'a> {
    function: &'a ast::Fn,
    free: Vec<Symbol>,
    captures: bool,
}

impl<'a> Body<'_, 'a> {
    /// The function that a statement declares, if it does.
    pub fn declared_fn(stmt: &'a ast::Stmt) -> Option<&'a ast::Fn> {
        if let ast::StmtKind::Fn(function) = &stmt.kind { Some(function) } else { None }
    }

    /// Declarations that follow each other; gives what of them is left to run.
    pub fn local_fns(&mut self, functions: &[&'a ast::Fn]) -> Vec<ExprId> {
        let members = self.members(functions);
        let (closures, plain): (Vec<&Member<'a>>, Vec<&Member<'a>>) = members.iter().partition(|m| m.captures);
        self.plain_fns(&plain);
        self.closures(&closures)
    }

    fn members(&mut self, functions: &[&'a ast::Fn]) -> Vec<Member<'a>> {
        let own: Vec<Symbol> = functions.iter().map(|f| f.name.name).collect();
        let mut members: Vec<Member<'a>> = Vec::new();
        for &function in functions {
            let free = free_names(function);
            let captures = free.iter().any(|name| !own.contains(name) && self.is_local(*name));
            members.push(Member { function, free, captures });
        }
        // what mentions one that captures has to capture that one
        loop {
            let capturing: Vec<Symbol> = members.iter().filter(|m| m.captures).map(|m| m.function.name.name).collect();
            let more = members.iter_mut().filter(|m| !m.captures && m.free.iter().any(|n| capturing.contains(n)));
            if more.map(|m| m.captures = true).count() == 0 {
                return members;
            }
        }
    }

    fn is_local(&self, name: Symbol) -> bool {
        let bindings = |f: &super::body::Frame| f.names.get(&name).and_then(|b| b.last().copied());
        self.frames.iter().rev().find_map(bindings).is_some_and(|b| matches!(b, Binding::Local(_)))
    }

    fn plain_fns(&mut self, members: &[&Member<'a>]) {
        let decls: Vec<FnDeclId> = members.iter().map(|m| self.declare_plain(m.function)).collect();
        for (member, &decl) in members.iter().zip(&decls) {
            self.bind(member.function.name.name, Binding::Fn(decl));
        }
        for (member, &decl) in members.iter().zip(&decls) {
            let mut seen = vec![(member.function.name.name, decl)];
            for &free in &member.free {
                let bindings = self.frames.iter().rev().filter_map(|f| f.names.get(&free)?.last());
                if let (Some(Binding::Fn(other)), true) =
                    (bindings.into_iter().next(), free != member.function.name.name)
                {
                    seen.push((free, *other));
                }
            }
            self.cx.local_scopes.insert(decl, seen);
        }
    }

    fn declare_plain(&mut self, function: &'a ast::Fn) -> FnDeclId {
        if let Some(&decl) = self.cx.local_fns.get(&function.name.span) {
            return decl;
        }
        let generics = self.env.types.iter().map(|t| t.0).collect();
        let decl = self.cx.add_fn(function, self.module, false, Owner::None, generics, FnKind::Body);
        self.cx.local_fns.insert(function.name.span, decl);
        decl
    }

    fn closures(&mut self, members: &[&Member<'a>]) -> Vec<ExprId> {
        let mut stmts = Vec::new();
        let mut locals: Vec<(LocalId, bool)> = Vec::new();
        for (i, member) in members.iter().enumerate() {
            let name = member.function.name;
            let ty = self.local_fn_type(member.function);
            let local = self.local(name.name, ty, false, name.span);
            let early = members[..=i].iter().any(|m| m.free.contains(&name.name));
            if early {
                self.frame().locals[local.0 as usize].cell = true;
                let nothing_yet = self.emit(ExprKind::Nil, ty, name.span);
                stmts.push(self.emit(ExprKind::Let(local, nothing_yet), Ty::UNIT, name.span));
            }
            locals.push((local, early));
        }
        for (member, &(local, _)) in members.iter().zip(&locals) {
            self.bind(member.function.name.name, Binding::Local(local));
        }
        for (member, (local, early)) in members.iter().zip(locals) {
            let span = member.function.name.span;
            let ty = self.frame().locals[local.0 as usize].ty;
            let Some(value) = self.local_closure(member.function, ty) else { continue };
            let kind = if early { ExprKind::SetLocal(local, value) } else { ExprKind::Let(local, value) };
            stmts.push(self.emit(kind, Ty::UNIT, span));
        }
        stmts
    }

    fn local_fn_type(&mut self, function: &'a ast::Fn) -> Ty {
        let name = function.name;
        let refused = if !function.generics.is_empty() {
            Some("a local function that captures variables can't have type parameters")
        } else if function.params.iter().any(|p| p.default.is_some()) {
            Some("a local function that captures variables can't have default values")
        } else {
            None
        };
        if let Some(message) = refused {
            self.report(
                Diagnostic::error(codes::LOCAL_FN_UNSUPPORTED, name.span, message)
                    .help("pass what it captures as parameters, and it can"),
            );
            return Ty::ERROR;
        }
        let params = function.params.iter().map(|p| match &p.ty {
            Some(written) => self.resolve(written),
            None => self.fresh(p.name.span),
        });
        let params = params.collect();
        let result = match &function.result {
            Some(written) => self.resolve(written),
            None => self.fresh(name.span),
        };
        self.cx.types.intern(TyKind::Fn(params, result))
    }

    /// The function as a value; its body waits for the first use if that has to tell a parameter's type.
    fn local_closure(&mut self, function: &'a ast::Fn, ty: Ty) -> Option<ExprId> {
        let TyKind::Fn(params, _) = self.kind(ty) else { return None };
        let span = function.name.span;
        if params.iter().any(|&p| matches!(self.kind(p), TyKind::Infer(_))) {
            let expr = self.emit(ExprKind::Unit, ty, span);
            let frame = self.frame();
            let (frame, names, facts) = (frame.id, frame.names.clone(), frame.facts.clone());
            self.deferred.push(Deferred { code: super::body::Code::Fn(function), frame, expr, ty, names, facts });
            return Some(expr);
        }
        let kind = self.local_fn_body(function, ty);
        Some(self.emit(kind, ty, span))
    }

    pub fn local_fn_body(&mut self, function: &'a ast::Fn, ty: Ty) -> ExprKind {
        let (TyKind::Fn(types, result), Some(body)) = (self.kind(ty), &function.body) else { return ExprKind::Unit };
        self.push_frame(function.name.name.to_string(), function.name.span, result);
        for (param, ty) in function.params.iter().zip(types) {
            self.param(param.name.name, ty, param.name.span);
        }
        self.frame_body(FnSource::of(body));
        self.pop_frame(result)
    }
}
