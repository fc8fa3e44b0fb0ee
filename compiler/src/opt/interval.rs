//! Intervals of integers: what is known of an int's value by itself.
//!
//! Invariant: the arithmetic here is exact. Operands are 64-bit ints, so 128 bits hold every sum and product of two.

/// From `lo` to `hi`, both included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Interval {
    pub lo: i128,
    pub hi: i128,
}

impl Interval {
    /// Every int.
    pub const INT: Interval = Interval { lo: i64::MIN as i128, hi: i64::MAX as i128 };
    /// Every length of an array.
    pub const LENGTH: Interval = Interval { lo: 0, hi: u32::MAX as i128 };

    pub fn point(value: i64) -> Interval {
        Interval { lo: value.into(), hi: value.into() }
    }

    /// Whether every value in it is an int.
    pub fn fits(self) -> bool {
        Interval::INT.lo <= self.lo && self.hi <= Interval::INT.hi
    }

    /// What is in both; this one where that is nothing, because such a place is never reached.
    pub fn and(self, other: Interval) -> Interval {
        let both = Interval { lo: self.lo.max(other.lo), hi: self.hi.min(other.hi) };
        if both.lo <= both.hi { both } else { self }
    }

    /// The least that holds both.
    pub fn or(self, other: Interval) -> Interval {
        Interval { lo: self.lo.min(other.lo), hi: self.hi.max(other.hi) }
    }

    pub fn plus(self, other: Interval) -> Interval {
        Interval { lo: self.lo + other.lo, hi: self.hi + other.hi }
    }

    pub fn minus(self, other: Interval) -> Interval {
        Interval { lo: self.lo - other.hi, hi: self.hi - other.lo }
    }

    pub fn times(self, other: Interval) -> Interval {
        Interval::of_corners(self, other, |a, b| a * b)
    }

    /// Quotients, truncated; the divisor is positive.
    pub fn divided(self, other: Interval) -> Interval {
        debug_assert!(other.lo > 0, "a divisor that may not be positive");
        Interval::of_corners(self, other, |a, b| a / b)
    }

    /// Remainders, which have the dividend's sign.
    pub fn remainder(self, other: Interval) -> Interval {
        let most = other.lo.abs().max(other.hi.abs()) - 1;
        let lo = if self.lo >= 0 { 0 } else { (-most).max(self.lo) };
        let hi = if self.hi <= 0 { 0 } else { most.min(self.hi) };
        if lo <= hi { Interval { lo, hi } } else { Interval::INT }
    }

    /// What `both` of the two may be; one of them is not negative.
    pub fn masked(self, other: Interval) -> Interval {
        let masks = [self, other].into_iter().filter(|interval| interval.lo >= 0);
        let hi = masks.map(|interval| interval.hi).min();
        hi.map_or(Interval::INT, |hi| Interval { lo: 0, hi })
    }

    /// Shifted right by a count from 0 to 63, with the sign.
    pub fn shifted_right(self, count: Interval) -> Interval {
        let (least, most) = (count.lo.clamp(0, 63), count.hi.clamp(0, 63));
        let lo = if self.lo >= 0 { self.lo >> most } else { self.lo >> least };
        let hi = if self.hi >= 0 { self.hi >> least } else { self.hi >> most };
        Interval { lo, hi }
    }

    fn of_corners(a: Interval, b: Interval, operation: impl Fn(i128, i128) -> i128) -> Interval {
        let corners = [operation(a.lo, b.lo), operation(a.lo, b.hi), operation(a.hi, b.lo), operation(a.hi, b.hi)];
        let (mut lo, mut hi) = (corners[0], corners[0]);
        corners.iter().for_each(|&corner| (lo, hi) = (lo.min(corner), hi.max(corner)));
        Interval { lo, hi }
    }
}
