//! The tokens of a file with what the syntax tree does not keep: comments, line breaks, which brackets pair.
//!
//! Invariants
//! - T1. Every comment of the file belongs to exactly one token: to the one before it if it stands on that token's
//!   line, else to the one behind it. The last entry is an empty one that stands for the end of the file.
//! - T2. Separators of statements are not tokens here: the tree says where statements end.

use crate::source::Sources;
use crate::syntax::layout::Layout;
use crate::syntax::lex::Token;
use crate::syntax::span::FileId;

/// A comment, `//` or `///`, without the line's end.
#[derive(Clone, Copy, Debug)]
pub struct Comment {
    /// Offset of its first byte.
    pub lo: u32,
    /// Offset past its last visible byte.
    pub hi: u32,
    /// Line breaks between it and what stands before it.
    pub newlines: u32,
}

/// A token and what stands around it.
#[derive(Debug)]
pub struct Lexeme {
    /// What it is.
    pub token: Token,
    /// Offset of its first byte.
    pub lo: u32,
    /// Offset past its last byte.
    pub hi: u32,
    /// Comments on lines of their own before it.
    pub comments: Vec<Comment>,
    /// Line breaks between it and what stands before it, token or comment.
    pub newlines: u32,
    /// The comment on its line.
    pub trailing: Option<Comment>,
    /// For a bracket or a string's opening part: the index of the one that closes it.
    pub closer: u32,
    /// Line breaks outside tokens from the start of the file up to this token.
    pub lines_before: u32,
}

/// The tokens of a file.
pub struct Tokens<'s> {
    /// The file's text.
    pub text: &'s str,
    /// The `#!` line.
    pub shebang: Option<&'s str>,
    /// In order, with an empty one at the end of the file.
    pub list: Vec<Lexeme>,
}

impl<'s> Tokens<'s> {
    /// Reads a file that parses without errors.
    pub fn read(sources: &'s Sources, file: FileId) -> Tokens<'s> {
        let text = &*sources.file(file).text;
        let mut reader = Reader { text, at: if text.starts_with('\u{feff}') { 3 } else { 0 }, list: Vec::new() };
        let shebang = text[reader.at..].starts_with("#!").then(|| text[reader.at..].lines().next().unwrap_or_default());
        reader.at += shebang.map_or(0, str::len);
        let mut layout = Layout::new(file, text);
        let mut more = true;
        let mut open = Vec::new();
        while more {
            more = layout.next_item();
            for placed in layout.item.tokens.iter().filter(|t| t.token != Token::Sep) {
                let index = reader.list.len() as u32;
                reader.push(placed.token, placed.lo, placed.hi);
                match placed.token {
                    Token::LBrace | Token::LParen | Token::LBracket | Token::StrBegin(_) => open.push(index),
                    Token::RBrace | Token::RParen | Token::RBracket | Token::StrEnd(_) => {
                        let opener = open.pop().expect("brackets are balanced (L1)");
                        reader.list[opener as usize].closer = index;
                    }
                    _ => {}
                }
            }
        }
        let end = text.len() as u32;
        reader.push(Token::Newline, end, end);
        Tokens { text, shebang, list: reader.list }
    }

    /// The index of the token that starts at `lo`.
    pub fn starting_at(&self, lo: u32) -> usize {
        self.list.partition_point(|t| t.lo < lo)
    }

    /// The index of the token that ends at `hi`.
    pub fn ending_at(&self, hi: u32) -> usize {
        self.list.partition_point(|t| t.hi < hi)
    }

    /// Whether a line ends between two tokens, given by index.
    pub fn broken_between(&self, from: usize, to: usize) -> bool {
        self.list[from].lines_before != self.list[to].lines_before
    }

    /// Tokens and comments in the order of the file, without commas: what formatting must not change.
    pub fn essence(&self) -> impl Iterator<Item = Essential<'s>> {
        let text = self.text;
        let comment = move |c: &Comment| Essential::Comment(&text[c.lo as usize..c.hi as usize]);
        self.list.iter().flat_map(move |t| {
            let own = (t.token != Token::Comma).then_some(Essential::Token(t.token));
            t.comments.iter().map(comment).chain(own).chain(t.trailing.iter().map(comment))
        })
    }
}

/// A token or a comment, apart from its place.
#[derive(PartialEq, Debug)]
pub enum Essential<'s> {
    /// A token, with its value.
    Token(Token),
    /// A comment's text.
    Comment(&'s str),
}

struct Reader<'s> {
    text: &'s str,
    /// How far the text has been read.
    at: usize,
    list: Vec<Lexeme>,
}

impl Reader<'_> {
    fn push(&mut self, token: Token, lo: u32, hi: u32) {
        let mut comments = Vec::new();
        let mut newlines = 0;
        let mut lines = self.list.last().map_or(0, |t| t.lines_before);
        while self.at < lo as usize {
            let rest = &self.text.as_bytes()[self.at..lo as usize];
            match rest[0] {
                b'\n' => {
                    (newlines, lines) = (newlines + 1, lines + 1);
                    self.at += 1;
                }
                b'/' => {
                    let length = rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len());
                    let visible = self.text[self.at..self.at + length].trim_end().len();
                    let comment = Comment { lo: self.at as u32, hi: (self.at + visible) as u32, newlines };
                    match self.list.last_mut() {
                        Some(last) if newlines == 0 && comments.is_empty() && last.trailing.is_none() => {
                            last.trailing = Some(comment);
                        }
                        _ => comments.push(comment),
                    }
                    newlines = 0;
                    self.at += length;
                }
                // blanks and the `;` between statements
                _ => self.at += 1,
            }
        }
        self.at = hi as usize;
        self.list.push(Lexeme { token, lo, hi, comments, newlines, trailing: None, closer: 0, lines_before: lines });
    }
}
