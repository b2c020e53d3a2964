//! `knik detector` as its clients meet it: the routes, the refusals, the limits. What answers must be compared with
//! the real Presidio's is in tests/presidio.

mod fixture;

use fixture::{Detector, TOKEN, client, files, patterns_of_project, private, read, refused};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// What stands at the places of an answer.
fn passages(text: &str, found: &Value) -> Vec<(String, String)> {
    let chars: Vec<char> = text.chars().collect();
    let one = |item: &Value| {
        let place = |name: &str| usize::try_from(item[name].as_u64().unwrap()).unwrap();
        let passage = chars[place("start")..place("end")].iter().collect();
        (item["entity_type"].as_str().unwrap().to_owned(), passage)
    };
    found.as_array().unwrap().iter().map(one).collect()
}

#[tokio::test]
async fn every_route_answers() {
    let detector = Detector::open();
    let health = detector.get("/health").send().await.unwrap();
    assert_eq!(health.status(), 200);
    assert!(health.text().await.unwrap().contains("is up"));

    let text = "😀 mail jan.voorbeeld@example.org of bel 06 12345678";
    let found = detector.answer("/analyze", &json!({"text": text, "language": "nl"})).await;
    let passages = passages(text, &found);
    assert!(passages.contains(&("EMAIL_ADDRESS".into(), "jan.voorbeeld@example.org".into())), "{passages:?}");
    assert!(passages.contains(&("PHONE_NUMBER".into(), "06 12345678".into())), "{passages:?}");

    let anonymized = detector.answer("/anonymize", &json!({"text": text, "analyzer_results": found})).await;
    assert_eq!(anonymized["text"], "😀 mail <EMAIL_ADDRESS> of bel <PHONE_NUMBER>");

    let key = "WmZq4t7w!z%C&F)J";
    let operators = json!({"DEFAULT": {"type": "encrypt", "key": key}});
    let sealed = json!({"text": text, "analyzer_results": found, "anonymizers": operators});
    let sealed = detector.answer("/anonymize", &sealed).await;
    assert!(!sealed["text"].as_str().unwrap().contains("voorbeeld"));
    let opening = json!({
        "text": sealed["text"], "anonymizer_results": sealed["items"],
        "deanonymizers": {"DEFAULT": {"type": "decrypt", "key": key}},
    });
    assert_eq!(detector.answer("/deanonymize", &opening).await["text"], text);

    for (path, holds) in [
        ("/recognizers", "email"),
        ("/recognizers?language=en", "nl-bsn"),
        ("/supportedentities?language=nl", "NL_BSN"),
        ("/anonymizers", "encrypt"),
        ("/deanonymizers", "decrypt"),
    ] {
        let (status, listed) = read(detector.get(path).send().await.unwrap()).await;
        assert_eq!(status, 200);
        assert!(listed.as_array().unwrap().contains(&json!(holds)), "{path}: {listed}");
    }
    for (request, status) in [
        (detector.get("/nothing"), 404),
        (detector.get("/analyze"), 405),
        (detector.post("/analyze", &json!({"text": "x", "language": "fr"})), 500),
        (detector.post("/anonymize", &json!({"text": "x"})), 422),
    ] {
        let (answered, body) = read(request.send().await.unwrap()).await;
        assert_eq!(answered, status, "{body}");
        assert!(body["error"].is_string(), "{body}");
    }
}

#[tokio::test]
async fn reasons_tell_what_the_ruleset_saw() {
    let detector = Detector::open();
    let text = "mijn bsn is 111222333";
    let asked =
        json!({"text": text, "language": "nl", "return_decision_process": true, "entities": ["NL_BSN"]});
    let found = detector.answer("/analyze", &asked).await;
    let reason = &found[0]["analysis_explanation"];
    assert_eq!(reason["recognizer"], "nl-bsn");
    assert_eq!(reason["supportive_context_word"], "bsn");
    assert_eq!(reason["validation_result"], true);
    assert_eq!(reason["score"], found[0]["score"]);
    let improvement = reason["score_context_improvement"].as_f64().unwrap();
    let sum = reason["original_score"].as_f64().unwrap() + improvement;
    assert!(improvement > 0.0 && (sum - reason["score"].as_f64().unwrap()).abs() < 1e-9, "{reason}");
}

#[tokio::test]
async fn what_other_machines_can_reach_wants_tls_and_a_token() {
    let files = files();
    for arguments in [
        &["--listen", "0.0.0.0:0"][..],
        &["--listen", "[::]:0"],
        &["--listen", "0.0.0.0:0", "--token-file", &files.token],
        &["--listen", "0.0.0.0:0", "--tls-certificate", &files.chain, "--tls-key", &files.key],
    ] {
        let said = refused(arguments);
        assert!(said.contains("--tls-certificate, --tls-key and --token-file"), "{said}");
    }
    assert!(refused(&["--listen", "127.0.0.1:0", "--tls-certificate", &files.chain]).contains("--tls-key"));
    assert!(refused(&["--listen", "127.0.0.1:0", "--patterns", "/nowhere"]).contains("/nowhere"));
    let folder = tempfile::tempdir().unwrap();
    let short = private(folder.path(), "short", "kort\n");
    assert!(refused(&["--listen", "127.0.0.1:0", "--token-file", &short]).contains("16 to 4096"));
    let open = private(folder.path(), "open", TOKEN);
    std::fs::set_permissions(&open, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let said = refused(&["--listen", "127.0.0.1:0", "--token-file", &open]);
    assert!(said.contains(&open) && !said.contains(TOKEN), "{said}");

    let trusted = client().tls_certs_only([files.authority.clone()]).build().unwrap();
    let arguments = [
        "--listen",
        "0.0.0.0:0",
        "--token-file",
        &files.token,
        "--tls-certificate",
        &files.chain,
        "--tls-key",
        &files.key,
    ];
    let mut detector = Detector::start(&arguments, trusted);
    assert!(detector.base.starts_with("https://0.0.0.0:"), "{}", detector.base);
    detector.base = detector.base.replace("0.0.0.0", "127.0.0.1");
    let asked = json!({"text": "a@example.org", "language": "en"});
    let answer = detector.post("/analyze", &asked).bearer_auth(TOKEN).send().await.unwrap();
    let (status, found) = read(answer).await;
    assert_eq!((status, &found[0]["entity_type"]), (200, &json!("EMAIL_ADDRESS")));
}

#[tokio::test]
async fn with_a_token_nothing_but_health_is_answered_without_it() {
    let files = files();
    let arguments = ["--listen", "127.0.0.1:0", "--token-file", &files.token];
    let detector = Detector::start(&arguments, client().build().unwrap());
    assert_eq!(detector.get("/health").send().await.unwrap().status(), 200);
    let asked = json!({"text": "a", "language": "en"});
    for path in [
        "/analyze",
        "/anonymize",
        "/deanonymize",
        "/recognizers",
        "/supportedentities",
        "/anonymizers",
        "/deanonymizers",
        "/nothing",
        "/health/",
    ] {
        for (scheme, token) in [
            ("", ""),
            ("Bearer ", "een-token-voor-de-test-0123456788"),
            ("Basic ", TOKEN),
            ("Bearer ", ""),
            ("", TOKEN),
        ] {
            let header = format!("{scheme}{token}");
            let mut request = detector.post(path, &asked);
            if !header.is_empty() {
                request = request.header("Authorization", header);
            }
            let answer = request.send().await.unwrap();
            assert_eq!(answer.headers()["www-authenticate"], "Bearer", "{path}");
            let (status, body) = read(answer).await;
            assert_eq!(status, 401, "{path}: {body}");
            assert!(!body.to_string().contains(TOKEN));
        }
    }
    let answer = detector.post("/analyze", &asked).bearer_auth(TOKEN).send().await.unwrap();
    assert_eq!(read(answer).await, (200, json!([])));
    let answer = detector.get("/nothing").bearer_auth(TOKEN).send().await.unwrap();
    assert_eq!(read(answer).await.0, 404);
}

#[tokio::test]
async fn too_much_is_refused_and_the_next_is_served() {
    let detector = Detector::open();
    let large =
        detector.client.post(format!("{}/analyze", detector.base)).header("Content-Type", "application/json");
    let body = format!("{{\"language\": \"en\", \"text\": \"{}\"}}", "a ".repeat(9 * 1024 * 1024));
    let (status, said) = read(large.body(body).send().await.unwrap()).await;
    assert_eq!(status, 413, "{said}");
    let long = json!({"language": "en", "text": "a".repeat(1_000_001)});
    let (status, said) = read(detector.post("/analyze", &long).send().await.unwrap()).await;
    assert_eq!(status, 413, "{said}");
    let (status, _) = read(
        detector
            .post("/anonymize", &json!({"text": "a".repeat(1_000_001), "analyzer_results": []}))
            .send()
            .await
            .unwrap(),
    )
    .await;
    assert_eq!(status, 413);
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let deep = detector
        .client
        .post(format!("{}/anonymize", detector.base))
        .header("Content-Type", "application/json")
        .body(deep);
    assert_eq!(read(deep.send().await.unwrap()).await.0, 400);
    let recogniser = |regex: &str| json!([{"supported_entity": "X", "patterns": [{"name": "p", "regex": regex, "score": 1}]}]);
    let many: Vec<Value> = (0..101).map(|_| recogniser("a")[0].clone()).collect();
    let asked = json!({"language": "en", "text": "a", "ad_hoc_recognizers": many});
    assert_eq!(read(detector.post("/analyze", &asked).send().await.unwrap()).await.0, 413);
    let steep = json!({"language": "en", "text": "a".repeat(5_000), "ad_hoc_recognizers": recogniser(r"(?:(a)|\1a|aa)*c")});
    let began = Instant::now();
    let (status, said) = read(detector.post("/analyze", &steep).send().await.unwrap()).await;
    assert_eq!(status, 422, "{said}");
    assert!(began.elapsed() < Duration::from_secs(40));
    assert_eq!(detector.answer("/analyze", &json!({"language": "en", "text": "a"})).await, json!([]));
}

#[tokio::test]
async fn a_text_of_a_million_characters_is_searched_in_seconds() {
    let detector = Detector::open();
    let text = "bel 0612345678 of code 12345. ".repeat(33_000);
    let recogniser = json!([{"supported_entity": "NR", "supported_language": "nl", "context": ["code"],
        "patterns": [{"name": "five", "regex": r"(?<!\d)\d{5}(?!\d)", "score": 0.1}]}]);
    let asked = json!({"language": "nl", "text": text, "entities": ["NR"], "ad_hoc_recognizers": recogniser});
    let began = Instant::now();
    let found = detector.answer("/analyze", &asked).await;
    assert_eq!(found.as_array().unwrap().len(), 33_000);
    let scored = |item: &Value| (item["score"].as_f64().unwrap() - 0.45).abs() < 1e-9;
    assert!(found.as_array().unwrap().iter().all(scored));
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    let done = detector.answer("/anonymize", &json!({"text": text, "analyzer_results": found})).await;
    assert_eq!(done["items"].as_array().unwrap().len(), 33_000);
}

#[tokio::test]
async fn patterns_of_a_folder_are_used_instead() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["thresholds.yaml", "email.yaml"] {
        std::fs::copy(patterns_of_project().join(name), folder.path().join(name)).unwrap();
    }
    let path = folder.path().to_str().unwrap().to_owned();
    let detector =
        Detector::start(&["--listen", "127.0.0.1:0", "--patterns", &path], client().build().unwrap());
    let (_, listed) = read(detector.get("/supportedentities").send().await.unwrap()).await;
    assert_eq!(listed, json!(["EMAIL_ADDRESS"]));
    std::fs::write(folder.path().join("broken.yaml"), "recognizers: 5").unwrap();
    assert!(refused(&["--listen", "127.0.0.1:0", "--patterns", &path]).contains("broken.yaml"));
}

#[tokio::test]
async fn the_most_talkative_log_holds_nothing_of_what_was_sent() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let detector = Detector::talkative(&log);
    let secrets = ["dotterbloem", "korenbloem@example.org", "zwanenbloem", "sleutelbloem-16b", "boterbloem"];
    let [text, mail, pattern, key, word] = secrets;
    let recogniser =
        json!([{"supported_entity": word, "patterns": [{"name": pattern, "regex": pattern, "score": 1}]}]);
    let asked = json!({"text": format!("{text} {mail}"), "language": "nl", "ad_hoc_recognizers": recogniser, "context": [word]});
    let found = detector.answer("/analyze", &asked).await;
    assert!(!found.as_array().unwrap().is_empty());
    let operators = json!({"DEFAULT": {"type": "encrypt", "key": key}});
    let sealed =
        json!({"text": format!("{text} {mail}"), "analyzer_results": found, "anonymizers": operators});
    detector.answer("/anonymize", &sealed).await;
    for (path, body) in [
        ("/analyze", json!({"text": text, "language": word})),
        ("/analyze", json!({"text": text, "language": "nl", "ad_hoc_recognizers": [{word: text}]})),
        ("/anonymize", json!({"text": text, "analyzer_results": [{"start": text}]})),
        (
            "/deanonymize",
            json!({"text": text, "anonymizer_results": [{"start": 0, "end": 3, "entity_type": word}]}),
        ),
    ] {
        let (status, _) = read(detector.post(path, &body).send().await.unwrap()).await;
        assert!(status >= 400, "{path}");
    }
    detector.get(&format!("/{word}?language={text}")).send().await.unwrap();
    let log = std::fs::read_to_string(&log).unwrap();
    assert!(log.contains("/deanonymize"), "requests stand in it by route:\n{log}");
    for secret in secrets {
        assert!(!log.contains(secret), "`{secret}` stands in the log");
    }
}
