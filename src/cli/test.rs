//! `tenure test`: runs the `test` blocks of scripts, each after the same top-level statements.

use super::args::{Format, TestArgs};
use super::check::show;
use super::findings::annotation;
use super::output;
use super::report::{self, Status};
use super::run::{engine, on_script_stack};
use serde_json::json;
use std::io::Write;
use std::path::Path;
use tenure::{Evaluation, Gc, Host, Program, Purpose, ScriptError, Vm, read_source};

/// Results of all files.
#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
    /// Files that could not be compiled, or whose top-level statements failed.
    broken: usize,
}

/// Does it.
pub fn main(args: &TestArgs) -> Status {
    let mut tally = Tally::default();
    let gc = args.heap.gc();
    for path in &args.files {
        on_script_stack(|| test_file(args, &gc, path, &mut tally));
    }
    if args.format == Format::Human {
        let broken = if tally.broken > 0 { format!(", {} files could not run", tally.broken) } else { String::new() };
        say(&format!("\n{} passed, {} failed{broken}\n", tally.passed, tally.failed));
    }
    if tally.failed + tally.broken > 0 { Status::Failure } else { Status::Success }
}

fn test_file(args: &TestArgs, gc: &Gc, path: &Path, tally: &mut Tally) {
    let name = path.display().to_string();
    let color = args.color.on_stderr();
    let mut broken = |status: Status| {
        tally.broken += usize::from(status != Status::Success);
    };
    let text = match read_source(path) {
        Ok(text) => text,
        Err(line) => return broken(report::failure(&line)),
    };
    let program = match engine().compile_for(Purpose::Test, &name, &text, &[Host::none()], true) {
        Ok(program) => program,
        Err(found) => {
            show(&found, args.format, color);
            return broken(Status::Failure);
        }
    };
    show(program.warnings(), args.format, color);
    // what the tests print must not mix with results that a program reads
    let stdout: Box<dyn Write + Send> = match args.format {
        Format::Human => Box::new(std::io::stdout()),
        Format::Json | Format::Github => Box::new(std::io::stderr()),
    };
    let mut runner = match runner(args, gc, &program, stdout) {
        Ok(runner) => runner,
        Err(line) => return broken(report::failure(&line)),
    };
    if let Err(error) = runner.run() {
        return broken(report::script_error(&error, color));
    }
    for (i, title) in program.tests().enumerate() {
        if args.filter.as_ref().is_some_and(|filter| !title.contains(filter.as_str())) {
            continue;
        }
        let result = runner.run_test(i);
        tally.passed += usize::from(result.is_ok());
        tally.failed += usize::from(result.is_err());
        say(&line(args.format, &name, title, result.as_ref().err()));
    }
}

/// Compiled code or the evaluator.
enum Runner<'p> {
    Compiled(Box<Vm>),
    Evaluated(Box<Evaluation<'p>>),
}

impl Runner<'_> {
    fn run(&mut self) -> Result<(), ScriptError> {
        match self {
            Runner::Compiled(vm) => vm.run(),
            Runner::Evaluated(evaluation) => evaluation.run(),
        }
    }

    fn run_test(&mut self, index: usize) -> Result<(), ScriptError> {
        match self {
            Runner::Compiled(vm) => vm.run_test(index),
            Runner::Evaluated(evaluation) => evaluation.run_test(index),
        }
    }
}

fn runner<'p>(
    args: &TestArgs,
    gc: &Gc,
    program: &'p Program,
    stdout: Box<dyn Write + Send>,
) -> Result<Runner<'p>, String> {
    let stderr = Box::new(std::io::stderr());
    if args.evaluate {
        return Ok(Runner::Evaluated(Box::new(program.evaluation(&[], stdout, stderr))));
    }
    let instance = program.instance().stdout(stdout).stderr(stderr);
    let vm = args.heap.apply(gc.clone(), instance)?.build().map_err(|e| e.to_string())?;
    for warning in vm.warnings() {
        report::warning(warning, args.color.on_stderr());
    }
    Ok(Runner::Compiled(Box::new(vm)))
}

fn line(format: Format, file: &str, title: &str, error: Option<&ScriptError>) -> String {
    match (format, error) {
        (Format::Human, None) => format!("ok      {file}: {title}\n"),
        (Format::Human, Some(error)) => {
            let report: String = error.report().lines().map(|l| format!("        {l}\n")).collect();
            format!("FAILED  {file}: {title}\n{report}")
        }
        (Format::Json, error) => {
            let failure = error.map(|e| {
                let trace: Vec<_> = e
                    .trace()
                    .map(|f| json!({"function": f.function, "file": f.file, "line": f.line, "column": f.column}))
                    .collect();
                json!({"kind": e.kind(), "message": e.message(), "trace": trace})
            });
            let passed = failure.is_none();
            json!({"file": file, "test": title, "passed": passed, "failure": failure}).to_string() + "\n"
        }
        (Format::Github, None) => String::new(),
        (Format::Github, Some(error)) => {
            let place = error.trace().find(|f| f.file == file).map(|f| (file, f.line, f.column));
            annotation("error", place, &format!("test failed: {title}"), error.message()) + "\n"
        }
    }
}

fn say(text: &str) {
    if let Err(error) = output::print(text) {
        let _ = report::failure(&format!("can't write to standard output: {error}"));
    }
}
