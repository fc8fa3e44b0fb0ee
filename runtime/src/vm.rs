//! A VM: one heap, one set of globals, and what runs on them.
//!
//! Invariants
//! - V1. `Inner` stays at one address while the VM lives; the context at the heap's base points at it. All access goes
//!   through that address: while compiled code runs, the runtime functions it calls are the only users.
//! - V2. A VM is used by one thread at a time (`&mut Vm`); it may move between threads when nothing runs.
//! - V3. Where a call from the host has ended, the heap is lent until the VM is used again. Whoever reaches `Inner` through the
//!   handle ends the loan first.

use crate::abi::{self, FLOAT_REGISTERS, INT_REGISTERS};
use crate::code::{Class, CodeSource};
use crate::context::VmContext;
use crate::interrupt::{InterruptHandle, LIMIT_REQUEST};
use crate::layout::{Layout, Permanent, SHAPE_BYTES, SHAPE_FUNCTION, SHAPE_REFS, SHAPE_WORDS, call_slot};
use crate::native::NativeType;
use crate::profile::{Profile, Sampling};
use crate::profiler::Profiler;
use crate::roots::RootSet;
pub use crate::sites::AllocationSite;
use crate::sites::Sites;
use crate::stack;
use crate::trap::{CAUSES_MAX, Trap, TrapKind};
use crate::unwind::{Backtrace, Exit};
use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;
use std::io::Write;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tenure_gc::policy::{Adaptive, Policy};
use tenure_gc::{CensusLine, Handle, Heap, HeapConfig, HeapError, Loan, Local, OutOfMemory, Ref, ShapeId};

/// How a VM is made.
pub struct VmConfig {
    /// The heap. The VM sets `prefix_bytes`.
    pub heap: HeapConfig,
    /// Who sets the collector's knobs.
    pub policy: Box<dyn Policy>,
    /// The script's standard output.
    pub stdout: Box<dyn Write + Send>,
    /// The script's standard error.
    pub stderr: Box<dyn Write + Send>,
    /// The script's arguments.
    pub args: Vec<String>,
    /// Stack that scripts may use, in bytes; less when the thread has less.
    pub stack_bytes: usize,
    /// Whether, and how, what it runs is sampled.
    pub profile: Option<Sampling>,
}

/// Stack that scripts use at most unless told otherwise.
pub const STACK_BYTES: usize = 64 << 20;

impl VmConfig {
    /// A heap of at most this many bytes under the adaptive policy.
    pub fn with_limit(limit_bytes: u64) -> VmConfig {
        VmConfig::new(HeapConfig::new(limit_bytes), Box::new(Adaptive::new()))
    }

    /// With the process's output and no arguments.
    pub fn new(heap: HeapConfig, policy: Box<dyn Policy>) -> VmConfig {
        VmConfig {
            heap,
            policy,
            stdout: Box::new(std::io::stdout()),
            stderr: Box::new(std::io::stderr()),
            args: Vec::new(),
            stack_bytes: STACK_BYTES,
            profile: None,
        }
    }
}

/// What a script is connected to.
pub(crate) struct Io {
    pub(crate) stdout: Box<dyn Write + Send>,
    pub(crate) stderr: Box<dyn Write + Send>,
    pub(crate) args: Vec<String>,
}

/// The VM behind its handle (V1).
pub(crate) struct Inner {
    pub(crate) heap: Heap,
    pub(crate) roots: RootSet,
    pub(crate) io: Io,
    pub(crate) code: Arc<dyn CodeSource>,
    pub(crate) interrupts: InterruptHandle,
    stack_bytes: usize,
    /// The limit that the context's stands for when nothing is asked for.
    stack_limit: u64,
    pending: Option<(Trap, Backtrace)>,
    /// Traps set aside while cleanups run, innermost last; their error objects are in the roots.
    suspended: Vec<(Trap, Backtrace)>,
    /// Where sampled allocations came from.
    sites: Sites,
    pub(crate) profiler: Option<Box<Profiler>>,
    /// A permanent `Error` for when there is no room for a new one.
    out_of_memory: Ref,
    /// The shape of `Error`.
    error_shape: Option<ShapeId>,
    /// Functions whose calls go to one that has not been compiled yet, by that one.
    replaced: HashMap<u32, Vec<u32>>,
    /// Parts of the program that are in the tables.
    installed: usize,
}

/// A running instance of a program.
pub struct Vm {
    inner: NonNull<Inner>,
    /// Between a call's end and the next use, the heap is looked after (V3).
    loan: Cell<Option<Loan>>,
}

// SAFETY: V2; what `Inner` points to is its own, and its parts are `Send`.
unsafe impl Send for Vm {}

/// A value on its way into a script.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs, reason = "named as in the language")]
pub enum Argument<'a> {
    Int(i64),
    Float(f64),
    Bool(bool),
    Byte(u8),
    Str(&'a str),
    Unit,
    /// An object that the heap holds for the host.
    Held(Handle),
}

/// A value that came out of a script.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "named as in the language")]
pub enum Value {
    Int(i64),
    Float(f64),
    Bool(bool),
    Byte(u8),
    Str(String),
    Unit,
    /// An object that the heap holds for the host from now on.
    Held(Handle),
}

/// Why a VM can't be made.
#[derive(Debug)]
pub struct VmError(VmErrorKind);

#[derive(Debug)]
enum VmErrorKind {
    Heap(HeapError),
    Constants(OutOfMemory),
}

impl VmError {
    /// Whether the program's constants alone don't fit below the heap's limit.
    pub fn is_out_of_memory(&self) -> bool {
        matches!(self.0, VmErrorKind::Constants(_))
    }

    /// What is wrong with the heap's configuration, if that is it.
    pub fn heap(&self) -> Option<&HeapError> {
        match &self.0 {
            VmErrorKind::Heap(error) => Some(error),
            VmErrorKind::Constants(_) => None,
        }
    }
}

impl fmt::Display for VmError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            VmErrorKind::Heap(error) => error.fmt(f),
            VmErrorKind::Constants(error) => write!(f, "no room for the program's constants: {error}"),
        }
    }
}

impl std::error::Error for VmError {}

impl From<HeapError> for VmError {
    fn from(error: HeapError) -> VmError {
        VmError(VmErrorKind::Heap(error))
    }
}

impl From<OutOfMemory> for VmError {
    fn from(error: OutOfMemory) -> VmError {
        VmError(VmErrorKind::Constants(error))
    }
}

impl From<OutOfMemory> for Trap {
    fn from(error: OutOfMemory) -> Trap {
        Trap::new(TrapKind::OutOfMemory, error.to_string())
    }
}

/// A new string on a heap; may collect.
pub(crate) fn new_str(heap: &mut Heap, roots: &mut RootSet, text: &str) -> Result<Ref, Trap> {
    let string = heap.allocate_array(SHAPE_BYTES, text.len() as u64, roots)?;
    heap.bytes_mut(string).copy_from_slice(text.as_bytes());
    Ok(string)
}

impl Vm {
    /// Makes a VM for a program.
    pub fn new(code: Arc<dyn CodeSource>, config: VmConfig) -> Result<Vm, VmError> {
        let mut heap_config = config.heap;
        heap_config.prefix_bytes = code.room().prefix_bytes();
        let heap = Heap::new(heap_config, Arc::clone(code.shapes()), config.policy)?;
        let context = heap.base().as_ptr().cast::<VmContext>();
        let inner = Box::new(Inner {
            roots: RootSet {
                context,
                code: Arc::clone(&code),
                globals: Vec::new(),
                outer: Vec::new(),
                active: false,
                thrown: 0,
                suspended: Vec::new(),
            },
            heap,
            io: Io { stdout: config.stdout, stderr: config.stderr, args: config.args },
            code: Arc::clone(&code),
            interrupts: InterruptHandle::default(),
            stack_bytes: config.stack_bytes,
            stack_limit: 0,
            pending: None,
            suspended: Vec::new(),
            sites: Sites::default(),
            profiler: None,
            out_of_memory: Ref::NIL,
            error_shape: None,
            replaced: HashMap::new(),
            installed: 0,
        });
        let inner = NonNull::from(Box::leak(inner));
        let mut vm = Vm { inner, loan: Cell::default() };
        // SAFETY: the context is the heap's granule 0, ours to use.
        unsafe { (*context).vm = inner.as_ptr().cast() };
        // SAFETY: as above; the context stays in place until the heap goes, and `drop` detaches before that (T2).
        vm.inner().interrupts.attach(unsafe { NonNull::from(&(*context).stack_limit) });
        let alarm = vm.inner().interrupts.alarm();
        vm.inner().heap.set_alarm(alarm);
        if let Some(sampling) = config.profile {
            vm.inner().start_profile(sampling);
        }
        vm.inner().install()?;
        Ok(vm)
    }

    fn inner(&mut self) -> &mut Inner {
        self.loan.take();
        // SAFETY: V1, and `&mut self` (V2).
        unsafe { self.inner.as_mut() }
    }

    /// Nothing runs: lets the heap be looked after until it is used again (V3).
    fn lend(&self) {
        let inner = self.inner.as_ptr();
        // SAFETY: V1, V2: nothing runs, and nobody holds a reference into `Inner`, which stays in place until the loan has ended.
        self.loan.set(unsafe { (*inner).heap.lend(&raw mut (*inner).roots) });
    }

    fn inner_ref(&self) -> &Inner {
        self.loan.take();
        // SAFETY: V1: nothing runs while a `&Vm` can be held; V3: nobody else touches it any more.
        unsafe { self.inner.as_ref() }
    }

    /// Takes up the parts that the program has got since. Nothing may be running.
    pub fn extend(&mut self) -> Result<(), VmError> {
        self.inner().install()
    }

    /// Runs the program's top level.
    pub fn run_entry(&mut self) -> Result<(), Trap> {
        match self.inner().code.entry() {
            Some(entry) => self.call_words(entry, &[]).map(drop),
            None => Ok(()),
        }
    }

    /// Calls a function with arguments as compiled code holds them: ints, bits of floats, bytes zero-extended. References
    /// can't be passed so; see [`Vm::call`].
    pub fn call_words(&mut self, function: u32, arguments: &[u64]) -> Result<u64, Trap> {
        let ended = self.call_here(function, arguments);
        self.lend();
        ended
    }

    fn call_here(&mut self, function: u32, arguments: &[u64]) -> Result<u64, Trap> {
        self.loan.take();
        let inner: *mut Inner = self.inner.as_ptr();
        // SAFETY: V1, V2.
        unsafe { Inner::call(inner, function, arguments) }
    }

    /// Calls a function by its types. They must be those of the function: the caller looked them up. Without a native
    /// type the result is an object, and held.
    pub fn call(
        &mut self,
        function: u32,
        arguments: &[Argument<'_>],
        result: Option<NativeType>,
    ) -> Result<Value, Trap> {
        let inner = self.inner();
        let scope = inner.heap.open_scope();
        let mut words = Vec::with_capacity(arguments.len());
        let mut held = Vec::new();
        for (i, argument) in arguments.iter().enumerate() {
            words.push(match *argument {
                Argument::Int(value) => value as u64,
                Argument::Float(value) => value.to_bits(),
                Argument::Bool(value) => u64::from(value),
                Argument::Byte(value) => u64::from(value),
                Argument::Unit => 0,
                Argument::Held(_) => 0,
                Argument::Str(text) => {
                    let string = new_str(&mut inner.heap, &mut inner.roots, text);
                    match string.and_then(|string| Ok(inner.heap.local(string)?)) {
                        Ok(local) => held.push((i, local)),
                        Err(trap) => {
                            inner.heap.close_scope(scope);
                            return Err(trap);
                        }
                    }
                    0
                }
            });
        }
        for (i, local) in held {
            words[i] = u64::from(inner.heap.of_local(local).index());
        }
        // Not before, for the strings may have moved them.
        for (word, argument) in words.iter_mut().zip(arguments) {
            if let Argument::Held(handle) = *argument {
                *word = u64::from(inner.heap.of_handle(handle).index());
            }
        }
        inner.heap.close_scope(scope);
        let word = self.call_here(function, &words)?;
        let value = match result {
            None => Value::Held(self.inner().heap.handle(Ref::from_index(word as u32))?),
            Some(NativeType::Int) => Value::Int(word as i64),
            Some(NativeType::Float) => Value::Float(f64::from_bits(word)),
            Some(NativeType::Bool) => Value::Bool(word as u8 != 0),
            Some(NativeType::Byte) => Value::Byte(word as u8),
            Some(NativeType::Bytes | NativeType::Ints) => panic!("bug: arrays don't leave a script"),
            Some(NativeType::Unit) => Value::Unit,
            Some(NativeType::Str) => Value::Str(self.inner_ref().str(Ref::from_index(word as u32)).to_owned()),
        };
        self.lend();
        Ok(value)
    }

    /// Looks at the heap for a moment, without an end to the wait for the next call.
    pub fn look<R>(&self, look: impl FnOnce(&Heap) -> R) -> R {
        let Some(loan) = self.loan.take() else { return look(&self.inner_ref().heap) };
        // SAFETY: V1: nothing runs while a `&Vm` can be held; V3: while the loan is held, nobody else touches it.
        let seen = loan.hold(|| look(unsafe { &self.inner.as_ref().heap }));
        self.loan.set(Some(loan));
        seen
    }

    /// The heap: statistics, policy, observers.
    pub fn heap(&self) -> &Heap {
        &self.inner_ref().heap
    }

    /// The heap, to set its policy, pause goal and observers.
    pub fn heap_mut(&mut self) -> &mut Heap {
        &mut self.inner().heap
    }

    /// Collects.
    pub fn collect(&mut self, kind: tenure_gc::Collect) {
        let inner = self.inner();
        inner.heap.collect(kind, &mut inner.roots);
    }

    /// Stops what runs here, from any thread.
    pub fn interrupt_handle(&self) -> InterruptHandle {
        self.inner_ref().interrupts.clone()
    }

    /// Function entries and rounds of loops that may still be made, of a program whose code counts them.
    pub fn fuel(&self) -> u64 {
        // SAFETY: the context lives with the heap, and nothing runs while a `&Vm` can be held.
        let fuel = unsafe { (*self.inner_ref().roots.context).fuel };
        u64::try_from(fuel).unwrap_or(0)
    }

    /// Sets that number.
    pub fn set_fuel(&mut self, fuel: u64) {
        let context = self.inner().roots.context;
        // SAFETY: as in `fuel`, with `&mut self`.
        unsafe { (*context).fuel = i64::try_from(fuel).unwrap_or(i64::MAX) };
    }

    /// Collects and gives memory back, because nothing will run for a while.
    pub fn idle(&mut self) {
        let inner = self.inner();
        inner.heap.idle(&mut inner.roots);
    }

    /// Counts what can be reached.
    pub fn census(&mut self) -> Vec<CensusLine> {
        let inner = self.inner();
        inner.heap.census(&mut inner.roots)
    }

    /// Where sampled allocations came from, the most bytes first.
    pub fn allocation_sites(&self) -> Vec<AllocationSite> {
        let inner = self.inner_ref();
        inner.sites.list(&*inner.code, |shape| inner.heap.shape_name(shape))
    }

    /// What has been sampled so far, if anything is.
    pub fn profile(&self) -> Option<Profile> {
        self.inner_ref().profile()
    }

    /// Flushes the script's output.
    pub fn flush(&mut self) -> std::io::Result<()> {
        let io = &mut self.inner().io;
        let flushed = io.stdout.flush().and_then(|()| io.stderr.flush());
        // It comes after each call: without this, no wait of a host's would ever be seen.
        self.lend();
        flushed
    }
}

impl Drop for Vm {
    fn drop(&mut self) {
        self.inner().interrupts.detach();
        // SAFETY: it came from a box in `new`, and nothing runs (V2).
        drop(unsafe { Box::from_raw(self.inner.as_ptr()) });
    }
}

impl fmt::Debug for Vm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vm").finish_non_exhaustive()
    }
}

impl Inner {
    /// A slot of the tables below the base.
    fn slot(&self, displacement: i32) -> *mut u64 {
        // SAFETY: L1: displacements of this program's layout lie in the prefix that was asked for.
        unsafe { self.heap.base().as_ptr().offset(displacement as isize).cast() }
    }

    fn set_slot(&mut self, displacement: i32, value: u64) {
        // SAFETY: as for `slot`; nothing else refers to the tables.
        unsafe { self.slot(displacement).write(value) };
    }

    /// Fills the tables and makes the permanent objects.
    /// Puts the parts that the program has got since into the tables.
    fn install(&mut self) -> Result<(), VmError> {
        while let Some(part) = self.code.part(self.installed) {
            self.install_part(&part)?;
            self.installed += 1;
        }
        Ok(())
    }

    fn install_part(&mut self, part: &Layout) -> Result<(), VmError> {
        for function in part.first_function..part.first_function + part.functions {
            let stub = self.code.stub(function);
            self.set_slot(call_slot(function), stub as u64);
        }
        for &(old, new) in &part.replaced {
            let stub = self.code.stub(new);
            self.set_slot(call_slot(old), stub as u64);
            self.replaced.entry(new).or_default().push(old);
        }
        for &(global, _) in part.new_globals.iter().filter(|(_, is_ref)| *is_ref) {
            let slot = self.slot(part.room.global_slot(global));
            self.roots.globals.push(slot);
        }
        for (index, permanent) in &part.new_permanents {
            let object = match permanent {
                Permanent::Text(text) => self.heap.permanent_bytes(SHAPE_BYTES, text.as_bytes())?,
                &Permanent::Record(shape, words) => self.heap.permanent_record(shape, &vec![0; words as usize - 1])?,
                &Permanent::Function(function) => {
                    self.heap.permanent_record(SHAPE_FUNCTION, &[0, u64::from(function)])?
                }
            };
            self.set_slot(part.room.permanent_slot(*index), u64::from(object.index()));
        }
        if let (Some(error), true) = (part.error, self.out_of_memory.is_nil()) {
            self.error_shape = part.error;
            let kind = TrapKind::OutOfMemory;
            let mut fields = [0_u32; 4];
            for (field, text) in [(0, kind.message()), (1, kind.name()), (3, "")] {
                fields[field] = self.heap.permanent_bytes(SHAPE_BYTES, text.as_bytes())?.index();
            }
            let word = |low: usize| u64::from(fields[low]) | u64::from(fields[low + 1]) << 32;
            self.out_of_memory = self.heap.permanent_record(error, &[word(0), word(2)])?;
        }
        Ok(())
    }

    /// Makes calls of a function go to its code.
    pub(crate) fn set_code_address(&mut self, function: u32, address: usize) {
        self.set_slot(call_slot(function), address as u64);
        for old in self.replaced.remove(&function).unwrap_or_default() {
            self.set_slot(call_slot(old), address as u64);
        }
    }

    /// Calls a compiled function.
    ///
    /// # Safety
    /// `this` is a live VM that nobody else uses (V1, V2).
    unsafe fn call(this: *mut Inner, function: u32, arguments: &[u64]) -> Result<u64, Trap> {
        // SAFETY: the caller's obligation; the reference ends before compiled code runs.
        let vm = unsafe { &mut *this };
        let signature = vm.code.signature(function);
        assert_eq!(signature.params.len(), arguments.len(), "another number of arguments than the function's");
        let (mut ints, mut floats, mut stack) = ([0; INT_REGISTERS], [0.0; FLOAT_REGISTERS], Vec::new());
        let (mut next_int, mut next_float) = (0, 0);
        for (&class, &word) in signature.params.iter().zip(arguments) {
            if class == Class::Float && next_float < FLOAT_REGISTERS {
                floats[next_float] = f64::from_bits(word);
                next_float += 1;
            } else if class != Class::Float && next_int < INT_REGISTERS {
                ints[next_int] = word;
                next_int += 1;
            } else {
                stack.push(word);
            }
        }
        let context = vm.roots.context;
        let first_suspended = vm.suspended.len();
        let outer = vm.roots.active.then(|| {
            // SAFETY: the context lives with the heap.
            let context = unsafe { &*context };
            (Exit { fp: context.exit_fp as usize, pc: context.exit_pc as usize }, vm.stack_limit)
        });
        vm.roots.outer.extend(outer.map(|(exit, _)| exit));
        if outer.is_none() {
            vm.begin_profile();
        }
        vm.roots.active = true;
        vm.interrupts.goes_on();
        // SAFETY: the slot holds the function's code or its stub.
        let code = unsafe { vm.slot(call_slot(function)).read() } as usize;
        vm.set_stack_limit(stack::limit(vm.stack_bytes) as u64);
        // SAFETY: code of this program with arguments by its signature; `vm` is not used while it runs.
        let thrown = unsafe { abi::enter(context, code, ints.as_ptr(), floats.as_ptr(), stack.as_ptr(), stack.len()) };
        // SAFETY: compiled code has returned.
        let (vm, context) = unsafe { (&mut *this, &mut *context) };
        vm.roots.active = outer.is_some();
        if outer.is_none() {
            vm.end_profile();
        }
        if let Some((exit, stack_limit)) = outer {
            vm.roots.outer.pop();
            (context.exit_fp, context.exit_pc) = (exit.fp as u64, exit.pc as u64);
            vm.set_stack_limit(stack_limit);
        }
        // a trap that is not catchable leaves cleanups behind that never ran
        vm.suspended.truncate(first_suspended);
        vm.roots.suspended.truncate(first_suspended);
        match (thrown, signature.result) {
            (0, Class::Word) => Ok(context.result),
            (0, Class::Byte) => Ok(context.result & 0xff),
            (0, Class::Float) => Ok(context.result_float),
            _ => Err(vm.take_pending()),
        }
    }

    fn set_stack_limit(&mut self, limit: u64) {
        self.stack_limit = limit;
        // SAFETY: the context lives with the heap.
        let word = unsafe { &(*self.roots.context).stack_limit };
        word.store(limit, Ordering::SeqCst);
        if self.interrupts.is_requested() {
            word.store(LIMIT_REQUEST, Ordering::SeqCst);
        }
    }

    /// After a request was answered.
    pub(crate) fn restore_stack_limit(&mut self) {
        self.set_stack_limit(self.stack_limit);
    }

    /// Compiled code has found its stack pointer below the limit.
    pub(crate) fn poll(&mut self) -> Result<(), Trap> {
        self.count_poll();
        self.heap.safepoint(&mut self.roots);
        let request = self.interrupts.take();
        self.restore_stack_limit();
        if let Some(kind) = request {
            return Err(kind.into());
        }
        let here = &raw const request as u64;
        if here < self.stack_limit { Err(TrapKind::StackOverflow.into()) } else { Ok(()) }
    }

    /// Notes where the allocation under way comes from, if it is a sample (A1).
    pub(crate) fn note_allocation(&mut self, shape: ShapeId) {
        if let Some(bytes) = self.heap.take_sample() {
            // SAFETY: U1: called by runtime functions on behalf of compiled code.
            let place = unsafe { Backtrace::innermost(&self.code.table().read(), self.roots.exits()) };
            if let Some(place) = place {
                self.sites.add(place, shape, bytes);
            }
        }
    }

    /// Makes a trap pending, with a trace of the frames on the stack now.
    pub(crate) fn raise(&mut self, trap: Trap) {
        // SAFETY: U1: called by runtime functions on behalf of compiled code.
        let trace = unsafe { Backtrace::capture(&self.code.table().read(), self.roots.exits()) };
        self.pending = Some((trap, trace));
    }

    /// Makes the trap of a thrown error object pending.
    pub(crate) fn raise_object(&mut self, error: Ref) {
        let trap = Trap::new(TrapKind::Error, "");
        self.raise(trap);
        self.roots.thrown = u64::from(error.index());
    }

    /// Whether a handler may take the pending trap.
    pub(crate) fn pending_is_catchable(&self) -> bool {
        self.pending.as_ref().is_none_or(|(trap, _)| trap.kind.is_catchable())
    }

    fn take_raised(&mut self) -> ((Trap, Backtrace), Ref) {
        let raised = self.pending.take().expect("compiled code goes to a handler, or ends, only after raising a trap");
        (raised, Ref::from_index(std::mem::take(&mut self.roots.thrown) as u32))
    }

    /// Sets the pending trap aside while a cleanup runs.
    pub(crate) fn suspend_pending(&mut self) {
        let (raised, error) = self.take_raised();
        self.suspended.push(raised);
        self.roots.suspended.push(u64::from(error.index()));
    }

    /// Makes the trap set aside last the pending one again.
    pub(crate) fn resume_suspended(&mut self) {
        self.pending = self.suspended.pop();
        self.roots.thrown = self.roots.suspended.pop().expect("a cleanup that ends has a trap to go on with");
    }

    /// A cleanup has trapped while a trap was set aside: that one becomes the cause of the pending one.
    pub(crate) fn link_suspended(&mut self) {
        let scope = self.heap.open_scope();
        let ((trap, trace), error) = self.take_raised();
        let linked = self.link(trap, &trace, error);
        self.heap.close_scope(scope);
        self.roots.thrown = u64::from(linked.unwrap_or(self.out_of_memory).index());
        self.pending = Some((Trap::new(TrapKind::Error, ""), trace));
    }

    /// The error object of a trap, or a copy of `error`, with the trap set aside last as its cause; leaves its locals in the
    /// open scope.
    fn link(&mut self, mut trap: Trap, trace: &Backtrace, error: Ref) -> Result<Ref, Trap> {
        let error = self.heap.local(error);
        self.resume_suspended();
        let cause = self.catch_pending();
        let cause = self.heap.local(cause)?;
        let error = self.heap.of_local(error?);
        let texts = if error.is_nil() {
            trace.describe(&*self.code, &mut trap);
            [trap.message.clone(), trap.kind_name.clone(), trap.trace_text()]
        } else {
            [0, 1, 3].map(|field| self.str(self.heap.ref_at(error, field)).to_owned())
        };
        self.new_error([&texts[0], &texts[1], &texts[2]], Some(cause))
    }

    /// The pending trap, for the host.
    fn take_pending(&mut self) -> Trap {
        let ((mut trap, trace), error) = self.take_raised();
        if !error.is_nil() {
            (trap.kind_name, trap.message) = self.kind_and_message(error);
            trap.kind = TrapKind::from_name(&trap.kind_name);
            let mut cause = self.heap.ref_at(error, 2);
            while !cause.is_nil() && trap.causes.len() < CAUSES_MAX {
                trap.causes.push(self.kind_and_message(cause));
                cause = self.heap.ref_at(cause, 2);
            }
        }
        trace.describe(&*self.code, &mut trap);
        trap
    }

    fn kind_and_message(&self, error: Ref) -> (String, String) {
        let text = |field| self.str(self.heap.ref_at(error, field)).to_owned();
        (text(1), text(0))
    }

    /// The pending trap as an error object, for a handler.
    pub(crate) fn catch_pending(&mut self) -> Ref {
        let ((mut trap, trace), thrown) = self.take_raised();
        let scope = self.heap.open_scope();
        let error = if thrown.is_nil() {
            trace.describe(&*self.code, &mut trap);
            self.new_error([&trap.message, &trap.kind_name, &trap.trace_text()], None)
        } else if self.str(self.heap.ref_at(thrown, 3)).is_empty() {
            trace.describe(&*self.code, &mut trap);
            self.add_trace(thrown, &trap.trace_text())
        } else {
            Ok(thrown) // thrown again: where it came from first is what counts
        };
        self.heap.close_scope(scope);
        error.unwrap_or(self.out_of_memory)
    }

    /// The error object, now with a trace; leaves a local in the open scope.
    fn add_trace(&mut self, error: Ref, trace: &str) -> Result<Ref, Trap> {
        let local = self.heap.local(error)?;
        let trace = new_str(&mut self.heap, &mut self.roots, trace)?;
        let error = self.heap.of_local(local);
        self.heap.set_ref(error, 3, trace);
        Ok(error)
    }

    /// An error object of message, kind, trace and cause; leaves its locals in the open scope.
    fn new_error(&mut self, texts: [&str; 3], cause: Option<Local>) -> Result<Ref, Trap> {
        let shape = self.error_shape.expect("a program that catches has the core library's Error");
        let mut locals = Vec::with_capacity(texts.len());
        for text in texts {
            let string = new_str(&mut self.heap, &mut self.roots, text)?;
            locals.push(self.heap.local(string)?);
        }
        let error = self.heap.allocate_record(shape, &mut self.roots)?;
        for (field, local) in [0, 1, 3].into_iter().zip(locals).chain(cause.map(|cause| (2, cause))) {
            let part = self.heap.of_local(local);
            self.heap.set_ref(error, field, part);
        }
        Ok(error)
    }

    /// The text of a string object.
    pub(crate) fn str(&self, string: Ref) -> &str {
        // SAFETY: strings on the heap are UTF-8: every function that makes one has checked it.
        unsafe { std::str::from_utf8_unchecked(self.heap.bytes(string)) }
    }

    /// Where an object's fields or elements start.
    pub(crate) fn payload(&self, object: Ref) -> *mut u8 {
        // SAFETY: the object's words lie in the heap.
        unsafe { self.heap.base().as_ptr().add(object.index() as usize * 8 + 8) }
    }

    /// Bytes of an array's element.
    pub(crate) fn element_bytes(shape: ShapeId) -> usize {
        match shape {
            SHAPE_REFS => 4,
            SHAPE_WORDS => 8,
            _ => 1,
        }
    }

    /// Writes one value to elements `from..to` of an array, without barrier; the range was checked.
    pub(crate) fn fill(&mut self, array: Ref, from: u64, to: u64, value: u64) {
        debug_assert!(from <= to && to <= self.heap.array_len(array));
        let (start, count) = (from as usize, (to - from) as usize);
        let payload = self.payload(array);
        // SAFETY: the range lies in the array, whose elements have this size and nobody refers to.
        unsafe {
            match Inner::element_bytes(self.heap.shape_of(array)) {
                4 => std::slice::from_raw_parts_mut(payload.cast::<u32>().add(start), count).fill(value as u32),
                8 => std::slice::from_raw_parts_mut(payload.cast::<u64>().add(start), count).fill(value),
                _ => std::slice::from_raw_parts_mut(payload.add(start), count).fill(value as u8),
            }
        }
    }
}
