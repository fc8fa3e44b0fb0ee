//! How much memory a heap may commit when nobody says: a quarter of what this process can have.

use std::fs;

const LIMIT_BYTES_MIN: u64 = 64 << 20;
/// As much as references can address with room for fragmentation.
const LIMIT_BYTES_MAX: u64 = 24 << 30;
/// Assumed where the system does not tell.
const MEMORY_BYTES_UNKNOWN: u64 = 4 << 30;

/// The default heap limit in bytes: a quarter of the machine's memory, or of the control group's limit if that is lower.
pub(crate) fn default_heap_limit() -> u64 {
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| total_bytes(&text));
    let group = fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|text| text.trim().parse().ok());
    let memory = machine.into_iter().chain(group).min().unwrap_or(MEMORY_BYTES_UNKNOWN);
    (memory / 4).clamp(LIMIT_BYTES_MIN, LIMIT_BYTES_MAX)
}

fn total_bytes(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meminfo_is_understood() {
        assert_eq!(total_bytes("MemTotal:       24064944 kB\nMemFree: 1 kB\n"), Some(24_064_944 * 1024));
        assert_eq!(total_bytes("nonsense"), None);
        assert!((LIMIT_BYTES_MIN..=LIMIT_BYTES_MAX).contains(&default_heap_limit()));
    }
}
