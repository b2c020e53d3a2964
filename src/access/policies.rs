//! The policy files, checked once, and the one decision they give.

use super::Reason;
use super::cedar::{Names, Question};
use super::clauses::{PolicyText, Probes, policy_of};
use cedar_policy::{
    Authorizer, Decision, Effect, Entities, Entity, EntityUid, PolicyId, PolicySet, Request, Response,
    Schema, ValidationMode, Validator,
};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::error::Error;
use std::fmt;

/// A policy or list that cannot be used. Always about files that belong to the service, never about a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// The Cedar schema does not parse or misses something the code asks about.
    #[error("access schema: {problem}")]
    Schema {
        /// What is wrong and the mend.
        problem: String,
    },
    /// Policies that do not parse, do not fit the schema, or do not say what they are. All at once.
    #[error("access policies: {}", problems.join("; "))]
    Policies {
        /// File, policy, what is wrong, the mend.
        problems: Vec<String>,
    },
    /// The list of legal bases does not hold together.
    #[error("legal bases `{file}`: {problem}")]
    LegalBases {
        /// The file.
        file: String,
        /// What is wrong and the mend.
        problem: String,
    },
}

/// The checked access policies. Immutable; shared between threads.
pub struct Policies {
    schema: Schema,
    actions: HashMap<EntityUid, Entity>,
    by_action: HashMap<EntityUid, PolicySet>,
    #[cfg(test)]
    all: PolicySet,
    texts: BTreeMap<String, PolicyText>,
    probes: Probes,
    names: Names,
}

impl Policies {
    /// Reads and checks a schema and policy files, each a pair of name and text.
    ///
    /// Refused: what does not parse, what does not validate strictly against the schema (warnings too),
    /// templates, policies without `@id`, `@text`, `@scope` or one `@clause_N` for each clause, ids that
    /// stand twice, and a schema without an action or resource kind that the code asks about.
    ///
    /// # Errors
    /// [`AccessError::Schema`] or [`AccessError::Policies`], with every problem, its file and the mend.
    pub fn load(schema: &str, policies: &[(&str, &str)]) -> Result<Self, AccessError> {
        let names = Names::parse().map_err(schema_problem)?;
        let (schema, actions) = read_schema(schema, &names)?;
        let mut reading = Reading::default();
        for (file, text) in policies {
            reading.read(file, text);
        }
        reading.validate(&schema);
        if reading.set.is_empty() {
            reading.problems.push("there is no policy: add the files of policies/access".to_owned());
        }
        if !reading.problems.is_empty() {
            return Err(AccessError::Policies { problems: reading.problems });
        }
        let probes = Probes::of(&reading.set, &schema)
            .map_err(|problem| AccessError::Policies { problems: vec![problem] })?;
        let by_action = by_action(&reading.set, &schema)?;
        Ok(Self {
            schema,
            actions,
            by_action,
            #[cfg(test)]
            all: reading.set,
            texts: reading.texts,
            probes,
            names,
        })
    }

    /// The redaction plans that policies name, sorted: the caller checks that each exists.
    pub fn plans(&self) -> impl Iterator<Item = &str> {
        let plans: BTreeSet<&str> = self.texts.values().filter_map(|text| text.plan.as_deref()).collect();
        plans.into_iter()
    }

    /// The sentence that says what a policy is for; `None` when there is no such policy.
    #[must_use]
    pub fn text_of(&self, policy: &str) -> Option<&str> {
        self.texts.get(policy).map(|text| text.english.text.as_str())
    }

    pub(super) fn said_of(&self, policy: &str) -> Option<&PolicyText> {
        self.texts.get(policy)
    }

    /// How many policies there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.texts.len()
    }

    pub(super) fn plan_of(&self, policy: &str) -> Option<&str> {
        self.texts.get(policy).and_then(|text| text.plan.as_deref())
    }

    pub(super) const fn names(&self) -> &Names {
        &self.names
    }

    /// The permits that decided, sorted; or every reason why not. Fails closed: a question that does not
    /// fit the schema and a policy that cannot be evaluated are refusals.
    pub(super) fn decide(&self, question: &Option<Question>) -> Result<Vec<String>, Vec<Reason>> {
        let Some(question) = question else { return Err(vec![unfit()]) };
        let Some((request, entities)) = self.fit(question) else { return Err(vec![unfit()]) };
        let Some(set) = self.by_action.get(question.action()) else { return Err(vec![no_permit()]) };
        let response = Authorizer::new().is_authorized(&request, set, &entities);
        let failures: Vec<Reason> = response
            .diagnostics()
            .errors()
            .map(|error| {
                Reason::new(format!("{}#failed", policy_of(error)), "the policy could not be evaluated")
            })
            .collect();
        if response.decision() == Decision::Allow && failures.is_empty() {
            return Ok(deciding(&response));
        }
        let mut reasons = failures;
        if response.decision() == Decision::Deny {
            reasons.extend(deciding(&response).into_iter().map(|id| self.forbidden(&id)));
            reasons.extend(self.probes.failing(question.action(), &request, &entities, &self.texts));
        }
        if reasons.is_empty() {
            reasons.push(Reason::new("access#undecided", "a policy must permit it"));
        }
        Err(reasons)
    }

    /// Entities are not validated again here: that every kind and role fits was checked at load.
    fn fit(&self, question: &Question) -> Option<(Request, Entities)> {
        let (principal, action, resource) = question.uids();
        let context = question.context().ok()?;
        let request = Request::new(principal, action, resource, context, Some(&self.schema)).ok()?;
        let [person, thing] = question.entities().ok()?;
        let action = self.actions.get(question.action())?.clone();
        let entities = Entities::from_entities([person, thing, action], None).ok()?;
        Some((request, entities))
    }

    /// Whether the whole set decides as the set of the action does.
    #[cfg(test)]
    pub(super) fn whole_set_agrees(&self, question: &Option<Question>) -> bool {
        let Some((request, entities)) = question.as_ref().and_then(|question| self.fit(question)) else {
            return self.decide(question).is_err();
        };
        let whole = Authorizer::new().is_authorized(&request, &self.all, &entities);
        let allowed = whole.decision() == Decision::Allow && whole.diagnostics().errors().next().is_none();
        self.decide(question).ok() == allowed.then(|| deciding(&whole))
    }

    fn forbidden(&self, policy: &str) -> Reason {
        Reason::new(policy, self.text_of(policy).unwrap_or("a policy forbids it"))
    }
}

impl fmt::Debug for Policies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policies").field("count", &self.count()).finish_non_exhaustive()
    }
}

/// Policies as they come in, with every problem met.
#[derive(Default)]
struct Reading {
    set: PolicySet,
    texts: BTreeMap<String, PolicyText>,
    files: BTreeMap<String, String>,
    problems: Vec<String>,
}

impl Reading {
    fn read(&mut self, file: &str, text: &str) {
        let read: PolicySet = match text.parse() {
            Ok(read) => read,
            Err(problem) => {
                self.problems.push(format!("`{file}` does not parse: {problem}"));
                return;
            }
        };
        if read.templates().next().is_some() {
            self.problems
                .push(format!("`{file}` has a template: write policies without ?principal or ?resource"));
        }
        for policy in read.policies() {
            match PolicyText::read(policy) {
                Err(problem) => self.problems.push(format!("`{file}`: {problem}")),
                Ok(text) if self.files.contains_key(&text.id) => {
                    self.problems.push(format!("`{file}`: the @id `{}` is taken: choose another", text.id));
                }
                Ok(text) => self.take(file, policy.new_id(PolicyId::new(&text.id)), text),
            }
        }
    }

    fn take(&mut self, file: &str, policy: cedar_policy::Policy, text: PolicyText) {
        if text.plan.is_some() && policy.effect() == Effect::Forbid {
            self.problems.push(format!("`{file}`: `{}` forbids, so it names no @plan: remove it", text.id));
        }
        if let Err(problem) = self.set.add(policy) {
            self.problems.push(format!("`{file}`: {problem}"));
        }
        self.files.insert(text.id.clone(), file.to_owned());
        self.texts.insert(text.id.clone(), text);
    }

    fn validate(&mut self, schema: &Schema) {
        let found = Validator::new(schema.clone()).validate(&self.set, ValidationMode::Strict);
        let errors =
            found.validation_errors().map(|error| (error.policy_id().to_string(), error.to_string()));
        let warnings =
            found.validation_warnings().map(|warning| (warning.policy_id().to_string(), warning.to_string()));
        for (policy, problem) in errors.chain(warnings) {
            let file = self.files.get(&policy).map_or("?", String::as_str);
            self.problems.push(format!("`{file}`: policy `{policy}` does not fit the schema: {problem}"));
        }
    }
}

/// The schema with its action entities, checked to have whatever the code will ask about.
fn read_schema(text: &str, names: &Names) -> Result<(Schema, HashMap<EntityUid, Entity>), AccessError> {
    let (schema, warnings) = Schema::from_cedarschema_str(text).map_err(schema_problem)?;
    if let Some(warning) = warnings.into_iter().next() {
        return Err(schema_problem(warning));
    }
    let known: BTreeSet<String> = schema.actions().map(ToString::to_string).collect();
    let actions = names.actions().into_iter().map(|action| action.to_string());
    let kinds: BTreeSet<String> = schema.entity_types().map(ToString::to_string).collect();
    let resources = names.resources().map(ToString::to_string);
    let missing: Vec<String> = actions
        .filter(|action| !known.contains(action))
        .chain(resources.filter(|kind| !kinds.contains(kind)))
        .collect();
    if !missing.is_empty() {
        return Err(schema_problem(format!("it lacks {}: declare them", missing.join(", "))));
    }
    for sample in names.samples() {
        let entities = sample.entities().map_err(schema_problem)?;
        Entities::from_entities(entities, Some(&schema)).map_err(schema_problem)?;
    }
    let actions = schema.action_entities().map_err(schema_problem)?;
    Ok((schema, actions.iter().map(|action| (action.uid(), action.clone())).collect()))
}

/// The policies that can hold for each action. What is left out is false for every request that fits the
/// schema, as strict validation shows; a test compares with the whole set.
fn by_action(all: &PolicySet, schema: &Schema) -> Result<HashMap<EntityUid, PolicySet>, AccessError> {
    let mut sets: HashMap<EntityUid, PolicySet> = HashMap::new();
    for policy in all.policies() {
        let actions: HashSet<EntityUid> =
            policy.get_valid_request_envs(schema).map(|env| env.action().clone()).collect();
        for action in actions {
            let added = sets.entry(action).or_default().add(policy.clone());
            added.map_err(|problem| AccessError::Policies { problems: vec![problem.to_string()] })?;
        }
    }
    Ok(sets)
}

fn schema_problem(problem: impl Into<Box<dyn Error>>) -> AccessError {
    let problem = problem.into();
    let mut told = problem.to_string();
    let mut source = problem.source();
    while let Some(cause) = source {
        told = format!("{told}: {cause}");
        source = cause.source();
    }
    AccessError::Schema { problem: told }
}

fn no_permit() -> Reason {
    Reason::new("access#no-permit", "no policy permits this action to anyone")
}

fn unfit() -> Reason {
    Reason::new("access#schema", "the request must fit the schema of the policies")
}

fn deciding(response: &Response) -> Vec<String> {
    let mut ids: Vec<String> = response.diagnostics().reason().map(ToString::to_string).collect();
    ids.sort_unstable();
    ids
}

#[cfg(test)]
mod tests;
