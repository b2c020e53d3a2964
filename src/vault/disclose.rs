//! Disclosing an original to an authorised official: authorise, record the intent, open, serve, record the outcome.
//!
//! The order is the law here. If the intent cannot be recorded, nothing is opened. The outcome is recorded by whoever
//! serves, when that is done: `served` says that the original was handed over, `failed` that not all of it was, `not-opened`
//! that there was nothing to hand over.

use super::bodies;
use super::originals::{self, Fetched};
use super::read::{self, nobody};
use super::{Archive, Rules, VaultError};
use crate::access::{
    Action, Actor, Approval, Assignment, Denial, OpeningFile, OpeningRequest, Outside, Resource,
};
use crate::ledger::{Code, Entry, EntryId, EntryKind, Pending, Receipt, Thing};
use crate::model::{
    ActorId, DisclosureId, ItemDigest, LegalBasisCode, OrganisationId, PermitId, PrivateText, RecordId,
};
use crate::seal::{self, Original};
use crate::store::StoreError;
use crate::store::disclosures::{CaseCount, DisclosureRow};
use crate::store::journal::SealedBody;
use serde_json::json;
use std::time::Duration;

/// What an official asks.
#[derive(Debug)]
pub struct DisclosureRequest {
    /// Which record.
    pub record: RecordId,
    /// Under which legal basis.
    pub basis: LegalBasisCode,
    /// In which case.
    pub case_number: PrivateText,
    /// Why.
    pub motivation: PrivateText,
    /// Who gets the copy, when that is another than who opens it. Under a request it stands with that.
    pub recipient: Option<PrivateText>,
}

/// An opened original with its proof.
#[derive(Debug)]
pub struct Disclosure {
    /// Its id: the receipt can be asked for again.
    pub id: DisclosureId,
    /// The exact bytes.
    pub original: Original,
    /// Proof that the opening was recorded before it happened.
    pub receipt: Receipt,
}

/// An opened original that is about to be served.
#[must_use = "how the serving ended must be recorded"]
pub struct ToServe {
    /// The original with its proof.
    pub disclosure: Disclosure,
    /// The word of the format that its capture came in.
    pub format: String,
    /// Records how it ends.
    pub serving: Serving,
}

/// Longest recipient, in characters: as in a request.
const RECIPIENT_CHARS_MAX: usize = 200;

/// How long a disclosure waits for the number of its entry.
const RECEIPT_PATIENCE: Duration = Duration::from_secs(5);

/// Opens one original, and hands it over to the caller.
///
/// # Errors
/// [`VaultError::Absent`] for a record that is not there or that this caller may not know of (both are recorded,
/// both go the same way); [`VaultError::Refused`] with reasons for one who may know; [`VaultError::Input`] for a recipient
/// that names nobody; storage and seal errors.
pub async fn disclose(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    asked: &DisclosureRequest,
) -> Result<Disclosure, VaultError> {
    let ToServe { disclosure, serving, .. } = to_serve(archive, rules, actor, asked).await?;
    serving.handed_over().await?;
    Ok(disclosure)
}

/// Opens one original for a caller that serves it, and says afterwards how that ended.
///
/// # Errors
/// As [`disclose`].
pub async fn to_serve(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    asked: &DisclosureRequest,
) -> Result<ToServe, VaultError> {
    let named = asked.recipient.as_ref().map(|text| text.expose().trim().chars().count());
    if named.is_some_and(|chars| !(1..=RECIPIENT_CHARS_MAX).contains(&chars)) {
        return Err(VaultError::Input(format!(
            "name who gets the copy, in 1 to {RECIPIENT_CHARS_MAX} characters, or leave it out"
        )));
    }
    let organisation = archive.catalogue.owner(asked.record).await?.unwrap_or_else(nobody);
    let opened = open(archive, rules, actor, asked, &Setting::of(&organisation)).await?;
    opened.with_receipt(archive).await
}

/// In what setting an original is asked for.
#[derive(Clone, Copy)]
pub(super) struct Setting<'a> {
    /// Whose original, as the catalogue says.
    pub organisation: &'a OrganisationId,
    /// What puts it in the actor's own review queue, if anything does.
    pub assigned: Option<Assignment>,
    /// The request that it is asked under.
    pub under: Option<&'a OpeningFile>,
    /// Whether it counts in its case: one person opens as many records in one case as a request under the basis covers.
    pub counts: bool,
}

impl<'a> Setting<'a> {
    /// By itself, under no request.
    pub(super) const fn of(organisation: &'a OrganisationId) -> Self {
        Self { organisation, assigned: None, under: None, counts: true }
    }
}

/// An original as it was opened.
pub(super) struct Opened {
    /// The disclosure that it is.
    pub id: DisclosureId,
    /// The exact bytes.
    pub original: Original,
    /// The word of the format that its capture came in.
    pub format: String,
    /// Records how serving it ends.
    pub serving: Serving,
    /// The entry that announced it.
    entry: EntryId,
}

impl Opened {
    /// The same with its receipt, once there is one.
    ///
    /// # Errors
    /// When the entry gets no number in time: it was then not served, and that is recorded.
    pub(super) async fn with_receipt(self, archive: &Archive) -> Result<ToServe, VaultError> {
        let Self { id, original, format, serving, entry } = self;
        match receipt(archive, entry).await {
            Ok(receipt) => Ok(ToServe { disclosure: Disclosure { id, original, receipt }, format, serving }),
            Err(error) => {
                serving.broken_off().await?;
                Err(error)
            }
        }
    }
}

/// Opens one original, or refuses.
///
/// # Errors
/// As [`disclose`].
pub(super) async fn open(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    asked: &DisclosureRequest,
    setting: &Setting<'_>,
) -> Result<Opened, VaultError> {
    let permit_id = PermitId::from_uuid(archive.sources.random_id()?);
    let organisation = setting.organisation;
    let approval = setting.under.and_then(|file| approval(file, asked.record));
    let request = OpeningRequest {
        actor,
        record: asked.record,
        organisation,
        assigned: setting.assigned,
        basis: &asked.basis,
        case_number: &asked.case_number,
        motivation: &asked.motivation,
        approval: approval.as_ref(),
        under: setting.under,
        restricted: archive.openings().restricted(asked.record).await?,
        now: archive.sources.now(),
    };
    let permit = match rules.access.authorise_opening(&request, &rules.bases, permit_id) {
        Ok(permit) => permit,
        Err(denial) => return Err(refuse(archive, actor, &denial).await?),
    };
    let id = DisclosureId::from_uuid(archive.sources.random_id()?);
    let serving = Serving {
        archive: archive.clone(),
        actor: actor.clone(),
        record: asked.record,
        basis: asked.basis.clone(),
        organisation: organisation.clone(),
        under: setting.under.map(|file| file.id),
        permit: permit_id,
        id,
    };
    // An epoch does not end between the wrapping of the body's key and the commit.
    let no_turn = archive.turning.read().await;
    let (announced, body) = intent(archive, &serving, asked)?;
    let entry = announced.id();
    let pending = Pending::opening(permit_id, asked.record, announced)?;
    let row = DisclosureRow {
        id,
        record: asked.record,
        actor: actor.id,
        basis: asked.basis.clone(),
        organisation: organisation.clone(),
        opening: setting.under.map(|file| file.id),
        case: rules.bases.find(&asked.basis).filter(|_| setting.counts).map(|basis| CaseCount {
            digest: case_digest(archive, actor, &asked.basis, &asked.case_number),
            most: basis.covers().records_max,
        }),
    };
    let most = row.case.map(|case| case.most);
    let (log, now) = (archive.logs.vault_origin(), archive.sources.now());
    let recorded = archive.journal.intend_disclosure(log, row, pending, body, now).await;
    drop(no_turn);
    let recorded = match (recorded, most) {
        (Err(StoreError::Moved), Some(most)) => return Err(too_many(archive, actor, most).await?),
        (recorded, _) => recorded?,
    };
    let opened = match originals::fetch(archive, &[asked.record]).await.map(|mut found| found.pop()) {
        Ok(Some(Fetched { sealed, format })) => {
            seal::open(permit, recorded, sealed).map(|original| (original, format)).map_err(VaultError::from)
        }
        Ok(None) => Err(VaultError::Absent { what: "the original" }),
        Err(error) => Err(error),
    };
    match opened {
        Ok((original, format)) => Ok(Opened { id, original, format, serving, entry }),
        Err(error) => {
            serving.not_opened().await?;
            Err(error)
        }
    }
}

/// By what one person's openings under a legal basis in one case are counted. Who has it learns nothing of the case.
pub(super) fn case_digest(
    archive: &Archive,
    actor: &Actor,
    basis: &LegalBasisCode,
    case_number: &PrivateText,
) -> ItemDigest {
    let (actor, case) = (actor.id.uuid(), case_number.expose().trim().to_lowercase());
    archive.digests.digest("opening-case", &[actor.as_bytes(), basis.as_str().as_bytes(), case.as_bytes()])
}

/// The refusal of one record more than a person may open in a case, recorded.
pub(super) async fn too_many(archive: &Archive, actor: &Actor, most: u32) -> Result<VaultError, VaultError> {
    let text = format!(
        "one person opens at most {most} records in one case under this legal basis (`recordsMax`): ask for a request \
         that names the records, or leave the rest to another person"
    );
    refuse(archive, actor, &Denial::by_rule("opening#records-a-case", text)).await
}

/// The second person's approval of a request, for one of its records.
fn approval(file: &OpeningFile, record: RecordId) -> Option<Approval> {
    let second = file.approval.as_ref()?;
    Some(Approval {
        approver: second.approver.clone(),
        requester: file.holder,
        record,
        basis: file.basis.clone(),
        at: second.at,
    })
}

/// An original that is being served: says once how that ended.
#[must_use = "how the serving ended must be recorded"]
pub struct Serving {
    archive: Archive,
    actor: Actor,
    record: RecordId,
    basis: LegalBasisCode,
    organisation: OrganisationId,
    under: Option<crate::model::GrantId>,
    permit: PermitId,
    id: DisclosureId,
}

impl std::fmt::Debug for Serving {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Serving({})", self.id)
    }
}

impl Serving {
    /// Every byte was handed over: to the caller, or to the connection. Whether somebody read it is not known here.
    ///
    /// # Errors
    /// When it cannot be recorded: the intent then stands without an outcome.
    pub async fn handed_over(self) -> Result<(), VaultError> {
        self.conclude(EntryKind::DisclosureServed, "served", "handed-over").await
    }

    /// Nothing was opened: nobody has it.
    ///
    /// # Errors
    /// As [`handed_over`](Self::handed_over).
    async fn not_opened(self) -> Result<(), VaultError> {
        self.conclude(EntryKind::DisclosureFailed, "not-opened", "not-opened").await
    }

    /// It was opened, and not every byte of it left.
    ///
    /// # Errors
    /// As [`handed_over`](Self::handed_over).
    pub async fn broken_off(self) -> Result<(), VaultError> {
        self.conclude(EntryKind::DisclosureFailed, "failed", "not-handed-over").await
    }

    async fn conclude(self, kind: EntryKind, word: &'static str, outcome: &str) -> Result<(), VaultError> {
        let entry = self.entry(kind)?.outcome(outcome.parse()?);
        let (log, pending) = (self.archive.logs.vault_origin(), Pending::event(entry)?);
        let _recorded = self.archive.journal.conclude_disclosure(log, self.id, word, pending).await?;
        Ok(())
    }

    fn entry(&self, kind: EntryKind) -> Result<Entry, VaultError> {
        Ok(Entry::new(self.archive.sources.entry_id()?, kind, self.archive.sources.now())
            .of(self.organisation.clone())
            .by(self.actor.id, self.actor.role)
            .on(self.basis.clone())
            .under(self.permit)
            .about([Thing::Record(self.record), Thing::Disclosure(self.id)])
            .about(self.under.map(Thing::Grant)))
    }
}

/// The receipt of an earlier disclosure, for the person who made it.
///
/// # Errors
/// [`VaultError::Absent`] for a disclosure that is not there or was another person's: both are recorded, and go the same
/// way.
pub async fn receipt_again(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    id: DisclosureId,
) -> Result<Receipt, VaultError> {
    let known = archive.catalogue.intent_of(id).await?;
    // What is not there is asked about as nobody's step.
    let owner = known.map_or(ActorId::from_uuid(uuid::Uuid::nil()), |(owner, _)| owner);
    read::authorise(archive, rules, actor, Action::ReadReceipt, &Resource::Receipt { owner }).await?;
    let (_, entry) = known.ok_or(VaultError::Absent { what: "the disclosure" })?;
    receipt(archive, entry).await
}

async fn receipt(archive: &Archive, entry: EntryId) -> Result<Receipt, VaultError> {
    let log = archive.logs.vault_origin();
    Ok(archive.journal.receipt_when_numbered(log, entry, RECEIPT_PATIENCE).await?)
}

/// The entry that announces the opening, and its sealed body: case and motivation are free text about people. Under a
/// request they stand with the entry of that.
fn intent(
    archive: &Archive,
    serving: &Serving,
    asked: &DisclosureRequest,
) -> Result<(Entry, SealedBody), VaultError> {
    let text = match serving.under {
        Some(request) => json!({ "request": request }),
        None => json!({
            "caseNumber": asked.case_number.expose(), "motivation": asked.motivation.expose(),
            "recipient": asked.recipient.as_ref().map(PrivateText::expose),
        }),
    };
    let entry = serving.entry(EntryKind::DisclosureIntended)?;
    let sealed = bodies::seal(archive, &serving.organisation, entry.id(), &text)?;
    Ok((entry.committing(sealed.commitment), sealed.body))
}

/// Records a refusal and gives the answer for outside.
pub(super) async fn refuse(
    archive: &Archive,
    actor: &Actor,
    denial: &Denial,
) -> Result<VaultError, VaultError> {
    record_denial(archive, actor, denial).await?;
    Ok(match denial.outside() {
        Outside::Absent => VaultError::Absent { what: "the record" },
        Outside::Refused => VaultError::Refused(denial.clone()),
    })
}

/// Records that someone was refused. A denial is no error, but it is never silent.
///
/// # Errors
/// When it cannot be recorded: the request then fails.
pub async fn record_denial(archive: &Archive, actor: &Actor, denial: &Denial) -> Result<(), VaultError> {
    let reasons = denial.reasons().iter().filter_map(|reason| reason_code(&reason.code));
    let entry = Entry::new(archive.sources.entry_id()?, EntryKind::AccessDenied, archive.sources.now())
        .of(actor.organisation.clone())
        .by(actor.id, actor.role)
        .because(reasons.collect::<Vec<_>>());
    let _recorded = archive.journal.record(archive.logs.vault_origin(), Pending::event(entry)?, None).await?;
    Ok(())
}

/// `policy#clause` as a code of the ledger.
fn reason_code(code: &str) -> Option<Code> {
    let plain: String = code
        .to_ascii_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .take(64)
        .collect();
    plain.parse().ok()
}
