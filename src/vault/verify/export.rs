//! A fetched export, checked offline: every file against the manifest, the manifest against what the release binds, and that
//! against the ledger, under the key that whoever verifies brings.

use crate::ledger::{Body, EntryKind, Receipt, Salt, Thing, VerifierKey};
use crate::model::PrivateText;
use crate::redact::copy::{MANIFEST, Manifest, RECEIPTS, Release};
use crate::vault::VaultError;
use aws_lc_rs::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// What was looked at, and the first thing that is wrong with it.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExportVerification {
    /// Files that are as the manifest says.
    pub files: u64,
    /// Rows in them, as the manifest says.
    pub rows: u64,
    /// Receipts that hold.
    pub receipts: u64,
    /// The first thing that is wrong; `None` when all is well.
    pub first_wrong: Option<String>,
}

#[derive(Deserialize)]
struct Receipts {
    export: Value,
    release: Release,
    receipts: Vec<Receipt>,
}

/// Checks the folder that an export was fetched to.
///
/// # Errors
/// When a file cannot be read; what is read and wrong is told in the answer.
pub fn verify_export(folder: &Path, keys: &[VerifierKey]) -> Result<ExportVerification, VaultError> {
    let mut found = ExportVerification::default();
    found.first_wrong = look(folder, keys, &mut found).map_err(unreadable)?.err();
    Ok(found)
}

fn unreadable(error: io::Error) -> VaultError {
    VaultError::Input(format!("the export cannot be read: {error}"))
}

type Looked = Result<(), String>;

fn look(folder: &Path, keys: &[VerifierKey], found: &mut ExportVerification) -> io::Result<Looked> {
    let Some(bytes) = there(folder, MANIFEST)? else { return Ok(Err(format!("`{MANIFEST}` is missing"))) };
    let Some(receipts) = there(folder, RECEIPTS)? else { return Ok(Err(format!("`{RECEIPTS}` is missing"))) };
    let Ok(manifest) = serde_json::from_slice::<Manifest>(&bytes) else {
        return Ok(Err(format!("`{MANIFEST}` is not understood")));
    };
    if let Err(wrong) = files(folder, &manifest, found)? {
        return Ok(Err(wrong));
    }
    found.rows = manifest.rows;
    Ok(bound(&manifest, &crate::redact::copy::sha256_hex(&bytes), &receipts, keys, found))
}

fn there(folder: &Path, name: &str) -> io::Result<Option<Vec<u8>>> {
    match std::fs::read(folder.join(name)) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn files(folder: &Path, manifest: &Manifest, found: &mut ExportVerification) -> io::Result<Looked> {
    let mut named: BTreeSet<String> = [MANIFEST, RECEIPTS].map(str::to_owned).into();
    for file in &manifest.files {
        let path = folder.join(&file.name);
        if Path::new(&file.name).components().count() != 1 || !path.is_file() {
            return Ok(Err(format!("`{}` is missing", file.name)));
        }
        let (size, sha256) = digest_of(&path)?;
        if size != file.size_bytes || sha256 != file.sha256 {
            return Ok(Err(format!("`{}` is not as it was released", file.name)));
        }
        found.files += 1;
        named.insert(file.name.clone());
    }
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !named.contains(&name) {
            return Ok(Err(format!("`{name}` is no file of the export")));
        }
    }
    Ok(Ok(()))
}

fn digest_of(path: &Path) -> io::Result<(u64, String)> {
    let (mut file, mut digest, mut size) = (File::open(path)?, Context::new(&SHA256), 0);
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok((size, hex::encode(digest.finish())));
        }
        digest.update(buffer.get(..read).unwrap_or_default());
        size += read as u64;
    }
}

fn bound(
    manifest: &Manifest,
    sha256: &str,
    receipts: &[u8],
    keys: &[VerifierKey],
    found: &mut ExportVerification,
) -> Looked {
    let read = serde_json::from_slice::<Receipts>(receipts);
    let Receipts { export, release, receipts } =
        read.map_err(|_| format!("`{RECEIPTS}` is not understood"))?;
    let said: Value = serde_json::from_str(&release.text).unwrap_or_default();
    let id = manifest.export.to_string();
    if export.as_str() != Some(&id) || said["export"].as_str() != Some(&id) {
        return Err("the receipts are of another export".to_owned());
    }
    if said["manifest"].as_str() != Some(sha256) {
        return Err(format!("`{MANIFEST}` is not the one that was released"));
    }
    let salt = hex::decode(&release.salt).ok().and_then(|salt| <[u8; 32]>::try_from(salt).ok());
    let salt = salt.ok_or("the salt of the release is not understood")?;
    let commitment = Body::new(PrivateText::new(release.text)).commitment(&Salt::from_bytes(salt));
    let mut released = false;
    for receipt in &receipts {
        let key = keys.iter().find(|key| key.origin() == receipt.origin());
        let key = key.ok_or_else(|| format!("no key of the log `{}` was given", receipt.origin()))?;
        let verified = receipt.verify(key).map_err(|error| format!("a receipt does not hold: {error}"))?;
        if !verified.entry.things().contains(&Thing::Export(manifest.export)) {
            return Err("a receipt is of something else".to_owned());
        }
        released |=
            verified.entry.kind() == EntryKind::ExportReleased && verified.entry.body() == Some(commitment);
        found.receipts += 1;
    }
    if released { Ok(()) } else { Err("no receipt says that this manifest was released".to_owned()) }
}
