//! Who asks: one bearer token in the header, verified by the one strict verifier.

use super::problem::Problem;
use super::token::{Claims, TokenRefusal, Verifier};
use crate::model::Timestamp;
use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpRequest, web};
use std::future::{Ready, ready};
use std::sync::Arc;

/// What admits requests: a verifier and a clock.
#[derive(Clone)]
pub struct Admission {
    verifier: Arc<Verifier>,
    now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

impl Admission {
    /// Admission by these issuers under this clock.
    pub fn new(verifier: Verifier, now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self { verifier: Arc::new(verifier), now: Arc::new(now) }
    }

    fn admit(&self, request: &HttpRequest) -> Result<Claims, TokenRefusal> {
        let mut headers = request.headers().get_all(AUTHORIZATION);
        let (Some(header), None) = (headers.next(), headers.next()) else {
            return Err(TokenRefusal::NotBearer);
        };
        let header = header.to_str().map_err(|_| TokenRefusal::NotBearer)?;
        self.verifier.verify(header, (self.now)())
    }
}

/// The verified claims of a request's token: an endpoint that asks for this has no way round it.
pub struct Bearer(pub Claims);

impl FromRequest for Bearer {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let admitted = match request.app_data::<web::Data<Admission>>() {
            Some(admission) => admission.admit(request).map_err(|reason| {
                tracing::info!(%reason, "token refused");
                Problem::unauthorised()
            }),
            None => Err(Problem::unauthorised()),
        };
        ready(admitted.map(Bearer))
    }
}
