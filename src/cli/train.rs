//! `tenure train`: runs a corpus under the exploring policy and fits the advisor's model to the journals.
//!
//! A run's journal stays in the output folder and is not made again, so that a training that was stopped goes on where it
//! stopped. First each script runs once with little room beyond what lives, to learn how much memory it needs; then it runs
//! with limits and pause goals around that.

use super::archive;
use super::args::TrainArgs;
use super::child::{self, Scratch};
use super::corpus::{self, Workload};
use super::output;
use super::report::{self, Status};
use super::size::show_bytes;
use indicatif::{ProgressBar, ProgressStyle};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tenure_advisor::train::{Options, Run, fit};
use tenure_gc::journal::Journal;

/// What tells how much a script needs: a heap that grows by a quarter of what lives.
const SIZING_POLICY: &str = "--gc=ratio:25";
/// Heap limits, in parts of what that took at the most.
const LIMIT_FACTORS: [f64; 6] = [1.25, 3.0, 1.6, 6.0, 1.1, 2.0];
/// Pause goals that go with them.
const PAUSE_GOALS_MS: [u64; 5] = [10, 2, 50, 5, 20];
const LIMIT_BYTES_MIN: u64 = 4 << 20;
const LIMIT_BYTES_MAX: u64 = 24 << 30;

/// Does it.
pub fn main(args: &TrainArgs) -> Status {
    train(args).map_or_else(|line| report::failure(&line), |()| Status::Success)
}

fn train(args: &TrainArgs) -> Result<(), String> {
    fs::create_dir_all(&args.out).map_err(|e| format!("can't make the folder `{}`: {e}", args.out.display()))?;
    let mut said = String::new();
    let (runs, options) = match &args.from {
        Some(path) => archive::read(path)?,
        None => {
            let (runs, options) = gather(args)?;
            let data = args.out.join("model.data");
            archive::write(&data, &runs, &options)?;
            said += &format!("data:  {}\n", data.display());
            (runs, options)
        }
    };
    let trained = fit(&runs, &options).map_err(|e| e.to_string())?;
    let (model, card) = (args.out.join("model.json"), args.out.join("model.md"));
    let text = serde_json::to_string_pretty(&trained.model).map_err(|e| e.to_string())? + "\n";
    write(&model, &text)?;
    write(&card, &trained.card_markdown)?;
    said += &format!("model: {}\ncard:  {}\n", model.display(), card.display());
    said += &format!("{} rows of {} runs\n", trained.metrics.rows, trained.metrics.runs);
    for output in &trained.metrics.outputs {
        said += &format!("{}: r² {:.3} on families left out ({})\n", output.name, output.r2, output.method);
    }
    output::print(&said).map_err(|e| e.to_string())
}

/// Runs the corpus, as far as its journals are not there yet, and reads them all.
fn gather(args: &TrainArgs) -> Result<(Vec<Run>, Options), String> {
    let corpus = corpus::read(&args.corpus)?;
    let journals = args.out.join("journals");
    fs::create_dir_all(&journals).map_err(|e| format!("can't make the folder `{}`: {e}", journals.display()))?;
    record(args, &corpus, &journals)?;
    let runs = read(&corpus, args.runs, &journals)?;
    let options = Options {
        seed: args.seed,
        date: today(),
        trained_on: format!("{} runs of {} scripts from {}", runs.len(), corpus.len(), args.corpus.display()),
    };
    Ok((runs, options))
}

fn journal_path(journals: &Path, workload: &Workload, run: u32) -> PathBuf {
    journals.join(format!("{}-{run}.tgj", workload.name))
}

fn record(args: &TrainArgs, corpus: &[Workload], journals: &Path) -> Result<(), String> {
    let scratch = Scratch::new("train")?;
    let limit = Duration::from_secs(args.timeout);
    // drawn on a terminal only
    let bar = ProgressBar::new(corpus.len() as u64 * u64::from(args.runs));
    bar.set_style(
        ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}").unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    for (number, workload) in corpus.iter().enumerate() {
        bar.set_message(workload.name.clone());
        let missing: Vec<u32> = (0..args.runs).filter(|&run| !journal_path(journals, workload, run).exists()).collect();
        bar.inc(u64::from(args.runs) - missing.len() as u64);
        if missing.is_empty() {
            continue;
        }
        let mut peaks = vec![None; workload.arguments.len()];
        for run in missing {
            let script = workload.script(run);
            let known = &mut peaks[run as usize % workload.arguments.len()];
            let peak = match *known {
                Some(peak) => peak,
                None => {
                    let sizing = child::run(&[SIZING_POLICY.into()], &script, &scratch, Some(limit))?;
                    let Some(peak) = sizing.stats.as_ref().and_then(|s| s["committed_bytes_max"].as_u64()) else {
                        bar.finish_and_clear();
                        return Err(format!("{}: {}", script.join(" "), child::reason(&sizing)));
                    };
                    *known.insert(peak)
                }
            };
            let factor = LIMIT_FACTORS[run as usize % LIMIT_FACTORS.len()];
            let limit_bytes = ((peak as f64 * factor) as u64).clamp(LIMIT_BYTES_MIN, LIMIT_BYTES_MAX);
            let goal = PAUSE_GOALS_MS[(run as usize + number) % PAUSE_GOALS_MS.len()];
            let journal = scratch.file("run.tgj");
            let mut options = vec![
                "--gc=explore".to_owned(),
                format!("--gc-seed={}", args.seed.wrapping_mul(1_000_003) ^ ((number as u64) << 32 | u64::from(run))),
                format!("--max-heap={limit_bytes}"),
                format!("--pause-goal={goal}ms"),
                format!("--gc-journal={}", journal.display()),
            ];
            options.extend(args.work_clock.then(|| "--gc-work-clock".to_owned()));
            let ended = child::run(&options, &script, &scratch, Some(limit))?;
            // too small a heap, or too long a run: what was recorded counts
            if !matches!(ended.code, Some(0 | 137) | None) {
                bar.finish_and_clear();
                return Err(format!("{}: {}", workload.path.display(), child::reason(&ended)));
            }
            if ended.code != Some(0) {
                let how = if ended.code.is_none() { "was stopped" } else { "ran out of memory" };
                let line = format!("{} {how} in a heap of {}", script.join(" "), show_bytes(limit_bytes));
                bar.suspend(|| report::warning(&line, false));
            }
            let kept = journal_path(journals, workload, run);
            fs::copy(&journal, &kept).map_err(|e| format!("can't write `{}`: {e}", kept.display()))?;
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    Ok(())
}

fn read(corpus: &[Workload], runs: u32, journals: &Path) -> Result<Vec<Run>, String> {
    let mut found = Vec::new();
    for workload in corpus {
        for run in 0..runs {
            let path = journal_path(journals, workload, run);
            let journal = match Journal::salvage_file(&path) {
                Ok((journal, None)) => journal,
                Ok((journal, Some(error))) => {
                    report::warning(&format!("{error}; what comes before is used"), false);
                    journal
                }
                Err(error) => {
                    report::warning(&format!("{error}; it is left out"), false);
                    continue;
                }
            };
            found.push(Run { family: workload.family.clone(), cycles: journal.cycles });
        }
    }
    Ok(found)
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|e| format!("can't write `{}`: {e}", path.display()))
}

/// The date in Greenwich, for the model's card.
fn today() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    date_of_day(seconds / 86_400)
}

/// The date of a day counted from 1 January 1970; after Hinnant's `civil_from_days`.
fn date_of_day(day: u64) -> String {
    let day = day + 719_468;
    let era = day / 146_097;
    let of_era = day % 146_097;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day_of_month = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day_of_month:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        assert_eq!(date_of_day(0), "1970-01-01");
        assert_eq!(date_of_day(19_782), "2024-02-29");
        assert_eq!(date_of_day(20_779), "2026-11-22");
    }
}
