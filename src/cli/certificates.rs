//! Certificates for development.
//!
//! A development authority is made with its key, signs the server certificates of this machine and
//! forgets the key: whoever trusts the authority trusts nothing that can be signed later. Its name constraints leave
//! it no name but `localhost` and the loopback addresses. Before it forgets its key it signs a revocation list that
//! revokes nothing and lasts as long as its certificates do: for clients that insist on one. Nothing here touches files: the caller writes the
//! key with mode 0600.

use crate::model::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CidrSubnet, CrlDistributionPoint,
    DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    NameConstraints, PKCS_ECDSA_P256_SHA256, SerialNumber,
};
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use zeroize::Zeroizing;

/// Where certificates say that the list is. Nobody serves it there unless someone on this machine does.
const REVOKED_AT: &str = "http://localhost/knik-development-authority.crl";

/// Longest life of a development certificate, in days (what browsers accept at most).
pub const DAYS_MAX: u16 = 397;

/// A development authority's certificate and the server certificates under it. The authority's key is gone.
pub struct DevelopmentCertificates {
    authority: String,
    revoked: String,
    servers: Vec<ServerCertificate>,
}

/// A server certificate for `localhost`, 127.0.0.1 and ::1, with its key.
pub struct ServerCertificate {
    chain: String,
    key: Zeroizing<String>,
}

/// Certificates that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A term that is no term.
    #[error("development certificates last 1 to 397 days")]
    Days,
    /// The moment given cannot be written into a certificate.
    #[error("certificates cannot be made for this date")]
    Date,
    /// The certificate library refused.
    #[error("could not make a development certificate")]
    Make(#[source] rcgen::Error),
}

impl DevelopmentCertificates {
    /// Makes an authority and, for each of its `servers` (the vault and the reading room each have their
    /// own), a certificate with a fresh P-256 key, valid from the day before `now` for `days` days after it.
    ///
    /// # Errors
    /// [`CertificateError::Days`] for 0 or more than [`DAYS_MAX`]; [`CertificateError::Make`] when the
    /// library refuses.
    pub fn generate(now: Timestamp, days: u16, servers: usize) -> Result<Self, CertificateError> {
        if !(1..=DAYS_MAX).contains(&days) {
            return Err(CertificateError::Days);
        }
        let authority_key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(CertificateError::Make)?;
        let params = authority_params(now, days)?;
        let authority = params.self_signed(&authority_key).map_err(CertificateError::Make)?.pem();
        let issuer = Issuer::new(params, authority_key);
        let revoked = nothing_revoked(now, days)?.signed_by(&issuer).and_then(|list| list.pem());
        let revoked = revoked.map_err(CertificateError::Make)?;
        let signed = (0..servers).map(|_| ServerCertificate::signed(&issuer, now, days));
        Ok(Self { authority, revoked, servers: signed.collect::<Result<_, _>>()? })
    }

    /// The authority's certificate (PEM): what a development client trusts.
    #[must_use]
    pub fn authority_pem(&self) -> &str {
        &self.authority
    }

    /// The authority's revocation list (PEM): nothing is revoked, and nothing can be later.
    #[must_use]
    pub fn revoked_pem(&self) -> &str {
        &self.revoked
    }

    /// The server certificates, as many as were asked.
    #[must_use]
    pub fn servers(&self) -> &[ServerCertificate] {
        &self.servers
    }
}

impl ServerCertificate {
    fn signed(issuer: &Issuer<'_, KeyPair>, now: Timestamp, days: u16) -> Result<Self, CertificateError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(CertificateError::Make)?;
        let signed = server_params(now, days)?.signed_by(&key, issuer).map_err(CertificateError::Make)?;
        Ok(Self { chain: signed.pem(), key: Zeroizing::new(key.serialize_pem()) })
    }

    /// The certificate (PEM).
    #[must_use]
    pub fn chain_pem(&self) -> &str {
        &self.chain
    }

    /// The private key (PKCS#8 PEM). Write it with mode 0600; never log it.
    #[must_use]
    pub fn key_pem(&self) -> &str {
        &self.key
    }
}

impl fmt::Debug for DevelopmentCertificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DevelopmentCertificates({} servers)", self.servers.len())
    }
}

impl fmt::Debug for ServerCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerCertificate(..)")
    }
}

fn authority_params(now: Timestamp, days: u16) -> Result<CertificateParams, CertificateError> {
    let mut params = dated(CertificateParams::default(), now, days)?;
    params.distinguished_name.push(DnType::CommonName, "Knik development authority (not for production)");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let permitted_subtrees = vec![
        GeneralSubtree::DnsName("localhost".to_owned()),
        GeneralSubtree::IpAddress(CidrSubnet::V4(Ipv4Addr::LOCALHOST.octets(), [255; 4])),
        GeneralSubtree::IpAddress(CidrSubnet::V6(Ipv6Addr::LOCALHOST.octets(), [255; 16])),
    ];
    params.name_constraints = Some(NameConstraints { permitted_subtrees, excluded_subtrees: Vec::new() });
    Ok(params)
}

fn server_params(now: Timestamp, days: u16) -> Result<CertificateParams, CertificateError> {
    let names = ["localhost".to_owned(), Ipv4Addr::LOCALHOST.to_string(), Ipv6Addr::LOCALHOST.to_string()];
    let mut params = dated(CertificateParams::new(names).map_err(CertificateError::Make)?, now, days)?;
    params.distinguished_name.push(DnType::CommonName, "localhost");
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    params.crl_distribution_points = vec![CrlDistributionPoint { uris: vec![REVOKED_AT.to_owned()] }];
    Ok(params)
}

fn nothing_revoked(now: Timestamp, days: u16) -> Result<CertificateRevocationListParams, CertificateError> {
    let as_long = dated(CertificateParams::default(), now, days)?;
    Ok(CertificateRevocationListParams {
        this_update: as_long.not_before,
        next_update: as_long.not_after,
        crl_number: SerialNumber::from(1_u64),
        issuing_distribution_point: None,
        revoked_certs: Vec::new(),
        key_identifier_method: KeyIdMethod::Sha256,
    })
}

fn dated(
    mut params: CertificateParams,
    now: Timestamp,
    days: u16,
) -> Result<CertificateParams, CertificateError> {
    params.distinguished_name = rcgen::DistinguishedName::new();
    let day = |days: i64| midnight(&now.plus_seconds(days * 86_400).day()).ok_or(CertificateError::Date);
    let (year, month, of_month) = day(-1)?;
    params.not_before = rcgen::date_time_ymd(year, month, of_month);
    let (year, month, of_month) = day(i64::from(days))?;
    params.not_after = rcgen::date_time_ymd(year, month, of_month);
    Ok(params)
}

/// Year, month and day of `2026-05-04`; years that X.509 cannot write are refused.
fn midnight(day: &str) -> Option<(i32, u8, u8)> {
    let mut parts = day.splitn(3, '-');
    let (year, month, of_month) = (parts.next()?, parts.next()?, parts.next()?);
    let year = year.parse().ok().filter(|year| (1970..=9998).contains(year))?;
    Some((year, month.parse().ok()?, of_month.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_made_for_terms_that_can_be_written() {
        let now = "2026-05-04T09:30:00Z".parse().unwrap();
        for days in [0, DAYS_MAX + 1] {
            assert!(matches!(DevelopmentCertificates::generate(now, days, 1), Err(CertificateError::Days)));
        }
        let past = Timestamp::from_micros(-100_000_000_000_000).unwrap();
        assert!(matches!(DevelopmentCertificates::generate(past, 1, 1), Err(CertificateError::Date)));
        let made = DevelopmentCertificates::generate(now, 1, 1).unwrap();
        assert_eq!(
            format!("{made:?} {:?}", made.servers()),
            "DevelopmentCertificates(1 servers) [ServerCertificate(..)]"
        );
    }
}
