//! A summary of the collector's work in one run: gathered by an observer, printed as a table or as JSON.

use super::size::{show_bytes, show_ns};
use comfy_table::{Table, presets};
use nix::sys::resource::{UsageWho, getrusage};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use tenure::{Cycle, Knobs, Observer, Reason, Vm};

/// Thresholds that differ by less are one, in parts of a thousand.
const THRESHOLD_STEP: f64 = 10.0;

/// What was seen while the script ran; shared with the heap's observer.
#[derive(Clone, Default)]
pub struct Seen {
    knobs: Arc<Mutex<KnobsSeen>>,
}

#[derive(Default)]
struct KnobsSeen {
    old_region_bytes: BTreeSet<u64>,
    eden_region_bytes: BTreeSet<u64>,
    /// In steps of [`THRESHOLD_STEP`].
    thresholds: BTreeSet<u64>,
    region_sizes_alive_max: u32,
}

impl Seen {
    /// The heap's end of it.
    pub fn observer(&self) -> Box<dyn Observer> {
        Box::new(self.clone())
    }
}

impl KnobsSeen {
    fn add(&mut self, knobs: &Knobs) {
        self.old_region_bytes.insert(knobs.old_region_bytes);
        self.eden_region_bytes.insert(knobs.eden_region_bytes);
        self.thresholds.insert((knobs.concurrent_start_share * 1000.0 / THRESHOLD_STEP).round() as u64);
    }
}

impl Observer for Seen {
    fn cycle(&mut self, cycle: &Cycle) {
        let mut seen = self.knobs.lock().unwrap_or_else(PoisonError::into_inner);
        seen.add(&cycle.decision.knobs);
        seen.region_sizes_alive_max = seen.region_sizes_alive_max.max(cycle.snapshot.region_sizes_alive);
    }
}

/// The summary.
pub struct Summary {
    policy: &'static str,
    stats: tenure::Stats,
    decisions: Vec<(Reason, u64)>,
    class: Option<(&'static str, f64)>,
    forecast: Option<(u64, u64)>,
    old_region_bytes: Vec<u64>,
    eden_region_bytes: Vec<u64>,
    thresholds_percent: Vec<u64>,
    region_sizes_alive_max: u32,
    process_cpu_ns: u64,
    peak_memory_bytes: u64,
}

impl Summary {
    /// Of a run that has ended.
    pub fn of(vm: &mut Vm, seen: &Seen) -> Summary {
        let gc = vm.gc();
        let mut knobs = seen.knobs.lock().unwrap_or_else(PoisonError::into_inner);
        // the last decision's cycle has not ended
        knobs.add(&gc.knobs());
        Summary {
            policy: gc.policy_name(),
            stats: gc.stats(),
            decisions: gc.advisor_decisions(),
            class: gc.advisor_class(),
            forecast: gc.advisor_forecast(),
            old_region_bytes: knobs.old_region_bytes.iter().copied().collect(),
            eden_region_bytes: knobs.eden_region_bytes.iter().copied().collect(),
            thresholds_percent: knobs.thresholds.iter().copied().collect(),
            region_sizes_alive_max: knobs.region_sizes_alive_max,
            process_cpu_ns: process_cpu_ns(),
            peak_memory_bytes: peak_memory_bytes(),
        }
    }

    /// For people.
    pub fn table(&self) -> String {
        let s = &self.stats;
        let kinds = ["young", "concurrent start", "prepare mixed", "mixed", "full"];
        let by_kind: Vec<String> =
            kinds.iter().zip(s.pauses_by_kind).filter(|(_, n)| *n > 0).map(|(kind, n)| format!("{n} {kind}")).collect();
        let share =
            if self.process_cpu_ns == 0 { 0.0 } else { s.gc_cpu_ns as f64 / self.process_cpu_ns as f64 * 100.0 };
        let mut rows = vec![
            ("policy", self.policy.to_owned()),
            ("pauses", if by_kind.is_empty() { "none".into() } else { by_kind.join(", ") }),
            (
                "pause p50 / p99 / max",
                format!("{} / {} / {}", show_ns(s.pause_ns_p50()), show_ns(s.pause_ns_p99()), show_ns(s.pause_ns_max)),
            ),
            ("time in pauses went to", phases(s)),
            ("CPU of the process", show_ns(self.process_cpu_ns)),
            ("CPU of the collector", format!("{} ({share:.1} %)", show_ns(s.gc_cpu_ns))),
            ("allocated", show_bytes(s.allocated_bytes)),
            ("copied / freed", format!("{} / {}", show_bytes(s.copied_bytes), show_bytes(s.freed_bytes))),
            ("heap committed, peak", show_bytes(s.committed_bytes_max)),
            ("process memory, peak", show_bytes(self.peak_memory_bytes)),
            ("old region sizes", list(&self.old_region_bytes, show_bytes)),
            ("eden region sizes", list(&self.eden_region_bytes, show_bytes)),
            ("sizes side by side, most", self.region_sizes_alive_max.to_string()),
            ("marking thresholds", list(&self.thresholds_percent, |p| format!("{p} %"))),
            ("to safepoint p50/p99/max", to_safepoint(s)),
            ("fallbacks to adaptive", s.policy_fallbacks.to_string()),
            ("least left to the program", mmu(s)),
            (
                "beside the heap, p50 / now",
                format!("{:.2} % / {}", s.metadata_share_quantile(0.5) * 100.0, show_bytes(s.metadata_bytes)),
            ),
        ];
        if !self.decisions.is_empty() {
            let decisions: Vec<String> =
                self.decisions.iter().map(|(r, n)| format!("{n} {}", reason_name(*r))).collect();
            rows.push(("advisor's decisions", decisions.join(", ")));
        }
        if let Some((class, probability)) = self.class {
            rows.push(("class of the workload", format!("{class} ({:.0} %)", probability * 100.0)));
        }
        if let Some((allocated, live)) = self.forecast {
            let said = format!("{} a CPU second allocated, {} alive", show_bytes(allocated), show_bytes(live));
            rows.push(("forecast of a minute", said));
        }
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        for (name, value) in rows {
            table.add_row([name.to_owned(), value]);
        }
        format!("{}\n", table.trim_fmt())
    }

    /// For programs; times in nanoseconds, sizes in bytes.
    pub fn json(&self) -> Value {
        let s = &self.stats;
        let decisions: serde_json::Map<String, Value> =
            self.decisions.iter().map(|(r, n)| (reason_name(*r).to_owned(), json!(n))).collect();
        let mut summary = json!({
            "policy": self.policy,
            "pauses": s.pauses(),
            "pauses_young": s.pauses_by_kind[0],
            "pauses_concurrent_start": s.pauses_by_kind[1],
            "pauses_prepare_mixed": s.pauses_by_kind[2],
            "pauses_mixed": s.pauses_by_kind[3],
            "pauses_full": s.pauses_by_kind[4],
            "marking_waits": s.marking_waits,
            "pause_ns_p50": s.pause_ns_p50(),
            "pause_ns_p99": s.pause_ns_p99(),
            "pause_ns_max": s.pause_ns_max,
            "pause_ns_total": s.pause_ns_total,
            "phases_ns": phases_json(s),
            "gc_cpu_ns": s.gc_cpu_ns,
            "process_cpu_ns": self.process_cpu_ns,
            "peak_memory_bytes": self.peak_memory_bytes,
            "committed_bytes_max": s.committed_bytes_max,
            "allocated_bytes": s.allocated_bytes,
            "copied_bytes": s.copied_bytes,
            "freed_bytes": s.freed_bytes,
            "marked_bytes": s.marked_bytes,
            "remembered_entries": s.remembered_entries,
            "barrier_slow_paths": s.barrier_slow_paths,
            "failed_copies": s.failed_copies,
            "policy_fallbacks": s.policy_fallbacks,
            "mutator_cpu_ns": s.mutator_cpu_ns,
            "host_bytes": s.host_bytes,
            "metadata_bytes": s.metadata_bytes,
            "metadata_bytes_max": s.metadata_bytes_max,
            "metadata_share_p50": s.metadata_share_quantile(0.5),
            "metadata_share_max": s.metadata_share_quantile(1.0),
            "pressure_events": s.pressure_events,
            "resource_panics": s.resource_panics,
            "mmu": mmu_json(s),
            "pause_histogram_ns": s.pause_histogram().map(|(up_to, pauses)| json!([up_to, pauses])).collect::<Vec<_>>(),
            "to_safepoint": to_safepoint_json(s),
            "old_region_bytes": self.old_region_bytes,
            "eden_region_bytes": self.eden_region_bytes,
            "thresholds_percent": self.thresholds_percent,
            "region_sizes_alive_max": self.region_sizes_alive_max,
            "decisions": decisions,
        });
        summary["class"] = json!(self.class.map(|(class, _)| class));
        summary["class_probability"] = json!(self.class.map(|(_, probability)| probability));
        summary["forecast_minute_allocated_bytes_per_cpu_s"] = json!(self.forecast.map(|(allocated, _)| allocated));
        summary["forecast_minute_live_bytes"] = json!(self.forecast.map(|(_, live)| live));
        summary
    }
}

/// The phases that took most of all pauses; of several workers in one, the longest counts.
fn phases(stats: &tenure::Stats) -> String {
    let mut phases = tenure::PausePhase::ALL.map(|phase| (stats.phases.longest_ns(phase), phase));
    phases.sort_by_key(|(ns, _)| std::cmp::Reverse(*ns));
    let shown: Vec<String> = phases
        .into_iter()
        .filter(|(ns, _)| *ns > 0)
        .take(5)
        .map(|(ns, phase)| format!("{} {}", phase.name().to_lowercase(), show_ns(ns)))
        .collect();
    if shown.is_empty() { "nothing".into() } else { shown.join(", ") }
}

fn phases_json(stats: &tenure::Stats) -> Value {
    tenure::PausePhase::ALL
        .into_iter()
        .map(|phase| (phase.name().to_owned(), json!(stats.phases.longest_ns(phase))))
        .collect()
}

/// Minimum mutator utilisation by window.
fn mmu(stats: &tenure::Stats) -> String {
    let windows = tenure::MMU_WINDOWS_NS.iter().zip(stats.mmu);
    let shown: Vec<String> =
        windows.map(|(ns, share)| format!("{:.0} % of any {} ms", share * 100.0, ns / 1_000_000)).collect();
    shown.join(", ")
}

/// How soon the script came when it was wanted at a safepoint.
fn to_safepoint(stats: &tenure::Stats) -> String {
    if stats.safepoint_requests() == 0 {
        return "never wanted".into();
    }
    let [p50, p99, max] = [0.5, 0.99, 1.0].map(|quantile| show_ns(stats.time_to_safepoint_ns_quantile(quantile)));
    format!("{p50} / {p99} / {max}")
}

fn to_safepoint_json(stats: &tenure::Stats) -> Value {
    let buckets: Vec<Value> = stats.time_to_safepoint_histogram().map(|(up_to, times)| json!([up_to, times])).collect();
    json!({
        "requests": stats.safepoint_requests(),
        "ns_p50": stats.time_to_safepoint_ns_quantile(0.5),
        "ns_p99": stats.time_to_safepoint_ns_quantile(0.99),
        "ns_max": stats.time_to_safepoint_ns_quantile(1.0),
        "histogram_ns": buckets,
    })
}

fn mmu_json(stats: &tenure::Stats) -> Value {
    let windows = tenure::MMU_WINDOWS_NS.iter().zip(stats.mmu);
    windows.map(|(ns, share)| (format!("{}ms", ns / 1_000_000), json!(share))).collect::<serde_json::Map<_, _>>().into()
}

fn list<T: Copy>(items: &[T], show: impl Fn(T) -> String) -> String {
    const SHOWN_MAX: usize = 12;
    let mut shown: Vec<String> = items.iter().take(SHOWN_MAX).map(|&item| show(item)).collect();
    if items.len() > SHOWN_MAX {
        shown.push(format!("… {} in all", items.len()));
    }
    if shown.is_empty() { "–".into() } else { shown.join(", ") }
}

/// As logs and reports write it.
pub fn reason_name(reason: Reason) -> &'static str {
    match reason {
        Reason::Static => "static",
        Reason::Adaptive => "adaptive",
        Reason::Warmup => "warmup",
        Reason::Model => "model",
        Reason::Hold => "hold",
        Reason::NoModel => "no-model",
        Reason::OutOfDistribution => "out-of-distribution",
        Reason::Guard => "guard",
        Reason::Probe => "probe",
        Reason::Explore => "explore",
        Reason::Adversarial => "adversarial",
        Reason::Rule => "rule",
        Reason::Survey => "survey",
        Reason::Undo => "undo",
    }
}

/// User and system time of this process so far.
pub fn process_cpu_ns() -> u64 {
    let Ok(usage) = getrusage(UsageWho::RUSAGE_SELF) else { return 0 };
    let ns = |t: nix::sys::time::TimeVal| t.tv_sec() as u64 * 1_000_000_000 + t.tv_usec() as u64 * 1000;
    ns(usage.user_time()) + ns(usage.system_time())
}

/// The most memory this process had in use. Not from `getrusage`, whose figure a child inherits from its parent.
fn peak_memory_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}
