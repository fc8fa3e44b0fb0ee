//! The command line: one file a subcommand. It knows the embedding API and the collector's records, and nothing of the
//! compiler's inside.

mod archive;
mod args;
mod bench;
mod bench_blocks;
mod census;
mod check;
mod child;
mod corpus;
mod disassembly;
mod doc;
mod explain;
mod findings;
mod flame;
mod fmt;
mod gc_foretold;
mod gc_plots;
mod gc_replay;
mod gc_report;
mod gc_simulate;
mod heap;
mod line;
mod metrics;
mod minimum;
mod output;
mod policy;
mod profile;
mod repl;
mod report;
mod run;
mod sample;
mod size;
mod stats;
mod suite;
mod test;
mod timing;
mod train;

use args::{Cli, Command, GcCommand};
use std::process::ExitCode;

/// The whole command.
pub fn main() -> ExitCode {
    let status = match Cli::from_process().command {
        Command::Run(args) => run::main(args),
        Command::Repl(args) => repl::main(&args),
        Command::Check(args) => check::main(&args),
        Command::Explain(args) => explain::main(&args),
        Command::Fmt(args) => fmt::main(&args),
        Command::Test(args) => test::main(&args),
        Command::Doc(args) => doc::main(&args),
        Command::Bench(args) => bench::main(&args),
        Command::Train(args) => train::main(&args),
        Command::Gc(args) => match args.command {
            GcCommand::Report(args) => gc_report::main(&args),
            GcCommand::Replay(args) => gc_replay::main(&args),
            GcCommand::Census(args) => census::main(&args),
            GcCommand::Simulate(args) => gc_simulate::main(&args),
            GcCommand::Minimum(args) => minimum::main(&args),
        },
    };
    status.into()
}
