//! The profiler, by polls wherever figures are compared: they are the same in every run.

mod support;

use std::fs;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use support::{command, tenure};
use tenure::{
    CodeListener, Engine, Host, Profile, ProfiledFunction, ProfiledKind, Program, PublishedCode, Sampling, Vm,
};

fn host() -> Host {
    Host::new("host").func("same", |x: i64| x).func("burn", |ms: i64| {
        let end = Instant::now() + Duration::from_millis(ms as u64);
        while Instant::now() < end {}
    })
}

fn compile(script: &str) -> Program {
    Engine::new().compile("test.ten", script, &host()).unwrap_or_else(|found| panic!("{found}"))
}

fn sampled(program: &Program, sampling: Sampling) -> Vm {
    program.instance().profile(sampling).build().expect("a heap")
}

fn profile_of(script: &str) -> Profile {
    let mut vm = sampled(&compile(script), Sampling::Polls(1));
    vm.run().expect("it runs");
    vm.profile().expect("it was asked for")
}

fn function<'p>(profile: &'p Profile, name: &str) -> &'p ProfiledFunction {
    let functions = profile.functions();
    functions.iter().find(|f| f.name == name).unwrap_or_else(|| panic!("no {name} in {functions:#?}"))
}

/// The sums that hold in any profile.
fn check(profile: &Profile) {
    let calls = profile.calls();
    assert_eq!(calls.iter().map(|call| call.own).sum::<u64>(), profile.total());
    let outside = calls[0].own;
    assert_eq!(profile.functions().iter().map(|f| f.own).sum::<u64>() + outside, profile.total());
    assert!(profile.functions().iter().all(|f| f.own <= f.total && f.total <= profile.total()));
    for (index, call) in calls.iter().enumerate().skip(1) {
        assert!(call.above < index && call.level == calls[call.above].level + 1);
        assert!(call.total <= calls[call.above].total);
    }
}

const TWO_LOOPS: &str = "
use host
fn short() { for i in 0..1000 { host.same(i) } }
fn long() { for i in 0..3000 { host.same(i) } }
short()
long()";

#[test]
fn shares_are_those_of_the_work() {
    let profile = profile_of(TWO_LOOPS);
    check(&profile);
    let [short, long] = ["short", "long"].map(|name| function(&profile, name));
    // a poll and a native in each round, and a few polls around the loops
    let (rounds, around) = (4000, 8);
    assert!((2 * rounds..=2 * rounds + around).contains(&profile.total()), "{profile:#?}");
    for (f, rounds) in [(short, 1000), (long, 3000)] {
        assert!((rounds..=rounds + around).contains(&f.own), "{f:?}");
        assert!((2 * rounds..=2 * rounds + around).contains(&f.total), "{f:?}");
    }
    assert_eq!((&short.place, &long.place), (&Some(("test.ten".into(), 3)), &Some(("test.ten".into(), 4))));
    let native = function(&profile, "host.same");
    assert_eq!((native.kind, native.own, native.total), (ProfiledKind::Native, 4000, 4000));
    assert_eq!(function(&profile, "top level").total, profile.total() - profile.calls()[0].own);
}

#[test]
fn every_run_gives_the_same() {
    assert_eq!(profile_of(TWO_LOOPS).folded(), profile_of(TWO_LOOPS).folded());
}

#[test]
fn folded_stacks_are_a_line_each() {
    let folded = profile_of(TWO_LOOPS).folded();
    let native = "top level (test.ten:2);long (test.ten:4);host.same 3000\n";
    assert!(folded.contains(native), "{folded}");
    assert!(folded.lines().all(|line| line.rsplit_once(' ').is_some_and(|(_, own)| own.parse::<u64>().is_ok())));
}

#[test]
fn a_deep_recursion_is_known_to_its_outermost_call_and_takes_no_room() {
    let script = "
fn down(n: int) -> int = if n == 0 { 0 } else { 1 + up(n - 1) }
fn up(n: int) -> int = if n == 0 { 0 } else { 1 + down(n - 1) }
fn outermost() -> int = down(100000)
print(outermost())";
    let deep = std::thread::Builder::new().stack_size(256 << 20).spawn(|| {
        let engine = Engine::builder().stack_budget(250 << 20).build().expect("sound settings");
        let program = engine.compile("deep.ten", script, &Host::none()).expect("a sound script");
        let instance = program.instance().stdout(Box::new(std::io::sink())).profile(Sampling::Polls(9973));
        let mut vm = instance.build().expect("a heap");
        vm.run().expect("the stack is large enough");
        vm.profile().expect("it was asked for")
    });
    let profile = deep.expect("a thread").join().expect("joined");
    check(&profile);
    assert!(profile.samples() >= 3, "{}", profile.samples());
    // all but the last sample was taken down there, and each function counts once in it
    for name in ["top level", "outermost", "down", "up"] {
        assert!(function(&profile, name).total + 9973 > profile.total(), "{name}: {:#?}", profile.functions());
    }
    let levels = profile.calls().iter().map(|call| call.level).max();
    assert!(levels <= Some(55), "{levels:?}");
}

#[test]
fn what_ends_in_a_trap_has_a_profile_too() {
    let ends = [
        "panic(\"oh no\")",
        "let xs = [1]\nprint(xs[7])",
        "fn f(x: int) -> int = f(x + 1) + 1\nprint(f(0))",
        "use os\nos.exit(3)",
    ];
    for end in ends {
        let script = format!("{TWO_LOOPS}\n{end}");
        let mut vm = sampled(&compile(&script), Sampling::Polls(100));
        vm.run().expect_err("it ends badly");
        let profile = vm.profile().expect("it was asked for");
        check(&profile);
        assert!(function(&profile, "long").total >= 5900, "{end}: {profile:#?}");
    }
}

#[test]
fn a_caught_trap_and_cleanups_leave_the_profile_sound() {
    let profile = profile_of(
        "
use host
fn check(x: int) -> int { if host.same(x) % 2 == 0 { panic(\"even\") }\n x }
fn guarded(x: int) -> int { defer { host.same(x) }\n try { check(x) } catch e { 0 } }
var sum = 0
for i in 0..200 { sum += guarded(i) }
assert(sum == 10000)",
    );
    check(&profile);
    assert_eq!(function(&profile, "host.same").own, 400, "{profile:#?}");
    assert!(function(&profile, "guarded").total >= 400, "{profile:#?}");
}

#[test]
fn each_call_of_the_host_adds_to_the_profile() {
    let program = compile("use host\npub fn work(n: int) { for i in 0..n { host.same(i) } }");
    let mut vm = sampled(&program, Sampling::Polls(1));
    vm.run().expect("it only defines");
    let work = vm.func::<(i64,), ()>("work").expect("it has one");
    for calls in 1..=3 {
        work.call(&mut vm, (100,)).expect("it works");
        let profile = vm.profile().expect("it was asked for");
        check(&profile);
        assert_eq!(function(&profile, "host.same").own, calls * 100);
    }
}

/// Counts functions as they are compiled.
#[derive(Debug, Default)]
struct Compiled(AtomicUsize);

impl CodeListener for Compiled {
    fn compiled(&self, _: &PublishedCode<'_>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn code_is_the_same_with_and_without() {
    let compiled = Arc::<Compiled>::default();
    let engine = Engine::builder().code_listener(Arc::clone(&compiled) as _).build().expect("sound settings");
    let program = engine.compile("test.ten", TWO_LOOPS, &host()).expect("a sound script");
    let mut plain = program.instance().build().expect("a heap");
    plain.run().expect("it runs");
    assert!(plain.profile().is_none());
    let functions = compiled.0.load(Ordering::SeqCst);
    assert!(functions > 0);
    let mut vm = sampled(&program, Sampling::Polls(1));
    vm.run().expect("it runs");
    assert!(vm.profile().expect("it was asked for").total() >= 8000);
    assert_eq!(compiled.0.load(Ordering::SeqCst), functions, "nothing was compiled anew");
}

#[test]
fn by_time_the_collector_and_natives_have_their_own_share() {
    let program = compile(
        "
use gc
use host
struct Node { next: Node? }
pub fn collect() {
  var chain: Node? = nil
  for i in 0..100000 { chain = Node(next: chain) }
  gc.collect()
}
pub fn burn() { host.burn(3) }",
    );
    let mut vm = sampled(&program, Sampling::Time(Duration::from_millis(1)));
    vm.run().expect("it only defines");
    let [collect, burn] = ["collect", "burn"].map(|name| vm.func::<(), ()>(name).expect("it has one"));
    let patience = Instant::now() + Duration::from_secs(60);
    loop {
        collect.call(&mut vm, ()).expect("there is room");
        burn.call(&mut vm, ()).expect("it burns");
        let profile = vm.profile().expect("it was asked for");
        check(&profile);
        let seen = |kind| profile.functions().iter().any(|f| f.kind == kind && f.own > 0);
        if [ProfiledKind::Native, ProfiledKind::Collector, ProfiledKind::Compiler].into_iter().all(seen) {
            break;
        }
        assert!(Instant::now() < patience, "{:#?}", profile.functions());
    }
}

#[test]
fn by_time_the_function_that_ran_is_charged_and_not_the_one_that_polled() {
    // leaving a recursion takes longer than entering it, and nothing polls there
    let program = compile(
        "
fn down(n: int) -> int = if n == 0 { 0 } else { 1 + down(n - 1) }
pub fn busy(rounds: int) -> int {
  var sum = 0
  for i in 0..rounds { sum += down(5000) }
  sum
}",
    );
    let mut vm = sampled(&program, Sampling::Time(Duration::from_millis(1)));
    vm.run().expect("it only defines");
    let busy = vm.func::<(i64,), i64>("busy").expect("it has one");
    let patience = Instant::now() + Duration::from_secs(60);
    loop {
        assert_eq!(busy.call(&mut vm, (1000,)).expect("the stack is large enough"), 5_000_000);
        let profile = vm.profile().expect("it was asked for");
        check(&profile);
        if function(&profile, "busy").own * 4
            < profile.functions().iter().find(|f| f.name == "down").map_or(0, |f| f.own)
        {
            break;
        }
        assert!(Instant::now() < patience, "{:#?}", profile.functions());
    }
}

const SCRIPT: &str = "fn count(n: int) -> int = [i for i in 0..n].len()\nfor n in 0..500 { assert(count(n) == n) }\n";

/// A folder with a script.
fn folder(script: &str) -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("prog.ten");
    fs::write(&path, script).expect("written");
    let path = path.display().to_string();
    (dir, path)
}

#[test]
fn the_picture_lies_beside_the_script_unless_another_place_is_named() {
    let (dir, path) = folder(SCRIPT);
    let run = tenure(&["--profile", "--profile-polls=1", &path]);
    assert!(run.stderr.contains(" 49.9 % | count (") && run.stderr.contains("samples of"), "{}", run.stderr);
    assert_eq!(run.ok(), "");
    let svg = fs::read_to_string(dir.path().join("prog.profile.svg")).expect("it was written");
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"), "{svg}");
    assert_eq!(svg.matches("<g>").count(), svg.matches("</g>").count());
    assert!(svg.contains("<title>count (") && !svg.contains("<script"), "{svg}");
    let folded = dir.path().join("stacks.folded").display().to_string();
    tenure(&[&format!("--profile={folded}"), "--profile-polls=1", &path]).ok();
    let folded = fs::read_to_string(&folded).expect("it was written");
    assert!(folded.contains("prog.ten:1) "), "{folded}");
}

#[test]
fn the_profile_is_written_however_the_script_ends() {
    let ends = [("panic(\"oh\")", 1), ("use os\nos.exit(7)", 7), ("loop {}", 124)];
    for (end, status) in ends {
        let (dir, path) = folder(&format!("{SCRIPT}{end}\n"));
        let file = dir.path().join("end.svg");
        let run = tenure(&[&format!("--profile={}", file.display()), "--profile-polls=1", "--timeout=3s", &path]);
        assert!(run.fails(status).contains(" samples of "));
        assert!(fs::read_to_string(file).expect("it was written").ends_with("</svg>\n"), "{end}");
    }
}

#[test]
fn what_can_not_be_written_is_said_before_the_script_runs() {
    let (dir, path) = folder("print(\"never\")");
    let missing = format!("--profile={}/no/such/folder.svg", dir.path().display());
    let run = tenure(&[&missing, &path]);
    assert_eq!(run.stdout, "");
    assert!(run.fails(1).contains("error: can't write `"));
    for wrong in [&["--profile=prog.ten"][..], &["--profile", "--evaluate"], &["--profile", "--emit=asm"]] {
        let output = command().args(wrong).arg(&path).stdin(Stdio::null()).output().expect("the command runs");
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{wrong:?}");
    }
    assert_eq!(fs::read_to_string(&path).expect("it is still there"), "print(\"never\")");
}
