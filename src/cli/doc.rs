//! `tenure doc`: what a script, a module or the standard library offers, as Markdown on standard output.

use super::args::DocArgs;
use super::output;
use super::report::{self, Status};
use tenure::{library_pages, module_page, read_source};

/// Does it.
pub fn main(args: &DocArgs) -> Status {
    let module = args.name.strip_prefix("std.").unwrap_or(&args.name);
    let found = library_pages().into_iter().find(|(name, _)| name == module);
    let page = match found {
        Some((_, page)) => page,
        None => {
            let text = match read_source(args.name.as_ref()) {
                Ok(text) => text,
                Err(line) => return report::failure(&line),
            };
            match module_page(&args.name, &text) {
                Ok(page) => page,
                Err(found) => {
                    report::say(&found.render(args.color.on_stderr()));
                    return Status::Failure;
                }
            }
        }
    };
    match output::print(&page) {
        Ok(()) => Status::Success,
        Err(error) => report::failure(&format!("can't write to standard output: {error}")),
    }
}
