//! One process and what it used: user and system time, wall time, peak resident memory.
//!
//! It must never know which language it measures. Each process is started by a process of its own (this program again,
//! with [`CHILD`]), because the system adds up the children of a process, and keeps the greatest peak of them.

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use std::fs::File;
use std::hash::{DefaultHasher, Hasher};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// The argument that makes this program the parent of one measured process.
pub const CHILD: &str = "--measure-child";

/// What one run used.
#[derive(Clone, Copy)]
pub struct Usage {
    /// User and system time.
    pub cpu_s: f64,
    /// From start to end.
    pub wall_s: f64,
    /// Peak resident set.
    pub peak_bytes: u64,
}

/// Runs the rest of the command line, its output thrown away, and prints what it used.
pub fn child(command: &[String]) {
    let start = Instant::now();
    let mut process = Command::new(&command[0]);
    process.args(&command[1..]).stdout(Stdio::null());
    let status = process.status().unwrap_or_else(|e| panic!("{command:?} does not start: {e}"));
    let wall_s = start.elapsed().as_secs_f64();
    assert!(status.success(), "{command:?} ended with {status}");
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("getrusage works for children");
    let seconds = |t: TimeVal| t.tv_sec() as f64 + t.tv_usec() as f64 / 1e6;
    let cpu_s = seconds(usage.user_time()) + seconds(usage.system_time());
    println!("{cpu_s} {wall_s} {}", usage.max_rss() as u64 * 1024);
}

fn stdin(input: Option<&Path>) -> Stdio {
    input.map_or_else(Stdio::null, |path| File::open(path).expect("the input was made").into())
}

/// What one run of a command uses, reading `input`.
pub fn usage(command: &[String], input: Option<&Path>) -> Usage {
    let output = Command::new(std::env::current_exe().expect("this program has a path"))
        .arg(CHILD)
        .args(command)
        .stdin(stdin(input))
        .stderr(Stdio::inherit())
        .output()
        .expect("this program starts itself");
    let text = String::from_utf8(output.stdout).expect("numbers");
    let mut numbers = text.split_whitespace().map(|n| n.parse::<f64>().expect("a number"));
    let mut next = || numbers.next().unwrap_or_else(|| panic!("{command:?} failed"));
    Usage { cpu_s: next(), wall_s: next(), peak_bytes: next() as u64 }
}

/// What a command prints: its last line, and a hash of the whole.
pub fn result(command: &[String], input: Option<&Path>) -> String {
    let mut process = Command::new(&command[0]);
    process.args(&command[1..]).stdin(stdin(input)).stderr(Stdio::inherit());
    let output = process.output().unwrap_or_else(|e| panic!("{command:?} does not start: {e}"));
    assert!(output.status.success(), "{command:?} ended with {}", output.status);
    let mut hash = DefaultHasher::new();
    hash.write(output.stdout.trim_ascii_end());
    let text = String::from_utf8_lossy(&output.stdout);
    let last: String = text.trim_end().lines().next_back().unwrap_or_default().chars().take(60).collect();
    format!("`{last}` ({:016x})", hash.finish())
}
