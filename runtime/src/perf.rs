//! Files that tell Linux' `perf` of compiled code: a map, names of address ranges, or a dump, with code and source lines too.
//! The formats are those of `tools/perf/Documentation/jit-interface.txt` and `jitdump-specification.txt` (version 1) in
//! Linux' sources. Numbers in a dump are in the machine's byte order.
//!
//! It must never know how code is made.
//!
//! Invariants
//! - F1. A function is written whole, with one write, before it runs: a process that is killed leaves a readable file.
//! - F2. The mapping of a dump is a mark: `perf record` notes it as it is made, and so `perf inject` finds the file. Nobody
//!   reads, writes or runs it.

use crate::code::{CodeListener, PublishedCode};
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

const MAGIC: u32 = 0x4a69_5444;
const VERSION: u32 = 1;
const HEADER_BYTES: u32 = 40;
const RECORD_HEADER_BYTES: u32 = 16;
const CODE_LOAD: u32 = 0;
const CODE_DEBUG_INFO: u32 = 2;
/// Of ELF.
const ELF_MACHINE: u32 = if cfg!(target_arch = "aarch64") { 183 } else { 62 };

/// What a file says of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PerfFormat {
    /// A line: address, length, name.
    Map,
    /// Code, name and source lines.
    Jitdump,
}

impl PerfFormat {
    /// Where `perf` looks for the file of this process.
    pub fn path(self) -> PathBuf {
        let pid = std::process::id();
        match self {
            PerfFormat::Map => format!("/tmp/perf-{pid}.map").into(),
            PerfFormat::Jitdump => format!("jit-{pid}.dump").into(),
        }
    }
}

/// A file for `perf`; it grows as functions are compiled.
#[derive(Debug)]
pub struct PerfFile {
    format: PerfFormat,
    state: Mutex<State>,
    _mark: Option<Mark>,
}

#[derive(Debug)]
struct State {
    file: File,
    /// Functions so far.
    count: u64,
    /// The first that happened; nothing is written after it.
    error: Option<io::Error>,
}

impl PerfFile {
    /// Makes the file; what was there is lost.
    ///
    /// # Errors
    /// The file can't be made, written or, for a dump, mapped as executable.
    pub fn create(format: PerfFormat, path: &Path) -> io::Result<PerfFile> {
        let mut file = File::options().read(true).write(true).create(true).truncate(true).open(path)?;
        let mut mark = None;
        if format == PerfFormat::Jitdump {
            file.write_all(&header())?;
            mark = Some(Mark::of(&file)?);
        }
        Ok(PerfFile { format, state: Mutex::new(State { file, count: 0, error: None }), _mark: mark })
    }

    /// Ends it.
    ///
    /// # Errors
    /// A function could not be written; those after it are missing too.
    pub fn finish(&self) -> io::Result<()> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).error.take().map_or(Ok(()), Err)
    }
}

impl CodeListener for PerfFile {
    fn compiled(&self, code: &PublishedCode<'_>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.error.is_some() {
            return;
        }
        let text = match self.format {
            PerfFormat::Map => format!("{:x} {:x} {}\n", code.start, code.bytes.len(), name(code)).into_bytes(),
            // in this order: `perf inject` keeps the lines for the code that follows
            PerfFormat::Jitdump => [debug_info(code), code_load(code, state.count)].concat(),
        };
        state.error = state.file.write_all(&text).err();
        state.count += 1;
    }
}

/// Function and place, so that two of the same name differ.
fn name(code: &PublishedCode<'_>) -> String {
    let function = code.function;
    format!("{} ({}:{})", function.function, function.file, function.line)
}

/// Fields of a record, one behind the other.
#[derive(Default)]
struct Fields(Vec<u8>);

impl Fields {
    fn u32(mut self, number: u32) -> Fields {
        self.0.extend(number.to_ne_bytes());
        self
    }

    fn u64(mut self, number: u64) -> Fields {
        self.0.extend(number.to_ne_bytes());
        self
    }

    /// With a zero behind it.
    fn text(mut self, text: &str) -> Fields {
        self.0.extend(text.bytes().filter(|&byte| byte != 0));
        self.0.push(0);
        self
    }
}

fn header() -> Vec<u8> {
    let fields = Fields::default().u32(MAGIC).u32(VERSION).u32(HEADER_BYTES).u32(ELF_MACHINE).u32(0);
    fields.u32(std::process::id()).u64(monotonic_ns()).u64(0).0
}

fn record(id: u32, body: &[u8]) -> Vec<u8> {
    let total = RECORD_HEADER_BYTES + body.len() as u32;
    let mut record = Fields::default().u32(id).u32(total).u64(monotonic_ns()).0;
    record.extend(body);
    record
}

fn code_load(code: &PublishedCode<'_>, index: u64) -> Vec<u8> {
    let start = code.start as u64;
    let fields = Fields::default().u32(std::process::id()).u32(thread()).u64(start).u64(start);
    let mut body = fields.u64(code.bytes.len() as u64).u64(index).text(&name(code)).0;
    body.extend(code.bytes);
    record(CODE_LOAD, &body)
}

/// An entry for each change of the line.
fn debug_info(code: &PublishedCode<'_>) -> Vec<u8> {
    let mut lines: Vec<_> = code.lines.iter().collect();
    lines.dedup_by(|(_, next), (_, frame)| (next.line, &next.file) == (frame.line, &frame.file));
    let mut body = Fields::default().u64(code.start as u64).u64(lines.len() as u64);
    for (offset, frame) in lines {
        body = body.u64(code.start as u64 + u64::from(*offset)).u32(frame.line).u32(0).text(&frame.file);
    }
    record(CODE_DEBUG_INFO, &body.0)
}

/// The clock of `perf record --clockid=mono`.
fn monotonic_ns() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the clock writes the time into a place of its own type.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

fn thread() -> u32 {
    // SAFETY: it has no conditions.
    unsafe { libc::gettid() as u32 }
}

/// A file's first page, mapped as code.
#[derive(Debug)]
struct Mark(usize);

const MARK_BYTES: usize = 4096;

impl Mark {
    fn of(file: &File) -> io::Result<Mark> {
        use std::os::fd::AsRawFd;
        let (protection, fd) = (libc::PROT_READ | libc::PROT_EXEC, file.as_raw_fd());
        // SAFETY: a private mapping at an address of the system's choice, which nobody uses (F2).
        let address = unsafe { libc::mmap(std::ptr::null_mut(), MARK_BYTES, protection, libc::MAP_PRIVATE, fd, 0) };
        if address == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(Mark(address as usize)) }
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        // SAFETY: it was mapped with this length, and nobody uses it (F2).
        unsafe { libc::munmap(self.0 as *mut libc::c_void, MARK_BYTES) };
    }
}
