//! Methods and traits: which function a method name means on a type, and which types have a trait.
//!
//! Dispatch is static: in a template the actual type is known. A trait as a parameter's type makes the function a
//! template that takes any type with that trait.

use super::Checker;
use super::body::Body;
use super::decls::{Def, FnDeclId, FnKind, Owner, TypeDeclKind};
use super::instance::{Instance, What};
use super::modules::{CORE, ModuleId};
use super::report::{did_you_mean, nearest};
use super::resolve::Env;
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::hir::{DeclId, FnId, Ty, TyKind};
use crate::syntax::ast;
use crate::syntax::span::{FileId, Span};
use crate::syntax::symbol::Symbol;
use std::rc::Rc;
use tenure_runtime::native::NativeType;

/// Stands for `Array`, which no declaration declares.
pub(super) const ARRAY: DeclId = DeclId(u32::MAX);

/// What a program starts from.
pub(super) struct Roots {
    pub entry: FnId,
    pub tests: Vec<(Symbol, Span, FnId)>,
    pub exports: Vec<(Symbol, FnId)>,
}

/// Traits that need no declaration: types have them by structure, or by a method.
const STRUCTURAL: [&str; 4] = ["Eq", "Ord", "Hash", "Show"];
/// Traits that a type has when it has the method.
const BY_METHOD: [(&str, &str); 9] = [
    ("Iterator", "next"),
    ("Iterable", "iter"),
    ("Add", "add"),
    ("Sub", "sub"),
    ("Mul", "mul"),
    ("Div", "div"),
    ("Rem", "rem"),
    ("Neg", "neg"),
    ("Index", "index"),
];

impl<'a> Checker<'a> {
    pub(super) fn no_span(&self) -> Span {
        let file = self.modules.order.last().and_then(|m| self.modules.list[m.0 as usize].files.first());
        let first = file.and_then(|f| f.items.first()).map(|i| i.span);
        first.map_or(Span { file: FileId(0), lo: 0, hi: 0 }, Span::start)
    }

    pub(super) fn array_of(&mut self, element: Ty) -> Ty {
        self.types.intern(TyKind::Array(element))
    }

    pub(super) fn error_type(&mut self) -> Ty {
        self.lang.error.map_or(Ty::ERROR, |decl| self.decl_type(decl, Vec::new()))
    }

    pub(super) fn decl_name(&self, decl: DeclId) -> Symbol {
        if decl == ARRAY { Symbol::new("Array") } else { self.decl(decl).name.name }
    }

    /// The core library's function of that name.
    pub(super) fn core_fn_decl(&self, name: &str) -> Option<FnDeclId> {
        match self.scopes[CORE.0 as usize].names.get(&Symbol::new(name)) {
            Some(&(Def::Fn(decl), _)) => Some(decl),
            _ => None,
        }
    }

    /// The number of an enum's variant.
    pub(super) fn variant_number(&self, decl: DeclId, name: Symbol) -> Option<u32> {
        if decl == ARRAY {
            return None;
        }
        let TypeDeclKind::Enum(ast) = self.decl(decl).kind else { return None };
        ast.variants.iter().position(|v| v.name.name == name).map(|n| n as u32)
    }

    /// Enums seen in a module that have a variant of that name.
    pub(super) fn bare_variants(&self, module: ModuleId, name: Symbol) -> Vec<(DeclId, u32)> {
        let own = self.scopes[module.0 as usize].variants.get(&name);
        let core = || self.scopes[CORE.0 as usize].variants.get(&name);
        own.or_else(core).cloned().unwrap_or_default()
    }

    /// The method of a declared type: its own, then those its traits have bodies for.
    pub(super) fn method(&self, decl: DeclId, name: Symbol) -> Option<FnDeclId> {
        if decl == ARRAY {
            return None;
        }
        let declared = self.decl(decl);
        if let Some(&method) = declared.methods.get(&name) {
            return Some(method);
        }
        let module = declared.module;
        declared.traits.iter().find_map(|t| self.default_method(self.names_trait(t, module)?, name, 0))
    }

    fn default_method(&self, decl: DeclId, name: Symbol, depth: u32) -> Option<FnDeclId> {
        let declared = self.decl(decl);
        if let Some(&method) = declared.methods.get(&name)
            && self.function(method).kind == FnKind::Body
        {
            return Some(method);
        }
        if depth > 32 {
            return None;
        }
        let parents = declared.traits.iter().filter_map(|t| self.names_trait(t, declared.module));
        parents.into_iter().find_map(|parent| self.default_method(parent, name, depth + 1))
    }

    /// The declared trait that a type expression names.
    pub(super) fn names_trait(&self, ty: &ast::TypeExpr, module: ModuleId) -> Option<DeclId> {
        let ast::TypeKind::Named { path, .. } = &ty.kind else { return None };
        match self.lookup_type_name(module, path) {
            Some(Def::Type(decl)) if matches!(self.decl(decl).kind, TypeDeclKind::Trait(_)) => Some(decl),
            _ => None,
        }
    }

    /// Names of fields, methods and variants, for suggestions.
    pub(super) fn member_names(&self, decl: DeclId) -> Vec<Symbol> {
        if decl == ARRAY {
            return Vec::new();
        }
        let declared = self.decl(decl);
        let mut names: Vec<Symbol> = declared.methods.keys().copied().collect();
        match declared.kind {
            TypeDeclKind::Struct(ast) => names.extend(ast.fields.iter().map(|f| f.name.name)),
            TypeDeclKind::Enum(ast) => names.extend(ast.variants.iter().map(|v| v.name.name)),
            TypeDeclKind::Trait(_) => {}
        }
        names
    }

    /// Whether a function has to be checked anew for the arguments of each call.
    pub(super) fn is_open(&self, decl: FnDeclId) -> bool {
        let declared = self.function(decl);
        !declared.generics.is_empty()
            || declared
                .ast
                .params
                .iter()
                .any(|p| p.ty.as_ref().is_none_or(|ty| self.names_trait(ty, declared.module).is_some()))
    }

    // ---- the program

    /// Checks types and traits that are declared, used or not.
    pub(super) fn check_declarations(&mut self) {
        let mut out = Vec::new();
        for index in 0..self.decls.len() {
            let declared = &self.decls[index];
            let (module, kind, generics) = (declared.module, declared.kind, declared.generics);
            if self.modules.list[module.0 as usize].standard {
                continue;
            }
            // type parameters are anything here
            let mut env =
                Env { types: generics.iter().map(|g| (g.name.name, Ty::ERROR)).collect(), self_ty: Some(Ty::ERROR) };
            let (fields, variants): (&[ast::Field], &[ast::Variant]) = match kind {
                TypeDeclKind::Struct(ast) => (&ast.fields, &[]),
                TypeDeclKind::Enum(ast) => (&[], &ast.variants),
                TypeDeclKind::Trait(ast) => (&ast.fields, &[]),
            };
            env.types.retain(|(name, _)| name.as_str() != "_");
            for field in fields {
                self.resolve(&field.ty, module, &env, &mut out);
            }
            for field in variants.iter().flat_map(|v| &v.fields) {
                match &field.ty {
                    Some(ty) => {
                        self.resolve(ty, module, &env, &mut out);
                    }
                    None => out.push(Diagnostic::error(
                        codes::FIELD_TYPE_MISSING,
                        field.name.span,
                        format!("field `{}` of a variant needs a type", field.name.name),
                    )),
                }
            }
            self.check_traits(DeclId(index as u32), &mut out);
        }
        self.check_natives(&mut out);
        self.diagnostics.append(&mut out);
    }

    /// A native function's declaration has to fit the Rust function behind it.
    fn check_natives(&mut self, out: &mut Vec<Diagnostic>) {
        for index in 0..self.fns.len() {
            let declared = &self.fns[index];
            let FnKind::Native(id) = declared.kind else { continue };
            let (ast, module) = (declared.ast, declared.module);
            let env = Env::default();
            let params: Vec<Ty> = ast
                .params
                .iter()
                .map(|p| p.ty.as_ref().map_or(Ty::ERROR, |t| self.resolve(t, module, &env, out)))
                .collect();
            let result = ast.result.as_ref().map_or(Ty::UNIT, |t| self.resolve(t, module, &env, out));
            let native = self.registry.get(id);
            let wanted: Vec<Ty> = native.params.iter().map(|&t| self.native_type(t)).collect();
            let fits = params == wanted && result == self.native_type(native.result);
            if !fits {
                let message = format!("`{}` is declared with other types than it is registered with", native.name);
                out.push(
                    Diagnostic::error(codes::NATIVE_SIGNATURE, ast.name.span, message)
                        .label(format!("registered as {native:?}")),
                );
            }
        }
    }

    fn native_type(&mut self, ty: NativeType) -> Ty {
        match ty {
            NativeType::Int => Ty::INT,
            NativeType::Float => Ty::FLOAT,
            NativeType::Bool => Ty::BOOL,
            NativeType::Byte => Ty::BYTE,
            NativeType::Str => Ty::STR,
            NativeType::Bytes => self.array_of(Ty::BYTE),
            NativeType::Ints => self.array_of(Ty::INT),
            NativeType::Unit => Ty::UNIT,
        }
    }

    /// What a type promises to implement, it has to have.
    fn check_traits(&mut self, decl: DeclId, out: &mut Vec<Diagnostic>) {
        let declared = self.decl(decl);
        if let TypeDeclKind::Trait(_) = declared.kind {
            return;
        }
        let module = declared.module;
        for written in declared.traits.clone() {
            let Some(wanted) = self.names_trait(written, module) else {
                self.check_builtin_trait(decl, written, out);
                continue;
            };
            let TypeDeclKind::Trait(ast) = self.decl(wanted).kind else { continue };
            let mut missing = Vec::new();
            for method in &ast.methods {
                if method.function.body.is_none() && self.method(decl, method.function.name.name).is_none() {
                    missing.push(method.function.name);
                }
            }
            let own = match self.decl(decl).kind {
                TypeDeclKind::Struct(ast) => ast.fields.as_slice(),
                _ => &[],
            };
            missing.extend(ast.fields.iter().map(|f| f.name).filter(|n| own.iter().all(|f| f.name.name != n.name)));
            if let Some(first) = missing.first() {
                let names: Vec<String> = missing.iter().map(|m| m.name.to_string()).collect();
                let message = format!(
                    "`{}` says it is `{}`, but lacks {}",
                    self.decl(decl).name.name,
                    ast.name.name,
                    super::report::list(&names)
                );
                out.push(
                    Diagnostic::error(codes::TRAIT_INCOMPLETE, written.span, message).and(first.span, "required here"),
                );
            }
        }
    }

    fn check_builtin_trait(&self, decl: DeclId, written: &ast::TypeExpr, out: &mut Vec<Diagnostic>) {
        let ast::TypeKind::Named { path, .. } = &written.kind else { return };
        let name = path[path.len() - 1].name;
        let text = name.as_str();
        let method = match text {
            "Eq" => Some("eq"),
            "Ord" => Some("compare"),
            "Hash" => Some("hash"),
            "Show" => Some("show"),
            _ => BY_METHOD.iter().find(|t| t.0 == text).map(|t| t.1),
        };
        match method {
            None => {
                let traits =
                    self.decls.iter().filter(|d| matches!(d.kind, TypeDeclKind::Trait(_))).map(|d| d.name.name);
                let near = nearest(name, traits.chain(STRUCTURAL.map(Symbol::new)));
                let message = format!("there is no trait `{text}`");
                out.push(did_you_mean(Diagnostic::error(codes::UNKNOWN_TRAIT, written.span, message), near));
            }
            Some(method) if !STRUCTURAL.contains(&text) && self.method(decl, Symbol::new(method)).is_none() => {
                let message = format!("`{}` says it is `{text}`, but lacks `{method}`", self.decl(decl).name.name);
                out.push(Diagnostic::error(codes::TRAIT_INCOMPLETE, written.span, message));
            }
            Some(_) => {}
        }
    }

    /// Checks the entry, tests, exports, all annotated functions of the program's own modules, and what they reach.
    pub(super) fn check_program(&mut self) -> Roots {
        let order = self.modules.order.clone();
        for &module in order.split_last().map_or(&[][..], |(_, imported)| imported) {
            if let Some(init) = self.init_of(module) {
                self.check_instance(init);
            }
        }
        let mut entry = Instance::new(What::Entry, "top level".into(), Rc::default(), Vec::new(), Some(Ty::UNIT));
        entry.origin = None;
        let entry = self.add_instance(entry);
        self.check_instance(entry);
        let mut tests = Vec::new();
        let main = order.last().copied().unwrap_or(CORE);
        let modules = self.modules;
        let items = modules.list[main.0 as usize].files.iter().flat_map(|f| &f.items);
        for (index, item) in items.enumerate() {
            match &item.kind {
                ast::ItemKind::Test(test) | ast::ItemKind::Bench(test) => {
                    let is_bench = matches!(item.kind, ast::ItemKind::Bench(_));
                    let name = format!("{} \"{}\"", if is_bench { "bench" } else { "test" }, test.name.name);
                    let mut instance =
                        Instance::new(What::Test(index), name, Rc::default(), Vec::new(), Some(Ty::UNIT));
                    instance.origin = Some((test.name.span, entry));
                    let id = self.add_instance(instance);
                    self.queue.push_back(id);
                    if is_bench == (self.mode == super::Mode::Bench) {
                        tests.push((test.name.name, item.span, id));
                    }
                }
                _ => {}
            }
        }
        let mut exports = Vec::new();
        for index in 0..self.fns.len() {
            let decl = FnDeclId(index as u32);
            let declared = self.function(decl);
            let (module, owner, name) = (declared.module, declared.owner, declared.ast.name.name);
            if self.modules.list[module.0 as usize].standard || declared.kind != FnKind::Body || self.is_open(decl) {
                continue;
            }
            let self_ty = match owner {
                Owner::None => None,
                Owner::Type(owner) => Some(self.decl_type(owner, Vec::new())),
                Owner::Builtin(ty) => Some(ty),
                Owner::Trait(_) => continue,
            };
            let declared = self.function(decl);
            let ast = declared.ast;
            let env = Env { types: Vec::new(), self_ty };
            let mut out = Vec::new();
            let mut params: Vec<Ty> = ast.receiver.and(self_ty).into_iter().collect();
            params.extend(
                ast.params.iter().filter_map(|p| p.ty.as_ref()).map(|ty| self.resolve(ty, module, &env, &mut out)),
            );
            let broken = !out.is_empty();
            self.diagnostics.append(&mut out);
            if broken || params.iter().any(|&p| super::infer::mentions_error(&self.types, p)) {
                continue;
            }
            let id = self.request(decl, Vec::new(), params, None);
            self.queue.push_back(id);
            if module == main && owner == Owner::None {
                exports.push((name, id));
            }
        }
        self.drain();
        Roots { entry, tests, exports }
    }

    /// Whether a type has a trait; `None` names no trait at all.
    fn satisfies(&self, ty: Ty, bound: &ast::TypeExpr, module: ModuleId) -> Option<bool> {
        if let Some(wanted) = self.names_trait(bound, module) {
            return Some(self.implements(ty, wanted));
        }
        let ast::TypeKind::Named { path, .. } = &bound.kind else { return None };
        let name = path[path.len() - 1].name.as_str();
        if STRUCTURAL.contains(&name) {
            return Some(self.structural(ty, name, 0));
        }
        let method = BY_METHOD.iter().find(|t| t.0 == name)?.1;
        let arithmetic = matches!(ty, Ty::INT | Ty::FLOAT | Ty::BYTE) && !["next", "iter", "index"].contains(&method);
        let text = ty == Ty::STR && method == "add";
        Some(arithmetic || text || self.has_own_method(ty, Symbol::new(method)))
    }

    fn has_own_method(&self, ty: Ty, name: Symbol) -> bool {
        match self.types.kind(ty) {
            TyKind::Struct(decl, _) | TyKind::Enum(decl, _) => self.method(*decl, name).is_some(),
            _ => self.builtin_methods.contains_key(&(ty, name)),
        }
    }

    fn implements(&self, ty: Ty, wanted: DeclId) -> bool {
        match self.types.kind(ty) {
            TyKind::Struct(decl, _) | TyKind::Enum(decl, _) => {
                let declared = self.decl(*decl);
                declared.traits.iter().any(|t| self.leads_to(t, declared.module, wanted, 0))
            }
            _ => self.builtin_traits.iter().any(|&(own, t)| {
                own == ty
                    && self.scopes.iter().enumerate().any(|(m, _)| self.leads_to(t, ModuleId(m as u32), wanted, 0))
            }),
        }
    }

    fn leads_to(&self, written: &ast::TypeExpr, module: ModuleId, wanted: DeclId, depth: u32) -> bool {
        match self.names_trait(written, module) {
            Some(found) if found == wanted => true,
            Some(found) if depth < 32 => {
                let declared = self.decl(found);
                declared.traits.iter().any(|t| self.leads_to(t, declared.module, wanted, depth + 1))
            }
            _ => false,
        }
    }

    /// Whether `Eq`, `Ord`, `Hash` or `Show` can be derived, or is written.
    fn structural(&self, ty: Ty, name: &str, depth: u32) -> bool {
        if depth > 8 {
            return true; // deeper parts are looked at when the operation is made
        }
        match self.types.kind(ty) {
            TyKind::Fn(..) => name == "Show",
            TyKind::Array(inner) => matches!(name, "Eq" | "Show") && self.structural(*inner, name, depth + 1),
            TyKind::Optional(inner) => self.structural(*inner, name, depth + 1),
            TyKind::Tuple(parts) => parts.iter().all(|&p| self.structural(p, name, depth + 1)),
            TyKind::Struct(decl, args) | TyKind::Enum(decl, args) => {
                let method = match name {
                    "Eq" => "eq",
                    "Ord" => "compare",
                    "Hash" => "hash",
                    _ => "show",
                };
                if self.method(*decl, Symbol::new(method)).is_some() {
                    return true;
                }
                if [self.lang.list, self.lang.map, self.lang.set].contains(&Some(*decl)) {
                    return name == "Eq" && args.iter().all(|&a| self.structural(a, name, depth + 1));
                }
                match self.decl(*decl).kind {
                    TypeDeclKind::Struct(ast) if name == "Hash" => ast.fields.iter().all(|f| !f.mutable),
                    _ => true,
                }
            }
            _ => true,
        }
    }
}

impl Body<'_, '_> {
    /// The function that a method name means on a type, and the type arguments of its owner.
    pub fn find_method(&mut self, ty: Ty, name: Symbol) -> Option<(FnDeclId, Vec<Ty>)> {
        let ty = self.shallow(ty);
        if let Some((decl, _)) = self.cx.as_decl(ty) {
            let method = self.cx.method(decl, name)?;
            return Some((method, self.method_owner_args(method, ty)));
        }
        self.builtin_method(ty, name).map(|method| (method, Vec::new()))
    }

    /// The type arguments that a method's owner gets from the receiver.
    pub fn method_owner_args(&mut self, method: FnDeclId, ty: Ty) -> Vec<Ty> {
        let ty = self.shallow(ty);
        match self.cx.function(method).owner {
            Owner::Trait(wanted) => {
                // `Self`, then what the type's header says about the trait's parameters
                let mut args = vec![ty];
                args.extend(self.trait_args(ty, wanted));
                args
            }
            Owner::Type(_) => self.cx.as_decl(ty).map(|d| d.1).unwrap_or_default(),
            _ => Vec::new(),
        }
    }

    fn trait_args(&mut self, ty: Ty, wanted: DeclId) -> Vec<Ty> {
        let Some((decl, args)) = self.cx.as_decl(ty) else { return Vec::new() };
        let module = self.cx.decl(decl).module;
        let written =
            self.cx.decl(decl).traits.iter().copied().find(|t| self.cx.names_trait(t, module) == Some(wanted));
        let Some(ast::TypeKind::Named { args: written, .. }) = written.map(|t| &t.kind) else { return Vec::new() };
        let env = self.cx.decl_env(decl, &args, ty);
        written.iter().map(|w| self.cx.resolve(w, module, &env, &mut self.diagnostics)).collect()
    }

    /// The method of a built-in type: of an `impl` block, else the core function `<type>_<name>`.
    pub fn builtin_method(&mut self, ty: Ty, name: Symbol) -> Option<FnDeclId> {
        if let Some(&method) = self.cx.builtin_methods.get(&(ty, name)) {
            return Some(method);
        }
        let prefix = match self.kind(ty) {
            TyKind::Int => "int",
            TyKind::Float => "float",
            TyKind::Bool => "bool",
            TyKind::Byte => "byte",
            TyKind::Str => "str",
            TyKind::Array(_) => "array",
            _ => return None,
        };
        self.cx.core_fn_decl(&format!("{prefix}_{name}"))
    }

    pub fn has_method(&mut self, ty: Ty, name: &str) -> bool {
        self.find_method(ty, Symbol::new(name)).is_some()
    }

    /// Names of a type's methods, for suggestions.
    pub fn method_names(&mut self, ty: Ty) -> Vec<Symbol> {
        if let Some((decl, _)) = self.cx.as_decl(ty) {
            return self.cx.decl(decl).methods.keys().copied().collect();
        }
        let prefix = format!("{}_", self.show(ty));
        let names = self.cx.scopes[CORE.0 as usize].names.keys();
        names.filter_map(|n| n.as_str().strip_prefix(&prefix)).map(Symbol::new).collect()
    }

    /// Checks the bounds of a function's type parameters; false when one is not met.
    pub fn check_bounds(&mut self, decl: FnDeclId, type_args: &[Ty], span: Span) -> bool {
        let before = self.diagnostics.len();
        let declared = self.cx.function(decl);
        let (ast, module, skip) = (declared.ast, declared.module, declared.owner_generics);
        if ast.generics.iter().all(|g| g.bounds.is_empty()) {
            return true;
        }
        for (generic, &ty) in ast.generics.iter().zip(&type_args[skip..]) {
            for bound in &generic.bounds {
                match self.cx.satisfies(ty, bound, module) {
                    Some(true) => {}
                    Some(false) => {
                        let (shown, name) = (self.show(ty), self.cx.sources.text(bound.span).to_owned());
                        let message = format!("`{}` needs `{name}`, which {shown} doesn't have", ast.name.name);
                        self.report(
                            Diagnostic::error(codes::BOUND, span, message)
                                .label(format!("`{}` is {shown}", generic.name.name))
                                .and(bound.span, "required here"),
                        );
                    }
                    None => self.report(Diagnostic::error(codes::UNKNOWN_TRAIT, bound.span, "this is not a trait")),
                }
            }
        }
        self.diagnostics.len() == before
    }

    /// Checks arguments for parameters whose type is a trait; false when one does not have it.
    pub fn check_param_traits(&mut self, decl: FnDeclId, params: &[Ty], span: Span) -> bool {
        let before = self.diagnostics.len();
        let declared = self.cx.function(decl);
        let (ast, module) = (declared.ast, declared.module);
        let skip = usize::from(ast.receiver.is_some());
        for (param, &ty) in ast.params.iter().zip(&params[skip.min(params.len())..]) {
            let Some(written) = &param.ty else { continue };
            let Some(wanted) = self.cx.names_trait(written, module) else { continue };
            if !self.cx.implements(ty, wanted) && !self.is_broken(ty) {
                let (shown, name) = (self.show(ty), self.cx.decl(wanted).name.name);
                let message = format!("`{}` should be a `{name}`, but {shown} doesn't implement it", param.name.name);
                self.report(Diagnostic::error(codes::BOUND, span, message).and(written.span, "required here"));
            }
        }
        self.diagnostics.len() == before
    }
}
