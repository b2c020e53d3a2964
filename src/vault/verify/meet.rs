//! Whether what the catalogue says meets what is sealed and what the ledger committed to: keys open, originals have all their
//! fragments, decisions are those that were made.

use crate::model::{FragmentId, RecordId, SegmentId};
use crate::seal::{KeyError, MasterKeyring, WrappedKey, WrappedSegmentKey};
use crate::store::StoreError;
use crate::store::catalogue::DecisionRow;
use crate::vault::decision_receipt::{Confirmed, wrong_in_decisions};
use crate::vault::layout::Layout;
use crate::vault::{Archive, VaultError};
use std::collections::BTreeSet;

/// The first key of a segment that does not open: its own under the organisation's, or a fragment's under that; `None` when all do.
///
/// # Errors
/// When the database fails, or the provider of master keys cannot be reached: that says nothing about the keys.
pub(in crate::vault) async fn wrong_in_keys(
    archive: &Archive,
    segment: SegmentId,
) -> Result<Option<String>, VaultError> {
    // A destruction may have come between the two rows of the first look.
    match looked_at(archive, segment).await? {
        Some(_) => looked_at(archive, segment).await,
        None => Ok(None),
    }
}

async fn looked_at(archive: &Archive, segment: SegmentId) -> Result<Option<String>, VaultError> {
    // An epoch does not end between a key's row and its use.
    let _no_turn = archive.turning.read().await;
    // Looked up anew: it may have been wrapped again, or destroyed, since it was listed.
    let Some(known) = archive.catalogue.segment(segment).await? else { return Ok(None) };
    let fragments = archive.catalogue.fragments_of_segment(segment).await?;
    if fragments.is_empty() {
        return Ok(None);
    }
    let keyring = std::sync::Arc::clone(&archive.keyring);
    let opened = tokio::task::spawn_blocking(move || {
        let wrapped = WrappedSegmentKey::from_bytes(&known.wrapped_key)?;
        let key = keyring.unwrap_segment_key(&known.organisation, known.id, &wrapped)?;
        let shut = fragments.iter().find_map(|fragment| {
            let wrapped = WrappedKey::from_bytes(&fragment.wrapped_key);
            let opens = wrapped.and_then(|w| key.confirm(&known.organisation, known.id, fragment.id, &w));
            opens.err().map(|error| format!("segment {}: fragment {}: {error}", known.id, fragment.id))
        });
        Ok::<_, KeyError>(shut)
    });
    match opened.await? {
        Ok(wrong) => Ok(wrong),
        Err(error @ (KeyError::Unavailable | KeyError::Refused)) => Err(error.into()),
        Err(error) => Ok(Some(format!("segment {segment}: {error}"))),
    }
}

/// Versions looked at together.
const ROUND: u32 = 500;

/// The first original that lacks a key of its own, or whose layout does not fit what is sealed; `None` when all are whole.
///
/// # Errors
/// When the database fails.
pub(super) async fn wrong_in_originals(
    archive: &Archive,
    seen: &mut u64,
) -> Result<Option<String>, VaultError> {
    let mut after = 0;
    loop {
        let page = archive.catalogue.layouts(after, ROUND).await?;
        let Some((last, _, _)) = page.last() else { return Ok(None) };
        after = *last;
        let mut layouts = Vec::with_capacity(page.len());
        for (_, record, stored) in &page {
            let layout =
                Layout::from_bytes(stored).ok_or(StoreError::Corrupt { what: "layout of an original" })?;
            layouts.push((*record, layout));
        }
        let wanted: BTreeSet<FragmentId> =
            layouts.iter().flat_map(|(_, layout)| layout.fragments.iter().copied()).collect();
        let there = archive.catalogue.fragments(&wanted.into_iter().collect::<Vec<_>>()).await?;
        let mut lacks = None;
        for (record, layout) in &layouts {
            if lacks.is_none() && !layout.fragments.iter().all(|fragment| there.contains_key(fragment)) {
                lacks = Some(*record);
            }
        }
        // One that was destroyed since the page was read lacks nothing.
        if let Some(record) = lacks
            && !archive.catalogue.originals(&[record]).await?.is_empty()
        {
            return Ok(Some(format!("the original of record {record} lacks a key: it cannot be opened")));
        }
        *seen += page.len() as u64;
    }
}

/// The first decision that is not the one the ledger committed to; `None` when all are.
///
/// # Errors
/// When the database fails.
pub(super) async fn wrong_in_decided(
    archive: &Archive,
    seen: &mut u64,
) -> Result<Option<String>, VaultError> {
    let (mut after, mut known) = (0, Confirmed::default());
    loop {
        let page = archive.catalogue.decisions_standing(after, ROUND).await?;
        let Some((last, _)) = page.last() else { break };
        after = *last;
        let decisions: Vec<DecisionRow> = page.into_iter().map(|(_, decision)| decision).collect();
        *seen += decisions.len() as u64;
        if let Some(wrong) = wrong_in_decisions(archive, &decisions, &mut known).await? {
            return Ok(Some(wrong));
        }
    }
    let mut last: Option<RecordId> = None;
    loop {
        let page = archive.catalogue.decided_again(last, ROUND).await?;
        if page.is_empty() {
            return Ok(None);
        }
        last = page.last().copied();
        for record in page {
            let made = archive.catalogue.decisions_made(record).await?;
            if let Some(wrong) = wrong_in_decisions(archive, &made, &mut known).await? {
                return Ok(Some(wrong));
            }
        }
    }
}
