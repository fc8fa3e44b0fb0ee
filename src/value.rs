//! Rust types that cross the border between host and script, in both directions. Strings are copied; everything
//! else is one machine word.
//!
//! A host function's parameter is a [`Param`], its result a [`Returned`]; the arguments of a script function that the
//! host calls are [`Args`], its result a [`FromScript`]. The traits are sealed: the list is the language's, not the
//! host's.

use std::fmt;
use tenure_runtime::native::{NativeContext, NativeType, NativeValue};
use tenure_runtime::trap::{Trap, TrapKind};

mod sealed {
    pub trait Sealed {}
}

/// A parameter of a host function: `i64`, `f64`, `bool`, `u8`, `&str`, `String`.
pub trait Param: sealed::Sealed {
    /// The type itself, with the lifetime of one call.
    type Of<'a>;
    #[doc(hidden)]
    const TYPE: NativeType;
    #[doc(hidden)]
    fn read<'a>(cx: &'a dyn NativeContext, i: usize) -> Self::Of<'a>;
}

/// A result of a host function: `()`, `i64`, `f64`, `bool`, `u8`, `String`, `&'static str`, or a `Result` of one of them with
/// an error that can be displayed; an error becomes a panic of kind `panic` in the script, which it can catch.
pub trait Returned: sealed::Sealed {
    #[doc(hidden)]
    const TYPE: NativeType;
    #[doc(hidden)]
    fn give(self, cx: &mut dyn NativeContext) -> Result<NativeValue, Trap>;
}

macro_rules! scalars {
    ($($rust:ty, $variant:ident, $accessor:ident;)*) => {$(
        impl sealed::Sealed for $rust {}

        impl Param for $rust {
            type Of<'a> = $rust;
            const TYPE: NativeType = NativeType::$variant;
            fn read<'a>(cx: &'a dyn NativeContext, i: usize) -> $rust {
                cx.$accessor(i)
            }
        }

        impl Returned for $rust {
            const TYPE: NativeType = NativeType::$variant;
            fn give(self, _: &mut dyn NativeContext) -> Result<NativeValue, Trap> {
                Ok(NativeValue::$variant(self))
            }
        }
    )*};
}

scalars! {
    i64, Int, int;
    f64, Float, float;
    bool, Bool, bool;
    u8, Byte, byte;
}

impl sealed::Sealed for &str {}
impl sealed::Sealed for String {}
impl sealed::Sealed for () {}
impl<T: sealed::Sealed, E> sealed::Sealed for Result<T, E> {}

impl Param for &str {
    type Of<'a> = &'a str;
    const TYPE: NativeType = NativeType::Str;
    fn read<'a>(cx: &'a dyn NativeContext, i: usize) -> &'a str {
        cx.str(i)
    }
}

impl Param for String {
    type Of<'a> = String;
    const TYPE: NativeType = NativeType::Str;
    fn read<'a>(cx: &'a dyn NativeContext, i: usize) -> String {
        cx.str(i).to_owned()
    }
}

impl Returned for () {
    const TYPE: NativeType = NativeType::Unit;
    fn give(self, _: &mut dyn NativeContext) -> Result<NativeValue, Trap> {
        Ok(NativeValue::Unit)
    }
}

impl Returned for String {
    const TYPE: NativeType = NativeType::Str;
    fn give(self, cx: &mut dyn NativeContext) -> Result<NativeValue, Trap> {
        Ok(NativeValue::Str(cx.new_str(&self)?))
    }
}

impl Returned for &'static str {
    const TYPE: NativeType = NativeType::Str;
    fn give(self, cx: &mut dyn NativeContext) -> Result<NativeValue, Trap> {
        Ok(NativeValue::Str(cx.new_str(self)?))
    }
}

impl<T: Returned, E: fmt::Display> Returned for Result<T, E> {
    const TYPE: NativeType = T::TYPE;
    fn give(self, cx: &mut dyn NativeContext) -> Result<NativeValue, Trap> {
        match self {
            Ok(value) => value.give(cx),
            Err(error) => Err(Trap::new(TrapKind::Panic, error.to_string())),
        }
    }
}
