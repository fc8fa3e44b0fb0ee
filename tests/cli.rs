//! The command line as its users meet it: what it accepts, what it refuses and how, with which exit code.

mod support;

use std::fs;
use std::io::Read;
use std::process::Stdio;
use support::{Run, command, tenure, tenure_with_input};

fn file(name: &str, content: impl AsRef<[u8]>) -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join(name);
    fs::write(&path, content).expect("written");
    let path = path.display().to_string();
    (dir, path)
}

#[test]
fn a_script_comes_from_a_file_a_pipe_or_the_command_line() {
    let (_dir, path) = file("hello.ten", "#!/usr/bin/env tenure\nprint(\"hello {args.len()}\")\n");
    assert_eq!(tenure(&[&path, "a", "-b", "--gc=x"]).ok(), "hello 3\n");
    assert_eq!(tenure(&["run", &path]).ok(), "hello 0\n");
    assert_eq!(tenure(&["-e", "print(1 + 1)"]).ok(), "2\n");
    assert_eq!(tenure_with_input(&[], b"print(3)").ok(), "3\n");
    assert_eq!(tenure_with_input(&["-", "x"], b"print(args[0])").ok(), "x\n");
    assert_eq!(tenure(&["--evaluate", &path, "a"]).ok(), "hello 1\n");
    assert_eq!(tenure(&["-e", ""]).ok(), "");
}

#[test]
fn unreadable_sources_are_one_clear_line() {
    let line = |run: Run, words: &str| {
        let stderr = run.fails(1);
        assert!(stderr.starts_with("error: ") && stderr.contains(words), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    };
    line(tenure(&["no_such_file.ten"]), "can't read `no_such_file.ten`: no such file");
    line(tenure(&["src"]), "it is a directory");
    let (_dir, path) = file("x.ten", b"\x7fELF\0\0\x01");
    line(tenure(&[&path]), "is a binary file");
    let (_dir, path) = file("x.ten", b"let a = \"\xff\"");
    line(tenure(&[&path]), "is not valid UTF-8");
    line(tenure_with_input(&[], b"\xc3("), "`<stdin>` is not valid UTF-8");
    line(tenure_with_input(&[], &vec![b' '; (16 << 20) + 1]), "too large");
    line(tenure(&["check", "no_such_file.ten"]), "can't read");
}

#[test]
fn a_mistake_shows_its_place_and_nothing_runs() {
    let (_dir, path) = file("wrong.ten", "print(\"never\")\nlet x: int = \"text\"\nprint(unknown_name)\n");
    let stderr = tenure(&[&path]).fails(1);
    assert!(stderr.contains("error[E0") && stderr.contains(":2:14"), "{stderr}");
    assert!(stderr.contains(":3:7"), "both mistakes are shown: {stderr}");
    assert!(!stderr.contains("\x1b["), "no colours in a pipe: {stderr}");
    assert!(tenure(&["--color=always", &path]).fails(1).contains("\x1b["));
    let stderr = tenure(&["-e", "let a = 1 +"]).fails(1);
    assert!(stderr.contains("error[E01") && stderr.contains("<code>:1:"), "{stderr}");
}

#[test]
fn traps_show_message_kind_and_trace() {
    for (code, kind, message) in [
        ("let xs = [1, 2, 3]\nfn f(xs: [int], i: int) -> int = xs[i]\nprint(f(xs, 7))", "index", "index 7"),
        ("fn f(x: int) -> int = 9223372036854775807 + x\nprint(f(1))", "overflow", "overflow"),
        ("fn f(x: int) -> int = 10 / x\nprint(f(0))", "divide_by_zero", "division by zero"),
        ("fn f(x: int?) -> int = x!\nprint(f(nil))", "unwrap", "nil"),
        ("fn f(x: int) -> int = f(x + 1) + 1\nprint(f(0))", "stack_overflow", "recursion"),
        ("fn f() { panic(\"oh no\") }\nf()", "panic", "oh no"),
        ("fn f(x: int) { assert(x == 2) }\nf(1)", "assert", "1"),
    ] {
        for engine in [&["-e", code][..], &["--evaluate", "-e", code]] {
            let stderr = tenure(engine).fails(1);
            assert!(stderr.starts_with(&format!("error[{kind}]: ")), "{code}\n{stderr}");
            assert!(stderr.contains(message), "{code}\n{stderr}");
            assert!(stderr.contains("at f (<code>:"), "{code}\n{stderr}");
        }
    }
}

#[test]
fn an_exhausted_heap_is_an_error_with_status_137() {
    let code = "let kept: [[int]] = []\nfn f(kept: [[int]]) { loop { kept.push([1, 2, 3, 4]) } }\nf(kept)";
    for gc in ["static", "adaptive", "advisor"] {
        let stderr = tenure(&["--max-heap=8M", &format!("--gc={gc}"), "-e", code]).fails(137);
        assert!(stderr.starts_with("error[out_of_memory]: ") && stderr.contains("at f (<code>:2:"), "{stderr}");
    }
    let caught = format!("let r = try {{ {}; 1 }} catch e {{ print(e.kind); 2 }}\nprint(r)", "f([])");
    let code = format!("fn f(kept: [[int]]) {{ loop {{ kept.push([1, 2, 3, 4]) }} }}\n{caught}");
    assert_eq!(tenure(&["--max-heap=8M", "-e", &code]).ok(), "out_of_memory\n2\n");
}

#[test]
fn output_before_a_trap_is_not_lost() {
    let run = tenure(&["-e", "print(\"first\")\nlet xs = [1]\nprint(xs[args.len() + 1])"]);
    assert_eq!((run.code, run.stdout.as_str()), (1, "first\n"), "{run:?}");
}

#[test]
fn nonsense_is_a_usage_error() {
    for args in [
        &["--max-heap=-3", "-e", ""][..],
        &["--max-heap=0", "-e", ""],
        &["--region-size=3M", "-e", ""],
        &["--gc=static", "--region-size=3M", "-e", ""],
        &["--pause-goal=0ms", "-e", ""],
        &["--pause-goal=soon", "-e", ""],
        &["--ihop=45", "-e", ""],
        &["--gc=static", "--model=x", "-e", ""],
        &["--gc=best", "-e", ""],
        &["--gc-zeal=sometimes", "-e", ""],
        &["--unknown", "-e", ""],
        &["bench"],
        &["gc"],
        &["check"],
    ] {
        let stderr = tenure(args).fails(2);
        assert!(stderr.contains("error:") || stderr.contains("Usage:"), "{args:?}: {stderr}");
    }
}

#[test]
fn a_closed_pipe_ends_the_process_quietly() {
    let mut child = command()
        .args(["-e", "for i in 0..1000000 { print(i) }"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut first = [0; 10];
    child.stdout.take().expect("a pipe").read_exact(&mut first).expect("some output");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(141));
}

#[test]
fn a_model_that_cannot_be_used_is_named_and_the_adaptive_policy_decides() {
    let code = "var n = 0\nfor i in 0..200000 { let xs = [i, i + 1]; n += xs.len() }\nprint(n)";
    let (dir, truncated) = file("model.json", "{\"format\": 1, \"schema\"");
    let missing = dir.path().join("none.json").display().to_string();
    for model in [&truncated, &missing] {
        let stats = dir.path().join("stats.json").display().to_string();
        let run = tenure(&[&format!("--model={model}"), &format!("--stats-json={stats}"), "--max-heap=8M", "-e", code]);
        assert!(run.stderr.starts_with("warning: ") && run.stderr.contains(model.as_str()), "{run:?}");
        assert_eq!(run.ok(), "400000\n");
        let stats: serde_json::Value = serde_json::from_slice(&fs::read(&stats).expect("stats")).expect("JSON");
        assert!(stats["policy_fallbacks"].as_u64() > Some(0), "{stats}");
    }
}

#[test]
fn check_speaks_to_people_and_programs() {
    let (_dir, path) = file("wrong.ten", "let x: int = \"text\"\n");
    assert!(tenure(&["check", &path]).fails(1).contains("error[E0"));
    let run = tenure(&["check", "--format=json", &path]);
    assert_eq!((run.code, run.stderr.as_str()), (1, ""));
    let found: serde_json::Value = serde_json::from_str(&run.stdout).expect("one JSON object");
    assert_eq!(found["place"]["line"], 1, "{found}");
    assert_eq!(found["severity"], "error");
    let run = tenure(&["check", "--format=github", &path]);
    assert!(run.stdout.starts_with("::error file="), "{run:?}");
    let (_dir, path) = file("right.ten", "print(\"not run\")\n");
    assert_eq!(tenure(&["check", &path]).ok(), "");
}

#[test]
fn test_runs_test_blocks() {
    let text = "fn double(x: int) -> int = x * 2\n\
                test \"doubles\" { assert(double(2) == 4) }\n\
                test \"is wrong\" { assert(double(2) == 5) }\n";
    let (_dir, path) = file("t.ten", text);
    let run = tenure(&["test", &path]);
    assert_eq!(run.code, 1);
    assert!(run.stdout.contains(": doubles\n") && run.stdout.contains("1 passed, 1 failed"), "{run:?}");
    assert!(run.stdout.contains("error[assert]") && run.stdout.contains("t.ten:3:"), "{run:?}");
    let run = tenure(&["test", "--filter=doubles", &path]);
    assert!(run.ok().contains("1 passed, 0 failed"));
    let run = tenure(&["test", "--format=json", &path]);
    let lines: Vec<serde_json::Value> = run.stdout.lines().map(|l| serde_json::from_str(l).expect("JSON")).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!((&lines[0]["passed"], &lines[1]["passed"]), (&true.into(), &false.into()));
}

#[test]
fn stages_can_be_printed() {
    let code = "fn twice(x: int) -> int = x * 2\nprint(twice(21))";
    for (stage, words) in
        [("ast", "twice"), ("types", "twice"), ("ir", "twice"), ("clif", "function u0:"), ("asm", "rbp")]
    {
        let text = tenure(&[&format!("--emit={stage}"), "-e", code]).ok();
        assert!(text.contains(words), "--emit={stage} gave\n{text}");
    }
}

#[test]
fn the_collectors_records_can_be_read_back() {
    let dir = tempfile::tempdir().expect("a folder");
    let (log, journal) = (dir.path().join("gc.log"), dir.path().join("run.tgj"));
    let code = "var kept: [[int]] = []\nfor i in 0..300000 { if i % 100000 == 0 { kept = [] }; kept.push([i]) }\n\
                print(kept.len())";
    let run = tenure(&[
        &format!("--gc-log={}", log.display()),
        &format!("--gc-journal={}", journal.display()),
        "--stats",
        "--max-heap=32M",
        "-e",
        code,
    ]);
    assert!(run.stderr.contains("pause p50 / p99 / max"), "{run:?}");
    assert_eq!(run.ok(), "100000\n");
    let log = fs::read_to_string(log).expect("a log");
    assert!(log.starts_with("[0.000s][info][gc] Using G1\n"), "{log}");
    assert!(log.contains("Pause Young") && log.contains("gc,cpu"), "{log}");
    let journal = journal.display().to_string();
    let report = tenure(&["gc", "report", &journal]).ok();
    assert!(report.contains("old_region_bytes") && report.contains("| young"), "{report}");
    let json: serde_json::Value =
        serde_json::from_str(&tenure(&["gc", "report", "--json", &journal]).ok()).expect("JSON");
    let cycles = json["cycles"].as_array().expect("cycles");
    assert_eq!(json["complete"], true);
    assert!(cycles.len() > 1);
    assert_eq!(
        cycles.iter().filter(|c| c["outcome"]["unfinished"] == true).count(),
        1,
        "one outcome each, the last too"
    );
    let foretold = &cycles[cycles.len() - 2]["forecasts"]["allocation_bytes_per_ns"]["1"];
    assert!(foretold["mid"].as_f64() >= foretold["low"].as_f64() && foretold["came"].is_number(), "{foretold}");
    assert_eq!(cycles[0]["decision"]["knobs"]["old_region_bytes"].as_u64().map(u64::is_power_of_two), Some(true));

    let plots = dir.path().join("plots");
    let report = tenure(&["gc", "report", &format!("--plots={}", plots.display()), &journal]);
    assert_eq!(report.stderr.lines().filter(|line| line.starts_with("plot: ")).count(), 8, "{report:?}");
    let pauses = fs::read_to_string(plots.join("pauses.svg")).expect("a plot");
    // one dot a finished cycle, one in the legend, and its words
    assert_eq!(pauses.matches("<circle").count(), cycles.len());
    assert!(pauses.contains("goal") && pauses.trim_end().ends_with("</svg>"), "{pauses}");

    let bytes = fs::read(&journal).expect("a journal");
    let (_dir, cut) = file("cut.tgj", &bytes[..bytes.len() - 5]);
    let run = tenure(&["gc", "report", &cut]);
    assert!(run.stderr.starts_with("warning: ") && run.stderr.contains("cut.tgj"), "{run:?}");
    run.ok();
    let (_dir, foreign) = file("foreign.tgj", "this is no journal");
    assert!(tenure(&["gc", "report", &foreign]).fails(1).contains("foreign.tgj is no journal"));
}

#[test]
fn the_smallest_heap_is_found() {
    let code = "let kept = [[i, i, i] for i in 0..args.get(0)!.len() * 20000]\nprint(kept.len())\n";
    let (_dir, path) = file("k.ten", code.as_bytes());
    let json = tenure(&["gc", "minimum", "--work-clock", "--json", &path, "xxx"]).ok();
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let bytes = json["minimum_bytes"].as_u64().expect("bytes");
    // 60000 lists of three: a record and an array each, and the list of them
    assert!(bytes > 60000 * (16 + 32 + 4), "{bytes}");
    let within =
        |bytes: u64| tenure(&["--gc=adaptive", "--gc-work-clock", &format!("--max-heap={bytes}"), &path, "xxx"]);
    within(bytes).ok();
    let less = within(bytes * 9 / 10);
    assert_eq!(less.code, 137, "{less:?}");
    assert!(tenure(&["gc", "minimum", &path]).fails(1).contains("ended with status 1"));
}

/// Columns of `gc simulate --against`: the factor between the simulated and the real run, by measure.
fn factors(table: &str) -> std::collections::BTreeMap<String, f64> {
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    table.lines().map(cells).filter(|c| c.len() == 6).filter_map(|c| Some((c[1].clone(), c[4].parse().ok()?))).collect()
}

#[test]
fn the_simulator_tells_what_real_runs_do() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = |name: &str| dir.path().join(name).display().to_string();
    let (survey, real) = (path("survey.tgj"), path("real.tgj"));
    for (script, arguments) in [
        ("examples/workloads/steady_churn.ten", ["2000000", "60000", "53", ""]),
        ("examples/workloads/request_server.ten", ["150000", "4000", "20000", "11"]),
    ] {
        let run = |policy: &str, limit: &str, journal: &str| {
            let (policy, limit) = (format!("--gc={policy}"), format!("--max-heap={limit}"));
            let journal = format!("--gc-journal={journal}");
            let mut args = vec!["--gc-work-clock", &policy, &limit, &journal, script];
            args.extend(arguments.iter().filter(|argument| !argument.is_empty()));
            tenure(&args).ok();
        };
        run("survey", "1G", &survey);
        run("static", "96M", &real);
        let table = tenure(&["gc", "simulate", &format!("--against={real}"), &survey]).ok();
        let factors = factors(&table);
        for (measure, most) in [("pauses", 1.1), ("pause p50", 1.3), ("GC CPU", 1.3), ("copied", 1.3)] {
            let factor = factors[measure];
            assert!(factor < most && factor > 1.0 / most, "{script}, {measure}:\n{table}");
        }
        let other = tenure(&["gc", "simulate", "--gc=ratio:50", "--max-heap=64M", &survey]).ok();
        assert!(other.contains("simulated") && other.contains("| rule"), "{other}");
    }
    assert!(tenure(&["gc", "simulate", &real]).fails(1).contains("--gc=survey"));
}

#[test]
fn bench_compares_policies() {
    let (_dir, path) = file("b.ten", "var n = 0\nfor i in 0..args.len() + 10000 { n += [i].len() }\nprint(n)\n");
    let json = tenure(&["bench", "--runs=1", "--json", "--gc=static,sqrt:0.1", &path, "x"]).ok();
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let names: Vec<&str> =
        json["policies"].as_array().expect("policies").iter().filter_map(|p| p["policy"].as_str()).collect();
    assert_eq!(names, ["static", "sqrt:0.1"]);
    assert!(json["policies"][0]["summary"]["process_cpu_ns"]["median"].as_f64() > Some(0.0));
    let csv = tenure(&["bench", "--runs=2", "--csv", "--gc=adaptive", &path]).ok();
    assert_eq!(csv.lines().count(), 3, "{csv}");
    let table = tenure(&["bench", "--runs=1", &path]).ok();
    assert!(table.contains("| adaptive |"), "{table}");
    let (_dir, path) = file("b.ten", "let xs = [1]\nprint(xs[args.len() + 1])\n");
    assert!(
        tenure(&["bench", "--runs=1", &path]).fails(1).contains("under --gc=static, the script ended with status 1")
    );
}

#[test]
fn a_code_is_explained() {
    let text = tenure(&["explain", "e0401"]).ok();
    assert!(text.starts_with("E0401: ") && text.contains("The compiler says:") && text.contains("Mended:"), "{text}");
    assert!(text.contains("    error[E0401]: ") && text.contains(" --> example.ten:2:"), "{text}");
    assert!(!text.contains('\x1b'), "no colours in a pipe: {text}");
    assert!(tenure(&["explain", "--color=always", "301"]).ok().contains("\x1b[1mE0301"));
    let all = tenure(&["explain"]).ok();
    assert!(all.lines().count() > 70 && all.lines().all(|l| l.starts_with('E')), "{all}");
    assert!(tenure(&["explain", "E9999"]).fails(1).contains("there is no code `E9999`"));
}

#[test]
fn fmt_lays_out_files_folders_and_streams() {
    let (dir, path) = file("a.ten", "let  x=1 // one\n");
    let other = dir.path().join("b.ten");
    fs::write(&other, "let y = 2\n").expect("written");
    let folder = dir.path().display().to_string();

    let listed = tenure(&["fmt", "--check", &folder]);
    assert_eq!(listed.code, 1);
    assert_eq!(listed.stdout, format!("{path}\n"));
    let difference = tenure(&["fmt", "--diff", &folder]).ok();
    assert!(difference.contains("-let  x=1 // one\n+let x = 1 // one\n"), "{difference}");
    assert_eq!(fs::read_to_string(&path).expect("there"), "let  x=1 // one\n", "nothing was written");

    assert_eq!(tenure(&["fmt", &folder]).ok(), "");
    assert_eq!(fs::read_to_string(&path).expect("there"), "let x = 1 // one\n");
    assert_eq!(tenure(&["fmt", "--check", &folder]).ok(), "");
    assert_eq!(tenure_with_input(&["fmt", "-"], b"f( 1 )").ok(), "f(1)\n");
    assert_eq!(fs::read_dir(&dir).expect("a folder").count(), 2, "no other file is left");
}

/// The command on the first page.
#[test]
fn the_examples_are_laid_out() {
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");
    assert_eq!(tenure(&["fmt", "--check", examples]).ok(), "");
}

#[test]
fn fmt_leaves_files_with_mistakes_alone() {
    let (dir, path) = file("a.ten", "let x = (\n");
    fs::write(dir.path().join("b.ten"), "f( )").expect("written");
    let stderr = tenure(&["fmt", &dir.path().display().to_string()]).fails(1);
    assert!(stderr.contains("is never closed"), "{stderr}");
    assert_eq!(fs::read_to_string(&path).expect("there"), "let x = (\n");
    assert_eq!(fs::read_to_string(dir.path().join("b.ten")).expect("there"), "f()\n", "the others are formatted");
    assert!(tenure(&["fmt", "no_such_file.ten"]).fails(1).contains("can't read"));
}

#[test]
fn limits_end_a_script_with_a_status_of_their_own_and_keep_its_output() {
    let endless = "print(1)\ndefer { print(2) }\ntry { while true {} } catch e { print(3) }";
    for mode in [&[][..], &["--evaluate"]] {
        let run = |options: &[&str], text: &str| tenure(&[mode, options, &["-e", text]].concat());
        let timed = run(&["--timeout=100ms"], endless);
        assert_eq!((timed.code, timed.stdout.as_str()), (124, "1\n"), "{}", timed.stderr);
        assert!(timed.stderr.starts_with("error[timeout]"), "{}", timed.stderr);
        let sleeper = run(&["--timeout=100ms"], "use time\nprint(1)\ntime.sleep_ms(600000)");
        assert_eq!((sleeper.code, sleeper.stdout.as_str()), (124, "1\n"), "{}", sleeper.stderr);
        let dry = run(&["--fuel=1000"], endless);
        assert_eq!((dry.code, dry.stdout.as_str()), (124, "1\n"), "{}", dry.stderr);
        assert!(dry.stderr.starts_with("error[fuel]"), "{}", dry.stderr);
        assert_eq!(run(&["--fuel=1000"], "print(1)").ok(), "1\n");
        let exit = run(&[], "use os\nprint(1)\ndefer { print(2) }\nos.exit(3)");
        assert_eq!((exit.code, exit.stdout.as_str(), exit.stderr.as_str()), (3, "1\n", ""));
        assert_eq!(run(&[], "use os\nprint(1)\nos.exit()\nprint(2)").ok(), "1\n");
    }
}

#[test]
fn an_interrupt_keeps_what_was_printed() {
    let mut child = command()
        .args(["-e", "print(1)\neprint(2)\nwhile true {}"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("tenure starts");
    // by its word on standard error it runs, and hears
    let mut word = [0; 2];
    child.stderr.as_mut().expect("piped").read_exact(&mut word).expect("it says so");
    let id = nix::unistd::Pid::from_raw(child.id() as i32);
    nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGINT).expect("it still runs");
    let mut text = String::new();
    child.stdout.take().expect("piped").read_to_string(&mut text).expect("UTF-8");
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    assert_eq!(text, "1\n");
}

#[test]
fn bench_blocks_are_timed() {
    let text = "fn f(n: int) -> int { var s = 0; for i in 0..n { s += i }; s }\n\
                test \"f\" { assert(f(3) == 3) }\nbench \"ten\" { f(10) }\nbench \"lots\" { f(100000) }\nprint(1)";
    let (_dir, path) = file("b.ten", text);
    assert_eq!(tenure(&[&path]).ok(), "1\n", "running the script runs no benches");
    for options in [&["test", &path][..], &["test", "--evaluate", &path]] {
        assert!(tenure(options).ok().contains("1 passed, 0 failed"));
    }
    let table = tenure(&["bench", "--runs=2", &path]).ok();
    assert!(table.starts_with("ten: ") && table.contains("\nlots: "), "{table}");
    let json = tenure(&["bench", "--runs=2", "--json", &path]).ok();
    let times: Vec<f64> = json
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON")["ns"].as_f64().expect("a time"))
        .collect();
    assert!(times.len() == 2 && times[0] > 0.0 && times[1] > 10.0 * times[0], "{json}");
    let (_dir, path) = file("b.ten", "bench \"fails\" { panic(\"no\") }");
    assert!(tenure(&["bench", "--runs=1", &path]).fails(1).contains("bench \"fails\""));
}

#[test]
fn running_out_of_memory_shows_what_lived_when_asked() {
    let grow = "struct Node { id: int }\nvar keep: [Node] = []\nfn grow() { loop { keep.push(Node(id: 1)) } }\ngrow()";
    let output = tenure(&["--gc-census-on-oom", "--max-heap=4M", "-e", grow]);
    let stderr = &output.stderr;
    assert_eq!(output.code, 137, "{stderr}");
    assert!(stderr.contains("error[out_of_memory]") && stderr.contains("at grow (<code>:3:"), "{stderr}");
    assert!(stderr.lines().any(|line| line.ends_with("| Node                |")), "{stderr}");
    let output = tenure(&["--max-heap=4M", "-e", grow]);
    assert!(!output.stderr.contains("objects"));
}

#[test]
fn a_census_of_a_script_is_its_commands_output() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = folder.path().join("keep.ten");
    let text =
        "struct Leaf { n: int }\nvar keep: [Leaf] = []\nfn main() { keep = [Leaf(n: i) for i in 0..500]; print(1) }";
    std::fs::write(&script, text).expect("a file");
    let output = tenure(&["gc", "census", "--json", script.to_str().expect("a name")]);
    assert_eq!(output.code, 0);
    assert_eq!(output.stderr, "1\n");
    let lines: serde_json::Value = serde_json::from_str(&output.stdout).expect("JSON");
    let leaves = lines.as_array().and_then(|lines| lines.iter().find(|line| line["type"] == "Leaf"));
    assert_eq!(leaves.expect("leaves live")["objects"], 500);
}

#[test]
fn samples_tell_where_memory_comes_from() {
    let text =
        "fn busy() -> int {\n  var sum = 0\n  for i in 0..100000 { sum += \"{i}\".len() }\n  sum\n}\nprint(busy())";
    let output = tenure(&["--gc-sample=16K", "-e", text]);
    let stderr = &output.stderr;
    assert!(stderr.contains("in busy (<code>:3)"), "{stderr}");
}

#[test]
fn metrics_are_prometheus_text() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("gc.prom");
    let text = "use gc\ngc.collect()\ngc.collect()\nprint(gc.pauses())";
    let output = tenure(&[&format!("--metrics={}", file.display()), "-e", text]);
    assert_eq!(output.stdout, "2\n");
    let metrics = std::fs::read_to_string(&file).expect("metrics were written");
    assert!(metrics.contains("tenure_gc_pauses_total{kind=\"full\"} 2"), "{metrics}");
    assert!(metrics.contains("# TYPE tenure_gc_pause_seconds histogram"), "{metrics}");
    let output = tenure(&[&format!("--metrics={}", file.display()), "-e", "print([1, 2].len())"]);
    assert_eq!(output.stdout, "2\n");
    let metrics = std::fs::read_to_string(&file).expect("metrics without a collection");
    assert!(metrics.contains("tenure_gc_pauses_total{kind=\"young\"} 0"), "{metrics}");
    assert!(metrics.lines().any(|line| line.starts_with("tenure_heap_committed_bytes ")), "{metrics}");
    let output = tenure(&["--metrics=999.999.999.999:1", "-e", "print(1)"]);
    assert_eq!(output.code, 1);
    assert!(output.stderr.contains("can't serve metrics at 999.999.999.999:1"));
}

#[test]
fn a_limit_beyond_what_there_is_is_said_at_the_start() {
    let output = tenure(&["--max-heap=24G", "-e", "print(1)"]);
    let memory = std::fs::read_to_string("/proc/meminfo").expect("the system tells");
    let kib = memory.split_whitespace().nth(1).and_then(|word| word.parse::<u64>().ok()).expect("a number");
    let said = output.stderr.contains("the heap may take 24576 MiB");
    assert_eq!(output.code, 0);
    assert!(said || kib >= 24 << 20, "{kib} KiB of memory, and no warning");
}

#[test]
fn a_prompt_reads_lines_where_there_is_no_terminal() {
    let input = "let x = 4\nx * 2\nfn f(n) {\n  n + x\n}\nf(1)\nx.foo()\nf(\"a\")\n[1][3]\n:type [x]\n:doc abs\n:bogus\n:time x\n:gc\n\"done\"\n:quit\n\"never\"\n";
    let run = tenure_with_input(&["repl"], input.as_bytes());
    assert_eq!(run.code, 0, "{run:?}");
    for line in ["8 : int\n", "5 : int\n", "[int]\n", "abs", "took ", " pauses, ", "\"done\" : str\n"] {
        assert!(run.stdout.contains(line), "{line}: {run:?}");
    }
    for words in ["foo", "index", "no command `:bogus`"] {
        assert!(run.stderr.contains(words), "{words}: {run:?}");
    }
    assert!(!run.stdout.contains("never"), "{run:?}");
}

const CALLS: &str =
    "@noinline\nfn square(n: int) -> int {\n    let doubled = n + n\n    doubled * n / 2\n}\nprint(square(7))\n";

#[test]
fn perf_can_read_names_of_compiled_functions() {
    let (_dir, path) = file("calls.ten", CALLS);
    let child = command().args(["--perf=map", &path]).stdout(Stdio::piped()).spawn().expect("the command starts");
    let map = format!("/tmp/perf-{}.map", child.id());
    assert_eq!(child.wait_with_output().expect("it ends").stdout, b"49\n");
    let text = fs::read_to_string(&map).expect("a map");
    fs::remove_file(&map).expect("removed");
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for line in text.lines() {
        let [start, length, _] = line.splitn(3, ' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let [start, length] = [start, length].map(|hex| u64::from_str_radix(hex, 16).expect("hexadecimal"));
        assert!(start > 0 && length > 0, "{line}");
        ranges.push((start, start + length));
    }
    ranges.sort_unstable();
    assert!(ranges.windows(2).all(|pair| pair[0].1 <= pair[1].0), "{text}");
    let square = format!(" square ({path}:2)");
    assert_eq!(text.lines().filter(|line| line.ends_with(&square)).count(), 1, "{text}");
}

#[test]
fn perf_can_read_code_and_its_lines() {
    let (dir, path) = file("calls.ten", CALLS);
    let mut command = command();
    let child = command.args(["--perf=jitdump", &path]).current_dir(dir.path()).stdout(Stdio::piped()).spawn();
    let child = child.expect("the command starts");
    let dump = dir.path().join(format!("jit-{}.dump", child.id()));
    let pid = child.id();
    assert_eq!(child.wait_with_output().expect("it ends").stdout, b"49\n");
    let dump = fs::read(dump).expect("a dump");
    let u32_at = |at: usize| u32::from_ne_bytes(dump[at..at + 4].try_into().expect("four bytes"));
    let u64_at = |at: usize| u64::from_ne_bytes(dump[at..at + 8].try_into().expect("eight bytes"));
    let text_at = |at: usize| {
        let bytes = dump[at..].split(|&byte| byte == 0).next().expect("a text");
        String::from_utf8(bytes.to_vec()).expect("UTF-8")
    };
    assert_eq!([u32_at(0), u32_at(4), u32_at(8), u32_at(20)], [0x4a69_5444, 1, 40, pid], "the header");
    let mut at = 40;
    let (mut lines, mut found) = (Vec::new(), false);
    while at < dump.len() {
        let (kind, end) = (u32_at(at), at + u32_at(at + 4) as usize);
        if kind == 2 {
            let mut entry = at + 32;
            lines = (0..u64_at(at + 24))
                .map(|_| {
                    let (address, line, name) = (u64_at(entry), u32_at(entry + 8), text_at(entry + 16));
                    entry += 17 + name.len();
                    (address, line, name)
                })
                .collect();
            assert_eq!(entry, end, "the entries fill the record");
        } else {
            assert_eq!(kind, 0, "nothing but code and its lines");
            let (start, length, name) = (u64_at(at + 24), u64_at(at + 40), text_at(at + 56));
            assert_eq!(at + 57 + name.len() + length as usize, end, "name and code fill the record");
            assert!(lines.is_sorted() && lines.iter().all(|(address, ..)| (start..start + length).contains(address)));
            if name == format!("square ({path}:2)") {
                let of_lines: Vec<u32> = lines.iter().map(|(_, line, _)| *line).collect();
                assert!(of_lines.contains(&3) && of_lines.contains(&4), "{lines:?}");
                // what Cranelift makes of the halving has no place of its own, and is not the head's
                assert_eq!(of_lines.iter().rposition(|&line| line == 2), Some(0), "{lines:?}");
                // every function keeps its caller's frame pointer first
                assert_eq!(dump[end - length as usize], 0x55, "push rbp");
                found = true;
            }
        }
        at = end;
    }
    assert!(found, "the function is in the dump");
}

#[test]
fn phases_of_compilation_are_timed() {
    let (dir, path) = file("calls.ten", CALLS);
    let json = dir.path().join("phases.json").display().to_string();
    let run = tenure(&["--time-passes", &format!("--time-passes-json={json}"), &path]);
    assert_eq!(run.stdout, "49\n", "{run:?}");
    let phases: serde_json::Value = serde_json::from_str(&fs::read_to_string(&json).expect("a file")).expect("JSON");
    let phases = phases.as_array().expect("a list");
    let runs = |name: &str| {
        let phase = phases.iter().find(|phase| phase["phase"] == name);
        phase.unwrap_or_else(|| panic!("no {name}: {phases:?}"))["runs"].as_u64().expect("a number")
    };
    for name in ["lex and parse", "check", "lower", "inline", "polls", "translate", "link"] {
        assert!(runs(name) > 0 && run.stderr.contains(&format!("| {name} ")), "{name}: {run:?}");
    }
    // each function is compiled once: the top level, `square` and what `print` is made of
    assert!(runs("cranelift") >= 2 && runs("cranelift") == runs("translate"), "{phases:?}");
    assert_eq!((runs("check"), runs("lower")), (1, 1));
    let check = tenure(&["check", "--time-passes", &path]);
    assert!(check.stderr.contains("| check ") && !check.stderr.contains("| lower "), "{check:?}");
}

#[test]
#[cfg(target_arch = "x86_64")]
fn machine_code_is_shown_with_addresses_below_its_source_lines() {
    let (_dir, path) = file("calls.ten", CALLS);
    let text = tenure(&["--emit=asm", &path]).ok();
    let head = format!("; square ({path}:2), ");
    let (_, square) = text.split_once(&head).expect("the function has a head");
    let (bytes, square) = square.split_once(" bytes\n").expect("with its length");
    let (square, _) = square.split_once("\n\n").expect("functions are apart");
    // instructions follow each other without gaps, from the first to the last
    let address = |line: &str| {
        let digits = line.split(' ').next().and_then(|word| word.strip_prefix("0x"));
        u64::from_str_radix(digits.expect("hexadecimal"), 16).expect("an address")
    };
    let addresses: Vec<u64> = square.lines().filter(|line| !line.starts_with(';')).map(address).collect();
    let length = addresses[addresses.len() - 1] - addresses[0];
    let bytes: u64 = bytes.parse().expect("a number");
    assert!(length < bytes && bytes - length <= 15, "{text}");
    assert!(addresses.windows(2).all(|pair| pair[0] < pair[1] && pair[1] - pair[0] <= 15), "{text}");
    let below = |source: &str| {
        let line = format!("; {path}:{source}");
        let (_, rest) = square.split_once(&line).unwrap_or_else(|| panic!("no {line} in {square}"));
        rest.split(';').next().unwrap_or_default().to_owned()
    };
    assert!(below("2  fn square(n: int) -> int {").contains("push rbp"), "{square}");
    assert!(below("3  let doubled = n + n").contains("add r"), "{square}");
    assert!(below("4  doubled * n / 2").contains("imul r"), "{square}");
    // the doubled number may be too large, and the runtime is called by name
    assert!(square.contains("tenure_throw"), "{square}");
}
