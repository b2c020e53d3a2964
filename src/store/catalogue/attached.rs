//! Files of an archive and the records they are attached to.

use super::Catalogue;
use super::numbers::Numbers;
use crate::model::{ItemDigest, RecordId};
use crate::store::StoreError;
use crate::store::rows::{RowValues, insert_all};
use sqlx::{Any, Transaction};
use std::collections::{BTreeMap, BTreeSet};

/// That a file is attached to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AttachedRow {
    /// The record.
    pub record: RecordId,
    /// The keyed digest of the file's name; the file may be known later, or never.
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
                    JOIN name_row n ON n.digest = a.name JOIN record_row f ON f.number = n.record \
                    JOIN version_row v ON v.number = f.version WHERE f.destroyed_at IS NULL AND r.id IN";
        let mut found: BTreeMap<RecordId, BTreeMap<RecordId, AttachedFile>> = BTreeMap::new();
        for row in &self.listed(head, records.iter().map(|record| record.uuid())).await? {
            let file = RecordId::from_uuid(row.id("file")?);
            let of = found.entry(RecordId::from_uuid(row.id("record")?)).or_default();
            of.insert(file, AttachedFile { file, parts: row.blob("parts")? });
        }
        Ok(found.into_iter().map(|(record, files)| (record, files.into_values().collect())).collect())
    }

    /// The files that are attached to these records and to no other that is there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn attached_only_to(
        &self,
        records: &BTreeSet<RecordId>,
    ) -> Result<BTreeSet<RecordId>, StoreError> {
        let listed: Vec<RecordId> = records.iter().copied().collect();
        let attached = self.attached_to(&listed).await?;
        let mut files: BTreeSet<RecordId> = attached.into_values().flatten().map(|one| one.file).collect();
        let head = "SELECT f.id AS file, r.id AS record FROM record_row f JOIN name_row n ON n.record = f.number \
                    JOIN attached a ON a.name = n.digest JOIN record_row r ON r.number = a.record \
                    WHERE r.destroyed_at IS NULL AND f.id IN";
        for row in &self.listed(head, files.clone().iter().map(|file| file.uuid())).await? {
            if !records.contains(&RecordId::from_uuid(row.id("record")?)) {
                files.remove(&RecordId::from_uuid(row.id("file")?));
            }
        }
        Ok(files)
    }

    /// Names of files that are attached to these records and to no other that is there, whether the files are there or not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn names_attached_only_to(
        &self,
        records: &BTreeSet<RecordId>,
    ) -> Result<BTreeMap<ItemDigest, RecordId>, StoreError> {
        let head = "SELECT r.id AS record, a.name, o.id AS other FROM record_row r JOIN attached a ON a.record = r.number \
                    JOIN attached b ON b.name = a.name JOIN record_row o ON o.number = b.record AND o.destroyed_at IS NULL \
                    WHERE r.id IN";
        let (mut names, mut shared) = (BTreeMap::new(), BTreeSet::new());
        for row in &self.listed(head, records.iter().map(|record| record.uuid())).await? {
            let name = row.digest("name")?;
            names.insert(name, RecordId::from_uuid(row.id("record")?));
            if !records.contains(&RecordId::from_uuid(row.id("other")?)) {
                shared.insert(name);
            }
        }
        names.retain(|name, _| !shared.contains(name));
        Ok(names)
    }
}

pub(super) async fn insert_attached(
    tx: &mut Transaction<'static, Any>,
    rows: &[AttachedRow],
    numbers: &Numbers,
) -> Result<(), StoreError> {
    let mut numbered = Vec::with_capacity(rows.len());
    for row in rows {
        numbered.push((numbers.record(row.record)?, row.name));
    }
    numbered.sort_unstable();
    numbered.dedup();
    let head = "INSERT INTO attached (record, name) VALUES";
    insert_all(tx, head, 2, "ON CONFLICT (record, name) DO NOTHING", &numbered, |query, (record, name)| {
        query.bind(*record).bind(name.as_bytes().to_vec())
    })
    .await
}
