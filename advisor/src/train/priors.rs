//! Knobs that did well in each class: a summary of the training's holds, for a planner that knows nothing yet.
//!
//! A hold is what one draw of the exploring policy led to. Its cost is the collector's CPU per byte with memory beside it, as the
//! throughput goal weighs them, less the mean of its run: so programs are not compared, only knobs within one.
//! A class's prior is the mean of the cheapest quarter of its holds, for the knobs that differ there from all its holds.

use tenure_gc::Cycle;
use tenure_gc::policy::{Envelope, Knobs};

use crate::class::{ClassModel, ClassPrior, Classifier};
use crate::goal::Goal;
use crate::math::{ln, log2};
use crate::observed::observed;

use super::Run;

/// Cycles that count of a hold.
const HOLD_MAX: usize = 8;
/// With fewer holds nothing is said of a class.
const HOLDS_MIN: usize = 40;
/// Standard errors by which the cheapest quarter must differ from all.
const DIFFERENCE_MIN: f64 = 3.0;
const KNOBS: usize = 6;

struct Hold {
    class: Option<usize>,
    knobs: [f64; KNOBS],
    cost: f64,
}

/// The priors of all classes of `model`, in its order.
pub(super) fn of_classes(runs: &[Run], model: &ClassModel) -> Vec<ClassPrior> {
    let model = std::sync::Arc::new(model.clone());
    let holds: Vec<Hold> = runs.iter().flat_map(|run| holds(run, Classifier::new(model.clone()))).collect();
    let of_class = |class: usize| {
        let mut own: Vec<&Hold> = holds.iter().filter(|hold| hold.class == Some(class)).collect();
        own.sort_by(|a, b| a.cost.total_cmp(&b.cost));
        prior(&own)
    };
    (0..model.count()).map(of_class).collect()
}

fn prior(by_cost: &[&Hold]) -> ClassPrior {
    if by_cost.len() < HOLDS_MIN {
        return ClassPrior::default();
    }
    let cheap = &by_cost[..by_cost.len() / 4];
    let outstanding = |knob: usize| {
        let mean = |of: &[&Hold]| of.iter().map(|hold| hold.knobs[knob]).sum::<f64>() / of.len() as f64;
        let (all, best) = (mean(by_cost), mean(cheap));
        let variance = by_cost.iter().map(|hold| (hold.knobs[knob] - all).powi(2)).sum::<f64>() / by_cost.len() as f64;
        ((best - all).abs() > DIFFERENCE_MIN * (variance / cheap.len() as f64).sqrt()).then_some(best)
    };
    ClassPrior {
        old_region_log2: outstanding(0),
        eden_region_log2: outstanding(1),
        concurrent_start_share: outstanding(2),
        young_log2: outstanding(3),
        heap_target_log2: outstanding(4),
        tenuring_age: outstanding(5),
    }
}

/// The holds of a run, with costs less their mean.
fn holds(run: &Run, mut classifier: Classifier) -> Vec<Hold> {
    let mut holds: Vec<Hold> = Vec::new();
    let mut rest = run.cycles.as_slice();
    while let Some(first) = rest.first() {
        classifier.observe(&first.snapshot);
        let class = classifier.place();
        let length = rest.iter().take(HOLD_MAX).take_while(|cycle| is_one_draw(first, cycle)).count().max(1);
        let (hold, others) = rest.split_at(length);
        hold[1..].iter().for_each(|cycle| classifier.observe(&cycle.snapshot));
        rest = others;
        let costs: Vec<f64> = hold.iter().filter_map(cost).collect();
        if !costs.is_empty() {
            let cost = costs.iter().sum::<f64>() / costs.len() as f64;
            holds.push(Hold { class, knobs: knobs(first), cost });
        }
    }
    let mean = holds.iter().map(|hold| hold.cost).sum::<f64>() / holds.len().max(1) as f64;
    holds.iter_mut().for_each(|hold| hold.cost -= mean);
    holds
}

/// What the exploring policy draws and holds; sizes that follow the adaptive policy are not among it.
fn is_one_draw(a: &Cycle, b: &Cycle) -> bool {
    let drawn =
        |k: &Knobs| (k.old_region_bytes, k.eden_region_bytes, k.tenuring_age, k.concurrent_start_share.to_bits());
    drawn(&a.decision.knobs) == drawn(&b.decision.knobs)
}

fn cost(cycle: &Cycle) -> Option<f64> {
    if cycle.outcome.unfinished {
        return None;
    }
    let goal_ln = ln(cycle.snapshot.pause_goal_ns.max(1) as f64);
    Some(Goal::Throughput.weights().cost(&observed(&cycle.outcome), 0.0, goal_ln)).filter(|cost| cost.is_finite())
}

fn knobs(cycle: &Cycle) -> [f64; KNOBS] {
    let knobs = &cycle.decision.knobs;
    let envelope = Envelope::of_limit(cycle.snapshot.limit_bytes);
    let share = |bytes: u64, of: u64| log2(bytes.max(1) as f64 / of.max(1) as f64);
    [
        share(knobs.old_region_bytes, envelope.region_bytes_max),
        share(knobs.eden_region_bytes, envelope.region_bytes_max),
        knobs.concurrent_start_share,
        share(knobs.young_bytes, envelope.limit_bytes),
        share(knobs.heap_target_bytes, envelope.limit_bytes),
        f64::from(knobs.tenuring_age),
    ]
}
