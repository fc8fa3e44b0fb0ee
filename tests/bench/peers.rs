//! Measures whole processes side by side: Tenure and, where it is installed, Java running the same algorithm.
//!
//! `cargo bench --bench peers` prints a table and writes it, with machine and commit, to
//! `tests/bench/record/peers.md`; `--runs N` sets the number of counted runs, `--only NAME` picks measurements.
//! Runs are interleaved (A B A B …) so that a machine that changes speed changes it for both; the ratio is taken pair
//! by pair. CPU time is user + system of the whole process, memory its peak resident set. A missing peer is skipped
//! and said. Nothing here passes or fails: it reports.

use nix::sys::resource::{UsageWho, getrusage};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// One command to measure.
struct Contender {
    name: &'static str,
    command: Vec<String>,
}

/// Commands that do the same work; the first one is Tenure.
struct Measurement {
    name: &'static str,
    bar: &'static str,
    contenders: Vec<Contender>,
}

/// CPU seconds and peak resident bytes of one run.
#[derive(Clone, Copy)]
struct Usage {
    cpu_s: f64,
    peak_bytes: u64,
}

const MEASURE_CHILD: &str = "--measure-child";

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    if args.first().is_some_and(|a| a == MEASURE_CHILD) {
        return measure_child(&args[1..]);
    }
    let option = |name: &str| args.iter().position(|a| a == name).and_then(|i| args.get(i + 1));
    let runs: usize = option("--runs").map_or(7, |n| n.parse().expect("--runs takes a number"));
    let only = option("--only");

    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let java = compile_java(root);
    let mut report = header();
    for measurement in measurements(root, java.as_deref()) {
        if only.is_some_and(|name| name != measurement.name) {
            continue;
        }
        let text = run(&measurement, runs);
        print!("{text}");
        report += &text;
    }
    if java.is_none() {
        report += "\nJava is not installed here: its columns were skipped.\n";
        println!("Java is not installed here: its columns were skipped.");
    }
    if only.is_none() {
        let record = root.join("tests/bench/record/peers.md");
        std::fs::write(&record, report).expect("the record can be written");
        println!("\nwritten to {}", record.display());
    }
}

/// Runs the rest of the command line and prints what it used: a process of its own, so that the peak memory of its
/// children is that of this one command.
fn measure_child(command: &[String]) {
    let status = Command::new(&command[0])
        .args(&command[1..])
        .stdout(Stdio::null())
        .stdin(Stdio::null())
        .status()
        .expect("the command starts");
    assert!(status.success(), "{command:?} ended with {status}");
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("getrusage works for children");
    let seconds = |t: nix::sys::time::TimeVal| t.tv_sec() as f64 + t.tv_usec() as f64 / 1e6;
    println!("{} {}", seconds(usage.user_time()) + seconds(usage.system_time()), usage.max_rss() as u64 * 1024);
}

fn measure(command: &[String]) -> Usage {
    let output = Command::new(std::env::current_exe().expect("this program has a path"))
        .arg(MEASURE_CHILD)
        .args(command)
        .stderr(Stdio::inherit())
        .output()
        .expect("this program starts itself");
    let text = String::from_utf8(output.stdout).expect("two numbers");
    let (cpu, peak) = text.trim().split_once(' ').unwrap_or_else(|| panic!("{command:?} failed"));
    Usage { cpu_s: cpu.parse().expect("seconds"), peak_bytes: peak.parse().expect("bytes") }
}

fn measurements(root: &Path, java: Option<&Path>) -> Vec<Measurement> {
    let program = |name: &str| root.join("tests/bench/programs").join(name).display().to_string();
    let example = |name: &str| root.join("examples").join(name).display().to_string();
    let tenure = |args: &[&str]| Contender {
        name: "Tenure",
        command: [env!("CARGO_BIN_EXE_tenure")].iter().chain(args).map(|s| s.to_string()).collect(),
    };
    let with_java = |ours: Vec<Contender>, options: &[(&'static str, &[&str])], class: &str, args: &[&str]| {
        let peers = java.iter().flat_map(|classes| {
            options.iter().map(|(name, flags)| Contender {
                name,
                command: ["java", "-cp", &classes.display().to_string()]
                    .into_iter()
                    .chain(flags.iter().copied())
                    .chain([class])
                    .chain(args.iter().copied())
                    .map(String::from)
                    .collect(),
            })
        });
        ours.into_iter().chain(peers).collect()
    };
    let g1 = &["-XX:+UseG1GC"][..];
    let g1_512 = &["-XX:+UseG1GC", "-Xmx512m"][..];
    vec![
        Measurement { name: "hello", bar: "CPU at most 15 ms", contenders: vec![tenure(&[&example("hello.ten")])] },
        Measurement {
            name: "compile",
            bar: "an 800-line program, compiled and run once: at most 150 ms CPU",
            contenders: vec![tenure(&[&example("big.ten"), "1"])],
        },
        Measurement {
            name: "fib",
            bar: "CPU at most 1.7 × Java",
            contenders: with_java(vec![tenure(&[&program("fib.ten"), "40"])], &[("Java G1", g1)], "Fib", &["40"]),
        },
        Measurement {
            name: "binary_trees",
            bar: "CPU at most 1.0 × Java; memory at most 0.25 × at default flags, 0.75 × with -Xmx512m",
            contenders: with_java(
                vec![tenure(&[&program("binary_trees.ten"), "18"])],
                &[("Java G1", g1), ("Java G1 -Xmx512m", g1_512)],
                "BinaryTrees",
                &["18"],
            ),
        },
    ]
}

/// The folder with the compiled peers, or none without a Java compiler.
fn compile_java(root: &Path) -> Option<PathBuf> {
    let classes = Path::new(env!("CARGO_TARGET_TMPDIR")).join("peers");
    std::fs::create_dir_all(&classes).ok()?;
    let sources = ["BinaryTrees.java", "Fib.java"].map(|name| root.join("tests/bench/race/java").join(name));
    let status = Command::new("javac").arg("-d").arg(&classes).args(sources).status().ok()?;
    status.success().then_some(classes)
}

fn run(measurement: &Measurement, runs: usize) -> String {
    let contenders = &measurement.contenders;
    for contender in contenders {
        measure(&contender.command); // warm the page cache
    }
    let mut usages: Vec<Vec<Usage>> = contenders.iter().map(|_| Vec::new()).collect();
    for _ in 0..runs {
        for (contender, usages) in contenders.iter().zip(&mut usages) {
            usages.push(measure(&contender.command));
        }
    }
    let mut text = format!("\n## {}\nBar: {}. {runs} interleaved runs.\n\n", measurement.name, measurement.bar);
    text +=
        "| | CPU s, median (min to max) | peak MiB | CPU ratio ours ÷ theirs | memory ratio |\n|---|---|---|---|---|\n";
    for (contender, theirs) in contenders.iter().zip(&usages) {
        let cpu = Spread::of(theirs.iter().map(|u| u.cpu_s));
        let peak = Spread::of(theirs.iter().map(|u| u.peak_bytes as f64 / (1 << 20) as f64));
        let pairs = || usages[0].iter().zip(theirs);
        let cpu_ratio = Spread::of(pairs().map(|(a, b)| a.cpu_s / b.cpu_s));
        let memory_ratio = Spread::of(pairs().map(|(a, b)| a.peak_bytes as f64 / b.peak_bytes as f64));
        let name = contender.name;
        writeln!(text, "| {name} | {cpu:.3} | {:.1} | {cpu_ratio:.2} | {:.2} |", peak.median, memory_ratio.median)
            .expect("writing to a string");
    }
    text
}

/// Median, least and greatest of some figures.
struct Spread {
    median: f64,
    min: f64,
    max: f64,
}

impl Spread {
    fn of(figures: impl Iterator<Item = f64>) -> Spread {
        let mut figures: Vec<f64> = figures.collect();
        figures.sort_by(f64::total_cmp);
        Spread { median: figures[figures.len() / 2], min: figures[0], max: figures[figures.len() - 1] }
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let digits = f.precision().unwrap_or(2);
        write!(f, "{:.digits$} ({:.digits$} to {:.digits$})", self.median, self.min, self.max)
    }
}

fn header() -> String {
    let first_line = |program: &str, args: &[&str]| {
        let output = Command::new(program).args(args).output().ok()?;
        let text = if output.stdout.is_empty() { output.stderr } else { output.stdout };
        String::from_utf8_lossy(&text).lines().next().map(String::from)
    };
    let commit = first_line("git", &["rev-parse", "--short", "HEAD"]).unwrap_or_else(|| "unknown".into());
    let java = first_line("java", &["-version"]).unwrap_or_else(|| "none".into());
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let model = std::fs::read_to_string("/proc/cpuinfo")
        .ok()
        .and_then(|t| {
            t.lines().find_map(|l| l.strip_prefix("model name").map(|m| m.trim_matches([':', ' ', '\t']).to_string()))
        })
        .unwrap_or_else(|| "unknown processor".into());
    format!(
        "# Whole-process figures beside peers\nMade by `cargo bench --bench peers`. Commit {commit}; {cpus} CPUs, {model}; Java: {java}.\n"
    )
}
