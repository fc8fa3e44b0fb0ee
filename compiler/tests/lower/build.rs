//! A builder of typed trees for tests, so that lowering is tested without the checker. Spans count up, so that every
//! expression has one of its own.

use tenure_compiler::hir::{
    Aggregate, DeclName, Expr, ExprId, ExprKind, Field, FnId, Function, Inlining, Intrinsic, Local, LocalId, LoopId,
    Notation, Program, Ty, TyKind, Variant,
};
use tenure_compiler::prim::Prim;
use tenure_compiler::syntax::span::{FileId, Span};
use tenure_compiler::syntax::symbol::Symbol;
use tenure_runtime::trap::TrapKind;

/// A function in the making; its methods add expressions.
pub struct Fun {
    pub function: Function,
    loops: u32,
}

pub fn span(at: usize) -> Span {
    Span::new(FileId(0), at, at + 1)
}

impl Fun {
    pub fn new(name: &str) -> Fun {
        let function = Function {
            name: name.into(),
            span: span(0),
            params: Vec::new(),
            captures: None,
            result: Ty::UNIT,
            locals: Vec::new(),
            exprs: Vec::new(),
            body: ExprId(0),
            inlining: Inlining::Auto,
        };
        Fun { function, loops: 0 }
    }

    pub fn local(&mut self, name: &str, ty: Ty) -> LocalId {
        self.function.locals.push(Local { name: Symbol::new(name), ty, cell: false });
        LocalId(self.function.locals.len() as u32 - 1)
    }

    pub fn cell(&mut self, name: &str, ty: Ty) -> LocalId {
        let local = self.local(name, ty);
        self.function.locals[local.0 as usize].cell = true;
        local
    }

    pub fn param(&mut self, name: &str, ty: Ty) -> LocalId {
        let local = self.local(name, ty);
        self.function.params.push(local);
        local
    }

    pub fn expr(&mut self, kind: ExprKind, ty: Ty) -> ExprId {
        let at = self.function.exprs.len();
        self.function.exprs.push(Expr { kind, ty, span: span(at) });
        ExprId(at as u32)
    }

    pub fn int(&mut self, i: i64) -> ExprId {
        self.expr(ExprKind::Int(i), Ty::INT)
    }

    pub fn bool(&mut self, b: bool) -> ExprId {
        self.expr(ExprKind::Bool(b), Ty::BOOL)
    }

    pub fn str(&mut self, text: &str) -> ExprId {
        self.expr(ExprKind::Str(Symbol::new(text)), Ty::STR)
    }

    pub fn unit(&mut self) -> ExprId {
        self.expr(ExprKind::Unit, Ty::UNIT)
    }

    pub fn get(&mut self, local: LocalId) -> ExprId {
        let ty = self.function.locals[local.0 as usize].ty;
        self.expr(ExprKind::Local(local), ty)
    }

    pub fn set(&mut self, local: LocalId, value: ExprId) -> ExprId {
        self.expr(ExprKind::SetLocal(local, value), Ty::UNIT)
    }

    pub fn bind(&mut self, local: LocalId, value: ExprId) -> ExprId {
        self.expr(ExprKind::Let(local, value), Ty::UNIT)
    }

    pub fn prim(&mut self, prim: Prim, args: &[ExprId]) -> ExprId {
        let ty = match prim.signature().1 {
            tenure_compiler::ir::Type::Int => Ty::INT,
            tenure_compiler::ir::Type::Float => Ty::FLOAT,
            _ => Ty::BOOL,
        };
        self.expr(ExprKind::Prim(prim, args.to_vec()), ty)
    }

    /// `local = local + by`
    pub fn increment(&mut self, local: LocalId, by: ExprId) -> ExprId {
        let old = self.get(local);
        let sum = self.prim(Prim::IntAdd, &[old, by]);
        self.set(local, sum)
    }

    pub fn call(&mut self, function: FnId, args: &[ExprId], ty: Ty) -> ExprId {
        self.expr(ExprKind::Call(function, args.to_vec()), ty)
    }

    pub fn intrinsic(&mut self, intrinsic: Intrinsic, args: &[ExprId], ty: Ty) -> ExprId {
        self.expr(ExprKind::Intrinsic(intrinsic, args.to_vec()), ty)
    }

    pub fn block(&mut self, statements: &[ExprId], value: Option<ExprId>) -> ExprId {
        let ty = value.map_or(Ty::UNIT, |v| self.function.exprs[v.0 as usize].ty);
        self.expr(ExprKind::Block(statements.to_vec(), value), ty)
    }

    pub fn cond(&mut self, arms: &[(ExprId, ExprId)], otherwise: Option<ExprId>, ty: Ty) -> ExprId {
        self.expr(ExprKind::Cond { arms: arms.to_vec(), otherwise }, ty)
    }

    pub fn trap(&mut self, kind: TrapKind) -> ExprId {
        self.expr(ExprKind::Trap(kind), Ty::NEVER)
    }

    pub fn loop_id(&mut self) -> LoopId {
        self.loops += 1;
        LoopId(self.loops - 1)
    }

    /// A loop whose parts are made knowing its name.
    pub fn while_loop(
        &mut self,
        parts: impl FnOnce(&mut Fun, LoopId) -> (Option<ExprId>, ExprId, Option<ExprId>),
    ) -> ExprId {
        let id = self.loop_id();
        let (condition, body, step) = parts(self, id);
        self.expr(ExprKind::Loop { id, condition, body, step }, Ty::UNIT)
    }

    pub fn finish(mut self, result: Ty, body: ExprId) -> Function {
        self.function.result = result;
        self.function.body = body;
        self.function
    }
}

/// Declares a struct (one unnamed variant) or an enum.
pub fn declare(program: &mut Program, name: &str, variants: &[(&str, &[(&str, Ty)])], is_enum: bool) -> Ty {
    let decl = program.types.name_decl(DeclName { name: Symbol::new(name), notation: Notation::Named });
    let ty =
        program.types.intern(if is_enum { TyKind::Enum(decl, Vec::new()) } else { TyKind::Struct(decl, Vec::new()) });
    set_variants(program, ty, name, variants);
    ty
}

/// Sets the fields of a declared type, which may mention it.
pub fn set_variants(program: &mut Program, ty: Ty, name: &str, variants: &[(&str, &[(&str, Ty)])]) {
    let field = |&(name, ty): &(&str, Ty)| Field { name: Symbol::new(name), ty, mutable: true };
    let variants = variants
        .iter()
        .map(|(name, fields)| Variant { name: Symbol::new(name), fields: fields.iter().map(field).collect() });
    let variants = variants.collect();
    program.types.set_aggregate(ty, Aggregate { name: name.into(), variants });
}

/// The core library's `Error`.
pub fn declare_error(program: &mut Program) -> Ty {
    let ty = declare(program, "Error", &[("Error", &[])], false);
    let cause = program.types.optional(ty);
    let fields = [("message", Ty::STR), ("kind", Ty::STR), ("cause", cause), ("trace", Ty::STR)];
    set_variants(program, ty, "Error", &[("Error", &fields)]);
    program.error = Some(ty);
    ty
}
