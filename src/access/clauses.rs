//! Why a permit did not hold, in the words of its policy file.
//!
//! Each policy is taken apart into probes: its scope alone, and its scope with one clause at a time. When a
//! request is denied, the probes of the action's permits are evaluated together and what failed is told.

use super::Reason;
use cedar_policy::{
    AuthorizationError, Authorizer, Effect, Entities, EntityUid, Policy, PolicyId, PolicySet, Request, Schema,
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap, HashSet};

/// What a policy file says of one policy, beside the policy itself.
pub(super) struct PolicyText {
    pub(super) id: String,
    pub(super) plan: Option<String>,
    pub(super) english: Sentences,
    /// Where the file says it in Dutch too.
    pub(super) dutch: Option<Sentences>,
}

/// A policy in the words of one language.
pub(super) struct Sentences {
    pub(super) text: String,
    scope: String,
    clauses: Vec<String>,
}

/// How the names of annotations in Dutch end.
const DUTCH: &str = "_nl";

/// The probes of all permits, by action.
#[derive(Default)]
pub(super) struct Probes {
    by_action: HashMap<EntityUid, Probe>,
}

#[derive(Default)]
struct Probe {
    set: PolicySet,
    permits: Vec<String>,
}

impl PolicyText {
    /// Reads the annotations. Problems tell the mend; they name policies, not files.
    pub(super) fn read(policy: &Policy) -> Result<Self, String> {
        let Some(id) = policy.annotation("id").filter(|id| is_slug(id)) else {
            return Err(
                "a policy has no usable @id: give it one of a-z, 0-9 and '-', such as @id(\"official-opens-original\")"
                    .to_owned(),
            );
        };
        let known = |name: &str| {
            let name = name.strip_suffix(DUTCH).unwrap_or(name);
            matches!(name, "id" | "text" | "scope" | "plan") || name.starts_with("clause_")
        };
        if let Some((name, _)) = policy.annotations().find(|(name, _)| !known(name)) {
            return Err(format!(
                "policy `{id}` has @{name}, which is not known: use @id, @text, @scope, @plan, @clause_N, and for the \
                 sentences in Dutch the same with {DUTCH}"
            ));
        }
        let count = conditions(policy).map_err(|problem| format!("policy `{id}`: {problem}"))?.len();
        let dutch = policy.annotations().any(|(name, _)| name.ends_with(DUTCH));
        Ok(Self {
            id: id.to_owned(),
            plan: policy.annotation("plan").map(str::to_owned),
            english: Sentences::read(policy, id, count, "")?,
            dutch: dutch.then(|| Sentences::read(policy, id, count, DUTCH)).transpose()?,
        })
    }

    /// The sentence behind a part of a reason's code (`scope`, or the number of a clause), in Dutch.
    pub(super) fn part_in_dutch(&self, part: &str) -> Option<&str> {
        let dutch = self.dutch.as_ref()?;
        if part == "scope" {
            return Some(&dutch.scope);
        }
        let number: usize = part.parse().ok()?;
        dutch.clauses.get(number.checked_sub(1)?).map(String::as_str)
    }
}

impl Sentences {
    fn read(policy: &Policy, id: &str, clauses: usize, suffix: &str) -> Result<Self, String> {
        let asked = |name: &str| {
            let name = format!("{name}{suffix}");
            let text = policy.annotation(&name).filter(|text| !text.trim().is_empty());
            text.map(str::to_owned).ok_or_else(|| {
                format!("policy `{id}` needs @{name}(\"…\"), a sentence that says it in words")
            })
        };
        let told = policy.annotations().filter(|(name, _)| {
            let number = name.strip_suffix(suffix).and_then(|name| name.strip_prefix("clause_"));
            number.is_some_and(|number| !number.ends_with(DUTCH))
        });
        let told = told.count();
        let said = (1..=clauses).map(|n| asked(&format!("clause_{n}"))).collect::<Result<Vec<_>, _>>()?;
        if told != clauses {
            return Err(format!(
                "policy `{id}` has {told} @clause_N{suffix} for {clauses} clauses: make them as many"
            ));
        }
        Ok(Self { text: asked("text")?, scope: asked("scope")?, clauses: said })
    }
}

impl Probes {
    /// Takes the permits among the policies apart.
    pub(super) fn of(policies: &PolicySet, schema: &Schema) -> Result<Self, String> {
        let mut probes = Self::default();
        for policy in policies.policies().filter(|policy| policy.effect() == Effect::Permit) {
            let actions: HashSet<EntityUid> =
                policy.get_valid_request_envs(schema).map(|env| env.action().clone()).collect();
            let parts =
                take_apart(policy).map_err(|problem| format!("policy `{}`: {problem}", policy.id()))?;
            for action in actions {
                let probe = probes.by_action.entry(action).or_default();
                probe.permits.push(policy.id().to_string());
                for part in &parts {
                    probe.set.add(part.clone()).map_err(|problem| problem.to_string())?;
                }
            }
        }
        Ok(probes)
    }

    /// What failed in each permit of the action; empty when one of them holds wholly.
    pub(super) fn failing(
        &self,
        action: &EntityUid,
        request: &Request,
        entities: &Entities,
        texts: &BTreeMap<String, PolicyText>,
    ) -> Vec<Reason> {
        let Some(probe) = self.by_action.get(action) else {
            return Vec::new();
        };
        let response = Authorizer::new().is_authorized(request, &probe.set, entities);
        let held: HashSet<&PolicyId> = response.diagnostics().reason().collect();
        let failed: HashSet<&PolicyId> = response.diagnostics().errors().map(policy_of).collect();
        let mut reasons = Vec::new();
        for text in probe.permits.iter().filter_map(|id| texts.get(id)) {
            let missing = text.missing(&held, &failed);
            if missing.is_empty() {
                return Vec::new();
            }
            reasons.extend(missing);
        }
        reasons
    }
}

impl PolicyText {
    /// The scope when it does not match; else the clauses that are false; else those that cannot be evaluated
    /// (which is so when they ask about something an earlier clause requires to be there).
    fn missing(&self, held: &HashSet<&PolicyId>, failed: &HashSet<&PolicyId>) -> Vec<Reason> {
        if !held.contains(&probe_id(&self.id, 0)) {
            return vec![Reason::new(format!("{}#scope", self.id), self.english.scope.as_str())];
        }
        let (mut untrue, mut unclear) = (Vec::new(), Vec::new());
        for (n, clause) in (1..).zip(&self.english.clauses) {
            let probe = probe_id(&self.id, n);
            let reason = || Reason::new(format!("{}#{n}", self.id), clause.as_str());
            if failed.contains(&probe) {
                unclear.push(reason());
            } else if !held.contains(&probe) {
                untrue.push(reason());
            }
        }
        if untrue.is_empty() { unclear } else { untrue }
    }
}

/// The policy an evaluation error belongs to.
pub(super) fn policy_of(error: &AuthorizationError) -> &PolicyId {
    match error {
        AuthorizationError::PolicyEvaluationError(error) => error.policy_id(),
    }
}

fn take_apart(policy: &Policy) -> Result<Vec<Policy>, String> {
    let whole = policy.to_json().map_err(|problem| problem.to_string())?;
    let clauses = conditions(policy)?;
    let scope = (0, Vec::new());
    let parts = std::iter::once(scope).chain((1..).zip(clauses.into_iter().map(|clause| vec![clause])));
    parts
        .map(|(n, conditions)| {
            let mut part = whole.clone();
            if let Some(fields) = part.as_object_mut() {
                fields.insert("conditions".to_owned(), Value::Array(conditions));
                fields.insert("annotations".to_owned(), json!({}));
            }
            Policy::from_json(Some(probe_id(policy.id().as_ref(), n)), part)
                .map_err(|problem| problem.to_string())
        })
        .collect()
}

fn conditions(policy: &Policy) -> Result<Vec<Value>, String> {
    let json = policy.to_json().map_err(|problem| problem.to_string())?;
    Ok(json.get("conditions").and_then(Value::as_array).cloned().unwrap_or_default())
}

fn probe_id(policy: &str, part: usize) -> PolicyId {
    PolicyId::new(format!("{policy}#{part}"))
}

fn is_slug(id: &str) -> bool {
    (1..=64).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}
