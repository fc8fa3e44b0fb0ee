//! Calls: matching arguments to parameters, finding type arguments, asking for instances; building structs, variants
//! and arrays; conversions.
//!
//! Arguments are evaluated as written, defaults after them; where that order differs from the parameters', arguments
//! go through locals (H6).

use super::body::{Binding, Body, Expect, PendingKind};
use super::coerce::Why;
use super::decls::{FnDeclId, FnKind, Owner, TypeDeclKind};
use super::derive::Derive;
use super::modules::{CORE, ModuleId};
use super::postfix::State;
use super::report::{count, did_you_mean, list, nearest};
use super::resolve::Env;
use super::traits::ARRAY;
use crate::diagnostic::{Code, Diagnostic};
use crate::hir::{DeclId, ExprId, ExprKind, Intrinsic, Ty, TyKind};
use crate::prim::Prim;
use crate::syntax::ast;
use crate::syntax::span::Span;
use crate::syntax::symbol::Symbol;
use std::rc::Rc;

/// A parameter or field as a call sees it.
struct Slot<'a> {
    name: Symbol,
    /// None for a template's parameter.
    ty: Option<Ty>,
    default: Option<&'a ast::Expr>,
}

/// What is called, for messages.
#[derive(Clone, Copy)]
struct Callee {
    name: Symbol,
    /// Where it is declared.
    span: Span,
}

impl<'a> Body<'_, 'a> {
    /// A call on what a chain has reached.
    pub fn call_state(&mut self, state: State, args: &'a [ast::Arg], at: Span, here: Span, expect: Expect) -> ExprId {
        match state {
            State::Value(value) => self.call_value(value, args, here),
            State::Fn(decl, owner) => self.call_fn(decl, owner, Vec::new(), args, here, expect),
            State::Variant(decl, number, types) => self.make_variant(decl, number, types, args, here, expect),
            State::Decl(ARRAY, types) => self.make_array(types, args, here, expect),
            State::Decl(decl, types) => self.make_struct(decl, types, args, here, expect),
            State::Type(ty) => self.convert(ty, args, here),
            State::Module(_) => {
                self.check_anyway(args);
                self.fail(Diagnostic::error(Code(213), at, "this is a module, it can't be called"))
            }
        }
    }

    /// Checks arguments of a call that can't be made, for the mistakes in them.
    fn check_anyway(&mut self, args: &'a [ast::Arg]) {
        for arg in args {
            self.expr(&arg.value, Expect::Any);
        }
    }

    fn call_value(&mut self, value: ExprId, args: &'a [ast::Arg], here: Span) -> ExprId {
        let ty = self.ty(value);
        match self.kind(ty) {
            TyKind::Error | TyKind::Never => {
                self.check_anyway(args);
                value
            }
            TyKind::Fn(params, result) => {
                if let Some(arg) = args.iter().find_map(|a| a.name) {
                    self.report(Diagnostic::error(Code(318), arg.span, "a function value has no parameter names"));
                }
                if params.len() != args.len() {
                    self.check_anyway(args);
                    let shown = self.show(ty);
                    let message = format!("this takes {}, not {}", count(params.len(), "argument"), args.len());
                    return self.fail(Diagnostic::error(Code(318), here, message).label(shown));
                }
                let ids = args.iter().zip(&params).map(|(a, &p)| self.expr_to(&a.value, p, Why::Argument)).collect();
                // the call has revealed what a closure's parameters are
                let mut result = self.shallow(result);
                if matches!(self.kind(result), TyKind::Infer(_)) {
                    self.force_deferred();
                    result = self.shallow(result);
                }
                self.emit(ExprKind::CallValue(value, ids), result, here)
            }
            TyKind::Infer(_) => {
                let ids: Vec<ExprId> = args.iter().map(|a| self.expr(&a.value, Expect::Any)).collect();
                let params = ids.iter().map(|&id| self.ty(id)).collect();
                let result = self.fresh(here);
                let function = self.cx.types.intern(TyKind::Fn(params, result));
                self.unify(ty, function);
                self.emit(ExprKind::CallValue(value, ids), result, here)
            }
            _ => {
                self.check_anyway(args);
                let (shown, at) = (self.show(ty), self.span(value));
                self.fail(Diagnostic::error(Code(318), at, format!("a value of type {shown} can't be called")))
            }
        }
    }

    // ---- methods

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
                self.report(Diagnostic::error(Code(219), name.span, message));
            }
            let builtin = self.cx.function(method).owner == Owner::None;
            if !receiver && !builtin {
                self.check_anyway(args);
                let shown = self.show(ty);
                return self.fail(
                    Diagnostic::error(
                        Code(319),
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

    fn visible_field(&mut self, ty: Ty, name: Symbol) -> Option<(u32, Ty)> {
        let (decl, _) = self.cx.as_decl(ty)?;
        let TypeDeclKind::Struct(ast) = self.cx.decl(decl).kind else { return None };
        let field = ast.fields.iter().find(|f| f.name.name == name)?;
        let visible = self.cx.decl(decl).module == self.module || field.public.is_some();
        if visible { self.field_named(ty, name.as_str()) } else { None }
    }

    fn no_method(&mut self, ty: Ty, name: ast::Ident) -> ExprId {
        let shown = self.show(ty);
        let mut diagnostic = Diagnostic::error(Code(218), name.span, format!("{shown} has no method `{}`", name.name));
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

    // ---- functions

    /// The type arguments of a call: those given, then unknown ones.
    fn type_args(&mut self, decl: FnDeclId, mut given: Vec<Ty>, span: Span) -> Vec<Ty> {
        let wanted = self.cx.function(decl).generics.len();
        while given.len() < wanted {
            given.push(self.fresh(span));
        }
        given
    }

    /// Calls a function. `lead` holds its first arguments, checked already: a method's receiver.
    pub fn call_fn(
        &mut self,
        decl: FnDeclId,
        owner: Vec<Ty>,
        lead: Vec<ExprId>,
        args: &'a [ast::Arg],
        here: Span,
        expect: Expect,
    ) -> ExprId {
        let declared = self.cx.function(decl);
        let (ast, module) = (declared.ast, declared.module);
        if module == CORE && ast.name.name.as_str() == "assert" && lead.is_empty() {
            return self.assert_call(args, here);
        }
        let type_args = self.type_args(decl, owner, here);
        let env = self.cx.fn_env(decl, &type_args);
        let result = self.written_result(decl, &env);
        if let (Some(result), Expect::Type(wanted)) = (result, expect) {
            self.hint_result(result, wanted);
        }
        let mut slots = Vec::new();
        for param in &ast.params {
            let ty = self.param_type(param, module, &env);
            slots.push(Slot { name: param.name.name, ty, default: param.default.as_ref() });
        }
        let callee = Callee { name: ast.name.name, span: ast.name.span };
        let mut ids = Vec::new();
        let mut lead = lead.into_iter();
        let mut params = Vec::new();
        if ast.receiver.is_some() {
            let self_ty = env.self_ty.unwrap_or(Ty::ERROR);
            match lead.next() {
                Some(id) => {
                    let at = self.span(id);
                    ids.push(self.coerce(id, self_ty, at, Why::Argument));
                    params.push(self_ty);
                }
                None => {
                    self.check_anyway(args);
                    let message = format!("`{}` is a method: call it on a value", ast.name.name);
                    return self.fail(Diagnostic::error(Code(319), here, message));
                }
            }
        }
        let mut lets = Vec::new();
        let Some(values) =
            self.arguments(callee, &slots, lead.collect(), args, here, (module, &env), &mut ids, &mut lets)
        else {
            return self.bad(here);
        };
        for (slot, &value) in slots.iter().zip(&values) {
            params.push(match slot.ty {
                Some(ty) => ty,
                None => match self.ty(value) {
                    Ty::NEVER => Ty::UNIT,
                    ty => ty,
                },
            });
        }
        ids.extend(values);
        let id = self.emit_call(decl, type_args, params, ids, result, here);
        self.sequence(lets, id, here)
    }

    /// The type of a parameter; none when each call decides.
    fn param_type(&mut self, param: &'a ast::Param, module: ModuleId, env: &Env) -> Option<Ty> {
        let written = param.ty.as_ref()?;
        if self.cx.names_trait(written, module).is_some() {
            return None;
        }
        Some(self.cx.resolve(written, module, env, &mut self.diagnostics))
    }

    fn written_result(&mut self, decl: FnDeclId, env: &Env) -> Option<Ty> {
        let declared = self.cx.function(decl);
        let (ast, module) = (declared.ast, declared.module);
        let written = ast.result.as_ref()?;
        Some(self.cx.resolve(written, module, env, &mut self.diagnostics))
    }

    /// Lets the expected type fill in type arguments that only the result mentions.
    fn hint_result(&mut self, result: Ty, wanted: Ty) {
        let (result, mut wanted) = (self.deep(result), self.shallow(wanted));
        if !self.cx.types.is_open(result) {
            return;
        }
        let kind = self.kind(result);
        if matches!(kind, TyKind::Infer(_)) && (self.is_optional(wanted) || self.is_result(wanted)) {
            // a bare type parameter may be wrapped once, twice or not at all: the arguments tell
            return;
        }
        loop {
            match self.kind(wanted) {
                TyKind::Optional(inner) if !matches!(kind, TyKind::Optional(_)) => wanted = self.shallow(inner),
                TyKind::Enum(decl, args) if Some(decl) == self.cx.lang.result && !self.is_result(result) => {
                    wanted = self.shallow(args[0]);
                }
                TyKind::Infer(_) => return,
                _ => break,
            }
        }
        self.unify(result, wanted);
    }

    /// Matches arguments to parameters and checks them; gives a value for each slot. `before` are values evaluated
    /// earlier (the receiver), which move into locals when an argument has to.
    #[allow(clippy::too_many_arguments, reason = "what a call consists of")]
    fn arguments(
        &mut self,
        callee: Callee,
        slots: &[Slot<'a>],
        lead: Vec<ExprId>,
        args: &'a [ast::Arg],
        here: Span,
        definition: (ModuleId, &Env),
        before: &mut [ExprId],
        lets: &mut Vec<ExprId>,
    ) -> Option<Vec<ExprId>> {
        let order = self.match_arguments(callee, slots, lead.len(), args, here)?;
        let mut values: Vec<Option<ExprId>> = vec![None; slots.len()];
        for (slot, id) in slots.iter().zip(lead.iter().enumerate()) {
            let (index, &id) = id;
            let at = self.span(id);
            values[index] = Some(match slot.ty {
                Some(ty) => self.coerce(id, ty, at, Why::Argument),
                None => id,
            });
        }
        // closures whose parameters are still unknown are looked at last: the other arguments may tell
        let mut late = Vec::new();
        for (arg, &slot) in args.iter().zip(&order) {
            let wanted = slots[slot].ty;
            if let (ast::ExprKind::Closure { .. }, Some(ty)) = (&arg.value.kind, wanted)
                && self.has_open_params(ty)
            {
                late.push((arg, slot));
                continue;
            }
            values[slot] = Some(self.argument(&arg.value, wanted));
        }
        for (arg, slot) in late {
            values[slot] = Some(self.argument(&arg.value, slots[slot].ty));
        }
        let named_out_of_order = order.windows(2).any(|w| w[0] > w[1]);
        let missing = values.iter().any(Option::is_none);
        if named_out_of_order {
            for id in before.iter_mut() {
                *id = self.through_local(*id, lets);
            }
            for &slot in &order {
                if let Some(id) = values[slot] {
                    values[slot] = Some(self.through_local(id, lets));
                }
            }
        }
        if missing {
            self.defaults(slots, &mut values, before, definition, lets);
        }
        values.into_iter().collect()
    }

    fn through_local(&mut self, id: ExprId, lets: &mut Vec<ExprId>) -> ExprId {
        if self.commutes(id) || self.ty(id) == Ty::NEVER {
            return id;
        }
        let span = self.span(id);
        let local = self.temp("#argument", id, lets);
        self.read(local, span)
    }

    fn argument(&mut self, value: &'a ast::Expr, ty: Option<Ty>) -> ExprId {
        match ty {
            Some(ty) => self.expr_to(value, ty, Why::Argument),
            None => {
                let id = self.expr(value, Expect::Any);
                let ty = self.ty(id);
                if self.cx.types.is_open(ty) && matches!(self.kind(ty), TyKind::Fn(..)) {
                    self.force_deferred();
                }
                id
            }
        }
    }

    fn has_open_params(&mut self, ty: Ty) -> bool {
        let TyKind::Fn(params, _) = self.kind(ty) else { return false };
        params.into_iter().any(|p| {
            let p = self.deep(p);
            self.cx.types.is_open(p)
        })
    }

    /// The slot of each argument; None after an error.
    fn match_arguments(
        &mut self,
        callee: Callee,
        slots: &[Slot<'a>],
        lead: usize,
        args: &'a [ast::Arg],
        here: Span,
    ) -> Option<Vec<usize>> {
        let mut taken = vec![false; slots.len()];
        taken[..lead.min(slots.len())].fill(true);
        let mut order = Vec::new();
        let mut position = lead;
        let mut failed = false;
        for arg in args {
            let slot = match arg.name {
                None => {
                    position += 1;
                    position - 1
                }
                Some(name) => match slots.iter().position(|s| s.name == name.name) {
                    Some(slot) => slot,
                    None => {
                        let near = nearest(name.name, slots.iter().map(|s| s.name));
                        let message = format!("`{}` has no parameter `{}`", callee.name, name.name);
                        self.report(did_you_mean(Diagnostic::error(Code(318), name.span, message), near));
                        failed = true;
                        continue;
                    }
                },
            };
            if slot >= slots.len() {
                if !failed {
                    let given = args.len() + lead;
                    let message = format!("`{}` takes {}, not {given}", callee.name, count(slots.len(), "argument"));
                    self.report(
                        Diagnostic::error(Code(318), arg.value.span, message)
                            .label("one too many")
                            .and(callee.span, "declared here"),
                    );
                }
                failed = true;
                continue;
            }
            if std::mem::replace(&mut taken[slot], true) {
                let message = format!("`{}` is given twice", slots[slot].name);
                self.report(Diagnostic::error(Code(318), arg.value.span, message));
                failed = true;
            }
            order.push(slot);
        }
        let missing: Vec<String> = slots
            .iter()
            .zip(&taken)
            .filter(|(slot, taken)| !**taken && slot.default.is_none())
            .map(|(slot, _)| slot.name.to_string())
            .collect();
        if !missing.is_empty() && !failed {
            let message = format!("`{}` also needs {}", callee.name, list(&missing));
            self.report(
                Diagnostic::error(Code(318), here, message)
                    .label("missing in this call")
                    .and(callee.span, "declared here"),
            );
            failed = true;
        }
        if failed {
            self.check_anyway(args);
            return None;
        }
        Some(order)
    }

    /// Values for parameters that were left out, in the scope of the declaration; they see earlier parameters.
    fn defaults(
        &mut self,
        slots: &[Slot<'a>],
        values: &mut [Option<ExprId>],
        before: &mut [ExprId],
        (module, env): (ModuleId, &Env),
        lets: &mut Vec<ExprId>,
    ) {
        let plain = |e: &ast::Expr| {
            matches!(
                e.kind,
                ast::ExprKind::Int(_)
                    | ast::ExprKind::Float(_)
                    | ast::ExprKind::Bool(_)
                    | ast::ExprKind::Byte(_)
                    | ast::ExprKind::Nil
                    | ast::ExprKind::TypeName(_)
            )
        };
        let simple = slots.iter().zip(values.iter()).all(|(slot, value)| {
            value.is_some() || slot.default.is_some_and(|d| plain(d) || super::names::mentions_no_name(d))
        });
        let mut names = Vec::new();
        if !simple {
            for id in before.iter_mut() {
                *id = self.through_local(*id, lets);
            }
        }
        for (index, slot) in slots.iter().enumerate() {
            if !simple && let Some(id) = values[index] {
                // later defaults may use it
                let at = self.span(id);
                let local = self.temp(slot.name.as_str(), id, lets);
                names.push((slot.name, Binding::Local(local)));
                values[index] = Some(self.read(local, at));
                continue;
            }
            if values[index].is_some() {
                continue;
            }
            let Some(default) = slot.default else { continue };
            let ty = slot.ty;
            let id = self.elsewhere(module, Rc::new(env.clone()), names.clone(), |body| match ty {
                Some(ty) => body.expr_to(default, ty, Why::Argument),
                None => body.expr(default, Expect::Any),
            });
            values[index] = Some(id);
            if !simple {
                let at = self.span(id);
                let local = self.temp(slot.name.as_str(), id, lets);
                names.push((slot.name, Binding::Local(local)));
                values[index] = Some(self.read(local, at));
            }
        }
    }

    /// Checks something as if it stood in another module, where only `names` are local.
    pub fn elsewhere<R>(
        &mut self,
        module: ModuleId,
        env: Rc<Env>,
        names: Vec<(Symbol, Binding)>,
        check: impl FnOnce(&mut Self) -> R,
    ) -> R {
        let saved_module = std::mem::replace(&mut self.module, module);
        let saved_env = std::mem::replace(&mut self.env, env);
        let frame = self.frame();
        let saved_names = std::mem::take(&mut frame.names);
        let saved_undo = std::mem::take(&mut frame.undo);
        let saved_barrier = std::mem::replace(&mut frame.barrier, true);
        let saved_tail = std::mem::take(&mut frame.tail);
        for (name, binding) in names {
            self.bind(name, binding);
        }
        let result = check(self);
        let frame = self.frame();
        frame.names = saved_names;
        frame.undo = saved_undo;
        frame.barrier = saved_barrier;
        frame.tail = saved_tail;
        self.env = saved_env;
        self.module = saved_module;
        result
    }

    /// The call itself, once all arguments are there.
    fn emit_call(
        &mut self,
        decl: FnDeclId,
        type_args: Vec<Ty>,
        params: Vec<Ty>,
        ids: Vec<ExprId>,
        written: Option<Ty>,
        span: Span,
    ) -> ExprId {
        let result = written.unwrap_or(Ty::UNIT);
        match self.cx.function(decl).kind {
            FnKind::Missing => return self.bad(span),
            FnKind::Native(native) => return self.emit(ExprKind::CallNative(native, ids), result, span),
            FnKind::Prim(prim) => return self.emit(ExprKind::Prim(prim, ids), result, span),
            FnKind::EmptyArray => return self.emit(ExprKind::ArrayLiteral(Vec::new()), result, span),
            FnKind::Inspect => return self.value_op(Derive::Inspect, ids, span),
            FnKind::Intrinsic(Intrinsic::Throw) => {
                return self.emit(ExprKind::Intrinsic(Intrinsic::Throw, ids), Ty::NEVER, span);
            }
            FnKind::Intrinsic(intrinsic) => return self.emit(ExprKind::Intrinsic(intrinsic, ids), result, span),
            FnKind::Body => {}
        }
        let mut types: Vec<Ty> = type_args.iter().map(|&t| self.deep(t)).collect();
        let mut parts: Vec<Ty> = params.iter().map(|&t| self.deep(t)).collect();
        if types.iter().chain(&parts).any(|&t| self.is_broken(t)) {
            return self.emit(ExprKind::Unit, written.unwrap_or(Ty::ERROR), span);
        }
        let open =
            |body: &Self, types: &[Ty], parts: &[Ty]| types.iter().chain(parts).any(|&t| body.cx.types.is_open(t));
        if open(self, &types, &parts) && written.is_none() {
            self.force_deferred();
            types = type_args.iter().map(|&t| self.deep(t)).collect();
            parts = params.iter().map(|&t| self.deep(t)).collect();
        }
        if open(self, &types, &parts) {
            let waiting = written.or_else(|| self.unit_result(decl).then_some(Ty::UNIT));
            if let Some(result) = waiting {
                let id = self.emit(ExprKind::Call(crate::hir::FnId(u32::MAX), ids), result, span);
                self.wait(id, PendingKind::Call { decl, type_args, params });
                return id;
            }
            let mut all = types.iter().chain(&parts);
            let ty = all.find(|&&t| self.cx.types.is_open(t)).copied().unwrap_or(Ty::ERROR);
            let open_arg = ids.iter().copied().find(|&id| {
                let ty = self.frame().exprs[id.0 as usize].ty;
                let ty = self.deep(ty);
                self.cx.types.is_open(ty)
            });
            let at = open_arg.map_or(span, |id| self.span(id));
            return self.unknown_type(ty, at);
        }
        self.check_bounds(decl, &types, span);
        self.check_param_traits(decl, &parts, span);
        let instance = self.request(decl, types, parts, span);
        let result = match self.cx.result_of_instance(instance) {
            Some(result) => result,
            // found out later: this attempt is dropped
            None => Ty::ERROR,
        };
        self.emit(ExprKind::Call(instance, ids), result, span)
    }

    /// Whether a function without a written result gives `()` all the same.
    fn unit_result(&self, decl: FnDeclId) -> bool {
        let declared = self.cx.function(decl);
        declared.public && declared.owner == Owner::None && !declared.is_template()
    }

    /// A function as a value.
    pub fn fn_value(&mut self, decl: FnDeclId, given: &[Ty], lead: Vec<ExprId>, span: Span, expect: Expect) -> ExprId {
        debug_assert!(lead.is_empty());
        let declared = self.cx.function(decl);
        let (ast, module) = (declared.ast, declared.module);
        let given = if given.is_empty() { self.enclosing_args_or_none(decl) } else { given.to_vec() };
        let type_args = self.type_args(decl, given, span);
        let env = self.cx.fn_env(decl, &type_args);
        let wanted = expect.ty().map(|ty| self.kind(ty));
        let mut params = Vec::new();
        if ast.receiver.is_some() {
            params.push(env.self_ty.unwrap_or(Ty::ERROR));
        }
        for param in &ast.params {
            let ty = self.param_type(param, module, &env);
            params.push(ty.unwrap_or_else(|| self.fresh(span)));
        }
        if let Some(TyKind::Fn(types, _)) = &wanted
            && types.len() == params.len()
        {
            for (&param, &ty) in params.iter().zip(types) {
                self.unify(param, ty);
            }
        }
        let written = self.written_result(decl, &env).or_else(|| self.unit_result(decl).then_some(Ty::UNIT));
        if let (Some(result), Some(TyKind::Fn(_, wanted))) = (written, &wanted) {
            self.hint_result(result, *wanted);
        }
        let types: Vec<Ty> = type_args.iter().map(|&t| self.deep(t)).collect();
        let parts: Vec<Ty> = params.iter().map(|&t| self.deep(t)).collect();
        if types.iter().chain(&parts).any(|&t| self.cx.types.is_open(t)) {
            let Some(result) = written else {
                let name = ast.name.name;
                return self.fail(
                    Diagnostic::error(
                        Code(305),
                        span,
                        format!("the parameter types of `{name}` as a value aren't known here"),
                    )
                    .help(format!("write a closure that calls it: `|x| {name}(x)`")),
                );
            };
            let ty = self.cx.types.intern(TyKind::Fn(params.clone(), result));
            let id = self.emit(ExprKind::Unit, ty, span);
            self.wait(id, PendingKind::Value { decl, type_args, params });
            return id;
        }
        if types.iter().chain(&parts).any(|&t| self.is_broken(t)) {
            return self.bad(span);
        }
        let instance = self.request(decl, types, parts.clone(), span);
        let result = self.cx.result_of_instance(instance).unwrap_or(Ty::ERROR);
        let ty = self.cx.types.intern(TyKind::Fn(parts, result));
        self.emit(ExprKind::FnValue(instance), ty, span)
    }

    fn enclosing_args_or_none(&self, decl: FnDeclId) -> Vec<Ty> {
        match self.cx.function(decl).owner {
            Owner::None => self.enclosing_args(decl),
            _ => Vec::new(),
        }
    }

    /// The body of an intrinsic or native that is used as a value: one call of it.
    pub fn forwarding_body(&mut self, decl: FnDeclId) {
        let span = self.frame().span;
        let params = self.frame().params.clone();
        let ids: Vec<ExprId> = params.into_iter().map(|p| self.read(p, span)).collect();
        let type_args: Vec<Ty> = self.env.types.iter().map(|t| t.1).collect();
        let env = self.env.clone();
        let result = self.written_result(decl, &env);
        let types = ids.iter().map(|&id| self.ty(id)).collect();
        let call = self.emit_call(decl, type_args, types, ids, result, span);
        let ty = self.ty(call);
        let frame = self.frame();
        frame.body = call;
        frame.result = super::body::ResultMode::Fixed(ty);
    }

    // ---- building values

    fn make_struct(
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
            let diagnostic = Diagnostic::error(Code(320), here, format!("`{}` can't be built by itself", name.name));
            return self.fail(match declared_variants(self.cx.decl(decl).kind) {
                Some(first) => diagnostic.help(format!("build one of its variants, such as `{}.{first}`", name.name)),
                None => diagnostic.help("a trait has no values of its own"),
            });
        };
        let types = self.owner_args(decl, types, here);
        let of = Symbol::new("of");
        if let ([ast::Arg { name: None, .. }], true) = (args, self.cx.lang.set == Some(decl) && self.module != CORE)
            && let Some(of) = self.cx.method(decl, of)
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
        if module != self.module {
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
    fn check_private_fields(&mut self, ast: &ast::Struct, args: &'a [ast::Arg]) {
        for (index, arg) in args.iter().enumerate() {
            let field = match arg.name {
                Some(name) => ast.fields.iter().find(|f| f.name.name == name.name),
                None => ast.fields.get(index),
            };
            if let Some(field) = field
                && field.public.is_none()
            {
                let message = format!("field `{}` of `{}` is private to its module", field.name.name, ast.name.name);
                self.report(Diagnostic::error(Code(219), arg.value.span, message));
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
    fn variant_type(&mut self, decl: DeclId, types: Option<Vec<Ty>>, span: Span, expect: Expect) -> Ty {
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
            self.report(Diagnostic::error(Code(318), span, message).and(variant.name.span, "declared here"));
        }
        self.emit(ExprKind::Variant(number, Vec::new()), ty, span)
    }

    fn make_variant(
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
    fn make_array(&mut self, types: Option<Vec<Ty>>, args: &'a [ast::Arg], here: Span, expect: Expect) -> ExprId {
        let element = self.owner_args(ARRAY, types, here)[0];
        let ty = self.cx.array_of(element);
        if let Expect::Type(wanted) = expect {
            self.hint_result(ty, wanted);
        }
        let [len, fill] = args else {
            self.check_anyway(args);
            return self.fail(
                Diagnostic::error(Code(318), here, "`Array` takes a length and a value to fill it with")
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

    pub fn map_literal(&mut self, entries: &'a [(ast::Expr, ast::Expr)], span: Span, expect: Expect) -> ExprId {
        let hint = self.literal_hint(expect);
        let args = hint.and_then(|ty| self.cx.args_of(ty, self.cx.lang.map).map(<[Ty]>::to_vec));
        let args = args.unwrap_or_else(|| vec![self.fresh(span), self.fresh(span)]);
        if self.cx.lang.map.is_none() {
            return self.missing_core("Map", span);
        }
        let ty = self.cx.map_of(args[0], args[1]);
        let empty = self.empty_collection(ty, span);
        if entries.is_empty() {
            return empty;
        }
        let mut stmts = Vec::new();
        let map = self.temp("#map", empty, &mut stmts);
        for (key, value) in entries {
            let key_id = self.expr_to(key, args[0], Why::Element);
            let value_id = self.expr_to(value, args[1], Why::Element);
            let base = self.read(map, span);
            stmts.push(self.method_ids(base, "set", vec![key_id, value_id], key.span));
        }
        let value = self.read(map, span);
        self.sequence(stmts, value, span)
    }

    // ---- conversions and the few functions the checker knows

    /// `float(i)`, `int(f)`, `byte(i)`, `str(x)`
    fn convert(&mut self, to: Ty, args: &'a [ast::Arg], here: Span) -> ExprId {
        let shown = self.show(to);
        let [arg] = args else {
            self.check_anyway(args);
            let message = format!("`{shown}` converts one value, not {}", args.len());
            return self.fail(Diagnostic::error(Code(318), here, message));
        };
        let hint = if to == Ty::FLOAT || to == Ty::BYTE { Expect::Any } else { Expect::Type(to) };
        let id = self.expr(&arg.value, hint);
        let from = self.ty(id);
        let prim = match (from, to) {
            (Ty::ERROR | Ty::NEVER, _) => return id,
            _ if from == to => return id,
            (_, Ty::STR) => return self.value_op(Derive::Show, vec![id], here),
            (Ty::INT, Ty::FLOAT) => Prim::IntToFloat,
            (Ty::FLOAT, Ty::INT) => Prim::FloatToInt,
            (Ty::INT, Ty::BYTE) => Prim::IntToByte,
            (Ty::BYTE, Ty::INT) => Prim::ByteToInt,
            (Ty::BYTE, Ty::FLOAT) => {
                let int = self.emit(ExprKind::Prim(Prim::ByteToInt, vec![id]), Ty::INT, here);
                return self.emit(ExprKind::Prim(Prim::IntToFloat, vec![int]), Ty::FLOAT, here);
            }
            _ => {
                if matches!(self.kind(from), TyKind::Infer(_)) {
                    return self.unknown_type(from, arg.value.span);
                }
                let text = self.show(from);
                let mut diagnostic =
                    Diagnostic::error(Code(321), here, format!("a value of type {text} can't be converted to {shown}"))
                        .and(arg.value.span, text);
                if from == Ty::STR && (to == Ty::INT || to == Ty::FLOAT) {
                    diagnostic = diagnostic.help(format!("read it with `{shown}.parse(…)`, which gives a result"));
                } else if from == Ty::BOOL && to == Ty::INT {
                    diagnostic = diagnostic.help("write `if … { 1 } else { 0 }`");
                }
                return self.fail(diagnostic);
            }
        };
        self.emit(ExprKind::Prim(prim, vec![id]), to, here)
    }

    /// `assert(condition)`, `assert(condition, message)`: shows both sides of a comparison.
    fn assert_call(&mut self, args: &'a [ast::Arg], here: Span) -> ExprId {
        let (condition, message) = match args {
            [condition] => (&condition.value, None),
            [condition, message] => (&condition.value, Some(&message.value)),
            _ => {
                self.check_anyway(args);
                return self.fail(Diagnostic::error(
                    Code(318),
                    here,
                    "`assert` takes a condition, and perhaps a message",
                ));
            }
        };
        let source = self.cx.sources.text(condition.span).split_whitespace().collect::<Vec<_>>().join(" ");
        let mut lets = Vec::new();
        let mut parts: Vec<ExprId> = Vec::new();
        let test = match &condition.kind {
            ast::ExprKind::Binary { first, rest } if shows_sides(rest[0].0, first, &rest[0].2) => {
                let left = self.expr(first, Expect::Any);
                let ty = self.ty(left);
                let right = self.expr(&rest[0].2, Expect::Type(ty));
                let left = self.stable("#left", left, &mut lets);
                let right = self.stable("#right", right, &mut lets);
                let (a, b) = (self.again(&left), self.again(&right));
                let test = self.compare_ids(rest[0].0, a, b, condition.span);
                for (word, side) in [("\n   left: ", left), ("\n  right: ", right)] {
                    parts.push(self.string(word, here));
                    let side = self.again(&side);
                    parts.push(self.value_op(Derive::Inspect, vec![side], here));
                }
                test
            }
            _ => self.condition(condition).0,
        };
        let text = match message {
            Some(message) => {
                let id = self.expr(message, Expect::Any);
                let text = self.value_op(Derive::Show, vec![id], message.span);
                let prefix = self.string("assertion failed: ", here);
                parts.insert(0, text);
                prefix
            }
            None => self.string(&format!("assertion failed: {source}"), here),
        };
        parts.insert(0, text);
        let text = match parts.as_slice() {
            [one] => *one,
            _ => self.emit(ExprKind::Intrinsic(Intrinsic::StrConcat, parts), Ty::STR, here),
        };
        let throw = self.throw("assert", text, here);
        let holds = self.unit(here);
        let kind = ExprKind::Cond { arms: vec![(test, holds)], otherwise: Some(throw) };
        let id = self.emit(kind, Ty::UNIT, here);
        self.sequence(lets, id, here)
    }

    /// Panics with a message.
    pub fn throw(&mut self, kind: &str, message: ExprId, span: Span) -> ExprId {
        let ty = self.cx.error_type();
        let kind = self.string(kind, span);
        let cause = self.cx.optional(ty);
        let cause = self.emit(ExprKind::Nil, cause, span);
        let trace = self.string("", span);
        let error = self.emit(ExprKind::Struct(vec![message, kind, cause, trace]), ty, span);
        self.emit(ExprKind::Intrinsic(Intrinsic::Throw, vec![error]), Ty::NEVER, span)
    }

    /// Something of the core library that is not there.
    pub fn missing_core(&mut self, name: &str, span: Span) -> ExprId {
        self.fail(Diagnostic::error(Code(221), span, format!("the core library has no `{name}`, which this needs")))
    }
}

/// A comparison both sides of which are worth showing.
fn shows_sides(op: ast::BinaryOp, left: &ast::Expr, right: &ast::Expr) -> bool {
    use ast::BinaryOp::*;
    let nil = |e: &ast::Expr| matches!(e.kind, ast::ExprKind::Nil);
    matches!(op, Eq | Ne | Lt | Le | Gt | Ge) && !nil(left) && !nil(right)
}

fn declared_variants(kind: TypeDeclKind) -> Option<Symbol> {
    match kind {
        TypeDeclKind::Enum(ast) => ast.variants.first().map(|v| v.name.name),
        _ => None,
    }
}
