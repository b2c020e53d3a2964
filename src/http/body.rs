//! A JSON body that comes in time: a client that sends it drop by drop is not waited for.

use super::problem::Problem;
use actix_web::dev::Payload;
use actix_web::web::Json;
use actix_web::{Error, FromRequest, HttpRequest};
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// A body, read whole.
pub struct Body<T>(pub T);

/// How long a body may take.
const PATIENCE: Duration = Duration::from_secs(10);

impl<T: DeserializeOwned + 'static> FromRequest for Body<T> {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self, Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = Json::<T>::from_request(request, payload);
        Box::pin(async move {
            match tokio::time::timeout(PATIENCE, body).await {
                Ok(read) => read.map(|Json(body)| Self(body)),
                Err(_) => Err(Problem::too_slow().into()),
            }
        })
    }
}

/// The next piece of an upload, which may be long but not silent.
///
/// # Errors
/// [`Problem::too_slow`] when nothing comes, a problem when the upload broke off.
pub(super) async fn next_chunk(
    body: &mut actix_web::web::Payload,
) -> Result<Option<actix_web::web::Bytes>, Problem> {
    use futures_util::StreamExt;
    match tokio::time::timeout(PATIENCE, body.next()).await {
        Ok(None) => Ok(None),
        Ok(Some(Ok(chunk))) => Ok(Some(chunk)),
        Ok(Some(Err(_))) => Err(Problem::input("the upload broke off; send it again")),
        Err(_) => Err(Problem::too_slow()),
    }
}
