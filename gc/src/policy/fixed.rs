//! The static policy: knobs as the user set them, all else at sound starting values, and never a change.

use super::{Decision, Envelope, Knobs, Outcome, Policy, Reason, Snapshot};

/// Knobs that the user set; `None` leaves the starting value of [`Envelope::initial`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Overrides {
    /// See [`Knobs::old_region_bytes`].
    pub old_region_bytes: Option<u64>,
    /// See [`Knobs::eden_region_bytes`].
    pub eden_region_bytes: Option<u64>,
    /// See [`Knobs::concurrent_start_share`].
    pub concurrent_start_share: Option<f64>,
    /// See [`Knobs::young_bytes`].
    pub young_bytes: Option<u64>,
    /// See [`Knobs::large_object_bytes`].
    pub large_object_bytes: Option<u64>,
    /// See [`Knobs::tenuring_age`].
    pub tenuring_age: Option<u8>,
    /// See [`Knobs::mixed_pause_count`].
    pub mixed_pause_count: Option<u32>,
    /// See [`Knobs::mixed_live_share`].
    pub mixed_live_share: Option<f64>,
    /// See [`Knobs::heap_target_bytes`].
    pub heap_target_bytes: Option<u64>,
    /// See [`Knobs::uncommit_delay_ns`].
    pub uncommit_delay_ns: Option<u64>,
}

impl Overrides {
    /// `knobs` with what is overridden replaced.
    pub fn apply(&self, knobs: Knobs) -> Knobs {
        Knobs {
            old_region_bytes: self.old_region_bytes.unwrap_or(knobs.old_region_bytes),
            eden_region_bytes: self.eden_region_bytes.unwrap_or(knobs.eden_region_bytes),
            concurrent_start_share: self.concurrent_start_share.unwrap_or(knobs.concurrent_start_share),
            young_bytes: self.young_bytes.unwrap_or(knobs.young_bytes),
            large_object_bytes: self.large_object_bytes.unwrap_or(knobs.large_object_bytes),
            tenuring_age: self.tenuring_age.unwrap_or(knobs.tenuring_age),
            mixed_pause_count: self.mixed_pause_count.unwrap_or(knobs.mixed_pause_count),
            mixed_live_share: self.mixed_live_share.unwrap_or(knobs.mixed_live_share),
            heap_target_bytes: self.heap_target_bytes.unwrap_or(knobs.heap_target_bytes),
            uncommit_delay_ns: self.uncommit_delay_ns.unwrap_or(knobs.uncommit_delay_ns),
        }
    }

    /// The knobs of a static policy with these overrides, before clamping.
    pub fn knobs(&self, snapshot: &Snapshot, envelope: &Envelope) -> Knobs {
        self.apply(envelope.initial(snapshot))
    }
}

/// The static policy.
#[derive(Clone, Copy, Debug, Default)]
pub struct Static {
    overrides: Overrides,
}

impl Static {
    /// The policy that keeps these settings.
    pub fn new(overrides: Overrides) -> Static {
        Static { overrides }
    }
}

impl Policy for Static {
    fn name(&self) -> &'static str {
        "static"
    }

    fn decide(&mut self, snapshot: &Snapshot, _: &Knobs, envelope: &Envelope) -> Decision {
        Decision::plain(self.overrides.knobs(snapshot, envelope), Reason::Static)
    }

    fn observe(&mut self, _: &Outcome) {}
}
