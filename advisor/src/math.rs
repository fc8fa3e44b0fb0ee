//! Logarithm and exponential that give the same bits everywhere.
//!
//! Those of the C library differ from one library to the next in the last bit, and may use fused multiply-adds on one
//! machine and not on another. What goes into a fit goes through these instead: additions, multiplications and divisions in a
//! fixed order, each rounded once as IEEE 754 says, so that a model is rebuilt from its data bit for bit on every machine.
//!
//! Reductions and polynomials are those of Sun's `fdlibm` (1993), whose errors stay below one unit in the last place.

/// The high bits of ln 2, exact when multiplied by an exponent, and the rest of it.
const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
/// The bits of √½, the lower end of the reduced argument.
const SQRT_HALF_BITS: u64 = 0x3fe6_a09e_667f_3bcd;
const ONE_BITS: u64 = 1.0_f64.to_bits();
const MANTISSA: u64 = (1 << 52) - 1;
/// 2^54, which makes a subnormal number normal.
const TWO_54: f64 = 18_014_398_509_481_984.0;

/// The natural logarithm; NaN below zero, −∞ at zero. It takes no branch, so that the compiler can make wide instructions of a loop over it.
#[inline(always)]
pub fn ln(x: f64) -> f64 {
    let (normal, exponent) = if x < f64::MIN_POSITIVE { (x * TWO_54, 54.0 * std::f64::consts::LN_2) } else { (x, 0.0) };
    let y = ln_of_normal(normal) - exponent;
    let y = if x < 0.0 { f64::NAN } else { y };
    let y = if x == 0.0 { f64::NEG_INFINITY } else { y };
    // infinity, and what is no number, are their own logarithms
    if x <= f64::MAX { y } else { x }
}

#[inline(always)]
fn ln_of_normal(x: f64) -> f64 {
    // x = 2^k·(1 + f), with 1 + f between √½ and √2
    let shifted = x.to_bits().wrapping_add(ONE_BITS - SQRT_HALF_BITS);
    let k = f64::from((shifted >> 52) as i32 - 1023);
    let f = f64::from_bits((shifted & MANTISSA) + SQRT_HALF_BITS) - 1.0;
    // ln(1 + f) = 2·artanh(s), a series in s²
    let s = f / (2.0 + f);
    let z = s * s;
    let w = z * z;
    let odd = w * (0.399_999_999_994_094_2 + w * (0.222_221_984_321_497_84 + w * 0.153_138_376_992_093_73));
    let even = z
        * (0.666_666_666_666_673_5
            + w * (0.285_714_287_436_623_9 + w * (0.181_835_721_616_180_5 + w * 0.147_981_986_051_165_86)));
    let half_square = 0.5 * f * f;
    s * (half_square + odd + even) + k * LN2_LOW - half_square + f + k * LN2_HIGH
}

/// The logarithm to base 2.
#[inline(always)]
pub fn log2(x: f64) -> f64 {
    ln(x) * std::f64::consts::LOG2_E
}

/// e to the power of `x`; ∞ beyond 709.78, 0 below −745.13.
pub fn exp(x: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    if x > 709.782_712_893_384 {
        return f64::INFINITY;
    }
    if x < -745.133_219_101_941_1 {
        return 0.0;
    }
    // x = k·ln 2 + r, with |r| at most half of ln 2
    let k = (x * std::f64::consts::LOG2_E + if x < 0.0 { -0.5 } else { 0.5 }) as i32;
    let high = x - f64::from(k) * LN2_HIGH;
    let low = f64::from(k) * LN2_LOW;
    let r = high - low;
    let square = r * r;
    let c = r - square
        * (0.166_666_666_666_666_02
            + square
                * (-2.777_777_777_701_559_3e-3
                    + square
                        * (6.613_756_321_437_934e-5
                            + square * (-1.653_390_220_546_525_2e-6 + square * 4.138_136_797_057_238e-8))));
    let y = 1.0 + (r * c / (2.0 - c) - low + high);
    // in two steps, for results that are subnormal or near the top
    let half = k / 2;
    y * power_of_two(half) * power_of_two(k - half)
}

/// 2^k for |k| ≤ 1022.
fn power_of_two(k: i32) -> f64 {
    f64::from_bits(((i64::from(k) + 1023) as u64) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Distance in units in the last place.
    fn ulps(a: f64, b: f64) -> u64 {
        (a.to_bits() as i64).abs_diff(b.to_bits() as i64)
    }

    #[test]
    fn within_two_units_in_the_last_place_of_the_systems() {
        let (mut worst_ln, mut worst_exp) = (0, 0);
        for step in 0..200_000_i32 {
            let x = f64::from(step - 100_000) * 0.00709 + 1e-5;
            worst_exp = worst_exp.max(ulps(exp(x), x.exp()));
            let positive = x.exp() * 1.000_000_7;
            if positive.is_finite() && positive > 0.0 {
                worst_ln = worst_ln.max(ulps(ln(positive), positive.ln()));
            }
        }
        assert!(worst_ln <= 2, "ln is off by {worst_ln}");
        assert!(worst_exp <= 2, "exp is off by {worst_exp}");
        for x in [1.0 - 1e-12, 1.0 + 1e-12, 0.707, 1.414, 5e-324, 1e308] {
            assert!(ulps(ln(x), x.ln()) <= 2, "{x}");
        }
    }

    #[test]
    fn special_values() {
        assert_eq!(ln(1.0), 0.0);
        assert_eq!(ln(0.0), f64::NEG_INFINITY);
        assert!(ln(-1.0).is_nan() && ln(f64::NAN).is_nan() && exp(f64::NAN).is_nan());
        assert_eq!(ln(f64::INFINITY), f64::INFINITY);
        assert_eq!((exp(0.0), exp(f64::INFINITY), exp(f64::NEG_INFINITY)), (1.0, f64::INFINITY, 0.0));
        assert!(ulps(log2(8.0), 3.0) <= 1 && ulps(log2(0.125), -3.0) <= 1);
    }

    /// Bits written down once: another machine, library or compiler must give the same.
    #[test]
    fn the_bits_are_these() {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for step in 1..1000_u32 {
            for value in [ln(f64::from(step) * 0.37), exp(f64::from(step) * 0.1 - 50.0)] {
                hash = (hash ^ value.to_bits()).wrapping_mul(0x0000_0100_0000_01b3);
            }
        }
        assert_eq!(hash, 0x1d5e_d119_4253_e4be, "{hash:#x}");
    }
}
