//! Natives of `regex`. A script holds a pattern as text; compiled ones are kept here, by their text.
//!
//! Matches cross the border as byte positions: for each group start and end, both -1 where the group took no part.
//! The engine (crate `regex`) takes time linear in the text, so no pattern makes a script hang.

use crate::signature::{Outcome, add, ints, text};
use regex::Regex;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tenure_runtime::native::NativeType::{Bool, Int, Ints, Str, Unit};
use tenure_runtime::native::{NativeContext, NativeValue, Registry};
use tenure_runtime::trap::{Trap, TrapKind};

/// Patterns kept compiled. One more drives out all, so that a script that makes up patterns can't fill the memory.
const COMPILED_MAX: usize = 128;

#[derive(Clone, Default)]
struct Compiled(Arc<Mutex<HashMap<String, Regex>>>);

impl Compiled {
    /// The pattern in argument 0.
    fn get(&self, cx: &dyn NativeContext) -> Result<Regex, Trap> {
        let pattern = cx.str(0);
        // a panic elsewhere leaves the map whole
        let mut compiled = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(regex) = compiled.get(pattern) {
            return Ok(regex.clone());
        }
        let regex = Regex::new(pattern).map_err(|error| refused(pattern, &error))?;
        if compiled.len() == COMPILED_MAX {
            compiled.clear();
        }
        compiled.insert(pattern.to_owned(), regex.clone());
        Ok(regex)
    }
}

fn refused(pattern: &str, error: &regex::Error) -> Trap {
    let words = match error {
        regex::Error::CompiledTooBig(limit) => format!("compiled it takes more than {} MiB", limit >> 20),
        // the crate draws the pattern and an arrow; its last line says what is wrong
        other => {
            let drawn = other.to_string();
            let column = drawn.lines().find_map(|line| line.find('^')).map(|at| at.saturating_sub(3));
            let last = drawn.lines().last().unwrap_or_default().trim_start_matches("error: ").to_string();
            match column {
                Some(at) if !pattern.contains('\n') => format!("{last} at character {at}"),
                _ => last,
            }
        }
    };
    Trap { kind_name: "regex".into(), ..Trap::new(TrapKind::Error, format!("pattern {pattern:?}: {words}")) }
}

pub(crate) fn register(registry: &mut Registry) {
    let compiled = Compiled::default();
    let mut method = |name, params: &[_], result, f: fn(&mut dyn NativeContext, &Regex) -> Outcome| {
        let compiled = compiled.clone();
        add(registry, name, params, result, move |cx| {
            let regex = compiled.get(cx)?;
            f(cx, &regex)
        });
    };
    method("regex.check", &[Str], Unit, |_, _| Ok(NativeValue::Unit));
    method("regex.group_names", &[Str], Str, |cx, regex| {
        let names: Vec<&str> = regex.capture_names().map(Option::unwrap_or_default).collect();
        text(cx, &names.join(","))
    });
    method("regex.matches_in", &[Str, Str], Bool, |cx, regex| Ok(NativeValue::Bool(regex.is_match(cx.str(1)))));
    method("regex.groups_from", &[Str, Str, Int], Ints, |cx, regex| {
        let mut positions = Vec::new();
        let from = usize::try_from(cx.int(2)).unwrap_or(usize::MAX);
        let subject = cx.str(1);
        if from <= subject.len()
            && let Some(found) = regex.captures_at(subject, from)
        {
            push_groups(&mut positions, &found);
        }
        ints(cx, &positions)
    });
    method("regex.groups_of_all", &[Str, Str], Ints, |cx, regex| {
        let mut positions = Vec::new();
        for found in regex.captures_iter(cx.str(1)) {
            push_groups(&mut positions, &found);
        }
        ints(cx, &positions)
    });
    method("regex.bounds_of_all", &[Str, Str], Ints, |cx, regex| {
        let found = regex.find_iter(cx.str(1));
        let positions: Vec<i64> = found.flat_map(|m| [m.start() as i64, m.end() as i64]).collect();
        ints(cx, &positions)
    });
    method("regex.count_in", &[Str, Str], Int, |cx, regex| {
        Ok(NativeValue::Int(regex.find_iter(cx.str(1)).count() as i64))
    });
    method("regex.replace_in", &[Str, Str, Str, Int], Str, |cx, regex| {
        // a limit of 0 is none
        let limit = usize::try_from(cx.int(3)).unwrap_or(0);
        let made = regex.replacen(cx.str(1), limit, cx.str(2)).into_owned();
        text(cx, &made)
    });
    add(registry, "regex.escape", &[Str], Str, |cx| {
        let made = regex::escape(cx.str(0));
        text(cx, &made)
    });
}

fn push_groups(positions: &mut Vec<i64>, found: &regex::Captures<'_>) {
    for group in found.iter() {
        let (start, end) = group.map_or((-1, -1), |m| (m.start() as i64, m.end() as i64));
        positions.extend([start, end]);
    }
}
