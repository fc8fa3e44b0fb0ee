//! What is run: each program, its arguments and input.
//!
//! Sizes are such that the fastest peer but C runs at least a second. All programs are single-threaded, and in all
//! languages they use the same algorithm and the same kinds of data structures, written as an expert would there.

use std::path::{Path, PathBuf};
use std::process::Command;

/// One program of the race. The source is `NAME.ten` in `tests/bench/programs`, and `NAME` in the folders of the peers.
pub struct Program {
    pub name: &'static str,
    pub args: &'static [&'static str],
    /// It reads what `fasta` prints for this size.
    pub fasta: Option<&'static str>,
}

const fn of(name: &'static str, args: &'static [&'static str]) -> Program {
    Program { name, args, fasta: None }
}

const fn reading(name: &'static str, fasta: &'static str) -> Program {
    Program { name, args: &[], fasta: Some(fasta) }
}

/// The name of the program that does nothing: what others cost is reported net of it too.
pub const HELLO: &str = "hello";

/// All of them, the one that does nothing first.
pub const PROGRAMS: &[Program] = &[
    of(HELLO, &[]),
    of("binary_trees", &["18"]),
    of("bounce", &["100000"]),
    of("cd", &["5000"]),
    of("deltablue", &["200000"]),
    of("fannkuch_redux", &["11"]),
    of("fasta", &["10000000"]),
    of("fib", &["43"]),
    of("gc_bench", &["18"]),
    of("havlak", &["60000"]),
    of("json", &["10000"]),
    reading("k_nucleotide", "1500000"),
    of("list", &["100000"]),
    of("mandelbrot", &["3000"]),
    of("mandelbrot_bitmap", &["4000"]),
    of("nbody", &["20000000"]),
    of("permute", &["60000"]),
    of("queens", &["80000"]),
    reading("regex_redux", "1500000"),
    reading("reverse_complement", "20000000"),
    of("richards", &["1500"]),
    of("sieve", &["100000"]),
    of("spectral_norm", &["5000"]),
    of("storage", &["20000"]),
    of("towers", &["30000"]),
];

impl Program {
    /// The file that the program reads, made when it isn't there.
    pub fn input(&self, root: &Path, folder: &Path) -> Option<PathBuf> {
        let size = self.fasta?;
        let path = folder.join(format!("fasta-{size}.txt"));
        if !path.exists() {
            let mut fasta = Command::new(env!("CARGO_BIN_EXE_tenure"));
            let output = fasta.arg(root.join("tests/bench/programs/fasta.ten")).arg(size).output();
            let output = output.expect("tenure starts");
            assert!(output.status.success(), "fasta.ten: {}", String::from_utf8_lossy(&output.stderr));
            std::fs::write(&path, output.stdout).expect("room for the input");
        }
        Some(path)
    }
}
