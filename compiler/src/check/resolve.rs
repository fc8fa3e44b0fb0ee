//! Types as written → types.
//!
//! The same text means different types in different instances, so an [`Env`] says what type parameters stand for.

use super::Checker;
use super::decls::{Def, TypeDeclKind};
use super::modules::{CORE, ModuleId};
use super::report::{count, did_you_mean, nearest};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::hir::TYPE_SIZE_MAX;
use crate::hir::{Aggregate, DeclId, Field, Ty, TyKind, Variant};
use crate::syntax::ast;
use crate::syntax::span::Span;
use crate::syntax::symbol::Symbol;

/// What type parameters and `Self` stand for.
#[derive(Clone, Debug, Default)]
pub(super) struct Env {
    pub types: Vec<(Symbol, Ty)>,
    pub self_ty: Option<Ty>,
}

/// The deepest nesting of types in each other.
const TYPE_DEPTH_MAX: u32 = 200;
/// The deepest chain of aliases.
const ALIAS_DEPTH_MAX: u32 = 64;

/// A built-in type by its name.
pub(super) fn builtin(name: Symbol) -> Option<Ty> {
    Some(match name.as_str() {
        "int" => Ty::INT,
        "float" => Ty::FLOAT,
        "bool" => Ty::BOOL,
        "byte" => Ty::BYTE,
        "str" => Ty::STR,
        _ => return None,
    })
}

impl<'a> Checker<'a> {
    /// What a name means in a module: its own and imported names, then the core library's.
    pub(super) fn lookup(&self, module: ModuleId, name: Symbol) -> Option<Def> {
        if let Some(&(def, _)) = self.scopes[module.0 as usize].names.get(&name) {
            return Some(def);
        }
        let &(def, _) = self.scopes[CORE.0 as usize].names.get(&name)?;
        self.sees_of_core(module, def).then_some(def)
    }

    /// Whether a module sees a declaration of the core library without import: the standard library, which is built on
    /// it, sees all, others what is `pub`.
    fn sees_of_core(&self, module: ModuleId, def: Def) -> bool {
        self.modules.list[module.0 as usize].standard || self.is_public(def)
    }

    /// All names that mean something in a module, for suggestions.
    pub(super) fn visible(&self, module: ModuleId) -> impl Iterator<Item = (Symbol, Def)> {
        let own = self.scopes[module.0 as usize].names.iter().map(|(&name, &(def, _))| (name, def));
        let core = self.scopes[CORE.0 as usize].names.iter().map(|(&name, &(def, _))| (name, def));
        own.chain(core.filter(move |&(_, def)| self.sees_of_core(module, def)))
    }

    /// What a path such as `geometry.Point` means as a type's name.
    pub(super) fn lookup_type_name(&self, module: ModuleId, path: &[ast::Ident]) -> Option<Def> {
        match path {
            [name] => self.lookup(module, name.name),
            [first, name] => match self.lookup(module, first.name)? {
                Def::Module(target) => {
                    let (def, _) = self.scopes[target.0 as usize].names.get(&name.name).copied()?;
                    self.is_public(def).then_some(def)
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether a path names something of another module that is not `pub`.
    fn is_private_elsewhere(&self, module: ModuleId, path: &[ast::Ident]) -> bool {
        let [first, name] = path else { return false };
        let Some(Def::Module(target)) = self.lookup(module, first.name) else { return false };
        self.scopes[target.0 as usize].names.get(&name.name).is_some_and(|&(def, _)| !self.is_public(def))
    }

    /// All type names that can be seen in a module, for suggestions.
    fn type_names(&self, module: ModuleId) -> impl Iterator<Item = Symbol> {
        self.visible(module).filter(|(_, def)| matches!(def, Def::Type(_) | Def::Alias(_))).map(|(name, _)| name)
    }

    /// The type behind the `->` of a declaration: there alone the standard library writes `Never`, of what doesn't
    /// come back.
    pub(super) fn resolve_result(
        &mut self,
        ty: &ast::TypeExpr,
        module: ModuleId,
        env: &Env,
        out: &mut Vec<Diagnostic>,
    ) -> Ty {
        if let ast::TypeKind::Named { path, args } = &ty.kind
            && let ([name], []) = (path.as_slice(), args.as_slice())
            && name.name.as_str() == "Never"
            && self.modules.list[module.0 as usize].standard
        {
            return Ty::NEVER;
        }
        self.resolve(ty, module, env, out)
    }

    /// The type that `ty` means in `module` under `env`.
    pub(super) fn resolve(&mut self, ty: &ast::TypeExpr, module: ModuleId, env: &Env, out: &mut Vec<Diagnostic>) -> Ty {
        let found = self.resolve_at(ty, module, env, out, 0);
        if self.types.take_refused() {
            out.push(too_large(ty.span));
        }
        found
    }

    fn resolve_at(
        &mut self,
        ty: &ast::TypeExpr,
        module: ModuleId,
        env: &Env,
        out: &mut Vec<Diagnostic>,
        aliases: u32,
    ) -> Ty {
        let mut part = |this: &mut Self, ty: &ast::TypeExpr| this.resolve_at(ty, module, env, out, aliases);
        match &ty.kind {
            ast::TypeKind::Error => Ty::ERROR,
            ast::TypeKind::List(inner) => {
                let inner = part(self, inner);
                self.list_of(inner)
            }
            ast::TypeKind::Map(key, value) => {
                let (key, value) = (part(self, key), part(self, value));
                self.map_of(key, value)
            }
            ast::TypeKind::Tuple(parts) => {
                let parts: Vec<Ty> = parts.iter().map(|p| part(self, p)).collect();
                self.tuple(parts)
            }
            ast::TypeKind::Optional(inner) => {
                let inner = part(self, inner);
                self.optional(inner)
            }
            ast::TypeKind::Result(inner) => {
                let inner = part(self, inner);
                self.result_of(inner)
            }
            ast::TypeKind::Fn(params, result) => {
                let params = params.iter().map(|p| part(self, p)).collect();
                let result = result.as_ref().map_or(Ty::UNIT, |r| part(self, r));
                self.types.intern(TyKind::Fn(params, result))
            }
            ast::TypeKind::Named { path, args } => {
                let args: Vec<Ty> = args.iter().map(|a| part(self, a)).collect();
                self.resolve_named(ty, path, args, module, env, out, aliases)
            }
        }
    }

    #[allow(clippy::too_many_arguments, reason = "one step of a recursion over the same state")]
    fn resolve_named(
        &mut self,
        ty: &ast::TypeExpr,
        path: &[ast::Ident],
        args: Vec<Ty>,
        module: ModuleId,
        env: &Env,
        out: &mut Vec<Diagnostic>,
        aliases: u32,
    ) -> Ty {
        let name = path[path.len() - 1];
        if let [single] = path {
            if let Some(&(_, ty)) = env.types.iter().rev().find(|(n, _)| *n == single.name) {
                return ty;
            }
            if single.name.as_str() == "Self" {
                if let Some(self_ty) = env.self_ty {
                    return self_ty;
                }
                let message = "`Self` has a meaning only inside a type, a trait or an `impl`";
                out.push(Diagnostic::error(codes::SELF_OUTSIDE, single.span, message));
                return Ty::ERROR;
            }
            if let Some(found) = builtin(single.name) {
                return found;
            }
            if single.name.as_str() == "Array" {
                if let [inner] = args.as_slice() {
                    return self.types.intern(TyKind::Array(*inner));
                }
                out.push(wrong_arguments(ty, "Array", 1, args.len()));
                return Ty::ERROR;
            }
        }
        match self.lookup_type_name(module, path) {
            Some(Def::Type(decl)) => self.apply(ty, decl, args, out),
            Some(Def::Alias(id)) => {
                let alias = self.aliases[id.0 as usize];
                if alias.ast.generics.len() != args.len() {
                    out.push(wrong_arguments(ty, name.name.as_str(), alias.ast.generics.len(), args.len()));
                    return Ty::ERROR;
                }
                if aliases >= ALIAS_DEPTH_MAX {
                    let message = format!("alias `{}` stands for itself", name.name);
                    out.push(Diagnostic::error(codes::ALIAS_OF_ITSELF, alias.ast.name.span, message));
                    return Ty::ERROR;
                }
                // aliases of aliases of pairs would double the work with each step
                if let Some(&found) = self.alias_types.get(&(id, args.clone())) {
                    return found;
                }
                let names = alias.ast.generics.iter().map(|g| g.name.name);
                let env = Env { types: names.zip(args.iter().copied()).collect(), self_ty: None };
                let found = self.resolve_at(&alias.ast.ty, alias.module, &env, out, aliases + 1);
                self.alias_types.insert((id, args), found);
                found
            }
            _ if self.is_private_elsewhere(module, path) => {
                let message = format!("`{}` is private to module `{}`", name.name, path[0].name);
                out.push(
                    Diagnostic::error(codes::PRIVATE_NAME, name.span, message)
                        .help("write `pub` before its declaration to let other modules use it"),
                );
                Ty::ERROR
            }
            _ => {
                let near = nearest(name.name, self.type_names(module).chain(env.types.iter().map(|t| t.0)));
                let diagnostic =
                    Diagnostic::error(codes::UNKNOWN_TYPE, ty.span, format!("there is no type `{}`", name.name));
                let hint = match name.name.as_str() {
                    "string" | "String" => Some("the type of strings is `str`"),
                    "i64" | "i32" | "Int" | "integer" | "number" => Some("the type of whole numbers is `int`"),
                    "f64" | "f32" | "double" | "Float" => Some("the type of floating-point numbers is `float`"),
                    "boolean" | "Bool" => Some("the type of truth values is `bool`"),
                    _ => None,
                };
                out.push(match hint {
                    Some(hint) => diagnostic.help(hint),
                    None => did_you_mean(diagnostic, near),
                });
                Ty::ERROR
            }
        }
    }

    fn apply(&mut self, ty: &ast::TypeExpr, decl: DeclId, args: Vec<Ty>, out: &mut Vec<Diagnostic>) -> Ty {
        let declared = &self.decls[decl.0 as usize];
        if declared.generics.len() != args.len() {
            out.push(wrong_arguments(ty, declared.name.name.as_str(), declared.generics.len(), args.len()));
            return Ty::ERROR;
        }
        if let TypeDeclKind::Trait(_) = declared.kind
            && let Some((method, why)) = self.not_a_type(decl)
        {
            let name = self.decls[decl.0 as usize].name.name;
            out.push(
                Diagnostic::error(
                    codes::TRAIT_NOT_A_TYPE,
                    ty.span,
                    format!("trait `{name}` can't be a type: `{}` {why}", method.name),
                )
                .and(method.span, "declared here")
                .help(format!("as a bound it can be used: `[T: {name}]`")),
            );
            return Ty::ERROR;
        }
        self.decl_type(decl, args)
    }

    /// The type of a declaration.
    pub(super) fn decl_type(&mut self, decl: DeclId, args: Vec<Ty>) -> Ty {
        match self.decls[decl.0 as usize].kind {
            TypeDeclKind::Enum(_) => self.types.intern(TyKind::Enum(decl, args)),
            TypeDeclKind::Trait(_) => self.types.intern(TyKind::Trait(decl, args)),
            TypeDeclKind::Struct(_) => self.types.intern(TyKind::Struct(decl, args)),
        }
    }

    /// `[ty]`
    pub(super) fn list_of(&mut self, ty: Ty) -> Ty {
        self.lang.list.map_or(Ty::ERROR, |decl| self.decl_type(decl, vec![ty]))
    }

    /// `[key: value]`
    pub(super) fn map_of(&mut self, key: Ty, value: Ty) -> Ty {
        self.lang.map.map_or(Ty::ERROR, |decl| self.decl_type(decl, vec![key, value]))
    }

    /// `ty!`
    pub(super) fn result_of(&mut self, ty: Ty) -> Ty {
        self.lang.result.map_or(Ty::ERROR, |decl| self.decl_type(decl, vec![ty]))
    }

    /// `ty?`
    pub(super) fn optional(&mut self, ty: Ty) -> Ty {
        if ty == Ty::ERROR { ty } else { self.types.optional(ty) }
    }

    /// `(a, b)`, or `()`
    pub(super) fn tuple(&mut self, parts: Vec<Ty>) -> Ty {
        if parts.is_empty() { Ty::UNIT } else { self.types.intern(TyKind::Tuple(parts)) }
    }

    /// The struct or enum behind a type, with its arguments.
    pub(super) fn as_decl(&self, ty: Ty) -> Option<(DeclId, Vec<Ty>)> {
        match self.types.kind(ty) {
            TyKind::Struct(decl, args) | TyKind::Enum(decl, args) => Some((*decl, args.clone())),
            _ => None,
        }
    }

    /// The arguments of a type if it is one of a certain declaration.
    pub(super) fn args_of(&self, ty: Ty, decl: Option<DeclId>) -> Option<&[Ty]> {
        match self.types.kind(ty) {
            TyKind::Struct(d, args) | TyKind::Enum(d, args) if Some(*d) == decl => Some(args),
            _ => None,
        }
    }

    /// What the type parameters of a declared type stand for.
    pub(super) fn decl_env(&self, decl: DeclId, args: &[Ty], self_ty: Ty) -> Env {
        let names = self.decls[decl.0 as usize].generics.iter().map(|g| g.name.name);
        Env { types: names.zip(args.iter().copied()).collect(), self_ty: Some(self_ty) }
    }

    /// The type of a struct's field, or of a variant's; the type's arguments may be open.
    pub(super) fn field_type(&mut self, ty: Ty, variant: usize, field: usize, out: &mut Vec<Diagnostic>) -> Ty {
        if let Some(aggregate) = self.types.aggregate(ty) {
            return aggregate.variants[variant].fields[field].ty;
        }
        let Some((decl, args)) = self.as_decl(ty) else { return Ty::ERROR };
        let env = self.decl_env(decl, &args, ty);
        let declared = &self.decls[decl.0 as usize];
        let module = declared.module;
        let written = match declared.kind {
            TypeDeclKind::Struct(decl) => Some(&decl.fields[field].ty),
            TypeDeclKind::Enum(decl) => decl.variants[variant].fields[field].ty.as_ref(),
            TypeDeclKind::Trait(_) => None,
        };
        written.map_or(Ty::ERROR, |written| self.resolve(written, module, &env, out))
    }

    /// Records the fields of every struct and enum type that has been made; the typed tree needs them.
    pub(super) fn complete_aggregates(&mut self) {
        let mut next = 0;
        let mut out = Vec::new();
        while let Some(ty) = self.types.nth(next) {
            next += 1;
            let Some((decl, args)) = self.as_decl(ty) else { continue };
            if self.types.is_open(ty) || self.types.is_generic(ty) || self.types.aggregate(ty).is_some() {
                continue;
            }
            let env = self.decl_env(decl, &args, ty);
            let declared = &self.decls[decl.0 as usize];
            let (module, kind, name) = (declared.module, declared.kind, declared.name);
            if self.types.depth(ty) > TYPE_DEPTH_MAX {
                let message = format!("type `{}` holds ever larger types of itself", name.name);
                out.push(
                    Diagnostic::error(codes::ENDLESS_TYPE, name.span, message)
                        .label(format!("more than {TYPE_DEPTH_MAX} types inside each other")),
                );
                break;
            }
            let variants = match kind {
                TypeDeclKind::Struct(ast) => {
                    let fields = ast.fields.iter().map(|f| Field {
                        name: f.name.name,
                        ty: self.resolve(&f.ty, module, &env, &mut out),
                        mutable: f.mutable,
                    });
                    vec![Variant { name: ast.name.name, fields: fields.collect() }]
                }
                TypeDeclKind::Enum(ast) => {
                    let variants = ast.variants.iter().map(|v| {
                        let fields = v.fields.iter().map(|f| Field {
                            name: f.name.name,
                            ty: f.ty.as_ref().map_or(Ty::ERROR, |t| self.resolve(t, module, &env, &mut out)),
                            mutable: false,
                        });
                        Variant { name: v.name.name, fields: fields.collect() }
                    });
                    variants.collect()
                }
                TypeDeclKind::Trait(_) => continue,
            };
            let name = self.types.display(ty);
            self.types.set_aggregate(ty, Aggregate { name, variants });
        }
        self.diagnostics.append(&mut out);
    }
}

fn wrong_arguments(ty: &ast::TypeExpr, name: &str, wanted: usize, got: usize) -> Diagnostic {
    let message = format!("`{name}` takes {}, not {got}", count(wanted, "type argument"));
    Diagnostic::error(codes::TYPE_ARGUMENTS, ty.span, message)
}

/// What is said where types have grown beyond all measure.
pub(super) fn too_large(span: Span) -> Diagnostic {
    Diagnostic::error(codes::TYPE_TOO_LARGE, span, "the type of this is too large")
        .label(format!("it is made of more than {TYPE_SIZE_MAX} types"))
        .help("give a part of it a name with `struct`")
}
