//! The Rust side of the functions in [`crate::abi`]: what compiled code doesn't do inline.
//!
//! Invariants
//! - F1. A function whose stub keeps an exit record gets references as plain words; it uses none of them after an
//!   allocation unless it held it in a local, or reads it again from the caller's argument area, which is in the caller's
//!   stack map.
//! - F2. No panic leaves these functions: a native's is caught and becomes a trap, any other is a bug and aborts.

use crate::abi::Outcome;
use crate::call_tree::Step;
use crate::context::VmContext;
use crate::layout::{SHAPE_BYTES, SHAPE_REFS};
pub(crate) use crate::short::{array_part_short, str_concat_short, str_slice_short};
use crate::trap::{Trap, TrapKind};
use crate::vm::Inner;
use crate::{calls, hash, text, unwind};
use std::ptr;
use tenure_gc::{Heap, Ref, ResourceId, ShapeId, WeakId};

/// The VM that waits for a function of the runtime.
fn vm<'a>(context: *mut VmContext) -> &'a mut Inner {
    // SAFETY: compiled code passes its VM's context, and while it waits nobody else uses the VM.
    unsafe { &mut *(*context).vm.cast::<Inner>() }
}

/// Runs a function of the runtime for compiled code.
fn serve(context: *mut VmContext, body: impl FnOnce(&mut Inner) -> Result<u64, Trap>) -> Outcome {
    let vm = vm(context);
    let outcome = match body(vm) {
        Ok(value) => Outcome { value, thrown: 0 },
        Err(trap) => {
            vm.raise(trap);
            Outcome { value: 0, thrown: 1 }
        }
    };
    vm.sample_if_asked(None);
    outcome
}

/// For functions that end in a pending trap.
fn throw(context: *mut VmContext, body: impl FnOnce(&mut Inner)) -> Outcome {
    body(vm(context));
    Outcome { value: 0, thrown: 1 }
}

fn reference(word: u64) -> Ref {
    Ref::from_index(word as u32)
}

fn word(reference: Ref) -> u64 {
    u64::from(reference.index())
}

pub(crate) extern "sysv64" fn allocate_record(context: *mut VmContext, shape: u64) -> Outcome {
    serve(context, |vm| {
        let shape = ShapeId::from_index(shape as u32);
        let record = vm.heap.allocate_record(shape, &mut vm.roots)?;
        vm.note_allocation(shape);
        Ok(word(record))
    })
}

pub(crate) extern "sysv64" fn allocate_array(context: *mut VmContext, shape: u64, len: u64) -> Outcome {
    serve(context, |vm| {
        let shape = ShapeId::from_index(shape as u32);
        let array = vm.heap.allocate_array(shape, len, &mut vm.roots)?;
        vm.note_allocation(shape);
        Ok(word(array))
    })
}

/// What is done for the barriers: so short, and often, that no sample is taken there.
fn log(context: *mut VmContext, log: impl FnOnce(&mut Heap)) -> Outcome {
    log(&mut vm(context).heap);
    Outcome { value: 0, thrown: 0 }
}

pub(crate) extern "sysv64" fn barrier(context: *mut VmContext, object: u64) -> Outcome {
    log(context, |heap| heap.barrier(reference(object)))
}

pub(crate) extern "sysv64" fn barrier_element(context: *mut VmContext, array: u64, index: u64) -> Outcome {
    log(context, |heap| heap.barrier_element(reference(array), index))
}

pub(crate) extern "sysv64" fn poll(context: *mut VmContext) -> Outcome {
    serve(context, |vm| vm.poll().map(|()| 0))
}

pub(crate) extern "sysv64" fn throw_kind(context: *mut VmContext, kind: u64) -> Outcome {
    serve(context, |_| Err(TrapKind::ALL[kind as usize].into()))
}

pub(crate) extern "sysv64" fn throw_index(context: *mut VmContext, index: u64, len: u64) -> Outcome {
    serve(context, |_| Err(Trap::index(index as i64, len)))
}

pub(crate) extern "sysv64" fn throw_error(context: *mut VmContext, error: u64) -> Outcome {
    throw(context, |vm| vm.raise_object(reference(error)))
}

pub(crate) extern "sysv64" fn catch_error(context: *mut VmContext) -> Outcome {
    serve(context, |vm| Ok(word(vm.catch_pending())))
}

pub(crate) extern "sysv64" fn suspend_trap(context: *mut VmContext) -> Outcome {
    serve(context, |vm| {
        vm.suspend_pending();
        Ok(0)
    })
}

pub(crate) extern "sysv64" fn resume_trap(context: *mut VmContext) -> Outcome {
    throw(context, Inner::resume_suspended)
}

pub(crate) extern "sysv64" fn reraise_trap(context: *mut VmContext, nested: u64) -> Outcome {
    throw(context, |vm| {
        if nested != 0 {
            vm.link_suspended();
        }
    })
}

/// Sets the resume point for the pending trap.
pub(crate) extern "sysv64" fn unwind(context: *mut VmContext) {
    // SAFETY: as in `serve`; the stub recorded the exit (U1).
    unsafe {
        let code = (*(*context).vm.cast::<Inner>()).code.clone();
        let catchable = (*(*context).vm.cast::<Inner>()).pending_is_catchable();
        unwind::find_handler(&code.table().read(), context, catchable);
    }
}

pub(crate) extern "sysv64" fn compile_function(context: *mut VmContext, function: u32) -> Outcome {
    serve(context, |vm| {
        vm.sample(None);
        let compiled = vm.code.compile(function);
        vm.sample(Some(Step::Compiler));
        let address = compiled?;
        vm.set_code_address(function, address);
        Ok(address as u64)
    })
}

/// Allocates an array while it holds a reference, which is given back as it is then.
fn allocate_holding(vm: &mut Inner, held: Ref, shape: ShapeId, len: u64) -> Result<(Ref, Ref), Trap> {
    let scope = vm.heap.open_scope();
    let local = vm.heap.local(held)?;
    let array = vm.heap.allocate_array(shape, len, &mut vm.roots);
    let held = vm.heap.of_local(local);
    vm.heap.close_scope(scope);
    let array = array?;
    vm.note_allocation(shape);
    Ok((array, held))
}

pub(crate) extern "sysv64" fn array_new(context: *mut VmContext, shape: u64, len: u64, fill: u64) -> Outcome {
    serve(context, |vm| {
        if (len as i64) < 0 {
            return Err(text::negative_length(len as i64));
        }
        let shape = ShapeId::from_index(shape as u32);
        let of_references = shape == SHAPE_REFS;
        let held = if of_references { reference(fill) } else { Ref::NIL };
        let (array, held) = allocate_holding(vm, held, shape, len)?;
        let fill = if of_references { word(held) } else { fill };
        if fill != 0 {
            // The whole array is new: young, or born logged; no barrier.
            vm.fill(array, 0, len, fill);
        }
        Ok(word(array))
    })
}

pub(crate) extern "sysv64" fn array_copy(
    context: *mut VmContext,
    to: u64,
    at: u64,
    from: u64,
    start: u64,
    count: u64,
) -> Outcome {
    serve(context, |vm| {
        let (to, from) = (reference(to), reference(from));
        text::count_range(start as i64, count as i64, vm.heap.array_len(from))?;
        text::count_range(at as i64, count as i64, vm.heap.array_len(to))?;
        let shape = vm.heap.shape_of(to);
        if shape == SHAPE_REFS {
            vm.heap.copy_refs(to, at, from, start, count);
            return Ok(0);
        }
        let size = Inner::element_bytes(shape);
        let (source, target) = (vm.payload(from), vm.payload(to));
        // SAFETY: both ranges were checked to lie in their arrays, whose elements have this size.
        unsafe {
            let source = source.add(start as usize * size);
            ptr::copy(source, target.add(at as usize * size), count as usize * size);
        }
        Ok(0)
    })
}

pub(crate) extern "sysv64" fn array_part(context: *mut VmContext, arguments: *const u64) -> Outcome {
    serve(context, |vm| {
        // SAFETY: the area holds array, from, count, room; the array is read at each use (F1).
        let array = || reference(unsafe { argument(arguments, 0) });
        // SAFETY: as above.
        let (from, count, room) = unsafe { (argument(arguments, 1), argument(arguments, 2), argument(arguments, 3)) };
        let from = text::part(from as i64, count as i64, room as i64, vm.heap.array_len(array()))?;
        let shape = vm.heap.shape_of(array());
        let part = vm.heap.allocate_array(shape, room, &mut vm.roots)?;
        vm.note_allocation(shape);
        let size = Inner::element_bytes(shape);
        // SAFETY: both ranges were checked to lie in their arrays, whose elements have this size. The whole part is new:
        // young, or born logged; no barrier.
        unsafe {
            let source = vm.payload(array()).add(from.start * size);
            ptr::copy_nonoverlapping(source, vm.payload(part), from.len() * size);
        }
        Ok(word(part))
    })
}

pub(crate) extern "sysv64" fn array_grow(context: *mut VmContext, array: u64, count: u64, least: u64) -> Outcome {
    serve(context, |vm| {
        let array = reference(array);
        let room = text::grown_room(count as i64, least as i64);
        let first = text::part(0, count as i64, room, vm.heap.array_len(array))?;
        let shape = vm.heap.shape_of(array);
        let (grown, array) = allocate_holding(vm, array, shape, room as u64)?;
        // SAFETY: both ranges were checked to lie in their arrays, whose elements have this size. The whole array is new:
        // young, or born logged; no barrier.
        unsafe {
            let bytes = first.len() * Inner::element_bytes(shape);
            ptr::copy_nonoverlapping(vm.payload(array), vm.payload(grown), bytes);
        }
        Ok(word(grown))
    })
}

pub(crate) extern "sysv64" fn array_fill(
    context: *mut VmContext,
    array: u64,
    from: u64,
    to: u64,
    value: u64,
) -> Outcome {
    serve(context, |vm| {
        let array = reference(array);
        let count = (to as i64).checked_sub(from as i64).unwrap_or(-1);
        text::count_range(from as i64, count, vm.heap.array_len(array))?;
        if vm.heap.shape_of(array) == SHAPE_REFS {
            vm.heap.fill_refs(array, from..to, reference(value));
        } else {
            vm.fill(array, from, to, value);
        }
        Ok(0)
    })
}

/// Word `i` of the argument area of the calling frame.
///
/// # Safety
/// `arguments` is what compiled code passed, and has more than `i` words.
unsafe fn argument(arguments: *const u64, i: usize) -> u64 {
    // SAFETY: the caller's obligation.
    unsafe { arguments.add(i).read() }
}

/// A new string whose bytes `write` fills in; it must write UTF-8, and all of it.
fn new_string(
    vm: &mut Inner,
    len: usize,
    write: impl FnOnce(&mut Inner, Ref) -> Result<(), Trap>,
) -> Result<u64, Trap> {
    let string = vm.heap.allocate_array(SHAPE_BYTES, len as u64, &mut vm.roots)?;
    vm.note_allocation(SHAPE_BYTES);
    write(vm, string)?;
    Ok(word(string))
}

/// Copies `len` bytes between byte arrays; the caller has checked that they are there.
fn copy_bytes(vm: &Inner, from: Ref, start: usize, to: Ref, at: usize, len: usize) {
    debug_assert!(start + len <= vm.heap.array_len(from) as usize && at + len <= vm.heap.array_len(to) as usize);
    // SAFETY: the ranges lie in the arrays, as the caller checked; nothing refers to their bytes.
    unsafe { ptr::copy(vm.payload(from).add(start), vm.payload(to).add(at), len) };
}

pub(crate) extern "sysv64" fn str_slice(context: *mut VmContext, arguments: *const u64) -> Outcome {
    serve(context, |vm| {
        // SAFETY: the area holds string, from, to.
        let (string, from, to) = unsafe { (argument(arguments, 0), argument(arguments, 1), argument(arguments, 2)) };
        let (from, to) = text::slice(vm.str(reference(string)), from as i64, to as i64)?;
        new_string(vm, to - from, |vm, result| {
            // SAFETY: as above; read again, the allocation may have moved the string (F1).
            let string = reference(unsafe { argument(arguments, 0) });
            copy_bytes(vm, string, from, result, 0, to - from);
            Ok(())
        })
    })
}

pub(crate) extern "sysv64" fn str_concat(context: *mut VmContext, arguments: *const u64, count: u64) -> Outcome {
    serve(context, |vm| {
        // SAFETY: the area holds `count` strings.
        let string = |i: usize| reference(unsafe { argument(arguments, i) });
        let count = count as usize;
        let len = (0..count).map(|i| vm.heap.array_len(string(i))).sum::<u64>();
        new_string(vm, len as usize, |vm, result| {
            let mut at = 0;
            for i in 0..count {
                let len = vm.heap.array_len(string(i)) as usize;
                copy_bytes(vm, string(i), 0, result, at, len);
                at += len;
            }
            Ok(())
        })
    })
}

pub(crate) extern "sysv64" fn str_from_bytes(context: *mut VmContext, arguments: *const u64) -> Outcome {
    serve(context, |vm| {
        // SAFETY: the area holds bytes, from, to.
        let (bytes, from, to) = unsafe { (argument(arguments, 0), argument(arguments, 1), argument(arguments, 2)) };
        let text = text::from_bytes(vm.heap.bytes(reference(bytes)), from as i64, to as i64)?;
        let len = text.len();
        new_string(vm, len, |vm, result| {
            // SAFETY: as above; read again (F1).
            let bytes = reference(unsafe { argument(arguments, 0) });
            copy_bytes(vm, bytes, from as usize, result, 0, len);
            Ok(())
        })
    })
}

pub(crate) extern "sysv64" fn str_join(context: *mut VmContext, arguments: *const u64) -> Outcome {
    serve(context, |vm| {
        // SAFETY: the area holds array, count, separator; read at each use (F1).
        let (array, separator) =
            (|| reference(unsafe { argument(arguments, 0) }), || reference(unsafe { argument(arguments, 2) }));
        // SAFETY: as above.
        let count = unsafe { argument(arguments, 1) };
        text::count_range(0, count as i64, vm.heap.array_len(array()))?;
        let between = count.saturating_sub(1) * vm.heap.array_len(separator());
        let len = (0..count).map(|i| vm.heap.array_len(vm.heap.ref_at(array(), i))).sum::<u64>() + between;
        new_string(vm, len as usize, |vm, result| {
            let mut at = 0;
            let mut append = |vm: &Inner, string: Ref| {
                let len = vm.heap.array_len(string) as usize;
                copy_bytes(vm, string, 0, result, at, len);
                at += len;
            };
            for i in 0..count {
                if i > 0 {
                    append(vm, separator());
                }
                append(vm, vm.heap.ref_at(array(), i));
            }
            Ok(())
        })
    })
}

pub(crate) extern "sysv64" fn call_native(context: *mut VmContext, native: u64, arguments: *const u64) -> Outcome {
    serve(context, |vm| {
        // what came before is the caller's
        vm.sample_if_asked(None);
        vm.count_poll();
        let result = calls::call_native(vm, native as u32, arguments);
        vm.sample_if_asked(Some(Step::Native(native as u32)));
        // all that natives allocate is strings
        vm.note_allocation(SHAPE_BYTES);
        result
    })
}

pub(crate) extern "sysv64" fn weak_new(context: *mut VmContext, holder: u64, target: u64) -> Outcome {
    serve(context, |vm| Ok(u64::from(vm.heap.new_weak(reference(holder), reference(target))?.0)))
}

pub(crate) extern "sysv64" fn weak_get(context: *mut VmContext, holder: u64, number: u64) -> Outcome {
    serve(context, |vm| Ok(word(vm.heap.weak_target(reference(holder), WeakId(number as u32)))))
}

pub(crate) extern "sysv64" fn weak_set_pair(context: *mut VmContext, holder: u64, key: u64, value: u64) -> Outcome {
    serve(context, |vm| {
        vm.heap.set_weak_pair(reference(holder), reference(key), reference(value))?;
        Ok(0)
    })
}

pub(crate) extern "sysv64" fn weak_pair(context: *mut VmContext, holder: u64, key: u64) -> Outcome {
    serve(context, |vm| Ok(word(vm.heap.weak_pair(reference(holder), reference(key)))))
}

pub(crate) extern "sysv64" fn weak_remove_pair(context: *mut VmContext, holder: u64, key: u64) -> Outcome {
    serve(context, |vm| Ok(u64::from(vm.heap.remove_weak_pair(reference(holder), reference(key)))))
}

pub(crate) extern "sysv64" fn resource_own(context: *mut VmContext, holder: u64, number: u64) -> Outcome {
    serve(context, |vm| Ok(u64::from(vm.heap.own_resource(reference(holder), ResourceId(number as u32))?)))
}

pub(crate) extern "sysv64" fn int_pow(context: *mut VmContext, base: u64, exponent: u64) -> Outcome {
    serve(context, |_| text::int_pow(base as i64, exponent as i64).map(|power| power as u64))
}

/// The bytes of a string.
///
/// # Safety
/// `context` and `string` come from compiled code, and nothing is allocated while the result is used.
pub(crate) unsafe fn string_bytes<'a>(context: *const VmContext, string: u64) -> &'a [u8] {
    // SAFETY: the object's header with its length, then its bytes, as compiled code knows them.
    unsafe {
        let object = context.cast::<u8>().add(string as usize * 8);
        let len = object.add(4).cast::<u32>().read();
        std::slice::from_raw_parts(object.add(8), len as usize)
    }
}

pub(crate) extern "sysv64" fn str_eq(context: *const VmContext, a: u64, b: u64) -> u64 {
    // SAFETY: called by compiled code with two strings.
    u64::from(a == b || unsafe { string_bytes(context, a) == string_bytes(context, b) })
}

pub(crate) extern "sysv64" fn str_compare(context: *const VmContext, a: u64, b: u64) -> i64 {
    // SAFETY: called by compiled code with two strings.
    unsafe { string_bytes(context, a).cmp(string_bytes(context, b)) as i64 }
}

pub(crate) extern "sysv64" fn str_hash(context: *const VmContext, string: u64) -> i64 {
    // SAFETY: called by compiled code with a string, whose words follow its header; its last one ends in zeros (L4).
    unsafe {
        let len = string_bytes(context, string).len();
        let words = context.cast::<u64>().add(string as usize + 1);
        hash::words(std::slice::from_raw_parts(words, len.div_ceil(8)), len)
    }
}

pub(crate) extern "sysv64" fn float_pow(base: f64, exponent: f64) -> f64 {
    base.powf(exponent)
}

pub(crate) extern "sysv64" fn float_rem(dividend: f64, divisor: f64) -> f64 {
    dividend % divisor
}

pub(crate) extern "sysv64" fn float_round(value: f64) -> f64 {
    value.round()
}
