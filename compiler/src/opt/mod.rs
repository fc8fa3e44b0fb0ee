//! The optimiser: rewrites the typed IR of a function before it is compiled. The evaluator runs what was lowered, so it
//! stays the yardstick of everything done here.
//!
//! One file a pass; a pass is a function of a [`Function`] and a [`Context`]. [`PASSES`] is the order they run in.
//! It must never know syntax, nor how machine code is made.
//!
//! Invariants
//! - O1. A pass keeps what a script can see: results, which trap, its place and trace, and the order of effects. It may let
//!   an allocation that nobody sees go.
//! - O2. Before and after each pass the IR's own invariants hold; debug builds check.
//! - O3. A pass alone, and any choice of passes, is right; how good the code is may depend on the others.

mod dead;
mod facts;
mod fold;
mod forward;
mod graph;
mod guard;
mod hoist;
mod inline;
mod interval;
mod joins;
pub(crate) mod loops;
mod meet;
mod merge;
mod polls;
mod proof;
mod ranges;
mod reads;
mod redundant;
mod rotate;
mod scalar;
mod thread;
mod twins;
mod versions;

use crate::ir::verify::verify_function;
use crate::ir::{FuncId, Function, Program};
use crate::timing::Timing;
use hashbrown::HashSet;
use smallvec::SmallVec;
use std::str::FromStr;
use std::sync::OnceLock;

/// What a pass may read.
#[derive(Debug)]
pub struct Context<'a> {
    /// The program; its functions as they were lowered.
    pub program: &'a Program,
    /// The function at work.
    pub function: FuncId,
    /// Whether the function runs once: what stands outside its loops is not worth much.
    pub runs_once: bool,
    /// Functions whose bodies wait for this one's, outermost first.
    callers: &'a [FuncId],
    optimiser: &'a Optimiser,
}

impl Context<'_> {
    /// The body of a function for copies of it, if it is short, and may be copied.
    fn body(&self, callee: FuncId) -> Option<&Function> {
        let mut chain: SmallVec<[FuncId; 8]> = self.callers.into();
        chain.push(self.function);
        self.optimiser.body(self.program, callee, &chain)
    }
}

impl<'a> Context<'a> {
    /// What a function reads, if it does nothing else; `depth` tells how many calls within calls have been looked into.
    fn reads(&self, callee: FuncId, depth: usize) -> Option<&'a reads::Reads> {
        let optimiser: &'a Optimiser = self.optimiser;
        if optimiser.replaceable.contains(&callee) {
            return None;
        }
        let known = &optimiser.reads[callee.index()];
        if known.get().is_none() {
            // functions may call each other in a circle
            let found = reads::of(&self.program.functions[callee.index()], self, depth);
            known.get_or_init(|| found);
        }
        known.get()?.as_ref()
    }
}

/// A pass.
#[derive(Debug)]
pub struct Pass {
    /// As in `--opt=NAME,NAME`.
    pub name: &'static str,
    /// Rewrites a function.
    pub run: fn(&mut Function, &Context<'_>),
    /// Whether it makes bodies shorter, or what is copied better, and so runs before a body is copied into others.
    pub before_copy: bool,
}

/// All passes, in the order they run in; those before a copy again as long as there are calls to be inlined, because
/// closures have become known. A name may come more than once; it is switched as one.
pub const PASSES: &[Pass] = &[
    Pass { name: "inline", run: inline::run, before_copy: true },
    Pass { name: "fold", run: fold::run, before_copy: true },
    Pass { name: "thread", run: thread::run, before_copy: true },
    Pass { name: "fold", run: fold::run, before_copy: true },
    Pass { name: "redundant", run: redundant::run, before_copy: true },
    Pass { name: "scalar", run: scalar::run, before_copy: true },
    Pass { name: "fold", run: fold::run, before_copy: true },
    Pass { name: "dead", run: dead::run, before_copy: true },
    Pass { name: "guard", run: guard::run, before_copy: false },
    Pass { name: "twins", run: twins::run, before_copy: false },
    Pass { name: "rotate", run: rotate::run, before_copy: false },
    // the blocks that stood before and behind the test follow each other now
    Pass { name: "fold", run: fold::run, before_copy: false },
    Pass { name: "hoist", run: hoist::run, before_copy: false },
    // what moved may stand there already, and a length be the end that a counter is tested against
    Pass { name: "redundant", run: redundant::run, before_copy: false },
    Pass { name: "ranges", run: ranges::run, before_copy: false },
    Pass { name: "versions", run: versions::run, before_copy: false },
    // no pass behind it sees through the two loops it makes of one
    Pass { name: "polls", run: polls::run, before_copy: false },
    Pass { name: "dead", run: dead::run, before_copy: false },
];

/// How often the passes before a copy run: once for each closure in a chain of them, and once more.
const ROUNDS_MAX: usize = 10;

/// How many bodies may wait for each other.
const CHAIN_MAX: usize = 8;

/// A choice of passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passes(u64);

impl Passes {
    /// Every pass.
    pub const ALL: Passes = Passes(u64::MAX);
    /// The IR is compiled as it was lowered.
    pub const NONE: Passes = Passes(0);

    fn has(self, index: usize) -> bool {
        self.0 & 1 << index != 0
    }

    fn includes(self, name: &str) -> bool {
        PASSES.iter().enumerate().any(|(i, pass)| pass.name == name && self.has(i))
    }
}

impl Default for Passes {
    fn default() -> Passes {
        Passes::ALL
    }
}

impl FromStr for Passes {
    type Err = String;

    /// `all`, `none`, or names separated by commas.
    fn from_str(text: &str) -> Result<Passes, String> {
        match text {
            "all" => return Ok(Passes::ALL),
            "none" => return Ok(Passes::NONE),
            _ => {}
        }
        let mut passes = Passes::NONE;
        for name in text.split(',') {
            let of_name = PASSES.iter().enumerate().filter(|(_, pass)| pass.name == name);
            let bits = of_name.fold(0, |bits, (index, _)| bits | 1 << index);
            if bits == 0 {
                let mut known: Vec<_> = PASSES.iter().map(|pass| pass.name).collect();
                known.sort_unstable();
                known.dedup();
                return Err(format!("there is no pass `{name}`; there are {}, `all` and `none`", known.join(", ")));
            }
            passes.0 |= bits;
        }
        Ok(passes)
    }
}

/// The optimiser of one program, or of one part of a session.
#[derive(Debug)]
pub struct Optimiser {
    passes: Passes,
    timing: Timing,
    /// Functions that a later part may replace.
    replaceable: HashSet<FuncId>,
    /// Bodies for copies, none of functions that are too long for that.
    bodies: Vec<OnceLock<Option<Function>>>,
    /// What functions read that do nothing else.
    reads: Vec<OnceLock<Option<reads::Reads>>>,
}

impl Optimiser {
    /// For a program, with these passes, of which `timing` is told. Calls of `replaceable` functions stay calls.
    pub fn new(
        program: &Program,
        passes: Passes,
        timing: Timing,
        replaceable: impl IntoIterator<Item = FuncId>,
    ) -> Optimiser {
        let bodies = program.functions.iter().map(|_| OnceLock::new()).collect();
        let reads = program.functions.iter().map(|_| OnceLock::new()).collect();
        Optimiser { passes, timing, replaceable: replaceable.into_iter().collect(), bodies, reads }
    }

    /// A function as it is to be compiled.
    pub fn optimise(&self, program: &Program, id: FuncId) -> Function {
        self.run(program, id, &[], false)
    }

    fn run(&self, program: &Program, id: FuncId, callers: &[FuncId], to_copy: bool) -> Function {
        let mut function = program.functions[id.index()].clone();
        let runs_once = program.entry == Some(id);
        let context = Context { program, function: id, runs_once, callers, optimiser: self };
        self.round(&mut function, &context, |pass| pass.before_copy);
        for round in 1..ROUNDS_MAX {
            if !self.passes.includes("inline") || !inline::has_work(&function, &context, round) {
                break;
            }
            self.round(&mut function, &context, |pass| pass.before_copy);
        }
        if !to_copy {
            self.round(&mut function, &context, |pass| !pass.before_copy);
        }
        function
    }

    fn round(&self, function: &mut Function, context: &Context<'_>, wanted: impl Fn(&Pass) -> bool) {
        for (_, pass) in PASSES.iter().enumerate().filter(|&(i, pass)| self.passes.has(i) && wanted(pass)) {
            self.timing.time(pass.name, || (pass.run)(function, context));
            if cfg!(debug_assertions)
                && let Err(error) = verify_function(context.program, function)
            {
                let id = context.function;
                panic!("bug: pass `{}` broke the IR's invariants: {error}\n{id} {function}", pass.name);
            }
        }
    }

    /// The body of a function for copies, wanted by the last of `callers`. Of functions that call each other in a
    /// circle the one that closes it has none, this time.
    fn body(&self, program: &Program, id: FuncId, callers: &[FuncId]) -> Option<&Function> {
        let slot = &self.bodies[id.index()];
        if let Some(known) = slot.get() {
            return known.as_ref();
        }
        if callers.contains(&id) || callers.len() >= CHAIN_MAX {
            return None;
        }
        let may_copy = !self.replaceable.contains(&id) && inline::is_candidate(&program.functions[id.index()]);
        let body = may_copy.then(|| self.run(program, id, callers, true));
        slot.get_or_init(|| body).as_ref()
    }
}
