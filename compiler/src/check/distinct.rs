//! Names that stand in one list are different: fields, variants, parameters, type parameters. Module-level names and
//! methods are compared where they are collected (see `decls`).

use super::*;
use crate::codes;

impl<'a> Checker<'a> {
    /// Reports every name that a list of this item holds a second time.
    pub(super) fn check_distinct(&mut self, item: &'a ast::Item) {
        match &item.kind {
            ast::ItemKind::Fn(function) => self.distinct_params(function),
            ast::ItemKind::Struct(decl) => {
                self.distinct("type parameter", decl.generics.iter().map(|g| g.name));
                self.distinct("field", decl.fields.iter().map(|f| f.name));
                decl.methods.iter().for_each(|m| self.distinct_params(&m.function));
            }
            ast::ItemKind::Enum(decl) => {
                self.distinct("type parameter", decl.generics.iter().map(|g| g.name));
                self.distinct("variant", decl.variants.iter().map(|v| v.name));
                decl.variants.iter().for_each(|v| self.distinct("field", v.fields.iter().map(|f| f.name)));
                decl.methods.iter().for_each(|m| self.distinct_params(&m.function));
            }
            ast::ItemKind::Trait(decl) => {
                self.distinct("type parameter", decl.generics.iter().map(|g| g.name));
                self.distinct("field", decl.fields.iter().map(|f| f.name));
                self.distinct("method", decl.methods.iter().map(|m| m.function.name));
                decl.methods.iter().for_each(|m| self.distinct_params(&m.function));
            }
            ast::ItemKind::Impl(block) => {
                self.distinct("type parameter", block.generics.iter().map(|g| g.name));
                block.methods.iter().for_each(|m| self.distinct_params(&m.function));
            }
            _ => {}
        }
    }

    fn distinct_params(&mut self, function: &ast::Fn) {
        self.distinct("type parameter", function.generics.iter().map(|g| g.name));
        self.distinct("parameter", function.params.iter().map(|p| p.name));
    }

    fn distinct(&mut self, what: &str, names: impl Iterator<Item = ast::Ident>) {
        let mut first: HashMap<Symbol, Span> = HashMap::new();
        for name in names.filter(|name| name.name.as_str() != "_") {
            let Some(&before) = first.get(&name.name) else {
                first.insert(name.name, name.span);
                continue;
            };
            self.declared_twice(what, name, before);
        }
    }

    /// Reports a name that stands a second time where it may stand once.
    pub(super) fn declared_twice(&mut self, what: &str, again: ast::Ident, first: Span) {
        let message = format!("{what} `{}` is declared twice", again.name);
        let diagnostic = Diagnostic::error(codes::DECLARED_TWICE, again.span, message);
        self.diagnostics.push(diagnostic.label("again here").and(first, "first here"));
    }
}
