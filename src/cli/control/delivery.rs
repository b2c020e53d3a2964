//! Captures that are brought to a data folder: their bytes, not their path, so that what was looked at is what comes
//! in, whatever happens to the file meanwhile.
//!
//! Over the socket a capture follows its order in pieces, each after its length (four bytes, most significant first);
//! a piece of no length is the end. A capture that breaks off before its end is not taken in. Where it is received it
//! is kept in a spool, encrypted, until it has come in.

use super::{DataFolder, Intake, Order, SOCKET, Taken, carry_out_here, commands, hear, line_of, must_exist};
use crate::store::spool::{Spool, SpoolWriter};
use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use zeroize::Zeroizing;

/// Where captures are brought.
pub(in crate::cli) enum Door {
    /// To the service that runs on the data folder.
    Service(PathBuf),
    /// To the data folder, which was opened here because no service runs.
    Here(Arc<DataFolder>),
}

/// A capture on its way. Its end is only reached when all of it was read as it was found.
pub(in crate::cli) struct Brought<'a> {
    /// Its bytes.
    pub(in crate::cli) bytes: BoxStream<'a, Result<Bytes>>,
    /// How many they should be.
    pub(in crate::cli) size_bytes: u64,
}

/// Longest piece, in bytes.
const PIECE_BYTES_MAX: usize = 1 << 20;

impl Door {
    /// The running service, or the folder itself.
    ///
    /// # Errors
    /// When the folder is not there, or another command holds it.
    pub(in crate::cli) async fn find(dir: &Path) -> Result<Self> {
        if UnixStream::connect(dir.join(SOCKET)).await.is_ok() {
            return Ok(Self::Service(dir.to_owned()));
        }
        must_exist(dir)?;
        Ok(Self::Here(Arc::new(DataFolder::open(dir).await?)))
    }

    /// Brings one capture.
    ///
    /// # Errors
    /// When it cannot be read to its end, or the folder or service fails: nothing is said about the capture itself,
    /// and it can be brought again.
    pub(in crate::cli) async fn deliver(
        &self,
        intake: Intake,
        capture: Brought<'_>,
        progress: &mut (dyn FnMut(u64, u64) + Send),
    ) -> Result<Taken> {
        let order = Order::Deliver(intake);
        let answer = match self {
            Self::Here(folder) => {
                let spool = keep(folder, capture, progress).await?;
                carry_out_here(folder, order, Some(spool), progress).await?
            }
            Self::Service(dir) => {
                let service =
                    UnixStream::connect(dir.join(SOCKET)).await.context("the service has stopped")?;
                let (read, mut write) = service.into_split();
                match send(&mut write, &order, capture, progress).await {
                    Ok(()) => hear(read, progress).await?,
                    Err(Sending::Capture(error)) => return Err(error),
                    // It may have said why it took no more.
                    Err(Sending::Service(error)) => {
                        return Err(hear(read, progress).await.err().unwrap_or(error));
                    }
                }
            }
        };
        serde_json::from_value(answer).context("the service speaks another version; restart it")
    }

    /// Does what a service does all the time, once.
    ///
    /// # Errors
    /// When storage fails: what was not done waits for the next command.
    pub(in crate::cli) async fn settle(&self) -> Result<()> {
        match self {
            Self::Here(folder) => commands::settle(folder).await,
            Self::Service(_) => Ok(()),
        }
    }
}

async fn keep(
    folder: &DataFolder,
    mut capture: Brought<'_>,
    progress: &mut (dyn FnMut(u64, u64) + Send),
) -> Result<Spool> {
    let mut spool = SpoolWriter::new(&folder.path.join("spool")).context("making a spool")?;
    while let Some(piece) = capture.bytes.next().await {
        spool.write(&piece?).context("the spool")?;
        progress(spool.size_bytes(), capture.size_bytes);
    }
    spool.finish().context("the spool")
}

/// Which side failed.
enum Sending {
    Capture(anyhow::Error),
    Service(anyhow::Error),
}

async fn send(
    write: &mut (impl AsyncWriteExt + Unpin),
    order: &Order,
    mut capture: Brought<'_>,
    progress: &mut (dyn FnMut(u64, u64) + Send),
) -> Result<(), Sending> {
    let service = |error: std::io::Error| Sending::Service(error.into());
    write.write_all(&line_of(order).map_err(Sending::Service)?).await.map_err(service)?;
    let mut sent = 0;
    while let Some(bytes) = capture.bytes.next().await {
        for piece in bytes.map_err(Sending::Capture)?.chunks(PIECE_BYTES_MAX) {
            write.write_u32(u32::try_from(piece.len()).unwrap_or_default()).await.map_err(service)?;
            write.write_all(piece).await.map_err(service)?;
            sent += piece.len() as u64;
        }
        progress(sent, capture.size_bytes);
    }
    write.write_u32(0).await.map_err(service)
}

/// Receives the capture that follows an order.
///
/// # Errors
/// When it breaks off before its end, or the disk is full.
pub(super) async fn receive(folder: &DataFolder, input: &mut (impl AsyncRead + Unpin)) -> Result<Spool> {
    let mut spool = SpoolWriter::new(&folder.path.join("spool")).context("making a spool")?;
    let mut piece = Zeroizing::new(Vec::new());
    loop {
        let length = input.read_u32().await.context("the capture broke off")? as usize;
        if length == 0 {
            return spool.finish().context("the spool");
        }
        ensure!(length <= PIECE_BYTES_MAX, "a piece of a capture is longer than {PIECE_BYTES_MAX} bytes");
        piece.resize(length, 0);
        input.read_exact(&mut piece).await.context("the capture broke off")?;
        spool.write(&piece).context("the spool")?;
    }
}
