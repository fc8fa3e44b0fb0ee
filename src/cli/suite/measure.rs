//! The order of the suite's work, and what follows from what.
//!
//! 1. Each program's search for its best static setting; the first rung, one run of every setting, is also the grid from which the best
//!    single setting over the other families is taken.
//! 2. The measured rounds: in each cell all contenders in turn, round by round, so that a machine that changes its speed changes
//!    it for all. The oracle's and the best single setting's runs are fresh: what was chosen for its luck loses it here.
//! 3. The same cells once under the work clock, and the ablations.
//! 4. The simulator, from one survey of each program.

use super::super::args::SuiteArgs;
use super::super::child::Scratch;
use super::super::report;
use super::cells::{self, Cell, Effort, Program};
use super::contender::{Contender, RATIO_PERCENT, SQUARE_ROOT_PERCENT};
use super::judge::{Measured, Rounds};
use super::knobs::{self, Ablation};
use super::models::Models;
use super::overhead::{self, Overhead};
use super::parallel;
use super::run::{Job, Line};
use super::search::{self, Found};
use super::store::{Store, digest};
use super::{halving, settings, simulated};
use indicatif::{ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;
use tenure_advisor::Goal;
use tenure_advisor::simulator::Signature;

/// The goal by which everything is judged.
pub const GOAL: Goal = Goal::Throughput;

/// How long the first run of a program may take, and how many times that any other.
const FIRST_PATIENCE: Duration = Duration::from_secs(60);
const PATIENCE: u32 = 4;
const PATIENCE_LEAST: Duration = Duration::from_secs(2);

/// A suite with its folder of results.
pub struct Suite {
    /// How much is done.
    pub effort: Effort,
    /// What is run.
    pub programs: Vec<Program>,
    /// Where results are kept.
    pub store: Store,
    /// The advisor's models.
    pub models: Models,
    /// A digest of this program, in every key.
    pub binary: String,
    /// Runs side by side where time is measured, and where it is counted.
    jobs: usize,
    threads: usize,
    scratch: Vec<Mutex<Scratch>>,
    bar: ProgressBar,
    /// Programs that printed something else under another policy.
    differing: Mutex<BTreeMap<String, Vec<String>>>,
    printed: Mutex<BTreeMap<String, String>>,
}

/// All that was found.
pub struct Results {
    /// What was run.
    pub programs: Vec<Program>,
    /// How much was done.
    pub effort: Effort,
    /// What advised.
    pub models_note: String,
    /// Real runs.
    pub real: Measured,
    /// One run each under the work clock.
    pub counted: Measured,
    /// The simulator's.
    pub simulated: Measured,
    /// Each program's best static setting, and the best over other families.
    pub chosen: Vec<(Option<usize>, usize)>,
    /// What freezing a knob does.
    pub ablations: Vec<Ablation>,
    /// What deciding takes.
    pub overhead: Option<Overhead>,
    /// Cells in which adaptive makes fewer than 100 cycles in the middle of its rounds.
    pub short: Vec<(Cell, u64)>,
    /// Programs whose output depended on the policy: there must be none.
    pub differing: Vec<String>,
}

/// Fewer cycles than this say little about a policy.
pub const CYCLES_MIN: u64 = 100;

impl Suite {
    /// The suite that the arguments ask for.
    pub fn open(args: &SuiteArgs, effort: Effort) -> Result<Suite, String> {
        let programs = cells::programs(&args.workloads, &args.only)?;
        let store = Store::open(&args.results)?;
        let own = std::env::current_exe().map_err(|e| format!("can't find this program's own file: {e}"))?;
        let binary = digest(&std::fs::read(&own).map_err(|e| format!("can't read `{}`: {e}", own.display()))?);
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        // the quick suite uses all cores, at the price of noise
        let usual = if effort == Effort::Quick { threads } else { 1 };
        let jobs = args.jobs.map_or(usual, |jobs| jobs as usize);
        let scratch = |number| Scratch::new(&format!("suite-{number}")).map(Mutex::new);
        let scratch = (0..jobs.max(threads)).map(scratch).collect::<Result<Vec<_>, String>>()?;
        let bar = ProgressBar::new(0);
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} runs, {elapsed} gone, {eta} to go {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        let mut families: Vec<String> = programs.iter().map(|program| program.family.clone()).collect();
        families.sort();
        families.dedup();
        let models =
            Models::prepare(&store, &binary, &args.data, &families, &|line| report::say(&format!("{line}\n")))?;
        let (differing, printed) = (Mutex::default(), Mutex::default());
        Ok(Suite { effort, programs, store, models, binary, jobs, threads, scratch, bar, differing, printed })
    }

    /// One line about what comes next.
    fn say(&self, line: &str) {
        self.bar.suspend(|| report::say(&format!("{line}\n")));
    }

    /// All of it.
    pub fn measure(&self) -> Result<Results, String> {
        let cells = self.effort.cells(&self.programs);
        self.bar.set_length(self.planned(&cells));
        self.say(&format!("{} programs, {} cells, {} runs", self.programs.len(), cells.len(), self.planned(&cells)));
        let signatures = self.signatures()?;
        self.say("looking for the best static settings");
        let numbers: Vec<usize> = (0..self.programs.len()).collect();
        let found = parallel(self.jobs, &numbers, |thread, &number| {
            let patience = self.patience(thread, number)?;
            Ok((self.search(thread, number, patience, signatures[number].as_ref())?, patience))
        })?;
        let chosen: Vec<(Option<usize>, usize)> =
            numbers.iter().map(|&number| (found[number].0.oracle, self.best_single(number, &found))).collect();
        self.say("measuring");
        let rounds = parallel(self.jobs, &cells, |thread, &cell| {
            self.rounds(thread, cell, chosen[cell.program], found[cell.program].1)
        })?;
        let mut real = Measured::default();
        for (&cell, runs) in cells.iter().zip(rounds) {
            runs.into_iter().for_each(|(contender, runs)| real.add(cell, contender, runs));
        }
        self.say("counting work");
        let counted_runs = parallel(self.threads, &cells, |thread, &cell| {
            let of = |contender| {
                let job = self.job(cell, contender, 0, chosen[cell.program], true, found[cell.program].1)?;
                Ok::<_, String>((contender, vec![self.result(thread, &job)?.figures]))
            };
            [Contender::Adaptive, Contender::Advisor].map(of).into_iter().collect::<Result<Vec<_>, String>>()
        })?;
        let mut counted = Measured::default();
        for (&cell, runs) in cells.iter().zip(counted_runs) {
            runs.into_iter().for_each(|(contender, runs)| counted.add(cell, contender, runs));
        }
        let patience: Vec<Duration> = found.iter().map(|(_, patience)| *patience).collect();
        let ablations = knobs::ablations(self, &mut counted, &chosen, &patience)?;
        let overhead = overhead::measure(self, &patience)?;
        self.bar.finish_and_clear();
        self.say("simulating");
        let simulated =
            simulated::measure(&self.programs, &signatures, &self.models, &|| self.bar.tick(), self.threads)?;
        let cycles = |&cell: &Cell| {
            let cycles = real.median(cell, Contender::Adaptive, |figures| figures.cycles as f64)? as u64;
            (cycles < CYCLES_MIN).then_some((cell, cycles))
        };
        Ok(Results {
            short: cells.iter().filter_map(cycles).collect(),
            differing: self.differing.lock().expect("no worker panics").keys().cloned().collect(),
            programs: self.programs.clone(),
            effort: self.effort,
            models_note: self.models.note.clone(),
            real,
            counted,
            simulated,
            chosen,
            ablations,
            overhead,
        })
    }

    /// Runs that there are to make, if no setting fails.
    fn planned(&self, cells: &[Cell]) -> u64 {
        let programs = self.programs.len();
        let (rounds, sweeps) = (self.effort.rounds() as usize, self.effort.sweep_rounds() as usize);
        let everywhere = cells.len() * (Contender::EVERYWHERE.len() * rounds + 2);
        let main = rounds + (Contender::swept().count() + 1) * sweeps;
        let knobs = if self.effort == Effort::Quick { 0 } else { knobs::planned().len() };
        (programs * (2 + halving::runs(self.effort.rungs()) as usize + main + knobs) + everywhere) as u64
    }

    fn signatures(&self) -> Result<Vec<Option<Signature>>, String> {
        let numbers: Vec<usize> = (0..self.programs.len()).collect();
        parallel(self.jobs, &numbers, |thread, &number| {
            let scratch = self.scratch[thread].lock().expect("no worker panics");
            self.bar.inc(1);
            simulated::signature(&self.store, &self.binary, &scratch, number, &self.programs[number])
        })
    }

    /// How long a run of a program may take: some times as long as under the adaptive policy.
    fn patience(&self, thread: usize, number: usize) -> Result<Duration, String> {
        let job = self.job(Cell::main(number), Contender::Adaptive, u32::MAX, (None, 0), false, FIRST_PATIENCE)?;
        let line = self.result(thread, &job)?;
        Ok((Duration::from_nanos(line.wall_ns) * PATIENCE).max(PATIENCE_LEAST))
    }

    fn search(
        &self,
        thread: usize,
        number: usize,
        patience: Duration,
        signature: Option<&Signature>,
    ) -> Result<Found, String> {
        let cell = Cell::main(number);
        let cost = |setting: usize, runs: u32| {
            let mut figures = Vec::new();
            for round in 0..runs {
                let job = self.job(cell, Contender::Search(setting), round, (None, 0), false, patience)?;
                figures.push(self.result(thread, &job)?.figures);
                // a setting that failed once is not tried again
                if figures.last().is_some_and(Option::is_none) {
                    return Ok(f64::INFINITY);
                }
            }
            let mut measured = Measured::default();
            measured.add(cell, Contender::Oracle, figures);
            Ok(measured.cost(cell, Contender::Oracle).unwrap_or(f64::INFINITY))
        };
        let mut candidates: Vec<usize> = (0..settings::COUNT).collect();
        if self.effort != Effort::Quick {
            return search::oracle(&candidates, self.effort.rungs(), cost);
        }
        let Some(signature) = signature else {
            return search::oracle(&candidates[..cells::QUICK_CANDIDATES], self.effort.rungs(), cost);
        };
        let grid = simulated::costs(signature, cell, &self.programs[number]);
        candidates.sort_by(|a, b| grid[*a].total_cmp(&grid[*b]));
        let found = search::oracle(&candidates[..cells::QUICK_CANDIDATES], self.effort.rungs(), cost)?;
        Ok(Found { grid, ..found })
    }

    /// The static setting that is best over the families other than the program's.
    fn best_single(&self, number: usize, found: &[(Found, Duration)]) -> usize {
        let other = |at: &usize| self.programs[*at].family != self.programs[number].family;
        let costs: Vec<Vec<f64>> = (0..found.len()).filter(other).map(|other| found[other].0.grid.clone()).collect();
        search::best_single(&costs)
    }

    /// The measured rounds of a cell.
    fn rounds(
        &self,
        thread: usize,
        cell: Cell,
        chosen: (Option<usize>, usize),
        patience: Duration,
    ) -> Result<Vec<(Contender, Rounds)>, String> {
        let oracle = (cell.is_main() && chosen.0.is_some()).then_some(Contender::Oracle);
        let often: Vec<Contender> = Contender::EVERYWHERE.into_iter().chain(oracle).collect();
        let swept: Vec<Contender> =
            if cell.is_main() { Contender::swept().chain([Contender::AdvisorMemory]).collect() } else { Vec::new() };
        let mut runs: BTreeMap<Contender, Rounds> = BTreeMap::new();
        for round in 0..self.effort.rounds() {
            let swept = if round < self.effort.sweep_rounds() { swept.as_slice() } else { &[] };
            for &contender in often.iter().chain(swept) {
                let job = self.job(cell, contender, round, chosen, false, patience)?;
                runs.entry(contender).or_default().push(self.result(thread, &job)?.figures);
            }
        }
        Ok(runs.into_iter().collect())
    }

    /// A run of a contender in a cell.
    pub fn job(
        &self,
        cell: Cell,
        contender: Contender,
        round: u32,
        (oracle, best): (Option<usize>, usize),
        work_clock: bool,
        patience: Duration,
    ) -> Result<Job<'_>, String> {
        let program = &self.programs[cell.program];
        let fixed = |number: usize| {
            let limit = cell.limit_bytes(program);
            let file = self.store.keep(&format!("knobs/{number}-{limit}.knobs"), &settings::knobs(number, limit))?;
            Ok::<_, String>(vec![format!("--gc=static:{}", file.display())])
        };
        let advised = |goal: &str| {
            let model = self.models.path(&program.family).map(|path| format!("--model={}", path.display()));
            let goal = (goal != "throughput").then(|| format!("--goal={goal}"));
            ["--gc=advisor".to_owned()].into_iter().chain(model).chain(goal).collect::<Vec<String>>()
        };
        let (policy, detail) = match contender {
            Contender::Default => (vec!["--gc=static".into()], String::new()),
            Contender::Best => (fixed(best)?, best.to_string()),
            Contender::Oracle => {
                let oracle = oracle.ok_or("no static setting can be run")?;
                (fixed(oracle)?, oracle.to_string())
            }
            Contender::Search(number) => (fixed(number)?, String::new()),
            Contender::Adaptive | Contender::Control => (vec!["--gc=adaptive".into()], String::new()),
            Contender::SquareRoot(at) => (vec![format!("--gc=sqrt:{}", SQUARE_ROOT_PERCENT[at])], String::new()),
            Contender::Ratio(at) => (vec![format!("--gc=ratio:{}", RATIO_PERCENT[at])], String::new()),
            Contender::Advisor => (advised("throughput"), String::new()),
            Contender::AdvisorMemory => (advised("memory"), String::new()),
            Contender::Frozen(at) => {
                let frozen = knobs::frozen(at, best, cell.limit_bytes(program));
                let option = format!("--advisor-freeze={frozen}");
                (advised("throughput").into_iter().chain([option]).collect(), frozen)
            }
        };
        let model = if contender.is_advised() { self.models.identity(&program.family) } else { "" };
        let identity = format!("{contender} {detail} {model}");
        Ok(Job { program, cell, policy, identity, round, work_clock, patience })
    }

    /// The result of a run, made now if it is not kept.
    pub fn result(&self, thread: usize, job: &Job) -> Result<Line, String> {
        let scratch = self.scratch[thread].lock().expect("no worker panics");
        let is_kept = self.store.get(&job.key(&self.binary)).is_some();
        let line = job.result(&self.store, &self.binary, &scratch)?;
        if is_kept {
            // what takes no time says nothing about the time that is left
            self.bar.set_length(self.bar.length().unwrap_or(1).saturating_sub(1));
        } else {
            self.bar.inc(1);
        }
        if line.figures.is_some() {
            let mut printed = self.printed.lock().expect("no worker panics");
            let first = printed.entry(job.program.name.clone()).or_insert_with(|| line.printed.clone());
            if *first != line.printed {
                let mut differing = self.differing.lock().expect("no worker panics");
                differing.entry(job.program.name.clone()).or_default().push(job.identity.clone());
            }
        }
        Ok(line)
    }

    /// The result of a run made now, whose journal is kept.
    pub fn fresh(&self, thread: usize, job: &Job, journal: &Path) -> Result<Line, String> {
        job.run(&self.scratch[thread].lock().expect("no worker panics"), Some(journal))
    }

    /// Threads for runs whose time is counted.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Takes the progress bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// Notes runs that are about to be made.
    pub fn expect_runs(&self, count: u64) {
        self.bar.inc_length(count);
    }
}
