//! Cranelift's JIT module and what the runtime needs to know of the code in it.
//!
//! Code lies in one arena of addresses, so that functions reach each other by 32-bit displacements. A function is compiled
//! when it is first called: until then its entry in a VM's call table is a stub of twelve bytes that puts the function's
//! number in a register and goes to the runtime, which calls [`Machine::compile`].
//!
//! Invariants
//! - J1. A function's tables are in the code table before its address is given to anyone.
//! - J2. Code is freed when the machine is dropped; whoever runs it keeps the machine alive.

use super::cache::{self, CodeStore};
use super::function::{self, Input, Linker, translate};
use super::place::{self, Places};
use super::placement::{self, InnerLoop};
use crate::ir::{FuncId, Program, Type};
use crate::opt::Optimiser;
use crate::timing::Timing;
use cranelift_codegen::ir::{self as clif, AbiParam, Signature, types};
use cranelift_codegen::isa::CallConv;
use cranelift_codegen::{CompiledCode, Context, FinalizedMachExceptionHandler};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_jit::{ArenaMemoryProvider, JITBuilder, JITModule};
use cranelift_module::{FuncId as ModuleFuncId, Linkage, Module, ModuleError, ModuleReloc};
use std::mem::ManuallyDrop;
use std::ops::Range;
use std::sync::Arc;
use tenure_runtime::abi::{self, Kind, RuntimeFunction, Word};
use tenure_runtime::code::{Class, CodeTable, CompiledFunction, Handler, StackMap};
use tenure_runtime::layout::Layout;
use tenure_runtime::trap::{Trap, TrapKind};

/// Addresses reserved for a program's code; pages are committed as they fill.
const ARENA_BYTES: usize = 512 << 20;
/// Bytes of a function's stub, padding included.
const STUB_BYTES: usize = 16;
/// Fills what is never run: `int3`.
const BREAKPOINT: u8 = 0xcc;

/// What the machine reads of a program.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) program: &'a Program,
    pub(super) layout: &'a Layout,
    pub(super) optimiser: &'a Optimiser,
}

/// The code generator of one program.
pub(super) struct Machine {
    /// Dropped by hand: its memory is freed only on request.
    module: ManuallyDrop<JITModule>,
    context: Context,
    builder_context: FunctionBuilderContext,
    runtime: Vec<ModuleFuncId>,
    functions: Vec<Compiled>,
    /// Where the last function ended, in bytes from the start of a page.
    end: u32,
    store: Option<Arc<dyn CodeStore>>,
    timing: Timing,
}

#[derive(Clone, Copy, Default)]
struct Compiled {
    id: Option<ModuleFuncId>,
    address: usize,
}

/// What a listing shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Listing {
    /// Cranelift's intermediate form, as generated.
    Clif,
    /// Machine code.
    Assembly,
}

fn runtime_signature(function: RuntimeFunction) -> Signature {
    let convention = match function.kind() {
        Kind::Quiet => CallConv::PreserveAll,
        Kind::Exit => CallConv::Tail,
        Kind::Leaf => CallConv::SystemV,
    };
    let param = |word: &Word| match word {
        Word::Int => AbiParam::new(types::I64),
        Word::Float => AbiParam::new(types::F64),
    };
    let mut signature = Signature::new(convention);
    match function.kind() {
        Kind::Quiet => return signature,
        Kind::Exit => signature.params.push(AbiParam::new(types::I64)),
        Kind::Leaf => {}
    }
    signature.params.extend(function.params().iter().map(param));
    signature.returns.push(param(&function.result()));
    signature
}

/// Links a function under translation with the rest.
struct ModuleLinker<'a> {
    module: &'a mut JITModule,
    runtime: &'a [ModuleFuncId],
    /// Those of the part.
    functions: &'a [Compiled],
    layout: &'a Layout,
    current: FuncId,
}

impl Linker for ModuleLinker<'_> {
    fn runtime(&mut self, function: RuntimeFunction, into: &mut clif::Function) -> clif::FuncRef {
        self.module.declare_func_in_func(self.runtime[function as usize], into)
    }

    fn direct(&mut self, function: FuncId, into: &mut clif::Function) -> Option<clif::FuncRef> {
        let target = self.functions[function.index()];
        let stays = !self.layout.dispatchers.contains(&function.0);
        let known = stays && (target.address != 0 || function == self.current);
        target.id.filter(|_| known).map(|id| self.module.declare_func_in_func(id, into))
    }
}

/// Cranelift's settings.
fn flags() -> Vec<(&'static str, &'static str)> {
    let checks = if cfg!(debug_assertions) { "true" } else { "false" };
    vec![
        ("opt_level", "speed"),
        ("preserve_frame_pointers", "true"),
        ("enable_pinned_reg", "true"),
        ("enable_verifier", checks),
        // code from a store is compared with what would be compiled
        ("enable_incremental_compilation_cache_checks", checks),
        ("unwind_info", "false"),
        ("enable_probestack", "false"),
        // where blocks begin, for `placement`
        ("machine_code_cfg_info", "true"),
    ]
}

impl Machine {
    /// Without functions. `timing` is told of the phases; `store` keeps code beyond this machine.
    pub(super) fn new(timing: Timing, store: Option<Arc<dyn CodeStore>>) -> Result<Machine, Trap> {
        let mut builder = JITBuilder::with_flags(&flags(), cranelift_module::default_libcall_names())
            .expect("the settings are Cranelift's own, and so is the host");
        let arena = ArenaMemoryProvider::new_with_size(ARENA_BYTES)
            .map_err(|error| Trap::new(TrapKind::OutOfMemory, format!("no addresses for machine code: {error}")))?;
        builder.memory_provider(Box::new(arena));
        for &function in RuntimeFunction::ALL {
            builder.symbol(function.symbol(), function.address() as *const u8);
        }
        let mut module = JITModule::new(builder);
        let runtime = RuntimeFunction::ALL
            .iter()
            .map(|&function| {
                let signature = runtime_signature(function);
                module
                    .declare_function(function.symbol(), Linkage::Import, &signature)
                    .expect("each symbol is declared once")
            })
            .collect();
        let context = module.make_context();
        Ok(Machine {
            module: ManuallyDrop::new(module),
            context,
            builder_context: FunctionBuilderContext::new(),
            runtime,
            functions: Vec::new(),
            end: 0,
            store,
            timing,
        })
    }

    /// Adds functions. Places their stubs and returns the address of the first; they follow each other.
    pub(super) fn add(&mut self, count: usize) -> Result<usize, Trap> {
        let first = self.functions.len();
        self.functions.resize(first + count, Compiled::default());
        let mut bytes = Vec::with_capacity(count * STUB_BYTES + 8);
        for function in first..first + count {
            let target = (first + count - function) * STUB_BYTES - 12;
            bytes.extend([0x41, 0xbb]); // mov r11d, function
            bytes.extend((function as u32).to_le_bytes());
            bytes.extend([0xff, 0x25]); // jmp [rip + target]
            bytes.extend((target as u32).to_le_bytes());
            bytes.extend([BREAKPOINT; 4]);
        }
        bytes.extend((abi::compile_stub() as u64).to_le_bytes());
        let signature = Signature::new(CallConv::Tail);
        let id = self.module.declare_anonymous_function(&signature).map_err(trap_of)?;
        self.module.define_function_bytes(id, 16, &bytes, &[]).map_err(trap_of)?;
        self.module.finalize_definitions().map_err(trap_of)?;
        Ok(self.module.get_finalized_function(id) as usize)
    }

    /// Where a function's stub lies, behind the first.
    pub(super) fn stub(first: usize, function: u32) -> usize {
        first + function as usize * STUB_BYTES
    }

    /// Puts a function's CLIF into the context; gives what the numbers of its places mean, and its loops.
    fn generate(&mut self, source: Source<'_>, function: FuncId) -> (Places, Vec<InnerLoop>) {
        let ir = source.optimiser.optimise(source.program, function);
        let places = Places::new(function, &ir);
        self.module.clear_context(&mut self.context);
        self.context.func.signature = function::signature(ir.params.iter().copied(), ir.result);
        let input = Input {
            program: source.program,
            layout: source.layout,
            function: &ir,
            places: &places,
            frontend: self.module.isa().frontend_config(),
        };
        let builder = FunctionBuilder::new(&mut self.context.func, &mut self.builder_context);
        let mut linker = ModuleLinker {
            module: &mut self.module,
            runtime: &self.runtime,
            layout: source.layout,
            functions: &self.functions[source.layout.first_function as usize..],
            current: function,
        };
        self.timing.time("translate", || translate(&input, builder, &mut linker));
        let loops = placement::inner_loops(&ir, &places);
        (places, loops)
    }

    /// Compiles a function unless that was done already; returns its address. `keep` gets its places (J1).
    pub(super) fn compile(
        &mut self,
        source: Source<'_>,
        function: FuncId,
        table: &CodeTable,
        keep: impl FnOnce(Places),
    ) -> Result<usize, Trap> {
        let number = source.layout.function(function.0);
        let compiled = self.functions[number as usize];
        let known = compiled.address;
        if known != 0 {
            return Ok(known);
        }
        let ir = &source.program.functions[function.index()];
        let signature = function::signature(ir.params.iter().copied(), ir.result);
        let id = match compiled.id {
            Some(id) => id,
            None => {
                let name = format!("{}${number}", ir.name);
                self.module.declare_function(&name, Linkage::Local, &signature).map_err(trap_of)?
            }
        };
        self.functions[number as usize].id = Some(id);
        let (places, loops) = self.generate(source, function);
        let Machine { module, context, timing, store, .. } = self;
        timing.time_as(|| match cache::compile(context, module.isa(), store.as_deref()) {
            Ok(true) => ("code cache", Ok(())),
            Ok(false) => ("cranelift", Ok(())),
            Err(error) => ("cranelift", Err(trap_of(error.into()))),
        })?;
        let timing = self.timing.clone();
        let address = timing.time("link", || self.link(id, &loops))?;
        table.insert(self.tables(number, address, &places));
        keep(places);
        self.functions[number as usize].address = address;
        Ok(address)
    }

    /// Puts the code just compiled where it can run; gives its address.
    fn link(&mut self, id: ModuleFuncId, loops: &[InnerLoop]) -> Result<usize, Trap> {
        let compiled = self.context.compiled_code().expect("the function was just compiled");
        let bytes = compiled.code_buffer();
        let places = located(compiled);
        let code = placement::Code { len: bytes.len() as u32, blocks: &compiled.bb_starts, places: &places };
        let offset = placement::offset(&code, loops, self.end);
        if offset > 0 {
            // what is defined first lies at the start of fresh pages
            let padding = self.module.declare_anonymous_function(&Signature::new(CallConv::Tail)).map_err(trap_of)?;
            self.module.define_function_bytes(padding, 1, &vec![BREAKPOINT; offset as usize], &[]).map_err(trap_of)?;
        }
        let relocs = compiled.buffer.relocs().iter();
        let relocs: Vec<_> = relocs.map(|reloc| ModuleReloc::from_mach_reloc(reloc, &self.context.func, id)).collect();
        let align = compiled.buffer.alignment.max(placement::ALIGN);
        self.module.define_function_bytes(id, u64::from(align), bytes, &relocs).map_err(trap_of)?;
        self.module.finalize_definitions().map_err(trap_of)?;
        let address = self.module.get_finalized_function(id) as usize;
        self.end = (address + bytes.len()) as u32 % placement::PAGE_BYTES;
        Ok(address)
    }

    /// What the runtime has to know of the code just compiled.
    fn tables(&self, function: u32, start: usize, places_of: &Places) -> CompiledFunction {
        let code = self.context.compiled_code().expect("the function was just compiled");
        let mut slots = Vec::new();
        let stack_maps = code.buffer.user_stack_maps().iter().map(|(offset, span, map)| {
            let first = slots.len() as u32;
            slots.extend(map.entries().map(|(_, from_stack_pointer)| from_stack_pointer as i32 - *span as i32));
            StackMap { offset: *offset, first, count: slots.len() as u32 - first }
        });
        let stack_maps = stack_maps.collect();
        let mut handlers = Vec::new();
        for site in code.buffer.call_sites() {
            for handler in site.exception_handlers {
                if let FinalizedMachExceptionHandler::Default(target) = *handler {
                    let frame = site.frame_offset.expect("calls with handlers know their frame");
                    handlers.push(Handler { offset: site.ret_addr, target, frame });
                }
            }
        }
        let mut places: Vec<_> = located(code).into_iter().map(|(range, place)| (range.start, place)).collect();
        places.dedup_by_key(|&mut (_, place)| place);
        let outer = places_of.outer(places.iter().map(|&(_, place)| place));
        CompiledFunction {
            function,
            start,
            len: code.code_info().total_size,
            stack_maps,
            slots,
            handlers,
            places,
            outer,
        }
    }

    /// A function's code as text; it is not kept.
    pub(super) fn listing(&mut self, source: Source<'_>, function: FuncId, listing: Listing) -> String {
        let name = &source.program.functions[function.index()].name;
        let _ = self.generate(source, function);
        let text = match listing {
            Listing::Clif => self.context.func.display().to_string(),
            Listing::Assembly => {
                self.context.set_disasm(true);
                let compiled = self.context.compile(self.module.isa(), &mut Default::default());
                let text = match compiled {
                    Ok(code) => code.vcode.clone().unwrap_or_default(),
                    Err(error) => format!("; {}\n", error.inner),
                };
                self.context.set_disasm(false);
                text
            }
        };
        format!("; {name}\n{text}\n")
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // SAFETY: taken once, here; and nothing runs the code any more (J2).
        unsafe { ManuallyDrop::take(&mut self.module).free_memory() };
    }
}

/// Which places instructions are of, in the order in which they lie there.
fn located(code: &CompiledCode) -> Vec<(Range<u32>, u32)> {
    let mut last = place::FUNCTION;
    let locations = code.buffer.get_srclocs_sorted().iter();
    locations
        .map(|location| {
            // what Cranelift put in, as for a division by a constant, belongs to the place before it
            if !location.loc.is_default() {
                last = location.loc.bits();
            }
            (location.start..location.end, last)
        })
        .collect()
}

/// A limit that a function ran into is the script's problem, anything else ours.
fn trap_of(error: ModuleError) -> Trap {
    use cranelift_codegen::CodegenError;
    match error {
        ModuleError::Allocation { err } => {
            Trap::new(TrapKind::OutOfMemory, format!("no memory for machine code: {err}"))
        }
        ModuleError::Compilation(error @ (CodegenError::ImplLimitExceeded | CodegenError::CodeTooLarge)) => {
            Trap::new(TrapKind::Panic, format!("a function is too large to compile: {error}"))
        }
        error => panic!("bug: code generation failed: {error:#?}"),
    }
}

/// In what kind of register a value of this type is passed.
pub(super) fn class(ty: Type) -> Class {
    match ty {
        Type::Int | Type::Ref => Class::Word,
        Type::Byte => Class::Byte,
        Type::Float => Class::Float,
    }
}
