//! Method calls: the method, field or derived operation that a name means on a value.

use super::body::{Body, Expect};
use super::coerce::Why;
use super::decls::{FnDeclId, Owner, TypeDeclKind};
use super::derive::Derive;
use super::modules::CORE;
use super::report::{did_you_mean, nearest};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::hir::{ExprId, ExprKind, Ty, TyKind};
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
        if let Some((method, owner)) = self.find_method(ty, name.name) {
            let declared = self.cx.function(method);
            let (module, public, receiver) = (declared.module, declared.public, declared.ast.receiver.is_some());
            if module != self.module && module != CORE && !public {
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
            return self.call_fn(method, owner, vec![value], args, here, expect);
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
        let visible = self.cx.decl(decl).module == self.module || field.public.is_some();
        if visible { self.field_named(ty, name.as_str()) } else { None }
    }

    pub fn no_method(&mut self, ty: Ty, name: ast::Ident) -> ExprId {
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

    /// Calls a method of the receiver's declaration.
    pub fn call_method_decl(&mut self, method: FnDeclId, value: ExprId, args: Vec<ExprId>, span: Span) -> ExprId {
        let ty = self.ty(value);
        let owner = self.method_owner_args(method, ty);
        let mut ids = vec![value];
        ids.extend(args);
        self.call_ids(method, owner, ids, span)
    }

    /// Calls a function with arguments that have been checked, in the order of its parameters.
    pub fn call_ids(&mut self, decl: FnDeclId, owner: Vec<Ty>, ids: Vec<ExprId>, span: Span) -> ExprId {
        self.call_fn(decl, owner, ids, &[], span, Expect::Any)
    }
}
