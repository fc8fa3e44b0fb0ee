//! A heap: what the rest of the program sees of the collector.
//!
//! It must never know the language; of objects it knows shapes, of the program its roots.
//!
//! Invariants
//! - G1. Between pauses every reference held by the program, a root or a live object is nil or the start of an object in a
//!   region in use.
//! - G2. The mutator's window lies in an eden region; everything between that region's bottom and the window's top is
//!   initialised at each safepoint.
//! - G3. Only `allocate_*`, `collect`, `idle`, `safepoint`, and what counts memory of the host's are safepoints.

use std::collections::VecDeque;
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::Arc;

use crate::barrier::{Entry, Log};
use crate::candidates::Candidates;
use crate::census::CensusLine;
use crate::clock::{Clock, SystemClock};
use crate::crew::{self, Help, WORKERS_MAX};
use crate::cycle::{Concurrent, Marked, Phase};
use crate::error::{HeapError, HeapErrorKind, OutOfMemory};
use crate::handle::Handles;
use crate::header;
use crate::idle::Post;
use crate::incoming::Incoming;
use crate::limit::{LimitWatch, MemorySource};
use crate::mark::SPARE_STACK_OBJECTS;
use crate::marker;
use crate::measure::Measure;
use crate::memory::{GRANULE_BYTES, Memory, Reservation};
use crate::pause::{Cause, Plan};
use crate::policy::{Decision, Envelope, Knobs, Outcome, Policy, Snapshot};
use crate::reference::Ref;
use crate::report::{Cycle, Observer};
use crate::room::Room;
use crate::rules::{Rule, is_broken};
use crate::safepoint::Alarm;
use crate::sample::Sampling;
use crate::shape::{Descriptor, Shape, ShapeId, ShapeTable};
use crate::space::{Buffer, Space, role};
use crate::stats::Stats;
use crate::weak::WeakTable;
use crate::zeal::{Countdowns, Zeal};

/// Where a program holds references.
pub trait Roots {
    /// Calls `visit` for each root. A root is a reference, zero-extended to 64 bits; the collector may rewrite it. Each
    /// root must be visited each time, and exactly once: a slot redirected twice would be wrong in a compaction.
    fn visit(&mut self, visit: &mut dyn FnMut(&mut u64));
}

impl Roots for [u64] {
    fn visit(&mut self, visit: &mut dyn FnMut(&mut u64)) {
        self.iter_mut().for_each(visit);
    }
}

impl Roots for Vec<u64> {
    fn visit(&mut self, visit: &mut dyn FnMut(&mut u64)) {
        self.iter_mut().for_each(visit);
    }
}

/// Which collection to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Collect {
    /// Evacuate the young regions, and candidates if there are any.
    Young,
    /// As `Young`, then mark to the end.
    Mark,
    /// Compact the whole heap.
    Full,
}

/// How a heap is to be made.
pub struct HeapConfig {
    /// Most that may be committed. From 1 MiB to 24 GiB.
    pub limit_bytes: u64,
    /// Bytes below the chunk-log table for the embedder's own tables; zeroed.
    pub prefix_bytes: usize,
    /// What pauses should stay below.
    pub pause_goal_ns: u64,
    /// Check everything after every pause, and poison what is freed.
    pub verify: bool,
    /// Collect more often than needed.
    pub zeal: Zeal,
    /// Mark in slices at the program's own safepoints, not on a thread beside it. A clock that gives the same times in each
    /// run, and a machine with one core, mean that too.
    pub mark_in_slices: bool,
    /// Where time comes from.
    pub clock: Box<dyn Clock>,
    /// Lowers the limit while the program runs; see [`MemorySource`].
    pub memory: Option<Box<dyn MemorySource>>,
    /// Take a census when memory runs out; see [`Heap::take_census`].
    pub census_on_out_of_memory: bool,
    /// Make no pause, ever: what does not fit is out of memory. It shows what collecting costs, and code without a write
    /// barrier is sound in such a heap alone.
    pub never_collect: bool,
}

impl HeapConfig {
    /// A heap of at most `limit_bytes` with a pause goal of 10 ms, nothing else asked.
    pub fn new(limit_bytes: u64) -> HeapConfig {
        HeapConfig {
            limit_bytes,
            prefix_bytes: 0,
            pause_goal_ns: 10_000_000,
            verify: false,
            zeal: Zeal::default(),
            mark_in_slices: !marker::are_worthwhile(),
            clock: Box::new(SystemClock),
            memory: None,
            census_on_out_of_memory: false,
            never_collect: false,
        }
    }
}

/// The smallest legal limit.
pub const LIMIT_BYTES_MIN: u64 = 1 << 20;
/// The largest legal limit: addresses for 32 GiB leave room for fragmentation.
pub const LIMIT_BYTES_MAX: u64 = 24 << 30;

/// A generational region heap with one mutator.
pub struct Heap {
    pub(crate) space: Space,
    pub(crate) shapes: Arc<ShapeTable>,
    pub(crate) store_buffer: Vec<Entry>,
    /// From this length on it calls for a pause, and whether it was said.
    pub(crate) store_buffer_long: usize,
    pub(crate) store_buffer_rung: bool,
    pub(crate) retained: Vec<Entry>,
    /// An entry fitted neither: the next pause must do without both.
    pub(crate) entries_lost: bool,
    /// How long tables may become.
    pub(crate) room: Room,
    pub(crate) candidates: Candidates,
    /// Where it is lent while the program waits.
    pub(crate) post: Arc<Post>,
    /// Who refers to large objects.
    pub(crate) incoming: Incoming,
    pub(crate) handles: Handles,
    pub(crate) weak: WeakTable,
    /// Counted by the host itself, resources aside.
    pub(crate) host_bytes: u64,
    pub(crate) limit_watch: Option<LimitWatch>,
    pub(crate) sampling: Option<Sampling>,
    /// Brings the program to a safepoint.
    pub(crate) alarm: Option<Arc<dyn Alarm>>,
    /// Whether a census is due when memory runs out, and the one that was taken.
    pub(crate) census_on_out_of_memory: bool,
    pub(crate) out_of_memory_census: Option<Vec<CensusLine>>,
    /// The concurrent cycle, from its start until its marks are cleared.
    pub(crate) concurrent: Option<Concurrent>,
    /// The stack of evacuations and full collections (Y4, K4).
    pub(crate) spare_stack: Vec<u32>,
    /// What marking came to since the last evacuation pause.
    pub(crate) marked: Marked,
    /// Whether markers work on threads of their own.
    pub(crate) marks_beside: bool,
    /// What the next pause or cycle is called in the log.
    pub(crate) next_gc_number: u64,
    /// The eden region that the mutator's window is in.
    pub(crate) eden: Buffer,
    /// The old regions that promotion fills, by worker.
    pub(crate) old: [Buffer; WORKERS_MAX],
    /// Most workers of a pause.
    pub(crate) workers_max: usize,
    pub(crate) help: Help,
    permanent: Buffer,
    pub(crate) knobs: Knobs,
    pub(crate) envelope: Envelope,
    pub(crate) policy: Box<dyn Policy>,
    pub(crate) next_policy: Option<Box<dyn Policy>>,
    pub(crate) decision: Decision,
    pub(crate) snapshot: Snapshot,
    pub(crate) observers: Vec<Box<dyn Observer>>,
    pub(crate) measure: Measure,
    pub(crate) stats: Stats,
    pub(crate) pause_goal_ns: u64,
    pub(crate) verify: bool,
    pub(crate) never_collect: bool,
    pub(crate) zeal: Zeal,
    pub(crate) countdowns: Countdowns,
    /// Where the mutator's window started: what lies before it is counted.
    pub(crate) window_start: u64,
    /// Words that eden may still grow by before the next pause.
    pub(crate) eden_words_left: u64,
    /// The age from which the next pause promotes, unless the knob says an earlier one.
    pub(crate) tenuring_age: u8,
    /// Full collections in a row that left next to nothing.
    pub(crate) tight_full_collections: u32,
    /// Pauses in a row over the GC-overhead limit.
    pub(crate) overhead_pauses: u32,
    /// Old and large bytes when the last marking and the mixed pauses after it had ended.
    pub(crate) occupied_after_mark_bytes: u64,
}

impl Heap {
    /// Makes a heap for objects of `shapes`, with its knobs set by `policy`.
    pub fn new(config: HeapConfig, shapes: Arc<ShapeTable>, policy: Box<dyn Policy>) -> Result<Heap, HeapError> {
        let limit_bytes = config.limit_bytes;
        if !(LIMIT_BYTES_MIN..=LIMIT_BYTES_MAX).contains(&limit_bytes) {
            let kind = HeapErrorKind::Limit { limit_bytes, least_bytes: LIMIT_BYTES_MIN, most_bytes: LIMIT_BYTES_MAX };
            return Err(HeapError { kind });
        }
        let limit_bytes = limit_bytes / GRANULE_BYTES as u64 * GRANULE_BYTES as u64;
        let verify = config.verify || config.zeal.verify;
        let mut space = Space::new(Self::reserve(limit_bytes, config.prefix_bytes)?, limit_bytes, verify)
            .map_err(|cause| HeapError { kind: HeapErrorKind::Reservation { bytes: limit_bytes, cause } })?;
        space.commit_failures = (config.zeal.commit_fail, config.zeal.commit_fail);
        let marks_beside = !config.mark_in_slices && !config.clock.is_repeatable() && !config.zeal.slices();
        space.gives_back_beside = marks_beside;
        space.quarantine = config.zeal.quarantine.then(VecDeque::new);
        let mut policy = policy;
        let envelope = Envelope::of_limit(limit_bytes);
        let snapshot = Snapshot {
            pause_goal_ns: config.pause_goal_ns,
            limit_bytes,
            committed_bytes: space.committed_bytes(),
            largest_free_bytes: space.largest_free_bytes(),
            cycles_since_mark: u64::MAX,
            ..Snapshot::default()
        };
        let initial = envelope.initial(&snapshot);
        let mut decision = policy.decide(&snapshot, &initial, &envelope);
        decision.knobs = envelope.clamp(&decision.knobs, &initial);
        decision.advised = envelope.clamp(&decision.advised, &initial);
        let knobs = decision.knobs;
        Ok(Heap {
            space,
            shapes,
            store_buffer: Vec::new(),
            store_buffer_long: usize::MAX,
            store_buffer_rung: false,
            retained: Vec::new(),
            entries_lost: false,
            room: Room::new(config.zeal.tables),
            candidates: Candidates::new(Room::new(config.zeal.tables)),
            post: Arc::default(),
            incoming: Incoming::default(),
            handles: Handles::new(Room::new(config.zeal.tables)),
            weak: WeakTable::new(Room::new(config.zeal.tables)),
            host_bytes: 0,
            limit_watch: config.memory.map(|source| LimitWatch::new(source, limit_bytes)),
            sampling: None,
            alarm: None,
            census_on_out_of_memory: config.census_on_out_of_memory,
            out_of_memory_census: None,
            concurrent: None,
            spare_stack: Vec::with_capacity(SPARE_STACK_OBJECTS),
            marked: Marked::default(),
            marks_beside,
            next_gc_number: 0,
            eden: Buffer::default(),
            old: Default::default(),
            workers_max: if config.clock.is_repeatable() { 1 } else { crew::workers_max() },
            help: Help::default(),
            permanent: Buffer::default(),
            knobs,
            envelope,
            policy,
            next_policy: None,
            decision,
            snapshot,
            observers: Vec::new(),
            measure: Measure::new(config.clock),
            stats: Stats::new(),
            pause_goal_ns: config.pause_goal_ns,
            verify,
            never_collect: config.never_collect,
            zeal: config.zeal,
            countdowns: Countdowns::new(&config.zeal),
            window_start: 0,
            eden_words_left: if config.never_collect { limit_bytes / 8 } else { knobs.young_bytes / 8 },
            tenuring_age: 15,
            tight_full_collections: 0,
            overhead_pauses: 0,
            occupied_after_mark_bytes: 0,
        })
    }

    /// Reserves addresses: four times the limit where possible, so that fragmentation costs addresses and not memory.
    fn reserve(limit_bytes: u64, prefix_bytes: usize) -> Result<Reservation, HeapError> {
        let huge_pages = limit_bytes >= 64 << 20;
        let mut bytes = (limit_bytes * 4).clamp(1 << 30, (32 << 30) - (4 << 20));
        loop {
            // A multiple of 64 granules keeps every table a whole number of pages.
            let granules = (bytes / GRANULE_BYTES as u64).next_multiple_of(64).min((1 << 19) - 64) as u32;
            match Reservation::new(granules, prefix_bytes, huge_pages) {
                Ok(reservation) => return Ok(reservation),
                Err(_) if bytes / 2 > limit_bytes => bytes /= 2,
                Err(cause) => return Err(HeapError { kind: HeapErrorKind::Reservation { bytes, cause } }),
            }
        }
    }

    pub(crate) fn memory(&self) -> Memory {
        self.space.memory
    }

    // -- contract with compiled code

    /// The base address: word index 0, and the VM context. The embedder's prefix ends at `base + CHUNK_TABLE_OFFSET`.
    pub fn base(&self) -> NonNull<u8> {
        self.memory().base()
    }

    /// The shapes this heap knows.
    pub fn shapes(&self) -> &Arc<ShapeTable> {
        &self.shapes
    }

    /// Slow path of the write barrier: to be called before a reference is stored into an armed object. Never a safepoint.
    pub fn barrier(&mut self, object: Ref) {
        let logged = self.log().object(object.0);
        self.count_logged(logged);
    }

    /// What the barrier writes to.
    fn log(&mut self) -> Log<'_> {
        let overwritten = self.concurrent.as_mut().filter(|cycle| cycle.phase == Phase::Trace);
        Log {
            memory: self.space.memory,
            shapes: &self.shapes,
            store_buffer: &mut self.store_buffer,
            entries_lost: &mut self.entries_lost,
            overwritten: overwritten.map(|cycle| (&mut cycle.overwritten, &mut cycle.lost)),
            room: self.room,
        }
    }

    fn count_logged(&mut self, logged: u64) {
        self.measure.barrier_slow_paths += logged;
        if logged > 0 && self.is_store_buffer_long() {
            self.ring_for_store_buffer();
        }
        self.hand_over_many();
    }

    /// Slow path of the write barrier for one element of an array. Never a safepoint.
    pub fn barrier_element(&mut self, array: Ref, index: u64) {
        self.log_range(array, index..index + 1);
    }

    /// To be called before references are written to a range of an array in bulk. Never a safepoint.
    pub fn log_range(&mut self, array: Ref, range: Range<u64>) {
        let logged = self.log().slots(array.0, range);
        self.count_logged(logged);
    }

    /// The barrier of native bulk writes.
    fn log_bulk(&mut self, array: Ref, range: Range<u64>) {
        if !is_broken(Rule::LogBulkWrites) {
            self.log_range(array, range);
        }
    }

    /// Copies references between arrays, or within one, with the write barrier. Never a safepoint.
    ///
    /// # Panics
    /// If a range is out of bounds, or one is no array of references.
    pub fn copy_refs(&mut self, to: Ref, at: u64, from: Ref, start: u64, count: u64) {
        for (array, first) in [(to, at), (from, start)] {
            let word = self.header_of(array);
            let descriptor = self.shapes.descriptor(word);
            let in_bounds = first.checked_add(count).is_some_and(|end| end <= u64::from(header::upper(word)));
            assert!(descriptor.is_ref_array() && in_bounds, "{array:?} has no references {first} and {count} after");
        }
        self.log_bulk(to, at..at + count);
        let memory = self.memory();
        // A marker may be reading what is overwritten, so it is done reference by reference (M3).
        let mut copy = |i: u64| memory.set_slot(to.0, (at + i) as u32, memory.slot(from.0, (start + i) as u32));
        if to == from && at > start {
            (0..count).rev().for_each(&mut copy);
        } else {
            (0..count).for_each(&mut copy);
        }
    }

    /// Stores one reference into a range of an array, with the write barrier. Never a safepoint.
    ///
    /// # Panics
    /// If the range is out of bounds, or `array` no array of references.
    pub fn fill_refs(&mut self, array: Ref, range: Range<u64>, value: Ref) {
        if !range.is_empty() {
            self.check_slot(array, range.end - 1);
            self.log_bulk(array, range.clone());
            range.for_each(|slot| self.memory().set_slot(array.0, slot as u32, value.0));
        }
    }

    /// Collects.
    pub fn collect(&mut self, kind: Collect, roots: &mut dyn Roots) {
        let plan = match kind {
            Collect::Young => Plan::Evacuate { mark: false, everything: false },
            Collect::Mark => Plan::Evacuate { mark: true, everything: false },
            Collect::Full => Plan::Full,
        };
        self.pause(plan, Cause::Asked, roots);
        if kind == Collect::Mark {
            self.finish_marking(roots);
            self.candidates.prepare();
        }
    }

    // -- permanent objects

    /// A byte array that is never moved nor freed.
    pub fn permanent_bytes(&mut self, shape: ShapeId, bytes: &[u8]) -> Result<Ref, OutOfMemory> {
        let descriptor = self.descriptor(shape);
        assert!(descriptor.is_byte_array(), "permanent bytes need a byte array's shape");
        let requested_bytes = bytes.len() as u64 + 8;
        let out_of_memory = OutOfMemory { requested_bytes, limit_bytes: self.envelope.limit_bytes };
        let len = u32::try_from(bytes.len()).map_err(|_| out_of_memory)?;
        let words = descriptor.array_words(len);
        let at = self.permanent_words(words)?;
        self.memory().fill_words(at + 1, words as u32 - 1, 0);
        self.memory().set_word(at, header::new(shape.0, len));
        self.payload_mut(at, bytes.len()).copy_from_slice(bytes);
        Ok(Ref(at))
    }

    /// A record that is never moved nor freed, with this payload. It may refer to permanent objects only.
    pub fn permanent_record(&mut self, shape: ShapeId, payload: &[u64]) -> Result<Ref, OutOfMemory> {
        let words = match self.shapes.get(shape) {
            Some(Shape::Record { words, .. }) => words,
            other => panic!("a permanent record cannot have shape {other:?}"),
        };
        assert_eq!(payload.len() as u32 + 1, words, "payload of another size than the shape's");
        let at = self.permanent_words(u64::from(words))?;
        self.memory().set_word(at, header::new(shape.0, 0));
        for (i, word) in payload.iter().enumerate() {
            self.memory().set_word(at + 1 + i as u32, *word);
        }
        Ok(Ref(at))
    }

    fn permanent_words(&mut self, words: u64) -> Result<u32, OutOfMemory> {
        let out_of_memory = OutOfMemory { requested_bytes: words * 8, limit_bytes: self.envelope.limit_bytes };
        let words = u32::try_from(words).map_err(|_| out_of_memory)?;
        if let Some(at) = self.permanent.bump(words) {
            self.space.region_mut(self.permanent.head).top = self.permanent.top;
            return Ok(at);
        }
        let mut opened = self.space.open_region(role::PERMANENT, GRANULE_BYTES as u64, words).ok_or(out_of_memory)?;
        let at = opened.bump(words).expect("a region with room for its first object");
        self.space.region_mut(opened.head).top = opened.top;
        self.permanent = opened;
        Ok(at)
    }

    // -- access for native code

    pub(crate) fn descriptor(&self, shape: ShapeId) -> Descriptor {
        assert!(self.shapes.get(shape).is_some(), "no such shape: {shape:?}");
        self.shapes.descriptor(u64::from(shape.0))
    }

    /// The header of an object, checked to be one.
    #[inline]
    fn header_of(&self, object: Ref) -> u64 {
        let granule = object.0 >> crate::memory::GRANULE_SHIFT;
        let memory = self.memory();
        assert!(!object.is_nil() && granule < memory.granules(), "{object:?} is no object");
        let kind = role::of(memory.role(granule));
        assert!(kind != role::FREE && kind != role::CONTEXT, "{object:?} is no object");
        let word = memory.word(object.0);
        assert!(self.shapes.get(ShapeId(header::shape(word))).is_some(), "{object:?} has no shape");
        word
    }

    /// The shape of an object.
    ///
    /// # Panics
    /// As all accessors: if `object` is nil or no object, or an index is out of bounds; that is a bug of the caller.
    #[inline]
    pub fn shape_of(&self, object: Ref) -> ShapeId {
        ShapeId(header::shape(self.header_of(object)))
    }

    /// The number of elements of an array.
    #[inline]
    pub fn array_len(&self, array: Ref) -> u64 {
        let word = self.header_of(array);
        assert!(!self.shapes.descriptor(word).is_record(), "{array:?} is a record");
        u64::from(header::upper(word))
    }

    /// The bytes of a byte array.
    #[inline]
    pub fn bytes(&self, array: Ref) -> &[u8] {
        let word = self.header_of(array);
        assert!(self.shapes.descriptor(word).is_byte_array(), "{array:?} is no byte array");
        // SAFETY: M1: the array's bytes follow its header; they move or change only through `&mut self` (M2).
        unsafe { self.memory().payload(array.0, header::upper(word) as usize).as_ref() }
    }

    /// The bytes of a byte array, to be changed.
    pub fn bytes_mut(&mut self, array: Ref) -> &mut [u8] {
        let word = self.header_of(array);
        assert!(self.shapes.descriptor(word).is_byte_array(), "{array:?} is no byte array");
        self.payload_mut(array.0, header::upper(word) as usize)
    }

    fn payload_mut(&mut self, object: u32, bytes: usize) -> &mut [u8] {
        // SAFETY: M1: the caller bounds the length by the object's; the borrow of the heap keeps everything else away (M2).
        unsafe { self.memory().payload(object, bytes).as_mut() }
    }

    #[inline]
    fn check_slot(&self, object: Ref, index: u64) {
        let word = self.header_of(object);
        let refs = self.shapes.descriptor(word).refs(word);
        assert!(index < u64::from(refs), "{object:?} has no reference {index}");
    }

    /// The `index`-th reference of a record or reference array.
    #[inline]
    pub fn ref_at(&self, object: Ref, index: u64) -> Ref {
        self.check_slot(object, index);
        Ref(self.memory().slot(object.0, index as u32))
    }

    /// Stores a reference, with the write barrier.
    pub fn set_ref(&mut self, object: Ref, index: u64, value: Ref) {
        self.check_slot(object, index);
        let needless = is_broken(Rule::LogNilStores) && value.is_nil();
        if header::is_armed(self.memory().word(object.0)) && !needless {
            self.log_range(object, index..index + 1);
        }
        self.memory().set_slot(object.0, index as u32, value.0);
    }

    /// Checks that payload bytes `offset..offset + size` of an object hold no reference.
    fn check_scalar(&self, object: Ref, offset: u64, size: u64) {
        let word = self.header_of(object);
        let descriptor = self.shapes.descriptor(word);
        let (first, last) = (8 + u64::from(descriptor.refs(word)) * 4, u64::from(descriptor.words(word)) * 8);
        assert!(first <= offset && offset + size <= last, "{object:?} has no scalar of {size} bytes at byte {offset}");
    }

    /// The `index`-th 8-byte word after the header: an element of a word array, or a field of a record.
    pub fn word_at(&self, object: Ref, index: u64) -> u64 {
        self.check_scalar(object, 8 + index * 8, 8);
        self.memory().word(object.0 + 1 + index as u32)
    }

    /// Stores the `index`-th 8-byte word after the header.
    pub fn set_word(&mut self, object: Ref, index: u64, value: u64) {
        self.check_scalar(object, 8 + index * 8, 8);
        self.memory().set_word(object.0 + 1 + index as u32, value);
    }

    /// The byte at `offset` from the start of an object's header: a one-byte field of a record.
    pub fn byte_at(&self, object: Ref, offset: u64) -> u8 {
        self.check_scalar(object, offset, 1);
        self.memory().byte(object.0, offset)
    }

    /// Stores the byte at `offset` from the start of an object's header.
    pub fn set_byte(&mut self, object: Ref, offset: u64, value: u8) {
        self.check_scalar(object, offset, 1);
        self.memory().set_byte(object.0, offset, value);
    }

    // -- policy and observation

    /// Sets the policy. It makes the next decision; the decision in force still gets its outcome, from the old one.
    pub fn set_policy(&mut self, policy: Box<dyn Policy>) {
        self.next_policy = Some(policy);
    }

    /// The name of the policy that decides next.
    pub fn policy_name(&self) -> &'static str {
        self.next_policy.as_ref().unwrap_or(&self.policy).name()
    }

    /// The knobs in force.
    pub fn knobs(&self) -> &Knobs {
        &self.knobs
    }

    /// The legal bounds of the knobs.
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// What was measured at the end of the last pause.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Totals so far.
    pub fn stats(&self) -> Stats {
        let mut stats = self.stats.clone();
        stats.allocated_bytes = self.allocated_bytes();
        stats.committed_bytes = self.committed_bytes();
        stats.committed_bytes_max = self.committed_bytes_max();
        stats.metadata_bytes = self.metadata_bytes();
        stats.metadata_bytes_max = stats.metadata_bytes_max.max(stats.metadata_bytes);
        stats.host_bytes = self.host_bytes();
        stats.mmu = self.measure.mmu();
        stats
    }

    /// Totals up to the end of the last pause, in place: histograms are long, and who asks often wants one number.
    pub fn stats_at_pause(&self) -> &Stats {
        &self.stats
    }

    /// Allocated so far, large objects included.
    pub fn allocated_bytes(&self) -> u64 {
        let window_bytes = (self.memory().mutator().top - self.window_start) * 8;
        let since_pause_bytes = self.measure.allocated_bytes + self.measure.large_allocated_bytes;
        self.stats.allocated_bytes + since_pause_bytes + window_bytes
    }

    /// Committed now.
    pub fn committed_bytes(&self) -> u64 {
        self.space.committed_bytes()
    }

    /// Committed at the most so far.
    pub fn committed_bytes_max(&self) -> u64 {
        self.stats.committed_bytes_max.max(self.space.committed_bytes_max())
    }

    /// CPU time that the collector has taken of the program's thread, by the heap's clock: pauses without their helpers, and
    /// marking in slices. Pauses made for a thread that waits are in it too.
    pub fn stopped_cpu_ns(&self) -> u64 {
        self.measure.stopped_cpu_ns
    }

    /// Memory that the collector takes beside the heap: tables, buffers, remembered sets, what native code holds.
    pub(crate) fn metadata_bytes(&self) -> u64 {
        let buffers = (self.store_buffer.capacity() + self.retained.capacity()) * size_of::<Entry>()
            + self.spare_stack.capacity() * size_of::<u32>();
        self.space.table_bytes()
            + self.candidates.table_bytes()
            + self.incoming.table_bytes()
            + self.weak.table_bytes()
            + self.handles.table_bytes()
            + self.concurrent.as_ref().map_or(0, |cycle| cycle.table_bytes)
            + buffers as u64
    }

    /// Counts a decision that fell back to the adaptive policy, or a policy that could not be made.
    pub fn count_policy_fallbacks(&mut self, count: u64) {
        self.stats.policy_fallbacks += count;
    }

    /// Sets what pauses should stay below.
    pub fn set_pause_goal_ns(&mut self, pause_goal_ns: u64) {
        self.pause_goal_ns = pause_goal_ns;
    }

    /// Adds an observer of pauses and cycles.
    pub fn add_observer(&mut self, observer: Box<dyn Observer>) {
        self.observers.push(observer);
    }
}

impl Drop for Heap {
    fn drop(&mut self) {
        // T1: no marker reads this heap any more.
        self.stop_marker();
        // P3: the decision in force gets its outcome, even though no pause ended its cycle.
        let outcome = Outcome {
            cycle: self.snapshot.cycle + 1,
            unfinished: true,
            mutator_ns: self.measure.since_pause_ns(),
            ..Outcome::default()
        };
        self.policy.observe(&outcome);
        let cycle = Cycle { snapshot: self.snapshot, decision: self.decision, outcome };
        for observer in &mut self.observers {
            observer.cycle(&cycle);
        }
    }
}
