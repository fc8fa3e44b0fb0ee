//! Bodies of the core library's functions, put off until somebody looks: a program reaches few of them, and to read them
//! all would be most of what a short script takes to start.
//!
//! Only for text that is known to be right: what is wrong in a body would be found too late to be told.
//!
//! Invariant: with its bodies read, a tree is the one that reading everything at once gives.

use super::actions::Context;
use super::ast::{FnBody, FormatSpec, Item, ItemKind, Method};
use super::grammar::ItemParser;
use super::layout::{ItemTokens, Placed};
use super::lex::Token;
use super::span::FileId;
use super::symbol::Symbol;
use std::cell::OnceCell;
use std::fmt;
use std::ops::Range;
use std::rc::Rc;

/// A body that has not been read.
pub struct Later {
    item: Rc<Whole>,
    tokens: Range<usize>,
    body: OnceCell<Box<FnBody>>,
}

/// An item with all its tokens.
struct Whole {
    file: FileId,
    text: Rc<str>,
    tokens: Vec<Placed>,
    specs: Vec<FormatSpec>,
}

impl Later {
    /// The body.
    pub fn body(&self) -> &FnBody {
        self.body.get_or_init(|| Box::new(self.read()))
    }

    fn read(&self) -> FnBody {
        let Whole { file, text, tokens, specs } = &*self.item;
        let body = &tokens[self.tokens.clone()];
        let (lo, end) = (body[0].lo, body[body.len() - 1].hi);
        let head = [Token::Fn, Token::Ident(Symbol::new("later")), Token::LParen, Token::RParen];
        let head = head.map(|token| Placed { token, lo, hi: lo });
        let tokens = [&head[..], body].concat();
        let item = ItemTokens { tokens, specs: specs.clone(), end, ..ItemTokens::default() };
        let self_name = Symbol::new("self");
        let mut cx = Context { file: *file, text, item: &item, self_name, diagnostics: Vec::new() };
        let read = ItemParser::new().parse(&mut cx, item.tokens.iter().map(|t| (t.lo, t.token, t.hi)));
        match read.map(|item| item.kind) {
            Ok(ItemKind::Fn(function)) if cx.diagnostics.is_empty() => function.body.expect("it was given one"),
            _ => panic!("bug: a body of the core library can't be read: {}", &text[lo as usize..end as usize]),
        }
    }
}

impl super::ast::Fn {
    /// The body, read now if it was put off.
    pub fn read_body(&self) -> Option<&FnBody> {
        self.later.as_ref().map(Later::body).or(self.body.as_ref())
    }
}

impl fmt::Debug for Later {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.body().fmt(f)
    }
}

/// Takes the bodies of functions out of an item's tokens; [`Bodies::put_into`] tells its functions where they are.
pub(super) fn put_off(file: FileId, text: &Rc<str>, item: &mut ItemTokens) -> Bodies {
    let (tokens, specs) = (std::mem::take(&mut item.tokens), std::mem::take(&mut item.specs));
    let mut ranges = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let function =
            tokens[at].token == Token::Fn && matches!(tokens.get(at + 1), Some(Placed { token: Token::Ident(_), .. }));
        let body = if function { body_behind(&tokens, at) } else { None };
        let Some(body) = body else {
            item.tokens.push(tokens[at]);
            at += 1;
            continue;
        };
        item.tokens.extend_from_slice(&tokens[at..body.start]);
        let (lo, hi) = (tokens[body.start].lo, tokens[body.end - 1].hi);
        item.tokens.push(Placed { token: Token::LBrace, lo, hi: lo + 1 });
        item.tokens.push(Placed { token: Token::RBrace, lo: hi - 1, hi });
        at = body.end;
        ranges.push(body);
    }
    // defaults of parameters and fields may have format specifications too
    item.specs.clone_from(&specs);
    Bodies { item: Rc::new(Whole { file, text: Rc::clone(text), tokens, specs }), ranges }
}

/// The bodies that were taken out of an item.
pub(super) struct Bodies {
    item: Rc<Whole>,
    ranges: Vec<Range<usize>>,
}

impl Bodies {
    /// Puts the bodies into the item that was read without them.
    pub(super) fn put_into(self, item: &mut Item) {
        let mut ranges = self.ranges.into_iter().peekable();
        let mut put = |function: &mut super::ast::Fn| {
            let Some(FnBody::Block(block)) = &function.body else { return };
            let starts_here = |range: &Range<usize>| self.item.tokens[range.start].lo == block.span.lo;
            if let Some(tokens) = ranges.next_if(starts_here) {
                function.later = Some(Later { item: Rc::clone(&self.item), tokens, body: OnceCell::new() });
            }
        };
        let mut methods = |methods: &mut [Method]| methods.iter_mut().for_each(|method| put(&mut method.function));
        match &mut item.kind {
            ItemKind::Struct(of) => methods(&mut of.methods),
            ItemKind::Enum(of) => methods(&mut of.methods),
            ItemKind::Trait(of) => methods(&mut of.methods),
            ItemKind::Impl(of) => methods(&mut of.methods),
            ItemKind::Fn(function) => put(function),
            _ => {}
        }
        debug_assert!(ranges.next().is_none(), "each body belongs to a function");
    }
}

/// The tokens of the body of the function whose `fn` is token `at`, if it has one.
fn body_behind(tokens: &[Placed], at: usize) -> Option<Range<usize>> {
    let mut depth = 0_usize;
    let mut start = None;
    for (i, placed) in tokens.iter().enumerate().skip(at + 2) {
        match placed.token {
            Token::LBrace if depth == 0 && start.is_none() => {
                start = Some((i, true));
                depth += 1;
            }
            Token::Eq if depth == 0 && start.is_none() => start = Some((i, false)),
            Token::LBrace | Token::LParen | Token::LBracket | Token::StrBegin(_) => depth += 1,
            Token::RBrace | Token::RParen | Token::RBracket | Token::StrEnd(_) if depth > 0 => {
                depth -= 1;
                if let (0, Some((start, true))) = (depth, start) {
                    return Some(start..i + 1);
                }
            }
            Token::RBrace => return start.map(|(start, _)| start..i),
            Token::Sep if depth == 0 => return start.map(|(start, _)| start..i),
            _ => {}
        }
    }
    start.map(|(start, _)| start..tokens.len())
}

#[cfg(test)]
mod tests {
    use super::super::dump::dump;
    use super::super::parse::{parse, parse_known};
    use crate::source::Sources;

    #[test]
    fn bodies_read_later_are_those_read_at_once() {
        let text = "
            fn plain(a: int, b: str = \"{1:>4}\") -> int { a + 1 }
            pub fn short(f: fn(int) -> int) = f(|x| { x }(2)) +
              3
            @intrinsic fn bodiless(a: int) -> int
            struct S[T]: Iterable[T] {
              pub advance: fn() -> T? = || nil
              var n: int = 0
              fn next(self) -> T? = (self.advance)()
              fn static() {}
              fn lines(self) -> int = match self.n {
                1 => 2
                x => x + 1
              }
              fn more(self) {
                let a = 1
                let b = { 2
                  3 }
              }
              fn blocks(self) { if self.n > 1 { \"a{{ 1 }:5}b{[2][0]}\" } else { 'c' } }
            }
            trait Named { fn name(self) -> str
              fn shout(self) = self.name() }
            impl Named for S[int] { fn name(self) = 'S' }
            enum E { A, B(x: int)
              fn f(self) -> int = match self { A => 1, B(x) => { x } } }
            const C: int = 3
            let top = |x| x
        ";
        let mut sources = Sources::default();
        let file = sources.add("a", text);
        let (whole, errors) = parse(&sources, file);
        assert!(errors.is_empty(), "{errors:?}");
        let put_off = parse_known(&sources, file);
        assert_eq!(dump(&put_off), dump(&whole));
        assert!(dump(&whole).contains("shout"));
    }
}
