//! Whether patterns cover all values: Maranget's usefulness ("Warnings for pattern matching", 2007) over a matrix of
//! simplified patterns, with ranges split where patterns begin and end, as rustc does.
//!
//! It knows types and patterns, nothing of the expressions made for them.

use super::body::Body;
use super::decls::TypeDeclKind;
use crate::hir::{Ty, TyKind};
use crate::syntax::symbol::Symbol;

/// A pattern reduced to what it matches.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Pat {
    Wild,
    Ctor(Ctor, Vec<Pat>),
    /// A list: elements before and behind `..`.
    List {
        parts: Vec<Pat>,
        prefix: usize,
        open: bool,
    },
    Or(Vec<Pat>),
}

/// A constructor of values.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Ctor {
    Variant(u32),
    /// A tuple or struct.
    Tuple,
    Nil,
    Some,
    Bool(bool),
    /// Ints or bytes, both ends included.
    Range(i128, i128),
    Str(Symbol),
    Float(u64),
    /// A list of exactly this length; beyond the longest pattern one length stands for all.
    Length(usize),
    /// A type behind a trait's reference.
    Type(Ty),
    /// Matches something that can't be told from other patterns.
    Opaque(u32),
}

/// Examples of missing values that a message names.
const MISSING_MAX: usize = 3;
/// Rows looked at for the patterns of one body. Usefulness is an NP-complete question, and patterns that ask it in
/// earnest are not written by people.
const WORK_MAX: usize = 3_000_000;

/// There was more to look at than [`WORK_MAX`].
pub(super) struct TooIntricate;

impl Body<'_, '_> {
    /// Whether a pattern matches a value that no row before it matches; taken for granted where it can't be found out.
    pub fn useful(&mut self, rows: &[Vec<Pat>], pat: &Pat, ty: Ty) -> bool {
        let found = self.search(rows, std::slice::from_ref(pat), &[ty], 1);
        self.pattern_work > WORK_MAX || !found.is_empty()
    }

    /// Values that no row matches, as patterns; None when all are covered.
    pub fn missing(&mut self, rows: &[Vec<Pat>], types: &[Ty]) -> Result<Option<Vec<String>>, TooIntricate> {
        if rows.iter().any(|row| row.iter().all(|pat| *pat == Pat::Wild)) {
            return Ok(None);
        }
        let wild = vec![Pat::Wild; types.len()];
        let found = self.search(rows, &wild, types, MISSING_MAX);
        if self.pattern_work > WORK_MAX {
            return Err(TooIntricate);
        }
        if found.is_empty() {
            return Ok(None);
        }
        let mut texts: Vec<String> = found.iter().map(|w| self.show_pat(&w[0], types[0])).collect();
        texts.dedup();
        Ok(Some(texts))
    }

    /// Witnesses: values that `row` matches and `rows` don't.
    fn search(&mut self, rows: &[Vec<Pat>], row: &[Pat], types: &[Ty], limit: usize) -> Vec<Vec<Pat>> {
        let Some((&ty, rest_types)) = types.split_first() else {
            return if rows.is_empty() { vec![Vec::new()] } else { Vec::new() };
        };
        self.pattern_work += rows.len() + 1;
        if self.pattern_work > WORK_MAX {
            return Vec::new();
        }
        let opened = opened(rows);
        let rows = opened.as_slice();
        if let Pat::Or(parts) = &row[0] {
            let mut found = Vec::new();
            for part in parts.clone() {
                let mut one = row.to_vec();
                one[0] = part;
                found.extend(self.search(rows, &one, types, limit));
            }
            found.truncate(limit);
            return found;
        }
        if row[0] == Pat::Wild && rows.iter().all(|r| r[0] == Pat::Wild) {
            // a column that nothing looks at; types may hold themselves, so it must not be opened
            let inner: Vec<Vec<Pat>> = rows.iter().map(|r| r[1..].to_vec()).collect();
            let mut found = self.search(&inner, &row[1..], rest_types, limit);
            for witness in &mut found {
                witness.insert(0, Pat::Wild);
            }
            return found;
        }
        let ty = self.shallow(ty);
        if rest_types.is_empty() && row[0] == Pat::Wild {
            match self.kind(ty) {
                TyKind::Int => return gaps(rows, (i128::from(i64::MIN), i128::from(i64::MAX)), limit),
                TyKind::Byte => return gaps(rows, (0, 255), limit),
                _ => {}
            }
        }
        let longest = rows.iter().map(|r| &r[0]).chain(std::iter::once(&row[0])).filter_map(list_size).max();
        let (ctors, complete) = self.ctors(ty, rows, row, longest);
        let mut found = Vec::new();
        let wanted: Vec<Ctor> = match &row[0] {
            Pat::Wild => ctors.clone(),
            Pat::Ctor(ctor @ Ctor::Opaque(_), _) => vec![*ctor],
            pat => ctors.iter().copied().filter(|c| self.arguments_of(pat, *c, ty).is_some()).collect(),
        };
        for ctor in wanted {
            if found.len() >= limit {
                break;
            }
            let fields = self.field_types(ctor, ty);
            let mut inner_types = fields.clone();
            inner_types.extend_from_slice(rest_types);
            let inner_rows: Vec<Vec<Pat>> = rows.iter().filter_map(|r| self.specialise(r, ctor, ty)).collect();
            let Some(inner_row) = self.specialise(row, ctor, ty) else { continue };
            for witness in self.search(&inner_rows, &inner_row, &inner_types, limit) {
                let (args, rest) = witness.split_at(fields.len());
                let mut whole = vec![Pat::Ctor(ctor, args.to_vec())];
                whole.extend_from_slice(rest);
                found.push(whole);
            }
        }
        if !complete && found.len() < limit && row[0] == Pat::Wild {
            // a value unlike all that the patterns name
            let inner_rows: Vec<Vec<Pat>> =
                rows.iter().filter(|r| r[0] == Pat::Wild).map(|r| r[1..].to_vec()).collect();
            for witness in self.search(&inner_rows, &row[1..], rest_types, limit) {
                let mut whole = vec![Pat::Wild];
                whole.extend(witness);
                found.push(whole);
            }
        }
        found.truncate(limit);
        found
    }

    /// Constructors to look at, and whether they are all there are.
    fn ctors(&mut self, ty: Ty, rows: &[Vec<Pat>], row: &[Pat], longest: Option<usize>) -> (Vec<Ctor>, bool) {
        match self.kind(ty) {
            TyKind::Bool => (vec![Ctor::Bool(true), Ctor::Bool(false)], true),
            TyKind::Optional(_) => (vec![Ctor::Nil, Ctor::Some], true),
            TyKind::Tuple(_) => (vec![Ctor::Tuple], true),
            TyKind::Enum(decl, _) => match self.cx.decl(decl).kind {
                TypeDeclKind::Enum(ast) => ((0..ast.variants.len() as u32).map(Ctor::Variant).collect(), true),
                _ => (Vec::new(), false),
            },
            TyKind::Struct(decl, _) if Some(decl) == self.cx.lang.list => match longest {
                // every length up to one more than any pattern can tell apart
                Some(longest) => ((0..=longest + 1).map(Ctor::Length).collect(), true),
                None => (Vec::new(), false),
            },
            TyKind::Struct(..) if rows.iter().any(|r| is_tuple(&r[0])) || is_tuple(&row[0]) => {
                (vec![Ctor::Tuple], true)
            }
            TyKind::Int => (split(rows, row, i128::from(i64::MIN), i128::from(i64::MAX)), true),
            TyKind::Byte => (split(rows, row, 0, 255), true),
            _ => {
                let mut ctors = Vec::new();
                for pat in rows.iter().map(|r| &r[0]).chain(std::iter::once(&row[0])) {
                    if let Pat::Ctor(ctor, _) = pat
                        && !ctors.contains(ctor)
                    {
                        ctors.push(*ctor);
                    }
                }
                (ctors, false)
            }
        }
    }

    fn field_types(&mut self, ctor: Ctor, ty: Ty) -> Vec<Ty> {
        match (ctor, self.kind(ty)) {
            (Ctor::Some, TyKind::Optional(inner)) => vec![inner],
            (Ctor::Tuple, TyKind::Tuple(parts)) => parts,
            (Ctor::Tuple, TyKind::Struct(decl, _)) => {
                let TypeDeclKind::Struct(ast) = self.cx.decl(decl).kind else { return Vec::new() };
                (0..ast.fields.len()).map(|i| self.cx.field_type(ty, 0, i, &mut self.diagnostics)).collect()
            }
            (Ctor::Variant(number), TyKind::Enum(decl, _)) => {
                let TypeDeclKind::Enum(ast) = self.cx.decl(decl).kind else { return Vec::new() };
                let n = ast.variants[number as usize].fields.len();
                (0..n).map(|i| self.cx.field_type(ty, number as usize, i, &mut self.diagnostics)).collect()
            }
            (Ctor::Length(n), _) => {
                let element = self.list_element(ty).unwrap_or(Ty::ERROR);
                vec![element; n]
            }
            _ => Vec::new(),
        }
    }

    /// What a pattern asks of the fields of a constructor; None when it does not match it.
    fn arguments_of(&mut self, pat: &Pat, ctor: Ctor, ty: Ty) -> Option<Vec<Pat>> {
        match (pat, ctor) {
            (Pat::Wild, _) => Some(vec![Pat::Wild; self.field_types(ctor, ty).len()]),
            (Pat::Ctor(Ctor::Range(lo, hi), _), Ctor::Range(from, to)) => (*lo <= from && to <= *hi).then(Vec::new),
            (Pat::Ctor(own, args), _) => (*own == ctor).then(|| args.clone()),
            (Pat::List { parts, prefix, open }, Ctor::Length(n)) => {
                if (!open && parts.len() != n) || parts.len() > n {
                    return None;
                }
                let mut args = parts[..*prefix].to_vec();
                args.resize(n - (parts.len() - prefix), Pat::Wild);
                args.extend_from_slice(&parts[*prefix..]);
                Some(args)
            }
            _ => None,
        }
    }

    fn specialise(&mut self, row: &[Pat], ctor: Ctor, ty: Ty) -> Option<Vec<Pat>> {
        let mut args = self.arguments_of(&row[0], ctor, ty)?;
        args.extend_from_slice(&row[1..]);
        Some(args)
    }

    fn show_pat(&mut self, pat: &Pat, ty: Ty) -> String {
        let ty = self.shallow(ty);
        let Pat::Ctor(ctor, args) = pat else { return "_".into() };
        let types = self.field_types(*ctor, ty);
        let args: Vec<String> = args.iter().zip(types).map(|(a, t)| self.show_pat(a, t)).collect();
        match (*ctor, self.kind(ty)) {
            (Ctor::Nil, _) => "nil".into(),
            (Ctor::Some, _) => format!("{}?", args[0]),
            (Ctor::Bool(value), _) => value.to_string(),
            (Ctor::Variant(number), TyKind::Enum(decl, _)) => {
                let TypeDeclKind::Enum(ast) = self.cx.decl(decl).kind else { return "_".into() };
                let name = ast.variants[number as usize].name.name;
                if args.is_empty() { name.to_string() } else { format!("{name}({})", args.join(", ")) }
            }
            (Ctor::Tuple, TyKind::Struct(decl, _)) => {
                format!("{}({})", self.cx.decl(decl).name.name, args.join(", "))
            }
            (Ctor::Tuple, _) => format!("({})", args.join(", ")),
            (Ctor::Length(_), _) => format!("[{}]", args.join(", ")),
            (Ctor::Range(lo, hi), _) if lo == hi => lo.to_string(),
            (Ctor::Range(lo, hi), kind) => {
                let all = match kind {
                    TyKind::Byte => (0, 255),
                    _ => (i128::from(i64::MIN), i128::from(i64::MAX)),
                };
                match (lo == all.0, hi == all.1) {
                    (true, true) => "_".into(),
                    (true, false) => format!("..={hi}"),
                    (false, true) => format!("{lo}.."),
                    (false, false) => format!("{lo}..={hi}"),
                }
            }
            _ => "_".into(),
        }
    }
}

/// Alternatives in the first column as rows of their own.
fn opened(rows: &[Vec<Pat>]) -> Vec<Vec<Pat>> {
    let mut out = Vec::with_capacity(rows.len());
    for row in rows {
        open_row(row, &mut out);
    }
    out
}

fn open_row(row: &[Pat], out: &mut Vec<Vec<Pat>>) {
    let Pat::Or(parts) = &row[0] else {
        out.push(row.to_vec());
        return;
    };
    for part in parts {
        let mut one = row.to_vec();
        one[0] = part.clone();
        open_row(&one, out);
    }
}

/// Values of a range that no row of one column matches, the first few.
fn gaps(rows: &[Vec<Pat>], (min, max): (i128, i128), limit: usize) -> Vec<Vec<Pat>> {
    let mut ranges = Vec::new();
    for row in rows {
        match row[0] {
            Pat::Ctor(Ctor::Range(lo, hi), _) => ranges.push((lo, hi)),
            Pat::Wild => return Vec::new(),
            // a constant, which may be any of them
            _ => {}
        }
    }
    ranges.sort_unstable();
    let (mut gaps, mut next) = (Vec::new(), min);
    for (lo, hi) in ranges.into_iter().chain([(max + 1, max + 1)]) {
        if lo > next && gaps.len() < limit {
            gaps.push(vec![Pat::Ctor(Ctor::Range(next, lo - 1), Vec::new())]);
        }
        next = next.max(hi + 1);
    }
    gaps
}

fn list_size(pat: &Pat) -> Option<usize> {
    match pat {
        Pat::List { parts, .. } => Some(parts.len()),
        _ => None,
    }
}

fn is_tuple(pat: &Pat) -> bool {
    matches!(pat, Pat::Ctor(Ctor::Tuple, _))
}

/// The whole range, split wherever a pattern begins or ends.
fn split(rows: &[Vec<Pat>], row: &[Pat], min: i128, max: i128) -> Vec<Ctor> {
    let mut cuts = vec![min, max + 1];
    for pat in rows.iter().map(|r| &r[0]).chain(std::iter::once(&row[0])) {
        if let Pat::Ctor(Ctor::Range(lo, hi), _) = pat {
            cuts.push(*lo);
            cuts.push(hi + 1);
        }
    }
    cuts.sort_unstable();
    cuts.dedup();
    cuts.windows(2).map(|w| Ctor::Range(w[0], w[1] - 1)).collect()
}
