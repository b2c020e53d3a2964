//! Sealed segments in object storage: written once, never changed.

use super::StoreError;
use super::effect::Effect;
use crate::model::{SegmentId, Timestamp};
use bytes::Bytes;
use futures_util::TryStreamExt;
use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// The segments of one vault. Names are random; an object is created or refused, never overwritten.
#[derive(Debug, Clone)]
pub struct Blobs {
    store: Arc<dyn ObjectStore>,
}

/// What a put-if-absent did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// The object is new.
    Created,
    /// An object of that name is there already and was left as it is.
    Exists,
}

impl Blobs {
    /// Segments as files below `folder`, which is created when absent.
    ///
    /// # Errors
    /// When the folder cannot be made or opened.
    pub fn folder(folder: &Path) -> Result<Self, StoreError> {
        let failed =
            |source: std::io::Error| object_store::Error::Generic { store: "folder", source: source.into() };
        std::fs::create_dir_all(folder).map_err(failed).map_err(StoreError::blobs("making the folder"))?;
        let opened =
            LocalFileSystem::new_with_prefix(folder).map_err(StoreError::blobs("opening the folder"))?;
        Ok(Self { store: Arc::new(opened.with_fsync(true)) })
    }

    /// Writes a segment under its name, only if no object has that name.
    ///
    /// # Errors
    /// When the store cannot be reached or is full; nothing is then visible under the name.
    pub async fn put_once(&self, segment: SegmentId, bytes: Bytes) -> Result<Put, StoreError> {
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        match Effect::SegmentWritten.of(self.store.put_opts(&place(segment), bytes.into(), options)).await {
            Ok(_) => Ok(Put::Created),
            Err(object_store::Error::AlreadyExists { .. }) => Ok(Put::Exists),
            Err(source) => Err(StoreError::Blobs { doing: "writing a segment", source }),
        }
    }

    /// A whole segment; `None` when there is none.
    ///
    /// # Errors
    /// When the store cannot be reached.
    pub async fn segment(&self, segment: SegmentId) -> Result<Option<Bytes>, StoreError> {
        match self.store.get(&place(segment)).await {
            Ok(found) => found.bytes().await.map(Some).map_err(StoreError::blobs("reading a segment")),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(source) => Err(StoreError::Blobs { doing: "reading a segment", source }),
        }
    }

    /// Bytes of a segment, one range after another.
    ///
    /// # Errors
    /// When the segment is absent, too short, or the store cannot be reached.
    pub async fn ranges(&self, segment: SegmentId, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, StoreError> {
        self.store
            .get_ranges(&place(segment), ranges)
            .await
            .map_err(StoreError::blobs("reading part of a segment"))
    }

    /// Every segment that is there, with its size in bytes.
    ///
    /// # Errors
    /// When the store cannot be reached.
    pub async fn list(&self) -> Result<Vec<(SegmentId, u64)>, StoreError> {
        let found: Vec<_> =
            self.store.list(None).try_collect().await.map_err(StoreError::blobs("listing segments"))?;
        let named = |object: object_store::ObjectMeta| Some((segment_of(&object.location)?, object.size));
        Ok(found.into_iter().filter_map(named).collect())
    }

    /// The segments that were written before `moment`.
    ///
    /// # Errors
    /// When the store cannot be reached.
    pub async fn written_before(&self, moment: Timestamp) -> Result<Vec<SegmentId>, StoreError> {
        let found: Vec<_> =
            self.store.list(None).try_collect().await.map_err(StoreError::blobs("listing segments"))?;
        let old =
            found.into_iter().filter(|object| object.last_modified.timestamp_micros() < moment.micros());
        Ok(old.filter_map(|object| segment_of(&object.location)).collect())
    }

    /// Removes a segment that no key belongs to: an orphan of a batch that never committed, or a duplicate.
    ///
    /// # Errors
    /// When the store cannot be reached. An absent segment is no error.
    pub async fn sweep(&self, segment: SegmentId) -> Result<(), StoreError> {
        match Effect::SegmentSwept.of(self.store.delete(&place(segment))).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(source) => Err(StoreError::Blobs { doing: "sweeping an orphan", source }),
        }
    }
}

const SUFFIX: &str = ".seg";

fn segment_of(place: &ObjectPath) -> Option<SegmentId> {
    place.filename()?.strip_suffix(SUFFIX)?.parse().ok()
}

fn place(segment: SegmentId) -> ObjectPath {
    let name = segment.to_string();
    // Two levels, so that no folder grows without bound; the last two digits are random in every UUID version.
    let shard = name.get(name.len().saturating_sub(2)..).unwrap_or("00").to_owned();
    ObjectPath::from(format!("{shard}/{name}{SUFFIX}"))
}
