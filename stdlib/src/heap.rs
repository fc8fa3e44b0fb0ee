//! Natives of `gc`: what a script may ask of its collector.

use crate::signature::add;
use tenure_runtime::native::NativeType::Unit;
use tenure_runtime::native::{NativeValue, Registry};

pub(crate) fn register(registry: &mut Registry) {
    add(registry, "gc.collect", &[], Unit, |cx| {
        cx.collect(true);
        Ok(NativeValue::Unit)
    });
    add(registry, "gc.collect_young", &[], Unit, |cx| {
        cx.collect(false);
        Ok(NativeValue::Unit)
    });
}
