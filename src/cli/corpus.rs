//! A corpus of workloads: a folder of scripts whose heads say what family they belong to and how to run them.
//!
//! `// Family: NAME` (the file's name, if it is not said), any number of lines `// train: ARGUMENTS`, and lines `// full:` and
//! `// suite:` for what the workload is measured with. If the folder has the tables `minimum_heaps.csv` and `suite_heaps.csv`
//! (program, family, arguments, bytes), the smallest heap of those arguments is taken from them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What begins the lines that hold arguments.
const ARGUMENTS: [&str; 3] = ["// train:", "// full:", "// suite:"];
/// The tables of smallest heaps.
const TABLES: [&str; 2] = ["minimum_heaps.csv", "suite_heaps.csv"];

/// A script of the corpus.
pub struct Workload {
    /// Its file name without ending.
    pub name: String,
    /// What it has in common with others: models are judged on families they were not fitted to.
    pub family: String,
    /// Where it is.
    pub path: PathBuf,
    /// What it can be run with, at least one list.
    pub arguments: Vec<Arguments>,
}

/// Arguments of a script.
pub struct Arguments {
    /// One by one.
    pub list: Vec<String>,
    /// The smallest heap in which the script runs with them, where it is recorded.
    pub minimum_bytes: Option<u64>,
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
    let mut minima = Minima::new();
    for table in TABLES {
        add_minima(&mut minima, &dir.join(table))?;
    }
    paths.into_iter().map(|path| workload(path, &minima)).collect()
}

/// Smallest heaps by program and arguments.
type Minima = BTreeMap<(String, String), u64>;

/// Adds those of a table, which need not be there.
fn add_minima(minima: &mut Minima, path: &Path) -> Result<(), String> {
    let Ok(text) = fs::read_to_string(path) else { return Ok(()) };
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let bytes = fields.get(3).and_then(|bytes| bytes.parse().ok());
        let bytes = bytes.ok_or_else(|| format!("can't use `{}`: {line}", path.display()))?;
        minima.insert((fields[0].to_owned(), fields[2].to_owned()), bytes);
    }
    Ok(())
}

fn workload(path: PathBuf, minima: &Minima) -> Result<Workload, String> {
    let text = tenure::read_source(&path)?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let head = || text.lines().take_while(|line| line.starts_with("//"));
    let family = head().find_map(|line| line.strip_prefix("// Family:"));
    let family = family.map_or_else(|| name.clone(), |family| family.trim().to_owned());
    let arguments = |line: &str| {
        let list: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let minimum_bytes = minima.get(&(name.clone(), list.join(" "))).copied();
        Arguments { list, minimum_bytes }
    };
    let lines = head().filter_map(|l| ARGUMENTS.iter().find_map(|begin| l.strip_prefix(begin)));
    let mut arguments: Vec<Arguments> = lines.map(arguments).collect();
    if arguments.is_empty() {
        arguments.push(Arguments { list: Vec::new(), minimum_bytes: None });
    }
    Ok(Workload { name, family, path, arguments })
}

impl Workload {
    /// Which of its lists the run with this number takes: they are taken in turn.
    pub fn list_of(&self, run: u32) -> usize {
        run as usize % self.arguments.len()
    }

    /// The script and the arguments of that run.
    pub fn script(&self, run: u32) -> Vec<String> {
        let arguments = &self.arguments[self.list_of(run)].list;
        std::iter::once(self.path.display().to_string()).chain(arguments.iter().cloned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_say_family_and_arguments() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("b.ten"), "// Family: trees\n// full: 3\n// train: 1 2\n\n// train: 4\nprint(1)\n")
            .unwrap();
        fs::write(
            dir.path().join("minimum_heaps.csv"),
            "program,family,arguments,minimum_bytes,peak_bytes\nb,trees,3,77,99\n",
        )
        .unwrap();
        fs::write(dir.path().join("a.ten"), "print(1)\n").unwrap();
        fs::write(dir.path().join("notes.md"), "").unwrap();
        let corpus = read(dir.path()).unwrap();
        let heads: Vec<_> = corpus.iter().map(|w| (w.name.as_str(), w.family.as_str(), w.arguments.len())).collect();
        assert_eq!(heads, [("a", "a", 1), ("b", "trees", 2)]);
        assert_eq!(corpus[1].script(0)[1..], ["3"]);
        assert_eq!(corpus[1].script(3)[1..], ["1", "2"]);
        let minima: Vec<_> = corpus[1].arguments.iter().map(|arguments| arguments.minimum_bytes).collect();
        assert_eq!(minima, [Some(77), None]);
        fs::write(dir.path().join("minimum_heaps.csv"), "program\nb\n").unwrap();
        assert!(read(dir.path()).is_err());
        assert!(read(&dir.path().join("none")).is_err());
    }
}
