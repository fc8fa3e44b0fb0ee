//! `tenure gc replay`: a journal's policy decides again, from the journal's snapshots, and must come to the same bits.
//!
//! What it shows: decisions depend on snapshots and outcomes alone, so a decision that somebody wonders about can be
//! looked at again, whatever the machine was doing.

use super::args::ReplayArgs;
use super::heap::{gc, usage_error};
use super::output;
use super::policy::PolicyChoice;
use super::report::{self, Status};
use std::path::Path;
use tenure::{Cycle, FixedKnobs, Gc, Reason};
use tenure_gc::journal::Journal;
use tenure_gc::policy::{DECISION_FIELDS, Decision, Envelope, Field, KNOB_FIELDS, Knobs, Policy};

/// Differences shown in full.
const SHOWN_MAX: usize = 10;

/// Does it.
pub fn main(args: &ReplayArgs) -> Status {
    let (journal, cut) = match Journal::salvage_file(&args.journal) {
        Ok(found) => found,
        Err(error) => return report::failure(&error.to_string()),
    };
    if let Some(error) = &cut {
        report::warning(&format!("{error}; what comes before is replayed"), false);
    }
    let Some(first) = journal.cycles.first() else { return report::failure("the journal holds no decisions") };
    let gc = policy(args.gc.as_ref(), args.model.as_deref(), args.gc_seed, first);
    let mut policy = args.advisor.applied(gc).policy();
    let (differing, lines) = differences(policy.as_mut(), &journal.cycles);
    let count = journal.cycles.len();
    let mut said = lines.join("");
    said += &match differing {
        0 => format!("{}: {count} decisions, all the same, bit for bit\n", policy.name()),
        _ => format!("{}: {differing} of {count} decisions differ\n", policy.name()),
    };
    if let Err(error) = output::print(&said) {
        return report::failure(&error.to_string());
    }
    if differing == 0 { Status::Success } else { Status::Failure }
}

/// The policy that was asked for, or else the one that gives such reasons as a journal's first decision has.
pub fn policy(asked: Option<&PolicyChoice>, model: Option<&Path>, seed: u64, first: &Cycle) -> Gc {
    let choice = asked.cloned().unwrap_or_else(|| match first.decision.reason {
        Reason::Static => PolicyChoice::Static(None),
        Reason::Adaptive => PolicyChoice::Adaptive,
        Reason::Explore => PolicyChoice::Explore,
        Reason::Survey => PolicyChoice::Survey,
        Reason::Adversarial => PolicyChoice::Adversarial,
        Reason::Rule => usage_error("the journal doesn't tell which rule decided: add --gc=sqrt:… or --gc=ratio:…"),
        _ => PolicyChoice::Advisor,
    });
    // what options fixed is in every decision
    if asked.is_none() && choice == PolicyChoice::Static(None) {
        return Gc::fixed(overrides(&first.decision.knobs));
    }
    gc(&choice, model, seed)
}

fn overrides(knobs: &Knobs) -> FixedKnobs {
    FixedKnobs {
        old_region_bytes: Some(knobs.old_region_bytes),
        eden_region_bytes: Some(knobs.eden_region_bytes),
        concurrent_start_share: Some(knobs.concurrent_start_share),
        young_bytes: Some(knobs.young_bytes),
        large_object_bytes: Some(knobs.large_object_bytes),
        tenuring_age: Some(knobs.tenuring_age),
        mixed_pause_count: Some(knobs.mixed_pause_count),
        mixed_live_share: Some(knobs.mixed_live_share),
        heap_target_bytes: Some(knobs.heap_target_bytes),
        uncommit_delay_ns: Some(knobs.uncommit_delay_ns),
        next_kind: Some(knobs.next_kind),
        idle_delay_ns: Some(knobs.idle_delay_ns),
    }
}

/// How many decisions differ, and the first of them in lines.
fn differences(policy: &mut dyn Policy, cycles: &[Cycle]) -> (usize, Vec<String>) {
    let (mut differing, mut lines) = (0, Vec::new());
    let mut in_force: Option<Knobs> = None;
    for cycle in cycles {
        let envelope = Envelope::of_limit(cycle.snapshot.limit_bytes);
        let current = in_force.unwrap_or_else(|| envelope.initial(&cycle.snapshot));
        let mut decision = policy.decide(&cycle.snapshot, &current, &envelope);
        decision.knobs = envelope.clamp(&decision.knobs, &current);
        decision.advised = envelope.clamp(&decision.advised, &current);
        let found = difference(&decision, &cycle.decision);
        if !found.is_empty() {
            differing += 1;
            if lines.len() < SHOWN_MAX {
                lines.push(format!("decision at cycle {}: {}\n", cycle.snapshot.cycle, found.join(", ")));
            }
        }
        in_force = Some(cycle.decision.knobs);
        policy.observe(&cycle.outcome);
    }
    (differing, lines)
}

fn difference(now: &Decision, then: &Decision) -> Vec<String> {
    fn of<T>(fields: &[Field<T>], now: &T, then: &T) -> Vec<String> {
        let differs = |field: &&Field<T>| field.bits(now) != field.bits(then);
        let show = |field: &Field<T>| format!("{} {}, was {}", field.name, field.number(now), field.number(then));
        fields.iter().filter(differs).map(show).collect()
    }
    [
        of(DECISION_FIELDS, now, then),
        of(KNOB_FIELDS, &now.knobs, &then.knobs),
        of(KNOB_FIELDS, &now.advised, &then.advised),
    ]
    .concat()
}
