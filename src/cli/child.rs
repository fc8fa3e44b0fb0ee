//! Runs of scripts in processes of their own, for `bench` and `train`: what the run wrote, and what its collector did.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How often a running child is looked at when it has a time limit.
const POLL: Duration = Duration::from_millis(5);

/// A folder for the files of one subcommand, removed at its end.
pub struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// A new one.
    pub fn new(what: &str) -> Result<Scratch, String> {
        let path = std::env::temp_dir().join(format!("tenure-{what}-{}", std::process::id()));
        fs::create_dir_all(&path).map_err(|e| format!("can't make the folder `{}`: {e}", path.display()))?;
        Ok(Scratch { path })
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // what can't be removed is left to the system's own cleaning
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// One run that has ended.
pub struct Ended {
    /// Its exit code; `None` when it was stopped by the time limit or a signal.
    pub code: Option<i32>,
    /// What it said on standard error.
    pub stderr: String,
    /// The collector's summary, if it came to write one.
    pub stats: Option<Value>,
    /// What it printed.
    pub stdout: Vec<u8>,
}

/// Runs `tenure run OPTIONS SCRIPT…` as a child, at most for `limit`.
pub fn run(options: &[String], script: &[String], scratch: &Scratch, limit: Option<Duration>) -> Result<Ended, String> {
    let program = std::env::current_exe().map_err(|e| format!("can't find this program's own file: {e}"))?;
    let (stats, stdout, stderr) = (scratch.file("stats.json"), scratch.file("stdout"), scratch.file("stderr"));
    for file in [&stats, &stdout, &stderr] {
        let _ = fs::remove_file(file);
    }
    let create = |path: &Path| fs::File::create(path).map_err(|e| format!("can't write `{}`: {e}", path.display()));
    let mut child = Command::new(program)
        .arg("run")
        .args(options)
        .arg(format!("--stats-json={}", stats.display()))
        .arg("--")
        .args(script)
        .stdin(Stdio::null())
        .stdout(create(&stdout)?)
        .stderr(create(&stderr)?)
        .spawn()
        .map_err(|e| format!("can't start a run: {e}"))?;
    let status = match limit {
        None => Some(child.wait().map_err(|e| e.to_string())?),
        Some(limit) => wait_at_most(&mut child, limit)?,
    };
    let text = |path: &Path| fs::read(path).unwrap_or_default();
    Ok(Ended {
        code: status.and_then(|s| s.code()),
        stderr: String::from_utf8_lossy(&text(&stderr)).into_owned(),
        stats: serde_json::from_slice(&text(&stats)).ok(),
        stdout: text(&stdout),
    })
}

fn wait_at_most(child: &mut std::process::Child, limit: Duration) -> Result<Option<std::process::ExitStatus>, String> {
    let end = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait().map_err(|e| e.to_string())? {
            return Ok(Some(status));
        }
        if Instant::now() >= end {
            child.kill().and_then(|()| child.wait()).map_err(|e| e.to_string())?;
            return Ok(None);
        }
        std::thread::sleep(POLL);
    }
}

/// The first lines of what went wrong, for a message.
pub fn reason(ended: &Ended) -> String {
    let lines: Vec<&str> = ended.stderr.lines().take(12).collect();
    let code = ended.code.map_or_else(|| "was stopped".to_owned(), |code| format!("ended with status {code}"));
    if lines.is_empty() { format!("the script {code}") } else { format!("the script {code}:\n{}", lines.join("\n")) }
}
