//! Wording shared by the checker's messages: suggestions by edit distance, lists of names.

use crate::diagnostic::Diagnostic;
use crate::syntax::symbol::Symbol;

/// The candidate nearest to `name`, if one is near enough to be a typing mistake.
pub(super) fn nearest(name: Symbol, candidates: impl Iterator<Item = Symbol>) -> Option<Symbol> {
    let text = name.as_str();
    let limit = (text.chars().count() / 3).max(1);
    let mut best: Option<(usize, &str, Symbol)> = None;
    for candidate in candidates {
        let other = candidate.as_str();
        if candidate == name || other.len().abs_diff(text.len()) > 3 * limit {
            continue;
        }
        let distance = if other.eq_ignore_ascii_case(text) { 0 } else { edit_distance(text, other) };
        // ties go to the name that sorts first, so that messages don't depend on hashing
        if distance <= limit && best.is_none_or(|(d, n, _)| (distance, other) < (d, n)) {
            best = Some((distance, other, candidate));
        }
    }
    best.map(|(_, _, symbol)| symbol)
}

/// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment).
fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut previous: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let same = a[i - 1] == b[j - 1];
            let mut cost = (previous[j] + 1).min(row[j - 1] + 1).min(previous[j - 1] + usize::from(!same));
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                cost = cost.min(before[j - 2] + 1);
            }
            row.push(cost);
        }
        before = std::mem::replace(&mut previous, row);
    }
    previous[b.len()]
}

/// With a "did you mean" if there is something to suggest.
pub(super) fn did_you_mean(diagnostic: Diagnostic, near: Option<Symbol>) -> Diagnostic {
    match near {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic,
    }
}

/// `1 argument`, `2 arguments`
pub(super) fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

/// `a`, `a and b`, `a, b and c`, each in backticks.
pub(super) fn list(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => format!("`{one}`"),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(|n| format!("`{n}`")).collect();
            format!("{} and `{last}`", first.join(", "))
        }
    }
}

/// `a`, `a or b`, `a, b or c`, each in backticks.
pub(super) fn either(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|n| format!("`{n}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, before)) => format!("{} or {last}", before.join(", ")),
        None => String::new(),
    }
}
