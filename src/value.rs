//! Rust types that cross the border between host and script, in both directions. Strings are copied; everything
//! else is one machine word.
//!
//! A host function's parameter is a [`Param`], its result a [`Returned`]; the arguments of a script function that the
//! host calls are [`Args`], its result a [`FromScript`]. The traits are sealed: the list is the language's, not the
//! host's.

use crate::program::Crossing;
use crate::root::{Dropped, Root};
use std::fmt;
use std::sync::Arc;
use tenure_gc::Handle;
use tenure_runtime::native::{NativeContext, NativeType, NativeValue};
use tenure_runtime::trap::{Trap, TrapKind};
use tenure_runtime::vm::{Argument, Value};

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
    fn read(cx: &dyn NativeContext, i: usize) -> Self::Of<'_>;
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
            fn read(cx: &dyn NativeContext, i: usize) -> $rust {
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
    fn read(cx: &dyn NativeContext, i: usize) -> &str {
        cx.str(i)
    }
}

impl Param for String {
    type Of<'a> = String;
    const TYPE: NativeType = NativeType::Str;
    fn read(cx: &dyn NativeContext, i: usize) -> String {
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

/// How the host sees a type of the script.
#[doc(hidden)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Seen {
    /// As one of Rust's.
    Native(NativeType),
    /// As an object.
    Root,
}

impl Seen {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Seen::Native(ty) => ty.name(),
            Seen::Root => "Root",
        }
    }

    pub(crate) fn is(self, crossing: Crossing) -> bool {
        match (self, crossing) {
            (Seen::Native(seen), Crossing::Native(ty)) => seen == ty,
            (Seen::Root, Crossing::Object(_)) => true,
            _ => false,
        }
    }

    pub(crate) fn native(self) -> Option<NativeType> {
        match self {
            Seen::Native(ty) => Some(ty),
            Seen::Root => None,
        }
    }
}

/// What a script function takes and its host passes: the parameters, and what the instance shares with its roots.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct Taken<'a> {
    pub(crate) params: &'a [Crossing],
    pub(crate) dropped: &'a Arc<Dropped>,
}

/// Arguments of a script function: a tuple of up to six of `i64`, `f64`, `bool`, `u8`, `&str`, `String`, [`Root`].
pub trait Args: sealed::Sealed {
    #[doc(hidden)]
    fn types() -> Vec<Seen>;
    #[doc(hidden)]
    fn check(&self, taken: Taken<'_>) -> Result<(), Trap>;
    #[doc(hidden)]
    fn with<T>(&self, call: impl FnOnce(&[Argument<'_>]) -> T) -> T;
}

/// One of [`Args`].
pub trait Arg: sealed::Sealed {
    #[doc(hidden)]
    const TYPE: Seen;
    #[doc(hidden)]
    fn check(&self, _at: usize, _taken: Taken<'_>) -> Result<(), Trap> {
        Ok(())
    }
    #[doc(hidden)]
    fn argument(&self) -> Argument<'_>;
}

/// A result of a script function: `()`, `i64`, `f64`, `bool`, `u8`, `String`, and [`Root`] for all other types.
pub trait FromScript: sealed::Sealed {
    #[doc(hidden)]
    const TYPE: Seen;
    #[doc(hidden)]
    fn from_value(value: Value, hold: &dyn Fn(Handle) -> Root) -> Self;
}

macro_rules! crossing {
    ($($rust:ty, $variant:ident;)*) => {$(
        impl Arg for $rust {
            const TYPE: Seen = Seen::Native(NativeType::$variant);
            fn argument(&self) -> Argument<'_> {
                Argument::$variant(*self)
            }
        }

        impl FromScript for $rust {
            const TYPE: Seen = Seen::Native(NativeType::$variant);
            fn from_value(value: Value, _: &dyn Fn(Handle) -> Root) -> $rust {
                match value {
                    Value::$variant(value) => value,
                    other => unreachable!("the signature was checked, yet here is {other:?}"),
                }
            }
        }
    )*};
}

crossing! {
    i64, Int;
    f64, Float;
    bool, Bool;
    u8, Byte;
}

impl Arg for &str {
    const TYPE: Seen = Seen::Native(NativeType::Str);
    fn argument(&self) -> Argument<'_> {
        Argument::Str(self)
    }
}

impl Arg for String {
    const TYPE: Seen = Seen::Native(NativeType::Str);
    fn argument(&self) -> Argument<'_> {
        Argument::Str(self)
    }
}

impl FromScript for String {
    const TYPE: Seen = Seen::Native(NativeType::Str);
    fn from_value(value: Value, _: &dyn Fn(Handle) -> Root) -> String {
        match value {
            Value::Str(value) => value,
            other => unreachable!("the signature was checked, yet here is {other:?}"),
        }
    }
}

impl FromScript for () {
    const TYPE: Seen = Seen::Native(NativeType::Unit);
    fn from_value(_: Value, _: &dyn Fn(Handle) -> Root) {}
}

impl sealed::Sealed for Root {}
impl Arg for Root {
    const TYPE: Seen = Seen::Root;
    fn check(&self, at: usize, taken: Taken<'_>) -> Result<(), Trap> {
        match taken.params[at] {
            Crossing::Object(ty) => self.may_be(ty, taken.dropped),
            Crossing::Native(_) => unreachable!("the signature was checked"),
        }
    }
    fn argument(&self) -> Argument<'_> {
        Argument::Held(self.handle())
    }
}

impl FromScript for Root {
    const TYPE: Seen = Seen::Root;
    fn from_value(value: Value, hold: &dyn Fn(Handle) -> Root) -> Root {
        match value {
            Value::Held(handle) => hold(handle),
            other => unreachable!("the signature was checked, yet here is {other:?}"),
        }
    }
}

macro_rules! tuples {
    ($(($($T:ident $i:tt)*);)*) => {$(
        impl<$($T: Arg),*> sealed::Sealed for ($($T,)*) {}

        impl<$($T: Arg),*> Args for ($($T,)*) {
            fn types() -> Vec<Seen> {
                vec![$($T::TYPE),*]
            }
            fn check(&self, taken: Taken<'_>) -> Result<(), Trap> {
                $(self.$i.check($i, taken)?;)*
                Ok(())
            }
            fn with<T>(&self, call: impl FnOnce(&[Argument<'_>]) -> T) -> T {
                call(&[$(self.$i.argument()),*])
            }
        }
    )*};
}

impl Args for () {
    fn types() -> Vec<Seen> {
        Vec::new()
    }
    fn check(&self, _: Taken<'_>) -> Result<(), Trap> {
        Ok(())
    }
    fn with<T>(&self, call: impl FnOnce(&[Argument<'_>]) -> T) -> T {
        call(&[])
    }
}

tuples! {
    (A 0);
    (A 0 B 1);
    (A 0 B 1 C 2);
    (A 0 B 1 C 2 D 3);
    (A 0 B 1 C 2 D 3 E 4);
    (A 0 B 1 C 2 D 3 E 4 G 5);
}
