//! Puts a function back into SSA form after a value has got a second definition: parameters bring the definitions together
//! where they meet, and nowhere else.

use crate::ir::cfg::Cfg;
use crate::ir::{Block, Function, Terminator, Value};
use hashbrown::{HashMap, HashSet};

/// Rewrites uses of a value that is now defined in several blocks: `definitions` are those blocks and what each calls it.
/// Uses in a block of `definitions` mean its own.
pub(super) fn merge(function: &mut Function, cfg: &Cfg, definitions: &[(Block, Value)]) {
    let own: HashMap<Block, Value> = definitions.iter().copied().collect();
    let names: Vec<Value> = definitions.iter().map(|&(_, value)| value).collect();
    let uses: Vec<Block> = cfg
        .reverse_postorder()
        .iter()
        .copied()
        .filter(|block| !own.contains_key(block) && uses_any(function, *block, &names))
        .collect();
    if uses.is_empty() {
        return;
    }
    let reaching = Reaching::find(cfg, &own, &uses);
    let ty = function.values[names[0].index()];
    let mut params: HashMap<Block, Value> = HashMap::new();
    for &block in cfg.reverse_postorder().iter().filter(|block| reaching.meetings.contains(*block)) {
        function.values.push(ty);
        let param = Value(function.values.len() as u32 - 1);
        function.blocks[block.index()].params.push(param);
        params.insert(block, param);
    }
    let name = |source: Source| match source {
        Source::Defined(value) => value,
        Source::Meeting(block) => params[&block],
    };
    for &block in reaching.meetings.iter() {
        let preds: HashSet<Block> = cfg.preds(block).iter().copied().collect();
        for pred in preds {
            let argument = name(reaching.at_end(&own, pred).expect("every way here passes a definition"));
            let terminator = &mut function.blocks[pred.index()].terminator;
            assert!(!matches!(terminator, Terminator::Try { .. }), "bug: a `try` passes no arguments");
            terminator.edges_mut(|to, arguments| {
                if *to == block {
                    arguments.push(argument);
                }
            });
        }
    }
    for block in uses {
        let value = name(reaching.at_start[&block]);
        let data = &mut function.blocks[block.index()];
        let replace = |used: &mut Value| {
            if names.contains(used) {
                *used = value;
            }
        };
        data.insts.iter_mut().for_each(|inst| inst.op.visit_mut(replace));
        data.terminator.visit_mut(replace);
    }
}

fn uses_any(function: &Function, block: Block, names: &[Value]) -> bool {
    let data = &function.blocks[block.index()];
    let mut found = false;
    let mut look = |value: Value| found |= names.contains(&value);
    data.insts.iter().for_each(|inst| inst.op.visit(&mut look));
    data.terminator.visit(look);
    found
}

/// Where a value comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Defined(Value),
    /// Different definitions reach the start of this block.
    Meeting(Block),
}

/// Which definitions reach which blocks.
struct Reaching {
    at_start: HashMap<Block, Source>,
    meetings: HashSet<Block>,
}

impl Reaching {
    fn find(cfg: &Cfg, own: &HashMap<Block, Value>, uses: &[Block]) -> Reaching {
        let mut wanted: HashSet<Block> = HashSet::new();
        let mut work = uses.to_vec();
        while let Some(block) = work.pop() {
            if wanted.insert(block) {
                work.extend(cfg.preds(block).iter().filter(|pred| !own.contains_key(*pred)));
            }
        }
        let order: Vec<Block> =
            cfg.reverse_postorder().iter().copied().filter(|block| wanted.contains(block)).collect();
        let mut meetings = HashSet::new();
        // Optimistic: a loop passes on what enters it until something else is seen to come around. A new meeting changes
        // what was passed on before, so everything is found anew.
        'anew: loop {
            let mut reaching = Reaching { at_start: HashMap::new(), meetings: meetings.clone() };
            let mut changed = true;
            while changed {
                changed = false;
                for &block in &order {
                    if meetings.contains(&block) {
                        changed |= reaching.at_start.insert(block, Source::Meeting(block)).is_none();
                        continue;
                    }
                    let mut only = None;
                    for source in cfg.preds(block).iter().filter_map(|&pred| reaching.at_end(own, pred)) {
                        if *only.get_or_insert(source) != source {
                            meetings.insert(block);
                            continue 'anew;
                        }
                    }
                    if let Some(source) = only {
                        changed |= reaching.at_start.insert(block, source) != Some(source);
                    }
                }
            }
            return reaching;
        }
    }

    fn at_end(&self, own: &HashMap<Block, Value>, block: Block) -> Option<Source> {
        match own.get(&block) {
            Some(&value) => Some(Source::Defined(value)),
            None => self.at_start.get(&block).copied(),
        }
    }
}
