//! Who asks: one token in the header, or a machine with its client certificate. Never both, unless the token is bound
//! to that very certificate (RFC 8705).
//!
//! Whoever it is, revocations are looked up at every request, and again before each original of a request that opens several.

use super::problem::Problem;
use super::tls::{CertificateRefusal, Machines, PeerCertificate, ServerTls};
use super::token::{Claims, KeyRenewal, LEEWAY_SECONDS, MACHINES, Person, Subject, TokenRefusal, Verifier};
use crate::model::{RevocationDigest, RevocationKind, Timestamp, revocation_digest};
use crate::store::StoreError;
use crate::store::catalogue::Catalogue;
use crate::store::room::Room;
use crate::vault::VaultError;
use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpRequest, web};
use futures_util::future::{BoxFuture, LocalBoxFuture};
use std::sync::Arc;

/// What is revoked now.
pub trait Revocations: Send + Sync {
    /// Whether any of these is.
    ///
    /// # Errors
    /// When that cannot be known: then nobody is let in.
    fn revoked(&self, digests: Vec<RevocationDigest>) -> BoxFuture<'_, Result<bool, StoreError>>;
}

impl Revocations for Catalogue {
    fn revoked(&self, digests: Vec<RevocationDigest>) -> BoxFuture<'_, Result<bool, StoreError>> {
        Box::pin(async move { self.is_revoked(&digests).await })
    }
}

impl Revocations for Room {
    fn revoked(&self, digests: Vec<RevocationDigest>) -> BoxFuture<'_, Result<bool, StoreError>> {
        Box::pin(async move { self.is_revoked(&digests).await })
    }
}

/// What admits requests: a verifier, revocations and a clock; machines where they are known. Cloning shares it.
#[derive(Clone)]
pub struct Admission {
    verifier: Arc<Verifier>,
    renewal: Arc<dyn KeyRenewal>,
    revocations: Arc<dyn Revocations>,
    machines: Option<(Arc<ServerTls>, Arc<Machines>)>,
    now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

/// Why a request is not admitted. The answer tells the first two alike.
enum NotAdmitted {
    Token(TokenRefusal),
    Certificate(CertificateRefusal),
    Unknown(StoreError),
}

impl Admission {
    /// Admission by these issuers and revocations under this clock; keys that are not known are asked of `renewal`.
    pub fn new(
        verifier: Arc<Verifier>,
        renewal: Arc<dyn KeyRenewal>,
        revocations: Arc<dyn Revocations>,
        now: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Self {
        Self { verifier, renewal, revocations, machines: None, now: Arc::new(now) }
    }

    /// Admits these machines too, with the certificates that this server trusts.
    #[must_use]
    pub fn with_machines(self, tls: Arc<ServerTls>, machines: Machines) -> Self {
        Self { machines: Some((tls, Arc::new(machines))), ..self }
    }

    async fn admit(&self, request: &HttpRequest) -> Result<Claims, NotAdmitted> {
        let token = token_of(request)?;
        let certificate = request.conn_data::<PeerCertificate>();
        let claims = match (token, certificate) {
            (None, None) => return Err(TokenRefusal::Nothing.into()),
            (None, Some(certificate)) => self.machine(certificate)?,
            (Some(token), certificate) => {
                let claims = self.verify(token).await?;
                self.belongs(&claims, certificate)?;
                claims
            }
        };
        match self.revocations.revoked(digests_of(&claims)).await {
            Ok(false) => Ok(claims),
            Ok(true) => Err(TokenRefusal::Revoked.into()),
            Err(error) => Err(NotAdmitted::Unknown(error)),
        }
    }

    /// Verifies a token; when it names a key that is not known, once more after keys were fetched.
    async fn verify(&self, header: &str) -> Result<Claims, TokenRefusal> {
        match self.verifier.verify(header, (self.now)()) {
            Err(TokenRefusal::UnknownKey | TokenRefusal::NoKeys) => {
                if let Some(issuer) = self.verifier.claimed_issuer(header) {
                    self.renewal.renew(issuer).await;
                }
                self.verifier.verify(header, (self.now)())
            }
            verified => verified,
        }
    }

    /// A token that is bound to a certificate comes with that one, any other with none.
    fn belongs(&self, claims: &Claims, certificate: Option<&PeerCertificate>) -> Result<(), NotAdmitted> {
        match (&claims.bound_to, certificate, &self.machines) {
            (None, None, _) => Ok(()),
            (Some(bound), Some(certificate), Some((tls, _))) if bound == certificate.fingerprint() => {
                certificate.still_good(tls).map(drop).map_err(NotAdmitted::Certificate)
            }
            _ => Err(TokenRefusal::Certificate.into()),
        }
    }

    fn machine(&self, certificate: &PeerCertificate) -> Result<Claims, NotAdmitted> {
        let (tls, machines) = self.machines.as_ref().ok_or(TokenRefusal::Nothing)?;
        let good = certificate.still_good(tls).map_err(NotAdmitted::Certificate)?;
        let machine = machines.identify(good).map_err(NotAdmitted::Certificate)?;
        let name = Subject::of_machine(&machine.name);
        Ok(Claims {
            issuer: MACHINES.to_owned(),
            subject: name.clone(),
            person: Person { realm: MACHINES.to_owned(), id: name },
            jti: Some(hex::encode(certificate.fingerprint())),
            role: machine.role,
            organisation: machine.organisation.clone(),
            // It was found good for this request and is looked at again for the next.
            expires_at: (self.now)(),
            bound_to: Some(*certificate.fingerprint()),
        })
    }
}

impl From<TokenRefusal> for NotAdmitted {
    fn from(refusal: TokenRefusal) -> Self {
        Self::Token(refusal)
    }
}

/// The value of the one authorization header, or of none.
fn token_of(request: &HttpRequest) -> Result<Option<&str>, TokenRefusal> {
    let mut headers = request.headers().get_all(AUTHORIZATION);
    match (headers.next(), headers.next()) {
        (None, _) => Ok(None),
        (Some(one), None) => one.to_str().map(Some).map_err(|_| TokenRefusal::NotBearer),
        (Some(_), Some(_)) => Err(TokenRefusal::Nothing),
    }
}

/// Everything by which this bearer can be revoked.
fn digests_of(claims: &Claims) -> Vec<RevocationDigest> {
    let issuer = claims.issuer.as_str();
    let token = claims.jti.as_deref().map(|jti| revocation_digest(RevocationKind::Token, issuer, jti));
    let subject = revocation_digest(RevocationKind::Subject, issuer, claims.subject.expose());
    let person = &claims.person;
    let person = revocation_digest(RevocationKind::Person, &person.realm, person.id.expose());
    token.into_iter().chain([subject, person]).collect()
}

/// Whether whoever was let in may still come in: for an answer that goes on long after it began.
#[derive(Clone)]
pub(super) struct StillAdmitted {
    admission: web::Data<Admission>,
    digests: Vec<RevocationDigest>,
    /// Nothing for a machine: its certificate is looked at with each request.
    expires_at: Option<Timestamp>,
}

impl StillAdmitted {
    /// Of whom this request was admitted as.
    ///
    /// # Errors
    /// Where nothing admits: then nobody was.
    pub(super) fn of(request: &HttpRequest, claims: &Claims) -> Result<Self, Problem> {
        let admission = request.app_data::<web::Data<Admission>>().ok_or_else(Problem::unauthorised)?.clone();
        let expires_at = Some(claims.expires_at).filter(|_| claims.issuer != MACHINES);
        Ok(Self { admission, digests: digests_of(claims), expires_at })
    }

    /// Asks again.
    ///
    /// # Errors
    /// [`VaultError::NotAdmitted`] when they were revoked or their token has expired; when that cannot be known.
    pub(super) async fn check(&self) -> Result<(), VaultError> {
        let now = (self.admission.now)().seconds();
        let expired = self.expires_at.is_some_and(|at| now >= at.seconds().saturating_add(LEEWAY_SECONDS));
        if expired || self.admission.revocations.revoked(self.digests.clone()).await? {
            tracing::info!(expired, "an answer was broken off: its bearer may not come in any more");
            return Err(VaultError::NotAdmitted);
        }
        Ok(())
    }
}

/// The verified claims of whoever asks: an endpoint that asks for this has no way round it.
pub struct Bearer(pub Claims);

impl FromRequest for Bearer {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let admission = request.app_data::<web::Data<Admission>>().ok_or_else(Problem::unauthorised)?;
            admission.admit(&request).await.map(Bearer).map_err(|why| match why {
                NotAdmitted::Token(reason) => {
                    tracing::info!(%reason, "token refused");
                    Problem::unauthorised()
                }
                NotAdmitted::Certificate(reason) => {
                    tracing::info!(%reason, "client certificate refused");
                    Problem::unauthorised()
                }
                NotAdmitted::Unknown(error) => {
                    tracing::error!(%error, "revocations cannot be looked up: nobody is let in");
                    Problem::unavailable()
                }
            })
        })
    }
}
