//! How fast a program is read and checked: the time from text to a checked program.
//!
//! `cargo bench --bench front_end [-- --lines N]` checks a made-up module (see `large_module`) several times and prints
//! the least CPU time and the lines a minute, each beside its bar. Nothing here passes or fails: it reports.

#[path = "../support/large_module.rs"]
mod large_module;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use tenure::{Engine, Host, Purpose};

const RUNS: usize = 7;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let option = args.iter().position(|a| a == "--lines").and_then(|i| args.get(i + 1));
    let lines: usize = option.map_or(10_000, |n| n.parse().expect("--lines takes a number"));
    let module = large_module::large_module(lines);
    let lines = module.lines().count();
    let base = least_cpu_ms("");
    let all = least_cpu_ms(&module);
    println!("{lines} lines, {} KiB", module.len() >> 10);
    println!("an empty program (the core library): {base:.1} ms CPU");
    println!("the module: {all:.1} ms CPU (10,000 lines: at most 700)");
    println!("{:.2} million lines a minute (at least 1)", lines as f64 / 1e6 / (all / 60_000.0));
}

fn least_cpu_ms(text: &str) -> f64 {
    let engine = Engine::new();
    let run = || {
        let before = cpu_ms();
        if let Err(found) = engine.check(Purpose::Run, "module.ten", text, &[Host::none()], false) {
            panic!("{found}");
        }
        cpu_ms() - before
    };
    (0..RUNS).map(|_| run()).fold(f64::INFINITY, f64::min)
}

/// CPU time of this process, all threads.
fn cpu_ms() -> f64 {
    let usage = getrusage(UsageWho::RUSAGE_SELF).expect("the system counts");
    (usage.user_time() + usage.system_time()).num_microseconds() as f64 / 1000.0
}
