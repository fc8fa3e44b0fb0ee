//! What each piece of a text is, for colours: the same tokens as the parser's, right or wrong.

use super::layout::Layout;
use super::lex::Token;
use super::span::FileId;
use std::ops::Range;

/// What a piece of a text is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    /// `let`, `if`, `and`
    Keyword,
    /// A type's, variant's or constant's name.
    Type,
    /// A number, byte, `true`, `nil`.
    Literal,
    /// A string, or a part of one between holes.
    Text,
    /// From `//` to the end of the line.
    Comment,
    /// `@inline`
    Attribute,
    /// Names, operators, brackets, blanks.
    Plain,
}

/// The pieces of a text, in order, that together are all of it.
pub fn classify(text: &str) -> Vec<(Range<usize>, Class)> {
    let mut layout = Layout::new(FileId(0), text);
    let mut pieces = Vec::new();
    let mut at = 0;
    let mut more = true;
    while more {
        more = layout.next_item();
        for token in layout.item.tokens.iter().filter(|t| t.lo < t.hi && t.token != Token::Sep) {
            let (lo, hi) = (token.lo as usize, token.hi as usize);
            if lo < at {
                continue;
            }
            gap(text, at..lo, &mut pieces);
            pieces.push((lo..hi, class(token.token, &text[lo..hi])));
            at = hi;
        }
    }
    gap(text, at..text.len(), &mut pieces);
    pieces
}

/// What stands between tokens: blanks and comments, or what no token could be made of.
fn gap(text: &str, range: Range<usize>, pieces: &mut Vec<(Range<usize>, Class)>) {
    let mut lo = range.start;
    for line in text[range].split_inclusive('\n') {
        let hi = lo + line.len();
        let comment = line.find("//").map_or(hi, |i| lo + i);
        if lo < comment {
            pieces.push((lo..comment, Class::Plain));
        }
        if comment < hi {
            pieces.push((comment..hi, Class::Comment));
        }
        lo = hi;
    }
}

fn class(token: Token, text: &str) -> Class {
    match token {
        Token::Str(_) | Token::StrBegin(_) | Token::StrMid(_) | Token::StrEnd(_) | Token::HoleSpec(_) => Class::Text,
        Token::Int(_) | Token::Float(_) | Token::Byte(_) | Token::True | Token::False | Token::Nil => Class::Literal,
        Token::TypeName(_) => Class::Type,
        Token::Attribute(_) => Class::Attribute,
        Token::Ident(_) | Token::TupleIndex(_) | Token::Underscore => Class::Plain,
        _ if text.starts_with(|c: char| c.is_ascii_alphabetic()) => Class::Keyword,
        _ => Class::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_one_class() {
        for text in ["let x = \"a {b + 1:>3} c\" // why\nfn f", "\"open", "'", ")(", "é # x", "", "f(1, [", "t.0"] {
            let pieces = classify(text);
            let whole: String = pieces.iter().map(|(range, _)| &text[range.clone()]).collect();
            assert_eq!(whole, text);
        }
        let found: Vec<Class> = classify("let x = Point(1) // c").into_iter().map(|p| p.1).collect();
        assert_eq!((found[0], *found.last().expect("pieces")), (Class::Keyword, Class::Comment));
        assert!(found.contains(&Class::Type) && found.contains(&Class::Literal));
    }
}
