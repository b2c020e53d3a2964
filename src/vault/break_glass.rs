//! Opening at once, in an emergency: the data protection officer is alarmed, and it must be justified within its time.

use super::openings::{self, ShownOpening, permitted};
use super::{Archive, Rules, VaultError, bodies};
use crate::access::{Action, Actor};
use crate::ledger::{EntryKind, Pending};
use crate::model::{GrantId, PrivateText, Timestamp};
use crate::store::StoreError;
use crate::store::alarms::{Alarm, MISSED_FINDING};
use crate::store::bell::{Bell, Ring};
use serde_json::json;
use std::time::Duration;

/// Says why something was opened at once. Once; also when its time has passed, but then nothing opens under it until
/// it is said.
///
/// # Errors
/// [`VaultError::Absent`] and [`VaultError::Refused`]; [`VaultError::Input`] when there is nothing to justify, or too
/// little is said.
pub async fn justify(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    id: GrantId,
    said: &PrivateText,
) -> Result<ShownOpening, VaultError> {
    let row = permitted(archive, rules, actor, id, Action::JustifyOpening).await?;
    if !(TEXT_CHARS_MIN..=TEXT_CHARS_MAX).contains(&said.expose().trim().chars().count()) {
        return Err(VaultError::Input("say why it could not wait, in 20 to 2000 characters".to_owned()));
    }
    // An epoch does not end between the wrapping of the body's key and the commit.
    let no_turn = archive.turning.read().await;
    let now = archive.sources.now();
    let late = row.justify_until.is_some_and(|until| now >= until);
    let closed = openings::entry(archive, EntryKind::IncidentClosed, &row, actor)?
        .outcome(if late { "justified-late" } else { "justified" }.parse()?);
    let sealed =
        bodies::seal(archive, &row.organisation, closed.id(), &json!({ "justification": said.expose() }))?;
    let pending = Pending::event(closed.committing(sealed.commitment))?;
    let log = archive.logs.vault_origin();
    let written = archive.journal.justify_opening(log, id, pending, sealed.body, now).await;
    drop(no_turn);
    match written {
        Ok(_recorded) => {}
        Err(StoreError::Moved) => {
            return Err(VaultError::Input(
                "there is nothing to justify, or it was justified before".to_owned(),
            ));
        }
        Err(error) => return Err(error.into()),
    }
    let row = archive.openings().opening(id).await?.ok_or(VaultError::Absent { what: "the request" })?;
    openings::shown(archive, row).await
}

const TEXT_CHARS_MIN: usize = 20;
const TEXT_CHARS_MAX: usize = 2_000;

/// What an alarm says: ids and codes, nothing of the case.
fn ring_of(alarm: &Alarm) -> Ring {
    let (about, subject, nl, en) = match alarm.kind.as_str() {
        MISSED_FINDING => (
            "incident",
            "Knik: incident",
            "Een persoonsgegeven dat gelakt had moeten zijn is ingezien. Binnen 72 uur moet worden beslist over een melding (AVG 33); zie het incident.",
            "Personal data that should have been redacted was read. Within 72 hours it must be decided whether to notify (GDPR 33); see the incident.",
        ),
        _ => (
            "request",
            "Knik: spoedopening / opened at once",
            "Een origineel is met spoed geopend. Het verzoek moet worden verantwoord; zie het register.",
            "An original was opened at once. The request must be justified; see the register.",
        ),
    };
    let json = json!({
        "id": alarm.id, "kind": alarm.kind, "organisation": alarm.organisation, about: alarm.about,
        "raisedAt": alarm.raised_at, "attempt": alarm.attempts + 1, "text": { "nl": nl, "en": en },
    });
    let text = format!(
        "{nl}\n\n{en}\n\n{about}: {}\norganisation: {}\nraised at: {}\n",
        alarm.about, alarm.organisation, alarm.raised_at
    );
    Ring { id: alarm.id, subject: subject.to_owned(), text, json }
}

/// Tries alarms that are due. Returns how many were delivered.
///
/// # Errors
/// When storage fails; they are then tried again.
pub async fn ring_due(archive: &Archive, bell: &Bell) -> Result<u64, VaultError> {
    let (openings, now) = (archive.openings(), archive.sources.now());
    let mut delivered = 0;
    for alarm in openings.alarms_due(now, ALARMS_A_ROUND).await? {
        let rang = bell.ring(&ring_of(&alarm)).await;
        delivered += u64::from(rang);
        if !rang {
            tracing::error!(attempts = alarm.attempts + 1, "an alarm was not delivered; it is tried again");
        }
        let next = archive.sources.now().plus_seconds(pause_seconds(alarm.attempts));
        openings.alarm_tried(alarm.id, rang.then(|| archive.sources.now()), next).await?;
    }
    Ok(delivered)
}

const ALARMS_A_ROUND: u32 = 100;

/// Longer each time, up to an hour.
fn pause_seconds(attempts: u32) -> i64 {
    (5_i64 << attempts.min(10)).min(3_600)
}

const LOOK: Duration = Duration::from_secs(1);

/// Delivers alarms until the process ends.
pub async fn keep_ringing(archive: Archive, bell: Bell) {
    if bell.is_silent() {
        return;
    }
    loop {
        if let Err(error) = ring_due(&archive, &bell).await {
            tracing::error!(%error, "alarms were not looked after");
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// What must be warned of: alarms that nobody got, and openings at once that nobody justified.
///
/// # Errors
/// When storage fails.
pub async fn warnings(archive: &Archive) -> Result<Vec<String>, VaultError> {
    let (mut warnings, now) = (Vec::new(), archive.sources.now());
    let (undelivered, oldest) = archive.openings().alarms_undelivered().await?;
    if let Some(oldest) =
        oldest.filter(|oldest: &Timestamp| now.seconds() - oldest.seconds() > ALARM_PATIENCE_SECONDS)
    {
        warnings.push(format!(
            "{undelivered} alarms to the data protection officer were not delivered, the oldest of {oldest}: set \
             oversight.alarm-webhook or oversight.alarm-smtp, or look at what stands there"
        ));
    }
    let unanswered = archive.openings().unjustified(None, now).await?;
    let late = unanswered.iter().filter(|row| row.justify_until.is_some_and(|until| until <= now)).count();
    if late > 0 {
        warnings.push(format!("{late} openings at once were not justified within their time"));
    }
    warnings.extend(super::incidents::warnings(archive).await?);
    Ok(warnings)
}

/// How long an alarm may wait before it is a warning.
const ALARM_PATIENCE_SECONDS: i64 = 5;
