//! Requests for redacted copies, and every step of each.

use super::Catalogue;
use super::commit::{OutboxRow, insert_outbox};
use super::grants::{GrantRow, insert_grant};
use crate::access::grant_file::Content;
use crate::ledger::{Origin, Pending};
use crate::model::{
    ActorId, ChannelId, GrantId, OrganisationId, Outcome, ProjectionId, RequestId, RequestState, RequestStep,
    Timestamp,
};
use crate::store::StoreError;
use crate::store::effect::Effect;
use crate::store::journal;
use crate::store::rows::{RowValues, bytes};
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use sqlx::{Any, Transaction};
use std::collections::BTreeSet;

/// A request as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestRow {
    /// Its id.
    pub id: RequestId,
    /// Whose records it is about.
    pub organisation: OrganisationId,
    /// Who asks.
    pub requester: ActorId,
    /// Where it stands.
    pub state: RequestState,
    /// What it says.
    pub content: Content,
    /// The grant it became.
    pub grant: Option<GrantId>,
    /// When it was first written.
    pub created_at: Timestamp,
    /// When its last step was taken.
    pub changed_at: Timestamp,
}

/// What goes with a step.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Said {
    /// In words: a question, an answer, a motivation.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// Conditions under which it is approved, beside those of the basis.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<String>,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// The letter of a decision, as it was written then (HTML).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub letter: String,
}

/// One step of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestStepRow {
    /// Its place in the order, from 1.
    pub number: i64,
    /// What was done.
    pub step: RequestStep,
    /// By whom; nobody where it came by itself or from the command line.
    pub actor: Option<ActorId>,
    /// When.
    pub at: Timestamp,
    /// With what.
    pub said: Said,
}

/// How a selection stands to what is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Records of the channels that are kept.
    pub kept: u64,
    /// Of the records that were asked about, those with a finding below the threshold of what is certain.
    pub doubtful: u64,
}

/// A step on its way into the catalogue.
#[derive(Debug)]
pub struct TakenStep<'a> {
    /// The request as it is after it.
    pub request: &'a RequestRow,
    /// Where it stood before; `None` for one that is new.
    pub before: Option<RequestState>,
    /// When it had changed last as it was read, where it must say the same still.
    pub seen_at: Option<Timestamp>,
    /// The step; its number is given here.
    pub step: RequestStepRow,
    /// The grant that begins with it.
    pub grant: Option<&'a GrantRow>,
    /// Until when the grant runs from now on.
    pub grant_until: Option<Timestamp>,
    /// What goes down for it.
    pub down: Vec<OutboxRow>,
    /// The message of the reading room that it came with: taken up together with it.
    pub message: Option<i64>,
}

impl Catalogue {
    /// A request; `None` when there is none of that id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn request(&self, id: RequestId) -> Result<Option<RequestRow>, StoreError> {
        let row = sqlx::query("SELECT * FROM access_request WHERE id = $1")
            .bind(bytes(id.uuid()))
            .fetch_optional(self.db.read())
            .await
            .map_err(StoreError::database("reading a request"))?;
        row.as_ref().map(request_of).transpose()
    }

    /// The requests of an organisation, or of all; those that changed last first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn requests(&self, of: Option<&OrganisationId>) -> Result<Vec<RequestRow>, StoreError> {
        let all = "SELECT * FROM access_request ORDER BY changed_at DESC, id";
        let own = "SELECT * FROM access_request WHERE organisation = $1 ORDER BY changed_at DESC, id";
        let query = match of {
            Some(organisation) => sqlx::query(own).bind(organisation.to_string()),
            None => sqlx::query(all),
        };
        let rows = query.fetch_all(self.db.read()).await.map_err(StoreError::database("listing requests"))?;
        rows.iter().map(request_of).collect()
    }

    /// The requests whose grant runs, as far as the requests know.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn requests_with_grant(&self) -> Result<Vec<RequestRow>, StoreError> {
        let rows = sqlx::query("SELECT * FROM access_request WHERE state IN ($1, $2) ORDER BY id")
            .bind(RequestState::Active.as_str())
            .bind(RequestState::ExtensionAsked.as_str())
            .fetch_all(self.db.read())
            .await
            .map_err(StoreError::database("listing requests"))?;
        rows.iter().map(request_of).collect()
    }

    /// Whether a grant holds at `now`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn grant_in_force(&self, grant: GrantId, now: Timestamp) -> Result<bool, StoreError> {
        let row =
            sqlx::query("SELECT id FROM access_grant WHERE id = $1 AND revoked_at IS NULL AND lapsed_at IS NULL AND until_at > $2")
                .bind(bytes(grant.uuid()))
                .bind(now.micros())
                .fetch_optional(self.db.read())
                .await
                .map_err(StoreError::database("reading a grant"))?;
        Ok(row.is_some())
    }

    /// Counts what is kept of some channels, and among the records behind these projections those of which a finding has a
    /// score below `certain`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tally(
        &self,
        channels: &[ChannelId],
        projections: &BTreeSet<ProjectionId>,
        certain: f32,
    ) -> Result<Tally, StoreError> {
        let mut tally = Tally::default();
        for channel in channels {
            let rows = sqlx::query(
                "SELECT r.projection, v.findings FROM record r JOIN version v ON v.id = r.version \
                 WHERE r.channel = $1 AND r.outcome = $2 AND r.destroyed_at IS NULL",
            )
            .bind(channel.to_string())
            .bind(Outcome::Archive.as_str())
            .fetch_all(self.db.read())
            .await
            .map_err(StoreError::database("counting findings"))?;
            for row in rows {
                tally.kept += 1;
                let asked = projections.contains(&ProjectionId::from_uuid(row.id("projection")?));
                tally.doubtful += u64::from(asked && is_doubtful(&row.text("findings")?, certain));
            }
        }
        Ok(tally)
    }

    /// The steps of a request, first first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn request_steps(&self, id: RequestId) -> Result<Vec<RequestStepRow>, StoreError> {
        let rows = sqlx::query("SELECT * FROM access_request_step WHERE request = $1 ORDER BY number")
            .bind(bytes(id.uuid()))
            .fetch_all(self.db.read())
            .await
            .map_err(StoreError::database("reading the steps of a request"))?;
        rows.iter().map(step_of).collect()
    }

    /// Takes a step: the request, the step, what goes down, the grant that begins and the ledger's entry, together.
    /// `false`, and nothing changed, when the request does not stand where it was thought to stand or changed since it was read,
    /// or the grant that is extended is over.
    ///
    /// # Errors
    /// When the database fails; nothing is then changed.
    pub async fn take_step(
        &self,
        log: &Origin,
        taken: TakenStep<'_>,
        pending: Pending,
    ) -> Result<bool, StoreError> {
        let mut tx = self.db.begin().await?;
        if !write_request(&mut tx, &taken).await? {
            return Ok(false);
        }
        write_step(&mut tx, taken.request.id, &taken.step).await?;
        if let Some(grant) = taken.grant {
            insert_grant(&mut tx, grant).await?;
        }
        if let (Some(grant), Some(until)) = (taken.request.grant, taken.grant_until)
            && !extend_grant(&mut tx, grant, until, taken.step.at).await?
        {
            return Ok(false);
        }
        insert_outbox(&mut tx, &taken.down, taken.step.at).await?;
        if let Some(message) = taken.message {
            journal::move_cursor(&mut tx, message).await?;
        }
        let _durable_with_this_transaction = journal::add(&mut tx, log, pending, None).await?;
        Effect::RequestStepTaken.of(tx.commit()).await.map_err(StoreError::database("taking a step"))?;
        Ok(true)
    }
}

/// Gives a grant another end; `false` when it is over: its names are gone, or are about to go.
async fn extend_grant(
    tx: &mut Transaction<'static, Any>,
    grant: GrantId,
    until: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE access_grant SET until_at = $1 \
         WHERE id = $2 AND revoked_at IS NULL AND lapsed_at IS NULL AND until_at > $3",
    )
    .bind(until.micros())
    .bind(bytes(grant.uuid()))
    .bind(now.micros())
    .execute(&mut **tx)
    .await
    .map_err(StoreError::database("extending a grant"))?;
    Ok(done.rows_affected() == 1)
}

async fn write_request(
    tx: &mut Transaction<'static, Any>,
    taken: &TakenStep<'_>,
) -> Result<bool, StoreError> {
    let request = taken.request;
    let content =
        serde_json::to_string(&request.content).map_err(|_| StoreError::Corrupt { what: "request" })?;
    let done = match taken.before {
        None => {
            sqlx::query(
                "INSERT INTO access_request (id, organisation, requester, state, content, access_grant, created_at, \
                 changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING",
            )
            .bind(bytes(request.id.uuid()))
            .bind(request.organisation.to_string())
            .bind(bytes(request.requester.uuid()))
            .bind(request.state.as_str())
            .bind(content)
            .bind(request.grant.map(|grant| bytes(grant.uuid())))
            .bind(request.created_at.micros())
            .bind(request.changed_at.micros())
            .execute(&mut **tx)
            .await
        }
        Some(before) => {
            sqlx::query(
                "UPDATE access_request SET state = $1, content = $2, access_grant = $3, changed_at = $4 \
                 WHERE id = $5 AND state = $6 AND changed_at <= $7",
            )
            .bind(request.state.as_str())
            .bind(content)
            .bind(request.grant.map(|grant| bytes(grant.uuid())))
            .bind(request.changed_at.micros())
            .bind(bytes(request.id.uuid()))
            .bind(before.as_str())
            .bind(taken.seen_at.map_or(i64::MAX, Timestamp::micros))
            .execute(&mut **tx)
            .await
        }
    };
    Ok(done.map_err(StoreError::database("writing a request"))?.rows_affected() == 1)
}

async fn write_step(
    tx: &mut Transaction<'static, Any>,
    request: RequestId,
    step: &RequestStepRow,
) -> Result<(), StoreError> {
    let said =
        serde_json::to_string(&step.said).map_err(|_| StoreError::Corrupt { what: "step of a request" })?;
    sqlx::query(
        "INSERT INTO access_request_step (request, number, step, actor, taken_at, said) \
         SELECT $1, COALESCE(MAX(number), 0) + 1, $2, $3, $4, $5 FROM access_request_step WHERE request = $1",
    )
    .bind(bytes(request.uuid()))
    .bind(step.step.as_str())
    .bind(step.actor.map(|actor| bytes(actor.uuid())))
    .bind(step.at.micros())
    .bind(said)
    .execute(&mut **tx)
    .await
    .map_err(StoreError::database("writing a step of a request"))?;
    Ok(())
}

/// Whether a stored list of findings, passage by passage, has one below a score.
fn is_doubtful(findings: &str, certain: f32) -> bool {
    #[derive(Deserialize)]
    struct Scored {
        score: f32,
    }
    let passages: Vec<Vec<Scored>> = serde_json::from_str(findings).unwrap_or_default();
    passages.iter().flatten().any(|finding| finding.score < certain)
}

fn request_of(row: &AnyRow) -> Result<RequestRow, StoreError> {
    Ok(RequestRow {
        id: RequestId::from_uuid(row.id("id")?),
        organisation: row.term("organisation")?,
        requester: ActorId::from_uuid(row.id("requester")?),
        state: row.term("state")?,
        content: serde_json::from_str(&row.text("content")?)
            .map_err(|_| StoreError::Corrupt { what: "content of a request" })?,
        grant: row.id_or_null("access_grant")?.map(GrantId::from_uuid),
        created_at: row.time("created_at")?,
        changed_at: row.time("changed_at")?,
    })
}

fn step_of(row: &AnyRow) -> Result<RequestStepRow, StoreError> {
    Ok(RequestStepRow {
        number: row.number("number")?,
        step: row.term("step")?,
        actor: row.id_or_null("actor")?.map(ActorId::from_uuid),
        at: row.time("taken_at")?,
        said: serde_json::from_str(&row.text("said")?)
            .map_err(|_| StoreError::Corrupt { what: "step of a request" })?,
    })
}
