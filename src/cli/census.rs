//! Tables of what lives on the heap and where it was allocated; `tenure gc census`.

use super::args::CensusArgs;
use super::output;
use super::report::{self, Status};
use super::run::{engine, on_script_stack, show_warnings, split_script};
use super::size::show_bytes;
use comfy_table::{CellAlignment, Table, presets};
use serde_json::json;
use std::path::Path;
use tenure::{AllocationSite, CensusLine, Gc, Host, Purpose, read_source};

/// Lines of a table; the rest is summed up in one.
const LINES_MAX: usize = 30;

/// `tenure gc census`: runs a script and counts what it has left.
pub fn main(args: &CensusArgs) -> Status {
    let gc = args.heap.gc();
    on_script_stack(|| run(args, gc))
}

fn run(args: &CensusArgs, gc: Gc) -> Status {
    let (file, script_args) = split_script(&args.script);
    let text = match read_source(Path::new(file)) {
        Ok(text) => text,
        Err(line) => return report::failure(&line),
    };
    let program = match engine().compile_for(Purpose::Run, file, &text, &[Host::none()], true) {
        Ok(program) => program,
        Err(found) => return report::diagnostics(&found, false),
    };
    show_warnings(program.warnings(), false);
    // the census is this command's output, so the script's goes where messages go
    let instance = program
        .instance()
        .args(script_args.iter().cloned())
        .stdout(Box::new(std::io::stderr()))
        .stderr(Box::new(std::io::stderr()))
        .census_on_out_of_memory(true);
    let mut vm = match args.heap.apply(gc, instance).and_then(|i| i.build().map_err(|e| e.to_string())) {
        Ok(vm) => vm,
        Err(line) => return report::failure(&line),
    };
    let status = vm.run().map_or_else(|error| report::script_error(&error, false), |()| Status::Success);
    let lines = match vm.gc().take_census() {
        Some(lines) if status == Status::HeapLimit => lines,
        _ => vm.gc().census(),
    };
    let text = if args.json { as_json(&lines).to_string() + "\n" } else { census(&lines) };
    match output::print(&text) {
        Ok(()) => status,
        Err(error) => report::failure(&error.to_string()),
    }
}

fn as_json(lines: &[CensusLine]) -> serde_json::Value {
    let line = |line: &CensusLine| json!({"type": line.name, "objects": line.objects, "bytes": line.bytes});
    lines.iter().map(line).collect()
}

fn table(header: [&str; 3], rows: impl Iterator<Item = [String; 3]>) -> String {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(header);
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut().take(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    format!("{table}\n")
}

/// A census for people.
pub fn census(lines: &[CensusLine]) -> String {
    let row = |objects: u64, bytes, name: &str| [objects.to_string(), show_bytes(bytes), name.to_owned()];
    let sum = |lines: &[CensusLine]| {
        (lines.iter().map(|l| l.objects).sum::<u64>(), lines.iter().map(|l| l.bytes).sum::<u64>())
    };
    let (shown, rest) = lines.split_at(lines.len().min(LINES_MAX));
    let mut rows: Vec<_> = shown.iter().map(|l| row(l.objects, l.bytes, &l.name)).collect();
    if !rest.is_empty() {
        let (objects, bytes) = sum(rest);
        rows.push(row(objects, bytes, &format!("{} more types", rest.len())));
    }
    let (objects, bytes) = sum(lines);
    rows.push(row(objects, bytes, "in all"));
    table(["objects", "bytes", "type"], rows.into_iter())
}

/// Sampled allocations for people.
pub fn sites(sites: &[AllocationSite]) -> String {
    let total: u64 = sites.iter().map(|site| site.bytes).sum();
    let rows = sites.iter().take(LINES_MAX).map(|site| {
        let share = site.bytes as f64 * 100.0 / total.max(1) as f64;
        let frame = &site.frame;
        let place = format!("{} in {} ({}:{})", site.type_name, frame.function, frame.file, frame.line);
        [format!("{share:.1} %"), show_bytes(site.bytes), place]
    });
    table(["share", "allocated", "what, and where"], rows)
}
