//! What people meet on their way beside reading and opening: a report, a recall, a citation, paper, a story, a mail. Over TLS, with
//! real tokens.

use super::fixture::{Plane, Service, demo, temp, wait_for};
use super::openings::{ask, asking, records};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

/// Asks until `look` finds something.
async fn until<T>(what: &str, service: &Service, look: impl AsyncFn() -> Option<T>) -> T {
    for _ in 0..1_500 {
        if let Some(found) = look().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("waited in vain for {what}: {}", service.output());
}

#[tokio::test]
async fn a_reader_sees_a_name_and_everyone_who_read_it_is_told() {
    let place = temp();
    let service = Service::start(place.path(), None, &["demo", "--port", "0"], &[]);
    let (reader, reviewer) = (service.person("researcher"), service.person("reviewer"));
    let (officer, manager) = (service.person("data-protection-officer"), service.person("records-manager"));
    let grant = service.grant_of("min-low");
    let page =
        reader.get(Plane::Room, &format!("/v1/records?limit=100&grant={grant}")).await.expect(200).json();
    let record =
        page["records"].as_array().unwrap().iter().find(|view| view.to_string().contains("waterbijdrage"));
    let id = record.unwrap()["id"].as_str().unwrap().to_owned();
    let (at, cited) =
        (format!("/v1/records/{id}?grant={grant}"), format!("/v1/citations/{id}?version=1&grant={grant}"));
    let before = reader.get(Plane::Room, &cited).await.expect(200).json();
    assert_eq!((&before["state"], &before["version"]), (&json!("current"), &json!(1)));
    let quoted = before["text"]["nl"].as_str().unwrap();
    assert!(
        quoted.contains("Ministerie") && quoted.contains(&id) && quoted.contains("geraadpleegd op"),
        "{quoted}"
    );
    reader.get(Plane::Room, &format!("/v1/citations/{id}?version=9&grant={grant}")).await.expect(400);

    let report = json!({ "kind": "name-visible", "passage": 0, "grant": grant });
    let path = format!("/v1/records/{id}/reports");
    reader.post(Plane::Room, &path, &json!({ "kind": "name-visible", "text": "Jan" })).await.expect(400);
    let reported = reader.post(Plane::Room, &path, &report).await.expect(202).json();
    until("the record to be withheld", &service, async || {
        (reader.get(Plane::Room, &at).await.status == 404).then_some(())
    })
    .await;
    assert_eq!(reader.get(Plane::Room, &cited).await.expect(200).json()["state"], "withdrawn");
    let path = format!("/v1/reports/{}", reported["id"].as_str().unwrap());
    officer.get(Plane::Vault, &path).await.expect(403);
    let shown = reviewer.get(Plane::Vault, &path).await.expect(200).json();
    let text = shown["passages"][0]["text"].as_str().unwrap();
    let word = "waterbijdrage";
    let start = text[..text.find(word).unwrap()].chars().count();
    let place = json!({ "passage": 0, "start": start, "end": start + word.chars().count() });
    let judgement = json!({ "outcome": "confirmed", "places": [place] });
    reviewer.post(Plane::Vault, &format!("{path}/judgements"), &judgement).await.expect(201);
    let incident = until("the incident", &service, async || {
        let list = officer.get(Plane::Vault, "/v1/incidents").await.expect(200).json();
        list["incidents"][0]["id"].as_str().map(str::to_owned)
    })
    .await;
    let path = format!("/v1/incidents/{incident}");
    let who = officer.get(Plane::Vault, &path).await.expect(200).json();
    assert_eq!(who["holders"][0]["person"]["subject"], "onderzoeker-1");
    let attention = officer.get(Plane::Vault, "/v1/oversight/attention").await.expect(200).json();
    assert_eq!(attention["openIncidents"][0]["id"], incident.as_str());
    let notice = until("the recall", &service, async || {
        let notices = reader.get(Plane::Room, "/v1/notices").await.expect(200).json();
        notices["notices"].as_array().unwrap().first().cloned()
    })
    .await;
    assert!(notice.to_string().contains(&incident) && !notice.to_string().contains(word), "{notice}");
    until("the new view", &service, async || {
        (reader.get(Plane::Room, &at).await.status == 200).then_some(())
    })
    .await;
    assert_eq!(reader.get(Plane::Room, &cited).await.expect(200).json()["state"], "replaced");
    let closing = json!({ "outcome": "no-notification", "text": "Eén woord, gezien door één onderzoeker, die heeft gewist." });
    officer.post(Plane::Vault, &format!("{path}/outcomes"), &closing).await.expect(403);
    manager.post(Plane::Vault, &format!("{path}/outcomes"), &closing).await.expect(201);
    manager.post(Plane::Vault, &format!("{path}/outcomes"), &closing).await.expect(400);

    // The story of the grant, from the running service and from exported logs: the same but for what came in between.
    let told = service.json(&["story", "--grant", &grant]);
    let said = told["sentences"].to_string();
    for part in ["ik zie een naam", "eerder niet gevonden", "niet meldplichtig", "views shown"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let logs = place_of(&service, "logs");
    service.run(&["ledger", "export", &logs]).ok();
    let away = service.json(&["story", "--grant", &grant, "--ledger", &logs]);
    assert_eq!(away["sentences"][0], told["sentences"][0]);
    officer.get(Plane::Vault, &format!("/v1/oversight/stories/{grant}")).await.expect(200);
    let elsewhere = service.known_as("data-protection-officer", "dwv", "fg-2");
    elsewhere.get(Plane::Vault, &format!("/v1/oversight/stories/{grant}")).await.expect(404);
    service.run(&["verify"]).ok();
}

/// A folder beside the data folder.
fn place_of(service: &Service, name: &str) -> String {
    service.dir.with_file_name(name).to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_page_of_originals_is_had_on_paper_and_a_finding_aid_in_words() {
    let service = demo();
    let ann = service.person("official");
    let record = records(service).await.remove(0);
    let asked = ask(&ann, &asking("woo-request", "record", &[record])).await;
    let path = format!("/v1/openings/{}/renditions", asked["id"].as_str().unwrap());
    let paper = ann.request(Plane::Vault, reqwest::Method::POST, &path).header("Accept", "application/pdf");
    let paper = super::fixture::answer(paper).await.expect(201);
    assert_eq!(paper.header("content-type"), "application/pdf");
    assert!(paper.body.starts_with(b"%PDF-") && paper.body.len() > 5_000, "{} bytes", paper.body.len());
    let reader = service.person("researcher");
    until("the finding aid", service, async || {
        (reader.get(Plane::Room, "/v1/finding-aid").await.status == 200).then_some(())
    })
    .await;
    for (accept, starts) in [("text/plain", "Toegang op de bron"), ("text/html", "<!doctype html>")] {
        let asked =
            reader.request(Plane::Room, reqwest::Method::GET, "/v1/finding-aid").header("Accept", accept);
        let aid = super::fixture::answer(asked).await.expect(200);
        assert!(aid.text().starts_with(starts), "{}", aid.text());
        assert!(aid.header("content-type").starts_with(accept));
    }
    service.person("official").get(Plane::Room, "/v1/finding-aid").await.expect(404);
}

/// A mail server that refuses the first connection, and tells what came with the others.
async fn mail_server(listener: TcpListener) -> Vec<String> {
    let (mut refused, _) = listener.accept().await.unwrap();
    refused.write_all(b"421 not now\r\n").await.unwrap();
    drop(refused);
    let (stream, _) = listener.accept().await.unwrap();
    let (read, mut write) = stream.into_split();
    let (mut lines, mut said, mut data) = (BufReader::new(read).lines(), Vec::new(), false);
    write.write_all(b"220 mail.example ready\r\n").await.unwrap();
    while let Ok(Some(line)) = lines.next_line().await {
        let answer = match (data, line.split(' ').next().unwrap_or_default()) {
            (true, ".") => {
                data = false;
                "250 taken"
            }
            (true, _) => "",
            (false, "EHLO") => "250 mail.example",
            (false, "DATA") => {
                data = true;
                "354 go on"
            }
            (false, "QUIT") => "221 bye",
            (false, _) => "250 ok",
        };
        let ends = answer.starts_with("221");
        said.push(line);
        if !answer.is_empty() && write.write_all(format!("{answer}\r\n").as_bytes()).await.is_err() {
            break;
        }
        // The connection may be kept for later mails.
        if ends || answer == "250 taken" {
            break;
        }
    }
    said
}

#[tokio::test]
async fn an_alarm_is_mailed_until_a_server_takes_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("smtp://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(mail_server(listener));
    let place = temp();
    let set = [
        ("KNIK_OVERSIGHT__ALARM_SMTP", address.as_str()),
        ("KNIK_OVERSIGHT__ALARM_FROM", "knik@ministerie.example"),
        ("KNIK_OVERSIGHT__ALARM_TO", "fg@ministerie.example"),
    ];
    let service = Service::start(place.path(), None, &["demo", "--port", "0"], &set);
    let ann = service.person("official");
    let record = records(&service).await.remove(0);
    let mut urgent = asking("incident", "record", &[record]);
    urgent["breakGlass"] = json!(true);
    let asked: Value = ask(&ann, &urgent).await;
    let said = tokio::time::timeout(Duration::from_secs(60), server).await.unwrap().unwrap().join("\n");
    for part in [
        "MAIL FROM:<knik@ministerie.example>",
        "RCPT TO:<fg@ministerie.example>",
        "Message-ID",
        asked["id"].as_str().unwrap(),
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains("Kamer") && !said.contains("TK-2026"), "a mail says nothing of the case: {said}");
    wait_for("the alarm to be off the list", || {
        let warnings = service.json(&["status"])["warnings"].to_string();
        (!warnings.contains("alarm")).then_some(())
    });
}
