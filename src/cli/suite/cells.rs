//! What the suite runs: programs, the heaps and pause goals they run with, and how often.
//!
//! A cell is a program in a heap, whose size is a multiple of the smallest that the program runs in, under a pause goal.

use super::halving::Rung;
use super::settings;
use std::fs;
use std::path::Path;

/// The table of programs in the folder of workloads: name, family, arguments, smallest heap.
const TABLE: &str = "suite_heaps.csv";
const LIMIT_BYTES_MIN: u64 = 1 << 20;
const GRANULE_BYTES: u64 = 64 << 10;

/// Heaps in percent of the smallest, and pause goals in milliseconds.
pub const HEAPS_PERCENT: [u32; 5] = [125, 150, 200, 300, 600];
pub const GOALS_MS: [u32; 3] = [5, 10, 50];
/// The cell that every program has.
const MAIN: (u32, u32) = (200, 10);
/// More cells of six programs, one of six families each that differ most in what they ask for.
const SIDE: [(u32, u32); 4] = [(150, 10), (400, 10), (200, 5), (200, 50)];
const SIDE_PROGRAMS: [&str; 6] =
    ["chat_rooms", "expression_compiler", "page_cache", "particles", "phase_shift", "rope_editor"];

/// A program of the suite.
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    /// Its file's name without ending.
    pub name: String,
    /// Its family; the model that advises it was fitted to the others.
    pub family: String,
    /// The script and its arguments.
    pub script: Vec<String>,
    /// The smallest heap that it runs in.
    pub minimum_bytes: u64,
}

/// A program, by number, in a heap under a goal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    /// The program's number.
    pub program: usize,
    /// The heap's limit in percent of the smallest.
    pub heap_percent: u32,
    /// The pause goal.
    pub goal_ms: u32,
}

impl Cell {
    /// The cell that every program has.
    pub fn main(program: usize) -> Cell {
        Cell { program, heap_percent: MAIN.0, goal_ms: MAIN.1 }
    }

    /// Whether it is that one.
    pub fn is_main(&self) -> bool {
        (self.heap_percent, self.goal_ms) == MAIN
    }

    /// The goal in nanoseconds.
    pub fn goal_ns(&self) -> u64 {
        u64::from(self.goal_ms) * 1_000_000
    }

    /// The limit of its heap.
    pub fn limit_bytes(&self, program: &Program) -> u64 {
        let bytes = program.minimum_bytes * u64::from(self.heap_percent) / 100;
        bytes.max(LIMIT_BYTES_MIN).next_multiple_of(GRANULE_BYTES)
    }
}

/// How much is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// A quarter of an hour.
    Quick,
    /// Up to three hours.
    Usual,
    /// Every heap and goal for real.
    Full,
}

impl Effort {
    /// Interleaved runs of each policy.
    pub fn rounds(self) -> u32 {
        match self {
            Effort::Quick => 3,
            Effort::Usual | Effort::Full => 7,
        }
    }

    /// Interleaved runs of each constant of the rules that are swept.
    pub fn sweep_rounds(self) -> u32 {
        match self {
            Effort::Quick => 1,
            Effort::Usual | Effort::Full => 3,
        }
    }

    /// The search for the oracle by real runs. The quick one starts from the settings that are best in the simulator.
    pub fn rungs(self) -> &'static [Rung] {
        const QUICK: [Rung; 1] = [Rung { candidates: QUICK_CANDIDATES, runs: 1 }];
        const USUAL: [Rung; 3] = [
            Rung { candidates: settings::COUNT, runs: 1 },
            Rung { candidates: 13, runs: 2 },
            Rung { candidates: 4, runs: 4 },
        ];
        match self {
            Effort::Quick => &QUICK,
            Effort::Usual | Effort::Full => &USUAL,
        }
    }

    /// The cells of these programs.
    pub fn cells(self, programs: &[Program]) -> Vec<Cell> {
        let cells = |(number, program): (usize, &Program)| {
            let has_side = self != Effort::Quick && SIDE_PROGRAMS.contains(&program.name.as_str());
            let side: &[(u32, u32)] = if has_side { &SIDE } else { &[] };
            let mut own: Vec<(u32, u32)> = std::iter::once(&MAIN).chain(side).copied().collect();
            if self == Effort::Full {
                own.extend(all().filter(|cell| !own.contains(cell)).collect::<Vec<_>>());
            }
            own.into_iter().map(move |(heap_percent, goal_ms)| Cell { program: number, heap_percent, goal_ms })
        };
        programs.iter().enumerate().flat_map(cells).collect()
    }
}

/// Settings that the quick search tries for real.
pub const QUICK_CANDIDATES: usize = 6;

fn all() -> impl Iterator<Item = (u32, u32)> {
    HEAPS_PERCENT.into_iter().flat_map(|heap| GOALS_MS.into_iter().map(move |goal| (heap, goal)))
}

/// Every heap and goal of every program, for the simulator.
pub fn grid(programs: usize) -> Vec<Cell> {
    let cells = |program| all().map(move |(heap_percent, goal_ms)| Cell { program, heap_percent, goal_ms });
    (0..programs).flat_map(cells).collect()
}

/// The programs of a folder's table; those named in `only`, if any are.
///
/// # Errors
/// A table that can't be read, a name that it doesn't have.
pub fn programs(dir: &Path, only: &[String]) -> Result<Vec<Program>, String> {
    let path = dir.join(TABLE);
    let text = fs::read_to_string(&path).map_err(|e| format!("can't read `{}`: {e}", path.display()))?;
    let mut programs = Vec::new();
    for (number, line) in text.lines().enumerate().skip(1) {
        let program = program(dir, line).ok_or_else(|| {
            format!("`{}`, line {}: no program, family, arguments, bytes", path.display(), number + 1)
        })?;
        programs.push(program);
    }
    if let Some(unknown) = only.iter().find(|name| !programs.iter().any(|program| &program.name == *name)) {
        return Err(format!("`{}` knows no program `{unknown}`", path.display()));
    }
    programs.retain(|program| only.is_empty() || only.contains(&program.name));
    Ok(programs)
}

fn program(dir: &Path, line: &str) -> Option<Program> {
    let mut fields = line.split(',');
    let mut next = || fields.next().map(str::trim);
    let (name, family, arguments) = (next()?, next()?, next()?);
    let minimum_bytes = next()?.parse().ok()?;
    let file = dir.join(name).with_extension("ten").display().to_string();
    let script = std::iter::once(file).chain(arguments.split_whitespace().map(str::to_owned)).collect();
    Some(Program { name: name.into(), family: family.into(), script, minimum_bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &str = "program,family,arguments,minimum_bytes\nrope_editor,text,9 1,3000000\nx,trees,,1000\n";

    #[test]
    fn programs_come_from_the_table_and_cells_from_the_effort() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(TABLE), LINES).unwrap();
        let found = programs(dir.path(), &[]).unwrap();
        assert_eq!((found[0].family.as_str(), &found[0].script[1..]), ("text", &["9".to_owned(), "1".to_owned()][..]));
        assert_eq!(Effort::Quick.cells(&found).len(), 2);
        assert_eq!(Effort::Usual.cells(&found).len(), 2 + SIDE.len());
        assert_eq!(Effort::Full.cells(&found).len(), 2 * 15 + 1);
        assert_eq!(grid(2).len(), 30);
        assert_eq!(programs(dir.path(), &["x".into()]).unwrap().len(), 1);
        assert!(programs(dir.path(), &["y".into()]).unwrap_err().contains("`y`"));
        fs::write(dir.path().join(TABLE), "head\nx,trees,1,few\n").unwrap();
        assert!(programs(dir.path(), &[]).unwrap_err().contains("line 2"));
    }

    #[test]
    fn limits_are_multiples_of_the_smallest_heap_in_whole_granules() {
        let program = Program { name: "x".into(), family: "y".into(), script: Vec::new(), minimum_bytes: 3_000_000 };
        let limit = Cell::main(0).limit_bytes(&program);
        assert!(limit >= 6_000_000 && limit - 6_000_000 < GRANULE_BYTES && limit.is_multiple_of(GRANULE_BYTES));
        let tiny = Program { minimum_bytes: 10, ..program };
        assert_eq!(Cell::main(0).limit_bytes(&tiny), LIMIT_BYTES_MIN);
    }
}
