//! The command line: one file a subcommand. It knows the embedding API and the collector's records, and nothing of the
//! compiler's inside.

mod args;
mod output;
mod size;
pub fn main() -> std::process::ExitCode {
 let cli = args::Cli::from_process();
 println!("{cli:?}");
 std::process::ExitCode::SUCCESS
}
