//! Verification: an independent look at the whole heap after a pause.
//!
//! It must never use what the collector found: it has its own traversal and its own set of visited objects, and reads
//! marks and lists only to check them. A violation is a bug of the heap or of whoever writes into it, so it panics.
//!
//! Checked of every object reachable from the roots
//! - V1. References are zero-extended, lie below the top of a region in use, and point at a header with a known shape.
//! - V2. No header is forwarded; the object lies within its region.
//! - V3. Young objects are not armed; old ones are, unless they are on the store buffer (W1). A chunked array starts at a
//!   chunk (W3), and the same holds for its chunks.
//! - V4. An old object that refers to a young one is on the store buffer or the retained list (E3).
//! - V5. A reference from outside into a candidate is in its remembered set, once that is complete (C1).
//! - V6. Permanent objects refer to permanent objects alone.
//! - V7. While marking traces, what is old and not below its mark limit is marked (E4). That what was reachable at the
//!   start is marked at the end is checked by `cycle`, with the set that [`reachable`] found.
//! - V8. The weak table names objects in regions in use (X1 to X3), and values of reachable pairs are as sound as the rest.
//! - V9. A reference to a watched large object is known to its incoming set (I1).
//!
//! And of the regions R1 to R5, and Z1; and of the buffers
//! - V10. Each entry of the store buffer and the retained list is in an old region or a large object, below its top (N3).
//! - V11. Nothing young is marked (K1).

use hashbrown::HashSet;

use crate::barrier::{Entry, is_chunked_at};
use crate::cycle::Phase;
use crate::header;
use crate::heap::{Heap, Roots};
use crate::shape::ShapeId;
use crate::space::{Space, role};

/// Checks everything.
///
/// # Panics
/// If an invariant does not hold.
pub(crate) fn verify(heap: &mut Heap, roots: &mut dyn Roots) {
    if let Err(broken) = heap.space.check() {
        panic!("heap verification: {broken}");
    }
    let logged: HashSet<Entry> = heap.store_buffer.iter().copied().collect();
    for granule in 0..heap.space.memory.granules() {
        let byte = heap.space.memory.role(granule);
        assert!(byte & role::COLLECTED == 0, "heap verification: Z1: granule {granule} is still in the collection set");
        let marked = heap.space.memory.live_words(granule) != 0;
        assert!(!(marked && byte & role::YOUNG != 0), "heap verification: V11: granule {granule} is young and marked");
    }
    for entry in heap.store_buffer.iter().chain(&heap.retained) {
        let kind = role::of(heap.space.memory.role_at(entry.object));
        let tenured = kind == role::OLD || kind == role::LARGE;
        let below = tenured && entry.object < heap.space.region(heap.space.head_of(entry.object)).top;
        assert!(below, "heap verification: V10: a buffer names {:#x}, which is no old object", entry.object);
    }
    let mut tracer = Tracer {
        heap,
        logged,
        retained: heap.retained.iter().copied().collect(),
        visited: HashSet::new(),
        stack: Vec::new(),
    };
    roots.visit(&mut |slot| {
        assert!(*slot >> 32 == 0, "heap verification: V1: root {:#x} is not zero-extended", *slot);
        tracer.reach(*slot as u32, "a root", 0);
    });
    loop {
        while let Some(object) = tracer.stack.pop() {
            tracer.check(object);
        }
        if !tracer.follow_pairs() {
            break;
        }
    }
    let memory = heap.space.memory;
    if let Err(broken) = heap.weak.check_recent(|object| memory.role_at(object) & role::YOUNG != 0) {
        panic!("heap verification: {broken}");
    }
}

/// Everything reachable from the roots, found without the collector's help.
pub(crate) fn reachable(heap: &Heap, roots: &mut dyn Roots) -> HashSet<u32> {
    let memory = heap.space.memory;
    let (mut visited, mut stack) = (HashSet::new(), Vec::new());
    roots.visit(&mut |slot| stack.push(*slot as u32));
    while let Some(object) = stack.pop() {
        if object != 0 && visited.insert(object) {
            let word = memory.word(object);
            stack.extend((0..heap.shapes.descriptor(word).refs(word)).map(|index| memory.slot(object, index)));
        }
    }
    visited
}

struct Tracer<'h> {
    heap: &'h Heap,
    logged: HashSet<Entry>,
    retained: HashSet<Entry>,
    visited: HashSet<u32>,
    stack: Vec<u32>,
}

impl Tracer<'_> {
    fn space(&self) -> &Space {
        &self.heap.space
    }

    /// Reaches the values of weak pairs whose holder and key were; true if there was a new one. Checks of the others that
    /// they name objects.
    fn follow_pairs(&mut self) -> bool {
        let before = self.visited.len();
        let heap = self.heap;
        for object in heap.weak.objects() {
            self.check_place(object, "a weak entry", 0);
        }
        for [holder, key, value] in heap.weak.all_pairs() {
            if self.visited.contains(&holder) && self.visited.contains(&key) {
                self.reach(value, "a weak pair", holder);
            }
        }
        self.visited.len() > before
    }

    /// Checks a reference and queues its object.
    fn reach(&mut self, object: u32, whence: &str, from: u32) {
        if object == 0 || self.visited.contains(&object) {
            return;
        }
        self.check_place(object, whence, from);
        self.visited.insert(object);
        self.stack.push(object);
    }

    /// Checks that a reference points into a region in use.
    fn check_place(&self, object: u32, whence: &str, from: u32) {
        let memory = self.space().memory;
        let granule = object >> crate::memory::GRANULE_SHIFT;
        assert!(
            granule < memory.granules(),
            "heap verification: V1: {whence} ({from:#x}) refers to {object:#x}, beyond the heap"
        );
        let kind = role::of(memory.role(granule));
        assert!(
            kind != role::FREE && kind != role::CONTEXT,
            "heap verification: V1: {whence} ({from:#x}) refers to {object:#x} in a free region"
        );
        let head = self.space().head_of(object);
        let top = self.space().region(head).top;
        assert!(
            object < top,
            "heap verification: V1: {whence} ({from:#x}) refers to {object:#x} above its region's top {top:#x}"
        );
    }

    fn check(&mut self, object: u32) {
        let memory = self.space().memory;
        let word = memory.word(object);
        let name = |heap: &Heap| heap.shapes.name(ShapeId(header::shape(word))).unwrap_or_default();
        assert!(
            self.heap.shapes.get(ShapeId(header::shape(word))).is_some(),
            "heap verification: V1: {object:#x} has header {word:#x} without a shape"
        );
        assert!(header::is_untouched(word), "heap verification: V2: {object:#x} has forwarding header {word:#x}");
        let descriptor = self.heap.shapes.descriptor(word);
        let head = self.space().head_of(object);
        let (words, end) = (descriptor.words(word), self.space().region(head).top);
        assert!(
            u64::from(object) + u64::from(words) <= u64::from(end),
            "heap verification: V2: {object:#x} leaves its region"
        );

        let byte = memory.role_at(object);
        let (kind, refs) = (role::of(byte), descriptor.refs(word));
        let young = byte & role::YOUNG != 0;
        let tenured = kind == role::OLD || kind == role::LARGE;
        if young || kind == role::PERMANENT {
            assert!(!header::is_armed(word), "heap verification: V3: young {} {object:#x} is armed", name(self.heap));
        }
        if tenured {
            let logged = self.logged.contains(&Entry::whole(object));
            assert!(
                header::is_armed(word) != logged,
                "heap verification: V3: old {} {object:#x} is neither armed nor logged, or both",
                name(self.heap)
            );
            assert!(
                !self.heap.is_in(Phase::Trace) || memory.is_below_mark_limit(object) || memory.is_marked(object),
                "heap verification: V7: {object:#x} became old while marking traces, and is not marked"
            );
        }
        let chunked = descriptor.is_ref_array() && is_chunked_at(object, refs);
        assert!(
            !header::is_chunked(word) || tenured && chunked,
            "heap verification: V3: {object:#x} is chunked where it must not be"
        );
        for index in 0..refs {
            let target = memory.slot(object, index);
            if target == 0 {
                continue;
            }
            self.reach(target, &name(self.heap), object);
            let target_byte = memory.role_at(target);
            let by_chunk = Entry::of_slot(object, u64::from(index));
            if header::is_chunked(word) {
                assert!(
                    (memory.logged_array(by_chunk.chunk) == object) == self.logged.contains(&by_chunk),
                    "heap verification: V3: a chunk of {object:#x} is neither armed nor logged, or both"
                );
            }
            let entries = [Entry::whole(object), by_chunk];
            // Where entries did not fit, the next pause asks for none.
            let known = tenured && !self.heap.entries_lost;
            if known && target_byte & role::YOUNG != 0 {
                assert!(
                    entries.iter().any(|entry| self.retained.contains(entry) || self.logged.contains(entry)),
                    "heap verification: V4: old {} {object:#x} refers to young {target:#x} and is not retained",
                    name(self.heap)
                );
            }
            if known && target_byte & role::CANDIDATE != 0 && self.heap.candidates.are_complete() {
                assert!(
                    entries.iter().any(|entry| self.logged.contains(entry))
                        || self.heap.candidates.knows(self.space(), &entries, target),
                    "heap verification: V5: candidate of {target:#x} does not know {} {object:#x}",
                    name(self.heap)
                );
            }
            if known && target_byte & role::WATCHED != 0 {
                assert!(
                    entries.iter().any(|entry| self.logged.contains(entry))
                        || self.heap.incoming.knows(self.space(), &entries, target),
                    "heap verification: V9: the incoming set of {target:#x} does not know {} {object:#x}",
                    name(self.heap)
                );
            }
            if kind == role::PERMANENT {
                assert!(
                    role::of(target_byte) == role::PERMANENT,
                    "heap verification: V6: permanent {object:#x} refers to {target:#x}"
                );
            }
        }
    }
}
