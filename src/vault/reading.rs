//! Who reads a capture: a process of its own, which the program always uses, or this one.

use super::source::CaptureSource;
use crate::capture::{self, CaptureError, Format, Limits, Opened, Received, Unit};
use std::io::{BufRead, Read};

/// A capture being read.
pub trait Units: Iterator<Item = Result<Unit, CaptureError>> {
    /// The format given or recognised.
    fn format(&self) -> Format;
}

impl Units for Opened<'_> {
    fn format(&self) -> Format {
        Self::format(self)
    }
}

impl<F: Read, O: BufRead> Units for Received<F, O> {
    fn format(&self) -> Format {
        Self::format(self)
    }
}

/// Reads captures. Captures are hostile: what parses them should have nothing else at hand.
pub trait CaptureReader: Send + Sync {
    /// Begins to read. `own` gives the bytes of `source` from its start: those of the file's own units are taken from
    /// there, and at the end it has been read to its end.
    ///
    /// # Errors
    /// When the file as a whole is not sound, or cannot be read.
    fn begin<'a>(
        &self,
        source: &CaptureSource,
        own: Box<dyn BufRead + 'a>,
        format: Option<Format>,
        limits: Limits,
    ) -> Result<Box<dyn Units + 'a>, CaptureError>;
}

/// Reads captures in this process, keys and all: for tests, and for whoever uses the library on files of their own.
#[derive(Debug, Clone, Copy, Default)]
pub struct InProcess;

impl CaptureReader for InProcess {
    fn begin<'a>(
        &self,
        _: &CaptureSource,
        own: Box<dyn BufRead + 'a>,
        format: Option<Format>,
        limits: Limits,
    ) -> Result<Box<dyn Units + 'a>, CaptureError> {
        Ok(Box::new(capture::open(own, format, limits)?))
    }
}
