//! Markdown pages from `///` comments: what a module offers, each with its signature, its words and its examples.
//!
//! A module's page shows what is `pub`. The core library has no `pub`: there, what has a comment is for everyone.
//! A fenced block without a tag holds examples, of which each line `EXPR  // => TEXT` tells a value; the page tags them
//! `tenure,values`, and `no_run` ones `tenure,unrun`, so that the book's test runs or checks them.

use crate::diagnostics::Diagnostics;
use std::fmt::Write as _;
use std::sync::Arc;
use tenure_compiler::diagnostic::Severity;
use tenure_compiler::source::Sources;
use tenure_compiler::syntax::ast::{self, FnBody, ItemKind};
use tenure_compiler::syntax::parse;
use tenure_compiler::syntax::span::Span;
use tenure_compiler::syntax::symbol::Symbol;

/// The built-in types whose methods the core library declares as functions named `<type>_<method>`.
const BUILT_IN: [&str; 6] = ["str", "int", "float", "bool", "byte", "array"];

/// The page of a script or module.
///
/// # Errors
/// What is wrong with its syntax.
pub fn module_page(name: &str, text: &str) -> Result<String, Diagnostics> {
    page(name, text, false)
}

/// The pages of the standard library: name and text of each, the core library's files first.
///
/// # Panics
/// If the library has a syntax error.
pub fn library_pages() -> Vec<(String, String)> {
    let core = tenure_stdlib::core_sources().iter().map(|&(file, text)| {
        let name = file.trim_start_matches("core/").trim_end_matches(".ten");
        (name, text, true)
    });
    let modules = tenure_stdlib::module_names().map(|name| {
        let (_, text) = tenure_stdlib::module(name).expect("a listed module");
        (name, text, false)
    });
    let pages = core.chain(modules).map(|(name, text, core)| {
        let page = page(name, text, core).unwrap_or_else(|found| panic!("bug: {}", found.render(false)));
        (name.to_string(), page)
    });
    pages.collect()
}

fn page(name: &str, text: &str, core: bool) -> Result<String, Diagnostics> {
    let mut sources = Sources::default();
    let file = sources.add(name, text.to_owned());
    let (tree, found) = parse(&sources, file);
    if found.iter().any(|d| d.severity == Severity::Error) {
        return Err(Diagnostics::new(Arc::new(sources), found));
    }
    let mut page = Page { sources: &sources, core, out: String::new() };
    page.head(name, text, &tree);
    page.items(&tree);
    Ok(page.out)
}

struct Page<'s> {
    sources: &'s Sources,
    core: bool,
    out: String,
}

impl Page<'_> {
    fn head(&mut self, name: &str, text: &str, tree: &ast::File) {
        let title = name.rsplit('/').next().unwrap_or(name).trim_end_matches(".ten");
        self.line(&format!("# {title}\n"));
        let comment = text.lines().skip_while(|line| line.starts_with("#!"));
        let comment = comment.take_while(|line| line.starts_with("//") && !line.starts_with("///"));
        let words: Vec<&str> = comment.map(|line| line.trim_start_matches("//").trim_start()).collect();
        if !words.is_empty() {
            self.line(&format!("{}\n", words.join("\n")));
        }
        if self.core {
            return;
        }
        let types: Vec<&str> = tree
            .items
            .iter()
            .filter(|item| item.public.is_some())
            .filter_map(|item| match &item.kind {
                ItemKind::Struct(decl) => Some(decl.name.name.as_str()),
                ItemKind::Enum(decl) => Some(decl.name.name.as_str()),
                ItemKind::Trait(decl) => Some(decl.name.name.as_str()),
                _ => None,
            })
            .collect();
        self.line(&format!("```tenure,use\nuse {title}"));
        if !types.is_empty() {
            self.line(&format!("use {title}: {}", types.join(", ")));
        }
        self.line("```\n");
    }

    fn items(&mut self, tree: &ast::File) {
        for item in &tree.items {
            if self.hidden(item.public, item.docs) {
                continue;
            }
            match &item.kind {
                ItemKind::Fn(function) => self.function("##", function, item.docs, item.span),
                ItemKind::Const(constant) => {
                    let signature = self.sources.text(constant.name.span.to(constant.value.span));
                    self.entry("##", &format!("const {signature}"), item.docs);
                }
                ItemKind::Alias(alias) => {
                    let signature = self.sources.text(alias.name.span.to(alias.ty.span));
                    self.entry("##", &format!("type {signature}"), item.docs);
                }
                ItemKind::Struct(decl) => {
                    self.entry("##", &format!("struct {}", self.named(decl.name, &decl.generics)), item.docs);
                    self.fields(&decl.fields);
                    self.methods(&decl.methods);
                }
                ItemKind::Enum(decl) => {
                    self.entry("##", &format!("enum {}", self.named(decl.name, &decl.generics)), item.docs);
                    for variant in &decl.variants {
                        let words = variant.docs.map_or_else(String::new, |docs| format!(" — {}", docs.as_str()));
                        self.line(&format!("- `{}`{words}", self.sources.text(variant.span)));
                    }
                    self.line("");
                    self.methods(&decl.methods);
                }
                ItemKind::Trait(decl) => {
                    self.entry("##", &format!("trait {}", self.named(decl.name, &decl.generics)), item.docs);
                    for method in &decl.methods {
                        self.function("###", &method.function, method.docs, method.span);
                    }
                }
                _ => {}
            }
        }
    }

    fn hidden(&self, public: Option<Span>, docs: Option<Symbol>) -> bool {
        if self.core { docs.is_none() } else { public.is_none() }
    }

    fn fields(&mut self, fields: &[ast::Field]) {
        let shown: Vec<&ast::Field> = fields.iter().filter(|f| !self.hidden(f.public, f.docs)).collect();
        for field in &shown {
            let words = field.docs.map_or_else(String::new, |docs| format!(" — {}", docs.as_str().replace('\n', " ")));
            let mutable = if field.mutable { "var " } else { "" };
            let declared = self.sources.text(field.name.span.to(field.ty.span));
            self.line(&format!("- `{mutable}{declared}`{words}"));
        }
        if !shown.is_empty() {
            self.line("");
        }
    }

    fn methods(&mut self, methods: &[ast::Method]) {
        for method in methods {
            // what every type has needs no words
            if method.docs.is_some() && !self.hidden(method.public, method.docs) {
                self.function("###", &method.function, method.docs, method.span);
            }
        }
    }

    fn function(&mut self, level: &str, function: &ast::Fn, docs: Option<Symbol>, span: Span) {
        let mut end = match &function.body {
            None => span.hi,
            Some(FnBody::Block(block)) => block.span.lo,
            Some(FnBody::Expr(value)) => value.span.lo,
        };
        let before = |end: u32| self.sources.text(Span { hi: end, ..function.name.span }).trim_end().len() as u32;
        end = function.name.span.lo + before(end);
        let mut signature = self.sources.text(Span { hi: end, ..function.name.span });
        if matches!(function.body, Some(FnBody::Expr(_))) {
            signature = signature.strip_suffix('=').unwrap_or(signature).trim_end();
        }
        let signature =
            signature.split_whitespace().collect::<Vec<_>>().join(" ").replace("( ", "(").replace(", )", ")");
        self.entry(level, &self.as_called(function, &signature), docs);
    }

    /// `str_split(text: str, separator: str)` is called as `str.split(self, separator: str)`.
    fn as_called(&self, function: &ast::Fn, signature: &str) -> String {
        let owner = BUILT_IN.iter().find(|ty| signature.strip_prefix(**ty).is_some_and(|rest| rest.starts_with('_')));
        let Some(ty) = owner.filter(|_| self.core) else { return format!("fn {signature}") };
        let method = &signature[ty.len() + 1..];
        let shown = if *ty == "array" { "Array" } else { ty };
        let first = function.params.first().and_then(|p| Some((p, p.ty.as_ref()?)));
        let Some((param, written)) = first.filter(|(_, t)| self.sources.text(t.span).starts_with(shown)) else {
            return format!("fn {shown}.{method}");
        };
        let own = self.sources.text(param.name.span.to(written.span));
        format!("fn {shown}.{}", method.replacen(own, "self", 1))
    }

    fn named(&self, name: ast::Ident, generics: &[ast::Generic]) -> String {
        let parts: Vec<&str> = generics.iter().map(|g| g.name.name.as_str()).collect();
        let inside = if parts.is_empty() { String::new() } else { format!("[{}]", parts.join(", ")) };
        format!("{}{inside}", name.name)
    }

    fn entry(&mut self, level: &str, signature: &str, docs: Option<Symbol>) {
        self.line(&format!("{level} `{signature}`\n"));
        let Some(docs) = docs else { return };
        let mut inside = false;
        for line in docs.as_str().lines() {
            match line.strip_prefix("```") {
                Some(_) if inside => {
                    inside = false;
                    self.line("```");
                }
                Some(tag) => {
                    inside = true;
                    self.line(match tag {
                        "" => "\n```tenure,values",
                        "no_run" => "\n```tenure,unrun",
                        _ => "\n```text",
                    });
                }
                None => self.line(line),
            }
        }
        self.line("");
    }

    fn line(&mut self, text: &str) {
        writeln!(self.out, "{text}").expect("writing to a string");
    }
}
