//! The syntax tree: what the author wrote, before any name is looked up.
//!
//! Invariants
//! - S1. Nesting in this tree is nesting of brackets, blocks and prefix operators in the source, which the parser
//!   caps at [`MAX_DEPTH`]; a recursive walk over it is safe on the compiler's stack. Chains (operators of one
//!   level, `else if`, postfix) are *lists*, not nesting, so they may be of any length.
//! - S2. Every span lies in the file the tree came from and covers the node's text.
//! - S3. `Error` nodes stand where the parser recovered; a diagnostic has been reported for each.

pub use super::later::Fn;
use super::span::Span;
use super::symbol::Symbol;

/// The deepest nesting of brackets and blocks that the parser accepts.
pub const MAX_DEPTH: usize = 1000;

/// A name with its place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ident {
    /// The name.
    pub name: Symbol,
    /// Where it stands.
    pub span: Span,
}

/// A source file: declarations and top-level statements, in source order.
#[derive(Debug, Default)]
pub struct File {
    /// In source order.
    pub items: Vec<Item>,
}

/// A declaration or a top-level statement.
#[derive(Debug)]
pub struct Item {
    /// Text of the `///` lines before it, joined by newlines.
    pub docs: Option<Symbol>,
    /// `@name` attributes.
    pub attributes: Vec<Ident>,
    /// Place of `pub`.
    pub public: Option<Span>,
    /// What it is.
    pub kind: ItemKind,
    /// The whole item without docs.
    pub span: Span,
}

/// What an item is.
#[derive(Debug)]
pub enum ItemKind {
    /// `use util.text: words, lower` or `use json as j`
    Use(Use),
    /// `const Size: int = 4096`
    Const(Const),
    /// `fn area(r: float) -> float = …`
    Fn(Fn),
    /// `struct Node[T] { … }`
    Struct(Struct),
    /// `enum Shape { … }`
    Enum(Enum),
    /// `trait Visitor { … }`
    Trait(Trait),
    /// `impl Show for Node { … }`
    Impl(Impl),
    /// `type Id = int`
    Alias(Alias),
    /// `test "name" { … }`
    Test(Test),
    /// `bench "name" { … }`
    Bench(Test),
    /// A top-level statement.
    Stmt(Stmt),
}

/// An import.
#[derive(Debug)]
pub struct Use {
    /// `util.text`, part by part.
    pub path: Vec<Ident>,
    /// `as j`
    pub alias: Option<Ident>,
    /// `: words, lower`
    pub names: Vec<Ident>,
}

/// A constant.
#[derive(Debug)]
pub struct Const {
    /// Its name, with a capital.
    pub name: Ident,
    /// Its type, if written.
    pub ty: Option<TypeExpr>,
    /// Its value.
    pub value: Expr,
}

/// A function or method without its name, which [`Fn`] has.
#[derive(Debug)]
pub struct FnParts {
    /// `[T: Ord]`
    pub generics: Vec<Generic>,
    /// Place of `self`; without it a method is static.
    pub receiver: Option<Span>,
    /// Without `self`.
    pub params: Vec<Param>,
    /// Behind `->`.
    pub result: Option<TypeExpr>,
    /// Missing only in a trait.
    pub body: Option<FnBody>,
}

/// The body of a function.
#[derive(Debug)]
pub enum FnBody {
    /// `{ … }`
    Block(Block),
    /// `= expr`
    Expr(Expr),
}

/// A type parameter.
#[derive(Debug)]
pub struct Generic {
    /// Its name.
    pub name: Ident,
    /// `T: A + B`
    pub bounds: Vec<TypeExpr>,
}

/// A parameter of a function.
#[derive(Debug)]
pub struct Param {
    /// Its name.
    pub name: Ident,
    /// Without a type the function is a template.
    pub ty: Option<TypeExpr>,
    /// Evaluated afresh at each call that leaves the argument out.
    pub default: Option<Expr>,
}

/// A struct.
#[derive(Debug)]
pub struct Struct {
    /// Its name.
    pub name: Ident,
    /// Its type parameters.
    pub generics: Vec<Generic>,
    /// Traits it declares to implement.
    pub traits: Vec<TypeExpr>,
    /// In source order.
    pub fields: Vec<Field>,
    /// In source order.
    pub methods: Vec<Method>,
}

/// A field of a struct, or one a trait requires.
#[derive(Debug)]
pub struct Field {
    /// Text of its `///` lines.
    pub docs: Option<Symbol>,
    /// Place of `pub`.
    pub public: Option<Span>,
    /// Whether it can be assigned after construction (`var`).
    pub mutable: bool,
    /// Its name.
    pub name: Ident,
    /// Its type.
    pub ty: TypeExpr,
    /// Its default.
    pub default: Option<Expr>,
}

/// A function inside a struct, enum, trait or impl.
#[derive(Debug)]
pub struct Method {
    /// Text of its `///` lines.
    pub docs: Option<Symbol>,
    /// `@name` attributes.
    pub attributes: Vec<Ident>,
    /// Place of `pub`.
    pub public: Option<Span>,
    /// The function.
    pub function: Fn,
    /// The whole method.
    pub span: Span,
}

/// An enum.
#[derive(Debug)]
pub struct Enum {
    /// Its name.
    pub name: Ident,
    /// Its type parameters.
    pub generics: Vec<Generic>,
    /// Traits it declares to implement.
    pub traits: Vec<TypeExpr>,
    /// In source order.
    pub variants: Vec<Variant>,
    /// In source order.
    pub methods: Vec<Method>,
}

/// A variant of an enum.
#[derive(Debug)]
pub struct Variant {
    /// Text of its `///` lines.
    pub docs: Option<Symbol>,
    /// Its name.
    pub name: Ident,
    /// Its fields, in source order.
    pub fields: Vec<Param>,
    /// Name and fields.
    pub span: Span,
}

/// A trait.
#[derive(Debug)]
pub struct Trait {
    /// Its name.
    pub name: Ident,
    /// Its type parameters.
    pub generics: Vec<Generic>,
    /// `trait A: B`
    pub supertraits: Vec<TypeExpr>,
    /// Fields an implementation must have.
    pub fields: Vec<Field>,
    /// Methods, some without body.
    pub methods: Vec<Method>,
}

/// `impl Trait for Type { … }`
#[derive(Debug)]
pub struct Impl {
    /// `impl[T] …`
    pub generics: Vec<Generic>,
    /// The trait.
    pub of: TypeExpr,
    /// The type.
    pub target: TypeExpr,
    /// Its methods.
    pub methods: Vec<Method>,
}

/// `type Id = int`
#[derive(Debug)]
pub struct Alias {
    /// Its name.
    pub name: Ident,
    /// Its type parameters.
    pub generics: Vec<Generic>,
    /// What it stands for.
    pub ty: TypeExpr,
}

/// A `test` or `bench` block.
#[derive(Debug)]
pub struct Test {
    /// Its title.
    pub name: Ident,
    /// Its body.
    pub body: Block,
}

/// A type as written.
#[derive(Clone, Debug)]
pub struct TypeExpr {
    /// What it is.
    pub kind: TypeKind,
    /// Where it stands.
    pub span: Span,
}

/// The forms of a type.
#[derive(Clone, Debug)]
pub enum TypeKind {
    /// `int`, `Tree[K, V]`, `geometry.Point`, `Self`
    Named {
        /// Module parts and the name, at least one.
        path: Vec<Ident>,
        /// In brackets.
        args: Vec<TypeExpr>,
    },
    /// `[T]`
    List(Box<TypeExpr>),
    /// `[K: V]`
    Map(Box<TypeExpr>, Box<TypeExpr>),
    /// `(A, B)`; empty for `()`
    Tuple(Vec<TypeExpr>),
    /// `T?`
    Optional(Box<TypeExpr>),
    /// `T!`
    Result(Box<TypeExpr>),
    /// `fn(A, B) -> C`
    Fn(Vec<TypeExpr>, Option<Box<TypeExpr>>),
    /// Recovered.
    Error,
}

/// Statements in braces; the value is that of a last expression statement.
#[derive(Debug)]
pub struct Block {
    /// In source order.
    pub stmts: Vec<Stmt>,
    /// With the braces.
    pub span: Span,
}

/// A statement.
#[derive(Debug)]
pub struct Stmt {
    /// What it is.
    pub kind: StmtKind,
    /// Where it stands.
    pub span: Span,
}

/// The forms of a statement.
#[derive(Debug)]
pub enum StmtKind {
    /// `let p: T = e`, `var x = e`
    Let {
        /// `var`
        mutable: bool,
        /// What is bound; must be irrefutable.
        pattern: Box<Pattern>,
        /// Its type, if written.
        ty: Option<Box<TypeExpr>>,
        /// Its value.
        value: Expr,
    },
    /// A local function.
    Fn(Box<Fn>),
    /// `defer { … }`
    Defer(Block),
    /// An expression.
    Expr(Expr),
}

/// An expression.
#[derive(Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands.
    pub span: Span,
}

/// The forms of an expression.
#[derive(Debug)]
pub enum ExprKind {
    /// `42`: the magnitude; a value above `i64::MAX` is an error unless negated to `i64::MIN`.
    Int(u64),
    /// `1.5`
    Float(f64),
    /// `true`
    Bool(bool),
    /// `b'a'`
    Byte(u8),
    /// `nil`
    Nil,
    /// `"a {x:4} b"`; a plain string has one `Text` part or none.
    Str(Vec<StrPart>),
    /// `()`, `(a, b)`; never of one element
    Tuple(Vec<Expr>),
    /// `[a, b]`
    List(Vec<Expr>),
    /// `[k: v]`, `[:]`
    Map(Vec<(Expr, Expr)>),
    /// `[f(x) for x in xs if p(x)]`
    Comprehension(Box<Comprehension>),
    /// A value's name, or `self`.
    Name(Symbol),
    /// A type, variant or constant: a name with a capital or a built-in type's name, used as an expression.
    TypeName(Symbol),
    /// `fn(int) -> int`, as in `[fn(int) -> int]()`
    FnType(Box<TypeExpr>),
    /// `{ … }`
    Block(Block),
    /// `if c { } else if d { } else { }`
    If {
        /// Conditions and blocks, in order; at least one.
        arms: Vec<(Vec<Condition>, Block)>,
        /// The last `else`.
        otherwise: Option<Box<Block>>,
    },
    /// `match e { p if g => x }`
    Match {
        /// What is looked at.
        subject: Box<Expr>,
        /// In order.
        arms: Vec<MatchArm>,
    },
    /// `while c { }`, `while let p = e { }`
    While {
        /// `outer: while …`
        label: Option<Ident>,
        /// All must hold.
        conditions: Vec<Condition>,
        /// The body.
        body: Box<Block>,
    },
    /// `loop { }`
    Loop {
        /// Its label.
        label: Option<Ident>,
        /// The body.
        body: Box<Block>,
    },
    /// `for x in it { }`, `for i, x in it { }`
    For {
        /// Its label.
        label: Option<Ident>,
        /// The counter, in the form with two variables.
        index: Option<Ident>,
        /// What each element is bound to.
        pattern: Box<Pattern>,
        /// What is iterated.
        iterable: Box<Expr>,
        /// The body.
        body: Box<Block>,
    },
    /// `break`
    Break(Option<Ident>),
    /// `continue`
    Continue(Option<Ident>),
    /// `return e`
    Return(Option<Box<Expr>>),
    /// `try { } catch e { }`
    Try {
        /// What may panic.
        body: Box<Block>,
        /// Name of the error.
        error: Ident,
        /// What runs then.
        handler: Box<Block>,
    },
    /// `|x, (a, b)| e`
    Closure {
        /// Its parameters.
        params: Vec<ClosureParam>,
        /// Its body.
        body: Box<Expr>,
    },
    /// `x = e`, `x += e`
    Assign {
        /// A name, field, index, or tuple pattern is not allowed.
        target: Box<Expr>,
        /// The operator of `op=`.
        op: Option<BinaryOp>,
        /// The right side.
        value: Box<Expr>,
    },
    /// `a + b - c`: operators of one level, from left to right (`**` groups from the right).
    Binary {
        /// The leftmost operand.
        first: Box<Expr>,
        /// Operators and their right operands; at least one.
        rest: Vec<(BinaryOp, Span, Expr)>,
    },
    /// `e is Circle`; `e is not Circle` is `not` around it.
    Is {
        /// What is tested.
        value: Box<Expr>,
        /// The type or variant.
        ty: Box<TypeExpr>,
    },
    /// `a..b`, `a..=b`; open ends only inside an index.
    Range {
        /// The first value.
        lo: Option<Box<Expr>>,
        /// The end.
        hi: Option<Box<Expr>>,
        /// Whether the end belongs to it.
        inclusive: bool,
    },
    /// `not e`, `-e`, `~e`
    Unary(UnaryOp, Box<Expr>),
    /// `base.f(x)[i]?.g!`: a base and what follows it, in order.
    Postfix {
        /// The innermost expression.
        base: Box<Expr>,
        /// At least one.
        ops: Vec<Postfix>,
    },
    /// Recovered.
    Error,
}

/// A part of a string literal.
#[derive(Debug)]
pub enum StrPart {
    /// Text with escapes resolved. Strings are UTF-8, so `\xNN` stops at `\x7f`.
    Text(Symbol),
    /// `{expr:spec}`
    Hole(Expr, Option<FormatSpec>),
}

/// `[[fill]<^>][+][0][width][.prec][x|X|b|o|e]`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FormatSpec {
    /// Pads with this; a blank by default.
    pub fill: char,
    /// `<`, `^` or `>`; by default numbers stand right, the rest left.
    pub align: Option<Align>,
    /// Show the sign of positive numbers.
    pub plus: bool,
    /// Pad numbers with zeros behind the sign.
    pub zero: bool,
    /// Least width in characters.
    pub width: u32,
    /// Digits behind the point, or most characters of a string.
    pub precision: Option<u32>,
    /// Radix or exponent.
    pub style: Option<FormatStyle>,
    /// Where the spec stands.
    pub span: Span,
}

/// Alignment in a format spec.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Align {
    /// `<`
    Left,
    /// `^`
    Center,
    /// `>`
    Right,
}

/// The letter of a format spec.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FormatStyle {
    /// `x`
    LowerHex,
    /// `X`
    UpperHex,
    /// `b`
    Binary,
    /// `o`
    Octal,
    /// `e`
    Exponent,
}

/// `[value for pattern in iterable if condition]`
#[derive(Debug)]
pub struct Comprehension {
    /// What is built.
    pub kind: ComprehensionKind,
    /// `for … in …`, outermost first; at least one.
    pub clauses: Vec<ComprehensionFor>,
}

/// What a comprehension builds, and from what.
#[derive(Debug)]
pub enum ComprehensionKind {
    /// `[x for …]`
    List(Expr),
    /// `[k: v for …]`
    Map(Expr, Expr),
    /// `Set[x for …]`
    Set(Expr),
}

/// One `for … in … if …` of a comprehension.
#[derive(Debug)]
pub struct ComprehensionFor {
    /// The counter.
    pub index: Option<Ident>,
    /// What each element is bound to.
    pub pattern: Pattern,
    /// What is iterated.
    pub iterable: Expr,
    /// All must hold.
    pub conditions: Vec<Expr>,
}

/// A condition of `if` or `while`.
#[derive(Debug)]
pub enum Condition {
    /// A bool.
    Expr(Expr),
    /// `let p = e`
    Let(Pattern, Expr),
}

/// An arm of `match`.
#[derive(Debug)]
pub struct MatchArm {
    /// What it matches.
    pub pattern: Pattern,
    /// `if g`
    pub guard: Option<Expr>,
    /// Its value.
    pub body: Expr,
    /// The whole arm.
    pub span: Span,
}

/// A parameter of a closure.
#[derive(Debug)]
pub struct ClosureParam {
    /// Irrefutable.
    pub pattern: Pattern,
    /// Its type, if written.
    pub ty: Option<TypeExpr>,
}

/// What follows an expression.
#[derive(Debug)]
pub struct Postfix {
    /// What it is.
    pub kind: PostfixKind,
    /// Only this operation, without its base.
    pub span: Span,
}

/// The forms of a postfix operation.
#[derive(Debug)]
pub enum PostfixKind {
    /// `.name`; followed by `Call` it is a method call. `.Name` picks a variant, type or constant.
    Field(Ident),
    /// `.0`
    TupleField(u32),
    /// `?.name`: nil (or an error) skips the rest of this chain.
    OptionalField(Ident),
    /// `(a, name: b)`
    Call(Vec<Arg>),
    /// `[i]`, `[a..b]`, or type arguments: `Map[str, int]`; name resolution tells.
    Index(Vec<IndexArg>),
    /// `?`
    Try,
    /// `!`
    Unwrap,
}

/// What stands between index brackets: most expressions, or a type that is not an expression.
#[derive(Debug)]
pub enum IndexArg {
    /// An index, a range, or a type that reads as an expression (`int`, `Node`, `Tree[K]`, `[int]`).
    Expr(Expr),
    /// A type that only reads as one (`int?`, `fn(int) -> int`, `[str: int]` stays an expression).
    Type(TypeExpr),
}

/// An argument of a call.
#[derive(Debug)]
pub struct Arg {
    /// `name:`
    pub name: Option<Ident>,
    /// Its value.
    pub value: Expr,
}

/// Binary operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are those of the operators")]
pub enum BinaryOp {
    Coalesce,
    Or,
    And,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    In,
    NotIn,
    BitOr,
    BitXor,
    BitAnd,
    Shl,
    Shr,
    ShrLogical,
    Add,
    Sub,
    AddWrap,
    SubWrap,
    Mul,
    Div,
    Rem,
    MulWrap,
    Pow,
}

impl BinaryOp {
    /// The operator as written.
    pub fn text(self) -> &'static str {
        match self {
            BinaryOp::Coalesce => "??",
            BinaryOp::Or => "or",
            BinaryOp::And => "and",
            BinaryOp::Eq => "==",
            BinaryOp::Ne => "!=",
            BinaryOp::Lt => "<",
            BinaryOp::Le => "<=",
            BinaryOp::Gt => ">",
            BinaryOp::Ge => ">=",
            BinaryOp::In => "in",
            BinaryOp::NotIn => "not in",
            BinaryOp::BitOr => "|",
            BinaryOp::BitXor => "^",
            BinaryOp::BitAnd => "&",
            BinaryOp::Shl => "<<",
            BinaryOp::Shr => ">>",
            BinaryOp::ShrLogical => ">>>",
            BinaryOp::Add => "+",
            BinaryOp::Sub => "-",
            BinaryOp::AddWrap => "+%",
            BinaryOp::SubWrap => "-%",
            BinaryOp::Mul => "*",
            BinaryOp::Div => "/",
            BinaryOp::Rem => "%",
            BinaryOp::MulWrap => "*%",
            BinaryOp::Pow => "**",
        }
    }
}

/// Prefix operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnaryOp {
    /// `not`
    Not,
    /// `-`
    Neg,
    /// `~`
    BitNot,
}

/// A pattern.
#[derive(Debug)]
pub struct Pattern {
    /// What it is.
    pub kind: PatternKind,
    /// Where it stands.
    pub span: Span,
}

/// The forms of a pattern.
#[derive(Debug)]
pub enum PatternKind {
    /// `_`
    Wildcard,
    /// `x`
    Bind(Symbol),
    /// A literal: `Int` (perhaps negated), `Float`, `Bool`, `Byte`, `Str` without holes.
    Literal(Box<Expr>),
    /// `1..=9`, `b'a'..=b'z'`, `..10`
    Range {
        /// The first value.
        lo: Option<Box<Expr>>,
        /// The end.
        hi: Option<Box<Expr>>,
        /// Whether the end belongs to it.
        inclusive: bool,
    },
    /// `Circle(r)`, `Shape.Rect(w: a, h: 2)`, `Empty`, or a constant's name
    Variant {
        /// `Shape.Circle`, part by part.
        path: Vec<Ident>,
        /// None without parentheses.
        fields: Option<PatternFields>,
    },
    /// `(a, b)`
    Tuple(Vec<Pattern>),
    /// `[a, b, ..rest, z]`
    List {
        /// Before the rest, or all.
        prefix: Vec<Pattern>,
        /// `..`, perhaps with a name.
        rest: Option<Option<Ident>>,
        /// Behind the rest.
        suffix: Vec<Pattern>,
    },
    /// `a | b`
    Or(Vec<Pattern>),
    /// `nil`
    Nil,
    /// `p?`
    Some(Box<Pattern>),
    /// Recovered.
    Error,
}

/// What stands between the parentheses of a variant pattern.
#[derive(Debug)]
pub enum PatternFields {
    /// All fields, in order.
    Positional(Vec<Pattern>),
    /// `w: p`, or `w` alone to bind it; the others may be left out.
    Named(Vec<(Ident, Pattern)>),
}
