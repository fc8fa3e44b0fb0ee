//! What the race says: a table, JSON with every run, and a picture.
//!
//! It must never know how a figure came about. Ratios are ours ÷ theirs, below 1 we are ahead; each is the median of the
//! ratios of runs made side by side.

use crate::figures::{geometric_mean, median, quantile};
use crate::machine::{self, Load};
use crate::measure::Usage;
use crate::peer::Peer;
use crate::programs::HELLO;
use plotters::prelude::*;
use serde_json::json;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;

/// One program's runs.
pub struct Entry {
    pub program: &'static str,
    pub ours: Vec<Usage>,
    pub theirs: Vec<(Peer, Vec<Usage>)>,
}

/// All that was measured so far.
pub struct Report {
    head: String,
    load: Load,
    peers: Vec<Peer>,
    entries: Vec<Entry>,
}

fn ratios(ours: &[Usage], theirs: &[Usage], figure: impl Fn(&Usage) -> f64) -> Vec<f64> {
    ours.iter().zip(theirs).map(|(a, b)| figure(a) / figure(b)).collect()
}

fn median_of(usages: &[Usage], figure: fn(&Usage) -> f64) -> f64 {
    median(&usages.iter().map(figure).collect::<Vec<f64>>())
}

/// The figures that have a geometric mean, by name.
type Figure = (&'static str, fn(&Usage) -> f64);
const FIGURES: [Figure; 3] =
    [("CPU", |u| u.cpu_s), ("wall time", |u| u.wall_s), ("peak memory", |u| u.peak_bytes as f64)];

impl Entry {
    fn of(&self, peer: Peer) -> Option<&[Usage]> {
        self.theirs.iter().find(|(p, _)| *p == peer).map(|(_, usages)| usages.as_slice())
    }

    fn ratio(&self, peer: Peer, figure: fn(&Usage) -> f64) -> Option<f64> {
        Some(median(&ratios(&self.ours, self.of(peer)?, figure)))
    }

    /// One row: our figures, then CPU ratio with the middle half of its runs, and memory ratio, for each peer.
    fn row(&self, peers: &[Peer]) -> String {
        let cpu_s = median_of(&self.ours, |u| u.cpu_s);
        let peak_mib = median_of(&self.ours, |u| u.peak_bytes as f64 / (1 << 20) as f64);
        let mut row = format!("| {} | {cpu_s:.3} | {peak_mib:.0} |", self.program);
        for peer in peers {
            let Some(theirs) = self.of(*peer) else {
                row += " – | – |";
                continue;
            };
            let cpu = ratios(&self.ours, theirs, |u| u.cpu_s);
            let at = |share| quantile(&cpu, share);
            let memory = median(&ratios(&self.ours, theirs, |u| u.peak_bytes as f64));
            write!(row, " {:.2} ({:.2}–{:.2}) | {memory:.2} |", median(&cpu), at(0.25), at(0.75)).expect("text");
        }
        row + "\n"
    }
}

impl Report {
    pub fn new(runs: usize, peers: &[Peer], missing: &[Peer]) -> Report {
        let mut head = format!(
            "# The race\nMade by `cargo bench --bench race -- --record`; {}; {runs} interleaved runs.\n",
            machine::description()
        );
        for peer in peers {
            let version = peer.version().unwrap_or_default();
            writeln!(head, "{}: {version}.", peer.name()).expect("text");
        }
        for peer in missing {
            writeln!(head, "{} is not installed here: skipped.", peer.name()).expect("text");
        }
        head += "\nMedians of CPU seconds (user and system) and peak resident MiB of whole processes; then, for each peer, ours ÷ theirs: CPU with the middle half of its runs, and peak memory.\n\n| program | CPU s | MiB |";
        for peer in peers {
            write!(head, " {} CPU | memory |", peer.name()).expect("text");
        }
        head += "\n|---|---|---|";
        head += &"---|---|".repeat(peers.len());
        head += "\n";
        Report { head, load: Load::now(), peers: peers.to_vec(), entries: Vec::new() }
    }

    pub fn head(&self) -> &str {
        &self.head
    }

    /// Takes a program in; gives its row.
    pub fn add(&mut self, entry: Entry) -> String {
        let row = entry.row(&self.peers);
        self.entries.push(entry);
        row
    }

    fn raced(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.program != HELLO)
    }

    /// Geometric means over the programs that a peer has.
    pub fn means(&self) -> String {
        let mut text = String::from("\n| geometric mean of | ");
        self.peers.iter().for_each(|peer| write!(text, "{} | ", peer.name()).expect("text"));
        text += "\n|---|";
        text += &"---|".repeat(self.peers.len());
        text += "\n";
        for (name, figure) in FIGURES {
            self.mean_row(&mut text, name, |entry, peer| entry.ratio(peer, figure));
        }
        let hello: HashMap<Peer, (f64, f64)> = self.net_of();
        self.mean_row(&mut text, "CPU net of hello world", |entry, peer| {
            let (ours, theirs) = hello.get(&peer)?;
            let theirs_s = median_of(entry.of(peer)?, |u| u.cpu_s) - theirs;
            let ours_s = median_of(&entry.ours, |u| u.cpu_s) - ours;
            (theirs_s > 0.0 && ours_s > 0.0).then_some(ours_s / theirs_s)
        });
        text + &format!("\n{}.\n", self.load.until_now())
    }

    /// What hello world costs us and each peer.
    fn net_of(&self) -> HashMap<Peer, (f64, f64)> {
        let Some(hello) = self.entries.iter().find(|entry| entry.program == HELLO) else { return HashMap::new() };
        let cpu_s = |usages: &[Usage]| median_of(usages, |u| u.cpu_s);
        hello.theirs.iter().map(|(peer, usages)| (*peer, (cpu_s(&hello.ours), cpu_s(usages)))).collect()
    }

    fn mean_row(&self, text: &mut String, name: &str, ratio: impl Fn(&Entry, Peer) -> Option<f64>) {
        write!(text, "| {name} |").expect("text");
        for peer in &self.peers {
            let ratios: Vec<f64> = self.raced().filter_map(|entry| ratio(entry, *peer)).collect();
            let mean = geometric_mean(&ratios);
            if ratios.is_empty() {
                *text += " – |";
            } else {
                write!(text, " {mean:.2} of {} |", ratios.len()).expect("text");
            }
        }
        *text += "\n";
    }

    /// Writes `race.md` and `race.json` to the records, and `race.svg` to the book, which shows it.
    pub fn write(&self, root: &Path) {
        let folder = root.join("tests/bench/record");
        let rows: String = self.entries.iter().map(|entry| entry.row(&self.peers)).collect();
        let table = format!("{}{rows}{}", self.head, self.means());
        std::fs::write(folder.join("race.md"), table).expect("the record can be written");
        let json = serde_json::to_string_pretty(&self.json()).expect("figures are JSON");
        std::fs::write(folder.join("race.json"), json + "\n").expect("the record can be written");
        self.draw(&root.join("book/src/race.svg")).expect("the picture can be drawn");
    }

    fn json(&self) -> serde_json::Value {
        let runs = |usages: &[Usage]| -> serde_json::Value {
            usages.iter().map(|u| json!({ "cpu_s": u.cpu_s, "wall_s": u.wall_s, "peak_bytes": u.peak_bytes })).collect()
        };
        let programs = self.entries.iter().map(|entry| {
            let mut contenders = serde_json::Map::new();
            contenders.insert("Tenure".into(), runs(&entry.ours));
            entry.theirs.iter().for_each(|(peer, usages)| {
                contenders.insert(peer.name().into(), runs(usages));
            });
            json!({ "program": entry.program, "runs": contenders })
        });
        let (made, _) = self.head.split_once("\n\n").unwrap_or((&self.head, ""));
        json!({ "made": made, "programs": programs.collect::<Vec<_>>() })
    }

    /// A dot for each program and peer: CPU, ours ÷ theirs, on a logarithmic scale; left of the line we are ahead.
    fn draw(&self, path: &Path) -> Result<(), Box<dyn std::error::Error>> {
        let entries: Vec<&Entry> = self.raced().collect();
        let height = 90 + 22 * entries.len().max(1) as u32;
        let area = SVGBackend::new(path, (860, height)).into_drawing_area();
        area.fill(&WHITE)?;
        let rows = entries.len() as f64;
        let mut chart = ChartBuilder::on(&area)
            .caption("CPU, Tenure ÷ peer (left of 1: Tenure is ahead)", ("sans-serif", 16))
            .margin(10)
            .x_label_area_size(30)
            .y_label_area_size(150)
            .build_cartesian_2d((0.03..8.0f64).log_scale(), -0.5..rows - 0.5)?;
        let name = |y: &f64| {
            let at = rows - 1.0 - y.round();
            let entry = ((y - y.round()).abs() < 0.01 && at >= 0.0).then(|| entries.get(at as usize)).flatten();
            entry.map_or_else(String::new, |entry| entry.program.into())
        };
        chart
            .configure_mesh()
            .y_labels(entries.len().max(1) * 2)
            .y_label_formatter(&name)
            .x_label_formatter(&|x| format!("{x}"))
            .light_line_style(TRANSPARENT)
            .draw()?;
        chart.draw_series(LineSeries::new([(1.0, -0.5), (1.0, rows - 0.5)], BLACK.stroke_width(1)))?;
        for (at, peer) in self.peers.iter().enumerate() {
            let color = Palette99::pick(at).to_rgba();
            let dots = entries.iter().enumerate().filter_map(|(row, entry)| {
                let ratio = entry.ratio(*peer, |u| u.cpu_s)?;
                Some(Circle::new((ratio.clamp(0.03, 8.0), rows - 1.0 - row as f64), 4, color.filled()))
            });
            chart
                .draw_series(dots)?
                .label(peer.name())
                .legend(move |(x, y)| Circle::new((x + 8, y), 4, color.filled()));
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperRight)
            .background_style(WHITE.mix(0.8))
            .border_style(BLACK.mix(0.3))
            .draw()?;
        area.present()?;
        Ok(())
    }
}
