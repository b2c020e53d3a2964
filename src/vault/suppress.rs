//! What was destroyed stays destroyed: its names are recognised, under a key of their own, and refused.
//!
//! The digest is of the digest by which the vault knows names. So whoever has the vault's digest key alone cannot ask
//! whether an item was destroyed, and when the suppression key is destroyed nobody can.

use super::names::Names;
use super::reading::CaptureReader;
use super::source::CaptureSource;
use super::{Archive, Rules, VaultError};
use crate::capture::{CaptureError, Format};
use crate::model::{ByteRange, ConversationId, ItemDigest};
use crate::seal::DigestKey;
use crate::store::catalogue::Channel;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// The digest under which a name of something destroyed is kept.
pub(super) fn digest(key: &DigestKey, name: ItemDigest) -> ItemDigest {
    key.digest("suppressed", &[name.as_bytes()])
}

/// The digest under which a name is kept of something that a profile refused because the tree does not keep
/// it: it is counted once, however often it is delivered. Whoever has no suppression key cannot ask for it.
pub(super) fn refused(key: &DigestKey, name: ItemDigest) -> ItemDigest {
    key.digest("refused", &[name.as_bytes()])
}

/// Those of these names under which something was refused and counted.
pub(super) async fn look_up_refused(
    archive: &Archive,
    names: &[ItemDigest],
) -> Result<HashSet<ItemDigest>, VaultError> {
    if !archive.catalogue.refuses().await? {
        return Ok(HashSet::new());
    }
    let of: HashMap<ItemDigest, ItemDigest> =
        names.iter().map(|name| (refused(&archive.suppression, *name), *name)).collect();
    let wanted: Vec<ItemDigest> = of.keys().copied().collect();
    let found = archive.catalogue.refused(&wanted).await?;
    Ok(found.into_iter().filter_map(|digest| of.get(&digest).copied()).collect())
}

/// The same as it was made when digests of names were kept whole: what was destroyed then stands under it.
fn digest_before(key: &DigestKey, name: ItemDigest) -> Option<ItemDigest> {
    name.whole().map(|whole| key.digest("suppressed", &[&whole]))
}

fn both(key: &DigestKey, name: ItemDigest) -> impl Iterator<Item = ItemDigest> {
    [Some(digest(key, name)), digest_before(key, name)].into_iter().flatten()
}

/// Those of these names that name something destroyed, with its thread.
pub(super) async fn look_up(
    archive: &Archive,
    names: &[ItemDigest],
) -> Result<HashMap<ItemDigest, ConversationId>, VaultError> {
    if !archive.catalogue.suppresses().await? {
        return Ok(HashMap::new());
    }
    let of: HashMap<ItemDigest, ItemDigest> = names
        .iter()
        .flat_map(|name| both(&archive.suppression, *name).map(|digest| (digest, *name)))
        .collect();
    let wanted: Vec<ItemDigest> = of.keys().copied().collect();
    let found = archive.catalogue.suppressed(&wanted).await?;
    Ok(found.into_iter().filter_map(|(digest, thread)| Some((*of.get(&digest)?, thread))).collect())
}

/// Where in a capture containers stand that hold something destroyed: their encoded bytes are not sealed again. Read
/// before the intake, because a container may come by before what is in it.
pub(super) async fn containers(
    archive: &Archive,
    rules: &Rules,
    channel: &Channel,
    source: &Arc<CaptureSource>,
    format: Format,
) -> Result<Vec<ByteRange>, VaultError> {
    if !archive.catalogue.suppresses().await? {
        return Ok(Vec::new());
    }
    let (source, reader, limits) = (Arc::clone(source), Arc::clone(&rules.reader), rules.limits);
    let (digests, channel) = (Arc::clone(&archive.digests), channel.clone());
    let read = move || named(&source, &*reader, format, limits, &Names::of_channel(&digests, &channel));
    let named = tokio::task::spawn_blocking(read).await??;
    let all: Vec<ItemDigest> = named.values().flatten().copied().collect();
    let gone = look_up(archive, &all).await?;
    let starts: Vec<u64> = named.keys().copied().collect();
    let ends = starts.iter().skip(1).copied().chain([u64::MAX]);
    let stands = starts.iter().copied().zip(ends).map(|(start, end)| ByteRange { start, end });
    let holds = |names: &Vec<ItemDigest>| names.iter().any(|name| gone.contains_key(name));
    Ok(stands.zip(named.values()).filter(|(_, names)| holds(names)).map(|(range, _)| range).collect())
}

/// The names in each container of a capture, by where it starts.
fn named(
    source: &CaptureSource,
    reader: &dyn CaptureReader,
    format: Format,
    limits: crate::capture::Limits,
    names: &Names<'_>,
) -> Result<BTreeMap<u64, Vec<ItemDigest>>, VaultError> {
    let own = source.reader().map_err(CaptureError::Read)?;
    let mut found: BTreeMap<u64, Vec<ItemDigest>> = BTreeMap::new();
    for unit in reader.begin(source, own, Some(format), limits)? {
        let unit = unit?;
        if let Some(within) = &unit.within {
            let of_items = unit.items.iter().flat_map(|item| names.of(item));
            found.entry(within.offset()).or_default().extend(of_items);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_destroyed_before_digests_were_cut_is_recognised() {
        let key = DigestKey::from_bytes(&[3; 32]);
        let name = DigestKey::from_bytes(&[1; 32]).digest("name", &[b"9001"]);
        let whole = name.whole().unwrap();
        let before = key.digest("suppressed", &[&whole]);
        let looked_for: Vec<ItemDigest> = both(&key, name).collect();
        assert_eq!(looked_for, [key.digest("suppressed", &[name.as_bytes()]), before]);
        // From the catalogue only half of it comes: that is what is destroyed under today.
        let kept = ItemDigest::from_kept(*name.as_bytes());
        assert_eq!(both(&key, kept).collect::<Vec<_>>(), [digest(&key, name)]);
    }
}
