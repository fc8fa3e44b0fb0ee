//! Tokens, and the logos lexer that finds the plain ones.
//!
//! This file knows characters only. Where a statement ends, what a string holds and which brackets belong together
//! is the business of [`layout`](super::layout), which also makes the tokens that carry no pattern below.

use super::symbol::{Interner, Symbol};
use logos::{Lexer, Logos};

/// A token. Those without a pattern are made by the layout layer.
#[derive(Logos, Clone, Copy, Debug, PartialEq)]
#[logos(extras = Names)]
#[logos(skip r"[ \t\r\x0c]+")]
#[logos(skip(r"//([^/\n][^\n]*)?", allow_greedy = true))]
#[allow(missing_docs, reason = "the pattern beside each token says what it is")]
pub enum Token {
    // raw material of the layout layer; the grammar never sees these
    #[regex(r"\n[ \t\r\n\x0c]*")]
    Newline,
    #[regex(r"///[^\n]*", allow_greedy = true)]
    DocLine,
    #[token("\"")]
    Quote,
    #[token("'")]
    RawQuote,
    #[token("'''")]
    RawQuote3,
    #[token("b'")]
    ByteQuote,
    #[regex(r"[0-9][0-9A-Za-z_]*")]
    #[regex(r"[0-9][0-9_]*\.[0-9][0-9A-Za-z_]*")]
    #[regex(r"[0-9][0-9_]*(\.[0-9][0-9_]*)?[eE][+-][0-9][0-9_]*")]
    Number,

    // made by the layout layer
    /// The end of a statement: a newline that counts, or `;`.
    Sep,
    Int(u64),
    Float(f64),
    Byte(u8),
    /// A string without holes.
    Str(Symbol),
    /// `"text{`
    StrBegin(Symbol),
    /// `}text{`
    StrMid(Symbol),
    /// `}text"`
    StrEnd(Symbol),
    /// The spec behind `:` in a hole, an index into the layout's list.
    HoleSpec(u32),
    /// The digits of `t.0`.
    TupleIndex(u32),
    /// `return` with nothing to return behind it.
    ReturnBare,
    /// `test` before a string.
    Test,
    /// `bench` before a string.
    Bench,
    /// `type` before a name with a capital.
    Type,
    /// `not in`
    NotIn,
    /// What an error was reported about; stands for a statement, member, arm or operand.
    Error,

    #[regex(r"[a-z_][A-Za-z0-9_]*", |lex| lex.extras.symbol(lex.slice()))]
    Ident(Symbol),
    #[regex(r"[A-Z][A-Za-z0-9_]*", |lex| lex.extras.symbol(lex.slice()))]
    #[regex(r"int|float|bool|byte|str", |lex| lex.extras.symbol(lex.slice()), priority = 20)]
    TypeName(Symbol),
    #[regex(r"@[A-Za-z_][A-Za-z0-9_]*", |lex| lex.extras.symbol(&lex.slice()[1..]))]
    Attribute(Symbol),

    #[token("_", priority = 10)]
    Underscore,
    #[token("and")]
    And,
    #[token("as")]
    As,
    #[token("break")]
    Break,
    #[token("catch")]
    Catch,
    #[token("const")]
    Const,
    #[token("continue")]
    Continue,
    #[token("defer")]
    Defer,
    #[token("else")]
    Else,
    #[token("enum")]
    Enum,
    #[token("false")]
    False,
    #[token("fn")]
    Fn,
    #[token("for")]
    For,
    #[token("if")]
    If,
    #[token("impl")]
    Impl,
    #[token("in")]
    In,
    #[token("is")]
    Is,
    #[token("let")]
    Let,
    #[token("loop")]
    Loop,
    #[token("match")]
    Match,
    #[token("nil")]
    Nil,
    #[token("not")]
    Not,
    #[token("or")]
    Or,
    #[token("pub")]
    Pub,
    #[token("return")]
    Return,
    #[token("self")]
    SelfValue,
    #[token("struct")]
    Struct,
    #[token("trait")]
    Trait,
    #[token("true")]
    True,
    #[token("try")]
    Try,
    #[token("use")]
    Use,
    #[token("var")]
    Var,
    #[token("while")]
    While,

    #[token("(")]
    LParen,
    #[token(")")]
    RParen,
    #[token("[")]
    LBracket,
    #[token("]")]
    RBracket,
    #[token("{")]
    LBrace,
    #[token("}")]
    RBrace,
    #[token(",")]
    Comma,
    #[token(";")]
    Semi,
    #[token(":")]
    Colon,
    #[token(".")]
    Dot,
    #[token("?.")]
    QuestionDot,
    #[token("..")]
    DotDot,
    #[token("..=")]
    DotDotEq,
    #[token("->")]
    Arrow,
    #[token("=>")]
    FatArrow,
    #[token("?")]
    Question,
    #[token("!")]
    Bang,
    #[token("=")]
    Eq,
    #[token("==")]
    EqEq,
    #[token("!=")]
    NotEq,
    #[token("<")]
    Lt,
    #[token("<=")]
    Le,
    #[token(">")]
    Gt,
    #[token(">=")]
    Ge,
    #[token("+")]
    Plus,
    #[token("-")]
    Minus,
    #[token("+%")]
    PlusWrap,
    #[token("-%")]
    MinusWrap,
    #[token("*")]
    Star,
    #[token("*%")]
    StarWrap,
    #[token("/")]
    Slash,
    #[token("%")]
    Percent,
    #[token("**")]
    StarStar,
    #[token("&")]
    Amp,
    #[token("|")]
    Pipe,
    #[token("||")]
    PipePipe,
    #[token("^")]
    Caret,
    #[token("~")]
    Tilde,
    #[token("<<")]
    Shl,
    #[token(">>")]
    Shr,
    #[token(">>>")]
    ShrLogical,
    #[token("??")]
    QuestionQuestion,
    #[token("+=")]
    PlusEq,
    #[token("-=")]
    MinusEq,
    #[token("+%=")]
    PlusWrapEq,
    #[token("-%=")]
    MinusWrapEq,
    #[token("*=")]
    StarEq,
    #[token("*%=")]
    StarWrapEq,
    #[token("/=")]
    SlashEq,
    #[token("%=")]
    PercentEq,
    #[token("**=")]
    StarStarEq,
    #[token("&=")]
    AmpEq,
    #[token("|=")]
    PipeEq,
    #[token("^=")]
    CaretEq,
    #[token("<<=")]
    ShlEq,
    #[token(">>=")]
    ShrEq,
    #[token(">>>=")]
    ShrLogicalEq,
    #[token("??=")]
    QuestionQuestionEq,

    // habits from elsewhere: no grammar rule takes them, so each is refused where it stands, in one piece
    #[token("&&")]
    AmpAmp,
    #[token("++")]
    PlusPlus,
    #[token("===")]
    EqEqEq,
    #[token("!==")]
    NotEqEq,
}

/// Where the lexer takes its symbols from.
pub struct Names {
    /// The table, locked only while tokens are being read.
    pub(super) interner: Option<Interner>,
    /// `type`, `test`, `bench`: names, except before what makes them keywords.
    pub(super) contextual: [Symbol; 3],
}

impl Default for Names {
    fn default() -> Names {
        Names { interner: None, contextual: ["type", "test", "bench"].map(Symbol::new) }
    }
}

impl Names {
    pub(super) fn symbol(&mut self, text: &str) -> Symbol {
        self.interner.get_or_insert_with(Interner::lock).intern(text)
    }
}

/// The lexer over one file.
pub type RawLexer<'s> = Lexer<'s, Token>;

impl Token {
    /// Whether a statement can end with this token; also: whether an operand can.
    pub fn ends_statement(self) -> bool {
        use Token::*;
        matches!(
            self,
            Int(_) | Float(_) | Byte(_) | Str(_) | StrEnd(_) | TupleIndex(_) | ReturnBare | Return | Error | Ident(_)
                | TypeName(_) | Underscore | Break | Continue | False | Nil | SelfValue | True | RParen | RBracket
                | RBrace | Question | Bang
                // refused by the grammar anyway, at a better place if the line ends with them
                | PlusPlus
        )
    }

    /// Whether a line that starts with this token continues the one before. `..` does not: it starts a pattern.
    pub fn continues_statement(self) -> bool {
        use Token::*;
        matches!(
            self,
            Dot | QuestionDot
                | QuestionQuestion
                | Else
                | Catch
                | And
                | Or
                | EqEq
                | NotEq
                | Lt
                | Le
                | Gt
                | Ge
                | Is
                | In
                | NotIn
                | Caret
                | Amp
                | Shl
                | Shr
                | ShrLogical
                | Plus
                | PlusWrap
                | MinusWrap
                | Star
                | StarWrap
                | Slash
                | Percent
                | StarStar
                | Comma
                | RParen
                | RBracket
                | Arrow
                | FatArrow
                | AmpAmp
                | EqEqEq
                | NotEqEq
        ) || self.is_assignment()
    }

    /// `=`, `+=` and their like.
    pub fn is_assignment(self) -> bool {
        use Token::*;
        matches!(
            self,
            Eq | PlusEq
                | MinusEq
                | PlusWrapEq
                | MinusWrapEq
                | StarEq
                | StarWrapEq
                | SlashEq
                | PercentEq
                | StarStarEq
                | AmpEq
                | PipeEq
                | CaretEq
                | ShlEq
                | ShrEq
                | ShrLogicalEq
                | QuestionQuestionEq
        )
    }

    /// Whether an expression can start with this token.
    pub fn starts_expression(self) -> bool {
        use Token::*;
        matches!(
            self,
            Int(_)
                | Float(_)
                | Byte(_)
                | Str(_)
                | StrBegin(_)
                | Error
                | Ident(_)
                | TypeName(_)
                | Break
                | Continue
                | False
                | For
                | If
                | Loop
                | Match
                | Nil
                | Not
                | Return
                | ReturnBare
                | SelfValue
                | True
                | Try
                | While
                | LParen
                | LBracket
                | LBrace
                | Minus
                | Tilde
                | Pipe
                | PipePipe
        )
    }
}
