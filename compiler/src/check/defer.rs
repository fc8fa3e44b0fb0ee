//! `defer`: what follows it in its block becomes the body of a `Defer`, its own block the cleanup.

use super::body::{Body, Expect};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::hir::{ExprId, ExprKind, LocalId};
use crate::syntax::ast;
use crate::syntax::span::Span;
use hashbrown::HashSet;

/// `try` bodies and `defer`s inside each other.
const TRY_DEPTH_MAX: u32 = 1000;

impl<'a> Body<'_, 'a> {
    /// `defer { … }`; `rest` checks the statements after it in its block.
    pub fn defer(&mut self, cleanup: &'a ast::Block, span: Span, rest: &mut dyn FnMut(&mut Self) -> ExprId) -> ExprId {
        if self.frame().try_depth >= TRY_DEPTH_MAX {
            return self.fail(
                Diagnostic::error(
                    codes::DEFER_DEPTH,
                    span,
                    format!("more than {TRY_DEPTH_MAX} `defer`s inside each other"),
                )
                .help("keep what has to be cleaned up in a list, and go through it in one `defer`"),
            );
        }
        // when it runs, anything may have been assigned
        let facts = self.frame().facts.clone();
        self.forget_mutable();
        let first = self.frame().exprs.len();
        let loops = self.frame().loops.len();
        let outer = self.frame().defer_loops.replace(loops);
        let cleaned = self.block(cleanup, Expect::Nothing);
        let cleaned = self.discard(cleaned, cleanup.span);
        let frame = self.frame();
        frame.defer_loops = outer;
        frame.facts = facts;
        let assigned: HashSet<LocalId> = frame.exprs[first..]
            .iter()
            .filter_map(|e| if let ExprKind::SetLocal(local, _) = e.kind { Some(local) } else { None })
            .collect();
        frame.try_depth += 1;
        let body = rest(self);
        let frame = self.frame();
        frame.try_depth -= 1;
        frame.facts.retain(|f| !assigned.contains(&f.local));
        let ty = self.ty(body);
        self.emit(ExprKind::Defer { body, cleanup: cleaned }, ty, span)
    }

    /// Refuses a jump out of a `defer` block.
    pub fn stays_in_defer(&mut self, word: &str, span: Span) -> bool {
        if self.frame().defer_loops.is_none() {
            return true;
        }
        let message = format!("`{word}` can't leave the `defer` block it is in");
        self.report(
            Diagnostic::error(codes::LEAVES_DEFER, span, message)
                .label("the block runs while its surroundings are already being left")
                .help("let the block run to its end; `if` can skip the rest of it"),
        );
        false
    }
}
