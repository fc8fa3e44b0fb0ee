//! Walks tokens and syntax tree together: the tree says what belongs together, each token is written when its turn
//! comes, and its comments with it.
//!
//! Invariants
//! - P1. Every token is written exactly once and in order, apart from commas and `;`, which are the formatter's own; so
//!   no comment, no spelling of a number and no pair of brackets gets lost.
//! - P2. A line ends only where the source already ends one (at a comment), inside `(` and `[`, between statements, or
//!   at a token that continues one; so line ends never change what a program means.

use super::document::{Break, Document, Kind, Op};
use super::render::INDENT;
use super::tokens::{Comment, Tokens};
use crate::syntax::lex::Token;
use crate::syntax::span::Span;
use hashbrown::HashSet;

/// What the last thing written demands.
#[derive(Clone, Copy, PartialEq)]
enum Pending {
    Nothing,
    /// It was a comment behind a token: a line must end.
    Trailing,
    /// It was a comment on its own line: a line must end, before any group starts.
    OwnLine,
}

/// Writes a tree into a document. The files beside this one add what it knows of items, expressions and patterns.
pub struct Printer<'a> {
    pub tokens: &'a Tokens<'a>,
    /// Brackets that an earlier round had to open, by index of their tokens.
    pub opened: &'a HashSet<u32>,
    /// The token whose turn it is.
    pub at: usize,
    pub document: Document,
    /// In a hole of a string, which stays in its line.
    pub in_hole: usize,
    /// In the head of a statement with a body, outside brackets.
    pub in_head: bool,
    /// The next expression is all there is in brackets or behind `=`, so its operators need not be deeper.
    pub alone: bool,
    pending: Pending,
    /// Where a group starts that may stay open at the end of a line, and the group that it is the end of.
    hugs: Vec<(usize, u32)>,
}

impl<'a> Printer<'a> {
    pub fn new(tokens: &'a Tokens<'a>, opened: &'a HashSet<u32>) -> Printer<'a> {
        Printer {
            tokens,
            opened,
            at: 0,
            document: Document::default(),
            in_hole: 0,
            in_head: false,
            alone: false,
            pending: Pending::Nothing,
            hugs: Vec::new(),
        }
    }

    // Tokens

    /// The token whose turn it is.
    pub fn next(&self) -> Token {
        self.tokens.list[self.at].token
    }

    /// Writes the next token with its comments.
    pub fn token(&mut self) {
        self.comments();
        let lexeme = &self.tokens.list[self.at];
        if self.pending != Pending::Nothing {
            self.end_line(lexeme.newlines > 1 && self.pending == Pending::OwnLine);
        } else if self.would_merge() {
            self.document.ops.push(Op::Space);
        }
        let op = if lexeme.token == Token::NotIn { Op::Word("not in") } else { Op::Source(lexeme.lo, lexeme.hi) };
        self.document.ops.push(op);
        self.at += 1;
        if let Some(comment) = lexeme.trailing {
            self.trailing(comment);
        }
    }

    /// Writes several tokens in a row.
    pub fn run(&mut self, count: usize) {
        for _ in 0..count {
            self.token();
        }
    }

    /// Writes the next token with a blank behind it.
    pub fn word(&mut self) {
        self.token();
        self.space();
    }

    /// Whether `?` and the next token would read as one token if nothing stood between them.
    fn would_merge(&self) -> bool {
        let touches = matches!(
            self.document.ops.iter().rev().find(|op| !matches!(op, Op::Begin(_) | Op::End | Op::Indent(_))),
            Some(Op::Source(..))
        );
        touches && self.merges()
    }

    /// As `would_merge`, if the tokens do touch.
    pub fn merges(&self) -> bool {
        self.at > 0
            && self.tokens.list[self.at - 1].token == Token::Question
            && matches!(self.next(), Token::Question | Token::Dot | Token::QuestionDot)
    }

    /// Leaves out the next token, a comma, and keeps its comments.
    fn skip_comma(&mut self) {
        self.comments();
        let trailing = self.tokens.list[self.at].trailing;
        self.at += 1;
        if let Some(comment) = trailing {
            self.trailing(comment);
        }
    }

    /// A comma behind an element, before the comment that may already stand there.
    pub fn comma(&mut self, comma: Op) {
        let mut at = self.document.ops.len();
        if self.pending == Pending::Trailing {
            let comment = self.document.ops.iter().rposition(|op| matches!(op, Op::Comment(..)));
            at = comment.expect("a comment is pending");
        }
        if self.in_hole == 0 || !matches!(comma, Op::IfBroken(_)) {
            self.document.ops.insert(at, comma);
        }
        if self.next() == Token::Comma {
            self.skip_comma();
        }
    }

    /// Leaves out a comma that may stand here.
    pub fn drop_comma(&mut self) {
        if self.next() == Token::Comma {
            self.skip_comma();
        }
    }

    // Comments and line ends

    fn trailing(&mut self, comment: Comment) {
        if self.pending != Pending::Nothing {
            self.end_line(false);
        }
        self.document.ops.push(Op::Comment(comment.lo, comment.hi));
        self.pending = Pending::Trailing;
    }

    /// Writes the comments on lines of their own before the next token.
    pub fn comments(&mut self) {
        let tokens = self.tokens;
        let written = self.written();
        for (i, comment) in tokens.list[self.at].comments.iter().enumerate().skip(written) {
            let first_inside = i == 0 && self.follows_opener();
            if !self.document.ops.is_empty() {
                self.end_line(comment.newlines > 1 && !first_inside);
            }
            self.document.ops.push(Op::Comment(comment.lo, comment.hi));
            self.pending = Pending::OwnLine;
        }
    }

    /// How many of the next token's comments have been written.
    fn written(&self) -> usize {
        let comments = &self.tokens.list[self.at].comments;
        let last = self
            .document
            .ops
            .iter()
            .rev()
            .find(|op| !matches!(op, Op::Begin(_) | Op::End | Op::Indent(_) | Op::Hard(_)));
        match last {
            Some(&Op::Comment(lo, _)) => comments.partition_point(|c| c.lo <= lo),
            _ => 0,
        }
    }

    fn follows_opener(&self) -> bool {
        self.at > 0 && matches!(self.tokens.list[self.at - 1].token, Token::LBrace | Token::LParen | Token::LBracket)
    }

    fn end_line(&mut self, blank: bool) {
        self.pending = Pending::Nothing;
        self.document.hard(blank);
    }

    /// Whether the author left an empty line before what comes next.
    fn blank_before(&self) -> bool {
        let lexeme = &self.tokens.list[self.at];
        let newlines = lexeme.comments.first().map_or(lexeme.newlines, |c| c.newlines);
        newlines > 1 && !self.follows_opener()
    }

    /// Closes brackets with nothing but comments in them.
    fn close_empty(&mut self) {
        if self.pending != Pending::Nothing || !self.tokens.list[self.at].comments.is_empty() {
            self.place_closing(false);
        }
        self.token();
    }

    /// A blank.
    pub fn space(&mut self) {
        if self.pending == Pending::Nothing {
            self.document.ops.push(Op::Space);
        }
    }

    /// A place where the line may break; a blank or nothing if it does not.
    pub fn place(&mut self, blank_if_flat: bool) {
        self.place_of(Break { blank_if_flat, ..Break::default() });
    }

    /// A place between elements, where an empty line of the author's is kept.
    pub fn place_between(&mut self, fill: bool) {
        self.place_of(Break { blank_if_flat: true, blank: self.blank_before(), fill });
    }

    /// The place before what closes a group.
    pub fn place_closing(&mut self, blank_if_flat: bool) {
        self.comments();
        self.indent(0);
        self.place(blank_if_flat);
    }

    /// How much deeper than the group's start its lines stand from here on, if it is broken.
    pub fn indent(&mut self, blanks: usize) {
        if self.in_hole == 0 {
            self.document.ops.push(Op::Indent(blanks));
        }
    }

    /// Writes a piece of the source as it stands, up to and with token `last`.
    pub fn verbatim(&mut self, lo: u32, hi: u32, last: usize) {
        if self.pending != Pending::Nothing {
            self.end_line(false);
        }
        self.document.ops.push(Op::Source(lo, hi));
        self.at = last + 1;
        if let Some(comment) = self.tokens.list[last].trailing {
            self.trailing(comment);
        }
    }

    fn place_of(&mut self, place: Break) {
        if self.pending != Pending::Nothing {
            self.end_line(place.blank);
        } else if self.in_hole == 0 {
            self.document.ops.push(Op::Break(place));
        } else if place.blank_if_flat {
            self.document.ops.push(Op::Space);
        }
    }

    /// The end of a line between items or statements.
    pub fn next_line(&mut self) {
        let blank = self.blank_before();
        self.pending = Pending::Nothing;
        self.document.hard(blank);
    }

    // Groups

    /// Starts a group at the next token that opens the bracket at index `opener`. Comments before it stay outside.
    pub fn begin_brackets(&mut self, opener: usize) {
        self.comments();
        if self.pending == Pending::OwnLine {
            self.end_line(self.tokens.list[self.at].newlines > 1);
        }
        self.begin(Kind::Plain, Some(opener as u32));
    }

    /// Starts a group of what follows an element; comments before that belong to the group.
    pub fn begin_tail(&mut self, kind: Kind) {
        self.begin(kind, None);
        // deeper than the body that follows a head
        self.indent(if self.in_head { 2 * INDENT } else { INDENT });
    }

    fn begin(&mut self, kind: Kind, opener: Option<u32>) {
        if self.in_hole > 0 {
            return;
        }
        let id = self.document.begin(kind, opener);
        if let Some(&(at, parent)) = self.hugs.last()
            && at == self.at
        {
            self.hugs.pop();
            self.document.groups[parent as usize].hug = Some(id);
        }
    }

    /// Ends a group.
    pub fn end(&mut self) {
        if self.in_hole == 0 {
            self.document.end();
        }
    }

    /// Lets the group that starts at token `at` stay open at the end of the line where the innermost group ends.
    pub fn hug(&mut self, at: usize) {
        if self.in_hole == 0 {
            let parent = self.document.innermost().expect("a group is open");
            self.hugs.push((at, parent));
        }
    }

    /// Opens the innermost group if the author, or an earlier round, has opened its bracket at index `opener`.
    pub fn open_if(&mut self, opener: usize, open: bool) -> bool {
        let open = self.in_hole == 0 && (open || self.opened.contains(&(opener as u32)));
        if open {
            self.document.open();
        }
        open
    }

    // Brackets

    /// How many pairs of parentheses stand around what `span` covers; `own` if the innermost pair belongs to it.
    pub fn parentheses(&self, span: Span, own: bool) -> usize {
        let list = &self.tokens.list;
        let mut last = self.tokens.ending_at(span.hi);
        let mut first = self.at;
        while list[first].token == Token::LParen && list[first].closer as usize == last {
            first += 1;
            last -= 1;
            if first > last {
                break;
            }
        }
        (first - self.at).saturating_sub(usize::from(own))
    }

    /// Something in any number of parentheses.
    pub fn grouped(&mut self, layers: usize, inner: impl FnOnce(&mut Self)) {
        let in_head = self.in_head;
        self.in_head &= layers == 0;
        for _ in 0..layers {
            let opener = self.at;
            self.begin_brackets(opener);
            self.token();
            self.open_if(opener, self.tokens.broken_between(opener, opener + 1));
            self.indent(INDENT);
            self.place(false);
        }
        inner(self);
        self.in_head = in_head;
        for _ in 0..layers {
            self.place_closing(false);
            self.token();
            self.end();
        }
    }

    /// Elements in brackets, whose opener is next. `hug`: the token where the group starts, the last element's, that
    /// may stay open at the end of the line. `fill`: as many elements in a line as fit.
    pub fn bracketed<T>(&mut self, items: &[T], hug: Option<usize>, fill: bool, mut one: impl FnMut(&mut Self, &T)) {
        let opener = self.at;
        let closer = self.tokens.list[opener].closer as usize;
        self.begin_brackets(opener);
        self.token();
        if items.is_empty() {
            self.indent(INDENT);
            while self.at < closer {
                self.token();
            }
            self.close_empty();
            return self.end();
        }
        self.open_if(opener, self.tokens.broken_between(opener, opener + 1));
        let in_head = std::mem::take(&mut self.in_head);
        self.indent(INDENT);
        self.place(false);
        for (i, item) in items.iter().enumerate() {
            self.alone = items.len() == 1;
            let last = i + 1 == items.len();
            if last && let Some(at) = hug {
                self.hug(at);
            }
            one(self, item);
            self.alone = false;
            if last {
                self.comma(Op::IfBroken(","));
            } else {
                self.comma(Op::Word(","));
                self.place_between(fill);
            }
        }
        self.in_head = in_head;
        self.place_closing(false);
        self.token();
        self.end();
    }

    /// What stands between braces, in a group that has begun and that these braces open: statements, members or arms.
    pub fn braces<T>(&mut self, open: bool, items: &[T], mut one: impl FnMut(&mut Self, &T)) {
        self.token();
        if items.is_empty() {
            self.indent(INDENT);
            return self.close_empty();
        }
        let in_head = std::mem::take(&mut self.in_head);
        self.indent(INDENT);
        self.place(true);
        for (i, item) in items.iter().enumerate() {
            one(self, item);
            let last = i + 1 == items.len();
            if open || last {
                self.drop_comma();
            } else {
                let comma = self.next() == Token::Comma;
                self.comma(Op::Word(if comma { "," } else { ";" }));
            }
            if !last {
                self.place_between(false);
            }
        }
        self.in_head = in_head;
        self.place_closing(true);
        self.token();
    }

    /// Whether the author wrote the braces that start at `lo` over several lines.
    pub fn over_lines(&self, lo: u32) -> bool {
        let opener = self.tokens.starting_at(lo);
        self.tokens.broken_between(opener, self.tokens.list[opener].closer as usize)
    }
}
