//! A running service, requests to it, and commands beside it.

use reqwest::header::HeaderMap;
use reqwest::{Certificate, Client, Method, RequestBuilder};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_knik");
/// Whom the demo's tokens come from.
pub const ISSUER: &str = "https://knik.invalid/demo-issuer";
/// How long a test waits for something that should happen within seconds.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Starts a program and stops it when the guard's input closes: also when these tests are killed. Then it removes
/// the folder that it was given, if any.
const GUARD: &str = r#"
folder=$1 pid_file=$2; shift 2
( "$@" </dev/null & echo $! >"$pid_file.new"; mv "$pid_file.new" "$pid_file"; wait $!; echo $? >"$pid_file.ended" ) &
read -r _
n=0
while [ ! -e "$pid_file.ended" ] && [ $n -lt 100 ]; do
    if [ $n -eq 0 ]; then kill "$(cat "$pid_file")"; fi
    sleep 0.1; n=$((n + 1))
done
if [ ! -e "$pid_file.ended" ]; then kill -9 "$(cat "$pid_file")"; fi
if [ -n "$folder" ]; then rm -rf "$folder"; fi
"#;

/// The demo, started once and shared by every test that changes nothing others rely on.
pub fn demo() -> &'static Service {
    static DEMO: LazyLock<Service> = LazyLock::new(|| {
        let temp = temp();
        let folder = temp.keep();
        // Many tests are one person here.
        let unhurried =
            [("KNIK_LIMITS__REQUESTS_PER_MINUTE", "0"), ("KNIK_LIMITS__SEARCHES_PER_MINUTE", "0")];
        Service::start(&folder, Some(&folder), &["demo", "--port", "0"], &unhurried)
    });
    &DEMO
}

/// A fresh temporary folder.
pub fn temp() -> TempDir {
    tempfile::Builder::new().prefix("knik-service-").tempdir().unwrap()
}

/// A running service on a data folder. Dropping it stops it.
pub struct Service {
    /// The data folder.
    pub dir: PathBuf,
    /// Address of the vault.
    pub vault: String,
    /// Address of the reading room.
    pub room: String,
    /// The vault's process.
    pub pid: u32,
    output: PathBuf,
    guard: Child,
    input: Option<ChildStdin>,
    tokens: Mutex<BTreeMap<(String, String, String), String>>,
}

impl Service {
    /// Starts `knik ARGUMENTS --dir WHERE/data` and waits until it says where it listens. Its output goes to
    /// files in `place`, which is removed when it stops if `remove` says so.
    pub fn start(place: &Path, remove: Option<&Path>, arguments: &[&str], set: &[(&str, &str)]) -> Self {
        let (dir, output, pid_file) = (place.join("data"), place.join("output"), place.join("pid"));
        let out = File::create(&output).unwrap();
        let ended = place.join("pid.ended");
        for left in [&pid_file, &ended] {
            let _absent = fs::remove_file(left);
        }
        let mut guard = Command::new("bash");
        guard.args(["-c", GUARD, "guard"]).arg(remove.unwrap_or(Path::new(""))).arg(&pid_file);
        guard.arg(PROGRAM).args(arguments).arg("--dir").arg(&dir);
        without_settings(&mut guard).envs(set.iter().copied());
        guard.stdin(Stdio::piped()).stdout(out.try_clone().unwrap()).stderr(out);
        let mut guard = guard.spawn().unwrap();
        let input = guard.stdin.take();
        let said = |word: &str, text: &str| {
            let line = text.lines().find(|line| line.starts_with(word))?.to_owned();
            Some(line.split_whitespace().find(|part| part.starts_with("https://"))?.to_owned())
        };
        let (vault, room) = wait_for("the service to say where it listens", || {
            let text = fs::read_to_string(&output).unwrap_or_default();
            assert!(!ended.exists(), "the service stopped:\n{text}");
            said("vault", &text).zip(said("reading room", &text))
        });
        let pid = wait_for("the process id", || fs::read_to_string(&pid_file).ok()?.trim().parse().ok());
        Self { dir, vault, room, pid, output, guard, input, tokens: Mutex::default() }
    }

    /// What it has written to its output and its error output so far.
    pub fn output(&self) -> String {
        fs::read_to_string(&self.output).unwrap()
    }

    /// The exit code of the service, once it has stopped by itself.
    pub fn ended(&self) -> Option<i32> {
        let code = self.output.with_file_name("pid.ended");
        fs::read_to_string(code).ok()?.trim().parse().ok()
    }

    /// Stops it, as a service manager would, and waits.
    pub fn stop(&mut self) {
        drop(self.input.take());
        let _already = self.guard.wait();
    }

    /// The reading room's process: the vault's only child that lasts.
    pub fn reading_room_pid(&self) -> u32 {
        let children = fs::read_dir("/proc").unwrap().filter_map(|entry| {
            let pid: u32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
            let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
            let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse::<u32>();
            let command = fs::read_to_string(format!("/proc/{pid}/cmdline")).ok()?;
            (parent == Ok(self.pid) && command.contains("reading-room")).then_some(pid)
        });
        let children: Vec<u32> = children.collect();
        assert_eq!(children.len(), 1, "the vault has one reading room");
        children[0]
    }

    /// Runs a command beside it.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        knik(&self.dir, arguments)
    }

    /// Runs a command beside it that must succeed, and reads its JSON answer.
    pub fn json(&self, arguments: &[&str]) -> Value {
        self.run(&[arguments, &["--json"]].concat()).ok().json()
    }

    /// A token of the demo's issuer; the same one each time.
    pub fn token(&self, role: &str, organisation: &str, subject: &str) -> String {
        let who = (role.to_owned(), organisation.to_owned(), subject.to_owned());
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let minted = || {
            // It is asked with for as long as the tests run.
            let (role, organisation) = (["--role", role], ["--organisation", organisation]);
            let asked = [&["token"][..], &role, &organisation, &["--subject", subject, "--seconds", "43200"]];
            self.run(&asked.concat()).ok().out.trim().to_owned()
        };
        tokens.entry(who).or_insert_with(minted).clone()
    }

    /// Someone who asks the service, as the demo knows them.
    pub fn person(&self, role: &str) -> Person<'_> {
        match role {
            "researcher" => self.known_as(role, "universiteit", "onderzoeker-1"),
            "official" => self.known_as(role, "min-low", "ambtenaar-1"),
            "records-manager" => self.known_as(role, "min-low", "informatiebeheerder-1"),
            other => self.known_as(role, "min-low", &format!("{other}-1")),
        }
    }

    /// Someone of an organisation.
    pub fn known_as(&self, role: &str, organisation: &str, subject: &str) -> Person<'_> {
        Person { service: self, client: self.client(), token: Some(self.token(role, organisation, subject)) }
    }

    /// Someone with this token, or with none.
    pub fn bearing(&self, token: Option<&str>) -> Person<'_> {
        Person { service: self, client: self.client(), token: token.map(str::to_owned) }
    }

    fn client(&self) -> Client {
        let authority = fs::read(self.dir.join("tls/authority.pem")).unwrap();
        let trusted = [Certificate::from_pem(&authority).unwrap()];
        Client::builder().tls_certs_only(trusted).timeout(PATIENCE).no_proxy().build().unwrap()
    }

    /// The demo researcher's grant on an organisation.
    pub fn grant_of(&self, organisation: &str) -> String {
        let grants = self.json(&["grant", "list"]);
        let of = |grant: &&Value| {
            grant["organisation"] == organisation && grant["purpose"].to_string().contains("(demo)")
        };
        grants.as_array().unwrap().iter().find(of).unwrap()["id"].as_str().unwrap().to_owned()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Which plane is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Plane {
    Vault,
    Room,
}

/// Someone who asks: a client of their own and a token.
pub struct Person<'s> {
    pub service: &'s Service,
    client: Client,
    token: Option<String>,
}

impl Person<'_> {
    /// A request that can still be given headers and a body.
    pub fn request(&self, plane: Plane, method: Method, path: &str) -> RequestBuilder {
        let base = match plane {
            Plane::Vault => &self.service.vault,
            Plane::Room => &self.service.room,
        };
        let request = self.client.request(method, format!("{base}{path}"));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub async fn get(&self, plane: Plane, path: &str) -> Answer {
        answer(self.request(plane, Method::GET, path)).await
    }

    pub async fn post(&self, plane: Plane, path: &str, body: &Value) -> Answer {
        answer(self.request(plane, Method::POST, path).json(body)).await
    }

    pub async fn deliver(&self, channel: &str, bytes: &[u8]) -> Answer {
        let path = format!("/v1/captures?channel={channel}");
        answer(self.request(Plane::Vault, Method::POST, &path).body(bytes.to_vec())).await
    }

    /// Every view under a grant, page by page.
    pub async fn views(&self, grant: &str, page: u32) -> Vec<Value> {
        let (mut views, mut after) = (Vec::new(), String::new());
        for _ in 0..500 {
            let path = format!("/v1/records?grant={grant}&limit={page}{after}");
            let answer = self.get(Plane::Room, &path).await.expect(200).json();
            let records = answer["records"].as_array().unwrap();
            assert!(records.len() <= page as usize, "a page holds at most what was asked");
            views.extend(records.iter().cloned());
            match answer.get("next").and_then(Value::as_str) {
                Some(next) => after = format!("&after={next}"),
                None => return views,
            }
        }
        panic!("paging does not end");
    }

    pub async fn search(&self, query: &str) -> Answer {
        self.post(Plane::Room, "/v1/records/_search", &serde_json::json!({ "query": query })).await
    }
}

/// An answer, read to its end. Whatever it is, it had the headers that every answer has.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// Sends a request and checks what holds for every answer.
pub async fn answer(request: RequestBuilder) -> Answer {
    let got = request.send().await.unwrap();
    let (status, headers) = (got.status().as_u16(), got.headers().clone());
    let body = got.bytes().await.unwrap().to_vec();
    let answer = Answer { status, headers, body };
    answer.has_the_headers_of_every_answer();
    answer
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    fn has_the_headers_of_every_answer(&self) {
        for (name, value) in [
            ("api-version", "1.2.0"),
            ("cache-control", "no-store"),
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
            ("referrer-policy", "no-referrer"),
            ("strict-transport-security", "max-age=31536000"),
            ("vary", "Authorization, Accept, Accept-Language"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
        ] {
            assert_eq!(self.header(name), value, "{name} of a {}: {}", self.status, self.text());
        }
        if self.status >= 400 {
            assert_eq!(self.header("content-type"), "application/problem+json", "of a {}", self.status);
            assert_eq!(self.json()["status"], self.status, "{}", self.text());
            assert!(self.json()["title"].is_string(), "{}", self.text());
        }
        if self.status == 401 {
            assert_eq!(self.header("www-authenticate"), "Bearer");
        }
    }
}

/// A command that ran to its end.
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, 0, "{}{}", self.out, self.err);
        self
    }

    /// It failed, and said each of `words`.
    #[track_caller]
    pub fn refused(self, words: &[&str]) -> Self {
        let said = self.said();
        assert_ne!(self.code, 0, "it should have been refused: {said}");
        for word in words {
            assert!(said.contains(word), "`{word}` is not said: {said}");
        }
        assert!(!said.contains("panicked"), "{said}");
        self
    }

    pub fn said(&self) -> String {
        format!("{}{}", self.out, self.err)
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("no JSON: {}{}", self.out, self.err))
    }
}

/// Runs `knik ARGUMENTS --dir DIR` with no settings from outside.
pub fn knik(dir: &Path, arguments: &[&str]) -> Ran {
    knik_with(dir, arguments, &[])
}

/// The same with variables set.
pub fn knik_with(dir: &Path, arguments: &[&str], set: &[(&str, &str)]) -> Ran {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).arg("--dir").arg(dir).stdin(Stdio::null());
    let output = without_settings(&mut command).envs(set.iter().copied()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ran { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
}

/// Runs `knik ARGUMENTS` with something on its standard input.
pub fn knik_reading(arguments: &[&str], input: &[u8]) -> Ran {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut program = without_settings(&mut command).spawn().unwrap();
    let mut stdin = program.stdin.take().unwrap();
    let input = input.to_vec();
    // A program that has refused no longer reads; what it said is what counts.
    let writing = std::thread::spawn(move || stdin.write_all(&input));
    let output = program.wait_with_output().unwrap();
    let _refused = writing.join().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ran { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
}

/// Settings of whoever runs the tests must not decide what they see.
pub fn without_settings(command: &mut Command) -> &mut Command {
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("KNIK_")) {
        command.env_remove(name);
    }
    command
}

/// Waits for something that should happen soon.
#[track_caller]
pub fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < 2 * PATIENCE, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Writes a file in a folder and gives its path as text.
pub fn write(folder: &Path, name: &str, bytes: &[u8]) -> String {
    let path = folder.join(name);
    File::create(&path).and_then(|mut file| file.write_all(bytes)).unwrap();
    path.to_str().unwrap().to_owned()
}

/// A file of the project.
pub fn of_project(path: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A sample capture of the demo.
pub fn sample(name: &str) -> Vec<u8> {
    of_project(&format!("src/cli/demo/captures/{name}"))
}

/// Every file of the demo's captures.
pub fn samples() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli/demo/captures");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// Values planted in the demo's captures that nobody without a legal basis may ever see.
pub fn canaries() -> Vec<String> {
    let text = String::from_utf8(of_project("src/cli/demo/canaries.txt")).unwrap();
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(str::to_owned).collect()
}

/// Fails when a text holds a canary in any byte form.
#[track_caller]
pub fn holds_no_canary(text: &str, what: &str) {
    let all = canaries();
    let values: Vec<&str> = all.iter().map(String::as_str).collect();
    if let Some(n) = knik::redact::leaks(text, &values) {
        panic!("canary {} (`{}`) stands in {what}", n + 1, values[n]);
    }
}

/// `channel add` of a Mastodon channel, with all that must be stated.
pub fn channel_arguments<'a>(id: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let declared = [
        "channel",
        "add",
        id,
        "--organisation",
        "min-low",
        "--platform",
        "mastodon",
        "--instance",
        "social.leefomgeving.example",
        "--account",
        "minlow",
        "--official",
        "--from",
        "2023-01-01T00:00:00Z",
        "--reason",
        "communicatieprotocol 2023",
        "--purpose",
        "vragen beantwoorden",
        "--legal-basis",
        "AVG 6 lid 1 e",
        "--duty",
        "contested",
        "--duty-source",
        "juridisch advies 2024",
        "--dpia",
        "DPIA-1",
    ];
    [&declared[..], more].concat()
}
