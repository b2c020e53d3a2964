//! A released export on its way down: its files and the receipts of its steps, as one package in pieces of one length.

use super::exports::{airlock, commit, entry};
use super::{Archive, VaultError, release};
use crate::ledger::{EntryKind, Receipt};
use crate::model::{ExportId, ExportState, Timestamp};
use crate::redact::copy::{MANIFEST, RECEIPTS, tar_header, tar_padding};
use crate::store::airlock::{Airlock, PIECE_BYTES};
use crate::store::catalogue::ExportJob;
use serde_json::{Value, json};
use std::time::Duration;

/// For how long released files can be fetched, in seconds.
const OFFERED_SECONDS: i64 = 7 * 86_400;

/// How long a release waits for its receipts.
const RECEIPT_PATIENCE: Duration = Duration::from_secs(10);

/// Puts the package of a released export down: its files and the receipts of its steps. Done twice it is the same package.
pub(super) async fn hand_down(archive: &Archive, mut export: ExportJob) -> Result<bool, VaultError> {
    let before = export.state;
    let receipts = receipts(archive, &export).await?;
    let airlock = airlock(archive);
    let manifest = airlock.file(export.id, MANIFEST, release::FILE_BYTES_MAX).await?;
    let manifest = manifest.ok_or(VaultError::Absent { what: "the manifest" })?;
    let named = release::manifest_of(&manifest)?;
    archive.room.forget_export(export.id).await?;
    let mut package =
        Package { archive, export: export.id, at: export.changed_at, waiting: Vec::new(), place: 0 };
    package.file(MANIFEST, &manifest).await?;
    package.file(RECEIPTS, receipts.to_string().as_bytes()).await?;
    for file in &named.files {
        package.streamed(&airlock, &file.name, file.size_bytes).await?;
    }
    let (pieces, bytes) = package.end().await?;
    export.state = ExportState::Released;
    export.until = Some(archive.sources.now().plus_seconds(OFFERED_SECONDS));
    if let Some(built) = export.built.as_object_mut() {
        built.insert("packageBytes".to_owned(), json!(bytes));
        built.insert("packagePieces".to_owned(), json!(pieces));
    }
    let id = export.id;
    let entry = entry(archive, EntryKind::RequestStepTaken, &export)?
        .outcome("export-offered".parse()?)
        .counting("bytes".parse()?, bytes);
    let went_on = commit(archive, Some(before), export, entry, None).await?;
    airlock.clear(id).await?;
    Ok(went_on)
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
}

impl Package<'_> {
    async fn file(&mut self, name: &str, bytes: &[u8]) -> Result<(), VaultError> {
        self.begin(name, bytes.len() as u64).await?;
        self.write(bytes).await?;
        self.write(&vec![0; tar_padding(bytes.len() as u64)]).await
    }

    async fn streamed(&mut self, airlock: &Airlock, name: &str, size_bytes: u64) -> Result<(), VaultError> {
        self.begin(name, size_bytes).await?;
        let mut place = 0;
        while let Some(piece) = airlock.piece(self.export, name, place).await? {
            self.write(&piece).await?;
            place += 1;
        }
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

    /// Pieces and bytes of it all.
    async fn end(mut self) -> Result<(u64, u64), VaultError> {
        self.write(&[0; 1_024]).await?;
        let last = std::mem::take(&mut self.waiting);
        let bytes = self.place * PIECE_BYTES as u64 + last.len() as u64;
        if !last.is_empty() {
            self.put(last).await?;
        }
        Ok((self.place, bytes))
    }
}
