//! One way to register a native: its name, its types in one line, a plain Rust function.

use std::sync::Arc;
use tenure_runtime::native::{Native, NativeContext, NativeType, NativeValue, Registry};
use tenure_runtime::trap::Trap;

/// What a native gives back.
pub(crate) type Outcome = Result<NativeValue, Trap>;

/// Adds a native function.
pub(crate) fn add(
    registry: &mut Registry,
    name: &str,
    params: &[NativeType],
    result: NativeType,
    function: impl Fn(&mut dyn NativeContext) -> Outcome + Send + Sync + 'static,
) {
    registry.add(Native { name: name.into(), params: params.into(), result, function: Arc::new(function) });
}

/// A new string on the script's heap, as a result.
pub(crate) fn text(context: &mut dyn NativeContext, text: &str) -> Outcome {
    Ok(NativeValue::Str(context.new_str(text)?))
}

/// A new array of bytes on the script's heap, as a result.
pub(crate) fn bytes(context: &mut dyn NativeContext, bytes: &[u8]) -> Outcome {
    Ok(NativeValue::Bytes(context.new_bytes(bytes)?))
}

/// A new array of ints on the script's heap, as a result.
pub(crate) fn ints(context: &mut dyn NativeContext, ints: &[i64]) -> Outcome {
    Ok(NativeValue::Ints(context.new_ints(ints)?))
}
