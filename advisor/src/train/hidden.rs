//! Training of the network's hidden layer: Adam on a robust loss, in mini-batches, stopped by families that it has not seen.
//!
//! What the planner needs of a model is the effect of knobs, not the level of a workload, and most of what varies between runs
//! is level. So most of each run's mean error is taken out before the loss sees it, anew in each round: the random-effects
//! estimator of panel data (Mundlak 1961), with a fixed share instead of an estimated one.
//!
//! Adam: Kingma and Ba, ICLR'15; with decoupled decay of weights: Loshchilov and Hutter, ICLR'19. Loss: Huber 1964. First
//! weights: He et al., ICCV'15.
//!
//! Invariant
//! - H1. The same rows and seed give the same bits: sums go in the order of rows, inputs and units, and single precision is
//!   rounded at each step.

use crate::model::OUTPUT_COUNT;
use crate::network::HIDDEN;

use super::{Standard, WIDTH};

/// Share of a run's mean error that is no error.
pub(super) const RUN_SHARE: f64 = 0.9;
/// Rows of a step.
const BATCH: usize = 64;
/// Rounds at the most, and rounds without gain after which it stops.
const ROUNDS_MAX: usize = 60;
const PATIENCE: usize = 8;
/// Rows seen at the most, over all rounds: bounds the time of a fit.
const ROWS_SEEN_MAX: usize = 900_000;
/// One family in this many is kept for stopping.
const STOPPING_FAMILIES: usize = 5;
const RATE: f32 = 2e-3;
const RATE_LAST: f32 = 1e-4;
const DECAY: f32 = 1e-2;
const FIRST_MOMENT: f32 = 0.9;
const SECOND_MOMENT: f32 = 0.999;
const EPSILON: f32 = 1e-8;
/// Errors beyond this many deviations weigh linearly.
const HUBER: f32 = 1.0;

const FIRST: usize = WIDTH * HIDDEN;
const READOUT: usize = FIRST + HIDDEN;
const OFFSET: usize = READOUT + OUTPUT_COUNT * HIDDEN;
const PARAMETERS: usize = OFFSET + OUTPUT_COUNT;

type Outputs = [f32; OUTPUT_COUNT];

/// A trained hidden layer, over standardised features.
pub(super) struct Layer {
    /// By feature.
    pub(super) weights: Vec<[f32; HIDDEN]>,
    pub(super) bias: [f32; HIDDEN],
}

impl Layer {
    /// The units for a row of standardised features.
    pub(super) fn units(&self, features: &[f64]) -> [f32; HIDDEN] {
        let mut units = self.bias;
        for (&x, weights) in features.iter().zip(&self.weights) {
            add_scaled(&mut units, x as f32, weights);
        }
        units.map(|unit| unit.max(0.0))
    }
}

fn add_scaled(sums: &mut [f32; HIDDEN], x: f32, weights: &[f32; HIDDEN]) {
    for (sum, weight) in sums.iter_mut().zip(weights) {
        *sum += x * weight;
    }
}

/// Trains a layer on `rows`; those of a run stand together.
pub(super) fn train(rows: &[&Standard], seed: u64) -> Layer {
    let mut families: Vec<usize> = rows.iter().map(|row| row.family).collect();
    families.sort_unstable();
    families.dedup();
    let stops = |family: usize| {
        families.len() > STOPPING_FAMILIES / 2
            && families.binary_search(&family).is_ok_and(|at| at % STOPPING_FAMILIES == STOPPING_FAMILIES / 2)
    };
    let scales = scales(rows);
    let (stopping, learning): (Vec<_>, Vec<_>) =
        rows.iter().map(|row| Example::of(row, &scales)).partition(|example| stops(example.family));
    let mut random = Random(seed);
    let mut net = Net::new(&mut random);
    let mut adam = Adam::new();
    let mut order: Vec<usize> = (0..learning.len()).collect();
    let rounds = ROUNDS_MAX.min(ROWS_SEEN_MAX / learning.len().max(1)).max(1);
    let mut best = (f32::INFINITY, net.parameters.clone());
    let mut without_gain = 0;
    for round in 0..rounds {
        let means = net.run_means(&learning);
        random.shuffle(&mut order);
        let rate = RATE + (RATE_LAST - RATE) * (round as f32 / rounds as f32);
        for batch in order.chunks(BATCH) {
            let gradient = net.gradient(batch.iter().map(|&at| (&learning[at], &means[at])), batch.len());
            adam.step(&mut net.parameters, &gradient, rate);
        }
        let loss = net.loss(if stopping.is_empty() { &learning } else { &stopping });
        without_gain += 1;
        if loss < best.0 {
            best = (loss, net.parameters.clone());
            without_gain = 0;
        } else if without_gain >= PATIENCE {
            break;
        }
    }
    Net { parameters: best.1 }.layer()
}

/// Deviations of the targets within runs, by which errors are measured.
fn scales(rows: &[&Standard]) -> Outputs {
    let mut squares = [0.0; OUTPUT_COUNT];
    for of_run in rows.chunk_by(|a, b| a.run == b.run) {
        for (output, square) in squares.iter_mut().enumerate() {
            let mean = of_run.iter().map(|row| row.targets[output]).sum::<f64>() / of_run.len() as f64;
            for row in of_run {
                *square += (row.targets[output] - mean) * (row.targets[output] - mean);
            }
        }
    }
    squares.map(|square| (square / rows.len().max(1) as f64).sqrt().max(1e-3) as f32)
}

/// A row in single precision, its targets in deviations.
struct Example {
    run: usize,
    family: usize,
    features: [f32; WIDTH],
    targets: Outputs,
}

impl Example {
    fn of(row: &Standard, scales: &Outputs) -> Example {
        Example {
            run: row.run,
            family: row.family,
            features: row.features.map(|x| x as f32),
            targets: std::array::from_fn(|output| row.targets[output] as f32 / scales[output]),
        }
    }
}

/// The network in training.
struct Net {
    /// First layer by feature, biases of the units, readout by output, offsets of the outputs.
    parameters: Vec<f32>,
}

impl Net {
    fn new(random: &mut Random) -> Net {
        let mut parameters = vec![0.0; PARAMETERS];
        let (of_first, of_readout) = ((6.0 / WIDTH as f32).sqrt(), (1.0 / HIDDEN as f32).sqrt());
        parameters[..FIRST].iter_mut().for_each(|weight| *weight = of_first * random.signed());
        parameters[READOUT..OFFSET].iter_mut().for_each(|weight| *weight = of_readout * random.signed());
        Net { parameters }
    }

    fn rows(&self, from: usize) -> &[[f32; HIDDEN]] {
        self.parameters[from..].as_chunks().0
    }

    fn units(&self, features: &[f32; WIDTH]) -> [f32; HIDDEN] {
        let mut units = self.rows(FIRST)[0];
        for (&x, weights) in features.iter().zip(self.rows(0)) {
            add_scaled(&mut units, x, weights);
        }
        units.map(|unit| unit.max(0.0))
    }

    fn outputs(&self, units: &[f32; HIDDEN]) -> Outputs {
        std::array::from_fn(|output| {
            let products = units.iter().zip(&self.rows(READOUT)[output]).map(|(unit, weight)| unit * weight);
            self.parameters[OFFSET + output] + products.sum::<f32>()
        })
    }

    fn errors(&self, example: &Example) -> Outputs {
        let outputs = self.outputs(&self.units(&example.features));
        std::array::from_fn(|output| outputs[output] - example.targets[output])
    }

    /// Each example's run's mean error.
    fn run_means(&self, examples: &[Example]) -> Vec<Outputs> {
        let mut means = Vec::with_capacity(examples.len());
        for of_run in examples.chunk_by(|a, b| a.run == b.run) {
            let mut sums = [0.0; OUTPUT_COUNT];
            for example in of_run {
                sums.iter_mut().zip(self.errors(example)).for_each(|(sum, error)| *sum += error);
            }
            means.extend(of_run.iter().map(|_| sums.map(|sum| sum / of_run.len() as f32)));
        }
        means
    }

    /// Mean loss with each run's mean error taken out.
    fn loss(&self, examples: &[Example]) -> f32 {
        let means = self.run_means(examples);
        let mut sum = 0.0;
        for (example, means) in examples.iter().zip(&means) {
            for (error, mean) in self.errors(example).iter().zip(means) {
                let error = (error - mean).abs();
                sum += if error < HUBER { 0.5 * error * error } else { HUBER * (error - 0.5 * HUBER) };
            }
        }
        sum / examples.len().max(1) as f32
    }

    fn gradient<'e>(&self, batch: impl Iterator<Item = (&'e Example, &'e Outputs)>, count: usize) -> Vec<f32> {
        let mut gradient = vec![0.0; PARAMETERS];
        for (example, means) in batch {
            let units = self.units(&example.features);
            let outputs = self.outputs(&units);
            let mut of_units = [0.0; HIDDEN];
            for output in 0..OUTPUT_COUNT {
                let error = outputs[output] - example.targets[output] - RUN_SHARE as f32 * means[output];
                let slope = error.clamp(-HUBER, HUBER) / count as f32;
                gradient[OFFSET + output] += slope;
                let readout: &mut [[f32; HIDDEN]] = gradient[READOUT..OFFSET].as_chunks_mut().0;
                add_scaled(&mut readout[output], slope, &units);
                add_scaled(&mut of_units, slope, &self.rows(READOUT)[output]);
            }
            for (slope, unit) in of_units.iter_mut().zip(&units) {
                *slope = if *unit > 0.0 { *slope } else { 0.0 };
            }
            let first: &mut [[f32; HIDDEN]] = gradient[..READOUT].as_chunks_mut().0;
            for (weights, &x) in first.iter_mut().zip(example.features.iter().chain([&1.0])) {
                add_scaled(weights, x, &of_units);
            }
        }
        gradient
    }

    fn layer(&self) -> Layer {
        Layer { weights: self.rows(0)[..WIDTH].to_vec(), bias: self.rows(FIRST)[0] }
    }
}

/// Adam's moments.
struct Adam {
    first: Vec<f32>,
    second: Vec<f32>,
    first_weight: f32,
    second_weight: f32,
}

impl Adam {
    fn new() -> Adam {
        let zeros = vec![0.0; PARAMETERS];
        Adam { first: zeros.clone(), second: zeros, first_weight: 1.0, second_weight: 1.0 }
    }

    fn step(&mut self, parameters: &mut [f32], gradient: &[f32], rate: f32) {
        self.first_weight *= FIRST_MOMENT;
        self.second_weight *= SECOND_MOMENT;
        let (of_first, of_second) = (1.0 / (1.0 - self.first_weight), 1.0 / (1.0 - self.second_weight));
        let moments = self.first.iter_mut().zip(&mut self.second);
        for ((parameter, slope), (first, second)) in parameters.iter_mut().zip(gradient).zip(moments) {
            *first = FIRST_MOMENT * *first + (1.0 - FIRST_MOMENT) * slope;
            *second = SECOND_MOMENT * *second + (1.0 - SECOND_MOMENT) * slope * slope;
            let step = *first * of_first / ((*second * of_second).sqrt() + EPSILON);
            *parameter -= rate * (step + DECAY * *parameter);
        }
    }
}

/// splitmix64 (Steele, Lea and Flood, OOPSLA'14).
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform between −1 and 1.
    fn signed(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / (1 << 23) as f32 - 1.0
    }

    /// Fisher and Yates'.
    fn shuffle(&mut self, order: &mut [usize]) {
        for last in (1..order.len()).rev() {
            order.swap(last, (self.bits() % (last as u64 + 1)) as usize);
        }
    }
}
