//! The suite in the simulator: every program in every heap under every goal, by its signature.
//!
//! A signature is fitted to one survey of the program, a real run whose journal is kept beside the results. All else is
//! arithmetic, the same in every run, and takes minutes.

use super::super::child::Scratch;
use super::cells::{self, Cell, Program};
use super::contender::{Contender, RATIO_PERCENT, SQUARE_ROOT_PERCENT};
use super::cost::Figures;
use super::judge::Measured;
use super::models::Models;
use super::run::Job;
use super::settings;
use super::store::Store;
use std::collections::BTreeMap;
use std::time::Duration;
use tenure_advisor::simulator::{Setting, Signature, fit, simulate};
use tenure_advisor::{Advisor, Goal};
use tenure_gc::journal::Journal;
use tenure_gc::policy::{Adaptive, Overrides, Policy, Ratio, SquareRoot, Static};

/// Room of a survey: so much that a program's habits are seen and not its limit.
const SURVEY_BYTES: u64 = 512 << 20;
const SURVEY_GOAL_MS: u32 = 10;
const SURVEY_PATIENCE: Duration = Duration::from_secs(60);

/// The signature of a program, its survey made if it is not there; a program that is too short for one has none.
pub fn signature(
    store: &Store,
    binary: &str,
    scratch: &Scratch,
    number: usize,
    program: &Program,
) -> Result<Option<Signature>, String> {
    let heap_percent = (SURVEY_BYTES * 100).div_ceil(program.minimum_bytes) as u32;
    let cell = Cell { program: number, heap_percent, goal_ms: SURVEY_GOAL_MS };
    let path = store.keep_folder("surveys")?.join(format!("{binary}-{}.tgj", program.name));
    if !path.exists() {
        let job = Job {
            program,
            cell,
            policy: vec!["--gc=survey".into()],
            identity: "survey".into(),
            round: 0,
            work_clock: false,
            patience: SURVEY_PATIENCE,
        };
        if job.run(scratch, Some(&path))?.figures.is_none() {
            return Ok(None);
        }
    }
    let journal = Journal::read_file(&path).map_err(|e| e.to_string())?;
    Ok(fit(&journal.cycles).ok())
}

/// The figures of a simulated run; nothing if memory ran out.
fn run(signature: &Signature, cell: Cell, program: &Program, policy: &mut dyn Policy) -> Option<Figures> {
    let setting = Setting { limit_bytes: cell.limit_bytes(program), pause_goal_ns: cell.goal_ns() };
    let run = simulate(signature, &setting, policy);
    if run.out_of_memory { None } else { Figures::of(&run.cycles, cell.goal_ns()) }
}

fn fixed(number: usize, cell: Cell, program: &Program) -> Static {
    let knobs = settings::knobs(number, cell.limit_bytes(program));
    Static::new(knobs.parse::<Overrides>().expect("a setting's text is a file of knobs"))
}

/// Simulated costs of all static settings in a cell; infinity where memory runs out.
pub fn costs(signature: &Signature, cell: Cell, program: &Program) -> Vec<f64> {
    let cost = |number| {
        let figures = run(signature, cell, program, &mut fixed(number, cell, program));
        figures.map_or(f64::INFINITY, |figures| figures.cost(Goal::Throughput, cell.goal_ns()))
    };
    (0..settings::COUNT).map(cost).collect()
}

/// The advisor for a family.
pub fn advisor(models: &Models, family: &str, goal: Goal) -> Result<Advisor, String> {
    let advisor = match models.path(family) {
        None => Advisor::shipped(),
        Some(path) => Advisor::from_file(path).map_err(|e| e.to_string())?,
    };
    Ok(advisor.with_goal(goal))
}

/// What all programs with a signature do in all heaps under all goals, one round each: costs are exact.
pub fn measure(
    programs: &[Program],
    signatures: &[Option<Signature>],
    models: &Models,
    done: &(dyn Fn() + Sync),
    threads: usize,
) -> Result<Measured, String> {
    let known: Vec<usize> = (0..programs.len()).filter(|&number| signatures[number].is_some()).collect();
    let mut measured = Measured::default();
    let mut grids: BTreeMap<Cell, Vec<Option<Figures>>> = BTreeMap::new();
    let own = |number: &usize| -> Result<Vec<(Cell, Contender, Option<Figures>)>, String> {
        let (program, signature) = (&programs[*number], signatures[*number].as_ref().expect("it is known"));
        let mut found = Vec::new();
        for cell in cells::grid(programs.len()).into_iter().filter(|cell| cell.program == *number) {
            let mut add = |contender, policy: &mut dyn Policy| {
                found.push((cell, contender, run(signature, cell, program, policy)));
            };
            for setting in 0..settings::COUNT {
                add(Contender::Search(setting), &mut fixed(setting, cell, program));
            }
            add(Contender::Adaptive, &mut Adaptive::new());
            add(Contender::Advisor, &mut advisor(models, &program.family, Goal::Throughput)?);
            add(Contender::AdvisorMemory, &mut advisor(models, &program.family, Goal::Memory)?);
            for (at, percent) in SQUARE_ROOT_PERCENT.iter().enumerate() {
                add(Contender::SquareRoot(at), &mut SquareRoot::new(percent / 100.0));
            }
            for (at, percent) in RATIO_PERCENT.iter().enumerate() {
                add(Contender::Ratio(at), &mut Ratio::new(percent / 100.0));
            }
        }
        done();
        Ok(found)
    };
    for (cell, contender, figures) in super::parallel(threads, &known, |_, number| own(number))?.into_iter().flatten() {
        match contender {
            Contender::Search(_) => grids.entry(cell).or_default().push(figures),
            _ => measured.add(cell, contender, vec![figures]),
        }
    }
    for (&cell, grid) in &grids {
        let cost = |figures: &Option<Figures>| {
            figures.map_or(f64::INFINITY, |figures| figures.cost(Goal::Throughput, cell.goal_ns()))
        };
        let least = grid.iter().min_by(|a, b| cost(a).total_cmp(&cost(b)));
        measured.add(cell, Contender::Default, vec![grid[0]]);
        measured.add(cell, Contender::Oracle, vec![least.copied().flatten()]);
    }
    for &number in &known {
        let others = |cell: &Cell| programs[cell.program].family != programs[number].family;
        let training: Vec<Vec<f64>> = (grids.iter().filter(|(cell, _)| others(cell)))
            .map(|(cell, grid)| {
                let cost = |f: &Option<Figures>| f.map_or(f64::INFINITY, |f| f.cost(Goal::Throughput, cell.goal_ns()));
                grid.iter().map(cost).collect()
            })
            .collect();
        let best = super::search::best_single(&training);
        for (&cell, grid) in grids.iter().filter(|(cell, _)| cell.program == number) {
            measured.add(cell, Contender::Best, vec![grid[best]]);
        }
    }
    Ok(measured)
}
