//! Walks the frames of compiled code: for the collector's roots, for the handler of a trap, for a trace or a profile.
//!
//! Frames are linked by frame pointers. An activation is one entry into compiled code; its oldest frame returns to
//! [`abi::enter_return`](crate::abi). Activations nest when a native calls back, and each records where the one before it
//! was left.
//!
//! Invariants
//! - U1. While the runtime runs on behalf of compiled code, `exit_fp` and `exit_pc` name the innermost compiled frame (C2).
//! - U2. Every compiled function keeps its caller's frame pointer at `[fp]` and its return address at `[fp + 8]`.

use crate::abi;
use crate::code::{CodeSource, CodeTableGuard};
use crate::context::VmContext;
use crate::trap::{TRACE_FRAMES_MAX, Trap};

/// Where compiled code was left.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Exit {
    pub(crate) fp: usize,
    pub(crate) pc: usize,
}

/// One frame: its pointer, and where it goes on.
#[derive(Clone, Copy, Debug)]
struct Cursor {
    fp: usize,
    pc: usize,
}

impl Cursor {
    /// The caller's.
    ///
    /// # Safety
    /// `self` is a frame of compiled code that is still on the stack.
    unsafe fn caller(self) -> Cursor {
        let fp = self.fp as *const usize;
        // SAFETY: U2.
        unsafe { Cursor { fp: *fp, pc: *fp.add(1) } }
    }
}

/// Calls `visit` on every reference slot of the activations left at `exits`.
///
/// # Safety
/// The exits are those of live activations of this code (U1).
pub(crate) unsafe fn visit_roots(
    code: &CodeTableGuard<'_>,
    exits: impl Iterator<Item = Exit>,
    visit: &mut dyn FnMut(&mut u64),
) {
    for exit in exits {
        let mut cursor = Cursor { fp: exit.fp, pc: exit.pc };
        while cursor.pc != abi::enter_return() {
            let function = code.find(cursor.pc).expect("only compiled code lies between exit and entry");
            for &slot in function.reference_slots(cursor.pc) {
                // SAFETY: the stack map says that a reference was stored there before the call that is under way.
                unsafe { visit(&mut *((cursor.fp as isize + slot as isize) as *mut u64)) };
            }
            // SAFETY: U1, U2.
            cursor = unsafe { cursor.caller() };
        }
    }
}

/// Finds the handler for a trap raised at the context's exit and sets the context's resume point to it; a trap that is not
/// catchable passes all of them.
///
/// # Safety
/// `context` is that of a VM whose innermost activation was left at the recorded exit (U1).
pub(crate) unsafe fn find_handler(code: &CodeTableGuard<'_>, context: *mut VmContext, catchable: bool) {
    // SAFETY: the caller's context is live and nobody else uses it now.
    let context = unsafe { &mut *context };
    let mut cursor = Cursor { fp: context.exit_fp as usize, pc: context.exit_pc as usize };
    loop {
        if cursor.pc == abi::enter_return() {
            context.resume_fp = cursor.fp as u64;
            context.resume_sp = cursor.fp as u64 - 48;
            context.resume_pc = abi::enter_catch() as u64;
            return;
        }
        let function = code.find(cursor.pc).expect("only compiled code lies between exit and entry");
        if let Some(handler) = function.handler(cursor.pc).filter(|_| catchable) {
            context.resume_fp = cursor.fp as u64;
            context.resume_sp = (cursor.fp - handler.frame as usize) as u64;
            context.resume_pc = (function.start + handler.target as usize) as u64;
            return;
        }
        // SAFETY: U1, U2.
        cursor = unsafe { cursor.caller() };
    }
}

/// Calls `visit` with function and place of every frame of the script, innermost first, and the pointer of the frame of machine
/// code that it is part of: several are where bodies were inlined.
///
/// # Safety
/// As for [`visit_roots`].
pub(crate) unsafe fn visit_places(
    code: &CodeTableGuard<'_>,
    exits: impl Iterator<Item = Exit>,
    visit: &mut dyn FnMut(usize, (u32, u32)),
) {
    for exit in exits {
        let mut cursor = Cursor { fp: exit.fp, pc: exit.pc };
        while cursor.pc != abi::enter_return() {
            let function = code.find(cursor.pc).expect("only compiled code lies between exit and entry");
            let mut place = Some(function.place(cursor.pc));
            while let Some(inner) = place {
                visit(cursor.fp, (function.function, inner));
                place = function.outer(inner);
            }
            // SAFETY: U1, U2.
            cursor = unsafe { cursor.caller() };
        }
    }
}

/// Places of the frames on the stack when a trap was raised, innermost first; described only when somebody asks.
#[derive(Debug, Default)]
pub(crate) struct Backtrace {
    /// The first half, in order.
    newest: Vec<(u32, u32)>,
    /// The last half, a ring.
    oldest: Vec<(u32, u32)>,
    count: usize,
}

const HALF: usize = TRACE_FRAMES_MAX / 2;

impl Backtrace {
    /// Of the activations left at `exits`.
    ///
    /// # Safety
    /// As for [`visit_roots`].
    pub(crate) unsafe fn capture(code: &CodeTableGuard<'_>, exits: impl Iterator<Item = Exit>) -> Backtrace {
        let mut trace = Backtrace::default();
        // SAFETY: the caller's obligation.
        unsafe { visit_places(code, exits, &mut |_, place| trace.push(place)) };
        trace
    }

    /// Function and place of the innermost frame.
    ///
    /// # Safety
    /// As for [`visit_roots`].
    pub(crate) unsafe fn innermost(
        code: &CodeTableGuard<'_>,
        mut exits: impl Iterator<Item = Exit>,
    ) -> Option<(u32, u32)> {
        let exit = exits.next()?;
        let function = code.find(exit.pc)?;
        Some((function.function, function.place(exit.pc)))
    }

    fn push(&mut self, place: (u32, u32)) {
        if self.newest.len() < HALF {
            self.newest.push(place);
        } else if self.oldest.len() < HALF {
            self.oldest.push(place);
        } else {
            self.oldest[(self.count - HALF) % HALF] = place;
        }
        self.count += 1;
    }

    /// Writes the frames into a trap.
    pub(crate) fn describe(&self, code: &dyn CodeSource, trap: &mut Trap) {
        let rotate = if self.count > TRACE_FRAMES_MAX { (self.count - HALF) % HALF } else { 0 };
        let (wrapped, first) = self.oldest.split_at(rotate);
        let places = self.newest.iter().chain(first).chain(wrapped);
        trap.trace = places.map(|&(function, place)| code.frame(function, place)).collect();
        trap.frames_omitted = self.count - trap.trace.len();
    }
}
