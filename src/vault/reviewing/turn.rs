//! Whose turn it is to judge an item: one person, or of a sample two, neither of whom sees what the other said, and a third
//! where they differ. As long as a sample waits, whatever is said of its item is said in turn: also by who finds the item in the
//! queue for another reason.

use super::assess::By;
use crate::model::{ActorId, QueueKind, VersionId};
use crate::store::catalogue::{AssessmentRow, Opinion, QueueItem};
use crate::vault::{Archive, VaultError};

/// Whose turn it is, and what follows.
pub(super) struct Turn {
    /// The how many-th person it is.
    pub(super) round: u32,
    /// Whether what is said holds.
    pub(super) in_force: bool,
    /// How many people are to judge it from now on, when that changed.
    pub(super) people: Option<u32>,
}

impl Turn {
    /// The turn of this person with what they say.
    ///
    /// # Errors
    /// [`VaultError::Input`] for who judged it before; when storage fails.
    pub(super) async fn of(
        archive: &Archive,
        item: &QueueItem,
        by: &By,
        rows: &[AssessmentRow],
    ) -> Result<Self, VaultError> {
        let Some(wanted) = archive.catalogue.task_people(item.id, QueueKind::Sample).await? else {
            return Ok(Self { round: 1, in_force: true, people: None });
        };
        let before = archive.catalogue.opinions(item.id).await?;
        for opinion in &before {
            if is_same_person(archive, opinion.actor, by.actor).await? {
                return Err(VaultError::Input(
                    "you judged this item before; another person judges it now".to_owned(),
                ));
            }
        }
        let round = u32::try_from(before.len()).unwrap_or(u32::MAX).saturating_add(1);
        if round < wanted {
            return Ok(Self { round, in_force: false, people: None });
        }
        let first = before.last();
        match (round, first) {
            // The second of two: when they differ, a third says.
            (2, Some(first)) if *first != opinion(first, rows) => {
                Ok(Self { round, in_force: false, people: Some(3) })
            }
            _ => Ok(Self { round, in_force: true, people: None }),
        }
    }
}

/// Whether two pseudonyms are of one person: the same, or two that go by one name, such as at a provider and on the command line.
/// In doubt they are: a third person can always be asked.
async fn is_same_person(archive: &Archive, one: ActorId, other: ActorId) -> Result<bool, VaultError> {
    if one == other {
        return Ok(true);
    }
    let (one, other) =
        (archive.catalogue.person_behind(one).await?, archive.catalogue.person_behind(other).await?);
    Ok(one
        .zip(other)
        .is_some_and(|((_, one), (_, other))| one.trim().to_lowercase() == other.trim().to_lowercase()))
}

/// Whether a sample of this item waits that several people judge. On the command line anybody can be named, so their word is
/// taken with a token, or from the file of their agency.
///
/// # Errors
/// When storage fails.
pub async fn is_of_several(archive: &Archive, item: VersionId) -> Result<bool, VaultError> {
    let people = archive.catalogue.task_people(item, QueueKind::Sample).await?;
    Ok(people.is_some_and(|people| people > 1))
}

/// What is said now in the form in which it is compared with what `other` said.
fn opinion(other: &Opinion, rows: &[AssessmentRow]) -> Opinion {
    let place = |row: &AssessmentRow| row.place.as_ref().map(|place| (place.passage, place.span));
    let mut said: Vec<_> =
        rows.iter().map(|row| (row.asked.clone(), place(row), row.answer.clone())).collect();
    said.sort();
    Opinion { round: other.round, actor: other.actor, said }
}
