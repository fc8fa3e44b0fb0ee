//! A program in the evaluator: no machine code, no collector; slow, and the yardstick for both.

use crate::error::ScriptError;
use std::fmt;
use tenure_compiler::eval::{Evaluator, Options};
use tenure_compiler::ir;
use tenure_compiler::source::Sources;
use tenure_runtime::interrupt::InterruptHandle;
use tenure_runtime::native::Registry;

/// What a [`Vm`](crate::Vm) is to compiled code; made by [`Program::evaluation`](crate::Program::evaluation).
pub struct Evaluation<'p> {
    evaluator: Evaluator<'p>,
    interrupts: InterruptHandle,
}

impl<'p> Evaluation<'p> {
    pub(crate) fn new(
        program: &'p ir::Program,
        natives: &'p Registry,
        sources: &'p Sources,
        options: Options<'p>,
    ) -> Evaluation<'p> {
        let interrupts = options.interrupts.clone();
        Evaluation { evaluator: Evaluator::new(program, natives, sources, options), interrupts }
    }

    /// Runs the script's top-level statements, then `main` if there is one.
    ///
    /// # Errors
    /// An uncaught trap.
    pub fn run(&mut self) -> Result<(), ScriptError> {
        let ended = self.evaluator.run_entry();
        self.evaluator.flush();
        ended.map_err(ScriptError::new)
    }

    /// Runs a `test` block, by its place in [`Program::tests`](crate::Program::tests).
    ///
    /// # Errors
    /// An uncaught trap, a failed assertion among them.
    ///
    /// # Panics
    /// If there is no such test.
    pub fn run_test(&mut self, index: usize) -> Result<(), ScriptError> {
        let ended = self.evaluator.run_test(index);
        self.evaluator.flush();
        ended.map_err(ScriptError::new)
    }

    /// How much may still be done, as for [`Vm::set_fuel`](crate::Vm::set_fuel); unlimited at first.
    pub fn set_fuel(&mut self, fuel: u64) {
        self.evaluator.set_fuel(fuel);
    }

    /// What is left of it.
    pub fn fuel(&self) -> u64 {
        self.evaluator.fuel()
    }

    /// Stops what runs, from any thread, as for [`Vm::interrupt_handle`](crate::Vm::interrupt_handle).
    pub fn interrupt_handle(&self) -> InterruptHandle {
        self.interrupts.clone()
    }
}

impl fmt::Debug for Evaluation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Evaluation").finish_non_exhaustive()
    }
}
