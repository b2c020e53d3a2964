//! The manifest of a copy: which files, how long, with which digests; and what a release binds.

use crate::model::{ExportId, GrantId, OrganisationId, Timestamp};
use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

/// Rows of one part: a part is built whole, and is where a build that was broken off goes on.
pub const PART_ROWS: u32 = 50_000;

/// Name of the manifest.
pub const MANIFEST: &str = "manifest.json";
/// Name of the words for people.
pub const README: &str = "README.md";
/// Name of the data dictionary.
pub const DICTIONARY: &str = "data-dictionary.csv";
/// Name of the receipts, which the vault adds when the files are let go.
pub const RECEIPTS: &str = "receipts.json";

/// The forms of a part, as their files end.
pub const FORMS: [&str; 3] = ["jsonl", "csv", "parquet"];

/// A file of a copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ManifestFile {
    /// Its name.
    pub name: String,
    /// How long it is.
    pub size_bytes: u64,
    /// SHA-256 of its bytes, in hexadecimal. Whoever has it has the file: nothing is told by it.
    pub sha256: String,
    /// Rows in it, where it has rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
}

/// What a copy is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Manifest {
    /// Version of this form.
    pub version: u32,
    /// Which export.
    pub export: ExportId,
    /// Under which grant.
    pub grant: GrantId,
    /// Whose records.
    pub organisation: OrganisationId,
    /// Under which redaction plan.
    pub plan: String,
    /// When it was built.
    pub built_at: Timestamp,
    /// Rows in it.
    pub rows: u64,
    /// Every other file but the receipts, by name.
    pub files: Vec<ManifestFile>,
}

/// What the ledger's entry of a release commits to: SHA-256(salt || text).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Release {
    /// 32 random bytes, in hexadecimal.
    pub salt: String,
    /// JSON that names the export and the digest of its manifest.
    pub text: String,
}

/// The name of a part in one form, from 1.
#[must_use]
pub fn part_name(part: u64, form: &str) -> String {
    format!("records-{part:05}.{form}")
}

/// Whether a file is a part in this form.
#[must_use]
pub fn is_part(name: &str, form: &str) -> bool {
    let middle = name.strip_prefix("records-").and_then(|rest| rest.strip_suffix(form));
    let number = middle.and_then(|middle| middle.strip_suffix('.'));
    number.is_some_and(|number| number.len() >= 5 && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// SHA-256 in hexadecimal.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(digest(&SHA256, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_known_by_their_names() {
        assert_eq!(part_name(12, "csv"), "records-00012.csv");
        assert!(is_part("records-00012.csv", "csv") && !is_part("records-00012.csv", "jsonl"));
        for other in ["records-1.csv", "records-0000x.csv", "records-00001.csv.csv", "../records-00001.csv"] {
            assert!(!is_part(other, "csv"), "{other}");
        }
    }
}
