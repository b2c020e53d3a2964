//! Errors in Presidio's shape: `{"error": "..."}`.

use crate::detect::adhoc::AdHocError;
use crate::redact::presidio_operators::OperatorError;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use serde_json::json;
use std::fmt;

/// An error as the client gets it. Holds what the client sent at the most, and is not logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    status: u16,
    error: String,
}

impl Refusal {
    pub(super) fn new(status: u16, error: impl Into<String>) -> Self {
        Self { status, error: error.into() }
    }

    /// What Presidio's analyzer says of a Python `TypeError`.
    pub(super) fn type_error(what: impl fmt::Display) -> Self {
        Self::new(400, format!("Failed to parse /analyze request for AnalyzerEngine.analyze(). {what}"))
    }

    /// What it says of any other exception.
    pub(super) fn exception(what: impl Into<String>) -> Self {
        Self::new(500, what)
    }

    /// Something that cannot be iterated over.
    pub(super) fn not_iterable(type_name: &str) -> Self {
        Self::type_error(format!("'{type_name}' object is not iterable"))
    }

    /// Something that lacks a method.
    pub(super) fn no_attribute(type_name: &str, attribute: &str) -> Self {
        Self::exception(format!("'{type_name}' object has no attribute '{attribute}'"))
    }

    pub(super) fn absent() -> Self {
        Self::new(
            404,
            "The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again.",
        )
    }

    pub(super) fn method() -> Self {
        Self::new(405, "The method is not allowed for the requested URL.")
    }

    /// A body that is no JSON.
    pub(super) fn not_understood() -> Self {
        Self::new(400, "The browser (or proxy) sent a request that this server could not understand.")
    }

    /// A body that does not say it is JSON.
    pub(super) fn media_type() -> Self {
        Self::new(
            415,
            "Did not attempt to load JSON data because the request Content-Type was not 'application/json'.",
        )
    }

    /// An exception that Presidio's analyzer does not catch, among them a body that is no JSON.
    pub(super) fn internal() -> Self {
        Self::new(
            500,
            "The server encountered an internal error and was unable to complete your request. Either the server is overloaded or there is an error in the application.",
        )
    }

    pub(super) fn unauthorised() -> Self {
        Self::new(401, "This service wants `Authorization: Bearer` with its token")
    }

    pub(super) fn too_large(what: &str, most: usize) -> Self {
        Self::new(413, format!("{what} is longer than {most}; send it in parts"))
    }

    pub(super) fn too_slow() -> Self {
        Self::new(408, "The request's body took too long to arrive")
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)
    }
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status_code());
        if self.status == 401 {
            answer.insert_header(("WWW-Authenticate", "Bearer"));
        }
        answer.json(json!({ "error": self.error }))
    }
}

impl From<AdHocError> for Refusal {
    fn from(error: AdHocError) -> Self {
        match error {
            // As Presidio: whatever is raised but a TypeError.
            AdHocError::Pattern { .. } | AdHocError::AllowList { .. } | AdHocError::NoRecogniser => {
                Self::exception(error.to_string())
            }
            AdHocError::TooMany { .. } => Self::new(413, error.to_string()),
            AdHocError::Steps { .. } | AdHocError::Time { .. } => Self::new(422, error.to_string()),
        }
    }
}

impl From<OperatorError> for Refusal {
    fn from(error: OperatorError) -> Self {
        match error {
            OperatorError::Parameter(_) => Self::new(422, error.to_string()),
            OperatorError::Failed => Self::exception(error.to_string()),
            OperatorError::Conflicts(_) => Self::new(413, error.to_string()),
        }
    }
}
