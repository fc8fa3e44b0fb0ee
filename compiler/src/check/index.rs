//! Square brackets: indexes, slices, type arguments; and what an assignment can set.

use super::body::{Body, Expect, Stable};
use super::coerce::Why;
use super::decls::TypeDeclKind;
use super::postfix::{Place, State};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::hir::{ExprId, ExprKind, Intrinsic, Ty, TyKind};
use crate::prim::Prim;
use crate::syntax::ast::{self, PostfixKind};
use crate::syntax::reinterpret::as_type;
use crate::syntax::span::Span;

impl<'a> Body<'_, 'a> {
    pub fn index_state(&mut self, state: State, args: &'a [ast::IndexArg], at: Span, here: Span) -> State {
        match state {
            State::Decl(decl, None) => {
                let types: Vec<Ty> = args.iter().map(|arg| self.index_type(arg)).collect();
                let wanted = if decl == super::traits::ARRAY { 1 } else { self.cx.decl(decl).generics.len() };
                if types.len() != wanted {
                    let name = self.cx.decl_name(decl);
                    let message = format!(
                        "`{name}` takes {}, not {}",
                        super::report::count(wanted, "type argument"),
                        types.len()
                    );
                    return State::Value(self.fail(Diagnostic::error(codes::TYPE_ARGUMENTS, here, message)));
                }
                State::Decl(decl, Some(types))
            }
            State::Fn(decl, mut owner) if self.cx.function(decl).generics().len() > 0 => {
                let types: Vec<Ty> = args.iter().map(|arg| self.index_type(arg)).collect();
                let declared = self.cx.function(decl);
                let all = declared.generics().len();
                if all != owner.len() + types.len() {
                    let wanted = all - owner.len().min(all);
                    let name = declared.ast.name.name;
                    let message = format!(
                        "`{name}` takes {}, not {}",
                        super::report::count(wanted, "type argument"),
                        types.len()
                    );
                    return State::Value(self.fail(Diagnostic::error(codes::TYPE_ARGUMENTS, here, message)));
                }
                owner.extend(types);
                State::Fn(decl, owner)
            }
            state => {
                let value = self.value_of(state, at, Expect::Any);
                let [ast::IndexArg::Expr(index)] = args else {
                    return State::Value(self.fail(Diagnostic::error(
                        codes::NOT_INDEXABLE,
                        here,
                        "one index is expected here",
                    )));
                };
                State::Value(self.index(value, index, here))
            }
        }
    }

    /// A type written between index brackets.
    pub fn index_type(&mut self, arg: &'a ast::IndexArg) -> Ty {
        match arg {
            ast::IndexArg::Type(ty) => self.resolve(ty),
            ast::IndexArg::Expr(e) => match as_type(e) {
                Some(ty) => self.resolve(&ty),
                None => {
                    self.report(Diagnostic::error(codes::NOT_INDEXABLE, e.span, "a type is expected here"));
                    Ty::ERROR
                }
            },
        }
    }

    pub fn index(&mut self, value: ExprId, index: &'a ast::Expr, here: Span) -> ExprId {
        let ty = self.ty(value);
        if let ast::ExprKind::Range { lo, hi, inclusive } = &index.kind {
            return self.slice(value, lo.as_deref(), hi.as_deref(), *inclusive, here);
        }
        let mut lets = Vec::new();
        match self.kind(ty) {
            TyKind::Error | TyKind::Never => {
                self.expr(index, Expect::Any);
                value
            }
            TyKind::Str => {
                let at = self.expr_to(index, Ty::INT, Why::Index);
                self.emit(ExprKind::Intrinsic(Intrinsic::StrByte, vec![value, at]), Ty::BYTE, here)
            }
            TyKind::Array(element) => {
                let at = self.expr_to(index, Ty::INT, Why::Index);
                self.emit(ExprKind::Intrinsic(Intrinsic::ArrayGet, vec![value, at]), element, here)
            }
            TyKind::Struct(decl, args) if Some(decl) == self.cx.lang.list => {
                let base = self.stable("#list", value, &mut lets);
                let at = self.expr_to(index, Ty::INT, Why::Index);
                let at = self.stable("#index", at, &mut lets);
                let id = self.element(&base, &at, args[0], here);
                self.sequence(lets, id, here)
            }
            TyKind::Struct(decl, args) if Some(decl) == self.cx.lang.map => {
                let key = self.expr_to(index, args[0], Why::Index);
                self.method_ids(value, "get", vec![key], here)
            }
            TyKind::Infer(_) => {
                self.expr(index, Expect::Any);
                self.unknown_type(ty, here)
            }
            TyKind::Tuple(_) => {
                self.expr(index, Expect::Any);
                self.fail(
                    Diagnostic::error(codes::NOT_INDEXABLE, here, "a tuple can't be indexed")
                        .help("name the element: `.0`, `.1`"),
                )
            }
            _ => {
                let key = self.expr(index, Expect::Any);
                if let Some(id) = self.operator_call("Index", "index", value, Some(key), here) {
                    return id;
                }
                let shown = self.show(ty);
                let mut diagnostic =
                    Diagnostic::error(codes::NOT_INDEXABLE, here, format!("a value of type {shown} can't be indexed"));
                if self.is_optional(ty) {
                    diagnostic = diagnostic.help("it may be nil: insist with `!` before the index");
                }
                self.fail(diagnostic)
            }
        }
    }

    /// `base[from..to]`
    pub fn slice(
        &mut self,
        value: ExprId,
        lo: Option<&'a ast::Expr>,
        hi: Option<&'a ast::Expr>,
        inclusive: bool,
        here: Span,
    ) -> ExprId {
        let mut lets = Vec::new();
        let base = self.stable("#base", value, &mut lets);
        let lo = match lo {
            Some(lo) => self.expr_to(lo, Ty::INT, Why::Index),
            None => self.int(0, here),
        };
        let hi = match hi {
            Some(hi) => {
                let id = self.expr_to(hi, Ty::INT, Why::Index);
                if inclusive {
                    let one = self.int(1, hi.span);
                    self.emit(ExprKind::Prim(Prim::IntAdd, vec![id, one]), Ty::INT, hi.span)
                } else {
                    id
                }
            }
            None => {
                let base = self.again(&base);
                self.method_ids(base, "len", Vec::new(), here)
            }
        };
        let ty = self.ty(value);
        let value = self.again(&base);
        let id = match ty {
            Ty::STR => self.emit(ExprKind::Intrinsic(Intrinsic::StrSlice, vec![value, lo, hi]), Ty::STR, here),
            _ => self.method_ids(value, "slice", vec![lo, hi], here),
        };
        self.sequence(lets, id, here)
    }

    /// Numbers of `List`'s fields `items` and `len`.
    pub fn list_fields(&self) -> (u32, u32) {
        let Some(decl) = self.cx.lang.list else { return (0, 1) };
        let TypeDeclKind::Struct(ast) = self.cx.decl(decl).kind else { return (0, 1) };
        let find = |name: &str| ast.fields.iter().position(|f| f.name.name.as_str() == name).unwrap_or(0) as u32;
        (find("items"), find("len"))
    }

    /// The element of a list or array, its index checked.
    pub fn element(&mut self, base: &Stable, index: &Stable, element: Ty, span: Span) -> ExprId {
        if let TyKind::Array(_) = self.kind(base.0.ty) {
            let (array, at) = (self.again(base), self.again(index));
            return self.emit(ExprKind::Intrinsic(Intrinsic::ArrayGet, vec![array, at]), element, span);
        }
        let check = self.bounds_check(base, index, span);
        let array = self.items(base, element, span);
        let at = self.again(index);
        let get = self.emit(ExprKind::Intrinsic(Intrinsic::ArrayGetUnchecked, vec![array, at]), element, span);
        self.sequence(vec![check], get, span)
    }

    /// Sets the element of a list or array, its index checked.
    pub fn set_element(&mut self, base: &Stable, index: &Stable, value: &Stable, span: Span) -> ExprId {
        let element = value.0.ty;
        if let TyKind::Array(_) = self.kind(base.0.ty) {
            let (array, at, value) = (self.again(base), self.again(index), self.again(value));
            return self.emit(ExprKind::Intrinsic(Intrinsic::ArraySet, vec![array, at, value]), Ty::UNIT, span);
        }
        let check = self.bounds_check(base, index, span);
        let array = self.items(base, element, span);
        let (at, value) = (self.again(index), self.again(value));
        let set = self.emit(ExprKind::Intrinsic(Intrinsic::ArraySetUnchecked, vec![array, at, value]), Ty::UNIT, span);
        self.emit(ExprKind::Block(vec![check, set], None), Ty::UNIT, span)
    }

    pub fn bounds_check(&mut self, base: &Stable, index: &Stable, span: Span) -> ExprId {
        let (_, len) = self.list_fields();
        let (list, at) = (self.again(base), self.again(index));
        let len = self.emit(ExprKind::Field(list, len), Ty::INT, span);
        self.emit(ExprKind::Intrinsic(Intrinsic::BoundsCheck, vec![at, len]), Ty::UNIT, span)
    }

    pub fn items(&mut self, base: &Stable, element: Ty, span: Span) -> ExprId {
        let (items, _) = self.list_fields();
        let array_ty = self.cx.array_of(element);
        let list = self.again(base);
        self.emit(ExprKind::Field(list, items), array_ty, span)
    }

    /// Evaluates the parts of an assignment's target; None after an error.
    pub fn place(&mut self, target: &'a ast::Expr, lets: &mut Vec<ExprId>) -> Option<Place> {
        let ast::ExprKind::Postfix { base, ops } = &target.kind else {
            self.report(
                Diagnostic::error(codes::NOT_ASSIGNABLE, target.span, "this can't be assigned")
                    .help("a variable, a field, or an element of a list or map can"),
            );
            return None;
        };
        let (last, before) = ops.split_last()?;
        let (state, used) = self.chain_start(base, ops, Expect::Any);
        if let (State::Module(_), PostfixKind::Field(name)) = (&state, &last.kind) {
            let message = format!("`{}` can only be assigned by its own module", name.name);
            self.report(Diagnostic::error(codes::FIXED, target.span, message));
            return None;
        }
        let span = if before.is_empty() { base.span } else { target.span };
        let value = self.chain(state, base.span, &before[used..], span, Expect::Any);
        let ty = self.ty(value);
        if ty == Ty::ERROR {
            return None;
        }
        match &last.kind {
            PostfixKind::Field(name) => self.field_place(value, *name, lets),
            PostfixKind::Index(args) => {
                let [ast::IndexArg::Expr(index)] = args.as_slice() else {
                    self.report(Diagnostic::error(codes::NOT_INDEXABLE, last.span, "one index is expected here"));
                    return None;
                };
                match self.kind(ty) {
                    TyKind::Array(element) => {
                        let base = self.stable("#array", value, lets);
                        let at = self.expr_to(index, Ty::INT, Why::Index);
                        let index = self.stable("#index", at, lets);
                        Some(Place::Element { base, index, element })
                    }
                    TyKind::Struct(decl, types) if Some(decl) == self.cx.lang.list => {
                        let base = self.stable("#list", value, lets);
                        let at = self.expr_to(index, Ty::INT, Why::Index);
                        let index = self.stable("#index", at, lets);
                        Some(Place::Element { base, index, element: types[0] })
                    }
                    TyKind::Struct(decl, types) if Some(decl) == self.cx.lang.map => {
                        let base = self.stable("#map", value, lets);
                        let key = self.expr_to(index, types[0], Why::Index);
                        let key = self.stable("#key", key, lets);
                        Some(Place::Entry { base, key, value: types[1] })
                    }
                    _ => {
                        let shown = self.show(ty);
                        let message = format!("elements of {shown} can't be assigned");
                        self.report(Diagnostic::error(codes::NOT_ASSIGNABLE, target.span, message));
                        None
                    }
                }
            }
            _ => {
                self.report(
                    Diagnostic::error(codes::NOT_ASSIGNABLE, target.span, "this can't be assigned")
                        .help("a variable, a field, or an element of a list or map can"),
                );
                None
            }
        }
    }

    pub fn field_place(&mut self, value: ExprId, name: ast::Ident, lets: &mut Vec<ExprId>) -> Option<Place> {
        let ty = self.ty(value);
        let TyKind::Struct(decl, _) = self.kind(ty) else {
            self.field(value, name, name.span);
            if self.diagnostics.is_empty() {
                let shown = self.show(ty);
                self.report(Diagnostic::error(
                    codes::NOT_ASSIGNABLE,
                    name.span,
                    format!("fields of {shown} can't be assigned"),
                ));
            }
            return None;
        };
        let declared = self.cx.decl(decl);
        let TypeDeclKind::Struct(ast) = declared.kind else { return None };
        let module = declared.module;
        let Some(index) = ast.fields.iter().position(|f| f.name.name == name.name) else {
            self.no_field(ty, name);
            return None;
        };
        let field = &ast.fields[index];
        if !self.cx.modules.kin(module, self.module) && field.public.is_none() {
            self.private_field(ty, name);
            return None;
        }
        if !field.mutable {
            self.report(
                Diagnostic::error(codes::FIXED, name.span, format!("field `{}` can't be assigned", name.name))
                    .and(field.name.span, "declared without `var`")
                    .help(format!("declare it `var {}` to be able to change it", name.name)),
            );
        }
        let field = self.cx.field_type(ty, 0, index, &mut self.diagnostics);
        let base = self.stable("#base", value, lets);
        Some(Place::Field { base, ty, index: index as u32, field })
    }
}
