//! Where a capture comes from: something that can be read twice, once to look and once to take in.

use crate::store::spool::Spool;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;

/// A capture that can be read from the start as often as needed.
#[derive(Debug)]
pub enum CaptureSource {
    /// A file that stays where it is.
    File(PathBuf),
    /// An upload, kept encrypted under a key that only this process holds.
    Upload(Spool),
}

const BUFFER: usize = 1 << 18;

impl CaptureSource {
    /// Reads from the start.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn reader(&self) -> io::Result<Box<dyn BufRead + Send>> {
        match self {
            Self::File(path) => Ok(Box::new(BufReader::with_capacity(BUFFER, File::open(path)?))),
            Self::Upload(spool) => Ok(Box::new(BufReader::with_capacity(BUFFER, spool.reader()?))),
        }
    }

    /// Size in bytes, when it is known.
    #[must_use]
    pub fn size_bytes(&self) -> Option<u64> {
        match self {
            Self::File(path) => std::fs::metadata(path).ok().map(|m| m.len()),
            Self::Upload(spool) => Some(spool.size_bytes()),
        }
    }
}
