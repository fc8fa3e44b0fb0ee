//! Traits as promises: whether a type keeps those it makes, whether a type has what a bound asks for, and what a trait
//! itself may declare.

use super::Checker;
use super::body::Body;
use super::decls::{Def, FnDeclId, Owner, TypeDeclKind};
use super::derive::Derive;
use super::implement::{Found, Has, ImplId, Target};
use super::modules::{CORE, ModuleId};
use super::report::list;
use super::resolve::Env;
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::hir::{DeclId, Ty, TyKind};
use crate::syntax::ast;
use crate::syntax::span::{FileId, Span};
use crate::syntax::symbol::Symbol;

/// Stands for `Array`, which no declaration declares.
pub(super) const ARRAY: DeclId = DeclId(u32::MAX);

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

    /// The core library's struct of that name, without type parameters.
    pub(super) fn core_struct(&mut self, name: &str) -> Ty {
        match self.scopes[CORE.0 as usize].names.get(&Symbol::new(name)) {
            Some(&(Def::Type(decl), _)) => self.decl_type(decl, Vec::new()),
            _ => Ty::ERROR,
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

    /// Whether a module has a variant of that name, and nothing else that it declares or imports.
    pub(super) fn hides_core(&self, module: ModuleId, name: Symbol) -> bool {
        let scope = &self.scopes[module.0 as usize];
        scope.variants.contains_key(&name) && !scope.names.contains_key(&name)
    }

    /// The operation behind a trait that types have by their structure.
    pub(super) fn structural_trait(&self, wanted: DeclId) -> Option<Derive> {
        let declared = self.decl(wanted);
        if declared.module != CORE {
            return None;
        }
        Some(match declared.name.name.as_str() {
            "Eq" => Derive::Eq,
            "Ord" => Derive::Compare,
            "Hash" => Derive::Hash,
            "Show" => Derive::Show,
            _ => return None,
        })
    }

    /// Whether a type has a trait with these arguments.
    pub(super) fn has(&mut self, ty: Ty, wanted: DeclId, args: &[Ty]) -> bool {
        if let Some(derive) = self.structural_trait(wanted)
            && self.structural(ty, derive)
        {
            return true;
        }
        self.traits_of(ty).iter().any(|h| h.wanted == wanted && h.args == args)
    }

    // ---- promises

    /// What types promise to implement, they have to have; and each promise is made once, where it may be made.
    pub(super) fn check_promises(&mut self) {
        let mut out = Vec::new();
        for index in 0..self.impls.len() {
            let id = ImplId(index as u32);
            if self.modules.list[self.implementation(id).module.0 as usize].standard {
                continue;
            }
            self.check_orphan(id, &mut out);
            self.check_overlap(id, &mut out);
            self.check_promise(id, &mut out);
        }
        self.diagnostics.append(&mut out);
    }

    /// An `impl` stands in the module of its trait or of its type.
    fn check_orphan(&self, id: ImplId, out: &mut Vec<Diagnostic>) {
        let this = self.implementation(id);
        let Target::Written(target) = this.target else { return };
        let head = self.head_of_written(target, this.module);
        let own_type = match head {
            Some(super::implement::Head::Decl(decl)) => self.modules.kin(self.decl(decl).module, this.module),
            _ => false,
        };
        // a trait with a type of this module among its arguments belongs to both
        let own_argument = match &this.of.kind {
            ast::TypeKind::Named { args, .. } => args.iter().any(|arg| {
                matches!(self.head_of_written(arg, this.module),
                    Some(super::implement::Head::Decl(decl)) if self.modules.kin(self.decl(decl).module, this.module))
            }),
            _ => false,
        };
        if own_type || own_argument || self.modules.kin(self.decl(this.wanted).module, this.module) {
            return;
        }
        let (name, text) = (self.decl(this.wanted).name.name, self.sources.text(target.span));
        let message = format!("`{name}` can't be implemented for `{text}` here: neither is of this module");
        out.push(Diagnostic::error(codes::ORPHAN_IMPL, this.of.span, message).help(
            "an `impl` stands in the module of its trait or of its type; wrap the value in a struct of your own",
        ));
    }

    /// What a trait asks for are traits.
    pub(super) fn check_trait_header(&mut self, decl: DeclId, out: &mut Vec<Diagnostic>) {
        let module = self.decl(decl).module;
        for parent in self.decl(decl).supertraits {
            match self.names_trait(parent, module) {
                None => out.push(Diagnostic::error(codes::UNKNOWN_TRAIT, parent.span, "this is not a trait")),
                Some(found) if self.leads_to(found, decl) => {
                    let name = self.decl(decl).name.name;
                    out.push(Diagnostic::error(
                        codes::TRAIT_CYCLE,
                        parent.span,
                        format!("trait `{name}` asks for itself"),
                    ));
                }
                Some(_) => {}
            }
        }
    }

    /// A stand-in for each type parameter of an implementation.
    fn stand_ins(&mut self, id: ImplId) -> Vec<Ty> {
        let names = self.implementation(id).generics.clone();
        names.into_iter().map(|name| self.types.param(name)).collect()
    }

    /// One implementation for each trait, its arguments, and type.
    fn check_overlap(&mut self, id: ImplId, out: &mut Vec<Diagnostic>) {
        let (wanted, of, module) =
            (self.implementation(id).wanted, self.implementation(id).of, self.implementation(id).module);
        let others = (0..self.impls.len() as u32).map(ImplId);
        let others: Vec<ImplId> = others.filter(|&o| o != id && self.implementation(o).wanted == wanted).collect();
        if others.is_empty() {
            return;
        }
        let bindings = self.stand_ins(id);
        let ty = self.impl_target(id, &bindings);
        let env = self.impl_env(id, &bindings, ty);
        let own = self.trait_written(of, module, &env);
        for other in others {
            let Some(found) = self.bindings(other, ty) else { continue };
            let (at, module) = (self.implementation(other).of, self.implementation(other).module);
            let env = self.impl_env(other, &found, ty);
            // of two equal ones the later is to blame
            let later = (of.span.file, of.span.lo) > (at.span.file, at.span.lo) || module == CORE;
            if self.trait_written(at, module, &env) == own && later {
                let (name, shown) = (self.decl(wanted).name.name, self.types.display(ty));
                let message = format!("`{name}` is implemented twice for {shown}");
                out.push(
                    Diagnostic::error(codes::IMPL_TWICE, of.span, message)
                        .label("again here")
                        .and(at.span, "first here"),
                );
                return;
            }
        }
    }

    fn check_promise(&mut self, id: ImplId, out: &mut Vec<Diagnostic>) {
        let this = self.implementation(id);
        let (wanted, of, module, target) = (this.wanted, this.of, this.module, this.target);
        let block: Vec<(Symbol, FnDeclId)> = this.methods.iter().map(|(&n, &m)| (n, m)).collect();
        let bindings = self.stand_ins(id);
        let ty = self.impl_target(id, &bindings);
        let env = self.impl_env(id, &bindings, ty);
        let mut problems = Vec::new();
        if let ast::TypeKind::Named { args, .. } = &of.kind {
            for arg in args {
                self.resolve(arg, module, &env, &mut problems);
            }
        }
        if let Target::Written(target) = target {
            // a bare generic type stands for all its instances
            if !matches!(self.types.kind(ty), TyKind::Struct(_, args) | TyKind::Enum(_, args) if !args.is_empty()) {
                self.resolve(target, module, &env, &mut problems);
            }
        }
        if !problems.is_empty() {
            out.append(&mut problems);
            return;
        }
        let Some((_, args)) = self.trait_written(of, module, &env) else { return };
        let all = self.with_supertraits(wanted, args, ty);
        for (name, method) in block {
            if all.iter().all(|(t, _)| !self.decl(*t).methods.contains_key(&name)) {
                let (at, shown) = (self.function(method).ast.name.span, self.decl(wanted).name.name);
                let names: Vec<Symbol> = all.iter().flat_map(|(t, _)| self.decl(*t).methods.keys().copied()).collect();
                let message = format!("trait `{shown}` has no method `{name}`");
                let diagnostic = Diagnostic::error(codes::UNKNOWN_MEMBER, at, message).and(of.span, "implemented here");
                out.push(super::report::did_you_mean(diagnostic, super::report::nearest(name, names.into_iter())));
            }
        }
        let mut missing: Vec<ast::Ident> = Vec::new();
        let mut signatures: Vec<String> = Vec::new();
        for (decl, args) in all {
            let derived = self.structural_trait(decl);
            let TypeDeclKind::Trait(ast) = self.decl(decl).kind else { continue };
            let has = Has { wanted: decl, args, by: Some((id, bindings.clone())) };
            for method in &ast.methods {
                let name = method.function.name;
                match self.trait_method(ty, &has, name.name) {
                    Some(found) if self.function(found.decl).owner != Owner::Trait(decl) => {
                        self.check_signature(ty, &has, name.name, &found, out);
                    }
                    Some(_) => {}
                    None if derived.is_some_and(|d| self.structural(ty, d)) => {}
                    None => {
                        let text = self.sources.text(method.span).trim().to_owned();
                        signatures.push(format!("{text} {{ … }}"));
                        missing.push(name);
                    }
                }
            }
            for (index, field) in ast.fields.iter().enumerate() {
                let env = self.decl_env(decl, &has.args, ty);
                let module = self.decl(decl).module;
                let expected = self.resolve(&ast.fields[index].ty, module, &env, &mut Vec::new());
                match self.own_field(ty, field.name.name) {
                    None => missing.push(field.name),
                    Some((own, found, mutable)) => {
                        let (wanted, got) = (self.types.display(expected), self.types.display(found));
                        if expected != found {
                            let message = format!("field `{}` has type {got}, the trait asks for {wanted}", own.name);
                            let diagnostic = Diagnostic::error(codes::IMPL_DIFFERS, own.span, message);
                            out.push(diagnostic.and(field.name.span, "required here"));
                        } else if field.mutable && !mutable {
                            let message = format!("the trait asks for a `var` field `{}`", own.name);
                            let diagnostic = Diagnostic::error(codes::IMPL_DIFFERS, own.span, message);
                            out.push(diagnostic.and(field.name.span, "required here"));
                        }
                    }
                }
            }
        }
        if let Some(first) = missing.first() {
            let names: Vec<String> = missing.iter().map(|m| m.name.to_string()).collect();
            let (shown, name) = (self.types.display(ty), self.decl(wanted).name.name);
            let message = format!("`{shown}` says it is `{name}`, but lacks {}", list(&names));
            let mut diagnostic =
                Diagnostic::error(codes::TRAIT_INCOMPLETE, of.span, message).and(first.span, "required here");
            if let [one, ..] = signatures.as_slice() {
                diagnostic = diagnostic.help(format!("add `{one}`"));
            }
            out.push(diagnostic);
        }
    }

    /// A struct's field: where, its type, whether it is `var`.
    fn own_field(&mut self, ty: Ty, name: Symbol) -> Option<(ast::Ident, Ty, bool)> {
        let TyKind::Struct(decl, _) = self.types.kind(ty) else { return None };
        let TypeDeclKind::Struct(ast) = self.decl(*decl).kind else { return None };
        let index = ast.fields.iter().position(|f| f.name.name == name)?;
        let found = self.field_type(ty, 0, index, &mut Vec::new());
        Some((ast.fields[index].name, found, ast.fields[index].mutable))
    }

    /// A method fits the trait's: the same parameters, and the same result or a more precise one.
    fn check_signature(&mut self, ty: Ty, has: &Has, name: Symbol, found: &Found, out: &mut Vec<Diagnostic>) {
        let declared = self.decl(has.wanted).methods[&name];
        let (wanted, own) = (self.function(declared).ast, self.function(found.decl).ast);
        let at = own.name.span;
        if self.modules.list[self.function(found.decl).module.0 as usize].standard {
            return;
        }
        let trait_name = self.decl(has.wanted).name.name;
        let mut wrong = |message: String| {
            let diagnostic = Diagnostic::error(codes::IMPL_DIFFERS, at, message);
            out.push(diagnostic.and(wanted.name.span, format!("declared here in `{trait_name}`")));
        };
        if wanted.receiver.is_some() != own.receiver.is_some() {
            let with = if wanted.receiver.is_some() { "takes `self`" } else { "takes no `self`" };
            return wrong(format!("`{name}` of trait `{trait_name}` {with}, this one does not"));
        }
        if wanted.params.len() != own.params.len() || wanted.generics.len() != own.generics.len() {
            let n = super::report::count(wanted.params.len(), "parameter");
            return wrong(format!("`{name}` of trait `{trait_name}` has {n}, this one {}", own.params.len()));
        }
        let own_params: Vec<Ty> = wanted.generics.iter().map(|g| self.types.param(g.name.name)).collect();
        let mut trait_args = vec![ty];
        trait_args.extend(has.args.iter().chain(&own_params));
        let mut args = found.owner.clone();
        args.extend(&own_params);
        let (trait_env, env) = (self.fn_env(declared, &trait_args), self.fn_env(found.decl, &args));
        let expected = self.param_types(declared, &trait_args, &trait_env, &mut Vec::new());
        let given = self.param_types(found.decl, &args, &env, &mut Vec::new());
        for ((expected, given), param) in expected.iter().zip(&given).zip(&own.params) {
            if let (Some(expected), Some(given)) = (expected, given)
                && expected != given
                && *given != Ty::ERROR
            {
                let (expected, given) = (self.types.display(*expected), self.types.display(*given));
                let message = format!("`{}` has type {given}, in the trait it has type {expected}", param.name.name);
                return wrong(message);
            }
        }
        let expected = self.result_type(declared, &trait_args, &trait_env, &mut Vec::new()).unwrap_or(Ty::UNIT);
        if let Some(given) = self.result_type(found.decl, &args, &env, &mut Vec::new())
            && !self.is_as_precise(given, expected)
        {
            let (expected, given) = (self.types.display(expected), self.types.display(given));
            wrong(format!("`{name}` gives {given}, in the trait it gives {expected}"));
        }
    }

    /// Whether values of a type can stand where another is promised.
    fn is_as_precise(&mut self, given: Ty, promised: Ty) -> bool {
        if given == promised || given == Ty::ERROR || promised == Ty::ERROR || given == Ty::NEVER {
            return true;
        }
        match (self.types.kind(given).clone(), self.types.kind(promised).clone()) {
            (_, TyKind::Trait(wanted, args)) => self.has(given, wanted, &args),
            (TyKind::Optional(given), TyKind::Optional(promised)) => self.is_as_precise(given, promised),
            (_, TyKind::Optional(promised)) => self.is_as_precise(given, promised),
            (_, TyKind::Enum(decl, args)) if Some(decl) == self.lang.result => self.is_as_precise(given, args[0]),
            _ => false,
        }
    }
}

impl<'a> Body<'_, 'a> {
    /// The function that a method name means on a type, and the type arguments of its owner.
    pub fn find_method(&mut self, ty: Ty, name: Symbol) -> Option<(FnDeclId, Vec<Ty>)> {
        let ty = self.deep(ty);
        self.cx.methods_named(ty, name).into_iter().next().map(|found| (found.decl, found.owner))
    }

    /// The method of a built-in type.
    pub fn builtin_method(&mut self, ty: Ty, name: Symbol) -> Option<FnDeclId> {
        self.find_method(ty, name).map(|found| found.0)
    }

    pub fn has_method(&mut self, ty: Ty, name: &str) -> bool {
        self.find_method(ty, Symbol::new(name)).is_some()
    }

    /// Names of a type's methods, for suggestions.
    pub fn method_names(&mut self, ty: Ty) -> Vec<Symbol> {
        let ty = self.deep(ty);
        let all = self.cx.traits_of(ty);
        let mut names: Vec<Symbol> = all.iter().flat_map(|h| self.cx.decl(h.wanted).methods.keys().copied()).collect();
        if let Some((decl, _)) = self.cx.as_decl(ty) {
            names.extend(self.cx.decl(decl).methods.keys());
            return names;
        }
        let prefix = format!("{}_", self.show(ty));
        let core = self.cx.scopes[CORE.0 as usize].names.keys();
        names.extend(core.filter_map(|n| n.as_str().strip_prefix(&prefix)).map(Symbol::new));
        names
    }

    /// Checks the bounds of a function's type parameters; false when one is not met.
    pub fn check_bounds(&mut self, decl: FnDeclId, type_args: &[Ty], span: Span) -> bool {
        let declared = self.cx.function(decl);
        let (ast, module, skip) = (declared.ast, declared.module, declared.owner_generics.len());
        if ast.generics.iter().all(|g| g.bounds.is_empty()) {
            return true;
        }
        let env = self.cx.fn_env(decl, type_args);
        let args = type_args[skip.min(type_args.len())..].to_vec();
        self.bounds_hold(ast.name.name, &ast.generics, &args, module, &env, span)
    }

    /// Whether types have what the bounds of the parameters they stand for ask for; reports what is missing.
    pub fn bounds_hold(
        &mut self,
        user: Symbol,
        generics: &'a [ast::Generic],
        args: &[Ty],
        module: ModuleId,
        env: &Env,
        span: Span,
    ) -> bool {
        let before = self.diagnostics.len();
        for (generic, &ty) in generics.iter().zip(args) {
            for bound in &generic.bounds {
                let Some((wanted, args)) = self.cx.trait_written(bound, module, env) else {
                    if self.cx.names_trait(bound, module).is_none() {
                        self.report(Diagnostic::error(codes::UNKNOWN_TRAIT, bound.span, "this is not a trait"));
                    }
                    continue;
                };
                if self.is_broken(ty) || self.cx.has(ty, wanted, &args) {
                    continue;
                }
                let (shown, name) = (self.show(ty), self.cx.sources.text(bound.span).to_owned());
                let message = format!("`{user}` needs `{name}`, which {shown} doesn't have");
                let mut diagnostic = Diagnostic::error(codes::BOUND, span, message)
                    .label(format!("`{}` is {shown}", generic.name.name))
                    .and(bound.span, "required here");
                if let Some(help) = self.missing_for(ty, wanted, &name, &shown) {
                    diagnostic = diagnostic.help(help);
                }
                self.report(diagnostic);
            }
        }
        self.diagnostics.len() == before
    }

    /// What a type would need to have a trait.
    fn missing_for(&mut self, ty: Ty, wanted: DeclId, name: &str, shown: &str) -> Option<String> {
        if let TyKind::Param(_) = self.kind(ty) {
            return Some(format!("ask for it in turn: `{shown}: {name}`"));
        }
        let TypeDeclKind::Trait(ast) = self.cx.decl(wanted).kind else { return None };
        let methods = ast.methods.iter().map(|m| &m.function);
        let missing: Vec<String> = methods
            .filter(|f| f.body.is_none() && !self.cx.methods_named(ty, f.name.name).iter().any(|f| f.of.is_none()))
            .map(|f| f.name.name.to_string())
            .collect();
        let Some(names) = (!missing.is_empty()).then(|| list(&missing)) else {
            return Some(format!("it has the methods, but does not say so: write `impl {name} for {shown} {{}}`"));
        };
        Some(format!("`impl {name} for {shown}` with {names} would give it that"))
    }
}
