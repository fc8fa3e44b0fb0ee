//! Natives for files and standard input. Failures are traps of kind `io` that name the file; the modules' wrappers
//! turn them into results.

use crate::process::reason;
use crate::signature::{add, text};
use std::fs;
use std::io::{self, BufRead, Read, Write};
use std::path::Path;
use tenure_runtime::native::NativeType::{Bool, Int, Str, Unit};
use tenure_runtime::native::{NativeContext, NativeValue, Registry};
use tenure_runtime::trap::{Trap, TrapKind};

/// Stands between the names that `list_names` returns: the one byte besides `/` that no name can hold.
const NAME_END: &str = "\0";

pub(crate) fn register(registry: &mut Registry) {
    add(registry, "fs.read_text", &[Str], Str, |cx| {
        let bytes = at_path(cx, |path| fs::read(path))?;
        let read = String::from_utf8(bytes)
            .map_err(|_| Trap::new(TrapKind::Encoding, format!("{}: not valid UTF-8", cx.str(0))))?;
        text(cx, &read)
    });
    let mut act = |name, f: fn(&Path) -> io::Result<()>| {
        add(registry, name, &[Str], Unit, move |cx| at_path(cx, f).map(|()| NativeValue::Unit));
    };
    act("fs.remove_file", |path| fs::remove_file(path));
    act("fs.remove_folder", |path| fs::remove_dir_all(path));
    act("fs.make_folder", |path| fs::create_dir_all(path));
    add(registry, "fs.write_text", &[Str, Str], Unit, |cx| {
        at_path(cx, |path| fs::write(path, cx.str(1))).map(|()| NativeValue::Unit)
    });
    add(registry, "fs.append_text", &[Str, Str], Unit, |cx| {
        let append =
            |path: &Path| fs::OpenOptions::new().append(true).create(true).open(path)?.write_all(cx.str(1).as_bytes());
        at_path(cx, append).map(|()| NativeValue::Unit)
    });
    add(registry, "fs.copy_file", &[Str, Str], Unit, |cx| {
        at_path(cx, |path| fs::copy(path, cx.str(1))).map(|_| NativeValue::Unit)
    });
    add(registry, "fs.move_file", &[Str, Str], Unit, |cx| {
        at_path(cx, |path| fs::rename(path, cx.str(1))).map(|()| NativeValue::Unit)
    });
    add(registry, "fs.list_names", &[Str], Str, |cx| {
        let names = at_path(cx, |path| {
            let mut names = Vec::new();
            for entry in fs::read_dir(path)? {
                names.push(entry?.file_name().to_string_lossy().into_owned());
            }
            names.sort();
            Ok(names.join(NAME_END))
        })?;
        text(cx, &names)
    });
    add(registry, "fs.size_bytes", &[Str], Int, |cx| {
        at_path(cx, |path| fs::metadata(path)).map(|found| NativeValue::Int(found.len() as i64))
    });
    add(registry, "fs.exists", &[Str], Bool, |cx| Ok(NativeValue::Bool(Path::new(cx.str(0)).exists())));
    add(registry, "fs.is_folder", &[Str], Bool, |cx| Ok(NativeValue::Bool(Path::new(cx.str(0)).is_dir())));
    add(registry, "io.next_line", &[], Str, |cx| {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).map_err(|error| input_trap(&error))?;
        text(cx, &line)
    });
    add(registry, "io.rest_of_input", &[], Str, |cx| {
        let mut all = String::new();
        io::stdin().lock().read_to_string(&mut all).map_err(|error| input_trap(&error))?;
        text(cx, &all)
    });
}

/// Does something at the path in argument 0.
fn at_path<T>(cx: &dyn NativeContext, f: impl FnOnce(&Path) -> io::Result<T>) -> Result<T, Trap> {
    let path = cx.str(0);
    f(Path::new(path)).map_err(|error| Trap::new(TrapKind::Io, format!("{path}: {}", reason(&error))))
}

fn input_trap(error: &io::Error) -> Trap {
    let kind = if error.kind() == io::ErrorKind::InvalidData { TrapKind::Encoding } else { TrapKind::Io };
    Trap::new(kind, format!("standard input: {}", reason(error)))
}
