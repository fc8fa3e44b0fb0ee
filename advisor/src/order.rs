//! Putting few numbers in order, and the lesser and the greater of two.

/// The lesser of two numbers; `b`, if one of them is none. An instruction, where [`f64::min`], which picks the one that is a number, is five.
#[inline(always)]
pub fn lesser(a: f64, b: f64) -> f64 {
    if a < b { a } else { b }
}

/// The greater of two numbers; `b`, if one of them is none.
#[inline(always)]
pub fn greater(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
}

/// `numbers`, the smallest first: by exchanges that take no branch, which few numbers are sooner through than any choice. If one of them is
/// no number, others may be lost.
#[inline]
pub fn sorted<const N: usize>(mut numbers: [f64; N]) -> [f64; N] {
    for end in 1..N {
        for at in (0..end).rev() {
            let (a, b) = (numbers[at], numbers[at + 1]);
            (numbers[at], numbers[at + 1]) = (lesser(a, b), greater(a, b));
        }
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_of_five_becomes_one() {
        for code in 0..5_usize.pow(5) {
            let digits: [f64; 5] = std::array::from_fn(|at| (code / 5_usize.pow(at as u32) % 5) as f64);
            let mut expected = digits;
            expected.sort_unstable_by(f64::total_cmp);
            assert_eq!(sorted(digits), expected);
        }
    }
}
