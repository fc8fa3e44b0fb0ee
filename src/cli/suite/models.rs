//! The advisor's models, a family left out of each: a program is advised by one that was fitted to the other families.

use super::super::archive;
use super::store::{Store, digest};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tenure_advisor::train::{Options, Run, fit_without};

/// The models of the suite.
pub struct Models {
    by_family: BTreeMap<String, (PathBuf, String)>,
    /// What they are, for the table.
    pub note: String,
}

impl Models {
    /// The models for these families, fitted to the data as far as they are not in the store. Without data there is the shipped
    /// model alone, which knows all families, and the note says so. Another `binary` may fit otherwise, so it fits anew.
    pub fn prepare(
        store: &Store,
        binary: &str,
        data: &Path,
        families: &[String],
        said: &dyn Fn(String),
    ) -> Result<Models, String> {
        if !data.exists() {
            let note = format!("the shipped model, WHICH KNOWS THE FAMILIES: `{}` is not there", data.display());
            return Ok(Models { by_family: BTreeMap::new(), note });
        }
        let bytes = std::fs::read(data).map_err(|e| format!("can't read `{}`: {e}", data.display()))?;
        let named = format!("models/{binary}-{}", digest(&bytes));
        let mut recorded: Option<(Vec<Run>, Options)> = None;
        let mut by_family = BTreeMap::new();
        for family in families {
            let name = format!("{named}-without-{family}.json");
            let text = match std::fs::read_to_string(store.file(&name)) {
                Ok(text) => text,
                Err(_) => {
                    said(format!("fitting a model without {family}"));
                    let (runs, options) = match &recorded {
                        Some(recorded) => recorded,
                        None => recorded.insert(archive::read(data)?),
                    };
                    let trained = fit_without(runs, options, family).map_err(|e| format!("without {family}: {e}"))?;
                    serde_json::to_string_pretty(&trained.model).map_err(|e| e.to_string())? + "\n"
                }
            };
            by_family.insert(family.clone(), (store.keep(&name, &text)?, digest(text.as_bytes())));
        }
        Ok(Models { by_family, note: format!("fitted to `{}`, the program's family left out", data.display()) })
    }

    /// The model for a family, or nothing if it is the shipped one.
    pub fn path(&self, family: &str) -> Option<&Path> {
        self.by_family.get(family).map(|(path, _)| path.as_path())
    }

    /// What tells it apart from others.
    pub fn identity(&self, family: &str) -> &str {
        self.by_family.get(family).map_or("shipped", |(_, digest)| digest)
    }
}
