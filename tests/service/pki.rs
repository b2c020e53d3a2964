//! A small authority for tests: it signs what it is asked to, and revokes it.

use knik::model::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
    RevokedCertParams, SanType, SerialNumber,
};

/// An authority with its key.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate with its key, as PEM.
#[derive(Clone)]
pub struct Signed {
    pub certificate: String,
    pub key: String,
}

/// What a certificate says.
pub struct Asked<'a> {
    pub serial: u64,
    pub common_name: &'a str,
    pub dns: &'a [&'a str],
    pub uris: &'a [&'a str],
    /// From and until which day, counted from today.
    pub days: (i64, i64),
    pub purpose: ExtendedKeyUsagePurpose,
}

pub const CLIENT: Asked<'static> = Asked {
    serial: 1,
    common_name: "",
    dns: &[],
    uris: &[],
    days: (-2, 30),
    purpose: ExtendedKeyUsagePurpose::ClientAuth,
};

pub const SERVER: Asked<'static> =
    Asked { dns: &["localhost"], purpose: ExtendedKeyUsagePurpose::ServerAuth, ..CLIENT };

/// The machine's own time: TLS checks certificates against it.
pub fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap()).unwrap()
}

/// So many days from today, as text.
fn day_from_now(days: i64) -> String {
    now().plus_seconds(days * 86_400).day()
}

// The certificate library's own type of dates cannot be named here.
macro_rules! day {
    ($days:expr) => {{
        let day = day_from_now($days);
        let part = |n: usize| day.split('-').nth(n).unwrap();
        rcgen::date_time_ymd(part(0).parse().unwrap(), part(1).parse().unwrap(), part(2).parse().unwrap())
    }};
}

fn key() -> KeyPair {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap()
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.not_before = day!(-3);
        params.not_after = day!(60);
        Self { issuer: CertifiedIssuer::self_signed(params, key()).unwrap() }
    }

    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    pub fn sign(&self, asked: &Asked<'_>) -> Signed {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        if !asked.common_name.is_empty() {
            params.distinguished_name.push(DnType::CommonName, asked.common_name);
        }
        params.serial_number = Some(SerialNumber::from(asked.serial));
        let dns = asked.dns.iter().map(|name| SanType::DnsName((*name).try_into().unwrap()));
        let uris = asked.uris.iter().map(|uri| SanType::URI((*uri).try_into().unwrap()));
        params.subject_alt_names = dns.chain(uris).collect();
        params.extended_key_usages = vec![asked.purpose.clone()];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.not_before = day!(asked.days.0);
        params.not_after = day!(asked.days.1);
        let key = key();
        let signed = params.signed_by(&key, &self.issuer).unwrap();
        Signed { certificate: signed.pem(), key: key.serialize_pem() }
    }

    /// A list that revokes these, in force from yesterday until so many days from today.
    pub fn revoke(&self, serials: &[u64], until_days: i64) -> String {
        let revoked = serials.iter().map(|serial| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: day!(-1),
            reason_code: None,
            invalidity_date: None,
        });
        let params = CertificateRevocationListParams {
            this_update: day!(-2),
            next_update: day!(until_days),
            crl_number: SerialNumber::from(1_u64),
            issuing_distribution_point: None,
            revoked_certs: revoked.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&self.issuer).unwrap().pem().unwrap()
    }
}
