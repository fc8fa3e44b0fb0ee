//! Results as they come: a line of JSON for each run, found again by its key.
//!
//! Invariants
//! - S1. A result is on disk before the next run of its worker begins; a run that was not finished leaves nothing, or half a line,
//!   which is passed over.
//! - S2. A key names everything that a run depends on: the binary, the model, the program and its arguments, heap, goal, policy, clock
//!   and round. What has the same key is the same measurement.

use serde_json::Value;
use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::hash::{DefaultHasher, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

const FILE: &str = "runs.jsonl";

/// A folder of results.
pub struct Store {
    dir: PathBuf,
    lines: Mutex<Lines>,
}

struct Lines {
    known: HashMap<String, Value>,
    file: File,
}

impl Store {
    /// The results in a folder, which is made if it is not there.
    pub fn open(dir: &Path) -> Result<Store, String> {
        let failed = |e: std::io::Error| format!("can't use the results in `{}`: {e}", dir.display());
        fs::create_dir_all(dir).map_err(failed)?;
        let path = dir.join(FILE);
        let text = if path.exists() { fs::read_to_string(&path).map_err(failed)? } else { String::new() };
        let mut known = HashMap::new();
        for value in text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
            if let Some(key) = value["key"].as_str() {
                known.insert(key.to_owned(), value);
            }
        }
        let mut file = OpenOptions::new().create(true).append(true).open(&path).map_err(failed)?;
        if !text.is_empty() && !text.ends_with('\n') {
            file.write_all(b"\n").map_err(failed)?;
        }
        Ok(Store { dir: dir.to_owned(), lines: Mutex::new(Lines { known, file }) })
    }

    /// A file beside the results.
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// A folder beside the results, which is made if it is not there.
    pub fn keep_folder(&self, name: &str) -> Result<PathBuf, String> {
        let path = self.file(name);
        fs::create_dir_all(&path).map_err(|e| format!("can't make the folder `{}`: {e}", path.display()))?;
        Ok(path)
    }

    /// Writes a file beside the results, unless it is there with this text.
    pub fn keep(&self, name: &str, text: &str) -> Result<PathBuf, String> {
        let path = self.file(name);
        let failed = |e: std::io::Error| format!("can't write `{}`: {e}", path.display());
        if let Some(dir) = path.parent() {
            fs::create_dir_all(dir).map_err(failed)?;
        }
        if fs::read_to_string(&path).ok().as_deref() != Some(text) {
            fs::write(&path, text).map_err(failed)?;
        }
        Ok(path)
    }

    /// What is known under a key.
    pub fn get(&self, key: &str) -> Option<Value> {
        self.lines.lock().expect("no worker panics").known.get(key).cloned()
    }

    /// Keeps a result under a key.
    pub fn put(&self, key: &str, mut value: Value) -> Result<(), String> {
        value["key"] = key.into();
        let mut lines = self.lines.lock().expect("no worker panics");
        let written = writeln!(lines.file, "{value}").and_then(|()| lines.file.flush());
        written.map_err(|e| format!("can't write results in `{}`: {e}", self.dir.display()))?;
        lines.known.insert(key.to_owned(), value);
        Ok(())
    }
}

/// A short name of a file's or text's content.
pub fn digest(bytes: &[u8]) -> String {
    // fixed keys: the same bytes have the same name in every run of this binary
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    format!("{:016x}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_was_kept_is_found_again_and_half_a_line_is_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let results = dir.path().join("results");
        Store::open(&results).unwrap().put("a", json!({"x": 1})).unwrap();
        let path = results.join(FILE);
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"{\"key\": \"b\", \"x\"").unwrap();
        let store = Store::open(&results).unwrap();
        assert_eq!(store.get("a").unwrap()["x"], 1);
        assert!(store.get("b").is_none());
        store.put("b", json!({"x": 2})).unwrap();
        let again = Store::open(&results).unwrap();
        assert_eq!((again.get("a").unwrap()["x"].as_u64(), again.get("b").unwrap()["x"].as_u64()), (Some(1), Some(2)));
    }

    #[test]
    fn digests_tell_contents_apart() {
        assert_eq!(digest(b"a"), digest(b"a"));
        assert_ne!(digest(b"a"), digest(b"b"));
    }
}
