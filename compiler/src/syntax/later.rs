//! Functions, and those of the core library that are put off until somebody looks: a program reaches few of them, and to
//! read them all would be most of what a short script takes to start.
//!
//! Only text that is known to be right can wait: what is wrong in it would be found too late to be told.
//!
//! Invariant: a function that was put off is, once read, the one that reading everything at once gives.

use super::actions::Context;
use super::ast::{FnBody, FnParts, Ident, ItemKind};
use super::grammar::ItemParser;
use super::layout::{Layout, Placed};
use super::lex::Token;
use super::span::FileId;
use super::symbol::Symbol;
use crate::timing::Timing;
use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt;
use std::ops::{Deref, Range};
use std::rc::Rc;

/// A function or method. It stands for its [`FnParts`], which are read when they are first looked at, if they were put off.
pub struct Fn {
    /// Its name.
    pub name: Ident,
    parts: OnceCell<Box<FnParts>>,
    later: Option<Box<Later>>,
}

/// Where a function stands that is put off.
pub(super) struct Later {
    pub(super) text: Rc<KnownText>,
    /// From its `fn` to its end, in bytes.
    pub(super) place: Range<usize>,
    pub(super) has_body: bool,
}

/// A text that is known to be right.
pub(super) struct KnownText {
    pub(super) file: FileId,
    pub(super) text: Cow<'static, str>,
    pub(super) timing: Timing,
}

impl Fn {
    /// A function that has been read.
    pub fn new(name: Ident, parts: FnParts) -> Fn {
        Fn { name, parts: OnceCell::from(Box::new(parts)), later: None }
    }

    pub(super) fn put_off(name: Ident, later: Later) -> Fn {
        Fn { name, parts: OnceCell::new(), later: Some(Box::new(later)) }
    }

    /// Whether nobody has looked at it yet.
    pub fn is_put_off(&self) -> bool {
        self.parts.get().is_none()
    }

    /// Whether it has a body; does not read it.
    pub fn has_body(&self) -> bool {
        match &self.later {
            Some(later) => later.has_body,
            None => self.body.is_some(),
        }
    }

    pub(super) fn set_body(&mut self, body: Option<FnBody>) {
        let parts = self.parts.get_mut().expect("only a function that was read is given a body");
        parts.body = body;
    }
}

impl Deref for Fn {
    type Target = FnParts;

    fn deref(&self) -> &FnParts {
        self.parts.get_or_init(|| {
            let later = self.later.as_ref().expect("what was not read was put off");
            let parts = later.text.timing.time("parse put off", || later.read());
            assert_eq!(parts.body.is_some(), later.has_body, "bug: the body of `{}` was misjudged", self.name.name);
            Box::new(parts)
        })
    }
}

impl fmt::Debug for Fn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fn").field("name", &self.name).field("parts", &**self).finish()
    }
}

impl Later {
    fn read(&self) -> FnParts {
        let KnownText { file, text, .. } = &*self.text;
        let Range { start, end } = self.place;
        let mut layout = Layout::from(*file, &text[..end], start);
        layout.next_item();
        let item = &mut layout.item;
        // inside a trait a function may have a `self`, and need not have a body
        let name = Token::TypeName(Symbol::new("Later"));
        let lo = start as u32;
        let head = [Token::Trait, name, Token::LBrace].map(|token| Placed { token, lo, hi: lo });
        item.tokens.splice(0..0, head);
        item.tokens.push(Placed { token: Token::RBrace, lo: item.end, hi: item.end });
        let self_name = Symbol::new("self");
        let mut cx = Context { file: *file, text, item, self_name, diagnostics: Vec::new() };
        let read = ItemParser::new().parse(&mut cx, item.tokens.iter().map(|t| (t.lo, t.token, t.hi)));
        let right = cx.diagnostics.is_empty() && layout.diagnostics.is_empty();
        match read.map(|item| item.kind) {
            Ok(ItemKind::Trait(mut around)) if right => {
                let function = around.methods.pop().expect("it holds a function").function;
                *function.parts.into_inner().expect("the grammar reads at once")
            }
            _ => panic!("bug: a function of the core library can't be read: {}", &text[start..end]),
        }
    }
}
