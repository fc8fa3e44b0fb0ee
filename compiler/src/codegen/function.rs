//! One function of the IR to CLIF: its blocks and terminators. Instructions are in `instruction`, memory in `memory`, calls
//! and the collector's needs in `safepoint`.
//!
//! Invariants
//! - F1. References that the collector may move are Cranelift variables, all other values map one to one (S1).
//! - F2. Blocks come in reverse postorder and are sealed as soon as their last predecessor is there, so that loops carry only
//!   real parameters; handlers, which any call may enter, at the end.
//! - F3. Exits of branches come first, as the IR has them: Cranelift moves nothing out of loops otherwise.
//! - F4. The VM context is copied out of the pinned register, which is no operand of instructions, and copied anew after a
//!   call: so no copy takes a register that callees have to save.

use super::place::{self, Places};
use crate::ir::cfg::Cfg;
use crate::ir::liveness::Liveness;
use crate::ir::{Block, FuncId, Function, Op, Program, Terminator, Type, Value, Values};
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{self as clif, AbiParam, BlockArg, InstBuilder, Signature, SourceLoc, StackSlot, types};
use cranelift_codegen::isa::{CallConv, TargetFrontendConfig};
use cranelift_frontend::{FunctionBuilder, Variable};
use hashbrown::HashMap;
use tenure_runtime::abi::RuntimeFunction;
use tenure_runtime::context::offset;
use tenure_runtime::layout::Layout;
use tenure_runtime::trap::TrapKind;

/// What a value of the IR is in CLIF.
#[derive(Clone, Copy)]
enum Definition {
    None,
    Direct(clif::Value),
    Reference(Variable),
    /// In its stack slot.
    Resident,
}

/// A comparison, kept so that its opposite can be made (traps 2 and 6 of the notes on Cranelift: a negated flag costs
/// two instructions).
#[derive(Clone, Copy)]
pub(super) enum Comparison {
    Int(IntCC, clif::Value, clif::Value),
    Float(FloatCC, clif::Value, clif::Value),
}

/// Gives names to what lies outside the function.
pub(super) trait Linker {
    /// A runtime function.
    fn runtime(&mut self, function: RuntimeFunction, into: &mut clif::Function) -> clif::FuncRef;

    /// A function of the program that can be called directly: itself, or one that has been compiled.
    fn direct(&mut self, function: FuncId, into: &mut clif::Function) -> Option<clif::FuncRef>;
}

/// The translation of one function.
pub(super) struct Translator<'a, 'b> {
    pub(super) program: &'a Program,
    pub(super) layout: &'a Layout,
    pub(super) function: &'a Function,
    pub(super) builder: FunctionBuilder<'b>,
    pub(super) linker: &'a mut dyn Linker,
    pub(super) liveness: Liveness,
    /// The VM context, as it was last read from its register (F4).
    context: Variable,
    /// Whether a call has come after that, in the block under translation.
    context_is_stale: bool,
    pub(super) blocks: Vec<Option<clif::Block>>,
    /// The block under translation.
    pub(super) block: Block,
    /// For each of its instructions the references live across it.
    pub(super) across: Vec<Vec<Value>>,
    pub(super) slots: Vec<Option<StackSlot>>,
    pub(super) area_slot: Option<StackSlot>,
    /// Whether references stay in their slots all the time, see `safepoint`.
    pub(super) resident: bool,
    pub(super) comparisons: HashMap<Value, Comparison>,
    /// Objects that have been made for instructions of the block that are still to come.
    pub(super) allocated: HashMap<usize, clif::Value>,
    /// Objects of the block that need no barrier until the next safepoint (M3, M4).
    pub(super) unarmed: Vec<Value>,
    definitions: Vec<Definition>,
    /// The operation that defines a value, for constants.
    constants: HashMap<Value, i64>,
    /// Of sums with a small constant, what it was added to, and the constant.
    displaced: HashMap<Value, (Value, i32)>,
    codes: Vec<Value>,
    places: &'a Places,
    frontend: TargetFrontendConfig,
    runtime_functions: HashMap<RuntimeFunction, clif::FuncRef>,
}

/// From this many stores around calls on, a function's references stay in memory: the code would be longer, and take far
/// longer to compile, than what it saves.
const RESIDENT_SPILLS_MIN: usize = 10_000;

/// Elements by which an index may be displaced in an address, whose displacement is 32 bits of bytes.
const DISPLACEMENT_MAX: i64 = 1 << 20;

/// The CLIF type of a value.
pub(super) fn clif_type(ty: Type) -> clif::Type {
    match ty {
        Type::Int | Type::Ref => types::I64,
        Type::Float => types::F64,
        Type::Byte => types::I8,
    }
}

/// The signature of a compiled function with these parameters.
pub(super) fn signature(params: impl IntoIterator<Item = Type>, result: Type) -> Signature {
    let mut signature = Signature::new(CallConv::Tail);
    signature.params.extend(params.into_iter().map(|ty| AbiParam::new(clif_type(ty))));
    signature.returns.push(AbiParam::new(clif_type(result)));
    signature
}

/// What a translation reads.
pub(super) struct Input<'a> {
    pub(super) program: &'a Program,
    pub(super) layout: &'a Layout,
    pub(super) function: &'a Function,
    pub(super) places: &'a Places,
    pub(super) frontend: TargetFrontendConfig,
}

/// Translates a function into `builder`'s.
pub(super) fn translate(input: &Input<'_>, builder: FunctionBuilder<'_>, linker: &mut dyn Linker) {
    let function = input.function;
    let cfg = Cfg::new(function);
    let translator = Translator {
        program: input.program,
        layout: input.layout,
        function,
        builder,
        linker,
        liveness: Liveness::with_cfg(function, &cfg),
        context: Variable::from_u32(0),
        context_is_stale: false,
        blocks: vec![None; function.blocks.len()],
        block: Block(0),
        across: Vec::new(),
        slots: vec![None; function.values.len()],
        area_slot: None,
        resident: false,
        comparisons: HashMap::new(),
        allocated: HashMap::new(),
        unarmed: Vec::new(),
        definitions: vec![Definition::None; function.values.len()],
        constants: HashMap::new(),
        displaced: HashMap::new(),
        codes: Vec::new(),
        places: input.places,
        frontend: input.frontend,
        runtime_functions: HashMap::new(),
    };
    translator.run(&cfg);
}

impl Translator<'_, '_> {
    fn run(mut self, cfg: &Cfg) {
        self.context = self.builder.declare_var(types::I64);
        self.resident = self.spills(cfg) > RESIDENT_SPILLS_MIN;
        self.declare_blocks(cfg);
        let mut unfilled: Vec<usize> =
            (0..self.function.blocks.len()).map(|i| cfg.preds(Block(i as u32)).len()).collect();
        let handlers = self.handlers();
        for (i, &block) in cfg.reverse_postorder().iter().enumerate() {
            let clif = self.blocks[block.index()].expect("reachable blocks are declared");
            if i > 0 {
                self.builder.switch_to_block(clif);
                if unfilled[block.index()] == 0 && !handlers[block.index()] {
                    self.builder.seal_block(clif);
                }
            }
            self.translate_block(block, handlers[block.index()]);
            // Back edges to loops: their headers were entered unsealed.
            self.function.blocks[block.index()].terminator.edges(|to, _| {
                unfilled[to.index()] -= 1;
                let entered = cfg.position(to) <= i;
                if unfilled[to.index()] == 0 && entered && !handlers[to.index()] {
                    let to = self.blocks[to.index()].expect("reachable blocks are declared");
                    self.builder.seal_block(to);
                }
            });
        }
        self.builder.seal_all_blocks();
        self.builder.finalize(self.frontend);
    }

    /// How many references are live across a call, summed over the calls.
    fn spills(&self, cfg: &Cfg) -> usize {
        let mut spills = 0;
        for &block in cfg.reverse_postorder() {
            self.liveness.across(self.function, block, |_, live| spills += live.len());
        }
        spills
    }

    /// For each block whether it is a handler.
    fn handlers(&self) -> Vec<bool> {
        let mut handlers = vec![false; self.function.blocks.len()];
        for block in &self.function.blocks {
            if let Terminator::Try { handler, .. } = block.terminator {
                handlers[handler.index()] = true;
            }
        }
        handlers
    }

    fn declare_blocks(&mut self, cfg: &Cfg) {
        for &block in cfg.reverse_postorder() {
            let clif = self.builder.create_block();
            // the entry is not off any path
            if block != Block(0) && self.function.blocks[block.index()].insts.iter().any(|inst| inst.op.is_seldom()) {
                self.builder.set_cold_block(clif);
            }
            self.blocks[block.index()] = Some(clif);
            let function = self.function;
            if block == Block(0) {
                assert!(cfg.preds(block).is_empty(), "bug: a jump to the entry of {}", function.name);
                self.builder.append_block_params_for_function_params(clif);
                self.builder.switch_to_block(clif);
                self.builder.seal_block(clif);
                self.renew_context();
                continue;
            }
            for &param in &function.blocks[block.index()].params {
                self.builder.append_block_param(clif, clif_type(function.values[param.index()]));
            }
        }
    }

    /// The VM context (F4).
    pub(super) fn context(&mut self) -> clif::Value {
        if self.context_is_stale {
            self.renew_context();
        }
        self.builder.use_var(self.context)
    }

    /// A copy of it for one use, off the hot path.
    pub(super) fn fresh_context(&mut self) -> clif::Value {
        self.builder.ins().get_pinned_reg(types::I64)
    }

    /// Copies it anew, for all that follows.
    pub(super) fn renew_context(&mut self) {
        let context = self.fresh_context();
        self.builder.def_var(self.context, context);
        self.context_is_stale = false;
    }

    /// After a call: the next use makes a new copy, or else the end of the block.
    pub(super) fn forget_context(&mut self) {
        self.context_is_stale = true;
    }

    /// A poll, in functions that call: it tells when the stack is used up.
    fn enter_function(&mut self) {
        let insts = self.function.blocks.iter().flat_map(|block| &block.insts);
        let calls = insts.into_iter().any(|inst| matches!(inst.op, Op::Call(..) | Op::CallValue(..)));
        self.builder.set_srcloc(SourceLoc::new(place::FUNCTION));
        self.burn();
        if calls {
            let params = &self.function.blocks[0].params;
            let live: Vec<_> = params.iter().copied().filter(|&param| self.liveness.is_tracked(param)).collect();
            let pointer = self.builder.ins().get_stack_pointer(types::I64);
            let limit = self.load_context(offset::STACK_LIMIT);
            let below = self.builder.ins().icmp(IntCC::UnsignedLessThan, pointer, limit);
            self.poll_if(below, &live);
        }
    }

    /// What is done in every round of a loop.
    pub(super) fn poll(&mut self, live: &[Value]) {
        self.burn();
        // whoever asks for a poll makes the limit all ones
        let limit = self.load_context(offset::STACK_LIMIT);
        let asked = self.builder.ins().icmp_imm_s(IntCC::SignedLessThan, limit, 0);
        self.poll_if(asked, live);
    }

    fn poll_if(&mut self, condition: clif::Value, live: &[Value]) {
        let (polled, done) = (self.cold_block(), self.builder.create_block());
        self.builder.ins().brif(condition, polled, &[], done, &[]);
        self.enter(polled);
        self.call_poll(live);
        self.builder.ins().jump(done, &[]);
        self.enter(done);
    }

    /// Uses up fuel, in programs that count it.
    fn burn(&mut self) {
        if !self.program.counts_fuel {
            return;
        }
        let fuel = self.load_context(offset::FUEL);
        let left = self.builder.ins().iadd_imm_s(fuel, -1);
        let flags = self.flags(super::memory::Region::Context);
        let context = self.context();
        self.builder.ins().store(flags, left, context, offset::FUEL);
        let empty = self.builder.ins().icmp_imm_s(IntCC::SignedLessThan, left, 0);
        self.trap_if(empty, TrapKind::Fuel);
    }

    fn translate_block(&mut self, block: Block, is_handler: bool) {
        self.block = block;
        self.context_is_stale = is_handler;
        self.unarmed.clear();
        let function = self.function;
        let data = &function.blocks[block.index()];
        self.across.clear();
        self.across.resize(data.insts.len(), Vec::new());
        let across = &mut self.across;
        self.liveness.across(function, block, |inst, live| across[inst].extend_from_slice(live));

        let clif = self.blocks[block.index()].expect("reachable blocks are declared");
        let params: Vec<_> = self.builder.block_params(clif).to_vec();
        for (&param, value) in data.params.iter().zip(params) {
            self.define(param, value);
        }
        if block == Block(0) {
            self.enter_function();
        }
        if is_handler {
            self.reload_in_handler(block);
        }
        for (i, inst) in data.insts.iter().enumerate() {
            self.set_place(i);
            self.instruction(i, inst);
        }
        self.set_place(data.insts.len());
        self.terminator(&data.terminator);
    }

    /// Says which instruction of the block the code from here on comes from; one past the last is the terminator.
    pub(super) fn set_place(&mut self, inst: usize) {
        let place = self.places.of_block(self.block.index()) + inst as u32;
        self.builder.set_srcloc(SourceLoc::new(place));
    }

    fn terminator(&mut self, terminator: &Terminator) {
        let goes_on = matches!(terminator, Terminator::Jump(..) | Terminator::Branch { .. } | Terminator::Try { .. });
        if self.context_is_stale && goes_on {
            self.renew_context();
        }
        match terminator {
            Terminator::Jump(to, args) => {
                let args = self.block_args(args);
                let to = self.target(*to);
                self.builder.ins().jump(to, &args);
            }
            Terminator::Branch { condition, then, otherwise } => {
                let condition = self.value(*condition);
                let (then_args, otherwise_args) = (self.block_args(&then.1), self.block_args(&otherwise.1));
                let (then, otherwise) = (self.target(then.0), self.target(otherwise.0));
                self.builder.ins().brif(condition, then, &then_args, otherwise, &otherwise_args);
            }
            Terminator::Return(value) => {
                let value = self.value(*value);
                self.builder.ins().return_(&[value]);
            }
            Terminator::Try { body, handler } => {
                self.spill_for_handler(*handler);
                let body = self.target(*body);
                self.builder.ins().jump(body, &[]);
            }
            Terminator::Trap(kind) => self.throw_kind(*kind),
            Terminator::Unreachable => self.unreachable(),
        }
    }

    fn target(&self, block: Block) -> clif::Block {
        self.blocks[block.index()].expect("successors of reachable blocks are declared")
    }

    fn block_args(&mut self, values: &Values) -> Vec<BlockArg> {
        values.iter().map(|&value| self.value(value).into()).collect()
    }

    /// The CLIF value of an IR value, here.
    pub(super) fn value(&mut self, value: Value) -> clif::Value {
        match self.definitions[value.index()] {
            Definition::Direct(value) => value,
            Definition::Reference(variable) => self.builder.use_var(variable),
            Definition::Resident => self.load_slot(value),
            Definition::None => panic!("bug: {value} is used before its definition in {}", self.function.name),
        }
    }

    /// The same as a 64-bit word: bytes zero-extended, floats as their bits.
    pub(super) fn word(&mut self, value: Value) -> clif::Value {
        let clif = self.value(value);
        match self.function.values[value.index()] {
            Type::Int | Type::Ref => clif,
            Type::Byte => self.builder.ins().uextend(types::I64, clif),
            Type::Float => self.builder.ins().bitcast(types::I64, clif::MemFlagsData::new(), clif),
        }
    }

    /// Defines an IR value, or a reference anew after a safepoint.
    pub(super) fn define(&mut self, value: Value, clif: clif::Value) {
        if !self.liveness.is_tracked(value) {
            self.definitions[value.index()] = Definition::Direct(clif);
            return;
        }
        if self.resident {
            self.definitions[value.index()] = Definition::Resident;
            return self.store_slot(value, clif);
        }
        let variable = match self.definitions[value.index()] {
            Definition::Reference(variable) => variable,
            _ => self.builder.declare_var(types::I64),
        };
        self.definitions[value.index()] = Definition::Reference(variable);
        self.builder.def_var(variable, clif);
    }

    /// Remembers an int constant.
    pub(super) fn define_constant(&mut self, value: Value, constant: i64) {
        self.constants.insert(value, constant);
    }

    /// The constant that a value is, if it is one.
    pub(super) fn constant(&self, value: Value) -> Option<i64> {
        self.constants.get(&value).copied()
    }

    /// Remembers that an int is another plus a constant, if that is small enough to be part of an address.
    pub(super) fn define_displaced(&mut self, sum: Value, of: Value, constant: i64) {
        if (-DISPLACEMENT_MAX..=DISPLACEMENT_MAX).contains(&constant) {
            self.displaced.insert(sum, (of, constant as i32));
        }
    }

    /// An int as another plus a constant.
    pub(super) fn displaced(&self, value: Value) -> (Value, i32) {
        self.displaced.get(&value).copied().unwrap_or((value, 0))
    }

    /// Remembers that a value is a closure's code index.
    pub(super) fn define_code(&mut self, value: Value) {
        self.codes.push(value);
    }

    /// Whether a value is a closure's code index.
    pub(super) fn is_code(&self, value: Value) -> bool {
        self.codes.contains(&value)
    }

    /// A block off the hot path.
    pub(super) fn cold_block(&mut self) -> clif::Block {
        let block = self.builder.create_block();
        self.builder.set_cold_block(block);
        block
    }

    /// Goes on in a block to which all jumps have been emitted.
    pub(super) fn enter(&mut self, block: clif::Block) {
        self.builder.switch_to_block(block);
        self.builder.seal_block(block);
    }

    /// A runtime function, by name.
    pub(super) fn runtime_function(&mut self, function: RuntimeFunction) -> clif::FuncRef {
        if let Some(&known) = self.runtime_functions.get(&function) {
            return known;
        }
        let linked = self.linker.runtime(function, self.builder.func);
        self.runtime_functions.insert(function, linked);
        linked
    }
}
