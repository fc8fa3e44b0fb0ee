//! What compiled code must not grow by: instructions counted in the listing, block by block, as a processor walks them.

use std::collections::HashMap;
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
