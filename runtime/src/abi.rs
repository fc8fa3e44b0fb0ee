//! The runtime functions that compiled code calls, each listed once: name, how it is called, parameters, result.
//!
//! Kinds
//! - *quiet*: keeps every register, so that the hot path around the call keeps its values where they are; arguments, three
//!   at the most, and result are in the VM context, so that none of them has to be in a certain register. May collect and trap.
//! - *exit*: called like a compiled function. May collect and trap.
//! - *leaf*: a plain C function. Neither collects nor traps.
//!
//! Quiet and exit functions are reached through stubs that record the compiled frame they leave (C2) and, when the
//! function traps, resume at the handler that [`crate::unwind`] found. Compiled code has the VM context in `r15`, and passes it
//! to exit functions as their first argument.

use crate::context::{VmContext, offset};
use crate::slow;
use std::arch::{global_asm, naked_asm};

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
compile_error!("Tenure generates code for x86-64 Linux only");

/// What a quiet or exit function gives: a value, or 1 in `thrown` when a trap is pending.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Outcome {
    /// The value.
    pub value: u64,
    /// Whether to resume at a handler instead.
    pub thrown: u64,
}

/// How a runtime function is called.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Keeps all registers; arguments and result in the context.
    Quiet,
    /// As a compiled function.
    Exit,
    /// As a C function.
    Leaf,
}

/// Registers a parameter or result of a runtime function is passed in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Word {
    /// 64 bits of integer, reference or address.
    Int,
    /// A float.
    Float,
}

macro_rules! stub {
    (Quiet $name:ident) => {
        /// Stub of the runtime function of this name.
        #[unsafe(naked)]
        pub(super) extern "sysv64" fn $name() {
            naked_asm!(
                "mov [r15 + {exit_fp}], rbp",
                "push rax",
                "mov rax, [rsp + 8]",
                "mov [r15 + {exit_pc}], rax",
                "push rcx",
                "push rdx",
                "push rsi",
                "push r8",
                "push r9",
                "push r10",
                "push r11",
                "push rdi",
                "sub rsp, 256",
                "movups [rsp], xmm0",
                "movups [rsp + 16], xmm1",
                "movups [rsp + 32], xmm2",
                "movups [rsp + 48], xmm3",
                "movups [rsp + 64], xmm4",
                "movups [rsp + 80], xmm5",
                "movups [rsp + 96], xmm6",
                "movups [rsp + 112], xmm7",
                "movups [rsp + 128], xmm8",
                "movups [rsp + 144], xmm9",
                "movups [rsp + 160], xmm10",
                "movups [rsp + 176], xmm11",
                "movups [rsp + 192], xmm12",
                "movups [rsp + 208], xmm13",
                "movups [rsp + 224], xmm14",
                "movups [rsp + 240], xmm15",
                "mov rdi, r15",
                "mov rsi, [r15 + {arguments}]",
                "mov rdx, [r15 + {arguments} + 8]",
                "mov rcx, [r15 + {arguments} + 16]",
                "call {function}",
                "movups xmm0, [rsp]",
                "movups xmm1, [rsp + 16]",
                "movups xmm2, [rsp + 32]",
                "movups xmm3, [rsp + 48]",
                "movups xmm4, [rsp + 64]",
                "movups xmm5, [rsp + 80]",
                "movups xmm6, [rsp + 96]",
                "movups xmm7, [rsp + 112]",
                "movups xmm8, [rsp + 128]",
                "movups xmm9, [rsp + 144]",
                "movups xmm10, [rsp + 160]",
                "movups xmm11, [rsp + 176]",
                "movups xmm12, [rsp + 192]",
                "movups xmm13, [rsp + 208]",
                "movups xmm14, [rsp + 224]",
                "movups xmm15, [rsp + 240]",
                "add rsp, 256",
                "mov [r15 + {result}], rax",
                "test rdx, rdx",
                "jne 2f",
                "pop rdi",
                "pop r11",
                "pop r10",
                "pop r9",
                "pop r8",
                "pop rsi",
                "pop rdx",
                "pop rcx",
                "pop rax",
                "ret",
                "2:",
                "add rsp, 72",
                "mov rdi, r15",
                "jmp {resume}",
                function = sym slow::$name,
                resume = sym resume,
                exit_fp = const offset::EXIT_FP,
                exit_pc = const offset::EXIT_PC,
                arguments = const offset::ARGUMENTS,
                result = const offset::RESULT,
            )
        }
    };
    (Exit $name:ident) => {
        /// Stub of the runtime function of this name.
        #[unsafe(naked)]
        pub(super) extern "sysv64" fn $name() {
            naked_asm!(
                "mov [rdi + {exit_fp}], rbp",
                "mov rax, [rsp]",
                "mov [rdi + {exit_pc}], rax",
                "push rdi",
                "call {function}",
                "pop rdi",
                "test rdx, rdx",
                "jne 2f",
                "ret",
                "2:",
                "jmp {resume}",
                function = sym slow::$name,
                resume = sym resume,
                exit_fp = const offset::EXIT_FP,
                exit_pc = const offset::EXIT_PC,
            )
        }
    };
}

macro_rules! address {
    (Leaf $name:ident) => {
        slow::$name as *const () as usize
    };
    ($kind:ident $name:ident) => {
        stubs::$name as *const () as usize
    };
}

macro_rules! only_stubs {
    (Leaf $name:ident) => {};
    ($kind:ident $name:ident) => {
        stub!($kind $name);
    };
}

macro_rules! runtime_functions {
    ($($(#[$doc:meta])* $kind:ident $variant:ident $name:ident($($param:ident),*) -> $result:ident;)*) => {
        /// A runtime function.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum RuntimeFunction { $($(#[$doc])* $variant,)* }

        impl RuntimeFunction {
            /// All of them.
            pub const ALL: &'static [RuntimeFunction] = &[$(RuntimeFunction::$variant,)*];

            /// The name in listings of generated code.
            pub fn symbol(self) -> &'static str {
                match self { $(RuntimeFunction::$variant => concat!("tenure_", stringify!($name)),)* }
            }

            /// How it is called.
            pub fn kind(self) -> Kind {
                match self { $(RuntimeFunction::$variant => Kind::$kind,)* }
            }

            /// Whether the collector may have run when it comes back.
            pub fn may_collect(self) -> bool {
                let only_logs = matches!(self, RuntimeFunction::Barrier | RuntimeFunction::BarrierElement);
                let never_returns = matches!(self, RuntimeFunction::ThrowIndex | RuntimeFunction::ThrowKind);
                self.kind() != Kind::Leaf && !only_logs && !never_returns
            }

            /// Its parameters after the VM context, if that is one.
            pub fn params(self) -> &'static [Word] {
                match self { $(RuntimeFunction::$variant => &[$(Word::$param),*],)* }
            }

            /// Its result.
            pub fn result(self) -> Word {
                match self { $(RuntimeFunction::$variant => Word::$result,)* }
            }

            /// What compiled code calls.
            pub fn address(self) -> usize {
                match self { $(RuntimeFunction::$variant => address!($kind $name),)* }
            }
        }

        mod stubs {
            use super::*;
            $(only_stubs!($kind $name);)*
        }
    };
}

runtime_functions! {
    /// `(shape)`: a record with a zeroed payload.
    Quiet AllocateRecord allocate_record(Int) -> Int;
    /// `(shape, length)`: an array of zeroed elements.
    Quiet AllocateArray allocate_array(Int, Int) -> Int;
    /// `(object)`: slow path of the write barrier.
    Quiet Barrier barrier(Int) -> Int;
    /// `(array, index)`: slow path of the write barrier for an element of an array.
    Quiet BarrierElement barrier_element(Int, Int) -> Int;
    /// `()`: the stack pointer is below the limit, because the stack is used up or because something is asked for.
    Quiet Poll poll() -> Int;
    /// `(index, length)`: traps because the index is out of bounds. Keeps registers like the rest, though it never comes back,
    /// so that the checked index need not be in one of an argument.
    Quiet ThrowIndex throw_index(Int, Int) -> Int;
    /// `(kind)`: traps with the kind's message.
    Exit ThrowKind throw_kind(Int) -> Int;
    /// `(error)`: traps with an error object.
    Exit ThrowError throw_error(Int) -> Int;
    /// `()`: the error object of the trap that was just caught.
    Exit CatchError catch_error() -> Int;
    /// `()`: sets the trap that was just caught aside.
    Exit SuspendTrap suspend_trap() -> Int;
    /// `()`: raises the trap set aside last.
    Exit ResumeTrap resume_trap() -> Int;
    /// `(nested)`: raises the trap that was just caught again; when nested with the one set aside last as its cause.
    Exit ReraiseTrap reraise_trap(Int) -> Int;
    /// `(shape, length, fill)`: an array of equal elements.
    Quiet ArrayNew array_new(Int, Int, Int) -> Int;
    /// `(array, count, least)`: see [`grown_room`](crate::text::grown_room).
    Quiet ArrayGrow array_grow(Int, Int, Int) -> Int;
    /// `(to, at, from, start, count)`
    Exit ArrayCopy array_copy(Int, Int, Int, Int, Int) -> Int;
    /// `(address of: array, from, count, room)`: a new array that begins with a part of another.
    Exit ArrayPart array_part(Int) -> Int;
    /// `(array, from, to, value)`
    Exit ArrayFill array_fill(Int, Int, Int, Int) -> Int;
    /// `(address of: string, from, to)`
    Exit StrSlice str_slice(Int) -> Int;
    /// `(address of the strings, count)`
    Exit StrConcat str_concat(Int, Int) -> Int;
    /// `(address of: bytes, from, to)`
    Exit StrFromBytes str_from_bytes(Int) -> Int;
    /// `(address of: array of strings, count, separator)`
    Exit StrJoin str_join(Int) -> Int;
    /// `(native, address of the arguments)`: the result's bits.
    Exit CallNative call_native(Int, Int) -> Int;
    /// `(holder, target)`: number of a new weak reference.
    Exit WeakNew weak_new(Int, Int) -> Int;
    /// `(holder, number)`: the target, or nil.
    Exit WeakGet weak_get(Int, Int) -> Int;
    /// `(holder, key, value)`
    Exit WeakSetPair weak_set_pair(Int, Int, Int) -> Int;
    /// `(holder, key)`: the value, or nil.
    Exit WeakPair weak_pair(Int, Int) -> Int;
    /// `(holder, key)`: 1 when there was one.
    Exit WeakRemovePair weak_remove_pair(Int, Int) -> Int;
    /// `(holder, number)`: 1 when the resource had no holder yet.
    Exit ResourceOwn resource_own(Int, Int) -> Int;
    /// `(base, exponent)`
    Exit IntPow int_pow(Int, Int) -> Int;
    /// `(context, string, string)`: 1 when equal.
    Leaf StrEq str_eq(Int, Int, Int) -> Int;
    /// `(context, string, string)`
    Leaf StrCompare str_compare(Int, Int, Int) -> Int;
    /// `(context, address of: array, from, count, room)`: as `array_part`, or 0 where that is not short, or not right.
    Leaf ArrayPartShort array_part_short(Int, Int) -> Int;
    /// `(context, string, from, to)`: the slice, or 0 where it is not short, or not one.
    Leaf StrSliceShort str_slice_short(Int, Int, Int, Int) -> Int;
    /// `(context, address of the strings, count)`: all of them in one, or 0 where that is not short.
    Leaf StrConcatShort str_concat_short(Int, Int, Int) -> Int;
    /// `(context, string)`
    Leaf StrHash str_hash(Int, Int) -> Int;
    /// `(base, exponent)`
    Leaf FloatPow float_pow(Float, Float) -> Float;
    /// `(dividend, divisor)`
    Leaf FloatRem float_rem(Float, Float) -> Float;
    /// `(float)`: nearest integer, halves away from zero.
    Leaf FloatRound float_round(Float) -> Float;
}

/// Goes on at the handler of the pending trap. Entered by a jump, `rdi` the context, the stack as after a call.
#[unsafe(naked)]
extern "sysv64" fn resume() {
    naked_asm!(
        "push rdi",
        "call {unwind}",
        "pop rdi",
        "mov rbp, [rdi + {fp}]",
        "mov rsp, [rdi + {sp}]",
        "jmp [rdi + {pc}]",
        unwind = sym slow::unwind,
        fp = const offset::RESUME_FP,
        sp = const offset::RESUME_SP,
        pc = const offset::RESUME_PC,
    )
}

/// Address of the code that a function's stub jumps to with the function's number in `r11d`, everything else as for the
/// call of that function: compiles it and goes on in it.
pub fn compile_stub() -> usize {
    compile as *const () as usize
}

#[unsafe(naked)]
extern "sysv64" fn compile() {
    naked_asm!(
        "mov [r15 + {exit_fp}], rbp",
        "mov rax, [rsp]",
        "mov [r15 + {exit_pc}], rax",
        "push rdi",
        "push rsi",
        "push rdx",
        "push rcx",
        "push r8",
        "push r9",
        "sub rsp, 72",
        "movsd [rsp], xmm0",
        "movsd [rsp + 8], xmm1",
        "movsd [rsp + 16], xmm2",
        "movsd [rsp + 24], xmm3",
        "movsd [rsp + 32], xmm4",
        "movsd [rsp + 40], xmm5",
        "movsd [rsp + 48], xmm6",
        "movsd [rsp + 56], xmm7",
        "mov rdi, r15",
        "mov esi, r11d",
        "call {function}",
        "mov r11, rdx",
        "movsd xmm0, [rsp]",
        "movsd xmm1, [rsp + 8]",
        "movsd xmm2, [rsp + 16]",
        "movsd xmm3, [rsp + 24]",
        "movsd xmm4, [rsp + 32]",
        "movsd xmm5, [rsp + 40]",
        "movsd xmm6, [rsp + 48]",
        "movsd xmm7, [rsp + 56]",
        "add rsp, 72",
        "pop r9",
        "pop r8",
        "pop rcx",
        "pop rdx",
        "pop rsi",
        "pop rdi",
        "test r11, r11",
        "jne 2f",
        "jmp rax",
        "2:",
        "mov rdi, r15",
        "jmp {resume}",
        function = sym slow::compile_function,
        resume = sym resume,
        exit_fp = const offset::EXIT_FP,
        exit_pc = const offset::EXIT_PC,
    )
}

// Entry into compiled code, whose context is in r15 from here on. A frame of its own, so that a walk over frame pointers ends here: its return address is
// `tenure_enter_return`, and `tenure_enter_catch` is the handler of last resort. Callee-saved registers lie in the frame,
// so they survive a throw (which restores none).
global_asm!(
    ".globl tenure_enter",
    ".hidden tenure_enter",
    "tenure_enter:",
    "push rbp",
    "mov rbp, rsp",
    "push rbx",
    "push r12",
    "push r13",
    "push r14",
    "push r15",
    "sub rsp, 8",
    "mov r15, rdi",
    "mov rax, rsi",
    "mov r10, rdx",
    "movsd xmm0, [rcx]",
    "movsd xmm1, [rcx + 8]",
    "movsd xmm2, [rcx + 16]",
    "movsd xmm3, [rcx + 24]",
    "movsd xmm4, [rcx + 32]",
    "movsd xmm5, [rcx + 40]",
    "movsd xmm6, [rcx + 48]",
    "movsd xmm7, [rcx + 56]",
    "lea r11, [r9 + 1]",
    "and r11, -2",
    "shl r11, 3",
    "sub rsp, r11",
    "test r9, r9",
    "je 3f",
    "2:",
    "mov rdx, [r8 + r9 * 8 - 8]",
    "mov [rsp + r9 * 8 - 8], rdx",
    "dec r9",
    "jne 2b",
    "3:",
    "mov rdi, [r10]",
    "mov rsi, [r10 + 8]",
    "mov rdx, [r10 + 16]",
    "mov rcx, [r10 + 24]",
    "mov r8, [r10 + 32]",
    "mov r9, [r10 + 40]",
    "call rax",
    ".globl tenure_enter_return",
    ".hidden tenure_enter_return",
    "tenure_enter_return:",
    "mov [r15 + {result}], rax",
    "movsd [r15 + {result_float}], xmm0",
    "xor eax, eax",
    "4:",
    "lea rsp, [rbp - 40]",
    "pop r15",
    "pop r14",
    "pop r13",
    "pop r12",
    "pop rbx",
    "pop rbp",
    "ret",
    ".globl tenure_enter_catch",
    ".hidden tenure_enter_catch",
    "tenure_enter_catch:",
    "mov eax, 1",
    "jmp 4b",
    result = const offset::RESULT,
    result_float = const offset::RESULT_FLOAT,
);

unsafe extern "sysv64" {
    /// Runs compiled code; returns 1 when it ended with a trap, else the result is in the context.
    ///
    /// # Safety
    /// `code` must be a compiled function, or the stub of one, of the program of `context`'s VM; `ints` has 6 words,
    /// `floats` 8, `stack` as many as it says: the arguments, as the function's signature distributes them.
    #[link_name = "tenure_enter"]
    pub(crate) fn enter(
        context: *mut VmContext,
        code: usize,
        ints: *const u64,
        floats: *const f64,
        stack: *const u64,
        stack_words: usize,
    ) -> u64;

    #[link_name = "tenure_enter_return"]
    static ENTER_RETURN: u8;

    #[link_name = "tenure_enter_catch"]
    static ENTER_CATCH: u8;
}

/// The return address of the frame at the bottom of an activation.
pub(crate) fn enter_return() -> usize {
    &raw const ENTER_RETURN as usize
}

/// Where an uncaught trap resumes.
pub(crate) fn enter_catch() -> usize {
    &raw const ENTER_CATCH as usize
}

/// Integer argument registers.
pub(crate) const INT_REGISTERS: usize = 6;
/// Float argument registers.
pub(crate) const FLOAT_REGISTERS: usize = 8;
