//! One body being checked: its frames (the function and the closures inside each other), scopes, inference
//! variables, and what has to wait until they are solved.
//!
//! Invariants
//! - B1. Expressions are only added to the innermost frame; a closure's frame is finished before its maker goes on.
//! - B2. `pending` holds expressions whose form depends on types still open; `finish` completes all of them.
//! - B3. A captured `var` is a cell in every frame that sees it (H4).

use super::Checker;
use super::coerce::Why;
use super::decls::FnDeclId;
use super::derive::Derive;
use super::dynamic::Dynamic;
use super::infer::{Infer, mentions_error};
use super::instance::What;
use super::modules::ModuleId;
use super::resolve::Env;
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::hir::{Expr, ExprId, ExprKind, FnId, Function, Inlining, Local, LocalId, LoopId, Ty, TyKind};
use crate::syntax::ast;
use crate::syntax::span::Span;
use crate::syntax::symbol::Symbol;
use hashbrown::HashMap;
use std::rc::Rc;

/// What the context wants of an expression.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Expect {
    /// Any value.
    Any,
    /// Likely a value of this type; the caller coerces.
    Type(Ty),
    /// The value is not used.
    Nothing,
}

impl Expect {
    pub fn ty(self) -> Option<Ty> {
        if let Expect::Type(ty) = self { Some(ty) } else { None }
    }
}

/// What a name means inside a body.
#[derive(Clone, Copy, Debug)]
pub(super) enum Binding {
    Local(LocalId),
    /// A local function that captures nothing.
    Fn(FnDeclId),
    /// A top-level binding that is a global.
    Top(super::decls::TopId),
}

/// What the checker knows of a local beside its type.
#[derive(Clone, Copy, Debug)]
pub(super) struct Info {
    pub mutable: bool,
    /// For the message when it is assigned and can't be.
    pub is_param: bool,
    /// `try` bodies around its declaration.
    pub try_depth: u32,
    /// Captured by a closure while mutable: flow says nothing about it.
    pub shared: bool,
    /// Read, while mutable, on the strength of a fact.
    pub narrowed: bool,
    pub span: Span,
}

/// What flow tells about a local: that a `T?` is not nil, or which variant an enum value is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Fact {
    pub local: LocalId,
    /// The variant; none for "not nil" and for a type.
    pub variant: Option<u32>,
    /// The type behind a trait's reference.
    pub ty: Option<Ty>,
}

/// A loop around the current place.
#[derive(Clone, Copy, Debug)]
pub(super) struct LoopScope {
    pub id: LoopId,
    pub label: Option<Symbol>,
    pub broken: bool,
}

/// How the result of a frame is found.
#[derive(Clone, Debug)]
pub(super) enum ResultMode {
    /// Written, or given by the context.
    Fixed(Ty),
    /// From its exits.
    Inferred {
        /// `Return` expressions so far.
        returns: Vec<ExprId>,
        /// Type of the first exit in source order.
        first: Option<Ty>,
        /// `?` was used on a result or an optional.
        wrap: Option<Wrap>,
    },
}

/// What `?` makes of an inferred result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wrap {
    Optional,
    Result,
}

/// A function or closure being checked.
pub(super) struct Frame {
    pub id: FnId,
    pub name: String,
    pub span: Span,
    pub is_closure: bool,
    /// Names of the frames around it can't be seen (a default value is checked as if at its declaration).
    pub barrier: bool,
    pub params: Vec<LocalId>,
    /// Outer local, inner local.
    pub captures: Vec<(LocalId, LocalId)>,
    pub locals: Vec<Local>,
    pub infos: Vec<Info>,
    pub exprs: Vec<Expr>,
    pub body: ExprId,
    pub names: HashMap<Symbol, Vec<Binding>>,
    pub undo: Vec<Symbol>,
    pub loops: Vec<LoopScope>,
    pub loop_count: u32,
    pub try_depth: u32,
    /// In a `defer` block: loops around it, which nothing in it can leave or repeat.
    pub defer_loops: Option<usize>,
    /// What flow tells about locals here.
    pub facts: Vec<Fact>,
    pub result: ResultMode,
    /// Whether the next expression's value is the result.
    pub tail: bool,
}

impl Frame {
    pub fn new(id: FnId, name: String, span: Span, result: ResultMode) -> Frame {
        Frame {
            id,
            name,
            span,
            is_closure: false,
            barrier: false,
            params: Vec::new(),
            captures: Vec::new(),
            locals: Vec::new(),
            infos: Vec::new(),
            exprs: Vec::new(),
            body: ExprId(0),
            names: HashMap::new(),
            undo: Vec::new(),
            loops: Vec::new(),
            loop_count: 0,
            try_depth: 0,
            defer_loops: None,
            facts: Vec::new(),
            result,
            tail: false,
        }
    }
}

/// An expression that waits for its types.
pub(super) struct Pending {
    pub frame: FnId,
    pub expr: ExprId,
    pub what: PendingKind,
}

pub(super) enum PendingKind {
    /// A call of a function whose type arguments were open.
    Call { decl: FnDeclId, type_args: Vec<Ty>, params: Vec<Ty> },
    /// A function value of one.
    Value { decl: FnDeclId, type_args: Vec<Ty>, params: Vec<Ty> },
    /// An operation that is derived by type.
    Derived { derive: Derive, args: Vec<ExprId>, ty: Ty },
}

/// What becomes a closure.
#[derive(Clone, Copy)]
pub(super) enum Code<'a> {
    Closure(&'a ast::Expr),
    /// A local function that captures.
    Fn(&'a ast::Fn),
}

/// A closure whose parameter types are not known yet.
pub(super) struct Deferred<'a> {
    pub code: Code<'a>,
    pub frame: FnId,
    pub expr: ExprId,
    pub ty: Ty,
    /// Names visible at the closure.
    pub names: HashMap<Symbol, Vec<Binding>>,
    pub facts: Vec<Fact>,
}

/// What checking a body gave.
pub(super) struct Outcome {
    pub function: Function,
    pub result: Ty,
    /// Type of the first exit that does not depend on a result still unknown.
    pub first_exit: Option<Ty>,
    pub closures: Vec<(FnId, Function)>,
    pub diagnostics: Vec<Diagnostic>,
    pub requests: Vec<FnId>,
}

/// A body being checked.
pub(super) struct Body<'c, 'a> {
    pub cx: &'c mut Checker<'a>,
    pub id: FnId,
    pub env: Rc<Env>,
    pub module: ModuleId,
    pub infer: Infer,
    pub frames: Vec<Frame>,
    pub finished: Vec<Frame>,
    pub pending: Vec<Pending>,
    pub deferred: Vec<Deferred<'a>>,
    pub diagnostics: Vec<Diagnostic>,
    pub requests: Vec<FnId>,
    /// Constants and defaults being expanded inside each other.
    pub expansion: u32,
    /// Rows of patterns looked at so far (see `exhaustive`).
    pub pattern_work: usize,
    /// Types of top-level bindings whose statement has been seen, before they are published.
    pub open_tops: Vec<(super::decls::TopId, Ty)>,
    /// The variant of the value that a pattern is about to be tried on, when it has been read.
    pub tag: Option<Stable>,
}

impl<'c, 'a> Body<'c, 'a> {
    /// Checks the body of an instance.
    pub fn check(cx: &'c mut Checker<'a>, id: FnId) -> Outcome {
        let instance = cx.instance(id);
        let (what, env, name) = (instance.what, instance.env.clone(), instance.name.clone());
        let module = match what {
            What::Fn(decl) => cx.function(decl).module,
            What::Init(module) => module,
            What::Test(_) | What::Entry => *cx.modules.order.last().unwrap_or(&super::modules::CORE),
            What::Closure | What::Derived(..) | What::Dynamic(..) => super::modules::CORE,
        };
        let mode = match instance.result {
            Some(result) => ResultMode::Fixed(result),
            None => ResultMode::Inferred { returns: Vec::new(), first: None, wrap: None },
        };
        let span = match what {
            What::Fn(decl) => cx.function(decl).ast.name.span,
            _ => instance.origin.map_or_else(|| cx.no_span(), |(span, _)| span),
        };
        let mut body = Body {
            cx,
            id,
            env,
            module,
            infer: Infer::default(),
            frames: vec![Frame::new(id, name, span, mode)],
            finished: Vec::new(),
            pending: Vec::new(),
            deferred: Vec::new(),
            diagnostics: Vec::new(),
            requests: Vec::new(),
            expansion: 0,
            pattern_work: 0,
            open_tops: Vec::new(),
            tag: None,
        };
        match what {
            What::Fn(decl) => body.function_body(decl),
            What::Derived(derive, ty) => body.derived_body(derive, ty),
            What::Dynamic(of, dynamic) => body.dynamic_body(of, dynamic),
            What::Init(module) => body.init_body(module),
            What::Entry => body.entry_body(),
            What::Test(item) => body.test_body(item),
            What::Closure => unreachable!("closures are checked with the body around them"),
        }
        body.finish()
    }

    pub fn function_body(&mut self, decl: FnDeclId) {
        let declared = self.cx.function(decl);
        let ast = declared.ast;
        for (name, local) in self.cx.local_scopes.get(&decl).cloned().unwrap_or_default() {
            self.bind(name, Binding::Fn(local));
        }
        let mut types = self.cx.instance(self.id).params.clone().into_iter();
        if ast.receiver.is_some()
            && let Some(ty) = types.next()
        {
            let span = ast.receiver.unwrap_or(ast.name.span);
            self.param(Symbol::new("self"), ty, span);
        }
        for param in &ast.params {
            let ty = types.next().unwrap_or(Ty::ERROR);
            self.param(param.name.name, ty, param.name.span);
        }
        match &ast.body {
            Some(body) => self.frame_body(FnSource::of(body)),
            None => {
                // an intrinsic or native used as a value: a body that does nothing but call it
                self.forwarding_body(decl);
            }
        }
    }

    /// Declares a parameter of the innermost frame.
    pub fn param(&mut self, name: Symbol, ty: Ty, span: Span) -> LocalId {
        let local = self.local(name, ty, false, span);
        let frame = self.frame();
        frame.infos[local.0 as usize].is_param = true;
        frame.params.push(local);
        self.bind(name, Binding::Local(local));
        local
    }

    /// Checks the body of the innermost frame and finds its result; sets `body` and, when inferred, `result`.
    pub fn frame_body(&mut self, source: FnSource<'a>) {
        let span = source.span();
        match self.frame().result.clone() {
            ResultMode::Fixed(Ty::UNIT) => {
                let value = match self.unsaid_result(source) {
                    Some(declared) => self.silent_value(declared, source),
                    None => self.body_value(source, Expect::Nothing),
                };
                let body = self.discard(value, span);
                self.frame().body = body;
            }
            ResultMode::Fixed(ty) => {
                let value = self.body_value(source, Expect::Type(ty));
                let at = source.value_span();
                let body = self.coerce(value, ty, at, Why::Result);
                self.frame().body = body;
            }
            ResultMode::Inferred { .. } => {
                self.frame().tail = true;
                let value = self.body_value(source, Expect::Any);
                self.settle_result(value, span);
            }
        }
    }

    pub fn body_value(&mut self, source: FnSource<'a>, expect: Expect) -> ExprId {
        match source {
            FnSource::Block(block) => self.block(block, expect),
            FnSource::Expr(expr) => self.expr(expr, expect),
        }
    }

    /// Joins the exits of a frame whose result is inferred.
    pub fn settle_result(&mut self, value: ExprId, span: Span) {
        let ResultMode::Inferred { returns, first, wrap } = self.frame().result.clone() else { return };
        let mut values: Vec<ExprId> = Vec::new();
        for &id in &returns {
            if let ExprKind::Return(value) = self.frame().exprs[id.0 as usize].kind {
                values.push(value);
            }
        }
        values.push(value);
        if wrap == Some(Wrap::Result) {
            // what is a result already agrees with what the others are wrapped into
            let plain: Vec<ExprId> = values.iter().copied().filter(|&v| !self.is_result_value(v)).collect();
            if !plain.is_empty() {
                values = plain;
            }
        }
        let mut ty = self.join(&values, span);
        ty = match wrap {
            None => ty,
            Some(Wrap::Result) if self.is_result(ty) => ty,
            Some(Wrap::Result) => self.cx.result_of(ty),
            Some(Wrap::Optional) if self.is_optional(ty) => ty,
            Some(Wrap::Optional) => self.cx.optional(ty),
        };
        for &id in &returns {
            if let ExprKind::Return(value) = self.frame().exprs[id.0 as usize].kind {
                let at = self.frame().exprs[id.0 as usize].span;
                let value = self.coerce(value, ty, at, Why::Result);
                self.frame().exprs[id.0 as usize].kind = ExprKind::Return(value);
            }
        }
        let body = self.coerce(value, ty, span, Why::Result);
        let frame = self.frame();
        frame.body = body;
        frame.result = ResultMode::Fixed(ty);
        // kept for `Outcome::first_exit`
        if let (1, Some(first)) = (self.frames.len(), first) {
            self.note_first(first);
        }
    }

    fn is_result_value(&mut self, id: ExprId) -> bool {
        let ty = self.ty(id);
        ty == Ty::NEVER || self.is_result(ty)
    }

    pub fn note_first(&mut self, first: Ty) {
        let first = self.deep(first);
        if !self.cx.types.is_open(first) && !mentions_error(&self.cx.types, first) {
            let id = self.id;
            self.cx.instance_mut(id).provisional.get_or_insert(first);
        }
    }

    /// Notes an exit of the innermost frame, in source order.
    pub fn note_exit(&mut self, value: ExprId) {
        let ty = self.ty(value);
        let outermost = self.frames.len() == 1;
        let ty = self.deep(ty);
        if ty == Ty::NEVER || mentions_error(&self.cx.types, ty) || self.cx.types.is_open(ty) {
            return;
        }
        let id = self.id;
        if let ResultMode::Inferred { first, wrap, .. } = &mut self.frame().result {
            let wrap = *wrap;
            first.get_or_insert(ty);
            if outermost && self.cx.instance(id).provisional.is_none() {
                let ty = match wrap {
                    Some(Wrap::Result) if !self.is_result(ty) => self.cx.result_of(ty),
                    Some(Wrap::Optional) if !self.is_optional(ty) => self.cx.optional(ty),
                    _ => ty,
                };
                self.cx.instance_mut(id).provisional = Some(ty);
            }
        }
    }

    pub fn finish(mut self) -> Outcome {
        self.force_deferred();
        let frame = self.frames.pop().expect("the function's own frame");
        self.finished.push(frame);
        self.complete_pending();
        let mut closures = Vec::new();
        let mut frames = std::mem::take(&mut self.finished);
        let own = frames.pop().expect("the function's own frame is the last");
        for frame in frames {
            let id = frame.id;
            let function = self.finish_frame(frame);
            closures.push((id, function));
        }
        for (top, ty) in std::mem::take(&mut self.open_tops) {
            let ty = self.deep(ty);
            self.publish_top(top, ty);
        }
        let function = self.finish_frame(own);
        let result = function.result;
        let first_exit = self.cx.instance(self.id).provisional;
        let complete = !self.cx.types.is_open(result) && !mentions_error(&self.cx.types, result);
        let first_exit = first_exit.or_else(|| complete.then_some(result).filter(|&r| r != Ty::NEVER));
        Outcome { function, result, first_exit, closures, diagnostics: self.diagnostics, requests: self.requests }
    }

    /// Completes what waited for types, in source order; a completed expression may ask for more.
    pub fn complete_pending(&mut self) {
        for Pending { frame, expr, what } in std::mem::take(&mut self.pending) {
            let position = self.finished.iter().position(|f| f.id == frame).expect("B1: its frame is finished");
            let empty = Frame::new(frame, String::new(), self.cx.no_span(), ResultMode::Fixed(Ty::UNIT));
            let frame = std::mem::replace(&mut self.finished[position], empty);
            self.frames.push(frame);
            let span = self.frame().exprs[expr.0 as usize].span;
            match what {
                PendingKind::Call { decl, type_args, params } => {
                    let id = self.instance_of(decl, &type_args, &params, span);
                    if let (Some(id), ExprKind::Call(target, _)) = (id, &mut self.frame().exprs[expr.0 as usize].kind) {
                        *target = id;
                    }
                }
                PendingKind::Value { decl, type_args, params } => {
                    if let Some(id) = self.instance_of(decl, &type_args, &params, span) {
                        self.frame().exprs[expr.0 as usize].kind = ExprKind::FnValue(id);
                    }
                }
                PendingKind::Derived { derive, args, ty } => {
                    let ty = self.deep(ty);
                    if !self.cx.types.is_open(ty) {
                        let id = self.derived(derive, &args, ty, span);
                        let kind = self.frame().exprs[id.0 as usize].kind.clone();
                        self.frame().exprs[expr.0 as usize].kind = kind;
                    }
                }
            }
            let frame = self.frames.pop().expect("pushed above");
            self.finished[position] = frame;
        }
    }

    pub fn instance_of(&mut self, decl: FnDeclId, type_args: &[Ty], params: &[Ty], span: Span) -> Option<FnId> {
        let type_args: Vec<Ty> = type_args.iter().map(|&t| self.deep(t)).collect();
        let params: Vec<Ty> = params.iter().map(|&t| self.deep(t)).collect();
        let mut all = type_args.iter().chain(&params);
        if all.clone().any(|&t| self.cx.types.is_open(t)) {
            self.unsolved_call(decl, &type_args, span);
            return None;
        }
        if all.any(|&t| mentions_error(&self.cx.types, t)) {
            return None;
        }
        if !self.check_bounds(decl, &type_args, span) || self.is_generic(&type_args, &params) {
            return None;
        }
        if self.is_dynamic(decl, &type_args) {
            let env = self.cx.fn_env(decl, &type_args);
            let result = self.written_result(decl, &type_args, &env).unwrap_or(Ty::UNIT);
            let (dynamic, origin) = (Dynamic::Method(decl), Some((span, self.id)));
            return Some(self.cx.request_dynamic(dynamic, type_args, params, result, origin));
        }
        Some(self.request(decl, type_args, params, span))
    }

    /// The instance of a function, remembered as one this body needs.
    pub fn request(&mut self, decl: FnDeclId, type_args: Vec<Ty>, params: Vec<Ty>, span: Span) -> FnId {
        let id = self.cx.request(decl, type_args, params, Some((span, self.id)));
        self.requests.push(id);
        id
    }

    pub fn unsolved_call(&mut self, decl: FnDeclId, type_args: &[Ty], span: Span) {
        let ast = self.cx.function(decl).ast;
        let open = type_args.iter().position(|&t| self.cx.types.is_open(t));
        let generic = open.and_then(|i| self.cx.function(decl).generics().nth(i));
        let what = generic.map_or_else(String::new, |g| format!(" `{g}`"));
        let message = format!("the type{what} of this call of `{}` can't be inferred", ast.name.name);
        self.report(Diagnostic::error(codes::CALL_TYPE_UNKNOWN, span, message).help("annotate what it is used with"));
    }

    pub fn finish_frame(&mut self, mut frame: Frame) -> Function {
        for index in 0..frame.locals.len() {
            let ty = self.deep(frame.locals[index].ty);
            frame.locals[index].ty = ty;
            if self.cx.types.is_open(ty) {
                let (name, span) = (frame.locals[index].name, frame.infos[index].span);
                self.report_unsolved(ty, Some(name), span);
                frame.locals[index].ty = Ty::ERROR;
            }
        }
        for index in 0..frame.exprs.len() {
            let ty = self.deep(frame.exprs[index].ty);
            frame.exprs[index].ty = ty;
            if self.cx.types.is_open(ty) {
                self.report_unsolved(ty, None, frame.exprs[index].span);
                frame.exprs[index].ty = Ty::ERROR;
            }
        }
        self.note_upcasts(&frame.exprs);
        self.check_type_bounds(&frame.exprs);
        let result = match frame.result {
            ResultMode::Fixed(ty) => self.deep(ty),
            ResultMode::Inferred { .. } => Ty::ERROR,
        };
        Function {
            name: frame.name,
            span: frame.span,
            params: frame.params,
            captures: frame.is_closure.then(|| frame.captures.iter().map(|c| c.1).collect()),
            result,
            locals: frame.locals,
            exprs: frame.exprs,
            body: frame.body,
            inlining: Inlining::Auto,
        }
    }

    /// Reports a variable that nothing solved, once.
    pub fn report_unsolved(&mut self, ty: Ty, name: Option<Symbol>, span: Span) {
        let Some(var) = self.infer.unsolved(&mut self.cx.types, ty) else { return };
        let origin = self.infer.origin(var);
        let shown = self.cx.types.display(ty);
        // the answer is known now: all that hangs on it was this one mistake
        let open = self.cx.types.intern(TyKind::Infer(var));
        self.unify(open, Ty::ERROR);
        if self
            .diagnostics
            .iter()
            .any(|d| d.code == codes::CALL_TYPE_UNKNOWN || (d.code == codes::TYPE_UNKNOWN && d.primary.span == span))
        {
            return;
        }
        let named = name.filter(|n| n.as_str().starts_with(|c: char| c.is_alphabetic() || c == '_'));
        let diagnostic = match named {
            Some(name) => {
                let message = format!("the type of `{name}` can't be inferred");
                let shown = if shown == "_" { "int".into() } else { shown.replace('_', "int") };
                Diagnostic::error(codes::TYPE_UNKNOWN, span, message)
                    .label("nothing in this body says what it holds")
                    .help(format!("annotate it, for example `{name}: {shown}`"))
            }
            None => Diagnostic::error(codes::TYPE_UNKNOWN, origin, "the type of this can't be inferred")
                .label(format!("known so far: {shown}"))
                .help("annotate the variable or parameter that holds it"),
        };
        self.report(diagnostic);
    }
}

/// The text of a body.
#[derive(Clone, Copy)]
pub(super) enum FnSource<'a> {
    Block(&'a ast::Block),
    Expr(&'a ast::Expr),
}

impl<'a> FnSource<'a> {
    pub fn of(body: &'a ast::FnBody) -> FnSource<'a> {
        match body {
            ast::FnBody::Block(block) => FnSource::Block(block),
            ast::FnBody::Expr(expr) => FnSource::Expr(expr),
        }
    }

    pub fn span(self) -> Span {
        match self {
            FnSource::Block(block) => block.span,
            FnSource::Expr(expr) => expr.span,
        }
    }

    /// The place of its value: the last expression of a block.
    pub fn value_span(self) -> Span {
        match self {
            FnSource::Block(block) => block.stmts.last().map_or(block.span, |s| s.span),
            FnSource::Expr(expr) => expr.span,
        }
    }
}

/// An expression that can be evaluated any number of times.
#[derive(Clone)]
pub(super) struct Stable(pub Expr);
