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

use std::collections::VecDeque;
use std::ops::Range;

use crate::buddy::{Buddy, ORDER_MAX};
use std::io;

use crate::memory::{BLOCK_WORDS, GRANULE_BYTES, GRANULE_SHIFT, GRANULE_WORDS, Memory, Reservation, Table};

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
    reservation: Reservation,
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
        // SAFETY: zeroes are regions: integers, and flags that are not set.
        let regions = unsafe { Table::zeroed(granules as usize)? };
        // SAFETY: zeroes are integers.
        let (heads, freed_ms) = unsafe { (Table::zeroed(granules as usize)?, Table::zeroed(granules as usize)?) };
        Ok(Space {
            memory,
            reservation,
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
            epoch: 0,
            now_ms: 0,
            poison,
            quarantine: None,
            commit_failures: (0, 0),
            eden: Vec::new(),
            survivors: Vec::new(),
            old: Vec::new(),
            large: Vec::new(),
            permanent: Vec::new(),
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
        let (role, marks, chunks) = (1, words / 8, words / u64::from(BLOCK_WORDS));
        // region, head, time of freeing; mark limit and live words; bits of commitment and of the buddy system's orders
        let own = size_of::<Region>() as u64 + 4 + 4 + 1 + 8;
        u64::from(self.committed_granules_ever) * (role + marks + chunks + own)
    }

    pub(crate) fn largest_free_bytes(&mut self) -> u64 {
        (u64::from(self.buddy.largest()) * GRANULE_BYTES as u64).min(self.room_bytes())
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

    /// Opens a region of `wanted_bytes`, or of the next smaller size that is free and has room for `words_min`, or of
    /// the size that `words_min` needs.
    pub(crate) fn open_region(&mut self, kind: u8, wanted_bytes: u64, words_min: u32) -> Option<Buffer> {
        let order_of = |bytes: u64| bytes.div_ceil(GRANULE_BYTES as u64).next_power_of_two().trailing_zeros();
        let least = order_of(u64::from(words_min) * 8);
        if least > ORDER_MAX {
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
        if count > self.granules_left() {
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

    /// Takes free granules. What is in quarantine comes out of it when nothing else is left.
    fn take(&mut self, take: impl Fn(&mut Buddy) -> Option<u32>) -> Option<u32> {
        loop {
            let taken = take(&mut self.buddy);
            if taken.is_some() {
                return taken;
            }
            let oldest = self.quarantine.as_mut()?.pop_front()?;
            self.buddy.give(oldest);
        }
    }

    fn install(&mut self, kind: u8, head: u32, count: u32) {
        self.used_granules += count;
        self.memory.set_role(head, count, kind);
        self.heads[head as usize..(head + count) as usize].fill(head);
        let bottom = Self::bottom(head);
        let epoch = self.new_epoch();
        *self.region_mut(head) = Region { top: bottom, tams: bottom, granules: count, epoch, ..Region::default() };
        self.list(kind).push(head);
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
        self.memory.set_role(head, count, role::FREE);
        self.freed_ms[head as usize..(head + count) as usize].fill(self.now_ms);
        if self.quarantine.is_some() && self.reservation.uncommit(head, count) {
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
        let over = (self.committed_granules + missing).saturating_sub(self.granules_max());
        self.uncommit_free(over, |_| true);
        if self.committed_granules + missing > self.granules_max() {
            return None;
        }
        let mut granule = head;
        while granule < head + count {
            let start = granule;
            while granule < head + count && !self.is_committed(granule) {
                granule += 1;
            }
            if granule > start {
                if !self.reservation.commit(start, granule - start) {
                    return None;
                }
                (start..granule).for_each(|g| self.set_committed(g, true));
                self.committed_granules += granule - start;
            } else {
                granule += 1;
            }
        }
        self.committed_granules_max = self.committed_granules_max.max(self.committed_granules);
        self.committed_granules_ever = self.committed_granules_ever.max(self.committed_granules);
        Some(missing)
    }

    /// Gives up to `most` free granules back, of those that `choose` accepts by the time they were freed. Those nearest to
    /// the middle of the addresses come first: regions are taken from the low end and large objects from the high one, so
    /// they are the last to be taken again.
    fn uncommit_free(&mut self, most: u32, choose: impl Fn(u32) -> bool) -> u32 {
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
            match runs.last_mut() {
                Some(run) if run.end == granule => run.end += 1,
                Some(run) if run.start == granule + 1 => run.start -= 1,
                _ => runs.push(granule..granule + 1),
            }
        }
        let mut given = 0;
        for run in runs {
            let count = run.end - run.start;
            if !self.reservation.uncommit(run.start, count) {
                break;
            }
            run.for_each(|granule| self.set_committed(granule, false));
            self.committed_granules -= count;
            given += count;
        }
        given
    }

    /// Gives back free memory: what exceeds `target_bytes` at once, the rest when it was not used for `delay_ms`.
    /// `keep_bytes` of it stay for the next cycle.
    pub(crate) fn uncommit(&mut self, target_bytes: u64, keep_bytes: u64, delay_ms: u32) {
        let granules = |bytes: u64| bytes.div_ceil(GRANULE_BYTES as u64).min(u64::from(self.limit_granules)) as u32;
        let free = self.committed_granules - self.used_granules;
        let spare = free.saturating_sub(granules(keep_bytes));
        let over = self.committed_granules.saturating_sub(granules(target_bytes)).min(spare);
        let now = self.now_ms;
        let given = if over > 0 { self.uncommit_free(over, |_| true) } else { 0 };
        if spare > given {
            self.uncommit_free(spare - given, |freed| now.saturating_sub(freed) >= delay_ms);
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
            for &head in heads {
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
