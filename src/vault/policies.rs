//! Policies by version: a version names one content for ever. What a tree, a profile or a definition said when it was first used
//! here is kept as a digest, and the ledger commits to it, so that a decision under `scenario-b 2` can be followed again, and nobody
//! can have two different decisions proved under one version.

use super::verify::{Placed, placed};
use super::{Archive, VaultError};
use crate::ledger::{Code, Entry, EntryId, EntryKind, Hash, Pending, statement_commitment, statements_root};
use crate::model::PolicyKind;
use crate::store::catalogue::{KnownPolicy, PolicyVersion};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A version of a policy, with the file that states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatedPolicy {
    /// The file, for people.
    pub file: String,
    /// What it states.
    pub policy: PolicyVersion,
}

/// Sees to it that every version says what it said when it was first used here. What is new is kept, with an entry that commits to it.
/// Returns how many were new. `ruleset` is the version of the recognisers beside them.
///
/// # Errors
/// [`VaultError::Input`] when a version says something else than before, with the mend: nothing is kept then. When storage fails.
pub async fn hold(archive: &Archive, ruleset: &str, stated: &[StatedPolicy]) -> Result<u64, VaultError> {
    let known = archive.catalogue.policy_versions().await?;
    let fresh = compared(&known, stated).map_err(|changed| VaultError::Input(changed.join("; ")))?;
    if fresh.is_empty() {
        return Ok(0);
    }
    let (sources, count) = (&archive.sources, fresh.len() as u64);
    let now = sources.now();
    let entry = Entry::new(sources.entry_id()?, EntryKind::RulesLoaded, now)
        .outcome(ruleset.parse::<Code>()?)
        .because(["new-policies".parse()?])
        .counting("policies".parse()?, count)
        .stating(commitment(&fresh));
    let (log, pending) = (archive.logs.vault_origin(), Pending::event(entry)?);
    let _recorded = archive.catalogue.add_policy_versions(log, &fresh, pending, now).await?;
    archive.journal.wake();
    Ok(count)
}

/// What an entry commits to of these versions, whatever their order: they are no secret, so no salt stands before them.
#[must_use]
pub fn commitment(policies: &[PolicyVersion]) -> Hash {
    let mut sorted: Vec<&PolicyVersion> = policies.iter().collect();
    sorted.sort();
    let all: Vec<Hash> = sorted.into_iter().map(|of| statement_commitment(&[], &statement(of))).collect();
    statements_root(&all)
}

fn statement(policy: &PolicyVersion) -> Value {
    let PolicyVersion { kind, id, version, digest } = policy;
    json!({ "kind": kind, "id": id, "version": version, "sha256": hex::encode(digest.as_bytes()) })
}

/// Those that are new; or, in words, those that say something else than before.
fn compared(known: &[KnownPolicy], stated: &[StatedPolicy]) -> Result<Vec<PolicyVersion>, Vec<String>> {
    let name = |of: &PolicyVersion| (of.kind, of.id.clone(), of.version.clone());
    let mut said: BTreeMap<_, (Hash, String)> = known
        .iter()
        .map(|of| (name(&of.policy), (of.policy.digest, format!("since {}", of.since.day()))))
        .collect();
    let (mut fresh, mut changed) = (Vec::new(), Vec::new());
    for StatedPolicy { file, policy } in stated {
        match said.get(&name(policy)) {
            Some((digest, _)) if *digest == policy.digest => {}
            Some((_, known)) => changed.push(format!(
                "`{file}`: {} `{}` has version `{}`, which is known with other content ({known}): what was decided under it could not \
                 be followed again; give it a new {}",
                policy.kind,
                policy.id,
                policy.version,
                version_field(policy.kind)
            )),
            None => {
                said.insert(name(policy), (policy.digest, format!("in `{file}`")));
                fresh.push(policy.clone());
            }
        }
    }
    if changed.is_empty() { Ok(fresh) } else { Err(changed) }
}

/// The field in which the version of a file stands: definitions go by the day from which they hold.
const fn version_field(kind: PolicyKind) -> &'static str {
    match kind {
        PolicyKind::Definition => "`valid_from`",
        _ => "`version`",
    }
}

/// The first version that the ledger does not have as it is kept here; `None` when all is well. What has no number yet is left out.
///
/// # Errors
/// When storage cannot be read.
pub(super) async fn first_wrong(archive: &Archive) -> Result<Option<String>, VaultError> {
    let mut by_entry: BTreeMap<EntryId, Vec<PolicyVersion>> = BTreeMap::new();
    for known in archive.catalogue.policy_versions().await? {
        by_entry.entry(known.entry).or_default().push(known.policy);
    }
    for (id, policies) in by_entry {
        let stated = match placed(archive, id).await? {
            Placed::There(entry) => entry.statements(),
            Placed::Waiting => continue,
            Placed::Missing => None,
        };
        if stated != Some(commitment(&policies)) {
            return Ok(Some(format!(
                "versions of policies are kept otherwise than entry {id} of the ledger has them"
            )));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;
    use uuid::Uuid;

    fn stated(kind: PolicyKind, version: &str, content: u8) -> StatedPolicy {
        let digest = Hash::from_bytes([content; 32]);
        let policy = PolicyVersion { kind, id: "scenario-b".to_owned(), version: version.to_owned(), digest };
        StatedPolicy { file: "trees/scenario-b.yaml".to_owned(), policy }
    }

    fn known(one: StatedPolicy) -> KnownPolicy {
        let since = Timestamp::from_micros(0).unwrap();
        KnownPolicy { policy: one.policy, entry: EntryId::from_uuid(Uuid::nil()), since }
    }

    #[test]
    fn a_version_says_what_it_said_before_or_is_a_new_one() {
        let before = [known(stated(PolicyKind::Tree, "2", 1))];
        let fresh = |now: &[StatedPolicy]| compared(&before, now).map(|fresh| fresh.len());
        assert_eq!(fresh(&[stated(PolicyKind::Tree, "2", 1)]), Ok(0));
        assert_eq!(fresh(&[stated(PolicyKind::Tree, "3", 9)]), Ok(1));
        assert_eq!(fresh(&[stated(PolicyKind::Profile, "2", 9)]), Ok(1), "another kind");
        let told = fresh(&[stated(PolicyKind::Tree, "2", 9)]).unwrap_err().join("");
        for part in
            ["trees/scenario-b.yaml", "tree `scenario-b`", "`2`", "1970-01-01", "give it a new `version`"]
        {
            assert!(told.contains(part), "{told} lacks {part}");
        }
        let two = [
            stated(PolicyKind::Definition, "2027-01-01", 1),
            stated(PolicyKind::Definition, "2027-01-01", 2),
        ];
        assert!(fresh(&two).unwrap_err().join("").contains("a new `valid_from`"), "two files of one version");
    }

    #[test]
    fn what_is_committed_to_does_not_hang_on_the_order() {
        let [one, other] = [stated(PolicyKind::Tree, "2", 1).policy, stated(PolicyKind::Tree, "3", 1).policy];
        assert_eq!(commitment(&[one.clone(), other.clone()]), commitment(&[other.clone(), one.clone()]));
        assert_ne!(commitment(std::slice::from_ref(&one)), commitment(&[other]));
    }
}
