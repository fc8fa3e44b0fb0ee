//! Reads the text form of the IR (see `display`) back, for tests that give IR as text. Every instruction gets an empty
//! span at the start of file 0. What it reads is well-formed, not valid: see `verify`.

use super::display::snake_case;
use super::{
    Block, BlockData, Elem, Export, ExportType, FieldLayout, FuncId, Function, GlobalId, Inlining, Inst, LiteralId, Op,
    Program, Record, RecordId, RuntimeFn, Scope, Terminator, Type, Value, Values,
};
use crate::prim::Prim;
use crate::syntax::span::{FileId, Span};
use crate::syntax::symbol::Symbol;
use hashbrown::HashMap;
use smallvec::SmallVec;
use std::sync::LazyLock;
use tenure_runtime::native::NativeId;
use tenure_runtime::trap::TrapKind;

/// Reads a program; an error names the line.
pub fn parse(text: &str) -> Result<Program, String> {
    let mut program = Program::default();
    let mut open: Option<Function> = None;
    for (i, line) in text.lines().enumerate() {
        let mut words = Words::new(line);
        parse_line(&mut program, &mut open, &mut words).map_err(|e| format!("line {}: {e}: {}", i + 1, line.trim()))?;
    }
    match open {
        Some(function) => Err(format!("function {:?} has no end", function.name)),
        None => Ok(program),
    }
}

const NOWHERE: Span = Span { file: FileId(0), lo: 0, hi: 0 };

static PRIMS: LazyLock<HashMap<String, Prim>> =
    LazyLock::new(|| Prim::ALL.iter().map(|prim| (snake_case(&format!("{prim:?}")), *prim)).collect());

fn parse_line(program: &mut Program, open: &mut Option<Function>, words: &mut Words<'_>) -> Result<(), String> {
    let Some(first) = words.peek() else { return Ok(()) };
    if let Some(function) = open {
        if first == "}" {
            program.functions.extend(open.take());
            return Ok(());
        }
        return function_line(function, words);
    }
    if first.starts_with("fn") {
        expect_index(words, "fn", program.functions.len())?;
        *open = Some(header(words)?);
        return Ok(());
    }
    let keyword = words.next()?;
    match keyword {
        "record" => {
            expect_index(words, "r", program.records.len())?;
            program.records.push(record(words)?);
        }
        "global" => {
            expect_index(words, "g", program.globals.len())?;
            program.globals.push((Symbol::new(&words.string()?), words.ty()?));
        }
        "literal" => {
            expect_index(words, "s", program.literals.len())?;
            program.literals.push(Symbol::new(&words.string()?));
        }
        "error" => program.error = Some(RecordId(words.index("r")?)),
        "entry" => program.entry = Some(FuncId(words.index("fn")?)),
        "test" => {
            let title = Symbol::new(&words.string()?);
            program.tests.push((title, NOWHERE, FuncId(words.index("fn")?)));
        }
        "export" => program.exports.push(export(words)?),
        other => return Err(format!("unknown word `{other}`")),
    }
    words.end()
}

fn expect_index(words: &mut Words<'_>, prefix: &str, expected: usize) -> Result<(), String> {
    let index = words.index(prefix)?;
    if index as usize == expected { Ok(()) } else { Err(format!("expected {prefix}{expected}")) }
}

fn record(words: &mut Words<'_>) -> Result<Record, String> {
    let name = words.string()?;
    words.expect("words")?;
    let size = words.number()?;
    let mut fields = Vec::new();
    words.list(|words| {
        let word = words.next()?;
        let (ty, offset) = word.split_once('@').ok_or("a field is `type@offset`")?;
        let offset = offset.parse().map_err(|_| "a field's offset is a number")?;
        let length = ty == "length";
        let ty = if length { Type::Int } else { type_of(ty)? };
        fields.push(FieldLayout { ty, offset, length });
        Ok(())
    })?;
    let refs = fields.iter().filter(|f| f.ty == Type::Ref).count() as u32;
    Ok(Record { name, fields, refs, words: size })
}

fn export(words: &mut Words<'_>) -> Result<Export, String> {
    let name = Symbol::new(&words.string()?);
    let function = FuncId(words.index("fn")?);
    let mut params = Vec::new();
    words.list(|words| {
        params.push(export_type(words)?);
        Ok(())
    })?;
    words.expect("->")?;
    Ok(Export { name, function, params, result: export_type(words)? })
}

fn export_type(words: &mut Words<'_>) -> Result<ExportType, String> {
    Ok(match words.peek() {
        Some("int") => ExportType::Int,
        Some("float") => ExportType::Float,
        Some("bool") => ExportType::Bool,
        Some("byte") => ExportType::Byte,
        Some("str") => ExportType::Str,
        Some("unit") => ExportType::Unit,
        _ => return words.string().map(|name| ExportType::Other(name, 0)),
    })
    .inspect(|_| words.skip())
}

fn header(words: &mut Words<'_>) -> Result<Function, String> {
    let name = words.string()?;
    let mut params = Vec::new();
    words.list(|words| {
        params.push(words.ty()?);
        Ok(())
    })?;
    words.expect("->")?;
    let result = words.ty()?;
    let inlining = match words.peek() {
        Some("inline") => Inlining::Always,
        Some("noinline") => Inlining::Never,
        _ => Inlining::Auto,
    };
    if inlining != Inlining::Auto {
        words.skip();
    }
    words.expect("{")?;
    let (blocks, values, inlined) = (Vec::new(), Vec::new(), Vec::new());
    Ok(Function { name, span: NOWHERE, params, result, blocks, values, inlined, inlining })
}

fn function_line(function: &mut Function, words: &mut Words<'_>) -> Result<(), String> {
    let first = words.peek().ok_or("an empty line")?;
    let is_block = first.starts_with('b') && first[1..].parse::<u32>().is_ok();
    if is_block {
        expect_index(words, "b", function.blocks.len())?;
        let mut params = SmallVec::new();
        if words.peek() == Some("(") {
            words.list(|words| {
                params.push(definition(function, words)?);
                Ok(())
            })?;
        }
        let mut handler = None;
        if words.peek() == Some("handler") {
            words.skip();
            handler = Some(Block(words.index("b")?));
        }
        words.expect(":")?;
        let terminator = Terminator::Unreachable;
        function.blocks.push(BlockData {
            params,
            insts: Vec::new(),
            terminator,
            span: NOWHERE,
            scope: Scope::OWN,
            handler,
        });
        return words.end();
    }
    let result = if first.starts_with('v') && words.peek_second() == Some(":") {
        let value = definition(function, words)?;
        words.expect("=")?;
        Some(value)
    } else {
        None
    };
    let block = function.blocks.last_mut().ok_or("an instruction outside a block")?;
    match operation(words)? {
        Line::Op(op) => block.insts.push(Inst { op, result, span: NOWHERE, scope: Scope::OWN }),
        Line::Terminator(terminator) => block.terminator = terminator,
    }
    words.end()
}

/// `v3: int`
fn definition(function: &mut Function, words: &mut Words<'_>) -> Result<Value, String> {
    let value = Value(words.index("v")?);
    words.expect(":")?;
    let ty = words.ty()?;
    if function.values.len() <= value.index() {
        // those in between are defined later, or verification says so
        function.values.resize(value.index() + 1, ty);
    }
    function.values[value.index()] = ty;
    Ok(value)
}

enum Line {
    Op(Op),
    Terminator(Terminator),
}

fn operation(words: &mut Words<'_>) -> Result<Line, String> {
    let name = words.next()?;
    if let Some(terminator) = terminator(name, words)? {
        return Ok(Line::Terminator(terminator));
    }
    Ok(Line::Op(match name {
        "int" => Op::Int(words.next()?.parse().map_err(|_| "not an int")?),
        "float" => Op::Float(words.next()?.parse().map_err(|_| "not a float")?),
        "byte" => Op::Byte(words.next()?.parse().map_err(|_| "not a byte")?),
        "nil" => Op::Nil,
        "poll" => Op::Poll,
        "str" => Op::Str(LiteralId(words.index("s")?)),
        "code" => Op::Code(FuncId(words.index("fn")?)),
        "fn_object" => Op::FnObject(FuncId(words.index("fn")?)),
        "bounds_check" => words.values().map(|[a, b]| Op::BoundsCheck(a, b))?,
        "is_nil" => words.values().map(|[a]| Op::IsNil(a))?,
        "new" => Op::New(RecordId(words.index("r")?), words.rest()?),
        "singleton" => Op::Singleton(RecordId(words.index("r")?)),
        "load" => {
            let (record, field) = words.field()?;
            let [object] = words.values()?;
            Op::Load(record, field, object)
        }
        "store" => {
            let (record, field) = words.field()?;
            let [object, value] = words.values()?;
            Op::Store(record, field, object, value)
        }
        "tag" => {
            let record = RecordId(words.index("r")?);
            let [value] = words.values()?;
            Op::Tag(record, value)
        }
        "array_new" => {
            let elem = Elem::of(words.ty()?);
            let [len, fill] = words.values()?;
            Op::ArrayNew(elem, len, fill)
        }
        "array_literal" => Op::ArrayLiteral(Elem::of(words.ty()?), words.rest()?),
        "array_len" => words.values().map(|[array]| Op::ArrayLen(array))?,
        "array_get" => {
            let elem = Elem::of(words.ty()?);
            let [array, index] = words.values()?;
            Op::ArrayGet(elem, array, index)
        }
        "array_set" => {
            let elem = Elem::of(words.ty()?);
            let [array, index, value] = words.values()?;
            Op::ArraySet(elem, array, index, value)
        }
        "global_get" => Op::GlobalGet(GlobalId(words.index("g")?)),
        "global_set" => {
            let global = GlobalId(words.index("g")?);
            let [value] = words.values()?;
            Op::GlobalSet(global, value)
        }
        "call" => Op::Call(FuncId(words.index("fn")?), words.rest()?),
        "call_value" => Op::CallValue(words.rest()?),
        "call_native" => Op::CallNative(NativeId(words.index("n")?), words.rest()?),
        "call_runtime" => Op::CallRuntime(runtime_fn(words.next()?)?, words.rest()?),
        other => Op::Prim(*PRIMS.get(other).ok_or("unknown operation")?, words.rest()?),
    }))
}

fn terminator(name: &str, words: &mut Words<'_>) -> Result<Option<Terminator>, String> {
    Ok(Some(match name {
        "jump" => {
            let (block, args) = words.target()?;
            Terminator::Jump(block, args)
        }
        "branch" => {
            let condition = words.value()?;
            words.expect(",")?;
            let then = words.target()?;
            words.expect(",")?;
            Terminator::Branch { condition, then, otherwise: words.target()? }
        }
        "return" => Terminator::Return(words.value()?),
        "try" => {
            let body = Block(words.index("b")?);
            words.expect(",")?;
            Terminator::Try { body, handler: Block(words.index("b")?) }
        }
        "trap" => {
            let name = words.next()?;
            let kind = TrapKind::ALL.into_iter().find(|kind| kind.name() == name).ok_or("unknown kind of trap")?;
            Terminator::Trap(kind)
        }
        "unreachable" => Terminator::Unreachable,
        _ => return Ok(None),
    }))
}

fn type_of(name: &str) -> Result<Type, String> {
    Ok(match name {
        "int" => Type::Int,
        "float" => Type::Float,
        "byte" => Type::Byte,
        "ref" => Type::Ref,
        other => return Err(format!("`{other}` is no type")),
    })
}

fn runtime_fn(name: &str) -> Result<RuntimeFn, String> {
    if let Some((name, elem)) = name.split_once('.') {
        let elem = Elem::of(type_of(elem)?);
        return match name {
            "array_copy" => Ok(RuntimeFn::ArrayCopy(elem)),
            "array_part" => Ok(RuntimeFn::ArrayPart(elem)),
            "array_grow" => Ok(RuntimeFn::ArrayGrow(elem)),
            "array_fill" => Ok(RuntimeFn::ArrayFill(elem)),
            _ => Err("unknown function of the runtime".into()),
        };
    }
    use RuntimeFn::*;
    let strings = [StrSlice, StrEq, StrCompare, StrConcat, StrHash, StrFromBytes, StrJoin, IntHash];
    let failures = [Throw, Catch, Suspend, Resume, Reraise];
    let weak = [WeakNew, WeakGet, WeakSetPair, WeakPair, WeakRemovePair, ResourceOwn];
    strings
        .into_iter()
        .chain(weak)
        .chain(failures)
        .find(|f| f.to_string() == name)
        .ok_or_else(|| "unknown function of the runtime".into())
}

/// The words of a line: runs without spaces, `( ) , :` by themselves, quoted strings.
struct Words<'a> {
    rest: &'a str,
}

impl<'a> Words<'a> {
    fn new(line: &'a str) -> Words<'a> {
        Words { rest: line.trim() }
    }

    fn peek(&self) -> Option<&'a str> {
        let first = self.rest.chars().next()?;
        let end = match first {
            '(' | ')' | ',' | ':' => 1,
            '"' => self.rest.len(),
            _ => self.rest.find(|c: char| c.is_whitespace() || "(),:".contains(c)).unwrap_or(self.rest.len()),
        };
        Some(&self.rest[..end])
    }

    fn peek_second(&self) -> Option<&'a str> {
        let first = self.peek()?;
        Words::new(&self.rest[first.len()..]).peek()
    }

    fn skip(&mut self) {
        let len = self.peek().map_or(0, str::len);
        self.rest = self.rest[len..].trim_start();
    }

    fn next(&mut self) -> Result<&'a str, String> {
        let word = self.peek().ok_or("the line ends early")?;
        self.skip();
        Ok(word)
    }

    fn expect(&mut self, word: &str) -> Result<(), String> {
        if self.next()? == word { Ok(()) } else { Err(format!("expected `{word}`")) }
    }

    fn end(&self) -> Result<(), String> {
        if self.rest.is_empty() { Ok(()) } else { Err(format!("`{}` is too much", self.rest)) }
    }

    fn number(&mut self) -> Result<u32, String> {
        self.next()?.parse().map_err(|_| "expected a number".into())
    }

    fn index(&mut self, prefix: &str) -> Result<u32, String> {
        let digits = self.next()?.strip_prefix(prefix).and_then(|digits| digits.parse().ok());
        digits.ok_or_else(|| format!("expected {prefix} and a number"))
    }

    fn ty(&mut self) -> Result<Type, String> {
        type_of(self.next()?)
    }

    fn value(&mut self) -> Result<Value, String> {
        self.index("v").map(Value)
    }

    /// `r0.1`
    fn field(&mut self) -> Result<(RecordId, u32), String> {
        let word = self.next()?;
        let parts = word.strip_prefix('r').and_then(|word| word.split_once('.'));
        let parts = parts.and_then(|(record, field)| Some((record.parse().ok()?, field.parse().ok()?)));
        parts.map(|(record, field)| (RecordId(record), field)).ok_or_else(|| "expected a record and a field".into())
    }

    /// The rest of the line: values with commas between them.
    fn rest(&mut self) -> Result<Values, String> {
        let mut values = Values::new();
        while self.peek().is_some() {
            if !values.is_empty() {
                self.expect(",")?;
            }
            values.push(self.value()?);
        }
        Ok(values)
    }

    fn values<const N: usize>(&mut self) -> Result<[Value; N], String> {
        let values = self.rest()?;
        <[Value; N]>::try_from(values.as_slice()).map_err(|_| format!("takes {N} values"))
    }

    /// `b1` or `b1(v2, v3)`
    fn target(&mut self) -> Result<(Block, Values), String> {
        let block = Block(self.index("b")?);
        let mut args = Values::new();
        if self.peek() == Some("(") {
            self.list(|words| {
                args.push(words.value()?);
                Ok(())
            })?;
        }
        Ok((block, args))
    }

    /// `(item, item)`
    fn list(&mut self, mut item: impl FnMut(&mut Self) -> Result<(), String>) -> Result<(), String> {
        self.expect("(")?;
        if self.peek() == Some(")") {
            self.skip();
            return Ok(());
        }
        loop {
            item(self)?;
            match self.next()? {
                "," => {}
                ")" => return Ok(()),
                _ => return Err("expected `,` or `)`".into()),
            }
        }
    }

    /// A string as `Debug` writes it.
    fn string(&mut self) -> Result<String, String> {
        let mut chars = self.rest.char_indices();
        if chars.next().is_none_or(|(_, c)| c != '"') {
            return Err("expected a string".into());
        }
        let mut text = String::new();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.rest = self.rest[at + 1..].trim_start();
                    return Ok(text);
                }
                '\\' => text.push(escape(&mut chars).ok_or("unknown escape")?),
                c => text.push(c),
            }
        }
        Err("the string has no end".into())
    }
}

fn escape(chars: &mut std::str::CharIndices<'_>) -> Option<char> {
    Some(match chars.next()?.1 {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        '0' => '\0',
        c @ ('"' | '\'' | '\\') => c,
        'u' => {
            let digits: String = chars.map(|(_, c)| c).skip_while(|&c| c == '{').take_while(|&c| c != '}').collect();
            char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?
        }
        _ => return None,
    })
}
