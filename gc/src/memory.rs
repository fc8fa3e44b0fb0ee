//! Raw words: the heap's one place that reads and writes memory by index. A reservation maps the addresses; [`Memory`]
//! gives typed loads and stores over them.
//!
//! It must never know what a region, a pause or an object graph is.
//!
//! Layout of one reservation, low to high addresses:
//! ```text
//! [embedder's prefix] [chunk table: 4 bytes for 512 heap bytes] [base: granule 0, the VM context] [granules …]
//! ```
//! and, in a mapping of its own: roles (a byte a granule), mark bitmap (a bit a word), forwarding table of the
//! compaction (4 bytes for 64 words), mark limits and live words (4 bytes a granule each), and which pages of the chunk table were
//! written to. All tables are demand-zero: what is not written costs addresses only.
//!
//! Invariants
//! - M1. Every index handed in lies in a committed granule of this reservation (checked below the reservation's end in
//!   debug builds): it came from a root or field, which hold references to live objects only, or from region metadata.
//! - M2. No Rust reference into heap memory outlives the call that made it; everything else is a raw load or store.
//! - M3. One thread at a time uses a heap (`&mut Heap`), but for a marker beside it, and the workers of a pause. What
//!   several touch (headers, reference slots, roles, chunk bytes, marks, mark limits, live words) is accessed by atomics of
//!   its own width; all else is one thread's alone. One exception: a worker may copy an object that another has just kept
//!   where it is and is scanning, or has copied and threads a list through; that copy loses its claim and is never looked at.

use std::io;
use std::ops::{Deref, DerefMut, Range};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};

/// Bytes of the unit in which memory is committed and regions are measured.
pub const GRANULE_BYTES: usize = 64 << 10;
/// Bytes from the base that belong to the embedder's VM context, after the [`Mutator`] at its start.
pub const CONTEXT_BYTES: usize = GRANULE_BYTES;
/// Where the chunk table starts, relative to the base. The 4 bytes for the heap address `base + a` are at
/// `base + CHUNK_TABLE_OFFSET + 4 * (a >> 9)`; they hold the reference of the array whose chunk is logged there, and 0 while
/// none is. So one comparison says whether a store into an array may leave the barrier out: whatever else lies in the
/// same 512 bytes, or has no chunks, is not that array.
pub const CHUNK_TABLE_OFFSET: isize = -((4 * (RESERVATION_BYTES_MAX >> CHUNK_SHIFT)) as isize);
/// log2 of the bytes that one entry of the chunk table stands for: 128 references.
pub const CHUNK_SHIFT: u32 = 9;
/// Chunks whose entries share a page of the table.
const CHUNKS_PER_PAGE: u32 = 4096 / 4;

pub(crate) const GRANULE_WORDS: u32 = (GRANULE_BYTES / 8) as u32;
pub(crate) const GRANULE_SHIFT: u32 = GRANULE_WORDS.trailing_zeros();
/// Words of a chunk, a block of the compaction, and a word of the mark bitmap: all 64.
pub(crate) const BLOCK_SHIFT: u32 = 6;
pub(crate) const BLOCK_WORDS: u32 = 1 << BLOCK_SHIFT;
const RESERVATION_BYTES_MAX: u64 = 32 << 30;
/// Huge pages are 2 MiB; a base aligned to them lets eden use them.
const BASE_ALIGN: usize = 2 << 20;

/// Where the program allocates next. It lies at the heap's base, where compiled code finds it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Mutator {
    /// Word index of the next object.
    pub top: u64,
    /// Word index that the next object may not cross.
    pub limit: u64,
}

/// The addresses of one heap. Unmapped when dropped.
pub(crate) struct Reservation {
    memory: Memory,
    start: NonNull<u8>,
    bytes: usize,
    tables: NonNull<u8>,
    tables_bytes: usize,
}

// SAFETY: the mapping belongs to this value alone (M3), and addresses are valid on every thread.
unsafe impl Send for Reservation {}
// SAFETY: it is a bundle of addresses; who commits granules holds the space (M3).
unsafe impl Sync for Reservation {}

fn map(bytes: usize, protection: libc::c_int, flags: libc::c_int) -> io::Result<NonNull<u8>> {
    // SAFETY: a new anonymous mapping at an address of the system's choice touches nothing that exists.
    let start = unsafe {
        libc::mmap(ptr::null_mut(), bytes, protection, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | flags, -1, 0)
    };
    if start == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    NonNull::new(start.cast()).ok_or_else(|| io::Error::other("mapped at address zero"))
}

impl Reservation {
    /// Reserves `granules` granules behind a prefix of `prefix_bytes`. Prefix, tables and granule 0 are usable at once.
    pub(crate) fn new(granules: u32, prefix_bytes: usize, huge_pages: bool) -> io::Result<Reservation> {
        let heap_bytes = granules as usize * GRANULE_BYTES;
        let table_bytes = CHUNK_TABLE_OFFSET.unsigned_abs();
        let prefix_bytes = prefix_bytes.next_multiple_of(GRANULE_BYTES);
        let bytes = prefix_bytes + table_bytes + heap_bytes + BASE_ALIGN;
        let words = granules as usize * GRANULE_WORDS as usize;
        let (marks_bytes, forwards_bytes) = (words / 8, words / BLOCK_WORDS as usize * 4);
        let roles_bytes = (granules as usize).next_multiple_of(4096);
        let counts_bytes = granules as usize * 4;
        let chunk_pages_bytes = (words as u64 / u64::from(BLOCK_WORDS * CHUNKS_PER_PAGE)) as usize + 1;
        let tables_bytes = roles_bytes + marks_bytes + forwards_bytes + 2 * counts_bytes + chunk_pages_bytes;

        // Without MAP_NORESERVE, so that committing is accounted and fails cleanly instead of killing later.
        let start = map(bytes, libc::PROT_NONE, 0)?;
        let writable = libc::PROT_READ | libc::PROT_WRITE;
        let tables = match map(tables_bytes, writable, libc::MAP_NORESERVE) {
            Ok(tables) => tables,
            Err(error) => {
                // SAFETY: exactly the mapping made above, to which nothing points yet.
                unsafe { libc::munmap(start.as_ptr().cast(), bytes) };
                return Err(error);
            }
        };
        let unaligned = start.as_ptr() as usize + prefix_bytes + table_bytes;
        let offset = unaligned.next_multiple_of(BASE_ALIGN) - start.as_ptr() as usize;
        // SAFETY: offsets within the mappings made above, by the sums that sized them.
        let memory = unsafe {
            Memory {
                base: start.add(offset),
                roles: tables,
                marks: tables.add(roles_bytes).cast(),
                forwards: tables.add(roles_bytes + marks_bytes).cast(),
                mark_limits: tables.add(roles_bytes + marks_bytes + forwards_bytes).cast(),
                live_words: tables.add(roles_bytes + marks_bytes + forwards_bytes + counts_bytes).cast(),
                chunk_pages: tables.add(roles_bytes + marks_bytes + forwards_bytes + 2 * counts_bytes),
                granules,
            }
        };
        let reservation = Reservation { memory, start, bytes, tables, tables_bytes };
        // The chunk table is used up to the heap's real size; prefix and context whole.
        let used_table = 4 * (heap_bytes >> CHUNK_SHIFT);
        // SAFETY: both ranges lie in the mapping.
        let (prefix, context) = unsafe { (memory.base.as_ptr().sub(table_bytes + prefix_bytes), memory.base.as_ptr()) };
        for (from, length) in [(prefix, prefix_bytes + used_table.next_multiple_of(4096)), (context, CONTEXT_BYTES)] {
            // SAFETY: a range of our own mapping.
            if unsafe { libc::mprotect(from.cast(), length, writable) } != 0 {
                return Err(io::Error::last_os_error());
            }
        }
        if huge_pages {
            // SAFETY: a range of our own mapping. Advice only: failure changes nothing.
            unsafe { libc::madvise(memory.base.as_ptr().cast(), heap_bytes, libc::MADV_HUGEPAGE) };
        }
        Ok(reservation)
    }

    pub(crate) fn memory(&self) -> Memory {
        self.memory
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        // SAFETY: exactly the mappings made in `new`; the heap that owned them is going away (M3).
        unsafe {
            libc::munmap(self.start.as_ptr().cast(), self.bytes);
            libc::munmap(self.tables.as_ptr().cast(), self.tables_bytes);
        }
    }
}

/// A table of zeroes in a mapping of its own: it takes memory where it is written, and clearing it costs nothing. (What
/// the allocator hands out again must be cleared by hand, which made a new heap as slow as its limit is high.)
pub(crate) struct Table<T> {
    start: NonNull<T>,
    len: usize,
}

// SAFETY: the mapping belongs to this value alone, as a boxed slice would.
unsafe impl<T: Send> Send for Table<T> {}
// SAFETY: as above: a shared table gives out shared values alone.
unsafe impl<T: Sync> Sync for Table<T> {}

impl<T: Copy> Table<T> {
    /// A table of `len` values, at least one, of zero bytes.
    ///
    /// # Safety
    /// All-zero bytes must be a value of the type.
    pub(crate) unsafe fn zeroed(len: usize) -> io::Result<Table<T>> {
        let start = map(len * size_of::<T>(), libc::PROT_READ | libc::PROT_WRITE, libc::MAP_NORESERVE)?;
        Ok(Table { start: start.cast(), len })
    }
}

impl<T> Deref for Table<T> {
    type Target = [T];

    #[inline(always)]
    fn deref(&self) -> &[T] {
        // SAFETY: the mapping holds `len` values, zeroed from the start, at a page and so aligned.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl<T> DerefMut for Table<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as above; `&mut self` keeps everything else away.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

impl<T> Drop for Table<T> {
    fn drop(&mut self) {
        // SAFETY: exactly the mapping made in `new`.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.len * size_of::<T>()) };
    }
}

#[inline(always)]
fn prefetch(at: *const u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch is a hint at any address.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(at.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}

/// Typed access to a reservation, by word index.
#[derive(Clone, Copy)]
pub(crate) struct Memory {
    base: NonNull<u8>,
    roles: NonNull<u8>,
    marks: NonNull<u64>,
    forwards: NonNull<u32>,
    mark_limits: NonNull<u32>,
    live_words: NonNull<u32>,
    chunk_pages: NonNull<u8>,
    granules: u32,
}

// SAFETY: a bundle of addresses; whoever holds it follows M3.
unsafe impl Send for Memory {}
// SAFETY: as above.
unsafe impl Sync for Memory {}

impl Memory {
    pub(crate) fn base(self) -> NonNull<u8> {
        self.base
    }

    pub(crate) fn granules(self) -> u32 {
        self.granules
    }

    // -- what backs the granules

    fn range(self, granule: u32, count: u32) -> (*mut libc::c_void, usize) {
        assert!(granule + count <= self.granules);
        // SAFETY: within the mapping by the assertion.
        let from = unsafe { self.base.as_ptr().add(granule as usize * GRANULE_BYTES) };
        (from.cast(), count as usize * GRANULE_BYTES)
    }

    /// Makes granules usable, zeroed. False if the system refuses.
    pub(crate) fn commit(self, granule: u32, count: u32) -> bool {
        let (from, length) = self.range(granule, count);
        // SAFETY: a range of our own mapping that nothing refers to: free granules hold no objects.
        unsafe { libc::mprotect(from, length, libc::PROT_READ | libc::PROT_WRITE) == 0 }
    }

    /// Gives granules back; a stale reference into them faults from now on. False if the system refuses.
    pub(crate) fn uncommit(self, granule: u32, count: u32) -> bool {
        let (from, length) = self.range(granule, count);
        // SAFETY: as for `commit`.
        unsafe {
            libc::madvise(from, length, libc::MADV_DONTNEED) == 0 && libc::mprotect(from, length, libc::PROT_NONE) == 0
        }
    }

    #[inline(always)]
    fn at(self, word: u32) -> *mut u8 {
        debug_assert!(word >> GRANULE_SHIFT < self.granules, "word {word:x} outside the heap");
        // SAFETY: M1: the word lies in the reservation.
        unsafe { self.base.as_ptr().add(word as usize * 8) }
    }

    // -- objects

    #[inline(always)]
    pub(crate) fn word(self, word: u32) -> u64 {
        // SAFETY: M1, M3; word indices are 8-aligned.
        unsafe { AtomicU64::from_ptr(self.at(word).cast()) }.load(Ordering::Relaxed)
    }

    #[inline(always)]
    pub(crate) fn set_word(self, word: u32, value: u64) {
        // SAFETY: M1, M3; word indices are 8-aligned.
        unsafe { AtomicU64::from_ptr(self.at(word).cast()) }.store(value, Ordering::Relaxed);
    }

    /// As `word`, between the workers of a pause: what was published with the word is seen after.
    #[inline(always)]
    pub(crate) fn word_acquire(self, word: u32) -> u64 {
        // SAFETY: M1, M3; word indices are 8-aligned.
        unsafe { AtomicU64::from_ptr(self.at(word).cast()) }.load(Ordering::Acquire)
    }

    /// Puts `new` where `old` is, with all that was written before; the word that is there instead, if it is another.
    #[inline(always)]
    pub(crate) fn exchange_word(self, word: u32, old: u64, new: u64) -> Result<(), u64> {
        // SAFETY: M1, M3; word indices are 8-aligned.
        let header = unsafe { AtomicU64::from_ptr(self.at(word).cast()) };
        header.compare_exchange(old, new, Ordering::AcqRel, Ordering::Acquire).map(drop)
    }

    /// The `index`-th reference of the object at `object`.
    #[inline(always)]
    pub(crate) fn slot(self, object: u32, index: u32) -> u32 {
        self.slot_at(object, index).load(Ordering::Relaxed)
    }

    /// As `slot`, for a marker beside the program: what was published before the reference was stored is seen after.
    #[inline(always)]
    pub(crate) fn slot_acquire(self, object: u32, index: u32) -> u32 {
        self.slot_at(object, index).load(Ordering::Acquire)
    }

    /// The references among some slots of an object that are not nil.
    #[inline(always)]
    pub(crate) fn refs(self, object: u32, slots: Range<u32>) -> Refs {
        Refs { memory: self, object, next: slots.start, end: slots.end }
    }

    #[inline(always)]
    fn slot_at<'a>(self, object: u32, index: u32) -> &'a AtomicU32 {
        // SAFETY: M1, M3: the caller bounds the index by the object's shape, and drops the reference at once (M2).
        unsafe { AtomicU32::from_ptr(self.at(object).cast::<u32>().add(2 + index as usize)) }
    }

    #[inline(always)]
    pub(crate) fn set_slot(self, object: u32, index: u32, value: u32) {
        self.slot_at(object, index).store(value, Ordering::Relaxed);
    }

    /// As `set_slot`: who reads the reference by `slot_acquire` sees what was written before.
    #[inline(always)]
    pub(crate) fn set_slot_release(self, object: u32, index: u32, value: u32) {
        self.slot_at(object, index).store(value, Ordering::Release);
    }

    pub(crate) fn byte(self, object: u32, offset: u64) -> u8 {
        // SAFETY: M1, M3: the caller bounds the offset by the object's size.
        unsafe { self.at(object).add(offset as usize).read() }
    }

    pub(crate) fn set_byte(self, object: u32, offset: u64, value: u8) {
        // SAFETY: M1, M3: the caller bounds the offset by the object's size.
        unsafe { self.at(object).add(offset as usize).write(value) }
    }

    /// Copies an object's words, header excepted.
    #[inline(always)]
    pub(crate) fn copy_payload(self, from: u32, to: u32, words: u32) {
        let (source, target) = (self.at(from).cast::<u64>(), self.at(to).cast::<u64>());
        let count = words as usize - 1;
        // SAFETY: M1, M3: an object and a fresh copy of it never overlap. Small objects are copied in line, because a call costs
        // more than their words: by two moves that may overlap in the middle, so each stays within the object.
        unsafe {
            let (source, target) = (source.add(1), target.add(1));
            let move_words = |at: usize, many: usize| ptr::copy_nonoverlapping(source.add(at), target.add(at), many);
            match count {
                0 => {}
                1 => move_words(0, 1),
                2..=4 => {
                    move_words(0, 2);
                    move_words(count - 2, 2);
                }
                5..=8 => {
                    move_words(0, 4);
                    move_words(count - 4, 4);
                }
                _ => move_words(0, count),
            }
        }
    }

    /// Moves words to where they may overlap themselves.
    pub(crate) fn move_words(self, from: u32, to: u32, words: u32) {
        // SAFETY: M1, M3.
        unsafe { ptr::copy(self.at(from).cast::<u64>(), self.at(to).cast::<u64>(), words as usize) }
    }

    /// No words may be filled at the end of the heap: behind an object of one word, say.
    pub(crate) fn fill_words(self, word: u32, words: u32, byte: u8) {
        if words == 0 {
            return;
        }
        // SAFETY: M1, M3.
        unsafe { ptr::write_bytes(self.at(word), byte, words as usize * 8) }
    }

    /// An object's bytes after the header, as long as the heap is not changed (M2).
    pub(crate) fn payload(&self, object: u32, bytes: usize) -> NonNull<[u8]> {
        // SAFETY: M1: the pointer lies in the mapping, so it is not null.
        NonNull::slice_from_raw_parts(unsafe { NonNull::new_unchecked(self.at(object).add(8)) }, bytes)
    }

    /// Asks for the line of an object's header ahead of its use.
    #[inline(always)]
    pub(crate) fn prefetch(self, object: u32) {
        prefetch(self.base.as_ptr().wrapping_add(object as usize * 8));
    }

    /// Asks for the line of an object's mark ahead of its use.
    #[inline(always)]
    pub(crate) fn prefetch_mark(self, object: u32) {
        prefetch(self.marks.as_ptr().wrapping_add((object >> BLOCK_SHIFT) as usize).cast());
    }

    // -- the mutator's window

    pub(crate) fn mutator(self) -> Mutator {
        // SAFETY: granule 0 is committed from birth and starts with the Mutator; M3.
        unsafe { self.base.as_ptr().cast::<Mutator>().read() }
    }

    pub(crate) fn set_mutator(self, mutator: Mutator) {
        // SAFETY: as above.
        unsafe { self.base.as_ptr().cast::<Mutator>().write(mutator) }
    }

    // -- tables

    /// The role byte of the granule that holds a word.
    #[inline(always)]
    pub(crate) fn role_at(self, word: u32) -> u8 {
        self.role(word >> GRANULE_SHIFT)
    }

    #[inline(always)]
    pub(crate) fn role(self, granule: u32) -> u8 {
        debug_assert!(granule < self.granules);
        self.role_byte(granule).load(Ordering::Relaxed)
    }

    #[inline(always)]
    fn role_byte<'a>(self, granule: u32) -> &'a AtomicU8 {
        // SAFETY: M1, M3: the table has a byte for every granule; the reference is dropped at once.
        unsafe { AtomicU8::from_ptr(self.roles.as_ptr().add(granule as usize)) }
    }

    pub(crate) fn set_role(self, granule: u32, count: u32, role: u8) {
        assert!(granule + count <= self.granules);
        (granule..granule + count).for_each(|granule| self.role_byte(granule).store(role, Ordering::Relaxed));
    }

    /// Mark bits of a block of 64 words; bit i is set if an object starting at its word i is marked.
    #[inline(always)]
    pub(crate) fn marks(self, block: u32) -> u64 {
        debug_assert!(block >> (GRANULE_SHIFT - BLOCK_SHIFT) < self.granules);
        self.marks_at(block).load(Ordering::Relaxed)
    }

    #[inline(always)]
    fn marks_at<'a>(self, block: u32) -> &'a AtomicU64 {
        // SAFETY: M1, M3: the bitmap has a word for every block; the reference is dropped at once.
        unsafe { AtomicU64::from_ptr(self.marks.as_ptr().add(block as usize)) }
    }

    #[inline(always)]
    pub(crate) fn is_marked(self, object: u32) -> bool {
        self.marks(object >> BLOCK_SHIFT) >> (object % BLOCK_WORDS) & 1 != 0
    }

    /// Marks an object. A word of the bitmap has one writer at a time: who holds the marking, or a pause.
    #[inline(always)]
    pub(crate) fn mark(self, object: u32) {
        let word = self.marks_at(object >> BLOCK_SHIFT);
        word.store(word.load(Ordering::Relaxed) | 1 << (object % BLOCK_WORDS), Ordering::Relaxed);
    }

    /// Marks an object among several workers; false if it was marked already.
    #[inline(always)]
    pub(crate) fn mark_among(self, object: u32) -> bool {
        let bit = 1 << (object % BLOCK_WORDS);
        self.marks_at(object >> BLOCK_SHIFT).fetch_or(bit, Ordering::Relaxed) & bit == 0
    }

    #[inline(always)]
    fn count_at<'a>(self, table: NonNull<u32>, granule: u32) -> &'a AtomicU32 {
        debug_assert!(granule < self.granules);
        // SAFETY: M1, M3: both tables have an entry for every granule; the reference is dropped at once.
        unsafe { AtomicU32::from_ptr(table.as_ptr().add(granule as usize)) }
    }

    /// Whether marking is to visit an object: it lies below the top at mark start of its region.
    #[inline(always)]
    pub(crate) fn is_below_mark_limit(self, object: u32) -> bool {
        object < self.count_at(self.mark_limits, object >> GRANULE_SHIFT).load(Ordering::Relaxed)
    }

    /// Sets the word index below which objects of these granules are to be marked; 0 for none of them.
    pub(crate) fn set_mark_limit(self, granule: u32, count: u32, limit: u32) {
        for granule in granule..granule + count {
            self.count_at(self.mark_limits, granule).store(limit, Ordering::Relaxed);
        }
    }

    /// Words of marked objects that start in a granule.
    pub(crate) fn live_words(self, granule: u32) -> u32 {
        self.count_at(self.live_words, granule).load(Ordering::Relaxed)
    }

    /// Counts a marked object. One writer at a time, as for `mark`.
    #[inline(always)]
    pub(crate) fn add_live_words(self, object: u32, words: u32) {
        let count = self.count_at(self.live_words, object >> GRANULE_SHIFT);
        count.store(count.load(Ordering::Relaxed) + words, Ordering::Relaxed);
    }

    /// As `add_live_words`, among several workers.
    #[inline(always)]
    pub(crate) fn add_live_words_among(self, object: u32, words: u32) {
        self.count_at(self.live_words, object >> GRANULE_SHIFT).fetch_add(words, Ordering::Relaxed);
    }

    /// Unmarks what starts in a granule.
    pub(crate) fn clear_marks(self, granule: u32) {
        if self.live_words(granule) != 0 {
            let blocks = GRANULE_WORDS / BLOCK_WORDS;
            (granule * blocks..(granule + 1) * blocks)
                .for_each(|block| self.marks_at(block).store(0, Ordering::Relaxed));
            self.count_at(self.live_words, granule).store(0, Ordering::Relaxed);
        }
    }

    /// Where the first object of a block goes in a compaction.
    #[inline(always)]
    pub(crate) fn forward(self, block: u32) -> u32 {
        debug_assert!(block >> (GRANULE_SHIFT - BLOCK_SHIFT) < self.granules);
        // SAFETY: M1: the table has an entry for every block.
        unsafe { self.forwards.as_ptr().add(block as usize).read() }
    }

    pub(crate) fn set_forward(self, block: u32, to: u32) {
        debug_assert!(block >> (GRANULE_SHIFT - BLOCK_SHIFT) < self.granules);
        // SAFETY: as for `forward`.
        unsafe { self.forwards.as_ptr().add(block as usize).write(to) }
    }

    /// Gives the compaction's table back to the system until the next one.
    pub(crate) fn release_forwards(self) {
        let bytes = self.granules as usize * (GRANULE_WORDS / BLOCK_WORDS) as usize * 4;
        // The table starts at a page: granule counts make the tables before it whole pages, or the call fails harmlessly.
        // SAFETY: a range of our own mapping; its content is not needed again.
        unsafe { libc::madvise(self.forwards.as_ptr().cast(), bytes, libc::MADV_DONTNEED) };
    }

    // -- the chunk table; chunks have the numbers of blocks

    fn chunk_at<'a>(self, chunk: u32) -> &'a AtomicU32 {
        debug_assert!(chunk >> (GRANULE_SHIFT - BLOCK_SHIFT) < self.granules);
        // SAFETY: M1, M3: the table below the base has an entry for every chunk, writable from birth; the reference is dropped
        // at once.
        unsafe { AtomicU32::from_ptr(self.base.as_ptr().offset(CHUNK_TABLE_OFFSET).cast::<u32>().add(chunk as usize)) }
    }

    /// The array whose chunk is logged here; nil while none is.
    pub(crate) fn logged_array(self, chunk: u32) -> u32 {
        self.chunk_at(chunk).load(Ordering::Relaxed)
    }

    pub(crate) fn set_logged_array(self, chunk: u32, array: u32) {
        self.chunk_at(chunk).store(array, Ordering::Relaxed);
        if array != 0 {
            self.chunk_page(chunk / CHUNKS_PER_PAGE).store(1, Ordering::Relaxed);
        }
    }

    fn chunk_page<'a>(self, page: u32) -> &'a AtomicU8 {
        // SAFETY: M1, M3: there is a byte for every page of the chunk table; the reference is dropped at once.
        unsafe { AtomicU8::from_ptr(self.chunk_pages.as_ptr().add(page as usize)) }
    }

    /// Memory of the chunk table: the pages that were ever written to. Reading the others costs nothing.
    pub(crate) fn chunk_table_bytes(self) -> u64 {
        let pages = self.granules * (GRANULE_WORDS / BLOCK_WORDS) / CHUNKS_PER_PAGE;
        (0..pages).map(|page| u64::from(self.chunk_page(page).load(Ordering::Relaxed)) * 4096).sum()
    }
}

/// Slots of an object that are not nil, each with its index, read as by [`Memory::slot_acquire`]. Of large tables most slots are
/// nil, so a run of nil takes one load for each slot and one branch for each [`Refs::RUN`].
pub(crate) struct Refs {
    memory: Memory,
    object: u32,
    next: u32,
    end: u32,
}

impl Refs {
    const RUN: u32 = 8;

    fn is_run_nil(&self) -> bool {
        (0..Refs::RUN).fold(0, |any, i| any | self.memory.slot(self.object, self.next + i)) == 0
    }
}

impl Iterator for Refs {
    type Item = (u32, u32);

    #[inline(always)]
    fn next(&mut self) -> Option<(u32, u32)> {
        while self.next < self.end {
            let index = self.next;
            let target = self.memory.slot_acquire(self.object, index);
            self.next += 1;
            if target != 0 {
                return Some((index, target));
            }
            // Looked at from multiples on, so that no slot is looked at more than twice.
            while self.end - self.next >= Refs::RUN && self.next.is_multiple_of(Refs::RUN) && self.is_run_nil() {
                self.next += Refs::RUN;
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_of_one_word_may_be_the_last_of_the_heap() {
        let granules = 64;
        let reservation = Reservation::new(granules, 0, false).expect("addresses");
        let memory = reservation.memory;
        assert!(memory.commit(granules - 1, 1));
        let last = granules * GRANULE_WORDS - 1;
        memory.set_word(last, 7);
        memory.fill_words(last + 1, 0, 0);
        assert_eq!(memory.word(last), 7);
    }
}
