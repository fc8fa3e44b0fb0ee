//! A layout as data: words, places where a line may break, and groups of such places that break together.
//!
//! After Wadler's "A prettier printer" and Oppen's "Prettyprinting": flat like Oppen's stream, so that depth costs no
//! stack; with Wadler's choice, the first layout of a group that fits. Knows nothing of the language.
//!
//! Invariants
//! - D1. `Begin` and `End` are balanced; a `Break` belongs to the innermost open group.
//! - D2. A line end that must come marks all groups around it, except those whose last element may stay open at the
//!   end of the line and holds it (`hug`).

/// A group, an index into [`Document::groups`].
pub type GroupId = u32;

/// One step of a layout.
#[derive(Clone, Copy, Debug)]
pub enum Op {
    /// A piece of the source.
    Source(u32, u32),
    /// A word of the formatter's own.
    Word(&'static str),
    /// A word that stands only where its group is broken.
    IfBroken(&'static str),
    /// A blank in the line.
    Space,
    /// A comment, with a blank before it unless it starts its line; it ends the line.
    Comment(u32, u32),
    /// A place where the line may break.
    Break(Break),
    /// A place where the line must end; an empty one follows if `true`.
    Hard(bool),
    /// If the group is broken, its lines from here on stand so many blanks deeper than its start.
    Indent(usize),
    /// A group starts.
    Begin(GroupId),
    /// The innermost group ends.
    End,
}

/// A place where the line may break.
#[derive(Clone, Copy, Debug, Default)]
pub struct Break {
    /// What stands there if it does not: a blank or nothing.
    pub blank_if_flat: bool,
    /// An empty line follows if it does.
    pub blank: bool,
    /// In a broken group: only if what follows does not fit.
    pub fill: bool,
}

/// How a group breaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Whole, or broken at all its places: brackets, `.calls()`, alternatives.
    Plain,
    /// Operators and their operands: they may stay whole around a line that must end inside an operand.
    Operators,
    /// What follows `=` or `=>`: on the next line if it is whole there; else it starts on this line, unless `true`.
    Assign {
        /// The value is a chain of operators, which starts on the next line even if it is not whole there.
        operators: bool,
    },
}

/// A group of places that break together.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// How it breaks.
    pub kind: Kind,
    /// The bracket that it opens, by the index of its token.
    pub opener: Option<u32>,
    /// It is written open in the source, or was opened in an earlier round.
    pub opened: bool,
    /// A line must end in it, outside other groups.
    pub hard: bool,
    /// A line must end in a group inside it, other than at the end of `hug`.
    pub hard_inside: bool,
    /// The group inside it that may stay open at the end of the line.
    pub hug: Option<GroupId>,
}

/// A layout with its alternatives.
#[derive(Default, Debug)]
pub struct Document {
    /// The steps, in order.
    pub ops: Vec<Op>,
    /// What `Begin` refers to.
    pub groups: Vec<Group>,
    stack: Vec<GroupId>,
}

impl Document {
    /// Starts a group.
    pub fn begin(&mut self, kind: Kind, opener: Option<u32>) -> GroupId {
        let id = self.groups.len() as GroupId;
        self.groups.push(Group { kind, opener, opened: false, hard: false, hard_inside: false, hug: None });
        self.stack.push(id);
        self.ops.push(Op::Begin(id));
        id
    }

    /// Ends the innermost group.
    pub fn end(&mut self) {
        self.stack.pop().expect("groups are balanced (D1)");
        self.ops.push(Op::End);
    }

    /// The innermost open group.
    pub fn innermost(&self) -> Option<GroupId> {
        self.stack.last().copied()
    }

    /// Lets the innermost group be open from the start.
    pub fn open(&mut self) {
        if let Some(&id) = self.stack.last() {
            self.groups[id as usize].opened = true;
            self.mark();
        }
    }

    /// Ends the line here, in place of a blank or a possible break.
    pub fn hard(&mut self, blank: bool) {
        match self.ops.last_mut() {
            Some(Op::Hard(known)) => {
                *known |= blank;
                return;
            }
            Some(last @ (Op::Break(_) | Op::Space)) => {
                let known = matches!(last, Op::Break(place) if place.blank);
                *last = Op::Hard(blank || known);
            }
            _ => self.ops.push(Op::Hard(blank)),
        }
        self.mark();
    }

    /// Marks the groups around a line that must end (D2).
    fn mark(&mut self) {
        let Some((&own, outer)) = self.stack.split_last() else { return };
        self.groups[own as usize].hard = true;
        let mut child = own;
        for &id in outer.iter().rev() {
            let operators = self.groups[child as usize];
            let group = &mut self.groups[id as usize];
            // operators that must break start on the next line
            if operators.kind == Kind::Operators && operators.hard && matches!(group.kind, Kind::Assign { .. }) {
                group.hard = true;
            }
            if group.hug != Some(child) {
                if group.hard_inside {
                    break;
                }
                group.hard_inside = true;
            }
            child = id;
        }
    }
}
