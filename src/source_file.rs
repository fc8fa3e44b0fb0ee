//! Reading a script's text from a file or a stream: everything that can be wrong with it is one clear line.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use tenure_compiler::source::MAX_SOURCE_BYTES;

/// The text of a source file.
///
/// # Errors
/// One line that says why there is none: unreadable, too large, binary, not UTF-8.
pub fn read(path: &Path) -> Result<String, String> {
    let name = path.display().to_string();
    let unreadable = |error: io::Error| format!("can't read `{name}`: {}", reason(&error));
    let file = File::open(path).map_err(unreadable)?;
    if file.metadata().map_err(unreadable)?.is_dir() {
        return Err(format!("can't read `{name}`: it is a directory"));
    }
    read_stream(file, &name)
}

/// The text of a stream, named `name` in messages.
///
/// # Errors
/// As [`read`].
pub fn read_stream(stream: impl Read, name: &str) -> Result<String, String> {
    let mut bytes = Vec::new();
    // one byte more than allowed shows that there is too much, without reading an endless stream
    let limit = MAX_SOURCE_BYTES as u64 + 1;
    stream.take(limit).read_to_end(&mut bytes).map_err(|e| format!("can't read `{name}`: {}", reason(&e)))?;
    if bytes.len() > MAX_SOURCE_BYTES {
        return Err(format!("`{name}` is too large: a source file has at most {} MiB", MAX_SOURCE_BYTES >> 20));
    }
    if bytes.contains(&0) {
        return Err(format!("`{name}` is a binary file, not a script"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..at].iter().filter(|&&b| b == b'\n').count() + 1;
        format!("`{name}` is not valid UTF-8: the first wrong byte is number {} of the file, in line {line}", at + 1)
    })
}

/// The system's words without its error number.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_bytes_are_named() {
        let read = |bytes: &[u8]| read_stream(bytes, "x.ten");
        assert_eq!(read(b"let a = 1").as_deref(), Ok("let a = 1"));
        assert_eq!(read(b"\x7fELF\0\0"), Err("`x.ten` is a binary file, not a script".into()));
        assert_eq!(
            read(b"ab\n\xff"),
            Err("`x.ten` is not valid UTF-8: the first wrong byte is number 4 of the file, in line 2".into())
        );
        let endless = io::repeat(b' ');
        assert_eq!(read_stream(endless, "x.ten"), Err("`x.ten` is too large: a source file has at most 16 MiB".into()));
    }

    #[test]
    fn a_directory_and_a_missing_file_are_named() {
        assert_eq!(read(Path::new("src")), Err("can't read `src`: it is a directory".into()));
        assert_eq!(read(Path::new("no.ten")), Err("can't read `no.ten`: no such file or directory".into()));
    }
}
