//! Chooses a layout of a document and writes it.
//!
//! Invariants
//! - W1. Whether a group fits is asked once, when it starts, and looks no further than one line; so writing takes
//!   time proportional to the document.
//! - W2. Inside a group that is written flat everything is flat.

use super::document::{Break, Document, GroupId, Kind, Op};

/// The column that lines should not pass.
pub const WIDTH: usize = 100;
/// Blanks a level.
pub const INDENT: usize = 2;

/// How a group is written.
#[derive(Clone, Copy, PartialEq)]
enum Mode {
    /// In one line, with all that is in it.
    Flat,
    /// Its own places flat; the groups in it choose for themselves.
    Open,
    /// Its own places flat, and the groups in it but this one.
    Hug(GroupId),
    /// A line at each of its places.
    Broken,
}

#[derive(Clone, Copy)]
struct Frame {
    mode: Mode,
    /// Indentation of the line where it starts.
    base: usize,
    /// Indentation of its next line.
    indent: usize,
}

/// What a search for the end of the line may find.
#[derive(Clone, Copy, PartialEq)]
enum Goal {
    /// The whole group in this line.
    Whole,
    /// The group up to a line that must end in it.
    UpToHard,
    /// The group up to the one in it that stays open.
    UpToHug,
}

/// A group's state in such a search.
#[derive(Clone, Copy)]
enum Level {
    Flat,
    /// On the way to what stays open.
    Hug(GroupId),
    /// It may break.
    Free,
    /// It must break.
    Broken,
}

/// Writes `document`, whose [`Op::Source`]s are pieces of `text`. Also gives the brackets that it had to open.
pub fn render(document: &Document, text: &str) -> (String, Vec<u32>) {
    let mut writer =
        Writer { document, text, out: String::new(), column: 0, indent: 0, frames: Vec::new(), opened: Vec::new() };
    for (i, &op) in document.ops.iter().enumerate() {
        writer.step(i, op);
    }
    (writer.out, writer.opened)
}

struct Writer<'a> {
    document: &'a Document,
    text: &'a str,
    out: String,
    /// Characters in the current line.
    column: usize,
    /// Indentation that the first word of the line will get.
    indent: usize,
    frames: Vec<Frame>,
    opened: Vec<u32>,
}

impl Writer<'_> {
    fn step(&mut self, i: usize, op: Op) {
        match op {
            Op::Source(lo, hi) => self.source(lo, hi),
            Op::Word(word) => self.write(word),
            Op::Space => self.write(" "),
            Op::IfBroken(word) => {
                if self.mode() == Mode::Broken {
                    self.write(word);
                }
            }
            Op::Comment(lo, hi) => {
                if self.column > 0 {
                    self.write(" ");
                }
                self.source(lo, hi);
            }
            Op::Break(place) => self.place(i, place),
            Op::Hard(blank) => self.newline(blank),
            Op::Indent(blanks) => {
                if let Some(frame) = self.frames.last_mut().filter(|f| f.mode == Mode::Broken) {
                    frame.indent = frame.base + blanks;
                }
            }
            Op::Begin(id) => {
                let mode = self.choose(i, id);
                let group = &self.document.groups[id as usize];
                if let (Mode::Broken, Some(opener), false) = (mode, group.opener, group.opened) {
                    self.opened.push(opener);
                }
                let base = self.line_indent();
                self.frames.push(Frame { mode, base, indent: base });
            }
            Op::End => {
                self.frames.pop().expect("groups are balanced (D1)");
            }
        }
    }

    /// Indentation of the next line.
    fn line_indent(&self) -> usize {
        self.frames.last().map_or(0, |f| f.indent)
    }

    fn mode(&self) -> Mode {
        self.frames.last().map_or(Mode::Broken, |f| f.mode)
    }

    fn write(&mut self, word: &str) {
        if self.column == 0 {
            self.out.extend(std::iter::repeat_n(' ', self.indent));
            self.column = self.indent;
        }
        self.out.push_str(word);
        self.column += width(word);
    }

    fn source(&mut self, lo: u32, hi: u32) {
        let piece = &self.text[lo as usize..hi as usize];
        let Some((first, rest)) = piece.split_once('\n') else { return self.write(piece) };
        // a string over several lines
        self.write(first.strip_suffix('\r').unwrap_or(first));
        self.out.push('\n');
        self.out.push_str(&rest.replace("\r\n", "\n"));
        self.column = width(rest.rsplit('\n').next().unwrap_or(rest));
    }

    fn newline(&mut self, blank: bool) {
        self.out.push_str(if blank { "\n\n" } else { "\n" });
        self.column = 0;
        self.indent = self.line_indent();
    }

    fn place(&mut self, i: usize, place: Break) {
        let breaks = self.mode() == Mode::Broken && !(place.fill && !place.blank && self.next_fits(i));
        if breaks {
            self.newline(place.blank);
        } else if place.blank_if_flat {
            self.write(" ");
        }
    }

    /// Whether what follows up to the group's next place fits behind a blank in this line.
    fn next_fits(&self, i: usize) -> bool {
        let mut room = (WIDTH as isize) - (self.column as isize) - 1;
        for op in &self.document.ops[i + 1..] {
            match *op {
                Op::Break(_) | Op::Hard(_) | Op::Comment(..) => break,
                _ => room -= self.width_of(*op) as isize,
            }
        }
        room >= 0
    }

    fn width_of(&self, op: Op) -> usize {
        match op {
            Op::Source(lo, hi) => width(&self.text[lo as usize..hi as usize]),
            Op::Word(word) | Op::IfBroken(word) => width(word),
            Op::Space => 1,
            _ => 0,
        }
    }

    fn choose(&self, i: usize, id: GroupId) -> Mode {
        let group = &self.document.groups[id as usize];
        if group.hard {
            return Mode::Broken;
        }
        match self.frames.last().map(|f| f.mode) {
            Some(Mode::Flat) => return Mode::Flat,
            Some(Mode::Hug(child)) if child != id => return Mode::Flat,
            _ => {}
        }
        let here = self.column.max(if self.column == 0 { self.indent } else { 0 });
        match group.kind {
            Kind::Assign { .. } | Kind::Operators if group.hard_inside => {
                return if self.fits(i, here, Goal::UpToHard) { Mode::Open } else { Mode::Broken };
            }
            _ if group.hard_inside => return Mode::Broken,
            _ => {}
        }
        if self.fits(i, here, Goal::Whole) {
            return Mode::Flat;
        }
        if let Some(child) = group.hug
            && self.fits(i, here, Goal::UpToHug)
        {
            return Mode::Hug(child);
        }
        if let Kind::Assign { operators } = group.kind {
            let value = self.document.ops[i..].iter().position(|op| matches!(op, Op::Break(_)));
            let value = i + value.expect("a value follows") + 1;
            let next_line = self.line_indent() + INDENT;
            if !operators && !self.fits_from(value, next_line, Goal::Whole, Level::Flat) {
                return Mode::Open;
            }
        }
        Mode::Broken
    }

    fn fits(&self, begin: usize, column: usize, goal: Goal) -> bool {
        let level = match self.document.ops[begin] {
            Op::Begin(id) if goal == Goal::UpToHug => self.hug_level(id),
            _ => Level::Flat,
        };
        self.fits_from(begin + 1, column, goal, level)
    }

    fn hug_level(&self, id: GroupId) -> Level {
        self.document.groups[id as usize].hug.map_or(Level::Free, Level::Hug)
    }

    /// Whether what follows step `i`, in a group at `level`, fits up to the next possible end of the line.
    fn fits_from(&self, i: usize, column: usize, goal: Goal, level: Level) -> bool {
        let Some(mut room) = WIDTH.checked_sub(column) else { return false };
        // groups that have started: the asking one, then those inside it, or behind it
        let mut levels = vec![level];
        // frames around the asking group that have not ended yet
        let mut outer = self.frames.len();
        let mut inside = true;
        for &op in &self.document.ops[i..] {
            let level =
                levels.last().copied().unwrap_or_else(|| match outer.checked_sub(1).map(|o| self.frames[o].mode) {
                    Some(Mode::Flat) => Level::Flat,
                    // its own places are flat; groups that start in it are free
                    Some(Mode::Open | Mode::Hug(_)) => Level::Flat,
                    Some(Mode::Broken) | None => Level::Free,
                });
            let width = match op {
                Op::Break(_) | Op::Hard(_) if matches!(level, Level::Free) => return true,
                Op::Break(place) if !matches!(level, Level::Broken) => usize::from(place.blank_if_flat),
                Op::Hard(_) | Op::Break(_) => return !inside || goal == Goal::UpToHard,
                Op::Comment(..) => return true,
                Op::IfBroken(_) | Op::Indent(_) => 0,
                Op::Source(lo, hi) => {
                    let piece = &self.text[lo as usize..hi as usize];
                    match piece.split_once('\n') {
                        Some((first, _)) => return width(first) <= room,
                        None => width(piece),
                    }
                }
                Op::Begin(id) => {
                    let next = match (levels.last(), level) {
                        (None, _) => match outer.checked_sub(1).map(|o| self.frames[o].mode) {
                            Some(Mode::Flat) => Level::Flat,
                            Some(Mode::Hug(child)) if child != id => Level::Flat,
                            _ => Level::Free,
                        },
                        (_, Level::Hug(child)) if child == id => self.hug_level(id),
                        (_, Level::Free) => Level::Free,
                        _ if self.document.groups[id as usize].hard => Level::Broken,
                        _ => Level::Flat,
                    };
                    levels.push(next);
                    0
                }
                Op::End => {
                    if levels.pop().is_none() {
                        outer = outer.saturating_sub(1);
                    } else if levels.is_empty() {
                        inside = false;
                    }
                    0
                }
                _ => self.width_of(op),
            };
            match room.checked_sub(width) {
                Some(left) => room = left,
                None => return false,
            }
        }
        true
    }
}

/// Characters of a piece of text.
fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().count() }
}
