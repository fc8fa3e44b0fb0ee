//! Sums of products of 7-bit activations and 8-bit weights, by the widest instructions that the processor has.
//!
//! Four inputs stand side by side in a 32-bit lane, as `vpdpbusd` wants them; a row of eight lanes is one AVX register.
//! Activations stay below 128, so that the 16-bit pairs of `vpmaddubsw` cannot saturate.
//!
//! Invariant
//! - K1. All paths give the same bits: sums are of integers, and exact.

use multiversion::multiversion;
use multiversion::target::match_target;

/// 32-bit sums that are taken at once.
pub(super) const LANES: usize = 8;
/// The largest activation.
pub(super) const ACTIVATION_MAX: u8 = 127;

/// Four inputs.
pub(super) type Four = [u8; 4];
/// Weights of four inputs for `ROWS` rows of lanes; the four stand in a lane's bytes, the first in the lowest.
pub(super) type Weights<const ROWS: usize> = [[i32; LANES]; ROWS];
/// `ROWS` rows of sums.
pub(super) type Sums<const ROWS: usize> = [[i32; LANES]; ROWS];

/// Which instructions take the sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Path {
    /// AVX-512 VNNI on 256-bit registers, which lower no clock.
    Avx512Vnni,
    /// AVX-VNNI.
    AvxVnni,
    /// Multiply and add pairs, then pairs of pairs.
    Avx2,
    /// What the compiler makes of plain loops.
    Portable,
}

impl Path {
    /// The paths this processor has, best first.
    pub(super) fn available() -> impl Iterator<Item = Path> {
        [Path::Avx512Vnni, Path::AvxVnni, Path::Avx2, Path::Portable].into_iter().filter(|path| path.is_available())
    }

    /// The best of them.
    pub(super) fn best() -> Path {
        Path::available().next().unwrap_or(Path::Portable)
    }

    #[cfg(target_arch = "x86_64")]
    fn is_available(self) -> bool {
        match self {
            Path::Avx512Vnni => is_x86_feature_detected!("avx512vnni") && is_x86_feature_detected!("avx512vl"),
            Path::AvxVnni => is_x86_feature_detected!("avxvnni"),
            Path::Avx2 => is_x86_feature_detected!("avx2"),
            Path::Portable => true,
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn is_available(self) -> bool {
        self == Path::Portable
    }

    /// Adds to each candidate's sums the products of all its inputs with their weights.
    #[inline]
    pub(super) fn add_products<const N: usize, const GROUPS: usize, const ROWS: usize>(
        self,
        sums: &mut [Sums<ROWS>; N],
        inputs: &[[Four; GROUPS]; N],
        weights: &[Weights<ROWS>; GROUPS],
    ) {
        match self {
            Path::Avx512Vnni => by_avx512_vnni(sums, inputs, weights),
            Path::AvxVnni => by_avx_vnni(sums, inputs, weights),
            Path::Avx2 => by_avx2(sums, inputs, weights),
            Path::Portable => by_plain_loops(sums, inputs, weights),
        }
    }

    /// Features as activations, in fours; what is missing in the last four is 0.
    #[inline]
    pub(super) fn quantise<const N: usize, const COUNT: usize, const GROUPS: usize>(
        self,
        steps: &[Steps; COUNT],
        columns: &[[f64; N]; COUNT],
    ) -> [[Four; GROUPS]; N] {
        if self == Path::Portable { quantise(steps, columns) } else { quantise_wide(steps, columns) }
    }

    /// Sums as activations: scaled, rounded, and what is below nothing is nothing.
    #[inline]
    pub(super) fn activate<const N: usize, const ROWS: usize>(
        self,
        sums: &[Sums<ROWS>; N],
        scale: &[[f32; LANES]; ROWS],
    ) -> [[[u8; LANES]; ROWS]; N] {
        if self == Path::Portable { activate(sums, scale) } else { activate_wide(sums, scale) }
    }
}

/// The loop over registers, with `$dot` adding the products of four inputs to each lane. Arrays become registers through
/// single numbers, which needs no `unsafe`; the compiler makes one load or store of eight.
#[cfg(target_arch = "x86_64")]
macro_rules! by_registers {
    ($sums:ident, $inputs:ident, $weights:ident, $dot:ident) => {{
        use std::arch::x86_64::*;
        let load = |w: &[i32; LANES]| _mm256_setr_epi32(w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7]);
        for (sums, inputs) in $sums.iter_mut().zip($inputs) {
            let mut registers: [__m256i; ROWS] = std::array::from_fn(|row| load(&sums[row]));
            for (four, weights) in inputs.iter().zip($weights) {
                let four = _mm256_set1_epi32(i32::from_le_bytes(*four));
                for (register, row) in registers.iter_mut().zip(weights) {
                    *register = $dot(*register, four, load(row));
                }
            }
            for (row, register) in sums.iter_mut().zip(registers) {
                *row = [
                    _mm256_extract_epi32::<0>(register),
                    _mm256_extract_epi32::<1>(register),
                    _mm256_extract_epi32::<2>(register),
                    _mm256_extract_epi32::<3>(register),
                    _mm256_extract_epi32::<4>(register),
                    _mm256_extract_epi32::<5>(register),
                    _mm256_extract_epi32::<6>(register),
                    _mm256_extract_epi32::<7>(register),
                ];
            }
        }
    }};
}

/// `vpdpbusd` in three steps.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline]
fn dot_of_pairs(
    sums: std::arch::x86_64::__m256i,
    inputs: std::arch::x86_64::__m256i,
    weights: std::arch::x86_64::__m256i,
) -> std::arch::x86_64::__m256i {
    use std::arch::x86_64::{_mm256_add_epi32, _mm256_madd_epi16, _mm256_maddubs_epi16, _mm256_set1_epi16};
    let pairs = _mm256_maddubs_epi16(inputs, weights);
    _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)))
}

/// A path: the function for one target, and plain loops where the processor is another.
macro_rules! path {
    ($name:ident, $target:literal, $matched:literal, $dot:ident) => {
        #[multiversion(targets($target))]
        fn $name<const N: usize, const GROUPS: usize, const ROWS: usize>(
            sums: &mut [Sums<ROWS>; N],
            inputs: &[[Four; GROUPS]; N],
            weights: &[Weights<ROWS>; GROUPS],
        ) {
            match_target! {
                $matched => by_registers!(sums, inputs, weights, $dot),
                _ => by_plain_loops(sums, inputs, weights),
            }
        }
    };
}

path!(by_avx512_vnni, "x86_64+avx2+avx512f+avx512vl+avx512vnni", "x86_64+avx512vl+avx512vnni", _mm256_dpbusd_epi32);
path!(by_avx_vnni, "x86_64+avx2+avxvnni", "x86_64+avxvnni", _mm256_dpbusd_avx_epi32);
path!(by_avx2, "x86_64+avx2", "x86_64+avx2", dot_of_pairs);

#[inline(always)]
fn by_plain_loops<const N: usize, const GROUPS: usize, const ROWS: usize>(
    sums: &mut [Sums<ROWS>; N],
    inputs: &[[Four; GROUPS]; N],
    weights: &[Weights<ROWS>; GROUPS],
) {
    for (sums, inputs) in sums.iter_mut().zip(inputs) {
        for (four, weights) in inputs.iter().zip(weights) {
            let [x0, x1, x2, x3] = four.map(i16::from);
            for (row, weights) in sums.iter_mut().zip(weights) {
                for (sum, &weights) in row.iter_mut().zip(weights) {
                    // Bytes are taken by shifts of halves, and two products fit 16 bits: eight lanes go into one SSE2 register.
                    let (low, high) = (weights as i16, (weights >> 16) as i16);
                    let first = x0 * (low << 8 >> 8) + x1 * (low >> 8);
                    let second = x2 * (high << 8 >> 8) + x3 * (high >> 8);
                    *sum += i32::from(first) + i32::from(second);
                }
            }
        }
    }
}

/// A feature's range in 127 steps.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Steps {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) per_unit: f64,
}

impl Steps {
    /// Comparisons are written so that NaN becomes the low end, and all of it takes no branch.
    #[inline(always)]
    pub(super) fn quantise(&self, value: f64) -> u8 {
        /// 1.5 · 2^52: adding it leaves the nearest whole number in the lowest bits, ties to even.
        const ROUND: f64 = 6_755_399_441_055_744.0;
        let value = if value > self.low { value } else { self.low };
        let value = if value < self.high { value } else { self.high };
        ((value - self.low) * self.per_unit + ROUND).to_bits() as u8
    }
}

/// A function of plain loops, `$plain`, and `$wide`, the same for processors with wider registers.
macro_rules! plain_and_wide {
    ($plain:ident, $wide:ident, <$($size:ident),*>($($name:ident: $type:ty),*) -> $result:ty $body:block) => {
        #[inline(always)]
        fn $plain<$(const $size: usize),*>($($name: $type),*) -> $result $body

        #[multiversion(targets("x86_64+avx2+avx512f+avx512vl+avx512dq+avx512bw", "x86_64+avx2"))]
        fn $wide<$(const $size: usize),*>($($name: $type),*) -> $result {
            $plain($($name),*)
        }
    };
}

plain_and_wide! { quantise, quantise_wide, <N, COUNT, GROUPS>(steps: &[Steps; COUNT], columns: &[[f64; N]; COUNT]) -> [[Four; GROUPS]; N] {
    let mut fours = [[0; N]; GROUPS];
    for (at, (steps, column)) in steps.iter().zip(columns).enumerate() {
        for (four, value) in fours[at / 4].iter_mut().zip(column) {
            *four |= u32::from(steps.quantise(*value)) << (8 * (at % 4));
        }
    }
    std::array::from_fn(|lane| std::array::from_fn(|group| fours[group][lane].to_le_bytes()))
} }

plain_and_wide! { activate, activate_wide, <N, ROWS>(sums: &[Sums<ROWS>; N], scale: &[[f32; LANES]; ROWS]) -> [[[u8; LANES]; ROWS]; N] {
    /// 2^23: adding it leaves the nearest whole number in the lowest bits.
    const ROUND: f32 = 8_388_608.0;
    let mut units = [[[0_u8; LANES]; ROWS]; N];
    for (units, sums) in units.iter_mut().zip(sums) {
        for (unit, (sum, scale)) in units.as_flattened_mut().iter_mut().zip(sums.as_flattened().iter().zip(scale.as_flattened())) {
            // Sums stay below 2^24, so single precision holds them exactly.
            let scaled = (*sum as f32 * scale + 0.5).max(0.0).min(f32::from(ACTIVATION_MAX));
            // The nearest whole number, less one where that is above: rounded towards zero, where a cast that saturates would take its lanes apart.
            let shifted = scaled + ROUND;
            *unit = shifted.to_bits() as u8 - u8::from(shifted - ROUND > scaled);
        }
    }
    units
} }

#[cfg(test)]
mod tests {
    use super::*;

    /// A walk through all 8-bit numbers in an order that repeats after 256 only.
    fn bytes(seed: u32) -> impl FnMut() -> u8 {
        let mut state = seed;
        move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        }
    }

    #[test]
    fn all_paths_give_the_same_bits() {
        for seed in 0..200 {
            let mut next = bytes(seed);
            let inputs: [[Four; 9]; 3] =
                std::array::from_fn(|_| std::array::from_fn(|_| std::array::from_fn(|_| next() & ACTIVATION_MAX)));
            let mut weight = || next().cast_signed().max(-127).cast_unsigned();
            let mut lane = || i32::from_le_bytes(std::array::from_fn(|_| weight()));
            let weights: [Weights<4>; 9] =
                std::array::from_fn(|_| std::array::from_fn(|_| std::array::from_fn(|_| lane())));
            let start: [Sums<4>; 3] = [std::array::from_fn(|row| [row as i32 - 7; LANES]); 3];
            let mut expected = start;
            by_plain_loops(&mut expected, &inputs, &weights);
            for path in Path::available() {
                let mut sums = start;
                path.add_products(&mut sums, &inputs, &weights);
                assert_eq!(sums, expected, "{path:?}");
            }
        }
    }

    #[test]
    fn the_extremes_do_not_saturate() {
        for sign in [-127_i8, 127] {
            let lane = i32::from_le_bytes([sign.cast_unsigned(); 4]);
            let (inputs, weights) = ([[[ACTIVATION_MAX; 4]; 3]], [[[lane; LANES]; 1]; 3]);
            for path in Path::available() {
                let mut sums = [[[0; LANES]]];
                path.add_products(&mut sums, &inputs, &weights);
                assert_eq!(sums, [[[12 * 127 * i32::from(sign); LANES]]], "{path:?}");
            }
        }
    }
}
