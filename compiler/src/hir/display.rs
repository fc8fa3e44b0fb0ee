//! The typed tree as text, for `--emit=types` and file tests: one function after the other, types behind every
//! declaration, sugar gone. It is read by people and never parsed.

use super::{ExprId, ExprKind, FnId, Function, LocalId, Program, Ty, Types};
use std::fmt::{self, Write};

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for global in &self.globals {
            writeln!(f, "global {}: {}", global.name, self.types.display(global.ty))?;
        }
        for index in 0..self.functions.len() {
            f.write_str(&self.function_text(FnId(index as u32)))?;
        }
        Ok(())
    }
}

impl Program {
    /// One function as text.
    pub fn function_text(&self, id: FnId) -> String {
        let function = &self.functions[id.0 as usize];
        let mut printer = Printer { program: self, function, out: String::new(), depth: 0 };
        printer.function();
        printer.out
    }
}

struct Printer<'p> {
    program: &'p Program,
    function: &'p Function,
    out: String,
    depth: usize,
}

impl Printer<'_> {
    fn types(&self) -> &Types {
        &self.program.types
    }

    fn ty(&self, ty: Ty) -> String {
        self.types().display(ty)
    }

    fn local(&self, id: LocalId) -> String {
        let local = &self.function.locals[id.0 as usize];
        let cell = if local.cell { "&" } else { "" };
        format!("{cell}{}.{}", local.name, id.0)
    }

    fn push(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn line(&mut self) {
        self.out.push('\n');
        for _ in 0..self.depth {
            self.out.push_str("  ");
        }
    }

    fn function(&mut self) {
        let typed = |p: &Self, id: &LocalId| format!("{}: {}", p.local(*id), p.ty(p.function.locals[id.0 as usize].ty));
        let params: Vec<String> = self.function.params.iter().map(|id| typed(self, id)).collect();
        let mut head = format!("fn {}({})", self.function.name, params.join(", "));
        if let Some(captures) = &self.function.captures {
            let captures: Vec<String> = captures.iter().map(|id| typed(self, id)).collect();
            let _ = write!(head, " captures ({})", captures.join(", "));
        }
        let _ = write!(head, " -> {} {{", self.ty(self.function.result));
        self.push(&head);
        self.depth = 1;
        self.line();
        self.expr(self.function.body);
        self.depth = 0;
        self.line();
        self.push("}\n");
    }

    fn list(&mut self, open: &str, ids: &[ExprId], close: &str) {
        self.push(open);
        for (i, &id) in ids.iter().enumerate() {
            if i > 0 {
                self.push(", ");
            }
            self.expr(id);
        }
        self.push(close);
    }

    fn block(&mut self, stmts: &[ExprId], value: Option<ExprId>) {
        self.push("{");
        self.depth += 1;
        for &id in stmts.iter().chain(&value) {
            self.line();
            self.expr(id);
        }
        self.depth -= 1;
        self.line();
        self.push("}");
    }

    fn callee(&self, id: FnId) -> String {
        self.program.functions[id.0 as usize].name.clone()
    }

    fn field_name(&self, base: ExprId, variant: u32, field: u32) -> String {
        let ty = self.function.exprs[base.0 as usize].ty;
        let aggregate = self.types().aggregate(ty);
        let fields = aggregate.and_then(|a| a.variants.get(variant as usize)).map(|v| &v.fields);
        fields.and_then(|f| f.get(field as usize)).map_or_else(|| field.to_string(), |f| f.name.to_string())
    }

    fn expr(&mut self, id: ExprId) {
        let expr = &self.function.exprs[id.0 as usize];
        let ty = expr.ty;
        match &expr.kind {
            ExprKind::Int(value) => self.push(&value.to_string()),
            ExprKind::Float(value) => self.push(&format!("{value:?}")),
            ExprKind::Bool(value) => self.push(&value.to_string()),
            ExprKind::Byte(value) => self.push(&format!("{value}b")),
            ExprKind::Str(text) => self.push(&format!("{:?}", text.as_str())),
            ExprKind::Unit => self.push("()"),
            ExprKind::Nil => self.push(&format!("nil: {}", self.ty(ty))),
            ExprKind::Local(local) => self.push(&self.local(*local)),
            ExprKind::Let(local, value) => {
                let ty = self.ty(self.function.locals[local.0 as usize].ty);
                self.push(&format!("let {}: {ty} = ", self.local(*local)));
                self.expr(*value);
            }
            ExprKind::SetLocal(local, value) => {
                self.push(&format!("{} = ", self.local(*local)));
                self.expr(*value);
            }
            ExprKind::Global(global) => self.push(&format!("@{}", self.program.globals[global.0 as usize].name)),
            ExprKind::SetGlobal(global, value) => {
                self.push(&format!("@{} = ", self.program.globals[global.0 as usize].name));
                self.expr(*value);
            }
            ExprKind::Block(stmts, value) => self.block(stmts, *value),
            ExprKind::Cond { arms, otherwise } => {
                for (i, (condition, value)) in arms.iter().enumerate() {
                    self.push(if i == 0 { "if " } else { " else if " });
                    self.expr(*condition);
                    self.push(" then ");
                    self.expr(*value);
                }
                if let Some(value) = otherwise {
                    self.push(" else ");
                    self.expr(*value);
                }
            }
            ExprKind::And(a, b) => self.pair(*a, " and ", *b),
            ExprKind::Or(a, b) => self.pair(*a, " or ", *b),
            ExprKind::Loop { id, condition, body, step } => {
                self.push(&format!("loop.{}", id.0));
                if let Some(condition) = condition {
                    self.push(" while ");
                    self.expr(*condition);
                }
                if let Some(step) = step {
                    self.push(" step ");
                    self.expr(*step);
                }
                self.push(" ");
                self.expr(*body);
            }
            ExprKind::Break(id) => self.push(&format!("break.{}", id.0)),
            ExprKind::Continue(id) => self.push(&format!("continue.{}", id.0)),
            ExprKind::Return(value) => {
                self.push("return ");
                self.expr(*value);
            }
            ExprKind::Prim(prim, args) => self.list(&format!("{prim:?}("), args, ")"),
            ExprKind::Call(target, args) => {
                let name = self.callee(*target);
                self.list(&format!("{name}("), args, ")");
            }
            ExprKind::CallValue(callee, args) => {
                self.expr(*callee);
                self.list(".call(", args, ")");
            }
            ExprKind::CallNative(native, args) => self.list(&format!("native.{}(", native.0), args, ")"),
            ExprKind::Intrinsic(intrinsic, args) => self.list(&format!("{intrinsic:?}("), args, ")"),
            ExprKind::Struct(fields) => self.list(&format!("{}(", self.ty(ty)), fields, ")"),
            ExprKind::Field(base, field) => {
                self.expr(*base);
                self.push(&format!(".{}", self.field_name(*base, 0, *field)));
            }
            ExprKind::SetField(base, field, value) => {
                self.expr(*base);
                self.push(&format!(".{} = ", self.field_name(*base, 0, *field)));
                self.expr(*value);
            }
            ExprKind::Variant(number, fields) => {
                let aggregate = self.types().aggregate(ty);
                let name = aggregate.and_then(|a| a.variants.get(*number as usize)).map(|v| v.name.to_string());
                self.list(&format!("{}(", name.unwrap_or_else(|| number.to_string())), fields, ")");
                self.push(&format!(": {}", self.ty(ty)));
            }
            ExprKind::Tag(value) => {
                self.push("tag ");
                self.expr(*value);
            }
            ExprKind::VariantField(base, variant, field) => {
                self.expr(*base);
                self.push(&format!(".{variant}.{}", self.field_name(*base, *variant, *field)));
            }
            ExprKind::Tuple(parts) => self.list("(", parts, ")"),
            ExprKind::TupleField(base, index) => {
                self.expr(*base);
                self.push(&format!(".{index}"));
            }
            ExprKind::ArrayLiteral(items) => self.list("#[", items, "]"),
            ExprKind::Wrap(value) => self.list("wrap(", &[*value], ")"),
            ExprKind::IsNil(value) => self.list("is_nil(", &[*value], ")"),
            ExprKind::Upcast(value) => self.list("upcast(", &[*value], ")"),
            ExprKind::Downcast(value) => self.list("downcast(", &[*value], ")"),
            ExprKind::TypeSwitch { subject, arms, otherwise } => {
                self.push(&format!("type of {} {{", self.local(*subject)));
                for (ty, value) in arms {
                    self.push(&format!(" {}: ", self.ty(*ty)));
                    self.expr(*value);
                }
                if let Some(value) = otherwise {
                    self.push(" else: ");
                    self.expr(*value);
                }
                self.push(" }");
            }
            ExprKind::Unwrap(value) => self.list("unwrap(", &[*value], ")"),
            ExprKind::Closure(target, captures) => {
                let captures: Vec<String> = captures.iter().map(|&c| self.local(c)).collect();
                self.push(&format!("closure {}[{}]", self.callee(*target), captures.join(", ")));
            }
            ExprKind::FnValue(target) => self.push(&format!("function {}", self.callee(*target))),
            ExprKind::Try { body, error, handler } => {
                self.push("try ");
                self.expr(*body);
                self.push(&format!(" catch {} ", self.local(*error)));
                self.expr(*handler);
            }
            ExprKind::Defer { body, cleanup } => {
                self.push("defer ");
                self.expr(*cleanup);
                self.push(" after ");
                self.expr(*body);
            }
            ExprKind::Trap(kind) => self.push(&format!("trap {}", kind.name())),
        }
    }

    fn pair(&mut self, a: ExprId, word: &str, b: ExprId) {
        self.push("(");
        self.expr(a);
        self.push(word);
        self.expr(b);
        self.push(")");
    }
}
