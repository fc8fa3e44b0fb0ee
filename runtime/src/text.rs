//! Checks and results that both engines share, as pure functions: slices of strings, ranges of arrays, powers.

use crate::trap::{Trap, TrapKind};
use std::ops::Range;

/// Checks that `start..start + count` lies within `len` elements.
pub fn count_range(start: i64, count: i64, len: u64) -> Result<Range<usize>, Trap> {
    let end = start.checked_add(count);
    match end {
        Some(end) if start >= 0 && count >= 0 && end as u64 <= len => Ok(start as usize..end as usize),
        _ => {
            let message = format!("range of {count} from {start} out of bounds for length {len}");
            Err(Trap::new(TrapKind::Index, message))
        }
    }
}

/// Checks that a new array of `room` elements can begin with `count` from `start` on of one that has `len`.
pub fn part(start: i64, count: i64, room: i64, len: u64) -> Result<Range<usize>, Trap> {
    if room < 0 {
        return Err(negative_length(room));
    }
    count_range(0, count, room as u64)?;
    count_range(start, count, len)
}

/// Elements that there is room for in an array that grows from `count` elements, all of it used, to `least` of them: as many
/// more, so that adding an element costs the same in the mean however many there are.
pub fn grown_room(count: i64, least: i64) -> i64 {
    const ROOM_MIN: i64 = 4;
    count.saturating_mul(2).max(least).max(ROOM_MIN)
}

/// Checks that `from..to` lies within `len` elements.
pub fn range(from: i64, to: i64, len: u64) -> Result<Range<usize>, Trap> {
    if 0 <= from && from <= to && to as u64 <= len {
        return Ok(from as usize..to as usize);
    }
    Err(Trap::new(TrapKind::Index, format!("slice {from}..{to} out of bounds for length {len}")))
}

/// The trap for an array of negative length.
pub fn negative_length(len: i64) -> Trap {
    Trap::new(TrapKind::Index, format!("array of negative length {len}"))
}

/// The bounds of `text[from..to]`, in bytes and on character boundaries.
pub fn slice(text: &str, from: i64, to: i64) -> Result<(usize, usize), Trap> {
    let Range { start, end } = range(from, to, text.len() as u64)?;
    for at in [start, end] {
        if !text.is_char_boundary(at) {
            return Err(Trap::new(TrapKind::Index, format!("slice {from}..{to} cuts a character at byte {at}")));
        }
    }
    Ok((start, end))
}

/// The text in `bytes[from..to]`.
pub fn from_bytes(bytes: &[u8], from: i64, to: i64) -> Result<&str, Trap> {
    let range = range(from, to, bytes.len() as u64)?;
    std::str::from_utf8(&bytes[range]).map_err(|error| {
        let at = from as usize + error.valid_up_to();
        Trap::new(TrapKind::Encoding, format!("not valid UTF-8 at byte {at}"))
    })
}

/// `base ** exponent`
pub fn int_pow(base: i64, exponent: i64) -> Result<i64, Trap> {
    if exponent < 0 {
        return Err(Trap::new(TrapKind::Overflow, format!("negative exponent {exponent} of an int")));
    }
    match u32::try_from(exponent) {
        Ok(exponent) => base.checked_pow(exponent).ok_or(TrapKind::Overflow.into()),
        // only these stay in range that far
        Err(_) => match base {
            0 | 1 => Ok(base),
            -1 => Ok(if exponent % 2 == 0 { 1 } else { -1 }),
            _ => Err(TrapKind::Overflow.into()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_stay_inside() {
        assert_eq!(count_range(1, 2, 3), Ok(1..3));
        assert_eq!(count_range(3, 0, 3), Ok(3..3));
        assert!(count_range(-1, 1, 3).is_err());
        assert!(count_range(1, -1, 3).is_err());
        assert!(count_range(1, i64::MAX, 3).is_err());
        assert_eq!(part(1, 2, 4, 3), Ok(1..3));
        assert!(part(1, 2, 1, 3).is_err() && part(2, 2, 4, 3).is_err() && part(0, 0, -1, 3).is_err());
        assert_eq!(range(0, 0, 0), Ok(0..0));
        assert!(range(2, 1, 3).is_err());
        assert!(range(i64::MIN, 1, 3).is_err());
        assert!(range(0, 4, 3).is_err());
    }

    #[test]
    fn slices_keep_characters_whole() {
        assert_eq!(slice("aäb", 1, 3), Ok((1, 3)));
        assert_eq!(slice("aäb", 0, 2).unwrap_err().kind, TrapKind::Index);
        assert_eq!(from_bytes(b"a\xc3\xa4", 1, 3), Ok("ä"));
        assert_eq!(from_bytes(b"a\xc3\xa4", 0, 2).unwrap_err().message, "not valid UTF-8 at byte 1");
    }

    #[test]
    fn powers() {
        assert_eq!(int_pow(2, 62), Ok(1 << 62));
        assert_eq!(int_pow(-2, 63), Ok(i64::MIN));
        assert_eq!(int_pow(2, 63).unwrap_err().kind, TrapKind::Overflow);
        assert_eq!(int_pow(0, 0), Ok(1));
        assert_eq!(int_pow(-1, i64::MAX), Ok(-1));
        assert_eq!(int_pow(10, 1 << 40).unwrap_err().kind, TrapKind::Overflow);
        assert_eq!(int_pow(10, -1).unwrap_err().kind, TrapKind::Overflow);
    }
}
