//! Primitive operations to CLIF.
//!
//! Overflow checks cost `seto; test; jnz`; only knowing ranges gets rid of them.

use super::function::{Comparison, Translator};
use crate::ir::Value;
use crate::prim::Prim;
use cranelift_codegen::ir::condcodes::{CondCode, FloatCC, IntCC};
use cranelift_codegen::ir::{self as clif, InstBuilder, MemFlagsData, types};
use tenure_runtime::abi::RuntimeFunction;
use tenure_runtime::trap::TrapKind;

/// The smallest float that is too large for an int, 2^63; its negation is the smallest int.
const INT_END: f64 = 9_223_372_036_854_775_808.0;

impl Translator<'_, '_> {
    /// A comparison's flag; it is kept, so that its negation is a comparison too.
    pub(super) fn compare(&mut self, result: Value, comparison: Comparison) -> clif::Value {
        self.comparisons.insert(result, comparison);
        match comparison {
            Comparison::Int(code, a, b) => self.builder.ins().icmp(code, a, b),
            Comparison::Float(code, a, b) => self.builder.ins().fcmp(code, a, b),
        }
    }

    fn not(&mut self, operand: Value, result: Value) -> clif::Value {
        let opposite = match self.comparisons.get(&operand) {
            Some(&Comparison::Int(code, a, b)) => Comparison::Int(code.complement(), a, b),
            Some(&Comparison::Float(code, a, b)) => Comparison::Float(code.complement(), a, b),
            None => {
                let (flag, zero) = (self.value(operand), self.builder.ins().iconst(types::I8, 0));
                Comparison::Int(IntCC::Equal, flag, zero)
            }
        };
        self.compare(result, opposite)
    }

    /// `Op::Prim`.
    pub(super) fn prim(&mut self, prim: Prim, operands: &[Value], result: Value) -> clif::Value {
        use Prim::*;
        if prim == BoolNot {
            return self.not(operands[0], result);
        }
        let a = self.value(operands[0]);
        let b = match operands.get(1) {
            Some(&b) => self.value(b),
            None => a,
        };
        if let Some(code) = int_comparison(prim) {
            return self.compare(result, Comparison::Int(code, a, b));
        }
        if let Some(code) = float_comparison(prim) {
            return self.compare(result, Comparison::Float(code, a, b));
        }
        match prim {
            IntAdd => {
                let (sum, overflow) = self.builder.ins().sadd_overflow(a, b);
                self.trap_if(overflow, TrapKind::Overflow);
                sum
            }
            IntSub => {
                let (difference, overflow) = self.builder.ins().ssub_overflow(a, b);
                self.trap_if(overflow, TrapKind::Overflow);
                difference
            }
            IntMul => {
                let (product, overflow) = self.builder.ins().smul_overflow(a, b);
                self.trap_if(overflow, TrapKind::Overflow);
                product
            }
            IntDiv => {
                self.check_divisor(operands[1], b);
                if self.constant(operands[1]).is_none_or(|divisor| divisor == -1) {
                    self.check_quotient(a, b);
                }
                self.builder.ins().sdiv(a, b)
            }
            IntRem => {
                self.check_divisor(operands[1], b);
                if self.constant(operands[1]).is_none_or(|divisor| divisor == -1) {
                    self.check_quotient(a, b);
                }
                self.builder.ins().srem(a, b)
            }
            IntPow => self.call_exit(RuntimeFunction::IntPow, &[a, b], &[]),
            IntAddWrap => {
                match (self.constant(operands[0]), self.constant(operands[1])) {
                    (_, Some(constant)) => self.define_displaced(result, operands[0], constant),
                    (Some(constant), None) => self.define_displaced(result, operands[1], constant),
                    (None, None) => {}
                }
                self.builder.ins().iadd(a, b)
            }
            IntSubWrap => {
                if let Some(constant) = self.constant(operands[1]) {
                    self.define_displaced(result, operands[0], constant.wrapping_neg());
                }
                self.builder.ins().isub(a, b)
            }
            IntMulWrap => self.builder.ins().imul(a, b),
            IntAnd | ByteAnd => self.builder.ins().band(a, b),
            IntOr | ByteOr => self.builder.ins().bor(a, b),
            IntXor | ByteXor => self.builder.ins().bxor(a, b),
            IntShl | IntShr | IntShrLogical => {
                if self.constant(operands[1]).is_none_or(|count| !(0..64).contains(&count)) {
                    let outside = self.builder.ins().icmp_imm_s(IntCC::UnsignedGreaterThan, b, 63);
                    self.trap_if(outside, TrapKind::Shift);
                }
                match prim {
                    IntShl => self.builder.ins().ishl(a, b),
                    IntShr => self.builder.ins().sshr(a, b),
                    _ => self.builder.ins().ushr(a, b),
                }
            }
            IntNeg => {
                let zero = self.builder.ins().iconst(types::I64, 0);
                let (negated, overflow) = self.builder.ins().ssub_overflow(zero, a);
                self.trap_if(overflow, TrapKind::Overflow);
                negated
            }
            IntNot => self.builder.ins().bnot(a),
            FloatAdd => self.builder.ins().fadd(a, b),
            FloatSub => self.builder.ins().fsub(a, b),
            FloatMul => self.builder.ins().fmul(a, b),
            FloatDiv => self.builder.ins().fdiv(a, b),
            FloatRem => self.call_leaf(RuntimeFunction::FloatRem, &[a, b]),
            FloatPow => self.call_leaf(RuntimeFunction::FloatPow, &[a, b]),
            FloatNeg => self.builder.ins().fneg(a),
            FloatSqrt => self.builder.ins().sqrt(a),
            FloatFloor => self.builder.ins().floor(a),
            FloatCeil => self.builder.ins().ceil(a),
            FloatTrunc => self.builder.ins().trunc(a),
            FloatRound => self.call_leaf(RuntimeFunction::FloatRound, &[a]),
            FloatAbs => self.builder.ins().fabs(a),
            ByteAdd | ByteSub | ByteMul => self.byte_arithmetic(prim, a, b),
            ByteDiv | ByteRem => {
                let zero = self.builder.ins().icmp_imm_s(IntCC::Equal, b, 0);
                self.trap_if(zero, TrapKind::DivideByZero);
                match prim {
                    ByteDiv => self.builder.ins().udiv(a, b),
                    _ => self.builder.ins().urem(a, b),
                }
            }
            IntToFloat => self.builder.ins().fcvt_from_sint(types::F64, a),
            FloatToInt => self.float_to_int(a),
            IntToByte => {
                let outside = self.builder.ins().icmp_imm_s(IntCC::UnsignedGreaterThan, a, 255);
                self.trap_if(outside, TrapKind::Conversion);
                self.builder.ins().ireduce(types::I8, a)
            }
            ByteToInt => self.builder.ins().uextend(types::I64, a),
            FloatToBits => self.builder.ins().bitcast(types::I64, MemFlagsData::new(), a),
            FloatFromBits => self.builder.ins().bitcast(types::F64, MemFlagsData::new(), a),
            _ => unreachable!("bug: comparisons were dealt with: {prim:?}"),
        }
    }

    fn check_divisor(&mut self, operand: Value, divisor: clif::Value) {
        if self.constant(operand).is_none_or(|divisor| divisor == 0) {
            let zero = self.builder.ins().icmp_imm_s(IntCC::Equal, divisor, 0);
            self.trap_if(zero, TrapKind::DivideByZero);
        }
    }

    /// Traps on the one quotient that is no int.
    fn check_quotient(&mut self, dividend: clif::Value, divisor: clif::Value) {
        let least = self.builder.ins().icmp_imm_s(IntCC::Equal, dividend, i64::MIN);
        let minus_one = self.builder.ins().icmp_imm_s(IntCC::Equal, divisor, -1);
        let overflow = self.builder.ins().band(least, minus_one);
        self.trap_if(overflow, TrapKind::Overflow);
    }

    fn byte_arithmetic(&mut self, prim: Prim, a: clif::Value, b: clif::Value) -> clif::Value {
        let (a, b) = (self.builder.ins().uextend(types::I32, a), self.builder.ins().uextend(types::I32, b));
        let wide = match prim {
            Prim::ByteAdd => self.builder.ins().iadd(a, b),
            Prim::ByteSub => self.builder.ins().isub(a, b),
            _ => self.builder.ins().imul(a, b),
        };
        let outside = self.builder.ins().icmp_imm_s(IntCC::UnsignedGreaterThan, wide, 255);
        self.trap_if(outside, TrapKind::Overflow);
        self.builder.ins().ireduce(types::I8, wide)
    }

    fn float_to_int(&mut self, value: clif::Value) -> clif::Value {
        let least = self.builder.ins().f64const(-INT_END);
        let end = self.builder.ins().f64const(INT_END);
        // Negated comparisons hold for NaN too.
        let below = self.builder.ins().fcmp(FloatCC::UnorderedOrLessThan, value, least);
        self.trap_if(below, TrapKind::Conversion);
        let above = self.builder.ins().fcmp(FloatCC::UnorderedOrGreaterThanOrEqual, value, end);
        self.trap_if(above, TrapKind::Conversion);
        self.builder.ins().fcvt_to_sint_sat(types::I64, value)
    }
}

fn int_comparison(prim: Prim) -> Option<IntCC> {
    use Prim::*;
    Some(match prim {
        IntEq | ByteEq | BoolEq | RefEq => IntCC::Equal,
        IntNe | ByteNe | BoolNe => IntCC::NotEqual,
        IntLt => IntCC::SignedLessThan,
        IntLe => IntCC::SignedLessThanOrEqual,
        IntGt => IntCC::SignedGreaterThan,
        IntGe => IntCC::SignedGreaterThanOrEqual,
        ByteLt => IntCC::UnsignedLessThan,
        ByteLe => IntCC::UnsignedLessThanOrEqual,
        ByteGt => IntCC::UnsignedGreaterThan,
        ByteGe => IntCC::UnsignedGreaterThanOrEqual,
        _ => return None,
    })
}

fn float_comparison(prim: Prim) -> Option<FloatCC> {
    use Prim::*;
    Some(match prim {
        FloatEq => FloatCC::Equal,
        FloatNe => FloatCC::NotEqual,
        FloatLt => FloatCC::LessThan,
        FloatLe => FloatCC::LessThanOrEqual,
        FloatGt => FloatCC::GreaterThan,
        FloatGe => FloatCC::GreaterThanOrEqual,
        _ => return None,
    })
}
