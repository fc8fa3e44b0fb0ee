//! `tenure explain`: what a diagnostic's code means, or the list of all codes.

use super::args::ExplainArgs;
use super::output;
use super::report::{self, Status};
use super::run::engine;
use std::fmt::Write as _;
use tenure::{Explanation, Host, explain, explanations};

/// Does it.
pub fn main(args: &ExplainArgs) -> Status {
    let paint = Paint { color: args.color.on_stdout() };
    let mut text = String::new();
    if args.codes.is_empty() {
        for page in explanations() {
            let _ = writeln!(text, "{}  {}", paint.bold(&page.code()), paint.inline(page.title()));
        }
    }
    let mut status = Status::Success;
    for (number, code) in args.codes.iter().enumerate() {
        match explain(code) {
            Some(page) => {
                if number > 0 {
                    text.push('\n');
                }
                text += &paint.page(page);
            }
            None => {
                status = report::failure(&format!("there is no code `{code}`; `tenure explain` lists all codes"));
            }
        }
    }
    if let Err(error) = output::print(&text) {
        return report::failure(&format!("can't write to standard output: {error}"));
    }
    status
}

/// Text for a terminal or a pipe.
#[derive(Clone, Copy)]
struct Paint {
    color: bool,
}

impl Paint {
    fn page(self, page: Explanation) -> String {
        let mut out = format!("{}: {}\n\n", self.bold(&page.code()), self.inline(page.title()));
        out += &page.text().split("\n\n").map(wrapped).collect::<Vec<_>>().join("\n");
        if self.color {
            out = self.inline(&out);
        }
        if let Some(wrong) = page.wrong() {
            out += &self.heading("For example");
            out += &indented(wrong);
            let found = if wrong.starts_with("// file: ") { None } else { self.diagnosed(wrong) };
            if let Some(found) = found {
                out += &self.heading("The compiler says");
                out += &indented(found.trim_end());
            }
        }
        if let Some(right) = page.right() {
            out += &self.heading("Mended");
            out += &indented(right);
        }
        out
    }

    /// What the compiler says about an example.
    fn diagnosed(self, text: &str) -> Option<String> {
        match engine().compile("example.ten", text, &Host::none()) {
            Ok(program) if program.warnings().is_empty() => None,
            Ok(program) => Some(program.warnings().render(self.color)),
            Err(found) => Some(found.render(self.color)),
        }
    }

    fn heading(self, text: &str) -> String {
        format!("\n{}\n\n", self.bold(&format!("{text}:")))
    }

    fn bold(self, text: &str) -> String {
        if self.color { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// Words in backticks stand out by colour, where there is any.
    fn inline(self, text: &str) -> String {
        if !self.color {
            return text.to_owned();
        }
        let parts = text.split('`').enumerate();
        parts.map(|(i, part)| if i % 2 == 1 { format!("\x1b[36m{part}\x1b[0m") } else { part.to_owned() }).collect()
    }
}

/// Lines of at most this many characters are easy to read.
const WIDTH: usize = 80;

fn wrapped(paragraph: &str) -> String {
    let (mut out, mut column) = (String::new(), 0);
    for word in paragraph.split_whitespace() {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > WIDTH {
            out.push('\n');
            column = 0;
        } else if column > 0 {
            out.push(' ');
            column += 1;
        }
        out += word;
        column += length;
    }
    out.push('\n');
    out
}

fn indented(text: &str) -> String {
    text.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("    {line}\n") }).collect()
}
