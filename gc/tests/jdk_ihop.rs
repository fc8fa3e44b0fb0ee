//! The adaptive threshold against G1's own: a log of `gc+ihop=debug` that OpenJDK 17 wrote is replayed. What G1 measured
//! goes into `AdaptiveThreshold`, and what G1 made of it must come out, line by line.
//!
//! It must never recompute the formula: every expected number is G1's own.
//!
//! The log's rounding bounds what can be asked: rates are exact to a hundredth of a byte a second, marking times to 5 µs.

use tenure_gc::policy::AdaptiveThreshold;

const LOG: &str = include_str!("data/jdk17-gc-ihop.log");
/// G1's InitiatingHeapOccupancyPercent, by default.
const INITIAL_SHARE: f64 = 0.45;

/// The number after `name: ` in a line.
fn number(line: &str, name: &str) -> f64 {
    let start = line.find(&format!("{name}: ")).unwrap_or_else(|| panic!("no `{name}` in `{line}`")) + name.len() + 2;
    let digits = line[start..].split(|c: char| !c.is_ascii_digit() && c != '.').next().expect("split gives one");
    digits.parse().unwrap_or_else(|_| panic!("`{name}` is not a number in `{line}`"))
}

/// What the log's rounding of marking times and of whole bytes may make.
fn is_near(ours: f64, theirs: f64, tolerance: f64) -> bool {
    (ours - theirs).abs() <= tolerance + 1.0
}

#[test]
fn thresholds_are_those_of_the_jdk() {
    let mut lines = LOG.lines().filter(|line| !line.starts_with('#'));
    let mut threshold = AdaptiveThreshold::default();
    let mut last_marking_s = 0.0;
    let (mut initial, mut adaptive, mut above_zero, mut markings) = (0, 0, 0, 0);
    while let Some(basic) = lines.next() {
        let made = lines.next().expect("each value update has two lines");
        // G1 reports after each sample: of the old generation's growth, or, if there is a new one, of a marking's length.
        let marking_s = number(basic, "recent marking phase length") / 1000.0;
        let rate = number(basic, "recent old gen allocation rate");
        if marking_s != last_marking_s {
            threshold.add_marking(marking_s);
            markings += 1;
        } else {
            threshold.add_old_allocation(1.0, rate);
        }
        last_marking_s = marking_s;

        let heap_bytes = number(basic, "target occupancy");
        let young_bytes = number(made, "additional buffer size");
        assert_eq!(threshold.is_adaptive(), made.ends_with("prediction active: true"), "{made}");
        let ours = threshold.start_bytes(heap_bytes, heap_bytes, young_bytes, INITIAL_SHARE);
        let theirs = number(made, "threshold");
        // 5 µs of marking for each, at the rate predicted.
        let tolerance = 5e-6 * number(made, "predicted old gen allocation rate");
        assert!(is_near(ours, theirs, tolerance), "{ours} is not {theirs}: {made}");
        if threshold.is_adaptive() {
            adaptive += 1;
            above_zero += u32::from(theirs > 0.0);
        } else {
            initial += 1;
        }
    }
    println!("{initial} initial and {adaptive} adaptive thresholds, {above_zero} above 0, {markings} markings");
    assert!(initial >= 10 && above_zero >= 50 && markings >= 5, "the log says too little");
}
