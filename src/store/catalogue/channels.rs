//! Organisations and their channels; each fact of a channel has dates and a reason.

use super::Catalogue;
use crate::ledger::{Origin, Pending};
use crate::model::{ChannelId, OrganisationId, Platform, Timestamp};
use crate::store::StoreError;
use crate::store::effect::Effect;
use crate::store::journal;
use crate::store::rows::RowValues;
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use std::fmt;
use std::str::FromStr;

/// Whether reactions on a channel must be archived, as the organisation sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Duty {
    /// There is a duty to archive.
    Yes,
    /// There is none.
    No,
    /// It is contested.
    Contested,
}

impl Duty {
    /// The word as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Contested => "contested",
        }
    }
}

impl FromStr for Duty {
    type Err = String;
    fn from_str(given: &str) -> Result<Self, String> {
        match given {
            "yes" => Ok(Self::Yes),
            "no" => Ok(Self::No),
            "contested" => Ok(Self::Contested),
            other => Err(format!("duty to archive `{other}` must be yes, no or contested")),
        }
    }
}

/// An account of an organisation, with what the AVG asks of it before anything is taken in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Channel {
    /// Its slug.
    pub id: ChannelId,
    /// Whose it is.
    pub organisation: OrganisationId,
    /// On which platform.
    pub platform: Platform,
    /// Host of the platform's instance, such as `social.example`.
    pub instance: String,
    /// The account, without `@`: the organisation's own, not a person's.
    pub account: String,
    /// `corporate`, `office_holder` or `hybrid`.
    pub kind: String,
    /// Purpose of the processing.
    pub purpose: String,
    /// Legal basis of the processing (AVG 6).
    pub legal_basis: String,
    /// Duty to archive.
    pub duty: Duty,
    /// Where that duty is stated.
    pub duty_source: String,
    /// Reference of the data protection impact assessment.
    pub dpia: String,
}

/// Which fact of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fact {
    /// `yes` or `no`: declared official by the organisation.
    Official,
    /// `A`, `B` or `C`.
    Scenario,
    /// Id of the decision tree in force.
    Tree,
    /// `yes` or `no`: whether reactions are open.
    Reactions,
    /// The channel that took its place.
    Successor,
    /// Id of the minimisation profile in force.
    Profile,
}

impl Fact {
    /// The word as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Official => "official",
            Self::Scenario => "scenario",
            Self::Tree => "tree",
            Self::Reactions => "reactions",
            Self::Successor => "successor",
            Self::Profile => "profile",
        }
    }

    fn parse(word: &str) -> Result<Self, StoreError> {
        match word {
            "official" => Ok(Self::Official),
            "scenario" => Ok(Self::Scenario),
            "tree" => Ok(Self::Tree),
            "reactions" => Ok(Self::Reactions),
            "successor" => Ok(Self::Successor),
            "profile" => Ok(Self::Profile),
            _ => Err(StoreError::Corrupt { what: "channel fact" }),
        }
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One fact with its dates: an item is judged by the facts at the time of posting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChannelFact {
    /// Which fact.
    pub fact: Fact,
    /// Its value.
    pub value: String,
    /// From when it holds.
    pub from: Timestamp,
    /// Until when, exclusive; open when absent.
    pub until: Option<Timestamp>,
    /// Why it was declared.
    pub reason: String,
}

impl ChannelFact {
    /// Whether there is a moment at which both hold.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.until.is_none_or(|until| other.from < until) && other.until.is_none_or(|until| self.from < until)
    }

    /// Whether it held at `at`.
    #[must_use]
    pub fn held_at(&self, at: Timestamp) -> bool {
        self.from <= at && self.until.is_none_or(|until| at < until)
    }
}

impl fmt::Display for ChannelFact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}` from {}", self.fact, self.value, self.from)?;
        if let Some(until) = self.until {
            write!(f, " until {until}")?;
        }
        write!(f, " (`{}`)", self.reason)
    }
}

impl Catalogue {
    /// Makes an organisation known, with the entry that says so. `false` when it is already: it keeps its first name.
    ///
    /// # Errors
    /// When the database fails; nothing is then changed.
    pub async fn add_organisation(
        &self,
        log: &Origin,
        id: &OrganisationId,
        name: &str,
        pending: Pending,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tx = self.db.begin().await?;
        let added = sqlx::query(
            "INSERT INTO organisation (id, name, created_at) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING",
        )
        .bind(id.to_string())
        .bind(name.to_owned())
        .bind(now.micros())
        .execute(&mut *tx)
        .await
        .map_err(StoreError::database("adding an organisation"))?
        .rows_affected();
        if added == 0 {
            return Ok(false);
        }
        let _durable_with_this_transaction = journal::add(&mut tx, log, pending, None).await?;
        Effect::OrganisationAdded
            .of(tx.commit())
            .await
            .map_err(StoreError::database("adding an organisation"))?;
        Ok(true)
    }

    /// Every organisation: id and name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn organisations(&self) -> Result<Vec<(OrganisationId, String)>, StoreError> {
        let rows = sqlx::query("SELECT id, name FROM organisation ORDER BY id")
            .fetch_all(self.db.read())
            .await
            .map_err(StoreError::database("listing organisations"))?;
        rows.iter().map(|row| Ok((row.term("id")?, row.text("name")?))).collect()
    }

    /// When an organisation was added; `None` when there is none of that id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn organisation_since(&self, id: &OrganisationId) -> Result<Option<Timestamp>, StoreError> {
        let row = sqlx::query("SELECT created_at FROM organisation WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(self.db.read())
            .await
            .map_err(StoreError::database("reading an organisation"))?;
        row.map(|row| row.time("created_at")).transpose()
    }

    /// Declares a channel with its first facts and the entry that says so. `false` when a channel of that id is there
    /// already, which stays as it is.
    ///
    /// # Errors
    /// When the organisation is unknown or the database fails; nothing is then changed.
    pub async fn add_channel(
        &self,
        log: &Origin,
        channel: &Channel,
        facts: &[ChannelFact],
        pending: Pending,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tx = self.db.begin().await?;
        let added = sqlx::query(
            "INSERT INTO channel (id, organisation, platform, instance, account, kind, purpose, legal_basis, \
             duty, duty_source, dpia, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
             ON CONFLICT (id) DO NOTHING",
        )
        .bind(channel.id.to_string())
        .bind(channel.organisation.to_string())
        .bind(channel.platform.to_string())
        .bind(channel.instance.clone())
        .bind(channel.account.clone())
        .bind(channel.kind.clone())
        .bind(channel.purpose.clone())
        .bind(channel.legal_basis.clone())
        .bind(channel.duty.as_str().to_owned())
        .bind(channel.duty_source.clone())
        .bind(channel.dpia.clone())
        .bind(now.micros())
        .execute(&mut *tx)
        .await
        .map_err(StoreError::database("adding a channel"))?
        .rows_affected();
        if added == 0 {
            return Ok(false);
        }
        for fact in facts {
            insert_fact(&mut tx, &channel.id, fact, now).await?;
        }
        let _durable_with_this_transaction = journal::add(&mut tx, log, pending, None).await?;
        Effect::ChannelAdded.of(tx.commit()).await.map_err(StoreError::database("adding a channel"))?;
        Ok(true)
    }

    /// Declares facts of a channel that is there, with the entry that says so. They stand behind every
    /// declaration before them, also when the clock went back: where two overlap the later one holds. `false`
    /// when there is no such channel.
    ///
    /// # Errors
    /// When the database fails; nothing is then changed.
    pub async fn declare_facts(
        &self,
        log: &Origin,
        channel: &ChannelId,
        facts: &[ChannelFact],
        pending: Pending,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tx = self.db.begin().await?;
        // Holds the row, so that of two declarations one comes after the other.
        let held = sqlx::query("UPDATE channel SET created_at = created_at WHERE id = $1")
            .bind(channel.to_string())
            .execute(&mut *tx)
            .await
            .map_err(StoreError::database("declaring channel facts"))?
            .rows_affected();
        if held == 0 {
            return Ok(false);
        }
        let row = sqlx::query("SELECT MAX(recorded_at) AS latest FROM channel_fact WHERE channel = $1")
            .bind(channel.to_string())
            .fetch_one(&mut *tx)
            .await
            .map_err(StoreError::database("declaring channel facts"))?;
        let now = row.time_or_null("latest")?.map_or(now, |latest| now.after(latest));
        for fact in facts {
            insert_fact(&mut tx, channel, fact, now).await?;
        }
        let _durable_with_this_transaction = journal::add(&mut tx, log, pending, None).await?;
        Effect::ChannelAdded
            .of(tx.commit())
            .await
            .map_err(StoreError::database("declaring channel facts"))?;
        Ok(true)
    }

    /// One channel; `None` when there is none of that id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn channel(&self, id: &ChannelId) -> Result<Option<Channel>, StoreError> {
        let row = sqlx::query("SELECT * FROM channel WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(self.db.read())
            .await
            .map_err(StoreError::database("reading a channel"))?;
        row.as_ref().map(channel_of).transpose()
    }

    /// Every channel, of one organisation or of all.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn channels(&self, organisation: Option<&OrganisationId>) -> Result<Vec<Channel>, StoreError> {
        let rows = sqlx::query("SELECT * FROM channel ORDER BY organisation, id")
            .fetch_all(self.db.read())
            .await
            .map_err(StoreError::database("listing channels"))?;
        let all: Result<Vec<_>, _> = rows.iter().map(channel_of).collect();
        Ok(all?.into_iter().filter(|c| organisation.is_none_or(|o| *o == c.organisation)).collect())
    }

    /// The facts of a channel, oldest declaration first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn channel_facts(&self, id: &ChannelId) -> Result<Vec<ChannelFact>, StoreError> {
        let rows = sqlx::query(
            "SELECT fact, value, from_at, until_at, reason FROM channel_fact WHERE channel = $1 \
             ORDER BY recorded_at, from_at",
        )
        .bind(id.to_string())
        .fetch_all(self.db.read())
        .await
        .map_err(StoreError::database("reading channel facts"))?;
        rows.iter().map(fact_of).collect()
    }
}

async fn insert_fact(
    tx: &mut sqlx::Transaction<'static, sqlx::Any>,
    channel: &ChannelId,
    fact: &ChannelFact,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO channel_fact (channel, fact, value, from_at, until_at, reason, recorded_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(channel.to_string())
    .bind(fact.fact.as_str().to_owned())
    .bind(fact.value.clone())
    .bind(fact.from.micros())
    .bind(fact.until.map(Timestamp::micros))
    .bind(fact.reason.clone())
    .bind(now.micros())
    .execute(&mut **tx)
    .await
    .map_err(StoreError::database("adding a channel fact"))?;
    Ok(())
}

fn channel_of(row: &AnyRow) -> Result<Channel, StoreError> {
    Ok(Channel {
        id: row.term("id")?,
        organisation: row.term("organisation")?,
        platform: row.term("platform")?,
        instance: row.text("instance")?,
        account: row.text("account")?,
        kind: row.text("kind")?,
        purpose: row.text("purpose")?,
        legal_basis: row.text("legal_basis")?,
        duty: row.term("duty")?,
        duty_source: row.text("duty_source")?,
        dpia: row.text("dpia")?,
    })
}

fn fact_of(row: &AnyRow) -> Result<ChannelFact, StoreError> {
    Ok(ChannelFact {
        fact: Fact::parse(&row.text("fact")?)?,
        value: row.text("value")?,
        from: row.time("from_at")?,
        until: row.time_or_null("until_at")?,
        reason: row.text("reason")?,
    })
}
