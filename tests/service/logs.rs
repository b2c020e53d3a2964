//! What the programs write to their output and logs: no content, no name, no token, no search word.

use super::captures::{alone, capture, reaction, served};
use super::fixture::{Plane, demo, holds_no_canary, sample, temp, write};
use serde_json::json;

#[tokio::test]
async fn the_most_talkative_log_holds_nothing_of_what_was_asked_found_or_opened() {
    let _alone = alone().await;
    let service = served();
    let secrets =
        ["zoekwoordzwanenbloem", "beweegredenboterbloem", "zaak-4711-dotterbloem", "inhoudkorenbloem"];
    let [search, motivation, case, content] = secrets;
    let mut tokens = Vec::new();
    for role in ["researcher", "official", "harvester", "records-manager"] {
        let person = service.person(role);
        for plane in [Plane::Room, Plane::Vault] {
            for path in
                ["/v1/records?limit=100", "/v1/records/01890000-0000-7000-8000-000000000000", "/v1/status"]
            {
                person.get(plane, path).await;
            }
        }
        person.search(search).await;
        person.get(Plane::Room, &format!("/v1/records?nonsense={search}")).await;
        person.get(Plane::Vault, &format!("/v1/{search}")).await;
        person.post(Plane::Room, "/v1/records/_search", &json!({ "query": [search] })).await;
        tokens.push(match role {
            "researcher" => service.token(role, "universiteit", "onderzoeker-1"),
            "official" => service.token(role, "min-low", "ambtenaar-1"),
            _ => continue,
        });
    }
    let official = service.person("official");
    let records = official.get(Plane::Vault, "/v1/records?outcome=archive").await.expect(200).json();
    let path = format!("/v1/records/{}/disclosures", records["records"][0]["id"].as_str().unwrap());
    let body = json!({ "legalBasis": "woo-request", "caseNumber": case, "motivation": motivation });
    official.post(Plane::Vault, &path, &body).await.expect(201);
    let body = json!({ "legalBasis": "curiosity", "caseNumber": case, "motivation": motivation });
    official.post(Plane::Vault, &path, &body).await.expect(403);
    let harvester = service.person("harvester");
    harvester.deliver("low-mastodon", &capture(&[reaction("116200000000000100", content)])).await.expect(201);
    harvester.deliver("low-mastodon", format!("{{\"{content}\": ").as_bytes()).await.expect(400);
    harvester.deliver("low-mastodon", &sample("low-mastodon-2-context.json")).await.expect(201);
    service.bearing(Some(&format!("{}x", tokens[0]))).get(Plane::Vault, "/v1/status").await.expect(401);

    let log = service.output();
    assert!(log.lines().count() > 20 && log.contains("answered"), "the log is talkative:\n{log}");
    assert!(log.contains("/v1/records/{id}"), "requests stand in it by route");
    for secret in secrets {
        assert!(!log.contains(secret), "`{secret}` stands in the log");
    }
    for token in &tokens {
        for part in token.split('.').skip(1) {
            assert!(!log.contains(part), "a part of a token stands in the log");
        }
    }
    for person in ["onderzoeker-1", "ambtenaar-1", "Quakelbeen", "wobbe_q"] {
        assert!(!log.contains(person), "`{person}` stands in the log");
    }
    holds_no_canary(&log, "the log");
}

#[tokio::test]
async fn what_the_demo_and_the_commands_print_names_nobody() {
    let service = demo();
    let temp = temp();
    let mut said = service.output();
    for arguments in [
        &["channel", "list"][..],
        &["grant", "list"],
        &["status"],
        &["verify"],
        &["decisions", "--organisation", "min-low"],
        &["decisions", "--organisation", "dwv", "--json"],
    ] {
        said.push_str(&service.run(arguments).ok().said());
    }
    for name in ["low-mastodon-2-context.json", "low-mastodon-5-direct.json"] {
        let whole = sample(name);
        let cut = write(temp.path(), "cut.json", &whole[..whole.len() / 2]);
        said.push_str(&service.run(&["ingest", "--channel", "low-mastodon", &cut]).refused(&[]).said());
        let file = write(temp.path(), name, &whole);
        said.push_str(&service.run(&["ingest", "--channel", "low-mastodon", &file]).ok().said());
        said.push_str(&service.run(&["ingest", "--dry-run", &cut]).said());
    }
    holds_no_canary(&said, "what is printed");
}
