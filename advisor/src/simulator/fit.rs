//! From the journal of a survey to a signature: lifetimes by non-negative least squares, costs by medians and sums.
//!
//! Under the survey policy every survivor is promoted at once. So a pause tells the share of an eden's objects that is
//! alive at its end, and a marking tells what is alive of all that was allocated before; both are sums over the classes of
//! lifetimes, weighted by the classes' shares, which are what is looked for.

use std::fmt;

use tenure_gc::Cycle;
use tenure_gc::policy::{CycleKind, Snapshot};

use super::lifetimes::{CLASSES, Lifetimes, alive_of_class};
use super::signature::{Costs, Segment, Signature};

/// Cycles that a journal must have, cycles for each segment, and segments at the most.
const CYCLES_MIN: usize = 8;
const SEGMENT_CYCLES: usize = 24;
const SEGMENTS_MAX: usize = 10;
/// Pauses that copy less say what a pause costs in itself; those that copy more, what a byte costs.
const COPIED_BYTES_MIN: u64 = 64 << 10;
/// Added to the diagonal, relative to its mean: what the data don't tell is taken to be nothing.
const DAMPING: f64 = 1e-4;
const SWEEPS: usize = 400;

/// Why a journal tells no signature.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SurveyError {
    /// Too few cycles.
    Short {
        /// How many there are.
        cycles: usize,
    },
    /// Survivors stayed young: the journal is not of the survey policy.
    OtherPolicy,
}

impl fmt::Display for SurveyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SurveyError::Short { cycles } => write!(f, "{cycles} cycles are too few, {CYCLES_MIN} are needed"),
            SurveyError::OtherPolicy => write!(f, "the journal is not of a run with --gc=survey"),
        }
    }
}

impl std::error::Error for SurveyError {}

/// A cycle on the clock of allocated bytes.
#[derive(Clone, Copy)]
struct Stretch<'c> {
    from: f64,
    to: f64,
    segment: usize,
    end: &'c Snapshot,
}

impl Stretch<'_> {
    fn eden(&self) -> f64 {
        self.end.allocated_bytes as f64
    }

    fn large(&self) -> f64 {
        self.end.large_allocated_bytes as f64
    }
}

/// The signature of the program that a survey's journal tells of.
pub fn fit(cycles: &[Cycle]) -> Result<Signature, SurveyError> {
    let ends: Vec<&Snapshot> = cycles.iter().map(|cycle| &cycle.snapshot).filter(|s| s.cycle > 0).collect();
    if ends.len() < CYCLES_MIN {
        return Err(SurveyError::Short { cycles: ends.len() });
    }
    if cycles.iter().any(|cycle| cycle.decision.knobs.tenuring_age > 0) {
        return Err(SurveyError::OtherPolicy);
    }
    let segment_count = (ends.len() / SEGMENT_CYCLES).clamp(1, SEGMENTS_MAX);
    let allocated = |s: &Snapshot| (s.allocated_bytes + s.large_allocated_bytes) as f64;
    let total: f64 = ends.iter().map(|s| allocated(s)).sum();
    let mut clock = 0.0;
    let stretches: Vec<Stretch> = (ends.iter())
        .map(|end| {
            let from = clock;
            clock += allocated(end);
            let segment = ((from / total * segment_count as f64) as usize).min(segment_count - 1);
            Stretch { from, to: clock, segment, end }
        })
        .collect();
    let shares = lifetimes(&stretches, segment_count);
    let segment = |number: usize| {
        let own = || stretches.iter().filter(move |stretch| stretch.segment == number);
        let bytes: f64 = own().map(|s| s.to - s.from).sum();
        let sum = |of: fn(&Snapshot) -> u64| own().map(|s| of(s.end) as f64).sum::<f64>();
        Segment {
            bytes,
            large_share: sum(|s| s.large_allocated_bytes) / bytes.max(1.0),
            mutator_ns_per_byte: sum(|s| s.mutator_cpu_ns) / bytes.max(1.0),
            lifetimes: shares[number].0,
            large_lifetimes: shares[number].1,
            remembered_per_byte: sum(|s| s.remembered_entries) / bytes.max(1.0),
        }
    };
    let segments = (0..segment_count).map(segment).filter(|segment| segment.bytes > 0.0).collect();
    Ok(Signature { segments, costs: costs(&ends) })
}

fn costs(ends: &[&Snapshot]) -> Costs {
    let copied = |s: &Snapshot| s.survived_bytes + s.promoted_bytes + s.compacted_bytes;
    let pauses = || ends.iter().filter(|s| s.kind != CycleKind::Full);
    let mut all: Vec<u64> = pauses().map(|s| s.pause_cpu_ns).collect();
    let mut idle: Vec<u64> = pauses().filter(|s| copied(s) < COPIED_BYTES_MIN).map(|s| s.pause_cpu_ns).collect();
    all.sort_unstable();
    idle.sort_unstable();
    // Where all pauses copy, the quickest are nearest to an idle one.
    let pause_ns = idle.get(idle.len() / 2).or(all.get(all.len() / 20)).copied().unwrap_or(0) as f64;
    let busy = || pauses().filter(|s| copied(s) >= COPIED_BYTES_MIN);
    let work_ns: f64 = busy().map(|s| (s.pause_cpu_ns as f64 - pause_ns).max(0.0)).sum();
    let copied_bytes: f64 = busy().map(|s| copied(s) as f64).sum();
    let marked_bytes: f64 = ends.iter().map(|s| s.marked_bytes as f64).sum();
    let mark_ns: f64 = ends.iter().map(|s| s.mark_ns as f64).sum();
    Costs {
        pause_ns,
        copy_ns_per_byte: if copied_bytes > 0.0 { work_ns / copied_bytes } else { 1.0 },
        mark_ns_per_byte: if marked_bytes > 0.0 { mark_ns / marked_bytes } else { 1.0 },
    }
}

/// Unknowns of a segment: the classes but the first, which takes what is left; ordinary objects, then large ones.
const UNKNOWNS: usize = 2 * (CLASSES - 1);

/// The lifetimes of each segment, of ordinary and of large objects.
fn lifetimes(stretches: &[Stretch], segment_count: usize) -> Vec<(Lifetimes, Lifetimes)> {
    let width = segment_count * UNKNOWNS;
    let mut system = System::new(width);
    let most = |of: fn(&Snapshot) -> u64| stretches.iter().map(|s| of(s.end)).max().unwrap_or(0) as f64;
    let marked: Vec<usize> = (0..stretches.len()).filter(|&at| stretches[at].end.marked_bytes > 0).collect();
    // Both sorts of observation together count the same, however many there are of each.
    let balance = (stretches.len() as f64 / marked.len().max(1) as f64).sqrt();
    let (most_promoted, most_live) = (most(|s| s.promoted_bytes), most(|s| s.live_bytes));
    for stretch in stretches.iter().filter(|stretch| stretch.end.kind != CycleKind::Full) {
        let mut row = vec![0.0; width];
        add(&mut row, stretch, stretch.to, stretch.eden(), 0.0);
        let observed = (stretch.end.promoted_bytes + stretch.end.survived_bytes) as f64;
        system.add(&row, observed, 1.0 / (observed + 0.02 * most_promoted + 1.0));
    }
    for at in marked {
        // What marking found lived when it began, in the last pause that started one.
        let full = stretches[at].end.kind == CycleKind::Full;
        let began = (0..=at).rev().find(|&i| full || stretches[i].end.kind == CycleKind::ConcurrentStart);
        let Some(began) = began else { continue };
        let clock = stretches[began].to;
        let mut row = vec![0.0; width];
        for stretch in &stretches[..=began] {
            add(&mut row, stretch, clock, stretch.eden(), stretch.large());
        }
        let observed = stretches[at].end.live_bytes as f64;
        system.add(&row, observed, balance / (observed + 0.02 * most_live + 1.0));
    }
    let solution = system.solve();
    let histogram = |unknowns: &[f64]| {
        let sum: f64 = unknowns.iter().sum();
        let scale = if sum > 1.0 { 1.0 / sum } else { 1.0 };
        let mut shares = [0.0; CLASSES];
        shares[1..].iter_mut().zip(unknowns).for_each(|(share, unknown)| *share = unknown * scale);
        shares[0] = (1.0 - sum * scale).max(0.0);
        Lifetimes(shares)
    };
    let both = |unknowns: &[f64]| {
        let (ordinary, large) = unknowns.split_at(CLASSES - 1);
        (histogram(ordinary), histogram(large))
    };
    solution.chunks_exact(UNKNOWNS).map(both).collect()
}

/// Adds to a row what each class of a stretch's objects would have alive at `clock`.
fn add(row: &mut [f64], stretch: &Stretch, clock: f64, eden: f64, large: f64) {
    let own = &mut row[stretch.segment * UNKNOWNS..][..UNKNOWNS];
    for class in 1..CLASSES {
        let alive = alive_of_class(class, clock - stretch.to, clock - stretch.from);
        own[class - 1] += eden * alive;
        own[CLASSES - 1 + class - 1] += large * alive;
    }
}

/// Normal equations of a least-squares problem with solutions from 0 up.
struct System {
    width: usize,
    gram: Vec<f64>,
    target: Vec<f64>,
}

impl System {
    fn new(width: usize) -> System {
        System { width, gram: vec![0.0; width * width], target: vec![0.0; width] }
    }

    fn add(&mut self, row: &[f64], observed: f64, weight: f64) {
        let weight = weight * weight;
        let filled: Vec<usize> = (0..self.width).filter(|&i| row[i] != 0.0).collect();
        for &i in &filled {
            self.target[i] += weight * row[i] * observed;
            for &j in &filled {
                self.gram[i * self.width + j] += weight * row[i] * row[j];
            }
        }
    }

    /// Coordinate descent, each coordinate held at 0 or above. The order is fixed, so the solution is too.
    fn solve(&self) -> Vec<f64> {
        let mean = (0..self.width).map(|i| self.gram[i * self.width + i]).sum::<f64>() / self.width as f64;
        let mut solution = vec![0.0_f64; self.width];
        for _ in 0..SWEEPS {
            for i in 0..self.width {
                let row = &self.gram[i * self.width..][..self.width];
                let diagonal = row[i] + DAMPING * mean;
                if diagonal > 0.0 {
                    let explained: f64 = row.iter().zip(&solution).map(|(g, x)| g * x).sum();
                    let step = (self.target[i] - explained - DAMPING * mean * solution[i]) / diagonal;
                    solution[i] = (solution[i] + step).max(0.0);
                }
            }
        }
        solution
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Setting, signals, simulate};
    use super::*;
    use tenure_gc::policy::{Adaptive, Overrides, Static, Survey};

    const SETTING: Setting = Setting { limit_bytes: 1 << 30, pause_goal_ns: 10_000_000 };

    /// What a run under fixed knobs copied, marked and kept, in MiB.
    fn work(signature: &Signature) -> [f64; 3] {
        let setting = Setting { limit_bytes: 128 << 20, ..SETTING };
        let knobs = Overrides { concurrent_start_share: Some(0.6), tenuring_age: Some(1), ..Overrides::default() };
        let run = simulate(signature, &setting, &mut Static::new(knobs));
        assert!(!run.out_of_memory);
        let sum = |of: fn(&Cycle) -> u64| run.cycles.iter().map(of).sum::<u64>() as f64 / 1048576.0;
        let old = sum(|c| c.snapshot.old_bytes) / run.cycles.len() as f64;
        [sum(|c| c.outcome.copied_bytes), sum(|c| c.snapshot.marked_bytes), old]
    }

    #[test]
    fn a_survey_of_a_simulated_program_gives_the_program_back() {
        for (name, signature) in [("steady", signals::steady()), ("ramp", signals::ramp()), ("step", signals::step())] {
            let survey = simulate(&signature, &SETTING, &mut Survey::new(1));
            let found = fit(&survey.cycles).expect(name);
            assert!((found.bytes() / signature.bytes() - 1.0).abs() < 0.05, "{name}");
            // markings are few, so that one more or less shows
            for ((real, copy), most) in work(&signature).into_iter().zip(work(&found)).zip([0.25, 0.4, 0.25]) {
                assert!((copy / real).ln().abs() < most, "{name}: {:?} and {:?}", work(&signature), work(&found));
            }
        }
    }

    #[test]
    fn other_journals_are_refused() {
        let run = simulate(&signals::steady(), &SETTING, &mut Adaptive::new());
        assert_eq!(fit(&run.cycles), Err(SurveyError::OtherPolicy));
        assert_eq!(fit(&run.cycles[..5]), Err(SurveyError::Short { cycles: 4 }));
    }
}
