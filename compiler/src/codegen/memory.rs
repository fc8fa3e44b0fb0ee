//! Loads and stores: heap objects, the VM context, the tables below it. What new objects hold, and the write barrier.
//!
//! Invariants
//! - M1. Heap loads carry neither `readonly` nor `can_move`: with them Cranelift moves loads across safepoints, and they read
//!   through a reference that the collector has since updated.
//! - M2. Each heap location is accessed under one alias region only: a record's field, an array kind's elements, headers.
//! - M3. Stores into a new object need no barrier until the next safepoint: it is young, or born logged.
//! - M4. Nor does a record that a store's barrier has logged: only pauses arm an object again.

use super::function::Translator;
use crate::ir::{CLOSURE_CODE_OFFSET, Elem, RecordId, Type, Value};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self as clif, AliasRegionData, InstBuilder, MemFlagsData, types};
use tenure_runtime::abi::RuntimeFunction;
use tenure_runtime::context::offset;
use tenure_runtime::layout::{CHUNK_SHIFT, CHUNK_TABLE_OFFSET, FLAGS_BYTE_OFFSET, LOG_BIT, SHAPE_BITS};

/// Alias regions (M2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Region {
    /// The VM context and the tables below it.
    Context,
    /// Object headers.
    Header,
    /// Code indexes of closures.
    Code,
    /// Elements of arrays of a kind.
    Elements(Elem),
    /// A field of a record.
    Field(RecordId, u32),
}

impl Region {
    fn data(self) -> AliasRegionData {
        let (user_id, description) = match self {
            Region::Context => (0, "context"),
            Region::Header => (1, "header"),
            Region::Code => (2, "code"),
            Region::Elements(Elem::Ref) => (3, "references"),
            Region::Elements(Elem::Int) => (4, "ints"),
            Region::Elements(Elem::Float) => (5, "floats"),
            Region::Elements(Elem::Byte) => (6, "bytes"),
            // Fields past the 16th share a region, which is coarser but right.
            Region::Field(record, field) => (16 + record.0 * 16 + field.min(15), "field"),
        };
        AliasRegionData { user_id, description: description.into() }
    }
}

/// Elements of equal value up to this many bytes are allocated inline; more are filled faster by the runtime.
const FILLED_ARRAY_BYTES: u32 = 256;

impl Translator<'_, '_> {
    /// Flags of an access to a region: aligned, never faults (M1).
    pub(super) fn flags(&mut self, region: Region) -> MemFlagsData {
        let region = self.builder.func.dfg.alias_regions.insert(region.data());
        MemFlagsData::trusted().with_alias_region(Some(region))
    }

    /// A word of the VM context, or of a table below it.
    pub(super) fn load_context(&mut self, displacement: i32) -> clif::Value {
        let flags = self.flags(Region::Context);
        let context = self.context();
        self.builder.ins().load(types::I64, flags, context, displacement)
    }

    /// The address of an object.
    pub(super) fn address(&mut self, object: clif::Value) -> clif::Value {
        let bytes = self.builder.ins().ishl_imm_s(object, 3);
        let context = self.context();
        self.builder.ins().iadd(context, bytes)
    }

    /// Where an array's element lies: an address, and how far behind it. A constant that was added to the index is part of the
    /// distance, so that neighbours share an address and the sum need not be computed.
    fn element_place(&mut self, elem: Elem, array: clif::Value, index: Value) -> (clif::Value, i32) {
        let start = self.address(array);
        let (index, distance) = self.displaced(index);
        let index = self.value(index);
        let offset = match elem.bytes() {
            1 => index,
            bytes => self.builder.ins().ishl_imm_s(index, i64::from(bytes.trailing_zeros())),
        };
        let address = self.builder.ins().iadd(start, offset);
        (address, distance * elem.bytes() as i32 + 8)
    }

    fn load_typed(&mut self, ty: Type, region: Region, address: clif::Value, offset: i32) -> clif::Value {
        let flags = self.flags(region);
        let ins = self.builder.ins();
        match ty {
            Type::Int => ins.load(types::I64, flags, address, offset),
            Type::Float => ins.load(types::F64, flags, address, offset),
            Type::Byte => ins.load(types::I8, flags, address, offset),
            Type::Ref => ins.uload32(flags, address, offset),
        }
    }

    fn store_typed(&mut self, ty: Type, region: Region, value: clif::Value, address: clif::Value, offset: i32) {
        let flags = self.flags(region);
        let ins = self.builder.ins();
        match ty {
            Type::Ref => ins.istore32(flags, value, address, offset),
            _ => ins.store(flags, value, address, offset),
        };
    }

    /// `Op::Load`.
    pub(super) fn load_field(&mut self, record: RecordId, field: u32, object: Value) -> clif::Value {
        let layout = self.program.records[record.index()].fields[field as usize];
        let object = self.value(object);
        let address = self.address(object);
        self.load_typed(layout.ty, Region::Field(record, field), address, layout.offset as i32)
    }

    /// `Op::Store`, with the barrier for references.
    pub(super) fn store_field(&mut self, record: RecordId, field: u32, object: Value, value: Value) {
        let layout = self.program.records[record.index()].fields[field as usize];
        let target = self.value(object);
        if layout.ty == Type::Ref && !self.unarmed.contains(&object) {
            self.barrier(target, None);
            self.unarmed.push(object);
        }
        let value = self.value(value);
        let address = self.address(target);
        self.store_typed(layout.ty, Region::Field(record, field), value, address, layout.offset as i32);
    }

    /// The code index of a closure.
    pub(super) fn load_code_index(&mut self, closure: clif::Value) -> clif::Value {
        let address = self.address(closure);
        self.load_typed(Type::Int, Region::Code, address, CLOSURE_CODE_OFFSET as i32)
    }

    /// The length of an array.
    pub(super) fn array_len(&mut self, array: clif::Value) -> clif::Value {
        let address = self.address(array);
        let flags = self.flags(Region::Header);
        self.builder.ins().uload32(flags, address, 4)
    }

    /// The shape id in an object's header.
    pub(super) fn shape_of(&mut self, object: clif::Value) -> clif::Value {
        let address = self.address(object);
        let flags = self.flags(Region::Header);
        let low = self.builder.ins().uload32(flags, address, 0);
        self.builder.ins().band_imm_s(low, (1 << SHAPE_BITS) - 1)
    }

    /// `Op::ArrayGet`.
    pub(super) fn load_element(&mut self, elem: Elem, array: Value, index: Value) -> clif::Value {
        let array = self.value(array);
        let (address, distance) = self.element_place(elem, array, index);
        self.load_typed(elem.ty(), Region::Elements(elem), address, distance)
    }

    /// `Op::ArraySet`, with the barrier for references.
    pub(super) fn store_element(&mut self, elem: Elem, array: Value, index: Value, value: Value) {
        let is_armed = !self.unarmed.contains(&array);
        let (array, value) = (self.value(array), self.value(value));
        if elem == Elem::Ref && is_armed {
            let index = self.value(index);
            self.barrier(array, Some(index));
        }
        let (address, distance) = self.element_place(elem, array, index);
        self.store_typed(elem.ty(), Region::Elements(elem), value, address, distance);
    }

    /// The write barrier before a reference is stored into an object: object logging, by chunks in large arrays. The slow
    /// path keeps all registers and is no safepoint.
    fn barrier(&mut self, object: clif::Value, index: Option<clif::Value>) {
        if self.program.omits_barriers {
            return;
        }
        let address = self.address(object);
        let flags = self.flags(Region::Header);
        let bits = self.builder.ins().uload8(types::I32, flags, address, FLAGS_BYTE_OFFSET as i32);
        let armed = self.builder.ins().band_imm_s(bits, i64::from(LOG_BIT));
        let (slow, done) = (self.cold_block(), self.builder.create_block());
        self.builder.ins().brif(armed, slow, &[], done, &[]);
        self.enter(slow);
        let Some(index) = index else {
            self.call_quiet_infallible(RuntimeFunction::Barrier, &[object]);
            self.builder.ins().jump(done, &[]);
            return self.enter(done);
        };
        // The chunk is found by the element's offset from the base, in references: one instruction of addressing.
        let element = self.builder.ins().iadd_imm_s(index, 2);
        let start = self.builder.ins().ishl_imm_s(object, 1);
        let element = self.builder.ins().iadd(element, start);
        let chunk = self.builder.ins().ushr_imm_s(element, i64::from(CHUNK_SHIFT - 2));
        let entry = self.builder.ins().ishl_imm_s(chunk, 2);
        let context = self.context();
        let place = self.builder.ins().iadd(context, entry);
        let flags = self.flags(Region::Context);
        let array = self.builder.ins().ireduce(types::I32, object);
        let logged = self.builder.ins().load(types::I32, flags, place, CHUNK_TABLE_OFFSET as i32);
        let is_logged = self.builder.ins().icmp(IntCC::Equal, array, logged);
        let unlogged = self.cold_block();
        self.builder.ins().brif(is_logged, done, &[], unlogged, &[]);
        self.enter(unlogged);
        self.call_quiet_infallible(RuntimeFunction::BarrierElement, &[object, index]);
        self.builder.ins().jump(done, &[]);
        self.enter(done);
    }

    /// `Op::New`.
    pub(super) fn new_record(&mut self, inst: usize, record: RecordId, fields: &[Value]) -> clif::Value {
        let program = self.program;
        let layout = &program.records[record.index()];
        let object = self.inline_object(inst).expect("records are small");
        let address = self.address(object);
        for (i, (field, &value)) in layout.fields.iter().zip(fields).enumerate() {
            let region = if self.is_code(value) { Region::Code } else { Region::Field(record, i as u32) };
            let value = self.value(value);
            self.store_typed(field.ty, region, value, address, field.offset as i32);
        }
        object
    }

    /// `Op::ArrayLiteral`.
    pub(super) fn array_literal(&mut self, inst: usize, elem: Elem, values: &[Value]) -> clif::Value {
        let array = match self.inline_object(inst) {
            Some(array) => array,
            None => {
                let arguments =
                    [i64::from(elem.shape()), values.len() as i64].map(|a| self.builder.ins().iconst(types::I64, a));
                let live = self.live_through(inst);
                self.call_quiet(RuntimeFunction::AllocateArray, &arguments, &live)
            }
        };
        let address = self.address(array);
        for (i, &value) in values.iter().enumerate() {
            let value = self.value(value);
            self.store_typed(elem.ty(), Region::Elements(elem), value, address, 8 + i as i32 * elem.bytes() as i32);
        }
        array
    }

    /// `Op::ArrayNew`: small arrays from the window, filled word by word.
    pub(super) fn new_array(&mut self, inst: usize, elem: Elem, len: Value, fill: Value) -> clif::Value {
        let (count, pattern) = (self.value(len), self.word(fill));
        let elements_max = i64::from(FILLED_ARRAY_BYTES / elem.bytes());
        let (small, bump) = (self.builder.create_block(), self.builder.create_block());
        let (slow, done) = (self.cold_block(), self.builder.create_block());
        let array = self.builder.append_block_param(done, types::I64);
        let large = self.builder.ins().icmp_imm_s(IntCC::UnsignedGreaterThan, count, elements_max);
        self.builder.ins().brif(large, slow, &[], small, &[]);

        self.enter(small);
        let bits = self.builder.ins().imul_imm_s(count, i64::from(elem.bytes()));
        let rounded = self.builder.ins().iadd_imm_s(bits, 8 + 7);
        let words = self.builder.ins().ushr_imm_s(rounded, 3);
        let (top, limit) = (self.load_context(offset::TOP), self.load_context(offset::LIMIT));
        let new_top = self.builder.ins().iadd(top, words);
        let full = self.builder.ins().icmp(IntCC::UnsignedGreaterThan, new_top, limit);
        self.builder.ins().brif(full, slow, &[], bump, &[]);

        self.enter(bump);
        let flags = self.flags(Region::Context);
        let context = self.context();
        self.builder.ins().store(flags, new_top, context, offset::TOP);
        let address = self.address(top);
        let high = self.builder.ins().ishl_imm_s(count, 32);
        let header = self.builder.ins().bor_imm_s(high, i64::from(elem.shape()));
        let flags = self.flags(Region::Header);
        self.builder.ins().store(flags, header, address, 0);
        let pattern = self.repeated(elem, pattern);
        self.fill_words(elem, address, new_top, pattern);
        self.builder.ins().jump(done, &[top.into()]);

        self.enter(slow);
        let shape = self.builder.ins().iconst(types::I64, i64::from(elem.shape()));
        let fill = self.word(fill);
        let live = self.live_across(inst);
        let allocated = self.call_quiet(RuntimeFunction::ArrayNew, &[shape, count, fill], &live);
        self.builder.ins().jump(done, &[allocated.into()]);

        self.enter(done);
        array
    }

    /// A word of equal elements.
    fn repeated(&mut self, elem: Elem, element: clif::Value) -> clif::Value {
        match elem {
            Elem::Int | Elem::Float => element,
            Elem::Byte => self.builder.ins().imul_imm_s(element, 0x0101_0101_0101_0101),
            Elem::Ref => {
                let high = self.builder.ins().ishl_imm_s(element, 32);
                self.builder.ins().bor(high, element)
            }
        }
    }

    /// Fills the payload of the new object at `address`, which ends before word `end` of the heap. No safepoint.
    fn fill_words(&mut self, elem: Elem, address: clif::Value, end: clif::Value, pattern: clif::Value) {
        let end = self.address(end);
        let first = self.builder.ins().iadd_imm_s(address, 8);
        let (head, body, filled) =
            (self.builder.create_block(), self.builder.create_block(), self.builder.create_block());
        let at = self.builder.append_block_param(head, types::I64);
        self.builder.ins().jump(head, &[first.into()]);
        self.builder.switch_to_block(head);
        let past = self.builder.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, at, end);
        self.builder.ins().brif(past, filled, &[], body, &[]);
        self.enter(body);
        let flags = self.flags(Region::Elements(elem));
        self.builder.ins().store(flags, pattern, at, 0);
        let next = self.builder.ins().iadd_imm_s(at, 8);
        self.builder.ins().jump(head, &[next.into()]);
        self.builder.seal_block(head);
        self.enter(filled);
    }

    /// The permanent object whose reference lies in a table.
    pub(super) fn permanent(&mut self, displacement: i32) -> clif::Value {
        self.load_context(displacement)
    }
}
