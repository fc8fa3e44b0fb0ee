//! The static policy: knobs as the user set them, all else at sound starting values, and never a change.

use std::fmt;
use std::str::FromStr;

use super::{Decision, Envelope, Knobs, NextKind, Outcome, Policy, Reason, Snapshot};

/// Knobs that the user set; `None` leaves the starting value of [`Envelope::initial`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Overrides {
    /// See [`Knobs::old_region_bytes`].
    pub old_region_bytes: Option<u64>,
    /// See [`Knobs::eden_region_bytes`].
    pub eden_region_bytes: Option<u64>,
    /// See [`Knobs::concurrent_start_share`].
    pub concurrent_start_share: Option<f64>,
    /// See [`Knobs::young_bytes`].
    pub young_bytes: Option<u64>,
    /// See [`Knobs::large_object_bytes`].
    pub large_object_bytes: Option<u64>,
    /// See [`Knobs::tenuring_age`].
    pub tenuring_age: Option<u8>,
    /// See [`Knobs::mixed_pause_count`].
    pub mixed_pause_count: Option<u32>,
    /// See [`Knobs::mixed_live_share`].
    pub mixed_live_share: Option<f64>,
    /// See [`Knobs::heap_target_bytes`].
    pub heap_target_bytes: Option<u64>,
    /// See [`Knobs::uncommit_delay_ns`].
    pub uncommit_delay_ns: Option<u64>,
    /// See [`Knobs::next_kind`].
    pub next_kind: Option<NextKind>,
    /// See [`Knobs::idle_delay_ns`].
    pub idle_delay_ns: Option<u64>,
}

impl Overrides {
    /// `knobs` with what is overridden replaced.
    pub fn apply(&self, knobs: Knobs) -> Knobs {
        Knobs {
            old_region_bytes: self.old_region_bytes.unwrap_or(knobs.old_region_bytes),
            eden_region_bytes: self.eden_region_bytes.unwrap_or(knobs.eden_region_bytes),
            concurrent_start_share: self.concurrent_start_share.unwrap_or(knobs.concurrent_start_share),
            young_bytes: self.young_bytes.unwrap_or(knobs.young_bytes),
            large_object_bytes: self.large_object_bytes.unwrap_or(knobs.large_object_bytes),
            tenuring_age: self.tenuring_age.unwrap_or(knobs.tenuring_age),
            mixed_pause_count: self.mixed_pause_count.unwrap_or(knobs.mixed_pause_count),
            mixed_live_share: self.mixed_live_share.unwrap_or(knobs.mixed_live_share),
            heap_target_bytes: self.heap_target_bytes.unwrap_or(knobs.heap_target_bytes),
            uncommit_delay_ns: self.uncommit_delay_ns.unwrap_or(knobs.uncommit_delay_ns),
            next_kind: self.next_kind.unwrap_or(knobs.next_kind),
            idle_delay_ns: self.idle_delay_ns.unwrap_or(knobs.idle_delay_ns),
        }
    }

    /// The knobs of a static policy with these overrides, before clamping.
    pub fn knobs(&self, snapshot: &Snapshot, envelope: &Envelope) -> Knobs {
        self.apply(envelope.initial(snapshot))
    }
}

/// A line that is no knob's setting.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KnobError {
    line: usize,
    text: String,
}

impl fmt::Display for KnobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: `{}` sets no knob; write a knob's name and its value, ", self.line, self.text)?;
        write!(f, "as in `young_bytes = 8M` or `concurrent_start_share = 0.45`")
    }
}

impl std::error::Error for KnobError {}

/// A whole number, of bytes with K, M or G if wanted.
fn whole(text: &str, in_bytes: bool) -> Option<u64> {
    let (digits, shift) = match text.as_bytes().last()? {
        b'K' if in_bytes => (&text[..text.len() - 1], 10),
        b'M' if in_bytes => (&text[..text.len() - 1], 20),
        b'G' if in_bytes => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    digits.parse::<u64>().ok()?.checked_mul(1 << shift)
}

impl Overrides {
    /// Sets one knob; nothing if there is no such knob or its value is none.
    fn set(&mut self, name: &str, value: &str) -> Option<()> {
        let bytes = || whole(value, true);
        let share = || value.parse::<f64>().ok().filter(|share| (0.0..=1.0).contains(share));
        match name {
            "old_region_bytes" => self.old_region_bytes = Some(bytes()?),
            "eden_region_bytes" => self.eden_region_bytes = Some(bytes()?),
            "concurrent_start_share" => self.concurrent_start_share = Some(share()?),
            "young_bytes" => self.young_bytes = Some(bytes()?),
            "large_object_bytes" => self.large_object_bytes = Some(bytes()?),
            "tenuring_age" => self.tenuring_age = Some(value.parse().ok()?),
            "mixed_pause_count" => self.mixed_pause_count = Some(value.parse().ok()?),
            "mixed_live_share" => self.mixed_live_share = Some(share()?),
            "heap_target_bytes" => self.heap_target_bytes = Some(bytes()?),
            "uncommit_delay_ns" => self.uncommit_delay_ns = Some(whole(value, false)?),
            "next_kind" => self.next_kind = Some(NextKind::ALL.into_iter().find(|kind| kind.name() == value)?),
            "idle_delay_ns" => self.idle_delay_ns = Some(whole(value, false)?),
            _ => return None,
        }
        Some(())
    }
}

/// A knob a line, `name = value`, by the names of [`Knobs`]' fields; what follows `#` is a comment.
impl FromStr for Overrides {
    type Err = KnobError;

    fn from_str(text: &str) -> Result<Overrides, KnobError> {
        let mut overrides = Overrides::default();
        for (at, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            let set = |(name, value): (&str, &str)| overrides.set(name.trim(), value.trim());
            if !line.is_empty() && line.split_once('=').and_then(set).is_none() {
                return Err(KnobError { line: at + 1, text: line.to_owned() });
            }
        }
        Ok(overrides)
    }
}

/// The static policy.
#[derive(Clone, Copy, Debug, Default)]
pub struct Static {
    overrides: Overrides,
}

impl Static {
    /// The policy that keeps these settings.
    pub fn new(overrides: Overrides) -> Static {
        Static { overrides }
    }
}

impl Policy for Static {
    fn name(&self) -> &'static str {
        "static"
    }

    fn decide(&mut self, snapshot: &Snapshot, _: &Knobs, envelope: &Envelope) -> Decision {
        Decision::plain(self.overrides.knobs(snapshot, envelope), Reason::Static)
    }

    fn observe(&mut self, _: &Outcome) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::KNOB_FIELDS;

    #[test]
    fn knobs_are_read_from_text() {
        let text = "# the best of all\nyoung_bytes = 8M\n\ntenuring_age=4 # soon\nmixed_live_share = 0.65\n";
        let expected = Overrides {
            young_bytes: Some(8 << 20),
            tenuring_age: Some(4),
            mixed_live_share: Some(0.65),
            ..Overrides::default()
        };
        assert_eq!(text.parse(), Ok(expected));
    }

    #[test]
    fn every_knob_can_be_set() {
        for field in KNOB_FIELDS {
            let value = if field.name == "next_kind" { "skip_mixed" } else { "1" };
            let overrides: Overrides = format!("{} = {value}", field.name).parse().expect(field.name);
            assert_ne!(overrides, Overrides::default(), "{}", field.name);
        }
    }

    #[test]
    fn what_is_no_setting_is_named_with_its_line() {
        for wrong in [
            "young = 8M",
            "young_bytes 8M",
            "young_bytes = -1",
            "mixed_live_share = 65",
            "tenuring_age = 1K",
            "next_kind = full",
        ] {
            let error = format!("\n{wrong}").parse::<Overrides>().expect_err(wrong).to_string();
            assert!(error.contains("line 2") && error.contains(wrong), "{error}");
        }
    }
}
