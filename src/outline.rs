//! What a text declares, for completion and `:doc`: names, whose they are, how they are written, what is said of them.

use tenure_compiler::source::Sources;
use tenure_compiler::syntax::ast::{self, FnBody, ItemKind, PatternKind, StmtKind};
use tenure_compiler::syntax::parse;
use tenure_compiler::syntax::span::Span;
use tenure_compiler::syntax::symbol::Symbol;

/// Built-in types whose methods the core library declares as functions named `<type>_<method>`.
const BUILT_IN: [&str; 5] = ["str", "int", "float", "bool", "byte"];

/// A declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Declared {
    /// The type that it is a field, variant or method of.
    pub(crate) owner: Option<String>,
    pub(crate) name: String,
    /// As written, without a body.
    pub(crate) signature: String,
    pub(crate) docs: String,
}

/// The declarations of a text, in source order; of one with mistakes, those that could be read.
pub(crate) fn outline(text: &str, core: bool) -> Vec<Declared> {
    let mut sources = Sources::default();
    let file = sources.add("outline", text.to_owned());
    let (tree, _) = parse(&sources, file);
    let mut outline = Outline { sources: &sources, core, found: Vec::new() };
    tree.items.iter().for_each(|item| outline.item(item));
    outline.found
}

struct Outline<'s> {
    sources: &'s Sources,
    core: bool,
    found: Vec<Declared>,
}

impl Outline<'_> {
    fn add(&mut self, owner: Option<&str>, name: Symbol, span: Span, docs: Option<Symbol>) {
        let signature = self.sources.text(span).split_whitespace().collect::<Vec<_>>().join(" ");
        let docs = docs.map_or_else(String::new, |docs| docs.to_string());
        let owner = owner.map(str::to_owned);
        self.found.push(Declared { owner, name: name.to_string(), signature, docs });
    }

    fn item(&mut self, item: &ast::Item) {
        let head = |name: ast::Ident| Span { hi: name.span.hi, ..item.span };
        match &item.kind {
            ItemKind::Fn(function) => {
                let span = before_body(item.span, function);
                let name = function.name.name.as_str();
                let method = name.split_once('_').filter(|(ty, _)| self.core && BUILT_IN.contains(ty));
                match method {
                    Some((ty, method)) => self.add(Some(ty), Symbol::new(method), span, item.docs),
                    None => self.add(None, function.name.name, span, item.docs),
                }
            }
            ItemKind::Struct(s) => {
                self.add(None, s.name.name, head(s.name), item.docs);
                self.members(s.name.name.as_str(), &s.fields, &s.methods);
            }
            ItemKind::Enum(e) => {
                self.add(None, e.name.name, head(e.name), item.docs);
                for variant in &e.variants {
                    self.add(Some(e.name.name.as_str()), variant.name.name, variant.span, variant.docs);
                    self.add(None, variant.name.name, variant.span, variant.docs);
                }
                self.members(e.name.name.as_str(), &[], &e.methods);
            }
            ItemKind::Trait(t) => {
                self.add(None, t.name.name, head(t.name), item.docs);
                self.members(t.name.name.as_str(), &t.fields, &t.methods);
            }
            ItemKind::Impl(i) => {
                let target = self.sources.text(i.target.span).to_owned();
                let owner = target.split('[').next().filter(|t| !t.is_empty()).unwrap_or("List").to_owned();
                self.members(&owner, &[], &i.methods);
            }
            ItemKind::Const(c) => self.add(None, c.name.name, item.span, item.docs),
            ItemKind::Alias(a) => self.add(None, a.name.name, item.span, item.docs),
            ItemKind::Use(u) => {
                let last = u.alias.or(u.path.last().copied()).filter(|_| u.names.is_empty());
                last.iter().chain(&u.names).for_each(|name| self.add(None, name.name, item.span, None));
            }
            ItemKind::Stmt(stmt) => {
                if let StmtKind::Let { pattern, .. } = &stmt.kind
                    && let PatternKind::Bind(name) = pattern.kind
                {
                    self.add(None, name, Span { hi: pattern.span.hi, ..item.span }, item.docs);
                }
            }
            ItemKind::Test(_) | ItemKind::Bench(_) => {}
        }
    }

    fn members(&mut self, owner: &str, fields: &[ast::Field], methods: &[ast::Method]) {
        for field in fields {
            self.add(Some(owner), field.name.name, field.name.span.to(field.ty.span), field.docs);
        }
        for method in methods {
            let span = before_body(method.span, &method.function);
            self.add(Some(owner), method.function.name.name, span, method.docs);
        }
    }
}

/// A function's place without its body.
fn before_body(span: Span, function: &ast::Fn) -> Span {
    let result = function.result.as_ref().map(|ty| ty.span.hi);
    let hi = match &function.body {
        None => span.hi,
        Some(FnBody::Block(block)) => block.span.lo,
        Some(FnBody::Expr(e)) => result.unwrap_or(e.span.lo),
    };
    Span { hi: result.unwrap_or(hi), ..span }
}
