//! File tests of the checker. `tests/check/accept/*.ten` have no diagnostics; the typed tree of functions whose name
//! is given by a first line `// show: name` is compared with the `.types` file beside them. `tests/check/reject/*.ten`
//! are compared with the `.txt` beside them, every message in it. `BLESS=1` rewrites the expected files.

use std::fs;
use std::path::{Path, PathBuf};
use tenure_compiler::check::{Library, LibraryModule, Mode, check};
use tenure_compiler::diagnostic::{Diagnostic, Severity};
use tenure_compiler::hir::{FnId, Program};
use tenure_compiler::source::Sources;
use tenure_runtime::native::{Native, NativeType, NativeValue, Registry};

/// The standard library as it lies in the repository; modules beside a test win.
struct Files {
    folder: PathBuf,
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn sorted(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|e| e.expect("a readable folder").path()).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == extension));
    files.sort();
    files
}

impl Library for Files {
    fn core_sources(&self) -> Vec<(String, String)> {
        let files = sorted(&repository().join("stdlib/core"), "ten");
        let name = |f: &Path| format!("core/{}", f.file_name().expect("a file").to_string_lossy());
        files.iter().map(|f| (name(f), fs::read_to_string(f).expect("readable"))).collect()
    }

    fn module(&self, _importer: &str, path: &str) -> Option<LibraryModule> {
        let file = path.replace('.', "/") + ".ten";
        if let Ok(text) = fs::read_to_string(self.folder.join(&file)) {
            return Some(LibraryModule { name: file, text, standard: false });
        }
        let text = fs::read_to_string(repository().join("stdlib/modules").join(&file)).ok()?;
        Some(LibraryModule { name: format!("std/{file}"), text, standard: true })
    }
}

/// Natives that the library's sources declare, none of which is called here.
fn registry() -> Registry {
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

fn run(file: &Path) -> (Option<Program>, Vec<Diagnostic>, Sources) {
    let mut sources = Sources::default();
    let text = fs::read_to_string(file).expect("readable");
    let name = file.file_name().expect("a file").to_string_lossy().into_owned();
    let main = sources.add(name, text);
    let library = Files { folder: file.parent().expect("a folder").to_owned() };
    // the checker recurses as deep as sources nest, so it is given room, as in the shell
    let checked = std::thread::scope(|scope| {
        let work = || check(&mut sources, main, &library, &registry(), Mode::Run);
        let thread = std::thread::Builder::new().stack_size(256 << 20).spawn_scoped(scope, work);
        thread.expect("a thread").join().expect("the checker does not panic")
    });
    (checked.0, checked.1, sources)
}

/// `file:line:column: error E0301: message`, then labels and help.
fn render(diagnostics: &[Diagnostic], sources: &Sources) -> String {
    let mut out = String::new();
    let place = |span: tenure_compiler::syntax::span::Span| {
        let file = sources.file(span.file);
        let (line, column) = file.line_column(span.lo);
        format!("{}:{line}:{column}", file.name)
    };
    for d in diagnostics {
        let severity = if d.severity == Severity::Error { "error" } else { "warning" };
        out += &format!("{}: {severity} {}: {}\n", place(d.primary.span), d.code, d.message);
        if !d.primary.text.is_empty() {
            out += &format!("    here: {}\n", d.primary.text);
        }
        for label in &d.secondary {
            out += &format!("    {}: {}\n", place(label.span), label.text);
        }
        for help in &d.help {
            out += &format!("    help: {help}\n");
        }
    }
    out
}

fn expect(file: &Path, found: &str, failures: &mut Vec<String>) {
    if std::env::var_os("BLESS").is_some() {
        fs::write(file, found).expect("writable");
        return;
    }
    let wanted = fs::read_to_string(file).unwrap_or_default();
    if wanted != found {
        failures.push(format!("{}\n--- expected\n{wanted}--- found\n{found}", file.display()));
    }
}

#[test]
fn accepted_programs_have_a_typed_tree() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check/accept");
    let mut failures = Vec::new();
    for file in sorted(&folder, "ten") {
        let (program, diagnostics, sources) = run(&file);
        let Some(program) = program else {
            failures.push(format!("{}\n{}", file.display(), render(&diagnostics, &sources)));
            continue;
        };
        assert_closed(&program);
        let text = fs::read_to_string(&file).expect("readable");
        let shown = text.lines().next().and_then(|l| l.strip_prefix("// show: ")).unwrap_or("");
        let mut found = render(&diagnostics, &sources);
        for name in shown.split_whitespace() {
            for (index, function) in program.functions.iter().enumerate() {
                if function.name == name {
                    found += &program.function_text(FnId(index as u32));
                }
            }
        }
        expect(&file.with_extension("types"), &found, &mut failures);
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// H1: no type of the program is open or broken.
fn assert_closed(program: &Program) {
    for function in &program.functions {
        let types = function.locals.iter().map(|l| l.ty).chain(function.exprs.iter().map(|e| e.ty));
        for ty in types {
            assert!(!program.types.is_open(ty), "an open type in {}", function.name);
        }
    }
}

#[test]
fn rejected_programs_tell_why() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check/reject");
    let mut failures = Vec::new();
    for file in sorted(&folder, "ten") {
        let (program, diagnostics, sources) = run(&file);
        let warned = diagnostics.iter().all(|d| d.severity == Severity::Warning) && !diagnostics.is_empty();
        if program.is_some() && !warned {
            failures.push(format!("{} was accepted", file.display()));
        }
        expect(&file.with_extension("txt"), &render(&diagnostics, &sources), &mut failures);
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// All programs of the repository are accepted.
#[test]
fn programs_of_the_repository_are_accepted() {
    let mut failures = Vec::new();
    for folder in ["examples", "stdlib/tests", "tests/bench/programs"] {
        for file in sorted(&repository().join(folder), "ten") {
            let (program, diagnostics, sources) = run(&file);
            if program.is_none() {
                failures.push(format!("{}\n{}", file.display(), render(&diagnostics, &sources)));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
