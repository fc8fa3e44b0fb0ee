//! Large objects that come and go for long, in little room.

use crate::Settings;
use crate::process;
use crate::rows::floor::least_heap_mib;

/// Measures it.
pub fn measure(settings: &Settings) -> String {
    let script = process::script("large_mix");
    // about 1.7 MB each
    let replacements = settings.pick("68000", "3000").to_string();
    let args = ["32".to_string(), "1500".to_string()];
    let least_mib = least_heap_mib(&script, &args);
    let limit_mib = 2 * least_mib;
    let mut options = settings.policy_options();
    options.push(format!("--max-heap={limit_mib}M"));
    let run = process::tenure(&options, &script, &["32".to_string(), replacements]);
    let figure = |name: &str| run.stats[name].as_f64().expect("a figure");
    format!(
        "Minimum heap {least_mib} MiB, limit {limit_mib} MiB: {:.1} GB allocated, {:.0} full collections, {:.0} markings that \
         an allocation waited for, {:.0} pauses ({:.0} mixed); CPU {:.1} s, of it the collector's {:.2} s; peak memory {:.0} MiB.\n",
        figure("allocated_bytes") / 1e9,
        figure("pauses_full"),
        figure("marking_waits"),
        figure("pauses"),
        figure("pauses_mixed"),
        run.cpu_s,
        run.gc_cpu_s,
        run.peak_bytes / f64::from(1 << 20),
    )
}
