//! WACZ (specs.webrecorder.net, 1.0 to 1.1.1): a ZIP archive with a list of its resources, their hashes, and perhaps a
//! signature of the list (WACZ Signing and Verification 0.1.0).
//!
//! Checked: every resource listed is there with the hash and size stated; every file under `archive/` is listed; the
//! digest file names the list's hash; its signature holds under the key or certificate in it; the certificates sign one
//! another and named the domain when the list was signed. Not checked: whether anyone trusts the key or the last
//! certificate, and the time stamp of an authority: both need data from outside the file.

use super::digest::{self, Hash, readings};
use super::entry::Data;
use super::fault::ContainerFault;
use crate::capture::gather::{Gathered, JsonReading};
use crate::capture::json::{Json, Value};
use crate::model::{Platform, Timestamp};
use aws_lc_rs::signature::{self, UnparsedPublicKey};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use std::collections::HashMap;
use std::time::Duration;
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};
use zeroize::Zeroizing;

/// A WACZ by its first entry, or a list of pages taken out of one (nothing in it is a record).
pub(in crate::capture) const READING: JsonReading = JsonReading {
    name: "wacz",
    platform: Platform::Web,
    recognises: |root| {
        let [format, url, at, state] = root.fields(["format", "url", "ts", "loadState"]);
        let header = format.and_then(Value::text).is_some_and(|format| format.starts_with("json-pages-"));
        header || (url.is_some_and(Value::is_text) && at.is_some_and(Value::is_text) && state.is_some())
    },
    gather: |_, _| Gathered::default(),
    reread: |_, _| None,
    event_of_deletion: None,
};

const PACKAGE: &[u8] = b"datapackage.json";
const DIGEST: &[u8] = b"datapackage-digest.json";
const DEPTH_MAX: usize = 64;

/// What was in the archive.
#[derive(Default)]
pub(super) struct Contents {
    files: HashMap<Vec<u8>, File>,
    package: Option<Zeroizing<Vec<u8>>>,
    digest: Option<Zeroizing<Vec<u8>>>,
    signed: bool,
}

struct File {
    size: u64,
    sums: Vec<(&'static str, Vec<u8>)>,
}

impl Contents {
    /// Whether an entry of this name is read for what people said; indexes and lists of pages are not.
    pub(super) fn holds_capture(name: &[u8]) -> bool {
        in_archive(name)
    }

    /// Before an entry is read: what is to be noted of its data.
    pub(super) fn prepare(&self, name: &[u8], data: &mut Data) {
        data.hashes = digest::of_resources();
        if name == PACKAGE || name == DIGEST {
            data.kept = Some(Zeroizing::default());
        }
    }

    /// After an entry was read.
    pub(super) fn add(&mut self, name: &[u8], data: &mut Data) {
        let sums = std::mem::take(&mut data.hashes).into_iter().map(|(name, hash)| (name, hash.finish()));
        self.files.entry(name.to_vec()).or_insert(File { size: data.made, sums: sums.collect() });
        if name == PACKAGE {
            self.package = data.kept.take();
        } else if name == DIGEST {
            self.signed = true;
            self.digest = data.kept.take();
        }
    }

    /// Holds the list against what was in the archive.
    pub(super) fn verify(self) -> Result<(), ContainerFault> {
        let package = self.package.as_ref().ok_or(ContainerFault::WaczPackage)?;
        let text = std::str::from_utf8(package).map_err(|_| ContainerFault::WaczPackage)?;
        let json = Json::parse(text, DEPTH_MAX).map_err(|_| ContainerFault::WaczPackage)?;
        let resources = json.root().field("resources").filter(|list| list.is_array());
        let mut listed: Vec<Vec<u8>> = Vec::new();
        for (n, resource) in (1_u64..).zip(resources.ok_or(ContainerFault::WaczPackage)?.elements()) {
            let path = resource.field("path").and_then(Value::text).ok_or(ContainerFault::WaczPackage)?;
            let file = self.files.get(path.as_bytes()).ok_or(ContainerFault::WaczMissing(n))?;
            file.is(resource, n)?;
            listed.push(path.as_bytes().to_vec());
        }
        listed.sort_unstable();
        let unlisted =
            |name: &Vec<u8>| in_archive(name) && !name.ends_with(b"/") && listed.binary_search(name).is_err();
        if self.files.keys().any(unlisted) {
            return Err(ContainerFault::WaczUnlisted);
        }
        match (&self.digest, self.signed) {
            (Some(digest), _) => signed(digest, package),
            (None, true) => Err(ContainerFault::WaczDigest),
            (None, false) => Ok(()),
        }
    }
}

fn in_archive(name: &[u8]) -> bool {
    name.starts_with(b"archive/") || name.starts_with(b"data/archive/")
}

impl File {
    /// Whether a file is what the list says: `hash` with its algorithm before a colon (MD5 without), or as in drafts
    /// `stats.hash` with `hashing`.
    fn is(&self, resource: Value<'_>, n: u64) -> Result<(), ContainerFault> {
        let [hash, bytes, stats, hashing] = resource.fields(["hash", "bytes", "stats", "hashing"]);
        let [draft_hash, draft_bytes] = stats.map_or([None; 2], |stats| stats.fields(["hash", "bytes"]));
        let stated = hash.or(draft_hash).and_then(Value::text).ok_or(ContainerFault::WaczAlgorithm(n))?;
        let hashing = hashing.and_then(Value::text);
        let (algorithm, value) =
            stated.split_once(':').unwrap_or((hashing.as_deref().unwrap_or("md5"), &stated));
        let algorithm = algorithm.to_ascii_lowercase().replace('-', "");
        let (_, sum) =
            self.sums.iter().find(|(name, _)| *name == algorithm).ok_or(ContainerFault::WaczAlgorithm(n))?;
        let size = bytes.or(draft_bytes).and_then(Value::id);
        let sized = size.is_none_or(|size| size.parse() == Ok(self.size));
        if sized && readings(value, sum.len()).contains(sum) {
            Ok(())
        } else {
            Err(ContainerFault::WaczHash(n))
        }
    }
}

/// The digest file: the list's hash, and perhaps who signed it.
fn signed(digest: &[u8], package: &[u8]) -> Result<(), ContainerFault> {
    let text = std::str::from_utf8(digest).map_err(|_| ContainerFault::WaczDigest)?;
    let json = Json::parse(text, DEPTH_MAX).map_err(|_| ContainerFault::WaczDigest)?;
    let [path, hash, data] = json.root().fields(["path", "hash", "signedData"]);
    let names_it = path.and_then(Value::text).is_none_or(|path| path.as_bytes() == PACKAGE);
    if !names_it || !hash_is(hash, package) {
        return Err(ContainerFault::WaczDigest);
    }
    let Some(data) = data.filter(|data| data.is_object()) else { return Ok(()) };
    let [hash, signature, key, chain] = data.fields(["hash", "signature", "publicKey", "domainCert"]);
    if !hash_is(hash, package) {
        return Err(ContainerFault::WaczDigest);
    }
    let hash = hash.and_then(Value::text).unwrap_or_default();
    let signature = signature.and_then(Value::text).and_then(|value| digest::base64(&value));
    let signature = signature.ok_or(ContainerFault::WaczSignature)?;
    match (chain.and_then(Value::text), key.and_then(Value::text)) {
        (Some(chain), _) => by_certificate(&chain, data, hash.as_bytes(), &signature),
        (None, Some(key)) => {
            let key = digest::base64(&key).ok_or(ContainerFault::WaczKey)?;
            by_key(&key, hash.as_bytes(), &signature)
        }
        (None, None) => Err(ContainerFault::WaczKey),
    }
}

fn hash_is(stated: Option<Value<'_>>, package: &[u8]) -> bool {
    let Some(stated) = stated.and_then(Value::text) else { return false };
    let (algorithm, value) = stated.split_once(':').unwrap_or(("sha256", &stated));
    let Some(mut hash) = Hash::named(algorithm) else { return false };
    hash.update(package);
    let sum = hash.finish();
    readings(value, sum.len()).contains(&sum)
}

/// A signature by the holder of a domain: certificates in PEM, the domain's first.
fn by_certificate(
    chain: &str,
    data: Value<'_>,
    message: &[u8],
    signature: &[u8],
) -> Result<(), ContainerFault> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(chain.as_bytes()).collect();
    let certificates = certificates.map_err(|_| ContainerFault::WaczKey)?;
    let (first, above) = certificates.split_first().ok_or(ContainerFault::WaczKey)?;
    let leaf = EndEntityCert::try_from(first).map_err(|_| ContainerFault::WaczKey)?;
    let algorithms = webpki::ALL_VERIFICATION_ALGS;
    // A certificate does not say with which hash its key signs: the ones that fit the key are tried.
    let holds =
        algorithms.iter().any(|algorithm| leaf.verify_signature(*algorithm, message, signature).is_ok());
    let [domain, created] = data.fields(["domain", "created"]);
    let named =
        domain.and_then(Value::text).and_then(|domain| ServerName::try_from(domain.into_owned()).ok());
    let named = named.is_some_and(|domain| leaf.verify_is_valid_for_subject_name(&domain).is_ok());
    if !holds || !named {
        return Err(ContainerFault::WaczSignature);
    }
    let Some((top, between)) = above.split_last() else { return Ok(()) };
    let at: Option<Timestamp> = created.and_then(Value::text).and_then(|at| at.parse().ok());
    let at = at.and_then(|at| u64::try_from(at.seconds()).ok()).ok_or(ContainerFault::WaczSignature)?;
    let at = UnixTime::since_unix_epoch(Duration::from_secs(at));
    let anchor = anchor_from_trusted_cert(top).map_err(|_| ContainerFault::WaczKey)?;
    let usage = KeyUsage::server_auth();
    let anchors = [anchor];
    let chained = leaf.verify_for_usage(algorithms, &anchors, between, at, usage, None, None);
    chained.map(|_| ()).map_err(|_| ContainerFault::WaczSignature)
}

/// DER before the point of a public key: P-256 and P-384 (RFC 5480).
const P256: &str = "3059301306072a8648ce3d020106082a8648ce3d030107034200";
const P384: &str = "3076301006072a8648ce3d020106052b81040022036200";

/// A signature by someone who is known by a public key only, as browsers make it: ECDSA, the two numbers side by side.
fn by_key(key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), ContainerFault> {
    let point = |prefix: &str| key.strip_prefix(hex::decode(prefix).unwrap_or_default().as_slice());
    let (point, algorithms): (&[u8], [&'static signature::EcdsaVerificationAlgorithm; 2]) =
        if let Some(point) = point(P256) {
            (point, [&signature::ECDSA_P256_SHA256_ASN1, &signature::ECDSA_P256_SHA384_ASN1])
        } else if let Some(point) = point(P384) {
            (point, [&signature::ECDSA_P384_SHA256_ASN1, &signature::ECDSA_P384_SHA384_ASN1])
        } else {
            return Err(ContainerFault::WaczKey);
        };
    let half = (point.len() - 1) / 2;
    let signature = if signature.len() == half * 2 { in_der(signature, half) } else { signature.to_vec() };
    let holds = |algorithm: &'static signature::EcdsaVerificationAlgorithm| {
        UnparsedPublicKey::new(algorithm, point).verify(message, &signature).is_ok()
    };
    if algorithms.into_iter().any(holds) { Ok(()) } else { Err(ContainerFault::WaczSignature) }
}

/// Two numbers of `half` bytes as an ASN.1 sequence.
fn in_der(signature: &[u8], half: usize) -> Vec<u8> {
    let mut body = Vec::new();
    for number in signature.chunks(half) {
        let zeros = number.iter().take_while(|byte| **byte == 0).count().min(number.len() - 1);
        let number = number.get(zeros..).unwrap_or_default();
        let high = number.first().is_some_and(|byte| byte & 0x80 != 0);
        body.extend([2, (number.len() + usize::from(high)) as u8]);
        body.extend(high.then_some(0));
        body.extend_from_slice(number);
    }
    [&[0x30, body.len() as u8], body.as_slice()].concat()
}

#[cfg(test)]
#[path = "wacz_tests.rs"]
mod tests;
