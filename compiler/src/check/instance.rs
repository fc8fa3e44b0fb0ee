//! Function instances: made on request, checked once, their result types found on the way.
//!
//! A result that is not annotated is inferred by checking the instance when its first caller asks. If an instance asks
//! for its own result, directly or through others, and no exit of it is known yet, the attempt goes on with `Error`
//! in its place and is discarded; the first exit that doesn't depend on it is then taken as its result, and
//! the body is checked again with that (language reference: "a recursive call's type").
//!
//! Invariants
//! - I1. An attempt that met an unknown result never commits.
//! - I2. The same declaration, type arguments and parameter types give the same instance.

use super::Checker;
use super::body::{Body, Outcome};
use super::decls::{FnDeclId, Owner};
use super::derive::Derive;
use super::dynamic::Dynamic;
use super::modules::ModuleId;
use super::resolve::Env;
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::hir::{FnId, Function, Ty};
use crate::syntax::span::Span;
use crate::syntax::symbol::Symbol;
use std::rc::Rc;

/// The most instantiations of templates and generic functions inside each other.
const TEMPLATE_DEPTH_MAX: u32 = 128;
/// The most instances of templates and generic functions in one program; those for large types count more.
const INSTANCE_WORK_MAX: usize = 30_000;
/// The most functions without a written result that may wait for each other.
const WAITING_MAX: usize = 400;

/// What an instance is an instance of.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum What {
    Fn(FnDeclId),
    /// Belongs to the body around it, which fills it in.
    Closure,
    Derived(Derive, Ty),
    /// Goes by the type behind a trait's reference.
    Dynamic(Ty, Dynamic),
    /// Top-level statements of a module.
    Init(ModuleId),
    /// All of it: modules in order, then `main`.
    Entry,
    /// A `test` block of the main module, by number of its item.
    Test(usize),
}

/// What makes an instance unique: declaration, type arguments, parameter types.
pub(super) type Key = (What, Vec<Ty>, Vec<Ty>);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    Unchecked,
    Checking,
    Done,
}

/// A function instance.
pub(super) struct Instance {
    pub what: What,
    /// As in `hir::Function`.
    pub name: String,
    pub env: Rc<Env>,
    /// Of a function that goes by the type behind a reference.
    pub type_args: Vec<Ty>,
    pub params: Vec<Ty>,
    /// Written, or found.
    pub result: Option<Ty>,
    /// Whether it was written.
    pub written: bool,
    /// How many of its messages are about its header.
    pub own_diagnostics: usize,
    pub state: State,
    /// The first exit's type, while it is being checked.
    pub provisional: Option<Ty>,
    /// Its own result was asked for before it was known.
    pub asked: bool,
    /// Somebody relied on `provisional`.
    pub relied: bool,
    /// It asked for a result that was not known, of an instance around it.
    pub tainted: bool,
    /// The call that first asked for it, and the instance the call is in.
    pub origin: Option<(Span, FnId)>,
    /// Instantiations around it.
    pub depth: u32,
    pub function: Option<Function>,
    pub diagnostics: Vec<Diagnostic>,
}

impl Instance {
    /// An instance that is not checked yet.
    pub fn new(what: What, name: String, env: Rc<Env>, params: Vec<Ty>, result: Option<Ty>) -> Instance {
        Instance {
            what,
            name,
            env,
            type_args: Vec::new(),
            params,
            result,
            written: result.is_some(),
            own_diagnostics: 0,
            state: State::Unchecked,
            provisional: None,
            asked: false,
            relied: false,
            tainted: false,
            origin: None,
            depth: 0,
            function: None,
            diagnostics: Vec::new(),
        }
    }
}

impl<'a> Checker<'a> {
    /// Adds an instance that nothing else shares.
    pub(super) fn add_instance(&mut self, instance: Instance) -> FnId {
        self.instances.push(instance);
        FnId(self.instances.len() as u32 - 1)
    }

    /// The type that `Self` stands for in a function with these type arguments.
    pub(super) fn self_type(&mut self, owner: Owner, type_args: &[Ty]) -> Option<Ty> {
        match owner {
            Owner::None => None,
            Owner::Type(decl) => {
                let n = self.decl(decl).generics.len();
                Some(self.decl_type(decl, type_args[..n].to_vec()))
            }
            Owner::Trait(_) => type_args.first().copied(),
            Owner::Impl(id) => {
                let n = self.implementation(id).generics.len();
                Some(self.impl_target(id, &type_args[..n.min(type_args.len())]))
            }
        }
    }

    /// What the names of a function's type parameters stand for.
    pub(super) fn fn_env(&mut self, decl: FnDeclId, type_args: &[Ty]) -> Env {
        let owner = self.function(decl).owner;
        let self_ty = self.self_type(owner, type_args);
        let names = self.function(decl).generics();
        Env { types: names.zip(type_args.iter().copied()).collect(), self_ty }
    }

    /// The instance of a function for concrete types. `params` holds the types of all parameters, `self` first.
    pub(super) fn request(
        &mut self,
        decl: FnDeclId,
        type_args: Vec<Ty>,
        params: Vec<Ty>,
        origin: Option<(Span, FnId)>,
    ) -> FnId {
        let key = (What::Fn(decl), type_args, params);
        if let Some(&id) = self.memo.get(&key) {
            return id;
        }
        let env = self.fn_env(decl, &key.1);
        let declared = self.function(decl);
        let ast = declared.ast;
        let generic = !key.1.is_empty() || self.is_template(decl);
        let name = self.fn_name(decl, &key.1);
        let mut out = Vec::new();
        let result = self.result_type(decl, &key.1, &env, &mut out);
        let mut instance = Instance::new(key.0, name, Rc::new(env), key.2.clone(), result);
        instance.own_diagnostics = out.len();
        instance.diagnostics = out;
        instance.origin = origin;
        let depth = origin.map_or(0, |(_, from)| self.instance(from).depth) + u32::from(generic);
        instance.depth = depth;
        let before = self.instance_work;
        if generic {
            let size: u32 = instance.params.iter().map(|&ty| self.types.size(ty)).sum();
            self.instance_work += 1 + size as usize / 16;
        }
        if self.instance_work > INSTANCE_WORK_MAX {
            instance.state = State::Done;
            instance.result = instance.result.or(Some(Ty::ERROR));
            if before <= INSTANCE_WORK_MAX {
                let span = origin.map_or(ast.name.span, |(span, _)| span);
                instance.diagnostics.push(
                    Diagnostic::error(codes::TOO_MANY_INSTANCES, span, "this program asks for too many instances of templates")
                        .label("one more than can be compiled")
                        .and(ast.name.span, "of this function")
                        .help("templates that call each other with more than one new type multiply; write the types of some parameters"),
                );
            }
        } else if depth > TEMPLATE_DEPTH_MAX {
            // one message, and no body: its requests would go on without end
            instance.state = State::Done;
            instance.result = instance.result.or(Some(Ty::ERROR));
            let span = origin.map_or(ast.name.span, |(span, _)| span);
            instance.diagnostics.push(
                Diagnostic::error(
                    codes::ENDLESS_TEMPLATE,
                    span,
                    format!("instantiating `{}` goes on without end", ast.name.name),
                )
                .label(format!("more than {TEMPLATE_DEPTH_MAX} instantiations inside each other"))
                .and(ast.name.span, "of this function")
                .help("write the types of the parameters of one of them to end it"),
            );
        }
        let id = self.add_instance(instance);
        self.memo.insert(key, id);
        id
    }

    fn fn_name(&mut self, decl: FnDeclId, type_args: &[Ty]) -> String {
        let (owner, name) = (self.function(decl).owner, self.function(decl).ast.name.name);
        match owner {
            Owner::None => name.to_string(),
            Owner::Type(owner) => format!("{}.{name}", self.decl(owner).name.name),
            Owner::Trait(_) => format!("{}.{name}", self.types.display(type_args[0])),
            Owner::Impl(_) => {
                let ty = self.self_type(owner, type_args).unwrap_or(Ty::ERROR);
                format!("{}.{name}", self.types.display(ty))
            }
        }
    }

    /// The result of an instance. None when it depends on itself and nothing is known yet: the bodies that wait for it
    /// have been marked and will be checked again.
    pub(super) fn result_of_instance(&mut self, id: FnId) -> Option<Ty> {
        let instance = self.instance(id);
        if let Some(result) = instance.result {
            return Some(result);
        }
        match instance.state {
            State::Done => Some(Ty::ERROR),
            State::Unchecked => self.check_instance(id),
            State::Checking => {
                let instance = self.instance_mut(id);
                if let Some(ty) = instance.provisional {
                    instance.relied = true;
                    return Some(ty);
                }
                instance.asked = true;
                let position = self.active.iter().position(|&a| a == id).map_or(0, |p| p + 1);
                for index in position..self.active.len() {
                    let waiting = self.active[index];
                    self.instance_mut(waiting).tainted = true;
                }
                None
            }
        }
    }

    /// Checks an instance; gives its result, or None if that depends on an instance around it.
    pub(super) fn check_instance(&mut self, id: FnId) -> Option<Ty> {
        if self.active.len() >= WAITING_MAX {
            let span = self.instance_span(id);
            let instance = self.instance_mut(id);
            instance.state = State::Done;
            instance.result = instance.result.or(Some(Ty::ERROR));
            instance.diagnostics.push(
                Diagnostic::error(codes::TOO_MANY_WAIT, span, "too many functions wait for each other's result types")
                    .help("write the result type of this function: `-> …`"),
            );
            return instance.result;
        }
        self.active.push(id);
        let result = self.attempt(id);
        self.active.pop();
        result
    }

    fn attempt(&mut self, id: FnId) -> Option<Ty> {
        let instance = self.instance_mut(id);
        instance.state = State::Checking;
        instance.provisional = None;
        instance.asked = false;
        instance.relied = false;
        instance.tainted = false;
        let mark = (self.committed.len(), self.queue.len());
        let mut outcome = Body::check(self, id);
        if self.instance(id).tainted {
            self.instance_mut(id).state = State::Unchecked;
            return outcome.first_exit;
        }
        if self.instance(id).asked {
            if let Some(exit) = outcome.first_exit {
                let instance = self.instance_mut(id);
                instance.asked = false;
                instance.provisional = Some(exit);
                outcome = Body::check(self, id);
                if self.instance(id).tainted {
                    self.instance_mut(id).state = State::Unchecked;
                    return outcome.first_exit;
                }
            } else {
                let span = self.instance_span(id);
                let message = "the result type of this recursive function can't be inferred";
                outcome.diagnostics = vec![
                    Diagnostic::error(codes::RESULT_UNKNOWN, span, message)
                        .label("each of its exits calls it again")
                        .help("annotate the result: `-> …`"),
                ];
                outcome.result = Ty::ERROR;
            }
        }
        if self.contradicted(id, outcome.result) {
            // what was checked meanwhile relied on the first exit; the whole of the body says otherwise
            self.undo_since(mark);
            let instance = self.instance_mut(id);
            instance.provisional = Some(outcome.result);
            instance.relied = false;
            outcome = Body::check(self, id);
            if self.instance(id).tainted {
                self.instance_mut(id).state = State::Unchecked;
                return outcome.first_exit;
            }
            if self.contradicted(id, outcome.result) {
                let found = self.types.display(outcome.result);
                let span = self.instance_span(id);
                let message = "the result type of this recursive function can't be inferred";
                outcome.diagnostics.push(
                    Diagnostic::error(codes::RESULT_UNKNOWN, span, message)
                        .label(format!("its exits give {found} and something else"))
                        .help("annotate the result: `-> …`"),
                );
            }
        }
        Some(self.commit(id, outcome))
    }

    /// Whether others took the first exit's type for the result, and it is not.
    fn contradicted(&self, id: FnId, result: Ty) -> bool {
        let instance = self.instance(id);
        let assumed = instance.provisional.filter(|_| instance.relied && instance.result.is_none());
        assumed.is_some_and(|assumed| assumed != result && result != Ty::ERROR)
    }

    /// Takes back what was committed and asked for since a point in time.
    fn undo_since(&mut self, (committed, queued): (usize, usize)) {
        for id in self.committed.split_off(committed) {
            let instance = self.instance_mut(id);
            instance.state = State::Unchecked;
            instance.function = None;
            if !instance.written {
                instance.result = None;
            }
            instance.diagnostics.truncate(instance.own_diagnostics);
        }
        self.queue.truncate(queued);
    }

    fn commit(&mut self, id: FnId, outcome: Outcome) -> Ty {
        let Outcome { mut function, result, closures, mut diagnostics, requests, .. } = outcome;
        if let What::Fn(decl) = self.instance_mut(id).what {
            function.inlining = self.function(decl).inlining;
        }
        for (closure, function) in closures {
            self.instance_mut(closure).function = Some(function);
            self.instance_mut(closure).state = State::Done;
        }
        self.queue.extend(requests);
        self.committed.push(id);
        let instance = self.instance_mut(id);
        instance.function = Some(function);
        instance.state = State::Done;
        instance.diagnostics.append(&mut diagnostics);
        *instance.result.get_or_insert(result)
    }

    fn instance_span(&self, id: FnId) -> Span {
        match self.instance(id).what {
            What::Fn(decl) => self.function(decl).ast.name.span,
            _ => self.instance(id).origin.map_or(Span::new(crate::syntax::span::FileId(0), 0, 0), |(span, _)| span),
        }
    }

    /// Whether an instance belongs to the standard library.
    pub(super) fn is_standard(&self, id: FnId) -> bool {
        match self.instance(id).what {
            What::Fn(decl) => self.modules.list[self.function(decl).module.0 as usize].standard,
            What::Derived(..) | What::Dynamic(..) => true,
            _ => false,
        }
    }

    /// The instance of a derived operation.
    pub(super) fn request_derived(&mut self, derive: Derive, ty: Ty, origin: Option<(Span, FnId)>) -> FnId {
        let mut params = if derive.is_binary() { vec![ty, ty] } else { vec![ty] };
        params.extend(self.walk_type(derive));
        let key = (What::Derived(derive, ty), Vec::new(), params);
        if let Some(&id) = self.memo.get(&key) {
            return id;
        }
        let name = format!("{}.{}", self.types.display(ty), derive.method());
        let mut instance = Instance::new(key.0, name, Rc::default(), key.2.clone(), Some(derive.result()));
        instance.origin = origin;
        instance.depth = origin.map_or(0, |(_, from)| self.instance(from).depth);
        let id = self.add_instance(instance);
        self.memo.insert(key, id);
        id
    }

    /// Checks all that has been asked for.
    pub(super) fn drain(&mut self) {
        loop {
            while let Some(id) = self.queue.pop_front() {
                if self.instance(id).state == State::Unchecked {
                    self.check_instance(id);
                }
            }
            if !self.make_dynamic() {
                break;
            }
        }
    }

    /// The symbol of a local that no source can name.
    pub(super) fn hidden(name: &str) -> Symbol {
        Symbol::new(name)
    }
}
