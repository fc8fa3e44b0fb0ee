//! Natives for output, the script's arguments and its environment.

use crate::signature::{add, text};
use tenure_runtime::native::NativeType::{Bool, Int, Str, Unit};
use tenure_runtime::native::{NativeValue, Registry};
use tenure_runtime::trap::{Trap, TrapKind};

pub(crate) fn register(registry: &mut Registry) {
    add(registry, "core.print_line", &[Str], Unit, |cx| {
        // the text is on the script's heap and the output is the context's too, so one has to be copied
        let line = format!("{}\n", cx.str(0));
        written(cx.stdout().write_all(line.as_bytes()))
    });
    add(registry, "core.print_error_line", &[Str], Unit, |cx| {
        let line = format!("{}\n", cx.str(0));
        written(cx.stderr().write_all(line.as_bytes()))
    });
    add(registry, "io.write", &[Str], Unit, |cx| {
        let part = cx.str(0).to_owned();
        written(cx.stdout().write_all(part.as_bytes()))
    });
    add(registry, "io.flush", &[], Unit, |cx| written(cx.stdout().flush()));
    add(registry, "core.script_arg_count", &[], Int, |cx| Ok(NativeValue::Int(cx.script_args().len() as i64)));
    add(registry, "core.script_arg", &[Int], Str, |cx| {
        let index = usize::try_from(cx.int(0)).ok();
        let Some(arg) = index.and_then(|i| cx.script_args().get(i)).cloned() else {
            return Err(Trap::new(TrapKind::Index, format!("there is no argument {}", cx.int(0))));
        };
        text(cx, &arg)
    });
    add(registry, "os.exit_with", &[Int], Unit, |cx| {
        let code = cx.int(0);
        Err(match i32::try_from(code).ok().filter(|code| (0..256).contains(code)) {
            Some(code) => Trap::exit(code),
            None => Trap::new(TrapKind::Panic, format!("an exit code lies between 0 and 255, not {code}")),
        })
    });
    add(registry, "os.has_env", &[Str], Bool, |cx| Ok(NativeValue::Bool(variable(cx.str(0)).is_some())));
    add(registry, "os.read_env", &[Str], Str, |cx| {
        let value = variable(cx.str(0)).unwrap_or_default();
        text(cx, &value)
    });
}

fn written(result: std::io::Result<()>) -> crate::signature::Outcome {
    match result {
        Ok(()) => Ok(NativeValue::Unit),
        Err(error) => Err(Trap::new(TrapKind::Io, format!("writing output: {}", reason(&error)))),
    }
}

/// An environment variable; what is not UTF-8 is replaced by U+FFFD.
fn variable(name: &str) -> Option<String> {
    // the standard library panics on names that no variable can have
    if name.is_empty() || name.contains(['=', '\0']) {
        return None;
    }
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

/// What went wrong, in words, without the system's error number.
pub(crate) fn reason(error: &std::io::Error) -> String {
    let words = error.to_string();
    words.split(" (os error").next().unwrap_or(&words).to_string()
}
