//! Fuzzing of what reads untrusted text: lexer and parser, checker, formatter, JSON reader.
//!
//! One second each in the suite; for longer, `TENURE_FUZZ_SECONDS=300 cargo test --test fuzz`; another seed with
//! `TENURE_FUZZ_SEED`. Texts come from the repository's own programs, cut, joined and sprinkled with words of the
//! language. A failure prints seed and text; the text then gets a test of its own.

#[path = "fuzz/texts.rs"]
mod texts;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};
use tenure::{Engine, Host, Purpose, Stage, format_source};
use texts::Texts;

/// So long a text of a few kilobytes may take, in a debug build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Feeds texts to a target until the time is over.
fn fuzz(mut texts: Texts, target: impl Fn(&str) -> Result<(), String>) {
    let variable = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let seconds = variable("TENURE_FUZZ_SECONDS").unwrap_or(1);
    let first = variable("TENURE_FUZZ_SEED").unwrap_or(1);
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut seed = first;
    while Instant::now() < end {
        let text = texts.next(seed);
        let start = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| target(&text)));
        let wrong = match outcome {
            Ok(Ok(())) if start.elapsed() < PATIENCE => None,
            Ok(Ok(())) => Some(format!("took {:?}", start.elapsed())),
            Ok(Err(wrong)) => Some(wrong),
            Err(_) => Some("panicked".to_owned()),
        };
        if let Some(wrong) = wrong {
            panic!("seed {seed}: {wrong}\n----\n{text}\n----");
        }
        seed += 1;
    }
    println!("{} texts", seed - first);
}

#[test]
fn lexer_and_parser() {
    let engine = Engine::new();
    fuzz(Texts::programs(), |text| {
        if let Err(found) = engine.emit(Stage::Ast, "fuzz.ten", text, &[]) {
            if found.is_empty() {
                return Err("refused without a word".into());
            }
            found.render(true);
        }
        Ok(())
    });
}

#[test]
fn checker() {
    let engine = Engine::new();
    fuzz(Texts::programs(), |text| match engine.compile_for(Purpose::Test, "fuzz.ten", text, &[Host::none()], false) {
        Ok(_) => Ok(()),
        Err(found) if !found.has_errors() => Err("refused without an error".into()),
        Err(found) => {
            found.render(false);
            Ok(())
        }
    });
}

#[test]
fn formatter() {
    fuzz(Texts::programs(), |text| {
        let formatted = match format_source("fuzz.ten", text) {
            Ok(formatted) => formatted,
            Err(found) if found.to_string().contains("bug of the formatter") => return Err(found.to_string()),
            Err(_) => return Ok(()),
        };
        match format_source("fuzz.ten", &formatted) {
            Ok(again) if again == formatted => Ok(()),
            Ok(again) => Err(format!("formatted twice it differs:\n{formatted}\n--\n{again}")),
            Err(found) => Err(format!("formatted it is refused: {found}\n{formatted}")),
        }
    });
}

/// The reader of the standard library accepts what serde_json accepts, but for the limits of that.
#[test]
fn json() {
    let script =
        "use json\npub fn accepts(text: str) -> bool { match json.parse(text) { Ok(_) => true; Err(_) => false } }\n";
    let engine = Engine::new();
    let program = engine.compile("json.ten", script, &Host::none()).expect("it is right");
    let vm = std::cell::RefCell::new(program.instance().max_heap(64 << 20).build().expect("a small heap fits"));
    vm.borrow_mut().run().expect("it has no statements");
    fuzz(Texts::json(), |text| {
        let vm = &mut *vm.borrow_mut();
        let accepts = vm.func::<(&str,), bool>("accepts").map_err(|e| e.to_string())?;
        let ours = accepts.call(vm, (text,)).map_err(|e| e.to_string())?;
        let theirs = match serde_json::from_str::<serde_json::Value>(text) {
            Ok(_) => true,
            // JSON itself sets no bounds; these are serde_json's own, and end its reading
            Err(e) if ["number out of range", "recursion limit"].iter().any(|own| e.to_string().contains(own)) => {
                return Ok(());
            }
            Err(_) => false,
        };
        if ours == theirs { Ok(()) } else { Err(format!("accepted: {ours}, by serde_json: {theirs}")) }
    });
}
