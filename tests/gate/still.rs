//! Whoever opens many originals with one request is asked again before each: revoked or expired, they get no more.

use crate::intake::disclosure::{entries, official};
use crate::support::{TestVault, start};
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::web::Data;
use actix_web::{App, body::to_bytes};
use futures_util::future::BoxFuture;
use knik::access::Actor;
use knik::config::Limits;
use knik::http::token::{DEMO_ISSUER, DevelopmentIssuer, Minting, Renewal, Verifier};
use knik::http::vault::{VaultDesk, routes};
use knik::http::{Admission, Pace, Revocations};
use knik::ledger::EntryKind;
use knik::model::{ActorId, GrantId, OpeningScope, RevocationDigest, Role, Timestamp};
use knik::store::StoreError;
use knik::vault::openings::{Asking, request};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Says of whoever asks that they are revoked once it was asked so often.
struct RevokedAfter {
    times: u64,
    asked: Arc<AtomicU64>,
}

impl Revocations for RevokedAfter {
    fn revoked(&self, _: Vec<RevocationDigest>) -> BoxFuture<'_, Result<bool, StoreError>> {
        Box::pin(async move { Ok(self.asked.fetch_add(1, Ordering::SeqCst) >= self.times) })
    }
}

/// A vault with a request of one official that reaches five records.
async fn asked() -> (TestVault, GrantId) {
    let (vault, _) = TestVault::loaded(83).await;
    let (issuer, now) = (DEMO_ISSUER, vault.archive.sources.now());
    let fresh = ActorId::from_uuid(uuid::Uuid::from_u128(41));
    let id = vault.archive.catalogue.actor(issuer, "ambtenaar-1", fresh, now).await.unwrap();
    let ann = Actor { id, ..official("min-low") };
    let all = vault.archive.catalogue.records(&ann.organisation, None, None, 5).await.unwrap();
    let asking = Asking {
        basis: "woo-request".parse().unwrap(),
        scope: OpeningScope::Record,
        records: all.iter().map(|record| record.id).collect(),
        case_number: "WOO-1".into(),
        motivation: "asked by the chamber in letter 31".into(),
        recipient: "Griffie".into(),
        until: None,
        break_glass: false,
    };
    let made = request(&vault.archive, &vault.rules, &ann, asking).await.unwrap();
    assert_eq!(made.records.len(), 5);
    (vault, made.row.id)
}

/// What a step of the request answers to a bearer who is revoked after so many look-ups, or whose token expires with them.
async fn answer(vault: &TestVault, id: GrantId, step: &str, revoked: u64, expired: u64) -> (u16, String) {
    let _numbering = vault.numbering();
    let asked = Arc::new(AtomicU64::new(0));
    let issuer = DevelopmentIssuer::new(&[7; 32], "https://knik.example").unwrap();
    let verifier = Arc::new(Verifier::new(vec![issuer.issuer().unwrap()]));
    let keys = Arc::new(Renewal::new(Arc::clone(&verifier), HashMap::new(), start, |_, _| ()));
    let minting = Minting {
        subject: "ambtenaar-1",
        role: Role::Official,
        organisation: &"min-low".parse().unwrap(),
        now: start(),
        lifetime_seconds: 60,
        jti: "one",
    };
    let token = issuer.mint(&minting).unwrap();
    let looked = Arc::clone(&asked);
    let clock = move || -> Timestamp {
        let over = looked.load(Ordering::SeqCst) >= expired;
        if over { start().plus_seconds(3_600) } else { start() }
    };
    let no_limits = Limits { requests_per_minute: 0, searches_per_minute: 0 };
    let desk = VaultDesk {
        archive: vault.archive.clone(),
        rules: vault.rules.clone(),
        spool: std::env::temp_dir(),
        upload_bytes_max: 1,
        pace: Arc::new(Pace::new(&no_limits, start)),
    };
    let revocations = Arc::new(RevokedAfter { times: revoked, asked });
    let app = App::new()
        .app_data(Data::new(Admission::new(verifier, keys, revocations, clock)))
        .app_data(Data::new(desk))
        .configure(routes);
    let app = init_service(app).await;
    let request = TestRequest::post()
        .uri(&format!("/v1/openings/{id}/{step}"))
        .insert_header(("Authorization", format!("Bearer {token}")));
    let answer = call_service(&app, request.to_request()).await;
    let status = answer.status().as_u16();
    let bytes = to_bytes(answer.into_body()).await.unwrap_or_default();
    (status, String::from_utf8(bytes.to_vec()).unwrap())
}

async fn count(vault: &TestVault, from: usize, kind: EntryKind) -> usize {
    entries(vault, from).await.iter().filter(|entry| entry.kind() == kind).count()
}

const NEVER: u64 = u64::MAX;
/// Once when they came in, and before each of two originals.
const TWO: u64 = 3;

#[actix_web::test]
async fn a_package_ends_when_its_bearer_may_not_come_in_any_more() {
    let (vault, id) = asked().await;
    for (revoked, expired) in [(TWO, NEVER), (NEVER, TWO)] {
        let from = entries(&vault, 0).await.len();
        let (status, text) = answer(&vault, id, "packages", revoked, expired).await;
        assert_eq!(status, 201);
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert!(lines[..2].iter().all(|line| line["original"].is_array()));
        assert_eq!(lines[2]["problem"]["status"], 401);
        assert_eq!(count(&vault, from, EntryKind::DisclosureIntended).await, 2);
    }
    let whole = answer(&vault, id, "packages", NEVER, NEVER).await.1;
    assert!(whole.lines().count() == 5 && !whole.contains("problem"), "{whole}");
}

#[actix_web::test]
async fn a_page_is_not_made_for_who_may_not_come_in_any_more() {
    let (vault, id) = asked().await;
    let from = entries(&vault, 0).await.len();
    let (status, text) = answer(&vault, id, "renditions", TWO, NEVER).await;
    assert_eq!(status, 401, "{text}");
    assert_eq!(count(&vault, from, EntryKind::DisclosureIntended).await, 2);
    assert_eq!(
        count(&vault, from, EntryKind::DisclosureFailed).await,
        2,
        "what was opened was not handed over"
    );
    assert_eq!(answer(&vault, id, "renditions", NEVER, NEVER).await.0, 201);
}
