//! Putting few numbers in order.

/// `numbers`, the smallest first: by exchanges that take no branch, which few numbers are sooner through than any choice. What is no number is lost.
#[inline]
pub fn sorted<const N: usize>(mut numbers: [f64; N]) -> [f64; N] {
    for end in 1..N {
        for at in (0..end).rev() {
            let (a, b) = (numbers[at], numbers[at + 1]);
            (numbers[at], numbers[at + 1]) = (a.min(b), a.max(b));
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
