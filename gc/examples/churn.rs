//! Cache churn on the bare heap: a large table whose entries are replaced at random, so that old objects die scattered.
//!
//! `cargo run --release -p tenure-gc --example churn -- 200000 adaptive 256` (entries; policy; limit in MiB)

use std::sync::Arc;

use tenure_gc::log::LogWriter;
use tenure_gc::policy::{Adaptive, Policy, Static};
use tenure_gc::{Clock, Heap, HeapConfig, Ref, Shape, ShapeTable, SystemClock};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default: u64| args.get(at).map_or(default, |text| text.parse().expect("a number"));
    let entries = number(0, 200_000);
    let policy: Box<dyn Policy> = match args.get(1).map_or("adaptive", String::as_str) {
        "static" => Box::<Static>::default(),
        _ => Box::new(Adaptive::new()),
    };
    let table = Arc::new(ShapeTable::new());
    let entry = table.push(Shape::Record { words: 4, refs: 2 }, "Entry");
    let bytes = table.push(Shape::ByteArray, "Bytes");
    let refs = table.push(Shape::RefArray, "Refs");
    // As in `GC_ZEAL=workers:2`.
    let zeal = std::env::var("GC_ZEAL").unwrap_or_default().parse().expect("zeal");
    let mut heap =
        Heap::new(HeapConfig { zeal, ..HeapConfig::new(number(2, 256) << 20) }, table, policy).expect("a heap");
    if std::env::var_os("GC_LOG").is_some() {
        heap.add_observer(Box::new(LogWriter::new(
            Box::new(std::io::stderr()),
            Box::new(|error| eprintln!("{error}")),
        )));
    }
    let mut roots = vec![0u64; 2];
    let cache = heap.allocate_array(refs, entries, &mut roots).expect("room");
    roots[0] = u64::from(cache.index());
    let mut random = 88_172_645_463_325_252u64;
    let mut sum = 0;
    for step in 0..entries * 20 {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let slot = if step < entries { step } else { random % entries };
        let text = heap.allocate_array(bytes, 16 + random % 48, &mut roots).expect("room");
        roots[1] = u64::from(text.index());
        let object = heap.allocate_record(entry, &mut roots).expect("room");
        let (cache, text) = (Ref::from_index(roots[0] as u32), Ref::from_index(roots[1] as u32));
        heap.set_ref(object, 0, text);
        heap.set_word(object, 1, random);
        let before = heap.ref_at(cache, slot);
        if !before.is_nil() {
            sum ^= heap.word_at(before, 1);
        }
        heap.set_ref(cache, slot, object);
    }
    let stats = heap.stats();
    let ms = |ns: u64| ns as f64 * 1e-6;
    println!(
        "{sum:x}: cpu {:.0} ms, collector {:.0} ms, {} pauses {:?}, p50 {:.2} ms, p99 {:.2}, max {:.2}, {} MiB allocated, {} copied, {} marked, {} committed at most, {} remembered entries, {} barrier slow paths",
        ms(SystemClock.thread_cpu_ns()),
        ms(stats.gc_cpu_ns),
        stats.pauses(),
        stats.pauses_by_kind,
        ms(stats.pause_ns_p50()),
        ms(stats.pause_ns_p99()),
        ms(stats.pause_ns_max),
        stats.allocated_bytes >> 20,
        stats.copied_bytes >> 20,
        stats.marked_bytes >> 20,
        stats.committed_bytes_max >> 20,
        stats.remembered_entries,
        stats.barrier_slow_paths,
    );
}
