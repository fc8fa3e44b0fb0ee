//! The machine: what it is, and how much others used it meanwhile.

#![allow(dead_code, reason = "each benchmark uses its part")]

use std::fmt;
use std::fs;
use std::process::Command;

/// Ticks of all processors since the system started.
#[derive(Clone, Copy, Default)]
struct Ticks {
    all: u64,
    idle: u64,
    stolen: u64,
}

/// How busy the machine is, from one moment on.
pub struct Load {
    ticks: Ticks,
}

/// What the machine did in a while.
pub struct Noise {
    busy: f64,
    stolen: f64,
    load: String,
}

impl Ticks {
    fn now() -> Ticks {
        let text = fs::read_to_string("/proc/stat").unwrap_or_default();
        let line = text.lines().next().unwrap_or_default();
        // user nice system idle iowait irq softirq steal
        let ticks: Vec<u64> = line.split_whitespace().skip(1).take(8).map(|n| n.parse().unwrap_or(0)).collect();
        let at = |i: usize| ticks.get(i).copied().unwrap_or(0);
        Ticks { all: ticks.iter().sum(), idle: at(3) + at(4), stolen: at(7) }
    }
}

impl Load {
    /// From now on.
    pub fn now() -> Load {
        Load { ticks: Ticks::now() }
    }

    /// What has happened since.
    pub fn until_now(&self) -> Noise {
        let (then, now) = (self.ticks, Ticks::now());
        let share = |from: u64, to: u64| (to - from) as f64 / (now.all - then.all).max(1) as f64;
        Noise {
            busy: 1.0 - share(then.idle, now.idle),
            stolen: share(then.stolen, now.stolen),
            load: first_line(fs::read_to_string("/proc/loadavg").unwrap_or_default().as_str()),
        }
    }
}

impl fmt::Display for Noise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Noise { busy, stolen, load } = self;
        let averages: Vec<&str> = load.split(' ').take(3).collect();
        write!(
            f,
            "Meanwhile all processors were {:.0} % busy, {:.2} % was stolen by the host; load at the end {}",
            busy * 100.0,
            stolen * 100.0,
            averages.join(" ")
        )
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_string()
}

/// The first line that a command prints, on either stream; nothing if it doesn't start.
pub fn says(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).output().ok()?;
    let text = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    Some(first_line(&String::from_utf8_lossy(&text)))
}

/// Date, commit, processors.
pub fn description() -> String {
    let said = |program, args: &[&str]| says(program, args).unwrap_or_else(|| "none".into());
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown processor");
    format!(
        "{}; commit {}; {cpus} CPUs, {}",
        said("date", &["-u", "+%F %H:%M UTC"]),
        said("git", &["-C", env!("CARGO_MANIFEST_DIR"), "rev-parse", "--short", "HEAD"]),
        model.trim_matches([':', ' ', '\t'])
    )
}
