//! The process that reads a capture: an empty environment, no key, no file, no network.
//!
//! Its standard input is the capture, its standard output takes frames of what is in it (`capture::send`). It confines
//! itself before it reads the first byte; from then on whatever takes it over can send lies about this one capture and
//! nothing else, and what it sends is checked.

use super::confine::confine;
use crate::capture::{Format, Limits, send};
use clap::Args;
use std::io::{BufReader, BufWriter, Read, Write, stdin, stdout};
use std::process::ExitCode;

/// What the process is told.
#[derive(Args)]
pub(super) struct ParseArguments {
    /// The capture's format; recognised when it is not named.
    #[arg(long)]
    pub(super) format: Option<Format>,
    /// Longest unit, in bytes.
    #[arg(long)]
    pub(super) unit_bytes: usize,
    /// Deepest nesting.
    #[arg(long)]
    pub(super) depth: usize,
    /// Address space, in bytes.
    #[arg(long)]
    pub(super) memory_bytes: u64,
    /// Processor time, in seconds.
    #[arg(long)]
    pub(super) cpu_seconds: u64,
}

/// The exit code of a process that could not be confined.
pub(super) const NOT_CONFINED: u8 = 70;

const BUFFER: usize = 1 << 18;

/// Confines this process and reads its standard input.
pub(super) fn run(asked: &ParseArguments) -> ExitCode {
    // Nobody reads what a panic says; it may quote the capture.
    std::panic::set_hook(Box::new(|_| {}));
    let mut output = BufWriter::with_capacity(BUFFER, Output);
    if confine(asked).is_err() {
        return ExitCode::from(NOT_CONFINED);
    }
    let limits = Limits { unit_bytes_max: asked.unit_bytes, depth_max: asked.depth };
    let input = BufReader::with_capacity(BUFFER, Input);
    match send(input, &mut output, asked.format, limits) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Standard input without a buffer.
struct Input;

impl Read for Input {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        Ok(rustix::io::read(stdin(), to)?)
    }
}

/// Standard output without a buffer: its own looks for line ends.
struct Output;

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        Ok(rustix::io::write(stdout(), bytes)?)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
