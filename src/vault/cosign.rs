//! Cosignatures of witnesses: taken in when they are of a configured witness, over a checkpoint that this log contains,
//! and newer than what that witness said before.

use super::{Archive, VaultError, second_place};
use crate::ledger::{Checkpoint, LogKey, Origin, WitnessKey};
use crate::model::Timestamp;
use crate::store::CosignedRow;
use serde::Serialize;

/// The witnesses of a vault's logs.
#[derive(Debug, Clone, Default)]
pub struct Witnesses {
    /// Their keys.
    pub keys: Vec<WitnessKey>,
    /// How many must have cosigned a checkpoint.
    pub required: usize,
}

/// A cosignature that was taken in.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Accepted {
    /// Of which log.
    pub log: Origin,
    /// Entries of the checkpoint.
    pub size: u64,
    /// By whom.
    pub witness: Origin,
    /// When, by the witness's clock.
    pub at: Timestamp,
}

/// How far a witness's clock may be ahead, in seconds.
const AHEAD_SECONDS: i64 = 300;

/// Takes in the cosignature that `witness` added to a checkpoint, and keeps it beside the checkpoint.
///
/// # Errors
/// [`VaultError::Input`] with the reason for one that is foreign, false or stale; storage errors.
pub async fn accept(archive: &Archive, note: &str, witness: &WitnessKey) -> Result<Accepted, VaultError> {
    let refused = |why: String| VaultError::Input(format!("the cosignature is refused: {why}"));
    if !archive.logs.witnesses.keys.contains(witness) {
        let name = witness.name();
        return Err(refused(format!("witness `{name}` with this key does not stand in ledger.witnesses")));
    }
    let (key, checkpoint) = of_own_log(archive, note).map_err(|error| refused(error.to_string()))?;
    let said = witness.verify(note).map_err(|error| refused(error.to_string()))?;
    if said.at > archive.sources.now().plus_seconds(AHEAD_SECONDS) {
        return Err(refused(format!("its time, {}, lies in the future", said.at)));
    }
    let origin = checkpoint.origin();
    for row in archive.journal.cosignatures(origin).await? {
        let before = witness.verify(&format!("{}{}", row.note, row.line));
        let Ok(before) = before else { continue };
        if row.size > checkpoint.size() || before.at >= said.at {
            let (size, at) = (row.size, before.at);
            return Err(refused(format!("it is stale: the witness cosigned {size} entries at {at}")));
        }
    }
    if !second_place::contained(archive, key, &checkpoint).await? {
        return Err(refused("the log does not contain this checkpoint; run `knik verify`".to_owned()));
    }
    // Ed25519 gives the same signature every time: this is the note without what others added to it.
    let note = checkpoint.sign(key)?;
    let (size, name) = (checkpoint.size(), said.witness.to_string());
    let row = CosignedRow { size, witness: name, note, line: said.line };
    archive.journal.keep_cosignature(origin, &row).await?;
    Ok(Accepted { log: origin.clone(), size, witness: said.witness, at: said.at })
}

fn of_own_log<'a>(
    archive: &'a Archive,
    note: &str,
) -> Result<(&'a LogKey, Checkpoint), crate::ledger::LedgerError> {
    let [vault, room] = archive.logs.keys();
    match Checkpoint::verify(note, vault.verifier()) {
        Ok(checkpoint) => Ok((vault, checkpoint)),
        Err(error) => {
            Checkpoint::verify(note, room.verifier()).map(|checkpoint| (room, checkpoint)).map_err(|_| error)
        }
    }
}

/// The newest checkpoint of a log that enough witnesses cosigned: its size; none when there is none.
///
/// # Errors
/// When the database fails.
pub async fn witnessed(archive: &Archive, key: &LogKey) -> Result<Option<u64>, VaultError> {
    let witnesses = &archive.logs.witnesses;
    let mut counts = std::collections::BTreeMap::<u64, usize>::new();
    for row in archive.journal.cosignatures(key.verifier().origin()).await? {
        let known = witnesses.keys.iter().find(|known| known.name().as_str() == row.witness);
        if known.is_some_and(|known| known.verify(&format!("{}{}", row.note, row.line)).is_ok()) {
            *counts.entry(row.size).or_default() += 1;
        }
    }
    let enough = witnesses.required.max(1);
    Ok(counts.into_iter().rev().find(|(_, count)| *count >= enough).map(|(size, _)| size))
}
