//! What a program does to a heap, independent of any setting.

use super::lifetimes::Lifetimes;

/// What the machine takes for the collector's work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Costs {
    /// A pause in which nothing is copied.
    pub pause_ns: f64,
    /// Copying a byte.
    pub copy_ns_per_byte: f64,
    /// Marking a byte.
    pub mark_ns_per_byte: f64,
}

/// A stretch of a program in which it keeps its habits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Segment {
    /// Bytes allocated in it, large objects included. This is the clock of the simulation.
    pub bytes: f64,
    /// Share of them in large objects.
    pub large_share: f64,
    /// CPU time of the program for each.
    pub mutator_ns_per_byte: f64,
    /// How long ordinary objects live.
    pub lifetimes: Lifetimes,
    /// How long large objects live.
    pub large_lifetimes: Lifetimes,
    /// Remembered entries and slow paths of the barrier for each byte.
    pub remembered_per_byte: f64,
}

/// A program on a machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Signature {
    /// What it does, in order.
    pub segments: Vec<Segment>,
    /// What collecting costs.
    pub costs: Costs,
}

impl Signature {
    /// Bytes that the program allocates from its beginning to its end.
    pub fn bytes(&self) -> f64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }

    /// The segment at a place of the clock, and where it ends.
    pub(super) fn at(&self, clock: f64) -> Option<(usize, f64)> {
        let mut end = 0.0;
        for (number, segment) in self.segments.iter().enumerate() {
            end += segment.bytes;
            if clock < end {
                return Some((number, end));
            }
        }
        None
    }
}
