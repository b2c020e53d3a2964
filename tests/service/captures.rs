//! Captures delivered over HTTP: all of it comes in, or nothing.

use super::fixture::{Person, Plane, Service, holds_no_canary, knik, sample, temp, wait_for};
use serde_json::{Value, json};
use std::fs;
use std::sync::LazyLock;
use tokio::sync::{Mutex, MutexGuard};

/// Largest upload that the service of this module takes.
pub const UPLOAD_BYTES_MAX: usize = 200_000;

/// A service that writes everything it can to its log, with a low limit on uploads, on a folder that the demo
/// filled.
pub fn served() -> &'static Service {
    static SERVED: LazyLock<Service> = LazyLock::new(|| {
        let place = temp().keep();
        // Whether the check passes is for another test to say.
        let _checked = knik(&place.join("data"), &["demo", "--check"]);
        let most = UPLOAD_BYTES_MAX.to_string();
        let set = [
            ("KNIK_LOG", "debug"),
            ("KNIK_VAULT__LISTEN", "127.0.0.1:0"),
            ("KNIK_READING_ROOM__LISTEN", "127.0.0.1:0"),
            ("KNIK_INGEST__UPLOAD_BYTES_MAX", &most),
        ];
        Service::start(&place, Some(&place), &["demo", "--port", "0"], &set)
    });
    &SERVED
}

/// Tests that compare counts before and after go one at a time.
pub async fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::const_new(());
    ONE.lock().await
}

/// A public reaction under a post of the ministry, of an invented person.
pub fn reaction(id: &str, text: &str) -> Value {
    let context: Value = serde_json::from_slice(&sample("low-mastodon-2-context.json")).unwrap();
    let mut status = context["descendants"][0].clone();
    status["id"] = json!(id);
    status["uri"] = json!(format!("https://polder.example/users/wobbe_q/statuses/{id}"));
    status["url"] = json!(format!("https://polder.example/@wobbe_q/{id}"));
    status["content"] = json!(format!("<p>{text}</p>"));
    status["mentions"] = json!([]);
    for (field, value) in [
        ("id", "109299577651999111"),
        ("username", "wobbe_q"),
        ("acct", "wobbe_q@polder.example"),
        ("display_name", "Wobbe Quakelbeen"),
        ("url", "https://polder.example/@wobbe_q"),
        ("uri", "https://polder.example/users/wobbe_q"),
        ("note", ""),
    ] {
        status["account"][field] = json!(value);
    }
    status["account"]["fields"] = json!([]);
    status
}

pub fn capture(items: &[Value]) -> Vec<u8> {
    json!({ "ancestors": [], "descendants": items }).to_string().into_bytes()
}

fn harvester() -> Person<'static> {
    served().person("harvester")
}

/// What there is, once everything that waited has gone down.
fn counts() -> Value {
    wait_for("everything to go down", || {
        let counts = served().json(&["status"])["counts"].clone();
        (counts["outbox"] == 0).then_some(counts)
    })
}

#[tokio::test]
async fn what_is_delivered_comes_in_once_and_is_read_redacted_within_seconds() {
    let _alone = alone().await;
    let service = served();
    let harvester = harvester();
    let text = "Wanneer gaat de zwemplas weer open? Groet, Wobbe Quakelbeen, 06-39571234";
    let bytes = capture(&[reaction("116200000000000001", text)]);
    let report = harvester.deliver("low-mastodon", &bytes).await.expect(201).json();
    assert_eq!((&report["newRecords"], &report["format"]), (&json!(1), &json!("mastodon")), "{report}");
    assert_eq!(report["sizeBytes"], bytes.len());
    assert_eq!(report["refused"], json!([]));

    let before = counts();
    let same = harvester.deliver("low-mastodon", &bytes).await.expect(201).json();
    assert_eq!((&same["sameCapture"], &same["newRecords"]), (&json!(true), &json!(0)), "{same}");
    let mut spaced = bytes.clone();
    spaced.extend_from_slice(b"\n\n");
    let spaced = harvester.deliver("low-mastodon", &spaced).await.expect(201).json();
    assert_eq!((&spaced["newRecords"], &spaced["alreadyThere"]), (&json!(0), &json!(1)), "{spaced}");
    assert_eq!(counts()["records"], before["records"], "delivered again it adds no record");

    let researcher = service.person("researcher");
    let asked = json!({ "query": "zwemplas", "grant": service.grant_of("min-low") });
    let mut found = Value::Null;
    for _ in 0..1_500 {
        let answer = researcher.post(Plane::Room, "/v1/records/_search", &asked).await.expect(200).json();
        if answer["records"].as_array().is_some_and(|records| !records.is_empty()) {
            found = answer;
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let text = found["records"][0]["passages"].to_string();
    assert!(text.contains("Wanneer gaat de zwemplas weer open?"), "{found}");
    for hidden in ["Wobbe", "Quakelbeen", "39571234", "wobbe_q"] {
        assert!(!found.to_string().contains(hidden), "{hidden}: {found}");
    }
}

#[tokio::test]
async fn a_strict_delivery_comes_in_whole_or_not_at_all() {
    let _alone = alone().await;
    let before = counts();
    let good = reaction("116200000000000071", "Blijft de brug dicht?").to_string();
    let bytes = format!("{good}\n{{\"id\": Quakelbeen\n").into_bytes();
    let refused = harvester().deliver("low-mastodon&strict=true", &bytes).await.expect(400).json();
    let said = refused.to_string();
    assert!(said.contains("line 2, byte") && said.contains("nothing was taken in"), "{said}");
    assert!(!said.contains("Quakelbeen"), "{said}");
    assert_eq!(counts(), before, "nothing came in");
    let wrong = harvester().deliver("low-mastodon&strict=ja", &bytes).await;
    assert_eq!(wrong.status, 400);
    let report = harvester().deliver("low-mastodon&strict=false", &bytes).await.expect(201).json();
    assert_eq!(
        (&report["newRecords"], report["refused"].as_array().unwrap().len()),
        (&json!(1), 1),
        "{report}"
    );
    let whole = format!("{}\n", reaction("116200000000000072", "En de sluis?"));
    let report = harvester().deliver("low-mastodon&strict=true", whole.as_bytes()).await.expect(201).json();
    assert_eq!((&report["newRecords"], &report["refused"]), (&json!(1), &json!([])), "{report}");
}

#[tokio::test]
async fn a_channel_that_is_not_theirs_is_a_channel_that_is_not_there() {
    let _alone = alone().await;
    let before = counts();
    let bytes = capture(&[reaction("116200000000000002", "Mag dit?")]);
    let elsewhere = harvester().deliver("dwv-x", &bytes).await.expect(404);
    let absent = harvester().deliver("no-such-channel", &bytes).await.expect(404);
    assert_eq!(elsewhere.body, absent.body);
    let other = served().known_as("harvester", "dwv", "oogster-elders");
    other.deliver("low-mastodon", &bytes).await.expect(404);
    assert_eq!(counts(), before);
}

#[tokio::test]
async fn a_file_that_is_not_sound_leaves_nothing_behind_and_the_answer_says_where_it_breaks() {
    let _alone = alone().await;
    let before = counts();
    let whole = capture(&[
        reaction("116200000000000003", "Komt dit er nu wel of niet in?"),
        reaction("116200000000000004", "En dit dan?"),
    ]);
    let cut = whole[..whole.len() - 40].to_vec();
    let mut broken = whole.clone();
    let at = broken.iter().rposition(|byte| *byte == b':').unwrap();
    broken[at] = b'=';
    let mut not_text = whole.clone();
    let at = not_text.windows(7).rposition(|window| window == b"En dit ").unwrap();
    not_text[at] = 0xff;
    let utf_16: Vec<u8> = [0xff, 0xfe]
        .into_iter()
        .chain(String::from_utf8(whole.clone()).unwrap().encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    let mut nested = b"[".repeat(100_000);
    nested.extend_from_slice(&b"]".repeat(100_000)[..90_000]);
    for (what, bytes, says) in [
        ("nothing", Vec::new(), "empty"),
        ("cut short", cut, "cut short"),
        ("broken", broken, "broken JSON"),
        ("not a capture", b"Geachte heer, mevrouw".to_vec(), "not recognised"),
        ("other JSON", br#"{"ancestors": 1, "descendants": "x"}"#.to_vec(), ""),
        ("UTF-16", utf_16, "UTF-16"),
        ("nested without end", nested, ""),
    ] {
        let answer = harvester().deliver("low-mastodon", &bytes).await;
        assert_eq!(answer.status, 400, "{what}: {}", answer.text());
        assert!(answer.json()["detail"].as_str().unwrap().contains(says), "{what}: {}", answer.text());
        assert!(
            !answer.text().contains("zwemplas") && !answer.text().contains("Quakelbeen"),
            "{}",
            answer.text()
        );
        assert_eq!(counts(), before, "{what}: nothing half done");
    }
    // Bytes that are no text: refused as a whole, or the piece is named and the rest comes in.
    let answer = harvester().deliver("low-mastodon", &not_text).await;
    let (status, said) = (answer.status, answer.text());
    assert!(status == 400 || (status == 201 && answer.json()["refused"] != json!([])), "{status}: {said}");
    assert!(said.contains("UTF-8"), "{said}");
}

#[tokio::test]
async fn a_capture_of_another_platform_is_refused_with_the_mend() {
    let _alone = alone().await;
    let before = counts();
    let mastodon = capture(&[reaction("116200000000000005", "Mag dit hier?")]);
    let answer = harvester().deliver("low-campagne-x", &mastodon).await.expect(400);
    let detail = answer.json()["detail"].as_str().unwrap().to_owned();
    for word in ["low-campagne-x", "mastodon", "x"] {
        assert!(detail.contains(word), "{detail}");
    }
    harvester().deliver("low-mastodon&format=x_api_v2", &mastodon).await.expect(400);
    let unknown = harvester().deliver("low-mastodon&format=fax", &mastodon).await.expect(400);
    assert!(unknown.text().contains("x_api_v2, mastodon"), "{}", unknown.text());
    harvester().deliver("", &mastodon).await.expect(400);
    assert_eq!(counts(), before);
}

#[tokio::test]
async fn more_than_is_taken_is_refused_and_nothing_stays_on_disk() {
    let _alone = alone().await;
    let before = counts();
    let long = "Wanneer? ".repeat(UPLOAD_BYTES_MAX / 8);
    let answer =
        harvester().deliver("low-mastodon", &capture(&[reaction("116200000000000006", &long)])).await;
    assert_eq!(answer.status, 413, "{}", answer.text());
    assert!(
        answer.text().contains(&UPLOAD_BYTES_MAX.to_string()),
        "says how much is taken: {}",
        answer.text()
    );
    assert_eq!(counts(), before);
    let spool = served().dir.join("spool");
    assert!(wait_for("an empty spool", || (fs::read_dir(&spool).unwrap().count() == 0).then_some(true)));
}

#[tokio::test]
async fn a_delivery_that_breaks_off_leaves_nothing() {
    let _alone = alone().await;
    let before = counts();
    let bytes = capture(&[reaction("116200000000000007", "Komt dit aan?")]);
    let half: Vec<Result<Vec<u8>, std::io::Error>> =
        vec![Ok(bytes[..bytes.len() / 2].to_vec()), Err(std::io::Error::other("the line is cut"))];
    let body = reqwest::Body::wrap_stream(futures_util::stream::iter(half));
    let path = "/v1/captures?channel=low-mastodon";
    let sent = harvester().request(Plane::Vault, reqwest::Method::POST, path).body(body).send().await;
    assert!(sent.is_err() || sent.is_ok_and(|answer| !answer.status().is_success()));
    assert_eq!(counts(), before);
    assert_eq!(fs::read_dir(served().dir.join("spool")).unwrap().count(), 0);
}

#[tokio::test]
async fn who_delivers_is_told_counts_and_no_content() {
    let _alone = alone().await;
    let report =
        harvester().deliver("low-mastodon", &sample("low-mastodon-2-context.json")).await.expect(201);
    holds_no_canary(&report.text(), "the report of a delivery");
}
