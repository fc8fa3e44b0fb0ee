//! The heap of Tenure: a generational region collector and its policy seam.
//!
//! It knows words, references, shapes and roots, and nothing of the language. Regions of any power of two from 64 KiB to
//! 32 MiB live side by side, chosen as each leaves the free list; large objects have granules of their own. Young regions
//! are evacuated at each pause; old ones when marking found them worth it; all are compacted when nothing else helps.
//!
//! | file | noun |
//! |---|---|
//! | `memory` | raw words, the reservation and its tables |
//! | `buddy`, `space` | free granules; regions and what backs them |
//! | `shape`, `header`, `reference` | what an object looks like |
//! | `barrier` | the write barrier's slow path |
//! | `heap`, `alloc` | the public face; allocation's slow paths |
//! | `host`, `handle`, `weak` | what native code may hold |
//! | `room` | what tables do that can't grow |
//! | `safepoint` | how a program that does not allocate is stopped |
//! | `pause` | a pause, from end to end |
//! | `evacuate`, `copier`, `candidates`, `remembered`, `incoming`, `compact` | what pauses do |
//! | `cycle`, `mark`, `rebuild`, `marker` | marking beside the program |
//! | `pool`, `crew`, `steal` | the collector's threads, and how those of a pause share its work |
//! | `policy` | who sets the knobs |
//! | `measure`, `mmu`, `phases`, `report`, `stats`, `census`, `sample`, `log`, `journal` | what is told to the outside |
//! | `limit`, `idle`, `giveback` | what the system allows, and what goes back to it |
//! | `verify`, `zeal`, `rules`, `proof` | how it is kept honest |
//!
//! # Contract with compiled code
//! The first parameter of compiled code is the heap's base. At the base lies [`Mutator`]; an object of `n` words is
//! allocated by `new = top + n; if new > limit { slow } else { top = new }` and a header store of the shape id. A reference
//! store first tests [`LOG_BIT`] in the byte at [`FLAGS_BYTE_OFFSET`] of the object. If it is set, a store into a record calls
//! [`Heap::barrier`]; a store into an array compares the array's reference with what the table at [`CHUNK_TABLE_OFFSET`] has for
//! the element's address, and calls [`Heap::barrier_element`] unless they are the same.

mod alloc;
mod barrier;
mod buddy;
mod candidates;
mod census;
mod clock;
mod compact;
mod copier;
mod crew;
mod cycle;
mod error;
mod evacuate;
mod giveback;
mod handle;
mod header;
mod heap;
mod host;
mod idle;
mod incoming;
pub mod journal;
mod limit;
pub mod log;
mod mark;
mod marker;
mod measure;
mod memory;
mod mixed;
mod mmu;
mod pause;
mod phases;
pub mod policy;
mod pool;
#[cfg(test)]
mod proof;
mod rebuild;
mod reference;
mod remembered;
mod report;
mod room;
mod rules;
mod safepoint;
mod sample;
mod shape;
mod sink;
mod space;
mod stats;
mod steal;
mod verify;
mod weak;
mod zeal;

// The tests' support names the crate as its users do.
#[cfg(test)]
extern crate self as tenure_gc;

pub use census::CensusLine;
pub use clock::{Clock, SystemClock, Work, WorkClock};
pub use error::{HeapError, OutOfMemory};
pub use handle::{Handle, Local, Scope};
pub use heap::{Collect, Heap, HeapConfig, LIMIT_BYTES_MAX, LIMIT_BYTES_MIN, Roots};
pub use host::Pin;
pub use idle::Loan;
pub use limit::{MemorySource, SystemMemory};
pub use memory::{CHUNK_SHIFT, CHUNK_TABLE_OFFSET, CONTEXT_BYTES, GRANULE_BYTES, Mutator};
pub use mmu::MMU_WINDOWS_NS;
pub use phases::{PausePhase, Phases};
pub use reference::Ref;
pub use report::{Cycle, MarkEvent, MarkReport, Observer, Occupancy, PauseReport};
pub use safepoint::Alarm;
pub use shape::{Shape, ShapeId, ShapeTable};
pub use sink::OnError;
pub use stats::Stats;
pub use weak::{Resource, ResourceId, WeakId};
pub use zeal::{Pace, Zeal, ZealError};

/// Where an object's flag byte is, from its header's start.
pub const FLAGS_BYTE_OFFSET: usize = 3;
/// In the flag byte: the write barrier must take its slow path.
pub const LOG_BIT: u8 = 1;
