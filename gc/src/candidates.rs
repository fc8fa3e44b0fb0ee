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
//! - C2. The sets of all candidates together take at most a share of what is committed: the worst candidates are given up
//!   for that. Where the system has no memory for a set or a list, there are fewer candidates, or none.
//! - C3. Candidates carry `role::CANDIDATE`; no copy is ever placed in one.

use crate::barrier::Entry;
use crate::measure::scan_ns;
use crate::remembered::RememberedSet;
use crate::room::Room;
use crate::space::{Space, role};

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

/// How much of the candidates one step of a pause may take.
pub(crate) struct MixedShare {
    /// So many are taken, whatever they cost.
    pub(crate) at_least: usize,
    /// So many are enough.
    pub(crate) at_most: usize,
    /// What must be freed, where room is short.
    pub(crate) freed_bytes_min: u64,
    /// Room for copies.
    pub(crate) room_bytes: u64,
    /// Time that they may take.
    pub(crate) budget_ns: f64,
    /// Predicted cost of a copied byte.
    pub(crate) copy_ns_per_byte: f64,
}

/// What is known of the candidates that a pause takes.
#[derive(Default)]
pub(crate) struct Taken {
    /// What may refer to them.
    pub(crate) entries: Vec<Entry>,
    /// Predicted time that they take.
    pub(crate) predicted_ns: f64,
}

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
/// Remembered sets take one byte in so many committed ones at the most, or so many bytes in a small heap.
const REMEMBERED_PART: u64 = 80;
const REMEMBERED_BYTES_MIN: u64 = 1 << 20;

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
        let (mut list, mut index) = (Vec::<(u64, u32)>::new(), Vec::new());
        let granules = space.memory.granules() as usize;
        if list.try_reserve_exact(space.old.len()).is_err() || index.try_reserve_exact(granules).is_err() {
            return;
        }
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
        list.sort_unstable_by(|a, b| efficiency(b).total_cmp(&efficiency(a)).then(a.1.cmp(&b.1)));
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
        if self.list.try_reserve_exact(list.len()).is_err() {
            return;
        }
        index.resize(granules, 0);
        self.index = index;
        for (at, (reclaimable_bytes, head)) in list.into_iter().enumerate() {
            space.flag(head, role::CANDIDATE, true);
            Self::set_index(&mut self.index, space, head, at as u32 + 1);
            let remembered = RememberedSet::new(self.room, space.epoch());
            self.list.push(Candidate { head, reclaimable_bytes, remembered });
        }
        self.chosen = self.list.len();
        self.state = State::Building;
    }

    fn set_index(index: &mut [u32], space: &Space, head: u32, value: u32) {
        index[head as usize..(head + space.region(head).granules) as usize].fill(value);
    }

    /// Number of the candidate that each granule belongs to, plus one; behind the candidates, those of `large` objects. None
    /// where there is no memory for that.
    pub(crate) fn index(&self, space: &Space, large: &[u32]) -> Option<Vec<u32>> {
        let mut index = Vec::new();
        let granules = space.memory.granules() as usize;
        index.try_reserve_exact(granules).ok()?;
        index.extend_from_slice(&self.index);
        index.resize(granules, 0);
        for (at, head) in large.iter().enumerate() {
            index[*head as usize] = (self.list.len() + at) as u32 + 1;
        }
        Some(index)
    }

    /// Takes over the sets that were built beside the program, in the order of the candidates; what is left of them belongs
    /// to others.
    pub(crate) fn adopt(&mut self, sets: &mut impl Iterator<Item = RememberedSet>) {
        for (candidate, set) in self.list.iter_mut().zip(sets) {
            candidate.remembered.adopt(set);
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

    fn sets_bytes(&self) -> u64 {
        self.list.iter().map(|candidate| candidate.remembered.table_bytes()).sum()
    }

    /// Memory of the remembered sets.
    pub(crate) fn table_bytes(&self) -> u64 {
        self.sets_bytes() + (self.index.capacity() * 4 + self.list.capacity() * size_of::<Candidate>()) as u64
    }

    /// Forgets all of them.
    pub(crate) fn clear(&mut self, space: &mut Space) {
        for candidate in self.list.drain(..) {
            space.flag(candidate.head, role::CANDIDATE, false);
        }
        self.list = Vec::new();
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

    /// Gives the worst up until the sets take no more than they may (C2).
    pub(crate) fn shed(&mut self, space: &mut Space) {
        let mut sets_bytes = self.sets_bytes();
        while sets_bytes > remembered_bytes_max(space)
            && let Some(worst) = self.list.pop()
        {
            sets_bytes -= worst.remembered.table_bytes();
            space.flag(worst.head, role::CANDIDATE, false);
            Self::set_index(&mut self.index, space, worst.head, 0);
        }
    }

    /// How many each of `pauses` takes, if they are to take all.
    pub(crate) fn share_of(&self, pauses: u32) -> usize {
        self.chosen.div_ceil(pauses as usize).max(1)
    }

    /// Takes candidates, best first, by count and as far as the budget allows, but until `freed_bytes_min` are freed; never more
    /// than there is room for. Their heads go to `heads`. None are taken if there is no memory for that.
    pub(crate) fn take(&mut self, space: &Space, share: &MixedShare, heads: &mut Vec<u32>) -> Taken {
        let (mut copied_bytes, mut freed_bytes, mut predicted_ns) = (0, 0, 0.0);
        let (mut count, mut entry_count) = (0, 0);
        let mut taken = Taken::default();
        for candidate in &self.list {
            let live_bytes = space.capacity_bytes(candidate.head) - candidate.reclaimable_bytes;
            copied_bytes += live_bytes;
            let remembered = &candidate.remembered;
            predicted_ns += live_bytes as f64 * share.copy_ns_per_byte + scan_ns(remembered.len(), remembered.chunks());
            let needed = freed_bytes < share.freed_bytes_min;
            let enough = count >= share.at_most || predicted_ns > share.budget_ns;
            if count >= share.at_least && (copied_bytes > share.room_bytes || !needed && enough) {
                break;
            }
            freed_bytes += candidate.reclaimable_bytes;
            entry_count += candidate.remembered.len();
            taken.predicted_ns = predicted_ns;
            count += 1;
        }
        if taken.entries.try_reserve_exact(entry_count).is_err() || heads.try_reserve(count).is_err() {
            return Taken::default();
        }
        for candidate in self.list.drain(..count) {
            taken.entries.extend(candidate.remembered.good(space).map(|(entry, _)| entry));
            Self::set_index(&mut self.index, space, candidate.head, 0);
            heads.push(candidate.head);
        }
        self.renumber(space);
        // What refers to several of them is scanned once.
        taken.entries.sort_unstable();
        taken.entries.dedup();
        taken
    }
}

/// What remembered sets may take in all (C2).
pub(crate) fn remembered_bytes_max(space: &Space) -> u64 {
    (space.committed_bytes() / REMEMBERED_PART).max(REMEMBERED_BYTES_MIN)
}
