//! A new file that is there whole or not at all, and never replaces another.

use anyhow::{Context, Result, bail};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A file being written under another name. Dropped before [`finish`](Self::finish) it leaves nothing behind.
pub(super) struct NewFile {
    path: PathBuf,
    part: PathBuf,
    file: BufWriter<File>,
}

impl NewFile {
    /// Starts the file at `path`, readable for this user only.
    ///
    /// # Errors
    /// When a file of that name is there, or none can be made in its folder.
    pub(super) fn beside(path: &Path) -> Result<Self> {
        if fs::symlink_metadata(path).is_ok() {
            bail!("`{}` is there already; name a new file", path.display());
        }
        let name = path.file_name().context("name a file to write to")?.to_string_lossy();
        let part = path.with_file_name(format!(".{name}.{}.part", std::process::id()));
        let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part);
        let file = opened.with_context(|| format!("cannot write `{}`", path.display()))?;
        Ok(Self { path: path.to_owned(), part, file: BufWriter::new(file) })
    }

    /// Makes what was written durable and gives it its name.
    ///
    /// # Errors
    /// When the file system refuses, or another file took the name meanwhile; that one stays as it is.
    pub(super) fn finish(mut self) -> Result<()> {
        let done = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        done.and_then(|()| fs::hard_link(&self.part, &self.path))
            .with_context(|| format!("cannot write `{}`", self.path.display()))
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        let _gone = fs::remove_file(&self.part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_file_is_there_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.txt");
        let names = || fs::read_dir(folder.path()).unwrap().count();
        let mut dropped = NewFile::beside(&path).unwrap();
        dropped.write_all(b"half").unwrap();
        drop(dropped);
        assert_eq!(names(), 0);
        let mut kept = NewFile::beside(&path).unwrap();
        kept.write_all(b"whole").unwrap();
        assert!(!path.exists());
        kept.finish().unwrap();
        assert_eq!((fs::read(&path).unwrap().as_slice(), names()), (b"whole".as_slice(), 1));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(NewFile::beside(&path).err().unwrap().to_string().contains("is there already"));
    }

    #[test]
    fn a_file_that_came_meanwhile_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.txt");
        let mut late = NewFile::beside(&path).unwrap();
        late.write_all(b"late").unwrap();
        fs::write(&path, "first").unwrap();
        assert!(late.finish().is_err());
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
