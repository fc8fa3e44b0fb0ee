//! The languages we run beside: what is installed, how a program becomes a command.
//!
//! A peer has a program if its folder has a source of that name: `java/BinaryTrees.java`, `js/binary_trees.js`,
//! `lua/binary_trees.lua`, `go/binary_trees.go`, `c/binary_trees.c`. It must never know what a program does.

use crate::machine::says;
use crate::programs::Program;
use std::fs;
use std::path::Path;
use std::process::Command;

/// A language, with the flags its users would give for speed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Peer {
    Java,
    Node,
    LuaJit,
    Go,
    C,
}

/// All of them, in the order of the table's columns.
pub const PEERS: [Peer; 5] = [Peer::Java, Peer::Node, Peer::LuaJit, Peer::Go, Peer::C];

/// How Tenure runs a program.
pub fn tenure(program: &Program, root: &Path) -> Vec<String> {
    let source = root.join("tests/bench/programs").join(program.name).with_extension("ten");
    command(&[env!("CARGO_BIN_EXE_tenure"), &source.display().to_string()], program)
}

fn command(words: &[&str], program: &Program) -> Vec<String> {
    words.iter().chain(program.args).map(|word| word.to_string()).collect()
}

/// `binary_trees` as `BinaryTrees`, but for what has a name of its own.
fn class_name(program: &str) -> String {
    if program == "nbody" {
        return "NBody".into();
    }
    program.split('_').map(|word| word[..1].to_uppercase() + &word[1..]).collect()
}

impl Peer {
    pub fn name(self) -> &'static str {
        match self {
            Peer::Java => "Java",
            Peer::Node => "Node",
            Peer::LuaJit => "LuaJIT",
            Peer::Go => "Go",
            Peer::C => "C",
        }
    }

    /// Its name on the command line.
    pub fn flag(self) -> &'static str {
        match self {
            Peer::Java => "java",
            Peer::Node => "node",
            Peer::LuaJit => "luajit",
            Peer::Go => "go",
            Peer::C => "c",
        }
    }

    /// What is installed, or nothing.
    pub fn version(self) -> Option<String> {
        match self {
            Peer::Java => says("javac", &["-version"]).and_then(|_| says("java", &["-version"])),
            Peer::Node => says("node", &["--version"]),
            Peer::LuaJit => says("luajit", &["-v"]),
            Peer::Go => says("go", &["version"]),
            Peer::C => says("cc", &["--version"]),
        }
    }

    /// The command that runs a program, built where it must be; nothing if it isn't written in this language.
    pub fn command(self, program: &Program, root: &Path, folder: &Path) -> Option<Vec<String>> {
        let sources = root.join("tests/bench/race");
        let file = |folder: &str, extension: &str| {
            let path = sources.join(folder).join(program.name).with_extension(extension);
            path.exists().then_some(path)
        };
        let binary = folder.join(format!("{}-{}", self.flag(), program.name)).display().to_string();
        match self {
            Peer::Java => {
                let class = class_name(program.name);
                let source = sources.join("java").join(&class).with_extension("java");
                source.exists().then(|| {
                    let classes = folder.join("java").join(&class).display().to_string();
                    fs::create_dir_all(&classes).expect("a folder for the classes");
                    let path = sources.join("java");
                    build(Command::new("javac").arg("-d").arg(&classes).arg("-sourcepath").arg(path).arg(source));
                    command(&["java", "-XX:+UseG1GC", "-cp", &classes, &class], program)
                })
            }
            Peer::Node => file("js", "js").map(|path| command(&["node", &path.display().to_string()], program)),
            Peer::LuaJit => {
                let libraries = sources.join("lua").join("?.lua");
                file("lua", "lua").map(|path| {
                    let setup = format!("package.path = [[{}]]", libraries.display());
                    command(&["luajit", "-e", &setup, &path.display().to_string()], program)
                })
            }
            Peer::Go => file("go", "go").map(|path| {
                build(Command::new("go").args(["build", "-o", &binary]).arg(&path));
                command(&[&binary], program)
            }),
            Peer::C => file("c", "c").map(|path| {
                build(Command::new("cc").args(["-O2", "-o", &binary]).arg(&path).arg("-lm"));
                command(&[&binary], program)
            }),
        }
    }
}

fn build(command: &mut Command) {
    let status = command.status().unwrap_or_else(|e| panic!("{command:?} does not start: {e}"));
    assert!(status.success(), "{command:?} ended with {status}");
}
