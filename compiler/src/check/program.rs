//! The program as a whole: what it starts from, and the declarations that are checked whether they are used or not.

use super::Checker;
use super::decls::{FnDeclId, FnKind, Owner, TypeDeclKind};
use super::instance::{Instance, What};
use super::modules::CORE;
use super::resolve::Env;
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::hir::{DeclId, FnId, Ty};
use crate::syntax::ast;
use crate::syntax::span::Span;
use crate::syntax::symbol::Symbol;
use std::rc::Rc;
use tenure_runtime::native::NativeType;

/// What a program starts from.
pub(super) struct Roots {
    pub entry: FnId,
    pub tests: Vec<(Symbol, Span, FnId)>,
    pub exports: Vec<(Symbol, FnId)>,
}

impl Checker<'_> {
    /// Whether a function has to be checked anew for the arguments of each call.
    pub(super) fn is_open(&self, decl: FnDeclId) -> bool {
        let declared = self.function(decl);
        declared.generics().len() > 0 || self.is_template(decl)
    }

    /// Checks types and traits that are declared, used or not.
    pub(super) fn check_declarations(&mut self) {
        let mut out = Vec::new();
        for index in 0..self.decls.len() {
            let declared = &self.decls[index];
            let (module, kind, generics) = (declared.module, declared.kind, declared.generics);
            if self.modules.list[module.0 as usize].standard {
                continue;
            }
            // type parameters are anything here
            let mut env =
                Env { types: generics.iter().map(|g| (g.name.name, Ty::ERROR)).collect(), self_ty: Some(Ty::ERROR) };
            let (fields, variants): (&[ast::Field], &[ast::Variant]) = match kind {
                TypeDeclKind::Struct(ast) => (&ast.fields, &[]),
                TypeDeclKind::Enum(ast) => (&[], &ast.variants),
                TypeDeclKind::Trait(ast) => (&ast.fields, &[]),
            };
            env.types.retain(|(name, _)| name.as_str() != "_");
            for field in fields {
                self.resolve(&field.ty, module, &env, &mut out);
            }
            for field in variants.iter().flat_map(|v| &v.fields) {
                match &field.ty {
                    Some(ty) => {
                        self.resolve(ty, module, &env, &mut out);
                    }
                    None => out.push(Diagnostic::error(
                        codes::FIELD_TYPE_MISSING,
                        field.name.span,
                        format!("field `{}` of a variant needs a type", field.name.name),
                    )),
                }
            }
            self.check_trait_header(DeclId(index as u32), &mut out);
        }
        self.check_natives(&mut out);
        self.diagnostics.append(&mut out);
        self.check_promises();
    }

    /// A native function's declaration has to fit the Rust function behind it. Those of the core library are held to that
    /// by a test, and wait until they are wanted.
    fn check_natives(&mut self, out: &mut Vec<Diagnostic>) {
        for index in 0..self.fns.len() {
            let declared = &self.fns[index];
            let FnKind::Native(id) = declared.kind else { continue };
            let (ast, module) = (declared.ast, declared.module);
            if ast.is_put_off() {
                continue;
            }
            let env = Env::default();
            let params: Vec<Ty> = ast
                .params
                .iter()
                .map(|p| p.ty.as_ref().map_or(Ty::ERROR, |t| self.resolve(t, module, &env, out)))
                .collect();
            let result = ast.result.as_ref().map_or(Ty::UNIT, |t| self.resolve_result(t, module, &env, out));
            let native = self.registry.get(id);
            let wanted: Vec<Ty> = native.params.iter().map(|&t| self.native_type(t)).collect();
            // one that always traps gives nothing
            let result = if result == Ty::NEVER { Ty::UNIT } else { result };
            let fits = params == wanted && result == self.native_type(native.result);
            if !fits {
                let message = format!("`{}` is declared with other types than it is registered with", native.name);
                out.push(
                    Diagnostic::error(codes::NATIVE_SIGNATURE, ast.name.span, message)
                        .label(format!("registered as {native:?}")),
                );
            }
        }
    }

    fn native_type(&mut self, ty: NativeType) -> Ty {
        match ty {
            NativeType::Int => Ty::INT,
            NativeType::Float => Ty::FLOAT,
            NativeType::Bool => Ty::BOOL,
            NativeType::Byte => Ty::BYTE,
            NativeType::Str => Ty::STR,
            NativeType::Bytes => self.array_of(Ty::BYTE),
            NativeType::Ints => self.array_of(Ty::INT),
            NativeType::Unit => Ty::UNIT,
        }
    }

    /// Checks the entry, tests, exports, all annotated functions of the program's own modules, and what they reach.
    pub(super) fn check_program(&mut self) -> Roots {
        let order = self.modules.order.clone();
        for &module in order.split_last().map_or(&[][..], |(_, imported)| imported) {
            if let Some(init) = self.init_of(module) {
                self.check_instance(init);
            }
        }
        let mut entry = Instance::new(What::Entry, "top level".into(), Rc::default(), Vec::new(), Some(Ty::UNIT));
        if self.mode == super::Mode::Session {
            entry.result = Some(Ty::STR);
        }
        entry.origin = None;
        let entry = self.add_instance(entry);
        self.check_instance(entry);
        let mut tests = Vec::new();
        let main = order.last().copied().unwrap_or(CORE);
        let modules = self.modules;
        let items = modules.list[main.0 as usize].files.iter().flat_map(|f| &f.items);
        for (index, item) in items.enumerate() {
            match &item.kind {
                ast::ItemKind::Test(test) | ast::ItemKind::Bench(test) => {
                    let is_bench = matches!(item.kind, ast::ItemKind::Bench(_));
                    let name = format!("{} \"{}\"", if is_bench { "bench" } else { "test" }, test.name.name);
                    let mut instance =
                        Instance::new(What::Test(index), name, Rc::default(), Vec::new(), Some(Ty::UNIT));
                    instance.origin = Some((test.name.span, entry));
                    let id = self.add_instance(instance);
                    self.queue.push_back(id);
                    if is_bench == (self.mode == super::Mode::Bench) {
                        tests.push((test.name.name, item.span, id));
                    }
                }
                _ => {}
            }
        }
        let mut exports = Vec::new();
        for index in 0..self.fns.len() {
            let decl = FnDeclId(index as u32);
            let declared = self.function(decl);
            let (module, owner, name) = (declared.module, declared.owner, declared.ast.name.name);
            if self.modules.list[module.0 as usize].standard || declared.kind != FnKind::Body || self.is_open(decl) {
                continue;
            }
            let ast = declared.ast;
            let env = self.fn_env(decl, &[]);
            let mut out = Vec::new();
            let mut params: Vec<Ty> = ast.receiver.and(env.self_ty).into_iter().collect();
            params.extend(self.param_types(decl, &[], &env, &mut out).into_iter().flatten());
            let broken = !out.is_empty();
            self.diagnostics.append(&mut out);
            if broken || params.iter().any(|&p| super::infer::mentions_error(&self.types, p)) {
                continue;
            }
            let id = self.request(decl, Vec::new(), params, None);
            self.queue.push_back(id);
            if module == main && owner == Owner::None && self.mode != super::Mode::Session {
                exports.push((name, id));
            }
        }
        self.drain();
        self.check_generic_bodies();
        self.drain();
        self.check_public_types();
        Roots { entry, tests, exports }
    }
}
