//! `knik policy`: access policies tried before they are used. Needs no data folder.

use super::embedded::{self, RoomRules, RuleFiles};
use super::print;
use crate::access::{
    Action, Actor, Approval, Assignment, Explained, GrantFacts, LegalBases, OpeningRequest, Outside,
    Policies, Request, Resource, ResourceKind,
};
use crate::model::{
    ActorId, GrantId, Language, LegalBasisCode, OrganisationId, PrivateText, RecordId, Role, Timestamp,
};
use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;
use uuid::Uuid;

#[derive(Subcommand)]
pub(super) enum PolicyCommand {
    /// Read access policies, check them against their schema, and try what no policies may ever allow; exit 1 when they do.
    #[command(after_help = "Example: knik policy check\n         knik policy check ./policies")]
    Check {
        /// A folder as `policies/` is (with `access/`, `redaction-plans.yaml` and so on); what comes with the program when
        /// absent.
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
    /// Say whether a request would be allowed, and which policies decide it.
    #[command(
        after_help = "Example: knik policy explain --as official@min-low --do read-vault-view --on vault-record@min-low\n         \
        knik policy explain --as researcher@universiteit --do read-record --on record@min-low --grant-until 2027-01-01T00:00:00Z\n         \
        knik policy explain --as official@min-low --do open-original --on original@min-low --basis woo-request \\\n    \
        --case-number WOO-2026-17 --motivation 'search for a request under the Woo'\n         \
        knik policy explain --as approver@min-low --do approve-grant --on grant-file@min-low --mandate-until 2027-01-01T00:00:00Z --language nl"
    )]
    Explain(Box<ExplainArguments>),
}

#[derive(Args)]
pub(super) struct ExplainArguments {
    /// Who asks: role@organisation.
    #[arg(long = "as", value_name = "ROLE@ORGANISATION")]
    who: RoleOf,
    /// What they ask to do, such as read-record, open-original, approve-grant.
    #[arg(long = "do", value_name = "ACTION", value_parser = action)]
    what: Action,
    /// With what: kind@organisation, or a kind that is nobody's (ledger, service, receipt).
    #[arg(long = "on", value_name = "KIND[@ORGANISATION]")]
    thing: ThingOf,
    /// The asker holds a grant of that organisation that selects it, until then.
    #[arg(long)]
    grant_until: Option<Timestamp>,
    /// The grant was revoked.
    #[arg(long, requires = "grant_until")]
    grant_revoked: bool,
    /// The grant is for files.
    #[arg(long, requires = "grant_until")]
    grant_export: bool,
    /// The grant does not select it.
    #[arg(long, requires = "grant_until")]
    not_selected: bool,
    /// The organisation published it to everyone.
    #[arg(long)]
    published: bool,
    /// It stands in the asker's own review queue.
    #[arg(long)]
    assigned: bool,
    /// It does so until then, under an assignment of an external agency.
    #[arg(long)]
    assigned_until: Option<Timestamp>,
    /// A mandate of the asker covers it, until then.
    #[arg(long)]
    mandate_until: Option<Timestamp>,
    /// The request, or the step that a receipt is of, is the asker's own.
    #[arg(long)]
    own: bool,
    /// Legal basis of an opening.
    #[arg(long)]
    basis: Option<LegalBasisCode>,
    /// Case number of an opening.
    #[arg(long, default_value = "")]
    case_number: String,
    /// Motivation of an opening.
    #[arg(long, default_value = "")]
    motivation: String,
    /// Who approved the opening, another person: role@organisation.
    #[arg(long)]
    approved_by: Option<RoleOf>,
    /// The moment of asking; now when absent.
    #[arg(long)]
    at: Option<Timestamp>,
    /// A folder as `policies/` is; what comes with the program when absent.
    #[arg(long, value_name = "DIR")]
    policies: Option<PathBuf>,
    /// In which language: en or nl.
    #[arg(long, default_value = "en", value_name = "LANGUAGE")]
    language: Language,
}

/// `role@organisation`.
#[derive(Debug, Clone)]
struct RoleOf {
    role: Role,
    organisation: OrganisationId,
}

impl FromStr for RoleOf {
    type Err = String;
    fn from_str(given: &str) -> Result<Self, String> {
        let (role, organisation) =
            given.split_once('@').ok_or("write it as role@organisation, such as official@min-low")?;
        let role = role.parse().map_err(|error: crate::model::ModelError| error.to_string())?;
        let organisation =
            organisation.parse().map_err(|error: crate::model::ModelError| error.to_string())?;
        Ok(Self { role, organisation })
    }
}

/// `kind@organisation`; a kind that belongs to no organisation stands alone.
#[derive(Debug, Clone)]
struct ThingOf {
    kind: ResourceKind,
    organisation: Option<OrganisationId>,
}

impl FromStr for ThingOf {
    type Err = String;
    fn from_str(given: &str) -> Result<Self, String> {
        let (kind, organisation) = given.split_once('@').map_or((given, None), |(kind, of)| (kind, Some(of)));
        let known = ResourceKind::ALL.iter().find(|known| kebab(known.as_str()) == kind);
        let words =
            || ResourceKind::ALL.iter().map(|kind| kebab(kind.as_str())).collect::<Vec<_>>().join(", ");
        let kind = *known.ok_or_else(|| format!("`{kind}` is not known; expected one of: {}", words()))?;
        let organisation = organisation
            .map(|of| of.parse().map_err(|error: crate::model::ModelError| error.to_string()))
            .transpose()?;
        Ok(Self { kind, organisation })
    }
}

fn action(word: &str) -> Result<Action, String> {
    let words = || Action::ALL.iter().map(|action| action.as_str()).collect::<Vec<_>>().join(", ");
    let known = Action::ALL.iter().find(|action| action.as_str() == word);
    known.copied().ok_or_else(|| format!("`{word}` is not known; expected one of: {}", words()))
}

/// `VaultRecord` as it is typed.
fn kebab(name: &str) -> String {
    let mut word = String::new();
    for (place, letter) in name.char_indices() {
        if place > 0 && letter.is_ascii_uppercase() {
            word.push('-');
        }
        word.push(letter.to_ascii_lowercase());
    }
    word
}

/// Carries one out.
///
/// # Errors
/// The faults of policy files with file and mend, or what an explanation lacks.
pub(super) fn run(asked: &PolicyCommand, as_json: bool) -> Result<ExitCode> {
    match asked {
        PolicyCommand::Check { folder } => check(&files(folder.as_ref())?, as_json),
        PolicyCommand::Explain(asked) => {
            let explained = explain(asked)?;
            print::line(&if as_json {
                in_json(&explained)
            } else {
                explained.to_string().trim_end().to_owned()
            });
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn files(folder: Option<&PathBuf>) -> Result<embedded::Files> {
    match folder {
        Some(folder) => embedded::from_folder(folder),
        None => Ok(RuleFiles::embedded().policies().clone()),
    }
}

fn check(files: &embedded::Files, as_json: bool) -> Result<ExitCode> {
    let rules = RoomRules::load(files)?;
    LegalBases::load("legal-bases.yaml", embedded::text(files, "legal-bases.yaml")?)?;
    let policies = &rules.access;
    let breaches = policies.breaches(now()?)?;
    if as_json {
        let breach = |breach: &crate::access::Breach| json!({ "role": breach.role, "action": breach.action.as_str(), "on": breach.what, "rule": breach.rule });
        let plans: Vec<&str> = policies.plans().collect();
        let breaches: Vec<_> = breaches.iter().map(breach).collect();
        let ok = breaches.is_empty();
        print::line(
            &json!({ "ok": ok, "policies": policies.count(), "plans": plans, "breaches": breaches })
                .to_string(),
        );
    } else {
        for breach in &breaches {
            let (role, action) = (breach.role, breach.action.as_str());
            print::line(&format!("{role} may {action} on {}: {}", breach.what, breach.rule));
        }
        let verdict = match breaches.len() {
            0 => "they fit the schema and allow nothing that must never be allowed".to_owned(),
            count => format!("{count} things are allowed that must never be"),
        };
        print::line(&format!("{} policies: {verdict}", policies.count()));
    }
    Ok(if breaches.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn explain(asked: &ExplainArguments) -> Result<Explained> {
    let files = files(asked.policies.as_ref())?;
    let rules = RoomRules::load(&files)?;
    let policies = &rules.access;
    let at = asked.at.map_or_else(now, Ok)?;
    let actor = Actor { id: asker(), role: asked.who.role, organisation: asked.who.organisation.clone() };
    let resource = asked.resource()?;
    if asked.what == Action::OpenOriginal {
        let bases = LegalBases::load("legal-bases.yaml", embedded::text(&files, "legal-bases.yaml")?)?;
        return asked.opening(policies, &bases, &actor, at).map(|said| asked.told(policies, said));
    }
    let grant = asked.grant(&resource);
    let request =
        Request { actor: &actor, action: asked.what, resource: &resource, grant: grant.as_ref(), now: at };
    Ok(asked.told(policies, policies.explain(&policies.authorise(&request))))
}

impl ExplainArguments {
    fn told(&self, policies: &Policies, explained: Explained) -> Explained {
        match self.language {
            Language::English => explained,
            Language::Dutch => policies.in_dutch(explained),
        }
    }

    fn assignment(&self) -> Option<Assignment> {
        match self.assigned_until {
            Some(until) => Some(Assignment { until: Some(until) }),
            None => self.assigned.then_some(Assignment::OWN),
        }
    }

    fn resource(&self) -> Result<Resource> {
        let of = || {
            let kind = kebab(self.thing.kind.as_str());
            self.thing.organisation.clone().with_context(|| {
                format!("say whose it is: --on {kind}@ORGANISATION, such as --on {kind}@min-low")
            })
        };
        let selected_by = (self.grant_until.is_some() && !self.not_selected).then(grant);
        let (published, assigned) = (self.published, self.assignment());
        Ok(match self.thing.kind {
            ResourceKind::Collection => Resource::Collection { organisation: of()?, published, selected_by },
            ResourceKind::Record => Resource::Record { organisation: of()?, published, selected_by },
            ResourceKind::Conversation => {
                Resource::Conversation { organisation: of()?, published, selected_by }
            }
            ResourceKind::VaultRecord => Resource::VaultRecord { organisation: of()?, assigned },
            ResourceKind::Original => Resource::Original { organisation: of()?, assigned },
            ResourceKind::ReviewQueue => Resource::ReviewQueue { organisation: of()?, assigned },
            ResourceKind::Channel => Resource::Channel { organisation: of()? },
            ResourceKind::Registry => Resource::Registry { organisation: of()? },
            ResourceKind::GrantFile => {
                let (requester, mandate_until) = (self.whose(), self.mandate_until);
                Resource::GrantFile { organisation: of()?, requester, mandate_until }
            }
            ResourceKind::ExportFile => {
                let (requester, mandate_until) = (self.whose(), self.mandate_until);
                Resource::ExportFile { organisation: of()?, requester, decider: None, mandate_until }
            }
            ResourceKind::Receipt => Resource::Receipt { owner: self.whose() },
            ResourceKind::Ledger => Resource::Ledger,
            ResourceKind::Service => Resource::Service,
        })
    }

    fn grant(&self, resource: &Resource) -> Option<GrantFacts> {
        let organisation = match resource {
            Resource::Collection { organisation, .. }
            | Resource::Record { organisation, .. }
            | Resource::Conversation { organisation, .. } => organisation.clone(),
            _ => return None,
        };
        self.grant_until.map(|until| GrantFacts {
            id: grant(),
            holder: asker(),
            organisation,
            until,
            revoked: self.grant_revoked,
            export: self.grant_export,
        })
    }

    fn whose(&self) -> ActorId {
        if self.own { asker() } else { another() }
    }

    fn opening(
        &self,
        policies: &Policies,
        bases: &LegalBases,
        actor: &Actor,
        at: Timestamp,
    ) -> Result<Explained> {
        let Some(basis) = &self.basis else {
            bail!("an original is opened under a legal basis: name it with --basis")
        };
        let Some(organisation) = &self.thing.organisation else {
            bail!("say whose it is: --on original@ORGANISATION")
        };
        let record = RecordId::from_uuid(Uuid::nil());
        let approval = self.approved_by.as_ref().map(|by| Approval {
            approver: Actor { id: another(), role: by.role, organisation: by.organisation.clone() },
            requester: actor.id,
            record,
            basis: basis.clone(),
            at,
        });
        let request = OpeningRequest {
            actor,
            record,
            organisation,
            assigned: self.assignment(),
            basis,
            case_number: &PrivateText::new(self.case_number.clone()),
            motivation: &PrivateText::new(self.motivation.clone()),
            approval: approval.as_ref(),
            under: None,
            restricted: false,
            now: at,
        };
        Ok(policies.explain_opening(&request, bases))
    }
}

fn in_json(explained: &Explained) -> String {
    let outside = explained.outside.map(|outside| match outside {
        Outside::Absent => "absent",
        Outside::Refused => "refused",
    });
    let because = explained
        .because
        .iter()
        .map(|because| json!({ "code": because.code, "text": because.text, "policy": because.policy }));
    json!({
        "allowed": explained.allowed, "looksLike": outside, "plan": explained.plan,
        "because": because.collect::<Vec<_>>(),
    })
    .to_string()
}

fn now() -> Result<Timestamp> {
    Ok(jiff::Timestamp::now().to_string().parse()?)
}

fn asker() -> ActorId {
    ActorId::from_uuid(Uuid::from_u128(1))
}

fn another() -> ActorId {
    ActorId::from_uuid(Uuid::from_u128(2))
}

fn grant() -> GrantId {
    GrantId::from_uuid(Uuid::from_u128(1))
}
