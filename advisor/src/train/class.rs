//! Finding workload classes, and fitting the classifier that tells them at run time.
//!
//! *Discovery*: linfa's k-means over standardised windows of [`Behaviour`], eight cycles apart. Starts are our own: one of a few
//! windows, evenly spread over the data, then always the one farthest from those taken (Gonzalez 1985), so nothing is drawn at
//! random; the start with the least inertia counts. The
//! number of clusters is the greatest whose silhouette (Rousseeuw 1987, simplified: distances to centres) is near the best, among
//! those that two halves of the families agree on (adjusted Rand index, Hubert and Arabie 1985).
//!
//! *Names*: each cluster gets the name that its centre stands out by, each name is given once.
//!
//! *Label*: linfa's Gaussian naive Bayes, fitted to the clusters. It is judged by how often it tells the cluster in a family that
//! was left out of its fit.

use std::collections::BTreeMap;

use linfa::DatasetBase;
use linfa::prelude::*;
use linfa_bayes::GaussianNb;
use linfa_clustering::{KMeans, KMeansInit};
use ndarray::{Array1, Array2};
use serde::Deserialize;

use crate::class::behaviour::{Behaviour, FEATURE_COUNT, FEATURES, at};
use crate::class::{CLASSES_MAX, ClassFile, ClassFit, ClassModel, ClassPrior, WorkloadClass, standardise};

use super::Run;

/// Cycles between windows.
const WINDOW: u64 = 8;
/// Windows taken of one run, evenly spread, so that a long run does not make a class of its own.
const RUN_WINDOWS_MAX: usize = 64;
/// With fewer windows there are no classes to be found.
const WINDOWS_MIN: usize = 40;
const CLUSTERS_MIN: usize = 3;
/// Agreement of two halves below which a number of clusters is not believed.
const STABILITY_MIN: f64 = 0.6;
/// How much of the silhouette may be given up for more clusters.
const SILHOUETTE_MARGIN: f64 = 0.05;
/// Starts of k-means.
const STARTS: usize = 8;
const ITERATIONS_MAX: u64 = 200;
const TOLERANCE: f64 = 1e-6;
/// Share of the windows' variance added to each class's, for features that stand still within one.
const SMOOTHING: f64 = 1e-2;
/// Outermost part of the windows that is pulled in, either way.
const TAIL: usize = 100;

type Vector = [f64; FEATURE_COUNT];

/// How good classes are, and where they are found.
#[derive(Clone, Debug)]
pub struct ClassReport {
    /// Windows they were found in.
    pub windows: usize,
    /// For each number of clusters tried: silhouette and agreement of two halves.
    pub tried: Vec<(usize, f64, f64)>,
    /// Share of windows whose cluster the classifier tells in families left out.
    pub told: f64,
    /// For each family, windows by class, in the order of the model.
    pub families: Vec<(String, Vec<usize>)>,
}

/// A stretch of a run.
struct Window {
    family: usize,
    features: Vector,
}

/// Finds classes in runs; none in too few.
pub fn fit(runs: &[Run]) -> Option<(ClassFile, ClassReport)> {
    let mut families: Vec<&str> = runs.iter().map(|run| run.family.as_str()).collect();
    families.sort_unstable();
    families.dedup();
    let windows: Vec<Window> = runs.iter().flat_map(|data| windows(data, &families)).collect();
    if windows.len() < WINDOWS_MIN {
        return None;
    }
    let ranges = ranges(&windows);
    let points: Vec<Vector> = windows.iter().map(|window| standardise(&ranges, &window.features)).collect();
    let halves: Vec<bool> = windows.iter().map(|window| window.family % 2 == 0).collect();
    let mut tried = Vec::new();
    for count in CLUSTERS_MIN..=CLASSES_MAX {
        let labels = nearest(&clusters(&points, count)?, &points);
        tried.push((count, silhouette(&points, &labels, count), stability(&points, &halves, count)?));
    }
    let count = best_count(&tried)?;
    let centres = clusters(&points, count)?;
    let labels = nearest(&centres, &points);
    let names = names(&centres);
    let all: Vec<usize> = (0..points.len()).collect();
    let mut file = file(&bayes(&points, &labels, &all)?, &ranges, &names);
    let priors = super::priors::of_classes(runs, &ClassModel::new(&file).ok()?);
    for (class, prior) in file.classes.iter_mut().zip(priors) {
        class.prior = prior;
    }
    let mut by_family: Vec<(String, Vec<usize>)> =
        families.iter().map(|name| ((*name).to_owned(), vec![0; count])).collect();
    for (window, label) in windows.iter().zip(&labels) {
        by_family[window.family].1[*label] += 1;
    }
    let told = told(&points, &labels, &windows, families.len(), &ranges, &names)?;
    Some((file, ClassReport { windows: windows.len(), tried, told, families: by_family }))
}

fn windows(data: &Run, families: &[&str]) -> Vec<Window> {
    let family = families.binary_search(&data.family.as_str()).expect("listed");
    let mut behaviour = Behaviour::default();
    let mut found = Vec::new();
    for cycle in data.cycles.iter().filter(|cycle| cycle.snapshot.cycle > 0) {
        behaviour.observe(&cycle.snapshot);
        if behaviour.seen() % WINDOW == 0 {
            found.push(Window { family, features: behaviour.features() });
        }
    }
    let step = found.len().div_ceil(RUN_WINDOWS_MAX).max(1);
    found.into_iter().step_by(step).collect()
}

/// Mean, deviation, least and most, the outermost hundredths pulled in.
fn ranges(windows: &[Window]) -> [[f64; 4]; FEATURE_COUNT] {
    std::array::from_fn(|i| {
        let mut values: Vec<f64> = windows.iter().map(|window| window.features[i]).collect();
        values.sort_unstable_by(f64::total_cmp);
        let cut = values.len() / TAIL;
        let (low, high) = (values[cut], values[values.len() - 1 - cut]);
        let count = values.len() as f64;
        let mean = values.iter().map(|v| v.clamp(low, high)).sum::<f64>() / count;
        let variance = values.iter().map(|v| (v.clamp(low, high) - mean).powi(2)).sum::<f64>() / count;
        [mean, if variance > 1e-12 { variance.sqrt() } else { 1.0 }, low, high]
    })
}

fn distance(a: &Vector, b: &Vector) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

fn matrix(points: impl ExactSizeIterator<Item = Vector>) -> Array2<f64> {
    let rows = points.len();
    let values: Vec<f64> = points.flatten().collect();
    Array2::from_shape_vec((rows, FEATURE_COUNT), values).expect("as many values as rows times features")
}

/// The centres of `count` clusters.
fn clusters(points: &[Vector], count: usize) -> Option<Vec<Vector>> {
    let data = DatasetBase::from(matrix(points.iter().copied()));
    let fit = |number: usize| {
        let start = start(points, points.len() * number / STARTS, count);
        KMeans::params(count)
            .init_method(KMeansInit::Precomputed(matrix(start.into_iter())))
            .n_runs(1)
            .max_n_iterations(ITERATIONS_MAX)
            .tolerance(TOLERANCE)
            .fit(&data)
            .ok()
    };
    let best = (0..STARTS).filter_map(fit).min_by(|a, b| a.inertia().total_cmp(&b.inertia()))?;
    let centre = |row: usize| std::array::from_fn(|i| best.centroids()[(row, i)]);
    Some((0..count).map(centre).collect())
}

/// A point, then those farthest from all before.
fn start(points: &[Vector], first: usize, count: usize) -> Vec<Vector> {
    let mut chosen = vec![points[first]];
    while chosen.len() < count {
        let away = |point: &Vector| chosen.iter().map(|c| distance(c, point)).fold(f64::INFINITY, f64::min);
        let farthest = points.iter().max_by(|a, b| away(a).total_cmp(&away(b)));
        chosen.push(*farthest.expect("there are points"));
    }
    chosen
}

fn nearest(centres: &[Vector], points: &[Vector]) -> Vec<usize> {
    let of = |point: &Vector| {
        (0..centres.len()).min_by(|&a, &b| distance(&centres[a], point).total_cmp(&distance(&centres[b], point)))
    };
    points.iter().map(|point| of(point).unwrap_or(0)).collect()
}

/// How much nearer points are to their own cluster's centre than to the next one: 1 at best.
fn silhouette(points: &[Vector], labels: &[usize], count: usize) -> f64 {
    let centres: Vec<Vector> = (0..count)
        .map(|cluster| {
            let own: Vec<&Vector> = points.iter().zip(labels).filter(|(_, l)| **l == cluster).map(|(p, _)| p).collect();
            std::array::from_fn(|i| own.iter().map(|p| p[i]).sum::<f64>() / own.len().max(1) as f64)
        })
        .collect();
    let of = |(point, label): (&Vector, &usize)| {
        let own = distance(point, &centres[*label]).sqrt();
        let others = (0..count).filter(|c| c != label).map(|c| distance(point, &centres[c]).sqrt());
        let other = others.fold(f64::INFINITY, f64::min);
        (other - own) / other.max(own).max(1e-12)
    };
    points.iter().zip(labels).map(of).sum::<f64>() / points.len() as f64
}

/// The number of clusters to take, of numbers tried with silhouette and stability.
fn best_count(tried: &[(usize, f64, f64)]) -> Option<usize> {
    let believed = || tried.iter().filter(|(_, _, stability)| *stability >= STABILITY_MIN);
    let best = believed().map(|(_, silhouette, _)| *silhouette).fold(f64::NEG_INFINITY, f64::max);
    let near =
        believed().filter(|(_, silhouette, _)| *silhouette >= best - SILHOUETTE_MARGIN).map(|(count, _, _)| *count);
    near.max().or_else(|| tried.iter().max_by(|a, b| a.2.total_cmp(&b.2)).map(|(count, _, _)| *count))
}

/// Whether clusters found in either half of the families divide all points alike: adjusted Rand index.
fn stability(points: &[Vector], halves: &[bool], count: usize) -> Option<f64> {
    let half = |which: bool| -> Vec<Vector> {
        points.iter().zip(halves).filter(|(_, half)| **half == which).map(|(point, _)| *point).collect()
    };
    let (one, two) = (half(true), half(false));
    if one.len().min(two.len()) < count {
        return Some(0.0);
    }
    let (one, two) = (nearest(&clusters(&one, count)?, points), nearest(&clusters(&two, count)?, points));
    let mut table = vec![vec![0.0; count]; count];
    for (a, b) in one.iter().zip(&two) {
        table[*a][*b] += 1.0;
    }
    let pairs = |n: f64| n * (n - 1.0) / 2.0;
    let both: f64 = table.iter().flatten().map(|&n| pairs(n)).sum();
    let rows: f64 = table.iter().map(|row| pairs(row.iter().sum())).sum();
    let columns: f64 = (0..count).map(|c| pairs(table.iter().map(|row| row[c]).sum())).sum();
    let chance = rows * columns / pairs(points.len() as f64);
    let most = (rows + columns) / 2.0;
    Some(if most > chance { (both - chance) / (most - chance) } else { 1.0 })
}

/// What a class of this name would stand out by, from a centre's standard scores.
fn salience(name: WorkloadClass, centre: &Vector) -> f64 {
    match name {
        WorkloadClass::Unknown => f64::NEG_INFINITY,
        WorkloadClass::ShortLived => -(centre[at::SURVIVAL] + centre[at::PROMOTION]) / 2.0,
        WorkloadClass::Surviving => centre[at::SURVIVAL] - centre[at::PROMOTION].max(0.0),
        WorkloadClass::LargeObjects => centre[at::LARGE],
        WorkloadClass::Growing => (centre[at::GROWTH] + centre[at::PROMOTION]) / 2.0 - centre[at::LARGE].max(0.0),
        WorkloadClass::OldChurn => centre[at::OLD_FREED] - centre[at::LARGE].max(0.0),
        WorkloadClass::Phases => (centre[at::ALLOCATION_SPREAD] + centre[at::SURVIVAL_SPREAD]) / 2.0,
    }
}

/// The names of clusters: the most salient first, each name once.
fn names(centres: &[Vector]) -> Vec<WorkloadClass> {
    let mut names = vec![WorkloadClass::Unknown; centres.len()];
    for _ in 0..centres.len() {
        let open = (0..centres.len()).filter(|&c| names[c] == WorkloadClass::Unknown);
        let free = WorkloadClass::ALL.into_iter().filter(|name| !names.contains(name));
        let free: Vec<WorkloadClass> = free.filter(|name| *name != WorkloadClass::Unknown).collect();
        let pairs = open.flat_map(|c| free.iter().map(move |name| (c, *name)));
        let best = pairs.max_by(|a, b| salience(a.1, &centres[a.0]).total_cmp(&salience(b.1, &centres[b.0])));
        if let Some((cluster, name)) = best {
            names[cluster] = name;
        }
    }
    names
}

/// What linfa's fit holds; it gives it away only in its serialised form.
#[derive(Deserialize)]
struct Bayes {
    class_info: BTreeMap<usize, BayesClass>,
}

#[derive(Deserialize)]
struct BayesClass {
    prior: f64,
    theta: Array1<f64>,
    sigma: Array1<f64>,
}

fn bayes(points: &[Vector], labels: &[usize], of: &[usize]) -> Option<Bayes> {
    let x = matrix(of.iter().map(|&i| points[i]));
    let y = Array1::from_iter(of.iter().map(|&i| labels[i]));
    let fitted = GaussianNb::params().var_smoothing(SMOOTHING).fit(&DatasetBase::new(x, y)).ok()?;
    serde_json::from_value(serde_json::to_value(&fitted).ok()?).ok()
}

fn file(bayes: &Bayes, ranges: &[[f64; 4]; FEATURE_COUNT], names: &[WorkloadClass]) -> ClassFile {
    let class = |(at, class): (&usize, &BayesClass)| ClassFit {
        name: names[*at].name().into(),
        share: class.prior,
        mean: class.theta.to_vec(),
        variance: class.sigma.to_vec(),
        prior: ClassPrior::default(),
    };
    ClassFile {
        features: FEATURES.map(str::to_owned).to_vec(),
        ranges: ranges.to_vec(),
        classes: bayes.class_info.iter().map(class).collect(),
    }
}

/// Share of the windows, families counting alike, whose cluster is told by a classifier that was not fitted to their family.
fn told(
    points: &[Vector],
    labels: &[usize],
    windows: &[Window],
    families: usize,
    ranges: &[[f64; 4]; FEATURE_COUNT],
    names: &[WorkloadClass],
) -> Option<f64> {
    let (mut sum, mut judged) = (0.0, 0.0);
    for family in 0..families {
        let (own, others): (Vec<usize>, Vec<usize>) = (0..points.len()).partition(|&i| windows[i].family == family);
        if own.is_empty() || others.is_empty() {
            continue;
        }
        let model = ClassModel::new(&file(&bayes(points, labels, &others)?, ranges, names)).ok()?;
        let right = own.iter().filter(|&&i| model.most_likely(&windows[i].features) == names[labels[i]]).count();
        sum += right as f64 / own.len() as f64;
        judged += 1.0;
    }
    (judged > 0.0).then(|| sum / judged)
}

/// The card's section: the classes, where they are found, and how well they are told.
pub(super) fn card(file: &ClassFile, report: &ClassReport) -> String {
    let mut card = String::from("\n## Workload classes\n\n");
    card += &format!(
        "Found in {} windows. In families left out of its fit the classifier tells {:.0} % of windows as the clusters have them.\n\n",
        report.windows,
        report.told * 100.0
    );
    card += "| clusters | silhouette | agreement of two halves |\n|---|---|---|\n";
    for (count, silhouette, stability) in &report.tried {
        let taken = if *count == file.classes.len() { ", taken" } else { "" };
        card += &format!("| {count}{taken} | {silhouette:.2} | {stability:.2} |\n");
    }
    card += "\nCentres in standard scores:\n\n| class | share |";
    file.features.iter().for_each(|feature| card += &format!(" {feature} |"));
    card += &format!("\n|---|---|{}\n", "---|".repeat(file.features.len()));
    for class in &file.classes {
        card += &format!("| {} | {:.0} % |", class.name, class.share * 100.0);
        class.mean.iter().for_each(|mean| card += &format!(" {mean:.1} |"));
        card += "\n";
    }
    card += "\nWindows by family:\n\n| family |";
    file.classes.iter().for_each(|class| card += &format!(" {} |", class.name));
    card += &format!("\n|---|{}\n", "---|".repeat(file.classes.len()));
    for (family, windows) in &report.families {
        card += &format!("| {family} |");
        windows.iter().for_each(|count| card += &format!(" {count} |"));
        card += "\n";
    }
    card
}
