//! The embedding API: what a host can do with a script, and that no script can harm its host. Also builds and runs the
//! programs in `examples/embed`.

use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use tenure::{Engine, Gc, Host, Program, Root, Severity};

fn compile(text: &str, host: &Host) -> Program {
    Engine::new().compile("test.ten", text, host).unwrap_or_else(|found| panic!("{found}"))
}

/// A stream that a test can read.
#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic while writing").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Captured {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("no panic while writing").clone()).expect("UTF-8")
    }
}

#[test]
fn values_cross_in_both_directions() {
    let host = Host::new("host")
        .func("add", |a: i64, b: i64| a + b)
        .func("half", |x: f64| x / 2.0)
        .func("not_", |b: bool| !b)
        .func("next", |b: u8| b.wrapping_add(1))
        .func("shout", |s: &str| s.to_uppercase())
        .func("six", |a: i64, b: f64, c: bool, d: u8, e: &str, f: String| format!("{a} {b} {c} {d} {e} {f}"));
    let text = "use host\n\
        pub fn ints(a: int) -> int = host.add(a, 1)\n\
        pub fn floats(x: float) -> float = host.half(x)\n\
        pub fn bools(b: bool) -> bool = host.not_(b)\n\
        pub fn bytes(b: byte) -> byte = host.next(b)\n\
        pub fn strings(s: str) -> str = host.shout(s) + \"!\"\n\
        pub fn all(a: int, b: float, c: bool, d: byte, e: str, f: str) -> str = host.six(a, b, c, d, e, f)\n\
        pub fn nothing() {}\n";
    let program = compile(text, &host);
    let mut vm = program.instance().build().expect("a VM");
    vm.run().expect("it runs");
    assert_eq!(vm.func::<(i64,), i64>("ints").expect("ints").call(&mut vm, (41,)), Ok(42));
    assert_eq!(vm.func::<(f64,), f64>("floats").expect("floats").call(&mut vm, (3.0,)), Ok(1.5));
    assert_eq!(vm.func::<(bool,), bool>("bools").expect("bools").call(&mut vm, (true,)), Ok(false));
    assert_eq!(vm.func::<(u8,), u8>("bytes").expect("bytes").call(&mut vm, (255,)), Ok(0));
    let strings = vm.func::<(&str,), String>("strings").expect("strings");
    assert_eq!(strings.call(&mut vm, ("grüße",)), Ok("GRÜSSE!".to_owned()));
    let all = vm.func::<(i64, f64, bool, u8, &str, String), String>("all").expect("all");
    let result = all.call(&mut vm, (i64::MIN, 0.5, true, 7, "e", "f".to_owned()));
    assert_eq!(result, Ok("-9223372036854775808 0.5 true 7 e f".to_owned()));
    assert_eq!(vm.func::<(), ()>("nothing").expect("nothing").call(&mut vm, ()), Ok(()));
}

#[test]
fn functions_are_looked_up_by_name_and_types() {
    let program = compile("pub fn f(a: int) -> float = float(a)\nfn g(x) = x\nprint(g(1))\n", &Host::none());
    let names: Vec<String> = program.functions().map(ToString::to_string).collect();
    assert_eq!(names, ["f(int) -> float"]);
    let vm = program.instance().build().expect("a VM");
    assert!(vm.func::<(i64,), f64>("f").is_ok());
    let error = vm.func::<(f64,), f64>("f").expect_err("other types");
    assert!(error.is_signature(), "{error}");
    assert_eq!(error.to_string(), "the script's function is f(int) -> float, not f(float) -> float");
    let error = vm.func::<(i64,), i64>("g").expect_err("a template");
    assert!(error.is_no_function() && error.to_string().contains("it has f"), "{error}");
}

#[test]
fn mistakes_are_data() {
    let found = Engine::new().compile("bad.ten", "let a: int = true\nprint(b)\n", &Host::none());
    let found = found.expect_err("two mistakes");
    assert!(found.len() >= 2 && found.has_errors(), "{found}");
    let first = found.iter().next().expect("a diagnostic");
    assert_eq!(first.severity, Severity::Error);
    assert!(first.code.starts_with('E'));
    let place = first.place.as_ref().expect("a place");
    assert_eq!((place.file.as_str(), place.line, place.column), ("bad.ten", 1, 14));
}

#[test]
fn a_host_function_may_fail_or_panic() {
    let host = Host::new("host")
        .func("fail", |s: &str| -> Result<i64, String> { Err(format!("no {s}")) })
        .func("explode", || -> i64 { panic!("boom") });
    let text = "use host\n\
        pub fn fail() -> int = host.fail(\"luck\")\n\
        pub fn caught() -> str = try { host.fail(\"luck\"); \"fine\" } catch e { e.message }\n\
        pub fn explode() -> int = host.explode()\n";
    let program = compile(text, &host);
    let mut vm = program.instance().build().expect("a VM");
    let error = vm.func::<(), i64>("fail").expect("fail").call(&mut vm, ()).expect_err("it fails");
    assert_eq!((error.message(), error.kind()), ("no luck", "panic"));
    assert_eq!(error.trace().next().map(|f| f.function.to_owned()), Some("fail".to_owned()));
    assert_eq!(vm.func::<(), String>("caught").expect("caught").call(&mut vm, ()), Ok("no luck".to_owned()));
    let error = vm.func::<(), i64>("explode").expect("explode").call(&mut vm, ()).expect_err("it panics");
    assert!(error.message().contains("boom"), "{error}");
    assert_eq!(vm.func::<(), String>("caught").expect("caught").call(&mut vm, ()), Ok("no luck".to_owned()));
}

#[test]
fn no_script_harms_its_host() {
    let text = "pub fn deep(n: int) -> int = deep(n + 1) + 1\n\
        pub fn leak() -> int { let kept: [[int]] = []; loop { kept.push([1, 2, 3]) }; 0 }\n\
        pub fn divide(a: int, b: int) -> int = a / b\n\
        pub fn fine() -> int = 7\n";
    let program = compile(text, &Host::none());
    let mut vm = program.instance().max_heap(4 << 20).build().expect("a VM");
    let fine = vm.func::<(), i64>("fine").expect("fine");
    for _ in 0..3 {
        let error = vm.func::<(i64,), i64>("deep").expect("deep").call(&mut vm, (0,)).expect_err("too deep");
        assert!(error.is_stack_overflow() && error.frames_omitted() > 0, "{error}");
        assert_eq!(fine.call(&mut vm, ()), Ok(7));
        let error = vm.func::<(), i64>("leak").expect("leak").call(&mut vm, ()).expect_err("too much");
        assert!(error.is_out_of_memory(), "{error}");
        assert_eq!(fine.call(&mut vm, ()), Ok(7));
        let divide = vm.func::<(i64, i64), i64>("divide").expect("divide");
        assert_eq!(divide.call(&mut vm, (1, 0)).expect_err("by zero").kind(), "divide_by_zero");
        assert_eq!(divide.call(&mut vm, (i64::MIN, -1)).expect_err("too large").kind(), "overflow");
    }
}

#[test]
fn instances_are_independent_and_move_between_threads() {
    let text = "var count = 0\npub fn up(by: int) -> int { count += by; count }\n";
    let program = compile(text, &Host::none());
    let threads: Vec<_> = (1..=4)
        .map(|by| {
            let mut vm = program.instance().build().expect("a VM");
            vm.run().expect("it runs");
            let up = vm.func::<(i64,), i64>("up").expect("up");
            assert_eq!(up.call(&mut vm, (by,)), Ok(by));
            thread::spawn(move || (0..999).map(|_| up.call(&mut vm, (by,)).expect("no trap")).last())
        })
        .collect();
    let totals: Vec<Option<i64>> = threads.into_iter().map(|t| t.join().expect("no panic")).collect();
    assert_eq!(totals, [Some(1000), Some(2000), Some(3000), Some(4000)]);
}

#[test]
fn output_and_arguments_belong_to_the_instance() {
    let program = compile("print(\"{args.len()} {args[0]}\")\neprint(\"aside\")\n", &Host::none());
    let (out, err) = (Captured::default(), Captured::default());
    let instance = program.instance().args(["a", "b"]).stdout(Box::new(out.clone())).stderr(Box::new(err.clone()));
    instance.build().expect("a VM").run().expect("it runs");
    assert_eq!((out.text().as_str(), err.text().as_str()), ("2 a\n", "aside\n"));
}

#[test]
fn policies_change_at_run_time() {
    // a list that nobody kept would not be made
    let text = "var kept = [0]\npub fn work(n: int) -> int { for i in 0..n { kept = [i, i] }; 2 * n }\n";
    let program = compile(text, &Host::none());
    let mut vm = program.instance().gc(Gc::adaptive()).max_heap(8 << 20).build().expect("a VM");
    let work = vm.func::<(i64,), i64>("work").expect("work");
    assert_eq!(vm.gc().policy_name(), "adaptive");
    assert_eq!(work.call(&mut vm, (100_000,)), Ok(200_000));
    let before = vm.gc().stats().pauses();
    assert!(before > 0);
    vm.gc().set_policy(Gc::advisor());
    assert_eq!(work.call(&mut vm, (100_000,)), Ok(200_000));
    assert_eq!(vm.gc().policy_name(), "advisor");
    assert!(vm.gc().stats().pauses() > before);
    assert!(!vm.gc().advisor_decisions().is_empty(), "the advisor has decided something");
    vm.gc().set_policy(Gc::advisor_from("no/such/model.json"));
    assert_eq!(work.call(&mut vm, (100_000,)), Ok(200_000));
    assert!(vm.warnings().any(|w| w.contains("no/such/model.json")));
    assert!(vm.gc().stats().policy_fallbacks > 0);
}

#[test]
fn wrong_settings_are_errors() {
    let zero = Engine::builder().pause_goal(std::time::Duration::ZERO).build();
    assert!(zero.expect_err("no goal").is_configuration());
    assert!(Engine::builder().max_heap(1).build().expect_err("no heap").is_configuration());
    let program = compile("", &Host::none());
    assert!(program.instance().max_heap(u64::MAX).build().expect_err("too much").is_configuration());
}

#[test]
fn the_examples_run() {
    let run = |name: &str| {
        let output = Command::new(env!("CARGO"))
            .args(["run", "--quiet", "--offline", "--example", name])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .expect("cargo runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    assert_eq!(
        run("embed_rules"),
        "Dear Ada, you pay 109.20 (9 % off)\n\
         Dear Grace, you pay 43.68 (4 % off)\n\
         Dear Alan, you pay 225.00 (10 % off)\n\
         Edsger: no customer is called Edsger [panic]\n\
         the script's function is discount(str, float, int) -> float, not discount(int) -> float\n"
    );
    let game = run("embed_game");
    let lines: Vec<&str> = game.lines().collect();
    assert_eq!(lines[0], "500 bodies under advisor, collected: true");
    assert_eq!(lines[1], "500 bodies under adaptive, collected: true");
    assert_eq!(lines[2], "500 bodies under static, collected: true");
    assert_eq!(lines[4], "out of memory: true, in leak: true");
    assert_eq!(lines[5], "500 bodies still there, 500 after another frame");
}

const ENDLESS: &str = "print(\"begun\")\nfn f() { defer { print(\"no\") }; try { while true {} } catch e { print(\"no\") } }\n\
                       pub fn twice(x: int) -> int { var n = 0; for i in 0..x { n += 2 }; n }\nfn main() { f() }";

#[test]
fn another_thread_can_interrupt_a_script_and_the_instance_goes_on() {
    let output = Captured::default();
    let program = compile(ENDLESS, &Host::none());
    let mut vm = program.instance().stdout(Box::new(output.clone())).build().expect("an instance");
    let handle = vm.interrupt_handle();
    let interrupter = thread::spawn(move || {
        thread::sleep(Duration::from_millis(20));
        handle.interrupt();
    });
    let error = vm.run().expect_err("it is interrupted");
    interrupter.join().expect("no panic");
    assert!(error.is_interrupt() && !error.is_limit(), "{error}");
    assert_eq!(output.text(), "begun\n");
    let twice = vm.func::<(i64,), i64>("twice").expect("it is there");
    assert_eq!(twice.call(&mut vm, (21,)).expect("an interrupt counts once"), 42);
    vm.interrupt_handle().interrupt();
    assert!(twice.call(&mut vm, (21,)).expect_err("asked for before the call").is_interrupt());
}

#[test]
fn a_deadline_holds_until_it_is_moved() {
    let program = compile(ENDLESS, &Host::none());
    let mut vm = program.instance().stdout(Box::new(std::io::sink())).build().expect("an instance");
    let handle = vm.interrupt_handle();
    handle.set_deadline(Some(Instant::now() + Duration::from_millis(20)));
    let error = vm.run().expect_err("the time is up");
    assert_eq!(error.kind(), "timeout");
    let twice = vm.func::<(i64,), i64>("twice").expect("it is there");
    assert!(twice.call(&mut vm, (1000,)).expect_err("still past it").is_limit());
    handle.set_deadline(Some(Instant::now() + Duration::from_secs(3600)));
    assert_eq!(twice.call(&mut vm, (1000,)).expect("time enough"), 2000);
    handle.set_deadline(None);
    assert_eq!(twice.call(&mut vm, (1,)).expect("no deadline"), 2);
    drop(vm);
    handle.interrupt();
}

#[test]
fn fuel_is_counted_alike_by_compiled_code_and_the_evaluator() {
    let engine = Engine::builder().consume_fuel(true).build().expect("sound settings");
    let text = "fn fib(n: int) -> int = if n < 2 { n } else { fib(n - 1) + fib(n - 2) }\n\
                let xs = [i * i for i in 0..50 if i % 3 == 0]\nvar n = 0\nwhile n < 10 { n += 1 }\n\
                print(fib(12) + xs.len() + n)";
    let program = engine.compile("test.ten", text, &Host::none()).unwrap_or_else(|found| panic!("{found}"));
    let mut evaluation = program.evaluation(&[], Box::new(std::io::sink()), Box::new(std::io::sink()));
    evaluation.set_fuel(1_000_000);
    evaluation.run().expect("enough fuel");
    let used = 1_000_000 - evaluation.fuel();
    assert!(used > 465 + 50 + 10, "{used}");
    let run = |fuel: u64| {
        let mut vm = program.instance().stdout(Box::new(std::io::sink())).build().expect("an instance");
        vm.set_fuel(fuel).expect("the engine counts");
        (vm.run(), vm.fuel().expect("the engine counts"))
    };
    assert_eq!(run(used), (Ok(()), 0));
    let (ended, left) = run(used - 1);
    assert_eq!((ended.expect_err("one too few").kind(), left), ("fuel", 0));

    let counts_nothing = compile("print(1)", &Host::none());
    let mut vm = counts_nothing.instance().build().expect("an instance");
    assert!(vm.set_fuel(1).expect_err("it does not count").is_configuration());
}

#[test]
fn a_script_that_ends_itself_says_how() {
    let output = Captured::default();
    let text = "use os\nprint(1)\ntry { os.exit(7) } catch e { print(\"no\") }";
    let mut vm = compile(text, &Host::none()).instance().stdout(Box::new(output.clone())).build().expect("an instance");
    assert_eq!(vm.run().expect_err("it ends itself").exit_code(), Some(7));
    assert_eq!(output.text(), "1\n");
}

#[test]
fn marking_comes_to_its_end_while_a_loop_does_not_allocate() {
    let text = "struct Node { id: int }\nvar keep: [Node] = []\n\
                pub fn fill() { keep = []; for i in 0..50000 { keep.push(Node(id: i)) } }\n\
                pub fn spin(n: int) -> int { var x = 1; for i in 0..n { x = (x * 31 + i) % 1000003 }; x }\n";
    let program = compile(text, &Host::none());
    let zeal = "mark:256K".parse().expect("a zeal");
    let mut vm = program.instance().max_heap(64 << 20).zeal(zeal).build().expect("a VM");
    vm.run().expect("it runs");
    let fill = vm.func::<(), ()>("fill").expect("fill");
    let spin = vm.func::<(i64,), i64>("spin").expect("spin");
    let patience = Instant::now() + Duration::from_secs(60);
    let mut answered = 0;
    while answered < 5 {
        assert!(Instant::now() < patience, "the loop hears nothing of the marker");
        // Marking may have ended before the loop begins; then the next round may be luckier.
        fill.call(&mut vm, ()).expect("room enough");
        let before = vm.gc().stats().safepoint_requests();
        spin.call(&mut vm, (3_000_000,)).expect("no trap");
        answered += vm.gc().stats().safepoint_requests() - before;
    }
    let stats = vm.gc().stats();
    assert!(stats.mark_pauses > 0);
    assert!(stats.time_to_safepoint_ns_quantile(0.5) < 1_000_000, "of the loop's own time");
}

#[test]
fn hosts_hold_objects_of_scripts_by_roots() {
    let text = "struct World { var bodies: [int], name: str }\nstruct Other { x: int }\n\
                pub fn make(n: int) -> World = World(bodies: [i for i in 0..n], name: \"w{n}\")\n\
                pub fn other() -> Other = Other(x: 1)\n\
                pub fn add(w: World, by: int) -> int { w.bodies.push(by); w.bodies.len() }\n\
                pub fn same(w: World, s: str) -> World { assert(w.name == s); w }\n\
                pub fn churn(n: int) -> int { var s = 0; for i in 0..n { s += [i, i].len() }; s }\n";
    let program = compile(text, &Host::none());
    let build = || {
        let zeal = "young:8K,full:128K,pin:3".parse().expect("a zeal");
        let mut vm = program.instance().max_heap(8 << 20).zeal(zeal).verify(true).build().expect("a VM");
        vm.run().expect("it runs");
        vm
    };
    let (mut vm, mut second) = (build(), build());
    let make = vm.func::<(i64,), Root>("make").expect("make");
    let add = vm.func::<(Root, i64), i64>("add").expect("add");
    let same = vm.func::<(Root, String), Root>("same").expect("same");
    let churn = vm.func::<(i64,), i64>("churn").expect("churn");
    let worlds: Vec<Root> = (0..20).map(|n| make.call(&mut vm, (n,)).expect("room")).collect();
    churn.call(&mut vm, (20_000,)).expect("room");
    for (n, world) in (0..).zip(&worlds) {
        assert_eq!(add.call(&mut vm, (world.clone(), 7)), Ok(n + 1));
        let again = same.call(&mut vm, (world.clone(), format!("w{n}"))).expect("the same world");
        assert_eq!(add.call(&mut vm, (again, 8)), Ok(n + 2), "both roots hold one object");
    }
    let other = vm.func::<(), Root>("other").expect("other").call(&mut vm, ()).expect("room");
    assert_eq!(add.call(&mut vm, (other, 1)).expect_err("another type").kind(), "conversion");
    assert_eq!(add.call(&mut second, (worlds[0].clone(), 1)).expect_err("another instance").kind(), "conversion");
    assert!(vm.func::<(Root,), i64>("churn").expect_err("an int is none").is_signature());

    let living =
        |vm: &mut tenure::Vm| vm.gc().census().iter().filter(|l| l.name == "World").map(|l| l.objects).sum::<u64>();
    assert_eq!(living(&mut vm), 20);
    thread::spawn(move || drop(worlds)).join().expect("roots may be dropped anywhere");
    assert_eq!(churn.call(&mut vm, (1,)), Ok(2));
    assert_eq!(living(&mut vm), 0);
}
