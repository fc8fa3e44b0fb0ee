//! Skims a text that is known to be right for its functions, without reading them.
//!
//! The layout of the text tells where they are: a line that is not indented deeper than the members of a declaration begins
//! one with its attributes, `pub` and `fn`; lines that are indented deeper go on with it, and so does one at its own
//! indentation that starts with a closing bracket. What is laid out otherwise is read with the rest.
//!
//! It must never decide what a function means: [`later`](super::later) reads it by the grammar.

use super::ast::{File, Fn, Ident, Item, ItemKind, Method};
use super::later::{KnownText, Later};
use super::span::{FileId, Span};
use super::symbol::Symbol;
use std::ops::Range;
use std::rc::Rc;

/// A function on lines of its own.
pub(super) struct Skimmed {
    attributes: Vec<Ident>,
    public: Option<Span>,
    name: Ident,
    /// From its `fn` to its end, in bytes.
    place: Range<usize>,
    /// With what stands before its `fn`.
    span: Span,
}

/// The functions of a text in source order, and the text with blanks in the place of functions and of comments on lines of
/// their own: what is left keeps its place.
pub(super) fn skim(file: FileId, text: &str) -> (String, Vec<Skimmed>) {
    let mut rest = Vec::with_capacity(text.len());
    let mut functions: Vec<Skimmed> = Vec::new();
    // indentation of the function that may go on
    let mut open: Option<usize> = None;
    // where lines of attributes begin that wait for their function
    let mut attributes: Option<usize> = None;
    let mut lo = 0;
    for line in text.split_inclusive('\n') {
        let content = line.trim_ascii();
        let indent = line.len() - line.trim_ascii_start().len();
        let start = lo + indent;
        let end = start + content.len();
        lo += line.len();
        if content.is_empty() {
            continue;
        }
        if let Some(function) = functions.last_mut()
            && open.is_some_and(|open| indent > open || indent == open && content.starts_with(['}', ')', ']']))
        {
            function.place.end = end;
            function.span.hi = end as u32;
            continue;
        }
        open = None;
        if content.starts_with("//") {
            continue;
        }
        if content.starts_with('@') && content.split(' ').all(|word| word.starts_with('@')) {
            attributes.get_or_insert(start);
            continue;
        }
        let from = attributes.take().unwrap_or(start);
        if let Some(function) = head(file, text, from, end) {
            functions.push(function);
            open = Some(indent);
            continue;
        }
        // blanks for everything since the last line that was kept, but one newline, which may end a statement
        if rest.len() < from {
            rest.push(b'\n');
            rest.resize(from, b' ');
        }
        rest.extend_from_slice(&text.as_bytes()[from..lo]);
    }
    (String::from_utf8(rest).expect("whole lines of a text are text"), functions)
}

/// The function whose attributes, `pub` or `fn` stand at `from`, and which goes on to `end` at least.
fn head(file: FileId, text: &str, from: usize, end: usize) -> Option<Skimmed> {
    let mut attributes = Vec::new();
    let mut public = None;
    let mut at = from;
    loop {
        let word = text[at..end].split_ascii_whitespace().next()?;
        let span = Span::new(file, at, at + word.len());
        let next = span.hi as usize;
        let next = next + text[next..end].len() - text[next..end].trim_ascii_start().len();
        match word {
            "fn" => {
                let tail = &text[next..end];
                let len = tail.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
                let name = Ident { name: Symbol::new(&tail[..len]), span: Span::new(file, next, next + len) };
                let span = Span::new(file, from, end);
                return Some(Skimmed { attributes, public, name, place: at..end, span });
            }
            "pub" => public = Some(span),
            _ => attributes.push(Ident { name: Symbol::new(word.strip_prefix('@')?), span }),
        }
        at = next;
    }
}

/// Whether a function's text has a body behind its head.
fn has_body(text: &str) -> bool {
    let mut depth = 0;
    for byte in text.bytes() {
        match byte {
            b'{' | b'=' if depth == 0 => return true,
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth -= 1,
            _ => {}
        }
    }
    false
}

impl Skimmed {
    fn function(self, text: &Rc<KnownText>) -> (Option<Span>, Vec<Ident>, Span, Fn) {
        let has_body = has_body(&text.text[self.place.clone()]);
        let later = Later { text: Rc::clone(text), place: self.place, has_body };
        (self.public, self.attributes, self.span, Fn::put_off(self.name, later))
    }

    fn into_method(self, text: &Rc<KnownText>) -> Method {
        let (public, attributes, span, function) = self.function(text);
        Method { docs: None, attributes, public, function, span }
    }

    fn into_item(self, text: &Rc<KnownText>) -> Item {
        let (public, attributes, span, function) = self.function(text);
        Item { docs: None, attributes, public, kind: ItemKind::Fn(function), span }
    }
}

/// Puts the functions of a text where they stand among what was read of the rest.
pub(super) fn put_into(tree: &mut File, functions: Vec<Skimmed>, text: &Rc<KnownText>) {
    let mut functions = functions.into_iter().peekable();
    for mut item in std::mem::take(&mut tree.items) {
        while let Some(function) = functions.next_if(|function| function.span.hi <= item.span.lo) {
            tree.items.push(function.into_item(text));
        }
        let end = item.span.hi;
        if let Some(methods) = methods(&mut item) {
            while let Some(function) = functions.next_if(|function| function.span.hi <= end) {
                methods.push(function.into_method(text));
            }
            methods.sort_by_key(|method| method.span.lo);
        }
        tree.items.push(item);
    }
    tree.items.extend(functions.map(|function| function.into_item(text)));
}

fn methods(item: &mut Item) -> Option<&mut Vec<Method>> {
    match &mut item.kind {
        ItemKind::Struct(of) => Some(&mut of.methods),
        ItemKind::Enum(of) => Some(&mut of.methods),
        ItemKind::Trait(of) => Some(&mut of.methods),
        ItemKind::Impl(of) => Some(&mut of.methods),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::dump::dump;
    use super::super::parse::{parse, parse_known};
    use crate::source::Sources;
    use crate::syntax::ast::ItemKind;
    use crate::timing::Timing;

    /// A text without the lines that are comments.
    fn without_comments(text: &str) -> String {
        text.split_inclusive('\n')
            .map(|line| if line.trim().starts_with("//") { " ".repeat(line.len() - 1) + "\n" } else { line.into() })
            .collect()
    }

    /// Reads a text at once and put off, which must give the same but for docs; how many functions waited.
    fn compare(text: &str) -> usize {
        let mut sources = Sources::default();
        let file = sources.add("a", without_comments(text));
        let (whole, errors) = parse(&sources, file);
        assert!(errors.is_empty(), "{errors:?}");
        let put_off = parse_known(&sources, file, &Timing::default());
        let waiting = |kind: &ItemKind| match kind {
            ItemKind::Fn(function) => usize::from(function.is_put_off()),
            ItemKind::Struct(of) => of.methods.iter().filter(|m| m.function.is_put_off()).count(),
            ItemKind::Enum(of) => of.methods.iter().filter(|m| m.function.is_put_off()).count(),
            ItemKind::Trait(of) => of.methods.iter().filter(|m| m.function.is_put_off()).count(),
            _ => 0,
        };
        let waiting = put_off.items.iter().map(|item| waiting(&item.kind)).sum();
        assert_eq!(dump(&put_off), dump(&whole));
        assert_eq!(format!("{put_off:?}"), format!("{whole:?}"), "places too");
        waiting
    }

    #[test]
    fn functions_read_later_are_those_read_at_once() {
        let text = "
fn plain(a: int, b: str = \"{1:>4}\") -> int { a + 1 }
pub fn short(f: fn(int) -> int) = f(|x| { x }(2)) +
  3
@intrinsic fn bodiless(a: int) -> int
@inline @noinline
pub fn marked() {
  // a comment
}

struct S[T]: Iterable[T] {
  pub advance: fn() -> T? = || nil
  var n: int = 0
  fn next(self) -> T? = (self.advance)()
  @inline
  fn static() {}
  fn lines(self) -> int = match self.n {
    1 => 2

    x => x + 1
  }
  pub fn more(
    self,
    other: [int] = [1, 2],
  ) -> int {
    let a = 1
    fn inner() -> int = 2
    inner() + a
  }
  var last: int = 2
  fn blocks(self) { if self.n > 1 { \"a{{ 1 }:5}b{[2][0]}\" } else { 'c' } }
}
trait Named { fn name(self) -> str }
trait Other: Named {
  fn other(self, a: int = 1) -> str
  fn both(self) -> str = self.other()
}
impl Named for S[int] { fn name(self) = 'S' }
enum E {
  A, B(x: int)
  fn f(self) -> int = match self { A => 1, B(x) => { x } }
}
const C: int = 3
let top = |x| x
fn last() -> int = 1
";
        assert_eq!(compare(text), 13);
    }

    #[test]
    fn so_are_those_of_the_core_library() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../stdlib/core");
        let mut waiting = 0;
        for file in std::fs::read_dir(folder).expect("the core library") {
            let path = file.expect("a file").path();
            waiting += compare(&std::fs::read_to_string(path).expect("a text"));
        }
        assert!(waiting > 400, "only {waiting} functions wait");
    }
}
