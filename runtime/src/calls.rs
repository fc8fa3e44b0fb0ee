//! Calls of native functions from compiled code.

use crate::interrupt::InterruptHandle;
use crate::layout::{SHAPE_BYTES, SHAPE_WORDS};
use crate::native::{ArrayHandle, HeapNumber, NativeContext, NativeId, NativeType, NativeValue, StrHandle};
use crate::roots::RootSet;
use crate::trap::{Trap, TrapKind};
use crate::vm::{Inner, Io, new_str};
use std::any::Any;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use tenure_gc::{Collect, Heap, Ref, ResourceId};

/// What a native sees. The arguments lie in the calling frame's argument area, whose references the collector finds through
/// that frame's stack map, so each read gives the current one (N1).
struct CallContext<'a> {
    heap: &'a mut Heap,
    roots: &'a mut RootSet,
    io: &'a mut Io,
    interrupts: &'a InterruptHandle,
    arguments: *const u64,
    params: &'a [NativeType],
}

impl CallContext<'_> {
    fn word(&self, i: usize, ty: NativeType) -> u64 {
        assert_eq!(self.params.get(i), Some(&ty), "argument {i} is of another type");
        // SAFETY: compiled code stored one word for each parameter.
        unsafe { self.arguments.add(i).read() }
    }
}

impl NativeContext for CallContext<'_> {
    fn int(&self, i: usize) -> i64 {
        self.word(i, NativeType::Int) as i64
    }

    fn float(&self, i: usize) -> f64 {
        f64::from_bits(self.word(i, NativeType::Float))
    }

    fn bool(&self, i: usize) -> bool {
        self.word(i, NativeType::Bool) as u8 != 0
    }

    fn byte(&self, i: usize) -> u8 {
        self.word(i, NativeType::Byte) as u8
    }

    fn str(&self, i: usize) -> &str {
        let bytes = self.heap.bytes(Ref::from_index(self.word(i, NativeType::Str) as u32));
        // SAFETY: strings on the heap are UTF-8: every function that makes one has checked it.
        unsafe { std::str::from_utf8_unchecked(bytes) }
    }

    fn new_str(&mut self, text: &str) -> Result<StrHandle, Trap> {
        Ok(StrHandle(u64::from(new_str(self.heap, self.roots, text)?.index())))
    }

    fn bytes(&self, i: usize) -> &[u8] {
        self.heap.bytes(Ref::from_index(self.word(i, NativeType::Bytes) as u32))
    }

    fn new_bytes(&mut self, bytes: &[u8]) -> Result<ArrayHandle, Trap> {
        let array = self.heap.allocate_array(SHAPE_BYTES, bytes.len() as u64, self.roots)?;
        self.heap.bytes_mut(array).copy_from_slice(bytes);
        Ok(ArrayHandle(u64::from(array.index())))
    }

    fn ints(&self, i: usize) -> Vec<i64> {
        let array = Ref::from_index(self.word(i, NativeType::Ints) as u32);
        (0..self.heap.array_len(array)).map(|at| self.heap.word_at(array, at) as i64).collect()
    }

    fn new_ints(&mut self, ints: &[i64]) -> Result<ArrayHandle, Trap> {
        let array = self.heap.allocate_array(SHAPE_WORDS, ints.len() as u64, self.roots)?;
        for (at, &value) in (0..).zip(ints) {
            self.heap.set_word(array, at, value as u64);
        }
        Ok(ArrayHandle(u64::from(array.index())))
    }

    fn stdout(&mut self) -> &mut dyn Write {
        &mut *self.io.stdout
    }

    fn stderr(&mut self) -> &mut dyn Write {
        &mut *self.io.stderr
    }

    fn write(&mut self, i: usize, count: usize, end: &[u8]) -> io::Result<()> {
        let ty = if self.params.get(i) == Some(&NativeType::Str) { NativeType::Str } else { NativeType::Bytes };
        let bytes = self.heap.bytes(Ref::from_index(self.word(i, ty) as u32));
        self.io.stdout.write_all(&bytes[..count])?;
        self.io.stdout.write_all(end)
    }

    fn poll(&mut self) -> Result<(), Trap> {
        self.interrupts.take().map_or(Ok(()), |kind| Err(kind.into()))
    }

    fn script_args(&self) -> &[String] {
        &self.io.args
    }

    fn collect(&mut self, full: bool) {
        self.heap.collect(if full { Collect::Full } else { Collect::Young }, self.roots);
    }

    fn add_resource(&mut self, resource: Box<dyn Any + Send>, bytes: u64) -> Result<i64, Trap> {
        Ok(i64::from(self.heap.add_resource(resource, bytes, self.roots)?.0))
    }

    fn resource(&self, number: i64) -> Option<&(dyn Any + Send)> {
        self.heap.resource(resource_id(number)?)
    }

    fn resource_mut(&mut self, number: i64) -> Option<&mut (dyn Any + Send)> {
        self.heap.resource_mut(resource_id(number)?)
    }

    fn take_resource(&mut self, number: i64) -> Option<Box<dyn Any + Send>> {
        self.heap.take_resource(resource_id(number)?)
    }

    fn heap_number(&self, number: HeapNumber) -> i64 {
        let at_pause = self.heap.stats_at_pause();
        let number = match number {
            HeapNumber::Pauses => at_pause.pauses(),
            HeapNumber::PauseNsMax => at_pause.pause_ns_max,
            HeapNumber::PauseNsTotal => at_pause.pause_ns_total,
            HeapNumber::GcCpuNs => at_pause.gc_cpu_ns,
            HeapNumber::AllocatedBytes => self.heap.allocated_bytes(),
            HeapNumber::CommittedBytes => self.heap.committed_bytes(),
            HeapNumber::CommittedBytesMax => self.heap.committed_bytes_max(),
        };
        number as i64
    }

    fn census(&mut self) -> Vec<(String, u64, u64)> {
        let lines = self.heap.census(self.roots);
        lines.into_iter().map(|line| (line.name, line.objects, line.bytes)).collect()
    }

    fn wait(&mut self, wait: &mut dyn FnMut(&dyn Fn() -> bool)) {
        let interrupts = self.interrupts;
        self.heap.while_waiting(self.roots, || wait(&|| interrupts.is_stop_requested()));
    }

    fn idle(&mut self) {
        self.heap.idle(self.roots);
    }

    fn policy_name(&self) -> &'static str {
        self.heap.policy_name()
    }

    fn set_pause_goal_ns(&mut self, goal_ns: u64) {
        self.heap.set_pause_goal_ns(goal_ns);
    }
}

/// A number that a script holds, which it may have made up.
fn resource_id(number: i64) -> Option<ResourceId> {
    u32::try_from(number).ok().map(ResourceId)
}

/// Calls a native with the arguments in the calling frame's area; gives the result's bits.
pub(crate) fn call_native(vm: &mut Inner, native: u32, arguments: *const u64) -> Result<u64, Trap> {
    let Inner { heap, roots, io, code, interrupts, .. } = vm;
    let native = code.natives().get(NativeId(native));
    let mut context = CallContext { heap, roots, io, interrupts, arguments, params: &native.params };
    // The state behind the context stays consistent whatever a native does: it is reached through whole operations only.
    let result = catch_unwind(AssertUnwindSafe(|| (native.function)(&mut context)))
        .unwrap_or_else(|_| Err(Trap::new(TrapKind::Panic, format!("native function `{}` panicked", native.name))));
    interrupts.goes_on();
    let (ty, bits) = match result? {
        NativeValue::Int(value) => (NativeType::Int, value as u64),
        NativeValue::Float(value) => (NativeType::Float, value.to_bits()),
        NativeValue::Bool(value) => (NativeType::Bool, u64::from(value)),
        NativeValue::Byte(value) => (NativeType::Byte, u64::from(value)),
        NativeValue::Str(handle) => (NativeType::Str, handle.0),
        NativeValue::Bytes(handle) => (NativeType::Bytes, handle.0),
        NativeValue::Ints(handle) => (NativeType::Ints, handle.0),
        NativeValue::Unit => (NativeType::Unit, 0),
    };
    if ty != native.result {
        let message = format!("native function `{}` gave {ty:?} instead of {:?}", native.name, native.result);
        return Err(Trap::new(TrapKind::Panic, message));
    }
    Ok(bits)
}
