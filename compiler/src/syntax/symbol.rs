//! Interned names. Two symbols are equal exactly when their texts are.
//!
//! The table is process-wide and never freed: names are few and compilations share most of them.

use hashbrown::HashMap;
use std::fmt;
use std::sync::{LazyLock, Mutex};

/// A name or string literal, interned.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Symbol(u32);

#[derive(Default)]
struct Table {
    by_text: HashMap<&'static str, Symbol>,
    texts: Vec<&'static str>,
}

static TABLE: LazyLock<Mutex<Table>> = LazyLock::new(Mutex::default);

impl Symbol {
    /// The symbol for `text`.
    pub fn new(text: &str) -> Symbol {
        let mut table = TABLE.lock().expect("the symbol table is never poisoned: nothing in it panics");
        if let Some(&symbol) = table.by_text.get(text) {
            return symbol;
        }
        let symbol = Symbol(table.texts.len() as u32);
        let text: &'static str = Box::leak(text.into());
        table.texts.push(text);
        table.by_text.insert(text, symbol);
        symbol
    }

    /// The text of this symbol.
    pub fn as_str(self) -> &'static str {
        TABLE.lock().expect("the symbol table is never poisoned: nothing in it panics").texts[self.0 as usize]
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
