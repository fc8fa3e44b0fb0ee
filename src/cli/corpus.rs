//! A corpus of workloads: a folder of scripts whose heads say what family they belong to and how to run them.
//!
//! `// Family: NAME` (the file's name, if it is not said) and any number of lines `// train: ARGUMENTS`.

use std::fs;
use std::path::{Path, PathBuf};

/// A script of the corpus.
pub struct Workload {
    /// Its file name without ending.
    pub name: String,
    /// What it has in common with others: models are judged on families they were not fitted to.
    pub family: String,
    /// Where it is.
    pub path: PathBuf,
    /// The arguments of its training runs, at least one list.
    pub arguments: Vec<Vec<String>>,
}

/// The scripts of a folder, by name.
pub fn read(dir: &Path) -> Result<Vec<Workload>, String> {
    let entries = fs::read_dir(dir).map_err(|e| format!("can't read the corpus `{}`: {e}", dir.display()))?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut paths: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|e| e == "ten")).collect();
    paths.sort();
    if paths.is_empty() {
        return Err(format!("the corpus `{}` holds no .ten files", dir.display()));
    }
    paths.into_iter().map(workload).collect()
}

fn workload(path: PathBuf) -> Result<Workload, String> {
    let text = tenure::read_source(&path)?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let head = || text.lines().take_while(|line| line.starts_with("//"));
    let family = head().find_map(|line| line.strip_prefix("// Family:"));
    let family = family.map_or_else(|| name.clone(), |family| family.trim().to_owned());
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect();
    let mut arguments: Vec<Vec<String>> = head().filter_map(|l| l.strip_prefix("// train:")).map(words).collect();
    if arguments.is_empty() {
        arguments.push(Vec::new());
    }
    Ok(Workload { name, family, path, arguments })
}

impl Workload {
    /// The script and the arguments of its run with this number: the lists are taken in turn.
    pub fn script(&self, run: u32) -> Vec<String> {
        let arguments = &self.arguments[run as usize % self.arguments.len()];
        std::iter::once(self.path.display().to_string()).chain(arguments.iter().cloned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_say_family_and_arguments() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("b.ten"), "// Family: trees\n// train: 1 2\n// train: 3\n\n// train: 4\nprint(1)\n")
            .unwrap();
        fs::write(dir.path().join("a.ten"), "print(1)\n").unwrap();
        fs::write(dir.path().join("notes.md"), "").unwrap();
        let corpus = read(dir.path()).unwrap();
        let heads: Vec<_> = corpus.iter().map(|w| (w.name.as_str(), w.family.as_str(), w.arguments.len())).collect();
        assert_eq!(heads, [("a", "a", 1), ("b", "trees", 2)]);
        assert_eq!(corpus[1].script(0)[1..], ["1", "2"]);
        assert_eq!(corpus[1].script(3)[1..], ["3"]);
        assert!(read(&dir.path().join("none")).is_err());
    }
}
