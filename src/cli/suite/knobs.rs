//! What each knob is worth: sweeps of one knob at a time, and ablations, the advisor with one knob frozen.
//!
//! Both run under the work clock, where one run is exact: time is copied, marked and scanned work, whatever the machine does.

use super::cells::Cell;
use super::contender::Contender;
use super::cost::{Figure, Figures};
use super::judge::Measured;
use super::measure::Suite;
use super::parallel;
use super::run::Job;
use super::settings;
use super::stats::{Interval, bootstrap, mean};
use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Value, json};
use std::time::Duration;
use tenure::{FixedKnobs, Snapshot};
use tenure_gc::policy::{Envelope, KNOB_FIELDS};

const PATIENCE: Duration = Duration::from_secs(60);
/// A counter that changes by less has not moved.
const MOVED: f64 = 1.02;

/// How a knob's value follows from the heap.
#[derive(Clone, Copy, Debug)]
enum Scale {
    /// The number itself.
    Plain,
    /// A share of the limit.
    OfLimit,
    /// A share of the largest region.
    OfRegion,
}

/// Knobs with the values that they are swept over.
const SWEEPS: [(&str, Scale, &[f64]); 10] = [
    ("young_bytes", Scale::OfLimit, &[0.05, 0.1, 0.2, 0.35, 0.55]),
    ("heap_target_bytes", Scale::OfLimit, &[0.5, 0.6, 0.7, 0.8, 0.9, 1.0]),
    ("old_region_bytes", Scale::OfRegion, &[0.125, 0.25, 0.5, 1.0]),
    ("eden_region_bytes", Scale::OfRegion, &[0.125, 0.25, 0.5, 1.0]),
    ("concurrent_start_share", Scale::Plain, &[0.15, 0.3, 0.45, 0.6, 0.75, 0.9]),
    ("tenuring_age", Scale::Plain, &[0.0, 1.0, 2.0, 4.0, 8.0, 15.0]),
    ("mixed_pause_count", Scale::Plain, &[1.0, 2.0, 4.0, 8.0, 16.0]),
    ("mixed_live_share", Scale::Plain, &[0.4, 0.55, 0.7, 0.85, 0.95]),
    ("large_object_bytes", Scale::OfRegion, &[0.125, 0.25, 0.5]),
    ("uncommit_delay_ns", Scale::Plain, &[1e6, 1e7, 1e8, 1e9, 1e10]),
];

/// What is looked at, by name.
pub const COUNTERS: [(&str, Figure); 6] = [
    ("GC work", |f| f.gc_cpu_ns),
    ("p95 pause", |f| f.pause_ns_p95),
    ("committed", |f| f.committed_bytes),
    ("copied", |f| f.copied_bytes),
    ("marked", |f| f.marked_bytes),
    ("full", |f| f.failures as f64),
];

/// One knob, swept.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// Its name.
    pub knob: &'static str,
    /// Its values, as in the table of sweeps.
    pub values: Vec<f64>,
    /// For each value and counter, the geometric mean over programs of the counter against its mean over the values; NaN where no
    /// program has the counter.
    pub relative: Vec<[f64; COUNTERS.len()]>,
    /// Programs in which the counter moves by more than two per cent.
    pub moved: [usize; COUNTERS.len()],
    /// Programs that came to an end with every value.
    pub programs: usize,
    /// Runs of others that ran out of memory or time.
    pub failed: usize,
}

fn value_text(scale: Scale, value: f64, limit_bytes: u64) -> String {
    match scale {
        Scale::Plain => value.to_string(),
        Scale::OfLimit => ((limit_bytes as f64 * value) as u64).to_string(),
        Scale::OfRegion => ((Envelope::of_limit(limit_bytes).region_bytes_max as f64 * value) as u64).to_string(),
    }
}

/// Sweeps every knob over every program.
pub fn sweep(suite: &Suite) -> Result<Vec<Sweep>, String> {
    let points: usize = SWEEPS.iter().map(|(_, _, values)| values.len()).sum();
    suite.expect_runs((points * suite.programs.len()) as u64);
    let numbers: Vec<usize> = (0..suite.programs.len()).collect();
    let of_program = |thread: usize, number: &usize| -> Result<Vec<Vec<Option<Figures>>>, String> {
        let own = |(knob, scale, values): &(&str, Scale, &[f64])| {
            let run = |value: &f64| swept_run(suite, thread, *number, knob, *scale, *value);
            values.iter().map(run).collect::<Result<Vec<_>, String>>()
        };
        SWEEPS.iter().map(own).collect()
    };
    let runs = parallel(suite.threads(), &numbers, of_program)?;
    suite.finish();
    let of_knob = |(at, (knob, _, values)): (usize, &(&'static str, Scale, &[f64]))| {
        let own: Vec<&Vec<Option<Figures>>> = runs.iter().map(|program| &program[at]).collect();
        summary(knob, values, &own)
    };
    Ok(SWEEPS.iter().enumerate().map(of_knob).collect())
}

fn swept_run(
    suite: &Suite,
    thread: usize,
    number: usize,
    knob: &str,
    scale: Scale,
    value: f64,
) -> Result<Option<Figures>, String> {
    let program = &suite.programs[number];
    let cell = Cell::main(number);
    let limit = cell.limit_bytes(program);
    let line = format!("{knob} = {}\n", value_text(scale, value, limit));
    let file = suite.store.keep(&format!("knobs/{knob}-{value}-{limit}.knobs"), &line)?;
    let job = Job {
        program,
        cell,
        policy: vec![format!("--gc=static:{}", file.display())],
        identity: format!("sweep {}", line.trim()),
        round: 0,
        work_clock: true,
        patience: PATIENCE,
    };
    Ok(suite.result(thread, &job)?.figures)
}

/// What a knob's values do, over programs.
fn summary(knob: &'static str, values: &[f64], programs: &[&Vec<Option<Figures>>]) -> Sweep {
    let whole: Vec<Vec<Figures>> =
        programs.iter().filter_map(|runs| runs.iter().copied().collect::<Option<Vec<Figures>>>()).collect();
    let mut relative = vec![[f64::NAN; COUNTERS.len()]; values.len()];
    let mut moved = [0; COUNTERS.len()];
    for (counter, (_, of)) in COUNTERS.iter().enumerate() {
        let counted = |runs: &&Vec<Figures>| runs.iter().all(|figures| of(figures) > 0.0);
        let logs: Vec<Vec<f64>> = (whole.iter().filter(counted))
            .map(|runs| {
                let middle = mean(runs.iter().map(|figures| of(figures).ln()));
                runs.iter().map(|figures| of(figures).ln() - middle).collect()
            })
            .collect();
        for (at, value) in relative.iter_mut().enumerate() {
            value[counter] = mean(logs.iter().map(|runs| runs[at])).exp();
        }
        let spread = |runs: &&Vec<Figures>| {
            let counts = || runs.iter().map(of);
            let (least, most) = (counts().fold(f64::INFINITY, f64::min), counts().fold(0.0, f64::max));
            most > least.max(1.0) * MOVED
        };
        moved[counter] = whole.iter().filter(spread).count();
    }
    let failed = programs.iter().map(|runs| runs.iter().filter(|run| run.is_none()).count()).sum();
    Sweep { knob, values: values.to_vec(), relative, moved, programs: whole.len(), failed }
}

/// Sweeps as a table: by how much each knob moves each counter, from its least to its most, and in how many programs at all.
pub fn as_table(sweeps: &[Sweep]) -> String {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    let counters = COUNTERS.iter().map(|(name, _)| (*name).to_owned());
    table.set_header(["knob".to_owned(), "values".to_owned()].into_iter().chain(counters));
    for sweep in sweeps {
        let values: Vec<String> = sweep.values.iter().map(f64::to_string).collect();
        let mut row = vec![sweep.knob.to_owned(), values.join(" ")];
        for counter in 0..COUNTERS.len() {
            let factor = spread(sweep, counter).map_or("–".into(), |factor| format!("× {factor:.2}"));
            row.push(format!("{factor} ({} of {})", sweep.moved[counter], sweep.programs));
        }
        table.add_row(row);
    }
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let failed: usize = sweeps.iter().map(|sweep| sweep.failed).sum();
    format!(
        "Each knob alone, the others at the static policy's values, twice the smallest heap, work clock.\n\
         × is the most against the least value's mean over programs; in brackets, programs in which the counter moves by more than 2 %.\n\
         {failed} runs ended for want of memory or time; their programs are left out of that knob's row.\n{table}\n"
    )
}

fn spread(sweep: &Sweep, counter: usize) -> Option<f64> {
    let values = || sweep.relative.iter().map(|value| value[counter]).filter(|value| value.is_finite());
    let (least, most) = (values().fold(f64::INFINITY, f64::min), values().fold(0.0, f64::max));
    (most > 0.0).then(|| most / least)
}

/// Sweeps as JSON.
pub fn as_json(sweeps: &[Sweep]) -> String {
    let of = |sweep: &Sweep| {
        let counters: serde_json::Map<String, Value> = (COUNTERS.iter().enumerate())
            .map(|(at, (name, _))| {
                let relative: Vec<f64> = sweep.relative.iter().map(|value| value[at]).collect();
                ((*name).to_owned(), json!({"relative": relative, "moved": sweep.moved[at]}))
            })
            .collect();
        json!({"knob": sweep.knob, "values": sweep.values, "programs": sweep.programs, "counters": counters})
    };
    json!(sweeps.iter().map(of).collect::<Vec<Value>>()).to_string() + "\n"
}

/// What it costs to freeze a knob.
#[derive(Clone, Debug)]
pub struct Ablation {
    /// Its name.
    pub knob: &'static str,
    /// Cost with the knob frozen against the advisor's own, geometric mean over programs.
    pub ratio: f64,
    /// Over programs.
    pub interval: Interval,
    /// Programs that the advisor runs differently without the knob.
    pub changed: usize,
}

/// Knobs that are frozen one at a time: those that are swept.
pub fn planned() -> [&'static str; SWEEPS.len()] {
    SWEEPS.map(|(knob, _, _)| knob)
}

/// `knob=value` with the value of a static setting, for the knob of this number.
pub fn frozen(knob: usize, setting: usize, limit_bytes: u64) -> String {
    let envelope = Envelope::of_limit(limit_bytes);
    let snapshot = Snapshot { limit_bytes, ..Snapshot::default() };
    let overrides: FixedKnobs = settings::knobs(setting, limit_bytes).parse().expect("a setting's text");
    let knobs = overrides.knobs(&snapshot, &envelope);
    let name = planned()[knob];
    let field = KNOB_FIELDS.iter().find(|field| field.name == name).expect("sweeps name knobs of the heap");
    format!("{name}={}", field.number(&envelope.clamp(&knobs, &knobs)))
}

/// Runs the advisor with each knob frozen at the best single static value, and adds what came of it to `counted`.
pub fn ablations(
    suite: &Suite,
    counted: &mut Measured,
    chosen: &[(Option<usize>, usize)],
    patience: &[Duration],
) -> Result<Vec<Ablation>, String> {
    if suite.effort == super::Effort::Quick {
        return Ok(Vec::new());
    }
    let numbers: Vec<usize> = (0..suite.programs.len()).collect();
    let names = planned();
    let runs = parallel(suite.threads(), &numbers, |thread, &number| {
        let of = |knob: usize| {
            let cell = Cell::main(number);
            let job = suite.job(cell, Contender::Frozen(knob), 0, chosen[number], true, patience[number])?;
            Ok(suite.result(thread, &job)?.figures)
        };
        (0..names.len()).map(of).collect::<Result<Vec<_>, String>>()
    })?;
    for (&number, runs) in numbers.iter().zip(runs) {
        for (knob, figures) in runs.into_iter().enumerate() {
            counted.add(Cell::main(number), Contender::Frozen(knob), vec![figures]);
        }
    }
    let of = |(at, knob): (usize, &'static str)| {
        let difference = |&number: &usize| {
            let cell = Cell::main(number);
            Some(counted.cost(cell, Contender::Frozen(at))? - counted.cost(cell, Contender::Advisor)?)
        };
        let differences: Vec<f64> = numbers.iter().filter_map(difference).collect();
        let geometric = |drawn: &[usize]| mean(drawn.iter().map(|&i| differences[i])).exp();
        let everyone: Vec<usize> = (0..differences.len()).collect();
        Some(Ablation {
            knob,
            ratio: geometric(&everyone),
            interval: bootstrap(differences.len(), geometric)?,
            changed: differences.iter().filter(|difference| **difference != 0.0).count(),
        })
    };
    Ok(names.into_iter().enumerate().filter_map(of).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sweeps_name_knobs_of_the_heap() {
        for (knob, scale, values) in SWEEPS {
            for &value in values {
                let line = format!("{knob} = {}", value_text(scale, value, 64 << 20));
                line.parse::<FixedKnobs>().unwrap_or_else(|error| panic!("{line}: {error}"));
            }
        }
    }

    #[test]
    fn a_knob_that_moves_a_counter_is_told_from_one_that_does_not() {
        let run = |work: f64| Some(Figures { gc_cpu_ns: work, committed_bytes: 7.0, ..Figures::default() });
        let programs = [vec![run(1.0), run(4.0)], vec![run(10.0), run(40.0)], vec![run(1.0), None]];
        let sweep = summary("young_bytes", &[0.1, 0.2], &programs.iter().collect::<Vec<_>>());
        assert_eq!((sweep.programs, sweep.failed, sweep.moved[0], sweep.moved[2]), (2, 1, 2, 0));
        assert!((spread(&sweep, 0).unwrap() - 4.0).abs() < 1e-9);
        assert!((spread(&sweep, 2).unwrap() - 1.0).abs() < 1e-9);
        assert_eq!(spread(&sweep, 3), None);
    }

    #[test]
    fn a_knob_is_frozen_at_the_settings_value() {
        let at = |name: &str| planned().iter().position(|knob| *knob == name).unwrap();
        assert_eq!(frozen(at("tenuring_age"), 0, 64 << 20), "tenuring_age=15");
        assert_eq!(frozen(at("young_bytes"), 0, 64 << 20), "young_bytes=8388608");
        let [share, value] = [frozen(at("mixed_live_share"), 3, 64 << 20), settings::knobs(3, 64 << 20)];
        assert!(value.contains(&share.replace('=', " = ")), "{share} in {value}");
    }
}
