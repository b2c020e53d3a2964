//! A released export on its way down: its files and the receipts of its steps, as one package in pieces of one length.

use super::in_force::{is_settled, obstacle, stop, take_back};
use super::{With, airlock, clear, commit, entry};
use crate::ledger::{EntryKind, Receipt};
use crate::model::{ExportId, ExportState, Timestamp};
use crate::redact::copy::{MANIFEST, Manifest, ManifestFile, RECEIPTS, sha256_hex, tar_header, tar_padding};
use crate::store::airlock::{Airlock, PIECE_BYTES};
use crate::store::catalogue::ExportJob;
use crate::vault::{Archive, VaultError, release};
use aws_lc_rs::digest::{Context, SHA256};
use serde_json::{Value, json};
use std::time::Duration;

/// For how long released files can be fetched, in seconds.
const OFFERED_SECONDS: i64 = 7 * 86_400;

/// How long a release waits for its receipts.
const RECEIPT_PATIENCE: Duration = Duration::from_secs(10);

/// Puts the package of a released export down: its files and the receipts of its steps. Done twice it is the same package. Each file
/// is as its manifest says and the manifest as the release binds, and what is in it is as it was checked, before and after: else
/// nothing of it goes.
pub(super) async fn hand_down(archive: &Archive, mut export: ExportJob) -> Result<bool, VaultError> {
    if !is_settled(archive, &export).await? {
        return Ok(false);
    }
    if let Some(why) = obstacle(archive, &export).await? {
        return take_back(archive, export, why).await;
    }
    let receipts = receipts(archive, &export).await?;
    let Some(put) = put_down(archive, &export, &receipts).await? else {
        return stop(archive, export, "file-differs").await;
    };
    if let Some(why) = obstacle(archive, &export).await? {
        return take_back(archive, export, why).await;
    }
    let (id, before) = (export.id, export.state);
    export.state = ExportState::Released;
    export.until = Some(archive.sources.now().plus_seconds(OFFERED_SECONDS));
    if let Some(built) = export.built.as_object_mut() {
        built.insert("packageBytes".to_owned(), json!(put.bytes));
        built.insert("packagePieces".to_owned(), json!(put.pieces));
        built.insert("contentBytes".to_owned(), json!(put.content_bytes));
    }
    let entry = entry(archive, EntryKind::RequestStepTaken, &export)?
        .outcome("export-offered".parse()?)
        .counting("bytes".parse()?, put.bytes);
    let went_on = commit(archive, Some(before), export, entry, With::default()).await?;
    if went_on {
        airlock(archive).clear(id).await?;
    } else {
        // It was taken back while it was put down.
        clear(archive, id).await?;
    }
    Ok(went_on)
}

/// What was put down.
struct Put {
    pieces: u64,
    bytes: u64,
    /// One past the last byte of the last file: behind it there are zeros only.
    content_bytes: u64,
}

/// `None` when the files are not those that the release binds.
async fn put_down(
    archive: &Archive,
    export: &ExportJob,
    receipts: &Value,
) -> Result<Option<Put>, VaultError> {
    let airlock = airlock(archive);
    let Some((text, manifest)) = bound_manifest(&airlock, export).await? else { return Ok(None) };
    archive.room.forget_package(export.id).await?;
    let mut package = Package {
        archive,
        export: export.id,
        at: export.changed_at,
        waiting: Vec::new(),
        place: 0,
        content_bytes: 0,
    };
    package.file(MANIFEST, &text).await?;
    package.file(RECEIPTS, receipts.to_string().as_bytes()).await?;
    for file in &manifest.files {
        if !package.streamed(&airlock, file).await? {
            archive.room.forget_package(export.id).await?;
            return Ok(None);
        }
    }
    Ok(Some(package.end().await?))
}

/// The manifest, when it is the one that the release binds and its files are those that are there.
async fn bound_manifest(
    airlock: &Airlock,
    export: &ExportJob,
) -> Result<Option<(Vec<u8>, Manifest)>, VaultError> {
    let said = export.built.get("manifest").and_then(Value::as_str).unwrap_or_default();
    let text = airlock.file(export.id, MANIFEST, release::FILE_BYTES_MAX).await?;
    let Some(text) = text.filter(|text| sha256_hex(text) == said) else { return Ok(None) };
    let manifest = release::manifest_of(&text)?;
    let mut named: Vec<&str> = manifest.files.iter().map(|file| file.name.as_str()).collect();
    named.push(MANIFEST);
    named.sort_unstable();
    let mut there = airlock.files(export.id).await?;
    there.sort_unstable();
    Ok((there == named).then_some((text, manifest)))
}

/// Proof of every step till the release, each under the log it stands in, and what the release binds.
async fn receipts(archive: &Archive, export: &ExportJob) -> Result<Value, VaultError> {
    let log = archive.logs.vault_origin();
    let mut receipts: Vec<Receipt> = Vec::with_capacity(export.steps.len());
    for entry in &export.steps {
        receipts.push(archive.journal.receipt_when_numbered(log, *entry, RECEIPT_PATIENCE).await?);
    }
    Ok(json!({ "export": export.id, "release": export.bound, "receipts": receipts }))
}

/// A package on its way down, in pieces of one length.
struct Package<'a> {
    archive: &'a Archive,
    export: ExportId,
    at: Timestamp,
    waiting: Vec<u8>,
    place: u64,
    content_bytes: u64,
}

impl Package<'_> {
    async fn file(&mut self, name: &str, bytes: &[u8]) -> Result<(), VaultError> {
        self.begin(name, bytes.len() as u64).await?;
        self.write(bytes).await?;
        self.close(bytes.len() as u64).await
    }

    /// A file of the airlock; `false` when its bytes are not those that the manifest names.
    async fn streamed(&mut self, airlock: &Airlock, file: &ManifestFile) -> Result<bool, VaultError> {
        self.begin(&file.name, file.size_bytes).await?;
        let (mut place, mut size_bytes, mut digest) = (0, 0, Context::new(&SHA256));
        while let Some(piece) = airlock.piece(self.export, &file.name, place).await? {
            size_bytes += piece.len() as u64;
            digest.update(&piece);
            if size_bytes > file.size_bytes {
                return Ok(false);
            }
            self.write(&piece).await?;
            place += 1;
        }
        let same = size_bytes == file.size_bytes && hex::encode(digest.finish()) == file.sha256;
        if same {
            self.close(size_bytes).await?;
        }
        Ok(same)
    }

    async fn close(&mut self, size_bytes: u64) -> Result<(), VaultError> {
        self.content_bytes = self.place * PIECE_BYTES as u64 + self.waiting.len() as u64;
        self.write(&vec![0; tar_padding(size_bytes)]).await
    }

    async fn begin(&mut self, name: &str, size_bytes: u64) -> Result<(), VaultError> {
        let header = tar_header(name, size_bytes, self.at.seconds());
        let header =
            header.ok_or_else(|| VaultError::Input("a file of the export has no plain name".to_owned()))?;
        self.write(&header).await
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), VaultError> {
        self.waiting.extend_from_slice(bytes);
        while self.waiting.len() >= PIECE_BYTES {
            let rest = self.waiting.split_off(PIECE_BYTES);
            let piece = std::mem::replace(&mut self.waiting, rest);
            self.put(piece).await?;
        }
        Ok(())
    }

    async fn put(&mut self, piece: Vec<u8>) -> Result<(), VaultError> {
        let _not_while_copying = self.archive.copying.lock().await;
        self.archive.room.export_chunk(self.export, self.place, piece).await?;
        self.place += 1;
        Ok(())
    }

    async fn end(mut self) -> Result<Put, VaultError> {
        self.write(&[0; 1_024]).await?;
        let last = std::mem::take(&mut self.waiting);
        let bytes = self.place * PIECE_BYTES as u64 + last.len() as u64;
        if !last.is_empty() {
            self.put(last).await?;
        }
        Ok(Put { pieces: self.place, bytes, content_bytes: self.content_bytes })
    }
}
