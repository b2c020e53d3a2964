//! The one place where errors become problem documents (RFC 9457).

use crate::access::{Denial, Outside};
use crate::reading_room::ReadingError;
use crate::vault::VaultError;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use std::borrow::Cow;
use std::fmt;

/// A problem document. Holds no content, no names, nothing of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    #[serde(skip)]
    status_code: u16,
    /// What kind of problem: a relative reference that stays the same.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The kind in words.
    title: &'static str,
    /// The HTTP status again.
    status: u16,
    /// What is wrong here, and the mend.
    detail: Cow<'static, str>,
    /// Every reason, all at once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<String>,
    /// When to ask again, in seconds.
    #[serde(skip)]
    retry_after_seconds: Option<u64>,
}

impl Problem {
    const fn new(status: u16, kind: &'static str, title: &'static str, detail: &'static str) -> Self {
        Self {
            status_code: status,
            kind,
            title,
            status,
            detail: Cow::Borrowed(detail),
            errors: Vec::new(),
            retry_after_seconds: None,
        }
    }

    /// Nothing there, or nothing that this caller may know of: always these bytes.
    #[must_use]
    pub const fn absent() -> Self {
        Self::new(
            404,
            "/problems/not-found",
            "Not found",
            "there is nothing of that name, or nothing that you may know of",
        )
    }

    /// The request cannot be used as it is.
    #[must_use]
    pub fn input(detail: impl Into<String>) -> Self {
        Self {
            detail: Cow::Owned(detail.into()),
            ..Self::new(400, "/problems/bad-request", "Bad request", "")
        }
    }

    /// No token, or one that is not accepted. Why stands in the log only.
    #[must_use]
    pub const fn unauthorised() -> Self {
        Self::new(
            401,
            "/problems/unauthorised",
            "A valid bearer token is needed",
            "send `Authorization: Bearer TOKEN` with one token of an issuer that is known here",
        )
    }

    /// The path knows other methods.
    #[must_use]
    pub const fn method() -> Self {
        Self::new(
            405,
            "/problems/method-not-allowed",
            "This path does not know this method",
            "see /v1/openapi.json for the methods of each path",
        )
    }

    /// The body did not come in time.
    #[must_use]
    pub const fn too_slow() -> Self {
        Self::new(408, "/problems/too-slow", "The request took too long", "send the body at once")
    }

    /// The body is compressed.
    #[must_use]
    pub const fn encoded() -> Self {
        Self::new(
            415,
            "/problems/content-encoding",
            "Bodies are not decoded",
            "send the body without Content-Encoding",
        )
    }

    /// More than this person may ask in a minute.
    #[must_use]
    pub fn too_many(retry_after_seconds: u64) -> Self {
        let problem = Self::new(
            429,
            "/problems/too-many-requests",
            "Too many requests",
            "wait as long as Retry-After says; [limits] in knik.toml says how many there may be in a minute",
        );
        Self { retry_after_seconds: Some(retry_after_seconds), ..problem }
    }

    /// More than is taken.
    #[must_use]
    pub fn too_large(most: u64) -> Self {
        let detail =
            format!("at most {most} bytes are taken; split the file or raise ingest.upload-bytes-max");
        Self { detail: Cow::Owned(detail), ..Self::new(413, "/problems/too-large", "Too large", "") }
    }

    pub(super) const fn internal() -> Self {
        Self::new(
            500,
            "/problems/internal",
            "Something went wrong; nothing was changed or it will be found again",
            "the log of the service says what",
        )
    }

    pub(super) const fn unavailable() -> Self {
        Self::new(
            503,
            "/problems/unavailable",
            "Not available now; try again",
            "the service is busy or starting",
        )
    }

    fn denied(denial: &Denial) -> Self {
        match denial.outside() {
            Outside::Absent => Self::absent(),
            Outside::Refused => Self {
                errors: denial.reasons().iter().map(|r| format!("{}: {}", r.code, r.text)).collect(),
                ..Self::new(
                    403,
                    "/problems/forbidden",
                    "Not allowed",
                    "what would have to hold stands in `errors`",
                )
            },
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.title)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status_code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status_code());
        if self.status_code == 401 {
            answer.insert_header(("WWW-Authenticate", "Bearer"));
        }
        if let Some(seconds) = self.retry_after_seconds {
            answer.insert_header(("Retry-After", seconds.to_string()));
        }
        let body = serde_json::to_string(self).unwrap_or_default();
        answer.content_type("application/problem+json").body(body)
    }
}

impl From<VaultError> for Problem {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Absent { .. } => Self::absent(),
            VaultError::Refused(denial) => Self::denied(&denial),
            VaultError::NotAdmitted => Self::unauthorised(),
            VaultError::Input(detail) => Self::input(detail),
            // The same delivery may succeed later.
            VaultError::Capture(error) if error.is_passing() => {
                tracing::error!(%error, "a capture was not read");
                Self::unavailable()
            }
            VaultError::Faults(errors) => Self {
                errors,
                ..Self::input(
                    "the table has faults, and nothing of it was taken in; mend them and send it again",
                )
            },
            VaultError::Skipped(_) | VaultError::Changed => Self::input(error.to_string()),
            VaultError::Capture(error) => Self::input(error.to_string()),
            VaultError::Store(crate::store::StoreError::Busy(_))
            | VaultError::Key(crate::seal::KeyError::Unavailable)
            | VaultError::Stopped => Self::unavailable(),
            other => {
                tracing::error!(error = %other, "request failed");
                Self::internal()
            }
        }
    }
}

impl From<ReadingError> for Problem {
    fn from(error: ReadingError) -> Self {
        match error {
            ReadingError::Absent => Self::absent(),
            ReadingError::Refused(denial) => Self::denied(&denial),
            ReadingError::Input(detail) => Self::input(detail),
            ReadingError::Fields(errors) => Self {
                errors,
                ..Self::input("fields that cannot be used stand in `errors`, each with the mend")
            },
            ReadingError::Store(crate::store::StoreError::Busy(_)) => Self::unavailable(),
            ReadingError::Store(error) => {
                tracing::error!(%error, "request failed");
                Self::internal()
            }
            ReadingError::File(error) => {
                tracing::error!(kind = ?error.kind(), "a file of an export");
                Self::internal()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_always_has_the_same_bytes() {
        let one: Problem = ReadingError::Absent.into();
        let other: Problem = VaultError::Absent { what: "the record" }.into();
        assert_eq!(serde_json::to_string(&one).unwrap(), serde_json::to_string(&other).unwrap());
    }

    #[test]
    fn a_capture_error_tells_no_content() {
        let error = VaultError::Capture(crate::capture::CaptureError::Empty);
        assert!(serde_json::to_string(&Problem::from(error)).unwrap().contains("empty"));
    }
}
