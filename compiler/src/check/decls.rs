//! Declarations: what each module declares, collected before any body is looked at.
//!
//! Invariants
//! - D1. Every function that can be instantiated, methods and local functions included, has one `FnDecl`.
//! - D2. A type declaration's id equals the [`DeclId`] that types are made with.

use super::Checker;
use super::derive::Derive;
use super::implement::{Follows, Head, Impl, ImplId, Target};
use super::modules::{CORE, ModuleId};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::hir::{DeclId, DeclName, Inlining, Intrinsic, Notation};
use crate::prim::Prim;
use crate::syntax::ast;
use crate::syntax::span::Span;
use crate::syntax::symbol::Symbol;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use std::rc::Rc;
use tenure_runtime::native::NativeId;

/// A function declaration, an index into `Checker::fns`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct FnDeclId(pub u32);

/// A `const`, an index into `Checker::consts`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct ConstId(pub u32);

/// An alias, an index into `Checker::aliases`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct AliasId(pub u32);

/// A top-level binding, an index into `Checker::tops`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct TopId(pub u32);

/// A struct, enum or trait.
pub(super) struct TypeDecl<'a> {
    pub name: ast::Ident,
    pub module: ModuleId,
    pub public: bool,
    pub generics: &'a [ast::Generic],
    pub kind: TypeDeclKind<'a>,
    pub methods: HashMap<Symbol, FnDeclId>,
    /// What a trait asks of the types that have it.
    pub supertraits: &'a [ast::TypeExpr],
}

#[derive(Clone, Copy)]
pub(super) enum TypeDeclKind<'a> {
    Struct(&'a ast::Struct),
    Enum(&'a ast::Enum),
    Trait(&'a ast::Trait),
}

/// What a function belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Owner {
    None,
    /// A method of a struct or enum; its first type arguments are the type's.
    Type(DeclId),
    /// A default method of a trait; its first type argument is `Self`.
    Trait(DeclId),
    /// A method of an `impl` block; its first type arguments are the block's.
    Impl(ImplId),
}

/// How a function is carried out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum FnKind {
    Body,
    Intrinsic(Intrinsic),
    /// An intrinsic that is one primitive operation.
    Prim(Prim),
    /// `array_empty`
    EmptyArray,
    /// An operation of values by their type, like `inspect`.
    Derived(Derive),
    /// A derived operation on the parts of a struct or enum.
    Parts(Derive),
    /// `identity_of`
    Identity,
    /// `derive_read`
    JsonRead,
    /// `derive_write`
    JsonWrite,
    Native(NativeId),
    /// No body where there has to be one; reported.
    Missing,
}

/// A function, method or local function.
pub(super) struct FnDecl<'a> {
    pub ast: &'a ast::Fn,
    pub module: ModuleId,
    pub public: bool,
    pub owner: Owner,
    /// Names of the owner's type arguments (or, for a local function, the enclosing one's).
    pub owner_generics: Rc<[Symbol]>,
    pub kind: FnKind,
    /// Where types that are not written may come from.
    pub follows: Vec<Follows>,
    /// What its attributes say.
    pub inlining: Inlining,
}

impl FnDecl<'_> {
    /// Names of the type arguments: the owner's, then its own.
    pub fn generics(&self) -> impl ExactSizeIterator<Item = Symbol> {
        let own = self.ast.generics.len();
        let owner = self.owner_generics.len();
        (0..owner + own).map(move |i| match i.checked_sub(owner) {
            None => self.owner_generics[i],
            Some(i) => self.ast.generics[i].name.name,
        })
    }

    /// Whether some parameter, or the result, is written without a type.
    pub fn is_incomplete(&self) -> bool {
        self.ast.result.is_none() || self.ast.params.iter().any(|p| p.ty.is_none())
    }
}

/// A constant.
#[derive(Clone, Copy)]
pub(super) struct Const<'a> {
    pub ast: &'a ast::Const,
    pub module: ModuleId,
    pub public: bool,
}

/// A type alias.
#[derive(Clone, Copy)]
pub(super) struct Alias<'a> {
    pub ast: &'a ast::Alias,
    pub module: ModuleId,
    pub public: bool,
}

/// A name bound by a top-level `let` or `var`.
#[derive(Clone, Copy)]
pub(super) struct Top<'a> {
    pub name: Symbol,
    pub span: Span,
    pub module: ModuleId,
    pub public: bool,
    pub mutable: bool,
    /// The statement that binds it.
    pub stmt: &'a ast::Stmt,
}

/// What a name of a module means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Def {
    Fn(FnDeclId),
    Type(DeclId),
    Alias(AliasId),
    Const(ConstId),
    Top(TopId),
    Module(ModuleId),
}

/// The names of a module.
#[derive(Default)]
pub(super) struct Scope {
    pub names: HashMap<Symbol, (Def, Span)>,
    /// Enums that have a variant of that name, with its number.
    pub variants: HashMap<Symbol, Vec<(DeclId, u32)>>,
}

/// Declarations that the language itself leans on.
#[derive(Default)]
pub(super) struct Lang {
    pub list: Option<DeclId>,
    pub map: Option<DeclId>,
    pub set: Option<DeclId>,
    pub range: Option<DeclId>,
    pub result: Option<DeclId>,
    pub error: Option<DeclId>,
    pub steps: Option<DeclId>,
}

/// What `@intrinsic fn name` stands for.
fn intrinsic(name: &str) -> Option<FnKind> {
    use Intrinsic::*;
    let intrinsic = match name {
        "array_new" => ArrayNew,
        "array_zeroed" => ArrayZeroed,
        "array_len" => ArrayLen,
        "array_get" => ArrayGet,
        "array_set" => ArraySet,
        "array_get_unchecked" => ArrayGetUnchecked,
        "array_set_unchecked" => ArraySetUnchecked,
        // a string is an array of bytes that nobody writes
        "array_copy" | "str_copy" => ArrayCopy,
        "array_part" => ArrayPart,
        "array_grow" => ArrayGrow,
        "array_forget" => ArrayForget,
        "array_fill" => ArrayFill,
        "bounds_check" => BoundsCheck,
        "str_len" => StrLen,
        "str_byte" => StrByte,
        "str_slice" => StrSlice,
        "str_eq" => StrEq,
        "str_compare" => StrCompare,
        "str_concat" => StrConcat,
        "str_hash" => StrHash,
        "str_from_bytes" => StrFromBytes,
        "str_join" => StrJoin,
        "int_hash" => IntHash,
        "same" => Same,
        "throw" => Throw,
        "weak_new" => WeakNew,
        "weak_get" => WeakGet,
        "weak_set_pair" => WeakSetPair,
        "weak_pair" => WeakPair,
        "weak_remove_pair" => WeakRemovePair,
        "resource_own" => ResourceOwn,
        "inspect" => return Some(FnKind::Derived(Derive::Inspect)),
        "key_eq" => return Some(FnKind::Derived(Derive::KeyEq)),
        "equal_inside" => return Some(FnKind::Derived(Derive::EqIn)),
        "compare_inside" => return Some(FnKind::Derived(Derive::CompareIn)),
        "show_inside" => return Some(FnKind::Derived(Derive::ShowIn)),
        "equal_parts" => return Some(FnKind::Parts(Derive::EqIn)),
        "compare_parts" => return Some(FnKind::Parts(Derive::CompareIn)),
        "show_parts" => return Some(FnKind::Parts(Derive::ShowIn)),
        "identity_of" => return Some(FnKind::Identity),
        "derive_read" => return Some(FnKind::JsonRead),
        "derive_write" => return Some(FnKind::JsonWrite),
        "array_empty" => return Some(FnKind::EmptyArray),
        "float_sqrt" => return Some(FnKind::Prim(Prim::FloatSqrt)),
        "float_floor" => return Some(FnKind::Prim(Prim::FloatFloor)),
        "float_ceil" => return Some(FnKind::Prim(Prim::FloatCeil)),
        "float_trunc" => return Some(FnKind::Prim(Prim::FloatTrunc)),
        "float_round" => return Some(FnKind::Prim(Prim::FloatRound)),
        "float_abs" => return Some(FnKind::Prim(Prim::FloatAbs)),
        "float_to_bits" => return Some(FnKind::Prim(Prim::FloatToBits)),
        "float_from_bits" => return Some(FnKind::Prim(Prim::FloatFromBits)),
        _ => return None,
    };
    Some(FnKind::Intrinsic(intrinsic))
}

impl<'a> Checker<'a> {
    pub(super) fn collect(&mut self) {
        for id in 0..self.modules.list.len() {
            self.scopes.push(Scope::default());
            self.collect_module(ModuleId(id as u32));
        }
        // imports after all declarations, so that they can point at them
        for id in 0..self.modules.list.len() {
            self.collect_imports(ModuleId(id as u32));
        }
        for pair in self.modules.inputs.windows(2) {
            self.inherit(pair[0], pair[1]);
        }
        for id in 0..self.modules.list.len() {
            self.collect_impls(ModuleId(id as u32));
        }
        self.collect_headers();
        self.impls_complete = true;
        self.collect_follows();
    }

    /// Lets an input of a session see what those before it declare, unless it declares the same name itself.
    fn inherit(&mut self, before: ModuleId, module: ModuleId) {
        let earlier = std::mem::take(&mut self.scopes[before.0 as usize]);
        let scope = &mut self.scopes[module.0 as usize];
        for (&name, &def) in &earlier.names {
            scope.names.entry(name).or_insert(def);
        }
        for (&name, variants) in &earlier.variants {
            scope.variants.entry(name).or_insert_with(|| variants.clone());
        }
        self.scopes[before.0 as usize] = earlier;
    }

    fn define(&mut self, module: ModuleId, name: ast::Ident, def: Def) {
        match self.scopes[module.0 as usize].names.entry(name.name) {
            Entry::Vacant(entry) => {
                entry.insert((def, name.span));
            }
            // top-level bindings shadow each other as local ones do
            Entry::Occupied(mut entry) if matches!((def, entry.get().0), (Def::Top(_), Def::Top(_))) => {
                let before = entry.insert((def, name.span)).0;
                if let (Def::Top(before), Def::Top(top)) = (before, def) {
                    let all = self.top_shadows.entry((module, name.name)).or_insert_with(|| vec![before]);
                    all.push(top);
                }
            }
            Entry::Occupied(entry) => {
                let first = entry.get().1;
                let message = format!("`{}` is declared twice", name.name);
                let mut diagnostic = Diagnostic::error(codes::DECLARED_TWICE, name.span, message).label("again here");
                if first != name.span {
                    diagnostic = diagnostic.and(first, "first here");
                }
                self.diagnostics.push(diagnostic);
            }
        }
    }

    fn collect_module(&mut self, module: ModuleId) {
        let modules = self.modules;
        for file in &modules.list[module.0 as usize].files {
            for item in &file.items {
                self.collect_item(module, item);
                if !modules.list[module.0 as usize].standard {
                    self.check_distinct(item);
                }
            }
        }
    }

    fn collect_item(&mut self, module: ModuleId, item: &'a ast::Item) {
        let public = item.public.is_some();
        match &item.kind {
            ast::ItemKind::Fn(function) => {
                let kind = self.fn_kind(module, function, &item.attributes);
                let id = self.add_fn(function, module, public, Owner::None, Rc::default(), kind);
                self.note_inlining(id, &item.attributes);
                self.define(module, function.name, Def::Fn(id));
            }
            ast::ItemKind::Struct(decl) => {
                let kind = TypeDeclKind::Struct(decl);
                let id = self.add_type(decl.name, module, public, &decl.generics, kind);
                self.headers.push((id, &decl.traits));
                self.collect_methods(id, &decl.methods, &decl.generics);
            }
            ast::ItemKind::Enum(decl) => {
                let kind = TypeDeclKind::Enum(decl);
                let id = self.add_type(decl.name, module, public, &decl.generics, kind);
                self.headers.push((id, &decl.traits));
                for (number, variant) in decl.variants.iter().enumerate() {
                    let variants = &mut self.scopes[module.0 as usize].variants;
                    variants.entry(variant.name.name).or_default().push((id, number as u32));
                }
                self.collect_methods(id, &decl.methods, &decl.generics);
            }
            ast::ItemKind::Trait(decl) => {
                let kind = TypeDeclKind::Trait(decl);
                let id = self.add_type(decl.name, module, public, &decl.generics, kind);
                let own = decl.generics.iter().map(|g| g.name.name);
                let generics: Rc<[Symbol]> = std::iter::once(Symbol::new("Self")).chain(own).collect();
                for method in &decl.methods {
                    let kind = if method.function.has_body() { FnKind::Body } else { FnKind::Missing };
                    let owner = Owner::Trait(id);
                    let function = self.add_fn(&method.function, module, public, owner, Rc::clone(&generics), kind);
                    self.note_inlining(function, &method.attributes);
                    self.types_decl(id).methods.insert(method.function.name.name, function);
                }
            }
            ast::ItemKind::Alias(alias) => {
                let id = AliasId(self.aliases.len() as u32);
                self.aliases.push(Alias { ast: alias, module, public });
                self.define(module, alias.name, Def::Alias(id));
            }
            ast::ItemKind::Const(constant) => {
                let id = ConstId(self.consts.len() as u32);
                self.consts.push(Const { ast: constant, module, public });
                self.define(module, constant.name, Def::Const(id));
            }
            ast::ItemKind::Stmt(stmt) => {
                if let ast::StmtKind::Let { mutable, pattern, .. } = &stmt.kind {
                    let mut names = Vec::new();
                    bound_names(pattern, &mut names);
                    for name in names {
                        let id = TopId(self.tops.len() as u32);
                        let (mutable, span) = (*mutable, name.span);
                        self.tops.push(Top { name: name.name, span, module, public, mutable, stmt });
                        self.define(module, name, Def::Top(id));
                        self.top_by_place.insert((module, span), id);
                    }
                }
            }
            ast::ItemKind::Use(_) | ast::ItemKind::Impl(_) | ast::ItemKind::Test(_) | ast::ItemKind::Bench(_) => {}
        }
        let known = ["inline", "noinline", "pretenure"];
        let internal = ["intrinsic", "native"];
        let standard = self.modules.list[module.0 as usize].standard;
        for attribute in &item.attributes {
            let name = attribute.name.as_str();
            let allowed = known.contains(&name) || (standard && internal.contains(&name));
            if !allowed {
                self.diagnostics.push(
                    Diagnostic::error(
                        codes::UNKNOWN_ATTRIBUTE,
                        attribute.span,
                        format!("there is no attribute `@{name}`"),
                    )
                    .help("attributes are `@inline`, `@noinline` and `@pretenure`"),
                );
            }
        }
    }

    fn types_decl(&mut self, id: DeclId) -> &mut TypeDecl<'a> {
        &mut self.decls[id.0 as usize]
    }

    fn add_type(
        &mut self,
        name: ast::Ident,
        module: ModuleId,
        public: bool,
        generics: &'a [ast::Generic],
        kind: TypeDeclKind<'a>,
    ) -> DeclId {
        let id = self.types.name_decl(DeclName { name: name.name, notation: Notation::Named });
        debug_assert_eq!(id.0 as usize, self.decls.len(), "D2");
        let supertraits = match kind {
            TypeDeclKind::Trait(ast) => ast.supertraits.as_slice(),
            _ => &[],
        };
        self.decls.push(TypeDecl { name, module, public, generics, kind, methods: HashMap::new(), supertraits });
        if module == CORE {
            let slot = match name.name.as_str() {
                "List" => Some((&mut self.lang.list, Notation::List)),
                "Map" => Some((&mut self.lang.map, Notation::Map)),
                "Set" => Some((&mut self.lang.set, Notation::Named)),
                "Range" => Some((&mut self.lang.range, Notation::Named)),
                "Result" => Some((&mut self.lang.result, Notation::Result)),
                "Error" => Some((&mut self.lang.error, Notation::Named)),
                "Steps" => Some((&mut self.lang.steps, Notation::Named)),
                _ => None,
            };
            if let Some((slot, notation)) = slot {
                *slot = Some(id);
                self.types.set_notation(id, notation);
            }
        }
        self.define(module, name, Def::Type(id));
        id
    }

    fn collect_methods(&mut self, owner: DeclId, methods: &'a [ast::Method], generics: &'a [ast::Generic]) {
        let names: Rc<[Symbol]> = generics.iter().map(|g| g.name.name).collect();
        for method in methods {
            self.add_method(owner, self.decls[owner.0 as usize].module, method, Rc::clone(&names));
        }
    }

    fn add_method(&mut self, owner: DeclId, module: ModuleId, method: &'a ast::Method, generics: Rc<[Symbol]>) {
        let public = method.public.is_some();
        let kind = self.fn_kind(module, &method.function, &method.attributes);
        let name = method.function.name;
        let id = self.add_fn(&method.function, module, public, Owner::Type(owner), generics, kind);
        self.note_inlining(id, &method.attributes);
        if let Some(previous) = self.types_decl(owner).methods.insert(name.name, id) {
            let first = self.fns[previous.0 as usize].ast.name.span;
            self.declared_twice("method", name, first);
        }
    }

    fn fn_kind(&mut self, module: ModuleId, function: &ast::Fn, attributes: &[ast::Ident]) -> FnKind {
        let standard = self.modules.list[module.0 as usize].standard;
        let name = function.name.name.as_str();
        for attribute in attributes.iter().filter(|_| standard) {
            match attribute.name.as_str() {
                "intrinsic" => {
                    if let Some(found) = intrinsic(name) {
                        return found;
                    }
                    let message = format!("there is no intrinsic `{name}`");
                    self.diagnostics.push(Diagnostic::error(codes::UNKNOWN_NATIVE, function.name.span, message));
                    return FnKind::Missing;
                }
                "native" => {
                    let path = format!("{}.{name}", self.modules.list[module.0 as usize].path);
                    if let Some(id) = self.registry.find(&path) {
                        return FnKind::Native(id);
                    }
                    let message = format!("there is no native function `{path}`");
                    self.diagnostics.push(Diagnostic::error(codes::UNKNOWN_NATIVE, function.name.span, message));
                    return FnKind::Missing;
                }
                _ => {}
            }
        }
        if !function.has_body() {
            // the parser has said so, or the attribute that excuses it is not known here
            return FnKind::Missing;
        }
        FnKind::Body
    }

    /// Adds a function; `owner_generics` are its owner's.
    pub(super) fn add_fn(
        &mut self,
        ast: &'a ast::Fn,
        module: ModuleId,
        public: bool,
        owner: Owner,
        owner_generics: Rc<[Symbol]>,
        kind: FnKind,
    ) -> FnDeclId {
        self.fns.push(FnDecl {
            ast,
            module,
            public,
            owner,
            owner_generics,
            kind,
            follows: Vec::new(),
            inlining: Inlining::Auto,
        });
        FnDeclId(self.fns.len() as u32 - 1)
    }

    fn note_inlining(&mut self, id: FnDeclId, attributes: &[ast::Ident]) {
        for attribute in attributes {
            match attribute.name.as_str() {
                "inline" => self.fns[id.0 as usize].inlining = Inlining::Always,
                "noinline" => self.fns[id.0 as usize].inlining = Inlining::Never,
                _ => {}
            }
        }
    }

    fn collect_imports(&mut self, module: ModuleId) {
        let modules = self.modules;
        let this = &modules.list[module.0 as usize];
        let uses = this.files.iter().flat_map(|f| &f.items).filter_map(|item| match &item.kind {
            ast::ItemKind::Use(import) => Some(import),
            _ => None,
        });
        for (import, &target) in uses.zip(&this.imports) {
            let Some(target) = target else { continue };
            if import.names.is_empty() || import.alias.is_some() {
                let last = import.path.last().copied();
                if let Some(name) = import.alias.or(last) {
                    self.define(module, name, Def::Module(target));
                }
            }
            for &name in &import.names {
                self.import_name(module, target, name);
            }
        }
    }

    fn import_name(&mut self, module: ModuleId, target: ModuleId, name: ast::Ident) {
        match self.scopes[target.0 as usize].names.get(&name.name).copied() {
            Some((def, _)) if self.is_public(def) => {
                self.define(module, name, def);
                if let Def::Type(decl) = def
                    && let TypeDeclKind::Enum(ast) = self.decls[decl.0 as usize].kind
                {
                    for (number, variant) in ast.variants.iter().enumerate() {
                        let variants = &mut self.scopes[module.0 as usize].variants;
                        variants.entry(variant.name.name).or_default().push((decl, number as u32));
                    }
                }
            }
            Some(_) => self.diagnostics.push(
                Diagnostic::error(codes::PRIVATE_NAME, name.span, format!("`{}` is private to its module", name.name))
                    .help("write `pub` before its declaration to let other modules use it"),
            ),
            None => {
                let names = self.scopes[target.0 as usize].names.iter();
                let near = super::report::nearest(name.name, names.filter(|n| self.is_public(n.1.0)).map(|n| *n.0));
                let path = &self.modules.list[target.0 as usize].path;
                let message = format!("module `{path}` has no `{}`", name.name);
                self.diagnostics.push(super::report::did_you_mean(
                    Diagnostic::error(codes::NOT_IN_MODULE, name.span, message),
                    near,
                ));
            }
        }
    }

    /// Which of several top-level bindings of a name a place means: the last before it, else the first.
    pub(super) fn top_at(&self, top: TopId, place: Span) -> TopId {
        let declared = &self.tops[top.0 as usize];
        if declared.span.file != place.file {
            return top;
        }
        let Some(all) = self.top_shadows.get(&(declared.module, declared.name)) else { return top };
        let before = all.iter().rev().find(|t| self.tops[t.0 as usize].span.lo < place.lo);
        before.or(all.first()).copied().unwrap_or(top)
    }

    /// Whether other modules may use it.
    pub(super) fn is_public(&self, def: Def) -> bool {
        match def {
            Def::Fn(id) => self.fns[id.0 as usize].public,
            Def::Type(id) => self.decls[id.0 as usize].public,
            Def::Alias(id) => self.aliases[id.0 as usize].public,
            Def::Const(id) => self.consts[id.0 as usize].public,
            Def::Top(id) => self.tops[id.0 as usize].public,
            Def::Module(_) => false,
        }
    }

    fn collect_impls(&mut self, module: ModuleId) {
        let modules = self.modules;
        for item in modules.list[module.0 as usize].files.iter().flat_map(|f| &f.items) {
            if let ast::ItemKind::Impl(block) = &item.kind {
                self.collect_impl(module, block);
            }
        }
    }

    /// What the headers of types promise.
    fn collect_headers(&mut self) {
        for (decl, traits) in std::mem::take(&mut self.headers) {
            let module = self.decls[decl.0 as usize].module;
            let generics: Vec<Symbol> = self.decls[decl.0 as usize].generics.iter().map(|g| g.name.name).collect();
            for of in traits {
                let Some(wanted) = self.implemented_trait(of, module) else { continue };
                let (generics, target) = (generics.clone(), Target::Header(decl));
                let bounded = self.decls[decl.0 as usize].generics;
                let new = Impl { wanted, of, module, target, generics, bounded, methods: HashMap::new() };
                self.add_impl(Head::Decl(decl), new);
            }
        }
    }

    /// The trait that is to be implemented; reports what is none.
    fn implemented_trait(&mut self, of: &ast::TypeExpr, module: ModuleId) -> Option<DeclId> {
        let Some(wanted) = self.names_trait(of, module) else {
            let name = match &of.kind {
                ast::TypeKind::Named { path, .. } => path[path.len() - 1].name,
                _ => Symbol::new("?"),
            };
            let traits = self.decls.iter().filter(|d| matches!(d.kind, TypeDeclKind::Trait(_))).map(|d| d.name.name);
            let near = super::report::nearest(name, traits);
            let diagnostic = Diagnostic::error(codes::UNKNOWN_TRAIT, of.span, format!("there is no trait `{name}`"));
            self.diagnostics.push(super::report::did_you_mean(diagnostic, near));
            return None;
        };
        let given = match &of.kind {
            ast::TypeKind::Named { args, .. } => args.len(),
            _ => 0,
        };
        let generics = self.decls[wanted.0 as usize].generics;
        if generics.len() != given {
            let name = self.decls[wanted.0 as usize].name.name;
            let names: Vec<&str> = generics.iter().map(|g| g.name.name.as_str()).collect();
            let message = format!("`{name}` takes {}, not {given}", super::report::count(names.len(), "type argument"));
            let mut diagnostic = Diagnostic::error(codes::TYPE_ARGUMENTS, of.span, message);
            if !names.is_empty() {
                diagnostic = diagnostic.help(format!("write `{name}[{}]` with types for them", names.join(", ")));
            }
            self.diagnostics.push(diagnostic);
            return None;
        }
        Some(wanted)
    }

    fn collect_impl(&mut self, module: ModuleId, block: &'a ast::Impl) {
        let wanted = self.implemented_trait(&block.of, module);
        let Some(head) = self.head_of_written(&block.target, module) else {
            let text = self.sources.text(block.target.span).to_owned();
            let diagnostic =
                Diagnostic::error(codes::UNKNOWN_TYPE, block.target.span, format!("`{text}` can't be given a trait"));
            self.diagnostics.push(match self.names_trait(&block.target, module) {
                Some(_) => diagnostic.label("this is a trait").help("make it ask for the other: `trait A: B`"),
                None => diagnostic.label("there is no such type"),
            });
            return;
        };
        let Some(wanted) = wanted else { return };
        let mut generics: Vec<Symbol> = block.generics.iter().map(|g| g.name.name).collect();
        self.target_names(&block.target, module, &mut generics);
        let id = ImplId(self.impls.len() as u32);
        let mut methods = HashMap::new();
        let names: Rc<[Symbol]> = generics.as_slice().into();
        for method in &block.methods {
            let kind = self.fn_kind(module, &method.function, &method.attributes);
            let (owner, name) = (Owner::Impl(id), method.function.name);
            let decl = self.add_fn(&method.function, module, true, owner, Rc::clone(&names), kind);
            self.note_inlining(decl, &method.attributes);
            if let Some(before) = methods.insert(name.name, decl) {
                let first = self.fns[before.0 as usize].ast.name.span;
                self.declared_twice("method", name, first);
            }
        }
        let target = Target::Written(&block.target);
        self.add_impl(
            head,
            Impl { wanted, of: &block.of, module, target, generics, bounded: &block.generics, methods },
        );
    }

    /// The type parameters that an `impl`'s target brings in without `impl[T]`: those of a generic type written without
    /// arguments, and names in brackets that mean nothing else.
    fn target_names(&self, target: &ast::TypeExpr, module: ModuleId, names: &mut Vec<Symbol>) {
        let mut add = |name: Symbol| {
            if !names.contains(&name) {
                names.push(name);
            }
        };
        match &target.kind {
            ast::TypeKind::Named { path, args } if args.is_empty() => match self.lookup_type_name(module, path) {
                Some(Def::Type(decl)) => {
                    self.decls[decl.0 as usize].generics.iter().for_each(|g| add(g.name.name));
                }
                Some(_) => {}
                None if path.len() == 1 && super::resolve::builtin(path[0].name).is_none() => add(path[0].name),
                None => {}
            },
            ast::TypeKind::Named { args, .. } | ast::TypeKind::Tuple(args) => {
                args.iter().for_each(|arg| self.target_names(arg, module, names));
            }
            ast::TypeKind::List(inner) | ast::TypeKind::Optional(inner) | ast::TypeKind::Result(inner) => {
                self.target_names(inner, module, names);
            }
            ast::TypeKind::Map(key, value) => {
                self.target_names(key, module, names);
                self.target_names(value, module, names);
            }
            ast::TypeKind::Fn(params, result) => {
                let parts = params.iter().chain(result.as_deref());
                parts.for_each(|part| self.target_names(part, module, names));
            }
            ast::TypeKind::Error => {}
        }
    }
}

/// The names that a pattern binds, in source order.
pub(super) fn bound_names(pattern: &ast::Pattern, names: &mut Vec<ast::Ident>) {
    match &pattern.kind {
        ast::PatternKind::Bind(name) => names.push(ast::Ident { name: *name, span: pattern.span }),
        ast::PatternKind::Variant { fields, .. } => names_in_fields(fields.as_ref(), names),
        ast::PatternKind::Tuple(parts) => parts.iter().for_each(|p| bound_names(p, names)),
        ast::PatternKind::List { prefix, rest, suffix } => {
            prefix.iter().for_each(|p| bound_names(p, names));
            names.extend(rest.flatten());
            suffix.iter().for_each(|p| bound_names(p, names));
        }
        // all alternatives bind the same names
        ast::PatternKind::Or(parts) => parts.first().into_iter().for_each(|p| bound_names(p, names)),
        ast::PatternKind::Some(inner) => bound_names(inner, names),
        _ => {}
    }
}

/// The names that the fields of a variant's pattern bind.
pub(super) fn names_in_fields(fields: Option<&ast::PatternFields>, names: &mut Vec<ast::Ident>) {
    match fields {
        Some(ast::PatternFields::Positional(parts)) => parts.iter().for_each(|p| bound_names(p, names)),
        Some(ast::PatternFields::Named(parts)) => parts.iter().for_each(|(_, p)| bound_names(p, names)),
        None => {}
    }
}
