//! Repositories made here, block by block.

use super::super::open;
use super::super::tests::{assert_tiled, read, refusals};
use super::*;
use crate::capture::tests::tally;
use crate::capture::{PartRole, reread};
use ipld_core::cid::multihash::Multihash;
use std::collections::BTreeMap;

const DID: &str = "did:plc:fenna";

fn map(members: Vec<(&str, Ipld)>) -> Ipld {
    Ipld::Map(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<BTreeMap<_, _>>())
}

fn text(text: &str) -> Ipld {
    Ipld::String(text.to_owned())
}

fn named(value: &Ipld) -> (Cid, Vec<u8>) {
    let data = serde_ipld_dagcbor::to_vec(value).unwrap();
    let mut hash = Hash::named("sha256").unwrap();
    hash.update(&data);
    (Cid::new_v1(DAG_CBOR, Multihash::wrap(SHA2_256, &hash.finish()).unwrap()), data)
}

fn section(bytes: &[u8]) -> Vec<u8> {
    let (mut out, mut left) = (Vec::new(), bytes.len());
    while left >= 0x80 {
        out.push((left & 0x7F) as u8 | 0x80);
        left >>= 7;
    }
    out.push(left as u8);
    [out.as_slice(), bytes].concat()
}

fn link(cid: Option<Cid>) -> Ipld {
    cid.map_or(Ipld::Null, Ipld::Link)
}

/// A node of these keys and values, with a node below it on the left.
fn node(left: Option<Cid>, leaves: &[(&str, Cid)]) -> Ipld {
    let mut before = "";
    let entries = leaves.iter().map(|(key, value)| {
        let kept = key.bytes().zip(before.bytes()).take_while(|(a, b)| a == b).count();
        before = key;
        let rest = Ipld::Bytes(key.as_bytes()[kept..].to_vec());
        map(vec![
            ("p", Ipld::Integer(kept as i128)),
            ("k", rest),
            ("v", link(Some(*value))),
            ("t", Ipld::Null),
        ])
    });
    let entries = Ipld::List(entries.collect());
    map(vec![("l", link(left)), ("e", entries)])
}

fn post(said: &str) -> Ipld {
    map(vec![
        ("$type", text("app.bsky.feed.post")),
        ("text", text(said)),
        ("createdAt", text("2026-05-04T09:30:00Z")),
    ])
}

/// Blocks of a repository in the order commit, tree, records.
fn blocks() -> (Cid, Vec<(Cid, Vec<u8>)>) {
    let one = named(&post("Dag @bo, zie ë"));
    let two = named(&post("Twee"));
    let like = named(&map(vec![("$type", text("app.bsky.feed.like")), ("subject", text("x"))]));
    let passed_on = named(&map(vec![("$type", text("app.bsky.feed.repost"))]));
    let profile =
        named(&map(vec![("$type", text("app.bsky.actor.profile")), ("displayName", text("Fenna"))]));
    let below =
        named(&node(None, &[("app.bsky.actor.profile/self", profile.0), ("app.bsky.feed.like/3ll", like.0)]));
    let top = named(&node(
        Some(below.0),
        &[
            ("app.bsky.feed.post/3aa", one.0),
            ("app.bsky.feed.post/3ab", two.0),
            ("app.bsky.feed.repost/3rr", passed_on.0),
        ],
    ));
    let commit = named(&map(vec![
        ("did", text(DID)),
        ("version", Ipld::Integer(3)),
        ("data", link(Some(top.0))),
        ("rev", text("3zz")),
    ]));
    (commit.0, vec![commit, top, below, one, two, like, passed_on, profile])
}

fn car(root: Cid, blocks: &[(Cid, Vec<u8>)]) -> Vec<u8> {
    let header = map(vec![("roots", Ipld::List(vec![Ipld::Link(root)])), ("version", Ipld::Integer(1))]);
    let mut out = section(&serde_ipld_dagcbor::to_vec(&header).unwrap());
    for (cid, data) in blocks {
        out.extend(section(&[cid.to_bytes().as_slice(), data].concat()));
    }
    out
}

/// A repository, for tests of all formats.
pub(in crate::capture) fn repository() -> Vec<u8> {
    let (root, blocks) = blocks();
    car(root, &blocks)
}

fn names(units: &[Unit]) -> Vec<&str> {
    units.iter().flat_map(|unit| &unit.items).map(|item| item.names[0].expose()).collect()
}

#[test]
fn posts_have_their_addresses_and_exact_blocks_in_any_order_of_blocks() {
    let (root, blocks) = blocks();
    let mut turned = blocks.clone();
    turned.reverse();
    let mut mixed = blocks.clone();
    mixed.rotate_left(3);
    for blocks in [&blocks, &turned, &mixed] {
        let bytes = car(root, blocks);
        let opened = open(&bytes[..], None, Limits::default()).unwrap();
        assert_eq!(opened.format(), Format::Bluesky);
        let units: Vec<Unit> = opened.map(Result::unwrap).collect();
        assert_tiled("car", &bytes, &units, true);
        assert_eq!(refusals(&units), Vec::<String>::new());
        assert_eq!(tally(&units), [2, 2, 0, 0]);
        let mut found = names(&units);
        found.sort_unstable();
        assert_eq!(
            found,
            ["at://did:plc:fenna/app.bsky.feed.post/3aa", "at://did:plc:fenna/app.bsky.feed.post/3ab"]
        );
        for unit in units.iter().filter(|unit| !unit.items.is_empty()) {
            let item = &unit.items[0];
            let data = &bytes[item.range.start as usize..item.range.end as usize];
            assert!(blocks.iter().any(|(_, block)| block == data), "the fragment is the block");
            let heading = unit.heading.as_deref().unwrap();
            let again = reread(Format::Bluesky, data, &[(PartRole::Heading, heading)]).unwrap();
            assert!(
                again.names == item.names && again.passages == item.passages && again.author == item.author
            );
            assert_eq!(item.author.as_ref().unwrap().identity(), DID);
        }
    }
}

#[test]
fn the_same_post_from_the_interface_is_the_same_record() {
    let units = read(&repository()).unwrap();
    let item = units
        .iter()
        .flat_map(|unit| &unit.items)
        .find(|item| item.names[0].expose().ends_with("3ab"))
        .unwrap();
    let record = r#"{"uri":"at://did:plc:fenna/app.bsky.feed.post/3ab","cid":"b","value":{"$type":"app.bsky.feed.post","text":"Twee","createdAt":"2026-05-04T09:30:00Z"}}"#;
    let listed = read(format!(r#"{{"records":[{record}]}}"#).as_bytes()).unwrap();
    let meaning = |item: &crate::capture::Item| {
        let mut bytes = Vec::new();
        item.write_meaning(&mut |part| bytes.extend_from_slice(part));
        bytes
    };
    assert_eq!(meaning(item), meaning(&listed[0].items[0]));
}

#[test]
fn a_block_that_is_not_what_its_name_says_is_told_and_not_read() {
    let (root, mut blocks) = blocks();
    blocks[4].1 = named(&post("Gewijzigd")).1;
    let bytes = car(root, &blocks);
    let units = read(&bytes).unwrap();
    assert_tiled("car", &bytes, &units, true);
    assert_eq!(names(&units), ["at://did:plc:fenna/app.bsky.feed.post/3aa"]);
    let said = refusals(&units);
    assert_eq!(said.len(), 1);
    assert!(said[0].contains("does not hash to its name"), "{said:?}");
    assert!(!said[0].contains("Gewijzigd"));
}

#[test]
fn what_the_tree_does_not_name_is_told_and_not_read() {
    let (root, mut blocks) = blocks();
    blocks.push(named(&post("Gewist")));
    // A node that no way leads to names it: an older tree.
    blocks.push(named(&node(None, &[("app.bsky.feed.post/3zz", blocks[8].0)])));
    let units = read(&car(root, &blocks)).unwrap();
    assert_eq!(tally(&units)[0], 2);
    assert!(refusals(&units)[0].contains("no place in the tree"), "{:?}", refusals(&units));
    let again: Vec<_> = blocks[..8].iter().chain(&blocks[3..5]).cloned().collect();
    let units = read(&car(root, &again)).unwrap();
    assert_eq!((tally(&units)[0], refusals(&units).len()), (2, 0), "the same block twice is nothing new");
}

#[test]
fn a_tree_that_comes_too_late_ends_the_reading_and_one_that_comes_first_needs_no_room() {
    let records: Vec<(Cid, Vec<u8>)> =
        (0..200).map(|n| named(&post(&format!("Bericht {n} {}", "x".repeat(200))))).collect();
    let keys: Vec<String> = (0..200).map(|n| format!("app.bsky.feed.post/3a{n:04}")).collect();
    let leaves: Vec<(&str, Cid)> =
        keys.iter().map(String::as_str).zip(records.iter().map(|record| record.0)).collect();
    let top = named(&node(None, &leaves));
    let commit = named(&map(vec![("did", text(DID)), ("data", link(Some(top.0)))]));
    let limits = Limits { unit_bytes_max: 24 << 10, ..Limits::default() };
    let first: Vec<_> = [commit.clone(), top.clone()].into_iter().chain(records.iter().cloned()).collect();
    let last: Vec<_> = records.iter().cloned().chain([top.clone(), commit.clone()]).collect();
    let bytes = car(commit.0, &first);
    assert_eq!(
        open(&bytes[..], None, limits)
            .unwrap()
            .map(Result::unwrap)
            .map(|unit| unit.items.len())
            .sum::<usize>(),
        200
    );
    let bytes = car(commit.0, &last);
    let fault = open(&bytes[..], None, limits).unwrap().find_map(Result::err).unwrap().to_string();
    assert!(fault.contains("long before the tree"), "{fault}");
    assert_eq!(tally(&read(&bytes).unwrap())[0], 200);
}

#[test]
fn no_change_to_the_bytes_breaks_more_than_the_reading() {
    let bytes = repository();
    for cut in 0..bytes.len() {
        let outcome = read(&bytes[..cut]);
        assert!(cut < 2 || outcome.is_err() || outcome.is_ok_and(|units| tally(&units)[0] <= 2));
        for change in [0x01, 0x20, 0x80] {
            let mut changed = bytes.clone();
            changed[cut] ^= change;
            let Ok(opened) = open(&changed[..], None, Limits::default()) else { continue };
            let mut whole = true;
            let units: Vec<Unit> = opened.map_while(|unit| unit.map_err(|_| whole = false).ok()).collect();
            assert_tiled("changed", &changed, &units, whole);
        }
    }
    let header = map(vec![("roots", Ipld::List(vec![])), ("version", Ipld::Integer(2))]);
    let second = section(&serde_ipld_dagcbor::to_vec(&header).unwrap());
    assert!(read(&second).is_err_and(|error| error.to_string().contains("version 1")));
}
#[test]
fn the_repository_that_other_tests_read_is_this_one() {
    assert!(repository() == include_bytes!("../../../tests/intake/repository.car"));
}
