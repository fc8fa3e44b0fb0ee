//! Native functions: Rust closures that scripts call. The registry is shared by the checker (signatures), the evaluator
//! and compiled code (the closures), and filled by the standard library and by embedding programs.
//!
//! A native sees its arguments through a [`NativeContext`], never the heap's layout, so that both engines can serve it.
//! Invariants
//! - N1. Arguments are read through the context at each use; an allocation through the context may move objects, and the
//!   context's accessors take that into account. Borrowed strings can't outlive it: allocation needs `&mut`.
//! - N2. The engine has checked that arguments fit the signature; a mismatch in an accessor is a bug and panics.

use crate::trap::Trap;
use hashbrown::HashMap;
use std::any::Any;
use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

/// A native function of a registry.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct NativeId(pub u32);

/// Types that cross the border.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs, reason = "named as in the language")]
pub enum NativeType {
    Int,
    Float,
    Bool,
    Byte,
    Str,
    /// `Array[byte]`
    Bytes,
    /// `Array[int]`
    Ints,
    Unit,
}

impl NativeType {
    /// How the language writes it.
    pub fn name(self) -> &'static str {
        match self {
            NativeType::Int => "int",
            NativeType::Float => "float",
            NativeType::Bool => "bool",
            NativeType::Byte => "byte",
            NativeType::Str => "str",
            NativeType::Bytes => "Array[byte]",
            NativeType::Ints => "Array[int]",
            NativeType::Unit => "()",
        }
    }
}

/// Result of a native, matching its signature.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum NativeValue {
    /// An int.
    Int(i64),
    /// A float.
    Float(f64),
    /// A bool.
    Bool(bool),
    /// A byte.
    Byte(u8),
    /// A string made by [`NativeContext::new_str`] in this call, or an argument's.
    Str(StrHandle),
    /// An array made by [`NativeContext::new_bytes`] in this call, or an argument.
    Bytes(ArrayHandle),
    /// An array made by [`NativeContext::new_ints`] in this call, or an argument.
    Ints(ArrayHandle),
    /// Nothing.
    Unit,
}

/// A string on the script's heap, valid until the native returns or allocates again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StrHandle(pub u64);

/// An array on the script's heap, valid until the native returns or allocates again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ArrayHandle(pub u64);

/// What a script may know of its heap, since the program began.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HeapNumber {
    /// How often the collector stopped the script.
    Pauses,
    /// The longest of these pauses, in nanoseconds.
    PauseNsMax,
    /// All of them together, in nanoseconds.
    PauseNsTotal,
    /// CPU time of the collector, in nanoseconds.
    GcCpuNs,
    /// Bytes allocated.
    AllocatedBytes,
    /// Bytes that the heap holds now.
    CommittedBytes,
    /// The most it held.
    CommittedBytesMax,
}

/// What a native function can do.
pub trait NativeContext {
    /// Argument `i`, an int.
    fn int(&self, i: usize) -> i64;
    /// Argument `i`, a float.
    fn float(&self, i: usize) -> f64;
    /// Argument `i`, a bool.
    fn bool(&self, i: usize) -> bool;
    /// Argument `i`, a byte.
    fn byte(&self, i: usize) -> u8;
    /// Argument `i`, a string.
    fn str(&self, i: usize) -> &str;
    /// A new string on the script's heap; may collect.
    fn new_str(&mut self, text: &str) -> Result<StrHandle, Trap>;
    /// Argument `i`, an array of bytes.
    fn bytes(&self, i: usize) -> &[u8];
    /// A new array of bytes on the script's heap; may collect.
    fn new_bytes(&mut self, bytes: &[u8]) -> Result<ArrayHandle, Trap>;
    /// Argument `i`, an array of ints, copied.
    fn ints(&self, i: usize) -> Vec<i64>;
    /// A new array of ints on the script's heap; may collect.
    fn new_ints(&mut self, ints: &[i64]) -> Result<ArrayHandle, Trap>;
    /// Where the script's standard output goes.
    fn stdout(&mut self) -> &mut dyn Write;
    /// Where the script's standard error goes.
    fn stderr(&mut self) -> &mut dyn Write;
    /// Writes the first `count` bytes of argument `i`, a string or an array of bytes, and then `end` to standard output,
    /// from where they lie.
    fn write(&mut self, i: usize, count: usize, end: &[u8]) -> io::Result<()>;
    /// Natives that wait call this now and then, and hand on its trap: the script may have to stop.
    fn poll(&mut self) -> Result<(), Trap>;
    /// The script's arguments, without its name.
    fn script_args(&self) -> &[String];
    /// Runs a collection of the heap; nothing in the evaluator.
    fn collect(&mut self, full: bool);
    /// A number about the heap; 0 in the evaluator, which collects nothing.
    fn heap_number(&self, _number: HeapNumber) -> i64 {
        0
    }
    /// Who sets the collector's knobs; `none` in the evaluator.
    fn policy_name(&self) -> &'static str {
        "none"
    }
    /// Keeps a value of the host's that takes about `bytes` outside the heap, which count toward its limit; may collect.
    /// A script gives it a holder with the intrinsic `resource_own`; it is dropped after the holder was collected, on
    /// this thread, and with the heap at the latest.
    fn add_resource(&mut self, resource: Box<dyn Any + Send>, bytes: u64) -> Result<i64, Trap>;
    /// The resource of that number, if it is still kept.
    fn resource(&self, number: i64) -> Option<&(dyn Any + Send)>;
    /// The same, to be changed.
    fn resource_mut(&mut self, number: i64) -> Option<&mut (dyn Any + Send)>;
    /// Takes a resource out before its holder is gone.
    fn take_resource(&mut self, number: i64) -> Option<Box<dyn Any + Send>>;
    /// Objects and bytes by type name, of what the script can reach; nothing in the evaluator.
    fn census(&mut self) -> Vec<(String, u64, u64)> {
        Vec::new()
    }
    /// Does something that may take long and needs nothing of the script, such as waiting for input. Meanwhile the heap may be
    /// collected, by a thread that gives the memory of idle programs back. `wait` may ask, now and then, whether it should
    /// end early, so that the native can poll.
    fn wait(&mut self, wait: &mut dyn FnMut(&dyn Fn() -> bool)) {
        wait(&|| true);
    }
    /// Tells the heap that the script waits for long: it collects and gives memory back.
    fn idle(&mut self) {}
    /// Sets how long a pause may be at most, as a goal.
    fn set_pause_goal_ns(&mut self, _goal_ns: u64) {}
}

/// The Rust side of a native function.
pub type NativeFn = Arc<dyn Fn(&mut dyn NativeContext) -> Result<NativeValue, Trap> + Send + Sync>;

/// A native function with its name and signature.
#[derive(Clone)]
pub struct Native {
    /// `fs.read`, or a bare name for a host's function.
    pub name: String,
    /// Its parameters.
    pub params: Vec<NativeType>,
    /// Its result.
    pub result: NativeType,
    /// Its code.
    pub function: NativeFn,
}

impl fmt::Debug for Native {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({:?}) -> {:?}", self.name, self.params, self.result)
    }
}

/// All native functions that a program may call.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    natives: Vec<Native>,
    by_name: HashMap<String, NativeId>,
}

impl Registry {
    /// Adds a function; one of the same name is replaced.
    pub fn add(&mut self, native: Native) -> NativeId {
        if let Some(&id) = self.by_name.get(&native.name) {
            self.natives[id.0 as usize] = native;
            return id;
        }
        let id = NativeId(self.natives.len() as u32);
        self.by_name.insert(native.name.clone(), id);
        self.natives.push(native);
        id
    }

    /// The function of that name.
    pub fn find(&self, name: &str) -> Option<NativeId> {
        self.by_name.get(name).copied()
    }

    /// The function behind an id of this registry.
    pub fn get(&self, id: NativeId) -> &Native {
        &self.natives[id.0 as usize]
    }

    /// All functions.
    pub fn iter(&self) -> impl Iterator<Item = (NativeId, &Native)> {
        self.natives.iter().enumerate().map(|(i, n)| (NativeId(i as u32), n))
    }
}
