//! The hash of ints and strings that scripts' maps use, the same in both engines.
//!
//! Keyed once per process, so that nobody can prepare keys that collide; what a script prints doesn't depend on it,
//! because maps iterate in insertion order. Words are mixed by a folded multiplication, as in wyhash (Wang Yi) and
//! foldhash. Results are never negative.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::LazyLock;

/// The key of this process: random, and odd where it multiplies.
static KEY: LazyLock<Key> = LazyLock::new(Key::random);

/// What makes the hashes of one process differ from those of another.
struct Key {
    seed: u64,
    factor: u64,
}

impl Key {
    fn random() -> Key {
        // the standard library takes its keys from the operating system
        let state = RandomState::new();
        let word = |i: u64| {
            let mut hasher = state.build_hasher();
            hasher.write_u64(i);
            hasher.finish()
        };
        Key { seed: word(0), factor: word(1) | 1 }
    }

    fn int(&self, value: i64) -> i64 {
        finish(fold(value as u64 ^ self.seed, self.factor))
    }

    fn bytes(&self, bytes: &[u8]) -> i64 {
        let mut state = self.seed ^ bytes.len() as u64;
        let (words, rest) = bytes.as_chunks::<8>();
        for &word in words {
            state = fold(state ^ u64::from_le_bytes(word), self.factor);
        }
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        finish(fold(state ^ u64::from_le_bytes(last), self.factor))
    }

    fn words(&self, words: &[u64], len: usize) -> i64 {
        let mut state = self.seed ^ len as u64;
        for &word in words {
            state = fold(state ^ word, self.factor);
        }
        if len.is_multiple_of(8) {
            state = fold(state, self.factor);
        }
        finish(state)
    }
}

/// Both halves of the 128-bit product, so that every bit of `a` reaches the low ones.
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

/// A second round: one alone maps small differences of the input to small ones of the result.
fn finish(state: u64) -> i64 {
    (fold(state, LAST_FACTOR) >> 1) as i64
}

/// The factor of the second round, 2^64 by the golden ratio.
const LAST_FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// What compiled code computes the hash of an int with: its bits exclusive-or the first, folded with the second, folded with
/// the third, without the lowest bit. To fold is to multiply and to combine both halves of the product by exclusive or.
pub fn int_steps() -> [u64; 3] {
    [KEY.seed, KEY.factor, LAST_FACTOR]
}

/// The hash of an int.
pub fn int(value: i64) -> i64 {
    KEY.int(value)
}

/// The hash of a string's bytes.
pub fn bytes(bytes: &[u8]) -> i64 {
    KEY.bytes(bytes)
}

/// The same of the `len` bytes in `words`, the last of which ends in zeros.
pub(crate) fn words(words: &[u64], len: usize) -> i64 {
    KEY.words(words, len)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hashbrown::HashSet;

    #[test]
    fn equal_keys_have_equal_hashes_and_none_is_negative() {
        let [seed, factor, last] = int_steps();
        for i in -1000..1000 {
            assert_eq!(int(i), (fold(fold(i as u64 ^ seed, factor), last) >> 1) as i64);
            assert!(int(i) >= 0 && bytes(&i.to_le_bytes()) >= 0);
        }
        assert_eq!(bytes(b"abc"), bytes(&[97, 98, 99]));
        assert_ne!(bytes(b"a"), bytes(b"a\0"), "the length counts");
    }

    #[test]
    fn words_hash_as_their_bytes() {
        let text = b"0123456789abcdefghijklmnopqrstuvw";
        for len in 0..text.len() {
            let mut padded = text[..len].to_vec();
            padded.resize(len.next_multiple_of(8), 0);
            let padded: Vec<u64> = padded.as_chunks().0.iter().map(|&word| u64::from_le_bytes(word)).collect();
            assert_eq!(words(&padded, len), bytes(&text[..len]), "{len} bytes");
        }
    }

    #[test]
    fn small_ints_spread_over_the_low_bits() {
        for key in (0..50).map(|_| Key::random()) {
            for shift in [0, 12, 32, 52] {
                let slots: HashSet<i64> = (0..1024).map(|i| key.int(i << shift) & 1023).collect();
                // 1024 balls in 1024 bins fill about 647
                assert!(slots.len() > 540, "{} slots at shift {shift}", slots.len());
            }
        }
    }

    #[test]
    fn similar_strings_spread_over_the_low_bits() {
        for key in (0..50).map(|_| Key::random()) {
            let slots: HashSet<i64> = (0..1024).map(|i| key.bytes(format!("key{i}").as_bytes()) & 1023).collect();
            assert!(slots.len() > 540, "{} slots", slots.len());
        }
    }
}
