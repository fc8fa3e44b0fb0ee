//! Natives of `fs`. Failures are traps that name the file, of kind `not_found`, `exists`, `permission` or `io`; the
//! modules' wrappers turn them into results.
//!
//! No file stays open between two calls: who reads a large file in pieces says where the next one starts. So nothing
//! has to be closed, and no script runs out of descriptors.

use crate::process::io_trap;
use crate::signature::{add, bytes, ints, text};
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::UNIX_EPOCH;
use tenure_runtime::native::NativeType::{Bool, Bytes, Int, Ints, Str, Unit};
use tenure_runtime::native::{NativeContext, NativeValue, Registry};
use tenure_runtime::trap::{Trap, TrapKind};

/// Stands between the names that a listing returns: the one byte besides `/` that no name can hold.
const NAME_END: &str = "\0";
/// A piece of a file read in lines has at least this many bytes, and ends with a line.
const PIECE_BYTES: u64 = 64 << 10;

pub(crate) fn register(registry: &mut Registry) {
    add(registry, "fs.read_text", &[Str], Str, |cx| {
        let read = utf8(cx.str(0), at_path(cx, |path| fs::read(path))?)?;
        text(cx, &read)
    });
    add(registry, "fs.read_raw", &[Str], Bytes, |cx| {
        let read = at_path(cx, |path| fs::read(path))?;
        bytes(cx, &read)
    });
    add(registry, "fs.read_lines_from", &[Str, Int], Str, |cx| {
        let from = u64::try_from(cx.int(1)).unwrap_or(u64::MAX);
        let read = utf8(cx.str(0), at_path(cx, |path| piece(path, from))?)?;
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
    add(registry, "fs.write_raw", &[Str, Bytes], Unit, |cx| {
        at_path(cx, |path| fs::write(path, cx.bytes(1))).map(|()| NativeValue::Unit)
    });
    add(registry, "fs.append_text", &[Str, Str], Unit, |cx| {
        at_path(cx, |path| append(path, cx.str(1).as_bytes())).map(|()| NativeValue::Unit)
    });
    add(registry, "fs.append_raw", &[Str, Bytes], Unit, |cx| {
        at_path(cx, |path| append(path, cx.bytes(1))).map(|()| NativeValue::Unit)
    });
    let mut act_on_two = |name, f: fn(&Path, &str) -> io::Result<()>| {
        add(registry, name, &[Str, Str], Unit, move |cx| {
            let (from, to) = (cx.str(0), cx.str(1));
            f(Path::new(from), to)
                .map(|()| NativeValue::Unit)
                .map_err(|error| io_trap(&format!("{from} to {to}"), &error))
        });
    };
    act_on_two("fs.copy_file", |from, to| fs::copy(from, to).map(drop));
    act_on_two("fs.move_file", |from, to| fs::rename(from, to));
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
    add(registry, "fs.info_of", &[Str], Ints, |cx| {
        let found = at_path(cx, |path| {
            let (own, found) = (fs::symlink_metadata(path)?, fs::metadata(path)?);
            let modified = found.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
            let modified_ns = i64::try_from(modified.as_nanos()).unwrap_or(i64::MAX);
            let flags = [found.is_dir(), own.is_symlink(), found.permissions().readonly()];
            let [is_dir, is_link, read_only] = flags.map(i64::from);
            Ok([found.len() as i64, modified_ns, is_dir, is_link, read_only])
        })?;
        ints(cx, &found)
    });
    add(registry, "fs.absolute_path", &[Str], Str, |cx| {
        let found = at_path(cx, |path| fs::canonicalize(path))?;
        let found = found.to_string_lossy().into_owned();
        text(cx, &found)
    });
    add(registry, "fs.make_temp_folder", &[Str], Str, |cx| {
        let prefix = cx.str(0);
        if prefix.contains(['/', '\\', '\0']) {
            let message = format!("{prefix:?}: the beginning of a folder's name has no separator in it");
            return Err(Trap::new(TrapKind::Io, message));
        }
        let made = temp_folder(prefix).map_err(|error| io_trap("temporary folder", &error))?;
        text(cx, &made)
    });
    add(registry, "fs.temp_root", &[], Str, |cx| {
        let root = std::env::temp_dir().to_string_lossy().into_owned();
        text(cx, &root)
    });
    add(registry, "fs.exists", &[Str], Bool, |cx| Ok(NativeValue::Bool(Path::new(cx.str(0)).exists())));
    add(registry, "fs.is_folder", &[Str], Bool, |cx| Ok(NativeValue::Bool(Path::new(cx.str(0)).is_dir())));
    add(registry, "fs.is_file", &[Str], Bool, |cx| Ok(NativeValue::Bool(Path::new(cx.str(0)).is_file())));
    add(registry, "fs.is_link", &[Str], Bool, |cx| Ok(NativeValue::Bool(Path::new(cx.str(0)).is_symlink())));
}

/// Does something at the path in argument 0.
fn at_path<T>(cx: &dyn NativeContext, f: impl FnOnce(&Path) -> io::Result<T>) -> Result<T, Trap> {
    let path = cx.str(0);
    f(Path::new(path)).map_err(|error| io_trap(path, &error))
}

fn utf8(path: &str, read: Vec<u8>) -> Result<String, Trap> {
    String::from_utf8(read).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Trap::new(TrapKind::Encoding, format!("{path}: not valid UTF-8 at byte {at}"))
    })
}

fn append(path: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::OpenOptions::new().append(true).create(true).open(path)?.write_all(bytes)
}

/// Whole lines from a byte on: a piece, and what is missing of its last line. Empty at the file's end.
fn piece(path: &Path, from: u64) -> io::Result<Vec<u8>> {
    let mut file = BufReader::new(fs::File::open(path)?);
    file.seek(SeekFrom::Start(from))?;
    let mut read = Vec::with_capacity(PIECE_BYTES as usize + 256);
    file.by_ref().take(PIECE_BYTES).read_to_end(&mut read)?;
    if read.last().is_some_and(|&b| b != b'\n') {
        file.read_until(b'\n', &mut read)?;
    }
    Ok(read)
}

/// A new folder below the system's one for temporary files.
fn temp_folder(prefix: &str) -> io::Result<String> {
    let root = std::env::temp_dir();
    loop {
        let mut random = [0; 8];
        getrandom::fill(&mut random)?;
        let path = root.join(format!("{prefix}{:016x}", u64::from_le_bytes(random)));
        match fs::create_dir(&path) {
            Ok(()) => return Ok(path.to_string_lossy().into_owned()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}
