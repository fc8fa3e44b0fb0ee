//! Allocation sampling: one allocation in every so many bytes is reported, so that its share tells where memory comes from.
//!
//! It must never know what a call stack is: whoever asks for a sample looks at that.

use crate::heap::Heap;
use crate::shape::ShapeId;

/// When the next sample is due.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sampling {
    every_bytes: u64,
    left_bytes: u64,
    due: bool,
}

impl Sampling {
    pub(crate) fn new(every_bytes: u64) -> Sampling {
        let every_bytes = every_bytes.max(1);
        Sampling { every_bytes, left_bytes: every_bytes, due: false }
    }

    /// Counts what was allocated.
    pub(crate) fn count(&mut self, bytes: u64) {
        if bytes >= self.left_bytes {
            self.due = true;
            self.left_bytes = self.every_bytes - (bytes - self.left_bytes) % self.every_bytes;
        } else {
            self.left_bytes -= bytes;
        }
    }

    pub(crate) fn bytes_left(&self) -> u64 {
        self.left_bytes
    }
}

impl Heap {
    /// Reports one allocation in about `every_bytes` bytes from now on; 0 ends it.
    pub fn set_sampling(&mut self, every_bytes: u64) {
        self.sampling = (every_bytes > 0).then(|| Sampling::new(every_bytes));
    }

    /// To be asked after an allocation's slow path: whether it is a sample, and how many bytes it stands for.
    pub fn take_sample(&mut self) -> Option<u64> {
        let sampling = self.sampling.as_mut()?;
        std::mem::take(&mut sampling.due).then_some(sampling.every_bytes)
    }

    /// The name of a shape, for a report.
    pub fn shape_name(&self, shape: ShapeId) -> String {
        self.shapes().name(shape).unwrap_or_default()
    }
}
