//! Who asks, with a token that holds and within their pace: what every endpoint but the open ones begins with.

use super::bearer::Bearer;
use super::pace::{Asking, Pace};
use super::problem::Problem;
use super::reading_room::RoomDesk;
use super::token::Claims;
use super::vault::VaultDesk;
use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::LocalBoxFuture;
use std::sync::Arc;

/// The verified claims of a request's token, counted against the person's allowance of requests.
pub struct Caller(pub Claims);

/// The same, counted against the allowance of searches too.
pub struct Searcher(pub Claims);

impl FromRequest for Caller {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let admitted = admit(request, payload, Asking::Something);
        Box::pin(async move { admitted.await.map(Self) })
    }
}

impl FromRequest for Searcher {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let admitted = admit(request, payload, Asking::Search);
        Box::pin(async move { admitted.await.map(Self) })
    }
}

fn admit(
    request: &HttpRequest,
    payload: &mut Payload,
    asking: Asking,
) -> impl Future<Output = Result<Claims, Problem>> + use<> {
    let (bearer, pace) = (Bearer::from_request(request, payload), pace_of(request));
    async move {
        let Bearer(claims) = bearer.await?;
        // A plane that counts nothing serves nothing.
        pace.ok_or_else(Problem::internal)?.take(&claims, asking)?;
        Ok(claims)
    }
}

fn pace_of(request: &HttpRequest) -> Option<Arc<Pace>> {
    let of_vault = request.app_data::<Data<VaultDesk>>().map(|desk| Arc::clone(&desk.pace));
    of_vault.or_else(|| request.app_data::<Data<RoomDesk>>().map(|desk| Arc::clone(&desk.pace)))
}
