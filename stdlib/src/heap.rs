//! Natives of `gc`: what a script may ask of its collector.

use crate::signature::{add, text};
use tenure_runtime::native::NativeType::{Int, Str, Unit};
use tenure_runtime::native::{HeapNumber, NativeValue, Registry};
use tenure_runtime::trap::{Trap, TrapKind};

pub(crate) fn register(registry: &mut Registry) {
    add(registry, "gc.collect", &[], Unit, |cx| {
        cx.collect(true);
        Ok(NativeValue::Unit)
    });
    add(registry, "gc.collect_young", &[], Unit, |cx| {
        cx.collect(false);
        Ok(NativeValue::Unit)
    });
    let mut number = |name, number| {
        add(registry, name, &[], Int, move |cx| Ok(NativeValue::Int(cx.heap_number(number))));
    };
    number("gc.pauses", HeapNumber::Pauses);
    number("gc.pause_ns_max", HeapNumber::PauseNsMax);
    number("gc.pause_ns_total", HeapNumber::PauseNsTotal);
    number("gc.cpu_ns", HeapNumber::GcCpuNs);
    number("gc.allocated_bytes", HeapNumber::AllocatedBytes);
    number("gc.committed_bytes", HeapNumber::CommittedBytes);
    number("gc.committed_bytes_max", HeapNumber::CommittedBytesMax);
    add(registry, "gc.census_text", &[], Str, |cx| {
        let lines: Vec<String> =
            cx.census().into_iter().map(|(name, objects, bytes)| format!("{objects} {bytes} {name}")).collect();
        text(cx, &lines.join("\n"))
    });
    add(registry, "gc.policy", &[], Str, |cx| {
        let name = cx.policy_name();
        text(cx, name)
    });
    add(registry, "gc.set_pause_goal_ns", &[Int], Unit, |cx| match u64::try_from(cx.int(0)) {
        Ok(goal_ns) if goal_ns > 0 => {
            cx.set_pause_goal_ns(goal_ns);
            Ok(NativeValue::Unit)
        }
        _ => Err(Trap::new(TrapKind::Panic, format!("a pause goal of {} ns", cx.int(0)))),
    });
}
