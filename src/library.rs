//! Where a script's modules come from: host functions, files beside the importing one, the standard library. This is
//! where the compiler, which does no input, meets the file system.

use crate::host::Host;
use crate::source_file;
use std::borrow::Cow;
use std::cell::RefCell;
use std::path::Path;
use tenure_compiler::check::{Library, LibraryModule};

/// Modules for one compilation.
pub(crate) struct Modules<'h> {
    hosts: &'h [Host],
    /// Whether modules may be files beside the importing one.
    files: bool,
    /// Files that are there and can't be read.
    unreadable: RefCell<Vec<String>>,
}

impl<'h> Modules<'h> {
    pub(crate) fn new(hosts: &'h [Host], files: bool) -> Modules<'h> {
        Modules { hosts, files, unreadable: RefCell::default() }
    }

    /// A line for each module file that is there and could not be read.
    pub(crate) fn into_unreadable(self) -> Vec<String> {
        self.unreadable.into_inner()
    }

    fn beside(&self, importer: &str, path: &str) -> Option<LibraryModule> {
        let folder = Path::new(importer).parent()?;
        let file = folder.join(path.replace('.', "/")).with_extension("ten");
        if !file.is_file() {
            return None;
        }
        match source_file::read(&file) {
            Ok(text) => Some(LibraryModule { name: file.display().to_string(), text, standard: false }),
            Err(line) => {
                self.unreadable.borrow_mut().push(line);
                None
            }
        }
    }
}

/// The modules that a text imports, by name.
pub(crate) fn imported(text: &str) -> Vec<String> {
    let lines = text.split(['\n', ';']).filter_map(|line| line.trim().strip_prefix("use "));
    lines.map(|rest| rest.split([':', ' ']).next().unwrap_or_default().to_owned()).collect()
}

impl Library for Modules<'_> {
    fn core_sources(&self) -> Vec<(String, Cow<'static, str>)> {
        tenure_stdlib::core_sources().iter().map(|&(name, text)| (name.into(), text.into())).collect()
    }

    fn names(&self, importer: &str) -> Vec<String> {
        let mut names: Vec<String> = self.hosts.iter().map(|host| host.name().to_owned()).collect();
        names.extend(tenure_stdlib::module_names().map(str::to_owned));
        let folder = Path::new(importer).parent().filter(|_| self.files);
        let folder = folder.map(|f| if f.as_os_str().is_empty() { Path::new(".") } else { f });
        let entries = folder.and_then(|folder| std::fs::read_dir(folder).ok()).into_iter().flatten().flatten();
        let files = entries.map(|e| e.path()).filter(|p| p.extension().is_some_and(|e| e == "ten"));
        names.extend(files.filter_map(|p| Some(p.file_stem()?.to_str()?.to_owned())));
        names
    }

    fn module(&self, importer: &str, path: &str) -> Option<LibraryModule> {
        if let Some(host) = self.hosts.iter().find(|h| h.name() == path) {
            return Some(LibraryModule { name: format!("host/{path}"), text: host.module_text(), standard: true });
        }
        let beside = if self.files { self.beside(importer, path) } else { None };
        beside.or_else(|| self.standard(path))
    }

    fn standard(&self, path: &str) -> Option<LibraryModule> {
        let (name, text) = tenure_stdlib::module(path)?;
        Some(LibraryModule { name: name.into(), text: text.into(), standard: true })
    }
}
