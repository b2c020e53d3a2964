//! What can become of a process that reads a capture.

use std::io;

/// Why a process that reads a capture gave no whole reading of it. Says the mend; never what stood in the capture,
/// and never what the process said.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParserFault {
    /// It could not be started.
    #[error("the process that reads captures could not be started; see whether this system has room for one")]
    NotStarted(#[source] io::Error),
    /// It could not give up what it must not have, and read nothing.
    #[error(
        "the process that reads captures could not be confined, and read nothing; it needs Linux with seccomp"
    )]
    NotConfined,
    /// It asked for more memory than it may have (or gave itself up, which looks the same).
    #[error(
        "reading the capture took more than {limit_bytes} bytes of memory and was stopped; split the file, or raise \
         ingest.parser-memory-bytes-max"
    )]
    Memory {
        /// The limit.
        limit_bytes: u64,
    },
    /// It took too long.
    #[error(
        "reading the capture took more than {limit_seconds} seconds and was stopped; split the file, or raise \
         ingest.parser-seconds-per-mib"
    )]
    Time {
        /// The limit.
        limit_seconds: u64,
    },
    /// Something killed it.
    #[error("the process that reads captures was killed (signal {signal}); deliver the capture again")]
    Killed {
        /// By which signal.
        signal: i32,
    },
    /// It ended before the capture did.
    #[error("the process that reads captures ended too soon; keep the file apart and report it")]
    Ended,
    /// What it sent is no reading of this file.
    #[error(
        "what was read does not fit the file: it was changed meanwhile, or it is made to do harm; keep it apart and \
         report it"
    )]
    Nonsense,
}
