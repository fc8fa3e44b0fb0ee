//! `tenure fmt`: scripts in the one layout. A file is replaced as a whole or not at all.

use super::args::FmtArgs;
use super::output;
use super::report::{self, Status};
use similar::TextDiff;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tenure::{format_source, read_source, read_source_stream};

/// Does it.
pub fn main(args: &FmtArgs) -> Status {
    let color = args.color.on_stderr();
    let mut status = Status::Success;
    for path in &args.files {
        let mut found = Vec::new();
        if path.as_os_str() == "-" || !path.is_dir() {
            found.push(path.clone());
        } else if let Err(error) = scripts(path, &mut found) {
            status = report::failure(&format!("can't read `{}`: {error}", path.display()));
        }
        for path in found {
            match one(args, &path, color) {
                Ok(true) => {}
                Ok(false) => status = Status::Failure,
                Err(line) => status = report::failure(&line),
            }
        }
    }
    status
}

/// Formats one file; false where something is wrong and has been said.
fn one(args: &FmtArgs, path: &Path, color: bool) -> Result<bool, String> {
    let stream = path.as_os_str() == "-";
    let name = if stream { "<stdin>".to_owned() } else { path.display().to_string() };
    let text = if stream { read_source_stream(io::stdin().lock(), &name)? } else { read_source(path)? };
    let formatted = match format_source(&name, &text) {
        Ok(formatted) => formatted,
        Err(found) => {
            report::say(&found.render(color));
            return Ok(false);
        }
    };
    let same = formatted == text;
    let print = |text: &str| output::print(text).map_err(|e| format!("can't write to standard output: {e}"));
    if args.diff && !same {
        let difference = TextDiff::from_lines(&text, &formatted);
        print(&difference.unified_diff().header(&name, &format!("{name} (formatted)")).to_string())?;
    }
    if args.check {
        if !same && !args.diff {
            print(&format!("{name}\n"))?;
        }
        return Ok(same);
    }
    if args.diff {
        return Ok(true);
    }
    if stream {
        print(&formatted)?;
    } else if !same {
        replace(path, &formatted).map_err(|e| format!("can't write `{name}`: {e}"))?;
    }
    Ok(true)
}

/// The scripts in a folder and the folders in it, by name; hidden ones and links to folders are left out.
fn scripts(folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let (path, kind) = (entry.path(), entry.file_type()?);
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if kind.is_dir() {
            scripts(&path, found)?;
        } else if path.extension().is_some_and(|e| e == "ten") {
            found.push(path);
        }
    }
    Ok(())
}

/// Puts new text in place of a file's, so that whoever reads it sees the old or the new.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    // a link stays a link
    let path = path.canonicalize()?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    new.write_all(text.as_bytes())?;
    new.as_file().set_permissions(fs::metadata(&path)?.permissions())?;
    new.persist(&path)?;
    Ok(())
}
