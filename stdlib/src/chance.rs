//! The native of `random`: a seed that nobody can guess. The generator itself is written in the language.

use crate::signature::add;
use std::hash::{BuildHasher, RandomState};
use tenure_runtime::native::NativeType::Int;
use tenure_runtime::native::{NativeValue, Registry};

pub(crate) fn register(registry: &mut Registry) {
    add(registry, "random.system_seed", &[], Int, |_| {
        // the keys of a new `RandomState` come from the system's generator; hashing a constant shows 64 bits of them
        Ok(NativeValue::Int(RandomState::new().hash_one(0_u8) as i64))
    });
}
