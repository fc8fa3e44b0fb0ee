//! Primitive operations on scalars: the vocabulary that the typed tree, the IR, the evaluator and the code
//! generator share. Each traps or gives one scalar; none touches the heap.

use crate::ir::Type::{self, Byte, Float, Int, Ref};

macro_rules! prims {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// A primitive operation. Integer arithmetic without `Wrap` traps on overflow, division by zero and `MIN / -1`.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[allow(missing_docs, reason = "named after what they compute; the notable ones are documented")]
        pub enum Prim {
            $($(#[$doc])* $name,)*
        }

        impl Prim {
            /// All of them.
            pub const ALL: &[Prim] = &[$(Prim::$name,)*];
        }
    };
}

prims! {
    IntAdd,
    IntSub,
    IntMul,
    /// Truncates.
    IntDiv,
    /// Has the dividend's sign.
    IntRem,
    /// Traps on a negative exponent.
    IntPow,
    IntAddWrap,
    IntSubWrap,
    IntMulWrap,
    IntAnd,
    IntOr,
    IntXor,
    /// Traps when the count is outside 0..64; drops bits. So do the other shifts.
    IntShl,
    IntShr,
    IntShrLogical,
    /// Traps on `MIN`.
    IntNeg,
    IntNot,
    IntEq,
    IntNe,
    IntLt,
    IntLe,
    IntGt,
    IntGe,
    FloatAdd,
    FloatSub,
    FloatMul,
    FloatDiv,
    FloatRem,
    FloatPow,
    FloatNeg,
    FloatEq,
    FloatNe,
    FloatLt,
    FloatLe,
    FloatGt,
    FloatGe,
    FloatSqrt,
    FloatFloor,
    FloatCeil,
    FloatTrunc,
    /// To the nearest integer, halves away from zero.
    FloatRound,
    FloatAbs,
    /// Byte arithmetic traps outside 0..=255.
    ByteAdd,
    ByteSub,
    ByteMul,
    ByteDiv,
    ByteRem,
    ByteAnd,
    ByteOr,
    ByteXor,
    ByteEq,
    ByteNe,
    ByteLt,
    ByteLe,
    ByteGt,
    ByteGe,
    BoolEq,
    BoolNe,
    BoolNot,
    IntToFloat,
    /// Truncates; traps on NaN and outside the range.
    FloatToInt,
    /// Traps outside 0..=255.
    IntToByte,
    ByteToInt,
    /// The bits of a float as an int.
    FloatToBits,
    FloatFromBits,
    /// Identity of two references, nil included.
    RefEq,
}

impl Prim {
    /// Argument types and result type. Booleans are `Byte` with 0 or 1.
    pub fn signature(self) -> (&'static [Type], Type) {
        use Prim::*;
        match self {
            IntAdd | IntSub | IntMul | IntDiv | IntRem | IntPow | IntAddWrap | IntSubWrap | IntMulWrap | IntAnd
            | IntOr | IntXor | IntShl | IntShr | IntShrLogical => (&[Int, Int], Int),
            IntNeg | IntNot => (&[Int], Int),
            IntEq | IntNe | IntLt | IntLe | IntGt | IntGe => (&[Int, Int], Byte),
            FloatAdd | FloatSub | FloatMul | FloatDiv | FloatRem | FloatPow => (&[Float, Float], Float),
            FloatNeg | FloatSqrt | FloatFloor | FloatCeil | FloatTrunc | FloatRound | FloatAbs => (&[Float], Float),
            FloatEq | FloatNe | FloatLt | FloatLe | FloatGt | FloatGe => (&[Float, Float], Byte),
            ByteAdd | ByteSub | ByteMul | ByteDiv | ByteRem | ByteAnd | ByteOr | ByteXor => (&[Byte, Byte], Byte),
            ByteEq | ByteNe | ByteLt | ByteLe | ByteGt | ByteGe | BoolEq | BoolNe => (&[Byte, Byte], Byte),
            BoolNot => (&[Byte], Byte),
            IntToFloat | FloatFromBits => (&[Int], Float),
            FloatToInt | FloatToBits => (&[Float], Int),
            IntToByte => (&[Int], Byte),
            ByteToInt => (&[Byte], Int),
            RefEq => (&[Ref, Ref], Byte),
        }
    }

    /// Whether it can trap.
    pub fn traps(self) -> bool {
        use Prim::*;
        matches!(
            self,
            IntAdd
                | IntSub
                | IntMul
                | IntDiv
                | IntRem
                | IntPow
                | IntShl
                | IntShr
                | IntShrLogical
                | IntNeg
                | ByteAdd
                | ByteSub
                | ByteMul
                | ByteDiv
                | ByteRem
                | FloatToInt
                | IntToByte
        )
    }
}
