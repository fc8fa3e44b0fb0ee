//! Natives of `str`. Positions are bytes; -1 says "nowhere".

use crate::format::{Align, Spec};
use crate::signature::{Outcome, add, text};
use memchr::{memchr, memmem};
use tenure_runtime::native::NativeType::{Int, Str};
use tenure_runtime::native::{NativeContext, NativeValue, Registry};
use tenure_runtime::trap::{Trap, TrapKind};

/// The longest string that `repeat` makes.
const REPEAT_BYTES_MAX: usize = 1 << 30;

pub(crate) fn register(registry: &mut Registry) {
    let mut map = |name, f: fn(&str) -> String| {
        add(registry, name, &[Str], Str, move |cx| {
            let made = f(cx.str(0));
            text(cx, &made)
        });
    };
    map("core.str_quote", quote);
    map("json.quote", quote_json);
    map("core.str_trim", |s| s.trim().into());
    map("core.str_trim_start", |s| s.trim_start().into());
    map("core.str_trim_end", |s| s.trim_end().into());
    map("core.str_upper", str::to_uppercase);
    map("core.str_lower", str::to_lowercase);
    add(registry, "core.format_str", &[Str, Str], Str, format_str);
    add(registry, "core.str_replace", &[Str, Str, Str], Str, |cx| {
        let made = cx.str(0).replace(cx.str(1), cx.str(2));
        text(cx, &made)
    });
    add(registry, "core.str_repeat", &[Str, Int], Str, repeat);
    add(registry, "core.find_str", &[Str, Str, Int], Int, |cx| {
        let (haystack, wanted) = (cx.str(0), cx.str(1));
        // behind the end or inside a character nothing is found
        let from = usize::try_from(cx.int(2)).unwrap_or(usize::MAX);
        let found = haystack.get(from..).and_then(|rest| find(rest, wanted)).map(|at| from + at);
        Ok(position(found))
    });
    add(registry, "core.rfind_str", &[Str, Str], Int, |cx| Ok(position(cx.str(0).rfind(cx.str(1)))));
    add(registry, "core.code_at", &[Str, Int], Int, |cx| {
        let found = char_at(cx.str(0), cx.int(1));
        found.map(|c| NativeValue::Int(i64::from(u32::from(c)))).ok_or_else(|| off_boundary(cx.int(1)))
    });
    add(registry, "core.str_from_code", &[Int], Str, |cx| {
        let code = cx.int(0);
        let Some(c) = u32::try_from(code).ok().and_then(char::from_u32) else {
            return Err(Trap::new(TrapKind::Conversion, format!("{code} is not the code of a character")));
        };
        text(cx, c.encode_utf8(&mut [0; 4]))
    });
    add(registry, "core.space_at", &[Str, Int], Int, |cx| {
        let space = char_at(cx.str(0), cx.int(1)).filter(|c| c.is_whitespace());
        Ok(NativeValue::Int(space.map_or(0, |c| c.len_utf8() as i64)))
    });
    add(registry, "core.str_count_chars", &[Str], Int, |cx| Ok(NativeValue::Int(cx.str(0).chars().count() as i64)));
}

/// As `str::find`, by the processor's wide registers.
fn find(text: &str, wanted: &str) -> Option<usize> {
    match wanted.as_bytes() {
        &[byte] => memchr(byte, text.as_bytes()),
        wanted => memmem::find(text.as_bytes(), wanted),
    }
}

fn position(found: Option<usize>) -> NativeValue {
    NativeValue::Int(found.map_or(-1, |at| at as i64))
}

fn char_at(s: &str, index: i64) -> Option<char> {
    let index = usize::try_from(index).ok()?;
    s.get(index..)?.chars().next()
}

fn off_boundary(index: i64) -> Trap {
    Trap::new(TrapKind::Index, format!("there is no character at byte {index}"))
}

fn repeat(cx: &mut dyn NativeContext) -> Outcome {
    let times = cx.int(1);
    let Ok(count) = usize::try_from(times) else {
        return Err(Trap::new(TrapKind::Panic, format!("repeat {times} times")));
    };
    match cx.str(0).len().checked_mul(count) {
        Some(bytes) if bytes <= REPEAT_BYTES_MAX => {
            let made = cx.str(0).repeat(count);
            text(cx, &made)
        }
        _ => Err(TrapKind::OutOfMemory.into()),
    }
}

fn format_str(cx: &mut dyn NativeContext) -> Outcome {
    let spec = Spec::parse(cx.str(1));
    let value = cx.str(0);
    let cut = match spec.precision {
        Some(most) => value.char_indices().nth(most).map_or(value, |(at, _)| &value[..at]),
        None => value,
    };
    let made = spec.pad(cut, Align::Left);
    text(cx, &made)
}

/// As a string literal that reads back as the same string.
fn quote(s: &str) -> String {
    let mut quoted = String::with_capacity(s.len() + 2);
    quoted.push('"');
    for c in s.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '{' => quoted.push_str("\\{"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            '\0' => quoted.push_str("\\0"),
            c if c.is_control() => quoted.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// As a JSON string (RFC 8259, section 7): quotes, backslashes and controls are escaped.
fn quote_json(s: &str) -> String {
    let mut quoted = String::with_capacity(s.len() + 2);
    quoted.push('"');
    let mut plain_from = 0;
    for (at, b) in s.bytes().enumerate() {
        if b >= b' ' && b != b'"' && b != b'\\' {
            continue;
        }
        quoted.push_str(&s[plain_from..at]);
        plain_from = at + 1;
        match b {
            b'"' => quoted.push_str("\\\""),
            b'\\' => quoted.push_str("\\\\"),
            b'\n' => quoted.push_str("\\n"),
            b'\r' => quoted.push_str("\\r"),
            b'\t' => quoted.push_str("\\t"),
            _ => quoted.push_str(&format!("\\u{b:04x}")),
        }
    }
    quoted.push_str(&s[plain_from..]);
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::{quote, quote_json};

    #[test]
    fn quoted_strings_read_back() {
        assert_eq!(quote("plain é"), "\"plain é\"");
        assert_eq!(quote("a\"b\\c\n{x}\u{1}"), r#""a\"b\\c\n\{x}\u{1}""#);
    }

    #[test]
    fn json_strings_escape_what_the_standard_asks_for() {
        assert_eq!(quote_json("é {x} \"a\\b\"\n\u{1}"), r#""é {x} \"a\\b\"\n\u0001""#);
    }
}
