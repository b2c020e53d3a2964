//! The body of an answer that holds an original: how it left is recorded when it has.

use crate::vault::disclose::Serving;
use actix_web::body::{BodySize, MessageBody};
use bytes::Bytes;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Bytes that are on their way. When the connection has taken all of them, it is recorded that they were handed over; when
/// it went away before that, that they were not.
pub(super) struct Handing {
    bytes: Bytes,
    taken: bool,
    servings: Vec<Serving>,
}

impl Handing {
    pub(super) fn new(bytes: Bytes, serving: Serving) -> Self {
        Self::of_several(bytes, vec![serving])
    }

    /// Bytes in which several originals are.
    pub(super) const fn of_several(bytes: Bytes, servings: Vec<Serving>) -> Self {
        Self { bytes, taken: false, servings }
    }
}

impl MessageBody for Handing {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.bytes.len() as u64)
    }

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        let this = self.get_mut();
        if !this.taken {
            this.taken = true;
            return Poll::Ready(Some(Ok(std::mem::take(&mut this.bytes))));
        }
        // Asked for more: what was given before is with the connection.
        for serving in this.servings.drain(..) {
            record(serving.handed_over());
        }
        Poll::Ready(None)
    }
}

impl Drop for Handing {
    fn drop(&mut self) {
        for serving in self.servings.drain(..) {
            record(serving.broken_off());
        }
    }
}

/// Records how a serving ended, beside the answer. When that fails the intent stands without an outcome, and says so.
pub(super) fn record<E: std::fmt::Display>(ending: impl Future<Output = Result<(), E>> + Send + 'static) {
    let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
    runtime.spawn(async move {
        if let Err(error) = ending.await {
            tracing::error!(%error, "how something was served was not recorded");
        }
    });
}
