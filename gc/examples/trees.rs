//! Binary trees on the bare heap, without compiled code: shows what the collector alone costs.
//!
//! `cargo run --release -p tenure-gc --example trees -- 18 adaptive` (depth; policy; limit in MiB; young size in KiB)

use std::sync::Arc;

use tenure_gc::log::LogWriter;
use tenure_gc::policy::{Adaptive, Overrides, Policy, Static};
use tenure_gc::{Clock, Heap, HeapConfig, Mutator, Ref, Shape, ShapeId, ShapeTable, SystemClock};

struct Program {
    heap: Heap,
    node: ShapeId,
    roots: Vec<u64>,
}

impl Program {
    #[inline(always)]
    fn node(&mut self) -> Ref {
        let window = self.heap.base().cast::<Mutator>();
        // SAFETY: the Mutator is at the heap's base and belongs to the program between pauses; the window is writable.
        unsafe {
            let Mutator { top, limit } = window.read();
            if top + 2 <= limit {
                (*window.as_ptr()).top = top + 2;
                let object = self.heap.base().cast::<u64>().add(top as usize);
                object.write(u64::from(self.node.index()));
                return Ref::from_index(top as u32);
            }
        }
        self.heap.allocate_record(self.node, &mut self.roots).expect("room")
    }

    fn set(&mut self, node: Ref, left: u32, right: u32) {
        // SAFETY: the node is the newest object, so it is young and its two references follow its header.
        unsafe {
            self.heap
                .base()
                .cast::<u64>()
                .add(node.index() as usize + 1)
                .write(u64::from(left) | u64::from(right) << 32);
        }
    }

    fn tree(&mut self, depth: u32) -> Ref {
        if depth == 0 {
            let node = self.node();
            self.set(node, 0, 0);
            return node;
        }
        let left = self.tree(depth - 1);
        self.roots.push(u64::from(left.index()));
        let right = self.tree(depth - 1);
        self.roots.push(u64::from(right.index()));
        let node = self.node();
        let (right, left) = (self.roots.pop().unwrap(), self.roots.pop().unwrap());
        self.set(node, left as u32, right as u32);
        node
    }

    fn count(&self, node: Ref) -> u64 {
        // SAFETY: a live node.
        let fields = unsafe { self.heap.base().cast::<u64>().add(node.index() as usize + 1).read() };
        if fields == 0 {
            return 1;
        }
        1 + self.count(Ref::from_index(fields as u32)) + self.count(Ref::from_index((fields >> 32) as u32))
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default: u64| args.get(at).map_or(default, |text| text.parse().expect("a number"));
    let depth = number(0, 18) as u32;
    let young_bytes = args.get(3).map(|_| number(3, 0) << 10);
    let policy: Box<dyn Policy> = match args.get(1).map_or("adaptive", String::as_str) {
        "static" => Box::new(Static::new(Overrides {
            young_bytes,
            eden_region_bytes: args.get(4).map(|_| number(4, 0) << 10),
            ..Overrides::default()
        })),
        _ => Box::new(Adaptive::new()),
    };
    let table = Arc::new(ShapeTable::new());
    let node = table.push(Shape::Record { words: 2, refs: 2 }, "Node");
    // As in `GC_ZEAL=workers:2`.
    let zeal = std::env::var("GC_ZEAL").unwrap_or_default().parse().expect("zeal");
    let mut heap =
        Heap::new(HeapConfig { zeal, ..HeapConfig::new(number(2, 1024) << 20) }, table, policy).expect("a heap");
    if std::env::var_os("GC_LOG").is_some() {
        heap.add_observer(Box::new(LogWriter::new(
            Box::new(std::io::stderr()),
            Box::new(|error| eprintln!("{error}")),
        )));
    }
    let mut program = Program { heap, node, roots: Vec::new() };

    let stretch = program.tree(depth + 1);
    println!("stretch tree of depth {}: {}", depth + 1, program.count(stretch));
    let long_lived = program.tree(depth);
    program.roots.push(u64::from(long_lived.index()));
    for d in (4..=depth).step_by(2) {
        let iterations = 1u64 << (depth - d + 4);
        let mut sum = 0;
        for _ in 0..iterations {
            let tree = program.tree(d);
            sum += program.count(tree);
        }
        println!("{iterations} trees of depth {d}: {sum}");
    }
    let long_lived = Ref::from_index(program.roots[0] as u32);
    println!("long lived tree of depth {depth}: {}", program.count(long_lived));

    let stats = program.heap.stats();
    let ms = |ns: u64| ns as f64 * 1e-6;
    println!(
        "cpu {:.0} ms, collector {:.0} ms, {} pauses {:?}, p50 {:.2} ms, p99 {:.2}, max {:.2}, {} MiB allocated, {} MiB copied, {} MiB committed at most",
        ms(SystemClock.thread_cpu_ns()),
        ms(stats.gc_cpu_ns),
        stats.pauses(),
        stats.pauses_by_kind,
        ms(stats.pause_ns_p50()),
        ms(stats.pause_ns_p99()),
        ms(stats.pause_ns_max),
        stats.allocated_bytes >> 20,
        stats.copied_bytes >> 20,
        stats.committed_bytes_max >> 20,
    );
}
