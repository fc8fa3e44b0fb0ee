//! What other modules see is annotated: a `pub fn` and a trait's method say the types of their parameters and of their
//! result, so that a module can be read, and checked, without its callers.
//!
//! Without `->` such a function gives nothing, `()`; a body `= value` that gives something says so.

use super::Checker;
use super::body::{Body, Expect, FnSource};
use super::decls::{FnDeclId, Owner};
use super::instance::What;
use super::modules::CORE;
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::hir::{ExprId, Ty};
use crate::syntax::ast;

impl Checker<'_> {
    /// Reports parameters without a type of what is `pub` and of traits' methods.
    pub(super) fn check_public_types(&mut self) {
        for index in 0..self.fns.len() {
            let decl = FnDeclId(index as u32);
            let declared = self.function(decl);
            let shown = match declared.owner {
                Owner::Trait(_) => true,
                Owner::None | Owner::Type(_) => declared.public,
                Owner::Impl(_) => false,
            };
            if !shown || declared.module == CORE || !self.is_template(decl) {
                continue;
            }
            let (ast, in_trait) = (declared.ast, matches!(declared.owner, Owner::Trait(_)));
            let what = if in_trait { "a trait's method" } else { "a `pub fn`" };
            let skip = usize::from(ast.receiver.is_some());
            for (index, param) in ast.params.iter().enumerate().filter(|(_, p)| p.ty.is_none()) {
                let name = param.name.name;
                let message = format!("parameter `{name}` of `{}` needs a type", ast.name.name);
                let mut diagnostic = Diagnostic::error(codes::PUBLIC_TYPES, param.name.span, message)
                    .label(format!("{what} says the types of its parameters"));
                diagnostic = match self.called_with(decl, skip + index).as_slice() {
                    &[ty] => {
                        let ty = self.types.display(ty);
                        diagnostic.help(format!("it is called with {ty} alone: write `{name}: {ty}`"))
                    }
                    [] => diagnostic.help(format!("write `{name}: …`")),
                    _ => diagnostic.help(format!(
                        "it is called with several: make it generic, `fn {}[T]`, and write `{name}: T`",
                        ast.name.name
                    )),
                };
                self.diagnostics.push(diagnostic);
            }
        }
    }

    /// The types that a template's parameter was given.
    fn called_with(&self, decl: FnDeclId, index: usize) -> Vec<Ty> {
        let mut types: Vec<Ty> = Vec::new();
        for instance in self.instances.iter().filter(|i| i.what == What::Fn(decl)) {
            if let Some(&ty) = instance.params.get(index)
                && ty != Ty::ERROR
                && !types.contains(&ty)
            {
                types.push(ty);
            }
        }
        types
    }
}

impl<'a> Body<'_, 'a> {
    /// The declaration of the function being checked, if it gives `()` for want of a `->`, and its body is a value.
    pub fn unsaid_result(&self, source: FnSource<'a>) -> Option<&'a ast::Fn> {
        let What::Fn(decl) = self.cx.instance(self.id).what else { return None };
        let declared = self.cx.function(decl);
        let own = self.frames.len() == 1 && declared.ast.result.is_none() && self.cx.follows(decl).is_none();
        (own && matches!(source, FnSource::Expr(_)) && !matches!(declared.owner, Owner::Impl(_)))
            .then_some(declared.ast)
    }

    /// The value of a body, which the function does not say it gives.
    pub fn silent_value(&mut self, declared: &'a ast::Fn, source: FnSource<'a>) -> ExprId {
        let value = self.body_value(source, Expect::Any);
        let ty = self.ty(value);
        let ty = self.deep(ty);
        if !matches!(ty, Ty::UNIT | Ty::NEVER) && !self.is_broken(ty) {
            let name = declared.name;
            let message = format!("`{}` does not say what it gives", name.name);
            let mut diagnostic = Diagnostic::error(codes::PUBLIC_TYPES, name.span, message)
                .label("without `->` it gives nothing")
                .and(source.value_span(), "and this would be lost");
            if !self.cx.types.is_open(ty) {
                let shown = self.show(ty);
                diagnostic = diagnostic.help(format!("write `-> {shown}`"));
            }
            self.report(diagnostic);
        }
        value
    }
}
