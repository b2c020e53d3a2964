//! Fills the reading room's database directly with generated projections: what it holds then never came through the vault.
//! For figures of reading and searching at sizes that would take too long to take in.

use super::Asked;
use super::ingest::{ORGANISATION, X, prepare};
use super::program::Folder;
use super::table::progress;
use crate::generate::Texts;
use anyhow::{Context, Result};
use knik::model::{ConversationId, ProjectionId, SubjectRef};
use knik::redact::{Projection, searchable};
use knik::store::database::{Database, Mode, Plane};
use knik::store::room::{PublishedConversation, PublishedProjection, RoomWriter};
use knik::vault::Sources;
use serde_json::{Value, json};
use std::time::Instant;
use uuid::Uuid;

const SEED: u64 = 20_260_106;
/// Conversations published in one transaction.
const AT_ONCE: usize = 200;
/// One text in so many names a person.
const NAMES_ONE_IN: usize = 5;
const DAYS: usize = 365;

/// Makes a folder with one grant in force and fills its reading room with `count` projections or a few more.
///
/// # Errors
/// When the program or the database refuses any of it.
pub fn measure(asked: &Asked, folder: &Folder) -> Result<Value> {
    prepare(folder, &X, &asked.tree)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let began = Instant::now();
    let records = runtime.block_on(fill(folder, asked.count))?;
    let seconds = began.elapsed().as_secs_f64();
    folder.mark_filled()?;
    Ok(json!({
        "records": records,
        "recordsPerSecond": (records as f64 / seconds).round(),
        "how": "projections written to the reading room directly, none through the vault",
    }))
}

async fn fill(folder: &Folder, count: usize) -> Result<usize> {
    let url = Database::sqlite_url(&folder.data().join("room/projections.db"));
    let db = Database::open(&url, Plane::Room, Mode::Owner).await?;
    let (writer, mut texts, mut done) = (RoomWriter::new(db.clone()), Texts::new(SEED), 0);
    while done < count {
        let mut published = Vec::with_capacity(AT_ONCE);
        for _ in 0..AT_ONCE {
            let projections = conversation(&texts.conversation(), done)?;
            done += projections.len();
            published.push(PublishedConversation {
                conversation: ConversationId::from_uuid(Uuid::new_v4()),
                projections,
            });
        }
        let now = Sources::system().now();
        writer.conversations(&published, now, &|| Some(Uuid::new_v4().as_u128())).await?;
        progress(&format!("{done} of {count} projections"));
    }
    db.close().await;
    Ok(done)
}

fn conversation(texts: &[String], first: usize) -> Result<Vec<PublishedProjection>> {
    texts.iter().enumerate().map(|(place, text)| projection(text, first + place, place)).collect()
}

fn projection(text: &str, number: usize, place: usize) -> Result<PublishedProjection> {
    let author = u32::try_from(place % 7)?;
    let day =
        jiff::civil::date(2025, 1, 1).checked_add(jiff::Span::new().days(i64::try_from(number % DAYS)?))?;
    let mut pieces = vec![json!({ "text": text })];
    if number.is_multiple_of(NAMES_ONE_IN) {
        let named = json!({"entity": "PERSON", "subject": author + 1, "exemption": "woo-5.1.2e", "status": "provisional"});
        pieces.extend([json!({ "placeholder": named }), json!({ "text": " schreef dat." })]);
    }
    let document = json!({
        "passages": [{ "role": "body", "text": pieces }],
        "metadata": {
            "authorRole": "citizen", "authorSubject": author, "channel": X.id, "day": day.to_string(),
            "kind": "reaction", "language": "nl", "platform": X.platform,
        },
        "ruleset": "bench",
    });
    let document = document.to_string();
    let read: Projection = serde_json::from_str(&document)?;
    let subjects: Vec<SubjectRef> = read.subjects();
    Ok(PublishedProjection {
        id: ProjectionId::from_uuid(Uuid::new_v4()),
        organisation: ORGANISATION.parse()?,
        channel: X.id.parse()?,
        day: day.to_string(),
        position: u32::try_from(place).context("place")?,
        words: searchable(&read),
        subjects,
        document,
        only_for: None,
    })
}
