//! Proofs that one int exceeds another by no more than so much, on demand: after Bodik, Gupta and Sarkar, "ABCD:
//! Eliminating Array Bounds Checks on Demand", PLDI 2000.
//!
//! From the value in question a proof goes back over what it is computed of, over what is known where it is used, and over
//! what is passed for it, until intervals decide. A loop's parameter that is met again, with no more asked of it than
//! before, is proven by induction.
//!
//! A proof may also be asked what is missing: then it may rest on differences of values that are fixed before a loop, which
//! a test there can decide (see `versions`).
//!
//! Invariants
//! - P1. What is passed for a parameter is compared only with values fixed before its block; so both are of one time.
//! - P2. A proof ends: each step uses up a part of its budget.

use super::facts::{At, Definition, Difference, Facts, Term};
use super::interval::Interval;
use crate::ir::{Block, Op, Value};
use crate::prim::Prim;
use smallvec::SmallVec;

/// Steps of one proof.
const STEPS_MAX: u32 = 150;
/// How deep a proof may go.
const DEPTH_MAX: u32 = 12;

/// Whether a difference is known to hold at a place.
pub(super) fn holds(facts: &Facts<'_>, difference: Difference, at: At) -> bool {
    Proof::new(facts, None).prove(difference, at, DEPTH_MAX)
}

/// What would have to hold before the loop with this header for a difference to hold at a place in it; nothing where no
/// such thing would do.
pub(super) fn missing(facts: &Facts<'_>, difference: Difference, at: At, header: Block) -> Option<Vec<Difference>> {
    let mut proof = Proof::new(facts, Some(header));
    proof.prove(difference, at, DEPTH_MAX).then_some(proof.assumed)
}

struct Proof<'a> {
    facts: &'a Facts<'a>,
    steps: u32,
    /// Parameters whose claim is being proven.
    open: SmallVec<[(Value, Term, i128); 4]>,
    /// The loop before which something may be assumed.
    header: Option<Block>,
    assumed: Vec<Difference>,
}

impl<'a> Proof<'a> {
    fn new(facts: &'a Facts<'a>, header: Option<Block>) -> Proof<'a> {
        Proof { facts, steps: STEPS_MAX, open: SmallVec::new(), header, assumed: Vec::new() }
    }

    fn prove(&mut self, claim: Difference, at: At, depth: u32) -> bool {
        let Difference { a, b, c } = claim;
        if a == b {
            return c >= 0;
        }
        let of = |term: Term| term.map_or(Interval::point(0), |term| self.facts.interval(term, at));
        if of(a).hi - of(b).lo <= c {
            return true;
        }
        let (Some(depth), Some(steps)) = (depth.checked_sub(1), self.steps.checked_sub(1)) else { return false };
        self.steps = steps;
        let assumed = self.assumed.len();
        if self.by_facts(claim, at, depth) || self.by_definition(claim, at, depth) {
            return true;
        }
        self.assumed.truncate(assumed);
        self.assume(claim)
    }

    /// Tries one way, and forgets what it assumed if it leads nowhere.
    fn attempt(&mut self, claim: Difference, at: At, depth: u32) -> bool {
        let assumed = self.assumed.len();
        let proven = self.prove(claim, at, depth);
        if !proven {
            self.assumed.truncate(assumed);
        }
        proven
    }

    /// By what is known of either side.
    fn by_facts(&mut self, Difference { a, b, c }: Difference, at: At, depth: u32) -> bool {
        let facts = self.facts;
        let above = a.map(|a| facts.known(a, at).filter(move |known| known.a == Some(a)));
        for known in above.into_iter().flatten() {
            if self.attempt(Difference { a: known.b, b, c: c - known.c }, at, depth) {
                return true;
            }
        }
        false
    }

    /// By what either side is computed of.
    fn by_definition(&mut self, claim: Difference, at: At, depth: u32) -> bool {
        let Difference { a, b, c } = claim;
        let facts = self.facts;
        if let Some(Op::Prim(prim, operands)) = b.and_then(|b| facts.operation(b))
            && let Some((part, by)) = self.sum(*prim, operands, at)
            && self.attempt(Difference { a, b: Some(part), c: c + by.lo }, at, depth)
        {
            return true;
        }
        let Some(a) = a else { return false };
        match facts.definition(a) {
            Some(Definition::Param(block, k)) if block != Block(0) => self.by_arguments(claim, (block, k, a), depth),
            Some(Definition::Inst(..)) => {
                let Some(Op::Prim(prim, operands)) = facts.operation(a) else { return false };
                let Some((part, by)) = self.at_most(*prim, operands, at) else { return false };
                self.attempt(Difference { a: Some(part), b, c: c - by }, at, depth)
            }
            _ => false,
        }
    }

    /// A sum as one part and the interval of the other; exact (F2 of `facts`).
    fn sum(&self, prim: Prim, operands: &[Value], at: At) -> Option<(Value, Interval)> {
        let exact = self.facts.exact(prim, operands, at)?;
        let checked = matches!(prim, Prim::IntAdd | Prim::IntSub);
        if !checked && !exact.fits() {
            return None;
        }
        let (a, b) = (self.facts.interval(operands[0], at), self.facts.interval(operands[1], at));
        match prim {
            Prim::IntAdd | Prim::IntAddWrap if self.facts.constant(operands[0]).is_some() => Some((operands[1], a)),
            Prim::IntAdd | Prim::IntAddWrap => Some((operands[0], b)),
            Prim::IntSub | Prim::IntSubWrap => Some((operands[0], Interval::point(0).minus(b))),
            _ => None,
        }
    }

    /// A part of an operation that the result exceeds by so much at the most.
    fn at_most(&self, prim: Prim, operands: &[Value], at: At) -> Option<(Value, i128)> {
        let interval = |value: Value| self.facts.interval(value, at);
        match prim {
            Prim::IntRem if interval(operands[1]).lo > 0 => Some((operands[1], -1)),
            Prim::IntAnd if interval(operands[0]).lo >= 0 => Some((operands[0], 0)),
            Prim::IntAnd if interval(operands[1]).lo >= 0 => Some((operands[1], 0)),
            Prim::IntDiv if interval(operands[0]).lo >= 0 && interval(operands[1]).lo > 0 => Some((operands[0], 0)),
            Prim::IntShr if interval(operands[0]).lo >= 0 => Some((operands[0], 0)),
            _ => self.sum(prim, operands, at).map(|(part, by)| (part, by.hi)),
        }
    }

    /// By what is passed for a parameter, on every edge (P1).
    fn by_arguments(&mut self, claim: Difference, (block, k, param): (Block, usize, Value), depth: u32) -> bool {
        let Difference { b, c, .. } = claim;
        if let Some(&(.., asked)) = self.open.iter().find(|open| (open.0, open.1) == (param, b)) {
            return c >= asked;
        }
        if !b.is_none_or(|b| self.facts.is_fixed_in(b, block)) {
            return false;
        }
        self.open.push((param, b, c));
        let proven = self
            .facts
            .passed(block, k)
            .into_iter()
            .all(|(argument, at)| self.prove(Difference { a: Some(argument), b, c }, at, depth));
        self.open.pop();
        proven
    }

    /// Takes a claim for granted that a test before the loop can decide.
    fn assume(&mut self, claim: Difference) -> bool {
        let Some(header) = self.header else { return false };
        let decidable = |term: Term| term.is_none_or(|term| self.facts.is_fixed_in(term, header));
        let possible = claim.a.is_some() && claim.b.is_some() && decidable(claim.a) && decidable(claim.b);
        if possible {
            self.assumed.push(claim);
        }
        possible
    }
}
