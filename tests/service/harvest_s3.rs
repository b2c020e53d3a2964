//! `knik harvest` on a prefix of a bucket, at a real S3 server (`tests/servers/radosgw.sh`).

use super::captures::{capture, reaction};
use super::fixture::{Ran, knik_with};
use super::harvest::{lines, start};
use super::refusals::{Folder, questions};
use futures_util::TryStreamExt;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use serde_json::{Value, json};
use std::time::Duration;

/// A prefix of its own in the test bucket, and a data folder.
struct Laid {
    data: Folder,
    store: AmazonS3,
    prefix: String,
    set: Vec<(&'static str, String)>,
}

impl Laid {
    fn new(test: &str) -> Option<Self> {
        let Ok(server) = std::env::var("KNIK_TEST_S3") else {
            println!("left out: {test} (no S3 server: KNIK_TEST_S3 is not set)");
            return None;
        };
        let mut words = server.split(' ').map(str::to_owned);
        let mut word = || words.next().unwrap();
        let set = vec![
            ("AWS_ENDPOINT_URL", word()),
            ("AWS_ACCESS_KEY_ID", word()),
            ("AWS_SECRET_ACCESS_KEY", word()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
        ];
        let of = |n: usize| set[n].1.as_str();
        let store = AmazonS3Builder::new()
            .with_endpoint(of(0))
            .with_access_key_id(of(1))
            .with_secret_access_key(of(2))
            .with_region(of(3))
            .with_allow_http(true)
            .with_bucket_name("knik-test")
            .build()
            .unwrap();
        let prefix = format!("{test}-{}", uuid::Uuid::new_v4());
        Some(Self { data: Folder::new(), store, prefix, set })
    }

    async fn lay(&self, name: &str, bytes: &[u8]) {
        let at = Path::from(format!("{}/{name}", self.prefix));
        self.store.put(&at, bytes.to_vec().into()).await.unwrap();
    }

    async fn read(&self, name: &str) -> Vec<u8> {
        let at = Path::from(format!("{}/{name}", self.prefix));
        self.store.get(&at).await.unwrap().bytes().await.unwrap().to_vec()
    }

    async fn names(&self) -> Vec<String> {
        let prefix = Path::from(self.prefix.as_str());
        let all: Vec<_> = self.store.list(Some(&prefix)).try_collect().await.unwrap();
        let below = |at: &Path| at.as_ref()[self.prefix.len() + 1..].to_owned();
        let mut names: Vec<String> = all.iter().map(|object| below(&object.location)).collect();
        names.sort();
        names
    }

    fn set(&self) -> Vec<(&str, &str)> {
        self.set.iter().map(|(name, value)| (*name, value.as_str())).collect()
    }

    fn asked(&self, address: &str) -> Vec<String> {
        ["harvest", "--once", "--json", "--channel", "low-mastodon", "--s3", address]
            .map(str::to_owned)
            .to_vec()
    }

    fn address(&self) -> String {
        format!("s3://knik-test/{}", self.prefix)
    }

    fn once(&self, more: &[&str]) -> Ran {
        let asked = self.asked(&self.address());
        let asked: Vec<&str> = asked.iter().map(String::as_str).chain(more.iter().copied()).collect();
        knik_with(&self.data.dir, &asked, &self.set())
    }
}

#[tokio::test]
async fn what_is_laid_under_a_prefix_comes_in_and_is_moved_aside_with_a_report() {
    let Some(laid) = Laid::new("what_is_laid_under_a_prefix") else { return };
    laid.lay("b.json", &questions(2)).await;
    laid.lay("a.json", &capture(&[reaction("116700000000000001", "Wanneer is de brug weer open?")])).await;
    laid.lay("c.json", b"{").await;
    laid.lay("d.json.part", &questions(3)).await;
    laid.lay("deeper/e.json", &questions(3)).await;
    laid.lay("done/a.json", b"of yesterday").await;
    let ran = laid.once(&[]);
    assert_eq!(ran.code, 1, "{}", ran.said());
    let places: Vec<Value> = lines(&ran).iter().map(|line| line["movedTo"].clone()).collect();
    assert_eq!(places, ["done/a-2.json", "done/b.json", "failed/c.json"], "{}", ran.said());
    let there = [
        "d.json.part",
        "deeper/e.json",
        "done/a-2.json",
        "done/a-2.json.report.json",
        "done/a.json",
        "done/b.json",
        "done/b.json.report.json",
        "failed/c.json",
        "failed/c.json.report.json",
    ];
    assert_eq!(laid.names().await, there);
    assert_eq!(laid.read("done/a.json").await, b"of yesterday");
    assert_eq!(laid.read("done/b.json").await, questions(2));
    let report: Value = serde_json::from_slice(&laid.read("failed/c.json.report.json").await).unwrap();
    assert!(report["reason"].as_str().unwrap().contains("cut short"), "{report}");
    assert_eq!(laid.data.counts()["records"], 3);

    laid.lay("b.json", &questions(2)).await;
    let ran = laid.once(&["--strict"]).ok();
    let said = &lines(&ran)[0];
    assert_eq!((&said["movedTo"], &said["report"]["sameCapture"]), (&json!("done/b-2.json"), &json!(true)));
    assert_eq!(laid.data.counts()["records"], 3);
    laid.data.run(&["verify"]).ok();
}

#[tokio::test]
async fn a_move_of_an_object_that_was_broken_off_is_ended() {
    let Some(laid) = Laid::new("a_move_of_an_object") else { return };
    laid.lay("a.json", &questions(2)).await;
    laid.once(&[]).ok();
    // The report stands, the object was not yet copied: it is put back, and the report is made to be about it.
    laid.lay("a.json", &questions(2)).await;
    let from = Path::from(format!("{}/a.json", laid.prefix));
    let meta = laid.store.head(&from).await.unwrap();
    let mut report: Value = serde_json::from_slice(&laid.read("done/a.json.report.json").await).unwrap();
    let tag = meta.e_tag.unwrap().replace('"', "");
    report["source"] = json!(format!("{tag} {} {} {from}", meta.size, meta.last_modified.timestamp()));
    laid.lay("done/a.json.report.json", report.to_string().as_bytes()).await;
    let ran = laid.once(&[]).ok();
    assert_eq!(lines(&ran)[0]["movedTo"], "done/a.json", "{}", ran.said());
    assert_eq!(laid.names().await, ["done/a.json", "done/a.json.report.json"]);
}

#[tokio::test]
async fn killed_at_any_moment_a_harvest_of_a_bucket_ends_as_one_run() {
    let Some(laid) = Laid::new("killed_at_any_moment") else { return };
    for n in 0..6_u64 {
        let one = |m: u64| reaction(&format!("11680000000000{n:02}{m:02}"), "Wanneer komt er antwoord?");
        laid.lay(&format!("{n}.json"), &capture(&(0..20).map(one).collect::<Vec<_>>())).await;
    }
    let asked = laid.asked(&laid.address());
    let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
    for n in 0..12 {
        let mut child = start(&laid.data.dir, &asked, &laid.set());
        std::thread::sleep(Duration::from_millis(150 + 130 * n));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    laid.once(&[]).ok();
    let done = |n: u32| [format!("done/{n}.json"), format!("done/{n}.json.report.json")];
    assert_eq!(laid.names().await, (0..6).flat_map(done).collect::<Vec<_>>());
    assert_eq!(laid.data.counts()["records"], 120);
    laid.data.run(&["verify"]).ok();
}

#[tokio::test]
async fn a_store_that_does_not_answer_or_lets_nobody_in_is_said_and_nothing_is_moved() {
    let Some(laid) = Laid::new("a_store_that_lets_nobody_in") else { return };
    laid.lay("a.json", &questions(2)).await;
    let asked = laid.asked(&laid.address());
    let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
    let mut set = laid.set();
    set.iter_mut()
        .filter(|(name, _)| *name == "AWS_SECRET_ACCESS_KEY")
        .for_each(|(_, value)| *value = "wrong");
    let ran = knik_with(&laid.data.dir, &asked, &set).refused(&["listing the prefix"]);
    assert!(!ran.said().contains("wrong"), "no key is told: {}", ran.said());
    assert_eq!(laid.names().await, ["a.json"]);
}
