//! Format specs: `[[fill]<^>][+][0][width][.prec][x|X|b|o|e]`, as they stand behind the colon of a string hole.
//!
//! The parser has checked a spec's form, so reading one never fails: what does not fit is passed over.

/// Where a value stands in its field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Align {
    Left,
    Center,
    Right,
}

/// A format spec.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Spec {
    pub(crate) fill: char,
    pub(crate) align: Option<Align>,
    pub(crate) plus: bool,
    pub(crate) zero: bool,
    /// Least width in characters.
    pub(crate) width: usize,
    pub(crate) precision: Option<usize>,
    pub(crate) style: Option<char>,
}

/// Fields are padded to at most this many characters, whatever the spec says.
const WIDTH_MAX: usize = 1 << 16;

impl Spec {
    pub(crate) fn parse(source: &str) -> Spec {
        let mut rest: Vec<char> = source.chars().collect();
        rest.reverse();
        let align = |c: char| match c {
            '<' => Some(Align::Left),
            '^' => Some(Align::Center),
            '>' => Some(Align::Right),
            _ => None,
        };
        let mut spec =
            Spec { fill: ' ', align: None, plus: false, zero: false, width: 0, precision: None, style: None };
        let second = rest.len().checked_sub(2).and_then(|at| align(rest[at]));
        if second.is_some() {
            spec.fill = rest.pop().unwrap_or(' ');
            spec.align = second;
            rest.pop();
        } else if let Some(first) = rest.last().and_then(|&c| align(c)) {
            spec.align = Some(first);
            rest.pop();
        }
        if rest.last() == Some(&'+') {
            spec.plus = true;
            rest.pop();
        }
        if rest.last() == Some(&'0') {
            spec.zero = true;
            rest.pop();
        }
        spec.width = number(&mut rest).unwrap_or(0);
        if rest.last() == Some(&'.') {
            rest.pop();
            spec.precision = number(&mut rest);
        }
        spec.style = rest.pop();
        spec
    }

    /// `text` in its field, at `default` unless the spec aligns it.
    pub(crate) fn pad(&self, text: &str, default: Align) -> String {
        let missing = self.width.saturating_sub(text.chars().count());
        let left = match self.align.unwrap_or(default) {
            Align::Left => 0,
            Align::Center => missing / 2,
            Align::Right => missing,
        };
        let mut padded = String::with_capacity(text.len() + missing * self.fill.len_utf8());
        padded.extend(std::iter::repeat_n(self.fill, left));
        padded.push_str(text);
        padded.extend(std::iter::repeat_n(self.fill, missing - left));
        padded
    }

    /// A number of which `digits` is the text without a sign.
    pub(crate) fn number(&self, negative: bool, digits: &str) -> String {
        let sign = if negative {
            "-"
        } else if self.plus {
            "+"
        } else {
            ""
        };
        if self.zero {
            let width = self.width.saturating_sub(sign.len());
            return format!("{sign}{digits:0>width$}");
        }
        self.pad(&format!("{sign}{digits}"), Align::Right)
    }
}

fn number(rest: &mut Vec<char>) -> Option<usize> {
    let mut value = None;
    while let Some(digit) = rest.last().and_then(|c| c.to_digit(10)) {
        rest.pop();
        value = Some((value.unwrap_or(0) * 10 + digit as usize).min(WIDTH_MAX));
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specs_are_read_part_by_part() {
        let spec = Spec::parse("*^+08.3e");
        assert_eq!((spec.fill, spec.align, spec.plus, spec.zero), ('*', Some(Align::Center), true, true));
        assert_eq!((spec.width, spec.precision, spec.style), (8, Some(3), Some('e')));
        assert_eq!(Spec::parse("<<4").fill, '<');
        assert_eq!(Spec::parse("6").width, 6);
        assert_eq!(Spec::parse(".2").precision, Some(2));
        assert_eq!(Spec::parse("99999999999999999999").width, WIDTH_MAX);
    }

    #[test]
    fn fields_are_padded_in_characters() {
        assert_eq!(Spec::parse("5").pad("é", Align::Left), "é    ");
        assert_eq!(Spec::parse(".^6").pad("abc", Align::Left), ".abc..");
        assert_eq!(Spec::parse("2").pad("long", Align::Right), "long");
        assert_eq!(Spec::parse("+06").number(false, "42"), "+00042");
        assert_eq!(Spec::parse("06").number(true, "42"), "-00042");
    }
}
