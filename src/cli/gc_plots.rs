//! Plots of a journal, as SVG: occupancy, pauses against the goal, knobs over time, predicted against observed.
//!
//! A plot is a frame with named series; what they are is said here once, how they are drawn is the plotting crate's.

use plotters::prelude::*;
use std::path::{Path, PathBuf};
use tenure::Cycle;

const SIZE: (u32, u32) = (960, 420);
const COLORS: [RGBColor; 6] = [
    RGBColor(31, 119, 180),
    RGBColor(214, 39, 40),
    RGBColor(44, 160, 44),
    RGBColor(148, 103, 189),
    RGBColor(255, 127, 14),
    RGBColor(90, 90, 90),
];

/// A line, or dots, with its name.
struct Series {
    name: &'static str,
    points: Vec<(f64, f64)>,
    dots: bool,
}

struct Plot {
    file: &'static str,
    title: &'static str,
    x: &'static str,
    y: &'static str,
    series: Vec<Series>,
}

/// Draws all plots into a folder; the files that were made.
pub fn draw(cycles: &[Cycle], dir: &Path) -> Result<Vec<PathBuf>, String> {
    std::fs::create_dir_all(dir).map_err(|e| format!("can't make the folder `{}`: {e}", dir.display()))?;
    let mut files = Vec::new();
    for plot in plots(cycles) {
        let path = dir.join(plot.file);
        render(&plot, &path).map_err(|e| format!("can't draw `{}`: {e}", path.display()))?;
        files.push(path);
    }
    Ok(files)
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

fn plots(cycles: &[Cycle]) -> Vec<Plot> {
    let finished: Vec<&Cycle> = cycles.iter().filter(|c| !c.outcome.unfinished).collect();
    let over_time = |name, dots, value: fn(&Cycle) -> f64| {
        let point = |c: &&Cycle| (c.snapshot.uptime_ns as f64 * 1e-9, value(c));
        Series { name, dots, points: finished.iter().map(point).collect() }
    };
    let occupancy = vec![
        over_time("committed", false, |c| mib(c.snapshot.committed_bytes)),
        over_time("old and large", false, |c| mib(c.snapshot.old_bytes + c.snapshot.large_bytes)),
        over_time("live at the last marking", false, |c| mib(c.snapshot.live_bytes)),
        over_time("heap target", false, |c| mib(c.decision.knobs.heap_target_bytes)),
    ];
    let pauses = vec![
        over_time("pause", true, |c| c.outcome.pause_ns as f64 * 1e-6),
        over_time("goal", false, |c| c.snapshot.pause_goal_ns as f64 * 1e-6),
        over_time("predicted", false, |c| c.decision.predicted_pause_ns * 1e-6),
    ];
    let sizes = vec![
        over_time("young", false, |c| mib(c.decision.knobs.young_bytes).log2()),
        over_time("old region", false, |c| mib(c.decision.knobs.old_region_bytes).log2()),
        over_time("eden region", false, |c| mib(c.decision.knobs.eden_region_bytes).log2()),
        over_time("heap target", false, |c| mib(c.decision.knobs.heap_target_bytes).log2()),
    ];
    let shares = vec![
        over_time("marking starts at", false, |c| c.decision.knobs.concurrent_start_share * 100.0),
        over_time("collector's share of CPU", false, |c| c.snapshot.gc_cpu_share * 100.0),
    ];
    let pair = |c: &&Cycle| (c.decision.predicted_pause_ns * 1e-6, c.outcome.pause_ns as f64 * 1e-6);
    let predictions: Vec<(f64, f64)> = finished.iter().map(pair).filter(|p| p.0.is_finite()).collect();
    let most = predictions.iter().map(|p| p.0.min(p.1)).fold(0.0, f64::max);
    let against = vec![
        Series { name: "a pause", dots: true, points: predictions },
        Series { name: "as predicted", dots: false, points: vec![(0.0, 0.0), (most, most)] },
    ];
    vec![
        Plot { file: "occupancy.svg", title: "Occupancy", x: "seconds", y: "MiB", series: occupancy },
        Plot { file: "pauses.svg", title: "Pauses against the goal", x: "seconds", y: "ms", series: pauses },
        Plot { file: "sizes.svg", title: "Sizes that the policy set", x: "seconds", y: "log2 of MiB", series: sizes },
        Plot { file: "shares.svg", title: "Threshold and cost", x: "seconds", y: "percent", series: shares },
        Plot {
            file: "predictions.svg",
            title: "Pauses, predicted against observed",
            x: "predicted, ms",
            y: "observed, ms",
            series: against,
        },
    ]
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
    let mut chart = ChartBuilder::on(&root)
        .caption(plot.title, ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(56)
        .build_cartesian_2d(span(points().map(|p| p.0)), span(points().map(|p| p.1)))?;
    chart.configure_mesh().x_desc(plot.x).y_desc(plot.y).light_line_style(WHITE).draw()?;
    for (number, series) in plot.series.iter().enumerate() {
        let color = COLORS[number % COLORS.len()];
        let finite: Vec<(f64, f64)> =
            series.points.iter().copied().filter(|p| p.0.is_finite() && p.1.is_finite()).collect();
        let drawn = if series.dots {
            chart.draw_series(finite.iter().map(|&point| Circle::new(point, 2, color.filled())))?
        } else {
            chart.draw_series(LineSeries::new(finite, color))?
        };
        drawn.label(series.name).legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], color));
    }
    chart.configure_series_labels().background_style(WHITE.mix(0.85)).border_style(BLACK.mix(0.3)).draw()?;
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
