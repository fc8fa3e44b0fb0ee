//! The rules of marking and evacuation, each with a switch that breaks it on purpose.
//!
//! It must never reach a program: outside this crate's own tests [`is_broken`] is a constant, and what it guards is gone.
//! Within them a switch holds for the thread that sets it, so a heap that is to feel it must mark in slices.
//!
//! The letters are those of the barrier's and the cycle's invariants. `proof::broken` says which test notices which.

/// What may be left out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(test, derive(Hash))]
pub(crate) enum Rule {
    /// (a) At the end of a pause, what it scanned is armed again.
    Rearm,
    /// (a) An old object that still refers to a survivor goes on the retained list.
    Retain,
    /// (b) The pause that starts marking marks the old targets of what it copies.
    MarkTargets,
    /// (c) What becomes old while marking traces counts as live.
    NewIsLive,
    /// (d) Arming goes on while marking traces.
    RearmWhileMarking,
    /// (e) A store of nil takes the barrier like any other.
    LogNilStores,
    /// (e) What is about to be overwritten is handed to marking.
    KeepSnapshot,
    /// (f) A large object of references is on the store buffer from birth.
    BornLogged,
    /// (f) Writing in bulk logs what it writes to.
    LogBulkWrites,
    /// (g) What is read from a weak slot while marking traces is marked.
    MarkWeakReads,
    /// (h) What remark, or a pause that reclaims large objects, finds dead is dropped from the buffers.
    DropDead,
    /// (i) No candidates are left when marking starts.
    NoCandidates,
    /// (i) A large object of references that is to be marked is not reclaimed while marking traces, unless they are visited first.
    KeepLarge,
    /// (j) The marker looks at the mark limit before it touches an object.
    LimitFirst,
}

#[cfg(not(test))]
#[inline(always)]
pub(crate) const fn is_broken(_: Rule) -> bool {
    false
}

#[cfg(test)]
thread_local! {
    static BROKEN: std::cell::Cell<Option<Rule>> = const { std::cell::Cell::new(None) };
}

/// Whether the heaps of this thread are to break a rule.
#[cfg(test)]
pub(crate) fn is_broken(rule: Rule) -> bool {
    BROKEN.get() == Some(rule)
}

/// Breaks a rule from now on, on this thread, or none any more.
#[cfg(test)]
pub(crate) fn break_rule(rule: Option<Rule>) {
    BROKEN.set(rule);
}

#[cfg(test)]
impl Rule {
    pub(crate) const ALL: [Rule; 14] = [
        Rule::Rearm,
        Rule::Retain,
        Rule::MarkTargets,
        Rule::NewIsLive,
        Rule::RearmWhileMarking,
        Rule::LogNilStores,
        Rule::KeepSnapshot,
        Rule::BornLogged,
        Rule::LogBulkWrites,
        Rule::MarkWeakReads,
        Rule::DropDead,
        Rule::NoCandidates,
        Rule::KeepLarge,
        Rule::LimitFirst,
    ];

    /// The rule's letter.
    pub(crate) fn letter(self) -> char {
        match self {
            Rule::Rearm | Rule::Retain => 'a',
            Rule::MarkTargets => 'b',
            Rule::NewIsLive => 'c',
            Rule::RearmWhileMarking => 'd',
            Rule::LogNilStores | Rule::KeepSnapshot => 'e',
            Rule::BornLogged | Rule::LogBulkWrites => 'f',
            Rule::MarkWeakReads => 'g',
            Rule::DropDead => 'h',
            Rule::NoCandidates | Rule::KeepLarge => 'i',
            Rule::LimitFirst => 'j',
        }
    }
}
