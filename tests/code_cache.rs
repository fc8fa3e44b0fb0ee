//! Machine code from an earlier process: the same results, without Cranelift. Builds with debug assertions also compile
//! whatever a cache gives, and compare.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use support::{command, tenure};

/// Throws through frames that catch, overflows, allocates in loops and calls closures.
const SCRIPT: &str = "
struct Node { next: Node?, number: int }
fn halve(n: int) -> int { if n % 2 == 1 { panic(\"{n} is odd\") }; n / 2 }
fn safely(n: int) -> int { try { halve(n) } catch e { 0 - n } }
fn build(count: int) -> Node? {
  var head: Node? = nil
  for i in 0..count { head = Node(next: head, number: i) }
  head
}
var sum = 0
var at = build(50000)
while let node = at { sum += safely(node.number); at = node.next }
print(sum)
print((0..10).iter().map(|x| x * x).filter(|x| x % 3 == 1).sum())
print(float(sum) / 3.0)
halve(int.parse(args.get(0) ?? \"7\")!)
";

struct Bench {
    folder: tempfile::TempDir,
}

/// What a run printed, and how many functions Cranelift compiled and the cache gave.
#[derive(Debug, PartialEq)]
struct Ran {
    status: i32,
    stdout: String,
    compiled: u64,
    cached: u64,
}

impl Bench {
    fn new(script: &str) -> Bench {
        let folder = tempfile::tempdir().expect("a folder");
        let bench = Bench { folder };
        bench.write(script);
        bench
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn write(&self, script: &str) {
        fs::write(self.path("script.ten"), script).expect("room");
    }

    /// With the cache and these options.
    fn run(&self, options: &[&str]) -> Ran {
        let (cache, json) = (format!("--code-cache={}", self.path("cache")), self.path("phases.json"));
        let (times, script) = (format!("--time-passes-json={json}"), self.path("script.ten"));
        let mut args = vec![&*cache, &*times];
        args.extend(options);
        args.push(&script);
        let run = tenure(&args);
        assert!(!run.stderr.contains("warning"), "{run:?}");
        let phases: serde_json::Value = serde_json::from_str(&fs::read_to_string(json).expect("a file")).expect("JSON");
        let phases = phases.as_array().expect("a list");
        let runs = |name: &str| {
            let phase = phases.iter().find(|phase| phase["phase"] == name);
            phase.map_or(0, |phase| phase["runs"].as_u64().expect("a number"))
        };
        Ran { status: run.code, stdout: run.stdout, compiled: runs("cranelift"), cached: runs("code cache") }
    }

    /// The one file of the cache.
    fn file(&self) -> PathBuf {
        let files: Vec<PathBuf> = fs::read_dir(self.path("cache"))
            .expect("it was made")
            .map(|entry| entry.expect("an entry").path())
            .collect();
        let [file] = &files[..] else { panic!("{files:?}") };
        file.clone()
    }
}

#[test]
fn a_second_run_compiles_nothing_and_does_the_same() {
    let bench = Bench::new(SCRIPT);
    let first = bench.run(&[]);
    assert!(first.status == 1 && first.compiled > 5 && first.cached == 0, "{first:?}");
    let expected = Ran { compiled: 0, cached: first.compiled, ..first };
    assert_eq!(bench.run(&[]), expected);
    // collections at nearly every allocation go by the stack maps that were kept
    assert_eq!(bench.run(&["--gc-zeal=young:4K", "--gc-verify"]), expected);
    let without = tenure(&[&bench.path("script.ten")]);
    assert_eq!((without.code, without.stdout), (expected.status, expected.stdout));
}

#[test]
fn a_trace_from_cached_code_names_the_lines_of_the_source_as_it_is_now() {
    let bench = Bench::new(SCRIPT);
    let error =
        |bench: &Bench| tenure(&[&format!("--code-cache={}", bench.path("cache")), &bench.path("script.ten")]).stderr;
    assert!(error(&bench).contains("script.ten:3:"));
    bench.write(&format!("// a line more\n{SCRIPT}"));
    let ran = bench.run(&[]);
    assert!(ran.cached > 0, "{ran:?}");
    assert!(error(&bench).contains("script.ten:4:"));
}

#[test]
fn a_damaged_file_is_compiled_over() {
    let bench = Bench::new(SCRIPT);
    let first = bench.run(&[]);
    let sound = fs::read(bench.file()).expect("it was written");
    let mut changed = sound.clone();
    changed[sound.len() / 2] ^= 1;
    for damaged in [&sound[..sound.len() - 1], &sound[..10], &changed, b""] {
        fs::write(bench.file(), damaged).expect("room");
        assert_eq!(bench.run(&[]), first);
        assert_eq!(bench.run(&[]).compiled, 0);
    }
}

#[test]
fn what_changed_is_compiled_and_the_rest_is_not() {
    let bench = Bench::new(SCRIPT);
    let first = bench.run(&[]);
    bench.write(&SCRIPT.replace("n / 2", "n / 2 + 1"));
    let changed = bench.run(&[]);
    assert!(changed.compiled > 0 && changed.cached > 0, "{changed:?}");
    assert_ne!(changed.stdout, first.stdout);
    // other passes make other code
    let plain = bench.run(&["--opt=none"]);
    assert!(plain.compiled > 0, "{plain:?}");
    assert_eq!(plain.stdout, changed.stdout);
    // all of it is kept, side by side
    bench.write(SCRIPT);
    assert_eq!(bench.run(&[]), Ran { compiled: 0, cached: first.compiled, ..first });
}

#[test]
fn processes_at_once_leave_a_sound_cache() {
    let bench = Bench::new(SCRIPT);
    let cache = format!("--code-cache={}", bench.path("cache"));
    let runs: Vec<_> = (0..4)
        .map(|_| {
            let mut run = command();
            run.args([&cache, &bench.path("script.ten")]).stdout(Stdio::piped()).stderr(Stdio::null());
            run.spawn().expect("it starts")
        })
        .collect();
    let printed: Vec<Vec<u8>> = runs.into_iter().map(|run| run.wait_with_output().expect("it ends").stdout).collect();
    let after = bench.run(&[]);
    assert_eq!(after.compiled, 0);
    assert!(printed.iter().all(|printed| *printed == after.stdout.as_bytes()));
}

#[test]
fn without_a_folder_to_trust_the_script_runs_without_a_cache() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new("print(1)");
    let run = |folder: &str| tenure(&[&format!("--code-cache={folder}"), &bench.path("script.ten")]);
    fs::create_dir(bench.path("open")).expect("room");
    fs::set_permissions(bench.path("open"), fs::Permissions::from_mode(0o777)).expect("our own");
    let open = run(&bench.path("open"));
    assert_eq!(open.stdout, "1\n");
    assert!(open.stderr.contains("no code is cached") && open.stderr.contains("others may write to it"), "{open:?}");
    assert_eq!(fs::read_dir(Path::new(&bench.path("open"))).expect("it is there").count(), 0);
    let no_folder = run(&bench.path("script.ten"));
    assert_eq!(no_folder.stdout, "1\n");
    assert!(no_folder.stderr.contains("no code is cached"), "{no_folder:?}");
}
