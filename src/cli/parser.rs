//! Reading captures in a process of their own: starting it, listening to it, saying what became of it.

use super::parse_process::NOT_CONFINED;
use crate::capture::{CaptureError, Format, Limits, ParserFault, Received, Unit};
use crate::config::Ingest;
use crate::vault::{CaptureReader, CaptureSource, Units};
use nix::libc;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::retry_on_intr;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Starts a process for each capture that is read. What it may use is in the configuration.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parser {
    memory_bytes: u64,
    seconds_per_mib: u64,
}

/// Processor time for any capture.
const SECONDS_FREE: u64 = 60;
/// How much longer than its processor time the process may be waited for: others use the machine too.
const WAITING: u32 = 4;
const BUFFER: usize = 1 << 18;

impl Parser {
    pub(super) const fn of(config: &Ingest) -> Self {
        Self { memory_bytes: config.parser_memory_bytes(), seconds_per_mib: config.parser_seconds_per_mib }
    }

    fn seconds(self, source: &CaptureSource) -> u64 {
        let mebibytes = source.size_bytes().unwrap_or_default().div_ceil(1 << 20);
        mebibytes.saturating_mul(self.seconds_per_mib).saturating_add(SECONDS_FREE)
    }

    /// This very program, also when its file was replaced since.
    fn command(self, format: Option<Format>, limits: Limits, seconds: u64) -> Command {
        let mut command = Command::new("/proc/self/exe");
        command.arg0("knik").arg("parse-capture");
        if let Some(format) = format {
            command.arg("--format").arg(format.as_str());
        }
        for (name, number) in [
            ("--unit-bytes", limits.unit_bytes_max as u64),
            ("--depth", limits.depth_max as u64),
            ("--memory-bytes", self.memory_bytes),
            ("--cpu-seconds", seconds),
        ] {
            command.arg(name).arg(number.to_string());
        }
        command.env_clear().current_dir("/").stdout(Stdio::piped()).stderr(Stdio::null());
        command
    }
}

impl CaptureReader for Parser {
    fn begin<'a>(
        &self,
        source: &CaptureSource,
        own: Box<dyn BufRead + 'a>,
        format: Option<Format>,
        limits: Limits,
    ) -> Result<Box<dyn Units + 'a>, CaptureError> {
        let limit_seconds = self.seconds(source);
        let mut command = self.command(format, limits, limit_seconds);
        let mut process = match source {
            CaptureSource::File(path) => command.stdin(File::open(path)?).spawn(),
            CaptureSource::Upload(_) => command.stdin(Stdio::piped()).spawn(),
        }
        .map_err(ParserFault::NotStarted)?;
        let (input, output) = (process.stdin.take(), process.stdout.take());
        let mut running = Running { process, feeding: None, memory_bytes: self.memory_bytes, limit_seconds };
        if let Some(mut to) = input {
            let mut from = source.reader()?;
            running.feeding = Some(std::thread::spawn(move || io::copy(&mut from, &mut to)));
        }
        let output = output.ok_or_else(|| ParserFault::NotStarted(io::ErrorKind::BrokenPipe.into()))?;
        let left = Duration::from_secs(limit_seconds).saturating_mul(WAITING);
        let frames = BufReader::with_capacity(BUFFER, Patient { output, left });
        running.listen(frames, own, limits)
    }
}

/// A process that reads. It is stopped when this is dropped.
struct Running {
    process: Child,
    /// Writes the bytes of an upload to the process.
    feeding: Option<JoinHandle<io::Result<u64>>>,
    memory_bytes: u64,
    limit_seconds: u64,
}

impl Running {
    fn listen<'a>(
        mut self,
        frames: BufReader<Patient>,
        own: Box<dyn BufRead + 'a>,
        limits: Limits,
    ) -> Result<Box<dyn Units + 'a>, CaptureError> {
        match Received::begin(frames, own, limits) {
            Ok(units) => Ok(Box::new(Listening { units, running: self })),
            Err(error) => Err(self.explained(error)),
        }
    }

    /// Says what became of a process that fell silent.
    fn explained(&mut self, error: CaptureError) -> CaptureError {
        match error {
            CaptureError::Parser(ParserFault::Ended) => {}
            CaptureError::Read(error) if error.kind() == io::ErrorKind::TimedOut => {
                return ParserFault::Time { limit_seconds: self.limit_seconds }.into();
            }
            other => return other,
        }
        // It closed its output: either it is gone, or it plays dead.
        let left = Instant::now() + Duration::from_secs(5);
        let status = loop {
            match self.process.try_wait() {
                Ok(Some(status)) => break status,
                Ok(None) if Instant::now() < left => std::thread::sleep(Duration::from_millis(2)),
                Ok(None) | Err(_) => return ParserFault::Ended.into(),
            }
        };
        match (status.signal(), status.code()) {
            (Some(libc::SIGXCPU), _) => ParserFault::Time { limit_seconds: self.limit_seconds },
            (Some(libc::SIGABRT), _) => ParserFault::Memory { limit_bytes: self.memory_bytes },
            (Some(signal), _) => ParserFault::Killed { signal },
            (None, Some(code)) if code == i32::from(NOT_CONFINED) => ParserFault::NotConfined,
            _ => ParserFault::Ended,
        }
        .into()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _gone_already = self.process.kill();
        let _reaped = self.process.wait();
        if let Some(feeding) = self.feeding.take() {
            // It ends when there is nobody to write to.
            let _nobody_listens = feeding.join();
        }
    }
}

struct Listening<'a> {
    units: Received<BufReader<Patient>, Box<dyn BufRead + 'a>>,
    running: Running,
}

impl Iterator for Listening<'_> {
    type Item = Result<Unit, CaptureError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.units.next().map(|unit| unit.map_err(|error| self.running.explained(error)))
    }
}

impl Units for Listening<'_> {
    fn format(&self) -> Format {
        self.units.format()
    }
}

/// The output of a process that is waited for so long and no longer.
struct Patient {
    output: ChildStdout,
    left: Duration,
}

impl Read for Patient {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let since = Instant::now();
        let left = Timespec::try_from(self.left).map_err(io::Error::other)?;
        let mut output = [PollFd::new(&self.output, PollFlags::IN)];
        let ready = retry_on_intr(|| poll(&mut output, Some(&left)))?;
        self.left = self.left.saturating_sub(since.elapsed());
        if ready == 0 {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.output.read(to)
    }
}
