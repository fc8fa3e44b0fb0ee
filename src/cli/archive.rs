//! The data that a model was fitted to, in one small file, so that the model can be made again from it, bit for bit.
//!
//! The file: magic and version, then a gzip stream of the options of the fit, the names of all fields, and of each run its family
//! and its cycles. Cycles are laid out field by field and byte by byte (all lowest bytes of a field's values, then all
//! second ones, and so on), because neighbouring cycles differ in few bytes: that halves what gzip leaves.
//!
//! Invariants
//! - V1. What was written is read back with the same bits; anything else is an error.
//! - V2. Data outlive changes of what is recorded: fields go by name, one that the data don't have keeps its default, one that is
//!   no longer recorded is left out.

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use tenure::{Cycle, Decision, Knobs, Outcome, Reason, Snapshot};
use tenure_advisor::train::{Options, Run};
use tenure_gc::policy::{DECISION_FIELDS, Envelope, Field, KNOB_FIELDS, OUTCOME_FIELDS, SNAPSHOT_FIELDS};

const MAGIC: &[u8; 8] = b"tenurtd1";
/// Bytes of a text, cycles of a run, runs of an archive: more is nonsense.
const COUNT_MAX: u64 = 1 << 24;

/// Writes the runs and the options of a fit.
pub fn write(path: &Path, runs: &[Run], options: &Options) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("can't write `{}`: {error}", path.display());
    let mut file = fs::File::create(path).map_err(failed)?;
    file.write_all(MAGIC).map_err(failed)?;
    let mut bytes = Vec::new();
    number(&mut bytes, options.seed);
    text(&mut bytes, &options.date);
    text(&mut bytes, &options.trained_on);
    names(&mut bytes, SNAPSHOT_FIELDS);
    names(&mut bytes, KNOB_FIELDS);
    names(&mut bytes, DECISION_FIELDS);
    names(&mut bytes, OUTCOME_FIELDS);
    number(&mut bytes, runs.len() as u64);
    for run in runs {
        text(&mut bytes, &run.family);
        number(&mut bytes, run.cycles.len() as u64);
        columns(&mut bytes, SNAPSHOT_FIELDS, &run.cycles, |cycle| &cycle.snapshot);
        columns(&mut bytes, KNOB_FIELDS, &run.cycles, |cycle| &cycle.decision.knobs);
        columns(&mut bytes, DECISION_FIELDS, &run.cycles, |cycle| &cycle.decision);
        columns(&mut bytes, OUTCOME_FIELDS, &run.cycles, |cycle| &cycle.outcome);
    }
    let mut encoder = GzEncoder::new(file, Compression::best());
    encoder.write_all(&bytes).and_then(|()| encoder.finish()).map_err(failed)?;
    Ok(())
}

fn number(out: &mut Vec<u8>, value: u64) {
    out.extend(value.to_le_bytes());
}

fn text(out: &mut Vec<u8>, text: &str) {
    number(out, text.len() as u64);
    out.extend(text.as_bytes());
}

fn names<T>(out: &mut Vec<u8>, fields: &[Field<T>]) {
    number(out, fields.len() as u64);
    fields.iter().for_each(|field| text(out, field.name));
}

fn columns<T>(out: &mut Vec<u8>, fields: &[Field<T>], cycles: &[Cycle], part: fn(&Cycle) -> &T) {
    for field in fields {
        let values: Vec<[u8; 8]> = cycles.iter().map(|cycle| field.bits(part(cycle)).to_le_bytes()).collect();
        for byte in 0..8 {
            out.extend(values.iter().map(|value| value[byte]));
        }
    }
}

/// Reads an archive.
pub fn read(path: &Path) -> Result<(Vec<Run>, Options), String> {
    let failed = |why: &str| format!("can't use the data in `{}`: {why}", path.display());
    let file = fs::read(path).map_err(|e| failed(&e.to_string()))?;
    let rest = file.strip_prefix(MAGIC).ok_or_else(|| failed("it is no training data"))?;
    let mut bytes = Vec::new();
    GzDecoder::new(rest).read_to_end(&mut bytes).map_err(|e| failed(&e.to_string()))?;
    let mut reader = Reader { bytes: &bytes };
    reader.archive().filter(|_| reader.bytes.is_empty()).ok_or_else(|| failed("it is damaged"))
}

/// Recorded fields of `T`; nothing for one that is no longer known.
type Columns<T> = Vec<Option<&'static Field<T>>>;

/// What the data hold.
struct Known {
    snapshot: Columns<Snapshot>,
    knobs: Columns<Knobs>,
    decision: Columns<Decision>,
    outcome: Columns<Outcome>,
}

struct Reader<'b> {
    bytes: &'b [u8],
}

impl<'b> Reader<'b> {
    fn take(&mut self, count: u64) -> Option<&'b [u8]> {
        let count = usize::try_from(count).ok().filter(|count| *count <= self.bytes.len())?;
        let (taken, rest) = self.bytes.split_at(count);
        self.bytes = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    fn count(&mut self) -> Option<u64> {
        self.number().filter(|count| *count <= COUNT_MAX)
    }

    fn text(&mut self) -> Option<String> {
        let count = self.count()?;
        String::from_utf8(self.take(count)?.to_vec()).ok()
    }

    fn archive(&mut self) -> Option<(Vec<Run>, Options)> {
        let options = Options { seed: self.number()?, date: self.text()?, trained_on: self.text()? };
        let known = Known {
            snapshot: self.fields(SNAPSHOT_FIELDS)?,
            knobs: self.fields(KNOB_FIELDS)?,
            decision: self.fields(DECISION_FIELDS)?,
            outcome: self.fields(OUTCOME_FIELDS)?,
        };
        let runs = (0..self.count()?).map(|_| self.run(&known)).collect::<Option<Vec<Run>>>()?;
        Some((runs, options))
    }

    /// The recorded fields of a table, in the data's order.
    fn fields<T>(&mut self, table: &'static [Field<T>]) -> Option<Columns<T>> {
        let count = self.count()?;
        let field = |name: String| table.iter().find(|field| field.name == name);
        (0..count).map(|_| Some(field(self.text()?))).collect()
    }

    fn run(&mut self, known: &Known) -> Option<Run> {
        let family = self.text()?;
        let count = self.count()?;
        let snapshot = Snapshot::default();
        let knobs = Envelope::of_limit(1 << 20).initial(&snapshot);
        let blank = Cycle { snapshot, decision: Decision::plain(knobs, Reason::Static), outcome: Outcome::default() };
        // room is made only for cycles that can be there
        if count > self.bytes.len() as u64 {
            return None;
        }
        let mut cycles = vec![blank; count as usize];
        self.columns(&known.snapshot, &mut cycles, |cycle| &mut cycle.snapshot)?;
        self.columns(&known.knobs, &mut cycles, |cycle| &mut cycle.decision.knobs)?;
        cycles.iter_mut().for_each(|cycle| cycle.decision.advised = cycle.decision.knobs);
        self.columns(&known.decision, &mut cycles, |cycle| &mut cycle.decision)?;
        self.columns(&known.outcome, &mut cycles, |cycle| &mut cycle.outcome)?;
        Some(Run { family, cycles })
    }

    fn columns<T>(&mut self, fields: &Columns<T>, cycles: &mut [Cycle], part: fn(&mut Cycle) -> &mut T) -> Option<()> {
        for field in fields {
            let planes = self.take(cycles.len() as u64 * 8)?;
            let Some(field) = field else { continue };
            for (at, cycle) in cycles.iter_mut().enumerate() {
                let byte = |plane: usize| u64::from(planes[plane * (planes.len() / 8) + at]) << (8 * plane);
                let bits = (0..8).map(byte).sum();
                field.set_bits(part(cycle), bits).then_some(())?;
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs() -> Vec<Run> {
        let knobs = Envelope::of_limit(64 << 20).initial(&Snapshot::default());
        let cycle = |n: u64| Cycle {
            snapshot: Snapshot { cycle: n, gc_cpu_share: 0.1 * n as f64, uptime_ns: n << 40, ..Snapshot::default() },
            decision: Decision { propensity: f64::NAN, ..Decision::plain(knobs, Reason::Explore) },
            outcome: Outcome { cycle: n + 1, pause_ns: u64::MAX - n, ..Outcome::default() },
        };
        let run = |family: &str, count| Run { family: family.into(), cycles: (0..count).map(cycle).collect() };
        vec![run("trees", 40), run("bäume", 0), run("lists", 3)]
    }

    #[test]
    fn the_same_bits_come_back_and_damage_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("data");
        let options = Options { seed: 7, date: "2026-11-22".into(), trained_on: "a test".into() };
        write(&path, &runs(), &options).unwrap();
        let (back, read_options) = read(&path).unwrap();
        assert_eq!(format!("{back:?}"), format!("{:?}", runs()));
        assert_eq!((read_options.seed, read_options.trained_on), (7, "a test".to_owned()));
        let whole = fs::read(&path).unwrap();
        for cut in [0, 5, 12, 20, whole.len() - 1] {
            fs::write(&path, &whole[..cut]).unwrap();
            assert!(read(&path).is_err(), "{cut}");
        }
        let mut other = whole.clone();
        other[7] ^= 1;
        fs::write(&path, other).unwrap();
        assert!(read(&path).unwrap_err().contains("no training data"));
    }
}
