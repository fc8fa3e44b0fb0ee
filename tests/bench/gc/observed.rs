//! A script run in this process, with an observer that drops nothing: each pause with its CPU time, in a child process of
//! its own, so that one run's heap is none of the next one's.

use serde_json::{Value, json};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tenure::{Engine, FixedKnobs, Gc, Host, Observer, PauseReport};
use tenure_gc::{MarkEvent, MarkReport};

/// The first argument of this program where it is such a child.
pub const CHILD: &str = "--observed-child";

/// How the script is to be run.
#[derive(Clone, Debug, Default)]
pub struct Order {
    /// Bytes.
    pub limit_bytes: u64,
    /// The policy's name, the default one if none; `static` with `start_percent`.
    pub policy: Option<String>,
    /// The marking threshold of the static policy.
    pub start_percent: Option<f64>,
    /// The script's file.
    pub script: String,
    /// Its arguments.
    pub args: Vec<String>,
}

/// One pause.
#[derive(Clone, Debug)]
pub struct Pause {
    /// Name of its kind, as `Debug` has it: of a `CycleKind` or a `MarkEvent`.
    pub kind: String,
    /// When it began.
    pub start_ns: f64,
    /// Its length.
    pub wall_ns: f64,
    /// Thread CPU time that it was held up by: of the longest worker, and of what one thread did alone.
    pub cpu_ns: f64,
    /// Committed at its end.
    pub committed_bytes: f64,
    /// What the collector took beside the heap at its end; only of evacuations and compactions, like all below.
    pub metadata_bytes: f64,
    /// In young regions when it began.
    pub young_bytes: f64,
    /// Copied and still young.
    pub survived_bytes: f64,
    /// Copied and old since.
    pub promoted_bytes: f64,
    /// CPU time of the collector since such a pause before, this one's and its helpers' included.
    pub gc_cpu_ns: f64,
    /// CPU time of the program since then.
    pub mutator_cpu_ns: f64,
}

/// What was seen.
pub struct Seen {
    /// All pauses in their order.
    pub pauses: Vec<Pause>,
    /// The totals at the end, by name.
    pub totals: Value,
    /// What the script said on standard error: its own figures.
    pub said: String,
}

#[derive(Clone, Default)]
struct Recorder {
    lines: Arc<Mutex<Vec<Value>>>,
}

impl Recorder {
    fn add(&self, line: Value) {
        self.lines.lock().expect("no observer panics").push(line);
    }
}

impl Observer for Recorder {
    fn pause(&mut self, report: &PauseReport) {
        let snapshot = &report.snapshot;
        self.add(json!([
            format!("{:?}", report.kind),
            report.start_ns,
            report.pause_ns,
            report.critical_cpu_ns,
            report.after.committed_bytes,
            report.metadata_bytes,
            snapshot.young_bytes,
            snapshot.survived_bytes,
            snapshot.promoted_bytes,
            snapshot.pause_cpu_ns + snapshot.concurrent_cpu_ns,
            snapshot.mutator_cpu_ns,
        ]));
    }

    fn marking(&mut self, report: &MarkReport) {
        if matches!(report.event, MarkEvent::Remark | MarkEvent::Cleanup) {
            let kind = format!("{:?}", report.event);
            let cpu_ns = report.user_ns + report.system_ns;
            let (start_ns, wall_ns, committed_bytes) =
                (report.start_ns, report.length_ns, report.after.committed_bytes);
            self.add(json!([kind, start_ns, wall_ns, cpu_ns, committed_bytes, 0, 0, 0, 0, 0, 0]));
        }
    }
}

/// The child's side.
pub fn child(args: &[String]) {
    let [limit, policy, start_percent, script, args @ ..] = args else { panic!("an order is needed") };
    let gc = match policy.as_str() {
        "advisor" => Gc::advisor(),
        "adaptive" => Gc::adaptive(),
        "static" => Gc::fixed(FixedKnobs {
            concurrent_start_share: start_percent.parse::<f64>().ok().map(|percent| percent / 100.0),
            ..FixedKnobs::default()
        }),
        other => panic!("no policy `{other}` here"),
    };
    let engine = Engine::builder()
        .gc(gc)
        .max_heap(limit.parse().expect("bytes"))
        .pause_goal(Duration::from_millis(10))
        .build()
        .expect("sound settings");
    let text = std::fs::read_to_string(script).expect("the script can be read");
    let program =
        engine.compile(script, &text, &Host::none()).unwrap_or_else(|found| panic!("{}", found.render(false)));
    let recorder = Recorder::default();
    let mut vm = program
        .instance()
        .args(args.iter().cloned())
        .stdout(Box::new(std::io::sink()))
        .observer(Box::new(recorder.clone()))
        .build()
        .expect("a heap");
    vm.run().unwrap_or_else(|error| panic!("{error}"));
    let stats = vm.gc().stats();
    let totals = json!({
        "gc_cpu_ns": stats.gc_cpu_ns,
        "mutator_cpu_ns": stats.mutator_cpu_ns,
        "allocated_bytes": stats.allocated_bytes,
        "barrier_slow_paths": stats.barrier_slow_paths,
        "full_collections": stats.full_collections(),
    });
    let mut out = std::io::stdout().lock();
    for line in recorder.lines.lock().expect("no observer panics").iter() {
        writeln!(out, "{line}").expect("the parent listens");
    }
    writeln!(out, "{totals}").expect("the parent listens");
}

/// Runs a script in a child of this program.
pub fn observe(order: &Order) -> Seen {
    let output = Command::new(std::env::current_exe().expect("this program has a path"))
        .args([CHILD, &order.limit_bytes.to_string(), order.policy.as_deref().unwrap_or("advisor")])
        .arg(order.start_percent.map_or(String::from("-"), |percent| percent.to_string()))
        .arg(Path::new(&order.script))
        .args(&order.args)
        .stdin(Stdio::null())
        .output()
        .expect("this program starts itself");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{order:?} failed: {said}");
    let text = String::from_utf8(output.stdout).expect("lines of JSON");
    let mut lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let totals = lines.pop().expect("the totals come last");
    let pauses = lines.iter().map(Pause::of).collect();
    Seen { pauses, totals, said }
}

impl Pause {
    fn of(line: &Value) -> Pause {
        let number = |i: usize| line[i].as_f64().expect("a number");
        Pause {
            kind: line[0].as_str().expect("a name").to_string(),
            start_ns: number(1),
            wall_ns: number(2),
            cpu_ns: number(3),
            committed_bytes: number(4),
            metadata_bytes: number(5),
            young_bytes: number(6),
            survived_bytes: number(7),
            promoted_bytes: number(8),
            gc_cpu_ns: number(9),
            mutator_cpu_ns: number(10),
        }
    }
}

impl Seen {
    /// A total by name.
    pub fn total(&self, name: &str) -> f64 {
        self.totals[name].as_f64().unwrap_or_else(|| panic!("the totals have {name}"))
    }
}
