//! Which numbers functions, globals, records and permanent objects of a program have in the tables that its parts share.
//!
//! It must never know what the numbers stand for beyond their identity: an earlier part's global or record is the same
//! as a later one's exactly if their identities are equal.
//!
//! Invariants
//! - N1. Numbers are only given out, never changed, so what older code and older objects hold stays right.
//! - N2. Variants of an enum have consecutive shapes, because they come together or not at all.

use crate::ir::{Identities, Op, Program, Type};
use crate::syntax::span::Span;
use hashbrown::HashMap;
use tenure_runtime::layout::{FIRST_RECORD_SHAPE, Layout, Permanent, Room, SHAPE_BITS, Shape, ShapeId, ShapeTable};
use tenure_runtime::trap::{Trap, TrapKind};

/// What has been given out.
pub(super) struct Numbering {
    room: Room,
    functions: u32,
    globals: u32,
    permanents: u32,
    shapes: u32,
    known_globals: HashMap<Span, u32>,
    known_records: HashMap<String, ShapeId>,
    known_literals: HashMap<String, u32>,
    known_singletons: HashMap<ShapeId, u32>,
    /// Every function that was the one of that identity, the present one last.
    known_dispatchers: HashMap<String, Vec<u32>>,
}

impl Numbering {
    /// Tables of a session; memory is taken as they fill.
    pub(super) const SESSION_ROOM: Room = Room { functions: 1 << 21, globals: 1 << 17, permanents: 1 << 20 };

    /// Tables of a program that gets no further part.
    pub(super) fn room_for(program: &Program) -> Room {
        let operations = program.functions.iter().flat_map(|f| &f.blocks).flat_map(|block| &block.insts);
        let objects = operations.filter(|inst| matches!(inst.op, Op::Singleton(_) | Op::FnObject(_))).count();
        Room {
            functions: program.functions.len() as u32,
            globals: program.globals.len() as u32,
            permanents: (program.literals.len() + objects) as u32,
        }
    }

    pub(super) fn new(room: Room) -> Numbering {
        Numbering {
            room,
            functions: 0,
            globals: 0,
            permanents: 0,
            shapes: FIRST_RECORD_SHAPE,
            known_globals: HashMap::new(),
            known_records: HashMap::new(),
            known_literals: HashMap::new(),
            known_singletons: HashMap::new(),
            known_dispatchers: HashMap::new(),
        }
    }

    /// Numbers a part.
    ///
    /// # Errors
    /// The tables are full.
    pub(super) fn add(
        &mut self,
        program: &Program,
        identities: &Identities,
        table: &ShapeTable,
    ) -> Result<Layout, Trap> {
        let needs = Numbering::room_for(program);
        let full = self.functions.saturating_add(needs.functions) > self.room.functions
            || self.globals.saturating_add(needs.globals) > self.room.globals
            || self.permanents.saturating_add(needs.permanents) > self.room.permanents
            || self.shapes as usize + program.records.len() >= 1 << SHAPE_BITS;
        if full {
            return Err(Trap::new(TrapKind::OutOfMemory, "the session is full; start a new one"));
        }
        let mut layout = Layout {
            room: self.room,
            first_function: self.functions,
            functions: needs.functions,
            globals: Vec::new(),
            shapes: Vec::new(),
            literals: Vec::new(),
            singletons: Default::default(),
            function_objects: Default::default(),
            new_globals: Vec::new(),
            new_permanents: Vec::new(),
            dispatchers: Default::default(),
            replaced: Vec::new(),
            error: None,
        };
        self.functions += needs.functions;
        self.number_globals(program, identities, &mut layout);
        self.number_records(program, identities, &mut layout, table);
        for literal in &program.literals {
            let index = match self.known_literals.get(literal.as_str()) {
                Some(&index) => index,
                None => {
                    let index = self.permanent(&mut layout, Permanent::Text(literal.as_str().to_owned()));
                    self.known_literals.insert(literal.as_str().to_owned(), index);
                    index
                }
            };
            layout.literals.push(index);
        }
        self.number_objects(program, &mut layout);
        for (identity, function) in &identities.dispatchers {
            let number = layout.function(function.0);
            layout.dispatchers.insert(function.0);
            let before = self.known_dispatchers.entry(identity.clone()).or_default();
            layout.replaced.extend(before.iter().map(|&old| (old, number)));
            before.push(number);
        }
        layout.error = program.error.map(|record| layout.record_shape(record.0));
        Ok(layout)
    }

    fn permanent(&mut self, layout: &mut Layout, permanent: Permanent) -> u32 {
        let index = self.permanents;
        self.permanents += 1;
        layout.new_permanents.push((index, permanent));
        index
    }

    fn number_globals(&mut self, program: &Program, identities: &Identities, layout: &mut Layout) {
        for (i, &(_, ty)) in program.globals.iter().enumerate() {
            let place = identities.globals.get(i);
            let known = place.and_then(|place| self.known_globals.get(place));
            let number = known.copied().unwrap_or_else(|| {
                let number = self.globals;
                self.globals += 1;
                layout.new_globals.push((number, ty == Type::Ref));
                if let Some(&place) = place {
                    self.known_globals.insert(place, number);
                }
                number
            });
            layout.globals.push(number);
        }
    }

    fn number_records(&mut self, program: &Program, identities: &Identities, layout: &mut Layout, table: &ShapeTable) {
        let mut new: Vec<(Shape, &str)> = Vec::new();
        for (i, record) in program.records.iter().enumerate() {
            let identity = identities.records.get(i).and_then(Option::as_ref);
            let known = identity.and_then(|identity| self.known_records.get(identity));
            let shape = known.copied().unwrap_or_else(|| {
                let shape = ShapeId::from_index(self.shapes);
                self.shapes += 1;
                new.push((Shape::Record { words: record.words, refs: record.refs }, record.name.as_str()));
                if let Some(identity) = identity {
                    self.known_records.insert(identity.clone(), shape);
                }
                shape
            });
            layout.shapes.push(shape);
        }
        table.push_group(&new);
    }

    fn number_objects(&mut self, program: &Program, layout: &mut Layout) {
        for inst in program.functions.iter().flat_map(|f| &f.blocks).flat_map(|block| &block.insts) {
            match inst.op {
                Op::Singleton(record) if !layout.singletons.contains_key(&record.0) => {
                    let shape = layout.record_shape(record.0);
                    let index = match self.known_singletons.get(&shape) {
                        Some(&index) => index,
                        None => {
                            let words = program.records[record.index()].words;
                            let index = self.permanent(layout, Permanent::Record(shape, words));
                            self.known_singletons.insert(shape, index);
                            index
                        }
                    };
                    layout.singletons.insert(record.0, index);
                }
                Op::FnObject(function) if !layout.function_objects.contains_key(&function.0) => {
                    let number = layout.function(function.0);
                    let index = self.permanent(layout, Permanent::Function(number));
                    layout.function_objects.insert(function.0, index);
                }
                _ => {}
            }
        }
    }
}
