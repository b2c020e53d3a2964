//! A time-stamp authority over HTTP (RFC 3161 section 3.4). What it answers is not checked here.

use super::StoreError;
use std::time::Duration;

/// Where an authority is asked.
#[derive(Debug, Clone)]
pub struct TimestampServer {
    url: String,
    client: reqwest::Client,
}

const PATIENCE: Duration = Duration::from_secs(15);
/// A time-stamp with its certificates is some kilobytes.
const ANSWER_BYTES_MAX: usize = 256 * 1024;

impl TimestampServer {
    /// A server at an `http` or `https` address; it is not asked yet.
    ///
    /// # Errors
    /// When no client can be made.
    pub fn new(url: &str) -> Result<Self, StoreError> {
        let client = reqwest::Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none());
        let client = client.build().map_err(|error| refused(&error))?;
        Ok(Self { url: url.to_owned(), client })
    }

    /// Posts a TimeStampReq and gives the bytes that come back.
    ///
    /// # Errors
    /// When the server does not answer, or with something else than a time-stamp.
    pub async fn ask(&self, query: Vec<u8>) -> Result<Vec<u8>, StoreError> {
        let request =
            self.client.post(&self.url).header("content-type", "application/timestamp-query").body(query);
        let mut answer = request.send().await.map_err(|error| refused(&error))?;
        let status = answer.status();
        if !status.is_success() {
            return Err(StoreError::Authority(format!("it answered with status {status}")));
        }
        let mut bytes = Vec::new();
        while let Some(more) = answer.chunk().await.map_err(|error| refused(&error))? {
            bytes.extend_from_slice(&more);
            if bytes.len() > ANSWER_BYTES_MAX {
                return Err(StoreError::Authority("its answer is too long".to_owned()));
            }
        }
        Ok(bytes)
    }
}

/// In words without the address: that stands in the configuration.
fn refused(error: &reqwest::Error) -> StoreError {
    let why = if error.is_timeout() {
        "it did not answer in time"
    } else if error.is_connect() {
        "it cannot be reached"
    } else {
        "the connection failed"
    };
    StoreError::Authority(why.to_owned())
}
