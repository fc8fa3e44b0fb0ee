//! The syntax tree as text, for `--emit=ast` and for tests.
//!
//! One line a statement, member or arm; expressions as S-expressions with operators in front. Spans are left out:
//! tests that mean them ask for them. The text is for people and may change.

use super::ast::*;
use std::fmt::{self, Display, Write};

/// Writes a whole file.
pub fn dump(file: &File) -> String {
    let mut out = Dump { text: String::new(), depth: 0 };
    for item in &file.items {
        out.item(item).expect("writing to a string succeeds");
    }
    out.text
}

struct Dump {
    text: String,
    depth: usize,
}

macro_rules! put {
    ($out:expr, $($arg:tt)*) => { write!($out.text, $($arg)*)? };
}

impl Dump {
    fn line(&mut self) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.extend(std::iter::repeat_n(' ', self.depth * 2));
    }

    fn indented(&mut self, body: impl FnOnce(&mut Dump) -> fmt::Result) -> fmt::Result {
        self.depth += 1;
        body(self)?;
        self.depth -= 1;
        Ok(())
    }

    /// `items` with `between`, each written by `one`.
    fn list<T>(
        &mut self,
        items: &[T],
        between: &str,
        mut one: impl FnMut(&mut Dump, &T) -> fmt::Result,
    ) -> fmt::Result {
        for (i, item) in items.iter().enumerate() {
            if i > 0 {
                self.text.push_str(between);
            }
            one(self, item)?;
        }
        Ok(())
    }

    fn prefix(
        &mut self,
        docs: Option<super::symbol::Symbol>,
        attributes: &[Ident],
        public: Option<super::span::Span>,
    ) -> fmt::Result {
        if let Some(docs) = docs {
            put!(self, "(doc {docs:?}) ");
        }
        for attribute in attributes {
            put!(self, "@{} ", attribute.name);
        }
        if public.is_some() {
            put!(self, "pub ");
        }
        Ok(())
    }

    fn item(&mut self, item: &Item) -> fmt::Result {
        if let ItemKind::Stmt(stmt) = &item.kind {
            self.line();
            self.prefix(item.docs, &item.attributes, item.public)?;
            return self.stmt(stmt);
        }
        self.line();
        self.prefix(item.docs, &item.attributes, item.public)?;
        match &item.kind {
            ItemKind::Use(u) => {
                put!(self, "use ");
                self.list(&u.path, ".", |d, part| write!(d.text, "{}", part.name))?;
                if let Some(alias) = u.alias {
                    put!(self, " as {}", alias.name);
                }
                for name in &u.names {
                    put!(self, " {}", name.name);
                }
            }
            ItemKind::Const(c) => {
                put!(self, "const {}", c.name.name);
                self.optional_type(": ", c.ty.as_ref())?;
                put!(self, " = ");
                self.expr(&c.value)?;
            }
            ItemKind::Fn(function) => self.function(function)?,
            ItemKind::Struct(s) => {
                self.header("struct", s.name, &s.generics, &s.traits)?;
                self.members(&s.fields, &[], &s.methods)?;
            }
            ItemKind::Enum(e) => {
                self.header("enum", e.name, &e.generics, &e.traits)?;
                self.members(&[], &e.variants, &e.methods)?;
            }
            ItemKind::Trait(t) => {
                self.header("trait", t.name, &t.generics, &t.supertraits)?;
                self.members(&t.fields, &[], &t.methods)?;
            }
            ItemKind::Impl(i) => {
                put!(self, "impl");
                self.generics(&i.generics)?;
                put!(self, " ");
                self.ty(&i.of)?;
                put!(self, " for ");
                self.ty(&i.target)?;
                self.members(&[], &[], &i.methods)?;
            }
            ItemKind::Alias(a) => {
                put!(self, "type {}", a.name.name);
                self.generics(&a.generics)?;
                put!(self, " = ");
                self.ty(&a.ty)?;
            }
            ItemKind::Test(t) => self.titled("test", t)?,
            ItemKind::Bench(t) => self.titled("bench", t)?,
            ItemKind::Stmt(_) => unreachable!("written above"),
        }
        Ok(())
    }

    fn titled(&mut self, what: &str, test: &Test) -> fmt::Result {
        put!(self, "{what} {:?}", test.name.name);
        self.block(&test.body)
    }

    fn header(&mut self, what: &str, name: Ident, generics: &[Generic], traits: &[TypeExpr]) -> fmt::Result {
        put!(self, "{what} {}", name.name);
        self.generics(generics)?;
        self.bounds(traits)
    }

    fn bounds(&mut self, traits: &[TypeExpr]) -> fmt::Result {
        if !traits.is_empty() {
            put!(self, ": ");
            self.list(traits, " + ", Dump::ty)?;
        }
        Ok(())
    }

    fn generics(&mut self, generics: &[Generic]) -> fmt::Result {
        if generics.is_empty() {
            return Ok(());
        }
        put!(self, "[");
        self.list(generics, ", ", |d, generic| {
            write!(d.text, "{}", generic.name.name)?;
            d.bounds(&generic.bounds)
        })?;
        put!(self, "]");
        Ok(())
    }

    fn members(&mut self, fields: &[Field], variants: &[Variant], methods: &[Method]) -> fmt::Result {
        self.indented(|d| {
            for field in fields {
                d.line();
                d.prefix(field.docs, &[], field.public)?;
                write!(d.text, "{}{}", if field.mutable { "var " } else { "field " }, field.name.name)?;
                d.optional_type(": ", Some(&field.ty))?;
                d.optional_expr(" = ", field.default.as_ref())?;
            }
            for variant in variants {
                d.line();
                d.prefix(variant.docs, &[], None)?;
                write!(d.text, "variant {}(", variant.name.name)?;
                d.list(&variant.fields, ", ", Dump::param)?;
                d.text.push(')');
            }
            for method in methods {
                d.line();
                d.prefix(method.docs, &method.attributes, method.public)?;
                d.function(&method.function)?;
            }
            Ok(())
        })
    }

    fn function(&mut self, function: &Fn) -> fmt::Result {
        put!(self, "fn {}", function.name.name);
        self.generics(&function.generics)?;
        put!(self, "({}", if function.receiver.is_some() { "self" } else { "" });
        if function.receiver.is_some() && !function.params.is_empty() {
            put!(self, ", ");
        }
        self.list(&function.params, ", ", Dump::param)?;
        put!(self, ")");
        self.optional_type(" -> ", function.result.as_ref())?;
        match &function.body {
            None => Ok(()),
            Some(FnBody::Expr(e)) => self.optional_expr(" = ", Some(e)),
            Some(FnBody::Block(block)) => self.block(block),
        }
    }

    fn param(&mut self, param: &Param) -> fmt::Result {
        put!(self, "{}", param.name.name);
        self.optional_type(": ", param.ty.as_ref())?;
        self.optional_expr(" = ", param.default.as_ref())
    }

    fn optional_type(&mut self, before: &str, ty: Option<&TypeExpr>) -> fmt::Result {
        let Some(ty) = ty else { return Ok(()) };
        self.text.push_str(before);
        self.ty(ty)
    }

    fn optional_expr(&mut self, before: &str, e: Option<&Expr>) -> fmt::Result {
        let Some(e) = e else { return Ok(()) };
        self.text.push_str(before);
        self.expr(e)
    }

    fn block(&mut self, block: &Block) -> fmt::Result {
        put!(self, " {{");
        self.indented(|d| {
            for stmt in &block.stmts {
                d.line();
                d.stmt(stmt)?;
            }
            Ok(())
        })?;
        put!(self, " }}");
        Ok(())
    }

    fn stmt(&mut self, stmt: &Stmt) -> fmt::Result {
        match &stmt.kind {
            StmtKind::Let { mutable, pattern, ty, value } => {
                put!(self, "{} ", if *mutable { "var" } else { "let" });
                self.pattern(pattern)?;
                self.optional_type(": ", ty.as_deref())?;
                self.optional_expr(" = ", Some(value))
            }
            StmtKind::Fn(function) => self.function(function),
            StmtKind::Defer(block) => {
                put!(self, "defer");
                self.block(block)
            }
            StmtKind::Expr(e) => self.expr(e),
        }
    }

    fn expr(&mut self, e: &Expr) -> fmt::Result {
        match &e.kind {
            ExprKind::Int(value) => put!(self, "{value}"),
            ExprKind::Float(value) => put!(self, "{value:?}"),
            ExprKind::Bool(value) => put!(self, "{value}"),
            ExprKind::Byte(value) => put!(self, "b{value}"),
            ExprKind::Nil => put!(self, "nil"),
            ExprKind::Str(parts) => self.string(parts)?,
            ExprKind::Tuple(items) => self.form("tuple", items)?,
            ExprKind::List(items) => self.form("list", items)?,
            ExprKind::Map(pairs) => {
                put!(self, "(map");
                for (key, value) in pairs {
                    self.optional_expr(" ", Some(key))?;
                    self.optional_expr(": ", Some(value))?;
                }
                put!(self, ")");
            }
            ExprKind::Comprehension(comprehension) => self.comprehension(comprehension)?,
            ExprKind::Name(name) => put!(self, "{name}"),
            ExprKind::TypeName(name) => put!(self, "{name}"),
            ExprKind::FnType(ty) => self.optional_type("type ", Some(ty))?,
            ExprKind::Block(block) => {
                put!(self, "block");
                self.block(block)?;
            }
            ExprKind::If { arms, otherwise } => {
                for (i, (conditions, block)) in arms.iter().enumerate() {
                    put!(self, "{}", if i == 0 { "if " } else { " else if " });
                    self.list(conditions, ", ", Dump::condition)?;
                    self.block(block)?;
                }
                if let Some(block) = otherwise {
                    put!(self, " else");
                    self.block(block)?;
                }
            }
            ExprKind::Match { subject, arms } => {
                put!(self, "match ");
                self.expr(subject)?;
                put!(self, " {{");
                self.indented(|d| arms.iter().try_for_each(|arm| d.arm(arm)))?;
                put!(self, " }}");
            }
            ExprKind::While { label, conditions, body } => {
                self.label(*label)?;
                put!(self, "while ");
                self.list(conditions, ", ", Dump::condition)?;
                self.block(body)?;
            }
            ExprKind::Loop { label, body } => {
                self.label(*label)?;
                put!(self, "loop");
                self.block(body)?;
            }
            ExprKind::For { label, index, pattern, iterable, body } => {
                self.label(*label)?;
                self.for_head(*index, pattern, iterable)?;
                self.block(body)?;
            }
            ExprKind::Break(label) => self.jump("break", *label)?,
            ExprKind::Continue(label) => self.jump("continue", *label)?,
            ExprKind::Return(value) => {
                put!(self, "(return");
                self.optional_expr(" ", value.as_deref())?;
                put!(self, ")");
            }
            ExprKind::Try { body, error, handler } => {
                put!(self, "try");
                self.block(body)?;
                put!(self, " catch {}", error.name);
                self.block(handler)?;
            }
            ExprKind::Closure { params, body } => {
                put!(self, "(|");
                self.list(params, ", ", |d, param| {
                    d.pattern(&param.pattern)?;
                    d.optional_type(": ", param.ty.as_ref())
                })?;
                put!(self, "| ");
                self.expr(body)?;
                put!(self, ")");
            }
            ExprKind::Assign { target, op, value } => {
                put!(self, "({}= ", op.map_or("", BinaryOp::text));
                self.expr(target)?;
                self.optional_expr(" ", Some(value))?;
                put!(self, ")");
            }
            ExprKind::Binary { first, rest } => {
                put!(self, "(");
                self.expr(first)?;
                for (op, _, operand) in rest {
                    put!(self, " {} ", op.text());
                    self.expr(operand)?;
                }
                put!(self, ")");
            }
            ExprKind::Is { value, ty } => {
                put!(self, "(");
                self.expr(value)?;
                self.optional_type(" is ", Some(ty))?;
                put!(self, ")");
            }
            ExprKind::Range { lo, hi, inclusive } => self.range(lo.as_deref(), hi.as_deref(), *inclusive)?,
            ExprKind::Unary(op, operand) => {
                let sign = match op {
                    UnaryOp::Not => "not",
                    UnaryOp::Neg => "-",
                    UnaryOp::BitNot => "~",
                };
                put!(self, "({sign} ");
                self.expr(operand)?;
                put!(self, ")");
            }
            ExprKind::Postfix { base, ops } => {
                put!(self, "(");
                self.expr(base)?;
                for op in ops {
                    put!(self, " ");
                    self.postfix(&op.kind)?;
                }
                put!(self, ")");
            }
            ExprKind::Error => put!(self, "ERROR"),
        }
        Ok(())
    }

    fn form(&mut self, name: &str, items: &[Expr]) -> fmt::Result {
        put!(self, "({name}");
        for item in items {
            self.optional_expr(" ", Some(item))?;
        }
        put!(self, ")");
        Ok(())
    }

    fn string(&mut self, parts: &[StrPart]) -> fmt::Result {
        if parts.is_empty() {
            put!(self, "\"\"");
        }
        self.list(parts, "~", |d, part| match part {
            StrPart::Text(text) => write!(d.text, "{text:?}"),
            StrPart::Hole(e, spec) => {
                d.text.push('{');
                d.expr(e)?;
                if let Some(spec) = spec {
                    d.spec(spec)?;
                }
                d.text.push('}');
                Ok(())
            }
        })
    }

    fn spec(&mut self, spec: &FormatSpec) -> fmt::Result {
        put!(self, ":");
        if let Some(align) = spec.align {
            let mark = match align {
                Align::Left => '<',
                Align::Center => '^',
                Align::Right => '>',
            };
            put!(self, "{}{mark}", spec.fill);
        }
        put!(self, "{}{}{}", if spec.plus { "+" } else { "" }, if spec.zero { "0" } else { "" }, spec.width);
        if let Some(precision) = spec.precision {
            put!(self, ".{precision}");
        }
        if let Some(style) = spec.style {
            put!(self, "{style:?}");
        }
        Ok(())
    }

    fn comprehension(&mut self, comprehension: &Comprehension) -> fmt::Result {
        match &comprehension.kind {
            ComprehensionKind::List(e) => self.optional_expr("(list-of ", Some(e))?,
            ComprehensionKind::Set(e) => self.optional_expr("(set-of ", Some(e))?,
            ComprehensionKind::Map(key, value) => {
                self.optional_expr("(map-of ", Some(key))?;
                self.optional_expr(": ", Some(value))?;
            }
        }
        for clause in &comprehension.clauses {
            put!(self, " ");
            self.for_head(clause.index, &clause.pattern, &clause.iterable)?;
            for condition in &clause.conditions {
                self.optional_expr(" if ", Some(condition))?;
            }
        }
        put!(self, ")");
        Ok(())
    }

    fn for_head(&mut self, index: Option<Ident>, pattern: &Pattern, iterable: &Expr) -> fmt::Result {
        put!(self, "for ");
        if let Some(index) = index {
            put!(self, "{}, ", index.name);
        }
        self.pattern(pattern)?;
        self.optional_expr(" in ", Some(iterable))
    }

    fn condition(&mut self, condition: &Condition) -> fmt::Result {
        match condition {
            Condition::Expr(e) => self.expr(e),
            Condition::Let(pattern, value) => {
                put!(self, "let ");
                self.pattern(pattern)?;
                self.optional_expr(" = ", Some(value))
            }
        }
    }

    fn arm(&mut self, arm: &MatchArm) -> fmt::Result {
        self.line();
        self.pattern(&arm.pattern)?;
        self.optional_expr(" if ", arm.guard.as_ref())?;
        self.optional_expr(" => ", Some(&arm.body))
    }

    fn label(&mut self, label: Option<Ident>) -> fmt::Result {
        if let Some(label) = label {
            put!(self, "{}: ", label.name);
        }
        Ok(())
    }

    fn jump(&mut self, word: &str, label: Option<Ident>) -> fmt::Result {
        put!(self, "({word}");
        if let Some(label) = label {
            put!(self, " {}", label.name);
        }
        put!(self, ")");
        Ok(())
    }

    fn range(&mut self, lo: Option<&Expr>, hi: Option<&Expr>, inclusive: bool) -> fmt::Result {
        put!(self, "(");
        self.optional_expr("", lo)?;
        put!(self, "{}", if inclusive { "..=" } else { ".." });
        self.optional_expr("", hi)?;
        put!(self, ")");
        Ok(())
    }

    fn postfix(&mut self, kind: &PostfixKind) -> fmt::Result {
        match kind {
            PostfixKind::Field(name) => put!(self, ".{}", name.name),
            PostfixKind::TupleField(index) => put!(self, ".{index}"),
            PostfixKind::OptionalField(name) => put!(self, "?.{}", name.name),
            PostfixKind::Call(args) => {
                put!(self, "call(");
                self.list(args, ", ", |d, arg| {
                    if let Some(name) = arg.name {
                        write!(d.text, "{}: ", name.name)?;
                    }
                    d.expr(&arg.value)
                })?;
                put!(self, ")");
            }
            PostfixKind::Index(args) => {
                put!(self, "[");
                self.list(args, ", ", |d, arg| match arg {
                    IndexArg::Expr(e) => d.expr(e),
                    IndexArg::Type(ty) => d.optional_type("type ", Some(ty)),
                })?;
                put!(self, "]");
            }
            PostfixKind::Try => put!(self, "?"),
            PostfixKind::Unwrap => put!(self, "!"),
        }
        Ok(())
    }

    fn pattern(&mut self, pattern: &Pattern) -> fmt::Result {
        match &pattern.kind {
            PatternKind::Wildcard => put!(self, "_"),
            PatternKind::Bind(name) => put!(self, "{name}"),
            PatternKind::Literal(e) => self.expr(e)?,
            PatternKind::Range { lo, hi, inclusive } => self.range(lo.as_deref(), hi.as_deref(), *inclusive)?,
            PatternKind::Variant { path, fields } => {
                self.list(path, ".", |d, part| write!(d.text, "{}", part.name))?;
                match fields {
                    None => {}
                    Some(PatternFields::Positional(patterns)) => {
                        put!(self, "(");
                        self.list(patterns, ", ", Dump::pattern)?;
                        put!(self, ")");
                    }
                    Some(PatternFields::Named(named)) => {
                        put!(self, "(");
                        self.list(named, ", ", |d, (name, pattern)| {
                            write!(d.text, "{}: ", name.name)?;
                            d.pattern(pattern)
                        })?;
                        put!(self, ")");
                    }
                }
            }
            PatternKind::Tuple(items) => {
                put!(self, "(");
                self.list(items, ", ", Dump::pattern)?;
                put!(self, ")");
            }
            PatternKind::List { prefix, rest, suffix } => {
                put!(self, "[");
                self.list(prefix, ", ", Dump::pattern)?;
                if let Some(rest) = rest {
                    put!(self, " ..{} ", DisplayName(*rest));
                }
                self.list(suffix, ", ", Dump::pattern)?;
                put!(self, "]");
            }
            PatternKind::Or(alternatives) => {
                put!(self, "(");
                self.list(alternatives, " | ", Dump::pattern)?;
                put!(self, ")");
            }
            PatternKind::Nil => put!(self, "nil"),
            PatternKind::Some(inner) => {
                self.pattern(inner)?;
                put!(self, "?");
            }
            PatternKind::Error => put!(self, "ERROR"),
        }
        Ok(())
    }

    fn ty(&mut self, ty: &TypeExpr) -> fmt::Result {
        match &ty.kind {
            TypeKind::Named { path, args } => {
                self.list(path, ".", |d, part| write!(d.text, "{}", part.name))?;
                if !args.is_empty() {
                    put!(self, "[");
                    self.list(args, ", ", Dump::ty)?;
                    put!(self, "]");
                }
            }
            TypeKind::List(item) => {
                put!(self, "[");
                self.ty(item)?;
                put!(self, "]");
            }
            TypeKind::Map(key, value) => {
                put!(self, "[");
                self.ty(key)?;
                put!(self, ": ");
                self.ty(value)?;
                put!(self, "]");
            }
            TypeKind::Tuple(items) => {
                put!(self, "(");
                self.list(items, ", ", Dump::ty)?;
                put!(self, ")");
            }
            TypeKind::Optional(inner) => {
                self.ty(inner)?;
                put!(self, "?");
            }
            TypeKind::Result(inner) => {
                self.ty(inner)?;
                put!(self, "!");
            }
            TypeKind::Fn(params, result) => {
                put!(self, "(fn (");
                self.list(params, ", ", Dump::ty)?;
                put!(self, ")");
                self.optional_type(" -> ", result.as_deref())?;
                put!(self, ")");
            }
            TypeKind::Error => put!(self, "ERROR"),
        }
        Ok(())
    }
}

struct DisplayName(Option<Ident>);

impl Display for DisplayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(name) => name.name.fmt(f),
            None => f.write_str("_"),
        }
    }
}
