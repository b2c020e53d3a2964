//! The order in which files arrive does not matter for what can be read in the end.

use crate::support::{DemoCapture, DemoChannel, TestVault};
use knik::model::ProjectionId;
use knik::redact::{Piece, Projection};
use serde_json::{Value, json};
use sqlx::Row;
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use uuid::Uuid;

/// The conversations that can be read, told without anything drawn at random: who is who by first appearance.
async fn readable(vault: &TestVault) -> Vec<String> {
    let rows = sqlx::query("SELECT id, conversation FROM projection ORDER BY conversation, position")
        .fetch_all(vault.room.read())
        .await
        .unwrap();
    let mut conversations: BTreeMap<Vec<u8>, Vec<Projection>> = BTreeMap::new();
    for row in rows {
        let id = ProjectionId::from_uuid(Uuid::from_slice(row.get("id")).unwrap());
        let document =
            serde_json::from_str(&vault.archive.room.document(id).await.unwrap().unwrap()).unwrap();
        conversations.entry(row.get("conversation")).or_default().push(document);
    }
    let mut told: Vec<String> = conversations.into_values().map(|of| conversation(&of)).collect();
    told.sort();
    told
}

fn conversation(of: &[Projection]) -> String {
    let mut people: HashMap<u64, usize> = HashMap::new();
    let mut person = |number: u64| {
        let next = people.len();
        *people.entry(number).or_insert(next)
    };
    let records: Vec<Value> = of
        .iter()
        .map(|projection| {
            let mut metadata = projection.metadata.clone();
            if let Some(author) = metadata.get("authorSubject").and_then(Value::as_u64) {
                metadata.insert("authorSubject".to_owned(), json!(person(author)));
            }
            let mut piece = |piece: &Piece| match piece {
                Piece::Text(text) => json!(text),
                Piece::Placeholder(hidden) => {
                    json!([
                        hidden.entity,
                        hidden.exemption,
                        hidden.subject.map(|s| person(s.number().into()))
                    ])
                }
            };
            let mut passages = Vec::new();
            for passage in &projection.passages {
                passages.push(json!([
                    passage.role,
                    passage.text.pieces().iter().map(&mut piece).collect::<Vec<_>>()
                ]));
            }
            json!([metadata, passages])
        })
        .collect();
    serde_json::to_string_pretty(&records).unwrap()
}

/// What can be read after the files of all channels came in, each channel's in an order of its own.
async fn after(
    order: impl Fn(&[DemoCapture]) -> Vec<PathBuf>,
    channels_backwards: bool,
) -> (Vec<String>, u64, u64) {
    let (vault, mut channels) = TestVault::demo(1).await;
    if channels_backwards {
        channels.reverse();
    }
    for DemoChannel { channel, captures, .. } in &channels {
        for path in order(captures) {
            vault.ingest(channel, &path).await.unwrap();
        }
    }
    vault.round().await;
    let counts = vault.archive.catalogue.counts().await.unwrap();
    (readable(&vault).await, counts.records, counts.versions)
}

#[tokio::test]
async fn what_can_be_read_does_not_hang_on_the_order_of_files() {
    let paths = |captures: &[DemoCapture]| captures.iter().map(|c| c.path.clone()).collect::<Vec<_>>();
    let (expected, records, versions) = after(paths, false).await;
    assert!(expected.len() > 2 && expected.iter().any(|one| one.matches("authorRole").count() > 5));
    type Order = fn(Vec<PathBuf>) -> Vec<PathBuf>;
    let orders: [(&str, Order); 4] = [
        ("backwards", |mut files| {
            files.reverse();
            files
        }),
        ("the last first", |mut files| {
            files.rotate_right(1);
            files
        }),
        ("the first last", |mut files| {
            files.rotate_left(1);
            files
        }),
        ("every second first", |files| {
            let (even, odd): (Vec<_>, Vec<_>) = files.into_iter().enumerate().partition(|(n, _)| n % 2 == 0);
            odd.into_iter().chain(even).map(|(_, file)| file).collect()
        }),
    ];
    for (what, order) in orders {
        let (read, of, in_versions) = after(|captures| order(paths(captures)), true).await;
        assert_eq!((of, in_versions), (records, versions), "{what}: records and versions");
        assert_eq!(read.len(), expected.len(), "{what}: conversations");
        for (n, (read, expected)) in read.iter().zip(&expected).enumerate() {
            assert!(read == expected, "{what}: conversation {n}\n{}", first_difference(read, expected));
        }
    }
}

fn first_difference(read: &str, expected: &str) -> String {
    let lines: Vec<(&str, &str)> = read.lines().zip(expected.lines()).collect();
    let at = lines.iter().position(|(read, expected)| read != expected).unwrap_or(lines.len());
    let around = &lines[at.saturating_sub(12)..lines.len().min(at + 4)];
    around.iter().map(|(read, expected)| format!("{read:60} | {expected}\n")).collect()
}
