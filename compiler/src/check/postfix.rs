//! Postfix chains: what follows a name or value, step by step. A chain may start at a module, a type, a variant or
//! a value; `?.` takes the rest of the chain into a branch.

use super::body::{Binding, Body, Expect, Fact, Stable};
use super::decls::{Def, FnDeclId, TypeDeclKind};
use super::dynamic::Dynamic;
use super::modules::{CORE, ModuleId};
use super::report::{did_you_mean, nearest};
use super::resolve::builtin;
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::hir::{DeclId, ExprId, ExprKind, Ty, TyKind};
use crate::syntax::ast::{self, PostfixKind};
use crate::syntax::reinterpret::as_type;
use crate::syntax::span::Span;
use crate::syntax::symbol::Symbol;

/// How far a chain has come.
pub(super) enum State {
    Value(ExprId),
    Module(ModuleId),
    /// A type: a declaration with its arguments, if they were written.
    Decl(DeclId, Option<Vec<Ty>>),
    /// A built-in or fully known type.
    Type(Ty),
    /// A function, and the type arguments of its owner.
    Fn(FnDeclId, Vec<Ty>),
    Variant(DeclId, u32, Option<Vec<Ty>>),
    /// A method of a trait, named by the trait.
    TraitFn(DeclId, ast::Ident),
}

/// What an assignment can set, its parts evaluated.
pub(super) enum Place {
    Field {
        base: Stable,
        ty: Ty,
        index: u32,
        field: Ty,
    },
    /// Of a list or an array.
    Element {
        base: Stable,
        index: Stable,
        element: Ty,
    },
    /// Of a map.
    Entry {
        base: Stable,
        key: Stable,
        value: Ty,
    },
}

impl<'a> Body<'_, 'a> {
    /// Checks a postfix chain.
    pub fn postfix(&mut self, base: &'a ast::Expr, ops: &'a [ast::Postfix], span: Span, expect: Expect) -> ExprId {
        let (state, used) = self.chain_start(base, ops, expect);
        let id = self.chain(state, base.span, &ops[used..], span, expect);
        // a trap is shown at the whole expression only if it is a call of it
        let _ = span;
        id
    }

    /// The first state of a chain, and how many operations it takes with it.
    pub fn chain_start(&mut self, base: &'a ast::Expr, ops: &'a [ast::Postfix], expect: Expect) -> (State, usize) {
        match base.kind {
            ast::ExprKind::Name(name) => {
                let raw = matches!(
                    ops.first().map(|op| &op.kind),
                    Some(PostfixKind::Try | PostfixKind::Unwrap | PostfixKind::OptionalField(_))
                );
                match self.lookup_local(name) {
                    Some(Binding::Local(local)) => return (State::Value(self.read_local(local, base.span, !raw)), 0),
                    Some(Binding::Fn(decl)) => return (State::Fn(decl, self.enclosing_args(decl)), 0),
                    Some(Binding::Top(top)) => return (State::Value(self.top(top, base.span)), 0),
                    None => {}
                }
                match self.cx.lookup(self.module, name) {
                    Some(Def::Module(module)) => (State::Module(module), 0),
                    Some(Def::Fn(decl)) => (State::Fn(decl, Vec::new()), 0),
                    _ => (State::Value(self.name(name, base.span, !raw)), 0),
                }
            }
            ast::ExprKind::TypeName(name) => (self.type_start(name, base.span, expect), 0),
            // `[int]()` and `[str: int]()`: empty ones of that type
            ast::ExprKind::List(_) | ast::ExprKind::Map(_)
                if matches!(ops.first().map(|op| &op.kind), Some(PostfixKind::Call(_))) && as_type(base).is_some() =>
            {
                let ty = as_type(base).map_or(Ty::ERROR, |ty| self.resolve(&ty));
                (self.state_of_type(ty), 0)
            }
            _ => {
                let hint = if ops.is_empty() { expect } else { Expect::Any };
                (State::Value(self.expr(base, hint)), 0)
            }
        }
    }

    /// A local function is generic over what the function around it is generic over.
    pub fn enclosing_args(&self, decl: FnDeclId) -> Vec<Ty> {
        let declared = self.cx.function(decl);
        let find = |name: &Symbol| self.env.types.iter().rev().find(|(n, _)| n == name).map_or(Ty::ERROR, |t| t.1);
        declared.owner_generics.iter().map(find).collect()
    }

    /// What a name with a capital (or a built-in type's name) means.
    pub fn type_start(&mut self, name: Symbol, span: Span, expect: Expect) -> State {
        if let Some(&(_, ty)) = self.env.types.iter().rev().find(|(n, _)| *n == name) {
            return self.state_of_type(ty);
        }
        if name.as_str() == "Self" {
            if let Some(ty) = self.env.self_ty {
                return self.state_of_type(ty);
            }
            return State::Value(self.fail(Diagnostic::error(codes::SELF_OUTSIDE, span, "`Self` has no meaning here")));
        }
        if let Some(ty) = builtin(name) {
            return State::Type(ty);
        }
        // a variant of the enum that is expected comes before a type of that name
        let hint = self.literal_hint(expect);
        if let Some(ty) = hint
            && let Some((decl, args)) = self.cx.as_decl(ty)
            && let Some(number) = self.cx.variant_number(decl, name)
        {
            return State::Variant(decl, number, Some(args));
        }
        match self.cx.lookup(self.module, name) {
            // a variant of the module's own hides what the core library declares
            Some(Def::Type(decl)) if self.cx.is_trait(decl) && self.cx.hides_core(self.module, name) => {}
            Some(Def::Type(decl)) => return State::Decl(decl, None),
            Some(Def::Alias(_)) => {
                let ty = ast::TypeExpr {
                    kind: ast::TypeKind::Named { path: vec![ast::Ident { name, span }], args: Vec::new() },
                    span,
                };
                let ty = self.resolve(&ty);
                return self.state_of_type(ty);
            }
            Some(Def::Const(id)) => return State::Value(self.constant(id, span)),
            _ => {}
        }
        let variants = self.cx.bare_variants(self.module, name);
        match variants.as_slice() {
            [(decl, number)] => State::Variant(*decl, *number, None),
            [] if name.as_str() == "Array" => State::Decl(super::traits::ARRAY, None),
            [] => State::Value(self.unknown_type_name(name, span)),
            [(first, _), (second, _), ..] => {
                let (a, b) = (self.cx.decl(*first).name.name, self.cx.decl(*second).name.name);
                State::Value(
                    self.fail(
                        Diagnostic::error(
                            codes::AMBIGUOUS_VARIANT,
                            span,
                            format!("`{name}` is a variant of both `{a}` and `{b}`"),
                        )
                        .help(format!("write `{a}.{name}` or `{b}.{name}`")),
                    ),
                )
            }
        }
    }

    pub fn state_of_type(&self, ty: Ty) -> State {
        match self.cx.as_decl(ty) {
            Some((decl, args)) => State::Decl(decl, Some(args)),
            None => State::Type(ty),
        }
    }

    pub fn unknown_type_name(&mut self, name: Symbol, span: Span) -> ExprId {
        let near = {
            let scopes = [&self.cx.scopes[self.module.0 as usize], &self.cx.scopes[CORE.0 as usize]];
            let variants = scopes.iter().flat_map(|s| s.variants.keys().copied());
            nearest(name, variants.chain(self.cx.visible(self.module).map(|(name, _)| name)))
        };
        let mut diagnostic = Diagnostic::error(
            codes::UNKNOWN_NAME,
            span,
            format!("there is no type, variant or constant `{name}` here"),
        )
        .label("not found");
        diagnostic = match name.as_str() {
            "None" | "Null" => diagnostic.help("absence is `nil`"),
            "Some" => diagnostic.help("a value becomes a `T?` by itself; no wrapper is written"),
            "True" | "False" => diagnostic.help("truth values are `true` and `false`"),
            _ => did_you_mean(diagnostic, near),
        };
        self.fail(diagnostic)
    }

    pub fn chain(
        &mut self,
        mut state: State,
        mut at: Span,
        ops: &'a [ast::Postfix],
        span: Span,
        expect: Expect,
    ) -> ExprId {
        let mut i = 0;
        while let Some(op) = ops.get(i) {
            let last = i + 1 == ops.len();
            let here = if at.file == op.span.file { at.to(op.span) } else { op.span };
            // what is expected of the whole chain is expected of its last step
            let wanted = if last { expect } else { Expect::Any };
            match &op.kind {
                PostfixKind::Field(name) => {
                    if matches!(state, State::Variant(..)) {
                        state = State::Value(self.value_of(state, at, Expect::Any));
                    }
                    if let (State::Value(value), Some(ast::Postfix { kind: PostfixKind::Call(args), span: call })) =
                        (&state, ops.get(i + 1))
                    {
                        let value = *value;
                        let whole = if at.file == call.file { at.to(*call) } else { *call };
                        let wanted = if i + 2 == ops.len() { expect } else { Expect::Any };
                        state = State::Value(self.method_call(value, *name, args, whole, wanted));
                        at = whole;
                        i += 2;
                        continue;
                    }
                    state = self.member(state, *name, here);
                }
                PostfixKind::TupleField(index) => {
                    let value = self.value_of(state, at, Expect::Any);
                    state = State::Value(self.tuple_field(value, *index, here));
                }
                PostfixKind::OptionalField(name) => {
                    let value = self.value_of(state, at, Expect::Any);
                    let ty = self.ty(value);
                    if self.is_result(ty) {
                        // an error is passed on, then the chain goes on with the value
                        let value = self.propagate(value, op.span);
                        state = State::Value(value);
                        let rest = self.after_optional(state, *name, &ops[i + 1..], here, span, expect);
                        return rest;
                    }
                    return self.optional_chain(value, *name, &ops[i + 1..], here, span, expect);
                }
                PostfixKind::Call(args) => {
                    state = State::Value(self.call_state(state, args, at, here, wanted));
                }
                PostfixKind::Index(args) => state = self.index_state(state, args, at, here),
                PostfixKind::Try => {
                    let value = self.value_of(state, at, Expect::Any);
                    state = State::Value(self.propagate(value, here));
                }
                PostfixKind::Unwrap => {
                    let hint = match wanted {
                        Expect::Type(ty) => Expect::Type(self.cx.optional(ty)),
                        other => other,
                    };
                    let value = self.value_of(state, at, hint);
                    state = State::Value(self.unwrap(value, here));
                }
            }
            at = here;
            i += 1;
        }
        self.value_of(state, at, expect)
    }

    pub fn member(&mut self, state: State, name: ast::Ident, here: Span) -> State {
        match state {
            State::Value(value) => State::Value(self.field(value, name, here)),
            State::Module(module) => self.module_member(module, name),
            State::Decl(decl, _) if decl != super::traits::ARRAY && self.cx.is_trait(decl) => {
                let closure = self.cx.with_supertraits(decl, Vec::new(), Ty::ERROR);
                if let Some((owner, _)) = closure.iter().find(|t| self.cx.decl(t.0).methods.contains_key(&name.name)) {
                    return State::TraitFn(*owner, name);
                }
                let (names, what) = (self.cx.member_names(decl), self.cx.decl(decl).name.name);
                let message = format!("trait `{what}` has no method `{}`", name.name);
                let near = nearest(name.name, names.into_iter());
                State::Value(
                    self.fail(did_you_mean(Diagnostic::error(codes::UNKNOWN_MEMBER, name.span, message), near)),
                )
            }
            State::Decl(decl, args) => {
                if let Some(number) = self.cx.variant_number(decl, name.name) {
                    return State::Variant(decl, number, args);
                }
                if decl != super::traits::ARRAY {
                    let args = self.owner_args(decl, args, here);
                    let ty = self.cx.decl_type(decl, args);
                    if let Some((method, owner)) = self.find_method(ty, name.name) {
                        return State::Fn(method, owner);
                    }
                }
                let names = self.cx.member_names(decl);
                let what = self.cx.decl(decl).name.name;
                let message = format!("`{what}` has no variant or function `{}`", name.name);
                let near = nearest(name.name, names.into_iter());
                State::Value(
                    self.fail(did_you_mean(Diagnostic::error(codes::UNKNOWN_MEMBER, name.span, message), near)),
                )
            }
            State::Type(ty) => {
                let shown = self.show(ty);
                match self.find_method(ty, name.name) {
                    Some((decl, owner)) => State::Fn(decl, owner),
                    None => {
                        let message = format!("`{shown}` has no function `{}`", name.name);
                        State::Value(self.fail(Diagnostic::error(codes::UNKNOWN_MEMBER, name.span, message)))
                    }
                }
            }
            State::Fn(..) | State::Variant(..) | State::TraitFn(..) => {
                let value = self.value_of(state, here, Expect::Any);
                State::Value(self.field(value, name, here))
            }
        }
    }

    pub fn module_member(&mut self, module: ModuleId, name: ast::Ident) -> State {
        match self.cx.scopes[module.0 as usize].names.get(&name.name).copied() {
            Some((def, _)) if self.cx.is_public(def) => match def {
                Def::Fn(decl) => State::Fn(decl, Vec::new()),
                Def::Type(decl) => State::Decl(decl, None),
                Def::Const(id) => State::Value(self.constant(id, name.span)),
                Def::Top(top) => State::Value(self.top(top, name.span)),
                Def::Alias(id) => {
                    let alias = self.cx.aliases[id.0 as usize];
                    let ty = self
                        .elsewhere(alias.module, Default::default(), Vec::new(), |body| body.resolve(&alias.ast.ty));
                    self.state_of_type(ty)
                }
                Def::Module(inner) => State::Module(inner),
            },
            found => {
                let path = &self.cx.modules.list[module.0 as usize].path;
                let diagnostic = if found.is_some() {
                    Diagnostic::error(
                        codes::PRIVATE_NAME,
                        name.span,
                        format!("`{}` is private to module `{path}`", name.name),
                    )
                    .help("write `pub` before its declaration to let other modules use it")
                } else {
                    let names = self.cx.scopes[module.0 as usize].names.iter();
                    let near = nearest(name.name, names.filter(|n| self.cx.is_public(n.1.0)).map(|n| *n.0));
                    let message = format!("module `{path}` has no `{}`", name.name);
                    did_you_mean(Diagnostic::error(codes::NOT_IN_MODULE, name.span, message), near)
                };
                State::Value(self.fail(diagnostic))
            }
        }
    }

    /// The arguments of a type: as written, or to be found.
    pub fn owner_args(&mut self, decl: DeclId, args: Option<Vec<Ty>>, span: Span) -> Vec<Ty> {
        match args {
            Some(args) => args,
            None => {
                let n = if decl == super::traits::ARRAY { 1 } else { self.cx.decl(decl).generics.len() };
                (0..n).map(|_| self.fresh(span)).collect()
            }
        }
    }

    /// A field's number and type.
    pub fn field_named(&mut self, ty: Ty, name: &str) -> Option<(u32, Ty)> {
        let (decl, _) = self.cx.as_decl(ty)?;
        let TypeDeclKind::Struct(ast) = self.cx.decl(decl).kind else { return None };
        let index = ast.fields.iter().position(|f| f.name.name.as_str() == name)?;
        let field = self.cx.field_type(ty, 0, index, &mut self.diagnostics);
        Some((index as u32, field))
    }

    pub fn field(&mut self, value: ExprId, name: ast::Ident, here: Span) -> ExprId {
        let mut ty = self.ty(value);
        if matches!(self.kind(ty), TyKind::Infer(_)) {
            self.force_deferred();
            ty = self.ty(value);
        }
        match self.kind(ty) {
            TyKind::Error | TyKind::Never => return value,
            TyKind::Infer(_) => {
                let at = self.span(value);
                return self.unknown_type(ty, at);
            }
            TyKind::Struct(decl, _) => {
                let declared = self.cx.decl(decl);
                let module = declared.module;
                if let TypeDeclKind::Struct(ast) = declared.kind
                    && let Some(index) = ast.fields.iter().position(|f| f.name.name == name.name)
                {
                    if !self.cx.modules.kin(module, self.module) && ast.fields[index].public.is_none() {
                        return self.private_field(ty, name);
                    }
                    let field = self.cx.field_type(ty, 0, index, &mut self.diagnostics);
                    return self.emit(ExprKind::Field(value, index as u32), field, here);
                }
            }
            TyKind::Trait(..) | TyKind::Param(_) => {
                if let Some((wanted, index, field)) = self.cx.trait_field(ty, name.name) {
                    let dynamic = Dynamic::Field(wanted, index);
                    return self.call_dynamic(dynamic, Vec::new(), vec![value], field, here);
                }
            }
            TyKind::Enum(decl, _) => {
                if let Some(id) = self.variant_field(value, ty, decl, name, here) {
                    return id;
                }
            }
            _ => {}
        }
        self.no_field(ty, name)
    }

    /// A field of an enum value that flow knows the variant of.
    pub fn variant_field(
        &mut self,
        value: ExprId,
        ty: Ty,
        decl: DeclId,
        name: ast::Ident,
        here: Span,
    ) -> Option<ExprId> {
        let ExprKind::Local(local) = self.frame().exprs[value.0 as usize].kind else { return None };
        let variant = self.frame().facts.iter().find_map(|f: &Fact| if f.local == local { f.variant } else { None })?;
        let TypeDeclKind::Enum(ast) = self.cx.decl(decl).kind else { return None };
        let index = ast.variants[variant as usize].fields.iter().position(|f| f.name.name == name.name)?;
        let field = self.cx.field_type(ty, variant as usize, index, &mut self.diagnostics);
        self.frame().infos[local.0 as usize].narrowed = true;
        Some(self.emit(ExprKind::VariantField(value, variant, index as u32), field, here))
    }

    pub fn private_field(&mut self, ty: Ty, name: ast::Ident) -> ExprId {
        let shown = self.show(ty);
        let mut diagnostic = Diagnostic::error(
            codes::PRIVATE_MEMBER,
            name.span,
            format!("field `{}` of {shown} is private to its module", name.name),
        );
        if self.find_method(ty, name.name).is_some() {
            diagnostic = diagnostic.help(format!("call the method: `.{}()`", name.name));
        }
        self.fail(diagnostic)
    }

    pub fn no_field(&mut self, ty: Ty, name: ast::Ident) -> ExprId {
        if let TyKind::Param(_) = self.kind(ty) {
            return self.not_promised(ty, name, "field");
        }
        let shown = self.show(ty);
        let mut diagnostic =
            Diagnostic::error(codes::UNKNOWN_MEMBER, name.span, format!("{shown} has no field `{}`", name.name));
        match self.kind(ty) {
            TyKind::Optional(inner) => {
                let has = self.cx.as_decl(inner).is_some_and(|(d, _)| self.cx.member_names(d).contains(&name.name));
                if has {
                    diagnostic =
                        diagnostic.help(format!("it may be nil: write `?.{0}`, or insist with `!.{0}`", name.name));
                }
            }
            TyKind::Struct(decl, _) | TyKind::Enum(decl, _) => {
                if self.find_method(ty, name.name).is_some() {
                    diagnostic = diagnostic.help(format!("it is a method: call it, `.{}()`", name.name));
                } else {
                    let names = self.cx.member_names(decl);
                    diagnostic = did_you_mean(diagnostic, nearest(name.name, names.into_iter()));
                }
            }
            _ => {
                if self.builtin_method(ty, name.name).is_some() {
                    diagnostic = diagnostic.help(format!("it is a method: call it, `.{}()`", name.name));
                } else if name.name.as_str() == "length" || name.name.as_str() == "size" {
                    diagnostic = diagnostic.help("the number of elements is `.len()`");
                }
            }
        }
        self.fail(diagnostic)
    }

    pub fn tuple_field(&mut self, value: ExprId, index: u32, here: Span) -> ExprId {
        let ty = self.ty(value);
        match self.kind(ty) {
            TyKind::Error | TyKind::Never => value,
            TyKind::Tuple(parts) if (index as usize) < parts.len() => {
                self.emit(ExprKind::TupleField(value, index), parts[index as usize], here)
            }
            TyKind::Infer(_) => self.unknown_type(ty, here),
            _ => {
                let shown = self.show(ty);
                self.fail(Diagnostic::error(codes::UNKNOWN_MEMBER, here, format!("{shown} has no element `.{index}`")))
            }
        }
    }

    /// The value that a state stands for.
    pub fn value_of(&mut self, state: State, at: Span, expect: Expect) -> ExprId {
        match state {
            State::Value(id) => id,
            State::Module(_) => {
                self.fail(Diagnostic::error(codes::MODULE_AS_VALUE, at, "this is a module, not a value"))
            }
            State::Type(ty) => {
                let shown = self.show(ty);
                self.fail(Diagnostic::error(codes::TYPE_AS_VALUE, at, format!("`{shown}` is a type, not a value")))
            }
            State::Decl(decl, _) => {
                let name = self.cx.decl_name(decl);
                self.fail(
                    Diagnostic::error(codes::TYPE_AS_VALUE, at, format!("`{name}` is a type, not a value"))
                        .help(format!("to make one, write `{name}(…)`")),
                )
            }
            State::Fn(decl, args) => self.fn_value(decl, &args, Vec::new(), at, expect),
            State::Variant(decl, number, args) => self.bare_variant(decl, number, args, at, expect),
            State::TraitFn(wanted, name) => {
                let of = self.cx.decl_name(wanted);
                let message =
                    format!("`{of}.{}` is not a value: which method it is depends on its argument", name.name);
                let help = format!("write a closure that calls it: `|x| {of}.{}(x)`", name.name);
                self.fail(Diagnostic::error(codes::METHOD_OR_FUNCTION, at, message).help(help))
            }
        }
    }
}
