//! `tenure gc minimum`: the smallest heap in which a script still runs, by bisection.
//!
//! A heap suffices if three runs of three end well, and each in no more than a multiple of the time it takes with plenty of memory:
//! what a collector decides follows the clock, so near the limit one run may end well by luck, and a script that collects without
//! end has not enough.

use super::args::MinimumArgs;
use super::child::{self, Scratch};
use super::output;
use super::report::{self, Status};
use super::run::split_script;
use super::size::show_bytes;
use serde_json::json;
use std::time::{Duration, Instant};

const LIMIT_BYTES_MIN: u64 = 1 << 20;
const LIMIT_BYTES_MAX: u64 = 24 << 30;
/// The answer is right up to this share of it, or a granule.
const PRECISION: u64 = 64;
const GRANULE_BYTES: u64 = 64 << 10;
/// Runs that must end well.
const RUNS: u32 = 3;
/// How much longer than with plenty of memory a run may take.
const PATIENCE: u32 = 4;
const PATIENCE_LEAST: Duration = Duration::from_secs(2);

/// Does it.
pub fn main(args: &MinimumArgs) -> Status {
    let (minimum_bytes, peak_bytes) = match minimum(args) {
        Ok(found) => found,
        Err(line) => return report::failure(&line),
    };
    let text = if args.json {
        json!({"script": args.script, "minimum_bytes": minimum_bytes, "peak_bytes": peak_bytes}).to_string() + "\n"
    } else {
        format!("{}: {} ({minimum_bytes} bytes)\n", args.script.join(" "), show_bytes(minimum_bytes))
    };
    output::print(&text).map_or_else(|e| report::failure(&e.to_string()), |()| Status::Success)
}

/// The smallest limit, and what was committed at the most without one.
fn minimum(args: &MinimumArgs) -> Result<(u64, u64), String> {
    tenure::read_source(split_script(&args.script).0.as_ref())?;
    let scratch = Scratch::new("minimum")?;
    let mut options = vec![format!("--gc={}", args.gc)];
    options.extend(args.work_clock.then(|| "--gc-work-clock".into()));
    let begun = Instant::now();
    let free = child::run(&options, &args.script, &scratch, None)?;
    let Some(stats) = free.stats.as_ref().filter(|_| free.code == Some(0)) else {
        return Err(child::reason(&free));
    };
    let peak_bytes = stats["committed_bytes_max"].as_u64().ok_or("the run told nothing of its heap")?;
    let patience = (begun.elapsed() * PATIENCE).max(PATIENCE_LEAST);
    let suffices = |bytes: u64| {
        let limited = [options.as_slice(), &[format!("--max-heap={bytes}")]].concat();
        for _ in 0..if args.work_clock { 1 } else { RUNS } {
            if child::run(&limited, &args.script, &scratch, Some(patience))?.code != Some(0) {
                return Ok(false);
            }
        }
        Ok(true)
    };
    bisect(peak_bytes, suffices).map(|minimum_bytes| (minimum_bytes, peak_bytes))
}

/// The least number of granules that suffices, looked for from a guess on.
fn bisect(guess_bytes: u64, mut suffices: impl FnMut(u64) -> Result<bool, String>) -> Result<u64, String> {
    let mut enough = guess_bytes.clamp(LIMIT_BYTES_MIN, LIMIT_BYTES_MAX).next_multiple_of(GRANULE_BYTES);
    while !suffices(enough)? {
        if enough >= LIMIT_BYTES_MAX {
            return Err("the script needs more than the largest heap".into());
        }
        enough = (enough * 2).min(LIMIT_BYTES_MAX);
    }
    let mut short = 0;
    while enough > LIMIT_BYTES_MIN && enough - short > GRANULE_BYTES.max(enough / PRECISION) {
        // Most scripts need far less than they take, so the first steps are long.
        let middle = if short == 0 { enough / 2 } else { short + (enough - short) / 2 };
        let middle = middle.max(LIMIT_BYTES_MIN).next_multiple_of(GRANULE_BYTES);
        if middle == enough {
            break;
        }
        if suffices(middle)? { enough = middle } else { short = middle }
    }
    Ok(enough)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(guess_bytes: u64, least_bytes: u64) -> (u64, u32) {
        let mut runs = 0;
        let suffices = |bytes| {
            runs += 1;
            Ok(bytes >= least_bytes)
        };
        (bisect(guess_bytes, suffices).unwrap(), runs)
    }

    #[test]
    fn the_least_is_found_within_a_64th() {
        for (guess, least) in [(100 << 20, 9 << 20), (3 << 20, 50 << 20), (5 << 20, 5 << 20), (90 << 20, 70 << 20)] {
            let (bytes, runs) = found(guess, least);
            assert!(bytes >= least && bytes - least <= bytes / 64 + GRANULE_BYTES, "{bytes} of {least}");
            assert!(runs <= 16, "{runs}");
        }
        assert_eq!(found(80 << 20, 0).0, LIMIT_BYTES_MIN);
        assert!(bisect(1, |_| Ok(false)).is_err());
    }
}
