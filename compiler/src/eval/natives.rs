//! Calls of native functions from the evaluator.

use super::heap::{Heap, Object};
use super::weak::Weak;
use super::{Evaluator, Options};
use std::any::Any;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use tenure_runtime::native::{ArrayHandle, NativeContext, NativeId, NativeType, NativeValue, StrHandle};
use tenure_runtime::trap::{Trap, TrapKind};

/// What a native sees.
struct CallContext<'c, 'a> {
    heap: &'c mut Heap,
    weak: &'c mut Weak,
    options: &'c mut Options<'a>,
    args: &'c [u64],
    params: &'c [NativeType],
}

impl CallContext<'_, '_> {
    fn word(&self, i: usize, ty: NativeType) -> u64 {
        assert_eq!(self.params.get(i), Some(&ty), "argument {i} is of another type");
        self.args[i]
    }
}

impl NativeContext for CallContext<'_, '_> {
    fn int(&self, i: usize) -> i64 {
        self.word(i, NativeType::Int) as i64
    }

    fn float(&self, i: usize) -> f64 {
        f64::from_bits(self.word(i, NativeType::Float))
    }

    fn bool(&self, i: usize) -> bool {
        self.word(i, NativeType::Bool) != 0
    }

    fn byte(&self, i: usize) -> u8 {
        self.word(i, NativeType::Byte) as u8
    }

    fn str(&self, i: usize) -> &str {
        self.heap.str(self.word(i, NativeType::Str))
    }

    fn new_str(&mut self, text: &str) -> Result<StrHandle, Trap> {
        self.heap.allocate(Object::Text(text.into())).map(StrHandle)
    }

    fn bytes(&self, i: usize) -> &[u8] {
        match self.heap.object(self.word(i, NativeType::Bytes)) {
            Object::Bytes(bytes) => bytes,
            _ => panic!("bug: not an array of bytes"),
        }
    }

    fn new_bytes(&mut self, bytes: &[u8]) -> Result<ArrayHandle, Trap> {
        self.heap.allocate(Object::Bytes(bytes.into())).map(ArrayHandle)
    }

    fn ints(&self, i: usize) -> Vec<i64> {
        match self.heap.object(self.word(i, NativeType::Ints)) {
            Object::Words(words) => words.iter().map(|&word| word as i64).collect(),
            _ => panic!("bug: not an array of ints"),
        }
    }

    fn new_ints(&mut self, ints: &[i64]) -> Result<ArrayHandle, Trap> {
        self.heap.allocate(Object::Words(ints.iter().map(|&int| int as u64).collect())).map(ArrayHandle)
    }

    fn poll(&mut self) -> Result<(), Trap> {
        self.options.interrupts.take().map_or(Ok(()), |kind| Err(kind.into()))
    }

    fn stdout(&mut self) -> &mut dyn Write {
        &mut *self.options.stdout
    }

    fn stderr(&mut self) -> &mut dyn Write {
        &mut *self.options.stderr
    }

    fn write(&mut self, i: usize, count: usize, end: &[u8]) -> io::Result<()> {
        self.options.stdout.write_all(&self.heap.bytes(self.args[i])[..count])?;
        self.options.stdout.write_all(end)
    }

    fn script_args(&self) -> &[String] {
        &self.options.args
    }

    fn collect(&mut self, _full: bool) {}

    fn add_resource(&mut self, resource: Box<dyn Any + Send>, _bytes: u64) -> Result<i64, Trap> {
        Ok(self.weak.add_resource(resource))
    }

    fn resource(&self, number: i64) -> Option<&(dyn Any + Send)> {
        self.weak.resource(number)
    }

    fn resource_mut(&mut self, number: i64) -> Option<&mut (dyn Any + Send)> {
        self.weak.resource_mut(number)
    }

    fn take_resource(&mut self, number: i64) -> Option<Box<dyn Any + Send>> {
        self.weak.take_resource(number)
    }
}

impl Evaluator<'_> {
    /// Calls a native; gives the result's word.
    pub(super) fn call_native(&mut self, id: NativeId, args: &[u64]) -> Result<u64, Trap> {
        let native = self.registry.get(id);
        let mut context = CallContext {
            heap: &mut self.heap,
            weak: &mut self.weak,
            options: &mut self.options,
            args,
            params: &native.params,
        };
        // the state behind the context stays consistent whatever a native does: it is reached through whole operations
        let result = catch_unwind(AssertUnwindSafe(|| (native.function)(&mut context))).unwrap_or_else(|_| {
            Err(Trap::new(TrapKind::Panic, format!("native function `{}` panicked", native.name)))
        })?;
        let (ty, word) = match result {
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
        Ok(word)
    }
}
