//! Every code block of the book and of the first page (README.md) is a test. What a block is stands in its fence:
//!
//! - `tenure` — a program. Each `// => TEXT` is the next line it prints; without any it prints nothing.
//! - `tenure,continue` — the same, with the program of the block before in front of it.
//! - `tenure,panic=KIND` — a program that ends with an uncaught panic of this kind.
//! - `tenure,error=E0301` — a program that is refused with this code and no other.
//! - `tenure,test` — a program run by `tenure test`, all its tests passing.
//! - `tenure,use` — imports for the chapter's blocks of values.
//! - `tenure,values` — a line `EXPR  // => TEXT` is an expression and its value, as it shows inside other values.
//! - `tenure,unrun` — checked with the blocks of values, not run.
//! - `tenure,file=NAME.ten` — a module, kept for the later blocks of the chapter; checked, not run.
//! - `console` — lines `$ tenure …`, each followed by what it prints; `[..]` stands for anything within a line, a line
//!   `...` for any lines.
//! - `repl` — inputs behind `> `, lines in which they go on behind two blanks, and what `tenure repl` shows for them on
//!   standard output, with the same wildcards.
//! - `rust` — compiled and run with the crate's documentation tests (see `src/lib.rs`).
//! - `toml`, `text`, `sh` — not run.

mod support;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use support::{Run, command, tenure, tenure_with_input};

/// A fenced block: where it begins, its info string, its text.
struct Block {
    line: usize,
    info: String,
    text: String,
}

fn blocks(chapter: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (index, line) in chapter.lines().enumerate() {
        match (line.trim_start().strip_prefix("```"), open.as_mut()) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(info), None) => {
                open = Some(Block { line: index + 1, info: info.trim().to_string(), text: String::new() });
            }
            (None, Some(block)) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "the last block is never closed");
    blocks
}

fn expected_output(program: &str) -> String {
    program.lines().filter_map(|line| line.split_once("// => ")).fold(String::new(), |mut text, (_, line)| {
        writeln!(text, "{line}").expect("writing to a string");
        text
    })
}

fn same_output(run: &Run, program: &str) -> Result<(), String> {
    let wanted = expected_output(program);
    if run.stdout == wanted {
        Ok(())
    } else {
        Err(format!("printed\n{}instead of\n{wanted}{}", run.stdout, run.stderr))
    }
}

/// A chapter's folder of modules, and the program that `continue` goes on with.
struct Chapter {
    folder: tempfile::TempDir,
    before: String,
    imports: String,
    /// The blocks of values as `test` blocks, run together.
    values: String,
}

impl Chapter {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("below the folder")).expect("the folder can be made");
        std::fs::write(&path, text).expect("the folder is writable");
        path.to_str().expect("a plain path").to_string()
    }

    fn try_block(&mut self, block: &Block) -> Result<(), String> {
        let (language, attribute) = block.info.split_once(',').unwrap_or((&block.info, ""));
        match language {
            "tenure" => self.try_program(block, attribute),
            "console" => self.try_console(&block.text),
            "repl" => try_repl(&block.text),
            "rust" | "toml" | "text" | "sh" => Ok(()),
            _ => Err(format!("a block must say what it is, not `{language}`")),
        }
    }

    fn try_program(&mut self, block: &Block, attribute: &str) -> Result<(), String> {
        let mut text = block.text.clone();
        if attribute == "continue" {
            // the lines that the earlier part prints are not this block's to show
            text = format!("{}\n{text}", self.before);
        }
        if let Some(name) = attribute.strip_prefix("file=") {
            let path = self.write(name, &text);
            return expect_code(&tenure(&["check", &path]), 0);
        }
        let path = self.write(&format!("block_{}.ten", block.line), &text);
        if let Some(code) = attribute.strip_prefix("error=") {
            let run = tenure(&["check", "--format=json", &path]);
            expect_code(&run, 1)?;
            let wrong = run.stdout.lines().find(|line| !line.contains(&format!("\"{code}\"")));
            return wrong.map_or(Ok(()), |line| Err(format!("not {code}: {line}")));
        }
        if let Some(kind) = attribute.strip_prefix("panic=") {
            let run = tenure(&[&path]);
            same_output(&run, &text)?;
            let named = run.code != 0 && run.stderr.contains(&format!("[{kind}]"));
            return if named { Ok(()) } else { Err(format!("no panic of kind {kind}: {run:?}")) };
        }
        match attribute {
            "use" => {
                self.imports.push_str(&block.text);
                Ok(())
            }
            "values" => {
                let asserts: String = block.text.lines().map(|line| value_line(line) + "\n").collect();
                if !asserts.contains("assert(") {
                    return Err("it tells no value".into());
                }
                write!(self.values, "test \"line {}\" {{\n{asserts}}}\n", block.line).expect("writing to a string");
                Ok(())
            }
            "unrun" => {
                write!(self.values, "fn unrun_{}() {{\n{}}}\n", block.line, block.text).expect("writing to a string");
                Ok(())
            }
            "test" => expect_code(&tenure(&["test", &path]), 0),
            "" | "continue" => {
                let run = tenure(&[&path]);
                expect_code(&run, 0)?;
                same_output(&run, &text)?;
                self.before = text;
                Ok(())
            }
            _ => Err(format!("`{attribute}` means nothing here")),
        }
    }

    /// Runs the blocks of values.
    fn try_values(&self) -> Result<(), String> {
        if self.values.is_empty() {
            return Ok(());
        }
        let path = self.write("values.ten", &format!("{}{}", self.imports, self.values));
        let run = tenure(&["test", &path]);
        expect_code(&run, 0)
    }

    fn try_console(&self, text: &str) -> Result<(), String> {
        for session in format!("\n{text}").split("\n$ ").skip(1) {
            let (line, wanted) = session.split_once('\n').unwrap_or((session, ""));
            let Some(arguments) = line.trim().strip_prefix("tenure") else {
                return Err(format!("only `$ tenure …` can be tried, not `{line}`"));
            };
            let output = command()
                .current_dir(self.folder.path())
                .env("NO_COLOR", "1")
                .args(arguments.split_whitespace())
                .output()
                .expect("the command starts");
            let mut printed = String::from_utf8_lossy(&output.stdout).into_owned();
            printed.push_str(&String::from_utf8_lossy(&output.stderr));
            let (wanted, found): (Vec<&str>, Vec<&str>) = (wanted.lines().collect(), printed.lines().collect());
            if !lines_match(&wanted, &found) {
                return Err(format!("`{line}` printed\n{printed}instead of\n{}", wanted.join("\n")));
            }
        }
        Ok(())
    }
}

fn try_repl(text: &str) -> Result<(), String> {
    let (mut inputs, mut wanted) = (String::new(), Vec::new());
    let mut within = false;
    for line in text.lines() {
        let input = line.strip_prefix("> ").or_else(|| line.strip_prefix("  ").filter(|_| within));
        within = input.is_some();
        match input {
            Some(input) => writeln!(inputs, "{input}").expect("writing to a string"),
            None => wanted.push(line),
        }
    }
    let run = tenure_with_input(&["repl"], inputs.as_bytes());
    let shown: Vec<&str> = run.stdout.lines().collect();
    if lines_match(&wanted, &shown) { Ok(()) } else { Err(format!("showed {run:?}")) }
}

/// `EXPR  // => TEXT` as an assertion; any other line as it is.
fn value_line(line: &str) -> String {
    let Some((value, text)) = line.split_once("  // => ") else { return line.to_string() };
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('{', "\\{").replace('}', "\\}");
    format!("assert(inspect({value}) == \"{escaped}\")")
}

fn expect_code(run: &Run, code: i32) -> Result<(), String> {
    if run.code == code {
        Ok(())
    } else {
        Err(format!("ended with {}, not {code}\n{}{}", run.code, run.stdout, run.stderr))
    }
}

/// Whether the printed lines are the wanted ones, of which `...` stands for any number.
fn lines_match(wanted: &[&str], found: &[&str]) -> bool {
    match wanted {
        [] => found.is_empty(),
        ["...", rest @ ..] => (0..=found.len()).any(|skip| lines_match(rest, &found[skip..])),
        [first, rest @ ..] => {
            found.split_first().is_some_and(|(f, others)| line_matches(first, f) && lines_match(rest, others))
        }
    }
}

/// Whether a printed line is the wanted one, in which `[..]` stands for anything.
fn line_matches(wanted: &str, found: &str) -> bool {
    let Some((start, rest)) = wanted.trim_end().split_once("[..]") else {
        return wanted.trim_end() == found.trim_end();
    };
    found.strip_prefix(start).is_some_and(|found| {
        (0..=found.len()).filter(|at| found.is_char_boundary(*at)).any(|at| line_matches(rest, &found[at..]))
    })
}

fn chapters(below: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(below).expect("the book is there") {
        let path = entry.expect("its entries are readable").path();
        if path.is_dir() {
            chapters(&path, found);
        } else if path.extension().is_some_and(|e| e == "md") {
            found.push(path);
        }
    }
    found.sort();
}

#[test]
fn every_block_does_what_it_says() {
    let mut found = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    chapters(&root.join("book/src"), &mut found);
    found.push(root.join("README.md"));
    let failures: Vec<String> = std::thread::scope(|scope| {
        let running: Vec<_> = found
            .iter()
            .map(|path| {
                scope.spawn(move || {
                    let text = std::fs::read_to_string(path).expect("chapters are readable text");
                    let folder = tempfile::tempdir().expect("a temporary folder");
                    let mut chapter =
                        Chapter { folder, before: String::new(), imports: String::new(), values: String::new() };
                    let blocks = blocks(&text);
                    let mut tried: Vec<_> = blocks.iter().map(|block| (block.line, chapter.try_block(block))).collect();
                    tried.push((0, chapter.try_values()));
                    tried
                        .into_iter()
                        .filter_map(|(line, result)| Some(format!("{}:{line}: {}", path.display(), result.err()?)))
                        .collect::<Vec<String>>()
                })
            })
            .collect();
        running.into_iter().flat_map(|chapter| chapter.join().expect("no chapter panics")).collect()
    });
    assert!(failures.is_empty(), "{} blocks failed\n\n{}", failures.len(), failures.join("\n\n"));
}

#[test]
fn wildcards() {
    assert!(lines_match(&["a [..]c", "...", "end"], &["a bbc", "x", "y", "end"]));
    assert!(lines_match(&["...", "end"], &["end"]));
    assert!(!lines_match(&["a", "b"], &["a"]));
    assert!(!line_matches("a [..]c", "a bbd"));
}
