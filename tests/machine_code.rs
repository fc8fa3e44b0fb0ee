//! What compiled code must not grow by: instructions counted in the listing, block by block, as a processor walks them.

use std::collections::HashMap;
use std::process::Command;
use tenure::{Engine, Stage};

/// One function of a listing: the instructions of each block, by label; `block3` and `label3` are the same place.
struct Listing {
    blocks: HashMap<u32, Vec<String>>,
}

impl Listing {
    fn of(script: &str, function: &str) -> Listing {
        let text = Engine::new().emit(Stage::Asm, "test.ten", script, &[]).expect("a sound script");
        let title = format!("; {function}");
        let mut lines = text.lines().skip_while(|line| *line != title).skip(1);
        let mut listing = Listing { blocks: HashMap::new() };
        let mut at = 0;
        for line in lines.by_ref().take_while(|line| !line.starts_with(';')) {
            let line = line.trim();
            match line.strip_prefix("block").and_then(|rest| rest.strip_suffix(':')) {
                Some(number) => at = number.parse().expect("blocks have numbers"),
                None if line.is_empty() => {}
                None => listing.blocks.entry(at).or_default().push(line.to_string()),
            }
        }
        listing
    }

    /// Where the write barrier begins: block and instruction.
    fn barrier(&self) -> (u32, usize) {
        let found = self.blocks.iter().find_map(|(&block, code)| {
            let at = code.iter().position(|line| line.starts_with("movzb") && line.contains(" 3(%"))?;
            Some((block, at))
        });
        found.expect("a load of the flag byte")
    }

    /// Counts to the end of a block, and says where its conditional jump leads when taken. Jumps to what follows anyway
    /// are no instructions.
    fn walk(&self, block: u32, from: usize) -> (usize, u32) {
        let code = &self.blocks[&block][from..];
        let jump = code.last().filter(|line| line.contains("; j ")).expect("the block ends in two directions");
        let label = jump.split("label").nth(1).and_then(|rest| rest.split(';').next()).expect("a label");
        (code.len(), label.trim().parse().expect("labels have numbers"))
    }
}

#[test]
fn the_write_barrier_takes_three_instructions_where_nothing_is_to_be_logged() {
    let script = "
struct Cell { var value: Cell? = nil }
fn set(cell: Cell, value: Cell) { cell.value = value }
let cell = Cell()
set(cell, cell)";
    let listing = Listing::of(script, "set");
    let (block, at) = listing.barrier();
    let (count, _) = listing.walk(block, at);
    assert!(count <= 3, "{:?}", listing.blocks[&block]);
}

#[test]
fn the_write_barrier_of_a_logged_chunk_takes_few_instructions() {
    let script = "
struct Cell { number: int }
fn put(cells: Array[Cell], index: int, value: Cell) { cells[index] = value }
let cell = Cell(number: 1)
put([cell].to_array(), 0, cell)";
    let listing = Listing::of(script, "put");
    let (block, at) = listing.barrier();
    let (young, armed) = listing.walk(block, at);
    assert!(young <= 3, "{:?}", listing.blocks[&block]);
    let (test, _) = listing.walk(armed, 0);
    // 7 would be good: one is a move of the index, and the entry is loaded before it is compared, for Cranelift does not fold a
    // load into the comparison that ends a block.
    assert!(young + test <= 9, "{:?} {:?}", listing.blocks[&block], listing.blocks[&armed]);
}

#[test]
fn a_constant_added_to_an_index_is_part_of_the_address() {
    let script = "
fn before(bytes: [byte], i: int) -> byte {
  if i > 0 and i <= bytes.len() { bytes[i - 1] } else { 0 }
}
print(before([1, 2, 3], 2))";
    let listing = Listing::of(script, "before");
    let code: Vec<_> = listing.blocks.values().flatten().collect();
    assert!(code.iter().any(|line| line.starts_with("movzb") && line.contains(" 7(%")), "{code:?}");
}

/// The machine code of a function, with addresses.
fn machine_code(script: &str, function: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_tenure")).args(["--emit=asm", "-e", script]).output();
    let listing = String::from_utf8(output.expect("tenure starts").stdout).expect("text");
    let code = listing.split("\n\n").find(|code| code.starts_with(&format!("; {function} ")));
    code.unwrap_or_else(|| panic!("no {function} in {listing}")).to_string()
}

/// Backward jumps over less than a line of the cache in a listing with addresses: where they lead, and where they end.
fn short_loops(listing: &str) -> Vec<(u64, u64)> {
    let address = |text: &str| u64::from_str_radix(text.strip_prefix("0x")?, 16).ok();
    let mut lines = listing.lines().filter_map(|line| {
        let (at, code) = line.split_once("  ")?;
        Some((address(at)?, code))
    });
    let mut loops = Vec::new();
    let mut last: Option<(u64, u64)> = None;
    for (at, code) in lines.by_ref() {
        loops.extend(last.take().map(|(to, _)| (to, at)));
        let to = code.strip_prefix('j').and_then(|jump| address(jump.split_once(' ')?.1));
        last = to.filter(|to| (at - 57..at).contains(to)).map(|to| (to, at));
    }
    loops
}

#[test]
fn short_loops_lie_in_one_line_of_the_cache() {
    // what stands before the loop moves it within its function
    for n in 0..8 {
        let before: String = (0..n).map(|i| format!("  sum += first * {i}\n")).collect();
        let script = format!(
            "
fn clear(flags: [bool], first: int, step: int) -> int {{
  var sum = first
{before}  var k = first
  while k < flags.len() {{
    flags[k] = false
    k += step
  }}
  sum
}}
print(clear([true for _ in 0..100], args.len(), 3))"
        );
        let code = machine_code(&script, "clear");
        let loops = short_loops(&code);
        assert!(!loops.is_empty(), "{code}");
        for (start, end) in loops {
            assert_eq!(start / 64, (end - 1) / 64, "{start:#x} to {end:#x} in {code}");
        }
    }
}

#[test]
fn the_context_takes_no_register_that_callees_save() {
    let script = "
struct Node { var weight: int, next: Node? }
@noinline fn total(node: Node?) -> int {
  if node == nil { return 0 }
  total(node!.next) + node!.weight
}
print(total(Node(weight: 1, next: Node(weight: 2, next: nil))))";
    let code = machine_code(script, "total");
    let saved = |register: &str| code.lines().any(|line| line.contains("mov [rsp") && line.ends_with(register));
    let used: Vec<_> = ["rbx", "r12", "r13", "r14"].into_iter().filter(|register| saved(register)).collect();
    assert!(used.is_empty(), "{used:?} in {code}");
    assert!(code.lines().any(|line| line.contains("mov ") && line.ends_with(", r15")), "{code}");
}

#[test]
fn a_list_that_has_room_grows_without_a_call_on_the_hot_path() {
    let script = "
fn fill(list: [int], count: int) {
  for i in 0..count { list.push(i) }
}
fill([], args.len() + 100)";
    let code = machine_code(script, "fill");
    let grown = code.find("tenure_array_grow").expect("the call is there");
    let ret = code.find("  ret").expect("it returns");
    assert!(ret < grown, "{code}");
}

#[test]
fn objects_made_one_after_the_other_take_one_check_of_the_window() {
    let script = "
struct Point { x: int, y: int }
struct Edge { from: Point, to: Point, weights: [int] }
@noinline fn edge(n: int) -> Edge = Edge(from: Point(x: n, y: 1), to: Point(x: 2, y: n), weights: [n, n])
print(edge(3).to.x)";
    let code = machine_code(script, "edge");
    let (hot, cold) = code.split_once("  ret").expect("it returns");
    assert_eq!(hot.matches("  ja ").count(), 1, "{code}");
    let stubs = ["tenure_allocate_record", "tenure_allocate_array"].map(|stub| cold.matches(stub).count());
    assert_eq!(stubs, [4, 1], "two points, an edge, the list and its array: {code}");
}

#[test]
fn an_object_takes_one_write_barrier_between_two_safepoints_and_a_new_one_none() {
    let script = "
struct Pair { var a: Pair? = nil, var b: Pair? = nil }
@noinline fn both(pair: Pair, to: Pair) { pair.a = to; pair.b = to }
@noinline fn apart(pair: Pair, to: Pair) { pair.a = to; nothing(); pair.b = to }
@noinline fn nothing() { print() }
@noinline fn fresh(to: Pair) -> Pair {
  let pair = Pair()
  pair.a = to
  pair
}
both(Pair(), fresh(Pair()))
apart(Pair(), Pair())";
    let tests = |function| {
        let code = Listing::of(script, function).blocks;
        code.values().flatten().filter(|line| line.starts_with("movzb") && line.contains(" 3(%")).count()
    };
    assert_eq!((tests("both"), tests("apart"), tests("fresh")), (1, 2, 0));
}
