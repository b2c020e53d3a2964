//! How fast one person may ask, on both planes.

use super::fixture::{Answer, Plane, Service, temp};

#[track_caller]
fn over(answer: &Answer) {
    assert_eq!(answer.status, 429, "{}", answer.text());
    let seconds: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert_eq!(answer.json()["type"], "/problems/too-many-requests");
}

#[tokio::test]
async fn more_than_a_minutes_worth_is_answered_with_429_and_when_to_come_back() {
    let temp = temp();
    // So few that none comes back while this is asked: one in twenty seconds, and one in a minute.
    let set = [("KNIK_LIMITS__REQUESTS_PER_MINUTE", "3"), ("KNIK_LIMITS__SEARCHES_PER_MINUTE", "1")];
    let service = Service::start(temp.path(), None, &["demo", "--port", "0"], &set);
    let researcher = service.person("researcher");
    let other_role = service.known_as("public", "universiteit", "onderzoeker-1");
    let someone = service.known_as("researcher", "universiteit", "onderzoeker-2");
    let (official, another) =
        (service.person("official"), service.known_as("official", "min-low", "ambtenaar-2"));
    researcher.search("waterbijdrage").await.expect(200);
    over(&researcher.search("waterbijdrage").await);
    // Searches are used up, requests are not.
    for _ in 0..2 {
        researcher.get(Plane::Room, "/v1/records?limit=1").await.expect(200);
    }
    over(&researcher.get(Plane::Room, "/v1/records?limit=1").await);
    // What is not there counts as what is.
    over(&researcher.get(Plane::Room, "/v1/records/01890000-0000-7000-8000-000000000000").await);
    // Neither another role nor another token gives the person another allowance; another person has one.
    over(&other_role.get(Plane::Room, "/v1/records").await);
    someone.get(Plane::Room, "/v1/records").await.expect(404);
    for _ in 0..3 {
        official.get(Plane::Vault, "/v1/records?limit=1").await.expect(200);
    }
    over(&official.get(Plane::Vault, "/v1/records?limit=1").await);
    over(&official.get(Plane::Vault, "/v1/channels").await);
    another.get(Plane::Vault, "/v1/channels").await.expect(200);
    // What needs no token is not anyone's, and a token that does not hold uses nobody's allowance.
    service.bearing(Some("rubbish")).get(Plane::Vault, "/v1/channels").await.expect(401);
    service.bearing(None).get(Plane::Vault, "/v1/health").await.expect(200);
}
