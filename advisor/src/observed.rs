//! Outcomes in the terms of the model's outputs.

use tenure_gc::policy::{CycleKind, Outcome};

use crate::math::ln;
use crate::model::Prediction;

/// What a prediction should have been, in the order of [`Output`](crate::model::Output). NaN where the outcome does not
/// tell: a cycle that allocated nothing has no cost per byte, one pause has no tail.
pub fn observed(outcome: &Outcome) -> Prediction {
    [
        ln(outcome.pause_ns.max(1) as f64 / 1e3),
        gc_per_byte(outcome.gc_cpu_ns, outcome.allocated_bytes),
        footprint(outcome.committed_bytes_max),
        risk(outcome),
        f64::NAN,
    ]
}

/// ln of ns per byte.
pub(crate) fn gc_per_byte(gc_cpu_ns: u64, allocated_bytes: u64) -> f64 {
    if allocated_bytes == 0 { f64::NAN } else { ln(gc_cpu_ns.max(1) as f64 / allocated_bytes as f64) }
}

/// ln of MiB.
pub(crate) fn footprint(committed_bytes_max: u64) -> f64 {
    if committed_bytes_max == 0 { f64::NAN } else { ln(committed_bytes_max as f64 / 1_048_576.0) }
}

/// 1 for what must not happen.
pub(crate) fn risk(outcome: &Outcome) -> f64 {
    f64::from(outcome.kind == CycleKind::Full || outcome.failed_copies > 0)
}
