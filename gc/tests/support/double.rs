//! A heap and its double: every operation is done on both, and what the program can see of them must be the same.
//!
//! The double is a plain map of nodes that nothing moves and nothing frees before the program has lost it. What is only
//! weakly reachable may be gone from the heap or not, until a full collection; what is reachable must be there.
//!
//! It must never look at what the collector found.

use std::cell::Cell;
use std::collections::{HashMap, HashSet, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tenure_gc::policy::Policy;
use tenure_gc::{
    Collect, FLAGS_BYTE_OFFSET, Handle, Heap, HeapConfig, LOG_BIT, Local, Mutator, OutOfMemory, Pin, Ref, Scope,
    ShapeId, WeakId,
};

use super::Shapes;

pub type NodeId = usize;

/// Roots that operations choose from.
pub const ROOTS: usize = 12;
/// A root for the time of one operation.
pub(super) const SCRATCH: usize = ROOTS;
/// The root of a list's head, while it grows.
pub(super) const HEAD: usize = ROOTS + 1;
/// The root that holds the long-lived table.
pub(super) const TABLE: usize = ROOTS + 2;
pub(super) const TABLE_LEN: usize = 1500;
/// Most of each kind of thing that native code holds.
const HELD_MAX: usize = 24;
const WEAK_MAX: usize = 300;

/// An object of the reference heap.
enum Node {
    Record { shape: ShapeId, refs: Vec<Option<NodeId>>, word: u64 },
    Refs(Vec<Option<NodeId>>),
    Words(u64, usize),
    Bytes(u8, usize),
}

impl Node {
    fn refs(&self) -> &[Option<NodeId>] {
        match self {
            Node::Record { refs, .. } | Node::Refs(refs) => refs,
            Node::Words(..) | Node::Bytes(..) => &[],
        }
    }
}

struct Weak {
    holder: NodeId,
    target: NodeId,
    id: WeakId,
}

/// Counts its drops.
struct Counted(Arc<AtomicU64>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A heap and its double.
pub struct Double {
    pub heap: Heap,
    pub shapes: Shapes,
    pub roots: Vec<u64>,
    pub model_roots: Vec<Option<NodeId>>,
    pub out_of_memory: Rc<Cell<u64>>,
    nodes: HashMap<NodeId, Node>,
    next: NodeId,
    handles: Vec<(Handle, NodeId)>,
    scopes: Vec<(Scope, Vec<(Local, NodeId)>)>,
    pins: Vec<(Pin, Ref, NodeId)>,
    weak: Vec<Weak>,
    pairs: HashMap<(NodeId, NodeId), NodeId>,
    resources: Vec<(NodeId, Arc<AtomicU64>)>,
    host_bytes: u64,
}

fn object(word: u64) -> Ref {
    Ref::from_index(word as u32)
}

impl Double {
    pub fn new(config: HeapConfig, policy: Box<dyn Policy>) -> Double {
        let roots = TABLE + 1;
        let shapes = Shapes::new();
        let heap = Heap::new(config, shapes.table.clone(), policy).expect("a heap");
        Double {
            heap,
            shapes,
            roots: vec![0; roots],
            model_roots: vec![None; roots],
            out_of_memory: Rc::default(),
            nodes: HashMap::new(),
            next: 0,
            handles: Vec::new(),
            scopes: Vec::new(),
            pins: Vec::new(),
            weak: Vec::new(),
            pairs: HashMap::new(),
            resources: Vec::new(),
            host_bytes: 0,
        }
    }

    fn at(&self, root: usize) -> Ref {
        object(self.roots[root])
    }

    // -- allocation

    /// Allocates as compiled code does: in line if the window has room.
    fn inline(&mut self, shape: ShapeId, words: u64) -> Option<Ref> {
        let window = self.heap.base().cast::<Mutator>();
        // SAFETY: the Mutator is at the heap's base, and between pauses it belongs to the program.
        unsafe {
            let Mutator { top, limit } = window.read();
            if top + words > limit {
                return None;
            }
            window.write(Mutator { top: top + words, limit });
            let object = self.heap.base().cast::<u64>().add(top as usize);
            object.write(u64::from(shape.index()));
            for i in 1..words as usize {
                object.add(i).write(0);
            }
            Some(Ref::from_index(top as u32))
        }
    }

    pub(super) fn record(&mut self, shape: ShapeId, words: u64) -> Option<Ref> {
        if let Some(object) = self.inline(shape, words) {
            return Some(object);
        }
        let object = self.heap.allocate_record(shape, &mut self.roots);
        self.count_failure(object)
    }

    fn count_failure<T>(&self, result: Result<T, OutOfMemory>) -> Option<T> {
        if result.is_err() {
            self.out_of_memory.set(self.out_of_memory.get() + 1);
        }
        result.ok()
    }

    fn install(&mut self, root: usize, object: Option<Ref>, node: Node) -> bool {
        let Some(object) = object else { return false };
        self.nodes.insert(self.next, node);
        self.roots[root] = u64::from(object.index());
        self.model_roots[root] = Some(self.next);
        self.next += 1;
        true
    }

    /// A new record in a root; its references are nil. False when out of memory.
    pub fn new_record(&mut self, root: usize, wide: bool, word: u64) -> bool {
        let (shape, refs, words) = if wide { (self.shapes.wide, 5, 7) } else { (self.shapes.pair, 2, 3) };
        let object = self.record(shape, words);
        if let Some(object) = object {
            self.heap.set_word(object, words - 2, word);
        }
        self.install(root, object, Node::Record { shape, refs: vec![None; refs], word })
    }

    pub fn new_refs(&mut self, root: usize, len: usize) -> bool {
        let object = self.heap.allocate_array(self.shapes.refs, len as u64, &mut self.roots);
        let object = self.count_failure(object);
        self.install(root, object, Node::Refs(vec![None; len]))
    }

    pub fn new_bytes(&mut self, root: usize, len: usize, byte: u8) -> bool {
        let object = self.heap.allocate_array(self.shapes.bytes, len as u64, &mut self.roots);
        let object = self.count_failure(object);
        if let Some(object) = object {
            assert!(self.heap.bytes(object).iter().all(|b| *b == 0), "new arrays are zeroed");
            self.heap.bytes_mut(object).fill(byte);
        }
        self.install(root, object, Node::Bytes(byte, len))
    }

    pub fn new_words(&mut self, root: usize, len: usize, word: u64) -> bool {
        let object = self.heap.allocate_array(self.shapes.words, len as u64, &mut self.roots);
        let object = self.count_failure(object);
        if let Some(object) = object {
            (0..len as u64).for_each(|i| self.heap.set_word(object, i, word ^ i));
        }
        self.install(root, object, Node::Words(word, len))
    }

    // -- loads and stores

    fn slots(&mut self, id: NodeId) -> &mut [Option<NodeId>] {
        match self.nodes.get_mut(&id) {
            Some(Node::Record { refs, .. } | Node::Refs(refs)) => refs,
            _ => &mut [],
        }
    }

    /// Stores root `from` into slot `slot` (modulo their number) of the object in root `into`.
    pub fn store(&mut self, into: usize, slot: usize, from: Option<usize>) {
        let Some(id) = self.model_roots[into] else { return };
        let value = from.and_then(|from| self.model_roots[from]);
        let slots = self.slots(id);
        if slots.is_empty() {
            return;
        }
        let slot = slot % slots.len();
        slots[slot] = value;
        let value = from.map_or(Ref::NIL, |from| self.at(from));
        self.heap.set_ref(self.at(into), slot as u64, value);
    }

    /// Loads slot `slot` of the object in root `from` into root `into`.
    pub fn load(&mut self, into: usize, from: usize, slot: usize) {
        let Some(id) = self.model_roots[from] else { return };
        let slots = self.slots(id);
        if slots.is_empty() {
            return;
        }
        let slot = slot % slots.len();
        self.model_roots[into] = slots[slot];
        let loaded = self.heap.ref_at(self.at(from), slot as u64);
        self.roots[into] = u64::from(loaded.index());
    }

    /// Loads a slot of an array into the root that held the array.
    pub fn unwrap(&mut self, root: usize, slot: usize) {
        if let Some((root, ..)) = self.array_from(root).filter(|(root, ..)| *root != TABLE) {
            self.load(root, root, slot);
        }
    }

    pub fn clear(&mut self, root: usize) {
        self.roots[root] = 0;
        self.model_roots[root] = None;
    }

    /// The first root from `start` on that holds an array of references with elements, and its length.
    fn array_from(&self, start: usize) -> Option<(usize, NodeId, usize)> {
        (0..=TABLE).map(|step| (start + step) % (TABLE + 1)).find_map(|root| {
            let id = self.model_roots[root]?;
            match &self.nodes[&id] {
                Node::Refs(refs) if !refs.is_empty() => Some((root, id, refs.len())),
                _ => None,
            }
        })
    }

    /// Copies up to `count` references between arrays, as native code does.
    pub fn copy(&mut self, to: usize, at: usize, from: usize, start: usize, count: usize) {
        let (Some((to, to_id, to_len)), Some((from, from_id, from_len))) = (self.array_from(to), self.array_from(from))
        else {
            return;
        };
        let (at, start) = (at % to_len, start % from_len);
        let count = count.min(to_len - at).min(from_len - start);
        let copied = self.nodes[&from_id].refs()[start..start + count].to_vec();
        self.slots(to_id)[at..at + count].copy_from_slice(&copied);
        self.heap.copy_refs(self.at(to), at as u64, self.at(from), start as u64, count as u64);
    }

    /// Fills up to `count` slots of an array, as native code does.
    pub fn fill(&mut self, into: usize, at: usize, count: usize, from: Option<usize>) {
        let Some((into, id, len)) = self.array_from(into) else { return };
        let at = at % len;
        let count = count.min(len - at);
        let value = from.and_then(|from| self.model_roots[from]);
        self.slots(id)[at..at + count].fill(value);
        let value = from.map_or(Ref::NIL, |from| self.at(from));
        self.heap.fill_refs(self.at(into), at as u64..(at + count) as u64, value);
    }

    // -- what native code holds

    pub fn hold(&mut self, root: usize) {
        if let Some(id) = self.model_roots[root].filter(|_| self.handles.len() < HELD_MAX) {
            let handle = self.heap.handle(self.at(root));
            self.handles.extend(self.count_failure(handle).map(|handle| (handle, id)));
        }
    }

    /// Lets a handle go and puts its object into a root.
    pub fn let_go(&mut self, which: usize, into: usize) {
        if !self.handles.is_empty() {
            let (handle, id) = self.handles.swap_remove(which % self.handles.len());
            self.roots[into] = u64::from(self.heap.of_handle(handle).index());
            self.model_roots[into] = Some(id);
            self.heap.let_go(handle);
        }
    }

    pub fn open_scope(&mut self) {
        if self.scopes.len() < HELD_MAX {
            self.scopes.push((self.heap.open_scope(), Vec::new()));
        }
    }

    pub fn local(&mut self, root: usize) {
        let (Some(id), Some((_, locals))) = (self.model_roots[root], self.scopes.last()) else { return };
        if locals.len() < HELD_MAX {
            let local = self.heap.local(self.at(root));
            let local = self.count_failure(local);
            self.scopes.last_mut().expect("seen above").1.extend(local.map(|local| (local, id)));
        }
    }

    pub fn close_scope(&mut self) {
        if let Some((scope, _)) = self.scopes.pop() {
            self.heap.close_scope(scope);
        }
    }

    pub fn pin(&mut self, root: usize) {
        if let Some(id) = self.model_roots[root].filter(|_| self.pins.len() < HELD_MAX / 4) {
            let place = self.at(root);
            let pin = self.heap.pin(place);
            self.pins.extend(self.count_failure(pin).map(|pin| (pin, place, id)));
        }
    }

    pub fn unpin(&mut self, which: usize) {
        if !self.pins.is_empty() {
            let (pin, ..) = self.pins.swap_remove(which % self.pins.len());
            self.heap.unpin(pin);
        }
    }

    // -- weak things and resources

    pub fn new_weak(&mut self, holder: usize, target: usize) {
        let (Some(h), Some(t)) = (self.model_roots[holder], self.model_roots[target]) else { return };
        if self.weak.len() < WEAK_MAX {
            let id = self.heap.new_weak(self.at(holder), self.at(target));
            if let Some(id) = self.count_failure(id) {
                self.weak.push(Weak { holder: h, target: t, id });
            }
        }
    }

    /// Reads one of the weak references of a root's object into a root.
    pub fn read_weak(&mut self, holder: usize, which: usize, into: usize) {
        let mine: Vec<usize> =
            (0..self.weak.len()).filter(|at| Some(self.weak[*at].holder) == self.model_roots[holder]).collect();
        if mine.is_empty() {
            return;
        }
        let Weak { target, id, .. } = self.weak[mine[which % mine.len()]];
        let read = self.heap.weak_target(self.at(holder), id);
        if read.is_nil() {
            assert!(!self.reachable(false).contains(&target), "a weak reference to live node {target} was cleared");
            self.weak.retain(|weak| weak.id != id);
        }
        self.roots[into] = u64::from(read.index());
        self.model_roots[into] = (!read.is_nil()).then_some(target);
    }

    pub fn set_pair(&mut self, holder: usize, key: usize, value: usize) {
        let ids = (self.model_roots[holder], self.model_roots[key], self.model_roots[value]);
        let (Some(h), Some(k), Some(v)) = ids else { return };
        if self.pairs.len() < WEAK_MAX {
            let set = self.heap.set_weak_pair(self.at(holder), self.at(key), self.at(value));
            if self.count_failure(set).is_some() {
                self.pairs.insert((h, k), v);
            }
        }
    }

    /// Reads the value of a pair into a root.
    pub fn read_pair(&mut self, holder: usize, key: usize, into: usize) {
        let (Some(h), Some(k)) = (self.model_roots[holder], self.model_roots[key]) else { return };
        let value = self.heap.weak_pair(self.at(holder), self.at(key));
        self.model_roots[into] = self.pairs.get(&(h, k)).copied();
        self.roots[into] = u64::from(value.index());
        assert_eq!(value.is_nil(), self.model_roots[into].is_none(), "the value of a pair");
    }

    pub fn remove_pair(&mut self, holder: usize, key: usize) {
        let (Some(h), Some(k)) = (self.model_roots[holder], self.model_roots[key]) else { return };
        let removed = self.heap.remove_weak_pair(self.at(holder), self.at(key));
        assert_eq!(removed, self.pairs.remove(&(h, k)).is_some(), "whether there was a pair");
    }

    /// Gives a root's object a resource.
    pub fn add_resource(&mut self, holder: usize, bytes: u64) {
        let drops = Arc::new(AtomicU64::new(0));
        let added = self.heap.add_resource(Box::new(Counted(drops.clone())), bytes, &mut self.roots);
        let Some(resource) = self.count_failure(added) else { return };
        let owned = match self.model_roots[holder] {
            Some(id) => {
                let owned = self.heap.own_resource(self.at(holder), resource);
                self.count_failure(owned).map(|owned| (owned, id))
            }
            None => None,
        };
        match owned {
            Some((owned, id)) => {
                assert!(owned, "a new resource has no holder yet");
                self.resources.push((id, drops));
            }
            None => drop(self.heap.take_resource(resource)),
        }
    }

    /// Counts so many bytes of the host's own from now on.
    pub fn set_host_bytes(&mut self, bytes: u64) {
        if bytes > self.host_bytes {
            let added = self.heap.add_host_bytes(bytes - self.host_bytes, &mut self.roots);
            if self.count_failure(added).is_none() {
                return;
            }
        } else {
            self.heap.remove_host_bytes(self.host_bytes - bytes);
        }
        self.host_bytes = bytes;
    }

    /// The program ends: it holds nothing any more.
    pub fn let_everything_go(&mut self) {
        (0..self.roots.len()).for_each(|root| self.clear(root));
        while let Some((handle, _)) = self.handles.pop() {
            self.heap.let_go(handle);
        }
        while let Some((pin, ..)) = self.pins.pop() {
            self.heap.unpin(pin);
        }
        while !self.scopes.is_empty() {
            self.close_scope();
        }
        self.set_host_bytes(0);
        // Nothing is reachable. The table goes too: what the largest program made of it is not the heap's memory.
        self.nodes = HashMap::new();
    }

    // -- collections and comparisons

    pub fn collect(&mut self, kind: Collect) {
        self.heap.collect(kind, &mut self.roots);
        if kind == Collect::Full {
            self.forget_exactly();
        }
    }

    /// The program waits for long.
    pub fn idle(&mut self) {
        self.heap.idle(&mut self.roots);
    }

    pub fn is_armed(&self, object: Ref) -> bool {
        // SAFETY: the object is live; its flag byte is where the contract says.
        let flags = unsafe { self.heap.base().add(object.index() as usize * 8 + FLAGS_BYTE_OFFSET).read() };
        flags & LOG_BIT != 0
    }

    /// Everything that holds an object, with where the heap says it is.
    fn held(&self) -> Vec<(NodeId, Ref)> {
        let roots = self.model_roots.iter().zip(&self.roots);
        let mut held: Vec<_> = roots.filter_map(|(id, word)| Some(((*id)?, object(*word)))).collect();
        held.extend(self.handles.iter().map(|(handle, id)| (*id, self.heap.of_handle(*handle))));
        let locals = self.scopes.iter().flat_map(|(_, locals)| locals);
        held.extend(locals.map(|(local, id)| (*id, self.heap.of_local(*local))));
        held.extend(self.pins.iter().map(|(pin, _, id)| (*id, self.heap.of_pin(pin))));
        held
    }

    /// What the program can reach; `weakly`, also what it can reach as long as the collector has not found it dead.
    fn reachable(&self, weakly: bool) -> HashSet<NodeId> {
        let mut found = HashSet::new();
        let mut stack: Vec<NodeId> = self.held().into_iter().map(|(id, _)| id).collect();
        loop {
            while let Some(id) = stack.pop() {
                if found.insert(id) {
                    stack.extend(self.nodes[&id].refs().iter().flatten());
                }
            }
            let kept =
                self.pairs.iter().filter(|((h, k), v)| found.contains(h) && found.contains(k) && !found.contains(*v));
            stack.extend(kept.map(|(_, value)| *value));
            if weakly {
                let targets = self.weak.iter().filter(|weak| found.contains(&weak.holder));
                stack.extend(targets.map(|weak| weak.target).filter(|target| !found.contains(target)));
            }
            if stack.is_empty() {
                return found;
            }
        }
    }

    /// After a full collection nothing is left of what is dead.
    fn forget_exactly(&mut self) {
        let live = self.reachable(false);
        let (heap, roots) = (&mut self.heap, self.model_roots.iter().zip(&self.roots));
        let places: HashMap<NodeId, Ref> = roots.filter_map(|(id, word)| Some(((*id)?, object(*word)))).collect();
        self.weak.retain(|weak| {
            if let Some(holder) = places.get(&weak.holder) {
                let cleared = heap.weak_target(*holder, weak.id).is_nil();
                assert_eq!(!cleared, live.contains(&weak.target), "a weak reference after a full collection");
            }
            live.contains(&weak.holder) && live.contains(&weak.target)
        });
        self.pairs.retain(|(holder, key), _| live.contains(holder) && live.contains(key));
        self.resources.retain(|(holder, drops)| {
            let dead = !live.contains(holder);
            assert_eq!(drops.load(Ordering::Relaxed), u64::from(dead), "drops of a resource after a full collection");
            !dead
        });
        self.nodes.retain(|id, _| live.contains(id));
    }

    /// The heap's own count of what the program can reach.
    pub fn census(&mut self) {
        let counted: u64 = self.heap.census(&mut self.roots).iter().map(|line| line.objects).sum();
        assert_eq!(counted, self.reachable(false).len() as u64, "objects that the census counts");
    }

    /// Compares everything reachable, and forgets what is not.
    pub fn check(&mut self) {
        let mut places: HashMap<NodeId, Ref> = HashMap::new();
        let mut queue = VecDeque::new();
        let meet = |places: &mut HashMap<NodeId, Ref>, queue: &mut VecDeque<NodeId>, id: Option<NodeId>, at: Ref| {
            let Some(id) = id else { return assert!(at.is_nil(), "nil became {at:?}") };
            match places.get(&id) {
                Some(place) => assert_eq!(*place, at, "node {id} is in two places"),
                None => {
                    assert!(!at.is_nil(), "node {id} became nil");
                    places.insert(id, at);
                    queue.push_back(id);
                }
            }
        };
        for (id, at) in self.held() {
            meet(&mut places, &mut queue, Some(id), at);
        }
        for (pin, place, _) in &self.pins {
            assert_eq!(self.heap.of_pin(pin), *place, "a pinned object moved");
        }
        loop {
            while let Some(id) = queue.pop_front() {
                let at = places[&id];
                self.check_node(id, at);
                for (slot, target) in self.nodes[&id].refs().iter().enumerate() {
                    meet(&mut places, &mut queue, *target, self.heap.ref_at(at, slot as u64));
                }
            }
            let heap = &mut self.heap;
            for ((holder, key), value) in &self.pairs {
                if let (Some(h), Some(k), None) = (places.get(holder), places.get(key), places.get(value)) {
                    let at = heap.weak_pair(*h, *k);
                    meet(&mut places, &mut queue, Some(*value), at);
                }
            }
            if queue.is_empty() {
                break;
            }
        }
        let distinct: HashSet<_> = places.values().collect();
        assert_eq!(distinct.len(), places.len(), "two nodes in one place");
        for (holder, drops) in &self.resources {
            let drops = drops.load(Ordering::Relaxed);
            assert!(drops <= u64::from(!places.contains_key(holder)), "{drops} drops of the resource of node {holder}");
        }
        let kept = self.reachable(true);
        self.nodes.retain(|id, _| kept.contains(id));
        self.weak.retain(|weak| kept.contains(&weak.holder));
        self.pairs.retain(|(holder, key), _| kept.contains(holder) && kept.contains(key));
        self.resources.retain(|(_, drops)| drops.load(Ordering::Relaxed) == 0);
    }

    fn check_node(&self, id: NodeId, at: Ref) {
        match &self.nodes[&id] {
            Node::Record { shape, refs, word } => {
                assert_eq!(self.heap.shape_of(at), *shape);
                let index = if refs.len() == 2 { 1 } else { 5 };
                assert_eq!(self.heap.word_at(at, index), *word, "the word of node {id}");
            }
            Node::Refs(refs) => assert_eq!(self.heap.array_len(at), refs.len() as u64),
            Node::Words(word, len) => {
                assert_eq!(self.heap.array_len(at), *len as u64);
                assert!((0..*len as u64).all(|i| self.heap.word_at(at, i) == word ^ i), "words of node {id} changed");
            }
            Node::Bytes(byte, len) => {
                let bytes = self.heap.bytes(at);
                assert_eq!(bytes.len(), *len);
                assert!(bytes.iter().all(|b| b == byte), "bytes of node {id} changed");
            }
        }
    }
}
