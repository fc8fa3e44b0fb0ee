//! Natives of `time`.

use crate::signature::add;
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tenure_runtime::native::NativeType::{Int, Unit};
use tenure_runtime::native::{NativeValue, Registry};

/// The longest sleep, a day.
const SLEEP_MS_MAX: i64 = 24 * 60 * 60 * 1000;

pub(crate) fn register(registry: &mut Registry) {
    let zero = OnceLock::new();
    add(registry, "time.monotonic_ns", &[], Int, move |_| {
        let zero: &Instant = zero.get_or_init(Instant::now);
        Ok(NativeValue::Int(zero.elapsed().as_nanos() as i64))
    });
    add(registry, "time.unix_ms", &[], Int, |_| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(NativeValue::Int(since.as_millis() as i64))
    });
    add(registry, "time.sleep_ms", &[Int], Unit, |cx| {
        let ms = cx.int(0).clamp(0, SLEEP_MS_MAX);
        std::thread::sleep(Duration::from_millis(ms as u64));
        Ok(NativeValue::Unit)
    });
}
