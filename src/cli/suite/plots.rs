//! The suite's pictures, as SVG: costs by program and policy, memory against the collector's CPU, missed pauses, sweeps.

use super::cells::Cell;
use super::contender::{Contender, RATIO_PERCENT, SQUARE_ROOT_PERCENT};
use super::cost::Figures;
use super::judge::Measured;
use super::knobs::{COUNTERS, Sweep};
use super::measure::Results;
use super::stats::{Interval, mean};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::path::Path;

type Drawn = Result<(), Box<dyn std::error::Error>>;
type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

const BLUE: RGBColor = RGBColor(31, 119, 180);
const RED: RGBColor = RGBColor(214, 39, 40);
const GREEN: RGBColor = RGBColor(44, 160, 44);
const ORANGE: RGBColor = RGBColor(255, 127, 14);
const GREY: RGBColor = RGBColor(120, 120, 120);
const COLORS: [RGBColor; 5] = [BLUE, RED, GREEN, ORANGE, GREY];

/// A program's place on one series.
struct Dot {
    series: usize,
    at: f64,
    value: f64,
    interval: Option<Interval>,
}

/// Draws them all into a folder.
pub fn draw(results: &Results, dir: &Path) -> Result<(), String> {
    std::fs::create_dir_all(dir).map_err(|e| format!("can't make the folder `{}`: {e}", dir.display()))?;
    file(dir, "costs.svg", (960, height(results.programs.len())), |area| costs(results, area))?;
    file(dir, "memory.svg", (720, 480), |area| memory(&results.real, area))?;
    file(dir, "memory-simulated.svg", (720, 480), |area| memory(&results.simulated, area))?;
    let missing = missing(&results.real);
    file(dir, "violations.svg", (960, height(missing.len())), |area| violations(results, &missing, area))
}

/// Draws the sweeps of all knobs into a folder.
pub fn sweeps(sweeps: &[Sweep], dir: &Path) -> Result<(), String> {
    std::fs::create_dir_all(dir).map_err(|e| format!("can't make the folder `{}`: {e}", dir.display()))?;
    let rows = sweeps.len().div_ceil(2);
    file(dir, "knobs.svg", (960, 210 * rows as u32), |area| {
        for (panel, sweep) in area.split_evenly((rows, 2)).iter().zip(sweeps) {
            knob(sweep, panel)?;
        }
        Ok(())
    })
}

fn file(dir: &Path, name: &str, size: (u32, u32), picture: impl Fn(&Area) -> Drawn) -> Result<(), String> {
    let path = dir.join(name);
    let drawn = || -> Drawn {
        let area = SVGBackend::new(&path, size).into_drawing_area();
        area.fill(&WHITE)?;
        picture(&area)?;
        area.present()?;
        Ok(())
    };
    drawn().map_err(|e| format!("can't draw `{}`: {e}", path.display()))
}

/// A range of logarithms that holds those of all values, and of 1, with some room. Axes are linear in logarithms and labelled
/// with what they stand for: that gives more labels than a logarithmic axis has between two powers of ten.
fn around(values: impl Iterator<Item = f64>) -> std::ops::Range<f64> {
    let fold = |(low, high): (f64, f64), value: f64| (low.min(value), high.max(value));
    let (low, high) = values.map(f64::ln).filter(|ln| ln.is_finite()).fold((0.0, 0.0), fold);
    let room = ((high - low) * 0.06).max(0.02);
    low - room..high + room
}

/// The label of a logarithm.
fn factor(ln: &f64) -> String {
    format!("{:.2}", ln.exp())
}

/// Rows of a picture with a line a program, and those below them that the legend takes.
const ROW_PIXELS: u32 = 20;
const LEGEND_ROWS: f64 = 5.0;

/// The height of such a picture.
fn height(rows: usize) -> u32 {
    80 + ROW_PIXELS * (rows as u32 + LEGEND_ROWS as u32)
}

/// Writes the names of rows beside them.
fn name_rows(area: &Area, names: impl Iterator<Item = String>, place: impl Fn(f64) -> (i32, i32)) -> Drawn {
    let right = Pos::new(HPos::Right, VPos::Center);
    for (row, name) in names.enumerate() {
        let (x, y) = place(row as f64);
        area.draw(&Text::new(name, (x - 8, y), ("sans-serif", 12).into_font().color(&BLACK).pos(right)))?;
    }
    Ok(())
}

/// Each program's cost under each policy, as a ratio to adaptive's.
fn costs(results: &Results, area: &Area) -> Drawn {
    let drawn = [
        (Contender::Advisor, "advisor, with its interval", BLUE),
        (Contender::Best, "best single static", ORANGE),
        (Contender::Oracle, "oracle", GREEN),
        (Contender::Default, "static default", GREY),
    ];
    let mut dots: Vec<Dot> = Vec::new();
    for program in 0..results.programs.len() {
        let all: Vec<Cell> = results.real.cells().into_iter().filter(|cell| cell.program == program).collect();
        for (series, (contender, _, _)) in drawn.iter().enumerate() {
            let cells = if *contender == Contender::Oracle { vec![Cell::main(program)] } else { all.clone() };
            let Some(ratio) = results.real.ratio(&cells, *contender, Contender::Adaptive) else { continue };
            let interval = (series == 0).then_some(ratio.interval);
            dots.push(Dot { series, at: program as f64, value: ratio.value, interval });
        }
    }
    let ends = dots
        .iter()
        .flat_map(|dot| [dot.value, dot.interval.map_or(1.0, |i| i.low), dot.interval.map_or(1.0, |i| i.high)]);
    let x = around(ends);
    let y = results.programs.len() as f64;
    let mut chart = ChartBuilder::on(area)
        .caption("Cost against the adaptive policy's, by program", ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(150)
        .build_cartesian_2d(x.clone(), y + LEGEND_ROWS - 0.5..-0.5)?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .y_labels(0)
        .x_label_formatter(&factor)
        .label_style(("sans-serif", 12))
        .x_desc("ratio of costs; left is better")
        .light_line_style(WHITE)
        .draw()?;
    chart.draw_series([PathElement::new([(0.0, -0.5), (0.0, y - 0.5)], GREY)])?;
    let names = results.programs.iter().map(|program| program.name.clone());
    name_rows(area, names, |row| chart.backend_coord(&(x.start, row)))?;
    for (series, (_, label, color)) in drawn.iter().enumerate().rev() {
        let own = || dots.iter().filter(move |dot| dot.series == series);
        let bar = |dot: &Dot| {
            let line = |interval: Interval| [(interval.low.ln(), dot.at), (interval.high.ln(), dot.at)];
            dot.interval.map(|interval| PathElement::new(line(interval), color.stroke_width(2)))
        };
        chart.draw_series(own().filter_map(bar))?;
        chart
            .draw_series(own().map(|dot| Circle::new((dot.value.ln(), dot.at), 4, color.filled())))?
            .label(*label)
            .legend(move |at| Circle::new(at, 4, color.filled()));
    }
    legend(&mut chart, SeriesLabelPosition::LowerRight)
}

/// The collector's CPU and the memory of a contender against adaptive's, geometric means over cells.
fn place(measured: &Measured, cells: &[Cell], contender: Contender) -> Option<(f64, f64)> {
    let against = |of: fn(&Figures) -> f64| {
        let logs = cells.iter().filter_map(|&cell| {
            let (own, base) = (measured.median(cell, contender, of)?, measured.median(cell, Contender::Adaptive, of)?);
            (own > 0.0 && base > 0.0).then(|| (own / base).ln())
        });
        mean(logs).exp()
    };
    let point = (against(|f| f.gc_cpu_ns), against(|f| f.committed_bytes));
    (point.0.is_finite() && point.1.is_finite()).then_some(point)
}

fn memory(measured: &Measured, area: &Area) -> Drawn {
    // only cells in which all constants came to an end, so that all points speak of the same
    let whole = |cell: &Cell| Contender::swept().all(|contender| measured.cost(*cell, contender).is_some());
    let cells: Vec<Cell> = measured.cells().into_iter().filter(whole).collect();
    let at = |contender| place(measured, &cells, contender);
    let roots: Vec<(f64, f64)> = (0..SQUARE_ROOT_PERCENT.len()).filter_map(|i| at(Contender::SquareRoot(i))).collect();
    let ratios: Vec<(f64, f64)> = (0..RATIO_PERCENT.len()).filter_map(|i| at(Contender::Ratio(i))).collect();
    let points = [
        (Contender::Adaptive, "adaptive", GREY),
        (Contender::Best, "best single static", ORANGE),
        (Contender::Advisor, "advisor", BLUE),
        (Contender::AdvisorMemory, "advisor, to save memory", RGBColor(23, 190, 207)),
    ];
    let placed: Vec<((f64, f64), &str, RGBColor)> =
        points.iter().filter_map(|(contender, name, color)| Some((at(*contender)?, *name, *color))).collect();
    let all = || roots.iter().chain(&ratios).copied().chain(placed.iter().map(|(point, _, _)| *point));
    let mut chart = ChartBuilder::on(area)
        .caption(format!("Memory against the collector's CPU, {} cells", cells.len()), ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(60)
        .build_cartesian_2d(around(all().map(|p| p.0)), around(all().map(|p| p.1)))?;
    chart
        .configure_mesh()
        .x_desc("GC CPU against adaptive's")
        .y_desc("memory committed, against adaptive's")
        .x_label_formatter(&factor)
        .y_label_formatter(&factor)
        .label_style(("sans-serif", 12))
        .light_line_style(WHITE)
        .draw()?;
    let ln = |(x, y): (f64, f64)| (x.ln(), y.ln());
    for (curve, name, color) in [(roots, "square-root rule", RED), (ratios, "constant ratio", GREEN)] {
        chart
            .draw_series(LineSeries::new(curve.into_iter().map(ln), color.stroke_width(2)).point_size(3))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x - 6, y), (x + 8, y)], color.stroke_width(2)));
    }
    for (point, name, color) in placed {
        chart
            .draw_series([Circle::new(ln(point), 5, color.filled())])?
            .label(name)
            .legend(move |at| Circle::new(at, 5, color.filled()));
    }
    legend(&mut chart, SeriesLabelPosition::UpperRight)
}

/// What the colours mean, in a corner.
fn legend<'a, 'b: 'a, X: Ranged, Y: Ranged>(
    chart: &mut ChartContext<'a, SVGBackend<'b>, Cartesian2d<X, Y>>,
    corner: SeriesLabelPosition,
) -> Drawn {
    chart
        .configure_series_labels()
        .position(corner)
        .background_style(WHITE.mix(0.85))
        .border_style(BLACK.mix(0.3))
        .draw()?;
    Ok(())
}

/// Cells in which either policy misses the goal at all: adaptive's share, the advisor's.
fn missing(measured: &Measured) -> Vec<(Cell, f64, f64)> {
    let shares = |cell: Cell| {
        let share = |contender| measured.median(cell, contender, Figures::missed_share);
        Some((cell, share(Contender::Adaptive)?, share(Contender::Advisor)?))
    };
    measured.cells().into_iter().filter_map(shares).filter(|(_, a, b)| *a > 0.0 || *b > 0.0).collect()
}

fn violations(results: &Results, missing: &[(Cell, f64, f64)], area: &Area) -> Drawn {
    let most = missing.iter().map(|(_, a, b)| a.max(*b)).fold(0.01, f64::max) * 100.0;
    let count = missing.len().max(1) as f64;
    let mut chart = ChartBuilder::on(area)
        .caption("Pauses longer than the goal", ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(240)
        .build_cartesian_2d(0.0..most * 1.05, count + LEGEND_ROWS - 0.5..-0.5)?;
    let name = |(cell, _, _): &(Cell, f64, f64)| {
        format!("{}, {} %, {} ms", results.programs[cell.program].name, cell.heap_percent, cell.goal_ms)
    };
    name_rows(area, missing.iter().map(name), |row| chart.backend_coord(&(0.0, row)))?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .y_labels(0)
        .x_desc("percent of pauses")
        .label_style(("sans-serif", 12))
        .light_line_style(WHITE)
        .draw()?;
    let between = |(at, (_, a, b)): (usize, &(Cell, f64, f64))| {
        PathElement::new([(a * 100.0, at as f64), (b * 100.0, at as f64)], GREY)
    };
    chart.draw_series(missing.iter().enumerate().map(between))?;
    for (label, color, advised) in [("adaptive", GREY, false), ("advisor", BLUE, true)] {
        let dot = |(at, (_, a, b)): (usize, &(Cell, f64, f64))| {
            Circle::new((if advised { *b } else { *a } * 100.0, at as f64), 4, color.filled())
        };
        chart
            .draw_series(missing.iter().enumerate().map(dot))?
            .label(label)
            .legend(move |at| Circle::new(at, 4, color.filled()));
    }
    legend(&mut chart, SeriesLabelPosition::LowerRight)
}

/// One knob's panel: each counter over the knob's values.
fn knob(sweep: &Sweep, area: &Area) -> Drawn {
    let all = sweep.relative.iter().flatten().copied();
    let x = 0.0..(sweep.values.len() as f64 - 1.0).max(1.0);
    let mut chart = ChartBuilder::on(area)
        .caption(sweep.knob, ("sans-serif", 15))
        .margin(8)
        .x_label_area_size(24)
        .y_label_area_size(40)
        .build_cartesian_2d(x, around(all))?;
    let value = |at: &f64| {
        let whole = at.fract().abs() < 1e-9;
        sweep.values.get(*at as usize).filter(|_| whole).map_or(String::new(), f64::to_string)
    };
    chart
        .configure_mesh()
        .x_labels(sweep.values.len())
        .x_label_formatter(&value)
        .y_labels(5)
        .y_label_formatter(&factor)
        .light_line_style(WHITE)
        .draw()?;
    for (counter, (name, _)) in COUNTERS.iter().enumerate().take(COLORS.len()) {
        let color = COLORS[counter];
        let points = sweep.relative.iter().enumerate().map(|(at, value)| (at as f64, value[counter].ln()));
        chart
            .draw_series(LineSeries::new(points.filter(|p| p.1.is_finite()), color.stroke_width(2)).point_size(2))?
            .label(*name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 12, y)], color.stroke_width(2)));
    }
    chart.configure_series_labels().background_style(WHITE.mix(0.7)).label_font(("sans-serif", 10)).draw()?;
    Ok(())
}
