//! Tenure: a small, statically typed scripting language whose region collector is tuned each cycle by a learned advisor.
//! This is the embedding API.
//!
//! ```
//! use tenure::{Engine, Gc, Host};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let engine = Engine::builder().gc(Gc::advisor()).max_heap(64 << 20).build()?;
//! let host = Host::new("game").func("dist", |a: f64, b: f64| (a - b).abs());
//! let script = "use game\npub fn score(x: float) -> float = game.dist(x, 1.0) * 2.0";
//! let program = engine.compile("rules.ten", script, &host)?;
//! let mut vm = program.instance().build()?;
//! vm.run()?;
//! let score = vm.func::<(f64,), f64>("score")?;
//! assert_eq!(score.call(&mut vm, (4.0,))?, 6.0);
//! # Ok(())
//! # }
//! ```
//!
//! An [`Engine`] holds settings, a [`Host`] gathers Rust functions for scripts, a [`Program`] is a checked script, a
//! [`Vm`] runs it. This is the one crate that knows all the others; it knows nothing of the command line, which the
//! `cli` feature adds.
//!
//! What goes wrong is one of three: [`Diagnostics`] about the source, a [`ScriptError`] from a running script, an
//! [`EngineError`] about the host's own request. None of them ends the process.

#![forbid(unsafe_code)]

mod code_cache;
mod completion;
mod diagnostics;
mod documentation;
mod engine;
mod error;
mod evaluation;
mod explain;
mod gc_choice;
mod host;
mod instance;
mod layout;
mod library;
mod memory_limit;
#[cfg(feature = "metrics")]
mod metrics;
mod outline;
mod program;
mod root;
mod session;
mod source_file;
mod stack;
mod value;
mod vm;

pub use code_cache::CodeCache;
pub use diagnostics::{Diagnostic, Diagnostics, Place, Severity};
pub use documentation::{library_pages, module_page};
pub use engine::{Barriers, Engine, EngineBuilder, Purpose, Stage};
pub use error::{EngineError, Frame, ScriptError};
pub use evaluation::Evaluation;
pub use explain::{Explanation, explain, explanations};
pub use gc_choice::Gc;
pub use host::{Host, IntoHostFunction};
pub use instance::InstanceBuilder;
pub use layout::format_source;
#[cfg(feature = "metrics")]
pub use metrics::MetricsObserver;
pub use program::{Program, Signature, runtime_symbols};
pub use tenure_compiler::syntax::classify::{Class, classify};
pub use tenure_compiler::timing::{PhaseTime, Timing};

pub use root::Root;
pub use session::{Session, SessionError, Shown, is_incomplete};
pub use source_file::{read as read_source, read_stream as read_source_stream};
#[doc(hidden)]
pub use stack::on_stack;
pub use value::{Arg, Args, FromScript, Param, Returned};
pub use vm::{Collector, Function, Vm};

pub use tenure_runtime::code::{CodeListener, PublishedCode};
pub use tenure_runtime::interrupt::InterruptHandle;
pub use tenure_runtime::perf::{PerfFile, PerfFormat};
pub use tenure_runtime::profile::{Profile, ProfiledCall, ProfiledFunction, ProfiledKind, Sampling};
pub use tenure_runtime::trap::Frame as CodePlace;

pub use tenure_advisor::Goal;
pub use tenure_gc::policy::{CycleKind, Decision, Knobs, NextKind, Outcome, Overrides as FixedKnobs, Reason, Snapshot};
pub use tenure_gc::{
    CensusLine, Clock, Cycle, MMU_WINDOWS_NS, Observer, OnError, PausePhase, PauseReport, Phases, Stats, SystemClock,
    WorkClock, Zeal,
};

/// The Rust blocks of the book's chapter on embedding are documentation tests of this crate.
#[cfg(doctest)]
#[doc = include_str!("../book/src/embedding.md")]
struct EmbeddingChapter;
pub use tenure_runtime::vm::AllocationSite;
