//! Allocation of objects of known size: from the mutator's window, inline.
//!
//! Objects that a block makes one after the other, with nothing between them that collects or traps, form a *run*. The
//! window is checked once for all of them, where the first is made; the rest have their room by then. Where the window is too small
//! for the run, a stub makes each of its objects, off the hot path.
//!
//! Invariants
//! - R1. Headers are written together with the window's new top, payloads before the next safepoint or trap: nobody sees an
//!   object without its header, and nobody who looks at payloads sees one that was not written.
//! - R2. While the stub makes an object of a run, those before it are live references like all others: stored, named in the
//!   call's stack map, loaded again.

use super::function::Translator;
use super::memory::Region;
use crate::ir::{Inst, Op, Value};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self as clif, InstBuilder, types};
use smallvec::{SmallVec, smallvec};
use tenure_runtime::abi::RuntimeFunction;
use tenure_runtime::context::offset;

/// Elements up to this many bytes are allocated inline.
const INLINE_ARRAY_BYTES: u32 = 1024;

/// A run ends before it would be larger: when it does not fit the window, its objects go through the stub.
const RUN_WORDS_MAX: u32 = 256;

/// An object to be made.
struct Piece {
    inst: usize,
    words: u32,
    header: u64,
    slow: RuntimeFunction,
    arguments: SmallVec<[i64; 2]>,
}

impl Translator<'_, '_> {
    /// The object that an instruction makes, whose payload is still to be written; none if it is not made inline.
    pub(super) fn inline_object(&mut self, inst: usize) -> Option<clif::Value> {
        if let Some(object) = self.allocated.remove(&inst) {
            return Some(object);
        }
        let run = self.run_from(inst);
        if run.is_empty() {
            return None;
        }
        let objects = self.allocate(&run);
        for (piece, &object) in run.iter().zip(&objects) {
            self.define(self.result_of(piece.inst), object);
            self.unarmed.push(self.result_of(piece.inst));
            self.allocated.insert(piece.inst, object);
        }
        self.allocated.remove(&inst)
    }

    fn insts(&self) -> &[Inst] {
        &self.function.blocks[self.block.index()].insts
    }

    fn result_of(&self, inst: usize) -> Value {
        self.insts()[inst].result.expect("an allocation gives the object")
    }

    fn run_from(&self, first: usize) -> Vec<Piece> {
        let mut run = Vec::new();
        let mut words = 0;
        for (inst, data) in self.insts().iter().enumerate().skip(first) {
            if let Some(piece) = self.piece(inst, &data.op) {
                words += piece.words;
                if words > RUN_WORDS_MAX && !run.is_empty() {
                    break;
                }
                run.push(piece);
                if self.resident {
                    break;
                }
            } else if inst == first || data.op.is_safepoint() || data.op.traps() {
                break;
            }
        }
        run
    }

    fn piece(&self, inst: usize, op: &Op) -> Option<Piece> {
        match op {
            Op::New(record, _) => {
                let shape = self.layout.record_shape(record.0).index();
                let words = self.program.records[record.index()].words;
                let arguments = smallvec![i64::from(shape)];
                Some(Piece { inst, words, header: u64::from(shape), slow: RuntimeFunction::AllocateRecord, arguments })
            }
            Op::ArrayLiteral(elem, values) => {
                let (shape, len) = (elem.shape(), values.len() as u32);
                let bytes = len * elem.bytes();
                let header = u64::from(shape) | u64::from(len) << 32;
                let arguments = smallvec![i64::from(shape), i64::from(len)];
                let words = 1 + bytes.div_ceil(8);
                let piece = Piece { inst, words, header, slow: RuntimeFunction::AllocateArray, arguments };
                (bytes <= INLINE_ARRAY_BYTES).then_some(piece)
            }
            _ => None,
        }
    }

    /// Makes the objects of a run.
    fn allocate(&mut self, run: &[Piece]) -> Vec<clif::Value> {
        let (top, limit) = (self.load_context(offset::TOP), self.load_context(offset::LIMIT));
        let words: i64 = run.iter().map(|piece| i64::from(piece.words)).sum();
        let new_top = self.builder.ins().iadd_imm_s(top, words);
        let full = self.builder.ins().icmp(IntCC::UnsignedGreaterThan, new_top, limit);
        let (refill, bump, done) = (self.cold_block(), self.builder.create_block(), self.builder.create_block());
        let objects = run.iter().map(|_| self.builder.append_block_param(done, types::I64)).collect();
        self.builder.ins().brif(full, refill, &[], bump, &[]);

        self.enter(bump);
        let (flags, context) = (self.flags(Region::Context), self.context());
        self.builder.ins().store(flags, new_top, context, offset::TOP);
        let address = self.address(top);
        let mut made = Vec::with_capacity(run.len());
        let mut behind = 0;
        for piece in run {
            let flags = self.flags(Region::Header);
            let header = self.builder.ins().iconst(types::I64, piece.header as i64);
            self.builder.ins().store(flags, header, address, behind * 8);
            let object = if behind == 0 { top } else { self.builder.ins().iadd_imm_s(top, i64::from(behind)) };
            made.push(object.into());
            behind += piece.words as i32;
        }
        self.builder.ins().jump(done, &made);

        self.enter(refill);
        self.allocate_by_stub(run, done);
        self.enter(done);
        objects
    }

    fn allocate_by_stub(&mut self, run: &[Piece], done: clif::Block) {
        let first = run[0].inst;
        let mut live = self.live_through(first);
        for piece in run {
            self.set_place(piece.inst);
            let arguments: SmallVec<[_; 2]> =
                piece.arguments.iter().map(|&argument| self.builder.ins().iconst(types::I64, argument)).collect();
            let object = self.call_quiet(piece.slow, &arguments, &live);
            let result = self.result_of(piece.inst);
            self.define(result, object);
            live.push(result);
        }
        let made: Vec<_> = run.iter().map(|piece| self.value(self.result_of(piece.inst)).into()).collect();
        self.builder.ins().jump(done, &made);
        self.set_place(first);
    }
}
