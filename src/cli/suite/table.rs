//! The suite's results as text and as JSON: the bars first, then each program's own line, the knobs, and what was left out.

use super::cells::{Cell, Effort};
use super::contender::Contender;
use super::cost::Figures;
use super::judge::{self, Measured, Row, Unit};
use super::measure::{CYCLES_MIN, Results};
use super::settings;
use super::stats::Interval;
use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Value, json};

/// The parts of the table: where the figures come from, and the lines.
pub fn parts(results: &Results) -> Vec<(&'static str, Vec<Row>)> {
    let programs = &results.programs;
    let mut parts = vec![("Real runs", judge::rows(&results.real, programs))];
    parts.push(("Work counted, one run each", judge::counted_rows(&results.counted, programs)));
    let mut own = overhead(results);
    own.extend(ablations(results));
    own.push(Row::pointer("quantisation: added regret", "≤ 1 %", "the model's card says it (`tenure train`)"));
    own.push(Row::pointer("forecasts against the better baseline", "≤ 0.85", "the model's card says it"));
    parts.push(("Deciding", own));
    let mut simulated = judge::rows(&results.simulated, programs);
    simulated.extend(judge::counted_rows(&results.simulated, programs));
    // one run each has no intervals to lie above anything
    simulated.retain(|row| row.unit != Unit::Count);
    parts.push(("Simulator, every heap and goal", simulated));
    parts
}

fn overhead(results: &Results) -> Vec<Row> {
    let Some(overhead) = &results.overhead else { return Vec::new() };
    let mut plan =
        Row::new("a decision that plans, median, caches cold", "≤ 20 µs", overhead.plan_us, Unit::Micros, |value| {
            value <= 20.0
        });
    plan.note = format!("{} plans over journals of real runs", overhead.plans);
    if overhead.model_bytes > 0 {
        plan.note += &format!("; model {} KiB", overhead.model_bytes.div_ceil(1024));
    }
    let share = |name, bar, (mean, most): (f64, f64), limit: f64| Row {
        note: format!("mean over programs; the most is {:.2} %", most * 100.0),
        ..Row::new(name, bar, mean, Unit::Percent, |value| value <= limit)
    };
    vec![
        plan,
        share("the advisor's share of CPU, journal off", "≤ 0.2 %", overhead.share, 0.002),
        share("… journal on", "≤ 0.5 %", overhead.share_with_journal, 0.005),
    ]
}

fn ablations(results: &Results) -> Vec<Row> {
    let worthless = |interval: Interval| interval.low <= 1.0 && interval.high >= 1.0;
    let row = |ablation: &super::knobs::Ablation| Row {
        interval: Some(ablation.interval),
        met: None,
        note: match (worthless(ablation.interval), ablation.ratio < 1.0) {
            (true, _) => format!("worthless on this heap ({} programs changed)", ablation.changed),
            (false, true) => format!("better frozen ({} programs changed)", ablation.changed),
            (false, false) => format!("earns its place ({} programs changed)", ablation.changed),
        },
        ..Row::new(&format!("{} frozen: cost", ablation.knob), "", ablation.ratio, Unit::Ratio, |_| true)
    };
    results.ablations.iter().map(row).collect()
}

fn value(value: f64, unit: Unit) -> String {
    if !value.is_finite() {
        return "–".into();
    }
    match unit {
        Unit::Percent if value.abs() < 0.01 => format!("{:.2} %", value * 100.0),
        Unit::Percent => format!("{:.1} %", value * 100.0),
        Unit::Ratio => format!("{value:.3}"),
        Unit::Count => format!("{value}"),
        Unit::Micros => format!("{value:.1} µs"),
    }
}

fn interval(of: Option<Interval>, unit: Unit) -> String {
    of.map_or(String::new(), |interval| format!("{} to {}", value(interval.low, unit), value(interval.high, unit)))
}

fn verdict(row: &Row) -> &'static str {
    match (row.met, row.value.is_finite()) {
        (Some(true), _) => "met",
        (Some(false), _) => "missed",
        (None, true) => "",
        (None, false) => "not measured here",
    }
}

fn rows_table(rows: &[Row]) -> String {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(["measure", "bar", "measured", "95 % interval", "adaptive again", "verdict", ""]);
    for row in rows {
        table.add_row([
            row.measure.clone(),
            row.bar.clone(),
            value(row.value, row.unit),
            interval(row.interval, row.unit),
            row.control.map_or(String::new(), |control| value(control, row.unit)),
            verdict(row).to_owned(),
            row.note.clone(),
        ]);
    }
    table.to_string()
}

/// Each program's cells, in order.
fn by_program(measured: &Measured) -> Vec<Vec<Cell>> {
    let mut found: Vec<Vec<Cell>> = Vec::new();
    for cell in measured.cells() {
        match found.last_mut().filter(|own| own[0].program == cell.program) {
            Some(own) => own.push(cell),
            None => found.push(vec![cell]),
        }
    }
    found
}

fn programs_table(results: &Results) -> String {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header([
        "program",
        "family",
        "cycles",
        "against adaptive",
        "counted",
        "against best static",
        "against oracle",
        "GC CPU",
        "p95 pause",
        "memory",
        "misses",
        "adaptive's",
    ]);
    let shown = |ratio: Option<judge::Ratio>| {
        ratio.map_or("–".into(), |r| format!("{:.2} ({:.2} to {:.2})", r.value, r.interval.low, r.interval.high))
    };
    for cells in by_program(&results.real) {
        let program = &results.programs[cells[0].program];
        let ratio = |other| results.real.ratio(&cells, Contender::Advisor, other);
        let cell = Cell::main(cells[0].program);
        let median = |contender, of: fn(&Figures) -> f64| results.real.median(cell, contender, of);
        let against = |of: fn(&Figures) -> f64| {
            let both = median(Contender::Advisor, of).zip(median(Contender::Adaptive, of));
            both.map_or("–".into(), |(advisor, adaptive)| format!("{:.2}", advisor / adaptive.max(1.0)))
        };
        let percent = |share: Option<f64>| share.map_or("–".into(), |share| format!("{:.1} %", share * 100.0));
        let counted = results.counted.ratio(&cells, Contender::Advisor, Contender::Adaptive);
        table.add_row([
            program.name.clone(),
            program.family.clone(),
            median(Contender::Advisor, |f| f.cycles as f64).map_or("–".into(), |cycles| format!("{cycles:.0}")),
            shown(ratio(Contender::Adaptive)),
            counted.map_or("–".into(), |ratio| format!("{:.2}", ratio.value)),
            shown(ratio(Contender::Best)),
            shown(results.real.ratio(&[cell], Contender::Advisor, Contender::Oracle)),
            against(|f| f.gc_cpu_ns),
            against(|f| f.pause_ns_p95),
            against(|f| f.committed_bytes),
            percent(median(Contender::Advisor, Figures::missed_share)),
            percent(median(Contender::Adaptive, Figures::missed_share)),
        ]);
    }
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    format!(
        "Costs as ratios, with 95 % intervals over rounds, over all cells of a program; GC CPU, pause, memory and cycles at twice the \
         smallest heap and 10 ms.\n{table}"
    )
}

fn chosen_table(results: &Results) -> String {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(["program", "oracle", "best single static of the other families"]);
    for (program, (oracle, best)) in results.programs.iter().zip(&results.chosen) {
        let oracle = oracle.map_or("none can be run".into(), settings::describe);
        table.add_row([program.name.clone(), oracle, settings::describe(*best)]);
    }
    table.to_string()
}

/// What a reader must know to weigh the figures.
fn remarks(results: &Results) -> Vec<String> {
    let mut lines = Vec::new();
    if results.effort == Effort::Quick {
        lines.push(format!(
            "Quick: {} rounds for 7, each rule's constants once for three times, the main cell of each program alone, no ablations; \
             the oracle is the best of the {} settings that the simulator likes best, tried once, and the best single setting is the \
             simulator's; runs go side by side.",
            results.effort.rounds(),
            super::cells::QUICK_CANDIDATES
        ));
    }
    if !results.differing.is_empty() {
        lines.push(format!("OUTPUT DEPENDS ON THE POLICY: {}", results.differing.join(", ")));
    }
    let short: Vec<String> = (results.short.iter())
        .map(|(cell, cycles)| {
            let name = &results.programs[cell.program].name;
            format!("{name} at {} % and {} ms ({cycles})", cell.heap_percent, cell.goal_ms)
        })
        .collect();
    if !short.is_empty() {
        lines.push(format!("Fewer than {CYCLES_MIN} cycles under adaptive: {}.", short.join(", ")));
    }
    let contenders = [Contender::Default, Contender::Best, Contender::Adaptive, Contender::Advisor, Contender::Oracle];
    let unfinished: Vec<String> = (contenders.iter())
        .map(|contender| (contender, results.real.unfinished(*contender)))
        .filter(|(_, cells)| *cells > 0)
        .map(|(contender, cells)| format!("{contender} in {cells}"))
        .collect();
    if !unfinished.is_empty() {
        lines.push(format!("Cells in which most runs ended for want of memory or time: {}.", unfinished.join(", ")));
    }
    lines
}

/// For people; Markdown.
pub fn as_text(results: &Results) -> String {
    let mut text = format!(
        "The advisor over {} programs in {} cells; {} interleaved runs of each policy.\nModels: {}.\n",
        results.programs.len(),
        results.real.cells().len(),
        results.effort.rounds(),
        results.models_note
    );
    for (title, rows) in parts(results) {
        text += &format!("\n{title}\n{}\n", rows_table(&rows));
    }
    text += &format!("\nPrograms\n{}\n\nStatic settings\n{}\n", programs_table(results), chosen_table(results));
    for line in remarks(results) {
        text += &format!("\n{line}\n");
    }
    text
}

/// For programs.
pub fn as_json(results: &Results) -> String {
    let pair = |of: Option<Interval>| of.map(|interval| json!([interval.low, interval.high]));
    let row = |row: &Row| {
        json!({
            "measure": row.measure, "bar": row.bar, "value": row.value, "interval": pair(row.interval),
            "control": row.control, "met": row.met, "note": row.note,
        })
    };
    let rows = |rows: &Vec<Row>| rows.iter().map(row).collect::<Vec<Value>>();
    let parts: serde_json::Map<String, Value> =
        parts(results).iter().map(|(title, own)| ((*title).to_owned(), json!(rows(own)))).collect();
    let program = |cells: Vec<Cell>| {
        let ratio = |other| {
            let ratio = results.real.ratio(&cells, Contender::Advisor, other);
            ratio.map(|ratio| json!({"value": ratio.value, "interval": pair(Some(ratio.interval))}))
        };
        let program = &results.programs[cells[0].program];
        json!({
            "program": program.name, "family": program.family, "adaptive": ratio(Contender::Adaptive),
            "best_static": ratio(Contender::Best), "oracle": ratio(Contender::Oracle),
        })
    };
    let programs: Vec<Value> = by_program(&results.real).into_iter().map(program).collect();
    let remarks = remarks(results);
    json!({"models": results.models_note, "parts": parts, "programs": programs, "remarks": remarks}).to_string() + "\n"
}
