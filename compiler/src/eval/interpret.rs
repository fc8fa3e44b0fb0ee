//! The loop: one instruction after the other.

use super::heap::Object;
use super::prim::prim;
use super::{Evaluator, Frame, Raised};
use crate::ir::{Block, FuncId, Op, Terminator, Value};
use smallvec::SmallVec;
use tenure_runtime::text;
use tenure_runtime::trap::{Trap, TrapKind};

/// Words of operands.
type Words = SmallVec<[u64; 8]>;

impl Evaluator<'_> {
    /// Runs a function to its end.
    pub(super) fn evaluate(&mut self, function: FuncId, args: &[u64]) -> Result<u64, Raised> {
        self.push_frame(function, args, None)?;
        loop {
            match self.run_block() {
                Ok(None) => {}
                Ok(Some(value)) => return Ok(value),
                Err(raised) => self.unwind(raised)?,
            }
        }
    }

    fn push_frame(&mut self, function: FuncId, args: &[u64], result: Option<Value>) -> Result<(), Raised> {
        let depth = self.frames.len();
        let base = self.stack.len();
        let code = &self.program.functions[function.index()];
        self.stack.resize(base + code.values.len(), 0);
        self.frames.push(Frame { function, base, block: Block(0), next: 0, result });
        self.base = base;
        for (&param, &word) in code.blocks[0].params.iter().zip(args) {
            self.set(param, word);
        }
        self.poll()?;
        if depth >= self.options.depth_max {
            return Err(TrapKind::StackOverflow.into());
        }
        Ok(())
    }

    /// At function entries and in every round of a loop.
    fn poll(&mut self) -> Result<(), Raised> {
        if let Some(kind) = self.options.interrupts.take() {
            return Err(kind.into());
        }
        self.options.fuel = self.options.fuel.checked_sub(1).ok_or(TrapKind::Fuel)?;
        Ok(())
    }

    /// Goes to the innermost handler, or fails when there is none.
    fn unwind(&mut self, mut raised: Raised) -> Result<(), Raised> {
        match &mut raised {
            Raised::Trap(trap) => {
                let mut located = std::mem::replace(trap, TrapKind::Panic.into());
                self.locate(&mut located);
                *trap = located;
            }
            Raised::Thrown(..) => {}
        }
        while let Some(frame) = self.frames.last_mut() {
            let block = &self.program.functions[frame.function.index()].blocks[frame.block.index()];
            match block.handler {
                Some(handler) if raised.is_catchable() => {
                    frame.block = handler;
                    frame.next = 0;
                    self.caught = Some(raised);
                    return Ok(());
                }
                _ => {
                    self.pop_frame();
                }
            }
        }
        Err(raised)
    }

    fn pop_frame(&mut self) -> Option<Value> {
        let frame = self.frames.pop().expect("something runs");
        self.stack.truncate(frame.base);
        self.base = self.frames.last().map_or(0, |caller| caller.base);
        frame.result
    }

    fn get(&self, value: Value) -> u64 {
        self.stack[self.base + value.index()]
    }

    fn set(&mut self, value: Value, word: u64) {
        self.stack[self.base + value.index()] = word;
    }

    fn words(&self, values: &[Value]) -> Words {
        values.iter().map(|&value| self.get(value)).collect()
    }

    fn frame(&self) -> &Frame {
        self.frames.last().expect("something runs")
    }

    fn frame_mut(&mut self) -> &mut Frame {
        self.frames.last_mut().expect("something runs")
    }

    /// Runs on to the end of the current block, or into a call; gives the result when the last frame returns.
    fn run_block(&mut self) -> Result<Option<u64>, Raised> {
        let program = self.program;
        let &Frame { function, block, next, .. } = self.frame();
        let code = &program.functions[function.index()].blocks[block.index()];
        for (i, inst) in code.insts.iter().enumerate().skip(next) {
            self.frame_mut().next = i + 1;
            self.step()?;
            let word = match &inst.op {
                Op::Call(callee, args) => {
                    let args = self.words(args);
                    self.push_frame(*callee, &args, inst.result)?;
                    return Ok(None);
                }
                Op::CallValue(args) => {
                    let args = self.words(args);
                    let callee = self.callee(args[0]);
                    self.push_frame(callee, &args, inst.result)?;
                    return Ok(None);
                }
                op => self.operation(op)?,
            };
            if let Some(result) = inst.result {
                self.set(result, word);
            }
        }
        self.frame_mut().next = code.insts.len() + 1;
        self.step()?;
        self.terminator(&code.terminator)
    }

    /// Counts instructions and terminators, so that no endless loop goes uncounted.
    fn step(&mut self) -> Result<(), Raised> {
        self.steps += 1;
        if self.steps <= self.options.steps_max {
            return Ok(());
        }
        Err(Trap::new(TrapKind::Fuel, "the step limit is reached").into())
    }

    fn terminator(&mut self, terminator: &Terminator) -> Result<Option<u64>, Raised> {
        match terminator {
            Terminator::Jump(to, args) => self.jump(*to, args),
            Terminator::Branch { condition, then, otherwise } => {
                let (to, args) = if self.get(*condition) != 0 { then } else { otherwise };
                self.jump(*to, args);
            }
            Terminator::Try { body, .. } => self.jump(*body, &[]),
            Terminator::Return(value) => return Ok(self.return_value(*value)),
            Terminator::Trap(kind) => return Err((*kind).into()),
            Terminator::Unreachable => panic!("bug: unreachable code was reached"),
        }
        Ok(None)
    }

    fn jump(&mut self, to: Block, args: &[Value]) {
        if !args.is_empty() {
            self.pass(to, args);
        }
        let frame = self.frame_mut();
        frame.block = to;
        frame.next = 0;
    }

    fn pass(&mut self, to: Block, args: &[Value]) {
        // all arguments are read before the first parameter is written: they may be the same values
        let words = self.words(args);
        let params = &self.program.functions[self.frame().function.index()].blocks[to.index()].params;
        for (&param, &word) in params.iter().zip(&words) {
            self.stack[self.base + param.index()] = word;
        }
    }

    fn return_value(&mut self, value: Value) -> Option<u64> {
        let word = self.get(value);
        let result = self.pop_frame();
        if self.frames.is_empty() {
            return Some(word);
        }
        if let Some(result) = result {
            self.set(result, word);
        }
        None
    }

    /// The code of a function value (I7).
    fn callee(&self, function: u64) -> FuncId {
        match self.heap.object(function) {
            Object::Function(id) => *id,
            Object::Record(_, fields) => FuncId(fields[0] as u32),
            _ => panic!("bug: not a function"),
        }
    }

    fn operation(&mut self, op: &Op) -> Result<u64, Raised> {
        Ok(match op {
            Op::Int(i) => *i as u64,
            Op::Float(x) => x.to_bits(),
            Op::Byte(b) => u64::from(*b),
            Op::Nil => 0,
            Op::Str(literal) => self.literal(*literal),
            Op::Code(function) => u64::from(function.0),
            Op::FnObject(function) => self.function_object(*function),
            Op::Prim(operation, args) => {
                // all have one or two operands
                let first = self.get(args[0]);
                prim(*operation, [first, args.get(1).map_or(0, |&second| self.get(second))])?
            }
            Op::BoundsCheck(index, len) => {
                let (index, len) = (self.get(*index), self.get(*len));
                if index >= len {
                    return Err(Trap::index(index as i64, len).into());
                }
                0
            }
            Op::IsNil(value) => u64::from(self.get(*value) == 0),
            Op::New(record, values) => {
                let fields = self.words(values).into_vec().into();
                self.heap.allocate(Object::Record(*record, fields))?
            }
            Op::Singleton(record) => self.singleton(*record),
            Op::Load(record, field, object) => {
                let (actual, fields) = self.heap.record(self.get(*object));
                assert_eq!(actual, *record, "bug: a field of another record is read");
                fields[*field as usize]
            }
            Op::Store(record, field, object, value) => {
                let (object, value) = (self.get(*object), self.get(*value));
                assert_eq!(self.heap.record(object).0, *record, "bug: a field of another record is written");
                self.heap.fields_mut(object)[*field as usize] = value;
                0
            }
            Op::Tag(first, value) => {
                let record = self.heap.record(self.get(*value)).0;
                (i64::from(record.0) - i64::from(first.0)) as u64
            }
            Op::ArrayNew(elem, len, fill) => {
                let len = self.get(*len) as i64;
                let count = u64::try_from(len).map_err(|_| text::negative_length(len))?;
                let fill = self.get(*fill);
                self.heap.allocate_array(*elem, count, fill)?
            }
            Op::ArrayLiteral(elem, values) => {
                let array = self.heap.allocate_array(*elem, values.len() as u64, 0)?;
                for (i, &value) in values.iter().enumerate() {
                    let word = self.get(value);
                    self.heap.set_element(array, i, word);
                }
                array
            }
            Op::ArrayLen(array) => self.heap.array_len(self.get(*array)) as u64,
            Op::ArrayGet(_, array, index) => self.heap.element(self.get(*array), self.get(*index) as usize),
            Op::ArraySet(_, array, index, value) => {
                let (array, index, value) = (self.get(*array), self.get(*index), self.get(*value));
                self.heap.set_element(array, index as usize, value);
                0
            }
            Op::GlobalGet(global) => self.globals[global.index()].ok_or(TrapKind::Unset)?,
            Op::GlobalSet(global, value) => {
                self.globals[global.index()] = Some(self.get(*value));
                0
            }
            Op::Poll => {
                self.poll()?;
                0
            }
            Op::CallNative(native, args) => self.call_native(*native, &self.words(args))?,
            Op::CallRuntime(function, args) => self.call_runtime(*function, &self.words(args))?,
            Op::Call(..) | Op::CallValue(_) => unreachable!("calls push frames"),
        })
    }
}
