//! Interned names. Two symbols are equal exactly when their texts are.
//!
//! The table is process-wide and never freed: names are few and compilations share most of them.

use hashbrown::HashMap;
use std::fmt;
use std::sync::{LazyLock, Mutex, MutexGuard};

/// A name or string literal, interned.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Symbol(u32);

#[derive(Default)]
struct Table {
    by_text: HashMap<&'static str, Symbol>,
    texts: Vec<&'static str>,
}

static TABLE: LazyLock<Mutex<Table>> = LazyLock::new(Mutex::default);

const NEVER_POISONED: &str = "the symbol table is never poisoned: nothing in it panics";

/// The table, locked for a run of lookups. No other use of symbols' texts may happen meanwhile on this thread.
pub(super) struct Interner(MutexGuard<'static, Table>);

impl Interner {
    /// Waits for the table.
    pub(super) fn lock() -> Interner {
        Interner(TABLE.lock().expect(NEVER_POISONED))
    }

    /// The symbol for `text`.
    pub(super) fn intern(&mut self, text: &str) -> Symbol {
        self.0.intern(text)
    }
}

impl Table {
    fn intern(&mut self, text: &str) -> Symbol {
        if let Some(&symbol) = self.by_text.get(text) {
            return symbol;
        }
        let symbol = Symbol(self.texts.len() as u32);
        let text: &'static str = Box::leak(text.into());
        self.texts.push(text);
        self.by_text.insert(text, symbol);
        symbol
    }
}

impl Symbol {
    /// The symbol for `text`.
    pub fn new(text: &str) -> Symbol {
        Interner::lock().intern(text)
    }

    /// The text of this symbol.
    pub fn as_str(self) -> &'static str {
        TABLE.lock().expect(NEVER_POISONED).texts[self.0 as usize]
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
