//! Sessions, as a prompt and hosts use them: values live on, redefinitions hide, mistakes end nothing.

use std::io::Write;
use std::sync::{Arc, Mutex};
use tenure::{Engine, Gc, Session, SessionError, is_incomplete};

#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("never poisoned").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

struct Prompt {
    session: Session,
    output: Output,
}

fn prompt_with(configure: impl FnOnce(tenure::InstanceBuilder) -> tenure::InstanceBuilder) -> Prompt {
    let output = Output::default();
    let to = Box::new(output.clone());
    let session = Session::new(&Engine::new(), Vec::new(), false, |i| configure(i.stdout(to))).expect("a session");
    Prompt { session, output }
}

fn prompt() -> Prompt {
    prompt_with(|instance| instance)
}

impl Prompt {
    /// The value and type that an input shows, as `value : type`; empty if it has no value.
    #[track_caller]
    fn gives(&mut self, text: &str) -> String {
        match self.session.eval(text) {
            Ok(None) => String::new(),
            Ok(Some(shown)) => format!("{} : {}", shown.value, shown.ty),
            Err(error) => panic!("{text}: {error}"),
        }
    }

    #[track_caller]
    fn mistake(&mut self, text: &str) -> String {
        match self.session.eval(text) {
            Err(SessionError::Source(found)) => found.iter().next().expect("a message").message.clone(),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[track_caller]
    fn panics(&mut self, text: &str) -> String {
        match self.session.eval(text) {
            Err(SessionError::Script(error)) => error.message().to_owned(),
            other => panic!("{text}: {other:?}"),
        }
    }

    fn printed(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.output.0.lock().expect("never poisoned"))).expect("text")
    }
}

#[test]
fn the_last_value_is_shown_with_its_type() {
    let mut p = prompt();
    assert_eq!(p.gives("1 + 2"), "3 : int");
    assert_eq!(p.gives("\"a\" + \"b\""), "\"ab\" : str");
    assert_eq!(p.gives("let x = 4; [x, x * x]"), "[4, 16] : [int]");
    assert_eq!(p.gives("let y = x"), "");
    assert_eq!(p.gives("print(y)"), "");
    assert_eq!(p.printed(), "4\n");
    assert_eq!(p.gives(""), "");
    assert_eq!(p.gives("// nothing"), "");
    assert_eq!(p.gives("if x > 3 { \"big\" } else { \"small\" }"), "\"big\" : str");
    assert_eq!(p.session.type_of("[1: x]").expect("sound"), Some("[int: int]".into()));
}

#[test]
fn values_and_declarations_live_on() {
    let mut p = prompt();
    p.gives("struct Node { value: int; var next: Node? = nil }");
    p.gives("var head: Node? = nil");
    p.gives("fn push(v: int) { head = Node(value: v, next: head) }");
    for i in 0..5 {
        p.gives(&format!("push({i})"));
    }
    p.gives("fn total(n: Node?) -> int = match n { nil => 0; m? => m.value + total(m.next) }");
    assert_eq!(p.gives("total(head)"), "10 : int");
    p.gives("enum Shape { Circle(r: int); Empty }");
    p.gives("let shapes = [Circle(2), Empty]");
    assert_eq!(p.gives("shapes"), "[Circle(r: 2), Empty] : [Shape]");
    assert_eq!(p.gives("match shapes[0] { Circle(r) => r; Empty => 0 }"), "2 : int");
    p.gives("let counter = || { push(100); total(head) }");
    assert_eq!(p.gives("counter()"), "110 : int");
    assert_eq!(p.gives("[counter(), counter()]"), "[210, 310] : [int]");
    p.gives("use math");
    assert_eq!(p.gives("math.sqrt(16.0)"), "4.0 : float");
}

#[test]
fn a_later_declaration_hides_an_earlier_one() {
    let mut p = prompt();
    p.gives("let x = 1");
    p.gives("fn f() = x + 1");
    p.gives("fn g() = f() * 10");
    p.gives("let x = \"text\"");
    assert_eq!(p.gives("x"), "\"text\" : str");
    assert_eq!(p.gives("f()"), "2 : int");
    p.gives("fn f() = \"new\"");
    assert_eq!(p.gives("f()"), "\"new\" : str");
    assert_eq!(p.gives("g()"), "20 : int");
    p.gives("struct P { a: int }");
    p.gives("let old = P(a: 1)");
    p.gives("struct P { b: str }");
    assert_eq!(p.gives("P(b: \"x\")"), "P(b: \"x\") : P");
    assert_eq!(p.gives("old.a"), "1 : int");
    p.gives("var n = 0");
    p.gives("n += 5");
    assert_eq!(p.gives("n"), "5 : int");
}

#[test]
fn mistakes_and_panics_end_nothing() {
    let mut p = prompt();
    p.gives("let xs = [1, 2, 3]");
    assert!(p.mistake("let ys = xs.frist()").contains("frist"));
    assert!(p.mistake("ys").contains("`ys`"), "an input with mistakes leaves no trace");
    assert!(p.mistake("1 +").contains("expected"));
    assert!(p.panics("let a = 1; let b = xs[7]").contains("index"));
    assert_eq!(p.gives("a"), "1 : int");
    assert!(p.panics("b").contains("set"), "it was not reached");
    assert!(p.panics("fn down(n: int) -> int = 1 + down(n + 1)\ndown(0)").contains("stack"));
    assert_eq!(p.gives("xs.sum()"), "6 : int");
    assert_eq!(p.gives("try { xs[9] } catch e { e.message.len() } > 0"), "true : bool");
}

#[test]
fn modules_are_initialised_once() {
    let mut p = prompt();
    p.gives("use random");
    p.gives("let r = random.Random.new(3)");
    p.gives("use random: Random");
    assert_eq!(p.gives("Random.new(3).below(1000) == r.below(1000)"), "true : bool");
}

#[test]
fn sessions_survive_the_collector() {
    let mut p =
        prompt_with(|i| i.gc(Gc::adaptive()).verify(true).zeal("young:8K,full:128K,mark:32K".parse().expect("zeal")));
    p.gives("struct Cell { text: str; var next: Cell? = nil }");
    p.gives("var list: Cell? = nil; var seen: [str: int] = [:]");
    p.gives("fn add(i: int) { list = Cell(text: \"cell {i}\", next: list); seen[\"key {i % 17}\"] = i }");
    p.gives("let make = |i| { add(i); i }");
    for round in 0..30 {
        p.gives(&format!("for i in 0..40 {{ make({round} * 40 + i) }}"));
    }
    p.gives("fn length(c: Cell?) -> int { var n = 0; var at = c; while let cell = at { n += 1; at = cell.next }; n }");
    assert_eq!(p.gives("length(list)"), "1200 : int");
    assert_eq!(p.gives("seen.len()"), "17 : int");
    assert_eq!(p.gives("list!.text"), "\"cell 1199\" : str");
    assert!(p.session.vm().gc().stats().pauses() > 10);
}

#[test]
fn many_inputs() {
    const LAST: i64 = 99;
    let mut p = prompt();
    p.gives("var sum = 0");
    for i in 0..LAST + 1 {
        p.gives(&format!("let v{i} = {i}; sum += v{i}"));
    }
    assert_eq!(p.gives(&format!("sum + v{LAST}")), format!("{} : int", LAST * (LAST + 1) / 2 + LAST));
}

#[test]
fn what_more_lines_could_complete() {
    for text in ["fn f() {", "let x = (1,", "f(", "let x =", "1 +", "\"open", "'''raw", "match x {\n  1 => 2", "[1,\n"]
    {
        assert!(is_incomplete(text), "{text}");
    }
    for text in ["1", "", "let x = )", "1 + ) (", "'open", "f(]", "fn f() { }"] {
        assert!(!is_incomplete(text), "{text}");
    }
}

#[test]
fn traits_take_in_later_types() {
    let mut p = prompt();
    p.gives("trait Shape { fn area(self) -> int }");
    p.gives("struct Square: Shape { side: int; fn area(self) -> int = self.side * self.side }");
    p.gives("fn total(shapes: [Shape]) -> int { var n = 0; for s in shapes { n += s.area() }; n }");
    p.gives("let all: [Shape] = [Square(side: 2)]");
    p.gives("let measure = |s: Shape| s.area()");
    p.gives("struct Strip: Shape { length: int; fn area(self) -> int = self.length }");
    p.gives("all.push(Strip(length: 5))");
    assert_eq!(p.gives("total(all)"), "9 : int");
    assert_eq!(p.gives("measure(all[0])"), "4 : int");
    assert_eq!(p.gives("measure(all[1])"), "5 : int");
}

#[test]
fn names_are_completed_and_explained() {
    let mut p = prompt();
    p.gives("use math");
    p.gives("/// A place.\nstruct Point { x: int; y: int; fn norm(self) -> int = self.x + self.y }");
    p.gives("let place = Point(x: 1, y: 2); let names = [\"a\"]");
    let complete = |p: &Prompt, text: &str| p.session.complete(text, text.len());
    assert_eq!(complete(&p, "pla"), (0..3, vec!["place".into()]));
    assert_eq!(complete(&p, "f(place."), (8..8, vec!["norm".into(), "x".into(), "y".into()]));
    assert_eq!(complete(&p, "math.sqr").1, ["sqrt"]);
    assert!(complete(&p, "names.so").1.contains(&"sorted_by".to_owned()));
    assert!(complete(&p, "\"a\".starts").1.contains(&"starts_with".to_owned()));
    assert!(complete(&p, "use js").1.contains(&"json".to_owned()));
    assert!(complete(&p, "re").1.contains(&"return".to_owned()));
    assert_eq!(p.session.doc("Point").as_deref(), Some("struct Point\nA place."));
    assert!(p.session.doc("List.push").expect("a method").contains("fn push"));
    assert!(p.session.doc("math.sqrt").expect("a function").contains("pub fn sqrt"));
    assert_eq!(p.session.doc("nothing.at.all"), None);
}
