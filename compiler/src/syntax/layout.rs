//! The layer between logos and the grammar: where statements end, which brackets belong together, what strings hold.
//!
//! It hands out one top-level item at a time, so memory is bounded by the largest item, not by the file.
//!
//! Invariants
//! - L1. Brackets in the tokens handed out are balanced: missing closers are put in, stray ones left out, each with a
//!   diagnostic.
//! - L2. [`Token::Sep`] stands only inside braces, between two statements: not behind `{`, not before `}`, never
//!   twice in a row. At the top level it ends the item instead. (A stray `;` in other brackets does come through,
//!   for the grammar to refuse.)
//! - L3. Brackets plus everything else that nests without them (prefix operators, closures, `return`, heads, `->`)
//!   never exceed [`MAX_DEPTH`]; beyond it reading stops with a diagnostic.
//! - L4. Whatever was reported here leaves its range in `damage`, so that the parser adds no second message.

use super::ast::{FormatSpec, MAX_DEPTH};
use super::lex::{Names, RawLexer, Token};
use super::literals::{self, LiteralError, PartEnd};
use super::parse::MAX_ERRORS;
use super::span::{FileId, Span};
use super::symbol::{Interner, Symbol};
use crate::codes;
use crate::diagnostic::Diagnostic;

/// A token and its place. Closers that were put in are empty.
#[derive(Clone, Copy, Debug)]
pub struct Placed {
    pub token: Token,
    pub lo: u32,
    pub hi: u32,
}

/// One top-level item, ready for the grammar.
#[derive(Default)]
pub struct ItemTokens {
    pub tokens: Vec<Placed>,
    /// What [`Token::HoleSpec`] counts in.
    pub specs: Vec<FormatSpec>,
    /// Texts of doc comments, by the start of the token behind them.
    pub docs: Vec<(u32, Symbol)>,
    /// Ranges that a diagnostic was reported for.
    pub damage: Vec<(u32, u32)>,
    /// Where the newline, `;` or end of file stands that ended it.
    pub end: u32,
    /// A closer was put in or left out.
    pub unbalanced: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Bracket {
    /// The file itself.
    Top,
    Paren,
    Square,
    Brace,
    /// `{` in a string.
    Hole,
}

/// An open bracket and what nests inside it without brackets.
struct Frame {
    bracket: Bracket,
    /// Place of the opener; of the string's quote for a hole.
    lo: u32,
    /// Nesting of all enclosing frames.
    outer: usize,
    /// Prefix operators whose operand has not come yet.
    prefixes: usize,
    /// Closures, `return`s and `->`, which reach to the end of the statement.
    tails: usize,
    /// `if`, `while`, `for` and `match` whose brace has not come yet.
    heads: usize,
    in_closure_params: bool,
    /// Something that may have swallowed the closer was reported.
    excused: bool,
}

/// The layer over one file.
pub struct Layout<'s> {
    file: FileId,
    text: &'s str,
    lexer: RawLexer<'s>,
    /// Read, but belongs to the next item.
    held: Option<Placed>,
    /// The second half of a token that logos read too greedily.
    split: Option<Placed>,
    frames: Vec<Frame>,
    /// A newline or `;` since the last token.
    pending: Option<Placed>,
    /// Closers whose openers were closed early in this item; they are left out without a second message.
    orphans: Vec<Bracket>,
    doc: String,
    scratch: String,
    stopped: bool,
    pub item: ItemTokens,
    pub diagnostics: Vec<Diagnostic>,
    /// Raw strings with something like a hole in them: the name, and its place.
    pub raw_holes: Vec<(&'s str, Span)>,
}

impl<'s> Layout<'s> {
    pub fn new(file: FileId, text: &'s str) -> Layout<'s> {
        let mut start = if text.starts_with('\u{feff}') { 3 } else { 0 };
        if text[start..].starts_with("#!") {
            start = text[start..].find('\n').map_or(text.len(), |line| start + line);
        }
        Layout::from(file, text, start)
    }

    /// The layer over what stands behind `start`.
    pub fn from(file: FileId, text: &'s str, start: usize) -> Layout<'s> {
        let mut lexer = RawLexer::with_extras(text, Names::default());
        lexer.bump(start);
        let top = Frame {
            bracket: Bracket::Top,
            lo: 0,
            outer: 0,
            prefixes: 0,
            tails: 0,
            heads: 0,
            in_closure_params: false,
            excused: false,
        };
        Layout {
            file,
            text,
            lexer,
            held: None,
            split: None,
            frames: vec![top],
            pending: None,
            orphans: Vec::new(),
            doc: String::new(),
            scratch: String::new(),
            stopped: false,
            item: ItemTokens::default(),
            diagnostics: Vec::new(),
            raw_holes: Vec::new(),
        }
    }

    /// Fills [`Layout::item`] with the next item; false at the end of the file.
    pub fn next_item(&mut self) -> bool {
        self.item.tokens.clear();
        self.item.specs.clear();
        self.item.docs.clear();
        self.item.damage.clear();
        self.item.unbalanced = false;
        self.orphans.clear();
        let top = &mut self.frames[0];
        (top.prefixes, top.tails, top.heads) = (0, 0, 0);
        self.lexer.extras.interner = Some(Interner::lock());
        let more = self.fill_item();
        self.lexer.extras.interner = None;
        more && !self.stopped
    }

    fn fill_item(&mut self) -> bool {
        while let Some(raw) = self.held.take().or_else(|| self.read()) {
            match raw.token {
                Token::Newline => {
                    self.pending.get_or_insert(raw);
                }
                Token::Semi => self.pending = Some(raw),
                Token::DocLine => self.doc_line(raw),
                _ => {
                    if let Some(pending) = self.pending.take()
                        && self.separates(pending.token, raw.token)
                    {
                        if self.frames.len() == 1 {
                            self.held = Some(raw);
                            self.item.end = pending.lo;
                            return true;
                        }
                        self.push(Token::Sep, pending.lo, pending.lo + 1);
                    }
                    // a comma may stand between it and what it documents
                    if !self.doc.is_empty() && raw.token != Token::Comma {
                        self.finish_doc(raw.lo);
                    }
                    self.token(raw);
                    if self.stopped {
                        return false;
                    }
                }
            }
        }
        let end = self.text.len() as u32;
        self.item.end = end;
        self.close_frames(1, end, None);
        !self.item.tokens.is_empty()
    }

    /// The next raw token; characters that start none are reported and skipped.
    fn read(&mut self) -> Option<Placed> {
        if let Some(half) = self.split.take() {
            return Some(half);
        }
        loop {
            let next = self.lexer.next()?;
            let range = self.lexer.span();
            let (lo, hi) = (range.start as u32, range.end as u32);
            match next {
                Err(()) => self.unknown(lo, hi),
                Ok(Token::Not) => {
                    let rest = self.lexer.remainder();
                    let gap = rest.len() - rest.trim_start().len();
                    let tail = rest[gap..].strip_prefix("in");
                    if tail.is_some_and(|t| !t.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')) {
                        self.lexer.bump(gap + 2);
                        return Some(Placed { token: Token::NotIn, lo, hi: hi + gap as u32 + 2 });
                    }
                    return Some(Placed { token: Token::Not, lo, hi });
                }
                // `a?..b` is a range
                Ok(Token::QuestionDot) if self.lexer.remainder().starts_with('.') => {
                    let inclusive = self.lexer.remainder().starts_with(".=");
                    let (token, more) = if inclusive { (Token::DotDotEq, 2) } else { (Token::DotDot, 1) };
                    self.lexer.bump(more);
                    self.split = Some(Placed { token, lo: lo + 1, hi: hi + more as u32 });
                    return Some(Placed { token: Token::Question, lo, hi: lo + 1 });
                }
                Ok(token) => return Some(Placed { token, lo, hi }),
            }
        }
    }

    /// Whether `pending` between the last token and `next` ends a statement.
    fn separates(&self, pending: Token, next: Token) -> bool {
        let bracket = self.frames.last().expect("the file's frame stays").bracket;
        let Some(last) = self.item.tokens.last() else { return false };
        if matches!(last.token, Token::Sep | Token::LBrace) || next == Token::RBrace && bracket == Bracket::Brace {
            return false;
        }
        if pending == Token::Semi {
            return true;
        }
        matches!(bracket, Bracket::Brace | Bracket::Top) && last.token.ends_statement() && !next.continues_statement()
    }

    fn doc_line(&mut self, raw: Placed) {
        let line = &self.text[raw.lo as usize + 3..raw.hi as usize];
        if line.starts_with('/') {
            return;
        }
        let line = line.trim_end();
        if !self.doc.is_empty() {
            self.doc.push('\n');
        }
        self.doc.push_str(line.strip_prefix(' ').unwrap_or(line));
    }

    fn finish_doc(&mut self, lo: u32) {
        let text = std::mem::take(&mut self.doc);
        let symbol = self.intern(&text);
        self.item.docs.push((lo, symbol));
        self.doc = text;
        self.doc.clear();
    }

    fn intern(&mut self, text: &str) -> Symbol {
        self.lexer.extras.symbol(text)
    }

    fn token(&mut self, raw: Placed) {
        let Placed { token, lo, hi } = raw;
        match token {
            Token::Quote => self.string(lo, lo, false),
            Token::RawQuote => self.raw_string(lo, "'"),
            Token::RawQuote3 => self.raw_string(lo, "'''"),
            Token::ByteQuote => self.byte(lo),
            Token::Number => self.number(lo, hi),
            Token::LParen => self.open(Bracket::Paren, token, lo, hi),
            Token::LBracket => self.open(Bracket::Square, token, lo, hi),
            Token::LBrace => self.open(Bracket::Brace, token, lo, hi),
            Token::RParen => self.close(Bracket::Paren, token, lo, hi),
            Token::RBracket => self.close(Bracket::Square, token, lo, hi),
            Token::RBrace if self.bracket() == Bracket::Hole => self.end_hole(lo),
            Token::RBrace => self.close(Bracket::Brace, token, lo, hi),
            Token::Colon if self.bracket() == Bracket::Hole => self.spec(lo),
            Token::Dot => {
                self.push(token, lo, hi);
                self.tuple_index(hi);
            }
            _ => self.push(token, lo, hi),
        }
    }

    fn bracket(&self) -> Bracket {
        self.frame().bracket
    }

    fn frame(&self) -> &Frame {
        self.frames.last().expect("the file's frame stays")
    }

    /// Appends a token, settling what depends on its neighbour before it and counting what it nests.
    fn push(&mut self, token: Token, lo: u32, hi: u32) {
        if let Some(last) = self.item.tokens.last_mut() {
            match last.token {
                Token::ReturnBare if token.starts_expression() => last.token = Token::Return,
                Token::Ident(name) => match token {
                    Token::TypeName(_) if name == self.lexer.extras.contextual[0] => last.token = Token::Type,
                    Token::Str(_) if name == self.lexer.extras.contextual[1] => last.token = Token::Test,
                    Token::Str(_) if name == self.lexer.extras.contextual[2] => last.token = Token::Bench,
                    _ => {}
                },
                _ => {}
            }
        }
        let token = if token == Token::Return { Token::ReturnBare } else { token };
        self.count(token, lo, hi);
        self.item.tokens.push(Placed { token, lo, hi });
    }

    fn count(&mut self, token: Token, lo: u32, hi: u32) {
        let last = self.item.tokens.last().map(|p| p.token);
        let after_operand = last.is_some_and(|t| t.ends_statement() && t != Token::ReturnBare);
        let frame = self.frames.last_mut().expect("the file's frame stays");
        match token {
            Token::Minus | Token::Tilde | Token::Not if !after_operand => {
                if last == Some(Token::StarStar) {
                    frame.tails += 1
                } else {
                    frame.prefixes += 1
                }
            }
            Token::Pipe if frame.in_closure_params => frame.in_closure_params = false,
            Token::Pipe if !after_operand => {
                frame.in_closure_params = true;
                frame.tails += 1;
            }
            Token::PipePipe if !after_operand => frame.tails += 1,
            Token::ReturnBare | Token::Arrow => frame.tails += 1,
            Token::If | Token::Match | Token::While | Token::For => frame.heads += 1,
            Token::LBrace => {
                frame.heads = frame.heads.saturating_sub(1);
                return;
            }
            Token::Sep => (frame.prefixes, frame.tails, frame.heads) = (0, 0, 0),
            Token::Comma if !frame.in_closure_params => (frame.prefixes, frame.tails) = (0, 0),
            // the `if` of a guard has no brace
            Token::FatArrow => frame.heads = 0,
            _ if token.ends_statement() => {
                frame.prefixes = 0;
                return;
            }
            _ => return,
        }
        if frame.outer + frame.prefixes + frame.tails + frame.heads > MAX_DEPTH {
            self.too_deep(lo, hi);
        }
    }

    fn too_deep(&mut self, lo: u32, hi: u32) {
        let message = format!("more than {MAX_DEPTH} levels of nesting");
        let error = Diagnostic::error(codes::TOO_DEEP, self.span(lo, hi), message)
            .label("this is one level too deep; the rest of the file was not read")
            .help("split the expression or block into functions or variables");
        self.diagnostics.push(error);
        self.stopped = true;
    }

    fn span(&self, lo: u32, hi: u32) -> Span {
        Span { file: self.file, lo, hi }
    }

    fn report(&mut self, error: Diagnostic) {
        self.item.damage.push((error.primary.span.lo, error.primary.span.hi));
        if self.diagnostics.len() < MAX_ERRORS {
            self.diagnostics.push(error);
        }
    }

    // Brackets

    fn open(&mut self, bracket: Bracket, token: Token, lo: u32, hi: u32) {
        self.push(token, lo, hi);
        self.enter(bracket, lo, hi);
    }

    fn enter(&mut self, bracket: Bracket, lo: u32, hi: u32) {
        let parent = self.frame();
        let outer = parent.outer + parent.prefixes + parent.tails + parent.heads + 1;
        if outer > MAX_DEPTH {
            return self.too_deep(lo, hi);
        }
        self.frames.push(Frame {
            bracket,
            lo,
            outer,
            prefixes: 0,
            tails: 0,
            heads: 0,
            in_closure_params: false,
            excused: false,
        });
    }

    fn close(&mut self, bracket: Bracket, token: Token, lo: u32, hi: u32) {
        let reachable = self.frames.iter().rposition(|f| f.bracket == bracket || f.bracket == Bracket::Hole);
        match reachable.filter(|&at| self.frames[at].bracket == bracket) {
            Some(at) => {
                self.close_frames(at + 1, lo, Some(hi));
                self.frames.pop();
                self.push(token, lo, hi);
            }
            None => self.stray(bracket, lo, hi),
        }
    }

    /// A closer that no open bracket waits for.
    fn stray(&mut self, bracket: Bracket, lo: u32, hi: u32) {
        self.item.unbalanced = true;
        if let Some(at) = self.orphans.iter().position(|&b| b == bracket) {
            self.orphans.remove(at);
            self.item.damage.push((lo, hi));
            return;
        }
        let text = &self.text[lo as usize..hi as usize];
        let top = self.frame();
        let (mistaken, at, close) = match top.bracket {
            Bracket::Paren => (bracket == Bracket::Square, top.lo, Token::RParen),
            Bracket::Square => (bracket == Bracket::Paren, top.lo, Token::RBracket),
            _ => (false, 0, Token::RBrace),
        };
        if mistaken {
            let open = &self.text[at as usize..at as usize + 1];
            let error =
                Diagnostic::error(codes::BRACKETS, self.span(lo, hi), format!("`{text}` does not close `{open}`"))
                    .label("the wrong closer")
                    .and(self.span(at, at + 1), "opened here");
            self.report(error);
            self.frames.pop();
            self.push(close, lo, hi);
            return;
        }
        let error = Diagnostic::error(codes::BRACKETS, self.span(lo, hi), format!("`{text}` closes nothing"))
            .label("no bracket is open that it could close")
            .help("remove it, or add the bracket that it should close");
        self.report(error);
    }

    /// Closes all frames from `keep` on, reporting the innermost; `closer` is where the bracket ends that found them.
    fn close_frames(&mut self, keep: usize, at: u32, closer: Option<u32>) {
        let mut reported = false;
        while self.frames.len() > keep {
            let frame = self.frames.pop().expect("more frames than are kept");
            self.item.unbalanced = true;
            self.orphans.push(frame.bracket);
            if !frame.excused && !reported {
                reported = true;
                self.unclosed(&frame, at, closer);
            }
            self.item.damage.push((frame.lo, at));
            let token = match frame.bracket {
                Bracket::Paren => Token::RParen,
                Bracket::Square => Token::RBracket,
                Bracket::Hole => Token::StrEnd(self.intern("")),
                Bracket::Brace | Bracket::Top => Token::RBrace,
            };
            self.push(token, at, at);
        }
    }

    fn unclosed(&mut self, frame: &Frame, at: u32, closer: Option<u32>) {
        let (open, close) = match frame.bracket {
            Bracket::Paren => ("(", ")"),
            Bracket::Square => ("[", "]"),
            Bracket::Brace | Bracket::Hole | Bracket::Top => ("{", "}"),
        };
        let message = match frame.bracket {
            Bracket::Hole => "a hole in this string is never closed".to_string(),
            _ => format!("`{open}` is never closed"),
        };
        let mut error =
            Diagnostic::error(codes::BRACKETS, self.span(frame.lo, frame.lo + 1), message).label("opened here");
        if let Some(hi) = closer {
            let found = &self.text[at as usize..hi as usize];
            error = error.and(self.span(at, hi), format!("`{found}` comes before its `{close}`"));
        } else if let Some(line) = self.dedented_line(frame.lo) {
            error = error.and(line, "the indentation suggests that it should end before this line");
        }
        self.report(error.help(format!("add the missing `{close}`")));
    }

    /// The first line behind `lo` that is indented no deeper than the line of `lo` and starts like a statement.
    fn dedented_line(&self, lo: u32) -> Option<Span> {
        let indent = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
        let start = self.text[..lo as usize].rfind('\n').map_or(0, |at| at + 1);
        let mut lines = self.text[start..].split_inclusive('\n');
        let own = lines.next()?;
        let mut at = start + own.len();
        for line in lines {
            let depth = indent(line);
            let word = line[depth..].split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next()?;
            if depth <= indent(own) && !word.is_empty() {
                return Some(Span::new(self.file, at + depth, at + depth + word.len()));
            }
            at += line.len();
        }
        None
    }

    // Literals

    fn number(&mut self, lo: u32, hi: u32) {
        let token = literals::number(&self.text[lo as usize..hi as usize]).unwrap_or_else(|error| {
            self.literal_error(codes::BAD_NUMBER, lo, error);
            Token::Int(0)
        });
        self.push(token, lo, hi);
    }

    fn tuple_index(&mut self, lo: u32) {
        let digits = self.lexer.remainder().bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return;
        }
        let hi = lo + digits as u32;
        let text = &self.text[lo as usize..hi as usize];
        self.lexer.bump(digits);
        let index = text.parse().unwrap_or_else(|_| {
            let error = Diagnostic::error(codes::BAD_NUMBER, self.span(lo, hi), "no tuple has so many fields");
            self.report(error);
            0
        });
        self.push(Token::TupleIndex(index), lo, hi);
    }

    fn byte(&mut self, lo: u32) {
        let inside = lo + 2;
        let (value, length) = literals::byte(self.lexer.remainder()).unwrap_or_else(|error| {
            let length = error.range.end;
            self.literal_error(codes::BAD_BYTE, inside, error);
            (0, length)
        });
        self.lexer.bump(length);
        self.push(Token::Byte(value), lo, inside + length as u32);
    }

    fn raw_string(&mut self, lo: u32, quote: &'static str) {
        let rest = self.lexer.remainder();
        let limit = if quote == "'" { rest.find('\n').unwrap_or(rest.len()) } else { rest.len() };
        let inside = lo + quote.len() as u32;
        let Some(length) = rest[..limit].find(quote) else {
            return self.unterminated_string(lo, lo + quote.len() as u32, quote, Token::Str);
        };
        let text = &rest[..length];
        self.note_raw_hole(text, inside);
        let symbol = if text.contains('\r') { self.intern(&text.replace("\r\n", "\n")) } else { self.intern(text) };
        self.lexer.bump(length + quote.len());
        self.push(Token::Str(symbol), lo, inside + (length + quote.len()) as u32);
    }

    fn note_raw_hole(&mut self, text: &'s str, inside: u32) {
        let Some(open) = text.find('{') else { return };
        let Some(length) = text[open + 1..].find('}') else { return };
        let name = &text[open + 1..open + 1 + length];
        let mut chars = name.chars();
        if chars.next().is_some_and(|c| c.is_ascii_lowercase() || c == '_')
            && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
        {
            let lo = inside + open as u32;
            let span = self.span(lo, lo + length as u32 + 2);
            self.raw_holes.push((name, span));
        }
    }

    /// Reads on in a `"` string whose quote is at `quote`, from behind `lo`, a quote or the `}` of a hole.
    fn string(&mut self, quote: u32, lo: u32, behind_hole: bool) {
        let mut value = std::mem::take(&mut self.scratch);
        value.clear();
        let mut errors = Vec::new();
        let part = literals::string_part(self.lexer.remainder(), &mut value, &mut errors);
        for error in errors {
            self.literal_error(codes::BAD_ESCAPE, lo + 1, error);
        }
        let symbol = self.intern(&value);
        self.scratch = value;
        let hi = lo + 1 + part.length as u32;
        match part.end {
            PartEnd::Missing => {
                let token = if behind_hole { Token::StrEnd } else { Token::Str };
                self.unterminated_string(quote, lo + 1, "\"", token);
            }
            PartEnd::Quote => {
                self.lexer.bump(part.length);
                self.push(if behind_hole { Token::StrEnd(symbol) } else { Token::Str(symbol) }, lo, hi);
            }
            PartEnd::Hole => {
                self.lexer.bump(part.length);
                self.push(if behind_hole { Token::StrMid(symbol) } else { Token::StrBegin(symbol) }, lo, hi);
                self.enter(Bracket::Hole, quote, quote + 1);
                self.refuse_empty_hole(hi);
            }
        }
    }

    fn refuse_empty_hole(&mut self, lo: u32) {
        let rest = self.lexer.remainder();
        let gap = (rest.len() - rest.trim_start().len()) as u32;
        if rest.trim_start().starts_with(['}', ':']) {
            let error = Diagnostic::error(codes::BAD_HOLE, self.span(lo - 1, lo + gap + 1), "an empty hole")
                .label("there is no expression to show")
                .help("write `\\{` and `\\}` for braces in a string, or use a raw string '…'");
            self.report(error);
            self.push(Token::Error, lo, lo);
        }
    }

    fn end_hole(&mut self, lo: u32) {
        let hole = self.frames.pop().expect("the hole's frame");
        self.string(hole.lo, lo, true);
    }

    /// `:` in a hole: what follows up to `}` says how to format.
    fn spec(&mut self, lo: u32) {
        let rest = self.lexer.remainder();
        let length = rest.find(['}', '"', '\n']).unwrap_or(rest.len());
        let inside = lo + 1;
        let hi = inside + length as u32;
        let text = &rest[..length];
        self.lexer.bump(length);
        match literals::format_spec(text, self.span(inside, hi)) {
            Ok(spec) => {
                let index = self.item.specs.len() as u32;
                self.item.specs.push(spec);
                self.push(Token::HoleSpec(index), lo, hi);
            }
            Err(error) if text.is_empty() => {
                self.literal_error(codes::BAD_HOLE, lo, LiteralError { range: 0..1, ..error })
            }
            Err(error) => self.literal_error(codes::BAD_HOLE, inside, error),
        }
    }

    /// A string that runs to the end of the file or line: it is taken to end with its first line, and brackets opened
    /// before it in parentheses with it.
    fn unterminated_string(&mut self, quote: u32, from: u32, mark: &str, token: fn(Symbol) -> Token) {
        let rest = self.lexer.remainder();
        let line = rest.find('\n').unwrap_or(rest.len());
        let hi = from + line as u32;
        let help = match mark {
            "'" => "close it with `'` on the same line, or use `'''…'''` for several lines",
            _ => "add the closing quote",
        };
        let error =
            Diagnostic::error(codes::UNTERMINATED, self.span(quote, quote + mark.len() as u32), "unterminated string")
                .label("opened here")
                .help(help);
        self.report(error);
        self.item.damage.push((quote, hi));
        self.lexer.bump(line);
        let empty = self.intern("");
        self.push(token(empty), from, hi);
        for frame in &mut self.frames {
            frame.excused = true;
        }
        let keep = self.frames.iter().rposition(|f| matches!(f.bracket, Bracket::Brace | Bracket::Top));
        self.close_frames(keep.expect("the file's frame stays") + 1, hi, None);
    }

    fn literal_error(&mut self, code: codes::Code, base: u32, error: LiteralError) {
        let span = self.span(base + error.range.start as u32, base + error.range.end as u32);
        self.report(Diagnostic::error(code, span, error.message).help(error.help));
    }

    fn unknown(&mut self, lo: u32, hi: u32) {
        if let Some(last) = self.diagnostics.last_mut()
            && last.code == codes::UNKNOWN_CHARACTER
            && last.primary.span.hi == lo
        {
            last.primary.span.hi = hi;
            return;
        }
        let text = &self.text[lo as usize..hi as usize];
        let c = text.chars().next().unwrap_or(' ');
        let help = match c {
            '#' => {
                // what follows is not code
                let line = self.lexer.remainder().find('\n').unwrap_or(self.lexer.remainder().len());
                self.lexer.bump(line);
                "comments start with `//`"
            }
            '`' | '‘' | '’' | '“' | '”' => "strings are written \"…\" or '…'",
            '$' => "a hole in a string is written \"{name}\"",
            '\\' => "a statement goes on in the next line without `\\` if that line starts with an operator or `.`",
            _ if c.is_alphabetic() => "names are made of the letters a to z, digits and `_`",
            _ => "remove it",
        };
        let message = format!("unexpected character `{}`", c.escape_debug());
        self.report(Diagnostic::error(codes::UNKNOWN_CHARACTER, self.span(lo, hi), message).help(help));
    }
}
