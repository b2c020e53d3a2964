//! From an issuer's claims to a role, an organisation and a person, by what the configuration says of that issuer.

use super::{MACHINES, Person, Subject, TokenRefusal, bounded};
use crate::model::{OrganisationId, Role};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Where in the claims it stands who someone is (JSON pointers), and what the issuer's words mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimMapping {
    /// Where the role stands.
    pub role: String,
    /// What the issuer's words for roles mean; when empty, the word is the role itself.
    pub roles: BTreeMap<String, Role>,
    /// Whose the bearer is.
    pub organisation: OrganisationSource,
    /// Where the person stands.
    pub person: String,
    /// Among whose persons that value counts; the issuer's own when `None`.
    pub persons_of: Option<String>,
}

/// How an organisation is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrganisationSource {
    /// In a claim, in words that mean an organisation; when there are none, the word is its id itself.
    Claim(String, BTreeMap<String, OrganisationId>),
    /// It is always this one.
    Always(OrganisationId),
}

const PERSON_CHARS_MAX: usize = 255;

impl Default for ClaimMapping {
    fn default() -> Self {
        Self {
            role: "/role".to_owned(),
            roles: BTreeMap::new(),
            organisation: OrganisationSource::Claim("/organisation".to_owned(), BTreeMap::new()),
            person: "/sub".to_owned(),
            persons_of: None,
        }
    }
}

impl ClaimMapping {
    /// The one role: a token that names two is refused, so that nobody holds both at once.
    pub(super) fn role(&self, claims: &Value) -> Result<Role, TokenRefusal> {
        let stated = claims.pointer(&self.role).ok_or(TokenRefusal::Role)?;
        if self.roles.is_empty() {
            return stated.as_str().and_then(|word| word.parse().ok()).ok_or(TokenRefusal::Role);
        }
        let known: BTreeSet<Role> =
            words(stated)?.into_iter().filter_map(|word| self.roles.get(word)).copied().collect();
        let mut known = known.into_iter();
        match (known.next(), known.next()) {
            (Some(one), None) => Ok(one),
            _ => Err(TokenRefusal::Role),
        }
    }

    pub(super) fn organisation(&self, claims: &Value) -> Result<OrganisationId, TokenRefusal> {
        let found = match &self.organisation {
            OrganisationSource::Always(one) => Some(one.clone()),
            OrganisationSource::Claim(path, known) => {
                let word = claims.pointer(path).and_then(Value::as_str);
                if known.is_empty() {
                    word.and_then(|word| word.parse().ok())
                } else {
                    word.and_then(|word| known.get(word)).cloned()
                }
            }
        };
        // The organisation that owns nothing stands for what is absent: nobody works for it.
        found.filter(|id| *id != OrganisationId::nobody()).ok_or(TokenRefusal::Organisation)
    }

    pub(super) fn person(&self, issuer: &str, claims: &Value) -> Result<Person, TokenRefusal> {
        let id = claims.pointer(&self.person).and_then(Value::as_str);
        let id = id.and_then(|id| bounded(id, PERSON_CHARS_MAX)).ok_or(TokenRefusal::Person)?;
        let realm = self.persons_of.as_deref().unwrap_or(issuer);
        if realm == MACHINES {
            return Err(TokenRefusal::Person);
        }
        Ok(Person { realm: realm.to_owned(), id: Subject(id) })
    }
}

/// A list of texts; one text is the list of its words, as in `scope`, or, where it is a whole phrase, that phrase.
fn words(stated: &Value) -> Result<Vec<&str>, TokenRefusal> {
    match stated {
        Value::String(text) => Ok(std::iter::once(text.as_str()).chain(text.split(' ')).collect()),
        Value::Array(list) => {
            list.iter().map(|word| word.as_str().ok_or(TokenRefusal::Role)).collect::<Result<_, _>>()
        }
        _ => Err(TokenRefusal::Role),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn mapping() -> ClaimMapping {
        ClaimMapping {
            role: "/realm_access/roles".to_owned(),
            roles: [("lezen", Role::Researcher), ("lezer", Role::Researcher), ("open maken", Role::Official)]
                .map(|(word, role)| (word.to_owned(), role))
                .into(),
            organisation: OrganisationSource::Claim(
                "/org~1oin".to_owned(),
                [("00000001".to_owned(), "min-low".parse().unwrap())].into(),
            ),
            person: "/employee".to_owned(),
            persons_of: Some("rijk".to_owned()),
        }
    }

    #[test]
    fn exactly_one_of_the_words_is_a_role() {
        let role = |stated: Value| mapping().role(&json!({ "realm_access": { "roles": stated } })).ok();
        assert_eq!(role(json!(["offline_access", "lezen", "uma"])), Some(Role::Researcher));
        assert_eq!(role(json!(["lezen", "lezer"])), Some(Role::Researcher), "two words for one role");
        assert_eq!(role(json!("openid lezen")), Some(Role::Researcher));
        assert_eq!(role(json!("open maken")), Some(Role::Official));
        for bad in [
            json!(["lezen", "open maken"]),
            json!([]),
            json!(["official", "researcher"]),
            json!("official"),
            json!(["lezen", 7]),
            json!({ "lezen": true }),
            json!(null),
            json!("LEZEN"),
        ] {
            assert_eq!(role(bad.clone()), None, "{bad}");
        }
        assert_eq!(mapping().role(&json!({ "roles": ["lezen"] })), Err(TokenRefusal::Role));
    }

    #[test]
    fn an_organisation_is_one_that_the_configuration_knows() {
        let of = |word: &str| mapping().organisation(&json!({ "org/oin": word })).ok();
        assert_eq!(of("00000001"), "min-low".parse().ok());
        assert_eq!(of("min-low"), None, "a word that has a meaning here, but not from this issuer");
        let always =
            ClaimMapping { organisation: OrganisationSource::Always("dwv".parse().unwrap()), ..mapping() };
        assert_eq!(always.organisation(&json!({ "org/oin": "00000001" })).ok(), "dwv".parse().ok());
        let bare = ClaimMapping::default();
        assert_eq!(
            bare.organisation(&json!({ "organisation": "nobody" })),
            Err(TokenRefusal::Organisation),
            "the organisation that owns nothing"
        );
    }

    #[test]
    fn two_subjects_with_one_person_are_one_and_without_the_claim_nobody() {
        let of = |claims: Value| mapping().person("https://a.example", &claims);
        let (one, two) =
            (of(json!({ "sub": "a", "employee": "7" })), of(json!({ "sub": "b", "employee": "7" })));
        assert_eq!(one, two);
        assert_eq!(one.unwrap().realm, "rijk");
        for bad in [json!({ "sub": "a" }), json!({ "employee": 7 }), json!({ "employee": " " })] {
            assert_eq!(of(bad.clone()), Err(TokenRefusal::Person), "{bad}");
        }
        let bare = ClaimMapping::default().person("https://a.example", &json!({ "sub": "a" })).unwrap();
        assert_eq!((bare.realm.as_str(), bare.id.expose()), ("https://a.example", "a"));
    }
}
