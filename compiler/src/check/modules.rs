//! Modules: which files a program consists of, in initialisation order, and what each calls the others.
//!
//! A module is a file; the core library is one module of several files, visible everywhere without import.
//! This stage never looks inside a declaration, and never does input or output: texts come from a [`Library`].

use super::report::nearest;
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::source::{MAX_SOURCE_BYTES, Sources};
use crate::syntax::span::{FileId, Span};
use crate::syntax::symbol::Symbol;
use crate::syntax::{ast, parse, parse_known};
use crate::timing::Timing;
use hashbrown::{HashMap, HashSet};
use std::borrow::Cow;

/// The phase that makes syntax trees, for [`Timing`].
pub(super) const READ: &str = "lex and parse";

/// Where modules come from: the core library, the standard library, files beside the script.
pub trait Library {
    /// Names and texts of the core library's files.
    fn core_sources(&self) -> Vec<(String, Cow<'static, str>)>;
    /// Modules that `use` in the file named `importer` would find, as far as they can be listed: for suggestions.
    fn names(&self, importer: &str) -> Vec<String>;
    /// Name and text of the module at a path such as `util.text`, imported from the file named `importer`.
    fn module(&self, importer: &str, path: &str) -> Option<LibraryModule>;
    /// The module of the standard library at a path: what `use std.json` asks for, whatever lies beside the importer.
    fn standard(&self, path: &str) -> Option<LibraryModule>;
}

/// A module that a [`Library`] found.
#[derive(Clone, Debug)]
pub struct LibraryModule {
    /// How diagnostics name it; two imports of the same name are one module.
    pub name: String,
    /// Its text.
    pub text: String,
    /// Whether it belongs to the standard library: it may declare native functions.
    pub standard: bool,
}

/// A module of the program, an index into [`Modules::list`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub(super) struct ModuleId(pub u32);

/// The core library's module.
pub(super) const CORE: ModuleId = ModuleId(0);

/// A parsed module.
pub(super) struct Module {
    /// What native functions of it are registered under: `fs`.
    pub path: String,
    /// Its files; one, but for the core library.
    pub files: Vec<ast::File>,
    /// Whether it may use `@native` and `@intrinsic`, and is trusted to check.
    pub standard: bool,
    /// For each `use` of its files, in order: the module, if it was found.
    pub imports: Vec<Option<ModuleId>>,
}

/// All modules of a program; the main file's is the last to be initialised.
pub(super) struct Modules {
    pub list: Vec<Module>,
    /// In initialisation order, without the core library.
    pub order: Vec<ModuleId>,
    /// Files whose brackets or quotes don't match: where their declarations end was guessed.
    pub guessed: HashSet<FileId>,
    /// The inputs of a session, oldest first; empty for a program. Each sees what those before it declare.
    pub inputs: Vec<ModuleId>,
    /// Modules of a session with smaller numbers have been initialised.
    pub first_new: ModuleId,
}

impl Modules {
    /// Whether two modules have no secrets from each other.
    pub fn kin(&self, a: ModuleId, b: ModuleId) -> bool {
        a == b || self.inputs.contains(&a) && self.inputs.contains(&b)
    }

    /// Whether it is an input of a session.
    pub fn is_input(&self, module: ModuleId) -> bool {
        self.inputs.contains(&module)
    }
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Loading,
    Loaded,
}

struct Loader<'s> {
    sources: &'s mut Sources,
    library: &'s dyn Library,
    timing: &'s Timing,
    modules: Modules,
    by_name: HashMap<String, (ModuleId, State)>,
    /// The imports that led here: module name and place of the `use`.
    ring: Vec<(String, Option<Span>)>,
    diagnostics: Vec<Diagnostic>,
}

/// Parses the core library, the main file and all they import.
pub(super) fn load(
    sources: &mut Sources,
    main: FileId,
    library: &dyn Library,
    timing: &Timing,
) -> (Modules, Vec<Diagnostic>) {
    let mut loader = Loader::new(sources, library, timing);
    let name = loader.sources.file(main).name.clone();
    loader.module(main, name, String::new(), false, None);
    (loader.modules, loader.diagnostics)
}

/// Parses the core library, the inputs of a session and all they import. Modules, and files in `sources`, which are
/// empty at first, get the same numbers each time, as long as inputs are only added.
pub(super) fn load_session(
    sources: &mut Sources,
    inputs: &[(String, String)],
    initialised: usize,
    library: &dyn Library,
    timing: &Timing,
) -> (Modules, Vec<Diagnostic>) {
    let mut loader = Loader::new(sources, library, timing);
    loader.modules.first_new = ModuleId(initialised as u32);
    for (name, text) in inputs {
        let file = loader.sources.add(name.clone(), text.clone());
        let module = loader.module(file, name.clone(), String::new(), false, None);
        loader.modules.inputs.push(module);
    }
    (loader.modules, loader.diagnostics)
}

impl<'s> Loader<'s> {
    /// With the core library.
    fn new(sources: &'s mut Sources, library: &'s dyn Library, timing: &'s Timing) -> Loader<'s> {
        let modules = Modules {
            list: Vec::new(),
            order: Vec::new(),
            guessed: HashSet::new(),
            inputs: Vec::new(),
            first_new: CORE,
        };
        let (by_name, ring, diagnostics) = (HashMap::new(), Vec::new(), Vec::new());
        let mut loader = Loader { sources, library, timing, modules, by_name, ring, diagnostics };
        let mut core = Module { path: "core".into(), files: Vec::new(), standard: true, imports: Vec::new() };
        for (name, text) in library.core_sources() {
            let file = loader.sources.add(name, text);
            core.files.push(timing.time(READ, || parse_known(loader.sources, file, timing)));
        }
        loader.modules.list.push(core);
        loader
    }

    fn parse(&mut self, file: FileId) -> ast::File {
        let (tree, mut diagnostics) = self.timing.time(READ, || parse(self.sources, file));
        if diagnostics.iter().any(|d| matches!(d.code, codes::BRACKETS | codes::UNTERMINATED)) {
            self.modules.guessed.insert(file);
        }
        self.diagnostics.append(&mut diagnostics);
        tree
    }

    fn module(&mut self, file: FileId, name: String, path: String, standard: bool, at: Option<Span>) -> ModuleId {
        let id = ModuleId(self.modules.list.len() as u32);
        self.by_name.insert(name.clone(), (id, State::Loading));
        self.ring.push((name.clone(), at));
        let tree = self.parse(file);
        self.modules.list.push(Module { path, files: Vec::new(), standard, imports: Vec::new() });
        let mut imports = Vec::new();
        for item in &tree.items {
            if let ast::ItemKind::Use(import) = &item.kind {
                imports.push(self.import(&name, import, item.span));
            }
        }
        let module = &mut self.modules.list[id.0 as usize];
        module.files.push(tree);
        module.imports = imports;
        self.modules.order.push(id);
        self.ring.pop();
        self.by_name.insert(name, (id, State::Loaded));
        id
    }

    fn import(&mut self, importer: &str, import: &ast::Use, span: Span) -> Option<ModuleId> {
        let parts: Vec<&str> = import.path.iter().map(|part| part.name.as_str()).collect();
        let (parts, standard) = match parts.as_slice() {
            ["std", rest @ ..] if !rest.is_empty() => (rest, true),
            parts => (parts, false),
        };
        let path = parts.join(".");
        let found = if standard { self.library.standard(&path) } else { self.library.module(importer, &path) };
        let Some(found) = found else {
            let place = import.path.iter().map(|p| p.span).reduce(Span::to).unwrap_or(span);
            let names = self.library.names(importer);
            let near = nearest(Symbol::new(&path), names.iter().map(|name| Symbol::new(name)));
            let unknown = Diagnostic::error(codes::UNKNOWN_MODULE, place, format!("there is no module `{path}`"))
                .label("not found");
            self.diagnostics.push(match near {
                Some(near) => unknown.help(format!("did you mean `{near}`?")),
                None => unknown
                    .help("a module is a file `name.ten` beside the importing one, or part of the standard library"),
            });
            return None;
        };
        if let Some(&(id, state)) = self.by_name.get(&found.name) {
            if state == State::Loading {
                self.report_ring(&found.name, span);
                return None;
            }
            return Some(id);
        }
        if found.text.len() > MAX_SOURCE_BYTES {
            let message = format!("module `{path}` is larger than {} MiB", MAX_SOURCE_BYTES >> 20);
            self.diagnostics.push(Diagnostic::error(codes::MODULE_TOO_LARGE, span, message));
            return None;
        }
        let file = self.sources.add(found.name.clone(), found.text);
        Some(self.module(file, found.name, path, found.standard, Some(span)))
    }

    fn report_ring(&mut self, name: &str, span: Span) {
        let start = self.ring.iter().position(|(n, _)| n == name).unwrap_or(0);
        let mut names: Vec<&str> = self.ring[start..].iter().map(|(n, _)| n.as_str()).collect();
        names.push(name);
        let mut diagnostic = Diagnostic::error(
            codes::IMPORT_RING,
            span,
            format!("these modules import each other: {}", names.join(" → ")),
        )
        .label("this import closes the ring");
        for (name, at) in &self.ring[start + 1..] {
            if let Some(at) = at {
                diagnostic = diagnostic.and(*at, format!("`{name}` is imported here"));
            }
        }
        self.diagnostics.push(diagnostic.help("move what both need into a module of its own"));
    }
}
