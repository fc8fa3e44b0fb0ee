//! The IR as text, for `--emit=ir` and for tests. One line an instruction, and every value with its type, so that the
//! text says all that the structure does, except for spans:
//!
//! ```text
//! record r0 "Node[int]" words 3 (int@16, ref@8)
//! fn0 "len" (ref) -> int {
//! b0(v0: ref):
//!   v1: byte = is_nil v0
//!   branch v1, b1, b2
//! ...
//! }
//! ```

use super::{BlockData, Elem, ExportType, Function, Inlining, Inst, Op, Program, RuntimeFn, Terminator, Type, Value};
use std::fmt::{self, Display, Formatter, Write};

impl Display for Type {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Type::Int => "int",
            Type::Float => "float",
            Type::Byte => "byte",
            Type::Ref => "ref",
        })
    }
}

impl Display for ExportType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ExportType::Int => "int",
            ExportType::Float => "float",
            ExportType::Bool => "bool",
            ExportType::Byte => "byte",
            ExportType::Str => "str",
            ExportType::Unit => "unit",
            ExportType::Other(name, _) => return write!(f, "{name:?}"),
        })
    }
}

impl Display for Elem {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.ty().fmt(f)
    }
}

impl Display for RuntimeFn {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            RuntimeFn::ArrayCopy(elem) => write!(f, "array_copy.{elem}"),
            RuntimeFn::ArrayPart(elem) => write!(f, "array_part.{elem}"),
            RuntimeFn::ArrayGrow(elem) => write!(f, "array_grow.{elem}"),
            RuntimeFn::ArrayFill(elem) => write!(f, "array_fill.{elem}"),
            other => f.write_str(&snake_case(&format!("{other:?}"))),
        }
    }
}

impl Display for Program {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (i, record) in self.records.iter().enumerate() {
            write!(f, "record r{i} {:?} words {} (", record.name, record.words)?;
            separated(f, &record.fields, |f, field| match field.length {
                true => write!(f, "length@{}", field.offset),
                false => write!(f, "{}@{}", field.ty, field.offset),
            })?;
            f.write_str(")\n")?;
        }
        for (i, (name, ty)) in self.globals.iter().enumerate() {
            writeln!(f, "global g{i} {:?} {ty}", name.as_str())?;
        }
        for (i, text) in self.literals.iter().enumerate() {
            writeln!(f, "literal s{i} {:?}", text.as_str())?;
        }
        if let Some(record) = self.error {
            writeln!(f, "error {record}")?;
        }
        if let Some(entry) = self.entry {
            writeln!(f, "entry {entry}")?;
        }
        for (title, _, function) in &self.tests {
            writeln!(f, "test {:?} {function}", title.as_str())?;
        }
        for export in &self.exports {
            write!(f, "export {:?} {} (", export.name.as_str(), export.function)?;
            separated(f, &export.params, |f, ty| ty.fmt(f))?;
            writeln!(f, ") -> {}", export.result)?;
        }
        for (i, function) in self.functions.iter().enumerate() {
            writeln!(f, "fn{i} {function}")?;
        }
        Ok(())
    }
}

impl Display for Function {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} (", self.name)?;
        separated(f, &self.params, |f, ty| ty.fmt(f))?;
        let inlining = match self.inlining {
            Inlining::Auto => "",
            Inlining::Always => " inline",
            Inlining::Never => " noinline",
        };
        writeln!(f, ") -> {}{inlining} {{", self.result)?;
        for (i, block) in self.blocks.iter().enumerate() {
            write!(f, "b{i}")?;
            if !block.params.is_empty() {
                f.write_char('(')?;
                separated(f, &block.params, |f, &param| typed(f, self, param))?;
                f.write_char(')')?;
            }
            if let Some(handler) = block.handler {
                write!(f, " handler {handler}")?;
            }
            f.write_str(":\n")?;
            self.fmt_block(f, block)?;
        }
        f.write_char('}')
    }
}

impl Function {
    fn fmt_block(&self, f: &mut Formatter<'_>, block: &BlockData) -> fmt::Result {
        for inst in &block.insts {
            f.write_str("  ")?;
            self.fmt_inst(f, inst)?;
            f.write_char('\n')?;
        }
        writeln!(f, "  {}", block.terminator)
    }

    fn fmt_inst(&self, f: &mut Formatter<'_>, inst: &Inst) -> fmt::Result {
        if let Some(result) = inst.result {
            typed(f, self, result)?;
            f.write_str(" = ")?;
        }
        inst.op.fmt(f)
    }
}

impl Display for Op {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Op::Int(i) => write!(f, "int {i}"),
            // the debug form is the shortest that reads back to the same bits, NaN's payload apart
            Op::Float(x) => write!(f, "float {x:?}"),
            Op::Byte(b) => write!(f, "byte {b}"),
            Op::Nil => f.write_str("nil"),
            Op::Str(literal) => write!(f, "str {literal}"),
            Op::Code(function) => write!(f, "code {function}"),
            Op::FnObject(function) => write!(f, "fn_object {function}"),
            Op::Prim(prim, _) => {
                f.write_str(&snake_case(&format!("{prim:?}")))?;
                operands(f, self)
            }
            Op::BoundsCheck(..) => named(f, "bounds_check", self),
            Op::IsNil(_) => named(f, "is_nil", self),
            Op::New(record, _) => named(f, &format!("new {record}"), self),
            Op::Poll => f.write_str("poll"),
            Op::Singleton(record) => write!(f, "singleton {record}"),
            Op::Load(record, field, _) => named(f, &format!("load {record}.{field}"), self),
            Op::Store(record, field, ..) => named(f, &format!("store {record}.{field}"), self),
            Op::Tag(record, _) => named(f, &format!("tag {record}"), self),
            Op::ArrayNew(elem, ..) => named(f, &format!("array_new {elem}"), self),
            Op::ArrayLiteral(elem, _) => named(f, &format!("array_literal {elem}"), self),
            Op::ArrayLen(_) => named(f, "array_len", self),
            Op::ArrayGet(elem, ..) => named(f, &format!("array_get {elem}"), self),
            Op::ArraySet(elem, ..) => named(f, &format!("array_set {elem}"), self),
            Op::GlobalGet(global) => write!(f, "global_get {global}"),
            Op::GlobalSet(global, _) => named(f, &format!("global_set {global}"), self),
            Op::Call(function, _) => named(f, &format!("call {function}"), self),
            Op::CallValue(_) => named(f, "call_value", self),
            Op::CallNative(native, _) => named(f, &format!("call_native n{}", native.0), self),
            Op::CallRuntime(function, _) => named(f, &format!("call_runtime {function}"), self),
        }
    }
}

impl Display for Terminator {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Terminator::Jump(to, args) => {
                write!(f, "jump {to}")?;
                arguments(f, args)
            }
            Terminator::Branch { condition, then, otherwise } => {
                write!(f, "branch {condition}, {}", then.0)?;
                arguments(f, &then.1)?;
                write!(f, ", {}", otherwise.0)?;
                arguments(f, &otherwise.1)
            }
            Terminator::Return(value) => write!(f, "return {value}"),
            Terminator::Try { body, handler } => write!(f, "try {body}, {handler}"),
            Terminator::Trap(kind) => write!(f, "trap {}", kind.name()),
            Terminator::Unreachable => f.write_str("unreachable"),
        }
    }
}

fn typed(f: &mut Formatter<'_>, function: &Function, value: Value) -> fmt::Result {
    write!(f, "{value}: {}", function.values[value.index()])
}

fn named(f: &mut Formatter<'_>, name: &str, op: &Op) -> fmt::Result {
    f.write_str(name)?;
    operands(f, op)
}

fn operands(f: &mut Formatter<'_>, op: &Op) -> fmt::Result {
    let mut separator = " ";
    let mut result = Ok(());
    op.visit(|value| {
        result = result.and_then(|()| write!(f, "{separator}{value}"));
        separator = ", ";
    });
    result
}

fn arguments(f: &mut Formatter<'_>, args: &[Value]) -> fmt::Result {
    if args.is_empty() {
        return Ok(());
    }
    f.write_char('(')?;
    separated(f, args, |f, value| value.fmt(f))?;
    f.write_char(')')
}

fn separated<T>(
    f: &mut Formatter<'_>,
    items: &[T],
    mut item: impl FnMut(&mut Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for (i, it) in items.iter().enumerate() {
        if i > 0 {
            f.write_str(", ")?;
        }
        item(f, it)?;
    }
    Ok(())
}

/// `IntAddWrap` as `int_add_wrap`.
pub(super) fn snake_case(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 4);
    for (i, c) in name.chars().enumerate() {
        if c.is_ascii_uppercase() && i > 0 {
            text.push('_');
        }
        text.push(c.to_ascii_lowercase());
    }
    text
}
