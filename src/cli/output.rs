//! Standard output of a script: buffered, and quiet when the reader has gone.

use std::io::{self, BufWriter, Stdout, Write};

/// Bytes kept before they are written; a terminal gets them at each newline.
const BUFFER_BYTES: usize = 64 << 10;

/// What a process that lost its reader exits with, as a shell reports `SIGPIPE`.
const CLOSED_PIPE_STATUS: i32 = 141;

/// Writes to standard output. When the other end of the pipe is closed the process ends at once and quietly, as other
/// command-line programs do.
pub struct ScriptOutput {
    inner: BufWriter<Stdout>,
    line_buffered: bool,
}

impl ScriptOutput {
    /// The process's standard output.
    pub fn stdout() -> ScriptOutput {
        let stdout = io::stdout();
        let line_buffered = io::IsTerminal::is_terminal(&stdout);
        ScriptOutput { inner: BufWriter::with_capacity(BUFFER_BYTES, stdout), line_buffered }
    }
}

impl Write for ScriptOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.inner.write_all(bytes).or_else(end_on_closed_pipe)?;
        if self.line_buffered && bytes.contains(&b'\n') {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush().or_else(end_on_closed_pipe)
    }
}

/// Ends the process if the error is a closed pipe; hands other errors on.
pub fn end_on_closed_pipe<T>(error: io::Error) -> io::Result<T> {
    if error.kind() == io::ErrorKind::BrokenPipe {
        std::process::exit(CLOSED_PIPE_STATUS);
    }
    Err(error)
}

/// Prints a subcommand's own result on standard output.
pub fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).or_else(end_on_closed_pipe)
}
