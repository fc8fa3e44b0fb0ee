//! References of a trait's type: making them, calling through them, and what they are behind it.
//!
//! The world is closed: the checker knows every type that was ever made a trait's reference (the types *behind* it). A
//! call through one is a call of a function made here, which tells those types apart and calls the method of each, so
//! the compiler sees ordinary calls everywhere. These functions are made last, and again while making them puts
//! further types behind some trait: a fixed point, reached because types behind traits are only ever added.
//!
//! Invariants
//! - W1. A trait's reference is the object itself for structs and enums, and a box of its own shape for all else.
//! - W2. What is behind a trait is also behind each trait that a reference of it was widened to.

use super::Checker;
use super::body::{Body, Stable};
use super::coerce::Why;
use super::decls::{Def, FnDeclId, Owner, TypeDeclKind};
use super::derive::Derive;
use super::exhaustive::{Ctor, Pat};
use super::implement::Has;
use super::instance::{Instance, State, What};
use super::pattern::{Bound, Step};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::hir::{DeclId, ExprId, ExprKind, FnId, Ty, TyKind};
use crate::syntax::ast::{self, PatternFields};
use crate::syntax::span::Span;
use crate::syntax::symbol::Symbol;
use std::rc::Rc;

/// What is done with a trait's reference by the type behind it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Dynamic {
    /// A call of a method of a trait.
    Method(FnDeclId),
    /// A look at a field that a trait requires, by number.
    Field(DeclId, u32),
    /// An operation that every value has.
    Derived(Derive),
    /// A test whether the type behind it has another trait.
    Has(Ty),
}

/// A function that depends on all types behind a trait.
pub(super) struct Made {
    pub id: FnId,
    pub of: Ty,
    /// How many there were when it was last made.
    pub seen: Option<usize>,
}

impl<'a> Checker<'a> {
    /// Notes that values of a type are made references of a trait.
    pub(super) fn put_behind(&mut self, of: Ty, ty: Ty) {
        let mut work = vec![(of, ty)];
        while let Some((of, ty)) = work.pop() {
            if self.behind_known.insert((of, ty)) {
                self.behind.entry(of).or_default().push(ty);
                work.extend(self.widened.get(&of).into_iter().flatten().map(|&wider| (wider, ty)));
            }
        }
    }

    /// Notes that references of a trait are made ones of another.
    pub(super) fn widen(&mut self, of: Ty, wider: Ty) {
        let known = self.widened.entry(of).or_default();
        if known.contains(&wider) {
            return;
        }
        known.push(wider);
        for ty in self.behind.get(&of).cloned().unwrap_or_default() {
            self.put_behind(wider, ty);
        }
    }

    /// The function that does something by the type behind a reference, which is its first parameter.
    pub(super) fn request_dynamic(
        &mut self,
        dynamic: Dynamic,
        type_args: Vec<Ty>,
        params: Vec<Ty>,
        result: Ty,
        origin: Option<(Span, FnId)>,
    ) -> FnId {
        let of = params[0];
        let key = (What::Dynamic(of, dynamic), type_args, params);
        if let Some(&id) = self.memo.get(&key) {
            return id;
        }
        let shown = self.types.display(of);
        let name = match dynamic {
            Dynamic::Method(decl) => format!("{shown}.{}", self.function(decl).ast.name.name),
            Dynamic::Field(..) => format!("field of {shown}"),
            Dynamic::Derived(derive) => format!("{shown}.{}", derive.method()),
            Dynamic::Has(other) => format!("{shown} is {}", self.types.display(other)),
        };
        let mut instance = Instance::new(key.0, name, Rc::default(), key.2.clone(), Some(result));
        instance.type_args = key.1.clone();
        instance.origin = origin;
        instance.depth = origin.map_or(0, |(_, from)| self.instance(from).depth);
        // it is not in the queue: `make_dynamic` makes it
        instance.state = State::Done;
        let id = self.add_instance(instance);
        self.memo.insert(key, id);
        self.made.push(Made { id, of, seen: None });
        id
    }

    /// Makes one function whose types have changed; false when there is none.
    pub(super) fn make_dynamic(&mut self) -> bool {
        let count = |this: &Self, of: Ty| this.behind.get(&of).map_or(0, Vec::len);
        let Some(index) = (0..self.made.len()).find(|&i| self.made[i].seen != Some(count(self, self.made[i].of)))
        else {
            return false;
        };
        let (id, of) = (self.made[index].id, self.made[index].of);
        self.made[index].seen = Some(count(self, of));
        let instance = self.instance_mut(id);
        instance.state = State::Unchecked;
        instance.diagnostics.clear();
        self.check_instance(id);
        true
    }

    /// All functions that go by the type behind a reference, with what tells them apart in every check of a session.
    pub(super) fn dispatchers(&self) -> Vec<(String, FnId)> {
        let identities = |types: &[Ty]| types.iter().map(|&ty| self.types.identity(ty)).collect::<Vec<_>>().join(",");
        let identity = |id: FnId| {
            let instance = self.instance(id);
            let What::Dynamic(_, dynamic) = instance.what else { unreachable!("only these are made") };
            let what = match dynamic {
                Dynamic::Has(other) => format!("has {}", self.types.identity(other)),
                _ => format!("{dynamic:?}"),
            };
            format!("{what} of {} for {}", identities(&instance.type_args), identities(&instance.params))
        };
        self.made.iter().map(|made| (identity(made.id), made.id)).collect()
    }

    /// Why a trait can't be a type: the method, and what is wrong with it.
    pub(super) fn not_a_type(&mut self, decl: DeclId) -> Option<(ast::Ident, &'static str)> {
        let closure = self.with_supertraits(decl, vec![Ty::ERROR; self.decl(decl).generics.len()], Ty::ERROR);
        for (wanted, _) in closure {
            let TypeDeclKind::Trait(ast) = self.decl(wanted).kind else { continue };
            for method in ast.methods.iter().map(|m| &m.function).filter(|f| f.receiver.is_some()) {
                let mentions = |ty: &Option<ast::TypeExpr>| ty.as_ref().is_some_and(mentions_self);
                if method.params.iter().any(|p| mentions(&p.ty)) {
                    return Some((method.name, "takes a `Self`, and two references may be of different types"));
                }
                if mentions(&method.result) && !method.result.as_ref().is_some_and(is_self) {
                    return Some((method.name, "gives a type built of `Self`"));
                }
                if !method.generics.is_empty() && method.body.is_none() {
                    return Some((method.name, "has type parameters and no default body"));
                }
            }
        }
        None
    }

    /// The number and type of a field that a trait, or one it asks for, requires.
    pub(super) fn trait_field(&mut self, ty: Ty, name: Symbol) -> Option<(DeclId, u32, Ty)> {
        let all = self.traits_of(ty);
        for has in all.iter() {
            let declared = self.decl(has.wanted);
            let (module, TypeDeclKind::Trait(ast)) = (declared.module, declared.kind) else { continue };
            if let Some(index) = ast.fields.iter().position(|f| f.name.name == name) {
                let env = self.decl_env(has.wanted, &has.args, ty);
                let field = self.resolve(&ast.fields[index].ty, module, &env, &mut Vec::new());
                return Some((has.wanted, index as u32, field));
            }
        }
        None
    }
}

/// Whether `Self` is part of a type.
fn mentions_self(ty: &ast::TypeExpr) -> bool {
    match &ty.kind {
        ast::TypeKind::Named { args, .. } => is_self(ty) || args.iter().any(mentions_self),
        ast::TypeKind::List(inner) | ast::TypeKind::Optional(inner) | ast::TypeKind::Result(inner) => {
            mentions_self(inner)
        }
        ast::TypeKind::Map(key, value) => mentions_self(key) || mentions_self(value),
        ast::TypeKind::Tuple(parts) => parts.iter().any(mentions_self),
        ast::TypeKind::Fn(params, result) => {
            params.iter().any(mentions_self) || result.as_ref().is_some_and(|r| mentions_self(r))
        }
        ast::TypeKind::Error => false,
    }
}

fn is_self(ty: &ast::TypeExpr) -> bool {
    matches!(&ty.kind, ast::TypeKind::Named { path, args }
        if args.is_empty() && path.len() == 1 && path[0].name.as_str() == "Self")
}

impl Body<'_, '_> {
    /// A value as a reference of a trait; none when its type does not have it.
    pub fn upcast(&mut self, id: ExprId, to: Ty) -> Option<ExprId> {
        let from = self.ty(id);
        let from = self.deep(from);
        let TyKind::Trait(wanted, args) = self.kind(to) else { return None };
        let structural = self.cx.structural_trait(wanted).is_some_and(|d| self.cx.structural(from, d));
        let mut found = structural && !matches!(self.kind(from), TyKind::Trait(..));
        for own in self.cx.trait_args_of(from, wanted) {
            found = found || own.iter().zip(&args).all(|(&own, &arg)| self.unify(own, arg));
        }
        let span = self.span(id);
        found.then(|| self.emit(ExprKind::Upcast(id), to, span))
    }

    /// Tells the checker which types the references made in a finished body refer to.
    pub fn note_upcasts(&mut self, exprs: &[crate::hir::Expr]) {
        for expr in exprs {
            let ExprKind::Upcast(value) = expr.kind else { continue };
            let (from, to) = (exprs[value.0 as usize].ty, expr.ty);
            if self.is_generic(&[from], &[to]) {
                continue;
            }
            match self.cx.types.kind(from) {
                TyKind::Trait(..) => self.cx.widen(from, to),
                TyKind::Never | TyKind::Error => {}
                _ => self.cx.put_behind(to, from),
            }
        }
    }

    /// Whether a call of a method of a trait goes by the type behind a reference.
    pub fn is_dynamic(&mut self, decl: FnDeclId, type_args: &[Ty]) -> bool {
        let declared = self.cx.function(decl);
        matches!(declared.owner, Owner::Trait(_))
            && declared.ast.receiver.is_some()
            && type_args.first().is_some_and(|&ty| matches!(self.cx.types.kind(ty), TyKind::Trait(..)))
    }

    /// Calls something that goes by the type behind its first argument.
    pub fn call_dynamic(
        &mut self,
        dynamic: Dynamic,
        type_args: Vec<Ty>,
        ids: Vec<ExprId>,
        result: Ty,
        span: Span,
    ) -> ExprId {
        let params: Vec<Ty> = ids
            .iter()
            .map(|&id| {
                let ty = self.ty(id);
                self.deep(ty)
            })
            .collect();
        if self.is_generic(&type_args, &params) {
            return self.emit(ExprKind::Unit, result, span);
        }
        let id = self.cx.request_dynamic(dynamic, type_args, params, result, Some((span, self.id)));
        self.emit(ExprKind::Call(id, ids), result, span)
    }

    /// The body of a function that goes by the type behind its first parameter.
    pub fn dynamic_body(&mut self, of: Ty, dynamic: Dynamic) {
        let span = self.frame().span;
        let instance = self.cx.instance(self.id);
        let (types, result) = (instance.params.clone(), instance.result.unwrap_or(Ty::UNIT));
        let params: Vec<_> = types.iter().map(|&ty| self.param(Symbol::new("self"), ty, span)).collect();
        let behind = self.cx.behind.get(&of).cloned().unwrap_or_default();
        let mut arms = Vec::new();
        for ty in behind {
            if let Dynamic::Has(other) = dynamic {
                if self.has_trait(ty, other) {
                    // what passes the test is referred to by the other trait from there on
                    self.cx.put_behind(other, ty);
                    arms.push((ty, self.bool(true, span)));
                }
                continue;
            }
            let read = self.read(params[0], span);
            let value = self.emit(ExprKind::Downcast(read), ty, span);
            let value = match dynamic {
                Dynamic::Method(decl) => {
                    let mut ids = vec![value];
                    ids.extend(params[1..].iter().map(|&p| self.read(p, span)));
                    self.call_behind(decl, ids, ty, span)
                }
                Dynamic::Field(wanted, index) => self.field_behind(wanted, index, value, ty, span),
                Dynamic::Derived(derive) if derive.is_binary() => {
                    let read = self.read(params[1], span);
                    let other = self.emit(ExprKind::Downcast(read), ty, span);
                    let mut ids = vec![value, other];
                    ids.extend(params[2..].iter().map(|&p| self.read(p, span)));
                    let value = self.derived(derive, &ids, ty, span);
                    let unlike = self.bool(false, span);
                    let kind =
                        ExprKind::TypeSwitch { subject: params[1], arms: vec![(ty, value)], otherwise: Some(unlike) };
                    self.emit(kind, derive.result(), span)
                }
                Dynamic::Derived(derive) => {
                    let mut ids = vec![value];
                    ids.extend(params[1..].iter().map(|&p| self.read(p, span)));
                    self.derived(derive, &ids, ty, span)
                }
                Dynamic::Has(_) => value,
            };
            let value = match result {
                Ty::UNIT => self.discard(value, span),
                _ => self.coerce(value, result, span, Why::Result),
            };
            arms.push((ty, value));
        }
        let otherwise = matches!(dynamic, Dynamic::Has(_)).then(|| self.bool(false, span));
        let kind = ExprKind::TypeSwitch { subject: params[0], arms, otherwise };
        let body = self.emit(kind, result, span);
        self.frame().body = body;
    }

    /// Calls what a type behind a trait has for its method.
    fn call_behind(&mut self, decl: FnDeclId, ids: Vec<ExprId>, ty: Ty, span: Span) -> ExprId {
        let declared = self.cx.function(decl);
        let (name, skip, owner) = (declared.ast.name.name, declared.owner_generics.len(), declared.owner);
        let Owner::Trait(wanted) = owner else { return self.bad(span) };
        // the key holds the arguments that the reference was called with: `Self`, the trait's, the method's own
        let given = self.cx.instance(self.id).type_args.clone();
        let has: Option<Has> = {
            let all = self.cx.traits_of(ty);
            let mut found = all.iter().filter(|h| h.wanted == wanted);
            found.find(|h| h.args == given[1..skip]).cloned()
        };
        let found = has.and_then(|has| self.cx.trait_method(ty, &has, name));
        match found {
            Some(found) => {
                let mut owner = found.owner;
                owner.extend(&given[skip..]);
                self.call_ids(found.decl, owner, ids, span)
            }
            None => match Derive::by_method(name.as_str()) {
                Some(derive) => self.derived(derive, &ids, ty, span),
                None => self.bad(span),
            },
        }
    }

    fn field_behind(&mut self, wanted: DeclId, index: u32, value: ExprId, ty: Ty, span: Span) -> ExprId {
        let TypeDeclKind::Trait(ast) = self.cx.decl(wanted).kind else { return self.bad(span) };
        let name = ast.fields[index as usize].name.name;
        match self.field_named(ty, name.as_str()) {
            Some((index, field)) => self.emit(ExprKind::Field(value, index), field, span),
            // reported where the type promises the trait
            None => self.bad(span),
        }
    }

    /// Whether a type has a trait, given as the type of its references.
    pub fn has_trait(&mut self, ty: Ty, of: Ty) -> bool {
        let TyKind::Trait(wanted, args) = self.kind(of) else { return false };
        if self.cx.structural_trait(wanted).is_some_and(|d| self.cx.structural(ty, d)) {
            return true;
        }
        self.cx.trait_args_of(ty, wanted).contains(&args)
    }

    /// Tests the type behind a trait's reference.
    pub fn type_test(&mut self, value: ExprId, ty: Ty, span: Span, lets: &mut Vec<ExprId>) -> ExprId {
        if let TyKind::Trait(..) = self.kind(ty) {
            return self.call_dynamic(Dynamic::Has(ty), Vec::new(), vec![value], Ty::BOOL, span);
        }
        let frame = self.frame();
        let subject = match frame.exprs[value.0 as usize].kind {
            ExprKind::Local(local) if !frame.infos[local.0 as usize].mutable => local,
            _ => self.temp("#subject", value, lets),
        };
        let (yes, no) = (self.bool(true, span), self.bool(false, span));
        let kind = ExprKind::TypeSwitch { subject, arms: vec![(ty, yes)], otherwise: Some(no) };
        self.emit(kind, Ty::BOOL, span)
    }

    /// A value known to be of a narrower type than the trait it is referred to by.
    pub fn narrowed(&mut self, id: ExprId, ty: Ty, span: Span) -> ExprId {
        self.emit(ExprKind::Downcast(id), ty, span)
    }

    /// The type that `is T` or a pattern tests for; reports one that can't be behind the trait.
    pub fn tested_type(&mut self, subject: Ty, ty: Ty, span: Span) -> bool {
        if self.is_broken(ty) || self.is_broken(subject) {
            return false;
        }
        if matches!(self.kind(ty), TyKind::Trait(..)) || self.has_trait(ty, subject) {
            return true;
        }
        let (shown, of) = (self.show(ty), self.show(subject));
        self.report(
            Diagnostic::error(codes::IS_TEST, span, format!("this is never a {shown}: {shown} is not a {of}"))
                .help(format!("`impl {of} for {shown}` would make it one")),
        );
        false
    }
}

impl<'a> Body<'_, 'a> {
    /// A pattern on a trait's reference: a type, perhaps with patterns for its fields, or a variant of an enum.
    #[allow(clippy::too_many_arguments, reason = "the parts of a variant pattern")]
    pub fn type_pattern(
        &mut self,
        path: &'a [ast::Ident],
        fields: Option<&'a PatternFields>,
        subject: &Stable,
        of: Ty,
        span: Span,
        steps: &mut Vec<Step>,
        bound: &mut Bound,
    ) -> Pat {
        let name = path[path.len() - 1];
        let decl = match self.cx.lookup_type_name(self.module, path) {
            Some(Def::Type(decl)) if path.len() > 1 || !self.cx.hides_core(self.module, name.name) => Some(decl),
            _ => match (path, self.cx.bare_variants(self.module, name.name).as_slice()) {
                ([_], [(decl, _)]) => Some(*decl),
                ([before @ .., _], _) => match self.cx.lookup_type_name(self.module, before) {
                    Some(Def::Type(decl)) if self.cx.variant_number(decl, name.name).is_some() => Some(decl),
                    _ => None,
                },
                _ => None,
            },
        };
        let ty = decl.map(|decl| {
            let args = self.owner_args(decl, None, span);
            self.cx.decl_type(decl, args)
        });
        // the trait's arguments tell the type's
        let ty = ty.map(|ty| {
            if let TyKind::Trait(wanted, args) = self.kind(of) {
                for own in self.cx.trait_args_of(ty, wanted) {
                    for (&own, &arg) in own.iter().zip(&args) {
                        self.unify(own, arg);
                    }
                }
            }
            self.deep(ty)
        });
        let known = ty.filter(|&ty| !self.cx.types.is_open(ty));
        let mut names = Vec::new();
        super::decls::names_in_fields(fields, &mut names);
        let Some(ty) = known else {
            if ty.is_some() {
                let message = format!("the type arguments of `{}` aren't known here", name.name);
                let help = format!("test with `is {}[…]`", name.name);
                self.report(Diagnostic::error(codes::TYPE_UNKNOWN, span, message).help(help));
            } else {
                self.wrong_pattern(&format!("`{}`", name.name), of, span);
            }
            self.bind_broken(names, bound);
            return Pat::Wild;
        };
        if !self.tested_type(of, ty, span) {
            self.bind_broken(names, bound);
            return Pat::Wild;
        }
        let read = self.again(subject);
        let mut lets = Vec::new();
        let test = self.type_test(read, ty, span, &mut lets);
        steps.extend(lets.drain(..).map(Step::Bind));
        steps.push(Step::Test(test));
        let is_variant = decl.is_some_and(|decl| self.cx.variant_number(decl, name.name).is_some());
        if fields.is_none() && !is_variant {
            return Pat::Ctor(Ctor::Type(ty), Vec::new());
        }
        let read = self.again(subject);
        let value = self.narrowed(read, ty, span);
        let inner = self.stable("#value", value, &mut lets);
        steps.extend(lets.into_iter().map(Step::Bind));
        self.variant_pattern(path, fields, &inner, ty, None, span, steps, bound);
        // what it asks of the fields leaves other values of the type
        Pat::Ctor(Ctor::Opaque(span.lo), Vec::new())
    }
}
