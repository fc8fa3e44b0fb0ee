//! Values of any type read from JSON and written as JSON: the bodies of the `json` module's `read_value[T]` and
//! `write_value[T]`, made from the structure of `T`.
//!
//! Those two are ordinary generic functions over the intrinsics `derive_read` and `derive_write`. An intrinsic stands for
//! one level of the type: what is inside goes through `read_value` and `write_value` again, so every type has one
//! instance of each, and a type that contains itself needs nothing special. Everything that looks at a JSON value is
//! written in the module, under the names used here; this stage knows what fields a type has and nothing of JSON.
//!
//! Structs are objects; a field that is missing gets its default, or nil if it is optional. A variant without fields is
//! its name as a string, another one an object with its name as the only key. A type with methods `from_json` and
//! `to_json` uses those. (The mapping is serde's.)

use super::body::{Body, Expect};
use super::coerce::Why;
use super::decls::{Def, TypeDeclKind};
use super::modules::ModuleId;
use super::resolve::Env;
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::hir::{DeclId, ExprId, ExprKind, LocalId, Ty, TyKind};
use crate::syntax::ast;
use crate::syntax::span::Span;
use crate::syntax::symbol::Symbol;
use std::rc::Rc;

/// The JSON module as this stage uses it: whose functions it calls, and where the call is reported.
#[derive(Clone, Copy)]
struct Codec {
    module: ModuleId,
    span: Span,
}

/// A value being read, and the way to it for messages.
#[derive(Clone, Copy)]
struct Source {
    value: LocalId,
    at: LocalId,
}

impl<'a> Body<'_, 'a> {
    /// `derive_read[T](value, at)`
    pub fn derive_read(&mut self, module: ModuleId, ty: Ty, args: &[ExprId], span: Span) -> ExprId {
        let codec = Codec { module, span };
        let mut lets = Vec::new();
        let source =
            Source { value: self.temp("#value", args[0], &mut lets), at: self.temp("#at", args[1], &mut lets) };
        let ty = self.deep(ty);
        let read = match self.kind(ty) {
            TyKind::Int => self.read_with(codec, "read_int", Vec::new(), source),
            TyKind::Float => self.read_with(codec, "read_float", Vec::new(), source),
            TyKind::Bool => self.read_with(codec, "read_bool", Vec::new(), source),
            TyKind::Byte => self.read_with(codec, "read_byte", Vec::new(), source),
            TyKind::Str => self.read_with(codec, "read_str", Vec::new(), source),
            TyKind::Unit => self.read_with(codec, "read_unit", Vec::new(), source),
            TyKind::Array(element) => self.read_with(codec, "read_array", vec![element], source),
            TyKind::Optional(inner) => {
                let value = self.read(source.value, span);
                let absent = self.helper(codec, "is_nothing", Vec::new(), vec![value]);
                let nil = self.emit(ExprKind::Nil, ty, span);
                let present = self.read_with(codec, "read_value", vec![inner], source);
                let present = self.emit(ExprKind::Wrap(present), ty, span);
                self.emit(ExprKind::Cond { arms: vec![(absent, nil)], otherwise: Some(present) }, ty, span)
            }
            TyKind::Tuple(parts) => {
                let (value, at, count) =
                    (self.read(source.value, span), self.read(source.at, span), self.int(parts.len() as i64, span));
                let check = self.helper(codec, "check_count", Vec::new(), vec![value, at, count]);
                lets.push(check);
                let items = (0..).zip(parts).map(|(i, part)| self.read_item(codec, source, i, part)).collect();
                self.emit(ExprKind::Tuple(items), ty, span)
            }
            TyKind::Struct(decl, types) | TyKind::Enum(decl, types) => {
                self.read_declared(codec, source, ty, decl, &types)
            }
            _ => self.no_codec(ty, span),
        };
        self.sequence(lets, read, span)
    }

    fn read_declared(&mut self, codec: Codec, source: Source, ty: Ty, decl: DeclId, types: &[Ty]) -> ExprId {
        let lang = &self.cx.lang;
        let known = |wanted: Option<DeclId>| wanted == Some(decl);
        if known(lang.list) {
            return self.read_with(codec, "read_list", types.to_vec(), source);
        }
        if known(lang.set) {
            return self.read_with(codec, "read_set", types.to_vec(), source);
        }
        if known(lang.map) && types[0] == Ty::STR {
            return self.read_with(codec, "read_map", vec![types[1]], source);
        }
        if known(lang.map) || known(lang.result) {
            return self.no_codec(ty, codec.span);
        }
        if self.is_json(codec, decl) {
            return self.read(source.value, codec.span);
        }
        if let Some((method, owner)) = self.find_method(ty, Symbol::new("from_json"))
            && self.cx.function(method).ast.receiver.is_none()
        {
            let value = self.read(source.value, codec.span);
            let made = self.call_ids(method, owner, vec![value], codec.span);
            let at = self.read(source.at, codec.span);
            return self.helper(codec, "checked", vec![ty], vec![made, at]);
        }
        match self.cx.decl(decl).kind {
            TypeDeclKind::Struct(ast) => {
                let slots = ast.fields.iter().map(|f| (f.name.name, f.default.as_ref())).collect::<Vec<_>>();
                let (lets, fields) = self.read_fields(codec, source, ty, (decl, types), 0, &slots);
                let made = self.emit(ExprKind::Struct(fields), ty, codec.span);
                self.sequence(lets, made, codec.span)
            }
            TypeDeclKind::Enum(ast) => {
                let mut lets = Vec::new();
                let name = self.read_with(codec, "variant_name", Vec::new(), source);
                let name = self.temp("#name", name, &mut lets);
                let mut arms = Vec::new();
                for (number, variant) in (0..).zip(&ast.variants) {
                    let (given, wanted) =
                        (self.read(name, codec.span), self.string(variant.name.name.as_str(), codec.span));
                    let test = self.helper(codec, "same_name", Vec::new(), vec![given, wanted]);
                    let slots = variant.fields.iter().map(|f| (f.name.name, f.default.as_ref())).collect::<Vec<_>>();
                    let mut inside = Vec::new();
                    let mut fields = Vec::new();
                    if !slots.is_empty() {
                        let value = self.read_with(codec, "variant_fields", Vec::new(), source);
                        let at = self.read(source.at, codec.span);
                        let label = self.string(variant.name.name.as_str(), codec.span);
                        let at = self.helper(codec, "at_key", Vec::new(), vec![at, label]);
                        let own = Source {
                            value: self.temp("#fields", value, &mut inside),
                            at: self.temp("#inside", at, &mut inside),
                        };
                        let (more, values) = self.read_fields(codec, own, ty, (decl, types), number as usize, &slots);
                        inside.extend(more);
                        fields = values;
                    }
                    let made = self.emit(ExprKind::Variant(number, fields), ty, codec.span);
                    arms.push((test, self.sequence(inside, made, codec.span)));
                }
                let names: Vec<&str> = ast.variants.iter().map(|v| v.name.name.as_str()).collect();
                let (given, known) = (self.read(name, codec.span), self.string(&names.join(", "), codec.span));
                let at = self.read(source.at, codec.span);
                let refuse = self.helper(codec, "unknown_variant", vec![ty], vec![given, known, at]);
                let kind = ExprKind::Cond { arms, otherwise: Some(refuse) };
                let made = self.emit(kind, ty, codec.span);
                self.sequence(lets, made, codec.span)
            }
            _ => self.no_codec(ty, codec.span),
        }
    }

    /// The fields of a struct or variant: what has to run first, and their values.
    fn read_fields(
        &mut self,
        codec: Codec,
        source: Source,
        ty: Ty,
        (decl, types): (DeclId, &[Ty]),
        number: usize,
        fields: &[(Symbol, Option<&'a ast::Expr>)],
    ) -> (Vec<ExprId>, Vec<ExprId>) {
        let span = codec.span;
        let (value, at) = (self.read(source.value, span), self.read(source.at, span));
        let check = vec![self.helper(codec, "check_object", Vec::new(), vec![value, at])];
        let env = Rc::new(self.cx.decl_env(decl, types, ty));
        let module = self.cx.decl(decl).module;
        let mut values = Vec::new();
        for (index, &field) in fields.iter().enumerate() {
            let field_ty = self.cx.field_type(ty, number, index, &mut self.diagnostics);
            values.push(self.read_field(codec, source, field_ty, field, (module, &env)));
        }
        (check, values)
    }

    fn read_field(
        &mut self,
        codec: Codec,
        source: Source,
        ty: Ty,
        (name, default): (Symbol, Option<&'a ast::Expr>),
        (module, env): (ModuleId, &Rc<Env>),
    ) -> ExprId {
        let span = codec.span;
        let key = |body: &mut Self| body.string(name.as_str(), span);
        let (at, label) = (self.read(source.at, span), key(self));
        let inside = self.helper(codec, "at_key", Vec::new(), vec![at, label]);
        let optional = self.is_optional(ty);
        let get = if default.is_some() || optional { "field_or_nothing" } else { "field" };
        let (value, label, at) = (self.read(source.value, span), key(self), self.read(source.at, span));
        let field = self.helper(codec, get, Vec::new(), vec![value, label, at]);
        let read = self.helper(codec, "read_value", vec![ty], vec![field, inside]);
        let Some(default) = default else { return read };
        let (value, label) = (self.read(source.value, span), key(self));
        let given = self.helper(codec, "has_field", Vec::new(), vec![value, label]);
        let default =
            self.elsewhere(module, Rc::clone(env), Vec::new(), |body| body.expr_to(default, ty, Why::Argument));
        self.emit(ExprKind::Cond { arms: vec![(given, read)], otherwise: Some(default) }, ty, span)
    }

    fn read_item(&mut self, codec: Codec, source: Source, index: i64, ty: Ty) -> ExprId {
        let span = codec.span;
        let (value, i) = (self.read(source.value, span), self.int(index, span));
        let item = self.helper(codec, "item", Vec::new(), vec![value, i]);
        let (at, i) = (self.read(source.at, span), self.int(index, span));
        let inside = self.helper(codec, "at_index", Vec::new(), vec![at, i]);
        self.helper(codec, "read_value", vec![ty], vec![item, inside])
    }

    /// `derive_write[T](value)`
    pub fn derive_write(&mut self, module: ModuleId, ty: Ty, args: &[ExprId], span: Span) -> ExprId {
        let codec = Codec { module, span };
        let mut lets = Vec::new();
        let local = self.temp("#value", args[0], &mut lets);
        let value = self.read(local, span);
        let ty = self.deep(ty);
        let json = match self.kind(ty) {
            TyKind::Int => self.helper(codec, "write_int", Vec::new(), vec![value]),
            TyKind::Float => self.helper(codec, "write_float", Vec::new(), vec![value]),
            TyKind::Bool => self.helper(codec, "write_bool", Vec::new(), vec![value]),
            TyKind::Byte => self.helper(codec, "write_byte", Vec::new(), vec![value]),
            TyKind::Str => self.helper(codec, "write_str", Vec::new(), vec![value]),
            TyKind::Unit => self.helper(codec, "nothing", Vec::new(), Vec::new()),
            TyKind::Array(element) => self.helper(codec, "write_array", vec![element], vec![value]),
            TyKind::Optional(inner) => {
                let absent = self.emit(ExprKind::IsNil(value), Ty::BOOL, span);
                let nothing = self.helper(codec, "nothing", Vec::new(), Vec::new());
                let value = self.read(local, span);
                let present = self.emit(ExprKind::Unwrap(value), inner, span);
                let present = self.helper(codec, "write_value", vec![inner], vec![present]);
                let result = self.ty(nothing);
                let kind = ExprKind::Cond { arms: vec![(absent, nothing)], otherwise: Some(present) };
                self.emit(kind, result, span)
            }
            TyKind::Tuple(parts) => {
                let list = self.helper(codec, "new_list", Vec::new(), Vec::new());
                let list = self.temp("#list", list, &mut lets);
                for (i, part) in (0..).zip(parts) {
                    let value = self.read(local, span);
                    let item = self.emit(ExprKind::TupleField(value, i), part, span);
                    let item = self.helper(codec, "write_value", vec![part], vec![item]);
                    let to = self.read(list, span);
                    lets.push(self.helper(codec, "add_item", Vec::new(), vec![to, item]));
                }
                self.read(list, span)
            }
            TyKind::Struct(decl, types) | TyKind::Enum(decl, types) => {
                self.write_declared(codec, local, ty, decl, &types)
            }
            _ => self.no_codec(ty, span),
        };
        self.sequence(lets, json, span)
    }

    fn write_declared(&mut self, codec: Codec, local: LocalId, ty: Ty, decl: DeclId, types: &[Ty]) -> ExprId {
        let span = codec.span;
        let lang = &self.cx.lang;
        let (list, set, map, result) = (lang.list, lang.set, lang.map, lang.result);
        let value = self.read(local, span);
        if list == Some(decl) {
            return self.helper(codec, "write_list", types.to_vec(), vec![value]);
        }
        if set == Some(decl) {
            return self.helper(codec, "write_set", types.to_vec(), vec![value]);
        }
        if map == Some(decl) && types[0] == Ty::STR {
            return self.helper(codec, "write_map", vec![types[1]], vec![value]);
        }
        if map == Some(decl) || result == Some(decl) {
            return self.no_codec(ty, span);
        }
        if self.is_json(codec, decl) {
            return value;
        }
        if let Some((method, owner)) = self.find_method(ty, Symbol::new("to_json"))
            && self.cx.function(method).ast.receiver.is_some()
        {
            return self.call_ids(method, owner, vec![value], span);
        }
        match self.cx.decl(decl).kind {
            TypeDeclKind::Struct(ast) => {
                let names: Vec<Symbol> = ast.fields.iter().map(|f| f.name.name).collect();
                self.write_fields(codec, local, ty, None, &names)
            }
            TypeDeclKind::Enum(ast) => {
                let mut lets = Vec::new();
                let tag = self.emit(ExprKind::Tag(value), Ty::INT, span);
                let tag = self.temp("#tag", tag, &mut lets);
                let mut arms = Vec::new();
                for (number, variant) in (0..).zip(&ast.variants) {
                    let (given, wanted) = (self.read(tag, span), self.int(i64::from(number), span));
                    let test = self.emit(ExprKind::Prim(crate::prim::Prim::IntEq, vec![given, wanted]), Ty::BOOL, span);
                    let name = self.string(variant.name.name.as_str(), span);
                    let json = if variant.fields.is_empty() {
                        self.helper(codec, "write_str", Vec::new(), vec![name])
                    } else {
                        let names: Vec<Symbol> = variant.fields.iter().map(|f| f.name.name).collect();
                        let fields = self.write_fields(codec, local, ty, Some(number), &names);
                        self.helper(codec, "write_variant", Vec::new(), vec![name, fields])
                    };
                    arms.push((test, json));
                }
                let otherwise = self.helper(codec, "nothing", Vec::new(), Vec::new());
                let result = self.ty(otherwise);
                let json = self.emit(ExprKind::Cond { arms, otherwise: Some(otherwise) }, result, span);
                self.sequence(lets, json, span)
            }
            _ => self.no_codec(ty, span),
        }
    }

    /// An object of the fields of a struct, or of one variant.
    fn write_fields(&mut self, codec: Codec, local: LocalId, ty: Ty, number: Option<u32>, names: &[Symbol]) -> ExprId {
        let span = codec.span;
        let mut lets = Vec::new();
        let object = self.helper(codec, "new_object", Vec::new(), Vec::new());
        let object = self.temp("#object", object, &mut lets);
        for (i, name) in (0_u32..).zip(names) {
            let field_ty = self.cx.field_type(ty, number.unwrap_or(0) as usize, i as usize, &mut self.diagnostics);
            let value = self.read(local, span);
            let kind = match number {
                None => ExprKind::Field(value, i),
                Some(number) => ExprKind::VariantField(value, number, i),
            };
            let field = self.emit(kind, field_ty, span);
            let field = self.helper(codec, "write_value", vec![field_ty], vec![field]);
            let (to, key) = (self.read(object, span), self.string(name.as_str(), span));
            lets.push(self.helper(codec, "add_field", Vec::new(), vec![to, key, field]));
        }
        let made = self.read(object, span);
        self.sequence(lets, made, span)
    }

    fn read_with(&mut self, codec: Codec, name: &str, types: Vec<Ty>, source: Source) -> ExprId {
        let (value, at) = (self.read(source.value, codec.span), self.read(source.at, codec.span));
        self.helper(codec, name, types, vec![value, at])
    }

    /// A call of one of the module's functions.
    fn helper(&mut self, codec: Codec, name: &str, types: Vec<Ty>, args: Vec<ExprId>) -> ExprId {
        match self.cx.scopes[codec.module.0 as usize].names.get(&Symbol::new(name)) {
            Some(&(Def::Fn(decl), _)) => self.call_fn(decl, types, args, &[], codec.span, Expect::Any),
            _ => self.missing_core(name, codec.span),
        }
    }

    /// Whether a type is the module's own `Json`.
    fn is_json(&self, codec: Codec, decl: DeclId) -> bool {
        let declared = self.cx.decl(decl);
        declared.module == codec.module && declared.name.name == Symbol::new("Json")
    }

    fn no_codec(&mut self, ty: Ty, span: Span) -> ExprId {
        let shown = self.show(ty);
        let mut diagnostic =
            Diagnostic::error(codes::NOT_DERIVABLE, span, format!("values of type {shown} have no form in JSON"));
        if matches!(self.kind(ty), TyKind::Struct(decl, _) if self.cx.lang.map == Some(decl)) {
            diagnostic = diagnostic.help("the keys of an object are strings: use a map with `str` keys");
        }
        self.fail(diagnostic)
    }
}
