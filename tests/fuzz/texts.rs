//! Texts near enough to right ones to get past the first check: pieces of good texts, cut, doubled, joined, and
//! sprinkled with words.

use fastrand::Rng;
use std::path::Path;

/// A source of texts.
pub struct Texts {
    corpus: Vec<String>,
    words: &'static [&'static str],
}

const TEXT_BYTES_MAX: usize = 3000;

const PROGRAM_WORDS: &[&str] = &[
    "fn f(x) = x",
    "fn",
    "let ",
    "var ",
    "const C: int = 1",
    "struct ",
    "enum ",
    "trait ",
    "impl ",
    "for ",
    "if ",
    "else ",
    "match ",
    "while ",
    "loop ",
    "break",
    "continue",
    "return ",
    "try ",
    "catch e ",
    "defer ",
    "test \"t\" ",
    "use json",
    "pub ",
    "type ",
    "self",
    "Self",
    "nil",
    "true",
    " and ",
    " or ",
    " not ",
    " in ",
    " is ",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "\"",
    "'",
    "'''",
    "{x}",
    "|x| ",
    "||",
    ",",
    ";",
    "\n",
    ":",
    ".",
    "..",
    "..=",
    "?",
    "?.",
    "??",
    "!",
    "->",
    "=>",
    "=",
    "==",
    "<",
    "+=",
    "+",
    "-",
    "*",
    "**",
    "%",
    "<<",
    "b'a'",
    "0",
    "1_000",
    "0xff",
    "9223372036854775807",
    "1.5",
    "1e400",
    "_",
    "@inline ",
    "int",
    "str",
    "[int]",
    "[str: int]",
    "int?",
    "int!",
    "fn(int) -> int",
    "(int, str)",
    "Ok(1)",
    "Err(",
    "//",
    "///",
    "#!",
    "\\",
    "\u{0}",
    "é",
    "\u{feff}",
    "\r",
    "\t",
];

const JSON_WORDS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\\u00e9",
    "\\ud83d\\ude00",
    "\\ud800",
    "null",
    "true",
    "false",
    "0",
    "-0",
    "01",
    "1.",
    ".5",
    "1e5",
    "1E+400",
    "-",
    "+1",
    "1e",
    "12345678901234567890",
    "\"a\"",
    "\"\"",
    " ",
    "\n",
    "\t",
    "\u{1}",
    "\u{7f}",
    "é",
    "/*",
    "NaN",
    "nul",
    "\u{feff}",
    "\\/",
    "\\x",
];

const JSON_TEXTS: &[&str] = &[
    r#"{"a": [1, 2.5, -3e-2, true, false, null], "b": {"c": "d\n\u00e9"}}"#,
    r#"[[], {}, "", [[["deep"]]], {"k": {"k": {}}}]"#,
    r#""a string with \"escapes\" and \\ and \ud83d\ude00""#,
    "-0.0",
    " [ 1 , 2 ] ",
];

impl Texts {
    /// Programs, from those of the repository.
    pub fn programs() -> Texts {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut corpus = Vec::new();
        for folder in ["tests/conformance", "examples", "compiler/tests/check", "stdlib/core"] {
            collect(&root.join(folder), &mut corpus);
        }
        assert!(corpus.len() > 100, "the repository has programs");
        Texts { corpus, words: PROGRAM_WORDS }
    }

    /// JSON.
    pub fn json() -> Texts {
        Texts { corpus: JSON_TEXTS.iter().map(|&text| text.to_owned()).collect(), words: JSON_WORDS }
    }

    /// The text of a seed.
    pub fn next(&mut self, seed: u64) -> String {
        let mut rng = Rng::with_seed(seed);
        let mut text = self.piece(&mut rng);
        for _ in 0..rng.usize(0..8) {
            let at = boundary(&text, rng.usize(0..=text.len()));
            let end = boundary(&text, (at + rng.usize(0..40)).min(text.len()));
            match rng.u8(0..5) {
                0 => text.replace_range(at..end, ""),
                1 => text.insert_str(at, rng.choice(self.words).expect("there are words")),
                2 => text.replace_range(at..end, rng.choice(self.words).expect("there are words")),
                3 => {
                    let part = text[at..end].to_owned();
                    text.insert_str(at, &part);
                }
                _ => {
                    let other = self.piece(&mut rng);
                    text.insert_str(at, &other);
                }
            }
        }
        text
    }

    /// Some lines of one of the texts.
    fn piece(&self, rng: &mut Rng) -> String {
        let text = rng.choice(&self.corpus).expect("there are texts");
        if text.len() <= TEXT_BYTES_MAX && rng.bool() {
            return text.clone();
        }
        let lines: Vec<&str> = text.lines().collect();
        let from = rng.usize(0..lines.len().max(1));
        let mut out = String::new();
        for line in &lines[from.min(lines.len())..] {
            if out.len() + line.len() > TEXT_BYTES_MAX / 2 {
                break;
            }
            out += line;
            out.push('\n');
        }
        out
    }
}

/// The place of a character at or before `at`.
fn boundary(text: &str, at: usize) -> usize {
    (0..=at).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0)
}

fn collect(folder: &Path, corpus: &mut Vec<String>) {
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("a readable folder")
        .map(|entry| entry.expect("a readable entry").path())
        .collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            collect(&path, corpus);
        } else if path.extension().is_some_and(|e| e == "ten") {
            corpus.push(std::fs::read_to_string(&path).expect("text"));
        }
    }
}
