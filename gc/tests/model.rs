//! A model of barrier, marking and evacuation, searched state by state.
//!
//! The heap is a few addresses, each its own region, with one object of one field at most; the program has two registers and
//! one weak slot. Every order of the program's steps, the marker's steps and the pauses is tried, from the empty heap and
//! from two old objects on.
//! Each rule of the collector, (a) to (j), has a switch that breaks it, and the search must then find a run that goes wrong.
//!
//! It must never share code with the collector: it is the rules once more, small enough to be tried whole.
//!
//! What goes wrong, is:
//! - M1. After a pause the program sees another graph than before it, or a freed object.
//! - M2. At remark something is unmarked that was reachable when marking began.
//! - M3. A pause or the marker looks at an address that holds nothing it may look at.
//! - M4. Between pauses, an old object's log bit is not clear exactly if it is on the store buffer.
//!
//! `TENURE_MODEL_STATES` bounds the search of the unbroken rules (default 150,000 states, the shortest runs first).

use std::collections::{HashSet, VecDeque};
use std::time::Instant;

const ADDRESSES: usize = 4;
const NIL: u8 = ADDRESSES as u8;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Place {
    Free,
    Young,
    Old,
    Large,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Rule {
    A,
    B,
    C,
    D,
    E,
    F,
    G,
    H,
    I,
    J,
}

/// Addresses, as bits.
type Set = u8;

fn holds(set: Set, address: u8) -> bool {
    address != NIL && set & 1 << address != 0
}

fn members(set: Set) -> impl Iterator<Item = u8> {
    (0..NIL).filter(move |address| holds(set, *address))
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct State {
    place: [Place; ADDRESSES],
    field: [u8; ADDRESSES],
    registers: [u8; 2],
    weak: u8,
    armed: Set,
    store_buffer: Set,
    retained: Set,
    tracing: bool,
    below_limit: Set,
    marked: Set,
    /// Mark stack, and what the barrier handed over.
    grey: Set,
    /// What was reachable and below the limits when marking began: known to the model alone (M2).
    snapshot: Set,
    /// The old region to be evacuated next, and what may refer to it.
    candidate: u8,
    remembered: Set,
}

type Outcome = Result<State, &'static str>;

impl State {
    fn empty() -> State {
        State {
            place: [Place::Free; ADDRESSES],
            field: [NIL; ADDRESSES],
            registers: [NIL; 2],
            weak: NIL,
            armed: 0,
            store_buffer: 0,
            retained: 0,
            tracing: false,
            below_limit: 0,
            marked: 0,
            grey: 0,
            snapshot: 0,
            candidate: NIL,
            remembered: 0,
        }
    }

    /// Two old objects in a list, the first in a register: a few steps from the empty heap, where longer runs begin.
    fn old_list() -> State {
        let mut state = State::empty();
        (state.place[0], state.place[1]) = (Place::Old, Place::Old);
        (state.field[0], state.registers[0], state.armed) = (1, 0, 0b11);
        state
    }

    fn at(&self, address: u8) -> Place {
        self.place[address as usize]
    }

    fn is_old(&self, address: u8) -> bool {
        address != NIL && matches!(self.at(address), Place::Old | Place::Large)
    }

    fn all(&self, place: Place) -> Set {
        (0..NIL).filter(|a| self.at(*a) == place).fold(0, |set, a| set | 1 << a)
    }

    fn free_address(&self) -> Option<u8> {
        members(self.all(Place::Free)).next()
    }

    /// The tracer: what the program can reach.
    fn reachable(&self) -> Set {
        let mut reached = 0;
        for mut at in self.registers {
            while at != NIL && !holds(reached, at) {
                reached |= 1 << at;
                at = self.field[at as usize];
            }
        }
        reached
    }

    fn release(&mut self, address: u8) {
        self.place[address as usize] = Place::Free;
        self.field[address as usize] = NIL;
        let others = !(1 << address);
        self.armed &= others;
        self.below_limit &= others;
        self.marked &= others;
        if self.candidate == address {
            (self.candidate, self.remembered) = (NIL, 0);
        }
    }

    /// M1 and M4.
    fn check(&self) -> Result<(), &'static str> {
        if members(self.reachable()).any(|a| self.at(a) == Place::Free) {
            return Err("M1: the program reaches a freed object");
        }
        let old = self.all(Place::Old) | self.all(Place::Large);
        if old & !self.armed != old & self.store_buffer {
            return Err("M4: log bits and store buffer differ");
        }
        Ok(())
    }

    // -- the program

    fn store(&mut self, object: u8, value: u8, broken: Option<Rule>) {
        let needless = broken == Some(Rule::E) && value == NIL;
        if holds(self.armed, object) && !needless {
            if self.tracing && holds(self.below_limit, object) {
                self.hand_over(self.field[object as usize]);
            }
            self.armed &= !(1 << object);
            self.store_buffer |= 1 << object;
        }
        self.field[object as usize] = value;
    }

    fn hand_over(&mut self, object: u8) {
        if holds(self.below_limit & !self.marked, object) {
            self.grey |= 1 << object;
        }
    }

    fn program_steps(&self, broken: Option<Rule>, next: &mut Vec<Outcome>) {
        for register in 0..2 {
            let (mine, other) = (self.registers[register], self.registers[1 - register]);
            if let Some(address) = self.free_address() {
                let mut young = self.clone();
                young.place[address as usize] = Place::Young;
                young.registers[register] = address;
                next.push(Ok(young));
                // Rule (f): born logged, initialised without a barrier.
                let mut large = self.clone();
                large.place[address as usize] = Place::Large;
                large.field[address as usize] = other;
                large.registers[register] = address;
                if broken == Some(Rule::F) {
                    large.armed |= 1 << address;
                } else {
                    large.store_buffer |= 1 << address;
                }
                next.push(Ok(large));
            }
            if self.weak != NIL {
                let mut read = self.clone();
                read.registers[register] = self.weak;
                if self.tracing && broken != Some(Rule::G) {
                    read.hand_over(self.weak);
                }
                next.push(Ok(read));
            }
            if mine == NIL {
                continue;
            }
            let mut dropped = self.clone();
            dropped.registers[register] = NIL;
            next.push(Ok(dropped));
            let mut weak = self.clone();
            weak.weak = mine;
            next.push(Ok(weak));
            let mut loaded = self.clone();
            loaded.registers[1 - register] = self.field[mine as usize];
            next.push(Ok(loaded));
            for value in [NIL, mine, other] {
                let mut stored = self.clone();
                stored.store(mine, value, broken);
                next.push(Ok(stored));
            }
        }
    }

    // -- the marker

    /// Marks one grey object.
    fn mark(&self, object: u8, broken: Option<Rule>) -> Outcome {
        let mut state = self.clone();
        state.grey &= !(1 << object);
        if !holds(state.below_limit, object) && broken != Some(Rule::J) {
            return Ok(state);
        }
        if !state.is_old(object) {
            return Err("M3: the marker looks at something young or freed");
        }
        state.marked |= 1 << object;
        let value = state.field[object as usize];
        if value != NIL && !holds(state.marked, value) && (holds(state.below_limit, value) || broken == Some(Rule::J)) {
            state.grey |= 1 << value;
        }
        Ok(state)
    }

    fn remark(&self, broken: Option<Rule>, next: &mut Vec<Outcome>) {
        let mut state = self.clone();
        while let Some(object) = members(state.grey).next() {
            match state.mark(object, broken) {
                Ok(marked) => state = marked,
                Err(wrong) => return next.push(Err(wrong)),
            }
        }
        if state.snapshot & !state.marked != 0 {
            return next.push(Err("M2: something of the snapshot is not marked"));
        }
        let dead = state.below_limit & !state.marked;
        if holds(dead, state.weak) {
            state.weak = NIL;
        }
        members(dead).for_each(|object| state.release(object));
        if broken != Some(Rule::H) {
            state.store_buffer &= !dead;
            state.retained &= !dead;
        }
        let candidates = state.all(Place::Old) & state.marked;
        (state.tracing, state.below_limit, state.marked, state.snapshot) = (false, 0, 0, 0);
        for candidate in members(candidates) {
            let mut chosen = state.clone();
            let refers = |a: &u8| chosen.is_old(*a) && chosen.field[*a as usize] == candidate;
            chosen.remembered = (0..NIL).filter(refers).fold(0, |set, a| set | 1 << a);
            chosen.candidate = candidate;
            next.push(Ok(chosen));
        }
        next.push(Ok(state));
    }

    // -- the pauses

    /// Evacuates the young regions, and the candidate if `mixed`; `promoted` of the survivors become old.
    fn evacuate(&self, promoted: Set, mixed: bool, start: bool, broken: Option<Rule>) -> Outcome {
        let mut state = self.clone();
        if start {
            state.tracing = true;
            state.below_limit = state.all(Place::Old) | state.all(Place::Large);
        }
        let candidate = if mixed { 1 << state.candidate } else { 0 };
        let collected = state.all(Place::Young) | candidate;
        let sources = (state.store_buffer | state.retained | if mixed { state.remembered } else { 0 }) & !collected;
        if members(sources).any(|source| !state.is_old(source)) {
            return Err("M3: a pause looks at something that is not old");
        }
        let mut work = Evacuation {
            state,
            collected,
            promoted: promoted | candidate,
            start,
            broken,
            moved: std::array::from_fn(|a| if holds(collected, a as u8) { NIL } else { a as u8 }),
            copies: Vec::new(),
        };
        for register in 0..2 {
            work.state.registers[register] = work.visit(self.registers[register], true);
        }
        for source in members(sources) {
            work.state.field[source as usize] = work.visit(self.field[source as usize], true);
        }
        while let Some(copy) = work.copies.pop() {
            let target = work.visit(work.state.field[copy as usize], broken != Some(Rule::B));
            work.state.field[copy as usize] = target;
        }
        let Evacuation { mut state, moved, .. } = work;
        let moved = |a: u8| if a == NIL { NIL } else { moved[a as usize] };
        state.weak = moved(state.weak);
        let copies = members(collected).map(moved).filter(|to| *to != NIL).fold(0, |set: Set, to| set | 1 << to);
        members(collected & !copies).for_each(|address| state.release(address));
        state.end_pause(sources | copies, broken);
        if mixed {
            (state.candidate, state.remembered) = (NIL, 0);
        }
        // What was evacuated while marking runs, which only a broken rule lets happen, counts as live from there on.
        state.snapshot &= !collected;
        if start {
            state.snapshot = state.reachable() & state.below_limit;
        }
        let same = |a: u8| moved(a) != NIL && state.field[moved(a) as usize] == moved(self.field[a as usize]);
        if !members(self.reachable()).all(same) {
            return Err("M1: a pause changed what the program sees");
        }
        Ok(state)
    }

    /// Arms what is old, keeps on the retained list what still refers to a survivor, and remembers who refers to the
    /// candidate. `visited` holds the sources and the copies.
    fn end_pause(&mut self, visited: Set, broken: Option<Rule>) {
        let old = self.all(Place::Old) | self.all(Place::Large);
        let young = self.all(Place::Young);
        let refers = |state: &State, set: Set| {
            members(visited & old).filter(|a| holds(set, state.field[*a as usize])).fold(0, |all: Set, a| all | 1 << a)
        };
        self.retained = if broken == Some(Rule::A) { 0 } else { refers(self, young) };
        if self.candidate != NIL {
            self.remembered |= refers(self, 1 << self.candidate);
        }
        if !(self.tracing && broken == Some(Rule::D)) {
            self.armed |= old & self.store_buffer;
        }
        self.store_buffer = 0;
    }

    /// A full collection: ends marking without a result, frees what is not reachable, makes the rest old.
    fn collect_all(&self, broken: Option<Rule>) -> State {
        let mut state = self.clone();
        let reached = state.reachable();
        for address in (0..NIL).filter(|a| !holds(reached, *a)) {
            state.release(address);
        }
        for address in members(state.all(Place::Young)) {
            state.place[address as usize] = Place::Old;
        }
        if !holds(reached, state.weak) {
            state.weak = NIL;
        }
        state.armed = reached;
        (state.store_buffer, state.retained) = (0, 0);
        (state.tracing, state.below_limit, state.marked, state.snapshot) = (false, 0, 0, 0);
        if broken != Some(Rule::H) {
            state.grey = 0;
        }
        (state.candidate, state.remembered) = (NIL, 0);
        state
    }

    fn pauses(&self, broken: Option<Rule>, next: &mut Vec<Outcome>) {
        let young = self.all(Place::Young);
        let may_start = !self.tracing && (self.candidate == NIL || broken == Some(Rule::I));
        let may_mix = self.candidate != NIL && (!self.tracing || broken == Some(Rule::I));
        for promoted in (0..1 << ADDRESSES).filter(|set| set & !young == 0) {
            next.push(self.evacuate(promoted, false, false, broken));
            if may_start {
                next.push(self.evacuate(promoted, false, true, broken));
            }
            if may_mix {
                next.push(self.evacuate(promoted, true, false, broken));
            }
        }
        if self.tracing {
            next.extend(members(self.grey).map(|object| self.mark(object, broken)));
            self.remark(broken, next);
        }
        next.push(Ok(self.collect_all(broken)));
    }
}

/// An evacuation under way.
struct Evacuation {
    state: State,
    collected: Set,
    promoted: Set,
    start: bool,
    broken: Option<Rule>,
    /// Where each object is now: itself outside the collection set, `NIL` until it is copied.
    moved: [u8; ADDRESSES],
    /// Copies whose fields are not visited yet.
    copies: Vec<u8>,
}

impl Evacuation {
    /// Visits a slot that held `value`; returns what it has to hold. In the pause that starts marking, rule (b).
    fn visit(&mut self, value: u8, marks: bool) -> u8 {
        if !holds(self.collected, value) {
            if self.start && marks {
                self.state.hand_over(value);
            }
            return value;
        }
        if self.moved[value as usize] == NIL {
            let becomes_old = holds(self.promoted, value);
            let state = &mut self.state;
            // Without a free address the copy fails, and the object stays where it is.
            let to = state.free_address().unwrap_or(value);
            let bit = 1 << to;
            state.field[to as usize] = state.field[value as usize];
            state.place[to as usize] = if becomes_old { Place::Old } else { Place::Young };
            (state.armed, state.below_limit, state.marked) =
                (state.armed & !bit, state.below_limit & !bit, state.marked & !bit);
            if becomes_old {
                state.armed |= bit;
                state.store_buffer &= !bit;
                // Rule (c): what is promoted counts as live.
                if state.tracing && self.broken == Some(Rule::C) {
                    state.below_limit |= bit;
                }
            }
            self.moved[value as usize] = to;
            self.copies.push(to);
        }
        self.moved[value as usize]
    }
}

/// What a search found.
struct Search {
    states: usize,
    complete: bool,
    wrong: Option<&'static str>,
}

/// Tries every run, the shortest first, until one goes wrong or `bound` states are known.
fn search(broken: Option<Rule>, bound: usize) -> Search {
    let mut waiting = VecDeque::from([State::empty(), State::old_list()]);
    let mut known: HashSet<State> = waiting.iter().cloned().collect();
    let mut next = Vec::new();
    while let Some(state) = waiting.pop_front() {
        state.program_steps(broken, &mut next);
        state.pauses(broken, &mut next);
        for outcome in next.drain(..) {
            let wrong = match outcome {
                Ok(state) => match state.check() {
                    Ok(()) => {
                        if !known.contains(&state) {
                            known.insert(state.clone());
                            waiting.push_back(state);
                        }
                        continue;
                    }
                    Err(wrong) => wrong,
                },
                Err(wrong) => wrong,
            };
            return Search { states: known.len(), complete: false, wrong: Some(wrong) };
        }
        if known.len() >= bound {
            return Search { states: known.len(), complete: false, wrong: None };
        }
    }
    Search { states: known.len(), complete: true, wrong: None }
}

fn bound() -> usize {
    std::env::var("TENURE_MODEL_STATES").map_or(150_000, |text| text.parse().expect("a number of states"))
}

#[test]
fn the_rules_keep_every_run_right() {
    let start = Instant::now();
    let found = search(None, bound());
    println!("{} states, complete: {}, {:?}", found.states, found.complete, start.elapsed());
    assert_eq!(found.wrong, None);
}

#[test]
fn each_rule_broken_makes_a_run_go_wrong() {
    for rule in [Rule::A, Rule::B, Rule::C, Rule::D, Rule::E, Rule::F, Rule::G, Rule::H, Rule::I, Rule::J] {
        let found = search(Some(rule), 400_000);
        println!("{rule:?} broken: {:?} after {} states", found.wrong, found.states);
        assert!(found.wrong.is_some(), "rule {rule:?} was broken, and {} states don't show it", found.states);
    }
}
