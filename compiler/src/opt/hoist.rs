//! Moves out of loops what each round computes again: lengths, fields and elements that nothing in the loop changes, and
//! the checks that come with them.
//!
//! Only what runs in every round before anything else can happen is moved, so that the first trap stays the first, with
//! its place; a loop is entered only where its first round is sure to run (see `rotate`).
//!
//! Invariants
//! - H1. A load moves past no store of its kind and no call: a record's field, the elements of a kind of array and a
//!   global are changed by stores of the same kind alone. Nothing changes the length of an array or the shape of a record.
//! - H2. An operation that may trap, and a load of an element, whose index a check before it has to cover, moves only
//!   past operations without effect. A poll has none, unless fuel is counted: it may end the script, but at any time.
//! - H3. References that move live across the loop's safepoints as any other value of the IR does; addresses are made of
//!   them at each use.

use super::Context;
use super::loops::{self, Loop};
use crate::ir::cfg::Cfg;
use crate::ir::{Block, BlockData, Elem, Function, GlobalId, Inst, Op, RecordId, RuntimeFn, Terminator, Value, Values};
use hashbrown::{HashMap, HashSet};

/// What is moved out of one loop at the most: each value takes a register or a place on the stack.
const MOVED_MAX: usize = 16;

/// The pass.
pub(super) fn run(function: &mut Function, context: &Context<'_>) {
    let polls_count = context.program.counts_fuel;
    loops::each(function, |function, cfg, found| {
        let Some(entry) = entry(function, cfg, found) else { return false };
        let moved = moved(function, cfg, found, polls_count);
        if moved.is_empty() {
            return false;
        }
        move_out(function, found, entry, &moved);
        true
    });
}

/// The one block that leads into the loop.
fn entry(function: &Function, cfg: &Cfg, found: &Loop) -> Option<Block> {
    let mut entries = found.entries(cfg);
    let (entry, None) = (entries.next()?, entries.next()) else { return None };
    (!matches!(function.blocks[entry.index()].terminator, Terminator::Try { .. })).then_some(entry)
}

/// What a loop may change.
#[derive(Default)]
struct Changes {
    anything: bool,
    fields: HashSet<(RecordId, u32)>,
    elements: HashSet<Elem>,
    globals: HashSet<GlobalId>,
}

impl Changes {
    fn of(function: &Function, found: &Loop) -> Changes {
        let mut changes = Changes::default();
        for inst in found.blocks.iter().flat_map(|block| &function.blocks[block.index()].insts) {
            match &inst.op {
                Op::Call(..) | Op::CallValue(..) | Op::CallNative(..) => changes.anything = true,
                Op::Store(record, field, ..) => {
                    changes.fields.insert((*record, *field));
                }
                Op::ArraySet(elem, ..)
                | Op::CallRuntime(RuntimeFn::ArrayCopy(elem) | RuntimeFn::ArrayFill(elem), _) => {
                    changes.elements.insert(*elem);
                }
                Op::GlobalSet(global, _) => {
                    changes.globals.insert(*global);
                }
                _ => {}
            }
        }
        changes
    }

    /// Whether an operation gives the same in each round, given the same operands.
    fn spare(&self, op: &Op) -> bool {
        match op {
            Op::ArrayLen(_) | Op::Tag(..) | Op::BoundsCheck(..) => true,
            Op::Load(record, field, _) => !self.anything && !self.fields.contains(&(*record, *field)),
            Op::ArrayGet(elem, ..) => !self.anything && !self.elements.contains(elem),
            Op::GlobalGet(global) => !self.anything && !self.globals.contains(global),
            // the code generator moves what can't trap, and a comparison is best beside its branch
            Op::Prim(prim, _) => prim.traps(),
            _ => false,
        }
    }
}

/// Places of the instructions that can move, in their order.
fn moved(function: &Function, cfg: &Cfg, found: &Loop, polls_count: bool) -> Vec<(Block, usize)> {
    let changes = Changes::of(function, found);
    let mut inside: HashSet<Value> = HashSet::new();
    for block in &found.blocks {
        let data = &function.blocks[block.index()];
        inside.extend(data.params.iter().copied().chain(data.insts.iter().filter_map(|inst| inst.result)));
    }
    let mut moved = Vec::new();
    // constants stand anywhere
    let mut constants: HashMap<Value, (Block, usize)> = HashMap::new();
    let mut quiet = true;
    let mut block = found.header;
    loop {
        let data = &function.blocks[block.index()];
        for (i, inst) in data.insts.iter().enumerate() {
            if let (Op::Int(_) | Op::Float(_) | Op::Byte(_) | Op::Nil, Some(result)) = (&inst.op, inst.result) {
                constants.insert(result, (block, i));
                continue;
            }
            let ordered = inst.op.traps() || matches!(inst.op, Op::ArrayGet(..));
            let mut fixed = changes.spare(&inst.op) && (quiet || !ordered) && moved.len() < MOVED_MAX;
            inst.op.visit(|operand| fixed &= !inside.contains(&operand) || constants.contains_key(&operand));
            if fixed {
                inst.op.visit(|operand| {
                    if inside.remove(&operand) {
                        moved.push(constants[&operand]);
                    }
                });
                moved.push((block, i));
                inst.result.map(|result| inside.remove(&result));
            } else if !matches!(inst.op, Op::Poll) || polls_count {
                quiet &= !inst.op.has_effect();
            }
        }
        match data.terminator {
            Terminator::Jump(next, _)
                if next != found.header
                    && cfg.preds(next).len() == 1
                    && function.blocks[next.index()].handler == data.handler =>
            {
                block = next;
            }
            _ => break,
        }
    }
    moved
}

/// Puts the instructions before the loop, into a block between `entry` and the header if it leads elsewhere too.
fn move_out(function: &mut Function, found: &Loop, entry: Block, moved: &[(Block, usize)]) {
    let places: HashSet<(Block, usize)> = moved.iter().copied().collect();
    let blocks: HashSet<Block> = moved.iter().map(|&(block, _)| block).collect();
    let mut taken: HashMap<(Block, usize), Inst> = HashMap::new();
    for block in blocks {
        let insts = std::mem::take(&mut function.blocks[block.index()].insts);
        for (i, inst) in insts.into_iter().enumerate() {
            if places.contains(&(block, i)) {
                taken.insert((block, i), inst);
            } else {
                function.blocks[block.index()].insts.push(inst);
            }
        }
    }
    let insts = moved.iter().map(|place| taken.remove(place).expect("each moves once"));
    let header = found.header;
    let handler = function.blocks[header.index()].handler;
    let before = &mut function.blocks[entry.index()];
    if matches!(before.terminator, Terminator::Jump(..)) && before.handler == handler {
        before.insts.extend(insts);
        return;
    }
    let (insts, span, scope) = (insts.collect(), before.span, before.scope);
    let between = Block(function.blocks.len() as u32);
    let mut arguments = Values::new();
    function.blocks[entry.index()].terminator.edges_mut(|to, passed| {
        if *to == header {
            *to = between;
            arguments = std::mem::take(passed);
        }
    });
    let terminator = Terminator::Jump(header, arguments);
    function.blocks.push(BlockData { params: Values::new(), insts, terminator, span, scope, handler });
}
