//! Machine code on disk, for the next process that compiles the same functions.
//!
//! A cache is one file in a folder of such files, read whole when it is opened and written whole when it is saved: entries of
//! key, length and code behind a line that names the version, and the SHA-256 of all that at the end. What makes a key is the
//! compiler's matter (`compiler/src/codegen/cache.rs`), and so is what code means.
//!
//! Invariants
//! - D1. What is in a cache is run, so nobody else may write there: a folder that is another user's, or that others may write to, is refused.
//! - D2. A file is complete or not there: it is written beside and renamed. One that is cut or changed fails its checksum
//!   and counts as empty.
//! - D3. A cache is bounded: a file to [`FILE_BYTES_MAX`], a folder to [`FOLDER_BYTES_MAX`], what was used longest ago goes first.

use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fs::{self, DirBuilder, File};
use std::io;
use std::ops::Range;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;
use tenure_compiler::codegen::CodeStore;

/// The longest file, in bytes.
const FILE_BYTES_MAX: usize = 16 << 20;
/// What the files of a folder may take together, in bytes.
const FOLDER_BYTES_MAX: u64 = 64 << 20;
/// How a file of another version, or another kind, is told apart.
const HEADER: &[u8] = concat!("tenure ", env!("CARGO_PKG_VERSION"), " code 1\n").as_bytes();
/// Ends the names of files, and of those that are being written.
const COMPLETE: &str = "code";
const PARTIAL: &str = "part";

const KEY_BYTES: usize = 32;
const LEN_BYTES: usize = 4;
const CHECKSUM_BYTES: usize = 32;

type Key = [u8; KEY_BYTES];

/// Machine code that earlier processes compiled, in a folder; see [`EngineBuilder::code_cache`](crate::EngineBuilder::code_cache).
///
/// It saves most of what compiling takes; what it holds is found by all that code is made from, so it is never out of date.
#[derive(Debug)]
pub struct CodeCache {
    file: PathBuf,
    /// The file as it was.
    found: Vec<u8>,
    /// Where in `found` the code of each key lies.
    entries: HashMap<Key, Range<usize>>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    used: HashSet<Key>,
    fresh: HashMap<Key, Vec<u8>>,
    unsaved: bool,
}

impl CodeCache {
    /// The cache of that name in a folder. Whoever compiles much the same should use one name, as of the script or of the
    /// embedding program.
    ///
    /// # Errors
    /// The folder isn't there and can't be made, belongs to another user, or others may write to it.
    pub fn open(folder: &Path, name: &str) -> io::Result<CodeCache> {
        let at_folder = |error: io::Error| io::Error::new(error.kind(), format!("`{}`: {error}", folder.display()));
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(at_folder)?;
        check_owner(folder).map_err(at_folder)?;
        let mut file = folder.join(name_of_file(name));
        file.set_extension(COMPLETE);
        let found = fs::read(&file).unwrap_or_default();
        let entries = entries(&found).unwrap_or_default();
        Ok(CodeCache { file, found, entries, state: Mutex::default() })
    }

    /// Writes what was compiled since the cache was opened, if anything was.
    ///
    /// # Errors
    /// The folder can't be written to. The cache can still be used.
    pub fn save(&self) -> io::Result<()> {
        let mut state = self.lock();
        if !state.unsaved {
            // was used just now, even if it stays as it is
            return match self.entries.is_empty() {
                true => Ok(()),
                false => File::options().append(true).open(&self.file)?.set_modified(SystemTime::now()),
            };
        }
        let partial = self.file.with_extension(format!("{}.{PARTIAL}", std::process::id()));
        let written =
            fs::write(&partial, self.content(&state, FILE_BYTES_MAX)).and_then(|()| fs::rename(&partial, &self.file));
        if let Err(error) = written {
            // what is left of it, if anything, has no use
            let _ = fs::remove_file(&partial);
            return Err(io::Error::new(error.kind(), format!("`{}`: {error}", self.file.display())));
        }
        state.unsaved = false;
        let folder = self.file.parent().expect("it was joined to a folder");
        trim(folder, &self.file, FOLDER_BYTES_MAX)
    }

    /// What to write (D3): what this process used, then the rest.
    fn content(&self, state: &State, bytes_max: usize) -> Vec<u8> {
        let fresh = state.fresh.iter().map(|(key, code)| (key, &code[..]));
        let found = |used: bool| {
            let entries = self.entries.iter().filter(move |(key, _)| state.used.contains(*key) == used);
            entries.map(|(key, range)| (key, &self.found[range.clone()]))
        };
        let mut content = HEADER.to_vec();
        for (key, code) in fresh.chain(found(true)).chain(found(false)) {
            if content.len() + KEY_BYTES + LEN_BYTES + code.len() + CHECKSUM_BYTES > bytes_max {
                continue;
            }
            content.extend(key);
            content.extend((code.len() as u32).to_le_bytes());
            content.extend(code);
        }
        let checksum = Sha256::digest(&content);
        content.extend(checksum);
        content
    }

    /// Nothing panics while it holds the lock, so what a poisoned one holds is sound.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CodeStore for CodeCache {
    fn get(&self, key: &[u8]) -> Option<Cow<'_, [u8]>> {
        let mut state = self.lock();
        if let Some(range) = self.entries.get(key) {
            state.used.insert(key.try_into().ok()?);
            return Some(Cow::Borrowed(&self.found[range.clone()]));
        }
        // this process compiled it, for another program
        state.fresh.get(key).map(|code| Cow::Owned(code.clone()))
    }

    fn insert(&self, key: &[u8], code: Vec<u8>) {
        let Ok(key) = key.try_into() else { return };
        let mut state = self.lock();
        state.fresh.insert(key, code);
        state.unsaved = true;
    }
}

/// D1.
fn check_owner(folder: &Path) -> io::Result<()> {
    let metadata = fs::metadata(folder)?;
    let user = fs::metadata("/proc/self")?.uid();
    let refuse = |why| Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
    if metadata.uid() != user {
        return refuse("it belongs to another user, who could change the code");
    }
    if metadata.mode() & 0o022 != 0 {
        return refuse("others may write to it, and could change the code; `chmod go-w` helps");
    }
    Ok(())
}

/// Names may hold what file names may not.
fn name_of_file(name: &str) -> String {
    let hash = Sha256::digest(name);
    hash[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Where the code of each key lies in a file; none for a file that is damaged or of another version (D2).
fn entries(file: &[u8]) -> Option<HashMap<Key, Range<usize>>> {
    let (content, checksum) = file.split_last_chunk::<CHECKSUM_BYTES>()?;
    if !content.starts_with(HEADER) || Sha256::digest(content)[..] != checksum[..] {
        return None;
    }
    let mut entries = HashMap::new();
    let mut at = HEADER.len();
    while at < content.len() {
        let (key, rest) = content[at..].split_first_chunk::<KEY_BYTES>()?;
        let (len, rest) = rest.split_first_chunk::<LEN_BYTES>()?;
        let len = u32::from_le_bytes(*len) as usize;
        at += KEY_BYTES + LEN_BYTES;
        rest.get(..len)?;
        entries.insert(*key, at..at + len);
        at += len;
    }
    Some(entries)
}

/// Removes files of a folder until the others take no more than that (D3), those written longest ago first and `keep` never.
fn trim(folder: &Path, keep: &Path, bytes_max: u64) -> io::Result<()> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let ours = path.extension().is_some_and(|end| end == COMPLETE || end == PARTIAL);
        // another process may have removed it meanwhile
        if let (true, Ok(metadata)) = (ours, fs::metadata(&path)) {
            files.push((metadata.modified()?, metadata.len(), path));
        }
    }
    let mut bytes: u64 = files.iter().map(|(_, len, _)| len).sum();
    files.sort();
    for (_, len, path) in files {
        if bytes <= bytes_max {
            break;
        }
        if path != keep && fs::remove_file(path).is_ok() {
            bytes -= len;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use std::time::Duration;

    fn key(number: u8) -> Key {
        [number; KEY_BYTES]
    }

    fn filled(folder: &Path, name: &str, number: u8, bytes: usize) -> PathBuf {
        let cache = CodeCache::open(folder, name).expect("a folder of our own");
        cache.insert(&key(number), vec![number; bytes]);
        cache.save().expect("room");
        cache.file
    }

    #[test]
    fn what_was_saved_is_found_and_what_was_damaged_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = filled(folder.path(), "a.ten", 1, 100);
        filled(folder.path(), "a.ten", 2, 50);
        let sound = fs::read(&file).expect("it was written");
        let get = |number| {
            let cache = CodeCache::open(folder.path(), "a.ten").expect("a folder of our own");
            cache.get(&key(number)).map(|code| code.into_owned())
        };
        assert_eq!((get(1), get(2), get(3)), (Some(vec![1; 100]), Some(vec![2; 50]), None));
        for at in [0, HEADER.len() - 3, HEADER.len() + 5, HEADER.len() + KEY_BYTES, sound.len() / 2, sound.len() - 1] {
            let mut damaged = sound.clone();
            damaged[at] ^= 4;
            fs::write(&file, damaged).expect("room");
            assert_eq!((get(1), get(2)), (None, None), "byte {at} changed");
            fs::write(&file, &sound[..at]).expect("room");
            assert_eq!((get(1), get(2)), (None, None), "cut at byte {at}");
        }
    }

    #[test]
    fn a_folder_that_others_may_write_to_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        for (mode, fits) in [(0o777, false), (0o770, false), (0o702, false), (0o755, true), (0o700, true)] {
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).expect("our own");
            assert_eq!(CodeCache::open(folder.path(), "a.ten").is_ok(), fits, "{mode:o}");
        }
        let made = folder.path().join("b").join("c");
        CodeCache::open(&made, "a.ten").expect("it can be made");
        assert_eq!(fs::metadata(made).expect("made").mode() & 0o777, 0o700);
    }

    #[test]
    fn the_oldest_files_go_when_the_folder_is_full() {
        let folder = tempfile::tempdir().expect("a folder");
        let files: Vec<PathBuf> = (0..5).map(|i| filled(folder.path(), &format!("{i}.ten"), i, 1000)).collect();
        let age = |file: &Path, seconds| {
            let time = SystemTime::now() - Duration::from_secs(seconds);
            File::options().append(true).open(file).and_then(|file| file.set_modified(time)).expect("our own");
        };
        for (file, seconds) in files.iter().zip([50, 100, 20, 200, 10]) {
            age(file, seconds);
        }
        // used, not written
        CodeCache::open(folder.path(), "3.ten").and_then(|cache| cache.save()).expect("a folder of our own");
        let bytes = fs::metadata(&files[0]).expect("it is there").len();
        trim(folder.path(), &files[1], 3 * bytes).expect("a folder of our own");
        let there: Vec<bool> = files.iter().map(|file| file.exists()).collect();
        assert_eq!(there, [false, true, false, true, true]);
    }

    #[test]
    fn code_that_is_used_stays_when_a_file_is_full() {
        let folder = tempfile::tempdir().expect("a folder");
        for number in 0..3 {
            filled(folder.path(), "a.ten", number, 1000);
        }
        let cache = CodeCache::open(folder.path(), "a.ten").expect("a folder of our own");
        assert!(cache.get(&key(1)).is_some());
        cache.insert(&key(3), vec![3; 1000]);
        let content = cache.content(&cache.lock(), 2500);
        let entries = entries(&content).expect("it is sound");
        let there: Vec<bool> = (0..4).map(|number| entries.contains_key(&key(number))).collect();
        assert_eq!(there, [false, true, false, true]);
    }
}
