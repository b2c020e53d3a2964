//! Disclosing an original to an authorised official: authorise, record the intent, open, record the outcome.
//!
//! The order is the law here. If the intent cannot be recorded, nothing is opened.

use super::originals::{self, Fetched};
use super::read::{self, nobody};
use super::{Archive, Rules, VaultError};
use crate::access::{Action, Actor, Assignment, Denial, OpeningRequest, Outside, Resource};
use crate::ledger::{Body, Code, Entry, EntryId, EntryKind, Pending, Receipt, Salt, Thing};
use crate::model::{
    ActorId, DisclosureId, LegalBasisCode, OrganisationId, PermitId, PrivateText, RecordId, SegmentId,
};
use crate::seal::{
    self, Aad, ENVELOPE_VERSION, FragmentKey, MasterKeyring, Nonce, Original, SegmentKey, seal_fragment,
};
use crate::store::disclosures::DisclosureRow;
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

/// How long a disclosure waits for the number of its entry.
const RECEIPT_PATIENCE: Duration = Duration::from_secs(5);

/// Opens one original.
///
/// # Errors
/// [`VaultError::Absent`] for a record that is not there or that this caller may not know of (both are recorded,
/// both go the same way); [`VaultError::Refused`] with reasons for one who may know; storage and seal errors.
pub async fn disclose(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    asked: &DisclosureRequest,
) -> Result<Disclosure, VaultError> {
    let organisation = archive.catalogue.owner(asked.record).await?.unwrap_or_else(nobody);
    let opened = open(archive, rules, actor, asked, &organisation, None).await?;
    let receipt = receipt(archive, opened.entry).await?;
    Ok(Disclosure { id: opened.id, original: opened.original, receipt })
}

/// An original as it was opened.
pub(super) struct Opened {
    /// The disclosure that it is.
    pub id: DisclosureId,
    /// The exact bytes.
    pub original: Original,
    /// The word of the format that its capture came in.
    pub format: String,
    /// The entry that announced it.
    entry: EntryId,
}

/// Opens one original of `organisation`, or refuses; `assigned` says what puts it in the actor's own review queue.
///
/// # Errors
/// As [`disclose`].
pub(super) async fn open(
    archive: &Archive,
    rules: &Rules,
    actor: &Actor,
    asked: &DisclosureRequest,
    organisation: &OrganisationId,
    assigned: Option<Assignment>,
) -> Result<Opened, VaultError> {
    let permit_id = PermitId::from_uuid(archive.sources.random_id()?);
    let request = OpeningRequest {
        actor,
        record: asked.record,
        organisation,
        assigned,
        basis: &asked.basis,
        case_number: &asked.case_number,
        motivation: &asked.motivation,
        approval: None,
        now: archive.sources.now(),
    };
    let permit = match rules.access.authorise_opening(&request, &rules.bases, permit_id) {
        Ok(permit) => permit,
        Err(denial) => return Err(refuse(archive, actor, &denial).await?),
    };
    let id = DisclosureId::from_uuid(archive.sources.random_id()?);
    // An epoch does not end between the wrapping of the body's key and the commit.
    let no_turn = archive.turning.read().await;
    let (announced, body) = intent(archive, actor, asked, organisation, permit_id, id)?;
    let entry = announced.id();
    let pending = Pending::opening(permit_id, asked.record, announced)?;
    let row = DisclosureRow { id, record: asked.record, actor: actor.id, basis: asked.basis.clone() };
    let (log, now) = (archive.logs.vault_origin(), archive.sources.now());
    let recorded = archive.journal.intend_disclosure(log, row, pending, body, now).await?;
    drop(no_turn);
    let opened = match originals::fetch(archive, &[asked.record]).await.map(|mut found| found.pop()) {
        Ok(Some(Fetched { sealed, format })) => {
            seal::open(permit, recorded, sealed).map(|original| (original, format)).map_err(VaultError::from)
        }
        Ok(None) => Err(VaultError::Absent { what: "the original" }),
        Err(error) => Err(error),
    };
    conclude(archive, actor, asked, organisation, permit_id, id, opened.is_ok()).await?;
    let (original, format) = opened?;
    Ok(Opened { id, original, format, entry })
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

/// The entry that announces the opening, and its sealed body: case and motivation are free text about people.
fn intent(
    archive: &Archive,
    actor: &Actor,
    asked: &DisclosureRequest,
    organisation: &OrganisationId,
    permit: PermitId,
    id: DisclosureId,
) -> Result<(Entry, SealedBody), VaultError> {
    let text = json!({ "caseNumber": asked.case_number.expose(), "motivation": asked.motivation.expose() });
    let body = Body::new(PrivateText::new(text.to_string()));
    let salt = Salt::from_bytes(*archive.sources.secret::<32>()?);
    let entry_id = archive.sources.entry_id()?;
    let entry = Entry::new(entry_id, EntryKind::DisclosureIntended, archive.sources.now())
        .of(organisation.clone())
        .by(actor.id, actor.role)
        .on(asked.basis.clone())
        .under(permit)
        .about([Thing::Record(asked.record), Thing::Disclosure(id)])
        .committing(body.commitment(&salt));
    Ok((entry, seal_body(archive, organisation, entry_id, &salt, &body)?))
}

/// Seals salt and body under a key of their own, wrapped by the organisation's master key: erasable one by one.
///
/// Form: wrapped segment key, wrapped fragment key, envelope; segment, capture and fragment are the entry's id.
fn seal_body(
    archive: &Archive,
    organisation: &OrganisationId,
    entry: EntryId,
    salt: &Salt,
    body: &Body,
) -> Result<SealedBody, VaultError> {
    let sources = &archive.sources;
    let segment = SegmentId::from_uuid(entry.uuid());
    let fragment = crate::model::FragmentId::from_uuid(entry.uuid());
    let capture = crate::model::CaptureId::from_uuid(entry.uuid());
    let above = SegmentKey::from_bytes(&*sources.secret::<32>()?);
    let key = FragmentKey::from_bytes(&*sources.secret::<32>()?);
    let nonce = || Ok::<_, VaultError>(Nonce::from_bytes(*sources.secret::<12>()?));
    let wrapped_above = archive.keyring.wrap_segment_key(organisation, segment, &above, nonce()?)?;
    let wrapped = above.wrap(organisation, segment, fragment, &key, nonce()?)?;
    let mut plain = zeroize::Zeroizing::new(salt.as_bytes().to_vec());
    plain.extend_from_slice(body.text().expose().as_bytes());
    let aad = Aad { organisation, capture, fragment, version: ENVELOPE_VERSION };
    let sealed = seal_fragment(&key, &aad, nonce()?, &plain)?;
    Ok(SealedBody([wrapped_above.as_bytes(), wrapped.as_bytes(), sealed.as_slice()].concat()))
}

async fn conclude(
    archive: &Archive,
    actor: &Actor,
    asked: &DisclosureRequest,
    organisation: &OrganisationId,
    permit: PermitId,
    id: DisclosureId,
    served: bool,
) -> Result<(), VaultError> {
    let (kind, word) = match served {
        true => (EntryKind::DisclosureServed, "served"),
        false => (EntryKind::DisclosureFailed, "failed"),
    };
    let entry = Entry::new(archive.sources.entry_id()?, kind, archive.sources.now())
        .of(organisation.clone())
        .by(actor.id, actor.role)
        .on(asked.basis.clone())
        .under(permit)
        .about([Thing::Record(asked.record), Thing::Disclosure(id)]);
    let log = archive.logs.vault_origin();
    let _recorded = archive.journal.conclude_disclosure(log, id, word, Pending::event(entry)?).await?;
    Ok(())
}

/// Records a refusal and gives the answer for outside.
async fn refuse(archive: &Archive, actor: &Actor, denial: &Denial) -> Result<VaultError, VaultError> {
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
