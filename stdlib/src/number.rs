//! Natives of int and float: text forms, and the functions of `math` that have no instruction.

use crate::format::Spec;
use crate::signature::{add, text};
use tenure_runtime::native::NativeType::{Float, Int, Str};
use tenure_runtime::native::{NativeValue, Registry};

pub(crate) fn register(registry: &mut Registry) {
    add(registry, "core.int_show", &[Int], Str, |cx| {
        let mut buffer = [0; 20];
        let shown = show_int(cx.int(0), &mut buffer);
        text(cx, shown)
    });
    add(registry, "core.float_show", &[Float], Str, |cx| {
        let shown = show_float(cx.float(0));
        text(cx, &shown)
    });
    add(registry, "core.format_int", &[Int, Str], Str, |cx| {
        let made = format_int(cx.int(0), &Spec::parse(cx.str(1)));
        text(cx, &made)
    });
    add(registry, "core.format_float", &[Float, Str], Str, |cx| {
        let made = format_float(cx.float(0), &Spec::parse(cx.str(1)));
        text(cx, &made)
    });
    add(registry, "core.read_float", &[Str], Float, |cx| Ok(NativeValue::Float(read_float(cx.str(0)))));
    add(registry, "json.read_float_at", &[Str, Int, Int], Float, |cx| {
        let range = usize::try_from(cx.int(1)).ok().zip(usize::try_from(cx.int(2)).ok());
        let part = range.and_then(|(from, to)| cx.str(0).get(from..to));
        Ok(NativeValue::Float(part.map_or(f64::NAN, read_float)))
    });
    let mut unary = |name, f: fn(f64) -> f64| {
        add(registry, name, &[Float], Float, move |cx| Ok(NativeValue::Float(f(cx.float(0)))));
    };
    unary("math.sin", f64::sin);
    unary("math.cos", f64::cos);
    unary("math.tan", f64::tan);
    unary("math.asin", f64::asin);
    unary("math.acos", f64::acos);
    unary("math.atan", f64::atan);
    unary("math.sinh", f64::sinh);
    unary("math.cosh", f64::cosh);
    unary("math.tanh", f64::tanh);
    unary("math.exp", f64::exp);
    unary("math.ln", f64::ln);
    unary("math.log2", f64::log2);
    unary("math.log10", f64::log10);
    unary("math.cbrt", f64::cbrt);
    add(registry, "math.atan2", &[Float, Float], Float, |cx| Ok(NativeValue::Float(cx.float(0).atan2(cx.float(1)))));
    add(registry, "math.hypot", &[Float, Float], Float, |cx| Ok(NativeValue::Float(cx.float(0).hypot(cx.float(1)))));
}

/// The decimal digits of an int, at the end of `buffer`.
fn show_int(value: i64, buffer: &mut [u8; 20]) -> &str {
    let mut at = buffer.len();
    let mut rest = value.unsigned_abs();
    loop {
        at -= 1;
        buffer[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        at -= 1;
        buffer[at] = b'-';
    }
    std::str::from_utf8(&buffer[at..]).expect("digits are ASCII")
}

/// The shortest text that reads back as the same float, with `.0` or an exponent in it.
fn show_float(value: f64) -> String {
    if value.is_nan() {
        return "nan".into();
    }
    let mut buffer = zmij::Buffer::new();
    // as Rust writes it, without the plus of `1e+16`
    buffer.format(value).replace("e+", "e")
}

/// The float that a text spells, NaN for one that spells none.
fn read_float(s: &str) -> f64 {
    // Rust reads "infinity" too, which the language never writes
    let word = s.trim_start_matches(['+', '-']);
    if word.starts_with(['i', 'I', 'n', 'N']) && word != "inf" && word != "nan" {
        return f64::NAN;
    }
    s.parse().unwrap_or(f64::NAN)
}

fn format_int(value: i64, spec: &Spec) -> String {
    let digits = match spec.style {
        Some('x') => format!("{value:x}"),
        Some('X') => format!("{value:X}"),
        Some('b') => format!("{value:b}"),
        Some('o') => format!("{value:o}"),
        Some('e') => return format_float(value as f64, spec),
        _ => return spec.number(value < 0, &value.unsigned_abs().to_string()),
    };
    spec.number(false, &digits)
}

fn format_float(value: f64, spec: &Spec) -> String {
    if !value.is_finite() {
        let word = if value.is_nan() { "nan" } else { "inf" };
        return Spec { zero: false, ..spec.clone() }.number(value < 0.0, word);
    }
    let magnitude = value.abs();
    let digits = match (spec.style, spec.precision) {
        (Some('e'), Some(p)) => format!("{magnitude:.p$e}"),
        (Some('e'), None) => format!("{magnitude:e}"),
        (_, Some(p)) => format!("{magnitude:.p$}"),
        (_, None) => show_float(magnitude),
    };
    spec.number(value.is_sign_negative(), &digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ints_show_their_digits() {
        for value in [0, 7, -1, 1234567890, i64::MAX, i64::MIN] {
            assert_eq!(show_int(value, &mut [0; 20]), value.to_string());
        }
    }

    #[test]
    fn floats_show_shortest_with_point_or_exponent() {
        let cases = [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e16"),
            (1e-5, "0.00001"),
            (1.5e-6, "1.5e-6"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, "nan"),
        ];
        for (value, expected) in cases {
            assert_eq!(show_float(value), expected);
        }
    }

    #[test]
    fn numbers_follow_their_spec() {
        let int = |value, spec: &str| format_int(value, &Spec::parse(spec));
        assert_eq!(int(42, "6"), "    42");
        assert_eq!(int(255, "04x"), "00ff");
        assert_eq!(int(-1, "X"), "FFFFFFFFFFFFFFFF");
        assert_eq!(int(i64::MIN, ""), i64::MIN.to_string());
        assert_eq!(int(5, "<4b"), "101 ");
        let float = |value, spec: &str| format_float(value, &Spec::parse(spec));
        assert_eq!(float(1.23456, ".2"), "1.23");
        assert_eq!(float(-1.23456, "08.2"), "-0001.23");
        assert_eq!(float(1234.5, ".1e"), "1.2e3");
        assert_eq!(float(2.5, "8"), "     2.5");
        assert_eq!(float(f64::NAN, "06"), "   nan");
        assert_eq!(float(1.0, "+"), "+1.0");
    }

    #[test]
    fn floats_are_read_or_not() {
        assert_eq!(read_float("2.5e3"), 2500.0);
        assert_eq!(read_float("-inf"), f64::NEG_INFINITY);
        assert!(["", "1x", "infinity", "0x10", " 1"].iter().all(|s| read_float(s).is_nan()));
    }
}
