//! Method calls: the method, field or derived operation that a name means on a value.

use super::body::{Body, Expect};
use super::coerce::Why;
use super::decls::{FnDeclId, Owner, TypeDeclKind};
use super::derive::Derive;
use super::implement::Found;
use super::instance::What;
use super::modules::CORE;
use super::report::{did_you_mean, list, nearest};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::hir::{DeclId, ExprId, ExprKind, Ty, TyKind};
use crate::syntax::ast;
use crate::syntax::span::Span;
use crate::syntax::symbol::Symbol;

impl<'a> Body<'_, 'a> {
    /// `value.name(args)`
    pub fn method_call(
        &mut self,
        value: ExprId,
        name: ast::Ident,
        args: &'a [ast::Arg],
        here: Span,
        expect: Expect,
    ) -> ExprId {
        let mut ty = self.ty(value);
        if matches!(self.kind(ty), TyKind::Infer(_)) {
            self.force_deferred();
            ty = self.ty(value);
        }
        match self.kind(ty) {
            TyKind::Error | TyKind::Never => {
                self.check_anyway(args);
                return value;
            }
            TyKind::Infer(_) => {
                self.check_anyway(args);
                let at = self.span(value);
                return self.unknown_type(ty, at);
            }
            _ => {}
        }
        let known = self.deep(ty);
        let mut found = self.cx.methods_named(known, name.name);
        if found.len() > 1 {
            let traits: Vec<Symbol> = found.iter().filter_map(|f| f.of).map(|t| self.cx.decl(t).name.name).collect();
            if traits.iter().any(|t| *t != traits[0]) {
                self.check_anyway(args);
                return self.several_traits(ty, name, &traits);
            }
            // one trait with several arguments: the call's tell
            return self.overloaded(value, name, found, args, here);
        }
        if let Some(Found { decl: method, owner, .. }) = found.pop() {
            let declared = self.cx.function(method);
            let (module, public, receiver) = (declared.module, declared.public, declared.ast.receiver.is_some());
            // what takes the place of a derived operation is as public as that
            let operation = Derive::by_method(name.name.as_str()).is_some_and(|d| self.is_operation(d, known, method));
            if !self.cx.modules.kin(module, self.module) && module != CORE && !public && !operation {
                let shown = self.show(ty);
                let message = format!("method `{}` of {shown} is private to its module", name.name);
                self.report(Diagnostic::error(codes::PRIVATE_MEMBER, name.span, message));
            }
            let builtin = self.cx.function(method).owner == Owner::None;
            if !receiver && !builtin {
                self.check_anyway(args);
                let shown = self.show(ty);
                return self.fail(
                    Diagnostic::error(
                        codes::METHOD_OR_FUNCTION,
                        name.span,
                        format!("`{}` takes no `self`: it is not called on a value", name.name),
                    )
                    .help(format!("call it on the type: `{shown}.{}(…)`", name.name)),
                );
            }
            let call = self.call_fn(method, owner, vec![value], args, here, expect);
            return match self.promised_result(known, name.name) {
                Some(promised) => self.coerce(call, promised, here, Why::Result),
                None => call,
            };
        }
        if let Some((index, field)) = self.visible_field(ty, name.name)
            && matches!(self.kind(field), TyKind::Fn(..))
        {
            let function = self.emit(ExprKind::Field(value, index), field, name.span);
            return self.call_value(function, args, here);
        }
        if let Some(derive) = Derive::by_method(name.name.as_str())
            && args.len() + 1 == if derive.is_binary() { 2 } else { 1 }
        {
            let mut ids = vec![value];
            for arg in args {
                ids.push(self.expr_to(&arg.value, ty, Why::Argument));
            }
            return self.value_op(derive, ids, here);
        }
        self.check_anyway(args);
        self.no_method(ty, name)
    }

    pub fn visible_field(&mut self, ty: Ty, name: Symbol) -> Option<(u32, Ty)> {
        let (decl, _) = self.cx.as_decl(ty)?;
        let TypeDeclKind::Struct(ast) = self.cx.decl(decl).kind else { return None };
        let field = ast.fields.iter().find(|f| f.name.name == name)?;
        let visible = self.cx.modules.kin(self.cx.decl(decl).module, self.module) || field.public.is_some();
        if visible { self.field_named(ty, name.as_str()) } else { None }
    }

    pub fn no_method(&mut self, ty: Ty, name: ast::Ident) -> ExprId {
        if let TyKind::Param(_) = self.kind(ty) {
            return self.not_promised(ty, name, "method");
        }
        let shown = self.show(ty);
        let mut diagnostic =
            Diagnostic::error(codes::UNKNOWN_MEMBER, name.span, format!("{shown} has no method `{}`", name.name));
        let inner = match self.kind(ty) {
            TyKind::Optional(inner) => Some((inner, "it may be nil: write `?.`, or insist with `!`")),
            TyKind::Enum(decl, args) if Some(decl) == self.cx.lang.result => {
                Some((args[0], "it may be an error: pass that on with `?`, or insist with `!`"))
            }
            _ => None,
        };
        if let Some((inner, help)) = inner
            && self.has_method(inner, name.name.as_str())
        {
            return self.fail(diagnostic.help(help));
        }
        let hint = match name.name.as_str() {
            "length" | "size" | "count" => Some("len"),
            "append" | "add" => Some("push"),
            "to_string" | "toString" | "str" => Some("show"),
            _ => None,
        };
        let near = match hint {
            Some(hint) if self.has_method(ty, hint) => Some(Symbol::new(hint)),
            _ => nearest(name.name, self.method_names(ty).into_iter()),
        };
        diagnostic = did_you_mean(diagnostic, near);
        if self.field_named(ty, name.name.as_str()).is_some() {
            diagnostic = diagnostic.help("it has a field of that name, which is not a function");
        }
        self.fail(diagnostic)
    }

    /// Calls a method with arguments that have been checked; privacy is not looked at.
    pub fn method_ids(&mut self, value: ExprId, name: &str, args: Vec<ExprId>, span: Span) -> ExprId {
        let ty = self.ty(value);
        if ty == Ty::ERROR {
            return value;
        }
        let Some((method, owner)) = self.find_method(ty, Symbol::new(name)) else {
            return self.no_method(ty, ast::Ident { name: Symbol::new(name), span });
        };
        let mut ids = vec![value];
        ids.extend(args);
        self.call_ids(method, owner, ids, span)
    }

    /// In a default method, what a method of the trait gives on `Self` is what the trait says, whatever more precise
    /// type the implementation has: the body was written for all of them.
    fn promised_result(&mut self, ty: Ty, name: Symbol) -> Option<Ty> {
        let What::Fn(decl) = self.cx.instance(self.id).what else { return None };
        let Owner::Trait(of) = self.cx.function(decl).owner else { return None };
        if self.env.self_ty != Some(ty) || self.frames.iter().any(|f| f.barrier) {
            return None;
        }
        let all = self.cx.traits_of(ty);
        let has = all
            .iter()
            .find(|h| self.cx.leads_to(of, h.wanted) && self.cx.decl(h.wanted).methods.contains_key(&name))?;
        let method = self.cx.decl(has.wanted).methods[&name];
        if !self.cx.function(method).ast.generics.is_empty() {
            return None;
        }
        let mut args = vec![ty];
        args.extend(&has.args);
        let env = self.cx.fn_env(method, &args);
        self.cx.result_type(method, &args, &env, &mut Vec::new())
    }

    fn is_operation(&mut self, derive: Derive, ty: Ty, method: FnDeclId) -> bool {
        self.cx.written_operation(derive, ty).is_some_and(|found| found.decl == method)
    }

    fn several_traits(&mut self, ty: Ty, name: ast::Ident, traits: &[Symbol]) -> ExprId {
        let shown = self.show(ty);
        let names: Vec<String> = traits.iter().map(|t| t.to_string()).collect();
        let ways: Vec<String> = traits.iter().map(|t| format!("{t}.{}(…)", name.name)).collect();
        let message = format!("`{}` of {shown} is a method of {}", name.name, list(&names));
        self.fail(
            Diagnostic::error(codes::SEVERAL_TRAITS, name.span, message)
                .help(format!("say which one is meant: {}", super::report::either(&ways))),
        )
    }

    /// A method of a trait that the type has several times, with different arguments.
    fn overloaded(
        &mut self,
        value: ExprId,
        name: ast::Ident,
        found: Vec<Found>,
        args: &'a [ast::Arg],
        here: Span,
    ) -> ExprId {
        let ids: Vec<ExprId> = args.iter().map(|a| self.expr(&a.value, Expect::Any)).collect();
        for Found { decl, owner, .. } in found {
            let env = self.cx.fn_env(decl, &owner);
            let types = self.cx.param_types(decl, &owner, &env, &mut Vec::new());
            let fits = types.len() == ids.len()
                && types.iter().zip(&ids).all(|(&ty, &id)| ty.is_none_or(|ty| self.ty(id) == ty));
            if fits {
                let mut all = vec![value];
                all.extend(ids);
                return self.call_ids(decl, owner, all, here);
            }
        }
        let ty = self.ty(value);
        let given: Vec<String> = ids
            .iter()
            .map(|&id| {
                let ty = self.ty(id);
                self.show(ty)
            })
            .collect();
        let message = format!("no `{}` of {} takes {}", name.name, self.show(ty), given.join(", "));
        self.fail(Diagnostic::error(codes::ARGUMENTS, here, message))
    }

    /// `Trait.name(value, …)`
    pub fn call_trait_fn(
        &mut self,
        wanted: DeclId,
        name: ast::Ident,
        args: &'a [ast::Arg],
        here: Span,
        expect: Expect,
    ) -> ExprId {
        let of = self.cx.decl(wanted).name.name;
        let declared = self.cx.decl(wanted).methods[&name.name];
        let receiver = self.cx.function(declared).ast.receiver.is_some();
        let Some((ast::Arg { name: None, value }, rest)) = args.split_first().filter(|_| receiver) else {
            self.check_anyway(args);
            let message = format!("`{of}.{}` needs a value that has the trait", name.name);
            return self.fail(Diagnostic::error(codes::METHOD_OR_FUNCTION, here, message).help(match receiver {
                true => format!("give it as the first argument: `{of}.{}(value, …)`", name.name),
                false => format!("call it on a type that has the trait: `Type.{}(…)`", name.name),
            }));
        };
        let first = self.expr(value, Expect::Any);
        let ty = self.ty(first);
        let ty = self.deep(ty);
        if self.is_broken(ty) {
            self.check_anyway(rest);
            return first;
        }
        let all = self.cx.traits_of(ty);
        let mut found: Vec<Found> = Vec::new();
        for has in all.iter().filter(|h| h.wanted == wanted) {
            if let Some(method) = self.cx.trait_method(ty, has, name.name)
                && found.iter().all(|f| f.decl != method.decl)
            {
                found.push(method);
            }
        }
        match (found.len(), self.cx.structural_trait(wanted)) {
            (1, _) => {
                let Found { decl, owner, .. } = found.remove(0);
                self.call_fn(decl, owner, vec![first], rest, here, expect)
            }
            (0, Some(derive)) if rest.len() == usize::from(derive.is_binary()) => {
                let mut ids = vec![first];
                ids.extend(rest.iter().map(|arg| self.expr_to(&arg.value, ty, Why::Argument)));
                self.value_op(derive, ids, here)
            }
            (0, _) => {
                self.check_anyway(rest);
                let shown = self.show(ty);
                let message = format!("{shown} doesn't have the trait `{of}`");
                self.fail(Diagnostic::error(codes::BOUND, value.span, message))
            }
            _ => self.overloaded(first, name, found, rest, here),
        }
    }

    /// Calls a function with arguments that have been checked, in the order of its parameters.
    pub fn call_ids(&mut self, decl: FnDeclId, owner: Vec<Ty>, ids: Vec<ExprId>, span: Span) -> ExprId {
        self.call_fn(decl, owner, ids, &[], span, Expect::Any)
    }
}
