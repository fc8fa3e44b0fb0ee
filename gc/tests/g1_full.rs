//! G1's row "full collection": parallel mark-compact in four phases that skips nearly full regions.

mod support;

use std::sync::{Arc, Mutex};

use support::{Double, FakeClock, Operation, Random};
use tenure_gc::policy::{CycleKind, Overrides, Static};
use tenure_gc::{Collect, Heap, HeapConfig, Observer, PausePhase, PauseReport, Ref, Shape, ShapeTable};

const MIB: u64 = 1 << 20;

#[test]
fn any_number_of_workers_compacts_to_the_same_graph() {
    for (seed, mode) in
        ["full:64K", "full:256K,copyfail:7", "full:128K,markstack", "full:96K,commitfail:9"].into_iter().enumerate()
    {
        for workers in 1..=4 {
            let mut random = Random::new(seed as u64 + 100 * workers);
            let config = HeapConfig {
                verify: true,
                zeal: format!("{mode},workers:{workers}").parse().expect("zeal"),
                clock: Box::new(FakeClock::default()),
                ..HeapConfig::new(48 * MIB)
            };
            let policy = Static::new(Overrides { young_bytes: Some(MIB), ..Overrides::default() });
            let mut double = Double::new(config, Box::new(policy));
            for step in 0..600 {
                double.run(&Operation::random(&mut random));
                if step % 50 == 0 {
                    double.check();
                }
            }
            double.check();
            let full = double.heap.stats().pauses_by_kind[CycleKind::Full as usize];
            assert!(full > 10, "{mode}: {full} full collections");
        }
    }
}

#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<PauseReport>>>);

impl Observer for Told {
    fn pause(&mut self, report: &PauseReport) {
        self.0.lock().expect("no panic").push(*report);
    }
}

/// Byte arrays in a table of references, old after a first full collection.
struct Blocks {
    heap: Heap,
    roots: Vec<u64>,
    told: Told,
    count: u64,
}

const BLOCK_BYTES: u64 = 1000;

impl Blocks {
    fn new(limit_bytes: u64, count: u64, workers: usize) -> Blocks {
        let shapes = Arc::new(ShapeTable::new());
        let (refs, bytes) = (shapes.push(Shape::RefArray, "Refs"), shapes.push(Shape::ByteArray, "Bytes"));
        let zeal = format!("workers:{workers},verify").parse().expect("zeal");
        let config = HeapConfig { zeal, ..HeapConfig::new(limit_bytes) };
        let policy = Static::new(Overrides { young_bytes: Some(4 * MIB), ..Overrides::default() });
        let mut heap = Heap::new(config, shapes, Box::new(policy)).expect("a heap");
        let told = Told::default();
        heap.add_observer(Box::new(told.clone()));
        let mut roots = vec![0_u64];
        roots[0] = u64::from(heap.allocate_array(refs, count, &mut roots).expect("room").index());
        for slot in 0..count {
            let block = heap.allocate_array(bytes, BLOCK_BYTES, &mut roots).expect("room");
            heap.bytes_mut(block).fill(slot as u8);
            heap.set_ref(Ref::from_index(roots[0] as u32), slot, block);
        }
        let mut blocks = Blocks { heap, roots, told, count };
        blocks.collect();
        blocks
    }

    fn table(&self) -> Ref {
        Ref::from_index(self.roots[0] as u32)
    }

    fn collect(&mut self) {
        self.heap.collect(Collect::Full, &mut self.roots);
    }

    fn places(&self) -> Vec<Ref> {
        (0..self.count).map(|slot| self.heap.ref_at(self.table(), slot)).collect()
    }

    fn drop_where(&mut self, is_dropped: impl Fn(u64) -> bool) {
        let table = self.table();
        (0..self.count).filter(|slot| is_dropped(*slot)).for_each(|slot| self.heap.set_ref(table, slot, Ref::NIL));
    }

    fn check(&self) {
        for (slot, block) in self.places().into_iter().enumerate().filter(|(_, block)| !block.is_nil()) {
            assert!(self.heap.bytes(block).iter().all(|byte| *byte == slot as u8));
        }
    }

    fn last(&self) -> PauseReport {
        *self.told.0.lock().expect("no panic").last().expect("a pause")
    }
}

#[test]
fn nearly_full_regions_stay_where_they_are() {
    for workers in 1..=3 {
        let mut blocks = Blocks::new(256 * MIB, 60_000, workers);
        // Every second one dies, so that the others are packed: each worker leaves one region open, and all others full.
        blocks.drop_where(|slot| slot % 2 == 0);
        blocks.collect();
        let moved = blocks.last().snapshot.compacted_bytes;
        assert!(moved > 20 * MIB, "{moved} bytes moved");
        // One in fifty of these dies, everywhere: that is not worth moving the others, but for those in the open regions.
        let open_bytes = workers as u64 * MIB;
        blocks.drop_where(|slot| slot % 100 == 1);
        let before = blocks.places();
        blocks.collect();
        let moved = blocks.last().snapshot.compacted_bytes;
        assert!(moved <= open_bytes, "{moved} bytes moved");
        let stayed = before.iter().zip(blocks.places()).filter(|(before, after)| !after.is_nil() && **before == *after);
        let stayed = stayed.count() as u64;
        assert!(stayed >= 29_400 - open_bytes / BLOCK_BYTES, "{stayed} stayed");
        blocks.check();
        // One in five is.
        blocks.drop_where(|slot| slot % 10 == 3);
        blocks.collect();
        let moved = blocks.last().snapshot.compacted_bytes;
        assert!(moved > 20 * MIB, "{moved} bytes moved");
        blocks.check();
    }
}

#[test]
fn where_room_is_short_they_are_compacted_all_the_same() {
    for workers in 1..=3 {
        // 30 MB live; what stays dead in nearly full regions would be a good part of what is left of the limit.
        let mut blocks = Blocks::new(34 * MIB, 30_000, workers);
        blocks.drop_where(|slot| slot % 50 == 0);
        blocks.collect();
        let moved = blocks.last().snapshot.compacted_bytes;
        assert!(moved > 10 * MIB, "{moved} bytes moved");
        let old_bytes = blocks.heap.snapshot().old_bytes;
        assert!(old_bytes < 30_000 * (BLOCK_BYTES + 8) / 50 * 49 + 2 * MIB, "{old_bytes} bytes are left");
        blocks.check();
    }
}

#[test]
fn its_four_phases_are_told() {
    let blocks = Blocks::new(256 * MIB, 30_000, 3);
    let report = blocks.last();
    assert_eq!(report.kind, CycleKind::Full);
    for phase in [PausePhase::Mark, PausePhase::Plan, PausePhase::Redirect, PausePhase::Slide] {
        assert!(report.phases.sum_ns(phase) > 0, "{phase:?}");
    }
    assert!(report.critical_cpu_ns <= report.user_ns + report.system_ns);
}
