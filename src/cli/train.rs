//! `tenure train`: runs a corpus under the exploring policy and fits the advisor's model to the journals.
//!
//! A run's journal stays in the output folder and is not made again, so that a training that was stopped goes on where it
//! stopped. Heap limits are multiples of the smallest heap that a run needs: of the recorded one, or, where none is recorded, of
//! what a run with little room beyond what lives commits.

use super::archive;
use super::args::TrainArgs;
use super::child::{self, Scratch};
use super::corpus::{self, Workload};
use super::output;
use super::report::{self, Status};
use indicatif::{ProgressBar, ProgressStyle};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tenure_advisor::train::{Cycle, Options, Run, delayed, fit};
use tenure_gc::journal::Journal;

/// What tells how much a script needs: a heap that grows by a quarter of what lives.
const SIZING_POLICY: &str = "--gc=ratio:25";
/// Heap limits, in parts of what a run needs.
const LIMIT_FACTORS: [f64; 8] = [2.0, 1.25, 4.0, 1.6, 6.0, 1.4, 2.5, 3.0];
/// Pause goals that go with them.
const PAUSE_GOALS_MS: [u64; 5] = [10, 2, 50, 5, 20];
const LIMIT_BYTES_MIN: u64 = 1 << 20;
const LIMIT_BYTES_MAX: u64 = 24 << 30;
/// A long run is recorded in this many stretches of so many cycles, evenly spread: more of the same teaches little.
const STRETCHES: usize = 3;
const STRETCH_CYCLES: usize = 80;
/// A run that doesn't end by itself when its time is over is stopped after so many times that.
const PATIENCE: u32 = 5;
/// The status of a run whose time was over, and of one that was out of memory.
const TIME_OVER: i32 = 124;
const OUT_OF_MEMORY: i32 = 137;

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
    let late = delayed::judge(&runs).map_or_else(String::new, |judged| delayed::card(&judged));
    write(&card, &(trained.card_markdown + &late))?;
    said += &format!("model: {}\ncard:  {}\n", model.display(), card.display());
    said += &format!("{} rows of {} runs\n", trained.metrics.rows, trained.metrics.runs);
    said += &format!("regret on families left out: {:.3} of a blind choice", trained.metrics.regret_blind);
    for kind in &trained.metrics.kinds {
        said += &format!(", {:.3} of the {}", kind.regret, kind.name);
    }
    said += &format!("\nshipped: the {}\n", trained.metrics.of_shipped().name);
    output::print(&said).map_err(|e| e.to_string())
}

/// Runs the corpus, as far as its journals are not there yet, and reads them all.
fn gather(args: &TrainArgs) -> Result<(Vec<Run>, Options), String> {
    let corpus = corpus::read(&args.corpus)?;
    let journals = args.out.join("journals");
    fs::create_dir_all(&journals).map_err(|e| format!("can't make the folder `{}`: {e}", journals.display()))?;
    record(args, &corpus, &journals)?;
    let runs = read(&corpus, args.runs, &journals)?;
    let trained_on = format!(
        "{} runs of each of {} scripts from {} under random knobs, at most {} s each; limits of {} to {} times what a run needs, \
         pause goals of {} to {} ms.",
        args.runs,
        corpus.len(),
        args.corpus.display(),
        args.timeout,
        LIMIT_FACTORS.iter().copied().fold(f64::INFINITY, f64::min),
        LIMIT_FACTORS.iter().copied().fold(0.0, f64::max),
        PAUSE_GOALS_MS.iter().min().unwrap_or(&0),
        PAUSE_GOALS_MS.iter().max().unwrap_or(&0),
    );
    let options = Options { seed: args.seed, date: today(), trained_on };
    Ok((runs, options))
}

fn journal_path(journals: &Path, workload: &Workload, run: u32) -> PathBuf {
    journals.join(format!("{}-{run}.tgj", workload.name))
}

/// How runs ended that did not end well; what they had recorded counts.
#[derive(Default)]
struct CutShort {
    time_over: u32,
    out_of_memory: u32,
}

fn record(args: &TrainArgs, corpus: &[Workload], journals: &Path) -> Result<(), String> {
    let scratch = Scratch::new("train")?;
    // drawn on a terminal only
    let bar = ProgressBar::new(corpus.len() as u64 * u64::from(args.runs));
    bar.set_style(
        ProgressStyle::with_template("{bar:30} {pos}/{len} {msg} {eta}")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let mut cut_short = CutShort::default();
    for (number, workload) in corpus.iter().enumerate() {
        bar.set_message(workload.name.clone());
        let mut needs: Vec<Option<u64>> = workload.arguments.iter().map(|arguments| arguments.minimum_bytes).collect();
        for run in 0..args.runs {
            let kept = journal_path(journals, workload, run);
            if !kept.exists() {
                let need = &mut needs[workload.list_of(run)];
                let bytes = match *need {
                    Some(bytes) => bytes,
                    None => *need.insert(size(args, &workload.script(run), &scratch)?),
                };
                let journal = record_one(args, workload, number, run, bytes, &scratch, &mut cut_short)?;
                fs::copy(&journal, &kept).map_err(|e| format!("can't write `{}`: {e}", kept.display()))?;
            }
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    let CutShort { time_over, out_of_memory } = cut_short;
    if out_of_memory > 0 {
        let line = format!("{out_of_memory} runs were out of memory; what they recorded before is used");
        report::warning(&line, false);
    }
    if time_over > 0 {
        output::print(&format!("{time_over} runs ended with their time of {} s\n", args.timeout))
            .map_err(|e| e.to_string())?;
    }
    Ok(())
}

/// Runs a script as long as it may run; its own end of time leaves whole journals behind.
fn run(args: &TrainArgs, options: &[String], script: &[String], scratch: &Scratch) -> Result<child::Ended, String> {
    let limit = Duration::from_secs(args.timeout);
    let mut all = vec![format!("--timeout={}s", args.timeout)];
    all.extend_from_slice(options);
    let ended = child::run(&all, script, scratch, Some(limit * PATIENCE))?;
    if !matches!(ended.code, Some(0 | TIME_OVER | OUT_OF_MEMORY) | None) {
        return Err(format!("{}: {}", script.join(" "), child::reason(&ended)));
    }
    Ok(ended)
}

/// About what a script needs.
fn size(args: &TrainArgs, script: &[String], scratch: &Scratch) -> Result<u64, String> {
    let ended = run(args, &[SIZING_POLICY.into()], script, scratch)?;
    let bytes = ended.stats.as_ref().and_then(|stats| stats["committed_bytes_max"].as_u64());
    bytes.ok_or_else(|| format!("{}: {}", script.join(" "), child::reason(&ended)))
}

/// Runs a workload with random knobs; gives the journal.
fn record_one(
    args: &TrainArgs,
    workload: &Workload,
    number: usize,
    run: u32,
    bytes: u64,
    scratch: &Scratch,
    cut_short: &mut CutShort,
) -> Result<PathBuf, String> {
    // each list of arguments meets each factor
    let turn = run as usize + run as usize / workload.arguments.len();
    let factor = LIMIT_FACTORS[turn % LIMIT_FACTORS.len()];
    let limit_bytes = ((bytes as f64 * factor) as u64).clamp(LIMIT_BYTES_MIN, LIMIT_BYTES_MAX);
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
    let ended = self::run(args, &options, &workload.script(run), scratch)?;
    cut_short.out_of_memory += u32::from(ended.code == Some(OUT_OF_MEMORY));
    cut_short.time_over += u32::from(matches!(ended.code, Some(TIME_OVER) | None));
    Ok(journal)
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
            let family = &workload.family;
            found.extend(
                stretches(&journal.cycles).map(|cycles| Run { family: family.clone(), cycles: cycles.to_vec() }),
            );
        }
    }
    Ok(found)
}

/// All cycles of a short run, stretches of a long one.
fn stretches(cycles: &[Cycle]) -> impl Iterator<Item = &[Cycle]> {
    let count = if cycles.len() > STRETCHES * STRETCH_CYCLES { STRETCHES } else { 1 };
    let part = cycles.len() / count;
    (0..count).map(move |at| {
        let cycles = &cycles[at * part..];
        if count == 1 { cycles } else { &cycles[..STRETCH_CYCLES] }
    })
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
