//! Calls, and what has to be in memory while they run.
//!
//! References that live across a call are stored to stack slots before it, named in its stack map, and loaded again after
//! it, because the collector may have moved what they refer to. Each reference has one slot. A handler finds its references
//! in their slots: they were stored when the `try` began, the collector keeps them up to date, and nothing changes them.
//!
//! In a function with very many references live across very many calls this would be quadratic; there they stay in their
//! slots, stored when they are defined and loaded at each use.
//!
//! Invariants
//! - S1. After a safepoint a reference is used only through what was loaded after it: references are Cranelift variables, and
//!   the reload defines them anew.
//! - S2. No derived address lives across a safepoint: addresses are made of references at each use.
//! - S3. In a block with a handler every call that may trap is a `try_call` to it.

use super::function::Translator;
use super::memory::Region;
use crate::ir::{Block, Op, Type, Value};
use cranelift_codegen::ir::{
    self as clif, BlockArg, ExceptionTableData, ExceptionTableItem, InstBuilder, StackSlot, StackSlotData,
    StackSlotKind, TrapCode, UserStackMapEntry, types,
};
use tenure_runtime::abi::{Kind, RuntimeFunction};
use tenure_runtime::context::offset;
use tenure_runtime::trap::TrapKind;

/// What is called.
#[derive(Clone, Copy)]
pub(super) enum Callee {
    /// Code known by name.
    Direct(clif::FuncRef),
    /// Code at an address, with this signature.
    Indirect(clif::SigRef, clif::Value),
}

/// The argument area: words that a runtime function reads through their address.
pub(super) struct Area {
    address: clif::Value,
    entries: Vec<UserStackMapEntry>,
}

impl Area {
    /// Where the words lie.
    pub(super) fn address(&self) -> clif::Value {
        self.address
    }
}

/// After code that never goes on.
const UNREACHABLE: TrapCode = TrapCode::unwrap_user(1);

impl Translator<'_, '_> {
    /// References live across an instruction.
    pub(super) fn live_across(&self, inst: usize) -> Vec<Value> {
        self.across[inst].clone()
    }

    /// The same, and the instruction's own operands, which it uses after its safepoint.
    pub(super) fn live_through(&self, inst: usize) -> Vec<Value> {
        let mut live = self.live_across(inst);
        self.function.blocks[self.block.index()].insts[inst].op.visit(|operand| {
            if self.liveness.is_tracked(operand) && !live.contains(&operand) {
                live.push(operand);
            }
        });
        live
    }

    fn slot(&mut self, value: Value) -> StackSlot {
        let slot = &mut self.slots[value.index()];
        *slot.get_or_insert_with(|| {
            self.builder.create_sized_stack_slot(StackSlotData::new(StackSlotKind::ExplicitSlot, 8, 3))
        })
    }

    /// Puts a reference into its slot.
    pub(super) fn store_slot(&mut self, value: Value, current: clif::Value) {
        let slot = self.slot(value);
        self.builder.ins().stack_store(types::I64, current, slot, 0);
    }

    /// What a reference's slot holds.
    pub(super) fn load_slot(&mut self, value: Value) -> clif::Value {
        let slot = self.slot(value);
        self.builder.ins().stack_load(types::I64, types::I64, slot, 0)
    }

    fn spill(&mut self, live: &[Value]) -> Vec<UserStackMapEntry> {
        let spill = |this: &mut Self, &value: &Value| {
            if !this.resident {
                let current = this.value(value);
                this.store_slot(value, current);
            }
            UserStackMapEntry { ty: types::I64, slot: this.slot(value), offset: 0 }
        };
        live.iter().map(|value| spill(self, value)).collect()
    }

    fn reload(&mut self, live: &[Value]) {
        if self.resident {
            return;
        }
        for &value in live {
            let current = self.load_slot(value);
            self.define(value, current);
        }
    }

    /// Stores what a handler needs, at the start of its `try`.
    pub(super) fn spill_for_handler(&mut self, handler: Block) {
        let live: Vec<_> = self.liveness.live_in(handler).collect();
        self.spill(&live);
    }

    /// Loads it again, at the start of the handler.
    pub(super) fn reload_in_handler(&mut self, handler: Block) {
        let live: Vec<_> = self.liveness.live_in(handler).collect();
        self.reload(&live);
    }

    /// Emits a call; in a `try`, one that goes to the handler when it traps. Goes on in the block after it.
    fn emit_call(
        &mut self,
        callee: Callee,
        arguments: &[clif::Value],
        may_trap: bool,
        entries: Vec<UserStackMapEntry>,
    ) -> Option<clif::Value> {
        let handler = self.function.blocks[self.block.index()].handler.filter(|_| may_trap);
        let Some(handler) = handler else {
            let call = match callee {
                Callee::Direct(function) => self.builder.ins().call(function, arguments),
                Callee::Indirect(signature, address) => self.builder.ins().call_indirect(signature, address, arguments),
            };
            self.builder.func.dfg.append_user_stack_map_entries(call, entries);
            return self.builder.inst_results(call).first().copied();
        };
        let handler = self.blocks[handler.index()].expect("a handler is reached through its `try`");
        let signature = match callee {
            Callee::Direct(function) => self.builder.func.dfg.ext_funcs[function].signature,
            Callee::Indirect(signature, _) => signature,
        };
        let returns = &self.builder.func.dfg.signatures[signature].returns;
        let result = returns.first().map(|param| param.value_type);
        let after = self.builder.create_block();
        let here = self.builder.current_block().expect("a call is emitted into a block");
        if self.builder.func.layout.is_cold(here) {
            self.builder.set_cold_block(after);
        }
        let param = result.map(|ty| self.builder.append_block_param(after, ty));
        let dfg = &mut self.builder.func.dfg;
        let normal = match result {
            Some(_) => dfg.block_call(after, &[BlockArg::TryCallRet(0)]),
            None => dfg.block_call(after, &[]),
        };
        let exceptional = dfg.block_call(handler, &[]);
        let table = ExceptionTableData::new(signature, normal, [ExceptionTableItem::Default(exceptional)]);
        let table = dfg.exception_tables.push(table);
        let call = match callee {
            Callee::Direct(function) => self.builder.ins().try_call(function, arguments, table),
            Callee::Indirect(_, address) => self.builder.ins().try_call_indirect(address, arguments, table),
        };
        self.builder.func.dfg.append_user_stack_map_entries(call, entries);
        self.enter(after);
        param
    }

    /// Calls a compiled function.
    pub(super) fn call_compiled(&mut self, callee: Callee, arguments: &[clif::Value], live: &[Value]) -> clif::Value {
        let entries = self.spill(live);
        let result = self.emit_call(callee, arguments, true, entries);
        self.unarmed.clear();
        self.forget_context();
        self.reload(live);
        result.expect("every function returns a value")
    }

    /// Puts arguments where a runtime function finds them; gives those that are passed in registers.
    fn pass(&mut self, function: RuntimeFunction, arguments: &[clif::Value]) -> Vec<clif::Value> {
        let mut passed = Vec::with_capacity(arguments.len() + 1);
        match function.kind() {
            Kind::Quiet => {
                let flags = self.flags(Region::Context);
                let context = self.fresh_context();
                for (i, &argument) in arguments.iter().enumerate() {
                    let place = offset::ARGUMENTS + i as i32 * 8;
                    self.builder.ins().store(flags, argument, context, place);
                }
            }
            Kind::Exit => {
                passed.push(self.fresh_context());
                passed.extend(arguments);
            }
            Kind::Leaf => passed.extend(arguments),
        }
        passed
    }

    fn call_runtime_with(
        &mut self,
        function: RuntimeFunction,
        arguments: &[clif::Value],
        live: &[Value],
        mut entries: Vec<UserStackMapEntry>,
        may_trap: bool,
    ) -> Option<clif::Value> {
        entries.extend(self.spill(live));
        let callee = self.runtime_function(function);
        let passed = self.pass(function, arguments);
        let result = self.emit_call(Callee::Direct(callee), &passed, may_trap, entries);
        if function.may_collect() {
            self.unarmed.clear();
        }
        if function.kind() != Kind::Quiet {
            self.renew_context();
        }
        self.reload(live);
        result
    }

    /// Calls a function that keeps all registers and may collect and trap.
    pub(super) fn call_quiet(
        &mut self,
        function: RuntimeFunction,
        arguments: &[clif::Value],
        live: &[Value],
    ) -> clif::Value {
        self.call_runtime_with(function, arguments, live, Vec::new(), true);
        self.load_context(offset::RESULT)
    }

    /// Calls the poll, which keeps all registers.
    pub(super) fn call_poll(&mut self, live: &[Value]) {
        self.call_runtime_with(RuntimeFunction::Poll, &[], live, Vec::new(), true);
    }

    /// Calls one that neither collects nor traps.
    pub(super) fn call_quiet_infallible(&mut self, function: RuntimeFunction, arguments: &[clif::Value]) {
        self.call_runtime_with(function, arguments, &[], Vec::new(), false);
    }

    /// Calls a runtime function that may collect and trap.
    pub(super) fn call_exit(
        &mut self,
        function: RuntimeFunction,
        arguments: &[clif::Value],
        live: &[Value],
    ) -> clif::Value {
        let result = self.call_runtime_with(function, arguments, live, Vec::new(), true);
        result.expect("exit functions return a word")
    }

    /// The same with an argument area, whose address is passed after `before` and followed by `after`.
    pub(super) fn call_with_area(
        &mut self,
        function: RuntimeFunction,
        before: &[clif::Value],
        area: Area,
        after: &[clif::Value],
        live: &[Value],
    ) -> clif::Value {
        let arguments = [before, &[area.address], after].concat();
        let result = self.call_runtime_with(function, &arguments, live, area.entries, true);
        result.expect("exit functions return a word")
    }

    /// Calls a C function that neither collects nor traps.
    pub(super) fn call_leaf(&mut self, function: RuntimeFunction, arguments: &[clif::Value]) -> clif::Value {
        let result = self.call_runtime_with(function, arguments, &[], Vec::new(), false);
        result.expect("leaf functions return a word")
    }

    /// Stores arguments where a runtime function, and the collector, find them.
    pub(super) fn area(&mut self, values: &[Value]) -> Area {
        let slot = self.area_slot();
        let mut entries = Vec::new();
        for (i, &value) in values.iter().enumerate() {
            let word = self.word(value);
            let offset = i as u32 * 8;
            self.builder.ins().stack_store(types::I64, word, slot, offset as i32);
            if self.function.values[value.index()] == Type::Ref {
                entries.push(UserStackMapEntry { ty: types::I64, slot, offset });
            }
        }
        Area { address: self.builder.ins().stack_addr(types::I64, slot, 0), entries }
    }

    /// The slot of the argument area, large enough for every call of the function.
    fn area_slot(&mut self) -> StackSlot {
        if let Some(slot) = self.area_slot {
            return slot;
        }
        let insts = self.function.blocks.iter().flat_map(|block| &block.insts);
        let words = insts.map(|inst| match &inst.op {
            Op::CallNative(_, values) | Op::CallRuntime(_, values) => values.len(),
            _ => 0,
        });
        let bytes = words.max().unwrap_or(0).max(1) as u32 * 8;
        let slot = self.builder.create_sized_stack_slot(StackSlotData::new(StackSlotKind::ExplicitSlot, bytes, 3));
        self.area_slot = Some(slot);
        slot
    }

    /// Goes to the handler, or out of the function, with a trap.
    pub(super) fn throw(&mut self, function: RuntimeFunction, arguments: &[clif::Value]) {
        self.call_runtime_with(function, arguments, &[], Vec::new(), true);
        self.builder.ins().trap(UNREACHABLE);
    }

    /// Ends a block that is never left.
    pub(super) fn unreachable(&mut self) {
        self.builder.ins().trap(UNREACHABLE);
    }

    /// Traps with a kind's own message.
    pub(super) fn throw_kind(&mut self, kind: TrapKind) {
        let kind = self.builder.ins().iconst(types::I64, kind as i64);
        self.throw(RuntimeFunction::ThrowKind, &[kind]);
    }

    /// Traps if the condition holds; goes on otherwise.
    pub(super) fn trap_if(&mut self, condition: clif::Value, kind: TrapKind) {
        self.throw_if(condition, |this| this.throw_kind(kind));
    }

    /// Runs `throw` off the hot path if the condition holds; it must end its block.
    pub(super) fn throw_if(&mut self, condition: clif::Value, throw: impl FnOnce(&mut Self)) {
        let (thrown, done) = (self.cold_block(), self.builder.create_block());
        self.builder.ins().brif(condition, thrown, &[], done, &[]);
        self.enter(thrown);
        throw(self);
        self.enter(done);
    }
}
