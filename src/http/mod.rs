//! The HTTP edge of both planes: extract, one call, map. No rule of business stands here.
//!
//! Two routers, one a process: [`vault`] for officials, records managers and harvesters, [`reading_room`] for
//! researchers. Every answer carries `no-store` and the security headers; errors are problem documents
//! (RFC 9457); absent and forbidden have the same status, body and size. Beside them [`presidio`], the face of the
//! detector alone, which answers as Presidio does.

mod aid;
mod bearer;
mod body;
mod caller;
mod correspondence;
mod exports;
mod handing;
mod headers;
mod incidents;
mod language;
pub mod openapi;
mod openings;
mod oversight;
mod pace;
mod page;
mod paper;
mod periodic;
pub mod presidio;
mod problem;
mod queue_items;
pub mod reading_room;
mod reports;
mod requests;
mod review;
mod server;
mod subject_requests;
pub mod tls;
pub mod token;
pub mod vault;

pub use bearer::{Admission, Bearer, Revocations};
pub use pace::Pace;
pub use problem::Problem;
pub use server::{ServeError, serve};

/// The version of the interface, in the path and in the `API-Version` header (NLgov API Design Rules).
pub const API_VERSION: &str = "1.2.0";
