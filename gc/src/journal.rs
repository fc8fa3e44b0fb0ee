//! The journal: one record for each cycle, with its snapshot, decision and outcome, bit for bit.
//!
//! Format, little endian: the magic, a version, the bytes of a record, the hash of the field names, the length of a label
//! and the label (UTF-8); then records: each field's 64 bits in the order of the field tables (snapshot, knobs in force, knobs
//! advised, decision, outcome), and a checksum of those words.
//!
//! Invariants
//! - J1. What was written is read back with the same bits.
//! - J2. A reader never guesses: foreign files, other schemas and broken records are errors; of a truncated file the
//!   complete leading records can be had.

use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use crate::policy::fields::{decision_bits, knob_bits, outcome_bits, snapshot_bits};
use crate::policy::{
    CycleKind, DECISION_FIELDS, Decision, Field, KNOB_FIELDS, Knobs, NextKind, OUTCOME_FIELDS, Outcome, Reason,
    SNAPSHOT_FIELDS, Snapshot,
};
use crate::report::{Cycle, Observer};
use crate::sink::{OnError, Sink};

const MAGIC: &[u8; 8] = b"tenuregj";
const VERSION: u32 = 3;
const FIELDS: usize = SNAPSHOT_FIELDS.len() + 2 * KNOB_FIELDS.len() + DECISION_FIELDS.len() + OUTCOME_FIELDS.len();
const RECORD_BYTES: usize = FIELDS * 8 + 8;
const HEADER_BYTES: usize = 8 + 4 + 4 + 8 + 4;
const LABEL_BYTES_MAX: usize = 1 << 16;

/// FNV-1a.
fn hash(seed: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(seed, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(HASH_PRIME))
}

const HASH_SEED: u64 = 0xcbf2_9ce4_8422_2325;
const HASH_PRIME: u64 = 0x100_0000_01b3;

/// The hash of all field names in order: files with another one hold other fields.
pub fn schema_hash() -> u64 {
    fn names<T>(seed: u64, table: &[Field<T>]) -> u64 {
        table.iter().fold(seed, |seed, field| hash(hash(seed, field.name.as_bytes()), b"\n"))
    }
    names(names(names(names(HASH_SEED, SNAPSHOT_FIELDS), KNOB_FIELDS), DECISION_FIELDS), OUTCOME_FIELDS)
}

/// The words of a record, its checksum last.
fn words(record: &[u8]) -> impl DoubleEndedIterator<Item = u64> + Clone {
    record.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word))
}

/// The checksum of a record: FNV-1a by words, of which a change of any single one changes the sum.
fn checksum(record: &[u8]) -> u64 {
    words(record).take(FIELDS).fold(HASH_SEED, |hash, word| (hash ^ word).wrapping_mul(HASH_PRIME))
}

fn encode(cycle: &Cycle) -> [u8; RECORD_BYTES] {
    let mut record = [0; RECORD_BYTES];
    let mut places = record.as_chunks_mut::<8>().0.iter_mut();
    let mut put = |bits: &[u64]| bits.iter().zip(&mut places).for_each(|(bits, place)| *place = bits.to_le_bytes());
    put(&snapshot_bits(&cycle.snapshot));
    put(&knob_bits(&cycle.decision.knobs));
    put(&knob_bits(&cycle.decision.advised));
    put(&decision_bits(&cycle.decision));
    put(&outcome_bits(&cycle.outcome));
    let sum = checksum(&record);
    record[FIELDS * 8..].copy_from_slice(&sum.to_le_bytes());
    record
}

fn decode(record: &[u8]) -> Option<Cycle> {
    let mut words = words(record);
    if words.next_back() != Some(checksum(record)) {
        return None;
    }
    let mut next = move || words.next().expect("as many words as fields");
    let knobs = Knobs {
        old_region_bytes: 0,
        eden_region_bytes: 0,
        concurrent_start_share: 0.0,
        young_bytes: 0,
        large_object_bytes: 0,
        tenuring_age: 0,
        mixed_pause_count: 0,
        mixed_live_share: 0.0,
        heap_target_bytes: 0,
        uncommit_delay_ns: 0,
        next_kind: NextKind::ByThreshold,
        idle_delay_ns: 0,
    };
    let mut snapshot = Snapshot { kind: CycleKind::Young, ..Snapshot::default() };
    let mut decision = Decision::plain(knobs, Reason::Static);
    let mut outcome = Outcome::default();
    let good = SNAPSHOT_FIELDS.iter().all(|field| field.set_bits(&mut snapshot, next()))
        && KNOB_FIELDS.iter().all(|field| field.set_bits(&mut decision.knobs, next()))
        && KNOB_FIELDS.iter().all(|field| field.set_bits(&mut decision.advised, next()))
        && DECISION_FIELDS.iter().all(|field| field.set_bits(&mut decision, next()))
        && OUTCOME_FIELDS.iter().all(|field| field.set_bits(&mut outcome, next()));
    good.then_some(Cycle { snapshot, decision, outcome })
}

/// Writes a journal: an observer of the heap.
pub struct JournalWriter {
    sink: Sink,
}

impl JournalWriter {
    /// Starts a journal. The label says what ran; it is cut at 64 KiB.
    pub fn new(out: Box<dyn Write + Send>, label: &str, on_error: OnError) -> JournalWriter {
        let mut cut = label.len().min(LABEL_BYTES_MAX);
        while !label.is_char_boundary(cut) {
            cut -= 1;
        }
        let mut header = Vec::with_capacity(HEADER_BYTES + cut);
        header.extend(MAGIC);
        header.extend(VERSION.to_le_bytes());
        header.extend((RECORD_BYTES as u32).to_le_bytes());
        header.extend(schema_hash().to_le_bytes());
        header.extend((cut as u32).to_le_bytes());
        header.extend(&label.as_bytes()[..cut]);
        let mut sink = Sink::new(out, on_error);
        sink.write(&header);
        JournalWriter { sink }
    }

    /// Starts a journal in a new file.
    pub fn create(path: &Path, label: &str, on_error: OnError) -> io::Result<JournalWriter> {
        Ok(JournalWriter::new(Box::new(BufWriter::new(File::create(path)?)), label, on_error))
    }
}

impl Observer for JournalWriter {
    fn cycle(&mut self, cycle: &Cycle) {
        self.sink.write(&encode(cycle));
    }
}

/// A journal read back.
#[derive(Clone, Debug)]
pub struct Journal {
    /// What ran.
    pub label: String,
    /// The cycles, in order.
    pub cycles: Vec<Cycle>,
}

impl Journal {
    /// Reads a file, which must be complete.
    pub fn read_file(path: &Path) -> Result<Journal, JournalError> {
        match Journal::salvage_file(path)? {
            (journal, None) => Ok(journal),
            (_, Some(error)) => Err(error),
        }
    }

    /// Reads the complete leading records of a file, and says why there are no more.
    pub fn salvage_file(path: &Path) -> Result<(Journal, Option<JournalError>), JournalError> {
        let name = path.display().to_string();
        match std::fs::read(path) {
            Ok(bytes) => Journal::salvage(&bytes, &name),
            Err(error) => Err(JournalError { name, kind: JournalErrorKind::Io(error) }),
        }
    }

    /// Reads the complete leading records of a file's content; `name` is for errors.
    pub fn salvage(bytes: &[u8], name: &str) -> Result<(Journal, Option<JournalError>), JournalError> {
        let error = |kind| JournalError { name: name.to_string(), kind };
        if bytes.len() < MAGIC.len() || &bytes[..MAGIC.len()] != MAGIC {
            // The start of a magic may be a journal cut very short; nothing at all is too.
            let cut = MAGIC.starts_with(&bytes[..bytes.len().min(MAGIC.len())]);
            let truncated = JournalErrorKind::Truncated { records: 0 };
            return Err(error(if cut { truncated } else { JournalErrorKind::Foreign }));
        }
        let Some(header) = bytes.get(..HEADER_BYTES) else {
            return Err(error(JournalErrorKind::Truncated { records: 0 }));
        };
        let number = |at: usize| u32::from_le_bytes(header[at..at + 4].try_into().expect("four bytes"));
        let schema = u64::from_le_bytes(header[16..24].try_into().expect("eight bytes"));
        if number(8) != VERSION || number(12) as usize != RECORD_BYTES || schema != schema_hash() {
            return Err(error(JournalErrorKind::OtherSchema { version: number(8) }));
        }
        let label_bytes = number(24) as usize;
        if label_bytes > LABEL_BYTES_MAX {
            return Err(error(JournalErrorKind::Corrupt { record: 0 }));
        }
        let Some(label) = bytes.get(HEADER_BYTES..HEADER_BYTES + label_bytes) else {
            return Err(error(JournalErrorKind::Truncated { records: 0 }));
        };
        let Ok(label) = std::str::from_utf8(label) else {
            return Err(error(JournalErrorKind::Corrupt { record: 0 }));
        };
        let mut journal = Journal { label: label.to_string(), cycles: Vec::new() };
        let records = bytes[HEADER_BYTES + label_bytes..].chunks_exact(RECORD_BYTES);
        let rest = records.remainder();
        for record in records {
            match decode(record) {
                Some(cycle) => journal.cycles.push(cycle),
                None => {
                    let record = journal.cycles.len();
                    return Ok((journal, Some(error(JournalErrorKind::Corrupt { record }))));
                }
            }
        }
        let records = journal.cycles.len();
        let end = (!rest.is_empty()).then(|| error(JournalErrorKind::Truncated { records }));
        Ok((journal, end))
    }
}

/// A journal cannot be read, or not to its end.
#[derive(Debug)]
pub struct JournalError {
    name: String,
    kind: JournalErrorKind,
}

#[derive(Debug)]
enum JournalErrorKind {
    Io(io::Error),
    Foreign,
    OtherSchema { version: u32 },
    Truncated { records: usize },
    Corrupt { record: usize },
}

impl JournalError {
    /// Whether the file could not be read at all.
    pub fn is_io(&self) -> bool {
        matches!(self.kind, JournalErrorKind::Io(_))
    }

    /// Whether the file is no journal.
    pub fn is_foreign(&self) -> bool {
        matches!(self.kind, JournalErrorKind::Foreign)
    }

    /// Whether the journal was written by a version with other fields.
    pub fn is_other_schema(&self) -> bool {
        matches!(self.kind, JournalErrorKind::OtherSchema { .. })
    }

    /// Whether the journal ends within a record or its header.
    pub fn is_truncated(&self) -> bool {
        matches!(self.kind, JournalErrorKind::Truncated { .. })
    }

    /// Whether a record's checksum or values are wrong.
    pub fn is_corrupt(&self) -> bool {
        matches!(self.kind, JournalErrorKind::Corrupt { .. })
    }
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match &self.kind {
            JournalErrorKind::Io(error) => write!(f, "cannot read journal {name}: {error}"),
            JournalErrorKind::Foreign => write!(f, "{name} is no journal"),
            JournalErrorKind::OtherSchema { version } => {
                write!(f, "journal {name} has other fields than this version of tenure writes (format {version})")
            }
            JournalErrorKind::Truncated { records } => {
                write!(f, "journal {name} is truncated after {records} complete records")
            }
            JournalErrorKind::Corrupt { record } => write!(f, "journal {name} is corrupt at record {record}"),
        }
    }
}

impl std::error::Error for JournalError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            JournalErrorKind::Io(error) => Some(error),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn cycles() -> Vec<Cycle> {
        let knobs = decode(&encode(&Cycle {
            snapshot: Snapshot::default(),
            decision: Decision::plain(
                Knobs {
                    old_region_bytes: 1 << 16,
                    eden_region_bytes: 1 << 20,
                    concurrent_start_share: 0.1 + 0.2,
                    young_bytes: u64::MAX,
                    large_object_bytes: 1 << 18,
                    tenuring_age: 7,
                    mixed_pause_count: 8,
                    mixed_live_share: f64::NAN,
                    heap_target_bytes: 12345,
                    uncommit_delay_ns: 1,
                    next_kind: NextKind::SkipMixed,
                    idle_delay_ns: 2,
                },
                Reason::Probe,
            ),
            outcome: Outcome::default(),
        }))
        .unwrap()
        .decision
        .knobs;
        (0..5)
            .map(|n| Cycle {
                snapshot: Snapshot {
                    cycle: n,
                    kind: CycleKind::Mixed,
                    gc_cpu_share: 1.0 / (n as f64),
                    ..Snapshot::default()
                },
                decision: Decision::plain(knobs, Reason::Explore),
                outcome: Outcome { cycle: n + 1, unfinished: n == 4, ..Outcome::default() },
            })
            .collect()
    }

    fn written() -> Vec<u8> {
        let out = Shared::default();
        let mut writer = JournalWriter::new(Box::new(out.clone()), "prüfung", Box::new(|_| panic!("no error here")));
        cycles().iter().for_each(|cycle| writer.cycle(cycle));
        drop(writer);
        Arc::into_inner(out.0).expect("the writer is gone").into_inner().unwrap()
    }

    #[test]
    fn the_same_bits_come_back() {
        let (journal, error) = Journal::salvage(&written(), "a.tgj").unwrap();
        assert!(error.is_none());
        assert_eq!(journal.label, "prüfung");
        let bits = |cycles: &[Cycle]| cycles.iter().map(encode).collect::<Vec<_>>();
        assert_eq!(bits(&journal.cycles), bits(&cycles()));
    }

    #[test]
    fn truncated_files_give_their_complete_records() {
        let whole = written();
        for length in 0..whole.len() {
            match Journal::salvage(&whole[..length], "a.tgj") {
                Ok((journal, error)) => {
                    let records = (length - HEADER_BYTES - "prüfung".len()) / RECORD_BYTES;
                    assert_eq!(journal.cycles.len(), records);
                    let at_boundary = (length - HEADER_BYTES - "prüfung".len()).is_multiple_of(RECORD_BYTES);
                    assert_eq!(error.is_none(), at_boundary);
                    assert!(error.is_none_or(|error| error.is_truncated() && error.to_string().contains("a.tgj")));
                }
                Err(error) => assert!(length < HEADER_BYTES + "prüfung".len() && error.is_truncated()),
            }
        }
    }

    #[test]
    fn foreign_other_and_corrupt_files_are_told_apart() {
        assert!(Journal::salvage(b"#!/bin/sh and more", "x").unwrap_err().is_foreign());
        let mut other = written();
        other[16] ^= 1;
        assert!(Journal::salvage(&other, "x").unwrap_err().is_other_schema());
        let mut corrupt = written();
        let at = corrupt.len() - RECORD_BYTES * 2 + 3;
        corrupt[at] ^= 0x40;
        let (journal, error) = Journal::salvage(&corrupt, "x").unwrap();
        assert_eq!(journal.cycles.len(), 3);
        assert!(error.unwrap().is_corrupt());
        assert!(Journal::read_file(Path::new("/nowhere/at/all.tgj")).unwrap_err().is_io());
    }

    #[test]
    fn a_full_disk_is_told_once_and_disturbs_nothing() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::Error::other("no space"))
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let told = Arc::new(Mutex::new(0));
        let count = told.clone();
        let mut writer = JournalWriter::new(Box::new(Full), "", Box::new(move |_| *count.lock().unwrap() += 1));
        cycles().iter().for_each(|cycle| writer.cycle(cycle));
        drop(writer);
        assert_eq!(*told.lock().unwrap(), 1);
    }
}
