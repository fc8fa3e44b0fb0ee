//! `--profile`: where a script's CPU time went, as a picture or as folded stacks, and its hottest functions as a table.

use super::flame;
use super::size::show_ns;
use comfy_table::{CellAlignment, Table, presets};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tenure::{Profile, ProfiledFunction, Sampling};

/// Time between two samples.
const INTERVAL: Duration = Duration::from_millis(1);
/// Lines of the table.
const LINES_MAX: usize = 20;
/// Of a script that is no file.
const NAMELESS: &str = "tenure.profile.svg";

/// What a profile is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Svg,
    Folded,
}

fn form(path: &Path) -> Option<Form> {
    match path.extension()?.to_str()? {
        "svg" => Some(Form::Svg),
        "folded" => Some(Form::Folded),
        _ => None,
    }
}

/// The value of the option. Anything but these two endings might be a script that is meant to be run.
pub fn parse_path(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if form(&path).is_some() { Ok(path) } else { Err("a profile is written to FILE.svg or FILE.folded".into()) }
}

/// How samples are taken: by time, unless a test counts polls.
pub fn sampling(polls: Option<u64>) -> Sampling {
    polls.map_or(Sampling::Time(INTERVAL), Sampling::Polls)
}

/// The file that a profile goes to.
#[derive(Debug)]
pub struct Output {
    path: PathBuf,
    file: File,
    /// What is profiled.
    script: String,
}

impl Output {
    /// Makes the file, `FILE.profile.svg` for `FILE.ten` unless another was asked for; what was there is lost.
    ///
    /// # Errors
    /// One line: it can't be made.
    pub fn create(path: Option<PathBuf>, script: &str) -> Result<Output, String> {
        let of_script =
            || if script.starts_with('<') { NAMELESS.into() } else { Path::new(script).with_extension("profile.svg") };
        let path = path.unwrap_or_else(of_script);
        match File::create(&path) {
            Ok(file) => Ok(Output { path, file, script: script.into() }),
            Err(error) => Err(cant_write(&path, &error)),
        }
    }

    /// Writes it; gives the table for people.
    ///
    /// # Errors
    /// One line: it can't be written.
    pub fn write(mut self, profile: &Profile) -> Result<String, String> {
        let title = format!("{}: {}", self.script, scope(profile));
        let text = match form(&self.path) {
            Some(Form::Folded) => profile.folded(),
            _ => flame::svg(profile, &title),
        };
        self.file.write_all(text.as_bytes()).map_err(|error| cant_write(&self.path, &error))?;
        Ok(format!("{}{}, in {}\n", table(profile), scope(profile), self.path.display()))
    }
}

fn cant_write(path: &Path, error: &std::io::Error) -> String {
    format!("can't write `{}`: {error}", path.display())
}

fn scope(profile: &Profile) -> String {
    format!("{} samples of {}", profile.samples(), show_weight(profile.sampling(), profile.total()))
}

/// A weight with its unit.
pub fn show_weight(sampling: Sampling, weight: u64) -> String {
    match sampling {
        Sampling::Time(_) => format!("{} CPU", show_ns(weight)),
        Sampling::Polls(_) => format!("{weight} polls"),
    }
}

/// A weight as a share of all.
pub fn show_share(profile: &Profile, weight: u64) -> String {
    format!("{:.1} %", weight as f64 * 100.0 / profile.total().max(1) as f64)
}

fn table(profile: &Profile) -> String {
    let mut hottest: Vec<&ProfiledFunction> = profile.functions().iter().collect();
    hottest.sort_by(|a, b| (b.own, b.total).cmp(&(a.own, a.total)).then_with(|| a.name.cmp(&b.name)));
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(["self", "total", "function"]);
    for function in hottest.into_iter().take(LINES_MAX) {
        table.add_row([show_share(profile, function.own), show_share(profile, function.total), function.to_string()]);
    }
    for column in table.column_iter_mut().take(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    format!("{table}\n")
}
