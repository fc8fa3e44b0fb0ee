//! Whole processes: ours and Java's, with what they and their collectors used.

use nix::sys::resource::{UsageWho, getrusage};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

/// What a process that ended well used.
#[derive(Clone, Debug)]
pub struct Run {
    /// User and system time.
    pub cpu_s: f64,
    /// CPU time of the collector; without the barrier's slow path.
    pub gc_cpu_s: f64,
    /// Peak resident memory.
    pub peak_bytes: f64,
    /// What it printed.
    pub printed: String,
    /// Of ours, everything that `--stats-json` tells.
    pub stats: Value,
}

/// This repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A workload of this benchmark, or of those that measure the language, or an example.
pub fn script(name: &str) -> PathBuf {
    let places = ["tests/bench/gc/programs", "tests/bench/programs", "examples", "examples/workloads"];
    let found = places.iter().map(|place| root().join(place).join(format!("{name}.ten"))).find(|path| path.exists());
    found.unwrap_or_else(|| panic!("there is no program `{name}`"))
}

/// What commands started from here have used so far.
fn children_cpu_s() -> f64 {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("getrusage works for children");
    let seconds = |t: nix::sys::time::TimeVal| t.tv_sec() as f64 + t.tv_usec() as f64 / 1e6;
    seconds(usage.user_time()) + seconds(usage.system_time())
}

fn run(command: &mut Command) -> (Output, f64) {
    let cpu_s = children_cpu_s();
    let output = command.stdin(Stdio::null()).output().expect("the command starts");
    (output, children_cpu_s() - cpu_s)
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("the output is text")
}

/// Runs a script in a process of its own; an error is what it said.
pub fn try_tenure(options: &[String], script: &Path, args: &[String]) -> Result<Run, String> {
    let stats = tempfile::NamedTempFile::new().expect("a temporary file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenure"));
    command.arg("run").arg("--stats-json").arg(stats.path()).args(options).arg(script).args(args);
    let (output, cpu_s) = run(&mut command);
    if !output.status.success() {
        return Err(text(output.stderr));
    }
    let json = std::fs::read_to_string(stats.path()).expect("the summary was written");
    let stats: Value = serde_json::from_str(&json).expect("the summary is JSON");
    let number = |name: &str| stats[name].as_f64().unwrap_or_else(|| panic!("the summary has {name}"));
    Ok(Run {
        cpu_s,
        gc_cpu_s: number("gc_cpu_ns") / 1e9,
        peak_bytes: number("peak_memory_bytes"),
        printed: text(output.stdout),
        stats,
    })
}

/// As `try_tenure`, for scripts that must end well.
pub fn tenure(options: &[String], script: &Path, args: &[String]) -> Run {
    try_tenure(options, script, args).unwrap_or_else(|said| panic!("{} failed: {said}", script.display()))
}

/// The folder with the compiled peers; none without a Java compiler.
fn classes() -> Option<&'static Path> {
    static CLASSES: OnceLock<Option<PathBuf>> = OnceLock::new();
    let compiled = CLASSES.get_or_init(|| {
        let classes = Path::new(env!("CARGO_TARGET_TMPDIR")).join("gc-peers");
        std::fs::create_dir_all(&classes).ok()?;
        let ours = ["GraphMutation", "LargeMix", "LruChurn", "Measured"];
        let sources = ours.map(|name| root().join("tests/bench/gc/java").join(format!("{name}.java")));
        let shared = root().join("tests/bench/race/java/BinaryTrees.java");
        let output = Command::new("javac")
            .args(["-nowarn", "--add-exports", INTERNALS, "-d"])
            .arg(&classes)
            .args(sources)
            .arg(shared)
            .output()
            .ok()?;
        output.status.success().then_some(classes)
    });
    compiled.as_deref()
}

const INTERNALS: &str = "java.management/sun.management=ALL-UNNAMED";

/// Runs a peer; none without Java.
pub fn java(options: &[String], class: &str, args: &[String]) -> Option<Run> {
    let mut command = Command::new("java");
    command.args(options).arg("-cp").arg(classes()?).args(["--add-exports", INTERNALS, "Measured", class]).args(args);
    let (output, cpu_s) = run(&mut command);
    let (printed, said) = (text(output.stdout), text(output.stderr));
    assert!(output.status.success(), "{class} failed: {printed}{said}");
    let measured = said.lines().find_map(|line| line.strip_prefix("measured ")).expect("what was measured");
    let (gc_ns, peak_bytes) = measured.split_once(' ').expect("two numbers");
    let number = |text: &str| text.parse::<f64>().expect("a number");
    let (gc_cpu_s, peak_bytes) = (number(gc_ns) / 1e9, number(peak_bytes));
    Some(Run { cpu_s, gc_cpu_s, peak_bytes, printed, stats: Value::Null })
}

/// What one slow path of the write barrier costs, in nanoseconds: the difference between the first stores into old
/// objects after a collection and the second ones.
pub fn barrier_slow_path_ns() -> f64 {
    let runs: Vec<f64> = (0..7)
        .map(|_| {
            let printed = tenure(&["--max-heap=1G".into()], &script("barrier_cost"), &[]).printed;
            printed.trim().parse().expect("a number")
        })
        .collect();
    crate::figures::median(&runs)
}
