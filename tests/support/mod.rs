//! Runs the `tenure` command for integration tests.

#![allow(dead_code, reason = "each test binary uses its part")]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// What a run of the command gave.
#[derive(Debug)]
pub struct Run {
    /// Exit status; -1 when a signal ended it.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Run {
    /// Its standard output; panics unless it ended well.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.stdout
    }

    /// Its standard error; panics unless it ended with this status and printed nothing.
    #[track_caller]
    pub fn fails(self, code: i32) -> String {
        assert_eq!((self.code, self.stdout.as_str()), (code, ""), "{self:?}");
        self.stderr
    }
}

/// The command, in the repository's root.
pub fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenure"));
    command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR"))).env_remove("NO_COLOR");
    command
}

/// Runs `tenure` with these arguments and nothing on standard input.
pub fn tenure(args: &[&str]) -> Run {
    collected(command().args(args).stdin(Stdio::null()).output().expect("the command starts"))
}

/// Runs `tenure` with these arguments and a text on standard input.
pub fn tenure_with_input(args: &[&str], input: &[u8]) -> Run {
    let mut child = command()
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    // a command that refuses its arguments may end before it has read everything
    let _ = child.stdin.take().expect("a pipe").write_all(input);
    collected(child.wait_with_output().expect("the command ends"))
}

fn collected(output: Output) -> Run {
    Run {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
