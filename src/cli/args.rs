//! The command line as data. Parsing lives here and nothing else: values are checked while they are read, so what a
//! subcommand gets is sound or the process ended with status 2.

use super::policy::PolicyChoice;
use super::profile;
use super::size::{parse_bytes, parse_duration, parse_percent, parse_region_bytes};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;
use tenure::Goal;

/// Tenure: a small, statically typed scripting language.
#[derive(Debug, Parser)]
#[command(
    name = "tenure",
    version,
    about,
    after_help = "`tenure FILE [ARGS]` is `tenure run FILE [ARGS]`; options of `run` work without the word. \
                  A script named like a subcommand is written ./test."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a script.
    Run(RunArgs),
    /// Open a prompt; `tenure` alone does so on a terminal.
    Repl(ReplArgs),
    /// Report everything that is wrong with scripts, without running them.
    Check(CheckArgs),
    /// Say what the code of a message means, as in `tenure explain E0301`; without a code, list all.
    Explain(ExplainArgs),
    /// Lay scripts out anew, all in the same way.
    Fmt(FmtArgs),
    /// Run the `test` blocks of scripts.
    Test(TestArgs),
    /// Print what a script or module offers, as Markdown made from its `///` comments.
    Doc(DocArgs),
    /// Run a script under several collector policies, side by side, and compare.
    Bench(BenchArgs),
    /// Run a corpus of scripts under exploring policies and fit the advisor's model to what happened.
    Train(TrainArgs),
    /// Look at the collector's records.
    Gc(GcArgs),
}

/// `tenure run`
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Run this text instead of a file.
    #[arg(short = 'e', long = "eval", value_name = "CODE")]
    pub code: Option<String>,
    /// How the heap is kept.
    #[command(flatten)]
    pub heap: HeapArgs,
    /// Print a summary of the collector's work on standard error when the script has ended.
    #[arg(long)]
    pub stats: bool,
    /// Write that summary to a file, as JSON.
    #[arg(long, value_name = "FILE")]
    pub stats_json: Option<PathBuf>,
    /// Serve the collector's figures as Prometheus text at HOST:PORT or :PORT, or write them to a file at the end.
    #[arg(long, value_name = "ADDR|FILE")]
    pub metrics: Option<String>,
    /// Print what a stage of the compiler made of the script, instead of running it.
    #[arg(long, value_name = "STAGE")]
    pub emit: Option<EmitStage>,
    /// Keep machine code in this folder, which is made when it isn't there, and take from it what an earlier run compiled.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["evaluate", "emit"])]
    pub code_cache: Option<PathBuf>,
    /// Tell Linux' perf of compiled functions: their names (map, in /tmp), or code and source lines too (jitdump, in this
    /// folder).
    #[arg(long, value_name = "FORMAT", conflicts_with_all = ["evaluate", "emit"])]
    pub perf: Option<PerfChoice>,
    /// Note each millisecond what runs, and draw where the CPU time went: a flame graph in FILE.svg, or folded stacks in
    /// FILE.folded [default: SCRIPT.profile.svg]
    #[arg(
        long,
        value_name = "FILE",
        num_args = 0..=1,
        require_equals = true,
        value_parser = profile::parse_path,
        conflicts_with_all = ["evaluate", "emit"]
    )]
    pub profile: Option<Option<PathBuf>>,
    /// Take a sample after so many polls instead, so that every run gives the same. For tests.
    #[arg(long, value_name = "N", requires = "profile", hide = true)]
    pub profile_polls: Option<u64>,
    /// What compiling took.
    #[command(flatten)]
    pub timing: TimingArgs,
    /// Passes of the optimiser: all, none, or names. For tests.
    #[arg(long, value_name = "PASSES", default_value = "all", hide = true)]
    pub opt: String,
    /// Run in the slow evaluator that serves as the code generator's oracle; the heap's options do not apply to it.
    #[arg(long, conflicts_with_all = ["stats", "stats_json", "emit"])]
    pub evaluate: bool,
    /// Stop the script after this many function calls and rounds of loops, with status 124.
    #[arg(long, value_name = "N")]
    pub fuel: Option<u64>,
    /// Stop the script after this time, as in 5s, with status 124.
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub timeout: Option<Duration>,
    /// Never collect. For benchmarks.
    #[arg(long, hide = true)]
    pub never_collect: bool,
    /// Leave the write barrier out, which nothing but a heap that never collects can do without.
    #[arg(long, hide = true, requires = "never_collect")]
    pub leave_out_barriers: bool,
    /// Colours in messages.
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
    /// The script (`-`, or none in a pipe: standard input), then its own arguments.
    #[arg(value_name = "FILE", trailing_var_arg = true)]
    pub script: Vec<String>,
}

/// Options of the heap and its policy.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Collector")]
pub struct HeapArgs {
    /// The policy that sets the collector's knobs each cycle: advisor, adaptive (G1's formulas), static or static:FILE
    /// (fixed knobs), sqrt or sqrt:PERCENT (MemBalancer's rule; the percent of a CPU that a MiB is worth), ratio or
    /// ratio:PERCENT (Go's; room over what lives) [default: advisor]
    #[arg(long, value_name = "POLICY")]
    pub gc: Option<PolicyChoice>,
    /// The advisor's model, instead of the shipped one.
    #[arg(long, value_name = "FILE")]
    pub model: Option<PathBuf>,
    /// How the advisor is to be.
    #[command(flatten)]
    pub advisor: AdvisorArgs,
    /// What pauses should stay below, as in 10ms [default: 10ms]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub pause_goal: Option<Duration>,
    /// The most memory the heap may commit, 1M to 24G [default: a quarter of the machine's memory]
    #[arg(long, value_name = "SIZE", value_parser = parse_heap_limit)]
    pub max_heap: Option<u64>,
    /// With --gc=static: the size of old regions, and of eden regions unless that is given.
    #[arg(long, value_name = "SIZE", value_parser = parse_region_bytes)]
    pub region_size: Option<u64>,
    /// With --gc=static: the size of eden and survivor regions.
    #[arg(long, value_name = "SIZE", value_parser = parse_region_bytes)]
    pub eden_region_size: Option<u64>,
    /// With --gc=static: the occupancy in percent of the limit at which marking starts.
    #[arg(long, value_name = "PERCENT", value_parser = parse_percent)]
    pub ihop: Option<f64>,
    /// With --gc=static: the room for new objects before a pause.
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes)]
    pub young_size: Option<u64>,
    /// Write log lines that GCViewer and GCToolKit read.
    #[arg(long, value_name = "FILE")]
    pub gc_log: Option<PathBuf>,
    /// Write each cycle's snapshot, decision and outcome, for `gc report` and `train`.
    #[arg(long, value_name = "FILE")]
    pub gc_journal: Option<PathBuf>,
    /// Check the whole heap after every pause.
    #[arg(long)]
    pub gc_verify: bool,
    /// Collect far more often than needed, as in young:64K,full:1M,mark:256K,copyfail:7.
    #[arg(long, value_name = "SPEC")]
    pub gc_zeal: Option<tenure::Zeal>,
    /// When memory runs out, print how many objects of each type lived.
    #[arg(long)]
    pub gc_census_on_oom: bool,
    /// Note where one allocation in about so many bytes comes from, and print the places at the end, as in 512K.
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes)]
    pub gc_sample: Option<u64>,
    /// Let the heap's time be the work it does, so that every run makes the same decisions. For tests.
    #[arg(long, hide = true)]
    pub gc_work_clock: bool,
    /// Seed of the random policies.
    #[arg(long, value_name = "N", default_value_t = 1, hide = true)]
    pub gc_seed: u64,
}

/// Options of the advisor.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Collector")]
pub struct AdvisorArgs {
    /// What the advisor is to be cheap in: throughput, latency or memory [default: throughput]
    #[arg(long, value_name = "GOAL")]
    pub goal: Option<Goal>,
    /// Whether the advisor's knobs come into force, or it decides in the shadow of the adaptive policy and is recorded
    /// [default: active]
    #[arg(long = "advisor", value_name = "MODE", hide_default_value = true, hide_possible_values = true)]
    pub mode: Option<AdvisorMode>,
    /// A knob that the advisor leaves at a value, as in young_bytes=8M; may be given several times.
    #[arg(long = "advisor-freeze", value_name = "KNOB=VALUE")]
    pub freeze: Vec<String>,
}

/// Whether the advisor's knobs come into force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AdvisorMode {
    /// They do.
    Active,
    /// The adaptive policy's do.
    Shadow,
}

/// A stage whose result can be printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EmitStage {
    /// The syntax tree.
    Ast,
    /// The typed tree.
    Types,
    /// The SSA form.
    Ir,
    /// The SSA form after the optimiser.
    Opt,
    /// Cranelift's input.
    Clif,
    /// Machine code.
    Asm,
}

/// Options that say what compiling took.
#[derive(Debug, Clone, Default, Args)]
pub struct TimingArgs {
    /// Print the CPU time of each phase of compilation, without that of the phases inside it, on standard error at the end.
    #[arg(long)]
    pub time_passes: bool,
    /// Write those times to a file, as JSON.
    #[arg(long, value_name = "FILE")]
    pub time_passes_json: Option<PathBuf>,
}

/// What perf is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PerfChoice {
    /// /tmp/perf-PID.map: a line a function.
    Map,
    /// jit-PID.dump: code and source lines of each function.
    Jitdump,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    /// Whether messages on standard error get colours.
    pub fn on_stderr(self) -> bool {
        self.wanted(&std::io::stderr())
    }

    /// Whether text on standard output gets colours.
    pub fn on_stdout(self) -> bool {
        self.wanted(&std::io::stdout())
    }

    fn wanted(self, stream: &impl std::io::IsTerminal) -> bool {
        match self {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()),
        }
    }
}

/// How findings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Human,
    /// A JSON object a line.
    Json,
    /// As annotations of GitHub Actions.
    Github,
}

/// `tenure check`
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// What compiling took.
    #[command(flatten)]
    pub timing: TimingArgs,
    /// How findings are written.
    #[arg(long, default_value = "human")]
    pub format: Format,
    /// Colours in messages.
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
    /// Scripts.
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
}

/// `tenure explain`
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Codes, as messages show them: E0301.
    #[arg(value_name = "CODE")]
    pub codes: Vec<String>,
    /// Colours.
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
}

/// `tenure doc`
#[derive(Debug, Args)]
pub struct DocArgs {
    /// A script, or a module of the standard library.
    #[arg(value_name = "FILE|MODULE")]
    pub name: String,
    /// Colours in messages.
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
}

/// `tenure repl`
#[derive(Debug, Args)]
pub struct ReplArgs {
    /// How the heap is kept.
    #[command(flatten)]
    pub heap: HeapArgs,
    /// Colours in messages and in what is typed.
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
}

/// `tenure fmt`
#[derive(Debug, Args)]
pub struct FmtArgs {
    /// Write nothing; list the files that would change and end with status 1 if there are any.
    #[arg(long)]
    pub check: bool,
    /// Write nothing; show what would change.
    #[arg(long)]
    pub diff: bool,
    /// Colours in messages.
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
    /// Scripts, folders of scripts, or `-` for standard input and output.
    #[arg(value_name = "FILE", default_value = ".")]
    pub files: Vec<PathBuf>,
}

/// `tenure test`
#[derive(Debug, Args)]
pub struct TestArgs {
    /// How results are written.
    #[arg(long, default_value = "human")]
    pub format: Format,
    /// Run in the slow evaluator that serves as the code generator's oracle; the heap's options do not apply to it.
    #[arg(long)]
    pub evaluate: bool,
    /// Run tests whose title contains this.
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
    /// How the heap is kept.
    #[command(flatten)]
    pub heap: HeapArgs,
    /// Colours in messages.
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
    /// Scripts.
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
}

/// `tenure bench`
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// The policies to compare, as `run --gc` takes them.
    #[arg(long, value_name = "POLICIES", value_delimiter = ',', default_value = "static,adaptive,advisor")]
    pub gc: Vec<PolicyChoice>,
    /// Counted runs of each; one more before them warms the machine up.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub runs: u32,
    /// The advisor's model, instead of the shipped one.
    #[arg(long, value_name = "FILE")]
    pub model: Option<PathBuf>,
    /// What pauses should stay below, as in 10ms [default: 10ms]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub pause_goal: Option<Duration>,
    /// The most memory the heap may commit [default: a quarter of the machine's memory]
    #[arg(long, value_name = "SIZE", value_parser = parse_heap_limit)]
    pub max_heap: Option<u64>,
    /// Print the measurements as JSON.
    #[arg(long, conflicts_with = "csv")]
    pub json: bool,
    /// Print the measurements of every single run as CSV.
    #[arg(long)]
    pub csv: bool,
    /// Judge the advisor by the workloads instead of comparing policies on one script; takes up to three hours.
    #[arg(long, value_name = "SUITE", conflicts_with_all = ["gc", "runs", "model", "pause_goal", "max_heap", "csv"])]
    pub suite: Option<SuiteName>,
    /// How the suite is run.
    #[command(flatten)]
    pub of_suite: SuiteArgs,
    /// The script, then its own arguments.
    #[arg(value_name = "FILE", trailing_var_arg = true, required_unless_present = "suite")]
    #[arg(conflicts_with_all = OF_SUITE)]
    pub script: Vec<String>,
}

/// Options that mean nothing beside a script.
const OF_SUITE: [&str; 10] =
    ["suite", "quick", "full", "knobs", "results", "workloads", "data", "only", "jobs", "plot"];

/// What `tenure bench --suite` can judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SuiteName {
    /// The learned policy.
    Advisor,
}

/// Options of `tenure bench --suite`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Suite")]
pub struct SuiteArgs {
    /// A quarter of an hour: fewer runs, fewer cells, the search for the best settings begun in the simulator.
    #[arg(long, requires = "suite", conflicts_with = "full")]
    pub quick: bool,
    /// Every heap and pause goal in real runs, not in the simulator alone; takes many hours.
    #[arg(long, requires = "suite")]
    pub full: bool,
    /// Sweep each knob over the workloads, and say which counters it moves.
    #[arg(long, requires = "suite", conflicts_with_all = ["quick", "full"])]
    pub knobs: bool,
    /// Where results are kept as they come; what is there is not run again, so a suite that was stopped goes on.
    #[arg(long, value_name = "DIR", requires = "suite", default_value = "suite-results")]
    pub results: PathBuf,
    /// The workloads, with their table suite_heaps.csv.
    #[arg(long, value_name = "DIR", requires = "suite", default_value = "examples/workloads")]
    pub workloads: PathBuf,
    /// The data to which the models are fitted, a family left out of each.
    #[arg(long, value_name = "FILE", requires = "suite", default_value = "advisor/models/default.data")]
    pub data: PathBuf,
    /// Only these programs.
    #[arg(long, value_name = "PROGRAMS", value_delimiter = ',', requires = "suite")]
    pub only: Vec<String>,
    /// Runs side by side [default: 1, with --quick one a core]
    #[arg(long, value_name = "N", requires = "suite", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub jobs: Option<u32>,
    /// Draw the results as SVG files in this folder.
    #[arg(long, value_name = "DIR", requires = "suite")]
    pub plot: Option<PathBuf>,
}

/// `tenure train`
#[derive(Debug, Args)]
pub struct TrainArgs {
    /// Folder of the scripts to learn from. Lines `// Family: NAME`, `// train: ARGUMENTS`, `// full:` and `// suite:` in their
    /// heads say what they belong to and how they are run; tables `minimum_heaps.csv` and `suite_heaps.csv`, what heaps they need.
    #[arg(long, value_name = "DIR", default_value = "examples/workloads")]
    pub corpus: PathBuf,
    /// Where the model, its card, the journals and the data of the fit go. Runs whose journals are there are not made again.
    #[arg(long, value_name = "DIR", default_value = "model")]
    pub out: PathBuf,
    /// Runs of each script, with different seeds, heap limits and pause goals.
    #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub runs: u32,
    /// Seed of everything random.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Fit to recorded data instead of running anything; the same data give the same model, bit for bit.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["corpus", "runs", "seed", "timeout"])]
    pub from: Option<PathBuf>,
    /// Let time be the work done, so that recording again gives the same data. For tests.
    #[arg(long, hide = true)]
    pub work_clock: bool,
    /// Seconds after which a run is stopped; what it has recorded counts.
    #[arg(long, value_name = "SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub timeout: u64,
}

/// `tenure gc`
#[derive(Debug, Args)]
pub struct GcArgs {
    /// What to look at.
    #[command(subcommand)]
    pub command: GcCommand,
}

/// `tenure gc …`
#[derive(Debug, Subcommand)]
pub enum GcCommand {
    /// Summarise a journal.
    Report(ReportArgs),
    /// Decide again, from a journal's snapshots, what its policy decided, and say where that differs.
    Replay(ReplayArgs),
    /// Run a script and count what lives at its end, or when memory ran out, by type.
    Census(Box<CensusArgs>),
    /// Simulate a program, whose survey is at hand, under another policy, heap limit or pause goal.
    Simulate(SimulateArgs),
    /// Find the smallest heap in which a script runs, by bisection.
    Minimum(MinimumArgs),
}

/// `tenure gc replay`
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// The policy that decided, with its setting [default: by the reasons that the journal gives]
    #[arg(long, value_name = "POLICY")]
    pub gc: Option<PolicyChoice>,
    /// The advisor's model, instead of the shipped one.
    #[arg(long, value_name = "FILE")]
    pub model: Option<PathBuf>,
    /// How the advisor was.
    #[command(flatten)]
    pub advisor: AdvisorArgs,
    /// Seed of the random policies.
    #[arg(long, value_name = "N", default_value_t = 1, hide = true)]
    pub gc_seed: u64,
    /// A file written by --gc-journal.
    #[arg(value_name = "JOURNAL")]
    pub journal: PathBuf,
}

/// `tenure gc simulate`
#[derive(Debug, Args)]
pub struct SimulateArgs {
    /// The policy [default: advisor, or the one of the run to compare with]
    #[arg(long, value_name = "POLICY")]
    pub gc: Option<PolicyChoice>,
    /// The heap's limit [default: 256M, or that of the run to compare with]
    #[arg(long, value_name = "SIZE", value_parser = parse_heap_limit)]
    pub max_heap: Option<u64>,
    /// What pauses should stay below [default: 10ms, or that of the run to compare with]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub pause_goal: Option<Duration>,
    /// Simulate the run that this journal tells of, and compare.
    #[arg(long, value_name = "JOURNAL")]
    pub against: Option<PathBuf>,
    /// The advisor's model, instead of the shipped one.
    #[arg(long, value_name = "FILE")]
    pub model: Option<PathBuf>,
    /// How the advisor is to be.
    #[command(flatten)]
    pub advisor: AdvisorArgs,
    /// Seed of the random policies.
    #[arg(long, value_name = "N", default_value_t = 1, hide = true)]
    pub gc_seed: u64,
    /// The journal of a run with --gc=survey.
    #[arg(value_name = "SURVEY")]
    pub survey: PathBuf,
}

/// `tenure gc minimum`
#[derive(Debug, Args)]
pub struct MinimumArgs {
    /// The policy of the runs.
    #[arg(long, value_name = "POLICY", default_value = "adaptive")]
    pub gc: PolicyChoice,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// Let time be the work done, so that the answer is the same each time. For tests.
    #[arg(long, hide = true)]
    pub work_clock: bool,
    /// The script, then its own arguments.
    #[arg(value_name = "FILE", trailing_var_arg = true, required = true)]
    pub script: Vec<String>,
}

/// `tenure gc census`
#[derive(Debug, Args)]
pub struct CensusArgs {
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// How the heap is kept.
    #[command(flatten)]
    pub heap: HeapArgs,
    /// The script, then its own arguments.
    #[arg(value_name = "FILE", trailing_var_arg = true, required = true)]
    pub script: Vec<String>,
}

/// `tenure gc report`
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Print every cycle's snapshot, decision, outcome, class and forecasts as JSON.
    #[arg(long)]
    pub json: bool,
    /// Draw occupancy, pauses, knobs, predictions, forecasts and classes over time, as SVG files in this folder.
    #[arg(long, value_name = "DIR")]
    pub plots: Option<PathBuf>,
    /// The advisor's model, which tells class and forecasts, instead of the shipped one.
    #[arg(long, value_name = "FILE")]
    pub model: Option<PathBuf>,
    /// A file written by --gc-journal.
    #[arg(value_name = "JOURNAL")]
    pub journal: PathBuf,
}

fn parse_heap_limit(text: &str) -> Result<u64, String> {
    let bytes = parse_bytes(text)?;
    if (1 << 20..=24 << 30).contains(&bytes) { Ok(bytes) } else { Err("a heap limit lies between 1M and 24G".into()) }
}

/// Words that are subcommands, and what clap itself answers.
const COMMANDS: [&str; 11] = ["run", "repl", "check", "explain", "fmt", "test", "doc", "bench", "train", "gc", "help"];
const OWN_OPTIONS: [&str; 4] = ["-h", "--help", "-V", "--version"];

impl Cli {
    /// Reads the process's arguments; `run` is supplied where no subcommand is written.
    pub fn from_process() -> Cli {
        Cli::parse_from(with_subcommand(std::env::args_os().collect()))
    }
}

fn with_subcommand(mut args: Vec<std::ffi::OsString>) -> Vec<std::ffi::OsString> {
    let written =
        args.get(1).and_then(|a| a.to_str()).is_some_and(|a| COMMANDS.contains(&a) || OWN_OPTIONS.contains(&a));
    if !written {
        args.insert(1.min(args.len()), "run".into());
    }
    args
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn parse(line: &str) -> Result<Cli, String> {
        let args = std::iter::once("tenure").chain(line.split_whitespace()).map(Into::into).collect();
        Cli::try_parse_from(with_subcommand(args)).map_err(|e| e.to_string())
    }

    fn run(line: &str) -> RunArgs {
        match parse(line).map(|cli| cli.command) {
            Ok(Command::Run(run)) => run,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn options_stand_before_the_file_and_the_rest_is_the_scripts() {
        let args = run("--gc=static --region-size=1M prog.ten --gc=adaptive -x -- y");
        assert_eq!(args.heap.gc, Some(PolicyChoice::Static(None)));
        assert_eq!(args.heap.region_size, Some(1 << 20));
        assert_eq!(args.script, ["prog.ten", "--gc=adaptive", "-x", "--", "y"]);
        assert_eq!(run("run prog.ten run").script, ["prog.ten", "run"]);
        assert_eq!(run("- a").script, ["-", "a"]);
        assert_eq!(run("./test").script, ["./test"]);
        assert_eq!(run("").script, Vec::<String>::new());
        let code = run("-e print(1) --stats a");
        assert_eq!((code.code.as_deref(), code.stats, code.script), (Some("print(1)"), true, vec!["a".to_owned()]));
    }

    #[test]
    fn a_bare_word_that_is_a_subcommand_is_the_subcommand() {
        assert!(matches!(parse("test a.ten").map(|c| c.command), Ok(Command::Test(_))));
        assert!(matches!(parse("gc report run.tgj").map(|c| c.command), Ok(Command::Gc(_))));
    }

    #[test]
    fn nonsense_is_a_usage_error() {
        for line in [
            "--max-heap=-3 a.ten",
            "--max-heap=0 a.ten",
            "--max-heap=64K a.ten",
            "--max-heap=25G a.ten",
            "--region-size=3M a.ten",
            "--pause-goal=0ms a.ten",
            "--pause-goal=0 a.ten",
            "--ihop=140 a.ten",
            "--gc=magic a.ten",
            "--no-such-option a.ten",
            "--emit=poem a.ten",
            "--evaluate --stats a.ten",
            "check",
            "bench --runs=0 a.ten",
            "bench --quick a.ten",
            "bench --suite=advisor a.ten",
            "bench --suite=advisor --quick --full",
            "bench --suite=advisor --gc=static",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
