//! Weak references, weak maps, resources and handles, against what reachability says they must be.

mod support;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use support::{Random, Shapes};
use tenure_gc::policy::Adaptive;
use tenure_gc::{Collect, Heap, HeapConfig, Ref, Roots};

const KINDS: [Collect; 3] = [Collect::Young, Collect::Mark, Collect::Full];

fn heap_with(shapes: &Shapes, zeal: &str) -> Heap {
    let config = HeapConfig { verify: true, zeal: support::zeal(zeal), ..HeapConfig::new(64 << 20) };
    Heap::new(config, shapes.table.clone(), Box::new(Adaptive::new())).expect("a heap")
}

fn pair(heap: &mut Heap, shapes: &Shapes, roots: &mut dyn Roots) -> Ref {
    heap.allocate_record(shapes.pair, roots).expect("room")
}

fn word(object: Ref) -> u64 {
    u64::from(object.index())
}

fn object(word: u64) -> Ref {
    Ref::from_index(word as u32)
}

#[test]
fn a_weak_reference_is_cleared_by_the_pause_that_finds_its_target_dead() {
    let shapes = Shapes::new();
    for kind in KINDS {
        let mut heap = heap_with(&shapes, "");
        let mut roots = vec![0; 2];
        let holder = pair(&mut heap, &shapes, &mut roots);
        roots[0] = word(holder);
        let target = pair(&mut heap, &shapes, &mut roots);
        roots[1] = word(target);
        let holder = object(roots[0]);
        let weak = heap.new_weak(holder, target).unwrap();
        heap.collect(kind, &mut roots);
        assert_eq!(heap.weak_target(object(roots[0]), weak), object(roots[1]), "{kind:?}");
        assert_eq!(heap.weak_target(object(roots[1]), weak), Ref::NIL, "another object's reference");
        roots[1] = 0;
        assert_ne!(heap.weak_target(object(roots[0]), weak), Ref::NIL, "cleared outside a pause");
        // the target may be old by now, so only a marking finds it dead
        heap.collect(if kind == Collect::Young { Collect::Young } else { Collect::Mark }, &mut roots);
        assert_eq!(heap.weak_target(object(roots[0]), weak), Ref::NIL, "{kind:?}");
    }
}

#[test]
fn chains_of_pairs_live_and_die_as_one_and_cost_linear_time() {
    const LINKS: usize = 100_000;
    let shapes = Shapes::new();
    for kind in KINDS {
        let config = HeapConfig::new(256 << 20);
        let mut heap = Heap::new(config, shapes.table.clone(), Box::new(Adaptive::new())).unwrap();
        let scope = heap.open_scope();
        let mut roots = vec![0; 2];
        let links: Vec<_> = (0..=LINKS)
            .map(|i| {
                let link = pair(&mut heap, &shapes, &mut roots);
                heap.set_word(link, 1, i as u64);
                heap.local(link).expect("room")
            })
            .collect();
        let map = pair(&mut heap, &shapes, &mut roots);
        roots[0] = word(map);
        roots[1] = word(heap.of_local(links[0]));
        // the last link first, so that every pair waits for one that comes later
        for i in (0..LINKS).rev() {
            let (key, value) = (heap.of_local(links[i]), heap.of_local(links[i + 1]));
            heap.set_weak_pair(object(roots[0]), key, value).unwrap();
        }
        heap.close_scope(scope);
        let start = Instant::now();
        heap.collect(kind, &mut roots);
        assert!(start.elapsed().as_secs() < 20, "{kind:?} took {:?}: not linear", start.elapsed());
        let (mut at, mut seen) = (object(roots[1]), 0);
        while !at.is_nil() {
            assert_eq!(heap.word_at(at, 1), seen);
            at = heap.weak_pair(object(roots[0]), at);
            seen += 1;
        }
        assert_eq!(seen as usize, LINKS + 1, "{kind:?}");
        let first = object(roots[1]);
        roots[1] = 0;
        heap.collect(Collect::Full, &mut roots);
        assert_eq!(heap.weak_pair(object(roots[0]), first), Ref::NIL);
    }
}

#[test]
fn a_resource_is_dropped_once_after_its_holder() {
    struct Counted(Arc<AtomicU64>, bool);
    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
            assert!(!self.1, "a drop that panics");
        }
    }
    let shapes = Shapes::new();
    let drops = Arc::new(AtomicU64::new(0));
    let dropped = || drops.load(Ordering::Relaxed);
    let mut heap = heap_with(&shapes, "");
    let mut roots = vec![0; 2];
    for panics in [false, true] {
        let before = dropped();
        let counted = Box::new(Counted(drops.clone(), panics));
        let resource = heap.add_resource(counted, 1 << 20, &mut roots).unwrap();
        roots[0] = word(pair(&mut heap, &shapes, &mut roots));
        assert!(heap.own_resource(object(roots[0]), resource).unwrap());
        assert!(!heap.own_resource(object(roots[0]), resource).unwrap(), "it has a holder");
        assert_eq!(heap.host_bytes(), 1 << 20);
        heap.collect(Collect::Young, &mut roots);
        assert!(heap.resource(resource).is_some_and(|r| r.is::<Counted>()));
        roots[0] = 0;
        assert_eq!(dropped(), before);
        heap.collect(Collect::Full, &mut roots);
        assert_eq!(dropped(), before + 1);
        assert!(heap.resource(resource).is_none());
        assert_eq!(heap.host_bytes(), 0);
        assert_eq!(heap.stats().resource_panics, u64::from(panics));
    }
    let resource = heap.add_resource(Box::new(Counted(drops.clone(), false)), 0, &mut roots).unwrap();
    drop(heap.take_resource(resource));
    assert_eq!(dropped(), 3);
    heap.add_resource(Box::new(Counted(drops.clone(), false)), 0, &mut roots).unwrap();
    drop(heap);
    assert_eq!(dropped(), 4);
}

#[test]
fn host_memory_counts_toward_the_limit() {
    let shapes = Shapes::new();
    let mut heap = heap_with(&shapes, "");
    let mut roots = vec![0; 1];
    heap.add_host_bytes(60 << 20, &mut roots).unwrap();
    let error = heap.add_host_bytes(5 << 20, &mut roots).unwrap_err();
    assert_eq!((error.requested_bytes, error.limit_bytes), (5 << 20, 64 << 20));
    assert!(heap.allocate_array(shapes.bytes, 5 << 20, &mut roots).is_err());
    heap.remove_host_bytes(30 << 20);
    assert!(heap.allocate_array(shapes.bytes, 5 << 20, &mut roots).is_ok());
    // a resource that nobody holds makes room
    let resource = heap.add_resource(Box::new(()), 25 << 20, &mut roots).unwrap();
    let holder = pair(&mut heap, &shapes, &mut roots);
    heap.own_resource(holder, resource).unwrap();
    heap.add_host_bytes(20 << 20, &mut roots).unwrap();
}

#[test]
fn handles_hold_objects_where_they_are() {
    let shapes = Shapes::new();
    let mut heap = heap_with(&shapes, "");
    let mut roots: Vec<u64> = Vec::new();
    let scope = heap.open_scope();
    let first = pair(&mut heap, &shapes, &mut roots);
    heap.set_word(first, 1, 7);
    let local = heap.local(first).expect("room");
    let second = pair(&mut heap, &shapes, &mut roots);
    heap.set_word(second, 1, 8);
    let handle = heap.handle(second).expect("room");
    for kind in KINDS {
        heap.collect(kind, &mut roots);
        assert_eq!(heap.word_at(heap.of_local(local), 1), 7);
        assert_eq!(heap.word_at(heap.of_handle(handle), 1), 8);
    }
    heap.close_scope(scope);
    heap.let_go(handle);
    heap.collect(Collect::Full, &mut roots);
    let again = pair(&mut heap, &shapes, &mut roots);
    assert_eq!(heap.handle(again), Ok(handle), "the slot is used again");
}

#[test]
fn pinned_objects_stay_while_everything_around_them_moves() {
    let shapes = Shapes::new();
    for zeal in ["", "young:8K", "move:32K", "mark:16K,copyfail:7", "full:24K", "move:32K,copyfail:5,workers:3"] {
        let mut heap = heap_with(&shapes, zeal);
        let mut random = Random::new(5);
        let mut roots = vec![0_u64; 64];
        let mut pins: Vec<(tenure_gc::Pin, Ref, u64)> = Vec::new();
        for step in 0..6000_u64 {
            let at = random.below(64) as usize;
            let new = heap.allocate_array(shapes.bytes, 1 + random.below(400), &mut roots).expect("room");
            heap.bytes_mut(new)[0] = step as u8;
            let link = pair(&mut heap, &shapes, &mut roots);
            roots[at] = word(link);
            match random.below(40) {
                0 if pins.len() < 20 => {
                    let bytes = heap.allocate_array(shapes.bytes, 100, &mut roots).expect("room");
                    heap.bytes_mut(bytes).fill(step as u8);
                    pins.push((heap.pin(bytes).expect("room"), bytes, step));
                }
                1 if !pins.is_empty() => {
                    let (pin, ..) = pins.swap_remove(random.below(pins.len() as u64) as usize);
                    heap.unpin(pin);
                }
                2 => {
                    // a pinned record is found again through what refers to it, and refers to what moves
                    let record = pair(&mut heap, &shapes, &mut roots);
                    heap.set_ref(record, 0, object(roots[at]));
                    let pin = heap.pin(record).expect("room");
                    heap.collect(KINDS[random.below(3) as usize], &mut roots);
                    assert_eq!(heap.of_pin(&pin), record);
                    assert_eq!(heap.ref_at(record, 0), object(roots[at]));
                    heap.unpin(pin);
                }
                3 => heap.collect(KINDS[random.below(3) as usize], &mut roots),
                _ => {}
            }
            for (pin, place, step) in &pins {
                assert_eq!(heap.of_pin(pin), *place, "{zeal}");
                assert!(heap.bytes(*place).iter().all(|byte| *byte == *step as u8), "{zeal}");
            }
        }
        pins.drain(..).for_each(|(pin, ..)| heap.unpin(pin));
        heap.collect(Collect::Full, &mut roots);
    }
}

/// A random graph with weak references and pairs beside a model of it.
struct Model {
    refs: HashMap<u64, [Option<u64>; 2]>,
    /// Holder, target, and whether the target was seen gone.
    weak: Vec<(u64, u64, tenure_gc::WeakId)>,
    pairs: HashMap<(u64, u64), u64>,
}

impl Model {
    fn reachable(&self, roots: &[Option<u64>]) -> HashSet<u64> {
        let mut found: HashSet<u64> = HashSet::new();
        let mut stack: Vec<u64> = roots.iter().flatten().copied().collect();
        loop {
            while let Some(id) = stack.pop() {
                if found.insert(id) {
                    stack.extend(self.refs[&id].iter().flatten());
                }
            }
            let kept = |((h, k), v): (&(u64, u64), &u64)| {
                (found.contains(h) && found.contains(k) && !found.contains(v)).then_some(*v)
            };
            stack.extend(self.pairs.iter().filter_map(kept));
            if stack.is_empty() {
                return found;
            }
        }
    }
}

fn random_run(seed: u64, zeal: &str) {
    const ROOTS: usize = 24;
    let shapes = Shapes::new();
    let mut heap = heap_with(&shapes, zeal);
    let mut random = Random::new(seed);
    let mut roots = vec![0_u64; ROOTS];
    let mut ids: Vec<Option<u64>> = vec![None; ROOTS];
    let mut model = Model { refs: HashMap::new(), weak: Vec::new(), pairs: HashMap::new() };
    for step in 0..3000_u64 {
        let (a, b, c) = (random.below(24) as usize, random.below(24) as usize, random.below(24) as usize);
        match random.below(20) {
            0..=6 => {
                let new = pair(&mut heap, &shapes, &mut roots);
                heap.set_word(new, 1, step);
                (roots[a], ids[a]) = (word(new), Some(step));
                model.refs.insert(step, [None; 2]);
            }
            7..=9 if roots[a] != 0 => {
                let slot = random.below(2);
                heap.set_ref(object(roots[a]), slot, object(roots[b]));
                model.refs.get_mut(&ids[a].unwrap()).unwrap()[slot as usize] = ids[b];
            }
            10..=12 if roots[a] != 0 && roots[b] != 0 => {
                let weak = heap.new_weak(object(roots[a]), object(roots[b])).unwrap();
                model.weak.push((ids[a].unwrap(), ids[b].unwrap(), weak));
            }
            13..=15 if roots[a] != 0 && roots[b] != 0 && roots[c] != 0 => {
                heap.set_weak_pair(object(roots[a]), object(roots[b]), object(roots[c])).unwrap();
                model.pairs.insert((ids[a].unwrap(), ids[b].unwrap()), ids[c].unwrap());
            }
            16 if roots[a] != 0 && roots[b] != 0 => {
                let removed = heap.remove_weak_pair(object(roots[a]), object(roots[b]));
                let expected = model.pairs.remove(&(ids[a].unwrap(), ids[b].unwrap()));
                assert_eq!(removed, expected.is_some(), "seed {seed} step {step}");
            }
            17 => (roots[a], ids[a]) = (0, None),
            18 => heap.collect(KINDS[random.below(2) as usize], &mut roots),
            _ => {
                // a value may come back out of a weak map
                if roots[a] != 0 && roots[b] != 0 {
                    let value = heap.weak_pair(object(roots[a]), object(roots[b]));
                    let expected = model.pairs.get(&(ids[a].unwrap(), ids[b].unwrap())).copied();
                    let found = (!value.is_nil()).then(|| heap.word_at(value, 1));
                    assert_eq!(found, expected, "seed {seed} step {step}");
                    (roots[c], ids[c]) = (word(value), expected);
                }
            }
        }
        if step % 200 == 199 {
            heap.collect(Collect::Full, &mut roots);
            let live = model.reachable(&ids);
            model.pairs.retain(|(h, k), _| live.contains(h) && live.contains(k));
            model.weak.retain(|(h, ..)| live.contains(h));
            model.refs.retain(|id, _| live.contains(id));
            for i in 0..ROOTS {
                let Some(id) = ids[i] else { continue };
                for (_, target, weak) in model.weak.iter().filter(|(h, ..)| *h == id) {
                    let found = heap.weak_target(object(roots[i]), *weak);
                    let found = (!found.is_nil()).then(|| heap.word_at(found, 1));
                    assert_eq!(found, live.contains(target).then_some(*target), "seed {seed} step {step}");
                }
            }
            model.weak.retain(|(_, target, _)| live.contains(target));
        }
    }
}

#[test]
fn a_random_graph_keeps_exactly_what_it_must() {
    for seed in 1..=12 {
        for zeal in ["", "young:8K", "mark:16K,copyfail:7", "move:32K", "full:24K,commitfail:5", "mark:16K,workers:3"] {
            random_run(seed, zeal);
        }
    }
}

#[test]
fn resources_that_are_taken_out_leave_nothing_behind() {
    let shapes = Shapes::new();
    let mut heap = heap_with(&shapes, "");
    let mut roots: Vec<u64> = Vec::new();
    let mut take = |count: u64| {
        for _ in 0..count {
            let resource = heap.add_resource(Box::new(()), 0, &mut roots).expect("room");
            assert!(heap.take_resource(resource).is_some());
        }
        heap.stats().metadata_bytes
    };
    let before = take(10);
    assert_eq!(take(10_000), before);
}
