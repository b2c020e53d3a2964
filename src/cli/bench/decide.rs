//! How fast reactions are decided: with the detectors on their texts, on stored facts and answers, and compared under several
//! trees. On a data folder of its own, which is removed again.

use super::rounded;
use crate::cli::DataFolder;
use crate::cli::print;
use crate::decide::{Facts, Judges, Tree};
use crate::ledger::{Entry, EntryKind, Pending};
use crate::model::{
    CaptureId, ConversationId, ItemDigest, ItemKind, OrganisationId, ProjectionId, RecordId, Timestamp,
    VersionId, Visibility,
};
use crate::store::catalogue::{
    AnswerRow, Batch, Channel, ChannelFact, DecisionRow, Duty, Fact, NameRow, RecordRow, VersionRow,
};
use crate::vault::compare::{Comparison, compare};
use crate::vault::deciding::{Stored, facts_of, kept_answers};
use crate::vault::{Archive, channels};
use anyhow::{Context, Result};
use clap::Args;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Instant;
use uuid::Uuid;

/// What is measured.
#[derive(Args)]
pub(in crate::cli) struct DecideArguments {
    /// How many reactions.
    #[arg(long, default_value_t = 100_000)]
    count: u32,
    /// Trees that are compared.
    #[arg(long, value_delimiter = ',', default_value = "archive-whole,scenario-b,legal-advice")]
    trees: Vec<String>,
}

/// Invented reactions, taken in turn.
const TEXTS: [&str; 12] = [
    "Wanneer gaat de nieuwe fietsbrug open?",
    "Mooi gedaan, complimenten aan het team!",
    "kunnen jullie uitleggen waarom de aanslag dit jaar hoger is",
    "Schande dit, mijn belastinggeld weer weg",
    "Hierbij maak ik bezwaar tegen uw besluit over de kapvergunning",
    "weet iemand of het loket morgen open is",
    "Ik woon daar ook in de buurt, het is elke nacht lawaai en niemand doet er wat aan",
    "Serieus?",
    "Geachte heer, mevrouw, graag ontvang ik een reactie op mijn brief van vorige week. Hoogachtend",
    "Vanaf maandag rijdt de bus anders",
    "hoe laat begint de bijeenkomst in het dorpshuis en moet je je aanmelden",
    "Daar kunnen ze in Den Haag een voorbeeld aan nemen",
];

/// Records in one commit.
const BATCH: u32 = 5_000;

/// Measures and prints.
///
/// # Errors
/// When no data folder can be made.
pub(super) async fn run(asked: &DecideArguments, as_json: bool) -> Result<()> {
    let place = std::env::temp_dir().join(format!("knik-bench-decide-{}", std::process::id()));
    let measured = measured(asked, &place).await;
    let removed = std::fs::remove_dir_all(&place);
    let answer = measured?;
    removed.context("removing the data folder of the bench")?;
    match as_json {
        true => print::line(&answer.to_string()),
        false => print::line(&serde_json::to_string_pretty(&answer)?),
    }
    Ok(())
}

async fn measured(asked: &DecideArguments, place: &Path) -> Result<Value> {
    let folder = DataFolder::open_with(place, std::iter::empty()).await?;
    let organisation: OrganisationId = "bench".parse()?;
    folder.add_organisation(&organisation, "Bench").await?;
    let channel = channel(&organisation)?;
    let fact = |fact, value: &str| ChannelFact {
        fact,
        value: value.to_owned(),
        from: Timestamp::from_micros(0).unwrap_or(folder.archive.sources.now()),
        until: None,
        reason: "bench".to_owned(),
    };
    let facts = [fact(Fact::Official, "yes"), fact(Fact::Tree, "scenario-b"), fact(Fact::Reactions, "yes")];
    channels::declare(&folder.archive, &folder.rules, &channel, &facts, None).await?;
    let tree = folder.rules.trees.get("scenario-b").context("the tree scenario-b")?;
    let (on_texts, answers) = on_texts(&folder, &organisation, tree, asked.count);
    let began = Instant::now();
    fill(&folder.archive, &channel, asked.count, &answers).await?;
    let filled = began.elapsed().as_secs_f64();
    let on_stored = on_stored(&folder.archive, &organisation, &facts, tree).await?;
    let began = Instant::now();
    let comparison = Comparison {
        trees: asked.trees.clone(),
        profiles: Vec::new(),
        plans: Vec::new(),
        organisation,
        from: None,
        until: None,
        seconds_each: 120,
        samples: 10,
        redetect: false,
    };
    let report = compare(&folder.archive, &folder.rules, &comparison).await?;
    let compared = began.elapsed().as_secs_f64();
    let rate = |seconds: f64| rounded(f64::from(asked.count) / seconds.max(1e-9), 0);
    Ok(json!({
        "reactions": report.records,
        "columns": report.columns.len(),
        "decideOnTexts": { "seconds": rounded(on_texts, 3), "decisionsPerSecond": rate(on_texts) },
        "decideOnStoredAnswers": { "seconds": rounded(on_stored, 3), "decisionsPerSecond": rate(on_stored) },
        "compare": { "seconds": rounded(compared, 3), "decisionsPerSecond": rate(compared / report.columns.len().max(1) as f64) },
        "compareTimesOnePassOnStored": rounded(compared / on_stored.max(1e-9), 2),
        "compareTimesOnePassOnTexts": rounded(compared / on_texts.max(1e-9), 2),
        "fillSeconds": rounded(filled, 1),
    }))
}

fn channel(organisation: &OrganisationId) -> Result<Channel> {
    Ok(Channel {
        id: "bench".parse()?,
        organisation: organisation.clone(),
        platform: "mastodon".parse().map_err(|_| anyhow::anyhow!("platform"))?,
        instance: "bench.example".to_owned(),
        account: "bench".to_owned(),
        kind: "corporate".to_owned(),
        purpose: "measuring".to_owned(),
        legal_basis: "6-1-e".to_owned(),
        duty: Duty::Yes,
        duty_source: "bench".to_owned(),
        dpia: "BENCH-1".to_owned(),
    })
}

/// Seconds of one pass with the detectors on every text, and what they say of each text.
fn on_texts(
    folder: &DataFolder,
    organisation: &OrganisationId,
    tree: &Tree,
    count: u32,
) -> (f64, Vec<Vec<AnswerRow>>) {
    let rules = &folder.rules;
    let definitions = rules.definitions.in_force(Some(organisation), folder.archive.sources.now());
    let judges = |text: &'static str| Judges { question: &rules.questions, definitions: &definitions, text };
    let facts = Facts { official_channel: true.into(), ..Facts::unknown(ItemKind::Reaction) };
    let began = Instant::now();
    for text in TEXTS.iter().copied().cycle().take(count as usize) {
        std::hint::black_box(tree.decide(&facts, &judges(text)));
    }
    let seconds = began.elapsed().as_secs_f64();
    let row = |(asks, given): (crate::decide::Asks, crate::decide::Given)| AnswerRow {
        version: VersionId::from_uuid(Uuid::nil()),
        asked: asks.name(),
        answer: given.verdict.answer.as_str(),
        answered_by: given.answered_by.as_str(),
        by: given.by,
        permille: 900,
    };
    let answers = TEXTS.iter().map(|text| kept_answers(&judges(text), false).into_iter().map(row).collect());
    (seconds, answers.collect())
}

/// Seconds of one pass of one tree over the stored facts and answers of every record.
async fn on_stored(
    archive: &Archive,
    organisation: &OrganisationId,
    facts: &[ChannelFact],
    tree: &Tree,
) -> Result<f64> {
    let began = Instant::now();
    let answered = archive.catalogue.answered(organisation).await?;
    let mut after = None;
    loop {
        let page = archive.catalogue.judged(organisation, None, None, after, 5_000).await?;
        after = page.last().map(|record| record.id);
        if page.is_empty() {
            return Ok(began.elapsed().as_secs_f64());
        }
        for record in &page {
            let facts = facts_of(record, facts, answered.contains(&record.id));
            std::hint::black_box(tree.decide(&facts, &Stored(record)));
        }
    }
}

/// Rows as an intake leaves them, without segments: nothing is opened here.
async fn fill(archive: &Archive, channel: &Channel, count: u32, answers: &[Vec<AnswerRow>]) -> Result<()> {
    let now = archive.sources.now();
    let capture = CaptureId::from_uuid(Uuid::from_u128(1));
    archive.catalogue.open_capture(capture, &channel.organisation, &channel.id, "mastodon", now).await?;
    let mut next = 0;
    while next < count {
        let until = (next + BATCH).min(count);
        let rows: Vec<Row> = (next..until).map(|n| row(channel, capture, now, n, answers)).collect();
        let entry = Entry::new(archive.sources.entry_id()?, EntryKind::CaptureIngested, now);
        let (mut records, mut versions, mut decisions, mut said) = (vec![], vec![], vec![], vec![]);
        for row in rows {
            records.push(row.0);
            versions.push(row.1);
            decisions.push(row.2);
            said.extend(row.3);
        }
        let batch = Batch {
            now,
            segment: None,
            fragments: vec![],
            records,
            versions,
            sightings: vec![],
            doubtful: vec![],
            names: Vec::<NameRow>::new(),
            decisions,
            decision_set: None,
            answers_of: None,
            subjects: vec![],
            closed: vec![],
            merged: vec![],
            stale: vec![],
            outbox: vec![],
            flags: vec![],
            answers: said,
            files: vec![],
            attached: vec![],
            formal: vec![],
            sentiment: vec![],
            minimised: vec![],
            refused: vec![],
            found_by: vec![],
            pending: vec![Pending::event(entry)?],
        };
        archive.catalogue.commit(archive.logs.vault_origin(), batch).await?;
        next = until;
    }
    Ok(())
}

type Row = (RecordRow, VersionRow, DecisionRow, Vec<AnswerRow>);

fn row(channel: &Channel, capture: CaptureId, now: Timestamp, n: u32, answers: &[Vec<AnswerRow>]) -> Row {
    // Ids in no order, as they are drawn.
    let drawn = u128::from(n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    let (id, version) =
        (RecordId::from_uuid(Uuid::from_u128(drawn)), VersionId::from_uuid(Uuid::from_u128(!drawn)));
    let outcome = crate::model::Outcome::Archive;
    let found = match n % 3 {
        0 => {
            r#"[[{"span":{"start":0,"end":4},"entity":"PERSON","score":0.9,"recogniser":"person","exemption":"woo-5.1.2e","evidence":[],"subject":7}]]"#
        }
        _ => "[]",
    };
    let record = RecordRow {
        id,
        organisation: channel.organisation.clone(),
        channel: channel.id.clone(),
        conversation: ConversationId::from_uuid(Uuid::from_u128(u128::from(n / 20) + 1)),
        kind: ItemKind::Reaction,
        visibility: Visibility::Public,
        posted_at: Some(now.plus_seconds(-i64::from(n))),
        edited_at: None,
        own: false,
        withheld: None,
        version,
        projection: ProjectionId::from_uuid(Uuid::from_u128(drawn ^ 1)),
        outcome,
        answers: None,
    };
    let mut digest = [0_u8; 32];
    digest.iter_mut().zip(drawn.to_be_bytes()).for_each(|(to, from)| *to = from);
    let version_row = VersionRow {
        id: version,
        record: id,
        digest: ItemDigest::from_bytes(digest),
        capture,
        observed_at: now,
        parts: vec![1, 0, 0],
        names: vec![],
        ruleset: "bench".to_owned(),
        findings: found.to_owned(),
        replaces: false,
        edited_at: None,
        visibility: Visibility::Public,
        outcome,
        profile: None,
        left_out: None,
    };
    let decision = DecisionRow {
        record: id,
        version,
        outcome,
        tree: "scenario-b".to_owned(),
        tree_version: "1".to_owned(),
        path: "[]".to_owned(),
        ending: "archive".to_owned(),
        keep: None,
        salt: vec![0; 16],
        decided_at: now,
    };
    let of_text = answers.get(n as usize % answers.len().max(1)).map(Vec::as_slice).unwrap_or_default();
    let said = of_text.iter().map(|row| AnswerRow { version, by: row.by.clone(), ..*row }).collect();
    (record, version_row, decision, said)
}
