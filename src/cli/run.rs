//! `tenure run`: a script from a file, a pipe or the command line.

use super::args::{Cli, EmitStage, PerfChoice, ReplArgs, RunArgs};
use super::census;
use super::disassembly::Disassembly;
use super::heap::usage_error;
use super::metrics;
use super::output::{self, ScriptOutput};
use super::profile;
use super::repl;
use super::report::{self, Status};
use super::stats::{self, Seen};
use super::timing;
use clap::CommandFactory;
use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tenure::{
    Barriers, CodeCache, Diagnostics, Engine, EngineBuilder, Gc, Host, InterruptHandle, PerfFile, PerfFormat, Purpose,
    ScriptError, Stage, Timing, on_stack, read_source, read_source_stream,
};

/// A script recurses on a stack of its own, larger than what the system gives the first thread.
pub const SCRIPT_STACK_BYTES: usize = 256 << 20;
/// Left for the compiler, natives and the collector below a script's deepest frame.
const STACK_HEADROOM_BYTES: usize = 4 << 20;

/// As a shell reports a process that SIGINT ended.
const INTERRUPTED_STATUS: i32 = 130;

/// A script's text, its name in messages, and whether modules can be files beside it.
pub struct Source {
    pub name: String,
    pub text: String,
}

/// Runs work on a thread with the script's large stack.
pub fn on_script_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    on_stack("script", SCRIPT_STACK_BYTES, work).unwrap_or_else(|error| {
        let _ = report::failure(&format!("the system gives no stack for the script: {error}"));
        std::process::exit(1);
    })
}

/// The engine that the command line uses.
pub fn engine() -> Engine {
    builder().build().expect("the defaults are sound")
}

/// That engine, to be set up further.
pub fn builder() -> EngineBuilder {
    Engine::builder().stack_budget(SCRIPT_STACK_BYTES - STACK_HEADROOM_BYTES)
}

/// Does it.
pub fn main(mut args: RunArgs) -> Status {
    if args.code.is_none() && args.script.is_empty() && std::io::stdin().is_terminal() {
        return repl::main(&ReplArgs { heap: args.heap, color: args.color });
    }
    let gc = args.heap.gc();
    let source = match source(&mut args) {
        Ok(source) => source,
        Err(line) => return report::failure(&line),
    };
    on_script_stack(|| {
        let timing = timing::start(&args.timing);
        let status = run(&args, gc, &source, &timing);
        timing::finish(&args.timing, &timing).map_or_else(|line| report::failure(&line), |()| status)
    })
}

fn source(args: &mut RunArgs) -> Result<Source, String> {
    if let Some(code) = args.code.take() {
        return Ok(Source { name: "<code>".into(), text: code });
    }
    let file = if args.script.is_empty() { None } else { Some(args.script.remove(0)) };
    match file.as_deref() {
        None | Some("-") => {
            let text = read_source_stream(std::io::stdin().lock(), "<stdin>")?;
            Ok(Source { name: "<stdin>".into(), text })
        }
        Some(name) => {
            let text = read_source(Path::new(name)).map_err(|line| explain_subcommand(line, name))?;
            Ok(Source { name: name.into(), text })
        }
    }
}

/// `tenure --gc=static test` looks for a file named `test`; says so.
fn explain_subcommand(line: String, name: &str) -> String {
    if Cli::command().get_subcommands().any(|c| c.get_name() == name) {
        format!("{line}\nhelp: a subcommand comes first: tenure {name} …")
    } else {
        line
    }
}

fn run(args: &RunArgs, gc: Gc, source: &Source, timing: &Timing) -> Status {
    let color = args.color.on_stderr();
    let mut builder = match builder().consume_fuel(args.fuel.is_some()).passes(&args.opt) {
        Ok(builder) => builder,
        Err(line) => return report::failure(&line),
    };
    builder = builder.timing(timing.clone());
    if args.never_collect {
        let barriers = if args.leave_out_barriers { Barriers::LeftOut } else { Barriers::Emitted };
        builder = builder.never_collect(barriers);
    }
    let perf = match args.perf.map(perf_file).transpose() {
        Ok(perf) => perf,
        Err(line) => return report::failure(&line),
    };
    if let Some(perf) = &perf {
        builder = builder.code_listener(Arc::clone(perf) as _);
    }
    let cache = args.code_cache.as_deref().and_then(|folder| {
        let cache = CodeCache::open(folder, &source.name).map(Arc::new);
        cache.map_err(|error| report::warning(&format!("no code is cached: {error}"), color)).ok()
    });
    if let Some(cache) = &cache {
        builder = builder.code_cache(Arc::clone(cache));
    }
    let disassembly = Arc::<Disassembly>::default();
    // of other machines there is Cranelift's own listing
    let disassembles = args.emit == Some(EmitStage::Asm) && cfg!(target_arch = "x86_64");
    if disassembles {
        builder = builder.code_listener(Arc::clone(&disassembly) as _);
    }
    let engine = builder.build().expect("the defaults are sound");
    if disassembles {
        return emit_asm(&engine, &disassembly, source, color);
    }
    if let Some(stage) = args.emit {
        return emit(&engine, stage, source, color);
    }
    let compiled = engine.compile_for(Purpose::Run, &source.name, &source.text, &[Host::none()], true);
    let program = match compiled {
        Ok(program) => program,
        Err(found) => return report::diagnostics(&found, color),
    };
    show_warnings(program.warnings(), color);
    if args.evaluate {
        let (stdout, stderr) = (Box::new(ScriptOutput::stdout()), Box::new(std::io::stderr()));
        let mut evaluation = program.evaluation(&args.script, stdout, stderr);
        if let Some(fuel) = args.fuel {
            evaluation.set_fuel(fuel);
        }
        limit(evaluation.interrupt_handle(), args.timeout);
        let ended = evaluation.run();
        return ended.map_or_else(|error| report::script_error(&error, color), |()| Status::Success);
    }
    let seen = Seen::default();
    let mut instance = program
        .instance()
        .args(args.script.iter().cloned())
        .stdout(Box::new(ScriptOutput::stdout()))
        .stderr(Box::new(std::io::stderr()));
    if args.stats || args.stats_json.is_some() {
        instance = instance.observer(seen.observer());
    }
    let metrics = match args.metrics.as_deref().map(metrics::start).transpose() {
        Ok(metrics) => metrics,
        Err(line) => return report::failure(&line),
    };
    if metrics.is_some() {
        instance = instance.observer(Box::new(tenure::MetricsObserver::default()));
    }
    let profile = args.profile.clone().map(|path| profile::Output::create(path, &source.name));
    let profile = match profile.transpose() {
        Ok(profile) => profile,
        Err(line) => return report::failure(&line),
    };
    if profile.is_some() {
        instance = instance.profile(profile::sampling(args.profile_polls));
    }
    let mut vm = match args.heap.apply(gc, instance).and_then(|i| i.build().map_err(|e| e.to_string())) {
        Ok(vm) => vm,
        Err(line) => return report::failure(&line),
    };
    for warning in vm.warnings() {
        report::warning(warning, color);
    }
    if let Some(fuel) = args.fuel {
        vm.set_fuel(fuel).expect("the engine was built to count");
    }
    limit(vm.interrupt_handle(), args.timeout);
    let ended: Result<(), ScriptError> = vm.run();
    let mut status = ended.map_or_else(|error| report::script_error(&error, color), |()| Status::Success);
    if let Some(Err(error)) = cache.map(|cache| cache.save()) {
        report::warning(&format!("no code was cached: {error}"), color);
    }
    if let Some(lines) = vm.gc().take_census() {
        report::say(&census::census(&lines));
    }
    if args.heap.gc_sample.is_some() {
        report::say(&census::sites(&vm.gc().allocation_sites()));
    }
    if let (Some(output), Some(profile)) = (profile, vm.profile()) {
        match output.write(&profile) {
            Ok(table) => report::say(&table),
            Err(line) => status = report::failure(&line),
        }
    }
    if metrics.is_some() {
        tenure::MetricsObserver::finish(&vm.gc().stats(), vm.gc().max_heap());
    }
    if let Some(metrics) = metrics
        && let Err(line) = metrics.finish()
    {
        status = report::failure(&line);
    }
    if let Some(Err(error)) = perf.map(|perf| perf.finish()) {
        status = report::failure(&format!("perf was not told of all code: {error}"));
    }
    if args.stats || args.stats_json.is_some() {
        let summary = stats::Summary::of(&mut vm, &seen);
        if args.stats {
            report::say(&summary.table());
        }
        if let Some(path) = &args.stats_json
            && let Err(error) = std::fs::write(path, summary.json().to_string() + "\n")
        {
            status = report::failure(&format!("can't write `{}`: {error}", path.display()));
        }
    }
    status
}

fn perf_file(choice: PerfChoice) -> Result<Arc<PerfFile>, String> {
    let format = match choice {
        PerfChoice::Map => PerfFormat::Map,
        PerfChoice::Jitdump => PerfFormat::Jitdump,
    };
    let path = format.path();
    PerfFile::create(format, &path).map(Arc::new).map_err(|error| format!("can't write `{}`: {error}", path.display()))
}

/// Ctrl-C and the time limit end the script, so that what it printed is kept. A second Ctrl-C ends the process at once: the
/// script may be waiting for the system.
fn limit(handle: InterruptHandle, timeout: Option<Duration>) {
    handle.set_deadline(timeout.and_then(|timeout| Instant::now().checked_add(timeout)));
    let again = AtomicBool::new(false);
    let interrupted = move || {
        if again.swap(true, Ordering::Relaxed) {
            std::process::exit(INTERRUPTED_STATUS);
        }
        handle.interrupt();
    };
    if let Err(error) = ctrlc::set_handler(interrupted) {
        report::warning(&format!("Ctrl-C ends the process without ceremony: {error}"), false);
    }
}

fn emit(engine: &Engine, stage: EmitStage, source: &Source, color: bool) -> Status {
    let stage = match stage {
        EmitStage::Ast => Stage::Ast,
        EmitStage::Types => Stage::Types,
        EmitStage::Ir => Stage::Ir,
        EmitStage::Opt => Stage::Optimised,
        EmitStage::Clif => Stage::Clif,
        EmitStage::Asm => Stage::Asm,
    };
    match engine.emit(stage, &source.name, &source.text, &[]) {
        Ok(text) => print(&text),
        Err(found) => report::diagnostics(&found, color),
    }
}

/// Machine code with addresses and source lines.
fn emit_asm(engine: &Engine, disassembly: &Disassembly, source: &Source, color: bool) -> Status {
    let program = match engine.compile_for(Purpose::Run, &source.name, &source.text, &[Host::none()], true) {
        Ok(program) => program,
        Err(found) => return report::diagnostics(&found, color),
    };
    match program.compile_all() {
        Ok(()) => print(&disassembly.text(&source.name, &source.text)),
        Err(error) => report::script_error(&error, color),
    }
}

fn print(text: &str) -> Status {
    output::print(text).map_or_else(|error| report::failure(&error.to_string()), |()| Status::Success)
}

/// Warnings do not keep a program from running.
pub fn show_warnings(warnings: &Diagnostics, color: bool) {
    if !warnings.is_empty() {
        report::say(&warnings.render(color));
    }
}

/// The one script of a subcommand that takes `FILE [ARGS]`.
pub fn split_script(script: &[String]) -> (&str, &[String]) {
    match script {
        [file, args @ ..] => (file, args),
        [] => usage_error("a script is needed"),
    }
}
