//! A prefix of an S3 bucket. Where the store is and who asks stand in the environment, in the variables that other
//! programs for S3 read (`AWS_ENDPOINT_URL`, `AWS_REGION`, `AWS_ACCESS_KEY_ID`, …).
//!
//! An object is complete when it can be seen. It cannot be renamed: its report is written first, under a name that is
//! free, and says which state of which object it is about; then the object is copied beside it; then it is deleted
//! from where it was. After a kill, or beside another harvest, a report that is about this very object says how to
//! go on.

use super::names::{cleaned, is_passed_over, numbered};
use super::source::{Found, REPORT, State, StillChanges};
use crate::cli::control::delivery::Brought;
use anyhow::{Context, Error, Result, bail, ensure};
use futures_util::{StreamExt, TryStreamExt};
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::path::Path;
use object_store::{
    ClientConfigKey, Error as StoreError, GetResult, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode,
    PutOptions, WriteMultipart,
};
use serde_json::Value;
use std::ffi::OsString;

/// Captures below a prefix; those deeper down are not looked at.
pub(super) struct Prefix {
    store: AmazonS3,
    prefix: Path,
}

/// Largest object that a store copies by itself, in bytes.
const COPY_BYTES_MAX: u64 = 5 << 30;

/// Bytes of one part of a larger one.
const PART_BYTES: usize = 64 << 20;

/// Longest report that is read, in bytes.
const REPORT_BYTES_MAX: u64 = 4 << 20;

/// A name below `done/` or `failed/`.
enum Slot {
    /// Nothing is there.
    Free,
    /// A report on this very object.
    Ours,
    /// Something else.
    Taken,
}

impl Prefix {
    /// Reads `s3://bucket/prefix`. The bucket is asked in the first round.
    pub(super) fn open(address: &str) -> Result<Self> {
        let rest = address.strip_prefix("s3://");
        let rest = rest.with_context(|| format!("`{address}` is no address such as s3://bucket/prefix"))?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        ensure!(!bucket.is_empty(), "`{address}` names no bucket; write s3://bucket/prefix");
        let prefix = Path::parse(prefix).with_context(|| format!("the prefix of `{address}`"))?;
        check_addresses()?;
        let mut store = AmazonS3Builder::from_env().with_bucket_name(bucket);
        if std::env::var_os("AWS_TIMEOUT").is_none() {
            // For one answer with all its bytes: a large capture takes longer than the half minute of the library.
            store = store.with_config(AmazonS3ConfigKey::Client(ClientConfigKey::Timeout), "6 hours");
        }
        let store = store.build();
        Ok(Self {
            store: store.context("the S3 store; see AWS_ENDPOINT_URL, AWS_REGION, AWS_ALLOW_HTTP")?,
            prefix,
        })
    }

    /// Every object directly below the prefix.
    pub(super) async fn ready(&self) -> Result<Vec<Found>> {
        let prefix = Some(&self.prefix).filter(|prefix| !prefix.as_ref().is_empty());
        let listed = self.store.list_with_delimiter(prefix).await.context("listing the prefix")?;
        Ok(listed.objects.iter().filter_map(|object| self.one(object)).collect())
    }

    fn one(&self, object: &ObjectMeta) -> Option<Found> {
        let mut below = object.location.prefix_match(&self.prefix)?;
        let name = OsString::from(below.next()?.as_ref());
        if below.next().is_some() || is_passed_over(&name) {
            return None;
        }
        let shown = cleaned(&name);
        let refused = (name != *shown).then_some(
            "its name holds characters that are not text or steer a terminal; give it another name",
        );
        Some(Found { name, shown, size_bytes: object.size, stamp: stamp(object), refused })
    }

    /// The bytes of an object, in the state in which it was listed.
    pub(super) async fn bring(&self, found: &Found) -> Result<Brought<'static>> {
        let got = self.got(found).await?;
        let bytes = got.into_stream().map_err(|error| Error::from(error).context("reading the object"));
        Ok(Brought { bytes: bytes.boxed(), size_bytes: found.size_bytes })
    }

    async fn got(&self, found: &Found) -> Result<GetResult> {
        match self.store.get(&self.at(found)?).await {
            Err(StoreError::NotFound { .. }) => Err(StillChanges.into()),
            Err(error) => Err(Error::from(error).context("reading the object")),
            Ok(got) if stamp(&got.meta) == found.stamp => Ok(got),
            Ok(_) => Err(StillChanges.into()),
        }
    }

    /// Moves an object aside with its report. Gives its new place.
    pub(super) async fn set_aside(&self, found: &Found, state: State, report: &Value) -> Result<String> {
        for n in 1..=u32::MAX {
            let name = numbered(&found.shown, n);
            match self.slot(found, state, &name).await? {
                Slot::Taken => continue,
                Slot::Ours => {}
                Slot::Free => {
                    let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
                    let text = format!("{report:#}\n").into_bytes();
                    let at = self.aside(state, &format!("{name}{REPORT}"))?;
                    match self.store.put_opts(&at, text.into(), options).await {
                        Err(StoreError::AlreadyExists { .. } | StoreError::Precondition { .. }) => continue,
                        written => written.context("writing the report")?,
                    };
                }
            }
            return self.finish(found, state, &name).await;
        }
        bail!("no name is left in `{}/`", state.folder())
    }

    /// Ends a move whose report was written and that was broken off then.
    pub(super) async fn finish_broken_off(&self, found: &Found) -> Result<Option<(State, String)>> {
        for state in State::ALL {
            for n in 1..=u32::MAX {
                let name = numbered(&found.shown, n);
                match self.slot(found, state, &name).await? {
                    Slot::Free => break,
                    Slot::Taken => {}
                    Slot::Ours => return Ok(Some((state, self.finish(found, state, &name).await?))),
                }
            }
        }
        Ok(None)
    }

    /// Copies the object beside its report, then deletes it from where it was.
    async fn finish(&self, found: &Found, state: State, name: &str) -> Result<String> {
        let (from, to) = (self.at(found)?, self.aside(state, name)?);
        self.copy(found, &from, &to).await.context("copying the object aside")?;
        // What is deleted must be what was taken in and copied.
        let now = self.head(&from).await?;
        if now.is_some_and(|now| stamp(&now) != found.stamp) {
            self.delete(&to).await?;
            self.delete(&self.aside(state, &format!("{name}{REPORT}"))?).await?;
            return Err(StillChanges.into());
        }
        self.delete(&from).await?;
        Ok(format!("{}/{name}", state.folder()))
    }

    async fn copy(&self, found: &Found, from: &Path, to: &Path) -> Result<()> {
        if found.size_bytes <= COPY_BYTES_MAX {
            return Ok(self.store.copy(from, to).await?);
        }
        let mut bytes = self.got(found).await?.into_stream();
        let mut parts = WriteMultipart::new_with_chunk_size(self.store.put_multipart(to).await?, PART_BYTES);
        while let Some(piece) = bytes.try_next().await? {
            parts.wait_for_capacity(2).await?;
            parts.write(&piece);
        }
        parts.finish().await?;
        Ok(())
    }

    async fn slot(&self, found: &Found, state: State, name: &str) -> Result<Slot> {
        let report = self.aside(state, &format!("{name}{REPORT}"))?;
        match self.head(&report).await? {
            None if self.head(&self.aside(state, name)?).await?.is_some() => Ok(Slot::Taken),
            None => Ok(Slot::Free),
            Some(there) if there.size > REPORT_BYTES_MAX => Ok(Slot::Taken),
            Some(_) => {
                let text = self.store.get(&report).await?.bytes().await.context("reading a report")?;
                let said: Value = serde_json::from_slice(&text).unwrap_or_default();
                let about = said.get("source").and_then(Value::as_str);
                Ok(if about == Some(&found.stamp) { Slot::Ours } else { Slot::Taken })
            }
        }
    }

    async fn head(&self, at: &Path) -> Result<Option<ObjectMeta>> {
        match self.store.head(at).await {
            Ok(there) => Ok(Some(there)),
            Err(StoreError::NotFound { .. }) => Ok(None),
            Err(error) => Err(Error::from(error).context("asking for an object")),
        }
    }

    async fn delete(&self, at: &Path) -> Result<()> {
        match self.store.delete(at).await {
            Ok(()) | Err(StoreError::NotFound { .. }) => Ok(()),
            Err(error) => Err(Error::from(error).context("removing an object that was moved")),
        }
    }

    fn at(&self, found: &Found) -> Result<Path> {
        self.below(&found.name.to_string_lossy())
    }

    fn aside(&self, state: State, name: &str) -> Result<Path> {
        self.below(&format!("{}/{name}", state.folder()))
    }

    fn below(&self, name: &str) -> Result<Path> {
        let prefix = self.prefix.as_ref();
        let key = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
        Path::parse(key).context("the name of an object")
    }
}

/// The library takes any text for an address and fails much later.
fn check_addresses() -> Result<()> {
    for name in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT", "AWS_ENDPOINT_URL_S3"] {
        let Ok(address) = std::env::var(name) else { continue };
        let host = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"));
        ensure!(
            host.is_some_and(|host| !host.is_empty() && !host.starts_with('/')),
            "`{name}` must be an address such as https://s3.example, or not be set"
        );
    }
    Ok(())
}

/// Which object, in which state. A store may put its tag in quotes in one answer and not in another.
fn stamp(object: &ObjectMeta) -> String {
    let tag = object.e_tag.as_deref().unwrap_or("-").trim_matches('"');
    format!("{tag} {} {} {}", object.size, object.last_modified.timestamp(), object.location)
}
