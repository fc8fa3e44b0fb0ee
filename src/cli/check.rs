//! `tenure check`: everything that is wrong with scripts; runs nothing.

use super::args::{CheckArgs, Format};
use super::findings::{diagnostic_github, diagnostic_json};
use super::output;
use super::report::{self, Status};
use super::run::builder;
use super::timing;
use tenure::{Diagnostics, Host, Purpose, read_source};

/// Does it.
pub fn main(args: &CheckArgs) -> Status {
    let color = args.color.on_stderr();
    let timing = timing::start(&args.timing);
    let engine = builder().timing(timing.clone()).build().expect("the defaults are sound");
    let mut status = Status::Success;
    for path in &args.files {
        let name = path.display().to_string();
        let text = match read_source(path) {
            Ok(text) => text,
            Err(line) => {
                status = report::failure(&line);
                continue;
            }
        };
        // checked for its tests, so that those are checked too
        match engine.check(Purpose::Test, &name, &text, &[Host::none()], true) {
            Ok(warnings) => show(&warnings, args.format, color),
            Err(found) => {
                show(&found, args.format, color);
                status = Status::Failure;
            }
        }
    }
    if let Err(line) = timing::finish(&args.timing, &timing) {
        status = report::failure(&line);
    }
    status
}

/// Writes findings: for people on standard error, for programs on standard output.
pub fn show(found: &Diagnostics, format: Format, color: bool) {
    let lines = |line: fn(&tenure::Diagnostic) -> String| found.iter().map(|d| line(d) + "\n").collect::<String>();
    let text = match format {
        Format::Human => {
            report::say(&(found.render(color) + &report::where_to_read_on(found)));
            return;
        }
        Format::Json => lines(|d| diagnostic_json(d).to_string()),
        Format::Github => lines(diagnostic_github),
    };
    if let Err(error) = output::print(&text) {
        let _ = report::failure(&format!("can't write to standard output: {error}"));
    }
}
