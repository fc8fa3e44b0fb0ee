//! How long objects live, counted in bytes that the program allocates meanwhile: a histogram over classes of doubling
//! length, which says what share of an allocation is alive at any age.
//!
//! Within a class lifetimes are spread evenly, so that the share alive is a straight line from the class's lower bound to
//! its upper one. The last class lives for ever.

/// Classes: not at all, up to 2 KiB, then doubling up to 512 MiB, then for ever.
pub const CLASSES: usize = 21;

const SHORTEST_BYTES: f64 = 2048.0;

/// Bounds of a class's lifetimes.
fn bounds(class: usize) -> (f64, f64) {
    match class {
        0 => (0.0, 0.0),
        1 => (0.0, SHORTEST_BYTES),
        _ if class == CLASSES - 1 => (f64::INFINITY, f64::INFINITY),
        _ => (SHORTEST_BYTES * f64::from(1 << (class - 2)), SHORTEST_BYTES * f64::from(1 << (class - 1))),
    }
}

/// ∫ of a class's share alive, from age 0 to `age`.
fn integral(class: usize, age: f64) -> f64 {
    let (low, high) = bounds(class);
    if age <= low {
        return age;
    }
    if high == low {
        return low;
    }
    let beyond = age.min(high) - low;
    low + beyond - beyond * beyond / (2.0 * (high - low))
}

/// The mean share of a class alive among objects whose ages are spread evenly from `from` to `to`.
pub fn alive_of_class(class: usize, from: f64, to: f64) -> f64 {
    let width = (to - from).max(1.0);
    ((integral(class, from + width) - integral(class, from)) / width).clamp(0.0, 1.0)
}

/// The share of each class; they add up to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lifetimes(pub [f64; CLASSES]);

impl Lifetimes {
    /// Objects that live as long as `bytes` of allocation, more or less by half.
    pub fn around(bytes: f64) -> Lifetimes {
        let class = (0..CLASSES).find(|&class| bytes < bounds(class).1).unwrap_or(CLASSES - 1);
        let mut shares = [0.0; CLASSES];
        shares[class] = 1.0;
        Lifetimes(shares)
    }

    /// Part of one histogram and the rest of another.
    pub fn mixed(share: f64, one: Lifetimes, rest: Lifetimes) -> Lifetimes {
        Lifetimes(std::array::from_fn(|i| share * one.0[i] + (1.0 - share) * rest.0[i]))
    }

    /// The mean share alive among objects whose ages are spread evenly from `from` to `to`.
    pub fn alive(&self, from: f64, to: f64) -> f64 {
        self.0.iter().enumerate().map(|(class, share)| share * alive_of_class(class, from, to)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_young_are_alive_and_the_old_are_dead() {
        let mebibyte = Lifetimes::around(1.2e6);
        assert_eq!(mebibyte.alive(0.0, 1e5), 1.0);
        assert_eq!(mebibyte.alive(3e6, 4e6), 0.0);
        // lifetimes from 1 to 2 MiB, evenly: at 1.5 MiB half of them are over
        let half = mebibyte.alive(1_572_864.0, 1_572_865.0);
        assert!((half - 0.5).abs() < 1e-3, "{half}");
        assert_eq!(Lifetimes::around(1e12).alive(1e15, 2e15), 1.0);
    }

    #[test]
    fn a_larger_eden_leaves_less_alive() {
        let mixed = Lifetimes::mixed(0.1, Lifetimes::around(1e12), Lifetimes::around(1e6));
        let shares: Vec<f64> = (0..10).map(|k| mixed.alive(0.0, 1e5 * f64::from(1 << k))).collect();
        assert!(shares.windows(2).all(|pair| pair[1] <= pair[0] + 1e-12), "{shares:?}");
        assert!((shares[9] - 0.1).abs() < 0.05, "{shares:?}");
    }
}
