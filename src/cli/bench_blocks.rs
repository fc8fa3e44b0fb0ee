//! `tenure bench` of a script with `bench` blocks: how long each takes.
//!
//! A block is run in batches that take long enough for the clock; what is reported is the median over the batches, per
//! run of the block, and the spread beside it.

use super::args::BenchArgs;
use super::output;
use super::report::{self, Status};
use super::run::on_script_stack;
use super::sample::Quartiles;
use super::size::show_ns;
use serde_json::json;
use std::time::{Duration, Instant};
use tenure::{Program, ScriptError, Vm};

/// A batch runs at least this long.
const BATCH: Duration = Duration::from_millis(20);
/// Before it is measured, a block runs for this long, so that all its code is compiled.
const WARM_UP: Duration = Duration::from_millis(100);

/// Runs all `bench` blocks of a program compiled for them.
pub fn main(args: &BenchArgs, program: &Program) -> Status {
    on_script_stack(|| run(args, program))
}

fn run(args: &BenchArgs, program: &Program) -> Status {
    let mut instance = program.instance().args(args.script[1..].iter().cloned()).stdout(Box::new(std::io::sink()));
    if let Some(goal) = args.pause_goal {
        instance = instance.pause_goal(goal);
    }
    if let Some(bytes) = args.max_heap {
        instance = instance.max_heap(bytes);
    }
    let mut vm = match instance.build() {
        Ok(vm) => vm,
        Err(error) => return report::failure(&error.to_string()),
    };
    if let Err(error) = vm.run() {
        return report::script_error(&error, false);
    }
    let titles: Vec<&str> = program.tests().collect();
    for (block, title) in titles.into_iter().enumerate() {
        let line = match measure(&mut vm, block, args.runs) {
            Ok((quartiles, rounds)) if args.json => {
                json!({"bench": title, "ns": quartiles.median, "low": quartiles.low, "high": quartiles.high, "rounds": rounds})
                    .to_string()
            }
            Ok((quartiles, rounds)) if args.csv => format!("{title:?},{},{rounds}", quartiles.median),
            Ok((quartiles, rounds)) => {
                let spread = quartiles.spread_percent();
                let time = show_ns(quartiles.median.round() as u64);
                format!("{title}: {time} ± {spread:.0} % ({} batches of {rounds})", args.runs)
            }
            Err(error) => return report::script_error(&error, false),
        };
        if let Err(error) = output::print(&(line + "\n")) {
            return report::failure(&format!("can't write to standard output: {error}"));
        }
    }
    Status::Success
}

/// Nanoseconds a run of the block takes, and how many of them make a batch.
fn measure(vm: &mut Vm, block: usize, batches: u32) -> Result<(Quartiles, u64), ScriptError> {
    let start = Instant::now();
    let mut rounds = 1;
    while start.elapsed() < WARM_UP {
        let batch = time(vm, block, rounds)?;
        if batch < BATCH {
            rounds *= 2;
        }
    }
    let mut samples = Vec::new();
    for _ in 0..batches {
        samples.push(time(vm, block, rounds)?.as_nanos() as f64 / rounds as f64);
    }
    Ok((Quartiles::of(samples), rounds))
}

fn time(vm: &mut Vm, block: usize, rounds: u64) -> Result<Duration, ScriptError> {
    let start = Instant::now();
    for _ in 0..rounds {
        vm.run_test(block)?;
    }
    Ok(start.elapsed())
}
