//! The program under measurement: run as a user runs it, watched from outside.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The program that was built beside.
const BUILT: &str = env!("CARGO_BIN_EXE_knik");
const WATCH_PAUSE: Duration = Duration::from_millis(50);

/// Who reads in the demo.
pub const READER: &str = "onderzoeker-1";
/// The demo's issuer.
pub const ISSUER: &str = knik::http::token::DEMO_ISSUER;

/// A data folder, and room for files beside it. Gone afterwards, unless it was to be kept.
pub struct Folder {
    /// Where captures, scripts and logs go.
    pub beside: TempDir,
    data: PathBuf,
    program: PathBuf,
}

/// One run of the program.
pub struct Run {
    /// What it said.
    pub said: String,
    /// How long it took.
    pub seconds: f64,
    /// The most memory it held, in bytes.
    pub rss_peak_bytes: u64,
}

/// A running service.
pub struct Service {
    process: Child,
    /// Address of the vault.
    pub vault: String,
    /// Address of the reading room.
    pub reading_room: String,
}

impl Folder {
    /// A fresh folder, or the kept one, for the program that was built beside or for another build of it.
    ///
    /// # Errors
    /// When no temporary folder can be made.
    pub fn make(kept: Option<&Path>, program: Option<&Path>) -> Result<Self> {
        let beside = tempfile::Builder::new().prefix("knik-bench-").tempdir()?;
        let data = kept.map_or_else(|| beside.path().join("data"), Path::to_owned);
        let program = program.unwrap_or(Path::new(BUILT)).to_owned();
        Ok(Self { beside, data, program })
    }

    /// The data folder.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Whether records came in already.
    pub fn is_filled(&self) -> bool {
        self.data.join("filled").exists()
    }

    /// Remembers that records came in.
    ///
    /// # Errors
    /// When the mark cannot be written.
    pub fn mark_filled(&self) -> Result<()> {
        Ok(fs::write(self.data.join("filled"), "")?)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        // One person asks here as fast as can be: counted as ever, and never too fast.
        for limit in ["KNIK_LIMITS__REQUESTS_PER_MINUTE", "KNIK_LIMITS__SEARCHES_PER_MINUTE"] {
            command.env(limit, "60000000");
        }
        command.arg("--dir").arg(&self.data).args(arguments).stdin(Stdio::null());
        command
    }

    /// Runs the program to its end.
    ///
    /// # Errors
    /// When it fails; its own error is part of it.
    pub fn run(&self, arguments: &[&str]) -> Result<Run> {
        let errors = self.beside.path().join("stderr.log");
        let began = Instant::now();
        let mut process =
            self.command(arguments).stdout(Stdio::piped()).stderr(File::create(&errors)?).spawn()?;
        let mut output = process.stdout.take().context("its output")?;
        let reader = std::thread::spawn(move || {
            let mut said = String::new();
            output.read_to_string(&mut said).map(|_| said)
        });
        let mut rss_peak_bytes = 0;
        let status = loop {
            rss_peak_bytes = memory_of(process.id(), "VmHWM").unwrap_or_default().max(rss_peak_bytes);
            if let Some(status) = process.try_wait()? {
                break status;
            }
            std::thread::sleep(WATCH_PAUSE);
        };
        let seconds = began.elapsed().as_secs_f64();
        let said = reader.join().map_err(|_| anyhow::anyhow!("reading its output"))??;
        ensure!(
            status.success(),
            "knik {}: {status}\n{said}{}",
            arguments.join(" "),
            fs::read_to_string(errors)?
        );
        Ok(Run { said, seconds, rss_peak_bytes })
    }

    /// Runs the program to its end and reads its JSON answer.
    ///
    /// # Errors
    /// As [`run`](Self::run), or when it does not answer in JSON.
    pub fn answer(&self, arguments: &[&str]) -> Result<Value> {
        let mut all = vec!["--json"];
        all.extend(arguments);
        serde_json::from_str(&self.run(&all)?.said).context("an answer that is no JSON")
    }

    /// Starts `knik demo` on free ports, and returns when it serves.
    ///
    /// # Errors
    /// When it does not come to that.
    pub fn serve(&self) -> Result<Service> {
        let errors = File::create(self.beside.path().join("service.log"))?;
        let mut process =
            self.command(&["demo", "--port", "0"]).stdout(Stdio::piped()).stderr(errors).spawn()?;
        let output = process.stdout.take().context("its output")?;
        let mut service = Service { process, vault: String::new(), reading_room: String::new() };
        for line in BufReader::new(output).lines() {
            let line = line?;
            let address = line.split_once("https://").and_then(|(_, rest)| rest.split_whitespace().next());
            match address {
                Some(address) if line.starts_with("reading room") => {
                    service.reading_room = address.to_owned()
                }
                Some(address) if line.starts_with("vault") => service.vault = address.to_owned(),
                _ => {}
            }
            if line.starts_with("Serving") {
                return Ok(service);
            }
        }
        anyhow::bail!("the demo stopped before it served")
    }
}

impl Service {
    /// The process of the vault and that of the reading room.
    pub fn processes(&self) -> (u32, Option<u32>) {
        let vault = self.process.id();
        let children = fs::read_dir(format!("/proc/{vault}/task")).into_iter().flatten().flatten();
        let room = children
            .filter_map(|task| fs::read_to_string(task.path().join("children")).ok())
            .find_map(|list| list.split_whitespace().next().and_then(|pid| pid.parse().ok()));
        (vault, room)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _gone_already = self.process.kill();
        let _reaped = self.process.wait();
    }
}

/// A size of a process from `/proc/PID/status`, in bytes.
pub fn memory_of(process: u32, field: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib * 1024)
}
