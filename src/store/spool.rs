//! A spool for uploads: a file without a name, encrypted under a key that lives in this process only.
//!
//! An upload is looked at as a whole before any of it is taken in; until then nothing of it may stand on disk
//! in the clear. When the process ends, by whatever cause, the file and its key are gone.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::rand;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use zeroize::{Zeroize, Zeroizing};

/// Plaintext bytes in one sealed chunk.
const CHUNK: usize = 1 << 18;
const TAG: usize = 16;

/// An upload being written.
pub struct SpoolWriter {
    file: File,
    key: LessSafeKey,
    chunk: Zeroizing<Vec<u8>>,
    chunks: u64,
    size_bytes: u64,
}

/// A whole upload, to be read from the start as often as needed.
#[derive(Clone)]
pub struct Spool {
    file: Arc<File>,
    key: Arc<LessSafeKey>,
    chunks: u64,
    size_bytes: u64,
}

impl std::fmt::Debug for Spool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Spool({} bytes)", self.size_bytes)
    }
}

impl SpoolWriter {
    /// A fresh spool in `folder`. Its file is removed from the folder before anything is written to it.
    ///
    /// # Errors
    /// When the folder cannot be written or the random source fails.
    pub fn new(folder: &Path) -> io::Result<Self> {
        let path = folder.join(format!("spool-{}", uuid::Uuid::new_v4()));
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
        std::fs::remove_file(&path)?;
        let mut secret = Zeroizing::new([0_u8; 32]);
        rand::fill(secret.as_mut()).map_err(refused)?;
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, secret.as_ref()).map_err(refused)?);
        Ok(Self {
            file,
            key,
            chunk: Zeroizing::new(Vec::with_capacity(CHUNK + TAG)),
            chunks: 0,
            size_bytes: 0,
        })
    }

    /// Takes more bytes.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        self.size_bytes += bytes.len() as u64;
        while !bytes.is_empty() {
            let room = CHUNK - self.chunk.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.chunk.extend_from_slice(now);
            bytes = later;
            if self.chunk.len() == CHUNK {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// Bytes so far.
    #[must_use]
    pub const fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// The upload is whole.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn finish(mut self) -> io::Result<Spool> {
        if !self.chunk.is_empty() {
            self.flush()?;
        }
        let Self { file, key, chunks, size_bytes, .. } = self;
        Ok(Spool { file: Arc::new(file), key: Arc::new(key), chunks, size_bytes })
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut sealed = std::mem::take(&mut *self.chunk);
        self.key.seal_in_place_append_tag(nonce(self.chunks), Aad::empty(), &mut sealed).map_err(refused)?;
        let written = self.file.write_all(&sealed);
        self.chunks += 1;
        sealed.zeroize();
        *self.chunk = sealed;
        written
    }
}

impl Spool {
    /// Size of the upload in bytes.
    #[must_use]
    pub const fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Reads from the start. Readers do not disturb one another.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn reader(&self) -> io::Result<SpoolReader> {
        Ok(SpoolReader { spool: self.clone(), next: 0, plain: Zeroizing::new(Vec::new()), at: 0 })
    }
}

/// Reads a spool.
pub struct SpoolReader {
    spool: Spool,
    next: u64,
    plain: Zeroizing<Vec<u8>>,
    at: usize,
}

impl SpoolReader {
    fn fill(&mut self) -> io::Result<()> {
        let whole = CHUNK as u64;
        let left = self.spool.size_bytes.saturating_sub(self.next * whole).min(whole);
        let mut sealed = Zeroizing::new(vec![0; usize::try_from(left).unwrap_or_default() + TAG]);
        self.spool.file.read_exact_at(&mut sealed, self.next * (CHUNK + TAG) as u64)?;
        let opened = self.spool.key.open_in_place(nonce(self.next), Aad::empty(), &mut sealed);
        let length = opened.map_err(refused)?.len();
        sealed.truncate(length);
        self.plain = sealed;
        self.at = 0;
        self.next += 1;
        Ok(())
    }
}

impl Read for SpoolReader {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.at == self.plain.len() {
            if self.next == self.spool.chunks {
                return Ok(0);
            }
            self.fill()?;
        }
        let from = self.plain.get(self.at..).unwrap_or_default();
        let count = from.len().min(to.len());
        to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
        self.at += count;
        Ok(count)
    }
}

fn nonce(chunk: u64) -> Nonce {
    let mut bytes = [0; 12];
    bytes.iter_mut().skip(4).zip(chunk.to_be_bytes()).for_each(|(to, from)| *to = from);
    Nonce::assume_unique_for_key(bytes)
}

fn refused(_: aws_lc_rs::error::Unspecified) -> io::Error {
    io::Error::other("the spool could not be encrypted or was changed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Seek, SeekFrom};

    #[test]
    fn what_was_written_reads_back_twice_and_stands_nowhere_in_the_clear() {
        let folder = tempfile::tempdir().unwrap();
        for size in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 17] {
            let bytes: Vec<u8> = (0..size).map(|n| (n % 251) as u8).collect();
            let mut writer = SpoolWriter::new(folder.path()).unwrap();
            bytes.chunks(1000).for_each(|piece| writer.write(piece).unwrap());
            let spool = writer.finish().unwrap();
            assert_eq!(spool.size_bytes(), size as u64);
            let mut readers = [spool.reader().unwrap(), spool.reader().unwrap()];
            let mut read = [Vec::new(), Vec::new()];
            for _ in 0..=bytes.len() / 1000 {
                for (reader, read) in readers.iter_mut().zip(&mut read) {
                    reader.take(1000).read_to_end(read).unwrap();
                }
            }
            assert!(read.iter().all(|read| *read == bytes), "{size}");
            let mut stored = Vec::new();
            let mut file = spool.file.try_clone().unwrap();
            file.seek(SeekFrom::Start(0)).unwrap();
            file.read_to_end(&mut stored).unwrap();
            assert!(size < 64 || !stored.windows(64).any(|w| w == &bytes[..64]));
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "the file has no name");
    }
}
