//! `--emit=asm`: the machine code of every function as it lies in memory, with addresses and the source lines it belongs to.
//!
//! Cranelift puts constants behind a function; its code reaches them relative to itself, and so they are told from code here.

use iced_x86::{Decoder, DecoderOptions, Formatter, Instruction, IntelFormatter, SymbolResolver, SymbolResult};
use std::collections::HashMap;
use std::fmt::Write;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use tenure::{CodeListener, CodePlace, PublishedCode, runtime_symbols};

/// Gathers code as it is compiled.
#[derive(Debug, Default)]
pub struct Disassembly(Mutex<Vec<Function>>);

#[derive(Debug)]
struct Function {
    head: CodePlace,
    start: u64,
    bytes: Vec<u8>,
    lines: Vec<(u32, CodePlace)>,
}

impl CodeListener for Disassembly {
    fn compiled(&self, code: &PublishedCode<'_>) {
        let function = Function {
            head: code.function.clone(),
            start: code.start as u64,
            bytes: code.bytes.to_vec(),
            lines: code.lines.to_vec(),
        };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(function);
    }
}

impl Disassembly {
    /// What was gathered. Lines of the file called `name`, whose text is `source`, are shown.
    pub fn text(&self, name: &str, source: &str) -> String {
        let functions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lines: Vec<&str> = source.lines().collect();
        let shown = |frame: &CodePlace| {
            let line = lines.get((frame.line as usize).wrapping_sub(1)).filter(|_| frame.file == name);
            format!("{}:{}  {}", frame.file, frame.line, line.map_or("", |line| line.trim())).trim_end().to_owned()
        };
        let names = functions.iter().map(|function| (function.start, function.head.function.clone()));
        let of_runtime = runtime_symbols().map(|(address, name)| (address as u64, name.to_owned()));
        let names = Arc::new(names.chain(of_runtime).collect::<HashMap<_, _>>());
        functions.iter().map(|function| function.text(&names, shown)).collect()
    }
}

/// Names of functions, by address.
struct Names(Arc<HashMap<u64, String>>);

impl SymbolResolver for Names {
    fn symbol(
        &mut self,
        _instruction: &Instruction,
        _operand: u32,
        _instruction_operand: Option<u32>,
        address: u64,
        _address_size: u32,
    ) -> Option<SymbolResult<'_>> {
        self.0.get(&address).map(|name| SymbolResult::with_str(address, name))
    }
}

impl Function {
    fn text(&self, names: &Arc<HashMap<u64, String>>, shown: impl Fn(&CodePlace) -> String) -> String {
        let Function { head, start, bytes, lines } = self;
        let mut text = format!("; {} ({}:{}), {} bytes\n", head.function, head.file, head.line, bytes.len());
        let mut formatter = IntelFormatter::with_options(Some(Box::new(Names(Arc::clone(names)))), None);
        let options = formatter.options_mut();
        options.set_hex_prefix("0x");
        options.set_hex_suffix("");
        options.set_uppercase_hex(false);
        options.set_branch_leading_zeros(false);
        options.set_space_after_operand_separator(true);
        let mut written = String::new();
        let mut line = None;
        for piece in pieces(*start, bytes) {
            let offset = piece.offset() as u32;
            let now = lines.partition_point(|&(from, _)| from <= offset).checked_sub(1).map(|at| shown(&lines[at].1));
            if let Some(now) = now.filter(|now| line.as_ref() != Some(now)) {
                let _ = writeln!(text, "; {now}");
                line = Some(now);
            }
            written.clear();
            match piece {
                Piece::Instruction(_, instruction) => formatter.format(&instruction, &mut written),
                Piece::Data(range) => bytes[range].iter().for_each(|byte| {
                    let _ = write!(written, "{}{byte:02x}", if written.is_empty() { "bytes " } else { " " });
                }),
            }
            let _ = writeln!(text, "{:#x}  {written}", start + u64::from(offset));
        }
        text + "\n"
    }
}

/// What a function's bytes are, one after the other.
enum Piece {
    /// With its offset.
    Instruction(usize, Instruction),
    /// Few enough bytes for a line.
    Data(Range<usize>),
}

impl Piece {
    fn offset(&self) -> usize {
        match self {
            Piece::Instruction(offset, _) => *offset,
            Piece::Data(range) => range.start,
        }
    }
}

fn pieces(start: u64, bytes: &[u8]) -> Vec<Piece> {
    let mut decoder = Decoder::with_ip(64, bytes, start, DecoderOptions::NONE);
    let mut pieces = Vec::new();
    let mut constants = bytes.len();
    while decoder.can_decode() {
        let at = decoder.position();
        // zeros align them
        if bytes.get(at..constants).is_none_or(|gap| gap.iter().all(|&byte| byte == 0)) {
            let gap = (at < constants).then_some(at..constants);
            let rows = (constants..bytes.len()).step_by(8).map(|from| from..bytes.len().min(from + 8));
            pieces.extend(gap.into_iter().chain(rows).map(Piece::Data));
            break;
        }
        let instruction = decoder.decode();
        if instruction.is_ip_rel_memory_operand() {
            let target = instruction.ip_rel_memory_address().wrapping_sub(start);
            constants = constants.min(usize::try_from(target).unwrap_or(usize::MAX));
        }
        pieces.push(Piece::Instruction(at, instruction));
    }
    pieces
}
