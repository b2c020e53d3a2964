//! A running `knik detector` and requests to it.

use crate::service::{PROGRAM, without_settings};
use knik::cli::certificates::DevelopmentCertificates;
use reqwest::{Certificate, Client, RequestBuilder, Response};
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// Starts a program and ends it when the guard's input closes: also when these tests are killed.
const GUARD: &str = r#""$@" </dev/null & pid=$!; trap 'kill $pid' TERM; read -r _ <&3; kill $pid; wait $pid"#;
/// The token of those that want one.
pub const TOKEN: &str = "een-token-voor-de-test-0123456789";

/// A detector that serves. Dropping it ends it.
pub struct Detector {
    /// Where it is reached, such as `http://127.0.0.1:4000`.
    pub base: String,
    pub client: Client,
    guard: Child,
    input: Option<ChildStdin>,
}

impl Detector {
    /// `knik detector --listen 127.0.0.1:0`.
    pub fn open() -> Self {
        Self::start(&["--listen", "127.0.0.1:0"], client().build().unwrap())
    }

    /// With these arguments; the client must fit.
    pub fn start(arguments: &[&str], client: Client) -> Self {
        Self::spawn(arguments, client, Stdio::inherit(), None)
    }

    /// One that tells all it can, into a file.
    pub fn talkative(log: &Path) -> Self {
        let file = fs::File::create(log).unwrap();
        Self::spawn(&["--listen", "127.0.0.1:0"], client().build().unwrap(), file.into(), Some("trace"))
    }

    fn spawn(arguments: &[&str], client: Client, log: Stdio, level: Option<&str>) -> Self {
        let mut guard = Command::new("bash");
        guard.args(["-c", &format!("exec 3<&0; {GUARD}"), "guard", PROGRAM, "detector"]).args(arguments);
        without_settings(&mut guard).envs(level.map(|level| ("KNIK_LOG", level)));
        guard.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        let mut guard = guard.spawn().unwrap();
        let input = guard.stdin.take();
        let mut line = String::new();
        BufReader::new(guard.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let base = line.split_whitespace().last().unwrap_or_else(|| panic!("it did not start")).to_owned();
        Self { base, client, guard, input }
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.base))
    }

    pub fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        self.client.post(format!("{}{path}", self.base)).json(body)
    }

    /// Posts and expects 200.
    pub async fn answer(&self, path: &str, body: &Value) -> Value {
        let (status, answer) = read(self.post(path, body).send().await.unwrap()).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }
}

impl Drop for Detector {
    fn drop(&mut self) {
        drop(self.input.take());
        let _already = self.guard.wait();
    }
}

/// A client that trusts nothing beforehand.
pub fn client() -> reqwest::ClientBuilder {
    Client::builder().timeout(Duration::from_secs(60)).no_proxy()
}

/// Status and JSON of an answer. No answer may be kept on the way.
pub async fn read(answer: Response) -> (u16, Value) {
    assert_eq!(answer.headers().get("cache-control").map(|v| v.to_str().unwrap()), Some("no-store"));
    assert_eq!(answer.headers().get("content-type").map(|v| v.to_str().unwrap()), Some("application/json"));
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// A certificate, its key, its authority and a token, as files.
pub struct Files {
    pub chain: String,
    pub key: String,
    pub token: String,
    pub authority: Certificate,
    _folder: TempDir,
}

pub fn files() -> Files {
    let folder = tempfile::Builder::new().prefix("knik-detector-").tempdir().unwrap();
    let made = DevelopmentCertificates::generate(knik::vault::Sources::system().now(), 2, 1).unwrap();
    let server = &made.servers()[0];
    Files {
        chain: private(folder.path(), "chain.pem", server.chain_pem()),
        key: private(folder.path(), "server.key", server.key_pem()),
        token: private(folder.path(), "token", &format!("{TOKEN}\n")),
        authority: Certificate::from_pem(made.authority_pem().as_bytes()).unwrap(),
        _folder: folder,
    }
}

/// Writes a file that only its owner may read, and gives its path.
pub fn private(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Runs a detector that must not start: what it says. One that starts is ended after a while.
pub fn refused(arguments: &[&str]) -> String {
    let mut command = Command::new("timeout");
    command.args(["30", PROGRAM, "detector"]).args(arguments).stdin(Stdio::null());
    let mut child =
        without_settings(&mut command).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut out, mut error) = (String::new(), String::new());
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut error).unwrap();
    let status = child.wait().unwrap();
    assert!(!status.success() && status.code() != Some(124), "it should have been refused: {out}{error}");
    assert_eq!(out, "", "nothing is announced");
    error
}

/// The recognisers that come with the program.
pub fn patterns_of_project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("patterns")
}
