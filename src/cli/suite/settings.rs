//! The static settings from which the oracle chooses, and the best single one among them.
//!
//! Sizes are shares of the heap's limit: one setting means the same in heaps of all sizes, which makes the best single one as
//! strong as a static setting can be. The first setting is the default; the others spread evenly over the knobs' values, by Halton's
//! sequence (Numerische Mathematik 2, 1960), which covers any one knob well and any few together.

use std::fmt::Write;
use tenure_gc::policy::Envelope;

/// How many there are.
pub const COUNT: usize = 40;

/// One setting; sizes are shares of the limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StaticSetting {
    young: f64,
    /// Halvings of the largest region that the heap allows.
    old_region_halvings: u32,
    eden_region_halvings: u32,
    concurrent_start: f64,
    tenuring_age: u8,
    mixed_pauses: u32,
    mixed_live: f64,
    heap_target: f64,
}

const YOUNG: [f64; 6] = [0.06, 0.12, 0.2, 0.3, 0.42, 0.55];
const HALVINGS: [u32; 4] = [0, 1, 2, 3];
const CONCURRENT_START: [f64; 5] = [0.2, 0.35, 0.5, 0.65, 0.8];
const TENURING_AGE: [u8; 5] = [0, 1, 3, 7, 15];
const MIXED_PAUSES: [u32; 4] = [2, 4, 8, 16];
const MIXED_LIVE: [f64; 4] = [0.5, 0.65, 0.85, 0.95];
const HEAP_TARGET: [f64; 3] = [0.6, 0.8, 1.0];
/// A prime for each knob.
const BASES: [u32; 8] = [2, 3, 5, 7, 11, 13, 17, 19];

/// The radical inverse: the digits of a number, mirrored behind the point.
fn halton(mut number: u32, base: u32) -> f64 {
    let (mut value, mut digit) = (0.0, 1.0);
    while number > 0 {
        digit /= f64::from(base);
        value += digit * f64::from(number % base);
        number /= base;
    }
    value
}

/// The setting with a number below [`COUNT`]; nothing for the first, whose knobs are the heap's own.
pub fn setting(number: usize) -> Option<StaticSetting> {
    fn pick<T: Copy>(values: &[T], share: f64) -> T {
        values[(share * values.len() as f64) as usize]
    }
    let at = |knob: usize| halton(number as u32, BASES[knob]);
    (number > 0).then(|| StaticSetting {
        young: pick(&YOUNG, at(0)),
        concurrent_start: pick(&CONCURRENT_START, at(1)),
        tenuring_age: pick(&TENURING_AGE, at(2)),
        heap_target: pick(&HEAP_TARGET, at(3)),
        eden_region_halvings: pick(&HALVINGS, at(4)),
        old_region_halvings: pick(&HALVINGS, at(5)),
        mixed_live: pick(&MIXED_LIVE, at(6)),
        mixed_pauses: pick(&MIXED_PAUSES, at(7)),
    })
}

/// The knobs of a setting in a heap of this limit, as `--gc=static:FILE` reads them. Those of the first are none.
pub fn knobs(number: usize, limit_bytes: u64) -> String {
    let Some(setting) = setting(number) else { return String::new() };
    let region_bytes_max = Envelope::of_limit(limit_bytes).region_bytes_max;
    let share = |share: f64| (limit_bytes as f64 * share) as u64;
    let mut text = String::new();
    let mut line = |name: &str, value: &dyn std::fmt::Display| {
        let _ = writeln!(text, "{name} = {value}");
    };
    line("young_bytes", &share(setting.young));
    line("old_region_bytes", &(region_bytes_max >> setting.old_region_halvings));
    line("eden_region_bytes", &(region_bytes_max >> setting.eden_region_halvings));
    line("concurrent_start_share", &setting.concurrent_start);
    line("tenuring_age", &setting.tenuring_age);
    line("mixed_pause_count", &setting.mixed_pauses);
    line("mixed_live_share", &setting.mixed_live);
    line("heap_target_bytes", &share(setting.heap_target));
    text
}

/// A setting in words, for tables.
pub fn describe(number: usize) -> String {
    let Some(s) = setting(number) else { return "the default".into() };
    format!(
        "young {:.0} %, start {:.0} %, target {:.0} %, age {}, mixed {} up to {:.0} % live, regions max ÷ {} and ÷ {}",
        s.young * 100.0,
        s.concurrent_start * 100.0,
        s.heap_target * 100.0,
        s.tenuring_age,
        s.mixed_pauses,
        s.mixed_live * 100.0,
        1 << s.old_region_halvings,
        1 << s.eden_region_halvings,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use tenure::FixedKnobs;

    #[test]
    fn settings_differ_and_use_every_value_of_every_knob() {
        let all: Vec<StaticSetting> = (1..COUNT).filter_map(setting).collect();
        assert_eq!(all.iter().map(|s| format!("{s:?}")).collect::<BTreeSet<_>>().len(), COUNT - 1);
        for value in YOUNG {
            let count = all.iter().filter(|s| s.young == value).count();
            assert!((5..=8).contains(&count), "young {value} stands in {count} settings");
        }
        for value in MIXED_PAUSES {
            assert!(all.iter().any(|s| s.mixed_pauses == value), "{value}");
        }
    }

    #[test]
    fn a_settings_text_is_a_file_of_knobs() {
        assert_eq!(knobs(0, 64 << 20).parse(), Ok(FixedKnobs::default()));
        for number in 1..COUNT {
            let read: FixedKnobs = knobs(number, 64 << 20).parse().expect("knobs");
            let share = read.young_bytes.expect("a young size") as f64 / f64::from(64 << 20);
            assert!((share - setting(number).expect("a setting").young).abs() < 1e-6);
        }
    }
}
