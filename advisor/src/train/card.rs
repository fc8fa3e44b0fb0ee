//! The card: what a model was fitted to, how good it is, and what it must not be used for.

use std::fmt::Write;

use crate::model::{ModelFile, OUTPUTS};

use super::held_out::Kind;
use super::{Metrics, Options};

/// The card as Markdown.
pub(super) fn write(model: &ModelFile, metrics: &Metrics, options: &Options) -> String {
    let mut card = String::new();
    // Writing to a string cannot fail.
    let _ = parts(&mut card, model, metrics, options);
    card
}

fn parts(out: &mut String, model: &ModelFile, metrics: &Metrics, options: &Options) -> std::fmt::Result {
    writeln!(out, "# The advisor's cost models\n\n{}\n", model.trained_on)?;
    writeln!(out, "| | |\n|---|---|")?;
    writeln!(out, "| what ships | {} |", metrics.of_shipped().name)?;
    writeln!(out, "| date | {} |\n| seed | {} |", options.date, model.seed)?;
    writeln!(out, "| rows (holds of random knobs) | {} of {} runs |", metrics.rows, metrics.runs)?;
    writeln!(out, "| rows left out for unusable numbers | {} |", metrics.rows_left_out)?;
    writeln!(out, "| format, schema | {}, {} |\n", model.format, model.schema)?;
    writeln!(out, "The model is made again from the data beside it, bit for bit, by `tenure train --from=DATA`.\n")?;
    accuracy(out, metrics)?;
    regrets(out, metrics)?;
    limits(out, metrics)
}

fn accuracy(out: &mut String, metrics: &Metrics) -> std::fmt::Result {
    writeln!(out, "## Accuracy on families left out of the fit\n")?;
    writeln!(
        out,
        "Folds of whole families are predicted by models fitted to all others. \"Within runs\" has each run's mean"
    )?;
    writeln!(
        out,
        "taken out: it says how much of what knobs and phases do is explained, which is what choosing knobs lives on."
    )?;
    writeln!(out, "\n| output | model | mean absolute error | R² | R² within runs |\n|---|---|---|---|---|")?;
    for (output, name) in OUTPUTS.iter().enumerate() {
        for (kind, of_kind) in metrics.kinds.iter().enumerate() {
            let metric = &of_kind.outputs[output];
            let (method, penalty) = metrics.methods[output];
            let how = if kind == Kind::Linear as usize { format!(" ({method} {penalty})") } else { String::new() };
            writeln!(
                out,
                "| {name} | {}{how} | {:.3} | {:.3} | {:.3} |",
                of_kind.name, metric.error, metric.r2, metric.r2_within_runs
            )?;
        }
    }
    Ok(())
}

fn regrets(out: &mut String, metrics: &Metrics) -> std::fmt::Result {
    writeln!(out, "\n## Regret on families left out of the fit\n")?;
    writeln!(
        out,
        "Of eight holds in a row, how much more the one that a model likes best cost than the cheapest: a difference of"
    )?;
    writeln!(
        out,
        "costs, which are sums of logarithms, so 0.1 is about 10 %. The least of eight noisy costs is lower than any"
    )?;
    writeln!(out, "setting's true cost, so no model reaches 0.\n")?;
    let names: Vec<&str> = metrics.kinds.iter().map(|kind| kind.name).collect();
    writeln!(out, "| family | rows | blind choice | {} |", names.join(" | "))?;
    writeln!(out, "|---|---|---|{}", "---|".repeat(names.len()))?;
    let row = |out: &mut String, name: &str, rows: usize, blind: f64, regrets: Vec<f64>| {
        write!(out, "| {name} | {rows} | {blind:.3} |")?;
        regrets.iter().try_for_each(|regret| write!(out, " {regret:.3} |"))?;
        writeln!(out)
    };
    for (at, (family, rows)) in metrics.families.iter().enumerate() {
        let blind = metrics.regret_blind_by_family[at];
        row(out, family, *rows, blind, metrics.kinds.iter().map(|kind| kind.regret_by_family[at]).collect())?;
    }
    row(out, "**mean**", metrics.rows, metrics.regret_blind, metrics.kinds.iter().map(|kind| kind.regret).collect())?;
    let regret = |kind: Kind| metrics.kinds[kind as usize].regret;
    let added = (regret(Kind::Network) / regret(Kind::Twin) - 1.0) * 100.0;
    writeln!(out, "\nRounding the network to 8 bits changes its regret by {added:+.1} %.")
}

fn limits(out: &mut String, metrics: &Metrics) -> std::fmt::Result {
    writeln!(out, "\n## Limits\n")?;
    if metrics.shipped == Kind::Linear as usize {
        writeln!(out, "- Linear in hand-made features: interactions that are not listed are not known.")?;
    }
    writeln!(out, "- Fitted on one machine; others are met by the online correction of each output's level.")?;
    writeln!(out, "- A hold is at most eight cycles: what a threshold does over minutes is seen only through the")?;
    writeln!(out, "  amortised features.")?;
    writeln!(out, "- Outside the ranges of its data the model is not asked; the adaptive policy decides there.")?;
    for (name, metric) in OUTPUTS.iter().zip(&metrics.of_shipped().outputs) {
        if metric.r2_within_runs < 0.05 {
            writeln!(out, "- It explains next to nothing of `{name}` within runs (R² {:.3}).", metric.r2_within_runs)?;
        }
    }
    Ok(())
}
