//! Measures how long a decision takes with either kind of model, and how long the network alone takes for one candidate:
//! `cargo run --release -p tenure-advisor --features train --example decision_time`.
//!
//! Caches are cold: more than they hold is walked over before each measurement, as a program would have. Each decision makes a
//! plan, the dearest kind; in a running heap the model's decisions are 10 to 160 ms apart.

use std::hint::black_box;
use std::time::Instant;

use tenure_advisor::simulator::{Setting, signals, simulate};
use tenure_advisor::train::{Options, Run, fit_linear, fit_network};
use tenure_advisor::{Advisor, CANDIDATE_FEATURES, Model, ModelFile, STATE_FEATURES};
use tenure_gc::policy::{Decision, Envelope, Explore, Knobs, Outcome, Policy, Snapshot};

const DECISIONS_PER_SIGNAL: usize = 150;
const PREDICTIONS: usize = 400;
const LIMITS: [u64; 3] = [96 << 20, 160 << 20, 320 << 20];
/// Time between decisions, as the advisor sees it: enough for a plan each time.
const STEP_NS: u64 = Advisor::STANDING_NS_MAX;

/// More memory than caches hold.
struct Walk(Vec<u64>);

impl Walk {
    fn new() -> Walk {
        Walk(vec![1; (64 << 20) / size_of::<u64>()])
    }

    /// Writes to each line of it.
    fn walk(&mut self) {
        for line in self.0.chunks_mut(8) {
            line[0] = line[0].wrapping_mul(3);
        }
        black_box(&self.0);
    }
}

/// The advisor under a stopwatch.
struct Timed<'w> {
    advisor: Advisor,
    walk: &'w mut Walk,
    uptime_ns: u64,
    nanoseconds: Vec<u64>,
}

impl Policy for Timed<'_> {
    fn name(&self) -> &'static str {
        "timed"
    }

    fn decide(&mut self, snapshot: &Snapshot, current: &Knobs, envelope: &Envelope) -> Decision {
        self.uptime_ns += STEP_NS;
        let snapshot = Snapshot { uptime_ns: self.uptime_ns, ..*snapshot };
        if self.nanoseconds.len() == DECISIONS_PER_SIGNAL {
            return self.advisor.decide(&snapshot, current, envelope);
        }
        self.walk.walk();
        let start = Instant::now();
        let decision = self.advisor.decide(&snapshot, current, envelope);
        self.nanoseconds.push(start.elapsed().as_nanos() as u64);
        decision
    }

    fn observe(&mut self, outcome: &Outcome) {
        self.advisor.observe(outcome);
    }
}

fn setting(limit_bytes: u64) -> Setting {
    Setting { limit_bytes, pause_goal_ns: 10_000_000 }
}

/// Runs of all signals under random knobs.
fn runs() -> Vec<Run> {
    let mut runs = Vec::new();
    for (family, signal) in signals::all() {
        for (seed, limit_bytes) in LIMITS.into_iter().enumerate() {
            let cycles = simulate(&signal, &setting(limit_bytes), &mut Explore::new(seed as u64)).cycles;
            runs.push(Run { family: family.into(), cycles });
        }
    }
    runs
}

fn show(what: &str, mut nanoseconds: Vec<u64>) {
    nanoseconds.sort_unstable();
    let quantile = |q: f64| nanoseconds[((nanoseconds.len() - 1) as f64 * q) as usize] as f64 / 1e3;
    println!(
        "{what:24} {:5} times: median {:6.2} µs, p95 {:6.2} µs, p99 {:6.2} µs",
        nanoseconds.len(),
        quantile(0.5),
        quantile(0.95),
        quantile(0.99)
    );
}

fn decisions(what: &str, model: &ModelFile, walk: &mut Walk) {
    let mut nanoseconds = Vec::new();
    for (_, signal) in signals::all() {
        let advisor = Advisor::from_model(model).expect("a model just fitted");
        let mut timed = Timed { advisor, walk: &mut *walk, uptime_ns: 0, nanoseconds: Vec::new() };
        simulate(&signal, &setting(LIMITS[1]), &mut timed);
        nanoseconds.extend(timed.nanoseconds);
    }
    show(what, nanoseconds);
}

/// One prediction, its state's part included.
fn predictions(what: &str, model: &Model, walk: &mut Walk) {
    let measure = |at: usize| {
        let state = black_box([at as f64 / 100.0; STATE_FEATURES.len()]);
        let candidate = black_box([at as f64 / 200.0; CANDIDATE_FEATURES.len()]);
        walk.walk();
        let start = Instant::now();
        black_box(model.prepare(&state).predict(&candidate));
        start.elapsed().as_nanos() as u64
    };
    show(what, (0..PREDICTIONS).map(measure).collect());
}

fn main() {
    let runs = runs();
    let options = Options { seed: 1, date: String::new(), trained_on: String::new() };
    let [linear, network] = [fit_linear, fit_network].map(|fit| fit(&runs, &options).expect("enough data").model);
    let mut walk = Walk::new();
    decisions("decision, linear", &linear, &mut walk);
    decisions("decision, network", &network, &mut walk);
    let network = Model::new(&network).expect("a model just fitted");
    predictions("network alone", &network, &mut walk);
    predictions("network alone, portable", &network.portable(), &mut walk);
}
