//! Postfix chains: what follows a name or value, step by step. A chain may start at a module, a type, a variant or
//! a value; `?.` takes the rest of the chain into a branch.

use super::body::{Binding, Body, Expect, Fact, ResultMode, Stable, Wrap};
use super::coerce::Why;
use super::decls::{Def, FnDeclId, TypeDeclKind};
use super::instance::What;
use super::modules::{CORE, ModuleId};
use super::report::{did_you_mean, nearest};
use super::resolve::builtin;
use crate::diagnostic::{Code, Diagnostic};
use crate::hir::{DeclId, ExprId, ExprKind, Intrinsic, Ty, TyKind};
use crate::prim::Prim;
use crate::syntax::ast::{self, PostfixKind};
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
    fn chain_start(&mut self, base: &'a ast::Expr, ops: &'a [ast::Postfix], expect: Expect) -> (State, usize) {
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
            _ => {
                let hint = if ops.is_empty() { expect } else { Expect::Any };
                (State::Value(self.expr(base, hint)), 0)
            }
        }
    }

    /// A local function is generic over what the function around it is generic over.
    pub fn enclosing_args(&self, decl: FnDeclId) -> Vec<Ty> {
        let declared = self.cx.function(decl);
        let names = &declared.generics[..declared.owner_generics];
        let find = |name: &Symbol| self.env.types.iter().rev().find(|(n, _)| n == name).map_or(Ty::ERROR, |t| t.1);
        names.iter().map(find).collect()
    }

    /// What a name with a capital (or a built-in type's name) means.
    fn type_start(&mut self, name: Symbol, span: Span, expect: Expect) -> State {
        if let Some(&(_, ty)) = self.env.types.iter().rev().find(|(n, _)| *n == name) {
            return self.state_of_type(ty);
        }
        if name.as_str() == "Self" {
            if let Some(ty) = self.env.self_ty {
                return self.state_of_type(ty);
            }
            return State::Value(self.fail(Diagnostic::error(Code(207), span, "`Self` has no meaning here")));
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
                        Diagnostic::error(Code(217), span, format!("`{name}` is a variant of both `{a}` and `{b}`"))
                            .help(format!("write `{a}.{name}` or `{b}.{name}`")),
                    ),
                )
            }
        }
    }

    fn state_of_type(&self, ty: Ty) -> State {
        match self.cx.as_decl(ty) {
            Some((decl, args)) => State::Decl(decl, Some(args)),
            None => State::Type(ty),
        }
    }

    fn unknown_type_name(&mut self, name: Symbol, span: Span) -> ExprId {
        let near = {
            let scopes = [&self.cx.scopes[self.module.0 as usize], &self.cx.scopes[CORE.0 as usize]];
            let names = scopes.iter().flat_map(|s| s.names.keys().chain(s.variants.keys()).copied());
            nearest(name, names)
        };
        let mut diagnostic =
            Diagnostic::error(Code(214), span, format!("there is no type, variant or constant `{name}` here"))
                .label("not found");
        diagnostic = match name.as_str() {
            "None" | "Null" => diagnostic.help("absence is `nil`"),
            "Some" => diagnostic.help("a value becomes a `T?` by itself; no wrapper is written"),
            "True" | "False" => diagnostic.help("truth values are `true` and `false`"),
            _ => did_you_mean(diagnostic, near),
        };
        self.fail(diagnostic)
    }

    fn chain(&mut self, mut state: State, mut at: Span, ops: &'a [ast::Postfix], span: Span, expect: Expect) -> ExprId {
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

    // ---- `?.`

    fn optional_chain(
        &mut self,
        value: ExprId,
        name: ast::Ident,
        rest: &'a [ast::Postfix],
        here: Span,
        span: Span,
        expect: Expect,
    ) -> ExprId {
        let ty = self.ty(value);
        let TyKind::Optional(inner) = self.kind(ty) else {
            if ty == Ty::ERROR || ty == Ty::NEVER {
                return value;
            }
            let shown = self.show(ty);
            return self.fail(
                Diagnostic::error(
                    Code(311),
                    name.span,
                    format!("`?.` has nothing to do: this is never nil, its type is {shown}"),
                )
                .help("write `.`"),
            );
        };
        let mut lets = Vec::new();
        let subject = self.stable("#optional", value, &mut lets);
        let read = self.again(&subject);
        let test = self.emit(ExprKind::IsNil(read), Ty::BOOL, span);
        let read = self.again(&subject);
        let inside = self.emit(ExprKind::Unwrap(read), inner, here);
        // what is known inside the chain is not known after it
        let before = self.frame().facts.clone();
        let result = self.after_optional(State::Value(inside), name, rest, here, span, Expect::Any);
        self.frame().facts = before;
        let result_ty = self.ty(result);
        if result_ty == Ty::ERROR {
            return result;
        }
        if result_ty == Ty::UNIT || result_ty == Ty::NEVER || expect == Expect::Nothing {
            let result = self.discard(result, span);
            let unit = self.unit(span);
            let kind = ExprKind::Cond { arms: vec![(test, unit)], otherwise: Some(result) };
            let id = self.emit(kind, Ty::UNIT, span);
            return self.sequence(lets, id, span);
        }
        let (ty, result) = if self.is_optional(result_ty) {
            (result_ty, result)
        } else {
            let ty = self.cx.optional(result_ty);
            (ty, self.emit(ExprKind::Wrap(result), ty, span))
        };
        let nil = self.emit(ExprKind::Nil, ty, span);
        let id = self.emit(ExprKind::Cond { arms: vec![(test, nil)], otherwise: Some(result) }, ty, span);
        self.sequence(lets, id, span)
    }

    /// The rest of a chain behind `?.name`.
    fn after_optional(
        &mut self,
        state: State,
        name: ast::Ident,
        rest: &'a [ast::Postfix],
        here: Span,
        span: Span,
        expect: Expect,
    ) -> ExprId {
        if let (State::Value(value), Some(ast::Postfix { kind: PostfixKind::Call(args), span: call })) =
            (&state, rest.first())
        {
            let value = *value;
            let whole = if here.file == call.file { here.to(*call) } else { *call };
            let wanted = if rest.len() == 1 { expect } else { Expect::Any };
            let value = self.method_call(value, name, args, whole, wanted);
            return self.chain(State::Value(value), whole, &rest[1..], span, expect);
        }
        let state = self.member(state, name, here);
        self.chain(state, here, rest, span, expect)
    }

    // ---- `?` and `!`

    /// Whether there is no function to leave: top-level statements and tests.
    fn at_top(&self) -> bool {
        self.frames.len() == 1 && matches!(self.cx.instance(self.id).what, What::Init(_) | What::Entry | What::Test(_))
    }

    /// `value?`
    pub fn propagate(&mut self, value: ExprId, span: Span) -> ExprId {
        let ty = self.ty(value);
        if ty == Ty::ERROR || ty == Ty::NEVER {
            return value;
        }
        if self.at_top() {
            return self.unwrap(value, span);
        }
        let mut lets = Vec::new();
        match self.kind(ty) {
            TyKind::Optional(inner) => {
                let Some(leave) = self.leave_with(Wrap::Optional, None, span) else { return self.bad(span) };
                let subject = self.stable("#optional", value, &mut lets);
                let read = self.again(&subject);
                let test = self.emit(ExprKind::IsNil(read), Ty::BOOL, span);
                let read = self.again(&subject);
                let inside = self.emit(ExprKind::Unwrap(read), inner, span);
                let kind = ExprKind::Cond { arms: vec![(test, leave)], otherwise: Some(inside) };
                let id = self.emit(kind, inner, span);
                self.sequence(lets, id, span)
            }
            TyKind::Enum(decl, args) if Some(decl) == self.cx.lang.result => {
                let subject = self.stable("#result", value, &mut lets);
                let error_ty = self.cx.error_type();
                let read = self.again(&subject);
                let error = self.emit(ExprKind::VariantField(read, 1, 0), error_ty, span);
                let Some(leave) = self.leave_with(Wrap::Result, Some(error), span) else { return self.bad(span) };
                let read = self.again(&subject);
                let tag = self.emit(ExprKind::Tag(read), Ty::INT, span);
                let err = self.int(1, span);
                let test = self.emit(ExprKind::Prim(Prim::IntEq, vec![tag, err]), Ty::BOOL, span);
                let read = self.again(&subject);
                let inside = self.emit(ExprKind::VariantField(read, 0, 0), args[0], span);
                let kind = ExprKind::Cond { arms: vec![(test, leave)], otherwise: Some(inside) };
                let id = self.emit(kind, args[0], span);
                self.sequence(lets, id, span)
            }
            TyKind::Infer(_) => self.unknown_type(ty, span),
            _ => {
                let shown = self.show(ty);
                self.fail(
                    Diagnostic::error(
                        Code(311),
                        span,
                        format!("`?` has nothing to do: a value of type {shown} is neither nil nor an error"),
                    )
                    .help("leave the `?` out"),
                )
            }
        }
    }

    /// The early return of `?`; None after an error.
    fn leave_with(&mut self, wrap: Wrap, error: Option<ExprId>, span: Span) -> Option<ExprId> {
        let what = if wrap == Wrap::Result { "an error" } else { "nil" };
        let result = match self.frame().result.clone() {
            ResultMode::Fixed(ty) => {
                let fits = match wrap {
                    Wrap::Result => self.is_result(ty),
                    Wrap::Optional => self.is_optional(ty) || self.optional_in_result(ty),
                };
                if !fits {
                    let shown = self.show(ty);
                    self.report(
                        Diagnostic::error(
                            Code(315),
                            span,
                            format!("`?` can't leave with {what}: the result here is {shown}"),
                        )
                        .help(match wrap {
                            Wrap::Result => "insist with `!`, or give the function a result type `T!`",
                            Wrap::Optional => "insist with `!`, or give the function a result type `T?`",
                        }),
                    );
                    return None;
                }
                ty
            }
            ResultMode::Inferred { wrap: before, .. } => {
                if before.is_some_and(|b| b != wrap) {
                    self.report(
                        Diagnostic::error(
                            Code(315),
                            span,
                            "this function leaves with nil here and with an error elsewhere",
                        )
                        .help("annotate its result type"),
                    );
                    return None;
                }
                if let ResultMode::Inferred { wrap: slot, .. } = &mut self.frame().result {
                    *slot = Some(wrap);
                }
                let inner = self.fresh(span);
                match wrap {
                    Wrap::Result => self.cx.result_of(inner),
                    Wrap::Optional => self.cx.optional(inner),
                }
            }
        };
        let value = match error {
            Some(error) => self.emit(ExprKind::Variant(1, vec![error]), result, span),
            None => {
                let nil_ty = self.nil_type(result);
                let nil = self.emit(ExprKind::Nil, nil_ty, span);
                self.coerce(nil, result, span, Why::Result)
            }
        };
        let id = self.emit(ExprKind::Return(value), Ty::NEVER, span);
        if let ResultMode::Inferred { returns, .. } = &mut self.frame().result {
            returns.push(id);
        }
        Some(id)
    }

    fn optional_in_result(&mut self, ty: Ty) -> bool {
        let ty = self.nil_type(ty);
        self.is_optional(ty)
    }

    /// `T?` in `T?` or `T?!`.
    fn nil_type(&mut self, ty: Ty) -> Ty {
        match self.kind(ty) {
            TyKind::Enum(decl, args) if Some(decl) == self.cx.lang.result => args[0],
            _ => ty,
        }
    }

    /// `value!`
    pub fn unwrap(&mut self, value: ExprId, span: Span) -> ExprId {
        let ty = self.ty(value);
        let mut lets = Vec::new();
        match self.kind(ty) {
            TyKind::Error | TyKind::Never => value,
            TyKind::Optional(inner) => {
                let subject = self.stable("#optional", value, &mut lets);
                let read = self.again(&subject);
                let test = self.emit(ExprKind::IsNil(read), Ty::BOOL, span);
                let trap = self.emit(ExprKind::Trap(tenure_runtime::trap::TrapKind::Unwrap), Ty::NEVER, span);
                let read = self.again(&subject);
                let inside = self.emit(ExprKind::Unwrap(read), inner, span);
                let kind = ExprKind::Cond { arms: vec![(test, trap)], otherwise: Some(inside) };
                let id = self.emit(kind, inner, span);
                self.sequence(lets, id, span)
            }
            TyKind::Enum(decl, args) if Some(decl) == self.cx.lang.result => {
                let subject = self.stable("#result", value, &mut lets);
                let error_ty = self.cx.error_type();
                let read = self.again(&subject);
                let tag = self.emit(ExprKind::Tag(read), Ty::INT, span);
                let err = self.int(1, span);
                let test = self.emit(ExprKind::Prim(Prim::IntEq, vec![tag, err]), Ty::BOOL, span);
                let read = self.again(&subject);
                let error = self.emit(ExprKind::VariantField(read, 1, 0), error_ty, span);
                let throw = self.emit(ExprKind::Intrinsic(Intrinsic::Throw, vec![error]), Ty::NEVER, span);
                let read = self.again(&subject);
                let inside = self.emit(ExprKind::VariantField(read, 0, 0), args[0], span);
                let kind = ExprKind::Cond { arms: vec![(test, throw)], otherwise: Some(inside) };
                let id = self.emit(kind, args[0], span);
                self.sequence(lets, id, span)
            }
            TyKind::Infer(_) => self.unknown_type(ty, span),
            _ => {
                let shown = self.show(ty);
                self.fail(
                    Diagnostic::error(
                        Code(311),
                        span,
                        format!("`!` has nothing to do: a value of type {shown} is never nil"),
                    )
                    .help("leave the `!` out"),
                )
            }
        }
    }

    // ---- members

    fn member(&mut self, state: State, name: ast::Ident, here: Span) -> State {
        match state {
            State::Value(value) => State::Value(self.field(value, name, here)),
            State::Module(module) => self.module_member(module, name),
            State::Decl(decl, args) => {
                if let Some(number) = self.cx.variant_number(decl, name.name) {
                    return State::Variant(decl, number, args);
                }
                if let Some(method) = self.cx.method(decl, name.name) {
                    let args = self.owner_args(decl, args, here);
                    return State::Fn(method, args);
                }
                let names = self.cx.member_names(decl);
                let what = self.cx.decl(decl).name.name;
                let message = format!("`{what}` has no variant or function `{}`", name.name);
                let near = nearest(name.name, names.into_iter());
                State::Value(self.fail(did_you_mean(Diagnostic::error(Code(218), name.span, message), near)))
            }
            State::Type(ty) => {
                let shown = self.show(ty);
                match self.builtin_method(ty, name.name) {
                    Some(decl) => State::Fn(decl, Vec::new()),
                    None => {
                        let message = format!("`{shown}` has no function `{}`", name.name);
                        State::Value(self.fail(Diagnostic::error(Code(218), name.span, message)))
                    }
                }
            }
            State::Fn(..) | State::Variant(..) => {
                let value = self.value_of(state, here, Expect::Any);
                State::Value(self.field(value, name, here))
            }
        }
    }

    fn module_member(&mut self, module: ModuleId, name: ast::Ident) -> State {
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
                    Diagnostic::error(Code(205), name.span, format!("`{}` is private to module `{path}`", name.name))
                        .help("write `pub` before its declaration to let other modules use it")
                } else {
                    let names = self.cx.scopes[module.0 as usize].names.iter();
                    let near = nearest(name.name, names.filter(|n| self.cx.is_public(n.1.0)).map(|n| *n.0));
                    let message = format!("module `{path}` has no `{}`", name.name);
                    did_you_mean(Diagnostic::error(Code(206), name.span, message), near)
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

    fn field(&mut self, value: ExprId, name: ast::Ident, here: Span) -> ExprId {
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
                    if module != self.module && ast.fields[index].public.is_none() {
                        return self.private_field(ty, decl, name);
                    }
                    let field = self.cx.field_type(ty, 0, index, &mut self.diagnostics);
                    return self.emit(ExprKind::Field(value, index as u32), field, here);
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
    fn variant_field(&mut self, value: ExprId, ty: Ty, decl: DeclId, name: ast::Ident, here: Span) -> Option<ExprId> {
        let ExprKind::Local(local) = self.frame().exprs[value.0 as usize].kind else { return None };
        let variant = self.frame().facts.iter().find_map(|f: &Fact| if f.local == local { f.variant } else { None })?;
        let TypeDeclKind::Enum(ast) = self.cx.decl(decl).kind else { return None };
        let index = ast.variants[variant as usize].fields.iter().position(|f| f.name.name == name.name)?;
        let field = self.cx.field_type(ty, variant as usize, index, &mut self.diagnostics);
        self.frame().infos[local.0 as usize].narrowed = true;
        Some(self.emit(ExprKind::VariantField(value, variant, index as u32), field, here))
    }

    fn private_field(&mut self, ty: Ty, decl: DeclId, name: ast::Ident) -> ExprId {
        let shown = self.show(ty);
        let mut diagnostic = Diagnostic::error(
            Code(219),
            name.span,
            format!("field `{}` of {shown} is private to its module", name.name),
        );
        if self.cx.method(decl, name.name).is_some() {
            diagnostic = diagnostic.help(format!("call the method: `.{}()`", name.name));
        }
        self.fail(diagnostic)
    }

    fn no_field(&mut self, ty: Ty, name: ast::Ident) -> ExprId {
        let shown = self.show(ty);
        let mut diagnostic = Diagnostic::error(Code(218), name.span, format!("{shown} has no field `{}`", name.name));
        match self.kind(ty) {
            TyKind::Optional(inner) => {
                let has = self.cx.as_decl(inner).is_some_and(|(d, _)| self.cx.member_names(d).contains(&name.name));
                if has {
                    diagnostic =
                        diagnostic.help(format!("it may be nil: write `?.{0}`, or insist with `!.{0}`", name.name));
                }
            }
            TyKind::Struct(decl, _) | TyKind::Enum(decl, _) => {
                if self.cx.method(decl, name.name).is_some() {
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

    fn tuple_field(&mut self, value: ExprId, index: u32, here: Span) -> ExprId {
        let ty = self.ty(value);
        match self.kind(ty) {
            TyKind::Error | TyKind::Never => value,
            TyKind::Tuple(parts) if (index as usize) < parts.len() => {
                self.emit(ExprKind::TupleField(value, index), parts[index as usize], here)
            }
            TyKind::Infer(_) => self.unknown_type(ty, here),
            _ => {
                let shown = self.show(ty);
                self.fail(Diagnostic::error(Code(218), here, format!("{shown} has no element `.{index}`")))
            }
        }
    }

    /// The value that a state stands for.
    pub fn value_of(&mut self, state: State, at: Span, expect: Expect) -> ExprId {
        match state {
            State::Value(id) => id,
            State::Module(_) => self.fail(Diagnostic::error(Code(213), at, "this is a module, not a value")),
            State::Type(ty) => {
                let shown = self.show(ty);
                self.fail(Diagnostic::error(Code(220), at, format!("`{shown}` is a type, not a value")))
            }
            State::Decl(decl, _) => {
                let name = self.cx.decl_name(decl);
                self.fail(
                    Diagnostic::error(Code(220), at, format!("`{name}` is a type, not a value"))
                        .help(format!("to make one, write `{name}(…)`")),
                )
            }
            State::Fn(decl, args) => self.fn_value(decl, &args, Vec::new(), at, expect),
            State::Variant(decl, number, args) => self.bare_variant(decl, number, args, at, expect),
        }
    }

    // ---- indexing

    fn index_state(&mut self, state: State, args: &'a [ast::IndexArg], at: Span, here: Span) -> State {
        match state {
            State::Decl(decl, None) => {
                let types: Vec<Ty> = args.iter().map(|arg| self.index_type(arg)).collect();
                let wanted = if decl == super::traits::ARRAY { 1 } else { self.cx.decl(decl).generics.len() };
                if types.len() != wanted {
                    let name = self.cx.decl_name(decl);
                    let message = format!(
                        "`{name}` takes {}, not {}",
                        super::report::count(wanted, "type argument"),
                        types.len()
                    );
                    return State::Value(self.fail(Diagnostic::error(Code(304), here, message)));
                }
                State::Decl(decl, Some(types))
            }
            State::Fn(decl, mut owner) if !self.cx.function(decl).generics.is_empty() => {
                let types: Vec<Ty> = args.iter().map(|arg| self.index_type(arg)).collect();
                let declared = self.cx.function(decl);
                if declared.generics.len() != owner.len() + types.len() {
                    let wanted = declared.generics.len() - owner.len().min(declared.generics.len());
                    let name = declared.ast.name.name;
                    let message = format!(
                        "`{name}` takes {}, not {}",
                        super::report::count(wanted, "type argument"),
                        types.len()
                    );
                    return State::Value(self.fail(Diagnostic::error(Code(304), here, message)));
                }
                owner.extend(types);
                State::Fn(decl, owner)
            }
            state => {
                let value = self.value_of(state, at, Expect::Any);
                let [ast::IndexArg::Expr(index)] = args else {
                    return State::Value(self.fail(Diagnostic::error(Code(316), here, "one index is expected here")));
                };
                State::Value(self.index(value, index, here))
            }
        }
    }

    /// A type written between index brackets.
    fn index_type(&mut self, arg: &'a ast::IndexArg) -> Ty {
        match arg {
            ast::IndexArg::Type(ty) => self.resolve(ty),
            ast::IndexArg::Expr(e) => match type_of_expr(e) {
                Some(ty) => self.resolve(&ty),
                None => {
                    self.report(Diagnostic::error(Code(316), e.span, "a type is expected here"));
                    Ty::ERROR
                }
            },
        }
    }

    fn index(&mut self, value: ExprId, index: &'a ast::Expr, here: Span) -> ExprId {
        let ty = self.ty(value);
        if let ast::ExprKind::Range { lo, hi, inclusive } = &index.kind {
            return self.slice(value, lo.as_deref(), hi.as_deref(), *inclusive, here);
        }
        let mut lets = Vec::new();
        match self.kind(ty) {
            TyKind::Error | TyKind::Never => {
                self.expr(index, Expect::Any);
                value
            }
            TyKind::Str => {
                let at = self.expr_to(index, Ty::INT, Why::Index);
                self.emit(ExprKind::Intrinsic(Intrinsic::StrByte, vec![value, at]), Ty::BYTE, here)
            }
            TyKind::Array(element) => {
                let at = self.expr_to(index, Ty::INT, Why::Index);
                self.emit(ExprKind::Intrinsic(Intrinsic::ArrayGet, vec![value, at]), element, here)
            }
            TyKind::Struct(decl, args) if Some(decl) == self.cx.lang.list => {
                let base = self.stable("#list", value, &mut lets);
                let at = self.expr_to(index, Ty::INT, Why::Index);
                let at = self.stable("#index", at, &mut lets);
                let id = self.element(&base, &at, args[0], here);
                self.sequence(lets, id, here)
            }
            TyKind::Struct(decl, args) if Some(decl) == self.cx.lang.map => {
                let key = self.expr_to(index, args[0], Why::Index);
                self.method_ids(value, "get", vec![key], here)
            }
            TyKind::Infer(_) => {
                self.expr(index, Expect::Any);
                self.unknown_type(ty, here)
            }
            TyKind::Tuple(_) => {
                self.expr(index, Expect::Any);
                self.fail(
                    Diagnostic::error(Code(316), here, "a tuple can't be indexed").help("name the element: `.0`, `.1`"),
                )
            }
            _ => {
                let key = self.expr(index, Expect::Any);
                if self.has_method(ty, "index") {
                    return self.method_ids(value, "index", vec![key], here);
                }
                let shown = self.show(ty);
                let mut diagnostic =
                    Diagnostic::error(Code(316), here, format!("a value of type {shown} can't be indexed"));
                if self.is_optional(ty) {
                    diagnostic = diagnostic.help("it may be nil: insist with `!` before the index");
                }
                self.fail(diagnostic)
            }
        }
    }

    /// `base[from..to]`
    fn slice(
        &mut self,
        value: ExprId,
        lo: Option<&'a ast::Expr>,
        hi: Option<&'a ast::Expr>,
        inclusive: bool,
        here: Span,
    ) -> ExprId {
        let mut lets = Vec::new();
        let base = self.stable("#base", value, &mut lets);
        let lo = match lo {
            Some(lo) => self.expr_to(lo, Ty::INT, Why::Index),
            None => self.int(0, here),
        };
        let hi = match hi {
            Some(hi) => {
                let id = self.expr_to(hi, Ty::INT, Why::Index);
                if inclusive {
                    let one = self.int(1, hi.span);
                    self.emit(ExprKind::Prim(Prim::IntAdd, vec![id, one]), Ty::INT, hi.span)
                } else {
                    id
                }
            }
            None => {
                let base = self.again(&base);
                self.method_ids(base, "len", Vec::new(), here)
            }
        };
        let ty = self.ty(value);
        let value = self.again(&base);
        let id = match ty {
            Ty::STR => self.emit(ExprKind::Intrinsic(Intrinsic::StrSlice, vec![value, lo, hi]), Ty::STR, here),
            _ => self.method_ids(value, "slice", vec![lo, hi], here),
        };
        self.sequence(lets, id, here)
    }

    /// Numbers of `List`'s fields `items` and `len`.
    pub fn list_fields(&self) -> (u32, u32) {
        let Some(decl) = self.cx.lang.list else { return (0, 1) };
        let TypeDeclKind::Struct(ast) = self.cx.decl(decl).kind else { return (0, 1) };
        let find = |name: &str| ast.fields.iter().position(|f| f.name.name.as_str() == name).unwrap_or(0) as u32;
        (find("items"), find("len"))
    }

    /// The element of a list or array, its index checked.
    pub fn element(&mut self, base: &Stable, index: &Stable, element: Ty, span: Span) -> ExprId {
        if let TyKind::Array(_) = self.kind(base.0.ty) {
            let (array, at) = (self.again(base), self.again(index));
            return self.emit(ExprKind::Intrinsic(Intrinsic::ArrayGet, vec![array, at]), element, span);
        }
        let check = self.bounds_check(base, index, span);
        let array = self.items(base, element, span);
        let at = self.again(index);
        let get = self.emit(ExprKind::Intrinsic(Intrinsic::ArrayGetUnchecked, vec![array, at]), element, span);
        self.sequence(vec![check], get, span)
    }

    /// Sets the element of a list or array, its index checked.
    pub fn set_element(&mut self, base: &Stable, index: &Stable, value: &Stable, span: Span) -> ExprId {
        let element = value.0.ty;
        if let TyKind::Array(_) = self.kind(base.0.ty) {
            let (array, at, value) = (self.again(base), self.again(index), self.again(value));
            return self.emit(ExprKind::Intrinsic(Intrinsic::ArraySet, vec![array, at, value]), Ty::UNIT, span);
        }
        let check = self.bounds_check(base, index, span);
        let array = self.items(base, element, span);
        let (at, value) = (self.again(index), self.again(value));
        let set = self.emit(ExprKind::Intrinsic(Intrinsic::ArraySetUnchecked, vec![array, at, value]), Ty::UNIT, span);
        self.emit(ExprKind::Block(vec![check, set], None), Ty::UNIT, span)
    }

    fn bounds_check(&mut self, base: &Stable, index: &Stable, span: Span) -> ExprId {
        let (_, len) = self.list_fields();
        let (list, at) = (self.again(base), self.again(index));
        let len = self.emit(ExprKind::Field(list, len), Ty::INT, span);
        self.emit(ExprKind::Intrinsic(Intrinsic::BoundsCheck, vec![at, len]), Ty::UNIT, span)
    }

    fn items(&mut self, base: &Stable, element: Ty, span: Span) -> ExprId {
        let (items, _) = self.list_fields();
        let array_ty = self.cx.array_of(element);
        let list = self.again(base);
        self.emit(ExprKind::Field(list, items), array_ty, span)
    }

    // ---- assignment

    /// Evaluates the parts of an assignment's target; None after an error.
    pub fn place(&mut self, target: &'a ast::Expr, lets: &mut Vec<ExprId>) -> Option<Place> {
        let ast::ExprKind::Postfix { base, ops } = &target.kind else {
            self.report(
                Diagnostic::error(Code(317), target.span, "this can't be assigned")
                    .help("a variable, a field, or an element of a list or map can"),
            );
            return None;
        };
        let (last, before) = ops.split_last()?;
        let (state, used) = self.chain_start(base, ops, Expect::Any);
        if let (State::Module(_), PostfixKind::Field(name)) = (&state, &last.kind) {
            let message = format!("`{}` can only be assigned by its own module", name.name);
            self.report(Diagnostic::error(Code(310), target.span, message));
            return None;
        }
        let span = if before.is_empty() { base.span } else { target.span };
        let value = self.chain(state, base.span, &before[used..], span, Expect::Any);
        let ty = self.ty(value);
        if ty == Ty::ERROR {
            return None;
        }
        match &last.kind {
            PostfixKind::Field(name) => self.field_place(value, *name, lets),
            PostfixKind::Index(args) => {
                let [ast::IndexArg::Expr(index)] = args.as_slice() else {
                    self.report(Diagnostic::error(Code(316), last.span, "one index is expected here"));
                    return None;
                };
                match self.kind(ty) {
                    TyKind::Array(element) => {
                        let base = self.stable("#array", value, lets);
                        let at = self.expr_to(index, Ty::INT, Why::Index);
                        let index = self.stable("#index", at, lets);
                        Some(Place::Element { base, index, element })
                    }
                    TyKind::Struct(decl, types) if Some(decl) == self.cx.lang.list => {
                        let base = self.stable("#list", value, lets);
                        let at = self.expr_to(index, Ty::INT, Why::Index);
                        let index = self.stable("#index", at, lets);
                        Some(Place::Element { base, index, element: types[0] })
                    }
                    TyKind::Struct(decl, types) if Some(decl) == self.cx.lang.map => {
                        let base = self.stable("#map", value, lets);
                        let key = self.expr_to(index, types[0], Why::Index);
                        let key = self.stable("#key", key, lets);
                        Some(Place::Entry { base, key, value: types[1] })
                    }
                    _ => {
                        let shown = self.show(ty);
                        let message = format!("elements of {shown} can't be assigned");
                        self.report(Diagnostic::error(Code(317), target.span, message));
                        None
                    }
                }
            }
            _ => {
                self.report(
                    Diagnostic::error(Code(317), target.span, "this can't be assigned")
                        .help("a variable, a field, or an element of a list or map can"),
                );
                None
            }
        }
    }

    fn field_place(&mut self, value: ExprId, name: ast::Ident, lets: &mut Vec<ExprId>) -> Option<Place> {
        let ty = self.ty(value);
        let TyKind::Struct(decl, _) = self.kind(ty) else {
            self.field(value, name, name.span);
            if self.diagnostics.is_empty() {
                let shown = self.show(ty);
                self.report(Diagnostic::error(Code(317), name.span, format!("fields of {shown} can't be assigned")));
            }
            return None;
        };
        let declared = self.cx.decl(decl);
        let TypeDeclKind::Struct(ast) = declared.kind else { return None };
        let module = declared.module;
        let Some(index) = ast.fields.iter().position(|f| f.name.name == name.name) else {
            self.no_field(ty, name);
            return None;
        };
        let field = &ast.fields[index];
        if module != self.module && field.public.is_none() {
            self.private_field(ty, decl, name);
            return None;
        }
        if !field.mutable {
            self.report(
                Diagnostic::error(Code(310), name.span, format!("field `{}` can't be assigned", name.name))
                    .and(field.name.span, "declared without `var`")
                    .help(format!("declare it `var {}` to be able to change it", name.name)),
            );
        }
        let field = self.cx.field_type(ty, 0, index, &mut self.diagnostics);
        let base = self.stable("#base", value, lets);
        Some(Place::Field { base, ty, index: index as u32, field })
    }
}

/// An expression read as a type: `int`, `Node[int]`, `[str]`, `[str: int]`, `(int, str)`.
fn type_of_expr(e: &ast::Expr) -> Option<ast::TypeExpr> {
    let kind = match &e.kind {
        ast::ExprKind::TypeName(name) => {
            ast::TypeKind::Named { path: vec![ast::Ident { name: *name, span: e.span }], args: Vec::new() }
        }
        ast::ExprKind::Tuple(parts) => ast::TypeKind::Tuple(parts.iter().map(type_of_expr).collect::<Option<_>>()?),
        ast::ExprKind::List(items) if items.len() == 1 => ast::TypeKind::List(Box::new(type_of_expr(&items[0])?)),
        ast::ExprKind::Map(entries) if entries.len() == 1 => {
            let (key, value) = &entries[0];
            ast::TypeKind::Map(Box::new(type_of_expr(key)?), Box::new(type_of_expr(value)?))
        }
        ast::ExprKind::Postfix { base, ops } => {
            let mut path = match base.kind {
                ast::ExprKind::TypeName(name) | ast::ExprKind::Name(name) => vec![ast::Ident { name, span: base.span }],
                _ => return None,
            };
            let mut args = Vec::new();
            for op in ops {
                match &op.kind {
                    PostfixKind::Field(name) if args.is_empty() => path.push(*name),
                    PostfixKind::Index(list) if args.is_empty() => {
                        for arg in list {
                            args.push(match arg {
                                ast::IndexArg::Expr(e) => type_of_expr(e)?,
                                ast::IndexArg::Type(ty) => ty.clone(),
                            });
                        }
                    }
                    _ => return None,
                }
            }
            ast::TypeKind::Named { path, args }
        }
        _ => return None,
    };
    Some(ast::TypeExpr { kind, span: e.span })
}
