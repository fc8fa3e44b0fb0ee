//! Natives of `text`: what needs Unicode's tables. Positions are bytes.

use crate::signature::{add, ints, text};
use tenure_runtime::native::NativeType::{Bool, Int, Ints, Str};
use tenure_runtime::native::{NativeValue, Registry};
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

pub(crate) fn register(registry: &mut Registry) {
    add(registry, "text.grapheme_ends", &[Str], Ints, |cx| {
        let s = cx.str(0);
        let ends: Vec<i64> = s.grapheme_indices(true).map(|(at, part)| (at + part.len()) as i64).collect();
        ints(cx, &ends)
    });
    add(registry, "text.word_bounds", &[Str], Ints, |cx| {
        let words = cx.str(0).unicode_word_indices();
        let bounds: Vec<i64> = words.flat_map(|(at, word)| [at as i64, (at + word.len()) as i64]).collect();
        ints(cx, &bounds)
    });
    add(registry, "text.sentence_ends", &[Str], Ints, |cx| {
        let sentences = cx.str(0).split_sentence_bound_indices();
        let ends: Vec<i64> = sentences.map(|(at, part)| (at + part.len()) as i64).collect();
        ints(cx, &ends)
    });
    add(registry, "text.width", &[Str], Int, |cx| Ok(NativeValue::Int(cx.str(0).width() as i64)));
    let mut map = |name, f: fn(&str) -> String| {
        add(registry, name, &[Str], Str, move |cx| {
            let made = f(cx.str(0));
            text(cx, &made)
        });
    };
    map("text.fold_case", fold_case);
    map("text.nfc", |s| s.nfc().collect());
    map("text.nfd", |s| s.nfd().collect());
    map("text.nfkc", |s| s.nfkc().collect());
    map("text.nfkd", |s| s.nfkd().collect());
    map("text.strip_accents", |s| {
        s.nfd().filter(|&c| !unicode_normalization::char::is_combining_mark(c)).nfc().collect()
    });
    let mut test = |name, f: fn(char) -> bool| {
        add(registry, name, &[Str], Bool, move |cx| {
            let s = cx.str(0);
            Ok(NativeValue::Bool(!s.is_empty() && s.chars().all(f)))
        });
    };
    test("text.is_letter", char::is_alphabetic);
    test("text.is_number", char::is_numeric);
    test("text.is_alphanumeric", char::is_alphanumeric);
    test("text.is_upper", char::is_uppercase);
    test("text.is_lower", char::is_lowercase);
    test("text.is_space", char::is_whitespace);
    test("text.is_control", char::is_control);
    test("text.is_ascii", |c| c.is_ascii());
}

/// As Unicode's full case folding, but for a few historic letters: characters one by one to upper, then to lower case.
/// So `ß` becomes `ss`, and the two small sigmas the same letter.
fn fold_case(s: &str) -> String {
    s.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::fold_case;

    #[test]
    fn words_that_differ_in_case_alone_fold_to_the_same() {
        assert_eq!(fold_case("Straße"), fold_case("STRASSE"));
        assert_eq!(fold_case("ὀδυσσεύς"), fold_case("ὈΔΥΣΣΕΎΣ"));
        assert_ne!(fold_case("a"), fold_case("á"));
    }
}
