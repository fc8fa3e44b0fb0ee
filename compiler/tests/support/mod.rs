//! What tests of the checker share: the standard library as it lies in the repository, natives that are declared and
//! never called, and room for the checker to recurse in.

#![allow(dead_code, reason = "each test binary uses its part")]

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use tenure_compiler::check::{Library, LibraryModule, Mode, check};
use tenure_compiler::diagnostic::Diagnostic;
use tenure_compiler::hir::Program;
use tenure_compiler::source::Sources;
use tenure_compiler::timing::Timing;
use tenure_runtime::native::{Native, NativeType, NativeValue, Registry};

/// The repository's root.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The files of a folder with this extension, by name.
pub fn sorted(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|e| e.expect("a readable folder").path()).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == extension));
    files.sort();
    files
}

/// The core library's files: name and text.
static CORE: LazyLock<Vec<(String, Cow<'static, str>)>> = LazyLock::new(|| {
    let files = sorted(&repository().join("stdlib/core"), "ten");
    let name = |f: &Path| format!("core/{}", f.file_name().expect("a file").to_string_lossy());
    files.iter().map(|f| (name(f), fs::read_to_string(f).expect("readable").into())).collect()
});

/// A module of the standard library.
fn standard(path: &str) -> Option<LibraryModule> {
    let file = path.strip_prefix("std.").unwrap_or(path).replace('.', "/") + ".ten";
    let text = fs::read_to_string(repository().join("stdlib/modules").join(&file)).ok()?;
    Some(LibraryModule { name: format!("std/{file}"), text, standard: true })
}

/// Modules beside a test file, then the standard library.
pub struct Folder(pub PathBuf);

impl Library for Folder {
    fn core_sources(&self) -> Vec<(String, Cow<'static, str>)> {
        CORE.clone()
    }

    fn names(&self, _importer: &str) -> Vec<String> {
        Vec::new()
    }

    fn module(&self, _importer: &str, path: &str) -> Option<LibraryModule> {
        let file = path.replace('.', "/") + ".ten";
        match fs::read_to_string(self.0.join(&file)) {
            Ok(text) => Some(LibraryModule { name: file, text, standard: false }),
            Err(_) => standard(path),
        }
    }

    fn standard(&self, path: &str) -> Option<LibraryModule> {
        standard(path)
    }
}

/// A program of several modules in one text: a line `// file: name.ten` starts another. The first is the main one; one
/// whose name starts with `std/` counts as part of the standard library.
pub struct Modules<'t>(Vec<(&'t str, &'t str)>);

impl<'t> Modules<'t> {
    /// Takes the text apart.
    pub fn new(text: &'t str) -> Modules<'t> {
        let Some(first) = text.strip_prefix("// file: ") else { return Modules(vec![("main.ten", text)]) };
        Modules(first.split("\n// file: ").map(|part| part.split_once('\n').unwrap_or((part, ""))).collect())
    }

    /// Name and text of the main module.
    pub fn main(&self) -> (&'t str, &'t str) {
        self.0[0]
    }
}

impl Library for Modules<'_> {
    fn core_sources(&self) -> Vec<(String, Cow<'static, str>)> {
        CORE.clone()
    }

    fn names(&self, _importer: &str) -> Vec<String> {
        self.0.iter().map(|(name, _)| name.trim_end_matches(".ten").to_owned()).collect()
    }

    fn module(&self, _importer: &str, path: &str) -> Option<LibraryModule> {
        let file = path.replace('.', "/") + ".ten";
        let own = self.0.iter().find(|(name, _)| name.strip_prefix("std/").unwrap_or(name) == file);
        match own {
            Some(&(name, text)) => {
                Some(LibraryModule { name: name.into(), text: text.into(), standard: name.starts_with("std/") })
            }
            None => standard(path),
        }
    }

    fn standard(&self, path: &str) -> Option<LibraryModule> {
        standard(path)
    }
}

/// Natives that the library's sources declare, none of which is called here.
pub fn registry() -> Registry {
    let mut registry = Registry::default();
    for (folder, module) in [("stdlib/core", Some("core")), ("stdlib/modules", None)] {
        for file in sorted(&repository().join(folder), "ten") {
            let stem = file.file_stem().expect("a file").to_string_lossy().into_owned();
            let module = module.unwrap_or(&stem);
            let text = fs::read_to_string(&file).expect("readable");
            for line in text.lines().filter_map(|l| l.strip_prefix("@native ")) {
                let line = line.strip_prefix("pub ").unwrap_or(line);
                let Some(line) = line.strip_prefix("fn ") else { continue };
                let (name, rest) = line.split_once('(').expect("a parameter list");
                let (params, result) = rest.split_once(')').expect("a parameter list");
                let ty = |text: &str| match text.trim() {
                    "int" => NativeType::Int,
                    "float" => NativeType::Float,
                    "bool" => NativeType::Bool,
                    "byte" => NativeType::Byte,
                    "str" => NativeType::Str,
                    "Array[byte]" => NativeType::Bytes,
                    "Array[int]" => NativeType::Ints,
                    _ => NativeType::Unit,
                };
                let params = params.split(',').filter(|p| !p.trim().is_empty());
                registry.add(Native {
                    name: format!("{module}.{name}"),
                    params: params.map(|p| ty(p.split_once(':').expect("a type").1)).collect(),
                    result: result.split_once("->").map_or(NativeType::Unit, |r| ty(r.1)),
                    function: std::sync::Arc::new(|_| Ok(NativeValue::Unit)),
                });
            }
        }
    }
    registry
}

/// Checks a program.
pub fn checked(
    name: &str,
    text: &str,
    library: &(dyn Library + Sync),
    mode: Mode,
) -> (Option<Program>, Vec<Diagnostic>, Sources) {
    let mut sources = Sources::default();
    let main = sources.add(name, text.to_owned());
    // the checker recurses as deep as sources nest, so it is given room, as in the shell
    let checked = std::thread::scope(|scope| {
        let work = || check(&mut sources, main, library, &registry(), mode, &Timing::default());
        let thread = std::thread::Builder::new().stack_size(256 << 20).spawn_scoped(scope, work);
        thread.expect("a thread").join().expect("the checker does not panic")
    });
    (checked.0, checked.1, sources)
}
