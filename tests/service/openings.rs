//! Opening originals under a request, over TLS with real tokens: asked, approved by another person, opened, ended.

use super::fixture::{Answer, Person, Plane, Service, answer, demo, wait_for};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};

pub const ABSENT: &str = "01890000-0000-7000-8000-000000000000";

/// What an official asks.
pub fn asking(basis: &str, scope: &str, records: &[String]) -> Value {
    json!({
        "legalBasis": basis, "scope": scope, "records": records, "caseNumber": "TK-2026-0031",
        "motivation": "Inlichtingen aan de Kamer over de beantwoording van vragen",
        "recipient": "Griffie van de Tweede Kamer",
    })
}

/// Records of the ministry that were decided to be archived.
pub async fn records(service: &Service) -> Vec<String> {
    let official = service.person("official");
    let page = official.get(Plane::Vault, "/v1/records?outcome=archive&limit=100").await.expect(200).json();
    let ids = page["records"].as_array().unwrap().iter().map(|record| record["id"].as_str().unwrap());
    ids.map(str::to_owned).collect()
}

pub async fn ask(person: &Person<'_>, asking: &Value) -> Value {
    person.post(Plane::Vault, "/v1/openings", asking).await.expect(201).json()
}

pub async fn open(person: &Person<'_>, request: &str, record: &str) -> Answer {
    let path = format!("/v1/openings/{request}/records/{record}/disclosures");
    person.post(Plane::Vault, &path, &json!({})).await
}

fn id(request: &Value) -> &str {
    request["id"].as_str().unwrap()
}

#[tokio::test]
async fn an_original_is_opened_by_one_official_after_another_approved() {
    let service = demo();
    let (ann, ben) = (service.person("official"), service.known_as("official", "min-low", "ambtenaar-2"));
    let record = records(service).await.remove(0);
    let asked = ask(&ann, &asking("parliament", "record", std::slice::from_ref(&record))).await;
    assert_eq!(asked["state"], "waiting");
    let request = id(&asked).to_owned();
    let refused = open(&ann, &request, &record).await.expect(403);
    assert!(refused.text().contains("second"), "{}", refused.text());
    let seen = ben.get(Plane::Vault, &format!("/v1/openings/{request}")).await.expect(200).json();
    assert_eq!(seen["motivation"], "Inlichtingen aan de Kamer over de beantwoording van vragen");
    let approve = format!("/v1/openings/{request}/approvals");
    let digest = json!({ "digest": seen["digest"] });
    ann.post(Plane::Vault, &approve, &digest).await.expect(403);
    service
        .known_as("official", "dwv", "ambtenaar-3")
        .post(Plane::Vault, &approve, &digest)
        .await
        .expect(404);
    ben.post(Plane::Vault, &approve, &json!({ "digest": "00".repeat(32) })).await.expect(400);
    assert_eq!(ben.post(Plane::Vault, &approve, &digest).await.expect(201).json()["state"], "open");
    ben.post(Plane::Vault, &approve, &digest).await.expect(400);
    open(&ben, &request, &record).await.expect(403);
    let opened = open(&ann, &request, &record).await.expect(201);
    let item = STANDARD.decode(opened.json()["original"][0]["content"].as_str().unwrap()).unwrap();
    let path = format!("/v1/openings/{request}/records/{record}/disclosures");
    let raw = ann.request(Plane::Vault, Method::POST, &path).header("Accept", "application/octet-stream");
    assert_eq!(answer(raw).await.expect(201).body, item);
    ann.get(Plane::Vault, opened.header("location")).await.expect(200);
    // Handed over is what it is called once the connection took it.
    let counted = || async {
        let shown = ann.get(Plane::Vault, &format!("/v1/openings/{request}")).await.expect(200).json();
        shown["records"][0]["handedOver"].as_u64().unwrap()
    };
    for _ in 0..1_500 {
        if counted().await == 2 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(counted().await, 2);
    let approver = service.person("approver");
    let ended = approver.post(Plane::Vault, &format!("/v1/openings/{request}/revocations"), &json!({})).await;
    assert_eq!(ended.expect(201).json()["state"], "revoked");
    open(&ann, &request, &record).await.expect(403);
}

#[tokio::test]
async fn a_request_is_refused_with_everything_that_does_not_fit() {
    let service = demo();
    let ann = service.person("official");
    let record = records(service).await.remove(0);
    let mut wrong = asking("burgerbrief", "find", std::slice::from_ref(&record));
    wrong["caseNumber"] = json!("");
    wrong["breakGlass"] = json!(true);
    let said = ann.post(Plane::Vault, "/v1/openings", &wrong).await.expect(400).text();
    for words in ["does not cover scope", "case number", "at once"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let absent = asking("avg-15", "record", &[ABSENT.to_owned()]);
    let not_there = ann.post(Plane::Vault, "/v1/openings", &absent).await.expect(404);
    let other = service.known_as("official", "dwv", "ambtenaar-3");
    let not_theirs =
        other.post(Plane::Vault, "/v1/openings", &asking("avg-15", "record", &[record])).await.expect(404);
    assert_eq!(not_there.body, not_theirs.body);
}

#[tokio::test]
async fn a_package_opens_everything_of_a_request_line_by_line() {
    let service = demo();
    let ann = service.person("official");
    let all = records(service).await;
    let asked = ask(&ann, &asking("woo-request", "record", &all[..5])).await;
    let path = format!("/v1/openings/{}/packages", id(&asked));
    let lines = ann.post(Plane::Vault, &path, &json!({})).await.expect(201).text();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 5);
    for (n, line) in lines.iter().enumerate() {
        assert_eq!(
            (&line["place"], &line["of"], &line["record"]),
            (&json!(n + 1), &json!(5), &json!(all[n]))
        );
        assert!(line["receipt"]["checkpoint"].is_string() && line["original"][0]["content"].is_string());
    }
    let rest = ann.post(Plane::Vault, &format!("{path}?skip=3"), &json!({})).await.expect(201).text();
    assert_eq!(rest.lines().count(), 2);
    service
        .known_as("official", "min-low", "ambtenaar-2")
        .post(Plane::Vault, &path, &json!({}))
        .await
        .expect(404);
    let waits = ask(&ann, &asking("parliament", "record", &all[..1])).await;
    ann.post(Plane::Vault, &format!("/v1/openings/{}/packages", id(&waits)), &json!({})).await.expect(400);
}

#[tokio::test]
async fn in_an_emergency_it_opens_at_once_and_says_so() {
    let service = demo();
    let ann = service.person("official");
    let record = records(service).await.remove(0);
    let mut urgent = asking("incident", "record", std::slice::from_ref(&record));
    urgent["breakGlass"] = json!(true);
    let asked = ask(&ann, &urgent).await;
    assert_eq!(asked["state"], "open");
    open(&ann, id(&asked), &record).await.expect(201);
    let warned = || {
        let warnings = service.json(&["status"])["warnings"].to_string();
        warnings.contains("alarm").then_some(())
    };
    wait_for("the status to warn of an alarm that nobody got", warned);
    let text = json!({ "text": "De server werd op dat moment leeggehaald door een aanvaller" });
    let path = format!("/v1/openings/{}/justifications", id(&asked));
    service.known_as("official", "min-low", "ambtenaar-2").post(Plane::Vault, &path, &text).await.expect(404);
    let said = ann.post(Plane::Vault, &path, &text).await.expect(201).json();
    assert!(said["justifiedAt"].is_string() && said["justification"] == text["text"]);
}

#[tokio::test]
async fn a_page_of_a_thread_reads_as_it_was_said_and_holds_no_markup_of_others() {
    let service = demo();
    let ann = service.person("official");
    let found = ask(&ann, &asking("woo-request", "find", &[])).await;
    let path = format!("/v1/openings/{}/finds", id(&found));
    let seen =
        ann.post(Plane::Vault, &path, &json!({ "address": "116198651920429236" })).await.expect(201).json();
    let record = seen["records"][0]["id"].as_str().unwrap().to_owned();
    assert!(!seen.to_string().contains("Orlando"), "an answer is redacted: {seen}");
    let asked = ask(&ann, &asking("woo-request", "thread", &[record])).await;
    let path = format!("/v1/openings/{}/renditions", id(&asked));
    let page = ann.request(Plane::Vault, Method::POST, &path).header("Accept-Language", "en");
    let page = answer(page).await.expect(201);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let html = page.text();
    for said in [
        "<html lang=\"en\">",
        "Bij Orlando Kromosoeto komt er vast iets anders uit",
        "@tjitske_w",
        "TK-2026-0031",
        "Receipt",
    ] {
        assert!(html.contains(said), "`{said}` is not on the page");
    }
    for never in ["<script", "<p><span", "href=", "onerror", "http-equiv"] {
        assert!(!html.contains(never), "`{never}` is on the page");
    }
    let times: Vec<&str> = html.split("<dt>Posted</dt><dd>").skip(1).map(|rest| &rest[..20]).collect();
    assert!(times.len() > 1 && times.is_sorted(), "{times:?}");
    service
        .known_as("official", "min-low", "ambtenaar-2")
        .post(Plane::Vault, &path, &json!({}))
        .await
        .expect(404);
}

#[tokio::test]
async fn the_command_line_walks_from_request_to_register_as_each_person() {
    let service = demo();
    let temp = super::fixture::temp();
    let token = |role: &str, subject: &str| {
        super::fixture::write(temp.path(), subject, service.token(role, "min-low", subject).as_bytes())
    };
    let (ann, ben) = (token("official", "ambtenaar-1"), token("official", "ambtenaar-2"));
    let officer = token("data-protection-officer", "fg-1");
    let run = |command: &str, token: &str, rest: &[&str]| {
        service.run(&[&[command, "--vault", &service.vault, "--token-file", token][..], rest].concat())
    };
    let record = records(service).await.remove(0);
    let why = super::fixture::write(temp.path(), "why", b"Inlichtingen aan de Kamer over de beantwoording");
    let why = format!("@{why}");
    let stated = ["--case", "TK-1", "--motivation", &why, "--recipient", "Griffie", "--json"];
    let asked = run(
        "open",
        &ann,
        &[&["request", "--legal-basis", "parliament", "--record", &record][..], &stated].concat(),
    );
    let request = asked.ok().json();
    let id = id(&request);
    let to = temp.path().join("original");
    let original = ["original", id, "--record", &record, "--to", to.to_str().unwrap()];
    run("open", &ann, &original).refused(&["403", "second"]);
    assert!(!to.exists(), "a refusal leaves no file");
    let digest =
        run("open", &ben, &["show", id, "--json"]).ok().json()["digest"].as_str().unwrap().to_owned();
    run("open", &ann, &["approve", id, "--digest", &digest]).refused(&["403"]);
    run("open", &ben, &["approve", id, "--digest", &digest]).ok();
    run("open", &ann, &original).ok();
    assert!(std::fs::metadata(&to).unwrap().len() > 0);
    run("open", &ann, &original).refused(&["is there already"]);
    let folder = temp.path().join("package");
    let packed = run("open", &ann, &["package", id, "--to", folder.to_str().unwrap(), "--json"]).ok().json();
    assert_eq!((packed["opened"].as_u64(), std::fs::read_dir(&folder).unwrap().count()), (Some(1), 2));
    let page = temp.path().join("page.html");
    run("open", &ann, &["page", id, "--to", page.to_str().unwrap()]).ok();
    assert!(std::fs::read_to_string(&page).unwrap().starts_with("<!doctype html>"));
    run("open", &ann, &["revoke", id]).ok();
    run("open", &ann, &["package", id, "--to", folder.to_str().unwrap()]).refused(&["400"]);
    let register =
        run("oversight", &officer, &["register", "--legal-basis", "parliament", "--json"]).ok().json();
    let mine = register["disclosures"].as_array().unwrap().iter().filter(|one| one["opening"] == id).count();
    assert_eq!(mine, 3, "{register}");
    assert!(register["people"].to_string().contains("ambtenaar-1"));
    run("oversight", &ann, &["register"]).refused(&["403"]);
    run("oversight", &officer, &["attention"]).ok();
    run("oversight", &officer, &["public-log", "--json"]).ok();
    let account = ["--account", "mastodon:niemand@polder.example", "--asker", "Mevrouw Voorbeeld", "--json"];
    let made = run("subject", &ann, &[&["register", "--kind", "access"][..], &account].concat()).ok().json();
    let subject = made["request"]["id"].as_str().unwrap();
    run("subject", &ann, &["search", subject]).refused(&["400"]);
    run("subject", &ben, &["prove", subject, "--proof", "code-from-account", "--code", "knik-x"])
        .refused(&["400"]);
    let code = made["code"].as_str().unwrap();
    let proven = ["prove", subject, "--proof", "code-from-account", "--code", code];
    run("subject", &ann, &proven).refused(&["403", "another person"]);
    run("subject", &ben, &proven).ok();
    run("subject", &ann, &["search", subject]).ok();
    assert_eq!(run("subject", &ann, &["copy", subject, "--json"]).ok().json()["records"], json!([]));
    run("subject", &ann, &["close", subject, "--outcome", "granted", "--text", "Er is niets van u gevonden"])
        .ok();
    run("subject", &officer, &["list"]).ok();
}

#[tokio::test]
async fn an_alarm_is_tried_until_the_officer_has_it() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/alarm", listener.local_addr().unwrap());
    // Refuses the first, takes the second.
    let heard = tokio::spawn(async move {
        let mut said = Vec::new();
        for answer in ["503 Not now", "204 Taken"] {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut bytes = vec![0; 8192];
            let mut got = 0;
            while !String::from_utf8_lossy(&bytes[..got]).contains('}') {
                got += stream.read(&mut bytes[got..]).await.unwrap();
            }
            said.push(String::from_utf8_lossy(&bytes[..got]).into_owned());
            let answer = format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        said
    });
    let temp = super::fixture::temp();
    let set = [("KNIK_OVERSIGHT__ALARM_WEBHOOK", address.as_str())];
    let service = Service::start(temp.path(), None, &["demo", "--port", "0"], &set);
    let ann = service.person("official");
    let record = records(&service).await.remove(0);
    let mut urgent = asking("incident", "record", &[record]);
    urgent["breakGlass"] = json!(true);
    let asked = ask(&ann, &urgent).await;
    let said = tokio::time::timeout(std::time::Duration::from_secs(60), heard).await.unwrap().unwrap();
    assert!(
        said.iter().all(|message| message.contains(id(&asked)) && message.contains("break-glass")),
        "{said:?}"
    );
    assert!(!said.join("").contains("Kamer"), "an alarm says nothing of the case");
    wait_for("the alarm to be off the list", || {
        let warnings = service.json(&["status"])["warnings"].to_string();
        (!warnings.contains("alarm")).then_some(())
    });
}
