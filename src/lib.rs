//! The embedding API of Tenure.
mod diagnostics;
mod error;
mod host;
mod source_file;
mod value;
pub use diagnostics::{Diagnostic, Diagnostics, Place, Severity};
pub use error::{EngineError, Frame, ScriptError};
pub use host::{Host, IntoHostFunction};
pub use value::{Param, Returned};
