//! The retained list does not grow from pause to pause: an old array that is written to in every cycle, and points at
//! survivors after each pause, is scanned as often in the hundredth pause as in the tenth.

use std::sync::{Arc, Mutex};

use tenure_gc::policy::{Overrides, Static};
use tenure_gc::{Collect, Heap, HeapConfig, Observer, PauseReport, Ref, Shape, ShapeTable};

struct Entries(Arc<Mutex<Vec<u64>>>);

impl Observer for Entries {
    fn pause(&mut self, report: &PauseReport) {
        self.0.lock().expect("no panic holds it").push(report.snapshot.remembered_entries);
    }
}

#[test]
fn entries_of_an_array_written_in_every_cycle_stay_as_many() {
    const SLOTS: u64 = 4096;
    let shapes = Arc::new(ShapeTable::new());
    let array = shapes.push(Shape::RefArray, "table");
    let record = shapes.push(Shape::Record { words: 2, refs: 1 }, "record");
    let policy = Static::new(Overrides { tenuring_age: Some(15), ..Overrides::default() });
    let mut heap = Heap::new(HeapConfig::new(64 << 20), Arc::clone(&shapes), Box::new(policy)).expect("a heap");
    let entries = Arc::new(Mutex::new(Vec::new()));
    heap.add_observer(Box::new(Entries(Arc::clone(&entries))));
    let mut roots = vec![0];
    roots[0] = u64::from(heap.allocate_array(array, SLOTS, &mut roots).expect("room").index());
    heap.collect(Collect::Full, &mut roots);
    for _ in 0..100 {
        for slot in (0..SLOTS).step_by(64) {
            let object = heap.allocate_record(record, &mut roots).expect("room");
            heap.set_ref(Ref::from_index(roots[0] as u32), slot, object);
        }
        heap.collect(Collect::Young, &mut roots);
    }
    let entries = entries.lock().expect("no panic holds it");
    let (early, late) = (entries[10], entries[entries.len() - 1]);
    assert!(early > 0 && late <= 2 * early, "{early} entries, then {late}");
}
