//! What literals say: numbers, escapes, string parts and format specs, as pure functions over their text.
//!
//! Nothing here knows tokens' places in a file; errors carry offsets within the text given.

use super::ast::{Align, FormatSpec, FormatStyle};
use super::lex::Token;
use super::span::Span;
use std::ops::Range;

/// What is wrong with a literal, and where in its text.
#[derive(Debug, PartialEq)]
pub struct LiteralError {
    pub range: Range<usize>,
    pub message: String,
    pub help: &'static str,
}

fn wrong(range: Range<usize>, message: impl Into<String>, help: &'static str) -> LiteralError {
    LiteralError { range, message: message.into(), help }
}

/// The token for a numeral such as `1_000`, `0xff`, `2e9`.
pub fn number(text: &str) -> Result<Token, LiteralError> {
    let all = 0..text.len();
    if let Some(digits) = text.strip_prefix("0x") {
        return integer(text, digits, 16, "hexadecimal");
    }
    if let Some(digits) = text.strip_prefix("0b") {
        return integer(text, digits, 2, "binary");
    }
    if text.starts_with("0o") {
        return Err(wrong(all, "there are no octal numbers", "write it in decimal, hexadecimal `0x…` or binary `0b…`"));
    }
    if !text.contains(['.', 'e', 'E']) {
        return integer(text, text, 10, "decimal");
    }
    let misplaced = text.find("_.").or(text.find("._")).or(text.ends_with('_').then(|| text.len() - 1));
    if let Some(at) = misplaced {
        return Err(wrong(at..at + 1, "`_` separates digits only", "remove it"));
    }
    let plain: String = text.chars().filter(|&c| c != '_').collect();
    match plain.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(Token::Float(value)),
        Ok(_) => Err(wrong(all, "this number is too large for a float", "the largest is about 1.8e308")),
        Err(_) => Err(junk_in_number(text, 10, "decimal")),
    }
}

fn integer(text: &str, digits: &str, radix: u32, name: &str) -> Result<Token, LiteralError> {
    let all = 0..text.len();
    if digits.is_empty() {
        return Err(wrong(all, format!("a {name} number without digits"), "write at least one digit"));
    }
    if digits.ends_with('_') || digits.starts_with('_') {
        return Err(wrong(all, "`_` separates digits only", "remove it"));
    }
    let mut value: u64 = 0;
    for c in digits.chars() {
        if c == '_' {
            continue;
        }
        let Some(digit) = c.to_digit(radix) else { return Err(junk_in_number(text, radix, name)) };
        let next = value.checked_mul(u64::from(radix)).and_then(|v| v.checked_add(u64::from(digit)));
        let Some(next) = next else {
            return Err(wrong(all, "this number is too large for an int", "the largest is 9223372036854775807"));
        };
        value = next;
    }
    if radix == 10 && digits.len() > 1 && digits.starts_with('0') && value != 0 {
        return Err(wrong(all, "a decimal number does not start with 0", "remove the leading zeros"));
    }
    Ok(Token::Int(value))
}

fn junk_in_number(text: &str, radix: u32, name: &str) -> LiteralError {
    let prefix = if radix == 10 { 0 } else { 2 };
    let at = text[prefix..].char_indices().find(|&(_, c)| !c.is_digit(radix) && c != '_' && c != '.');
    let (at, c) = at.map_or((0, '0'), |(i, c)| (i + prefix, c));
    wrong(at..at + c.len_utf8(), format!("`{c}` is not part of a {name} number"), "leave a space before a name")
}

/// Which literal an escape stands in.
#[derive(Clone, Copy, PartialEq)]
pub enum Quoting {
    /// `"…"`
    Str,
    /// `b'…'`
    Byte,
}

/// The character that the escape at the start of `text` (behind the backslash) stands for, and its length.
pub fn escape(text: &str, quoting: Quoting) -> Result<(char, usize), LiteralError> {
    let mut chars = text.chars();
    let c = match chars.next() {
        Some('n') => '\n',
        Some('t') => '\t',
        Some('r') => '\r',
        Some('0') => '\0',
        Some('\\') => '\\',
        Some('"') if quoting == Quoting::Str => '"',
        Some(c @ ('{' | '}')) if quoting == Quoting::Str => c,
        Some('\'') if quoting == Quoting::Byte => '\'',
        Some('x') => return hex_escape(text, quoting),
        Some('u') if quoting == Quoting::Str => return unicode_escape(text),
        Some('\n' | '\r') | None => {
            return Err(wrong(0..0, "a lone `\\`", "write `\\\\` for a backslash; strings may span lines without one"));
        }
        Some(c) => {
            let help = match quoting {
                Quoting::Str => r#"the escapes are \n \t \r \0 \\ \" \{ \} \xNN \u{…}; for many backslashes use '…'"#,
                Quoting::Byte => r"the escapes are \n \t \r \0 \\ \' \xNN",
            };
            return Err(wrong(0..c.len_utf8(), format!("unknown escape `\\{c}`"), help));
        }
    };
    Ok((c, 1))
}

fn hex_escape(text: &str, quoting: Quoting) -> Result<(char, usize), LiteralError> {
    let digits = text.get(1..3).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
    let Some(digits) = digits else {
        return Err(wrong(0..1, "`\\x` takes two hexadecimal digits", "for example `\\x41`"));
    };
    let value = u8::from_str_radix(digits, 16).expect("two hexadecimal digits fit a byte");
    if quoting == Quoting::Str && value > 0x7f {
        return Err(wrong(0..3, "`\\x` in a string stops at `\\x7f`", "strings are UTF-8; write `\\u{…}`"));
    }
    Ok((char::from(value), 3))
}

fn unicode_escape(text: &str) -> Result<(char, usize), LiteralError> {
    let inner = text[1..].strip_prefix('{').and_then(|t| t.get(..t.bytes().take(8).position(|b| b == b'}')?));
    let Some(inner) = inner else {
        return Err(wrong(0..1, "`\\u` takes one to six hexadecimal digits in braces", "for example `\\u{1F600}`"));
    };
    let digits_only = !inner.is_empty() && inner.bytes().all(|b| b.is_ascii_hexdigit());
    let value = u32::from_str_radix(inner, 16).ok().filter(|_| digits_only).and_then(char::from_u32);
    let length = inner.len() + 3;
    match value {
        Some(c) => Ok((c, length)),
        None => Err(wrong(0..length, format!("`{inner}` is not a Unicode character"), "the last is `\\u{10FFFF}`")),
    }
}

/// What ended a part of a string.
#[derive(Debug, PartialEq)]
pub enum PartEnd {
    /// `"`
    Quote,
    /// `{`
    Hole,
    /// The end of the file.
    Missing,
}

/// A part of a string.
pub struct Part {
    /// How far it reaches in the source, with the `"` or `{` that ends it.
    pub length: usize,
    /// What ended it.
    pub end: PartEnd,
}

/// Reads the part of a `"` string at the start of `text` into `value`; line ends become `\n`.
pub fn string_part(text: &str, value: &mut String, errors: &mut Vec<LiteralError>) -> Part {
    let bytes = text.as_bytes();
    let mut copied = 0;
    let mut i = 0;
    loop {
        let Some(&byte) = bytes.get(i) else {
            value.push_str(&text[copied..]);
            return Part { length: i, end: PartEnd::Missing };
        };
        match byte {
            b'"' | b'{' => {
                value.push_str(&text[copied..i]);
                let end = if byte == b'"' { PartEnd::Quote } else { PartEnd::Hole };
                return Part { length: i + 1, end };
            }
            b'\\' => {
                value.push_str(&text[copied..i]);
                i += 1;
                match escape(&text[i..], Quoting::Str) {
                    Ok((c, length)) => {
                        value.push(c);
                        i += length;
                    }
                    Err(mut error) => {
                        let length = error.range.end;
                        error.range = i - 1..i + length;
                        errors.push(error);
                        i += length;
                    }
                }
                copied = i;
            }
            b'\r' if bytes.get(i + 1) == Some(&b'\n') => {
                value.push_str(&text[copied..i]);
                i += 1;
                copied = i;
            }
            _ => i += 1,
        }
    }
}

/// The byte of a `b'…'` whose inside starts `text`, and its length with the closing quote.
pub fn byte(text: &str) -> Result<(u8, usize), LiteralError> {
    let line = text.find('\n').unwrap_or(text.len());
    let close = text[..line].find('\'');
    let (c, length) = match text.chars().next() {
        Some('\\') => match escape(&text[1..], Quoting::Byte) {
            Ok((c, length)) => (c, length + 1),
            Err(error) => {
                let end = close.map_or(error.range.end + 1, |at| at + 1);
                return Err(LiteralError { range: 0..end, ..error });
            }
        },
        Some('\'') => return Err(wrong(0..1, "an empty byte literal", "a byte is one ASCII character: `b'a'`")),
        Some(c) if c != '\n' => (c, c.len_utf8()),
        _ => return Err(wrong(0..0, "an unfinished byte literal", "a byte is one ASCII character: `b'a'`")),
    };
    if !text[length..].starts_with('\'') {
        let end = close.map_or(length, |at| at + 1);
        return Err(wrong(0..end, "a byte literal holds one character", "for several use a string: \"…\""));
    }
    match u8::try_from(u32::from(c)) {
        Ok(byte) if byte.is_ascii() || text.starts_with('\\') => Ok((byte, length + 1)),
        _ => Err(wrong(0..length + 1, format!("`{c}` is not ASCII"), "write its bytes as `b'\\xNN'`, or use a string")),
    }
}

/// Reads `[[fill]<^>][+][0][width][.prec][x|X|b|o|e]`.
pub fn format_spec(text: &str, span: Span) -> Result<FormatSpec, LiteralError> {
    let align = |c: char| match c {
        '<' => Some(Align::Left),
        '^' => Some(Align::Center),
        '>' => Some(Align::Right),
        _ => None,
    };
    let mut spec =
        FormatSpec { fill: ' ', align: None, plus: false, zero: false, width: 0, precision: None, style: None, span };
    let mut rest = text;
    let mut chars = text.chars();
    if let (Some(first), second) = (chars.next(), chars.next()) {
        if let Some(found) = second.and_then(align) {
            (spec.fill, spec.align) = (first, Some(found));
            rest = &text[first.len_utf8() + 1..];
        } else if let Some(found) = align(first) {
            spec.align = Some(found);
            rest = &text[1..];
        }
    }
    if let Some(tail) = rest.strip_prefix('+') {
        (spec.plus, rest) = (true, tail);
    }
    if let Some(tail) = rest.strip_prefix('0') {
        (spec.zero, rest) = (true, tail);
    }
    let at = |rest: &str| text.len() - rest.len();
    (spec.width, rest) = leading_number(rest).map_err(|m| wrong(at(rest)..text.len(), m, FORMAT_HELP))?;
    if let Some(tail) = rest.strip_prefix('.') {
        let digits = tail.starts_with(|c: char| c.is_ascii_digit());
        let (precision, tail) = leading_number(tail)
            .and_then(|found| if digits { Ok(found) } else { Err("digits must follow the point") })
            .map_err(|m| wrong(at(rest)..text.len(), m, FORMAT_HELP))?;
        (spec.precision, rest) = (Some(precision), tail);
    }
    spec.style = match rest {
        "" => None,
        "x" => Some(FormatStyle::LowerHex),
        "X" => Some(FormatStyle::UpperHex),
        "b" => Some(FormatStyle::Binary),
        "o" => Some(FormatStyle::Octal),
        "e" => Some(FormatStyle::Exponent),
        _ => return Err(wrong(at(rest)..text.len(), format!("`{rest}` is not part of a format"), FORMAT_HELP)),
    };
    if text.is_empty() {
        return Err(wrong(0..0, "an empty format", FORMAT_HELP));
    }
    Ok(spec)
}

const FORMAT_HELP: &str = "a format is `[[fill]<^>][+][0][width][.prec][x|X|b|o|e]`, for example `{price:>8.2}`";

/// Largest width and precision of a format.
const MAX_WIDTH: u32 = 10_000;

fn leading_number(text: &str) -> Result<(u32, &str), &'static str> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at(digits);
    if number.is_empty() {
        return Ok((0, rest));
    }
    match number.parse::<u32>() {
        Ok(n) if n <= MAX_WIDTH => Ok((n, rest)),
        _ => Err("width and precision stop at 10000"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::span::FileId;
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(number("1_000"), Ok(Token::Int(1000)));
        assert_eq!(number("0xff"), Ok(Token::Int(255)));
        assert_eq!(number("0b1010"), Ok(Token::Int(10)));
        assert_eq!(number("9223372036854775808"), Ok(Token::Int(1 << 63)));
        assert_eq!(number("2e9"), Ok(Token::Float(2e9)));
        assert_eq!(number("1_0.2_5e-1"), Ok(Token::Float(1.025)));
        for bad in ["0x", "1__", "0o17", "007", "12ab", "0b12", "1e", "1e999", "99999999999999999999", "1_.5", "1.5x"] {
            assert!(number(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn escapes() {
        assert_eq!(escape("n", Quoting::Str), Ok(('\n', 1)));
        assert_eq!(escape("x41B", Quoting::Str), Ok(('A', 3)));
        assert_eq!(escape("u{1F600}", Quoting::Str), Ok(('\u{1F600}', 8)));
        assert_eq!(byte("\\xff'"), Ok((255, 5)));
        assert_eq!(byte("a'"), Ok((b'a', 2)));
        assert_eq!(byte("\\''"), Ok((b'\'', 3)));
        for bad in ["q", "x4", "x80", "u{}", "u{110000}", "u{1234567}", "u41", "", "'"] {
            assert!(escape(bad, Quoting::Str).is_err(), "{bad}");
        }
        for bad in ["'", "ab'", "é'", "", "\\q'", "\n'", "a"] {
            assert!(byte(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn formats() {
        let spec = |text| format_spec(text, Span::new(FileId(0), 0, 0));
        let full = spec("*^+012.3e").unwrap();
        assert_eq!((full.fill, full.align, full.plus, full.zero), ('*', Some(Align::Center), true, true));
        assert_eq!((full.width, full.precision, full.style), (12, Some(3), Some(FormatStyle::Exponent)));
        assert_eq!(spec(">").unwrap().align, Some(Align::Right));
        assert_eq!(spec("><5").unwrap().fill, '>');
        assert_eq!(spec("06").unwrap().width, 6);
        for bad in ["", "y", "5.", "99999", ".x", "5 "] {
            assert!(spec(bad).is_err(), "{bad}");
        }
    }
}
