//! Fits the model that the controller's tests use, to runs of the simulator:
//! `cargo run --release -p tenure-advisor --features train --example simulated_model`.

use tenure_advisor::sim::{Random, Simulation, families};
use tenure_advisor::train::{Cycle, Options, Run, fit};
use tenure_gc::policy::Explore;

fn main() {
    let mut random = Random::new(7);
    let mut runs = Vec::new();
    for round in 0..12 {
        for (family, program) in families(&mut random) {
            let mut cycles = Vec::new();
            let mut explorer = Explore::new(random.bits());
            Simulation::new(program, round).run(&mut explorer, 1200, |snapshot, decision, outcome| {
                cycles.push(Cycle { snapshot: *snapshot, decision: *decision, outcome: *outcome });
            });
            runs.push(Run { family: family.into(), cycles });
        }
    }
    let options = Options { seed: 7, date: "2026-11-22".into(), trained_on: "Simulated runs, for tests alone.".into() };
    let trained = fit(&runs, &options).expect("enough data");
    let text = serde_json::to_string(&trained.model).expect("finite") + "\n";
    std::fs::write("advisor/tests/data/simulated_model.json", text).expect("writable");
    println!("{}", trained.card_markdown);
}
