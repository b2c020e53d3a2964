//! From a name in a certificate to a machine with one role and one organisation.

use super::CertificateRefusal;
use crate::ledger::der::{Der, tag};
use crate::model::{OrganisationId, Role};
use aws_lc_rs::digest::{SHA256, digest};
use rustls_pki_types::CertificateDer;
use std::collections::{BTreeMap, BTreeSet};
use webpki::EndEntityCert;

/// A machine that came with its certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Its name as configured, such as `dns:harvester.min-low.example`.
    pub name: String,
    /// For which organisation it works.
    pub organisation: OrganisationId,
    /// Its one role.
    pub role: Role,
}

/// The machines that are known, by the name in their certificates.
#[derive(Debug, Clone, Default)]
pub struct Machines(BTreeMap<String, Machine>);

impl Machines {
    /// These machines and no others.
    #[must_use]
    pub fn new(known: impl IntoIterator<Item = Machine>) -> Self {
        Self(known.into_iter().map(|machine| (machine.name.clone(), machine)).collect())
    }

    /// The one machine that a certificate names. The chain was verified by the caller.
    ///
    /// # Errors
    /// When it names none that is known, or more than one.
    pub fn identify(&self, certificate: &CertificateDer<'_>) -> Result<&Machine, CertificateRefusal> {
        let names = names_in(certificate).ok_or(CertificateRefusal::Unusable)?;
        let mut found = names.iter().filter_map(|name| self.0.get(name));
        match (found.next(), found.next()) {
            (Some(one), None) => Ok(one),
            (None, _) => Err(CertificateRefusal::UnknownMachine),
            (Some(_), Some(_)) => Err(CertificateRefusal::SeveralMachines),
        }
    }
}

/// SHA-256 of a certificate, by which it is revoked here and by which tokens are bound to it.
pub(in crate::http) fn fingerprint(certificate: &CertificateDer<'_>) -> [u8; 32] {
    let mut fingerprint = [0; 32];
    fingerprint.copy_from_slice(digest(&SHA256, certificate).as_ref());
    fingerprint
}

/// Every name in a certificate that a machine can be known by.
fn names_in(certificate: &CertificateDer<'_>) -> Option<BTreeSet<String>> {
    let read = EndEntityCert::try_from(certificate).ok()?;
    let dns = read.valid_dns_names().map(|name| format!("dns:{}", name.to_ascii_lowercase()));
    let uris = read.valid_uri_names().map(|uri| format!("uri:{uri}"));
    let common = common_name(read.subject()).map(|name| format!("cn:{name}"));
    Some(dns.chain(uris).chain(common).collect())
}

/// `id-at-commonName`, 2.5.4.3 (X.520).
const COMMON_NAME: [u8; 3] = [0x55, 0x04, 0x03];
/// UTF8String, PrintableString, IA5String: what can be read as text as it is.
const TEXTS: [u8; 3] = [0x0c, 0x13, 0x16];

/// The one common name of a subject (the content of its sequence); `None` when there is none or more than one.
fn common_name(subject: &[u8]) -> Option<String> {
    let (mut names, mut parts) = (Vec::new(), Der::new(subject));
    while !parts.is_empty() {
        let mut part = parts.inside(tag::SET)?;
        while !part.is_empty() {
            let mut attribute = part.inside(tag::SEQUENCE)?;
            let kind = attribute.content(tag::OID)?;
            let text = attribute.tag().filter(|tag| TEXTS.contains(tag));
            if kind == COMMON_NAME {
                names.push(std::str::from_utf8(attribute.content(text?)?).ok()?.to_owned());
            }
        }
    }
    match names.as_slice() {
        [one] => Some(one.clone()),
        _ => None,
    }
}
