//! Trains the provisional model on the simulator: `cargo run -p tenure-advisor --features train --example provisional`.
use tenure_advisor::sim::{Random, Simulation, families};
use tenure_advisor::train::{Options, Run, fit};
use tenure_gc::Cycle;
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
    let options = Options {
        seed: 7,
        date: "2026-11-22".into(),
        trained_on: "Provisional: trained on the simulator alone, not on journals of real runs.".into(),
    };
    let trained = fit(&runs, &options).expect("enough data");
    std::fs::write("advisor/models/default.json", serde_json::to_string(&trained.model).expect("finite") + "\n")
        .expect("writable");
    std::fs::write("advisor/models/default.md", &trained.card_markdown).expect("writable");
    println!("{}", trained.card_markdown);
}
