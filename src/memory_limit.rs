//! What this process may take of the machine's memory: its physical size, the limits of the control groups it is in
//! (version 1 and 2), and whether tasks wait for memory (PSI). All is read below a root path, so that a test can lay out a
//! machine of its own.

use std::fs;
use std::path::{Path, PathBuf};
use tenure_gc::{LIMIT_BYTES_MAX, MemorySource, SystemMemory};

const DEFAULT_LIMIT_BYTES_MIN: u64 = 64 << 20;
/// Assumed where the system does not tell.
const MEMORY_BYTES_UNKNOWN: u64 = 4 << 30;
/// A heap that nobody sized takes this share of the memory there is.
const DEFAULT_SHARE: u64 = 4;
/// Share of time, in percent over ten seconds, in which some task waited for memory: from here on it is short.
const PRESSURE_PERCENT: f64 = 10.0;

/// The system, as files tell.
#[derive(Debug, Clone)]
pub(crate) struct System {
    root: PathBuf,
}

impl System {
    pub(crate) fn below(root: impl Into<PathBuf>) -> System {
        System { root: root.into() }
    }

    fn read(&self, path: impl AsRef<Path>) -> Option<String> {
        let path = path.as_ref();
        fs::read_to_string(self.root.join(path.strip_prefix("/").unwrap_or(path))).ok()
    }

    /// What the process can have: the machine's memory, or the tightest control group's limit.
    pub(crate) fn memory_bytes(&self) -> Option<u64> {
        let machine = self.read("/proc/meminfo").and_then(|text| total_bytes(&text));
        machine.into_iter().chain(self.group_limit_bytes()).min()
    }

    /// The heap limit where nobody sets one.
    pub(crate) fn default_heap_limit(&self) -> u64 {
        let memory = self.memory_bytes().unwrap_or(MEMORY_BYTES_UNKNOWN);
        (memory / DEFAULT_SHARE).clamp(DEFAULT_LIMIT_BYTES_MIN, LIMIT_BYTES_MAX)
    }

    /// Folders of the process's memory group and the groups around it, innermost first, with the name of their limit.
    fn groups(&self) -> Vec<(PathBuf, &'static str)> {
        let mut found = Vec::new();
        for line in self.read("/proc/self/cgroup").unwrap_or_default().lines() {
            let mut parts = line.splitn(3, ':').skip(1);
            let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
            let (mount, file) = if controllers.is_empty() {
                ("/sys/fs/cgroup", "memory.max")
            } else if controllers.split(',').any(|controller| controller == "memory") {
                ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
            } else {
                continue;
            };
            let path = Path::new(path);
            for group in path.ancestors() {
                found.push((Path::new(mount).join(group.strip_prefix("/").unwrap_or(group)), file));
            }
        }
        found
    }

    /// The least limit of the groups the process is in; nothing if none has one.
    fn group_limit_bytes(&self) -> Option<u64> {
        let limits = self.groups().into_iter().filter_map(|(folder, file)| self.read(folder.join(file)));
        // `max`, and the huge number that version 1 writes, are no limits
        limits.filter_map(|text| text.trim().parse::<u64>().ok()).filter(|bytes| *bytes < 1 << 60).min()
    }

    /// Whether tasks of the process's group, or of the machine, wait for memory.
    fn is_short(&self) -> bool {
        let group = self.groups().into_iter().find_map(|(folder, _)| self.read(folder.join("memory.pressure")));
        let text = group.or_else(|| self.read("/proc/pressure/memory"));
        text.and_then(|text| some_percent(&text)).is_some_and(|percent| percent >= PRESSURE_PERCENT)
    }
}

fn total_bytes(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// `some avg10=1.23 avg60=…`
fn some_percent(pressure: &str) -> Option<f64> {
    let line = pressure.lines().find_map(|line| line.strip_prefix("some "))?;
    line.split_whitespace().find_map(|word| word.strip_prefix("avg10="))?.parse().ok()
}

/// Watches the system for a heap.
pub(crate) struct Watch {
    system: System,
    /// What part of the memory there is the heap may take.
    share: u64,
}

impl Watch {
    /// For a heap whose limit was set by hand, or was the default.
    pub(crate) fn new(system: System, by_hand: bool) -> Watch {
        Watch { system, share: if by_hand { 1 } else { DEFAULT_SHARE } }
    }
}

impl MemorySource for Watch {
    fn now(&mut self) -> SystemMemory {
        let limit_bytes = self.system.group_limit_bytes().map(|bytes| (bytes / self.share).max(1 << 20));
        SystemMemory { limit_bytes, pressure: self.system.is_short() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(files: &[(&str, &str)]) -> (tempfile::TempDir, System) {
        let folder = tempfile::tempdir().expect("a folder");
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().expect("a folder above")).expect("folders");
            fs::write(path, text).expect("a file");
        }
        let system = System::below(folder.path());
        (folder, system)
    }

    const MEMINFO: (&str, &str) = ("proc/meminfo", "MemTotal:       16777216 kB\nMemFree: 1 kB\n");

    #[test]
    fn a_machine_without_groups_is_its_physical_memory() {
        let (_folder, system) = machine(&[MEMINFO]);
        assert_eq!(system.memory_bytes(), Some(16 << 30));
        assert_eq!(system.default_heap_limit(), 4 << 30);
        let (_folder, nothing) = machine(&[("proc/meminfo", "nonsense")]);
        assert_eq!((nothing.memory_bytes(), nothing.default_heap_limit()), (None, 1 << 30));
        assert!((DEFAULT_LIMIT_BYTES_MIN..=LIMIT_BYTES_MAX).contains(&System::below("/").default_heap_limit()));
    }

    #[test]
    fn version_2_groups_limit_each_other() {
        let (folder, system) = machine(&[
            MEMINFO,
            ("proc/self/cgroup", "0::/outer/inner\n"),
            ("sys/fs/cgroup/outer/memory.max", "2147483648\n"),
            ("sys/fs/cgroup/outer/inner/memory.max", "max\n"),
            ("sys/fs/cgroup/outer/inner/memory.pressure", "some avg10=0.50 avg60=0.00 avg300=0.00 total=1\n"),
        ]);
        assert_eq!(system.memory_bytes(), Some(2 << 30));
        let mut watch = Watch::new(system.clone(), true);
        assert_eq!(watch.now(), SystemMemory { limit_bytes: Some(2 << 30), pressure: false });
        fs::write(folder.path().join("sys/fs/cgroup/outer/inner/memory.max"), "1073741824").unwrap();
        let pressure = "some avg10=23.50 avg60=0.00 avg300=0.00 total=1\nfull avg10=1.00 avg60=0 avg300=0 total=1\n";
        fs::write(folder.path().join("sys/fs/cgroup/outer/inner/memory.pressure"), pressure).unwrap();
        assert_eq!(watch.now(), SystemMemory { limit_bytes: Some(1 << 30), pressure: true });
        assert_eq!(Watch::new(system, false).now().limit_bytes, Some(256 << 20));
    }

    #[test]
    fn version_1_groups_have_a_tree_of_their_own() {
        let (_folder, system) = machine(&[
            MEMINFO,
            ("proc/self/cgroup", "5:cpu,cpuacct:/\n4:memory:/jobs/a\n1:name=systemd:/\n"),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
            ("sys/fs/cgroup/memory/jobs/a/memory.limit_in_bytes", "536870912\n"),
            ("proc/pressure/memory", "some avg10=80.00 avg60=0.00 avg300=0.00 total=1\n"),
        ]);
        assert_eq!(system.memory_bytes(), Some(512 << 20));
        assert!(Watch::new(system, true).now().pressure);
    }
}
