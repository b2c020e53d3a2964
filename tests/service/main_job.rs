//! What a researcher does all day: list, read, follow a conversation, search. Nothing of it names anyone.

use super::fixture::{ISSUER, Plane, Service, answer, canaries, demo, holds_no_canary, knik, temp};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// In the demo one reaction mentions a participant by handle, by first name and by display name.
const MENTIONS_THREE_WAYS: &str = "klopt de rekenhulp bij jullie wel?";
/// That participant's own question, in the same conversation.
const THE_OTHERS_QUESTION: &str = "Wat gaat een gezin met vier kinderen straks per maand betalen?";

fn texts(view: &Value) -> String {
    let passages = view["passages"].as_array().unwrap().iter();
    passages.map(|passage| passage["text"].as_str().unwrap()).collect::<Vec<_>>().join("\n")
}

fn placeholders(view: &Value) -> Vec<Value> {
    let passages = view["passages"].as_array().unwrap().iter();
    passages.flat_map(|passage| passage["placeholders"].as_array().unwrap().clone()).collect()
}

fn word<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().unwrap_or_else(|| panic!("no {field} in {value}"))
}

#[track_caller]
fn saying<'v>(views: &'v [Value], words: &str) -> &'v Value {
    let mut found = views.iter().filter(|view| texts(view).contains(words));
    let first = found.next().unwrap_or_else(|| panic!("no view says `{words}`"));
    assert!(found.next().is_none(), "more than one view says `{words}`");
    first
}

#[test]
fn the_demo_checks_itself_and_all_is_as_it_should_be() {
    let temp = temp();
    let checked = knik(&temp.path().join("data"), &["demo", "--check"]).ok();
    assert!(!checked.out.contains("WRONG"), "{}", checked.out);
    for role in ["researcher", "official", "records-manager", "reviewer", "reading room"] {
        assert!(
            checked.out.lines().any(|line| line.starts_with(role) && line.ends_with("ok")),
            "{}",
            checked.out
        );
    }
}

#[tokio::test]
async fn a_researcher_lists_redacted_views_and_nothing_that_was_planted() {
    let service = demo();
    let researcher = service.person("researcher");
    for organisation in ["min-low", "dwv"] {
        let views = researcher.views(&service.grant_of(organisation), 100).await;
        assert!(views.len() > 3, "{organisation}: {} views", views.len());
        let all = serde_json::to_string(&views).unwrap();
        holds_no_canary(&all, &format!("the views of {organisation}"));
        assert!(views.iter().any(|view| !placeholders(view).is_empty()));
        for view in &views {
            assert_eq!(word(&view["metadata"], "organisation"), organisation);
            assert_eq!(word(&view["metadata"], "outcome"), "archive");
            for field in view["metadata"].as_object().unwrap().keys() {
                let allowed = [
                    "organisation",
                    "channel",
                    "platform",
                    "kind",
                    "visibility",
                    "day",
                    "language",
                    "edited",
                    "mediaKinds",
                    "authorRole",
                    "outcome",
                    "tree",
                    "treeVersion",
                ];
                assert!(allowed.contains(&field.as_str()), "`{field}` is projected");
            }
        }
    }
}

#[tokio::test]
async fn each_placeholder_says_what_stood_there_and_why_it_is_gone() {
    let service = demo();
    let views = service.person("researcher").views(&service.grant_of("min-low"), 100).await;
    let mut kinds = BTreeSet::new();
    for view in &views {
        for passage in view["passages"].as_array().unwrap() {
            let text: Vec<char> = word(passage, "text").chars().collect();
            for placeholder in passage["placeholders"].as_array().unwrap() {
                let at = |field: &str| usize::try_from(placeholder[field].as_u64().unwrap()).unwrap();
                let shown: String = text[at("start")..at("end")].iter().collect();
                let expected = match placeholder.get("pseudonym").and_then(Value::as_str) {
                    Some(pseudonym) => format!("[{} {pseudonym}]", word(placeholder, "label")),
                    None => format!("[{}]", word(placeholder, "label")),
                };
                assert_eq!(shown, expected, "the text at the placeholder's place");
                assert!(
                    !word(placeholder, "exemption").is_empty()
                        && !word(placeholder, "exemptionLabel").is_empty()
                );
                kinds.insert(word(placeholder, "type").to_owned());
            }
        }
    }
    for kind in ["PERSON", "USERNAME"] {
        assert!(kinds.contains(kind), "{kind} is not among {kinds:?}");
    }
}

#[tokio::test]
async fn one_person_has_one_pseudonym_as_author_by_handle_by_first_name_and_by_full_name() {
    let service = demo();
    let researcher = service.person("researcher");
    let grant = service.grant_of("min-low");
    let views = researcher.views(&grant, 100).await;
    let mentioning = saying(&views, MENTIONS_THREE_WAYS);
    let path = format!("/v1/conversations/{}?grant={grant}", word(mentioning, "conversation"));
    let conversation = researcher.get(Plane::Room, &path).await.expect(200).json();
    let records = conversation["records"].as_array().unwrap();
    let orlando = word(saying(records, THE_OTHERS_QUESTION), "author");
    let tjitske = word(saying(records, MENTIONS_THREE_WAYS), "author");
    assert_ne!(orlando, tjitske, "two people, two pseudonyms");
    let named: Vec<Value> = placeholders(saying(records, MENTIONS_THREE_WAYS))
        .into_iter()
        .filter(|p| p.get("pseudonym").is_some())
        .collect();
    let kinds: Vec<&str> = named.iter().map(|p| word(p, "type")).collect();
    assert_eq!(kinds, ["USERNAME", "PERSON", "PERSON"], "a handle, a first name, a full name");
    for placeholder in &named {
        assert_eq!(word(placeholder, "pseudonym"), orlando, "{placeholder}");
    }
    let days: Vec<&str> = records.iter().map(|record| word(&record["metadata"], "day")).collect();
    assert!(days.is_sorted(), "in the order of posting: {days:?}");
    for record in records {
        assert_eq!(word(record, "conversation"), word(mentioning, "conversation"));
    }
}

/// Gives another reader the ministry's records and waits until they are there.
async fn second_grant(service: &Service) -> (String, Vec<Value>) {
    let subject = "onderzoeker-2";
    let approved = service.json(&[
        "grant",
        "add",
        "--organisation",
        "min-low",
        "--issuer",
        ISSUER,
        "--subject",
        subject,
        "--purpose",
        "vergelijkend onderzoek",
        "--legal-basis",
        "research",
        "--until",
        "2036-01-01T00:00:00Z",
    ]);
    let id = word(&approved, "id").to_owned();
    let reader = service.known_as("researcher", "hogeschool", subject);
    for _ in 0..1_500 {
        let answer = reader.get(Plane::Room, &format!("/v1/records?grant={id}&limit=100")).await;
        if answer.status == 200 && answer.json()["records"].as_array().is_some_and(|found| !found.is_empty())
        {
            return (id.clone(), reader.views(&id, 100).await);
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("a new grant gives nothing to read");
}

#[tokio::test]
async fn two_grants_share_no_name_of_a_record_a_conversation_or_a_person() {
    let service = demo();
    let first = service.grant_of("min-low");
    let mine = service.person("researcher").views(&first, 100).await;
    let (second, theirs) = second_grant(service).await;
    assert_eq!(mine.len(), theirs.len(), "both select the ministry's records");
    let names = |views: &[Value], field: &str| -> BTreeSet<String> {
        views.iter().filter_map(|view| Some(view.get(field)?.as_str()?.to_owned())).collect()
    };
    for field in ["id", "conversation"] {
        assert!(names(&mine, field).is_disjoint(&names(&theirs, field)), "a {field} that joins two grants");
    }
    let by_text = |views: &[Value], words: &str| word(saying(views, words), "author").to_owned();
    let same = [MENTIONS_THREE_WAYS, THE_OTHERS_QUESTION]
        .iter()
        .filter(|w| by_text(&mine, w) == by_text(&theirs, w));
    assert!(same.count() < 2, "pseudonyms are drawn for each grant");
    let (mine, theirs) = (names(&mine, "author"), names(&theirs, "author"));
    let shared = mine.intersection(&theirs).count();
    assert!(shared * 2 < mine.len(), "{shared} of {} pseudonyms are the same", mine.len());

    // Neither reader can use the other's grant, and it answers as one that does not exist.
    let (one, other) =
        (service.person("researcher"), service.known_as("researcher", "hogeschool", "onderzoeker-2"));
    let absent = "01890000-0000-7000-8000-000000000000";
    for (reader, not_theirs) in [(&one, &second), (&other, &first)] {
        let strange = reader.get(Plane::Room, &format!("/v1/records?grant={not_theirs}")).await.expect(404);
        let none = reader.get(Plane::Room, &format!("/v1/records?grant={absent}")).await.expect(404);
        assert_eq!(strange.body, none.body);
    }

    // Ended, it gives nothing from then on.
    service.json(&["grant", "revoke", &second]);
    let after = other.get(Plane::Room, &format!("/v1/records?grant={second}")).await;
    assert!([403, 404].contains(&after.status), "{}: {}", after.status, after.text());
}

#[tokio::test]
async fn a_researcher_without_a_grant_is_told_of_nothing() {
    let service = demo();
    let stranger = service.known_as("researcher", "universiteit", "niemand");
    let researcher = service.person("researcher");
    let view = researcher.get(Plane::Room, "/v1/records").await.expect(200).json()["records"][0].clone();
    stranger.get(Plane::Room, "/v1/records").await.expect(404);
    stranger.search("waterbijdrage").await.expect(404);
    let absent = "01890000-0000-7000-8000-000000000000";
    for path in ["/v1/records/", "/v1/conversations/"] {
        let field = if path.contains("conversations") { "conversation" } else { "id" };
        let there = stranger.get(Plane::Room, &format!("{path}{}", word(&view, field))).await.expect(404);
        let not = stranger.get(Plane::Room, &format!("{path}{absent}")).await.expect(404);
        assert_eq!((there.body, there.headers.len()), (not.body, not.headers.len()), "{path}");
    }
}

#[tokio::test]
async fn a_record_read_by_itself_is_the_one_that_was_listed() {
    let service = demo();
    let (researcher, grant) = (service.person("researcher"), service.grant_of("dwv"));
    for view in researcher.views(&grant, 100).await {
        let path = format!("/v1/records/{}?grant={grant}", word(&view, "id"));
        assert_eq!(researcher.get(Plane::Room, &path).await.expect(200).json(), view);
    }
}

#[tokio::test]
async fn paging_gives_everything_once_whatever_the_page() {
    let service = demo();
    let (researcher, grant) = (service.person("researcher"), service.grant_of("dwv"));
    let whole = researcher.views(&grant, 100).await;
    for page in [1, 3, 7] {
        assert_eq!(researcher.views(&grant, page).await, whole, "pages of {page}");
    }
    let ids: BTreeSet<&str> = whole.iter().map(|view| word(view, "id")).collect();
    assert_eq!(ids.len(), whole.len());
}

#[tokio::test]
async fn searching_for_what_is_redacted_finds_nothing() {
    let service = demo();
    let researcher = service.person("researcher");
    for organisation in ["min-low", "dwv"] {
        let grant = service.grant_of(organisation);
        for canary in canaries() {
            let asked = json!({ "query": canary, "grant": grant });
            let answer = researcher.post(Plane::Room, "/v1/records/_search", &asked).await;
            if answer.status == 200 {
                let found = answer.json();
                assert_eq!(found["records"], json!([]), "`{canary}` is found in {organisation}");
                assert_eq!(found["count"], json!({ "fewerThan": 10 }), "`{canary}`");
            } else {
                assert_eq!(answer.status, 400, "`{canary}`: {}", answer.text());
            }
        }
    }
}

/// How many views a search gives, over all its pages, and the count it tells.
async fn found(service: &Service, asked: &Value) -> (usize, Value) {
    let researcher = service.person("researcher");
    let (mut seen, mut asked) = (BTreeSet::new(), asked.clone());
    loop {
        let page = researcher.post(Plane::Room, "/v1/records/_search", &asked).await.expect(200).json();
        for record in page["records"].as_array().unwrap() {
            assert!(seen.insert(word(record, "id").to_owned()), "a record is given twice");
        }
        match page.get("next") {
            Some(next) => asked["after"] = next.clone(),
            None => return (seen.len(), page["count"].clone()),
        }
    }
}

#[tokio::test]
async fn operators_quotes_and_wildcards_are_words_or_nothing() {
    let service = demo();
    let researcher = service.person("researcher");
    let (usual, _) = found(service, &json!({ "query": "waterbijdrage" })).await;
    assert!(usual > 0, "the word is there");
    for same in [
        "WATERBIJDRAGE",
        "\"waterbijdrage\"",
        "waterbijdrage*",
        "%waterbijdrage%",
        "#waterbijdrage",
        "(waterbijdrage)",
    ] {
        assert_eq!(found(service, &json!({ "query": same })).await.0, usual, "`{same}`");
    }
    for nothing in [
        "waterbijdr*",
        "waterbijdr%",
        "waterbijdrag_",
        "waterbijdrage OR qqqq",
        "waterbijdrage NOT qqqq",
        "NEAR(waterbijdrage qqqq)",
        "text:waterbijdrage",
        "' OR 1=1 --",
        "waterbijdrage'; DROP TABLE records; --",
        "waterbijdrage\u{0}qqqq",
        "qqqq",
    ] {
        assert_eq!(found(service, &json!({ "query": nothing })).await.0, 0, "`{nothing}`");
    }
    for no_word in ["", "%", "*", "'", "\"\"", "--", "\\", "()", "_", " \u{200b} "] {
        assert_eq!(researcher.search(no_word).await.status, 400, "`{no_word}`");
    }
    researcher.search(&"a".repeat(501)).await.expect(400);
    researcher.search(&(0..17).map(|n| format!("w{n} ")).collect::<String>()).await.expect(400);
    assert_eq!(found(service, &json!({ "query": "waterbijdrage" })).await.0, usual, "and all is still there");
}

#[tokio::test]
async fn counts_are_rounded_and_small_ones_are_not_told() {
    let service = demo();
    let mut told = BTreeSet::new();
    for organisation in ["min-low", "dwv"] {
        let grant = service.grant_of(organisation);
        for limits in [
            json!({ "from": "2000-01-01" }),
            json!({ "until": "2000-01-01" }),
            json!({ "query": "de" }),
            json!({ "query": "waterbijdrage" }),
            json!({ "query": "de", "from": "2026-03-09", "until": "2026-03-09" }),
        ] {
            let mut asked = limits.clone();
            asked["grant"] = json!(grant);
            asked["limit"] = json!(3);
            let (exact, count) = found(service, &asked).await;
            match count.get("about").and_then(Value::as_u64) {
                None => {
                    assert_eq!(count, json!({ "fewerThan": 10 }), "{exact}");
                    assert!(exact < 10, "{exact} is not fewer than ten");
                    told.insert("fewer");
                }
                Some(about) => {
                    assert!(about % 10 == 0 && about.abs_diff(exact as u64) <= 5, "{about} for {exact}");
                    assert!(exact >= 10);
                    told.insert("about");
                }
            }
        }
    }
    assert_eq!(told.len(), 2, "both forms were met: {told:?}");
}

#[tokio::test]
async fn labels_are_in_the_language_that_is_asked_for() {
    let service = demo();
    let researcher = service.person("researcher");
    let grant = service.grant_of("min-low");
    let mut seen = BTreeMap::new();
    for (asked, expected) in [
        ("", "nl"),
        ("nl", "nl"),
        ("nl-NL,nl;q=0.9,en;q=0.8", "nl"),
        ("en", "en"),
        ("en-GB,en;q=0.9", "en"),
        ("fr, en;q=0.5", "en"),
        ("fr", "nl"),
    ] {
        let request =
            researcher.request(Plane::Room, Method::GET, &format!("/v1/records?grant={grant}&limit=100"));
        let request = if asked.is_empty() { request } else { request.header("Accept-Language", asked) };
        let views = answer(request).await.expect(200).json();
        let labels: BTreeSet<String> = views["records"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(placeholders)
            .filter(|placeholder| word(placeholder, "type") == "USERNAME")
            .map(|placeholder| word(&placeholder, "label").to_owned())
            .collect();
        let labels: Vec<String> = labels.into_iter().collect();
        assert_eq!(labels, [if expected == "en" { "username" } else { "gebruikersnaam" }], "`{asked}`");
        let text = seen.entry(expected).or_insert_with(|| views.clone());
        assert_eq!(*text, views, "`{asked}`: the same view in the same language");
    }
}

/// How many records of an organisation are withheld because of a flag: judged by nobody, or kept so.
fn flagged(service: &Service, organisation: &str) -> usize {
    let asked = ["review", "list", "--organisation", organisation, "--reviewer", "beoordelaar-9"];
    let lists = [service.json(&asked), service.json(&[&asked[..], &["--judged"]].concat())];
    let items = lists.iter().flat_map(|list| list["items"].as_array().unwrap());
    let kept =
        |item: &&Value| item["flags"].as_array().unwrap().iter().any(|flag| flag["verdict"] != "release");
    items.filter(kept).count()
}

#[tokio::test]
async fn deleted_direct_and_followers_only_items_are_not_listed() {
    let service = demo();
    let researcher = service.person("researcher");
    for organisation in ["min-low", "dwv"] {
        for view in researcher.views(&service.grant_of(organisation), 100).await {
            let visibility = word(&view["metadata"], "visibility").to_owned();
            assert!(["public", "unlisted"].contains(&visibility.as_str()), "{visibility}");
            assert_ne!(word(&view["metadata"], "kind"), "message");
        }
    }
    // The same seen from the vault: what is kept, was open to everyone and still is, and nothing else, has a view.
    let decided = service.json(&["decisions", "--organisation", "min-low"]);
    let records = || decided["records"].as_array().unwrap().iter().map(|one| &one["record"]);
    let open = |record: &&Value| ["public", "unlisted"].contains(&word(record, "visibility"));
    let readable = records().filter(open).filter(|record| record["outcome"] == "archive");
    let readable =
        readable.filter(|record| record["withheld"].is_null()).count() - flagged(service, "min-low");
    let listed = researcher.views(&service.grant_of("min-low"), 100).await.len();
    assert_eq!(listed, readable);
    for (field, value) in [("visibility", "direct"), ("visibility", "followers"), ("withheld", "deleted")] {
        assert!(
            records().any(|record| record[field] == value),
            "the demo has a record of which {field} is {value}"
        );
    }
}
