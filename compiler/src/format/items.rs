//! Items, members, types and patterns.

use super::document::{Kind, Op};
use super::printer::Printer;
use crate::syntax::ast::*;
use crate::syntax::lex::Token;

/// A part of a struct, enum, trait or impl.
enum Member<'a> {
    Field(&'a Field),
    Variant(&'a Variant),
    Method(&'a Method),
}

impl Member<'_> {
    fn lo(&self) -> u32 {
        match self {
            Member::Field(field) => field.name.span.lo,
            Member::Variant(variant) => variant.span.lo,
            Member::Method(method) => method.span.lo,
        }
    }
}

impl Printer<'_> {
    /// A whole file.
    pub fn file(&mut self, file: &File) {
        for (i, item) in file.items.iter().enumerate() {
            if i > 0 {
                self.next_line();
            }
            self.item(item);
        }
        self.comments();
    }

    fn item(&mut self, item: &Item) {
        self.modifiers();
        match &item.kind {
            ItemKind::Use(u) => self.import(u),
            ItemKind::Const(c) => {
                self.word();
                self.token();
                self.annotation(c.ty.is_some());
                self.assigned(&c.value);
            }
            ItemKind::Fn(function) => self.function(function),
            ItemKind::Struct(s) => {
                let members = members(&s.fields, &[], &s.methods);
                self.type_item(&s.generics, &s.traits, &members);
            }
            ItemKind::Enum(e) => {
                let members = members(&[], &e.variants, &e.methods);
                self.type_item(&e.generics, &e.traits, &members);
            }
            ItemKind::Trait(t) => {
                let members = members(&t.fields, &[], &t.methods);
                self.type_item(&t.generics, &t.supertraits, &members);
            }
            ItemKind::Impl(i) => {
                self.token();
                self.generics(&i.generics);
                self.space();
                self.ty();
                self.space();
                self.word();
                self.ty();
                self.space();
                self.members(&members(&[], &[], &i.methods));
            }
            ItemKind::Alias(a) => {
                self.word();
                self.token();
                self.generics(&a.generics);
                self.space();
                self.word();
                self.ty();
            }
            ItemKind::Test(t) | ItemKind::Bench(t) => {
                self.word();
                self.word();
                self.block(&t.body);
            }
            ItemKind::Stmt(stmt) => self.stmt(stmt),
        }
    }

    /// Attributes and `pub`. An attribute stays on the line where it stands.
    fn modifiers(&mut self) {
        loop {
            match self.next() {
                Token::Attribute(_) => {
                    let own_line = self.tokens.broken_between(self.at, self.at + 1);
                    self.token();
                    if own_line { self.document.hard(false) } else { self.space() }
                }
                Token::Pub => self.word(),
                _ => return,
            }
        }
    }

    fn import(&mut self, u: &Use) {
        self.word();
        self.run(u.path.len() * 2 - 1);
        if u.alias.is_some() {
            self.space();
            self.word();
            self.token();
        }
        if u.names.is_empty() {
            return;
        }
        self.begin_tail(Kind::Plain);
        self.token();
        for (i, _) in u.names.iter().enumerate() {
            if i > 0 {
                self.comma(Op::Word(","));
            }
            self.place(true);
            self.token();
        }
        self.end();
    }

    /// From the word that says what it is to the end of its members.
    fn type_item(&mut self, generics: &[Generic], traits: &[TypeExpr], members: &[Member]) {
        self.word();
        self.token();
        self.generics(generics);
        self.bounds(traits);
        self.space();
        self.members(members);
    }

    fn members(&mut self, members: &[Member]) {
        let opener = self.at;
        self.begin_brackets(opener);
        let over_lines = self.tokens.broken_between(opener, self.tokens.list[opener].closer as usize);
        let open = self.open_if(opener, over_lines);
        self.braces(open, members, |p, member| match member {
            Member::Field(field) => {
                p.modifiers();
                if field.mutable {
                    p.word();
                }
                p.token();
                p.annotation(true);
                if let Some(default) = &field.default {
                    p.assigned(default);
                }
            }
            Member::Variant(variant) => {
                p.token();
                if p.next() == Token::LParen {
                    p.bracketed(&variant.fields, None, false, Printer::param);
                }
            }
            Member::Method(method) => {
                p.modifiers();
                p.function(&method.function);
            }
        });
        self.end();
    }

    /// From `fn` on.
    pub fn function(&mut self, function: &Fn) {
        self.word();
        self.token();
        self.generics(&function.generics);
        let receiver = function.receiver.map(|_| None);
        let params: Vec<Option<&Param>> = receiver.into_iter().chain(function.params.iter().map(Some)).collect();
        self.bracketed(&params, None, false, |p, param| match param {
            Some(param) => p.param(param),
            None => p.token(),
        });
        if function.result.is_some() {
            self.space();
            self.word();
            self.ty();
        }
        match &function.body {
            None => {}
            Some(FnBody::Block(block)) => {
                self.space();
                self.block(block);
            }
            Some(FnBody::Expr(e)) => self.assigned(e),
        }
    }

    fn param(&mut self, param: &Param) {
        self.token();
        self.annotation(param.ty.is_some());
        if let Some(default) = &param.default {
            self.space();
            self.word();
            self.expr(default);
        }
    }

    fn generics(&mut self, generics: &[Generic]) {
        if self.next() == Token::LBracket {
            self.bracketed(generics, None, false, |p, generic| {
                p.token();
                p.bounds(&generic.bounds);
            });
        }
    }

    /// `: A + B`
    fn bounds(&mut self, bounds: &[TypeExpr]) {
        for _ in bounds {
            // `:` or `+`
            if self.next() == Token::Plus {
                self.space();
            }
            self.word();
            self.ty();
        }
    }

    // Types

    /// `: T`, if it is there.
    pub fn annotation(&mut self, there: bool) {
        if there {
            self.word();
            self.ty();
        }
    }

    /// A type. It stays in its line, so its tokens say all.
    pub fn ty(&mut self) {
        let mut depth = 0;
        loop {
            let token = self.next();
            match token {
                Token::LBracket | Token::LParen => depth += 1,
                Token::RBracket | Token::RParen => depth -= 1,
                Token::Arrow => self.space(),
                Token::Comma => {
                    let last = matches!(self.tokens.list[self.at + 1].token, Token::RBracket | Token::RParen);
                    if last {
                        self.drop_comma()
                    } else {
                        self.word()
                    }
                    continue;
                }
                _ => {}
            }
            self.token();
            if matches!(token, Token::Arrow | Token::Colon) {
                self.space();
            }
            let more = match (token, self.next()) {
                _ if depth > 0 => true,
                (_, Token::Arrow) => token == Token::RParen,
                (Token::Arrow | Token::Dot | Token::Fn, _) => true,
                (Token::Ident(_) | Token::TypeName(_), Token::Dot) => true,
                (Token::TypeName(_), Token::LBracket) => true,
                (_, Token::Question | Token::Bang) => true,
                _ => false,
            };
            if !more {
                return;
            }
        }
    }

    // Patterns

    /// A pattern.
    pub fn pattern(&mut self, pattern: &Pattern) {
        let own = matches!(pattern.kind, PatternKind::Tuple(_));
        let layers = self.parentheses(pattern.span, own);
        self.grouped(layers, |p| p.bare_pattern(pattern));
    }

    fn bare_pattern(&mut self, pattern: &Pattern) {
        match &pattern.kind {
            PatternKind::Wildcard | PatternKind::Bind(_) | PatternKind::Nil | PatternKind::Error => self.token(),
            PatternKind::Literal(e) => self.expr(e),
            PatternKind::Range { lo, hi, .. } => {
                lo.iter().for_each(|lo| self.expr(lo));
                self.token();
                hi.iter().for_each(|hi| self.expr(hi));
            }
            PatternKind::Variant { path, fields } => {
                self.run(path.len() * 2 - 1);
                match fields {
                    None => {}
                    Some(PatternFields::Positional(patterns)) => {
                        self.bracketed(patterns, None, false, Printer::pattern)
                    }
                    Some(PatternFields::Named(named)) => self.bracketed(named, None, false, |p, (_, pattern)| {
                        if p.tokens.list[p.at + 1].token == Token::Colon {
                            p.token();
                            p.word();
                        }
                        p.pattern(pattern);
                    }),
                }
            }
            PatternKind::Tuple(items) => self.bracketed(items, None, false, Printer::pattern),
            PatternKind::List { prefix, rest, suffix } => {
                let prefix = prefix.iter().map(Some);
                let rest = rest.iter().map(|_| None);
                let items: Vec<Option<&Pattern>> = prefix.chain(rest).chain(suffix.iter().map(Some)).collect();
                self.bracketed(&items, None, false, |p, item| match item {
                    Some(pattern) => p.pattern(pattern),
                    None => {
                        p.token();
                        if matches!(p.next(), Token::Ident(_)) {
                            p.token();
                        }
                    }
                });
            }
            PatternKind::Or(alternatives) => {
                for (i, alternative) in alternatives.iter().enumerate() {
                    if i == 1 {
                        self.begin_tail(Kind::Plain);
                    }
                    if i > 0 {
                        // a line that started with `|` would start a statement
                        self.space();
                        self.token();
                        self.place(true);
                    }
                    self.pattern(alternative);
                }
                self.end();
            }
            PatternKind::Some(inner) => {
                self.pattern(inner);
                self.token();
            }
        }
    }
}

fn members<'a>(fields: &'a [Field], variants: &'a [Variant], methods: &'a [Method]) -> Vec<Member<'a>> {
    let fields = fields.iter().map(Member::Field);
    let variants = variants.iter().map(Member::Variant);
    let mut all: Vec<_> = fields.chain(variants).chain(methods.iter().map(Member::Method)).collect();
    all.sort_by_key(Member::lo);
    all
}
