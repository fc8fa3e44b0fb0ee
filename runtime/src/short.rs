//! Short strings and arrays, made in the mutator's window by leaf functions: no stub, no collection, no trap. What does not
//! fit, or must trap, they leave to the functions of [`crate::slow`].
//!
//! It must never know how the heap finds more room.
//!
//! Invariants
//! - K1. A function here moves the window's top by exactly the words of the object that it then writes whole, so the heap
//!   is as consistent as after compiled code has allocated inline.
//! - K2. Whole words are written: those behind the last byte are zero (L4 of the tables), and a string read by words soon
//!   after is not put together from narrower stores.

use crate::context::VmContext;
use crate::layout::{SHAPE_BITS, SHAPE_BYTES};
use crate::slow::string_bytes;
use crate::vm::Inner;
use tenure_gc::ShapeId;

/// What is left to others, as the reference that no object has.
const NONE: u64 = 0;

/// Payloads of up to this many bytes are made here.
const BYTES_MAX: u64 = 256;

/// Takes room for an array from the window and writes its header; its reference and the address of its words.
///
/// # Safety
/// `context` comes from compiled code; the caller writes all words of the payload, which `bytes` are put in (K1).
unsafe fn take(context: *mut VmContext, shape: ShapeId, len: u64, bytes: u64) -> Option<(u64, *mut u64)> {
    // SAFETY: the window lies at the start of the context (C1), and what is between its ends is the mutator's.
    unsafe {
        let window = &raw mut (*context).mutator;
        let (top, words) = ((*window).top, 1 + bytes.div_ceil(8));
        if (*window).limit - top < words {
            return None;
        }
        (*window).top = top + words;
        let object = context.cast::<u64>().add(top as usize);
        object.write(u64::from(shape.index()) | len << 32);
        Some((top, object.add(1)))
    }
}

/// `(context, string, from, to)`: the slice, or 0.
pub(crate) extern "sysv64" fn str_slice_short(context: *mut VmContext, string: u64, from: u64, to: u64) -> u64 {
    // SAFETY: called by compiled code with a string.
    let text = unsafe { string_bytes(context, string) };
    let len = to.wrapping_sub(from);
    if from > to || to > text.len() as u64 || len > BYTES_MAX {
        return NONE;
    }
    // as `str::is_char_boundary`, of which the ends are ones
    let is_boundary = |at: u64| text.get(at as usize).is_none_or(|&byte| byte as i8 >= -0x40);
    if !is_boundary(from) || !is_boundary(to) {
        return NONE;
    }
    // SAFETY: the words are written below.
    let Some((made, words)) = (unsafe { take(context, SHAPE_BYTES, len, len) }) else { return NONE };
    let (whole, rest) = (len as usize / 8, len as usize % 8);
    // SAFETY: the slice lies in the string, and so do the eight bytes before `to`, or else its first word does; the new
    // string has `whole` words, and one more if there is a rest.
    unsafe {
        let source = text.as_ptr().add(from as usize).cast::<u64>();
        for i in 0..whole {
            words.add(i).write(source.add(i).read_unaligned());
        }
        if rest > 0 {
            let last = if to >= 8 {
                text.as_ptr().add(to as usize - 8).cast::<u64>().read_unaligned() >> (8 * (8 - rest))
            } else {
                text.as_ptr().cast::<u64>().read() << (8 * (8 - to)) >> (8 * (8 - rest))
            };
            words.add(whole).write(last);
        }
    }
    made
}

/// `(context, address of the strings, count)`: all of them in one, or 0.
pub(crate) extern "sysv64" fn str_concat_short(context: *mut VmContext, strings: *const u64, count: u64) -> u64 {
    // SAFETY: called by compiled code with the address of so many strings.
    let parts = unsafe { std::slice::from_raw_parts(strings, count as usize) };
    // SAFETY: as above.
    let part = |string: u64| unsafe { string_bytes(context, string) };
    let len = parts.iter().map(|&string| part(string).len() as u64).sum::<u64>();
    if len > BYTES_MAX {
        return NONE;
    }
    // SAFETY: the words are written below.
    let Some((made, words)) = (unsafe { take(context, SHAPE_BYTES, len, len) }) else { return NONE };
    if len > 0 {
        // SAFETY: the parts together have `len` bytes; the last word is there, and zero behind them.
        unsafe {
            words.add((len - 1) as usize / 8).write(0);
            let mut at = words.cast::<u8>();
            for &string in parts {
                let part = part(string);
                at.copy_from_nonoverlapping(part.as_ptr(), part.len());
                at = at.add(part.len());
            }
        }
    }
    made
}

/// `(context, address of: array, from, count, room)`: a new array that begins with a part of the other, or 0.
pub(crate) extern "sysv64" fn array_part_short(context: *mut VmContext, arguments: *const [u64; 4]) -> u64 {
    // SAFETY: called by compiled code with the address of an array and three ints.
    let [array, from, count, room] = unsafe { arguments.read() };
    // SAFETY: as above; the object's header holds shape and length, its elements follow.
    let (header, elements) = unsafe {
        let object = context.cast::<u64>().add(array as usize);
        (object.read(), object.add(1).cast::<u8>())
    };
    let shape = ShapeId::from_index(header as u32 & ((1 << SHAPE_BITS) - 1));
    let size = Inner::element_bytes(shape);
    let fits = from.checked_add(count).is_some_and(|end| end <= header >> 32) && count <= room;
    if !fits || room > BYTES_MAX / size as u64 {
        return NONE;
    }
    let bytes = room * size as u64;
    // SAFETY: the words are written below.
    let Some((made, words)) = (unsafe { take(context, shape, room, bytes) }) else { return NONE };
    // SAFETY: the part lies in the array and fits the new one, all of whose words are written; it is young, so no barrier.
    unsafe {
        words.write_bytes(0, bytes.div_ceil(8) as usize);
        let part = elements.add(from as usize * size);
        words.cast::<u8>().copy_from_nonoverlapping(part, count as usize * size);
    }
    made
}
