//! Which record stands for which type, and where its fields lie (I6, I7). Records are made when first asked for.

use crate::hir::{self, FnId, LocalId, Ty, TyKind, Types};
use crate::ir::{CLOSURE_CODE_OFFSET, FieldLayout, Record, RecordId, Type};
use hashbrown::HashMap;

/// The records of a program, by what they stand for.
#[derive(Default)]
pub struct Layouts {
    pub records: Vec<Record>,
    /// Structs, tuples; of enums the first variant; of optionals the box.
    by_type: HashMap<Ty, RecordId>,
    cells: HashMap<Type, RecordId>,
    /// Values that are no objects of their own shape, behind a trait's reference.
    boxes: HashMap<Ty, RecordId>,
    closures: HashMap<FnId, ClosureLayout>,
}

/// How a closure keeps what it captured.
#[derive(Clone, Copy)]
pub struct ClosureLayout {
    /// Code index, then the captures or the environment.
    pub record: RecordId,
    /// The record of the captures, if they have one of their own.
    pub environment: Option<RecordId>,
}

/// Captured references that a closure has room for before its code index.
const INLINE_REFS: usize = 2;

impl Layouts {
    /// The record of a struct or tuple.
    pub fn record(&mut self, types: &Types, ty: Ty) -> RecordId {
        if let Some(&record) = self.by_type.get(&ty) {
            return record;
        }
        let fields: Vec<Type> = match types.kind(ty) {
            TyKind::Tuple(items) => items.iter().map(|&item| scalar(types, item)).collect(),
            _ => {
                let aggregate = types.aggregate(ty).expect("a struct has an aggregate");
                aggregate.variants[0].fields.iter().map(|field| scalar(types, field.ty)).collect()
            }
        };
        let mut layout = layout(types.display(ty), &fields);
        if types.is_list(ty) {
            // its one int says how much of its array is in use
            layout.fields.iter_mut().for_each(|field| field.length = field.ty == Type::Int);
        }
        let record = self.push(layout);
        self.by_type.insert(ty, record);
        record
    }

    /// The record of an enum's first variant; the others follow it.
    pub fn variants(&mut self, types: &Types, ty: Ty) -> RecordId {
        if let Some(&record) = self.by_type.get(&ty) {
            return record;
        }
        let aggregate = types.aggregate(ty).expect("an enum has an aggregate");
        let first = RecordId(self.records.len() as u32);
        for variant in &aggregate.variants {
            let fields: Vec<Type> = variant.fields.iter().map(|field| scalar(types, field.ty)).collect();
            self.push(layout(format!("{}.{}", aggregate.name, variant.name), &fields));
        }
        self.by_type.insert(ty, first);
        first
    }

    /// The box of an optional type whose `T` has no room for nil.
    pub fn optional_box(&mut self, types: &Types, optional: Ty, inner: Ty) -> RecordId {
        if let Some(&record) = self.by_type.get(&optional) {
            return record;
        }
        let record = self.push(layout(types.display(optional), &[scalar(types, inner)]));
        self.by_type.insert(optional, record);
        record
    }

    /// The records that a trait's reference to a value of this type may have: the first, and how many.
    pub fn behind_trait(&mut self, types: &Types, ty: Ty) -> (RecordId, u32) {
        match types.kind(ty) {
            TyKind::Struct(..) => (self.record(types, ty), 1),
            TyKind::Enum(..) => {
                let count = types.aggregate(ty).map_or(1, |a| a.variants.len() as u32);
                (self.variants(types, ty), count)
            }
            _ => (self.trait_box(types, ty), 1),
        }
    }

    /// The box that a value with no shape of its own has behind a trait's reference.
    pub fn trait_box(&mut self, types: &Types, ty: Ty) -> RecordId {
        if let Some(&record) = self.boxes.get(&ty) {
            return record;
        }
        let record = self.push(layout(format!("box of {}", types.display(ty)), &[scalar(types, ty)]));
        self.boxes.insert(ty, record);
        record
    }

    /// The record of a cell.
    pub fn cell(&mut self, ty: Type) -> RecordId {
        if let Some(&record) = self.cells.get(&ty) {
            return record;
        }
        let record = self.push(layout(format!("cell of {ty}"), &[ty]));
        self.cells.insert(ty, record);
        record
    }

    /// The record of a closure with this body, which captures something.
    pub fn closure(&mut self, types: &Types, id: FnId, body: &hir::Function) -> ClosureLayout {
        if let Some(&layout) = self.closures.get(&id) {
            return layout;
        }
        let captures = body.captures.as_deref().expect("the body of a closure");
        let captures: Vec<Type> = captures.iter().map(|&local| local_type(types, body, local)).collect();
        let refs = captures.iter().filter(|&&ty| ty == Type::Ref).count();
        let name = &body.name;
        let closure = if refs <= INLINE_REFS {
            let record = self.push(closure_record(name.clone(), &captures));
            ClosureLayout { record, environment: None }
        } else {
            let environment = self.push(layout(format!("captures of {name}"), &captures));
            let record = self.push(closure_record(name.clone(), &[Type::Ref]));
            ClosureLayout { record, environment: Some(environment) }
        };
        self.closures.insert(id, closure);
        closure
    }

    /// What each record stands for, apart from this program's numbers.
    pub fn identities(&self, types: &Types) -> Vec<Option<String>> {
        let mut identities = vec![None; self.records.len()];
        for (&ty, &first) in &self.by_type {
            let identity = types.identity(ty);
            let variants = match types.kind(ty) {
                TyKind::Enum(..) => types.aggregate(ty).map_or(1, |a| a.variants.len()),
                _ => 1,
            };
            for i in 0..variants {
                identities[first.index() + i] = Some(format!("{identity}.{i}"));
            }
        }
        for (ty, &record) in &self.cells {
            identities[record.index()] = Some(format!("cell of {ty}"));
        }
        identities
    }

    fn push(&mut self, record: Record) -> RecordId {
        self.records.push(record);
        RecordId(self.records.len() as u32 - 1)
    }
}

/// The IR's type of a language type.
pub fn scalar(types: &Types, ty: Ty) -> Type {
    match types.kind(ty) {
        TyKind::Int => Type::Int,
        TyKind::Float => Type::Float,
        TyKind::Bool | TyKind::Byte | TyKind::Unit | TyKind::Never => Type::Byte,
        _ => Type::Ref,
    }
}

/// The type of the value that stands for a local: its own, or the reference to its cell.
pub fn local_type(types: &Types, function: &hir::Function, local: LocalId) -> Type {
    let local = &function.locals[local.0 as usize];
    if local.cell { Type::Ref } else { scalar(types, local.ty) }
}

/// Places fields: references, bytes, then the wide ones (I6).
fn layout(name: String, types: &[Type]) -> Record {
    let refs = types.iter().filter(|&&ty| ty == Type::Ref).count() as u32;
    let bytes = types.iter().filter(|&&ty| ty == Type::Byte).count() as u32;
    let wide = (8 + 4 * refs + bytes).next_multiple_of(8);
    place(name, types, [8, 8 + 4 * refs, wide])
}

/// A closure's record: its code, then what it captured, at most two references (I7).
fn closure_record(name: String, captures: &[Type]) -> Record {
    let bytes = captures.iter().filter(|&&ty| ty == Type::Byte).count() as u32;
    let after_code = CLOSURE_CODE_OFFSET + 8;
    let mut record = place(name, captures, [8, after_code, (after_code + bytes).next_multiple_of(8)]);
    record.fields.insert(0, FieldLayout { ty: Type::Int, offset: CLOSURE_CODE_OFFSET, length: false });
    record
}

/// Places the three kinds of fields from the three offsets on.
fn place(name: String, types: &[Type], [mut refs, mut bytes, mut wide]: [u32; 3]) -> Record {
    let fields: Vec<FieldLayout> = types
        .iter()
        .map(|&ty| {
            let (next, size) = match ty {
                Type::Ref => (&mut refs, 4),
                Type::Byte => (&mut bytes, 1),
                Type::Int | Type::Float => (&mut wide, 8),
            };
            let offset = *next;
            *next += size;
            FieldLayout { ty, offset, length: false }
        })
        .collect();
    let end = refs.max(bytes).max(wide);
    Record { name, fields, refs: (refs - 8) / 4, words: end.div_ceil(8) }
}
