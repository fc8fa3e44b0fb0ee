//! Plots of a journal, as SVG: occupancy, pauses against the goal, knobs over time, predicted against observed, forecasts against
//! what came, and the program's class.
//!
//! A plot is a frame with named series; what they are is said here once, how they are drawn is the plotting crate's.
//! The legend has a margin of its own, so that it never covers what it explains.

use super::gc_foretold::Told;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::path::{Path, PathBuf};
use tenure::Cycle;
use tenure_advisor::{Forecast, Quantity, WorkloadClass};

const SIZE: (u32, u32) = (1040, 420);
/// Width of the legend's margin.
const LEGEND: u32 = 190;
const FONT: &str = "sans-serif";
const COLORS: [RGBColor; 6] = [
    RGBColor(31, 119, 180),
    RGBColor(214, 39, 40),
    RGBColor(44, 160, 44),
    RGBColor(148, 103, 189),
    RGBColor(225, 110, 10),
    RGBColor(90, 90, 90),
];

/// How a series is drawn.
#[derive(Clone, Copy, PartialEq)]
enum Mark {
    Line,
    Dots,
    /// A closed outline, filled.
    Band,
}

/// What is drawn in one colour, with its name.
struct Series {
    name: &'static str,
    points: Vec<(f64, f64)>,
    mark: Mark,
}

struct Plot {
    file: &'static str,
    title: &'static str,
    x: &'static str,
    y: &'static str,
    series: Vec<Series>,
    /// Names of the heights 0, 1, 2, … instead of numbers.
    names: &'static [&'static str],
}

/// Draws all plots into a folder; the files that were made. `told` is of the same cycles.
pub fn draw(cycles: &[Cycle], told: &[Told], dir: &Path) -> Result<Vec<PathBuf>, String> {
    std::fs::create_dir_all(dir).map_err(|e| format!("can't make the folder `{}`: {e}", dir.display()))?;
    let mut files = Vec::new();
    let foretold =
        [forecast(cycles, told, Quantity::Allocation), forecast(cycles, told, Quantity::Live), classes(cycles, told)];
    for plot in plots(cycles).iter().chain(&foretold) {
        let path = dir.join(plot.file);
        render(plot, &path).map_err(|e| format!("can't draw `{}`: {e}", path.display()))?;
        files.push(path);
    }
    Ok(files)
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

fn seconds(cycle: &Cycle) -> f64 {
    cycle.snapshot.uptime_ns as f64 * 1e-9
}

fn plots(cycles: &[Cycle]) -> Vec<Plot> {
    let finished: Vec<&Cycle> = cycles.iter().filter(|c| !c.outcome.unfinished).collect();
    let over_time = |name, mark, value: fn(&Cycle) -> f64| {
        let point = |c: &&Cycle| (seconds(c), value(c));
        Series { name, mark, points: finished.iter().map(point).collect() }
    };
    let occupancy = vec![
        over_time("committed", Mark::Line, |c| mib(c.snapshot.committed_bytes)),
        over_time("old and large", Mark::Line, |c| mib(c.snapshot.old_bytes + c.snapshot.large_bytes)),
        over_time("live at the last marking", Mark::Line, |c| mib(c.snapshot.live_bytes)),
        over_time("heap target", Mark::Line, |c| mib(c.decision.knobs.heap_target_bytes)),
    ];
    let pauses = vec![
        over_time("pause", Mark::Dots, |c| c.outcome.pause_ns as f64 * 1e-6),
        over_time("goal", Mark::Line, |c| c.snapshot.pause_goal_ns as f64 * 1e-6),
        over_time("predicted", Mark::Line, |c| c.decision.predicted_pause_ns * 1e-6),
    ];
    let sizes = vec![
        over_time("young", Mark::Line, |c| mib(c.decision.knobs.young_bytes).log2()),
        over_time("old region", Mark::Line, |c| mib(c.decision.knobs.old_region_bytes).log2()),
        over_time("eden region", Mark::Line, |c| mib(c.decision.knobs.eden_region_bytes).log2()),
        over_time("heap target", Mark::Line, |c| mib(c.decision.knobs.heap_target_bytes).log2()),
    ];
    let shares = vec![
        over_time("marking starts at", Mark::Line, |c| c.decision.knobs.concurrent_start_share * 100.0),
        over_time("collector's share of CPU", Mark::Line, |c| c.snapshot.gc_cpu_share * 100.0),
    ];
    let pair = |c: &&Cycle| (c.decision.predicted_pause_ns * 1e-6, c.outcome.pause_ns as f64 * 1e-6);
    let predictions: Vec<(f64, f64)> = finished.iter().map(pair).filter(|p| p.0.is_finite()).collect();
    let most = predictions.iter().map(|p| p.0.min(p.1)).fold(0.0, f64::max);
    let against = vec![
        Series { name: "a pause", mark: Mark::Dots, points: predictions },
        Series { name: "as predicted", mark: Mark::Line, points: vec![(0.0, 0.0), (most, most)] },
    ];
    let plot = |file, title, y, series| Plot { file, title, x: "seconds", y, series, names: &[] };
    vec![
        plot("occupancy.svg", "Occupancy", "MiB", occupancy),
        plot("pauses.svg", "Pauses against the goal", "ms", pauses),
        plot("sizes.svg", "Sizes that the policy set", "log2 of MiB", sizes),
        plot("shares.svg", "Threshold and cost", "percent", shares),
        Plot {
            x: "predicted, ms",
            ..plot("predictions.svg", "Pauses, predicted against observed", "observed, ms", against)
        },
    ]
}

/// The next cycle as it was foretold, in bounds that nine in ten should keep, and as it came.
fn forecast(cycles: &[Cycle], told: &[Told], quantity: Quantity) -> Plot {
    let next = |told: &Told| Some((told.outlooks[quantity as usize]?.cycles[0], told.came[quantity as usize][0]?));
    let (file, title, y, unit) = match quantity {
        Quantity::Allocation => ("allocation.svg", "Allocation rate of the next cycle", "MiB a CPU second", 1e9),
        Quantity::Promotion => ("promotion.svg", "Promotion rate of the next cycle", "MiB a CPU second", 1e9),
        Quantity::Live => ("live.svg", "Live bytes after the next cycle", "MiB", 1.0),
    };
    let foretold: Vec<(f64, Forecast, f64)> = cycles
        .iter()
        .zip(told)
        .filter_map(|(cycle, told)| next(told).map(|(forecast, came)| (seconds(cycle), forecast, came)))
        .collect();
    let scale = unit / f64::from(1 << 20);
    let line = |value: fn(&Forecast) -> f64| foretold.iter().map(move |(x, forecast, _)| (*x, value(forecast) * scale));
    let outline: Vec<(f64, f64)> = line(|f| f.low).chain(line(|f| f.high).rev()).collect();
    let series = vec![
        Series { name: "nine in ten", mark: Mark::Band, points: outline },
        Series {
            name: "came",
            mark: Mark::Dots,
            points: foretold.iter().map(|(x, _, came)| (*x, came * scale)).collect(),
        },
        Series { name: "foretold", mark: Mark::Line, points: line(|f| f.mid).collect() },
    ];
    Plot { file, title, x: "seconds", y, series, names: &[] }
}

const CLASS_NAMES: [&str; WorkloadClass::ALL.len()] = {
    let mut names = [""; WorkloadClass::ALL.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = WorkloadClass::ALL[at].name();
        at += 1;
    }
    names
};

fn classes(cycles: &[Cycle], told: &[Told]) -> Plot {
    let point = |(cycle, told): (&Cycle, &Told)| (seconds(cycle), f64::from(told.label.class as u8));
    let points = cycles.iter().zip(told).map(point).collect();
    Plot {
        file: "class.svg",
        title: "Class of the workload",
        x: "seconds",
        y: "",
        series: vec![Series { name: "class", mark: Mark::Dots, points }],
        names: &CLASS_NAMES,
    }
}

/// From the least to the most of what is drawn, with zero where that is near; never empty.
fn span(values: impl Iterator<Item = f64>) -> std::ops::Range<f64> {
    let (low, high) = values.filter(|v| v.is_finite()).fold((0.0_f64, 0.0_f64), |(l, h), v| (l.min(v), h.max(v)));
    let room = (high - low) * 0.05;
    if room > 0.0 { low..high + room } else { 0.0..1.0 }
}

fn render(plot: &Plot, path: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let points = || plot.series.iter().flat_map(|series| &series.points);
    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let (frame, margin) = root.split_horizontally(SIZE.0 - LEGEND);
    let heights = if plot.names.is_empty() { span(points().map(|p| p.1)) } else { -0.5..plot.names.len() as f64 - 0.5 };
    let mut chart = ChartBuilder::on(&frame)
        .caption(plot.title, (FONT, 18))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(if plot.names.is_empty() { 60 } else { 110 })
        .build_cartesian_2d(span(points().map(|p| p.0)), heights)?;
    let height = |y: &f64| match plot.names.get(y.round() as usize) {
        Some(name) if (y - y.round()).abs() < 1e-6 => (*name).to_owned(),
        Some(_) => String::new(),
        None if y.abs() < 10.0 && y.fract() != 0.0 => format!("{y:.1}"),
        None => format!("{y:.0}"),
    };
    chart.configure_mesh().x_desc(plot.x).y_desc(plot.y).y_label_formatter(&height).light_line_style(WHITE).draw()?;
    for (number, series) in plot.series.iter().enumerate() {
        let color = COLORS[number % COLORS.len()];
        let finite: Vec<(f64, f64)> =
            series.points.iter().copied().filter(|p| p.0.is_finite() && p.1.is_finite()).collect();
        match series.mark {
            Mark::Dots => drop(chart.draw_series(finite.into_iter().map(|at| Circle::new(at, 2, color.filled())))?),
            Mark::Line => drop(chart.draw_series(LineSeries::new(finite, color.stroke_width(2)))?),
            Mark::Band => drop(chart.draw_series([Polygon::new(finite, color.mix(0.25))])?),
        }
        let y = 48 + 22 * number as i32;
        match series.mark {
            Mark::Dots => margin.draw(&Circle::new((12, y), 3, color.filled()))?,
            Mark::Line => margin.draw(&PathElement::new([(4, y), (20, y)], color.stroke_width(2)))?,
            Mark::Band => margin.draw(&Rectangle::new([(4, y - 6), (20, y + 6)], color.mix(0.25).filled()))?,
        }
        let style = (FONT, 13).into_text_style(&margin).pos(Pos::new(HPos::Left, VPos::Center));
        margin.draw(&Text::new(series.name, (28, y), style))?;
    }
    root.present()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_hold_zero_and_are_never_empty() {
        assert_eq!(span([2.0, f64::NAN, 10.0].into_iter()), 0.0..10.5);
        assert_eq!(span([].into_iter()), 0.0..1.0);
        assert!(span([-2.0, 2.0].into_iter()).contains(&-2.0));
    }
}
