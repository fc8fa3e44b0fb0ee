//! A profile: where a script's time went, by function and by stack. Plain data, described and ready to be shown.
//!
//! Invariants
//! - P1. A call stands behind the one above it; the first is the root, above all.
//! - P2. The own weights of all calls add up to the root's total, and so do those of all functions.

use crate::call_tree::{CallTree, Node, Step};
use crate::code::CodeSource;
use crate::native::NativeId;
pub use crate::profiler::Sampling;
use hashbrown::HashMap;
use std::fmt;

/// Frames of a stack that are shown as they are. Further in, a function that is on the stack already is shown there, so a
/// recursion takes no room however deep it goes.
const LEVELS_MAX: u32 = 50;

/// Where a script's time went. Weights are nanoseconds of CPU time, or polls, as the [`Sampling`] says.
#[derive(Clone, Debug)]
pub struct Profile {
    sampling: Sampling,
    samples: u64,
    functions: Vec<ProfiledFunction>,
    calls: Vec<ProfiledCall>,
}

/// A function, or what else takes time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProfiledFunction {
    /// As in traces; of natives `fs.read`, of the rest in brackets.
    pub name: String,
    /// What it is.
    pub kind: ProfiledKind,
    /// File and line where a function of the script, or of the library, is defined.
    pub place: Option<(String, u32)>,
    /// Of samples that it was innermost in.
    pub own: u64,
    /// Of samples that it was on the stack in, once each.
    pub total: u64,
}

/// What takes time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProfiledKind {
    /// A function of the script or of the library.
    Script,
    /// A native function.
    Native,
    /// The collector, on the script's thread.
    Collector,
    /// The compiler, when functions were first called.
    Compiler,
    /// Stacks that were not told apart any more, because there were too many.
    Rest,
}

/// All samples in which the same functions had called each other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProfiledCall {
    /// Index of the innermost function; none for the root, which stands for the host.
    pub function: Option<usize>,
    /// Index of the call above; the root's own for the root.
    pub above: usize,
    /// How many calls are above it.
    pub level: u32,
    /// Of samples of exactly this stack.
    pub own: u64,
    /// Of these and of all samples with more on the stack.
    pub total: u64,
}

impl Profile {
    pub(crate) fn new(tree: &CallTree, samples: u64, sampling: Sampling, code: &dyn CodeSource) -> Profile {
        let mut builder = Builder { code, functions: Vec::new(), known: HashMap::new(), calls: Vec::new() };
        builder.add_all(tree);
        let Builder { functions, mut calls, .. } = builder;
        for at in (1..calls.len()).rev() {
            let (above, total) = (calls[at].above, calls[at].total);
            calls[above].total += total;
        }
        Profile { sampling, samples, functions, calls }
    }

    /// How samples were taken.
    pub fn sampling(&self) -> Sampling {
        self.sampling
    }

    /// How many were taken.
    pub fn samples(&self) -> u64 {
        self.samples
    }

    /// The weight of all samples.
    pub fn total(&self) -> u64 {
        self.calls[0].total
    }

    /// Everything that was seen on a stack, in no particular order.
    pub fn functions(&self) -> &[ProfiledFunction] {
        &self.functions
    }

    /// The stacks that were seen, the outer ones first.
    pub fn calls(&self) -> &[ProfiledCall] {
        &self.calls
    }

    /// A line for each stack: its functions, the outermost first, with `;` between them, and its own weight. This is the
    /// folded format of Brendan Gregg's FlameGraph (<https://github.com/brendangregg/FlameGraph>), which many tools read.
    pub fn folded(&self) -> String {
        let mut lines: Vec<String> = self.calls.iter().filter_map(|call| self.folded_line(call)).collect();
        lines.sort_unstable();
        lines.concat()
    }

    /// The root has none: its own weight is the host's.
    fn folded_line(&self, call: &ProfiledCall) -> Option<String> {
        let mut names = Vec::with_capacity(call.level as usize);
        let mut at = call;
        while let Some(function) = at.function {
            names.push(self.functions[function].to_string().replace(';', ","));
            at = &self.calls[at.above];
        }
        names.reverse();
        (call.own > 0 && !names.is_empty()).then(|| format!("{} {}\n", names.join(";"), call.own))
    }
}

impl fmt::Display for ProfiledFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some((file, line)) => write!(f, "{} ({file}:{line})", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// Makes a profile of a tree: code becomes functions, and calls of a function from several places become one.
struct Builder<'a> {
    code: &'a dyn CodeSource,
    functions: Vec<ProfiledFunction>,
    known: HashMap<Step, usize>,
    calls: Vec<ProfiledCall>,
}

/// A node whose children are under way.
struct Open {
    function: Option<usize>,
    call: usize,
    next: Option<Node>,
    total: u64,
}

impl Builder<'_> {
    /// A recursion of its own could be as deep as the script's was.
    fn add_all(&mut self, tree: &CallTree) {
        let mut by_function: HashMap<(usize, usize), usize> = HashMap::new();
        // How often each function is on the path from the root: a recursion's total counts once.
        let mut on_path: Vec<u32> = Vec::new();
        let own = tree.weight(CallTree::ROOT);
        self.calls.push(ProfiledCall { function: None, above: 0, level: 0, own, total: own });
        let mut path = vec![Open { function: None, call: 0, next: tree.first_child(CallTree::ROOT), total: own }];
        while let Some(open) = path.last_mut() {
            if let Some(node) = open.next {
                open.next = tree.sibling(node);
                let above = open.call;
                let function = self.function(tree.step(node));
                let own = tree.weight(node);
                on_path.resize(self.functions.len(), 0);
                on_path[function] += 1;
                self.functions[function].own += own;
                let call = self.call(&mut by_function, above, function);
                self.calls[call].own += own;
                self.calls[call].total += own;
                path.push(Open { function: Some(function), call, next: tree.first_child(node), total: own });
                continue;
            }
            let (function, total) = (open.function, open.total);
            path.pop();
            if let Some(above) = path.last_mut() {
                above.total += total;
            }
            if let Some(function) = function {
                on_path[function] -= 1;
                if on_path[function] == 0 {
                    self.functions[function].total += total;
                }
            }
        }
    }

    fn call(&mut self, known: &mut HashMap<(usize, usize), usize>, above: usize, function: usize) -> usize {
        let level = self.calls[above].level + 1;
        if level > LEVELS_MAX
            && let Some(earlier) = self.nearest(above, function)
        {
            return earlier;
        }
        *known.entry((above, function)).or_insert_with(|| {
            self.calls.push(ProfiledCall { function: Some(function), above, level, own: 0, total: 0 });
            self.calls.len() - 1
        })
    }

    /// The innermost call of a function on the way to the root.
    fn nearest(&self, from: usize, function: usize) -> Option<usize> {
        let mut at = from;
        while at != 0 {
            if self.calls[at].function == Some(function) {
                return Some(at);
            }
            at = self.calls[at].above;
        }
        None
    }

    fn function(&mut self, step: Step) -> usize {
        if let Some(&known) = self.known.get(&step) {
            return known;
        }
        let (name, kind, place) = match step {
            Step::Code(function, place) => {
                let defined = self.code.definition(function, place);
                (defined.function, ProfiledKind::Script, Some((defined.file, defined.line)))
            }
            Step::Native(native) => {
                (self.code.natives().get(NativeId(native)).name.clone(), ProfiledKind::Native, None)
            }
            Step::Collector => ("(collector)".into(), ProfiledKind::Collector, None),
            Step::Compiler => ("(compiler)".into(), ProfiledKind::Compiler, None),
            Step::Rest => ("(not told apart)".into(), ProfiledKind::Rest, None),
        };
        let same = |f: &ProfiledFunction| f.name == name && f.kind == kind && f.place == place;
        // Each function has many places, but there are few functions.
        let index = self.functions.iter().position(same).unwrap_or_else(|| {
            self.functions.push(ProfiledFunction { name, kind, place, own: 0, total: 0 });
            self.functions.len() - 1
        });
        self.known.insert(step, index);
        index
    }
}
