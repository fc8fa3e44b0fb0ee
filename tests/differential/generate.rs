//! Random programs that are well typed by construction, end by construction, and print what they compute.
//!
//! An expression is generated for a wanted type from what the scope offers, in the manner of Csmith (Yang et al., PLDI
//! 2011). Invariants:
//! - D1. Every generated program checks without a diagnostic: a refused one is a defect of the generator or the checker.
//! - D2. Every program ends: functions call earlier ones alone, and each call and turn of a loop burns global fuel, whose
//!   lack is a panic like any other.
//! - D3. Values stay small: strings are clipped where they are stored, lists grow by one element at a time.

use fastrand::Rng;
use std::fmt::Write;

#[derive(Clone, PartialEq, Debug)]
enum Type {
    Int,
    Float,
    Bool,
    Byte,
    Str,
    List(Box<Type>),
    /// From `str` or `int`.
    Map(Box<Type>, Box<Type>),
    Tuple(Vec<Type>),
    Optional(Box<Type>),
    Result(Box<Type>),
    Struct(usize),
    Enum(usize),
    /// From the one type to the other.
    Function(Box<Type>, Box<Type>),
}

impl Type {
    fn text(&self) -> String {
        match self {
            Type::Int => "int".into(),
            Type::Float => "float".into(),
            Type::Bool => "bool".into(),
            Type::Byte => "byte".into(),
            Type::Str => "str".into(),
            Type::List(item) => format!("[{}]", item.text()),
            Type::Map(key, value) => format!("[{}: {}]", key.text(), value.text()),
            Type::Tuple(parts) => format!("({})", parts.iter().map(Type::text).collect::<Vec<_>>().join(", ")),
            Type::Optional(inner) => format!("{}?", inner.text()),
            Type::Result(inner) => format!("{}!", inner.text()),
            Type::Struct(i) => format!("S{i}"),
            Type::Enum(i) => format!("E{i}"),
            Type::Function(from, to) => format!("fn({}) -> {}", from.text(), to.text()),
        }
    }

    /// Whether `==` and printing make sense of it.
    fn is_data(&self) -> bool {
        match self {
            Type::Function(..) | Type::Result(_) => false,
            Type::List(inner) | Type::Optional(inner) => inner.is_data(),
            Type::Map(key, value) => key.is_data() && value.is_data(),
            Type::Tuple(parts) => parts.iter().all(Type::is_data),
            _ => true,
        }
    }

    fn is_plain(&self) -> bool {
        match self {
            Type::Optional(_) | Type::Result(_) | Type::Function(..) => false,
            Type::List(inner) => inner.is_plain(),
            Type::Map(_, value) => value.is_plain(),
            Type::Tuple(parts) => parts.iter().all(Type::is_plain),
            _ => true,
        }
    }
}

/// The types of which an optional is asked about: by way of a function, since what is known never to be nil may not be.
const ASKED: [(Type, &str); 3] = [(Type::Int, "some_int"), (Type::Str, "some_str"), (Type::Float, "some_float")];

struct Field {
    ty: Type,
    /// A `var` field.
    assignable: bool,
}

struct Local {
    name: String,
    ty: Type,
    assignable: bool,
}

struct Signature {
    params: Vec<Type>,
    result: Type,
}

/// What a statement stands in.
#[derive(Clone, Copy)]
struct Place<'a> {
    in_loop: bool,
    /// The type that `return` takes, in a function.
    result: Option<&'a Type>,
    indent: usize,
}

struct Generator {
    rng: Rng,
    structs: Vec<Vec<Field>>,
    /// Per variant its fields; the last one has none.
    enums: Vec<Vec<Vec<Type>>>,
    functions: Vec<Signature>,
    scope: Vec<Local>,
    names: usize,
    text: String,
}

/// The program of this seed; `size` scales the number of declarations and statements.
pub fn program(seed: u64, size: usize) -> String {
    let mut generator = Generator {
        rng: Rng::with_seed(seed),
        structs: Vec::new(),
        enums: Vec::new(),
        functions: Vec::new(),
        scope: Vec::new(),
        names: 0,
        text: String::from(PRELUDE),
    };
    generator.declarations(size);
    let top = Place { in_loop: false, result: None, indent: 0 };
    for _ in 0..size * 3 {
        generator.statement(3, top);
    }
    generator.print_scope(0, top);
    generator.text
}

const PRELUDE: &str = "var fuel = 3000
fn burn() { fuel -= 1; if fuel < 0 { panic(\"out of fuel\") } }
fn clip(s: str) -> str { if s.len() > 60 { s[..60] } else { s } }
fn some_int(x: int?) -> int? = x
fn some_str(x: str?) -> str? = x
fn some_float(x: float?) -> float? = x
";

impl Generator {
    fn below(&mut self, n: usize) -> usize {
        self.rng.usize(..n)
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn fresh(&mut self) -> String {
        self.names += 1;
        format!("v{}", self.names)
    }

    fn line(&mut self, indent: usize, text: &str) {
        writeln!(self.text, "{}{text}", "  ".repeat(indent)).expect("writing to a string");
    }

    fn ty(&mut self, depth: usize) -> Type {
        if depth == 0 || self.one_in(2) {
            return [Type::Int, Type::Float, Type::Bool, Type::Byte, Type::Str, Type::Int, Type::Str][self.below(7)]
                .clone();
        }
        match self.below(8) {
            0 | 1 => Type::List(Box::new(self.ty(depth - 1))),
            2 => {
                let key = if self.one_in(2) { Type::Int } else { Type::Str };
                Type::Map(Box::new(key), Box::new(self.ty(depth - 1)))
            }
            3 => Type::Tuple((0..2 + self.below(2)).map(|_| self.ty(depth - 1)).collect()),
            4 => match self.ty(depth - 1) {
                Type::Optional(inner) => Type::Optional(inner),
                inner => Type::Optional(Box::new(inner)),
            },
            5 if !self.structs.is_empty() => Type::Struct(self.below(self.structs.len())),
            6 if !self.enums.is_empty() => Type::Enum(self.below(self.enums.len())),
            _ => Type::Int,
        }
    }

    /// A type whose values tell it themselves: nothing in it may be absent.
    fn plain_type(&mut self, depth: usize) -> Type {
        loop {
            let ty = self.ty(depth);
            if ty.is_plain() {
                return ty;
            }
        }
    }

    fn local_type(&mut self) -> Type {
        match self.below(12) {
            0 => Type::Function(Box::new(self.ty(1)), Box::new(self.ty(1))),
            1 => Type::Result(Box::new(self.ty(1))),
            _ => self.ty(2),
        }
    }

    fn declarations(&mut self, size: usize) {
        for i in 0..1 + self.below(size) {
            let fields: Vec<Field> =
                (0..1 + self.below(4)).map(|_| Field { ty: self.ty(2), assignable: self.one_in(2) }).collect();
            self.line(0, &format!("struct S{i} {{"));
            for (j, field) in fields.iter().enumerate() {
                let var = if field.assignable { "var " } else { "" };
                self.line(1, &format!("{var}f{j}: {}", field.ty.text()));
            }
            self.line(0, "}");
            self.structs.push(fields);
        }
        for i in 0..1 + self.below(size) {
            let mut variants: Vec<Vec<Type>> =
                (0..1 + self.below(3)).map(|_| (0..1 + self.below(3)).map(|_| self.ty(1)).collect()).collect();
            variants.push(Vec::new());
            self.line(0, &format!("enum E{i} {{"));
            for (j, fields) in variants.iter().enumerate() {
                let list: Vec<String> =
                    fields.iter().enumerate().map(|(k, ty)| format!("a{k}: {}", ty.text())).collect();
                let list = if fields.is_empty() { String::new() } else { format!("({})", list.join(", ")) };
                self.line(1, &format!("V{i}x{j}{list}"));
            }
            self.line(0, "}");
            self.enums.push(variants);
        }
        for i in 0..1 + self.below(size) {
            self.function(i);
        }
    }

    fn function(&mut self, i: usize) {
        let params: Vec<Type> = (0..self.below(4)).map(|_| self.local_type()).collect();
        let result = self.ty(2);
        let outer = std::mem::take(&mut self.scope);
        let mut list = Vec::new();
        for ty in &params {
            let name = self.fresh();
            list.push(format!("{name}: {}", ty.text()));
            self.scope.push(Local { name, ty: ty.clone(), assignable: false });
        }
        self.line(0, &format!("fn f{i}({}) -> {} {{", list.join(", "), result.text()));
        self.line(1, "burn()");
        let place = Place { in_loop: false, result: Some(&result), indent: 1 };
        for _ in 0..1 + self.below(5) {
            self.statement(2, place);
        }
        let value = self.expr(&result, 3);
        self.line(1, &value);
        self.line(0, "}");
        self.scope = outer;
        self.functions.push(Signature { params, result });
    }

    /// Prints all locals from this one on.
    fn print_scope(&mut self, from: usize, place: Place) {
        let names: Vec<String> =
            self.scope[from..].iter().filter(|local| local.ty.is_data()).map(|local| local.name.clone()).collect();
        for name in names {
            self.line(place.indent, &format!("print({name})"));
        }
    }

    fn block(&mut self, depth: usize, place: Place) {
        let mark = self.scope.len();
        let inner = Place { indent: place.indent + 1, ..place };
        for _ in 0..1 + self.below(3) {
            self.statement(depth, inner);
        }
        if self.one_in(3) {
            self.print_scope(mark, inner);
        }
        self.scope.truncate(mark);
    }

    fn declare(&mut self, place: Place) {
        let ty = self.local_type();
        let value = self.stored(&ty, 3);
        let name = self.fresh();
        let assignable = self.one_in(2);
        let keyword = if assignable { "var" } else { "let" };
        self.line(place.indent, &format!("{keyword} {name}: {} = {value}", ty.text()));
        self.scope.push(Local { name, ty, assignable });
    }

    /// An expression to be kept in a variable, field or element (D3).
    fn stored(&mut self, ty: &Type, depth: usize) -> String {
        let value = self.expr(ty, depth);
        if *ty == Type::Str { format!("clip({value})") } else { value }
    }

    fn statement(&mut self, depth: usize, place: Place) {
        let indent = place.indent;
        let choice = self.below(if depth == 0 { 8 } else { 14 });
        match choice {
            0..=2 => self.declare(place),
            3 | 4 => self.assign(place),
            5 => {
                let ty = self.plain_type(2);
                let value = self.expr(&ty, 2);
                self.line(indent, &format!("print({value})"));
            }
            6 => self.mutate(place),
            7 => match (place.in_loop, place.result) {
                (true, _) if self.one_in(2) => {
                    let condition = self.expr(&Type::Bool, 1);
                    let jump = if self.one_in(2) { "break" } else { "continue" };
                    self.line(indent, &format!("if {condition} {{ {jump} }}"));
                }
                (_, Some(result)) => {
                    let condition = self.expr(&Type::Bool, 1);
                    let value = self.expr(result, 2);
                    self.line(indent, &format!("if {condition} {{ return {value} }}"));
                }
                _ => self.declare(place),
            },
            8 => {
                let condition = self.expr(&Type::Bool, 2);
                self.line(indent, &format!("if {condition} {{"));
                self.block(depth - 1, place);
                if self.one_in(2) {
                    self.line(indent, "} else {");
                    self.block(depth - 1, place);
                }
                self.line(indent, "}");
            }
            9 => {
                let name = self.fresh();
                let range = format!("{}..{}", self.below(3), self.below(6));
                self.line(indent, &format!("for {name} in {range} {{"));
                self.line(indent + 1, "burn()");
                self.scope.push(Local { name, ty: Type::Int, assignable: false });
                self.block(depth - 1, Place { in_loop: true, ..place });
                self.scope.pop();
                self.line(indent, "}");
            }
            10 => self.for_each(depth, place),
            11 => {
                let condition = self.expr(&Type::Bool, 2);
                self.line(indent, &format!("while {condition} {{"));
                self.line(indent + 1, "burn()");
                self.block(depth - 1, Place { in_loop: true, ..place });
                self.line(indent + 1, "break");
                self.line(indent, "}");
            }
            12 => {
                self.line(indent, "try {");
                self.block(depth - 1, place);
                let name = self.fresh();
                self.line(indent, &format!("}} catch {name} {{ print({name}.kind) }}"));
            }
            _ => self.match_statement(depth, place),
        }
    }

    fn for_each(&mut self, depth: usize, place: Place) {
        let item = self.plain_type(1);
        let list = self.expr(&Type::List(Box::new(item.clone())), 2);
        let (index, name) = (self.fresh(), self.fresh());
        let counted = self.one_in(2);
        let head = if counted { format!("{index}, {name}") } else { name.clone() };
        self.line(place.indent, &format!("for {head} in {list} {{"));
        self.line(place.indent + 1, "burn()");
        let mark = self.scope.len();
        if counted {
            self.scope.push(Local { name: index, ty: Type::Int, assignable: false });
        }
        self.scope.push(Local { name, ty: item, assignable: false });
        self.block(depth - 1, Place { in_loop: true, ..place });
        self.scope.truncate(mark);
        self.line(place.indent, "}");
    }

    fn match_statement(&mut self, depth: usize, place: Place) {
        if self.one_in(3) {
            let (inner, ask) = ASKED[self.below(ASKED.len())].clone();
            let value = self.expr(&Type::Optional(Box::new(inner.clone())), 2);
            let name = self.fresh();
            self.line(place.indent, &format!("if let {name} = {ask}({value}) {{"));
            self.scope.push(Local { name, ty: inner, assignable: false });
            self.block(depth - 1, place);
            self.scope.pop();
            return self.line(place.indent, "}");
        }
        let which = self.below(self.enums.len());
        let value = self.expr(&Type::Enum(which), 2);
        self.line(place.indent, &format!("match {value} {{"));
        for j in 0..self.enums[which].len() {
            let fields = self.enums[which][j].clone();
            let mark = self.scope.len();
            let names: Vec<String> = fields.iter().map(|_| self.fresh()).collect();
            let list = if names.is_empty() { String::new() } else { format!("({})", names.join(", ")) };
            self.line(place.indent + 1, &format!("V{which}x{j}{list} => {{"));
            self.scope.extend(names.into_iter().zip(fields).map(|(name, ty)| Local { name, ty, assignable: false }));
            self.block(depth - 1, Place { indent: place.indent + 1, ..place });
            self.scope.truncate(mark);
            self.line(place.indent + 1, "}");
        }
        self.line(place.indent, "}");
    }

    fn pick(&mut self, fits: impl Fn(&Local) -> bool) -> Option<(String, Type)> {
        let found: Vec<usize> = (0..self.scope.len()).filter(|i| fits(&self.scope[*i])).collect();
        let local = &self.scope[*found.get(self.rng.usize(..found.len().max(1)))?];
        Some((local.name.clone(), local.ty.clone()))
    }

    fn assign(&mut self, place: Place) {
        let Some((name, ty)) = self.pick(|local| local.assignable) else { return self.declare(place) };
        let operator = match ty {
            Type::Int => ["=", "+=", "-=", "*=", "^=", "+%="][self.below(6)],
            Type::Float => ["=", "+=", "-=", "*=", "/="][self.below(5)],
            _ => "=",
        };
        let value = self.stored(&ty, 3);
        self.line(place.indent, &format!("{name} {operator} {value}"));
    }

    /// Changes a list, map or struct.
    fn mutate(&mut self, place: Place) {
        let found = self.pick(|local| matches!(local.ty, Type::List(_) | Type::Map(..) | Type::Struct(_)));
        let text = match found {
            Some((name, Type::List(item))) => {
                let value = self.stored(&item, 2);
                match self.below(4) {
                    0 | 1 => format!("{name}.push({value})"),
                    2 => format!("{name}[{}] = {value}", self.below(3)),
                    _ => format!("print({name}.pop())"),
                }
            }
            Some((name, Type::Map(key, value))) => {
                let (key, value) = (self.stored(&key, 1), self.stored(&value, 2));
                if self.one_in(4) { format!("print({name}.remove({key}))") } else { format!("{name}[{key}] = {value}") }
            }
            Some((name, Type::Struct(i))) => {
                let vars: Vec<usize> = (0..self.structs[i].len()).filter(|j| self.structs[i][*j].assignable).collect();
                let Some(&j) = vars.first() else { return self.declare(place) };
                let ty = self.structs[i][j].ty.clone();
                let value = self.stored(&ty, 2);
                format!("{name}.f{j} = {value}")
            }
            _ => return self.declare(place),
        };
        self.line(place.indent, &text);
    }

    fn expr(&mut self, ty: &Type, depth: usize) -> String {
        let from_scope = self.pick(|local| local.ty == *ty);
        if let Some((name, _)) = from_scope
            && self.below(3) < 2
        {
            return name;
        }
        if depth == 0 {
            return self.literal(ty, 0);
        }
        match self.below(9) {
            0 => {
                let (condition, yes, no) =
                    (self.expr(&Type::Bool, depth - 1), self.expr(ty, depth - 1), self.expr(ty, depth - 1));
                format!("(if {condition} {{ {yes} }} else {{ {no} }})")
            }
            1 => self.call(ty, depth).unwrap_or_else(|| self.literal(ty, depth)),
            2 => self.access(ty).unwrap_or_else(|| self.operation(ty, depth)),
            3 => self.literal(ty, depth),
            _ => self.operation(ty, depth),
        }
    }

    fn call(&mut self, ty: &Type, depth: usize) -> Option<String> {
        let found: Vec<usize> = (0..self.functions.len()).filter(|i| self.functions[*i].result == *ty).collect();
        let function = *found.get(self.rng.usize(..found.len().max(1)))?;
        let params = self.functions[function].params.clone();
        let args: Vec<String> = params.iter().map(|param| self.stored(param, depth - 1)).collect();
        Some(format!("f{function}({})", args.join(", ")))
    }

    /// A field or part of something in scope.
    fn access(&mut self, ty: &Type) -> Option<String> {
        let mut found = Vec::new();
        for local in &self.scope {
            match &local.ty {
                Type::Struct(i) => {
                    let fields = self.structs[*i].iter().enumerate().filter(|(_, field)| field.ty == *ty);
                    found.extend(fields.map(|(j, _)| format!("{}.f{j}", local.name)));
                }
                Type::Tuple(parts) => {
                    let parts = parts.iter().enumerate().filter(|(_, part)| *part == ty);
                    found.extend(parts.map(|(j, _)| format!("{}.{j}", local.name)));
                }
                Type::List(item) if **item == *ty => found.push(format!("{}[0]", local.name)),
                Type::Optional(inner) if **inner == *ty => {
                    let ask = ASKED.iter().find(|(asked, _)| asked == ty);
                    found.extend(ask.map(|(_, ask)| format!("{ask}({})!", local.name)));
                }
                Type::Result(inner) if **inner == *ty => found.push(format!("{}!", local.name)),
                Type::Map(key, value) => match ty {
                    Type::Optional(inner) if inner == value => {
                        let key = if **key == Type::Int { "1" } else { "\"k\"" };
                        found.push(format!("{}[{key}]", local.name));
                    }
                    _ => {}
                },
                _ => {}
            }
        }
        if found.is_empty() { None } else { Some(found.swap_remove(self.rng.usize(..found.len()))) }
    }

    fn literal(&mut self, ty: &Type, depth: usize) -> String {
        let inner = depth.saturating_sub(1);
        match ty {
            Type::Int => match self.below(8) {
                0 => "9223372036854775807".into(),
                1 => format!("(-{})", self.rng.u32(..)),
                _ => self.below(20).to_string(),
            },
            Type::Float => ["0.0", "1.5", "(-2.25)", "1e300", "0.1", "3.0", "(-0.0)"][self.below(7)].into(),
            Type::Bool => ["true", "false"][self.below(2)].into(),
            Type::Byte => format!("byte({})", self.below(256)),
            Type::Str => ["\"\"", "\"a\"", "\"bc\"", "'q{'", "\"k\"", "\"x\\ty\""][self.below(6)].into(),
            Type::List(item) => {
                let items: Vec<String> = (0..1 + self.below(3)).map(|_| self.stored(item, inner)).collect();
                format!("[{}]", items.join(", "))
            }
            Type::Map(key, value) => {
                let pairs: Vec<String> = (0..1 + self.below(2))
                    .map(|_| format!("{}: {}", self.literal(key, 0), self.stored(value, inner)))
                    .collect();
                format!("[{}]", pairs.join(", "))
            }
            Type::Tuple(parts) => {
                let parts: Vec<String> = parts.iter().map(|part| self.stored(part, inner)).collect();
                format!("({})", parts.join(", "))
            }
            Type::Optional(of) => {
                if self.one_in(3) {
                    format!("(if true {{ {} }} else {{ nil }})", self.stored(of, inner))
                } else {
                    self.stored(of, inner)
                }
            }
            Type::Result(of) => {
                if self.one_in(3) {
                    "Err(Error(\"no\"))".into()
                } else {
                    format!("Ok({})", self.stored(of, inner))
                }
            }
            Type::Struct(i) => {
                let fields: Vec<Type> = self.structs[*i].iter().map(|field| field.ty.clone()).collect();
                let fields: Vec<String> =
                    fields.iter().enumerate().map(|(j, ty)| format!("f{j}: {}", self.stored(ty, inner))).collect();
                format!("S{i}({})", fields.join(", "))
            }
            Type::Enum(i) => {
                let j = self.below(self.enums[*i].len());
                let fields = self.enums[*i][j].clone();
                if fields.is_empty() {
                    return format!("E{i}.V{i}x{j}");
                }
                let fields: Vec<String> = fields.iter().map(|ty| self.stored(ty, inner)).collect();
                format!("V{i}x{j}({})", fields.join(", "))
            }
            Type::Function(from, to) => {
                let name = self.fresh();
                self.scope.push(Local { name: name.clone(), ty: (**from).clone(), assignable: false });
                let body = self.stored(to, inner.min(1));
                self.scope.pop();
                format!("(|{name}| {body})")
            }
        }
    }

    fn operation(&mut self, ty: &Type, depth: usize) -> String {
        let less = depth - 1;
        match ty {
            Type::Int => {
                let (a, b) = (self.expr(&Type::Int, less), self.expr(&Type::Int, less));
                match self.below(14) {
                    0 => format!("({a} / {b})"),
                    1 => format!("({a} % {b})"),
                    2 => format!("({a} << ({b} & 63))"),
                    3 => format!("({a} >>> ({b} & 63))"),
                    4 => format!("({a} | {b})"),
                    5 => format!("(-{a})"),
                    6 => format!("({a} *% {b})"),
                    7 => self.measured(less),
                    8 => {
                        let f = self.expr(&Type::Float, less);
                        format!("int({f})")
                    }
                    9 => {
                        let list = self.expr(&Type::List(Box::new(Type::Int)), less);
                        format!("{list}.fold({a}, |x, y| x +% y)")
                    }
                    10 => {
                        let b = self.expr(&Type::Byte, less);
                        format!("int({b})")
                    }
                    other => format!("({a} {} {b})", ["+", "-", "*", "^", "&"][other % 5]),
                }
            }
            Type::Float => {
                let (a, b) = (self.expr(&Type::Float, less), self.expr(&Type::Float, less));
                match self.below(6) {
                    0 => {
                        let i = self.expr(&Type::Int, less);
                        format!("float({i})")
                    }
                    other => format!("({a} {} {b})", ["+", "-", "*", "/", "%"][other % 5]),
                }
            }
            Type::Bool => self.condition(less),
            Type::Byte => {
                let i = self.expr(&Type::Int, less);
                format!("byte({i} & 255)")
            }
            Type::Str => {
                let (a, b) = (self.expr(&Type::Str, less), self.expr(&Type::Str, less));
                let data = self.plain_type(2);
                let value = self.expr(&data, less);
                match self.below(5) {
                    0 => format!("({a} + {b})"),
                    1 => format!("clip({a}).upper()"),
                    2 => format!("{value}.show()"),
                    3 => format!("\"{{{a}}}-{{{value}}}\""),
                    _ => format!("clip({a}).replace({b} + \"a\", \"zz\")"),
                }
            }
            Type::List(item) if item.is_plain() => {
                let list = self.expr(ty, less);
                match self.below(5) {
                    0 => format!("{list}.take({})", self.below(3)),
                    1 => {
                        let name = self.fresh();
                        self.scope.push(Local { name: name.clone(), ty: (**item).clone(), assignable: false });
                        let test = self.expr(&Type::Bool, 1);
                        self.scope.pop();
                        format!("{list}.filter(|{name}| {test})")
                    }
                    2 => {
                        let from = self.plain_type(1);
                        let source = self.expr(&Type::List(Box::new(from.clone())), less);
                        let name = self.fresh();
                        self.scope.push(Local { name: name.clone(), ty: from, assignable: false });
                        let (item, test) = (self.stored(item, 1), self.expr(&Type::Bool, 1));
                        self.scope.pop();
                        format!("[{item} for {name} in {source} if {test}]")
                    }
                    3 => format!("{list}.reversed()"),
                    _ => self.literal(ty, depth),
                }
            }
            Type::Optional(of) if of.is_plain() => match self.below(3) {
                0 => {
                    let list = self.expr(&Type::List(of.clone()), less);
                    format!("{list}.get({})", self.below(4))
                }
                1 => {
                    let list = self.expr(&Type::List(of.clone()), less);
                    format!("{list}.last()")
                }
                _ => self.literal(ty, depth),
            },
            _ => {
                if let Some((name, Type::Function(from, _))) =
                    self.pick(|local| matches!(&local.ty, Type::Function(_, to) if **to == *ty))
                {
                    let argument = self.stored(&from, less);
                    return format!("{name}({argument})");
                }
                self.literal(ty, depth)
            }
        }
    }

    /// The length of something.
    fn measured(&mut self, depth: usize) -> String {
        let ty = match self.below(3) {
            0 => Type::Str,
            1 => Type::List(Box::new(self.plain_type(1))),
            _ => Type::Map(Box::new(Type::Str), Box::new(self.plain_type(1))),
        };
        format!("{}.len()", self.expr(&ty, depth))
    }

    fn condition(&mut self, depth: usize) -> String {
        match self.below(6) {
            0 => {
                let (a, b) = (self.expr(&Type::Bool, depth), self.expr(&Type::Bool, depth));
                format!("({a} {} {b})", ["and", "or"][self.below(2)])
            }
            1 => format!("(not {})", self.expr(&Type::Bool, depth)),
            2 => {
                let ty = self.plain_type(2);
                let (a, b) = (self.expr(&ty, depth), self.expr(&ty, depth));
                format!("({a} {} {b})", ["==", "!="][self.below(2)])
            }
            3 => {
                let ty = self.plain_type(1);
                let (item, list) = (self.expr(&ty, depth), self.expr(&Type::List(Box::new(ty.clone())), depth));
                format!("({item} in {list})")
            }
            _ => {
                let ty = [Type::Int, Type::Float, Type::Str][self.below(3)].clone();
                let (a, b) = (self.expr(&ty, depth), self.expr(&ty, depth));
                format!("({a} {} {b})", ["<", "<=", ">", ">="][self.below(4)])
            }
        }
    }
}
