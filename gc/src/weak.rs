//! Weak references, weak maps and host resources: what is known of objects without keeping them alive.
//!
//! All of them are entries of one table beside the heap. Each has a *holder*, the object on whose behalf it exists; a pair
//! has a key and a value besides, and is an ephemeron (Hayes, 1997): its value lives while holder and key do. No object
//! carries a mark of being weak, so copying and marking need not know.
//!
//! It must never decide what lives, but for the values of pairs, and it never frees an object. Whoever frees one outside
//! a pause's sweep must ask [`WeakTable::sweep`] first.
//!
//! Invariants (rule (g) of the design: weak slots are cleared only in a pause)
//! - X1. Outside pauses each entry's objects are starts of objects in regions in use; entries whose holder is gone are
//!   free, references whose target is gone hold nil, pairs without holder or key are free.
//! - X2. An entry that names a young object is in `recent`, so a young pause looks at those alone.
//! - X3. `pairs` finds each pair by the present places of its holder and key.
//! - X4. Finding the values that pairs keep takes time linear in the entries and in the objects kept by them alone: each
//!   entry waits for one object at a time, and each object is visited once.
//! - X5. A resource is dropped exactly once, after the pause that found its holder dead, by the thread that uses the heap;
//!   it sees no object, so it brings none back to life.
//! - X6. A pause needs no memory for the table: `recent` and `pairs` have room for all entries from when these were made. The search of
//!   X4 takes memory if there is some; without, the entries are gone through again until nothing is found.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use hashbrown::{HashMap, HashSet};

use crate::memory::Memory;
use crate::room::Room;
use crate::shape::ShapeTable;

/// A value of the host's that lives as long as an object.
pub type Resource = Box<dyn Any + Send>;

/// The number of a weak reference in its heap.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct WeakId(pub u32);

/// The number of a host resource in its heap.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ResourceId(pub u32);

/// Word indices of objects; 0 is nil.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Entry {
    Free,
    Reference { holder: u32, target: u32 },
    Pair { holder: u32, key: u32, value: u32 },
    Resource { holder: u32, resource: u32 },
}

impl Entry {
    fn objects(self) -> [u32; 3] {
        match self {
            Entry::Free => [0; 3],
            Entry::Reference { holder, target } => [holder, target, 0],
            Entry::Pair { holder, key, value } => [holder, key, value],
            Entry::Resource { holder, .. } => [holder, 0, 0],
        }
    }
}

struct Held {
    resource: Resource,
    bytes: u64,
    /// Whether an entry already lets go of it.
    owned: bool,
}

/// Which entries a pause has to look at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Scope {
    /// Those with young objects (X2).
    Recent,
    /// All.
    Whole,
}

/// There is no memory for another entry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Full;

/// The table of a heap.
#[derive(Default)]
pub(crate) struct WeakTable {
    entries: Vec<Entry>,
    free: Vec<u32>,
    recent: Vec<u32>,
    pairs: HashMap<(u32, u32), u32>,
    resources: Vec<Option<Held>>,
    free_resources: Vec<u32>,
    /// Their holders are gone; dropped after the pause.
    dead: Vec<Resource>,
    /// What the held resources take outside the heap, as their makers said.
    resource_bytes: u64,
    room: Room,
}

impl WeakTable {
    pub(crate) fn new(room: Room) -> WeakTable {
        WeakTable { room, ..WeakTable::default() }
    }

    fn reserve<T>(room: Room, table: &mut Vec<T>, more: usize) -> Result<(), Full> {
        if room.has(table, more) { Ok(()) } else { Err(Full) }
    }

    fn add(&mut self, entry: Entry) -> Result<u32, Full> {
        // X6: any entry may be looked at in a pause, and be recent after it.
        let more = (self.entries.len() + 1).max(self.recent.len() + 1) - self.recent.len();
        Self::reserve(self.room, &mut self.recent, more)?;
        let index = match self.free.pop() {
            Some(index) => {
                self.entries[index as usize] = entry;
                index
            }
            None => {
                let index = u32::try_from(self.entries.len()).map_err(|_| Full)?;
                Self::reserve(self.room, &mut self.entries, 1)?;
                // Freeing an entry must never need memory.
                let more = self.entries.len() + 1 - self.free.len();
                Self::reserve(self.room, &mut self.free, more)?;
                self.entries.push(entry);
                index
            }
        };
        self.recent.push(index);
        Ok(index)
    }

    fn release(&mut self, index: u32) {
        self.entries[index as usize] = Entry::Free;
        self.free.push(index);
    }

    // -- weak references

    pub(crate) fn new_reference(&mut self, holder: u32, target: u32) -> Result<u32, Full> {
        self.add(Entry::Reference { holder, target })
    }

    /// The target of a holder's reference; nil if it is gone, or the reference is not this holder's.
    pub(crate) fn target(&self, holder: u32, index: u32) -> u32 {
        match self.entries.get(index as usize) {
            Some(Entry::Reference { holder: h, target }) if *h == holder => *target,
            _ => 0,
        }
    }

    // -- weak maps

    pub(crate) fn set_pair(&mut self, holder: u32, key: u32, value: u32) -> Result<(), Full> {
        let pair = Entry::Pair { holder, key, value };
        if let Some(&index) = self.pairs.get(&(holder, key)) {
            Self::reserve(self.room, &mut self.recent, 1)?;
            self.entries[index as usize] = pair;
            self.recent.push(index);
            return Ok(());
        }
        // X6: a map that is at most half full moves its pairs within itself.
        self.pairs.try_reserve(self.pairs.len() + 2).map_err(|_| Full)?;
        let index = self.add(pair)?;
        self.pairs.insert((holder, key), index);
        Ok(())
    }

    /// The value of a pair, or nil.
    pub(crate) fn pair(&self, holder: u32, key: u32) -> u32 {
        let index = self.pairs.get(&(holder, key));
        match index.map(|index| self.entries[*index as usize]) {
            Some(Entry::Pair { value, .. }) => value,
            _ => 0,
        }
    }

    pub(crate) fn remove_pair(&mut self, holder: u32, key: u32) -> bool {
        let found = self.pairs.remove(&(holder, key));
        found.map(|index| self.release(index)).is_some()
    }

    // -- host resources

    pub(crate) fn add_resource(&mut self, resource: Resource, bytes: u64) -> Result<u32, Full> {
        let held = Some(Held { resource, bytes, owned: false });
        let index = match self.free_resources.pop() {
            Some(index) => {
                self.resources[index as usize] = held;
                index
            }
            None => {
                let index = u32::try_from(self.resources.len()).map_err(|_| Full)?;
                Self::reserve(self.room, &mut self.resources, 1)?;
                // Letting go of a resource must never need memory.
                let all = self.resources.len() + 1;
                let (free, dead) = (self.free_resources.len(), self.dead.len());
                Self::reserve(self.room, &mut self.free_resources, all - free)?;
                Self::reserve(self.room, &mut self.dead, all - dead)?;
                self.resources.push(held);
                index
            }
        };
        self.resource_bytes += bytes;
        Ok(index)
    }

    /// Lets a resource live as long as `holder`; false if there is none of that number, or it has a holder.
    pub(crate) fn own_resource(&mut self, holder: u32, resource: u32) -> Result<bool, Full> {
        match self.resources.get(resource as usize) {
            Some(Some(held)) if !held.owned => {}
            _ => return Ok(false),
        }
        self.add(Entry::Resource { holder, resource })?;
        if let Some(held) = &mut self.resources[resource as usize] {
            held.owned = true;
        }
        Ok(true)
    }

    pub(crate) fn resource(&self, index: u32) -> Option<&(dyn Any + Send)> {
        Some(&*self.resources.get(index as usize)?.as_ref()?.resource)
    }

    pub(crate) fn resource_mut(&mut self, index: u32) -> Option<&mut (dyn Any + Send)> {
        Some(&mut *self.resources.get_mut(index as usize)?.as_mut()?.resource)
    }

    /// Takes a resource out before its holder is gone. Its number stays taken until then, so it can't become another's;
    /// without a holder it is free at once.
    pub(crate) fn take_resource(&mut self, index: u32) -> Option<Resource> {
        let held = self.resources.get_mut(index as usize)?.take()?;
        self.resource_bytes -= held.bytes;
        if !held.owned {
            self.free_resources.push(index);
        }
        Some(held.resource)
    }

    pub(crate) fn resource_bytes(&self) -> u64 {
        self.resource_bytes
    }

    /// Drops what the last sweep found dead (X5); how many drops panicked.
    pub(crate) fn drop_dead(&mut self) -> u64 {
        let mut panics = 0;
        for resource in self.dead.drain(..) {
            panics += u64::from(catch_unwind(AssertUnwindSafe(|| drop(resource))).is_err());
        }
        panics
    }

    // -- in pauses

    /// Memory of the table itself.
    pub(crate) fn table_bytes(&self) -> u64 {
        let pairs = self.pairs.capacity() * (size_of::<((u32, u32), u32)>() + 1);
        let indices = (self.free.capacity() + self.recent.capacity() + self.free_resources.capacity()) * 4;
        (self.entries.capacity() * size_of::<Entry>()
            + self.resources.capacity() * size_of::<Option<Held>>()
            + pairs
            + indices) as u64
    }

    /// The entries that a pause looks at.
    fn indices(&self, scope: Scope) -> impl Iterator<Item = u32> {
        let recent = if scope == Scope::Recent { &self.recent[..] } else { &[] };
        let all = if scope == Scope::Whole { self.entries.len() as u32 } else { 0 };
        recent.iter().copied().chain(0..all)
    }

    /// Hands to `keep` the values that pairs keep alive and nothing else does, given what is `reached` already. `keep` reaches
    /// them, with what they refer to, before it returns.
    pub(crate) fn keep_values(
        &mut self,
        scope: Scope,
        memory: Memory,
        shapes: &ShapeTable,
        reached: impl Fn(u32) -> bool,
        keep: &mut dyn FnMut(u32),
    ) {
        if self.pairs.is_empty() {
            return;
        }
        self.recent.sort_unstable();
        self.recent.dedup();
        match self.find_kept(scope, memory, shapes, &reached) {
            Ok(kept) => kept.into_iter().for_each(keep),
            Err(Full) => self.keep_slowly(scope, reached, keep),
        }
    }

    /// X4.
    fn find_kept(
        &self,
        scope: Scope,
        memory: Memory,
        shapes: &ShapeTable,
        reached: impl Fn(u32) -> bool,
    ) -> Result<Vec<u32>, Full> {
        let mut search = Search::new(self, scope, reached)?;
        for index in self.indices(scope) {
            search.consider(index, self.entries[index as usize])?;
        }
        // What waits for nothing needs no search: the collector will reach the rest.
        while let Some(object) = search.stack.pop()
            && !search.waiting.is_empty()
        {
            let mut next = search.waiting.remove(&object);
            while let Some(index) = next.filter(|index| *index != NONE) {
                next = Some(search.next[index as usize]);
                search.consider(index, self.entries[index as usize])?;
            }
            let header = memory.word(object);
            for slot in 0..shapes.descriptor(header).refs(header) {
                search.reach(memory.slot(object, slot))?;
            }
        }
        Ok(search.kept)
    }

    /// The same without memory (X6): each round looks at all entries.
    #[cold]
    fn keep_slowly(&self, scope: Scope, reached: impl Fn(u32) -> bool, keep: &mut dyn FnMut(u32)) {
        let lives = |object: u32| object == 0 || reached(object);
        let mut found = true;
        while found {
            found = false;
            for index in self.indices(scope) {
                if let Entry::Pair { holder, key, value } = self.entries[index as usize]
                    && lives(holder)
                    && lives(key)
                    && !lives(value)
                {
                    keep(value);
                    found = true;
                }
            }
        }
    }

    /// Updates the entries: `place` says where an object is now, or that it is gone.
    pub(crate) fn sweep(&mut self, scope: Scope, place: impl Fn(u32) -> Option<u32>, is_young: impl Fn(u32) -> bool) {
        let mut indices = std::mem::take(&mut self.recent);
        if scope == Scope::Whole {
            indices.clear();
            indices.extend(0..self.entries.len() as u32);
        } else {
            indices.sort_unstable();
            indices.dedup();
        }
        let place = |object: u32| if object == 0 { Some(0) } else { place(object) };
        let moves = |entry: Entry| match entry {
            Entry::Pair { holder, key, .. } if (place(holder), place(key)) != (Some(holder), Some(key)) => {
                Some((holder, key))
            }
            _ => None,
        };
        // Removed before any is added: a new place may be another's old one.
        for index in &indices {
            if let Some(pair) = moves(self.entries[*index as usize]) {
                self.pairs.remove(&pair);
            }
        }
        indices.retain(|&index| {
            let before = self.entries[index as usize];
            let after = match before {
                Entry::Free => return false,
                Entry::Reference { holder, target } => {
                    place(holder).map(|holder| Entry::Reference { holder, target: place(target).unwrap_or(0) })
                }
                Entry::Pair { holder, key, value } => place(holder).zip(place(key)).map(|(holder, key)| {
                    let value = place(value).expect("X4: the values of living pairs are kept");
                    Entry::Pair { holder, key, value }
                }),
                Entry::Resource { holder, resource } => {
                    let holder = place(holder);
                    if holder.is_none() {
                        self.let_go(resource);
                    }
                    holder.map(|holder| Entry::Resource { holder, resource })
                }
            };
            let Some(after) = after else {
                self.release(index);
                return false;
            };
            if let (Some(_), Entry::Pair { holder, key, .. }) = (moves(before), after) {
                self.pairs.insert((holder, key), index);
            }
            self.entries[index as usize] = after;
            after.objects().into_iter().any(|object| object != 0 && is_young(object))
        });
        self.recent = indices;
    }

    fn let_go(&mut self, resource: u32) {
        if let Some(held) = self.resources[resource as usize].take() {
            self.resource_bytes -= held.bytes;
            self.dead.push(held.resource);
        }
        self.free_resources.push(resource);
    }

    /// Shows every reference to `visit`, which may rewrite it, when all that was gone is swept and nothing is young any
    /// more: for a compaction.
    pub(crate) fn redirect(&mut self, visit: &mut dyn FnMut(&mut u64)) {
        let mut redirect = |object: &mut u32| {
            let mut slot = u64::from(*object);
            visit(&mut slot);
            *object = slot as u32;
        };
        self.pairs.clear();
        for (index, entry) in self.entries.iter_mut().enumerate() {
            match entry {
                Entry::Free => {}
                Entry::Reference { holder, target } => {
                    redirect(holder);
                    redirect(target);
                }
                Entry::Pair { holder, key, value } => {
                    redirect(holder);
                    redirect(key);
                    redirect(value);
                    self.pairs.insert((*holder, *key), index as u32);
                }
                Entry::Resource { holder, .. } => redirect(holder),
            }
        }
        self.recent.clear();
    }

    /// The objects of each entry in use, nil left out, for verification.
    pub(crate) fn objects(&self) -> impl Iterator<Item = u32> {
        self.entries.iter().flat_map(|entry| entry.objects()).filter(|object| *object != 0)
    }

    /// Holder, key and value of each pair, for verification.
    pub(crate) fn all_pairs(&self) -> impl Iterator<Item = [u32; 3]> {
        self.entries.iter().filter(|entry| matches!(entry, Entry::Pair { .. })).map(|entry| entry.objects())
    }

    /// Whether an entry that names this young object is known as recent (X2).
    pub(crate) fn check_recent(&self, is_young: impl Fn(u32) -> bool) -> Result<(), String> {
        let recent: HashSet<u32> = self.recent.iter().copied().collect();
        for (index, entry) in self.entries.iter().enumerate() {
            if !recent.contains(&(index as u32)) && entry.objects().into_iter().any(|o| o != 0 && is_young(o)) {
                return Err(format!("X2: weak entry {index} names a young object and is not recent"));
            }
            if let Entry::Pair { holder, key, .. } = entry
                && self.pairs.get(&(*holder, *key)) != Some(&(index as u32))
            {
                return Err(format!("X3: weak pair {index} is not found by holder and key"));
            }
        }
        Ok(())
    }
}

/// No entry.
const NONE: u32 = u32::MAX;

/// The search for values that pairs keep (X4).
struct Search<R> {
    /// The first entry that waits for an object, and by entry the next one that waits for the same.
    waiting: HashMap<u32, u32>,
    next: Vec<u32>,
    found: HashSet<u32>,
    stack: Vec<u32>,
    kept: Vec<u32>,
    reached: R,
    room: Room,
}

impl<R: Fn(u32) -> bool> Search<R> {
    fn new(table: &WeakTable, scope: Scope, reached: R) -> Result<Search<R>, Full> {
        let (mut waiting, mut next, mut kept) = (HashMap::new(), Vec::new(), Vec::new());
        let looked_at = table.indices(scope).count();
        waiting.try_reserve(looked_at).map_err(|_| Full)?;
        WeakTable::reserve(table.room, &mut next, table.entries.len())?;
        WeakTable::reserve(table.room, &mut kept, looked_at)?;
        next.resize(table.entries.len(), NONE);
        Ok(Search { waiting, next, found: HashSet::new(), stack: Vec::new(), kept, reached, room: table.room })
    }

    fn lives(&self, object: u32) -> bool {
        object == 0 || (self.reached)(object) || self.found.contains(&object)
    }

    fn consider(&mut self, index: u32, entry: Entry) -> Result<(), Full> {
        let Entry::Pair { holder, key, value } = entry else { return Ok(()) };
        if let Some(missing) = [holder, key].into_iter().find(|object| !self.lives(*object)) {
            self.next[index as usize] = self.waiting.insert(missing, index).unwrap_or(NONE);
        } else if self.reach(value)? {
            self.kept.push(value);
        }
        Ok(())
    }

    /// True if it was not known to live before.
    fn reach(&mut self, object: u32) -> Result<bool, Full> {
        let new = !self.lives(object);
        if new {
            WeakTable::reserve(self.room, &mut self.stack, 1)?;
            self.found.try_reserve(1).map_err(|_| Full)?;
            self.found.insert(object);
            self.stack.push(object);
        }
        Ok(new)
    }
}
