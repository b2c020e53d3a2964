//! Small files that are there whole or not at all, also after the machine lost its power; and what lies in a folder.

use super::StoreError;
use std::io::{self, ErrorKind};
use std::path::Path;
use tokio::fs::{self, File};
use tokio::io::AsyncWriteExt;

/// Writes a file beside its place, then puts it there: what had the name before is replaced, and is never half.
///
/// # Errors
/// When the file system refuses; what had the name before is then still there.
pub(crate) async fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    let fresh = Path::new(&fresh);
    let mut file = File::create(fresh).await?;
    file.write_all(bytes).await?;
    // Without this an error of the write, such as a full disk, would be passed over.
    file.flush().await?;
    file.sync_all().await?;
    fs::rename(fresh, path).await?;
    sync_folder_of(path).await
}

/// Makes it durable that the name of a file is there, or gone.
///
/// # Errors
/// When the file system refuses.
pub(crate) async fn sync_folder_of(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if folder != Path::new("") => File::open(folder).await?.sync_all().await,
        _ => Ok(()),
    }
}

/// The names in a folder; none when there is no such folder.
///
/// # Errors
/// When it cannot be read.
pub(crate) async fn names_in(folder: &Path) -> Result<Vec<String>, StoreError> {
    let mut entries = match fs::read_dir(folder).await {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(StoreError::file("cannot list", folder)(error)),
    };
    let mut names = Vec::new();
    while let Some(entry) = entries.next_entry().await.map_err(StoreError::file("cannot list", folder))? {
        names.extend(entry.file_name().into_string());
    }
    Ok(names)
}
