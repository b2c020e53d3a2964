//! Memory at rest: what both processes of `knik demo` hold some seconds after they began to serve.

use super::program::{Folder, memory_of};
use super::table::progress;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::time::Duration;

const REST: Duration = Duration::from_secs(10);

/// With the demo's samples and what else the folder holds.
///
/// # Errors
/// When the demo does not serve.
pub fn of(folder: &Folder) -> Result<Value> {
    progress("memory at rest");
    let service = folder.serve()?;
    std::thread::sleep(REST);
    let (vault, room) = service.processes();
    let room = room.context("the reading room's process")?;
    let megabytes = |process| memory_of(process, "VmRSS").map(|bytes| bytes as f64 / 1e6);
    Ok(json!({ "vaultRssMegabytes": megabytes(vault), "readingRoomRssMegabytes": megabytes(room) }))
}
