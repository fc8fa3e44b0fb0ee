//! Host functions: Rust closures that scripts call, gathered in a module of the host's name.
//!
//! A script writes `use game` and calls `game.dist(a, b)`. The checker learns the signatures from a module text that
//! [`Host`] writes, exactly as it learns those of the standard library's natives.
//!
//! Invariants
//! - A panic in a host function never crosses compiled code: it becomes a trap of kind `panic`.
//! - Names of modules and functions are names of the language, so the module text is always well formed.

use crate::value::{Param, Returned};
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tenure_runtime::native::{Native, NativeContext, NativeFn, NativeType, NativeValue, Registry};
use tenure_runtime::trap::{Trap, TrapKind};

/// A module of Rust functions for scripts.
///
/// ```
/// let host = tenure::Host::new("game").func("dist", |a: f64, b: f64| (a - b).abs());
/// ```
#[derive(Clone)]
pub struct Host {
    name: String,
    natives: Vec<Native>,
}

impl Host {
    /// A module of that name, without functions.
    ///
    /// # Panics
    /// If the name is not one that a script could write: a small letter or `_`, then letters, digits and `_`.
    pub fn new(name: impl Into<String>) -> Host {
        let name = name.into();
        assert!(is_name(&name), "`{name}` can't name a module: write a small letter, then letters, digits or `_`");
        Host { name, natives: Vec::new() }
    }

    /// No functions at all.
    pub fn none() -> Host {
        Host { name: String::new(), natives: Vec::new() }
    }

    /// Adds a function. Parameters may be `i64`, `f64`, `bool`, `u8`, `&str` and `String`, six at the most; see
    /// [`Returned`] for results. One of the same name is replaced.
    ///
    /// # Panics
    /// If the name is not one that a script could write.
    pub fn func<M>(mut self, name: &str, function: impl IntoHostFunction<M>) -> Host {
        assert!(is_name(name), "`{name}` can't name a function: write a small letter, then letters, digits or `_`");
        let (params, result, function) = function.into_host_function();
        self.natives.retain(|n| n.name != name);
        self.natives.push(Native { name: name.to_owned(), params, result, function });
        self
    }

    /// The module's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The module as the checker reads it.
    pub(crate) fn module_text(&self) -> String {
        let mut text = String::new();
        for native in &self.natives {
            let params: Vec<String> =
                native.params.iter().enumerate().map(|(i, &ty)| format!("a{i}: {}", ty.name())).collect();
            let result = native.result.name();
            let _ = writeln!(text, "@native pub fn {}({}) -> {result}", native.name, params.join(", "));
        }
        text
    }

    /// Adds the functions under their full names.
    pub(crate) fn register(&self, registry: &mut Registry) {
        for native in &self.natives {
            registry.add(Native { name: format!("{}.{}", self.name, native.name), ..native.clone() });
        }
    }
}

fn is_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_lowercase() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Closures that can be host functions. `M` is found by the compiler.
pub trait IntoHostFunction<M> {
    #[doc(hidden)]
    fn into_host_function(self) -> (Vec<NativeType>, NativeType, NativeFn);
}

/// What a panic said.
fn panic_text(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied().or(payload.downcast_ref::<String>().map(String::as_str));
    format!("a host function panicked: {}", text.unwrap_or("no message"))
}

macro_rules! arities {
    ($(($($P:ident $i:literal)*);)*) => {$(
        impl<F, R, $($P),*> IntoHostFunction<fn($($P),*) -> R> for F
        where
            // the first bound lets the compiler see the parameter types, the second gives them the call's lifetime
            F: Fn($($P),*) -> R + for<'a> Fn($($P::Of<'a>),*) -> R + Send + Sync + 'static,
            R: Returned,
            $($P: Param,)*
        {
            #[allow(unused_variables, reason = "a function without parameters reads none")]
            fn into_host_function(self) -> (Vec<NativeType>, NativeType, NativeFn) {
                let function = move |cx: &mut dyn NativeContext| -> Result<NativeValue, Trap> {
                    let called = catch_unwind(AssertUnwindSafe(|| {
                        let cx: &dyn NativeContext = cx;
                        call::<F, R, $($P),*>(&self, cx)
                    }));
                    match called {
                        Ok(result) => result.give(cx),
                        Err(payload) => Err(Trap::new(TrapKind::Panic, panic_text(&*payload))),
                    }
                };
                #[allow(clippy::items_after_statements, reason = "private to this arity")]
                fn call<F, R, $($P),*>(f: &F, cx: &dyn NativeContext) -> R
                where
                    F: for<'a> Fn($($P::Of<'a>),*) -> R,
                    $($P: Param,)*
                {
                    f($($P::read(cx, $i)),*)
                }
                (vec![$($P::TYPE),*], R::TYPE, Arc::new(function))
            }
        }
    )*};
}

arities! {
    ();
    (A 0);
    (A 0 B 1);
    (A 0 B 1 C 2);
    (A 0 B 1 C 2 D 3);
    (A 0 B 1 C 2 D 3 E 4);
    (A 0 B 1 C 2 D 3 E 4 G 5);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closures_give_their_signatures() {
        let host = Host::new("game")
            .func("dist", |a: f64, b: f64| (a - b).abs())
            .func("greet", |name: &str, n: i64| -> Result<String, String> { Ok(name.repeat(n as usize)) })
            .func("tick", || ())
            .func("upper", |s: String| s.to_uppercase());
        assert_eq!(
            host.module_text(),
            "@native pub fn dist(a0: float, a1: float) -> float\n\
             @native pub fn greet(a0: str, a1: int) -> str\n\
             @native pub fn tick() -> ()\n\
             @native pub fn upper(a0: str) -> str\n"
        );
        let mut registry = Registry::default();
        host.register(&mut registry);
        assert!(registry.find("game.greet").is_some());
        assert!(registry.find("greet").is_none());
    }

    #[test]
    #[should_panic(expected = "can't name a function")]
    fn a_name_no_script_can_write_is_refused() {
        let _ = Host::new("game").func("Dist", || ());
    }
}
