//! What the grammar's rules build. One small function a rule; the shapes are those of [`ast`](super::ast).
//!
//! Actions see finished parts only, never tokens. What the grammar accepts for the sake of a better message
//! (a second comparison, a field in an enum, an odd assignment target) is refused here.

use super::ast::*;
use super::layout::ItemTokens;
use super::reinterpret;
use super::span::{FileId, Span};
use super::symbol::Symbol;
use crate::codes;
use crate::diagnostic::Diagnostic;

/// What the actions of one item share.
pub struct Context<'d> {
    pub file: FileId,
    pub text: &'d str,
    pub item: &'d ItemTokens,
    pub self_name: Symbol,
    pub diagnostics: Vec<Diagnostic>,
}

/// A part of a struct, enum, trait or impl.
pub enum Member {
    Field(Box<Field>),
    Variant(Box<Variant>),
    Method(Box<Method>),
    Error,
}

/// A pattern between the parentheses of a variant.
pub struct PatternField {
    pub name: Option<Ident>,
    pub pattern: Pattern,
}

/// A pattern between brackets.
pub enum PatternElement {
    One(Pattern),
    Rest(Option<Ident>, Span),
}

/// An operator and its place.
pub type PlacedOp = (BinaryOp, Span);

impl Context<'_> {
    pub fn span(&self, lo: u32, hi: u32) -> Span {
        Span { file: self.file, lo, hi }
    }

    pub fn ident(&self, lo: u32, name: Symbol, hi: u32) -> Ident {
        Ident { name, span: self.span(lo, hi) }
    }

    pub fn underscore(&self, lo: u32, hi: u32) -> Ident {
        self.ident(lo, Symbol::new("_"), hi)
    }

    pub fn self_symbol(&self) -> Symbol {
        self.self_name
    }

    fn docs(&self, lo: u32) -> Option<Symbol> {
        let docs = &self.item.docs;
        docs.binary_search_by_key(&lo, |&(at, _)| at).ok().map(|i| docs[i].1)
    }

    fn source(&self, span: Span) -> &str {
        &self.text[span.lo as usize..span.hi as usize]
    }

    fn report(&mut self, error: Diagnostic) {
        self.diagnostics.push(error);
    }

    // Items

    pub fn item(
        &mut self,
        lo: u32,
        attributes: Vec<Ident>,
        public: Option<Span>,
        kind: ItemKind,
        hi: u32,
    ) -> Box<Item> {
        if let ItemKind::Fn(function) = &kind
            && !attributes.iter().any(|a| matches!(a.name.as_str(), "intrinsic" | "native"))
        {
            self.require_body(function, hi);
        }
        Box::new(Item { docs: self.docs(lo), attributes, public, kind, span: self.span(lo, hi) })
    }

    pub fn free_function(&mut self, function: Fn) -> ItemKind {
        self.refuse_receiver(&function);
        ItemKind::Fn(function)
    }

    pub fn local_function(&mut self, lo: u32, function: Fn, hi: u32) -> Stmt {
        self.refuse_receiver(&function);
        self.stmt(lo, StmtKind::Fn(Box::new(function)), hi)
    }

    fn refuse_receiver(&mut self, function: &Fn) {
        if let Some(span) = function.receiver {
            let error = Diagnostic::error(codes::MISPLACED, span, "`self` outside a type")
                .label("only functions inside struct, enum, trait or impl have it")
                .help("move the function into its type, or give the parameter another name");
            self.report(error);
        }
    }

    pub fn struct_item(
        &mut self,
        name: Ident,
        generics: Vec<Generic>,
        traits: Vec<TypeExpr>,
        members: Vec<Member>,
    ) -> ItemKind {
        let (fields, variants, methods) = sort(members);
        self.refuse_variants(&variants, "a struct");
        self.require_bodies(&methods);
        ItemKind::Struct(Struct { name, generics, traits, fields, methods })
    }

    pub fn enum_item(
        &mut self,
        name: Ident,
        generics: Vec<Generic>,
        traits: Vec<TypeExpr>,
        members: Vec<Member>,
    ) -> ItemKind {
        let (fields, variants, methods) = sort(members);
        self.refuse_fields(
            &fields,
            "an enum",
            "variants start with a capital and carry their fields: `Circle(r: float)`",
        );
        self.require_bodies(&methods);
        ItemKind::Enum(Enum { name, generics, traits, variants, methods })
    }

    pub fn trait_item(
        &mut self,
        name: Ident,
        generics: Vec<Generic>,
        supertraits: Vec<TypeExpr>,
        members: Vec<Member>,
    ) -> ItemKind {
        let (fields, variants, methods) = sort(members);
        self.refuse_variants(&variants, "a trait");
        ItemKind::Trait(Trait { name, generics, supertraits, fields, methods })
    }

    pub fn impl_item(
        &mut self,
        generics: Vec<Generic>,
        of: TypeExpr,
        target: TypeExpr,
        members: Vec<Member>,
    ) -> ItemKind {
        let (fields, variants, methods) = sort(members);
        self.refuse_variants(&variants, "an impl");
        self.refuse_fields(&fields, "an impl", "fields belong to the struct itself");
        self.require_bodies(&methods);
        ItemKind::Impl(Impl { generics, of, target, methods })
    }

    fn refuse_variants(&mut self, variants: &[Variant], place: &str) {
        for variant in variants {
            let error = Diagnostic::error(codes::MISPLACED, variant.span, format!("a variant inside {place}"))
                .label("only an enum has variants")
                .help("fields are written `name: Type`, with a small first letter");
            self.report(error);
        }
    }

    fn refuse_fields(&mut self, fields: &[Field], place: &str, help: &str) {
        for field in fields {
            let error =
                Diagnostic::error(codes::MISPLACED, field.name.span, format!("a field inside {place}")).help(help);
            self.report(error);
        }
    }

    fn require_bodies(&mut self, methods: &[Method]) {
        for method in methods {
            self.require_body(&method.function, method.span.hi);
        }
    }

    fn require_body(&mut self, function: &Fn, hi: u32) {
        if function.body.is_some() {
            return;
        }
        let on_next_line = self.text[hi as usize..].trim_start().starts_with('{');
        let help = match on_next_line {
            true => "put `{` at the end of this line: a line that starts with `{` is a statement of its own",
            false => "add `{ … }` or `= …` on the same line; only a trait may leave it out",
        };
        let error =
            Diagnostic::error(codes::BODY_MISSING, function.name.span, format!("`{}` has no body", function.name.name))
                .label("a body must follow the head of this function")
                .help(help);
        self.report(error);
    }

    pub fn field(
        &self,
        lo: u32,
        public: Option<Span>,
        mutable: bool,
        name: Ident,
        ty: TypeExpr,
        default: Option<Expr>,
    ) -> Member {
        Member::Field(Box::new(Field { docs: self.docs(lo), public, mutable, name, ty, default }))
    }

    pub fn variant(&self, name: Ident, fields: Vec<Param>, hi: u32) -> Member {
        let span = self.span(name.span.lo, hi);
        Member::Variant(Box::new(Variant { docs: self.docs(name.span.lo), name, fields, span }))
    }

    pub fn method(
        &self,
        lo: u32,
        attributes: Vec<Ident>,
        public: Option<Span>,
        mut function: Fn,
        body: Option<FnBody>,
        hi: u32,
    ) -> Member {
        function.set_body(body);
        let span = self.span(lo, hi);
        Member::Method(Box::new(Method { docs: self.docs(lo), attributes, public, function, span }))
    }

    // Statements

    pub fn stmt(&self, lo: u32, kind: StmtKind, hi: u32) -> Stmt {
        Stmt { kind, span: self.span(lo, hi) }
    }

    pub fn let_stmt(
        &self,
        lo: u32,
        mutable: bool,
        pattern: Pattern,
        ty: Option<TypeExpr>,
        value: Expr,
        hi: u32,
    ) -> Stmt {
        self.stmt(lo, StmtKind::Let { mutable, pattern: Box::new(pattern), ty: ty.map(Box::new), value }, hi)
    }

    pub fn assign(&mut self, target: Expr, op: Option<BinaryOp>, value: Expr) -> Expr {
        let assignable = match &target.kind {
            ExprKind::Name(_) | ExprKind::Error => true,
            ExprKind::Postfix { ops, .. } => match ops.last().map(|op| &op.kind) {
                Some(PostfixKind::Field(_) | PostfixKind::TupleField(_) | PostfixKind::Index(_)) => {
                    !ops.iter().any(|op| matches!(op.kind, PostfixKind::OptionalField(_)))
                }
                _ => false,
            },
            _ => false,
        };
        if !assignable {
            let error = Diagnostic::error(codes::NOT_A_TARGET, target.span, "this can't be assigned to")
                .label("not a variable, field or element")
                .help("compare with `==`; bind several names with `let (a, b) = …`");
            self.report(error);
            return Expr { kind: ExprKind::Error, span: target.span.to(value.span) };
        }
        let span = target.span.to(value.span);
        Expr { kind: ExprKind::Assign { target: Box::new(target), op, value: Box::new(value) }, span }
    }

    // Expressions

    pub fn expr(&self, lo: u32, kind: ExprKind, hi: u32) -> Expr {
        Expr { kind, span: self.span(lo, hi) }
    }

    pub fn grouped(&self, lo: u32, inner: Expr, hi: u32) -> Expr {
        Expr { kind: inner.kind, span: self.span(lo, hi) }
    }

    pub fn closure(&self, lo: u32, params: Vec<ClosureParam>, body: Expr) -> Expr {
        let hi = body.span.hi;
        self.expr(lo, ExprKind::Closure { params, body: Box::new(body) }, hi)
    }

    pub fn unary(&self, lo: u32, op: UnaryOp, operand: Expr) -> Expr {
        let hi = operand.span.hi;
        self.expr(lo, ExprKind::Unary(op, Box::new(operand)), hi)
    }

    pub fn chained_comparison(&mut self, a: Expr, op: PlacedOp, b: Expr) -> Expr {
        let mut error = Diagnostic::error(codes::CHAINED_COMPARISON, op.1, "comparisons can't be chained")
            .label("a second comparison")
            .help("compare twice and join with `and`");
        if let ExprKind::Binary { rest, .. } = &a.kind
            && let Some((_, _, middle)) = rest.last()
        {
            error = error.and(a.span, "the first one, which gives a bool");
            let whole = self.source(a.span.to(b.span));
            if whole.len() < 60 && !whole.contains('\n') {
                let (left, middle) = (self.source(a.span), self.source(middle.span));
                let right = format!("{} {}", self.source(op.1), self.source(b.span));
                error.help = vec![format!("write `{left} and {middle} {right}`")];
            }
        }
        self.report(error);
        Expr { kind: ExprKind::Error, span: a.span.to(b.span) }
    }

    pub fn range(&self, lo: Expr, hi: Expr, inclusive: bool) -> Expr {
        let span = lo.span.to(hi.span);
        Expr { kind: ExprKind::Range { lo: Some(Box::new(lo)), hi: Some(Box::new(hi)), inclusive }, span }
    }

    pub fn open_range(&self, lo: u32, a: Option<Expr>, b: Option<Expr>, inclusive: bool, hi: u32) -> IndexArg {
        let hi = b.as_ref().map_or(hi, |b| b.span.hi);
        IndexArg::Expr(self.expr(lo, ExprKind::Range { lo: a.map(Box::new), hi: b.map(Box::new), inclusive }, hi))
    }

    pub fn set_comprehension(&mut self, base: Expr, element: Expr, clauses: Vec<ComprehensionFor>, hi: u32) -> Expr {
        if !matches!(base.kind, ExprKind::TypeName(name) if name.as_str() == "Set") {
            let error = Diagnostic::error(codes::MISPLACED, base.span, "a comprehension as an index")
                .help("a list is `[x for …]`, a map `[k: v for …]`, a set `Set[x for …]`");
            self.report(error);
        }
        let lo = base.span.lo;
        self.expr(lo, comprehension(ComprehensionKind::Set(element), clauses), hi)
    }

    pub fn str_parts(&self, mut parts: Vec<StrPart>, text: Symbol, hole: Expr, spec: Option<u32>) -> Vec<StrPart> {
        if !is_empty(text) {
            parts.push(StrPart::Text(text));
        }
        parts.push(StrPart::Hole(hole, spec.map(|i| self.item.specs[i as usize])));
        parts
    }

    pub fn for_loop(
        &self,
        lo: u32,
        index: Option<Ident>,
        pattern: Pattern,
        iterable: Expr,
        body: Box<Block>,
        hi: u32,
    ) -> Expr {
        let (pattern, iterable) = (Box::new(pattern), Box::new(iterable));
        self.expr(lo, ExprKind::For { label: None, index, pattern, iterable, body }, hi)
    }

    pub fn arm(&self, lo: u32, pattern: Pattern, guard: Option<Expr>, body: Expr, hi: u32) -> Box<[MatchArm]> {
        Box::new([MatchArm { pattern, guard, body, span: self.span(lo, hi) }])
    }

    // Patterns

    pub fn pattern(&self, lo: u32, kind: PatternKind, hi: u32) -> Pattern {
        Pattern { kind, span: self.span(lo, hi) }
    }

    pub fn grouped_pattern(&self, lo: u32, inner: Pattern, hi: u32) -> Pattern {
        Pattern { kind: inner.kind, span: self.span(lo, hi) }
    }

    pub fn present_pattern(&self, inner: Pattern, hi: u32) -> Pattern {
        let lo = inner.span.lo;
        self.pattern(lo, PatternKind::Some(Box::new(inner)), hi)
    }

    pub fn negative(&self, lo: u32, inner: u32, number: ExprKind, hi: u32) -> Expr {
        let number = self.expr(inner, number, hi);
        self.unary(lo, UnaryOp::Neg, number)
    }

    pub fn variant_pattern(&mut self, path: Vec<Ident>, fields: Vec<PatternField>) -> PatternKind {
        if fields.iter().all(|f| f.name.is_none()) {
            let fields = fields.into_iter().map(|f| f.pattern).collect();
            return PatternKind::Variant { path, fields: Some(PatternFields::Positional(fields)) };
        }
        let mut named = Vec::with_capacity(fields.len());
        for field in fields {
            match (field.name, &field.pattern.kind) {
                (Some(name), _) => named.push((name, field.pattern)),
                (None, &PatternKind::Bind(name)) => {
                    named.push((Ident { name, span: field.pattern.span }, field.pattern))
                }
                (None, _) => {
                    let error =
                        Diagnostic::error(codes::BAD_PATTERN, field.pattern.span, "a pattern without a field's name")
                            .label("other fields of this pattern are named")
                            .help("name all fields, or none; `w` alone means `w: w`");
                    self.report(error);
                }
            }
        }
        PatternKind::Variant { path, fields: Some(PatternFields::Named(named)) }
    }

    pub fn list_pattern(&mut self, elements: Vec<PatternElement>) -> PatternKind {
        let (mut prefix, mut suffix) = (Vec::new(), Vec::new());
        let mut rest = None;
        for element in elements {
            match element {
                PatternElement::One(pattern) if rest.is_none() => prefix.push(pattern),
                PatternElement::One(pattern) => suffix.push(pattern),
                PatternElement::Rest(name, _) if rest.is_none() => rest = Some(name),
                PatternElement::Rest(_, span) => {
                    let error = Diagnostic::error(codes::BAD_PATTERN, span, "a second `..` in a list pattern")
                        .help("one `..` stands for all elements that the others leave");
                    self.report(error);
                }
            }
        }
        PatternKind::List { prefix, rest, suffix }
    }

    // Types

    pub fn ty(&self, lo: u32, kind: TypeKind, hi: u32) -> TypeExpr {
        TypeExpr { kind, span: self.span(lo, hi) }
    }

    pub fn grouped_type(&self, lo: u32, inner: TypeExpr, hi: u32) -> TypeExpr {
        self.ty(lo, inner.kind, hi)
    }

    pub fn marked_type(&self, inner: TypeExpr, optional: bool, hi: u32) -> TypeExpr {
        let lo = inner.span.lo;
        let inner = Box::new(inner);
        self.ty(lo, if optional { TypeKind::Optional(inner) } else { TypeKind::Result(inner) }, hi)
    }

    pub fn tuple_type(&self, lo: u32, first: TypeExpr, mut rest: Vec<TypeExpr>, hi: u32) -> TypeExpr {
        rest.insert(0, first);
        self.ty(lo, TypeKind::Tuple(rest), hi)
    }
}

fn sort(members: Vec<Member>) -> (Vec<Field>, Vec<Variant>, Vec<Method>) {
    let (mut fields, mut variants, mut methods) = (Vec::new(), Vec::new(), Vec::new());
    for member in members {
        match member {
            Member::Field(field) => fields.push(*field),
            Member::Variant(variant) => variants.push(*variant),
            Member::Method(method) => methods.push(*method),
            Member::Error => {}
        }
    }
    (fields, variants, methods)
}

pub fn function(
    name: Ident,
    generics: Vec<Generic>,
    (receiver, params): (Option<Span>, Vec<Param>),
    result: Option<TypeExpr>,
) -> Fn {
    Fn::new(name, FnParts { generics, receiver, params, result, body: None })
}

pub fn expression_stmt(e: Expr) -> Stmt {
    let span = e.span;
    Stmt { kind: StmtKind::Expr(e), span }
}

pub fn labelled(name: Ident, mut body: Expr) -> Expr {
    match &mut body.kind {
        ExprKind::While { label, .. } | ExprKind::Loop { label, .. } | ExprKind::For { label, .. } => {
            *label = Some(name);
        }
        _ => unreachable!("the grammar puts labels before loops only"),
    }
    body.span = name.span.to(body.span);
    body
}

pub fn binary(a: Expr, (op, place): PlacedOp, b: Expr) -> Expr {
    let span = a.span.to(b.span);
    Expr { kind: ExprKind::Binary { first: Box::new(a), rest: vec![(op, place, b)] }, span }
}

/// Adds an operand to a chain made by [`binary`].
pub fn extend(mut chain: Expr, (op, place): PlacedOp, b: Expr) -> Expr {
    chain.span = chain.span.to(b.span);
    match &mut chain.kind {
        ExprKind::Binary { rest, .. } => rest.push((op, place, b)),
        _ => unreachable!("the grammar extends chains only"),
    }
    chain
}

pub fn is(value: Expr, ty: TypeExpr) -> Expr {
    let span = value.span.to(ty.span);
    Expr { kind: ExprKind::Is { value: Box::new(value), ty: Box::new(ty) }, span }
}

pub fn negated(e: Expr) -> Expr {
    let span = e.span;
    Expr { kind: ExprKind::Unary(UnaryOp::Not, Box::new(e)), span }
}

pub fn postfix(base: Expr, op: Postfix) -> Expr {
    let span = base.span.to(op.span);
    Expr { kind: ExprKind::Postfix { base: Box::new(base), ops: vec![op] }, span }
}

/// Adds an operation to a chain made by [`postfix`].
pub fn extend_postfix(mut chain: Expr, op: Postfix) -> Expr {
    chain.span = chain.span.to(op.span);
    match &mut chain.kind {
        ExprKind::Postfix { ops, .. } => ops.push(op),
        // a set comprehension starts a chain of its own
        _ => return postfix(chain, op),
    }
    chain
}

/// What is between index brackets reads as an expression first; `int?` and `fn(int)` can only be types.
pub fn index_arg(e: Expr) -> IndexArg {
    let marked = match &e.kind {
        ExprKind::Postfix { ops, .. } => {
            matches!(ops.last(), Some(Postfix { kind: PostfixKind::Try | PostfixKind::Unwrap, .. }))
        }
        kind => matches!(kind, ExprKind::FnType(_)),
    };
    match marked.then(|| reinterpret::as_type(&e)).flatten() {
        Some(ty) => IndexArg::Type(ty),
        None => IndexArg::Expr(e),
    }
}

fn is_empty(text: Symbol) -> bool {
    text.as_str().is_empty()
}

pub fn plain_string(text: Symbol) -> ExprKind {
    ExprKind::Str(if is_empty(text) { Vec::new() } else { vec![StrPart::Text(text)] })
}

pub fn string(mut parts: Vec<StrPart>, text: Symbol) -> ExprKind {
    if !is_empty(text) {
        parts.push(StrPart::Text(text));
    }
    ExprKind::Str(parts)
}

pub fn tuple(first: Expr, mut rest: Vec<Expr>) -> ExprKind {
    rest.insert(0, first);
    ExprKind::Tuple(rest)
}

pub fn comprehension(kind: ComprehensionKind, clauses: Vec<ComprehensionFor>) -> ExprKind {
    ExprKind::Comprehension(Box::new(Comprehension { kind, clauses }))
}

pub fn tuple_pattern(first: Pattern, mut rest: Vec<Pattern>) -> PatternKind {
    rest.insert(0, first);
    PatternKind::Tuple(rest)
}

pub fn range_pattern(lo: Option<Expr>, hi: Option<Expr>, inclusive: bool) -> PatternKind {
    PatternKind::Range { lo: lo.map(Box::new), hi: hi.map(Box::new), inclusive }
}
