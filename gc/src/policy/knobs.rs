//! What a policy may set, and the bounds the heap holds it to.

use super::Snapshot;
use crate::memory::GRANULE_BYTES;

/// What the pause that ends the cycle is to do besides evacuating young regions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum NextKind {
    /// Marking starts when occupancy is above the threshold; candidates are collected when there are some.
    #[default]
    ByThreshold = 0,
    /// Marking starts, if it can: none is under way, and no candidates are left.
    StartMarking = 1,
    /// Candidates wait for a later pause, as long as room isn't short.
    SkipMixed = 2,
}

impl NextKind {
    /// All of them, in order.
    pub const ALL: [NextKind; 3] = [NextKind::ByThreshold, NextKind::StartMarking, NextKind::SkipMixed];

    /// Its name in files of knobs.
    pub fn name(self) -> &'static str {
        match self {
            NextKind::ByThreshold => "by_threshold",
            NextKind::StartMarking => "start_marking",
            NextKind::SkipMixed => "skip_mixed",
        }
    }
}

/// The collector's settings for one cycle. Sizes are bytes, shares 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Knobs {
    /// Size of old regions opened in this cycle; a power of two.
    pub old_region_bytes: u64,
    /// Size of eden and survivor regions opened in this cycle; a power of two.
    pub eden_region_bytes: u64,
    /// Marking starts when old and large bytes exceed this share of the heap target (G1's IHOP).
    pub concurrent_start_share: f64,
    /// Room for new objects before the next pause.
    pub young_bytes: u64,
    /// Objects above this size get granules of their own.
    pub large_object_bytes: u64,
    /// Pauses an object survives at the most before it is promoted, 0 to 15. The heap promotes earlier when survivors fill
    /// more than half of young ÷ 8.
    pub tenuring_age: u8,
    /// Candidates are spread over this many mixed pauses, fewer where room is short.
    pub mixed_pause_count: u32,
    /// Old regions with a larger live share are not collected in mixed pauses.
    pub mixed_live_share: f64,
    /// Keep at most this much committed, if the live objects allow it.
    pub heap_target_bytes: u64,
    /// Free memory is given back after this long unused.
    pub uncommit_delay_ns: u64,
    /// What the next pause does besides.
    pub next_kind: NextKind,
    /// A heap whose program waits this long is compacted, and what it doesn't need given back; counted in whole seconds.
    pub idle_delay_ns: u64,
}

/// Why a decision came out as it did; for logs and reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum Reason {
    /// Fixed by the user.
    #[default]
    Static = 0,
    /// By the adaptive policy's formulas.
    Adaptive = 1,
    /// Too little history; the adaptive policy decided.
    Warmup = 2,
    /// The model moved the knobs.
    Model = 3,
    /// The model saw no gain beyond its margin; knobs kept.
    Hold = 4,
    /// No usable model; the adaptive policy decided.
    NoModel = 5,
    /// The state lies outside the training data; the adaptive policy decided.
    OutOfDistribution = 6,
    /// Realised costs were worse than the adaptive policy's; it decides for a while.
    Guard = 7,
    /// A probe of the adaptive policy's choice.
    Probe = 8,
    /// Random knobs, to learn from.
    Explore = 9,
    /// Hostile on purpose, in tests.
    Adversarial = 10,
    /// By a rule of heap size alone: the square root, a constant ratio.
    Rule = 11,
    /// Knobs that let a journal tell how long objects live.
    Survey = 12,
    /// A move of the model's did not pay and is taken back.
    Undo = 13,
}

/// What a policy says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decision {
    /// The knobs of the coming cycle.
    pub knobs: Knobs,
    /// What the policy advises: those knobs, unless it is in the shadow of another whose knobs come into force.
    pub advised: Knobs,
    /// Why it advises that.
    pub reason: Reason,
    /// Predicted pause; NaN when nothing was predicted.
    pub predicted_pause_ns: f64,
    /// Predicted CPU time of the collector per allocated byte; NaN when nothing was predicted.
    pub predicted_gc_ns_per_byte: f64,
    /// Probability with which this decision was drawn; 1 when not random.
    pub propensity: f64,
}

impl Decision {
    /// A decision without predictions.
    pub fn plain(knobs: Knobs, reason: Reason) -> Decision {
        Decision {
            knobs,
            advised: knobs,
            reason,
            predicted_pause_ns: f64::NAN,
            predicted_gc_ns_per_byte: f64::NAN,
            propensity: 1.0,
        }
    }
}

/// The legal bounds of the knobs in one heap. Owned by the heap; a policy reads it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Envelope {
    /// Smallest region: one granule.
    pub region_bytes_min: u64,
    /// Largest legal region: limit ÷ 64 rounded down to a power of two, at least a granule, at most 32 MiB.
    pub region_bytes_max: u64,
    /// Least young size.
    pub young_bytes_min: u64,
    /// Most young size.
    pub young_bytes_max: u64,
    /// The limit on committed bytes.
    pub limit_bytes: u64,
}

/// Least legal large-object threshold: below it, rounding to granules wastes more than 20 %.
pub(super) const LARGE_OBJECT_BYTES_MIN: u64 = 256 << 10;
/// Shorter waits are part of a program's work.
const IDLE_DELAY_NS_MIN: u64 = 1_000_000_000;

impl Envelope {
    /// The legal bounds in a heap of this limit.
    pub fn of_limit(limit_bytes: u64) -> Envelope {
        let granule_bytes = GRANULE_BYTES as u64;
        let region_bytes_max = (1 << (limit_bytes / 64).max(1).ilog2()).clamp(granule_bytes, 32 << 20);
        Envelope {
            region_bytes_min: granule_bytes,
            region_bytes_max,
            young_bytes_min: granule_bytes.max(limit_bytes / 64).min(1 << 20),
            young_bytes_max: limit_bytes / 10 * 6,
            limit_bytes,
        }
    }

    /// The nearest legal knobs. Whatever cannot be read as a number (NaN) becomes the value in `current`.
    pub fn clamp(&self, wanted: &Knobs, current: &Knobs) -> Knobs {
        let region = |bytes: u64| {
            let bytes = bytes.clamp(self.region_bytes_min, self.region_bytes_max);
            1 << bytes.ilog2()
        };
        let eden_region_bytes = region(wanted.eden_region_bytes);
        Knobs {
            old_region_bytes: region(wanted.old_region_bytes),
            eden_region_bytes,
            large_object_bytes: wanted
                .large_object_bytes
                .clamp(LARGE_OBJECT_BYTES_MIN, LARGE_OBJECT_BYTES_MIN.max(eden_region_bytes / 2)),
            tenuring_age: wanted.tenuring_age.min(15),
            mixed_pause_count: wanted.mixed_pause_count.clamp(1, 64),
            mixed_live_share: share(wanted.mixed_live_share, current.mixed_live_share, 0.1, 1.0),
            idle_delay_ns: wanted.idle_delay_ns.max(IDLE_DELAY_NS_MIN),
            ..self.clamp_sizes(wanted, current)
        }
    }

    /// The same where only the young size, the heap target and the threshold may be other than legal.
    #[inline(always)]
    pub fn clamp_sizes(&self, wanted: &Knobs, current: &Knobs) -> Knobs {
        Knobs {
            concurrent_start_share: share(wanted.concurrent_start_share, current.concurrent_start_share, 0.05, 0.95),
            young_bytes: wanted.young_bytes.clamp(self.young_bytes_min, self.young_bytes_max),
            heap_target_bytes: wanted.heap_target_bytes.clamp(self.region_bytes_min, self.limit_bytes),
            ..*wanted
        }
    }

    /// Sound starting knobs for a heap with this envelope.
    pub fn initial(&self, snapshot: &Snapshot) -> Knobs {
        let region = self.region_bytes_max.min(1 << 20);
        let wanted = Knobs {
            old_region_bytes: region,
            eden_region_bytes: self.region_bytes_max.min(2 << 20),
            concurrent_start_share: 0.45,
            young_bytes: (8 << 20).min(self.young_bytes_max),
            large_object_bytes: region / 2,
            tenuring_age: 15,
            mixed_pause_count: 8,
            mixed_live_share: 0.85,
            heap_target_bytes: snapshot.limit_bytes,
            uncommit_delay_ns: 1_000_000_000,
            next_kind: NextKind::ByThreshold,
            idle_delay_ns: 4_000_000_000,
        };
        self.clamp(&wanted, &wanted)
    }
}

/// `value` within its bounds; what is no number is the fallback.
#[inline]
fn share(value: f64, fallback: f64, least: f64, most: f64) -> f64 {
    if value.is_nan() { fallback } else { value.clamp(least, most) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(limit_bytes: u64) -> Envelope {
        Envelope {
            region_bytes_min: 64 << 10,
            region_bytes_max: (limit_bytes / 64).clamp(64 << 10, 32 << 20),
            young_bytes_min: 64 << 10,
            young_bytes_max: limit_bytes / 2,
            limit_bytes,
        }
    }

    #[test]
    fn nonsense_becomes_the_nearest_legal_knobs() {
        let envelope = envelope(256 << 20);
        let current = envelope.initial(&Snapshot { limit_bytes: 256 << 20, ..Snapshot::default() });
        assert_eq!(envelope.clamp(&current, &current), current);
        let wanted = Knobs {
            old_region_bytes: 0,
            eden_region_bytes: 3 << 20,
            concurrent_start_share: f64::NAN,
            young_bytes: u64::MAX,
            large_object_bytes: u64::MAX,
            tenuring_age: 255,
            mixed_pause_count: 0,
            mixed_live_share: f64::NEG_INFINITY,
            heap_target_bytes: 0,
            uncommit_delay_ns: u64::MAX,
            next_kind: NextKind::SkipMixed,
            idle_delay_ns: 0,
        };
        let legal = envelope.clamp(&wanted, &current);
        assert_eq!(legal.old_region_bytes, 64 << 10);
        assert_eq!(legal.eden_region_bytes, 2 << 20);
        assert_eq!(legal.concurrent_start_share, current.concurrent_start_share);
        assert_eq!(legal.young_bytes, 128 << 20);
        assert_eq!(legal.large_object_bytes, 1 << 20);
        assert_eq!((legal.tenuring_age, legal.mixed_pause_count, legal.mixed_live_share), (15, 1, 0.1));
        assert_eq!(legal.heap_target_bytes, 64 << 10);
        assert_eq!(legal.idle_delay_ns, IDLE_DELAY_NS_MIN);
        assert_eq!(envelope.clamp(&legal, &current), legal);
    }

    #[test]
    fn the_smallest_heap_has_legal_knobs() {
        let envelope = envelope(1 << 20);
        let knobs = envelope.initial(&Snapshot { limit_bytes: 1 << 20, ..Snapshot::default() });
        assert_eq!((knobs.old_region_bytes, knobs.eden_region_bytes), (64 << 10, 64 << 10));
        assert_eq!(knobs.young_bytes, 512 << 10);
    }
}
