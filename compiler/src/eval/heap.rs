//! The evaluator's objects: a vector that only grows (V3).

use crate::ir::{Elem, FuncId, RecordId};
use tenure_runtime::trap::{Trap, TrapKind};

/// An object.
pub(super) enum Object {
    /// Fields in declaration order.
    Record(RecordId, Box<[u64]>),
    /// An array of references.
    Refs(Box<[u64]>),
    /// An array of ints or floats.
    Words(Box<[u64]>),
    /// An array of bytes.
    Bytes(Box<[u8]>),
    /// A string. It reads like an array of bytes.
    Text(Box<str>),
    /// A function without captures.
    Function(FuncId),
}

/// All objects of an evaluator; reference `i` is the object at `i - 1`.
pub(super) struct Heap {
    objects: Vec<Object>,
    bytes: u64,
    bytes_max: u64,
}

impl Object {
    /// An array of `len` equal elements.
    pub(super) fn array(elem: Elem, len: usize, fill: u64) -> Object {
        match elem {
            Elem::Ref => Object::Refs(vec![fill; len].into()),
            Elem::Int | Elem::Float => Object::Words(vec![fill; len].into()),
            Elem::Byte => Object::Bytes(vec![fill as u8; len].into()),
        }
    }

    /// Bytes it would take in the real heap.
    fn size(&self) -> u64 {
        let payload = match self {
            Object::Record(_, fields) => fields.len() as u64 * 8,
            Object::Refs(items) => items.len() as u64 * 4,
            Object::Words(items) => items.len() as u64 * 8,
            Object::Bytes(items) => items.len() as u64,
            Object::Text(text) => text.len() as u64,
            Object::Function(_) => 16,
        };
        8 + payload.next_multiple_of(8)
    }
}

impl Heap {
    /// An empty heap.
    pub(super) fn new(bytes_max: u64) -> Heap {
        Heap { objects: Vec::new(), bytes: 0, bytes_max }
    }

    /// Adds an object.
    pub(super) fn allocate(&mut self, object: Object) -> Result<u64, Trap> {
        self.reserve(object.size())?;
        Ok(self.permanent(object))
    }

    /// Adds an array, if there is room for it, before it is made.
    pub(super) fn allocate_array(&mut self, elem: Elem, len: u64, fill: u64) -> Result<u64, Trap> {
        self.reserve(len.saturating_mul(u64::from(elem.bytes())).saturating_add(8))?;
        Ok(self.permanent(Object::array(elem, len as usize, fill)))
    }

    fn reserve(&mut self, bytes: u64) -> Result<(), Trap> {
        let total = self.bytes.saturating_add(bytes);
        // references are 32 bits, as they are in the real heap
        if total > self.bytes_max || self.objects.len() >= u32::MAX as usize {
            return Err(TrapKind::OutOfMemory.into());
        }
        self.bytes = total;
        Ok(())
    }

    /// Adds an object that counts against no limit.
    pub(super) fn permanent(&mut self, object: Object) -> u64 {
        self.objects.push(object);
        self.objects.len() as u64
    }

    pub(super) fn object(&self, reference: u64) -> &Object {
        assert_ne!(reference, 0, "bug: nil is not an object");
        &self.objects[reference as usize - 1]
    }

    pub(super) fn object_mut(&mut self, reference: u64) -> &mut Object {
        assert_ne!(reference, 0, "bug: nil is not an object");
        &mut self.objects[reference as usize - 1]
    }

    /// The record of an object and its fields, in declaration order.
    pub(super) fn record(&self, reference: u64) -> (RecordId, &[u64]) {
        match self.object(reference) {
            Object::Record(record, fields) => (*record, fields),
            _ => panic!("bug: not a record"),
        }
    }

    pub(super) fn fields(&self, reference: u64) -> &[u64] {
        self.record(reference).1
    }

    pub(super) fn fields_mut(&mut self, reference: u64) -> &mut [u64] {
        match self.object_mut(reference) {
            Object::Record(_, fields) => fields,
            _ => panic!("bug: not a record"),
        }
    }

    pub(super) fn array_len(&self, reference: u64) -> usize {
        match self.object(reference) {
            Object::Refs(items) | Object::Words(items) => items.len(),
            Object::Bytes(items) => items.len(),
            Object::Text(text) => text.len(),
            Object::Record(..) | Object::Function(_) => panic!("bug: not an array"),
        }
    }

    pub(super) fn element(&self, reference: u64, index: usize) -> u64 {
        match self.object(reference) {
            Object::Refs(items) | Object::Words(items) => items[index],
            Object::Bytes(items) => u64::from(items[index]),
            Object::Text(text) => u64::from(text.as_bytes()[index]),
            Object::Record(..) | Object::Function(_) => panic!("bug: not an array"),
        }
    }

    pub(super) fn set_element(&mut self, reference: u64, index: usize, value: u64) {
        match self.object_mut(reference) {
            Object::Refs(items) | Object::Words(items) => items[index] = value,
            Object::Bytes(items) => items[index] = value as u8,
            Object::Text(_) => panic!("bug: a string is written"),
            Object::Record(..) | Object::Function(_) => panic!("bug: not an array"),
        }
    }

    pub(super) fn bytes(&self, reference: u64) -> &[u8] {
        match self.object(reference) {
            Object::Bytes(bytes) => bytes,
            Object::Text(text) => text.as_bytes(),
            _ => panic!("bug: not a byte array"),
        }
    }

    pub(super) fn str(&self, reference: u64) -> &str {
        match self.object(reference) {
            Object::Text(text) => text,
            _ => panic!("bug: not a string"),
        }
    }
}
