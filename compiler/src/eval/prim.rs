//! Primitive operations, word by word.

use crate::prim::Prim;
use tenure_runtime::text::int_pow;
use tenure_runtime::trap::{Trap, TrapKind};

/// Evaluates a primitive operation on words; of those with one operand, the second is not looked at.
pub(super) fn prim(prim: Prim, args: [u64; 2]) -> Result<u64, Trap> {
    use Prim::*;
    let int = |i: usize| args[i] as i64;
    let float = |i: usize| f64::from_bits(args[i]);
    let byte = |i: usize| args[i] as u8;
    let overflow = || Trap::from(TrapKind::Overflow);
    let checked = |result: Option<i64>| result.map(|i| i as u64).ok_or_else(overflow);
    let checked_byte = |result: Option<u8>| result.map(u64::from).ok_or_else(overflow);
    let shift = || match args[1] {
        count @ 0..64 => Ok(count as u32),
        _ => Err(Trap::from(TrapKind::Shift)),
    };
    let divisor = |zero: bool| if zero { Err(Trap::from(TrapKind::DivideByZero)) } else { Ok(()) };
    Ok(match prim {
        IntAdd => checked(int(0).checked_add(int(1)))?,
        IntSub => checked(int(0).checked_sub(int(1)))?,
        IntMul => checked(int(0).checked_mul(int(1)))?,
        IntDiv => {
            divisor(int(1) == 0)?;
            checked(int(0).checked_div(int(1)))?
        }
        IntRem => {
            divisor(int(1) == 0)?;
            checked(int(0).checked_rem(int(1)))?
        }
        IntPow => int_pow(int(0), int(1))? as u64,
        IntAddWrap => args[0].wrapping_add(args[1]),
        IntSubWrap => args[0].wrapping_sub(args[1]),
        IntMulWrap => args[0].wrapping_mul(args[1]),
        IntAnd => args[0] & args[1],
        IntOr => args[0] | args[1],
        IntXor => args[0] ^ args[1],
        IntShl => args[0] << shift()?,
        IntShr => (int(0) >> shift()?) as u64,
        IntShrLogical => args[0] >> shift()?,
        IntNeg => checked(int(0).checked_neg())?,
        IntNot => !args[0],
        IntEq | RefEq => u64::from(args[0] == args[1]),
        IntNe => u64::from(args[0] != args[1]),
        IntLt => u64::from(int(0) < int(1)),
        IntLe => u64::from(int(0) <= int(1)),
        IntGt => u64::from(int(0) > int(1)),
        IntGe => u64::from(int(0) >= int(1)),
        FloatAdd => (float(0) + float(1)).to_bits(),
        FloatSub => (float(0) - float(1)).to_bits(),
        FloatMul => (float(0) * float(1)).to_bits(),
        FloatDiv => (float(0) / float(1)).to_bits(),
        FloatRem => (float(0) % float(1)).to_bits(),
        FloatPow => float(0).powf(float(1)).to_bits(),
        FloatNeg => (-float(0)).to_bits(),
        FloatEq => u64::from(float(0) == float(1)),
        FloatNe => u64::from(float(0) != float(1)),
        FloatLt => u64::from(float(0) < float(1)),
        FloatLe => u64::from(float(0) <= float(1)),
        FloatGt => u64::from(float(0) > float(1)),
        FloatGe => u64::from(float(0) >= float(1)),
        FloatSqrt => float(0).sqrt().to_bits(),
        FloatFloor => float(0).floor().to_bits(),
        FloatCeil => float(0).ceil().to_bits(),
        FloatTrunc => float(0).trunc().to_bits(),
        FloatRound => float(0).round().to_bits(),
        FloatAbs => float(0).abs().to_bits(),
        ByteAdd => checked_byte(byte(0).checked_add(byte(1)))?,
        ByteSub => checked_byte(byte(0).checked_sub(byte(1)))?,
        ByteMul => checked_byte(byte(0).checked_mul(byte(1)))?,
        ByteDiv => {
            divisor(byte(1) == 0)?;
            u64::from(byte(0) / byte(1))
        }
        ByteRem => {
            divisor(byte(1) == 0)?;
            u64::from(byte(0) % byte(1))
        }
        ByteAnd => u64::from(byte(0) & byte(1)),
        ByteOr => u64::from(byte(0) | byte(1)),
        ByteXor => u64::from(byte(0) ^ byte(1)),
        ByteEq | BoolEq => u64::from(byte(0) == byte(1)),
        ByteNe | BoolNe => u64::from(byte(0) != byte(1)),
        ByteLt => u64::from(byte(0) < byte(1)),
        ByteLe => u64::from(byte(0) <= byte(1)),
        ByteGt => u64::from(byte(0) > byte(1)),
        ByteGe => u64::from(byte(0) >= byte(1)),
        BoolNot => u64::from(byte(0) == 0),
        IntToFloat => (int(0) as f64).to_bits(),
        FloatToInt => {
            // the first float above the range is exactly 2^63; NaN is in no range
            let truncated = float(0).trunc();
            if !(-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&truncated) {
                return Err(TrapKind::Conversion.into());
            }
            truncated as i64 as u64
        }
        IntToByte => u64::from(u8::try_from(int(0)).map_err(|_| Trap::from(TrapKind::Conversion))?),
        ByteToInt => u64::from(byte(0)),
        FloatToBits | FloatFromBits => args[0],
    })
}
