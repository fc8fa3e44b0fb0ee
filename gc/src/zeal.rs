//! Zeal: collects far more often than needed, and makes things fail on purpose, so that tests meet every path.
//!
//! It must never change what a program computes.

use std::fmt;
use std::str::FromStr;

use crate::crew::WORKERS_MAX;

/// When something is due: every so many allocated bytes, or every n-th slow path; never by default.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Pace {
    /// Not at all.
    #[default]
    Never,
    /// Each time this many bytes were allocated.
    Bytes(u64),
    /// On each n-th slow path of the allocation.
    Nth(u64),
}

/// What to do more often than needed. Parsed from text such as `young:64K,copyfail:7,verify`: a size with `K` or `M`
/// paces by allocated bytes, a bare number by slow paths (`copyfail`, `commitfail`: by copies and commits).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Zeal {
    /// Young (or mixed) collections.
    pub young: Pace,
    /// Full collections.
    pub full: Pace,
    /// Collections with marking.
    pub mark: Pace,
    /// Collections that evacuate every region.
    pub moving: Pace,
    /// Marking in slices of a few slots, and in nothing else.
    pub slice: Pace,
    /// The mark stack has room for a handful of objects.
    pub mark_stack: bool,
    /// Every n-th copy fails; 0 for none.
    pub copy_fail: u64,
    /// Every n-th commit fails; 0 for none.
    pub commit_fail: u64,
    /// A young collection at each n-th poll of a loop; 0 for none.
    pub poll: u64,
    /// So many workers in every pause, whatever it is worth; 0 for as many as pay.
    pub workers: usize,
    /// No table beside the heap has more than so many entries; 0 for no bound.
    pub tables: u64,
    /// In each n-th pause one of the young and old regions stays where it is, as if an object in it were pinned; 0 for none.
    pub pin: u64,
    /// Verify after every pause.
    pub verify: bool,
    /// What is freed can be neither read nor written, and its addresses are used again as late as possible, so that a stale
    /// reference faults at once.
    pub quarantine: bool,
}

/// A text that names no zeal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ZealError {
    part: String,
}

impl fmt::Display for ZealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is no zeal mode; known are young:N, full:N, mark:N, move:N, slice:N (N like 64K, 1M, or 5 for every fifth slow path), \
             copyfail:N, commitfail:N, poll:N, tables:N, pin:N, workers:N (up to 4), markstack, quarantine and verify, separated by commas",
            self.part
        )
    }
}

impl std::error::Error for ZealError {}

fn pace(text: &str) -> Option<Pace> {
    let scaled = |digits: &str, shift: u32| digits.parse::<u64>().ok().filter(|n| *n > 0)?.checked_mul(1 << shift);
    match text.as_bytes().last()? {
        b'K' | b'k' => scaled(&text[..text.len() - 1], 10).map(Pace::Bytes),
        b'M' | b'm' => scaled(&text[..text.len() - 1], 20).map(Pace::Bytes),
        _ => scaled(text, 0).map(Pace::Nth),
    }
}

impl Zeal {
    /// Whether marking is done in slices that zeal paces.
    pub(crate) fn slices(&self) -> bool {
        self.slice != Pace::Never
    }
}

impl FromStr for Zeal {
    type Err = ZealError;

    fn from_str(text: &str) -> Result<Zeal, ZealError> {
        let mut zeal = Zeal::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let error = || ZealError { part: part.to_string() };
            let (name, value) = part.split_once(':').unwrap_or((part, ""));
            let every = |value: &str| value.parse().ok().filter(|n| *n > 0).ok_or_else(error);
            match name {
                "young" => zeal.young = pace(value).ok_or_else(error)?,
                "full" => zeal.full = pace(value).ok_or_else(error)?,
                "mark" => zeal.mark = pace(value).ok_or_else(error)?,
                "move" => zeal.moving = pace(value).ok_or_else(error)?,
                "slice" => zeal.slice = pace(value).ok_or_else(error)?,
                "markstack" if value.is_empty() => zeal.mark_stack = true,
                "copyfail" => zeal.copy_fail = every(value)?,
                "commitfail" => zeal.commit_fail = every(value)?,
                "pin" => zeal.pin = every(value)?,
                "tables" => zeal.tables = every(value)?,
                "poll" => zeal.poll = every(value)?,
                "workers" => {
                    zeal.workers = every(value)? as usize;
                    if zeal.workers > WORKERS_MAX {
                        return Err(error());
                    }
                }
                "verify" if value.is_empty() => zeal.verify = true,
                "quarantine" if value.is_empty() => zeal.quarantine = true,
                _ => return Err(error()),
            }
        }
        Ok(zeal)
    }
}

/// A pace with what is left of it.
#[derive(Clone, Copy, Default)]
struct Countdown {
    pace: Pace,
    left: u64,
}

impl Countdown {
    fn new(pace: Pace) -> Countdown {
        let left = match pace {
            Pace::Never => 0,
            Pace::Bytes(n) | Pace::Nth(n) => n,
        };
        Countdown { pace, left }
    }

    /// Counts one slow path after `bytes`; true when due.
    fn tick(&mut self, bytes: u64) -> bool {
        let step = match self.pace {
            Pace::Never => return false,
            Pace::Bytes(_) => bytes,
            Pace::Nth(_) => 1,
        };
        self.left = self.left.saturating_sub(step);
        let due = self.left == 0;
        if due {
            *self = Countdown::new(self.pace);
        }
        due
    }

    fn bytes_left(&self) -> u64 {
        if matches!(self.pace, Pace::Bytes(_)) { self.left.max(1) } else { u64::MAX }
    }
}

/// A collection that zeal asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Due {
    Young,
    Mark,
    Move,
    Full,
}

/// The countdowns of a heap's zeal.
pub(crate) struct Countdowns {
    collections: [(Countdown, Due); 4],
    slice: Countdown,
    poll: Countdown,
    pin: Countdown,
}

/// What a slow path is asked to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Ticked {
    pub(crate) due: Option<Due>,
    /// A slice of marking.
    pub(crate) slice: bool,
}

impl Countdowns {
    pub(crate) fn new(zeal: &Zeal) -> Countdowns {
        // The strongest first: one collection a slow path.
        let collections = [
            (Countdown::new(zeal.full), Due::Full),
            (Countdown::new(zeal.moving), Due::Move),
            (Countdown::new(zeal.mark), Due::Mark),
            (Countdown::new(zeal.young), Due::Young),
        ];
        let nth = |n: u64| Countdown::new(if n > 0 { Pace::Nth(n) } else { Pace::Never });
        Countdowns { collections, slice: Countdown::new(zeal.slice), poll: nth(zeal.poll), pin: nth(zeal.pin) }
    }

    /// Counts one slow path after `bytes` and says what is due.
    pub(crate) fn tick(&mut self, bytes: u64) -> Ticked {
        let mut due = None;
        for (countdown, kind) in &mut self.collections {
            if countdown.tick(bytes) && due.is_none() {
                due = Some(*kind);
            }
        }
        Ticked { due, slice: self.slice.tick(bytes) }
    }

    /// Counts one poll; true when a collection is due.
    pub(crate) fn tick_poll(&mut self) -> bool {
        self.poll.tick(0)
    }

    /// Counts one pause; true when a region is to be pinned in it.
    pub(crate) fn tick_pin(&mut self) -> bool {
        self.pin.tick(0)
    }

    /// Bytes that may be allocated before something is due.
    pub(crate) fn bytes_left(&self) -> u64 {
        let collections = self.collections.iter().map(|(countdown, _)| countdown.bytes_left());
        collections.fold(self.slice.bytes_left(), u64::min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_becomes_zeal() {
        let zeal: Zeal = "young:64K, full:1M,mark:3,copyfail:7,verify".parse().unwrap();
        let wanted = Zeal {
            young: Pace::Bytes(64 << 10),
            full: Pace::Bytes(1 << 20),
            mark: Pace::Nth(3),
            copy_fail: 7,
            verify: true,
            ..Zeal::default()
        };
        assert_eq!(zeal, wanted);
        for wrong in ["young", "young:0", "young:-3", "young:9G", "copyfail:64K", "verify:1", "fresh:1K"] {
            assert!(wrong.parse::<Zeal>().unwrap_err().to_string().contains(wrong), "{wrong}");
        }
    }

    #[test]
    fn countdowns_come_due_by_bytes_and_by_slow_paths() {
        let mut countdowns = Countdowns::new(&"young:1K,full:3".parse().unwrap());
        assert_eq!(countdowns.bytes_left(), 1024);
        assert_eq!(countdowns.tick(1000), Ticked::default());
        assert_eq!(countdowns.bytes_left(), 24);
        assert_eq!(countdowns.tick(24).due, Some(Due::Young));
        assert_eq!(countdowns.tick(5).due, Some(Due::Full));
    }
}
