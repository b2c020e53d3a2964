//! Where originals lie: fragments with their wrapped keys, and how a record is put together from them.

use super::Catalogue;
use crate::model::{CaptureId, FragmentId, OrganisationId, RecordId, SegmentId};
use crate::store::StoreError;
use crate::store::rows::{LISTED_MAX, RowValues, bytes, list};
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;
use std::collections::HashMap;

/// Where a record's version in force is sealed.
#[derive(Debug)]
pub struct OriginalPlace {
    /// Which record.
    pub record: RecordId,
    /// Whose.
    pub organisation: OrganisationId,
    /// In which capture.
    pub capture: CaptureId,
    /// In which format the capture came.
    pub format: String,
    /// How the original is put together, as stored.
    pub parts: Vec<u8>,
}

/// Where a fragment is sealed.
#[derive(Debug, Clone)]
pub struct FragmentPlace {
    /// Its id.
    pub id: FragmentId,
    /// Its segment.
    pub segment: SegmentId,
    /// `own`, `residue`, or the role of shared bytes.
    pub kind: String,
    /// Its key, wrapped by the segment's key.
    pub wrapped_key: Vec<u8>,
    /// First byte of its envelope in the segment.
    pub place: u64,
    /// Size of its envelope.
    pub size_bytes: u64,
    /// Where its bytes stood in the capture.
    pub ranges: Vec<u8>,
}

/// A segment as the catalogue knows it.
#[derive(Debug, Clone)]
pub struct SegmentPlace {
    /// Its id.
    pub id: SegmentId,
    /// Whose.
    pub organisation: OrganisationId,
    /// In which capture.
    pub capture: CaptureId,
    /// Its key, wrapped by the organisation's master key.
    pub wrapped_key: Vec<u8>,
    /// Size in bytes.
    pub size_bytes: u64,
    /// SHA-256 of the object.
    pub digest: [u8; 32],
}

impl Catalogue {
    /// Where the versions in force of these records are sealed. A record that is not there is absent.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn originals(&self, records: &[RecordId]) -> Result<Vec<OriginalPlace>, StoreError> {
        let mut found = Vec::with_capacity(records.len());
        for chunk in records.chunks(LISTED_MAX) {
            let sql = format!(
                "SELECT r.id, s.organisation, c.id AS capture, c.format, v.parts FROM record_row r \
                 JOIN shelf s ON s.number = r.shelf JOIN version_row v ON v.number = r.version JOIN delivery d ON d.number = v.delivery \
                 JOIN capture c ON c.id = d.capture \
                 WHERE r.destroyed_at IS NULL AND r.id IN ({})",
                list(1, chunk.len())
            );
            let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(chunk.len() == 1);
            for record in chunk {
                query = query.bind(bytes(record.uuid()));
            }
            let rows =
                query.fetch_all(self.db.read()).await.map_err(StoreError::database("finding originals"))?;
            for row in rows {
                found.push(OriginalPlace {
                    record: RecordId::from_uuid(row.id("id")?),
                    organisation: row.term("organisation")?,
                    capture: CaptureId::from_uuid(row.id("capture")?),
                    format: row.text("format")?,
                    parts: row.blob("parts")?,
                });
            }
        }
        Ok(found)
    }

    /// How versions of records that were not destroyed are put together, in the order of their numbers: those behind `after`,
    /// at most so many. Each is its number, its record and its layout as stored.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn layouts(&self, after: i64, most: u32) -> Result<Vec<(i64, RecordId, Vec<u8>)>, StoreError> {
        let rows = sqlx::query(
            "SELECT v.number, r.id, v.parts FROM version_row v JOIN record_row r ON r.number = v.record \
             WHERE v.number > $1 AND r.destroyed_at IS NULL ORDER BY v.number LIMIT $2",
        )
        .bind(after)
        .bind(i64::from(most))
        .fetch_all(self.db.read())
        .await
        .map_err(StoreError::database("reading layouts"))?;
        rows.iter()
            .map(|row| Ok((row.number("number")?, RecordId::from_uuid(row.id("id")?), row.blob("parts")?)))
            .collect()
    }

    /// These fragments, by id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn fragments(
        &self,
        ids: &[FragmentId],
    ) -> Result<HashMap<FragmentId, FragmentPlace>, StoreError> {
        let mut found = HashMap::with_capacity(ids.len());
        for chunk in ids.chunks(LISTED_MAX) {
            let sql = format!("{FRAGMENTS} WHERE f.id IN ({})", list(1, chunk.len()));
            let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(chunk.len() == LISTED_MAX);
            for id in chunk {
                query = query.bind(bytes(id.uuid()));
            }
            let rows =
                query.fetch_all(self.db.read()).await.map_err(StoreError::database("finding fragments"))?;
            for row in rows {
                let fragment = fragment_of(&row)?;
                found.insert(fragment.id, fragment);
            }
        }
        Ok(found)
    }

    /// One segment; `None` when the catalogue knows none of that id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn segment(&self, id: SegmentId) -> Result<Option<SegmentPlace>, StoreError> {
        let row = sqlx::query(SEGMENT_BY_ID)
            .bind(bytes(id.uuid()))
            .fetch_optional(self.db.read())
            .await
            .map_err(StoreError::database("finding a segment"))?;
        row.as_ref().map(segment_of).transpose()
    }

    /// Every segment the catalogue knows, in the order of their ids.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn segments(&self) -> Result<Vec<SegmentPlace>, StoreError> {
        let rows = sqlx::query(
            "SELECT s.*, c.organisation FROM segment s JOIN capture c ON c.id = s.capture ORDER BY s.id",
        )
        .fetch_all(self.db.read())
        .await
        .map_err(StoreError::database("listing segments"))?;
        rows.iter().map(segment_of).collect()
    }

    /// The fragments of a segment, in the order in which they stand.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn fragments_of_segment(&self, segment: SegmentId) -> Result<Vec<FragmentPlace>, StoreError> {
        let rows = sqlx::query(AssertSqlSafe(format!("{OF_SEGMENTS} AND s.id = $1 ORDER BY f.place")))
            .bind(bytes(segment.uuid()))
            .fetch_all(self.db.read())
            .await
            .map_err(StoreError::database("listing fragments"))?;
        rows.iter().map(fragment_of).collect()
    }

    /// The fragments of a capture, in the order in which they were sealed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn fragments_of_capture(&self, capture: CaptureId) -> Result<Vec<FragmentPlace>, StoreError> {
        let rows =
            sqlx::query(AssertSqlSafe(format!("{OF_SEGMENTS} AND s.capture = $1 ORDER BY s.id, f.place")))
                .bind(bytes(capture.uuid()))
                .fetch_all(self.db.read())
                .await
                .map_err(StoreError::database("listing fragments"))?;
        rows.iter().map(fragment_of).collect()
    }
}

const FRAGMENTS: &str = "SELECT f.id, s.id AS segment, f.kind, f.wrapped_key, f.place, f.size_bytes, f.ranges \
     FROM fragment f JOIN segment s ON s.number = f.segment_number";

/// From a segment to its fragments: their ids stand next to each other.
const OF_SEGMENTS: &str = "SELECT f.id, s.id AS segment, f.kind, f.wrapped_key, f.place, f.size_bytes, f.ranges \
     FROM segment s JOIN fragment f ON f.id >= s.first_fragment AND f.id <= s.last_fragment \
     WHERE f.segment_number = s.number";

const SEGMENT_BY_ID: &str =
    "SELECT s.*, c.organisation FROM segment s JOIN capture c ON c.id = s.capture WHERE s.id = $1";

pub(super) fn segment_of(row: &AnyRow) -> Result<SegmentPlace, StoreError> {
    Ok(SegmentPlace {
        id: SegmentId::from_uuid(row.id("id")?),
        organisation: row.term("organisation")?,
        capture: CaptureId::from_uuid(row.id("capture")?),
        wrapped_key: row.blob("wrapped_key")?,
        size_bytes: u64::try_from(row.number("size_bytes")?).unwrap_or_default(),
        digest: row
            .blob("digest")?
            .try_into()
            .map_err(|_| StoreError::Corrupt { what: "digest of a segment" })?,
    })
}

fn fragment_of(row: &AnyRow) -> Result<FragmentPlace, StoreError> {
    Ok(FragmentPlace {
        id: FragmentId::from_uuid(row.id("id")?),
        segment: SegmentId::from_uuid(row.id("segment")?),
        kind: row.text("kind")?,
        wrapped_key: row.blob("wrapped_key")?,
        place: u64::try_from(row.number("place")?).unwrap_or_default(),
        size_bytes: u64::try_from(row.number("size_bytes")?).unwrap_or_default(),
        ranges: row.blob("ranges")?,
    })
}
