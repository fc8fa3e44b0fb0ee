//! The rows: what is measured, against which bar.

mod barrier;
mod floor;
mod heaps;
mod java;
mod large;
mod marking;
mod metadata;
mod pause;

use crate::Settings;

/// One row.
pub struct Row {
    /// What it is asked for by.
    pub name: &'static str,
    /// What it must reach.
    pub bar: &'static str,
    /// Measures it; gives Markdown.
    pub measure: fn(&Settings) -> String,
}

/// All of them, in the order of their worth.
pub const ROWS: [Row; 8] = [
    Row {
        name: "pause",
        bar: "goal 10 ms; 256 MiB live, 768 MiB limit, 400 MB/s allocated, 10 % survival, 2 % promotion, at least 10,000 \
              pauses, GC CPU at most 25 %: p99 within the goal, p99.9 within 2 ×, judged on CPU time; MMU at 20 ms at least \
              40 %",
        measure: pause::measure,
    },
    Row {
        name: "java",
        bar: "the collector's CPU at most 0.75 × Java 17's G1 and 1.0 × its Serial, at equal limits, geometric means; peak \
              resident memory at most 0.6 × G1's",
        measure: java::measure,
    },
    Row {
        name: "marking",
        bar: "1 GiB live, 5 M references a second rewritten: remark, cleanup and the marking part of the pause that starts it \
              at most 5 ms each at p99, over 50 cycles",
        measure: marking::measure,
    },
    Row {
        name: "large",
        bar: "large-object mix at 2 × the minimum heap, at least 100 GB allocated: no full collection, no allocation waits \
              for marking",
        measure: large::measure,
    },
    Row {
        name: "floor",
        bar: "cost over the least total CPU minus the collector's: at most 15 % at 3 × the minimum heap, 30 % at 2 ×, \
              geometric means",
        measure: floor::measure,
    },
    Row {
        name: "metadata",
        bar: "beside a heap of at least 256 MiB committed: at most 2.2 % at the median, 4 % at the most",
        measure: metadata::measure,
    },
    Row {
        name: "barrier",
        bar: "fast path: at most 3 % geometric mean at the interval's upper end, no program above 6 %; slow path: at most 3 % \
              of CPU",
        measure: barrier::measure,
    },
    Row {
        name: "heaps",
        bar: "a new heap at most 100 µs and 256 KiB committed, 1,000 alive at once; after 10 s idle at most 1.3 × live \
              committed",
        measure: heaps::measure,
    },
];
