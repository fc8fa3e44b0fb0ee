//! The card: what a model was fitted to, how good it is, and what it must not be used for.

use std::fmt::Write;

use crate::model::ModelFile;

use super::{Metrics, Options};

/// The card as Markdown.
pub(super) fn write(model: &ModelFile, metrics: &Metrics, options: &Options) -> String {
    let mut card = String::new();
    let out = &mut card;
    // Writing to a string cannot fail.
    let _ = writeln!(out, "# The advisor's cost models\n\n{}\n", model.trained_on);
    let _ = writeln!(out, "| | |\n|---|---|");
    let _ = writeln!(out, "| date | {} |\n| seed of the exploration | {} |", options.date, model.seed);
    let _ = writeln!(out, "| rows (holds of random knobs) | {} of {} runs |", metrics.rows, metrics.runs);
    let _ = writeln!(out, "| rows left out for unusable numbers | {} |", metrics.rows_left_out);
    let _ = writeln!(out, "| format, schema | {}, {} |\n", model.format, model.schema);
    let _ = writeln!(out, "## Accuracy on families left out of the fit\n");
    let _ =
        writeln!(out, "Each family is predicted by a model fitted to all the others. The last column has each run's");
    let _ = writeln!(out, "mean taken out: it says how much of what knobs and phases do is explained, which is what");
    let _ = writeln!(out, "choosing knobs lives on.\n");
    let _ = writeln!(out, "| output | method | penalty | mean absolute error | R² | R² within runs |");
    let _ = writeln!(out, "|---|---|---|---|---|---|");
    for m in &metrics.outputs {
        let _ = writeln!(
            out,
            "| {} | {} | {} | {:.3} | {:.3} | {:.3} |",
            m.name, m.method, m.penalty, m.error, m.r2, m.r2_within_runs
        );
    }
    let _ = writeln!(out, "\n## Data\n\n| family | rows |\n|---|---|");
    for (family, rows) in &metrics.families {
        let _ = writeln!(out, "| {family} | {rows} |");
    }
    let _ = writeln!(out, "\n## Limits\n");
    let _ = writeln!(out, "- Linear in hand-made features: interactions that are not listed are not known.");
    let _ = writeln!(out, "- Fitted on one machine; others are met by the online correction of each output's level.");
    let _ =
        writeln!(out, "- A hold is at most eight cycles: what a threshold does over minutes is seen only through the");
    let _ = writeln!(out, "  amortised features.");
    let _ =
        writeln!(out, "- Outside the ranges of its data the model is not asked; the adaptive policy decides there.");
    card
}
