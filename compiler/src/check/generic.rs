//! Generic bodies, checked by themselves: each type parameter is a type of its own that has what its bounds promise and
//! nothing else. So a mistake is found without a call, and is told in the body, not in each of its instances.
//!
//! What is called with such types is not instantiated: its declared result stands for the call. Templates are left to
//! their calls, and what a template gives for a type parameter is not looked into.
//!
//! Invariants
//! - G1. Nothing of a body checked here is kept but its error messages.
//! - G2. A type parameter's bounds are in `param_bounds` before anything asks for its traits.

use super::Checker;
use super::body::Body;
use super::decls::{FnDeclId, FnKind, Owner};
use super::derive::Derive;
use super::implement::Target;
use super::instance::{Instance, State, What};
use super::modules::ModuleId;
use super::resolve::Env;
use crate::codes;
use crate::diagnostic::{Diagnostic, Severity};
use crate::hir::{DeclId, Expr, ExprId, ExprKind, Ty, TyKind};
use crate::syntax::ast;
use crate::syntax::span::Span;
use crate::syntax::symbol::Symbol;
use std::rc::Rc;

impl<'a> Checker<'a> {
    /// Checks the bodies of the program's generic functions, called or not.
    pub(super) fn check_generic_bodies(&mut self) {
        for index in 0..self.fns.len() {
            let decl = FnDeclId(index as u32);
            let declared = self.function(decl);
            let own = !self.modules.list[declared.module.0 as usize].standard;
            // a local function's type parameters are those of an instance around it
            let local = declared.owner == Owner::None && !declared.owner_generics.is_empty();
            let generic = || declared.generics().len() > 0 && !self.is_template(decl) && !local;
            if own && generic() && declared.kind == FnKind::Body && declared.ast.body.is_some() {
                self.check_generic_body(decl);
            }
        }
    }

    fn check_generic_body(&mut self, decl: FnDeclId) {
        let (ast, name) = (self.function(decl).ast, self.function(decl).ast.name.name);
        let names: Vec<Symbol> = self.function(decl).generics().collect();
        let type_args: Vec<Ty> = names.into_iter().map(|name| self.types.param(name)).collect();
        let mut out = Vec::new();
        self.bind_params(decl, &type_args, &mut out);
        let env = self.fn_env(decl, &type_args);
        let mut params: Vec<Ty> = ast.receiver.and(env.self_ty).into_iter().collect();
        params.extend(self.param_types(decl, &type_args, &env, &mut out).into_iter().flatten());
        let result = self.result_type(decl, &type_args, &env, &mut out);
        if out.is_empty() {
            let id = self.add_instance(Instance::new(What::Fn(decl), name.to_string(), Rc::new(env), params, result));
            self.instance_mut(id).state = State::Checking;
            self.active.push(id);
            out = Body::check(self, id).diagnostics;
            self.active.pop();
            // it is no instance like the others: nothing asks for it, and nothing counts it
            self.instance_mut(id).state = State::Unchecked;
        }
        out.retain(|d| d.severity == Severity::Error);
        if !out.is_empty() {
            self.broken_generics.insert(decl);
            self.diagnostics.append(&mut out);
        }
    }

    /// Notes what is promised of the type parameters of a function.
    fn bind_params(&mut self, decl: FnDeclId, type_args: &[Ty], out: &mut Vec<Diagnostic>) {
        let declared = self.function(decl);
        let (module, owner, skip, own) =
            (declared.module, declared.owner, declared.owner_generics.len(), &declared.ast.generics);
        let mut bounded: Vec<(&'a ast::Generic, ModuleId)> = own.iter().map(|g| (g, module)).collect();
        match owner {
            Owner::None => {}
            Owner::Type(of) => bounded.extend(self.decl(of).generics.iter().map(|g| (g, module))),
            Owner::Trait(of) => {
                bounded.extend(self.decl(of).generics.iter().map(|g| (g, module)));
                self.param_bounds.entry(type_args[0]).or_default().push((of, type_args[1..skip].to_vec()));
            }
            Owner::Impl(id) => {
                let this = self.implementation(id);
                bounded.extend(this.bounded.iter().map(|g| (g, module)));
                // a generic type written by its bare name brings its own parameters, bounds and all
                if let Target::Written(target) = this.target
                    && let Some(super::implement::Head::Decl(of)) = self.head_of_written(target, module)
                {
                    let from = self.decl(of).module;
                    let known = this.bounded;
                    let of = self.decl(of).generics.iter();
                    bounded.extend(of.filter(|g| known.iter().all(|k| k.name.name != g.name.name)).map(|g| (g, from)));
                }
            }
        }
        let env = self.fn_env(decl, type_args);
        for (generic, module) in bounded {
            let Some(&(_, ty)) = env.types.iter().rev().find(|(name, _)| *name == generic.name.name) else { continue };
            for bound in &generic.bounds {
                match (self.trait_written(bound, module, &env), self.names_trait(bound, module)) {
                    (Some(found), _) => self.param_bounds.entry(ty).or_default().push(found),
                    (None, Some(of)) => {
                        let takes = super::report::count(self.decl(of).generics.len(), "type argument");
                        let message = format!("`{}` takes {takes}", self.decl(of).name.name);
                        out.push(Diagnostic::error(codes::TYPE_ARGUMENTS, bound.span, message));
                    }
                    (None, None) => {
                        out.push(Diagnostic::error(codes::UNKNOWN_TRAIT, bound.span, "this is not a trait"));
                    }
                }
            }
        }
    }

    /// Declared traits, those of the program first, that have a method or field of that name.
    fn traits_with(&self, name: Symbol) -> Vec<DeclId> {
        let all = (0..self.decls.len() as u32).map(DeclId);
        let has = |decl: &DeclId| match self.decl(*decl).kind {
            super::decls::TypeDeclKind::Trait(ast) => {
                ast.methods.iter().any(|m| m.function.name.name == name)
                    || ast.fields.iter().any(|f| f.name.name == name)
            }
            _ => false,
        };
        let mut found: Vec<DeclId> = all.filter(has).collect();
        found.sort_by_key(|d| self.modules.list[self.decl(*d).module.0 as usize].standard);
        found
    }
}

impl<'a> Body<'_, 'a> {
    /// Whether a call is one of a generic body that is checked by itself: there is no instance for it.
    pub fn is_generic(&self, type_args: &[Ty], params: &[Ty]) -> bool {
        type_args.iter().chain(params).any(|&ty| self.cx.types.is_generic(ty))
    }

    /// Reports a method or field that no bound promises.
    pub fn not_promised(&mut self, ty: Ty, name: ast::Ident, what: &str) -> ExprId {
        let shown = self.show(ty);
        let message = format!("no bound of `{shown}` promises a {what} `{}`", name.name);
        let diagnostic = Diagnostic::error(codes::NOT_PROMISED, name.span, message)
            .label(format!("`{shown}` may be any type{}", self.bounds_text(ty)));
        let traits = self.cx.traits_with(name.name);
        let help = match traits.first() {
            Some(&of) => {
                let generics = self.cx.decl(of).generics;
                let args: Vec<&str> = generics.iter().map(|g| g.name.name.as_str()).collect();
                let args = if args.is_empty() { String::new() } else { format!("[{}]", args.join(", ")) };
                format!("ask for it: `{shown}: {}{args}`", self.cx.decl(of).name.name)
            }
            None => format!(
                "ask for it with a bound, a trait that has `{}`; or leave the parameter's type out: a template goes by each call",
                name.name
            ),
        };
        self.fail(diagnostic.help(help))
    }

    fn bounds_text(&self, ty: Ty) -> String {
        let bounds = self.cx.param_bounds.get(&ty).map_or(&[][..], Vec::as_slice);
        let names: Vec<String> = bounds.iter().map(|(of, _)| self.cx.decl(*of).name.name.to_string()).collect();
        if names.is_empty() { String::new() } else { format!(" that has {}", super::report::list(&names)) }
    }

    /// Reports an operator on a type parameter that no bound promises.
    pub fn no_promised_operator(&mut self, op: &str, of: &str, left: Ty, right: Ty, span: Span) -> ExprId {
        let (shown, other) = (self.show(left), self.show(right));
        let message = format!("no bound of `{shown}` promises `{op}` with {other}");
        let diagnostic = Diagnostic::error(codes::NOT_PROMISED, span, message)
            .label(format!("`{shown}` may be any type{}", self.bounds_text(left)));
        self.fail(diagnostic.help(format!("ask for it: `{shown}: {of}[{other}, {shown}]`")))
    }

    /// `==`, order, hash or text of a type that has type parameters in it.
    pub fn promised_operation(&mut self, derive: Derive, ty: Ty, span: Span) -> ExprId {
        if !self.cx.structural(ty, derive) {
            let shown = self.show(ty);
            let (of, words) = match derive.plain() {
                Derive::Eq => ("Eq", "compared with `==`"),
                Derive::Compare => ("Ord", "ordered"),
                Derive::Hash => ("Hash", "hashed"),
                _ => ("Show", "shown"),
            };
            let message = format!("no bound promises that {shown} can be {words}");
            let mut diagnostic = Diagnostic::error(codes::NOT_PROMISED, span, message);
            if let TyKind::Param(_) = self.kind(ty) {
                diagnostic = diagnostic
                    .label(format!("`{shown}` may be any type{}", self.bounds_text(ty)))
                    .help(format!("ask for it: `{shown}: {of}`"));
            }
            self.report(diagnostic);
        }
        self.emit(ExprKind::Unit, derive.result(), span)
    }

    /// Reports types in a finished body whose arguments don't have what the type's declaration asks for, once each.
    pub fn check_type_bounds(&mut self, exprs: &[Expr]) {
        let mut told: Vec<Ty> = Vec::new();
        for expr in exprs {
            let Some((decl, args)) = self.cx.as_decl(expr.ty) else { continue };
            let generics = self.cx.decl(decl).generics;
            if generics.iter().all(|g| g.bounds.is_empty())
                || self.cx.bounds_met.contains(&expr.ty)
                || told.contains(&expr.ty)
                || self.is_broken(expr.ty)
            {
                continue;
            }
            let (name, module) = (self.cx.decl_name(decl), self.cx.decl(decl).module);
            let env: Env = self.cx.decl_env(decl, &args, expr.ty);
            if self.bounds_hold(name, generics, &args, module, &env, expr.span) {
                self.cx.bounds_met.insert(expr.ty);
            } else {
                told.push(expr.ty);
            }
        }
    }
}
