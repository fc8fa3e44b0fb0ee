//! Implementations: which types have which traits, by their header or an `impl` block, and what a method name means on
//! a type: its own method, then those of its traits.
//!
//! An implementation's target is a pattern over types (`Node[T]`, `(A, B)`, `int`); matching it against a type gives what
//! the implementation's own type parameters stand for.
//!
//! Invariants
//! - M1. All implementations are in the table before any body is checked; `traits_of` may remember its answers.
//! - M2. A declared method whose types are left to a trait has `follows`; no other way gives it types.

use super::Checker;
use super::decls::{Def, FnDeclId, FnKind, Owner, TypeDeclKind};
use super::modules::{CORE, ModuleId};
use super::resolve::{Env, builtin};
use crate::hir::{DeclId, Ty, TyKind};
use crate::syntax::ast;
use crate::syntax::symbol::Symbol;
use hashbrown::HashMap;
use std::rc::Rc;

/// An implementation, an index into `Checker::impls`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct ImplId(pub u32);

/// That a type has a trait: a header's promise, or an `impl` block.
pub(super) struct Impl<'a> {
    /// The trait.
    pub wanted: DeclId,
    /// The same as written, with its arguments.
    pub of: &'a ast::TypeExpr,
    /// Whose names it is written in.
    pub module: ModuleId,
    pub target: Target<'a>,
    /// Its type parameters; those of the type for a header.
    pub generics: Vec<Symbol>,
    /// Those of them that are written before an `impl` block or in a header, with their bounds.
    pub bounded: &'a [ast::Generic],
    /// Those of an `impl` block.
    pub methods: HashMap<Symbol, FnDeclId>,
}

/// What an implementation is for.
#[derive(Clone, Copy)]
pub(super) enum Target<'a> {
    /// All instances of a type, in whose header it stands.
    Header(DeclId),
    Written(&'a ast::TypeExpr),
}

/// The outermost part of a type; implementations are found by it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Head {
    Decl(DeclId),
    Builtin(Ty),
    Tuple(usize),
    Fn(usize),
    Optional,
    Array,
}

/// A trait that a type has.
#[derive(Clone, Debug)]
pub(super) struct Has {
    pub wanted: DeclId,
    /// The trait's arguments.
    pub args: Vec<Ty>,
    /// Where that is said; none for a trait's own reference and for type parameters.
    pub by: Option<(ImplId, Vec<Ty>)>,
}

/// A method that a name may mean.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub decl: FnDeclId,
    /// The type arguments of its owner.
    pub owner: Vec<Ty>,
    /// The trait it comes from.
    pub of: Option<DeclId>,
}

/// The method of a trait that a method implements, which gives the types it leaves out.
#[derive(Clone, Copy)]
pub(super) struct Follows {
    pub by: ImplId,
    pub wanted: DeclId,
    pub method: FnDeclId,
}

impl<'a> Checker<'a> {
    pub(super) fn implementation(&self, id: ImplId) -> &Impl<'a> {
        &self.impls[id.0 as usize]
    }

    /// Adds an implementation to the table.
    pub(super) fn add_impl(&mut self, head: Head, new: Impl<'a>) -> ImplId {
        let id = ImplId(self.impls.len() as u32);
        self.impls.push(new);
        self.impls_by_head.entry(head).or_default().push(id);
        id
    }

    /// The declared trait that a type expression names.
    pub(super) fn names_trait(&self, ty: &ast::TypeExpr, module: ModuleId) -> Option<DeclId> {
        let ast::TypeKind::Named { path, .. } = &ty.kind else { return None };
        match self.lookup_type_name(module, path) {
            Some(Def::Type(decl)) if self.is_trait(decl) => Some(decl),
            _ => None,
        }
    }

    pub(super) fn is_trait(&self, decl: DeclId) -> bool {
        matches!(self.decl(decl).kind, TypeDeclKind::Trait(_))
    }

    // ---- matching

    pub(super) fn head_of(&self, ty: Ty) -> Option<Head> {
        Some(match self.types.kind(ty) {
            TyKind::Struct(decl, _) | TyKind::Enum(decl, _) => Head::Decl(*decl),
            TyKind::Int | TyKind::Float | TyKind::Bool | TyKind::Byte | TyKind::Str | TyKind::Unit => Head::Builtin(ty),
            TyKind::Tuple(parts) => Head::Tuple(parts.len()),
            TyKind::Fn(params, _) => Head::Fn(params.len()),
            TyKind::Optional(_) => Head::Optional,
            TyKind::Array(_) => Head::Array,
            TyKind::Trait(..) | TyKind::Param(_) | TyKind::Never | TyKind::Infer(_) | TyKind::Error => return None,
        })
    }

    /// The head of a type as written; none where nothing can be implemented for it.
    pub(super) fn head_of_written(&self, ty: &ast::TypeExpr, module: ModuleId) -> Option<Head> {
        Some(match &ty.kind {
            ast::TypeKind::List(_) => Head::Decl(self.lang.list?),
            ast::TypeKind::Map(..) => Head::Decl(self.lang.map?),
            ast::TypeKind::Result(_) => Head::Decl(self.lang.result?),
            ast::TypeKind::Tuple(parts) if parts.is_empty() => Head::Builtin(Ty::UNIT),
            ast::TypeKind::Tuple(parts) => Head::Tuple(parts.len()),
            ast::TypeKind::Fn(params, _) => Head::Fn(params.len()),
            ast::TypeKind::Optional(_) => Head::Optional,
            ast::TypeKind::Named { path, .. } => match self.lookup_type_name(module, path) {
                Some(Def::Type(decl)) if !self.is_trait(decl) => Head::Decl(decl),
                Some(Def::Alias(id)) => {
                    let alias = self.aliases[id.0 as usize];
                    return self.head_of_written(&alias.ast.ty, alias.module);
                }
                Some(_) => return None,
                None if path.len() == 1 && path[0].name.as_str() == "Array" => Head::Array,
                None => Head::Builtin(builtin(path[path.len() - 1].name)?),
            },
            ast::TypeKind::Error => return None,
        })
    }

    /// What the parameters of an implementation stand for when its target is `ty`.
    pub(super) fn bindings(&mut self, id: ImplId, ty: Ty) -> Option<Vec<Ty>> {
        let this = &self.impls[id.0 as usize];
        match this.target {
            Target::Header(decl) => self.as_decl(ty).filter(|own| own.0 == decl).map(|own| own.1),
            Target::Written(written) => {
                let (module, names) = (this.module, this.generics.clone());
                let mut found = vec![None; names.len()];
                if !self.matches(written, ty, module, &names, &mut found) {
                    return None;
                }
                Some(found.into_iter().map(|ty| ty.unwrap_or(Ty::ERROR)).collect())
            }
        }
    }

    /// Whether a type is an instance of what is written; notes what the parameters are.
    fn matches(
        &mut self,
        written: &ast::TypeExpr,
        ty: Ty,
        module: ModuleId,
        names: &[Symbol],
        found: &mut [Option<Ty>],
    ) -> bool {
        let mut all = |this: &mut Self, pairs: Vec<(&ast::TypeExpr, Ty)>| {
            pairs.into_iter().all(|(written, ty)| this.matches(written, ty, module, names, found))
        };
        match (&written.kind, self.types.kind(ty).clone()) {
            // what is not known yet may turn out to fit
            (_, TyKind::Infer(_) | TyKind::Error) => true,
            (ast::TypeKind::Named { path, args }, kind) => {
                if let ([name], []) = (path.as_slice(), args.as_slice())
                    && let Some(index) = names.iter().position(|n| *n == name.name)
                {
                    return *found[index].get_or_insert(ty) == ty;
                }
                match (self.lookup_type_name(module, path), kind) {
                    (Some(Def::Type(decl)), TyKind::Struct(own, types) | TyKind::Enum(own, types)) => {
                        if own != decl {
                            return false;
                        }
                        if args.is_empty() {
                            // the bare name of a generic type has its parameters
                            let own = self.decl(decl).generics;
                            for (generic, ty) in own.iter().zip(types) {
                                if let Some(index) = names.iter().position(|n| *n == generic.name.name) {
                                    found[index].get_or_insert(ty);
                                }
                            }
                            return true;
                        }
                        args.len() == types.len() && all(self, args.iter().zip(types).collect())
                    }
                    (None, TyKind::Array(inner)) if path[0].name.as_str() == "Array" && args.len() == 1 => {
                        all(self, vec![(&args[0], inner)])
                    }
                    _ => {
                        let env = Env::default();
                        self.resolve(written, module, &env, &mut Vec::new()) == ty
                    }
                }
            }
            (ast::TypeKind::List(inner), TyKind::Struct(decl, args)) if Some(decl) == self.lang.list => {
                all(self, vec![(inner, args[0])])
            }
            (ast::TypeKind::Map(key, value), TyKind::Struct(decl, args)) if Some(decl) == self.lang.map => {
                all(self, vec![(key, args[0]), (value, args[1])])
            }
            (ast::TypeKind::Result(inner), TyKind::Enum(decl, args)) if Some(decl) == self.lang.result => {
                all(self, vec![(inner, args[0])])
            }
            (ast::TypeKind::Optional(inner), TyKind::Optional(ty)) => all(self, vec![(inner, ty)]),
            (ast::TypeKind::Tuple(parts), TyKind::Tuple(types)) => {
                parts.len() == types.len() && all(self, parts.iter().zip(types).collect())
            }
            (ast::TypeKind::Tuple(parts), TyKind::Unit) => parts.is_empty(),
            (ast::TypeKind::Fn(params, result), TyKind::Fn(types, ty)) => {
                let result_fits = match result {
                    Some(result) => all(self, vec![(result, ty)]),
                    None => ty == Ty::UNIT,
                };
                result_fits && params.len() == types.len() && all(self, params.iter().zip(types).collect())
            }
            _ => false,
        }
    }

    // ---- traits of types

    /// A trait with these arguments, and the traits it asks for, nearest first.
    pub(super) fn with_supertraits(&mut self, wanted: DeclId, args: Vec<Ty>, self_ty: Ty) -> Vec<(DeclId, Vec<Ty>)> {
        let mut all = vec![(wanted, args)];
        let mut next = 0;
        while let Some((decl, args)) = all.get(next).cloned() {
            next += 1;
            let (module, parents) = (self.decl(decl).module, self.decl(decl).supertraits);
            let env = self.decl_env(decl, &args, self_ty);
            for parent in parents {
                if let Some(found) = self.trait_written(parent, module, &env)
                    && !all.contains(&found)
                {
                    all.push(found);
                }
            }
        }
        all
    }

    /// The trait and its arguments that are written where a trait is expected.
    pub(super) fn trait_written(
        &mut self,
        written: &ast::TypeExpr,
        module: ModuleId,
        env: &Env,
    ) -> Option<(DeclId, Vec<Ty>)> {
        let wanted = self.names_trait(written, module)?;
        let ast::TypeKind::Named { args, .. } = &written.kind else { return None };
        if args.len() != self.decl(wanted).generics.len() {
            return None;
        }
        let args = args.iter().map(|a| self.resolve(a, module, env, &mut Vec::new())).collect();
        Some((wanted, args))
    }

    /// What an implementation's names stand for.
    pub(super) fn impl_env(&self, id: ImplId, bindings: &[Ty], self_ty: Ty) -> Env {
        let names = self.impls[id.0 as usize].generics.iter().copied();
        Env { types: names.zip(bindings.iter().copied()).collect(), self_ty: Some(self_ty) }
    }

    /// The type that an implementation is for.
    pub(super) fn impl_target(&mut self, id: ImplId, bindings: &[Ty]) -> Ty {
        let this = &self.impls[id.0 as usize];
        match this.target {
            Target::Header(decl) => self.decl_type(decl, bindings.to_vec()),
            Target::Written(written) => {
                let module = this.module;
                if let ast::TypeKind::Named { path, args } = &written.kind
                    && args.is_empty()
                    && let Some(Def::Type(decl)) = self.lookup_type_name(module, path)
                {
                    return self.decl_type(decl, bindings.to_vec());
                }
                let env = self.impl_env(id, bindings, Ty::ERROR);
                self.resolve(written, module, &env, &mut Vec::new())
            }
        }
    }

    /// All traits that a type is said to have, with those they ask for.
    pub(super) fn traits_of(&mut self, ty: Ty) -> Rc<Vec<Has>> {
        if let Some(known) = self.traits_known.get(&ty) {
            return known.clone();
        }
        let mut all = Vec::new();
        match self.types.kind(ty).clone() {
            TyKind::Trait(decl, args) => {
                let closure = self.with_supertraits(decl, args, ty);
                all.extend(closure.into_iter().map(|(wanted, args)| Has { wanted, args, by: None }));
            }
            TyKind::Param(_) => {
                for (decl, args) in self.param_bounds.get(&ty).cloned().unwrap_or_default() {
                    let closure = self.with_supertraits(decl, args, ty);
                    all.extend(closure.into_iter().map(|(wanted, args)| Has { wanted, args, by: None }));
                }
            }
            _ => {
                let ids = self.head_of(ty).and_then(|head| self.impls_by_head.get(&head)).cloned().unwrap_or_default();
                for id in ids {
                    let Some(bindings) = self.bindings(id, ty) else { continue };
                    let env = self.impl_env(id, &bindings, ty);
                    let (of, module) = (self.implementation(id).of, self.implementation(id).module);
                    let Some((wanted, args)) = self.trait_written(of, module, &env) else { continue };
                    for (wanted, args) in self.with_supertraits(wanted, args, ty) {
                        all.push(Has { wanted, args, by: Some((id, bindings.clone())) });
                    }
                }
            }
        }
        let all = Rc::new(all);
        // only after the table is complete, and never for types that are still being found
        if self.impls_complete && !self.types.is_open(ty) {
            self.traits_known.insert(ty, all.clone());
        }
        all
    }

    /// The arguments with which a type has a trait, by declaration; several where it has it several times.
    pub(super) fn trait_args_of(&mut self, ty: Ty, wanted: DeclId) -> Vec<Vec<Ty>> {
        let mut all: Vec<Vec<Ty>> = Vec::new();
        for has in self.traits_of(ty).iter().filter(|h| h.wanted == wanted) {
            if !all.contains(&has.args) {
                all.push(has.args.clone());
            }
        }
        all
    }

    /// Whether a trait is another one or asks for it.
    pub(super) fn leads_to(&self, from: DeclId, wanted: DeclId) -> bool {
        let mut seen = vec![from];
        let mut next = 0;
        while let Some(&decl) = seen.get(next) {
            next += 1;
            if decl == wanted {
                return true;
            }
            let module = self.decl(decl).module;
            for parent in self.decl(decl).supertraits {
                if let Some(found) = self.names_trait(parent, module)
                    && !seen.contains(&found)
                {
                    seen.push(found);
                }
            }
        }
        false
    }

    // ---- methods

    /// A method that a type declares itself, or the core library for it.
    pub(super) fn own_method(&self, ty: Ty, name: Symbol) -> Option<Found> {
        let found = |decl, owner| Some(Found { decl, owner, of: None });
        let prefix = match self.types.kind(ty) {
            TyKind::Struct(decl, args) | TyKind::Enum(decl, args) => {
                return self.decl(*decl).methods.get(&name).and_then(|&m| found(m, args.clone()));
            }
            TyKind::Int => "int",
            TyKind::Float => "float",
            TyKind::Bool => "bool",
            TyKind::Byte => "byte",
            TyKind::Str => "str",
            TyKind::Array(_) => "array",
            _ => return None,
        };
        found(self.core_fn_decl(&format!("{prefix}_{name}"))?, Vec::new())
    }

    /// What a type has for a method of a trait.
    pub(super) fn trait_method(&mut self, ty: Ty, has: &Has, name: Symbol) -> Option<Found> {
        let declared = self.decl(has.wanted).methods.get(&name).copied()?;
        let of = Some(has.wanted);
        let mut abstract_owner = vec![ty];
        abstract_owner.extend(&has.args);
        if has.by.is_none() {
            return Some(Found { decl: declared, owner: abstract_owner, of });
        }
        let own_block = |this: &Self, has: &Has| {
            let (id, bindings) = has.by.as_ref()?;
            let decl = *this.implementation(*id).methods.get(&name)?;
            Some(Found { decl, owner: bindings.clone(), of })
        };
        if let Some(found) = own_block(self, has) {
            return Some(found);
        }
        // the block of a narrower trait may hold it
        let all = self.traits_of(ty);
        let others = all.iter().filter(|h| h.wanted == has.wanted && h.args == has.args);
        if let Some(found) = others.into_iter().find_map(|h| own_block(self, h)) {
            return Some(found);
        }
        if let Some(own) = self.own_method(ty, name) {
            return Some(own);
        }
        // a default of a narrower trait goes before the trait's own
        let narrower = all.iter().find(|h| {
            h.wanted != has.wanted
                && self.leads_to(h.wanted, has.wanted)
                && self.decl(h.wanted).methods.get(&name).is_some_and(|&m| self.function(m).kind == FnKind::Body)
        });
        if let Some(narrower) = narrower {
            let decl = self.decl(narrower.wanted).methods[&name];
            let mut owner = vec![ty];
            owner.extend(&narrower.args);
            return Some(Found { decl, owner, of });
        }
        (self.function(declared).kind == FnKind::Body).then_some(Found { decl: declared, owner: abstract_owner, of })
    }

    /// What a method name may mean on a type: its own method alone, else one for each trait that has the name.
    pub(super) fn methods_named(&mut self, ty: Ty, name: Symbol) -> Vec<Found> {
        if let Some(own) = self.own_method(ty, name) {
            return vec![own];
        }
        let all = self.traits_of(ty);
        let mut found: Vec<Found> = Vec::new();
        for has in all.iter() {
            if let Some(method) = self.trait_method(ty, has, name)
                && found.iter().all(|f| f.decl != method.decl || f.owner != method.owner)
            {
                found.push(method);
            }
        }
        if found.len() > 1 {
            // a narrower trait's method stands for the one it refines
            let traits: Vec<DeclId> = found.iter().filter_map(|f| f.of).collect();
            found.retain(|f| f.of.is_none_or(|own| !traits.iter().any(|&t| t != own && self.leads_to(t, own))));
        }
        found
    }

    // ---- what a method leaves to its trait

    /// Finds out which methods follow a trait.
    pub(super) fn collect_follows(&mut self) {
        for index in 0..self.impls.len() {
            let id = ImplId(index as u32);
            let this = self.implementation(id);
            let wanted = this.wanted;
            let methods: Vec<(Symbol, FnDeclId)> = match this.target {
                Target::Header(decl) => self.decl(decl).methods.iter().map(|(&n, &m)| (n, m)).collect(),
                Target::Written(_) => this.methods.iter().map(|(&n, &m)| (n, m)).collect(),
            };
            let traits = self.with_supertraits(wanted, vec![Ty::ERROR; self.decl(wanted).generics.len()], Ty::ERROR);
            for (name, method) in methods {
                let declared = traits.iter().find_map(|(t, _)| self.decl(*t).methods.get(&name).map(|&m| (*t, m)));
                let Some((wanted, declared)) = declared else { continue };
                let function = &mut self.fns[method.0 as usize];
                function.public = true;
                function.follows.push(Follows { by: id, wanted, method: declared });
            }
        }
    }

    /// Where the types come from that a function leaves out: the first trait's method with as many parameters.
    pub(super) fn follows(&self, decl: FnDeclId) -> Option<Follows> {
        let declared = self.function(decl);
        if declared.follows.is_empty() || !declared.is_incomplete() {
            return None;
        }
        let arity = |decl| self.function(decl).ast.params.len();
        declared.follows.iter().find(|follows| arity(follows.method) == arity(decl)).copied()
    }

    /// Whether some parameter has no type, nor a trait's method that gives it one.
    pub(super) fn is_template(&self, decl: FnDeclId) -> bool {
        self.function(decl).ast.params.iter().any(|p| p.ty.is_none()) && self.follows(decl).is_none()
    }

    /// The trait's method that a function follows, and what its names stand for there.
    fn followed(&mut self, decl: FnDeclId, type_args: &[Ty]) -> Option<(FnDeclId, Env)> {
        let Follows { by, wanted, method } = self.follows(decl)?;
        let declared = self.function(decl);
        let (owner, skip) = (declared.owner, declared.owner_generics.len());
        let self_ty = self.self_type(owner, type_args)?;
        let bindings = &type_args[..skip.min(type_args.len())];
        let env = self.impl_env(by, bindings, self_ty);
        let (of, module) = (self.implementation(by).of, self.implementation(by).module);
        let (outer, args) = self.trait_written(of, module, &env)?;
        let (_, args) = self.with_supertraits(outer, args, self_ty).into_iter().find(|(t, _)| *t == wanted)?;
        let mut env = self.decl_env(wanted, &args, self_ty);
        let own = self.function(method).ast.generics.iter().map(|g| g.name.name);
        env.types.extend(own.zip(type_args[skip.min(type_args.len())..].iter().copied()));
        Some((method, env))
    }

    /// The types of a function's parameters, without `self`; none where each call decides.
    pub(super) fn param_types(
        &mut self,
        decl: FnDeclId,
        type_args: &[Ty],
        env: &Env,
        out: &mut Vec<crate::diagnostic::Diagnostic>,
    ) -> Vec<Option<Ty>> {
        let (ast, module) = (self.function(decl).ast, self.function(decl).module);
        let followed = if ast.params.iter().all(|p| p.ty.is_some()) { None } else { self.followed(decl, type_args) };
        let mut types = Vec::with_capacity(ast.params.len());
        for (index, param) in ast.params.iter().enumerate() {
            types.push(match (&param.ty, &followed) {
                (Some(written), _) => Some(self.resolve(written, module, env, out)),
                (None, Some((method, env))) => {
                    let (ast, module) = (self.function(*method).ast, self.function(*method).module);
                    let written = ast.params.get(index).and_then(|p| p.ty.as_ref());
                    written.map(|written| self.resolve(written, module, env, &mut Vec::new()))
                }
                (None, None) => None,
            });
        }
        types
    }

    /// The result of a function where its declaration, or its trait's, says it; none where the body does.
    pub(super) fn result_type(
        &mut self,
        decl: FnDeclId,
        type_args: &[Ty],
        env: &Env,
        out: &mut Vec<crate::diagnostic::Diagnostic>,
    ) -> Option<Ty> {
        let declared = self.function(decl);
        let (ast, module, public, owner) = (declared.ast, declared.module, declared.public, declared.owner);
        if let Some(written) = &ast.result {
            return Some(self.resolve_result(written, module, env, out));
        }
        if let Some((method, env)) = self.followed(decl, type_args) {
            let (ast, module) = (self.function(method).ast, self.function(method).module);
            return Some(match &ast.result {
                Some(written) => self.resolve(written, module, &env, &mut Vec::new()),
                None => Ty::UNIT,
            });
        }
        let unit = match owner {
            Owner::None | Owner::Type(_) => public && !self.is_template(decl),
            Owner::Trait(_) => true,
            Owner::Impl(_) => false,
        };
        unit.then_some(Ty::UNIT)
    }

    /// The core library's trait of that name.
    pub(super) fn core_trait(&self, name: &str) -> Option<DeclId> {
        match self.scopes[CORE.0 as usize].names.get(&Symbol::new(name)) {
            Some(&(Def::Type(decl), _)) if self.is_trait(decl) => Some(decl),
            _ => None,
        }
    }
}
