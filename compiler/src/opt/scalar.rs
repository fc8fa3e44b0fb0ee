//! Scalar replacement: an object that nothing but this function can see becomes its fields, and these become values.
//!
//! An object is seen elsewhere if its reference is stored, passed, returned, compared or merged with another; what is
//! left is reading and writing its fields. Each field that is written is then a variable, put into SSA form as Braun et al.
//! do (*Simple and Efficient Construction of Static Single Assignment Form*, 2013); the others are what the object was made
//! of. Objects inside such objects follow in the next round.
//!
//! A field that is written inside a `try` body around which the object lives would have to be known to the handler at
//! every call of the body; such objects stay.

use super::Context;
use crate::ir::cfg::Cfg;
use crate::ir::{Block, Function, Inst, Op, Program, RecordId, Terminator, Value, Values};
use hashbrown::HashMap;
use smallvec::SmallVec;

/// How deep objects may lie in each other.
const ROUNDS_MAX: usize = 4;

/// The pass.
pub(super) fn run(function: &mut Function, context: &Context<'_>) {
    for _ in 0..ROUNDS_MAX {
        super::meet::run(function, context.program);
        let candidates = candidates(function);
        if candidates.is_empty() || has_shared_handler(function) {
            return;
        }
        Replacement::new(function, context.program, candidates).run(function);
        // parameters that always get the same object would keep it
        super::fold::run(function, context);
    }
}

/// An object that is to go.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    record: RecordId,
    /// Where it is made.
    home: Block,
    /// The `try` body that is in.
    handler: Option<Block>,
    escapes: bool,
}

/// Objects whose references are used for nothing but their fields.
fn candidates(function: &Function) -> HashMap<Value, Candidate> {
    let mut found: HashMap<Value, Candidate> = HashMap::new();
    for (i, block) in function.blocks.iter().enumerate() {
        for inst in &block.insts {
            if let (Op::New(record, _), Some(object)) = (&inst.op, inst.result) {
                let home = Block(i as u32);
                found.insert(object, Candidate { record: *record, home, handler: block.handler, escapes: false });
            }
        }
    }
    if found.is_empty() {
        return found;
    }
    for block in &function.blocks {
        let mut escape = |value: Value| {
            if let Some(candidate) = found.get_mut(&value) {
                candidate.escapes = true;
            }
        };
        block.terminator.visit(&mut escape);
        for inst in &block.insts {
            match inst.op {
                Op::IsNil(_) => {}
                Op::Load(record, _, object) => {
                    if let Some(candidate) = found.get_mut(&object) {
                        candidate.escapes |= candidate.record != record;
                    }
                }
                Op::Store(record, _, object, value) => {
                    if let Some(candidate) = found.get_mut(&object) {
                        candidate.escapes |= candidate.record != record || candidate.handler != block.handler;
                    }
                    if let Some(candidate) = found.get_mut(&value) {
                        candidate.escapes = true;
                    }
                }
                _ => inst.op.visit(|value| {
                    if let Some(candidate) = found.get_mut(&value) {
                        candidate.escapes = true;
                    }
                }),
            }
        }
    }
    found.retain(|_, candidate| !candidate.escapes);
    found
}

/// Whether several `try`s have one handler, which could then not be told what a field is.
fn has_shared_handler(function: &Function) -> bool {
    let mut seen = vec![false; function.blocks.len()];
    let mut shared = false;
    for block in &function.blocks {
        if let Terminator::Try { handler, .. } = block.terminator {
            shared |= std::mem::replace(&mut seen[handler.index()], true);
        }
    }
    shared
}

/// A field of an object.
type Variable = (Value, u32);

/// What the objects are made of, but for the fields that are written later.
fn constants(function: &Function, objects: &HashMap<Value, Candidate>) -> HashMap<Variable, Value> {
    let mut constants = HashMap::new();
    let mut written = Vec::new();
    for inst in function.blocks.iter().flat_map(|block| &block.insts) {
        match (&inst.op, inst.result) {
            (Op::New(_, fields), Some(object)) if objects.contains_key(&object) => {
                constants.extend(fields.iter().enumerate().map(|(field, &value)| ((object, field as u32), value)));
            }
            (&Op::Store(_, field, object, _), _) => written.push((object, field)),
            _ => {}
        }
    }
    for variable in written {
        constants.remove(&variable);
    }
    constants
}

struct Replacement<'a> {
    program: &'a Program,
    cfg: Cfg,
    objects: HashMap<Value, Candidate>,
    /// What fields are that nothing writes.
    constants: HashMap<Variable, Value>,
    /// What a field is at a block's end, where it is set in the block or was asked for.
    ends: HashMap<(Block, Variable), Value>,
    /// What it is at its start, where it was asked for.
    starts: HashMap<(Block, Variable), Value>,
    /// Parameters that need arguments yet.
    open: Vec<(Block, Variable)>,
    /// What loads turned out to be.
    copies: HashMap<Value, Value>,
}

impl<'a> Replacement<'a> {
    fn new(function: &Function, program: &'a Program, objects: HashMap<Value, Candidate>) -> Replacement<'a> {
        Replacement {
            program,
            cfg: Cfg::new(function),
            constants: constants(function, &objects),
            objects,
            ends: HashMap::new(),
            starts: HashMap::new(),
            open: Vec::new(),
            copies: HashMap::new(),
        }
    }

    fn run(mut self, function: &mut Function) {
        for at in 0..function.blocks.len() {
            self.note_ends(&function.blocks[at].insts, Block(at as u32));
        }
        let order = self.cfg.reverse_postorder().to_vec();
        for block in order {
            self.block(function, block);
        }
        self.pass_arguments(function);
        let copies = self.copies;
        let resolve = |value: &mut Value| {
            while let Some(&copy) = copies.get(value) {
                *value = copy;
            }
        };
        for block in &mut function.blocks {
            for inst in &mut block.insts {
                inst.op.visit_mut(resolve);
            }
            block.terminator.visit_mut(resolve);
        }
    }

    /// Notes what the fields that a block sets are at its end.
    fn note_ends(&mut self, insts: &[Inst], block: Block) {
        for inst in insts {
            match (&inst.op, inst.result) {
                (Op::New(_, fields), Some(object)) if self.objects.contains_key(&object) => {
                    for (field, &value) in fields.iter().enumerate() {
                        self.ends.insert((block, (object, field as u32)), value);
                    }
                }
                (&Op::Store(_, field, object, value), _) if self.objects.contains_key(&object) => {
                    self.ends.insert((block, (object, field)), value);
                }
                _ => {}
            }
        }
    }

    /// Takes the objects out of a block.
    fn block(&mut self, function: &mut Function, block: Block) {
        let mut now: HashMap<Variable, Value> = HashMap::new();
        let mut insts = std::mem::take(&mut function.blocks[block.index()].insts);
        insts.retain_mut(|inst| match (&inst.op, inst.result) {
            (Op::New(_, fields), Some(object)) if self.objects.contains_key(&object) => {
                now.extend(fields.iter().enumerate().map(|(field, &value)| ((object, field as u32), value)));
                false
            }
            (&Op::Store(_, field, object, value), _) if self.objects.contains_key(&object) => {
                now.insert((object, field), value);
                false
            }
            (&Op::Load(_, field, object), Some(result)) if self.objects.contains_key(&object) => {
                let variable = (object, field);
                let value = match self.constants.get(&variable).or_else(|| now.get(&variable)) {
                    Some(&value) => value,
                    None => self.at_start(function, block, variable),
                };
                self.copies.insert(result, value);
                false
            }
            (&Op::IsNil(object), _) if self.objects.contains_key(&object) => {
                inst.op = Op::Byte(0);
                true
            }
            _ => true,
        });
        function.blocks[block.index()].insts = insts;
    }

    fn at_end(&mut self, function: &mut Function, block: Block, variable: Variable) -> Value {
        match self.ends.get(&(block, variable)) {
            Some(&value) => value,
            None => self.at_start(function, block, variable),
        }
    }

    /// What a field is at the start of a block, which its object's home dominates. Long lines of blocks are walked
    /// without recursion.
    fn at_start(&mut self, function: &mut Function, block: Block, variable: Variable) -> Value {
        let mut at = block;
        let mut walked: SmallVec<[Block; 8]> = SmallVec::new();
        let value = loop {
            if let Some(&known) = self.starts.get(&(at, variable)) {
                break known;
            }
            debug_assert_ne!(at, self.objects[&variable.0].home, "an object's uses lie behind its home's start");
            walked.push(at);
            let &[pred] = self.cfg.preds(at) else {
                let (object, field) = variable;
                let record = &self.program.records[self.objects[&object].record.index()];
                function.values.push(record.fields[field as usize].ty);
                let param = Value(function.values.len() as u32 - 1);
                self.open.push((at, variable));
                break param;
            };
            if let Some(&known) = self.ends.get(&(pred, variable)) {
                break known;
            }
            at = pred;
        };
        for block in walked {
            self.starts.insert((block, variable), value);
        }
        value
    }

    /// Adds the parameters that were asked for, and their arguments; these may ask for more.
    fn pass_arguments(&mut self, function: &mut Function) {
        while let Some((block, variable)) = self.open.pop() {
            let param = self.starts[&(block, variable)];
            function.blocks[block.index()].params.push(param);
            let mut preds: SmallVec<[Block; 4]> = self.cfg.preds(block).into();
            preds.sort_unstable();
            preds.dedup();
            for pred in preds {
                let value = self.at_end(function, pred, variable);
                function.blocks[pred.index()].terminator.edges_mut(|to, args: &mut Values| {
                    if *to == block {
                        args.push(value);
                    }
                });
            }
        }
    }
}
