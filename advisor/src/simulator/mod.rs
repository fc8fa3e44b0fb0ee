//! A trace-driven simulator of the heap: a program's *signature* — how fast it allocates, how long what it allocates lives,
//! what copying and marking cost on its machine — runs under any policy, through the seam that real heaps use.
//!
//! A signature is recorded once, by a run under the survey policy ([`fit`]), or written down by hand, as for the signals
//! in the tests ([`signals`]). A simulated second costs microseconds, so thousands of settings can be tried where real
//! runs would take hours.
//!
//! What it knows: ages and lifetimes in allocated bytes, tenuring, promotion, marking beside the program, mixed pauses over
//! regions ordered by age, full collections, the limit. What it does not know: scattered garbage (objects of one age are
//! taken to lie together), remembered sets, caches and page faults, work shared by threads.

#[cfg(test)]
mod behaviour;
mod fit;
mod heap;
mod lifetimes;
pub mod signals;
mod signature;

pub use fit::{SurveyError, fit};
pub use heap::{Run, Setting, simulate};
pub use lifetimes::Lifetimes;
pub use signature::{Costs, Segment, Signature};
