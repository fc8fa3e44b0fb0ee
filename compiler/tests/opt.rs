//! What the optimiser's passes make of IR. A file is a line `; passes: NAMES`, the IR, a line `---`, and each function
//! after those passes. `TENURE_BLESS=1` writes the last part anew; read the difference before you keep it.

use std::fs;
use std::path::{Path, PathBuf};
use tenure_compiler::ir::{self, FuncId};
use tenure_compiler::opt::Optimiser;
use tenure_compiler::timing::Timing;

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/opt");
    let entries = fs::read_dir(&folder).expect("a folder of tests");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    files.sort();
    files
}

fn optimised(names: &str, text: &str) -> Result<String, String> {
    let program = ir::parse(text)?;
    ir::verify::verify(&program)?;
    let optimiser = Optimiser::new(&program, names.parse()?, Timing::default(), []);
    let functions = (0..program.functions.len() as u32).map(FuncId);
    Ok(functions.map(|id| format!("{id} {}\n", optimiser.optimise(&program, id))).collect())
}

#[test]
fn passes_do_what_their_files_say() {
    let bless = std::env::var_os("TENURE_BLESS").is_some();
    let mut wrong = Vec::new();
    for path in files() {
        let text = fs::read_to_string(&path).expect("readable");
        let (before, expected) = text.split_once("---\n").unwrap_or((&text, ""));
        let (first, ir) = before.split_once('\n').expect("a line that names passes");
        let names = first.strip_prefix("; passes: ").expect("a line that names passes");
        let found = optimised(names, ir).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        if found == expected {
            continue;
        }
        if bless {
            fs::write(&path, format!("{before}---\n{found}")).expect("writable");
        } else {
            wrong.push(format!("{} gives\n{found}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_unknown_pass_is_refused_by_name() {
    let error = "dead,plumbing".parse::<tenure_compiler::opt::Passes>().expect_err("there is no such pass");
    assert!(error.contains("`plumbing`") && error.contains("dead"), "{error}");
}
