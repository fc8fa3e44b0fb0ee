//! Names and locals of a body: scopes, and captures across closures.
//!
//! Invariant: B3 of `body`.

use super::body::{Binding, Body, Fact, Frame, Info};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::hir::{Local, LocalId, Ty};
use crate::syntax::span::Span;
use crate::syntax::symbol::Symbol;

impl Body<'_, '_> {
    /// The innermost frame.
    pub fn frame(&mut self) -> &mut Frame {
        self.frames.last_mut().expect("a body has a frame")
    }

    /// Declares a local without a name in scope.
    pub fn local(&mut self, name: Symbol, ty: Ty, mutable: bool, span: Span) -> LocalId {
        let frame = self.frame();
        let try_depth = frame.try_depth;
        frame.locals.push(Local { name, ty, cell: false });
        frame.infos.push(Info { mutable, is_param: false, try_depth, shared: false, narrowed: false, span });
        LocalId(frame.locals.len() as u32 - 1)
    }

    /// Puts a name in scope.
    pub fn bind(&mut self, name: Symbol, binding: Binding) {
        let frame = self.frame();
        frame.names.entry(name).or_default().push(binding);
        frame.undo.push(name);
    }

    /// Opens a scope; `close` takes what this gives.
    pub fn open(&mut self) -> usize {
        self.frame().undo.len()
    }

    /// Closes a scope.
    pub fn close(&mut self, mark: usize) {
        let frame = self.frame();
        while frame.undo.len() > mark {
            if let Some(name) = frame.undo.pop()
                && let Some(bindings) = frame.names.get_mut(&name)
            {
                bindings.pop();
            }
        }
    }

    /// What a name means among locals; a local of a frame further out is captured.
    pub fn lookup_local(&mut self, name: Symbol) -> Option<Binding> {
        for index in (0..self.frames.len()).rev() {
            if let Some(&binding) = self.frames[index].names.get(&name).and_then(|b| b.last()) {
                return Some(match binding {
                    Binding::Local(local) => Binding::Local(self.capture(index, local)),
                    Binding::Fn(_) | Binding::Top(_) => binding,
                });
            }
            if self.frames[index].barrier {
                return None;
            }
        }
        None
    }

    /// All names among locals, for suggestions.
    pub fn local_names(&self) -> impl Iterator<Item = Symbol> {
        self.frames.iter().flat_map(|f| &f.names).filter(|(_, b)| !b.is_empty()).map(|(&name, _)| name)
    }

    /// The local of the innermost frame that stands for `local` of frame `index`.
    pub fn capture(&mut self, index: usize, mut local: LocalId) -> LocalId {
        for inner in index + 1..self.frames.len() {
            if let Some(&(_, known)) = self.frames[inner].captures.iter().find(|c| c.0 == local) {
                local = known;
                continue;
            }
            let outer = &mut self.frames[inner - 1];
            let at = local.0 as usize;
            let mutable = outer.infos[at].mutable;
            if mutable {
                outer.locals[at].cell = true;
                outer.infos[at].shared = true;
                outer.facts.retain(|f| f.local != local);
            }
            let hazard = mutable && outer.infos[at].narrowed && !outer.loops.is_empty();
            let known: Vec<Fact> = outer.facts.iter().copied().filter(|f| f.local == local).collect();
            let (declared, mut info) = (outer.locals[at].clone(), outer.infos[at]);
            info.try_depth = 0;
            let frame = &mut self.frames[inner];
            let own = LocalId(frame.locals.len() as u32);
            frame.locals.push(declared);
            frame.infos.push(info);
            frame.captures.push((local, own));
            frame.facts.extend(known.into_iter().map(|f| Fact { local: own, ..f }));
            if hazard {
                self.report_hazard(own);
            }
            local = own;
        }
        local
    }

    /// A closure made in a loop could change a variable that an earlier line of the loop took for narrowed.
    pub fn report_hazard(&mut self, local: LocalId) {
        let (name, span) = (self.frame().locals[local.0 as usize].name, self.frame().infos[local.0 as usize].span);
        let message = format!("`{name}` is captured by a closure in a loop that relies on what it holds");
        self.report(
            Diagnostic::error(codes::NARROWING_LOST, span, message)
                .help("bind its value with `let` where it is tested, and use that in the loop"),
        );
    }
}
