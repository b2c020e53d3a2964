//! Asking a vault over its interface, as one person with one token: the same rules hold as for any other client.

use anyhow::{Context, Result, bail};
use clap::Args;
use reqwest::{Certificate, Client, Method, Response};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where the vault is, and who asks.
#[derive(Debug, Clone, Args)]
pub(super) struct Connection {
    /// Address of the vault.
    #[arg(long, default_value = "https://127.0.0.1:8443")]
    vault: String,
    /// File with the bearer token of the person who asks, as the issuer gave it.
    #[arg(long)]
    token_file: PathBuf,
    /// PEM file with the authority of the vault's certificate; `tls/authority.pem` of the data folder when it is there.
    #[arg(long)]
    authority: Option<PathBuf>,
}

/// How long an answer may let wait for its next part.
const PATIENCE: Duration = Duration::from_secs(120);

/// A vault, asked by one person.
pub(super) struct Vault {
    client: Client,
    base: String,
    token: String,
}

impl Connection {
    /// A client for this vault.
    ///
    /// # Errors
    /// When the token or the certificate cannot be read.
    pub(super) fn open(&self, dir: &Path) -> Result<Vault> {
        self.open_at(dir, &self.vault)
    }

    /// The same for another address, such as that of the reading room.
    ///
    /// # Errors
    /// When the token or the certificate cannot be read.
    pub(super) fn open_at(&self, dir: &Path, address: &str) -> Result<Vault> {
        let token = super::read_text(&self.token_file)?.trim().to_owned();
        if token.is_empty() {
            bail!("`{}` holds no token", self.token_file.display());
        }
        let own = dir.join("tls/authority.pem");
        let authority = self.authority.clone().or_else(|| own.exists().then_some(own));
        let mut client = Client::builder().read_timeout(PATIENCE).redirect(reqwest::redirect::Policy::none());
        if let Some(file) = authority {
            let text = super::read_text(&file)?;
            let trusted = Certificate::from_pem_bundle(text.as_bytes())
                .with_context(|| format!("`{}` holds no certificate", file.display()))?;
            client = client.tls_certs_only(trusted);
        }
        let base = address.trim_end_matches('/').to_owned();
        Ok(Vault { client: client.build().context("making a client")?, base, token })
    }
}

impl Vault {
    /// Asks, and gives the answer when it is no problem.
    ///
    /// # Errors
    /// What the vault said is wrong, in its words.
    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        accept: &str,
    ) -> Result<Response> {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        request = request.bearer_auth(&self.token).header("Accept", accept);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.map_err(|error| reached(&error, &self.base))?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status();
        let said = answer.text().await.unwrap_or_default();
        bail!("{}", problem(status.as_u16(), &said))
    }

    /// Reads something.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub(super) async fn get(&self, path: &str) -> Result<Value> {
        let answer = self.send(Method::GET, path, None, "application/json").await?;
        answer.json().await.context("the vault's answer")
    }

    /// Bytes from one on; all of them when that is the first.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub(super) async fn bytes_from(&self, path: &str, from: u64) -> Result<Response> {
        let mut request = self.client.get(format!("{}{path}", self.base)).bearer_auth(&self.token);
        if from > 0 {
            request = request.header("Range", format!("bytes={from}-"));
        }
        let answer = request.send().await.map_err(|error| reached(&error, &self.base))?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status();
        bail!("{}", problem(status.as_u16(), &answer.text().await.unwrap_or_default()))
    }

    /// Does something.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let answer = self.send(Method::POST, path, Some(body), "application/json").await?;
        answer.json().await.context("the vault's answer")
    }
}

fn reached(error: &reqwest::Error, base: &str) -> anyhow::Error {
    let why = if error.is_timeout() {
        "does not answer"
    } else {
        "cannot be reached, or its certificate is not trusted"
    };
    anyhow::anyhow!("the vault at {base} {why}: look at --vault and --authority")
}

/// A problem document in words.
fn problem(status: u16, said: &str) -> String {
    let document: Value = serde_json::from_str(said).unwrap_or_default();
    let text = |field: &str| document.get(field).and_then(Value::as_str).map(str::to_owned);
    let mut words = vec![format!("{status} {}", text("title").unwrap_or_default())];
    words.extend(text("detail"));
    let errors = document.get("errors").and_then(Value::as_array).into_iter().flatten();
    words.extend(errors.filter_map(Value::as_str).map(str::to_owned));
    words.join("\n  ")
}

/// A text from the command line, or with `@` before it from a file: what is said about people then stands in no list of
/// processes.
///
/// # Errors
/// When the file cannot be read.
pub(super) fn said(given: &str) -> Result<String> {
    match given.strip_prefix('@') {
        Some(file) => Ok(super::read_text(Path::new(file))?.trim().to_owned()),
        None => Ok(given.to_owned()),
    }
}

/// Prints an answer: for machines as it is, for people a line each.
pub(super) fn show(answer: &Value, as_json: bool) {
    if as_json {
        super::print::line(&answer.to_string());
    } else {
        lines(answer, "");
    }
}

fn lines(value: &Value, indent: &str) {
    let deeper = format!("{indent}  ");
    match value {
        Value::Object(fields) => {
            for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
                match value {
                    Value::Object(_) | Value::Array(_) => {
                        super::print::line(&format!("{indent}{name}"));
                        lines(value, &deeper);
                    }
                    _ => super::print::line(&format!("{indent}{name}  {}", plain(value))),
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                match item {
                    Value::Object(_) => {
                        super::print::line(&format!("{indent}-"));
                        lines(item, &deeper);
                    }
                    _ => super::print::line(&format!("{indent}- {}", plain(item))),
                }
            }
        }
        _ => super::print::line(&format!("{indent}{}", plain(value))),
    }
}

/// A value without what a terminal would obey.
fn plain(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}
