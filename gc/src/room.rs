//! How long the tables beside the heap may become: as long as the system gives memory for, or less for tests.
//!
//! A table that can't grow must never end the process. What each does instead:
//!
//! | table | when it can't grow |
//! |---|---|
//! | store buffer, retained list | the next pause is a full collection, which needs neither |
//! | overwritten references | the marking under way is given up |
//! | mark stack | what does not fit is marked, and marked objects are scanned once more |
//! | a candidate's remembered set | the region is no candidate any more |
//! | what copies are found to refer to | no region is a candidate, no large object watched any more |
//! | handles, weak entries, host resources | the program gets an out-of-memory error |
//! | lists of regions | no region is opened: copies stay where they are, the program gets an out-of-memory error |
//! | a copying stack | what does not fit waits in a list threaded through the originals of the copies |
//! | the search through weak pairs | they are gone through again and again |
//! | candidates and what is built for them | there are none |
//! | small pieces of what lasts for one pause or marking | one worker alone, or no marking |
//!
//! It must never know what is in a table.

/// What is allocated in small pieces without asking, at a marking's start or for the workers of a pause, takes less.
const PIECES_BYTES: usize = 64 << 10;

/// A bound for the lengths of tables.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Room {
    length_max: usize,
}

impl Default for Room {
    fn default() -> Room {
        Room { length_max: usize::MAX }
    }
}

impl Room {
    /// At most so many items a table; 0 for no bound.
    pub(crate) fn new(length_max: u64) -> Room {
        if length_max == 0 { Room::default() } else { Room { length_max: length_max as usize } }
    }

    /// Whether a table may have so many items.
    pub(crate) fn allows(self, length: usize) -> bool {
        length <= self.length_max
    }

    /// Whether the system has memory for small pieces: it is asked for as much, which goes back to the allocator for them.
    pub(crate) fn has_pieces(self) -> bool {
        Vec::<u8>::new().try_reserve_exact(PIECES_BYTES).is_ok()
    }

    /// Whether `more` items fit, after growing the table if need be.
    #[inline]
    #[must_use]
    pub(crate) fn has<T>(self, table: &mut Vec<T>, more: usize) -> bool {
        // Without a bound, and with room left, this is one comparison.
        table.capacity() - table.len() >= more && table.capacity() <= self.length_max || self.grow(table, more)
    }

    /// Adds an item; false if it does not fit.
    #[inline]
    #[must_use]
    pub(crate) fn push<T>(self, table: &mut Vec<T>, item: T) -> bool {
        let fits = self.has(table, 1);
        if fits {
            table.push(item);
        }
        fits
    }

    #[cold]
    fn grow<T>(self, table: &mut Vec<T>, more: usize) -> bool {
        self.allows(table.len() + more) && table.try_reserve(more).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bounded_table_stops_growing() {
        let (mut table, room) = (Vec::new(), Room::new(3));
        assert!((0..3).all(|i| room.push(&mut table, i)));
        assert!(!room.push(&mut table, 3) && !room.has(&mut table, 1));
        assert_eq!(table, [0, 1, 2]);
        table.pop();
        assert!(room.has(&mut table, 1) && !room.has(&mut table, 2));
        assert!(Room::new(0).push(&mut table, 7));
        assert!(!Room::default().has(&mut table, usize::MAX / 2), "the system has no memory for that");
    }
}
