//! Findings of `check` and `test` for programs: JSON lines, and annotations of GitHub Actions.

use serde_json::{Value, json};
use tenure::{Diagnostic, Place, Severity};

/// A diagnostic as one JSON object.
pub fn diagnostic_json(item: &Diagnostic) -> Value {
    let place = |p: &Place| {
        json!({
            "file": p.file, "line": p.line, "column": p.column,
            "end_line": p.end_line, "end_column": p.end_column, "label": p.label,
        })
    };
    json!({
        "severity": severity(item),
        "code": item.code,
        "message": item.message,
        "place": item.place.as_ref().map(place),
        "secondary": item.secondary.iter().map(place).collect::<Vec<_>>(),
        "help": item.help,
    })
}

/// A diagnostic as one workflow command.
pub fn diagnostic_github(item: &Diagnostic) -> String {
    let mut message = item.message.clone();
    for help in &item.help {
        message += &format!("\nhelp: {help}");
    }
    annotation(severity(item), item.place.as_ref().map(|p| (p.file.as_str(), p.line, p.column)), &item.code, &message)
}

/// A workflow command that marks a place, or the whole run.
pub fn annotation(level: &str, place: Option<(&str, u32, u32)>, title: &str, message: &str) -> String {
    let place = place.map_or_else(String::new, |(file, line, column)| {
        format!("file={},line={line},col={column},", escape(file, true))
    });
    format!("::{level} {place}title={}::{}", escape(title, true), escape(message, false))
}

fn severity(item: &Diagnostic) -> &'static str {
    match item.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn escape(text: &str, property: bool) -> String {
    let text = text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    if property { text.replace(':', "%3A").replace(',', "%2C") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workflow_commands_escape_what_would_end_them() {
        assert_eq!(
            annotation("error", Some(("a,b:c.ten", 3, 4)), "E0201", "50 % of\nit: wrong"),
            "::error file=a%2Cb%3Ac.ten,line=3,col=4,title=E0201::50 %25 of%0Ait: wrong"
        );
    }
}
