//! Checks the invariants of the IR (I1 to I4 as far as they show) and says what is wrong with a function. `lower` runs
//! it in debug builds; so does each later pass. It knows nothing of the language.

use super::cfg::{Cfg, Dominators};
use super::operands::Natural;
use super::{Block, Function, Inst, Op, Program, RuntimeFn, Terminator, Type, Value};

/// Verifies every function; the error names the function, block and instruction, and shows the function's text.
pub fn verify(program: &Program) -> Result<(), String> {
    for (i, function) in program.functions.iter().enumerate() {
        verify_function(program, function).map_err(|e| format!("fn{i} {:?}: {e}\n{function}", function.name))?;
    }
    for record in &program.records {
        verify_layout(record).map_err(|e| format!("record {:?}: {e}", record.name))?;
    }
    Ok(())
}

/// Verifies one function of a program, which may be unfinished otherwise.
pub fn verify_function(program: &Program, function: &Function) -> Result<(), String> {
    if function.blocks.is_empty() {
        return Err("has no entry block".into());
    }
    for block in &function.blocks {
        let mut edges_ok = true;
        block.terminator.edges(|to, _| edges_ok &= to.index() < function.blocks.len());
        if !edges_ok || block.handler.is_some_and(|h| h.index() >= function.blocks.len()) {
            return Err(format!("an edge leads to a missing block: {}", block.terminator));
        }
    }
    let cfg = Cfg::new(function);
    let dominators = Dominators::new(&cfg);
    let verifier = Verifier { program, function, definitions: definitions(function)?, cfg, dominators };
    verifier.entry()?;
    for i in 0..function.blocks.len() {
        verifier.block(Block(i as u32)).map_err(|e| format!("b{i}: {e}"))?;
    }
    Ok(())
}

fn verify_layout(record: &super::Record) -> Result<(), String> {
    let mut end_of_refs = 8;
    let mut end = 8;
    for field in &record.fields {
        let (size, align) = match field.ty {
            Type::Ref => (4, 4),
            Type::Byte => (1, 1),
            Type::Int | Type::Float => (8, 8),
        };
        if !field.offset.is_multiple_of(align) || field.offset < 8 {
            return Err(format!("misplaced field at {}", field.offset));
        }
        if field.length && field.ty != Type::Int {
            return Err(format!("a length at {} that is no int", field.offset));
        }
        end = end.max(field.offset + size);
        if field.ty == Type::Ref {
            end_of_refs = end_of_refs.max(field.offset + size);
        }
    }
    let refs = record.fields.iter().filter(|f| f.ty == Type::Ref).count() as u32;
    if refs != record.refs || end_of_refs != 8 + 4 * refs {
        return Err("references don't come first".into());
    }
    let mut ranges: Vec<_> = record.fields.iter().map(|f| f.offset).collect();
    ranges.sort_unstable();
    ranges.dedup();
    if ranges.len() != record.fields.len() || record.words * 8 < end {
        return Err("fields overlap or stick out".into());
    }
    Ok(())
}

/// Where a value is defined: its block, and the index of its instruction, parameters before the first.
type Definition = Option<(Block, usize)>;

fn definitions(function: &Function) -> Result<Vec<Definition>, String> {
    let mut definitions: Vec<Definition> = vec![None; function.values.len()];
    let mut define = |value: Value, place| match definitions.get_mut(value.index()) {
        None => Err(format!("{value} has no type")),
        Some(Some(_)) => Err(format!("{value} is defined twice")),
        Some(slot) => {
            *slot = Some(place);
            Ok(())
        }
    };
    for (i, block) in function.blocks.iter().enumerate() {
        for &param in &block.params {
            define(param, (Block(i as u32), 0))?;
        }
        for (k, inst) in block.insts.iter().enumerate() {
            if let Some(result) = inst.result {
                define(result, (Block(i as u32), k + 1))?;
            }
        }
    }
    Ok(definitions)
}

struct Verifier<'a> {
    program: &'a Program,
    function: &'a Function,
    definitions: Vec<Definition>,
    cfg: Cfg,
    dominators: Dominators,
}

impl Verifier<'_> {
    fn ty(&self, value: Value) -> Type {
        self.function.values[value.index()]
    }

    fn entry(&self) -> Result<(), String> {
        let entry = &self.function.blocks[0];
        if !entry.params.iter().map(|&p| self.ty(p)).eq(self.function.params.iter().copied()) {
            return Err("the entry's parameters are not the function's".into());
        }
        if !self.cfg.preds(Block(0)).is_empty() {
            return Err("a jump goes to the entry".into());
        }
        if entry.handler.is_some() {
            return Err("the entry lies in a try body".into());
        }
        Ok(())
    }

    fn block(&self, block: Block) -> Result<(), String> {
        let data = &self.function.blocks[block.index()];
        if !self.cfg.is_reachable(block) {
            return Err("is unreachable".into());
        }
        for (k, inst) in data.insts.iter().enumerate() {
            self.uses(block, k + 1, |visit| inst.op.visit(visit))
                .and_then(|()| self.inst(inst))
                .and_then(|()| self.catch(block, k, inst))
                .map_err(|e| format!("{}: {e}", inst.op))?;
        }
        self.uses(block, data.insts.len() + 1, |visit| data.terminator.visit(visit))
            .and_then(|()| self.terminator(block, &data.terminator))
            .map_err(|e| format!("{}: {e}", data.terminator))
    }

    /// I2: definitions dominate uses.
    fn uses(&self, block: Block, at: usize, operands: impl FnOnce(&mut dyn FnMut(Value))) -> Result<(), String> {
        let mut result = Ok(());
        operands(&mut |value| {
            let Some(&definition) = self.definitions.get(value.index()) else {
                result = Err(format!("{value} does not exist"));
                return;
            };
            let visible = definition.is_some_and(|(home, index)| {
                if home == block {
                    index < at
                } else {
                    self.cfg.is_reachable(home) && self.dominators.dominates(&self.cfg, home, block)
                }
            });
            if !visible {
                result = Err(format!("the definition of {value} does not dominate this use"));
            }
        });
        result
    }

    /// I1: operand and result types.
    fn inst(&self, inst: &Inst) -> Result<(), String> {
        let expected = match inst.natural_result(self.program) {
            Natural::Nothing if inst.result.is_some() => return Err("gives nothing".into()),
            Natural::Nothing => None,
            Natural::Type(ty) => Some(ty),
            Natural::AsTyped => inst.result.map(|r| self.ty(r)),
        };
        if inst.result.map(|r| self.ty(r)) != expected {
            return Err(format!("gives {expected:?}"));
        }
        self.operand_types(&inst.op)
    }

    fn operand_types(&self, op: &Op) -> Result<(), String> {
        use Type::{Int, Ref};
        match op {
            Op::Prim(prim, values) => self.types(values, prim.signature().0.iter().copied()),
            Op::BoundsCheck(a, b) => self.types(&[*a, *b], [Int, Int]),
            Op::IsNil(a) | Op::Tag(_, a) | Op::ArrayLen(a) => self.types(&[*a], [Ref]),
            Op::New(record, values) => {
                self.types(values, self.program.records[record.index()].fields.iter().map(|f| f.ty))
            }
            Op::Load(_, _, object) => self.types(&[*object], [Ref]),
            Op::Store(record, field, object, value) => {
                let ty = self.program.records[record.index()].fields[*field as usize].ty;
                self.types(&[*object, *value], [Ref, ty])
            }
            Op::ArrayNew(elem, len, fill) => self.types(&[*len, *fill], [Int, elem.ty()]),
            Op::ArrayLiteral(elem, values) => self.types(values, values.iter().map(|_| elem.ty())),
            Op::ArrayGet(_, array, index) => self.types(&[*array, *index], [Ref, Int]),
            Op::ArraySet(elem, array, index, value) => self.types(&[*array, *index, *value], [Ref, Int, elem.ty()]),
            Op::GlobalSet(global, value) => self.types(&[*value], [self.program.globals[global.index()].1]),
            Op::Call(function, values) => {
                self.types(values, self.program.functions[function.index()].params.iter().copied())
            }
            Op::CallValue(values) => match values.first() {
                Some(&callee) => self.types(&[callee], [Ref]),
                None => Err("calls nothing".into()),
            },
            Op::CallRuntime(RuntimeFn::StrConcat, values) => self.types(values, values.iter().map(|_| Ref)),
            Op::CallRuntime(function, values) => self.types(values, function.params().iter().copied()),
            Op::Singleton(record) if !self.program.records[record.index()].fields.is_empty() => {
                Err("has fields".into())
            }
            Op::Int(_) | Op::Float(_) | Op::Byte(_) | Op::Nil | Op::Str(_) | Op::Code(_) | Op::FnObject(_) => Ok(()),
            Op::Singleton(_) | Op::GlobalGet(_) | Op::CallNative(..) | Op::Poll => Ok(()),
        }
    }

    fn types(&self, values: &[Value], expected: impl IntoIterator<Item = Type>) -> Result<(), String> {
        let expected: Vec<Type> = expected.into_iter().collect();
        let actual: Vec<Type> = values.iter().map(|&v| self.ty(v)).collect();
        if actual == expected { Ok(()) } else { Err(format!("takes {expected:?}, has {actual:?}")) }
    }

    /// I3: what takes the trap opens handlers and stands nowhere else.
    fn catch(&self, block: Block, index: usize, inst: &Inst) -> Result<(), String> {
        use RuntimeFn::{Catch, Reraise, Suspend};
        if !matches!(inst.op, Op::CallRuntime(Catch | Suspend | Reraise, _)) || index == 0 && self.is_handler(block) {
            return Ok(());
        }
        Err("stands outside the start of a handler".into())
    }

    fn is_handler(&self, block: Block) -> bool {
        let preds = self.cfg.preds(block);
        let enters = |&pred: &Block| match self.function.blocks[pred.index()].terminator {
            Terminator::Try { handler, .. } => handler == block,
            _ => false,
        };
        !preds.is_empty() && preds.iter().all(enters)
    }

    fn terminator(&self, block: Block, terminator: &Terminator) -> Result<(), String> {
        match terminator {
            Terminator::Branch { condition, .. } => self.types(&[*condition], [Type::Byte])?,
            Terminator::Return(value) => self.types(&[*value], [self.function.result])?,
            &Terminator::Try { body, handler } => return self.enter_try(block, body, handler),
            Terminator::Jump(..) | Terminator::Trap(_) | Terminator::Unreachable => {}
        }
        let mut result = Ok(());
        terminator.edges(|to, args| {
            let params = &self.function.blocks[to.index()].params;
            let edge =
                self.types(args, params.iter().map(|&p| self.ty(p))).and_then(|()| self.same_or_outer(block, to));
            if result.is_ok() {
                result = edge;
            }
        });
        result
    }

    fn enter_try(&self, block: Block, body: Block, handler: Block) -> Result<(), String> {
        let at = |b: Block| &self.function.blocks[b.index()];
        if body == handler || !at(body).params.is_empty() || !at(handler).params.is_empty() {
            return Err("body and handler are blocks of their own without parameters".into());
        }
        if at(body).handler != Some(handler) {
            return Err(format!("{body} does not lie in the body of {handler}"));
        }
        if at(handler).handler != at(block).handler {
            return Err(format!("{handler} does not lie where its try does"));
        }
        if self.cfg.preds(body).len() != 1 || !self.is_handler(handler) {
            return Err("body or handler is entered from elsewhere".into());
        }
        Ok(())
    }

    /// I3: jumps stay in their `try` body or leave it, never enter one.
    fn same_or_outer(&self, from: Block, to: Block) -> Result<(), String> {
        let handler = |b: Block| self.function.blocks[b.index()].handler;
        let (mut scope, target) = (handler(from), handler(to));
        let mut depth = 0;
        loop {
            if scope == target {
                return Ok(());
            }
            depth += 1;
            match scope {
                Some(h) if depth <= self.function.blocks.len() => scope = handler(h),
                _ => return Err(format!("jumps into the try body of {to}")),
            }
        }
    }
}
