//! The evaluator's own functions of the runtime.

use super::heap::Object;
use super::{Evaluator, Raised};
use crate::ir::{Elem, RuntimeFn};
use std::cmp::Ordering;
use tenure_runtime::trap::{Trap, TrapKind};
use tenure_runtime::{hash, text};

impl Evaluator<'_> {
    /// Runs one; 0 where it gives nothing.
    pub(super) fn call_runtime(&mut self, function: RuntimeFn, args: &[u64]) -> Result<u64, Raised> {
        let int = |i: usize| args[i] as i64;
        Ok(match function {
            RuntimeFn::ArrayCopy(_) => self.array_copy(args)?,
            RuntimeFn::ArrayPart(elem) => self.array_part(elem, args[0], int(1), int(2), int(3))?,
            RuntimeFn::ArrayGrow(elem) => {
                self.array_part(elem, args[0], 0, int(1), text::grown_room(int(1), int(2)))?
            }
            RuntimeFn::ArrayFill(_) => {
                let len = self.heap.array_len(args[0]) as u64;
                let count = int(2).checked_sub(int(1)).unwrap_or(-1);
                for i in text::count_range(int(1), count, len)? {
                    self.heap.set_element(args[0], i, args[3]);
                }
                0
            }
            RuntimeFn::StrSlice => {
                let (from, to) = text::slice(self.heap.str(args[0]), int(1), int(2))?;
                let slice = self.heap.str(args[0])[from..to].into();
                self.heap.allocate(Object::Text(slice))?
            }
            RuntimeFn::StrEq => u64::from(self.heap.bytes(args[0]) == self.heap.bytes(args[1])),
            RuntimeFn::StrCompare => match self.heap.bytes(args[0]).cmp(self.heap.bytes(args[1])) {
                Ordering::Less => -1_i64 as u64,
                Ordering::Equal => 0,
                Ordering::Greater => 1,
            },
            RuntimeFn::StrConcat => {
                let text: String = args.iter().map(|&string| self.heap.str(string)).collect();
                self.heap.allocate(Object::Text(text.into()))?
            }
            RuntimeFn::StrHash => hash::bytes(self.heap.bytes(args[0])) as u64,
            RuntimeFn::StrFromBytes => {
                let text = text::from_bytes(self.heap.bytes(args[0]), int(1), int(2))?;
                let text = text.into();
                self.heap.allocate(Object::Text(text))?
            }
            RuntimeFn::StrJoin => {
                let count = text::count_range(0, int(1), self.heap.array_len(args[0]) as u64)?;
                let parts: Vec<&str> = count.map(|i| self.heap.str(self.heap.element(args[0], i))).collect();
                let joined = parts.join(self.heap.str(args[2]));
                self.heap.allocate(Object::Text(joined.into()))?
            }
            RuntimeFn::IntHash => hash::int(int(0)) as u64,
            RuntimeFn::WeakNew => self.weak.new_reference(args[0], args[1]),
            RuntimeFn::WeakGet => self.weak.target(args[0], args[1]),
            RuntimeFn::WeakSetPair => self.weak.set_pair(args[0], args[1], args[2]),
            RuntimeFn::WeakPair => self.weak.pair(args[0], args[1]),
            RuntimeFn::WeakRemovePair => u64::from(self.weak.remove_pair(args[0], args[1])),
            RuntimeFn::ResourceOwn => u64::from(self.weak.own_resource(args[1])),
            RuntimeFn::Throw => {
                let mut trap = Trap::new(TrapKind::Error, "");
                self.locate(&mut trap);
                return Err(Raised::Thrown(args[0], Box::new(trap)));
            }
            RuntimeFn::Catch => {
                let raised = self.take_caught();
                self.error_of(raised)
            }
            RuntimeFn::Suspend => {
                let raised = self.take_caught();
                self.suspended.push(raised);
                0
            }
            RuntimeFn::Resume => return Err(self.take_suspended()),
            RuntimeFn::Reraise => {
                let raised = self.take_caught();
                if args[0] == 0 {
                    return Err(raised);
                }
                let first = self.take_suspended();
                let cause = self.error_of(first);
                let trap = match &raised {
                    Raised::Trap(trap) => trap.clone(),
                    Raised::Thrown(_, trap) => Trap::clone(trap),
                };
                let error = self.error_of(raised);
                let mut fields = self.heap.fields(error).to_vec();
                fields[2] = cause;
                let record = self.program.error.expect("a program that catches has the core library's Error");
                let linked = self.heap.permanent(Object::Record(record, fields.into()));
                return Err(Raised::Thrown(linked, Box::new(trap)));
            }
        })
    }

    fn array_part(&mut self, elem: Elem, array: u64, from: i64, count: i64, room: i64) -> Result<u64, Raised> {
        let from = text::part(from, count, room, self.heap.array_len(array) as u64)?;
        let part = self.heap.allocate_array(elem, room as u64, 0)?;
        for (to, from) in from.enumerate() {
            let element = self.heap.element(array, from);
            self.heap.set_element(part, to, element);
        }
        Ok(part)
    }

    fn array_copy(&mut self, args: &[u64]) -> Result<u64, Trap> {
        let &[to, at, from, start, count] = args else { unreachable!("bug: five arguments") };
        let source = text::count_range(start as i64, count as i64, self.heap.array_len(from) as u64)?;
        let target = text::count_range(at as i64, count as i64, self.heap.array_len(to) as u64)?;
        if to == from {
            match self.heap.object_mut(to) {
                Object::Refs(items) | Object::Words(items) => items.copy_within(source, target.start),
                Object::Bytes(items) => items.copy_within(source, target.start),
                _ => unreachable!("bug: not an array to write to"),
            }
        } else {
            for (from_index, to_index) in source.zip(target) {
                let element = self.heap.element(from, from_index);
                self.heap.set_element(to, to_index, element);
            }
        }
        Ok(0)
    }

    fn take_caught(&mut self) -> Raised {
        self.caught.take().expect("a handler runs only after a trap")
    }

    fn take_suspended(&mut self) -> Raised {
        self.suspended.pop().expect("a cleanup that ends has a trap to go on with")
    }

    fn error_of(&mut self, raised: Raised) -> u64 {
        match raised {
            Raised::Trap(trap) => self.new_error(&trap),
            Raised::Thrown(error, trap) => {
                // thrown again, it has a trace: where it came from first is what counts
                if self.heap.str(self.heap.fields(error)[3]).is_empty() {
                    let trace = self.heap.permanent(Object::Text(trap.trace_text().into()));
                    self.heap.fields_mut(error)[3] = trace;
                }
                error
            }
        }
    }

    /// The error object that a handler gets for a trap. It counts against no limit, so that running out of memory can be
    /// caught.
    fn new_error(&mut self, trap: &Trap) -> u64 {
        let record = self.program.error.expect("a program that catches has the core library's Error");
        let mut string = |text: &str| self.heap.permanent(Object::Text(text.into()));
        let (message, kind, trace) = (string(&trap.message), string(&trap.kind_name), string(&trap.trace_text()));
        self.heap.permanent(Object::Record(record, [message, kind, 0, trace].into()))
    }
}
