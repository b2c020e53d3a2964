//! The second place: copies of both logs and their signed checkpoints, out of reach of whoever can change the database. A log that does
//! not continue its copy is signed no further, and the copy is never overwritten by what contradicts it.

use super::{Archive, VaultError, destroyed_copy};
use crate::ledger::{Checkpoint, LogKey, Origin, consistency_proof, consistency_tiles, verify_consistency};
use crate::model::Timestamp;
use crate::store::StoreError;
use crate::store::effect::Effect;
use crate::store::exported::ExportedLog;
use crate::store::files;
use crate::store::log_source::{LogSource, StoredLog};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Every copy of a log's checkpoint: where it lies, and its text. The newest, and the last of each day.
///
/// # Errors
/// When the folder is there and cannot be read.
pub(super) async fn copies(folder: &Path, origin: &Origin) -> Result<Vec<(String, String)>, VaultError> {
    let mut found = Vec::new();
    let mut entries = match tokio::fs::read_dir(folder).await {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(found),
        Err(error) => return Err(StoreError::file("cannot list", folder)(error).into()),
    };
    let start = format!("{}.", stem(origin));
    while let Some(entry) = entries.next_entry().await.map_err(StoreError::file("cannot list", folder))? {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(&start) && name.ends_with(".checkpoint") {
            let path = entry.path();
            let text = tokio::fs::read(&path).await.map_err(StoreError::file("cannot read", &path))?;
            found.push((name, String::from_utf8_lossy(&text).into_owned()));
        }
    }
    found.sort();
    Ok(found)
}

/// The newest copy of a log's checkpoint, as it lies there.
///
/// # Errors
/// When it is there and cannot be read.
pub(super) async fn newest(folder: &Path, origin: &Origin) -> Result<Option<String>, VaultError> {
    let path = newest_path(folder, origin);
    match tokio::fs::read_to_string(&path).await {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::file("cannot read", &path)(error).into()),
    }
}

/// Whether a log may be signed further: it must contain the checkpoint that was copied last. Without a second place,
/// or when that cannot be reached, nothing is known against it.
///
/// # Errors
/// When the database was rolled back, or two histories were signed.
pub(super) async fn check(archive: &Archive, key: &LogKey) -> Result<(), VaultError> {
    let origin = key.verifier().origin();
    let Some(folder) = &archive.logs.second_place else { return Ok(()) };
    let copy = match newest(folder, origin).await {
        Ok(Some(copy)) => copy,
        Ok(None) => return Ok(()),
        Err(error) => {
            tracing::warn!(%error, "the second place of checkpoints cannot be read");
            return Ok(());
        }
    };
    let against = |why: String| {
        let path = newest_path(folder, origin);
        StoreError::Ledger(format!(
            "{origin} is signed no further: {why}; run `knik verify`, and move `{}` away only when you know why",
            path.display()
        ))
    };
    let copied =
        Checkpoint::verify(&copy, key.verifier()).map_err(|error| against(format!("the copy: {error}")))?;
    let head = archive.journal.head(origin).await?;
    let head = match &head {
        Some(head) => Checkpoint::verify(&head.checkpoint, key.verifier())?,
        None => return Err(against(format!("the copy has {} entries, the log none", copied.size())).into()),
    };
    if !contains(archive, &head, &copied).await? {
        let (had, has) = (copied.size(), head.size());
        return Err(
            against(format!("it does not continue the copy ({had} entries; the log has {has})")).into()
        );
    }
    Ok(())
}

/// Whether a log's signed head contains this checkpoint of it.
///
/// # Errors
/// When the head is not signed, or storage fails.
pub(super) async fn contained(
    archive: &Archive,
    key: &LogKey,
    earlier: &Checkpoint,
) -> Result<bool, VaultError> {
    match archive.journal.head(earlier.origin()).await? {
        Some(head) => {
            contains(archive, &Checkpoint::verify(&head.checkpoint, key.verifier())?, earlier).await
        }
        None => Ok(false),
    }
}

/// Whether a tree contains an earlier one, by the tiles that are stored.
async fn contains(archive: &Archive, head: &Checkpoint, earlier: &Checkpoint) -> Result<bool, VaultError> {
    let (from, size) = (earlier.size(), head.size());
    if from > size {
        return Ok(false);
    }
    let wanted = consistency_tiles(from, size)?.into_iter().collect();
    let tiles = archive.journal.tiles(head.origin(), wanted).await?;
    let proof = consistency_proof(from, size, &tiles)?;
    Ok(verify_consistency(from, &earlier.root(), size, &head.root(), &proof).is_ok())
}

/// Two rounds may end at once: the later head is copied last.
static COPYING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// Copies the head, as the newest and as the last of its day.
///
/// # Errors
/// When the head does not continue the copy that is there, or the folder cannot be written.
pub(super) async fn copy(archive: &Archive, key: &LogKey) -> Result<(), VaultError> {
    let origin = key.verifier().origin();
    let Some(folder) = &archive.logs.second_place else { return Ok(()) };
    let _one_at_a_time = COPYING.lock().await;
    let Some(head) = archive.journal.head(origin).await? else { return Ok(()) };
    check(archive, key).await?;
    let folder_error = StoreError::file("cannot make folder", folder);
    tokio::fs::create_dir_all(folder).await.map_err(folder_error)?;
    // What was destroyed before the entries that say so, and those before the checkpoint: what it signs can
    // then be read here too.
    if origin == archive.logs.vault_origin() {
        destroyed_copy::copy(archive, folder).await?;
    }
    extend_mirror(archive, key, folder).await?;
    for path in [newest_path(folder, origin), day_path(folder, origin, archive.sources.now())] {
        let written = Effect::CheckpointCopied.of(files::replace(&path, head.checkpoint.as_bytes())).await;
        written.map_err(StoreError::file("cannot write", &path))?;
    }
    Ok(())
}

/// Brings the log that lies there up to the head. One of another history stays as it is.
async fn extend_mirror(archive: &Archive, key: &LogKey, folder: &Path) -> Result<(), VaultError> {
    let origin = key.verifier().origin();
    let mirror = mirror(folder, origin);
    let here = mirror.head().await?.map(|head| Checkpoint::verify(&head.checkpoint, key.verifier()));
    let continues = match here {
        Some(Ok(here)) => contained(archive, key, &here).await?,
        Some(Err(_)) => false,
        None => true,
    };
    if !continues {
        let path = mirror_folder(folder, origin);
        return Err(StoreError::Ledger(format!(
            "{origin} does not continue the copy of it in `{}`: run `knik verify`, and move that folder away only when you \
             know why",
            path.display()
        ))
        .into());
    }
    mirror.extend(&StoredLog { journal: &archive.journal, origin }).await?;
    Ok(())
}

/// The whole log in the second place: entries, tiles, head. Should the database be lost, what was recorded after the
/// last backup is read from it.
fn mirror(folder: &Path, origin: &Origin) -> ExportedLog {
    ExportedLog::new(mirror_folder(folder, origin))
}

/// Where it lies.
pub(super) fn mirror_folder(folder: &Path, origin: &Origin) -> PathBuf {
    folder.join(stem(origin))
}

fn newest_path(folder: &Path, origin: &Origin) -> PathBuf {
    folder.join(format!("{}.checkpoint", stem(origin)))
}

fn day_path(folder: &Path, origin: &Origin, now: Timestamp) -> PathBuf {
    folder.join(format!("{}.{}.checkpoint", stem(origin), now.day()))
}

/// How the files of a log begin.
fn stem(origin: &Origin) -> String {
    origin.as_str().replace('/', "_")
}
