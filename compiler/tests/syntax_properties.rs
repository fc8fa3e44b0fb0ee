//! Whatever the text, parsing ends, does not panic, and its messages point into the file.

use proptest::prelude::*;
use tenure_compiler::diagnostic::Severity;
use tenure_compiler::source::Sources;
use tenure_compiler::syntax::dump::dump;
use tenure_compiler::syntax::parse;

/// Every token of the language, a few in forms that go wrong.
const WORDS: &[&str] = &[
    "let", "var", "const", "fn", "struct", "enum", "trait", "impl", "type", "use", "pub", "if", "else", "while",
    "loop", "for", "in", "not", "break", "continue", "return", "match", "try", "catch", "defer", "and", "or", "is",
    "nil", "true", "self", "Self", "as", "test", "bench", "int", "x", "y", "f", "Node", "Circle", "_", "@inline", "1",
    "2.5", "0x", "b'a'", "\"s\"", "\"a{", "}b\"", ":>8.2", "'raw'", "'''", "\"", "(", ")", "[", "]", "{", "}", ",",
    ";", ":", ".", "?.", "..", "..=", "->", "=>", "?", "!", "=", "==", "<", "+", "-", "*", "**", "|", "||", "&&", "^",
    "~", "<<", ">>>", "??", "+=", "??=", "++", "\n", "\n", "\n", "// c\n", "/// d\n", "#", "é", "\r\n",
];

/// A program in which everything occurs.
const SAMPLE: &str = include_str!("syntax/sample.ten");

fn check(text: &str) {
    let mut sources = Sources::default();
    let id = sources.add("random.ten", text.to_owned());
    let (tree, messages) = parse(&sources, id);
    for message in &messages {
        for label in std::iter::once(&message.primary).chain(&message.secondary) {
            assert!(label.span.lo <= label.span.hi, "{message:?}");
            sources.text(label.span);
        }
        assert!(!message.message.is_empty());
    }
    for item in &tree.items {
        sources.text(item.span);
    }
    let errors = messages.iter().any(|m| m.severity == Severity::Error);
    assert!(errors || !dump(&tree).contains("ERROR"), "an error without a message");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text(text in any::<String>()) {
        check(&text);
    }

    #[test]
    fn any_printable_text(text in "[ -~\n]{0,200}") {
        check(&text);
    }

    #[test]
    fn any_tokens(words in prop::collection::vec(prop::sample::select(WORDS), 0..60), spaced in any::<bool>()) {
        check(&words.join(if spaced { " " } else { "" }));
    }

    #[test]
    fn a_program_with_a_piece_missing(from in 0..SAMPLE.len(), length in 0..80usize) {
        let to = (from + length).min(SAMPLE.len());
        check(&format!("{}{}", &SAMPLE[..from], &SAMPLE[to..]));
    }

    #[test]
    fn a_program_with_a_word_too_many(at in 0..SAMPLE.len(), word in prop::sample::select(WORDS)) {
        check(&format!("{}{word}{}", &SAMPLE[..at], &SAMPLE[at..]));
    }
}

#[test]
fn the_sample_itself_is_fine() {
    let mut sources = Sources::default();
    let id = sources.add("sample.ten", SAMPLE);
    let (_, messages) = parse(&sources, id);
    assert!(messages.is_empty(), "{:?}", messages[0]);
}

/// The programs of the language's design, and those that ship with it.
#[test]
fn shipped_programs_parse() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let mut seen = 0;
    for folder in ["stdlib/core", "stdlib/modules", "examples"] {
        for entry in std::fs::read_dir(root.join(folder)).expect("a folder of the workspace") {
            let path = entry.expect("a readable folder").path();
            if path.extension().is_none_or(|e| e != "ten") {
                continue;
            }
            let mut sources = Sources::default();
            let id = sources.add(path.display().to_string(), std::fs::read_to_string(&path).expect("text"));
            let (_, messages) = parse(&sources, id);
            assert!(messages.is_empty(), "{}: {:?}", path.display(), messages[0]);
            seen += 1;
        }
    }
    assert!(seen > 10, "only {seen} programs were found");
}
