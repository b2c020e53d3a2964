//! Files of archives and the records they are attached to.

use super::Catalogue;
use super::numbers::Numbers;
use crate::model::{ItemDigest, RecordId};
use crate::store::StoreError;
use crate::store::rows::{RowValues, insert_all};
use sqlx::{Any, Transaction};
use std::collections::{BTreeMap, BTreeSet};

/// That something of a capture is called so there: a file, or what a record says is attached to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct NamedFile {
    /// The file, or the record that it is attached to.
    pub record: RecordId,
    /// The keyed digest of the name that the file has in the capture.
    pub name: ItemDigest,
}

/// A file that is attached to a record.
#[derive(Debug, Clone)]
pub struct AttachedFile {
    /// The file, a record of its own.
    pub file: RecordId,
    /// How its version in force is put together, as stored.
    pub parts: Vec<u8>,
}

impl Catalogue {
    /// The files that are there of those attached to each of these records.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn attached_to(
        &self,
        records: &[RecordId],
    ) -> Result<BTreeMap<RecordId, Vec<AttachedFile>>, StoreError> {
        let head = "SELECT r.id AS record, f.id AS file, v.parts FROM record_row r JOIN attached a ON a.record = r.number \
                    JOIN file_name n ON n.name = a.name JOIN record_row f ON f.number = n.file \
                    JOIN version_row v ON v.number = f.version WHERE f.destroyed_at IS NULL AND r.id IN";
        let mut found: BTreeMap<RecordId, BTreeMap<RecordId, AttachedFile>> = BTreeMap::new();
        for row in &self.listed(head, records.iter().map(|record| record.uuid())).await? {
            let file = RecordId::from_uuid(row.id("file")?);
            let of = found.entry(RecordId::from_uuid(row.id("record")?)).or_default();
            of.insert(file, AttachedFile { file, parts: row.blob("parts")? });
        }
        Ok(found.into_iter().map(|(record, files)| (record, files.into_values().collect())).collect())
    }

    /// The records that are there to which each of these files is attached.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn attached_by(
        &self,
        files: &BTreeSet<RecordId>,
    ) -> Result<BTreeMap<RecordId, BTreeSet<RecordId>>, StoreError> {
        let head = "SELECT f.id AS file, r.id AS record FROM record_row f JOIN file_name n ON n.file = f.number \
                    JOIN attached a ON a.name = n.name JOIN record_row r ON r.number = a.record \
                    WHERE r.destroyed_at IS NULL AND f.id IN";
        let mut found: BTreeMap<RecordId, BTreeSet<RecordId>> = BTreeMap::new();
        for row in &self.listed(head, files.iter().map(|file| file.uuid())).await? {
            let of = found.entry(RecordId::from_uuid(row.id("file")?)).or_default();
            of.insert(RecordId::from_uuid(row.id("record")?));
        }
        Ok(found)
    }
}

pub(super) async fn insert_attached(
    tx: &mut Transaction<'static, Any>,
    (files, attached): (&[NamedFile], &[NamedFile]),
    numbers: &Numbers,
) -> Result<(), StoreError> {
    let tail = "ON CONFLICT (name, file) DO NOTHING";
    insert_named(tx, "INSERT INTO file_name (file, name) VALUES", tail, files, numbers).await?;
    let tail = "ON CONFLICT (record, name) DO NOTHING";
    insert_named(tx, "INSERT INTO attached (record, name) VALUES", tail, attached, numbers).await
}

async fn insert_named(
    tx: &mut Transaction<'static, Any>,
    head: &'static str,
    tail: &'static str,
    rows: &[NamedFile],
    numbers: &Numbers,
) -> Result<(), StoreError> {
    let mut numbered = Vec::with_capacity(rows.len());
    for row in rows {
        numbered.push((numbers.record(row.record)?, row.name));
    }
    numbered.sort_unstable();
    numbered.dedup();
    insert_all(tx, head, 2, tail, &numbered, |query, (record, name)| {
        query.bind(*record).bind(name.as_bytes().to_vec())
    })
    .await
}
