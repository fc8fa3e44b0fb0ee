//! Whose mistake it is: messages from inside instances of templates, told from the call that caused them.
//!
//! A template is right or wrong for the types of a call, so an error in an instance that speaks of those types points
//! at the first call on the way there, shows how it went on, and suggests the annotation that would have stopped it.
//! What speaks of none of them, or is the same in all instances, is the template's own mistake and stays there. An
//! error inside the standard library is always some call's.
//!
//! Invariants
//! - B1. One mistake gives one message, however many instances repeat it.

use super::Checker;
use super::infer::parts;
use super::instance::{State, What};
use crate::codes::{self, Code};
use crate::diagnostic::{Diagnostic, Label};
use crate::hir::{FnId, Ty};
use crate::syntax::span::Span;
use hashbrown::{HashMap, HashSet};

/// The most instantiations an error message shows.
const CHAIN_MAX: usize = 4;

/// A call on the way to an instance.
struct Link {
    call: Span,
    callee: FnId,
    /// It stands in the program and leads into the standard library.
    enters_library: bool,
}

/// A message in the place it was found, with the way there, innermost call first.
struct Found {
    diagnostic: Diagnostic,
    at: FnId,
    way: Vec<Link>,
    /// The call to blame, an index into `way`.
    blamed: Option<usize>,
}

impl Checker<'_> {
    /// Every message once, those of reading the files included, in source order by file and place.
    pub(super) fn collect_diagnostics(&mut self, read: Vec<Diagnostic>) -> Vec<Diagnostic> {
        let mut all = std::mem::take(&mut self.diagnostics);
        let found = self.found();
        // instances on the way to a mistake are no examples of what works
        let bad: HashSet<FnId> = found.iter().flat_map(|f| f.way.iter().map(|l| l.callee).chain([f.at])).collect();
        let mut seen = HashSet::new();
        for found in found {
            let words = found.blamed.map(|_| found.diagnostic.message.clone());
            if seen.insert((found.diagnostic.code, found.diagnostic.primary.span, words)) {
                all.push(self.told(found, &bad));
            }
        }
        all.append(&mut self.later);
        // what a guess makes of a file is not the author's mistake
        all.retain(|d| !self.modules.guessed.contains(&d.primary.span.file));
        all.extend(read);
        let mut seen = HashSet::new();
        all.retain(|d| seen.insert((d.code, d.primary.span, d.message.clone())));
        all.sort_by_key(|d| (d.primary.span.file, d.primary.span.lo));
        all
    }

    fn found(&mut self) -> Vec<Found> {
        let mut messages: Vec<(FnId, Diagnostic)> = Vec::new();
        for index in 0..self.instances.len() {
            let own = std::mem::take(&mut self.instances[index].diagnostics);
            if matches!(self.instances[index].what, What::Fn(decl) if self.broken_generics.contains(&decl)) {
                continue;
            }
            messages.extend(own.into_iter().map(|d| (FnId(index as u32), d)));
        }
        let repeated = self.repeated(&messages);
        let found = messages.into_iter().map(|(at, diagnostic)| {
            let way = self.way(at, diagnostic.code);
            let always = repeated.contains(&(diagnostic.code, diagnostic.primary.span, diagnostic.message.clone()));
            let blamed = if !way.is_empty() && !always && self.speaks_of_types(at, &diagnostic) {
                Some(way.len() - 1)
            } else {
                way.iter().rposition(|link| link.enters_library)
            };
            Found { diagnostic, at, way, blamed }
        });
        found.collect()
    }

    /// Messages that all of several instances of one declaration have in common.
    fn repeated(&self, messages: &[(FnId, Diagnostic)]) -> HashSet<(Code, Span, String)> {
        if messages.is_empty() {
            return HashSet::new();
        }
        let mut instances: HashMap<What, usize> = HashMap::new();
        for instance in self.instances.iter().filter(|i| i.state == State::Done) {
            *instances.entry(instance.what).or_default() += 1;
        }
        let mut counts: HashMap<(Code, Span, &str), usize> = HashMap::new();
        let mut repeated = HashSet::new();
        for (at, d) in messages {
            let count = counts.entry((d.code, d.primary.span, d.message.as_str())).or_default();
            *count += 1;
            let all = instances.get(&self.instance(*at).what).copied().unwrap_or(0);
            if all > 1 && *count == all {
                repeated.insert((d.code, d.primary.span, d.message.clone()));
            }
        }
        repeated
    }

    /// The calls that led to an instance, as long as what they lead to depends on them.
    fn way(&self, id: FnId, code: Code) -> Vec<Link> {
        // names don't depend on the caller
        let plain = code.is_about_names() && code != codes::UNKNOWN_MEMBER
            || matches!(code, codes::ENDLESS_TEMPLATE | codes::TOO_MANY_INSTANCES);
        let mut way = Vec::new();
        let mut callee = id;
        while let Some((call, from)) = self.instance(callee).origin {
            let standard = self.is_standard(callee);
            if (!self.is_generic(callee) || plain) && !standard {
                break;
            }
            way.push(Link { call, callee, enters_library: standard && !self.is_standard(from) });
            callee = from;
        }
        way
    }

    fn is_generic(&self, id: FnId) -> bool {
        match self.instance(id).what {
            What::Fn(decl) => self.is_open(decl),
            What::Derived(..) | What::Dynamic(..) => true,
            _ => false,
        }
    }

    /// Whether a message mentions a type that the instance has from its caller, or a part of one.
    fn speaks_of_types(&self, id: FnId, diagnostic: &Diagnostic) -> bool {
        let instance = self.instance(id);
        let mut types: Vec<Ty> = instance.params.clone();
        types.extend(instance.env.types.iter().map(|&(_, ty)| ty));
        let mut next = 0;
        while let Some(&ty) = types.get(next) {
            let inner: Vec<Ty> = parts(&self.types, ty).filter(|part| !types.contains(part)).collect();
            types.extend(inner);
            next += 1;
        }
        let texts = || {
            let labels = diagnostic.secondary.iter().map(|label| &label.text);
            labels.chain([&diagnostic.message, &diagnostic.primary.text]).chain(&diagnostic.help)
        };
        types.into_iter().filter(|&ty| ty != Ty::ERROR && ty != Ty::UNIT).any(|ty| {
            let name = self.types.display(ty);
            texts().any(|text| mentions(text, &name))
        })
    }

    /// The message as the author is told it.
    fn told(&self, found: Found, bad: &HashSet<FnId>) -> Diagnostic {
        let Found { mut diagnostic, way, blamed, .. } = found;
        let Some(index) = blamed else {
            return self.with_way(diagnostic, &way);
        };
        let asked = self.describe(way[index].callee);
        let label = if self.is_named(way[index].callee) { format!("this asks for `{asked}`") } else { String::new() };
        let inner = std::mem::replace(&mut diagnostic.primary, Label { span: way[index].call, text: label });
        let marked = diagnostic.secondary.iter().any(|label| {
            label.span.file == inner.span.file && label.span.lo >= inner.span.lo && label.span.hi <= inner.span.hi
        });
        if !inner.text.is_empty() {
            diagnostic.secondary.insert(0, inner);
        } else if !marked {
            diagnostic.secondary.insert(0, Label { text: "found here".into(), ..inner });
        }
        let help = self.annotation(way[index].callee, bad);
        let (within, around) = way.split_at(index);
        diagnostic = self.with_way(diagnostic, around.get(1..).unwrap_or_default());
        diagnostic = self.with_way(diagnostic, within);
        diagnostic.help.extend(help);
        diagnostic
    }

    /// With the calls of a way marked.
    fn with_way(&self, mut diagnostic: Diagnostic, way: &[Link]) -> Diagnostic {
        let named: Vec<&Link> = way.iter().filter(|link| self.is_named(link.callee)).collect();
        let left_out = named.len().saturating_sub(CHAIN_MAX);
        let shown = named.len() - left_out;
        for (i, link) in named[..shown].iter().enumerate() {
            let more = if i + 1 == shown && left_out > 0 {
                format!(", and {left_out} more further in")
            } else {
                String::new()
            };
            let what = self.describe(link.callee);
            diagnostic = diagnostic.and(link.call, format!("in the instance `{what}` that this call asks for{more}"));
        }
        diagnostic
    }

    /// Derived operations have no name that an author wrote.
    fn is_named(&self, id: FnId) -> bool {
        matches!(self.instance(id).what, What::Fn(_))
    }

    /// `twice(fn(int) -> int, int)`
    fn describe(&self, id: FnId) -> String {
        let instance = self.instance(id);
        let params: Vec<String> = instance.params.iter().map(|&p| self.types.display(p)).collect();
        format!("{}({})", instance.name, params.join(", "))
    }

    /// What annotation would have refused the call: the parameter types of an instance that is right.
    fn annotation(&self, id: FnId, bad: &HashSet<FnId>) -> Option<String> {
        let instance = self.instance(id);
        let What::Fn(decl) = instance.what else { return None };
        if self.is_standard(id) || !self.is_template(decl) {
            return None;
        }
        let ast = self.function(decl).ast;
        let offset = usize::from(ast.receiver.is_some());
        let right = self.instances.iter().enumerate().find(|&(index, other)| {
            other.what == instance.what && other.state == State::Done && !bad.contains(&FnId(index as u32))
        });
        let name = ast.name.name;
        let Some((right, other)) = right else {
            return Some(format!(
                "write the types of the parameters of `{name}`, and its calls are checked against them"
            ));
        };
        let params = ast.params.iter().enumerate().filter(|(_, param)| param.ty.is_none());
        let differing = params.filter(|(i, _)| instance.params.get(i + offset) != other.params.get(i + offset));
        let written: Vec<String> = differing
            .filter_map(|(i, param)| {
                let ty = self.types.display(*other.params.get(i + offset)?);
                Some(format!("`{}: {ty}`", param.name.name))
            })
            .collect();
        if written.is_empty() {
            return None;
        }
        let right = self.describe(FnId(right as u32));
        Some(format!(
            "`{right}` is fine; with {} in `{name}` other calls are refused where they stand",
            written.join(", ")
        ))
    }
}

/// Whether a text has these words in it, and not as parts of others.
fn mentions(text: &str, words: &str) -> bool {
    let letter = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    text.match_indices(words)
        .any(|(at, _)| !letter(text[..at].chars().next_back()) && !letter(text[at + words.len()..].chars().next()))
}

#[cfg(test)]
mod tests {
    use super::mentions;

    #[test]
    fn a_type_is_mentioned_as_a_word() {
        assert!(mentions("`+` does not work on int and str", "int"));
        assert!(mentions("expected [int], found x", "[int]"));
        assert!(!mentions("print this pointer", "int"));
    }
}
