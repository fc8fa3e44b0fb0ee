//! The end of checking: what the roots reach, renumbered, as a program.

use super::Checker;
use super::Mode;
use super::program::Roots;
use crate::hir::{ExprKind, FnId, Program};

impl Checker<'_> {
    /// Takes the program out of the checker. There were no errors, so every reachable instance has a body.
    pub(super) fn compact(&mut self, roots: Roots) -> Program {
        let mut new_ids: Vec<Option<FnId>> = vec![None; self.instances.len()];
        let mut order: Vec<FnId> = Vec::new();
        let reach = |id: FnId, new_ids: &mut Vec<Option<FnId>>, order: &mut Vec<FnId>| {
            *new_ids[id.0 as usize].get_or_insert_with(|| {
                order.push(id);
                FnId(order.len() as u32 - 1)
            })
        };
        let entry = reach(roots.entry, &mut new_ids, &mut order);
        let tests = roots.tests.into_iter().map(|(n, s, id)| (n, s, reach(id, &mut new_ids, &mut order))).collect();
        let exports = roots.exports.into_iter().map(|(n, id)| (n, reach(id, &mut new_ids, &mut order))).collect();
        let dispatchers = match self.mode {
            Mode::Session => self.dispatchers(),
            _ => Vec::new(),
        };
        let dispatchers = dispatchers.into_iter().map(|(n, id)| (n, reach(id, &mut new_ids, &mut order))).collect();
        let mut functions = Vec::new();
        let mut next = 0;
        while let Some(&id) = order.get(next) {
            next += 1;
            let function = self.instance_mut(id).function.take();
            let mut function = function.expect("C3: an instance that is reached has been checked");
            for expr in &mut function.exprs {
                match &mut expr.kind {
                    ExprKind::Call(target, _) | ExprKind::FnValue(target) | ExprKind::Closure(target, _) => {
                        *target = reach(*target, &mut new_ids, &mut order);
                    }
                    _ => {}
                }
            }
            functions.push(function);
        }
        let error = self.lang.error.map(|_| self.error_type());
        Program {
            types: std::mem::take(&mut self.types),
            functions,
            globals: std::mem::take(&mut self.globals),
            entry: Some(entry),
            tests,
            exports,
            dispatchers,
            error,
        }
    }
}
