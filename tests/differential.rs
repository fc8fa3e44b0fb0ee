//! Random well-typed programs do the same in the evaluator and in compiled code, also with a collector under stress.
//!
//! One second in the suite; for longer, `TENURE_FUZZ_SECONDS=600 cargo test --test differential`. A failure prints
//! the smallest failing program among the sizes of its seed.

#[path = "differential/generate.rs"]
mod generate;

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tenure::{Engine, Gc, Host, Program, ScriptError, Zeal};

/// Output that can be read after the run.
#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no writer panics").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What a run shows: its output, and the kind, message and trace of the error that ended it.
#[derive(PartialEq, Debug)]
struct Shown {
    output: String,
    error: Option<(String, String, Vec<String>)>,
}

fn shown(output: &Captured, ended: Result<(), ScriptError>) -> Shown {
    let output = String::from_utf8_lossy(&output.0.lock().expect("no writer panics")).into_owned();
    let error = ended.err().map(|error| {
        let trace = error.trace().map(|frame| format!("{frame:?}")).collect();
        (error.kind().to_string(), error.message().to_string(), trace)
    });
    Shown { output, error }
}

fn evaluated(program: &Program) -> Shown {
    let output = Captured::default();
    let ended = program.evaluate(&[], Box::new(output.clone()), Box::new(std::io::sink()));
    shown(&output, ended)
}

fn compiled(program: &Program, gc: Gc, zeal: Option<&str>) -> Shown {
    let output = Captured::default();
    let mut instance = program.instance().gc(gc).max_heap(64 << 20).stdout(Box::new(output.clone()));
    if let Some(zeal) = zeal {
        instance = instance.verify(true).zeal(zeal.parse::<Zeal>().expect("a zeal"));
    }
    let ended = instance.build().expect("a small heap fits").run();
    shown(&output, ended)
}

/// Why the program of this seed and size fails, with its text.
fn failure(engine: &Engine, seed: u64, size: usize) -> Option<String> {
    let text = generate::program(seed, size);
    let program = match engine.compile("random.ten", &text, &Host::new("none")) {
        Ok(program) => program,
        Err(diagnostics) => return Some(format!("refused:\n{diagnostics}\n{text}")),
    };
    let wanted = evaluated(&program);
    let runs = [
        ("adaptive", compiled(&program, Gc::adaptive(), None)),
        ("zeal", compiled(&program, Gc::adversarial(seed), Some("young:2K,full:32K,mark:8K"))),
    ];
    runs.into_iter()
        .find(|(_, found)| *found != wanted)
        .map(|(mode, found)| format!("{mode} shows\n{found:#?}\nthe evaluator\n{wanted:#?}\n{text}"))
}

#[test]
fn evaluator_and_compiled_code_agree_on_random_programs() {
    let seconds = std::env::var("TENURE_FUZZ_SECONDS").map_or(1, |text| text.parse().expect("a number of seconds"));
    let first = std::env::var("TENURE_FUZZ_SEED").map_or(0, |text| text.parse().expect("a seed"));
    let engine = Engine::new();
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut seed = first;
    while Instant::now() < end || seed < first + 5 {
        let size = 1 + (seed % 6) as usize;
        if failure(&engine, seed, size).is_some() {
            let smallest = (1..=size).find_map(|size| failure(&engine, seed, size)).expect("it failed before");
            panic!("seed {seed}: {smallest}");
        }
        seed += 1;
    }
    eprintln!("{} programs", seed - first);
}
