//! Where an advisor's model comes from: shipped with this crate, or a file.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use tenure_gc::policy::Adaptive;

use crate::error::{ModelError, Warning};
use crate::model::{Model, ModelFile};
use crate::policy::Advisor;

/// The shipped model; `models/default.md` is its card.
pub(crate) const SHIPPED: &str = include_str!("../models/default.json");
/// No model file is larger; a larger one is not even read.
const MODEL_BYTES_MAX: u64 = 64 << 10;

impl Advisor {
    /// An advisor with the model that this crate was built with.
    ///
    /// Should that model not fit the build, which a test excludes, this is the adaptive policy under the advisor's
    /// name, and its decisions are counted as fallbacks.
    pub fn shipped() -> Advisor {
        static MODEL: OnceLock<Option<Arc<Model>>> = OnceLock::new();
        let model = MODEL.get_or_init(|| Model::parse(SHIPPED).ok().map(Arc::new));
        Advisor::over(Box::new(Adaptive::new()), model.clone())
    }

    /// An advisor with the model in a file.
    ///
    /// # Errors
    /// [`ModelError`] names the file and tells whether it is missing, corrupt or for another version.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Advisor, ModelError> {
        let path = path.as_ref();
        let read = || {
            let length = std::fs::metadata(path).map_err(|error| ModelError::missing(error.to_string()))?.len();
            if length > MODEL_BYTES_MAX {
                return Err(ModelError::corrupt(format!("{length} bytes are too many for a model")));
            }
            let bytes = std::fs::read(path).map_err(|error| ModelError::missing(error.to_string()))?;
            let text = String::from_utf8(bytes).map_err(|_| ModelError::corrupt("it is not text"))?;
            Model::parse(&text)
        };
        let model = read().map_err(|error| error.at(path))?;
        Ok(Advisor::over(Box::new(Adaptive::new()), Some(Arc::new(model))))
    }

    /// An advisor with a model just trained.
    ///
    /// # Errors
    /// As [`Model::new`].
    pub fn from_model(file: &ModelFile) -> Result<Advisor, ModelError> {
        Ok(Advisor::over(Box::new(Adaptive::new()), Some(Arc::new(Model::new(file)?))))
    }

    /// The advisor, or, where there is none, one that leaves every decision to the adaptive policy and counts it,
    /// together with a warning to show.
    pub fn or_adaptive(loaded: Result<Advisor, ModelError>) -> (Advisor, Option<Warning>) {
        match loaded {
            Ok(advisor) => (advisor, None),
            Err(error) => (Advisor::over(Box::new(Adaptive::new()), None), Some(Warning::adaptive_instead(&error))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_model_fits_this_build() {
        Model::parse(SHIPPED).unwrap();
        assert!(SHIPPED.len() as u64 <= MODEL_BYTES_MAX);
        assert!(Advisor::shipped().has_model());
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Advisor::from_file("no/such/model.json").err().unwrap();
        assert!(error.is_missing());
        let (advisor, warning) = Advisor::or_adaptive(Err(error));
        assert!(!advisor.has_model());
        let message = warning.unwrap().to_string();
        assert!(message.contains("no/such/model.json") && message.contains("adaptive"), "{message}");
    }

    #[test]
    fn every_truncation_of_the_shipped_model_is_corrupt() {
        let text = SHIPPED.trim_end();
        for end in (0..text.len()).step_by(997) {
            if text.is_char_boundary(end) {
                assert!(Model::parse(&text[..end]).unwrap_err().is_corrupt(), "{end}");
            }
        }
    }
}
