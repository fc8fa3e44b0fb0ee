//! Calls: matching arguments to parameters, finding type arguments, asking for instances; building structs, variants
//! and arrays; conversions.
//!
//! Arguments are evaluated as written, defaults after them; where that order differs from the parameters', arguments
//! go through locals (H6).

use super::body::{Binding, Body, Expect, PendingKind};
use super::coerce::Why;
use super::decls::{FnDeclId, FnKind, Owner};
use super::dynamic::Dynamic;
use super::modules::{CORE, ModuleId};
use super::postfix::State;
use super::report::{count, did_you_mean, list, nearest};
use super::resolve::Env;
use super::traits::ARRAY;
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::hir::{ExprId, ExprKind, Intrinsic, Ty, TyKind};
use crate::syntax::ast;
use crate::syntax::span::Span;
use crate::syntax::symbol::Symbol;
use std::rc::Rc;

/// A parameter or field as a call sees it.
pub(super) struct Slot<'a> {
    pub name: Symbol,
    /// None for a template's parameter.
    pub ty: Option<Ty>,
    pub default: Option<&'a ast::Expr>,
}

/// What is called, for messages.
#[derive(Clone, Copy)]
pub(super) struct Callee {
    pub name: Symbol,
    /// Where it is declared.
    pub span: Span,
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
            State::TraitFn(wanted, name) => self.call_trait_fn(wanted, name, args, here, expect),
            State::Module(_) => {
                self.check_anyway(args);
                self.fail(Diagnostic::error(codes::MODULE_AS_VALUE, at, "this is a module, it can't be called"))
            }
        }
    }

    /// Checks arguments of a call that can't be made, for the mistakes in them.
    pub fn check_anyway(&mut self, args: &'a [ast::Arg]) {
        for arg in args {
            self.expr(&arg.value, Expect::Any);
        }
    }

    pub fn call_value(&mut self, value: ExprId, args: &'a [ast::Arg], here: Span) -> ExprId {
        let ty = self.ty(value);
        match self.kind(ty) {
            TyKind::Error | TyKind::Never => {
                self.check_anyway(args);
                value
            }
            TyKind::Fn(params, result) => {
                if let Some(arg) = args.iter().find_map(|a| a.name) {
                    self.report(Diagnostic::error(
                        codes::ARGUMENTS,
                        arg.span,
                        "a function value has no parameter names",
                    ));
                }
                if params.len() != args.len() {
                    self.check_anyway(args);
                    let shown = self.show(ty);
                    let message = format!("this takes {}, not {}", count(params.len(), "argument"), args.len());
                    return self.fail(Diagnostic::error(codes::ARGUMENTS, here, message).label(shown));
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
                self.fail(Diagnostic::error(codes::ARGUMENTS, at, format!("a value of type {shown} can't be called")))
            }
        }
    }

    /// The type arguments of a call: those given, then unknown ones.
    pub fn type_args(&mut self, decl: FnDeclId, mut given: Vec<Ty>, span: Span) -> Vec<Ty> {
        let wanted = self.cx.function(decl).generics().len();
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
        let result = self.written_result(decl, &type_args, &env);
        if let (Some(result), Expect::Type(wanted)) = (result, expect) {
            self.hint_result(result, wanted);
        }
        let mut slots = Vec::new();
        let types = self.cx.param_types(decl, &type_args, &env, &mut self.diagnostics);
        for (param, ty) in ast.params.iter().zip(types) {
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
                    return self.fail(Diagnostic::error(codes::METHOD_OR_FUNCTION, here, message));
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

    pub fn written_result(&mut self, decl: FnDeclId, type_args: &[Ty], env: &Env) -> Option<Ty> {
        self.cx.result_type(decl, type_args, env, &mut self.diagnostics)
    }

    /// Lets the expected type fill in type arguments that only the result mentions.
    pub fn hint_result(&mut self, result: Ty, wanted: Ty) {
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
    pub fn arguments(
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

    pub fn through_local(&mut self, id: ExprId, lets: &mut Vec<ExprId>) -> ExprId {
        if self.commutes(id) || self.ty(id) == Ty::NEVER {
            return id;
        }
        let span = self.span(id);
        let local = self.temp("#argument", id, lets);
        self.read(local, span)
    }

    pub fn argument(&mut self, value: &'a ast::Expr, ty: Option<Ty>) -> ExprId {
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

    pub fn has_open_params(&mut self, ty: Ty) -> bool {
        let TyKind::Fn(params, _) = self.kind(ty) else { return false };
        params.into_iter().any(|p| {
            let p = self.deep(p);
            self.cx.types.is_open(p)
        })
    }

    /// The slot of each argument; None after an error.
    pub fn match_arguments(
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
                        self.report(did_you_mean(Diagnostic::error(codes::ARGUMENTS, name.span, message), near));
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
                        Diagnostic::error(codes::ARGUMENTS, arg.value.span, message)
                            .label("one too many")
                            .and(callee.span, "declared here"),
                    );
                }
                failed = true;
                continue;
            }
            if std::mem::replace(&mut taken[slot], true) {
                let message = format!("`{}` is given twice", slots[slot].name);
                self.report(Diagnostic::error(codes::ARGUMENTS, arg.value.span, message));
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
                Diagnostic::error(codes::ARGUMENTS, here, message)
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
    pub fn defaults(
        &mut self,
        slots: &[Slot<'a>],
        values: &mut [Option<ExprId>],
        before: &mut [ExprId],
        (module, env): (ModuleId, &Env),
        lets: &mut Vec<ExprId>,
    ) {
        // a default that names no parameter can stand where it is
        let simple = slots.iter().zip(values.iter()).all(|(slot, value)| {
            value.is_some()
                || slot.default.is_some_and(|d| !super::names::mentions(d, |name| slots.iter().any(|s| s.name == name)))
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
                let local = self.temp("#argument", id, lets);
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
                let local = self.temp("#argument", id, lets);
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

    /// Reports a type whose values have no identity, so that nothing can tell when one is gone.
    fn check_object(&mut self, ty: Ty, span: Span) {
        let ty = self.deep(ty);
        if !self.is_broken(ty) && !self.cx.types.is_open(ty) && self.cx.types.optional_is_boxed(ty) {
            let message = format!("a weak reference needs an object; {} is a plain value", self.show(ty));
            self.fail(Diagnostic::error(codes::NO_IDENTITY, span, message).help("wrap it in a struct"));
        }
    }

    /// The call itself, once all arguments are there.
    pub fn emit_call(
        &mut self,
        decl: FnDeclId,
        type_args: Vec<Ty>,
        params: Vec<Ty>,
        ids: Vec<ExprId>,
        written: Option<Ty>,
        span: Span,
    ) -> ExprId {
        let result = written.unwrap_or(Ty::UNIT);
        let kind = match self.cx.function(decl).owner {
            // what a trait only declares has bodies elsewhere
            Owner::Trait(_) => FnKind::Body,
            _ => self.cx.function(decl).kind,
        };
        match kind {
            FnKind::Missing => return self.bad(span),
            FnKind::Native(native) => return self.emit(ExprKind::CallNative(native, ids), result, span),
            FnKind::Prim(prim) => return self.emit(ExprKind::Prim(prim, ids), result, span),
            FnKind::EmptyArray => return self.emit(ExprKind::ArrayLiteral(Vec::new()), result, span),
            FnKind::JsonRead => return self.derive_read(self.cx.function(decl).module, type_args[0], &ids, span),
            FnKind::JsonWrite => return self.derive_write(self.cx.function(decl).module, type_args[0], &ids, span),
            FnKind::Derived(derive) => return self.value_op(derive, ids, span),
            FnKind::Parts(derive) => return self.parts_op(derive, ids, span),
            FnKind::Identity => return self.emit(ExprKind::Upcast(ids[0]), result, span),
            FnKind::Intrinsic(Intrinsic::Throw) => {
                return self.emit(ExprKind::Intrinsic(Intrinsic::Throw, ids), Ty::NEVER, span);
            }
            FnKind::Intrinsic(intrinsic) => {
                if let Some(at) = intrinsic.object_argument() {
                    self.check_object(params[at], span);
                }
                return self.emit(ExprKind::Intrinsic(intrinsic, ids), result, span);
            }
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
            if let Some(result) = written {
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
        if !self.check_bounds(decl, &types, span) {
            return self.emit(ExprKind::Unit, written.unwrap_or(Ty::ERROR), span);
        }
        if self.is_dynamic(decl, &types) {
            return self.call_dynamic(Dynamic::Method(decl), types, ids, result, span);
        }
        if self.is_generic(&types, &parts) {
            return self.emit(ExprKind::Unit, written.unwrap_or(Ty::ERROR), span);
        }
        let instance = self.request(decl, types, parts, span);
        let result = match self.cx.result_of_instance(instance) {
            Some(result) => result,
            // found out later: this attempt is dropped
            None => Ty::ERROR,
        };
        self.emit(ExprKind::Call(instance, ids), result, span)
    }

    /// A function as a value.
    pub fn fn_value(&mut self, decl: FnDeclId, given: &[Ty], lead: Vec<ExprId>, span: Span, expect: Expect) -> ExprId {
        debug_assert!(lead.is_empty());
        let declared = self.cx.function(decl);
        let ast = declared.ast;
        let given = if given.is_empty() { self.enclosing_args_or_none(decl) } else { given.to_vec() };
        let type_args = self.type_args(decl, given, span);
        let env = self.cx.fn_env(decl, &type_args);
        let wanted = expect.ty().map(|ty| self.kind(ty));
        let mut params = Vec::new();
        if ast.receiver.is_some() {
            params.push(env.self_ty.unwrap_or(Ty::ERROR));
        }
        for ty in self.cx.param_types(decl, &type_args, &env, &mut self.diagnostics) {
            params.push(ty.unwrap_or_else(|| self.fresh(span)));
        }
        if let Some(TyKind::Fn(types, _)) = &wanted
            && types.len() == params.len()
        {
            for (&param, &ty) in params.iter().zip(types) {
                self.unify(param, ty);
            }
        }
        let written = self.written_result(decl, &type_args, &env);
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
                        codes::TYPE_UNKNOWN,
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
        if self.is_generic(&types, &parts) {
            let ty = self.cx.types.intern(TyKind::Fn(parts, written.unwrap_or(Ty::ERROR)));
            return self.emit(ExprKind::Unit, ty, span);
        }
        let instance = self.request(decl, types, parts.clone(), span);
        let result = self.cx.result_of_instance(instance).unwrap_or(Ty::ERROR);
        let ty = self.cx.types.intern(TyKind::Fn(parts, result));
        self.emit(ExprKind::FnValue(instance), ty, span)
    }

    pub fn enclosing_args_or_none(&self, decl: FnDeclId) -> Vec<Ty> {
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
        let result = self.written_result(decl, &type_args, &env);
        let types = ids.iter().map(|&id| self.ty(id)).collect();
        let call = self.emit_call(decl, type_args, types, ids, result, span);
        let ty = self.ty(call);
        let frame = self.frame();
        frame.body = call;
        frame.result = super::body::ResultMode::Fixed(ty);
    }
}
