//! From measurements to verdicts: each bar with what was measured, its interval, and whether it is met.
//!
//! It reads no files and runs nothing; real runs, counted work and simulations are judged by the same lines.
//!
//! Invariants
//! - J1. A cell counts only where every contender of a comparison came to an end in most of its rounds; what is left out is counted.
//! - J2. Ratios are of costs under the throughput goal, the advisor's default, unless a row says otherwise.
//! - J3. Programs are the clusters of every interval over programs; a program's own interval is over its rounds, which are paired.

use super::cells::{Cell, Program};
use super::contender::{Contender, SQUARE_ROOT_PERCENT};
use super::cost::Figures;
use super::stats::{Interval, bootstrap, least_at, mean, median};
use std::collections::BTreeMap;
use tenure_advisor::Goal;

/// A ratio up to here is no worse: what the issue of noise leaves undecided.
pub const NOT_WORSE: f64 = 1.03;
const GAP_CLOSED_MIN: f64 = 0.6;
const NOT_WORSE_SHARE_MIN: f64 = 0.9;
const BETTER_SHARE_MIN: f64 = 0.5;
const MEAN_RATIO_MAX: f64 = 0.95;
const REGRET_MAX: f64 = 0.12;
const MISSES_MIN: f64 = 0.02;
const VIOLATIONS_MAX: f64 = 0.5;
const VIOLATIONS_CPU_MAX: f64 = 1.02;
const MEMORY_MAX: f64 = 0.9;

/// The runs of a contender in a cell, by round; nothing for one that came to no end.
pub type Rounds = Vec<Option<Figures>>;

/// What was measured: the runs of each contender in each cell, by round. A run that came to no end has no figures.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    runs: BTreeMap<(Cell, Contender), Rounds>,
}

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A share of 1, in percent.
    Percent,
    /// A quotient.
    Ratio,
    /// A number of things.
    Count,
    /// Microseconds.
    Micros,
}

/// A line of the table.
#[derive(Clone, Debug)]
pub struct Row {
    /// What is measured.
    pub measure: String,
    /// What it should be.
    pub bar: String,
    /// What it is; NaN where nothing was measured.
    pub value: f64,
    /// How that is written.
    pub unit: Unit,
    /// 95 % of the resampled values.
    pub interval: Option<Interval>,
    /// The same measure of adaptive against itself.
    pub control: Option<f64>,
    /// Whether the bar is met; nothing where there is no bar, or nothing was measured.
    pub met: Option<bool>,
    /// What else should be known.
    pub note: String,
}

/// A program's cost against another policy's, as a ratio.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    /// Over all rounds.
    pub value: f64,
    /// Over resampled rounds; the value itself where there is one round.
    pub interval: Interval,
}

impl Measured {
    /// Adds the runs of a contender in a cell.
    pub fn add(&mut self, cell: Cell, contender: Contender, runs: Rounds) {
        self.runs.insert((cell, contender), runs);
    }

    /// The runs of a contender in a cell.
    pub fn runs(&self, cell: Cell, contender: Contender) -> &[Option<Figures>] {
        self.runs.get(&(cell, contender)).map_or(&[], Vec::as_slice)
    }

    /// All cells, in order.
    pub fn cells(&self) -> Vec<Cell> {
        let mut cells: Vec<Cell> = self.runs.keys().map(|(cell, _)| *cell).collect();
        cells.dedup();
        cells
    }

    /// Median of a figure over the rounds; nothing if most of them came to no end.
    pub fn median(&self, cell: Cell, contender: Contender, of: impl Fn(&Figures) -> f64) -> Option<f64> {
        let runs = self.runs(cell, contender);
        let rounds: Vec<usize> = (0..runs.len()).collect();
        median_of(runs, &rounds, of)
    }

    /// Median cost over the rounds.
    pub fn cost(&self, cell: Cell, contender: Contender) -> Option<f64> {
        self.median(cell, contender, |figures| figures.cost(Goal::Throughput, cell.goal_ns()))
    }

    /// Mean over a program's cells of what one contender costs more than another.
    fn difference(&self, cells: &[Cell], a: Contender, b: Contender) -> f64 {
        mean(cells.iter().filter_map(|&cell| Some(self.cost(cell, a)? - self.cost(cell, b)?)))
    }

    /// The ratio of two contenders' costs over a program's cells.
    pub fn ratio(&self, cells: &[Cell], a: Contender, b: Contender) -> Option<Ratio> {
        let value = self.difference(cells, a, b).exp();
        let rounds = cells.iter().map(|&cell| self.runs(cell, a).len().min(self.runs(cell, b).len())).min()?;
        let resampled = |drawn: &[usize]| {
            let cost = |cell: Cell, contender| {
                let cost = |figures: &Figures| figures.cost(Goal::Throughput, cell.goal_ns());
                median_of(self.runs(cell, contender), drawn, cost)
            };
            mean(cells.iter().filter_map(|&cell| Some(cost(cell, a)? - cost(cell, b)?))).exp()
        };
        let exact = Interval { low: value, high: value };
        let interval = if rounds > 1 { bootstrap(rounds, resampled).unwrap_or(exact) } else { exact };
        value.is_finite().then_some(Ratio { value, interval })
    }

    /// The cells of each program that has some in which all of these came to an end.
    fn by_program(&self, contenders: &[Contender]) -> Vec<Vec<Cell>> {
        let mut found: BTreeMap<usize, Vec<Cell>> = BTreeMap::new();
        for cell in self.cells() {
            if contenders.iter().all(|&contender| self.cost(cell, contender).is_some()) {
                found.entry(cell.program).or_default().push(cell);
            }
        }
        found.into_values().collect()
    }

    /// Cells of a contender in which most rounds came to no end.
    pub fn unfinished(&self, contender: Contender) -> usize {
        self.cells()
            .into_iter()
            .filter(|&cell| !self.runs(cell, contender).is_empty() && self.cost(cell, contender).is_none())
            .count()
    }
}

fn median_of(runs: &[Option<Figures>], rounds: &[usize], of: impl Fn(&Figures) -> f64) -> Option<f64> {
    let ended: Vec<f64> = rounds.iter().filter_map(|&round| runs.get(round)?.as_ref()).map(of).collect();
    (!ended.is_empty() && ended.len() * 2 > rounds.len()).then(|| median(ended))
}

impl Row {
    /// A line that says only where to look.
    pub fn pointer(measure: &str, bar: &str, note: &str) -> Row {
        Row { note: note.into(), ..Row::new(measure, bar, f64::NAN, Unit::Ratio, |_| false) }
    }

    /// A line with its verdict.
    pub fn new(measure: &str, bar: &str, value: f64, unit: Unit, meets: impl Fn(f64) -> bool) -> Row {
        Row {
            measure: measure.into(),
            bar: bar.into(),
            value,
            unit,
            interval: None,
            control: None,
            met: value.is_finite().then(|| meets(value)),
            note: String::new(),
        }
    }
}

/// The lines that compare costs. `programs` gives names to what stands out.
pub fn rows(measured: &Measured, programs: &[Program]) -> Vec<Row> {
    let mut rows = vec![gap(measured), regret(measured)];
    rows.extend(against_best(measured));
    rows.extend(worst(measured, programs, true));
    rows.extend(violations(measured));
    rows.push(memory(measured, Contender::Advisor, "memory against the square-root rule, at equal GC CPU"));
    rows.push(memory(measured, Contender::AdvisorMemory, "the same, the advisor told to save memory"));
    rows
}

/// The worst program, where costs are counted work and each run is exact.
pub fn counted_rows(measured: &Measured, programs: &[Program]) -> Vec<Row> {
    worst(measured, programs, false)
}

fn gap(measured: &Measured) -> Row {
    let cells = measured.by_program(&[Contender::Adaptive, Contender::Advisor, Contender::Oracle]);
    let closed = |by: Contender, drawn: &[usize]| {
        let sum = |a, b| drawn.iter().map(|&program| measured.difference(&cells[program], a, b)).sum::<f64>();
        sum(Contender::Adaptive, by) / sum(Contender::Adaptive, Contender::Oracle)
    };
    let everyone: Vec<usize> = (0..cells.len()).collect();
    let meets = |value| value >= GAP_CLOSED_MIN;
    let value = closed(Contender::Advisor, &everyone);
    Row {
        interval: bootstrap(cells.len(), |drawn| closed(Contender::Advisor, drawn)),
        control: Some(closed(Contender::Control, &everyone)).filter(|v| v.is_finite()),
        note: format!("{} programs", cells.len()),
        ..Row::new("gap between adaptive and oracle closed", "≥ 60 %", value, Unit::Percent, meets)
    }
}

fn regret(measured: &Measured) -> Row {
    let cells = measured.by_program(&[Contender::Advisor, Contender::Oracle]);
    let of = |by: Contender, drawn: &[usize]| {
        let regret = |&program: &usize| measured.difference(&cells[program], by, Contender::Oracle).exp() - 1.0;
        mean(drawn.iter().map(regret))
    };
    let everyone: Vec<usize> = (0..cells.len()).collect();
    let value = of(Contender::Advisor, &everyone);
    let adaptive = of(Contender::Adaptive, &everyone);
    Row {
        interval: bootstrap(cells.len(), |drawn| of(Contender::Advisor, drawn)),
        note: if adaptive.is_finite() { format!("adaptive's is {:.1} %", adaptive * 100.0) } else { String::new() },
        ..Row::new("mean regret to the oracle", "≤ 12 %, aim 8 %", value, Unit::Percent, |value| value <= REGRET_MAX)
    }
}

fn against_best(measured: &Measured) -> [Row; 3] {
    let cells = measured.by_program(&[Contender::Advisor, Contender::Best]);
    let ratios: Vec<Ratio> =
        cells.iter().filter_map(|own| measured.ratio(own, Contender::Advisor, Contender::Best)).collect();
    let share = |of: &dyn Fn(&Ratio) -> bool| mean(ratios.iter().map(|ratio| f64::from(u8::from(of(ratio)))));
    let not_worse = share(&|ratio| ratio.interval.high <= NOT_WORSE);
    let better = share(&|ratio| ratio.interval.high < 1.0);
    let geometric = |drawn: &[usize]| mean(drawn.iter().map(|&program| ratios[program].value.ln())).exp();
    let everyone: Vec<usize> = (0..ratios.len()).collect();
    let left_out = measured.unfinished(Contender::Best);
    let mut first = Row::new(
        "against the best single static setting: programs not worse (upper end ≤ 1.03)",
        "≥ 90 %",
        not_worse,
        Unit::Percent,
        |value| value >= NOT_WORSE_SHARE_MIN,
    );
    if left_out > 0 {
        first.note = format!("in {left_out} cells the static setting runs out of memory or time; they don't count");
    }
    let second = Row::new("… programs better", "≥ 50 %", better, Unit::Percent, |value| value >= BETTER_SHARE_MIN);
    let third = Row {
        interval: bootstrap(ratios.len(), geometric),
        ..Row::new("… geometric mean", "≤ 0.95", geometric(&everyone), Unit::Ratio, |value| value <= MEAN_RATIO_MAX)
    };
    [first, second, third]
}

/// Against adaptive, by program: the worst value where runs are exact, the number of intervals wholly above where they are not.
fn worst(measured: &Measured, programs: &[Program], noisy: bool) -> Vec<Row> {
    let cells = measured.by_program(&[Contender::Advisor, Contender::Adaptive]);
    let ratio = |own: &Vec<Cell>, by| Some((own[0].program, measured.ratio(own, by, Contender::Adaptive)?));
    let ratios: Vec<(usize, Ratio)> = cells.iter().filter_map(|own| ratio(own, Contender::Advisor)).collect();
    let control: Vec<(usize, Ratio)> = cells.iter().filter_map(|own| ratio(own, Contender::Control)).collect();
    let name = |program: usize| programs.get(program).map_or("?", |program| program.name.as_str());
    let largest = ratios.iter().max_by(|a, b| a.1.value.total_cmp(&b.1.value));
    let mut rows = Vec::new();
    let (value, note) = largest.map_or((f64::NAN, String::new()), |(p, r)| (r.value, name(*p).to_owned()));
    if noisy {
        let above =
            |ratios: &[(usize, Ratio)]| ratios.iter().filter(|(_, r)| r.interval.low > NOT_WORSE).count() as f64;
        let named: Vec<&str> =
            ratios.iter().filter(|(_, r)| r.interval.low > NOT_WORSE).map(|(p, _)| name(*p)).collect();
        let count = if ratios.is_empty() { f64::NAN } else { above(&ratios) };
        rows.push(Row {
            control: (!control.is_empty()).then(|| above(&control)),
            note: named.join(", "),
            ..Row::new(
                "against adaptive: programs whose interval lies wholly above 1.03",
                "none",
                count,
                Unit::Count,
                |value| value == 0.0,
            )
        });
        let geometric = |drawn: &[usize]| mean(drawn.iter().map(|&i| ratios[i].1.value.ln())).exp();
        let everyone: Vec<usize> = (0..ratios.len()).collect();
        rows.push(Row {
            interval: bootstrap(ratios.len(), geometric),
            control: (!control.is_empty()).then(|| mean(control.iter().map(|(_, r)| r.value.ln())).exp()),
            note: if ratios.is_empty() { note } else { format!("worst {value:.2} ({note})") },
            met: None,
            ..Row::new("… geometric mean", "", geometric(&everyone), Unit::Ratio, |_| true)
        });
    } else {
        let bar = "≤ 1.03";
        rows.push(Row {
            note,
            ..Row::new("against adaptive: the worst program", bar, value, Unit::Ratio, |value| value <= NOT_WORSE)
        });
    }
    rows
}

fn violations(measured: &Measured) -> [Row; 2] {
    let missing = |cell: &Cell| {
        measured.median(*cell, Contender::Adaptive, Figures::missed_share).is_some_and(|share| share >= MISSES_MIN)
    };
    let mut cells = measured.by_program(&[Contender::Advisor, Contender::Adaptive]);
    cells.iter_mut().for_each(|own| own.retain(missing));
    cells.retain(|own| !own.is_empty());
    // sums over rounds and cells; both policies do the same work, so counts compare
    let total = |contender, drawn: &[usize], of: fn(&Figures) -> f64| {
        let cells = drawn.iter().flat_map(|&program| &cells[program]);
        cells.flat_map(|&cell| measured.runs(cell, contender)).flatten().map(of).sum::<f64>()
    };
    let quotient = |contender, drawn: &[usize], of| total(contender, drawn, of) / total(Contender::Adaptive, drawn, of);
    let missed: fn(&Figures) -> f64 = |figures| figures.missed as f64;
    let cpu: fn(&Figures) -> f64 = |figures| figures.process_cpu_ns;
    let everyone: Vec<usize> = (0..cells.len()).collect();
    let control = |of| Some(quotient(Contender::Control, &everyone, of)).filter(|v| v.is_finite() && *v > 0.0);
    let count: usize = cells.iter().map(Vec::len).sum();
    let share = |contender| {
        let pauses: fn(&Figures) -> f64 = |figures| figures.cycles as f64;
        total(contender, &everyone, missed) / total(contender, &everyone, pauses) * 100.0
    };
    let first = Row {
        interval: bootstrap(cells.len(), |drawn| quotient(Contender::Advisor, drawn, missed)),
        control: control(missed),
        note: if count == 0 {
            "adaptive misses in no cell".into()
        } else {
            let [advisor, adaptive] = [Contender::Advisor, Contender::Adaptive].map(share);
            format!("{count} cells; {advisor:.1} % of the advisor's pauses miss, {adaptive:.1} % of adaptive's")
        },
        ..Row::new(
            "pauses that miss the goal, against adaptive's, where adaptive misses ≥ 2 %",
            "≤ 0.5",
            quotient(Contender::Advisor, &everyone, missed),
            Unit::Ratio,
            |value| value <= VIOLATIONS_MAX,
        )
    };
    let second = Row {
        interval: bootstrap(cells.len(), |drawn| quotient(Contender::Advisor, drawn, cpu)),
        control: control(cpu),
        ..Row::new(
            "… CPU there, against adaptive's",
            "≤ 1.02",
            quotient(Contender::Advisor, &everyone, cpu),
            Unit::Ratio,
            |value| value <= VIOLATIONS_CPU_MAX,
        )
    };
    [first, second]
}

/// Memory that a contender commits, against what the square-root rule needs for the same collector's CPU.
fn memory(measured: &Measured, contender: Contender, name: &str) -> Row {
    let mut outside = 0;
    let mut ratios: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for cell in measured.cells() {
        let own = |contender, of: fn(&Figures) -> f64| measured.median(cell, contender, of);
        let cpu: fn(&Figures) -> f64 = |figures| figures.gc_cpu_ns;
        let committed: fn(&Figures) -> f64 = |figures| figures.committed_bytes;
        let point = |number| {
            let rule = Contender::SquareRoot(number);
            Some((own(rule, cpu)?, own(rule, committed)?))
        };
        let curve: Vec<(f64, f64)> = (0..SQUARE_ROOT_PERCENT.len()).filter_map(point).collect();
        let (Some(x), Some(y)) = (own(contender, cpu), own(contender, committed)) else { continue };
        match least_at(&curve, x) {
            Some(rule) => ratios.entry(cell.program).or_default().push((y / rule).ln()),
            None if curve.is_empty() => {}
            None => outside += 1,
        }
    }
    let ratios: Vec<f64> = ratios.into_values().map(mean).collect();
    let geometric = |drawn: &[usize]| mean(drawn.iter().map(|&program| ratios[program])).exp();
    let everyone: Vec<usize> = (0..ratios.len()).collect();
    Row {
        interval: bootstrap(ratios.len(), geometric),
        note: format!("{} programs; {outside} cells lie beside the rule's curve", ratios.len()),
        ..Row::new(name, "≤ 0.9", geometric(&everyone), Unit::Ratio, |value| value <= MEMORY_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs that cost e to the power of this against a run of cost 0: only the collector's time differs.
    fn runs(ln: f64, rounds: usize) -> Rounds {
        let run = |round: usize| Figures {
            cycles: 100,
            gc_cpu_ns: 1e9 * (ln + 0.002 * (round % 3) as f64).exp(),
            allocated_bytes: 1e9,
            pause_ns_p95: 5e6,
            committed_bytes: 1e8,
            process_cpu_ns: 1e10,
            ..Figures::default()
        };
        (0..rounds).map(|round| Some(run(round))).collect()
    }

    fn program(name: &str) -> Program {
        Program { name: name.into(), family: name.into(), script: Vec::new(), minimum_bytes: 1 }
    }

    /// Costs of each program under each contender; adaptive's is 0.
    fn measured(of: &[&[(Contender, f64)]]) -> (Measured, Vec<Program>) {
        let mut measured = Measured::default();
        for (number, contenders) in of.iter().enumerate() {
            measured.add(Cell::main(number), Contender::Adaptive, runs(0.0, 7));
            measured.add(Cell::main(number), Contender::Control, runs(0.0, 7));
            contenders.iter().for_each(|(contender, ln)| measured.add(Cell::main(number), *contender, runs(*ln, 7)));
        }
        (measured, (0..of.len()).map(|number| program(&format!("p{number}"))).collect())
    }

    fn row<'r>(rows: &'r [Row], words: &str) -> &'r Row {
        rows.iter().find(|row| row.measure.contains(words)).unwrap_or_else(|| panic!("{words}"))
    }

    #[test]
    fn the_gap_is_closed_by_as_much_as_the_advisor_gains_of_what_there_is_to_gain() {
        use Contender::{Advisor, Best, Oracle};
        let (measured, programs) = measured(&[
            &[(Advisor, -0.3), (Oracle, -0.4), (Best, -0.1)],
            &[(Advisor, -0.1), (Oracle, -0.2), (Best, -0.2)],
            &[(Advisor, 0.1), (Oracle, -0.4), (Best, 0.1)],
        ]);
        let rows = rows(&measured, &programs);
        let gap = row(&rows, "gap");
        assert!((gap.value - 0.3).abs() < 1e-9 && gap.met == Some(false), "{gap:?}");
        let interval = gap.interval.unwrap();
        assert!(interval.low < 0.3 && interval.high > 0.3 && interval.high <= 0.75 + 1e-9, "{interval:?}");
        assert!(gap.control.unwrap().abs() < 1e-9);
        let regret = row(&rows, "regret");
        let expected = (0.1_f64.exp() + 0.1_f64.exp() + 0.5_f64.exp()) / 3.0 - 1.0;
        assert!((regret.value - expected).abs() < 1e-9 && regret.met == Some(false));
        // one better, one worse, one the same
        assert!((row(&rows, "programs not worse").value - 2.0 / 3.0).abs() < 1e-9);
        assert!((row(&rows, "programs better").value - 1.0 / 3.0).abs() < 1e-9);
        let above = row(&rows, "wholly above");
        assert_eq!((above.value, above.met, above.note.as_str(), above.control), (1.0, Some(false), "p2", Some(0.0)));
        let counted = counted_rows(&measured, &programs);
        assert!((counted[0].value - 0.1_f64.exp()).abs() < 1e-9 && counted[0].note == "p2");
    }

    #[test]
    fn pauses_are_compared_where_adaptive_misses_enough() {
        let mut measured = Measured::default();
        let run = |missed, cpu| {
            Some(Figures { cycles: 100, missed, process_cpu_ns: cpu, pause_ns_p95: 1e6, ..Figures::default() })
        };
        let mut add = |number, contender, missed, cpu| {
            measured.add(Cell::main(number), contender, vec![run(missed, cpu); 3]);
        };
        add(0, Contender::Adaptive, 10, 100.0);
        add(0, Contender::Advisor, 2, 101.0);
        // one per cent: this cell is not looked at
        add(1, Contender::Adaptive, 1, 100.0);
        add(1, Contender::Advisor, 50, 100.0);
        let [missed, cpu] = violations(&measured);
        assert!((missed.value - 0.2).abs() < 1e-9 && missed.met == Some(true), "{missed:?}");
        assert!((cpu.value - 1.01).abs() < 1e-9 && cpu.met == Some(true), "{cpu:?}");
    }

    #[test]
    fn memory_is_compared_at_equal_collector_time() {
        let mut measured = Measured::default();
        let run = |gc_cpu_ns, committed_bytes| vec![Some(Figures { gc_cpu_ns, committed_bytes, ..Figures::default() })];
        // time and memory trade in proportion
        for number in 0..SQUARE_ROOT_PERCENT.len() {
            let half = 0.5_f64.powi(number as i32);
            measured.add(Cell::main(0), Contender::SquareRoot(number), run(1e9 / half, 1e8 * half));
        }
        measured.add(Cell::main(0), Contender::Advisor, run(3e9, 3e7));
        let found = memory(&measured, Contender::Advisor, "memory");
        assert!((found.value - 0.9).abs() < 1e-6, "{found:?}");
        measured.add(Cell::main(0), Contender::Advisor, run(1e8, 3e7));
        let beside = memory(&measured, Contender::Advisor, "memory");
        assert!(beside.value.is_nan() && beside.met.is_none() && beside.note.contains("1 cells"), "{beside:?}");
    }

    #[test]
    fn what_came_to_no_end_does_not_count() {
        let mut measured = Measured::default();
        measured.add(Cell::main(0), Contender::Adaptive, runs(0.0, 3));
        measured.add(Cell::main(0), Contender::Advisor, vec![None, None, runs(0.0, 1)[0]]);
        assert_eq!(measured.cost(Cell::main(0), Contender::Advisor), None);
        assert_eq!(measured.unfinished(Contender::Advisor), 1);
        assert!(counted_rows(&measured, &[program("p")])[0].value.is_nan());
    }
}
