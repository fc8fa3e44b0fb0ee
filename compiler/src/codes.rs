//! The catalogue of diagnostic codes: the one list of what the compiler can say, with a page of explanation each.
//!
//! A code is a number people search for and editors link to, so it never changes its meaning and is never given out
//! again. Everything that speaks about codes reads this list: the compiler's own messages, `tenure explain`, the
//! book's page of error codes, and the test that compiles the examples. The shape is rustc's `error_codes`.
//!
//! A page is markdown: a line `# E0301: title`; an explanation; a block fenced ```` ```tenure,error ```` (or `warning`) that gives
//! exactly this code and nothing else; a block fenced ```` ```tenure ```` that is the same program mended. A block may hold
//! several modules: a line `// file: name.ten` starts another one.
//!
//! Invariants
//! - D1. A code can only be made here, so every message has a page.
//! - D2. The list is sorted. The hundreds tell the stage: 0 reading and lexing, 1 parsing, 2 names, 3 types,
//!   4 patterns and control flow, 5 templates, 9 not supported yet.

use std::fmt;

/// A stable number, shown as `E0107`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct Code(u16);

impl Code {
    /// Whether the message is about a name that can't be found or used. Such mistakes lie in the text itself: inside a
    /// template they don't depend on the call.
    pub fn is_about_names(self) -> bool {
        (200..300).contains(&self.0)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "E{:04}", self.0)
    }
}

/// What the catalogue says about a code.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// The code.
    pub code: Code,
    /// The whole page, markdown.
    pub text: &'static str,
}

macro_rules! catalogue {
    ($($number:literal $name:ident)*) => {
        $(
            #[allow(missing_docs, reason = "its page says what it is")]
            #[allow(clippy::zero_prefixed_literal, reason = "written as it is shown")]
            pub const $name: Code = Code($number);
        )*

        /// Every code, in order.
        pub static CATALOGUE: &[Page] = &[
            $(Page { code: $name, text: include_str!(concat!("codes/E", stringify!($number), ".md")) }),*
        ];
    };
}

catalogue! {
    0001 NOT_TEXT
    0002 UNKNOWN_CHARACTER
    0003 BAD_NUMBER
    0004 UNTERMINATED
    0005 BAD_ESCAPE
    0006 BAD_BYTE
    0007 BAD_HOLE
    0008 BRACKETS
    0009 TOO_DEEP
    0010 TOO_MANY
    0100 UNEXPECTED
    0101 ENDED
    0102 HABIT
    0103 RAW_HOLE
    0110 MISPLACED
    0111 CHAINED_COMPARISON
    0112 NOT_A_TARGET
    0113 BAD_PATTERN
    0201 DECLARED_TWICE
    0202 UNKNOWN_ATTRIBUTE
    0203 UNKNOWN_NATIVE
    0204 BODY_MISSING
    0205 PRIVATE_NAME
    0206 NOT_IN_MODULE
    0207 SELF_OUTSIDE
    0208 ALIAS_OF_ITSELF
    0209 UNKNOWN_TYPE
    0210 UNKNOWN_MODULE
    0211 MODULE_TOO_LARGE
    0212 IMPORT_RING
    0213 MODULE_AS_VALUE
    0214 UNKNOWN_NAME
    0215 CONST_OF_ITSELF
    0216 MAIN_PARAMETERS
    0217 AMBIGUOUS_VARIANT
    0218 UNKNOWN_MEMBER
    0219 PRIVATE_MEMBER
    0220 TYPE_AS_VALUE
    0221 CORE_LACKS
    0222 FIELD_TYPE_MISSING
    0223 UNKNOWN_TRAIT
    0224 NATIVE_SIGNATURE
    0301 MISMATCH
    0302 BRANCHES_DIFFER
    0303 OPERATOR_TYPES
    0304 TYPE_ARGUMENTS
    0305 TYPE_UNKNOWN
    0306 CALL_TYPE_UNKNOWN
    0307 TYPE_NOT_YET_KNOWN
    0308 LITERAL_RANGE
    0309 HOLE_WITHOUT_VALUE
    0310 FIXED
    0311 NEVER_NIL
    0312 IS_TEST
    0313 OPEN_RANGE
    0314 NOT_ITERABLE
    0315 QUESTION_RESULT
    0316 NOT_INDEXABLE
    0317 NOT_ASSIGNABLE
    0318 ARGUMENTS
    0319 METHOD_OR_FUNCTION
    0320 NOT_BUILT
    0321 NO_CONVERSION
    0322 TRAIT_INCOMPLETE
    0323 NOT_DERIVABLE
    0324 BOUND
    0325 ORPHAN_IMPL
    0326 IMPL_TWICE
    0327 IMPL_DIFFERS
    0328 TRAIT_CYCLE
    0329 TRAIT_NOT_A_TYPE
    0330 SEVERAL_TRAITS
    0331 NOT_PROMISED
    0332 PUBLIC_TYPES
    0360 NO_IDENTITY
    0401 NOT_EXHAUSTIVE
    0402 UNREACHED_ARM
    0403 UNUSED_OPERATOR
    0404 ALWAYS_MATCHES
    0405 NO_LOOP
    0406 PATTERN_BINDINGS
    0407 PATTERN_TYPE
    0408 EMPTY_RANGE
    0409 NARROWING_LOST
    0410 LEAVES_DEFER
    0411 DEFER_DEPTH
    0412 INTRICATE_PATTERNS
    0501 RESULT_UNKNOWN
    0502 TOO_MANY_WAIT
    0503 ENDLESS_TEMPLATE
    0504 ENDLESS_TYPE
    0505 TYPE_TOO_LARGE
    0506 TOO_MANY_INSTANCES
    0904 LOCAL_FN_UNSUPPORTED
}

/// The page of a code as people write it: `E0301`, `e301`, `301`.
pub fn page(written: &str) -> Option<&'static Page> {
    let digits = written.strip_prefix(['E', 'e']).unwrap_or(written);
    let number: u16 = digits.parse().ok()?;
    CATALOGUE.iter().find(|page| page.code.0 == number)
}

impl Page {
    /// A few words, without a full stop.
    pub fn title(&self) -> &'static str {
        let first = self.text.lines().next().unwrap_or_default();
        first.split_once(": ").map_or("", |(_, title)| title)
    }

    /// What stands between the title and the examples, and behind them.
    pub fn explanation(&self) -> String {
        let body = self.text.split_once('\n').map_or("", |(_, body)| body);
        body.split("```").step_by(2).map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n")
    }

    /// A program that gives this code.
    pub fn wrong(&self) -> Option<&'static str> {
        self.block("```tenure,error\n").or_else(|| self.block("```tenure,warning\n"))
    }

    /// The same program without the mistake.
    pub fn right(&self) -> Option<&'static str> {
        self.block("```tenure\n")
    }

    fn block(&self, fence: &str) -> Option<&'static str> {
        let (_, from) = self.text.split_once(fence)?;
        from.split_once("```").map(|(block, _)| block)
    }
}
