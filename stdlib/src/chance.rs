//! Natives of `random`: bits that nobody can guess. The seeded generator itself is written in the language.

use crate::process::reason;
use crate::signature::{Outcome, add, bytes};
use tenure_runtime::native::NativeType::{Bytes, Int};
use tenure_runtime::native::{NativeValue, Registry};
use tenure_runtime::trap::{Trap, TrapKind};

/// The most bytes one call gives.
const BYTES_MAX: i64 = 1 << 20;

pub(crate) fn register(registry: &mut Registry) {
    add(registry, "random.system_seed", &[], Int, |_| {
        let mut seed = [0; 8];
        fill(&mut seed)?;
        Ok(NativeValue::Int(i64::from_le_bytes(seed)))
    });
    add(registry, "random.system_bytes", &[Int], Bytes, |cx| -> Outcome {
        let count = cx.int(0);
        if !(0..=BYTES_MAX).contains(&count) {
            return Err(Trap::new(
                TrapKind::Panic,
                format!("{count} random bytes: 0 to {BYTES_MAX} can be had at once"),
            ));
        }
        let mut made = vec![0; count as usize];
        fill(&mut made)?;
        bytes(cx, &made)
    });
}

fn fill(to: &mut [u8]) -> Result<(), Trap> {
    getrandom::fill(to).map_err(|error| {
        let words = reason(&std::io::Error::from(error));
        Trap::new(TrapKind::Io, format!("the system's random generator: {words}"))
    })
}
