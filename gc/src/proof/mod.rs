//! Proofs that need the inside of a heap: that each broken rule is noticed, that each fault is survived in each phase,
//! that a stale reference is caught. What can be shown from outside is in the crate's `tests` folder.
//!
//! What may end a process is tried in a process of its own: the test's own program, asked for one ignored test.

mod broken;
mod faults;
mod last_ditch;
mod quarantine;

#[path = "../../tests/support/mod.rs"]
mod support;

use std::process::{Command, Output};

/// Runs one of this module's ignored tests in a process of its own, with one variable set.
fn in_a_process(test: &str, variable: &str, value: &str) -> Output {
    let program = std::env::current_exe().expect("the path of the test's program");
    Command::new(program)
        .args(["--exact", test, "--ignored", "--nocapture", "--test-threads=1"])
        .env(variable, value)
        .env("RUST_BACKTRACE", "0")
        .output()
        .expect("the test's program runs")
}

/// How a process ended badly: the first panic's words, or the signal. None if it ended well.
fn end_of(output: &Output) -> Option<String> {
    use std::os::unix::process::ExitStatusExt;
    if output.status.success() {
        return None;
    }
    if let Some(signal) = output.status.signal() {
        return Some(format!("signal {signal}"));
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let mut lines = text.lines().skip_while(|line| !line.contains("panicked at"));
    lines.next();
    Some(lines.next().unwrap_or("no words").to_owned())
}
