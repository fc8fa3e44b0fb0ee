//! The race: the same programs in Tenure and its peers, whole processes side by side.
//!
//! `cargo bench --bench race` runs every program of `programs.rs` in each language that is installed and in which the
//! program is written; a language that isn't installed is skipped and said. `--runs N` sets how many runs count, `--only
//! NAME,NAME` picks programs, `--peers java,node,luajit,go,c` picks peers, `--record` writes table and JSON to
//! `tests/bench/record/race.*` and the picture to the book, after each program anew, so that a race that is broken off is not lost.
//!
//! Runs are interleaved (A B C A B C …), so that a machine that changes speed changes it for all; ratios are taken
//! run by run, and the median counts. What a program prints is compared before anything is measured: a peer that computes
//! something else is a defect of the race, and ends it. Nothing here passes or fails by time: it reports.

#[path = "../figures.rs"]
mod figures;
#[path = "../machine.rs"]
mod machine;
mod measure;
mod peer;
mod programs;
mod report;

use measure::Usage;
use peer::Peer;
use programs::{PROGRAMS, Program};
use report::{Entry, Report};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What the command line says.
struct Options {
    runs: usize,
    only: Option<Vec<String>>,
    peers: Option<Vec<String>>,
    record: bool,
}

fn options(args: &[String]) -> Options {
    let value = |name: &str| args.iter().position(|a| a == name).and_then(|i| args.get(i + 1));
    let list = |name: &str| value(name).map(|names| names.split(',').map(String::from).collect());
    Options {
        runs: value("--runs").map_or(7, |n| n.parse().expect("--runs takes a number")),
        only: list("--only"),
        peers: list("--peers"),
        record: args.iter().any(|a| a == "--record"),
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    if args.first().is_some_and(|a| a == measure::CHILD) {
        return measure::child(&args[1..]);
    }
    let options = options(&args);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("race");
    std::fs::create_dir_all(&folder).expect("a folder for what is built");
    let wanted = |peer: &Peer| options.peers.as_ref().is_none_or(|names| names.iter().any(|n| n == peer.flag()));
    let (peers, missing): (Vec<Peer>, Vec<Peer>) =
        peer::PEERS.into_iter().filter(wanted).partition(|peer| peer.version().is_some());
    let mut report = Report::new(options.runs, &peers, &missing);
    print!("{}", report.head());
    let chosen = |p: &&Program| options.only.as_ref().is_none_or(|names| names.iter().any(|n| n == p.name));
    for program in PROGRAMS.iter().filter(chosen) {
        let started = Instant::now();
        let entry = run(program, &peers, options.runs, root, &folder);
        print!("{}", report.add(entry));
        eprintln!("{}: {:.0} s", program.name, started.elapsed().as_secs_f64());
        if options.record {
            report.write(root);
        }
    }
    print!("{}", report.means());
}

/// Runs one program in Tenure and in each peer that has it.
fn run(program: &Program, peers: &[Peer], runs: usize, root: &Path, folder: &Path) -> Entry {
    let input = program.input(root, folder);
    let ours = peer::tenure(program, root);
    let theirs = peers.iter().filter_map(|peer| Some((*peer, peer.command(program, root, folder)?)));
    let contenders: Vec<(Option<Peer>, Vec<String>)> =
        std::iter::once((None, ours)).chain(theirs.map(|(peer, command)| (Some(peer), command))).collect();
    // The first run warms the page cache and shows the result.
    let results: Vec<String> =
        contenders.iter().map(|(_, command)| measure::result(command, input.as_deref())).collect();
    for ((peer, _), result) in contenders.iter().zip(&results) {
        let name = peer.map_or("Tenure", |p| p.name());
        assert!(*result == results[0], "{}: {name} prints {result}, Tenure {}", program.name, results[0]);
    }
    let mut usages: Vec<Vec<Usage>> = contenders.iter().map(|_| Vec::with_capacity(runs)).collect();
    for _ in 0..runs {
        for ((_, command), usages) in contenders.iter().zip(&mut usages) {
            usages.push(measure::usage(command, input.as_deref()));
        }
    }
    let mut usages = usages.into_iter();
    let ours = usages.next().expect("Tenure runs every program");
    let theirs = contenders.iter().filter_map(|(peer, _)| *peer).zip(usages).collect();
    Entry { program: program.name, ours, theirs }
}
