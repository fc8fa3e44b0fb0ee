//! Natives of `io` and `os`: standard streams, the script's arguments and environment, other programs.

use crate::signature::{Outcome, add, text};
use memchr::memchr;
use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use tenure_runtime::native::NativeType::{Bool, Bytes, Int, Str, Unit};
use tenure_runtime::native::{NativeContext, NativeValue, Registry};
use tenure_runtime::trap::{Trap, TrapKind};

/// Stands between texts that cross the border together; no argument or variable can hold it.
const END: char = '\0';

pub(crate) fn register(registry: &mut Registry) {
    add(registry, "core.print_line", &[Str], Unit, |cx| print(cx, b"\n"));
    add(registry, "core.print_error_line", &[Str], Unit, |cx| {
        // in one piece, so that lines of several programs don't mix; the text is on the script's heap and the stream the
        // context's too, so one has to be copied
        let line = format!("{}\n", cx.str(0));
        written(cx.stderr().write_all(line.as_bytes()))
    });
    streams(registry);
    surroundings(registry);
}

fn streams(registry: &mut Registry) {
    add(registry, "io.write", &[Str], Unit, |cx| print(cx, b""));
    add(registry, "io.write_raw", &[Bytes, Int], Unit, |cx| {
        let count = usize::try_from(cx.int(1)).unwrap_or(0).min(cx.bytes(0).len());
        written(cx.write(0, count, b""))
    });
    add(registry, "io.write_error", &[Str], Unit, |cx| {
        let part = cx.str(0).to_owned();
        written(cx.stderr().write_all(part.as_bytes()))
    });
    add(registry, "io.flush", &[], Unit, |cx| written(cx.stdout().flush()));
    add(registry, "io.next_line", &[], Str, next_line);
    add(registry, "io.rest_of_input", &[], Str, |cx| {
        let (mut all, mut read) = (String::new(), Ok(0));
        cx.wait(&mut |_| read = io::stdin().lock().read_to_string(&mut all));
        read.map_err(|error| input_trap(&error))?;
        text(cx, &all)
    });
    add(registry, "io.input_is_terminal", &[], Bool, |_| Ok(NativeValue::Bool(io::stdin().is_terminal())));
    add(registry, "io.output_is_terminal", &[], Bool, |_| Ok(NativeValue::Bool(io::stdout().is_terminal())));
}

/// Whether the last line left some input in the buffer, so that there is no waiting for the next. A hint: others in the process
/// may take that input.
static INPUT_LEFT: AtomicBool = AtomicBool::new(false);

/// The next line without its end, `\n` for an empty one, and nothing when the input has ended.
fn next_line(cx: &mut dyn NativeContext) -> Outcome {
    let mut line = Vec::new();
    if INPUT_LEFT.load(Ordering::Relaxed) {
        // one that lies in the buffer whole goes straight to the script's heap
        let mut input = io::stdin().lock();
        let buffer = input.fill_buf().map_err(|error| input_trap(&error))?;
        if let Some(end) = memchr(b'\n', buffer) {
            INPUT_LEFT.store(end + 1 < buffer.len(), Ordering::Relaxed);
            let made = line_text(cx, &buffer[..end]);
            input.consume(end + 1);
            return made;
        }
    }
    let mut read = Ok(false);
    cx.wait(&mut |_| read = read_to_line_end(&mut io::stdin().lock(), &mut line));
    match read.map_err(|error| input_trap(&error))? {
        false if line.is_empty() => text(cx, ""),
        _ => line_text(cx, &line),
    }
}

/// Appends what comes before the next line end, which is taken too; false when the input ended first.
fn read_to_line_end(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    loop {
        let buffer = match input.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        let end = memchr(b'\n', buffer);
        line.extend_from_slice(&buffer[..end.unwrap_or(buffer.len())]);
        let taken = end.map_or(buffer.len(), |end| end + 1);
        INPUT_LEFT.store(taken < buffer.len(), Ordering::Relaxed);
        let ended = buffer.is_empty();
        input.consume(taken);
        if end.is_some() || ended {
            return Ok(end.is_some());
        }
    }
}

/// A line as `next_line` gives it, of its bytes without the line feed.
fn line_text(cx: &mut dyn NativeContext, line: &[u8]) -> Outcome {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let line = std::str::from_utf8(line)
        .map_err(|_| input_trap(&io::Error::new(io::ErrorKind::InvalidData, "stream did not contain valid UTF-8")))?;
    text(cx, if line.is_empty() { "\n" } else { line })
}

fn surroundings(registry: &mut Registry) {
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
    add(registry, "os.read_all_env", &[], Str, |cx| {
        let mut all: Vec<String> = std::env::vars_os()
            .map(|(name, value)| format!("{}={}", name.to_string_lossy(), value.to_string_lossy()))
            .collect();
        all.sort();
        let all = all.join(&END.to_string());
        text(cx, &all)
    });
    add(registry, "os.cwd", &[], Str, |cx| {
        let folder = std::env::current_dir().map_err(|error| io_trap("current folder", &error))?;
        let folder = folder.to_string_lossy().into_owned();
        text(cx, &folder)
    });
    add(registry, "os.home_folder", &[], Str, |cx| {
        let home = std::env::home_dir().unwrap_or_default().to_string_lossy().into_owned();
        text(cx, &home)
    });
    add(registry, "os.platform", &[], Str, |cx| text(cx, std::env::consts::OS));
    add(registry, "os.arch", &[], Str, |cx| text(cx, std::env::consts::ARCH));
    add(registry, "os.pid", &[], Int, |_| Ok(NativeValue::Int(i64::from(std::process::id()))));
    add(registry, "os.cpu_count", &[], Int, |_| {
        Ok(NativeValue::Int(std::thread::available_parallelism().map_or(1, usize::from) as i64))
    });
    add(registry, "os.run_process", &[Str, Str, Str, Str], Str, run_process);
}

/// Runs a program: its name and arguments, its input, its folder (empty for this one), variables it gets besides ours.
/// Gives the exit status, a blank, how many bytes the output has, a blank, output and error output. A status of -1
/// says that a signal ended it.
fn run_process(cx: &mut dyn NativeContext) -> Outcome {
    // what the script printed so far comes before what the program prints
    cx.stdout().flush().map_err(|error| io_trap("writing output", &error))?;
    let mut words = cx.str(0).split(END);
    let program = words.next().unwrap_or_default();
    let mut command = Command::new(program);
    command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    if !cx.str(2).is_empty() {
        command.current_dir(cx.str(2));
    }
    command.envs(cx.str(3).split(END).filter_map(|pair| pair.split_once('=')));
    let mut child = command.spawn().map_err(|error| io_trap(program, &error))?;
    let mut stdin = child.stdin.take();
    let input = cx.str(1).as_bytes().to_vec();
    // writing and reading at the same time, so that neither side waits for the other for ever
    let mut child = Some(child);
    let mut output = None;
    cx.wait(&mut |_| {
        output = child.take().map(|child| {
            std::thread::scope(|scope| {
                // a program may end without reading its input
                scope.spawn(|| stdin.take().map(|mut to| to.write_all(&input)));
                child.wait_with_output()
            })
        });
    });
    let output = output
        .expect("waited once")
        .map_err(|error| io_trap(cx.str(0).split(END).next().unwrap_or_default(), &error))?;
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let made = format!("{} {} {out}{err}", output.status.code().unwrap_or(-1), out.len());
    text(cx, &made)
}

fn print(cx: &mut dyn NativeContext, end: &[u8]) -> Outcome {
    let count = cx.str(0).len();
    written(cx.write(0, count, end))
}

fn written(result: io::Result<()>) -> Outcome {
    match result {
        Ok(()) => Ok(NativeValue::Unit),
        Err(error) => Err(io_trap("writing output", &error)),
    }
}

fn input_trap(error: &io::Error) -> Trap {
    match error.kind() {
        io::ErrorKind::InvalidData => Trap::new(TrapKind::Encoding, format!("standard input: {}", reason(error))),
        _ => io_trap("standard input", error),
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

/// The trap for a failure of the system, of a kind that scripts can tell apart.
pub(crate) fn io_trap(what: &str, error: &io::Error) -> Trap {
    let kind = match error.kind() {
        io::ErrorKind::NotFound => "not_found",
        io::ErrorKind::AlreadyExists => "exists",
        io::ErrorKind::PermissionDenied => "permission",
        _ => TrapKind::Io.name(),
    };
    Trap { kind_name: kind.into(), ..Trap::new(TrapKind::Io, format!("{what}: {}", reason(error))) }
}

/// What went wrong, in words, without the system's error number.
pub(crate) fn reason(error: &io::Error) -> String {
    let words = error.to_string();
    words.split(" (os error").next().unwrap_or(&words).to_string()
}
