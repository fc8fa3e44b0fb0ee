//! `tenure gc report`: what a journal says, summed up for people or in full for programs.

use super::args::ReportArgs;
use super::gc_foretold::{self, Told};
use super::gc_plots;
use super::output;
use super::report::{self, Status};
use super::size::{show_bytes, show_ns};
use super::stats::reason_name;
use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use tenure::{Cycle, CycleKind};
use tenure_advisor::{HORIZONS, QUANTITIES, WorkloadClass};
use tenure_gc::journal::{Journal, schema_hash};
use tenure_gc::policy::{DECISION_FIELDS, Field, KNOB_FIELDS, OUTCOME_FIELDS, SNAPSHOT_FIELDS};

const KINDS: [(CycleKind, &str); 5] = [
    (CycleKind::Young, "young"),
    (CycleKind::ConcurrentStart, "concurrent start"),
    (CycleKind::PrepareMixed, "prepare mixed"),
    (CycleKind::Mixed, "mixed"),
    (CycleKind::Full, "full"),
];

/// Does it. What can be read of a truncated journal is reported, with a warning.
pub fn main(args: &ReportArgs) -> Status {
    let (journal, cut) = match Journal::salvage_file(&args.journal) {
        Ok(found) => found,
        Err(error) => return report::failure(&error.to_string()),
    };
    if let Some(error) = &cut {
        report::warning(&format!("{error}; what comes before is reported"), false);
    }
    let told = match gc_foretold::tell(&journal.cycles, args.model.as_deref()) {
        Ok(told) => told,
        Err(line) => return report::failure(&line),
    };
    if let Some(dir) = &args.plots {
        match gc_plots::draw(&journal.cycles, &told, dir) {
            Ok(files) => files.iter().for_each(|file| report::say(&format!("plot: {}\n", file.display()))),
            Err(line) => return report::failure(&line),
        }
    }
    let text = if args.json {
        full_json(&journal, &told, cut.is_none()).to_string() + "\n"
    } else {
        tables(&journal) + "\n" + &forecasts(&told) + &classes(&told)
    };
    output::print(&text).map_or_else(|e| report::failure(&e.to_string()), |()| Status::Success)
}

fn kind_name(kind: CycleKind) -> &'static str {
    KINDS.iter().find(|(k, _)| *k == kind).map_or("unknown", |(_, name)| name)
}

fn full_json(journal: &Journal, told: &[Told], complete: bool) -> Value {
    let cycles: Vec<Value> = journal
        .cycles
        .iter()
        .zip(told)
        .map(|(cycle, told)| {
            let mut snapshot = object(SNAPSHOT_FIELDS, &cycle.snapshot);
            snapshot.insert("kind".into(), json!(kind_name(cycle.snapshot.kind)));
            let mut decision = object(DECISION_FIELDS, &cycle.decision);
            decision.insert("reason".into(), json!(reason_name(cycle.decision.reason)));
            decision.insert("knobs".into(), object(KNOB_FIELDS, &cycle.decision.knobs).into());
            let mut outcome = object(OUTCOME_FIELDS, &cycle.outcome);
            outcome.insert("kind".into(), json!(kind_name(cycle.outcome.kind)));
            outcome.insert("unfinished".into(), json!(cycle.outcome.unfinished));
            let (class, probability) = (told.label.class.name(), told.label.probability);
            json!({
                "snapshot": snapshot,
                "decision": decision,
                "outcome": outcome,
                "class": class,
                "class_probability": probability,
                "forecasts": forecasts_json(told),
            })
        })
        .collect();
    let schema = format!("{:016x}", schema_hash());
    json!({"label": journal.label, "schema": schema, "complete": complete, "cycles": cycles})
}

/// By quantity and number of cycles: what was foretold, its bounds, and what came.
fn forecasts_json(told: &Told) -> Value {
    let of_quantity = |(q, name): (usize, &&str)| {
        let outlook = told.outlooks[q]?;
        let forecast = |f: &tenure_advisor::Forecast| json!({"low": f.low, "mid": f.mid, "high": f.high});
        let mut by_cycles = Map::new();
        for (h, cycles) in HORIZONS.iter().enumerate() {
            let mut of = forecast(&outlook.cycles[h]);
            of["came"] = json!(told.came[q][h]);
            by_cycles.insert(cycles.to_string(), of);
        }
        by_cycles.insert("minute".into(), forecast(&outlook.minute));
        Some(((*name).to_owned(), Value::from(by_cycles)))
    };
    QUANTITIES.iter().enumerate().filter_map(of_quantity).collect::<Map<_, _>>().into()
}

/// Integers as integers, floats as floats, what is no number as null.
fn object<T>(fields: &[Field<T>], of: &T) -> Map<String, Value> {
    let value = |field: &Field<T>| {
        let (bits, number) = (field.bits(of), field.number(of));
        if number as u64 == bits { json!(bits) } else { json!(number) }
    };
    fields.iter().map(|field| (field.name.to_owned(), value(field))).collect()
}

/// A journal summed up for people.
pub fn tables(journal: &Journal) -> String {
    // the last decision's cycle has no pause
    let finished: Vec<&Cycle> = journal.cycles.iter().filter(|c| !c.outcome.unfinished).collect();
    let mut out =
        format!("journal of {}: {} decisions, {} pauses\n\n", label(journal), journal.cycles.len(), finished.len());
    out += &pauses(&finished);
    out += "\n";
    out += &predictions(&finished);
    out += &knobs(journal);
    out += "\n";
    out += &reasons(journal);
    out
}

fn label(journal: &Journal) -> &str {
    if journal.label.is_empty() { "an unnamed run" } else { &journal.label }
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(header);
    table
}

fn align_numbers(table: &mut Table) {
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
}

fn pauses(cycles: &[&Cycle]) -> String {
    let header = ["pause", "count", "p50", "p99", "max", "GC CPU", "allocated", "copied", "freed", "over goal"];
    let mut table = table(&header);
    let mut row = |name: &str, cycles: Vec<&Cycle>| {
        if cycles.is_empty() {
            return;
        }
        let mut ns: Vec<u64> = cycles.iter().map(|c| c.outcome.pause_ns).collect();
        ns.sort_unstable();
        let at = |share: f64| show_ns(ns[((ns.len() - 1) as f64 * share).round() as usize]);
        let sum = |field: fn(&Cycle) -> u64| cycles.iter().map(|c| field(c)).sum::<u64>();
        let over = cycles.iter().filter(|c| c.outcome.pause_ns > c.snapshot.pause_goal_ns).count();
        table.add_row([
            name.to_owned(),
            cycles.len().to_string(),
            at(0.5),
            at(0.99),
            at(1.0),
            show_ns(sum(|c| c.outcome.gc_cpu_ns)),
            show_bytes(sum(|c| c.outcome.allocated_bytes)),
            show_bytes(sum(|c| c.outcome.copied_bytes)),
            show_bytes(sum(|c| c.outcome.freed_bytes)),
            over.to_string(),
        ]);
    };
    for (kind, name) in KINDS {
        row(name, cycles.iter().copied().filter(|c| c.outcome.kind == kind).collect());
    }
    row("all", cycles.to_vec());
    align_numbers(&mut table);
    format!("{table}\n")
}

/// How far predictions were from what came: the factor by which the middle one missed, and what a constant guess, the
/// value before, would have missed by.
fn predictions(cycles: &[&Cycle]) -> String {
    type Read = fn(&Cycle) -> f64;
    let measures: [(&str, Read, Read); 2] = [
        ("pause", |c| c.decision.predicted_pause_ns, |c| c.outcome.pause_ns as f64),
        (
            "GC CPU a byte",
            |c| c.decision.predicted_gc_ns_per_byte,
            |c| c.outcome.gc_cpu_ns as f64 / c.outcome.allocated_bytes as f64,
        ),
    ];
    let mut table = table(&["predicted", "decisions", "p50 off by", "p90 off by", "last value, p50", "above"]);
    let mut rows = 0;
    for (name, predicted, observed) in measures {
        let off = |guess: f64, cycle: &Cycle| (guess / observed(cycle)).ln();
        let errors: Vec<f64> = cycles.iter().map(|c| off(predicted(c), c)).filter(|e| e.is_finite()).collect();
        let naive: Vec<f64> = cycles.windows(2).map(|w| off(observed(w[0]), w[1])).filter(|e| e.is_finite()).collect();
        if errors.is_empty() {
            continue;
        }
        let factor = |errors: &[f64], share: f64| {
            let mut sizes: Vec<f64> = errors.iter().map(|e| e.abs()).collect();
            sizes.sort_by(f64::total_cmp);
            sizes.get((sizes.len().max(1) - 1) * (share * 100.0) as usize / 100).map_or(f64::NAN, |e| e.exp())
        };
        let above = errors.iter().filter(|e| **e > 0.0).count() * 100 / errors.len();
        table.add_row([
            name.to_owned(),
            errors.len().to_string(),
            format!("× {:.2}", factor(&errors, 0.5)),
            format!("× {:.2}", factor(&errors, 0.9)),
            format!("× {:.2}", factor(&naive, 0.5)),
            format!("{above} %"),
        ]);
        rows += 1;
    }
    align_numbers(&mut table);
    if rows == 0 { String::new() } else { format!("{table}\n\n") }
}

fn knobs(journal: &Journal) -> String {
    let mut table = table(&["knob", "values", "least", "most", "changes"]);
    for field in KNOB_FIELDS {
        let values: Vec<f64> = journal.cycles.iter().map(|c| field.number(&c.decision.knobs)).collect();
        let mut distinct = values.clone();
        distinct.sort_by(f64::total_cmp);
        distinct.dedup();
        let (Some(&least), Some(&most)) = (distinct.first(), distinct.last()) else { continue };
        let changes = values.windows(2).filter(|w| w[0] != w[1]).count();
        let show = |value: f64| match field.name.rsplit('_').next() {
            Some("bytes") => show_bytes(value as u64),
            Some("ns") => show_ns(value as u64),
            Some("share") => format!("{:.1} %", value * 100.0),
            _ => format!("{value}"),
        };
        table.add_row([
            field.name.to_owned(),
            distinct.len().to_string(),
            show(least),
            show(most),
            changes.to_string(),
        ]);
    }
    let alive = journal.cycles.iter().map(|c| c.snapshot.region_sizes_alive).max().unwrap_or(0);
    align_numbers(&mut table);
    format!("{table}\nregion sizes alive side by side, at most: {alive}\n")
}

fn reasons(journal: &Journal) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for cycle in &journal.cycles {
        *counts.entry(reason_name(cycle.decision.reason)).or_default() += 1;
    }
    let mut table = table(&["reason", "decisions"]);
    for (reason, count) in counts {
        table.add_row([reason.to_owned(), count.to_string()]);
    }
    align_numbers(&mut table);
    format!("{table}\n")
}

/// How far forecasts were from what came, in the middle and in the ninth of ten, and how many outcomes kept their bounds.
fn forecasts(told: &[Told]) -> String {
    let mut table = table(&["forecast", "cycles", "made", "p50 off by", "p90 off by", "within bounds"]);
    for (q, name) in QUANTITIES.iter().enumerate() {
        for (h, cycles) in HORIZONS.iter().enumerate() {
            let pairs: Vec<_> =
                told.iter().filter_map(|told| Some((told.outlooks[q]?.cycles[h], told.came[q][h]?))).collect();
            let mut off: Vec<f64> = pairs.iter().map(|(forecast, came)| (forecast.mid / came).ln().abs()).collect();
            off.retain(|off| off.is_finite());
            if off.is_empty() {
                continue;
            }
            off.sort_by(f64::total_cmp);
            let factor = |share: usize| format!("× {:.2}", off[(off.len() - 1) * share / 100].exp());
            let within = pairs.iter().filter(|(f, came)| (f.low..=f.high).contains(came)).count();
            let (made, within) = (pairs.len(), format!("{} %", within * 100 / pairs.len()));
            table.add_row([(*name).to_owned(), cycles.to_string(), made.to_string(), factor(50), factor(90), within]);
        }
    }
    align_numbers(&mut table);
    format!("{table}\n\n")
}

/// How long the program was of which class, as the model sees it.
fn classes(told: &[Told]) -> String {
    let mut table = table(&["class", "cycles", "mean probability", "times entered"]);
    for class in WorkloadClass::ALL {
        let of_class: Vec<f64> =
            told.iter().filter(|told| told.label.class == class).map(|told| told.label.probability).collect();
        if of_class.is_empty() {
            continue;
        }
        let entered = (0..told.len())
            .filter(|&at| told[at].label.class == class && (at == 0 || told[at - 1].label.class != class))
            .count();
        let mean = of_class.iter().sum::<f64>() / of_class.len() as f64;
        table.add_row([class.name().to_owned(), of_class.len().to_string(), format!("{mean:.2}"), entered.to_string()]);
    }
    align_numbers(&mut table);
    format!("{table}\n")
}
