//! Where lines and records go. A write that fails is reported once and ends the writing; it never disturbs a collection.

use std::io::{self, Write};

/// Told once, if writing fails.
pub type OnError = Box<dyn FnMut(&io::Error) + Send>;

pub(crate) struct Sink {
    out: Option<Box<dyn Write + Send>>,
    on_error: OnError,
}

impl Sink {
    pub(crate) fn new(out: Box<dyn Write + Send>, on_error: OnError) -> Sink {
        Sink { out: Some(out), on_error }
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.with(|out| out.write_all(bytes));
    }

    fn with(&mut self, action: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
        if let Some(out) = &mut self.out
            && let Err(error) = action(out)
        {
            self.out = None;
            (self.on_error)(&error);
        }
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.with(|out| out.flush());
    }
}
