//! What stands beside a log: copies of its checkpoint, cosignatures of witnesses, time-stamps. Each that holds is a
//! checkpoint that the log must contain.

use super::{Anchor, Trust, VaultError};
use crate::ledger::{Checkpoint, Origin, VerifierKey, timestamp_of};
use crate::store::log_source::LogSource;
use std::collections::{BTreeMap, BTreeSet};

/// What was found.
#[derive(Default)]
pub(super) struct Said {
    pub(super) anchors: Vec<Anchor>,
    pub(super) cosignatures: u64,
    pub(super) timestamps: u64,
    pub(super) warnings: Vec<String>,
    /// The first that does not hold.
    pub(super) wrong: Option<String>,
}

/// Reads and checks all that stands beside a log. `copies`: where each lies, and its text.
pub(super) async fn read(
    log: &dyn LogSource,
    key: &VerifierKey,
    trust: &Trust,
    copies: Vec<(String, String)>,
) -> Result<Said, VaultError> {
    let mut said = Said::default();
    for (place, note) in copies {
        said.anchor(&note, key, format!("the copy `{place}`"));
    }
    let witnessed = cosigned(log, key, trust, &mut said).await?;
    let empty = log.head().await?.is_none_or(|head| head.size == 0);
    if !empty && witnessed < trust.witnesses_required {
        let (origin, required) = (key.origin(), trust.witnesses_required);
        said.fault(format!(
            "no checkpoint of {origin} is cosigned by {required} of the witnesses, {witnessed} at the most; see `knik ledger cosign`"
        ));
    }
    timestamped(log, key, trust, &mut said).await?;
    Ok(said)
}

/// Checks cosignatures. Returns how many witnesses cosigned the same checkpoint, at the most.
async fn cosigned(
    log: &dyn LogSource,
    key: &VerifierKey,
    trust: &Trust,
    said: &mut Said,
) -> Result<usize, VaultError> {
    let mut by_size: BTreeMap<u64, BTreeSet<Origin>> = BTreeMap::new();
    let mut unknown = BTreeSet::new();
    for row in log.cosignatures().await? {
        let note = format!("{}{}", row.note, row.line);
        let Some(witness) = trust.witnesses.iter().find(|known| known.name().as_str() == row.witness) else {
            unknown.insert(row.witness);
            continue;
        };
        match witness.verify(&note) {
            Ok(cosignature) => {
                let what = format!("the checkpoint that {} cosigned at {}", row.witness, cosignature.at);
                if said.anchor(&note, key, what) {
                    said.cosignatures += 1;
                    by_size.entry(row.size).or_default().insert(cosignature.witness);
                }
            }
            Err(error) => said.fault(format!(
                "cosigned checkpoint of {} with {} entries: {error}",
                key.origin(),
                row.size
            )),
        }
    }
    for witness in unknown {
        said.warnings.push(format!("cosignatures of `{witness}` were not checked: its key was not given"));
    }
    Ok(by_size.values().map(BTreeSet::len).max().unwrap_or(0))
}

async fn timestamped(
    log: &dyn LogSource,
    key: &VerifierKey,
    trust: &Trust,
    said: &mut Said,
) -> Result<(), VaultError> {
    let rows = log.timestamps().await?;
    let Some(trusted) = &trust.authorities else {
        if !rows.is_empty() {
            let (origin, count) = (key.origin(), rows.len());
            said.warnings
                .push(format!("{count} time-stamps of {origin} were not checked: no authority was given"));
        }
        return Ok(());
    };
    for row in rows {
        match timestamp_of(&row.note, &row.response, trusted) {
            Ok(stamp) => {
                if said.anchor(
                    &row.note,
                    key,
                    format!("the checkpoint that was time-stamped at {}", stamp.at),
                ) {
                    said.timestamps += 1;
                }
            }
            Err(error) => {
                said.fault(format!("time-stamp of {} with {} entries: {error}", key.origin(), row.size))
            }
        }
    }
    Ok(())
}

impl Said {
    /// Takes a checkpoint as one that the log must contain; false when the log did not sign it.
    fn anchor(&mut self, note: &str, key: &VerifierKey, what: String) -> bool {
        match Checkpoint::verify(note, key) {
            Ok(checkpoint) => self.anchors.push(Anchor { what, checkpoint }),
            Err(error) => {
                self.fault(format!("{what} of {}: checkpoint does not hold: {error}", key.origin()));
                return false;
            }
        }
        true
    }

    fn fault(&mut self, what: String) {
        self.wrong.get_or_insert(what);
    }
}
