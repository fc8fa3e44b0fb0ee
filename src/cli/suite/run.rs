//! One run of a program in a process of its own: options in, figures out.
//!
//! The figures come from the run's journal, which every run of the suite writes, so that all bear its cost alike.

use super::super::child::{self, Scratch};
use super::cells::{Cell, Program};
use super::cost::Figures;
use super::store::{Store, digest};
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};
use tenure_gc::journal::Journal;

/// What `tenure` ends with when the script used up its heap.
const HEAP_LIMIT_STATUS: i32 = 137;

/// A run to be made.
pub struct Job<'s> {
    /// What runs.
    pub program: &'s Program,
    /// In which heap and under which goal.
    pub cell: Cell,
    /// The policy's options.
    pub policy: Vec<String>,
    /// What they stand for, with all that they refer to: part of the key.
    pub identity: String,
    /// Runs of the same kind are told apart by it.
    pub round: u32,
    /// Whether time is the work done.
    pub work_clock: bool,
    /// After this the run is stopped and counts as one that came to no end.
    pub patience: Duration,
}

/// What a run gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Nothing if it ran out of memory or time.
    pub figures: Option<Figures>,
    /// From start to end of the process.
    pub wall_ns: u64,
    /// A digest of what it printed.
    pub printed: String,
}

impl Job<'_> {
    /// The name of its result.
    pub fn key(&self, binary: &str) -> String {
        let clock = if self.work_clock { "work" } else { "time" };
        let limit = self.cell.limit_bytes(self.program);
        let arguments = self.program.script[1..].join(" ");
        let name = &self.program.name;
        format!("{binary}|{name} {arguments}|{limit}|{}ms|{clock}|{}|{}", self.cell.goal_ms, self.identity, self.round)
    }

    /// Its result, from the store if it is there.
    ///
    /// # Errors
    /// The script is wrong, or a file can't be written: neither is a matter of the policy.
    pub fn result(&self, store: &Store, binary: &str, scratch: &Scratch) -> Result<Line, String> {
        let key = self.key(binary);
        if let Some(line) = store.get(&key).as_ref().and_then(Line::from_json) {
            return Ok(line);
        }
        let line = self.run(scratch, None)?;
        store.put(&key, line.to_json(&self.program.name))?;
        Ok(line)
    }

    /// Runs it; its journal goes to `journal`, if it is wanted.
    pub fn run(&self, scratch: &Scratch, journal: Option<&Path>) -> Result<Line, String> {
        let written = scratch.file("run.tgj");
        let mut options = self.policy.clone();
        options.push(format!("--max-heap={}", self.cell.limit_bytes(self.program)));
        options.push(format!("--pause-goal={}ms", self.cell.goal_ms));
        options.push(format!("--gc-journal={}", written.display()));
        options.extend(self.work_clock.then(|| "--gc-work-clock".to_owned()));
        let begun = Instant::now();
        let ended = child::run(&options, &self.program.script, scratch, Some(self.patience))?;
        let wall_ns = begun.elapsed().as_nanos() as u64;
        let printed = digest(&ended.stdout);
        if !matches!(ended.code, Some(0 | HEAP_LIMIT_STATUS) | None) {
            return Err(format!("{} {}: {}", options.join(" "), self.program.name, child::reason(&ended)));
        }
        if ended.code != Some(0) {
            return Ok(Line { figures: None, wall_ns, printed: String::new() });
        }
        let read = Journal::read_file(&written).map_err(|e| e.to_string())?;
        let mut figures = Figures::of(&read.cycles, self.cell.goal_ns());
        if let Some(figures) = figures.as_mut().filter(|_| !self.work_clock) {
            let cpu = ended.stats.as_ref().and_then(|stats| stats["process_cpu_ns"].as_f64());
            figures.process_cpu_ns = cpu.ok_or("the run told nothing of its CPU time")?;
        }
        if let Some(journal) = journal {
            std::fs::copy(&written, journal).map_err(|e| format!("can't write `{}`: {e}", journal.display()))?;
        }
        Ok(Line { figures, wall_ns, printed })
    }
}

impl Line {
    fn to_json(&self, program: &str) -> Value {
        json!({
            "program": program,
            "figures": self.figures.map(Figures::to_json),
            "wall_ns": self.wall_ns,
            "printed": self.printed,
        })
    }

    fn from_json(value: &Value) -> Option<Line> {
        let figures = &value["figures"];
        Some(Line {
            figures: if figures.is_null() { None } else { Some(Figures::from_json(figures)?) },
            wall_ns: value["wall_ns"].as_u64()?,
            printed: value["printed"].as_str()?.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(program: &Program, identity: &str, round: u32) -> Job<'static> {
        Job {
            program: Box::leak(Box::new(program.clone())),
            cell: Cell::main(0),
            policy: vec!["--gc=no-such-policy".into()],
            identity: identity.into(),
            round,
            work_clock: false,
            patience: Duration::from_secs(1),
        }
    }

    #[test]
    fn what_is_in_the_store_is_not_run_again() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let scratch = Scratch::new("suite-test").unwrap();
        let script = vec!["x.ten".to_owned(), "1".to_owned()];
        let program = Program { name: "x".into(), family: "y".into(), script, minimum_bytes: 1 << 20 };
        let line = Line {
            figures: Some(Figures { cycles: 7, gc_cpu_ns: 1.5, ..Figures::default() }),
            wall_ns: 12,
            printed: "p".into(),
        };
        let job_0 = job(&program, "adaptive", 0);
        store.put(&job_0.key("b"), line.to_json("x")).unwrap();
        // a run of this policy would be an error
        assert_eq!(job_0.result(&store, "b", &scratch), Ok(line));
        let out_of_memory = Line { figures: None, wall_ns: 3, printed: String::new() };
        store.put(&job(&program, "adaptive", 1).key("b"), out_of_memory.to_json("x")).unwrap();
        assert_eq!(job(&program, "adaptive", 1).result(&store, "b", &scratch), Ok(out_of_memory));
        let keys = [
            job_0.key("b"),
            job_0.key("c"),
            job(&program, "static", 0).key("b"),
            job(&program, "adaptive", 1).key("b"),
            job(&Program { script: vec!["x.ten".into(), "2".into()], ..program.clone() }, "adaptive", 0).key("b"),
            job(&Program { minimum_bytes: 2 << 20, ..program }, "adaptive", 0).key("b"),
        ];
        let distinct: std::collections::BTreeSet<&String> = keys.iter().collect();
        assert_eq!(distinct.len(), keys.len());
    }
}
