//! Building values: structs, variants, arrays, list and map literals.

use super::body::{Body, Expect};
use super::call::{Callee, Slot};
use super::coerce::Why;
use super::decls::TypeDeclKind;
use super::modules::CORE;
use super::report::list;
use super::traits::ARRAY;
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::hir::{DeclId, ExprId, ExprKind, Intrinsic, Ty, TyKind};
use crate::syntax::ast;
use crate::syntax::span::Span;
use crate::syntax::symbol::Symbol;

impl<'a> Body<'_, 'a> {
    pub fn make_struct(
        &mut self,
        decl: DeclId,
        types: Option<Vec<Ty>>,
        args: &'a [ast::Arg],
        here: Span,
        expect: Expect,
    ) -> ExprId {
        let declared = self.cx.decl(decl);
        let (module, name) = (declared.module, declared.name);
        let TypeDeclKind::Struct(ast) = declared.kind else {
            self.check_anyway(args);
            let diagnostic =
                Diagnostic::error(codes::NOT_BUILT, here, format!("`{}` can't be built by itself", name.name));
            return self.fail(match declared_variants(self.cx.decl(decl).kind) {
                Some(first) => diagnostic.help(format!("build one of its variants, such as `{}.{first}`", name.name)),
                None => diagnostic.help("a trait has no values of its own"),
            });
        };
        let types = self.owner_args(decl, types, here);
        let of = Symbol::new("of");
        if let ([ast::Arg { name: None, .. }], true) = (args, self.cx.lang.set == Some(decl) && self.module != CORE)
            && let Some(&of) = self.cx.decl(decl).methods.get(&of)
        {
            // `Set([1, 2])`
            return self.call_fn(of, types, Vec::new(), args, here, expect);
        }
        let ty = self.cx.decl_type(decl, types.clone());
        if let Expect::Type(wanted) = expect {
            self.hint_result(ty, wanted);
        }
        let env = self.cx.decl_env(decl, &types, ty);
        let mut slots = Vec::new();
        for (index, field) in ast.fields.iter().enumerate() {
            let field_ty = self.cx.field_type(ty, 0, index, &mut self.diagnostics);
            slots.push(Slot { name: field.name.name, ty: Some(field_ty), default: field.default.as_ref() });
        }
        if !self.cx.modules.kin(module, self.module) {
            self.check_private_fields(ast, args);
        }
        let mut lets = Vec::new();
        let callee = Callee { name: name.name, span: name.span };
        let Some(values) = self.arguments(callee, &slots, Vec::new(), args, here, (module, &env), &mut [], &mut lets)
        else {
            return self.emit(ExprKind::Unit, ty, here);
        };
        let id = self.emit(ExprKind::Struct(values), ty, here);
        self.sequence(lets, id, here)
    }

    /// A private field keeps other modules from giving it a value, and so, without default, from building the struct.
    pub fn check_private_fields(&mut self, ast: &ast::Struct, args: &'a [ast::Arg]) {
        for (index, arg) in args.iter().enumerate() {
            let field = match arg.name {
                Some(name) => ast.fields.iter().find(|f| f.name.name == name.name),
                None => ast.fields.get(index),
            };
            if let Some(field) = field
                && field.public.is_none()
            {
                let message = format!("field `{}` of `{}` is private to its module", field.name.name, ast.name.name);
                self.report(Diagnostic::error(codes::PRIVATE_MEMBER, arg.value.span, message));
            }
        }
    }

    /// A struct with all its defaults: an empty list, map or set.
    pub fn empty_collection(&mut self, ty: Ty, span: Span) -> ExprId {
        let Some((decl, types)) = self.cx.as_decl(ty) else { return self.bad(span) };
        let module = std::mem::replace(&mut self.module, CORE);
        let id = self.make_struct(decl, Some(types), &[], span, Expect::Any);
        self.module = module;
        id
    }

    /// The type of a variant's enum, arguments found from the context where they weren't written.
    pub fn variant_type(&mut self, decl: DeclId, types: Option<Vec<Ty>>, span: Span, expect: Expect) -> Ty {
        let types = self.owner_args(decl, types, span);
        let ty = self.cx.decl_type(decl, types);
        if let Expect::Type(wanted) = expect {
            let mut wanted = self.shallow(wanted);
            // `Ok(…)` where `T!` is expected: through optionals alone
            while let TyKind::Optional(inner) = self.kind(wanted) {
                wanted = self.shallow(inner);
            }
            if self.cx.lang.result != Some(decl)
                && let TyKind::Enum(result, args) = self.kind(wanted)
                && Some(result) == self.cx.lang.result
            {
                wanted = self.shallow(args[0]);
            }
            if self.cx.args_of(wanted, Some(decl)).is_some() {
                self.unify(ty, wanted);
            }
        }
        ty
    }

    /// A variant without parentheses.
    pub fn bare_variant(
        &mut self,
        decl: DeclId,
        number: u32,
        types: Option<Vec<Ty>>,
        span: Span,
        expect: Expect,
    ) -> ExprId {
        let TypeDeclKind::Enum(ast) = self.cx.decl(decl).kind else { return self.bad(span) };
        let variant = &ast.variants[number as usize];
        let ty = self.variant_type(decl, types, span, expect);
        if !variant.fields.is_empty() {
            let fields: Vec<String> = variant.fields.iter().map(|f| f.name.name.to_string()).collect();
            let message = format!("`{}` needs {}", variant.name.name, list(&fields));
            self.report(Diagnostic::error(codes::ARGUMENTS, span, message).and(variant.name.span, "declared here"));
        }
        self.emit(ExprKind::Variant(number, Vec::new()), ty, span)
    }

    pub fn make_variant(
        &mut self,
        decl: DeclId,
        number: u32,
        types: Option<Vec<Ty>>,
        args: &'a [ast::Arg],
        here: Span,
        expect: Expect,
    ) -> ExprId {
        let declared = self.cx.decl(decl);
        let module = declared.module;
        let TypeDeclKind::Enum(ast) = declared.kind else { return self.bad(here) };
        let variant = &ast.variants[number as usize];
        let ty = self.variant_type(decl, types, here, expect);
        let types = self.cx.as_decl(ty).map(|d| d.1).unwrap_or_default();
        let env = self.cx.decl_env(decl, &types, ty);
        let mut slots = Vec::new();
        for (index, field) in variant.fields.iter().enumerate() {
            let field_ty = self.cx.field_type(ty, number as usize, index, &mut self.diagnostics);
            slots.push(Slot { name: field.name.name, ty: Some(field_ty), default: field.default.as_ref() });
        }
        let callee = Callee { name: variant.name.name, span: variant.name.span };
        let mut lets = Vec::new();
        let Some(values) = self.arguments(callee, &slots, Vec::new(), args, here, (module, &env), &mut [], &mut lets)
        else {
            return self.emit(ExprKind::Unit, ty, here);
        };
        let id = self.emit(ExprKind::Variant(number, values), ty, here);
        self.sequence(lets, id, here)
    }

    /// `Array(len, fill)`
    pub fn make_array(&mut self, types: Option<Vec<Ty>>, args: &'a [ast::Arg], here: Span, expect: Expect) -> ExprId {
        let element = self.owner_args(ARRAY, types, here)[0];
        let ty = self.cx.array_of(element);
        if let Expect::Type(wanted) = expect {
            self.hint_result(ty, wanted);
        }
        let [len, fill] = args else {
            self.check_anyway(args);
            return self.fail(
                Diagnostic::error(codes::ARGUMENTS, here, "`Array` takes a length and a value to fill it with")
                    .help("for example `Array(10, 0)`"),
            );
        };
        let len = self.expr_to(&len.value, Ty::INT, Why::Argument);
        let fill = self.expr_to(&fill.value, element, Why::Argument);
        self.emit(ExprKind::Intrinsic(Intrinsic::ArrayNew, vec![len, fill]), ty, here)
    }

    pub fn list_literal(&mut self, items: &'a [ast::Expr], span: Span, expect: Expect) -> ExprId {
        let hint = self.literal_hint(expect);
        if let Some(hint) = hint
            && let TyKind::Array(element) = self.kind(hint)
        {
            let ids = items.iter().map(|item| self.expr_to(item, element, Why::Element)).collect();
            return self.emit(ExprKind::ArrayLiteral(ids), hint, span);
        }
        let known = hint.and_then(|ty| self.list_element(ty));
        let (ids, element) = match known {
            Some(element) => {
                (items.iter().map(|item| self.expr_to(item, element, Why::Element)).collect::<Vec<_>>(), element)
            }
            None => {
                let mut ids: Vec<ExprId> = Vec::new();
                let mut hint = Expect::Any;
                for item in items {
                    let id = self.expr(item, hint);
                    hint = Expect::Type(self.ty(id));
                    ids.push(id);
                }
                let element = if ids.is_empty() { self.fresh(span) } else { self.join(&ids, span) };
                let element = if element == Ty::NEVER { Ty::UNIT } else { element };
                for id in &mut ids {
                    let at = self.span(*id);
                    *id = self.coerce(*id, element, at, Why::Element);
                }
                (ids, element)
            }
        };
        let ty = self.cx.list_of(element);
        if ty == Ty::ERROR && self.cx.lang.list.is_none() {
            return self.missing_core("List", span);
        }
        if ids.is_empty() {
            return self.empty_collection(ty, span);
        }
        let len = self.int(ids.len() as i64, span);
        let array_ty = self.cx.array_of(element);
        let array = self.emit(ExprKind::ArrayLiteral(ids), array_ty, span);
        let (items, _) = self.list_fields();
        let fields = if items == 0 { vec![array, len] } else { vec![len, array] };
        self.emit(ExprKind::Struct(fields), ty, span)
    }

    /// Entries of a map literal that nothing tells the types of: what they have in common.
    fn joined_entries(
        &mut self,
        entries: &'a [(ast::Expr, ast::Expr)],
        span: Span,
        pairs: &mut Vec<(ExprId, ExprId)>,
    ) -> Vec<Ty> {
        let (mut keys, mut values) = (Vec::new(), Vec::new());
        let (mut key_hint, mut value_hint) = (Expect::Any, Expect::Any);
        for (key, value) in entries {
            let key = self.expr(key, key_hint);
            let value = self.expr(value, value_hint);
            (key_hint, value_hint) = (Expect::Type(self.ty(key)), Expect::Type(self.ty(value)));
            keys.push(key);
            values.push(value);
        }
        let mut types = Vec::new();
        for ids in [&mut keys, &mut values] {
            let ty = if ids.is_empty() { self.fresh(span) } else { self.join(ids, span) };
            let ty = if ty == Ty::NEVER { Ty::UNIT } else { ty };
            for id in ids {
                let at = self.span(*id);
                *id = self.coerce(*id, ty, at, Why::Element);
            }
            types.push(ty);
        }
        pairs.extend(keys.into_iter().zip(values));
        types
    }

    pub fn map_literal(&mut self, entries: &'a [(ast::Expr, ast::Expr)], span: Span, expect: Expect) -> ExprId {
        let hint = self.literal_hint(expect);
        let args = hint.and_then(|ty| self.cx.args_of(ty, self.cx.lang.map).map(<[Ty]>::to_vec));
        if self.cx.lang.map.is_none() {
            return self.missing_core("Map", span);
        }
        let mut pairs = Vec::new();
        let args = match args {
            Some(args) => {
                for (key, value) in entries {
                    let key = self.expr_to(key, args[0], Why::Element);
                    pairs.push((key, self.expr_to(value, args[1], Why::Element)));
                }
                args
            }
            None => self.joined_entries(entries, span, &mut pairs),
        };
        let ty = self.cx.map_of(args[0], args[1]);
        let empty = self.empty_collection(ty, span);
        if entries.is_empty() {
            return empty;
        }
        let mut stmts = Vec::new();
        let map = self.temp("#map", empty, &mut stmts);
        for (key, value) in pairs {
            let at = self.span(key);
            let base = self.read(map, span);
            stmts.push(self.method_ids(base, "set", vec![key, value], at));
        }
        let value = self.read(map, span);
        self.sequence(stmts, value, span)
    }
}

fn declared_variants(kind: TypeDeclKind) -> Option<Symbol> {
    match kind {
        TypeDeclKind::Enum(ast) => ast.variants.first().map(|v| v.name.name),
        _ => None,
    }
}
