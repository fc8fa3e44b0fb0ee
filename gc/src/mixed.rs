//! Mixed pauses: which candidates one takes, and when it stops.
//!
//! A first step evacuates young regions and the share of the candidates that lets the wanted number of pauses take all of them, as far
//! as that is predicted to fit the pause goal. What is left of the goal after it is known, not predicted: optional steps take more
//! candidates in it, each at most a part of what is left, until none fits (G1's optional collection set, JEP 344).
//!
//! It must never know how copying is done.
//!
//! Invariants
//! - O1. Before a step takes candidates, their remembered sets hold what the steps before it found (C1, E6).
//! - O2. What an optional step takes is predicted to end within the goal. Where a copy failed, or a set was lost, none comes.

use crate::candidates::{MixedShare, Taken};
use crate::evacuate::{self, Directions, Evacuated, Evacuation};
use crate::heap::{Heap, Roots};
use crate::memory::Memory;
use crate::pause::GOAL_SHARE;
use crate::shape::ShapeTable;
use crate::space::role;
use crate::weak::{Scope, WeakTable};

/// Share of what is left of the goal that one optional step may be predicted to take. (G1 takes 20 %.)
const OPTIONAL_SHARE: f64 = 0.5;

/// The optional part of a pause.
#[derive(Default)]
pub(crate) struct Optional {
    pub(crate) steps: u32,
    /// What the steps were predicted to take.
    pub(crate) predicted_ns: f64,
}

/// What the weak table keeps, once all that is reachable is copied.
pub(crate) fn keep_weak(
    table: &mut WeakTable,
    memory: Memory,
    shapes: &ShapeTable,
    scope: Scope,
) -> impl FnMut(&mut dyn FnMut(u32)) {
    let place = move |object| evacuate::place(memory, object);
    // What failed to be copied is still in the collection set, and old from now on.
    let is_young = move |object| memory.role_at(object) & (role::YOUNG | role::COLLECTED) == role::YOUNG;
    move |keep: &mut dyn FnMut(u32)| {
        table.keep_values(scope, memory, shapes, |object| place(object).is_some(), keep);
        table.sweep(scope, place, is_young);
    }
}

impl Heap {
    /// Takes this pause's share of the candidates into the collection set.
    pub(crate) fn take_share(
        &mut self,
        everything: bool,
        young_copy_bytes: u64,
        young_ns: f64,
        collected: &mut Vec<u32>,
    ) -> Taken {
        let left_ns = self.pause_goal_ns as f64 * GOAL_SHARE - young_ns;
        // Where room is short, mixed pauses must free more than is promoted meanwhile, or a full collection comes first.
        let freed_bytes_min = if self.is_short_of_room() { 2 * self.snapshot.promoted_bytes } else { 0 };
        let share = MixedShare {
            at_least: 1,
            at_most: if everything { usize::MAX } else { self.candidates.share_of(self.knobs.mixed_pause_count) },
            freed_bytes_min,
            room_bytes: self.space.room_bytes().saturating_sub(young_copy_bytes),
            budget_ns: if everything { f64::INFINITY } else { left_ns / self.measure.old_cost() },
            copy_ns_per_byte: self.measure.copy_ns_per_byte(),
        };
        self.take(&share, collected)
    }

    /// Evacuates more candidates while that is predicted to end before this thread's CPU time is `until_ns`.
    pub(crate) fn take_optional(
        &mut self,
        directions: Directions,
        until_ns: u64,
        evacuated: &mut Evacuated,
        collected: &mut Vec<u32>,
        stack: &mut Vec<u32>,
        roots: &mut dyn Roots,
    ) -> Optional {
        let (mut optional, mut left_ns) = (Optional::default(), u64::MAX);
        while evacuated.copied.failed_copies == 0 {
            let start_ns = self.measure.cpu_ns();
            left_ns = until_ns.saturating_sub(start_ns).min(left_ns);
            evacuated.remember(&mut self.space, &mut self.candidates, &mut self.incoming);
            self.candidates.drop_lost(&mut self.space);
            let old_cost = self.measure.old_cost();
            let share = MixedShare {
                at_least: 0,
                at_most: usize::MAX,
                freed_bytes_min: 0,
                room_bytes: self.space.room_bytes(),
                budget_ns: left_ns as f64 * OPTIONAL_SHARE / old_cost,
                copy_ns_per_byte: self.measure.copy_ns_per_byte(),
            };
            let from = collected.len();
            let taken = self.take(&share, collected);
            let heads = &collected[from..];
            if heads.is_empty() {
                break;
            }
            evacuated.release(self.memory());
            let workers = self.workers_for(0, 0.0, 0);
            let directions = Directions { workers, ..directions };
            let sources = [&[], &[], &taken.entries[..]];
            let evacuation = Evacuation::new(&mut self.space, &self.shapes, &self.incoming, directions, heads, sources);
            let step = evacuation.run(stack, &mut self.old, roots);
            self.charge_copies(&step.copied);
            let helpers_cpu_ns = if self.measure.is_timed() { step.helped.cpu_ns } else { 0 };
            let step_ns = self.measure.cpu_ns().saturating_sub(start_ns) + helpers_cpu_ns;
            self.measure.add_old_cost(step_ns as f64, taken.predicted_ns);
            evacuated.after(self.room, self.memory(), step);
            optional.steps += 1;
            optional.predicted_ns += taken.predicted_ns * old_cost;
            // A clock that hardly moves is no leave to go on.
            left_ns = left_ns.saturating_sub(taken.predicted_ns as u64);
        }
        optional
    }

    /// Takes candidates into the collection set.
    fn take(&mut self, share: &MixedShare, collected: &mut Vec<u32>) -> Taken {
        let from = collected.len();
        let taken = self.candidates.take(&self.space, share, collected);
        for head in &collected[from..] {
            self.space.flag(*head, role::COLLECTED, true);
            // Marks will say what could not be copied, so none of the last marking's may be left (E2).
            let granules = *head..*head + self.space.region(*head).granules;
            granules.for_each(|granule| self.space.memory.clear_marks(granule));
        }
        if collected.len() > from {
            let memory = self.space.memory;
            self.space.old.retain(|head| memory.role(*head) & role::COLLECTED == 0);
        }
        taken
    }
}
