//! An attack: whoever has two copies tries to find the same people in both, by text, time, reply graph and style. The result is
//! printed; asserted is only what must hold.

use super::stage::{Post, Stage, content, posts};
use knik::model::{ExportId, GrantId, ItemDigest, RecordRef, SubjectRef};
use knik::redact::copy::CopyRow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A pseudonym in its conversation.
type Alias = (String, String);

struct Copy {
    rows: Vec<CopyRow>,
    /// Who is behind each alias: what the attacker does not have.
    truth: BTreeMap<Alias, ItemDigest>,
}

impl Copy {
    async fn of(stage: &Stage, subject: &str, from: &str, until: &str) -> Self {
        let grant = stage.grant(subject, content("researcher", "export", from, until), None).await;
        let job = stage.checked(subject, grant).await;
        let rows = stage.rows(job.id).await;
        assert!(rows.len() > 80, "{}", job.report);
        let truth = truth(stage, job.id, grant, &rows).await;
        Self { rows, truth }
    }

    fn alias(row: &CopyRow) -> Option<Alias> {
        Some((row.conversation.clone(), row.author.clone()?))
    }

    fn texts(&self) -> BTreeMap<Alias, String> {
        let mut texts: BTreeMap<Alias, String> = BTreeMap::new();
        for row in &self.rows {
            if let Some(alias) = Self::alias(row) {
                texts.entry(alias).or_default().push_str(row.text.as_deref().unwrap_or_default());
            }
        }
        texts
    }

    fn names(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        for row in &self.rows {
            names.insert(row.id.as_str());
            names.insert(row.conversation.as_str());
            names.extend(row.author.as_deref());
        }
        names
    }
}

async fn truth(
    stage: &Stage,
    export: ExportId,
    grant: GrantId,
    rows: &[CopyRow],
) -> BTreeMap<Alias, ItemDigest> {
    let archive = &stage.vault.archive;
    let ids: Vec<RecordRef> = rows.iter().map(|row| row.id.parse().unwrap()).collect();
    let named = archive.room.members_so(export, grant, &ids).await.unwrap();
    let named: HashMap<RecordRef, _> = named.into_iter().map(|(id, (named, _))| (id, named)).collect();
    let projections: Vec<_> = named.values().map(|named| named.id).collect();
    let facts = archive.catalogue.export_facts(&projections).await.unwrap();
    let conversations: Vec<_> = facts.values().map(|facts| facts.conversation).collect();
    let persons = archive.catalogue.persons(&conversations).await.unwrap();
    let mut truth = BTreeMap::new();
    for (row, id) in rows.iter().zip(&ids) {
        let named = &named[id];
        let document: serde_json::Value = serde_json::from_str(&named.document).unwrap();
        let author = document["metadata"]["authorSubject"].as_u64();
        if let (Some(author), Some(alias)) = (author, Copy::alias(row)) {
            let reference = SubjectRef::from_u32(u32::try_from(author).unwrap());
            truth.insert(alias, persons[&(facts[&named.id].conversation, reference)]);
        }
    }
    truth
}

/// Pairs that an attack says are one person.
type Claims = BTreeSet<(Alias, Alias)>;

fn by_key(one: &Copy, other: &Copy, key: impl Fn(&CopyRow) -> Option<String>) -> Claims {
    let index = |copy: &Copy| {
        let mut found: HashMap<String, Vec<Alias>> = HashMap::new();
        for row in &copy.rows {
            if let (Some(key), Some(alias)) = (key(row), Copy::alias(row)) {
                found.entry(key).or_default().push(alias);
            }
        }
        found
    };
    let (one, other) = (index(one), index(other));
    let unique = one.iter().filter(|(_, of)| of.len() == 1);
    let pairs = unique.filter_map(|(key, of)| {
        let theirs = other.get(key).filter(|of| of.len() == 1)?;
        Some((of[0].clone(), theirs[0].clone()))
    });
    pairs.collect()
}

/// Conversations that look alike: rows, places and what answers what.
fn by_graph(one: &Copy, other: &Copy) -> Claims {
    let shapes = |copy: &Copy| {
        let mut threads: BTreeMap<String, Vec<&CopyRow>> = BTreeMap::new();
        copy.rows.iter().for_each(|row| threads.entry(row.conversation.clone()).or_default().push(row));
        let mut shapes: HashMap<String, Vec<Vec<Alias>>> = HashMap::new();
        for rows in threads.values() {
            let place =
                |id: &Option<String>| id.as_ref().and_then(|id| rows.iter().position(|row| row.id == *id));
            let shape: Vec<String> = rows
                .iter()
                .map(|row| format!("{}<{:?}:{}", row.position, place(&row.reply_to), row.redactions))
                .collect();
            shapes
                .entry(shape.join(" "))
                .or_default()
                .push(rows.iter().filter_map(|row| Copy::alias(row)).collect());
        }
        shapes
    };
    let (one, other) = (shapes(one), shapes(other));
    let mut claims = Claims::new();
    for (shape, threads) in one.iter().filter(|(_, threads)| threads.len() == 1) {
        if let Some(theirs) = other.get(shape).filter(|theirs| theirs.len() == 1) {
            claims.extend(threads[0].iter().cloned().zip(theirs[0].iter().cloned()));
        }
    }
    claims
}

/// The alias whose sequences of three characters are most alike.
fn by_style(one: &Copy, other: &Copy) -> Claims {
    let profiles = |copy: &Copy| {
        let profile = |text: &str| {
            let chars: Vec<char> = text.to_lowercase().chars().collect();
            let mut counts: HashMap<[char; 3], f64> = HashMap::new();
            chars
                .windows(3)
                .for_each(|three| *counts.entry([three[0], three[1], three[2]]).or_default() += 1.0);
            let length = counts.values().map(|n| n * n).sum::<f64>().sqrt().max(1.0);
            counts.values_mut().for_each(|n| *n /= length);
            counts
        };
        copy.texts().into_iter().map(|(alias, text)| (alias, profile(&text))).collect::<Vec<_>>()
    };
    let (one, other) = (profiles(one), profiles(other));
    let alike = |a: &HashMap<[char; 3], f64>, b: &HashMap<[char; 3], f64>| {
        a.iter().map(|(three, n)| n * b.get(three).unwrap_or(&0.0)).sum::<f64>()
    };
    let best = |profile: &HashMap<[char; 3], f64>| {
        other
            .iter()
            .max_by(|a, b| alike(profile, &a.1).total_cmp(&alike(profile, &b.1)))
            .map(|(alias, _)| alias.clone())
    };
    one.iter().filter_map(|(alias, profile)| Some((alias.clone(), best(profile)?))).collect()
}

fn attack(what: &str, one: &Copy, other: &Copy) {
    let pairs = one.truth.len() * other.truth.len();
    let same = one.truth.values().flat_map(|a| other.truth.values().filter(move |b| a == *b)).count();
    println!(
        "linkage, {what}: {} x {} aliases, {pairs} pairs, {same} of them one person",
        one.truth.len(),
        other.truth.len()
    );
    let attacks = [
        ("text", by_key(one, other, |row| row.text.clone())),
        ("time", by_key(one, other, |row| Some(format!("{:?} {}", row.time, row.position)))),
        ("reply graph", by_graph(one, other)),
        ("style", by_style(one, other)),
    ];
    for (by, claims) in attacks {
        let right = claims
            .iter()
            .filter(|(a, b)| one.truth.get(a).zip(other.truth.get(b)).is_some_and(|(a, b)| a == b));
        println!(
            "linkage, {what}, by {by}: {} joined rightly of {} joined, of {pairs} tried",
            right.count(),
            claims.len()
        );
    }
}

/// People with habits: a word of their own, and how they end.
fn with_style(mut posts: Vec<Post>, day: u32) -> Vec<Post> {
    const HABITS: [&str; 6] =
        ["werkelijk waar", "nou ja", "kortom", "met alle respect", "weet je", "volgens mij"];
    const ENDS: [&str; 4] = ["!!!", "...", " groetjes", " mvg"];
    for post in &mut posts {
        let (habit, end) = (HABITS[post.person as usize % 6], ENDS[post.person as usize % 4]);
        post.text = format!("{habit}, {} In week {}.{end}", post.text, 10 + day);
        post.id += day * 10_000;
        post.thread += day * 10_000;
        post.answers = post.answers.map(|answered| answered + day * 10_000);
        post.at = post.at.replace("2026-03-04", &format!("2026-{:02}-04", 3 + day));
    }
    posts
}

#[tokio::test]
async fn disjoint_copies_share_no_name_and_what_an_attacker_joins_is_reported() {
    let all: Vec<Post> = (0..2).flat_map(|day| with_style(posts(96), day)).collect();
    let stage = Stage::new(931, &all, 1_000).await;
    let march = Copy::of(&stage, "onderzoeker-1", "2026-03-01", "2026-03-31").await;
    let april = Copy::of(&stage, "onderzoeker-2", "2026-04-01", "2026-04-30").await;
    let again = Copy::of(&stage, "onderzoeker-3", "2026-03-01", "2026-03-31").await;
    let whole = Copy::of(&stage, "onderzoeker-4", "2026-03-01", "2026-04-30").await;
    for (what, one, other) in [
        ("disjoint", &march, &april),
        ("overlapping whole", &march, &again),
        ("overlapping in part", &april, &whole),
    ] {
        assert_eq!(one.names().intersection(&other.names()).count(), 0, "{what}: a name in common");
        attack(what, one, other);
    }
    let texts = |copy: &Copy| copy.rows.iter().filter_map(|row| row.text.clone()).collect::<BTreeSet<_>>();
    assert_eq!(
        texts(&march).intersection(&texts(&april)).count(),
        0,
        "disjoint selections share no text here"
    );
}
