//! Words for what the grammar refuses: what was found, what would have fitted, and help for habits from elsewhere.

use super::layout::{ItemTokens, Layout, Placed};
use super::lex::Token;
use super::span::{FileId, Span};
use crate::codes;
use crate::diagnostic::Diagnostic;
use hashbrown::HashMap;
use logos::Logos;

/// The diagnostic for the token at `at` (or the end of the item), where one of `expected` would have fitted.
pub fn refused(file: FileId, text: &str, item: &ItemTokens, at: usize, expected: &[String]) -> Diagnostic {
    // lalrpop quotes literal terminals
    let expected: &[String] = &expected.iter().map(|e| e.trim_matches('"').to_string()).collect::<Vec<_>>();
    let place = Place { file, text, item, at };
    if let Some(known) = place.habit(expected) {
        return known;
    }
    let wanted = in_words(expected);
    let (found, span, code) = place.found();
    let mut error = Diagnostic::error(code, span, format!("expected {wanted}, found {found}"));
    if code == codes::UNEXPECTED {
        error = error.label(format!("expected {wanted}"));
    } else {
        error = error.label("something is missing here");
    }
    match place.advice(expected) {
        Some(help) => error.help(help),
        None => error,
    }
}

/// Where the grammar gave up.
struct Place<'a> {
    file: FileId,
    text: &'a str,
    item: &'a ItemTokens,
    at: usize,
}

impl Place<'_> {
    /// The token `back` places before the one refused; 0 is that one.
    fn token(&self, back: usize) -> Option<Placed> {
        self.item.tokens.get(self.at.checked_sub(back)?).copied()
    }

    fn word(&self, placed: Placed) -> &str {
        &self.text[placed.lo as usize..placed.hi as usize]
    }

    /// The text of the token `back` places before, empty if there is none.
    fn word_at(&self, back: usize) -> &str {
        self.token(back).map_or("", |t| self.word(t))
    }

    fn span(&self, lo: u32, hi: u32) -> Span {
        Span { file: self.file, lo, hi }
    }

    /// What was found, in words.
    fn found(&self) -> (String, Span, codes::Code) {
        let end = self.item.end;
        let Some(placed) = self.token(0) else {
            let at_end = end as usize >= self.text.trim_end().len();
            let what = if at_end {
                "the end of the file"
            } else if self.text[end as usize..].starts_with(';') {
                "`;`"
            } else {
                "the end of the line"
            };
            return (what.into(), self.behind_last(), codes::ENDED);
        };
        let span = self.span(placed.lo, placed.hi);
        let word = self.word(placed);
        let found = match placed.token {
            Token::Sep if word != ";" => return ("the end of the line".into(), self.behind_last(), codes::ENDED),
            Token::Int(_) | Token::Float(_) => format!("the number `{word}`"),
            Token::Str(_) | Token::StrBegin(_) => "a string".into(),
            Token::StrMid(_) | Token::StrEnd(_) => "the end of the hole".into(),
            Token::HoleSpec(_) => "a format".into(),
            Token::Ident(_) => format!("the name `{word}`"),
            Token::TypeName(_) => format!("the type `{word}`"),
            _ if placed.lo == placed.hi => "the end of the block".into(),
            _ => format!("`{word}`"),
        };
        (found, span, codes::UNEXPECTED)
    }

    /// The place just behind the last token that was accepted.
    fn behind_last(&self) -> Span {
        match self.token(1) {
            Some(last) => self.span(last.hi.saturating_sub(1).max(last.lo), last.hi),
            None => self.span(self.item.end, self.item.end),
        }
    }

    fn wrong(
        &self,
        span: Span,
        message: impl Into<String>,
        label: &str,
        help: impl Into<String>,
    ) -> Option<Diagnostic> {
        Some(Diagnostic::error(codes::HABIT, span, message).label(label).help(help))
    }

    /// What people write who come from another language.
    fn habit(&self, expected: &[String]) -> Option<Diagnostic> {
        let operand_missing = expected.iter().any(|e| e == "if");
        if let Some(found) = self.token(0) {
            let span = self.span(found.lo, found.hi);
            match found.token {
                Token::PipePipe => {
                    return self.wrong(span, "`||` is not an operator here", "logical or?", "write `or`");
                }
                Token::AmpAmp => return self.wrong(span, "there is no `&&`", "logical and?", "write `and`"),
                Token::EqEqEq => {
                    return self.wrong(
                        span,
                        "there is no `===`",
                        "",
                        "`==` compares contents; `same(a, b)` asks for identity",
                    );
                }
                Token::NotEqEq => return self.wrong(span, "there is no `!==`", "", "write `!=`, or `not same(a, b)`"),
                Token::PlusPlus => return self.wrong(span, "there is no `++`", "", "write `+= 1`"),
                Token::Bang if operand_missing => {
                    return self.wrong(span, "`!` does not negate", "behind a value it unwraps", "write `not`");
                }
                Token::Eq if self.word_at(1) == ":" && self.token(1).is_some_and(|t| t.hi == found.lo) => {
                    let span = self.span(found.lo - 1, found.hi);
                    let help = format!("write `let {} = …`, or `var` for a variable", self.word_at(2));
                    return self.wrong(span, "there is no `:=`", "", help);
                }
                Token::Eq if expected.iter().any(|e| e == "{") => {
                    return self.wrong(
                        span,
                        "an assignment is not a condition",
                        "",
                        "compare with `==`, or test a pattern: `if let p = e`",
                    );
                }
                Token::FatArrow if operand_follows(expected) => {
                    return self.wrong(span, "`=>` stands only in `match`", "", "closures are written `|x| x + 1`");
                }
                Token::Plus if operand_missing => {
                    return self.wrong(span, "there is no prefix `+`", "", "leave it out");
                }
                _ => {}
            }
            if let Some(error) = self.nameless_function() {
                return Some(error);
            }
            if let Some(error) = self.small_type(expected) {
                return Some(error);
            }
            if let Some(error) = self.foreign_word(found, 0) {
                return Some(error);
            }
        }
        if let Some(before) = self.token(1)
            && let Some(error) = self.foreign_word(before, 1)
        {
            return Some(error);
        }
        if self.word_at(1) == "-" && self.word_at(2) == "-" && operand_missing {
            let (a, b) = (self.token(2)?, self.token(1)?);
            if a.hi == b.lo {
                return self.wrong(self.span(a.lo, b.hi), "there is no `--`", "", "write `-= 1`");
            }
        }
        None
    }

    /// `name: string`: a type was expected, and a small letter starts the path of a module there.
    fn small_type(&self, expected: &[String]) -> Option<Diagnostic> {
        let name = self.token(1)?;
        if expected != ["."] || !matches!(name.token, Token::Ident(_)) {
            return None;
        }
        let word = self.word(name);
        let help = match word.to_ascii_lowercase().as_str() {
            "string" | "text" | "char" | "character" => "the type of texts is `str`".to_owned(),
            "integer" | "number" | "long" | "short" | "i8" | "i16" | "i32" | "i64" | "u16" | "u32" | "u64"
            | "usize" => "the type of whole numbers is `int`, with 64 bits".to_owned(),
            "double" | "real" | "f32" | "f64" => "the type of other numbers is `float`, with 64 bits".to_owned(),
            "boolean" => "the type of truth values is `bool`".to_owned(),
            "u8" => "the type of small numbers without a sign is `byte`".to_owned(),
            "void" | "unit" | "none" => "the type of nothing is `()`".to_owned(),
            "list" | "array" | "vec" | "slice" => "a list of `T` is written `[T]`".to_owned(),
            "map" | "dict" | "hash" => "a map from `K` to `V` is written `[K: V]`".to_owned(),
            "set" => "a set of `T` is written `Set[T]`".to_owned(),
            "any" | "object" => {
                "leave the type of a parameter out to take anything; a trait stands for all types that implement it"
                    .to_owned()
            }
            _ => {
                let mut letters = word.chars();
                let capital: String = letters.next().map_or(String::new(), |c| c.to_ascii_uppercase().to_string());
                format!("types start with a capital: `{capital}{}`", letters.as_str())
            }
        };
        let error =
            Diagnostic::error(codes::UNKNOWN_TYPE, self.span(name.lo, name.hi), format!("there is no type `{word}`"));
        Some(error.help(help))
    }

    /// A keyword of another language, which reads as a name here.
    fn foreign_word(&self, placed: Placed, back: usize) -> Option<Diagnostic> {
        if !matches!(placed.token, Token::Ident(_) | Token::Error) {
            return None;
        }
        let word = self.word(placed);
        let before = self.item.tokens.get((self.at).checked_sub(back + 1).unwrap_or(usize::MAX));
        let starts = before.is_none_or(|t| {
            matches!(
                t.token,
                Token::Sep | Token::LBrace | Token::RBrace | Token::Pub | Token::FatArrow | Token::Attribute(_)
            )
        });
        let after_let = before.is_some_and(|t| matches!(t.token, Token::Let));
        let help = match word {
            "mut" if after_let => "write `var x = …` for a variable that changes",
            _ if !starts => return None,
            "elif" | "elsif" | "elseif" => "write `else if`",
            "def" | "function" | "func" | "fun" | "sub" | "proc" => "functions start with `fn`",
            "class" | "interface" | "protocol" | "object" | "record" => {
                "types are declared with `struct`, `enum` or `trait`"
            }
            "switch" | "case" => "write `match value { pattern => result }`",
            "import" | "include" | "require" | "from" | "using" => "modules are brought in with `use name`",
            "mod" | "module" | "namespace" | "package" => "a file is a module; there is nothing to declare",
            "public" | "export" => "write `pub`",
            "private" | "protected" | "static" | "final" | "abstract" | "virtual" | "override" => {
                "leave it out: what is not `pub` is private, and a function without `self` is static"
            }
            "throw" | "raise" => "write `panic(\"…\")`, or return `Err(Error(…))` from a function with a `T!` result",
            "do" => "write `loop { … }` with a `break`",
            "unless" => "write `if not …`",
            "until" => "write `while not …`",
            "foreach" => "write `for x in xs { … }`",
            "mut" | "val" | "auto" | "dim" | "my" | "local" => "names are bound with `let`, variables with `var`",
            "async" | "await" | "yield" | "go" => "there are no threads or coroutines in this version",
            "lambda" => "closures are written `|x| x + 1`",
            "begin" | "then" | "end" => "blocks stand in braces `{ … }`",
            "except" | "finally" | "rescue" | "ensure" => {
                "write `try { … } catch e { … }`, and `defer { … }` for cleaning up"
            }
            "macro" => "there are no macros",
            _ => return None,
        };
        self.wrong(self.span(placed.lo, placed.hi), format!("`{word}` is not a keyword"), "", help)
    }

    /// `fn(x) { … }`: a function without a name, which reads as a type until something in it can't be one.
    fn nameless_function(&self) -> Option<Diagnostic> {
        let list = |token: &Token| {
            matches!(token, Token::Ident(_) | Token::TypeName(_) | Token::Comma | Token::Colon)
                || matches!(token, Token::RParen | Token::Arrow)
        };
        let mut back = self.item.tokens.get(..self.at)?.iter().rev().skip_while(|placed| list(&placed.token));
        let (open, start) = (back.next()?, back.next()?);
        let in_type = back.next().is_some_and(|before| matches!(before.token, Token::Colon | Token::Arrow));
        if open.token != Token::LParen || start.token != Token::Fn || in_type {
            return None;
        }
        let span = self.span(start.lo, start.hi);
        self.wrong(span, "there are no functions without a name", "", "a closure is written `|x| x + 1`")
    }

    /// A sentence for mistakes that are not habits.
    fn advice(&self, expected: &[String]) -> Option<String> {
        let wants = |terminal: &str| expected.iter().any(|e| e == terminal);
        let found = self.token(0).map(|t| t.token);
        let last = self.token(1).map(|t| t.token);
        let first = self.item.tokens.first().map(|t| t.token);
        let ended = matches!(found, None | Some(Token::Sep));
        let help = match (last, found) {
            _ if ended && wants("{") && self.next_line_starts_with('{') => {
                "put `{` at the end of this line: a line that starts with `{` is a statement of its own"
            }
            _ if ended && wants("=") && wants(":") => "a binding needs a value: `let x = …`",
            (Some(Token::Question), Some(Token::Ident(_) | Token::Int(_) | Token::Str(_) | Token::StrBegin(_))) => {
                "there is no `a ? b : c`; write `if a { b } else { c }`"
            }
            (Some(Token::TypeName(_) | Token::RBracket | Token::RParen), Some(Token::QuestionQuestion)) => {
                "an optional of an optional is written `(T?)?`"
            }
            (Some(Token::Const), Some(Token::Ident(_))) => "constants start with a capital; for a local name use `let`",
            (Some(Token::Struct | Token::Enum | Token::Trait), Some(Token::Ident(_))) => "types start with a capital",
            (Some(Token::Ident(_)), Some(Token::Ident(_))) if self.word_at(1) == "type" => "types start with a capital",
            (Some(Token::Fn), Some(Token::TypeName(_))) => "functions start with a small letter",
            (Some(Token::LParen), Some(Token::TypeName(_))) if first == Some(Token::Enum) => {
                "the fields of a variant have names: `Circle(r: float)`"
            }
            (_, Some(Token::TypeName(_))) if wants("name") && !wants("int") => {
                "names of variables, fields and functions start with a small letter"
            }
            (Some(Token::LParen), Some(Token::Var | Token::Let | Token::Sep)) if first == Some(Token::For) => {
                "write `for x in xs { … }` or `for i in 0..n { … }`"
            }
            (_, Some(Token::Comma))
                if matches!(first, Some(Token::Struct | Token::Enum | Token::Trait)) && wants("{") =>
            {
                "several traits are joined with `+`"
            }
            (Some(Token::Comma), Some(Token::RParen)) if wants("if") => "a tuple has at least two elements",
            (_, Some(Token::LParen)) if self.word_at(2) == "is" => "fields are taken out with `if let Circle(r) = x`",
            (_, Some(Token::Arrow)) if wants("=>") => "an arm of `match` is written `pattern => result`",
            (_, Some(Token::LBrace)) if first == Some(Token::Use) => "several names are written `use module: a, b`",
            (_, Some(Token::Else)) => "`else` follows the `}` of an `if`",
            (
                _,
                Some(Token::Struct | Token::Enum | Token::Trait | Token::Impl | Token::Use | Token::Const | Token::Pub),
            ) if wants("defer") => {
                "inside a block only functions and variables can be declared; move it to the top level"
            }
            (_, Some(t)) if is_keyword(t) && wants("name") && !wants("if") => {
                return Some(format!("`{}` is a keyword; choose another name", self.word_at(0)));
            }
            _ => return None,
        };
        Some(help.into())
    }

    fn next_line_starts_with(&self, c: char) -> bool {
        let from = self.token(0).map_or(self.item.end, |t| t.lo) as usize;
        self.text[from..].trim_start().starts_with(c)
    }
}

/// Whether the grammar stands behind a complete operand.
fn operand_follows(expected: &[String]) -> bool {
    let has = |terminal: &str| expected.iter().any(|e| e == terminal);
    (has("??") || has("*") || has("?.")) && !has("if")
}

fn is_keyword(token: Token) -> bool {
    use Token::*;
    matches!(
        token,
        And | As
            | Break
            | Catch
            | Const
            | Continue
            | Defer
            | Else
            | Enum
            | False
            | Fn
            | For
            | If
            | Impl
            | In
            | Is
            | Let
            | Loop
            | Match
            | Nil
            | Not
            | Or
            | Pub
            | Return
            | ReturnBare
            | SelfValue
            | Struct
            | Trait
            | True
            | Try
            | Use
            | Var
            | While
    )
}

/// Terminals of the grammar, gathered into what a person would call them.
fn in_words(expected: &[String]) -> String {
    let has = |terminal: &str| expected.iter().any(|e| e == terminal);
    let mut words: Vec<String> = Vec::new();
    let mut covered: Vec<&str> = vec!["error"];
    let mut group = |name: &str, members: &[&'static str]| {
        words.push(name.into());
        covered.extend(members);
    };
    if has("if") && has("int") && has("defer") {
        group("a statement", STARTERS);
        covered.extend(DECLARATIONS);
    } else if has("if") && has("int") {
        group("an expression", STARTERS);
        covered.extend(["fn", "..", "..="]);
    } else if has("int") {
        group("a pattern", PATTERN_STARTERS);
    } else if has("struct") {
        group("a declaration", DECLARATIONS);
    } else if has("type_name") && has("fn") && has("[") && has("(") {
        group("a type", &["type_name", "name", "fn", "[", "("]);
    }
    if operand_follows(expected) {
        // that an operator could follow goes without saying; what matters is what must end here
        covered.extend(OPERATORS);
        covered.extend(ASSIGNMENTS);
        if !has("{") {
            covered.push(":");
        }
    }
    if has("=>") || has("=") {
        // behind a pattern or type, which could go on
        covered.extend(["if", ".", "|", "(", "[", "?", "!", "..", "..="]);
    }
    if has(")") || has("sep") {
        covered.push(":");
    }
    let rest = expected.iter().filter(|e| !covered.contains(&e.as_str()));
    let mut others: Vec<String> = rest.map(|e| terminal_in_words(e)).collect();
    others.sort_by_key(|w| !matches!(w.as_str(), "`)`" | "`]`" | "`}`" | "`,`" | "`{`"));
    others.dedup();
    words.append(&mut others);
    if words.len() > 5 {
        words.truncate(4);
        words.push("something else".into());
    }
    match words.as_slice() {
        [] => "a new line".into(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

const STARTERS: &[&str] = &[
    "int",
    "float",
    "byte",
    "str",
    "str_begin",
    "name",
    "type_name",
    "self",
    "true",
    "false",
    "nil",
    "not",
    "-",
    "~",
    "(",
    "[",
    "{",
    "|",
    "||",
    "if",
    "match",
    "while",
    "loop",
    "for",
    "try",
    "break",
    "continue",
    "return",
    "return_bare",
];
const DECLARATIONS: &[&str] = &[
    "let",
    "var",
    "fn",
    "defer",
    "use",
    "const",
    "struct",
    "enum",
    "trait",
    "impl",
    "type",
    "test",
    "bench",
    "pub",
    "attribute",
];
const PATTERN_STARTERS: &[&str] =
    &["int", "float", "byte", "str", "name", "type_name", "true", "false", "nil", "_", "-", "..", "..=", "(", "["];
const OPERATORS: &[&str] = &[
    "+", "-", "*", "/", "%", "+%", "-%", "*%", "**", "==", "!=", "<", "<=", ">", ">=", "is", "in", "not in", "and",
    "or", "??", "..", "..=", "|", "^", "&", "<<", ">>", ">>>", "?", "!", ".", "?.", "(", "[",
];
const ASSIGNMENTS: &[&str] =
    &["=", "+=", "-=", "+%=", "-%=", "*=", "*%=", "/=", "%=", "**=", "&=", "|=", "^=", "<<=", ">>=", ">>>=", "??="];

fn terminal_in_words(terminal: &str) -> String {
    match terminal {
        "sep" => "a new line".into(),
        "int" | "float" => "a number".into(),
        "byte" => "a byte".into(),
        "str" | "str_begin" => "a string".into(),
        "str_mid" | "str_end" => "`}`".into(),
        "hole_spec" => "`:` and a format".into(),
        "tuple_index" => "a number".into(),
        "name" | "_" => "a name".into(),
        "type_name" => "a name with a capital".into(),
        "attribute" => "an attribute".into(),
        "return_bare" => "`return`".into(),
        _ => format!("`{terminal}`"),
    }
}

/// Warns about `'{name}'` where the file has such a name before it.
pub fn raw_holes(text: &str, layout: &mut Layout<'_>) {
    let Some(last) = layout.raw_holes.last() else { return };
    let mut first_use: HashMap<&str, usize> = HashMap::new();
    for (token, range) in Token::lexer(&text[..last.1.lo as usize]).spanned() {
        if matches!(token, Ok(Token::Ident(_))) {
            first_use.entry(&text[range.clone()]).or_insert(range.start);
        }
    }
    let known =
        layout.raw_holes.iter().filter(|(name, span)| first_use.get(name).is_some_and(|&at| at < span.lo as usize));
    for (name, span) in known.take(MAX_RAW_HOLES) {
        let warning =
            Diagnostic::warning(codes::RAW_HOLE, *span, format!("`{{{name}}}` in single quotes is plain text"))
                .label("not a hole")
                .help("holes need double quotes: \"…{name}…\"");
        layout.diagnostics.push(warning);
    }
}

/// So many are enough to see the pattern.
const MAX_RAW_HOLES: usize = 3;
