//! From the typed tree to the IR: bodies become blocks of SSA values, types become records and scalars.
//!
//! `layout` decides what records look like, `ssa` builds the graph, `body` walks statements and control flow,
//! `cleanup` `defer`, `expr` what gives values, `condition` what only decides where to go. All of it trusts the typed tree's invariants (H1 to H6);
//! where they don't hold, it panics: that is a bug of the checker, never of a script.

mod body;
mod cleanup;
mod condition;
mod expr;
mod layout;
mod ssa;
mod switch;

use crate::hir::{self, FnId, Ty, TyKind};
use crate::ir::{Block, Export, ExportType, FuncId, Function, Identities, LiteralId, Op, Program, Terminator, Type};
use crate::syntax::symbol::Symbol;
use body::Body;
use hashbrown::HashMap;
use layout::{Layouts, scalar};
use ssa::Builder;

/// Lowers a whole program.
pub fn lower(source: &hir::Program) -> Program {
    lower_input(source).0
}

/// As [`lower`], for a program that shares its heap with others.
pub fn lower_input(source: &hir::Program) -> (Program, Identities) {
    let mut lowering = Lowering {
        source,
        layouts: Layouts::default(),
        literals: Vec::new(),
        literal_ids: HashMap::new(),
        adapters: HashMap::new(),
        adapted: Vec::new(),
    };
    let mut functions: Vec<Function> =
        (0..source.functions.len() as u32).map(|i| Body::lower(&mut lowering, FnId(i))).collect();
    for target in std::mem::take(&mut lowering.adapted) {
        functions.push(adapter(&functions[target.0 as usize], FuncId(target.0)));
    }
    let globals = source.globals.iter().map(|g| (g.name, scalar(&source.types, g.ty))).collect();
    let tests = source.tests.iter().map(|&(title, span, id)| (title, span, FuncId(id.0))).collect();
    let exports = source.exports.iter().map(|&(name, id)| export(source, name, id)).collect();
    let error = source.error.map(|ty| lowering.layouts.record(&source.types, ty));
    let identities = Identities {
        records: lowering.layouts.identities(&source.types),
        globals: source.globals.iter().map(|g| g.span).collect(),
        dispatchers: source.dispatchers.iter().map(|(name, id)| (name.clone(), FuncId(id.0))).collect(),
    };
    let program = Program {
        functions,
        globals,
        literals: lowering.literals,
        records: lowering.layouts.records,
        entry: source.entry.map(|id| FuncId(id.0)),
        tests,
        exports,
        error,
        counts_fuel: false,
        omits_barriers: false,
    };
    if cfg!(debug_assertions)
        && let Err(error) = super::verify::verify(&program)
    {
        panic!("bug: lowering broke the IR's invariants: {error}");
    }
    (program, identities)
}

/// What the bodies of one program share.
struct Lowering<'a> {
    source: &'a hir::Program,
    layouts: Layouts,
    literals: Vec<Symbol>,
    literal_ids: HashMap<Symbol, LiteralId>,
    /// Functions used as values, with the function that takes a closure and calls them.
    adapters: HashMap<FnId, FuncId>,
    /// Keys of `adapters` in the order of their ids.
    adapted: Vec<FnId>,
}

impl Lowering<'_> {
    fn literal(&mut self, text: Symbol) -> LiteralId {
        *self.literal_ids.entry(text).or_insert_with(|| {
            self.literals.push(text);
            LiteralId(self.literals.len() as u32 - 1)
        })
    }

    /// A function that can be called through a value: it takes the closure first.
    fn as_closure_body(&mut self, id: FnId) -> FuncId {
        if self.source.functions[id.0 as usize].captures.is_some() {
            return FuncId(id.0);
        }
        *self.adapters.entry(id).or_insert_with(|| {
            self.adapted.push(id);
            FuncId((self.source.functions.len() + self.adapted.len() - 1) as u32)
        })
    }
}

/// A function that drops its closure and calls `id` with the rest.
fn adapter(target: &Function, id: FuncId) -> Function {
    let mut params = vec![Type::Ref];
    params.extend(&target.params);
    let (mut builder, values) = Builder::new(&params);
    let args = values[1..].iter().copied().collect();
    let result = builder.emit(Op::Call(id, args), target.result, target.span);
    builder.terminate(Terminator::Return(result), target.span);
    builder.finish(target.name.clone(), target.span, params, target.result)
}

fn export(source: &hir::Program, name: Symbol, id: FnId) -> Export {
    let function = &source.functions[id.0 as usize];
    let of = |ty: Ty| match source.types.kind(ty) {
        TyKind::Int => ExportType::Int,
        TyKind::Float => ExportType::Float,
        TyKind::Bool => ExportType::Bool,
        TyKind::Byte => ExportType::Byte,
        TyKind::Str => ExportType::Str,
        TyKind::Unit | TyKind::Never => ExportType::Unit,
        _ => ExportType::Other(source.types.display(ty), ty.0),
    };
    let params = function.params.iter().map(|&p| of(function.locals[p.0 as usize].ty)).collect();
    Export { name, function: FuncId(id.0), params, result: of(function.result) }
}

/// Where `break` and `continue` of a loop go.
#[derive(Clone, Copy)]
struct LoopTargets {
    next: Block,
    exit: Block,
    /// Cleanups around the loop, which leaving or repeating it does not run.
    cleanups: usize,
}
