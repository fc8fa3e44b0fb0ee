//! Instructions of the IR to CLIF, one by one.

use super::function::{Comparison, Translator, signature};
use super::safepoint::Callee;
use crate::ir::{FuncId, Inst, Op, RuntimeFn, Type, Value};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self as clif, InstBuilder, MemFlagsData, types};
use tenure_runtime::abi::RuntimeFunction;
use tenure_runtime::hash::int_steps;
use tenure_runtime::layout::{call_slot, call_table};
use tenure_runtime::trap::TrapKind;

impl Translator<'_, '_> {
    /// Translates the `at`-th instruction of the block.
    pub(super) fn instruction(&mut self, at: usize, inst: &Inst) {
        let result = self.operation(at, inst);
        if let Some(value) = inst.result {
            self.define(value, result.expect("an operation that defines a value gives one"));
        }
    }

    fn operation(&mut self, at: usize, inst: &Inst) -> Option<clif::Value> {
        Some(match &inst.op {
            &Op::Int(value) => {
                self.define_constant(inst.result?, value);
                self.builder.ins().iconst(types::I64, value)
            }
            &Op::Float(value) => self.builder.ins().f64const(value),
            &Op::Byte(value) => self.builder.ins().iconst(types::I8, i64::from(value)),
            Op::Nil => self.builder.ins().iconst(types::I64, 0),
            Op::Str(literal) => self.permanent(self.layout.literal_slot(literal.0)),
            Op::Code(function) => {
                self.define_code(inst.result?);
                self.builder.ins().iconst(types::I64, i64::from(self.layout.function(function.0)))
            }
            Op::FnObject(function) => self.permanent(self.layout.function_slot(function.0)),
            Op::Singleton(record) => self.permanent(self.layout.singleton_slot(record.0)),
            Op::Prim(prim, operands) => self.prim(*prim, operands, inst.result?),
            Op::BoundsCheck(index, len) => {
                self.bounds_check(*index, *len);
                return None;
            }
            Op::IsNil(reference) => {
                let (reference, nil) = (self.value(*reference), self.builder.ins().iconst(types::I64, 0));
                self.compare(inst.result?, Comparison::Int(IntCC::Equal, reference, nil))
            }
            Op::New(record, fields) => self.new_record(at, *record, fields),
            Op::Load(record, field, object) => self.load_field(*record, *field, *object),
            Op::Store(record, field, object, value) => {
                self.store_field(*record, *field, *object, *value);
                return None;
            }
            Op::Tag(record, object) => {
                let object = self.value(*object);
                let shape = self.shape_of(object);
                self.builder.ins().iadd_imm_s(shape, -i64::from(self.layout.record_shape(record.0).index()))
            }
            Op::ArrayNew(elem, len, fill) => self.new_array(at, *elem, *len, *fill),
            Op::ArrayLiteral(elem, values) => self.array_literal(at, *elem, values),
            Op::ArrayLen(array) => {
                let array = self.value(*array);
                self.array_len(array)
            }
            Op::ArrayGet(elem, array, index) => self.load_element(*elem, *array, *index),
            Op::ArraySet(elem, array, index, value) => {
                self.store_element(*elem, *array, *index, *value);
                return None;
            }
            Op::GlobalGet(global) => self.global_get(global.0),
            Op::GlobalSet(global, value) => {
                self.global_set(global.0, *value);
                return None;
            }
            Op::Poll => {
                let live = self.live_across(at);
                self.poll(&live);
                return None;
            }
            Op::Call(function, arguments) => self.call(at, *function, arguments),
            Op::CallValue(operands) => {
                let result = self.function.values[inst.result?.index()];
                self.call_value(at, operands, result)
            }
            Op::CallNative(native, arguments) => {
                let area = self.area(arguments);
                let native = self.builder.ins().iconst(types::I64, i64::from(native.0));
                let live = self.live_across(at);
                let word = self.call_with_area(RuntimeFunction::CallNative, &[native], area, &[], &live);
                let result = inst.result?;
                self.value_of_word(word, self.function.values[result.index()])
            }
            Op::CallRuntime(function, arguments) => return self.call_runtime(at, *function, arguments),
        })
    }

    /// The value of a type in a word that a runtime function returned.
    fn value_of_word(&mut self, word: clif::Value, ty: Type) -> clif::Value {
        match ty {
            Type::Int | Type::Ref => word,
            Type::Byte => self.builder.ins().ireduce(types::I8, word),
            Type::Float => self.builder.ins().bitcast(types::F64, MemFlagsData::new(), word),
        }
    }

    fn bounds_check(&mut self, index: Value, len: Value) {
        let (index, len) = (self.value(index), self.value(len));
        let outside = self.builder.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, index, len);
        self.throw_if(outside, |this| this.throw(RuntimeFunction::ThrowIndex, &[index, len]));
    }

    fn global_get(&mut self, global: u32) -> clif::Value {
        let flags = self.flags(super::memory::Region::Context);
        let flag = self.layout.global_flag(global);
        let context = self.context();
        let set = self.builder.ins().uload8(types::I32, flags, context, flag);
        let unset = self.builder.ins().icmp_imm_s(IntCC::Equal, set, 0);
        self.trap_if(unset, TrapKind::Unset);
        let slot = self.layout.global_slot(global);
        let word = self.load_context(slot);
        self.value_of_word(word, self.program.globals[global as usize].1)
    }

    fn global_set(&mut self, global: u32, value: Value) {
        let word = self.word(value);
        let flags = self.flags(super::memory::Region::Context);
        let (slot, flag) = (self.layout.global_slot(global), self.layout.global_flag(global));
        let context = self.context();
        self.builder.ins().store(flags, word, context, slot);
        let set = self.builder.ins().iconst(types::I8, 1);
        self.builder.ins().store(flags, set, context, flag);
    }

    fn arguments(&mut self, values: &[Value]) -> Vec<clif::Value> {
        values.iter().map(|&value| self.value(value)).collect()
    }

    fn call(&mut self, at: usize, function: FuncId, values: &[Value]) -> clif::Value {
        let arguments = self.arguments(values);
        let live = self.live_across(at);
        let callee = match self.linker.direct(function, self.builder.func) {
            Some(callee) => Callee::Direct(callee),
            None => {
                let target = &self.program.functions[function.index()];
                let signature = self.builder.import_signature(signature(target.params.iter().copied(), target.result));
                Callee::Indirect(signature, self.load_context(call_slot(self.layout.function(function.0))))
            }
        };
        self.call_compiled(callee, &arguments, &live)
    }

    /// Calls a closure: its code index picks the code's address from the call table, which grows downwards.
    fn call_value(&mut self, at: usize, operands: &[Value], result: Type) -> clif::Value {
        let arguments = self.arguments(operands);
        let live = self.live_across(at);
        let index = self.load_code_index(arguments[0]);
        let offset = self.builder.ins().ishl_imm_s(index, 3);
        let context = self.context();
        let place = self.builder.ins().isub(context, offset);
        let flags = self.flags(super::memory::Region::Context);
        let code = self.builder.ins().load(types::I64, flags, place, call_table());
        let function = self.function;
        let params = operands.iter().map(|operand| function.values[operand.index()]);
        let signature = self.builder.import_signature(signature(params, result));
        self.call_compiled(Callee::Indirect(signature, code), &arguments, &live)
    }

    fn call_runtime(&mut self, at: usize, function: RuntimeFn, values: &[Value]) -> Option<clif::Value> {
        let live = self.live_across(at);
        let exit = match function {
            RuntimeFn::ArrayCopy(_) => {
                let words: Vec<_> = values.iter().map(|&value| self.word(value)).collect();
                self.call_exit(RuntimeFunction::ArrayCopy, &words, &live);
                return None;
            }
            RuntimeFn::ArrayFill(_) => {
                let words: Vec<_> = values.iter().map(|&value| self.word(value)).collect();
                self.call_exit(RuntimeFunction::ArrayFill, &words, &live);
                return None;
            }
            RuntimeFn::Throw => {
                let error = self.value(values[0]);
                self.call_exit(RuntimeFunction::ThrowError, &[error], &live);
                return None;
            }
            RuntimeFn::Catch => return Some(self.call_exit(RuntimeFunction::CatchError, &[], &live)),
            RuntimeFn::Suspend | RuntimeFn::Resume => {
                let suspend = function == RuntimeFn::Suspend;
                let function = if suspend { RuntimeFunction::SuspendTrap } else { RuntimeFunction::ResumeTrap };
                self.call_exit(function, &[], &live);
                return None;
            }
            RuntimeFn::Reraise => {
                let nested = self.word(values[0]);
                self.call_exit(RuntimeFunction::ReraiseTrap, &[nested], &live);
                return None;
            }
            RuntimeFn::StrEq => return Some(self.str_eq(values[0], values[1])),
            RuntimeFn::StrCompare => return Some(self.str_compare(values[0], values[1])),
            RuntimeFn::StrHash => {
                let (context, string) = (self.context(), self.value(values[0]));
                return Some(self.call_leaf(RuntimeFunction::StrHash, &[context, string]));
            }
            RuntimeFn::IntHash => return Some(self.int_hash(values[0])),
            RuntimeFn::WeakNew => return Some(self.call_weak(RuntimeFunction::WeakNew, values, &live)),
            RuntimeFn::WeakGet => return Some(self.call_weak(RuntimeFunction::WeakGet, values, &live)),
            RuntimeFn::WeakPair => return Some(self.call_weak(RuntimeFunction::WeakPair, values, &live)),
            RuntimeFn::WeakSetPair => {
                self.call_weak(RuntimeFunction::WeakSetPair, values, &live);
                return None;
            }
            RuntimeFn::WeakRemovePair => {
                let removed = self.call_weak(RuntimeFunction::WeakRemovePair, values, &live);
                return Some(self.builder.ins().ireduce(types::I8, removed));
            }
            RuntimeFn::ResourceOwn => {
                let owned = self.call_weak(RuntimeFunction::ResourceOwn, values, &live);
                return Some(self.builder.ins().ireduce(types::I8, owned));
            }
            RuntimeFn::StrSlice => return Some(self.str_slice(values, &live)),
            RuntimeFn::StrConcat => return Some(self.str_concat(values, &live)),
            RuntimeFn::ArrayGrow(_) => {
                let arguments = self.arguments(values);
                return Some(self.call_quiet(RuntimeFunction::ArrayGrow, &arguments, &live));
            }
            RuntimeFn::ArrayPart(_) => return Some(self.array_part(values, &live)),
            RuntimeFn::StrFromBytes => RuntimeFunction::StrFromBytes,
            RuntimeFn::StrJoin => RuntimeFunction::StrJoin,
        };
        let area = self.area(values);
        Some(self.call_with_area(exit, &[], area, &[], &live))
    }

    /// `RuntimeFn::IntHash`, step by step.
    fn int_hash(&mut self, value: Value) -> clif::Value {
        let [seed, factor, last] = int_steps();
        let value = self.value(value);
        let seed = self.builder.ins().iconst(types::I64, seed as i64);
        let mut state = self.builder.ins().bxor(value, seed);
        for factor in [factor, last] {
            let factor = self.builder.ins().iconst(types::I64, factor as i64);
            let low = self.builder.ins().imul(state, factor);
            let high = self.builder.ins().umulhi(state, factor);
            state = self.builder.ins().bxor(low, high);
        }
        self.builder.ins().ushr_imm_s(state, 1)
    }

    /// Operations on the weak table trap when it can't grow; they never collect, so plain words do.
    fn call_weak(&mut self, function: RuntimeFunction, values: &[Value], live: &[Value]) -> clif::Value {
        let words: Vec<_> = values.iter().map(|&value| self.word(value)).collect();
        self.call_exit(function, &words, live)
    }
}
