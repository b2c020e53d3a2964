//! One token for the whole face, when there is one: every path but that of health wants it.

use super::{HEALTH, Refusal};
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::AUTHORIZATION;
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpRequest, ResponseError};
use aws_lc_rs::digest::{SHA256, digest};
use subtle::ConstantTimeEq;

/// A digest of the token that clients send.
#[derive(Clone)]
pub struct AccessToken {
    digest: [u8; 32],
}

/// The text of a token file cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the token must be 16 to 4096 letters, digits and `-._~+/=` on one line; make one with: openssl rand -hex 32"
)]
pub struct AccessTokenError;

impl AccessToken {
    /// The token in the text of a file; blanks around it do not count.
    ///
    /// # Errors
    /// When it is short, long, or holds what a header cannot.
    pub fn read(text: &str) -> Result<Self, AccessTokenError> {
        let token = text.trim();
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._~+/=".contains(c);
        if !(16..=4096).contains(&token.len()) || !token.chars().all(plain) {
            return Err(AccessTokenError);
        }
        Ok(Self { digest: digest_of(token) })
    }

    /// Whether a request bears it. The comparison takes the same time whatever is borne.
    fn is_borne_by(&self, request: &HttpRequest) -> bool {
        let mut headers = request.headers().get_all(AUTHORIZATION);
        let (Some(header), None) = (headers.next(), headers.next()) else { return false };
        let header = header.to_str().unwrap_or_default();
        let (scheme, token) = header.split_once(' ').unwrap_or_default();
        let same: bool = digest_of(token.trim()).ct_eq(&self.digest).into();
        same && scheme.eq_ignore_ascii_case("bearer")
    }
}

fn digest_of(token: &str) -> [u8; 32] {
    let digest = digest(&SHA256, token.as_bytes());
    digest.as_ref().try_into().unwrap_or_default()
}

/// Lets a request through when there is no token, when it bears the token, or when it asks for health.
pub(super) async fn admit<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let token = request.app_data::<Data<Option<AccessToken>>>();
    let free = token.is_some_and(|token| token.is_none()) || request.path() == HEALTH;
    let borne =
        token.and_then(|token| token.as_ref().as_ref()).is_some_and(|t| t.is_borne_by(request.request()));
    if free || borne {
        return next.call(request).await.map(ServiceResponse::map_into_left_body);
    }
    let refusal = Refusal::unauthorised().error_response();
    Ok(request.into_response(refusal).map_into_right_body())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    const TOKEN: &str = "0123456789abcdef-token";

    #[test]
    fn a_token_is_one_line_of_header_characters_and_not_short() {
        assert!(AccessToken::read(&format!("{TOKEN}\n")).is_ok());
        for wrong in
            ["", "kort", "0123456789 abcdef", "0123456789abcdéf0", "0123456789abcdef\n0123456789abcdef"]
        {
            assert!(AccessToken::read(wrong).is_err(), "{wrong:?}");
        }
        assert!(AccessToken::read(&"a".repeat(5_000)).is_err());
    }

    #[test]
    fn only_the_token_itself_as_bearer_is_let_through() {
        let token = AccessToken::read(TOKEN).unwrap();
        let borne = |values: &[String]| {
            let mut request = TestRequest::default();
            for value in values {
                request = request.append_header(("Authorization", value.as_str()));
            }
            token.is_borne_by(&request.to_http_request())
        };
        assert!(borne(&[format!("Bearer {TOKEN}")]));
        assert!(borne(&[format!("bearer {TOKEN}")]));
        for wrong in
            ["", TOKEN, "Bearer", "Bearer ", "Basic 0123456789abcdef-token", "Bearer 0123456789abcdef-tokem"]
        {
            assert!(!borne(&[wrong.to_owned()]), "{wrong}");
        }
        assert!(!borne(&[]));
        assert!(!borne(&[format!("Bearer {TOKEN}"), format!("Bearer {TOKEN}")]), "one header, not two");
        assert!(!borne(&[format!("Bearer {TOKEN}{TOKEN}")]));
    }
}
