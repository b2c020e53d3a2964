//! Time-stamps (RFC 3161): that a time-stamp authority saw a checkpoint, and when.
//!
//! What is checked of a response: it was granted, it is over this checkpoint (SHA-256), its signed attributes name
//! the time-stamp's own digest and kind, a certificate in it leads to one of the verifier's authorities with the
//! extended key usage *timeStamping* as of the time stated, and that certificate's key signed the attributes.
//! What is not: revocation, the ESSCertID attribute (another certificate of the same key would pass), the policy.
//!
//! Reading is by hand, with as little DER as that takes; chains and signatures are `webpki`'s.

use super::der::{Der, element, tag};
use crate::model::Timestamp;
use aws_lc_rs::digest::{Algorithm, SHA256, SHA384, SHA512, digest};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, UnixTime};
use std::time::Duration;
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, KeyUsage, anchor_from_trusted_cert};

/// Why a time-stamp does not hold, or was not given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimestampError {
    /// The file of authorities holds no certificate that can be used.
    #[error("the file of time-stamp authorities holds no usable certificate (PEM)")]
    NoAuthority,
    /// The authority refused to stamp.
    #[error("the time-stamp authority did not grant the request (status {status})")]
    NotGranted {
        /// Its PKIStatus.
        status: u8,
    },
    /// The bytes are no response in the form that is read here.
    #[error("the time-stamp is malformed: {part}")]
    Malformed {
        /// Which part.
        part: &'static str,
    },
    /// It is over something else.
    #[error("the time-stamp is not of this checkpoint")]
    OtherImprint,
    /// It does not answer the request that was made.
    #[error("the time-stamp does not answer this request")]
    OtherNonce,
    /// No certificate in it leads to one of the authorities and signed it.
    #[error("the time-stamp is not signed by a trusted time-stamp authority")]
    NotTrusted,
}

/// The certificates that a verifier trusts to issue those of time-stamp authorities.
#[derive(Debug, Clone)]
pub struct Authorities(Vec<CertificateDer<'static>>);

impl Authorities {
    /// Reads a PEM file of certificates.
    ///
    /// # Errors
    /// [`TimestampError::NoAuthority`].
    pub fn from_pem(text: &str) -> Result<Self, TimestampError> {
        let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
        let read = read.map_err(|_| TimestampError::NoAuthority)?;
        let usable = !read.is_empty() && read.iter().all(|one| anchor_from_trusted_cert(one).is_ok());
        if usable { Ok(Self(read)) } else { Err(TimestampError::NoAuthority) }
    }
}

/// A request for a time-stamp over a checkpoint.
#[derive(Debug)]
pub struct TimestampQuery {
    imprint: Vec<u8>,
    nonce: Vec<u8>,
}

/// A time-stamp that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timestamped {
    /// When the authority saw the checkpoint.
    pub at: Timestamp,
}

impl TimestampQuery {
    /// A request over the note of a checkpoint; the nonce is drawn by the caller.
    #[must_use]
    pub fn new(note: &str, drawn: [u8; 16]) -> Self {
        // One form only: positive, and no leading zero that is not needed.
        let nonce = [&[0x40 | drawn[0] & 0x3f], drawn.get(1..).unwrap_or_default()].concat();
        Self { imprint: digest(&SHA256, note.as_bytes()).as_ref().to_vec(), nonce }
    }

    /// The TimeStampReq, to be posted as `application/timestamp-query`. Asks for the authority's certificate.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let algorithm =
            element(tag::SEQUENCE, &[&element(tag::OID, &[SHA256_OID]), &element(tag::NULL, &[])]);
        let imprint = element(tag::SEQUENCE, &[&algorithm, &element(tag::OCTETS, &[&self.imprint])]);
        let version = element(tag::INTEGER, &[&[1]]);
        let nonce = element(tag::INTEGER, &[&self.nonce]);
        let certificate = element(tag::BOOLEAN, &[&[0xff]]);
        element(tag::SEQUENCE, &[&version, &imprint, &nonce, &certificate])
    }

    /// Checks what the authority answered.
    ///
    /// # Errors
    /// [`TimestampError`], by what does not hold first.
    pub fn answered(&self, response: &[u8], trusted: &Authorities) -> Result<Timestamped, TimestampError> {
        let stamp = Stamp::read(response)?;
        if stamp.says.nonce != Some(self.nonce.as_slice()) {
            return Err(TimestampError::OtherNonce);
        }
        stamp.check(&self.imprint, trusted)
    }
}

/// Checks a stored TimeStampResp against the note of the checkpoint that it stands beside.
///
/// # Errors
/// [`TimestampError`], by what does not hold first.
pub fn timestamp_of(
    note: &str,
    response: &[u8],
    trusted: &Authorities,
) -> Result<Timestamped, TimestampError> {
    Stamp::read(response)?.check(digest(&SHA256, note.as_bytes()).as_ref(), trusted)
}

const SHA256_OID: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
const SHA384_OID: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02];
const SHA512_OID: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03];
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
const TST_INFO: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x04];
const CONTENT_TYPE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x03];
const MESSAGE_DIGEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04];
/// id-kp-timeStamping, 1.3.6.1.5.5.7.3.8.
const TIME_STAMPING: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08];

/// A response, taken apart and not yet checked.
struct Stamp<'a> {
    /// TSTInfo as it was signed.
    info: &'a [u8],
    says: Says<'a>,
    certificates: Vec<CertificateDer<'a>>,
    signer: Signer<'a>,
}

/// What a TSTInfo says.
struct Says<'a> {
    imprint: &'a [u8],
    at: Timestamp,
    nonce: Option<&'a [u8]>,
}

struct Signer<'a> {
    hash: &'static Algorithm,
    /// The content of the signed attributes.
    attributes: &'a [u8],
    signature: &'a [u8],
}

impl<'a> Stamp<'a> {
    fn read(response: &'a [u8]) -> Result<Self, TimestampError> {
        let malformed = |part| TimestampError::Malformed { part };
        let mut all = Der::new(response);
        let mut outer = all.inside(tag::SEQUENCE).filter(|_| all.is_empty()).ok_or(malformed("response"))?;
        let mut status = outer.inside(tag::SEQUENCE).ok_or(malformed("status"))?;
        match status.content(tag::INTEGER).ok_or(malformed("status"))? {
            [0 | 1] => {}
            [status] => return Err(TimestampError::NotGranted { status: *status }),
            _ => return Err(malformed("status")),
        }
        let mut signed = signed_data(&mut outer).ok_or(malformed("signed data"))?;
        let info = content_info(&mut signed).ok_or(malformed("content"))?;
        let certificates = certificates(&mut signed).ok_or(malformed("certificates"))?;
        let signer = signer(&mut signed).ok_or(malformed("signer"))?;
        let says = tst_info(info).ok_or(malformed("time-stamp"))?;
        Ok(Self { info, says, certificates, signer })
    }

    fn check(&self, imprint: &[u8], trusted: &Authorities) -> Result<Timestamped, TimestampError> {
        if self.says.imprint != imprint {
            return Err(TimestampError::OtherImprint);
        }
        let own = digest(self.signer.hash, self.info);
        let attribute = |kind| attribute(self.signer.attributes, kind);
        let named = attribute(CONTENT_TYPE).and_then(|mut value| value.content(tag::OID));
        let hashed = attribute(MESSAGE_DIGEST).and_then(|mut value| value.content(tag::OCTETS));
        if named != Some(TST_INFO) || hashed != Some(own.as_ref()) {
            return Err(TimestampError::Malformed { part: "signed attributes" });
        }
        // What is signed is the attributes as a set of their own (RFC 5652 section 5.4).
        let message = element(tag::SET, &[self.signer.attributes]);
        if self.certificates.iter().any(|one| self.signed_by(one, &message, trusted)) {
            Ok(Timestamped { at: self.says.at })
        } else {
            Err(TimestampError::NotTrusted)
        }
    }

    fn signed_by(&self, certificate: &CertificateDer<'_>, message: &[u8], trusted: &Authorities) -> bool {
        let Ok(end) = EndEntityCert::try_from(certificate) else { return false };
        let Ok(seconds) = u64::try_from(self.says.at.seconds()) else { return false };
        let time = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let anchors: Vec<_> = trusted.0.iter().filter_map(|one| anchor_from_trusted_cert(one).ok()).collect();
        let usage = KeyUsage::required(TIME_STAMPING);
        let chain = end.verify_for_usage(
            ALL_VERIFICATION_ALGS,
            &anchors,
            &self.certificates,
            time,
            usage,
            None,
            None,
        );
        let signed = |algorithm: &_| end.verify_signature(*algorithm, message, self.signer.signature).is_ok();
        chain.is_ok() && ALL_VERIFICATION_ALGS.iter().any(signed)
    }
}

/// ContentInfo of a SignedData: its content, after the version and the digest algorithms.
fn signed_data<'a>(outer: &mut Der<'a>) -> Option<Der<'a>> {
    let mut info = outer.inside(tag::SEQUENCE)?;
    if info.content(tag::OID)? != SIGNED_DATA {
        return None;
    }
    let mut signed = info.inside(tag::CONTEXT_0)?.inside(tag::SEQUENCE)?;
    signed.content(tag::INTEGER)?;
    signed.content(tag::SET)?;
    Some(signed)
}

/// The TSTInfo inside.
fn content_info<'a>(signed: &mut Der<'a>) -> Option<&'a [u8]> {
    let mut content = signed.inside(tag::SEQUENCE)?;
    if content.content(tag::OID)? != TST_INFO {
        return None;
    }
    content.inside(tag::CONTEXT_0)?.content(tag::OCTETS)
}

fn certificates<'a>(signed: &mut Der<'a>) -> Option<Vec<CertificateDer<'a>>> {
    let mut set = Der::new(signed.optional(tag::CONTEXT_0).unwrap_or_default());
    let mut found = Vec::new();
    while !set.is_empty() {
        found.push(CertificateDer::from(set.whole()?));
    }
    // Revocation lists are passed over.
    signed.optional(CONTEXT_1);
    Some(found)
}

/// Context 1, constructed.
const CONTEXT_1: u8 = 0xa1;

/// The one signer.
fn signer<'a>(signed: &mut Der<'a>) -> Option<Signer<'a>> {
    let mut set = signed.inside(tag::SET)?;
    let mut signer = set.inside(tag::SEQUENCE)?;
    signer.content(tag::INTEGER)?;
    signer.whole()?;
    let hash = match signer.inside(tag::SEQUENCE)?.content(tag::OID)? {
        SHA256_OID => &SHA256,
        SHA384_OID => &SHA384,
        SHA512_OID => &SHA512,
        _ => return None,
    };
    let attributes = signer.content(tag::CONTEXT_0)?;
    signer.content(tag::SEQUENCE)?;
    let signature = signer.content(tag::OCTETS)?;
    set.is_empty().then_some(Signer { hash, attributes, signature })
}

/// Imprint, time and nonce.
fn tst_info(info: &[u8]) -> Option<Says<'_>> {
    let mut all = Der::new(info);
    let mut info = all.inside(tag::SEQUENCE).filter(|_| all.is_empty())?;
    if info.content(tag::INTEGER)? != [1] {
        return None;
    }
    info.content(tag::OID)?;
    let mut imprint = info.inside(tag::SEQUENCE)?;
    if imprint.inside(tag::SEQUENCE)?.content(tag::OID)? != SHA256_OID {
        return None;
    }
    let imprint = imprint.content(tag::OCTETS)?;
    info.content(tag::INTEGER)?;
    let at = time(info.content(tag::TIME)?)?;
    info.optional(tag::SEQUENCE);
    info.optional(tag::BOOLEAN);
    Some(Says { imprint, at, nonce: info.optional(tag::INTEGER) })
}

/// `20261126091500.5Z` as a moment.
fn time(text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (whole, fraction) = text.split_at_checked(14)?;
    let digits = |range: std::ops::Range<usize>| whole.get(range).unwrap_or_default();
    let (day, hour) =
        ([digits(0..4), digits(4..6), digits(6..8)], [digits(8..10), digits(10..12), digits(12..14)]);
    format!("{}T{}{fraction}Z", day.join("-"), hour.join(":")).parse().ok()
}

/// The only value of an attribute.
fn attribute<'a>(attributes: &'a [u8], kind: &[u8]) -> Option<Der<'a>> {
    let mut all = Der::new(attributes);
    let mut found = None;
    while !all.is_empty() {
        let mut one = all.inside(tag::SEQUENCE)?;
        if one.content(tag::OID)? == kind {
            // Twice is once too often.
            if found.replace(one.inside(tag::SET)?).is_some() {
                return None;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use std::process::Command;

    const NOTE: &str =
        "knik.example/vault\n9\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n\u{2014} x AAAAAAAA\n";

    const CONFIG: &str = "[ tsa ]\ndefault_tsa = one\n[ one ]\nserial = ./serial\nsigner_digest = sha256\n\
        default_policy = 1.2.3.4.1\ndigests = sha256\naccuracy = secs:1\nordering = yes\ntsa_name = yes\n\
        ess_cert_id_chain = no\n";

    fn openssl(folder: &Path, arguments: &str) {
        let done = Command::new("openssl").current_dir(folder).args(arguments.split(' ')).output().unwrap();
        assert!(done.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&done.stderr));
    }

    /// A root, an authority under it, and a certificate under it that may not stamp.
    fn authority(key: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let write = |name: &str, text: &str| std::fs::write(at.join(name), text).unwrap();
        write("config", CONFIG);
        write("serial", "01\n");
        write("tsa.ext", "keyUsage=critical,digitalSignature\nextendedKeyUsage=critical,timeStamping\n");
        write("web.ext", "extendedKeyUsage=serverAuth\n");
        let root = "req -x509 -nodes -days 30 -subj /CN=Root -addext basicConstraints=critical,CA:TRUE";
        openssl(at, &format!("{root} -newkey {key} -keyout ca.key -out ca.pem"));
        for (name, extensions) in [("tsa", "tsa.ext"), ("web", "web.ext")] {
            openssl(
                at,
                &format!("req -new -nodes -subj /CN={name} -newkey {key} -keyout {name}.key -out {name}.csr"),
            );
            openssl(
                at,
                &format!(
                    "x509 -req -days 30 -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile {extensions} -out {name}.pem"
                ),
            );
        }
        folder
    }

    fn answer(at: &Path, query: &[u8]) -> Vec<u8> {
        std::fs::write(at.join("query"), query).unwrap();
        openssl(at, "ts -reply -config config -queryfile query -signer tsa.pem -inkey tsa.key -out answer");
        std::fs::read(at.join("answer")).unwrap()
    }

    fn trusted(at: &Path) -> Authorities {
        Authorities::from_pem(&std::fs::read_to_string(at.join("ca.pem")).unwrap()).unwrap()
    }

    #[test]
    fn a_stamp_of_openssl_holds_for_its_checkpoint_under_its_authority() {
        for key in ["rsa:2048", "ec -pkeyopt ec_paramgen_curve:P-256"] {
            let (folder, other) = (authority(key), authority(key));
            let query = TimestampQuery::new(NOTE, [0xff; 16]);
            let response = answer(folder.path(), &query.to_bytes());
            let (trusted, stranger) = (trusted(folder.path()), trusted(other.path()));
            let stamped = query.answered(&response, &trusted).unwrap();
            assert_eq!(timestamp_of(NOTE, &response, &trusted), Ok(stamped));
            assert_eq!(timestamp_of("other", &response, &trusted), Err(TimestampError::OtherImprint));
            assert_eq!(timestamp_of(NOTE, &response, &stranger), Err(TimestampError::NotTrusted));
            let again = TimestampQuery::new(NOTE, [1; 16]);
            assert_eq!(again.answered(&response, &trusted), Err(TimestampError::OtherNonce));
            std::fs::write(folder.path().join("note"), NOTE).unwrap();
            openssl(folder.path(), "ts -verify -data note -in answer -CAfile ca.pem");
        }
    }

    #[test]
    fn no_changed_byte_of_a_stamp_gives_another_time_or_imprint() {
        let folder = authority("ec -pkeyopt ec_paramgen_curve:P-256");
        let response = answer(folder.path(), &TimestampQuery::new(NOTE, [3; 16]).to_bytes());
        let trusted = trusted(folder.path());
        let sound = timestamp_of(NOTE, &response, &trusted).unwrap();
        let mut refused = 0;
        for at in 0..response.len() {
            let mut changed = response.clone();
            changed[at] ^= 1;
            // Bytes outside what is signed (serial numbers, unsigned names) may change and say nothing.
            match timestamp_of(NOTE, &changed, &trusted) {
                Ok(same) => assert_eq!(same, sound, "byte {at}"),
                Err(_) => refused += 1,
            }
            assert!(timestamp_of(NOTE, &response[..at], &trusted).is_err(), "cut at {at}");
        }
        assert!(refused * 10 > response.len() * 8, "{refused} of {}", response.len());
    }

    #[test]
    fn a_refusal_and_a_certificate_that_may_not_stamp_are_told() {
        let folder = authority("ec -pkeyopt ec_paramgen_curve:P-256");
        let at = folder.path();
        let trusted = trusted(at);
        let refusal = [0x30, 0x05, 0x30, 0x03, 0x02, 0x01, 0x02];
        assert_eq!(timestamp_of(NOTE, &refusal, &trusted), Err(TimestampError::NotGranted { status: 2 }));
        let query = TimestampQuery::new(NOTE, [3; 16]).to_bytes();
        let response = answer(at, &query);
        // The same key under a certificate for servers: the stamp is signed, but not by an authority.
        openssl(
            at,
            "x509 -req -days 30 -in tsa.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile web.ext -out other.pem",
        );
        let der = |name: &str| {
            let text = std::fs::read_to_string(at.join(name)).unwrap();
            CertificateDer::from_pem_slice(text.as_bytes()).unwrap()
        };
        let (right, other) = (der("tsa.pem"), der("other.pem"));
        let stamp = Stamp::read(&response).unwrap();
        assert_eq!(stamp.certificates, [right]);
        let swapped = Stamp { certificates: vec![other], ..stamp };
        let imprint = digest(&SHA256, NOTE.as_bytes());
        assert_eq!(swapped.check(imprint.as_ref(), &trusted), Err(TimestampError::NotTrusted));
    }

    #[test]
    fn a_file_without_certificates_is_refused() {
        for bad in ["", "not PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            assert_eq!(Authorities::from_pem(bad).unwrap_err(), TimestampError::NoAuthority, "{bad}");
        }
    }

    #[test]
    fn times_read_with_and_without_fractions() {
        assert_eq!(time(b"20261126091500Z"), "2026-11-26T09:15:00Z".parse().ok());
        assert_eq!(time(b"20261126091500.25Z"), "2026-11-26T09:15:00.25Z".parse().ok());
        for bad in [&b"20261126091500"[..], b"2026112609150Z", b"20261326091500Z", b"\xff"] {
            assert_eq!(time(bad), None);
        }
    }
}
