//! Operations every value has by its type: `==`, order, hash, text. Built-in types have theirs in the core library or
//! as primitives, types that declare the method use it, and all others get a function made here, field by field.
//!
//! Where values can hold values of their own type, the function works inside a *walk* (`core/derived.ten`), which keeps
//! depth from overflowing the stack and finds cycles; the operation that the user asked for starts the walk. A hash
//! needs no more than a depth: what it is made for can't change, so it has no cycles, and it leaves out what is deep.

use super::body::{Body, PendingKind};
use super::decls::TypeDeclKind;
use super::dynamic::Dynamic;
use super::instance::What;
use super::nesting::Hindrance;
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::hir::{ExprId, ExprKind, Intrinsic, LocalId, Ty, TyKind};
use crate::prim::Prim;
use crate::syntax::span::Span;
use crate::syntax::symbol::Symbol;

/// An operation derived from a type's structure.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Derive {
    Eq,
    Compare,
    Hash,
    Show,
    /// `Show`, but a string comes quoted.
    Inspect,
    /// `Eq`, but floats are equal in their total order.
    KeyEq,
    /// `Eq` or `KeyEq`, inside a walk.
    EqIn,
    CompareIn,
    /// `Hash` at some depth.
    HashIn,
    /// `Inspect`, said to a walk.
    ShowIn,
}

impl Derive {
    /// The operation of the language that it is a form of.
    pub fn plain(self) -> Derive {
        match self {
            Derive::Eq | Derive::KeyEq | Derive::EqIn => Derive::Eq,
            Derive::Compare | Derive::CompareIn => Derive::Compare,
            Derive::Hash | Derive::HashIn => Derive::Hash,
            Derive::Show | Derive::Inspect | Derive::ShowIn => Derive::Show,
        }
    }

    /// The method that overrides it.
    pub fn method(self) -> &'static str {
        match self.plain() {
            Derive::Eq => "eq",
            Derive::Compare => "compare",
            Derive::Hash => "hash",
            _ => "show",
        }
    }

    pub fn by_method(name: &str) -> Option<Derive> {
        [Derive::Eq, Derive::Compare, Derive::Hash, Derive::Show].into_iter().find(|d| d.method() == name)
    }

    pub fn is_binary(self) -> bool {
        matches!(self.plain(), Derive::Eq | Derive::Compare)
    }

    /// Whether it works inside a walk, which comes after the values.
    fn walks(self) -> bool {
        matches!(self, Derive::EqIn | Derive::CompareIn | Derive::HashIn | Derive::ShowIn)
    }

    pub fn result(self) -> Ty {
        match self {
            Derive::Eq | Derive::KeyEq | Derive::EqIn => Ty::BOOL,
            Derive::Compare | Derive::Hash | Derive::CompareIn | Derive::HashIn => Ty::INT,
            Derive::Show | Derive::Inspect => Ty::STR,
            Derive::ShowIn => Ty::UNIT,
        }
    }
}

/// A hash looks at values inside each other down to this depth.
const HASH_DEPTH_MAX: i64 = 100;

/// Mixed into a hash between two fields.
const HASH_FACTOR: i64 = 0x2545_f491_4f6c_dd1d;

impl Body<'_, '_> {
    /// Applies an operation to values of one type; waits until the type is known.
    pub fn value_op(&mut self, derive: Derive, args: Vec<ExprId>, span: Span) -> ExprId {
        let ty = self.ty(args[0]);
        let ty = self.deep(ty);
        if self.is_broken(ty) {
            return self.emit(ExprKind::Unit, derive.result(), span);
        }
        if ty == Ty::NEVER {
            return args[0];
        }
        if self.cx.types.is_open(ty) {
            let id = self.emit(ExprKind::Unit, derive.result(), span);
            self.wait(id, PendingKind::Derived { derive, args, ty });
            return id;
        }
        self.derived(derive, &args, ty, span)
    }

    /// Applies an operation to values of a known type.
    pub fn derived(&mut self, derive: Derive, args: &[ExprId], ty: Ty, span: Span) -> ExprId {
        if self.cx.types.is_generic(ty) {
            return self.promised_operation(derive, ty, span);
        }
        if let Some(done) = self.nested(derive, args, ty, span) {
            return done;
        }
        let args = args.to_vec();
        let prim = match (derive, ty) {
            (Derive::Eq, Ty::INT) => Some(Prim::IntEq),
            (Derive::Eq, Ty::FLOAT) => Some(Prim::FloatEq),
            (Derive::Eq, Ty::BOOL) => Some(Prim::BoolEq),
            (Derive::Eq, Ty::BYTE) => Some(Prim::ByteEq),
            _ => None,
        };
        if let Some(prim) = prim {
            return self.emit(ExprKind::Prim(prim, args), Ty::BOOL, span);
        }
        let intrinsic = match (derive, ty) {
            (Derive::Eq, Ty::STR) => Some(Intrinsic::StrEq),
            (Derive::Compare, Ty::STR) => Some(Intrinsic::StrCompare),
            (Derive::Hash, Ty::STR) => Some(Intrinsic::StrHash),
            (Derive::Hash, Ty::INT) => Some(Intrinsic::IntHash),
            _ => None,
        };
        if let Some(intrinsic) = intrinsic {
            return self.emit(ExprKind::Intrinsic(intrinsic, args), derive.result(), span);
        }
        if !matches!(ty, Ty::INT | Ty::FLOAT | Ty::BOOL | Ty::BYTE | Ty::STR)
            && !matches!(self.kind(ty), TyKind::Trait(..) | TyKind::Array(_))
            && let Some(found) = self.cx.written_operation(derive, ty)
        {
            return self.call_ids(found.decl, found.owner, args, span);
        }
        match self.kind(ty) {
            TyKind::Str if derive == Derive::Show => args[0],
            TyKind::Str => self.core_op("str_quote", args, span),
            TyKind::Int | TyKind::Float | TyKind::Bool | TyKind::Byte => {
                let name = format!("{}_{}", self.cx.types.display(ty), derive.method());
                self.core_op(&name, args, span)
            }
            TyKind::Unit => {
                let value = match derive.result() {
                    Ty::BOOL => self.bool(true, span),
                    Ty::INT => self.int(0, span),
                    _ => self.string("()", span),
                };
                self.sequence(args, value, span)
            }
            TyKind::Array(_) if !matches!(derive, Derive::Compare | Derive::Hash) => {
                self.core_op(&format!("array_{}", derive.method()), args, span)
            }
            TyKind::Fn(..) if matches!(derive, Derive::Show | Derive::Inspect) => {
                let text = self.show(ty);
                let text = self.string(&text, span);
                self.sequence(args, text, span)
            }
            TyKind::Array(_) | TyKind::Fn(..) => self.not_derivable(derive, ty, span),
            TyKind::Struct(..) | TyKind::Enum(..) => {
                if self.cx.is_collection(ty) || !self.in_derived() && !self.cx.structural(ty, derive) {
                    return self.not_derivable(derive, ty, span);
                }
                self.call_derived(derive, args, ty, span)
            }
            _ if !self.in_derived() && !self.cx.structural(ty, derive) => self.not_derivable(derive, ty, span),
            _ => self.call_derived(derive, args, ty, span),
        }
    }

    /// Whether this is the body of a derived operation, whose own types have been looked at.
    fn in_derived(&self) -> bool {
        matches!(self.cx.instance(self.id).what, What::Derived(..))
    }

    /// Applies an operation to values that may hold values of their own type, or floats as keys; none where that makes
    /// no difference.
    fn nested(&mut self, derive: Derive, args: &[ExprId], ty: Ty, span: Span) -> Option<ExprId> {
        let nesting = self.cx.nesting(derive, ty);
        if !derive.walks() {
            if derive == Derive::KeyEq && !nesting.floats && !nesting.endless {
                return Some(self.derived(Derive::Eq, args, ty, span));
            }
            // the library's own operations of collections compare floats as `==` does
            let compares_keys = derive == Derive::KeyEq && self.cx.is_collection(ty);
            if !nesting.endless && !compares_keys {
                return None;
            }
            if !self.in_derived() && !self.cx.structural(ty, derive) {
                return Some(self.not_derivable(derive, ty, span));
            }
            if derive == Derive::Show && matches!(self.kind(ty), TyKind::Trait(..)) {
                // a string behind it is not quoted here
                let args = args.to_vec();
                return Some(self.call_dynamic(Dynamic::Derived(derive), Vec::new(), args, Ty::STR, span));
            }
            let whole = match derive {
                Derive::Eq => "equal_whole",
                Derive::KeyEq => "equal_keys",
                Derive::Compare => "compare_whole",
                Derive::Show | Derive::Inspect => "show_whole",
                _ => {
                    let depth = self.int(0, span);
                    return Some(self.derived(Derive::HashIn, &[args[0], depth], ty, span));
                }
            };
            return Some(self.core_op(whole, args.to_vec(), span));
        }
        let (values, walk) = (&args[..args.len() - 1], args[args.len() - 1]);
        if !(nesting.endless || derive == Derive::EqIn && nesting.floats) {
            return Some(match derive {
                Derive::ShowIn => {
                    let text = self.derived(Derive::Inspect, values, ty, span);
                    self.core_op("say", vec![text, walk], span)
                }
                _ => self.derived(derive.plain(), values, ty, span),
            });
        }
        let verb = match derive {
            Derive::EqIn => "equal",
            Derive::CompareIn => "compare",
            _ => "show",
        };
        let args = args.to_vec();
        Some(match self.kind(ty) {
            TyKind::Trait(..) if derive == Derive::CompareIn => self.not_derivable(derive, ty, span),
            TyKind::Trait(..) => self.call_dynamic(Dynamic::Derived(derive), Vec::new(), args, derive.result(), span),
            TyKind::Float => self.core_op("float_equal_in", args, span),
            TyKind::Array(_) => self.core_op(&format!("array_{verb}_in"), args, span),
            TyKind::Struct(decl, _) if self.cx.lang.list == Some(decl) => {
                self.core_op(&format!("list_{verb}_in"), args, span)
            }
            TyKind::Struct(decl, _) if self.cx.lang.map == Some(decl) => {
                self.core_op(&format!("map_{verb}_in"), args, span)
            }
            TyKind::Struct(decl, _) if self.cx.lang.set == Some(decl) => match derive {
                Derive::ShowIn => self.core_op("set_show_in", args, span),
                // its elements are keys, and found as such
                _ => self.core_op("set_equal", values.to_vec(), span),
            },
            TyKind::Struct(..) | TyKind::Enum(..) if derive != Derive::HashIn => {
                self.core_op(&format!("{verb}_in"), args, span)
            }
            _ => self.call_derived(derive, args, ty, span),
        })
    }

    /// Applies an operation inside a walk to the parts of a struct or enum.
    pub fn parts_op(&mut self, derive: Derive, args: Vec<ExprId>, span: Span) -> ExprId {
        let ty = self.ty(args[0]);
        let ty = self.deep(ty);
        if self.is_broken(ty) || self.cx.types.is_open(ty) {
            return self.bad(span);
        }
        self.call_derived(derive, args, ty, span)
    }

    fn call_derived(&mut self, derive: Derive, args: Vec<ExprId>, ty: Ty, span: Span) -> ExprId {
        // a quoted string can only stand inside; of everything else there is one text
        let derive = if derive == Derive::Inspect { Derive::Show } else { derive };
        let id = self.cx.request_derived(derive, ty, Some((span, self.id)));
        self.requests.push(id);
        self.emit(ExprKind::Call(id, args), derive.result(), span)
    }

    fn core_op(&mut self, name: &str, args: Vec<ExprId>, span: Span) -> ExprId {
        match self.cx.core_fn_decl(name) {
            Some(decl) => self.call_ids(decl, Vec::new(), args, span),
            None => self.missing_core(name, span),
        }
    }

    fn not_derivable(&mut self, derive: Derive, ty: Ty, span: Span) -> ExprId {
        let shown = self.show(ty);
        let message = match derive.plain() {
            Derive::Eq => format!("values of type {shown} can't be compared"),
            Derive::Compare => format!("values of type {shown} have no order"),
            Derive::Hash => format!("a value of type {shown} can't be a key"),
            _ => format!("values of type {shown} have no text"),
        };
        let found = self.cx.obstacle(ty, derive);
        let place = found.as_ref().map(|o| o.path.join(".")).unwrap_or_default();
        let diagnostic = match found.map(|o| o.what) {
            Some(Hindrance::Mutable(field)) => {
                Diagnostic::error(codes::NOT_DERIVABLE, span, format!("{message}: its field `{place}` can change"))
                    .and(field.span, "declared with `var`")
                    .help("give the type a method `hash(self) -> int`, and `eq`, that leave it out")
            }
            Some(Hindrance::Type(inner)) if !place.is_empty() => {
                let inner = self.show(inner);
                let why = match derive.plain() {
                    Derive::Eq => "can't be compared",
                    Derive::Compare => "has no order",
                    Derive::Hash => "has no hash that never changes",
                    _ => "has no text",
                };
                let message = format!("{message}: its field `{place}` holds a {inner}, which {why}");
                Diagnostic::error(codes::NOT_DERIVABLE, span, message)
            }
            _ if derive.plain() == Derive::Hash => {
                Diagnostic::error(codes::NOT_DERIVABLE, span, format!("{message}: it has no hash that never changes"))
            }
            _ => Diagnostic::error(codes::NOT_DERIVABLE, span, message),
        };
        self.fail(diagnostic)
    }

    // ---- the functions

    /// The body of a derived operation on a type.
    pub fn derived_body(&mut self, derive: Derive, ty: Ty) {
        let span = self.frame().span;
        let a = self.param(Symbol::new("a"), ty, span);
        let b = derive.is_binary().then(|| self.param(Symbol::new("b"), ty, span));
        let values: Vec<LocalId> = std::iter::once(a).chain(b).collect();
        let walk = self.cx.walk_type(derive).map(|walk| self.param(Symbol::new("walk"), walk, span));
        let mut operands = Operands { values, walk };
        let mut stmts = Vec::new();
        if let (Derive::HashIn, TyKind::Struct(..) | TyKind::Enum(..), Some(depth)) = (derive, self.kind(ty), walk) {
            operands.walk = Some(self.hash_deeper(depth, span, &mut stmts));
        }
        let body = match self.kind(ty) {
            TyKind::Optional(inner) => self.derive_optional(derive, &operands, inner, span),
            TyKind::Tuple(parts) => {
                let fields: Vec<Part> = parts
                    .iter()
                    .enumerate()
                    .map(|(i, &ty)| Part { name: None, ty, at: At::Element(i as u32) })
                    .collect();
                self.derive_parts(derive, &operands, None, &fields, span)
            }
            TyKind::Struct(decl, _) => {
                let TypeDeclKind::Struct(ast) = self.cx.decl(decl).kind else { return };
                let mut fields = Vec::new();
                for (i, field) in ast.fields.iter().enumerate() {
                    let ty = self.cx.field_type(ty, 0, i, &mut self.diagnostics);
                    fields.push(Part { name: Some(field.name.name), ty, at: At::Field(i as u32) });
                }
                self.derive_parts(derive, &operands, Some(ast.name.name), &fields, span)
            }
            TyKind::Enum(decl, _) => {
                let TypeDeclKind::Enum(ast) = self.cx.decl(decl).kind else { return };
                let mut variants = Vec::new();
                for (number, variant) in ast.variants.iter().enumerate() {
                    let mut fields = Vec::new();
                    for (i, field) in variant.fields.iter().enumerate() {
                        let ty = self.cx.field_type(ty, number, i, &mut self.diagnostics);
                        let at = At::Variant(number as u32, i as u32);
                        fields.push(Part { name: Some(field.name.name), ty, at });
                    }
                    variants.push((variant.name.name, fields));
                }
                self.derive_enum(derive, &operands, &variants, span)
            }
            _ => self.bad(span),
        };
        let body = self.sequence(stmts, body, span);
        let frame = self.frame();
        frame.body = body;
    }

    /// Leaves the function where it is too deep; gives the depth of what is inside.
    fn hash_deeper(&mut self, depth: LocalId, span: Span, stmts: &mut Vec<ExprId>) -> LocalId {
        let (read, most) = (self.read(depth, span), self.int(HASH_DEPTH_MAX, span));
        let deep = self.emit(ExprKind::Prim(Prim::IntGe, vec![read, most]), Ty::BOOL, span);
        let zero = self.int(0, span);
        let leave = self.emit(ExprKind::Return(zero), Ty::NEVER, span);
        stmts.push(self.emit(ExprKind::Cond { arms: vec![(deep, leave)], otherwise: None }, Ty::UNIT, span));
        let (read, one) = (self.read(depth, span), self.int(1, span));
        let deeper = self.emit(ExprKind::Prim(Prim::IntAddWrap, vec![read, one]), Ty::INT, span);
        self.temp("#depth", deeper, stmts)
    }

    fn read_part(&mut self, operand: LocalId, part: &Part, span: Span) -> ExprId {
        let base = self.read(operand, span);
        let kind = match part.at {
            At::Field(i) => ExprKind::Field(base, i),
            At::Element(i) => ExprKind::TupleField(base, i),
            At::Variant(number, i) => ExprKind::VariantField(base, number, i),
        };
        self.emit(kind, part.ty, span)
    }

    fn part_op(&mut self, derive: Derive, operands: &Operands, part: &Part, span: Span) -> ExprId {
        let mut args: Vec<ExprId> = operands.values.iter().map(|&o| self.read_part(o, part, span)).collect();
        args.extend(operands.walk.map(|walk| self.read(walk, span)));
        self.value_op(derive, args, span)
    }

    /// Text between the parts, to the walk if there is one.
    fn text_piece(&mut self, text: &str, operands: &Operands, span: Span) -> ExprId {
        let text = self.string(text, span);
        match operands.walk {
            Some(walk) => {
                let walk = self.read(walk, span);
                self.core_op("say", vec![text, walk], span)
            }
            None => text,
        }
    }

    /// The operation on the fields of a struct, a tuple or one variant.
    fn derive_parts(
        &mut self,
        derive: Derive,
        operands: &Operands,
        name: Option<Symbol>,
        parts: &[Part],
        span: Span,
    ) -> ExprId {
        match derive {
            Derive::Eq | Derive::KeyEq | Derive::EqIn => {
                let mut result = None;
                for part in parts {
                    let same = self.part_op(derive, operands, part, span);
                    result = Some(match result {
                        None => same,
                        Some(before) => self.emit(ExprKind::And(before, same), Ty::BOOL, span),
                    });
                }
                match result {
                    Some(id) => id,
                    None => self.bool(true, span),
                }
            }
            Derive::Compare | Derive::CompareIn => {
                let mut stmts = Vec::new();
                for part in parts {
                    let order = self.part_op(derive, operands, part, span);
                    let order = self.temp("#order", order, &mut stmts);
                    let (read, zero) = (self.read(order, span), self.int(0, span));
                    let differs = self.emit(ExprKind::Prim(Prim::IntNe, vec![read, zero]), Ty::BOOL, span);
                    let read = self.read(order, span);
                    let leave = self.emit(ExprKind::Return(read), Ty::NEVER, span);
                    let kind = ExprKind::Cond { arms: vec![(differs, leave)], otherwise: None };
                    stmts.push(self.emit(kind, Ty::UNIT, span));
                }
                let zero = self.int(0, span);
                self.sequence(stmts, zero, span)
            }
            Derive::Hash | Derive::HashIn => {
                let mut hash = self.int(parts.len() as i64, span);
                for part in parts {
                    let factor = self.int(HASH_FACTOR, span);
                    let scaled = self.emit(ExprKind::Prim(Prim::IntMulWrap, vec![hash, factor]), Ty::INT, span);
                    let own = self.part_op(derive, operands, part, span);
                    hash = self.emit(ExprKind::Prim(Prim::IntXor, vec![scaled, own]), Ty::INT, span);
                }
                self.emit(ExprKind::Intrinsic(Intrinsic::IntHash, vec![hash]), Ty::INT, span)
            }
            Derive::Show | Derive::Inspect | Derive::ShowIn => {
                let inner = if derive == Derive::ShowIn { derive } else { Derive::Inspect };
                let mut pieces = Vec::new();
                let mut text = name.map_or_else(String::new, |n| n.to_string());
                if !parts.is_empty() || name.is_none() {
                    text.push('(');
                }
                for (i, part) in parts.iter().enumerate() {
                    if i > 0 {
                        text.push_str(", ");
                    }
                    if let Some(name) = part.name {
                        text.push_str(name.as_str());
                        text.push_str(": ");
                    }
                    if !text.is_empty() {
                        pieces.push(self.text_piece(&text, operands, span));
                        text.clear();
                    }
                    pieces.push(self.part_op(inner, operands, part, span));
                }
                if !parts.is_empty() || name.is_none() {
                    text.push(')');
                }
                pieces.push(self.text_piece(&text, operands, span));
                match pieces.as_slice() {
                    [one] => *one,
                    _ if derive == Derive::ShowIn => self.emit(ExprKind::Block(pieces, None), Ty::UNIT, span),
                    _ => self.emit(ExprKind::Intrinsic(Intrinsic::StrConcat, pieces), Ty::STR, span),
                }
            }
        }
    }

    fn derive_optional(&mut self, derive: Derive, operands: &Operands, inner: Ty, span: Span) -> ExprId {
        let mut values = Vec::new();
        for &operand in &operands.values {
            let read = self.read(operand, span);
            values.push(self.emit(ExprKind::Unwrap(read), inner, span));
        }
        values.extend(operands.walk.map(|walk| self.read(walk, span)));
        let present = self.value_op(if derive == Derive::Show { Derive::Inspect } else { derive }, values, span);
        let read = self.read(operands.values[0], span);
        let nil = self.emit(ExprKind::IsNil(read), Ty::BOOL, span);
        let mut arms = Vec::new();
        match derive.plain() {
            Derive::Eq | Derive::Compare => {
                let read = self.read(operands.values[1], span);
                let other = self.emit(ExprKind::IsNil(read), Ty::BOOL, span);
                // nil comes first
                let (absent, more) = match derive.plain() {
                    Derive::Eq => (other, self.bool(false, span)),
                    _ => {
                        let (less, zero) = (self.int(-1, span), self.int(0, span));
                        let kind = ExprKind::Cond { arms: vec![(other, zero)], otherwise: Some(less) };
                        (self.emit(kind, Ty::INT, span), self.int(1, span))
                    }
                };
                arms.push((nil, absent));
                let read = self.read(operands.values[1], span);
                let other = self.emit(ExprKind::IsNil(read), Ty::BOOL, span);
                arms.push((other, more));
            }
            Derive::Hash => {
                let zero = self.int(0, span);
                arms.push((nil, self.emit(ExprKind::Intrinsic(Intrinsic::IntHash, vec![zero]), Ty::INT, span)));
            }
            _ => {
                let text = self.text_piece("nil", operands, span);
                arms.push((nil, text));
            }
        }
        self.emit(ExprKind::Cond { arms, otherwise: Some(present) }, derive.result(), span)
    }

    fn derive_enum(
        &mut self,
        derive: Derive,
        operands: &Operands,
        variants: &[(Symbol, Vec<Part>)],
        span: Span,
    ) -> ExprId {
        let mut lets = Vec::new();
        let mut tags = Vec::new();
        for &operand in &operands.values {
            let read = self.read(operand, span);
            let tag = self.emit(ExprKind::Tag(read), Ty::INT, span);
            tags.push(self.temp("#tag", tag, &mut lets));
        }
        let mut arms = Vec::new();
        if let [a, b] = tags.as_slice() {
            let (x, y) = (self.read(*a, span), self.read(*b, span));
            let differs = self.emit(ExprKind::Prim(Prim::IntNe, vec![x, y]), Ty::BOOL, span);
            let result = match derive.plain() {
                Derive::Eq => self.bool(false, span),
                _ => {
                    let (x, y) = (self.read(*a, span), self.read(*b, span));
                    self.emit(ExprKind::Prim(Prim::IntSubWrap, vec![x, y]), Ty::INT, span)
                }
            };
            arms.push((differs, result));
        }
        for (number, (name, parts)) in variants.iter().enumerate() {
            if parts.is_empty() && derive.is_binary() {
                continue;
            }
            let (tag, wanted) = (self.read(tags[0], span), self.int(number as i64, span));
            let test = self.emit(ExprKind::Prim(Prim::IntEq, vec![tag, wanted]), Ty::BOOL, span);
            let mut value = self.derive_parts(derive, operands, Some(*name), parts, span);
            if derive.plain() == Derive::Hash {
                let number = self.int(number as i64, span);
                value = self.emit(ExprKind::Prim(Prim::IntAddWrap, vec![value, number]), Ty::INT, span);
            }
            arms.push((test, value));
        }
        let otherwise = match derive.result() {
            Ty::BOOL => self.bool(true, span),
            Ty::INT => self.int(0, span),
            Ty::UNIT => self.unit(span),
            _ => self.string("", span),
        };
        let id = self.emit(ExprKind::Cond { arms, otherwise: Some(otherwise) }, derive.result(), span);
        self.sequence(lets, id, span)
    }

    /// The core library's function of that name.
    pub fn core_fn(&mut self, name: &str) -> Option<super::decls::FnDeclId> {
        self.cx.core_fn_decl(name)
    }
}

/// What a derived operation works on.
struct Operands {
    values: Vec<LocalId>,
    /// The walk, or for a hash the depth.
    walk: Option<LocalId>,
}

/// A field of what is derived for.
struct Part {
    name: Option<Symbol>,
    ty: Ty,
    at: At,
}

#[derive(Clone, Copy)]
enum At {
    Field(u32),
    Element(u32),
    Variant(u32, u32),
}
