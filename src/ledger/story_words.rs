//! The words in which the ledger is told: for each kind of entry, step, role and reason, in Dutch and English.

use super::{Entry, EntryKind};
use crate::model::Role;

type Both = (&'static str, &'static str);

/// What happened.
pub(super) fn kind_words(entry: &Entry) -> (String, String) {
    let (nl, en) = words_of(entry.kind());
    (nl.to_owned(), en.to_owned())
}

const fn words_of(kind: EntryKind) -> Both {
    match kind {
        EntryKind::CaptureIngested => ("vastlegging opgenomen", "capture taken in"),
        EntryKind::CaptureRefused => ("vastlegging geweigerd", "capture refused"),
        EntryKind::DecisionMade => ("besluit genomen over records", "decision made on records"),
        EntryKind::DecisionChanged => ("besluit over een record gewijzigd", "decision on a record changed"),
        EntryKind::RecordsPublished => {
            ("weergaven naar de leeszaal gebracht", "views brought to the reading room")
        }
        EntryKind::RecordsWithdrawn => {
            ("weergaven uit de leeszaal teruggetrokken", "views withdrawn from the reading room")
        }
        EntryKind::RulesLoaded => ("regels in werking gesteld", "rules put into force"),
        EntryKind::DisclosureIntended => {
            ("voornemen vastgelegd om een origineel te openen", "intent recorded to open an original")
        }
        EntryKind::DisclosureServed => ("origineel verstrekt", "original handed over"),
        EntryKind::DisclosureFailed => ("origineel niet verstrekt", "original not handed over"),
        EntryKind::SystemOpeningIntended => (
            "voornemen vastgelegd van een systeemhandeling op originelen",
            "intent recorded of a system act on originals",
        ),
        EntryKind::SystemOpeningDone => {
            ("systeemhandeling op originelen voltooid", "system act on originals done")
        }
        EntryKind::SystemOpeningFailed => {
            ("systeemhandeling op originelen niet geheel gelukt", "system act on originals done in part")
        }
        EntryKind::AccessDenied => ("toegang geweigerd", "access refused"),
        EntryKind::ViewServed => ("weergaven getoond", "views shown"),
        EntryKind::SearchIntended => {
            ("voornemen vastgelegd om in de kluis te zoeken", "intent recorded to search the vault")
        }
        EntryKind::SearchServed => ("zoekvraag beantwoord", "search answered"),
        EntryKind::ExportAsked => ("export gevraagd", "export asked for"),
        EntryKind::ExportBuilt => ("bestanden van een export gemaakt", "files of an export made"),
        EntryKind::ExportChecked => ("bestanden doorzocht op lekken", "files searched for leaks"),
        EntryKind::ExportFetched => ("export opgehaald", "export fetched"),
        EntryKind::ExportReleased => ("export vrijgegeven of uitgeleverd", "export released or handed out"),
        EntryKind::ExportStopped => ("export tegengehouden", "export stopped"),
        EntryKind::GrantRequested => ("aanvraag ingediend", "request handed in"),
        EntryKind::RequestStepTaken => ("stap in de aanvraag gezet", "step taken with the request"),
        EntryKind::GrantApproved => ("aanvraag goedgekeurd", "request approved"),
        EntryKind::GrantRefused => ("aanvraag afgewezen", "request refused"),
        EntryKind::GrantRevoked => ("toestemming ingetrokken", "grant revoked"),
        EntryKind::GrantLapsed => {
            ("toestemming afgelopen: de namen zijn weg", "grant over: its names are gone")
        }
        EntryKind::IdentityRevoked => {
            ("toegang van een persoon of token ingetrokken", "a person or token revoked")
        }
        EntryKind::IdentityRestored => {
            ("toegang van een persoon of token hersteld", "a person or token restored")
        }
        EntryKind::ChannelDeclared => ("kanaal vastgesteld of gewijzigd", "channel declared or changed"),
        EntryKind::ReviewSampleDrawn => ("steekproef van besluiten getrokken", "sample of decisions drawn"),
        EntryKind::AssessmentsImported => {
            ("beoordelingen van een ander bureau opgenomen", "assessments of another agency taken in")
        }
        EntryKind::ReviewDone => ("redactie beoordeeld", "redaction reviewed"),
        EntryKind::HoldPlaced => ("bewaarplicht opgelegd", "hold placed"),
        EntryKind::HoldLifted => ("bewaarplicht opgeheven", "hold lifted"),
        EntryKind::RestrictionPlaced => ("verwerking beperkt (AVG 18)", "processing restricted (GDPR 18)"),
        EntryKind::RestrictionLifted => {
            ("beperking van de verwerking opgeheven", "restriction of processing lifted")
        }
        EntryKind::RecordsDestroyed => ("records vernietigd", "records destroyed"),
        EntryKind::DataErased => ("persoonsgegevens gewist", "personal data erased"),
        EntryKind::KeyCreated => ("sleutel gemaakt", "a key was made"),
        EntryKind::KeyDestroyed => ("sleutel vernietigd", "key destroyed"),
        EntryKind::FormalMessageHandled => (
            "formeel bericht ingeschreven, doorgestuurd of gemeld aan de afzender",
            "formal message registered, forwarded or told to its sender",
        ),
        EntryKind::LetterLinked => (
            "record verbonden met een zaak in het brievensysteem",
            "record linked to a case of the letter system",
        ),
        EntryKind::LetterConfirmed => {
            ("zaak bevestigd door het brievensysteem", "case confirmed by the letter system")
        }
        EntryKind::ActedOnReported => {
            ("opgemaakt welke vragen zijn beantwoord", "drawn up which questions were answered")
        }
        EntryKind::ServiceStarted => ("dienst gestart", "service started"),
        EntryKind::ServiceStopped => ("dienst gestopt", "service stopped"),
        EntryKind::VerificationRun => ("controle uitgevoerd", "verification run"),
        EntryKind::IncidentOpened => ("incident geopend", "incident opened"),
        EntryKind::IncidentClosed => {
            ("incident of spoedopening verantwoord", "incident or opening at once answered for")
        }
        EntryKind::SubjectRequestReceived => {
            ("verzoek van een betrokkene ontvangen", "request of a person concerned received")
        }
        EntryKind::SubjectRequestChanged => {
            ("verzoek van een betrokkene behandeld", "request of a person concerned handled")
        }
        EntryKind::SubjectRequestClosed => {
            ("verzoek van een betrokkene afgesloten", "request of a person concerned closed")
        }
        EntryKind::DisclosureApproved => {
            ("opening goedgekeurd door een tweede persoon", "opening approved by a second person")
        }
        EntryKind::ReportReceived => ("melding van een lezer ontvangen", "report of a reader received"),
        EntryKind::RecordsTransferred => ("records overgedragen", "records transferred"),
        EntryKind::LedgerExported => ("logboek uitgevoerd", "ledger exported"),
        EntryKind::BackupMade => ("reservekopie gemaakt", "backup made"),
        EntryKind::BackupRestored => ("reservekopie teruggezet", "backup put back"),
        EntryKind::FixityChecked => {
            ("originelen op ongewijzigdheid gecontroleerd", "originals checked for change")
        }
        EntryKind::AppointmentMade => ("mandaat of opdracht gegeven", "mandate or assignment given"),
        EntryKind::AppointmentEnded => ("mandaat of opdracht beëindigd", "mandate or assignment ended"),
    }
}

/// What the outcome of an entry adds to it, where it adds something.
pub(super) fn step_words(entry: &Entry) -> Option<(String, String)> {
    let code = entry.outcome_code()?.as_str();
    let known = STEPS.iter().find(|(word, ..)| *word == code);
    match known {
        Some((_, "", _)) => None,
        Some((_, nl, en)) => Some(((*nl).to_owned(), (*en).to_owned())),
        None => Some((format!("`{code}`"), format!("`{code}`"))),
    }
}

/// Outcomes; those whose kind says it already add nothing.
const STEPS: &[(&str, &str, &str)] = &[
    ("submit", "", ""),
    ("approve", "", ""),
    ("refuse", "", ""),
    ("write", "geschreven of gewijzigd", "written or amended"),
    ("withdraw", "ingetrokken", "withdrawn"),
    ("ask", "vraag gesteld aan de onderzoeker", "question put to the researcher"),
    ("answer", "vraag beantwoord", "question answered"),
    ("accept", "voorwaarden aanvaard; de toestemming begint", "conditions accepted; the grant begins"),
    ("ask-extension", "verlenging gevraagd", "extension asked for"),
    ("extend", "verlengd", "extended"),
    ("refuse-extension", "verlenging geweigerd", "extension refused"),
    ("end", "de toestemming is afgelopen", "the grant is over"),
    ("state-deletion", "verklaard dat de gegevens zijn verwijderd", "stated that the data were deleted"),
    ("handed-over", "", ""),
    ("not-opened", "niets geopend", "nothing opened"),
    ("waiting", "wacht op een tweede persoon", "waits for a second person"),
    ("open", "mag worden gebruikt", "may be used"),
    ("break-glass", "met spoed, zonder tweede persoon", "at once, without a second person"),
    ("justified", "verantwoord binnen de termijn", "justified in time"),
    ("justified-late", "verantwoord na de termijn", "justified after its time"),
    ("access", "inzage (AVG 15)", "access (GDPR 15)"),
    ("rectification", "rectificatie (AVG 16)", "rectification (GDPR 16)"),
    ("erasure", "wissing (AVG 17)", "erasure (GDPR 17)"),
    ("restriction", "beperking (AVG 18)", "restriction (GDPR 18)"),
    ("portability", "overdraagbaarheid (AVG 20)", "portability (GDPR 20)"),
    ("objection", "bezwaar (AVG 21)", "objection (GDPR 21)"),
    ("granted", "toegewezen", "granted"),
    ("partly-granted", "deels toegewezen", "granted in part"),
    ("refused", "afgewezen", "refused"),
    ("withdrawn", "ingetrokken", "withdrawn"),
    ("not-proven", "houderschap niet aangetoond", "account not proven"),
    ("proven", "houderschap van het account aangetoond", "account proven"),
    ("searched", "gezocht in het archief", "archive searched"),
    ("copied", "afschrift gemaakt", "copy made"),
    ("extended", "termijn verlengd", "term extended"),
    (
        "request-altered",
        "het verzoek is buiten de dienst om gewijzigd",
        "the request was changed behind the service's back",
    ),
    (
        "request-step-refused",
        "stap paste niet bij de stand van de aanvraag",
        "step did not follow on where the request stood",
    ),
    ("name-visible", "„ik zie een naam”", "“I see a name”"),
    ("wrongly-redacted", "„ten onrechte gelakt”", "“wrongly redacted”"),
    ("confirmed", "gegrond", "confirmed"),
    ("unfounded", "ongegrond", "unfounded"),
    (
        "missed-finding",
        "persoonsgegeven eerder niet gevonden in wat al gelezen is",
        "personal data missed earlier in what was read",
    ),
    ("recalled", "alle houders gevraagd te verwijderen", "every holder asked to delete"),
    ("notified", "gemeld bij de Autoriteit Persoonsgegevens", "notified to the supervisory authority"),
    ("no-notification", "niet meldplichtig", "no notification due"),
];

/// A role.
pub(super) const fn role_words(role: Role) -> Both {
    match role {
        Role::Public => ("een lezer zonder rol", "a reader without a role"),
        Role::Researcher => ("een onderzoeker", "a researcher"),
        Role::Official => ("een ambtenaar", "an official"),
        Role::Reviewer => ("een beoordelaar", "a reviewer"),
        Role::ChannelManager => ("een kanaalbeheerder", "a channel manager"),
        Role::RecordsManager => ("een informatiebeheerder", "a records manager"),
        Role::Approver => ("een besluitnemer", "an approver"),
        Role::DataProtectionOfficer => ("de functionaris gegevensbescherming", "the data protection officer"),
        Role::Harvester => ("een verzamelaar", "a harvester"),
        Role::Administrator => ("een beheerder", "an administrator"),
    }
}

/// A legal basis, by its code.
pub(super) fn basis(code: &str) -> (String, String) {
    (format!(", op grond van `{code}`"), format!(", on the basis of `{code}`"))
}

/// A reason: those that are common in words, others by their code.
pub(super) fn reason_words(code: &str) -> (String, String) {
    const REASONS: &[(&str, &str, &str)] = &[
        (
            "request-absent",
            "er is geen aanvraag van deze persoon onder die naam",
            "this person has no request of that name",
        ),
        (
            "restored-backup",
            "opnieuw gedaan na terugzetten van een reservekopie",
            "done again after a backup was put back",
        ),
    ];
    let known = REASONS.iter().find(|(word, ..)| *word == code);
    known.map_or_else(
        || (format!("`{code}`"), format!("`{code}`")),
        |(_, nl, en)| ((*nl).to_owned(), (*en).to_owned()),
    )
}
