//! Collection candidates: old regions worth evacuating, best first, each with its remembered set.
//!
//! It must never know why now is the time to collect.
//!
//! Only candidates have remembered sets. They are built after marking, beside the program, by walking the marked objects,
//! and kept up to date from the store buffer and from copies as these are scanned (G1 since JDK 17 tracks candidates alone
//! too).
//!
//! Invariants
//! - C1. For each reference from outside a candidate into it, from an old or large object that the last marking found live
//!   or that is younger than it, the candidate's set names the object (and chunk), or the store buffer does. It holds once
//!   the sets are complete; until then no candidate is collected.
//! - C2. An entry is good only while its object's region has the epoch it was recorded with.
//! - C3. Candidates carry `role::CANDIDATE`; no copy is ever placed in one.

use std::sync::Arc;

use crate::barrier::Entry;
use crate::measure::SCAN_NS_PER_ENTRY;
use crate::room::Room;
use crate::space::{Space, role};

/// The objects that may refer into one region.
pub(crate) struct RememberedSet {
    entries: Vec<(Entry, u32)>,
    /// Sort and remove duplicates at this length.
    compact_at: usize,
    /// An entry did not fit: the set says nothing any more.
    lost: bool,
    room: Room,
}

impl RememberedSet {
    pub(crate) fn new(room: Room) -> RememberedSet {
        RememberedSet { entries: Vec::new(), compact_at: 0, lost: false, room }
    }

    pub(crate) fn add(&mut self, entry: Entry, epoch: u32) {
        if self.entries.last() == Some(&(entry, epoch)) {
            return;
        }
        if self.entries.len() >= self.compact_at {
            self.entries.sort_unstable();
            self.entries.dedup();
            self.compact_at = (self.entries.len() * 2).max(64);
        }
        self.lost |= !self.room.push(&mut self.entries, (entry, epoch));
    }

    /// Whether it names all that it was told of.
    pub(crate) fn is_whole(&self) -> bool {
        !self.lost
    }

    pub(crate) fn table_bytes(&self) -> u64 {
        (self.entries.capacity() * size_of::<(Entry, u32)>()) as u64
    }

    /// The entries, each once.
    pub(crate) fn into_entries(mut self) -> Vec<(Entry, u32)> {
        self.entries.sort_unstable();
        self.entries.dedup();
        self.entries
    }

    /// Entries, some of them twice perhaps.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn contains(&self, entry: Entry, epoch: u32) -> bool {
        self.lost || self.entries.contains(&(entry, epoch))
    }
}

struct Candidate {
    head: u32,
    reclaimable_bytes: u64,
    remembered: RememberedSet,
}

/// What may be done with the candidates.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum State {
    /// Their remembered sets are being built.
    #[default]
    Building,
    /// One more young pause comes first, so that the policy can size eden for mixed ones.
    Complete,
    /// Mixed pauses take them.
    Prepared,
}

/// How much of the candidates one pause may take.
pub(crate) struct MixedShare {
    /// Pauses that the candidates are spread over.
    pub(crate) pauses: u32,
    /// What must be freed, where room is short.
    pub(crate) freed_bytes_min: u64,
    /// Room for copies.
    pub(crate) room_bytes: u64,
    /// Time that they may take.
    pub(crate) budget_ns: f64,
    /// Predicted cost of a copied byte.
    pub(crate) copy_ns_per_byte: f64,
}

/// Share of the budget that optional candidates may fill (G1 keeps 20 % for its optional regions).
const OPTIONAL_SHARE: f64 = 0.5;

/// Whether the next pause is a mixed one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Readiness {
    None,
    Prepare,
    Mixed,
}

/// The candidates that are left, best first.
#[derive(Default)]
pub(crate) struct Candidates {
    list: Vec<Candidate>,
    /// Index in `list` plus one, by granule; empty when the list is.
    index: Vec<u32>,
    state: State,
    /// How many there were after marking.
    chosen: usize,
    room: Room,
}

/// Less garbage than this share of the heap is not worth mixed pauses (G1HeapWastePercent).
const WASTE_SHARE_MIN: f64 = 0.05;

impl Candidates {
    pub(crate) fn new(room: Room) -> Candidates {
        Candidates { room, ..Candidates::default() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    pub(crate) fn reclaimable_bytes(&self) -> u64 {
        self.list.iter().map(|candidate| candidate.reclaimable_bytes).sum()
    }

    /// Chooses among the old regions by the liveness that marking found. `open` are the regions still being filled.
    pub(crate) fn choose(&mut self, space: &mut Space, live_share_max: f64, heap_bytes: u64, open: &[u32]) {
        self.clear(space);
        let mut list: Vec<(u64, u32)> = Vec::new();
        for &head in space.old.iter().filter(|head| !open.contains(head) && space.region(**head).pins == 0) {
            let live_bytes = u64::from(space.region(head).live_words) * 8;
            let capacity_bytes = space.capacity_bytes(head);
            if live_bytes as f64 <= live_share_max * capacity_bytes as f64 {
                list.push((capacity_bytes - live_bytes, head));
            }
        }
        // Efficiency: bytes freed for each byte copied.
        let efficiency =
            |(freed, head): &(u64, u32)| *freed as f64 / (space.capacity_bytes(*head) - freed + 4096) as f64;
        list.sort_by(|a, b| efficiency(b).total_cmp(&efficiency(a)).then(a.1.cmp(&b.1)));
        let mut left: u64 = list.iter().map(|(freed, _)| freed).sum();
        // Drop the worst while what they would free stays within the allowed waste.
        let waste_bytes = (WASTE_SHARE_MIN * heap_bytes as f64) as u64;
        if left <= waste_bytes {
            return;
        }
        let mut dropped = 0;
        while let Some((freed, _)) = list.last()
            && dropped + freed <= waste_bytes
        {
            dropped += freed;
            left -= freed;
            list.pop();
        }
        self.index = vec![0; space.memory.granules() as usize];
        for (at, (reclaimable_bytes, head)) in list.into_iter().enumerate() {
            space.flag(head, role::CANDIDATE, true);
            Self::set_index(&mut self.index, space, head, at as u32 + 1);
            self.list.push(Candidate { head, reclaimable_bytes, remembered: RememberedSet::new(self.room) });
        }
        self.chosen = self.list.len();
        self.state = State::Building;
    }

    fn set_index(index: &mut [u32], space: &Space, head: u32, value: u32) {
        index[head as usize..(head + space.region(head).granules) as usize].fill(value);
    }

    /// Number of the candidate that each granule belongs to, plus one; behind the candidates, those of `large` objects.
    pub(crate) fn index(&self, space: &Space, large: &[u32]) -> Arc<[u32]> {
        let mut index = self.index.clone();
        index.resize(space.memory.granules() as usize, 0);
        for (at, head) in large.iter().enumerate() {
            index[*head as usize] = (self.list.len() + at) as u32 + 1;
        }
        index.into()
    }

    /// Takes over the sets that were built beside the program, in the order of the candidates.
    pub(crate) fn adopt(&mut self, sets: Vec<RememberedSet>) {
        for (candidate, set) in self.list.iter_mut().zip(sets) {
            let to = &mut candidate.remembered;
            to.lost |= set.lost || !self.room.has(&mut to.entries, set.entries.len());
            if !to.lost {
                to.entries.extend(set.entries);
            }
        }
        self.state = State::Complete;
    }

    /// Whether C1 holds.
    pub(crate) fn are_complete(&self) -> bool {
        self.state != State::Building
    }

    /// Whether mixed pauses may come. If only one more young pause is missing, it is this one.
    pub(crate) fn prepare(&mut self) -> Readiness {
        match (self.list.is_empty(), self.state) {
            (true, _) | (_, State::Building) => Readiness::None,
            (_, State::Complete) => {
                self.state = State::Prepared;
                Readiness::Prepare
            }
            (_, State::Prepared) => Readiness::Mixed,
        }
    }

    /// Forgets those whose remembered sets had no room for all. They stay old regions like others.
    pub(crate) fn drop_lost(&mut self, space: &mut Space) {
        if self.state == State::Building || self.list.iter().all(|candidate| candidate.remembered.is_whole()) {
            return;
        }
        let index = &mut self.index;
        self.list.retain(|candidate| {
            let whole = candidate.remembered.is_whole();
            if !whole {
                space.flag(candidate.head, role::CANDIDATE, false);
                Self::set_index(index, space, candidate.head, 0);
            }
            whole
        });
        self.renumber(space);
    }

    fn renumber(&mut self, space: &Space) {
        for (at, candidate) in self.list.iter().enumerate() {
            Self::set_index(&mut self.index, space, candidate.head, at as u32 + 1);
        }
    }

    /// Memory of the remembered sets.
    pub(crate) fn table_bytes(&self) -> u64 {
        let sets: u64 = self.list.iter().map(|candidate| candidate.remembered.table_bytes()).sum();
        sets + (self.index.capacity() * 4) as u64
    }

    /// Forgets all of them.
    pub(crate) fn clear(&mut self, space: &mut Space) {
        for candidate in self.list.drain(..) {
            space.flag(candidate.head, role::CANDIDATE, false);
        }
        self.index = Vec::new();
    }

    /// Remembers that `entry` refers to `target`, which lies in a candidate. References within a region need no memory.
    pub(crate) fn remember(&mut self, space: &Space, entry: Entry, target: u32) {
        let (from, to) = (space.head_of(entry.object), space.head_of(target));
        if from != to {
            let at = self.index[to as usize] as usize - 1;
            self.list[at].remembered.add(entry, space.region(from).epoch);
        }
    }

    /// Whether C1 holds for a reference from `entry` to `target`.
    pub(crate) fn knows(&self, space: &Space, entries: &[Entry], target: u32) -> bool {
        let to = space.head_of(target);
        let at = self.index[to as usize] as usize - 1;
        entries.iter().any(|entry| {
            let from = space.head_of(entry.object);
            from == to || self.list[at].remembered.contains(*entry, space.region(from).epoch)
        })
    }

    /// Takes the candidates of one mixed pause, best first: as many as let its share of pauses do all of them, then more as
    /// far as the budget allows; fewer, if the share alone exceeds the budget, but until `freed_bytes_min` are freed; never
    /// more than there is room for, but at least one.
    pub(crate) fn take(&mut self, space: &Space, share: &MixedShare) -> Vec<(u32, RememberedSet)> {
        let (mut copied_bytes, mut freed_bytes, mut predicted_ns) = (0, 0, 0.0);
        let mut count = 0;
        for candidate in &self.list {
            let live_bytes = space.capacity_bytes(candidate.head) - candidate.reclaimable_bytes;
            copied_bytes += live_bytes;
            predicted_ns += live_bytes as f64 * share.copy_ns_per_byte
                + candidate.remembered.entries.len() as f64 * SCAN_NS_PER_ENTRY;
            let needed = freed_bytes < share.freed_bytes_min;
            // The optional part leaves a margin: it is never needed.
            let wanted = count < self.chosen.div_ceil(share.pauses as usize).max(1);
            let budget_ns = if wanted { share.budget_ns } else { share.budget_ns * OPTIONAL_SHARE };
            if count > 0 && (copied_bytes > share.room_bytes || !needed && predicted_ns > budget_ns) {
                break;
            }
            freed_bytes += candidate.reclaimable_bytes;
            count += 1;
        }
        let taken: Vec<_> = self.list.drain(..count).map(|candidate| (candidate.head, candidate.remembered)).collect();
        for (head, _) in &taken {
            Self::set_index(&mut self.index, space, *head, 0);
        }
        self.renumber(space);
        taken
    }
}
