//! What the tests of the heap share: a mutator with a reference heap beside it, random operations, a clock, shapes.

// Each test uses its share.
#![allow(dead_code, unused_imports)]

mod double;
mod operation;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tenure_gc::policy::{Overrides, Static};
use tenure_gc::{Clock, Shape, ShapeId, ShapeTable, Zeal};

pub use double::Double;
pub use operation::Operation;

/// A clock that ticks a little each time it is read.
#[derive(Clone, Default)]
pub struct FakeClock(Arc<AtomicU64>);

impl Clock for FakeClock {
    fn now_ns(&self) -> u64 {
        self.0.fetch_add(100_000, Ordering::Relaxed)
    }

    fn is_repeatable(&self) -> bool {
        true
    }

    fn thread_cpu_ns(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn thread_system_ns(&self) -> u64 {
        0
    }
}

/// A policy of small regions, early promotion and eager marking: much happens in a small heap.
pub fn busy() -> Box<Static> {
    Box::new(Static::new(Overrides {
        young_bytes: Some(512 << 10),
        old_region_bytes: Some(64 << 10),
        eden_region_bytes: Some(128 << 10),
        tenuring_age: Some(2),
        concurrent_start_share: Some(0.1),
        mixed_live_share: Some(1.0),
        mixed_pause_count: Some(4),
        heap_target_bytes: Some(8 << 20),
        ..Overrides::default()
    }))
}

/// Zeal from a text, with what `TENURE_GC_ZEAL` adds: `TENURE_GC_ZEAL=workers:3` runs every test with three workers.
pub fn zeal(text: &str) -> Zeal {
    let added = std::env::var("TENURE_GC_ZEAL").unwrap_or_default();
    format!("{text},{added}").parse().expect("zeal of the tests")
}

/// A small generator, so that a run is repeated by its seed.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        (self.next() >> 11) % n
    }

    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// The shapes of the tests.
#[derive(Clone)]
pub struct Shapes {
    pub table: Arc<ShapeTable>,
    /// Two references and a word.
    pub pair: ShapeId,
    /// Five references and three words.
    pub wide: ShapeId,
    pub refs: ShapeId,
    pub words: ShapeId,
    pub bytes: ShapeId,
}

impl Shapes {
    pub fn new() -> Shapes {
        let table = Arc::new(ShapeTable::new());
        Shapes {
            pair: table.push(Shape::Record { words: 3, refs: 2 }, "Pair"),
            wide: table.push(Shape::Record { words: 7, refs: 5 }, "Wide"),
            refs: table.push(Shape::RefArray, "Refs"),
            words: table.push(Shape::WordArray, "Words"),
            bytes: table.push(Shape::ByteArray, "Bytes"),
            table,
        }
    }
}
