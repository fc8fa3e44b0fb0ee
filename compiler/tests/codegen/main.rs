//! Compiled code against the evaluator, on programs in the IR's text form, with the collector at its most eager.

mod collect;
mod handlers;
mod scalars;

use std::sync::Arc;
use tenure_compiler::codegen::{Code, CodeSettings};
use tenure_compiler::eval::{Evaluator, Options};
use tenure_compiler::ir::{self, FuncId, Program};
use tenure_compiler::source::Sources;
use tenure_runtime::native::Registry;
use tenure_runtime::trap::{Trap, TrapKind};
use tenure_runtime::vm::{Vm, VmConfig};

const HEAP_BYTES: u64 = 16 << 20;

/// Heap modes every program runs under.
const MODES: &[&str] = &["", "young:1,verify", "full:1,verify", "move:1,verify", "young:1,copyfail:3,verify"];

fn program(text: &str) -> Arc<Program> {
    let program = ir::parse(text).unwrap_or_else(|error| panic!("{error}"));
    ir::verify::verify(&program).unwrap_or_else(|error| panic!("{error}"));
    Arc::new(program)
}

fn sources() -> Arc<Sources> {
    let mut sources = Sources::default();
    sources.add("test.ten", "");
    Arc::new(sources)
}

fn vm(program: &Arc<Program>, natives: &Registry, zeal: &str) -> Vm {
    let code = Code::new(Arc::clone(program), sources(), natives.clone(), CodeSettings::default())
        .expect("addresses for code");
    let mut config = VmConfig::with_limit(HEAP_BYTES);
    config.heap.zeal = zeal.parse().expect("zeal modes of this test");
    Vm::new(code, config).expect("a heap")
}

/// What to compare of a run: values, or the kind and message of a trap.
type Seen = Result<u64, (TrapKind, String)>;

fn seen(result: Result<u64, Trap>) -> Seen {
    result.map_err(|trap| (trap.kind, trap.message))
}

/// Runs function 0 with these arguments in the evaluator and, under every heap mode, compiled; all must agree.
fn agree_with(text: &str, natives: &Registry, arguments: &[&[u64]]) -> Vec<Seen> {
    let program = program(text);
    let sources = sources();
    let evaluate = |arguments: &&[u64]| {
        let mut evaluator = Evaluator::new(&program, natives, &sources, Options::default());
        seen(evaluator.call(FuncId(0), arguments))
    };
    let expected: Vec<Seen> = arguments.iter().map(evaluate).collect();
    for mode in MODES {
        let mut vm = vm(&program, natives, mode);
        for (arguments, expected) in arguments.iter().zip(&expected) {
            assert_eq!(&seen(vm.call_words(0, arguments)), expected, "arguments {arguments:?}, zeal {mode:?}");
        }
    }
    expected
}

fn agree(text: &str, arguments: &[&[u64]]) -> Vec<Seen> {
    agree_with(text, &Registry::default(), arguments)
}

/// The same for one list of arguments and a value.
fn gives(text: &str, arguments: &[u64], expected: u64) {
    assert_eq!(agree(text, &[arguments]), [Ok(expected)]);
}
