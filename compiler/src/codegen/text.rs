//! Strings compared by their first eight bytes inline; the rest, where there is one, is the runtime's. Short ones, and
//! short parts of arrays, are made by leaf functions, which leave what they can't do to those that may collect and trap.
//!
//! It leans on invariant L4 of the tables: behind a string's last byte its last word is zero.

use super::function::Translator;
use super::memory::Region;
use crate::ir::{Elem, Value};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self as clif, InstBuilder, types};
use tenure_runtime::abi::RuntimeFunction;

impl Translator<'_, '_> {
    /// `RuntimeFn::StrEq`.
    pub(super) fn str_eq(&mut self, a: Value, b: Value) -> clif::Value {
        let (a, b) = (self.value(a), self.value(b));
        let done = self.builder.create_block();
        let equal = self.builder.append_block_param(done, types::I8);
        let (yes, no) = (self.builder.ins().iconst(types::I8, 1), self.builder.ins().iconst(types::I8, 0));

        let same = self.builder.ins().icmp(IntCC::Equal, a, b);
        self.leave_if(same, done, yes);
        let (len, other) = (self.array_len(a), self.array_len(b));
        let differ = self.builder.ins().icmp(IntCC::NotEqual, len, other);
        self.leave_if(differ, done, no);
        let empty = self.builder.ins().icmp_imm_s(IntCC::Equal, len, 0);
        self.leave_if(empty, done, yes);
        let (first, second) = (self.first_word(a), self.first_word(b));
        let differ = self.builder.ins().icmp(IntCC::NotEqual, first, second);
        self.leave_if(differ, done, no);
        let short = self.builder.ins().icmp_imm_s(IntCC::UnsignedLessThanOrEqual, len, 8);
        self.leave_if(short, done, yes);
        let context = self.context();
        let rest = self.call_leaf(RuntimeFunction::StrEq, &[context, a, b]);
        let rest = self.builder.ins().ireduce(types::I8, rest);
        self.builder.ins().jump(done, &[rest.into()]);

        self.enter(done);
        equal
    }

    /// `RuntimeFn::StrCompare`.
    pub(super) fn str_compare(&mut self, a: Value, b: Value) -> clif::Value {
        let (a, b) = (self.value(a), self.value(b));
        let (whole, done) = (self.builder.create_block(), self.builder.create_block());
        let order = self.builder.append_block_param(done, types::I64);

        let zero = self.builder.ins().iconst(types::I64, 0);
        let same = self.builder.ins().icmp(IntCC::Equal, a, b);
        self.leave_if(same, done, zero);
        let (len, other) = (self.array_len(a), self.array_len(b));
        let shorter = self.builder.ins().umin(len, other);
        let words = self.builder.create_block();
        self.builder.ins().brif(shorter, words, &[], whole, &[]);
        self.enter(words);
        let (first, second) = (self.first_word(a), self.first_word(b));
        let equal = self.builder.ins().icmp(IntCC::Equal, first, second);
        let differ = self.builder.create_block();
        self.builder.ins().brif(equal, whole, &[], differ, &[]);

        self.enter(differ);
        // in the order of the bytes; a string that ends early has zeros there, and no byte is less
        let (first, second) = (self.builder.ins().bswap(first), self.builder.ins().bswap(second));
        let less = self.builder.ins().icmp(IntCC::UnsignedLessThan, first, second);
        let (minus, plus) = (self.builder.ins().iconst(types::I64, -1), self.builder.ins().iconst(types::I64, 1));
        let sign = self.builder.ins().select(less, minus, plus);
        self.builder.ins().jump(done, &[sign.into()]);

        self.enter(whole);
        let context = self.context();
        let rest = self.call_leaf(RuntimeFunction::StrCompare, &[context, a, b]);
        self.builder.ins().jump(done, &[rest.into()]);

        self.enter(done);
        order
    }

    /// `RuntimeFn::StrSlice`.
    pub(super) fn str_slice(&mut self, values: &[Value], live: &[Value]) -> clif::Value {
        let (string, from, to) = (self.value(values[0]), self.value(values[1]), self.value(values[2]));
        let context = self.context();
        let short = self.call_leaf(RuntimeFunction::StrSliceShort, &[context, string, from, to]);
        self.made_or(short, |this| {
            let area = this.area(values);
            this.call_with_area(RuntimeFunction::StrSlice, &[], area, &[], live)
        })
    }

    /// `RuntimeFn::StrConcat`.
    pub(super) fn str_concat(&mut self, values: &[Value], live: &[Value]) -> clif::Value {
        let area = self.area(values);
        let count = self.builder.ins().iconst(types::I64, values.len() as i64);
        let context = self.context();
        let short = self.call_leaf(RuntimeFunction::StrConcatShort, &[context, area.address(), count]);
        self.made_or(short, |this| this.call_with_area(RuntimeFunction::StrConcat, &[], area, &[count], live))
    }

    /// `RuntimeFn::ArrayPart`.
    pub(super) fn array_part(&mut self, values: &[Value], live: &[Value]) -> clif::Value {
        let area = self.area(values);
        let context = self.context();
        let short = self.call_leaf(RuntimeFunction::ArrayPartShort, &[context, area.address()]);
        self.made_or(short, |this| this.call_with_area(RuntimeFunction::ArrayPart, &[], area, &[], live))
    }

    /// The object that a leaf function made, or the one that `otherwise` makes off the hot path.
    fn made_or(&mut self, made: clif::Value, otherwise: impl FnOnce(&mut Self) -> clif::Value) -> clif::Value {
        let (slow, done) = (self.cold_block(), self.builder.create_block());
        let object = self.builder.append_block_param(done, types::I64);
        self.builder.ins().brif(made, done, &[made.into()], slow, &[]);
        self.enter(slow);
        let other = otherwise(self);
        self.builder.ins().jump(done, &[other.into()]);
        self.enter(done);
        object
    }

    /// The first eight bytes of a string that is not empty.
    fn first_word(&mut self, string: clif::Value) -> clif::Value {
        let address = self.address(string);
        let flags = self.flags(Region::Elements(Elem::Byte));
        self.builder.ins().load(types::I64, flags, address, 8)
    }

    fn leave_if(&mut self, condition: clif::Value, done: clif::Block, value: clif::Value) {
        let next = self.builder.create_block();
        self.builder.ins().brif(condition, done, &[value.into()], next, &[]);
        self.enter(next);
    }
}
