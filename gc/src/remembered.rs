//! Remembered sets: which objects may refer into one region.
//!
//! The walk after a marking meets its sources in ascending order, so what it finds is kept as differences of seven bits a
//! byte (LEB128, as in DWARF): two bytes an entry where references are spread evenly over a gigabyte. What pauses add later
//! is kept as it comes.
//!
//! It must never know what is done with a set.
//!
//! Invariants
//! - Q1. An entry is good only while its object's region is the one that it was recorded in. Entries of the walk were recorded in
//!   regions that were open when it began, so a later epoch says that the region is another; the others carry its epoch.
//! - Q2. A set that could not hold all that it was told of is *lost*: it holds nothing, and says nothing any more.

use crate::barrier::Entry;
use crate::memory::BLOCK_SHIFT;
use crate::room::Room;
use crate::space::{Space, role};

/// Most bytes of one entry in the stream: two numbers of up to 33 bits.
const ENTRY_BYTES_MAX: usize = 10;
/// The stream grows by a quarter, but by so much at least.
const GROWTH_BYTES_MIN: usize = 32;

/// The objects that may refer into one region.
pub(crate) struct RememberedSet {
    /// What the walk found, ascending.
    stream: Vec<u8>,
    /// The last entry of the stream.
    last: Entry,
    /// Regions of the stream's entries have no later epoch (Q1).
    walked_epoch: u32,
    /// Each with the epoch of its object's region.
    others: Vec<(Entry, u32)>,
    /// Sort and remove duplicates of the others at this length.
    compact_at: usize,
    /// Entries in all, some of them twice perhaps; and those that stand for chunks.
    count: usize,
    chunks: usize,
    lost: bool,
    room: Room,
}

impl RememberedSet {
    /// An empty set; `walked_epoch` is the latest epoch of a region when the walk for it begins.
    pub(crate) fn new(room: Room, walked_epoch: u32) -> RememberedSet {
        RememberedSet {
            stream: Vec::new(),
            last: Entry::whole(0),
            walked_epoch,
            others: Vec::new(),
            compact_at: 0,
            count: 0,
            chunks: 0,
            lost: false,
            room,
        }
    }

    /// Adds what the walk found. In ascending order it takes least.
    pub(crate) fn add_walked(&mut self, entry: Entry, epoch: u32) {
        if entry == self.last || self.lost {
            return;
        }
        if entry.object < self.last.object || entry.object == self.last.object && entry.chunk < self.last.chunk {
            return self.add(entry, epoch);
        }
        if !self.has_stream_room() {
            return self.lose();
        }
        let base = if self.last.object == entry.object { self.last.chunk } else { entry.object >> BLOCK_SHIFT };
        let step = u64::from(entry.object - self.last.object) << 1;
        if entry.is_whole() {
            push_number(&mut self.stream, step);
        } else {
            push_number(&mut self.stream, step | 1);
            push_number(&mut self.stream, u64::from(entry.chunk - base));
            self.chunks += 1;
        }
        self.last = entry;
        self.count += 1;
    }

    fn has_stream_room(&mut self) -> bool {
        if self.stream.capacity() - self.stream.len() >= ENTRY_BYTES_MAX {
            return true;
        }
        let more = (self.stream.len() / 4).max(GROWTH_BYTES_MIN);
        self.room.allows(self.count + 1) && self.stream.try_reserve_exact(more).is_ok()
    }

    /// Adds what a pause found.
    pub(crate) fn add(&mut self, entry: Entry, epoch: u32) {
        if self.lost || self.others.last() == Some(&(entry, epoch)) {
            return;
        }
        if self.others.len() >= self.compact_at {
            let before = (self.others.len(), self.other_chunks());
            self.others.sort_unstable();
            self.others.dedup();
            self.count -= before.0 - self.others.len();
            self.chunks -= before.1 - self.other_chunks();
            self.compact_at = (self.others.len() * 2).max(64);
        }
        if self.room.push(&mut self.others, (entry, epoch)) {
            self.count += 1;
            self.chunks += usize::from(!entry.is_whole());
        } else {
            self.lose();
        }
    }

    fn other_chunks(&self) -> usize {
        self.others.iter().filter(|(entry, _)| !entry.is_whole()).count()
    }

    /// Forgets everything, for want of room (Q2).
    pub(crate) fn lose(&mut self) {
        *self = RememberedSet { lost: true, ..RememberedSet::new(self.room, self.walked_epoch) };
    }

    /// Whether it names all that it was told of.
    pub(crate) fn is_whole(&self) -> bool {
        !self.lost
    }

    /// Takes over what a walk found, beside what pauses added meanwhile.
    pub(crate) fn adopt(&mut self, walked: RememberedSet) {
        let later = std::mem::replace(self, walked);
        if later.lost {
            return self.lose();
        }
        for (entry, epoch) in later.others {
            self.add(entry, epoch);
        }
    }

    pub(crate) fn table_bytes(&self) -> u64 {
        (self.stream.capacity() + self.others.capacity() * size_of::<(Entry, u32)>()) as u64
    }

    /// Entries, some of them twice perhaps.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// Of them, those that stand for chunks of arrays.
    pub(crate) fn chunks(&self) -> usize {
        self.chunks
    }

    fn stream(&self) -> Stream<'_> {
        Stream { bytes: &self.stream, last: Entry::whole(0) }
    }

    /// The entries that are good (Q1), each with the epoch of its object's region.
    pub(crate) fn good(&self, space: &Space) -> impl Iterator<Item = (Entry, u32)> {
        let region_epoch = |entry: &Entry| {
            let in_use = role::of(space.memory.role_at(entry.object)) != role::FREE;
            in_use.then(|| space.region(space.head_of(entry.object)).epoch)
        };
        let walked = self.stream().filter_map(move |entry| {
            // Epochs go round: the later of two is less than half of them ahead.
            let epoch = region_epoch(&entry).filter(|epoch| self.walked_epoch.wrapping_sub(*epoch) < 1 << 31)?;
            Some((entry, epoch))
        });
        let others = self.others.iter().copied();
        walked.chain(others.filter(move |(entry, epoch)| region_epoch(entry) == Some(*epoch)))
    }

    /// Whether it names this entry.
    pub(crate) fn contains(&self, entry: Entry, epoch: u32) -> bool {
        self.lost || self.stream().any(|walked| walked == entry) || self.others.contains(&(entry, epoch))
    }
}

fn push_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// The entries of a stream.
struct Stream<'s> {
    bytes: &'s [u8],
    last: Entry,
}

impl Stream<'_> {
    fn number(&mut self) -> Option<u64> {
        let (mut number, mut shift) = (0, 0);
        loop {
            let (byte, rest) = self.bytes.split_first()?;
            self.bytes = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if *byte < 0x80 {
                return Some(number);
            }
            shift += 7;
        }
    }
}

impl Iterator for Stream<'_> {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        let step = self.number()?;
        let object = self.last.object + (step >> 1) as u32;
        let entry = if step & 1 == 0 {
            Entry::whole(object)
        } else {
            let base = if object == self.last.object { self.last.chunk } else { object >> BLOCK_SHIFT };
            Entry { object, chunk: base + self.number()? as u32 }
        };
        self.last = entry;
        Some(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_walked_is_read_again_and_takes_two_bytes() {
        let mut set = RememberedSet::new(Room::default(), 7);
        let mut entries: Vec<Entry> = (1..1000).map(|i| Entry::whole(i * 1100)).collect();
        let array = 1000 * 1100 / 64 * 64;
        entries.extend([0, 1, 5, 900].map(|chunk| Entry { object: array, chunk: array / 64 + chunk }));
        entries.push(Entry::whole(u32::MAX - 1));
        for entry in &entries {
            set.add_walked(*entry, 3);
            // The same again is no entry.
            set.add_walked(*entry, 3);
        }
        assert!(set.stream().eq(entries.iter().copied()));
        assert_eq!((set.len(), set.chunks()), (entries.len(), 4));
        assert!(set.stream.len() < 2100, "{} bytes", set.stream.len());
        assert!(set.table_bytes() < 3000);
    }

    #[test]
    fn what_comes_out_of_order_and_later_is_named_too() {
        let mut set = RememberedSet::new(Room::default(), 7);
        [900, 300, 1000].into_iter().for_each(|object| set.add_walked(Entry::whole(object), 3));
        let mut later = RememberedSet::new(Room::default(), 7);
        later.add(Entry::whole(64), 8);
        later.adopt(set);
        assert!([900, 300, 1000].into_iter().all(|object| later.contains(Entry::whole(object), 3)));
        assert!(later.contains(Entry::whole(64), 8) && !later.contains(Entry::whole(64), 9));
        assert_eq!(later.len(), 4);
        // What pauses find often is kept once, and chunks are told from whole objects.
        (0..500).for_each(|i| later.add(Entry { object: 64, chunk: 1 + i % 2 }, 8));
        later.add(Entry::whole(128), 8);
        assert!(later.len() < 4 + 2 * 64, "{} entries", later.len());
        assert_eq!(later.chunks(), later.len() - 5);
    }

    #[test]
    fn a_set_without_room_is_lost() {
        let mut set = RememberedSet::new(Room::new(3), 0);
        (1..100).for_each(|i| set.add_walked(Entry::whole(i * 1_000_000), 0));
        assert!(!set.is_whole() && set.table_bytes() == 0);
        // It claims to name everything, so nobody looks for what is missing.
        assert!(set.contains(Entry::whole(5), 0));
    }
}
