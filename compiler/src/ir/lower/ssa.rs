//! Builds a function in SSA form on the fly: variables are written and read block by block, and block parameters appear
//! only where a variable has several definitions. It knows blocks, values and variables, nothing of the language.
//!
//! After Braun, Buchwald, Hack, Leißa, Mallon, Zwinkau, "Simple and Efficient Construction of Static Single Assignment
//! Form", 2013; reading is iterative (phis are placed first and filled from a worklist), and trivial phis are removed in
//! one go at the end, which for reducible graphs leaves the minimal form.
//!
//! Invariants
//! - S1. A block is *sealed* once all its predecessors are known. Only sealed blocks have their phis filled.
//! - S2. No block has two edges to the same block that has phis.
//! - S3. A block is entered only if it has a predecessor, so that no unreachable block is ever emitted.

use crate::ir::{Block, BlockData, Function, Inlining, Inst, Op, Scope, Terminator, Type, Value, Values};
use crate::syntax::span::Span;
use hashbrown::HashMap;
use smallvec::SmallVec;

/// A variable of the function being built: a local or a temporary.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Variable(pub u32);

/// A function in the making.
pub struct Builder {
    blocks: Vec<Open>,
    /// Blocks in the order they were entered, which is the order they are emitted in.
    entered: Vec<Block>,
    values: Vec<Type>,
    variables: Vec<Type>,
    definitions: HashMap<(Block, Variable), Value>,
    phis: HashMap<Value, Phi>,
    /// Phis of sealed blocks that have no operands yet.
    unfilled: Vec<Value>,
    current: Option<Block>,
    handler: Option<Block>,
}

struct Open {
    params: SmallVec<[Value; 4]>,
    phis: Vec<Value>,
    insts: Vec<Inst>,
    terminator: Option<(Terminator, Span)>,
    preds: SmallVec<[Block; 2]>,
    sealed: bool,
    handler: Option<Block>,
}

struct Phi {
    block: Block,
    variable: Variable,
    /// In the order of the block's predecessors.
    operands: SmallVec<[Value; 2]>,
}

impl Builder {
    /// A function whose entry block has these parameters; the entry is current and sealed.
    pub fn new(params: &[Type]) -> (Builder, Vec<Value>) {
        let mut builder = Builder {
            blocks: Vec::new(),
            entered: Vec::new(),
            values: Vec::new(),
            variables: Vec::new(),
            definitions: HashMap::new(),
            phis: HashMap::new(),
            unfilled: Vec::new(),
            current: None,
            handler: None,
        };
        let entry = builder.block();
        builder.entered.push(entry);
        builder.current = Some(entry);
        builder.seal(entry);
        let params: Vec<Value> = params.iter().map(|&ty| builder.value(ty)).collect();
        builder.blocks[entry.index()].params = params.iter().copied().collect();
        (builder, params)
    }

    /// A new variable.
    pub fn variable(&mut self, ty: Type) -> Variable {
        self.variables.push(ty);
        Variable(self.variables.len() as u32 - 1)
    }

    /// A new block in the current `try` body, not sealed.
    pub fn block(&mut self) -> Block {
        self.blocks.push(Open {
            params: SmallVec::new(),
            phis: Vec::new(),
            insts: Vec::new(),
            terminator: None,
            preds: SmallVec::new(),
            sealed: false,
            handler: self.handler,
        });
        Block(self.blocks.len() as u32 - 1)
    }

    /// From here on, new blocks lie in the `try` body of `handler`; gives the outer handler to restore.
    pub fn set_handler(&mut self, handler: Option<Block>) -> Option<Block> {
        std::mem::replace(&mut self.handler, handler)
    }

    /// Goes on in `block`, if anything leads there. Blocks that still get predecessors are sealed later.
    pub fn enter(&mut self, block: Block) {
        debug_assert!(self.current.is_none(), "the block before has its terminator");
        if !self.blocks[block.index()].preds.is_empty() {
            self.entered.push(block);
            self.current = Some(block);
        }
    }

    /// Goes on in `block`, all of whose predecessors are there; `None` if it has none.
    pub fn enter_sealed(&mut self, block: Block) -> Option<()> {
        self.seal(block);
        if !self.continue_predecessor(block) {
            self.enter(block);
        }
        self.current.map(|_| ())
    }

    /// Where a block would only follow another one, goes on in that one.
    fn continue_predecessor(&mut self, block: Block) -> bool {
        let open = &self.blocks[block.index()];
        let (&[pred], handler) = (open.preds.as_slice(), open.handler) else { return false };
        let before = &mut self.blocks[pred.index()];
        if before.handler != handler || !matches!(before.terminator, Some((Terminator::Jump(..), _))) {
            return false;
        }
        before.terminator = None;
        self.current = Some(pred);
        true
    }

    /// All predecessors of `block` are there (S1).
    pub fn seal(&mut self, block: Block) {
        let open = &mut self.blocks[block.index()];
        debug_assert!(!open.sealed, "{block} is sealed once");
        open.sealed = true;
        self.unfilled.extend(&open.phis);
        self.fill();
    }

    /// Emits an instruction that gives nothing.
    pub fn effect(&mut self, op: Op, span: Span) {
        self.push(Inst { op, result: None, span, scope: Scope::OWN });
    }

    /// Emits an instruction that gives a value.
    pub fn emit(&mut self, op: Op, ty: Type, span: Span) -> Value {
        let result = self.value(ty);
        self.push(Inst { op, result: Some(result), span, scope: Scope::OWN });
        result
    }

    /// Ends the current block.
    pub fn terminate(&mut self, terminator: Terminator, span: Span) {
        let block = self.current.take().expect("only reachable code is lowered");
        let blocks = &mut self.blocks;
        terminator.edges(|to, _| {
            debug_assert!(!blocks[to.index()].sealed, "no edge to a sealed block");
            blocks[to.index()].preds.push(block);
        });
        blocks[block.index()].terminator = Some((terminator, span));
    }

    /// Ends the current block with a jump.
    pub fn jump(&mut self, to: Block, span: Span) {
        self.terminate(Terminator::Jump(to, Values::new()), span);
    }

    /// Assigns a variable.
    pub fn write(&mut self, variable: Variable, value: Value) {
        debug_assert_eq!(self.variables[variable.0 as usize], self.values[value.index()]);
        let block = self.current.expect("only reachable code is lowered");
        self.definitions.insert((block, variable), value);
    }

    /// The value of a variable here.
    pub fn read(&mut self, variable: Variable) -> Value {
        let block = self.current.expect("only reachable code is lowered");
        let value = self.lookup(variable, block);
        self.fill();
        value
    }

    fn push(&mut self, inst: Inst) {
        let block = self.current.expect("only reachable code is lowered");
        self.blocks[block.index()].insts.push(inst);
    }

    fn value(&mut self, ty: Type) -> Value {
        self.values.push(ty);
        Value(self.values.len() as u32 - 1)
    }

    /// The definition that reaches the end of `block`, a phi if there are several.
    fn lookup(&mut self, variable: Variable, block: Block) -> Value {
        let mut at = block;
        let value = loop {
            if let Some(&value) = self.definitions.get(&(at, variable)) {
                break value;
            }
            let open = &self.blocks[at.index()];
            match *open.preds {
                [pred] if open.sealed => at = pred,
                _ => break self.place_phi(variable, at),
            }
        };
        // remember it along the way, or chains of blocks would be walked again and again
        let mut seen = block;
        while seen != at {
            self.definitions.insert((seen, variable), value);
            seen = self.blocks[seen.index()].preds[0];
        }
        value
    }

    fn place_phi(&mut self, variable: Variable, block: Block) -> Value {
        let open = &self.blocks[block.index()];
        assert!(!open.sealed || !open.preds.is_empty(), "bug: variable {} is read before it is written", variable.0);
        let sealed = open.sealed;
        let phi = self.value(self.variables[variable.0 as usize]);
        self.blocks[block.index()].phis.push(phi);
        self.phis.insert(phi, Phi { block, variable, operands: SmallVec::new() });
        self.definitions.insert((block, variable), phi);
        if sealed {
            self.unfilled.push(phi);
        }
        phi
    }

    fn fill(&mut self) {
        while let Some(phi) = self.unfilled.pop() {
            let Phi { block, variable, .. } = self.phis[&phi];
            let preds = self.blocks[block.index()].preds.clone();
            let operands = preds.iter().map(|&pred| self.lookup(variable, pred)).collect();
            self.phis.get_mut(&phi).expect("just read").operands = operands;
        }
    }

    /// The finished function.
    pub fn finish(mut self, name: String, span: Span, params: Vec<Type>, result: Type) -> Function {
        let replaced = self.remove_trivial_phis();
        self.pass_arguments(&replaced);
        let blocks = Renumbering::new(&self).apply(&mut self);
        let values = self.values;
        let (inlined, inlining) = (Vec::new(), Inlining::Auto);
        Function { name, span, params, result, blocks, values, inlined, inlining }
    }

    /// Maps each phi that merges but one value with itself to that value.
    fn remove_trivial_phis(&self) -> Vec<Value> {
        let mut replaced: Vec<Value> = (0..self.values.len() as u32).map(Value).collect();
        let mut users: HashMap<Value, Vec<Value>> = HashMap::new();
        let mut work: Vec<Value> = self.entered.iter().flat_map(|b| &self.blocks[b.index()].phis).copied().collect();
        for &phi in &work {
            for operand in self.phis[&phi].operands.iter().filter(|o| self.phis.contains_key(*o)) {
                users.entry(*operand).or_default().push(phi);
            }
        }
        // in the order of the blocks: definitions before uses as far as possible, or chains would be gone through again
        // and again
        work.reverse();
        while let Some(phi) = work.pop() {
            if replaced[phi.index()] != phi {
                continue;
            }
            let mut others = self.phis[&phi].operands.iter().map(|&o| resolve(&replaced, o)).filter(|&o| o != phi);
            let Some(only) = others.next() else {
                continue; // of a loop that nothing enters; there are none
            };
            if others.all(|o| o == only) {
                replaced[phi.index()] = only;
                if let Some(mut list) = users.remove(&phi) {
                    list.retain(|user| replaced[user.index()] == *user);
                    work.extend(&list);
                    if self.phis.contains_key(&only) {
                        users.entry(only).or_default().extend(list);
                    }
                }
            }
        }
        for i in 0..replaced.len() {
            replaced[i] = resolve(&replaced, replaced[i]);
        }
        replaced
    }

    /// Turns the phis that are left into block parameters and arguments.
    fn pass_arguments(&mut self, replaced: &[Value]) {
        for block in self.entered.clone() {
            for phi in std::mem::take(&mut self.blocks[block.index()].phis) {
                if replaced[phi.index()] != phi {
                    continue;
                }
                self.blocks[block.index()].params.push(phi);
                let preds = self.blocks[block.index()].preds.clone();
                for (&pred, operand) in preds.iter().zip(&self.phis[&phi].operands) {
                    let (terminator, _) = self.blocks[pred.index()].terminator.as_mut().expect("an edge");
                    let mut edges = 0;
                    terminator.edges_mut(|to, args| {
                        if *to == block {
                            args.push(*operand);
                            edges += 1;
                        }
                    });
                    debug_assert_eq!(edges, 1, "S2");
                }
            }
        }
        for block in &mut self.blocks {
            for inst in &mut block.insts {
                inst.op.visit_mut(|value| *value = replaced[value.index()]);
            }
            if let Some((terminator, _)) = &mut block.terminator {
                terminator.visit_mut(|value| *value = replaced[value.index()]);
            }
        }
    }
}

fn resolve(replaced: &[Value], mut value: Value) -> Value {
    while replaced[value.index()] != value {
        value = replaced[value.index()];
    }
    value
}

/// New numbers for blocks and values, in the order they are emitted and defined.
struct Renumbering {
    blocks: Vec<Block>,
    values: Vec<Value>,
    types: Vec<Type>,
}

impl Renumbering {
    fn new(builder: &Builder) -> Renumbering {
        let mut blocks = vec![Block(u32::MAX); builder.blocks.len()];
        let mut values = vec![Value(u32::MAX); builder.values.len()];
        let mut types = Vec::new();
        for (i, block) in builder.entered.iter().enumerate() {
            blocks[block.index()] = Block(i as u32);
            let open = &builder.blocks[block.index()];
            for &value in open.params.iter().chain(open.insts.iter().filter_map(|inst| inst.result.as_ref())) {
                values[value.index()] = Value(types.len() as u32);
                types.push(builder.values[value.index()]);
            }
        }
        Renumbering { blocks, values, types }
    }

    fn apply(self, builder: &mut Builder) -> Vec<BlockData> {
        builder.values = self.types;
        let mut finished = Vec::with_capacity(builder.entered.len());
        for &block in &builder.entered {
            let open = &mut builder.blocks[block.index()];
            let mut insts = std::mem::take(&mut open.insts);
            for inst in &mut insts {
                inst.op.visit_mut(|value| *value = self.values[value.index()]);
                if let Some(result) = &mut inst.result {
                    *result = self.values[result.index()];
                }
            }
            let (mut terminator, span) = open.terminator.take().expect("every entered block has been ended");
            terminator.visit_mut(|value| *value = self.values[value.index()]);
            terminator.edges_mut(|to, _| *to = self.blocks[to.index()]);
            let params = open.params.iter().map(|value| self.values[value.index()]).collect();
            let handler = open.handler.map(|h| self.blocks[h.index()]);
            finished.push(BlockData { params, insts, terminator, span, scope: Scope::OWN, handler });
        }
        finished
    }
}
