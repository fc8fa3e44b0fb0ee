//! Case files: `==== title`, the source, `----`, the expected text, and so on. `TENURE_BLESS=1` writes what comes now.

use std::fmt::Write;
use std::path::Path;

/// Compares what `found` makes of each case's title and source with what the file expects. `file` lies in `tests`.
pub fn compare(file: &str, found: impl Fn(&str, &str) -> String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(file);
    let text = std::fs::read_to_string(&path).expect("the case file is there");
    let mut blessed = String::new();
    let mut failures = String::new();
    for case in text.split("==== ").skip(1) {
        let (title, rest) = case.split_once('\n').expect("a title line");
        let (source, expected) = rest.split_once("\n----\n").expect("a line of dashes");
        let (found, expected) = (found(title, source), expected.trim_end());
        let found = found.trim_end();
        writeln!(blessed, "==== {title}\n{source}\n----\n{found}\n").expect("a string takes all");
        if found != expected {
            writeln!(failures, "{file}: {title}\nexpected:\n{expected}\nfound:\n{found}\n")
                .expect("a string takes all");
        }
    }
    if std::env::var_os("TENURE_BLESS").is_some() {
        std::fs::write(&path, blessed.trim_end().to_string() + "\n").expect("the case file can be written");
    } else {
        assert!(failures.is_empty(), "{failures}");
    }
}
