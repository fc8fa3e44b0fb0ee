//! Regions: which granules are in use, as what, and whether memory backs them.
//!
//! It must never know when to collect, nor what objects refer to.
//!
//! Invariants
//! - R1. The granules of a region carry its role and its head; the head's [`Region`] describes it.
//! - R2. No granule is committed beyond the limit and the host's share of it, which may both change later; every granule
//!   of a region is committed.
//! - R3. The lists hold each region exactly once, in the list of its role.
//! - R4. Each region that is opened has an epoch that no other had, so that a stale entry is known by its epoch.
//! - R5. Objects of a region lie in `bottom..top`; those from `tams` on are younger than the last marking and count as live.
//! - R6. The lists of eden and of old regions, and the tops of a compaction, have room for every region there is, most from birth. So a pause
//!   moves regions between lists without asking the system for memory; where there is none, no region is opened.
//! - R7. A granule that is neither free nor in use is in quarantine, or on its way back to the system (G1 of `giveback`).

use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::sync::atomic::AtomicU32;

use crate::buddy::{Buddy, ORDER_MAX};
use crate::giveback::{GiveBack, Returned};
use crate::memory::{
    BLOCK_SHIFT, BLOCK_WORDS, GRANULE_BYTES, GRANULE_SHIFT, GRANULE_WORDS, Memory, Reservation, Table,
};

/// Role bytes: bits 0..3 and 4 say what the granule is used for, the others are tests of the collector's loops.
pub(crate) mod role {
    pub(crate) const FREE: u8 = 0;
    pub(crate) const EDEN: u8 = 1 | YOUNG;
    pub(crate) const SURVIVOR: u8 = 2 | YOUNG;
    pub(crate) const OLD: u8 = 3;
    pub(crate) const LARGE: u8 = 4;
    pub(crate) const PERMANENT: u8 = 5;
    pub(crate) const CONTEXT: u8 = 6;
    /// A large object whose incoming references are recorded.
    pub(crate) const WATCHED: u8 = 0x08;
    /// Eden or survivor.
    pub(crate) const YOUNG: u8 = 0x10;
    /// Its objects must stay where they are.
    pub(crate) const PINNED: u8 = 0x20;
    /// An old region whose incoming references are remembered.
    pub(crate) const CANDIDATE: u8 = 0x40;
    /// In the collection set of the pause under way.
    pub(crate) const COLLECTED: u8 = 0x80;

    /// The role alone.
    pub(crate) fn of(byte: u8) -> u8 {
        byte & !(WATCHED | PINNED | CANDIDATE | COLLECTED)
    }
}

/// What is known of a region; word indices.
#[derive(Clone, Copy, Default)]
pub(crate) struct Region {
    /// End of its objects.
    pub(crate) top: u32,
    /// Top at mark start.
    pub(crate) tams: u32,
    /// Words found live below `tams` by the last marking.
    pub(crate) live_words: u32,
    /// Number of granules.
    pub(crate) granules: u32,
    /// See R4.
    pub(crate) epoch: u32,
    /// How many pins keep its objects in place; while there are any, the role byte has `role::PINNED`.
    pub(crate) pins: u32,
    /// An object could not be copied out of it in the pause under way.
    pub(crate) failed: bool,
    /// The large object in it is or was named in the weak table.
    pub(crate) weakly_named: bool,
}

/// Room to bump in: the open end of a region.
#[derive(Clone, Copy, Default)]
pub(crate) struct Buffer {
    pub(crate) top: u32,
    pub(crate) limit: u32,
    /// The region's head; 0 for no region.
    pub(crate) head: u32,
}

impl Buffer {
    #[inline(always)]
    pub(crate) fn bump(&mut self, words: u32) -> Option<u32> {
        let at = self.top;
        // No overflow: a region's end is below 2^32 words, and `limit - top` is no underflow.
        (self.limit - at >= words).then(|| {
            self.top = at + words;
            at
        })
    }

    /// Words that are left.
    pub(crate) fn room(&self) -> u32 {
        self.limit - self.top
    }

    /// Takes back what was bumped last, if that is it.
    pub(crate) fn give_back(&mut self, at: u32, words: u32) {
        if self.top == at + words && self.head != 0 {
            self.top = at;
        }
    }

    /// As `bump`, but at the start of a block, so that the chunks of two arrays are never the same.
    pub(crate) fn bump_aligned(&mut self, words: u32) -> Option<u32> {
        let at = self.top.next_multiple_of(BLOCK_WORDS);
        (at <= self.limit && self.limit - at >= words).then(|| {
            self.top = at + words;
            at
        })
    }
}

/// The regions of a heap.
pub(crate) struct Space {
    pub(crate) memory: Memory,
    /// Before the reservation, which is unmapped after it.
    giveback: GiveBack,
    /// Holds the addresses.
    _reservation: Reservation,
    /// Free memory goes back on a thread of the pool.
    pub(crate) gives_back_beside: bool,
    buddy: Buddy,
    committed: Vec<u64>,
    /// Milliseconds of the heap's time at which a free granule was freed.
    freed_ms: Table<u32>,
    regions: Table<Region>,
    heads: Table<u32>,
    limit_granules: u32,
    /// What the host holds, in granules; see `set_host_bytes`.
    host_granules: u32,
    committed_granules: u32,
    committed_granules_max: u32,
    committed_granules_ever: u32,
    used_granules: u32,
    /// Regions of all kinds (R6).
    region_count: usize,
    /// The epoch given out last (R4).
    epoch: u32,
    pub(crate) now_ms: u32,
    pub(crate) poison: bool,
    /// Freed granules that are kept out of use, the oldest first; none where freed granules are free at once.
    pub(crate) quarantine: Option<VecDeque<Range<u32>>>,
    /// Commits until one is made to fail, and the reload value; 0 for never.
    pub(crate) commit_failures: (u64, u64),
    pub(crate) eden: Vec<u32>,
    pub(crate) survivors: Vec<u32>,
    pub(crate) old: Vec<u32>,
    pub(crate) large: Vec<u32>,
    pub(crate) permanent: Vec<u32>,
    /// Where a compaction notes how far the regions that it fills are filled; empty otherwise.
    pub(crate) tops: Vec<AtomicU32>,
}

/// What freed memory is filled with under verification. As a reference it lies beyond every heap that verification is
/// used on; as a header it has no shape.
pub(crate) const POISON: u8 = 0xdb;

impl Space {
    pub(crate) fn new(reservation: Reservation, limit_bytes: u64, poison: bool) -> io::Result<Space> {
        let memory = reservation.memory();
        let granules = memory.granules();
        let mut buddy = Buddy::new(granules);
        buddy.give(1..granules);
        memory.set_role(0, 1, role::CONTEXT);
        let mut committed = vec![0; (granules as usize).div_ceil(64)];
        committed[0] = 1;
        let list = || -> io::Result<Vec<u32>> {
            // Addresses: what no region needs is never touched.
            let mut list = Vec::new();
            list.try_reserve_exact((limit_bytes / GRANULE_BYTES as u64) as usize)?;
            Ok(list)
        };
        let mut tops = Vec::new();
        tops.try_reserve_exact((limit_bytes / GRANULE_BYTES as u64) as usize)?;
        // SAFETY: zeroes are regions: integers, and flags that are not set.
        let regions = unsafe { Table::zeroed(granules as usize)? };
        // SAFETY: zeroes are integers.
        let (heads, freed_ms) = unsafe { (Table::zeroed(granules as usize)?, Table::zeroed(granules as usize)?) };
        Ok(Space {
            memory,
            giveback: GiveBack::new(memory),
            _reservation: reservation,
            gives_back_beside: false,
            buddy,
            committed,
            freed_ms,
            regions,
            heads,
            limit_granules: (limit_bytes / GRANULE_BYTES as u64) as u32,
            host_granules: 0,
            committed_granules: 1,
            committed_granules_max: 1,
            committed_granules_ever: 1,
            used_granules: 1,
            region_count: 0,
            epoch: 0,
            now_ms: 0,
            poison,
            quarantine: None,
            commit_failures: (0, 0),
            eden: list()?,
            survivors: list()?,
            old: list()?,
            large: list()?,
            permanent: Vec::new(),
            tops,
        })
    }

    #[inline(always)]
    pub(crate) fn head_of(&self, word: u32) -> u32 {
        self.heads[(word >> GRANULE_SHIFT) as usize]
    }

    #[inline(always)]
    pub(crate) fn region(&self, head: u32) -> &Region {
        &self.regions[head as usize]
    }

    #[inline(always)]
    pub(crate) fn region_mut(&mut self, head: u32) -> &mut Region {
        &mut self.regions[head as usize]
    }

    pub(crate) fn bottom(head: u32) -> u32 {
        head << GRANULE_SHIFT
    }

    pub(crate) fn end(&self, head: u32) -> u32 {
        (head + self.region(head).granules) << GRANULE_SHIFT
    }

    /// Words between a region's bottom and its top.
    pub(crate) fn used_words(&self, head: u32) -> u64 {
        u64::from(self.region(head).top - Self::bottom(head))
    }

    pub(crate) fn capacity_bytes(&self, head: u32) -> u64 {
        u64::from(self.region(head).granules) * GRANULE_BYTES as u64
    }

    pub(crate) fn used_bytes_of(&self, heads: &[u32]) -> u64 {
        heads.iter().map(|head| self.used_words(*head) * 8).sum()
    }

    pub(crate) fn capacity_bytes_of(&self, heads: &[u32]) -> u64 {
        heads.iter().map(|head| self.capacity_bytes(*head)).sum()
    }

    pub(crate) fn committed_bytes(&self) -> u64 {
        u64::from(self.committed_granules) * GRANULE_BYTES as u64
    }

    /// Most ever committed since the last call of `reset_committed_max`.
    pub(crate) fn committed_bytes_max(&self) -> u64 {
        u64::from(self.committed_granules_max) * GRANULE_BYTES as u64
    }

    pub(crate) fn reset_committed_max(&mut self) {
        self.committed_granules_max = self.committed_granules;
    }

    /// Granules that may be committed: what the limit leaves beside the host's memory.
    fn granules_max(&self) -> u32 {
        self.limit_granules.saturating_sub(self.host_granules)
    }

    fn granules_left(&self) -> u32 {
        self.granules_max().saturating_sub(self.used_granules)
    }

    /// Bytes that may still be taken below the limit.
    pub(crate) fn room_bytes(&self) -> u64 {
        u64::from(self.granules_left()) * GRANULE_BYTES as u64
    }

    /// Counts memory of the host's toward the limit.
    pub(crate) fn set_host_bytes(&mut self, bytes: u64) {
        self.host_granules = u32::try_from(bytes.div_ceil(GRANULE_BYTES as u64)).unwrap_or(u32::MAX);
    }

    /// Another limit, at most what the reservation has addresses for; returns what it is.
    pub(crate) fn set_limit_bytes(&mut self, limit_bytes: u64) -> u64 {
        let granules = limit_bytes / GRANULE_BYTES as u64;
        self.limit_granules = granules.min(u64::from(self.memory.granules())) as u32;
        u64::from(self.limit_granules) * GRANULE_BYTES as u64
    }

    /// Memory of the tables beside the heap: what each granule that was ever committed has in them. All are demand-zero,
    /// so the rest takes none.
    pub(crate) fn table_bytes(&self) -> u64 {
        let words = u64::from(GRANULE_WORDS);
        let (role, marks) = (1, words / 8);
        // region, head, time of freeing; mark limit and live words; bits of commitment and of the buddy system's orders
        let own = size_of::<Region>() as u64 + 4 + 4 + 1 + 8;
        u64::from(self.committed_granules_ever) * (role + marks + own) + self.memory.chunk_table_bytes()
    }

    pub(crate) fn largest_free_bytes(&mut self) -> u64 {
        (u64::from(self.buddy.largest()) * GRANULE_BYTES as u64).min(self.room_bytes())
    }

    /// The old regions and the large objects.
    pub(crate) fn tenured(&self) -> impl Iterator<Item = u32> {
        self.old.iter().chain(&self.large).copied()
    }

    /// Calls `change` for the head of each tenured region, and of each young one if they are asked for too.
    pub(crate) fn each_region(&mut self, young_too: bool, mut change: impl FnMut(&mut Space, u32)) {
        let kinds = [role::OLD, role::LARGE, role::EDEN, role::SURVIVOR];
        for kind in &kinds[..if young_too { 4 } else { 2 }] {
            for at in 0..self.list(*kind).len() {
                let head = self.list(*kind)[at];
                change(self, head);
            }
        }
    }

    fn list(&mut self, kind: u8) -> &mut Vec<u32> {
        match kind {
            role::EDEN => &mut self.eden,
            role::SURVIVOR => &mut self.survivors,
            role::OLD => &mut self.old,
            role::LARGE => &mut self.large,
            role::PERMANENT => &mut self.permanent,
            _ => unreachable!("no list for role {kind}"),
        }
    }

    /// R6: makes room in the lists for one more region; false if the system has no memory for that.
    fn has_list_room(&mut self, kind: u8) -> bool {
        let count = self.region_count + 1;
        let room = |list: &mut Vec<u32>| list.try_reserve(count - list.len().min(count)).is_ok();
        room(&mut self.eden)
            && room(&mut self.old)
            && self.tops.try_reserve(count).is_ok()
            && self.list(kind).try_reserve(1).is_ok()
    }

    /// Opens a region of `wanted_bytes`, or of the next smaller size that is free and has room for `words_min`, or of
    /// the size that `words_min` needs.
    pub(crate) fn open_region(&mut self, kind: u8, wanted_bytes: u64, words_min: u32) -> Option<Buffer> {
        let order_of = |bytes: u64| bytes.div_ceil(GRANULE_BYTES as u64).next_power_of_two().trailing_zeros();
        let least = order_of(u64::from(words_min) * 8);
        if least > ORDER_MAX || !self.has_list_room(kind) {
            return None;
        }
        let mut order = order_of(wanted_bytes).clamp(least, ORDER_MAX);
        loop {
            let count = 1 << order;
            if self.granules_left() >= count
                && let Some(head) = self.take(|buddy| buddy.take(order))
            {
                if self.commit(head, count).is_some() {
                    self.install(kind, head, count);
                    let bottom = Self::bottom(head);
                    if self.poison {
                        self.memory.fill_words(bottom, count * GRANULE_WORDS, POISON);
                    }
                    return Some(Buffer { top: bottom, limit: bottom + count * GRANULE_WORDS, head });
                }
                self.buddy.give(head..head + count);
            }
            if order == least {
                return None;
            }
            order -= 1;
        }
    }

    /// Takes granules for a large object of `words`; the second result says whether they are known to be zero.
    pub(crate) fn open_large(&mut self, words: u64) -> Option<(u32, bool)> {
        let count = u32::try_from(words.div_ceil(u64::from(GRANULE_WORDS))).ok()?;
        if count > self.granules_left() || !self.has_list_room(role::LARGE) {
            return None;
        }
        let head = self.take(|buddy| buddy.take_run(count))?;
        let Some(fresh) = self.commit(head, count) else {
            self.buddy.give(head..head + count);
            return None;
        };
        self.install(role::LARGE, head, count);
        self.region_mut(head).top = Self::bottom(head) + words as u32;
        Some((head, fresh == count))
    }

    /// Looks for places that large objects may move to, upwards, until a run of free granules holds `words`. Those that
    /// will move carry `role::COLLECTED`, and the forwarding table has their places. They must be moved, highest first, by
    /// [`move_large`](Space::move_large), before anything else is taken or given back.
    pub(crate) fn plan_large_moves(&mut self, words: u64) {
        let wanted = words.div_ceil(u64::from(GRANULE_WORDS)).min(u64::from(u32::MAX)) as u32;
        // Places are made of what was given back, so as not to exceed the limit.
        self.take_back(true);
        self.uncommit_free(u32::MAX, |_| true, false);
        self.large.sort_unstable_by(|a, b| b.cmp(a));
        for at in 0..self.large.len() {
            if self.buddy.has_run(wanted) {
                return;
            }
            let (head, count) = (self.large[at], self.region(self.large[at]).granules);
            if self.region(head).pins > 0 {
                continue;
            }
            self.buddy.give(head..head + count);
            let to = self.buddy.take_run(count).expect("its own granules at least are free");
            let missing = (to..to + count).filter(|granule| !self.is_committed(*granule)).count() as u32;
            let fits = to != head && self.committed_granules + missing <= self.granules_max();
            if fits && self.back(to, count) {
                self.memory.set_forward(Self::bottom(head) >> BLOCK_SHIFT, Self::bottom(to));
                self.flag(head, role::COLLECTED, true);
            } else {
                self.buddy.give(to..to + count);
                self.buddy.carve(head..head + count);
            }
        }
    }

    /// Moves the `at`-th large object to where it was planned to go; returns its words, 0 if it stays.
    pub(crate) fn move_large(&mut self, at: usize) -> u64 {
        let head = self.large[at];
        if self.memory.role(head) & role::COLLECTED == 0 {
            return 0;
        }
        let (region, words) = (*self.region(head), self.used_words(head));
        let (from, count) = (Self::bottom(head), region.granules);
        let to = self.memory.forward(from >> BLOCK_SHIFT);
        let new = to >> GRANULE_SHIFT;
        self.memory.move_words(from, to, words as u32);
        self.memory.set_role(head, count, role::FREE);
        self.freed_ms[head as usize..(head + count) as usize].fill(self.now_ms);
        if self.poison {
            self.memory.fill_words(from, (count * GRANULE_WORDS).min(to - from), POISON);
        }
        self.memory.set_role(new, count, role::LARGE);
        self.heads[new as usize..(new + count) as usize].fill(new);
        let epoch = self.new_epoch();
        let up = to - from;
        *self.region_mut(new) = Region { top: region.top + up, tams: region.tams + up, epoch, ..region };
        self.large[at] = new;
        words
    }

    /// Takes granules away for good, until `left` are free: a heap with few addresses.
    #[cfg(test)]
    pub(crate) fn withhold(&mut self, left: u32) {
        let free = (0..self.memory.granules()).filter(|granule| self.buddy.is_free(*granule)).count() as u32;
        (left..free).for_each(|_| assert!(self.buddy.take_run(1).is_some()));
    }

    /// Takes free granules. What is in quarantine comes out of it when nothing else is left.
    fn take(&mut self, take: impl Fn(&mut Buddy) -> Option<u32>) -> Option<u32> {
        loop {
            let taken = take(&mut self.buddy);
            if taken.is_some() {
                return taken;
            }
            if self.take_back(true) {
                continue;
            }
            let oldest = self.quarantine.as_mut()?.pop_front()?;
            self.buddy.give(oldest);
        }
    }

    /// Takes back what a thread has uncommitted, and with `all` what it has not come to yet; true if there was anything.
    fn take_back(&mut self, all: bool) -> bool {
        let (mut taken, mut uncommitted) = (false, 0);
        let (buddy, committed) = (&mut self.buddy, &mut self.committed);
        self.giveback.take(all, |returned| {
            taken = true;
            match returned {
                Returned::Committed(range) => buddy.give(range),
                Returned::Uncommitted(range) => {
                    range.clone().for_each(|g| committed[g as usize / 64] &= !(1 << (g % 64)));
                    uncommitted += range.len() as u32;
                    buddy.give(range);
                }
            }
        });
        self.committed_granules -= uncommitted;
        taken
    }

    fn install(&mut self, kind: u8, head: u32, count: u32) {
        self.used_granules += count;
        self.region_count += 1;
        self.memory.set_role(head, count, kind);
        self.heads[head as usize..(head + count) as usize].fill(head);
        let bottom = Self::bottom(head);
        let epoch = self.new_epoch();
        *self.region_mut(head) = Region { top: bottom, tams: bottom, granules: count, epoch, ..Region::default() };
        self.list(kind).push(head);
    }

    /// The epoch given out last.
    pub(crate) fn epoch(&self) -> u32 {
        self.epoch
    }

    /// An epoch that no region had (R4).
    pub(crate) fn new_epoch(&mut self) -> u32 {
        self.epoch = self.epoch.wrapping_add(1);
        self.epoch
    }

    /// Makes a region another kind where it is. The caller keeps the lists (R3).
    pub(crate) fn set_role(&mut self, head: u32, kind: u8) {
        let pinned = if self.region(head).pins > 0 { role::PINNED } else { 0 };
        self.memory.set_role(head, self.region(head).granules, kind & !role::PINNED | pinned);
    }

    /// Adds a pin to the region of an object, or takes one away.
    pub(crate) fn pin(&mut self, object: u32, add: bool) {
        let head = self.head_of(object);
        let region = self.region_mut(head);
        region.pins = if add { region.pins + 1 } else { region.pins - 1 };
        self.set_role(head, self.memory.role(head));
    }

    /// Sets or clears a flag of a region's role byte.
    pub(crate) fn flag(&mut self, head: u32, flag: u8, on: bool) {
        let byte = self.memory.role(head);
        self.set_role(head, if on { byte | flag } else { byte & !flag });
    }

    /// Frees a region's granules. The caller keeps the lists (R3).
    pub(crate) fn free_region(&mut self, head: u32) {
        let count = self.region(head).granules;
        if self.poison {
            self.memory.fill_words(Self::bottom(head), count * GRANULE_WORDS, POISON);
        }
        // What is freed is neither to be marked nor marked any more (K1, K3). A large object may be marked and not counted.
        self.memory.set_mark_limit(head, count, 0);
        if role::of(self.memory.role(head)) == role::LARGE && self.memory.is_marked(Self::bottom(head)) {
            self.memory.add_live_words(Self::bottom(head), 1);
        }
        (head..head + count).for_each(|granule| self.memory.clear_marks(granule));
        self.used_granules -= count;
        self.region_count -= 1;
        self.memory.set_role(head, count, role::FREE);
        self.freed_ms[head as usize..(head + count) as usize].fill(self.now_ms);
        if self.quarantine.is_some() && self.memory.uncommit(head, count) {
            (head..head + count).for_each(|granule| self.set_committed(granule, false));
            self.committed_granules -= count;
            self.quarantine.as_mut().expect("looked at above").push_back(head..head + count);
        } else {
            self.buddy.give(head..head + count);
        }
    }

    pub(crate) fn is_committed(&self, granule: u32) -> bool {
        self.committed[granule as usize / 64] >> (granule % 64) & 1 != 0
    }

    fn set_committed(&mut self, granule: u32, on: bool) {
        let bit = 1 << (granule % 64);
        let word = &mut self.committed[granule as usize / 64];
        *word = if on { *word | bit } else { *word & !bit };
    }

    /// Backs taken granules by memory and returns how many were not before. Gives other free memory back first if the
    /// limit needs that.
    fn commit(&mut self, head: u32, count: u32) -> Option<u32> {
        let missing = (head..head + count).filter(|granule| !self.is_committed(*granule)).count() as u32;
        if missing == 0 {
            return Some(0);
        }
        if self.commit_failures.1 > 0 {
            self.commit_failures.0 -= 1;
            if self.commit_failures.0 == 0 {
                self.commit_failures.0 = self.commit_failures.1;
                return None;
            }
        }
        if self.committed_granules + missing > self.granules_max() {
            self.take_back(true);
        }
        let over = (self.committed_granules + missing).saturating_sub(self.granules_max());
        self.uncommit_free(over, |_| true, false);
        if self.committed_granules + missing > self.granules_max() {
            return None;
        }
        self.back(head, count).then_some(missing)
    }

    /// Backs granules by memory as far as they are not, whatever the limit. False if the system refuses.
    fn back(&mut self, head: u32, count: u32) -> bool {
        let mut granule = head;
        while granule < head + count {
            let start = granule;
            while granule < head + count && !self.is_committed(granule) {
                granule += 1;
            }
            if granule > start {
                if !self.memory.commit(start, granule - start) {
                    return false;
                }
                (start..granule).for_each(|g| self.set_committed(g, true));
                self.committed_granules += granule - start;
            } else {
                granule += 1;
            }
        }
        self.committed_granules_max = self.committed_granules_max.max(self.committed_granules);
        self.committed_granules_ever = self.committed_granules_ever.max(self.committed_granules);
        true
    }

    /// Gives up to `most` free granules back, of those that `choose` accepts by the time they were freed; or lets a thread do
    /// so. Those nearest to the middle of the addresses come first: regions are taken from the low end and large objects
    /// from the high one, so they are the last to be taken again.
    fn uncommit_free(&mut self, most: u32, choose: impl Fn(u32) -> bool, beside: bool) -> u32 {
        let words = self.committed.len() as u32;
        let middle = words / 2;
        let has_any = |word: &u32| self.committed[*word as usize] != 0;
        let up = (middle..words).filter(has_any).flat_map(|word| word * 64..(word + 1) * 64);
        let down = (0..middle).rev().filter(has_any).flat_map(|word| (word * 64..(word + 1) * 64).rev());
        let wanted = |granule: &u32| {
            self.is_committed(*granule) && self.buddy.is_free(*granule) && choose(self.freed_ms[*granule as usize])
        };
        let mut runs: Vec<Range<u32>> = Vec::new();
        for granule in up.chain(down).filter(wanted).take(most as usize) {
            if runs.try_reserve(1).is_err() {
                // Without memory for the list, what is on it must do.
                break;
            }
            match runs.last_mut() {
                Some(run) if run.end == granule => run.end += 1,
                Some(run) if run.start == granule + 1 => run.start -= 1,
                _ => runs.push(granule..granule + 1),
            }
        }
        let mut given = 0;
        for run in runs {
            let count = run.end - run.start;
            if beside && self.giveback.add(run.clone()) {
                self.buddy.carve(run);
            } else {
                if !self.memory.uncommit(run.start, count) {
                    break;
                }
                run.for_each(|granule| self.set_committed(granule, false));
                self.committed_granules -= count;
            }
            given += count;
        }
        given
    }

    /// Gives back free memory, on a thread of the pool if that is wanted: what exceeds `target_bytes` at once, the rest when it
    /// was not used for `delay_ms`. `keep_bytes` of it stay for the next cycle.
    pub(crate) fn uncommit(&mut self, target_bytes: u64, keep_bytes: u64, delay_ms: u32) {
        // What is on its way is not counted as free below, whether or not it has arrived.
        self.take_back(true);
        let beside = self.gives_back_beside;
        let granules = |bytes: u64| bytes.div_ceil(GRANULE_BYTES as u64).min(u64::from(self.limit_granules)) as u32;
        let free = self.committed_granules - self.used_granules;
        let spare = free.saturating_sub(granules(keep_bytes));
        let over = self.committed_granules.saturating_sub(granules(target_bytes)).min(spare);
        let now = self.now_ms;
        let given = if over > 0 { self.uncommit_free(over, |_| true, beside) } else { 0 };
        if spare > given {
            self.uncommit_free(spare - given, |freed| now.saturating_sub(freed) >= delay_ms, beside);
        }
        if beside {
            self.giveback.start();
        }
    }

    /// Number of distinct region sizes in use, large objects aside.
    pub(crate) fn sizes_alive(&self) -> u32 {
        let all = self.eden.iter().chain(&self.survivors).chain(&self.old);
        all.fold(0u32, |sizes, head| sizes | 1 << self.region(*head).granules.trailing_zeros()).count_ones()
    }

    /// Checks R1 to R3 and the free granules; the text says what is broken.
    pub(crate) fn check(&self) -> Result<(), String> {
        let mut used = 1;
        let lists = [
            (&self.eden, role::EDEN),
            (&self.survivors, role::SURVIVOR),
            (&self.old, role::OLD),
            (&self.large, role::LARGE),
            (&self.permanent, role::PERMANENT),
        ];
        for (heads, kind) in lists {
            for &head in heads.iter() {
                let region = self.region(head);
                used += region.granules;
                for granule in head..head + region.granules {
                    if role::of(self.memory.role(granule)) != kind || self.heads[granule as usize] != head {
                        return Err(format!("R1: granule {granule} of region {head} has another role or head"));
                    }
                    if !self.is_committed(granule) || self.buddy.is_free(granule) {
                        return Err(format!("R2: granule {granule} of region {head} is free or not committed"));
                    }
                }
                if region.top < Self::bottom(head) || region.top > self.end(head) || region.tams > region.top {
                    return Err(format!("R5: region {head} has a top or TAMS out of order"));
                }
            }
        }
        let regions = lists.iter().map(|(heads, _)| heads.len()).sum::<usize>();
        if regions != self.region_count || self.eden.capacity().min(self.old.capacity()) < regions {
            return Err(format!("R6: {} regions in lists, counted {}", regions, self.region_count));
        }
        if used != self.used_granules {
            return Err(format!("R3: lists hold {used} granules, {} are in use", self.used_granules));
        }
        let committed: u32 = self.committed.iter().map(|word| word.count_ones()).sum();
        if committed != self.committed_granules {
            return Err(format!("R2: {committed} granules committed, counted {}", self.committed_granules));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Regions are opened, filled and freed while a thread of the pool gives free memory back: whatever it is about, a granule
    /// in use is never touched, and what was given back reads as zero.
    #[test]
    fn memory_goes_back_beside_allocation() {
        const LIMIT_BYTES: u64 = 64 << 20;
        let reservation = Reservation::new(2048, 0, false).expect("addresses");
        let mut space = Space::new(reservation, LIMIT_BYTES, false).expect("tables");
        space.gives_back_beside = true;
        let (mut state, mut given) = (1_u64, 0);
        for _ in 0..3000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let choice = (state >> 33) as usize;
            match choice % 4 {
                0 | 1 => {
                    let words = (choice as u64 / 4 % 40 + 1) * u64::from(GRANULE_WORDS);
                    if let Some((head, zeroed)) = space.open_large(words) {
                        let at = Space::bottom(head);
                        assert!(!zeroed || space.memory.word(at) == 0 && space.memory.word(at + words as u32 - 1) == 0);
                        (0..words as u32).step_by(512).for_each(|i| space.memory.set_word(at + i, u64::from(head)));
                    }
                }
                2 if !space.large.is_empty() => {
                    let at = choice % space.large.len();
                    let head = space.large.swap_remove(at);
                    let (bottom, words) = (Space::bottom(head), space.used_words(head) as u32);
                    let kept = (0..words).step_by(512).all(|i| space.memory.word(bottom + i) == u64::from(head));
                    assert!(kept, "what is in use was given back");
                    space.free_region(head);
                }
                _ => {
                    let before = space.committed_granules;
                    space.uncommit(0, 0, 0);
                    given += before - space.committed_granules;
                }
            }
            space.check().expect("a sound space");
        }
        assert!(given > 1000, "{given} granules were given back");
    }
}
