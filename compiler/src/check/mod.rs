//! The checker: syntax trees of all modules → the typed tree, or diagnostics.
//!
//! Fully monomorphising, as in Crystal and Julia: a function is checked once for each combination of type arguments
//! and argument types that calls it (an *instance*), with concrete types. Inside a body inference is bidirectional
//! (Dunfield and Krishnaswami's survey, 2021) with unification variables for what only later lines reveal.
//!
//! Phases: load modules → collect declarations → check names → check the entry, tests and annotated functions, and
//! every instance they reach → drop what is not reachable.
//!
//! It must never do input or output, and never know how values are laid out.
//!
//! Invariants
//! - C1. Each instance commits once: what a discarded attempt (see `instance`) reported or requested is dropped.
//! - C2. After an error an expression has type `Error`, which agrees with all types, so one mistake gives one message.
//! - C3. The result has no garbage: every function in it can be reached from its entry, tests or exports.

mod absence;
mod blame;
mod body;
mod call;
mod closure;
mod codec;
mod coerce;
mod compact;
mod construct;
mod convert;
mod counted;
mod decls;
mod defer;
mod derive;
mod distinct;
mod dynamic;
mod emit;
mod exhaustive;
mod expr;
mod generic;
mod implement;
mod index;
mod infer;
mod instance;
mod iterate;
mod local_fn;
mod matching;
mod method;
mod modules;
mod names;
mod nesting;
mod operators;
mod pattern;
mod postfix;
mod program;
mod public;
mod report;
mod resolve;
mod scope;
mod stmt;
mod traits;

pub use modules::{Library, LibraryModule};

use crate::diagnostic::{Diagnostic, Severity};
use crate::hir::{self, DeclId, FnId, GlobalId, Ty, Types};
use crate::source::Sources;
use crate::syntax::ast;
use crate::syntax::span::{FileId, Span};
use crate::syntax::symbol::Symbol;
use crate::timing::Timing;
use decls::{Alias, Const, FnDecl, FnDeclId, Lang, Scope, Top, TopId, TypeDecl};
use derive::Derive;
use dynamic::Made;
use hashbrown::{HashMap, HashSet};
use implement::{Has, Head, Impl, ImplId};
use instance::{Instance, Key};
use modules::{ModuleId, Modules};
use nesting::Nesting;
use std::collections::VecDeque;
use std::rc::Rc;
use tenure_runtime::native::Registry;

/// What a program is checked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// To run: `main`, if there is one, follows the top-level statements.
    Run,
    /// To run its tests, after the top-level statements; `main` is not called.
    Test,
    /// The same for its `bench` blocks.
    Bench,
    /// To run the newest input of a session; its entry gives the text of the last statement's value.
    Session,
}

/// The checker's state for one program.
struct Checker<'a> {
    sources: &'a Sources,
    registry: &'a Registry,
    modules: &'a Modules,
    mode: Mode,
    types: Types,
    decls: Vec<TypeDecl<'a>>,
    fns: Vec<FnDecl<'a>>,
    consts: Vec<Const<'a>>,
    aliases: Vec<Alias<'a>>,
    /// What aliases stand for, with their arguments.
    alias_types: HashMap<(decls::AliasId, Vec<Ty>), Ty>,
    tops: Vec<Top<'a>>,
    top_by_place: HashMap<(ModuleId, Span), TopId>,
    /// All top-level bindings of a name, in source order, where there are several.
    top_shadows: HashMap<(ModuleId, Symbol), Vec<TopId>>,
    /// Top-level bindings that functions use; the others are locals of the entry.
    top_used: HashSet<TopId>,
    top_globals: HashMap<TopId, GlobalId>,
    globals: Vec<hir::Global>,
    /// Top-level bindings whose type is known.
    top_known: HashSet<TopId>,
    /// Top-level bindings whose type is being looked for ahead of time.
    top_guard: HashSet<TopId>,
    scopes: Vec<Scope>,
    lang: Lang,
    impls: Vec<Impl<'a>>,
    impls_by_head: HashMap<Head, Vec<ImplId>>,
    impls_complete: bool,
    /// Headers with the traits they promise, until they are in `impls`.
    headers: Vec<(DeclId, &'a [ast::TypeExpr])>,
    traits_known: HashMap<Ty, Rc<Vec<Has>>>,
    nestings: HashMap<(Derive, Ty), Nesting>,
    /// Traits that type parameters are bound by, in generic bodies that are checked by themselves.
    param_bounds: HashMap<Ty, Vec<(DeclId, Vec<Ty>)>>,
    /// Generic functions whose body asks for more than its bounds promise: what their instances find is known.
    broken_generics: HashSet<FnDeclId>,
    /// Types whose arguments have what their declaration's bounds ask for.
    bounds_met: HashSet<Ty>,
    /// Types whose values are referred to by a trait (W2 of `dynamic`), in the order they were found.
    behind: HashMap<Ty, Vec<Ty>>,
    behind_known: HashSet<(Ty, Ty)>,
    widened: HashMap<Ty, Vec<Ty>>,
    made: Vec<Made>,
    /// Local functions that capture nothing, by the place of their name.
    local_fns: HashMap<Span, FnDeclId>,
    /// Local functions that a local function sees, itself among them.
    local_scopes: HashMap<FnDeclId, Vec<(Symbol, FnDeclId)>>,
    instances: Vec<Instance>,
    /// How many of them are instances of templates and generic functions; those for large types count more.
    instance_work: usize,
    memo: HashMap<Key, FnId>,
    queue: VecDeque<FnId>,
    /// Instances in the order they were committed.
    committed: Vec<FnId>,
    /// Instances being checked, outermost first.
    active: Vec<FnId>,
    diagnostics: Vec<Diagnostic>,
    /// In a session: the type of the value that the newest input ends with.
    value_type: Option<String>,
    /// Of names; the same mistake found in an instance is told better there.
    later: Vec<Diagnostic>,
}

/// Checks a program. `main` has been added to `sources`; modules it imports are added here. Without error diagnostics
/// there is a typed tree. `timing` is told of the phases.
pub fn check(
    sources: &mut Sources,
    main: FileId,
    library: &dyn Library,
    registry: &Registry,
    mode: Mode,
    timing: &Timing,
) -> (Option<hir::Program>, Vec<Diagnostic>) {
    let (modules, read) = modules::load(sources, main, library, timing);
    let work = || check_modules(sources, &modules, read, registry, mode);
    let (tree, diagnostics, _) = timing.time("check", work);
    (tree, diagnostics)
}

/// What checking a session's newest input gives.
pub struct CheckedInput {
    /// The program that runs it, unless there are errors. Globals of earlier inputs are in it, with the same places.
    pub tree: Option<hir::Program>,
    /// What is wrong.
    pub diagnostics: Vec<Diagnostic>,
    /// Modules of the session so far.
    pub modules: usize,
    /// The type of the value it ends with, if it ends with one.
    pub value_type: Option<String>,
}

/// Checks the newest, the last, of a session's inputs, each a name and a text. Earlier ones have been checked, and
/// have run with all they import, which makes `initialised` modules. `sources` is empty at first; places, types and
/// globals of earlier inputs keep their identity from one check to the next.
pub fn check_session(
    sources: &mut Sources,
    inputs: &[(String, String)],
    initialised: usize,
    library: &dyn Library,
    registry: &Registry,
    timing: &Timing,
) -> CheckedInput {
    let (modules, read) = modules::load_session(sources, inputs, initialised, library, timing);
    let work = || check_modules(sources, &modules, read, registry, Mode::Session);
    let (tree, diagnostics, value_type) = timing.time("check", work);
    CheckedInput { tree, diagnostics, modules: modules.list.len(), value_type }
}

fn check_modules(
    sources: &Sources,
    modules: &Modules,
    read: Vec<Diagnostic>,
    registry: &Registry,
    mode: Mode,
) -> (Option<hir::Program>, Vec<Diagnostic>, Option<String>) {
    let mut checker = Checker {
        sources,
        registry,
        modules,
        mode,
        types: Types::default(),
        decls: Vec::new(),
        fns: Vec::new(),
        consts: Vec::new(),
        aliases: Vec::new(),
        alias_types: HashMap::new(),
        tops: Vec::new(),
        top_by_place: HashMap::new(),
        top_shadows: HashMap::new(),
        top_used: HashSet::new(),
        top_globals: HashMap::new(),
        globals: Vec::new(),
        top_known: HashSet::new(),
        top_guard: HashSet::new(),
        scopes: Vec::new(),
        lang: Lang::default(),
        impls: Vec::new(),
        impls_by_head: HashMap::new(),
        impls_complete: false,
        headers: Vec::new(),
        traits_known: HashMap::new(),
        nestings: HashMap::new(),
        param_bounds: HashMap::new(),
        broken_generics: HashSet::new(),
        bounds_met: HashSet::new(),
        behind: HashMap::new(),
        behind_known: HashSet::new(),
        widened: HashMap::new(),
        made: Vec::new(),
        local_fns: HashMap::new(),
        local_scopes: HashMap::new(),
        instances: Vec::new(),
        instance_work: 0,
        memo: HashMap::new(),
        queue: VecDeque::new(),
        committed: Vec::new(),
        active: Vec::new(),
        diagnostics: Vec::new(),
        later: Vec::new(),
        value_type: None,
    };
    checker.collect();
    checker.check_declarations();
    checker.check_names();
    let roots = checker.check_program();
    // The runtime makes errors of this type even where the program names none.
    checker.error_type();
    checker.complete_aggregates();
    let diagnostics = checker.collect_diagnostics(read);
    let failed = diagnostics.iter().any(|d| d.severity == Severity::Error);
    let value_type = checker.value_type.take();
    (if failed { None } else { Some(checker.compact(roots)) }, diagnostics, value_type)
}

impl<'a> Checker<'a> {
    fn decl(&self, id: DeclId) -> &TypeDecl<'a> {
        &self.decls[id.0 as usize]
    }

    fn function(&self, id: FnDeclId) -> &FnDecl<'a> {
        &self.fns[id.0 as usize]
    }

    fn instance(&self, id: FnId) -> &Instance {
        &self.instances[id.0 as usize]
    }

    fn instance_mut(&mut self, id: FnId) -> &mut Instance {
        &mut self.instances[id.0 as usize]
    }
}
