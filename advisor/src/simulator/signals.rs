//! Signatures written down by hand, as signals for controllers: steady, ramp, step, burst, oscillation, phase change, outlier.

use super::lifetimes::Lifetimes;
use super::signature::{Costs, Segment, Signature};

const MIB: f64 = 1_048_576.0;

/// A machine with round figures.
pub const MACHINE: Costs = Costs { pause_ns: 50_000.0, copy_ns_per_byte: 1.0, mark_ns_per_byte: 0.5 };

/// Bytes of the whole signal.
const TOTAL_BYTES: f64 = 6000.0 * MIB;

/// An ordinary program: 5 % lives for 200 MiB of allocation, the rest for less than one.
fn ordinary() -> Segment {
    Segment {
        bytes: TOTAL_BYTES,
        large_share: 0.0,
        mutator_ns_per_byte: 1.0,
        lifetimes: Lifetimes::mixed(0.05, Lifetimes::around(200.0 * MIB), Lifetimes::around(0.5 * MIB)),
        large_lifetimes: Lifetimes::around(8.0 * MIB),
        remembered_per_byte: 1e-5,
    }
}

fn signature(segments: Vec<Segment>) -> Signature {
    let bytes = TOTAL_BYTES / segments.len() as f64;
    let segments = segments.into_iter().map(|segment| Segment { bytes, ..segment }).collect();
    Signature { segments, costs: MACHINE }
}

/// The same from beginning to end.
pub fn steady() -> Signature {
    signature(vec![ordinary()])
}

/// Allocation becomes ten times as fast, little by little.
pub fn ramp() -> Signature {
    let at = |i: i32| Segment { mutator_ns_per_byte: 10.0_f64.powf(1.0 - f64::from(i) / 23.0), ..ordinary() };
    signature((0..24).map(at).collect())
}

/// From one moment on, four times as much lives long.
pub fn step() -> Signature {
    let more = Lifetimes::mixed(0.2, Lifetimes::around(200.0 * MIB), Lifetimes::around(0.5 * MIB));
    signature(vec![ordinary(), Segment { lifetimes: more, ..ordinary() }])
}

/// Quiet, with short times in which everything lives for a while.
pub fn burst() -> Signature {
    let quiet = Segment { mutator_ns_per_byte: 4.0, lifetimes: Lifetimes::around(0.2 * MIB), ..ordinary() };
    let loud = Segment { mutator_ns_per_byte: 0.5, lifetimes: Lifetimes::around(60.0 * MIB), ..ordinary() };
    signature((0..40).map(|i| if i % 8 == 7 { loud } else { quiet }).collect())
}

/// Two habits that take turns, faster than marking can follow.
pub fn oscillation() -> Signature {
    let slow = Segment { mutator_ns_per_byte: 3.0, ..ordinary() };
    let more = Lifetimes::mixed(0.12, Lifetimes::around(100.0 * MIB), Lifetimes::around(0.5 * MIB));
    let fast = Segment { mutator_ns_per_byte: 0.5, lifetimes: more, ..ordinary() };
    signature((0..120).map(|i| if i % 2 == 0 { slow } else { fast }).collect())
}

/// Garbage, then a graph that grows and dies as a whole, then large objects.
pub fn phases() -> Signature {
    let garbage = Segment { lifetimes: Lifetimes::around(0.1 * MIB), ..ordinary() };
    let grows = Lifetimes::mixed(0.15, Lifetimes::around(500.0 * MIB), Lifetimes::around(2.0 * MIB));
    let graph = Segment { lifetimes: grows, mutator_ns_per_byte: 2.0, ..ordinary() };
    let large = Segment { large_share: 0.6, ..ordinary() };
    signature([garbage, graph, large].repeat(2))
}

/// Steady, but for one short stretch in which all that is made lives.
pub fn outlier() -> Signature {
    let total = signature(vec![ordinary(); 100]);
    let mut segments = total.segments;
    segments[60].bytes = 12.0 * MIB;
    segments[60].lifetimes = Lifetimes::around(100.0 * MIB);
    Signature { segments, costs: MACHINE }
}

/// All of them, by name.
pub fn all() -> [(&'static str, Signature); 7] {
    [
        ("steady", steady()),
        ("ramp", ramp()),
        ("step", step()),
        ("burst", burst()),
        ("oscillation", oscillation()),
        ("phases", phases()),
        ("outlier", outlier()),
    ]
}
