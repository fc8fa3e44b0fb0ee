//! What the codes of diagnostics mean: the compiler's catalogue, for the command line, for hosts and editors.

use tenure_compiler::codes::{CATALOGUE, Page, page};

/// The catalogue's page about one code.
#[derive(Debug, Clone, Copy)]
pub struct Explanation {
    page: &'static Page,
}

/// The page about a code, written `E0301`, `e301` or `301`.
pub fn explain(code: &str) -> Option<Explanation> {
    page(code).map(|page| Explanation { page })
}

/// All pages, by code.
pub fn explanations() -> impl ExactSizeIterator<Item = Explanation> {
    CATALOGUE.iter().map(|page| Explanation { page })
}

impl Explanation {
    /// `E0301`
    pub fn code(&self) -> String {
        self.page.code.to_string()
    }

    /// A few words.
    pub fn title(&self) -> &'static str {
        self.page.title()
    }

    /// Some sentences, paragraphs apart by an empty line; code stands in backticks.
    pub fn text(&self) -> String {
        self.page.explanation()
    }

    /// A program that gives this code. A line `// file: name.ten` in it starts another module. None where it would be
    /// too large to show.
    pub fn wrong(&self) -> Option<&'static str> {
        self.page.wrong()
    }

    /// The same program mended.
    pub fn right(&self) -> Option<&'static str> {
        self.page.right()
    }
}
