//! The collector, measured: one row of figures for each promise that it makes about time and memory.
//!
//! `cargo bench --bench gc` measures all rows, `cargo bench --bench gc -- pause java` some; `-- --quick` makes each row
//! small enough for a look, and does not record it. What was measured goes to `tests/bench/record/collector.md`, row by
//! row, with date, commit, machine and load. Nothing here passes or fails: it reports, misses included.
//!
//! Runs that are compared are interleaved, so that a machine that changes its speed changes it for all; what is compared
//! is CPU time, for other processes lengthen wall times; medians come with 95 % intervals by the bootstrap.

#[path = "../figures.rs"]
mod figures;
#[path = "../machine.rs"]
mod machine;
mod observed;
mod process;
mod record;
mod rows;

use std::time::Instant;

/// How the rows are to be measured.
pub struct Settings {
    /// Small sizes and few runs, to see whether all works.
    pub quick: bool,
    /// Counted runs of each contender, if not the row's own number.
    pub runs: Option<usize>,
    /// The policy of our collector, if not the default one.
    pub policy: Option<String>,
}

impl Settings {
    /// One of two sizes.
    pub fn pick<T>(&self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }

    /// Number of counted runs.
    pub fn runs(&self, full: usize) -> usize {
        self.runs.unwrap_or(self.pick(full, 3))
    }

    /// The options of `tenure run` that choose the policy.
    pub fn policy_options(&self) -> Vec<String> {
        self.policy.iter().map(|policy| format!("--gc={policy}")).collect()
    }
}

fn main() {
    let mut args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    if args.first().is_some_and(|arg| arg == observed::CHILD) {
        return observed::child(&args[1..]);
    }
    let mut flag = |name: &str| {
        let found = args.iter().position(|arg| arg == name);
        found.map(|at| args.remove(at)).is_some()
    };
    let quick = flag("--quick");
    let mut option = |name: &str| {
        let at = args.iter().position(|arg| arg == name)?;
        args.remove(at);
        assert!(at < args.len(), "{name} takes a value");
        Some(args.remove(at))
    };
    let runs = option("--runs").map(|n| n.parse().expect("--runs takes a number"));
    let settings = Settings { quick, runs, policy: option("--gc") };
    for name in &args {
        let known: Vec<&str> = rows::ROWS.iter().map(|row| row.name).collect();
        assert!(known.contains(&name.as_str()), "there is no row `{name}`; there are {}", known.join(", "));
    }
    for row in rows::ROWS.iter().filter(|row| args.is_empty() || args.iter().any(|name| name == row.name)) {
        let (start, before) = (Instant::now(), machine::Load::now());
        let body = (row.measure)(&settings);
        let noise = before.until_now();
        let section = format!(
            "## {}\nBar: {}.\n\n{body}\nMeasured by {}. {noise}; the row took {:.0} s.\n",
            row.name,
            row.bar,
            record::command(row.name, &settings),
            start.elapsed().as_secs_f64()
        );
        println!("{section}");
        if !settings.quick {
            record::replace(row.name, &section);
        }
    }
}
