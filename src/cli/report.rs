//! What people see when something is wrong, and how the process ends.

use std::io::Write;
use std::process::ExitCode;
use tenure::{Diagnostics, ScriptError};

/// How a subcommand ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Status {
    /// All went well.
    Success,
    /// Uncaught error, failed test, diagnostics, unreadable input.
    Failure,
    /// The script used up its heap.
    HeapLimit,
    /// The script used up its fuel or its time.
    Limit,
    /// Somebody interrupted the script.
    Interrupted,
    /// The script ended itself.
    Exit(i32),
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> ExitCode {
        match status {
            Status::Success => ExitCode::SUCCESS,
            Status::Failure => ExitCode::FAILURE,
            // as a shell reports a process that the system killed for want of memory
            Status::HeapLimit => ExitCode::from(137),
            // as `timeout` does
            Status::Limit => ExitCode::from(124),
            // as a shell reports a process that SIGINT ended
            Status::Interrupted => ExitCode::from(130),
            // the system keeps the lowest eight bits
            Status::Exit(code) => ExitCode::from(code as u8),
        }
    }
}

/// Text on standard error; there is nobody to tell when that is closed.
pub fn say(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// One line on standard error.
pub fn failure(line: &str) -> Status {
    say(&format!("error: {line}\n"));
    Status::Failure
}

/// One line on standard error; the work goes on.
pub fn warning(line: &str, color: bool) {
    let word = if color { "\x1b[1;33mwarning\x1b[0m" } else { "warning" };
    say(&format!("{word}: {line}\n"));
}

/// Everything that is wrong with a script.
pub fn diagnostics(found: &Diagnostics, color: bool) -> Status {
    say(&(found.render(color) + &where_to_read_on(found)));
    Status::Failure
}

/// The way from a code to its explanation.
pub fn where_to_read_on(found: &Diagnostics) -> String {
    let first = found.iter().find(|d| !d.code.is_empty());
    first.map_or_else(String::new, |d| format!("`tenure explain {}` says more\n", d.code))
}

/// A trap that no one caught: message, kind, trace.
pub fn script_error(error: &ScriptError, color: bool) -> Status {
    if let Some(code) = error.exit_code() {
        return Status::Exit(code);
    }
    let report = error.report();
    match report.strip_prefix("error") {
        Some(rest) if color => say(&format!("\x1b[1;31merror\x1b[0m{rest}")),
        _ => say(&report),
    }
    if error.is_out_of_memory() {
        Status::HeapLimit
    } else if error.is_limit() {
        Status::Limit
    } else if error.is_interrupt() {
        Status::Interrupted
    } else {
        Status::Failure
    }
}
